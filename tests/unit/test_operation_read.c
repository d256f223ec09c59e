/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>

#include "base/file.h"

enum { ARENA = 64 << 20, TEXT = 16384 };

/* Every member of the format once; the cases below break one place of it each. */
static const char good[] =
    "{\"schema\": \"antigone-operation/1\", \"name\": \"Boat\",\n"                         /* 1 */
    " \"population\": {\"name\": \"norway\", \"source\": \"made up\", \"n\": 500},\n"      /* 2 */
    " \"theta\": 0.01, \"min_frequency\": 0.002, \"process_error\": 0.001,\n"              /* 3 */
    " \"threshold\": 0.9999, \"min_log10_lr\": 5, \"max_incompatible\": 3,\n"              /* 4 */
    " \"prior\": {\"kind\": \"open\", \"not_on_list\": 0.1, \"n_expected\": 9,\n"          /* 5 */
    "   \"given\": [{\"remains\": \"PM1\", \"missing\": \"MP1\", \"odds\": 2.5}]},\n"      /* 6 */
    " \"markers\": [\n"                                                                    /* 7 */
    "  {\"name\": \"TH01\", \"chrom\": \"A\", \"alleles\": [6, \"9.3\", \"0\"],\n"         /* 8 */
    "   \"freqs\": [0.5, 0.4, 0.1], \"silent\": \"0\", \"mutation\": null},\n"             /* 9 */
    "  {\"name\": \"DXS8378\", \"chrom\": \"X\", \"alleles\": [\"10\", \"11\"],\n"         /* 10 */
    "   \"freqs\": [0.4, 0.6], \"linkage_group\": 1, \"mutation\": {\n"                    /* 11 */
    "    \"female\": {\"model\": \"stepwise\", \"rate\": 0.001, \"rate2\": 1e-6,\n"        /* 12 */
    "               \"range\": 0.1, \"transform\": \"PM\"},\n"                             /* 13 */
    "    \"male\": {\"model\": \"custom\", \"matrix\": [[0.9, 0.1], [0.2, 0.8]]}}},\n"     /* 14 */
    "  {\"name\": \"D3S1358\", \"chrom\": \"A\", \"alleles\": [\"15\"], \"freqs\": [1],\n" /* 15
                                                                                            */
    "   \"linked_to\": \"THO1\", \"rho\": 0.25}],\n"                                       /* 16 */
    " \"remains\": [\n"                                                                    /* 17 */
    "  {\"id\": \"PM1\", \"body\": \"B1\", \"sex\": \"M\", \"part\": true, \"mixture\": "
    "false,\n"                                                                      /* 18 */
    "   \"dropout\": 0.1, \"dropin\": 0.01, \"genotypes\": {\"THO1\": [6, 9.3],\n"  /* 19 */
    "    \"DXS8378\": [\"10\"], \"D3\": [\"15\", \"-\"]},\n"                        /* 20 */
    "   \"mt\": {\"ranges\": [[16024, 16365]], \"differences\": [\"16126C\"]}}],\n" /* 21 */
    " \"families\": [\n"                                                            /* 22 */
    "  {\"id\": \"F1\", \"members\": [\n"                                           /* 23 */
    "    {\"id\": \"a\", \"sex\": \"M\", \"inbreeding\": 0.1,\n"                    /* 24 */
    "     \"genotypes\": {\"TH01\": [\"6\", \"6\"]}},\n"                            /* 25 */
    "    {\"id\": \"b\", \"father\": \"a\", \"sex\": \"F\", \"missing\": \"MP1\", "
    "\"own\": [{\"id\": \"brush\", \"dropout\": 0.05, \"genotypes\": {\"TH01\": [\"6\", \"-\"]}}]}"
    "],\n" /* 26 */
    "   \"consents\": [{\"person\": \"a\", \"recipient\": \"Lab\", \"until\": "
    "\"2031-12-31\"}]}],\n"                                                             /* 27 */
    " \"staff\": [{\"id\": \"S1\", \"genotypes\": {\"TH01\": [\"9.3\", \"9.3\"]}}]}\n"; /* 28 */

typedef struct made {
    atg_arena *arena;
    atg_notes *notes;
    atg_operation op;
    atg_err err;
    int rc;
} made;

static made read_text(const char *text) {
    made x = {.arena = atg_arena_new(ARENA)};

    assert_non_null(x.arena);
    x.notes = atg_notes_new(x.arena);
    assert_non_null(x.notes);
    x.rc = atg_operation_read_json(x.arena, atg_str_of(text), &x.op, x.notes, &x.err);
    return x;
}

static made read_good(const char *text) {
    made x = read_text(text);

    if (x.rc)
        fail_msg("%u:%u %s", x.err.line, x.err.col, x.err.msg);
    return x;
}

/* `good` with the first `what` replaced. */
static void with(const char *what, const char *by, char ret[TEXT]) {
    const char *at = strstr(good, what);

    assert_non_null(at);
    snprintf(ret, TEXT, "%.*s%s%s", (int)(at - good), good, by, at + strlen(what));
}

static bool noted(const atg_notes *notes, const char *part) {
    for (uint32_t i = 0; i < notes->n; i++)
        if (strstr(notes->text[i].p, part))
            return true;
    return false;
}

static void parameters_are_read(void **state) {
    made x = read_good(good);
    const atg_params *p = &x.op.params;

    (void)state;
    assert_string_equal(x.op.name.p, "Boat");
    assert_string_equal(p->population.p, "norway");
    assert_string_equal(p->source.p, "made up");
    assert_int_equal(p->n_population, 500);
    assert_true(p->theta == 0.01 && p->min_freq == 0.002 && p->process_error == 0.001);
    assert_true(p->threshold == 0.9999 && p->min_log10_lr == 5 && p->max_incompatible == 3);
    assert_int_equal(p->prior.kind, ATG_PRIOR_OPEN);
    assert_int_equal(p->prior.n_expected, 9);
    assert_true(atg_prior_odds(&x.op, 0, 0) == 2.5);
    atg_arena_free(x.arena);
}

static void markers_are_read(void **state) {
    made x = read_good(good);
    const atg_marker *m = x.op.markers;

    (void)state;
    assert_int_equal(x.op.n_markers, 3);
    assert_int_equal(m[0].n, 3);
    assert_string_equal(m[0].labels[0].p, "6");
    assert_int_equal(m[0].tenths[1], 93);
    assert_int_equal(m[0].silent, 2);
    assert_int_equal(m[0].female.model, ATG_MUT_NONE);
    assert_int_equal(m[1].chrom, ATG_CHROM_X);
    assert_int_equal(m[1].linkage_group, 1);
    assert_int_equal(m[1].female.model, ATG_MUT_STEPWISE);
    assert_int_equal(m[1].female.transform, ATG_MUT_PM);
    assert_true(m[1].female.rate2 == 1e-6 && m[1].female.range == 0.1);
    assert_true(m[1].male.matrix && m[1].male.matrix[2] == 0.2);
    assert_int_equal(m[2].linked_to, 0);
    assert_true(m[2].rho == 0.25);
    atg_arena_free(x.arena);
}

static void profiles_are_read_under_alias_names(void **state) {
    made x = read_good(good);
    const atg_sample *s = x.op.samples;

    (void)state;
    assert_int_equal(s->genos[0].a, 0);
    assert_int_equal(s->genos[0].b, 1);
    assert_int_equal(s->genos[1].a, 0); /* a man at X has his allele twice */
    assert_int_equal(s->genos[1].b, 0);
    assert_int_equal(s->genos[2].a, 0);
    assert_int_equal(s->genos[2].b, ATG_ALLELE_UNREAD);
    assert_true(s->part && !s->mixture && s->dropout == 0.1 && s->dropin == 0.01);
    assert_int_equal(s->mt.n_ranges, 1);
    assert_int_equal(s->mt.n_diffs, 1);
    assert_string_equal(s->mt.diffs[0].p, "16126C");
    assert_int_equal(x.op.n_staff, 1);
    assert_int_equal(x.op.staff[0].sex, ATG_SEX_UNKNOWN);
    assert_false(atg_geno_typed(x.op.staff[0].genos[1]));
    atg_arena_free(x.arena);
}

static void a_single_parent_is_completed_with_a_note(void **state) {
    made x = read_good(good);
    const atg_pedigree *ped = &x.op.families[0].ped;

    (void)state;
    assert_int_equal(ped->n, 3);
    assert_true(ped->persons[2].implicit);
    assert_int_equal(ped->persons[1].father, 0);
    assert_int_equal(ped->persons[1].mother, 2);
    assert_int_equal(ped->persons[2].sex, ATG_SEX_FEMALE);
    assert_string_equal(ped->persons[2].id.p, "mother of b");
    assert_true(noted(x.notes, "Family F1: b has no named mother"));
    assert_int_equal(x.op.families[0].n_consents, 1);
    assert_string_equal(x.op.families[0].consents[0].until.p, "2031-12-31");
    atg_arena_free(x.arena);
}

static void an_added_parent_gets_a_name_that_is_free(void **state) {
    char text[TEXT];

    (void)state;
    with("{\"id\": \"b\",", "{\"id\": \"mother of b\", \"sex\": \"F\"}, {\"id\": \"b\",", text);

    made x = read_good(text);

    assert_string_equal(x.op.families[0].ped.persons[3].id.p, "mother of b (2)");
    atg_arena_free(x.arena);
}

static void an_unlisted_allele_gets_the_minimum_frequency(void **state) {
    char text[TEXT];

    (void)state;
    with("[6, 9.3]", "[\"8\", \"6\"]", text);

    made x = read_good(text);
    const atg_marker *m = &x.op.markers[0];
    double sum = 0;

    assert_int_equal(m->n, 4);
    assert_string_equal(m->labels[3].p, "8");
    assert_int_equal(m->tenths[3], 80);
    assert_true(m->freqs[3] == 0.002);
    assert_true(fabs(m->freqs[0] - 0.5 * 0.998) < 1e-15);
    for (int i = 0; i < 4; i++)
        sum += m->freqs[i];
    assert_true(fabs(sum - 1) < 1e-15);
    assert_int_equal(x.op.samples[0].genos[0].a, 3);
    assert_true(noted(x.notes, "TH01: the allele 8 is not in the table and gets the minimum "
                               "frequency 0.002"));
    atg_arena_free(x.arena);
}

static void the_minimum_frequency_follows_from_the_size_of_the_table(void **state) {
    char text[TEXT];
    char *at;

    (void)state;
    with("[6, 9.3]", "[\"8\", \"6\"]", text);
    at = strstr(text, "\"min_frequency\": 0.002,");
    memset(at, ' ', strlen("\"min_frequency\": 0.002,"));

    made x = read_good(text);

    assert_true(fabs(x.op.markers[0].freqs[3] - 0.005) < 1e-15);
    atg_arena_free(x.arena);
    at = strstr(text, "500");
    at[0] = at[1] = ' ';
    x = read_text(text);
    assert_int_equal(x.rc, ATG_EINVAL);
    assert_non_null(strstr(x.err.msg, "name a minimum frequency, or the number of persons"));
    atg_arena_free(x.arena);
}

static void unknown_keys_are_noted_once(void **state) {
    char text[TEXT];

    (void)state;
    with("{\"id\": \"a\",", "{\"colour\": 1, \"id\": \"a\",", text);

    made x = read_good(text);

    assert_true(noted(x.notes, "families[0].members[0]: The key \"colour\" is not part of the "
                               "format"));
    atg_arena_free(x.arena);
    x = read_good(good);
    assert_false(noted(x.notes, "not part of the format"));
    atg_arena_free(x.arena);
}

static void a_byte_order_mark_is_skipped(void **state) {
    char text[TEXT];

    (void)state;
    snprintf(text, sizeof(text), "\xef\xbb\xbf%s", good);

    made x = read_good(text);

    assert_int_equal(x.op.n_markers, 3);
    atg_arena_free(x.arena);
}

typedef struct broken {
    const char *what, *by; /* replaced in `good` */
    const char *at;        /* what stands at the place of the error; NULL: it has no place */
    const char *msg;       /* part of the sentence */
} broken;

static const broken cases[] = {
    {"antigone-operation/1", "antigone-operation/9", "\"antigone-oper",
     "is not a format that can be read"},
    {"\"schema\": \"antigone-operation/1\", ", "", "{\"name\": \"Boat", "\"schema\" is missing"},
    {"\"theta\": 0.01, ", "", "{\"schema\": \"an", "\"theta\" is missing"},
    {" \"population\": {\"name\": \"norway\", \"source\": \"made up\", \"n\": 500},\n", "",
     "{\"schema\": \"an", "\"population\" is missing"},
    {"\"norway\"", "\"\"", "\"\", \"source\": ", "population.name: This text is empty"},
    {"\"n\": 500", "\"n\": -5", "-5},", "from 0 to 4294967295"},
    {"\"n\": 500", "\"n\": 0.5", "0.5},", "population.n: Write a whole number"},
    {"\"theta\": 0.01", "\"theta\": 0.6", "0.6, \"min_freq",
     "theta: This is 0.6; it must be from 0 to 0.5"},
    {"\"theta\": 0.01", "\"theta\": \"0\"", "\"0\", \"min_freq", "theta: Write a number"},
    {"0.9999", "0.99", "0.99, \"min_log", "threshold: This is 0.99"},
    {"\"max_incompatible\": 3", "\"max_incompatible\": 2.5", "2.5,", "Write a whole number"},
    {"\"open\"", "\"wide\"", "\"wide\", \"not_o",
     "prior.kind: Write \"flat\", \"closed\" or \"open\""},
    {"\"not_on_list\": 0.1, ", "", "{\"kind\": \"open",
     "prior: The member \"not_on_list\" is missing"},
    {"\"remains\": \"PM1\"", "\"remains\": \"PM9\"", "\"PM9\", \"missin",
     "There are no remains \"PM9\""},
    {"\"missing\": \"MP1\", \"odds\"", "\"missing\": \"MP7\", \"odds\"",
     "\"MP7\", \"odds\":", "prior.given[0].missing: There is no missing person \"MP7\""},
    {"2.5", "-1", "-1}]},", "Odds are 0 or more"},
    {"\"TH01\", \"chrom\"", "5, \"chrom\"", "5, \"chrom\": \"A",
     "markers[0].name: Write a text in quotes here"},
    {"\"chrom\": \"A\"", "\"chrom\": \"Z\"", "\"Z\", \"alleles\"", "Write \"A\", \"X\", \"Y\""},
    {"[6, \"9.3\", \"0\"]", "[6, \"9.3\", \"6\"]", "\"6\"],",
     "markers[0].alleles[2]: The allele 6 of TH01 is there twice"},
    {"[6, \"9.3\", \"0\"]", "[6, \"9.3\"]", "[0.5, 0.4, 0.1", "2 alleles and 3 frequencies"},
    {"[6, \"9.3\", \"0\"]", "[6, -9.3, \"0\"]", "-9.3, \"0\"],", "-9.3 is not a repeat number"},
    {"[6, \"9.3\", \"0\"]", "[6, true, \"0\"]", "true, \"0\"],", "An allele is a text or a number"},
    {"[6, \"9.3\", \"0\"]", "[6, \"-\", \"0\"]", "\"-\", \"0\"],", "is not the name of an allele"},
    {"[0.5, 0.4, 0.1]", "[0.5, 0.4, 0.2]", "[0.5, 0.4, 0.2",
     "markers[0].freqs: The frequencies sum to 1.1"},
    {"[0.5, 0.4, 0.1]", "[0.5, 0.5, 0]", "\"0\"],", "The frequency of 0 is 0; it must be above 0"},
    {"\"silent\": \"0\"", "\"silent\": \"1\"", "\"1\", \"mutation",
     "\"1\" is not among the alleles"},
    {"\"DXS8378\", \"chrom\"", "\"THO1\", \"chrom\"", "{\"name\": \"THO1",
     "markers[1]: The marker THO1 is there twice (as TH01)"},
    {"\"mutation\": {", "\"mutation\": [{", "},", "']' expected near '}'"},
    {"\"stepwise\"", "\"random\"", "\"random\", \"rat", "\"random\" is not a mutation model"},
    {"\"rate\": 0.001", "\"rate\": 1.5", "1.5, \"rate2\": ", "mutation.female.rate: This is 1.5"},
    {"\"rate\": 0.001, ", "", "{\"model\": \"ste", "\"rate\" is missing"},
    {"\"range\": 0.1", "\"range\": 1", "1, \"transform\"", "it must be between 0 and 1"},
    {"\"PM\"", "\"XX\"", "\"XX\"},", "is not a transform"},
    {"[0.2, 0.8]", "[0.2, 0.7]", "[0.2, 0.7]]}}}", "mutation.male.matrix[1]: This row sums to 0.9"},
    {"[0.2, 0.8]", "[0.2]", "[0.2]]}}},", "a list of 2 numbers"},
    {"[[0.9, 0.1], [0.2, 0.8]]", "[[1]]", "[[1]]}}},", "one row for each of the 2 alleles"},
    {", \"matrix\": [[0.9, 0.1], [0.2, 0.8]]", "", "{\"model\": \"cus",
     "\"custom\" needs a \"matrix\""},
    {"\"THO1\", \"rho\"", "\"D3\", \"rho\"", "\"D3\", \"rho\": 0",
     "\"D3\" is not a marker earlier in the list"},
    {"0.25}]", "0.75}]", "0.75}],", "rho: This is 0.75"},
    {"\"PM1\", \"body\"", "\"\", \"body\"", "\"\", \"body\": \"B",
     "remains[0].id: This text is empty"},
    {"\"sex\": \"M\", \"part\"", "\"sex\": \"m\", \"part\"", "\"m\", \"part\": t",
     "Write \"M\", \"F\""},
    {"\"part\": true", "\"part\": 1", "1, \"mixture\": ", "remains[0].part: Write true or false"},
    {"\"dropout\": 0.1", "\"dropout\": 1", "1, \"dropin\": 0", "it must be below 1"},
    {"\"THO1\": [6, 9.3]", "\"TH02\": [6, 9.3]", "[6, 9.3],",
     "\"TH02\" is not among the markers of this operation"},
    {"[6, 9.3]", "[6]", "[6],",
     "write [\"6\", \"6\"] for a homozygote, or [\"6\", \"-\"] when the other was not read"},
    {"[6, 9.3]", "[6, 9.3, 10]", "[6, 9.3, 10],", "A genotype is a list of two alleles"},
    {"[6, 9.3]", "\"6/9.3\"", "\"6/9.3\",", "A genotype is a list of two alleles"},
    {"[6, 9.3]", "[6, \"0\"]", "[6, \"0\"],", "0 is the silent allele of TH01"},
    {"\"DXS8378\": [\"10\"]", "\"DXS8378\": [\"10\", \"11\"]", "[\"10\", \"11\"], ",
     "A man has one allele"},
    {"\"DXS8378\": [\"10\"]", "\"DXS8378\": [\"12\"]", NULL, "the mutation matrix has no row"},
    {"\"D3\": [", "\"TH01\": [", "[\"15\", \"-\"]},", "The marker TH01 is there twice"},
    {"16024, 16365", "16024, 17000", "[16024, 17000]", "A range is two positions from 1 to 16569"},
    {"\"16126C\"", "\"99C\"", "{\"ranges\": [[1", "outside the ranges"},
    {"{\"id\": \"F1\",", "{", "{ \"members\": [", "families[0]: The member \"id\" is missing"},
    {"\"members\": [", "\"people\": [", "{\"id\": \"F1\", \"",
     "The list of \"members\" is missing"},
    {"\"inbreeding\": 0.1", "\"inbreeding\": 2", "2,", "it must be from 0 to 1"},
    {"\"father\": \"a\"", "\"father\": \"z\"", "\"z\", \"sex\": \"F",
     "families[0].members[1].father: The father of \"b\", \"z\", is not a member"},
    {"\"father\": \"a\"", "\"father\": \"b\"", "\"b\", \"sex\": \"F",
     "cannot be his or her own parent"},
    {"\"father\": \"a\"", "\"mother\": \"a\"", "\"a\", \"sex\": \"F", "\"a\", is recorded as male"},
    {"\"father\": \"a\"", "\"father\": \"a\", \"mother\": \"a\"", "\"a\", \"sex\": \"F",
     "is recorded as male"},
    {"\"father\": \"a\"", "\"father\": 7", "7, \"sex\": \"F\",",
     "Write a text in quotes here; this is a number"},
    {"{\"id\": \"b\"", "{\"id\": \"a\"",
     "\"a\", \"father\":", "The id \"a\" is used twice in family \"F1\""},
    {"\"own\": [{", "\"genotypes\": {\"TH01\": [6, 6]}, \"own\": [{", "{\"TH01\": [6, 6",
     "The missing person \"MP1\" has genotypes; enter what is from that person before as \"own\""},
    {"\"own\": [{", "\"mt\": {\"ranges\": [[1, 9]], \"differences\": []}, \"own\": [{",
     "{\"ranges\": [[1", "The missing person \"MP1\" has mtDNA"},
    {"\"own\": [{\"id\": \"brush\", ", "\"own\": [{", "{\"dropout\": 0.",
     "own[0]: The member \"id\" is missing"},
    {"\"own\": [{\"id\": \"brush\", ", "\"own\": [7, {\"id\": \"brush\", ", "7, {\"id\"",
     "Write an object in braces here; this is a number"},
    {"\"dropout\": 0.05", "\"dropout\": 1", "1, \"genotypes", "it must be below 1"},
    {"\"sex\": \"M\", \"inbreeding\"", "\"sex\": \"M\", \"own\": [], \"inbreeding\"",
     "[], \"inbreed", "Only a missing person has own samples"},
    {"\"person\": \"a\"", "\"person\": \"z\"", "\"z\", \"recipien",
     "\"z\" is not a member of this family"},
    {"2031-12-31", "31.12.2031", "\"31.12.2031\"}]", "Write a date as 2031-12-31"},
    {"[{\"id\": \"S1\"", "[{\"id\": \"S1\"}, {\"id\": \"S1\"", "\"S1\", \"genotyp",
     "staff[1].id: The id \"S1\" is used twice"},
    /* Text that is not JSON. */
    {"{\"schema\"", "[\"schema\"", "[\"schema\": \"an", "an object in braces is expected"},
    {"\"Boat\",", "\"Boat\"", "\"population\": ", "a comma or a closing brace is missing"},
    {"\"Boat\"", "Boat", "Boat,", "This is not JSON"},
    {"\"theta\": 0.01", "\"name\": 0.01", "0.01, \"min_fre",
     "The key \"name\" stands twice; remove one"},
    {"\"sex\": \"M\", \"part\"", "\"id\": \"M\", \"part\"", "\"id\": \"M\", \"pa",
     "The key \"id\" stands twice in one object; remove one"},
    {"\"PM1\", \"body\"", "\"PM1\" \"body\"", "\"body\": \"B1\", ", "This is not JSON"},
    {"2.5}]}", "2.5}]", "", "This is not JSON"},
    {"[0.4, 0.6]", "[0.4, 0.6}", "}, \"linkage_gr", "This is not JSON"},
    {"\"F1\"", "\"F\xff\"", "\"F", "This is not JSON"},
    {"\"9.3\"]}}]}\n", "\"9.3\"]}}]}\n{", "{", "text behind the closing brace"},
    {"\"9.3\"]}}]}\n", "\"9.3\"]}}", "}", "This is not JSON"},
    {"\"PM1\", \"body\"", "\"P\\u0001\", \"body\"", "\"P\\u0001\", \"bo",
     "may not hold a control character"},
};

/* The text from the place of the error on. */
static const char *place(const char *text, const atg_err *err) {
    for (uint32_t line = 1; line < err->line; line++) {
        text = strchr(text, '\n');
        assert_non_null(text);
        text++;
    }
    return err->col ? text + err->col - 1 : "(nowhere)";
}

static bool stands_at(const char *text, const atg_err *err, const char *what) {
    if (!what)
        return err->line == 0 && err->col == 0;
    return err->line && !strncmp(place(text, err), what, strlen(what));
}

static void each_error_has_its_place_and_sentence(void **state) {
    uint32_t wrong = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const broken *c = &cases[i];
        char text[TEXT];

        with(c->what, c->by, text);

        made x = read_text(text);

        if (x.rc == ATG_OK || !stands_at(text, &x.err, c->at) || !strstr(x.err.msg, c->msg)) {
            print_error("%s -> %s: %d at %u:%u (%.20s) \"%s\"\n", c->what, c->by, x.rc, x.err.line,
                        x.err.col, place(text, &x.err), x.err.msg);
            wrong++;
        }
        atg_arena_free(x.arena);
    }
    assert_int_equal(wrong, 0);
}

static void a_large_family_is_refused(void **state) {
    enum { SIZE = 64 * 1024 };
    char *text = malloc(SIZE);
    size_t n;

    (void)state;
    assert_non_null(text);
    n = (size_t)snprintf(text, SIZE,
                         "{\"schema\":\"antigone-operation/1\",\"population\":{\"name\":\"x\"},"
                         "\"theta\":0,\"markers\":[],\"families\":[{\"id\":\"F\",\"members\":[");
    for (int i = 0; i <= ATG_PEDIGREE_MAX; i++)
        n += (size_t)snprintf(text + n, SIZE - n, "%s{\"id\":\"%d\"}", i ? "," : "", i);
    snprintf(text + n, SIZE - n, "]}]}");

    made x = read_text(text);

    assert_int_equal(x.rc, ATG_ELIMIT);
    assert_non_null(strstr(x.err.msg, "families[0].members[256]"));
    atg_arena_free(x.arena);
    free(text);
}

static void every_parameter_but_population_and_theta_has_a_default(void **state) {
    made x = read_good("{\"schema\":\"antigone-operation/1\",\"population\":{\"name\":\"x\"},"
                       "\"theta\":0,\"markers\":[]}");
    atg_params d = atg_params_default();

    (void)state;
    assert_true(x.op.params.threshold == d.threshold);
    assert_true(x.op.params.min_log10_lr == d.min_log10_lr);
    assert_int_equal(x.op.params.max_incompatible, d.max_incompatible);
    assert_int_equal(x.op.params.prior.kind, ATG_PRIOR_FLAT);
    atg_arena_free(x.arena);
}

static const char reference[] =
    "{\"schema\": \"dvi-reference/1\", \"dataset\": \"made up\", \"note\": \"\",\n"
    " \"markers\": [{\"name\": \"L1\", \"chrom\": \"A\", \"alleles\": [\"1\", \"2\"],\n"
    "   \"freqs\": [0.3, 0.7], \"mutation\": {\"female\": {\"model\": \"equal\", \"rate\": 0.1,\n"
    "   \"rate2\": 0, \"range\": 0.1}, \"male\": {\"model\": \"equal\", \"rate\": 0.2}}}],\n"
    " \"pm\": [{\"id\": \"V1\", \"sex\": \"F\", \"genotypes\": {\"L1\": [\"1\", \"2\"]}}],\n"
    " \"am\": [{\"family\": \"F1\", \"members\": [\n"
    "   {\"id\": \"M2\", \"father\": \"R\", \"mother\": \"S\", \"sex\": \"M\", \"genotypes\": "
    "{}},\n"
    "   {\"id\": \"R\", \"father\": null, \"mother\": null, \"sex\": \"M\", \"genotypes\": "
    "{\"L1\": [\"1\", \"1\"]}},\n"
    "   {\"id\": \"S\", \"father\": null, \"mother\": null, \"sex\": \"F\", \"genotypes\": {}},\n"
    "   {\"id\": \"M1\", \"father\": \"R\", \"mother\": \"S\", \"sex\": \"F\", \"genotypes\": "
    "{}}]}],\n"
    " \"missing\": [{\"id\": \"M1\", \"family\": \"F1\", \"sex\": \"F\"},\n"
    "   {\"id\": \"M2\", \"family\": \"F1\", \"sex\": \"M\"}],\n"
    " \"pairings\": {}, \"results\": {\"anything\": [1, 2]}}\n";

static void reference_operations_are_read(void **state) {
    made x = read_good(reference);

    (void)state;
    assert_string_equal(x.op.name.p, "made up");
    assert_int_equal(x.op.n_samples, 1);
    assert_int_equal(x.op.n_missing, 2);
    assert_int_equal(x.op.missing[0].person, 3); /* in the order of the list */
    assert_int_equal(x.op.missing[1].person, 0);
    assert_int_equal(x.op.families[0].n_missing, 2);
    assert_int_equal(x.op.families[0].missing[0], 0);
    assert_null(x.op.families[0].ped.persons[0].genos);
    assert_non_null(x.op.families[0].ped.persons[1].genos);
    assert_true(x.op.markers[0].female.rate == 0.1 && x.op.markers[0].male.rate == 0.2);
    assert_int_equal(x.notes->n, 0);
    atg_arena_free(x.arena);
}

static void a_wrong_missing_person_of_a_reference_is_named(void **state) {
    char text[TEXT], *at;

    (void)state;
    snprintf(text, sizeof(text), "%s", reference);
    at = strstr(text, "\"M2\", \"family\"");
    at[2] = '9';

    made x = read_text(text);

    assert_int_equal(x.rc, ATG_EINVAL);
    assert_int_equal(x.err.line, 12);
    assert_string_equal(x.err.msg, "missing[1].id: \"M9\" is not a member of family \"F1\"");
    atg_arena_free(x.arena);
}

static void short_memory_is_reported_and_leaks_nothing(void **state) {
    static const char *const texts[] = {good, reference};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        size_t before = mem_live();
        int rc = ATG_ENOMEM;

        for (long k = 0; rc == ATG_ENOMEM; k++) {
            atg_operation op = {.n_markers = 12345};
            atg_err err = {0};

            mem_fail_after(k);

            atg_arena *arena = atg_arena_new(ARENA);

            if (arena)
                rc = atg_operation_read_json(arena, atg_str_of(texts[i]), &op, NULL, &err);
            mem_fail_after(-1);
            if (rc && rc != ATG_ENOMEM)
                fail_msg("allocation %ld: %s", k, err.msg);
            assert_int_equal(op.n_markers == 12345, rc != ATG_OK);
            atg_arena_free(arena);
            assert_int_equal(mem_live(), before);
        }
        assert_int_equal(rc, ATG_OK);
    }
}

static void a_full_arena_is_reported(void **state) {
    int rc = ATG_ENOMEM;

    (void)state;
    for (size_t limit = 1024; rc == ATG_ENOMEM; limit += 1024) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(limit);
        atg_operation op;

        rc = atg_operation_read_json(arena, atg_str_of(good), &op, NULL, NULL);
        assert_true(rc == ATG_OK || rc == ATG_ENOMEM);
    }
}

/* With ATG_REFERENCE set to the folder of published operations, each of them is read. */
static void published_operations_are_read(void **state) {
    const char *folder = getenv("ATG_REFERENCE"); /* NOLINT(concurrency-mt-unsafe): one thread */
    char path[4096];

    (void)state;
    if (!folder) {
        print_message("ATG_REFERENCE is not set: the published operations are not read\n");
        return;
    }
    snprintf(path, sizeof(path), "%s/operations", folder);

    DIR *dir = opendir(path);

    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir));) { /* NOLINT(concurrency-mt-unsafe) */
        char file[8192];
        ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
        atg_str bytes;
        atg_operation op;

        if (!strstr(e->d_name, ".json"))
            continue;
        snprintf(file, sizeof(file), "%s/%s", path, e->d_name);
        assert_int_equal(file_read(arena, file, ATG_INPUT_MAX, &bytes, NULL), ATG_OK);
        assert_int_equal(atg_operation_read_json(arena, bytes, &op, NULL, NULL), ATG_OK);
        assert_true(op.n_samples && op.n_missing);
    }
    (void)closedir(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_are_read),
        cmocka_unit_test(markers_are_read),
        cmocka_unit_test(profiles_are_read_under_alias_names),
        cmocka_unit_test(a_single_parent_is_completed_with_a_note),
        cmocka_unit_test(an_added_parent_gets_a_name_that_is_free),
        cmocka_unit_test(an_unlisted_allele_gets_the_minimum_frequency),
        cmocka_unit_test(the_minimum_frequency_follows_from_the_size_of_the_table),
        cmocka_unit_test(unknown_keys_are_noted_once),
        cmocka_unit_test(a_byte_order_mark_is_skipped),
        cmocka_unit_test(each_error_has_its_place_and_sentence),
        cmocka_unit_test(a_large_family_is_refused),
        cmocka_unit_test(every_parameter_but_population_and_theta_has_a_default),
        cmocka_unit_test(reference_operations_are_read),
        cmocka_unit_test(a_wrong_missing_person_of_a_reference_is_named),
        cmocka_unit_test(short_memory_is_reported_and_leaks_nothing),
        cmocka_unit_test(a_full_arena_is_reported),
        cmocka_unit_test(published_operations_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
