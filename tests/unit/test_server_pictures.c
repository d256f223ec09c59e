/* SPDX-License-Identifier: Apache-2.0 */
/* What somebody uploads goes through the worker: pictures, kept clean and shown blurred until a
 * purpose is given, and tables. */
#include "served.h"

#include "worker_pictures.h"

#include <stdio.h>

#include "store/blobs.h"

enum { PATH_SIZE = 300 };

typedef struct scene {
    served w;
    char code[64], place[PATH_SIZE];
} scene;

/* Somebody dead, with a photograph that has no picture yet. */
static scene open_scene(const database *where, const char *program) {
    service_options o = {.worker = program};
    scene s = {.w = served_open(where, &o)};
    char path[PATH_SIZE];
    record *r = made_remains(&s.w.made, "K1-7");

    arena = s.w.made.arena;
    made_add(&s.w.made, r);
    snprintf(s.code, sizeof(s.code), "%.*s", ATG_FMT(r->code));
    snprintf(path, sizeof(path), "/api/v1/files/%s/records", s.code);
    ANSWER_AUTO a = MUST(&s.w, 201, "POST", path, ROLE_MORTUARY,
                         .body = "{\"kind\":\"photograph\",\"fields\":{\"what\":\"body\"}}");
    snprintf(s.place, sizeof(s.place), "/api/v1/records/photograph/%s/picture/image",
             answer_text(&a, "id"));
    return s;
}

static const char *form(const scene *s, const char *name) {
    static char path[PATH_SIZE + 40];

    snprintf(path, sizeof(path), "%s?form=%s", s->place, name);
    return path;
}

static answer put(const scene *s, int who, long status, const char *match, atg_str bytes) {
    return MUST(&s->w, status, "PUT", s->place, who, .body = bytes.p, .n_body = bytes.n,
                .header = {"Content-Type: image/jpeg", match});
}

static const char *corners_of(const answer *a) {
    static quarters q;
    VipsImage *im = opened((atg_str){a->body, a->n_body});

    q = quarters_of(im);
    g_object_unref(im);
    return q.corner;
}

static bool has_word(const answer *a, const char *word) {
    return memmem(a->body, a->n_body, word, strlen(word)) != NULL;
}

static void an_upload_is_kept_upright_with_nothing_but_its_pixels(const database *where) {
    scene s = open_scene(where, worker_program());
    atg_str bytes = turned_file(".jpg", 6);

    ANSWER_AUTO well = MUST(&s.w, 200, "GET", "/health", SERVED_NOBODY);
    assert_true(json_is_true(json_object_get(well.json, "worker")));
    ANSWER_AUTO a = put(&s, ROLE_MORTUARY, 200, "If-Match: \"1\"", bytes);
    assert_true(answer_has(&a, "etag: \"2\""));
    ANSWER_AUTO got = MUST(&s.w, 200, "GET", s.place, ROLE_MORTUARY, .purpose = "to see it");
    assert_true(answer_has(&got, "content-type: image/jpeg"));
    assert_string_equal(corners_of(&got), "brwg");
    assert_false(has_word(&got, "Exif"));
    ANSWER_AUTO png = put(&s, ROLE_MORTUARY, 200, "If-Match: \"2\"", quarters_file(".png"));
    ANSWER_AUTO now = MUST(&s.w, 200, "GET", s.place, ROLE_MORTUARY, .purpose = "to see it");
    assert_true(answer_has(&now, "content-type: image/png"));
    assert_string_equal(corners_of(&now), "rgbw");
    served_close(&s.w);
}

static void what_is_not_opened_is_blurred(const database *where) {
    scene s = open_scene(where, worker_program());
    char path[PATH_SIZE];

    ANSWER_AUTO none = MUST(&s.w, 404, "GET", form(&s, "sealed"), ROLE_AUDITOR);
    ANSWER_AUTO a =
        put(&s, ROLE_MORTUARY, 200, "If-Match: \"1\"", file_of(made_quarters(960, 640), ".png"));
    ANSWER_AUTO full = MUST(&s.w, 403, "GET", form(&s, "full"), ROLE_BOARD);
    assert_true(has_word(&full, "problem:sealed"));
    ANSWER_AUTO small = MUST(&s.w, 403, "GET", form(&s, "thumbnail"), ROLE_BOARD);
    assert_true(has_word(&small, "problem:sealed"));
    ANSWER_AUTO other =
        MUST(&s.w, 403, "GET", form(&s, "thumbnail"), ROLE_AUDITOR, .purpose = "out of curiosity");
    ANSWER_AUTO odd = MUST(&s.w, 400, "GET", form(&s, "huge"), ROLE_BOARD);
    ANSWER_AUTO stranger = MUST(&s.w, 403, "GET", form(&s, "sealed"), ROLE_ADMINISTRATOR);
    for (int k = 0; k < 2; k++) {
        ANSWER_AUTO sealed =
            MUST(&s.w, 200, "GET", form(&s, "sealed"), k ? ROLE_AUDITOR : ROLE_BOARD);

        assert_true(answer_has(&sealed, "content-type: image/jpeg"));
        assert_true(answer_has(&sealed, "cache-control: no-store"));
        assert_string_not_equal(corners_of(&sealed), "rgbw");
    }
    snprintf(path, sizeof(path), "/api/v1/files/%s/history", s.code);
    ANSWER_AUTO before = MUST(&s.w, 200, "GET", path, SERVED_ALL);
    assert_false(has_word(&before, "\"read\""));
    ANSWER_AUTO open =
        MUST(&s.w, 200, "GET", form(&s, "thumbnail"), ROLE_BOARD, .purpose = "to compare the face");
    assert_string_equal(corners_of(&open), "rgbw");
    assert_true(answer_has(&open, "cache-control: no-store"));
    ANSWER_AUTO after = MUST(&s.w, 200, "GET", path, SERVED_ALL);
    assert_true(has_word(&after, "to compare the face"));
    assert_false(has_word(&after, "out of curiosity"));
    served_close(&s.w);
}

/* What is drawn was drawn when it came: who looks needs no worker. */
static void small_and_blurred_pictures_are_kept_and_go_with_the_person(const database *where) {
    scene s = open_scene(where, worker_program());
    service_options without = {.worker = "/nonexistent/worker"};
    blobs b = {cases_store(s.w.made.c), cases_keys(s.w.made.c), cases_directory(s.w.made.c)};
    blob_report before, after;
    file_row file;
    atg_err err = {0};

    ANSWER_AUTO a =
        put(&s, ROLE_MORTUARY, 200, "If-Match: \"1\"", file_of(made_quarters(960, 640), ".png"));
    served_stop(&s.w);
    served_start(&s.w, &without);
    ANSWER_AUTO small =
        MUST(&s.w, 200, "GET", form(&s, "thumbnail"), ROLE_BOARD, .purpose = "to compare the face");
    assert_string_equal(corners_of(&small), "rgbw");
    ANSWER_AUTO sealed = MUST(&s.w, 200, "GET", form(&s, "sealed"), ROLE_AUDITOR);
    assert_string_not_equal(corners_of(&sealed), "rgbw");
    made_ok(blobs_check(&b, &(blob_checking){.tidy = false}, &before, &err), &err);
    assert_int_equal(before.pictures, 3);
    made_ok(cases_find(s.w.made.c, s.w.made.arena, atg_str_of(s.code), &file, &err), &err);
    s.w.made.all.reason = ATG_STR("a test");
    made_ok(cases_erase(s.w.made.c, &s.w.made.all, &file.id, &err), &err);
    made_ok(blobs_check(&b, &(blob_checking){.tidy = false}, &after, &err), &err);
    assert_int_equal(after.pictures + after.erased + after.loose, 0);
    ANSWER_AUTO gone = MUST(&s.w, 404, "GET", form(&s, "sealed"), ROLE_AUDITOR);
    served_close(&s.w);
}

static void an_upload_that_cannot_be_is_refused_and_nothing_is_changed(const database *where) {
    scene s = open_scene(where, worker_program());
    atg_str good = quarters_file(".jpg");

    ANSWER_AUTO reads = put(&s, ROLE_BOARD, 403, "If-Match: \"1\"", good);
    ANSWER_AUTO blind = put(&s, ROLE_LIAISON, 403, "If-Match: \"1\"", good);
    ANSWER_AUTO unread = put(&s, ROLE_MORTUARY, 428, NULL, good);
    ANSWER_AUTO stale = put(&s, ROLE_MORTUARY, 412, "If-Match: \"7\"", good);
    ANSWER_AUTO cut = put(&s, ROLE_MORTUARY, 422, "If-Match: \"1\"", (atg_str){good.p, good.n / 2});
    assert_true(has_word(&cut, "damaged"));
    ANSWER_AUTO text = put(&s, ROLE_MORTUARY, 422, "If-Match: \"1\"", ATG_STR("%PDF-1.7\n%"));
    assert_true(has_word(&text, "PDF"));
    ANSWER_AUTO empty =
        MUST(&s.w, 400, "PUT", s.place, ROLE_MORTUARY, .header = {"If-Match: \"1\""});
    ANSWER_AUTO typed =
        MUST(&s.w, 415, "PUT", s.place, ROLE_MORTUARY, .body = "{}", .header = {"If-Match: \"1\""});
    ANSWER_AUTO still = put(&s, ROLE_MORTUARY, 200, "If-Match: \"1\"", good);
    served_close(&s.w);
}

#define HEAD                                                                                       \
    "external,family_name,given_name,sex,born,last_seen,last_place,informant_name,"                \
    "informant_contact,basis\n"
#define ROW "1,Halvorsen,Liv,female,1984-03-12,2026-11-01,Harbour,Ida Berg,+47 22,consent\n"
#define WRONG "2,Berg,Per,purple,1984-03-12,2026-11-01,Harbour,Ida Berg,+47 22,consent\n"

static void a_table_comes_in_whole_or_says_where_it_is_wrong(const database *where) {
    scene s = open_scene(where, worker_program());
    char path[PATH_SIZE], check[PATH_SIZE + 20], id[UUID_TEXT + 1];

    uuid_text(&s.w.made.operation, id);
    snprintf(path, sizeof(path), "/api/v1/operations/%s/import/missing?source=h.csv", id);
    snprintf(check, sizeof(check), "%s&check=yes", path);
    ANSWER_AUTO odd = MUST(&s.w, 422, "POST", path, ROLE_INTERVIEWER, .body = HEAD ROW WRONG,
                           .header = {"Content-Type: text/csv"});
    assert_int_equal(json_integer_value(json_object_get(odd.json, "line")), 3);
    assert_int_equal(json_integer_value(json_object_get(odd.json, "column")), 12);
    ANSWER_AUTO list = MUST(&s.w, 200, "POST", check, ROLE_INTERVIEWER, .body = HEAD WRONG,
                            .header = {"Content-Type: text/csv; charset=utf-8"});
    assert_true(json_array_size(json_object_get(list.json, "problems")) > 0);
    assert_int_equal(made_count(&s.w.made), 0);
    ANSWER_AUTO reads = MUST(&s.w, 403, "POST", path, ROLE_AUDITOR, .body = HEAD ROW,
                             .header = {"Content-Type: text/csv"});
    ANSWER_AUTO done = MUST(&s.w, 200, "POST", path, ROLE_INTERVIEWER, .body = HEAD ROW,
                            .header = {"Content-Type: text/csv"});
    assert_int_equal(json_integer_value(json_object_get(done.json, "added")), 1);
    ANSWER_AUTO again = MUST(&s.w, 200, "POST", path, ROLE_INTERVIEWER, .body = HEAD ROW,
                             .header = {"Content-Type: text/csv"});
    assert_int_equal(json_integer_value(json_object_get(again.json, "same")), 1);
    assert_int_equal(made_count(&s.w.made), 1);
    served_close(&s.w);
}

static void without_a_worker_uploads_alone_are_refused(const database *where) {
    scene s = open_scene(where, "/nonexistent/antigone-worker");

    ANSWER_AUTO well = MUST(&s.w, 200, "GET", "/health", SERVED_NOBODY);
    assert_true(json_is_false(json_object_get(well.json, "worker")));
    ANSWER_AUTO a = put(&s, ROLE_MORTUARY, 503, "If-Match: \"1\"", quarters_file(".jpg"));
    assert_true(has_word(&a, "problem:no-worker"));
    assert_true(has_word(&a, "antigone doctor"));
    served_close(&s.w);
}

int main(void) {
    static const database_test tests[] = {
        {"an upload is kept upright, with nothing but its pixels",
         an_upload_is_kept_upright_with_nothing_but_its_pixels, ON_BOTH},
        {"small and blurred pictures are kept, and go with the person",
         small_and_blurred_pictures_are_kept_and_go_with_the_person, ON_BOTH},
        {"what is not opened is blurred", what_is_not_opened_is_blurred, ON_BOTH},
        {"an upload that cannot be is refused, and nothing is changed",
         an_upload_that_cannot_be_is_refused_and_nothing_is_changed, ON_SQLITE},
        {"a table comes in whole, or says where it is wrong",
         a_table_comes_in_whole_or_says_where_it_is_wrong, ON_BOTH},
        {"without a worker uploads alone are refused", without_a_worker_uploads_alone_are_refused,
         ON_SQLITE},
    };
    int failed;

    curl_global_init(CURL_GLOBAL_DEFAULT);
    if (VIPS_INIT("test"))
        return 1;
    failed = DATABASE_RUN(tests);
    vips_shutdown();
    return failed;
}
