/* SPDX-License-Identifier: Apache-2.0 */
#include "inputs.h"

#include "formats/tablejson.h"

enum { ROWS = 8, CELLS = 4 };

#define HEAD "{\"schema\": \"antigone-table/1\", \"rows\": "

typedef struct kept {
    uint32_t n, cells[ROWS];
    csv_field fields[ROWS][CELLS];
} kept;

static atg_arena *arena;

static int set_up(void **state) {
    (void)state;
    arena = atg_arena_new(INPUT_ARENA);
    return arena ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    atg_arena_free(arena);
    return 0;
}

static int keep(void *user, const csv_field *fields, uint32_t n, atg_err *err) {
    kept *k = user;

    if (k->n == ROWS || n > CELLS)
        return atg_fail(err, ATG_ELIMIT, "full");
    memcpy(k->fields[k->n], fields, n * sizeof(*fields));
    k->cells[k->n++] = n;
    return ATG_OK;
}

static void what_is_written_is_read_again(void **state) {
    const csv_field rows[2][2] = {
        {{ATG_STR("tag"), 1, 1}, {ATG_STR("=1+1 \"x\"\n"), 1, 5}},
        {{ATG_STR(""), 4, 1}, {ATG_STR("\xd8\xb9"), 4, 2}},
    };
    ATG_AUTO(atg_buf) buf = atg_buf_new(1 << 16);
    json j = json_new(buf);
    kept k = {.n = 0};
    atg_str text;
    atg_err err = {0};

    (void)state;
    json_begin_object(&j);
    json_key(&j, "schema");
    json_text(&j, tablejson_schema);
    json_key(&j, "rows");
    json_begin_array(&j);
    for (int i = 0; i < 2; i++)
        tablejson_write_row(&j, rows[i], 2);
    json_end(&j, ']');
    json_end(&j, '}');
    assert_int_equal(atg_buf_take(buf, &text, NULL), ATG_OK);
    if (tablejson_read(arena, text, keep, &k, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(k.n, 2);
    for (int i = 0; i < 2; i++)
        for (int c = 0; c < 2; c++) {
            assert_true(atg_str_eq(k.fields[i][c].text, rows[i][c].text));
            assert_int_equal(k.fields[i][c].line, rows[i][c].line);
            assert_int_equal(k.fields[i][c].col, rows[i][c].col);
        }
}

static void anything_else_is_refused_with_its_place(void **state) {
    static const struct {
        const char *text;
        int code;
        const char *words;
    } cases[] = {
        {"", ATG_EPARSE, ""},
        {"[]", ATG_EPARSE, ""},
        {"{}", ATG_EPARSE, "schema"},
        {"{\"schema\": \"other/1\", \"rows\": []}", ATG_EPARSE, "this is no antigone-table/1"},
        {"{\"schema\": 1, \"rows\": []}", ATG_EPARSE, "schema"},
        {"{\"schema\": \"antigone-table/1\"}", ATG_EPARSE, "rows"},
        {HEAD "{}}", ATG_EPARSE, "rows"},
        {HEAD "[1]}", ATG_EPARSE, "rows[0]"},
        {HEAD "[{\"cells\": [], \"places\": []}]}", ATG_EPARSE, "1 to 2048 cells"},
        {HEAD "[{\"cells\": [\"a\"]}]}", ATG_EPARSE, "as many places"},
        {HEAD "[{\"cells\": [\"a\"], \"places\": [[1, 1], [1, 2]]}]}", ATG_EPARSE, "as many"},
        {HEAD "[{\"cells\": [1], \"places\": [[1, 1]]}]}", ATG_EPARSE, "rows[0].cells[0]"},
        {HEAD "[{\"cells\": [\"a\"], \"places\": [[1]]}]}", ATG_EPARSE, "no line and column"},
        {HEAD "[{\"cells\": [\"a\"], \"places\": [[0, 1]]}]}", ATG_EPARSE, "no line and column"},
        {HEAD "[{\"cells\": [\"a\"], \"places\": [[1, 4294967296]]}]}", ATG_EPARSE, "no line"},
        {HEAD "[{\"cells\": [\"a\"], \"places\": [[1, 1.5]]}]}", ATG_EPARSE, "no line and column"},
        {HEAD "[{\"cells\": [\"a\"], \"places\": [[1, 1]]}", ATG_EPARSE, ""},
        {HEAD "[{\"cells\": [\"1\", \"2\", \"3\", \"4\", \"5\"], \"places\": "
              "[[1, 1], [1, 1], [1, 1], [1, 1], [1, 1]]}]}",
         ATG_ELIMIT, "full"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        kept k = {.n = 0};
        atg_err err = {0};
        int rc = tablejson_read(arena, atg_str_of(cases[i].text), keep, &k, &err);

        if (rc != cases[i].code || !strstr(err.msg, cases[i].words) || !err.msg[0])
            fail_msg("%s: expected \"%s\", got %d: %s", cases[i].text, cases[i].words, rc, err.msg);
    }
}

static void memory_that_runs_out_is_told(void **state) {
    static const char text[] = HEAD "[{\"line\": 1, \"cells\": [\"a\"], \"places\": [[1, 1]]}]}";
    size_t live = mem_live();
    int rc = ATG_ENOMEM, failures = 0;

    (void)state;
    for (long n = 0; rc; n++) {
        kept k = {.n = 0};
        atg_arena *own;

        mem_fail_after(n);
        own = atg_arena_new(INPUT_ARENA);
        rc = own ? tablejson_read(own, atg_str_of(text), keep, &k, NULL) : ATG_ENOMEM;
        mem_fail_after(-1);
        atg_arena_free(own);
        if (rc)
            assert_int_equal(rc, ATG_ENOMEM);
        failures += rc != 0;
    }
    assert_true(failures >= 2);
    assert_int_equal(mem_live(), live);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(anything_else_is_refused_with_its_place),
        cmocka_unit_test(memory_that_runs_out_is_told),
    };

    return cmocka_run_group_tests_name("tablejson", tests, set_up, tear_down);
}
