/* SPDX-License-Identifier: Apache-2.0 */
#include "dna/compiler.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "dna/descent.h"
#include "dna/kernel.h"
#include "dna/theta.h"
#include "dna/urn.h"

/* A partition costs about as much as so many nodes, and has so many pairs of blocks; a node costs
 * about so many multiplications, and so many more for each pair of classes (as measured). */
enum { URN_WORTH = 2, URN_PAIRS = 4, NODE_WORTH = 4000, NODE_PAIR = 100 };

static const double UNBOUNDED = 1e300;

atg_compiler *atg_compiler_new(void) {
    atg_compiler *c = mem_zero(1, sizeof(*c));

    if (!c)
        return NULL;
    c->elim = elim_new();
    if (!c->elim) {
        mem_free(c);
        return NULL;
    }
    return c;
}

static void plan_free(obs_plan *p) {
    mem_free(p->from);
    mem_free(p->entries);
    mem_free(p->prob);
}

void atg_compiler_free(atg_compiler *c) {
    if (!c)
        return;
    elim_free(c->elim);
    view_free(&c->view);
    for (uint32_t i = 0; i < c->n_mats; i++)
        matrices_free(&c->mats[i]);
    for (uint32_t i = 0; i < c->n_plans; i++)
        plan_free(&c->plans[i]);
    mem_free(c->mats);
    mem_free(c->plans);
    mem_free(c->room);
    mem_free(c->own.p);
    mem_free(c);
}

double *compiler_room(atg_compiler *c, size_t n) {
    if (n > c->cap) {
        double *room = mem_grow(c->room, n * 2 * sizeof(double));

        if (!room)
            return NULL;
        c->room = room;
        c->cap = n * 2;
    }
    return c->room;
}

int compiler_matrices(atg_compiler *c, const atg_marker *marker, const matrices **ret,
                      atg_err *err) {
    for (uint32_t i = 0; i < c->n_mats; i++)
        if (c->mats[i].marker == marker) {
            *ret = &c->mats[i];
            return ATG_OK;
        }

    matrices *mats = mem_grow(c->mats, (c->n_mats + 1) * sizeof(*mats));

    if (!mats)
        return atg_fail(err, ATG_ENOMEM, "Out of memory making a mutation matrix");
    c->mats = mats;

    int rc = matrices_make(marker, &mats[c->n_mats], err);

    if (rc)
        return rc;
    *ret = &mats[c->n_mats++];
    return ATG_OK;
}

static obs_entry entry_of(uint32_t a, uint32_t b, double k) {
    return (obs_entry){(uint16_t)(a < b ? a : b), (uint16_t)(a < b ? b : a), k};
}

/* Entries of one observation; counts only when `ret` is NULL. */
static uint32_t plan_entries(const atg_marker *m, const atg_obs *o, bool haploid, obs_entry *ret) {
    uint32_t n = 0;

    if (!haploid && obs_certain(*o) && (m->silent < 0 || o->geno.a != o->geno.b)) {
        if (ret)
            *ret = entry_of((uint32_t)o->geno.a, (uint32_t)o->geno.b, 1);
        return 1;
    }
    for (uint32_t a = 0; a < m->n; a++)
        for (uint32_t b = a; b < (haploid ? a + 1 : m->n); b++) {
            double k = kernel_prob(m, *o, (int)a, haploid ? ATG_ALLELE_UNREAD : (int)b);

            if (k == 0)
                continue;
            if (ret)
                ret[n] = entry_of(a, b, k);
            n++;
        }
    return n;
}

static int plan_make(const atg_marker *m, const atg_obs_set *set, bool haploid, obs_plan *ret,
                     atg_err *err) {
    obs_plan p = {.obs = set->obs, .n_obs = set->n, .marker = m, .haploid = haploid};
    uint32_t n = 0;

    p.from = mem_alloc((set->n + 1) * sizeof(*p.from));
    p.prob = mem_alloc((set->n + 1) * sizeof(*p.prob));
    for (uint32_t i = 0; i < set->n && p.from; i++) {
        p.from[i] = n;
        n += plan_entries(m, &set->obs[i], haploid, NULL);
    }
    p.entries = mem_alloc((n + 1) * sizeof(*p.entries));
    if (!p.from || !p.prob || !p.entries) {
        plan_free(&p);
        return atg_fail(err, ATG_ENOMEM, "Out of memory preparing observations");
    }
    p.from[set->n] = n;
    for (uint32_t i = 0; i < set->n; i++) {
        plan_entries(m, &set->obs[i], haploid, p.entries + p.from[i]);
        p.prob[i] = 0;
        for (uint32_t k = p.from[i]; k < p.from[i + 1]; k++) {
            const obs_entry *e = &p.entries[k];

            p.prob[i] +=
                e->k * m->freqs[e->a] * (haploid ? 1 : m->freqs[e->b] * (e->a == e->b ? 1 : 2));
        }
    }
    *ret = p;
    return ATG_OK;
}

int compiler_plan(atg_compiler *c, const atg_marker *marker, const atg_obs_set *set, bool haploid,
                  const obs_plan **ret, atg_err *err) {
    for (uint32_t i = 0; i < c->n_plans; i++) {
        const obs_plan *p = &c->plans[i];

        if (p->obs == set->obs && p->n_obs == set->n && p->marker == marker &&
            p->haploid == haploid) {
            *ret = p;
            return ATG_OK;
        }
    }

    obs_plan *plans = mem_grow(c->plans, (c->n_plans + 1) * sizeof(*plans));

    if (!plans)
        return atg_fail(err, ATG_ENOMEM, "Out of memory preparing observations");
    c->plans = plans;

    int rc = plan_make(marker, set, haploid, &plans[c->n_plans], err);

    if (rc)
        return rc;
    *ret = &plans[c->n_plans++];
    return ATG_OK;
}

double plan_sum(const obs_plan *plan, uint32_t i, const double *pairs) {
    double sum = 0;

    for (uint32_t k = plan->from[i]; k < plan->from[i + 1]; k++)
        sum += plan->entries[k].k *
               pairs[(uint32_t)plan->entries[k].a * plan->marker->n + plan->entries[k].b];
    return sum;
}

void compiler_observe(const atg_marker *markers, uint32_t m, const atg_pedigree *ped,
                      atg_obs *ret) {
    bool x = markers[m].chrom == ATG_CHROM_X;

    for (uint32_t i = 0; i < ped->n; i++) {
        const atg_person *p = &ped->persons[i];
        bool known = p->genos && !(x && p->sex == ATG_SEX_UNKNOWN);

        ret[i] = (atg_obs){known ? p->genos[m] : ATG_UNTYPED, p->dropout, p->dropin};
    }
}

bool compiler_has_own(const atg_person *p, uint32_t m) {
    for (uint32_t k = 0; k < p->n_own; k++)
        if (atg_geno_typed(p->own[k].genos[m]))
            return true;
    return false;
}

static int push_own(own_list *list, uint32_t person, atg_obs obs, atg_err *err) {
    if (list->n == list->cap) {
        uint32_t cap = list->cap ? 2 * list->cap : ATG_OWN_MAX;
        peel_own *more = mem_grow(list->p, cap * sizeof(*more));

        if (!more)
            return atg_fail(err, ATG_ENOMEM, "Out of memory comparing own samples");
        list->p = more;
        list->cap = cap;
    }
    list->p[list->n++] = (peel_own){person, obs};
    return ATG_OK;
}

int compiler_own(const atg_marker *marker, uint32_t m, const atg_pedigree *ped, own_list *ret,
                 atg_err *err) {
    bool x = marker->chrom == ATG_CHROM_X;
    int rc = ATG_OK;

    ret->n = 0;
    for (uint32_t i = 0; i < ped->n; i++) {
        const atg_person *p = &ped->persons[i];

        for (uint32_t k = 0; k < p->n_own && !(x && p->sex == ATG_SEX_UNKNOWN) && !rc; k++) {
            const atg_own *o = &p->own[k];

            if (atg_geno_typed(o->genos[m]))
                rc = push_own(ret, i, (atg_obs){o->genos[m], o->dropout, o->dropin}, err);
        }
    }
    return rc;
}

void compiler_seen(const atg_obs *obs, bool *seen) {
    if (obs->geno.a >= 0)
        seen[obs->geno.a] = true;
    if (obs->geno.b >= 0)
        seen[obs->geno.b] = true;
}

typedef struct integral {
    atg_compiler *c;
    peel_input peel;
    kept *out;
    double *num, *den, *now;
    double base[ATG_ALLELES_MAX + 1]; /* of the urn, where peel.freq is not the view's */
} integral;

/* The scale of all that is summed is that of the first term. */
static double scaled(kept *out, double weight, double log) {
    if (out->total == 0 && out->log == 0)
        out->log = log;
    return log != out->log ? weight * exp(log - out->log) : weight;
}

static int add_node(void *user, const double *freq, double weight, atg_err *err) {
    integral *it = user;
    kept *out = it->out;
    uint32_t n = it->c->view.n;
    double log = 0, total = 0;

    it->peel.freq = freq;

    int rc = peel_run(it->c->elim, &it->peel, it->now, &log, err);

    if (rc)
        return rc;
    weight = scaled(out, weight, log);
    for (size_t i = 0; i < out->cells; i++) {
        it->num[i] += weight * it->now[i];
        total += it->now[i];
    }
    out->total += weight * total;
    for (size_t i = 0; it->den && i < out->cells; i++)
        it->den[i] += weight * total * (out->haploid ? freq[i] : freq[i / n] * freq[i % n]);
    return ATG_OK;
}

/* Numerator and denominator as sums over the partitions of an urn. */
typedef struct urn_sum {
    integral *it;
    peel_input peel; /* nobody kept */
    double mass;
    const double *base; /* the urn's base distribution */
} urn_sum;

static int add_numerator(void *user, const urn_term *term, atg_err *err) {
    urn_sum *u = user;
    kept *out = u->it->out;
    double log = 0, weight;
    int rc;

    u->it->peel.tie = term->block;
    rc = peel_run(u->it->c->elim, &u->it->peel, u->it->now, &log, err);
    if (rc)
        return rc;
    weight = scaled(out, term->weight, log);
    for (size_t i = 0; i < out->cells; i++) {
        u->it->num[i] += weight * u->it->now[i];
        out->total += weight * u->it->now[i];
    }
    return ATG_OK;
}

/* Two blocks' alleles and both are those of the one more person, in either order. */
static void add_two(const urn_sum *u, const urn_term *term, uint32_t k, uint32_t l, double scale) {
    uint32_t n = u->it->c->view.n;

    for (uint32_t a = 0; a < n; a++)
        for (uint32_t b = 0; b < n; b++) {
            double x = scale * term->two[k][l] * u->it->now[a * n + b];

            u->it->den[a * n + b] += x;
            u->it->den[b * n + a] += x;
        }
}

/* One block's allele is one or both of the one more person's. */
static void add_one(const urn_sum *u, const urn_term *term, uint32_t k, double scale,
                    const double *marginal) {
    uint32_t n = u->it->c->view.n;

    for (uint32_t a = 0; a < n; a++) {
        double x = scale * marginal[a];

        if (u->it->out->haploid) {
            u->it->den[a] += x * term->one[k];
            continue;
        }
        u->it->den[a * n + a] += x * (term->one[k] + term->two[k][k]);
        for (uint32_t b = 0; b < n; b++) {
            u->it->den[a * n + b] += x * term->one[k] * u->mass * u->base[b];
            u->it->den[b * n + a] += x * term->one[k] * u->mass * u->base[b];
        }
    }
}

/* None of the blocks: both alleles are new, or one is and the other is the same. */
static void add_none(const urn_sum *u, const urn_term *term, double scale, double total) {
    uint32_t n = u->it->c->view.n;
    double x = scale * total * term->none * u->mass;

    for (uint32_t a = 0; a < n; a++) {
        if (u->it->out->haploid) {
            u->it->den[a] += x * u->base[a];
            continue;
        }
        u->it->den[a * n + a] += x * u->base[a];
        for (uint32_t b = 0; b < n; b++)
            u->it->den[a * n + b] += x * u->mass * u->base[a] * u->base[b];
    }
}

/* The joint probability of all that was seen and the alleles of the blocks watched. */
static int look_at(urn_sum *u, uint32_t n_watch, uint32_t k, uint32_t l, double *scale,
                   atg_err *err) {
    double log = 0;
    int rc;

    u->peel.n_watch = n_watch;
    u->peel.watch[0] = (uint8_t)k;
    u->peel.watch[1] = (uint8_t)l;
    rc = peel_run(u->it->c->elim, &u->peel, u->it->now, &log, err);
    *scale = rc ? 0 : scaled(u->it->out, 1, log);
    return rc;
}

static double sum_of(const double *cells, uint32_t n) {
    double sum = 0;

    for (uint32_t i = 0; i < n; i++)
        sum += cells[i];
    return sum;
}

/* Block by block: no block, one, or one more allele only. */
static int add_singly(urn_sum *u, const urn_term *term, atg_err *err) {
    uint32_t watch = term->n_blocks > 0, n = u->it->c->view.n;

    for (uint32_t k = 0; k < term->n_blocks + !watch; k++) {
        double scale;
        int rc = look_at(u, watch, k, k, &scale, err);

        if (rc)
            return rc;
        if (watch)
            add_one(u, term, k, scale, u->it->now);
        if (k == 0)
            add_none(u, term, scale, sum_of(u->it->now, watch ? n : 1));
    }
    return ATG_OK;
}

/* Of the table of two blocks, what it says of the second or of the first alone. */
static void add_marginal(const urn_sum *u, const urn_term *term, uint32_t k, double scale,
                         bool second) {
    uint32_t n = u->it->c->view.n;
    double marginal[ATG_ALLELES_MAX + 1] = {0};

    for (uint32_t i = 0; i < n * n; i++)
        marginal[second ? i % n : i / n] += u->it->now[i];
    add_one(u, term, k, scale, marginal);
    if (k == 0)
        add_none(u, term, scale, sum_of(marginal, n));
}

static int add_denominator(void *user, const urn_term *term, atg_err *err) {
    urn_sum *u = user;
    uint32_t n = term->n_blocks;

    u->peel.tie = term->block;
    if (n < 2 || u->it->out->haploid)
        return add_singly(u, term, err);
    for (uint32_t k = 0; k < n; k++)
        for (uint32_t l = k + 1; l < n; l++) {
            double scale;
            int rc = look_at(u, 2, k, l, &scale, err);

            if (rc)
                return rc;
            add_two(u, term, k, l, scale);
            if (l == k + 1)
                add_marginal(u, term, k, scale, false);
            if (k + 2 == n)
                add_marginal(u, term, l, scale, true);
        }
    return ATG_OK;
}

static int keep_by_urn(integral *it, double theta, const double *known, atg_err *err) {
    urn_twin twin[2 * ATG_PEDIGREE_MAX] = {URN_APART};
    urn_sum u = {.it = it, .base = it->base};
    int rc;

    u.mass = theta_mass(it->peel.view, theta, known, it->base);
    it->peel.freq = it->base;
    u.peel = it->peel;
    u.peel.n_keep = 0;
    (void)peel_draws(&it->peel, twin);
    rc = urn_each(u.mass, peel_degree(&it->peel), twin, 0, add_numerator, &u, err);
    if (rc || !it->den)
        return rc;
    (void)peel_draws(&u.peel, twin);
    return urn_each(u.mass, peel_degree(&u.peel), twin, it->out->haploid ? 1 : 2, add_denominator,
                    &u, err);
}

/* The family, and the family without the kept person but with one more draw or two. */
typedef struct descents {
    peel_input apart; /* what the second one is of */
    descent with, without;
} descents;

static bool plan_descents(const integral *it, const kept_input *in, descents *ret) {
    ret->apart = it->peel;
    ret->apart.n_keep = 0;
    if (in->keep >= 0 && compiler_inbred(in->ped, (uint32_t)in->keep))
        return false;
    return descent_plan(&it->peel, &ret->with) &&
           (!it->den || descent_plan(&ret->apart, &ret->without));
}

static double descents_work(const integral *it, const descents *d) {
    return descent_work(&d->with, false) + (it->den ? descent_work(&d->without, true) : 0);
}

static int keep_by_descent(integral *it, double theta, const double *known, descents *d,
                           atg_err *err) {
    double mass = theta_mass(it->peel.view, theta, known, it->base);
    int rc;

    it->peel.freq = d->apart.freq = it->base;
    rc = descent_run(&d->with, mass, 0, it->num, err);
    if (!rc && it->den)
        rc = descent_run(&d->without, mass, it->out->haploid ? 1 : 2, it->den, err);
    it->out->total = rc ? 0 : sum_of(it->num, (uint32_t)it->out->cells);
    return rc;
}

/* Which is less work: an integral over the frequencies, whose nodes grow with the alleles, a sum
 * over partitions, which grow with the draws, or one over what came down from whom? */
static theta_way way_of(const integral *it, const kept_input *in, const double *known,
                        descents *d) {
    urn_twin twin[2 * ATG_PEDIGREE_MAX];
    uint32_t degree = peel_degree(&it->peel);
    double n = it->peel.view->n, node = NODE_WORTH + NODE_PAIR * n * n, urn = INFINITY, best, work;

    best = node * theta_nodes(it->peel.view, in->theta, known, degree + (it->den ? 2 : 0));
    if (in->way == THETA_INTEGRAL || !(in->theta > 0))
        return THETA_INTEGRAL;
    if (degree <= URN_DRAWS_MAX && peel_draws(&it->peel, twin))
        urn = node * URN_WORTH * urn_partitions(degree) * (it->den ? 1 + URN_PAIRS : 1);
    if (in->way == THETA_URN)
        return urn < INFINITY ? THETA_URN : THETA_INTEGRAL;
    best = urn < best ? urn : best;
    if (plan_descents(it, in, d)) {
        work = descents_work(it, d);
        if (in->way == THETA_DESCENT ? work < UNBOUNDED : work < best)
            return THETA_DESCENT;
    }
    return urn <= best ? THETA_URN : THETA_INTEGRAL;
}

/* The sum over the founders' alleles, as it is least work. */
static int sum_over_pool(integral *it, const kept_input *in, const double *known, atg_err *err) {
    uint32_t degree = peel_degree(&it->peel) + (in->keep >= 0 ? 2 : 0);
    descents d;

    switch (way_of(it, in, known, &d)) {
    case THETA_DESCENT:
        return keep_by_descent(it, in->theta, known, &d, err);
    case THETA_URN:
        return keep_by_urn(it, in->theta, known, err);
    case THETA_LEAST_WORK:
    case THETA_INTEGRAL:
    default:
        return theta_integrate(it->peel.view, in->theta, known, degree, add_node, it, err);
    }
}

/* Parents who are related, or an inbred founder: two alleles of the person may be one. */
bool compiler_inbred(const atg_pedigree *ped, uint32_t person) {
    uint8_t up[ATG_PEDIGREE_MAX] = {0};
    const atg_person *p = &ped->persons[person];

    if (p->father < 0)
        return p->inbreeding > 0;
    up[p->father] = 1;
    up[p->mother] |= 2;
    for (bool more = true; more;) {
        more = false;
        for (uint32_t i = 0; i < ped->n; i++) {
            const atg_person *q = &ped->persons[i];

            if (!up[i] || q->father < 0)
                continue;
            uint8_t f = up[q->father] | up[i], m = up[q->mother] | up[i];

            more |= f != up[q->father] || m != up[q->mother];
            up[q->father] = f;
            up[q->mother] = m;
        }
    }
    for (uint32_t i = 0; i < ped->n; i++)
        if (up[i] == 3)
            return true;
    return false;
}

static view_use use_of(const kept_input *in) {
    if (in->full)
        return VIEW_FULL;
    if (in->keep < 0 || in->more_seen)
        return VIEW_SUM;
    if (compiler_inbred(in->ped, (uint32_t)in->keep))
        return VIEW_FULL;
    return in->theta > 0 ? VIEW_READ_THETA : VIEW_READ;
}

/* A certain own sample of somebody who is not kept says as much as a typed relative; shown twice it
 * says the same as once, and so the list keeps it. */
static const atg_obs *settle(atg_compiler *c, const kept_input *in) {
    if (!c->own.n)
        return in->obs;
    memcpy(c->settled, in->obs, in->ped->n * sizeof(*in->obs));
    for (uint32_t k = 0; k < c->own.n; k++) {
        const peel_own *o = &c->own.p[k];

        if ((int)o->person != in->keep && obs_certain(o->obs) &&
            !atg_geno_typed(c->settled[o->person].geno))
            c->settled[o->person] = o->obs;
    }
    return c->settled;
}

static int view_for(atg_compiler *c, const kept_input *in, atg_err *err) {
    bool seen[ATG_ALLELES_MAX] = {false};
    const matrices *mats;
    int rc = compiler_matrices(c, in->marker, &mats, err);

    for (uint32_t i = 0; i < in->ped->n; i++)
        compiler_seen(&in->obs[i], seen);
    for (uint32_t k = 0; k < c->own.n; k++)
        compiler_seen(&c->own.p[k].obs, seen);
    for (uint16_t i = 0; in->more_seen && i < in->marker->n; i++)
        seen[i] |= in->more_seen[i];
    return rc ? rc : view_make(&c->view, mats, seen, use_of(in), err);
}

int compiler_keep(atg_compiler *c, const kept_input *in, kept *ret, atg_err *err) {
    double known[ATG_ALLELES_MAX + 1];
    uint32_t n_mixed;
    kept out = {.cells = 1};
    int rc = compiler_own(in->marker, in->at, in->ped, &c->own, err);

    if (!rc)
        rc = view_for(c, in, err);
    if (rc)
        return rc;

    integral it = {.c = c,
                   .out = &out,
                   .peel = {.ped = in->ped,
                            .view = &c->view,
                            .obs = settle(c, in),
                            .n_own = c->own.n,
                            .own = c->own.p,
                            .n_keep = in->keep >= 0,
                            .keep = {in->keep >= 0 ? in->keep : 0}}};

    out.cells = peel_cells(&it.peel);
    out.haploid = in->keep >= 0 && in->marker->chrom == ATG_CHROM_X &&
                  in->ped->persons[in->keep].sex == ATG_SEX_MALE;
    it.num = compiler_room(c, 3 * out.cells);
    if (!it.num)
        return atg_fail(err, ATG_ENOMEM, "Out of memory computing a likelihood");
    it.now = it.num + out.cells;
    it.den = in->theta > 0 && in->keep >= 0 && !in->alone ? it.now + out.cells : NULL;
    memset(it.num, 0, 3 * out.cells * sizeof(double));
    it.peel.absorb = in->theta > 0;
    n_mixed = peel_absorbed(&it.peel, known);
    rc = sum_over_pool(&it, in, known, err);
    if (rc)
        return rc;
    if (in->theta > 0)
        out.log += theta_log_known(&c->view, in->theta, known) + n_mixed * M_LN2;
    out.num = it.num;
    out.den = it.den;
    *ret = out;
    return ATG_OK;
}

/* Each allele as a mixture of at most two classes. */
typedef struct mixture {
    uint32_t cls[2];
    double share[2];
    uint32_t n;
} mixture;

static mixture mixture_of(const view *v, uint32_t allele) {
    mixture m = {.cls = {(uint32_t)v->class_of[allele]}, .n = 1};

    m.share[0] = view_identity(v, m.cls[0], allele);
    if ((int)m.cls[0] == v->rest && v->fresh >= 0) {
        m.cls[1] = (uint32_t)v->fresh;
        m.share[1] = view_identity(v, m.cls[1], allele);
        m.n = 2;
    }
    return m;
}

/* With theta, two lumped alleles of founders are drawn one after another too. */
static double pair_share(const view *v, const mixture *x, uint32_t i, const mixture *y, uint32_t j,
                         bool same, double theta) {
    double share = x->share[i] * y->share[j];

    if (theta == 0 || v->n_rest < 2 || (int)x->cls[i] != v->rest || (int)y->cls[j] != v->rest)
        return share;

    double mass = v->freq[v->rest] * (1 - theta) / theta;

    return x->share[i] * (y->share[j] * mass + (same ? 1 : 0)) / (mass + 1);
}

static double spread_haploid(const mixture *x, const double *table) {
    double sum = 0;

    for (uint32_t i = 0; i < x->n; i++)
        sum += x->share[i] * table[x->cls[i]];
    return sum;
}

static double spread_pair(const view *v, const double *table, const mixture *x, const mixture *y,
                          double theta) {
    bool same = x == y;
    double sum = 0;

    for (uint32_t i = 0; i < x->n; i++)
        for (uint32_t j = 0; j < y->n; j++) {
            double both = table[x->cls[i] * v->n + y->cls[j]] +
                          (same ? 0 : table[y->cls[j] * v->n + x->cls[i]]);

            if (both != 0)
                sum += both * pair_share(v, x, i, y, j, same, theta);
        }
    return sum;
}

void compiler_spread(const view *v, const double *table, bool haploid, double theta, double *ret) {
    uint32_t n = v->marker->n;
    mixture mix[ATG_ALLELES_MAX];

    for (uint32_t a = 0; a < n; a++)
        mix[a] = mixture_of(v, a);
    for (uint32_t a = 0; a < n && haploid; a++)
        ret[a * n + a] = spread_haploid(&mix[a], table);
    for (uint32_t a = 0; a < n && !haploid; a++)
        for (uint32_t b = a; b < n; b++)
            ret[a * n + b] = spread_pair(v, table, &mix[a], &mix[b], theta);
}
