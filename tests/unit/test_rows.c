/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include <math.h>

enum { ARENA = 16 << 20, ROWS = 16, CALLS = 8 };

static const char table[] = "Allele,TH01,D3S1358,DXS8378,Penta E\n"
                            "6,0.25,,,\n9.3,0.75,,,\n15,,0.4,,\n16,,0.6,,\n"
                            "10,,,0.5,0.1\n11,,,0.5,0.9\nN,500,500,500,500\n";

/* Rows as a reader of tables gives them. */
typedef struct sheet {
    atg_arena *arena;
    atg_notes *notes;
    atg_frequencies freqs;
    atg_params params;
    atg_mutation mutation;
    uint32_t n;
    atg_profile_row rows[ROWS];
    struct atg_profile_call calls[ROWS][CALLS];
    atg_operation op;
    atg_err err;
} sheet;

static void start(sheet *s) {
    memset(s, 0, sizeof(*s));
    s->arena = atg_arena_new(ARENA);
    assert_non_null(s->arena);
    s->notes = atg_notes_new(s->arena);
    assert_non_null(s->notes);
    assert_int_equal(
        atg_frequencies_read(s->arena, atg_str_of(table), ATG_STR("here"), &s->freqs, NULL, NULL),
        ATG_OK);
    s->params = atg_params_default();
    s->mutation = (atg_mutation){.model = ATG_MUT_EQUAL, .rate = 0.002};
}

static atg_profile_row *add(sheet *s, const char *family, const char *id, atg_sex sex) {
    atg_profile_row *row = &s->rows[s->n];

    assert_true(s->n < ROWS);
    *row = (atg_profile_row){.id = atg_str_of(id),
                             .family = atg_str_of(family),
                             .sex = sex,
                             .calls = s->calls[s->n],
                             .line = s->n + 2};
    s->n++;
    return row;
}

static void call(sheet *s, atg_profile_row *row, const char *marker, const char *a, const char *b) {
    uint32_t k = row->n_calls++;

    assert_true(k < CALLS);
    s->calls[row - s->rows][k] = (struct atg_profile_call){.marker = atg_str_of(marker),
                                                           .a = atg_str_of(a),
                                                           .b = atg_str_of(b),
                                                           .line = row->line,
                                                           .col = k + 5};
}

static int make(sheet *s) {
    return atg_operation_of_rows(s->arena, s->n, s->rows, &s->freqs, s->params, s->mutation,
                                 s->mutation, &s->op, s->notes, &s->err);
}

static void make_good(sheet *s) {
    if (make(s))
        fail_msg("%u:%u %s", s->err.line, s->err.col, s->err.msg);
}

static bool noted(const atg_notes *notes, const char *part) {
    for (uint32_t i = 0; i < notes->n; i++)
        if (strstr(notes->text[i].p, part))
            return true;
    return false;
}

/* One family, a body in two samples, a member of staff. */
static void fill(sheet *s) {
    atg_profile_row *row;

    start(s);
    row = add(s, "", "PM1", ATG_SEX_MALE);
    row->body = ATG_STR("B1");
    call(s, row, "THO1", "6", "9.3");
    call(s, row, "AMEL", "X", "Y");
    call(s, row, "DXS8378", "10", "");
    call(s, row, "DYS391", "10", "");
    call(s, row, "D99", "1", "2");
    row = add(s, "F1", "child", ATG_SEX_UNKNOWN);
    row->father = ATG_STR("dad");
    row->mother = ATG_STR("mum");
    row->missing = ATG_STR("MP1");
    row = add(s, "", "PM2", ATG_SEX_UNKNOWN);
    call(s, row, "d3s1358", "15", "-");
    row = add(s, "F1", "dad", ATG_SEX_MALE);
    call(s, row, "TH01", "6", "");
    call(s, row, "D3S1358", "17", "16");
    add(s, "F1", "mum", ATG_SEX_FEMALE);
    row = add(s, "", "ST1", ATG_SEX_FEMALE);
    row->staff = true;
    call(s, row, "TH01", "6", "6");
    call(s, row, "DXS8378", "10", "11");
    call(s, row, "DYS391", "11", "");
}

static void rows_become_an_operation(void **state) {
    sheet s;

    (void)state;
    fill(&s);
    make_good(&s);
    assert_string_equal(s.op.params.population.p, "here");
    assert_int_equal(s.op.params.n_population, 500);
    assert_int_equal(s.op.n_samples, 2);
    assert_int_equal(s.op.n_staff, 1);
    assert_int_equal(s.op.n_families, 1);
    assert_int_equal(s.op.n_missing, 1);
    assert_string_equal(s.op.samples[0].body.p, "B1");
    assert_int_equal(s.op.missing[0].person, 0);
    assert_int_equal(s.op.families[0].ped.persons[0].father, 1);
    assert_int_equal(s.op.families[0].ped.persons[0].mother, 2);
    assert_null(s.op.families[0].ped.persons[2].genos);
    atg_arena_free(s.arena);
}

static void markers_follow_the_frequencies(void **state) {
    static const char *const names[] = {"TH01", "D3S1358", "DXS8378", "AMEL", "DYS391"};
    sheet s;

    (void)state;
    fill(&s);
    make_good(&s);
    assert_int_equal(s.op.n_markers, 5); /* Penta E was typed in nobody */
    for (uint32_t i = 0; i < 5; i++)
        assert_string_equal(s.op.markers[i].name.p, names[i]);
    assert_int_equal(s.op.markers[0].female.model, ATG_MUT_EQUAL);
    assert_int_equal(s.op.markers[2].male.model, ATG_MUT_EQUAL);
    assert_int_equal(s.op.markers[3].chrom, ATG_CHROM_AMELOGENIN);
    assert_int_equal(s.op.markers[3].female.model, ATG_MUT_NONE);
    assert_int_equal(s.op.markers[4].chrom, ATG_CHROM_Y);
    assert_int_equal(s.op.markers[4].n, 2);
    assert_true(s.op.markers[4].freqs[0] == 0.5);
    assert_true(noted(s.notes, "The marker D99 has no frequencies in \"here\" and is left out"));
    atg_arena_free(s.arena);
}

static void genotypes_follow_the_table(void **state) {
    sheet s;
    const atg_geno *g;

    (void)state;
    fill(&s);
    make_good(&s);
    g = s.op.samples[0].genos;
    assert_true(g[0].a == 0 && g[0].b == 1);
    assert_false(atg_geno_typed(g[1]));
    assert_true(g[2].a == 0 && g[2].b == 0);
    g = s.op.samples[1].genos;
    assert_true(g[1].a == 0 && g[1].b == ATG_ALLELE_UNREAD);
    g = s.op.families[0].ped.persons[1].genos;
    assert_true(g[0].a == 0 && g[0].b == 0); /* one allele is a homozygote in a table */
    assert_true(g[1].a == 2 && g[1].b == 1);
    g = s.op.staff[0].genos;
    assert_true(g[2].a == 0 && g[2].b == 1);
    atg_arena_free(s.arena);
}

static void a_new_allele_gets_the_minimum_frequency(void **state) {
    sheet s;
    const atg_marker *m;

    (void)state;
    fill(&s);
    make_good(&s);
    m = &s.op.markers[1];
    assert_int_equal(m->n, 3);
    assert_string_equal(m->labels[2].p, "17");
    assert_true(fabs(m->freqs[2] - 0.005) < 1e-15);
    assert_true(fabs(m->freqs[0] - 0.4 * 0.995) < 1e-15);
    assert_true(noted(s.notes, "D3S1358: the allele 17 is not in the table"));
    atg_arena_free(s.arena);
    fill(&s);
    s.params.min_freq = 0.01;
    make_good(&s);
    assert_true(s.op.markers[1].freqs[2] == 0.01);
    atg_arena_free(s.arena);
    fill(&s);
    s.freqs.n_population = 0;
    assert_int_equal(make(&s), ATG_EINVAL);
    assert_non_null(strstr(s.err.msg, "name a minimum frequency"));
    atg_arena_free(s.arena);
}

static void the_order_of_families_is_that_of_their_first_rows(void **state) {
    sheet s;
    atg_profile_row *row;

    (void)state;
    start(&s);
    row = add(&s, "F2", "a", ATG_SEX_MALE);
    row->missing = ATG_STR("M2");
    row = add(&s, "F1", "a", ATG_SEX_MALE);
    row->missing = ATG_STR("M1");
    row = add(&s, "F2", "b", ATG_SEX_MALE);
    row->father = ATG_STR("a");
    row->missing = ATG_STR("M3");
    make_good(&s);
    assert_string_equal(s.op.families[0].id.p, "F2");
    assert_int_equal(s.op.families[0].ped.n, 3); /* a mother was added */
    assert_true(s.op.families[0].ped.persons[2].implicit);
    assert_string_equal(s.op.missing[0].id.p, "M2");
    assert_string_equal(s.op.missing[1].id.p, "M3");
    assert_string_equal(s.op.missing[2].id.p, "M1");
    assert_int_equal(s.op.missing[2].family, 1);
    atg_arena_free(s.arena);
}

static void what_is_from_a_missing_person_is_an_own_sample(void **state) {
    atg_profile_row *row;
    const atg_person *p;
    sheet s;

    (void)state;
    fill(&s);
    row = add(&s, "F1", "brush", ATG_SEX_UNKNOWN);
    row->own = true;
    row->missing = ATG_STR("MP1");
    call(&s, row, "TH01", "6", "-");
    call(&s, &s.rows[1], "D3S1358", "15", "16"); /* in the row of the missing person */
    row = add(&s, "F1", "nothing", ATG_SEX_UNKNOWN);
    row->own = true;
    row->missing = ATG_STR("MP1");
    make_good(&s);
    assert_int_equal(s.op.families[0].ped.n, 3);
    p = &s.op.families[0].ped.persons[0];
    assert_null(p->genos);
    assert_int_equal(p->n_own, 2); /* one has nothing */
    assert_string_equal(p->own[0].id.p, "child");
    assert_true(atg_geno_typed(p->own[0].genos[atg_operation_marker(&s.op, ATG_STR("D3S1358"))]));
    assert_string_equal(p->own[1].id.p, "brush");
    assert_int_equal(p->own[1].genos[atg_operation_marker(&s.op, ATG_STR("TH01"))].b, -1);
    atg_arena_free(s.arena);
}

static void a_repeated_call_must_say_the_same(void **state) {
    sheet s;

    (void)state;
    fill(&s);
    call(&s, &s.rows[0], "TH01", "9.3", "6");
    make_good(&s);
    assert_true(s.op.samples[0].genos[0].a >= 0);
    atg_arena_free(s.arena);
    fill(&s);
    call(&s, &s.rows[0], "TH01", "6", "6");
    assert_int_equal(make(&s), ATG_EINVAL);
    assert_int_equal(s.err.line, 2);
    assert_int_equal(s.err.col, 10);
    assert_string_equal(s.err.msg, "PM1 has two different genotypes at TH01; keep the right one");
    atg_arena_free(s.arena);
}

/* Each case breaks what fill() made. */
static void break_id(sheet *s) {
    s->rows[2].id = ATG_STR("PM1");
}
static void break_empty(sheet *s) {
    s->rows[2].id = ATG_STR("");
}
static void break_member(sheet *s) {
    s->rows[4].id = ATG_STR("dad");
}
static void break_father(sheet *s) {
    s->rows[1].father = ATG_STR("uncle");
}
static void break_sex(sheet *s) {
    s->rows[3].sex = ATG_SEX_FEMALE;
}
static void break_own(sheet *s) {
    atg_profile_row *row = add(s, "F1", "brush", ATG_SEX_UNKNOWN);

    row->own = true;
    row->missing = ATG_STR("MP2");
    call(s, row, "TH01", "6", "6");
}
static void break_nobodys_own(sheet *s) {
    add(s, "F1", "brush", ATG_SEX_UNKNOWN)->own = true;
}
static void break_many_own(sheet *s) {
    for (int i = 0; i <= ATG_OWN_MAX - 7; i++) {
        atg_profile_row *row = add(s, "F1", "brush", ATG_SEX_UNKNOWN);

        row->own = true;
        row->missing = ATG_STR("MP1");
        call(s, row, "TH01", "6", "6");
    }
}
static void break_family(sheet *s) {
    s->rows[2].missing = ATG_STR("MP2");
}
static void break_twice(sheet *s) {
    s->rows[4].missing = ATG_STR("MP1");
}
static void break_x(sheet *s) {
    s->calls[0][2].b = ATG_STR("11");
}
static void break_label(sheet *s) {
    s->calls[0][0].a = ATG_STR("6 or 7, hard to say what it was here");
}
static void break_population(sheet *s) {
    s->freqs.population = ATG_STR("");
}
static void break_model(sheet *s) {
    s->mutation.model = ATG_MUT_CUSTOM;
}
static void break_theta(sheet *s) {
    s->params.theta = 2;
}
static void break_loop(sheet *s) {
    s->rows[3].father = ATG_STR("child");
    s->rows[1].sex = ATG_SEX_MALE;
}

static const struct {
    void (*broken)(sheet *s);
    uint32_t line, col;
    const char *msg;
} cases[] = {
    {break_id, 4, 0, "The sample \"PM1\" is there twice"},
    {break_empty, 4, 0, "This row has no sample name"},
    {break_member, 6, 0, "The id \"dad\" is used twice in family \"F1\""},
    {break_father, 3, 0, "The father of \"child\", \"uncle\", is not a member of this family"},
    {break_sex, 3, 0, "The father of \"child\", \"dad\", is recorded as female"},
    {break_own, 8, 0, "The own sample \"brush\" is of \"MP2\", who is not among the missing"},
    {break_nobodys_own, 8, 0, "\"brush\" is an own sample and does not say of which"},
    {break_many_own, 0, 0, "The own sample brush of child is there twice"},
    {break_family, 4, 0, "\"PM2\" is marked as missing but has no family"},
    {break_twice, 6, 0, "The missing person \"MP1\" is there twice"},
    {break_x, 2, 7, "A man has one allele at DXS8378"},
    {break_label, 2, 5, "is not the name of an allele of TH01"},
    {break_population, 0, 0, "Name the population"},
    {break_model, 0, 0, "A mutation matrix"},
    {break_theta, 0, 0, "Theta is 2"},
    {break_loop, 3, 0, "among his or her own ancestors"},
};

static void each_error_has_its_line_and_sentence(void **state) {
    uint32_t wrong = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        sheet s;
        int rc;

        fill(&s);
        cases[i].broken(&s);
        rc = make(&s);
        if (rc == ATG_OK || s.err.line != cases[i].line || s.err.col != cases[i].col ||
            !strstr(s.err.msg, cases[i].msg)) {
            print_error("%d at %u:%u \"%s\"; expected %u:%u \"%s\"\n", rc, s.err.line, s.err.col,
                        s.err.msg, cases[i].line, cases[i].col, cases[i].msg);
            wrong++;
        }
        atg_arena_free(s.arena);
    }
    assert_int_equal(wrong, 0);
}

static void short_memory_is_reported_and_leaks_nothing(void **state) {
    size_t before = mem_live();
    int rc = ATG_ENOMEM;

    (void)state;
    for (long k = 0; rc == ATG_ENOMEM; k++) {
        sheet s;

        fill(&s);
        mem_fail_after(k);
        rc = make(&s);
        mem_fail_after(-1);
        if (rc && rc != ATG_ENOMEM)
            fail_msg("allocation %ld: %s", k, s.err.msg);
        atg_arena_free(s.arena);
        assert_int_equal(mem_live(), before);
    }
    assert_int_equal(rc, ATG_OK);
}

static void a_full_arena_is_reported(void **state) {
    int rc = ATG_ENOMEM;

    (void)state;
    for (size_t limit = 0; rc == ATG_ENOMEM; limit += 512) {
        atg_arena *small = atg_arena_new(limit);
        sheet s;

        assert_non_null(small);
        fill(&s);
        rc = atg_operation_of_rows(small, s.n, s.rows, &s.freqs, s.params, s.mutation, s.mutation,
                                   &s.op, NULL, &s.err);
        assert_true(rc == ATG_OK || rc == ATG_ENOMEM);
        atg_arena_free(small);
        atg_arena_free(s.arena);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_become_an_operation),
        cmocka_unit_test(markers_follow_the_frequencies),
        cmocka_unit_test(genotypes_follow_the_table),
        cmocka_unit_test(a_new_allele_gets_the_minimum_frequency),
        cmocka_unit_test(the_order_of_families_is_that_of_their_first_rows),
        cmocka_unit_test(what_is_from_a_missing_person_is_an_own_sample),
        cmocka_unit_test(a_repeated_call_must_say_the_same),
        cmocka_unit_test(each_error_has_its_line_and_sentence),
        cmocka_unit_test(short_memory_is_reported_and_leaks_nothing),
        cmocka_unit_test(a_full_arena_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
