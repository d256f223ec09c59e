/* SPDX-License-Identifier: Apache-2.0 */
/* How a history is verified.
 *
 * Rows are read once, in the order in which they lie (a database reads its tables fastest so), and
 * compared as sets: sums of keyed hashes (SipHash-2-4, 128 bits, a random key for each run) of what
 * is there and of what must be there.  Who does not know the key cannot make two different sets of
 * equal sums.  What must be there: for each entry but the last of a file, its hash as the `prev` of
 * the next; for each entry, a leaf or a waiting row.  Only when a sum differs are the entries read
 * again, in order, to find the first that is broken. */
#ifndef ATG_STORE_AUDIT_CHECK_H
#define ATG_STORE_AUDIT_CHECK_H

#include "store/audit_scan.h"
#include "store/audit_table.h"

enum { CHECK_BUCKETS = 4096, CHECK_TEXT = 300, CHECK_WINDOW = 1 << 20 };

typedef struct sum128 {
    uint64_t a, b;
} sum128;

typedef struct seen_chain {
    uuid file; /* the key */
    uint64_t n, last, in_tree;
    sum128 head; /* of entry `last` */
} seen_chain;

typedef struct record_key {
    uuid id;
    uint32_t chain, kind;
} record_key;

typedef struct seen_record {
    record_key key;
    uint64_t rev;
    bool found;
} seen_record;

/* A checkpoint that the tree must pass. */
typedef struct mark {
    uint64_t size;
    hash256 root;
    bool witnessed, kept; /* kept: the store has it */
} mark;

/* What is broken, with {file} where the file's code belongs. */
typedef struct fault {
    uuid file;
    char text[CHECK_TEXT];
} fault;

typedef struct check {
    audit_run *run;
    const audit_wanted *wanted;
    audit_report report;
    unsigned char key[16];
    audit_table chains, records;
    sum128 links, leaves[CHECK_BUCKETS];
    tree t;
    unsigned char state[TREE_SAVED_MAX]; /* as stored */
    size_t n_state;
    mark *marks; /* by size */
    uint32_t n_marks, cap_marks, next_mark;
    int64_t bad_mark; /* the first that the tree did not pass, or -1 */
    bool broken;      /* some link of some chain */
    fault fault;
} check;

/* Remember what is broken; gives ATG_EDENIED. */
int check_fault(check *c, const uuid *file, const char *fmt, ...) ATG_PRINTF(3, 4);

/* Of an entry, a leaf or a waiting row. */
sum128 check_hash(const check *c, const uuid *file, uint64_t seq, const hash256 *hash);
static inline uint32_t check_bucket(sum128 h) {
    return (uint32_t)(h.a % CHECK_BUCKETS);
}

/* Read again to find the first broken link of a chain, the first leaf that is not of its entry, the
 * code of the fault's file.  They give ATG_EDENIED, or another failure. */
int check_name_link(check *c, atg_err *err);
int check_name_leaf(check *c, atg_err *err);
int check_say(check *c, atg_err *err);

#endif
