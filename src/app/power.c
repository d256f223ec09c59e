/* SPDX-License-Identifier: Apache-2.0 */
/* What a family can prove (docs/power.md), at theta 0.  At one marker the LR of each genotype g
 * comes from the compiled table, and P(g | family) = LR(g) P(g), so draws of the true person's
 * genotype need no further likelihood.  With one more relative typed the same holds given that
 * relative's drawn genotype. */
#include <antigone/app.h>
#include <antigone/dna.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

typedef struct marker_table {
    uint32_t n;       /* genotypes */
    double *log10_lr; /* n */
    double *upto;     /* n: cumulated P(g | family) */
} marker_table;

typedef struct power_run {
    const atg_operation *op;
    uint32_t missing, n_sim;
    atg_rng rng;
    bool use[ATG_MARKERS_MAX];
    atg_obs *obs[ATG_MARKERS_MAX]; /* whatever may be seen at each marker */
    double *prob[ATG_MARKERS_MAX]; /* its population probability */
    atg_obs_set sets[ATG_MARKERS_MAX];
    atg_compiler *compiler;
} power_run;

static void run_close(power_run *r) {
    for (uint32_t m = 0; m < r->op->n_markers; m++) {
        mem_free(r->obs[m]);
        mem_free(r->prob[m]);
    }
    atg_compiler_free(r->compiler);
}

static bool is_haploid(const power_run *r, uint32_t m) {
    const atg_missing *who = &r->op->missing[r->missing];

    return r->op->markers[m].chrom == ATG_CHROM_X &&
           r->op->families[who->family].ped.persons[who->person].sex == ATG_SEX_MALE;
}

/* P(somebody shows a/b), a <= b; a silent allele hides behind the other one. */
static double shown_prob(const atg_marker *m, int16_t a, int16_t b) {
    double p = m->freqs[a], q = m->freqs[b];
    double hidden = m->silent < 0 ? 0 : 2 * p * m->freqs[m->silent];

    return a == b ? p * p + hidden : 2 * p * q;
}

static int list_genotypes(power_run *r, uint32_t m, atg_err *err) {
    const atg_marker *marker = &r->op->markers[m];
    int16_t n_alleles = (int16_t)marker->n;
    uint32_t n = 0, most = (uint32_t)marker->n * (marker->n + 1) / 2;
    bool haploid = is_haploid(r, m);

    r->obs[m] = mem_zero(most, sizeof(atg_obs));
    r->prob[m] = mem_zero(most, sizeof(double));
    if (!r->obs[m] || !r->prob[m])
        return atg_fail(err, ATG_ENOMEM, "Out of memory simulating a family");
    for (int16_t a = 0; a < n_alleles; a++)
        for (int16_t b = a; b < n_alleles && !(haploid && b > a); b++) {
            if (a == marker->silent || b == marker->silent)
                continue;
            r->obs[m][n] = (atg_obs){.geno = {a, b}};
            r->prob[m][n++] = haploid ? marker->freqs[a] : shown_prob(marker, a, b);
        }
    r->sets[m] = (atg_obs_set){n, r->obs[m]};
    return ATG_OK;
}

static int run_open(power_run *r, atg_err *err) {
    r->compiler = atg_compiler_new();
    if (!r->compiler)
        return atg_fail(err, ATG_ENOMEM, "Out of memory simulating a family");
    atg_independent_markers(r->op, r->use);
    for (uint32_t m = 0; m < r->op->n_markers; m++) {
        int rc = r->use[m] ? list_genotypes(r, m, err) : ATG_OK;

        if (rc)
            return rc;
    }
    return ATG_OK;
}

/* The tables of one marker, the family as `op` has it; log10_lr and upto have room. */
static int fill_table(power_run *r, const atg_operation *op, uint32_t m, marker_table *t,
                      atg_err *err) {
    atg_obs_set sets[ATG_MARKERS_MAX] = {{0}};
    double *to[ATG_MARKERS_MAX] = {NULL}, sum = 0;
    atg_operation one = *op;
    int rc;

    /* one marker at a time: the others are not needed */
    one.n_markers = m + 1;
    sets[m] = r->sets[m];
    to[m] = t->log10_lr;
    for (uint32_t k = 0; k < m; k++)
        to[k] = t->log10_lr; /* nothing is written to it */
    rc = atg_compile(r->compiler, &one, r->missing, sets, to, err);
    t->n = r->sets[m].n;
    for (uint32_t g = 0; g < t->n && !rc; g++) {
        sum += r->prob[m][g] * pow(10, t->log10_lr[g]);
        t->upto[g] = sum;
    }
    return rc;
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

static int room_for(const power_run *r, uint32_t m, marker_table *t, atg_err *err) {
    *t = (marker_table){.log10_lr = mem_alloc((r->sets[m].n + 1) * sizeof(double)),
                        .upto = mem_alloc((r->sets[m].n + 1) * sizeof(double))};
    return t->log10_lr && t->upto ? ATG_OK
                                  : atg_fail(err, ATG_ENOMEM, "Out of memory simulating a family");
}

static void table_free(marker_table *t) {
    mem_free(t->log10_lr);
    mem_free(t->upto);
}

/* Add one marker's draws to the totals, the family as it is. */
static int simulate_marker(power_run *r, uint32_t m, double *total, atg_err *err) {
    marker_table t;
    int rc = room_for(r, m, &t, err);

    if (!rc)
        rc = fill_table(r, r->op, m, &t, err);
    for (uint32_t s = 0; s < r->n_sim && !rc; s++)
        total[s] += t.log10_lr[draw(&r->rng, t.upto, t.n)];
    table_free(&t);
    return rc;
}

/* The family with `person` typed as genotype g at marker m. */
static void type_person(const power_run *r, uint32_t person, const atg_geno *genos,
                        atg_operation *op, atg_family *family, atg_person *persons) {
    uint32_t f = r->op->missing[r->missing].family;

    *family = r->op->families[f];
    memcpy(persons, family->ped.persons, family->ped.n * sizeof(*persons));
    persons[person].genos = genos;
    persons[person].dropout = persons[person].dropin = 0;
    family->ped.persons = persons;
    *op = *r->op;
    op->families = family - f; /* only this family is looked at */
}

typedef struct relative {
    uint32_t person, n; /* genotypes of the relative */
    double *upto;
    marker_table *tables; /* one per genotype, made when first drawn */
} relative;

static int relative_open(power_run *r, uint32_t m, relative *x, atg_err *err) {
    const atg_marker *marker = &r->op->markers[m];
    const atg_family *f = &r->op->families[r->op->missing[r->missing].family];
    double loglik, sum = 0;

    x->n = (uint32_t)marker->n * (marker->n + 1) / 2;
    x->upto = mem_alloc(x->n * sizeof(double));
    x->tables = mem_zero(x->n, sizeof(*x->tables));
    if (!x->upto || !x->tables)
        return atg_fail(err, ATG_ENOMEM, "Out of memory simulating a family");

    int rc = atg_genotype_distribution(
        &(atg_person_at){r->op->markers, m, &f->ped, x->person, r->op->params.theta}, x->upto,
        &loglik, err);

    for (uint32_t g = 0; g < x->n && !rc; g++)
        x->upto[g] = sum += x->upto[g];
    return rc;
}

static void relative_close(relative *x) {
    for (uint32_t g = 0; x->tables && g < x->n; g++)
        table_free(&x->tables[g]);
    mem_free(x->tables);
    mem_free(x->upto);
}

/* What is seen of a genotype: never a silent allele. */
static atg_geno shown(const atg_marker *m, int16_t a, int16_t b) {
    if (m->silent < 0)
        return (atg_geno){a, b};
    if (a == m->silent && b == m->silent)
        return ATG_UNTYPED;
    if (a == m->silent)
        return (atg_geno){b, b};
    return b == m->silent ? (atg_geno){a, a} : (atg_geno){a, b};
}

/* The table given that the relative has genotype number g (of b (b + 1) / 2 + a). */
static int given_relative(power_run *r, uint32_t m, relative *x, uint32_t g, atg_err *err) {
    atg_geno genos[ATG_MARKERS_MAX];
    atg_person persons[ATG_PEDIGREE_MAX];
    atg_operation op;
    atg_family family;
    int16_t b = 0;
    int rc;

    if (x->tables[g].upto)
        return ATG_OK;
    while ((uint32_t)(b + 1) * (uint32_t)(b + 2) / 2 <= g)
        b++;
    for (uint32_t k = 0; k <= m; k++)
        genos[k] = ATG_UNTYPED;
    genos[m] = shown(&r->op->markers[m], (int16_t)(g - (uint32_t)b * (uint32_t)(b + 1) / 2), b);
    type_person(r, x->person, genos, &op, &family, persons);
    rc = room_for(r, m, &x->tables[g], err);
    return rc ? rc : fill_table(r, &op, m, &x->tables[g], err);
}

static int simulate_with(power_run *r, uint32_t m, uint32_t person, double *total, atg_err *err) {
    relative x = {.person = person};
    int rc = relative_open(r, m, &x, err);
    bool possible = !rc && x.upto[x.n - 1] > 0;

    for (uint32_t s = 0; s < r->n_sim && !rc && possible; s++) {
        uint32_t g = draw(&r->rng, x.upto, x.n);

        rc = given_relative(r, m, &x, g, err);
        if (!rc)
            total[s] += x.tables[g].log10_lr[draw(&r->rng, x.tables[g].upto, x.tables[g].n)];
    }
    relative_close(&x);
    return rc;
}

/* person -1: the family as it is. */
static int simulate(power_run *r, int person, atg_power *ret, atg_err *err) {
    MEM_AUTO double *total = mem_zero(r->n_sim, sizeof(double));
    int rc = total ? ATG_OK : atg_fail(err, ATG_ENOMEM, "Out of memory simulating a family");

    for (uint32_t m = 0; m < r->op->n_markers && !rc; m++)
        if (r->use[m])
            rc = person < 0 ? simulate_marker(r, m, total, err)
                            : simulate_with(r, m, (uint32_t)person, total, err);
    if (!rc)
        *ret = summarise(total, r->n_sim, r->op->params.min_log10_lr);
    return rc;
}

static int exclusion(const power_run *r, atg_power *ret, atg_err *err) {
    const atg_missing *who = &r->op->missing[r->missing];
    atg_sex sex = r->op->families[who->family].ped.persons[who->person].sex;
    double none = 1, sum = 0;

    for (uint32_t m = 0; m < r->op->n_markers; m++) {
        double power;
        int rc;

        if (!r->use[m] || (r->op->markers[m].chrom == ATG_CHROM_X && sex == ATG_SEX_UNKNOWN))
            continue;
        rc = atg_exclusion_power(r->op->markers, m, &r->op->families[who->family].ped, who->person,
                                 &power, err);
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
    const atg_family *f = &r->op->families[r->op->missing[r->missing].family];
    atg_power_candidate *list = ATG_GET(arena, atg_power_candidate, f->ped.n + 1);
    uint32_t n = 0;

    if (!list)
        return atg_fail(err, ATG_ENOMEM, "Out of memory simulating a family");
    for (uint32_t i = 0; i < f->ped.n; i++) {
        atg_power_candidate *c = &list[n];
        int rc;

        if (!may_be_sampled(r->op, f, i))
            continue;
        *c = (atg_power_candidate){.person = i};
        rc = simulate(r, (int)i, &c->with, err);
        if (rc)
            return rc;
        c->gain = c->with.mean - ret->now.mean;
        c->gain_se = hypot(c->with.std_error, ret->now.std_error);
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
    atg_operation plain;
    int rc;

    if (!r)
        return atg_fail(err, ATG_ENOMEM, "Out of memory simulating a family");
    plain = *op;
    plain.params.theta = 0;
    *r = (power_run){.op = &plain,
                     .missing = missing,
                     .n_sim = options->n_sim ? options->n_sim : 1,
                     .rng = atg_rng_seed(options->seed ^ ((uint64_t)missing << 32))};
    rc = run_open(r, err);
    if (!rc)
        rc = simulate(r, -1, &out.now, err);
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
