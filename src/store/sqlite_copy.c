/* SPDX-License-Identifier: Apache-2.0 */
/* Backup, check and checkpoint of a SQLite store. */
#include <string.h>

#include "store/migrate.h"
#include "store/sqlite.h"

enum { PAGES = 1024 };

static int told(const atg_progress *p, sqlite3_backup *b) {
    uint64_t n = (uint64_t)sqlite3_backup_pagecount(b);
    uint64_t left = (uint64_t)sqlite3_backup_remaining(b);

    return !p || !p->step || p->step(p->user, "backup", n - left, n);
}

/* Copy page by page.  The caller's transaction holds the snapshot, so that writers in between do
 * not make the copy start again. */
static int copy_pages(sqlite_db *d, sqlite3 *to, const atg_progress *progress, atg_err *err) {
    sqlite3_backup *b = sqlite3_backup_init(to, "main", d->handle, "main");
    int rc = b ? SQLITE_OK : SQLITE_ERROR;

    while (rc == SQLITE_OK) {
        rc = sqlite3_backup_step(b, PAGES);
        if (rc == SQLITE_OK && !told(progress, b)) {
            sqlite3_backup_finish(b);
            return atg_fail(err, ATG_ECANCEL, "Stopped on request");
        }
    }
    if (b)
        sqlite3_backup_finish(b);
    if (rc == SQLITE_DONE)
        return ATG_OK;
    rc = rc == SQLITE_ERROR ? sqlite3_extended_errcode(to) : rc;
    if ((rc & 0xff) == SQLITE_FULL)
        return atg_fail(err, ATG_EIO, "The disk is full: the backup was not made");
    return sqlite_failed(d, rc, "Backup", err);
}

static int copy_into(sqlite_db *d, const char *path, const atg_progress *progress, atg_err *err) {
    sqlite3 *to = NULL;
    int rc = sqlite3_open_v2(
        path, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_exec(to, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF", NULL, NULL, NULL);
    rc = rc ? atg_fail(err, ATG_EIO, "Cannot write %.200s: %s", path, sqlite3_errstr(rc))
            : copy_pages(d, to, progress, err);
    sqlite3_close(to);
    return rc;
}

int sqlite_backup(db *base, backup_file *to, const atg_progress *progress, int64_t *ret_schema,
                  atg_err *err) {
    sqlite_db *d = sqlite_of(base);
    int rc = db_begin(base, DB_READ, err);

    if (rc)
        return rc;
    base->statement_ms = 0;
    d->deadline = 0;
    /* the first look takes the snapshot */
    rc = migrate_version(base, ret_schema, err);
    if (rc == ATG_OK)
        rc = copy_into(d, to->temp, progress, err);
    db_rollback(base);
    return rc ? rc : backup_adopt(to, err);
}

int db_check(db *d, atg_err *err) {
    sqlite_db *own = sqlite_of(d);
    sqlite3_stmt *s = NULL;
    int rc;

    if (d->backend != &sqlite_backend)
        return ATG_OK;
    own->deadline = 0;
    rc = sqlite3_prepare_v2(own->handle, "PRAGMA integrity_check(1)", -1, &s, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(s);
    if (rc == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(s, 0);

        rc = text && strcmp(text, "ok") == 0 ? SQLITE_OK : SQLITE_CORRUPT;
    }
    rc = rc ? sqlite_failed(own, rc, "Check", err) : ATG_OK;
    sqlite3_finalize(s);
    return rc;
}

int db_checkpoint(db *d, atg_err *err) {
    sqlite_db *own = sqlite_of(d);
    int rc;

    if (d->backend != &sqlite_backend)
        return ATG_OK;
    d->retry = false;
    rc = sqlite3_wal_checkpoint_v2(own->handle, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    return rc ? sqlite_failed(own, rc, "Checkpoint", err) : ATG_OK;
}
