/* SPDX-License-Identifier: Apache-2.0 */
/* The matcher: takes "match" jobs from the store, compares what changed, and writes what it found
 * as hypotheses and lines of evidence into the files of the remains.  Any number may run, on
 * several machines with PostgreSQL.  Doing a job twice changes nothing the second time: what a
 * hypothesis says already is not written again.
 *
 * It acts as itself, without an account: the rules let it write hypotheses and evidence and nothing
 * else, and never the word "established" (app/rules.h). */
#ifndef ATG_APP_MATCHER_H
#define ATG_APP_MATCHER_H

#include "app/cases.h"
#include "app/faces.h"

typedef struct matcher_options {
    atg_str worker;   /* names this matcher among others; empty: host and process */
    uint32_t threads; /* 0: all */
    uint32_t lease_s; /* how long a job is ours without a word; 0: 60 */
    uint64_t large;   /* pairs (bodies by missing) from which an operation is kept ready in memory
                         and what is new is ranked at once, before everybody is solved jointly; 0:
                         4 million */
    const face_eye *eye; /* reads photographs of faces; NULL: they wait for a matcher that can */
} matcher_options;

typedef struct matcher matcher;

int matcher_open(cases *c, const matcher_options *o, matcher **ret, atg_err *err);
void matcher_close(matcher *m);
static inline void matcher_freep(matcher **p) {
    matcher_close(*p);
}

/* Ask for a comparison of everything in an operation, by whichever matcher comes first.  In the
 * caller's transaction. */
int matcher_ask(db *d, const uuid *operation, atg_err *err);

typedef struct matcher_done {
    uint32_t jobs, failed;
    uint32_t written; /* hypotheses that are new or say something else now */
    uint64_t faces;   /* photographs that were read */
} matcher_done;

/* Do what waits now; `ret->jobs` is 0 when nothing did. */
int matcher_run(matcher *m, const atg_progress *progress, matcher_done *ret, atg_err *err);

/* Files whose photographs of faces wait to be read. */
int matcher_faces_waiting(matcher *m, int64_t *ret, atg_err *err);

/* The hypotheses of an operation as this account may see them: the most probable first, or by code
 * for who has still to conclude blind (rule 5). */
typedef struct lead {
    uuid hypothesis;
    file_row remains, missing;
    seen record; /* of the hypothesis */
} lead;

typedef struct leads_query {
    uuid operation;
    int conclusion; /* index of the choice "conclusion", or -1 for all but excluded ones */
    uint32_t limit;
} leads_query;

int cases_leads(cases *c, const actor *who, atg_arena *arena, const leads_query *q, lead **ret,
                uint32_t *ret_n, atg_err *err);

#endif
