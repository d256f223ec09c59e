/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs: their states, their events, what came of them, and what becomes of them when the service
 * ends. */
#include "served.h"

#include <stdio.h>
#include <time.h>

#include "app/matcher.h"
#include "app/tasks.h"
#include "base/file.h"

enum { PATH = 200, TEXT = 60000, SHORT_MS = 200, TRIES = 100, NAP_MS = 100 };

static void nap(void) {
    nanosleep(&(struct timespec){.tv_nsec = NAP_MS * 1000000L}, NULL);
}

static const char *word(const answer *a, const char *key) {
    const char *text = json_string_value(json_object_get(a->json, key));

    return text ? text : "";
}

/* Where the answer 202 leads to. */
static void place_of(const answer *a, char ret[PATH]) {
    snprintf(ret, PATH, "/api/v1/jobs/%s", word(a, "id"));
    assert_true(answer_has(a, "location: /api/v1/jobs/"));
}

/* Its last answer, once it is in this state or has this phase. */
static answer wait_for(const served *w, const char *place, int who, const char *what) {
    answer a = {.status = 0};

    for (int i = 0; i < TRIES; i++) {
        a = served_must(w, 200, &(ask){"GET", place, who});
        if (strcmp(word(&a, "state"), what) == 0 || strcmp(word(&a, "phase"), what) == 0)
            return a;
        answer_free(&a);
        nap();
    }
    fail_msg("%s never was '%s'", place, what);
    return a;
}

static long number(const json_t *of, const char *key) {
    return (long)json_integer_value(json_object_get(of, key));
}

static void match_path(const served *w, char ret[PATH]) {
    char id[UUID_TEXT + 1];

    uuid_text(&w->made.operation, id);
    snprintf(ret, PATH, "/api/v1/operations/%s/match", id);
}

/* What a matcher would do, here and now. */
static void run_matcher(const served *w) {
    ATG_AUTO(matcher) m = NULL;
    matcher_done done = {.jobs = 1};
    atg_err err = {0};

    made_ok(matcher_open(w->made.c, &(matcher_options){.threads = 1}, &m, &err), &err);
    while (done.jobs)
        made_ok(matcher_run(m, NULL, &done, &err), &err);
}

static void verifying_is_a_job_that_its_owner_sees(const database *where) {
    served w = served_open(where, NULL);
    char place[PATH];

    ANSWER_AUTO taken = MUST(&w, 202, "POST", "/api/v1/audit/verify", ROLE_AUDITOR);
    place_of(&taken, place);
    assert_string_equal(word(&taken, "kind"), "verify");
    ANSWER_AUTO done = wait_for(&w, place, ROLE_AUDITOR, "done");
    assert_int_equal(number(done.json, "status"), 200);
    assert_true(number(json_object_get(done.json, "result"), "entries") > 0);
    ANSWER_AUTO other = MUST(&w, 404, "GET", place, ROLE_BOARD);
    ANSWER_AUTO no = MUST(&w, 404, "DELETE", place, ROLE_BOARD);
    ANSWER_AUTO list = MUST(&w, 200, "GET", "/api/v1/jobs", ROLE_AUDITOR);
    assert_int_equal(json_array_size(json_object_get(list.json, "jobs")), 1);
    ANSWER_AUTO empty = MUST(&w, 200, "GET", "/api/v1/jobs", ROLE_BOARD);
    assert_int_equal(json_array_size(json_object_get(empty.json, "jobs")), 0);
    /* the end of what has ended changes nothing */
    ANSWER_AUTO late = MUST(&w, 204, "DELETE", place, ROLE_AUDITOR);
    ANSWER_AUTO still = MUST(&w, 200, "GET", place, ROLE_AUDITOR);
    assert_string_equal(word(&still, "state"), "done");
    ANSWER_AUTO odd = MUST(&w, 404, "GET", "/api/v1/jobs/1", ROLE_AUDITOR);
    served_close(&w);
}

static void an_import_is_one_for_whoever_prefers_it(const database *where) {
    served w = served_open(where, NULL);
    char file[500], path[PATH], place[PATH], id[UUID_TEXT + 1];
    atg_str bytes;
    atg_err err = {0};

    /* NOLINTNEXTLINE(concurrency-mt-unsafe): nothing changes the environment */
    snprintf(file, sizeof(file), "%s/operation/documented.json", getenv("ATG_CORPUS_DIR"));
    made_ok(file_read(w.made.arena, file, 1 << 20, &bytes, &err), &err);
    uuid_text(&w.made.operation, id);
    snprintf(path, sizeof(path),
             "/api/v1/operations/%s/import?agreed_on=2026-11-01&ends_on=2036-11-01&basis=consent",
             id);
    ANSWER_AUTO wrong = MUST(&w, 202, "POST", path, SERVED_ALL, .body = "{\n \"schema\": 1}",
                             .header = {"Prefer: wait=10, Respond-Async"});
    place_of(&wrong, place);
    ANSWER_AUTO why = wait_for(&w, place, SERVED_ALL, "failed");
    assert_int_equal(number(why.json, "status"), 422);
    assert_true(number(json_object_get(why.json, "problem"), "line") >= 1);
    ANSWER_AUTO taken = MUST(&w, 202, "POST", path, SERVED_ALL, .body = bytes.p, .n_body = bytes.n,
                             .header = {"Prefer: respond-async"});
    place_of(&taken, place);
    ANSWER_AUTO done = wait_for(&w, place, SERVED_ALL, "done");
    assert_true(number(json_object_get(done.json, "result"), "remains") > 0);
    served_close(&w);
}

/* Follow the stream until the text is there. */
static bool comes(raw_client *c, const char *what, char got[TEXT]) {
    size_t n = strlen(got);

    for (int i = 0; i < TRIES && !strstr(got, what); i++)
        n += raw_read(c, got + n, TEXT - n, SHORT_MS);
    return strstr(got, what) != NULL;
}

static raw_client *follow(const served *w, int who, char got[TEXT]) {
    raw_client *c = raw_open(w);
    char text[600];

    snprintf(text, sizeof(text),
             "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n",
             w->token[who]);
    assert_true(raw_send(c, text, strlen(text)));
    got[0] = '\0';
    assert_true(comes(c, "retry: 3000", got));
    return c;
}

static void a_run_of_the_matcher_tells_how_far_it_is(const database *where) {
    served w = served_open(where, NULL);
    static char got[TEXT], other[TEXT];
    raw_client *own = follow(&w, SERVED_ALL, got), *another = follow(&w, ROLE_BOARD, other);
    char path[PATH], place[PATH];

    match_path(&w, path);
    ANSWER_AUTO no = MUST(&w, 403, "POST", path, ROLE_INTERVIEWER);
    ANSWER_AUTO taken = MUST(&w, 202, "POST", path, SERVED_ALL);
    place_of(&taken, place);
    ANSWER_AUTO waits = wait_for(&w, place, SERVED_ALL, "waiting for a matcher");
    assert_string_equal(word(&waits, "state"), "running");
    assert_true(answer_has(&waits, "retry-after: 1"));
    assert_true(comes(own, "\"phase\": \"waiting for a matcher\"", got));
    run_matcher(&w);
    ANSWER_AUTO done = wait_for(&w, place, SERVED_ALL, "done");
    assert_true(number(json_object_get(done.json, "result"), "compared") >= 1);
    assert_true(comes(own, "\"state\": \"done\"", got));
    assert_non_null(strstr(got, "event: job"));
    assert_null(strstr(other, "event: job"));
    raw_close(own);
    raw_close(another);
    served_close(&w);
}

static void one_that_is_cancelled_ends(const database *where) {
    served w = served_open(where, NULL);
    char path[PATH], place[PATH];

    match_path(&w, path);
    ANSWER_AUTO taken = MUST(&w, 202, "POST", path, SERVED_ALL);
    place_of(&taken, place);
    ANSWER_AUTO waits = wait_for(&w, place, SERVED_ALL, "waiting for a matcher");
    ANSWER_AUTO stop = MUST(&w, 204, "DELETE", place, SERVED_ALL);
    ANSWER_AUTO gone = wait_for(&w, place, SERVED_ALL, "cancelled");
    assert_null(json_object_get(gone.json, "result"));
    served_close(&w);
}

static void one_account_has_so_many_at_once(const database *where) {
    served w = served_open(where, NULL);
    char path[PATH];

    match_path(&w, path);
    for (int i = 0; i < TASKS_OPEN_MAX; i++) {
        ANSWER_AUTO taken = MUST(&w, 202, "POST", path, SERVED_ALL);
    }
    ANSWER_AUTO more = MUST(&w, 429, "POST", path, SERVED_ALL);
    ANSWER_AUTO another = MUST(&w, 202, "POST", "/api/v1/audit/verify", ROLE_AUDITOR);
    served_close(&w);
}

static void a_service_that_is_started_again_goes_on(const database *where) {
    served w = served_open(where, NULL);
    char path[PATH], place[PATH];

    match_path(&w, path);
    ANSWER_AUTO taken = MUST(&w, 202, "POST", path, SERVED_ALL);
    place_of(&taken, place);
    ANSWER_AUTO waits = wait_for(&w, place, SERVED_ALL, "waiting for a matcher");
    served_stop(&w);
    served_start(&w, NULL);
    ANSWER_AUTO again = wait_for(&w, place, SERVED_ALL, "waiting for a matcher");
    run_matcher(&w);
    ANSWER_AUTO done = wait_for(&w, place, SERVED_ALL, "done");
    served_close(&w);
}

/* As a service leaves it that was killed. */
static void leave_one(const served *w, bool again, char place[PATH]) {
    task_wish wish = {.kind = ATG_STR("import"),
                      .ask = ATG_STR("{\"method\":\"POST\",\"target\":\"/api/v1/audit/verify\"}"),
                      .worker = ATG_STR("killed"),
                      .again = again};
    char text[UUID_TEXT + 1];
    uuid id;
    atg_err err = {0};

    made_ok(task_new(w->made.c, &w->made.all, &wish, &id, &err), &err);
    made_ok(task_release(w->made.c, &id, wish.worker, &err), &err);
    uuid_text(&id, text);
    snprintf(place, PATH, "/api/v1/jobs/%s", text);
}

static void what_cannot_be_begun_anew_says_that_it_was_interrupted(const database *where) {
    served w = served_open(where, NULL);
    char lost[PATH], kept[PATH];

    served_stop(&w);
    leave_one(&w, false, lost);
    leave_one(&w, true, kept);
    served_start(&w, NULL);
    ANSWER_AUTO a = wait_for(&w, lost, SERVED_ALL, "failed");
    assert_non_null(strstr(a.body, "problem:interrupted"));
    ANSWER_AUTO b = wait_for(&w, kept, SERVED_ALL, "done");
    served_close(&w);
}

int main(void) {
    static const database_test tests[] = {
        {"verifying is a job that its owner sees", verifying_is_a_job_that_its_owner_sees, ON_BOTH},
        {"an import is one for whoever prefers it", an_import_is_one_for_whoever_prefers_it,
         ON_BOTH},
        {"a run of the matcher tells how far it is", a_run_of_the_matcher_tells_how_far_it_is,
         ON_BOTH},
        {"one that is cancelled ends", one_that_is_cancelled_ends, ON_BOTH},
        {"one account has so many at once", one_account_has_so_many_at_once, ON_SQLITE},
        {"a service that is started again goes on", a_service_that_is_started_again_goes_on,
         ON_BOTH},
        {"what cannot be begun anew says that it was interrupted",
         what_cannot_be_begun_anew_says_that_it_was_interrupted, ON_BOTH},
    };

    curl_global_init(CURL_GLOBAL_DEFAULT);
    return DATABASE_RUN(tests);
}
