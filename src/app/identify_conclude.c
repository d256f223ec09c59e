/* SPDX-License-Identifier: Apache-2.0 */
#include "app/identify.h"

#include <antigone/direct.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* From this posterior, with an LR that supports, a pair is called possible. */
static const double POSSIBLE = 0.01;
/* Excluding takes an LR at least this small besides the incompatible markers. */
static const double EXCLUDING_LR = -2;

#define ON_THE_REMAINING                                                                           \
    " It is concluded on the remaining relatives of the family; another reference is needed."

typedef struct concluding {
    identify *run;
    atg_identification *ret;
    uint32_t n, cap;
    atg_pair_result *pairs;
    bool *symmetric; /* per missing: in a group that cannot be told apart */
    const atg_line *const *lines;
    uint32_t n_lines;
    void **compiled; /* n_missing * n_lines; made when first needed */
} concluding;

/* The operation and the number of the missing person with which a pair is explained. */
typedef struct explained {
    const atg_operation *op;
    uint32_t missing;
    narrow narrow;
} explained;

static const atg_family_check *check_of(const concluding *g, const atg_pair_result *p) {
    return &g->run->checks[g->run->op->missing[p->missing].family];
}

/* Is the pair concluded on what remains of a family that does not fit? */
static bool remains(const concluding *g, const atg_pair_result *p) {
    return g->run->without_one[g->run->op->missing[p->missing].family];
}

static bool excludes(const concluding *g, const atg_pair_result *p) {
    return p->n_incompatible > g->run->op->params.max_incompatible && p->log10_lr <= EXCLUDING_LR &&
           check_of(g, p)->fits;
}

/* As the tables show it: cut, not rounded, so that nothing reads like a threshold that it misses.
 */
static double cut(double p) {
    return p < 1e-4 ? p : floor(p * 1e6 + 1e-7) / 1e6;
}

/* The first rule that "probable" breaks, or an empty text; p NULL when memory is short. */
static atg_str broken_rule(const concluding *g, const atg_pair_result *p) {
    const atg_params *params = &g->run->op->params;
    atg_arena *arena = g->run->arena;
    double safe = p->least_posterior - 3 * p->std_error;
    const atg_family *family = &g->run->op->families[g->run->op->missing[p->missing].family];

    if (!(safe >= params->threshold) && p->posterior >= params->threshold &&
        p->least_posterior < p->posterior)
        return atg_arena_printf(arena,
                                "With another choice of the remaining relatives the posterior is "
                                "%.6g, below the threshold %.6g: another reference is needed.",
                                cut(p->least_posterior), params->threshold);
    if (!(safe >= params->threshold))
        return atg_arena_printf(arena, "The posterior %.6g is below the threshold %.6g.",
                                cut(p->posterior), params->threshold);
    if (!(p->least_log10_lr >= params->min_log10_lr) && family->n_missing < 2)
        return atg_arena_printf(arena,
                                "The posterior is high, but the LR (10^%.1f) is below the signed "
                                "minimum (10^%.1f).",
                                identify_shown(p->least_log10_lr), params->min_log10_lr);
    if (!(p->least_log10_lr >= params->min_log10_lr))
        return atg_arena_printf(
            arena,
            "The posterior is high, but this pair's own LR (10^%.1f) is below the signed minimum "
            "(10^%.1f): it rests on other identifications in the family, and nobody is identified "
            "by elimination.",
            identify_shown(p->least_log10_lr), params->min_log10_lr);
    if (g->symmetric[p->missing])
        return ATG_STR("The missing person cannot be told apart from another one of the family; "
                       "a sample that differs between them is needed.");
    if (!check_of(g, p)->fits && !remains(g, p))
        return ATG_STR("Another reference of this family is needed first.");
    if (p->n_incompatible > params->max_incompatible)
        return atg_arena_printf(arena,
                                "%u markers are impossible without mutation; at most %u may "
                                "be.",
                                p->n_incompatible, params->max_incompatible);
    if (!p->in_best)
        return ATG_STR("The pair is not part of the most probable joint assignment.");
    return ATG_STR("");
}

static int conclude(const concluding *g, atg_pair_result *p, atg_err *err) {
    const atg_params *params = &g->run->op->params;
    atg_arena *arena = g->run->arena;
    atg_str broken = broken_rule(g, p);

    if (excludes(g, p)) {
        p->conclusion = ATG_EXCLUDED;
        p->rule = atg_arena_printf(arena,
                                   "%u markers are impossible without mutation (more than %u), the "
                                   "LR is 10^%.1f, and the family fits its own pedigree.",
                                   p->n_incompatible, params->max_incompatible, p->log10_lr);
    } else if (broken.p && broken.n == 0) {
        double nearly = 0.999999; /* nothing is certain, however it is rounded */

        p->conclusion = ATG_PROBABLE;
        p->rule = atg_arena_printf(
            arena,
            "The posterior %s%.7g reaches the threshold %.6g, and the pair's own LR 10^%.1f the "
            "minimum 10^%.1f.%s",
            p->least_posterior > nearly ? ">" : "", fmin(p->least_posterior, nearly),
            params->threshold, p->least_log10_lr, params->min_log10_lr,
            remains(g, p) ? ON_THE_REMAINING : "");
    } else if (p->posterior >= POSSIBLE && (p->log10_lr > 0 || p->log10_glr > 0)) {
        p->conclusion = ATG_POSSIBLE;
        p->rule = broken;
    } else {
        p->conclusion = ATG_INSUFFICIENT;
        p->rule = broken;
    }
    if (p->n_markers == 0) {
        p->conclusion = ATG_INSUFFICIENT;
        p->rule = ATG_STR("No marker was typed in both the body and the family.");
    }
    if (p->n_direct && p->rule.p)
        p->rule = atg_arena_printf(arena,
                                   "%.*s It is a direct comparison with an own sample at %u of %u "
                                   "markers.",
                                   ATG_FMT(p->rule), p->n_direct, p->n_markers);
    return p->rule.p ? ATG_OK : atg_fail(err, ATG_ENOMEM, "Out of memory explaining a pair");
}

static void take_least(atg_pair_result *p, const atg_assign_pair *least) {
    p->least_posterior = least ? fmin(least->posterior, p->posterior) : 0;
    p->std_error = least && least->std_error > p->std_error ? least->std_error : p->std_error;
}

static int add_pair(concluding *g, uint32_t body, uint32_t missing, atg_err *err) {
    identify *run = g->run;
    const candidate *c = identify_find(run, body, missing);
    const atg_assign_pair *joint =
        identify_joint_pair(run->assign.n_pairs, run->assign.pairs, body, missing);
    const ways *w = identify_ways(run, missing);

    if (g->n == g->cap) {
        uint32_t cap = g->cap ? g->cap * 2 : 256;
        atg_pair_result *more = mem_grow(g->pairs, cap * sizeof(*more));

        if (!more)
            return atg_fail(err, ATG_ENOMEM, "Out of memory listing pairs");
        g->pairs = more;
        g->cap = cap;
    }
    g->pairs[g->n++] =
        (atg_pair_result){.body = body,
                          .missing = missing,
                          .log10_lr = c ? c->log10_lr : -INFINITY,
                          .log10_lr_used = identify_used(run, c ? c->log10_lr : -INFINITY),
                          .least_log10_lr = c ? c->log10_lr : -INFINITY,
                          .posterior = joint ? joint->posterior : 0,
                          .least_posterior = joint ? joint->posterior : 0,
                          .std_error = joint ? joint->std_error : 0,
                          .log10_glr = joint ? joint->log_glr / M_LN10 : -INFINITY,
                          .in_best = run->assign.best[body] == (int32_t)missing};
    if (w)
        take_least(&g->pairs[g->n - 1], identify_joint_pair(w->n_least, w->least, body, missing));
    return ATG_OK;
}

/* Candidates of one body, the strongest first; at the most IDENTIFY_DETAILED and whatever has a
 * posterior worth naming, or all where the exclusion matrix is to be whole. */
static int list_pairs(concluding *g, atg_err *err) {
    const identify *run = g->run;
    const atg_operation *op = run->op;
    bool matrix = op->n_samples <= IDENTIFY_MATRIX && op->n_missing <= IDENTIFY_MATRIX;
    MEM_AUTO double *best =
        mem_alloc(((size_t)op->n_samples * IDENTIFY_DETAILED + 1) * sizeof(*best));

    if (!best)
        return atg_fail(err, ATG_ENOMEM, "Out of memory listing pairs");
    for (size_t i = 0; i < (size_t)op->n_samples * IDENTIFY_DETAILED; i++)
        best[i] = -INFINITY;
    for (uint64_t c = 0; c < run->n_candidates; c++) { /* the k-th largest LR of each body */
        double *row = best + (size_t)run->candidates[c].body * IDENTIFY_DETAILED;
        double x = run->candidates[c].log10_lr;

        for (int k = 0; k < IDENTIFY_DETAILED; k++)
            if (x > row[k]) {
                double swap = row[k];

                row[k] = x;
                x = swap;
            }
    }
    for (uint32_t i = 0; i < op->n_samples; i++)
        for (uint32_t j = 0; j < op->n_missing; j++) {
            const candidate *c = identify_find(run, i, j);
            const atg_assign_pair *joint =
                identify_joint_pair(run->assign.n_pairs, run->assign.pairs, i, j);
            bool strong =
                c && c->log10_lr >= best[(size_t)i * IDENTIFY_DETAILED + IDENTIFY_DETAILED - 1] &&
                c->log10_lr > 0;
            int rc;

            if (!(matrix && atg_sex_fits(op->samples[i].sex, identify_sex(op, j))) && !strong &&
                !(joint && joint->posterior >= 1e-4))
                continue;
            rc = add_pair(g, i, j, err);
            if (rc)
                return rc;
        }
    return ATG_OK;
}

static int count_against(const atg_operation *op, const atg_sample *body, uint32_t missing,
                         uint32_t *ret_n, uint32_t *ret_against, atg_err *err) {
    double plain[ATG_MARKERS_MAX];
    int rc = atg_pair_lr(op, body, missing, false, plain, err);

    *ret_n = *ret_against = 0;
    for (uint32_t m = 0; m < op->n_markers && !rc; m++) {
        *ret_n += !isnan(plain[m]);
        *ret_against += isinf(plain[m]) && plain[m] < 0;
    }
    return rc;
}

/* The same with several ways: the markers of the way of the least LR, which is the one to show, and
 * the most that are incompatible. */
static int count_in_ways(const identify *run, const ways *w, atg_pair_result *p, narrow *ret,
                         atg_err *err) {
    const atg_sample *body = &run->op->samples[p->body];
    double lr[ATG_MARKERS_MAX], least = INFINITY;
    uint32_t least_way = 0;

    for (uint32_t k = 0; k < w->n; k++) {
        uint32_t n = 0, against = 0;
        double sum = 0;

        identify_narrow(run, &w->family[k], p->missing, ret);

        int rc = atg_pair_lr(&ret->op, body, 0, true, lr, err);

        if (!rc)
            rc = count_against(&ret->op, body, 0, &n, &against, err);
        if (rc)
            return rc;
        sum = identify_counted(run->op, lr);
        p->n_incompatible = against > p->n_incompatible ? against : p->n_incompatible;
        if (k && !(sum < least))
            continue;
        least = sum;
        least_way = k;
        p->n_markers = n;
    }
    p->least_log10_lr = least;
    identify_narrow(run, &w->family[least_way], p->missing, ret);
    return ATG_OK;
}

/* Markers compared and incompatible: from the matrix, or computed for this pair.  `ret` is what
 * the pair is to be explained with. */
static int count_markers(concluding *g, atg_pair_result *p, explained *ret, atg_err *err) {
    const identify *run = g->run;
    const atg_operation *op = run->op;
    const ways *w = identify_ways(run, p->missing);
    size_t at = (size_t)p->body * op->n_missing + p->missing;

    ret->op = w ? &ret->narrow.op : op;
    ret->missing = w ? 0 : p->missing;
    if (w)
        return count_in_ways(run, w, p, &ret->narrow, err);
    if (!run->exclusions.n_incompatible)
        return count_against(op, &op->samples[p->body], p->missing, &p->n_markers,
                             &p->n_incompatible, err);
    p->n_incompatible = run->exclusions.n_incompatible[at];
    p->n_markers = run->exclusions.n_compared[at];
    return ATG_OK;
}

static void count_direct(const concluding *g, const explained *x, atg_pair_result *p) {
    uint32_t n = atg_own_compared(x->op, &g->run->op->samples[p->body], x->missing, NULL);

    p->n_direct = n < p->n_markers ? n : p->n_markers; /* linked ones may not count */
}

static int tell_lines(concluding *g, const explained *x, atg_pair_result *p, atg_err *err) {
    const atg_sample *body = &g->run->op->samples[p->body];
    atg_evidence *lines = ATG_GET(g->run->arena, atg_evidence, g->n_lines + 1);

    if (!lines)
        return atg_fail(err, ATG_ENOMEM, "Out of memory explaining a pair");
    for (uint32_t l = 0; l < g->n_lines; l++) {
        void *once = NULL;
        void **compiled =
            x->op == g->run->op ? &g->compiled[(size_t)p->missing * g->n_lines + l] : &once;
        int rc = *compiled ? ATG_OK
                           : g->lines[l]->compile(g->run->arena, x->op, x->missing, compiled, err);

        if (!rc)
            rc = g->lines[l]->explain(g->run->arena, x->op, *compiled, x->missing, body, &lines[l],
                                      err);
        if (rc)
            return rc;
    }
    p->n_lines = g->n_lines;
    p->lines = lines;
    return ATG_OK;
}

static int explain(concluding *g, const explained *x, atg_pair_result *p, atg_err *err) {
    const atg_operation *op = g->run->op;
    double *lr = ATG_GET(g->run->arena, double, op->n_markers + 1);
    bool *needed = ATG_GET(g->run->arena, bool, op->n_markers + 1);
    double plain[ATG_MARKERS_MAX];

    if (!lr || !needed)
        return atg_fail(err, ATG_ENOMEM, "Out of memory explaining a pair");

    int rc = atg_pair_lr(x->op, &op->samples[p->body], x->missing, true, lr, err);

    if (!rc)
        rc = atg_pair_lr(x->op, &op->samples[p->body], x->missing, false, plain, err);
    if (rc)
        return rc;
    for (uint32_t m = 0; m < op->n_markers; m++)
        needed[m] = isinf(plain[m]) && plain[m] < 0;
    (void)identify_counted(op, lr);
    p->per_marker = lr;
    p->mutation_needed = needed;
    return tell_lines(g, x, p, err);
}

static bool worth_detail(const atg_pair_result *p) {
    return p->conclusion == ATG_PROBABLE || p->conclusion == ATG_POSSIBLE || p->posterior >= 1e-3 ||
           p->log10_lr >= 2;
}

static int by_body(const void *x, const void *y) {
    const atg_pair_result *a = x, *b = y;

    if (a->body != b->body)
        return a->body < b->body ? -1 : 1;
    if (a->posterior != b->posterior)
        return a->posterior > b->posterior ? -1 : 1;
    if (a->log10_lr != b->log10_lr)
        return a->log10_lr > b->log10_lr ? -1 : 1;
    return a->missing < b->missing ? -1 : a->missing > b->missing;
}

/* The strongest word of each file: probable over possible over insufficient; excluded only when
 * every pair is. */
static int strongest_words(concluding *g, atg_err *err) {
    static const int rank[] = {
        [ATG_EXCLUDED] = 1, [ATG_INSUFFICIENT] = 2, [ATG_POSSIBLE] = 3, [ATG_PROBABLE] = 4};
    const atg_operation *op = g->run->op;
    atg_conclusion *body = ATG_GET(g->run->arena, atg_conclusion, op->n_samples + 1);
    atg_conclusion *missing = ATG_GET(g->run->arena, atg_conclusion, op->n_missing + 1);

    if (!body || !missing)
        return atg_fail(err, ATG_ENOMEM, "Out of memory listing conclusions");
    for (uint32_t i = 0; i < g->n; i++) {
        const atg_pair_result *p = &g->pairs[i];

        if (p->conclusion == ATG_EXCLUDED)
            continue; /* a file is open as long as not everybody was compared and excluded */
        if (rank[p->conclusion] > rank[body[p->body]])
            body[p->body] = p->conclusion;
        if (rank[p->conclusion] > rank[missing[p->missing]])
            missing[p->missing] = p->conclusion;
    }
    g->ret->body_conclusion = body;
    g->ret->missing_conclusion = missing;
    return ATG_OK;
}

static int hand_over(concluding *g, atg_err *err) {
    atg_pair_result *pairs = ATG_GET(g->run->arena, atg_pair_result, g->n + 1);

    if (!pairs)
        return atg_fail(err, ATG_ENOMEM, "Out of memory listing pairs");
    if (g->n) {
        qsort(g->pairs, g->n, sizeof(*g->pairs), by_body);
        memcpy(pairs, g->pairs, g->n * sizeof(*pairs));
    }
    g->ret->n_pairs = g->n;
    g->ret->pairs = pairs;
    g->ret->n_lines = g->n_lines;
    g->ret->lines = g->lines;
    return strongest_words(g, err);
}

int identify_conclude(identify *run, atg_identification *ret, atg_err *err) {
    concluding g = {.run = run, .ret = ret};
    int rc;

    g.lines = atg_lines(&g.n_lines);
    g.symmetric = mem_zero(run->op->n_missing + 1, sizeof(*g.symmetric));
    g.compiled = mem_zero((size_t)run->op->n_missing * g.n_lines + 1, sizeof(*g.compiled));
    rc = g.symmetric && g.compiled ? list_pairs(&g, err)
                                   : atg_fail(err, ATG_ENOMEM, "Out of memory listing pairs");
    for (uint32_t s = 0; s < run->assign.n_symmetries && !rc; s++)
        for (uint32_t k = 0; k < run->assign.symmetries[s].n; k++)
            g.symmetric[run->assign.symmetries[s].missing[k]] = true;
    for (uint32_t i = 0; i < g.n && !rc; i++) {
        explained x;

        rc = count_markers(&g, &g.pairs[i], &x, err);
        if (!rc)
            count_direct(&g, &x, &g.pairs[i]);
        if (!rc)
            rc = conclude(&g, &g.pairs[i], err);
        if (!rc && !run->options.no_details && worth_detail(&g.pairs[i]))
            rc = explain(&g, &x, &g.pairs[i], err);
        if (!rc && run->progress && run->progress->step &&
            !run->progress->step(run->progress->user, "explaining", i + 1, g.n))
            rc = atg_fail(err, ATG_ECANCEL, "Stopped on request");
    }
    if (!rc)
        rc = hand_over(&g, err);
    mem_free(g.symmetric);
    mem_free(g.compiled);
    mem_free(g.pairs);
    return rc;
}
