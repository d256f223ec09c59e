/* SPDX-License-Identifier: Apache-2.0 */
#include "app/faces_report.h"

#include <math.h>
#include <stdlib.h>

#include "app/cases_internal.h"
#include "app/cases_json.h"
#include "base/fold.h"

enum { SEXES = 2, AGES = 4, FIXED = 1 + SEXES + AGES, PERSON_ARENA = 16 << 20 };

/* "all", then sexes, then ages. */
static const struct fixed_group {
    const char *by, *name;
} fixed_groups[FIXED] = {
    {"all", "all"},
    {"sex", "female"},
    {"sex", "male"},
    {"age", "under 18 years"},
    {"age", "18 to 39 years"},
    {"age", "40 to 64 years"},
    {"age", "65 years and more"},
};

/* What is recorded of one person's origin, folded to compare and as it was written. */
typedef struct origin {
    atg_str folded, written;
    uint32_t person;
} origin;

typedef struct reporting {
    cases *c;
    atg_arena *arena;
    const faces_closed *closed;
    faces_report *ret;
    origin *origins; /* of those who have one */
    uint32_t n_origins;
} reporting;

static int no_memory(atg_err *err) {
    return atg_fail(err, ATG_ENOMEM, "Out of memory for faces");
}

/* ---- sex and age ---- */

/* By the recorded one; FACE_GROUP_NONE: not recorded, or a range over two groups. */
static uint32_t sex_group(const face_person *p) {
    return p->sex == FACE_SEX_FEMALE ? 0 : p->sex == FACE_SEX_MALE ? 1 : FACE_GROUP_NONE;
}

static uint32_t age_group(const face_person *p) {
    static const int16_t ends[AGES - 1] = {18, 40, 65};
    uint32_t low = 0, high = 0;

    if (p->age_low < 0 || p->age_high < 0)
        return FACE_GROUP_NONE;
    for (uint32_t i = 0; i < AGES - 1; i++) {
        low += p->age_low >= ends[i];
        high += p->age_high >= ends[i];
    }
    return low == high ? low : FACE_GROUP_NONE;
}

static uint32_t everybody(const face_person *p) {
    (void)p;
    return 0;
}

static int rate(const reporting *w, const face_grouping *groups, face_rates *ret, atg_err *err) {
    const faces_closed *c = w->closed;

    return face_group_rates(c->n, c->n_pairs, c->pairs, groups, w->ret->threshold, ret, err);
}

static int rate_fixed(const reporting *w, atg_err *err) {
    static uint32_t (*const group_of[])(const face_person *) = {everybody, sex_group, age_group};
    static const uint32_t sizes[] = {1, SEXES, AGES};
    uint32_t *of = ATG_GET(w->arena, uint32_t, w->closed->n + 1), at = 0;
    face_rates rates[FIXED];
    int rc = of ? ATG_OK : no_memory(err);

    for (int k = 0; k < 3 && !rc; k++) {
        for (uint32_t i = 0; i < w->closed->n; i++)
            of[i] = group_of[k](&w->closed->persons[i]);
        rc = rate(w, &(face_grouping){sizes[k], of}, rates + at, err);
        at += sizes[k];
    }
    for (uint32_t i = 0; i < FIXED && !rc; i++)
        w->ret->groups[w->ret->n_groups++] =
            (faces_group){fixed_groups[i].by, atg_str_of(fixed_groups[i].name), rates[i]};
    return rc;
}

/* ---- origin ---- */

static int read_origin(reporting *w, db *d, uint32_t person, atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(PERSON_ARENA);
    origin *o = &w->origins[w->n_origins];
    const value *v;
    fold_text text;
    record_row row;
    int rc;

    if (!arena)
        return no_memory(err);
    rc = records_get(d, w->c->keys, arena, RECORD_MISSING, &w->closed->persons[person].id, &row,
                     err);
    v = rc || row.erased ? NULL : &row.r->fields[MISSING_NATIONALITY];
    if (rc || !v || !v->known || !atg_str_trim(v->text).n)
        return rc;
    rc = fold_read(arena, atg_str_trim(v->text), &text, err);
    if (!rc)
        rc = fold_utf8(arena, text.cp, text.n, &o->folded, err);
    if (rc)
        return rc;
    *o = (origin){atg_arena_str(w->arena, o->folded),
                  atg_arena_str(w->arena, atg_str_trim(v->text)), person};
    if (!o->folded.p || !o->written.p)
        return no_memory(err);
    w->n_origins++;
    return ATG_OK;
}

static int read_origins(db *d, void *user, atg_err *err) {
    reporting *w = user;
    int rc = ATG_OK;

    w->n_origins = 0;
    for (uint32_t i = 0; i < w->closed->n && !rc; i++)
        rc = read_origin(w, d, i, err);
    return rc;
}

static int by_folded(const void *a, const void *b) {
    const origin *x = a, *y = b;
    int order = atg_str_cmp(x->folded, y->folded);

    return order ? order : (x->person > y->person) - (x->person < y->person);
}

/* Each origin is a group; those with enough cases are told. */
static int rate_origins(reporting *w, atg_err *err) {
    uint32_t n = 0, *of = ATG_GET(w->arena, uint32_t, w->closed->n + 1);
    face_rates *rates = ATG_GET(w->arena, face_rates, w->n_origins + 1);
    atg_str *names = ATG_GET(w->arena, atg_str, w->n_origins + 1);
    int rc;

    if (!of || !rates || !names)
        return no_memory(err);
    for (uint32_t i = 0; i < w->closed->n; i++)
        of[i] = FACE_GROUP_NONE;
    if (w->n_origins)
        qsort(w->origins, w->n_origins, sizeof(*w->origins), by_folded);
    for (uint32_t i = 0; i < w->n_origins; i++) {
        const origin *o = &w->origins[i];

        if (i == 0 || !atg_str_eq(o->folded, o[-1].folded))
            names[n++] = o->written;
        of[o->person] = n - 1;
    }
    rc = rate(w, &(face_grouping){n, of}, rates, err);
    for (uint32_t g = 0; g < n && !rc; g++) {
        if (rates[g].enough) {
            w->ret->groups[w->ret->n_groups++] = (faces_group){"origin", names[g], rates[g]};
        } else {
            w->ret->few_origins++;
            w->ret->few_cases += rates[g].n_cases;
        }
    }
    w->ret->without_origin = w->closed->n - w->n_origins;
    return rc;
}

/* ---- the report ---- */

static int check(const actor *who, double threshold, atg_err *err) {
    if (!(threshold >= -1 && threshold <= 1))
        return atg_fail(err, ATG_EINVAL, "A score of faces lies between -1 and 1");
    if (!cases_reason(who))
        return atg_fail(err, ATG_EDENIED, "Write down why the rates of faces are looked at");
    return ATG_OK;
}

int faces_report_make(cases *c, const actor *who, atg_arena *arena, const uuid *operation,
                      double threshold, faces_report *ret, atg_err *err) {
    faces_closed closed;
    faces_report made = {.threshold = threshold};
    reporting w = {.c = c, .arena = arena, .closed = &closed, .ret = &made};
    int rc = check(who, threshold, err);

    if (!rc)
        rc = faces_closed_of(c, who, arena, operation, &closed, err);
    if (rc)
        return rc;
    made.n_operations = closed.n_operations;
    made.n_denied = closed.n_denied;
    made.n_closed = closed.n;
    w.origins = ATG_GET(arena, origin, closed.n + 1);
    made.groups = ATG_GET(arena, faces_group, FIXED + closed.n / FACE_CASES_MIN);
    if (!w.origins || !made.groups)
        return no_memory(err);
    rc = rate_fixed(&w, err);
    if (!rc)
        rc = store_read(cases_store(c), read_origins, &w, err);
    if (!rc)
        rc = rate_origins(&w, err);
    if (!rc)
        rc = faces_closed_tell(c, who, &closed, "faces report", err);
    if (!rc)
        *ret = made;
    return rc;
}

/* ---- as JSON ---- */

static void write_share(json *j, const char *key, const double share[3], bool enough) {
    json_key(j, key);
    if (!enough) {
        json_none(j);
        return;
    }
    json_array_line(j);
    for (int i = 0; i < 3; i++)
        json_num(j, share[i]);
    json_end(j, ']');
}

static void write_group(json *j, const faces_group *g) {
    const face_rates *r = &g->rates;

    json_object_line(j);
    cases_put_text(j, "by", atg_str_of(g->by));
    cases_put_text(j, "group", g->name);
    cases_put_number(j, "cases", r->n_cases);
    cases_put_number(j, "probes", r->n_probes);
    write_share(j, "missed", (double[]){r->miss, r->miss_lower, r->miss_upper}, r->enough);
    write_share(j, "false_matches", (double[]){r->match, r->match_lower, r->match_upper},
                r->enough);
    json_end(j, '}');
}

void faces_report_write(json *j, const faces_report *r) {
    json_begin_object(j);
    json_key(j, "threshold");
    json_num(j, r->threshold);
    cases_put_number(j, "operations", r->n_operations);
    cases_put_number(j, "operations_left_out", r->n_denied);
    cases_put_number(j, "closed_cases", r->n_closed);
    json_key(j, "groups");
    json_begin_array(j);
    for (uint32_t i = 0; i < r->n_groups; i++)
        write_group(j, &r->groups[i]);
    json_end(j, ']');
    json_key(j, "other_origins");
    json_object_line(j);
    cases_put_number(j, "origins", r->few_origins);
    cases_put_number(j, "cases", r->few_cases);
    json_end(j, '}');
    cases_put_number(j, "without_origin", r->without_origin);
    json_end(j, '}');
}
