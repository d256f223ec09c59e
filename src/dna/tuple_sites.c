/* SPDX-License-Identifier: Apache-2.0 */
#include "dna/tuple_sites.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "dna/part.h"

enum { FIRST_PARTS = 64 };

struct parts {
    bool fixed[ATG_PEDIGREE_MAX];
    uint32_t n, cap;
    struct part_of {
        uint32_t depth;
        uint64_t filled;
        part *part;
    } * list; /* cap places, a power of two; part NULL: free */
};

/* ---- parts of the pedigree ---- */

static const atg_obs *shown(const sites *s, const site *t, uint32_t place) {
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
        slot = rows_mix(p->list[i].filled * TUPLE_PLACES_MAX + p->list[i].depth) & (cap - 1);
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

static int part_new(sites *s, const parts *p, uint32_t depth, uint64_t filled, part **ret,
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

static int part_for(sites *s, parts *p, uint32_t depth, uint64_t filled, const part **ret,
                    atg_err *err) {
    int rc = p->n * 2 >= p->cap ? parts_grow(p, err) : ATG_OK;
    uint64_t slot;

    if (rc)
        return rc;
    slot = rows_mix(filled * TUPLE_PLACES_MAX + depth) & (p->cap - 1);
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

/* ---- rows ---- */

/* LR of each observation in place `depth`, given what is filled; row[0], nobody, is 0. */
static int fill_row(sites *s, const site *t, uint32_t depth, const part *local, double *row,
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
                                     .at = t->marker,
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
typedef struct pooled {
    atg_obs in_place[ATG_PEDIGREE_MAX], beside[ATG_PEDIGREE_MAX];
    atg_person persons[ATG_PEDIGREE_MAX];
    atg_pedigree more; /* of these persons */
} pooled;

static int seat_pooled(const sites *s, const site *t, uint32_t depth, pooled *ret, atg_err *err) {
    const atg_pedigree *ped = &s->family->ped;

    if (ped->n + s->k > ATG_PEDIGREE_MAX)
        return atg_fail(err, ATG_ELIMIT, "Family %.*s is too large to be compared with theta",
                        ATG_FMT(s->family->id));
    memcpy(ret->persons, ped->persons, ped->n * sizeof(*ret->persons));
    ret->more = (atg_pedigree){ped->n, ret->persons};
    compiler_observe(s->op->markers, t->marker, ped, ret->in_place);
    memcpy(ret->beside, ret->in_place, ped->n * sizeof(*ret->beside));
    for (uint32_t p = 0; p < depth; p++) {
        const atg_obs *o = shown(s, t, p);

        if (!o)
            continue;
        ret->in_place[s->persons[p]] = *o;
        ret->persons[ret->more.n] =
            (atg_person){.father = -1, .mother = -1, .sex = ped->persons[s->persons[p]].sex};
        ret->beside[ret->more.n++] = *o;
    }
    return ATG_OK;
}

/* Values of all observations from one integration: P(seen, observation) relative to P(seen), of the
 * kept person or, with `pool`, of one more unrelated person. */
static int integrate(sites *s, const site *t, const kept_input *in, bool pool, double *ret,
                     atg_err *err) {
    atg_obs_set set = {t->n_obs, t->obs};
    const obs_plan *plan;
    kept k;
    int rc = compiler_keep(s->c, in, &k, err);

    if (!rc)
        rc = compiler_plan(s->c, &t->plain, &set, k.haploid, &plan, err);
    if (rc)
        return rc;
    compiler_spread(&s->c->view, pool ? k.den : k.num, k.haploid, in->theta, s->pairs);
    for (uint32_t i = 0; i < t->n_obs; i++)
        ret[i] = plan_sum(plan, i, s->pairs) / k.total;
    return ATG_OK;
}

/* With theta everybody is tied to everybody by the common pool, the alternative's persons too. */
static int fill_pooled(sites *s, const site *t, uint32_t depth, double *row, atg_err *err) {
    pooled p;
    MEM_AUTO double *den = mem_alloc((t->n_obs + 1) * sizeof(*den));
    kept_input in = {.marker = &t->plain,
                     .at = t->marker,
                     .ped = &s->family->ped,
                     .obs = p.in_place,
                     .theta = s->op->params.theta,
                     .keep = (int)s->persons[depth],
                     .more_seen = s->inbred[depth] ? t->seen : NULL};
    int rc = den ? seat_pooled(s, t, depth, &p, err)
                 : atg_fail(err, ATG_ENOMEM, "Out of memory comparing a family jointly");

    if (!rc)
        rc = integrate(s, t, &in, false, row + 1, err);
    in.ped = &p.more;
    in.obs = p.beside;
    if (!rc)
        rc = integrate(s, t, &in, true, den, err);
    row[0] = 0;
    for (uint32_t i = 0; i < t->n_obs && !rc; i++)
        row[i + 1] = log10(row[i + 1] / den[i]);
    return rc;
}

/* What the earlier places show, as one number.  Persons who could be exchanged for each other are
 * in rising order, because the rows are then the same. */
static uint64_t key_of(const sites *s, const site *t, uint32_t depth, const part *local) {
    uint32_t shows[TUPLE_PLACES_MAX];
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

int sites_row(sites *s, site *t, uint32_t depth, const double **ret, atg_err *err) {
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

/* ---- places ---- */

/* Full siblings without children or samples of their own, of one sex: exchanging what they show
 * changes nothing for anybody else. */
static bool exchangeable(const atg_pedigree *ped, uint32_t x, uint32_t y) {
    const atg_person *a = &ped->persons[x], *b = &ped->persons[y];

    if (a->father < 0 || a->father != b->father || a->mother != b->mother || a->sex != b->sex ||
        a->n_own || b->n_own)
        return false;
    for (uint32_t i = 0; i < ped->n; i++) {
        uint32_t f = (uint32_t)ped->persons[i].father, m = (uint32_t)ped->persons[i].mother;

        if (f == x || f == y || m == x || m == y)
            return false;
    }
    return true;
}

static void find_twins(sites *s) {
    for (uint32_t p = 0; p < s->k; p++) {
        s->twin[p] = p;
        for (uint32_t q = p; q-- > 0;)
            if (exchangeable(&s->family->ped, s->persons[p], s->persons[q]))
                s->twin[p] = s->twin[q];
    }
}

void sites_swap(sites *s, uint32_t place) {
    uint32_t next = place + 1, person = s->persons[place];
    bool inbred = s->inbred[place];

    s->persons[place] = s->persons[next];
    s->persons[next] = person;
    s->inbred[place] = s->inbred[next];
    s->inbred[next] = inbred;
    for (uint32_t t = 0; t < s->n; t++) {
        rows *at = &s->list[t].at_depth[place], first = *at;

        at[0] = at[1];
        at[1] = first;
    }
}

void sites_settle(sites *s) {
    for (uint32_t i = 0; i < s->n_parts; i++)
        parts_clear(&s->parts[i]);
    find_twins(s);
}

/* ---- making them ---- */

static int site_observe(sites *s, site *t, const bool *wanted, atg_err *err) {
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
        while (k < t->n_obs && !atg_obs_same(&t->obs[k], &o))
            k++;
        if (k == t->n_obs)
            t->obs[t->n_obs++] = o;
        t->obs_of[i] = k + 1;
        compiler_seen(&o, t->seen);
    }
    return ATG_OK;
}

/* The parts of the markers at which the same relatives are typed completely. */
static void find_parts(sites *s, site *t, const atg_obs *obs) {
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

static int site_open(sites *s, site *t, bool mutation, atg_err *err) {
    const atg_pedigree *ped = &s->family->ped;
    atg_obs obs[ATG_PEDIGREE_MAX];
    kept k;

    t->plain = s->op->markers[t->marker];
    if (!mutation)
        t->plain.female = t->plain.male = (atg_mutation){0};
    compiler_observe(s->op->markers, t->marker, ped, obs);

    int rc = compiler_keep(
        s->c,
        &(kept_input){.marker = &t->plain, .at = t->marker, .ped = ped, .obs = obs, .keep = -1}, &k,
        err);

    if (rc)
        return rc;
    t->silent = !(k.total > 0);
    find_parts(s, t, obs);
    for (uint32_t d = 0; d < s->k; d++)
        t->at_depth[d].width = t->n_obs + 1;
    return ATG_OK;
}

/* A marker takes part when somebody's genotype there can say something: with one missing person
 * only if a relative, or that person before, is typed. */
static bool site_useful(const sites *s, uint32_t m, const bool *independent) {
    const atg_pedigree *ped = &s->family->ped;
    bool x = s->op->markers[m].chrom == ATG_CHROM_X, any = s->k > 1;

    if (!independent[m])
        return false;
    for (uint32_t p = 0; p < s->k; p++)
        if (x && ped->persons[s->persons[p]].sex == ATG_SEX_UNKNOWN)
            return false;
    for (uint32_t i = 0; i < ped->n; i++)
        any |= (ped->persons[i].genos && atg_geno_typed(ped->persons[i].genos[m])) ||
               compiler_has_own(&ped->persons[i], m);
    return any;
}

/* Whoever cannot be in a place is found out early. */
static void order_sites(sites *s) {
    for (uint32_t t = 0; t < s->n; t++) {
        double tells = compiler_heterozygosity(&s->list[t].plain);
        uint32_t i = t;

        for (; i > 0 && compiler_heterozygosity(&s->list[s->order[i - 1]].plain) < tells; i--)
            s->order[i] = s->order[i - 1];
        s->order[i] = t;
    }
}

static int open_site(sites *s, uint32_t marker, const bool *wanted, bool mutation, atg_err *err) {
    site *t = &s->list[s->n++];
    int rc;

    t->marker = marker;
    rc = site_observe(s, t, wanted, err);
    if (!rc)
        rc = site_open(s, t, mutation, err);
    if (!rc && s->k * log2(t->n_obs + 1) > 63)
        rc = atg_fail(err, ATG_ELIMIT,
                      "Family %.*s has too many missing persons for that many bodies",
                      ATG_FMT(s->family->id));
    return rc;
}

static int open_places(sites *s, const atg_operation *op, const atg_family *family, atg_err *err) {
    *s = (sites){.op = op, .family = family, .k = family->n_missing};
    if (s->k > TUPLE_PLACES_MAX)
        return atg_fail(err, ATG_ELIMIT, "Family %.*s has more than %d missing persons",
                        ATG_FMT(family->id), TUPLE_PLACES_MAX);
    for (uint32_t p = 0; p < s->k; p++) {
        s->persons[p] = op->missing[family->missing[p]].person;
        s->inbred[p] = compiler_inbred(&family->ped, s->persons[p]);
        s->chosen[p] = -1;
    }
    find_twins(s);
    s->c = atg_compiler_new();
    s->list = mem_zero(op->n_markers + 1, sizeof(*s->list));
    s->parts = mem_zero(op->n_markers + 1, sizeof(*s->parts));
    if (!s->c || !s->list || !s->parts)
        return atg_fail(err, ATG_ENOMEM, "Out of memory comparing a family jointly");
    return ATG_OK;
}

int sites_open(sites *s, const atg_operation *op, const atg_family *family, const bool *allowed,
               bool mutation, atg_err *err) {
    bool independent[ATG_MARKERS_MAX];
    MEM_AUTO bool *wanted = mem_zero(op->n_samples + 1, sizeof(bool));
    uint32_t most = 0;
    int rc = open_places(s, op, family, err);

    if (!rc && !wanted)
        rc = atg_fail(err, ATG_ENOMEM, "Out of memory comparing a family jointly");
    if (rc)
        return rc;
    atg_independent_markers(op, independent);
    for (uint32_t p = 0; p < s->k; p++)
        for (uint32_t i = 0; i < op->n_samples; i++)
            wanted[i] |= allowed[(size_t)p * op->n_samples + i];
    for (uint32_t m = 0; m < op->n_markers && !rc; m++) {
        if (!site_useful(s, m, independent))
            continue;
        rc = open_site(s, m, wanted, mutation, err);
        most = op->markers[m].n > most ? op->markers[m].n : most;
    }
    if (rc)
        return rc;
    order_sites(s);
    s->pairs = mem_alloc(((size_t)most * most + 1) * sizeof(double));
    return s->pairs ? ATG_OK
                    : atg_fail(err, ATG_ENOMEM, "Out of memory comparing a family jointly");
}

void sites_close(sites *s) {
    for (uint32_t t = 0; s->list && t < s->n; t++) {
        mem_free(s->list[t].obs);
        mem_free(s->list[t].obs_of);
        for (uint32_t d = 0; d < TUPLE_PLACES_MAX; d++)
            rows_free(&s->list[t].at_depth[d]);
    }
    mem_free(s->list);
    for (uint32_t i = 0; s->parts && i < s->n_parts; i++)
        parts_clear(&s->parts[i]);
    mem_free(s->parts);
    mem_free(s->pairs);
    atg_compiler_free(s->c);
}
