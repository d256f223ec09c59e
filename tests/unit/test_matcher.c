/* SPDX-License-Identifier: Apache-2.0 */
/* An exercise taken in, matched, and listed; done again, nothing changes. */
#include "matched_scene.h"

enum { LEADS = 1000 };

static void what_is_loaded_gives_the_numbers_of_what_was_saved(const database *where) {
    scene s = open_scene(where);
    loading w = {.s = &s};
    atg_err err = {0};

    made_ok(store_read(cases_store(s.m.c), load, &w, &err), &err);
    assert_int_equal(w.in.op.n_samples, s.op.n_samples);
    assert_int_equal(w.in.op.n_families, s.op.n_families);
    assert_int_equal(w.in.op.n_missing, s.op.n_missing);
    for (uint32_t j = 0; j < s.op.n_missing; j += 5) {
        int64_t at = find_missing(&s.op, s.op.missing[j].id, &w.in, &s.m);

        assert_true(at >= 0);
        for (uint32_t i = 0; i < s.op.n_samples; i += 7) {
            double want = pair_lr(&s.op, i, j), got = pair_lr(&w.in.op, i, (uint32_t)at);

            if (isinf(want) ? want != got : !(fabs(want - got) < 1e-9))
                fail_msg("%.12g is not %.12g", got, want);
        }
    }
    made_cases_close(&s.m);
}

static void a_part_is_loaded_as_in_the_whole(const database *where) {
    scene s = open_scene(where);
    loading all = {.s = &s}, part = {.s = &s};
    atg_err err = {0};

    made_ok(store_read(cases_store(s.m.c), load, &all, &err), &err);
    part.head = all.in.head;
    part.only = all.in.families[3];
    made_ok(store_read(cases_store(s.m.c), load, &part, &err), &err);
    assert_int_equal(part.in.op.n_families, 1);
    assert_int_equal(part.in.op.families->n_missing, all.in.op.families[3].n_missing);
    assert_int_equal(part.in.alleles, all.in.alleles);
    part.only = all.in.remains[2];
    made_ok(store_read(cases_store(s.m.c), load, &part, &err), &err);
    assert_true(part.in.op.n_samples >= 1);
    assert_int_equal(part.in.op.n_missing, 0);
    made_cases_close(&s.m);
}

static lead *leads(scene *s, int conclusion, uint32_t *ret_n) {
    lead *list;
    atg_err err = {0};

    made_ok(cases_leads(s->m.c, &s->m.all, s->m.arena,
                        &(leads_query){s->saved.operation, conclusion, LEADS}, &list, ret_n, &err),
            &err);
    return list;
}

static bool is_true_pair(const scene *s, const lead *l, const made_cases *m) {
    seen remains, missing;
    atg_err err = {0};

    made_ok(cases_get(m->c, &m->all, m->arena, RECORD_REMAINS, &l->remains.id, &remains, &err),
            &err);
    made_ok(cases_get(m->c, &m->all, m->arena, RECORD_MISSING, &l->missing.id, &missing, &err),
            &err);
    for (uint32_t i = 0; i < s->op.n_samples; i++)
        if (atg_str_eq(s->op.samples[i].id, remains.r->fields[REMAINS_TAG].text))
            return s->truth.missing_of_sample[i] >= 0 &&
                   atg_str_eq(s->op.missing[s->truth.missing_of_sample[i]].id,
                              missing.r->fields[MISSING_EXTERNAL].text);
    return false;
}

static void a_match_writes_what_identify_finds_once(const database *where) {
    scene s = open_scene(where);
    matcher_done done = run(&s.m);
    uint32_t n;
    lead *list;

    assert_int_equal(done.failed, 0);
    assert_true(done.jobs > 0);
    assert_true(done.written > MISSING / 2);
    list = leads(&s, CONCLUSION_PROBABLE, &n);
    assert_true(n > MISSING / 3);
    for (uint32_t i = 0; i < n; i++) {
        if (i)
            assert_true(list[i - 1].record.r->fields[HYPOTHESIS_POSTERIOR].number >=
                        list[i].record.r->fields[HYPOTHESIS_POSTERIOR].number);
        assert_true(is_true_pair(&s, &list[i], &s.m));
    }
    assert_int_equal(run(&s.m).jobs, 0);
    made_cases_close(&s.m);
}

static void matching_again_changes_nothing(const database *where) {
    scene s = open_scene(where);
    matcher_done done = run(&s.m);
    record *r;
    seen family;
    loading w = {.s = &s};
    atg_err err = {0};

    (void)done;
    made_ok(store_read(cases_store(s.m.c), load, &w, &err), &err);
    made_ok(cases_get(s.m.c, &s.m.all, s.m.arena, RECORD_FAMILY, &w.in.families[0], &family, &err),
            &err);
    r = family.r;
    made_set(s.m.arena, r, "note", "they moved");
    made_ok(made_change(&s.m, &s.m.all, CHANGE_EDIT, r, &err), &err);
    done = run(&s.m);
    assert_int_equal(done.jobs, 1);
    assert_int_equal(done.written, 0);
    made_cases_close(&s.m);
}

static void a_change_of_a_large_operation_is_ranked_at_once(const database *where) {
    scene s = open_scene(where);
    loading w = {.s = &s};
    ATG_AUTO(matcher) engine = NULL;
    matcher_done done;
    seen family, body;
    record *best;
    double before;
    atg_err err = {0};

    (void)run(&s.m);
    made_ok(store_read(cases_store(s.m.c), load, &w, &err), &err);
    best = best_of(&s.m, &w.in.remains[0]);
    assert_non_null(best);
    before = best->fields[HYPOTHESIS_LOG10_LR].number;
    made_ok(matcher_open(s.m.c, &(matcher_options){.threads = 1, .large = 1}, &engine, &err), &err);
    made_ok(cases_get(s.m.c, &s.m.all, s.m.arena, RECORD_FAMILY, &w.in.families[1], &family, &err),
            &err);
    made_set(s.m.arena, family.r, "note", "they moved");
    made_ok(made_change(&s.m, &s.m.all, CHANGE_EDIT, family.r, &err), &err);
    made_ok(cases_get(s.m.c, &s.m.all, s.m.arena, RECORD_REMAINS, &w.in.remains[0], &body, &err),
            &err);
    made_set(s.m.arena, body.r, "burial", "row 3");
    made_ok(made_change(&s.m, &s.m.all, CHANGE_EDIT, body.r, &err), &err);
    made_ok(matcher_run(engine, NULL, &done, &err), &err);
    assert_int_equal(done.failed, 0);
    assert_int_equal(done.jobs, 2);
    best = best_of(&s.m, &w.in.remains[0]);
    assert_true(fabs(best->fields[HYPOTHESIS_LOG10_LR].number - before) < 1e-6);
    made_cases_close(&s.m);
}

static void an_operation_taken_in_twice_is_there_once(const database *where) {
    scene s = open_scene(where);
    save_options how = {.operation = s.saved.operation,
                        .agreed_on = ATG_STR("2026-11-01"),
                        .ends_on = ATG_STR("2036-11-01")};
    saved again;
    atg_err err = {0};

    made_ok(operation_save(s.m.c, &s.m.all, &s.op, &how, NULL, &again, &err), &err);
    assert_int_equal(again.remains + again.families + again.missing + again.profiles, 0);
    assert_int_equal(again.known, s.op.n_samples + s.op.n_families + s.op.n_missing);
    made_cases_close(&s.m);
}

int main(void) {
    static const database_test tests[] = {
        {"what is loaded gives the numbers of what was saved",
         what_is_loaded_gives_the_numbers_of_what_was_saved, ON_BOTH},
        {"a part is loaded as in the whole", a_part_is_loaded_as_in_the_whole, ON_BOTH},
        {"a match writes what identify finds, once", a_match_writes_what_identify_finds_once,
         ON_BOTH},
        {"matching again changes nothing", matching_again_changes_nothing, ON_BOTH},
        {"a change of a large operation is ranked at once",
         a_change_of_a_large_operation_is_ranked_at_once, ON_BOTH},
        {"an operation taken in twice is there once", an_operation_taken_in_twice_is_there_once,
         ON_BOTH},
    };

    return DATABASE_RUN(tests);
}
