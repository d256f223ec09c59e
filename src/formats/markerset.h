/* SPDX-License-Identifier: Apache-2.0 */
/* The markers of an operation while it is read: alleles that a profile shows and the table lacks
 * join the table, and at the end get the minimum frequency. */
#ifndef ATG_FORMATS_MARKERSET_H
#define ATG_FORMATS_MARKERSET_H

#include <antigone/formats.h>

#include "base/map.h"

enum { MARKER_SPELLINGS_MAX = 4096 }; /* of all marker names in one file */

typedef struct marker_draft {
    atg_marker m;     /* m.n counts the added alleles too */
    uint16_t n_table; /* alleles with a frequency */
    atg_str labels[ATG_ALLELES_MAX];
    double freqs[ATG_ALLELES_MAX];
} marker_draft;

typedef struct marker_set {
    atg_arena *arena;
    uint32_t n, n_spellings;
    marker_draft *drafts[ATG_MARKERS_MAX];
    map *names; /* every spelling met so far -> index; made and freed by the owner */
} marker_set;

/* A new marker without alleles, with mutation "none".  ATG_EINVAL: there is one under this name
 * or an alias of it; ATG_ELIMIT; ATG_ENOMEM.  `name` is copied. */
int marker_set_add(marker_set *set, atg_str name, marker_draft **ret, atg_err *err);

/* Index of the marker with this name or an alias of it, or -1.  Each spelling is searched for
 * once, so `name` must outlive the set or be in the arena: it is copied when new. */
int marker_set_find(marker_set *set, atg_str name, int64_t *ret, atg_err *err);

/* Add an allele of the table.  `label` is copied.  ATG_EINVAL when it is there already. */
int marker_draft_add(marker_set *set, marker_draft *d, atg_str label, double freq, atg_err *err);

/* Index of an observed allele, which joins the table when it is new. */
int marker_draft_observe(marker_set *set, marker_draft *d, atg_str label, int16_t *ret,
                         atg_err *err);

/* A genotype from two allele indices or ATG_ALLELE_UNREAD, as antigone/pedigree.h wants it.
 * ATG_EINVAL: a man with two alleles at a marker of the X chromosome. */
int genotype_make(const atg_marker *m, atg_sex sex, atg_geno read, atg_geno *ret, atg_err *err);

/* Give added alleles their minimum frequency, note each, and make the markers.
 * @param min_freq  0: 5 / (2 n_population); ATG_EINVAL when it is needed and both are 0. */
int marker_set_finish(marker_set *set, double min_freq, uint32_t n_population,
                      const atg_marker **ret, atg_notes *notes, atg_err *err);

/* What an allele is called: not empty, short, printable, not "-" and without blanks around it. */
bool allele_label_ok(atg_str label);

/* The label of a number, 9.3 being "9.3"; false when it is not a repeat number. */
bool allele_label_of(double number, char ret[32]);

#endif
