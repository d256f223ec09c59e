/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include <jansson.h>

#include "base/file.h"
#include "made_run.h"
#include "report/view.h"
#include "schema.h"

static atg_str json_of(const atg_identification *run, atg_buf *buf) {
    atg_str s = {0};

    assert_int_equal(atg_report_json(run, true, buf, NULL), ATG_OK);
    assert_int_equal(atg_buf_take(buf, &s, NULL), ATG_OK);
    return s;
}

static json_t *parsed(const atg_identification *run) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(16 << 20);
    atg_str s = json_of(run, buf);
    json_t *doc = json_loadb(s.p, s.n, JSON_REJECT_DUPLICATES, NULL);

    assert_non_null(doc);
    return doc;
}

static void json_follows_its_schema(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
    atg_identification run;
    json_t *schema = schema_named("identification");

    (void)state;
    assert_true(made_run(arena, &run));

    json_t *doc = parsed(&run), *bodies = json_object_get(doc, "bodies");

    assert_true(schema_fits(schema, schema, doc));
    json_object_set_new(json_array_get(bodies, 0), "conclusion", json_string("established"));
    assert_false(schema_fits(schema, schema, doc));
    json_decref(doc);
    json_decref(schema);
}

static void json_tells_infinite_from_unknown(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
    atg_identification run;

    (void)state;
    assert_true(made_run(arena, &run));

    json_t *doc = parsed(&run), *pairs = json_object_get(doc, "pairs");
    json_t *impossible = json_array_get(pairs, 1), *unknown = json_array_get(pairs, 7);
    json_t *certain = json_array_get(pairs, 8);

    assert_true(json_is_null(json_object_get(impossible, "log10_lr")));
    assert_string_equal(json_string_value(json_object_get(impossible, "log10_lr_is")), "-infinity");
    assert_true(json_is_null(json_object_get(unknown, "log10_lr")));
    assert_null(json_object_get(unknown, "log10_lr_is"));
    assert_string_equal(json_string_value(json_object_get(certain, "log10_glr_is")), "infinity");
    assert_true(json_real_value(json_object_get(json_array_get(pairs, 0), "log10_lr")) == 12.345);
    json_decref(doc);
}

static void json_keeps_family_findings_in_the_private_block(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
    atg_identification run;

    (void)state;
    assert_true(made_run(arena, &run));

    json_t *doc = parsed(&run), *families;

    families = json_object_get(json_object_get(doc, "geneticist_only"), "families");
    assert_int_equal(json_array_size(families), 5);
    assert_string_equal(json_string_value(json_object_get(json_array_get(families, 4), "suspect")),
                        "daughter");
    json_decref(doc);

    ATG_AUTO(atg_buf) buf = atg_buf_new(16 << 20);
    atg_str rest = {0};

    assert_int_equal(atg_report_json(&run, false, buf, NULL), ATG_OK);
    assert_int_equal(atg_buf_take(buf, &rest, NULL), ATG_OK);
    assert_null(memmem(rest.p, rest.n, "geneticist_only", 15));
    assert_null(memmem(rest.p, rest.n, "PRIVATE-FINDING", 15));
    assert_null(memmem(rest.p, rest.n, "suspect", 7));
}

static void json_lists_how_assignments_differ_from_the_best(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
    atg_identification run;

    (void)state;
    assert_true(made_run(arena, &run));

    json_t *doc = parsed(&run), *joint = json_object_get(doc, "joint");
    json_t *top = json_object_get(joint, "top");
    json_t *third = json_object_get(json_array_get(top, 2), "differs_from_best");

    assert_int_equal(json_array_size(json_object_get(json_array_get(top, 0), "differs_from_best")),
                     0);
    assert_int_equal(json_array_size(json_object_get(json_array_get(top, 1), "differs_from_best")),
                     2);
    assert_int_equal(json_array_size(third), 1);
    assert_true(json_is_null(json_object_get(json_array_get(third, 0), "missing")));
    assert_false(json_boolean_value(json_object_get(joint, "exact")));
    json_decref(doc);
}

/* The widest line of a text of one-column characters. */
static size_t widest(atg_str s) {
    size_t most = 0;

    while (s.n) {
        atg_str line = atg_str_cut(&s, '\n');
        size_t n = 0;

        for (size_t i = 0; i < line.n; i++)
            n += ((unsigned char)line.p[i] & 0xc0) != 0x80;
        most = n > most ? n : most;
    }
    return most;
}

static void text_stays_within_its_width(void **state) {
    static const uint32_t widths[] = {60, 80, 100, 140};

    (void)state;
    for (size_t i = 0; i < sizeof(widths) / sizeof(*widths); i++) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
        ATG_AUTO(atg_buf) buf = atg_buf_new(1 << 20);
        atg_identification run;
        atg_str s = {0};

        assert_true(made_run(arena, &run));
        assert_int_equal(atg_report_text(&run, widths[i], buf, NULL), ATG_OK);
        assert_int_equal(atg_buf_take(buf, &s, NULL), ATG_OK);
        assert_true(widest(s) <= widths[i]);
        assert_non_null(strstr(s.p, "Bodies: 1 probable, 2 possible, 2 insufficient and"));
        assert_non_null(strstr(s.p, "Population"));
        assert_non_null(strstr(s.p, "AM-02 and AM-03 cannot be told apart"));
        assert_null(strstr(s.p, "PRIVATE-FINDING"));
    }
}

static void text_cannot_be_steered_by_a_name(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
    ATG_AUTO(atg_buf) buf = atg_buf_new(1 << 20);
    atg_identification run;
    atg_str s = {0};

    (void)state;
    /* NOLINTNEXTLINE(misc-misleading-bidirectional): that it misleads is what is tested */
    made_suffix = "\x1b[31m\r\b\x7f\xff\xe2\x80\xae";
    assert_true(made_run(arena, &run));
    made_suffix = "";
    assert_int_equal(atg_report_text(&run, 0, buf, NULL), ATG_OK);
    assert_int_equal(atg_buf_take(buf, &s, NULL), ATG_OK);
    for (size_t i = 0; i < s.n; i++)
        assert_true(s.p[i] == '\n' || ((unsigned char)s.p[i] >= 0x20 && s.p[i] != 0x7f &&
                                       (unsigned char)s.p[i] != 0xff));
    assert_null(strstr(s.p, "\xe2\x80\xae")); /* NOLINT(misc-misleading-bidirectional) */
}

typedef int writer(const atg_identification *run, atg_buf *buf, atg_err *err);

static int text_writer(const atg_identification *run, atg_buf *buf, atg_err *err) {
    return atg_report_text(run, 0, buf, err);
}

static int json_writer(const atg_identification *run, atg_buf *buf, atg_err *err) {
    return atg_report_json(run, true, buf, err);
}

static writer *const writers[] = {json_writer, text_writer};
enum { WRITERS = sizeof(writers) / sizeof(*writers) };

static void an_empty_operation_is_reported_too(void **state) {
    static const atg_operation op = {0};
    const atg_identification run = {.op = &op, .merged = &op};
    json_t *schema = schema_named("identification"), *doc = parsed(&run);

    (void)state;
    assert_true(schema_fits(schema, schema, doc));
    for (size_t i = 0; i < WRITERS; i++) {
        ATG_AUTO(atg_buf) buf = atg_buf_new(1 << 20);

        assert_int_equal(writers[i](&run, buf, NULL), ATG_OK);
    }
    json_decref(doc);
    json_decref(schema);
}

static void a_run_with_indices_out_of_range_is_refused(void **state) {
    (void)state;
    for (int broken = 0; broken < 7; broken++) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
        atg_identification run;
        atg_pair_result pair = {.body = 99};
        atg_next_step next = {.index = 99};
        atg_family_check check = {.family = 99};
        int32_t best[6] = {0, 0, 99, 0, 0, 0}, body_of[6] = {0, 1, 2, 3, -1, 5};
        struct atg_related_bodies related = {.y = 99};

        assert_true(made_run(arena, &run));
        if (broken < 2) {
            run.n_pairs = 1;
            run.pairs = &pair;
            pair.body = broken ? 0 : 99;
            pair.missing = 99;
        }
        if (broken == 2)
            run.next = &next;
        if (broken == 3)
            run.checks = &check;
        if (broken == 4)
            run.assign.best = best;
        if (broken == 5)
            run.body_of_sample = body_of;
        if (broken == 6)
            run.related = &related;
        for (size_t i = 0; i < WRITERS; i++) {
            ATG_AUTO(atg_buf) buf = atg_buf_new(1 << 20);
            atg_err err = {0};

            assert_int_equal(writers[i](&run, buf, &err), ATG_EINVAL);
            assert_true(err.msg[0]);
        }
    }
}

static void any_failing_allocation_is_reported(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
    atg_identification run;

    (void)state;
    assert_true(made_run(arena, &run));
    for (size_t i = 0; i < WRITERS; i++) {
        int rc = ATG_ENOMEM;

        for (long n = 0; rc != ATG_OK; n++) {
            size_t before = mem_live();
            atg_buf *buf;

            mem_fail_after(n);
            buf = atg_buf_new(16 << 20);
            rc = buf ? writers[i](&run, buf, NULL) : ATG_ENOMEM;
            mem_fail_after(-1);
            atg_buf_free(buf);
            assert_true(rc == ATG_OK || rc == ATG_ENOMEM);
            assert_int_equal(mem_live(), before);
            assert_true(n < 10000);
        }
    }
}

static void probabilities_are_never_rounded_up(void **state) {
    static const struct {
        double p;
        const char *text;
    } cases[] = {
        {0.99949999, "0.999499"}, {0.9995, "0.999500"},
        {0.9999995, ">0.999999"}, {1 - 1e-12, ">0.999999"},
        {1, ">0.999999"},         {0.3, "0.300000"},
        {0.0000004, "<0.000001"}, {0, "0"},
        {(double)NAN, "-"},       {0.999999, "0.999999"},
    };
    char text[VIEW_NUMBER];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        view_prob(cases[i].p, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void likelihood_ratios_are_written_as_a_person_would(void **state) {
    static const struct {
        double log10_x;
        const char *log, *factor;
    } cases[] = {
        {7.54, "7.54", "34,700,000"},
        {12.345, "12.35", "2.2e+12"},
        {-2.5, "-2.50", "0.00316"},
        {-6, "-6.00", "1.0e-6"},
        {0, "0.00", "1"},
        {-0.001, "0.00", "0.998"},
        {-INFINITY, "LR = 0", "0"},
        {INFINITY, "no limit", "no limit"},
        {(double)NAN, "-", "-"},
        {11.9999, "12.00", "1.0e+12"},
        {400.25, "400.25", "1.8e+400"},
        {3, "3.00", "1,000"},
    };
    char text[VIEW_NUMBER];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        view_log10(cases[i].log10_x, text);
        assert_string_equal(text, cases[i].log);
        view_factor(cases[i].log10_x, text);
        assert_string_equal(text, cases[i].factor);
    }
}

static void the_line_to_reach_follows_from_the_prior(void **state) {
    static const atg_missing missing[100] = {{.family = 0}};
    static const atg_person person = {.father = -1, .mother = -1};
    static const atg_family family = {.ped = {1, &person}};
    atg_operation op = {.n_missing = 100,
                        .missing = missing,
                        .n_families = 1,
                        .families = &family,
                        .params = atg_params_default()};
    const atg_identification run = {.op = &op, .merged = &op};
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
    view v;

    (void)state;
    assert_int_equal(view_open(arena, &run, &v, NULL), ATG_OK);
    assert_true(view_needed_lr(&v) == 4); /* flat: the signed minimum is more than 3.3 */
    op.params.prior.kind = ATG_PRIOR_CLOSED;
    assert_true(fabs(view_needed_lr(&v) - (log10(1999) + log10(99))) < 1e-9);
}

static void what_is_needed_by_several_files_is_said_once(void **state) {
    static const atg_next_step next[] = {{false, 0, MADE_STR("Type more markers."), 0},
                                         {true, 1, MADE_STR("Sample the mother."), 0},
                                         {false, 3, MADE_STR("Type more markers."), 0}};
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
    ATG_AUTO(atg_buf) buf = atg_buf_new(1 << 20);
    atg_identification run;
    atg_str s = {0};

    (void)state;
    assert_true(made_run(arena, &run));
    run.n_next = 3;
    run.next = next;
    assert_int_equal(atg_report_text(&run, 0, buf, NULL), ATG_OK);
    assert_int_equal(atg_buf_take(buf, &s, NULL), ATG_OK);
    assert_non_null(strstr(s.p, "  - PM-01, PM-04: Type more markers.\n"));
    assert_non_null(strstr(s.p, "  - AM-02: Sample the mother.\n"));
}

static void nobody_is_named_against_all_odds(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
    atg_pair_result pairs[] = {
        {.body = 0, .missing = 0, .log10_lr = -3, .posterior = 0.0001, .n_markers = 9},
        {.body = 1, .missing = 1, .log10_lr = 0, .posterior = 0.1, .n_markers = 0},
        {.body = 2, .missing = 2, .log10_lr = -0.1, .posterior = 0.1, .n_markers = 9},
        {.body = 4, .missing = 4, .log10_lr = 1, .posterior = 1e-9, .n_markers = 9},
        {.body = 3,
         .missing = 3,
         .log10_lr = 9,
         .posterior = 1,
         .n_markers = 9,
         .conclusion = ATG_EXCLUDED},
    };
    atg_identification run;
    view v;

    (void)state;
    assert_true(made_run(arena, &run));
    run.n_pairs = 5;
    run.pairs = pairs;
    assert_int_equal(view_open(arena, &run, &v, NULL), ATG_OK);
    assert_null(view_body_best(&v, 0));
    assert_null(view_body_best(&v, 1));
    assert_ptr_equal(view_body_best(&v, 2), &pairs[2]);
    assert_ptr_equal(view_missing_best(&v, 2), &pairs[2]);
    assert_null(view_body_best(&v, 3));
    assert_null(view_body_best(&v, 4));
}

static void conclusions_have_the_words_of_the_field(void **state) {
    (void)state;
    assert_string_equal(atg_conclusion_word(ATG_INSUFFICIENT), "insufficient");
    assert_string_equal(atg_conclusion_word(ATG_POSSIBLE), "possible");
    assert_string_equal(atg_conclusion_word(ATG_PROBABLE), "probable");
    assert_string_equal(atg_conclusion_word(ATG_EXCLUDED), "excluded");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_follows_its_schema),
        cmocka_unit_test(json_tells_infinite_from_unknown),
        cmocka_unit_test(json_keeps_family_findings_in_the_private_block),
        cmocka_unit_test(json_lists_how_assignments_differ_from_the_best),
        cmocka_unit_test(text_stays_within_its_width),
        cmocka_unit_test(text_cannot_be_steered_by_a_name),
        cmocka_unit_test(an_empty_operation_is_reported_too),
        cmocka_unit_test(a_run_with_indices_out_of_range_is_refused),
        cmocka_unit_test(any_failing_allocation_is_reported),
        cmocka_unit_test(probabilities_are_never_rounded_up),
        cmocka_unit_test(likelihood_ratios_are_written_as_a_person_would),
        cmocka_unit_test(the_line_to_reach_follows_from_the_prior),
        cmocka_unit_test(what_is_needed_by_several_files_is_said_once),
        cmocka_unit_test(nobody_is_named_against_all_odds),
        cmocka_unit_test(conclusions_have_the_words_of_the_field),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
