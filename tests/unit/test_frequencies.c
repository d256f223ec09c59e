/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include <math.h>
#include <stdio.h>

#include "base/file.h"

enum { ARENA = 64 << 20 };

typedef struct made {
    atg_arena *arena;
    atg_notes *notes;
    atg_frequencies f;
    atg_err err;
    int rc;
} made;

static made read_bytes(atg_str bytes, const char *population) {
    made x = {.arena = atg_arena_new(ARENA)};

    assert_non_null(x.arena);
    x.notes = atg_notes_new(x.arena);
    assert_non_null(x.notes);
    x.rc = atg_frequencies_read(x.arena, bytes, atg_str_of(population), &x.f, x.notes, &x.err);
    return x;
}

static made read_text(const char *text, const char *population) {
    return read_bytes(atg_str_of(text), population);
}

static made read_good(const char *text, const char *population) {
    made x = read_text(text, population);

    if (x.rc)
        fail_msg("%u:%u %s", x.err.line, x.err.col, x.err.msg);
    return x;
}

static bool noted(const atg_notes *notes, const char *part) {
    for (uint32_t i = 0; i < notes->n; i++)
        if (strstr(notes->text[i].p, part))
            return true;
    return false;
}

static double sum_of(const atg_marker *m) {
    double sum = 0;

    for (uint16_t i = 0; i < m->n; i++)
        sum += m->freqs[i];
    return sum;
}

static const atg_marker *marker_of(const made *x, const char *name) {
    for (uint32_t i = 0; i < x->f.n_markers; i++)
        if (atg_str_eq(x->f.markers[i].name, atg_str_of(name)))
            return &x->f.markers[i];
    fail_msg("no marker %s", name);
    return NULL;
}

static atg_str shipped(atg_arena *arena) {
    const char *folder = getenv("ATG_DATA_DIR"); /* NOLINT(concurrency-mt-unsafe): one thread */
    char path[4096];
    atg_str bytes;

    assert_non_null(folder);
    snprintf(path, sizeof(path), "%s/frequencies/norway.json", folder);
    assert_int_equal(file_read(arena, path, ATG_INPUT_MAX, &bytes, NULL), ATG_OK);
    return bytes;
}

static void every_shipped_population_is_read(void **state) {
    static const struct {
        const char *name;
        uint32_t markers;
    } populations[] = {{"norway", 50},        {"europe", 45},    {"africa", 48},
                       {"south_america", 32}, {"west_asia", 50}, {"middle_asia", 48},
                       {"east_asia", 40}};
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    atg_str bytes = shipped(arena);

    (void)state;
    for (size_t i = 0; i < sizeof(populations) / sizeof(*populations); i++) {
        made x = read_bytes(bytes, populations[i].name);

        assert_int_equal(x.rc, ATG_OK);
        assert_string_equal(x.f.population.p, populations[i].name);
        assert_int_equal(x.f.n_markers, populations[i].markers);
        assert_non_null(strstr(x.f.source.p, "norSTR"));
        assert_non_null(strstr(x.f.licence.p, "MIT"));
        for (uint32_t m = 0; m < x.f.n_markers; m++) {
            assert_true(fabs(sum_of(&x.f.markers[m]) - 1) < 1e-9);
            assert_int_equal(x.f.markers[m].chrom, ATG_CHROM_AUTOSOMAL);
            assert_int_equal(x.f.markers[m].silent, -1);
        }
        assert_int_equal(x.notes->n, 0);
        atg_arena_free(x.arena);
    }
}

static void shipped_numbers_are_those_of_the_source(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    made x = read_bytes(shipped(arena), "Norway");
    const atg_marker *m;

    (void)state;
    assert_int_equal(x.rc, ATG_OK);
    m = marker_of(&x, "D1S1656");
    assert_int_equal(m->n, 17);
    assert_string_equal(m->labels[2].p, "12");
    assert_true(m->freqs[1] == 0.073863 && m->freqs[2] == 0.131917);
    m = marker_of(&x, "TH01");
    assert_true(m->freqs[atg_marker_allele(m, ATG_STR("9.3"))] == 0.339581);
    assert_int_equal(m->tenths[atg_marker_allele(m, ATG_STR("9.3"))], 93);
    atg_arena_free(x.arena);
}

static void a_population_is_never_chosen_silently(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    atg_str bytes = shipped(arena);
    made x = read_bytes(bytes, "");

    (void)state;
    assert_int_equal(x.rc, ATG_EINVAL);
    assert_non_null(strstr(x.err.msg, "Name one of the populations of this file: norway, europe"));
    atg_arena_free(x.arena);
    x = read_bytes(bytes, "sweden");
    assert_int_equal(x.rc, ATG_ENOTFOUND);
    assert_non_null(strstr(x.err.msg, "no population \"sweden\" in this file; it has norway"));
    atg_arena_free(x.arena);
}

static void a_single_population_needs_no_name(void **state) {
    made x = read_good("{\"schema\": \"str-frequencies/1\", \"persons\": {\"here\": 812},\n"
                       " \"populations\": {\"here\": {\"THO1\": {\"alleles\": [6, 9.3, \"7\"],\n"
                       "  \"freqs\": [0.25, 0.75, 0]}, \"DXS8378\": {\"alleles\": [\"10\"],\n"
                       "  \"freqs\": [1]}}}}",
                       "");

    (void)state;
    assert_string_equal(x.f.population.p, "here");
    assert_int_equal(x.f.n_population, 812);
    assert_int_equal(x.f.n_markers, 2);
    assert_string_equal(x.f.markers[0].name.p, "TH01");
    assert_int_equal(x.f.markers[0].n, 2); /* an allele of frequency 0 was not seen */
    assert_string_equal(x.f.markers[0].labels[1].p, "9.3");
    assert_int_equal(x.f.markers[1].chrom, ATG_CHROM_X);
    atg_arena_free(x.arena);
}

/* The same small table in the ways that programs and spreadsheets write it. */
static const struct {
    const char *name;
    const char *text;
    size_t n;
} tables[] = {
#define TABLE(name, text)                                                                          \
    { name, text, sizeof(text) - 1 }
    TABLE("commas", "Allele,TH01,PENTA_E\n5,,0.2\n6,0.25,0\n9.3,0.75,0.8\nN,500,400\n"),
    TABLE("semicolons and decimal commas",
          "allele;THO1;Penta-E\r\n5;;0,2\r\n6;0,25;\r\n9,3;0,75;0,8\r\nN;500;400\r\n"),
    TABLE("tabs and a byte order mark",
          "\xef\xbb\xbf"
          "Allele\tTHO1\tPENTAE\n5\t-\t2e-1\n6.0\t0.25\t-\n9.3\t.75\t.8\nn\t500\t400\n"),
    TABLE("quotes", "\"Allele\",\"TH01\",\"Penta E\"\n\"5\",\"\",\"0.2\"\n\"6\",\"0.25\",\"\"\n"
                    "\"9.3\",\"0.75\",\"0.8\"\nN,500,400"),
    TABLE("UTF-16", "\xff\xfe"
                    "A\0l\0l\0e\0l\0e\0,\0T\0H\0"
                    "0\0"
                    "1\0,\0P\0e\0n\0t\0a\0 \0E\0\n\0"
                    "5\0,\0,\0"
                    "0\0.\0"
                    "2\0\n\0"
                    "6\0,\0"
                    "0\0.\0"
                    "2\0"
                    "5\0,\0\n\0"
                    "9\0.\0"
                    "3\0,\0"
                    "0\0.\0"
                    "7\0"
                    "5\0,\0"
                    "0\0.\0"
                    "8\0\n\0N\0,\0"
                    "5\0"
                    "0\0"
                    "0\0,\0"
                    "4\0"
                    "0\0"
                    "0\0\n\0"),
};

static void a_table_is_read_however_it_is_written(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
        made x = read_bytes((atg_str){tables[i].text, tables[i].n}, "mine");
        const atg_marker *m = x.f.markers;

        if (x.rc)
            fail_msg("%s: %u:%u %s", tables[i].name, x.err.line, x.err.col, x.err.msg);
        assert_string_equal(x.f.population.p, "mine");
        assert_int_equal(x.f.n_population, 400);
        assert_true(noted(x.notes, "number of persons typed: 400"));
        assert_int_equal(x.f.n_markers, 2);
        assert_string_equal(m[0].name.p, "TH01");
        assert_string_equal(m[1].name.p, "Penta E");
        assert_int_equal(m[0].n, 2);
        assert_int_equal(m[1].n, 2);
        assert_string_equal(m[0].labels[0].p, "6");
        assert_string_equal(m[0].labels[1].p, "9.3");
        assert_true(m[0].freqs[0] == 0.25 && m[0].freqs[1] == 0.75);
        assert_true(m[1].freqs[0] == 0.2 && m[1].freqs[1] == 0.8);
        atg_arena_free(x.arena);
    }
}

static void rounded_frequencies_are_scaled_with_one_note(void **state) {
    made x = read_good("Allele,D3S1358,TH01\n15,0.5,0.5\n16,0.49,0.5\n", "p");

    (void)state;
    assert_true(fabs(sum_of(&x.f.markers[0]) - 1) < 1e-15);
    assert_true(fabs(x.f.markers[0].freqs[0] - 0.5 / 0.99) < 1e-15);
    assert_true(x.f.markers[1].freqs[0] == 0.5);
    assert_int_equal(x.notes->n, 1);
    assert_true(noted(x.notes, "of 1 markers did not sum to 1 and were scaled; farthest off was "
                               "D3S1358 with 0.99"));
    atg_arena_free(x.arena);
}

typedef struct broken {
    const char *text;
    uint32_t line, col;
    const char *msg;
} broken;

static const broken cases[] = {
    {"", 1, 1, "starts with a line of \"Allele\""},
    {"Allele\n5\n", 1, 1, "starts with a line of \"Allele\""},
    {"Allele,TH01,THO1\n5,1,1\n", 1, 13, "The marker TH01 is there twice"},
    {"Allele,TH01\n5,0.5\n5,0.5\n", 3, 3, "The allele 5 of TH01 is there twice"},
    {"Allele,TH01\n5,0.5\n5.0,0.5\n", 3, 5, "The allele 5 of TH01 is there twice"},
    {"Allele,TH01\n5,x\n", 2, 3, "\"x\" is not a frequency from 0 to 1"},
    {"Allele,TH01\n5,-0.1\n", 2, 3, "is not a frequency from 0 to 1"},
    {"Allele,TH01\n5,25\n", 2, 3, "is not a frequency from 0 to 1"},
    {"Allele,TH01\n5,0,25\n", 2, 5, "is a decimal comma also the separator?"},
    {"Allele,TH01,\n5,0.5,0.5\n", 2, 7, "This column has no marker"},
    {"Allele,TH01\n,0.5\n", 2, 1, "The allele is missing"},
    {"Allele,TH01\n5,1\nN,many\n", 3, 3, "\"many\" is not a number of persons"},
    {"Allele,TH01\n5,1\nN,12.5\n", 3, 3, "is not a number of persons"},
    {"Allele,TH01\n5,0.5\n6,0.3\n", 0, 0, "TH01 sum to 0.8; write shares"},
    {"Allele,TH01,D3S1358\n5,1\n", 0, 0, "D3S1358 has no frequencies"},
    {"Allele,TH01\n\"5,1\n", 2, 1, "never closed"},
    {"Allele,A name of a marker that is far too long\n5,1\n", 1, 8, "is not a marker name"},
    {"{\"schema\": \"x\"}", 1, 12, "write \"str-frequencies/1\""},
    {"{\"schema\": \"str-frequencies/1\"}", 1, 1, "\"populations\" is missing"},
    {"{\"schema\": \"str-frequencies/1\", \"populations\": []}", 1, 48, "Write an object"},
    {"{\"schema\": \"str-frequencies/1\", \"populations\": {\"a\": {}}}", 1, 54, "has no markers"},
    {"{\"schema\": \"str-frequencies/1\", \"populations\": {\"a\": {\"L\": {}}}}", 1, 60,
     "populations.a.L: \"alleles\" and \"freqs\" must be two lists"},
    {"{\"schema\": \"str-frequencies/1\", \"populations\": {\"a\": {\"L\":\n"
     " {\"alleles\": [1, 2], \"freqs\": [1, 2]}}}}",
     2, 18, "populations.a.L.alleles[1]: The frequency of 2 is not a number from 0 to 1"},
    {"{\"schema\": \"str-frequencies/1\", \"populations\": {\"a\": {\"L\":\n"
     " {\"alleles\": [1, 1], \"freqs\": [0.5, 0.5]}}}}",
     2, 18, "The allele 1 of L is there twice"},
    {"{\"schema\": \"str-frequencies/1\", \"populations\": {\"a\": {\"TH01\":\n"
     " {\"alleles\": [1], \"freqs\": [1]},\n \"THO1\": {\"alleles\": [1], \"freqs\": [1]}}}}",
     3, 10, "The marker TH01 is there twice"},
    {"{\"schema\": \"str-frequencies/1\", \"persons\": {\"a\": \"12\"}, \"populations\": {\"a\":\n"
     " {\"L\": {\"alleles\": [1], \"freqs\": [1]}}}}",
     1, 50, "persons.a: Write a whole number"},
};

static void each_error_has_its_place_and_sentence(void **state) {
    uint32_t wrong = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const broken *c = &cases[i];
        made x = read_text(c->text, "");

        if (x.rc == ATG_OK || x.err.line != c->line || x.err.col != c->col ||
            !strstr(x.err.msg, c->msg)) {
            print_error("%s: %d at %u:%u \"%s\"; expected %u:%u \"%s\"\n", c->text, x.rc,
                        x.err.line, x.err.col, x.err.msg, c->line, c->col, c->msg);
            wrong++;
        }
        atg_arena_free(x.arena);
    }
    assert_int_equal(wrong, 0);
}

static void short_memory_is_reported_and_leaks_nothing(void **state) {
    static const char *const texts[] = {
        "Allele;THO1;Penta-E\r\n5;;0,2\r\n6;0,25;\r\n9,3;0,75;0,8\r\nN;500;400\r\n",
        "{\"schema\": \"str-frequencies/1\", \"source\": \"a place that has a long name\",\n"
        " \"populations\": {\"here\": {\"THO1\": {\"alleles\": [6, 9.3, \"7\"],\n"
        "  \"freqs\": [0.25, 0.75, 0]}}}}"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        size_t before = mem_live();
        int rc = ATG_ENOMEM;

        for (long k = 0; rc == ATG_ENOMEM; k++) {
            atg_frequencies f;
            atg_err err = {0};

            mem_fail_after(k);

            atg_arena *arena = atg_arena_new(ARENA);

            if (arena)
                rc = atg_frequencies_read(arena, atg_str_of(texts[i]), ATG_STR(""), &f, NULL, &err);
            mem_fail_after(-1);
            if (rc && rc != ATG_ENOMEM)
                fail_msg("allocation %ld: %s", k, err.msg);
            atg_arena_free(arena);
            assert_int_equal(mem_live(), before);
        }
        assert_int_equal(rc, ATG_OK);
    }
}

typedef struct guess {
    const char *name, *text;
    size_t n;
    atg_format format;
} guess;

static const guess guesses[] = {
#define GUESS(name, text, format)                                                                  \
    { name, text, sizeof(text) - 1, format }
    GUESS("x.json", "{\"schema\": \"antigone-operation/1\"}", ATG_FORMAT_OPERATION),
    GUESS("x", "\xef\xbb\xbf {\n\"am\": [{\"schema\": 1}], \"schema\":\"dvi-reference/1\"",
          ATG_FORMAT_REFERENCE),
    GUESS("x.txt", "{\"schema\":\"str-frequencies/1\",", ATG_FORMAT_FREQUENCIES),
    GUESS("x.json", "{\"schema\":\"other\"}", ATG_FORMAT_UNKNOWN),
    GUESS("x.json", "{\"schema\":7}", ATG_FORMAT_UNKNOWN),
    GUESS("x.json", "{\"a\":\"antigone-operation/1\"}", ATG_FORMAT_UNKNOWN),
    GUESS("x.json", "{", ATG_FORMAT_UNKNOWN),
    GUESS("x.fam", "\"Output from Familias, version 3.2.9\"\r\n\"DO NOT EDIT!\"\r\n",
          ATG_FORMAT_FAMILIAS),
    GUESS("x.txt", "\"Output from Familias, version 3.2.9\"\n", ATG_FORMAT_FAMILIAS),
    GUESS("X.FAM", "anything\n", ATG_FORMAT_FAMILIAS),
    GUESS("x.xml", "<?xml version=\"1.0\"?>\n<CODISImportFile xmlns=\"urn:CODISImportFile\">",
          ATG_FORMAT_CMF),
    GUESS("x.xml", "<html>", ATG_FORMAT_UNKNOWN),
    GUESS("x.csv", "Allele,TH01\n6,1\n", ATG_FORMAT_FREQUENCIES),
    GUESS("x.csv", "\"Allele\";\"TH01\"\n", ATG_FORMAT_FREQUENCIES),
    GUESS("x.csv",
          "\xff\xfe"
          "A\0l\0l\0e\0l\0e\0\t\0X\0",
          ATG_FORMAT_FREQUENCIES),
    GUESS("x.csv",
          "\xfe\xff"
          "\0i\0d\0,\0T\0H\0"
          "0\0"
          "1",
          ATG_FORMAT_TABLE),
    GUESS("x.csv", "Sample Name\tMarker\tAllele 1\tAllele 2\n", ATG_FORMAT_TABLE),
    GUESS("x.csv", "id,TH01,TH01\n", ATG_FORMAT_TABLE),
    GUESS("x.csv", "", ATG_FORMAT_UNKNOWN),
    GUESS("x.csv", " \n\n", ATG_FORMAT_UNKNOWN),
    GUESS("x.bin", "PK\3\4\0\0", ATG_FORMAT_UNKNOWN),
    GUESS("x.txt", "some words\n", ATG_FORMAT_UNKNOWN),
};

static void formats_are_told_apart_by_their_bytes(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof(guesses) / sizeof(*guesses); i++) {
        const guess *g = &guesses[i];
        atg_format format = atg_format_guess(atg_str_of(g->name), (atg_str){g->text, g->n});

        if (format != g->format)
            fail_msg("%s \"%s\": %d, expected %d", g->name, g->text, format, g->format);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_shipped_population_is_read),
        cmocka_unit_test(shipped_numbers_are_those_of_the_source),
        cmocka_unit_test(a_population_is_never_chosen_silently),
        cmocka_unit_test(a_single_population_needs_no_name),
        cmocka_unit_test(a_table_is_read_however_it_is_written),
        cmocka_unit_test(rounded_frequencies_are_scaled_with_one_note),
        cmocka_unit_test(each_error_has_its_place_and_sentence),
        cmocka_unit_test(short_memory_is_reported_and_leaks_nothing),
        cmocka_unit_test(formats_are_told_apart_by_their_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
