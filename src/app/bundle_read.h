/* SPDX-License-Identifier: Apache-2.0 */
/* Following what comes out of a bundle: the order of its items, and whether they fit together.  The
 * same is done twice, first to look at everything, then to merge it. */
#ifndef ATG_APP_BUNDLE_READ_H
#define ATG_APP_BUNDLE_READ_H

#include "app/bundle_internal.h"

/* One file as it came: records in the order of the bundle, the chain. */
typedef struct bundle_came {
    bundle_file f;
    bundle_record *records;
    bundle_entry *entries;
    uint32_t n, room;
    uint64_t n_entries, entries_room;
    chain head; /* as far as the chain was followed */
} bundle_came;

typedef struct bundle_follow bundle_follow;

/* What is done with what came; each may be NULL.  `file` comes behind the last entry of each file,
 * `records` behind its last record, pictures in between. */
typedef struct bundle_steps {
    int (*manifest)(void *user, const bundle_manifest *m, atg_err *err);
    int (*checkpoint)(void *user, const checkpoint *c, atg_err *err);
    int (*tombstone)(void *user, const bundle_tombstone *t, atg_err *err);
    int (*notice)(void *user, const bundle_notice *n, atg_err *err);
    int (*records)(void *user, const bundle_came *came, atg_err *err);
    int (*picture)(void *user, const bundle_picture *p, atg_err *err);
    int (*data)(void *user, atg_str bytes, atg_err *err);
    int (*file)(void *user, const bundle_came *came, atg_err *err);
} bundle_steps;

int bundle_follow_new(const bundle_steps *steps, void *user, bundle_follow **ret, atg_err *err);
void bundle_follow_free(bundle_follow *f);
static inline void bundle_follow_freep(bundle_follow **f) {
    bundle_follow_free(*f);
}
/* A bundle_take.  ATG_EPARSE: an item where none of its kind may stand, or that does not fit the
 * others; ATG_EDENIED: a chain that does not hold, or a record whose revision its chain does not
 * tell. */
int bundle_follow_take(void *user, unsigned kind, atg_str bytes, atg_err *err);
/* The arena of the file that is being read. */
atg_arena *bundle_follow_arena(const bundle_follow *f);

#endif
