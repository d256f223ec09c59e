/* SPDX-License-Identifier: Apache-2.0 */
/* Cards of sites, and their fingerprints. */
#include "testing.h"

#include <stdio.h>

#include "formats/sitecard.h"

static sign_pair pair;

static sitecard made(void) {
    sitecard c = {.store = uuid_make(7, (unsigned char[10]){1, 2, 3}), .site = "K3"};
    box_pair box;

    sign_pair_of(&(key256){{1}}, &pair);
    box_pair_of(&(key256){{2}}, &box);
    c.sign = pair.pub;
    c.box = box.pub;
    return c;
}

static int read_text(const char *text, sitecard *ret, atg_err *err) {
    return sitecard_read(atg_str_of(text), ret, err);
}

static void a_card_comes_back(void **state) {
    sitecard c = made(), back = {.site = ""};
    char text[SITECARD_MAX], letter[2 * SITECARD_MAX] = "\n  ";
    size_t n = sitecard_write(&c, &pair, text), at = 3;

    (void)state;
    assert_true(n == strlen(text));
    assert_int_equal(read_text(text, &back, NULL), ATG_OK);
    assert_memory_equal(&back.store, &c.store, sizeof(uuid));
    assert_string_equal(back.site, "K3");
    assert_memory_equal(&back.sign, &c.sign, SIGN_PUBLIC);
    assert_memory_equal(&back.box, &c.box, BOX_PUBLIC);
    /* as a mail program sends it */
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '\n')
            letter[at++] = '\r';
        letter[at++] = text[i];
    }
    snprintf(letter + at, sizeof(letter) - at, "\r\n\r\n");
    assert_int_equal(read_text(letter, &back, NULL), ATG_OK);
}

static void every_changed_or_missing_byte_is_noticed(void **state) {
    sitecard c = made(), back;
    char text[SITECARD_MAX];
    size_t n = sitecard_write(&c, &pair, text);

    (void)state;
    for (size_t i = 0; i + 1 < n; i++) {
        char was = text[i];

        text[i] = (char)(was ^ 1);
        assert_int_not_equal(read_text(text, &back, NULL), ATG_OK);
        text[i] = '\0';
        assert_int_not_equal(read_text(text, &back, NULL), ATG_OK);
        text[i] = was;
    }
    assert_int_equal(read_text(text, &back, NULL), ATG_OK);
}

static void malformed_cards_are_refused_with_the_line(void **state) {
    static const struct {
        const char *from, *to;
        int code;
        uint32_t line;
    } cases[] = {
        {"site/1", "site/2", ATG_EPARSE, 1},
        {"store ", "store", ATG_EPARSE, 2},
        {"-7", "-4", ATG_EPARSE, 2},
        {"site K3", "site k3", ATG_EPARSE, 3},
        {"site K3", "site ", ATG_EPARSE, 3},
        {"site K3", "site ABCDEFGHI", ATG_EPARSE, 3},
        {"site K3", "site K4", ATG_EDENIED, 0},
        {"sign ", "sing ", ATG_EPARSE, 4},
        {"box ", "box 0", ATG_EPARSE, 5},
        {"signature ", "signature x", ATG_EPARSE, 6},
        {"\nsignature", "\nmore\nsignature", ATG_EPARSE, 6},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        sitecard c = made(), back;
        char text[SITECARD_MAX], changed[2 * SITECARD_MAX];
        const char *at;
        atg_err err = {0};

        sitecard_write(&c, &pair, text);
        at = strstr(text, cases[i].from);
        assert_non_null(at);
        snprintf(changed, sizeof(changed), "%.*s%s%s", (int)(at - text), text, cases[i].to,
                 at + strlen(cases[i].from));
        if (read_text(changed, &back, &err) != cases[i].code || err.line != cases[i].line)
            fail_msg("case %zu: line %u: %s", i, err.line, err.msg);
    }
}

static void something_behind_a_card_is_refused(void **state) {
    sitecard c = made(), back;
    char text[2 * SITECARD_MAX];
    atg_err err = {0};

    (void)state;
    snprintf(text + sitecard_write(&c, &pair, text), SITECARD_MAX, "more\n");
    assert_int_equal(read_text(text, &back, &err), ATG_EPARSE);
    assert_int_equal(err.line, 7);
}

static void a_fingerprint_is_taken_as_people_type_it(void **state) {
    sitecard c = made(), other = made();
    char fingerprint[SITECARD_FINGERPRINT + 1], typed[100];
    size_t n = 0;

    (void)state;
    sitecard_fingerprint(&c, fingerprint);
    assert_int_equal(strlen(fingerprint), SITECARD_FINGERPRINT);
    assert_true(sitecard_is(&c, atg_str_of(fingerprint)));
    for (size_t i = 0; fingerprint[i]; i++) {
        char x = fingerprint[i];

        typed[n++] = (char)(x == ' ' ? '-' : x >= 'a' ? x - 'a' + 'A' : x);
    }
    assert_true(sitecard_is(&c, (atg_str){typed, n}));
    assert_false(sitecard_is(&c, (atg_str){typed, n - 1}));
    typed[n++] = '0';
    assert_false(sitecard_is(&c, (atg_str){typed, n}));
    assert_false(sitecard_is(&c, (atg_str){NULL, 0}));
    other.site[1] = '4';
    assert_false(sitecard_is(&other, atg_str_of(fingerprint)));
    other = made();
    other.box.bytes[0] ^= 1;
    assert_false(sitecard_is(&other, atg_str_of(fingerprint)));
    other = made();
    other.store.bytes[15] ^= 1;
    assert_false(sitecard_is(&other, atg_str_of(fingerprint)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_card_comes_back),
        cmocka_unit_test(every_changed_or_missing_byte_is_noticed),
        cmocka_unit_test(malformed_cards_are_refused_with_the_line),
        cmocka_unit_test(something_behind_a_card_is_refused),
        cmocka_unit_test(a_fingerprint_is_taken_as_people_type_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
