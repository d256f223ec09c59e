/* SPDX-License-Identifier: Apache-2.0 */
/* The service as such: TLS, the guard, logging in, what it tells of itself, stopping. */
#include "served.h"

#include <stdio.h>

#include "crypto/code.h"

#define PASSWORD "wagon lilac brave otter"

static void it_says_that_it_is_well_and_sends_strict_headers(const database *where) {
    static const char *const strict[] = {"strict-transport-security: max-age=63072000; include",
                                         "content-security-policy: default-src 'none'",
                                         "object-src 'none'",
                                         "frame-ancestors 'none'",
                                         "base-uri 'none'",
                                         "x-content-type-options: nosniff",
                                         "referrer-policy: no-referrer",
                                         "cache-control: no-store",
                                         "cross-origin-resource-policy: same-origin",
                                         "permissions-policy: "};
    served w = served_open(where, NULL);
    ANSWER_AUTO a = MUST(&w, 200, "GET", "/health", SERVED_NOBODY);
    ANSWER_AUTO b = MUST(&w, 404, "GET", "/nowhere", SERVED_NOBODY);

    assert_string_equal(answer_text(&a, "status"), "well");
    for (size_t i = 0; i < sizeof(strict) / sizeof(*strict); i++) {
        assert_true(answer_has(&a, strict[i]));
        assert_true(answer_has(&b, strict[i]));
    }
    assert_true(answer_has(&b, "content-type: application/problem+json"));
    served_close(&w);
}

static void its_authority_is_made_once_and_may_sign_for_local_names_only(const database *where) {
    static const char *const other[] = {"example.org"};
    served w = served_open(where, NULL);
    char first[100];
    service_options o = {.c = w.made.c, .listen = "127.0.0.1:0", .names = other, .n_names = 1};
    service *s = NULL;
    atg_err err = {0};

    snprintf(first, sizeof(first), "%s", service_fingerprint(w.s));
    assert_int_equal(strlen(first), 95);
    served_stop(&w);
    served_start(&w, NULL);
    assert_string_equal(first, service_fingerprint(w.s));
    served_stop(&w);
    assert_int_equal(service_open(&o, &s, &err), ATG_EDENIED);
    assert_non_null(strstr(err.msg, "may not sign"));
    served_start(&w, NULL);
    ANSWER_AUTO page = MUST(&w, 200, "GET", "/ca", SERVED_NOBODY);
    ANSWER_AUTO crt = MUST(&w, 200, "GET", "/ca.crt", SERVED_NOBODY);

    assert_non_null(strstr(page.body, first));
    assert_non_null(strstr(page.body, "<svg"));
    assert_non_null(strstr(crt.body, "BEGIN CERTIFICATE"));
    served_close(&w);
}

static void somebody_logs_in_renews_and_logs_out(const database *where) {
    served w = served_open(where, NULL);
    uuid id;
    atg_err err = {0};
    char token[ACCOUNT_TOKEN + 1];

    char once[ACCOUNT_ONCE + 1], body[400];

    made_ok(account_add(w.made.c, &w.made.by[ROLE_ADMINISTRATOR], ATG_STR("Bureau"), ATG_STR("bo"),
                        once, &id, &err),
            &err);
    snprintf(body, sizeof(body), "{\"name\":\"bo\",\"password\":\"%s\"}", once);
    ANSWER_AUTO first = MUST(&w, 403, "POST", "/api/v1/session", SERVED_NOBODY, .body = body);
    assert_non_null(strstr(first.body, "password-change-required"));
    snprintf(body, sizeof(body),
             "{\"name\":\"bo\",\"password\":\"%s\",\"new_password\":\"" PASSWORD "\"}", once);
    ANSWER_AUTO set = MUST(&w, 204, "POST", "/api/v1/password", SERVED_NOBODY, .body = body);
    ANSWER_AUTO wrong = MUST(&w, 401, "POST", "/api/v1/session", SERVED_NOBODY,
                             .body = "{\"name\":\"bo\",\"password\":\"not the one\"}");
    ANSWER_AUTO in = MUST(&w, 201, "POST", "/api/v1/session", SERVED_NOBODY,
                          .body = "{\"name\":\"bo\",\"password\":\"" PASSWORD "\"}");

    assert_non_null(strstr(wrong.body, "not-let-in"));
    assert_int_equal(strlen(answer_text(&in, "token")), ACCOUNT_TOKEN);
    assert_int_equal(strlen(answer_text(&in, "device")), ACCOUNT_DEVICE);
    snprintf(token, sizeof(token), "%s", answer_text(&in, "token"));
    ANSWER_AUTO own = MUST(&w, 200, "GET", "/api/v1/session", SERVED_NOBODY, .token = token);
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(own.json, "self"), "name")), "bo");
    ANSWER_AUTO again =
        MUST(&w, 201, "POST", "/api/v1/session/renew", SERVED_NOBODY, .token = token);
    ANSWER_AUTO old = MUST(&w, 401, "GET", "/api/v1/session", SERVED_NOBODY, .token = token);
    snprintf(token, sizeof(token), "%s", answer_text(&again, "token"));
    ANSWER_AUTO no = MUST(&w, 403, "POST", "/api/v1/session/confirm", SERVED_NOBODY, .token = token,
                          .body = "{\"password\":\"not the one\"}");
    ANSWER_AUTO yes = MUST(&w, 200, "POST", "/api/v1/session/confirm", SERVED_NOBODY,
                           .token = token, .body = "{\"password\":\"" PASSWORD "\"}");
    ANSWER_AUTO list = MUST(&w, 200, "GET", "/api/v1/sessions", SERVED_NOBODY, .token = token);
    assert_int_equal(json_array_size(json_object_get(list.json, "sessions")), 1);
    ANSWER_AUTO out = MUST(&w, 204, "DELETE", "/api/v1/session", SERVED_NOBODY, .token = token);
    ANSWER_AUTO gone = MUST(&w, 401, "GET", "/api/v1/session", SERVED_NOBODY, .token = token);
    ANSWER_AUTO all = MUST(&w, 204, "DELETE", "/api/v1/sessions", ROLE_BOARD);
    ANSWER_AUTO gone_too = MUST(&w, 401, "GET", "/api/v1/session", ROLE_BOARD);
    served_close(&w);
}

/* An account of the name bo, and a token of its. */
static void log_in_bo(const served *w, char token[ACCOUNT_TOKEN + 1]) {
    char once[ACCOUNT_ONCE + 1];
    login_request r = {ATG_STR("bo"), {once, ACCOUNT_ONCE}, {NULL, 0}, ATG_STR("here")};
    login_status status;
    uuid id;
    atg_err err = {0};

    made_ok(account_add(w->made.c, &w->made.by[ROLE_ADMINISTRATOR], ATG_STR("Bureau"),
                        ATG_STR("bo"), once, &id, &err),
            &err);
    made_ok(account_password(w->made.c, &r, ATG_STR(PASSWORD), &status, &err), &err);
    ANSWER_AUTO in = MUST(w, 201, "POST", "/api/v1/session", SERVED_NOBODY,
                          .body = "{\"name\":\"bo\",\"password\":\"" PASSWORD "\"}");
    snprintf(token, ACCOUNT_TOKEN + 1, "%s", answer_text(&in, "token"));
}

static void a_token_alone_sets_up_no_codes_and_erases_nobody(const database *where) {
    static const char erasure[] = "/api/v1/persons/00000000-0000-7000-8000-000000000000/erase";
    served w = served_open(where, NULL);
    char token[ACCOUNT_TOKEN + 1];

    log_in_bo(&w, token);
    ANSWER_AUTO no = MUST(&w, 403, "POST", "/api/v1/code", SERVED_NOBODY, .token = token);
    ANSWER_AUTO erase = MUST(&w, 403, "POST", erasure, SERVED_ALL, .purpose = "a test");
    assert_non_null(strstr(no.body, "confirmation-required"));
    assert_non_null(strstr(erase.body, "confirmation-required"));
    ANSWER_AUTO confirm = MUST(&w, 200, "POST", "/api/v1/session/confirm", SERVED_NOBODY,
                               .token = token, .body = "{\"password\":\"" PASSWORD "\"}");
    ANSWER_AUTO yes = MUST(&w, 201, "POST", "/api/v1/code", SERVED_NOBODY, .token = token);
    assert_non_null(strstr(yes.body, "otpauth://"));
    served_close(&w);
}

static void a_token_ends_when_its_time_is_over(const database *where) {
    served w = served_open(where, NULL);
    int64_t now = clock_now();

    ANSWER_AUTO before = MUST(&w, 200, "GET", "/api/v1/session", SERVED_ALL);
    clock_set(now + INT64_C(13) * 3600 * 1000000);
    ANSWER_AUTO after = MUST(&w, 401, "GET", "/api/v1/session", SERVED_ALL);
    assert_true(answer_has(&after, "www-authenticate: bearer"));
    clock_set(-1);
    served_close(&w);
}

typedef struct refused {
    long status;
    ask a;
} refused;

static void what_is_wrong_with_a_request_is_said(const database *where) {
    static const refused cases_of[] = {
        {404, {"GET", "/api/v1/nothing", SERVED_ALL}},
        {404, {"GET", "/health/", SERVED_ALL}},
        {405, {"PUT", "/api/v1/session", SERVED_ALL}},
        {400, {"GET", "/api//v1/session", SERVED_ALL}},
        {400, {"GET", "/api/v1/../v1/session", SERVED_ALL}},
        {400, {"GET", "/api/v1/%2e%2e/session", SERVED_ALL}},
        {400, {"GET", "/api/v1/a%2Fb", SERVED_ALL}},
        {400, {"GET", "/api/v1/a%00b", SERVED_ALL}},
        {400, {"GET", "/api/v1/%zz", SERVED_ALL}},
        {400, {"GET", "/api/v1/%ff", SERVED_ALL}},
        {400, {"GET", "/health?x=1", SERVED_ALL}},
        {401, {"GET", "/api/v1/session", SERVED_NOBODY}},
        {401, {"GET", "/api/v1/session", SERVED_NOBODY, .token = "abc"}},
        {400, {"POST", "/api/v1/session", SERVED_NOBODY, .body = "{"}},
        {400, {"POST", "/api/v1/session", SERVED_NOBODY, .body = "{\"a\":1,\"a\":2}"}},
        {400, {"POST", "/api/v1/session", SERVED_NOBODY}},
        {422, {"POST", "/api/v1/session", SERVED_NOBODY, .body = "[]"}},
        {422, {"POST", "/api/v1/session", SERVED_NOBODY, .body = "{\"name\":\"x\"}"}},
        {422,
         {"POST", "/api/v1/session", SERVED_NOBODY, .body = "{\"name\":1,\"password\":\"x\"}"}},
        {415,
         {"POST", "/api/v1/session", SERVED_NOBODY, .body = "{}",
          .header = {"Content-Type: text/plain"}}},
        {421, {"GET", "/health", SERVED_NOBODY, .header = {"Host: evil.example"}}},
        {403, {"GET", "/health", SERVED_NOBODY, .header = {"Origin: https://evil.example"}}},
        {403, {"GET", "/api/v1/session", SERVED_ALL, .header = {"Sec-Fetch-Site: cross-site"}}},
        {400, {"GET", "/api/v1/session", SERVED_ALL, .body = "{}"}},
        {400, {"GET", "/api/v1/session", SERVED_ALL, .purpose = "%00"}},
    };
    served w = served_open(where, NULL);

    for (size_t i = 0; i < sizeof(cases_of) / sizeof(*cases_of); i++) {
        ANSWER_AUTO a = served_must(&w, cases_of[i].status, &cases_of[i].a);

        assert_true(answer_has(&a, "application/problem+json"));
        assert_int_equal(json_integer_value(json_object_get(a.json, "status")), cases_of[i].status);
    }
    ANSWER_AUTO allow = MUST(&w, 405, "PUT", "/api/v1/session", SERVED_ALL);
    assert_true(answer_has(&allow, "allow: POST, GET, DELETE"));
    ANSWER_AUTO place = MUST(&w, 400, "POST", "/api/v1/session", SERVED_NOBODY, .body = "{\n  x}");
    assert_int_equal(json_integer_value(json_object_get(place.json, "line")), 2);
    served_close(&w);
}

static void a_body_has_a_ceiling(const database *where) {
    served w = served_open(where, NULL);
    atg_str large = made_long(w.made.arena, 100000);

    ANSWER_AUTO a = MUST(&w, 413, "POST", "/api/v1/session", SERVED_NOBODY, .body = large.p);
    ANSWER_AUTO b = MUST(&w, 413, "POST", "/api/v1/session", SERVED_NOBODY, .body = large.p,
                         .header = {"Transfer-Encoding: chunked"});
    served_close(&w);
}

static void counters_are_for_this_machine_and_name_nobody(const database *where) {
    served w = served_open(where, NULL);

    ANSWER_AUTO one = MUST(&w, 200, "GET", "/api/v1/session", SERVED_ALL);
    ANSWER_AUTO a = MUST(&w, 200, "GET", "/metrics", SERVED_NOBODY);
    assert_non_null(
        strstr(a.body, "antigone_requests_total{method=\"GET\",route=\"/api/v1/session\""));
    assert_non_null(strstr(a.body, "antigone_resident_bytes "));
    assert_null(strstr(a.body, "everybody"));
    served_close(&w);
}

static void the_log_has_routes_and_neither_paths_nor_values(const database *where) {
    char *text = NULL;
    size_t n = 0;
    service_options o = {.log = open_memstream(&text, &n)};
    served w = served_open(where, &o);

    ANSWER_AUTO a = MUST(&w, 404, "GET", "/api/v1/secret-path?secret-query=1", SERVED_ALL,
                         .purpose = "secret-purpose");
    ANSWER_AUTO b = MUST(&w, 401, "POST", "/api/v1/session", SERVED_NOBODY,
                         .body = "{\"name\":\"secret-name\",\"password\":\"secret-word\"}");
    served_close(&w);
    fclose(o.log);
    assert_null(strstr(text, "secret"));
    assert_non_null(strstr(text, "\"route\": \"/api/v1/session\""));
    assert_non_null(strstr(text, "\"problem\": \"not-let-in\""));
    free(text);
}

static void whoever_asks_too_often_waits(const database *where) {
    service_options o = {.address_rate = 1, .account_rate = 2};
    served w = served_open(where, &o);
    int refused_anonymous = 0, refused_account = 0;

    for (int i = 0; i < 40; i++) {
        ANSWER_AUTO a = served_ask(&w, &(ask){"GET", "/api/v1/session", SERVED_ALL});

        refused_account += a.status == 429 && answer_has(&a, "ratelimit-remaining: ");
    }
    /* another account is not held up */
    ANSWER_AUTO other = MUST(&w, 200, "GET", "/api/v1/session", ROLE_BOARD);
    for (int i = 0; i < 15; i++) {
        ANSWER_AUTO a = served_ask(&w, &(ask){"GET", "/ca", SERVED_NOBODY});

        refused_anonymous += a.status == 429 && answer_has(&a, "retry-after: ");
    }
    assert_true(refused_anonymous >= 3);
    assert_true(refused_account >= 10);
    /* behind the same address: whose token is good goes on, whoever tries others does not */
    ANSWER_AUTO good = MUST(&w, 200, "GET", "/api/v1/session", ROLE_BOARD);
    ANSWER_AUTO bad = MUST(&w, 429, "GET", "/api/v1/session",
                           .token = "0123456789abcdef0123456789abcdef"
                                    "0123456789abcdef0123456789abcdef");
    served_close(&w);
}

int main(void) {
    static const database_test tests[] = {
        {"it says that it is well, and sends strict headers",
         it_says_that_it_is_well_and_sends_strict_headers, ON_BOTH},
        {"its authority is made once, and may sign for local names only",
         its_authority_is_made_once_and_may_sign_for_local_names_only, ON_SQLITE},
        {"somebody logs in, renews, confirms and logs out", somebody_logs_in_renews_and_logs_out,
         ON_BOTH},
        {"a token alone sets up no codes and erases nobody",
         a_token_alone_sets_up_no_codes_and_erases_nobody, ON_SQLITE},
        {"a token ends when its time is over", a_token_ends_when_its_time_is_over, ON_BOTH},
        {"what is wrong with a request is said", what_is_wrong_with_a_request_is_said, ON_SQLITE},
        {"a body has a ceiling", a_body_has_a_ceiling, ON_SQLITE},
        {"counters are for this machine, and name nobody",
         counters_are_for_this_machine_and_name_nobody, ON_SQLITE},
        {"the log has routes, and neither paths nor values",
         the_log_has_routes_and_neither_paths_nor_values, ON_SQLITE},
        {"whoever asks too often waits", whoever_asks_too_often_waits, ON_SQLITE},
    };

    curl_global_init(CURL_GLOBAL_DEFAULT);
    return DATABASE_RUN(tests);
}
