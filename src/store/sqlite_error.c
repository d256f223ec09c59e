/* SPDX-License-Identifier: Apache-2.0 */
/* What SQLite's result codes mean to us.  Its messages hold names and SQL, never values. */
#include <stdio.h>
#include <string.h>

#include "store/sqlite.h"

static int stopped(sqlite_db *d, const char *doing, atg_err *err) {
    if (db_cancelled(&d->base))
        return atg_fail(err, ATG_ECANCEL, "Stopped on request");
    return atg_fail(err, ATG_EDB, "%s took longer than %u s and was stopped", doing,
                    d->base.statement_ms / 1000);
}

static int refused(sqlite_db *d, int code, const char *doing, atg_err *err) {
    const char *why = sqlite3_errmsg(d->handle);

    if (code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY ||
        code == SQLITE_CONSTRAINT_ROWID)
        return atg_fail(err, ATG_ECONFLICT, "%s: what must be unique exists already (%.150s)",
                        doing, why);
    return atg_fail(err, ATG_EDB, "%s breaks a rule of the database (%.150s)", doing, why);
}

static int disk(sqlite_db *d, int code, const char *doing, atg_err *err) {
    char text[128];
    int number = sqlite3_system_errno(d->handle);

    return atg_fail(err, ATG_EIO, "%s: the disk failed (%s%s%s); nothing of it was kept", doing,
                    sqlite3_errstr(code), number ? ", " : "",
                    number ? strerror_r(number, text, sizeof(text)) : "");
}

static int translate(sqlite_db *d, int code, const char *doing, atg_err *err) {
    switch (code & 0xff) {
    case SQLITE_CONSTRAINT:
        return refused(d, code, doing, err);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        d->base.retry = true;
        return atg_fail(err, ATG_ECONFLICT,
                        "%s: another process was writing to the store for longer than %u s", doing,
                        d->base.busy_ms / 1000);
    case SQLITE_FULL:
        return atg_fail(err, ATG_EIO,
                        "%s: the disk is full; nothing of it was kept. Make room, then try again",
                        doing);
    case SQLITE_IOERR:
        if (code == SQLITE_IOERR_NOMEM)
            return atg_fail(err, ATG_ENOMEM, "%s: out of memory", doing);
        return disk(d, code, doing, err);
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return disk(d, code, doing, err);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return atg_fail(err, ATG_EDB,
                        "The database file %.150s is damaged: restore the last backup, and keep "
                        "the damaged file",
                        d->place.file);
    case SQLITE_NOMEM:
        return atg_fail(err, ATG_ENOMEM, "%s: out of memory", doing);
    case SQLITE_TOOBIG:
        return atg_fail(err, ATG_ELIMIT, "%s: a value is too large for the database", doing);
    case SQLITE_INTERRUPT:
        return stopped(d, doing, err);
    default:
        return atg_fail(err, ATG_EDB, "%s failed in the database: %s", doing, sqlite3_errstr(code));
    }
}

int sqlite_failed(sqlite_db *d, int code, const char *doing, atg_err *err) {
    int rc = translate(d, code, doing, err);

    /* some failures (full disk, interruption, memory) undo the transaction at once */
    if (d->base.mode && sqlite3_get_autocommit(d->handle))
        d->base.lost = true;
    return rc;
}
