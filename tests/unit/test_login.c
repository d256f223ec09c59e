/* SPDX-License-Identifier: Apache-2.0 */
/* Passwords, one-time codes and recovery codes. */
#include "testing.h"

#include "base/bytes.h"
#include "crypto/code.h"
#include "crypto/password.h"

#include <stdio.h>
#include <unistd.h>

static void a_password_is_long_and_not_obvious(void **state) {
    static const struct {
        const char *password;
        int want;
    } cases[] = {
        {"", ATG_EDENIED},
        {"elevenchars", ATG_EDENIED},
        {"twelve chars", ATG_OK},
        {"correct horse battery staple", ATG_EDENIED},
        {"Correct-Horse-Battery-Staple-1", ATG_EDENIED},
        {"wagon lilac brave otter", ATG_OK},
        {"Password2026!", ATG_EDENIED},
        {"P@$$w0rd1234", ATG_EDENIED},
        {"password1000", ATG_EDENIED},
        /* one or two of the frequent words, whatever stands around and between them */
        {"Butterfly-2024!", ATG_EDENIED},
        {"dragon & monkey 777", ATG_OK},
        {"secret & monkey", ATG_OK},
        {"tiger & monkey 7 7 7", ATG_EDENIED},
        {"mustangmustangmustang", ATG_EDENIED},
        {"butterfly orchard lantern", ATG_OK},
        {"passwordpassword", ATG_EDENIED},
        {"Qwerty123456", ATG_EDENIED},
        {"antigone-antigone", ATG_EDENIED},
        {"aaaaaaaaaaaa", ATG_EDENIED},
        {"ababababababab", ATG_EDENIED},
        {"123456789012", ATG_EDENIED},
        {"abcdefghijklm", ATG_EDENIED},
        {"zyxwvutsrqpo", ATG_EDENIED},
        {"480917362551", ATG_OK},
        {"дванадцять слів", ATG_OK},
        {"дванадцять", ATG_EDENIED},
        {"tab\tin the middle", ATG_EINVAL},
        {"ill-formed \xff\xfe text", ATG_EINVAL},
    };
    char longest[4 * PASSWORD_LONGEST + 2];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        atg_err err = {0};
        int rc = password_rules(atg_str_of(cases[i].password), &err);

        if (rc != cases[i].want)
            fail_msg("%s: %d", cases[i].password, rc);
        assert_true((rc == ATG_OK) == (err.msg[0] == '\0'));
    }
    for (size_t i = 0; i < sizeof(longest); i++)
        longest[i] = "ajdkqpwe"[i * 3 % 8];
    assert_int_equal(password_rules((atg_str){longest, PASSWORD_LONGEST}, NULL), ATG_OK);
    assert_int_equal(password_rules((atg_str){longest, PASSWORD_LONGEST + 1}, NULL), ATG_EDENIED);
    assert_int_equal(password_rules((atg_str){longest, sizeof(longest)}, NULL), ATG_EDENIED);
}

static void a_password_has_no_name_of_its_surroundings(void **state) {
    const atg_str words[] = {ATG_STR("Bureau K1"), ATG_STR("mia"), ATG_STR("Ferry Accident")};

    (void)state;
    assert_int_equal(password_context(ATG_STR("otter ferryAccident 9"), words, 3, NULL),
                     ATG_EINVAL);
    assert_int_equal(password_context(ATG_STR("the BUREAUK1 of otters"), words, 3, NULL),
                     ATG_EINVAL);
    /* what is short may come about by chance */
    assert_int_equal(password_context(ATG_STR("miami orchard lantern"), words, 3, NULL), ATG_OK);
    assert_int_equal(password_context(ATG_STR("ferry orchard lantern"), words, 3, NULL), ATG_OK);
}

static void a_password_is_checked_against_its_hash(void **state) {
    atg_str right = ATG_STR("wagon lilac brave otter"), wrong = ATG_STR("wagon lilac brave otten");
    char a[PASSWORD_HASH], b[PASSWORD_HASH];

    (void)state;
    assert_int_equal(password_hash(right, PASSWORD_LEAST, a, NULL), ATG_OK);
    assert_int_equal(password_hash(right, PASSWORD_LEAST, b, NULL), ATG_OK);
    assert_string_not_equal(a, b);
    assert_ptr_equal(strstr(a, "$argon2id$v=19$m=8,t=1,p=1$"), a);
    assert_int_equal(password_check(right, a, NULL), ATG_OK);
    assert_int_equal(password_check(wrong, a, NULL), ATG_EDENIED);
    assert_int_equal(password_check((atg_str){NULL, 0}, a, NULL), ATG_EDENIED);
    assert_int_equal(password_check(right, "", NULL), ATG_EDENIED);
    assert_int_equal(password_check_nobody(right, PASSWORD_LEAST, NULL), ATG_EDENIED);
    assert_false(password_stale(a, PASSWORD_LEAST));
    assert_true(password_stale(a, PASSWORD_ACCOUNT));
    assert_true(password_stale("nonsense", PASSWORD_LEAST));
}

static void a_hash_of_an_older_cost_is_checked_and_is_stale(void **state) {
    /* 256 MiB, 3 passes */
    static const char old[] = "$argon2id$v=19$m=262144,t=3,p=1$NjXva9eOscPvSYz3mA7d9A$5PjJm"
                              "Bs4IiVaKrkmBZPIS81bduGpUTk2r8t6pbja/ts";
    char now[PASSWORD_HASH];

    (void)state;
    assert_int_equal(password_check(ATG_STR("wagon lilac brave otter"), old, NULL), ATG_OK);
    assert_int_equal(password_check(ATG_STR("wagon lilac brave otten"), old, NULL), ATG_EDENIED);
    assert_true(password_stale(old, PASSWORD_ACCOUNT));
    assert_int_equal(password_hash(ATG_STR("wagon lilac brave otter"), PASSWORD_ACCOUNT, now, NULL),
                     ATG_OK);
    assert_ptr_equal(strstr(now, "$argon2id$v=19$m=65536,t=3,p=1$"), now);
    assert_false(password_stale(now, PASSWORD_ACCOUNT));
}

/* Pages that the process has in memory. */
static long resident(void) {
    FILE *f = fopen("/proc/self/statm", "r");
    long all = 0, here = 0;

    assert_non_null(f);
    assert_int_equal(fscanf(f, "%ld %ld", &all, &here), 2); /* NOLINT(cert-err34-c) */
    (void)fclose(f);
    return here;
}

static void the_memory_of_a_hash_goes_back_to_the_system(void **state) {
    char hash[PASSWORD_HASH];
    long before = resident(), page = sysconf(_SC_PAGESIZE);

    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(password_hash(ATG_STR("otter"), PASSWORD_ACCOUNT, hash, NULL), ATG_OK);
    /* one hash has 64 MiB */
    assert_true((resident() - before) * page < 8 << 20);
}

static void a_passphrase_gives_one_key_a_salt(void **state) {
    password_kdf kdf, other;
    key256 a, b;

    (void)state;
    assert_int_equal(password_kdf_new(PASSWORD_LEAST, &kdf, NULL), ATG_OK);
    assert_int_equal(password_kdf_new(PASSWORD_LEAST, &other, NULL), ATG_OK);
    assert_int_equal(password_key(ATG_STR("one"), &kdf, &a, NULL), ATG_OK);
    assert_int_equal(password_key(ATG_STR("one"), &kdf, &b, NULL), ATG_OK);
    assert_true(key_eq(&a, &b));
    assert_int_equal(password_key(ATG_STR("one"), &other, &b, NULL), ATG_OK);
    assert_false(key_eq(&a, &b));
    assert_int_equal(password_key(ATG_STR("two"), &kdf, &b, NULL), ATG_OK);
    assert_false(key_eq(&a, &b));
    kdf.kib = 1024 * 1024 + 1;
    assert_int_equal(password_key(ATG_STR("one"), &kdf, &b, NULL), ATG_EINVAL);
    kdf.kib = 7;
    assert_int_equal(password_key(ATG_STR("one"), &kdf, &b, NULL), ATG_EINVAL);
    kdf.kib = 8;
    kdf.passes = 0;
    assert_int_equal(password_key(ATG_STR("one"), &kdf, &b, NULL), ATG_EINVAL);
}

/* RFC 6238, appendix B, SHA-1; the last six of its eight digits. */
static const struct {
    int64_t seconds;
    const char *code;
} known[] = {
    {59, "287082"},         {1111111109, "081804"}, {1111111111, "050471"},
    {1234567890, "005924"}, {2000000000, "279037"},
};

static code_secret rfc(void) {
    code_secret s;

    memcpy(s.bytes, "12345678901234567890", CODE_SECRET);
    return s;
}

static void codes_are_those_of_the_standard(void **state) {
    code_secret secret = rfc();

    (void)state;
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        uint64_t step = 0;

        assert_int_equal(code_check(&secret, atg_str_of(known[i].code), known[i].seconds * 1000000,
                                    0, &step, NULL),
                         ATG_OK);
        assert_true(step == (uint64_t)known[i].seconds / 30);
    }
}

static void a_code_counts_one_step_early_or_late_and_once(void **state) {
    atg_str code = ATG_STR("005 924");
    uint64_t used = 1234567890 / 30, step = 0;
    code_secret secret = rfc();
    int64_t start = (int64_t)used * 30000000;

    (void)state;
    for (int64_t late = -60; late < 90; late += 10) {
        int want = late >= -30 && late < 60 ? ATG_OK : ATG_EDENIED;

        assert_int_equal(code_check(&secret, code, start + late * 1000000, 0, &step, NULL), want);
        assert_true(want || step == used);
    }
    assert_int_equal(code_check(&secret, code, start, used - 1, &step, NULL), ATG_OK);
    assert_int_equal(code_check(&secret, code, start, used, &step, NULL), ATG_EDENIED);
    assert_int_equal(code_check(&secret, code, start, used + 1, &step, NULL), ATG_EDENIED);
    assert_int_equal(code_check(&secret, code, -5, 0, &step, NULL), ATG_EDENIED);
}

static void what_is_no_code_is_refused(void **state) {
    static const char *const bad[] = {"", "00592", "0059240", "00592a", "-05924", "005\t924"};
    code_secret secret = rfc();
    uint64_t step = 7;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_int_equal(code_check(&secret, atg_str_of(bad[i]), 1234567890000000, 0, &step, NULL),
                         ATG_EDENIED);
    assert_true(step == 7);
}

static void the_telephone_reads_a_uri(void **state) {
    static char name[65];
    code_secret secret = rfc(), other;
    char uri[CODE_URI];
    atg_str most = {name, 64}, more = {name, 65};

    (void)state;
    assert_int_equal(code_uri(&secret, ATG_STR("Antigone K3"), ATG_STR("i. étoile"), uri, NULL),
                     ATG_OK);
    assert_string_equal(uri, "otpauth://totp/Antigone%20K3:i.%20%C3%A9toile?secret="
                             "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Antigone%20K3"
                             "&algorithm=SHA1&digits=6&period=30");
    assert_int_equal(code_uri(&secret, most, most, uri, NULL), ATG_OK);
    assert_true(strlen(uri) < CODE_URI);
    assert_int_equal(code_uri(&secret, more, most, uri, NULL), ATG_EINVAL);
    assert_int_equal(code_uri(&secret, most, ATG_STR(""), uri, NULL), ATG_EINVAL);
    assert_int_equal(code_secret_new(&other, NULL), ATG_OK);
    assert_memory_not_equal(other.bytes, secret.bytes, CODE_SECRET);
}

static void recovery_codes_forgive_how_they_are_typed(void **state) {
    static const char *const bad[] = {"", "1234-5678-9abc-def", "1234-5678-9abc-defgh",
                                      "1234-5678-9abc-defu", "1234_5678_9abc_defg"};
    char code[CODE_RECOVERY + 1], other[CODE_RECOVERY + 1];
    uuid one = {{1}}, two = {{2}};
    hash256 a, b;

    (void)state;
    assert_int_equal(code_recovery_new(code, NULL), ATG_OK);
    assert_int_equal(code_recovery_new(other, NULL), ATG_OK);
    assert_string_not_equal(code, other);
    assert_int_equal(strlen(code), CODE_RECOVERY);
    assert_int_equal(code_recovery_hash(&one, atg_str_of(code), &a, NULL), ATG_OK);
    assert_int_equal(code_recovery_hash(&two, atg_str_of(code), &b, NULL), ATG_OK);
    assert_false(hash_eq(&a, &b));
    assert_int_equal(code_recovery_hash(&one, atg_str_of(other), &b, NULL), ATG_OK);
    assert_false(hash_eq(&a, &b));
    assert_int_equal(code_recovery_hash(&one, ATG_STR("0123-abcd-1111-0000"), &a, NULL), ATG_OK);
    assert_int_equal(code_recovery_hash(&one, ATG_STR(" O123 ABCD iIlLoOo0"), &b, NULL), ATG_OK);
    assert_true(hash_eq(&a, &b));
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_int_equal(code_recovery_hash(&one, atg_str_of(bad[i]), &a, NULL), ATG_EDENIED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_password_is_long_and_not_obvious),
        cmocka_unit_test(a_password_has_no_name_of_its_surroundings),
        cmocka_unit_test(a_password_is_checked_against_its_hash),
        cmocka_unit_test(a_hash_of_an_older_cost_is_checked_and_is_stale),
        cmocka_unit_test(the_memory_of_a_hash_goes_back_to_the_system),
        cmocka_unit_test(a_passphrase_gives_one_key_a_salt),
        cmocka_unit_test(codes_are_those_of_the_standard),
        cmocka_unit_test(a_code_counts_one_step_early_or_late_and_once),
        cmocka_unit_test(what_is_no_code_is_refused),
        cmocka_unit_test(the_telephone_reads_a_uri),
        cmocka_unit_test(recovery_codes_forgive_how_they_are_typed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
