/* SPDX-License-Identifier: Apache-2.0 */
/* A family drawn: squares men, circles women, diamonds unknown; filled where DNA was typed. */
#ifndef ATG_REPORT_PEDIGREE_H
#define ATG_REPORT_PEDIGREE_H

#include <antigone/operation.h>

typedef struct pedigree_look {
    uint32_t width; /* pixels at most; a wider picture is made smaller */
    int32_t focus;  /* person whose relatives are named, and who is marked; -1 */
    atg_str under;  /* what stands under the focus: the body in that place */
} pedigree_look;

/* Appends one <svg> element.  Its memory comes from `arena`. */
int pedigree_svg(atg_arena *arena, const atg_operation *op, uint32_t family,
                 const pedigree_look *look, atg_buf *buf, atg_err *err);

/* The key to the symbols, as one <svg> element. */
void pedigree_key(atg_buf *buf);

/* Does this person have anything typed? */
bool pedigree_typed(const atg_operation *op, const atg_person *person);

#endif
