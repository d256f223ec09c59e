/* SPDX-License-Identifier: Apache-2.0 */
/* Faces as leads: what may be searched with and among, what examiners see, and what a face can
 * never do. */
#include "made_faces.h"

#include <stdlib.h>

#include "app/face_checklist.h"

/* ---- what is enrolled ---- */

static record *template_of(made_faces *w, const record *photograph) {
    record *found = NULL;
    seen *all;
    uint32_t n = 0;
    atg_err err = {0};

    made_ok(cases_file(w->m.c, &w->m.all, w->m.arena, &photograph->file, &all, &n, &err), &err);
    for (uint32_t i = 0; i < n; i++)
        if (all[i].r->kind == RECORD_FACE_TEMPLATE &&
            uuid_cmp(&all[i].r->fields[FACE_TEMPLATE_PHOTOGRAPH].ref, &photograph->id) == 0)
            found = all[i].r;
    return found;
}

static void photographs_are_read_once(const database *where) {
    made_faces *w = made_faces_open(where);
    faces_done done;

    made_enrol(w, &done);
    assert_int_equal(done.made, MADE_PEOPLE + 1);
    assert_int_equal(done.poor, 0);
    made_enrol(w, &done);
    assert_int_equal(done.made, 0);
    assert_int_equal(done.unchanged, MADE_PEOPLE + 1);
    assert_int_equal(w->n_looks, MADE_PEOPLE + 1);
    made_faces_close(w);
}

typedef struct steps {
    uint64_t n, done, total;
} steps;

static bool step(void *user, const char *phase, uint64_t done, uint64_t total) {
    steps *s = user;

    assert_string_equal(phase, "faces");
    s->n++;
    s->done = done;
    s->total = total;
    return true;
}

static void reading_tells_how_far_it_is(const database *where) {
    made_faces *w = made_faces_open(where);
    steps s = {.n = 0};
    atg_progress progress = {.step = step, .user = &s};
    faces_done done = {0};
    atg_err err = {0};

    made_ok(faces_enrol(w->m.c, &w->m.operation, &w->eye, &progress, &done, &err), &err);
    assert_int_equal(s.n, MADE_PEOPLE + 1);
    assert_int_equal(s.done, MADE_PEOPLE + 1);
    assert_int_equal(s.total, MADE_PEOPLE + 1);
    made_faces_close(w);
}

static void nobody_sees_a_template(const database *where) {
    made_faces *w = made_faces_open(where);
    record *t;

    made_enrol(w, NULL);
    t = template_of(w, w->am[3]);
    assert_non_null(t);
    assert_int_equal(t->fields[FACE_TEMPLATE_OUTCOME].choice, FACE_OUTCOME_READY);
    assert_false(t->fields[FACE_TEMPLATE_VECTOR].known);
    made_faces_close(w);
}

static void another_network_reads_all_anew(const database *where) {
    made_faces *w = made_faces_open(where);
    faces_done done;
    uint32_t n;
    atg_err err = {0};

    made_recovery(w, &w->m.all);
    made_enrol(w, NULL);
    w->eye.version.pipeline = 2;
    assert_int_equal(made_search(w, &w->examiner, &w->pm->id, 0, &n, &err), ATG_EINVAL);
    made_enrol(w, &done);
    assert_int_equal(done.made, MADE_PEOPLE + 1);
    made_ok(made_search(w, &w->examiner, &w->pm->id, 0, &n, &err), &err);
    assert_int_equal(n, MADE_PEOPLE);
    made_faces_close(w);
}

static void a_picture_without_one_good_face_says_why(const database *where) {
    static const struct {
        uint32_t how, outcome;
        const char *words;
    } kinds[] = {{MADE_NOBODY, FACE_OUTCOME_NO_FACE, "no face"},
                 {MADE_SEVERAL, FACE_OUTCOME_CHOOSE_FACE, "several"},
                 {MADE_BLURRED, FACE_OUTCOME_POOR, "blurred"},
                 {MADE_BROKEN, FACE_OUTCOME_UNREADABLE, "breaks off"}};
    made_faces *w = made_faces_open(where);

    made_recovery(w, &w->m.all);
    for (size_t i = 0; i < 4; i++) {
        record *r = made_photograph(&w->m, w->remains, &w->m.by[ROLE_MORTUARY], 2, kinds[i].how);
        uint32_t n;
        atg_err err = {0};

        made_ok(made_change(&w->m, &w->m.by[ROLE_MORTUARY], CHANGE_ADD, r, &err), &err);
        made_enrol(w, NULL);
        assert_int_equal(template_of(w, r)->fields[FACE_TEMPLATE_OUTCOME].choice, kinds[i].outcome);
        assert_int_equal(made_search(w, &w->examiner, &r->id, 0, &n, &err), ATG_EINVAL);
        if (!strstr(err.msg, kinds[i].words))
            fail_msg("'%s' where '%s' was expected", err.msg, kinds[i].words);
    }
    made_faces_close(w);
}

static void an_operator_says_which_face_is_meant(const database *where) {
    made_faces *w = made_faces_open(where);
    record *r = made_photograph(&w->m, w->remains, &w->m.by[ROLE_MORTUARY], 2, MADE_SEVERAL);
    atg_err err = {0};

    made_ok(made_change(&w->m, &w->m.by[ROLE_MORTUARY], CHANGE_ADD, r, &err), &err);
    made_enrol(w, NULL);
    made_set(w->m.arena, r, "landmarks", "[[1,2],[3]]");
    assert_int_equal(made_change(&w->m, &w->m.by[ROLE_MORTUARY], CHANGE_EDIT, r, &err), ATG_EPARSE);
    made_set(w->m.arena, r, "landmarks", "[[38,52],[74,52],[56,72],[42,92],[71,92]]");
    made_ok(made_change(&w->m, &w->m.by[ROLE_MORTUARY], CHANGE_EDIT, r, &err), &err);
    made_enrol(w, NULL);
    assert_int_equal(template_of(w, r)->fields[FACE_TEMPLATE_OUTCOME].choice, FACE_OUTCOME_READY);
    made_faces_close(w);
}

/* ---- searching ---- */

static void the_dead_lead_to_who_looks_alike(const database *where) {
    made_faces *w = made_faces_open(where);
    face_lead *leads;
    uint32_t n;
    atg_err err = {0};

    made_recovery(w, &w->m.all);
    made_enrol(w, NULL);
    made_ok(made_search(w, &w->examiner, &w->pm->id, 2, &n, &err), &err);
    assert_int_equal(n, 2);
    assert_int_equal(made_leads(w, &w->m.by[ROLE_RECONCILER], &leads), 2);
    /* turned by 1.5 from the second axis towards the third: the third person is nearest */
    assert_memory_equal(leads[0].missing.id.bytes, w->missing[3]->id.bytes, UUID_SIZE);
    assert_memory_equal(leads[1].missing.id.bytes, w->missing[2]->id.bytes, UUID_SIZE);
    assert_true(leads[0].record.r->fields[FACE_CANDIDATE_SCORE].number >
                leads[1].record.r->fields[FACE_CANDIDATE_SCORE].number);
    made_faces_close(w);
}

static void a_probe_is_recovered_and_registered_and_searched_by_name(const database *where) {
    made_faces *w = made_faces_open(where);
    actor nobody = {.name = ATG_STR("matcher"), .reason = ATG_STR("a test of the whole")};
    actor silent = w->m.by[ROLE_EXAMINER], mortuary = w->m.by[ROLE_MORTUARY];
    uuid other = w->missing[0]->id;
    uint32_t n;
    atg_err err = {0};

    mortuary.reason = ATG_STR("a test of the whole");
    made_enrol(w, NULL);
    assert_int_equal(made_search(w, &w->examiner, &w->pm->id, 0, &n, &err), ATG_EDENIED);
    assert_non_null(strstr(err.msg, "recovery event"));
    /* by who entered the photograph: that is no second word */
    made_recovery(w, &w->m.by[ROLE_MORTUARY]);
    assert_int_equal(made_search(w, &w->examiner, &w->pm->id, 0, &n, &err), ATG_EDENIED);
    made_recovery(w, &w->m.all);
    assert_int_equal(made_search(w, &silent, &w->pm->id, 0, &n, &err), ATG_EDENIED);
    assert_int_equal(made_search(w, &mortuary, &w->pm->id, 0, &n, &err), ATG_EDENIED);
    assert_int_equal(made_search(w, &nobody, &w->pm->id, 0, &n, &err), ATG_EDENIED);
    assert_int_equal(made_search(w, &w->examiner, &w->am[3]->id, 0, &n, &err), ATG_EDENIED);
    assert_non_null(strstr(err.msg, "never of the missing"));
    assert_int_equal(made_search(w, &w->examiner, &other, 0, &n, &err), ATG_EDENIED);
    assert_int_equal(made_search(w, &w->examiner, &w->pm->id, 1, &n, &err), ATG_EINVAL);
    assert_int_equal(made_search(w, &w->examiner, &w->pm->id, 51, &n, &err), ATG_EINVAL);
    made_ok(made_search(w, &w->examiner, &w->pm->id, 0, &n, &err), &err);
    made_faces_close(w);
}

static bool is_found(made_faces *w, uint32_t person) {
    face_lead *leads;
    uint32_t n = 0, found;
    atg_err err = {0};
    bool there = false;

    made_ok(made_search(w, &w->examiner, &w->pm->id, 0, &n, &err), &err);
    found = made_leads(w, &w->m.by[ROLE_RECONCILER], &leads);
    for (uint32_t i = 0; i < found; i++)
        there |= uuid_cmp(&leads[i].missing.id, &w->missing[person]->id) == 0;
    return there;
}

static void only_confirmed_photographs_are_searched_among(const database *where) {
    made_faces *w = made_faces_open(where);
    atg_err err = {0};

    made_recovery(w, &w->m.all);
    made_enrol(w, NULL);
    assert_true(is_found(w, 3));
    made_set(w->m.arena, w->am[3], "confirmed", "no");
    made_ok(made_change(&w->m, &w->m.by[ROLE_INTERVIEWER], CHANGE_EDIT, w->am[3], &err), &err);
    assert_false(is_found(w, 3));
    made_faces_close(w);
}

static void who_is_found_alive_leaves_at_once(const database *where) {
    made_faces *w = made_faces_open(where);
    face_wish wish = {.photograph = w->pm->id};
    faces_wanted wanted = {w->m.operation, w->eye.version, MADE_DIM, false};
    ATG_AUTO(faces_gallery) before = NULL;
    faces_found found = {0};
    face_lead *leads;
    faces_done done;
    uint32_t n;
    atg_err err = {0};

    made_recovery(w, &w->m.all);
    made_enrol(w, NULL);
    made_ok(faces_gallery_open(w->m.c, &wanted, NULL, &before, &err), &err);
    made_set(w->m.arena, w->missing[3], "alive_on", "2026-11-20");
    made_ok(made_change(&w->m, &w->m.all, CHANGE_EDIT, w->missing[3], &err), &err);
    w->missing[3]->state = MISSING_STATE_FOUND_ALIVE;
    made_ok(made_change(&w->m, &w->m.all, CHANGE_STATE, w->missing[3], &err), &err);
    /* also from a gallery that was read before */
    made_ok(faces_search(w->m.c, &w->examiner, w->m.arena, before, &wish, &found, &err), &err);
    assert_int_equal(found.candidates, MADE_PEOPLE - 1);
    n = made_leads(w, &w->m.by[ROLE_RECONCILER], &leads);
    for (uint32_t i = 0; i < n; i++)
        assert_memory_not_equal(leads[i].missing.id.bytes, w->missing[3]->id.bytes, UUID_SIZE);
    /* and the template goes */
    made_enrol(w, &done);
    assert_int_equal(done.taken_out, 1);
    assert_int_equal(template_of(w, w->am[3])->fields[FACE_TEMPLATE_OUTCOME].choice,
                     FACE_OUTCOME_TAKEN_OUT);
    made_enrol(w, &done);
    assert_int_equal(done.taken_out, 0);
    made_faces_close(w);
}

static void retouched_and_original_do_not_mix(const database *where) {
    made_faces *w = made_faces_open(where);
    atg_err err = {0};

    made_recovery(w, &w->m.all);
    made_set(w->m.arena, w->am[3], "retouched", "yes");
    made_ok(made_change(&w->m, &w->m.by[ROLE_INTERVIEWER], CHANGE_EDIT, w->am[3], &err), &err);
    made_enrol(w, NULL);
    assert_false(is_found(w, 3));
    assert_true(is_found(w, 2));
    made_faces_close(w);
}

static void a_person_is_as_near_as_the_best_of_their_photographs(const database *where) {
    made_faces *w = made_faces_open(where);
    face_lead *leads;
    uint32_t n;
    atg_err err = {0};
    record *near;

    made_recovery(w, &w->m.all);
    near = made_am(w, 2, 30); /* the very same as the dead */
    made_enrol(w, NULL);
    made_ok(made_search(w, &w->examiner, &w->pm->id, 0, &n, &err), &err);
    assert_int_equal(n, MADE_PEOPLE);
    n = made_leads(w, &w->m.by[ROLE_RECONCILER], &leads);
    assert_memory_equal(leads[0].missing.id.bytes, w->missing[2]->id.bytes, UUID_SIZE);
    assert_memory_equal(leads[0].record.r->fields[FACE_CANDIDATE_PHOTOGRAPH].ref.bytes,
                        near->id.bytes, UUID_SIZE);
    made_faces_close(w);
}

/* ---- concluding ---- */

static const char *checklist(made_faces *w, const char *all, const char *ears) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(4096);
    atg_str text;
    atg_err err = {0};

    for (uint32_t i = 0; i < face_features_n; i++) {
        bool is_ears = strcmp(face_features[i].name, "ears") == 0;

        atg_buf_adds(buf, i ? ", \"" : "{\"");
        atg_buf_adds(buf, face_features[i].name);
        atg_buf_adds(buf, "\": ");
        atg_buf_adds(buf, is_ears ? ears : all);
    }
    atg_buf_adds(buf, "}");
    made_ok(atg_buf_take(buf, &text, &err), &err);
    return atg_arena_str(w->m.arena, text).p;
}

static record *conclusion(made_faces *w, const uuid *candidate, const char *support,
                          const char *features) {
    record *r = record_new(w->m.arena, RECORD_FACE_COMPARISON);

    r->operation = w->m.operation;
    r->file = w->remains->id;
    r->fields[FACE_COMPARISON_CANDIDATE] = (value){.known = true, .ref = *candidate};
    made_set(w->m.arena, r, "support", support);
    made_set(w->m.arena, r, "features", features);
    return r;
}

typedef struct hiring {
    uuid account;
} hiring;

static int hire(db *d, void *user, atg_err *err) {
    return made_account(d, "another examiner", 1U << ROLE_EXAMINER, &((hiring *)user)->account,
                        err);
}

static actor second_examiner(made_faces *w) {
    hiring h;
    atg_err err = {0};

    made_ok(store_write(cases_store(w->m.c), hire, &h, &err), &err);
    return (actor){.account = h.account,
                   .name = ATG_STR("another examiner"),
                   .reason = ATG_STR("second comparison")};
}

static bool hidden(const seen *s, uint32_t field) {
    return !s->r->fields[field].known && s->hidden >> field & 1;
}

static void examiners_conclude_blind_to_score_rank_and_each_other(const database *where) {
    made_faces *w = made_faces_open(where);
    actor second = second_examiner(w);
    const char *same = checklist(w, "\"similar\"", "\"similar\"");
    face_lead *leads;
    uint32_t n;
    atg_err err = {0};

    made_recovery(w, &w->m.all);
    made_enrol(w, NULL);
    made_ok(made_search(w, &w->examiner, &w->pm->id, 2, &n, &err), &err);
    n = made_leads(w, &w->examiner, &leads);
    assert_int_equal(n, 2);
    for (uint32_t i = 0; i < n; i++) {
        assert_true(hidden(&leads[i].record, FACE_CANDIDATE_SCORE));
        assert_true(hidden(&leads[i].record, FACE_CANDIDATE_RANK));
    }
    /* in the order of codes: the second is nearest */
    assert_memory_equal(leads[0].missing.id.bytes, w->missing[2]->id.bytes, UUID_SIZE);
    made_ok(made_change(&w->m, &w->examiner, CHANGE_ADD,
                        conclusion(w, &leads[0].record.r->id, "no_support", same), &err),
            &err);
    /* one is left: what is known of the first would tell of it */
    made_leads(w, &w->examiner, &leads);
    assert_true(hidden(&leads[0].record, FACE_CANDIDATE_RANK));
    made_leads(w, &second, &leads);
    assert_int_equal(leads[0].n_said, 1);
    assert_true(hidden(&leads[0].said[0], FACE_COMPARISON_SUPPORT));
    assert_false(leads[0].disagree);
    made_ok(made_change(&w->m, &w->examiner, CHANGE_ADD,
                        conclusion(w, &leads[1].record.r->id, "limited_support", same), &err),
            &err);
    made_leads(w, &w->examiner, &leads);
    assert_true(leads[0].record.r->fields[FACE_CANDIDATE_RANK].known);
    for (uint32_t i = 0; i < 2; i++)
        made_ok(made_change(&w->m, &second, CHANGE_ADD,
                            conclusion(w, &leads[i].record.r->id, "limited_support", same), &err),
                &err);
    made_leads(w, &second, &leads);
    for (uint32_t i = 0; i < 2; i++)
        assert_int_equal(leads[i].disagree,
                         uuid_cmp(&leads[i].missing.id, &w->missing[2]->id) == 0);
    made_faces_close(w);
}

static int search_for(made_faces *w, const actor *who, uint32_t best, uint32_t *ret_n) {
    atg_err err = {0};
    int rc = made_search(w, who, &w->pm->id, best, ret_n, &err);

    if (rc == ATG_EDENIED)
        assert_non_null(strstr(err.msg, "Rule 5"));
    return rc;
}

static actor reconciler_of(const made_faces *w) {
    actor who = w->m.by[ROLE_RECONCILER];

    who.reason = ATG_STR("the list is short");
    return who;
}

static void the_list_of_a_photograph_keeps_its_length(const database *where) {
    made_faces *w = made_faces_open(where);
    actor reconciler = reconciler_of(w);
    face_lead *leads;
    uint32_t n;

    made_recovery(w, &w->m.all);
    made_enrol(w, NULL);
    assert_int_equal(search_for(w, &w->examiner, 3, &n), ATG_OK);
    for (uint32_t best = 2; best <= MADE_PEOPLE; best++)
        assert_int_equal(search_for(w, &w->examiner, best, &n), best == 3 ? ATG_OK : ATG_EDENIED);
    assert_int_equal(search_for(w, &w->examiner, 0, &n), ATG_OK);
    assert_int_equal(n, 3);
    assert_int_equal(made_leads(w, &w->examiner, &leads), 3);
    assert_int_equal(leads[0].record.r->fields[FACE_CANDIDATE_LISTED].number, 3);
    assert_int_equal(search_for(w, &reconciler, 2, &n), ATG_EDENIED);
    assert_int_equal(search_for(w, &reconciler, 0, &n), ATG_OK);
    assert_int_equal(n, 3);
    assert_int_equal(search_for(w, &reconciler, 5, &n), ATG_OK);
    assert_int_equal(search_for(w, &reconciler, 4, &n), ATG_EDENIED);
    assert_int_equal(search_for(w, &w->examiner, 3, &n), ATG_EDENIED);
    assert_int_equal(search_for(w, &w->examiner, 0, &n), ATG_OK);
    assert_int_equal(n, 5);
    made_faces_close(w);
}

static int by_record(const void *x, const void *y) {
    const face_lead *a = x, *b = y;

    return uuid_cmp(&a->record.r->id, &b->record.r->id);
}

/* What the history tells this account of a candidate's last change. */
static atg_str told_of(made_faces *w, const actor *who, const uuid *candidate) {
    audit_entry *all;
    uint32_t n = 0;
    atg_str last = ATG_STR("");
    atg_err err = {0};

    made_ok(cases_history(w->m.c, who, w->m.arena, &w->remains->id, &all, &n, &err), &err);
    for (uint32_t i = 0; i < n; i++)
        if (uuid_cmp(&all[i].e.record, candidate) == 0)
            last = all[i].e.detail;
    return last;
}

static void nothing_tells_who_is_to_conclude_the_order(const database *where) {
    made_faces *w = made_faces_open(where);
    face_lead *leads;
    uint32_t n;
    atg_str first;
    atg_err err = {0};

    made_recovery(w, &w->m.all);
    made_enrol(w, NULL);
    assert_int_equal(search_for(w, &w->examiner, 0, &n), ATG_OK);
    /* the best leaves, and the ranks of all others change */
    made_set(w->m.arena, w->missing[3], "alive_on", "2026-11-20");
    made_ok(made_change(&w->m, &w->m.all, CHANGE_EDIT, w->missing[3], &err), &err);
    w->missing[3]->state = MISSING_STATE_FOUND_ALIVE;
    made_ok(made_change(&w->m, &w->m.all, CHANGE_STATE, w->missing[3], &err), &err);
    assert_int_equal(search_for(w, &w->examiner, 0, &n), ATG_OK);
    n = made_leads(w, &w->examiner, &leads);
    assert_int_equal(n, MADE_PEOPLE - 1);
    for (uint32_t i = 1; i < n; i++)
        assert_true(atg_str_cmp(leads[i - 1].missing.code, leads[i].missing.code) < 0);
    qsort(leads, n, sizeof(*leads), by_record);
    first = told_of(w, &w->examiner, &leads[0].record.r->id);
    assert_non_null(strstr(first.p, "hidden"));
    for (uint32_t i = 0; i < n; i++) {
        const record *r = leads[i].record.r;

        assert_false(r->fields[FACE_CANDIDATE_SCORE].known || r->fields[FACE_CANDIDATE_RANK].known);
        assert_int_equal(r->rev, 2);
        assert_true(atg_str_eq(told_of(w, &w->examiner, &r->id), first));
        if (!i)
            continue;
        /* made and changed in the order of the persons, whatever their scores */
        assert_true(uuid_cmp(&leads[i - 1].missing.id, &leads[i].missing.id) < 0);
        assert_true(leads[i - 1].record.r->created <= r->created);
        assert_true(leads[i - 1].record.r->changed <= r->changed);
    }
    made_faces_close(w);
}

static void a_list_among_restored_pictures_leaves_the_other_as_it_is(const database *where) {
    made_faces *w = made_faces_open(where);
    faces_wanted wanted = {w->m.operation, w->eye.version, MADE_DIM, true};
    face_wish wish = {.photograph = w->pm->id, .best = 2};
    ATG_AUTO(faces_gallery) restored = NULL;
    faces_found found = {0};
    face_lead *leads;
    uuid dropped;
    seen one;
    uint32_t n;
    atg_err err = {0};

    made_recovery(w, &w->m.all);
    made_set(w->m.arena, w->am[5], "retouched", "yes");
    made_ok(made_change(&w->m, &w->m.by[ROLE_INTERVIEWER], CHANGE_EDIT, w->am[5], &err), &err);
    made_enrol(w, NULL);
    assert_int_equal(search_for(w, &w->examiner, 3, &n), ATG_OK);
    made_ok(faces_gallery_open(w->m.c, &wanted, NULL, &restored, &err), &err);
    made_ok(faces_search(w->m.c, &w->examiner, w->m.arena, restored, &wish, &found, &err), &err);
    assert_int_equal(found.candidates, 1);
    n = made_leads(w, &w->examiner, &leads);
    assert_int_equal(n, 4);
    for (uint32_t i = 0; i < n; i++)
        assert_true(hidden(&leads[i].record, FACE_CANDIDATE_RANK));
    /* one that is dropped is nobody's to conclude on, and tells nothing either */
    dropped = leads[0].record.r->id;
    n = MADE_PEOPLE;
    for (uint32_t i = 0; i < MADE_PEOPLE; i++)
        if (uuid_cmp(&w->missing[i]->id, &leads[0].missing.id) == 0)
            n = i;
    assert_true(n < MADE_PEOPLE);
    made_set(w->m.arena, w->am[n], "confirmed", "no");
    made_ok(made_change(&w->m, &w->m.by[ROLE_INTERVIEWER], CHANGE_EDIT, w->am[n], &err), &err);
    assert_int_equal(search_for(w, &w->examiner, 0, &n), ATG_OK);
    n = made_leads(w, &w->examiner, &leads);
    for (uint32_t i = 0; i < n; i++)
        made_ok(made_change(&w->m, &w->examiner, CHANGE_ADD,
                            conclusion(w, &leads[i].record.r->id, "no_support",
                                       checklist(w, "\"similar\"", "\"similar\"")),
                            &err),
                &err);
    made_leads(w, &w->examiner, &leads);
    assert_true(leads[0].record.r->fields[FACE_CANDIDATE_RANK].known);
    made_ok(
        cases_get(w->m.c, &w->examiner, w->m.arena, RECORD_FACE_CANDIDATE, &dropped, &one, &err),
        &err);
    assert_true(one.r->withdrawn && hidden(&one, FACE_CANDIDATE_RANK));
    made_faces_close(w);
}

static void a_conclusion_needs_a_whole_checklist_and_its_own_examiner(const database *where) {
    made_faces *w = made_faces_open(where);
    const char *same = checklist(w, "\"similar\"", "\"similar\"");
    actor odontologist = w->m.by[ROLE_ODONTOLOGIST], second = second_examiner(w);
    record *said, *changed;
    face_lead *leads;
    const uuid *id;
    uint32_t n;
    atg_err err = {0};

    made_recovery(w, &w->m.all);
    made_enrol(w, NULL);
    made_ok(made_search(w, &w->examiner, &w->pm->id, 2, &n, &err), &err);
    made_leads(w, &w->examiner, &leads);
    id = &leads[0].record.r->id;
    assert_int_equal(made_change(&w->m, &w->examiner, CHANGE_ADD,
                                 conclusion(w, id, "support", "{\"ears\": \"similar\"}"), &err),
                     ATG_EPARSE);
    assert_int_equal(
        made_change(&w->m, &w->examiner, CHANGE_ADD, conclusion(w, id, "exclusion", same), &err),
        ATG_EPARSE);
    assert_int_equal(
        made_change(&w->m, &w->examiner, CHANGE_ADD,
                    conclusion(w, id, "support", checklist(w, "\"similar\"", "\"different\"")),
                    &err),
        ATG_EPARSE);
    assert_int_equal(
        made_change(&w->m, &odontologist, CHANGE_ADD, conclusion(w, id, "support", same), &err),
        ATG_EDENIED);
    said = conclusion(
        w, id, "exclusion",
        checklist(w, "\"similar\"", "{\"finding\": \"different\", \"note\": \"lobe free\"}"));
    made_ok(made_change(&w->m, &w->examiner, CHANGE_ADD, said, &err), &err);
    assert_int_equal(
        made_change(&w->m, &w->examiner, CHANGE_ADD, conclusion(w, id, "support", same), &err),
        ATG_EDENIED);
    changed = record_copy(w->m.arena, said);
    made_set(w->m.arena, changed, "support", "no_support");
    assert_int_equal(made_change(&w->m, &second, CHANGE_EDIT, changed, &err), ATG_EDENIED);
    made_ok(made_change(&w->m, &w->examiner, CHANGE_EDIT, changed, &err), &err);
    made_ok(made_change(&w->m, &second, CHANGE_ADD, conclusion(w, id, "support", same), &err),
            &err);
    made_set(w->m.arena, changed, "support", "support");
    assert_int_equal(made_change(&w->m, &w->examiner, CHANGE_EDIT, changed, &err), ATG_EDENIED);
    made_faces_close(w);
}

static void a_face_excludes_and_establishes_nobody(const database *where) {
    made_faces *w = made_faces_open(where);
    face_lead *leads;
    uint32_t n;
    atg_err err = {0};

    made_recovery(w, &w->m.all);
    made_enrol(w, NULL);
    made_ok(made_search(w, &w->examiner, &w->pm->id, 2, &n, &err), &err);
    made_leads(w, &w->examiner, &leads);
    made_ok(made_change(&w->m, &w->examiner, CHANGE_ADD,
                        conclusion(w, &leads[0].record.r->id, "exclusion",
                                   checklist(w, "\"not_visible\"",
                                             "{\"finding\": \"different\", \"note\": \"lobe\"}")),
                        &err),
            &err);
    /* found again, in a search of its own: the exclusion took nobody out */
    assert_true(is_found(w, 2));
    made_leads(w, &w->m.by[ROLE_RECONCILER], &leads);
    w->remains->state = REMAINS_STATE_IDENTIFIED;
    assert_int_equal(made_change(&w->m, &w->m.all, CHANGE_STATE, w->remains, &err), ATG_EDENIED);
    made_faces_close(w);
}

static void candidates_and_templates_are_made_by_the_program_alone(const database *where) {
    static const record_kind kinds[] = {RECORD_FACE_TEMPLATE, RECORD_FACE_CANDIDATE,
                                        RECORD_FACE_CALIBRATION};
    made_faces *w = made_faces_open(where);

    for (size_t i = 0; i < 3; i++) {
        record *r = record_new(w->m.arena, kinds[i]);
        atg_err err = {0};

        r->operation = w->m.operation;
        r->file = kinds[i] == RECORD_FACE_CALIBRATION ? w->m.operation : w->remains->id;
        assert_int_equal(made_change(&w->m, &w->m.all, CHANGE_ADD, r, &err), ATG_EDENIED);
    }
    made_faces_close(w);
}

int main(void) {
    static const database_test tests[] = {
        {"photographs are read once", photographs_are_read_once, ON_BOTH},
        {"reading tells how far it is", reading_tells_how_far_it_is, ON_BOTH},
        {"nobody sees a template", nobody_sees_a_template, ON_BOTH},
        {"another network reads all anew", another_network_reads_all_anew, ON_BOTH},
        {"a picture without one good face says why", a_picture_without_one_good_face_says_why,
         ON_BOTH},
        {"an operator says which face is meant", an_operator_says_which_face_is_meant, ON_BOTH},
        {"the dead lead to who looks alike", the_dead_lead_to_who_looks_alike, ON_BOTH},
        {"a probe is recovered and registered and searched by name",
         a_probe_is_recovered_and_registered_and_searched_by_name, ON_BOTH},
        {"only confirmed photographs are searched among",
         only_confirmed_photographs_are_searched_among, ON_BOTH},
        {"who is found alive leaves at once", who_is_found_alive_leaves_at_once, ON_BOTH},
        {"retouched and original do not mix", retouched_and_original_do_not_mix, ON_BOTH},
        {"a person is as near as the best of their photographs",
         a_person_is_as_near_as_the_best_of_their_photographs, ON_BOTH},
        {"examiners conclude blind to score rank and each other",
         examiners_conclude_blind_to_score_rank_and_each_other, ON_BOTH},
        {"the list of a photograph keeps its length", the_list_of_a_photograph_keeps_its_length,
         ON_BOTH},
        {"nothing tells who is to conclude the order", nothing_tells_who_is_to_conclude_the_order,
         ON_BOTH},
        {"a list among restored pictures leaves the other as it is",
         a_list_among_restored_pictures_leaves_the_other_as_it_is, ON_BOTH},
        {"a conclusion needs a whole checklist and its own examiner",
         a_conclusion_needs_a_whole_checklist_and_its_own_examiner, ON_BOTH},
        {"a face excludes and establishes nobody", a_face_excludes_and_establishes_nobody, ON_BOTH},
        {"candidates and templates are made by the program alone",
         candidates_and_templates_are_made_by_the_program_alone, ON_BOTH},
    };

    return DATABASE_RUN(tests);
}
