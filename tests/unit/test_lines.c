/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include <antigone/lineage.h>
#include <math.h>

enum { A1, A2, XM, AMEL, Y1, Y2, MARKERS, OTHERS = 40 };
enum { FATHER, MOTHER, MISSING, BROTHER, PERSONS };
enum { AUTOSOMAL, X_LINE, AMELOGENIN, Y_LINE, MT_LINE, LINES };

static const double freqs[4] = {0.4, 0.3, 0.2, 0.1};
static const double halves[2] = {0.5, 0.5};
static const atg_str labels[4] = {{"15", 2}, {"16", 2}, {"17", 2}, {"18", 2}};
static const atg_str xy[2] = {{"X", 1}, {"Y", 1}};
static const int16_t tenths[4] = {150, 160, 170, 180};
static const struct atg_mt_range control = {16024, 16365};
static const atg_str one_diff[3] = {{"16126C", 6}, {"16189C", 6}, {"16311C", 6}};

typedef struct world {
    atg_marker markers[MARKERS];
    atg_geno father[MARKERS], mother[MARKERS], brother[MARKERS], body[MARKERS];
    atg_geno others[OTHERS][MARKERS];
    char ids[OTHERS][8];
    atg_sample samples[OTHERS + 1]; /* the body first */
    atg_person persons[PERSONS];
    uint32_t listed;
    atg_family family;
    atg_missing missing;
    atg_operation op;
} world;

static void untype(atg_geno *genos) {
    for (int m = 0; m < MARKERS; m++)
        genos[m] = ATG_UNTYPED;
}

static void make_markers(world *w) {
    static const char *const names[MARKERS] = {"TH01", "FGA", "DXS7132", "AMEL", "DYS391", "DYS19"};

    for (int m = 0; m < MARKERS; m++)
        w->markers[m] = (atg_marker){.name = atg_str_of(names[m]),
                                     .chrom = m == XM     ? ATG_CHROM_X
                                              : m == AMEL ? ATG_CHROM_AMELOGENIN
                                              : m >= Y1   ? ATG_CHROM_Y
                                                          : ATG_CHROM_AUTOSOMAL,
                                     .n = m == AMEL ? 2 : 4,
                                     .labels = m == AMEL ? xy : labels,
                                     .freqs = m == AMEL ? halves : freqs,
                                     .tenths = tenths,
                                     .silent = -1,
                                     .linked_to = -1};
    w->markers[A2].male = w->markers[A2].female =
        (atg_mutation){.model = ATG_MUT_EQUAL, .rate = 0.003};
}

static void make_world(world *w) {
    memset(w, 0, sizeof(*w));
    make_markers(w);
    untype(w->father);
    untype(w->mother);
    untype(w->brother);
    untype(w->body);
    for (int i = 0; i < PERSONS; i++)
        w->persons[i] = (atg_person){.father = i >= MISSING ? FATHER : -1,
                                     .mother = i >= MISSING ? MOTHER : -1,
                                     .sex = i == MOTHER ? ATG_SEX_FEMALE : ATG_SEX_MALE};
    w->persons[FATHER].id = ATG_STR("father");
    w->persons[MOTHER].id = ATG_STR("mother");
    w->persons[BROTHER].id = ATG_STR("brother");
    w->samples[0] = (atg_sample){.id = ATG_STR("body"), .sex = ATG_SEX_MALE, .genos = w->body};
    for (int i = 0; i < OTHERS; i++) {
        untype(w->others[i]);
        w->others[i][Y1] = (atg_geno){3, 3};
        w->others[i][Y2] = (atg_geno){3, 3};
        w->ids[i][0] = 'o';
        w->ids[i][1] = (char)('A' + i);
        w->samples[i + 1] = (atg_sample){
            .id = {w->ids[i], 2}, .genos = w->others[i], .mt = {1, &control, 1, &one_diff[2]}};
    }
    w->missing = (atg_missing){ATG_STR("son"), 0, MISSING};
    w->family = (atg_family){
        .id = ATG_STR("F"), .ped = {PERSONS, w->persons}, .n_missing = 1, .missing = &w->listed};
    w->op = (atg_operation){.params = atg_params_default(),
                            .n_markers = MARKERS,
                            .markers = w->markers,
                            .n_samples = OTHERS + 1,
                            .samples = w->samples,
                            .n_families = 1,
                            .families = &w->family,
                            .n_missing = 1,
                            .missing = &w->missing};
    w->op.params.population = ATG_STR("Testland");
    w->op.params.min_freq = 0.001;
}

static atg_evidence explain(atg_arena *arena, const world *w, int line) {
    uint32_t n;
    const atg_line *const *lines = atg_lines(&n);
    atg_evidence e = {0};
    void *compiled;

    assert_int_equal(n, LINES);
    assert_int_equal(lines[line]->compile(arena, &w->op, 0, &compiled, NULL), ATG_OK);
    assert_int_equal(lines[line]->explain(arena, &w->op, compiled, 0, &w->samples[0], &e, NULL),
                     ATG_OK);
    assert_true(e.reason.n > 0);
    if (lines[line]->rank == ATG_LINE_LEAD)
        assert_true(fabs(e.log10_lr) <= lines[line]->ceiling);
    return e;
}

static void expect(atg_evidence e, atg_finding finding, double log10_lr, const char *reason) {
    if (e.finding != finding || !strstr(e.reason.p, reason))
        fail_msg("finding %d: %s", (int)e.finding, e.reason.p);
    if (fabs(e.log10_lr - log10_lr) > 1e-9)
        fail_msg("log10 LR %.12g is not %.12g", e.log10_lr, log10_lr);
}

static void lines_that_have_nothing_say_so(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 22);
    world w;

    (void)state;
    make_world(&w);
    expect(explain(arena, &w, AUTOSOMAL), ATG_FINDING_NONE, 0, "No marker was typed both");
    expect(explain(arena, &w, X_LINE), ATG_FINDING_NONE, 0, "No marker was typed both");
    expect(explain(arena, &w, AMELOGENIN), ATG_FINDING_NONE, 0, "not read");
    expect(explain(arena, &w, Y_LINE), ATG_FINDING_NONE, 0, "No typed relative");
    expect(explain(arena, &w, MT_LINE), ATG_FINDING_NONE, 0, "No typed relative");
}

static void an_own_sample_is_told_as_a_direct_comparison(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 22);
    atg_geno seen[MARKERS];
    atg_own own = {.id = ATG_STR("brush"), .genos = seen};
    world w;

    (void)state;
    make_world(&w);
    untype(seen);
    w.persons[MISSING].own = &own;
    w.persons[MISSING].n_own = 1;
    w.body[A1] = seen[A1] = (atg_geno){2, 3};
    expect(explain(arena, &w, AUTOSOMAL), ATG_FINDING_SUPPORTS, -log10(2 * 0.2 * 0.1),
           "1 marker compared, 1 directly with an own sample");
    seen[A1] = (atg_geno){0, 0};
    own.dropout = 0.1;
    assert_int_equal(explain(arena, &w, AUTOSOMAL).finding, ATG_FINDING_CONTRADICTS);
    own.dropout = 0;
    w.body[Y1] = seen[Y1] = (atg_geno){1, 1};
    w.body[Y2] = seen[Y2] = (atg_geno){2, 2};
    assert_int_equal(explain(arena, &w, Y_LINE).finding, ATG_FINDING_SUPPORTS);
    assert_non_null(strstr(explain(arena, &w, Y_LINE).reason.p, "the own sample brush of "));
    seen[Y2] = (atg_geno){0, 0};
    expect(explain(arena, &w, Y_LINE), ATG_FINDING_CONTRADICTS, -2, "2 steps");
    w.samples[0].mt = own.mt = (atg_mt){1, &control, 1, &one_diff[0]};
    assert_int_equal(explain(arena, &w, MT_LINE).finding, ATG_FINDING_SUPPORTS);
}

static void autosomal_markers_are_primary_and_give_the_pedigree_lr(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 22);
    atg_evidence e;
    world w;

    (void)state;
    make_world(&w);
    w.persons[FATHER].genos = w.father;
    w.father[A1] = w.body[A1] = (atg_geno){3, 3};
    e = explain(arena, &w, AUTOSOMAL);
    expect(e, ATG_FINDING_SUPPORTS, 1, "10 times more probable");
    assert_true(e.lower == e.log10_lr && e.upper == e.log10_lr);
    assert_string_equal(e.table.p, "population Testland, theta 0, minimum frequency 0.001");
    w.body[A1] = (atg_geno){2, 2};
    e = explain(arena, &w, AUTOSOMAL);
    assert_true(isinf(e.log10_lr) && e.log10_lr < 0);
    assert_int_equal(e.finding, ATG_FINDING_CONTRADICTS);
    assert_non_null(strstr(e.reason.p, "Impossible at TH01"));
    w.body[A1] = ATG_UNTYPED;
    w.father[A2] = (atg_geno){3, 3};
    w.body[A2] = (atg_geno){2, 2};
    e = explain(arena, &w, AUTOSOMAL);
    assert_true(isfinite(e.log10_lr) && e.log10_lr < -1);
    assert_non_null(strstr(e.reason.p, "a mutation is needed at FGA"));
    assert_non_null(strstr(e.reason.p, "less probable"));
    w.samples[0].mixture = true;
    expect(explain(arena, &w, AUTOSOMAL), ATG_FINDING_NONE, 0, "mixture");
}

static void x_markers_are_a_line_of_their_own(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 22);
    world w;

    (void)state;
    make_world(&w);
    w.persons[MOTHER].genos = w.mother;
    w.mother[XM] = w.body[XM] = (atg_geno){3, 3};
    w.mother[A1] = w.body[A1] = (atg_geno){2, 2};
    expect(explain(arena, &w, X_LINE), ATG_FINDING_SUPPORTS, 1, "10 times more probable");
    expect(explain(arena, &w, AUTOSOMAL), ATG_FINDING_INCONCLUSIVE, -log10(0.2), "5 times more");
}

static void amelogenin_is_a_flag(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 22);
    world w;

    (void)state;
    make_world(&w);
    w.body[AMEL] = (atg_geno){0, 1};
    expect(explain(arena, &w, AMELOGENIN), ATG_FINDING_SUPPORTS, 0, "says male");
    w.body[AMEL] = (atg_geno){0, 0};
    expect(explain(arena, &w, AMELOGENIN), ATG_FINDING_CONTRADICTS, 0, "says female");
    w.samples[0].dropout = 0.1; /* the Y may have dropped out */
    expect(explain(arena, &w, AMELOGENIN), ATG_FINDING_NONE, 0, "not read");
}

static void a_y_haplotype_counts_by_the_operations_own_persons(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 22);
    atg_evidence e;
    world w;

    (void)state;
    make_world(&w);
    w.persons[BROTHER].genos = w.brother;
    w.brother[Y1] = w.brother[Y2] = w.body[Y1] = w.body[Y2] = (atg_geno){1, 1};
    e = explain(arena, &w, Y_LINE);
    expect(e, ATG_FINDING_SUPPORTS, -log10(atg_clopper_pearson_upper(1, OTHERS + 1, 0.05)),
           "agrees with brother at all 2 markers; 0 of 40 other persons");
    assert_true(e.lower == e.log10_lr && e.upper > e.log10_lr);
    assert_non_null(strstr(e.table.p, "40 persons"));
    w.others[7][Y1] = w.others[7][Y2] = (atg_geno){1, 1}; /* seen once more */
    w.others[8][Y2] = ATG_UNTYPED;                        /* not read in full */
    e = explain(arena, &w, Y_LINE);
    expect(e, ATG_FINDING_SUPPORTS, -log10(atg_clopper_pearson_upper(2, OTHERS, 0.05)),
           "1 of 39 other persons");
    w.body[Y2] = (atg_geno){2, 2};
    expect(explain(arena, &w, Y_LINE), ATG_FINDING_INCONCLUSIVE, 0, "1 step from");
    w.body[Y1] = (atg_geno){2, 2};
    expect(explain(arena, &w, Y_LINE), ATG_FINDING_CONTRADICTS, -2, "2 steps from");
}

static void references_that_disagree_say_nothing(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 22);
    world w;

    (void)state;
    make_world(&w);
    w.persons[BROTHER].genos = w.brother;
    w.persons[FATHER].genos = w.father;
    w.brother[Y1] = w.body[Y1] = (atg_geno){0, 0};
    w.father[Y1] = (atg_geno){3, 3};
    expect(explain(arena, &w, Y_LINE), ATG_FINDING_INCONCLUSIVE, 0, "another reference is needed");
    w.father[Y1] = (atg_geno){1, 1}; /* one step: a mutation; the nearer counts */
    assert_int_equal(explain(arena, &w, Y_LINE).finding, ATG_FINDING_SUPPORTS);
}

static void mtdna_counts_where_both_were_read(void **state) {
    static const struct atg_mt_range part = {16100, 16200};
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 22);
    world w;

    (void)state;
    make_world(&w);
    w.persons[MOTHER].mt = (atg_mt){1, &control, 2, one_diff};
    w.samples[0].mt = (atg_mt){1, &part, 2, one_diff};
    expect(explain(arena, &w, MT_LINE), ATG_FINDING_SUPPORTS,
           -log10(atg_clopper_pearson_upper(1, OTHERS + 1, 0.05)),
           "agrees with mother at all 101 positions; 0 of 40");
    w.samples[0].mt.n_diffs = 0;
    expect(explain(arena, &w, MT_LINE), ATG_FINDING_INCONCLUSIVE, 0, "at 2 of 101 positions");
    w.samples[0].mt = (atg_mt){1, &control, 1, &one_diff[2]};
    expect(explain(arena, &w, MT_LINE), ATG_FINDING_CONTRADICTS, -2, "at 3 of 342 positions");
}

static void a_missing_person_who_is_not_there_is_refused(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 22);
    uint32_t n;
    const atg_line *const *lines = atg_lines(&n);
    void *compiled;
    world w;

    (void)state;
    make_world(&w);
    for (uint32_t i = 0; i < n; i++)
        assert_int_equal(lines[i]->compile(arena, &w.op, 1, &compiled, NULL), ATG_EINVAL);
}

static void explaining_survives_every_failed_allocation(void **state) {
    uint32_t n;
    const atg_line *const *lines = atg_lines(&n);
    world w;

    (void)state;
    make_world(&w);
    w.persons[BROTHER].genos = w.brother;
    w.brother[Y1] = w.body[Y1] = w.brother[A1] = w.body[A1] = (atg_geno){1, 1};
    w.body[AMEL] = (atg_geno){0, 1};
    w.persons[MOTHER].mt = w.samples[0].mt = (atg_mt){1, &control, 2, one_diff};
    for (uint32_t i = 0; i < n; i++) {
        size_t before = mem_live();
        int rc = ATG_ENOMEM;

        for (long k = 0; rc; k++) {
            atg_arena *arena;
            atg_evidence e;
            void *compiled;

            mem_fail_after(k);
            arena = atg_arena_new(1 << 22);
            rc = arena ? lines[i]->compile(arena, &w.op, 0, &compiled, NULL) : ATG_ENOMEM;
            if (!rc)
                rc = lines[i]->explain(arena, &w.op, compiled, 0, &w.samples[0], &e, NULL);
            mem_fail_after(-1);
            assert_true(rc == ATG_OK || rc == ATG_ENOMEM);
            atg_arena_free(arena);
            assert_int_equal(mem_live(), before);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_that_have_nothing_say_so),
        cmocka_unit_test(an_own_sample_is_told_as_a_direct_comparison),
        cmocka_unit_test(autosomal_markers_are_primary_and_give_the_pedigree_lr),
        cmocka_unit_test(x_markers_are_a_line_of_their_own),
        cmocka_unit_test(amelogenin_is_a_flag),
        cmocka_unit_test(a_y_haplotype_counts_by_the_operations_own_persons),
        cmocka_unit_test(references_that_disagree_say_nothing),
        cmocka_unit_test(mtdna_counts_where_both_were_read),
        cmocka_unit_test(a_missing_person_who_is_not_there_is_refused),
        cmocka_unit_test(explaining_survives_every_failed_allocation),
    };
    return cmocka_run_group_tests_name("lines", tests, NULL, NULL);
}
