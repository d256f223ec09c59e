/* SPDX-License-Identifier: Apache-2.0 */
#include "model/record.h"

#include "base/instant.h"
#include "base/json_read.h"

#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = JSON_DEPTH - 2, KEYS_MAX = 20000 };

static int by_bytes(const void *a, const void *b) {
    const char *const *x = a, *const *y = b;

    return strcmp(*x, *y);
}

/* NOLINTBEGIN(misc-no-recursion): JSON is nested, and so is this; no deeper than DEPTH_MAX */
static int canonical(atg_arena *arena, json *j, const json_t *v, int depth, atg_err *err);

static int canonical_object(atg_arena *arena, json *j, const json_t *v, int depth, atg_err *err) {
    json_t *all = json_iterable(v);
    size_t n = json_object_size(v), i = 0;
    const char **keys = ATG_GET(arena, const char *, n + 1);

    if (n > KEYS_MAX)
        return atg_fail(err, ATG_ELIMIT, "A JSON object has more than %d members", KEYS_MAX);
    if (!keys)
        return atg_fail(err, ATG_ENOMEM, "Out of memory reading JSON");
    for (void *it = json_object_iter(all); it; it = json_object_iter_next(all, it))
        keys[i++] = json_object_iter_key(it);
    qsort(keys, n, sizeof(*keys), by_bytes);
    json_object_line(j);
    for (i = 0; i < n; i++) {
        json_key(j, keys[i]);

        int rc = canonical(arena, j, json_object_get(v, keys[i]), depth + 1, err);

        if (rc)
            return rc;
    }
    json_end(j, '}');
    return ATG_OK;
}

static int canonical_array(atg_arena *arena, json *j, const json_t *v, int depth, atg_err *err) {
    json_array_line(j);
    for (size_t i = 0; i < json_array_size(v); i++) {
        int rc = canonical(arena, j, json_array_get(v, i), depth + 1, err);

        if (rc)
            return rc;
    }
    json_end(j, ']');
    return ATG_OK;
}

static int canonical(atg_arena *arena, json *j, const json_t *v, int depth, atg_err *err) {
    if (depth > DEPTH_MAX)
        return atg_fail(err, ATG_ELIMIT, "JSON is nested deeper than %d levels", DEPTH_MAX);
    if (json_is_object(v))
        return canonical_object(arena, j, v, depth, err);
    if (json_is_array(v))
        return canonical_array(arena, j, v, depth, err);
    if (json_is_string(v))
        json_str(j, (atg_str){json_string_value(v), json_string_length(v)});
    else if (json_is_integer(v))
        json_int(j, json_integer_value(v));
    else if (json_is_real(v))
        json_num(j, json_real_value(v));
    else if (json_is_boolean(v))
        json_bool(j, json_is_true(v));
    else
        json_none(j);
    return ATG_OK;
}
/* NOLINTEND(misc-no-recursion) */

int record_canonical(atg_arena *arena, const json_t *from, size_t limit, atg_str *ret,
                     atg_err *err) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(limit + 1);
    atg_str text;

    if (!buf)
        return atg_fail(err, ATG_ENOMEM, "Out of memory reading JSON");

    json j = json_new(buf);
    int rc = canonical(arena, &j, from, 0, err);

    if (!rc)
        rc = atg_buf_take(buf, &text, err);
    if (rc)
        return rc;

    atg_str copy = atg_arena_str(arena, atg_str_trim(text));

    if (!copy.p)
        return atg_fail(err, ATG_ENOMEM, "Out of memory reading JSON");
    *ret = copy;
    return ATG_OK;
}

int record_read_json(atg_arena *arena, const json_t *object, record *r, atg_err *err) {
    if (!json_is_object(object))
        return atg_fail(err, ATG_EPARSE, "The fields of a record are a JSON object");

    json_t *all = json_iterable(object);

    for (void *it = json_object_iter(all); it; it = json_object_iter_next(all, it)) {
        const char *key = json_object_iter_key(it);
        int f = record_field_of(r->kind, atg_str_of(key));

        if (f < 0)
            return atg_fail(err, ATG_EPARSE, "A %s has no field '%.60s'",
                            record_types[r->kind].title, key);

        int rc = value_read_json(arena, record_field(r->kind, (uint32_t)f),
                                 json_object_iter_value(it), &r->fields[f], err);

        if (rc)
            return rc;
    }
    return ATG_OK;
}

static void write_id(json *j, const char *key, const uuid *id) {
    char text[UUID_TEXT + 1];

    if (uuid_none(id))
        return;
    uuid_text(id, text);
    json_key(j, key);
    json_text(j, text);
}

static void write_instant(json *j, const char *key, int64_t us) {
    char text[INSTANT_TEXT + 1];

    instant_text(us, text);
    json_key(j, key);
    json_text(j, text);
}

static void write_fields(json *j, const record *r, record_choose *choose, const void *user) {
    const record_type *type = &record_types[r->kind];

    for (uint32_t f = 0; f < type->n_fields; f++) {
        if (!r->fields[f].known || (choose && !choose(user, r, f)))
            continue;
        json_key(j, type->fields[f].name);
        value_write_json(j, &type->fields[f], &r->fields[f]);
    }
}

void record_write_fields(json *j, const record *r, record_choose *choose, const void *user) {
    json_object_line(j);
    write_fields(j, r, choose, user);
    json_end(j, '}');
}

void record_write_json(json *j, const record *r, record_choose *choose, const void *user) {
    const record_type *type = &record_types[r->kind];

    json_begin_object(j);
    json_key(j, "kind");
    json_text(j, type->name);
    write_id(j, "id", &r->id);
    write_id(j, "operation", &r->operation);
    write_id(j, "file", &r->file);
    if (r->code.n) {
        json_key(j, "code");
        json_str(j, r->code);
    }
    json_key(j, "rev");
    json_int(j, r->rev);
    if (type->states[0]) {
        json_key(j, "state");
        json_text(j, type->states[r->state]);
    }
    write_instant(j, "created", r->created);
    write_instant(j, "changed", r->changed);
    json_key(j, "withdrawn");
    json_bool(j, r->withdrawn);
    json_key(j, "fields");
    json_begin_object(j);
    write_fields(j, r, choose, user);
    json_end(j, '}');
    json_end(j, '}');
}
