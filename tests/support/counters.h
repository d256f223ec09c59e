/* SPDX-License-Identifier: Apache-2.0 */
/* A small schema for tests of the store: entries with a unique number, and counters. */
#ifndef ATG_TESTS_COUNTERS_H
#define ATG_TESTS_COUNTERS_H

#include "database.h"
#include "store/store.h"

static const migration counter_migrations[] = {
    {1, "entries",
     "CREATE TABLE entry(id BIGINT NOT NULL PRIMARY KEY, text TEXT);"
     "CREATE TABLE counter(name TEXT NOT NULL PRIMARY KEY, n BIGINT NOT NULL)",
     "CREATE TABLE entry(id BIGINT NOT NULL PRIMARY KEY, text TEXT);"
     "CREATE TABLE counter(name TEXT NOT NULL PRIMARY KEY, n BIGINT NOT NULL)"},
};

static const db_statement entry_add = {"entry_add", "INSERT INTO entry(id) VALUES ($1)"};
static const db_statement entry_has = {"entry_has", "SELECT count(*) FROM entry WHERE id = $1"};
static const db_statement entry_count = {"entry_count", "SELECT count(*) FROM entry"};
static const db_statement counter_get = {"counter_get", "SELECT n FROM counter WHERE name = 'c'"};
static const db_statement counter_set = {"counter_set",
                                         "INSERT INTO counter(name, n) VALUES ('c', $1) "
                                         "ON CONFLICT (name) DO UPDATE SET n = excluded.n"};

static inline void must(int rc, const atg_err *err) {
    if (rc)
        fail_msg("code %d: %s", rc, err->msg);
}

static inline store_options counter_options(const database *where) {
    return (store_options){.directory = where->directory,
                           .conninfo = database_conninfo(where),
                           .create = true,
                           .migrations = counter_migrations,
                           .n_migrations = 1};
}

static inline store *counter_store(const database *where) {
    store_options options = counter_options(where);
    atg_err err = {0};
    store *s = NULL;

    must(store_open(&options, &s, &err), &err);
    return s;
}

/* Closures; `user` is an int64_t. */
static inline int add_entry(db *d, void *user, atg_err *err) {
    return db_run(d, &entry_add, (db_value[]){db_int(*(int64_t *)user)}, 1, NULL, err);
}

static inline int has_entry(db *d, void *user, atg_err *err) {
    int64_t n;
    int rc = db_get_one(d, &entry_has, (db_value[]){db_int(*(int64_t *)user)}, 1, 0, &n, err);

    return rc ? rc : n ? ATG_OK : atg_fail(err, ATG_ENOTFOUND, "no entry");
}

static inline int count_entries(db *d, void *user, atg_err *err) {
    return db_get_one(d, &entry_count, NULL, 0, 0, user, err);
}

/* Reads and then writes what it read: two at a time would lose one. */
static inline int count_up(db *d, void *user, atg_err *err) {
    int64_t n = 0;
    int rc = db_get_one(d, &counter_get, NULL, 0, 0, &n, err);

    (void)user;
    if (rc && rc != ATG_ENOTFOUND)
        return rc;
    return db_run(d, &counter_set, (db_value[]){db_int(n + 1)}, 1, NULL, err);
}

static inline int read_counter(db *d, void *user, atg_err *err) {
    return db_get_one(d, &counter_get, NULL, 0, 0, user, err);
}

static inline int64_t entries_in(store *s) {
    atg_err err = {0};
    int64_t n = -1;

    must(store_read(s, count_entries, &n, &err), &err);
    return n;
}

static inline int64_t counter_in(store *s) {
    atg_err err = {0};
    int64_t n = 0;
    int rc = store_read(s, read_counter, &n, &err);

    if (rc != ATG_ENOTFOUND)
        must(rc, &err);
    return n;
}

#endif
