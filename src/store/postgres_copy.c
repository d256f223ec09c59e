/* SPDX-License-Identifier: Apache-2.0 */
/* Backup of a PostgreSQL database, and restore into an empty one. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store/migrate.h"
#include "store/postgres_program.h"

enum { SNAPSHOT = 64 };

static const db_statement export_snapshot = {"export_snapshot", "SELECT pg_export_snapshot()"};
static const db_statement count_relations = {
    "count_relations",
    "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'"};

/* ---- backup ---- */

typedef struct dumping {
    backup_file *to;
    const atg_progress *progress;
} dumping;

static int keep(void *user, atg_str bytes, atg_err *err) {
    dumping *u = user;

    return backup_add(u->to, bytes, err);
}

static bool look_at_dump(void *user, uint64_t fed) {
    const dumping *u = user;
    const atg_progress *p = u->progress;

    (void)fed;
    return !p || !p->step || p->step(p->user, "backup", u->to->n, 0);
}

/* The version and the name of one moment's state. */
static int take_snapshot(db *d, char ret[SNAPSHOT], int64_t *ret_schema, atg_err *err) {
    db_rows *rows = NULL;
    int rc = db_script(d, "limits", "SET LOCAL idle_in_transaction_session_timeout=0", err);

    if (rc == ATG_OK)
        rc = migrate_version(d, ret_schema, err);
    if (rc == ATG_OK)
        rc = db_query(d, &export_snapshot, NULL, 0, &rows, err);
    if (rc == ATG_OK && (rc = db_next(rows, err)) > 0) {
        (void)snprintf(ret, SNAPSHOT, "--snapshot=%.*s", ATG_FMT(db_get_text(rows, 0)));
        rc = ATG_OK;
    }
    db_end(rows);
    return rc;
}

/* Not compressed: what is sealed does not shrink below its bytes, and gzip at its lowest level
 * takes five times what all the rest of pg_dump does (docs/store.md). */
int postgres_backup(db *base, backup_file *to, const atg_progress *progress, int64_t *ret_schema,
                    atg_err *err) {
    char snapshot[SNAPSHOT] = "";
    dumping u = {to, progress};
    program_call call = {.name = "pg_dump",
                         .arguments = {"--format=custom", "--compress=0", "--no-owner",
                                       "--no-privileges", "--no-password", snapshot},
                         .from = -1,
                         .out = keep,
                         .look = look_at_dump,
                         .user = &u};
    int rc = db_begin(base, DB_READ, err);

    if (rc)
        return rc;
    rc = take_snapshot(base, snapshot, ret_schema, err);
    if (rc == ATG_OK)
        rc = program_run(postgres_of(base), &call, err);
    db_rollback(base);
    return rc;
}

/* ---- restore ---- */

typedef struct restoring {
    uint64_t size;
    const atg_progress *progress;
} restoring;

static bool look_at_restore(void *user, uint64_t fed) {
    const restoring *r = user;
    const atg_progress *p = r->progress;

    return !p || !p->step || p->step(p->user, "restore", fed, r->size);
}

static int check_empty(db *d, atg_err *err) {
    int64_t n = 0;
    int rc = db_get_one(d, &count_relations, NULL, 0, 0, &n, err);

    if (rc == ATG_OK && n > 0)
        return atg_fail(err, ATG_ECONFLICT,
                        "The database holds tables already: give an empty one (createdb)");
    return rc;
}

static int fill(db *d, int from, const backup_page *page, const atg_progress *progress,
                atg_err *err) {
    restoring r = {page->size, progress};
    program_call call = {.name = "pg_restore",
                         .arguments = {"--format=custom", "--single-transaction", "--exit-on-error",
                                       "--no-owner", "--no-privileges", "--no-password"},
                         .from = from,
                         .size = page->size,
                         .look = look_at_restore,
                         .user = &r};
    int rc = check_empty(d, err);

    if (rc == ATG_OK)
        rc = backup_copy(from, page, -1, "check", progress, err);
    if (rc == ATG_OK && lseek(from, 0, SEEK_SET) != 0)
        rc = atg_fail(err, ATG_EIO, "The backup cannot be read twice");
    if (rc == ATG_OK)
        rc = program_run(postgres_of(d), &call, err);
    /* stopped when it was done already */
    if (rc == ATG_ECANCEL && check_empty(d, NULL) == ATG_ECONFLICT)
        rc = ATG_OK;
    /* it is there now, whatever becomes of this */
    if (rc == ATG_OK)
        (void)db_script(d, "analyze", "SET statement_timeout=0; ANALYZE", NULL);
    return rc;
}

int postgres_restore(const db_options *options, int from, const backup_page *page,
                     const atg_progress *progress, atg_err *err) {
    db *d = NULL;
    int rc = db_open(options, &d, err);

    if (rc == ATG_OK)
        rc = db_exclude(d, d->busy_ms, err);
    if (rc == ATG_OK) {
        rc = fill(d, from, page, progress, err);
        db_share(d);
    }
    db_close(d);
    return rc;
}
