/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of app/bundle.h share. */
#ifndef ATG_APP_BUNDLE_INTERNAL_H
#define ATG_APP_BUNDLE_INTERNAL_H

#include "app/bundle.h"
#include "app/cases_internal.h"
#include "store/peers.h"
#include "store/versions.h"

enum {
    BUNDLE_ARENA = 256 << 20,    /* of one file or one item */
    BUNDLE_RECORDS_MAX = 100000, /* of one file */
    BUNDLE_LINKS = 1000,         /* of a chain, read at a time */
    BUNDLE_EVENT = 1 << 16,
};

/* Kinds of files in the order in which they are sent: what others refer to comes first. */
extern const record_kind bundle_kinds[];
extern const uint32_t bundle_kinds_n;

/* Is the field part of what sites exchange?  Findings that leave in no export do not. */
bool bundle_exchanged(record_kind kind, uint32_t field);

/* ACTION_BUNDLE in the operation, and a reason. */
int bundle_right(db *d, const actor *who, const uuid *operation, atg_err *err);

/* An entry in the chain of the operation. */
typedef struct bundle_event {
    const char *action;
    const uuid *operation, *bundle, *peer;
    atg_str site;
    const char *names[8]; /* of the numbers; NULL at the end */
    uint64_t numbers[8];
} bundle_event;

int bundle_tell(db *d, const actor *who, const bundle_event *e, atg_err *err);

/* ---- making ---- */

/* Whom it is for, and what that means for what may go. */
typedef struct bundle_receiver {
    peer_row peer;
    bool joined, same_agency, index;
    uuid operation; /* this one, for a site of it in our own agency; else none */
    int64_t now;
} bundle_receiver;

/* With the actor's right. */
int bundle_receiver_get(db *d, atg_arena *arena, const actor *who, const bundle_wish *wish,
                        bundle_receiver *ret, atg_err *err);

/* Rule 8: does what a donor agreed to name the site, or its agency? */
int bundle_consent(db *d, const bundle_receiver *to, record_kind kind, const uuid *id, bool *ret,
                   atg_err *err);

/* May it go?  `in` is the kind of its file. */
int bundle_may_go(db *d, const bundle_receiver *to, record_kind in, const record *r, bool *ret,
                  atg_err *err);

/* One file as it is sent. */
typedef struct bundle_picked {
    cases *c;
    const bundle_receiver *to;
    atg_arena *arena;
    uuid id;
    record_kind kind;
    bundle_record *records;
    bool *named; /* by record: its version has an identifier already */
    uint32_t n, room;
    chain_link *links;
    uint64_t n_links;
    uint64_t withheld;
} bundle_picked;

/* A closure of store_read. */
int bundle_pick(db *d, void *user, atg_err *err);

/* ---- merging ---- */

typedef enum bundle_outcome {
    BUNDLE_ADDED,
    BUNDLE_UPDATED,
    BUNDLE_SAME,
    BUNDLE_OLDER, /* ours is the later one */
    BUNDLE_CONFLICT,
    BUNDLE_GONE, /* its person was erased */
    BUNDLE_REFUSED,
    BUNDLE_OUTCOMES,
} bundle_outcome;

/* Where records come from. */
typedef struct bundle_origin {
    cases *c;
    uuid peer, bundle;
} bundle_origin;

/* Where they go: what cases_apply() needs, in the caller's transaction. */
typedef struct bundle_at {
    cases_batch *batch;
    db *d;
    atg_arena *arena;
} bundle_at;

/* Merge one record.  Blob fields hold hashes of this store, and are unknown where the picture did
 * not come.  `why` says why of BUNDLE_REFUSED. */
int bundle_merge(const bundle_origin *from, const bundle_at *at, const bundle_record *theirs,
                 bundle_outcome *ret, atg_err *why, atg_err *err);

#endif
