/* SPDX-License-Identifier: Apache-2.0 */
#include "app/standby.h"

#include <antigone/direct.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "app/identify.h"
#include "app/operation_load.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/parallel.h"
#include "match/warm.h"

enum {
    BEST = 20,    /* of a body */
    SPARE = 1024, /* places for persons and bodies that come later */
    PART_MIB = 64,
};

/* Pairs below this are chance. */
static const float floor_log10 = -2;

static const size_t load_memory = (size_t)24 << 30;

/* A missing person at a place of the tables. */
typedef struct person {
    uuid file, family;
    const atg_operation *op; /* that it was compiled from */
    uint32_t index;          /* in its list of missing */
    bool there;
} person;

typedef struct body {
    uuid file;
    const atg_sample *sample; /* NULL: gone */
} body;

struct standby {
    cases *c;
    uuid operation;
    uint32_t threads;
    atg_arena *arena; /* of everything that was read */
    loaded all;
    warm *tables;
    atg_compiler *compiler;
    person *persons; /* by place */
    uint32_t n_persons, cap_persons;
    body *bodies;
    uint32_t n_bodies, cap_bodies;
    float *scores; /* a place each */
};

static int no_memory(atg_err *err) {
    return atg_fail(err, ATG_ENOMEM, "Out of memory keeping an operation ready");
}

/* ---- opening ---- */

typedef struct reading {
    standby *s;
    atg_arena *arena;
    const uuid *only;
    loaded in;
} reading;

static int read_operation(db *d, void *user, atg_err *err) {
    reading *r = user;
    load_scope which = {.operation = r->s->operation,
                        .only = r->only,
                        .head = r->only ? r->s->all.head : (atg_str){NULL, 0},
                        .today = clock_now()};

    return operation_load(d, cases_keys(r->s->c), r->arena, &which, NULL, &r->in, err);
}

typedef struct compiling {
    standby *s;
    atg_compiler *compilers[PARALLEL_MAX];
} compiling;

/* The persons of one block of tables. */
static int compile_block(void *user, uint32_t worker, uint64_t piece, atg_err *err) {
    compiling *w = user;
    standby *s = w->s;
    uint32_t first = (uint32_t)piece * WARM_LANES;
    int rc = ATG_OK;

    for (uint32_t at = first; at < first + WARM_LANES && at < s->n_persons && !rc; at++)
        rc = warm_put(s->tables, w->compilers[worker], s->persons[at].op, s->persons[at].index, at,
                      err);
    return rc;
}

static int compile_all(standby *s, const atg_progress *progress, atg_err *err) {
    compiling w = {.s = s};
    uint32_t threads = parallel_threads(s->threads);
    int rc = ATG_OK;

    for (uint32_t t = 0; t < threads && !rc; t++) {
        w.compilers[t] = atg_compiler_new();
        rc = w.compilers[t] ? ATG_OK : no_memory(err);
    }
    if (!rc)
        rc = parallel_run(threads, (s->n_persons + WARM_LANES - 1) / WARM_LANES, compile_block, &w,
                          "families", progress, err);
    for (uint32_t t = 0; t < threads; t++)
        atg_compiler_free(w.compilers[t]);
    return rc;
}

static int take_all(standby *s, atg_err *err) {
    const atg_operation *op = &s->all.op;

    s->cap_persons = op->n_missing + SPARE;
    s->cap_bodies = op->n_samples + SPARE;
    s->persons = ATG_GET(s->arena, person, s->cap_persons);
    s->bodies = ATG_GET(s->arena, body, s->cap_bodies);
    s->scores = ATG_GET(s->arena, float, s->cap_persons + s->cap_bodies);
    s->compiler = atg_compiler_new();
    if (!s->persons || !s->bodies || !s->scores || !s->compiler)
        return no_memory(err);
    for (uint32_t j = 0; j < op->n_missing; j++)
        s->persons[s->n_persons++] = (person){.file = s->all.missing[j],
                                              .family = s->all.families[op->missing[j].family],
                                              .op = op,
                                              .index = j,
                                              .there = true};
    for (uint32_t i = 0; i < op->n_samples; i++)
        s->bodies[s->n_bodies++] = (body){s->all.remains[i], &op->samples[i]};
    return warm_new(op, s->cap_persons, &s->tables, err);
}

int standby_open(cases *c, const standby_options *o, standby **ret, atg_err *err) {
    standby *s = mem_zero(1, sizeof(*s));
    reading r = {.s = s};
    int rc;

    if (!s)
        return no_memory(err);
    s->c = c;
    s->operation = o->operation;
    s->threads = o->threads;
    s->arena = r.arena = atg_arena_new(load_memory);
    rc = s->arena ? store_read(cases_store(c), read_operation, &r, err) : no_memory(err);
    s->all = r.in;
    if (!rc)
        rc = take_all(s, err);
    if (!rc)
        rc = compile_all(s, o->progress, err);
    if (rc) {
        standby_close(s);
        return rc;
    }
    *ret = s;
    return ATG_OK;
}

void standby_close(standby *s) {
    if (!s)
        return;
    warm_free(s->tables);
    atg_compiler_free(s->compiler);
    atg_arena_free(s->arena);
    mem_free(s);
}

uint32_t standby_missing(const standby *s) {
    return s->n_persons;
}

uint32_t standby_bodies(const standby *s) {
    return s->n_bodies;
}

/* One file as it is now, into the memory of the whole. */
static int read_part(standby *s, const uuid *file, loaded *ret, atg_err *err) {
    reading r = {.s = s, .arena = s->arena, .only = file};
    int rc = store_read(cases_store(s->c), read_operation, &r, err);

    if (!rc && r.in.alleles != s->all.alleles)
        rc = atg_fail(err, ATG_ELIMIT, "An allele came that the tables lack: all is compiled anew");
    if (rc)
        return rc;
    *ret = r.in;
    /* the same tables: what the compiler made of them is not made again */
    ret->op.markers = s->all.op.markers;
    return ATG_OK;
}

/* ---- pairs ---- */

typedef struct scored {
    uint32_t at;
    float score;
} scored;

static int by_score(const void *x, const void *y) {
    const scored *a = x, *b = y;

    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    return a->at < b->at ? -1 : a->at > b->at;
}

/* The best of `n` scores at or above the floor, the best first. */
static uint32_t best_of(const float *scores, uint32_t n, uint32_t most, scored *ret) {
    uint32_t found = 0;

    for (uint32_t at = 0; at < n; at++) {
        scored now = {at, scores[at]};

        if (!(now.score >= floor_log10))
            continue;
        if (found < most) {
            ret[found++] = now;
            if (found == most)
                qsort(ret, found, sizeof(*ret), by_score);
        } else if (by_score(&now, &ret[most - 1]) < 0) {
            uint32_t i = most - 1;

            for (; i && by_score(&now, &ret[i - 1]) < 0; i--)
                ret[i] = ret[i - 1];
            ret[i] = now;
        }
    }
    if (found < most)
        qsort(ret, found, sizeof(*ret), by_score);
    return found;
}

/* What a body is anybody's by: 1 + sum of prior odds times LR over all persons. */
static double weight_of(const standby *s, const float *scores) {
    double odds = atg_prior_odds(&s->all.op, 0, 0), sum = 1;

    for (uint32_t at = 0; at < s->n_persons; at++)
        if (scores[at] > -30)
            sum += odds * exp((double)scores[at] * M_LN10);
    return sum;
}

/* The pair to all digits, from the family itself. */
static int score_pair(const standby *s, const body *b, const person *p, double weight,
                      standby_pair *ret, atg_err *err) {
    double lr[ATG_MARKERS_MAX], odds = atg_prior_odds(&s->all.op, 0, 0), w;
    int rc = atg_pair_lr(p->op, b->sample, p->index, true, lr, err);

    if (rc)
        return rc;
    *ret = (standby_pair){
        .remains = b->file, .missing = p->file, .log10_lr = identify_counted(p->op, lr)};
    for (uint32_t m = 0; m < p->op->n_markers; m++)
        ret->n_markers += !isnan(lr[m]);
    ret->n_direct = atg_own_compared(p->op, b->sample, p->index, NULL);
    w = odds * pow(10, ret->log10_lr);
    ret->posterior = isfinite(w) ? w / fmax(weight, 1 + w) : 1;
    return ATG_OK;
}

/* ---- a body ---- */

static int rank_body(standby *s, atg_arena *arena, const body *b, standby_pair **ret,
                     uint32_t *ret_n, atg_err *err) {
    scored best[BEST];
    uint32_t n;
    double weight;
    standby_pair *pairs = ATG_GET(arena, standby_pair, BEST);
    int rc = pairs ? warm_rank(s->tables, b->sample, s->threads, s->scores, err) : no_memory(err);

    if (rc)
        return rc;
    n = best_of(s->scores, s->n_persons, BEST, best);
    weight = weight_of(s, s->scores);
    for (uint32_t i = 0; i < n && !rc; i++)
        rc = score_pair(s, b, &s->persons[best[i].at], weight, &pairs[i], err);
    *ret = pairs;
    *ret_n = n;
    return rc;
}

static void forget_body(standby *s, const uuid *file) {
    for (uint32_t i = 0; i < s->n_bodies; i++)
        if (uuid_cmp(&s->bodies[i].file, file) == 0)
            s->bodies[i].sample = NULL;
}

int standby_remains(standby *s, atg_arena *arena, const uuid *file, standby_pair **ret,
                    uint32_t *ret_n, atg_err *err) {
    standby_pair *all;
    uint32_t n = 0;
    loaded in = {0};
    int rc = read_part(s, file, &in, err);

    if (rc)
        return rc;
    if (s->n_bodies + in.op.n_samples > s->cap_bodies)
        return atg_fail(err, ATG_ELIMIT, "No room for more bodies: all is compiled anew");
    forget_body(s, file);
    all = ATG_GET(arena, standby_pair, (size_t)BEST * (in.op.n_samples + 1));
    if (!all)
        return no_memory(err);
    for (uint32_t i = 0; i < in.op.n_samples && !rc; i++) {
        body *b = &s->bodies[s->n_bodies++];
        standby_pair *pairs;
        uint32_t k = 0;

        *b = (body){*file, &in.op.samples[i]};
        rc = rank_body(s, arena, b, &pairs, &k, err);
        if (!rc && k)
            memcpy(all + n, pairs, k * sizeof(*all));
        n += rc ? 0 : k;
    }
    *ret = all;
    *ret_n = n;
    return rc;
}

/* ---- a family ---- */

static void forget_family(standby *s, const uuid *family) {
    for (uint32_t at = 0; at < s->n_persons; at++)
        if (s->persons[at].there && uuid_cmp(&s->persons[at].family, family) == 0) {
            s->persons[at].there = false;
            warm_remove(s->tables, at);
        }
}

static void forget_person(standby *s, const uuid *missing) {
    for (uint32_t at = 0; at < s->n_persons; at++)
        if (s->persons[at].there && uuid_cmp(&s->persons[at].file, missing) == 0) {
            s->persons[at].there = false;
            warm_remove(s->tables, at);
        }
}

static int place_person(standby *s, const person *p, uint32_t *ret, atg_err *err) {
    uint32_t at = 0;
    int rc;

    while (at < s->n_persons && s->persons[at].there)
        at++;
    if (at == s->cap_persons)
        return atg_fail(err, ATG_ELIMIT, "No room for more families: all is compiled anew");
    rc = warm_put(s->tables, s->compiler, p->op, p->index, at, err);
    if (rc)
        return rc;
    s->persons[at] = *p;
    s->n_persons = at < s->n_persons ? s->n_persons : at + 1;
    *ret = at;
    return ATG_OK;
}

/* The weight of a body, which all persons of a family share: 0 as long as nobody asked for it. */
static int weigh(standby *s, uint32_t i, double *weights, atg_err *err) {
    int rc = weights[i] > 0 ? ATG_OK
                            : warm_rank(s->tables, s->bodies[i].sample, s->threads, s->scores, err);

    if (rc == ATG_OK && !(weights[i] > 0))
        weights[i] = weight_of(s, s->scores);
    return rc;
}

/* A person against all bodies; of those that may be, the body against everybody for the weight. */
static int rank_person(standby *s, uint32_t at, double *weights, standby_pair *to, uint32_t *ret_n,
                       atg_err *err) {
    float *scores = s->scores + s->cap_persons;
    scored best[BEST];
    uint32_t n;
    int rc = ATG_OK;

    for (uint32_t i = 0; i < s->n_bodies && !rc; i++) {
        scores[i] = -HUGE_VALF;
        if (s->bodies[i].sample)
            rc = warm_rank_bodies(s->tables, at, 1, s->bodies[i].sample, &scores[i], err);
    }
    if (rc)
        return rc;
    n = best_of(scores, s->n_bodies, BEST, best);
    for (uint32_t i = 0; i < n && !rc; i++) {
        uint32_t of = best[i].at;

        rc = weigh(s, of, weights, err);
        if (!rc)
            rc = score_pair(s, &s->bodies[of], &s->persons[at], weights[of], &to[i], err);
    }
    *ret_n = n;
    return rc;
}

int standby_family(standby *s, atg_arena *arena, const uuid *file, standby_pair **ret,
                   uint32_t *ret_n, atg_err *err) {
    atg_operation *op = ATG_GET(s->arena, atg_operation, 1);
    double *weights = ATG_GET(arena, double, s->n_bodies + 1);
    standby_pair *all;
    uint32_t n = 0, *places;
    loaded in = {0};
    int rc = op && weights ? read_part(s, file, &in, err) : no_memory(err);

    if (rc)
        return rc;
    *op = in.op;
    all = ATG_GET(arena, standby_pair, (size_t)BEST * (op->n_missing + 1));
    places = ATG_GET(arena, uint32_t, op->n_missing + 1);
    if (!all || !places)
        return no_memory(err);
    forget_family(s, file);
    for (uint32_t j = 0; j < op->n_missing; j++) /* who came from another family, or from none */
        forget_person(s, &in.missing[j]);
    for (uint32_t j = 0; j < op->n_missing && !rc; j++) {
        person p = {.file = in.missing[j], .family = *file, .op = op, .index = j, .there = true};

        rc = place_person(s, &p, &places[j], err);
    }
    for (uint32_t j = 0; j < op->n_missing && !rc; j++) {
        uint32_t k = 0;

        rc = rank_person(s, places[j], weights, all + n, &k, err);
        n += rc ? 0 : k;
    }
    *ret = all;
    *ret_n = n;
    return rc;
}
