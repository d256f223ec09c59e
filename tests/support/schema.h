/* SPDX-License-Identifier: Apache-2.0 */
/* As much of JSON Schema 2020-12 as the schemas of the project use; a keyword that is not known
 * here fails the test. */
#ifndef ATG_TESTS_SCHEMA_H
#define ATG_TESTS_SCHEMA_H

#include "testing.h"

#include <stdio.h>

#include "base/json_read.h"

static inline bool schema_fits(const json_t *root, const json_t *schema, const json_t *given);

static inline json_t *schema_named(const char *what) {
    const char *path = getenv("ATG_SCHEMA_DIR"); /* NOLINT(concurrency-mt-unsafe): one thread */
    json_t *schema;
    char name[4096];

    assert_non_null(path);
    snprintf(name, sizeof(name), "%s/%s.schema.json", path, what);
    schema = json_load_file(name, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(schema);
    return schema;
}

static inline bool schema_among(const char *const *list, const char *s) {
    for (; *list; list++)
        if (!strcmp(*list, s))
            return true;
    return false;
}

static inline void schema_known(const json_t *schema) {
    static const char *const known[] = {"$schema",
                                        "$id",
                                        "$ref",
                                        "$defs",
                                        "$comment",
                                        "title",
                                        "description",
                                        "default",
                                        "type",
                                        "const",
                                        "enum",
                                        "anyOf",
                                        "if",
                                        "then",
                                        "properties",
                                        "required",
                                        "dependentRequired",
                                        "additionalProperties",
                                        "items",
                                        "minItems",
                                        "maxItems",
                                        "minLength",
                                        "maxLength",
                                        "pattern", /* not applied */
                                        "minimum",
                                        "maximum",
                                        "exclusiveMinimum",
                                        "exclusiveMaximum",
                                        NULL};
    const char *key;
    json_t *v;

    json_object_foreach(json_iterable(schema), key, v) {
        if (!schema_among(known, key))
            fail_msg("tests/support/schema.h does not know the keyword %s", key);
    }
}

static inline bool schema_type(const char *type, const json_t *given) {
    if (!strcmp(type, "object"))
        return json_is_object(given);
    if (!strcmp(type, "array"))
        return json_is_array(given);
    if (!strcmp(type, "string"))
        return json_is_string(given);
    if (!strcmp(type, "integer"))
        return json_is_integer(given);
    if (!strcmp(type, "number"))
        return json_is_number(given);
    if (!strcmp(type, "boolean"))
        return json_is_boolean(given);
    return !strcmp(type, "null") && json_is_null(given);
}

static inline bool schema_types(const json_t *type, const json_t *given) {
    const json_t *t;
    size_t i;

    if (json_is_string(type))
        return schema_type(json_string_value(type), given);
    json_array_foreach(type, i, t) {
        if (schema_type(json_string_value(t), given))
            return true;
    }
    return type == NULL;
}

static inline bool schema_has_all(const json_t *names, const json_t *given) {
    const json_t *r;
    size_t i;

    json_array_foreach(names, i, r) {
        if (!json_object_get(given, json_string_value(r)))
            return false;
    }
    return true;
}

/* NOLINTBEGIN(misc-no-recursion): schemas are nested, and so is this */
static inline bool schema_properties(const json_t *root, const json_t *schema, json_t *given) {
    const json_t *properties = json_object_get(schema, "properties");
    const json_t *others = json_object_get(schema, "additionalProperties");
    const json_t *depend = json_object_get(schema, "dependentRequired");
    const char *key;
    json_t *v;

    if (!schema_has_all(json_object_get(schema, "required"), given))
        return false;
    json_object_foreach(given, key, v) {
        const json_t *s = json_object_get(properties, key);

        if (s ? !schema_fits(root, s, v) : json_is_false(others))
            return false;
        if (!s && json_is_object(others) && !schema_fits(root, others, v))
            return false;
        if (!schema_has_all(json_object_get(depend, key), given))
            return false;
    }
    return true;
}

static inline bool schema_one_of(const json_t *list, const json_t *given) {
    const json_t *x;
    size_t i;

    json_array_foreach(list, i, x) {
        if (json_equal(x, given))
            return true;
    }
    return list == NULL;
}

static inline bool schema_some(const json_t *root, const json_t *any_of, const json_t *given) {
    const json_t *s;
    size_t i;

    json_array_foreach(any_of, i, s) {
        if (schema_fits(root, s, given))
            return true;
    }
    return any_of == NULL;
}

/* Is `x` on the right side of the bound, if there is one? */
static inline bool schema_bound(const json_t *schema, const char *key, double x, int sign,
                                bool equal) {
    const json_t *b = json_object_get(schema, key);
    double d = sign * (x - json_number_value(b));

    return !b || d > 0 || (equal && d == 0);
}

static inline bool schema_size(const json_t *schema, const char *least, const char *most,
                               size_t n) {
    return schema_bound(schema, least, (double)n, 1, true) &&
           schema_bound(schema, most, (double)n, -1, true);
}

static inline bool schema_bounds(const json_t *schema, const json_t *given) {
    double x = json_number_value(given);

    if (json_is_number(given))
        return schema_bound(schema, "minimum", x, 1, true) &&
               schema_bound(schema, "maximum", x, -1, true) &&
               schema_bound(schema, "exclusiveMinimum", x, 1, false) &&
               schema_bound(schema, "exclusiveMaximum", x, -1, false);
    if (json_is_string(given))
        return schema_size(schema, "minLength", "maxLength", json_string_length(given));
    if (json_is_array(given))
        return schema_size(schema, "minItems", "maxItems", json_array_size(given));
    return true;
}

static inline bool schema_fits(const json_t *root, const json_t *schema, const json_t *given) {
    const char *ref = json_string_value(json_object_get(schema, "$ref"));
    const json_t *items = json_object_get(schema, "items"), *x;
    const json_t *constant = json_object_get(schema, "const");
    const json_t *when = json_object_get(schema, "if"), *then = json_object_get(schema, "then");
    size_t i;

    schema_known(schema);
    if (ref) {
        schema = json_object_get(json_object_get(root, "$defs"), strrchr(ref, '/') + 1);
        return schema && schema_fits(root, schema, given);
    }
    if (!schema_types(json_object_get(schema, "type"), given) ||
        (constant && !json_equal(constant, given)) ||
        !schema_one_of(json_object_get(schema, "enum"), given) ||
        !schema_some(root, json_object_get(schema, "anyOf"), given) ||
        !schema_bounds(schema, given) ||
        (when && schema_fits(root, when, given) && !schema_fits(root, then, given)))
        return false;
    json_array_foreach(given, i, x) {
        if (items && !schema_fits(root, items, x))
            return false;
    }
    return !json_is_object(given) || schema_properties(root, schema, json_iterable(given));
}
/* NOLINTEND(misc-no-recursion) */

#endif
