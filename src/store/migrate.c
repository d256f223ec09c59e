/* SPDX-License-Identifier: Apache-2.0 */
#include "store/migrate.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "store/backend.h"
#include "store/place.h"

enum { SLICE_MS = 100 };

/* store_writer: what each writer committed last, for writers that lose the answer (writer.c). */
static const char bootstrap_sqlite[] =
    "CREATE TABLE schema_version (version BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, "
    "at BIGINT NOT NULL, program TEXT NOT NULL);"
    "CREATE TABLE store_writer (id BLOB NOT NULL PRIMARY KEY, n BIGINT NOT NULL)";
static const char bootstrap_postgres[] =
    "CREATE TABLE schema_version (version BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, "
    "at BIGINT NOT NULL, program TEXT NOT NULL);"
    "CREATE TABLE store_writer (id BYTEA NOT NULL PRIMARY KEY, n BIGINT NOT NULL)";

static const db_statement tables_sqlite = {
    "tables", "SELECT count(*), coalesce(sum(name = 'schema_version'), 0) FROM sqlite_schema"};
static const db_statement tables_postgres = {
    "tables", "SELECT count(*), count(*) FILTER (WHERE relname = 'schema_version') FROM pg_class "
              "WHERE relkind = 'r' AND relnamespace = CAST(current_schema() AS regnamespace)"};
static const db_statement versions = {"versions",
                                      "SELECT version, name FROM schema_version ORDER BY version"};
static const db_statement add_version = {
    "add_version",
    "INSERT INTO schema_version(version, name, at, program) VALUES ($1, $2, $3, $4)"};

/* How many tables are there, and is schema_version one of them? */
static int look(db *d, int64_t *ret_n, bool *ret_ours, atg_err *err) {
    const db_statement *s = db_kind_of(d) == DB_SQLITE ? &tables_sqlite : &tables_postgres;
    db_rows *rows = NULL;
    int rc = db_query(d, s, NULL, 0, &rows, err);

    if (rc)
        return rc;
    rc = db_next(rows, err);
    if (rc > 0) {
        *ret_n = db_get_int(rows, 0);
        *ret_ours = db_get_int(rows, 1) > 0;
        rc = ATG_OK;
    }
    db_end(rows);
    return rc;
}

/* The versions that are there must be the first ones of the plan. */
static int read_versions(db *d, const migrate_plan *plan, int64_t *ret, atg_err *err) {
    db_rows *rows = NULL;
    int64_t at = 0;
    int rc = db_query(d, &versions, NULL, 0, &rows, err);

    while (rc == ATG_OK && (rc = db_next(rows, err)) > 0) {
        int64_t version = db_get_int(rows, 0);
        bool same = !plan || version > (int64_t)plan->n ||
                    atg_str_eq(db_get_text(rows, 1), atg_str_of(plan->migrations[at].name));

        rc = ATG_OK;
        if (version != ++at || !same)
            rc = atg_fail(err, ATG_EDB,
                          "Version %" PRId64 " of the store's schema was made by another program",
                          version);
    }
    db_end(rows);
    if (rc == ATG_OK)
        *ret = at;
    return rc;
}

int migrate_version(db *d, int64_t *ret, atg_err *err) {
    int64_t n;
    bool ours = false;
    int rc = look(d, &n, &ours, err);

    if (rc == ATG_OK && !ours)
        *ret = 0;
    return rc || !ours ? rc : read_versions(d, NULL, ret, err);
}

/* Where the store stands: `ret` is its version, or -1 when there is nothing yet. */
static int stand(db *d, const migrate_plan *plan, int64_t *ret, atg_err *err) {
    int64_t n = 0, version = -1;
    bool ours = false;
    int rc = look(d, &n, &ours, err);

    if (rc == ATG_OK && !ours && n > 0)
        return atg_fail(err, ATG_EDB,
                        "The database holds tables that are not a store's: give an empty one");
    if (rc == ATG_OK && !ours && !plan->create)
        return atg_fail(err, ATG_ENOTFOUND, "There is no store in this database");
    if (rc == ATG_OK && ours)
        rc = read_versions(d, plan, &version, err);
    if (rc)
        return rc;
    if (version > (int64_t)plan->n)
        return atg_fail(err, ATG_EDB,
                        "The store has schema version %" PRId64 ", this program knows versions up "
                        "to %u: use the newer program that the store was used with",
                        version, plan->n);
    *ret = version;
    return ATG_OK;
}

int migrate_copy(db *d, int64_t from, int64_t to, void *directory, atg_err *err) {
    char path[PLACE_PATH], when[32];
    int64_t now = clock_now();
    time_t seconds = (time_t)(now / 1000000);
    struct tm utc;
    int n = snprintf(path, sizeof(path), "%s/backups", (const char *)directory);

    if (n >= (int)sizeof(path) - 100)
        return atg_fail(err, ATG_ELIMIT, "The path of the store is too long");
    if (mkdir(path, 0700) && errno != EEXIST)
        return atg_fail(err, ATG_EIO, "Cannot make the directory %.200s", path);
    if (!gmtime_r(&seconds, &utc) || !strftime(when, sizeof(when), "%Y%m%dT%H%M%S", &utc))
        return atg_fail(err, ATG_EIO, "The clock gives no time");
    snprintf(path + n, sizeof(path) - (size_t)n,
             "/before-version-%" PRId64 "-was-%" PRId64 "-%s-%06d.%s", to, from, when,
             (int)(now % 1000000), db_kind_of(d) == DB_SQLITE ? "db" : "dump");
    return db_backup(d, path, NULL, err);
}

static int back_up(db *d, const migrate_plan *plan, int64_t from, int64_t to, atg_err *err) {
    if (from <= 0)
        return ATG_OK;
    if (plan->before)
        return plan->before(d, from, to, plan->before_user, err);
    if (db_kind_of(d) == DB_SQLITE) {
        union {
            const char *in;
            void *out;
        } directory = {.in = plan->directory};

        return migrate_copy(d, from, to, directory.out, err);
    }
    return atg_fail(err, ATG_EINVAL,
                    "The store must be migrated from version %" PRId64 " to %" PRId64
                    ": say where the backup of the PostgreSQL database goes",
                    from, to);
}

/* One step; `m` is NULL for the tables that all of this needs. */
static int step(db *d, const migration *m, atg_err *err) {
    bool sqlite = db_kind_of(d) == DB_SQLITE;
    const char *sql =
        m ? (sqlite ? m->sqlite : m->postgres) : (sqlite ? bootstrap_sqlite : bootstrap_postgres);
    int rc = db_begin(d, DB_WRITE, err);

    if (rc == ATG_OK)
        rc = db_limit(d, 0, NULL, err);
    if (rc == ATG_OK)
        rc = db_script(d, m ? m->name : "new store", sql, err);
    if (rc == ATG_OK && m)
        rc = db_run(d, &add_version,
                    (db_value[]){db_int(m->version), db_text(atg_str_of(m->name)),
                                 db_int(clock_now()), db_text(ATG_STR(ATG_VERSION))},
                    4, NULL, err);
    if (rc == ATG_OK)
        rc = db_commit(d, err);
    db_rollback(d);
    return rc;
}

static int climb(db *d, const migrate_plan *plan, atg_err *err) {
    int64_t from = 0;
    int rc = stand(d, plan, &from, err);

    if (rc == ATG_OK && from < (int64_t)plan->n)
        rc = back_up(d, plan, from, plan->n, err);
    if (rc == ATG_OK && from < 0)
        rc = step(d, NULL, err);
    for (uint32_t i = from > 0 ? (uint32_t)from : 0; rc == ATG_OK && i < plan->n; i++)
        rc = step(d, &plan->migrations[i], err);
    return rc;
}

static int check_plan(const migrate_plan *plan, atg_err *err) {
    for (uint32_t i = 0; i < plan->n; i++)
        if (plan->migrations[i].version != (int64_t)i + 1)
            return atg_fail(err, ATG_EINVAL, "Migrations must be numbered 1, 2, 3, ...");
    return ATG_OK;
}

int migrate(db *d, const migrate_plan *plan, atg_err *err) {
    uint64_t end = now_ms() + d->busy_ms;
    int64_t version = 0;
    int rc = check_plan(plan, err);

    if (rc == ATG_OK)
        rc = stand(d, plan, &version, err);
    while (rc == ATG_OK && version < (int64_t)plan->n + (plan->n == 0 && version < 0)) {
        rc = db_exclude(d, SLICE_MS, err);
        if (rc == ATG_OK) {
            rc = climb(d, plan, err);
            db_share(d);
            return rc;
        }
        /* perhaps because another process has just done it */
        if (rc == ATG_ECONFLICT && now_ms() < end)
            rc = stand(d, plan, &version, err);
    }
    return rc;
}
