/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of app/cases.h share. */
#ifndef ATG_APP_CASES_INTERNAL_H
#define ATG_APP_CASES_INTERNAL_H

#include "app/cases.h"
#include "store/tokens.h"

#include <stdatomic.h>

enum {
    SITE_MAX = 8,
    CASES_ARENA = 256 << 20, /* what one look or change may need */
};

struct cases {
    store *s;
    keyring *keys;
    char directory[4096];
    char site[SITE_MAX + 1];
    uuid id;
    atomic_bool closing;
};

/* Roles of the actor in an operation, as bits. */
int cases_roles(db *d, const actor *who, const uuid *operation, uint32_t *ret, atg_err *err);

/* The matcher itself: no account. */
static inline bool actor_is_matcher(const actor *who) {
    return uuid_none(&who->account);
}

/* Bits of the fields that differ between two records of a kind; `before` may be NULL. */
uint64_t cases_changed(const record *before, const record *after);

/* Somebody who looks: with these roles in the operation, into a file of kind `in`. */
typedef struct looker {
    const actor *who;
    uint32_t roles;
    int in;
} looker;

/* May it see the field, with the reason it gave? */
bool cases_may_see(const looker *l, record_kind kind, uint32_t field);

/* Take out what may not be seen, and what `hidden` names already (rules_blind()); gives the bits of
 * the sensitive fields that are shown. */
uint64_t cases_mask(const looker *l, seen *s);

/* Write that somebody looked: `detail` is JSON. */
typedef struct look_event {
    const actor *who;
    uuid file, record;
    int64_t rev;
    const char *action, *kind;
    atg_str detail;
    bool is_list; /* counts as a search, not as a look */
    bool quiet;   /* counts, and is not worth an entry */
} look_event;

int cases_tell_look(cases *c, look_event *e, atg_err *err);

/* Was a purpose written that is more than a stroke of the keyboard? */
bool cases_reason(const actor *who);

/* Write one entry into a chain: what was done to a record, old and new values of the fields in
 * `fields`, and the reason.  `keys` may be NULL for records of no person. */
typedef struct cases_event {
    const char *action;
    const record *before, *after; /* before may be NULL */
    uint64_t fields;
    const person_keys *keys;
    bool first;
    chain *head; /* as in audit_event; may be NULL */
} cases_event;

int cases_record_event(db *d, const actor *who, const cases_event *e, atg_err *err);

#endif
