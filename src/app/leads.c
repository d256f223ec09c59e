/* SPDX-License-Identifier: Apache-2.0 */
/* Hypotheses of an operation as a list. */
#include "app/cases_internal.h"
#include "app/matcher.h"
#include "app/rights.h"
#include "app/rules.h"

#include <stdlib.h>
#include <string.h>

enum { LEADS_MAX = 10000 };

static const db_statement some_hypotheses = {
    "hypotheses",
    "SELECT id FROM r_hypothesis WHERE operation = $1 AND withdrawn = 0 AND conclusion = $2 "
    "ORDER BY COALESCE(posterior, -1.0) DESC, id LIMIT $3"};
static const db_statement open_hypotheses = {
    "open hypotheses",
    "SELECT id FROM r_hypothesis WHERE operation = $1 AND withdrawn = 0 AND conclusion <> $2 "
    "ORDER BY COALESCE(posterior, -1.0) DESC, id LIMIT $3"};

typedef struct asking {
    cases *c;
    const actor *who;
    atg_arena *arena;
    const leads_query *q;
    uint32_t limit, n;
    uint64_t shown;
    bool blind; /* something is kept from who asks, so that the order would tell it */
    lead *leads;
} asking;

static int read_ids(asking *w, db *d, atg_err *err) {
    const char *const *words = record_field(RECORD_HYPOTHESIS, HYPOTHESIS_CONCLUSION)->choices;
    bool some = w->q->conclusion >= 0;
    db_value values[] = {
        db_blob(w->q->operation.bytes, UUID_SIZE),
        db_text(atg_str_of(words[some ? w->q->conclusion : (int)CONCLUSION_EXCLUDED])),
        db_int(w->limit)};
    __attribute__((cleanup(db_rows_freep))) db_rows *rows = NULL;
    int rc = db_query(d, some ? &some_hypotheses : &open_hypotheses, values, 3, &rows, err);

    w->n = 0;
    if (rc)
        return rc;
    while ((rc = db_next(rows, err)) > 0) {
        atg_str id = db_get_blob(rows, 0);

        if (id.n == UUID_SIZE)
            memcpy(w->leads[w->n++].hypothesis.bytes, id.p, UUID_SIZE);
    }
    return rc;
}

static int read_lead(asking *w, db *d, uint32_t roles, lead *l, atg_err *err) {
    record_row row;
    int rc = records_get(d, w->c->keys, w->arena, RECORD_HYPOTHESIS, &l->hypothesis, &row, err);

    if (rc)
        return rc;
    l->record = (seen){.r = row.r, .erased = row.erased};
    rc = rules_blind(d, w->who, roles, row.r, &l->record.hidden, err);
    w->blind |= l->record.hidden != 0;
    if (!rc)
        rc = files_get(d, w->arena, &row.r->file, &l->remains, err);
    if (!rc)
        rc = files_get(d, w->arena, &row.r->fields[HYPOTHESIS_MISSING].ref, &l->missing, err);
    w->shown |= cases_mask(&(looker){w->who, roles, RECORD_REMAINS}, &l->record);
    return rc;
}

static int read_leads(db *d, void *user, atg_err *err) {
    asking *w = user;
    uint32_t roles;
    int rc = cases_roles(d, w->who, &w->q->operation, &roles, err);

    w->shown = 0;
    w->blind = false;
    if (!rc)
        rc = rights_action(roles, ACTION_READ, RECORD_HYPOTHESIS, -1, err);
    if (!rc)
        rc = read_ids(w, d, err);
    for (uint32_t i = 0; i < w->n && !rc; i++)
        rc = read_lead(w, d, roles, &w->leads[i], err);
    return rc;
}

static int by_code(const void *x, const void *y) {
    const lead *a = x, *b = y;
    int order = atg_str_cmp(a->remains.code, b->remains.code);

    return order ? order : atg_str_cmp(a->missing.code, b->missing.code);
}

int cases_leads(cases *c, const actor *who, atg_arena *arena, const leads_query *q, lead **ret,
                uint32_t *ret_n, atg_err *err) {
    asking w = {.c = c,
                .who = who,
                .arena = arena,
                .q = q,
                .limit = q->limit < LEADS_MAX ? q->limit : LEADS_MAX};
    look_event e = {.who = who,
                    .file = q->operation,
                    .record = q->operation,
                    .action = "leads",
                    .kind = "",
                    .detail = ATG_STR("{}")};

    w.leads = ATG_GET(arena, lead, w.limit + 1);
    if (!w.leads)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a list");

    int rc = store_read(c->s, read_leads, &w, err);

    if (!rc && w.blind)
        qsort(w.leads, w.n, sizeof(*w.leads), by_code);
    if (!rc && w.shown)
        rc = cases_tell_look(c, &e, err);
    if (rc)
        return rc;
    *ret = w.leads;
    *ret_n = w.n;
    return ATG_OK;
}
