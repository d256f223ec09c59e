/* SPDX-License-Identifier: Apache-2.0 */
/* Keepers' key files. */
#include "testing.h"

#include "crypto/keyfile.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define PASS ATG_STR("nine boats leave at dawn")
#define OTHER ATG_STR("seven gulls over the pier")
#define NOW 1795495140123456

static const key256 master = {{1, 2, 3, 4, 5, 6, 7, 8, 9}};

static keyfile make(const char *keeper, atg_str passphrase) {
    atg_err err = {0};
    keyfile f;

    if (keyfile_make(&master, atg_str_of(keeper), passphrase, PASSWORD_LEAST, NOW, &f, &err))
        fail_msg("%s", err.msg);
    return f;
}

static void opens_with(const keyfile *f, atg_str passphrase, int code) {
    key256 key = {{0}};
    atg_err err = {0};

    assert_int_equal(keyfile_open(f, passphrase, &key, &err), code);
    assert_int_equal(key_eq(&key, &master), code == ATG_OK);
    if (code)
        assert_non_null(strstr(err.msg, f->keeper));
}

static void each_keeper_opens_the_same_key_with_their_own_passphrase(void **state) {
    keyfile one = make("Anna \u738b", PASS), two;
    key256 key;

    (void)state;
    assert_int_equal(keyfile_open(&one, PASS, &key, NULL), ATG_OK);
    assert_int_equal(keyfile_make(&key, ATG_STR("Boris"), OTHER, PASSWORD_LEAST, NOW, &two, NULL),
                     ATG_OK);
    opens_with(&one, PASS, ATG_OK);
    opens_with(&two, OTHER, ATG_OK);
    opens_with(&one, OTHER, ATG_EDENIED);
    opens_with(&two, PASS, ATG_EDENIED);
    opens_with(&two, ATG_STR(""), ATG_EDENIED);
    assert_memory_equal(&one.master, &two.master, sizeof(one.master));
}

static void a_passphrase_is_changed_by_who_knows_it(void **state) {
    keyfile f = make("Anna", PASS);

    (void)state;
    assert_int_equal(keyfile_change(&f, OTHER, OTHER, PASSWORD_LEAST, NOW, &f, NULL), ATG_EDENIED);
    assert_int_equal(keyfile_change(&f, PASS, ATG_STR("short"), PASSWORD_LEAST, NOW, &f, NULL),
                     ATG_EDENIED);
    opens_with(&f, PASS, ATG_OK);
    assert_int_equal(keyfile_change(&f, PASS, OTHER, PASSWORD_LEAST, NOW, &f, NULL), ATG_OK);
    opens_with(&f, OTHER, ATG_OK);
    opens_with(&f, PASS, ATG_EDENIED);
    assert_string_equal(f.keeper, "Anna");
}

static void a_machine_has_the_key_in_clear(void **state) {
    char text[KEYFILE_MAX];
    keyfile f, again;

    (void)state;
    assert_int_equal(keyfile_make_plain(&master, ATG_STR("server 1"), NOW, &f, NULL), ATG_OK);
    opens_with(&f, ATG_STR(""), ATG_OK);
    assert_int_equal(keyfile_read((atg_str){text, keyfile_text(&f, text)}, &again, NULL), ATG_OK);
    assert_memory_equal(&f, &again, sizeof(f));
    f.key[5] ^= 1;
    opens_with(&f, ATG_STR(""), ATG_EDENIED);
    keyfile_wipe(&f);
    assert_int_equal(f.key[0], 0);
    assert_int_equal(f.keeper[0], '\0');
}

static void names_of_keepers_are_what_stands_on_a_line(void **state) {
    static const char *const bad[] = {"", " Anna", "Anna ", "An\nna", "An\x7fna", "An\xffna"};
    char name[KEYFILE_KEEPER + 2];
    keyfile f;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_int_equal(keyfile_make_plain(&master, atg_str_of(bad[i]), NOW, &f, NULL),
                         ATG_EINVAL);
    memset(name, 'x', sizeof(name));
    assert_int_equal(
        keyfile_make_plain(&master, (atg_str){name, KEYFILE_KEEPER + 1}, NOW, &f, NULL),
        ATG_EINVAL);
    assert_int_equal(keyfile_make_plain(&master, (atg_str){name, KEYFILE_KEEPER}, NOW, &f, NULL),
                     ATG_OK);
    assert_int_equal(keyfile_make_plain(&master, ATG_STR("x"), INT64_MAX, &f, NULL), ATG_EINVAL);
}

/* Sealed by the first version of this program. */
static const char sealed_then[] =
    "antigone key file 1\n"
    "keeper Anna \u738b\n"
    "made 2026-11-24T04:39:00.123456Z\n"
    "master 342d5132089bb682\n"
    "argon2id 1 8 d672ea081dccd35beba6c02882d83ce3\n"
    "key 018a1a4a374948b79ad0984df55e029dca70d762e514a255bbdf079eb7d450e6e788e6ceeec1"
    "177e75aaf00c6d5942de7f34353f65c9c76e953bbb6a0393e28f55087266fb0d1fbc42\n";

static void a_file_of_today_opens_for_ever(void **state) {
    keyfile f;

    (void)state;
    assert_int_equal(keyfile_read(atg_str_of(sealed_then), &f, NULL), ATG_OK);
    opens_with(&f, PASS, ATG_OK);
}

/* Every byte is looked at: by the parser, or by the seal. */
static void whatever_is_changed_in_a_file_is_noticed(void **state) {
    keyfile f = make("Anna", PASS), read;
    char text[KEYFILE_MAX];
    size_t n = keyfile_text(&f, text);
    key256 key;

    (void)state;
    for (size_t i = 0; i < n; i++) {
        char was = text[i];

        /* another digit stays one in the key, too */
        text[i] = "a0"[was == 'a'];
        if (keyfile_read((atg_str){text, n}, &read, NULL) == ATG_OK)
            assert_int_equal(keyfile_open(&read, PASS, &key, NULL), ATG_EDENIED);
        text[i] = was;
        assert_int_equal(keyfile_read((atg_str){text, i}, &read, NULL), ATG_EPARSE);
    }
    text[n] = '\n';
    assert_int_equal(keyfile_read((atg_str){text, n + 1}, &read, NULL), ATG_EPARSE);
    assert_int_equal(keyfile_read((atg_str){text, n}, &read, NULL), ATG_OK);
}

static void a_file_that_others_may_read_is_refused(void **state) {
    char folder[] = "/tmp/atg-keyfile-XXXXXX", path[64];
    keyfile f = make("Anna", PASS), read;
    struct stat st;
    atg_err err;

    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/key", folder);
    assert_int_equal(keyfile_save(path, &f, &err), ATG_OK);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(keyfile_load(path, false, &read, &err), ATG_OK);
    assert_memory_equal(&read, &f, sizeof(f));
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(keyfile_load(path, false, &read, &err), ATG_EDENIED);
    assert_int_equal(keyfile_load(path, true, &read, &err), ATG_OK);
    assert_int_equal(chmod(path, 0604), 0);
    assert_int_equal(keyfile_load(path, true, &read, &err), ATG_EDENIED);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(keyfile_load(path, true, &read, &err), ATG_EIO);
    assert_int_equal(rmdir(folder), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_keeper_opens_the_same_key_with_their_own_passphrase),
        cmocka_unit_test(a_passphrase_is_changed_by_who_knows_it),
        cmocka_unit_test(a_machine_has_the_key_in_clear),
        cmocka_unit_test(names_of_keepers_are_what_stands_on_a_line),
        cmocka_unit_test(a_file_of_today_opens_for_ever),
        cmocka_unit_test(whatever_is_changed_in_a_file_is_noticed),
        cmocka_unit_test(a_file_that_others_may_read_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
