/* SPDX-License-Identifier: Apache-2.0 */
/* What changed in the files of a store, in one order for all: the order of the tree of its history.
 * An event names a file and what happened, and nothing that stands in it. */
#ifndef ATG_APP_EVENTS_H
#define ATG_APP_EVENTS_H

#include "app/accounts.h"

typedef struct event {
    int64_t id; /* grows; the number of a leaf */
    int64_t at;
    uuid file, operation; /* of an operation itself: its own */
    record_kind in;       /* kind of the file */
    atg_str code;
    uint32_t state;
    atg_str action; /* "add", "edit", "state", "withdraw", "merge", "unmerge", "erase" */
    record_kind kind;
    uuid record;
    int64_t rev;
} event;

/* The id of the newest entry of the tree, whatever it is of; 0: none. */
int events_last(cases *c, int64_t *ret, atg_err *err);
/* Changes behind `after` up to `until`, whoever may see them; at most `limit`, and up to which they
 * reach. */
typedef struct events_wish {
    int64_t after, until;
    uint32_t limit;
} events_wish;
int events_read(cases *c, atg_arena *arena, const events_wish *w, event **ret, uint32_t *ret_n,
                int64_t *ret_until, atg_err *err);

/* May somebody with these roles learn of it? */
bool events_may_see(const account_roles *grants, uint32_t n, const event *e);
/* The roles of an account. */
int events_grants(cases *c, atg_arena *arena, const uuid *account, account_roles **ret,
                  uint32_t *ret_n, atg_err *err);

#endif
