/* SPDX-License-Identifier: Apache-2.0 */
#include "match/assign_sample.h"

#include <string.h>

#include "base/parallel.h"
#include "match/assign_chain.h"
#include "match/assign_top.h"

enum {
    SAMPLES = 20000,
    SAMPLES_LEAST = 400,
    FAMILIES_EASY = 200, /* larger parts get fewer sweeps */
    BATCHES = 40,        /* per chain: two halves of 20 */
    HEATS = 8,
    MOST_RESTRICTED = 500000000,
};

/* Variances below this are not told from none when chains are compared. */
#define RHAT_FLOOR 1e-10

/* Batch means of one estimated probability in half a chain. */
typedef struct moments {
    double sum, squares;
} moments;

typedef struct sampling {
    const problem *problem;
    const part *part;
    chain_model model;
    uint32_t n_batches, per_batch, burn_in;
    uint64_t seed;
    const atg_progress *progress;
    size_t n_cells;     /* pairs by family, place and body, then nobody by family and place */
    size_t *first_cell; /* per family */
    size_t *first_none;
    moments *moments[SAMPLE_CHAINS][2];
    double *mass[SAMPLE_CHAINS]; /* per set, over all batches */
    uint32_t *last[SAMPLE_CHAINS];
    pool pools[SAMPLE_CHAINS];
} sampling;

static bool stopped(const sampling *s, uint32_t worker, uint64_t done, uint64_t all) {
    const atg_progress *p = s->progress;

    return worker == 0 && p && p->step && !p->step(p->user, "joint, sampled", done, all);
}

/* Turn what the batch added to the sets of a family into probabilities of pairs. */
static void close_family(const sampling *s, chain *c, uint32_t f, double *value) {
    const chain_family *cf = &c->model->families[f];
    const atg_assign_family *in = cf->family->in;
    double *mass = c->mass + cf->first_set, *none = value + s->first_none[f];
    uint32_t n_bodies = cf->family->n_bodies;

    value += s->first_cell[f];
    for (uint32_t t = 0; t < cf->family->n_tuples + cf->family->add_none; t++) {
        double share = mass[cf->set_of[t]] * cf->share[t] / c->updates[f];

        for (uint32_t k = 0; k < in->n_missing; k++) {
            int32_t b = t < in->n_tuples ? in->bodies[(size_t)t * in->n_missing + k] : -1;

            if (b < 0) {
                none[k] += share;
                continue;
            }

            uint32_t low = 0, high = n_bodies;

            while (high - low > 1) {
                uint32_t mid = low + (high - low) / 2;

                if (cf->family->bodies[mid] <= (uint32_t)b)
                    low = mid;
                else
                    high = mid;
            }
            value[(size_t)k * n_bodies + low] += share;
        }
    }
}

static void close_batch(const sampling *s, chain *c, uint32_t number, uint32_t batch,
                        double *value) {
    moments *m = s->moments[number][batch >= s->n_batches / 2];

    memset(value, 0, s->n_cells * sizeof(*value));
    for (uint32_t f = 0; f < c->model->n_families; f++)
        close_family(s, c, f, value);
    for (size_t i = 0; i < s->n_cells; i++) {
        m[i].sum += value[i];
        m[i].squares += value[i] * value[i];
    }
    for (size_t i = 0; i < c->model->n_sets; i++)
        s->mass[number][i] += c->mass[i];
    memset(c->mass, 0, c->model->n_sets * sizeof(*c->mass));
    memset(c->updates, 0, c->model->n_families * sizeof(*c->updates));
}

/* From nobody identified, cooling down to the posterior. */
static int burn_in(const sampling *s, chain *c, uint32_t worker, pool *p) {
    for (uint32_t i = 0; i < s->burn_in; i++) {
        uint32_t stage = (uint32_t)((uint64_t)i * (HEATS + 2) / s->burn_in);

        c->heat = stage >= HEATS ? 1 : (double)(stage + 1) / (HEATS + 1);
        if (chain_sweep(c)) {
            p->rc = ATG_ENOMEM;
            return pool_rc(p);
        }
        if (i % 64 == 0 && stopped(s, worker, i, 0)) {
            p->rc = ATG_ECANCEL;
            return pool_rc(p);
        }
    }
    c->heat = 1;
    c->counting = true;
    c->sweeps = 0;
    return ATG_OK;
}

static int run_chain(void *user, uint32_t worker, uint64_t piece, atg_err *err) {
    sampling *s = user;
    uint32_t number = (uint32_t)piece;
    pool *p = &s->pools[number];
    chain c;
    double *value = POOL_GET(p, double, s->n_cells);

    if (!value || chain_new(&c, &s->model, s->seed * SAMPLE_CHAINS + number, p) ||
        burn_in(s, &c, worker, p))
        return assign_refused(p, err);
    for (uint32_t b = 0; b < s->n_batches; b++) {
        for (uint32_t i = 0; i < s->per_batch; i++) {
            if (chain_sweep(&c))
                p->rc = ATG_ENOMEM;
            else if (i % 64 == 0 && stopped(s, worker, b, s->n_batches))
                p->rc = ATG_ECANCEL;
            if (p->rc)
                return assign_refused(p, err);
        }
        close_batch(s, &c, number, b, value);
    }
    memcpy(s->last[number], c.set, s->model.n_families * sizeof(*c.set));
    return ATG_OK;
}

/* ---- estimates ---- */

typedef struct estimate {
    double mean, std_error, rhat;
} estimate;

/* Gelman & Rubin's statistic over half chains, batch means being the draws; the standard error is
 * the larger of that of the batch means and that of the chains' means. */
static estimate estimate_cell(const sampling *s, size_t i) {
    double half = .5 * s->n_batches, n = 2 * SAMPLE_CHAINS, mean = 0, within = 0, between = 0;
    double squares = 0, chains = 0;

    for (int c = 0; c < SAMPLE_CHAINS; c++)
        for (int h = 0; h < 2; h++)
            mean += s->moments[c][h][i].sum / half / n;
    for (int c = 0; c < SAMPLE_CHAINS; c++) {
        double both = 0;

        for (int h = 0; h < 2; h++) {
            moments m = s->moments[c][h][i];
            double own = m.sum / half;

            within += fmax(m.squares - half * own * own, 0) / (half - 1) / n;
            between += (own - mean) * (own - mean) / (n - 1);
            squares += m.squares;
            both += own / 2;
        }
        chains += (both - mean) * (both - mean);
    }

    double all = half * n, batches = fmax(squares - all * mean * mean, 0) / (all - 1) / all;

    chains /= (double)SAMPLE_CHAINS * (SAMPLE_CHAINS - 1);
    return (estimate){
        .mean = mean,
        .std_error = sqrt(fmax(batches, chains)),
        .rhat = sqrt(((half - 1) / half * within + between + RHAT_FLOOR) / (within + RHAT_FLOOR))};
}

/* One over the effective number of draws of what mixes worst: states less probable than about this
 * may have been missed, so no error is smaller. */
static double least_error(const sampling *s) {
    double least = 0;

    for (size_t i = 0; i < s->n_cells; i++) {
        estimate e = estimate_cell(s, i);

        least = fmax(least, e.std_error * e.std_error / fmax(e.mean * (1 - e.mean), .01));
    }
    return least;
}

static void put_estimates(const sampling *s, atg_assign_part *to, answer *ret) {
    const problem *pr = s->problem;
    double least = least_error(s);

    to->max_rhat = 1;
    for (uint32_t i = 0; i < s->part->n_bodies; i++)
        ret->body_nobody[s->part->bodies[i]] = 1;
    for (uint32_t f = 0; f < s->model.n_families; f++) {
        const family *fam = s->model.families[f].family;

        for (uint32_t k = 0; k < fam->in->n_missing; k++) {
            for (uint32_t j = 0; j < fam->n_bodies; j++) {
                size_t at = (size_t)k * fam->n_bodies + j;
                estimate e = estimate_cell(s, s->first_cell[f] + at);

                if (fam->pair_of[at] == ASSIGN_NONE)
                    continue;
                pr->pairs[fam->pair_of[at]].posterior = e.mean;
                pr->pairs[fam->pair_of[at]].std_error = fmax(e.std_error, least);
                pr->pairs[fam->pair_of[at]].log_glr = NAN;
                ret->body_nobody[fam->bodies[j]] -= e.mean;
                to->max_rhat = fmax(to->max_rhat, e.rhat);
            }
            ret->missing_nobody[fam->in->missing[k]] = estimate_cell(s, s->first_none[f] + k).mean;
        }
    }
    for (uint32_t i = 0; i < s->part->n_bodies; i++)
        ret->body_nobody[s->part->bodies[i]] = fmax(ret->body_nobody[s->part->bodies[i]], 0);
}

/* ---- the best ---- */

/* The tuples of sets that some chain ends in, or that are at least so probable. */
static int likely_tuples(const sampling *s, double least, pool *p, const exact_part *x,
                         view *views) {
    for (uint32_t f = 0; f < s->model.n_families; f++) {
        const chain_family *cf = &s->model.families[f];
        uint32_t all = cf->family->n_tuples + cf->family->add_none;
        uint32_t *pick = POOL_GET(p, uint32_t, all), n = 0;
        double updates = 0;

        if (!pick)
            return pool_rc(p);
        for (uint32_t i = 0; i < cf->sets.n; i++)
            for (int c = 0; c < SAMPLE_CHAINS; c++)
                updates += s->mass[c][cf->first_set + i];
        for (uint32_t t = 0; t < all; t++) {
            uint32_t set = cf->set_of[t];
            double mass = 0;
            bool ends = false;

            for (int c = 0; c < SAMPLE_CHAINS; c++) {
                mass += s->mass[c][cf->first_set + set];
                ends |= s->last[c][f] == set;
            }
            if (ends || set == 0 || (least < 1 && mass * cf->share[t] >= least * updates))
                pick[n++] = t;
        }
        views[f] = (view){.block = &x->model.blocks[f], .pick = pick, .n = n};
    }
    return ATG_OK;
}

/* The best of what the chains found likely, exactly; of less where that is too much. */
static int find_best(const sampling *s, uint32_t index, const sample_options *o, answer *ret) {
    static const double least[] = {1e-6, 1e-3, .1, 1};
    int rc = ATG_ELIMIT;

    for (size_t i = 0; rc == ATG_ELIMIT && i < sizeof(least) / sizeof(*least); i++) {
        pool p = pool_new(o->memory);
        work w = {.most = MOST_RESTRICTED, .progress = o->progress};
        exact_part x;
        joint jt;
        view *views = POOL_GET(&p, view, s->model.n_families);

        rc = views ? exact_part_families(&x, s->problem, index, &p) : pool_rc(&p);
        if (!rc)
            rc = likely_tuples(s, least[i], &p, &x, views);
        if (!rc) {
            rc = joint_make(&jt, &p, &x.model, views, false, JOINT_STARTS_ALL);
            if (!rc)
                rc = joint_solve(&jt, 1, &w);
            if (!rc)
                rc = top_part(&x, &jt, ret->n_top, 1, &ret->keep[index], &ret->ranked[index]);
            joint_free(&jt);
        }
        pool_free(&p);
    }
    return rc;
}

/* ---- all of it ---- */

static int make_room(sampling *s, pool *p) {
    uint32_t n = s->model.n_families;

    s->first_cell = POOL_GET(p, size_t, n);
    s->first_none = POOL_GET(p, size_t, n);
    if (!s->first_cell || !s->first_none)
        return pool_rc(p);
    for (uint32_t f = 0; f < n; f++) {
        const family *fam = s->model.families[f].family;

        s->first_cell[f] = s->n_cells;
        s->n_cells += (size_t)fam->in->n_missing * fam->n_bodies;
        s->first_none[f] = s->n_cells;
        s->n_cells += fam->in->n_missing;
    }
    for (int c = 0; c < SAMPLE_CHAINS; c++) {
        s->moments[c][0] = POOL_GET(p, moments, s->n_cells);
        s->moments[c][1] = POOL_GET(p, moments, s->n_cells);
        s->mass[c] = POOL_GET(p, double, s->model.n_sets);
        s->last[c] = POOL_GET(p, uint32_t, n);
        s->pools[c] = pool_new(SIZE_MAX / 2);
        if (!s->moments[c][0] || !s->moments[c][1] || !s->mass[c] || !s->last[c])
            return pool_rc(p);
    }
    return ATG_OK;
}

static void plan_sweeps(sampling *s, uint32_t asked) {
    uint32_t n = asked, most_stride = 1;

    if (!n) {
        n = s->model.n_families > FAMILIES_EASY
                ? (uint32_t)((uint64_t)SAMPLES * FAMILIES_EASY / s->model.n_families)
                : SAMPLES;
        n = n < SAMPLES_LEAST ? SAMPLES_LEAST : n;
    }
    for (uint32_t f = 0; f < s->model.n_families; f++)
        if (s->model.families[f].stride > most_stride)
            most_stride = s->model.families[f].stride;
    s->n_batches = BATCHES;
    s->per_batch = (n + BATCHES - 1) / BATCHES;
    /* every family is updated in every batch */
    s->per_batch = s->per_batch < most_stride ? most_stride : s->per_batch;
    s->burn_in = s->per_batch * BATCHES / 4;
}

int sample_part(const problem *pr, uint32_t index, const sample_options *o, answer *ret,
                atg_err *err) {
    pool p = pool_new(SIZE_MAX / 2);
    sampling s = {
        .problem = pr, .part = &pr->parts[index], .seed = o->seed, .progress = o->progress};
    int rc = chain_model_make(&s.model, pr, index, &p);

    if (!rc)
        rc = make_room(&s, &p);
    if (rc) {
        rc = assign_refused(&p, err);
    } else {
        plan_sweeps(&s, o->n_samples);
        rc = parallel_run(o->threads, SAMPLE_CHAINS, run_chain, &s, "joint, sampled", NULL, err);
    }
    if (!rc) {
        put_estimates(&s, &ret->parts[index], ret);
        ret->parts[index].log_z = NAN;
        ret->count[index] = NAN;
        p.rc = find_best(&s, index, o, ret);
        if (p.rc)
            rc = assign_refused(&p, err);
    }
    for (int c = 0; c < SAMPLE_CHAINS; c++)
        pool_free(&s.pools[c]);
    pool_free(&p);
    return rc;
}
