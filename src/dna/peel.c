/* SPDX-License-Identifier: Apache-2.0 */
#include "dna/peel.h"

#include <math.h>
#include <string.h>

#include "dna/kernel.h"
#include "dna/peel_parts.h"

enum { EITHER_MAX = 729, KINDS_MAX = 4 };

/* How a person's genotype takes part. */
typedef struct node {
    bool relevant; /* something seen or kept depends on it */
    bool fixed;    /* exactly one unordered genotype a/b is possible */
    bool haploid;  /* a man at an X marker: `b` and the paternal side mean nothing */
    bool founder;
    bool population;   /* an untyped founder with at most one child: stands for the population */
    uint8_t kids;      /* relevant children, 3 for "three or more" */
    int16_t a, b;      /* classes, when fixed */
    uint8_t n_phases;  /* fixed and not a founder: 1 or 2 */
    uint32_t phase;    /* variable, when n_phases is 2 */
    uint32_t pat, mat; /* variables, when not fixed */
    bool one;          /* both alleles are one draw: `mat` */
    bool pair;         /* the unordered genotype is one variable: `mat` */
    bool each;         /* `pat` went to the first child, `mat` to the second */
    uint8_t given;     /* children served, with `each` */
    bool set[2];       /* [paternal]: not a variable but a class, as tied draws may be */
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
    bool either;  /* from_either() where that is small */
    bool by_kind; /* add_seen_by_kind() where that can be done */
    /* [pair][paternal]: cells of a child whose allele is a variable, or NULL; made once for all */
    const double *made[2][2];
    peel_switches *switches;
    uint32_t n_drawn;         /* tied draws so far */
    uint32_t tied[DRAWS_MAX]; /* variable of each number in in->tie */
    bool has_tied[DRAWS_MAX];
    node nodes[ATG_PEDIGREE_MAX];
} peel;

static bool is_kept(const peel_input *in, uint32_t person) {
    for (uint32_t k = 0; k < in->n_keep; k++)
        if (in->keep[k] == person)
            return true;
    return false;
}

bool peel_haploid(const peel_input *in, uint32_t person) {
    return in->view->marker->chrom == ATG_CHROM_X && in->ped->persons[person].sex == ATG_SEX_MALE;
}

static bool has_own(const peel_input *in, uint32_t person) {
    for (uint32_t k = 0; k < in->n_own; k++)
        if (in->own[k].person == person)
            return true;
    return false;
}

/* Relevant: seen, kept, or with a relevant child.  Children come later or earlier in the list, so
 * repeat until nothing changes; each round settles one generation. */
void peel_relevant(const peel_input *in, bool *relevant) {
    for (uint32_t i = 0; i < in->ped->n; i++)
        relevant[i] = atg_geno_typed(in->obs[i].geno) || is_kept(in, i);
    for (uint32_t k = 0; k < in->n_own; k++)
        relevant[in->own[k].person] = true;
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
        n *= peel_haploid(in, in->keep[k]) ? in->view->n : (size_t)in->view->n * in->view->n;
    for (uint32_t k = 0; k < in->n_watch; k++)
        n *= in->view->n;
    return n;
}

/* Relevant children to whom each person passes an allele on, 3 for "three or more". */
static void count_kids(const peel_input *in, const bool *relevant, uint8_t *kids) {
    for (uint32_t i = 0; i < in->ped->n; i++)
        kids[i] = 0;
    for (uint32_t i = 0; i < in->ped->n; i++) {
        const atg_person *person = &in->ped->persons[i];

        if (!relevant[i] || person->father < 0)
            continue;
        for (int k = 0; k < 2; k++) {
            int32_t parent = k ? person->father : person->mother;

            if (!(k && peel_haploid(in, i)) && kids[parent] < 3)
                kids[parent]++;
        }
    }
}

bool peel_fixed(const peel_input *in, uint32_t person) {
    const atg_obs *o = &in->obs[person];
    bool same = o->geno.a == o->geno.b, haploid = peel_haploid(in, person);
    bool hidden = in->view->marker->silent >= 0 && same && !haploid;

    return atg_geno_typed(o->geno) && o->geno.b != ATG_ALLELE_UNREAD && o->dropout == 0 &&
           o->dropin == 0 && !hidden && (same || !haploid) && !is_kept(in, person);
}

/* The first variable of a kept person: they are numbered from 0 in the order of `keep`. */
static uint32_t kept_at(const peel_input *in, uint32_t person) {
    uint32_t at = 0;

    for (uint32_t k = 0; in->keep[k] != person; k++)
        at += peel_haploid(in, in->keep[k]) ? 1 : 2;
    return at;
}

static bool is_absorbed(const peel_input *in, uint32_t person) {
    return in->ped->persons[person].father < 0 && in->ped->persons[person].inbreeding == 0 &&
           peel_fixed(in, person);
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
        if (!peel_haploid(in, i))
            counts[in->view->class_of[in->obs[i].geno.a]]++;
    }
    return n_mixed;
}

static bool shows_nothing(const peel_input *in, uint32_t person) {
    return !atg_geno_typed(in->obs[person].geno) && !is_kept(in, person) && !has_own(in, person);
}

/* Alleles that a relevant founder draws; what is not passed on sums to 1. */
static uint32_t draws_of(const peel_input *in, uint32_t person, uint32_t kids) {
    if (in->ped->persons[person].father >= 0 || is_absorbed(in, person))
        return 0;
    return peel_haploid(in, person) ? 1 : kids < 2 && shows_nothing(in, person) ? kids : 2;
}

uint32_t peel_degree(const peel_input *in) {
    bool relevant[ATG_PEDIGREE_MAX];
    uint8_t kids[ATG_PEDIGREE_MAX];
    uint32_t n = 0;

    peel_relevant(in, relevant);
    count_kids(in, relevant, kids);
    for (uint32_t i = 0; i < in->ped->n; i++)
        n += relevant[i] ? draws_of(in, i, kids[i]) : 0;
    return n;
}

bool peel_draws(const peel_input *in, urn_twin *twin) {
    bool relevant[ATG_PEDIGREE_MAX];
    uint8_t kids[ATG_PEDIGREE_MAX];
    uint32_t n = 0;

    peel_relevant(in, relevant);
    count_kids(in, relevant, kids);
    for (uint32_t i = 0; i < in->ped->n; i++) {
        uint32_t own = relevant[i] ? draws_of(in, i, kids[i]) : 0;

        if (own && in->ped->persons[i].inbreeding > 0)
            return false;
        for (uint32_t k = 0; k < own; k++)
            twin[n + k] = own < 2 || k || is_kept(in, i)         ? URN_APART
                          : kids[i] == 2 && shows_nothing(in, i) ? URN_COPY
                                                                 : URN_EXCHANGE;
        n += own;
    }
    return true;
}

/* The first draw of a number: its allele is one of the population. */
static void draw_first(peel *p, uint32_t number, int value, const uint32_t *kept) {
    int watched = peel_watched(p->in, number);
    double *cells;

    p->has_tied[number] = true;
    if (value >= 0) {
        elim_scale(p->e, p->in->freq[value]);
        return;
    }
    p->tied[number] = kept ? *kept : watched >= 0 ? (uint32_t)watched : elim_var(p->e, p->v->n);
    cells = elim_table(p->e, 1, &p->tied[number]);
    if (cells)
        memcpy(cells, p->in->freq, p->v->n * sizeof(*cells));
}

/* A kept variable is that class, or what its number has been drawn as before. */
static void tie_kept(peel *p, uint32_t number, int value, uint32_t kept) {
    uint32_t vars[2] = {value >= 0 ? kept : p->tied[number], kept}, n = p->v->n;
    double *cells = elim_table(p->e, value >= 0 ? 1 : 2, vars);

    for (uint32_t k = 0; cells && k < (value >= 0 ? n : n * n); k++)
        cells[k] = value >= 0 ? (int)k == value : k / n == k % n;
}

/* A variable, or a class, for the next draw. */
static void draw(peel *p, bool kept, uint32_t *ret, bool *ret_set) {
    uint32_t number = p->in->tie[p->n_drawn++];
    int value = p->in->set ? p->in->set[number] : -1;
    bool first = !p->has_tied[number];

    if (first)
        draw_first(p, number, value, kept ? ret : NULL);
    if (kept && (value >= 0 || !first))
        tie_kept(p, number, value, *ret);
    *ret_set = value >= 0;
    if (!kept || value >= 0)
        *ret = value >= 0 ? (uint32_t)value : p->tied[number];
}

/* The draws of a founder who is not settled by what was seen. */
static void classify_tied(peel *p, uint32_t i, node *n) {
    bool kept = is_kept(p->in, i);
    const uint8_t *tie = p->in->tie + p->n_drawn;

    if (n->population) {
        n->one = true;
        if (n->haploid || n->kids)
            draw(p, false, &n->mat, &n->set[0]);
        return;
    }
    if (kept) {
        n->pat = kept_at(p->in, i);
        n->mat = n->pat + !n->haploid;
    }
    n->each = !n->haploid && n->kids == 2 && shows_nothing(p->in, i);
    n->one = n->haploid || (!kept && tie[0] == tie[1]);
    if (!n->haploid)
        draw(p, kept, &n->pat, &n->set[1]);
    draw(p, kept, &n->mat, &n->set[0]);
}

/* Nothing tells a founder's two alleles apart: one variable, with half of the values. */
static bool is_pair(const peel *p, const node *n) {
    return p->either && n->founder && !n->haploid && !p->in->plain &&
           p->v->n * p->v->n * p->v->n <= EITHER_MAX;
}

static void classify(peel *p, uint32_t i, bool relevant) {
    const atg_person *person = &p->in->ped->persons[i];
    node *n = &p->nodes[i];

    n->relevant = relevant;
    n->haploid = peel_haploid(p->in, i);
    n->founder = person->father < 0;
    n->fixed = !p->in->plain && peel_fixed(p->in, i);
    n->population = !p->in->plain && n->founder && n->kids < 2 && shows_nothing(p->in, i);
    if (relevant && p->in->tie && n->founder && !n->fixed) {
        classify_tied(p, i, n);
        return;
    }
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
    n->pair = is_pair(p, n);
    if (n->pair) {
        n->mat = elim_var(p->e, p->v->n * (p->v->n + 1) / 2);
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

/* Cells for the classes first..end - 1 of a parent's allele; times 0 says "whatever", 1 each. */
static double *fill_passes(const peel *p, double *cells, uint32_t first, uint32_t end, int sex,
                           const side *s, double times) {
    for (uint32_t f = first; f < end; f++)
        for (uint32_t t = 0; t < s->n; t++)
            *cells++ = times > 0 ? times * passes(p, sex, f, class_at(s, t)) : 1;
    return cells;
}

/* Passing on the allele `var`, or that class; with `choose`, only when that variable has the value
 * `when`. */
static void from_allele(peel *p, uint32_t var, bool set, const uint32_t *choose, uint32_t when,
                        int sex, const side *s) {
    uint32_t vars[3], rank = 0, first = set ? var : 0, end = set ? var + 1 : p->v->n;
    double *cells, one = 0;

    if (choose)
        vars[rank++] = *choose;
    if (!set)
        vars[rank++] = var;
    if (s->has_var)
        vars[rank++] = s->var;
    cells = rank ? elim_table(p->e, rank, vars) : &one;
    if (!cells)
        return;
    if (choose) {
        cells = fill_passes(p, cells, first, end, sex, s, when == 0 ? 0.5 : 0);
        (void)fill_passes(p, cells, first, end, sex, s, when == 0 ? 0 : 0.5);
        return;
    }
    (void)fill_passes(p, cells, first, end, sex, s, 1);
    if (!rank)
        elim_scale(p->e, one);
}

/* Cells for both alleles of a parent, ordered or not, and the child's: that one is fastest where it
 * is a variable over all classes, and slowest where it is one or two known ones. */
static void fill_either(const peel *p, double *cells, int sex, const side *s, bool pair) {
    uint32_t n = p->v->n, n_both = pair ? n * (n + 1) / 2 : n * n, both = s->known ? 1 : n;
    double half[ATG_ALLELES_MAX + 1];

    for (uint32_t t = 0; t < s->n; t++) {
        double *to = cells + (s->known ? t * n_both : t);

        for (uint32_t f = 0; f < n; f++)
            half[f] = 0.5 * passes(p, sex, f, class_at(s, t));
        for (uint32_t f = 0; f < n; f++)
            for (uint32_t m = pair ? f : 0; m < n; m++, to += both)
                *to = half[f] + half[m];
    }
}

/* Passing on one of two alleles, either as likely: one table instead of a variable that says which
 * and two tables.  Small ones only: where classes are many or loops are, it takes the variable to
 * keep a table from joining all three alleles. */
static void from_either(peel *p, const node *parent, int sex, const side *s) {
    const double **made = &p->made[parent->pair][p->v->mut[0] == p->v->mut[1] ? 0 : sex];
    uint32_t vars[4] = {s->var}, n = 1; /* the parent's between two places for the child's */
    double *cells;

    if (!parent->pair)
        vars[n++] = parent->pat;
    vars[n++] = parent->mat;
    vars[n] = s->var;
    if (!s->known && *made) {
        elim_table_again(p->e, n, vars + 1, *made);
        return;
    }
    cells = s->known ? elim_table(p->e, n - !s->has_var, vars + !s->has_var)
                     : elim_table(p->e, n, vars + 1);
    if (cells)
        fill_either(p, cells, sex, s, parent->pair);
    if (!s->known)
        *made = cells;
}

static void add_transmission(peel *p, uint32_t child, bool paternal) {
    const atg_person *person = &p->in->ped->persons[child];
    node *parent = &p->nodes[paternal ? person->father : person->mother];
    side s = side_of(p, child, paternal);
    int sex = paternal ? 1 : 0;

    if (parent->fixed) {
        from_fixed(p, parent, sex, &s);
    } else if (parent->population && !p->in->tie) {
        from_population(p, sex, &s);
    } else if (parent->haploid || parent->one) {
        from_allele(p, parent->mat, parent->set[0], NULL, 0, sex, &s);
    } else if (parent->each) {
        bool second = parent->given++;

        from_allele(p, second ? parent->mat : parent->pat, parent->set[!second], NULL, 0, sex, &s);
    } else if (parent->pair || (p->either && !parent->set[0] && !parent->set[1] &&
                                p->v->n * p->v->n * s.n <= EITHER_MAX)) {
        from_either(p, parent, sex, &s);
    } else {
        uint32_t choose = elim_var(p->e, 2);

        if (p->switches) {
            p->switches->has[child][sex] = true;
            p->switches->var[child][sex] = choose;
        }
        from_allele(p, parent->pat, parent->set[1], &choose, 0, sex, &s);
        from_allele(p, parent->mat, parent->set[0], &choose, 1, sex, &s);
    }
}

static void add_pair(peel *p, const node *n, double inbred) {
    double *cells = elim_table(p->e, 1, &n->mat);
    const double *q = p->in->freq;

    for (uint32_t a = 0; cells && a < p->v->n; a++)
        for (uint32_t b = a; b < p->v->n; b++)
            *cells++ = (1 - inbred) * q[a] * q[b] * (a == b ? 1 : 2) + (a == b ? inbred * q[a] : 0);
}

static double fixed_founder(const node *n, const double *freq, double inbred) {
    double q = freq[n->a];

    if (n->haploid)
        return q;
    return n->a == n->b ? (1 - inbred) * q * q + inbred * q : 2 * (1 - inbred) * q * freq[n->b];
}

static void add_founder(peel *p, uint32_t i) {
    const node *n = &p->nodes[i];
    double f = p->in->ped->persons[i].inbreeding;
    const double *freq = p->in->freq;

    if (n->fixed && p->in->absorb && is_absorbed(p->in, i))
        return;
    if (n->fixed) {
        elim_scale(p->e, fixed_founder(n, freq, f));
        return;
    }
    if (n->pair) {
        add_pair(p, n, f);
        return;
    }
    if (p->in->tie) /* draw() has said it */
        return;

    uint32_t vars[2] = {n->pat, n->mat}, size = p->v->n;

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

/* A man at an X marker. */
static void add_seen_haploid(peel *p, const node *n, const atg_obs *obs) {
    double *cells;

    if (n->set[0]) {
        elim_scale(p->e, kernel_prob(p->v->marker, *obs, p->v->rep[n->mat], ATG_ALLELE_UNREAD));
        return;
    }
    cells = elim_table(p->e, 1, &n->mat);
    for (uint32_t k = 0; cells && k < p->v->n; k++)
        cells[k] = kernel_prob(p->v->marker, *obs, p->v->rep[k], ATG_ALLELE_UNREAD);
}

/* The same of a person whose alleles are these classes. */
static double seen_as(const peel *p, const atg_obs *obs, uint32_t pat, uint32_t mat) {
    return kernel_prob(p->v->marker, *obs, p->v->rep[pat], p->v->rep[mat]);
}

static void add_seen_pair(peel *p, const node *n, const atg_obs *obs) {
    double *cells = elim_table(p->e, 1, &n->mat);

    for (uint32_t a = 0; cells && a < p->v->n; a++)
        for (uint32_t b = a; b < p->v->n; b++)
            *cells++ = seen_as(p, obs, a, b);
}

/* Classes between which a sample does not tell, whatever the other allele is, are of one kind. */
typedef struct kinds {
    uint32_t n, first[KINDS_MAX], of[ATG_ALLELES_MAX + 1];
} kinds;

static bool same_kind(const peel *p, const atg_obs *obs, uint32_t x, uint32_t y) {
    for (uint32_t m = 0; m < p->v->n; m++)
        if (seen_as(p, obs, x, m) != seen_as(p, obs, y, m) ||
            seen_as(p, obs, m, x) != seen_as(p, obs, m, y))
            return false;
    return true;
}

/* False: there are more than a few. */
static bool find_kinds(const peel *p, const atg_obs *obs, kinds *ret) {
    ret->n = 0;
    for (uint32_t c = 0; c < p->v->n; c++) {
        uint32_t k = 0;

        while (k < ret->n && !same_kind(p, obs, ret->first[k], c))
            k++;
        if (k == KINDS_MAX)
            return false;
        if (k == ret->n)
            ret->first[ret->n++] = c;
        ret->of[c] = k;
    }
    return true;
}

static uint32_t add_kind(peel *p, uint32_t var, const kinds *k) {
    uint32_t vars[] = {var, elim_var(p->e, k->n)};
    double *cells = elim_table(p->e, 2, vars);

    for (uint32_t c = 0; cells && c < p->v->n * k->n; c++)
        cells[c] = k->of[c / k->n] == c % k->n;
    return vars[1];
}

/* The same by way of the kinds, which join the two alleles with few values where the table of all
 * classes would join all that both alleles touch. */
static void add_seen_by_kind(peel *p, const node *n, const atg_obs *obs, const kinds *k) {
    uint32_t vars[] = {add_kind(p, n->pat, k), add_kind(p, n->mat, k)};
    double *cells = elim_table(p->e, 2, vars);

    for (uint32_t c = 0; cells && c < k->n * k->n; c++)
        cells[c] = seen_as(p, obs, k->first[c / k->n], k->first[c % k->n]);
}

/* What was seen of a person whose genotype is not settled by it. */
static void add_seen(peel *p, const node *n, const atg_obs *obs) {
    bool pat = !n->one && !n->set[1], mat = !n->set[0];
    uint32_t vars[2], rank = 0, end[2] = {mat ? p->v->n : 1, pat ? p->v->n : 1};
    double *cells, one = 0;
    kinds few;

    if (n->pair) {
        add_seen_pair(p, n, obs);
        return;
    }
    if (p->by_kind && pat && mat && find_kinds(p, obs, &few)) {
        add_seen_by_kind(p, n, obs, &few);
        return;
    }
    if (pat)
        vars[rank++] = n->pat;
    if (mat)
        vars[rank++] = n->mat;
    cells = rank ? elim_table(p->e, rank, vars) : &one;
    if (!cells)
        return;
    for (uint32_t k = 0; k < end[0] * end[1]; k++) {
        uint32_t m = mat ? k % end[0] : n->mat, own = pat ? k / end[0] : n->pat;

        cells[k] = seen_as(p, obs, n->one ? m : own, m);
    }
    if (!rank)
        elim_scale(p->e, one);
}

/* What a person's own samples show. */
static void add_own(peel *p, uint32_t i) {
    const node *n = &p->nodes[i];

    for (uint32_t k = 0; k < p->in->n_own; k++) {
        const atg_obs *obs = &p->in->own[k].obs;

        if (p->in->own[k].person != i)
            continue;
        if (n->fixed)
            elim_scale(p->e, kernel_prob(p->v->marker, *obs, p->v->rep[n->a],
                                         n->haploid ? ATG_ALLELE_UNREAD : p->v->rep[n->b]));
        else
            (n->haploid ? add_seen_haploid : add_seen)(p, n, obs);
    }
}

static void add_tables(peel *p, uint32_t i) {
    node *n = &p->nodes[i];

    if (!n->relevant || n->population)
        return;
    if (!n->fixed && atg_geno_typed(p->in->obs[i].geno))
        (n->haploid ? add_seen_haploid : add_seen)(p, n, &p->in->obs[i]);
    add_own(p, i);
    if (n->founder) {
        add_founder(p, i);
        return;
    }
    add_transmission(p, i, false);
    if (!n->haploid)
        add_transmission(p, i, true);
}

static void add(elim *e, const peel_input *in, peel_manner how, peel_switches *switches) {
    bool relevant[ATG_PEDIGREE_MAX] = {false};
    uint8_t kids[ATG_PEDIGREE_MAX] = {0};
    peel p;

    p.e = e;
    p.in = in;
    p.v = in->view;
    p.either = how == PEEL_EITHER;
    p.by_kind = how == PEEL_BY_KIND;
    p.switches = switches;
    p.n_drawn = 0;
    memset((void *)p.made, 0, sizeof(p.made));
    memset(p.has_tied, 0, sizeof(p.has_tied));
    peel_relevant(in, relevant);
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
    add(e, in, PEEL_PLAIN, switches);
}

uint32_t peel_build(elim *e, const peel_input *in, peel_manner how, uint32_t *vars) {
    uint32_t n_kept = 0;

    elim_reset(e);
    for (uint32_t k = 0; k < in->n_keep; k++) {
        if (!peel_haploid(in, in->keep[k]))
            vars[n_kept++] = elim_var(e, in->view->n);
        vars[n_kept++] = elim_var(e, in->view->n);
    }
    for (uint32_t k = 0; k < in->n_watch; k++)
        vars[n_kept++] = elim_var(e, in->view->n);
    add(e, in, how, NULL);
    return n_kept;
}
