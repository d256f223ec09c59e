/* SPDX-License-Identifier: Apache-2.0 */
/* Candidates with what people concluded on them. */
#include <stdlib.h>

#include "app/cases_internal.h"
#include "app/faces.h"
#include "app/rights.h"
#include "app/rules.h"

enum { LIST = 1000 };

const faces_warning faces_warnings[] = {
    {0, "restored"},
    {FACE_SEX_DIFFERS, "sex"},
    {FACE_AGE_DIFFERS, "age"},
    {FACE_WARN_RELATIVES, "relatives"},
    {FACE_WARN_CHILD, "child"},
};
const uint32_t faces_warnings_n = sizeof(faces_warnings) / sizeof(*faces_warnings);

const char *faces_warning_sentence(const faces_warning *w) {
    return w->flag ? face_flag_sentence(w->flag)
                   : "The photograph of the dead was restored or retouched.";
}

typedef struct asking {
    cases *c;
    const actor *who;
    atg_arena *arena;
    const uuid *remains;
    uint32_t roles;
    file_row file;
    face_lead *leads;
    uint32_t n;
    seen *said; /* all comparisons of the file */
    uint32_t n_said;
    bool blind, shown;
} asking;

static int no_memory(atg_err *err) {
    return atg_fail(err, ATG_ENOMEM, "Out of memory for faces");
}

/* A record as this account may see it. */
static int see(asking *w, db *d, const record_row *row, seen *ret, atg_err *err) {
    int rc;

    *ret = (seen){.r = row->r, .erased = row->erased};
    rc = rules_blind(d, w->who, w->roles, row->r, &ret->hidden, err);
    w->blind |= ret->hidden != 0;
    w->shown |= cases_mask(&(looker){w->who, w->roles, RECORD_REMAINS}, ret) != 0;
    return rc;
}

static int read_said(asking *w, db *d, atg_err *err) {
    records_query q = {
        .kind = RECORD_FACE_COMPARISON, .by = RECORDS_OF_FILE, .of = *w->remains, .limit = LIST};
    record_row *rows;
    uint32_t n = 0;
    int rc = records_list(d, w->c->keys, w->arena, &q, &rows, &n, err);

    w->n_said = 0;
    w->said = rc ? NULL : ATG_GET(w->arena, seen, n + 1);
    if (!rc && !w->said)
        rc = no_memory(err);
    for (uint32_t i = 0; i < n && !rc; i++)
        if (!rows[i].r->withdrawn)
            rc = see(w, d, &rows[i], &w->said[w->n_said++], err);
    return rc;
}

/* Give a candidate what was said of it, and whether that is at odds. */
static int assign(asking *w, face_lead *l, atg_err *err) {
    const value *first = NULL;

    l->said = ATG_GET(w->arena, seen, w->n_said + 1);
    if (!l->said)
        return no_memory(err);
    for (uint32_t i = 0; i < w->n_said; i++) {
        const value *f = w->said[i].r->fields;
        const value *support = &f[FACE_COMPARISON_SUPPORT];

        if (uuid_cmp(&f[FACE_COMPARISON_CANDIDATE].ref, &l->record.r->id) != 0)
            continue;
        l->said[l->n_said++] = w->said[i];
        if (!support->known)
            continue;
        l->disagree |= first && first->choice != support->choice;
        first = support;
    }
    return ATG_OK;
}

static int read_candidates(asking *w, db *d, atg_err *err) {
    records_query q = {
        .kind = RECORD_FACE_CANDIDATE, .by = RECORDS_OF_FILE, .of = *w->remains, .limit = LIST};
    record_row *rows;
    uint32_t n = 0;
    int rc = records_list(d, w->c->keys, w->arena, &q, &rows, &n, err);

    w->n = 0;
    w->leads = rc ? NULL : ATG_GET(w->arena, face_lead, n + 1);
    if (!rc && !w->leads)
        rc = no_memory(err);
    for (uint32_t i = 0; i < n && !rc; i++) {
        face_lead *l = &w->leads[w->n];

        if (rows[i].r->withdrawn)
            continue;
        *l = (face_lead){.remains = w->file};
        rc = files_get(d, w->arena, &rows[i].r->fields[FACE_CANDIDATE_MISSING].ref, &l->missing,
                       err);
        if (!rc)
            rc = see(w, d, &rows[i], &l->record, err);
        if (!rc)
            rc = assign(w, l, err);
        w->n++;
    }
    return rc;
}

static int read_leads(db *d, void *user, atg_err *err) {
    asking *w = user;
    int rc = files_get(d, w->arena, w->remains, &w->file, err);

    w->blind = w->shown = false;
    if (!rc && w->file.kind != RECORD_REMAINS)
        return atg_fail(err, ATG_EINVAL, "%.*s is no remains file", ATG_FMT(w->file.code));
    if (!rc)
        rc = cases_roles(d, w->who, &w->file.operation, &w->roles, err);
    if (!rc)
        rc = rights_in(w->roles, ACTION_READ, RECORD_FACE_CANDIDATE, RECORD_REMAINS,
                       (int)w->file.state, err);
    if (!rc)
        rc = read_said(w, d, err);
    return rc ? rc : read_candidates(w, d, err);
}

static int by_code(const void *x, const void *y) {
    const face_lead *a = x, *b = y;

    return atg_str_cmp(a->missing.code, b->missing.code);
}

static int by_rank(const void *x, const void *y) {
    const face_lead *a = x, *b = y;
    double r = a->record.r->fields[FACE_CANDIDATE_RANK].number;
    double s = b->record.r->fields[FACE_CANDIDATE_RANK].number;

    return r < s ? -1 : r > s ? 1 : by_code(x, y);
}

int faces_leads(cases *c, const actor *who, atg_arena *arena, const uuid *remains, face_lead **ret,
                uint32_t *ret_n, atg_err *err) {
    asking w = {.c = c, .who = who, .arena = arena, .remains = remains};
    look_event e = {.who = who,
                    .file = *remains,
                    .record = *remains,
                    .action = "faces read",
                    .kind = "face_candidate",
                    .detail = ATG_STR("{}")};
    int rc = store_read(cases_store(c), read_leads, &w, err);

    if (!rc && w.n)
        qsort(w.leads, w.n, sizeof(*w.leads), w.blind ? by_code : by_rank);
    if (!rc && w.shown)
        rc = cases_tell_look(c, &e, err);
    if (rc)
        return rc;
    *ret = w.leads;
    *ret_n = w.n;
    return ATG_OK;
}
