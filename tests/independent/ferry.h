/* SPDX-License-Identifier: Apache-2.0 */
/* An exercise in files, and the independent program run on it; ATG_PROVABLE names the program and
 * ATG_DATA_DIR the folder of the frequencies. */
#ifndef ATG_TESTS_FERRY_H
#define ATG_TESTS_FERRY_H

#include "testing.h"

#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"

enum { ARENA = 1 << 30, LINE = 1 << 20 };

struct made {
    atg_arena *arena;
    atg_operation op;
    atg_truth truth;
    char op_path[64], truth_path[64];
};

static inline void write_down(atg_buf *buf, char path[64]) {
    int fd;
    atg_str text;

    (void)snprintf(path, 64, "/tmp/antigone-test-XXXXXX");
    fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)close(fd);
    assert_int_equal(atg_buf_take(buf, &text, NULL), ATG_OK);
    assert_int_equal(file_write(path, text, NULL), ATG_OK);
}

static inline struct made make(const atg_exercise_options *o, uint32_t n_markers,
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

static inline FILE *run_program(const struct made *x, const char *floor) {
    const char *program = getenv("ATG_PROVABLE"); /* NOLINT(concurrency-mt-unsafe): one thread */
    char command[512];
    FILE *out;

    assert_non_null(program);
    (void)snprintf(command, sizeof(command), "'%s' %s %s %s", program, x->op_path, x->truth_path,
                   floor);
    out = popen(command, "r"); /* NOLINT(cert-env33-c): the program that this test is about */
    assert_non_null(out);
    return out;
}

static inline void clean_up(struct made *x) {
    (void)unlink(x->op_path);
    (void)unlink(x->truth_path);
}

/* The Norwegian frequencies that are shipped, of the markers of this set; NULL: of all. */
static inline atg_frequencies shipped(atg_arena *arena, const char *set) {
    const char *data = getenv("ATG_DATA_DIR"); /* NOLINT(concurrency-mt-unsafe): one thread */
    atg_frequencies freqs;
    atg_marker *markers;
    atg_err err = {0};
    char path[512];
    atg_str bytes;
    uint32_t n = 0, s = 0;

    assert_non_null(data);
    (void)snprintf(path, sizeof(path), "%s/frequencies/norway.json", data);
    assert_int_equal(file_read(arena, path, ATG_INPUT_MAX, &bytes, NULL), ATG_OK);
    if (atg_frequencies_read(arena, bytes, ATG_STR("norway"), &freqs, NULL, &err))
        fail_msg("%s", err.msg);
    if (!set)
        return freqs;
    while (s < freqs.n_sets && !atg_str_eq(freqs.sets[s].name, atg_str_of(set)))
        s++;
    assert_true(s < freqs.n_sets);
    markers = ATG_GET(arena, atg_marker, freqs.n_markers);
    assert_non_null(markers);
    for (uint32_t m = 0; m < freqs.n_markers; m++)
        for (uint32_t k = 0; k < freqs.sets[s].n; k++)
            if (atg_marker_same_name(freqs.markers[m].name, freqs.sets[s].markers[k]))
                markers[n++] = freqs.markers[m];
    freqs.n_markers = n;
    freqs.markers = markers;
    return freqs;
}

#endif
