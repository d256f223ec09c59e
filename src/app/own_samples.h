/* SPDX-License-Identifier: Apache-2.0 */
/* What is from the missing persons themselves: the profiles that stand in their files, as own
 * samples of the operation format (docs/operation-format.md).
 *
 * Profiles of one sample are one own sample; a profile of no sample stands alone.  A merged report
 * lends its profiles to the file that it was merged into.  Left out: what was withdrawn or erased,
 * declared mixtures, and persons who were found alive or whose file was withdrawn. */
#ifndef ATG_APP_OWN_SAMPLES_H
#define ATG_APP_OWN_SAMPLES_H

#include <antigone/marker.h>

#include <jansson.h>

#include "store/keys.h"
#include "store/records.h"

typedef struct own_samples own_samples;

/* A missing person with own samples. */
typedef struct own_person {
    uuid file, family; /* family none: no place in one */
    atg_str code;
    atg_sex sex;
    json_t *list; /* the member "own" */
    bool taken;   /* by own_samples_of() */
} own_person;

/* Within a transaction, in memory of the arena. */
int own_samples_new(db *d, keyring *keys, atg_arena *arena, own_samples **ret, atg_err *err);
void own_samples_free(own_samples *o);
static inline void own_samples_freep(own_samples **p) {
    own_samples_free(*p);
}

/* Read those of all missing persons of an operation, or of one file and what was merged into it. */
int own_samples_all(own_samples *o, const uuid *operation, atg_err *err);
int own_samples_add(own_samples *o, const uuid *missing, atg_err *err);

/* Those of this person, or NULL; they count as taken. */
json_t *own_samples_of(own_samples *o, const uuid *missing);

/* All persons who have any. */
const own_person *own_samples_list(const own_samples *o, uint32_t *ret_n);

/* ---- profiles, for who reads them from other files too ---- */

/* Can its data be used: neither withdrawn nor erased? */
bool own_usable(const record_row *row);

/* A profile's sample, or the profile itself where it is of none. */
const uuid *own_sample_id(const record *r);

/* Is the i-th profile the first of its sample that can be used? */
bool own_is_first(const record_row *profiles, uint32_t i);

/* Put what the profile `r` says into a sample or a member of a family. */
int own_put_profile(json_t *to, const record *r, atg_err *err);

/* A JSON field, or NULL. */
json_t *own_json(const value *v);

/* What is wrong with a file, told with its code; returns rc. */
int own_blame(atg_str code, atg_err *err, int rc);

#endif
