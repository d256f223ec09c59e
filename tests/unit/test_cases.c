/* SPDX-License-Identifier: Apache-2.0 */
/* Records as people work with them: changed, looked at, listed, told as a story, erased. */
#include "made_cases.h"

static value *field(record *r, const char *name) {
    int f = record_field_of(r->kind, atg_str_of(name));

    assert_true(f >= 0);
    return &r->fields[f];
}

static bool is_hidden(const seen *s, const char *name) {
    return s->hidden >> record_field_of(s->r->kind, atg_str_of(name)) & 1;
}

static seen look(const made_cases *m, const actor *who, const record *r) {
    seen s = {0};
    atg_err err = {0};

    made_ok(cases_get(m->c, who, m->arena, r->kind, &r->id, &s, &err), &err);
    return s;
}

static void what_was_added_is_shown_again(const database *where) {
    made_cases m = made_cases_open(where);
    record *r = made_missing(&m, "Hansen", "Nora");
    seen s;

    made_add(&m, r);
    assert_true(atg_str_eq(r->code, ATG_STR("AM-K3-000001")));
    s = look(&m, &m.all, r);
    assert_int_equal(s.hidden, 0);
    assert_int_equal(s.r->rev, 1);
    for (uint32_t f = 0; f < record_types[r->kind].n_fields; f++)
        assert_true(value_eq(record_field(r->kind, f), &r->fields[f], &s.r->fields[f]));
    made_cases_close(&m);
}

static void
a_file_lacking_one_of_eight_fields_is_refused_and_leaves_nothing(const database *where) {
    made_cases m = made_cases_open(where);
    record *r = made_missing(&m, "Hansen", "Nora");
    files_query q = {
        .operation = m.operation, .kind = RECORD_MISSING, .state = -1, .sex = -1, .limit = 10};
    file_page page;
    atg_err err = {0};

    *field(r, "informant_contact") = (value){0};
    assert_int_equal(made_change(&m, &m.all, CHANGE_ADD, r, &err), ATG_EINVAL);
    assert_non_null(strstr(err.msg, "informant_contact"));
    made_ok(cases_list(m.c, &m.all, m.arena, &q, &page, &err), &err);
    assert_int_equal(page.n, 0);
    made_cases_close(&m);
}

static void matchers_see_codes_and_names_need_a_reason(const database *where) {
    made_cases m = made_cases_open(where);
    actor geneticist = m.by[ROLE_GENETICIST];
    record *r = made_missing(&m, "Hansen", "Nora");
    seen s;

    made_add(&m, r);
    s = look(&m, &geneticist, r);
    assert_true(is_hidden(&s, "family_name"));
    assert_false(field(s.r, "family_name")->known);
    assert_true(field(s.r, "sex")->known);
    geneticist.reason = ATG_STR("the family called");
    s = look(&m, &geneticist, r);
    assert_false(is_hidden(&s, "family_name"));
    assert_true(is_hidden(&s, "informant_contact"));
    made_cases_close(&m);
}

static void who_may_not_write_a_field_is_refused(const database *where) {
    made_cases m = made_cases_open(where);
    record *r = made_missing(&m, "Hansen", "Nora");
    atg_err err = {0};

    assert_int_equal(made_change(&m, &m.by[ROLE_MORTUARY], CHANGE_ADD, r, &err), ATG_EDENIED);
    made_ok(made_change(&m, &m.by[ROLE_INTERVIEWER], CHANGE_ADD, r, &err), &err);
    made_set(m.arena, r, "hair", "red");
    assert_int_equal(made_change(&m, &m.by[ROLE_AUDITOR], CHANGE_EDIT, r, &err), ATG_EDENIED);
    made_cases_close(&m);
}

static void two_people_who_edit_one_file_lose_nothing_silently(const database *where) {
    made_cases m = made_cases_open(where);
    record *r = made_missing(&m, "Hansen", "Nora"), *other;
    seen s;
    atg_err err = {0};

    made_add(&m, r);
    other = record_copy(m.arena, r);
    made_set(m.arena, r, "hair", "red");
    made_ok(made_change(&m, &m.all, CHANGE_EDIT, r, &err), &err);
    assert_int_equal(r->rev, 2);
    made_set(m.arena, other, "eyes", "grey");
    assert_int_equal(made_change(&m, &m.all, CHANGE_EDIT, other, &err), ATG_ECONFLICT);
    assert_non_null(strstr(err.msg, "hair"));
    s = look(&m, &m.all, r);
    assert_true(atg_str_eq(field(s.r, "hair")->text, ATG_STR("red")));
    assert_false(field(s.r, "eyes")->known);
    made_cases_close(&m);
}

static void an_edit_keeps_what_its_author_cannot_see(const database *where) {
    made_cases m = made_cases_open(where);
    actor mortuary = m.by[ROLE_MORTUARY];
    record *r = made_remains(&m, "B-17");
    seen s;
    atg_err err = {0};

    made_set(m.arena, r, "clothing", "blue coat");
    made_add(&m, r);
    s = look(&m, &mortuary, r);
    *field(s.r, "clothing") = (value){0};
    s.r->code = (atg_str){NULL, 0};
    made_set(m.arena, s.r, "burial", "row 3, grave 7");
    made_ok(made_change(&m, &mortuary, CHANGE_EDIT, s.r, &err), &err);
    s = look(&m, &m.all, r);
    /* the mortuary may write clothing: unknown is what it said */
    assert_false(field(s.r, "clothing")->known);
    assert_true(field(s.r, "burial")->known);
    made_cases_close(&m);
}

static void sign_operation(const made_cases *m) {
    record at = {.kind = RECORD_OPERATION, .id = m->operation};
    record *r = look(m, &m->by[ROLE_BOARD], &at).r;
    atg_err err = {0};

    made_set(m->arena, r, "threshold", "0.9999");
    made_set(m->arena, r, "min_log10_lr", "6");
    made_set(m->arena, r, "prior", "{\"missing\": 8}");
    r->fields[OPERATION_SIGNED_BY] = (value){.known = true, .ref = m->by[ROLE_BOARD].account};
    made_ok(made_change(m, &m->by[ROLE_BOARD], CHANGE_EDIT, r, &err), &err);
}

static void an_edit_keeps_what_its_author_is_blind_to(const database *where) {
    made_cases m = made_cases_open(where);
    record *remains = made_remains(&m, "B-17"), *missing = made_missing(&m, "Berg", "Anna");
    record *r = record_new(m.arena, RECORD_HYPOTHESIS);
    seen s;
    atg_err err = {0};

    sign_operation(&m);
    made_add(&m, remains);
    made_add(&m, missing);
    r->operation = m.operation;
    r->file = remains->id;
    r->fields[HYPOTHESIS_MISSING] = (value){.known = true, .ref = missing->id};
    made_set(m.arena, r, "conclusion", "possible");
    made_ok(made_change(&m, &m.by[ROLE_RECONCILER], CHANGE_ADD, r, &err), &err);
    /* a reconciler who is to conclude on it, too */
    made_ok(cases_get_to_change(m.c, &m.all, m.arena, RECORD_HYPOTHESIS, &r->id, &s, &err), &err);
    assert_false(s.r->fields[HYPOTHESIS_CONCLUSION].known);
    made_ok(made_change(&m, &m.all, CHANGE_EDIT, s.r, &err), &err);
    s = look(&m, &m.by[ROLE_RECONCILER], r);
    assert_true(s.r->fields[HYPOTHESIS_CONCLUSION].known);
    made_cases_close(&m);
}

static void an_edit_keeps_a_picture_that_nobody_opened(const database *where) {
    made_cases m = made_cases_open(where);
    actor mortuary = m.by[ROLE_MORTUARY]; /* without a reason */
    record *remains = made_remains(&m, "B-17"), *r = record_new(m.arena, RECORD_PHOTOGRAPH);
    seen s;
    atg_err err = {0};

    made_add(&m, remains);
    r->operation = m.operation;
    r->file = remains->id;
    made_set(m.arena, r, "what", "face");
    r->fields[PHOTOGRAPH_IMAGE] = (value){.known = true, .hash = {7}};
    made_ok(made_change(&m, &mortuary, CHANGE_ADD, r, &err), &err);
    made_ok(cases_get_to_change(m.c, &mortuary, m.arena, RECORD_PHOTOGRAPH, &r->id, &s, &err),
            &err);
    assert_false(s.r->fields[PHOTOGRAPH_IMAGE].known);
    made_set(m.arena, s.r, "retouched", "yes");
    made_ok(made_change(&m, &mortuary, CHANGE_EDIT, s.r, &err), &err);
    s = look(&m, &m.all, r);
    assert_true(s.r->fields[PHOTOGRAPH_IMAGE].known);
    assert_true(s.r->fields[PHOTOGRAPH_RETOUCHED].flag);
    made_cases_close(&m);
}

static void lists_go_by_pages_and_name_only_for_those_who_may_read(const database *where) {
    enum { FILES = 25, PAGE = 10 };
    made_cases m = made_cases_open(where);
    files_query q = {.operation = m.operation,
                     .kind = RECORD_MISSING,
                     .state = -1,
                     .sex = -1,
                     .order = FILES_BY_CODE,
                     .limit = PAGE};
    file_page page;
    uint32_t n = 0;
    atg_err err = {0};

    for (int i = 0; i < FILES; i++)
        made_add(&m, made_missing(&m, "Hansen", "Nora"));
    do {
        made_ok(cases_list(m.c, &m.all, m.arena, &q, &page, &err), &err);
        for (uint32_t i = 0; i < page.n; i++)
            assert_true(atg_str_eq(page.titles[i], ATG_STR("Hansen, Nora")));
        n += page.n;
        q.after = page.rows[page.n - 1].id;
    } while (page.more);
    assert_int_equal(n, FILES);
    q.after = (uuid){{0}};
    made_ok(cases_list(m.c, &m.by[ROLE_GENETICIST], m.arena, &q, &page, &err), &err);
    assert_int_equal(page.titles[0].n, 0);
    made_cases_close(&m);
}

static bool tells(const audit_entry *entries, uint32_t n, const char *action, const char *part) {
    for (uint32_t i = 0; i < n; i++)
        if (atg_str_eq(entries[i].e.action, atg_str_of(action)) &&
            memmem(entries[i].e.detail.p, entries[i].e.detail.n, part, strlen(part)))
            return true;
    return false;
}

static void the_history_tells_what_became_of_what_and_who_looked(const database *where) {
    made_cases m = made_cases_open(where);
    record *r = made_missing(&m, "Hansen", "Nora");
    audit_entry *entries;
    uint32_t n;
    atg_err err = {0};

    made_add(&m, r);
    made_set(m.arena, r, "family_name", "Hansen-Berg");
    made_ok(made_change(&m, &m.all, CHANGE_EDIT, r, &err), &err);
    (void)look(&m, &m.all, r);
    made_ok(cases_history(m.c, &m.all, m.arena, &r->file, &entries, &n, &err), &err);
    assert_int_equal(n, 3);
    assert_true(tells(entries, n, "edit", "[\"Hansen\",\"Hansen-Berg\"]"));
    assert_true(tells(entries, n, "read", "informant_contact"));
    made_ok(cases_history(m.c, &m.by[ROLE_GENETICIST], m.arena, &r->file, &entries, &n, &err),
            &err);
    assert_false(tells(entries, n, "edit", "Hansen"));
    assert_true(tells(entries, n, "edit", "hidden"));
    made_cases_close(&m);
}

static void a_withdrawn_record_needs_a_reason_and_changes_no_more(const database *where) {
    made_cases m = made_cases_open(where);
    actor silent = m.all;
    record *r = made_missing(&m, "Hansen", "Nora");
    atg_err err = {0};

    silent.reason = (atg_str){NULL, 0};
    made_add(&m, r);
    assert_int_equal(made_change(&m, &silent, CHANGE_WITHDRAW, r, &err), ATG_EDENIED);
    made_ok(made_change(&m, &m.all, CHANGE_WITHDRAW, r, &err), &err);
    made_set(m.arena, r, "hair", "red");
    assert_int_equal(made_change(&m, &m.all, CHANGE_EDIT, r, &err), ATG_EDENIED);
    made_cases_close(&m);
}

static void records_stand_in_the_files_they_belong_to(const database *where) {
    made_cases m = made_cases_open(where);
    record *file = made_remains(&m, "B-17"), *mark = record_new(m.arena, RECORD_MARK),
           *donor = record_new(m.arena, RECORD_DONOR);
    seen *all;
    uint32_t n;
    atg_err err = {0};

    made_add(&m, file);
    mark->file = donor->file = file->id;
    made_set(m.arena, mark, "kind", "tattoo");
    made_set(m.arena, mark, "location", "left forearm");
    made_set(m.arena, mark, "description", "an anchor");
    made_add(&m, mark);
    made_set(m.arena, donor, "label", "mother");
    made_set(m.arena, donor, "uses", "this_operation");
    made_set(m.arena, donor, "agreed_on", "2026-11-04");
    made_set(m.arena, donor, "ends_on", "2036-11-04");
    assert_int_equal(made_change(&m, &m.all, CHANGE_ADD, donor, &err), ATG_EINVAL);
    made_ok(cases_file(m.c, &m.all, m.arena, &file->id, &all, &n, &err), &err);
    assert_int_equal(n, 2);
    assert_int_equal(all[1].r->kind, RECORD_MARK);
    made_cases_close(&m);
}

static void an_erased_person_is_unknown_and_the_story_stays(const database *where) {
    made_cases m = made_cases_open(where);
    actor silent = m.all;
    record *r = made_missing(&m, "Hansen", "Nora");
    audit_entry *entries;
    uint32_t n;
    seen s;
    atg_err err = {0};

    silent.reason = (atg_str){NULL, 0};
    made_add(&m, r);
    assert_int_equal(cases_erase(m.c, &silent, &r->id, &err), ATG_EDENIED);
    made_ok(cases_erase(m.c, &m.all, &r->id, &err), &err);
    made_ok(cases_erase(m.c, &m.all, &r->id, &err), &err);
    s = look(&m, &m.all, r);
    assert_true(s.erased);
    assert_false(field(s.r, "family_name")->known);
    assert_int_equal(made_change(&m, &m.all, CHANGE_EDIT, s.r, &err), ATG_EDENIED);
    made_ok(cases_history(m.c, &m.all, m.arena, &r->file, &entries, &n, &err), &err);
    assert_true(tells(entries, n, "add", "erased"));
    assert_false(tells(entries, n, "add", "Hansen"));
    assert_true(tells(entries, n, "erase", "a test of the whole"));
    made_cases_close(&m);
}

static void a_store_opens_again_with_its_master_key_only(const database *where) {
    made_cases m = made_cases_open(where), other = {0};
    key256 wrong = {{8}};
    cases_options o = {
        .directory = where->directory, .conninfo = database_conninfo(where), .master = &wrong};
    record *r = made_missing(&m, "Hansen", "Nora");
    atg_err err = {0};

    made_add(&m, r);
    cases_close(m.c);
    assert_int_equal(cases_open(&o, &other.c, &err), ATG_EDENIED);
    made_ok(made_open_again(&m, where, false, &err), &err);
    assert_true(atg_str_eq(cases_site(m.c), ATG_STR("K3")));
    (void)look(&m, &m.all, r);
    made_cases_close(&m);
}

static record *made_donor(const made_cases *m, const record *family, const char *ends) {
    record *r = record_new(m->arena, RECORD_DONOR);

    r->file = family->id;
    made_set(m->arena, r, "label", ends);
    made_set(m->arena, r, "uses", "this_operation");
    made_set(m->arena, r, "agreed_on", "2020-01-01");
    made_set(m->arena, r, "ends_on", ends);
    made_add(m, r);
    return r;
}

static void what_donors_agreed_to_ends(const database *where) {
    made_cases m = made_cases_open(where);
    record *family = record_new(m.arena, RECORD_FAMILY), *over, *withdrew, *stays;
    uint32_t n = 0;
    atg_err err = {0};

    family->operation = m.operation;
    made_set(m.arena, family, "label", "F1");
    made_add(&m, family);
    over = made_donor(&m, family, "2021-01-01");
    withdrew = made_donor(&m, family, "2999-01-01");
    stays = made_donor(&m, family, "2999-01-02");
    made_set(m.arena, withdrew, "withdrawn_on", "2020-02-01");
    made_ok(made_change(&m, &m.all, CHANGE_EDIT, withdrew, &err), &err);
    assert_int_equal(cases_erase_due(m.c, &m.by[ROLE_INTERVIEWER], &m.operation, &n, &err),
                     ATG_EDENIED);
    made_ok(cases_erase_due(m.c, &m.by[ROLE_ADMINISTRATOR], &m.operation, &n, &err), &err);
    assert_int_equal(n, 2);
    assert_true(look(&m, &m.all, over).erased);
    assert_true(look(&m, &m.all, withdrew).erased);
    assert_false(look(&m, &m.all, stays).erased);
    made_ok(cases_erase_due(m.c, &m.all, &m.operation, &n, &err), &err);
    assert_int_equal(n, 2);
    made_cases_close(&m);
}

int main(void) {
    static const database_test tests[] = {
        {"what was added is shown again", what_was_added_is_shown_again, ON_BOTH},
        {"a file lacking one of eight fields is refused and leaves nothing",
         a_file_lacking_one_of_eight_fields_is_refused_and_leaves_nothing, ON_BOTH},
        {"matchers see codes, and names need a reason", matchers_see_codes_and_names_need_a_reason,
         ON_BOTH},
        {"who may not write a field is refused", who_may_not_write_a_field_is_refused, ON_BOTH},
        {"two people who edit one file lose nothing silently",
         two_people_who_edit_one_file_lose_nothing_silently, ON_BOTH},
        {"an edit keeps what its author cannot see", an_edit_keeps_what_its_author_cannot_see,
         ON_BOTH},
        {"an edit keeps what its author is blind to", an_edit_keeps_what_its_author_is_blind_to,
         ON_BOTH},
        {"an edit keeps a picture that nobody opened", an_edit_keeps_a_picture_that_nobody_opened,
         ON_BOTH},
        {"lists go by pages, and name only for those who may read",
         lists_go_by_pages_and_name_only_for_those_who_may_read, ON_BOTH},
        {"the history tells what became of what, and who looked",
         the_history_tells_what_became_of_what_and_who_looked, ON_BOTH},
        {"a withdrawn record needs a reason and changes no more",
         a_withdrawn_record_needs_a_reason_and_changes_no_more, ON_BOTH},
        {"records stand in the files they belong to", records_stand_in_the_files_they_belong_to,
         ON_BOTH},
        {"what donors agreed to ends", what_donors_agreed_to_ends, ON_BOTH},
        {"an erased person is unknown, and the story stays",
         an_erased_person_is_unknown_and_the_story_stays, ON_BOTH},
        {"a store opens again with its master key only",
         a_store_opens_again_with_its_master_key_only, ON_BOTH},
    };

    return DATABASE_RUN(tests);
}
