/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"
#include "formats/tablejson.h"
#include "worker/parse.h"

enum { ROWS_AT_ONCE = 256 };

/* Some rows, in an arena of their own; `*ret_n` is how many there were. */
static int put_some(csv *table, parse_out *out, uint32_t *ret_n, atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(SIZE_MAX);
    csv_field *fields;
    uint32_t n = 1, rows = 0;
    int rc = arena ? ATG_OK : atg_fail(err, ATG_ENOMEM, "Out of memory reading a table");

    while (rc == ATG_OK && n && rows < ROWS_AT_ONCE) {
        rc = csv_row(table, arena, &fields, &n, err);
        if (rc || !n)
            continue;
        tablejson_write_row(&out->j, fields, n);
        rows++;
        rc = parse_flush(out, false, err);
    }
    *ret_n = rows;
    return rc;
}

static int write_table(const parse *p, parse_out *out, atg_err *err) {
    uint32_t n = ROWS_AT_ONCE;
    const char *from = NULL;
    atg_str text;
    csv table;
    int rc = text_utf8(p->arena, p->w->files[0], &text, &from, err);

    if (rc)
        return rc;
    if (from)
        atg_note(p->notes, p->arena, "The file was read as %s", from);
    table = csv_new(text);
    json_begin_object(&out->j);
    json_key(&out->j, "schema");
    json_text(&out->j, tablejson_schema);
    json_key(&out->j, "rows");
    json_begin_array(&out->j);
    while (rc == ATG_OK && n == ROWS_AT_ONCE)
        rc = put_some(&table, out, &n, err);
    if (rc)
        return rc;
    json_end(&out->j, ']');
    json_end(&out->j, '}');
    return parse_flush(out, true, err);
}

int parse_table(const parse *p, atg_err *err) {
    parse_out out;
    int rc;

    if (p->ask->n != 1)
        return atg_fail(err, ATG_EINVAL, "A table is one file");
    rc = parse_begin(p->w, p->ask->out_max, &out, err);
    if (rc)
        return rc;
    rc = write_table(p, &out, err);
    parse_end(&out);
    return rc;
}
