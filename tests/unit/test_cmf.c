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

    if (atg_cmf_read(arena, text, &r.n, &r.at, r.notes, &err))
        fail_msg("line %u: %s", err.line, err.msg);
    return r;
}

static void assert_call(const atg_profile_row *row, uint32_t i, const char *marker, const char *a,
                        const char *b) {
    assert_true(i < row->n_calls);
    assert_is(row->calls[i].marker, marker);
    assert_is(row->calls[i].a, a);
    assert_is(row->calls[i].b, b);
}

static void specimens_become_rows(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    rows r = read_good(arena, seed_of(arena, "cmf", "remains.xml"));

    (void)state;
    assert_int_equal(r.n, 4);
    assert_is(r.at[0].id, "PM-1");
    assert_is(r.at[0].family, "");
    assert_int_equal(r.at[0].line, 9);
    assert_call(&r.at[0], 0, "TH01", "6", "9.3");
    assert_int_equal(r.at[0].calls[0].line, 13);
    assert_call(&r.at[0], 1, "FGA", "22", "-");
    assert_call(&r.at[0], 2, "D18S51", "12", "");
    assert_true(noted(r.notes, "outside the ladder at FGA"));
    assert_call(&r.at[1], 0, "TH01", "7", "-");
    assert_true(noted(r.notes, "marked partial"));
    assert_is(r.at[2].family, "Berg");
    assert_true(noted(r.notes, "\"Biological Mother\", of family Berg"));
    assert_true(r.at[3].staff);
    assert_is(r.at[3].family, "");
}

static void a_missing_persons_profile_is_an_own_sample(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    rows r = read_good(arena, with(arena, seed_of(arena, "cmf", "remains.xml"),
                                   ">Unidentified Person<", ">Missing Person<"));

    (void)state;
    assert_is(r.at[0].id, "PM-1");
    assert_is(r.at[0].missing, "PM-1");
    assert_is(r.at[0].family, "Ferry");
    assert_call(&r.at[0], 0, "TH01", "6", "9.3");
    assert_true(noted(r.notes, "is an own sample of that person"));
}

static const struct {
    const char *from, *to, *part;
    uint32_t line;
} broken[] = {
    {"<CODISImportFile ", "<CODISRapidImportFile ", "outermost element", 2},
    {"<?xml version=\"1.0\" encoding=\"UTF-8\"?>", "<!DOCTYPE a>", "DOCTYPE", 1},
    {"<HEADERVERSION>3.2", "<HEADERVERSION>2.0", "version 2.0", 3},
    {"<MESSAGETYPE>Import</MESSAGETYPE>", "<FBI/>", "does not belong", 4},
    {"    <SPECIMENID>PM-1</SPECIMENID>\n", "\n", "no SPECIMENID", 9},
    {"    <SPECIMENCATEGORY>Unidentified Person</SPECIMENCATEGORY>\n", "\n", "no SPECIMENCATEGORY",
     9},
    {">Unidentified Person<", ">Convicted Offender<", "never suspects", 9},
    {">Unidentified Person<", ">Arrestee<", "never suspects", 9},
    {">Unidentified Person<", ">Deduced Missing Person<", "deduced from relatives", 9},
    {"&amp;", "&evil;", "not defined", 12},
    {"&amp;", "&", "good XML", 12},
    {"</SPECIMENCOMMENT>", "", "does not belong", 13},
    {"      <LOCUSNAME>TH01</LOCUSNAME>\n", "\n", "no name", 13},
    {"<LOCUSNAME>FGA<", "<LOCUSNAME>THO1<", "in line 13", 20},
    {"<ALLELEVALUE>9.3<", "<ALLELEVALUE>9.35<", "is no allele", 18},
    {"<ALLELEVALUE>9.3<", "<ALLELEVALUE><b>9.3</b><", "does not belong", 18},
    {"      <ALLELE ALLELEREQUIRED",
     "      <ALLELE><ALLELEVALUE>8</ALLELEVALUE></ALLELE>\n      <ALLELE ALLELEREQUIRED",
     "more than two alleles", 19},
    {">PM-2<", ">PM-1<", "6/9.3 in line 13", 37},
    {"</CODISImportFile>", "", "good XML", 66},
};

static void broken_files_are_refused_at_their_line(void **state) {
    int bad = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
        const atg_profile_row *at = NULL;
        uint32_t n = 77;
        atg_err err = {0};
        atg_str text =
            with(arena, seed_of(arena, "cmf", "remains.xml"), broken[i].from, broken[i].to);
        int rc = atg_cmf_read(arena, text, &n, &at, NULL, &err);
        bool good = rc != ATG_OK && strstr(err.msg, broken[i].part) && err.line == broken[i].line &&
                    n == 77 && !at;

        if (!good)
            print_error("%s: %d at line %u: %s\n", broken[i].to, rc, err.line, err.msg);
        bad += !good;
    }
    assert_int_equal(bad, 0);
}

static void what_is_no_text_is_refused(void **state) {
    static const atg_str cases[] = {
        {"", 0}, {"abc", 3}, {"<\0?\0x\0", 6}, {"\xff\xfe<\0", 4}, {"<CODISImportFile/>", 18}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
        const atg_profile_row *at;
        uint32_t n;
        atg_err err = {0};

        assert_int_equal(atg_cmf_read(arena, cases[i], &n, &at, NULL, &err), ATG_EPARSE);
        assert_true(err.msg[0] != '\0');
    }
}

static void a_document_type_is_seen_in_utf16_too(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    ATG_AUTO(atg_buf) buf = atg_buf_new(ARENA);
    atg_str text = seed_of(arena, "cmf", "entities.xml"), wide;
    const atg_profile_row *at;
    uint32_t n;
    atg_err err = {0};

    (void)state;
    atg_buf_add(buf, (atg_str){"\xff\xfe", 2});
    for (size_t i = 0; i < text.n; i++)
        atg_buf_add(buf, (atg_str){(const char[]){text.p[i], 0}, 2});
    assert_int_equal(atg_buf_take(buf, &wide, NULL), ATG_OK);
    assert_int_equal(atg_cmf_read(arena, wide, &n, &at, NULL, &err), ATG_EPARSE);
    assert_non_null(strstr(err.msg, "DOCTYPE"));
    assert_int_equal(err.line, 2);
}

static const atg_str labels[] = {{"6", 1}, {"9.3", 3}};
static const double freqs[] = {0.25, 0.75};
static const int16_t tenths[] = {60, 93};

static atg_marker marker(atg_str name) {
    return (atg_marker){.name = name,
                        .n = 2,
                        .labels = labels,
                        .freqs = freqs,
                        .tenths = tenths,
                        .silent = -1,
                        .linked_to = -1};
}

static void what_is_written_reads_as_it_was_and_holds_no_relative(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    ATG_AUTO(atg_buf) buf = atg_buf_new(ARENA);
    const atg_marker markers[] = {marker(ATG_STR("THO1")), marker(ATG_STR("PENTA_D")),
                                  marker(ATG_STR("D999"))};
    static const atg_geno genos[][3] = {{{0, 1}, {1, 1}, {0, 0}}, {{0, -1}, {0, 1}, {0, 0}}};
    static const atg_geno nothing[] = {{-1, -1}, {1, -1}, {0, 0}};
    static const atg_sample samples[] = {
        {.id = {"PM<1>", 5}, .genos = genos[0]},
        {.id = {"PM-2", 4}, .genos = genos[1]},
        {.id = {"mix", 3}, .genos = genos[0], .mixture = true},
        {.id = {"empty", 5}, .genos = nothing},
    };
    static const atg_person persons[] = {
        {.id = {"Anna", 4}, .father = -1, .mother = -1, .genos = genos[0]},
    };
    static const atg_consent consents[] = {{0, {"XX1", 3}, {0}}};
    static const atg_family families[] = {
        {.id = {"Berg", 4}, .ped = {1, persons}, .n_consents = 1, .consents = consents}};
    atg_operation op = {.params = atg_params_default(),
                        .n_markers = 3,
                        .markers = markers,
                        .n_samples = 4,
                        .samples = samples,
                        .n_families = 1,
                        .families = families};
    atg_str text;
    rows r;

    (void)state;
    assert_int_equal(atg_cmf_write(&op, "XX1", "2026-11-24T02:00:00Z", buf, NULL), ATG_OK);
    assert_int_equal(atg_buf_take(buf, &text, NULL), ATG_OK);
    assert_null(memmem(text.p, text.n, "Anna", 4));
    assert_null(memmem(text.p, text.n, "mix", 3));
    assert_non_null(memmem(text.p, text.n, "<HEADERVERSION>3.2<", 19));
    r = read_good(arena, text);
    assert_int_equal(r.n, 2);
    assert_is(r.at[0].id, "PM<1>");
    assert_int_equal(r.at[0].n_calls, 2);
    assert_call(&r.at[0], 0, "TH01", "6", "9.3");
    assert_call(&r.at[0], 1, "Penta D", "9.3", "");
    assert_int_equal(r.at[1].n_calls, 1);
    assert_call(&r.at[1], 0, "Penta D", "6", "9.3");
}

static void writing_asks_for_what_codis_demands(void **state) {
    const atg_marker markers[] = {marker(ATG_STR("SE33"))};
    static const atg_geno geno = {0, 1};
    static const char when[] = "2026-11-24T02:00:00";
    static const struct {
        const char *id, *lab, *when, *part;
    } cases[] = {
        {"PM-1", "", when, "ORI"},
        {"PM-1", NULL, when, "ORI"},
        {"PM-1", "12345678901", when, "ORI"},
        {"PM-1", "XX1", "24.11.2026", "instant"},
        {"PM-1", "XX1", NULL, "instant"},
        {"1234567890123456789012345", "XX1", when, "1 to 24 characters"},
        {"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
         "\xc3\xa9\xc3\xa9",
         "XX1", when, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        ATG_AUTO(atg_buf) buf = atg_buf_new(ARENA);
        const atg_sample sample = {.id = atg_str_of(cases[i].id), .genos = &geno};
        atg_operation op = {.params = atg_params_default(),
                            .n_markers = 1,
                            .markers = markers,
                            .n_samples = 1,
                            .samples = &sample};
        atg_err err = {0};
        atg_str text;
        int rc = atg_cmf_write(&op, cases[i].lab, cases[i].when, buf, &err);

        assert_int_equal(rc, cases[i].part ? ATG_EINVAL : ATG_OK);
        if (cases[i].part) {
            assert_non_null(strstr(err.msg, cases[i].part));
            continue;
        }
        assert_int_equal(atg_buf_take(buf, &text, NULL), ATG_OK);
        assert_non_null(memmem(text.p, text.n, "<HEADERVERSION>3.3<", 19));
    }
}

static void every_failed_allocation_is_reported(void **state) {
    ATG_AUTO(atg_arena) own = atg_arena_new(ARENA);
    atg_str text = seed_of(own, "cmf", "remains.xml");
    size_t live = mem_live();
    int rc = ATG_ENOMEM;

    (void)state;
    for (long n = 0; rc == ATG_ENOMEM; n++) {
        const atg_profile_row *at;
        atg_arena *arena;
        uint32_t count;

        assert_true(n < 10000);
        mem_fail_after(n);
        arena = atg_arena_new(ARENA);
        rc = arena ? atg_cmf_read(arena, text, &count, &at, NULL, NULL) : ATG_ENOMEM;
        mem_fail_after(-1);
        atg_arena_free(arena);
        assert_int_equal(mem_live(), live);
    }
    assert_int_equal(rc, ATG_OK);
    rc = ATG_ENOMEM;
    for (size_t limit = 64; rc != ATG_OK; limit += 200) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(limit);
        const atg_profile_row *at;
        uint32_t count;

        rc = atg_cmf_read(arena, text, &count, &at, NULL, NULL);
        assert_true(rc == ATG_OK || rc == ATG_ENOMEM);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(specimens_become_rows),
        cmocka_unit_test(a_missing_persons_profile_is_an_own_sample),
        cmocka_unit_test(broken_files_are_refused_at_their_line),
        cmocka_unit_test(what_is_no_text_is_refused),
        cmocka_unit_test(a_document_type_is_seen_in_utf16_too),
        cmocka_unit_test(what_is_written_reads_as_it_was_and_holds_no_relative),
        cmocka_unit_test(writing_asks_for_what_codis_demands),
        cmocka_unit_test(every_failed_allocation_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
