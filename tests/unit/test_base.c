/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/csv.h"
#include "base/file.h"
#include "base/json.h"
#include "base/parallel.h"

static void an_arena_refuses_to_grow_past_its_limit(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1000);

    (void)state;
    assert_non_null(atg_arena_get(arena, 1, 500));
    assert_null(atg_arena_get(arena, 1, 501));
    assert_null(atg_arena_get(arena, SIZE_MAX, 2));
    assert_non_null(atg_arena_get(arena, 1, 400));
}

static void a_buffer_remembers_its_first_failure(void **state) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(8);
    atg_str s = {"untouched", 9};
    atg_err err;

    (void)state;
    atg_buf_adds(buf, "1234");
    atg_buf_adds(buf, "56789");
    atg_buf_adds(buf, "1");
    assert_int_equal(atg_buf_take(buf, &s, &err), ATG_ELIMIT);
    assert_int_equal(s.n, 9);
}

static void random_numbers_are_those_of_the_published_generator(void **state) {
    atg_rng rng = {{1, 2, 3, 4}};
    /* xoshiro256**, first outputs from state 1, 2, 3, 4 (rand_xoshiro's reference vector) */
    static const uint64_t want[] = {11520, 0, 1509978240, 1215971899390074240};

    (void)state;
    for (size_t i = 0; i < 4; i++)
        assert_true(atg_rng_next(&rng) == want[i]);
}

static void csv_says_where_a_row_is_broken(void **state) {
    static const struct {
        const char *text;
        uint32_t line, col;
    } cases[] = {
        {"a,\"b", 1, 3},
        {"a,b\n\"x\"y,1", 2, 4},
        {"a\n\"open\n\n", 2, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
        csv c = csv_new(atg_str_of(cases[i].text));
        csv_field *row;
        uint32_t n = 1;
        atg_err err = {0};
        int rc = ATG_OK;

        while (rc == ATG_OK && n)
            rc = csv_row(&c, arena, &row, &n, &err);
        assert_int_equal(rc, ATG_EPARSE);
        assert_int_equal(err.line, cases[i].line);
        assert_int_equal(err.col, cases[i].col);
    }
}

static void csv_reads_quotes_and_every_line_end(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
    csv c = csv_new(ATG_STR("\xef\xbb\xbfid;\"a;\"\"b\"\"\"\r\n\r\n1;2\r3;\n"));
    csv_field *row;
    uint32_t n;

    (void)state;
    assert_int_equal(csv_row(&c, arena, &row, &n, NULL), ATG_OK);
    assert_int_equal(n, 2);
    assert_true(atg_str_eq(row[1].text, ATG_STR("a;\"b\"")));
    assert_int_equal(csv_row(&c, arena, &row, &n, NULL), ATG_OK);
    assert_true(atg_str_eq(row[1].text, ATG_STR("2")));
    assert_int_equal(csv_row(&c, arena, &row, &n, NULL), ATG_OK);
    assert_int_equal(n, 2);
    assert_int_equal(row[1].text.n, 0);
    assert_int_equal(row[0].line, 4);
    assert_int_equal(csv_row(&c, arena, &row, &n, NULL), ATG_OK);
    assert_int_equal(n, 0);
}

static void csv_makes_formulas_harmless(void **state) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(1000);
    atg_str s;

    (void)state;
    csv_write(buf, ATG_STR("=1+2"));
    csv_write(buf, ATG_STR("-1.5"));
    csv_write(buf, ATG_STR("a\"b"));
    assert_int_equal(atg_buf_take(buf, &s, NULL), ATG_OK);
    assert_string_equal(s.p, "\"'=1+2\"-1.5\"a\"\"b\"");
}

static void json_numbers_read_back_the_same(void **state) {
    static const double cases[] = {5.3, 0.1 + 0.2, 1e-300, -0.0, 1.0 / 3, 123456789012345680.0};
    char text[32];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        json_shortest(cases[i], text);
        assert_true(strtod(text, NULL) == cases[i]);
    }
    json_shortest(5.3, text);
    assert_string_equal(text, "5.3");
}

static void json_is_written_with_commas_and_escapes(void **state) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(1000);
    json j = json_new(buf);
    atg_str s;

    (void)state;
    json_begin_object(&j);
    json_key(&j, "a");
    json_array_line(&j);
    json_num(&j, 1.5);
    json_num(&j, (double)NAN);
    json_end(&j, ']');
    json_key(&j, "b\n");
    json_str(&j, ATG_STR("\"\xff\x01"));
    json_end(&j, '}');
    assert_int_equal(atg_buf_take(buf, &s, NULL), ATG_OK);
    assert_string_equal(s.p,
                        "{\n  \"a\": [1.5, null],\n  \"b\\n\": \"\\\"\xef\xbf\xbd\\u0001\"\n}\n");
}

static int mark(void *user, uint32_t worker, uint64_t piece, atg_err *err) {
    (void)worker;
    if (piece == 70 || piece == 90)
        return atg_fail(err, ATG_EINVAL, "piece %d", (int)piece);
    ((int *)user)[piece]++;
    return ATG_OK;
}

static void parallel_work_reports_its_first_failure(void **state) {
    int seen[100] = {0};
    atg_err err;

    (void)state;
    assert_int_equal(parallel_run(1, 100, mark, seen, "", NULL, &err), ATG_EINVAL);
    assert_string_equal(err.msg, "piece 70");
    memset(seen, 0, sizeof(seen));
    assert_int_equal(parallel_run(4, 70, mark, seen, "", NULL, &err), ATG_OK);
    for (int i = 0; i < 70; i++)
        assert_int_equal(seen[i], 1);
}

static void a_pipe_is_written_to_and_stays_a_pipe(void **state) {
    char folder[] = "/tmp/antigone-test-XXXXXX", path[64], got[8] = "";
    struct stat there;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/pipe", folder);
    assert_int_equal(mkfifo(path, 0600), 0);

    int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(file_write(path, ATG_STR("report"), NULL), ATG_OK);
    assert_int_equal(read(fd, got, sizeof(got) - 1), 6);
    assert_string_equal(got, "report");
    assert_int_equal(stat(path, &there), 0);
    assert_true(S_ISFIFO(there.st_mode));
    close(fd);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_arena_refuses_to_grow_past_its_limit),
        cmocka_unit_test(a_buffer_remembers_its_first_failure),
        cmocka_unit_test(random_numbers_are_those_of_the_published_generator),
        cmocka_unit_test(csv_says_where_a_row_is_broken),
        cmocka_unit_test(csv_reads_quotes_and_every_line_end),
        cmocka_unit_test(csv_makes_formulas_harmless),
        cmocka_unit_test(a_pipe_is_written_to_and_stays_a_pipe),
        cmocka_unit_test(json_numbers_read_back_the_same),
        cmocka_unit_test(json_is_written_with_commas_and_escapes),
        cmocka_unit_test(parallel_work_reports_its_first_failure),
    };
    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
