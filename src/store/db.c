/* SPDX-License-Identifier: Apache-2.0 */
#include "store/db.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "store/backend.h"

enum { CACHE_FIRST = 64, CONNECT_MS = 10000, BUSY_MS = 10000, STATEMENT_MS = 60000 };

uint64_t now_ms(void) {
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

int db_open(const db_options *options, db **ret, atg_err *err) {
    db_options o = *options;

    if (!o.directory && !o.conninfo)
        return atg_fail(err, ATG_EINVAL, "A store needs a directory or a PostgreSQL connection");
    o.connect_ms = o.connect_ms ? o.connect_ms : CONNECT_MS;
    o.busy_ms = o.busy_ms ? o.busy_ms : BUSY_MS;
    o.statement_ms = o.statement_ms ? o.statement_ms : STATEMENT_MS;
    return o.conninfo ? postgres_open(&o, ret, err) : sqlite_open(&o, ret, err);
}

void db_close(db *d) {
    if (!d)
        return;
    if (d->mode)
        db_rollback(d);
    for (db_rows *r = d->all, *next; r; r = next) {
        next = r->next;
        db_end(r);
        d->backend->forget(r);
        mem_free(r);
    }
    mem_free(d->cache);
    d->backend->close(d);
}

db_kind db_kind_of(const db *d) {
    return d->backend->kind;
}

db_mode db_mode_of(const db *d) {
    return d->mode;
}

bool db_retry(const db *d) {
    return d->retry;
}

bool db_unknown(const db *d) {
    return d->unknown;
}

/* Remember the first failure of a transaction.  `err` is never NULL here. */
static int failed(db *d, const atg_err *err) {
    if (d->mode && !d->failed) {
        d->failed = true;
        d->failure = *err;
    }
    return err->code;
}

static int again(const db *d, atg_err *err) {
    *err = d->failure;
    return d->failure.code;
}

/* ---- statements ---- */

static size_t slot_of(const db *d, const db_statement *statement) {
    size_t mask = d->cap_cache - 1, at = ((uintptr_t)statement >> 4) * 0x9e3779b97f4a7c15U >> 20;

    for (at &= mask; d->cache[at] && d->cache[at]->statement != statement;)
        at = (at + 1) & mask;
    return at;
}

static bool grow_cache(db *d) {
    size_t cap = d->cap_cache ? 2 * d->cap_cache : CACHE_FIRST;
    db_rows **more = mem_zero(cap, sizeof(db_rows *));

    if (!more)
        return false;
    mem_free(d->cache);
    d->cache = more;
    d->cap_cache = cap;
    for (db_rows *r = d->all; r; r = r->next)
        d->cache[slot_of(d, r->statement)] = r;
    return true;
}

static int add_statement(db *d, const db_statement *statement, db_rows **ret, atg_err *err) {
    db_rows *r;
    int rc;

    if (2 * (d->n_cache + 1) > d->cap_cache && !grow_cache(d))
        return atg_fail(err, ATG_ENOMEM, "Out of memory for statement %s", statement->name);
    r = mem_zero(1, d->backend->rows_size);
    if (!r)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for statement %s", statement->name);
    r->owner = d;
    r->statement = statement;
    r->n_values = parameters_read(statement->sql, NULL);
    rc = d->backend->prepare(r, err);
    if (rc) {
        mem_free(r);
        return rc;
    }
    r->next = d->all;
    d->all = r;
    d->cache[slot_of(d, statement)] = r;
    d->n_cache++;
    *ret = r;
    return ATG_OK;
}

static bool is_text(atg_str s) {
    for (size_t at = 0, n; at < s.n; at += n) {
        n = s.p[at] ? utf8_len(s.p + at, s.n - at) : 0;
        if (n == 0)
            return false;
    }
    return true;
}

static int check_list(const db_rows *r, int at, const db_value *v, int n_lists, atg_err *err) {
    if (n_lists > DB_LISTS_MAX)
        return atg_fail(err, ATG_EINVAL, "Statement %s has more than %d lists", r->statement->name,
                        DB_LISTS_MAX);
    if (v->ints.n > DB_INTS_MAX)
        return atg_fail(err, ATG_ELIMIT, "Value %d of %s has more than %d numbers", at,
                        r->statement->name, DB_INTS_MAX);
    return ATG_OK;
}

static int check_values(const db_rows *r, const db_value *values, int n, atg_err *err) {
    const char *name = r->statement->name;
    int n_lists = 0, rc = ATG_OK;

    if (n != r->n_values || n > DB_VALUES_MAX)
        return atg_fail(err, ATG_EINVAL, "Statement %s takes %d values, not %d", name, r->n_values,
                        n);
    for (int i = 0; i < n && rc == ATG_OK; i++) {
        const db_value *v = &values[i];

        if (v->type == DB_INTS)
            rc = check_list(r, i + 1, v, ++n_lists, err);
        if (v->type == DB_DOUBLE && isnan(v->d))
            return atg_fail(err, ATG_EINVAL, "Value %d of %s is not a number", i + 1, name);
        if (v->type != DB_TEXT && v->type != DB_BLOB)
            continue;
        if (v->s.n > DB_BYTES_MAX)
            return atg_fail(err, ATG_ELIMIT, "Value %d of %s is larger than %d MiB", i + 1, name,
                            DB_BYTES_MAX >> 20);
        if (v->type == DB_TEXT && !is_text(v->s))
            return atg_fail(err, ATG_EINVAL, "Value %d of %s is not UTF-8 text without NUL", i + 1,
                            name);
    }
    return rc;
}

static const db_rows *streaming(const db *d) {
    for (const db_rows *r = d->all; r; r = r->next)
        if (r->open && r->streaming)
            return r;
    return NULL;
}

/* The statement, which may run with these values. */
static int find(db *d, const db_statement *statement, const db_value *values, int n, db_rows **ret,
                atg_err *err) {
    const db_rows *busy = streaming(d);
    db_rows *r = d->cap_cache ? d->cache[slot_of(d, statement)] : NULL;
    int rc = r ? ATG_OK : add_statement(d, statement, &r, err);

    if (rc)
        return rc;
    if (busy || r->open)
        return atg_fail(err, ATG_EINVAL, "Statement %s cannot run while %s does", statement->name,
                        busy ? busy->statement->name : "it");
    rc = check_values(r, values, n, err);
    if (rc == ATG_OK)
        *ret = r;
    return rc;
}

static int start(db *d, const db_statement *statement, const db_value *values, int n, bool stream,
                 db_rows **ret, atg_err *err) {
    db_rows *r = NULL;
    int rc = find(d, statement, values, n, &r, err);

    if (rc)
        return rc;
    r->streaming = stream;
    rc = d->backend->start(r, values, n, err);
    if (rc) {
        d->backend->finish(r);
        return rc;
    }
    r->open = true;
    r->on_row = false;
    *ret = r;
    return ATG_OK;
}

static int query(db *d, const db_statement *statement, const db_value *values, int n, bool stream,
                 db_rows **ret, atg_err *err) {
    atg_err own = {0};
    int rc;

    if (!err)
        err = &own;
    if (d->failed)
        return again(d, err);
    d->retry = false;
    rc = start(d, statement, values, n, stream, ret, err);
    return rc ? failed(d, err) : ATG_OK;
}

int db_post(db *d, const db_statement *statement, const db_value *values, int n, atg_err *err) {
    atg_err own = {0};
    db_rows *r = NULL;
    int rc;

    if (!err)
        err = &own;
    if (d->failed)
        return again(d, err);
    d->retry = false;
    rc = find(d, statement, values, n, &r, err);
    if (rc == ATG_OK)
        rc = d->backend->post(r, values, n, err);
    return rc ? failed(d, err) : ATG_OK;
}

void db_foresee(db *d, const db_statement *statement, const db_value *values, int n) {
    db_rows *r = NULL;

    if (d->backend->foresee && d->mode && !d->failed &&
        find(d, statement, values, n, &r, NULL) == ATG_OK)
        d->backend->foresee(r, values, n);
}

void db_foreseen_end(db *d) {
    if (d->backend->give_up)
        d->backend->give_up(d);
}

void db_turn(db *d, uint32_t turn) {
    d->turn = turn;
}

int db_query(db *d, const db_statement *statement, const db_value *values, int n, db_rows **ret,
             atg_err *err) {
    return query(d, statement, values, n, false, ret, err);
}

int db_stream(db *d, const db_statement *statement, const db_value *values, int n, db_rows **ret,
              atg_err *err) {
    return query(d, statement, values, n, true, ret, err);
}

int db_next(db_rows *rows, atg_err *err) {
    db *d = rows->owner;
    atg_err own = {0};
    int rc;

    if (!err)
        err = &own;
    if (d->failed)
        return again(d, err);
    if (!rows->open)
        return atg_fail(err, ATG_EINVAL, "Statement %s has ended", rows->statement->name);
    rc = d->backend->next(rows, err);
    rows->on_row = rc > 0;
    return rc < 0 ? failed(d, err) : rc;
}

void db_end(db_rows *rows) {
    if (!rows || !rows->open)
        return;
    rows->owner->backend->finish(rows);
    rows->open = rows->on_row = false;
}

int db_run(db *d, const db_statement *statement, const db_value *values, int n,
           int64_t *ret_changed, atg_err *err) {
    atg_err own = {0};
    db_rows *rows = NULL;
    int rc;

    if (!err)
        err = &own;
    rc = query(d, statement, values, n, false, &rows, err);
    if (rc || !rows)
        return rc;
    rc = db_next(rows, err);
    if (rc == 0 && ret_changed)
        *ret_changed = d->backend->changed(rows);
    db_end(rows);
    if (rc > 0) {
        rc =
            atg_fail(err, ATG_EINVAL, "Statement %s gives rows that nobody reads", statement->name);
        failed(d, err);
    }
    return rc;
}

int db_get_one(db *d, const db_statement *statement, const db_value *values, int n,
               int64_t otherwise, int64_t *ret, atg_err *err) {
    db_rows *rows = NULL;
    int64_t got = otherwise;
    int rc = db_query(d, statement, values, n, &rows, err);

    if (rc || !rows)
        return rc;
    rc = db_next(rows, err);
    if (rc == 0) {
        db_end(rows);
        return atg_fail(err, ATG_ENOTFOUND, "Statement %s found nothing", statement->name);
    }
    if (rc > 0) {
        got = db_is_null(rows, 0) ? otherwise : db_get_int(rows, 0);
        rc = d->failed ? db_next(rows, err) : ATG_OK;
    }
    db_end(rows);
    if (rc == ATG_OK)
        *ret = got;
    return rc;
}

/* ---- columns ---- */

static const char *const type_names[] = {"null", "an integer", "a number",
                                         "text", "a blob",     "a list"};

static db_value column(db_rows *rows, int at) {
    const backend *b = rows->owner->backend;

    if (!rows->on_row || at < 0 || at >= b->n_columns(rows)) {
        atg_err err;

        atg_fail(&err, ATG_EINVAL, "Statement %s has no column %d there", rows->statement->name,
                 at + 1);
        failed(rows->owner, &err);
        return db_null();
    }
    return b->column(rows, at);
}

static db_value typed(db_rows *rows, int at, db_type type) {
    db_value v = column(rows, at);
    atg_err err;

    if (v.type == type || v.type == DB_NULL)
        return v;
    atg_fail(&err, ATG_EDB, "Column %d of %s is %s where %s was expected", at + 1,
             rows->statement->name, type_names[v.type], type_names[type]);
    failed(rows->owner, &err);
    return db_null();
}

db_value db_get(db_rows *rows, int at) {
    return column(rows, at);
}

db_type db_type_of(db_rows *rows, int at) {
    return column(rows, at).type;
}

bool db_is_null(db_rows *rows, int at) {
    return column(rows, at).type == DB_NULL;
}

int64_t db_get_int(db_rows *rows, int at) {
    db_value v = typed(rows, at, DB_INT);

    return v.type == DB_INT ? v.i : 0;
}

double db_get_double(db_rows *rows, int at) {
    db_value v = typed(rows, at, DB_DOUBLE);

    return v.type == DB_DOUBLE ? v.d : 0;
}

atg_str db_get_text(db_rows *rows, int at) {
    db_value v = typed(rows, at, DB_TEXT);

    return v.type == DB_TEXT ? v.s : ATG_STR("");
}

atg_str db_get_blob(db_rows *rows, int at) {
    db_value v = typed(rows, at, DB_BLOB);

    return v.type == DB_BLOB ? v.s : ATG_STR("");
}
