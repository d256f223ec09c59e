/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include "formats/opbuild.h"
#include "inputs.h"
#include "same_operation.h"

enum { ARENA = 64 << 20 };

typedef int add_fn(opbuild *b, const json_t *v, atg_err *err);

static void add_all(opbuild *b, const json_t *root, const char *key, add_fn *add) {
    const json_t *list = json_object_get(root, key);
    atg_err err = {0};

    for (size_t i = 0; i < json_array_size(list); i++)
        if (add(b, json_array_get(list, i), &err))
            fail_msg("%s", err.msg);
}

static void is_what_the_file_reader_makes(void **state) {
    static const char *const names[] = {"documented.json", "every-member.json"};

    (void)state;
    for (size_t k = 0; k < sizeof(names) / sizeof(*names); k++) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
        ATG_AUTO(opbuild) b = NULL;
        atg_str bytes = seed_of(arena, "operation", names[k]);
        json_auto_t *root = json_loadb(bytes.p, bytes.n, 0, NULL);
        atg_operation whole, built;
        atg_err err = {0};

        assert_non_null(root);
        assert_int_equal(atg_operation_read_json(arena, bytes, &whole, NULL, &err), ATG_OK);
        assert_int_equal(opbuild_open(arena, bytes, NULL, &b, &err), ATG_OK);
        add_all(b, root, "remains", opbuild_remains);
        add_all(b, root, "families", opbuild_family);
        add_all(b, root, "staff", opbuild_staff);
        if (opbuild_finish(b, &built, &err))
            fail_msg("%s", err.msg);
        same_operation(&whole, &built);
    }
}

static void a_refused_piece_says_why_without_a_place(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    ATG_AUTO(opbuild) b = NULL;
    atg_str bytes = seed_of(arena, "operation", "documented.json");
    json_auto_t *sample = json_pack("{s:s, s:{s:[s]}}", "id", "PM-1", "genotypes", "NOWHERE", "7");
    atg_err err = {0};

    (void)state;
    assert_int_equal(opbuild_open(arena, bytes, NULL, &b, &err), ATG_OK);
    assert_int_equal(opbuild_remains(b, sample, &err), ATG_EINVAL);
    assert_int_equal(err.line, 0);
    assert_non_null(strstr(err.msg, "NOWHERE"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_what_the_file_reader_makes),
        cmocka_unit_test(a_refused_piece_says_why_without_a_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
