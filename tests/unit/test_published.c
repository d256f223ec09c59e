/* SPDX-License-Identifier: Apache-2.0 */
/* Published operations, whole: who is who, against the joint tables that another program gave. They
 * stand outside the project; ATG_REFERENCE names their folder. */
#include "testing.h"

#include <antigone/app.h>
#include <antigone/formats.h>

#include <dirent.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>

#include "base/file.h"

enum { PATH_LENGTH = 4096, MEMORY = 1 << 30, BYTES = 1 << 26 };

typedef struct published {
    const char *path;
    atg_arena *arena;
    json_t *root;
    const json_t *results;
    atg_operation op;
    atg_identification got;
} published;

static const json_t *member(const json_t *object, atg_str key) {
    return json_object_getn(object, key.p, key.n);
}

static int missing_of(const published *p, const json_t *id) {
    for (uint32_t j = 0; j < p->op.n_missing && json_is_string(id); j++)
        if (atg_str_eq(p->op.missing[j].id, atg_str_of(json_string_value(id))))
            return (int)j;
    return -1;
}

/* Assignments of `joint.top` that are as likely as the first. */
static size_t n_first(const published *p) {
    const json_t *top = json_object_get(json_object_get(p->results, "joint"), "top");
    double best = json_number_value(json_object_get(json_array_get(top, 0), "loglik"));
    size_t n = 0;

    while (n < json_array_size(top) &&
           json_number_value(json_object_get(json_array_get(top, n), "loglik")) > best - 1e-9)
        n++;
    return n;
}

static int published_pair(const published *p, size_t rank, uint32_t body) {
    const json_t *top = json_object_get(json_object_get(p->results, "joint"), "top");
    const json_t *given = json_object_get(json_array_get(top, rank), "assignment");

    return missing_of(p, member(given, p->got.merged->samples[body].id));
}

/* Without a joint table: who was identified without dispute. */
static int undisputed_pair(const published *p, uint32_t body) {
    const json_t *rows =
        json_object_get(json_object_get(p->results, "findUndisputed_1e4"), "summary");

    for (size_t k = 0; k < json_array_size(rows); k++) {
        const json_t *row = json_array_get(rows, k);

        if (atg_str_eq(p->got.merged->samples[body].id,
                       atg_str_of(json_string_value(json_object_get(row, "Sample")))))
            return missing_of(p, json_object_get(row, "Missing"));
    }
    return -1;
}

static void the_best_assignment_is_one_of_the_first(const published *p) {
    size_t n = n_first(p);
    bool any = n == 0;

    for (size_t rank = 0; rank < n; rank++) {
        bool same = true;

        for (uint32_t i = 0; i < p->got.merged->n_samples; i++)
            same &= p->got.assign.best[i] == published_pair(p, rank, i);
        any |= same;
    }
    if (!any)
        fail_msg("%s: the best assignment is another one", p->path);
}

static void nobody_is_named_who_is_not(const published *p) {
    size_t n = n_first(p);

    for (uint32_t k = 0; k < p->got.n_pairs; k++) {
        const atg_pair_result *pair = &p->got.pairs[k];
        bool right = n > 0 || undisputed_pair(p, pair->body) == (int)pair->missing;

        for (size_t rank = 0; rank < n; rank++)
            right &= published_pair(p, rank, pair->body) == (int)pair->missing;
        if (pair->conclusion == ATG_PROBABLE && !right)
            fail_msg("%s: %.*s is named", p->path, ATG_FMT(p->op.missing[pair->missing].id));
    }
}

static double posterior_of(const published *p, const json_t *sample, const json_t *column) {
    int j = missing_of(p, column);

    for (uint32_t i = 0; i < p->got.merged->n_samples; i++) {
        if (!atg_str_eq(p->got.merged->samples[i].id, atg_str_of(json_string_value(sample))))
            continue;
        if (j < 0)
            return p->got.body_nobody[i];
        for (uint32_t k = 0; k < p->got.n_pairs; k++)
            if (p->got.pairs[k].body == i && (int)p->got.pairs[k].missing == j)
                return p->got.pairs[k].posterior;
    }
    return 0;
}

static void posteriors_are_the_published_ones(const published *p) {
    const json_t *flat = json_object_get(json_object_get(p->results, "joint"), "posterior_flat");
    const json_t *samples = json_object_get(flat, "samples"),
                 *columns = json_object_get(flat, "columns");

    for (size_t i = 0; i < json_array_size(samples); i++)
        for (size_t j = 0; j < json_array_size(columns); j++) {
            const json_t *cell = json_array_get(json_array_get(json_object_get(flat, "P"), i), j);
            double got = posterior_of(p, json_array_get(samples, i), json_array_get(columns, j));

            if (json_is_number(cell) && fabs(json_number_value(cell) - got) > 1e-9)
                fail_msg("%s: a posterior is %.12g, not %.12g", p->path, got,
                         json_number_value(cell));
        }
}

static void check_operation(const char *path) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(MEMORY);
    published p = {.path = path, .arena = arena};
    atg_str bytes;
    atg_err err = {0};

    assert_non_null(arena);
    if (file_read(arena, path, BYTES, &bytes, &err) ||
        atg_operation_read_json(arena, bytes, &p.op, NULL, &err) ||
        atg_identify(arena, &p.op, &(atg_identify_options){.seed = 1, .no_details = true}, NULL,
                     &p.got, &err))
        fail_msg("%s: %s", path, err.msg);
    p.root = json_loadb(bytes.p, bytes.n, 0, NULL);
    p.results = json_object_get(p.root, "results");
    assert_non_null(p.results);
    the_best_assignment_is_one_of_the_first(&p);
    nobody_is_named_who_is_not(&p);
    posteriors_are_the_published_ones(&p);
    json_decref(p.root);
}

static const char *folder; /* of published numbers; NULL: none */

static void published_operations_are_identified_as_published(void **state) {
    char path[PATH_LENGTH];
    struct dirent **entries;
    uint32_t n_checked = 0;
    int n;

    (void)state;
    (void)snprintf(path, sizeof(path), "%s/operations", folder);
    n = scandir(path, &entries, NULL, alphasort);
    if (n < 0)
        fail_msg("cannot open %s", path);
    for (int i = 0; i < n; i++) {
        size_t length = strlen(entries[i]->d_name);

        (void)snprintf(path, sizeof(path), "%s/operations/%s", folder, entries[i]->d_name);
        if (length > 5 && strcmp(entries[i]->d_name + length - 5, ".json") == 0) {
            check_operation(path);
            n_checked++;
        }
        free(entries[i]);
    }
    free(entries);
    assert_true(n_checked > 0);
}

int main(void) {
    folder = getenv("ATG_REFERENCE"); /* NOLINT(concurrency-mt-unsafe): one thread */
    /* Meson takes cmocka's way of saying "skipped" for a failure */
    if (!folder || !*folder) {
        puts("1..0 # SKIP ATG_REFERENCE names no folder of published operations");
        return 0;
    }

    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_operations_are_identified_as_published),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
