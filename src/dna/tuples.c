/* SPDX-License-Identifier: Apache-2.0 */
/* The joint likelihood of a family with several missing persons, tuple by tuple.
 *
 * A search goes through the places in order.  With the first places filled, one elimination per
 * marker that keeps the alleles of the person in the next place gives the LR of every observation
 * there, given what is filled, at once.  It depends only on what the samples show at this marker
 * in the places that the person's genotype is tied to (part.h), so these rows are remembered. */
#include <antigone/dna.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "dna/compiler.h"
#include "dna/part.h"
#include "dna/rows.h"

enum { PLACES_MAX = 64, FIRST_PARTS = 64 };

/* The parts of the pedigree for the places, by which of them are filled; shared by the markers at
 * which the same relatives are typed completely. */
typedef struct parts {
    bool fixed[ATG_PEDIGREE_MAX];
    uint32_t n, cap;
    struct part_of {
        uint32_t depth;
        uint64_t filled;
        part *part;
    } * list; /* cap places, a power of two; part NULL: free */
} parts;

typedef struct site {
    uint32_t marker;
    bool silent; /* the family contradicts itself here: nothing to learn */
    uint32_t n_obs;
    atg_obs *obs;     /* distinct observations of the samples */
    uint32_t *obs_of; /* per sample: 0 nothing, else index + 1 */
    bool seen[ATG_ALLELES_MAX];
    atg_marker plain; /* without mutation, when that was asked for */
    parts *parts;
    rows at_depth[PLACES_MAX];
} site;

typedef struct search {
    atg_compiler *c;
    const atg_operation *op;
    const atg_family *family;
    bool *allowed; /* k * n_samples, narrowed to pairs that are possible */
    uint32_t k, n_sites;
    site *sites;
    uint32_t order[ATG_MARKERS_MAX]; /* of the sites: those that tell most first */
    uint32_t n_parts;
    parts *parts; /* at most one per site */
    uint32_t persons[PLACES_MAX];
    bool inbred[PLACES_MAX];
    uint32_t place[PLACES_MAX]; /* of the family, in the order of the search */
    uint32_t twin[PLACES_MAX];  /* first place whose person could be exchanged for this one */
    int32_t chosen[PLACES_MAX];
    bool *used;   /* per sample */
    double *sums; /* per depth: n_samples + 1 values */
    double *pairs;
    int32_t *samples; /* result */
    double *log10_lr;
    uint64_t n, cap;
} search;

static const atg_obs *shown(const search *s, const site *t, uint32_t place) {
    uint32_t o = s->chosen[place] < 0 ? 0 : t->obs_of[s->chosen[place]];

    return o ? &t->obs[o - 1] : NULL;
}

/* Does the sample in this place settle its person's genotype at this marker? */
static bool settles(const site *t, const atg_obs *o) {
    bool hidden = o && t->plain.silent >= 0 && o->geno.a == o->geno.b;

    return o && !hidden && o->geno.b >= 0 && o->dropout == 0 && o->dropin == 0;
}

static int parts_grow(parts *p, atg_err *err) {
    uint32_t cap = p->cap ? p->cap * 2 : FIRST_PARTS;
    struct part_of *list = mem_zero(cap, sizeof(*list));

    if (!list)
        return atg_fail(err, ATG_ENOMEM, "Out of memory comparing a family jointly");
    for (uint32_t i = 0; i < p->cap; i++) {
        uint64_t slot;

        if (!p->list[i].part)
            continue;
        slot = rows_mix(p->list[i].filled * PLACES_MAX + p->list[i].depth) & (cap - 1);
        while (list[slot].part)
            slot = (slot + 1) & (cap - 1);
        list[slot] = p->list[i];
    }
    mem_free(p->list);
    p->list = list;
    p->cap = cap;
    return ATG_OK;
}

static void parts_clear(parts *p) {
    for (uint32_t k = 0; k < p->cap; k++)
        if (p->list[k].part) {
            part_free(p->list[k].part);
            mem_free(p->list[k].part);
        }
    mem_free(p->list);
    p->list = NULL;
    p->n = p->cap = 0;
}

static int part_new(search *s, const parts *p, uint32_t depth, uint64_t filled, part **ret,
                    atg_err *err) {
    bool fixed[ATG_PEDIGREE_MAX];
    part *made = mem_zero(1, sizeof(*made));
    int rc;

    if (!made)
        return atg_fail(err, ATG_ENOMEM, "Out of memory comparing a family jointly");
    memcpy(fixed, p->fixed, sizeof(fixed));
    for (uint32_t q = 0; q < depth; q++)
        if (filled >> q & 1)
            fixed[s->persons[q]] = true;
    fixed[s->persons[depth]] = false;
    rc = part_make(&s->family->ped, fixed, s->persons[depth], made, err);
    if (rc)
        mem_free(made);
    else
        *ret = made;
    return rc;
}

static int part_for(search *s, parts *p, uint32_t depth, uint64_t filled, const part **ret,
                    atg_err *err) {
    int rc = p->n * 2 >= p->cap ? parts_grow(p, err) : ATG_OK;
    uint64_t slot;

    if (rc)
        return rc;
    slot = rows_mix(filled * PLACES_MAX + depth) & (p->cap - 1);
    while (p->list[slot].part && (p->list[slot].depth != depth || p->list[slot].filled != filled))
        slot = (slot + 1) & (p->cap - 1);
    if (!p->list[slot].part) {
        part *made = NULL;

        rc = part_new(s, p, depth, filled, &made, err);
        if (rc)
            return rc;
        p->list[slot] = (struct part_of){depth, filled, made};
        p->n++;
    }
    *ret = p->list[slot].part;
    return ATG_OK;
}

/* LR of each observation in place `depth`, given what is filled; row[0], nobody, is 0. */
static int fill_row(search *s, const site *t, uint32_t depth, const part *local, double *row,
                    atg_err *err) {
    atg_obs obs[ATG_PEDIGREE_MAX];
    atg_obs_set set = {t->n_obs, t->obs};
    const obs_plan *plan;
    kept k;
    int rc;

    compiler_observe(s->op->markers, t->marker, &local->ped, obs);
    for (uint32_t p = 0; p < depth; p++) {
        const atg_obs *o = shown(s, t, p);

        if (o && local->at[s->persons[p]] >= 0)
            obs[local->at[s->persons[p]]] = *o;
    }
    rc = compiler_keep(s->c,
                       &(kept_input){.marker = &t->plain,
                                     .ped = &local->ped,
                                     .obs = obs,
                                     .keep = local->at[s->persons[depth]],
                                     .more_seen = s->inbred[depth] ? t->seen : NULL},
                       &k, err);
    if (!rc)
        rc = compiler_plan(s->c, &t->plain, &set, k.haploid, &plan, err);
    if (rc)
        return rc;
    compiler_spread(&s->c->view, k.num, k.haploid, 0, s->pairs);
    row[0] = 0;
    for (uint32_t i = 0; i < t->n_obs; i++)
        row[i + 1] = log10(plan_sum(plan, i, s->pairs) / (k.total * plan->prob[i]));
    return ATG_OK;
}

/* What is seen with the earlier places filled, and with their samples standing beside the family as
 * unrelated persons. */
static int seat_pooled(const search *s, const site *t, uint32_t depth, atg_obs *in_place,
                       atg_obs *beside, atg_person *persons, atg_pedigree *more, atg_err *err) {
    const atg_pedigree *ped = &s->family->ped;

    if (ped->n + s->k > ATG_PEDIGREE_MAX)
        return atg_fail(err, ATG_ELIMIT, "Family %.*s is too large to be compared with theta",
                        ATG_FMT(s->family->id));
    memcpy(persons, ped->persons, ped->n * sizeof(*persons));
    *more = (atg_pedigree){ped->n, persons};
    compiler_observe(s->op->markers, t->marker, ped, in_place);
    memcpy(beside, in_place, ped->n * sizeof(*beside));
    for (uint32_t p = 0; p < depth; p++) {
        const atg_obs *o = shown(s, t, p);

        if (!o)
            continue;
        in_place[s->persons[p]] = *o;
        persons[more->n] =
            (atg_person){.father = -1, .mother = -1, .sex = ped->persons[s->persons[p]].sex};
        beside[more->n++] = *o;
    }
    return ATG_OK;
}

/* Values of all observations from one integration: P(seen, observation) relative to P(seen), of the
 * person in place or, with `pool`, of one more unrelated person. */
static int integrate(search *s, const site *t, uint32_t depth, const atg_pedigree *ped,
                     const atg_obs *obs, bool pool, double *ret, atg_err *err) {
    atg_obs_set set = {t->n_obs, t->obs};
    double theta = s->op->params.theta;
    const obs_plan *plan;
    kept k;
    int rc = compiler_keep(s->c,
                           &(kept_input){.marker = &t->plain,
                                         .ped = ped,
                                         .obs = obs,
                                         .theta = theta,
                                         .keep = (int)s->persons[depth],
                                         .more_seen = s->inbred[depth] ? t->seen : NULL},
                           &k, err);

    if (!rc)
        rc = compiler_plan(s->c, &t->plain, &set, k.haploid, &plan, err);
    if (rc)
        return rc;
    compiler_spread(&s->c->view, pool ? k.den : k.num, k.haploid, theta, s->pairs);
    for (uint32_t i = 0; i < t->n_obs; i++)
        ret[i] = plan_sum(plan, i, s->pairs) / k.total;
    return ATG_OK;
}

/* With theta everybody is tied to everybody by the common pool, the alternative's persons too. */
static int fill_pooled(search *s, const site *t, uint32_t depth, double *row, atg_err *err) {
    atg_obs in_place[ATG_PEDIGREE_MAX], beside[ATG_PEDIGREE_MAX];
    atg_person persons[ATG_PEDIGREE_MAX];
    MEM_AUTO double *den = mem_alloc((t->n_obs + 1) * sizeof(*den));
    atg_pedigree more;
    int rc = den ? seat_pooled(s, t, depth, in_place, beside, persons, &more, err)
                 : atg_fail(err, ATG_ENOMEM, "Out of memory comparing a family jointly");

    if (!rc)
        rc = integrate(s, t, depth, &s->family->ped, in_place, false, row + 1, err);
    if (!rc)
        rc = integrate(s, t, depth, &more, beside, true, den, err);
    row[0] = 0;
    for (uint32_t i = 0; i < t->n_obs && !rc; i++)
        row[i + 1] = log10(row[i + 1] / den[i]);
    return rc;
}

/* What the earlier places show, as one number.  Persons who could be exchanged for each other are
 * in rising order, because the rows are then the same. */
static uint64_t key_of(const search *s, const site *t, uint32_t depth, const part *local) {
    uint32_t shows[PLACES_MAX];
    uint64_t key = 0;

    for (uint32_t p = 0; p < depth; p++) {
        bool counts = s->chosen[p] >= 0 && (!local || local->at[s->persons[p]] >= 0);
        uint32_t now = counts ? t->obs_of[s->chosen[p]] : 0;

        for (uint32_t q = s->twin[p]; q < p; q++)
            if (s->twin[q] == s->twin[p] && shows[q] > now) {
                uint32_t larger = shows[q];

                shows[q] = now;
                now = larger;
            }
        shows[p] = now;
    }
    for (uint32_t p = 0; p < depth; p++)
        key = key * (t->n_obs + 1) + shows[p];
    return key;
}

static int row_of(search *s, site *t, uint32_t depth, const double **ret, atg_err *err) {
    const part *local = NULL;
    uint64_t filled = 0;
    bool pool = s->op->params.theta > 0, fresh;
    double *row;
    int rc = ATG_OK;

    for (uint32_t p = 0; p < depth; p++)
        filled |= (uint64_t)settles(t, shown(s, t, p)) << p;
    if (!pool)
        rc = part_for(s, t->parts, depth, filled, &local, err);
    if (rc)
        return rc;
    row = rows_get(&t->at_depth[depth], key_of(s, t, depth, local), &fresh);
    if (!row)
        return atg_fail(err, ATG_ENOMEM, "Out of memory comparing a family jointly");
    if (fresh)
        rc = pool ? fill_pooled(s, t, depth, row, err) : fill_row(s, t, depth, local, row, err);
    *ret = row;
    return rc;
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
    for (uint32_t d = 0; d < s->k; d++)
        s->samples[s->n * s->k + s->place[d]] = s->chosen[d];
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

    for (uint32_t i = 0; i <= n; i++)
        sums[i] = before;
    for (uint32_t t = 0; t < s->n_sites && anybody_left(s, depth, sums); t++) {
        site *here = &s->sites[s->order[t]];
        const double *row = NULL;
        int rc = here->silent ? ATG_OK : row_of(s, here, depth, &row, err);

        if (rc)
            return rc;
        for (uint32_t i = 0; row && i < n; i++)
            sums[i] += row[here->obs_of[i]];
    }
    return ATG_OK;
}

/* Full siblings without children of their own, of one sex: exchanging what they show changes
 * nothing for anybody else. */
static bool exchangeable(const atg_pedigree *ped, uint32_t x, uint32_t y) {
    const atg_person *a = &ped->persons[x], *b = &ped->persons[y];

    if (a->father < 0 || a->father != b->father || a->mother != b->mother || a->sex != b->sex)
        return false;
    for (uint32_t i = 0; i < ped->n; i++) {
        uint32_t f = (uint32_t)ped->persons[i].father, m = (uint32_t)ped->persons[i].mother;

        if (f == x || f == y || m == x || m == y)
            return false;
    }
    return true;
}

static void find_twins(search *s) {
    for (uint32_t p = 0; p < s->k; p++) {
        s->twin[p] = p;
        for (uint32_t q = p; q-- > 0;)
            if (exchangeable(&s->family->ped, s->persons[p], s->persons[q]))
                s->twin[p] = s->twin[q];
    }
}

/* A pair that is impossible with everybody else untyped stays so whoever else is put in place. */
static int narrow(search *s, atg_err *err) {
    uint32_t n = s->op->n_samples;

    find_twins(s);
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

static uint32_t n_allowed(const search *s, uint32_t depth) {
    uint32_t n = 0;

    for (uint32_t i = 0; i < s->op->n_samples; i++)
        n += s->allowed[(size_t)depth * s->op->n_samples + i];
    return n;
}

static void swap_bytes(void *x, void *y, size_t n) {
    unsigned char *a = x, *b = y;

    for (size_t i = 0; i < n; i++) {
        unsigned char t = a[i];

        a[i] = b[i];
        b[i] = t;
    }
}

static void swap_places(search *s, uint32_t a, uint32_t b) {
    uint32_t n = s->op->n_samples;

    swap_bytes(&s->place[a], &s->place[b], sizeof(*s->place));
    swap_bytes(&s->persons[a], &s->persons[b], sizeof(*s->persons));
    swap_bytes(&s->inbred[a], &s->inbred[b], sizeof(*s->inbred));
    swap_bytes(s->allowed + (size_t)a * n, s->allowed + (size_t)b * n, n);
    for (uint32_t t = 0; t < s->n_sites; t++)
        swap_bytes(&s->sites[t].at_depth[a], &s->sites[t].at_depth[b],
                   sizeof(*s->sites[t].at_depth));
}

/* The places with the fewest possible samples first: the search stays narrow for longer.  So far
 * rows are known for empty places only, and those hold in any order. */
static void reorder(search *s) {
    for (uint32_t d = 0; d < s->k; d++) {
        uint32_t best = d;

        for (uint32_t e = d + 1; e < s->k; e++)
            if (n_allowed(s, e) < n_allowed(s, best))
                best = e;
        for (; best > d; best--)
            swap_places(s, best, best - 1);
    }
    for (uint32_t i = 0; i < s->n_parts; i++)
        parts_clear(&s->parts[i]);
    find_twins(s);
}

/* Not recursive: at each depth `choice` walks through the samples, then nobody. */
static int run(search *s, atg_err *err) {
    uint32_t choice[PLACES_MAX], depth = 0, n = s->op->n_samples, filled = 0;
    int rc = narrow(s, err);

    if (!rc)
        reorder(s);
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
    if (!t->obs || !t->obs_of)
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

/* The parts of the markers at which the same relatives are typed completely. */
static void find_parts(search *s, site *t, const atg_obs *obs) {
    const atg_pedigree *ped = &s->family->ped;
    bool fixed[ATG_PEDIGREE_MAX] = {false};

    for (uint32_t i = 0; i < ped->n; i++)
        fixed[i] = settles(t, &obs[i]);
    for (uint32_t i = 0; i < s->n_parts; i++)
        if (memcmp(s->parts[i].fixed, fixed, sizeof(fixed)) == 0) {
            t->parts = &s->parts[i];
            return;
        }
    t->parts = &s->parts[s->n_parts++];
    memcpy(t->parts->fixed, fixed, sizeof(fixed));
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
    t->silent = !(k.total > 0);
    find_parts(s, t, obs);
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

/* Whoever cannot be in a place is found out early. */
static void order_sites(search *s) {
    for (uint32_t t = 0; t < s->n_sites; t++) {
        double tells = compiler_heterozygosity(&s->sites[t].plain);
        uint32_t i = t;

        for (; i > 0 && compiler_heterozygosity(&s->sites[s->order[i - 1]].plain) < tells; i--)
            s->order[i] = s->order[i - 1];
        s->order[i] = t;
    }
}

static int open_sites(search *s, bool mutation, atg_err *err) {
    bool independent[ATG_MARKERS_MAX];
    MEM_AUTO bool *wanted = mem_zero(s->op->n_samples + 1, sizeof(bool));
    uint32_t n = s->op->n_samples, most = 0;

    s->sites = mem_zero(s->op->n_markers + 1, sizeof(*s->sites));
    s->parts = mem_zero(s->op->n_markers + 1, sizeof(*s->parts));
    if (!wanted || !s->sites || !s->parts)
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
    order_sites(s);
    s->pairs = mem_alloc(((size_t)most * most + 1) * sizeof(double));
    return s->pairs ? ATG_OK
                    : atg_fail(err, ATG_ENOMEM, "Out of memory comparing a family jointly");
}

static void search_close(search *s) {
    for (uint32_t t = 0; s->sites && t < s->n_sites; t++) {
        mem_free(s->sites[t].obs);
        mem_free(s->sites[t].obs_of);
        for (uint32_t d = 0; d < PLACES_MAX; d++)
            rows_free(&s->sites[t].at_depth[d]);
    }
    mem_free(s->sites);
    for (uint32_t i = 0; s->parts && i < s->n_parts; i++)
        parts_clear(&s->parts[i]);
    mem_free(s->parts);
    mem_free(s->allowed);
    mem_free(s->used);
    mem_free(s->sums);
    mem_free(s->pairs);
    mem_free(s->samples);
    mem_free(s->log10_lr);
    atg_compiler_free(s->c);
}

/* Samples rising place by place, nobody last. */
static int in_order(const void *x, const void *y, void *user) {
    const search *s = user;
    const int32_t *a = s->samples + *(const uint64_t *)x * s->k;
    const int32_t *b = s->samples + *(const uint64_t *)y * s->k;

    for (uint32_t p = 0; p < s->k; p++)
        if (a[p] != b[p])
            return (uint32_t)a[p] < (uint32_t)b[p] ? -1 : 1;
    return 0;
}

static int hand_over(search *s, atg_arena *arena, atg_tuples *ret, atg_err *err) {
    int32_t *samples = ATG_GET(arena, int32_t, s->n * s->k + 1);
    double *values = ATG_GET(arena, double, s->n + 1);
    MEM_AUTO uint64_t *order = mem_alloc((s->n + 1) * sizeof(*order));

    if (!samples || !values || !order)
        return atg_fail(err, ATG_ENOMEM, "Out of memory keeping the assignments of a family");
    for (uint64_t i = 0; i < s->n; i++)
        order[i] = i;
    if (s->n)
        qsort_r(order, s->n, sizeof(*order), in_order, s);
    for (uint64_t i = 0; i < s->n; i++) {
        memcpy(samples + i * s->k, s->samples + order[i] * s->k, s->k * sizeof(*samples));
        values[i] = s->log10_lr[order[i]];
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
        s.place[p] = p;
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
