/* SPDX-License-Identifier: Apache-2.0 */
/* Nothing personal stands in clear in the files of a database, whatever people do with a case: add,
 * edit, fail, search, look, withdraw, erase, back up. */
#include "made_cases.h"
#include "made_record.h"
#include "on_disk.h"

#define NAME "Qvorlzimin"
#define DAY "1987-06-05"

/* As it is written, folded for searching, and in capitals; and a day of birth. */
static const char *const personal[] = {NAME, "qvorlzimin", "QVORLZIMIN", DAY};

/* Sealed texts and days are personal, all others whatever fits. */
static void fill(prop *p, const made_cases *m, record *r) {
    for (uint32_t f = 0; f < record_types[r->kind].n_fields; f++) {
        const field_type *field = record_field(r->kind, f);

        if (field->kind == FIELD_REF || field->kind == FIELD_BLOB || field->kind == FIELD_UUID ||
            strcmp(field->name, "whereabouts") == 0) /* of somebody alive, who consents */
            continue;
        if (!field->sealed && field->required)
            r->fields[f] = made_value(p, m->arena, field);
        else if (field->sealed && field->kind == FIELD_TEXT)
            made_set(m->arena, r, field->name, NAME);
        else if (field->sealed && field->kind == FIELD_DATE)
            made_set(m->arena, r, field->name, DAY);
        else if (field->sealed && field->kind == FIELD_JSON)
            made_set(m->arena, r, field->name, "{\"TH01\": [\"" NAME "\"]}");
    }
}

/* Whatever rules let in: every kind of record that can stand in the file. */
static uint32_t add_all(prop *p, const made_cases *m, const record *file) {
    uint32_t n = 0;

    for (int kind = 0; kind < RECORD_KINDS; kind++) {
        record *r = record_new(m->arena, (record_kind)kind);
        atg_err err = {0};

        if (!(record_types[kind].in >> file->kind & 1))
            continue;
        r->operation = file->operation;
        r->file = file->id;
        fill(p, m, r);
        n += made_change(m, &m->all, CHANGE_ADD, r, &err) == ATG_OK;
    }
    return n;
}

static void work(made_cases *m, record *r) {
    search_query q = {.operation = m->operation,
                      .kind = RECORD_MISSING,
                      .state = -1,
                      .sex = -1,
                      .text = ATG_STR(NAME),
                      .limit = 10};
    file_page page;
    atg_err err = {0};
    seen s;

    made_set(m->arena, r, "given_name", NAME " " NAME);
    made_ok(made_change(m, &m->all, CHANGE_EDIT, r, &err), &err);
    /* somebody else was first, and is told what differs */
    r->rev--;
    assert_int_equal(made_change(m, &m->all, CHANGE_EDIT, r, &err), ATG_ECONFLICT);
    r->rev++;
    made_ok(cases_get(m->c, &m->all, m->arena, r->kind, &r->id, &s, &err), &err);
    made_ok(cases_search(m->c, &m->all, m->arena, &q, &page, &err), &err);
    assert_true(page.n > 0);
}

static void nothing_personal_is_there(const database *where) {
    db *d = kept_connect(where);

    for (size_t i = 0; i < sizeof(personal) / sizeof(*personal); i++)
        if (on_disk(where, d, personal[i]))
            fail_msg("'%s' stands on disk", personal[i]);
    db_close(d);
}

static void nothing_personal_stands_in_clear_on_disk(const database *where) {
    made_cases m = made_cases_open(where);
    prop p = prop_seed(11);
    record *missing = made_missing(&m, NAME, NAME), *remains = made_remains(&m, "K1-7");
    char path[300];
    uint32_t n;
    atg_err err = {0};

    fill(&p, &m, missing);
    fill(&p, &m, remains);
    made_set(m.arena, missing, "external", "Clear-marker-77");
    made_add(&m, missing);
    made_add(&m, remains);
    n = add_all(&p, &m, missing) + add_all(&p, &m, remains);
    assert_true(n >= 16);
    work(&m, missing);
    nothing_personal_is_there(where);
    if (!where->postgres) {
        (void)snprintf(path, sizeof(path), "%s/copy.db", where->directory);
        made_ok(store_backup(cases_store(m.c), path, NULL, &err), &err);
    }
    made_ok(cases_erase(m.c, &m.all, &missing->person, &err), &err);
    made_ok(made_change(&m, &m.all, CHANGE_WITHDRAW, remains, &err), &err);
    nothing_personal_is_there(where);
    made_cases_close(&m);
    nothing_personal_is_there(where);
    /* and the search finds what is there */
    db *d = kept_connect(where);

    assert_true(on_disk(where, d, "Clear-marker-77"));
    db_close(d);
}

int main(void) {
    static const database_test tests[] = {
        {"nothing personal stands in clear on disk", nothing_personal_stands_in_clear_on_disk,
         ON_BOTH},
    };

    return DATABASE_RUN(tests);
}
