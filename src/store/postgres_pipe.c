/* SPDX-License-Identifier: Apache-2.0 */
/* Statements on their way to PostgreSQL, and their answers in the same order. */
#include <endian.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "store/postgres.h"

enum { PUSH_EVERY = 8 };

typedef struct bound {
    const char *values[DB_VALUES_MAX];
    int lengths[DB_VALUES_MAX], formats[DB_VALUES_MAX];
    uint64_t numbers[DB_VALUES_MAX];
    unsigned char *lists[DB_LISTS_MAX];
    int n_lists;
    size_t bytes;
} bound;

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
    b->bytes = 0;
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
        b->bytes += had ? (size_t)b->lengths[i] : 0;
    }
    return had;
}

/* ---- sending ---- */

static int enter(postgres_db *d, const char *doing, atg_err *err) {
    if (!postgres_connected(d))
        return postgres_failed(d, NULL, doing, err);
    if (PQpipelineStatus(d->conn) == PQ_PIPELINE_OFF && !PQenterPipelineMode(d->conn))
        return postgres_not_sent(d, doing, err);
    return ATG_OK;
}

/* Posts are collected long before the queue is full; the rest of it is for what comes with them. */
static void await(postgres_db *d, const char *name, postgres_rows *prepares) {
    d->sent[d->n_sent++] = (postgres_sent){.name = name, .prepares = prepares};
}

int pipe_command(postgres_db *d, const char *name, const char *sql, atg_err *err) {
    int rc = enter(d, name, err);

    if (rc)
        return rc;
    if (!PQsendQueryParams(d->conn, sql, 0, NULL, NULL, NULL, NULL, 1))
        return postgres_not_sent(d, name, err);
    await(d, name, NULL);
    return ATG_OK;
}

int pipe_prepare(postgres_db *d, postgres_rows *r, atg_err *err) {
    const db_statement *s = r->base.statement;
    int rc = enter(d, s->name, err);

    if (rc)
        return rc;
    if (!PQsendPrepare(d->conn, r->name, s->sql, r->base.n_values, r->types))
        return postgres_not_sent(d, s->name, err);
    await(d, s->name, r);
    return ATG_OK;
}

int pipe_send(postgres_db *d, postgres_rows *r, const db_value *values, int n, atg_err *err) {
    const char *name = r->base.statement->name;
    bound b;
    int rc = ATG_OK;

    if (!bind(&b, values, n))
        rc = atg_fail(err, ATG_ENOMEM, "Out of memory for the values of %s", name);
    else if (!d->conn ||
             !PQsendQueryPrepared(d->conn, r->name, n, b.values, b.lengths, b.formats, 1))
        rc = postgres_not_sent(d, name, err);
    d->n_bytes += b.bytes;
    unbind(&b);
    return rc;
}

int pipe_run(postgres_db *d, postgres_rows *r, const db_value *values, int n, atg_err *err) {
    const char *name = r->base.statement->name;
    int rc = enter(d, name, err);

    if (rc == ATG_OK)
        rc = pipe_send(d, r, values, n, err);
    if (rc == ATG_OK)
        await(d, name, NULL);
    return rc;
}

int pipe_foresee(postgres_db *d, postgres_rows *r, uint64_t ticket, const db_value *values, int n,
                 atg_err *err) {
    int rc = pipe_run(d, r, values, n, err);

    if (rc)
        return rc;
    d->sent[d->n_sent - 1].foresees = r;
    d->sent[d->n_sent - 1].ticket = ticket;
    return ATG_OK;
}

int pipe_end_round(postgres_db *d, atg_err *err) {
    if (!PQpipelineSync(d->conn))
        return postgres_not_sent(d, "end of a round", err);
    await(d, NULL, NULL);
    return ATG_OK;
}

/* ---- reading ---- */

static bool is_done(ExecStatusType status) {
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_PIPELINE_SYNC;
}

/* Read one answer: a result, and behind that of a statement nothing. */
static int take(postgres_db *d, const postgres_sent *s, PGresult **ret, atg_err *err) {
    const char *name = s->name ? s->name : "end of a round";
    PGresult *r = NULL, *end = NULL;
    ExecStatusType status;
    int rc;

    postgres_start_clock(d);
    rc = postgres_result(d, name, &r, err);
    if (rc)
        return rc;
    status = PQresultStatus(r); /* of NULL: a fatal error */
    /* what was to be prepared behind a failure was not */
    if (s->prepares && !is_done(status))
        s->prepares->name[0] = '\0';
    if (!is_done(status) && status != PGRES_PIPELINE_ABORTED)
        rc = postgres_failed(d, r, name, err);
    if (rc == ATG_OK && ret && s->name)
        *ret = r;
    else
        PQclear(r);
    if (s->name && postgres_connected(d) && postgres_result(d, name, &end, NULL) == ATG_OK && end) {
        PQclear(end);
        postgres_drop(d);
    }
    return rc;
}

/* Read one answer, and keep it where somebody foresaw it and still waits for it. */
static int take_or_keep(postgres_db *d, const postgres_sent *s, PGresult **ret, atg_err *err) {
    PGresult *kept = NULL;
    int rc = take(d, s, s->foresees ? &kept : ret, err);
    postgres_ahead *for_whom;

    if (!s->foresees)
        return rc;
    for_whom = postgres_ahead_of(s->foresees, s->ticket);
    if (rc == ATG_OK && kept && PQresultStatus(kept) == PGRES_TUPLES_OK && for_whom)
        for_whom->result = kept;
    else
        PQclear(kept);
    return rc;
}

int pipe_collect(postgres_db *d, PGresult **ret, atg_err *err) {
    uint32_t last = d->n_sent - 1;
    int rc = ATG_OK;

    if (!d->n_sent)
        return ATG_OK;
    if (d->sent[last].name) {
        rc = pipe_end_round(d, err);
        if (rc)
            return rc;
    }
    for (uint32_t i = 0; i < d->n_sent && d->conn; i++) {
        int one = take_or_keep(d, &d->sent[i], i == last ? ret : NULL, rc ? NULL : err);

        rc = rc ? rc : one;
    }
    if (rc && ret) {
        PQclear(*ret);
        *ret = NULL;
    }
    d->n_sent = d->n_unpushed = 0;
    d->n_bytes = 0;
    return rc;
}

int pipe_push(postgres_db *d, atg_err *err) {
    if (d->n_sent >= PIPE_POSTS || d->n_bytes >= PIPE_BYTES)
        return pipe_collect(d, NULL, err);
    if (++d->n_unpushed >= PUSH_EVERY) {
        d->n_unpushed = 0;
        if (PQflush(d->conn) < 0)
            return postgres_failed(d, NULL, d->sent[d->n_sent - 1].name, err);
    }
    return ATG_OK;
}

int pipe_leave(postgres_db *d, atg_err *err) {
    int rc = pipe_collect(d, NULL, err);

    if (rc)
        return rc;
    if (d->conn && !PQexitPipelineMode(d->conn))
        return postgres_not_sent(d, "end of a round", err);
    return ATG_OK;
}
