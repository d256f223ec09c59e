/* SPDX-License-Identifier: Apache-2.0 */
/* The engine against a program that shares nothing with it: provable.c, named by the environment
 * variable ATG_PROVABLE. */
#include "testing.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "exercise_markers.h"

enum { ARENA = 1 << 28, LINE = 1 << 20 };

struct made {
    atg_arena *arena;
    atg_operation op;
    atg_truth truth;
    char op_path[64], truth_path[64];
};

static void write_down(atg_buf *buf, char path[64]) {
    int fd;
    atg_str text;

    (void)snprintf(path, 64, "/tmp/antigone-test-XXXXXX");
    fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)close(fd);
    assert_int_equal(atg_buf_take(buf, &text, NULL), ATG_OK);
    assert_int_equal(file_write(path, text, NULL), ATG_OK);
}

static struct made make(const atg_exercise_options *o, uint32_t n_markers,
                        const atg_marker *markers, atg_arena *arena) {
    struct made x = {.arena = arena};
    ATG_AUTO(atg_buf) op = atg_buf_new(ARENA);
    ATG_AUTO(atg_buf) truth = atg_buf_new(ARENA);
    atg_err err = {0};

    if (atg_exercise_make(x.arena, n_markers, markers, o, &x.op, &x.truth, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(atg_operation_write_json(&x.op, NULL, op, NULL), ATG_OK);
    assert_int_equal(atg_truth_write_json(&x.truth, &x.op, truth, NULL), ATG_OK);
    write_down(op, x.op_path);
    write_down(truth, x.truth_path);
    return x;
}

static FILE *run_program(const struct made *x) {
    const char *program = getenv("ATG_PROVABLE"); /* NOLINT(concurrency-mt-unsafe): one thread */
    char command[512];
    FILE *out;

    assert_non_null(program);
    (void)snprintf(command, sizeof(command), "'%s' %s %s -1000", program, x->op_path,
                   x->truth_path);
    out = popen(command, "r"); /* NOLINT(cert-env33-c): the program that this test is about */
    assert_non_null(out);
    return out;
}

static void clean_up(struct made *x) {
    (void)unlink(x->op_path);
    (void)unlink(x->truth_path);
}

static double engine_lr(const atg_operation *op, uint32_t body, uint32_t missing) {
    double per_marker[ATG_MARKERS_MAX];
    atg_err err = {0};

    if (atg_pair_lr(op, &op->samples[body], missing, true, per_marker, &err))
        fail_msg("%s", err.msg);
    return atg_combine_lr(op, per_marker);
}

static bool sex_fits(const atg_operation *op, uint32_t body, uint32_t missing) {
    const atg_missing *m = &op->missing[missing];

    return atg_sex_fits(op->samples[body].sex, op->families[m->family].ped.persons[m->person].sex);
}

/* Compares a body's line; returns how many pairs it held. */
static uint32_t check_line(const atg_operation *merged, const char *line) {
    json_t *root = json_loads(line, 0, NULL);
    const json_t *pairs = json_object_get(root, "pairs");
    const char *id = json_string_value(json_object_get(root, "body"));
    uint32_t n = 0, body = 0;

    assert_non_null(id);
    while (body < merged->n_samples && !atg_str_eq(merged->samples[body].id, atg_str_of(id)))
        body++;
    assert_true(body < merged->n_samples);
    for (uint32_t m = 0; m < merged->n_missing; m++) {
        const json_t *v = json_object_get(pairs, merged->missing[m].id.p);
        double lr;

        if (!v && !sex_fits(merged, body, m))
            continue;
        lr = engine_lr(merged, body, m);
        if (!v) {
            if (!isinf(lr))
                fail_msg("%s %s %g", id, merged->missing[m].id.p, lr);
            continue;
        }
        n++;
        if (!(fabs(lr - json_number_value(v)) <= 1e-9 * fmax(1, fabs(lr))))
            fail_msg("%s, %s: %.15g, the other program says %.15g", id, merged->missing[m].id.p, lr,
                     json_number_value(v));
    }
    json_decref(root);
    return n;
}

/* Every pair of a body of one sample; samples of one body are not merged by the other program,
 * which multiplies what they show. */
static void compare_all(const atg_exercise_options *o, uint32_t n_markers,
                        const atg_marker *markers, atg_arena *arena) {
    static char line[LINE];
    struct made x = make(o, n_markers, markers, arena);
    FILE *out = run_program(&x);
    uint32_t pairs = 0, bodies = 0;

    while (fgets(line, sizeof(line), out)) {
        pairs += check_line(&x.op, line);
        bodies++;
    }
    assert_int_equal(pclose(out), 0);
    assert_int_equal(bodies, x.op.n_samples);
    assert_true(pairs > x.op.n_samples);
    clean_up(&x);
}

static void the_engine_agrees_on_every_pair_of_a_ferry(void **state) {
    static const atg_mutation models[] = {
        {.model = ATG_MUT_NONE},
        {.model = ATG_MUT_EQUAL, .rate = 0.002},
        {.model = ATG_MUT_PROPORTIONAL, .rate = 0.002},
        {.model = ATG_MUT_STEPWISE, .rate = 0.002, .rate2 = 1e-5, .range = 0.1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(models) / sizeof(*models); i++) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
        atg_exercise_options o = atg_exercise_default();

        o.seed = 10 + i;
        o.n_missing = 20;
        o.fragments = 0;
        o.degraded = 0.5;
        o.mutation = models[i];
        compare_all(&o, table_size(6), table_markers(arena, 6), arena);
    }
}

static void the_engine_agrees_with_the_frequencies_that_are_shipped(void **state) {
    const char *data = getenv("ATG_DATA_DIR"); /* NOLINT(concurrency-mt-unsafe): one thread */
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    atg_exercise_options o = atg_exercise_default();
    atg_frequencies freqs;
    atg_err err = {0};
    char path[512];
    atg_str bytes;

    (void)state;
    assert_non_null(data);
    (void)snprintf(path, sizeof(path), "%s/frequencies/norway.json", data);
    assert_int_equal(file_read(arena, path, ATG_INPUT_MAX, &bytes, NULL), ATG_OK);
    if (atg_frequencies_read(arena, bytes, ATG_STR("norway"), &freqs, NULL, &err))
        fail_msg("%s", err.msg);
    o.n_missing = 12;
    o.fragments = 0;
    compare_all(&o, freqs.n_markers, freqs.markers, arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_engine_agrees_on_every_pair_of_a_ferry),
        cmocka_unit_test(the_engine_agrees_with_the_frequencies_that_are_shipped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
