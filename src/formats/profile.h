/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles as rows while a table or a CMF file is read: alleles cleaned, and the rows of one person
 * taken together when they agree. */
#ifndef ATG_FORMATS_PROFILE_H
#define ATG_FORMATS_PROFILE_H

#include <antigone/formats.h>

#include "base/map.h"

typedef struct profile {
    atg_profile_row row; /* without calls */
    uint32_t n, cap;
    struct atg_profile_call *calls;
    uint16_t *markers; /* of each call, as numbered by the set */
    bool merged;       /* rows were already noted as taken together */
} profile;

typedef struct profile_set {
    atg_arena *arena;
    atg_notes *notes;
    atg_err *err;
    uint32_t n, cap;
    profile **profiles;
    map *keys;      /* family and id -> profile */
    map *spellings; /* name of a marker as written -> marker */
    uint32_t n_markers;
    atg_str markers[ATG_MARKERS_MAX];
} profile_set;

int profile_set_open(profile_set *set, atg_arena *arena, atg_notes *notes, atg_err *err);
void profile_set_close(profile_set *set);

/* The profile of this row's person.  A further row of the same person must say the same of sex,
 * body, parents and the rest, or leave it empty.  `row` lies in the arena. */
int profile_set_row(profile_set *set, const atg_profile_row *row, profile **ret);

/* Number of a marker under any of its names.  `name` is kept. */
int profile_set_marker(profile_set *set, atg_str name, uint32_t line, uint32_t col, uint16_t *ret);

/* Add a genotype.  The same one again is left out; another one fails at its place and names the
 * line of the first. */
int profile_add(profile_set *set, profile *p, uint16_t marker, const struct atg_profile_call *call);

/* Notes about sex and amelogenin, and the rows. */
int profile_set_finish(profile_set *set, uint32_t *ret_n, const atg_profile_row **ret);

typedef enum allele_kind {
    ALLELE_READ,    /* a label in the usual spelling */
    ALLELE_UNREAD,  /* "?", "-", "0": not read */
    ALLELE_NONE,    /* nothing there */
    ALLELE_OFF,     /* outside the ladder */
    ALLELE_NOT_ONE, /* no allele at all */
} allele_kind;

/* What a cell with one allele says.  `*ret` is the label, in `room` or in the text. */
allele_kind allele_read(atg_str text, char room[ATG_LABEL_MAX + 1], atg_str *ret);

#endif
