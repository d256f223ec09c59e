/* SPDX-License-Identifier: Apache-2.0 */
/* Which bodies of an exercise can be named at all, computed without a line of the library.
 *
 *     provable OPERATION [TRUTH [FLOOR]]
 *
 * Reads antigone-operation/1 and antigone-truth/1 and prints one JSON object a body and line: the
 * best pair, its log10 LR and posterior, and with a truth those of the true pair and whether it is
 * provable (docs/exercise.md).  With FLOOR the log10 LR of every pair at or above it, too.
 *
 * The method is as plain as can be: at each marker every parental allele of every person is one
 * variable over all alleles of the table, and all variables but the two of the missing person are
 * summed out, cheapest first.  Nothing is lumped, nothing is approximated.  Not covered, and
 * refused: theta, drop-in, silent alleles, linked markers, transformed mutation models.
 *
 * Memory is given back when the program ends. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data.h"

enum { SCOPE = 16 };

/* ---- what a genotype shows ---- */

/* P(read both | alleles i and j), each copy lost with probability d. */
static double shows_both(obs o, int i, int j, double d) {
    bool a = i == o.a || j == o.a;

    if (i == j)
        return a && o.a == o.b ? 1 - d * d : 0;
    if (o.a == o.b)
        return a ? d * (1 - d) : 0;
    return a && (i == o.b || j == o.b) ? (1 - d) * (1 - d) : 0;
}

/* The same of anything that can be read; one copy where j < 0.  What shows nothing at all is not
 * an observation, hence 1. */
static double shows(obs o, int i, int j) {
    if (o.a < 0)
        return 1;
    if (o.b < 0)
        return i == o.a || j == o.a ? 1 : 0;
    if (j < 0)
        return i == o.a && i == o.b ? 1 - o.drop : 0;
    return shows_both(o, i, j, o.drop);
}

static bool one_copy(const marker *m, int sex) {
    return m->x && sex == 'M';
}

static void explain(body *b, int at, bool man) {
    const marker *m = &op.markers[at];
    bool single = one_copy(m, man ? 'M' : 'F');
    cell *cells = get(cell_of(m, m->n, 0), sizeof(*cells));
    double p = 0;
    int n = 0;

    for (int i = 0; i < (single ? 1 : m->n); i++)
        for (int j = 0; j < m->n; j++) {
            double w = 1;

            for (int s = 0; s < b->n; s++)
                w *= single ? shows(b->samples[s][at], j, -1) : shows(b->samples[s][at], i, j);
            if (w > 0)
                cells[n++] = (cell){cell_of(m, i, j), w};
            p += w * (single ? 1 : m->freq[i]) * m->freq[j];
        }
    b->cells[man][at] = realloc(cells, (size_t)(n + 1) * sizeof(*cells));
    b->n_cells[man][at] = n;
    b->log_p[man][at] = log10(p);
}

/* Nothing to compare: nothing was read there, or at X of whom it is unknown how many there are. */
static bool blank(const body *b, int m) {
    if (op.markers[m].x && b->sex == 'U')
        return true;
    for (int s = 0; s < b->n; s++)
        if (b->samples[s][m].a >= 0)
            return false;
    return true;
}

/* ---- summing out ---- */

/* A table over some variables; the last one runs fastest. */
typedef struct table {
    int n, scope[SCOPE];
    double *v;
} table;

static struct {
    const marker *m;
    int dom[2 * PERSONS + 1], alleles[2 * PERSONS][ALLELES];
    int n;
    table tables[4 * PERSONS];
} work;

/* Variables of a person: the father's allele and the mother's. */
static int pat(int i) {
    return 2 * i;
}

static int mat(int i) {
    return 2 * i + 1;
}

static size_t size_of(const table *t) {
    size_t n = 1;

    for (int i = 0; i < t->n; i++)
        n *= (size_t)work.dom[t->scope[i]];
    return n;
}

static table *add_table(int n, int x, int y, int z) {
    table *t = &work.tables[work.n++];

    *t = (table){.n = n, .scope = {x, y, z}};
    t->v = get(size_of(t), sizeof(*t->v));
    return t;
}

/* The alleles that a variable can have: all, or those that explain what was read. */
static void set_domain(int var, const person *p, bool single) {
    int n = 0;

    for (int i = 0; i < work.m->n; i++) {
        bool possible = !p->seen;

        for (int j = 0; j < work.m->n && !possible; j++)
            possible = shows(p->seen[work.m - op.markers], i, single ? -1 : j) > 0;
        if (possible)
            work.alleles[var][n++] = i;
    }
    work.dom[var] = n;
}

static void add_founder(int var) {
    table *t = add_table(1, var, 0, 0);

    for (int i = 0; i < work.dom[var]; i++)
        t->v[i] = work.m->freq[work.alleles[var][i]];
}

/* A transmission from a parent with two alleles, and with one. */
static void add_meiosis(int parent, int child, const double *mutation) {
    table *t = add_table(3, pat(parent), mat(parent), child);
    size_t at = 0;

    for (int i = 0; i < work.dom[pat(parent)]; i++)
        for (int j = 0; j < work.dom[mat(parent)]; j++)
            for (int k = 0; k < work.dom[child]; k++) {
                int c = work.alleles[child][k];

                t->v[at++] = (mutation[cell_of(work.m, work.alleles[pat(parent)][i], c)] +
                              mutation[cell_of(work.m, work.alleles[mat(parent)][j], c)]) /
                             2;
            }
}

static void add_copying(int parent, int child, const double *mutation) {
    table *t = add_table(2, mat(parent), child, 0);
    size_t at = 0;

    for (int j = 0; j < work.dom[mat(parent)]; j++)
        for (int k = 0; k < work.dom[child]; k++)
            t->v[at++] =
                mutation[cell_of(work.m, work.alleles[mat(parent)][j], work.alleles[child][k])];
}

static void add_person(const family *f, int i) {
    const person *p = &f->persons[i];
    bool single = one_copy(work.m, p->sex);

    if (p->father < 0) {
        add_founder(mat(i));
        if (!single)
            add_founder(pat(i));
        return;
    }
    add_meiosis(p->mother, mat(i), work.m->mutation[1]);
    if (!single && work.m->x)
        add_copying(p->father, pat(i), work.m->mutation[0]);
    else if (!single)
        add_meiosis(p->father, pat(i), work.m->mutation[0]);
}

static void add_reading(const family *f, int i) {
    const person *p = &f->persons[i];
    bool single = one_copy(work.m, p->sex);
    table *t = single ? add_table(1, mat(i), 0, 0) : add_table(2, pat(i), mat(i), 0);
    obs o = p->seen[work.m - op.markers];
    size_t at = 0;

    for (int a = 0; a < (single ? 1 : work.dom[pat(i)]); a++)
        for (int b = 0; b < work.dom[mat(i)]; b++) {
            int y = work.alleles[mat(i)][b];

            t->v[at++] = single ? shows(o, y, -1) : shows(o, work.alleles[pat(i)][a], y);
        }
}

static bool mentions(const table *t, int var) {
    for (int i = 0; i < t->n; i++)
        if (t->scope[i] == var)
            return true;
    return false;
}

/* All variables that stand in a table with `var`; `var` itself last. */
static bool neighbours(int var, table *ret) {
    ret->n = 0;
    for (int k = 0; k < work.n; k++) {
        const table *t = &work.tables[k];

        for (int i = 0; mentions(t, var) && i < t->n; i++) {
            if (t->scope[i] == var || mentions(ret, t->scope[i]))
                continue;
            if (ret->n == SCOPE - 1)
                return false;
            ret->scope[ret->n++] = t->scope[i];
        }
    }
    ret->scope[ret->n++] = var;
    return true;
}

/* How far a table's cell moves when the i-th variable of `all` moves by one. */
static void strides(const table *t, const table *all, size_t *ret) {
    for (int i = 0; i < all->n; i++) {
        size_t step = 1;

        ret[i] = 0;
        for (int k = t->n - 1; k >= 0; k--) {
            if (t->scope[k] == all->scope[i])
                ret[i] = step;
            step *= (size_t)work.dom[t->scope[k]];
        }
    }
}

/* The product of n tables, summed over the last variable of `all`, into `to`. */
static void multiply(const table *all, int n, table *const *t, double *to, size_t cells) {
    size_t(*step)[SCOPE] = get((size_t)n, sizeof(*step));
    size_t *at = get((size_t)n, sizeof(*at));
    int count[SCOPE] = {0}, last = all->n - 1;

    for (int k = 0; k < n; k++)
        strides(t[k], all, step[k]);
    for (size_t c = 0; c < cells; c++) {
        for (int i = 0; i < work.dom[all->scope[last]]; i++) {
            double w = 1;

            for (int k = 0; k < n; k++)
                w *= t[k]->v[at[k] + (size_t)i * step[k][last]];
            to[c] += w;
        }
        for (int i = last - 1; i >= 0; i--) {
            bool wraps = ++count[i] == work.dom[all->scope[i]];

            for (int k = 0; k < n; k++)
                at[k] = wraps ? at[k] - step[k][i] * (size_t)(count[i] - 1) : at[k] + step[k][i];
            if (!wraps)
                break;
            count[i] = 0;
        }
    }
    free(step);
    free(at);
}

static void sum_out(int var) {
    table all, *with[4 * PERSONS], result;
    int n = 0, kept = 0;

    if (!neighbours(var, &all))
        die("this family is too entangled", op.markers->name);
    for (int k = 0; k < work.n; k++)
        if (mentions(&work.tables[k], var))
            with[n++] = &work.tables[k];
    result = all;
    result.n--;
    result.v = get(size_of(&result), sizeof(*result.v));
    multiply(&all, n, with, result.v, size_of(&result));
    for (int k = 0; k < work.n; k++) {
        if (mentions(&work.tables[k], var))
            free(work.tables[k].v);
        else
            work.tables[kept++] = work.tables[k];
    }
    work.tables[kept++] = result;
    work.n = kept;
}

/* The variable whose summing makes the smallest table, or -1. */
static int cheapest(int n_vars, int keep) {
    double least = INFINITY;
    int best = -1;

    for (int v = 0; v < n_vars; v++) {
        table all;

        if (work.dom[v] == 0 || v == pat(keep) || v == mat(keep) || !neighbours(v, &all))
            continue;
        if ((double)size_of(&all) < least) {
            least = (double)size_of(&all);
            best = v;
        }
    }
    return best;
}

/* Persons without whom nothing changes: untyped, and without descendants who are kept. */
static void prune(const family *f, int keep) {
    bool again = true;

    for (int i = 0; i < f->n; i++)
        f->persons[i].kept = true;
    while (again) {
        bool parent[PERSONS] = {false};

        again = false;
        for (int i = 0; i < f->n; i++)
            if (f->persons[i].kept && f->persons[i].father >= 0)
                parent[f->persons[i].father] = parent[f->persons[i].mother] = true;
        for (int i = 0; i < f->n; i++)
            if (f->persons[i].kept && !parent[i] && !f->persons[i].seen && i != keep) {
                f->persons[i].kept = false;
                again = true;
            }
    }
}

static void set_up(const family *f) {
    work.n = 0;
    for (int i = 0; i < f->n; i++) {
        const person *p = &f->persons[i];
        bool single = one_copy(work.m, p->sex);

        work.dom[pat(i)] = work.dom[mat(i)] = 0;
        if (!p->kept)
            continue;
        set_domain(mat(i), p, single);
        if (!single)
            set_domain(pat(i), p, single);
    }
    for (int i = 0; i < f->n; i++) {
        if (!f->persons[i].kept)
            continue;
        add_person(f, i);
        if (f->persons[i].seen && f->persons[i].seen[work.m - op.markers].a >= 0)
            add_reading(f, i);
    }
}

/* P(everything typed, the missing person has g) for every g, as cells count them; the sum is
 * returned.  The missing person's variables are never restricted, for nobody typed him or her. */
static double likelihoods(const family *f, int who, double *ret) {
    int n = work.m->n;
    bool single = one_copy(work.m, f->persons[who].sex);
    size_t cells = single ? (size_t)n : (size_t)n * (size_t)n;
    table all = {.n = single ? 2 : 3, .scope = {single ? mat(who) : pat(who), mat(who)}};
    table *t[4 * PERSONS];
    double sum = 0;
    int one = 2 * f->n;

    set_up(f);
    for (int v; (v = cheapest(2 * f->n, who)) >= 0;) {
        sum_out(v);
        work.dom[v] = 0;
    }
    work.dom[one] = 1; /* nothing is left to sum over */
    all.scope[all.n - 1] = one;
    for (int k = 0; k < work.n; k++)
        t[k] = &work.tables[k];
    memset(ret, 0, cells * sizeof(*ret));
    multiply(&all, work.n, t, ret, cells);
    for (int k = 0; k < work.n; k++)
        free(work.tables[k].v);
    for (size_t i = 0; i < cells; i++)
        sum += ret[i];
    return sum;
}

/* ---- comparing ---- */

/* log10 LR of a body and the missing person of one marker. */
static double compare(const body *b, int m, bool man, const double *joint, double sum) {
    double p = 0;

    for (int i = 0; i < b->n_cells[man][m]; i++)
        p += b->cells[man][m][i].w * joint[b->cells[man][m][i].at];
    return log10(p) - log10(sum) - b->log_p[man][m];
}

/* One row of `lr`: each body against this missing person. */
static void compare_all(const family *f, int who, double *lr) {
    static double joint[ALLELES * ALLELES];
    int sex = f->persons[who].sex;

    prune(f, who);
    for (int m = 0; m < op.n_markers; m++) {
        double sum;
        int typed;

        work.m = &op.markers[m];
        typed = 0;
        for (int i = 0; i < f->n; i++)
            typed += f->persons[i].seen && f->persons[i].seen[m].a >= 0;
        sum = work.m->used && typed ? likelihoods(f, who, joint) : 0;
        for (int i = 0; i < op.n_bodies && sum > 0; i++)
            if (!blank(&op.bodies[i], m))
                lr[i] += compare(&op.bodies[i], m, sex == 'M', joint, sum);
    }
    for (int i = 0; i < op.n_bodies; i++)
        if (sex != 'U' && op.bodies[i].sex != 'U' && op.bodies[i].sex != sex)
            lr[i] = -INFINITY;
}

static void print_number(const char *key, double x) {
    printf(isfinite(x) ? ", \"%s\": %.12g" : ", \"%s\": null", key, x);
}

/* P(body is who) where the odds of all the missing and of nobody compete. */
static double posterior(const double *lr, int who) {
    double sum = 1 / op.odds;

    for (int k = 0; k < op.n_missing; k++)
        sum += pow(10, lr[k]);
    return pow(10, lr[who]) / sum;
}

/* `lr`: one value a missing person. */
static void print_body(const body *b, const double *lr, const char *const *names, double floor) {
    int best = 0, truth = -1;

    for (int k = 0; k < op.n_missing; k++) {
        if (lr[k] > lr[best])
            best = k;
        if (b->truth && strcmp(b->truth, names[k]) == 0)
            truth = k;
    }
    printf("{\"body\": \"%s\", \"best\": \"%s\"", b->id, names[best]);
    print_number("log10_lr", lr[best]);
    print_number("posterior", posterior(lr, best));
    if (truth >= 0) {
        printf(", \"truth\": \"%s\"", names[truth]);
        print_number("true_log10_lr", lr[truth]);
        print_number("true_posterior", posterior(lr, truth));
        printf(", \"provable\": %s",
               posterior(lr, truth) >= op.threshold && lr[truth] >= op.least_lr ? "true" : "false");
    }
    if (!isnan(floor)) {
        const char *separator = "";

        printf(", \"pairs\": {");
        for (int k = 0; k < op.n_missing; k++)
            if (lr[k] >= floor) {
                printf("%s\"%s\": %.17g", separator, names[k], lr[k]);
                separator = ", ";
            }
        printf("}");
    }
    printf("}\n");
}

static void compare_everything(void) {
    double *row = get((size_t)op.n_bodies, sizeof(*row));
    size_t n = 0;

    for (int f = 0; f < op.n_families; f++)
        for (int i = 0; i < op.families[f].n; i++) {
            if (!op.families[f].persons[i].missing)
                continue;
            memset(row, 0, (size_t)op.n_bodies * sizeof(*row));
            compare_all(&op.families[f], i, row);
            op.names[n] = op.families[f].persons[i].missing;
            for (int b = 0; b < op.n_bodies; b++)
                op.lr[(size_t)b * (size_t)op.n_missing + n] = row[b];
            n++;
        }
    free(row);
}

int main(int argc, char **argv) {
    double floor = argc > 3 ? strtod(argv[3], NULL) : NAN;

    if (argc < 2 || argc > 4)
        die("usage: provable OPERATION [TRUTH [FLOOR]]", "arguments");
    read_operation(argv[1]);
    if (argc > 2)
        read_truth(argv[2]);
    for (int i = 0; i < op.n_bodies; i++)
        for (int m = 0; m < op.n_markers; m++)
            for (int man = 0; man < 2 && op.markers[m].used; man++)
                explain(&op.bodies[i], m, man);
    op.lr = get((size_t)op.n_missing * (size_t)op.n_bodies, sizeof(*op.lr));
    op.names = get((size_t)op.n_missing, sizeof(*op.names));
    compare_everything();
    for (int i = 0; i < op.n_bodies && op.n_missing; i++)
        print_body(&op.bodies[i], op.lr + (size_t)i * (size_t)op.n_missing, op.names, floor);
    return 0;
}
