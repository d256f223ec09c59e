/* SPDX-License-Identifier: Apache-2.0 */
/* The tables that migrations make are those of the description. */
#include "kept.h"

#include <stdio.h>

enum { LINES_MAX = 4000, ARENA = 16 << 20 };

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

int main(void) {
    static const database_test tests[] = {
        {"migrations make the tables of the description",
         migrations_make_the_tables_of_the_description, ON_BOTH},
        {"a migration that was forgotten is noticed", a_migration_that_was_forgotten_is_noticed,
         ON_BOTH},
    };

    return DATABASE_RUN(tests);
}
