/* SPDX-License-Identifier: Apache-2.0 */
#include "dna/elim.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "dna/elim_line.h"
#include "dna/elim_order.h"
#include "dna/scan.h"

enum { SAFE_VARS = 48, CHUNK = 1 << 15, TABLES_STEP = 256 };

/* End of a list of tables. */
static const uint32_t NONE = UINT32_MAX;

typedef struct table {
    const double *cells;
    uint32_t rank;
    bool used;
    uint32_t vars[ELIM_RANK_MAX];
    uint32_t next[ELIM_RANK_MAX]; /* per variable: the next table that has it, see head */
    size_t strides[ELIM_RANK_MAX];
} table;

/* Cells are taken from chunks that are kept from run to run. */
typedef struct chunk {
    struct chunk *next;
    size_t cap;
    double cells[];
} chunk;

struct elim {
    uint32_t n_vars, n_tables, cap_tables, cap_vars;
    uint32_t *dims;
    uint32_t *head; /* per variable: table * ELIM_RANK_MAX + slot of its newest table, or NONE */
    table *tables;
    elim_order *order;
    elim_line *line;
    chunk *chunks, *current;
    size_t used;
    double scale, log_scale;
    bool ordered; /* for the variables and tables as they are */
    int failed;
};

/* One table's part in a sum: where it is and how it steps. */
typedef struct term {
    const double *at;
    size_t sum_step;            /* along the variable that is summed out */
    size_t line_step;           /* along the last variable of the result */
    size_t step[ELIM_RANK_MAX]; /* along those before */
} term;

elim *elim_new(void) {
    elim *e = mem_zero(1, sizeof(*e));
    elim_order *order = elim_order_new();

    if (!e || !order) {
        elim_order_free(order);
        mem_free(e);
        return NULL;
    }
    e->scale = 1;
    e->order = order;
    e->line = scan_has_avx2() ? elim_line_avx2 : elim_line_portable;
    return e;
}

void elim_free(elim *e) {
    if (!e)
        return;
    for (chunk *c = e->chunks, *next; c; c = next) {
        next = c->next;
        mem_free(c);
    }
    elim_order_free(e->order);
    mem_free(e->dims);
    mem_free(e->head);
    mem_free(e->tables);
    mem_free(e);
}

void elim_reset(elim *e) {
    e->n_vars = e->n_tables = 0;
    e->current = e->chunks;
    e->used = 0;
    e->scale = 1;
    e->log_scale = 0;
    e->ordered = false;
    e->failed = 0;
}

/* The first failure stays: what follows it may work on nonsense. */
static void fail(elim *e, int rc) {
    if (!e->failed)
        e->failed = rc;
}

uint32_t elim_var(elim *e, uint32_t dim) {
    if (e->n_vars == ELIM_VARS_MAX) {
        fail(e, ATG_ELIMIT);
        return 0;
    }
    if (e->n_vars == e->cap_vars) {
        uint32_t cap = e->cap_vars ? e->cap_vars * 2 : 64;
        uint32_t *dims = mem_grow(e->dims, cap * sizeof(*dims));

        if (dims)
            e->dims = dims;

        uint32_t *head = mem_grow(e->head, cap * sizeof(*head));

        if (head)
            e->head = head;
        if (!dims || !head) {
            fail(e, ATG_ENOMEM);
            return 0;
        }
        e->cap_vars = cap;
    }
    e->ordered = false;
    e->dims[e->n_vars] = dim;
    e->head[e->n_vars] = NONE;
    return e->n_vars++;
}

static double *get_cells(elim *e, size_t n) {
    while (e->current && e->current->cap - e->used < n && e->current->next) {
        e->current = e->current->next;
        e->used = 0;
    }
    if (!e->current || e->current->cap - e->used < n) {
        size_t cap = n > CHUNK ? n : CHUNK;
        chunk *c = mem_alloc(sizeof(*c) + (cap + ELIM_LINE_SLACK) * sizeof(double));

        if (!c)
            return NULL;
        *c = (chunk){.next = NULL, .cap = cap};
        if (e->current)
            e->current->next = c;
        else
            e->chunks = c;
        e->current = c;
        e->used = 0;
    }

    double *p = e->current->cells + e->used;

    e->used += n;
    return p;
}

/* Room for one more table; its index, or -1. */
static int add_table(elim *e) {
    if (e->n_tables == e->cap_tables) {
        uint32_t cap = e->cap_tables + TABLES_STEP;
        table *t = mem_grow(e->tables, cap * sizeof(*t));

        if (!t) {
            fail(e, ATG_ENOMEM);
            return -1;
        }
        e->tables = t;
        e->cap_tables = cap;
    }
    return (int)e->n_tables++;
}

/* A table without cells yet; *ret_n: how many it takes. */
static table *new_table(elim *e, uint32_t rank, const uint32_t *vars, size_t *ret_n) {
    int at = e->failed ? -1 : add_table(e);
    size_t n = 1;

    if (at < 0)
        return NULL;

    table *t = &e->tables[at];

    t->used = false;
    t->rank = rank;
    for (uint32_t i = rank; i-- > 0;) {
        t->vars[i] = vars[i];
        t->strides[i] = n;
        n *= e->dims[vars[i]];
        if (n > ELIM_TABLE_MAX) {
            fail(e, ATG_ELIMIT);
            return NULL;
        }
    }
    for (uint32_t i = 0; i < rank; i++) {
        t->next[i] = e->head[vars[i]];
        e->head[vars[i]] = (uint32_t)at * ELIM_RANK_MAX + i;
    }
    *ret_n = n;
    return t;
}

double *elim_table(elim *e, uint32_t rank, const uint32_t *vars) {
    size_t n;
    table *t = new_table(e, rank, vars, &n);
    double *cells = t ? get_cells(e, n) : NULL;

    if (t && !cells)
        fail(e, ATG_ENOMEM);
    if (t)
        t->cells = cells;
    return cells;
}

void elim_table_again(elim *e, uint32_t rank, const uint32_t *vars, const double *cells) {
    size_t n;
    table *t = new_table(e, rank, vars, &n);

    if (t)
        t->cells = cells;
}

void elim_scale(elim *e, double x) {
    e->scale *= x;
    if (e->scale < 1e-100 && e->scale > 0) {
        e->log_scale += log(e->scale);
        e->scale = 1;
    }
}

static size_t stride_of(const table *t, uint32_t var) {
    for (uint32_t i = 0; i < t->rank; i++)
        if (t->vars[i] == var)
            return t->strides[i];
    return 0;
}

enum { TERMS_MAX = 512 };

/* One variable summed out of the product of its tables.  Lines of the result are along its last
 * variable; terms that do not step along it are multiplied to weights once a line. */
typedef struct sum {
    uint32_t n_outer; /* variables of the result before the last */
    uint32_t dims[ELIM_RANK_MAX];
    uint32_t lines, dim; /* of the last variable, and of the one summed out */
    uint32_t n_flat, n_steep;
    elim_line *line;
    term *flat, *steep; /* both in terms: flat ones from its begin, steep ones up to its end */
    term terms[TERMS_MAX];
    elim_weights still, moving; /* without and with the terms that step from line to line */
} sum;

/* What one term makes of the weights that there are; what becomes 0 is left out. */
static void weigh(const elim_weights *from, const term *x, elim_weights *to) {
    uint32_t n = 0;

    for (uint32_t i = 0; i < from->n; i++) {
        uint32_t t = from->at[i];

        to->w[n] = from->w[i] * x->at[t * x->sum_step];
        to->at[n] = t;
        n += to->w[n] > 0;
    }
    to->n = n;
}

static void weigh_first(uint32_t dim, const term *x, elim_weights *to) {
    uint32_t n = 0;

    for (uint32_t t = 0; t < dim; t++) {
        to->w[n] = x ? x->at[t * x->sum_step] : 1;
        to->at[n] = t;
        n += to->w[n] > 0;
    }
    to->n = n;
}

void elim_line_portable(const elim_weights *weights, const double *p, size_t step, uint32_t lines,
                        double *out) {
    elim_line_sum(weights, p, step, lines, out);
}

static void add_one(double x, const double *p, size_t step, uint32_t lines, double *restrict out) {
    for (uint32_t l = 0; l < lines; l++)
        out[l] += x * p[l * step];
}

/* out[l] += x * p[l] * q[l]; steps of 1 are the common case and worth a loop of their own. */
static void add_two(double x, const double *p, size_t step_p, const double *q, size_t step_q,
                    uint32_t lines, double *restrict out) {
    if (step_p == 1 && step_q == 1)
        for (uint32_t l = 0; l < lines; l++)
            out[l] += x * p[l] * q[l];
    else
        for (uint32_t l = 0; l < lines; l++)
            out[l] += x * p[l * step_p] * q[l * step_q];
}

static void add_many(const sum *s, double x, uint32_t t, double *restrict out) {
    for (uint32_t l = 0; l < s->lines; l++) {
        double y = x;

        for (uint32_t k = 0; k < s->n_steep && y != 0; k++)
            y *= s->steep[k].at[l * s->steep[k].line_step + t * s->steep[k].sum_step];
        out[l] += y;
    }
}

/* out[l] = sum over t of its weight * the steep terms at (l, t). */
static void sum_line(const sum *s, const elim_weights *weights, double *out) {
    const term *x = s->steep, *y = s->steep + 1;

    for (uint32_t l = 0; l < s->lines; l++)
        out[l] = 0;
    for (uint32_t i = 0; i < weights->n; i++) {
        uint32_t t = weights->at[i];
        double w = weights->w[i];

        if (s->n_steep == 1)
            add_one(w, x->at + t * x->sum_step, x->line_step, s->lines, out);
        else if (s->n_steep == 2)
            add_two(w, x->at + t * x->sum_step, x->line_step, y->at + t * y->sum_step, y->line_step,
                    s->lines, out);
        else
            add_many(s, w, t, out);
    }
}

/* One line of the result. */
static void add_line(const sum *s, const elim_weights *weights, double *out) {
    if (s->n_steep == 1 && s->steep[0].line_step == 1)
        s->line(weights, s->steep[0].at, s->steep[0].sum_step, s->lines, out);
    else
        sum_line(s, weights, out);
}

static void move_on(term *terms, uint32_t n, uint32_t var) {
    for (uint32_t k = 0; k < n; k++)
        terms[k].at += terms[k].step[var];
}

static void move_back(term *terms, uint32_t n, uint32_t var, uint32_t steps) {
    for (uint32_t k = 0; k < n; k++)
        terms[k].at -= terms[k].step[var] * steps;
}

/* On to the next line along the first n variables; false after the last one. */
static bool next_line(sum *s, uint32_t n, uint32_t *index) {
    for (uint32_t i = n; i-- > 0;) {
        if (++index[i] < s->dims[i]) {
            move_on(s->flat, s->n_flat, i);
            move_on(s->steep, s->n_steep, i);
            return true;
        }
        index[i] = 0;
        move_back(s->flat, s->n_flat, i, s->dims[i] - 1);
        move_back(s->steep, s->n_steep, i, s->dims[i] - 1);
    }
    return false;
}

/* Flat terms that do not step along the variable before the last go first; returns how many. */
static uint32_t still_first(sum *s, uint32_t var) {
    uint32_t n = 0;

    for (uint32_t k = 0; k < s->n_flat; k++)
        if (s->flat[k].step[var] == 0) {
            term t = s->flat[n];

            s->flat[n++] = s->flat[k];
            s->flat[k] = t;
        }
    return n;
}

/* The lines along the variable before the last, from what the terms that stand still there weigh.
 */
static void add_lines(sum *s, uint32_t n_still, double *out) {
    uint32_t last = s->n_outer - 1;

    for (uint32_t i = 0; i < s->dims[last]; i++) {
        const elim_weights *weights = &s->still;

        for (uint32_t k = n_still; k < s->n_flat; k++) {
            weigh(weights, &s->flat[k], &s->moving);
            weights = &s->moving;
        }
        add_line(s, weights, out);
        out += s->lines;
        move_on(s->flat + n_still, s->n_flat - n_still, last);
        move_on(s->steep, s->n_steep, last);
    }
    move_back(s->flat + n_still, s->n_flat - n_still, last, s->dims[last]);
    move_back(s->steep, s->n_steep, last, s->dims[last]);
}

/* All cells of the result. */
static void add_up(sum *s, double *out) {
    uint32_t index[ELIM_RANK_MAX] = {0}, last = s->n_outer ? s->n_outer - 1 : 0;
    uint32_t n_still = s->n_outer ? still_first(s, last) : s->n_flat;
    size_t lines = s->n_outer ? s->dims[last] : 1;

    do {
        weigh_first(s->dim, n_still ? &s->flat[0] : NULL, &s->still);
        for (uint32_t k = 1; k < n_still; k++)
            weigh(&s->still, &s->flat[k], &s->still);
        if (s->still.n == 0)
            memset(out, 0, lines * s->lines * sizeof(*out));
        else if (s->n_outer)
            add_lines(s, n_still, out);
        else
            add_line(s, &s->still, out);
        out += lines * s->lines;
    } while (next_line(s, last, index));
}

/* The longest variable goes last, so that inner loops are long. */
static void longest_last(const elim *e, uint32_t rank, uint32_t *vars) {
    uint32_t longest = 0;

    for (uint32_t i = 0; i < rank; i++)
        if (e->dims[vars[i]] >= e->dims[vars[longest]])
            longest = i;
    if (rank) {
        uint32_t u = vars[longest];

        vars[longest] = vars[rank - 1];
        vars[rank - 1] = u;
    }
}

/* A sum over a variable of `dim` values, of no table yet. */
static void start_sum(const elim *e, uint32_t rank, const uint32_t *vars, uint32_t dim, sum *s) {
    s->line = e->line;
    s->n_flat = s->n_steep = 0;
    s->still.n = s->moving.n = 0;
    s->flat = s->terms;
    s->steep = s->terms + TERMS_MAX;
    s->n_outer = rank ? rank - 1 : 0;
    s->lines = rank ? e->dims[vars[rank - 1]] : 1;
    s->dim = dim;
    for (uint32_t i = 0; i < s->n_outer; i++)
        s->dims[i] = e->dims[vars[i]];
}

/* One more factor, which is then used up.  Returns false when there are too many. */
static bool add_term(sum *s, table *t, size_t sum_step, uint32_t rank, const uint32_t *vars) {
    size_t line_step = rank ? stride_of(t, vars[rank - 1]) : 0;
    term *x;

    if (s->n_flat + s->n_steep == TERMS_MAX)
        return false;
    t->used = true;
    x = line_step ? --s->steep : &s->flat[s->n_flat];
    s->n_flat += !line_step;
    s->n_steep += line_step != 0;
    x->at = t->cells;
    x->sum_step = sum_step;
    x->line_step = line_step;
    for (uint32_t i = 0; i + 1 < rank; i++)
        x->step[i] = stride_of(t, vars[i]);
    return true;
}

/* Set up the sum of all tables that have v.  Returns false when there are too many. */
static bool gather(elim *e, uint32_t v, uint32_t rank, const uint32_t *vars, sum *s) {
    start_sum(e, rank, vars, e->dims[v], s);
    for (uint32_t at = e->head[v]; at != NONE;) {
        table *t = &e->tables[at / ELIM_RANK_MAX];
        uint32_t slot = at % ELIM_RANK_MAX;

        at = t->next[slot];
        if (!t->used && !add_term(s, t, t->strides[slot], rank, vars))
            return false;
    }
    return true;
}

/* Keep numbers away from underflow on very large pedigrees; small ones cannot come near it. */
static void rescale(elim *e, double *cells, size_t n) {
    double max = 0;

    if (e->n_vars < SAFE_VARS)
        return;
    for (size_t i = 0; i < n; i++)
        max = cells[i] > max ? cells[i] : max;
    if (max >= 1e-20 || max == 0)
        return;
    for (size_t i = 0; i < n; i++)
        cells[i] /= max;
    e->log_scale += log(max);
}

static int sum_out(elim *e, const elim_step *step, sum *s, atg_err *err) {
    uint32_t vars[ELIM_RANK_MAX];
    size_t n = 1;

    memcpy(vars, step->near, step->rank * sizeof(*vars));
    longest_last(e, step->rank, vars);
    if (!gather(e, step->var, step->rank, vars, s))
        return atg_fail(err, ATG_ELIMIT, "A person has more than %d children", TERMS_MAX / 2);

    double *out = elim_table(e, step->rank, vars);

    if (!out)
        return atg_fail(err, e->failed, "Out of memory computing a likelihood");
    for (uint32_t i = 0; i < step->rank; i++)
        n *= e->dims[vars[i]];
    add_up(s, out);
    if (step->rank == 0) {
        e->tables[e->n_tables - 1].used = true;
        elim_scale(e, out[0]);
    } else {
        rescale(e, out, n);
    }
    return ATG_OK;
}

/* Tell the order which variables stand together in a table. */
static int find_order(elim *e, uint32_t n_keep, const uint32_t *keep) {
    int rc = elim_order_start(e->order, e->n_vars, e->dims);

    for (uint32_t k = 0; k < e->n_tables && !rc; k++)
        elim_order_together(e->order, e->tables[k].rank, e->tables[k].vars);
    if (!rc)
        rc = elim_order_find(e->order, n_keep, keep);
    e->ordered = !rc;
    e->failed = rc;
    return rc;
}

double elim_cost(elim *e, uint32_t n_keep, const uint32_t *keep) {
    double cost = 0;

    if (e->failed || find_order(e, n_keep, keep))
        return 0;
    for (uint32_t i = 0; i < elim_order_steps(e->order); i++)
        cost += elim_order_step(e->order, i)->cost;
    return cost;
}

/* What is left has kept variables only: the product of those tables. */
static int finish(elim *e, uint32_t n_keep, const uint32_t *keep, sum *s, double *ret,
                  atg_err *err) {
    size_t n = 1;
    double *cells;

    start_sum(e, n_keep, keep, 1, s);
    for (uint32_t k = 0; k < e->n_tables; k++)
        if (!e->tables[k].used && !add_term(s, &e->tables[k], 0, n_keep, keep))
            return atg_fail(err, ATG_ELIMIT, "A person is in more than %d tables", TERMS_MAX);
    for (uint32_t i = 0; i < n_keep; i++)
        n *= e->dims[keep[i]];
    cells = get_cells(e, n);
    if (!cells)
        return atg_fail(err, ATG_ENOMEM, "Out of memory computing a likelihood");
    add_up(s, cells);
    for (size_t c = 0; c < n; c++)
        ret[c] = cells[c] * e->scale;
    return ATG_OK;
}

/* Refuse at once what would not end well: too large a table, or too many cells together. */
static int check_order(const elim *e, atg_err *err) {
    double together = 0;

    for (uint32_t i = 0; i < elim_order_steps(e->order); i++) {
        const elim_step *step = elim_order_step(e->order, i);

        together += step->cost / e->dims[step->var];
        if (step->rank > ELIM_RANK_MAX || step->cost > ELIM_TABLE_MAX ||
            together > ELIM_TABLE_MAX || e->dims[step->var] > ELIM_DIM_MAX)
            return atg_fail(err, ATG_ELIMIT,
                            "The pedigree is too entangled for an exact likelihood: a table of "
                            "%.3g cells would be needed, and the limit is %d",
                            fmax(step->cost, together), ELIM_TABLE_MAX);
    }
    return ATG_OK;
}

int elim_run(elim *e, uint32_t n_keep, const uint32_t *keep, double *ret, double *ret_log,
             atg_err *err) {
    sum work;

    if (e->failed == ATG_ELIMIT)
        return atg_fail(err, ATG_ELIMIT, "The pedigree is too large for an exact likelihood");
    if (e->failed || (!e->ordered && find_order(e, n_keep, keep)))
        return atg_fail(err, ATG_ENOMEM, "Out of memory computing a likelihood");

    int rc = check_order(e, err);

    for (uint32_t i = 0; i < elim_order_steps(e->order) && !rc; i++) {
        const elim_step *step = elim_order_step(e->order, i);

        if (e->head[step->var] == NONE) /* in no table: summing counts its values */
            elim_scale(e, e->dims[step->var]);
        else
            rc = sum_out(e, step, &work, err);
    }
    if (!rc)
        rc = finish(e, n_keep, keep, &work, ret, err);
    if (!rc)
        *ret_log = e->log_scale;
    return rc;
}
