/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include "base/mem.h"
#include "model/date.h"
#include "model/record.h"

#include <math.h>
#include <string.h>

static const struct {
    const char *text;
    int32_t from, to;
    bool about;
} dates[] = {
    {"1970", 0, 364, false},
    {"1970-02", 31, 58, false},
    {"1970-01-02", 1, 1, false},
    {"1972-02-29", 789, 789, false},
    {"about 1970", 0, 364, true},
    {"1970/1971", 0, 729, false},
    {"1969-12-31/1970", -1, 364, false},
};

static void a_date_is_as_precise_as_it_is_written(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof(dates) / sizeof(*dates); i++) {
        date d;

        assert_int_equal(date_read(atg_str_of(dates[i].text), &d, NULL), ATG_OK);
        assert_int_equal(d.from, dates[i].from);
        assert_int_equal(d.to, dates[i].to);
        assert_int_equal(d.about, dates[i].about);
    }
}

static void a_day_that_does_not_exist_is_refused(void **state) {
    static const char *const bad[] = {"",       "84",        "1984-13",        "1983-02-29",
                                      "1984-1", "1984-01-1", "1984/1983",      "1984-01-01x",
                                      "about ", "about",     "1984/",          "/1984",
                                      "0984",   "1984-00",   "1984/1985/1986", "12.03.1984"};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        date d;

        assert_int_equal(date_read(atg_str_of(bad[i]), &d, NULL), ATG_EPARSE);
    }
}

static const struct {
    record_kind kind;
    const char *field, *text, *json;
} good[] = {
    {RECORD_MISSING, "family_name", "Олександр 王偉 محمد", "\"Олександр 王偉 محمد\""},
    {RECORD_MISSING, "sex", "female", "\"female\""},
    {RECORD_MISSING, "age", "34-40", "[34, 40]"},
    {RECORD_MISSING, "age", "34", "[34, 34]"},
    {RECORD_MISSING, "age", "34-", "[34, null]"},
    {RECORD_MISSING, "age", "-40", "[null, 40]"},
    {RECORD_MISSING, "born", "about 1984", "\"about 1984\""},
    {RECORD_SAMPLE, "used_up", "yes", "true"},
    {RECORD_SAMPLE, "used_up", "no", "false"},
    {RECORD_PROFILE, "dropout", "0.05", "0.05"},
    {RECORD_PROFILE, "genotypes", "{\"TH01\": [\"6\", \"9.3\"]}", "{\"TH01\": [\"6\", \"9.3\"]}"},
    {RECORD_MISSING, "family", "019a0000-0000-7000-8000-000000000001",
     "\"019a0000-0000-7000-8000-000000000001\""},
    {RECORD_HYPOTHESIS, "computed", "2026-11-24T04:39:00.123456Z",
     "\"2026-11-24T04:39:00.123456Z\""},
};

static const field_type *field_of(record_kind kind, const char *name) {
    int f = record_field_of(kind, atg_str_of(name));

    assert_true(f >= 0);
    return record_field(kind, (uint32_t)f);
}

static void a_value_comes_back_as_text_and_as_json(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        const field_type *field = field_of(good[i].kind, good[i].field);
        ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
        ATG_AUTO(atg_buf) buf = atg_buf_new(1 << 16);
        value v, again;
        atg_str text;

        assert_int_equal(value_read(arena, field, atg_str_of(good[i].text), &v, NULL), ATG_OK);
        assert_true(v.known);
        value_write(buf, field, &v);
        assert_int_equal(atg_buf_take(buf, &text, NULL), ATG_OK);
        assert_true(atg_str_eq(text, atg_str_of(good[i].text)));

        json_t *root = json_loads(good[i].json, JSON_DECODE_ANY, NULL);

        assert_non_null(root);
        assert_int_equal(value_read_json(arena, field, root, &again, NULL), ATG_OK);
        json_decref(root);
        assert_true(value_eq(field, &v, &again));
    }
}

static const struct {
    record_kind kind;
    const char *field, *text;
    int code;
} bad[] = {
    {RECORD_MISSING, "sex", "woman", ATG_EPARSE},
    {RECORD_MISSING, "age", "40-34", ATG_EPARSE},
    {RECORD_MISSING, "age", "-", ATG_EPARSE},
    {RECORD_MISSING, "age", "200", ATG_EPARSE},
    {RECORD_MISSING, "age", "a-b", ATG_EPARSE},
    {RECORD_MISSING, "born", "1984-02-30", ATG_EPARSE},
    {RECORD_MISSING, "family_name", "a\x1b[2J", ATG_EPARSE},
    {RECORD_MISSING, "family_name", "\xff", ATG_EPARSE},
    {RECORD_MISSING, "family", "1", ATG_EPARSE},
    {RECORD_OPERATION, "threshold", "0.9", ATG_EPARSE},
    {RECORD_OPERATION, "threshold", "nan", ATG_EPARSE},
    {RECORD_OPERATION, "site", "MORETHAN8", ATG_ELIMIT},
    {RECORD_SAMPLE, "used_up", "perhaps", ATG_EPARSE},
    {RECORD_PROFILE, "genotypes", "{\"a\": 1, \"a\": 2}", ATG_EPARSE},
    {RECORD_PROFILE, "genotypes", "{", ATG_EPARSE},
    {RECORD_PHOTOGRAPH, "image", "00", ATG_EPARSE},
};

static void a_bad_value_is_refused_with_the_label_of_its_field(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        const field_type *field = field_of(bad[i].kind, bad[i].field);
        atg_err err = {0};
        value v = {.known = true, .text = ATG_STR("as it was")};

        assert_int_equal(value_read(arena, field, atg_str_of(bad[i].text), &v, &err), bad[i].code);
        assert_true(atg_str_eq(v.text, ATG_STR("as it was")));
        if (field->kind != FIELD_DATE)
            assert_non_null(strstr(err.msg, field->label));
    }
}

static void the_empty_text_is_unknown_and_not_no(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
    const field_type *field = field_of(RECORD_SAMPLE, "used_up");
    value unknown, no;

    (void)state;
    assert_int_equal(value_read(arena, field, ATG_STR("  "), &unknown, NULL), ATG_OK);
    assert_int_equal(value_read(arena, field, ATG_STR("no"), &no, NULL), ATG_OK);
    assert_false(unknown.known);
    assert_true(no.known);
    assert_false(value_eq(field, &unknown, &no));
}

static void equal_json_has_one_canonical_text(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
    const field_type *field = field_of(RECORD_PROFILE, "genotypes");
    value a, b;

    (void)state;
    assert_int_equal(value_read(arena, field, ATG_STR("{\"b\":[1,2.50],\n \"a\":null}"), &a, NULL),
                     ATG_OK);
    assert_int_equal(value_read(arena, field, ATG_STR("{\"a\":null,\"b\":[1,2.5]}"), &b, NULL),
                     ATG_OK);
    assert_true(value_eq(field, &a, &b));
}

static bool not_sealed(const void *user, const record *r, uint32_t field) {
    (void)user;
    return !record_field(r->kind, field)->sealed;
}

static int fill(atg_arena *arena, record *r, const char *text, atg_err *err) {
    json_t *root = json_loads(text, 0, NULL);

    assert_non_null(root);

    int rc = record_read_json(arena, root, r, err);

    json_decref(root);
    return rc;
}

static const char person[] = "{\"family_name\": \"Halvorsen\", \"given_name\": \"Liv\", \"sex\": "
                             "\"female\", \"age\": [30, null]}";

static void a_record_comes_back_from_its_json(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
    ATG_AUTO(atg_buf) buf = atg_buf_new(1 << 16);
    record *r = record_new(arena, RECORD_MISSING), *again = record_new(arena, RECORD_MISSING);
    json j = json_new(buf);
    json_t *root;
    atg_str text;

    (void)state;
    assert_int_equal(fill(arena, r, person, NULL), ATG_OK);
    record_write_json(&j, r, NULL, NULL);
    assert_int_equal(atg_buf_take(buf, &text, NULL), ATG_OK);
    root = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
    assert_string_equal(json_string_value(json_object_get(root, "kind")), "missing");
    assert_int_equal(record_read_json(arena, json_object_get(root, "fields"), again, NULL), ATG_OK);
    json_decref(root);
    for (uint32_t f = 0; f < record_types[RECORD_MISSING].n_fields; f++)
        assert_true(value_eq(record_field(RECORD_MISSING, f), &r->fields[f], &again->fields[f]));
}

/* Also of kinds that have a field of the name of something in the frame. */
static void no_member_of_a_record_stands_twice_in_its_json(void **state) {
    (void)state;
    for (int k = 0; k < RECORD_KINDS; k++) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
        ATG_AUTO(atg_buf) buf = atg_buf_new(1 << 16);
        record *r = record_new(arena, (record_kind)k);
        json j = json_new(buf);
        json_t *root;
        atg_str text;

        for (uint32_t f = 0; f < record_types[k].n_fields; f++)
            if (record_field((record_kind)k, f)->kind == FIELD_CHOICE)
                r->fields[f].known = true;
        record_write_json(&j, r, NULL, NULL);
        assert_int_equal(atg_buf_take(buf, &text, NULL), ATG_OK);
        root = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(root);
        assert_string_equal(json_string_value(json_object_get(root, "kind")), record_types[k].name);
        json_decref(root);
    }
}

static void fields_that_are_not_chosen_stay_out_of_the_json(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
    ATG_AUTO(atg_buf) buf = atg_buf_new(1 << 16);
    record *r = record_new(arena, RECORD_MISSING);
    json j = json_new(buf);
    atg_str text;

    (void)state;
    assert_int_equal(fill(arena, r, person, NULL), ATG_OK);
    record_write_json(&j, r, not_sealed, NULL);
    assert_int_equal(atg_buf_take(buf, &text, NULL), ATG_OK);
    assert_null(strstr(text.p, "Halvorsen"));
    assert_non_null(strstr(text.p, "female"));
}

static void a_record_names_all_that_it_still_needs(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
    record *r = record_new(arena, RECORD_MISSING);
    atg_err err;

    (void)state;
    assert_int_equal(fill(arena, r, person, NULL), ATG_OK);
    assert_int_equal(record_check(r, &err), ATG_EINVAL);
    assert_non_null(strstr(err.msg, "born, last_seen, last_place, informant_name"));
    assert_null(strstr(err.msg, "given_name"));
}

static void a_text_that_was_set_past_the_door_must_fit_its_field(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
    record *r = record_new(arena, RECORD_REMAINS);
    char text[102];
    atg_err err;

    (void)state;
    memset(text, 'x', sizeof(text));
    r->fields[REMAINS_TAG] = (value){.known = true, .text = {text, 101}};
    assert_int_equal(record_check(r, &err), ATG_ELIMIT);
    assert_non_null(strstr(err.msg, "Number on the body bag"));
    text[7] = '\x1b';
    r->fields[REMAINS_TAG].text.n = 100;
    assert_int_equal(record_check(r, &err), ATG_EPARSE);
    text[7] = 'x';
    assert_int_equal(record_check(r, &err), ATG_EINVAL);
    assert_null(strstr(err.msg, "tag"));
}

static void a_member_that_is_no_field_is_named(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
    record *r = record_new(arena, RECORD_REMAINS);
    atg_err err;

    (void)state;
    assert_int_equal(fill(arena, r, "{\"family_name\": \"X\"}", &err), ATG_EPARSE);
    assert_non_null(strstr(err.msg, "family_name"));
}

/* Eight fields make a valid file. */
static void a_file_of_either_side_needs_eight_fields(void **state) {
    static const record_kind kinds[] = {RECORD_MISSING, RECORD_REMAINS};

    (void)state;
    for (size_t k = 0; k < 2; k++) {
        uint32_t n = 0;

        for (uint32_t f = 0; f < record_types[kinds[k]].n_fields; f++)
            n += record_field(kinds[k], f)->required;
        assert_int_equal(n, 8);
    }
}

static void keeps_the_rules(int k, int r, const unsigned char *row) {
    /* genotypes are the geneticist's; the board reads them with a reason */
    if (r != ROLE_GENETICIST)
        assert_true(row[CLASS_GENOTYPE] <= ACCESS_REASON);
    /* matchers see codes */
    if (r == ROLE_ODONTOLOGIST || r == ROLE_GENETICIST || r == ROLE_EXAMINER ||
        r == ROLE_RECONCILER)
        assert_true(row[CLASS_NAME] <= ACCESS_REASON);
    /* pictures are opened with a reason by those who did not take them */
    if (r != ROLE_INTERVIEWER && r != ROLE_MORTUARY && k == RECORD_PHOTOGRAPH)
        assert_true(row[CLASS_PICTURE] <= ACCESS_REASON);
    /* the administrator sees nobody */
    if (r == ROLE_ADMINISTRATOR)
        assert_true(row[CLASS_NAME] + row[CLASS_CONTACT] + row[CLASS_GENOTYPE] +
                        row[CLASS_PICTURE] + row[CLASS_TRAIT] + row[CLASS_DENTAL] ==
                    0);
}

/* DESIGN, rules 5, 6 and 8: what the table of rights may never say. */
static void the_table_of_rights_keeps_the_rules(void **state) {
    (void)state;
    for (int k = 0; k < RECORD_KINDS; k++)
        for (int r = 0; r < ROLES; r++)
            keeps_the_rules(k, r, record_types[k].access[r]);
    for (int k = 0; k < RECORD_KINDS; k++)
        for (uint32_t f = 0; f < record_types[k].n_fields; f++)
            if (record_field((record_kind)k, f)->class == CLASS_GENOTYPE) {
                assert_true(record_field((record_kind)k, f)->sealed);
                assert_true(record_field((record_kind)k, f)->never);
            }
}

static void a_record_is_read_whole_or_not_at_all_when_memory_is_short(void **state) {
    (void)state;
    for (long n = 0; n < 200; n++) {
        json_t *root = json_loads(person, 0, NULL);
        atg_arena *arena = atg_arena_new(1 << 20);
        record *r = record_new(arena, RECORD_MISSING);
        size_t live = mem_live();

        mem_fail_after(n);

        int rc = record_read_json(arena, root, r, NULL);

        mem_fail_after(-1);
        json_decref(root);
        assert_true(rc == ATG_OK || rc == ATG_ENOMEM);
        assert_true(rc != ATG_OK || mem_live() >= live);
        atg_arena_free(arena);
        if (rc == ATG_OK)
            return;
    }
    fail_msg("still failing after 200 allocations");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_date_is_as_precise_as_it_is_written),
        cmocka_unit_test(a_day_that_does_not_exist_is_refused),
        cmocka_unit_test(a_value_comes_back_as_text_and_as_json),
        cmocka_unit_test(a_bad_value_is_refused_with_the_label_of_its_field),
        cmocka_unit_test(the_empty_text_is_unknown_and_not_no),
        cmocka_unit_test(equal_json_has_one_canonical_text),
        cmocka_unit_test(a_record_comes_back_from_its_json),
        cmocka_unit_test(no_member_of_a_record_stands_twice_in_its_json),
        cmocka_unit_test(fields_that_are_not_chosen_stay_out_of_the_json),
        cmocka_unit_test(a_record_names_all_that_it_still_needs),
        cmocka_unit_test(a_text_that_was_set_past_the_door_must_fit_its_field),
        cmocka_unit_test(a_member_that_is_no_field_is_named),
        cmocka_unit_test(a_file_of_either_side_needs_eight_fields),
        cmocka_unit_test(the_table_of_rights_keeps_the_rules),
        cmocka_unit_test(a_record_is_read_whole_or_not_at_all_when_memory_is_short),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
