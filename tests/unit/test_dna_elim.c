/* SPDX-License-Identifier: Apache-2.0 */
/* Sums of products of tables against going through every combination, and what happens when a sum
 * is too large. */
#include "testing.h"

#include "dna/elim.h"
#include "dna/elim_line.h"
#include "dna/scan.h"
#include "prop.h"

enum { SEEDS = 300, VARS = 8, TABLES = 10, RANK = 4, CELLS = 4096 };

typedef struct graph {
    uint32_t n_vars, n_tables, dims[VARS];
    uint32_t rank[TABLES], vars[TABLES][RANK];
    double cells[TABLES][256];
} graph;

static void make_graph(prop *p, graph *g) {
    g->n_vars = 1 + prop_below(p, VARS);
    g->n_tables = prop_below(p, TABLES);
    for (uint32_t v = 0; v < g->n_vars; v++)
        g->dims[v] = 1 + prop_below(p, 4);
    for (uint32_t t = 0; t < g->n_tables; t++) {
        uint32_t n = 1;

        g->rank[t] = prop_below(p, g->n_vars < RANK ? g->n_vars + 1 : RANK + 1);
        for (uint32_t i = 0; i < g->rank[t]; i++) {
            bool fresh = false;

            while (!fresh) {
                g->vars[t][i] = prop_below(p, g->n_vars);
                fresh = true;
                for (uint32_t j = 0; j < i; j++)
                    fresh &= g->vars[t][j] != g->vars[t][i];
            }
            n *= g->dims[g->vars[t][i]];
        }
        for (uint32_t c = 0; c < n; c++)
            g->cells[t][c] = prop_chance(p, 0.2) ? 0 : atg_rng_unit(&p->rng);
    }
}

static void build(elim *e, const graph *g) {
    elim_reset(e);
    for (uint32_t v = 0; v < g->n_vars; v++)
        assert_int_equal(elim_var(e, g->dims[v]), v);
    for (uint32_t t = 0; t < g->n_tables; t++) {
        double *cells = elim_table(e, g->rank[t], g->vars[t]);
        uint32_t n = 1;

        assert_non_null(cells);
        for (uint32_t i = 0; i < g->rank[t]; i++)
            n *= g->dims[g->vars[t][i]];
        for (uint32_t c = 0; c < n; c++)
            cells[c] = g->cells[t][c];
    }
}

static void by_hand(const graph *g, uint32_t n_keep, double *ret) {
    uint32_t value[VARS] = {0};

    memset(ret, 0, CELLS * sizeof(*ret));
    for (;;) {
        double product = 1;
        uint32_t at = 0, v = g->n_vars;

        for (uint32_t t = 0; t < g->n_tables; t++) {
            uint32_t c = 0;

            for (uint32_t i = 0; i < g->rank[t]; i++)
                c = c * g->dims[g->vars[t][i]] + value[g->vars[t][i]];
            product *= g->cells[t][c];
        }
        for (uint32_t k = 0; k < n_keep; k++)
            at = at * g->dims[k] + value[k];
        ret[at] += product;
        while (v > 0 && ++value[v - 1] == g->dims[v - 1])
            value[--v] = 0;
        if (v == 0)
            return;
    }
}

static void sums_are_those_over_every_combination(void **state) {
    elim *e = elim_new();

    (void)state;
    assert_non_null(e);
    for (PROP_EACH(p, SEEDS)) {
        double want[CELLS], got[CELLS], log = 0;
        uint32_t keep[VARS], n_keep, n = 1;
        graph g = {0};
        atg_err err = {0};

        make_graph(&p, &g);
        n_keep = prop_below(&p, g.n_vars + 1);
        for (uint32_t k = 0; k < n_keep; k++) {
            keep[k] = k;
            n *= g.dims[k];
        }
        if (n > CELLS)
            continue;
        build(e, &g);
        prop_ok(&p, elim_run(e, n_keep, keep, got, &log, &err), &err);
        by_hand(&g, n_keep, want);
        for (uint32_t c = 0; c < n; c++)
            prop_close(&p, "a cell", got[c] * exp(log), want[c], 1e-12);
    }
    elim_free(e);
    elim_free(NULL);
}

/* A star of chains of tiny numbers: far below the smallest double, with all their digits. */
static void tiny_numbers_do_not_vanish(void **state) {
    enum { ARMS = 8, LENGTH = 40 };
    static const double tiny = 1e-30;
    elim *e = elim_new();
    double got = 0, log_got = 0;
    atg_err err = {0};

    (void)state;
    assert_non_null(e);

    uint32_t centre = elim_var(e, 2);

    for (int a = 0; a < ARMS; a++) {
        uint32_t before = centre;

        for (int i = 0; i < LENGTH; i++) {
            uint32_t now = elim_var(e, 2);
            double *cells = elim_table(e, 2, (uint32_t[]){before, now});

            assert_non_null(cells);
            for (int c = 0; c < 4; c++)
                cells[c] = c == 0 || c == 3 ? 3 * tiny : tiny;
            before = now;
        }
    }
    assert_int_equal(elim_run(e, 0, NULL, &got, &log_got, &err), ATG_OK);
    /* each step multiplies by the row sum, 4e-30; the centre has two values */
    assert_true(fabs(log(got) + log_got - (log(2) + ARMS * LENGTH * log(4 * tiny))) < 1e-8);
    elim_free(e);
}

/* Every pair of 40 variables of 8 values in a table: no order helps. */
static void a_sum_that_is_too_large_is_refused_before_it_is_begun(void **state) {
    enum { N = 40 };
    elim *e = elim_new();
    atg_err err = {0};
    double ret = 0, log = 0;

    (void)state;
    assert_non_null(e);
    for (uint32_t i = 0; i < N; i++)
        (void)elim_var(e, 8);
    for (uint32_t i = 0; i < N; i++)
        for (uint32_t j = 0; j < i; j++) {
            double *cells = elim_table(e, 2, (uint32_t[]){i, j});

            for (int c = 0; c < 64; c++)
                cells[c] = 1;
        }
    assert_int_equal(elim_run(e, 0, NULL, &ret, &log, &err), ATG_ELIMIT);
    assert_non_null(strstr(err.msg, "too entangled"));
    elim_reset(e); /* and it can be used again */
    (void)elim_var(e, 3);
    assert_int_equal(elim_run(e, 0, NULL, &ret, &log, &err), ATG_OK);
    assert_true(ret * exp(log) == 3);
    elim_free(e);
}

static void too_many_variables_are_remembered(void **state) {
    elim *e = elim_new();
    atg_err err = {0};
    double ret = 0, log = 0;

    (void)state;
    assert_non_null(e);
    for (uint32_t i = 0; i <= ELIM_VARS_MAX; i++)
        (void)elim_var(e, 2);
    assert_null(elim_table(e, 1, (uint32_t[]){0}));
    assert_int_equal(elim_run(e, 0, NULL, &ret, &log, &err), ATG_ELIMIT);
    elim_free(e);
}

/* A line of up to 40 cells, with some weights left out. */
static void the_wide_sum_is_the_portable_one(void **state) {
    enum { LINES = 40, DIM = 9, STEP = LINES + ELIM_LINE_SLACK };
    double cells[DIM * STEP], wide[STEP], portable[STEP];
    elim_weights *weights = calloc(1, sizeof(*weights));

    (void)state;
    assert_non_null(weights);
    for (PROP_EACH(p, SEEDS)) {
        uint32_t lines = 1 + prop_below(&p, LINES);

        weights->n = 0;
        for (uint32_t t = 0; t < DIM; t++) {
            weights->at[weights->n] = t;
            weights->w[weights->n] = atg_rng_unit(&p.rng);
            weights->n += !prop_chance(&p, 0.3);
        }
        for (uint32_t c = 0; c < DIM * STEP; c++)
            cells[c] = atg_rng_unit(&p.rng);
        elim_line_portable(weights, cells, STEP, lines, portable);
        (scan_has_avx2() ? elim_line_avx2 : elim_line_portable)(weights, cells, STEP, lines, wide);
        assert_memory_equal(wide, portable, lines * sizeof(*wide));
        for (uint32_t l = 0; l < lines; l++) {
            double sum = 0;

            for (uint32_t i = 0; i < weights->n; i++)
                sum += weights->w[i] * cells[weights->at[i] * STEP + l];
            assert_true(portable[l] == sum);
        }
    }
    free(weights);
}

/* A chain of one matrix, given once. */
static void a_table_given_again_counts_again(void **state) {
    enum { N = 3, LENGTH = 4 };
    static const double step[N * N] = {0.5, 0.25, 0, 0.125, 1, 2, 0.75, 0, 3};
    double want[N] = {1, 1, 1}, got[N], log = 0;
    elim *e = elim_new();
    const double *given = NULL;
    uint32_t before = 0;
    atg_err err = {0};

    (void)state;
    assert_non_null(e);
    (void)elim_var(e, N);
    for (int k = 0; k < LENGTH; k++) {
        uint32_t vars[2] = {before, elim_var(e, N)};
        double next[N] = {0};

        if (given) {
            elim_table_again(e, 2, vars, given);
        } else {
            double *cells = elim_table(e, 2, vars);

            assert_non_null(cells);
            memcpy(cells, step, sizeof(step));
            given = cells;
        }
        for (int i = 0; i < N * N; i++)
            next[i / N] += step[i] * want[i % N];
        memcpy(want, next, sizeof(want));
        before = vars[1];
    }
    assert_int_equal(elim_run(e, 1, (uint32_t[]){0}, got, &log, &err), ATG_OK);
    for (int i = 0; i < N; i++)
        assert_true(fabs(got[i] * exp(log) / want[i] - 1) < 1e-14);
    elim_free(e);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_those_over_every_combination),
        cmocka_unit_test(tiny_numbers_do_not_vanish),
        cmocka_unit_test(a_sum_that_is_too_large_is_refused_before_it_is_begun),
        cmocka_unit_test(too_many_variables_are_remembered),
        cmocka_unit_test(the_wide_sum_is_the_portable_one),
        cmocka_unit_test(a_table_given_again_counts_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
