/* SPDX-License-Identifier: Apache-2.0 */
/* Faces as leads over the API: who may search with what, what examiners are told, and what stands
 * in no answer. */
#include "made_faces.h"
#include "served.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "app/face_checklist.h"
#include "app/rights.h"
#include "base/file.h"

enum { PATH = 300, BODY = 4000, TRIES = 100, NAP_MS = 100 };

typedef struct faced {
    served w;
    made_faces *f;
    char search[PATH], leads[PATH], file[PATH], records[PATH];
} faced;

static void name_of(const uuid *id, const char *before, const char *after, char ret[PATH]) {
    char text[UUID_TEXT + 1];

    uuid_text(id, text);
    snprintf(ret, PATH, "/api/v1/%s%s%s", before, text, after);
}

static faced faced_with(const database *where, const service_options *options) {
    faced t = {.w = served_open(where, options)};

    t.f = made_faces_in(&t.w.made);
    made_recovery(t.f, &t.f->m.all);
    name_of(&t.f->pm->id, "records/photograph/", "/faces", t.search);
    name_of(&t.f->remains->id, "files/", "/faces", t.leads);
    name_of(&t.f->remains->id, "files/", "", t.file);
    name_of(&t.f->remains->id, "files/", "/records", t.records);
    return t;
}

static faced faced_open(const database *where) {
    return faced_with(where, NULL);
}

static long number(const answer *a, const char *key) {
    return (long)json_integer_value(json_object_get(a->json, key));
}

/* Has it a member of this name anywhere? */
static bool tells(const answer *a, const char *name) {
    char member[BODY];

    snprintf(member, sizeof(member), "\"%s\":", name);
    return a->body && strstr(a->body, member);
}

static json_t *candidate(const answer *a, size_t i) {
    return json_object_get(json_array_get(json_object_get(a->json, "candidates"), i), "candidate");
}

static const char *candidate_id(const answer *a, size_t i) {
    json_t *r = json_object_get(candidate(a, i), "record");

    return json_string_value(json_object_get(r, "id"));
}

/* ---- searching ---- */

static void an_examiner_searches_with_a_reason_alone(const database *where) {
    faced t = faced_open(where);
    char other[PATH];

    ANSWER_AUTO unread =
        MUST(&t.w, 422, "POST", t.search, ROLE_EXAMINER, .body = "{}", .purpose = "no papers");
    assert_non_null(strstr(answer_text(&unread, "detail"), "not read yet"));
    made_enrol(t.f, NULL);
    ANSWER_AUTO silent = MUST(&t.w, 403, "POST", t.search, ROLE_EXAMINER, .body = "{}");
    assert_non_null(strstr(answer_text(&silent, "type"), "purpose-required"));
    ANSWER_AUTO denied =
        MUST(&t.w, 403, "POST", t.search, ROLE_MORTUARY, .body = "{}", .purpose = "no papers");
    name_of(&t.f->am[3]->id, "records/photograph/", "/faces", other);
    ANSWER_AUTO living =
        MUST(&t.w, 403, "POST", other, ROLE_EXAMINER, .body = "{}", .purpose = "no papers");
    assert_non_null(strstr(answer_text(&living, "detail"), "never of the missing"));
    ANSWER_AUTO found = MUST(&t.w, 200, "POST", t.search, ROLE_EXAMINER,
                             .body = "{\"best\": 3, \"retouched\": false}", .purpose = "no papers");
    assert_int_equal(number(&found, "candidates"), 3);
    assert_int_equal(number(&found, "among"), MADE_PEOPLE);
    ANSWER_AUTO none = MUST(&t.w, 200, "POST", t.search, ROLE_EXAMINER,
                            .body = "{\"retouched\": true}", .purpose = "no papers");
    assert_int_equal(number(&none, "among"), 0);
    served_close(&t.w);
}

static void who_may_not_learns_nothing_of_what_was_read(const database *where) {
    faced t = faced_open(where);

    /* before any template is there, as after */
    for (int i = 0; i < 2; i++) {
        ANSWER_AUTO denied =
            MUST(&t.w, 403, "POST", t.search, ROLE_MORTUARY, .body = "{}", .purpose = "no papers");
        ANSWER_AUTO job = MUST(&t.w, 403, "POST", t.search, ROLE_MORTUARY, .body = "{}",
                               .purpose = "no papers", .header = {"Prefer: respond-async"});
        made_enrol(t.f, NULL);
    }
    served_close(&t.w);
}

static void a_wish_that_cannot_be_is_refused(const database *where) {
    static const char *const bodies[] = {"{\"best\": 1}",
                                         "{\"best\": 51}",
                                         "{\"best\": 4294967298}",
                                         "{\"best\": \"20\"}",
                                         "{\"retouched\": 1}",
                                         "{\"picture\": \"\"}",
                                         "{\"vector\": [0.1, 0.2]}",
                                         "[]"};
    faced t = faced_open(where);

    made_enrol(t.f, NULL);
    for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
        ANSWER_AUTO a = MUST(&t.w, 422, "POST", t.search, ROLE_EXAMINER, .body = bodies[i],
                             .purpose = "no papers");
    }
    served_close(&t.w);
}

/* Its last answer, once it has ended. */
static answer wait_for(const served *w, const answer *taken, int who) {
    char place[PATH];

    snprintf(place, PATH, "/api/v1/jobs/%s", answer_text(taken, "id"));
    for (int i = 0; i < TRIES; i++) {
        answer a = served_must(w, 200, &(ask){"GET", place, who});

        if (json_is_string(json_object_get(a.json, "ended")))
            return a;
        answer_free(&a);
        nanosleep(&(struct timespec){.tv_nsec = NAP_MS * 1000000L}, NULL);
    }
    fail_msg("%s never ended", place);
    return (answer){.status = 0};
}

static void a_search_can_be_a_job(const database *where) {
    faced t = faced_open(where);

    made_enrol(t.f, NULL);
    ANSWER_AUTO taken = MUST(&t.w, 202, "POST", t.search, ROLE_EXAMINER, .body = "{\"best\": 2}",
                             .purpose = "no papers", .header = {"Prefer: respond-async"});
    ANSWER_AUTO done = wait_for(&t.w, &taken, ROLE_EXAMINER);
    assert_string_equal(answer_text(&done, "state"), "done");
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(done.json, "result"), "candidates")), 2);
    served_close(&t.w);
}

/* ---- what examiners are told ---- */

static void candidates_of(faced *t, int best) {
    char body[BODY];

    made_enrol(t->f, NULL);
    snprintf(body, sizeof(body), "{\"best\": %d}", best);
    ANSWER_AUTO a =
        MUST(&t->w, 200, "POST", t->search, ROLE_EXAMINER, .body = body, .purpose = "no papers");
}

static void conclusion(const char *id, char ret[BODY]) {
    size_t n = (size_t)snprintf(ret, BODY,
                                "{\"kind\": \"face_comparison\", \"fields\": {\"candidate\": "
                                "\"%s\", \"support\": \"limited_support\", \"features\": {",
                                id);

    for (uint32_t i = 0; i < face_features_n; i++)
        n += (size_t)snprintf(ret + n, BODY - n, "%s\"%s\": \"similar\"", i ? ", " : "",
                              face_features[i].name);
    snprintf(ret + n, BODY - n, "}}}");
}

static void examiners_are_blind_until_they_have_signed_all(const database *where) {
    faced t = faced_open(where);
    char body[BODY], one[PATH];

    candidates_of(&t, 2);
    ANSWER_AUTO list = MUST(&t.w, 200, "GET", t.leads, ROLE_EXAMINER);
    assert_int_equal(json_array_size(json_object_get(list.json, "candidates")), 2);
    snprintf(one, PATH, "/api/v1/records/face_candidate/%s", candidate_id(&list, 0));
    ANSWER_AUTO single = MUST(&t.w, 200, "GET", one, ROLE_EXAMINER);
    ANSWER_AUTO whole = MUST(&t.w, 200, "GET", t.file, ROLE_EXAMINER);
    assert_false(tells(&list, "score") || tells(&list, "rank"));
    assert_false(tells(&single, "score") || tells(&single, "rank"));
    assert_false(tells(&whole, "rank"));
    /* whoever does not conclude sees them */
    ANSWER_AUTO open = MUST(&t.w, 200, "GET", t.leads, ROLE_RECONCILER);
    assert_true(tells(&open, "score") && tells(&open, "rank"));

    conclusion(candidate_id(&list, 0), body);
    ANSWER_AUTO first = MUST(&t.w, 403, "POST", t.records, ROLE_EXAMINER, .body = body);
    assert_non_null(strstr(answer_text(&first, "type"), "confirmation-required"));
    served_confirm(&t.w, ROLE_EXAMINER);
    served_confirm(&t.w, ROLE_ODONTOLOGIST);
    ANSWER_AUTO other = MUST(&t.w, 403, "POST", t.records, ROLE_ODONTOLOGIST, .body = body);
    ANSWER_AUTO signed_one = MUST(&t.w, 201, "POST", t.records, ROLE_EXAMINER, .body = body);
    ANSWER_AUTO half = MUST(&t.w, 200, "GET", t.leads, ROLE_EXAMINER);
    assert_false(tells(&half, "score") || tells(&half, "rank"));
    conclusion(candidate_id(&list, 1), body);
    ANSWER_AUTO signed_two = MUST(&t.w, 201, "POST", t.records, ROLE_EXAMINER, .body = body);
    ANSWER_AUTO all = MUST(&t.w, 200, "GET", t.leads, ROLE_EXAMINER);
    assert_true(tells(&all, "score") && tells(&all, "rank"));
    served_close(&t.w);
}

static void candidates_are_of_remains_and_for_who_may_read_them(const database *where) {
    faced t = faced_open(where);
    char missing[PATH];

    candidates_of(&t, 2);
    name_of(&t.f->missing[3]->id, "files/", "/faces", missing);
    ANSWER_AUTO no = MUST(&t.w, 422, "GET", missing, SERVED_ALL);
    ANSWER_AUTO denied = MUST(&t.w, 403, "GET", t.leads, ROLE_INTERVIEWER);
    served_close(&t.w);
}

/* ---- what stands in no answer ---- */

static void template_path(made_faces *f, const record *photograph, char ret[PATH]) {
    seen *all;
    uint32_t n = 0;
    atg_err err = {0};

    ret[0] = '\0';
    made_ok(cases_file(f->m.c, &f->m.all, f->m.arena, &photograph->file, &all, &n, &err), &err);
    for (uint32_t i = 0; i < n; i++)
        if (all[i].r->kind == RECORD_FACE_TEMPLATE &&
            uuid_cmp(&all[i].r->fields[FACE_TEMPLATE_PHOTOGRAPH].ref, &photograph->id) == 0)
            name_of(&all[i].r->id, "records/face_template/", "", ret);
    assert_true(ret[0]);
}

static void no_answer_has_a_template(const database *where) {
    faced t = faced_open(where);
    char paths[6][PATH];

    candidates_of(&t, 2);
    template_path(t.f, t.f->pm, paths[0]);
    template_path(t.f, t.f->am[3], paths[1]);
    memcpy(paths[2], t.file, PATH);
    memcpy(paths[3], t.leads, PATH);
    name_of(&t.f->missing[3]->id, "files/", "", paths[4]);
    name_of(&t.f->remains->id, "files/", "/history", paths[5]);
    for (int i = 0; i < 6; i++)
        for (int who = 0; who <= SERVED_ALL; who++) {
            ANSWER_AUTO a =
                served_ask(&t.w, &(ask){"GET", paths[i], who, .purpose = "a test of what is told"});

            if (who == SERVED_ALL)
                assert_int_equal(a.status, 200);
            if (tells(&a, "vector"))
                fail_msg("%s tells role %d a template", paths[i], who);
        }
    ANSWER_AUTO blind = MUST(&t.w, 200, "GET", paths[5], ROLE_EXAMINER);
    assert_false(tells(&blind, "rank"));
    served_close(&t.w);
}

/* Of every kind: a field that no role may read stands in no schema, every other one does. */
static void no_schema_has_what_nobody_may_read(const database *where) {
    faced t = faced_open(where);
    uint32_t closed = 0;

    ANSWER_AUTO a = MUST(&t.w, 200, "GET", "/api/v1/openapi.json", SERVED_ALL);
    json_t *schemas = json_object_get(json_object_get(a.json, "components"), "schemas");
    for (int k = 0; k < RECORD_KINDS; k++) {
        const json_t *one = json_object_get(
            json_object_get(json_object_get(schemas, record_types[k].name), "properties"),
            "fields");
        const json_t *fields = json_object_get(one, "properties");

        assert_true(json_is_object(fields));
        for (uint32_t f = 0; f < record_types[k].n_fields; f++) {
            bool read = rights_field((1U << ROLES) - 1, (record_kind)k, f) != ACCESS_NONE;

            closed += !read;
            if ((json_object_get(fields, record_types[k].fields[f].name) != NULL) != read)
                fail_msg("%s of %s", record_types[k].fields[f].name, record_types[k].name);
        }
    }
    assert_true(closed > 0);
    assert_false(tells(&a, "vector"));
    served_close(&t.w);
}

static void nobody_enters_a_template_or_a_candidate(const database *where) {
    static const char *const bodies[] = {
        "{\"kind\": \"face_template\", \"fields\": {\"vector\": \"00\"}}",
        "{\"kind\": \"face_template\", \"fields\": {\"outcome\": \"ready\"}}",
        "{\"kind\": \"face_candidate\", \"fields\": {\"rank\": 1}}"};
    faced t = faced_open(where);

    for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
        ANSWER_AUTO a = served_ask(&t.w, &(ask){"POST", t.records, SERVED_ALL, .body = bodies[i],
                                                .purpose = "a test of rights"});

        if (a.status != 403 && a.status != 422)
            fail_msg("%s: %ld", bodies[i], a.status);
    }
    served_close(&t.w);
}

static void the_dead_are_sealed_to_who_compares(const database *where) {
    faced t = faced_open(where);
    char picture[PATH];

    candidates_of(&t, 2);
    name_of(&t.f->pm->id, "records/photograph/", "/picture/image", picture);
    ANSWER_AUTO no = MUST(&t.w, 403, "GET", picture, ROLE_EXAMINER);
    assert_non_null(strstr(answer_text(&no, "type"), "sealed"));
    ANSWER_AUTO opened = MUST(&t.w, 200, "GET", picture, ROLE_EXAMINER, .purpose = "comparing");
    served_close(&t.w);
}

/* ---- reading photographs ---- */

static void an_operator_places_the_landmarks(const database *where) {
    faced t = faced_open(where);
    record *r = made_photograph(&t.f->m, t.f->remains, &t.f->m.by[ROLE_MORTUARY], 2, MADE_SEVERAL);
    char photograph[PATH], template[PATH];
    atg_err err = {0};

    made_ok(made_change(&t.f->m, &t.f->m.by[ROLE_MORTUARY], CHANGE_ADD, r, &err), &err);
    made_enrol(t.f, NULL);
    name_of(&r->id, "records/photograph/", "", photograph);
    template_path(t.f, r, template);
    ANSWER_AUTO several = MUST(&t.w, 200, "GET", template, ROLE_MORTUARY);
    json_t *fields = json_object_get(json_object_get(several.json, "record"), "fields");
    assert_string_equal(json_string_value(json_object_get(fields, "outcome")), "choose_face");
    assert_int_equal(json_array_size(json_object_get(fields, "faces")), 2);
    ANSWER_AUTO bad =
        MUST(&t.w, 422, "PATCH", photograph, ROLE_MORTUARY,
             .body = "{\"fields\": {\"landmarks\": [[1, 2], [3]]}}", .header = {"If-Match: \"1\""});
    assert_true(*answer_text(&bad, "detail"));
    ANSWER_AUTO placed = MUST(
        &t.w, 200, "PATCH", photograph, ROLE_MORTUARY,
        .body = "{\"fields\": {\"landmarks\": [[38, 52], [74, 52], [56, 72], [42, 92], [71, 92]]}}",
        .header = {"If-Match: \"1\""});
    /* a change of who was not shown the picture leaves it where it is */
    name_of(&r->id, "records/photograph/", "/picture/image", photograph);
    ANSWER_AUTO kept = MUST(&t.w, 200, "GET", photograph, ROLE_MORTUARY, .purpose = "a look");
    made_enrol(t.f, NULL);
    ANSWER_AUTO ready = MUST(&t.w, 200, "GET", template, ROLE_MORTUARY);
    fields = json_object_get(json_object_get(ready.json, "record"), "fields");
    assert_string_equal(json_string_value(json_object_get(fields, "outcome")), "ready");
    served_close(&t.w);
}

/* Where a network is found, what was made by the eye of these tests is made anew. */
static void reading_is_a_job_that_says_what_it_lacks(const database *where) {
    faced t = faced_open(where);
    char path[PATH];

    name_of(&t.f->m.operation, "operations/", "/faces/read", path);
    ANSWER_AUTO denied = MUST(&t.w, 403, "POST", path, ROLE_INTERVIEWER);
    ANSWER_AUTO taken = MUST(&t.w, 202, "POST", path, SERVED_ALL);
    assert_string_equal(answer_text(&taken, "kind"), "face_read");
    ANSWER_AUTO done = wait_for(&t.w, &taken, SERVED_ALL);
    if (number(&done, "status") == 200) {
        assert_true(tells(&done, "taken_out"));
    } else {
        json_t *problem = json_object_get(done.json, "problem");

        assert_int_equal(number(&done, "status"), 503);
        assert_string_equal(json_string_value(json_object_get(problem, "type")),
                            "urn:antigone:problem:no-worker");
        assert_true(strlen(json_string_value(json_object_get(problem, "detail"))) > 20);
    }
    served_close(&t.w);
}

/* A network of which a service can say that it is there; nothing could load it. */
static void install_network(const char *folder, const char *kind, const char *rest) {
    char path[2 * PATH], manifest[BODY];
    atg_err err = {0};
    int n = snprintf(manifest, sizeof(manifest),
                     "{\"schema\": \"antigone-face-model/1\", \"name\": \"%s\", \"version\": "
                     "\"1\", \"kind\": \"%s\", \"file\": \"%s.onnx\", \"bytes\": 4, \"sha256\": "
                     "\"%064d\", \"licence\": \"Apache-2.0\", \"trained_on\": \"nothing\", "
                     "\"origin\": \"a test\", \"input\": {\"layout\": \"NCHW\", \"divisor\": 1, "
                     "\"mean\": [0, 0, 0], \"std\": [1, 1, 1], %s}",
                     kind, kind, kind, kind[0], rest);

    snprintf(path, sizeof(path), "%s/%s.json", folder, kind);
    made_ok(file_write(path, (atg_str){manifest, (size_t)n}, &err), &err);
    snprintf(path, sizeof(path), "%s/%s.onnx", folder, kind);
    made_ok(file_write(path, ATG_STR("none"), &err), &err);
}

static void faces_are_read_by_the_program_that_the_service_was_given(const database *where) {
    service_options o = {.worker = "/nonexistent/worker"};
    faced t = faced_with(where, &o);
    char path[PATH], folder[PATH], library[2 * PATH];

    snprintf(folder, PATH, "%s/models", where->directory);
    assert_int_equal(mkdir(folder, 0700), 0);
    install_network(folder, "detector",
                    "\"colour\": \"BGR\", \"multiple_of\": 32}, \"output\": {\"decoder\": "
                    "\"yunet\"}");
    install_network(folder, "embedder",
                    "\"colour\": \"RGB\", \"width\": 112, \"height\": 112, \"alignment\": "
                    "\"arcface\"}, \"output\": {\"dimension\": 48, \"flip_add\": true}");
    snprintf(library, sizeof(library), "%s/embedder.onnx", folder);
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): nobody reads it now */
    setenv("ANTIGONE_ONNXRUNTIME", library, 1);
    setenv("ANTIGONE_MODELS", folder, 1); /* NOLINT(concurrency-mt-unsafe): the same */
    name_of(&t.f->m.operation, "operations/", "/faces/read", path);
    ANSWER_AUTO taken = MUST(&t.w, 202, "POST", path, SERVED_ALL);
    ANSWER_AUTO done = wait_for(&t.w, &taken, SERVED_ALL);
    assert_int_equal(number(&done, "status"), 503);
    if (!strstr(done.body, "/nonexistent/worker"))
        fail_msg("%s", done.body);
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): nor now */
    unsetenv("ANTIGONE_ONNXRUNTIME");
    unsetenv("ANTIGONE_MODELS"); /* NOLINT(concurrency-mt-unsafe): nor now */
    served_close(&t.w);
}

int main(void) {
    static const database_test tests[] = {
        {"an examiner searches with a reason alone", an_examiner_searches_with_a_reason_alone,
         ON_BOTH},
        {"who may not learns nothing of what was read", who_may_not_learns_nothing_of_what_was_read,
         ON_BOTH},
        {"a wish that cannot be is refused", a_wish_that_cannot_be_is_refused, ON_SQLITE},
        {"a search can be a job", a_search_can_be_a_job, ON_BOTH},
        {"examiners are blind until they have signed all",
         examiners_are_blind_until_they_have_signed_all, ON_BOTH},
        {"candidates are of remains and for who may read them",
         candidates_are_of_remains_and_for_who_may_read_them, ON_BOTH},
        {"no answer has a template", no_answer_has_a_template, ON_BOTH},
        {"no schema has what nobody may read", no_schema_has_what_nobody_may_read, ON_SQLITE},
        {"nobody enters a template or a candidate", nobody_enters_a_template_or_a_candidate,
         ON_BOTH},
        {"the dead are sealed to who compares", the_dead_are_sealed_to_who_compares, ON_BOTH},
        {"an operator places the landmarks", an_operator_places_the_landmarks, ON_BOTH},
        {"faces are read by the program that the service was given",
         faces_are_read_by_the_program_that_the_service_was_given, ON_BOTH},
        {"reading is a job that says what it lacks", reading_is_a_job_that_says_what_it_lacks,
         ON_BOTH},
    };

    curl_global_init(CURL_GLOBAL_DEFAULT);
    return DATABASE_RUN(tests);
}
