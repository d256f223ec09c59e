/* SPDX-License-Identifier: Apache-2.0 */
/* What people type that would hurt a database or a spreadsheet, or is too much. */
#include <stdio.h>

#include "made_cases.h"

#include "app/csv_export.h"
#include "app/csv_import.h"
#include "base/csv.h"

#define TABLE_HEAD                                                                                 \
    "id,external,family_name,given_name,sex,born,last_seen,last_place,informant_name,"             \
    "informant_contact,story\n"
#define TABLE_ROW "%u,%s,Hansen,Nora,female,1984-03-12,2026-11-01,Harbour,Ida Berg,+47 1,%s\n"

/* ---- what people type ---- */

static const char *const hostile[] = {
    "'; DROP TABLE file; --",
    "\" OR 1=1 --",
    "Robert'); DELETE FROM audit;--",
    "$1; SELECT pg_sleep(9)",
    "\\'; COMMIT; --",
    "%s%n%x",
    "=cmd|' /C calc'!A0",
    "=HYPERLINK(\"http://k1.example\";\"a\")",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "+1+cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "a,\"b\"\n=1+1",
    "<script>alert(1)</script>",
};

enum { HOSTILE = sizeof(hostile) / sizeof(*hostile) };

static record *type_everywhere(const made_cases *m, record *r, const char *text) {
    for (uint32_t f = 0; f < record_types[r->kind].n_fields; f++) {
        const field_type *field = record_field(r->kind, f);

        if (field->kind == FIELD_TEXT && strlen(text) <= field->max_size &&
            strcmp(field->name, "whereabouts") != 0) /* of somebody alive, who consents */
            made_set(m->arena, r, field->name, text);
    }
    return r;
}

static void expect_same(const made_cases *m, const record *r) {
    seen s;
    atg_err err = {0};

    made_ok(cases_get(m->c, &m->all, m->arena, r->kind, &r->id, &s, &err), &err);
    for (uint32_t f = 0; f < record_types[r->kind].n_fields; f++)
        if (!value_eq(record_field(r->kind, f), &r->fields[f], &s.r->fields[f]))
            fail_msg("%s differs: %.*s", record_field(r->kind, f)->name,
                     ATG_FMT(r->fields[f].text));
}

static void expect_harmless(const made_cases *m, record_kind kind, uint32_t rows) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(16 << 20);
    atg_str text;
    csv_field *fields;
    uint32_t n, n_rows = 0;
    csv table;
    atg_err err = {0};

    made_ok(cases_export_csv(m->c, &m->all, &m->operation, kind, buf, &n, &err), &err);
    assert_int_equal(n, rows);
    made_ok(atg_buf_take(buf, &text, &err), &err);
    table = csv_new(text);
    for (;; n_rows++) {
        made_ok(csv_row(&table, m->arena, &fields, &n, &err), &err);
        if (!n)
            break;
        for (uint32_t i = 0; i < n; i++)
            if (fields[i].text.n > 1 && strchr("=+-@\t\r", *fields[i].text.p))
                fail_msg("a spreadsheet runs %.*s", ATG_FMT(fields[i].text));
    }
    assert_int_equal(n_rows, rows + 1);
}

static void search_for(const made_cases *m, const char *text) {
    search_query q = {.operation = m->operation,
                      .kind = RECORD_MISSING,
                      .state = -1,
                      .sex = -1,
                      .text = atg_str_of(text),
                      .limit = 100};
    file_page page;
    file_row row;
    atg_err err = {0};
    int rc = cases_search(m->c, &m->all, m->arena, &q, &page, &err);

    assert_true(rc == ATG_OK || rc == ATG_EINVAL);
    assert_int_not_equal(cases_find(m->c, m->arena, atg_str_of(text), &row, &err), ATG_OK);
}

static void what_hurts_databases_and_spreadsheets_is_a_text_like_others(const database *where) {
    made_cases m = made_cases_open(where);

    for (int i = 0; i < HOSTILE; i++) {
        record *missing = type_everywhere(&m, made_missing(&m, "Hansen", "Nora"), hostile[i]);
        record *remains = type_everywhere(&m, made_remains(&m, "B-17"), hostile[i]);
        record *operation = type_everywhere(&m, made_operation(m.arena, "Ferry"), hostile[i]);
        atg_err err = {0};

        made_add(&m, missing);
        made_add(&m, remains);
        made_add(&m, operation);
        type_everywhere(&m, missing, hostile[(i + 1) % HOSTILE]);
        made_ok(made_change(&m, &m.all, CHANGE_EDIT, missing, &err), &err);
        expect_same(&m, missing);
        expect_same(&m, remains);
        expect_same(&m, operation);
        search_for(&m, hostile[i]);
    }
    expect_harmless(&m, RECORD_MISSING, HOSTILE);
    expect_harmless(&m, RECORD_REMAINS, HOSTILE);
    made_cases_close(&m);
}

/* ---- too much ---- */

static void every_text_has_a_length_that_its_label_tells(const database *where) {
    (void)where;
    for (int kind = 0; kind < RECORD_KINDS; kind++)
        for (uint32_t f = 0; f < record_types[kind].n_fields; f++) {
            ATG_AUTO(atg_arena) arena = atg_arena_new(64 << 20);
            const field_type *field = record_field((record_kind)kind, f);
            atg_str text = made_long(arena, field->max_size + 1);
            value v = {0};
            atg_err err = {0};

            if (field->kind != FIELD_TEXT)
                continue;
            assert_int_equal(value_read(arena, field, text, &v, &err), ATG_ELIMIT);
            assert_non_null(strstr(err.msg, field->label));
            assert_false(v.known);
            text.n--;
            made_ok(value_read(arena, field, text, &v, &err), &err);
        }
}

static void a_story_of_ten_megabytes_is_refused_and_nothing_is_written(const database *where) {
    made_cases m = made_cases_open(where);
    ATG_AUTO(atg_buf) buf = atg_buf_new(64 << 20);
    atg_str story = made_long(m.arena, 10 << 20), text;
    record *r = made_missing(&m, "Hansen", "Nora");
    csv_options o = {
        .operation = m.operation, .kind = RECORD_MISSING, .source = ATG_STR("hospital.csv")};
    csv_done done = {0};
    atg_err err = {0};

    assert_int_equal(value_read(m.arena, record_field(RECORD_MISSING, MISSING_STORY), story,
                                &r->fields[MISSING_STORY], &err),
                     ATG_ELIMIT);
    assert_false(r->fields[MISSING_STORY].known);
    atg_buf_adds(buf, TABLE_HEAD);
    atg_buf_printf(buf, TABLE_ROW, 1, "1", "short");
    atg_buf_printf(buf, TABLE_ROW, 2, "2", story.p);
    made_ok(atg_buf_take(buf, &text, &err), &err);
    made_ok(cases_import_csv(m.c, &m.all, m.arena, text, &o, &done, &err), &err);
    assert_int_equal(done.n_problems, 1);
    assert_int_equal(done.problems->line, 3);
    assert_int_equal(made_count(&m), 0);
    /* whoever does not read it with value_read() */
    r->fields[MISSING_STORY] = (value){.known = true, .text = story};
    assert_int_equal(made_change(&m, &m.all, CHANGE_ADD, r, &err), ATG_ELIMIT);
    assert_non_null(strstr(err.msg, "What happened"));
    assert_int_equal(made_count(&m), 0);
    made_cases_close(&m);
}

int main(void) {
    static const database_test tests[] = {
        {"what hurts databases and spreadsheets is a text like others",
         what_hurts_databases_and_spreadsheets_is_a_text_like_others, ON_BOTH},
        {"every text has a length that its label tells",
         every_text_has_a_length_that_its_label_tells, ON_SQLITE},
        {"a story of ten megabytes is refused and nothing is written",
         a_story_of_ten_megabytes_is_refused_and_nothing_is_written, ON_BOTH},
    };

    return DATABASE_RUN(tests);
}
