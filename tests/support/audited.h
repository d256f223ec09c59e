/* SPDX-License-Identifier: Apache-2.0 */
/* A store with the tables of the records, and histories made up in it. */
#ifndef ATG_TESTS_AUDITED_H
#define ATG_TESTS_AUDITED_H

#include <stdio.h>

#include "database.h"
#include "store/audit.h"
#include "store/records.h"
#include "store/store.h"

static inline void must(int rc, const atg_err *err) {
    if (rc)
        fail_msg("code %d: %s", rc, err->msg);
}

static inline db *audited_open(const database *where) {
    migrate_plan plan = {.migrations = record_migrations,
                         .n = record_migrations_n,
                         .directory = where->directory,
                         .create = true};
    db_options options = {
        .directory = where->directory, .conninfo = database_conninfo(where), .create = true};
    atg_err err = {0};
    db *d = NULL;

    must(db_open(&options, &d, &err), &err);
    must(migrate(d, &plan, &err), &err);
    return d;
}

/* The n-th made-up identifier of a kind. */
static inline uuid audited_id(unsigned char kind, uint32_t n) {
    uuid id = {{kind, [6] = 0x70, [8] = 0x80}};

    for (int i = 0; i < 4; i++)
        id.bytes[12 + i] = (unsigned char)(n >> (24 - 8 * i));
    return id;
}

static inline audit_event audited_event(uint32_t file, int64_t rev) {
    return (audit_event){.file = audited_id(1, file),
                         .at = 1700000000000000 + rev,
                         .account = audited_id(2, file % 7),
                         .action = rev == 1 ? "add" : "edit",
                         .kind = "missing",
                         .record = audited_id(1, file),
                         .rev = rev,
                         .detail = ATG_STR("{\"sex\":[null,\"female\"]}"),
                         .first = rev == 1};
}

static const db_statement audited_row = {
    "audited_row",
    "INSERT INTO r_missing(id, operation, file, person, code, rev, state, created, changed, "
    "withdrawn, sealed) VALUES ($1, $2, $1, $1, $3, 1, 'reported', 1, 1, 0, $2)"};
static const db_statement audited_file = {
    "audited_file",
    "INSERT INTO file(n, id, operation, kind, code, site, number, state, sex, sort, changed, "
    "withdrawn) VALUES ($4, $1, $2, 'missing', $3, 'K3', $4, 'reported', '', $2, 1, 0)"};
static const db_statement audited_edit = {"audited_edit",
                                          "UPDATE r_missing SET rev = $2 WHERE id = $1"};

/* A new missing file, or its next revision, with its history; in a transaction. */
static inline void audited_change(db *d, uint32_t file, int64_t rev) {
    audit_event e = audited_event(file, rev);
    db_value id = db_blob(e.file.bytes, UUID_SIZE), operation = db_blob(e.account.bytes, UUID_SIZE);
    char code[40];
    atg_err err = {0};

    (void)snprintf(code, sizeof(code), "AM-K3-%06u", file);
    if (rev == 1) {
        db_value values[] = {id, operation, db_text(atg_str_of(code)), db_int(file)};

        must(db_run(d, &audited_file, values, 4, NULL, &err), &err);
        must(db_run(d, &audited_row, values, 3, NULL, &err), &err);
    } else {
        must(db_run(d, &audited_edit, (db_value[]){id, db_int(rev)}, 2, NULL, &err), &err);
    }
    must(audit_append(d, &e, &err), &err);
}

static inline void audited_sequence(db *d) {
    atg_err err = {0};

    must(db_begin(d, DB_WRITE, &err), &err);
    must(audit_sequence(d, NULL, &err), &err);
    must(db_commit(d, &err), &err);
}

static inline sign_pair audited_pair(unsigned char seed) {
    key256 k = {{seed}};
    sign_pair pair;

    sign_pair_of(&k, &pair);
    return pair;
}

static inline checkpoint audited_sign(db *d, const sign_pair *pair, int64_t at) {
    checkpoint c = {0};
    atg_err err = {0};

    must(db_begin(d, DB_WRITE, &err), &err);
    must(audit_checkpoint(d, pair, "antigone.example/K3", at, &c, &err), &err);
    must(db_commit(d, &err), &err);
    return c;
}

/* The first `files` files get revision `rev`, in one transaction. */
static inline void audited_round(db *d, uint32_t files, int64_t rev) {
    atg_err err = {0};

    must(db_begin(d, DB_WRITE, &err), &err);
    for (uint32_t f = 1; f <= files; f++)
        audited_change(d, f, rev);
    must(db_commit(d, &err), &err);
}

static inline int audited_verify(db *d, const audit_wanted *wanted, uint32_t threads,
                                 audit_report *ret, atg_err *err) {
    audit_report report;
    int rc;

    must(db_begin(d, DB_READ, err), err);
    rc = audit_verify(d, wanted, threads, NULL, ret ? ret : &report, err);
    if (rc)
        db_rollback(d);
    else
        must(db_commit(d, err), err);
    return rc;
}

#endif
