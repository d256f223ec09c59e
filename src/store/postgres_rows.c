/* SPDX-License-Identifier: Apache-2.0 */
/* Prepared statements, binary values and rows on PostgreSQL. */
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "store/postgres.h"

/* pg_type.dat */
enum {
    OID_BOOL = 16,
    OID_BYTEA = 17,
    OID_NAME = 19,
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT4 = 23,
    OID_TEXT = 25,
    OID_FLOAT4 = 700,
    OID_FLOAT8 = 701,
    OID_UNKNOWN = 705,
    OID_INT8_ARRAY = 1016,
    OID_BPCHAR = 1042,
    OID_VARCHAR = 1043,
    OID_VOID = 2278,
};

typedef struct bound {
    const char *values[DB_VALUES_MAX];
    int lengths[DB_VALUES_MAX], formats[DB_VALUES_MAX];
    uint64_t numbers[DB_VALUES_MAX];
    unsigned char *lists[DB_LISTS_MAX];
    int n_lists;
} bound;

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
    mem_free(rows_of(rows)->types);
}

static Oid type_of(const db_value *v) {
    static const Oid types[] = {
        [DB_NULL] = 0,        [DB_INT] = OID_INT8,   [DB_DOUBLE] = OID_FLOAT8,
        [DB_TEXT] = OID_TEXT, [DB_BLOB] = OID_BYTEA, [DB_INTS] = OID_INT8_ARRAY};

    return types[v->type];
}

/* Types of values belong to a prepared statement: null fits all, others their own. */
static int fit_types(postgres_db *d, postgres_rows *r, const db_value *values, int n,
                     atg_err *err) {
    bool fits = true;
    char sql[40];

    for (int i = 0; i < n; i++) {
        Oid type = type_of(&values[i]);

        if (type && type != r->types[i]) {
            r->types[i] = type;
            fits = false;
        }
    }
    if (r->generation != d->generation)
        r->name[0] = '\0';
    if (fits || !r->name[0])
        return ATG_OK;
    snprintf(sql, sizeof(sql), "DEALLOCATE %s", r->name);
    r->name[0] = '\0';
    return postgres_run(d, "deallocate", sql, err);
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

static int prepare_on_server(postgres_db *d, postgres_rows *r, atg_err *err) {
    const db_statement *s = r->base.statement;
    PGresult *result = NULL;
    char name[16];
    int rc;

    snprintf(name, sizeof(name), "p%u", d->n_prepared++);
    if (!PQsendPrepare(d->conn, name, s->sql, r->base.n_values, r->types))
        return postgres_failed(d, NULL, s->name, err);
    rc = wait_for_one(d, s->name, &result, err);
    if (rc)
        return rc;
    PQclear(result);
    postgres_drain(d);
    memcpy(r->name, name, sizeof(name));
    r->generation = d->generation;
    return ATG_OK;
}

static uint64_t bits_of(double x) {
    uint64_t bits;

    memcpy(&bits, &x, sizeof(bits));
    return bits;
}

/* An array of one dimension in PostgreSQL's binary form (array_recv). */
static bool bind_list(bound *b, int at, const db_value *v) {
    enum { HEAD = 5, EMPTY = 12, PER_ITEM = 12 };
    size_t n = v->ints.n;
    uint32_t head[HEAD] = {n ? 1 : 0, 0, OID_INT8, (uint32_t)n, 1};
    size_t bytes = sizeof(head) + PER_ITEM * n;
    unsigned char *p = mem_alloc(bytes);

    if (!p)
        return false;
    b->lists[b->n_lists++] = p;
    b->values[at] = (const char *)p;
    b->lengths[at] = n ? (int)bytes : EMPTY;
    for (size_t i = 0; i < HEAD; i++)
        bytes_put32(p + sizeof(*head) * i, head[i]);
    p += sizeof(head);
    for (size_t i = 0; i < n; i++, p += PER_ITEM) {
        bytes_put32(p, sizeof(int64_t));
        bytes_put64(p + 4, (uint64_t)v->ints.p[i]);
    }
    return true;
}

static void unbind(bound *b) {
    while (b->n_lists)
        mem_free(b->lists[--b->n_lists]);
}

/* False when memory is short. */
static bool bind(bound *b, const db_value *values, int n) {
    bool had = true;

    b->n_lists = 0;
    for (int i = 0; i < n && had; i++) {
        const db_value *v = &values[i];
        bool number = v->type == DB_INT || v->type == DB_DOUBLE;

        b->formats[i] = 1;
        if (v->type == DB_INTS) {
            had = bind_list(b, i, v);
        } else if (number) {
            b->numbers[i] = htobe64(v->type == DB_INT ? (uint64_t)v->i : bits_of(v->d + 0.0));
            b->values[i] = (const char *)&b->numbers[i];
            b->lengths[i] = sizeof(b->numbers[i]);
        } else if (v->type == DB_NULL) {
            b->values[i] = NULL;
            b->lengths[i] = 0;
        } else {
            b->values[i] = v->s.n ? v->s.p : "";
            b->lengths[i] = (int)v->s.n;
        }
    }
    return had;
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

/* The first result: all rows, or of a stream the first or the news that there is none. */
static int first_result(postgres_db *d, postgres_rows *r, atg_err *err) {
    const char *name = r->base.statement->name;
    int rc = wait_for_one(d, name, &r->result, err);

    if (rc)
        return rc;
    r->row = -1;
    r->n_rows = PQntuples(r->result);
    if (PQresultStatus(r->result) != PGRES_SINGLE_TUPLE)
        postgres_drain(d);
    for (int i = 0; i < PQnfields(r->result); i++)
        if (!is_known(PQftype(r->result, i)))
            return atg_fail(err, ATG_EDB, "Column %d of %s has a type of PostgreSQL's own: cast it",
                            i + 1, name);
    return ATG_OK;
}

int postgres_start(db_rows *rows, const db_value *values, int n, atg_err *err) {
    postgres_rows *r = rows_of(rows);
    postgres_db *d = postgres_of(rows->owner);
    bound b;
    int rc = rows->owner->mode ? ATG_OK : postgres_connect(d, err);

    if (rc == ATG_OK)
        rc = fit_types(d, r, values, n, err);
    if (rc)
        return rc;
    postgres_start_clock(d);
    if (!d->conn)
        return postgres_failed(d, NULL, rows->statement->name, err);
    if (!r->name[0])
        rc = prepare_on_server(d, r, err);
    if (rc)
        return rc;
    rc = bind(&b, values, n) ? ATG_OK
                             : atg_fail(err, ATG_ENOMEM, "Out of memory for the values of %s",
                                        rows->statement->name);
    if (rc == ATG_OK &&
        !PQsendQueryPrepared(d->conn, r->name, n, b.values, b.lengths, b.formats, 1))
        rc = postgres_failed(d, NULL, rows->statement->name, err);
    unbind(&b);
    if (rc)
        return rc;
    if (rows->streaming)
        (void)PQsetSingleRowMode(d->conn);
    return first_result(d, r, err);
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
