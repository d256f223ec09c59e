/* SPDX-License-Identifier: Apache-2.0 */
#include "match/assign_problem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/parallel.h"

int assign_refused(const pool *p, atg_err *err) {
    if (p->rc == ATG_ELIMIT)
        return atg_fail(err, ATG_ELIMIT,
                        "The joint identification needs more memory than it may use; raise the "
                        "memory it is given or screen out more pairs");
    if (p->rc == ATG_ECANCEL)
        return atg_fail(err, ATG_ECANCEL, "Stopped on request");
    return atg_fail(err, ATG_ENOMEM, "Out of memory in the joint identification");
}

/* ---- checks ---- */

static int check_missing(problem *pr, uint32_t index, atg_err *err) {
    const atg_assign_family *in = &pr->in->families[index];

    for (uint32_t k = 0; k < in->n_missing; k++) {
        uint32_t m = in->missing[k];

        if (m >= pr->in->n_missing)
            return atg_fail(err, ATG_EINVAL,
                            "Family %u lists missing person %u, but there are only %u", index, m,
                            pr->in->n_missing);
        if (pr->missing_family[m] != ASSIGN_NONE)
            return atg_fail(err, ATG_EINVAL,
                            "Missing person %u is listed twice (families %u and %u); list each "
                            "missing person in one place",
                            m, pr->missing_family[m], index);
        pr->missing_family[m] = index;
    }
    return ATG_OK;
}

/* `seen` holds, per body, the last tuple (counted over all families) that lists it. */
static int check_tuple(const problem *pr, uint32_t index, uint64_t tuple, uint64_t mark,
                       uint64_t *seen, atg_err *err) {
    const atg_assign_family *in = &pr->in->families[index];
    const int32_t *bodies = in->bodies + tuple * in->n_missing;
    bool none = true;

    for (uint32_t k = 0; k < in->n_missing; k++) {
        int32_t b = bodies[k];

        if (b == ATG_ASSIGN_NOBODY)
            continue;
        if (b < 0 || (uint32_t)b >= pr->in->n_bodies)
            return atg_fail(err, ATG_EINVAL,
                            "Family %u, tuple %llu names body %d, but there are only %u", index,
                            (unsigned long long)tuple, b, pr->in->n_bodies);
        if (seen[b] == mark)
            return atg_fail(err, ATG_EINVAL,
                            "Family %u, tuple %llu names body %d twice; a body is one person",
                            index, (unsigned long long)tuple, b);
        seen[b] = mark;
        none = false;
    }

    double w = in->log_weight[tuple];

    if (!(fabs(w) <= ASSIGN_LOG_MAX))
        return atg_fail(err, ATG_EINVAL,
                        "Family %u, tuple %llu has log weight %g; it must be finite (leave an "
                        "impossible tuple out) and within 1e9",
                        index, (unsigned long long)tuple, w);
    if (none && fabs(w) > ASSIGN_SAME)
        return atg_fail(err, ATG_EINVAL,
                        "Family %u gives nobody in all places log weight %g; it must be 0, so "
                        "divide the family's weights by that one",
                        index, w);
    return none;
}

static int by_number(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

/* The bodies of a family, ascending; `local` is 0 for all before and after. */
static int list_bodies(family *f, pool *p, unsigned char *local, uint32_t *room) {
    const atg_assign_family *in = f->in;
    size_t n = (size_t)in->n_tuples * in->n_missing;

    for (size_t i = 0; i < n; i++) {
        int32_t b = in->bodies[i];

        if (b >= 0 && !local[b]) {
            local[b] = 1;
            room[f->n_bodies++] = (uint32_t)b;
        }
    }
    f->bodies = POOL_GET(p, uint32_t, f->n_bodies);
    for (uint32_t i = 0; i < f->n_bodies; i++)
        local[room[i]] = 0;
    if (!f->bodies)
        return pool_rc(p);
    memcpy(f->bodies, room, f->n_bodies * sizeof(*room));
    qsort(f->bodies, f->n_bodies, sizeof(*room), by_number);
    return ATG_OK;
}

static int check_family(problem *pr, uint32_t index, uint64_t *seen, uint64_t *mark, atg_err *err) {
    family *f = &pr->families[index];
    const atg_assign_family *in = &pr->in->families[index];

    *f = (family){.in = in, .add_none = true, .part = ASSIGN_NONE};
    if (check_missing(pr, index, err))
        return ATG_EINVAL;
    if (in->n_tuples >= UINT32_MAX / 2)
        return atg_fail(err, ATG_ELIMIT,
                        "Family %u lists %llu tuples; at most two thousand million are handled",
                        index, (unsigned long long)in->n_tuples);
    f->n_tuples = (uint32_t)in->n_tuples;
    for (uint32_t t = 0; t < f->n_tuples; t++) {
        int none = check_tuple(pr, index, t, ++*mark, seen, err);

        if (none < 0)
            return none;
        if (none)
            f->add_none = false;
        f->log_most = fmax(f->log_most, fabs(in->log_weight[t]));
    }
    return ATG_OK;
}

static int check_families(problem *pr, atg_err *err) {
    pool *p = pr->pool;
    uint32_t n_bodies = pr->in->n_bodies;
    uint64_t *seen = POOL_GET(p, uint64_t, n_bodies), mark = 0;
    unsigned char *local = POOL_GET(p, unsigned char, n_bodies);
    uint32_t *room = POOL_GET(p, uint32_t, n_bodies);
    double total = 1;

    if (!seen || !local || !room)
        return assign_refused(p, err);
    for (uint32_t i = 0; i < pr->in->n_families; i++) {
        int rc = check_family(pr, i, seen, &mark, err);

        if (rc)
            return rc;
        if (list_bodies(&pr->families[i], p, local, room))
            return assign_refused(p, err);
        total += pr->families[i].log_most;
    }
    pr->scale = exp2(fmin(58 - ceil(log2(total) + 1e-9), 50));
    pool_drop(p, seen);
    pool_drop(p, local);
    pool_drop(p, room);
    return ATG_OK;
}

/* ---- parts ---- */

static uint32_t root(uint32_t *up, uint32_t i) {
    while (up[i] != i)
        i = up[i] = up[up[i]];
    return i;
}

/* Number the parts by their first body. */
static int find_parts(problem *pr) {
    pool *p = pr->pool;
    uint32_t n = pr->in->n_bodies;
    uint32_t *up = POOL_GET(p, uint32_t, n);

    if (!up)
        return pool_rc(p);
    for (uint32_t b = 0; b < n; b++)
        up[b] = b;
    for (uint32_t i = 0; i < pr->in->n_families; i++) {
        const family *f = &pr->families[i];

        for (uint32_t k = 1; k < f->n_bodies; k++)
            up[root(up, f->bodies[k])] = root(up, f->bodies[0]);
    }
    memset(pr->body_part, 0xff, n * sizeof(*pr->body_part));
    for (uint32_t i = 0; i < pr->in->n_families; i++)
        for (uint32_t k = 0; k < pr->families[i].n_bodies; k++)
            pr->body_part[pr->families[i].bodies[k]] = 0;
    for (uint32_t b = 0; b < n; b++)
        pr->body_local[b] = ASSIGN_NONE; /* by root, the part */
    for (uint32_t b = 0; b < n; b++) {
        if (pr->body_part[b] == ASSIGN_NONE)
            continue;

        uint32_t *number = &pr->body_local[root(up, b)];

        if (*number == ASSIGN_NONE)
            *number = pr->n_parts++;
        pr->body_part[b] = *number;
    }
    pool_drop(p, up);
    return ATG_OK;
}

static int fill_parts(problem *pr) {
    pool *p = pr->pool;

    pr->parts = POOL_GET(p, part, pr->n_parts);
    if (!pr->parts)
        return pool_rc(p);
    for (uint32_t b = 0; b < pr->in->n_bodies; b++)
        if (pr->body_part[b] != ASSIGN_NONE)
            pr->parts[pr->body_part[b]].n_bodies++;
    for (uint32_t i = 0; i < pr->in->n_families; i++) {
        family *f = &pr->families[i];

        if (f->n_bodies) {
            f->part = pr->body_part[f->bodies[0]];
            pr->parts[f->part].n_families++;
        }
    }
    for (uint32_t i = 0; i < pr->n_parts; i++) {
        part *q = &pr->parts[i];

        q->families = POOL_GET(p, uint32_t, q->n_families);
        q->bodies = POOL_GET(p, uint32_t, q->n_bodies);
        if (!q->families || !q->bodies)
            return pool_rc(p);
        q->n_families = q->n_bodies = 0;
    }
    for (uint32_t b = 0; b < pr->in->n_bodies; b++) {
        if (pr->body_part[b] == ASSIGN_NONE)
            continue;

        part *q = &pr->parts[pr->body_part[b]];

        pr->body_local[b] = q->n_bodies;
        q->bodies[q->n_bodies++] = b;
    }
    for (uint32_t i = 0; i < pr->in->n_families; i++) {
        part *q = pr->families[i].n_bodies ? &pr->parts[pr->families[i].part] : NULL;

        if (q)
            q->families[q->n_families++] = i;
    }
    return ATG_OK;
}

/* ---- pairs ---- */

/* Mark in pair_of which pairs some tuple holds. `local` is room for n_bodies. */
static int mark_pairs(family *f, pool *p, uint32_t *local) {
    const atg_assign_family *in = f->in;

    f->pair_of = POOL_GET(p, uint32_t, (size_t)in->n_missing * f->n_bodies);
    if (!f->pair_of)
        return pool_rc(p);
    for (uint32_t i = 0; i < f->n_bodies; i++)
        local[f->bodies[i]] = i;
    for (uint32_t t = 0; t < f->n_tuples; t++) {
        for (uint32_t k = 0; k < in->n_missing; k++) {
            int32_t b = in->bodies[(size_t)t * in->n_missing + k];

            if (b >= 0)
                f->pair_of[(size_t)k * f->n_bodies + local[b]] = 1;
        }
    }
    return ATG_OK;
}

static int by_body(const void *a, const void *b) {
    const atg_assign_pair *x = a, *y = b;

    if (x->body != y->body)
        return x->body < y->body ? -1 : 1;
    return (x->missing > y->missing) - (x->missing < y->missing);
}

static uint32_t pair_index(const problem *pr, uint32_t body, uint32_t missing) {
    uint32_t low = pr->pair_first[body], high = pr->pair_first[body + 1];

    while (high - low > 1) {
        uint32_t mid = low + (high - low) / 2;

        if (pr->pairs[mid].missing <= missing)
            low = mid;
        else
            high = mid;
    }
    return low;
}

static void number_pairs(problem *pr) {
    for (uint32_t i = 0; i < pr->in->n_families; i++) {
        family *f = &pr->families[i];

        for (uint32_t k = 0; k < f->in->n_missing; k++) {
            for (uint32_t j = 0; j < f->n_bodies; j++) {
                uint32_t *at = &f->pair_of[(size_t)k * f->n_bodies + j];

                *at = *at ? pair_index(pr, f->bodies[j], f->in->missing[k]) : ASSIGN_NONE;
            }
        }
    }
}

static void list_pairs(problem *pr) {
    uint32_t n = 0;

    for (uint32_t i = 0; i < pr->in->n_families; i++) {
        const family *f = &pr->families[i];

        for (uint32_t k = 0; k < f->in->n_missing; k++)
            for (uint32_t j = 0; j < f->n_bodies; j++)
                if (f->pair_of[(size_t)k * f->n_bodies + j])
                    pr->pairs[n++] =
                        (atg_assign_pair){.body = f->bodies[j], .missing = f->in->missing[k]};
    }
    qsort(pr->pairs, n, sizeof(*pr->pairs), by_body);
    for (uint32_t i = 0; i < n; i++)
        pr->pair_first[pr->pairs[i].body + 1]++;
    for (uint32_t b = 0; b < pr->in->n_bodies; b++)
        pr->pair_first[b + 1] += pr->pair_first[b];
}

static int find_pairs(problem *pr, atg_arena *arena, atg_err *err) {
    pool *p = pr->pool;
    uint32_t *local = POOL_GET(p, uint32_t, pr->in->n_bodies);
    size_t n = 0;

    pr->pair_first = POOL_GET(p, uint32_t, (size_t)pr->in->n_bodies + 1);
    if (!local || !pr->pair_first)
        return assign_refused(p, err);
    for (uint32_t i = 0; i < pr->in->n_families; i++) {
        family *f = &pr->families[i];

        if (mark_pairs(f, p, local))
            return assign_refused(p, err);
        for (size_t k = 0; k < (size_t)f->in->n_missing * f->n_bodies; k++)
            n += f->pair_of[k];
    }
    if (n >= UINT32_MAX)
        return atg_fail(err, ATG_ELIMIT,
                        "More than four thousand million pairs are possible; screen pairs first");
    pr->n_pairs = (uint32_t)n;
    pr->pairs = ATG_GET(arena, atg_assign_pair, n);
    if (!pr->pairs)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for the possible pairs");
    list_pairs(pr);
    number_pairs(pr);
    pool_drop(p, local);
    return ATG_OK;
}

static int look_for_symmetries(void *user, uint32_t worker, uint64_t piece, atg_err *err) {
    problem *pr = user;

    (void)worker;
    return family_symmetries(&pr->families[piece], (uint32_t)piece, pr->class_of, err);
}

int problem_make(problem *ret, pool *p, atg_arena *arena, const atg_assign_problem *in,
                 uint32_t threads, atg_err *err) {
    problem pr = {.in = in,
                  .pool = p,
                  .families = POOL_GET(p, family, in->n_families),
                  .body_part = POOL_GET(p, uint32_t, in->n_bodies),
                  .body_local = POOL_GET(p, uint32_t, in->n_bodies),
                  .missing_family = POOL_GET(p, uint32_t, in->n_missing),
                  .class_of = POOL_GET(p, uint32_t, in->n_missing)};

    if (!pr.families || !pr.body_part || !pr.body_local || !pr.missing_family || !pr.class_of)
        return assign_refused(p, err);
    memset(pr.missing_family, 0xff, in->n_missing * sizeof(*pr.missing_family));
    memset(pr.class_of, 0xff, in->n_missing * sizeof(*pr.class_of));

    int rc = check_families(&pr, err);

    if (!rc)
        rc = parallel_run(threads, in->n_families, look_for_symmetries, &pr, "joint", NULL, err);
    if (rc)
        return rc;
    if (find_parts(&pr) || fill_parts(&pr) || single_symmetries(&pr) || number_symmetries(&pr))
        return assign_refused(p, err);
    rc = find_pairs(&pr, arena, err);
    if (!rc)
        *ret = pr;
    return rc;
}
