/* SPDX-License-Identifier: Apache-2.0 */
/* An exercise taken into a store, matched, and what was found. */
#ifndef ATG_TESTS_MATCHED_SCENE_H
#define ATG_TESTS_MATCHED_SCENE_H

#include "made_cases.h"

#include <math.h>

#include "app/matcher.h"
#include "app/operation_load.h"
#include "app/operation_save.h"
#include "exercise_markers.h"

enum { AUTOSOMAL = 16, MISSING = 30 };

typedef struct scene {
    made_cases m;
    atg_operation op;
    atg_truth truth;
    saved saved;
} scene;

/* `before`, or NULL, is done to the operation before it is taken in. */
static inline scene open_scene_of(const database *where, void (*before)(scene *s)) {
    scene s = {.m = made_cases_open(where)};
    atg_exercise_options o = atg_exercise_default();
    save_options how = {.agreed_on = ATG_STR("2026-11-01"),
                        .ends_on = ATG_STR("2036-11-01"),
                        .basis = ATG_STR("consent"),
                        .name = ATG_STR("Exercise"),
                        .sign = true};
    atg_err err = {0};

    o.n_missing = MISSING;
    o.n_bodies = 0;
    made_ok(atg_exercise_make(s.m.arena, table_size(AUTOSOMAL), table_markers(s.m.arena, AUTOSOMAL),
                              &o, &s.op, &s.truth, &err),
            &err);
    if (before)
        before(&s);
    made_ok(operation_save(s.m.c, &s.m.all, &s.op, &how, NULL, &s.saved, &err), &err);
    return s;
}

static inline scene open_scene(const database *where) {
    return open_scene_of(where, NULL);
}

typedef struct loading {
    scene *s;
    loaded in;
    uuid only;
    atg_str head;
} loading;

static inline int load(db *d, void *user, atg_err *err) {
    loading *w = user;
    load_scope which = {.operation = w->s->saved.operation,
                        .only = uuid_none(&w->only) ? NULL : &w->only,
                        .head = w->head,
                        .today = clock_now()};

    return operation_load(d, cases_keys(w->s->m.c), w->s->m.arena, &which, NULL, &w->in, err);
}

static inline int64_t find_missing(const atg_operation *op, atg_str external, const loaded *in,
                                   const made_cases *m) {
    for (uint32_t j = 0; j < in->op.n_missing; j++) {
        seen s;
        atg_err err = {0};

        made_ok(cases_get(m->c, &m->all, m->arena, RECORD_MISSING, &in->missing[j], &s, &err),
                &err);
        if (atg_str_eq(s.r->fields[MISSING_EXTERNAL].text, external))
            return j;
    }
    (void)op;
    return -1;
}

static inline double pair_lr(const atg_operation *op, uint32_t sample, uint32_t missing) {
    double lr[ATG_MARKERS_MAX];
    atg_err err = {0};

    made_ok(atg_pair_lr(op, &op->samples[sample], missing, true, lr, &err), &err);
    return atg_combine_lr(op, lr);
}

static inline matcher_done run(made_cases *m) {
    ATG_AUTO(matcher) engine = NULL;
    matcher_done done;
    atg_err err = {0};

    made_ok(matcher_open(m->c, &(matcher_options){.threads = 1}, &engine, &err), &err);
    made_ok(matcher_run(engine, NULL, &done, &err), &err);
    return done;
}

/* A body's best hypothesis by LR, as text for comparing. */
static inline record *best_of(const made_cases *m, const uuid *remains) {
    seen *all;
    record *best = NULL;
    uint32_t n;
    atg_err err = {0};

    made_ok(cases_file(m->c, &m->by[ROLE_RECONCILER], m->arena, remains, &all, &n, &err), &err);
    for (uint32_t i = 0; i < n; i++)
        if (all[i].r->kind == RECORD_HYPOTHESIS && all[i].r->fields[HYPOTHESIS_LOG10_LR].known &&
            (!best || all[i].r->fields[HYPOTHESIS_LOG10_LR].number >
                          best->fields[HYPOTHESIS_LOG10_LR].number))
            best = all[i].r;
    return best;
}

#endif
