/* SPDX-License-Identifier: Apache-2.0 */
/* One difference to rCRS, and what to do with two readings of one haplotype. */
#ifndef ATG_DNA_MT_H
#define ATG_DNA_MT_H

#include <antigone/pedigree.h>

enum {
    MT_LENGTH = 16569,
    MT_GAP = 16, /* bit of "nothing here" beside A = 1, C = 2, G = 4, T = 8 */
    MT_RANGES_MAX = 64,
    MT_DIFFS_MAX = 1024,
    MT_TEXT_MAX = 16,
};

typedef struct mt_site {
    uint16_t pos;
    uint16_t ins; /* 0: the position itself; k: the k-th base inserted behind it */
    uint8_t mask; /* what may stand here */
} mt_site;

/* Read "16126C", "A263G", "315.1C", "249-", "249del".  NULL, or what is wrong with it. */
const char *mt_site_read(atg_str text, mt_site *ret);

/* The usual text, as atg_mt has it. */
void mt_site_write(mt_site site, char ret[MT_TEXT_MAX]);

/* Length variants of the poly-C stretches, and the gap of the numbering at 3107. */
bool mt_site_ignored(mt_site site);

/* What rCRS has there, as a mask. */
uint8_t mt_reference(uint16_t pos, uint16_t ins);

/* Two readings of one haplotype that do not differ, put together. */
ATG_MUST_USE int mt_union(atg_arena *arena, const atg_mt *x, const atg_mt *y, atg_mt *ret,
                          atg_err *err);

#endif
