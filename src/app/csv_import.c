/* SPDX-License-Identifier: Apache-2.0 */
#include "app/csv_import.h"

#include <string.h>

#include "app/cases_internal.h"
#include "app/rights.h"
#include "base/csv.h"
#include "base/map.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "formats/tablejson.h"
#include "store/imported.h"

enum { COLUMNS_MAX = RECORD_FIELDS_MAX + 2, COLUMN_ID = -1, COLUMN_STATE = -2, COLUMN_NONE = -3 };

typedef struct table_row {
    atg_str key;
    uint32_t line;
    uint64_t said; /* bits of the fields that have a column */
    hash256 digest;
    record *r;
} table_row;

typedef struct importing {
    cases *c;
    const actor *who;
    atg_arena *arena;
    const csv_options *o;
    csv_done done;
    uint32_t n_columns;
    int columns[COLUMNS_MAX]; /* field, or COLUMN_... */
    int key_field;            /* when there is no column "id" */
    bool has_id;
    table_row *rows;
    uint32_t n, cap;
    map *keys;
    db *d;
    cases_batch *b;
    bool known; /* something of this source came in before */
} importing;

static int no_memory(atg_err *err) {
    return atg_fail(err, ATG_ENOMEM, "Out of memory reading the table");
}

static int problem(importing *w, uint32_t line, uint32_t col, const char *what, atg_err *err) {
    if (w->done.n_problems < CSV_PROBLEMS_MAX) {
        atg_str text = atg_arena_str(w->arena, atg_str_of(what));

        if (!text.p)
            return no_memory(err);
        w->done.problems[w->done.n_problems] = (csv_problem){line, col, text};
    }
    w->done.n_problems++;
    return ATG_OK;
}

/* ---- the header ---- */

static int column_of(record_kind kind, atg_str name) {
    const record_type *type = &record_types[kind];

    name = atg_str_trim(name);
    if (atg_str_eq_nocase(name, ATG_STR("id")))
        return COLUMN_ID;
    if (type->states[0] && atg_str_eq_nocase(name, ATG_STR("state")))
        return COLUMN_STATE;
    for (uint32_t f = 0; f < type->n_fields; f++)
        if (atg_str_eq_nocase(name, atg_str_of(type->fields[f].name)) ||
            atg_str_eq_nocase(name, atg_str_of(type->fields[f].label)))
            return (int)f;
    return COLUMN_NONE;
}

static int read_column(importing *w, const csv_field *f, uint32_t at, atg_err *err) {
    atg_err e = {0};

    w->columns[at] = column_of(w->o->kind, f->text);
    if (w->columns[at] == COLUMN_NONE) {
        (void)atg_fail(&e, ATG_EPARSE, "A %s has no field \"%.*s\"", record_types[w->o->kind].title,
                       f->text.n > 80 ? 80 : (int)f->text.n, f->text.p);
        return problem(w, f->line, f->col, e.msg, err);
    }
    for (uint32_t k = 0; k < at; k++)
        if (w->columns[k] == w->columns[at])
            return problem(w, f->line, f->col, "This column stands twice", err);
    w->has_id |= w->columns[at] == COLUMN_ID;
    return ATG_OK;
}

/* The field that names a row where no column "id" does. */
static int key_field_of(record_kind kind) {
    static const char *const names[] = {"external", "tag", "label", NULL};

    for (int i = 0; names[i]; i++) {
        int f = record_field_of(kind, atg_str_of(names[i]));

        if (f >= 0 && (kind != RECORD_REMAINS || strcmp(names[i], "tag") == 0))
            return f;
    }
    return -1;
}

static int read_header(importing *w, const csv_field *fields, uint32_t n, atg_err *err) {
    bool keyed = false;
    int rc = ATG_OK;

    if (n > COLUMNS_MAX)
        return atg_fail_at(err, ATG_ELIMIT, 1, 1, "More columns than a %s has fields",
                           record_types[w->o->kind].title);
    w->n_columns = n;
    w->key_field = key_field_of(w->o->kind);
    for (uint32_t i = 0; i < n && !rc; i++) {
        rc = read_column(w, &fields[i], i, err);
        keyed |= w->columns[i] == COLUMN_ID || w->columns[i] == w->key_field;
    }
    if (!rc && !keyed)
        rc = problem(w, 1, 1, "Rows need a name: add a column \"id\"", err);
    return rc;
}

/* ---- the rows ---- */

static int read_state(importing *w, const csv_field *f, table_row *row, atg_err *err) {
    atg_str text = atg_str_trim(f->text);
    int state = record_word(record_types[w->o->kind].states, text);

    if (text.n && state < 0)
        return problem(w, f->line, f->col, "There is no such state", err);
    if (state > 0)
        return problem(w, f->line, f->col,
                       "A new file begins in its first state; change it here, with the reason",
                       err);
    (void)row;
    return ATG_OK;
}

static int read_cell(importing *w, const csv_field *f, int column, table_row *row, atg_err *err) {
    atg_err e = {0};
    int rc;

    if (column == COLUMN_NONE)
        return ATG_OK;
    if (column == COLUMN_STATE)
        return read_state(w, f, row, err);
    if (column == COLUMN_ID) {
        row->key = atg_arena_str(w->arena, atg_str_trim(f->text));
        return row->key.p ? ATG_OK : no_memory(err);
    }
    row->said |= UINT64_C(1) << column;
    rc = value_read(w->arena, record_field(w->o->kind, (uint32_t)column), f->text,
                    &row->r->fields[column], &e);
    if (rc == ATG_ENOMEM)
        return no_memory(err);
    return rc ? problem(w, f->line, f->col, e.msg, err) : ATG_OK;
}

static int name_row(importing *w, table_row *row, atg_err *err) {
    int rc;

    if (!row->key.n && w->key_field >= 0 && row->r->fields[w->key_field].known)
        row->key = row->r->fields[w->key_field].text;
    if (!row->key.n)
        return problem(w, row->line, 1, "This row has no name", err);
    rc = map_add(w->keys, row->key, w->n);
    if (rc == ATG_ENOMEM)
        return no_memory(err);
    return rc ? problem(w, row->line, 1, "Another row has the same name", err) : ATG_OK;
}

static hash256 digest_of(const csv_field *fields, uint32_t n) {
    hasher h;

    hash_begin(&h, "antigone/csv-row/1", NULL);
    for (uint32_t i = 0; i < n; i++)
        hash_bytes(&h, atg_str_trim(fields[i].text));
    return hash_end(&h);
}

static table_row *next_row(importing *w) {
    if (w->n == w->cap) {
        uint32_t cap = w->cap ? 2 * w->cap : 256;
        table_row *more = ATG_GET(w->arena, table_row, cap);

        if (!more)
            return NULL;
        if (w->n)
            memcpy(more, w->rows, w->n * sizeof(*more));
        w->rows = more;
        w->cap = cap;
    }
    return &w->rows[w->n];
}

static int read_row(importing *w, const csv_field *fields, uint32_t n, atg_err *err) {
    table_row *row = next_row(w);
    atg_err e = {0};
    int rc = ATG_OK;

    if (!row)
        return no_memory(err);
    *row = (table_row){.line = fields->line, .r = record_new(w->arena, w->o->kind)};
    if (!row->r)
        return no_memory(err);
    if (n > w->n_columns)
        return problem(w, fields[w->n_columns].line, fields[w->n_columns].col,
                       "More cells than the first row has", err);
    row->r->operation = w->o->operation;
    row->digest = digest_of(fields, n);
    for (uint32_t i = 0; i < n && !rc; i++)
        rc = read_cell(w, &fields[i], w->columns[i], row, err);
    if (!rc)
        rc = name_row(w, row, err);
    if (!rc && record_check(row->r, &e))
        rc = problem(w, row->line, 1, e.msg, err);
    w->n++;
    return rc;
}

/* The first row is the header. */
static int next_fields(void *user, const csv_field *fields, uint32_t n, atg_err *err) {
    importing *w = user;

    if (!w->n_columns)
        return read_header(w, fields, n, err);
    if (w->n == CSV_ROWS_MAX)
        return atg_fail_at(err, ATG_ELIMIT, fields->line, 1, "More than %d rows", CSV_ROWS_MAX);
    return read_row(w, fields, n, err);
}

static int read_values(importing *w, atg_str bytes, atg_err *err) {
    atg_str text;
    const char *from;
    int rc = text_utf8(w->arena, bytes, &text, &from, err);
    csv table;

    if (rc)
        return rc;
    table = csv_new(text);
    while (!rc) {
        csv_field *fields;
        uint32_t n;

        rc = csv_row(&table, w->arena, &fields, &n, err);
        if (rc || !n)
            break;
        rc = next_fields(w, fields, n, err);
    }
    return rc;
}

static int read_table(importing *w, atg_str bytes, bool as_json, atg_err *err) {
    int rc =
        as_json ? tablejson_read(w->arena, bytes, next_fields, w, err) : read_values(w, bytes, err);

    if (!rc && !w->n_columns)
        rc = atg_fail_at(err, ATG_EPARSE, 1, 1, "The table is empty");
    w->done.rows = w->n;
    return rc;
}

/* ---- into the store ---- */

static int add_row(importing *w, const table_row *row, atg_err *err) {
    record *r = record_copy(w->arena, row->r);
    change ch = {CHANGE_ADD, r};
    int rc = r ? cases_apply(w->b, &ch, err) : no_memory(err);

    if (!rc)
        rc = imported_put(w->d, &w->o->operation, w->o->source, row->key,
                          &(imported_row){r->id, r->rev, row->digest}, err);
    w->done.added += !rc;
    return rc;
}

static int edit_row(importing *w, const table_row *row, const imported_row *before, atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(16 << 20);
    record_row now;
    change ch = {.what = CHANGE_EDIT};
    int rc =
        arena ? records_get(w->d, cases_keys(w->c), arena, w->o->kind, &before->record, &now, err)
              : no_memory(err);

    if (rc)
        return rc;
    if (now.r->rev != before->rev)
        return atg_fail(err, ATG_ECONFLICT,
                        "%.*s was edited here since it came in, and this row says something else "
                        "than before: compare them and edit the file by hand",
                        ATG_FMT(now.r->code));
    for (uint32_t f = 0; f < record_types[w->o->kind].n_fields; f++)
        if (row->said >> f & 1)
            now.r->fields[f] = row->r->fields[f];
    ch.r = now.r;
    rc = cases_apply(w->b, &ch, err);
    if (!rc)
        rc = imported_put(w->d, &w->o->operation, w->o->source, row->key,
                          &(imported_row){now.r->id, now.r->rev, row->digest}, err);
    w->done.changed += !rc;
    return rc;
}

static int take_row(importing *w, const table_row *row, atg_err *err) {
    imported_row before;
    int rc = w->known ? imported_get(w->d, &w->o->operation, w->o->source, row->key, &before, err)
                      : ATG_ENOTFOUND;

    if (rc == ATG_ENOTFOUND)
        return add_row(w, row, err);
    if (rc)
        return rc;
    if (hash_eq(&before.digest, &row->digest)) {
        w->done.same++;
        return ATG_OK;
    }
    return edit_row(w, row, &before, err);
}

/* What a row may be refused for, without the store being at fault. */
static bool is_of_row(int rc) {
    return rc == ATG_EDENIED || rc == ATG_EINVAL || rc == ATG_EPARSE || rc == ATG_ELIMIT ||
           rc == ATG_ECONFLICT;
}

static int take_rows(importing *w, atg_err *err) {
    const atg_progress *p = w->o->progress;

    for (uint32_t i = 0; i < w->n; i++) {
        atg_err e = {0};
        int rc = take_row(w, &w->rows[i], &e);

        if (rc && is_of_row(rc) && !db_retry(w->d))
            rc = problem(w, w->rows[i].line, 1, e.msg, &e);
        if (rc) {
            if (err)
                *err = e;
            return rc;
        }
        if (p && p->step && i % 64 == 0 && !p->step(p->user, "rows", i, w->n))
            return atg_fail(err, ATG_ECANCEL, "Stopped on request");
    }
    return ATG_OK;
}

static int take(db *d, void *user, atg_err *err) {
    importing *w = user;
    int rc = cases_batch_new(w->c, d, w->who, w->arena, &w->b, err);

    w->d = d;
    w->done.added = w->done.changed = w->done.same = 0;
    w->done.n_problems = 0;
    if (!rc)
        rc = imported_any(d, &w->o->operation, w->o->source, &w->known, err);
    if (!rc && !w->known)
        rc = cases_batch_expect(w->b, &w->o->operation, w->o->kind, w->n, err);
    if (!rc)
        rc = take_rows(w, err);
    if (!rc)
        rc = cases_batch_end(w->b, err);
    if (!rc && (w->o->dry_run || w->done.n_problems))
        rc = atg_fail(err, ATG_ECANCEL, "Nothing was taken in");
    return rc;
}

static int import(importing *w, atg_str bytes, bool as_json, atg_err *err) {
    int rc = read_table(w, bytes, as_json, err);

    if (rc || w->done.n_problems || !w->n)
        return rc;
    rc = store_write(cases_store(w->c), take, w, err);
    /* stopped by itself: a dry run, or rows with problems */
    if (rc == ATG_ECANCEL && (w->o->dry_run || w->done.n_problems)) {
        if (err)
            *err = (atg_err){0};
        rc = ATG_OK;
    }
    return rc;
}

static int import_as(importing w, atg_str bytes, bool as_json, csv_done *ret, atg_err *err) {
    int rc = ATG_OK;

    w.keys = map_new();
    w.done.problems = ATG_GET(w.arena, csv_problem, CSV_PROBLEMS_MAX);
    if (!w.keys || !w.done.problems)
        rc = no_memory(err);
    else if (!record_types[w.o->kind].is_file)
        rc = atg_fail(err, ATG_EINVAL, "A table holds files, such as missing persons or remains");
    if (!rc)
        rc = import(&w, bytes, as_json, err);
    map_free(w.keys);
    if (!rc)
        *ret = w.done;
    return rc;
}

int cases_import_csv(cases *c, const actor *who, atg_arena *arena, atg_str bytes,
                     const csv_options *o, csv_done *ret, atg_err *err) {
    importing w = {.c = c, .who = who, .arena = arena, .o = o};

    return import_as(w, bytes, false, ret, err);
}

int cases_import_table(cases *c, const actor *who, atg_arena *arena, atg_str table,
                       const csv_options *o, csv_done *ret, atg_err *err) {
    importing w = {.c = c, .who = who, .arena = arena, .o = o};

    return import_as(w, table, true, ret, err);
}

typedef struct asking {
    const actor *who;
    const uuid *operation;
    record_kind kind;
} asking;

static int check_right(db *d, void *user, atg_err *err) {
    const asking *w = user;
    uint32_t roles = 0;
    int rc = cases_roles(d, w->who, w->operation, &roles, err);

    return rc ? rc
              : rights_in(roles, ACTION_ADD, (int)w->kind, (int)w->kind,
                          record_types[w->kind].states[0] ? 0 : -1, err);
}

int cases_import_check(cases *c, const actor *who, const uuid *operation, record_kind kind,
                       atg_err *err) {
    asking w = {who, operation, kind};

    return store_read(cases_store(c), check_right, &w, err);
}
