/* SPDX-License-Identifier: Apache-2.0 */
#include "report/view.h"

#include <math.h>

#include "base/map.h"

/* Posteriors from which a pair of insufficient evidence is named: where its LR supports it, and
 * where it does not. */
static const double NAMED_SUPPORTED = 0.001, NAMED = 0.05;

static int out_of_range(atg_err *err, const char *what) {
    return atg_fail(err, ATG_EINVAL, "The identification names a %s that the operation lacks",
                    what);
}

static int check_pairs(const atg_identification *run, atg_err *err) {
    for (uint32_t i = 0; i < run->n_pairs; i++) {
        if (run->pairs[i].body >= run->merged->n_samples)
            return out_of_range(err, "body");
        if (run->pairs[i].missing >= run->op->n_missing)
            return out_of_range(err, "missing person");
    }
    for (uint32_t i = 0; i < run->n_related; i++)
        if (run->related[i].x >= run->merged->n_samples ||
            run->related[i].y >= run->merged->n_samples)
            return out_of_range(err, "related body");
    for (uint32_t i = 0; i < run->n_next; i++)
        if (run->next[i].index >=
            (run->next[i].of_missing ? run->op->n_missing : run->merged->n_samples))
            return out_of_range(err, "file in a next step");
    for (uint32_t i = 0; i < run->n_checks; i++)
        if (run->checks[i].family >= run->op->n_families ||
            run->checks[i].suspect >= (int32_t)run->op->families[run->checks[i].family].ped.n)
            return out_of_range(err, "family or a person of one");
    return ATG_OK;
}

static int check_operation(const atg_identification *run, atg_err *err) {
    for (uint32_t i = 0; i < run->op->n_missing; i++) {
        const atg_missing *m = &run->op->missing[i];

        if (m->family >= run->op->n_families || m->person >= run->op->families[m->family].ped.n)
            return out_of_range(err, "missing person without a place in a family");
    }
    for (uint32_t i = 0; i < run->merged->n_samples; i++)
        if (!run->body_of_sample || run->body_of_sample[i] < 0 ||
            run->body_of_sample[i] >= (int32_t)run->n_bodies)
            return out_of_range(err, "sample without a body");
    for (uint32_t i = 0; i < run->n_bodies; i++)
        for (uint32_t k = 0; k < run->bodies[i].n_samples; k++)
            if (run->bodies[i].samples[k] >= run->op->n_samples)
                return out_of_range(err, "sample");
    return check_pairs(run, err);
}

static int check_joint(const atg_identification *run, atg_err *err) {
    const atg_assign_result *joint = &run->assign;
    int32_t n = (int32_t)run->op->n_missing;

    for (uint32_t s = 0; s < run->merged->n_samples; s++) {
        if (joint->best && joint->best[s] >= n)
            return out_of_range(err, "missing person");
        for (uint32_t i = 0; i < joint->n_top; i++)
            if (joint->top[i].missing_of[s] >= n)
                return out_of_range(err, "missing person");
    }
    for (uint32_t i = 0; i < joint->n_symmetries; i++)
        for (uint32_t k = 0; k < joint->symmetries[i].n; k++)
            if (joint->symmetries[i].missing[k] >= run->op->n_missing)
                return out_of_range(err, "missing person");
    return ATG_OK;
}

/* A pair to name as somebody's candidate: compared, not excluded, and not against all odds. */
static bool is_candidate(const atg_pair_result *p) {
    double least = p->log10_lr > 0 ? NAMED_SUPPORTED : NAMED;

    if (p->conclusion == ATG_EXCLUDED || p->n_markers == 0)
        return false;
    return p->conclusion != ATG_INSUFFICIENT || !(p->posterior < least);
}

/* Ties, as between brothers who cannot be told apart, go to the most probable assignment. */
static bool better(const atg_pair_result *p, const atg_pair_result *than) {
    if (!than || isnan(than->posterior))
        return true;
    if (fabs(p->posterior - than->posterior) < 1e-3)
        return p->in_best && !than->in_best;
    return p->posterior > than->posterior;
}

/* Counting sort: stable, and right even when the pairs were not grouped by body. */
static int sort_pairs(view *v, atg_err *err) {
    const atg_identification *run = v->run;
    uint32_t *first = ATG_GET(v->arena, uint32_t, (size_t)v->n_samples + 2);
    uint32_t *order = ATG_GET(v->arena, uint32_t, (size_t)run->n_pairs + 1);
    uint32_t *best = ATG_GET(v->arena, uint32_t, (size_t)run->op->n_missing + 1);

    if (!first || !order || !best)
        return atg_fail(err, ATG_ENOMEM, "Out of memory sorting %u pairs", run->n_pairs);
    for (uint32_t i = 0; i < run->n_pairs; i++)
        first[run->pairs[i].body + 2]++;
    for (uint32_t s = 0; s < v->n_samples; s++)
        first[s + 1] += first[s];
    for (uint32_t i = 0; i < run->n_pairs; i++)
        order[first[run->pairs[i].body + 1]++] = i;
    for (uint32_t m = 0; m < run->op->n_missing; m++)
        best[m] = VIEW_NONE;
    for (uint32_t i = 0; i < run->n_pairs; i++) {
        const atg_pair_result *p = &run->pairs[i];
        uint32_t *b = &best[p->missing];

        if (is_candidate(p) && better(p, *b == VIEW_NONE ? NULL : &run->pairs[*b]))
            *b = i;
    }
    v->first = first;
    v->order = order;
    v->best_of = best;
    return ATG_OK;
}

static void count_words(view *v) {
    for (uint32_t s = 0; s < v->n_samples; s++)
        v->bodies[view_body_word(v, s)]++;
    for (uint32_t m = 0; m < v->run->op->n_missing; m++)
        v->missing[view_missing_word(v, m)]++;
    for (uint32_t b = 0; b < v->run->n_bodies; b++)
        v->n_refused += v->run->bodies[b].refused.n > 0;
}

/* Chain the next steps that say the same. */
static int group_steps(view *v, atg_err *err) {
    uint32_t n = v->run->n_next;
    uint32_t *next = ATG_GET(v->arena, uint32_t, (size_t)n + 1);
    uint32_t *last = ATG_GET(v->arena, uint32_t, (size_t)n + 1);
    bool *first = ATG_GET(v->arena, bool, (size_t)n + 1);
    ATG_AUTO(map) texts = map_new();

    if (!next || !last || !first || !texts)
        return atg_fail(err, ATG_ENOMEM, "Out of memory sorting %u next steps", n);
    for (uint32_t i = 0; i < n; i++) {
        int64_t leader = map_get(texts, v->run->next[i].text);

        next[i] = VIEW_NONE;
        first[i] = leader < 0;
        if (leader >= 0)
            next[last[leader]] = i;
        else if (map_add(texts, v->run->next[i].text, i))
            return atg_fail(err, ATG_ENOMEM, "Out of memory sorting %u next steps", n);
        last[leader < 0 ? i : leader] = i;
    }
    v->step_first = first;
    v->step_next = next;
    return ATG_OK;
}

int view_open(atg_arena *arena, const atg_identification *run, view *ret, atg_err *err) {
    view v = {.run = run, .arena = arena};
    int rc;

    if (!run->op || !run->merged)
        return atg_fail(err, ATG_EINVAL, "The identification has no operation");
    v.n_samples = run->merged->n_samples;
    rc = check_operation(run, err);
    if (!rc)
        rc = check_joint(run, err);
    if (!rc)
        rc = sort_pairs(&v, err);
    if (!rc)
        rc = group_steps(&v, err);
    if (rc)
        return rc;

    int32_t *sample_of = ATG_GET(arena, int32_t, (size_t)run->n_bodies + 1);

    v.failed = ATG_GET(arena, bool, 1);
    if (!sample_of || !v.failed)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for %u bodies", run->n_bodies);
    for (uint32_t b = 0; b < run->n_bodies; b++)
        sample_of[b] = -1;
    for (uint32_t s = 0; s < v.n_samples; s++)
        sample_of[run->body_of_sample[s]] = (int32_t)s;
    v.sample_of = sample_of;
    count_words(&v);
    *ret = v;
    return ATG_OK;
}

const atg_pair_result *view_body_best(const view *v, uint32_t sample) {
    const atg_pair_result *best = NULL;

    for (uint32_t i = v->first[sample]; i < v->first[sample + 1]; i++) {
        const atg_pair_result *p = &v->run->pairs[v->order[i]];

        if (is_candidate(p) && better(p, best))
            best = p;
    }
    return best;
}

const atg_pair_result *view_missing_best(const view *v, uint32_t missing) {
    uint32_t i = v->best_of[missing];

    return i == VIEW_NONE ? NULL : &v->run->pairs[i];
}

static atg_conclusion word_at(const atg_conclusion *words, uint32_t i) {
    return words && words[i] <= ATG_EXCLUDED ? words[i] : ATG_INSUFFICIENT;
}

atg_conclusion view_body_word(const view *v, uint32_t sample) {
    return word_at(v->run->body_conclusion, sample);
}

atg_conclusion view_missing_word(const view *v, uint32_t missing) {
    return word_at(v->run->missing_conclusion, missing);
}

double view_body_nobody(const view *v, uint32_t sample) {
    return v->run->body_nobody ? v->run->body_nobody[sample] : (double)NAN;
}

double view_missing_nobody(const view *v, uint32_t missing) {
    return v->run->missing_nobody ? v->run->missing_nobody[missing] : (double)NAN;
}

/* The table has the numbers already; the section of the body gives the rule in full. */
static atg_str pair_why(const atg_pair_result *p) {
    if (p->conclusion == ATG_PROBABLE)
        return p->n_direct ? ATG_STR("Both signed thresholds are reached, by direct comparison "
                                     "with an own sample.")
                           : ATG_STR("Both signed thresholds are reached.");
    return p->rule.n ? p->rule : ATG_STR("The best candidate.");
}

static bool family_is_typed(const view *v, uint32_t missing) {
    const atg_family_check *check = view_check(v, v->run->op->missing[missing].family);

    return !check || check->n_typed > 0;
}

atg_str view_body_why(const view *v, uint32_t body) {
    const atg_body *b = &v->run->bodies[body];
    int32_t s = v->sample_of[body];

    if (b->refused.n)
        return b->refused;
    if (s < 0)
        return ATG_STR("Took no part in the comparison.");

    const atg_pair_result *p = view_body_best(v, (uint32_t)s);

    if (p)
        return pair_why(p);
    if (v->run->op->n_missing == 0)
        return ATG_STR("Nobody is on the list of missing persons.");
    if (view_body_word(v, (uint32_t)s) == ATG_EXCLUDED)
        return ATG_STR("Excluded from every missing person it was compared with.");
    return ATG_STR("Nobody on the list fits this body well enough to be named.");
}

atg_str view_missing_why(const view *v, uint32_t missing) {
    const atg_pair_result *p = view_missing_best(v, missing);

    if (p)
        return pair_why(p);
    if (v->n_samples == 0)
        return ATG_STR("No remains were compared.");
    if (!family_is_typed(v, missing))
        return ATG_STR("Nobody of this family is typed yet: nothing to compare with.");
    if (view_missing_word(v, missing) == ATG_EXCLUDED)
        return ATG_STR("Excluded from every body compared.");
    return ATG_STR("None of these bodies fits well enough to be named.");
}

const atg_person *view_person(const view *v, uint32_t missing) {
    const atg_missing *m = &v->run->op->missing[missing];

    return &v->run->op->families[m->family].ped.persons[m->person];
}

atg_str view_line_name(const view *v, uint32_t line) {
    if (line < v->run->n_lines && v->run->lines)
        return atg_str_of(v->run->lines[line]->name);
    return line == 0 ? ATG_STR("autosomal STR") : ATG_STR("another line");
}

const atg_family_check *view_check(const view *v, uint32_t family) {
    if (family < v->run->n_checks && v->run->checks[family].family == family)
        return &v->run->checks[family];
    for (uint32_t i = 0; i < v->run->n_checks; i++)
        if (v->run->checks[i].family == family)
            return &v->run->checks[i];
    return NULL;
}

double view_needed_lr(const view *v) {
    const atg_params *p = &v->run->op->params;
    double need = p->min_log10_lr, odds;

    if (p->prior.given || v->run->op->n_missing == 0)
        return need;
    odds = atg_prior_odds(v->run->op, 0, 0);

    double alone = log10(p->threshold / (1 - p->threshold)) - log10(odds);

    return alone > need ? alone : need;
}

atg_str view_keep(const view *v, atg_str s) {
    if (s.p)
        return s;
    *v->failed = true;
    return (atg_str){"", 0};
}

int view_finish(const view *v, const atg_buf *buf, atg_err *err) {
    atg_str whole;

    if (*v->failed)
        return atg_fail(err, ATG_ENOMEM, "Out of memory wording the report");
    return atg_buf_take(buf, &whole, err);
}

atg_str view_step_id(const view *v, uint32_t step) {
    const atg_next_step *s = &v->run->next[step];

    return s->of_missing ? v->run->op->missing[s->index].id : v->run->merged->samples[s->index].id;
}
