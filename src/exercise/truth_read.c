/* SPDX-License-Identifier: Apache-2.0 */
#include "exercise/truth.h"

#include <jansson.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"

struct reading {
    atg_arena *arena;
    const atg_operation *op;
    map *samples, *missing, *families; /* ids to indices */
    bool *seen;
};

static int short_of_memory(atg_err *err) {
    return atg_fail(err, ATG_ENOMEM, "Memory is short for reading the truth");
}

static atg_str text_of(const json_t *object, const char *key) {
    const json_t *v = json_object_get(object, key);

    return json_is_string(v) ? (atg_str){json_string_value(v), json_string_length(v)}
                             : (atg_str){NULL, 0};
}

static int which_text(atg_str text, const char *const *list, int n) {
    for (int i = 0; i < n; i++)
        if (atg_str_eq(text, atg_str_of(list[i])))
            return i;
    return -1;
}

static int read_seed(const json_t *from, uint64_t *ret, atg_err *err) {
    atg_str text = text_of(from, "seed");
    uint64_t seed = 0;

    if (!text.n)
        return atg_fail(err, ATG_EPARSE, "The options' \"seed\" must be a number as text");
    for (size_t i = 0; i < text.n; i++) {
        unsigned digit = (unsigned)text.p[i] - '0';

        if (digit > 9 || __builtin_mul_overflow(seed, 10U, &seed) ||
            __builtin_add_overflow(seed, digit, &seed))
            return atg_fail(err, ATG_EPARSE, "The seed \"%.*s\" is not a number of 64 bits",
                            ATG_FMT(text));
    }
    *ret = seed;
    return ATG_OK;
}

static int read_number(const json_t *from, const truth_number *n, atg_exercise_options *ret,
                       atg_err *err) {
    const json_t *v = json_object_get(from, n->key);
    double real = json_number_value(v);
    char *field = (char *)ret + n->at;

    if (!json_is_number(v))
        return atg_fail(err, ATG_EPARSE, "The options' \"%s\" must be a number", n->key);
    if (n->whole) {
        json_int_t whole = json_integer_value(v);
        uint32_t kept = (uint32_t)whole;

        if (!json_is_integer(v) || whole < 0 || whole > UINT32_MAX)
            return atg_fail(err, ATG_EPARSE, "The options' \"%s\" must be a whole number", n->key);
        memcpy(field, &kept, sizeof(kept));
    } else {
        memcpy(field, &real, sizeof(real));
    }
    return ATG_OK;
}

/* Absent where nobody has an own sample. */
static const truth_number own_share = {"own", offsetof(atg_exercise_options, own), false};

static int read_options(const json_t *from, atg_exercise_options *ret, atg_err *err) {
    int model = which_text(text_of(from, "mutation_model"), truth_models, TRUTH_MODELS);
    int transform =
        which_text(text_of(from, "mutation_transform"), truth_transforms, TRUTH_TRANSFORMS);
    atg_exercise_options o = {0};
    int rc = read_seed(from, &o.seed, err);

    for (size_t i = 0; i < TRUTH_NUMBERS && !rc; i++)
        rc = read_number(from, &truth_numbers[i], &o, err);
    if (!rc && json_object_get(from, own_share.key))
        rc = read_number(from, &own_share, &o, err);
    if (!rc && (model < 0 || transform < 0))
        rc = atg_fail(err, ATG_EPARSE, "The options name no known mutation model and transform");
    if (rc)
        return rc;
    o.mutation.model = (atg_mutation_model)model;
    o.mutation.transform = (atg_mutation_transform)transform;
    *ret = o;
    return ATG_OK;
}

static int read_sample(struct reading *r, const json_t *from, int32_t *missing, bool *swapped,
                       atg_err *err) {
    atg_str id = text_of(from, "id"), name = text_of(from, "missing");
    int64_t i = map_get(r->samples, id), m = name.p ? map_get(r->missing, name) : -1;

    if (i < 0)
        return atg_fail(err, ATG_EPARSE,
                        "The truth names sample \"%.*s\", which the operation lacks", ATG_FMT(id));
    if (r->seen[i])
        return atg_fail(err, ATG_EPARSE, "The truth names sample %.*s twice", ATG_FMT(id));
    if (m < 0 && (name.p || !json_is_null(json_object_get(from, "missing"))))
        return atg_fail(err, ATG_EPARSE,
                        "The truth of sample %.*s must be null or one of the missing, not "
                        "\"%.*s\"",
                        ATG_FMT(id), ATG_FMT(name));
    r->seen[i] = true;
    missing[i] = (int32_t)m;
    swapped[i] = json_is_true(json_object_get(from, "swapped"));
    return ATG_OK;
}

static int read_samples(struct reading *r, const json_t *from, atg_truth *ret, atg_err *err) {
    uint32_t n = r->op->n_samples;
    int32_t *missing = ATG_GET(r->arena, int32_t, n);
    bool *swapped = ATG_GET(r->arena, bool, n);
    int rc = ATG_OK;

    if (!missing || !swapped || !r->seen)
        return short_of_memory(err);
    if (!json_is_array(from) || json_array_size(from) != n)
        return atg_fail(err, ATG_EPARSE, "The truth must name each of the operation's %u samples",
                        n);
    for (size_t i = 0; i < n && !rc; i++)
        rc = read_sample(r, json_array_get(from, i), missing, swapped, err);
    ret->n_samples = n;
    ret->missing_of_sample = missing;
    ret->swapped = swapped;
    return rc;
}

static int read_wrong(struct reading *r, const json_t *from, atg_truth *ret, atg_err *err) {
    size_t n = json_array_size(from);
    struct atg_truth_wrong *wrong = ATG_GET(r->arena, struct atg_truth_wrong, n);

    if (!json_is_array(from) || n > UINT32_MAX)
        return atg_fail(err, ATG_EPARSE, "\"wrong_relatives\" must be a list");
    if (!wrong)
        return short_of_memory(err);
    for (size_t i = 0; i < n; i++) {
        const json_t *row = json_array_get(from, i);
        atg_str family = text_of(row, "family"), person = text_of(row, "person");
        int64_t f = map_get(r->families, family);
        int p = f < 0 ? -1 : atg_pedigree_find(&r->op->families[f].ped, person);

        if (p < 0)
            return atg_fail(err, ATG_EPARSE,
                            "The truth names relative \"%.*s\" of family \"%.*s\", which the "
                            "operation lacks",
                            ATG_FMT(person), ATG_FMT(family));
        wrong[i] = (struct atg_truth_wrong){(uint32_t)f, (uint32_t)p};
    }
    ret->n_relatives_wrong = (uint32_t)n;
    ret->wrong = wrong;
    return ATG_OK;
}

/* The first of equal ids counts; they are unique in an operation. */
static int index_ids(struct reading *r) {
    const atg_operation *op = r->op;
    int rc = ATG_OK;

    for (uint32_t i = 0; i < op->n_samples && rc != ATG_ENOMEM; i++)
        rc = map_add(r->samples, op->samples[i].id, i);
    for (uint32_t i = 0; i < op->n_missing && rc != ATG_ENOMEM; i++)
        rc = map_add(r->missing, op->missing[i].id, i);
    for (uint32_t i = 0; i < op->n_families && rc != ATG_ENOMEM; i++)
        rc = map_add(r->families, op->families[i].id, i);
    return rc == ATG_ENOMEM ? rc : ATG_OK;
}

static int read_all(struct reading *r, const json_t *root, atg_truth *ret, atg_err *err) {
    atg_truth truth = {0};
    int rc;

    if (!atg_str_eq(text_of(root, "schema"), ATG_STR(TRUTH_SCHEMA)))
        return atg_fail(err, ATG_EPARSE, "This is not a truth file: \"schema\" must be \"%s\"",
                        TRUTH_SCHEMA);
    rc = read_options(json_object_get(root, "options"), &truth.options, err);
    if (!rc)
        rc = read_samples(r, json_object_get(root, "samples"), &truth, err);
    if (!rc)
        rc = read_wrong(r, json_object_get(root, "wrong_relatives"), &truth, err);
    if (!rc)
        *ret = truth;
    return rc;
}

int atg_truth_read_json(atg_arena *arena, atg_str bytes, const atg_operation *op, atg_truth *ret,
                        atg_err *err) {
    ATG_AUTO(map) samples = map_new();
    ATG_AUTO(map) missing = map_new();
    ATG_AUTO(map) families = map_new();
    MEM_AUTO bool *seen = mem_zero(op->n_samples, sizeof(*seen));
    struct reading r = {arena, op, samples, missing, families, seen};
    json_error_t where;
    json_t *root;
    int rc;

    if (!samples || !missing || !families || !seen || index_ids(&r))
        return short_of_memory(err);
    root = json_loadb(bytes.p ? bytes.p : "", bytes.n, JSON_REJECT_DUPLICATES, &where);
    if (!root)
        return atg_fail_at(err, ATG_EPARSE, (uint32_t)where.line, (uint32_t)where.column,
                           "This is not JSON: %s", where.text);
    rc = read_all(&r, root, ret, err);
    json_decref(root);
    return rc;
}
