/* SPDX-License-Identifier: Apache-2.0 */
#include <antigone/assign.h>

#include <math.h>
#include <string.h>

#include "base/parallel.h"
#include "match/assign_sample.h"

enum { TOP_MAX = 1000 };

#define MEMORY ((size_t)1 << 30)
/* What a part may use while others are solved beside it. */
#define SMALL_MEMORY ((size_t)64 << 20)
#define SMALL_WORK 20000000
#define SMALL_TUPLES 1000000
#define MOST_WORK 8000000000

typedef struct job {
    const problem *problem;
    answer *answer;
    size_t memory;
    unsigned char *large; /* per part */
} job;

/* Is there so much to gather that the part would not stay small? */
static bool has_many_tuples(const problem *pr, const part *q) {
    uint64_t n = 0;

    for (uint32_t i = 0; i < q->n_families; i++)
        n += pr->families[q->families[i]].n_tuples;
    return n > SMALL_TUPLES;
}

static int solve_small(void *user, uint32_t worker, uint64_t piece, atg_err *err) {
    job *j = user;
    pool p = pool_new(j->memory < SMALL_MEMORY ? j->memory : SMALL_MEMORY);
    work w = {.most = SMALL_WORK};

    (void)worker;
    if (has_many_tuples(j->problem, &j->problem->parts[piece])) {
        j->large[piece] = 1;
        return ATG_OK;
    }

    int rc = exact_solve(j->problem, (uint32_t)piece, &p, 1, &w, j->answer);

    if (rc == ATG_ELIMIT) {
        j->large[piece] = 1;
        rc = ATG_OK;
    } else if (rc) {
        p.rc = rc;
        rc = assign_refused(&p, err);
    }
    pool_free(&p);
    return rc;
}

static int solve_large(job *j, uint32_t index, uint32_t threads, const atg_progress *progress,
                       atg_err *err) {
    pool p = pool_new(j->memory);
    work w = {.most = MOST_WORK, .progress = progress};
    int rc = exact_solve(j->problem, index, &p, threads, &w, j->answer);

    if (rc != ATG_ELIMIT)
        j->large[index] = 0;
    if (rc && rc != ATG_ELIMIT) {
        p.rc = rc;
        rc = assign_refused(&p, err);
    } else {
        rc = ATG_OK;
    }
    pool_free(&p);
    return rc;
}

static int solve_parts(job *j, const atg_assign_options *o, const atg_progress *progress,
                       atg_err *err) {
    const problem *pr = j->problem;
    uint32_t threads = o->threads ? o->threads : 1;
    int rc = ATG_OK;

    if (o->force_sampling)
        for (uint32_t i = 0; i < pr->n_parts; i++)
            j->large[i] = 1;
    else
        rc = parallel_run(threads, pr->n_parts, solve_small, j, "joint", progress, err);
    for (uint32_t i = 0; !rc && !o->force_sampling && i < pr->n_parts; i++)
        if (j->large[i])
            rc = solve_large(j, i, threads, progress, err);
    for (uint32_t i = 0; !rc && i < pr->n_parts; i++) {
        sample_options s = {.seed = o->seed + i,
                            .threads = threads,
                            .n_samples = o->n_samples,
                            .memory = j->memory,
                            .progress = progress};

        if (j->large[i])
            rc = sample_part(pr, i, &s, j->answer, err);
    }
    return rc;
}

/* ---- the result ---- */

static int out_of_memory(atg_err *err) {
    return atg_fail(err, ATG_ENOMEM, "Out of memory for the result of the joint identification");
}

static int room_for_answer(answer *a, const problem *pr, atg_arena *arena, uint32_t n_top,
                           atg_err *err) {
    const atg_assign_problem *in = pr->in;

    *a = (answer){.body_nobody = ATG_GET(arena, double, in->n_bodies),
                  .missing_nobody = ATG_GET(arena, double, in->n_missing),
                  .parts = ATG_GET(arena, atg_assign_part, pr->n_parts),
                  .pair_best = POOL_GET(pr->pool, int64_t, pr->n_pairs),
                  .body_none_best = POOL_GET(pr->pool, int64_t, in->n_bodies),
                  .count = POOL_GET(pr->pool, double, pr->n_parts),
                  .ranked = POOL_GET(pr->pool, const ranked *, pr->n_parts),
                  .keep = POOL_GET(pr->pool, pool, pr->n_parts),
                  .n_top = n_top ? n_top : 1};
    if (!a->body_nobody || !a->missing_nobody || !a->parts)
        return out_of_memory(err);
    if (!a->pair_best || !a->body_none_best || !a->count || !a->ranked || !a->keep)
        return assign_refused(pr->pool, err);
    for (uint32_t b = 0; b < in->n_bodies; b++)
        a->body_nobody[b] = 1;
    for (uint32_t m = 0; m < in->n_missing; m++)
        a->missing_nobody[m] = 1;
    for (uint32_t i = 0; i < pr->n_parts; i++)
        a->keep[i] = pool_new(SIZE_MAX / 2);
    return ATG_OK;
}

static int put_parts(const problem *pr, const answer *a, atg_arena *arena, atg_assign_result *r,
                     atg_err *err) {
    uint32_t *body_part = ATG_GET(arena, uint32_t, pr->in->n_bodies);
    uint32_t *missing_part = ATG_GET(arena, uint32_t, pr->in->n_missing);

    if (!body_part || !missing_part)
        return out_of_memory(err);
    memcpy(body_part, pr->body_part, pr->in->n_bodies * sizeof(*body_part));
    memset(missing_part, 0xff, pr->in->n_missing * sizeof(*missing_part));
    for (uint32_t i = 0; i < pr->n_pairs; i++) {
        uint32_t index = pr->body_part[pr->pairs[i].body], m = pr->pairs[i].missing;

        a->parts[index].n_missing += missing_part[m] == ASSIGN_NONE;
        missing_part[m] = index;
    }
    r->log_z = 0;
    r->n_possible = 1;
    for (uint32_t i = 0; i < pr->n_parts; i++) {
        a->parts[i].n_bodies = pr->parts[i].n_bodies;
        r->log_z += a->parts[i].log_z;
        r->n_possible *= a->count[i];
    }
    r->body_part = body_part;
    r->missing_part = missing_part;
    r->n_parts = pr->n_parts;
    r->parts = a->parts;
    return ATG_OK;
}

static int32_t *nobody(const problem *pr, atg_arena *arena) {
    int32_t *missing_of = ATG_GET(arena, int32_t, pr->in->n_bodies);

    if (missing_of)
        memset(missing_of, 0xff, pr->in->n_bodies * sizeof(*missing_of));
    return missing_of;
}

static int put_listed(const problem *pr, const ranked *all, uint32_t n, atg_arena *arena,
                      atg_assign_result *r) {
    atg_assign_listed *top = ATG_GET(arena, atg_assign_listed, n);

    if (!top)
        return ATG_ENOMEM;
    for (uint32_t i = 0; i < n; i++) {
        int32_t *missing_of = nobody(pr, arena);

        if (!missing_of)
            return ATG_ENOMEM;
        if (all)
            rank_write(all, i, missing_of);
        top[i] = (atg_assign_listed){missing_of, all ? all->log_weight[i] : 0};
    }
    r->top = top;
    r->n_top = n;
    return ATG_OK;
}

static int put_best(const problem *pr, const answer *a, atg_arena *arena, uint32_t n_top,
                    atg_assign_result *r, atg_err *err) {
    int32_t *best = nobody(pr, arena);
    const ranked *all = NULL;

    if (!best)
        return out_of_memory(err);
    if (pr->n_parts && rank_product(pr->pool, a->ranked, pr->n_parts, a->n_top, &all))
        return assign_refused(pr->pool, err);
    if (all)
        rank_write(all, 0, best);
    r->best = best;
    r->log_best = all ? all->log_weight[0] : 0;

    uint32_t found = all ? all->n : 1;

    if (put_listed(pr, all, found < n_top ? found : n_top, arena, r))
        return out_of_memory(err);
    return ATG_OK;
}

static int put_symmetries(const problem *pr, atg_arena *arena, atg_assign_result *r, atg_err *err) {
    atg_assign_symmetry *classes = ATG_GET(arena, atg_assign_symmetry, pr->n_classes);
    uint32_t *members = ATG_GET(arena, uint32_t, pr->in->n_missing);
    uint32_t *next = POOL_GET(pr->pool, uint32_t, (size_t)pr->n_classes + 1);

    if (!classes || !members)
        return out_of_memory(err);
    if (!next)
        return assign_refused(pr->pool, err);
    for (uint32_t m = 0; m < pr->in->n_missing; m++)
        if (pr->class_of[m] != ASSIGN_NONE)
            classes[pr->class_of[m]].n++;
    for (uint32_t c = 0; c < pr->n_classes; c++) {
        classes[c].missing = members + next[c];
        next[c + 1] = next[c] + classes[c].n;
    }
    for (uint32_t m = 0; m < pr->in->n_missing; m++)
        if (pr->class_of[m] != ASSIGN_NONE)
            members[next[pr->class_of[m]]++] = m;
    r->symmetries = classes;
    r->n_symmetries = pr->n_classes;
    return ATG_OK;
}

static int solve(const problem *pr, const atg_assign_options *o, const atg_progress *progress,
                 atg_arena *arena, atg_assign_result *ret, atg_err *err) {
    answer a = {0};
    job j = {.problem = pr,
             .answer = &a,
             .memory = o->memory ? o->memory : MEMORY,
             .large = POOL_GET(pr->pool, unsigned char, pr->n_parts)};
    atg_assign_result r = {.n_pairs = pr->n_pairs, .pairs = pr->pairs};

    if (!j.large)
        return assign_refused(pr->pool, err);

    int rc = room_for_answer(&a, pr, arena, o->n_top, err);

    if (!rc)
        rc = solve_parts(&j, o, progress, err);
    if (!rc)
        rc = put_parts(pr, &a, arena, &r, err);
    if (!rc)
        rc = put_best(pr, &a, arena, o->n_top, &r, err);
    if (!rc)
        rc = put_symmetries(pr, arena, &r, err);
    for (uint32_t i = 0; a.keep && i < pr->n_parts; i++)
        pool_free(&a.keep[i]);
    if (rc)
        return rc;
    r.body_nobody = a.body_nobody;
    r.missing_nobody = a.missing_nobody;
    *ret = r;
    return ATG_OK;
}

int atg_assign_solve(atg_arena *arena, const atg_assign_problem *in,
                     const atg_assign_options *options, const atg_progress *progress,
                     atg_assign_result *ret, atg_err *err) {
    atg_assign_options o = options ? *options : (atg_assign_options){0};
    pool p = pool_new(SIZE_MAX / 2);
    problem pr;

    if (o.n_top > TOP_MAX)
        return atg_fail(err, ATG_EINVAL, "At most %d best assignments can be listed, not %u",
                        TOP_MAX, o.n_top);

    int rc = problem_make(&pr, &p, arena, in, o.threads ? o.threads : 1, err);

    if (!rc)
        rc = solve(&pr, &o, progress, arena, ret, err);
    pool_free(&p);
    return rc;
}
