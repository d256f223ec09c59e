/* SPDX-License-Identifier: Apache-2.0 */
/* Prepared statements, binary values and rows on PostgreSQL. */
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/postgres.h"

static postgres_rows *rows_of(db_rows *rows) {
    return (postgres_rows *)(void *)rows;
}

static const postgres_rows *rows_in(const db_rows *rows) {
    return (const postgres_rows *)(const void *)rows;
}

int postgres_prepare(db_rows *rows, atg_err *err) {
    postgres_rows *r = rows_of(rows);

    r->types = mem_zero((size_t)rows->n_values, sizeof(*r->types));
    if (!r->types)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for statement %s", rows->statement->name);
    return ATG_OK;
}

void postgres_forget(db_rows *rows) {
    postgres_rows *r = rows_of(rows);

    for (int i = 0; r->ahead && i < AHEAD_MOST; i++)
        PQclear(r->ahead[i].result);
    mem_free(r->ahead);
    mem_free(r->types);
}

static Oid type_of(const db_value *v) {
    static const Oid types[] = {
        [DB_NULL] = 0,        [DB_INT] = OID_INT8,   [DB_DOUBLE] = OID_FLOAT8,
        [DB_TEXT] = OID_TEXT, [DB_BLOB] = OID_BYTEA, [DB_INTS] = OID_INT8_ARRAY};

    return types[v->type];
}

/* Types of values belong to a prepared statement: null fits all, others their own. */
static int ready(postgres_db *d, postgres_rows *r, const db_value *values, int n, atg_err *err) {
    bool fits = true;
    char sql[40];
    int rc = ATG_OK;

    for (int i = 0; i < n; i++) {
        Oid type = type_of(&values[i]);

        if (type && type != r->types[i]) {
            r->types[i] = type;
            fits = false;
        }
    }
    if (r->generation != d->generation)
        r->name[0] = '\0';
    if (fits && r->name[0])
        return ATG_OK;
    if (r->name[0]) {
        snprintf(sql, sizeof(sql), "DEALLOCATE %s", r->name);
        rc = pipe_command(d, "deallocate", sql, err);
    }
    if (rc == ATG_OK) {
        snprintf(r->name, sizeof(r->name), "p%u", d->n_prepared++);
        r->generation = d->generation;
        rc = pipe_prepare(d, r, err);
    }
    if (rc)
        r->name[0] = '\0';
    return rc;
}

/* ---- what was foreseen ---- */

/* The values as bytes, behind their number; 0: there are too many. */
static size_t key_of(const db_value *values, int n, unsigned char ret[AHEAD_KEY]) {
    size_t at = 0;

    ret[at++] = (unsigned char)n;
    for (int i = 0; i < n; i++) {
        const db_value *v = &values[i];
        bool text = v->type == DB_TEXT || v->type == DB_BLOB;
        size_t bytes = text ? v->s.n : sizeof(v->i);

        if ((!text && v->type != DB_INT) || at + 2 + bytes > AHEAD_KEY)
            return 0;
        ret[at++] = (unsigned char)v->type;
        ret[at++] = (unsigned char)bytes;
        if (bytes)
            memcpy(ret + at, text ? (const void *)v->s.p : (const void *)&v->i, bytes);
        at += bytes;
    }
    return at;
}

static void give_up(postgres_ahead *a) {
    PQclear(a->result);
    a->result = NULL;
    a->ticket = 0;
}

void postgres_give_up(db *base) {
    for (db_rows *rows = base->all; rows; rows = rows->next) {
        postgres_rows *r = rows_of(rows);

        for (int i = 0; r->ahead && i < AHEAD_MOST; i++)
            if (r->ahead[i].ticket && r->ahead[i].turn == base->turn)
                give_up(&r->ahead[i]);
    }
}

postgres_ahead *postgres_ahead_of(const postgres_rows *r, uint64_t ticket) {
    for (int i = 0; r->ahead && i < AHEAD_MOST; i++)
        if (r->ahead[i].ticket == ticket)
            return &r->ahead[i];
    return NULL;
}

/* The same question, foreseen in this turn and not answered with yet. */
static postgres_ahead *same_question(const postgres_rows *r, const unsigned char *key,
                                     size_t n_key) {
    const db *d = r->base.owner;

    for (int i = 0; r->ahead && i < AHEAD_MOST; i++) {
        postgres_ahead *a = &r->ahead[i];

        if (a->ticket && a->stretch == d->stretch && a->turn == d->turn && a->n_key == n_key &&
            memcmp(a->key, key, n_key) == 0)
            return a;
    }
    return NULL;
}

static postgres_ahead *free_place(postgres_rows *r) {
    if (!r->ahead)
        r->ahead = mem_zero(AHEAD_MOST, sizeof(*r->ahead));
    for (int i = 0; r->ahead && i < AHEAD_MOST; i++) {
        postgres_ahead *a = &r->ahead[i];

        if (a->ticket && a->stretch != r->base.owner->stretch)
            give_up(a);
        if (!a->ticket)
            return a;
    }
    return NULL;
}

void postgres_foresee(db_rows *rows, const db_value *values, int n) {
    postgres_rows *r = rows_of(rows);
    postgres_db *d = postgres_of(rows->owner);
    unsigned char key[AHEAD_KEY];
    size_t n_key = key_of(values, n, key);
    postgres_ahead *a;

    if (!n_key || same_question(r, key, n_key) || d->n_sent + 4 >= PIPE_POSTS)
        return;
    a = free_place(r);
    if (!a || ready(d, r, values, n, NULL))
        return;
    *a = (postgres_ahead){.ticket = ++d->n_foreseen,
                          .stretch = d->base.stretch,
                          .turn = d->base.turn,
                          .n_key = n_key};
    memcpy(a->key, key, n_key);
    if (pipe_foresee(d, r, a->ticket, values, n, NULL))
        give_up(a);
}

/* Was this foreseen?  Then `*ret` is its answer, unless something failed before it. */
static int find_ahead(postgres_rows *r, const db_value *values, int n, PGresult **ret,
                      atg_err *err) {
    postgres_db *d = postgres_of(r->base.owner);
    unsigned char key[AHEAD_KEY];
    size_t n_key = r->ahead ? key_of(values, n, key) : 0;
    postgres_ahead *a = n_key ? same_question(r, key, n_key) : NULL;
    int rc = ATG_OK;

    if (!a)
        return ATG_OK;
    if (!a->result)
        rc = pipe_collect(d, NULL, err);
    *ret = a->result;
    a->result = NULL;
    give_up(a);
    return rc;
}

static int wait_for_one(postgres_db *d, const char *doing, PGresult **ret, atg_err *err) {
    PGresult *r = NULL;
    int rc = postgres_result(d, doing, &r, err);

    if (rc)
        return rc;
    if (!r || PQresultStatus(r) == PGRES_FATAL_ERROR || PQresultStatus(r) == PGRES_BAD_RESPONSE) {
        rc = postgres_failed(d, r, doing, err);
        PQclear(r);
        if (postgres_connected(d))
            postgres_drain(d);
        return rc;
    }
    *ret = r;
    return ATG_OK;
}

static bool is_known(Oid type) {
    switch (type) {
    case OID_BOOL:
    case OID_BYTEA:
    case OID_NAME:
    case OID_INT8:
    case OID_INT2:
    case OID_INT4:
    case OID_TEXT:
    case OID_FLOAT4:
    case OID_FLOAT8:
    case OID_UNKNOWN:
    case OID_BPCHAR:
    case OID_VARCHAR:
    case OID_VOID:
        return true;
    default:
        return false;
    }
}

static int check_columns(const postgres_rows *r, atg_err *err) {
    for (int i = 0; i < PQnfields(r->result); i++)
        if (!is_known(PQftype(r->result, i)))
            return atg_fail(err, ATG_EDB, "Column %d of %s has a type of PostgreSQL's own: cast it",
                            i + 1, r->base.statement->name);
    return ATG_OK;
}

/* A stream has the connection for itself.  Its first result is a row, or the news that there is
 * none. */
static int stream(postgres_db *d, postgres_rows *r, const db_value *values, int n, atg_err *err) {
    const char *name = r->base.statement->name;
    int rc = pipe_leave(d, err);

    if (rc)
        return rc;
    postgres_start_clock(d);
    rc = pipe_send(d, r, values, n, err);
    if (rc)
        return rc;
    (void)PQsetSingleRowMode(d->conn);
    rc = wait_for_one(d, name, &r->result, err);
    if (rc == ATG_OK && PQresultStatus(r->result) != PGRES_SINGLE_TUPLE)
        postgres_drain(d);
    return rc;
}

static int run(postgres_db *d, postgres_rows *r, const db_value *values, int n, atg_err *err) {
    int rc = ready(d, r, values, n, err);

    if (rc == ATG_OK && r->base.streaming)
        return stream(d, r, values, n, err);
    if (rc == ATG_OK)
        rc = pipe_run(d, r, values, n, err);
    return rc ? rc : pipe_collect(d, &r->result, err);
}

int postgres_start(db_rows *rows, const db_value *values, int n, atg_err *err) {
    postgres_rows *r = rows_of(rows);
    postgres_db *d = postgres_of(rows->owner);
    int rc = rows->owner->mode ? ATG_OK : postgres_connect(d, err);

    if (rc == ATG_OK)
        rc = find_ahead(r, values, n, &r->result, err);
    if (rc == ATG_OK && !r->result)
        rc = run(d, r, values, n, err);
    if (rc)
        return rc;
    r->row = -1;
    r->n_rows = PQntuples(r->result);
    return check_columns(r, err);
}

int postgres_post(db_rows *rows, const db_value *values, int n, atg_err *err) {
    postgres_rows *r = rows_of(rows);
    postgres_db *d = postgres_of(rows->owner);
    int rc = rows->owner->mode ? ATG_OK : postgres_connect(d, err);

    if (rc == ATG_OK && db_cancelled(&d->base))
        return atg_fail(err, ATG_ECANCEL, "Stopped on request");
    if (rc == ATG_OK)
        rc = ready(d, r, values, n, err);
    if (rc == ATG_OK)
        rc = pipe_run(d, r, values, n, err);
    if (rc)
        return rc;
    return rows->owner->mode ? pipe_push(d, err) : pipe_collect(d, NULL, err);
}

int postgres_next(db_rows *rows, atg_err *err) {
    postgres_rows *r = rows_of(rows);
    postgres_db *d = postgres_of(rows->owner);
    int rc;

    if (db_cancelled(&d->base))
        return atg_fail(err, ATG_ECANCEL, "Stopped on request");
    if (r->row + 1 < r->n_rows) {
        r->row++;
        return 1;
    }
    if (!r->result || PQresultStatus(r->result) != PGRES_SINGLE_TUPLE)
        return 0;
    PQclear(r->result);
    r->result = NULL;
    r->n_rows = 0;
    rc = wait_for_one(d, rows->statement->name, &r->result, err);
    if (rc)
        return rc;
    r->row = 0;
    r->n_rows = PQntuples(r->result);
    if (PQresultStatus(r->result) == PGRES_SINGLE_TUPLE)
        return 1;
    postgres_drain(d);
    return 0;
}

void postgres_finish(db_rows *rows) {
    postgres_rows *r = rows_of(rows);
    postgres_db *d = postgres_of(rows->owner);

    if (r->result && PQresultStatus(r->result) == PGRES_SINGLE_TUPLE && postgres_connected(d))
        postgres_drain(d);
    PQclear(r->result);
    r->result = NULL;
    r->n_rows = 0;
}

int postgres_n_columns(const db_rows *rows) {
    return PQnfields(rows_in(rows)->result);
}

static db_value number(const char *p, int length) {
    uint64_t wide;
    uint32_t half;
    uint16_t small;

    if (length == 8) {
        memcpy(&wide, p, sizeof(wide));
        return db_int((int64_t)be64toh(wide));
    }
    if (length == 4) {
        memcpy(&half, p, sizeof(half));
        return db_int((int32_t)be32toh(half));
    }
    if (length == 2) {
        memcpy(&small, p, sizeof(small));
        return db_int((int16_t)be16toh(small));
    }
    return db_int(p[0] != 0);
}

static db_value real(const char *p, int length) {
    uint64_t wide;
    uint32_t half;
    double d;
    float f;

    if (length == 4) {
        memcpy(&half, p, sizeof(half));
        half = be32toh(half);
        memcpy(&f, &half, sizeof(f));
        return db_double((double)f);
    }
    memcpy(&wide, p, sizeof(wide));
    wide = be64toh(wide);
    memcpy(&d, &wide, sizeof(d));
    return db_double(d);
}

db_value postgres_column(const db_rows *rows, int at) {
    const postgres_rows *r = rows_in(rows);
    const char *p = PQgetvalue(r->result, r->row, at);
    int length = PQgetlength(r->result, r->row, at);

    if (PQgetisnull(r->result, r->row, at))
        return db_null();
    switch (PQftype(r->result, at)) {
    case OID_BOOL:
    case OID_INT2:
    case OID_INT4:
    case OID_INT8:
        return number(p, length);
    case OID_FLOAT4:
    case OID_FLOAT8:
        return real(p, length);
    case OID_BYTEA:
        return db_blob(p, (size_t)length);
    case OID_VOID:
        return db_null();
    default:
        return db_text((atg_str){p, (size_t)length});
    }
}

int64_t postgres_changed(const db_rows *rows) {
    return strtoll(PQcmdTuples(rows_in(rows)->result), NULL, 10);
}
