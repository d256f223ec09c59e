/* SPDX-License-Identifier: Apache-2.0 */
/* An operation while it is read from JSON; shared by antigone-operation/1 and dvi-reference/1. */
#ifndef ATG_FORMATS_OPJSON_H
#define ATG_FORMATS_OPJSON_H

#include "formats/familydraft.h"
#include "formats/jsonin.h"
#include "formats/markerset.h"

enum {
    OPJSON_MT_LENGTH = 16569,
    OPJSON_ODDS_MAX = 1 << 26, /* pairs of remains and missing with given odds */
};

/* A growing array in the arena. */
typedef struct opjson_list {
    void *p;
    uint32_t n, cap;
} opjson_list;

typedef struct opjson {
    jin j;
    atg_params params;
    atg_str name;
    marker_set set;
    uint32_t clock;                 /* profiles read */
    uint32_t seen[ATG_MARKERS_MAX]; /* the last profile that had this marker */
    opjson_list samples, families, missing, staff;
    map *sample_ids, *staff_ids, *family_ids, *missing_ids;
    family_draft family; /* the one in hand */
} opjson;

/* A new last element of `size` zeroed bytes, or NULL when memory is short. */
void *opjson_push(atg_arena *arena, opjson_list *list, size_t size);

/* Put an id under a number; a sentence when it is taken.  The value in hand is the owner of
 * member `key`. */
int opjson_take_id(jin *j, map *ids, atg_str id, uint32_t index, const char *key);

/* An allele as a text or a number: 15, 9.3, "9.3".  The text of a number is put into `room`. */
enum { OPJSON_ALLELE_SIZE = 32 };
int opjson_allele(jin *j, const json_t *v, char room[OPJSON_ALLELE_SIZE], atg_str *ret);

/* Fail at the value in hand with what another module found; memory stays memory. */
int opjson_fail(jin *j, const atg_err *e);

/* "markers": all of them.  The step to the list is pushed. */
int opjson_markers(opjson *o, const json_t *list);

/* The member "genotypes" of `owner`: one place per marker.  `*ret` is NULL when it has none. */
int opjson_genotypes(opjson *o, const json_t *owner, atg_sex sex, atg_geno **ret);

/* The members "dropout" and "dropin" of `owner`. */
int opjson_drops(jin *j, const json_t *owner, double *ret_out, double *ret_in);

/* The member "mt" of `owner`. */
int opjson_mt(opjson *o, const json_t *owner, atg_mt *ret);

/* The member "own" of `owner`, who is missing: samples from before. */
int opjson_owns(opjson *o, const json_t *owner, atg_sex sex, uint32_t *ret_n, const atg_own **ret);

/* One element of "remains" or "pm" (user: opjson), and of "staff". */
int opjson_sample(void *user, jin *j, const json_t *v, uint32_t index);
int opjson_staff(void *user, jin *j, const json_t *v, uint32_t index);

/* One element of "families". */
int opjson_family(void *user, jin *j, const json_t *v, uint32_t index);

/* The list of members of a family, as a pedigree.  A member's "missing" is its id as a missing
 * person; they are appended to `o->missing` for the family with index `family`.  The value in
 * hand is the family. */
int opjson_members(opjson *o, const json_t *family_object, uint32_t family, atg_family *ret);

/* Everything is read: make the operation and check it. */
int opjson_finish(opjson *o, atg_operation *ret);

/* The two formats.  jin_open() has been done. */
int opjson_read_own(opjson *o);
/* Its population, numbers and markers; then, behind the lists, its prior. */
int opjson_read_head(opjson *o);
int opjson_read_prior(opjson *o);
/* The maps of a new one, and away with them. */
int opjson_open_maps(opjson *o);
void opjson_free_maps(opjson *o);
/* The member "name" of the outermost object. */
int opjson_read_name(opjson *o);
int opjson_read_reference(opjson *o);

#endif
