/* SPDX-License-Identifier: Apache-2.0 */
#include "dna/peel.h"

#include <string.h>

#include "dna/kernel.h"

enum { EITHER_MAX = 729, NOTICEABLE = 50000 };

/* How a person's genotype takes part. */
typedef struct node {
    bool relevant; /* something seen or kept depends on it */
    bool fixed;    /* exactly one unordered genotype a/b is possible */
    bool haploid;  /* a man at an X marker: `b` and the paternal side mean nothing */
    bool founder;
    bool population;   /* an untyped founder with at most one child: stands for the population */
    uint8_t kids;      /* relevant children, 2 for "two or more" */
    int16_t a, b;      /* classes, when fixed */
    uint8_t n_phases;  /* fixed and not a founder: 1 or 2 */
    uint32_t phase;    /* variable, when n_phases is 2 */
    uint32_t pat, mat; /* variables, when not fixed */
} node;

/* One allele of a child: a variable over all classes, or one of up to two known classes. */
typedef struct side {
    uint32_t n;
    bool has_var;
    uint32_t var;
    int32_t classes[2];
    bool known;
} side;

typedef struct peel {
    elim *e;
    const peel_input *in;
    const view *v;
    bool either; /* from_either() where that is small */
    peel_switches *switches;
    node nodes[ATG_PEDIGREE_MAX];
} peel;

static bool is_kept(const peel_input *in, uint32_t person) {
    for (uint32_t k = 0; k < in->n_keep; k++)
        if (in->keep[k] == person)
            return true;
    return false;
}

static bool is_haploid(const peel_input *in, uint32_t person) {
    return in->view->marker->chrom == ATG_CHROM_X && in->ped->persons[person].sex == ATG_SEX_MALE;
}

/* Relevant: seen, kept, or with a relevant child.  Children come later or earlier in the list, so
 * repeat until nothing changes; each round settles one generation. */
static void mark_relevant(const peel_input *in, bool *relevant) {
    for (uint32_t i = 0; i < in->ped->n; i++)
        relevant[i] = atg_geno_typed(in->obs[i].geno) || is_kept(in, i);
    for (bool more = true; more;) {
        more = false;
        for (uint32_t i = in->ped->n; i-- > 0;) {
            const atg_person *p = &in->ped->persons[i];

            if (!relevant[i] || p->father < 0 || (relevant[p->father] && relevant[p->mother]))
                continue;
            relevant[p->father] = relevant[p->mother] = more = true;
        }
    }
}

size_t peel_cells(const peel_input *in) {
    size_t n = 1;

    for (uint32_t k = 0; k < in->n_keep; k++)
        n *= is_haploid(in, in->keep[k]) ? in->view->n : (size_t)in->view->n * in->view->n;
    return n;
}

/* Relevant children to whom each person passes an allele on, 2 for "two or more". */
static void count_kids(const peel_input *in, const bool *relevant, uint8_t *kids) {
    for (uint32_t i = 0; i < in->ped->n; i++)
        kids[i] = 0;
    for (uint32_t i = 0; i < in->ped->n; i++) {
        const atg_person *person = &in->ped->persons[i];

        if (!relevant[i] || person->father < 0)
            continue;
        for (int k = 0; k < 2; k++) {
            int32_t parent = k ? person->father : person->mother;

            if (!(k && is_haploid(in, i)) && kids[parent] < 2)
                kids[parent]++;
        }
    }
}

static bool is_fixed(const peel_input *in, uint32_t person) {
    const atg_obs *o = &in->obs[person];
    bool same = o->geno.a == o->geno.b, haploid = is_haploid(in, person);
    bool hidden = in->view->marker->silent >= 0 && same && !haploid;

    return atg_geno_typed(o->geno) && o->geno.b != ATG_ALLELE_UNREAD && o->dropout == 0 &&
           o->dropin == 0 && !hidden && (same || !haploid) && !is_kept(in, person);
}

/* The first variable of a kept person: they are numbered from 0 in the order of `keep`. */
static uint32_t kept_at(const peel_input *in, uint32_t person) {
    uint32_t at = 0;

    for (uint32_t k = 0; in->keep[k] != person; k++)
        at += is_haploid(in, in->keep[k]) ? 1 : 2;
    return at;
}

static bool is_absorbed(const peel_input *in, uint32_t person) {
    return in->ped->persons[person].father < 0 && in->ped->persons[person].inbreeding == 0 &&
           is_fixed(in, person);
}

uint32_t peel_absorbed(const peel_input *in, double *counts) {
    uint32_t n_mixed = 0;

    for (uint32_t c = 0; c < in->view->n; c++)
        counts[c] = 0;
    for (uint32_t i = 0; i < in->ped->n; i++) {
        if (!is_absorbed(in, i))
            continue;
        n_mixed += in->obs[i].geno.a != in->obs[i].geno.b;
        counts[in->view->class_of[in->obs[i].geno.b]]++;
        if (!is_haploid(in, i))
            counts[in->view->class_of[in->obs[i].geno.a]]++;
    }
    return n_mixed;
}

uint32_t peel_degree(const peel_input *in) {
    bool relevant[ATG_PEDIGREE_MAX];
    uint8_t kids[ATG_PEDIGREE_MAX];
    uint32_t n = 0;

    mark_relevant(in, relevant);
    count_kids(in, relevant, kids);
    for (uint32_t i = 0; i < in->ped->n; i++) {
        bool nothing = !atg_geno_typed(in->obs[i].geno) && !is_kept(in, i);

        if (!relevant[i] || in->ped->persons[i].father >= 0 || is_absorbed(in, i))
            continue;
        n += is_haploid(in, i) ? 1 : nothing ? kids[i] : 2; /* what is not passed on sums to 1 */
    }
    return n;
}

static void classify(peel *p, uint32_t i, bool relevant) {
    const atg_person *person = &p->in->ped->persons[i];
    node *n = &p->nodes[i];

    n->relevant = relevant;
    n->haploid = is_haploid(p->in, i);
    n->founder = person->father < 0;
    n->fixed = !p->in->plain && is_fixed(p->in, i);
    n->population = !p->in->plain && n->founder && n->kids < 2 && !is_kept(p->in, i) &&
                    !atg_geno_typed(p->in->obs[i].geno);
    if (!relevant || n->population)
        return;
    if (n->fixed) {
        n->a = p->v->class_of[p->in->obs[i].geno.a];
        n->b = p->v->class_of[p->in->obs[i].geno.b];
        n->n_phases = n->founder || n->haploid || n->a == n->b ? 1 : 2;
        if (n->n_phases == 2)
            n->phase = elim_var(p->e, 2);
        return;
    }
    if (is_kept(p->in, i)) {
        n->pat = kept_at(p->in, i);
        n->mat = n->pat + !n->haploid;
        return;
    }
    if (!n->haploid)
        n->pat = elim_var(p->e, p->v->n);
    n->mat = elim_var(p->e, p->v->n);
}

static side side_of(const peel *p, uint32_t child, bool paternal) {
    const node *n = &p->nodes[child];

    if (!n->fixed)
        return (side){.n = p->v->n, .has_var = true, .var = paternal ? n->pat : n->mat};
    if (n->n_phases == 1)
        return (side){.n = 1, .known = true, .classes = {paternal && !n->haploid ? n->a : n->b}};
    return (side){.n = 2,
                  .has_var = true,
                  .var = n->phase,
                  .known = true,
                  .classes = {paternal ? n->a : n->b, paternal ? n->b : n->a}};
}

static uint32_t class_at(const side *s, uint32_t t) {
    return s->known ? (uint32_t)s->classes[t] : t;
}

static double passes(const peel *p, int sex, uint32_t from, uint32_t to) {
    const double *mut = p->v->mut[sex];

    return mut ? mut[from * p->v->n + to] : from == to;
}

/* Multiply by a vector over a side. */
static void times_side(peel *p, const side *s, const double *values) {
    if (!s->has_var) {
        elim_scale(p->e, values[0]);
        return;
    }

    double *cells = elim_table(p->e, 1, &s->var);

    if (cells)
        memcpy(cells, values, s->n * sizeof(*values));
}

/* The parent's genotype is known. */
static void from_fixed(peel *p, const node *parent, int sex, const side *s) {
    double values[ATG_ALLELES_MAX + 1];

    values[0] = 0;
    for (uint32_t t = 0; t < s->n; t++) {
        uint32_t c = class_at(s, t);
        double x = passes(p, sex, (uint32_t)parent->a, c);

        values[t] = parent->haploid || parent->a == parent->b
                        ? x
                        : 0.5 * (x + passes(p, sex, (uint32_t)parent->b, c));
    }
    times_side(p, s, values);
}

/* The parent is an untyped founder with this one child: a random allele of the population. */
static void from_population(peel *p, int sex, const side *s) {
    double values[ATG_ALLELES_MAX + 1];

    values[0] = 0;
    for (uint32_t t = 0; t < s->n; t++) {
        values[t] = 0;
        for (uint32_t f = 0; f < p->v->n; f++)
            values[t] += p->in->freq[f] * passes(p, sex, f, class_at(s, t));
    }
    times_side(p, s, values);
}

/* Passing on the allele `var`; with `choose`, only when that variable has the value `when`. */
static void from_allele(peel *p, uint32_t var, const uint32_t *choose, uint32_t when, int sex,
                        const side *s) {
    uint32_t vars[3], rank = 0;
    double *cells;

    if (choose)
        vars[rank++] = *choose;
    vars[rank++] = var;
    if (s->has_var)
        vars[rank++] = s->var;
    cells = elim_table(p->e, rank, vars);
    if (!cells)
        return;
    for (uint32_t k = 0; k < (choose ? 2U : 1U); k++)
        for (uint32_t f = 0; f < p->v->n; f++)
            for (uint32_t t = 0; t < s->n; t++)
                *cells++ = !choose     ? passes(p, sex, f, class_at(s, t))
                           : k == when ? 0.5 * passes(p, sex, f, class_at(s, t))
                                       : 1;
}

/* Passing on one of two alleles, either as likely: one table instead of a variable that says which
 * and two tables.  Small ones only: where classes are many or loops are, it takes the variable to
 * keep a table from joining all three alleles. */
static void from_either(peel *p, const node *parent, int sex, const side *s) {
    uint32_t vars[3] = {parent->pat, parent->mat, s->var}, n = p->v->n;
    double *cells = elim_table(p->e, 2 + s->has_var, vars), half[EITHER_MAX];

    if (!cells)
        return;
    for (uint32_t f = 0; f < n; f++)
        for (uint32_t t = 0; t < s->n; t++)
            half[f * s->n + t] = 0.5 * passes(p, sex, f, class_at(s, t));
    for (uint32_t f = 0; f < n; f++)
        for (uint32_t m = 0; m < n; m++)
            for (uint32_t t = 0; t < s->n; t++)
                *cells++ = half[f * s->n + t] + half[m * s->n + t];
}

static void add_transmission(peel *p, uint32_t child, bool paternal) {
    const atg_person *person = &p->in->ped->persons[child];
    const node *parent = &p->nodes[paternal ? person->father : person->mother];
    side s = side_of(p, child, paternal);
    int sex = paternal ? 1 : 0;

    if (parent->fixed) {
        from_fixed(p, parent, sex, &s);
    } else if (parent->population) {
        from_population(p, sex, &s);
    } else if (parent->haploid) {
        from_allele(p, parent->mat, NULL, 0, sex, &s);
    } else if (p->either && p->v->n * p->v->n * s.n <= EITHER_MAX) {
        from_either(p, parent, sex, &s);
    } else {
        uint32_t choose = elim_var(p->e, 2);

        if (p->switches) {
            p->switches->has[child][sex] = true;
            p->switches->var[child][sex] = choose;
        }
        from_allele(p, parent->pat, &choose, 0, sex, &s);
        from_allele(p, parent->mat, &choose, 1, sex, &s);
    }
}

static void add_founder(peel *p, uint32_t i) {
    const node *n = &p->nodes[i];
    double f = p->in->ped->persons[i].inbreeding;
    const double *freq = p->in->freq;

    if (n->fixed && p->in->absorb && is_absorbed(p->in, i))
        return;
    if (n->fixed) {
        double q = freq[n->a];

        elim_scale(p->e, n->haploid     ? q
                         : n->a == n->b ? (1 - f) * q * q + f * q
                                        : 2 * (1 - f) * q * freq[n->b]);
        return;
    }

    uint32_t vars[2] = {n->pat, n->mat};
    uint32_t size = p->v->n;

    if (f > 0 && !n->haploid) {
        double *cells = elim_table(p->e, 2, vars);

        for (uint32_t k = 0; cells && k < size * size; k++)
            cells[k] = (1 - f) * freq[k / size] * freq[k % size] +
                       (k / size == k % size ? f * freq[k / size] : 0);
        return;
    }
    for (int k = n->haploid; k < 2; k++) {
        double *cells = elim_table(p->e, 1, &vars[k]);

        if (cells)
            memcpy(cells, freq, size * sizeof(*freq));
    }
}

/* What was seen of a person whose genotype is not settled by it. */
static void add_seen(peel *p, uint32_t i) {
    const node *n = &p->nodes[i];
    uint32_t vars[2] = {n->pat, n->mat}, size = p->v->n;
    double *cells;

    if (n->haploid) {
        cells = elim_table(p->e, 1, &vars[1]);
        for (uint32_t k = 0; cells && k < size; k++)
            cells[k] = kernel_prob(p->v->marker, p->in->obs[i], p->v->rep[k], ATG_ALLELE_UNREAD);
        return;
    }
    cells = elim_table(p->e, 2, vars);
    for (uint32_t k = 0; cells && k < size * size; k++)
        cells[k] =
            kernel_prob(p->v->marker, p->in->obs[i], p->v->rep[k / size], p->v->rep[k % size]);
}

static void add_tables(peel *p, uint32_t i) {
    node *n = &p->nodes[i];

    if (!n->relevant || n->population)
        return;
    if (!n->fixed && atg_geno_typed(p->in->obs[i].geno))
        add_seen(p, i);
    if (n->founder) {
        add_founder(p, i);
        return;
    }
    add_transmission(p, i, false);
    if (!n->haploid)
        add_transmission(p, i, true);
}

static void add(elim *e, const peel_input *in, bool either, peel_switches *switches) {
    bool relevant[ATG_PEDIGREE_MAX] = {false};
    uint8_t kids[ATG_PEDIGREE_MAX] = {0};
    peel p;

    p.e = e;
    p.in = in;
    p.v = in->view;
    p.either = either;
    p.switches = switches;
    mark_relevant(in, relevant);
    memset(p.nodes, 0, in->ped->n * sizeof(*p.nodes));
    count_kids(in, relevant, kids);
    for (uint32_t i = 0; i < in->ped->n; i++) {
        p.nodes[i].kids = kids[i];
        classify(&p, i, relevant[i]);
    }
    for (uint32_t i = 0; i < in->ped->n; i++)
        add_tables(&p, i);
}

void peel_add(elim *e, const peel_input *in, peel_switches *switches) {
    add(e, in, false, switches);
}

/* All tables from the beginning; kept persons' variables come first, where kept_at() finds them. */
static uint32_t build(elim *e, const peel_input *in, bool either, uint32_t *vars) {
    uint32_t n_kept = 0;

    elim_reset(e);
    for (uint32_t k = 0; k < in->n_keep; k++) {
        if (!is_haploid(in, in->keep[k]))
            vars[n_kept++] = elim_var(e, in->view->n);
        vars[n_kept++] = elim_var(e, in->view->n);
    }
    add(e, in, either, NULL);
    return n_kept;
}

int peel_run(elim *e, const peel_input *in, double *ret, double *ret_log, atg_err *err) {
    uint32_t vars[2 * PEEL_KEEP_MAX];
    uint32_t n_kept = build(e, in, true, vars);
    double cost = elim_cost(e, n_kept, vars);

    if (cost > NOTICEABLE) {
        build(e, in, false, vars);
        if (elim_cost(e, n_kept, vars) >= cost)
            build(e, in, true, vars);
    }
    return elim_run(e, n_kept, vars, ret, ret_log, err);
}
