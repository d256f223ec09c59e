/* SPDX-License-Identifier: Apache-2.0 */
#include "dna/descent.h"

#include <string.h>

#include "base/mem.h"
#include "dna/draws.h"

/* ---- the plan ---- */

typedef struct planner {
    descent *d;
    const peel_input *in;
    bool relevant[ATG_PEDIGREE_MAX], fixed[ATG_PEDIGREE_MAX];
    bool served[ATG_PEDIGREE_MAX];     /* a founder whose first child had its allele */
    int32_t slot_of[ATG_PEDIGREE_MAX]; /* the maternal slot; the paternal one follows */
} planner;

static bool is_kept(const peel_input *in, uint32_t person) {
    return in->n_keep && in->keep[0] == person;
}

/* Whose children wait. */
static void mark_above(const atg_pedigree *ped, const bool *waiting, bool *ret) {
    memset(ret, 0, ped->n * sizeof(*ret));
    for (uint32_t i = 0; i < ped->n; i++)
        if (waiting[i] && ped->persons[i].father >= 0)
            ret[ped->persons[i].father] = ret[ped->persons[i].mother] = true;
}

static void add_slots(planner *p, uint32_t person) {
    bool founder = p->in->ped->persons[person].father < 0;

    p->slot_of[person] = (int32_t)p->d->n_slots;
    for (int k = 0; k < 2 - peel_haploid(p->in, person); k++)
        p->d->slots[p->d->n_slots++] =
            (descent_slot){.person = person, .founder = founder, .sex = (uint8_t)k, .bit = -1};
}

/* Persons whose genotype is not known, children before their parents. */
static bool list_open(planner *p) {
    uint32_t n = 0, n_persons = p->in->ped->n;
    bool waiting[ATG_PEDIGREE_MAX], above[ATG_PEDIGREE_MAX];

    for (uint32_t i = 0; i < n_persons; i++) {
        waiting[i] = p->relevant[i] && !p->fixed[i];
        n += waiting[i];
    }
    while (n > 0 && n <= DESCENT_OPEN_MAX) {
        mark_above(p->in->ped, waiting, above);
        for (uint32_t i = 0; i < n_persons; i++) {
            if (!waiting[i] || above[i])
                continue;
            add_slots(p, i);
            waiting[i] = false;
            n--;
        }
    }
    return n == 0;
}

/* Where an allele that `parent` passed on comes from: both of `up` the same where it does not
 * matter or there is one only, and otherwise a new bit. */
static int32_t find_up(planner *p, uint32_t parent, int32_t *up) {
    int32_t at = p->slot_of[parent];
    bool founder = p->in->ped->persons[parent].father < 0 && !is_kept(p->in, parent);
    bool one = peel_haploid(p->in, parent) || (founder && !p->served[parent]);

    p->served[parent] = true;
    up[0] = at;
    up[1] = at + !one;
    if (one)
        return -1;
    p->d->n_switches++;
    return (int32_t)p->d->n_bits++;
}

static void plan_slots(planner *p) {
    for (uint32_t k = 0; k < p->d->n_slots; k++) {
        descent_slot *s = &p->d->slots[k];
        const atg_person *of = &p->in->ped->persons[s->person];
        uint32_t parent = (uint32_t)(s->sex ? of->father : of->mother);

        if (s->founder) {
            p->d->n_draws++;
            continue;
        }
        s->settled = p->fixed[parent];
        if (!s->settled)
            s->bit = find_up(p, parent, s->up);
    }
}

static void plan_leaves(planner *p) {
    const atg_pedigree *ped = p->in->ped;

    for (uint32_t i = 0; i < ped->n; i++) {
        const atg_geno g = p->in->obs[i].geno;
        bool haploid = peel_haploid(p->in, i), mixed = g.a != g.b;
        int32_t phase = -1;

        if (!p->relevant[i] || !p->fixed[i] || ped->persons[i].father < 0)
            continue;
        if (mixed)
            phase = (int32_t)p->d->n_bits++;
        for (uint32_t k = 0; k < 2U - haploid; k++) {
            descent_leaf *leaf = &p->d->leaves[p->d->n_leaves++];
            uint16_t a = (uint16_t)p->in->view->class_of[g.a];
            uint16_t b = (uint16_t)p->in->view->class_of[g.b];

            *leaf = (descent_leaf){
                .up = {-1, -1},
                .bit = -1,
                .phase = phase,
                .sex = (uint8_t)k,
                .parent = (uint32_t)(k ? ped->persons[i].father : ped->persons[i].mother)};
            leaf->classes[0] = k ? a : b;
            leaf->classes[1] = k ? b : a;
            if (!p->fixed[leaf->parent])
                leaf->bit = find_up(p, leaf->parent, leaf->up);
        }
    }
}

/* Generations between a kept allele and the farthest root; parents' slots come after children's. */
static uint32_t depth_of_kept(const descent *d) {
    uint32_t depth[2 * DESCENT_OPEN_MAX] = {0}, most = 0;

    for (uint32_t k = d->n_slots; k-- > 0;) {
        const descent_slot *s = &d->slots[k];

        for (int v = 0; v < 2 && !s->founder && !s->settled; v++)
            if (depth[k] <= depth[s->up[v]])
                depth[k] = depth[s->up[v]] + 1;
    }
    for (int k = 0; k < 2; k++)
        if (d->kept[k] >= 0 && depth[d->kept[k]] > most)
            most = depth[d->kept[k]];
    return most;
}

static void plan_kept(planner *p) {
    descent *d = p->d;

    d->kept[0] = d->kept[1] = -1;
    if (p->in->n_keep) {
        int32_t mat = p->slot_of[p->in->keep[0]];
        bool haploid = peel_haploid(p->in, p->in->keep[0]);

        d->kept[0] = haploid ? mat : mat + 1;
        d->kept[1] = haploid ? -1 : mat;
    }
}

/* Is everything that was seen of everybody a genotype or nothing? */
static bool is_plain(const planner *p) {
    const peel_input *in = p->in;

    if (in->n_own || in->n_keep > 1 || in->tie || in->n_watch)
        return false;
    for (uint32_t i = 0; i < in->ped->n; i++) {
        if (p->relevant[i] && in->ped->persons[i].father < 0 && in->ped->persons[i].inbreeding > 0)
            return false;
        if (atg_geno_typed(in->obs[i].geno) && !p->fixed[i])
            return false;
    }
    return true;
}

bool descent_plan(const peel_input *in, descent *ret) {
    planner p = {.d = ret, .in = in};

    *ret = (descent){.in = in};
    peel_relevant(in, p.relevant);
    for (uint32_t i = 0; i < in->ped->n; i++)
        p.fixed[i] = p.relevant[i] && peel_fixed(in, i);
    if (!is_plain(&p) || !list_open(&p))
        return false;
    plan_slots(&p);
    plan_leaves(&p);
    plan_kept(&p);
    return ret->n_bits <= DESCENT_BITS_MAX && depth_of_kept(ret) <= DESCENT_CHAIN_MAX;
}

/* Draws that can take part at once, beside the kept ones. */
static uint32_t rest_of(const descent *d) {
    uint32_t leaves = 0;

    for (uint32_t k = 0; k < d->n_leaves; k++)
        leaves += d->leaves[k].up[0] >= 0;
    return leaves < d->n_draws ? leaves : d->n_draws;
}

double descent_work(const descent *d, bool other) {
    double n = d->in->view->n, configurations = (double)(1U << d->n_bits);
    uint32_t rest = rest_of(d);
    bool two = other || d->kept[1] >= 0;

    if (rest > DRAWS_REST_MAX)
        return 1e300;
    return configurations * (d->n_slots * n * n + (double)(1U << rest) * n * (two ? n : 1));
}

/* ---- the sum ---- */

/* From a root down to a kept allele: what lies between. */
typedef struct chain {
    uint32_t n;                     /* generations */
    uint8_t sex[DESCENT_CHAIN_MAX]; /* of the parents, from the root on */
    double *side;                   /* n * classes: what else each allele below the root shows */
    double *matrix;                 /* classes * classes: P(kept allele, sides | root) */
} chain;

enum { CHAINS_MAX = 24, PAIRS_MAX = 48 };

typedef struct run {
    const descent *d;
    uint32_t n;        /* classes */
    double *passes[2]; /* [child's class][parent's class], of mothers and of fathers */
    double *show;      /* slot * n: what is below each slot's allele */
    double *prior;     /* slot * n: of slots whose parent is known */
    bool used[2 * DESCENT_OPEN_MAX], kept[2 * DESCENT_OPEN_MAX];
    uint32_t n_chains, n_pairs;
    chain chains[CHAINS_MAX];
    int of[PAIRS_MAX][2]; /* the chains of each pair; -1: nothing lies between, or none is kept */
    double *sums;         /* pair * cells, by the classes of the roots */
    double *room;         /* owned */
    size_t cells;
    draws draws;
    double *ret;
} run;

static size_t squared(uint32_t n) {
    return (size_t)n * n;
}

/* M(f, c) of parent and child at [c * n + f], so that a child's class is one line. */
static void turn(const view *v, int sex, double *ret) {
    const double *mut = v->mut[sex];

    for (uint32_t f = 0; f < v->n; f++)
        for (uint32_t c = 0; c < v->n; c++)
            ret[c * v->n + f] = mut ? mut[f * v->n + c] : f == c;
}

/* P(a known parent passes class c on). */
static double known_passes(const run *r, uint32_t parent, int sex, uint32_t c) {
    const peel_input *in = r->d->in;
    const double *line = r->passes[sex] + (size_t)c * r->n;
    double b = line[in->view->class_of[in->obs[parent].geno.b]];

    return peel_haploid(in, parent) ? b
                                    : 0.5 * (b + line[in->view->class_of[in->obs[parent].geno.a]]);
}

static void fill_priors(run *r) {
    const peel_input *in = r->d->in;

    for (uint32_t k = 0; k < r->d->n_slots; k++) {
        const descent_slot *s = &r->d->slots[k];
        const atg_person *of = &in->ped->persons[s->person];

        for (uint32_t c = 0; c < r->n && s->settled; c++)
            r->prior[(size_t)k * r->n + c] =
                known_passes(r, (uint32_t)(s->sex ? of->father : of->mother), s->sex, c);
    }
}

static int run_open(run *r, const descent *d, double mass, const double *base, uint32_t n_other,
                    atg_err *err) {
    uint32_t n = d->in->view->n;
    size_t lines = (size_t)d->n_slots * n, side = (size_t)DESCENT_CHAIN_MAX * n;
    size_t chains = CHAINS_MAX * (side + squared(n));
    double *at;

    r->d = d;
    r->n = n;
    r->cells = n_other == 2 ? squared(n) : n_other ? n : peel_cells(d->in);
    r->room =
        mem_alloc((2 * squared(n) + 2 * lines + chains + PAIRS_MAX * r->cells) * sizeof(double));
    if (!r->room)
        return atg_fail(err, ATG_ENOMEM, "Out of memory summing over theta");
    at = r->room;
    for (int sex = 0; sex < 2; sex++, at += squared(n)) {
        r->passes[sex] = at;
        turn(d->in->view, sex, at);
    }
    r->show = at;
    r->prior = at + lines;
    at += 2 * lines;
    for (uint32_t k = 0; k < CHAINS_MAX; k++, at += side + squared(n)) {
        r->chains[k].side = at;
        r->chains[k].matrix = at + side;
    }
    r->sums = at;
    fill_priors(r);
    return draws_open(&r->draws, n, mass, base, rest_of(d), err);
}

static void run_close(run *r) {
    draws_close(&r->draws);
    mem_free(r->room);
}

static uint32_t value_of(uint32_t set, int32_t bit) {
    return bit < 0 ? 0 : set >> bit & 1;
}

static int32_t up_of(const descent_slot *s, uint32_t set) {
    return s->up[value_of(set, s->bit)];
}

static void begin(run *r, int32_t slot) {
    if (r->used[slot])
        return;
    r->used[slot] = true;
    for (uint32_t a = 0; a < r->n; a++)
        r->show[(size_t)slot * r->n + a] = 1;
}

/* Multiply what is below a slot by a line of values. */
static void times_line(run *r, int32_t slot, const double *line) {
    double *show = r->show + (size_t)slot * r->n;

    if (!r->used[slot])
        memcpy(show, line, r->n * sizeof(*line));
    for (uint32_t a = 0; a < r->n && r->used[slot]; a++)
        show[a] *= line[a];
    r->used[slot] = true;
}

/* What a slot shows to the parent's slot that it came from. */
static void send(run *r, uint32_t slot, int32_t up) {
    const double *show = r->show + (size_t)slot * r->n;
    double line[ATG_ALLELES_MAX + 1] = {0};

    for (uint32_t c = 0; c < r->n; c++) {
        const double *passes = r->passes[r->d->slots[slot].sex] + (size_t)c * r->n;

        for (uint32_t f = 0; f < r->n; f++)
            line[f] += show[c] * passes[f];
    }
    times_line(r, up, line);
}

/* What the known persons show under this inheritance; the factor that nothing else depends on. */
static double show_leaves(run *r, uint32_t set) {
    double factor = 1;

    for (uint32_t k = 0; k < r->d->n_leaves; k++) {
        const descent_leaf *leaf = &r->d->leaves[k];
        uint32_t c = leaf->classes[value_of(set, leaf->phase)];

        if (leaf->up[0] < 0)
            factor *= known_passes(r, leaf->parent, leaf->sex, c);
        else
            times_line(r, leaf->up[value_of(set, leaf->bit)],
                       r->passes[leaf->sex] + (size_t)c * r->n);
    }
    return factor;
}

/* The kept alleles and all above them. */
static void mark_kept(run *r, uint32_t set) {
    for (int k = 0; k < 2; k++)
        for (int32_t at = r->d->kept[k]; at >= 0;) {
            const descent_slot *s = &r->d->slots[at];

            r->kept[at] = true;
            begin(r, at);
            at = s->founder || s->settled ? -1 : up_of(s, set);
        }
}

/* Everything that is not above a kept allele is summed up to the roots. */
static void climb(run *r, uint32_t set, draws_term *t) {
    for (uint32_t k = 0; k < r->d->n_slots; k++) {
        const descent_slot *s = &r->d->slots[k];
        const double *show = r->show + (size_t)k * r->n;
        double sum = 0;

        if (!r->used[k] || r->kept[k])
            continue;
        if (s->founder) {
            t->rest[t->n_rest++] = show;
        } else if (!s->settled) {
            send(r, k, up_of(s, set));
        } else {
            for (uint32_t a = 0; a < r->n; a++)
                sum += r->prior[(size_t)k * r->n + a] * show[a];
            t->weight *= sum;
        }
    }
}

/* ---- kept alleles ---- */

/* The matrix of a chain, from the kept allele up. */
static void chain_matrix(const run *r, chain *c) {
    uint32_t n = r->n;
    double line[ATG_ALLELES_MAX + 1];

    for (uint32_t g = c->n; g-- > 0;) {
        const double *side = c->side + (size_t)g * n, *passes = r->passes[c->sex[g]];
        bool last = g + 1 == c->n;

        /* column by column, so that the matrix below can be replaced */
        for (uint32_t x = 0; x < n; x++) {
            memset(line, 0, n * sizeof(*line));
            for (uint32_t z = 0; z < n; z++) {
                double below = side[z] * (last ? z == x : c->matrix[(size_t)z * n + x]);

                for (uint32_t a = 0; a < n && below != 0; a++)
                    line[a] += passes[(size_t)z * n + a] * below;
            }
            for (uint32_t a = 0; a < n; a++)
                c->matrix[(size_t)a * n + x] = line[a];
        }
    }
}

/* The slots from the root to a kept one, and what is between as a chain without its matrix. */
static int32_t walk_up(const run *r, int32_t kept, uint32_t set, chain *c) {
    int32_t slots[DESCENT_CHAIN_MAX + 1], at = kept;

    c->n = 0;
    while (!r->d->slots[at].founder && !r->d->slots[at].settled) {
        slots[c->n++] = at;
        at = up_of(&r->d->slots[at], set);
    }
    for (uint32_t g = 0; g < c->n; g++) {
        int32_t slot = slots[c->n - 1 - g];

        c->sex[g] = r->d->slots[slot].sex;
        memcpy(c->side + (size_t)g * r->n, r->show + (size_t)slot * r->n, r->n * sizeof(double));
    }
    return at;
}

/* Of each row of sums by the class of the second root, by that of the second kept allele. */
static void lead_down(uint32_t n, const double *matrix, double *sums) {
    double line[ATG_ALLELES_MAX + 1];

    for (uint32_t a = 0; a < n; a++) {
        double *row = sums + (size_t)a * n;

        memset(line, 0, n * sizeof(*line));
        for (uint32_t b = 0; b < n; b++)
            for (uint32_t y = 0; y < n; y++)
                line[y] += row[b] * matrix[(size_t)b * n + y];
        memcpy(row, line, n * sizeof(*line));
    }
}

/* ret[x] += the sum over a of matrix[a][x] sums[a], all of them lines. */
static void add_down(uint32_t n, uint32_t width, const double *matrix, const double *sums,
                     double *ret) {
    for (uint32_t a = 0; a < n; a++)
        for (uint32_t x = 0; x < n; x++) {
            double share = matrix[(size_t)a * n + x];

            for (uint32_t y = 0; y < width && share != 0; y++)
                ret[(size_t)x * width + y] += share * sums[(size_t)a * width + y];
        }
}

/* Add up what was gathered, from the roots' classes to the kept ones. */
static void flush_pair(const run *r, const int *of, double *sums) {
    uint32_t width = r->d->kept[1] < 0 ? 1 : r->n;

    if (of[1] >= 0)
        lead_down(r->n, r->chains[of[1]].matrix, sums);
    if (of[0] >= 0)
        add_down(r->n, width, r->chains[of[0]].matrix, sums, r->ret);
    for (size_t i = 0; i < r->cells && of[0] < 0; i++)
        r->ret[i] += sums[i];
}

static void flush(run *r) {
    for (uint32_t k = 0; k < r->n_pairs; k++)
        flush_pair(r, r->of[k], r->sums + k * r->cells);
    r->n_pairs = r->n_chains = 0;
}

/* The number of this chain, as the last one is or an earlier one; -1 where nothing lies between. */
static int number_of(run *r) {
    chain *last = &r->chains[r->n_chains];

    if (last->n == 0)
        return -1;
    for (uint32_t k = 0; k < r->n_chains; k++) {
        const chain *c = &r->chains[k];

        if (c->n == last->n && memcmp(c->sex, last->sex, c->n) == 0 &&
            memcmp(c->side, last->side, (size_t)c->n * r->n * sizeof(double)) == 0)
            return (int)k;
    }
    chain_matrix(r, last);
    return (int)r->n_chains++;
}

static double *sums_of(run *r, int one, int two) {
    for (uint32_t k = 0; k < r->n_pairs; k++)
        if (r->of[k][0] == one && r->of[k][1] == two)
            return r->sums + k * r->cells;
    r->of[r->n_pairs][0] = one;
    r->of[r->n_pairs][1] = two;
    memset(r->sums + r->n_pairs * r->cells, 0, r->cells * sizeof(double));
    return r->sums + r->n_pairs++ * r->cells;
}

/* The kept draws of a term, and where to add it. */
static double *find_kept(run *r, uint32_t set, draws_term *t) {
    int number[2] = {-1, -1};

    if (r->n_pairs == PAIRS_MAX || r->n_chains + 2 >= CHAINS_MAX)
        flush(r);
    for (int k = 0; k < 2; k++) {
        int32_t root;
        double *show;

        if (r->d->kept[k] < 0)
            continue;
        root = walk_up(r, r->d->kept[k], set, &r->chains[r->n_chains]);
        show = r->show + (size_t)root * r->n;
        number[k] = number_of(r);
        t->kept[k] = show;
        t->drawn[k] = r->d->slots[root].founder;
        for (uint32_t a = 0; a < r->n && !t->drawn[k]; a++)
            show[a] *= r->prior[(size_t)root * r->n + a];
    }
    return sums_of(r, number[0], number[1]);
}

static void add_inheritance(run *r, uint32_t set, uint32_t n_other, const double *ones) {
    draws_term t = {.weight = 1};
    double *to = r->ret;

    memset(r->used, 0, sizeof(r->used));
    memset(r->kept, 0, sizeof(r->kept));
    for (uint32_t k = 0; k < r->d->n_switches; k++)
        t.weight /= 2;
    t.weight *= show_leaves(r, set);
    if (t.weight == 0)
        return;
    mark_kept(r, set);
    climb(r, set, &t);
    for (uint32_t k = 0; k < n_other; k++) {
        t.kept[k] = ones;
        t.drawn[k] = true;
    }
    if (r->d->kept[0] >= 0)
        to = find_kept(r, set, &t);
    draws_add(&r->draws, &t, to);
}

int descent_run(const descent *d, double mass, uint32_t n_other, double *ret, atg_err *err) {
    double ones[ATG_ALLELES_MAX + 1];
    run r = {.ret = ret};
    int rc = run_open(&r, d, mass, d->in->freq, n_other, err);

    if (!rc) {
        memset(ret, 0, r.cells * sizeof(*ret));
        for (uint32_t a = 0; a < r.n; a++)
            ones[a] = 1;
        for (uint32_t set = 0; set < 1U << d->n_bits; set++)
            add_inheritance(&r, set, n_other, ones);
        flush(&r);
    }
    run_close(&r);
    return rc;
}
