/* SPDX-License-Identifier: Apache-2.0 */
/* Where a history is read from when it is verified or exported: a database or an exported file,
 * part by part and row by row. */
#ifndef ATG_STORE_AUDIT_SCAN_H
#define ATG_STORE_AUDIT_SCAN_H

#include "model/record.h"
#include "store/audit.h"

/* In the order in which an exported file has them. */
typedef enum audit_part {
    AUDIT_TREE,        /* n: size, text: state */
    AUDIT_CHECKPOINTS, /* n: size, e.at, text: note; by size and instant */
    AUDIT_ENTRIES,     /* e, prev, hash; in any order, or by file and number */
    AUDIT_LEAVES,      /* n, e.file, e.seq, hash; by n */
    AUDIT_PENDING,     /* e.file, e.seq, hash; by file and number */
    AUDIT_RECORDS,     /* kind, e.record, e.file, e.rev; by kind and identifier */
    AUDIT_CODES,       /* e.file, text: what people call it */
    AUDIT_PARTS,
} audit_part;

/* Texts are views, valid until the next row. */
typedef struct audit_row {
    chain_entry e;
    hash256 prev, hash;
    int64_t n;
    record_kind kind;
    atg_str text;
} audit_row;

/* One part at a time.  `next` gives 1, or 0 behind the last.  A row that cannot be what it should
 * is ATG_EDENIED, with a sentence. */
typedef struct audit_source {
    int (*start)(void *user, audit_part part, bool ordered, atg_err *err);
    int (*next)(void *user, audit_row *ret, atg_err *err);
    void (*stop)(void *user);
    void *user;
} audit_source;

/* The database, in the transaction that its connection is in. */
typedef struct audit_rows {
    db *d;
    db_rows *rows;
    audit_part part;
    int kind; /* of the records being read */
} audit_rows;

audit_source audit_source_of(audit_rows *r);

/* Give each row of a part to `take`, which runs in another thread when `threads` is 2 or more.
 * Anything but ATG_OK stops.  Progress is told of `rows`, at most `total`. */
typedef int audit_take(void *user, const audit_row *row, atg_err *err);

typedef struct audit_run {
    const audit_source *source;
    uint32_t threads;
    const char *phase;
    const atg_progress *progress;
    uint64_t rows, total; /* so far, and as far as is known in all */
} audit_run;

int audit_scan(audit_run *run, audit_part part, bool ordered, audit_take *take, void *user,
               atg_err *err);

/* Verify what a source gives; see audit_verify(). */
int audit_check(audit_run *run, const audit_wanted *wanted, audit_report *ret, atg_err *err);

#endif
