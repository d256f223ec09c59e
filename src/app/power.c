/* SPDX-License-Identifier: Apache-2.0 */
/* What a family can prove (docs/power.md).  At one marker the true person's genotype x is drawn
 * from P(x | family), and its LR is read from the compiled table.  With one more relative typed,
 * that relative's genotype h is drawn from P(h | family, x), and the LR is P(family, h, x) /
 * P(family, h, x unrelated): two distributions of the relative for each x drawn, however many h
 * there are. */
#include <antigone/app.h>
#include <antigone/dna.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* What may be seen of the missing person at one marker. */
typedef struct marker_table {
    atg_obs_set set;
    atg_obs *obs;     /* of `set` */
    double *prob;     /* population probability at theta 0 */
    double *log10_lr; /* with the family as it is */
    double *upto;     /* cumulated P(seen | family); 0 at the end: the family is impossible here */
    uint32_t *drawn;  /* n_sim */
} marker_table;

typedef struct power_run {
    const atg_operation *op;
    const atg_family *family;
    uint32_t missing, person, n_sim;
    uint64_t seed;
    marker_table tables[ATG_MARKERS_MAX]; /* empty: the marker takes no part */
    atg_compiler *compiler;
    double *now;                              /* n_sim totals, the family as it is */
    atg_person persons[ATG_PEDIGREE_MAX + 1]; /* the family with the missing person typed */
    atg_geno genos[ATG_MARKERS_MAX];          /* as what */
} power_run;

static void run_close(power_run *r) {
    for (uint32_t m = 0; m < r->op->n_markers; m++) {
        marker_table *t = &r->tables[m];

        mem_free(t->obs);
        mem_free(t->prob);
        mem_free(t->log10_lr);
        mem_free(t->upto);
        mem_free(t->drawn);
    }
    mem_free(r->now);
    atg_compiler_free(r->compiler);
}

static int short_of_memory(atg_err *err) {
    return atg_fail(err, ATG_ENOMEM, "Out of memory simulating a family");
}

static bool is_haploid(const power_run *r, uint32_t m) {
    return r->op->markers[m].chrom == ATG_CHROM_X &&
           r->family->ped.persons[r->person].sex == ATG_SEX_MALE;
}

/* P(somebody shows a/b), a <= b; a silent allele hides behind the other one. */
static double shown_prob(const atg_marker *m, int16_t a, int16_t b) {
    double p = m->freqs[a], q = m->freqs[b];
    double hidden = m->silent < 0 ? 0 : 2 * p * m->freqs[m->silent];

    return a == b ? p * p + hidden : 2 * p * q;
}

static int list_genotypes(const power_run *r, uint32_t m, marker_table *t, atg_err *err) {
    const atg_marker *marker = &r->op->markers[m];
    int16_t n_alleles = (int16_t)marker->n;
    uint32_t n = 0, most = (uint32_t)marker->n * (marker->n + 1) / 2;
    bool haploid = is_haploid(r, m);

    t->obs = mem_zero(most, sizeof(*t->obs));
    t->prob = mem_zero(most, sizeof(double));
    t->log10_lr = mem_zero(most, sizeof(double));
    t->upto = mem_zero(most, sizeof(double));
    t->drawn = mem_zero(r->n_sim, sizeof(*t->drawn));
    if (!t->obs || !t->prob || !t->log10_lr || !t->upto || !t->drawn)
        return short_of_memory(err);
    for (int16_t a = 0; a < n_alleles; a++)
        for (int16_t b = a; b < n_alleles && !(haploid && b > a); b++) {
            if (a == marker->silent || b == marker->silent)
                continue;
            t->obs[n] = (atg_obs){.geno = {a, b}};
            t->prob[n++] = haploid ? marker->freqs[a] : shown_prob(marker, a, b);
        }
    t->set = (atg_obs_set){n, t->obs};
    return ATG_OK;
}

/* Number of the genotype a/b, a <= b, in a distribution. */
static uint32_t number_of(uint32_t a, uint32_t b) {
    return b * (b + 1) / 2 + a;
}

/* P(this is seen) by a distribution of genotypes. */
static double seen_share(const atg_marker *m, const double *dist, atg_geno g) {
    uint32_t a = (uint32_t)g.a, b = (uint32_t)g.b, s = (uint32_t)m->silent;
    double share = dist[number_of(a, b)];

    if (m->silent >= 0 && a == b)
        share += a < s ? dist[number_of(a, s)] : dist[number_of(s, a)];
    return share;
}

/* Of a person in a pedigree; `dist` has room for it. */
static int distribution(const power_run *r, const atg_pedigree *ped, uint32_t m, uint32_t person,
                        double *dist, double *ret_loglik, atg_err *err) {
    return atg_genotype_distribution(
        &(atg_person_at){r->op->markers, m, ped, person, r->op->params.theta, r->compiler}, dist,
        ret_loglik, err);
}

/* The LR of whatever may be seen, and how probable it is given the family. */
static int fill_table(power_run *r, uint32_t m, atg_err *err) {
    marker_table *t = &r->tables[m];
    atg_obs_set sets[ATG_MARKERS_MAX] = {{0}};
    double *to[ATG_MARKERS_MAX] = {NULL}, sum = 0, loglik = 0;
    uint32_t n = r->op->markers[m].n;
    MEM_AUTO double *dist = mem_alloc((size_t)n * (n + 1) / 2 * sizeof(*dist));
    atg_operation one = *r->op;
    int rc = list_genotypes(r, m, t, err);

    if (!dist)
        return short_of_memory(err);
    /* one marker at a time: the others are not needed */
    one.n_markers = m + 1;
    sets[m] = t->set;
    for (uint32_t k = 0; k <= m; k++)
        to[k] = t->log10_lr; /* nothing is written by the earlier ones */
    if (!rc)
        rc = atg_compile(r->compiler, &one, r->missing, sets, to, err);
    if (!rc)
        rc = distribution(r, &r->family->ped, m, r->person, dist, &loglik, err);
    for (uint32_t g = 0; g < t->set.n && !rc; g++)
        t->upto[g] = sum += seen_share(&r->op->markers[m], dist, t->obs[g].geno);
    return rc;
}

static int run_open(power_run *r, atg_err *err) {
    bool use[ATG_MARKERS_MAX];
    atg_sex sex = r->family->ped.persons[r->person].sex;

    r->compiler = atg_compiler_new();
    r->now = mem_zero(r->n_sim, sizeof(*r->now));
    if (!r->compiler || !r->now)
        return short_of_memory(err);
    atg_independent_markers(r->op, use);
    for (uint32_t m = 0; m < r->op->n_markers; m++) {
        bool blind = r->op->markers[m].chrom == ATG_CHROM_X && sex == ATG_SEX_UNKNOWN;
        int rc = use[m] && !blind ? fill_table(r, m, err) : ATG_OK;

        if (rc)
            return rc;
    }
    return ATG_OK;
}

static uint32_t draw(atg_rng *rng, const double *upto, uint32_t n) {
    double x = atg_rng_unit(rng) * upto[n - 1];
    uint32_t low = 0, high = n - 1;

    while (low < high) {
        uint32_t mid = (low + high) / 2;

        if (upto[mid] > x)
            high = mid;
        else
            low = mid + 1;
    }
    return low;
}

static int ascending(const void *x, const void *y) {
    double a = *(const double *)x, b = *(const double *)y;

    return (a > b) - (a < b);
}

/* Puts the totals into rising order. */
static atg_power summarise(double *total, uint32_t n, double threshold) {
    double sum = 0, squares = 0;
    uint32_t above = 0;
    atg_power p = {.exclusion_power = NAN, .expected_mismatch = NAN};

    for (uint32_t i = 0; i < n; i++) {
        sum += total[i];
        above += total[i] >= threshold;
    }
    p.mean = sum / n;
    for (uint32_t i = 0; i < n; i++)
        squares += (total[i] - p.mean) * (total[i] - p.mean);
    p.std_error = n > 1 ? sqrt(squares / (n - 1) / n) : 0;
    qsort(total, n, sizeof(*total), ascending);
    p.p05 = total[(uint32_t)(0.05 * (n - 1))];
    p.p50 = total[(uint32_t)(0.5 * (n - 1))];
    p.p95 = total[(uint32_t)(0.95 * (n - 1))];
    p.share_above = (double)above / n;
    p.share_above_se = sqrt(p.share_above * (1 - p.share_above) / n);
    return p;
}

static bool says_something(const marker_table *t) {
    return t->set.n > 0 && t->upto[t->set.n - 1] > 0;
}

/* Draw the true person, marker by marker; the family as it is. */
static int simulate_now(power_run *r, atg_power *ret, atg_err *err) {
    atg_rng rng = atg_rng_seed(r->seed ^ ((uint64_t)r->missing << 32));
    MEM_AUTO double *total = mem_alloc(r->n_sim * sizeof(*total));

    if (!total)
        return short_of_memory(err);
    for (uint32_t m = 0; m < r->op->n_markers; m++) {
        marker_table *t = &r->tables[m];

        for (uint32_t s = 0; s < r->n_sim && says_something(t); s++) {
            t->drawn[s] = draw(&rng, t->upto, t->set.n);
            r->now[s] += t->log10_lr[t->drawn[s]];
        }
    }
    memcpy(total, r->now, r->n_sim * sizeof(*total));
    *ret = summarise(total, r->n_sim, r->op->params.min_log10_lr);
    return ATG_OK;
}

/* ---- one more relative ---- */

/* One genotype of the missing person that was drawn. */
typedef struct given {
    double *upto;     /* cumulated P(the relative's genotype | family, that genotype) */
    double *log10_lr; /* of that genotype, by what the relative shows */
} given;

typedef struct relative {
    uint32_t person, m, n; /* genotypes */
    double *alone;         /* theta 0: their distribution given the family, times its likelihood */
    given *of; /* one for each observation of the missing person, made when first drawn */
} relative;

static void relative_close(const power_run *r, relative *x) {
    for (uint32_t g = 0; x->of && g < r->tables[x->m].set.n; g++) {
        mem_free(x->of[g].upto);
        mem_free(x->of[g].log10_lr);
    }
    mem_free(x->of);
    mem_free(x->alone);
}

static int relative_open(const power_run *r, relative *x, atg_err *err) {
    uint32_t n = r->op->markers[x->m].n;
    double loglik = 0;
    int rc = ATG_OK;

    x->n = n * (n + 1) / 2;
    x->of = mem_zero(r->tables[x->m].set.n, sizeof(*x->of));
    x->alone = mem_alloc(x->n * sizeof(*x->alone));
    if (!x->of || !x->alone)
        return short_of_memory(err);
    if (r->op->params.theta == 0)
        rc = distribution(r, &r->family->ped, x->m, x->person, x->alone, &loglik, err);
    for (uint32_t h = 0; h < x->n && !rc && r->op->params.theta == 0; h++)
        x->alone[h] *= exp(loglik);
    return rc;
}

/* The family with the missing person typed as observation g, or (`beside`) with one more, unrelated
 * person typed so. */
static atg_pedigree with_typed(power_run *r, uint32_t m, uint32_t g, bool beside) {
    const atg_pedigree *ped = &r->family->ped;
    atg_person *who = &r->persons[beside ? ped->n : r->person];

    memcpy(r->persons, ped->persons, ped->n * sizeof(*r->persons));
    if (beside)
        *who = (atg_person){.father = -1, .mother = -1, .sex = ped->persons[r->person].sex};
    r->genos[m] = r->tables[m].obs[g].geno;
    who->genos = r->genos;
    who->dropout = who->dropin = 0;
    return (atg_pedigree){ped->n + beside, r->persons};
}

/* P(family, relative's genotype, the missing person unrelated and seen as g). */
static int unrelated(power_run *r, const relative *x, uint32_t g, double *ret, atg_err *err) {
    atg_pedigree ped;
    double loglik = 0;
    int rc;

    if (r->op->params.theta == 0) {
        for (uint32_t h = 0; h < x->n; h++)
            ret[h] = x->alone[h] * r->tables[x->m].prob[g];
        return ATG_OK;
    }
    if (r->family->ped.n == ATG_PEDIGREE_MAX)
        return atg_fail(err, ATG_ELIMIT, "The family is too large to simulate with theta");
    ped = with_typed(r, x->m, g, true);
    rc = distribution(r, &ped, x->m, x->person, ret, &loglik, err);
    for (uint32_t h = 0; h < x->n && !rc; h++)
        ret[h] *= exp(loglik);
    return rc;
}

/* The LR given what the relative shows with the alleles a/b; a silent one is not seen. */
static double lr_given(const power_run *r, const relative *x, uint32_t g, const double *with,
                       const double *beside, int16_t a, int16_t b) {
    const atg_marker *m = &r->op->markers[x->m];
    atg_geno shown = {a, b};

    if (a == m->silent)
        shown.a = b;
    if (b == m->silent)
        shown.b = a;
    if (shown.a == m->silent) /* nothing */
        return r->tables[x->m].log10_lr[g];
    return log10(seen_share(m, with, shown) / seen_share(m, beside, shown));
}

/* What the relative may be and prove when the missing person is seen as g. */
static int given_missing(power_run *r, relative *x, uint32_t g, atg_err *err) {
    given *of = &x->of[g];
    MEM_AUTO double *with = mem_alloc(x->n * sizeof(*with));
    MEM_AUTO double *beside = mem_alloc(x->n * sizeof(*beside));
    atg_pedigree ped = with_typed(r, x->m, g, false);
    double loglik = 0, sum = 0;
    int rc;

    of->upto = mem_alloc(x->n * sizeof(*of->upto));
    of->log10_lr = mem_alloc(x->n * sizeof(*of->log10_lr));
    if (!with || !beside || !of->upto || !of->log10_lr)
        return short_of_memory(err);
    rc = distribution(r, &ped, x->m, x->person, with, &loglik, err);
    for (uint32_t h = 0; h < x->n && !rc; h++) {
        of->upto[h] = sum += with[h];
        with[h] *= exp(loglik);
    }
    if (!rc)
        rc = unrelated(r, x, g, beside, err);
    for (int16_t b = 0; b < (int16_t)r->op->markers[x->m].n && !rc; b++)
        for (int16_t a = 0; a <= b; a++) {
            uint32_t h = number_of((uint32_t)a, (uint32_t)b);

            of->log10_lr[h] = with[h] > 0 ? lr_given(r, x, g, with, beside, a, b) : 0;
        }
    return rc;
}

/* Add one marker's LRs, the relative typed, to the totals. */
static int simulate_marker(power_run *r, uint32_t m, uint32_t person, atg_rng *rng, double *total,
                           atg_err *err) {
    const marker_table *t = &r->tables[m];
    relative x = {.person = person, .m = m};
    bool blind = r->op->markers[m].chrom == ATG_CHROM_X &&
                 r->family->ped.persons[person].sex == ATG_SEX_UNKNOWN;
    int rc = ATG_OK;

    if (!says_something(t))
        return ATG_OK;
    if (!blind)
        rc = relative_open(r, &x, err);
    for (uint32_t s = 0; s < r->n_sim && !rc; s++) {
        uint32_t g = t->drawn[s];

        if (!blind && !x.of[g].upto)
            rc = given_missing(r, &x, g, err);
        if (!rc)
            total[s] += blind ? t->log10_lr[g] : x.of[g].log10_lr[draw(rng, x.of[g].upto, x.n)];
    }
    relative_close(r, &x);
    return rc;
}

/* The gain is of the same drawn persons with and without the relative. */
static int simulate_with(power_run *r, atg_power_candidate *ret, atg_err *err) {
    MEM_AUTO double *total = mem_zero(r->n_sim, sizeof(double));
    atg_rng rng = atg_rng_seed(r->seed ^ ((uint64_t)r->missing << 32) ^ (ret->person + 1ULL));
    double gain = 0, squares = 0;
    int rc = total ? ATG_OK : short_of_memory(err);

    for (uint32_t m = 0; m < r->op->n_markers && !rc; m++)
        rc = simulate_marker(r, m, ret->person, &rng, total, err);
    if (rc)
        return rc;
    for (uint32_t s = 0; s < r->n_sim; s++)
        gain += (total[s] - r->now[s]) / r->n_sim;
    for (uint32_t s = 0; s < r->n_sim; s++)
        squares += (total[s] - r->now[s] - gain) * (total[s] - r->now[s] - gain);
    ret->gain = gain;
    ret->gain_se = r->n_sim > 1 ? sqrt(squares / (r->n_sim - 1) / r->n_sim) : 0;
    ret->with = summarise(total, r->n_sim, r->op->params.min_log10_lr);
    return ATG_OK;
}

static int exclusion(const power_run *r, atg_power *ret, atg_err *err) {
    double none = 1, sum = 0;

    for (uint32_t m = 0; m < r->op->n_markers; m++) {
        double power;
        int rc;

        if (r->tables[m].set.n == 0)
            continue;
        rc = atg_exclusion_power(r->op->markers, m, &r->family->ped, r->person, &power, err);
        if (rc)
            return rc;
        none *= 1 - power;
        sum += power;
    }
    ret->exclusion_power = 1 - none;
    ret->expected_mismatch = sum;
    return ATG_OK;
}

static bool may_be_sampled(const atg_operation *op, const atg_family *f, uint32_t person) {
    if (f->ped.persons[person].genos)
        return false;
    for (uint32_t k = 0; k < f->n_missing; k++)
        if (op->missing[f->missing[k]].person == person)
            return false;
    return true;
}

static int by_gain(const void *x, const void *y) {
    const atg_power_candidate *a = x, *b = y;

    if (a->gain != b->gain)
        return a->gain > b->gain ? -1 : 1;
    return a->person < b->person ? -1 : 1;
}

static int candidates(power_run *r, atg_arena *arena, const atg_progress *progress,
                      atg_power_result *ret, atg_err *err) {
    const atg_family *f = r->family;
    atg_power_candidate *list = ATG_GET(arena, atg_power_candidate, f->ped.n + 1);
    uint32_t n = 0;

    if (!list)
        return short_of_memory(err);
    for (uint32_t i = 0; i < f->ped.n; i++) {
        atg_power_candidate *c = &list[n];
        int rc;

        if (!may_be_sampled(r->op, f, i))
            continue;
        *c = (atg_power_candidate){.person = i};
        rc = simulate_with(r, c, err);
        if (rc)
            return rc;
        n++;
        if (progress && progress->step &&
            !progress->step(progress->user, "simulating", i + 1, f->ped.n))
            return atg_fail(err, ATG_ECANCEL, "Stopped on request");
    }
    if (n)
        qsort(list, n, sizeof(*list), by_gain);
    ret->n_candidates = n;
    ret->candidates = list;
    return ATG_OK;
}

int atg_family_power(atg_arena *arena, const atg_operation *op, uint32_t missing,
                     const atg_power_options *options, const atg_progress *progress,
                     atg_power_result *ret, atg_err *err) {
    power_run *r = mem_zero(1, sizeof(*r));
    atg_power_result out = {0};
    int rc;

    if (!r)
        return short_of_memory(err);
    r->op = op;
    r->missing = missing;
    r->family = &op->families[op->missing[missing].family];
    r->person = op->missing[missing].person;
    r->n_sim = options->n_sim ? options->n_sim : 1;
    r->seed = options->seed;
    for (uint32_t m = 0; m < op->n_markers; m++)
        r->genos[m] = ATG_UNTYPED;
    rc = run_open(r, err);
    if (!rc)
        rc = simulate_now(r, &out.now, err);
    if (!rc)
        rc = exclusion(r, &out.now, err);
    if (!rc)
        rc = candidates(r, arena, progress, &out, err);
    if (!rc)
        *ret = out;
    run_close(r);
    mem_free(r);
    return rc;
}
