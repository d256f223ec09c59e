/* SPDX-License-Identifier: Apache-2.0 */
#include "inputs.h"

enum { ARENA = INPUT_ARENA };

typedef struct rows {
    uint32_t n;
    const atg_profile_row *at;
    atg_notes *notes;
} rows;

static rows read_good(atg_arena *arena, atg_str text) {
    rows r = {.notes = atg_notes_new(arena)};
    atg_err err = {0};

    if (atg_table_read(arena, text, &r.n, &r.at, r.notes, &err))
        fail_msg("%u:%u: %s", err.line, err.col, err.msg);
    return r;
}

/* "TH01 6/9.3, FGA 20/" of all calls of a row. */
static void assert_calls(const atg_profile_row *row, const char *want) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(ARENA);
    atg_str got;

    for (uint32_t i = 0; i < row->n_calls; i++)
        atg_buf_printf(buf, "%s%.*s %.*s/%.*s", i ? ", " : "", ATG_FMT(row->calls[i].marker),
                       ATG_FMT(row->calls[i].a), ATG_FMT(row->calls[i].b));
    assert_int_equal(atg_buf_take(buf, &got, NULL), ATG_OK);
    assert_is(got, want);
}

static void two_columns_a_marker_are_read(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    rows r = read_good(arena, seed_of(arena, "table", "wide.csv"));

    (void)state;
    assert_int_equal(r.n, 6);
    assert_is(r.at[0].id, "PM-1");
    assert_is(r.at[0].body, "B1");
    assert_int_equal(r.at[0].sex, ATG_SEX_MALE);
    assert_int_equal(r.at[0].line, 2);
    assert_calls(&r.at[0], "TH01 6/9.3, Penta D 9/13, AMEL X/Y");
    assert_int_equal(r.at[0].calls[1].line, 2);
    assert_int_equal(r.at[0].calls[1].col, 21);
    assert_calls(&r.at[1], "TH01 6/-, AMEL X/Y");
    assert_calls(&r.at[2], "TH01 7/7, Penta D 12/, AMEL X/X");
    assert_is(r.at[3].family, "Berg");
    assert_is(r.at[4].mother, "Anna");
    assert_is(r.at[4].missing, "Per");
    assert_is(r.at[5].missing, "AM-7");
    assert_int_equal(r.at[5].n_calls, 0);
    assert_true(noted(r.notes, "1 profiles have amelogenin and no recorded sex"));
}

static void one_column_a_marker_is_read_with_decimal_commas(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    rows r = read_good(arena, seed_of(arena, "table", "single.csv"));

    (void)state;
    assert_int_equal(r.n, 3);
    assert_calls(&r.at[0], "THO1 6/9.3, D3S1358 15/16, L1 1/2");
    assert_is(r.at[1].id, "PM \"2\"");
    assert_int_equal(r.at[1].sex, ATG_SEX_FEMALE);
    assert_calls(&r.at[1], "THO1 6/9.3, D3S1358 15/");
    assert_true(r.at[2].staff);
    assert_calls(&r.at[2], "THO1 6/7, D3S1358 14/15");
    assert_true(noted(r.notes, "\"Comment\" is not read"));
}

static void a_genemapper_export_is_read(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    rows r = read_good(arena, seed_of(arena, "table", "long.tsv"));

    (void)state;
    assert_int_equal(r.n, 2);
    assert_is(r.at[0].id, "PM-1");
    assert_calls(&r.at[0], "TH01 6/9.3, AMEL X/");
    assert_calls(&r.at[1], "TH01 7/-");
    assert_true(noted(r.notes, "1 rows of ladders"));
}

static void headers_are_understood(void **state) {
    static const struct {
        const char *text, *calls;
    } cases[] = {
        {"id,TH01,TH01\nA,6,7\n", "TH01 6/7"},
        {"id,TH01_1,TH01_2\nA,6,7\n", "TH01 6/7"},
        {"id,TH01 1,TH01 2\nA,6,7\n", "TH01 6/7"},
        {"id,TH01-1,TH01-2\nA,6,7\n", "TH01 6/7"},
        {"id,TH01 A,TH01 B\nA,6,7\n", "TH01 6/7"},
        {"id,TH01 Allele 1,TH01 Allele 2\nA,6,7\n", "TH01 6/7"},
        {"id,TH01.2,TH01.1\nA,6,7\n", "TH01 7/6"},
        {"id,TH01.1,TH01.2,TH01.3\nA,6,7,\n", "TH01 6/7"},
        {"id,D3S1358.1,D3S1358.2\nA,15,16\n", "D3S1358 15/16"},
        {"id,DXS10103_1,DXS10103_2\nA,16,19\n", "DXS10103 16/19"},
        {"id,D21S11 1,D21S11 2\nA,29,32.2\n", "D21S11 29/32.2"},
        {"id,DYS389.1,DYS389.2\nA,13,29\n", "DYS389.1 13/, DYS389.2 29/"},
        {"\xef\xbb\xbfid;TH01\r\nA;6/7\r\n", "TH01 6/7"},
        {"Name\tTH01\nA\t6/7\n", "TH01 6/7"},
        {"name,id,TH01\nno,A,6/7\n", "TH01 6/7"},
        {",TH01\nA,6/7\n", "TH01 6/7"},
        {"id,sm1\nA,A/C\n", "sm1 A/C"},
        {"id,TH01\n\n,,\nA,06 / 9.0\n", "TH01 6/9"},
        {"id,Sample File,Marker,Allele1,Allele2\nA,f,TH01,6,7\n", "TH01 6/7"},
        {"Sample File,Marker,Allele 1,Allele 2,Allele 3\nA,TH01,6,,7\n", "TH01 6/7"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
        rows r = read_good(arena, atg_str_of(cases[i].text));

        assert_int_equal(r.n, 1);
        assert_is(r.at[0].id, "A");
        assert_calls(&r.at[0], cases[i].calls);
    }
}

static void cells_are_understood(void **state) {
    static const struct {
        const char *cell, *calls;
    } cases[] = {
        {"6/9.3", "TH01 6/9.3"},
        {"6,9.3", "TH01 6/9.3"},
        {"6-9.3", "TH01 6/9.3"},
        {"6|7", "TH01 6/7"},
        {"6 7", "TH01 6/7"},
        {"6   7", "TH01 6/7"},
        {"15,16", "TH01 15/16"},
        {"6/9,3", "TH01 6/9.3"},
        {"06/9.0", "TH01 6/9"},
        {"6", "TH01 6/"},
        {"6/-", "TH01 6/-"},
        {"6/?", "TH01 6/-"},
        {"?/6", "TH01 6/-"},
        {"-", ""},
        {"", ""},
        {"-/-", ""},
        {"0/0", ""},
        {"N/A", ""},
        {"NA", ""},
        {" 6 / 7 ", "TH01 6/7"},
        {"x/y", "TH01 X/Y"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
        rows r = read_good(arena, atg_arena_printf(arena, "id;TH01\nA;%s\n", cases[i].cell));

        assert_int_equal(r.n, 1);
        assert_calls(&r.at[0], cases[i].calls);
    }
}

static void rows_of_one_person_are_taken_together_when_they_agree(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    rows r = read_good(arena, ATG_STR("id,sex,TH01,FGA\nA,M,6/7,20/21\nB,F,8/8,\nA,,7/6,\n"
                                      "B,F,8,22/23\n"));

    (void)state;
    assert_int_equal(r.n, 2);
    assert_calls(&r.at[0], "TH01 6/7, FGA 20/21");
    assert_calls(&r.at[1], "TH01 8/8, FGA 22/23");
    assert_true(noted(r.notes, "lines 2 and 4"));
    assert_true(noted(r.notes, "lines 3 and 5"));
    r = read_good(arena, ATG_STR("id,family,TH01\nFather,A,6/7\nFather,B,8/9\nFather,,9/9\n"));
    assert_int_equal(r.n, 3);
}

static void own_samples_of_missing_persons_are_told_from_persons(void **state) {
    static const char *const words[] = {"own",           "Own sample",         "personal",
                                        "personal item", "personal reference", "direct reference"};

    (void)state;
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
        rows r = read_good(arena, atg_arena_printf(arena,
                                                   "id,family,missing,type,TH01\n"
                                                   "Per,Berg,AM-7,missing,\nPer,Berg,AM-7,%s,6/7\n",
                                                   words[i]));

        assert_int_equal(r.n, 2);
        assert_false(r.at[0].own);
        assert_true(r.at[1].own);
        assert_is(r.at[1].missing, "AM-7");
        assert_calls(&r.at[1], "TH01 6/7");
    }
}

static void amelogenin_is_held_against_the_recorded_sex(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    rows r = read_good(arena, ATG_STR("id,sex,Amelogenin\nA,F,X/Y\nB,M,X/X\nC,M,X/Y\nD,F,X/-\n"));

    (void)state;
    assert_int_equal(r.at[0].sex, ATG_SEX_FEMALE);
    assert_int_equal(r.notes->n, 2);
    assert_true(noted(r.notes, "A (line 2) is recorded as female, but amelogenin shows a male"));
    assert_true(noted(r.notes, "B (line 3) is recorded as male, but amelogenin shows a female"));
}

static const struct {
    const char *text, *part;
    uint32_t line, col;
} broken[] = {
    {"", "empty", 0, 0},
    {"\n\n", "empty", 0, 0},
    {"id,TH01\n", "no profiles", 0, 0},
    {"TH01,FGA\n6/7,20/21\n", "No column says whose", 1, 1},
    {"id,sex\nA,M\n", "No column is a marker", 1, 1},
    {"id,Sample,id,TH01\nA,A,A,6/7\n", "mean the same", 1, 11},
    {"id,sex,gender,TH01\nA,M,M,6/7\n", "mean the same", 1, 8},
    {"id,TH01,THO1\nA,6/7,6/7\n", "are one marker", 1, 4},
    {"id,TH01.1,TH01.2,TH01\nA,6,7,6/7\n", "are one marker", 1, 4},
    {"id,TH01.1,FGA\nA,6,20/21\n", "no partner", 1, 4},
    {"id,TH01.2,FGA\nA,6,20/21\n", "no partner", 1, 4},
    {"id,TH01\n,6/7\n", "no id", 2, 1},
    {"id,TH01\nA,6/7,x\n", "more columns than the header", 2, 7},
    {"id,TH01\nA,\"6/7\n", "never closed", 2, 3},
    {"id,TH01\nA,6/7/8\n", "more than two alleles", 2, 3},
    {"id,TH01,TH01,TH01\nA,6,7,8\n", "more than two alleles", 2, 7},
    {"id,TH01.1,TH01.2,TH01.3\nA,6,7,8\n", "more than two alleles", 2, 7},
    {"id,TH01\nA,6/OL\n", "outside the ladder", 2, 5},
    {"id,TH01\nA,OL\n", "outside the ladder", 2, 3},
    {"id,TH01\nA,off-ladder\n", "outside the ladder", 2, 3},
    {"id,TH01\nA,6/>12\n", "outside the ladder", 2, 5},
    {"id,TH01\nA,6/seven\n", "is no allele", 2, 5},
    {"id,TH01\nA,6/9.35\n", "is no allele", 2, 5},
    {"id,TH01\nA,6/1234\n", "is no allele", 2, 5},
    {"id;TH01\nA;9,3\n", "decimal comma", 2, 3},
    {"id,sex,TH01\nA,male?,6/7\n", "is no sex", 2, 3},
    {"id,staff,TH01\nA,maybe,6/7\n", "staff", 2, 3},
    {"id,type,TH01\nA,suspect,6/7\n", "is no type", 2, 3},
    {"id,type,TH01\nA,relative,6/7\n", "needs a family", 2, 3},
    {"id,father,TH01\nA,B,6/7\n", "needs a family", 2, 3},
    {"id,missing,TH01\nA,yes,\n", "needs a family", 2, 3},
    {"id,family,staff,TH01\nA,F,yes,6/7\n", "nobody's family", 2, 3},
    {"id,type,TH01\nA,own sample,6/7\n", "needs a family", 2, 3},
    {"id,family,type,TH01\nA,F,own sample,6/7\n", "needs the missing person whose it is", 2, 5},
    {"id,TH01\nA,6/7\nB,6/7\nA,6/8\n", "6/8 at TH01 here and 6/7 in line 2", 4, 3},
    {"id,TH01\nA,6/7\nA,6/-\n", "in line 2", 3, 3},
    {"id,sex,TH01\nA,M,6/7\nA,F,6/7\n", "another sex", 3, 1},
    {"id,body,TH01\nA,1,6/7\nA,2,6/7\n", "another body", 3, 1},
    {"id,Marker,Allele 1,Allele 2\nA,,6,7\n", "marker's name", 2, 3},
    {"id,Marker,Allele 1,Allele 2,Allele 3\nA,TH01,6,7,8\n", "more than two alleles", 2, 12},
    {"id,Marker,Allele 1,Allele 2\nA,TH01,6,7\nA,THO1,6,8\n", "in line 2", 3, 8},
    {"id,Marker,Allele 1,Allele 2\nA,TH01,OL,7\n", "outside the ladder", 2, 8},
    {"id,TH01\n\"A\nB\",6/7\n", "line break", 2, 1},
};

static void broken_tables_are_refused_at_their_place(void **state) {
    int bad = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
        const atg_profile_row *at = NULL;
        uint32_t n = 77;
        atg_err err = {0};
        int rc = atg_table_read(arena, atg_str_of(broken[i].text), &n, &at, NULL, &err);
        bool good = rc != ATG_OK && strstr(err.msg, broken[i].part) && err.line == broken[i].line &&
                    err.col == broken[i].col && n == 77 && !at;

        if (!good)
            print_error("%s: %d at %u:%u: %s\n", broken[i].text, rc, err.line, err.col, err.msg);
        bad += !good;
    }
    assert_int_equal(bad, 0);
}

static void a_utf16_export_is_read(void **state) {
    static const char bytes[] = "\xff\xfe"
                                "i\0d\0\t\0T\0H\0"
                                "0\0"
                                "1\0\r\0\n\0\xc5\0\t\0"
                                "6\0/\0"
                                "7\0";
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    rows r = read_good(arena, (atg_str){bytes, sizeof(bytes) - 1});

    (void)state;
    assert_is(r.at[0].id, "\xc3\x85");
    assert_calls(&r.at[0], "TH01 6/7");
    assert_true(noted(r.notes, "UTF-16"));
}

/* An operation of one marker, one body and one family. */
static atg_operation small(atg_family *family) {
    static const atg_str labels[] = {{"6", 1}, {"9.3", 3}};
    static const double freqs[] = {0.25, 0.75};
    static const int16_t tenths[] = {60, 93};
    static const atg_marker marker = {.name = {"TH01", 4},
                                      .n = 2,
                                      .labels = labels,
                                      .freqs = freqs,
                                      .tenths = tenths,
                                      .silent = -1,
                                      .linked_to = -1};
    static const atg_geno genos[] = {{0, 1}, {1, -1}, {-1, -1}};
    static const atg_sample samples[] = {
        {.id = {"=PM(1)", 6}, .body = {"B1", 2}, .sex = ATG_SEX_MALE, .genos = &genos[0]},
        {.id = {"PM,2", 4}, .genos = &genos[1]},
        {.id = {"mix", 3}, .genos = &genos[0], .mixture = true},
    };
    static const atg_person persons[] = {
        {.id = {"Per", 3}, .father = 1, .mother = 2, .sex = ATG_SEX_MALE},
        {.id = {"Ole", 3}, .father = -1, .mother = -1, .sex = ATG_SEX_MALE, .genos = &genos[0]},
        {.id = {"Anna", 4}, .father = -1, .mother = -1, .sex = ATG_SEX_FEMALE, .genos = &genos[1]},
    };
    static const uint32_t own[] = {0};
    static const atg_missing missing[] = {{.id = {"AM-1", 4}, .family = 0, .person = 0}};
    static const atg_consent consents[] = {{2, {"ICMP", 4}, {0}}};

    *family = (atg_family){.id = ATG_STR("Berg"),
                           .ped = {3, persons},
                           .n_missing = 1,
                           .missing = own,
                           .n_consents = 1,
                           .consents = consents};
    return (atg_operation){.params = atg_params_default(),
                           .n_markers = 1,
                           .markers = &marker,
                           .n_samples = 3,
                           .samples = samples,
                           .n_families = 1,
                           .families = family,
                           .n_missing = 1,
                           .missing = missing};
}

static void a_written_table_reads_as_what_it_was(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    ATG_AUTO(atg_buf) buf = atg_buf_new(ARENA);
    atg_family family;
    atg_operation op = small(&family);
    atg_str text;
    rows r;

    (void)state;
    assert_int_equal(atg_table_write(&op, "ICMP", buf, NULL), ATG_OK);
    assert_int_equal(atg_buf_take(buf, &text, NULL), ATG_OK);
    assert_is(text, "id,body,sex,family,father,mother,missing,TH01.1,TH01.2\n"
                    "\"'=PM(1)\",B1,M,,,,,6,9.3\n"
                    "\"PM,2\",,U,,,,,9.3,-\n"
                    "Per,,M,Berg,Ole,Anna,AM-1,,\n"
                    "Ole,,M,Berg,,,,,\n"
                    "Anna,,F,Berg,,,,9.3,-\n");
    r = read_good(arena, text);
    assert_int_equal(r.n, 5);
    assert_is(r.at[0].id, "=PM(1)");
    assert_is(r.at[0].body, "B1");
    assert_calls(&r.at[0], "TH01 6/9.3");
    assert_is(r.at[1].id, "PM,2");
    assert_calls(&r.at[1], "TH01 9.3/-");
    assert_is(r.at[2].missing, "AM-1");
    assert_is(r.at[2].father, "Ole");
    assert_int_equal(r.at[3].n_calls, 0);
    assert_calls(&r.at[4], "TH01 9.3/-");
}

static void an_own_sample_has_a_row_of_its_own(void **state) {
    static const atg_geno seen[] = {{0, -1}};
    static const atg_own brush = {.id = {"brush", 5}, .genos = seen};
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    ATG_AUTO(atg_buf) buf = atg_buf_new(ARENA);
    atg_person persons[3];
    atg_family family;
    atg_operation op = small(&family);
    uint32_t who = op.missing[0].person;
    atg_str text;
    rows r;

    (void)state;
    memcpy(persons, family.ped.persons, sizeof(persons));
    persons[who].own = &brush;
    persons[who].n_own = 1;
    family.ped.persons = persons;
    assert_int_equal(atg_table_write(&op, "ICMP", buf, NULL), ATG_OK);
    assert_int_equal(atg_buf_take(buf, &text, NULL), ATG_OK);
    r = read_good(arena, text);
    assert_int_equal(r.n, 6);
    for (uint32_t i = 0; i < r.n; i++)
        assert_int_equal(r.at[i].own, i == 3);
    assert_is(r.at[3].id, "brush");
    assert_is(r.at[3].missing, "AM-1");
    assert_calls(&r.at[3], "TH01 6/-");
    assert_is(r.at[4].family, "Berg");
    assert_calls(&r.at[5], "TH01 9.3/-");
}

static void no_relative_leaves_without_consent(void **state) {
    static const char *const recipients[] = {"KMD", "", "icmp"};
    atg_family family;
    atg_operation op = small(&family);

    (void)state;
    for (int i = 0; i < 3; i++) {
        ATG_AUTO(atg_buf) buf = atg_buf_new(ARENA);
        atg_str text;

        assert_int_equal(atg_table_write(&op, recipients[i], buf, NULL), ATG_OK);
        assert_int_equal(atg_buf_take(buf, &text, NULL), ATG_OK);
        assert_non_null(memmem(text.p, text.n, "Anna,,F,Berg,,,,,\n", 18));
        assert_non_null(memmem(text.p, text.n, "Ole,,M,Berg,,,,,\n", 17));
    }
}

static void every_failed_allocation_is_reported(void **state) {
    static const char *const files[] = {"wide.csv", "single.csv", "long.tsv"};

    (void)state;
    for (int k = 0; k < 3; k++) {
        ATG_AUTO(atg_arena) own = atg_arena_new(ARENA);
        atg_str text = seed_of(own, "table", files[k]);
        size_t live = mem_live();
        int rc = ATG_ENOMEM;

        for (long n = 0; rc == ATG_ENOMEM; n++) {
            const atg_profile_row *at;
            atg_arena *arena;
            uint32_t count;

            assert_true(n < 10000);
            mem_fail_after(n);
            arena = atg_arena_new(ARENA);
            rc = arena ? atg_table_read(arena, text, &count, &at, NULL, NULL) : ATG_ENOMEM;
            mem_fail_after(-1);
            atg_arena_free(arena);
            assert_int_equal(mem_live(), live);
        }
        assert_int_equal(rc, ATG_OK);
    }
}

static void memory_that_is_too_small_is_reported_at_every_size(void **state) {
    ATG_AUTO(atg_arena) own = atg_arena_new(ARENA);
    atg_str text = seed_of(own, "table", "wide.csv");
    int rc = ATG_ENOMEM;

    (void)state;
    for (size_t limit = 64; rc != ATG_OK; limit += 200) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(limit);
        const atg_profile_row *at;
        uint32_t n;

        assert_true(limit < ARENA);
        rc = atg_table_read(arena, text, &n, &at, NULL, NULL);
        assert_true(rc == ATG_OK || rc == ATG_ENOMEM);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_columns_a_marker_are_read),
        cmocka_unit_test(one_column_a_marker_is_read_with_decimal_commas),
        cmocka_unit_test(a_genemapper_export_is_read),
        cmocka_unit_test(headers_are_understood),
        cmocka_unit_test(cells_are_understood),
        cmocka_unit_test(rows_of_one_person_are_taken_together_when_they_agree),
        cmocka_unit_test(own_samples_of_missing_persons_are_told_from_persons),
        cmocka_unit_test(amelogenin_is_held_against_the_recorded_sex),
        cmocka_unit_test(broken_tables_are_refused_at_their_place),
        cmocka_unit_test(a_utf16_export_is_read),
        cmocka_unit_test(a_written_table_reads_as_what_it_was),
        cmocka_unit_test(an_own_sample_has_a_row_of_its_own),
        cmocka_unit_test(no_relative_leaves_without_consent),
        cmocka_unit_test(every_failed_allocation_is_reported),
        cmocka_unit_test(memory_that_is_too_small_is_reported_at_every_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
