/* SPDX-License-Identifier: Apache-2.0 */
/* Sealed bundles between sites that no network connects (docs/bundles.md): what goes in, and how
 * it is merged. */
#ifndef ATG_APP_BUNDLE_H
#define ATG_APP_BUNDLE_H

#include "app/bundle_files.h"
#include "app/cases.h"
#include "formats/bundle_items.h"
#include "store/conflicts.h"

/* ---- making ---- */

enum { BUNDLES_ALL = -1, BUNDLES_SINCE_LAST = -2 };

typedef struct bundle_wish {
    uuid operation;
    atg_str to;        /* name of a known site (app/sites.h) */
    const uuid *files; /* these; NULL: all that changed */
    uint32_t n_files;
    int64_t since; /* a mark: what is in the history from there on; BUNDLES_ALL; or since the last
                      bundle that was made for that site */
    const char *path;
    uint64_t file_most; /* as bundle_writing_new() */
    const atg_progress *progress;
} bundle_wish;

typedef struct bundle_made {
    uuid bundle;
    bundle_total total;
    uint64_t withheld; /* records that may not go to this site */
    uint64_t lost;     /* pictures that are lost or damaged here, and did not go */
    int64_t mark;      /* for the next one */
    uint32_t files;    /* that were written */
    uint64_t bytes;
} bundle_made;

/* The board's right, with a reason.  Records go whole, sealed to the site's key and signed with
 * ours, with the chains of their files, with pictures, and with the tombstones of the operation.
 * What does not go: what rules_may_leave() keeps; with a site that takes no part in the operation
 * all but what is shared with sharing operations; what is shared within the agency, to another
 * agency; to an index of criminals, families and whatever a relative gave; what is erased; what
 * the matcher computed and nobody concluded on.
 *
 * ATG_EDENIED: the right, the reason; or the history of a file is broken.  After a failure no file
 * is left. */
int bundles_make(cases *c, const actor *who, const bundle_wish *wish, bundle_made *ret,
                 atg_err *err);

/* ---- opening ---- */

enum { BUNDLES_TOLD = 20 };

typedef struct bundle_order {
    const char *const *paths; /* all files of one bundle */
    uint32_t n_paths;
    /* The site's history is not the continuation of what it sent before, because it lost some of
     * it: go on, and keep what it is now.  The administrator's right too. */
    bool changed_history;
    const atg_progress *progress;
} bundle_order;

typedef struct bundle_opened {
    uuid bundle, operation;
    atg_str from;                  /* name of the site, in the arena */
    bool before;                   /* it was opened before, and nothing was done */
    uint64_t added, updated, same; /* records; `same`: nothing new in them */
    uint64_t conflicts;            /* new ones, or with newer contents */
    uint64_t pictures;
    uint64_t erased;            /* persons who were erased because of it */
    uint64_t gone;              /* records of erased persons, which were passed over */
    uint64_t refused;           /* records that break a rule here */
    atg_str told[BUNDLES_TOLD]; /* why, of the first of them */
} bundle_opened;

/* May this account open bundles at all?  To be asked before one of somebody from elsewhere is
 * looked through.  ATG_EDENIED: no. */
int bundles_check(cases *c, const actor *who, atg_err *err);

/* The board's right, with a reason.  First everything is verified: all parts, their signatures,
 * the sender, what is sealed, each item, the chain of each file as its continuation, the total;
 * then file by file is merged, each in transactions of its own.  Interrupted, it is repeated, and
 * goes on; opened twice, it changes nothing.
 *
 * A record that is unknown is added with its identifier and code.  One that was not changed here
 * since the sender's version was known is updated.  One that was changed on both sides stays as it
 * is, and the other is kept as a conflict.  Never is a change that was made here lost.
 *
 * ATG_EDENIED: the right, an unknown sender, another receiver, something was changed;
 * ATG_ENOTFOUND: parts are missing; ATG_EPARSE: it is no bundle, or of a program that writes
 * another format. */
int bundles_open(cases *c, const actor *who, atg_arena *arena, const bundle_order *order,
                 bundle_opened *ret, atg_err *err);

/* ---- conflicts ---- */

/* A field that differs; `field` is -1 for the state, -2 for being withdrawn. */
typedef struct conflict_field {
    int field;
    bool hidden;          /* this account may not see it: the texts are empty */
    atg_str ours, theirs; /* as people write them; empty: unknown */
} conflict_field;

typedef struct conflict_shown {
    conflict_row row; /* `theirs` is empty */
    atg_str from;     /* name of the site */
    record *ours;     /* fields that may not be seen are unknown */
    conflict_field *fields;
    uint32_t n;
} conflict_shown;

/* The first `limit` (1..1000) of an operation behind `after`.  Seeing sensitive fields is written
 * into the history, as with cases_get(). */
typedef struct conflicts_wish {
    uuid operation, after;
    uint32_t limit;
} conflicts_wish;

int conflicts_show(cases *c, const actor *who, atg_arena *arena, const conflicts_wish *q,
                   conflict_shown **ret, uint32_t *ret_n, atg_err *err);

/* Decide: fields in `theirs` (bits, by field) are taken over from the other side, all else stays
 * as it is.  State and withdrawal are changed by the usual ways.  Needs the rights to change these
 * fields; `rev` is the revision of the record as it was shown.  The decision goes along with the
 * next bundle and settles the conflict at the other site too. */
int conflicts_decide(cases *c, const actor *who, const uuid *id, uint64_t theirs, int64_t rev,
                     atg_err *err);

#endif
