/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of files: problems with their places, all or nothing, the same again changes nothing. */
#include "made_cases.h"

#include "app/csv_import.h"
#include "formats/tablejson.h"

#define HEAD                                                                                       \
    "id,family_name,given_name,sex,born,last_seen,last_place,informant_name,informant_contact\n"
#define HANSEN "17,Hansen,Nora,female,1984-03-12,2026-11-01,Harbour,Ida Berg,+47 1\n"
#define WANG "18,王,偉,male,1990,2026-11-01,Harbour,Wang Li,+86 1\n"

static csv_done take(const made_cases *m, const actor *who, const char *text, bool dry) {
    csv_options o = {.operation = m->operation,
                     .kind = RECORD_MISSING,
                     .source = ATG_STR("hospital.csv"),
                     .dry_run = dry};
    csv_done done = {0};
    atg_err err = {0};

    made_ok(cases_import_csv(m->c, who, m->arena, atg_str_of(text), &o, &done, &err), &err);
    return done;
}

static uint32_t count(const made_cases *m) {
    files_query q = {
        .operation = m->operation, .kind = RECORD_MISSING, .state = -1, .sex = -1, .limit = 900};
    file_page page;
    atg_err err = {0};

    made_ok(cases_list(m->c, &m->all, m->arena, &q, &page, &err), &err);
    return page.n;
}

static void a_table_is_taken_in_once(const database *where) {
    made_cases m = made_cases_open(where);
    csv_done done = take(&m, &m.all, HEAD HANSEN WANG, true);

    assert_int_equal(done.n_problems, 0);
    assert_int_equal(done.added, 2);
    assert_int_equal(count(&m), 0);
    done = take(&m, &m.all, HEAD HANSEN WANG, false);
    assert_int_equal(done.added, 2);
    assert_int_equal(count(&m), 2);
    done = take(&m, &m.all, HEAD HANSEN WANG, false);
    assert_int_equal(done.added, 0);
    assert_int_equal(done.same, 2);
    assert_int_equal(count(&m), 2);
    made_cases_close(&m);
}

static void every_problem_has_its_place_and_nothing_is_taken_in(const database *where) {
    static const struct {
        const char *text;
        uint32_t line, col;
        const char *part;
    } cases_of[] = {
        {HEAD HANSEN "18,Wang,Wei,woman,1990,2026,Harbour,Li,+86\n", 3, 13, "Sex"},
        {HEAD HANSEN "18,Wang,Wei,male,yesterday,2026,Harbour,Li,+86\n", 3, 18, ""},
        {HEAD HANSEN HANSEN, 3, 1, "same name"},
        {HEAD "18,Wang,Wei,male,1990,2026,Harbour,,+86\n", 2, 1, "informant_name"},
        {HEAD ",Wang,Wei,male,1990,2026,Harbour,Li,+86\n", 2, 1, "no name"},
        {"id,family_name,shoe\n1,Wang,43\n", 1, 16, "shoe"},
        {"family_name,given_name\nWang,Wei\n", 1, 1, "name"},
        {"id,sex,sex\n1,male,male\n", 1, 8, "twice"},
        {HEAD "18,Wang,Wei,male,1990,2026,Harbour,Li,+86,more\n", 2, 43, "More cells"},
    };
    made_cases m = made_cases_open(where);

    for (size_t i = 0; i < sizeof(cases_of) / sizeof(*cases_of); i++) {
        csv_done done = take(&m, &m.all, cases_of[i].text, false);

        assert_true(done.n_problems > 0);
        if (done.problems->line != cases_of[i].line || done.problems->col != cases_of[i].col ||
            !memmem(done.problems->text.p, done.problems->text.n, cases_of[i].part,
                    strlen(cases_of[i].part)))
            fail_msg("case %zu: %u:%u: %.*s", i, done.problems->line, done.problems->col,
                     ATG_FMT(done.problems->text));
        assert_int_equal(count(&m), 0);
    }
    made_cases_close(&m);
}

static int write_fields(csv *table, json *j, atg_arena *arena) {
    csv_field *fields;
    uint32_t n;
    int rc = csv_row(table, arena, &fields, &n, NULL);

    if (rc == ATG_OK && n)
        tablejson_write_row(j, fields, n);
    return rc == ATG_OK && n;
}

/* As the worker gives it. */
static atg_str as_json(atg_arena *arena, const char *text) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(1 << 20);
    csv table = csv_new(atg_str_of(text));
    json j = json_new(buf);
    atg_str made;

    json_begin_object(&j);
    json_key(&j, "schema");
    json_text(&j, tablejson_schema);
    json_key(&j, "rows");
    json_begin_array(&j);
    while (write_fields(&table, &j, arena))
        ;
    json_end(&j, ']');
    json_end(&j, '}');
    assert_int_equal(atg_buf_take(buf, &made, NULL), ATG_OK);
    return atg_arena_str(arena, made);
}

static void a_table_from_the_worker_is_the_same_table(const database *where) {
    made_cases m = made_cases_open(where);
    csv_options o = {
        .operation = m.operation, .kind = RECORD_MISSING, .source = ATG_STR("hospital.csv")};
    csv_done done = {0};
    atg_err err = {0};

    made_ok(cases_import_table(m.c, &m.all, m.arena, as_json(m.arena, HEAD HANSEN WANG), &o, &done,
                               &err),
            &err);
    assert_int_equal(done.added, 2);
    done = take(&m, &m.all, HEAD HANSEN WANG, false);
    assert_int_equal(done.same, 2);
    made_ok(cases_import_table(
                m.c, &m.all, m.arena,
                as_json(m.arena, HEAD "\n\n19,Wang,Wei,woman,1990,2026,Harbour,Li,+86\n"), &o,
                &done, &err),
            &err);
    assert_true(done.n_problems >= 1);
    assert_int_equal(done.problems[0].line, 4);
    assert_int_equal(done.problems[0].col, 13);
    assert_int_equal(
        cases_import_table(m.c, &m.all, m.arena, as_json(m.arena, ""), &o, &done, &err),
        ATG_EPARSE);
    assert_int_equal(count(&m), 2);
    made_cases_close(&m);
}

static void what_the_account_may_not_do_is_a_problem_of_each_row(const database *where) {
    made_cases m = made_cases_open(where);
    csv_done done = take(&m, &m.by[ROLE_MORTUARY], HEAD HANSEN WANG, true);

    assert_int_equal(done.n_problems, 2);
    assert_int_equal(done.problems[1].line, 3);
    made_cases_close(&m);
}

static void a_row_that_says_something_else_edits_its_file(const database *where) {
    made_cases m = made_cases_open(where);
    csv_done done;

    (void)take(&m, &m.all, HEAD HANSEN WANG, false);
    done = take(&m, &m.all,
                HEAD "17,Hansen-Berg,Nora,female,1984-03-12,2026-11-01,Harbour,Ida,+47 1\n" WANG,
                false);
    assert_int_equal(done.changed, 1);
    assert_int_equal(done.same, 1);
    assert_int_equal(count(&m), 2);
    made_cases_close(&m);
}

static void a_file_edited_here_is_never_overwritten(const database *where) {
    made_cases m = made_cases_open(where);
    files_query q = {
        .operation = m.operation, .kind = RECORD_MISSING, .state = -1, .sex = -1, .limit = 9};
    file_page page;
    seen s;
    csv_done done;
    atg_err err = {0};

    (void)take(&m, &m.all, HEAD HANSEN, false);
    made_ok(cases_list(m.c, &m.all, m.arena, &q, &page, &err), &err);
    made_ok(cases_get(m.c, &m.all, m.arena, RECORD_MISSING, &page.rows->id, &s, &err), &err);
    made_set(m.arena, s.r, "hair", "red");
    made_ok(made_change(&m, &m.all, CHANGE_EDIT, s.r, &err), &err);
    done = take(&m, &m.all, HEAD "17,Hansen,Nora,male,1984-03-12,2026-11-01,Harbour,Ida,+47 1\n",
                false);
    assert_int_equal(done.n_problems, 1);
    assert_non_null(memmem(done.problems->text.p, done.problems->text.n, "edited here", 11));
    made_cases_close(&m);
}

int main(void) {
    static const database_test tests[] = {
        {"a table is taken in once", a_table_is_taken_in_once, ON_BOTH},
        {"every problem has its place, and nothing is taken in",
         every_problem_has_its_place_and_nothing_is_taken_in, ON_BOTH},
        {"a table from the worker is the same table", a_table_from_the_worker_is_the_same_table,
         ON_BOTH},
        {"what the account may not do is a problem of each row",
         what_the_account_may_not_do_is_a_problem_of_each_row, ON_BOTH},
        {"a row that says something else edits its file",
         a_row_that_says_something_else_edits_its_file, ON_BOTH},
        {"a file edited here is never overwritten", a_file_edited_here_is_never_overwritten,
         ON_BOTH},
    };

    return DATABASE_RUN(tests);
}
