/* SPDX-License-Identifier: Apache-2.0 */
/* The joint likelihood of a family with several missing persons, tuple by tuple.
 *
 * A search goes through the places in order.  With the first d places filled, one elimination per
 * marker that keeps the alleles of the person in place d gives the LR of every observation there
 * at once.  It depends only on what the samples in the first places show at this marker, and most
 * samples look alike at one marker, so these rows are remembered. */
#include <antigone/dna.h>

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "dna/compiler.h"

enum { PLACES_MAX = 64, SLOTS = 1024 };

/* Rows of one marker at one depth, found by what the earlier places show. */
typedef struct rows {
    uint32_t n, cap, width; /* rows, slots (a power of two), values in a row */
    uint64_t *keys;         /* cap; 0: free, else key + 1 */
    uint32_t *at;           /* cap: row number */
    double *values;         /* n * width */
    uint32_t room;          /* rows that `values` has room for */
} rows;

typedef struct site {
    uint32_t marker;
    bool silent; /* the family contradicts itself here: nothing to learn */
    uint32_t n_obs;
    atg_obs *obs;      /* distinct observations of the samples */
    uint32_t *obs_of;  /* per sample: 0 nothing, else index + 1 */
    double *log_prob;  /* log10 at theta 0: per observation, of a woman, then of a man */
    double log_family; /* log10 likelihood of the family alone */
    bool seen[ATG_ALLELES_MAX];
    atg_marker plain; /* without mutation, when that was asked for */
    rows at_depth[PLACES_MAX];
} site;

typedef struct search {
    atg_compiler *c;
    const atg_operation *op;
    const atg_family *family;
    bool *allowed; /* k * n_samples, narrowed to pairs that are possible */
    uint32_t k, n_sites;
    site *sites;
    uint32_t persons[PLACES_MAX];
    bool inbred[PLACES_MAX];
    int32_t chosen[PLACES_MAX];
    bool *used;   /* per sample */
    double *sums; /* per depth: n_samples + 1 values */
    double *pairs;
    int32_t *samples; /* result */
    double *log10_lr;
    uint64_t n, cap;
} search;

static void rows_free(rows *r) {
    mem_free(r->keys);
    mem_free(r->at);
    mem_free(r->values);
}

static uint64_t mix(uint64_t x) {
    x ^= x >> 31;
    x *= 0x7fb5d329728ea185U;
    x ^= x >> 27;
    x *= 0x81dadef4bc2dd44dU;
    return x ^ (x >> 33);
}

static int rows_grow(rows *r) {
    uint32_t cap = r->cap ? r->cap * 2 : SLOTS / 16;
    uint64_t *keys = mem_zero(cap, sizeof(*keys));
    uint32_t *at = mem_alloc(cap * sizeof(*at));

    if (!keys || !at) {
        mem_free(keys);
        mem_free(at);
        return ATG_ENOMEM;
    }
    for (uint32_t i = 0; i < r->cap; i++) {
        if (!r->keys[i])
            continue;

        uint64_t slot = mix(r->keys[i]) & (cap - 1);

        while (keys[slot])
            slot = (slot + 1) & (cap - 1);
        keys[slot] = r->keys[i];
        at[slot] = r->at[i];
    }
    mem_free(r->keys);
    mem_free(r->at);
    r->keys = keys;
    r->at = at;
    r->cap = cap;
    return ATG_OK;
}

/* The row of this key; *ret_new when it is to be filled.  NULL when memory is short. */
static double *rows_get(rows *r, uint64_t key, bool *ret_new) {
    if (r->n * 2 >= r->cap && rows_grow(r))
        return NULL;

    uint64_t slot = mix(key + 1) & (r->cap - 1);

    while (r->keys[slot] && r->keys[slot] != key + 1)
        slot = (slot + 1) & (r->cap - 1);
    *ret_new = r->keys[slot] == 0;
    if (*ret_new) {
        if (r->n == r->room) {
            uint32_t room = r->room ? r->room * 2 : 16;
            double *values = mem_grow(r->values, (size_t)room * r->width * sizeof(*values));

            if (!values)
                return NULL;
            r->values = values;
            r->room = room;
        }
        r->keys[slot] = key + 1;
        r->at[slot] = r->n++;
    }
    return r->values + (size_t)r->at[slot] * r->width;
}

static const atg_obs *shown(const search *s, const site *t, uint32_t place) {
    uint32_t o = s->chosen[place] < 0 ? 0 : t->obs_of[s->chosen[place]];

    return o ? &t->obs[o - 1] : NULL;
}

/* Likelihood with theta of the family and loose unrelated persons; log10. */
static int pooled(search *s, const site *t, const atg_obs *obs, const atg_pedigree *ped,
                  double *ret, atg_err *err) {
    kept k;
    int rc = compiler_keep(s->c,
                           &(kept_input){.marker = &t->plain,
                                         .ped = ped,
                                         .obs = obs,
                                         .theta = s->op->params.theta,
                                         .keep = -1,
                                         .more_seen = t->seen},
                           &k, err);

    if (!rc)
        *ret = log10(k.total) + k.log / M_LN10;
    return rc;
}

/* With theta the alternative draws family and samples from one pool: both likelihoods anew for
 * every observation. */
static int fill_theta(search *s, const site *t, uint32_t depth, atg_obs *obs, double *row,
                      atg_err *err) {
    const atg_pedigree *ped = &s->family->ped;
    atg_person persons[ATG_PEDIGREE_MAX];
    atg_obs beside[ATG_PEDIGREE_MAX];
    atg_pedigree more = {ped->n, persons};

    if (ped->n + s->k > ATG_PEDIGREE_MAX)
        return atg_fail(err, ATG_ELIMIT, "Family %.*s is too large to be compared with theta",
                        ATG_FMT(s->family->id));
    memcpy(persons, ped->persons, ped->n * sizeof(*persons));
    compiler_observe(s->op->markers, t->marker, ped, beside);
    for (uint32_t p = 0; p < depth; p++) {
        const atg_obs *o = shown(s, t, p);

        if (!o)
            continue;
        persons[more.n] =
            (atg_person){.father = -1, .mother = -1, .sex = ped->persons[s->persons[p]].sex};
        beside[more.n++] = *o;
    }
    for (uint32_t i = 0; i <= t->n_obs; i++) {
        double with = 0, without = 0;

        obs[s->persons[depth]] = i ? t->obs[i - 1] : (atg_obs){.geno = ATG_UNTYPED};
        persons[more.n] =
            (atg_person){.father = -1, .mother = -1, .sex = ped->persons[s->persons[depth]].sex};
        beside[more.n] = obs[s->persons[depth]];

        atg_pedigree all = {more.n + 1, persons};
        int rc = pooled(s, t, obs, ped, &with, err);

        if (!rc)
            rc = pooled(s, t, beside, &all, &without, err);
        if (rc)
            return rc;
        row[i] = isfinite(without) ? with - without : 0;
    }
    return ATG_OK;
}

static int fill_row(search *s, const site *t, uint32_t depth, double *row, atg_err *err) {
    const atg_pedigree *ped = &s->family->ped;
    atg_obs obs[ATG_PEDIGREE_MAX];
    atg_obs_set set = {t->n_obs, t->obs};
    double alone = t->log_family;
    const obs_plan *plan;
    kept k;

    compiler_observe(s->op->markers, t->marker, ped, obs);
    for (uint32_t p = 0; p < depth; p++) {
        const atg_obs *o = shown(s, t, p);

        if (!o)
            continue;
        obs[s->persons[p]] = *o;
        alone += t->log_prob[(o - t->obs) * 2 + (ped->persons[s->persons[p]].sex == ATG_SEX_MALE)];
    }
    if (s->op->params.theta > 0)
        return fill_theta(s, t, depth, obs, row, err);

    int rc = compiler_keep(s->c,
                           &(kept_input){.marker = &t->plain,
                                         .ped = ped,
                                         .obs = obs,
                                         .keep = (int)s->persons[depth],
                                         .more_seen = s->inbred[depth] ? t->seen : NULL},
                           &k, err);

    if (!rc)
        rc = compiler_plan(s->c, &t->plain, &set, k.haploid, &plan, err);
    if (rc)
        return rc;
    compiler_spread(&s->c->view, k.num, k.haploid, 0, s->pairs);
    row[0] = log10(k.total) + k.log / M_LN10 - alone;
    for (uint32_t i = 0; i < t->n_obs; i++) {
        double sum = 0;

        for (uint32_t e = plan->from[i]; e < plan->from[i + 1]; e++)
            sum +=
                plan->entries[e].k * s->pairs[plan->entries[e].a * t->plain.n + plan->entries[e].b];
        row[i + 1] = log10(sum) + k.log / M_LN10 - alone - log10(plan->prob[i]);
    }
    return ATG_OK;
}

static int row_of(search *s, site *t, uint32_t depth, const double **ret, atg_err *err) {
    uint64_t key = 0;
    bool fresh;

    for (uint32_t p = 0; p < depth; p++)
        key = key * (t->n_obs + 1) + (s->chosen[p] < 0 ? 0 : t->obs_of[s->chosen[p]]);

    double *row = rows_get(&t->at_depth[depth], key, &fresh);

    if (!row)
        return atg_fail(err, ATG_ENOMEM, "Out of memory comparing a family jointly");
    if (fresh) {
        int rc = fill_row(s, t, depth, row, err);

        if (rc)
            return rc;
    }
    *ret = row;
    return ATG_OK;
}

static int emit(search *s, double log10_lr, atg_err *err) {
    if (s->n == ATG_TUPLES_MAX)
        return atg_fail(err, ATG_ELIMIT,
                        "Family %.*s has more than %d possible assignments; enter more relatives "
                        "or raise what is known of sex to narrow them down",
                        ATG_FMT(s->family->id), ATG_TUPLES_MAX);
    if (s->n == s->cap) {
        uint64_t cap = s->cap ? s->cap * 2 : 256;
        int32_t *samples = mem_grow(s->samples, cap * s->k * sizeof(*samples));

        if (samples)
            s->samples = samples;

        double *values = mem_grow(s->log10_lr, cap * sizeof(*values));

        if (values)
            s->log10_lr = values;
        if (!samples || !values)
            return atg_fail(err, ATG_ENOMEM, "Out of memory comparing a family jointly");
        s->cap = cap;
    }
    memcpy(s->samples + s->n * s->k, s->chosen, s->k * sizeof(*s->chosen));
    s->log10_lr[s->n++] = log10_lr;
    return ATG_OK;
}

static bool anybody_left(const search *s, uint32_t depth, const double *sums) {
    uint32_t n = s->op->n_samples;

    for (uint32_t i = 0; i < n; i++)
        if (sums[i] > -INFINITY && !s->used[i] && s->allowed[(size_t)depth * n + i])
            return true;
    return false;
}

/* LR of every sample in place `depth`, given the places before it, and of nobody (last), which is
 * that of the places before alone.  Once no sample is possible the markers left are skipped. */
static int score_place(search *s, uint32_t depth, double before, double *sums, atg_err *err) {
    uint32_t n = s->op->n_samples;

    memset(sums, 0, n * sizeof(*sums));
    sums[n] = before;
    for (uint32_t t = 0; t < s->n_sites && anybody_left(s, depth, sums); t++) {
        const double *row = NULL;
        int rc = s->sites[t].silent ? ATG_OK : row_of(s, &s->sites[t], depth, &row, err);

        if (rc)
            return rc;
        for (uint32_t i = 0; row && i < n; i++)
            sums[i] += row[s->sites[t].obs_of[i]];
    }
    return ATG_OK;
}

/* A pair that is impossible with everybody else untyped stays so whoever else is put in place. */
static int narrow(search *s, atg_err *err) {
    uint32_t n = s->op->n_samples;

    for (uint32_t p = 0; p < s->k; p++)
        s->chosen[p] = -1;
    for (uint32_t p = 0; p < s->k; p++) {
        int rc = score_place(s, p, 0, s->sums, err);

        if (rc)
            return rc;
        for (uint32_t i = 0; i < n; i++)
            s->allowed[(size_t)p * n + i] &= s->sums[i] > -INFINITY;
    }
    return ATG_OK;
}

/* Not recursive: at each depth `choice` walks through the samples, then nobody. */
static int run(search *s, atg_err *err) {
    uint32_t choice[PLACES_MAX], depth = 0, n = s->op->n_samples, filled = 0;
    int rc = narrow(s, err);

    if (!rc)
        rc = score_place(s, 0, 0, s->sums, err);
    choice[0] = 0;
    while (!rc) {
        uint32_t i = choice[depth]++;
        const double *sums = s->sums + (size_t)depth * (n + 1);

        if (i > n) { /* back to the place before */
            if (depth == 0)
                break;
            depth--;
            if (s->chosen[depth] >= 0) {
                s->used[s->chosen[depth]] = false;
                filled--;
            }
            continue;
        }
        if (i < n && (s->used[i] || !s->allowed[(size_t)depth * n + i]))
            continue;
        if (!(sums[i] > -INFINITY))
            continue;
        s->chosen[depth] = i < n ? (int32_t)i : -1;
        if (depth + 1 == s->k) {
            if (filled || i < n)
                rc = emit(s, sums[i], err);
            continue;
        }
        if (i < n) {
            s->used[i] = true;
            filled++;
        }
        depth++;
        choice[depth] = 0;
        rc = score_place(s, depth, sums[i], s->sums + (size_t)depth * (n + 1), err);
    }
    return rc;
}

static bool same_obs(const atg_obs *a, const atg_obs *b) {
    return a->geno.a == b->geno.a && a->geno.b == b->geno.b && a->dropout == b->dropout &&
           a->dropin == b->dropin;
}

static int site_observe(search *s, site *t, bool *wanted, atg_err *err) {
    const atg_operation *op = s->op;
    bool x = op->markers[t->marker].chrom == ATG_CHROM_X;

    t->obs = mem_alloc((op->n_samples + 1) * sizeof(*t->obs));
    t->obs_of = mem_zero(op->n_samples + 1, sizeof(*t->obs_of));
    t->log_prob = mem_zero(2 * op->n_samples + 1, sizeof(*t->log_prob));
    if (!t->obs || !t->obs_of || !t->log_prob)
        return atg_fail(err, ATG_ENOMEM, "Out of memory comparing a family jointly");
    for (uint32_t i = 0; i < op->n_samples; i++) {
        const atg_sample *p = &op->samples[i];
        atg_obs o = {p->genos[t->marker], p->dropout, p->dropin};
        uint32_t k = 0;

        if (!wanted[i] || !atg_geno_typed(o.geno) || (x && p->sex == ATG_SEX_UNKNOWN))
            continue;
        while (k < t->n_obs && !same_obs(&t->obs[k], &o))
            k++;
        if (k == t->n_obs)
            t->obs[t->n_obs++] = o;
        t->obs_of[i] = k + 1;
        compiler_seen(&o, t->seen);
    }
    return ATG_OK;
}

static int site_open(search *s, site *t, bool mutation, atg_err *err) {
    const atg_pedigree *ped = &s->family->ped;
    atg_obs obs[ATG_PEDIGREE_MAX];
    kept k;

    t->plain = s->op->markers[t->marker];
    if (!mutation)
        t->plain.female = t->plain.male = (atg_mutation){0};
    compiler_observe(s->op->markers, t->marker, ped, obs);

    int rc = compiler_keep(
        s->c, &(kept_input){.marker = &t->plain, .ped = ped, .obs = obs, .keep = -1}, &k, err);

    if (rc)
        return rc;
    t->log_family = log10(k.total) + k.log / M_LN10;
    t->silent = !isfinite(t->log_family);
    for (uint32_t i = 0; i < 2 * t->n_obs; i++) {
        rc = atg_loglik_obs(&t->plain, t->obs[i / 2], i % 2 ? ATG_SEX_MALE : ATG_SEX_FEMALE, 0,
                            &t->log_prob[i], err);
        if (rc)
            return rc;
        t->log_prob[i] /= M_LN10;
    }
    for (uint32_t d = 0; d < s->k; d++)
        t->at_depth[d].width = t->n_obs + 1;
    return ATG_OK;
}

/* A marker takes part when somebody's genotype there can say something: with one missing person
 * only if a relative is typed. */
static bool site_useful(const search *s, uint32_t m, const bool *independent) {
    const atg_pedigree *ped = &s->family->ped;
    bool x = s->op->markers[m].chrom == ATG_CHROM_X, any = s->k > 1;

    if (!independent[m])
        return false;
    for (uint32_t p = 0; p < s->k; p++)
        if (x && ped->persons[s->persons[p]].sex == ATG_SEX_UNKNOWN)
            return false;
    for (uint32_t i = 0; i < ped->n; i++)
        any |= ped->persons[i].genos && atg_geno_typed(ped->persons[i].genos[m]);
    return any;
}

static int open_sites(search *s, bool mutation, atg_err *err) {
    bool independent[ATG_MARKERS_MAX];
    MEM_AUTO bool *wanted = mem_zero(s->op->n_samples + 1, sizeof(bool));
    uint32_t n = s->op->n_samples, most = 0;

    s->sites = mem_zero(s->op->n_markers + 1, sizeof(*s->sites));
    if (!wanted || !s->sites)
        return atg_fail(err, ATG_ENOMEM, "Out of memory comparing a family jointly");
    atg_independent_markers(s->op, independent);
    for (uint32_t p = 0; p < s->k; p++)
        for (uint32_t i = 0; i < n; i++)
            wanted[i] |= s->allowed[(size_t)p * n + i];
    for (uint32_t m = 0; m < s->op->n_markers; m++) {
        site *t = &s->sites[s->n_sites];

        if (!site_useful(s, m, independent))
            continue;
        t->marker = m;
        s->n_sites++;

        int rc = site_observe(s, t, wanted, err);

        if (!rc)
            rc = site_open(s, t, mutation, err);
        if (rc)
            return rc;
        if (s->k * log2(t->n_obs + 1) > 63)
            return atg_fail(err, ATG_ELIMIT,
                            "Family %.*s has too many missing persons for that many bodies",
                            ATG_FMT(s->family->id));
        most = s->op->markers[m].n > most ? s->op->markers[m].n : most;
    }
    s->pairs = mem_alloc(((size_t)most * most + 1) * sizeof(double));
    return s->pairs ? ATG_OK
                    : atg_fail(err, ATG_ENOMEM, "Out of memory comparing a family jointly");
}

static void search_close(search *s) {
    for (uint32_t t = 0; s->sites && t < s->n_sites; t++) {
        mem_free(s->sites[t].obs);
        mem_free(s->sites[t].obs_of);
        mem_free(s->sites[t].log_prob);
        for (uint32_t d = 0; d < PLACES_MAX; d++)
            rows_free(&s->sites[t].at_depth[d]);
    }
    mem_free(s->sites);
    mem_free(s->allowed);
    mem_free(s->used);
    mem_free(s->sums);
    mem_free(s->pairs);
    mem_free(s->samples);
    mem_free(s->log10_lr);
    atg_compiler_free(s->c);
}

static int hand_over(search *s, atg_arena *arena, atg_tuples *ret, atg_err *err) {
    int32_t *samples = ATG_GET(arena, int32_t, s->n * s->k + 1);
    double *values = ATG_GET(arena, double, s->n + 1);

    if (!samples || !values)
        return atg_fail(err, ATG_ENOMEM, "Out of memory keeping the assignments of a family");
    if (s->n) {
        memcpy(samples, s->samples, s->n * s->k * sizeof(*samples));
        memcpy(values, s->log10_lr, s->n * sizeof(*values));
    }
    *ret = (atg_tuples){s->k, s->n, samples, values};
    return ATG_OK;
}

int atg_family_tuples(atg_arena *arena, const atg_operation *op, uint32_t family,
                      const bool *allowed, bool mutation, atg_tuples *ret, atg_err *err) {
    const atg_family *f = &op->families[family];
    search s = {.c = atg_compiler_new(), .op = op, .family = f, .k = f->n_missing};
    size_t cells = (size_t)f->n_missing * op->n_samples;
    int rc = ATG_OK;

    if (f->n_missing > PLACES_MAX)
        rc = atg_fail(err, ATG_ELIMIT, "Family %.*s has more than %d missing persons",
                      ATG_FMT(f->id), PLACES_MAX);
    for (uint32_t p = 0; p < f->n_missing && !rc; p++) {
        s.persons[p] = op->missing[f->missing[p]].person;
        s.inbred[p] = compiler_inbred(&f->ped, s.persons[p]);
    }
    s.allowed = mem_alloc(cells + 1);
    if (s.allowed && allowed)
        memcpy(s.allowed, allowed, cells);
    else if (s.allowed)
        memset(s.allowed, 1, cells);
    s.used = mem_zero(op->n_samples + 1, sizeof(bool));
    s.sums = mem_alloc((size_t)(s.k + 1) * (op->n_samples + 1) * sizeof(double));
    if (!rc && (!s.c || !s.allowed || !s.used || !s.sums))
        rc = atg_fail(err, ATG_ENOMEM, "Out of memory comparing a family jointly");
    if (!rc)
        rc = open_sites(&s, mutation, err);
    if (!rc && s.k)
        rc = run(&s, err);
    if (!rc)
        rc = hand_over(&s, arena, ret, err);
    search_close(&s);
    return rc;
}
