/* SPDX-License-Identifier: Apache-2.0 */
/* Records as rows: clear fields in columns, sealed fields together in one encrypted JSON object
 * under the key of the person that the record belongs to (docs/keys.md), bound to the record's
 * kind, identifier and revision.
 *
 * All functions run in the caller's transaction and touch the record's own table only: chains,
 * tokens, the row of the file and jobs are the business of whoever calls. */
#ifndef ATG_STORE_RECORDS_H
#define ATG_STORE_RECORDS_H

#include "model/record.h"
#include "store/keys.h"
#include "store/migrate.h"

/* Made by tools/records.py. */
typedef struct record_sql {
    db_statement insert, update, get, of_file, of_person, of_operation, of_numbers, revs;
} record_sql;
extern const record_sql record_statements[RECORD_KINDS];
extern const char record_ddl_sqlite[], record_ddl_postgres[];

/* The schema as numbered migrations (store/migrate.h). */
extern const migration record_migrations[];
extern const uint32_t record_migrations_n;

/* A record that was read.  `erased`: its person's key was destroyed, so that its sealed fields are
 * unknown for ever. */
typedef struct record_row {
    record *r;
    bool erased;
} record_row;

/* Put in a new record; `r->rev` is 1, `r->person` decides about the key (none: nothing may be
 * sealed), which exists already.  ATG_ECONFLICT at the latest in db_commit(): the identifier is
 * there.  ATG_EDENIED: its person was erased. */
int records_insert(db *d, keyring *keys, const record *r, atg_err *err);

/* Overwrite the record with all of its fields.  `r->rev` is the revision that it has been read
 * with, and one more afterwards: a closure that may be run again updates a copy.  ATG_ECONFLICT:
 * somebody else changed it since; ATG_ENOTFOUND.  ATG_EDENIED: its person was erased.  ATG_EINVAL:
 * it has another operation, file or `created` now. */
int records_update(db *d, keyring *keys, record *r, atg_err *err);

/* The same for a record that was read in this transaction with that revision, operation, file and
 * creation, so that nobody can have changed it since: posted. */
int records_rewrite(db *d, keyring *keys, record *r, atg_err *err);

/* ATG_ENOTFOUND; ATG_EDENIED: its sealed fields were changed, or belong to another record or
 * revision, or the key is not theirs. */
int records_get(db *d, keyring *keys, atg_arena *arena, record_kind kind, const uuid *id,
                record_row *ret, atg_err *err);
/* As db_foresee(): it will be read. */
void records_foresee(db *d, record_kind kind, const uuid *id);

/* Records of one kind in the order of their identifiers, the first `limit` behind `after` (none:
 * from the start): of a file, of a person, or of an operation.  RECORDS_OF_NUMBERS: the own records
 * of files, by the numbers of the files (files.h), all of them and in any order; without those that
 * are not there. */
typedef enum records_by {
    RECORDS_OF_FILE,
    RECORDS_OF_PERSON,
    RECORDS_OF_OPERATION,
    RECORDS_OF_NUMBERS,
} records_by;

typedef struct records_query {
    record_kind kind;
    records_by by;
    uuid of, after;
    uint32_t limit;
    const int64_t *numbers;
    uint32_t n_numbers;
} records_query;

int records_list(db *d, keyring *keys, atg_arena *arena, const records_query *q, record_row **ret,
                 uint32_t *ret_n, atg_err *err);
/* As db_foresee(): the list will be asked for. */
void records_foresee_list(db *d, const records_query *q);

#endif
