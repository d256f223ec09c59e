/* SPDX-License-Identifier: Apache-2.0 */
/* The history: a gapless hash chain for each file (crypto/chain.h), written in the transaction of
 * the change, and one Merkle tree over all entries (crypto/tree.h), whose leaves are put in order
 * by one sequencer behind the commits, with signed checkpoints (crypto/checkpoint.h).
 *
 * An entry's `detail` is one line of JSON in the clear: of clear fields the values, of personal
 * fields commitments under the person's salt (hash_commit).  What a personal field was and became
 * stands sealed in `history`, under the person's key, so that a history reads as a story as long as
 * the person was not erased, and the chain stays whole afterwards. */
#ifndef ATG_STORE_AUDIT_H
#define ATG_STORE_AUDIT_H

#include "crypto/chain.h"
#include "crypto/checkpoint.h"
#include "crypto/stream.h"
#include "store/keys.h"

enum { AUDIT_WORD = 64, AUDIT_DETAIL = 1 << 20 };

/* One event.  `file` is the file that it happened to; what belongs to no file (accounts, keys,
 * backups) goes to the chain of the store itself, whose identifier is meta's "store". */
typedef struct audit_event {
    uuid file;
    int64_t at;
    uuid account;
    const char *action; /* "add", "edit", "read", "export", ...: docs/audit.md lists them; at most
                           AUDIT_WORD bytes, as `kind` */
    const char *kind;   /* of the record, or "" */
    uuid record;
    int64_t rev; /* of the record behind a change; 0 where none was changed */
    atg_str
        detail;  /* JSON, canonical (record_canonical); at most AUDIT_DETAIL bytes, as `history` */
    uuid person; /* none: nothing sealed */
    const key256 *key; /* of the person */
    atg_str history;   /* JSON to be sealed; empty: none */
    bool first;        /* the file is new in this transaction: its chain needs no look-up */
    chain *head;       /* see audit_append(); may be NULL */
} audit_event;

/* Append to the file's chain, in the caller's transaction.
 *
 * That takes one query, for the end of the chain, unless the event is the first of a new file or
 * the end is known: `e->head` is chain_start() for the first event of a transaction, each call
 * leaves the new end there, and the next event of the same file in the same transaction asks
 * nothing.  It may not outlive the transaction. */
int audit_append(db *d, const audit_event *e, atg_err *err);
/* As db_foresee(): an entry of this file will be appended. */
void audit_foresee(db *d, const uuid *file);

/* What the sealed history of an entry is bound to; returns its length. */
enum { AUDIT_PLACE = 42 };
size_t audit_history_place(const uuid *file, uint64_t seq, char ret[AUDIT_PLACE]);

/* Put entries that were committed into the tree, all that wait: in the order (file, seq) of each
 * run, so that every size of the tree holds a beginning of each chain.  `*ret_n` (may be NULL) is
 * how many.  In a transaction; any number of processes may. */
int audit_sequence(db *d, uint64_t *ret_n, atg_err *err);

/* Sign what the tree is now, keep and return the note; the last one again when nothing came since.
 * `origin` names who keeps the tree (checkpoint.h).  ATG_EDENIED: the tree is not a longer one than
 * that of the last checkpoint, so nothing is signed. */
int audit_checkpoint(db *d, const sign_pair *pair, const char *origin, int64_t at, checkpoint *ret,
                     atg_err *err);
/* ATG_ENOTFOUND before the first. */
int audit_last_checkpoint(db *d, checkpoint *ret, atg_err *err);

/* An entry as a story reads it. */
typedef struct audit_entry {
    chain_entry e;   /* views into the arena */
    atg_str history; /* JSON, opened; empty when there is none or the person was erased */
    bool erased;
} audit_entry;

/* The entries of a file from number `from` (1) on, at most `limit`.  ATG_EDENIED: what an entry
 * sealed was changed or moved. */
typedef struct audit_query {
    uuid file;
    uint64_t from;
    uint32_t limit;
} audit_query;

int audit_read(db *d, keyring *keys, atg_arena *arena, const audit_query *q, audit_entry **ret,
               uint32_t *ret_n, atg_err *err);

/* What was looked at. */
typedef struct audit_report {
    uint64_t entries, files, leaves, checkpoints, waiting, records;
    double seconds;
} audit_report;

/* What a history is held against: the key that signs its checkpoints, and checkpoints that somebody
 * else kept (none: NULL and 0), each of which must be of this tree. */
typedef struct audit_wanted {
    const sign_public *pub;
    const checkpoint *witnessed;
    uint32_t n_witnessed;
} audit_wanted;

/* Follow every chain, every leaf and every checkpoint, and compare the revisions of all records
 * with their histories.  ATG_EDENIED with the first that is broken: which file and entry, which
 * leaf, which checkpoint, which record.
 *
 * In a transaction (DB_READ), whose time limits are lifted.  Memory: about 100 bytes for each file
 * and 60 for each record.  `threads` 1: all on the calling one; else one reads and one hashes. */
int audit_verify(db *d, const audit_wanted *wanted, uint32_t threads, const atg_progress *progress,
                 audit_report *ret, atg_err *err);

/* Write all of it into one file that whoever has it can verify without this database: entries with
 * their clear details and commitments, nothing sealed.  In a transaction (DB_READ), whose time
 * limits are lifted.  ATG_EDENIED: a row is so damaged that it cannot be written. */
int audit_export(db *d, stream_sink to, const atg_progress *progress, atg_err *err);

/* audit_verify() of such a file.  ATG_EPARSE, with the byte: it is none, or not complete. */
int audit_verify_file(const char *path, const audit_wanted *wanted, uint32_t threads,
                      const atg_progress *progress, audit_report *ret, atg_err *err);

#endif
