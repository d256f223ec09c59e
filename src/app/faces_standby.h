/* SPDX-License-Identifier: Apache-2.0 */
/* Galleries of faces kept ready in memory, so that a search opens none: one for each operation,
 * version of the templates and kind of picture (original or retouched) that was searched in.
 *
 * Before each search its gallery is brought up to date with all that was committed before, by what
 * the changes of the store name (app/events.h): who was found alive or erased, or whose photograph
 * is confirmed no more, is in no answer that begins afterwards.  What is taken out is wiped.
 *
 * Any thread may search; those that search in the same gallery look into it one after the other,
 * each with all threads. */
#ifndef ATG_APP_FACES_STANDBY_H
#define ATG_APP_FACES_STANDBY_H

#include "app/faces.h"

enum { FACES_STANDBY_MAX = 32 };

typedef struct faces_standby faces_standby;

typedef struct faces_standby_options {
    uint32_t galleries; /* at a time, to FACES_STANDBY_MAX; 0: 8 */
    uint64_t memory;    /* bytes of all that nobody searches in at the moment; 0: 4 GiB */
    int64_t idle_s;     /* one that nobody searched in for so long is closed; 0: 12 hours */
} faces_standby_options;

/* `c` stays the caller's and outlives it. */
int faces_standby_open(cases *c, const faces_standby_options *o, faces_standby **ret, atg_err *err);
/* Nobody may search. */
void faces_standby_close(faces_standby *s);
static inline void faces_standby_freep(faces_standby **p) {
    faces_standby_close(*p);
}

/* As faces_search(), among what is wanted now; ATG_ECANCEL when `progress` (may be NULL) stops the
 * reading of a gallery that was not there yet.  When the ceilings are reached, the gallery that was
 * searched in longest ago is closed first. */
int faces_standby_search(faces_standby *s, const actor *who, atg_arena *arena,
                         const faces_asking *asking, const atg_progress *progress, faces_found *ret,
                         atg_err *err);

/* Every hour or so: closes what was idle too long, and takes out of the others what is to leave. */
void faces_standby_tidy(faces_standby *s, const atg_progress *progress);

typedef struct faces_standby_state {
    uint32_t galleries;
    uint64_t memory, templates;
    uint64_t read; /* galleries that were read from the beginning, ever */
} faces_standby_state;
void faces_standby_tell(faces_standby *s, faces_standby_state *ret);

#endif
