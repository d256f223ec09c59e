/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include <stdio.h>

#include "base/map.h"

enum { MANY = 5000 };

static void a_key_keeps_its_first_number(void **state) {
    map *m = map_new();

    (void)state;
    assert_non_null(m);
    assert_int_equal(map_get(m, ATG_STR("a")), -1);
    assert_int_equal(map_add(m, ATG_STR("a"), 7), ATG_OK);
    assert_int_equal(map_add(m, ATG_STR("a"), 8), ATG_ECONFLICT);
    assert_int_equal(map_add(m, ATG_STR(""), 9), ATG_OK);
    assert_int_equal(map_get(m, ATG_STR("a")), 7);
    assert_int_equal(map_get(m, (atg_str){NULL, 0}), 9);
    assert_int_equal(map_get(m, ATG_STR("ab")), -1);
    map_clear(m);
    assert_int_equal(map_get(m, ATG_STR("a")), -1);
    assert_int_equal(map_add(m, ATG_STR("a"), 1), ATG_OK);
    assert_int_equal(map_get(m, ATG_STR("a")), 1);
    map_free(m);
    map_free(NULL);
}

static void thousands_of_similar_keys_are_all_found(void **state) {
    static char text[MANY][24];
    map *m = map_new();

    (void)state;
    for (uint32_t i = 0; i < MANY; i++) {
        snprintf(text[i], sizeof(text[i]), "PM-K3-%08u", i);
        assert_int_equal(map_add(m, atg_str_of(text[i]), i), ATG_OK);
    }
    for (uint32_t i = 0; i < MANY; i++)
        assert_int_equal(map_get(m, atg_str_of(text[i])), i);
    assert_int_equal(map_get(m, ATG_STR("PM-K3-99999999")), -1);
    map_free(m);
}

static int fill(map *m) {
    static const char *const keys[] = {"a", "b", "c"};
    static char text[200][8];
    int rc = ATG_OK;

    for (uint32_t i = 0; i < 3 && !rc; i++)
        rc = map_add(m, atg_str_of(keys[i]), i);
    for (uint32_t i = 0; i < 200 && !rc; i++) {
        snprintf(text[i], sizeof(text[i]), "%u", i);
        rc = map_add(m, atg_str_of(text[i]), i);
    }
    return rc;
}

static void short_memory_is_reported_and_leaks_nothing(void **state) {
    size_t before = mem_live();
    bool done = false;

    (void)state;
    for (long k = 0; !done; k++) {
        mem_fail_after(k);

        map *m = map_new();
        int rc = m ? fill(m) : ATG_ENOMEM;

        mem_fail_after(-1);
        assert_true(rc == ATG_OK || rc == ATG_ENOMEM);
        if (m && rc)
            assert_int_equal(map_get(m, ATG_STR("b")), 1);
        done = rc == ATG_OK;
        map_free(m);
        assert_int_equal(mem_live(), before);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_keeps_its_first_number),
        cmocka_unit_test(thousands_of_similar_keys_are_all_found),
        cmocka_unit_test(short_memory_is_reported_and_leaks_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
