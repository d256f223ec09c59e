/* SPDX-License-Identifier: Apache-2.0 */
/* Faces over the network: commands are told what the store's own machine tells, and the service
 * takes no calibration that nobody may make. */
#include "caller.h"
#include "made_closed.h"

#include <stdio.h>
#include <time.h>

#include "app/cases_json.h"
#include "app/face_checklist.h"

enum { PATH = 300, CLOSED = 34, TEXT_MAX = 1 << 20 };

typedef struct far {
    served w;
    made_faces *f;
    caller by;
    store_session here; /* of the same person, at the store */
} far;

static far far_open(const database *where, bool closed) {
    far t = {.w = served_open(where, NULL)};

    set_places(where);
    t.f = made_faces_in(&t.w.made);
    made_recovery(t.f, &t.f->m.all);
    if (closed) {
        t.f->eye.read = closed_look;
        made_closed(t.f, CLOSED);
    } else {
        made_enrol(t.f, NULL);
    }
    return t;
}

/* From here on somebody asks; what there is is of the made operation. */
static void let_in(far *t, int who, const char *reason) {
    uuid operation = t->f->m.operation;

    keep_session(t->w.url, t->w.token[who], "somebody", time(NULL));
    open_caller(&t->by, t->w.url, t->w.authority);
    assert_int_equal(t->by.s.at->let_in(&t->by.a, &t->by.s), EXIT_DONE);
    t->by.s.who.reason = atg_str_of(reason);
    t->by.s.operation = (file_row){.id = operation, .kind = RECORD_OPERATION};
    t->here = (store_session){.at = &backend_local,
                              .c = t->f->m.c,
                              .arena = t->f->m.arena,
                              .who = t->f->m.by[who],
                              .operation = t->by.s.operation};
    t->here.who.reason = atg_str_of(reason);
}

/* What was put in behind the back of the history would be told. */
static void far_close(far *t) {
    curl_easy_cleanup(t->w.curl);
    served_stop(&t->w);
    cases_close(t->w.made.c);
    atg_arena_free(t->w.made.arena);
    account_test_cost(PASSWORD_ACCOUNT);
}

static void must_be_refused(int rc, int wanted, const atg_err *err, const char *words) {
    if (rc != wanted || !strstr(err->msg, words))
        fail_msg("%d where %d was expected, with '%s': %s", rc, wanted, words, err->msg);
}

/* ---- leads ---- */

static atg_str leads_told(store_session *s, const file_row *remains) {
    atg_buf *buf = atg_buf_new(TEXT_MAX);
    json j = json_new(buf);
    face_lead *leads;
    uint32_t n;
    atg_str text;
    atg_err err = {0};

    made_ok(s->at->face_leads(s, remains, &leads, &n, &err), &err);
    cases_write_face_leads(&j, leads, n);
    made_ok(atg_buf_take(buf, &text, &err), &err);
    text = atg_arena_str(s->arena, text);
    atg_buf_free(buf);
    return text;
}

static void must_be_told_alike(far *t, const file_row *remains) {
    atg_str here = leads_told(&t->here, remains), there = leads_told(&t->by.s, remains);

    if (!atg_str_eq(here, there))
        fail_msg("here %.*s, and there %.*s", ATG_FMT(here), ATG_FMT(there));
}

static record *conclusion(const far *t, const face_lead *on) {
    record *r = record_new(t->by.s.arena, RECORD_FACE_COMPARISON);
    ATG_AUTO(atg_buf) buf = atg_buf_new(TEXT_MAX);
    json j = json_new(buf);
    atg_str text;

    json_object_line(&j);
    for (uint32_t i = 0; i < face_features_n; i++) {
        json_key(&j, face_features[i].name);
        json_text(&j, "not_visible");
    }
    json_end(&j, '}');
    assert_int_equal(atg_buf_take(buf, &text, NULL), ATG_OK);
    r->operation = t->f->m.operation;
    r->file = t->f->remains->id;
    r->fields[FACE_COMPARISON_CANDIDATE] = (value){.known = true, .ref = on->record.r->id};
    made_set(t->by.s.arena, r, "support", "no_support");
    r->fields[FACE_COMPARISON_FEATURES] =
        (value){.known = true, .text = atg_arena_str(t->by.s.arena, text)};
    return r;
}

static void faces_are_searched_for_and_concluded_on(const database *where) {
    far t = far_open(where, false);
    faces_asking asking = {.wish = {t.f->pm->id, 3}};
    faces_found got;
    face_lead *leads;
    file_row remains;
    uint32_t n;
    atg_err err = {0};

    let_in(&t, ROLE_EXAMINER, "no papers");
    made_ok(t.by.s.at->face_search(&t.by.s, &asking, NULL, &got, &err), &err);
    assert_true(got.candidates == 3 && got.among == MADE_PEOPLE);
    asking.retouched = true;
    made_ok(t.by.s.at->face_search(&t.by.s, &asking, NULL, &got, &err), &err);
    assert_true(got.candidates == 0 && got.among == 0);
    asking.retouched = false;
    made_ok(t.by.s.at->face_search(&t.by.s, &asking, NULL, &got, &err), &err);
    made_ok(t.by.s.at->find(&t.by.s, t.f->remains->code, &remains, &err), &err);
    must_be_told_alike(&t, &remains);

    /* without score until all three are concluded on */
    made_ok(t.by.s.at->face_leads(&t.by.s, &remains, &leads, &n, &err), &err);
    assert_int_equal(n, 3);
    served_confirm(&t.w, ROLE_EXAMINER);
    for (uint32_t i = 0; i < n; i++) {
        change ch = {CHANGE_ADD, conclusion(&t, &leads[i])};

        assert_false(leads[i].record.r->fields[FACE_CANDIDATE_SCORE].known);
        made_ok(t.by.s.at->change(&t.by.s, &ch, &err), &err);
        must_be_told_alike(&t, &remains);
    }
    made_ok(t.by.s.at->face_leads(&t.by.s, &remains, &leads, &n, &err), &err);
    assert_true(leads[0].record.r->fields[FACE_CANDIDATE_SCORE].known);
    assert_int_equal(leads[0].n_said, 1);
    close_caller(&t.by);

    let_in(&t, ROLE_MORTUARY, "no papers");
    must_be_refused(t.by.s.at->face_search(&t.by.s, &asking, NULL, &got, &err), ATG_EDENIED, &err,
                    "'faces' needs one of these roles");
    close_caller(&t.by);
    served_close(&t.w);
}

static void who_may_match_has_them_read(const database *where) {
    far t = far_open(where, false);
    faces_done done;
    atg_err err = {0};

    let_in(&t, ROLE_INTERVIEWER, "new photographs");
    must_be_refused(t.by.s.at->faces_read(&t.by.s, NULL, &done, &err), ATG_EDENIED, &err,
                    "'match' needs one of these roles");
    close_caller(&t.by);
    /* where no network is installed, it says what to do */
    let_in(&t, SERVED_ALL, "new photographs");
    if (t.by.s.at->faces_read(&t.by.s, NULL, &done, &err) != ATG_OK)
        assert_true(strlen(err.msg) > 20);
    close_caller(&t.by);
    served_close(&t.w);
}

/* ---- calibrating ---- */

static atg_str report_told(store_session *s, double score) {
    atg_buf *buf = atg_buf_new(TEXT_MAX);
    json j = json_new(buf);
    faces_report r;
    atg_str text;
    atg_err err = {0};

    made_ok(s->at->face_report(s, score, &r, &err), &err);
    faces_report_write(&j, &r);
    made_ok(atg_buf_take(buf, &text, &err), &err);
    text = atg_arena_str(s->arena, text);
    atg_buf_free(buf);
    return text;
}

static void a_calibration_is_that_of_the_store(const database *where) {
    far t = far_open(where, true);
    faces_fit_wish wish = {.cap = 0.75, .plots = true};
    faces_fitted here, there;
    atg_err err = {0};

    let_in(&t, ROLE_BOARD, "thirty cases are closed");
    /* signed with more than a token */
    must_be_refused(t.by.s.at->face_fit(&t.by.s, &wish, &there, &err), ATG_EDENIED, &err,
                    "not confirmed");
    served_confirm(&t.w, ROLE_BOARD);
    made_ok(t.by.s.at->face_fit(&t.by.s, &wish, &there, &err), &err);
    made_ok(t.here.at->face_fit(&t.here, &wish, &here, &err), &err);
    assert_int_equal(there.calibration.n_cases, CLOSED);
    assert_true(there.calibration.cap == 0.75 && there.n_operations == 1 && there.n_denied == 0);
    assert_true(atg_str_eq(here.page, there.page));
    assert_true(here.calibration.cllr == there.calibration.cllr);
    assert_memory_equal(here.calibration.knots, there.calibration.knots,
                        here.calibration.n_knots * sizeof(*here.calibration.knots));
    assert_true(atg_str_eq(report_told(&t.here, 0.25), report_told(&t.by.s, 0.25)));
    t.by.s.who.reason = ATG_STR("");
    must_be_refused(t.by.s.at->face_fit(&t.by.s, &wish, &there, &err), ATG_EDENIED, &err,
                    "--reason");
    close_caller(&t.by);

    served_confirm(&t.w, ROLE_EXAMINER);
    let_in(&t, ROLE_EXAMINER, "thirty cases are closed");
    must_be_refused(t.by.s.at->face_fit(&t.by.s, &wish, &there, &err), ATG_EDENIED, &err,
                    "'match' needs one of these roles");
    close_caller(&t.by);
    far_close(&t);
}

static void a_wish_that_cannot_be_is_refused(const database *where) {
    static const char *const bodies[] = {
        "{\"cap\": 0}",   "{\"cap\": 1.01}",     "{\"cap\": \"1\"}", "{\"cap\": -1}",
        "{\"plots\": 1}", "{\"scores\": [0.2]}", "{\"cap\": null}",  "[]"};
    static const char *const scores[] = {"", "?score=", "?score=half", "?score=2", "?score=nan"};
    far t = far_open(where, false);
    char id[UUID_TEXT + 1], path[PATH];

    served_confirm(&t.w, ROLE_BOARD);
    uuid_text(&t.f->m.operation, id);
    (void)snprintf(path, sizeof(path), "/api/v1/operations/%s/faces/calibration", id);
    for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
        ANSWER_AUTO a = MUST(&t.w, 422, "POST", path, ROLE_BOARD, .body = bodies[i],
                             .purpose = "thirty cases are closed");
    }
    /* eight people, and none of them closed */
    ANSWER_AUTO few =
        MUST(&t.w, 422, "POST", path, ROLE_BOARD, .body = "{}", .purpose = "thirty are closed");
    assert_non_null(strstr(answer_text(&few, "detail"), "needs 30 closed cases"));
    for (size_t i = 0; i < sizeof(scores) / sizeof(*scores); i++) {
        (void)snprintf(path, sizeof(path), "/api/v1/operations/%s/faces/report%s", id, scores[i]);
        ANSWER_AUTO a =
            served_ask(&t.w, &(ask){"GET", path, ROLE_BOARD, .purpose = "before the board meets"});

        assert_true(a.status == 400 || a.status == 422);
    }
    served_close(&t.w);
}

int main(void) {
    static const database_test tests[] = {
        {"faces are searched for and concluded on", faces_are_searched_for_and_concluded_on,
         ON_BOTH},
        {"who may match has them read", who_may_match_has_them_read, ON_BOTH},
        {"a calibration is that of the store", a_calibration_is_that_of_the_store, ON_BOTH},
        {"a wish that cannot be is refused", a_wish_that_cannot_be_is_refused, ON_BOTH},
    };

    curl_global_init(CURL_GLOBAL_DEFAULT);
    return DATABASE_RUN(tests);
}
