/* SPDX-License-Identifier: Apache-2.0 */
#include <antigone/direct.h>
#include <antigone/lineage.h>

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "dna/kernel.h"
#include "dna/mt.h"
#include "dna/sex.h"

/* Samples by body, then in their order. */
typedef struct entry {
    atg_str body;
    uint32_t sample;
    bool own; /* carries no body: its id is the body's */
} entry;

static int entry_cmp(const void *a, const void *b) {
    const entry *x = a, *y = b;
    int c = atg_str_cmp(x->body, y->body);

    return c ? c : (x->sample > y->sample) - (x->sample < y->sample);
}

static int body_cmp(const void *a, const void *b) {
    const atg_body *x = a, *y = b;

    return (x->samples[0] > y->samples[0]) - (x->samples[0] < y->samples[0]);
}

/* One body while it is put together. */
typedef struct merger {
    atg_arena *arena;
    const atg_operation *op;
    atg_body *body;
    const atg_sample **s; /* those that take part: no mixtures */
    uint32_t n;
    atg_obs *obs; /* room for one of each */
    atg_geno *genos;
    atg_buf *warning, *differ;
} merger;

static void add_word(atg_buf *buf, const char *between, atg_str word) {
    atg_str sofar;

    if (!atg_buf_take(buf, &sofar, NULL) && sofar.n)
        atg_buf_adds(buf, between);
    atg_buf_add(buf, word);
}

/* Does one genotype show everything that was seen? */
static bool explains(const merger *g, const atg_marker *m, atg_geno truth, uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
        if (!(kernel_prob(m, g->obs[i], truth.a, truth.b) > 0))
            return false;
    return true;
}

static bool add_allele(int16_t allele, int16_t set[2], int *n) {
    for (int i = 0; i < *n; i++)
        if (set[i] == allele)
            return true;
    if (allele < 0)
        return true;
    if (*n == 2)
        return false;
    set[(*n)++] = allele;
    return true;
}

static bool seen_as_such(const merger *g, atg_geno u, uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
        if (geno_same(g->obs[i].geno, u))
            return true;
    return false;
}

/* All alleles seen in any of the samples, where the others may have lost them. */
static bool union_explains(const merger *g, const atg_marker *m, bool one_copy, uint32_t n,
                           atg_geno *ret) {
    int16_t set[2] = {-1, -1};
    bool full = false;
    int k = 0;

    for (uint32_t i = 0; i < n; i++) {
        if (!add_allele(g->obs[i].geno.a, set, &k) || !add_allele(g->obs[i].geno.b, set, &k))
            return false;
        full = full || g->obs[i].geno.b >= 0;
    }
    if (k == 2) {
        *ret = set[0] < set[1] ? (atg_geno){set[0], set[1]} : (atg_geno){set[1], set[0]};
        /* the copies of a Y marker are one haplotype: two must have been seen together */
        if (one_copy || (m->chrom == ATG_CHROM_Y && !seen_as_such(g, *ret, n)))
            return false;
        return explains(g, m, *ret, n);
    }
    ret->a = ret->b = set[0];
    if (!full)
        ret->b = ATG_ALLELE_UNREAD;
    return explains(g, m, one_copy ? (atg_geno){set[0], -1} : (atg_geno){set[0], set[0]}, n);
}

/* A sample read in full, nothing left to chance, outweighs what came into the others. */
static bool certain_explains(const merger *g, const atg_marker *m, uint32_t n, atg_geno *ret) {
    for (uint32_t i = 0; i < n; i++)
        if (obs_certain(g->obs[i]) && explains(g, m, g->obs[i].geno, n)) {
            *ret = g->obs[i].geno;
            return true;
        }
    return false;
}

/* What is left to chance in the merged genotype: it lacks an allele only if that dropped out of
 * every sample, and holds a wrong one if that came into any. */
static void marker_rates(const merger *g, atg_geno merged, uint32_t n, atg_sample *into) {
    double d = 1, none = 1;
    uint32_t n_full = 0;

    for (uint32_t i = 0; i < n; i++) {
        if (obs_certain(g->obs[i]))
            return;
        none *= 1 - g->obs[i].dropin;
        if (g->obs[i].geno.b >= 0) {
            d *= g->obs[i].dropout;
            n_full++;
        }
    }
    if (1 - none > into->dropin)
        into->dropin = 1 - none;
    if (n_full && merged.b >= 0 && (merged.a == merged.b || none < 1) && d > into->dropout)
        into->dropout = d;
}

static void merge_marker(merger *g, uint32_t m, atg_sample *into) {
    const atg_marker *marker = &g->op->markers[m];
    bool one_copy = marker->chrom == ATG_CHROM_X && into->sex == ATG_SEX_MALE;
    uint32_t n = 0;

    g->genos[m] = ATG_UNTYPED;
    for (uint32_t i = 0; i < g->n; i++) {
        atg_obs o = {g->s[i]->genos[m], g->s[i]->dropout, g->s[i]->dropin};

        if (atg_geno_typed(o.geno))
            g->obs[n++] = o;
    }
    if (n == 0)
        return;
    if (n == 1)
        g->genos[m] = g->obs[0].geno;
    else if (!union_explains(g, marker, one_copy, n, &g->genos[m]) &&
             !certain_explains(g, marker, n, &g->genos[m])) {
        add_word(g->differ, ", ", marker->name);
        g->genos[m] = ATG_UNTYPED;
        return;
    }
    marker_rates(g, g->genos[m], n, into);
}

static atg_sex merge_sex(merger *g) {
    atg_sex sex = ATG_SEX_UNKNOWN;

    for (uint32_t i = 0; i < g->n; i++) {
        if (g->s[i]->sex == ATG_SEX_UNKNOWN || g->s[i]->sex == sex)
            continue;
        if (sex != ATG_SEX_UNKNOWN) {
            add_word(g->warning, " ",
                     ATG_STR("Its samples are recorded with different sexes; "
                             "the sex is taken as unknown."));
            return ATG_SEX_UNKNOWN;
        }
        sex = g->s[i]->sex;
    }
    return sex;
}

static int merge_mt(merger *g, atg_mt *ret, atg_err *err) {
    atg_mt all = {0};

    for (uint32_t i = 0; i < g->n; i++)
        for (uint32_t j = i + 1; j < g->n; j++) {
            atg_lineage_cmp cmp;

            atg_mt_compare(&g->s[i]->mt, &g->s[j]->mt, &cmp);
            if (cmp.n_steps == 0)
                continue;
            add_word(g->warning, " ",
                     ATG_STR("The mtDNA of its samples differs; mtDNA is left out."));
            *ret = (atg_mt){0};
            return ATG_OK;
        }
    for (uint32_t i = 0; i < g->n; i++) {
        int rc = g->n == 1 ? ATG_OK : mt_union(g->arena, &all, &g->s[i]->mt, &all, err);

        if (rc)
            return rc;
    }
    *ret = g->n == 1 ? g->s[0]->mt : all;
    return ATG_OK;
}

/* Where the profile contradicts the recorded sex, the sex is taken as unknown, so that a wrong
 * record does not keep the true missing person out. */
static void check_sex(merger *g, atg_sample *s) {
    if (!sex_contradicts(g->op, s, NULL))
        return;
    add_word(g->warning, " ", ATG_STR(""));
    (void)sex_contradicts(g->op, s, g->warning);
    atg_buf_adds(g->warning, "; the sex is taken as unknown.");
    s->sex = ATG_SEX_UNKNOWN;
}

static bool disjoint(const atg_operation *op, const atg_sample *x, const atg_sample *y) {
    for (uint32_t m = 0; m < op->n_markers; m++)
        if (atg_geno_typed(x->genos[m]) && atg_geno_typed(y->genos[m]))
            return false;
    return true;
}

/* Samples that share no marker are joined on the word of the record alone. */
static void check_overlap(merger *g) {
    for (uint32_t i = 0; i < g->n; i++)
        for (uint32_t j = i + 1; j < g->n; j++)
            if (disjoint(g->op, g->s[i], g->s[j])) {
                add_word(g->warning, " ", ATG_STR("Its samples "));
                atg_buf_printf(g->warning,
                               "%.*s and %.*s share no marker, so that they could not "
                               "be compared.",
                               ATG_FMT(g->s[i]->id), ATG_FMT(g->s[j]->id));
                return;
            }
}

static int merge_samples(merger *g, atg_sample *into, atg_err *err) {
    atg_str markers;
    int rc;

    into->genos = g->genos = ATG_GET(g->arena, atg_geno, g->op->n_markers);
    if (!g->genos)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for the profile of a body");
    into->sex = merge_sex(g);
    into->dropout = into->dropin = 0;
    into->part = true;
    for (uint32_t i = 0; i < g->n; i++)
        into->part = into->part && g->s[i]->part;
    for (uint32_t m = 0; m < g->op->n_markers; m++)
        merge_marker(g, m, into);
    check_overlap(g);
    rc = merge_mt(g, &into->mt, err);
    if (!rc)
        rc = atg_buf_take(g->differ, &markers, err);
    if (!rc && markers.n) {
        g->body->refused = atg_arena_printf(
            g->arena,
            "Its samples differ at %.*s and cannot come from one person; enter them as "
            "different bodies or type them again.",
            ATG_FMT(markers));
        rc = g->body->refused.p ? ATG_OK : atg_fail(err, ATG_ENOMEM, "Out of memory");
    }
    return rc;
}

static int fill_body(merger *g, atg_err *err) {
    atg_sample *into = &g->body->merged;
    atg_str key = into->body;
    uint32_t n_all = g->body->n_samples;
    atg_str warning;
    int rc = ATG_OK;

    g->n = 0;
    for (uint32_t i = 0; i < n_all; i++) {
        const atg_sample *s = &g->op->samples[g->body->samples[i]];

        if (!s->mixture)
            g->s[g->n++] = s;
    }
    *into = g->n ? *g->s[0] : g->op->samples[g->body->samples[0]];
    into->id = into->body = key;
    if (g->n == 0) {
        g->body->refused = ATG_STR("The laboratory declared it a mixture; type a sample of one "
                                   "person.");
        return ATG_OK;
    }
    if (g->n < n_all)
        add_word(g->warning, " ", ATG_STR("A mixture among its samples was left out."));
    if (g->n > 1)
        rc = merge_samples(g, into, err);
    if (!rc && !g->body->refused.n)
        check_sex(g, into);
    if (!rc)
        rc = atg_buf_take(g->warning, &warning, err);
    if (!rc && warning.n) {
        g->body->warning = atg_arena_str(g->arena, warning);
        rc = g->body->warning.p ? ATG_OK : atg_fail(err, ATG_ENOMEM, "Out of memory");
    }
    return rc;
}

static int merge_body(atg_arena *arena, const atg_operation *op, atg_body *body, atg_err *err) {
    ATG_AUTO(atg_buf) warning = atg_buf_new(1 << 16);
    ATG_AUTO(atg_buf) differ = atg_buf_new(1 << 16);
    MEM_AUTO const atg_sample **s = mem_zero(body->n_samples, sizeof(void *));
    MEM_AUTO atg_obs *obs = mem_zero(body->n_samples, sizeof(*obs));
    merger g = {.arena = arena,
                .op = op,
                .body = body,
                .s = s,
                .obs = obs,
                .warning = warning,
                .differ = differ};

    if (!warning || !differ || !s || !obs)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for merging the samples of a body");
    return fill_body(&g, err);
}

/* Samples by body; in `ret` a run of entries for each. */
static void sort_entries(const atg_operation *op, entry *ret) {
    for (uint32_t i = 0; i < op->n_samples; i++) {
        const atg_sample *s = &op->samples[i];

        ret[i] = (entry){s->body.n ? s->body : s->id, i, s->body.n == 0};
    }
    if (op->n_samples)
        qsort(ret, op->n_samples, sizeof(*ret), entry_cmp);
}

static bool starts_body(const entry *entries, uint32_t i) {
    return i == 0 || !atg_str_eq(entries[i].body, entries[i - 1].body);
}

static int count_bodies(const atg_operation *op, const entry *entries, uint32_t *ret,
                        atg_err *err) {
    *ret = 0;
    for (uint32_t i = 0; i < op->n_samples; i++) {
        if (starts_body(entries, i)) {
            (*ret)++;
            continue;
        }
        for (uint32_t k = i - 1; k <= i; k++)
            if (entries[k].own)
                return atg_fail(err, ATG_EINVAL,
                                "Sample %.*s names no body and body %.*s has other samples; give "
                                "it that body, or another id",
                                ATG_FMT(op->samples[entries[k].sample].id),
                                ATG_FMT(entries[k].body));
    }
    return ATG_OK;
}

int atg_merge_bodies(atg_arena *arena, const atg_operation *op, uint32_t *ret_n,
                     const atg_body **ret, atg_err *err) {
    MEM_AUTO entry *entries = mem_zero(op->n_samples, sizeof(*entries));
    uint32_t *samples = ATG_GET(arena, uint32_t, op->n_samples);
    atg_body *bodies;
    uint32_t n_bodies = 0, b = 0;
    int rc;

    if (!entries || !samples)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for %u samples", op->n_samples);
    sort_entries(op, entries);
    rc = count_bodies(op, entries, &n_bodies, err);
    if (rc)
        return rc;
    bodies = ATG_GET(arena, atg_body, n_bodies);
    if (!bodies)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for %u bodies", n_bodies);
    for (uint32_t i = 0; i < op->n_samples; i++) {
        samples[i] = entries[i].sample;
        if (starts_body(entries, i))
            bodies[b++] = (atg_body){.merged.body = entries[i].body, .samples = &samples[i]};
        bodies[b - 1].n_samples++;
    }
    if (n_bodies)
        qsort(bodies, n_bodies, sizeof(*bodies), body_cmp);
    for (b = 0; b < n_bodies && !rc; b++)
        rc = merge_body(arena, op, &bodies[b], err);
    if (rc)
        return rc;
    *ret_n = n_bodies;
    *ret = bodies;
    return ATG_OK;
}

/* The given prior of a body is that of its samples, which must agree. */
static int merge_prior(const atg_operation *op, const atg_body *body, double *row, atg_err *err) {
    const double *given = op->params.prior.given;

    for (uint32_t i = 0; i < body->n_samples; i++)
        for (uint32_t k = 0; k < op->n_missing; k++) {
            double odds = given[(size_t)body->samples[i] * op->n_missing + k];

            if (i && odds != row[k])
                return atg_fail(err, ATG_EINVAL,
                                "The given prior differs between samples of body %.*s; give all "
                                "of them the same",
                                ATG_FMT(body->merged.id));
            row[k] = odds;
        }
    return ATG_OK;
}

int atg_merged_operation(atg_arena *arena, const atg_operation *op, uint32_t n_bodies,
                         const atg_body *bodies, atg_operation *ret, atg_err *err) {
    atg_sample *samples = ATG_GET(arena, atg_sample, n_bodies);
    const double *given = op->params.prior.given;
    double *prior = given ? ATG_GET(arena, double, (size_t)n_bodies * op->n_missing) : NULL;
    uint32_t n = 0;

    if (!samples || (given && !prior))
        return atg_fail(err, ATG_ENOMEM, "Out of memory for %u bodies", n_bodies);
    for (uint32_t b = 0; b < n_bodies; b++) {
        int rc;

        if (bodies[b].refused.n)
            continue;
        rc = given ? merge_prior(op, &bodies[b], prior + (size_t)n * op->n_missing, err) : ATG_OK;
        if (rc)
            return rc;
        samples[n++] = bodies[b].merged;
    }
    *ret = *op;
    ret->n_samples = n;
    ret->samples = samples;
    ret->params.prior.given = prior;
    return ATG_OK;
}
