/* SPDX-License-Identifier: Apache-2.0 */
/* Statements and transactions on SQLite. */
#include "store/sqlite.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

typedef struct sqlite_rows {
    db_rows base;
    sqlite3_stmt *prepared;
    sqlite_list lists[DB_LISTS_MAX];
} sqlite_rows;

static sqlite_rows *rows_of(db_rows *rows) {
    return (sqlite_rows *)(void *)rows;
}

static const sqlite_rows *rows_in(const db_rows *rows) {
    return (const sqlite_rows *)(const void *)rows;
}

static int prepare(db_rows *rows, atg_err *err) {
    sqlite_rows *r = rows_of(rows);
    sqlite_db *d = sqlite_of(rows->owner);
    const char *sql = rows->statement->sql, *rest = NULL;
    size_t n = strlen(sql) + 1;
    MEM_AUTO char *copy = mem_alloc(n);
    int rc;

    if (!copy)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for statement %s", rows->statement->name);
    (void)parameters_read(sql, copy);
    rc =
        sqlite3_prepare_v3(d->handle, copy, (int)n, SQLITE_PREPARE_PERSISTENT, &r->prepared, &rest);
    if (rc == SQLITE_ERROR)
        return atg_fail(err, ATG_EDB, "Statement %s does not fit the database: %.200s",
                        rows->statement->name, sqlite3_errmsg(d->handle));
    if (rc)
        return sqlite_failed(d, rc, rows->statement->name, err);
    if (!r->prepared || rest[strspn(rest, " \n")] != '\0') {
        sqlite3_finalize(r->prepared);
        r->prepared = NULL;
        return atg_fail(err, ATG_EINVAL, "Statement %s is not one statement",
                        rows->statement->name);
    }
    return ATG_OK;
}

static void forget(db_rows *rows) {
    sqlite3_finalize(rows_of(rows)->prepared);
}

static int bind(sqlite3_stmt *s, int at, const db_value *v) {
    const char *p = (v->type == DB_TEXT || v->type == DB_BLOB) && v->s.n ? v->s.p : "";

    switch (v->type) {
    case DB_INT:
        return sqlite3_bind_int64(s, at, v->i);
    case DB_DOUBLE:
        return sqlite3_bind_double(s, at, v->d + 0.0); /* -0.0 does not come back */
    case DB_TEXT:
        return sqlite3_bind_text64(s, at, p, v->s.n, SQLITE_STATIC, SQLITE_UTF8);
    case DB_BLOB:
        return sqlite3_bind_blob64(s, at, p, v->s.n, SQLITE_STATIC);
    case DB_INTS:
    case DB_NULL:
        break;
    }
    return sqlite3_bind_null(s, at);
}

static int bind_all(sqlite_rows *r, const db_value *values, int n) {
    int rc = SQLITE_OK;

    for (int i = 0, lists = 0; i < n && rc == SQLITE_OK; i++) {
        if (values[i].type == DB_INTS) {
            sqlite_list *list = &r->lists[lists++];

            *list = (sqlite_list){values[i].ints.p, values[i].ints.n};
            rc = sqlite_list_bind(r->prepared, i + 1, list);
        } else {
            rc = bind(r->prepared, i + 1, &values[i]);
        }
    }
    return rc;
}

static int start(db_rows *rows, const db_value *values, int n, atg_err *err) {
    sqlite_rows *r = rows_of(rows);
    sqlite_db *d = sqlite_of(rows->owner);
    int rc;

    if (d->base.mode == DB_READ && !sqlite3_stmt_readonly(r->prepared))
        return atg_fail(err, ATG_EINVAL, "Statement %s changes data in a transaction that reads",
                        rows->statement->name);
    rc = bind_all(r, values, n);
    if (rc)
        return sqlite_failed(d, rc, rows->statement->name, err);
    d->deadline = d->base.statement_ms ? now_ms() + d->base.statement_ms : 0;
    return ATG_OK;
}

static int next(db_rows *rows, atg_err *err) {
    sqlite_db *d = sqlite_of(rows->owner);
    int rc;

    if (db_cancelled(&d->base))
        return atg_fail(err, ATG_ECANCEL, "Stopped on request");
    rc = sqlite3_step(rows_of(rows)->prepared);
    if (rc == SQLITE_ROW)
        return 1;
    return rc == SQLITE_DONE ? 0 : sqlite_failed(d, rc, rows->statement->name, err);
}

static void finish(db_rows *rows) {
    sqlite3_stmt *s = rows_of(rows)->prepared;

    sqlite3_reset(s);
    sqlite3_clear_bindings(s);
}

static int post(db_rows *rows, const db_value *values, int n, atg_err *err) {
    int rc = start(rows, values, n, err);

    if (rc == ATG_OK)
        do
            rc = next(rows, err);
        while (rc > 0);
    finish(rows);
    return rc;
}

static int collect(db *base, atg_err *err) {
    (void)base;
    (void)err;
    return ATG_OK;
}

static int n_columns(const db_rows *rows) {
    return sqlite3_data_count(rows_in(rows)->prepared);
}

static db_value column(const db_rows *rows, int at) {
    sqlite3_stmt *s = rows_in(rows)->prepared;
    const void *p;

    switch (sqlite3_column_type(s, at)) {
    case SQLITE_INTEGER:
        return db_int(sqlite3_column_int64(s, at));
    case SQLITE_FLOAT:
        return db_double(sqlite3_column_double(s, at));
    case SQLITE_TEXT:
        p = sqlite3_column_text(s, at);
        return db_text((atg_str){p, (size_t)sqlite3_column_bytes(s, at)});
    case SQLITE_BLOB:
        p = sqlite3_column_blob(s, at);
        return db_blob(p ? p : "", (size_t)sqlite3_column_bytes(s, at));
    default:
        return db_null();
    }
}

static int64_t changed(const db_rows *rows) {
    return sqlite3_changes64(sqlite_of(rows->owner)->handle);
}

static int script(db *base, const char *name, const char *sql, atg_err *err) {
    sqlite_db *d = sqlite_of(base);
    int rc = ATG_OK;

    d->deadline = base->statement_ms ? now_ms() + base->statement_ms : 0;
    while (rc == SQLITE_OK && *sql) {
        sqlite3_stmt *s = NULL;

        rc = sqlite3_prepare_v2(d->handle, sql, -1, &s, &sql);
        if (rc == SQLITE_ERROR)
            return atg_fail(err, ATG_EDB, "%s does not fit the database: %.200s", name,
                            sqlite3_errmsg(d->handle));
        if (rc == SQLITE_OK && s) {
            do
                rc = sqlite3_step(s);
            while (rc == SQLITE_ROW);
            rc = rc == SQLITE_DONE ? SQLITE_OK : rc;
        }
        if (rc)
            rc = sqlite_failed(d, rc, name, err);
        sqlite3_finalize(s);
        if (rc)
            return rc;
    }
    return ATG_OK;
}

/* Prepared once. */
static int run_command(sqlite_db *d, sqlite_command which, const char *name, atg_err *err) {
    static const char *const sql[RUN_COMMANDS] = {
        [RUN_BEGIN_READ] = "BEGIN",
        [RUN_BEGIN_WRITE] = "BEGIN IMMEDIATE",
        [RUN_COMMIT] = "COMMIT",
        [RUN_SAVEPOINT] = "SAVEPOINT s1",
        [RUN_RELEASE] = "RELEASE SAVEPOINT s1",
    };
    sqlite3_stmt **s = &d->commands[which];
    int rc = *s ? SQLITE_OK
                : sqlite3_prepare_v3(d->handle, sql[which], -1, SQLITE_PREPARE_PERSISTENT, s, NULL);

    d->deadline = d->base.statement_ms ? now_ms() + d->base.statement_ms : 0;
    if (rc == SQLITE_OK)
        rc = sqlite3_step(*s);
    rc = rc == SQLITE_DONE ? ATG_OK : sqlite_failed(d, rc, name, err);
    sqlite3_reset(*s);
    return rc;
}

static int begin(db *base, db_mode mode, atg_err *err) {
    return run_command(sqlite_of(base), mode == DB_READ ? RUN_BEGIN_READ : RUN_BEGIN_WRITE, "begin",
                       err);
}

static int commit(db *base, atg_err *err) {
    return run_command(sqlite_of(base), RUN_COMMIT, "commit", err);
}

/* Of savepoints those in others are rare. */
static int command(db *base, const char *name, const char *sql, atg_err *err) {
    if (strcmp(sql, "SAVEPOINT s1") == 0)
        return run_command(sqlite_of(base), RUN_SAVEPOINT, name, err);
    if (strcmp(sql, "RELEASE SAVEPOINT s1") == 0)
        return run_command(sqlite_of(base), RUN_RELEASE, name, err);
    return script(base, name, sql, err);
}

static void rollback(db *base) {
    sqlite_db *d = sqlite_of(base);

    d->deadline = 0;
    if (!sqlite3_get_autocommit(d->handle))
        (void)sqlite3_exec(d->handle, "ROLLBACK", NULL, NULL, NULL);
}

static int limit(db *base, atg_err *err) {
    (void)base;
    (void)err;
    return ATG_OK;
}

static int exclude(db *base, bool on, uint32_t wait_ms, atg_err *err) {
    return place_exclude(&sqlite_of(base)->place, on, wait_ms, err);
}

const backend sqlite_backend = {
    .kind = DB_SQLITE,
    .rows_size = sizeof(sqlite_rows),
    .close = sqlite_close,
    .prepare = prepare,
    .forget = forget,
    .start = start,
    .next = next,
    .finish = finish,
    .post = post,
    .collect = collect,
    .n_columns = n_columns,
    .column = column,
    .changed = changed,
    .script = script,
    .command = command,
    .begin = begin,
    .commit = commit,
    .rollback = rollback,
    .limit = limit,
    .exclude = exclude,
    .backup = sqlite_backup,
};
