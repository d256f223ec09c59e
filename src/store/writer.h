/* SPDX-License-Identifier: Apache-2.0 */
/* The writer thread of a store: it gathers closures that wait, runs them in one transaction, a
 * savepoint each, commits once, and then answers each. */
#ifndef ATG_STORE_WRITER_H
#define ATG_STORE_WRITER_H

#include "store/store.h"

typedef struct writer writer;

/* `d` belongs to the caller and to the thread until writer_close(). */
int writer_open(db *d, const store_options *options, writer **ret, atg_err *err);
void writer_close(writer *w);

typedef enum writer_kind { WRITER_CHANGE, WRITER_AFTER, WRITER_ALONE } writer_kind;

/* Queue and wait.  WRITER_AFTER: the hook (fn is NULL).  WRITER_ALONE: fn without a transaction. */
int writer_do(writer *w, writer_kind kind, store_fn *fn, void *user, const store_ahead *ahead,
              atg_err *err);

int writer_after_failure(writer *w, atg_err *err);

/* Waiting between tries: longer each time, with chance in it, so that two that met do not meet
 * again.  False when the time is over. */
typedef struct backoff {
    uint64_t end;
    uint32_t tries;
    atg_rng rng;
} backoff;

backoff backoff_new(uint32_t patience_ms);
bool backoff_wait(backoff *b);

#endif
