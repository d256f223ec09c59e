/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/jsonin.h"

#include <math.h>
#include <string.h>

static const char *kind_of(const json_t *v) {
    switch (json_typeof(v)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "a list";
    case JSON_STRING:
        return "a text";
    case JSON_INTEGER:
        return "a number";
    case JSON_REAL:
        return "a number with a fraction";
    case JSON_TRUE:
    case JSON_FALSE:
        return "true or false";
    case JSON_NULL:
        break;
    }
    return "null";
}

static int expected(jin *j, const json_t *v, const char *what) {
    return jin_fail(j, ATG_EPARSE, "Write %s here; this is %s", what, kind_of(v));
}

int jin_is_object(jin *j, const json_t *v) {
    return json_is_object(v) ? ATG_OK : expected(j, v, "an object in braces");
}

int jin_is_array(jin *j, const json_t *v) {
    return json_is_array(v) ? ATG_OK : expected(j, v, "a list in square brackets");
}

int jin_is_text(jin *j, const json_t *v, atg_str *ret) {
    if (!json_is_string(v))
        return expected(j, v, "a text in quotes");
    *ret = (atg_str){json_string_value(v), json_string_length(v)};
    return ATG_OK;
}

int jin_is_id(jin *j, const json_t *v, size_t max, atg_str *ret) {
    atg_str s = {NULL, 0};
    int rc = jin_is_text(j, v, &s);

    if (rc)
        return rc;
    if (s.n == 0)
        return jin_fail(j, ATG_EPARSE, "This text is empty; write the name");
    if (s.n > max)
        return jin_fail(j, ATG_ELIMIT, "This name is longer than %zu bytes", max);
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
            return jin_fail(j, ATG_EPARSE, "A name may not hold a control character");
    *ret = s;
    return ATG_OK;
}

/* The member, or NULL with `*rc` ATG_OK where it may be left out.  Its step stays pushed when a
 * member is returned. */
static const json_t *get(jin *j, const json_t *obj, const char *key, jin_need need, int *rc) {
    const json_t *v = json_object_get(obj, key);

    *rc = ATG_OK;
    if (v && !json_is_null(v)) {
        jin_key(j, key);
        return v;
    }
    if (need == JIN_REQUIRED)
        *rc = jin_fail(j, ATG_EPARSE, "The member \"%s\" is missing", key);
    return NULL;
}

int jin_get_text(jin *j, const json_t *obj, const char *key, jin_need need, atg_str *ret) {
    int rc;
    const json_t *v = get(j, obj, key, need, &rc);

    if (v) {
        rc = jin_is_text(j, v, ret);
        jin_up(j);
    }
    return rc;
}

int jin_get_id(jin *j, const json_t *obj, const char *key, jin_need need, atg_str *ret) {
    int rc;
    const json_t *v = get(j, obj, key, need, &rc);

    if (v) {
        rc = jin_is_id(j, v, JIN_ID_MAX, ret);
        jin_up(j);
    }
    return rc;
}

int jin_get_number(jin *j, const json_t *obj, const char *key, jin_need need, double *ret) {
    int rc;
    const json_t *v = get(j, obj, key, need, &rc);

    if (v) {
        rc = json_is_number(v) ? ATG_OK : expected(j, v, "a number");
        if (!rc)
            *ret = json_number_value(v) + 0.0; /* -0 is 0 */
        jin_up(j);
    }
    return rc;
}

int jin_get_share(jin *j, const json_t *obj, const char *key, jin_need need, double *ret) {
    double x = *ret;
    int rc = jin_get_number(j, obj, key, need, &x);

    if (!rc && !(x >= 0 && x <= 1))
        rc = jin_fail_key(j, key, ATG_EINVAL, "This is %g; it must be from 0 to 1", x);
    if (!rc)
        *ret = x;
    return rc;
}

int jin_get_count(jin *j, const json_t *obj, const char *key, jin_need need, uint32_t *ret) {
    int rc;
    const json_t *v = get(j, obj, key, need, &rc);

    if (v) {
        if (!json_is_integer(v))
            rc = expected(j, v, "a whole number");
        else if (json_integer_value(v) < 0 || json_integer_value(v) > UINT32_MAX)
            rc = jin_fail(j, ATG_EINVAL, "This number must be from 0 to %u", UINT32_MAX);
        else
            *ret = (uint32_t)json_integer_value(v);
        jin_up(j);
    }
    return rc;
}

int jin_get_bool(jin *j, const json_t *obj, const char *key, bool *ret) {
    int rc;
    const json_t *v = get(j, obj, key, JIN_OPTIONAL, &rc);

    if (v) {
        rc = json_is_boolean(v) ? ATG_OK : expected(j, v, "true or false");
        if (!rc)
            *ret = json_is_true(v);
        jin_up(j);
    }
    return rc;
}

int jin_get_sex(jin *j, const json_t *obj, const char *key, atg_sex *ret) {
    atg_str s = ATG_STR("U");
    int rc = jin_get_text(j, obj, key, JIN_OPTIONAL, &s);

    if (rc)
        return rc;
    if (atg_str_eq(s, ATG_STR("M")))
        *ret = ATG_SEX_MALE;
    else if (atg_str_eq(s, ATG_STR("F")))
        *ret = ATG_SEX_FEMALE;
    else if (atg_str_eq(s, ATG_STR("U")))
        *ret = ATG_SEX_UNKNOWN;
    else
        return jin_fail_key(j, key, ATG_EPARSE,
                            "Write \"M\", \"F\", or \"U\" for unknown; this is \"%.*s\"",
                            ATG_FMT(s));
    return ATG_OK;
}

int jin_keep(jin *j, atg_str *s) {
    atg_str copy = atg_arena_str(j->arena, *s);

    if (!copy.p)
        return jin_nomem(j);
    *s = copy;
    return ATG_OK;
}

static bool noted_before(jin *j, atg_str key) {
    for (int i = 0; i < j->n_unknown; i++)
        if (atg_str_eq(j->unknown[i], key))
            return true;
    if (j->n_unknown == JIN_UNKNOWN)
        return true;

    atg_str copy = atg_arena_str(j->arena, key);

    if (copy.p)
        j->unknown[j->n_unknown++] = copy;
    return false;
}

/* The value in hand has a member `key`: is it in the list? */
static void know(jin *j, atg_str key, const char *const *keys) {
    char path[128];

    for (size_t i = 0; keys[i]; i++)
        if (atg_str_eq(atg_str_of(keys[i]), key))
            return;
    if (noted_before(j, key))
        return;
    jin_path(j, path, sizeof(path));
    atg_note(j->notes, j->arena, "%s%sThe key \"%.*s\" is not part of the format and is ignored",
             path, *path ? ": " : "", ATG_FMT(key));
}

void jin_known(jin *j, const json_t *obj, const char *const *keys) {
    const char *key;
    json_t *v;

    json_object_foreach(json_iterable(obj), key, v) know(j, atg_str_of(key), keys);
}

void jin_known_members(jin *j, const char *const *keys) {
    for (int i = 0; i < j->n_members; i++)
        know(j, j->members[i].key, keys);
}
