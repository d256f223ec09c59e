/* SPDX-License-Identifier: Apache-2.0 */
/* A connection to a database with the tables of the records, a keyring, and made-up records. */
#ifndef ATG_TESTS_KEPT_H
#define ATG_TESTS_KEPT_H

#include "database.h"
#include "prop.h"
#include "store/records.h"
#include "store/store.h"

static const key256 kept_master = {{7, 1, 2, 3}};

static inline void must(int rc, const atg_err *err) {
    if (rc)
        fail_msg("code %d: %s", rc, err->msg);
}

static inline db *kept_connect(const database *where) {
    db_options options = {
        .directory = where->directory, .conninfo = database_conninfo(where), .create = true};
    atg_err err = {0};
    db *d = NULL;

    must(db_open(&options, &d, &err), &err);
    return d;
}

static inline db *kept_open(const database *where) {
    migrate_plan plan = {.migrations = record_migrations,
                         .n = record_migrations_n,
                         .directory = where->directory,
                         .create = true};
    db *d = kept_connect(where);
    atg_err err = {0};

    must(migrate(d, &plan, &err), &err);
    return d;
}

static inline keyring *kept_keys(void) {
    atg_err err = {0};
    keyring *k = NULL;

    must(keyring_open(&kept_master, &k, &err), &err);
    return k;
}

static inline void kept_begin(db *d) {
    atg_err err = {0};

    must(db_begin(d, DB_WRITE, &err), &err);
}

static inline void kept_read(db *d) {
    atg_err err = {0};

    must(db_begin(d, DB_READ, &err), &err);
}

static inline void kept_commit(db *d) {
    atg_err err = {0};

    must(db_commit(d, &err), &err);
}

static inline uuid kept_id(void) {
    uuid id;

    assert_int_equal(uuid_new(&id, NULL), ATG_OK);
    return id;
}

/* A new operation with its key, in a transaction of its own. */
static inline uuid kept_operation(db *d, keyring *k) {
    uuid operation = kept_id();
    atg_err err = {0};

    kept_begin(d);
    must(keys_operation_new(d, k, &operation, &err), &err);
    kept_commit(d);
    return operation;
}

/* And a new person. */
static inline uuid kept_person(db *d, keyring *k, const uuid *operation) {
    uuid person = kept_id();
    atg_err err = {0};

    kept_begin(d);
    must(keys_person_new(d, k, operation, &person, NULL, &err), &err);
    kept_commit(d);
    return person;
}

#endif
