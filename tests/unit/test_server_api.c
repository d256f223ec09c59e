/* SPDX-License-Identifier: Apache-2.0 */
/* The API, resource by resource, as clients use it. */
#include "served.h"

#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

#include "app/pictures.h"
#include "app/upkeep.h"
#include "base/file.h"
#include "server/request.h"

#define REMAINS                                                                                    \
    "{\"kind\":\"remains\",\"fields\":{\"tag\":\"K1-7\",\"what\":\"body\",\"found_on\":"           \
    "\"2026-11-03\",\"found_place\":\"Beach\",\"sex\":\"female\",\"age\":[30,45],\"condition\":"   \
    "\"complete\",\"recovered_by\":\"Coast guard\"}}"

enum { PATH = 300 };

static const char *path_of(const served *w, const char *rest) {
    static char path[PATH];
    char id[UUID_TEXT + 1];

    uuid_text(&w->made.operation, id);
    snprintf(path, sizeof(path), "/api/v1/operations/%s%s", id, rest);
    return path;
}

/* Made by somebody with all roles; its code and its place as a record. */
static void make(const served *w, const char *body, char code[64], char place[PATH]) {
    ANSWER_AUTO a = MUST(w, 201, "POST", path_of(w, "/files"), SERVED_ALL, .body = body);

    snprintf(code, 64, "%s", answer_text(&a, "code"));
    snprintf(place, PATH, "/api/v1/records/%s/%s", answer_text(&a, "kind"), answer_text(&a, "id"));
    assert_true(answer_has(&a, "etag: \"1\""));
    assert_true(answer_has(&a, "location: /api/v1/records/"));
}

static const json_t *field_of(const answer *a, const char *name) {
    return json_object_get(json_object_get(json_object_get(a->json, "record"), "fields"), name);
}

static void a_record_is_made_read_and_edited_by_its_revision(const database *where) {
    served w = served_open(where, NULL);
    char code[64], place[PATH];

    make(&w, SERVED_MISSING, code, place);
    ANSWER_AUTO a = MUST(&w, 200, "GET", place, SERVED_ALL, .purpose = "a%20test");
    assert_string_equal(json_string_value(field_of(&a, "family_name")), "Halvorsen");
    assert_true(answer_has(&a, "etag: \"1\""));
    assert_true(answer_has(&a, "antigone-quota: look; left="));
    ANSWER_AUTO same = MUST(&w, 304, "GET", place, SERVED_ALL, .purpose = "a%20test",
                            .header = {"If-None-Match: \"1\""});
    ANSWER_AUTO none =
        MUST(&w, 428, "PATCH", place, SERVED_ALL, .body = "{\"fields\":{\"hair\":\"red\"}}");
    ANSWER_AUTO b = MUST(&w, 200, "PATCH", place, SERVED_ALL,
                         .body = "{\"fields\":{\"hair\":\"red\",\"build\":null}}",
                         .purpose = "a%20test", .header = {"If-Match: \"1\""});
    assert_true(answer_has(&b, "etag: \"2\""));
    ANSWER_AUTO old =
        MUST(&w, 412, "PATCH", place, SERVED_ALL, .body = "{\"fields\":{\"hair\":\"black\"}}",
             .header = {"If-Match: \"1\""});
    ANSWER_AUTO odd = MUST(&w, 412, "PATCH", place, SERVED_ALL,
                           .body = "{\"fields\":{\"hair\":\"black\"}}", .header = {"If-Match: *"});
    ANSWER_AUTO wrong =
        MUST(&w, 422, "PATCH", place, SERVED_ALL, .body = "{\"fields\":{\"colour\":\"black\"}}",
             .header = {"If-Match: \"2\""});
    ANSWER_AUTO c = MUST(&w, 200, "GET", place, SERVED_ALL, .purpose = "a%20test");
    assert_string_equal(json_string_value(field_of(&c, "hair")), "red");
    served_close(&w);
}

static void names_need_the_role_and_for_some_a_purpose(const database *where) {
    served w = served_open(where, NULL);
    char code[64], place[PATH];

    make(&w, SERVED_MISSING, code, place);
    ANSWER_AUTO with = MUST(&w, 200, "GET", place, ROLE_INTERVIEWER);
    assert_non_null(field_of(&with, "family_name"));
    for (int r = 0; r < ROLES; r++) {
        ANSWER_AUTO a = served_ask(&w, &(ask){"GET", place, r});
        ANSWER_AUTO b = served_ask(&w, &(ask){"GET", place, r, .purpose = "to tell the family"});
        const json_t *wanting = json_object_get(a.json, "with_reason");
        bool named = false;

        for (size_t i = 0; i < json_array_size(wanting); i++)
            named |= strcmp(json_string_value(json_array_get(wanting, i)), "family_name") == 0;
        assert_int_equal(a.status, b.status);
        /* what a purpose would show is what it shows */
        assert_int_equal(named, !field_of(&a, "family_name") && field_of(&b, "family_name"));
    }
    served_close(&w);
}

static void a_file_moves_with_a_purpose_and_is_withdrawn(const database *where) {
    served w = served_open(where, NULL);
    char code[64], place[PATH], path[PATH + 20];

    make(&w, REMAINS, code, place);
    snprintf(path, sizeof(path), "%s/state", place);
    ANSWER_AUTO none = MUST(&w, 403, "POST", path, SERVED_ALL, .body = "{\"state\":\"examined\"}",
                            .header = {"If-Match: \"1\""});
    assert_non_null(strstr(none.body, "purpose-required"));
    ANSWER_AUTO done = MUST(&w, 200, "POST", path, SERVED_ALL, .body = "{\"state\":\"examined\"}",
                            .purpose = "examined today", .header = {"If-Match: \"1\""});
    assert_string_equal(answer_text(&done, "state"), "examined");
    ANSWER_AUTO odd = MUST(&w, 422, "POST", path, SERVED_ALL, .body = "{\"state\":\"lost\"}",
                           .purpose = "a test", .header = {"If-Match: \"2\""});
    snprintf(path, sizeof(path), "%s/withdraw", place);
    ANSWER_AUTO quiet = MUST(&w, 403, "POST", path, SERVED_ALL, .header = {"If-Match: \"2\""});
    ANSWER_AUTO gone = MUST(&w, 200, "POST", path, SERVED_ALL, .purpose = "entered twice",
                            .header = {"If-Match: \"2\""});
    snprintf(path, sizeof(path), "/api/v1/files/%s/history", code);
    ANSWER_AUTO history = MUST(&w, 200, "GET", path, SERVED_ALL);
    assert_non_null(strstr(history.body, "entered twice"));
    served_close(&w);
}

static void a_record_stands_in_its_file(const database *where) {
    served w = served_open(where, NULL);
    char code[64], place[PATH], path[PATH];

    make(&w, SERVED_MISSING, code, place);
    snprintf(path, sizeof(path), "/api/v1/files/%s/records", code);
    ANSWER_AUTO mark = MUST(&w, 201, "POST", path, SERVED_ALL,
                            .body = "{\"kind\":\"mark\",\"fields\":{\"kind\":\"tattoo\","
                                    "\"location\":\"left arm\"}}");
    ANSWER_AUTO file = MUST(&w, 422, "POST", path, SERVED_ALL, .body = REMAINS);
    ANSWER_AUTO odd =
        MUST(&w, 400, "POST", path, SERVED_ALL, .body = "{\"kind\":\"nothing\",\"fields\":{}}");
    snprintf(path, sizeof(path), "/api/v1/files/%s", code);
    ANSWER_AUTO all = MUST(&w, 200, "GET", path, SERVED_ALL, .purpose = "a test");
    assert_int_equal(json_array_size(json_object_get(all.json, "records")), 2);
    ANSWER_AUTO none = MUST(&w, 404, "GET", "/api/v1/files/AM-K9-999999", SERVED_ALL);
    served_close(&w);
}

static void a_code_names_a_file_to_who_has_a_role_there(const database *where) {
    served w = served_open(where, NULL);
    char code[64], place[PATH], path[PATH], once[ACCOUNT_ONCE + 1], token[ACCOUNT_TOKEN + 1];
    actor stranger = {.name = ATG_STR("stranger")};
    atg_err err = {0};

    make(&w, SERVED_MISSING, code, place);
    snprintf(path, sizeof(path), "/api/v1/files/%s/name", code);
    ANSWER_AUTO a = MUST(&w, 200, "GET", path, ROLE_MORTUARY);
    assert_string_equal(answer_text(&a, "kind"), "missing");
    assert_non_null(strstr(place, answer_text(&a, "id")));
    assert_false(answer_has(&a, "antigone-quota"));
    made_ok(account_add(w.made.c, &w.made.by[ROLE_ADMINISTRATOR], ATG_STR("Bureau"), stranger.name,
                        once, &stranger.account, &err),
            &err);
    made_ok(account_session_new(w.made.c, &stranger, token, &err), &err);
    ANSWER_AUTO hidden = MUST(&w, 404, "GET", path, SERVED_NOBODY, .token = token);
    ANSWER_AUTO none = MUST(&w, 404, "GET", "/api/v1/files/AM-K3-999999/name", SERVED_ALL);
    snprintf(path, sizeof(path), "/api/v1/files/%s/history", code);
    ANSWER_AUTO history = MUST(&w, 200, "GET", path, SERVED_ALL);
    assert_non_null(strstr(history.body, "everybody"));
    served_close(&w);
}

static void lists_are_given_page_by_page(const database *where) {
    served w = served_open(where, NULL);
    char code[64], place[PATH], path[PATH];
    int pages = 0;
    size_t files = 0;

    for (int i = 0; i < 5; i++)
        make(&w, SERVED_MISSING, code, place);
    snprintf(path, sizeof(path), "%s", path_of(&w, "/files?kind=missing&limit=2"));
    while (*path) {
        ANSWER_AUTO a = MUST(&w, 200, "GET", path, SERVED_ALL);
        const char *link = strcasestr(a.head, "link: <");

        files += json_array_size(json_object_get(a.json, "files"));
        path[0] = '\0';
        if (link)
            sscanf(link, "%*[^<]<%299[^>]", path);
        assert_true(++pages < 5);
    }
    assert_int_equal(pages, 3);
    assert_int_equal(files, 5);
    ANSWER_AUTO found = MUST(&w, 200, "GET", path_of(&w, "/search?kind=missing&q=halvor"),
                             SERVED_ALL, .purpose = "a test");
    assert_int_equal(json_array_size(json_object_get(found.json, "files")), 5);
    ANSWER_AUTO quiet =
        MUST(&w, 200, "POST", path_of(&w, "/search"), SERVED_ALL,
             .body = "{\"kind\":\"missing\",\"q\":\"halvor\",\"limit\":3}", .purpose = "a test");
    assert_int_equal(json_array_size(json_object_get(quiet.json, "files")), 3);
    ANSWER_AUTO unclear = MUST(&w, 422, "POST", path_of(&w, "/search"), SERVED_ALL,
                               .body = "{\"kind\":\"missing\",\"q\":[]}");
    ANSWER_AUTO wide = MUST(&w, 400, "POST", path_of(&w, "/search"), SERVED_ALL,
                            .body = "{\"kind\":\"missing\",\"q\":\"x\",\"limit\":100000}");
    ANSWER_AUTO a = MUST(&w, 400, "GET", path_of(&w, "/files?limit=2"), SERVED_ALL);
    ANSWER_AUTO b = MUST(&w, 400, "GET", path_of(&w, "/files?kind=mark"), SERVED_ALL);
    ANSWER_AUTO c = MUST(&w, 400, "GET", path_of(&w, "/files?kind=missing&limit=0"), SERVED_ALL);
    ANSWER_AUTO d = MUST(&w, 400, "GET", path_of(&w, "/files?kind=missing&after=x"), SERVED_ALL);
    ANSWER_AUTO e = MUST(&w, 400, "GET", path_of(&w, "/files?kind=missing&state=x"), SERVED_ALL);
    served_close(&w);
}

static void who_signs_has_confirmed_who_they_are(const database *where) {
    served w = served_open(where, NULL);
    char code[64], place[PATH], path[PATH];

    make(&w, REMAINS, code, place);
    snprintf(path, sizeof(path), "/api/v1/files/%s/records", code);
    ANSWER_AUTO a = MUST(&w, 403, "POST", path, SERVED_ALL,
                         .body = "{\"kind\":\"comparison\",\"fields\":{\"line\":\"dna\","
                                 "\"conclusion\":\"probable\",\"reason\":\"a test\"}}");
    assert_non_null(strstr(a.body, "confirmation-required"));
    served_close(&w);
}

static void reports_of_one_person_are_merged_and_taken_apart(const database *where) {
    served w = served_open(where, NULL);
    char one[64], other[64], place[PATH], path[PATH], body[100];

    make(&w, SERVED_MISSING, one, place);
    make(&w, SERVED_MISSING, other, place);
    ANSWER_AUTO same = MUST(&w, 200, "GET", path_of(&w, "/duplicates"), SERVED_ALL);
    assert_int_equal(json_array_size(json_object_get(same.json, "duplicates")), 1);
    snprintf(path, sizeof(path), "/api/v1/files/%s/merge", one);
    snprintf(body, sizeof(body), "{\"from\":\"%s\"}", other);
    ANSWER_AUTO why = MUST(&w, 403, "POST", path, SERVED_ALL, .body = body);
    ANSWER_AUTO done =
        MUST(&w, 204, "POST", path, SERVED_ALL, .body = body, .purpose = "the same person");
    snprintf(path, sizeof(path), "/api/v1/files/%s/merged", one);
    ANSWER_AUTO list = MUST(&w, 200, "GET", path, SERVED_ALL);
    assert_int_equal(json_array_size(json_object_get(list.json, "files")), 1);
    snprintf(path, sizeof(path), "/api/v1/files/%s/unmerge", other);
    ANSWER_AUTO apart = MUST(&w, 204, "POST", path, SERVED_ALL, .purpose = "two sisters");
    ANSWER_AUTO leads = MUST(&w, 200, "GET", path_of(&w, "/leads"), SERVED_ALL);
    served_close(&w);
}

static void an_administrator_keeps_accounts(const database *where) {
    served w = served_open(where, NULL);
    int admin = ROLE_ADMINISTRATOR;

    ANSWER_AUTO no = MUST(&w, 403, "POST", "/api/v1/accounts", ROLE_BOARD,
                          .body = "{\"name\":\"bo\",\"agency\":\"Bureau\"}");
    ANSWER_AUTO made = MUST(&w, 201, "POST", "/api/v1/accounts", admin,
                            .body = "{\"name\":\"bo\",\"agency\":\"Bureau\"}");
    assert_int_equal(strlen(answer_text(&made, "password")), ACCOUNT_ONCE);
    ANSWER_AUTO twice = MUST(&w, 409, "POST", "/api/v1/accounts", admin,
                             .body = "{\"name\":\"BO\",\"agency\":\"Bureau\"}");
    ANSWER_AUTO early = MUST(&w, 403, "POST", "/api/v1/accounts/bo/roles", admin,
                             .body = "{\"grant\":[\"board\"]}");
    assert_non_null(strstr(early.body, "confirmation-required"));
    ANSWER_AUTO soon =
        MUST(&w, 403, "POST", "/api/v1/accounts/bo/reset", admin, .body = "{\"lost_code\":true}");
    served_confirm(&w, admin);
    ANSWER_AUTO roles = MUST(&w, 204, "POST", "/api/v1/accounts/bo/roles", admin,
                             .body = "{\"grant\":[\"board\"]}");
    ANSWER_AUTO odd =
        MUST(&w, 422, "POST", "/api/v1/accounts/bo/roles", admin, .body = "{\"grant\":[\"king\"]}");
    ANSWER_AUTO quota = MUST(&w, 204, "POST", "/api/v1/accounts/bo/quota", admin,
                             .body = "{\"kind\":\"look\",\"most\":5}");
    ANSWER_AUTO block = MUST(&w, 204, "POST", "/api/v1/accounts/bo/block", admin);
    ANSWER_AUTO show = MUST(&w, 200, "GET", "/api/v1/accounts/bo", admin);
    assert_true(json_is_true(json_object_get(show.json, "blocked")));
    ANSWER_AUTO again = MUST(&w, 204, "POST", "/api/v1/accounts/bo/unblock", admin);
    ANSWER_AUTO reset =
        MUST(&w, 200, "POST", "/api/v1/accounts/bo/reset", admin, .body = "{\"lost_code\":true}");
    ANSWER_AUTO out = MUST(&w, 204, "DELETE", "/api/v1/accounts/bo/sessions", admin);
    ANSWER_AUTO list = MUST(&w, 200, "GET", "/api/v1/accounts", ROLE_AUDITOR);
    ANSWER_AUTO self = MUST(&w, 403, "POST", "/api/v1/accounts/administrator/roles", admin,
                            .body = "{\"grant\":[\"board\"]}");
    served_close(&w);
}

static void tables_leave_with_a_purpose_and_run_no_formula(const database *where) {
    served w = served_open(where, NULL);
    char code[64], place[PATH];

    make(&w, REMAINS, code, place);
    ANSWER_AUTO set = MUST(&w, 200, "PATCH", place, SERVED_ALL,
                           .body = "{\"fields\":{\"clothing\":\"=HYPERLINK(\\\"x\\\")\"}}",
                           .purpose = "a test", .header = {"If-Match: \"1\""});
    ANSWER_AUTO no = MUST(&w, 403, "GET", path_of(&w, "/export/remains"), SERVED_ALL);
    ANSWER_AUTO early =
        MUST(&w, 403, "GET", path_of(&w, "/export/remains"), SERVED_ALL, .purpose = "a test");
    assert_non_null(strstr(early.body, "confirmation-required"));
    served_confirm(&w, SERVED_ALL);
    ANSWER_AUTO csv =
        MUST(&w, 200, "GET", path_of(&w, "/export/remains"), SERVED_ALL, .purpose = "a test");
    assert_true(answer_has(&csv, "content-type: text/csv"));
    assert_true(answer_has(&csv, "content-disposition: attachment"));
    assert_true(answer_has(&csv, "antigone-quota: export; left="));
    assert_null(strstr(csv.body, ",=HYPERLINK"));
    ANSWER_AUTO odd =
        MUST(&w, 404, "GET", path_of(&w, "/export/nothing"), SERVED_ALL, .purpose = "a test");
    served_close(&w);
}

static void the_history_is_verified_and_signed(const database *where) {
    served w = served_open(where, NULL);

    ANSWER_AUTO no = MUST(&w, 403, "POST", "/api/v1/audit/verify", ROLE_MORTUARY);
    ANSWER_AUTO whole = MUST(&w, 202, "POST", "/api/v1/audit/verify", ROLE_AUDITOR);
    assert_true(answer_has(&whole, "location: /api/v1/jobs/"));
    ANSWER_AUTO note = MUST(&w, 200, "POST", "/api/v1/audit/checkpoint", ROLE_AUDITOR);
    ANSWER_AUTO key = MUST(&w, 200, "GET", "/api/v1/audit/key", ROLE_AUDITOR);
    assert_int_equal(strlen(answer_text(&key, "key")), 64);
    ANSWER_AUTO card = MUST(&w, 200, "GET", "/api/v1/site", ROLE_ADMINISTRATOR);
    ANSWER_AUTO sites = MUST(&w, 200, "GET", "/api/v1/sites", ROLE_ADMINISTRATOR);
    ANSWER_AUTO conflicts = MUST(&w, 200, "GET", path_of(&w, "/conflicts"), SERVED_ALL);
    served_close(&w);
}

#define HISTORY "/api/v1/audit/export"

/* Without the store, with the function of 'antigone audit verify --offline'. */
static audit_report verified_offline(const served *w, const answer *a) {
    verify_wish how = {.threads = 1};
    audit_report report;
    char path[PATH], key[UPKEEP_KEY + 1];
    atg_err err = {0};

    snprintf(path, sizeof(path), "%s/fetched", w->where->directory);
    made_ok(file_write(path, (atg_str){a->body, a->n_body}, &err), &err);
    made_ok(upkeep_key(w->made.c, key, &err), &err);
    made_ok(upkeep_verify_file(path, atg_str_of(key), &how, &report, &err), &err);
    assert_int_equal(unlink(path), 0);
    return report;
}

static void the_history_leaves_for_auditors_after_confirming(const database *where) {
    served w = served_open(where, NULL);
    uint64_t entries = 0;

    ANSWER_AUTO nobody = MUST(&w, 401, "GET", HISTORY, SERVED_NOBODY, .purpose = "a test");
    for (int r = 0; r < ROLES; r++) {
        bool may = r == ROLE_AUDITOR || r == ROLE_BOARD || r == ROLE_ADMINISTRATOR;

        ANSWER_AUTO quiet = MUST(&w, 403, "GET", HISTORY, r);
        assert_non_null(strstr(quiet.body, "purpose-required"));
        ANSWER_AUTO early = MUST(&w, 403, "GET", HISTORY, r, .purpose = "a test");
        assert_non_null(strstr(early.body, "confirmation-required"));
        served_confirm(&w, r);
        ANSWER_AUTO a =
            MUST(&w, may ? 200 : 403, "GET", HISTORY, r, .purpose = "doubts%20of%20the%20ministry");
        if (!may) {
            assert_non_null(strstr(a.body, "problem:denied"));
            continue;
        }
        audit_report report = verified_offline(&w, &a);

        /* the one before is told, and this one */
        assert_true(report.entries == entries + 1 || !entries);
        entries = report.entries;
        assert_non_null(memmem(a.body, a.n_body, "doubts of the ministry", 22));
        assert_non_null(memmem(a.body, a.n_body, "\"what\": \"history\"", 17));
        assert_true(answer_has(&a, "content-type: application/octet-stream"));
        assert_true(answer_has(&a, "content-disposition: attachment"));
        assert_true(answer_has(&a, "antigone-quota: export; left=19"));
        assert_true(answer_has(&a, "cache-control: no-store"));
    }
    served_close(&w);
}

/* How many things lie in the folder where answers wait. */
static size_t things_in(const char *folder) {
    DIR *dir = opendir(folder);
    size_t n = 0;

    assert_non_null(dir);
    while (readdir(dir)) /* NOLINT(concurrency-mt-unsafe): a folder of one thread */
        n++;
    closedir(dir);
    return n;
}

/* Long enough to wait on disk. */
static void make_long_history(const served *w) {
    for (int i = 0; i < 150; i++)
        made_add(&w->made, made_missing(&w->made, "Hansen", "Nora"));
}

static void a_history_is_whole_or_begun_anew(const database *where) {
    served w = served_open(where, NULL);
    size_t things;
    char head[600], some[20000];

    make_long_history(&w);
    served_confirm(&w, SERVED_ALL);
    ANSWER_AUTO a = MUST(&w, 200, "GET", HISTORY, SERVED_ALL, .purpose = "a test");
    assert_true(a.n_body > 100000);
    /* as tables: the next one is another one */
    assert_false(answer_has(&a, "accept-ranges"));
    assert_false(answer_has(&a, "etag"));
    things = things_in(where->directory);
    ANSWER_AUTO part = MUST(&w, 200, "GET", HISTORY, SERVED_ALL, .purpose = "a test",
                            .header = {"Range: bytes=1000-"});
    assert_true(part.n_body > a.n_body);
    (void)verified_offline(&w, &part);
    /* whoever goes away in the middle */
    snprintf(head, sizeof(head),
             "GET " HISTORY " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n"
             "Antigone-Purpose: a%%20test\r\n\r\n",
             w.token[SERVED_ALL]);
    for (int i = 0; i < 3; i++) {
        raw_client *c = raw_open(&w);

        assert_true(raw_send(c, head, strlen(head)));
        assert_true(raw_some(c, some, sizeof(some)) > 0);
        assert_memory_equal(some, "HTTP/1.1 200", 12);
        raw_close(c);
        assert_int_equal(things_in(where->directory), things);
    }
    ANSWER_AUTO last = MUST(&w, 200, "GET", HISTORY, SERVED_ALL, .purpose = "a test");
    (void)verified_offline(&w, &last);
    assert_int_equal(things_in(where->directory), things);
    served_close(&w);
}

static void histories_are_given_so_often_a_day(const database *where) {
    served w = served_open(where, NULL);
    atg_err err = {0};

    served_confirm(&w, ROLE_AUDITOR);
    made_ok(account_quota(w.made.c, &w.made.by[ROLE_ADMINISTRATOR],
                          &w.made.by[ROLE_AUDITOR].account, QUOTA_EXPORT, 1, &err),
            &err);
    ANSWER_AUTO one = MUST(&w, 200, "GET", HISTORY, ROLE_AUDITOR, .purpose = "a test");
    ANSWER_AUTO other = MUST(&w, 429, "GET", HISTORY, ROLE_AUDITOR, .purpose = "a test");
    assert_non_null(strstr(other.body, "problem:quota"));
    ANSWER_AUTO wrong = MUST(&w, 405, "POST", HISTORY, ROLE_AUDITOR, .purpose = "a test");
    served_close(&w);
}

/* The smallest JPEG. */
#define IMAGE                                                                                      \
    "\xff\xd8\xff\xc0\0\x0b\x08\0\2\0\3\1\1\x11\0\xff\xda\0\x08\1\1\0\0\x3f\0\x12\x34"             \
    "\x56\xff\xd9"

static void put_picture(served *w, const char *code, char place[PATH]) {
    record *r = record_new(w->made.arena, RECORD_PHOTOGRAPH);
    file_row file;
    char id[UUID_TEXT + 1];
    atg_err err = {0};

    made_ok(cases_find(w->made.c, w->made.arena, atg_str_of(code), &file, &err), &err);
    r->operation = w->made.operation;
    r->file = file.id;
    made_set(w->made.arena, r, "what", "body");
    made_ok(pictures_put(w->made.c, &w->made.all, r, PHOTOGRAPH_IMAGE, ATG_STR(IMAGE),
                         &r->fields[PHOTOGRAPH_IMAGE], &err),
            &err);
    made_add(&w->made, r);
    uuid_text(&r->id, id);
    snprintf(place, PATH, "/api/v1/records/photograph/%s/picture/image", id);
}

static void a_picture_of_the_dead_is_sealed_until_a_purpose_is_given(const database *where) {
    served w = served_open(where, NULL);
    char code[64], place[PATH], path[PATH];

    make(&w, REMAINS, code, place);
    put_picture(&w, code, place);
    ANSWER_AUTO sealed = MUST(&w, 403, "GET", place, SERVED_ALL);
    assert_non_null(strstr(sealed.body, "problem:sealed"));
    ANSWER_AUTO other = MUST(&w, 403, "GET", place, ROLE_AUDITOR, .purpose = "out of curiosity");
    assert_non_null(strstr(other.body, "problem:denied"));
    ANSWER_AUTO open = MUST(&w, 200, "GET", place, SERVED_ALL, .purpose = "to compare the face");
    assert_int_equal(open.n_body, sizeof(IMAGE) - 1);
    assert_memory_equal(open.body, IMAGE, open.n_body);
    assert_true(answer_has(&open, "content-type: image/jpeg"));
    assert_true(answer_has(&open, "content-disposition: inline; filename=\"photograph-"));
    assert_true(answer_has(&open, "cache-control: no-store"));
    snprintf(path, sizeof(path), "/api/v1/files/%s/history", code);
    ANSWER_AUTO history = MUST(&w, 200, "GET", path, SERVED_ALL);
    assert_non_null(strstr(history.body, "to compare the face"));
    assert_null(strstr(history.body, "out of curiosity"));
    served_close(&w);
}

static void an_operation_is_taken_in_as_json(const database *where) {
    served w = served_open(where, NULL);
    char file[500];
    atg_str bytes;
    atg_err err = {0};

    /* NOLINTNEXTLINE(concurrency-mt-unsafe): nothing changes the environment */
    snprintf(file, sizeof(file), "%s/operation/documented.json", getenv("ATG_CORPUS_DIR"));
    made_ok(file_read(w.made.arena, file, 1 << 20, &bytes, &err), &err);
    const char *path =
        path_of(&w, "/import?agreed_on=2026-11-01&ends_on=2036-11-01&basis=consent&sign=yes");
    ANSWER_AUTO a = MUST(&w, 200, "POST", path, SERVED_ALL, .body = bytes.p, .n_body = bytes.n,
                         .purpose = "the laboratory sent it");
    assert_true(json_integer_value(json_object_get(a.json, "remains")) > 0);
    ANSWER_AUTO odd = MUST(&w, 422, "POST", path, SERVED_ALL, .body = "{\n \"schema\": 1}");
    assert_true(json_integer_value(json_object_get(odd.json, "line")) >= 1);
    served_confirm(&w, SERVED_ALL);
    ANSWER_AUTO out = MUST(&w, 200, "GET", path_of(&w, "/dna?recipient=Bureau&format=csv"),
                           SERVED_ALL, .purpose = "agreed with the bureau");
    assert_true(answer_has(&out, "content-type: text/csv"));
    ANSWER_AUTO who = MUST(&w, 400, "GET", path_of(&w, "/dna"), SERVED_ALL, .purpose = "a test");
    served_close(&w);
}

int main(void) {
    static const database_test tests[] = {
        {"a record is made, read and edited by its revision",
         a_record_is_made_read_and_edited_by_its_revision, ON_BOTH},
        {"names need the role, and for some a purpose", names_need_the_role_and_for_some_a_purpose,
         ON_SQLITE},
        {"a file moves with a purpose, and is withdrawn",
         a_file_moves_with_a_purpose_and_is_withdrawn, ON_BOTH},
        {"a record stands in its file", a_record_stands_in_its_file, ON_SQLITE},
        {"a code names a file to who has a role there", a_code_names_a_file_to_who_has_a_role_there,
         ON_BOTH},
        {"lists are given page by page", lists_are_given_page_by_page, ON_BOTH},
        {"who signs has confirmed who they are", who_signs_has_confirmed_who_they_are, ON_SQLITE},
        {"reports of one person are merged and taken apart",
         reports_of_one_person_are_merged_and_taken_apart, ON_BOTH},
        {"an administrator keeps accounts", an_administrator_keeps_accounts, ON_BOTH},
        {"tables leave with a purpose, and run no formula",
         tables_leave_with_a_purpose_and_run_no_formula, ON_SQLITE},
        {"a picture of the dead is sealed until a purpose is given",
         a_picture_of_the_dead_is_sealed_until_a_purpose_is_given, ON_BOTH},
        {"an operation is taken in as JSON", an_operation_is_taken_in_as_json, ON_BOTH},
        {"the history is verified and signed", the_history_is_verified_and_signed, ON_BOTH},
        {"the history leaves for auditors, after confirming",
         the_history_leaves_for_auditors_after_confirming, ON_BOTH},
        {"a history is whole, or begun anew", a_history_is_whole_or_begun_anew, ON_BOTH},
        {"histories are given so often a day", histories_are_given_so_often_a_day, ON_BOTH},
    };

    curl_global_init(CURL_GLOBAL_DEFAULT);
    return DATABASE_RUN(tests);
}
