/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include "base/number.h"
#include "base/text.h"

static void numbers_have_a_point_or_a_comma_and_nothing_else(void **state) {
    static const struct {
        const char *text;
        bool good;
        double want;
    } cases[] = {
        {"0.25", true, 0.25}, {"0,25", true, 0.25}, {"5.2e-005", true, 5.2e-5},
        {"-3", true, -3},     {".5", true, 0.5},    {"1.", true, 1},
        {"", false, 0},       {".", false, 0},      {"1,000.5", false, 0},
        {"1 000", false, 0},  {"0x10", false, 0},   {"nan", false, 0},
        {"inf", false, 0},    {"1e999", false, 0},  {"1e", false, 0},
        {" 1", false, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        double x = 0;

        assert_int_equal(number_read(atg_str_of(cases[i].text), &x), cases[i].good);
        assert_true(x == cases[i].want);
    }
}

static void counts_are_digits_that_fit(void **state) {
    uint32_t n = 7;

    (void)state;
    assert_true(number_count(ATG_STR("4294967295"), &n));
    assert_true(n == UINT32_MAX);
    assert_false(number_count(ATG_STR("4294967296"), &n));
    assert_false(number_count(ATG_STR(""), &n));
    assert_false(number_count(ATG_STR("-1"), &n));
    assert_false(number_count(ATG_STR("99999999999"), &n));
}

static void text_from_other_programs_becomes_utf8(void **state) {
    const struct {
        atg_str bytes;
        const char *want, *from;
    } cases[] = {
        {ATG_STR("Jos\xc3\xa9"), "Jos\xc3\xa9", NULL},
        {ATG_STR("\xef\xbb\xbfid"), "id", NULL},
        {ATG_STR("Jos\xe9 \x80"), "Jos\xc3\xa9 \xe2\x82\xac", "Windows-1252"},
        {ATG_STR("\xff\xfe"
                 "a\0\xe9\0"),
         "a\xc3\xa9", "UTF-16"},
        {ATG_STR("\xfe\xff\xd8\x3d\xde\0"), "\xf0\x9f\x98\x80", "UTF-16"},
        {ATG_STR("\xff\xfe\x3d\xd8"
                 "a"),
         "\xef\xbf\xbd\xef\xbf\xbd", "UTF-16"},
        {ATG_STR(""), "", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 16);
        atg_str got;
        const char *from;

        assert_int_equal(text_utf8(arena, cases[i].bytes, &got, &from, NULL), ATG_OK);
        assert_true(atg_str_eq(got, atg_str_of(cases[i].want)));
        assert_true(atg_str_eq(atg_str_of(from), atg_str_of(cases[i].from)));
    }
}

static void lines_end_in_any_of_three_ways(void **state) {
    text_lines lines = {.rest = ATG_STR("a\r\nb\rc\n\nd")};
    static const char *const want[] = {"a", "b", "c", "", "d"};
    atg_str line;

    (void)state;
    for (uint32_t i = 0; i < 5; i++) {
        assert_true(text_line(&lines, &line));
        assert_true(atg_str_eq(line, atg_str_of(want[i])));
        assert_int_equal(lines.line, i + 1);
    }
    assert_false(text_line(&lines, &line));
}

static void notes_beyond_the_limit_are_dropped(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
    atg_notes *notes = atg_notes_new(arena);

    (void)state;
    assert_non_null(notes);
    for (int i = 0; i < ATG_NOTES_MAX + 5; i++)
        atg_note(notes, arena, "note %d", i);
    assert_int_equal(notes->n, ATG_NOTES_MAX);
    assert_true(atg_str_eq(notes->text[2], ATG_STR("note 2")));
    atg_note(NULL, arena, "nobody listens");
}

static void a_profile_leaves_only_to_the_recipient_its_donor_named(void **state) {
    atg_consent consents[] = {{0, ATG_STR("ICMP"), {0}}, {2, ATG_STR("KMD"), {0}}};
    atg_family family = {.n_consents = 2, .consents = consents};

    (void)state;
    assert_true(atg_consent_given(&family, 0, "ICMP"));
    assert_false(atg_consent_given(&family, 0, "KMD"));
    assert_false(atg_consent_given(&family, 1, "ICMP"));
    assert_false(atg_consent_given(&family, 0, ""));
    assert_true(atg_consent_given(&family, 1, NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_have_a_point_or_a_comma_and_nothing_else),
        cmocka_unit_test(counts_are_digits_that_fit),
        cmocka_unit_test(text_from_other_programs_becomes_utf8),
        cmocka_unit_test(lines_end_in_any_of_three_ways),
        cmocka_unit_test(notes_beyond_the_limit_are_dropped),
        cmocka_unit_test(a_profile_leaves_only_to_the_recipient_its_donor_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
