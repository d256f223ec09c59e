/* SPDX-License-Identifier: Apache-2.0 */
/* What a face weighs: nothing without closed cases, little with them, and never more than its cap.
 */
#include "made_closed.h"

#include "app/faces_fit.h"
#include "app/faces_report.h"

enum { CLOSED = 34, FEW = 5 };

static record *operation_of(made_faces *w) {
    uint32_t n;
    seen *all;
    atg_err err = {0};

    made_ok(cases_file(w->m.c, &w->m.all, w->m.arena, &w->m.operation, &all, &n, &err), &err);
    for (uint32_t i = 0; i < n; i++)
        if (all[i].r->kind == RECORD_OPERATION)
            return record_copy(w->m.arena, all[i].r);
    fail_msg("There is no operation");
    return NULL;
}

static void sign_operation(made_faces *w) {
    record *r = operation_of(w);
    atg_err err = {0};

    made_set(w->m.arena, r, "threshold", "0.9999");
    made_set(w->m.arena, r, "min_log10_lr", "6");
    made_set(w->m.arena, r, "prior", "{\"missing\": 8}");
    r->fields[OPERATION_SIGNED_BY] = (value){.known = true, .ref = w->m.by[ROLE_BOARD].account};
    made_ok(made_change(&w->m, &w->m.by[ROLE_BOARD], CHANGE_EDIT, r, &err), &err);
}

static made_faces *open_faces(const database *where) {
    made_faces *w = made_faces_open(where);

    w->eye.read = closed_look;
    sign_operation(w);
    made_recovery(w, &w->m.all);
    return w;
}

/* Of what was put in behind the back of the history, which would tell. */
static void close_unheard(made_faces *w) {
    cases_close(w->m.c);
    atg_arena_free(w->m.arena);
}

/* ---- what is asked ---- */

static int calibrate(made_faces *w, const actor *who, double cap, face_calibration *ret,
                     atg_err *err) {
    face_calibrate_options o = {.cap = cap, .replicates = 50, .seed = 1};
    face_version version;
    faces_closed closed;
    int rc = faces_version_used(w->m.c, &w->m.operation, &version, err);

    if (!rc)
        rc = faces_closed_cases(w->m.c, who, w->m.arena, &w->m.operation, &version, &closed, err);
    return rc ? rc : faces_calibrate(w->m.c, who, w->m.arena, &closed, &o, ret, err);
}

typedef struct stored {
    made_faces *w;
    face_calibration c; /* to put in */
    faces_kept kept;
    int rc;
} stored;

static int read_stored(db *d, void *user, atg_err *err) {
    stored *s = user;

    s->rc = faces_calibration(d, cases_keys(s->w->m.c), s->w->m.arena, &s->w->m.operation,
                              &s->w->eye.version, &s->kept, err);
    return ATG_OK;
}

static stored read_newest(made_faces *w) {
    stored s = {.w = w};
    atg_err err = {0};

    made_ok(store_read(cases_store(w->m.c), read_stored, &s, &err), &err);
    return s;
}

static record *made_hypothesis(made_faces *w, uint32_t person) {
    record *r = record_new(w->m.arena, RECORD_HYPOTHESIS);
    atg_err err = {0};

    r->operation = w->m.operation;
    r->file = w->remains->id;
    r->fields[HYPOTHESIS_MISSING] = (value){.known = true, .ref = w->missing[person]->id};
    made_ok(made_change(&w->m, &w->m.all, CHANGE_ADD, r, &err), &err);
    return r;
}

/* The one line of faces of a hypothesis after a search. */
static record *line_of(made_faces *w, const record *hypothesis) {
    record *found = NULL;
    uint32_t n;
    seen *all;
    atg_err err = {0};

    made_ok(made_search(w, &w->examiner, &w->pm->id, 0, &n, &err), &err);
    made_ok(cases_file(w->m.c, &w->m.by[ROLE_BOARD], w->m.arena, &w->remains->id, &all, &n, &err),
            &err);
    for (uint32_t i = 0; i < n; i++)
        if (all[i].r->kind == RECORD_EVIDENCE && !all[i].r->withdrawn &&
            uuid_cmp(&all[i].r->fields[EVIDENCE_HYPOTHESIS].ref, &hypothesis->id) == 0) {
            assert_null(found);
            found = all[i].r;
        }
    return found;
}

static void assert_says_nothing(const record *line, const char *words) {
    assert_non_null(line);
    assert_false(line->fields[EVIDENCE_PRIMARY].flag);
    for (uint32_t f = EVIDENCE_LOG10_LR; f <= EVIDENCE_UPPER; f++) {
        assert_true(line->fields[f].known);
        assert_true(line->fields[f].number == 0);
    }
    if (!strstr(line->fields[EVIDENCE_REASON].text.p, words))
        fail_msg("'%s' where '%s' was expected", line->fields[EVIDENCE_REASON].text.p, words);
}

/* ---- tests ---- */

static void too_few_cases_are_refused(const database *where) {
    made_faces *w = open_faces(where);
    face_calibration c;
    actor board = w->m.by[ROLE_BOARD];
    atg_err err = {0};

    board.reason = ATG_STR("thirty cases are closed");
    assert_int_equal(calibrate(w, &board, 0, &c, &err), ATG_EINVAL);
    assert_non_null(strstr(err.msg, "were read yet"));
    made_closed(w, FEW);
    assert_int_equal(calibrate(w, &board, 0, &c, &err), ATG_EINVAL);
    assert_non_null(strstr(err.msg, "there are 5 and 5"));
    assert_false(read_newest(w).kept.found);
    close_unheard(w);
}

static void without_a_calibration_a_face_adds_nothing(const database *where) {
    made_faces *w = open_faces(where);
    record *h, *line;

    made_enrol(w, NULL);
    h = made_hypothesis(w, 2);
    line = line_of(w, h);
    assert_says_nothing(line, "not calibrated");
    /* searching again changes nothing */
    assert_int_equal(line_of(w, h)->rev, line->rev);
    made_faces_close(w);
}

static void closed_cases_weigh_a_face_within_its_cap(const database *where) {
    made_faces *w = open_faces(where);
    actor board = w->m.by[ROLE_BOARD], examiner = w->examiner;
    record *same, *other, *line;
    face_calibration c;
    stored s;
    atg_err err = {0};

    made_closed(w, CLOSED);
    assert_int_equal(calibrate(w, &board, 0, &c, &err), ATG_EDENIED);
    assert_int_equal(calibrate(w, &examiner, 0, &c, &err), ATG_EDENIED);
    board.reason = ATG_STR("thirty cases are closed");
    made_ok(calibrate(w, &board, 0, &c, &err), &err);
    assert_int_equal(c.n_cases, CLOSED);
    assert_int_equal(c.n_false, CLOSED * (CLOSED - 1));
    s = read_newest(w);
    assert_true(s.kept.found && s.kept.calibration.n_knots == c.n_knots &&
                s.kept.calibration.cllr == c.cllr);
    assert_memory_equal(s.kept.calibration.knots, c.knots, c.n_knots * sizeof(*c.knots));

    same = made_hypothesis(w, 2);
    other = made_hypothesis(w, 5);
    line = line_of(w, same);
    assert_true(line->fields[EVIDENCE_LOG10_LR].number > 0);
    assert_true(line->fields[EVIDENCE_UPPER].number <= FACE_CAP);
    assert_false(line->fields[EVIDENCE_PRIMARY].flag);
    line = line_of(w, other);
    assert_true(line->fields[EVIDENCE_LOG10_LR].number < 0);
    assert_true(line->fields[EVIDENCE_LOWER].number >= -FACE_CAP);

    assert_int_equal(calibrate(w, &board, 1.5, &c, &err), ATG_EINVAL);
    made_ok(calibrate(w, &board, 0.25, &c, &err), &err);
    line = line_of(w, same);
    assert_true(line->fields[EVIDENCE_LOG10_LR].number <= 0.25);
    assert_true(line->fields[EVIDENCE_LOG10_LR].number > 0);
    close_unheard(w);
}

static void a_calibration_comes_with_its_plots(const database *where) {
    made_faces *w = open_faces(where);
    actor board = w->m.by[ROLE_BOARD];
    faces_fit_wish wish = {.cap = 0.5, .plots = true};
    faces_fitted f;
    const char *at;
    uint32_t plots = 0;
    atg_err err = {0};

    board.reason = ATG_STR("thirty cases are closed");
    made_closed(w, CLOSED);
    made_ok(faces_fit(w->m.c, &board, w->m.arena, &w->m.operation, &wish, &f, &err), &err);
    assert_true(f.calibration.cap == 0.5 && f.n_operations == 1 && f.n_denied == 0);
    for (at = f.page.p; (at = strstr(at, "<svg")); at++)
        plots++;
    assert_int_equal(plots, 3);
    assert_non_null(strstr(f.page.p, "34 closed cases of 1 operation: 34 pairs of the same "
                                     "person, 1122 of different persons"));
    wish.plots = false;
    made_ok(faces_fit(w->m.c, &board, w->m.arena, &w->m.operation, &wish, &f, &err), &err);
    assert_int_equal(f.page.n, 0);
    close_unheard(w);
}

static void a_calibration_of_another_network_does_not_count(const database *where) {
    made_faces *w = open_faces(where);
    actor board = w->m.by[ROLE_BOARD];
    face_calibration c;
    record *h;
    atg_err err = {0};

    board.reason = ATG_STR("thirty cases are closed");
    made_closed(w, CLOSED);
    made_ok(calibrate(w, &board, 0, &c, &err), &err);
    h = made_hypothesis(w, 2);
    assert_true(line_of(w, h)->fields[EVIDENCE_LOG10_LR].number > 0);
    w->eye.version.pipeline = 2;
    made_enrol(w, NULL);
    assert_false(read_newest(w).kept.found);
    assert_says_nothing(line_of(w, h), "not calibrated");
    close_unheard(w);
}

/* ---- blind ---- */

/* An examiner who concluded on a primary line, and then on the first `n` candidates. */
typedef struct concluding {
    made_faces *w;
    const uuid *hypothesis;
    face_lead *leads;
    uint32_t n;
} concluding;

static record *signed_by(made_faces *w, record_kind kind, uint32_t signer) {
    record *r = record_new(w->m.arena, kind);
    atg_err err = {0};

    made_ok(uuid_new(&r->id, &err), &err);
    r->operation = w->m.operation;
    r->file = w->remains->id;
    r->rev = 1;
    r->fields[signer] = (value){.known = true, .ref = w->examiner.account};
    return r;
}

static int conclude(db *d, void *user, atg_err *err) {
    concluding *k = user;
    record *r = signed_by(k->w, RECORD_COMPARISON, COMPARISON_SIGNER);
    int rc;

    r->fields[COMPARISON_HYPOTHESIS] = (value){.known = true, .ref = *k->hypothesis};
    made_set(k->w->m.arena, r, "line", "ridge");
    made_set(k->w->m.arena, r, "conclusion", "possible");
    rc = k->n ? ATG_OK : records_insert(d, cases_keys(k->w->m.c), r, err);
    for (uint32_t i = 0; i < k->n && !rc; i++) {
        r = signed_by(k->w, RECORD_FACE_COMPARISON, FACE_COMPARISON_SIGNER);
        r->fields[FACE_COMPARISON_CANDIDATE] =
            (value){.known = true, .ref = k->leads[i].record.r->id};
        made_set(k->w->m.arena, r, "support", "no_support");
        made_set(k->w->m.arena, r, "features", "{}");
        rc = records_insert(d, cases_keys(k->w->m.c), r, err);
    }
    return rc;
}

static bool sees_weight(made_faces *w, const record *hypothesis) {
    uint32_t n;
    seen *all;
    atg_err err = {0};

    made_ok(cases_file(w->m.c, &w->examiner, w->m.arena, &w->remains->id, &all, &n, &err), &err);
    for (uint32_t i = 0; i < n; i++)
        if (all[i].r->kind == RECORD_EVIDENCE && !all[i].r->withdrawn &&
            uuid_cmp(&all[i].r->fields[EVIDENCE_HYPOTHESIS].ref, &hypothesis->id) == 0)
            return all[i].r->fields[EVIDENCE_LOG10_LR].known ||
                   all[i].r->fields[EVIDENCE_REASON].known;
    fail_msg("There is no line of faces");
    return false;
}

static void an_examiner_concludes_blind_to_what_a_face_weighs(const database *where) {
    made_faces *w = open_faces(where);
    concluding k = {.w = w};
    record *h;
    uint32_t n;
    atg_err err = {0};

    made_enrol(w, NULL);
    h = made_hypothesis(w, 2);
    assert_non_null(line_of(w, h));
    assert_false(sees_weight(w, h));
    k.hypothesis = &h->id;
    made_ok(store_write(cases_store(w->m.c), conclude, &k, &err), &err);
    assert_false(sees_weight(w, h));
    n = made_leads(w, &w->examiner, &k.leads);
    k.n = n - 1;
    made_ok(store_write(cases_store(w->m.c), conclude, &k, &err), &err);
    assert_false(sees_weight(w, h));
    k.leads += n - 1;
    k.n = 1;
    made_ok(store_write(cases_store(w->m.c), conclude, &k, &err), &err);
    assert_true(sees_weight(w, h));
    close_unheard(w);
}

/* ---- forged ---- */

/* What somebody put into the database. */
static int forge(db *d, void *user, atg_err *err) {
    stored *s = user;
    record *r = record_new(s->w->m.arena, RECORD_FACE_CALIBRATION);
    ATG_AUTO(atg_buf) buf = atg_buf_new(40000);
    char hex[2 * sizeof(s->c.version.model) + 1];
    json j = json_new(buf);
    int rc = uuid_new(&r->id, err);

    faces_calibration_write(&j, &s->c);
    for (size_t i = 0; i < sizeof(s->c.version.model); i++)
        (void)snprintf(&hex[2 * i], 3, "%02x", s->c.version.model[i]);
    r->operation = r->file = s->w->m.operation;
    r->rev = 1;
    r->fields[FACE_CALIBRATION_MODEL] = (value){.known = true, .text = atg_str_of(hex)};
    r->fields[FACE_CALIBRATION_PIPELINE] = (value){.known = true, .number = s->c.version.pipeline};
    r->fields[FACE_CALIBRATION_MADE] = (value){.known = true, .instant = clock_now()};
    r->fields[FACE_CALIBRATION_RESULT].known = true;
    if (!rc)
        rc = atg_buf_take(buf, &r->fields[FACE_CALIBRATION_RESULT].text, err);
    return rc ? rc : records_insert(d, cases_keys(s->w->m.c), r, err);
}

static void nothing_raises_the_cap(const database *where) {
    made_faces *w = open_faces(where);
    stored s = {.w = w,
                .c = {.version = w->eye.version,
                      .cap = 6,
                      .n_cases = 100,
                      .n_others = 100,
                      .n_knots = 2,
                      .knots = {{-1, 5, 5, 5}, {1, 6, 6, 6}}}};
    record *h;
    atg_err err = {0};

    made_enrol(w, NULL);
    h = made_hypothesis(w, 2);
    made_ok(store_write(cases_store(w->m.c), forge, &s, &err), &err);
    assert_int_equal(read_newest(w).rc, ATG_EINVAL);
    assert_says_nothing(line_of(w, h), "not calibrated");
    s.c.cap = 1;
    made_ok(store_write(cases_store(w->m.c), forge, &s, &err), &err);
    assert_true(line_of(w, h)->fields[EVIDENCE_LOG10_LR].number == FACE_CAP);
    close_unheard(w);
}

static void a_stored_calibration_is_read_with_care(const database *where) {
    static const char *const broken[] = {
        "", "[]", "{}", "{\"model\": \"05\"}", "null", "{\"knots\": [[1,2]], \"pipeline\": 1}"};
    face_calibration c = {.cap = 3};

    (void)where;
    for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++) {
        assert_int_equal(faces_calibration_read(atg_str_of(broken[i]), &c, NULL), ATG_EINVAL);
        assert_true(c.cap == 3);
    }
}

/* ---- an organisation ---- */

enum { HALF = 17 };

static void share(made_faces *w, const uuid *with, uint32_t n) {
    record *r = operation_of(w);
    const char *list = "";
    atg_err err = {0};

    for (uint32_t i = 0; i < n; i++) {
        char id[UUID_TEXT + 1];

        uuid_text(&with[i], id);
        list = atg_arena_printf(w->m.arena, "%s%s\"%s\"", list, i ? "," : "", id).p;
    }
    list = atg_arena_printf(w->m.arena, "[%s]", list).p;
    made_set(w->m.arena, r, "shares_with", list);
    made_ok(made_change(&w->m, &w->m.by[ROLE_BOARD], CHANGE_EDIT, r, &err), &err);
}

/* What is done from here on is done in a new operation. */
static uuid next_operation(made_faces *w, const char *name) {
    record *r = made_operation(w->m.arena, name);

    made_add(&w->m, r);
    w->m.operation = r->id;
    return r->id;
}

/* Two operations of seventeen cases each, those of the second with a scope. */
static made_faces *open_two(const database *where, const char *scope, uuid ret[2]) {
    made_faces *w = open_faces(where);

    ret[0] = w->m.operation;
    made_closed(w, HALF);
    ret[1] = next_operation(w, "Landslide K5");
    closed_from(w, HALF, HALF, &(made_how){scope, NULL});
    share(w, &ret[0], 1);
    w->m.operation = ret[0];
    return w;
}

static bool told_in(made_faces *w, const uuid *operation, atg_str what) {
    audit_entry *entries;
    uint32_t n;
    atg_err err = {0};

    made_ok(cases_history(w->m.c, &w->m.by[ROLE_BOARD], w->m.arena, operation, &entries, &n, &err),
            &err);
    for (uint32_t i = 0; i < n; i++)
        if (atg_str_eq(entries[i].e.action, what))
            return true;
    return false;
}

static void cases_of_an_organisation_are_taken_together(const database *where) {
    uuid of[2], third;
    made_faces *w = open_two(where, "sharing_operations", of);
    actor board = w->m.by[ROLE_BOARD];
    face_calibration c;
    stored here, there;
    atg_err err = {0};

    board.reason = ATG_STR("thirty cases are closed");
    /* the second shares with the first, and not the first with it */
    assert_int_equal(calibrate(w, &board, 0, &c, &err), ATG_EINVAL);
    assert_non_null(strstr(err.msg, "there are 17 and 17"));
    share(w, &of[1], 1);
    made_ok(calibrate(w, &board, 0, &c, &err), &err);
    assert_int_equal(c.n_cases, CLOSED);
    assert_int_equal(c.n_false, CLOSED * (CLOSED - 1));
    here = read_newest(w);
    assert_true(here.kept.found && here.kept.n_operations == 2);
    w->m.operation = of[1];
    there = read_newest(w);
    assert_true(there.kept.found && uuid_cmp(&here.kept.id, &there.kept.id) == 0);
    assert_true(told_in(w, &of[0], ATG_STR("faces calibrate")));
    assert_true(told_in(w, &of[1], ATG_STR("faces calibrate")));

    /* one that joins later was not signed for, until it is */
    third = next_operation(w, "Flood K6");
    share(w, of, 2);
    assert_false(read_newest(w).kept.found);
    w->m.operation = of[0];
    share(w, (uuid[]){of[1], third}, 2);
    made_ok(calibrate(w, &board, 0.5, &c, &err), &err);
    w->m.operation = third;
    there = read_newest(w);
    assert_true(there.kept.found && there.kept.calibration.cap == 0.5);

    /* who leaves has none any more */
    share(w, of, 0);
    assert_false(read_newest(w).kept.found);
    close_unheard(w);
}

static void what_is_not_shared_is_not_learnt_from(const database *where) {
    uuid of[2];
    made_faces *w = open_two(where, "operation", of);
    actor board = w->m.by[ROLE_BOARD];
    face_calibration c;
    atg_err err = {0};

    board.reason = ATG_STR("thirty cases are closed");
    share(w, &of[1], 1);
    assert_int_equal(calibrate(w, &board, 0, &c, &err), ATG_EINVAL);
    assert_non_null(strstr(err.msg, "there are 17 and 17"));
    close_unheard(w);
}

static int grant_here(db *d, void *user, atg_err *err) {
    const stored *s = user;
    static const uuid everywhere;
    const uuid *board = &s->w->m.by[ROLE_BOARD].account;
    int rc = accounts_grant(d, board, &everywhere, ROLE_BOARD, false, err);

    return rc ? rc : accounts_grant(d, board, &s->w->m.operation, ROLE_BOARD, true, err);
}

static void nobody_calibrates_where_they_may_not_match(const database *where) {
    uuid of[2];
    made_faces *w = open_two(where, "sharing_operations", of);
    actor board = w->m.by[ROLE_BOARD];
    stored s = {.w = w};
    face_calibration c;
    atg_err err = {0};

    board.reason = ATG_STR("thirty cases are closed");
    share(w, &of[1], 1);
    made_ok(store_write(cases_store(w->m.c), grant_here, &s, &err), &err);
    assert_int_equal(calibrate(w, &board, 0, &c, &err), ATG_EINVAL);
    assert_non_null(strstr(err.msg, "there are 17 and 17"));
    w->m.operation = of[1];
    assert_int_equal(calibrate(w, &board, 0, &c, &err), ATG_EDENIED);
    close_unheard(w);
}

/* A calibration as the program writes them, that names an operation. */
static int name_operation(db *d, void *user, atg_err *err) {
    static const actor matcher = {.name = {"matcher", 7}};
    const stored *s = user;
    record *r = record_new(s->w->m.arena, RECORD_FACE_CALIBRATION);
    change ch = {CHANGE_ADD, r};
    char id[UUID_TEXT + 1];
    cases_batch *b;
    int rc = cases_batch_new(s->w->m.c, d, &matcher, s->w->m.arena, &b, err);

    uuid_text(&s->kept.id, id);
    r->operation = r->file = s->w->m.operation;
    made_set(s->w->m.arena, r, "model", "05");
    made_set(s->w->m.arena, r, "pipeline", "1");
    made_set(s->w->m.arena, r, "result", "{}");
    made_set(s->w->m.arena, r, "operations", atg_arena_printf(s->w->m.arena, "[\"%s\"]", id).p);
    r->fields[FACE_CALIBRATION_MADE_BY] =
        (value){.known = true, .ref = s->w->m.by[ROLE_BOARD].account};
    if (!rc)
        rc = cases_apply(b, &ch, err);
    return rc ? rc : cases_batch_end(b, err);
}

static void a_calibration_names_its_organisation_alone(const database *where) {
    made_faces *w = open_faces(where);
    stored s = {.w = w};
    uuid first = w->m.operation, other = next_operation(w, "Landslide K5");
    atg_err err = {0};

    w->m.operation = first;
    s.kept.id = first;
    made_ok(store_write(cases_store(w->m.c), name_operation, &s, &err), &err);
    s.kept.id = other;
    assert_int_equal(store_write(cases_store(w->m.c), name_operation, &s, &err), ATG_EDENIED);
    assert_non_null(strstr(err.msg, "Rule 5: a calibration of faces counts in operations that "
                                    "share with each other alone"));
    made_faces_close(w);
}

/* ---- rates ---- */

/* Thirty-one of one origin as different hands write it, two of another, and one of none. */
static const char *nationality(uint32_t i) {
    return i < 31 ? (i % 2 ? "COTE D'IVOIRE" : "Côte d'Ivoire") : i < 33 ? "Norway" : NULL;
}

static void rates_are_told_by_what_is_recorded(const database *where) {
    made_faces *w = open_faces(where);
    actor board = w->m.by[ROLE_BOARD], examiner = w->examiner;
    faces_report r;
    atg_err err = {0};

    closed_from(w, 0, CLOSED, &(made_how){NULL, nationality});
    assert_int_equal(faces_report_make(w->m.c, &board, w->m.arena, &w->m.operation, 0.3, &r, &err),
                     ATG_EDENIED);
    assert_int_equal(
        faces_report_make(w->m.c, &examiner, w->m.arena, &w->m.operation, 0.3, &r, &err),
        ATG_EDENIED);
    board.reason = ATG_STR("before the board meets");
    assert_int_equal(faces_report_make(w->m.c, &board, w->m.arena, &w->m.operation, 2, &r, &err),
                     ATG_EINVAL);
    made_ok(faces_report_make(w->m.c, &board, w->m.arena, &w->m.operation, 0.3, &r, &err), &err);
    assert_int_equal(r.n_closed, CLOSED);
    assert_int_equal(r.n_groups, 8);
    assert_string_equal(r.groups[0].by, "all");
    assert_int_equal(r.groups[0].rates.n_cases, CLOSED);
    assert_int_equal(r.groups[0].rates.n_false, CLOSED * (CLOSED - 1));
    assert_int_equal(r.groups[1].rates.n_cases, CLOSED); /* women, all born in 1984 */
    assert_false(r.groups[2].rates.enough);
    assert_true(r.groups[5].rates.enough);
    assert_string_equal(r.groups[7].by, "origin");
    assert_true(atg_str_eq(r.groups[7].name, ATG_STR("Côte d'Ivoire")));
    assert_int_equal(r.groups[7].rates.n_cases, 31);
    assert_int_equal(r.groups[7].rates.n_false, 31 * 30);
    /* who are two are neither named nor measured */
    assert_int_equal(r.few_origins, 1);
    assert_int_equal(r.few_cases, 2);
    assert_int_equal(r.without_origin, 1);
    assert_true(told_in(w, &w->m.operation, ATG_STR("faces report")));
    close_unheard(w);
}

int main(void) {
    static const database_test tests[] = {
        {"too few cases are refused", too_few_cases_are_refused, ON_BOTH},
        {"without a calibration a face adds nothing", without_a_calibration_a_face_adds_nothing,
         ON_BOTH},
        {"closed cases weigh a face within its cap", closed_cases_weigh_a_face_within_its_cap,
         ON_BOTH},
        {"a calibration comes with its plots", a_calibration_comes_with_its_plots, ON_BOTH},
        {"a calibration of another network does not count",
         a_calibration_of_another_network_does_not_count, ON_BOTH},
        {"an examiner concludes blind to what a face weighs",
         an_examiner_concludes_blind_to_what_a_face_weighs, ON_BOTH},
        {"cases of an organisation are taken together", cases_of_an_organisation_are_taken_together,
         ON_BOTH},
        {"what is not shared is not learnt from", what_is_not_shared_is_not_learnt_from, ON_BOTH},
        {"nobody calibrates where they may not match", nobody_calibrates_where_they_may_not_match,
         ON_BOTH},
        {"a calibration names its organisation alone", a_calibration_names_its_organisation_alone,
         ON_BOTH},
        {"rates are told by what is recorded", rates_are_told_by_what_is_recorded, ON_BOTH},
        {"nothing raises the cap", nothing_raises_the_cap, ON_BOTH},
        {"a stored calibration is read with care", a_stored_calibration_is_read_with_care,
         ON_SQLITE},
    };

    return DATABASE_RUN(tests);
}
