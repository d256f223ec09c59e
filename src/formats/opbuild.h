/* SPDX-License-Identifier: Apache-2.0 */
/* An operation made piece by piece: the head of an operation file (population, numbers, markers,
 * prior), then one sample, member of staff or family after the other, each as the JSON object that
 * docs/operation-format.md describes.  What is read and refused is what the file reader reads and
 * refuses; places in the error are of the head only. */
#ifndef ATG_FORMATS_OPBUILD_H
#define ATG_FORMATS_OPBUILD_H

#include <antigone/formats.h>

#include <jansson.h>

typedef struct opbuild opbuild;

/* `head` and the arena must outlive the builder.  Lists in the head are not read. */
int opbuild_open(atg_arena *arena, atg_str head, atg_notes *notes, opbuild **ret, atg_err *err);
void opbuild_close(opbuild *b);
static inline void opbuild_freep(opbuild **p) {
    opbuild_close(*p);
}

/* After a failure the builder is of no use any more. */
int opbuild_remains(opbuild *b, const json_t *sample, atg_err *err);
int opbuild_staff(opbuild *b, const json_t *sample, atg_err *err);
int opbuild_family(opbuild *b, const json_t *family, atg_err *err);

/* How many alleles the marker tables have, those included that the profiles brought along. */
uint32_t opbuild_alleles(const opbuild *b);

int opbuild_finish(opbuild *b, atg_operation *ret, atg_err *err);

#endif
