/* SPDX-License-Identifier: Apache-2.0 */
#include "app/csv_export.h"

#include "app/accounts.h"
#include "app/cases_internal.h"
#include "app/operation_load.h"
#include "app/rights.h"
#include "base/clock.h"
#include "base/csv.h"

enum {
    PAGE = 500,
    PIECE = 16 << 10,
    CELL = 16 << 20, /* the longest field is 4 MiB, and its quotes are doubled */
};

typedef struct exporting {
    cases *c;
    const actor *who;
    const uuid *operation;
    record_kind kind;
    const char *recipient;
    outgoing *to;
    atg_buf *buf; /* of a page */
    uint32_t n;
    looker l;
    loaded *in;
    atg_arena *arena;
} exporting;

static int begin(exporting *w, db *d, atg_err *err) {
    uint32_t roles;
    int rc = cases_roles(d, w->who, w->operation, &roles, err);

    if (!rc)
        rc = rights_action(roles, ACTION_EXPORT, -1, -1, err);
    w->l = (looker){w->who, roles, (int)w->kind};
    return rc;
}

static bool leaves(const exporting *w, uint32_t f) {
    return !record_field(w->kind, f)->never && cases_may_see(&w->l, w->kind, f);
}

static void write_head(const exporting *w) {
    atg_buf_adds(w->buf, "code,state");
    for (uint32_t f = 0; f < record_types[w->kind].n_fields; f++)
        if (leaves(w, f))
            atg_buf_printf(w->buf, ",%s", record_field(w->kind, f)->name);
    atg_buf_adds(w->buf, "\n");
}

static int write_row(const exporting *w, const record *r, atg_err *err) {
    const char *const *states = record_types[w->kind].states;

    csv_write(w->buf, r->code);
    atg_buf_printf(w->buf, ",%s", states[0] ? states[r->state] : "");
    for (uint32_t f = 0; f < record_types[w->kind].n_fields; f++) {
        ATG_AUTO(atg_buf) cell = atg_buf_new(CELL);
        atg_str text;

        if (!leaves(w, f))
            continue;
        if (!cell)
            return atg_fail(err, ATG_ENOMEM, "Out of memory writing a table");
        value_write(cell, record_field(w->kind, f), &r->fields[f]);

        int rc = atg_buf_take(cell, &text, err);

        if (rc)
            return rc;
        atg_buf_adds(w->buf, ",");
        csv_write(w->buf, text);
    }
    atg_buf_adds(w->buf, "\n");
    return ATG_OK;
}

static int give_page(exporting *w, atg_err *err) {
    atg_str text;
    int rc = atg_buf_take(w->buf, &text, err);

    return rc ? rc : outgoing_write(w->to, text, err);
}

static int write_page(exporting *w, db *d, records_query *q, uint32_t *ret_n, atg_err *err) {
    ATG_AUTO(atg_arena) page = atg_arena_new(CASES_ARENA);
    ATG_AUTO(atg_buf) buf = atg_buf_new(CASES_ARENA);
    record_row *rows;
    int rc = page && buf ? records_list(d, w->c->keys, page, q, &rows, ret_n, err)
                         : atg_fail(err, ATG_ENOMEM, "Out of memory writing a table");

    w->buf = buf;
    if (!rc && uuid_none(&q->after))
        write_head(w);
    for (uint32_t i = 0; !rc && i < *ret_n; i++)
        if (!rows[i].r->withdrawn) {
            rc = write_row(w, rows[i].r, err);
            w->n++;
        }
    if (!rc)
        rc = give_page(w, err);
    if (!rc && *ret_n)
        q->after = rows[*ret_n - 1].r->id;
    return rc;
}

static int spend(db *d, void *user, atg_err *err) {
    const exporting *w = user;

    return account_spend(d, w->who, QUOTA_EXPORT, 1, NULL, err);
}

/* What leaves stands in the history before it leaves. */
static int tell(exporting *w, const char *what, atg_err *err) {
    look_event e = {.who = w->who,
                    .file = *w->operation,
                    .record = *w->operation,
                    .action = "export",
                    .kind = ""};
    ATG_AUTO(atg_buf) buf = atg_buf_new(1 << 16);
    json j;

    if (!buf)
        return atg_fail(err, ATG_ENOMEM, "Out of memory writing the history");
    j = json_new(buf);
    json_object_line(&j);
    json_key(&j, "what");
    json_text(&j, what);
    json_key(&j, "files");
    json_int(&j, w->n);
    if (w->recipient) {
        json_key(&j, "recipient");
        json_text(&j, w->recipient);
    }
    json_key(&j, "reason");
    json_str(&j, w->who->reason);
    json_end(&j, '}');

    int rc = store_write(cases_store(w->c), spend, w, err);

    if (!rc)
        rc = atg_buf_take(buf, &e.detail, err);
    return rc ? rc : cases_tell_look(w->c, &e, err);
}

/* From the start, should the reading be run again. */
static int export_table(db *d, void *user, atg_err *err) {
    exporting *w = user;
    records_query q = {
        .kind = w->kind, .by = RECORDS_OF_OPERATION, .of = *w->operation, .limit = PAGE};
    uint32_t n = PAGE;
    int rc = begin(w, d, err);

    w->n = 0;
    outgoing_clear(w->to);
    while (!rc && n == PAGE)
        rc = write_page(w, d, &q, &n, err);
    return rc;
}

static int check_reason(const actor *who, atg_err *err) {
    return cases_reason(who) ? ATG_OK
                             : atg_fail(err, ATG_EDENIED, "Write the reason for the export");
}

int cases_export_table(cases *c, const actor *who, const uuid *operation, record_kind kind,
                       outgoing *to, uint32_t *ret_n, atg_err *err) {
    exporting w = {.c = c, .who = who, .operation = operation, .kind = kind, .to = to};
    int rc = check_reason(who, err);

    if (!rc && !record_types[kind].is_file)
        rc = atg_fail(err, ATG_EINVAL, "A table holds files, such as missing persons or remains");
    if (!rc)
        rc = store_read(c->s, export_table, &w, err);
    if (!rc)
        rc = tell(&w, record_types[kind].name, err);
    if (!rc)
        *ret_n = w.n;
    return rc;
}

int cases_export_csv(cases *c, const actor *who, const uuid *operation, record_kind kind,
                     atg_buf *buf, uint32_t *ret_n, atg_err *err) {
    ATG_AUTO(outgoing) whole = NULL;
    char piece[PIECE];
    int rc = outgoing_new(c, &whole, err);

    if (!rc)
        rc = cases_export_table(c, who, operation, kind, whole, ret_n, err);
    for (uint64_t at = 0; !rc && at < outgoing_size(whole);) {
        uint64_t left = outgoing_size(whole) - at;
        size_t n = left < PIECE ? (size_t)left : PIECE;

        rc = outgoing_read(whole, at, piece, n, err);
        if (!rc)
            atg_buf_add(buf, (atg_str){piece, n});
        at += n;
    }
    return rc;
}

static int export_dna(db *d, void *user, atg_err *err) {
    exporting *w = user;
    load_scope which = {.operation = *w->operation, .today = clock_now()};
    int rc = begin(w, d, err);

    if (!rc)
        rc = operation_load(d, w->c->keys, w->arena, &which, NULL, w->in, err);
    w->n = rc ? 0 : w->in->op.n_samples + w->in->op.n_families;
    return rc;
}

int cases_export_dna(cases *c, const actor *who, atg_arena *arena, const uuid *operation,
                     const char *recipient, atg_operation *ret, atg_err *err) {
    loaded in = {0};
    exporting w = {.c = c,
                   .who = who,
                   .operation = operation,
                   .kind = RECORD_OPERATION,
                   .recipient = recipient,
                   .in = &in,
                   .arena = arena};
    int rc = check_reason(who, err);

    if (!rc)
        rc = store_read(c->s, export_dna, &w, err);
    if (!rc)
        rc = tell(&w, "dna", err);
    if (!rc)
        *ret = in.op;
    return rc;
}
