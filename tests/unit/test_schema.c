/* SPDX-License-Identifier: Apache-2.0 */
/* The tables that migrations make are those of the description. */
#include "kept.h"

#include <stdio.h>

enum { LINES_MAX = 4000, TABLES_MAX = 200, ARENA = 16 << 20 };

/* One line for each column, index and constraint, in byte order. */
static const db_statement of_sqlite = {
    "structure",
    "SELECT 'column ' || t.name || '.' || c.name || ' ' || c.type || ' not null ' || c.\"notnull\" "
    "|| ' default ' || coalesce(c.dflt_value, '') || ' key ' || c.pk AS line "
    "FROM sqlite_schema t, pragma_table_xinfo(t.name) c WHERE t.type = 'table' "
    "UNION ALL SELECT 'table ' || name || ' columns in the row ' || wr || ' strict ' || strict "
    "FROM pragma_table_list WHERE schema = 'main' AND type = 'table' "
    "UNION ALL SELECT 'checks ' || name || ' ' || (length(sql) - length(replace(sql, 'CHECK', "
    "''))) "
    "FROM sqlite_schema WHERE type = 'table' "
    "UNION ALL SELECT 'index ' || CASE i.origin WHEN 'c' THEN i.name ELSE i.origin END || ' of ' "
    "|| "
    "t.name || ' unique ' || i.\"unique\" || ' partial ' || i.partial || ' (' || "
    "(SELECT group_concat(x.name || ' ' || x.\"desc\" || ' ' || x.coll, ', ') FROM "
    "(SELECT * FROM pragma_index_xinfo(i.name) ORDER BY seqno) x WHERE x.key = 1) || ')' "
    "FROM sqlite_schema t, pragma_index_list(t.name) i WHERE t.type = 'table' "
    "UNION ALL SELECT 'partial ' || name || ' ' || substr(sql, instr(sql, 'WHERE')) "
    "FROM sqlite_schema WHERE type = 'index' AND instr(sql, 'WHERE') > 0 ORDER BY line"};
static const db_statement of_postgres = {
    "structure",
    "SELECT line FROM (SELECT 'column ' || c.relname || '.' || a.attname || ' ' || "
    "format_type(a.atttypid, a.atttypmod) || ' not null ' || a.attnotnull || ' collation ' || "
    "coalesce((SELECT collname FROM pg_collation WHERE oid = a.attcollation), '') || ' default ' "
    "|| "
    "coalesce((SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef "
    "WHERE adrelid = a.attrelid AND adnum = a.attnum), '') || ' made ' || CAST(a.attidentity AS "
    "TEXT) AS line "
    "FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE c.relkind = 'r' AND "
    "c.relnamespace = CAST(current_schema() AS regnamespace) AND a.attnum > 0 AND NOT "
    "a.attisdropped "
    "UNION ALL SELECT 'index ' || replace(indexdef, current_schema() || '.', '') FROM pg_indexes "
    "WHERE schemaname = current_schema() "
    "UNION ALL SELECT 'constraint ' || r.relname || ' ' || n.conname || ' ' || "
    "pg_get_constraintdef(n.oid) FROM pg_constraint n JOIN pg_class r ON r.oid = n.conrelid WHERE "
    "n.connamespace = CAST(current_schema() AS regnamespace)) s ORDER BY line COLLATE \"C\""};

typedef struct structure {
    atg_arena *arena;
    atg_str lines[LINES_MAX];
    uint32_t n;
} structure;

/* What every store has, whatever its tables are (store/migrate.c). */
static bool is_frame(atg_str line) {
    return memmem(line.p, line.n, "schema_version", 14) ||
           memmem(line.p, line.n, "store_writer", 12);
}

static structure *read_structure(db *d) {
    atg_arena *arena = atg_arena_new(ARENA);
    structure *s = ATG_GET(arena, structure, 1);
    db_rows *rows = NULL;
    atg_err err = {0};
    int more;

    assert_non_null(s);
    s->arena = arena;
    must(db_query(d, db_kind_of(d) == DB_SQLITE ? &of_sqlite : &of_postgres, NULL, 0, &rows, &err),
         &err);
    while ((more = db_next(rows, &err)) > 0) {
        atg_str line = db_get_text(rows, 0);

        if (is_frame(line))
            continue;
        assert_true(s->n < LINES_MAX);
        s->lines[s->n++] = atg_arena_str(arena, line);
    }
    must(more, &err);
    db_end(rows);
    assert_true(s->n > 500);
    return s;
}

/* The first line that only one of them has; none: empty. */
static atg_str difference(const structure *a, const structure *b) {
    for (uint32_t i = 0; i < a->n || i < b->n; i++) {
        if (i >= a->n || (i < b->n && atg_str_cmp(b->lines[i], a->lines[i]) < 0))
            return b->lines[i];
        if (i >= b->n || atg_str_cmp(a->lines[i], b->lines[i]) < 0)
            return a->lines[i];
    }
    return ATG_STR("");
}

/* The tables of today's description, made at once, beside those that migrations made. */
static db *describe(const database *where) {
    database beside = *where;
    atg_err err = {0};
    db *d;

    (void)snprintf(beside.directory, sizeof(beside.directory), "%.150s/beside", where->directory);
    d = kept_connect(&beside);
    if (where->postgres)
        must(db_script(d, "beside", "CREATE SCHEMA beside; SET search_path TO beside", &err), &err);
    must(db_script(d, "tables", where->postgres ? record_ddl_postgres : record_ddl_sqlite, &err),
         &err);
    return d;
}

static void migrations_make_the_tables_of_the_description(const database *where) {
    db *migrated = kept_open(where), *described = describe(where);
    structure *a = read_structure(migrated), *b = read_structure(described);
    atg_str differs = difference(a, b);

    if (differs.n)
        fail_msg("only one of them has: %.*s", ATG_FMT(differs));
    atg_arena_free(a->arena);
    atg_arena_free(b->arena);
    db_close(described);
    db_close(migrated);
}

static void a_migration_that_was_forgotten_is_noticed(const database *where) {
    static const struct {
        const char *sql, *line;
    } changes[] = {
        {"ALTER TABLE job ADD COLUMN weight BIGINT", "column job.weight"},
        {"DROP INDEX file_name", "file_name"},
        {"CREATE INDEX job_kind ON job (kind)", "job_kind"},
        {"DROP INDEX job_waiting; CREATE UNIQUE INDEX job_waiting ON job (kind, subject)",
         "job_waiting"},
        {"CREATE TABLE more (id BIGINT)", "more"},
        {"DROP TABLE imported", "imported"},
    };
    db *migrated = kept_open(where), *described = describe(where);
    structure *a = read_structure(migrated);
    atg_err err = {0};

    for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
        structure *b;
        atg_str differs;

        kept_begin(described);
        must(db_script(described, "change", changes[i].sql, &err), &err);
        b = read_structure(described);
        differs = difference(a, b);
        if (!memmem(differs.p, differs.n, changes[i].line, strlen(changes[i].line)))
            fail_msg("%s is not seen, but: %.*s", changes[i].sql, ATG_FMT(differs));
        atg_arena_free(b->arena);
        db_rollback(described);
    }
    atg_arena_free(a->arena);
    db_close(described);
    db_close(migrated);
}

/* ---- data of earlier versions ---- */

/* For each table a statement that fills a row, and a condition that is true of it. */
static const db_statement rows_of_sqlite = {
    "rows",
    "SELECT name, 'INSERT INTO ' || name || '(' || group_concat(col, ', ') || ') VALUES (' || "
    "group_concat(val, ', ') || ')', group_concat(col || ' IS ' || val, ' AND ') FROM "
    "(SELECT t.name AS name, '\"' || c.name || '\"' AS col, CASE c.type WHEN 'BLOB' THEN "
    "'x''00112233445566778899aabbccddeeff''' WHEN 'TEXT' THEN '''word''' ELSE '1' END AS val "
    "FROM sqlite_schema t, pragma_table_xinfo(t.name) c WHERE t.type = 'table' AND "
    "t.name NOT LIKE 'sqlite%') GROUP BY name ORDER BY name"};
static const db_statement rows_of_postgres = {
    "rows",
    "SELECT name, 'INSERT INTO ' || name || '(' || string_agg(col, ', ') || ') OVERRIDING SYSTEM "
    "VALUE VALUES (' || string_agg(val, ', ') || ')', "
    "string_agg(col || ' IS NOT DISTINCT FROM ' || val, ' AND ') FROM "
    "(SELECT CAST(c.relname AS TEXT) AS name, quote_ident(a.attname) AS col, "
    "CASE format_type(a.atttypid, NULL) WHEN 'bytea' THEN "
    "'decode(''00112233445566778899aabbccddeeff'', ''hex'')' WHEN 'text' THEN '''word''' "
    "ELSE '1' END AS val FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE "
    "c.relkind = 'r' AND c.relnamespace = CAST(current_schema() AS regnamespace) AND a.attnum > 0 "
    "AND NOT a.attisdropped) s GROUP BY name ORDER BY name"};

typedef struct filled {
    atg_str table, insert, holds;
} filled;

static uint32_t fill_tables(db *d, atg_arena *arena, filled *ret) {
    db_rows *rows = NULL;
    uint32_t n = 0;
    atg_err err = {0};
    int more;

    kept_begin(d);
    must(db_query(d, db_kind_of(d) == DB_SQLITE ? &rows_of_sqlite : &rows_of_postgres, NULL, 0,
                  &rows, &err),
         &err);
    while ((more = db_next(rows, &err)) > 0) {
        if (is_frame(db_get_text(rows, 0)))
            continue;
        assert_true(n < TABLES_MAX);
        ret[n++] = (filled){atg_arena_str(arena, db_get_text(rows, 0)),
                            atg_arena_str(arena, db_get_text(rows, 1)),
                            atg_arena_str(arena, db_get_text(rows, 2))};
    }
    must(more, &err);
    db_end(rows);
    for (uint32_t i = 0; i < n; i++)
        must(db_script(d, "fill", ret[i].insert.p, &err), &err);
    kept_commit(d);
    return n;
}

/* A statement each: a connection knows them by where they are, and by name. */
static bool is_there(db *d, atg_arena *arena, const filled *t) {
    atg_str sql = atg_arena_printf(arena, "SELECT count(*) FROM %.*s WHERE %.*s", ATG_FMT(t->table),
                                   ATG_FMT(t->holds));
    db_statement *ask = ATG_GET(arena, db_statement, 1);
    int64_t found = 0;

    *ask = (db_statement){t->table.p, sql.p};
    return db_get_one(d, ask, NULL, 0, 0, &found, NULL) == ATG_OK && found == 1;
}

static int no_backup(db *d, int64_t from, int64_t to, void *user, atg_err *err) {
    (void)d;
    (void)user;
    return to > from ? ATG_OK : atg_fail(err, ATG_EINVAL, "from %d", (int)from);
}

/* A store of version `from` with a row in each table becomes the last version, and one more; the
 * first table that lost its row, or nothing. */
static atg_str lost_from(const database *where, uint32_t from, const char *change,
                         atg_arena *arena) {
    migration *all = ATG_GET(arena, migration, record_migrations_n + 1);
    filled *tables = ATG_GET(arena, filled, TABLES_MAX);
    database here = *where;
    migrate_plan plan = {.migrations = all, .n = from, .create = true, .before = no_backup};
    atg_str lost = ATG_STR(""), apart;
    atg_err err = {0};
    uint32_t n;
    db *d;

    memcpy(all, record_migrations, record_migrations_n * sizeof(*all));
    all[record_migrations_n] =
        (migration){record_migrations_n + 1, "made up by a test", change, change};
    (void)snprintf(here.directory, sizeof(here.directory), "%.150s/%u", where->directory, from);
    plan.directory = here.directory;
    d = kept_connect(&here);
    apart = atg_arena_printf(arena, "CREATE SCHEMA v%u; SET search_path TO v%u", from, from);
    if (where->postgres)
        must(db_script(d, "apart", apart.p, &err), &err);
    must(migrate(d, &plan, &err), &err);
    n = fill_tables(d, arena, tables);
    assert_true(n > 20);
    plan.n = record_migrations_n + 1;
    must(migrate(d, &plan, &err), &err);
    kept_begin(d);
    for (uint32_t i = 0; i < n && !lost.n; i++)
        lost = is_there(d, arena, &tables[i]) ? lost : tables[i].table;
    db_rollback(d);
    db_close(d);
    return lost;
}

static void every_earlier_version_keeps_its_data(const database *where) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);

    assert_non_null(arena);
    for (uint32_t from = 1; from <= record_migrations_n; from++) {
        atg_str lost = lost_from(where, from, "ALTER TABLE job ADD COLUMN made_up BIGINT", arena);

        if (lost.n)
            fail_msg("from version %u: %.*s lost its row", from, ATG_FMT(lost));
    }
}

static void a_migration_that_loses_data_is_noticed(const database *where) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    atg_str lost;

    assert_non_null(arena);
    lost = lost_from(where, record_migrations_n, "UPDATE imported SET source = 'another'", arena);
    if (!atg_str_eq(lost, ATG_STR("imported")))
        fail_msg("seen instead: %.*s", ATG_FMT(lost));
}

int main(void) {
    static const database_test tests[] = {
        {"migrations make the tables of the description",
         migrations_make_the_tables_of_the_description, ON_BOTH},
        {"a migration that was forgotten is noticed", a_migration_that_was_forgotten_is_noticed,
         ON_BOTH},
        {"every earlier version keeps its data", every_earlier_version_keeps_its_data, ON_BOTH},
        {"a migration that loses data is noticed", a_migration_that_loses_data_is_noticed, ON_BOTH},
    };

    return DATABASE_RUN(tests);
}
