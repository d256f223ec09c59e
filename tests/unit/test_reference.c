/* SPDX-License-Identifier: Apache-2.0 */
/* The engine against numbers that other programs computed (tests/golden-numbers; their origin and
 * licence stand in the files).  ATG_REFERENCE may name a folder with more of them. */
#include "testing.h"

#include <dirent.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>

#include "base/file.h"

static const double TOLERANCE = 1e-9;

enum { PATH_LENGTH = 4096, BYTES = 64 * 1024 * 1024 };

static const atg_reference_kind *kind_of(const atg_reference *ref, const char *name) {
    for (uint32_t i = 0; i < ref->n; i++)
        if (strcmp(ref->kinds[i].name, name) == 0)
            return &ref->kinds[i];
    fail_msg("nothing of the kind \"%s\" was compared", name);
    return NULL;
}

static int check_file(const char *path, atg_reference *ret, atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(BYTES + 4096);
    atg_str bytes;

    assert_non_null(arena);

    int rc = file_read(arena, path, BYTES, &bytes, err);

    return rc ? rc : atg_reference_check(bytes, NULL, ret, err);
}

static void within_tolerance(const atg_reference *ref, const char *path) {
    for (uint32_t i = 0; i < ref->n; i++) {
        const atg_reference_kind *k = &ref->kinds[i];

        if (!(k->worst <= TOLERANCE))
            fail_msg("%s: %s is off by %.3g at %s", path, k->name, k->worst, k->worst_at);
    }
}

static void check_golden(const char *name, atg_reference *ret) {
    const char *folder = getenv("ATG_NUMBERS_DIR"); /* NOLINT(concurrency-mt-unsafe): one thread */
    char path[PATH_LENGTH];
    atg_err err;

    assert_non_null(folder);
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    if (check_file(path, ret, &err))
        fail_msg("%s: %s", path, err.msg);
    within_tolerance(ret, path);
}

static void likelihoods_lrs_and_kinship_are_those_of_other_programs(void **state) {
    static const struct {
        const char *kind;
        uint64_t least;
    } wanted[] = {
        {"likelihood, plain", 19},
        {"likelihood, mutation", 30},
        {"likelihood, xlinked", 14},
        {"likelihood, theta", 12},
        {"likelihood, silent", 10},
        {"likelihood, dropout", 8},
        {"likelihood, partial", 3},
        {"likelihood, impossible", 2},
        {"likelihood, founder_inbreeding", 2},
        {"likelihood, pruning", 2},
        {"likelihood, panel23", 92},
        {"likelihood, linked2", 42},
        {"linked pair likelihood", 21},
        {"log-likelihood", 100},
        {"theta LR", 64},
        {"theta LR, H1", 64},
        {"theta LR, H2", 64},
        {"LR cases, likelihood", 1840},
        {"LR cases, LR", 70},
        {"genotype distribution", 220},
        {"likelihood of references", 22},
        {"exclusion power", 18},
        {"kinship", 171},
        {"kinship, X", 171},
    };
    atg_reference ref = {0};

    (void)state;
    check_golden("pedigrees.json", &ref);
    for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
        const atg_reference_kind *k = kind_of(&ref, wanted[i].kind);

        if (k->n < wanted[i].least)
            fail_msg("only %llu of the kind \"%s\" were compared", (unsigned long long)k->n,
                     wanted[i].kind);
        assert_int_equal(k->n_skipped, 0);
    }
}

static void mutation_matrices_are_those_of_other_programs(void **state) {
    atg_reference ref = {0};

    (void)state;
    check_golden("mutation-matrices.json", &ref);
    assert_true(kind_of(&ref, "mutation matrix")->n >= 1215);
}

static void an_operation_is_compared_whole(void **state) {
    static const char *const wanted[] = {
        "PM log-likelihood",
        "AM log-likelihood",
        "null log-likelihood",
        "pairwise LR",
        "pairwise LR per marker",
        "exclusion matrix",
        "direct match LR",
        "direct match groups",
        "markers that contradict a family",
        "nonidentifiable",
        "findExcluded",
        "findExcluded, pairings",
        "findUndisputed",
        "findUndisputed, LR",
        "findUndisputed, left",
        "findUndisputed, strict",
        "grid",
        "dviSolve, rows",
        "dviSolve, Conclusion",
        "dviSolve, Comment",
        "dviSolve, LR",
        "dviSolve, GLR",
        "joint logsumexp",
        "joint, possible assignments",
        "joint, assignments",
        "joint log-likelihood",
        "joint LR, best / this one",
        "joint posterior",
        "GLR",
        "jointDVI_legacy_n",
        "jointDVI, legacy, log-likelihood",
        "jointDVI, legacy, LR",
        "jointDVI, legacy, posterior",
        "jointDVI, legacy, LR0",
        "jointDVI_default_n",
        "jointDVI, log-likelihood",
        "jointDVI, LR",
        "jointDVI, posterior",
        "jointDVI, LR0",
    };
    atg_reference ref = {0};

    (void)state;
    check_golden("operation.json", &ref);
    for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
        assert_true(kind_of(&ref, wanted[i])->n > 0);
}

static const char *const without_result[] = {"seconds", "note", "threshold", "type"};

static bool has_result(const char *key) {
    for (size_t i = 0; i < sizeof(without_result) / sizeof(*without_result); i++)
        if (strcmp(without_result[i], key) == 0)
            return false;
    return true;
}

static uint64_t skipped(const atg_reference *ref) {
    uint64_t n = 0;

    for (uint32_t i = 0; i < ref->n; i++)
        n += ref->kinds[i].n_skipped;
    return n;
}

static void check_json(const json_t *root, atg_reference *ret) {
    char *text = json_dumps(root, JSON_COMPACT);
    atg_err err = {0};

    assert_non_null(text);
    *ret = (atg_reference){0};
    if (atg_reference_check(atg_str_of(text), NULL, ret, &err))
        fail_msg("%s", err.msg);
    free(text);
}

typedef struct changing {
    json_t *root;
    uint64_t skipped; /* before anything was changed */
    uint32_t n;
} changing;

/* Is a change that was made at `path` found? */
static void must_show(changing *c, const char *path) {
    atg_reference ref;

    check_json(c->root, &ref);
    if (ref.worst <= TOLERANCE && skipped(&ref) == c->skipped)
        fail_msg("a change of results%s passed unseen", path);
    c->n++;
}

/* Put `value` in the place of a number or text, look, and put the old one back. */
static void change_leaf(changing *c, json_t *parent, const char *key, size_t index,
                        const char *path) {
    json_t *old = key ? json_object_get(parent, key) : json_array_get(parent, index);
    json_t *new =
        json_is_string(old) ? json_string("?") : json_real(json_number_value(old) * 1.01 + 3);

    json_incref(old);
    if (key)
        json_object_set_new(parent, key, new);
    else
        json_array_set_new(parent, index, new);
    must_show(c, path);
    if (key)
        json_object_set_new(parent, key, old);
    else
        json_array_set_new(parent, index, old);
}

static bool is_leaf(const json_t *v) {
    return json_is_number(v) || json_is_string(v);
}

/* Of long lists the first members are enough. */
static void change_all(changing *c, json_t *v, const char *path) { /* NOLINT(misc-no-recursion) */
    enum { FIRST = 3 };
    char below[PATH_LENGTH];
    const char *key;
    json_t *member;
    size_t i;

    json_object_foreach(v, key, member) {
        (void)snprintf(below, sizeof(below), "%s.%s", path, key);
        if (!has_result(key))
            continue;
        if (is_leaf(member))
            change_leaf(c, v, key, 0, below);
        else
            change_all(c, member, below);
    }
    json_array_foreach(v, i, member) {
        (void)snprintf(below, sizeof(below), "%s[%zu]", path, i);
        if (i >= FIRST)
            break;
        if (is_leaf(member))
            change_leaf(c, v, NULL, i, below);
        else
            change_all(c, member, below);
    }
}

static void no_result_of_an_operation_can_be_wrong_unseen(void **state) {
    const char *folder = getenv("ATG_NUMBERS_DIR"); /* NOLINT(concurrency-mt-unsafe): one thread */
    char path[PATH_LENGTH];
    atg_reference ref;
    changing c = {0};

    (void)state;
    (void)snprintf(path, sizeof(path), "%s/operation.json", folder);
    c.root = json_load_file(path, 0, NULL);
    assert_non_null(c.root);
    check_json(c.root, &ref);
    c.skipped = skipped(&ref);
    change_all(&c, json_object_get(c.root, "results"), "");
    assert_true(c.n > 400);
    json_object_set_new(json_object_get(c.root, "results"), "newResult", json_real(1));
    must_show(&c, ".newResult");
    json_decref(c.root);
}

static void a_wrong_number_is_found_and_named(void **state) {
    static const char text[] =
        "{\"cases\": [{\"id\": \"duo\", \"kind\": \"plain\", \"pedigree\": ["
        "{\"id\": \"1\", \"father\": null, \"mother\": null, \"sex\": \"M\"}],"
        "\"markers\": [{\"name\": \"M\", \"alleles\": [\"1\", \"2\"], \"freqs\": [0.25, 0.75]}],"
        "\"genotypes\": {\"1\": {\"M\": [\"1\", \"2\"]}}, \"likelihood\": [0.3750001]}]}";
    atg_reference ref = {0};

    (void)state;
    assert_int_equal(atg_reference_check(atg_str_of(text), NULL, &ref, NULL), ATG_OK);
    assert_true(ref.worst > 2e-7 && ref.worst < 3e-7);
    assert_non_null(strstr(kind_of(&ref, "likelihood, plain")->worst_at, "duo"));
}

static void another_file_is_refused_in_words(void **state) {
    static const struct {
        const char *text;
        int code;
    } files[] = {
        {"{}", ATG_EPARSE},
        {"[1, 2]", ATG_EPARSE},
        {"{\"cases\": [", ATG_EPARSE},
        {"", ATG_EPARSE},
        {"{\"cases\": [{\"markers\": [{\"name\": \"M\", \"alleles\": [\"1\"], \"freqs\": []}]}]}",
         ATG_EPARSE},
        {"{\"cases\": [{\"markers\": [{\"name\": \"M\", \"alleles\": [\"1\"], \"freqs\": [1], "
         "\"mutation\": {\"female\": {\"model\": \"custom\"}}}]}]}",
         ATG_EPARSE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
        atg_reference ref = {0};
        atg_err err = {0};

        assert_int_equal(atg_reference_check(atg_str_of(files[i].text), NULL, &ref, &err),
                         files[i].code);
        assert_true(strlen(err.msg) > 0);
    }
}

static void relative_differences_are_symmetric_and_strict_about_zero(void **state) {
    (void)state;
    assert_true(atg_relative_difference(2, 2) == 0);
    assert_true(fabs(atg_relative_difference(2, 1) - 0.5) < 1e-15);
    assert_true(fabs(atg_relative_difference(1, 2) - 0.5) < 1e-15);
    assert_true(fabs(atg_relative_difference(-1, 1) - 2) < 1e-15);
    assert_true(isinf(atg_relative_difference(0, 1e-300)));
    assert_true(isinf(atg_relative_difference(INFINITY, 1)));
    assert_true(isinf(atg_relative_difference(-INFINITY, INFINITY)));
    assert_true(atg_relative_difference(-INFINITY, -INFINITY) == 0);
    assert_true(atg_relative_difference(0, 0) == 0);
}

/* A file of reference numbers?  Those of frequencies stand there too. */
static bool check_named(const char *folder, const char *name) {
    size_t length = strlen(name);
    char path[PATH_LENGTH];
    atg_reference ref = {0};
    atg_err err;

    if (length < 5 || strcmp(name + length - 5, ".json") != 0)
        return false;
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);

    int rc = check_file(path, &ref, &err);

    if (rc == ATG_EPARSE && strstr(err.msg, "no reference file"))
        return false;
    if (rc)
        fail_msg("%s: %s", path, err.msg);
    within_tolerance(&ref, path);
    return true;
}

static void check_folder(const char *folder) {
    struct dirent **entries;
    int n = scandir(folder, &entries, NULL, alphasort);
    bool any = false;

    if (n < 0)
        fail_msg("cannot open %s", folder);
    for (int i = 0; i < n; i++) {
        any |= check_named(folder, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    assert_true(any);
}

static const char *more_numbers; /* a folder of them; NULL: none */

static void a_folder_of_more_numbers_is_checked(void **state) {
    char path[PATH_LENGTH];

    (void)state;
    check_folder(more_numbers);
    (void)snprintf(path, sizeof(path), "%s/operations", more_numbers);
    check_folder(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(likelihoods_lrs_and_kinship_are_those_of_other_programs),
        cmocka_unit_test(mutation_matrices_are_those_of_other_programs),
        cmocka_unit_test(an_operation_is_compared_whole),
        cmocka_unit_test(no_result_of_an_operation_can_be_wrong_unseen),
        cmocka_unit_test(a_wrong_number_is_found_and_named),
        cmocka_unit_test(another_file_is_refused_in_words),
        cmocka_unit_test(relative_differences_are_symmetric_and_strict_about_zero),
        cmocka_unit_test(a_folder_of_more_numbers_is_checked), /* the last */
    };
    size_t n = sizeof(tests) / sizeof(*tests);

    more_numbers = getenv("ATG_REFERENCE"); /* NOLINT(concurrency-mt-unsafe): one thread */
    /* Meson takes cmocka's way of saying "skipped" for a failure: so it is left out */
    if (!more_numbers) {
        (void)fputs("ATG_REFERENCE names no folder: only the tests' own numbers are checked\n",
                    stderr);
        n--;
    }
    return _cmocka_run_group_tests("tests", tests, n, NULL, NULL);
}
