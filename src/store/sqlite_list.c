/* SPDX-License-Identifier: Apache-2.0 */
/* unnest($1): the integers of a bound list as rows of one column, "unnest", as in PostgreSQL.  An
 * eponymous virtual table: it is there on each connection and writes nothing. */
#include <string.h>

#include "base/mem.h"
#include "store/sqlite.h"

enum { COLUMN_VALUE, COLUMN_LIST };
enum { PLAN_NOTHING, PLAN_LIST };

/* What SQLite calls only with a list that was bound under this name. */
static const char pointer_type[] = "antigone-integers";

typedef struct cursor {
    sqlite3_vtab_cursor base;
    const sqlite_list *list; /* NULL: none was given */
    size_t at;
} cursor;

static cursor *cursor_of(sqlite3_vtab_cursor *c) {
    return (cursor *)(void *)c;
}

static int connect_list(sqlite3 *handle, void *aux, int argc, const char *const *argv,
                        sqlite3_vtab **ret, char **ret_message) {
    sqlite3_vtab *table;
    int rc = sqlite3_declare_vtab(handle, "CREATE TABLE x(unnest INTEGER, list HIDDEN)");

    (void)aux;
    (void)argc;
    (void)argv;
    (void)ret_message;
    if (rc)
        return rc;
    table = sqlite3_malloc(sizeof(*table));
    if (!table)
        return SQLITE_NOMEM;
    memset(table, 0, sizeof(*table));
    *ret = table;
    return sqlite3_vtab_config(handle, SQLITE_VTAB_INNOCUOUS);
}

static int disconnect_list(sqlite3_vtab *table) {
    sqlite3_free(table);
    return SQLITE_OK;
}

/* The list is an argument: a plan that would run without it is refused. */
static int plan(sqlite3_vtab *table, sqlite3_index_info *info) {
    enum { ROWS = 100 };

    (void)table;
    for (int i = 0; i < info->nConstraint; i++) {
        if (info->aConstraint[i].iColumn != COLUMN_LIST ||
            info->aConstraint[i].op != SQLITE_INDEX_CONSTRAINT_EQ)
            continue;
        if (!info->aConstraint[i].usable)
            return SQLITE_CONSTRAINT;
        info->aConstraintUsage[i].argvIndex = 1;
        info->aConstraintUsage[i].omit = 1;
        info->idxNum = PLAN_LIST;
        info->estimatedCost = ROWS;
        info->estimatedRows = ROWS;
        return SQLITE_OK;
    }
    info->idxNum = PLAN_NOTHING;
    info->estimatedCost = 1e9;
    return SQLITE_OK;
}

static int open_cursor(sqlite3_vtab *table, sqlite3_vtab_cursor **ret) {
    cursor *c = sqlite3_malloc(sizeof(*c));

    (void)table;
    if (!c)
        return SQLITE_NOMEM;
    *c = (cursor){0};
    *ret = &c->base;
    return SQLITE_OK;
}

static int close_cursor(sqlite3_vtab_cursor *c) {
    sqlite3_free(c);
    return SQLITE_OK;
}

static int filter(sqlite3_vtab_cursor *base, int number, const char *text, int argc,
                  sqlite3_value **argv) {
    cursor *c = cursor_of(base);

    (void)text;
    c->at = 0;
    c->list =
        number == PLAN_LIST && argc == 1 ? sqlite3_value_pointer(argv[0], pointer_type) : NULL;
    return SQLITE_OK;
}

static int advance(sqlite3_vtab_cursor *c) {
    cursor_of(c)->at++;
    return SQLITE_OK;
}

static int is_at_end(sqlite3_vtab_cursor *base) {
    const cursor *c = cursor_of(base);

    return !c->list || c->at >= c->list->n;
}

static int column(sqlite3_vtab_cursor *base, sqlite3_context *to, int number) {
    const cursor *c = cursor_of(base);

    if (number == COLUMN_VALUE)
        sqlite3_result_int64(to, c->list->p[c->at]);
    return SQLITE_OK;
}

static int rowid(sqlite3_vtab_cursor *c, sqlite3_int64 *ret) {
    *ret = (sqlite3_int64)cursor_of(c)->at;
    return SQLITE_OK;
}

/* No xCreate: nobody can make a table of it in the schema. */
static const sqlite3_module module = {
    .xConnect = connect_list,
    .xBestIndex = plan,
    .xDisconnect = disconnect_list,
    .xOpen = open_cursor,
    .xClose = close_cursor,
    .xFilter = filter,
    .xNext = advance,
    .xEof = is_at_end,
    .xColumn = column,
    .xRowid = rowid,
};

int sqlite_list_module(sqlite_db *d, atg_err *err) {
    int rc = sqlite3_create_module_v2(d->handle, "unnest", &module, NULL, NULL);

    return rc ? sqlite_failed(d, rc, "Opening the store", err) : ATG_OK;
}

int sqlite_list_bind(sqlite3_stmt *s, int at, sqlite_list *list) {
    return sqlite3_bind_pointer(s, at, list, pointer_type, NULL);
}
