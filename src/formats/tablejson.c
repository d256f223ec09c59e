/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/tablejson.h"

#include "formats/jsonin.h"

const char tablejson_schema[] = "antigone-table/1";

void tablejson_write_row(json *j, const csv_field *fields, uint32_t n) {
    json_object_line(j);
    json_key(j, "line");
    json_int(j, fields[0].line);
    json_key(j, "cells");
    json_begin_array(j);
    for (uint32_t i = 0; i < n; i++)
        json_str(j, fields[i].text);
    json_end(j, ']');
    json_key(j, "places");
    json_begin_array(j);
    for (uint32_t i = 0; i < n; i++) {
        json_begin_array(j);
        json_int(j, fields[i].line);
        json_int(j, fields[i].col);
        json_end(j, ']');
    }
    json_end(j, ']');
    json_end(j, '}');
}

typedef struct taking {
    tablejson_row *row;
    void *user;
} taking;

/* A line or a column: from 1. */
static bool place(const json_t *v, uint32_t *ret) {
    json_int_t x = json_is_integer(v) ? json_integer_value(v) : 0;

    *ret = x >= 1 && x <= UINT32_MAX ? (uint32_t)x : 0;
    return *ret != 0;
}

static int read_field(jin *j, const json_t *cell, const json_t *where, csv_field *ret) {
    int rc = jin_is_text(j, cell, &ret->text);

    if (rc == ATG_OK &&
        (json_array_size(where) != 2 || !place(json_array_get(where, 0), &ret->line) ||
         !place(json_array_get(where, 1), &ret->col)))
        rc = jin_fail(j, ATG_EPARSE, "a cell has no line and column");
    return rc ? rc : jin_keep(j, &ret->text);
}

static int read_row(void *user, jin *j, const json_t *v, uint32_t index) {
    const taking *t = user;
    const json_t *cells = json_object_get(v, "cells"), *places = json_object_get(v, "places");
    size_t n = json_array_size(cells);
    csv_field *fields;
    int rc = jin_is_object(j, v);

    (void)index;
    if (rc == ATG_OK && (n < 1 || n > CSV_FIELDS_MAX || json_array_size(places) != n))
        rc = jin_fail(j, ATG_EPARSE, "a row has 1 to %d cells and as many places", CSV_FIELDS_MAX);
    if (rc)
        return rc;
    fields = ATG_GET(j->arena, csv_field, n);
    if (!fields)
        return jin_nomem(j);
    jin_key(j, "cells");
    for (size_t i = 0; i < n && rc == ATG_OK; i++) {
        jin_index(j, i);
        rc = read_field(j, json_array_get(cells, i), json_array_get(places, i), &fields[i]);
        jin_up(j);
    }
    jin_up(j);
    return rc ? rc : t->row(t->user, fields, (uint32_t)n, j->err);
}

static int read_schema(jin *j) {
    json_t *schema = NULL;
    atg_str text;
    int rc = jin_enter_load(j, "schema", JIN_REQUIRED, &schema);

    if (rc)
        return rc;
    rc = jin_is_text(j, schema, &text);
    if (rc == ATG_OK && !atg_str_eq(text, atg_str_of(tablejson_schema)))
        rc = jin_fail(j, ATG_EPARSE, "this is no %s", tablejson_schema);
    json_decref(schema);
    jin_up(j);
    return rc;
}

int tablejson_read(atg_arena *arena, atg_str bytes, tablejson_row *row, void *user, atg_err *err) {
    jin *j = ATG_GET(arena, jin, 1);
    taking t = {row, user};
    const jin_extent *rows = NULL;
    int rc = j ? jin_open(j, arena, bytes, NULL, err)
               : atg_fail(err, ATG_ENOMEM, "Out of memory reading a table");

    if (rc == ATG_OK)
        rc = read_schema(j);
    if (rc == ATG_OK)
        rc = jin_enter(j, "rows", JIN_REQUIRED, &rows);
    if (rc)
        return rc;
    rc = jin_each(j, *rows, read_row, &t);
    jin_up(j);
    return rc;
}
