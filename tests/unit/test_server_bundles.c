/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles over the network: opened on receipt, made and fetched in parts. */
#include "served.h"

#include "two_sites.h"
#include "workers.h"

#include "base/file.h"

#include <signal.h>

enum { PATH_SIZE = 600, BODY_SIZE = 300, FILE_MAX = 64 << 20 };

/* The service of one site, and another site that knows it. */
typedef struct scene {
    served w;
    place other;
    char path[300]; /* for files */
} scene;

static scene scene_open(const database *where) {
    service_options o = {.worker = worker_program()};
    scene s = {.w = served_open(where, &o), .other = place_new(where, 2)};
    place here = {.c = s.w.made.c, .arena = s.w.made.arena, .all = s.w.made.all};

    snprintf(here.name, sizeof(here.name), "Institute K3");
    place_operation(&s.other);
    place_meets(&s.other, &here, SITE_OWN, &s.other.operation);
    place_meets(&here, &s.other, SITE_OWN, NULL);
    snprintf(s.path, sizeof(s.path), "%s/bundle", s.other.where.directory);
    return s;
}

static void scene_close(scene *s) {
    place_close(&s->other);
    served_close(&s->w);
}

/* What the other site makes for this one. */
static atg_str made_there(const scene *s) {
    place here = {.c = s->w.made.c};
    atg_str bytes;
    atg_err err = {0};

    snprintf(here.name, sizeof(here.name), "Institute K3");
    place_make(&s->other, &here, s->path);
    made_ok(file_read(s->w.made.arena, s->path, FILE_MAX, &bytes, &err), &err);
    unlink(s->path);
    return bytes;
}

static void upload_as(const served *w, int who, atg_str bytes, char ret[UUID_TEXT + 1]) {
    char body[BODY_SIZE], path[PATH_SIZE];

    snprintf(body, sizeof(body), "{\"for\":\"bundle\",\"length\":%zu}", bytes.n);
    ANSWER_AUTO a = MUST(w, 201, "POST", "/api/v1/uploads", who, .body = body);
    snprintf(ret, UUID_TEXT + 1, "%.36s", answer_text(&a, "id"));
    snprintf(path, sizeof(path), "/api/v1/uploads/%s", ret);
    ANSWER_AUTO b =
        MUST(w, 200, "PATCH", path, who, .body = bytes.p, .n_body = bytes.n,
             .header = {"Content-Type: application/partial-upload", "Upload-Offset: 0"});
}

static answer open_as(const served *w, int who, long status, atg_str bytes) {
    char path[PATH_SIZE], id[UUID_TEXT + 1];

    upload_as(w, who, bytes, id);
    snprintf(path, sizeof(path), "/api/v1/bundles?upload=%s", id);
    return MUST(w, status, "POST", path, who, .purpose = "sites exchange");
}

static int64_t count(const answer *a, const char *what) {
    return json_integer_value(json_object_get(a->json, what));
}

static size_t files_left(const scene *s) {
    char command[PATH_SIZE], text[32] = "";
    FILE *p;

    snprintf(command, sizeof(command), "ls %s/uploads | grep -c bundle", s->w.where->directory);
    p = popen(command, "re"); /* NOLINT(cert-env33-c) */
    assert_non_null(p);
    assert_non_null(fgets(text, sizeof(text), p));
    pclose(p);
    return strtoul(text, NULL, 10);
}

static void a_bundle_that_was_uploaded_is_opened(const database *where) {
    scene s = scene_open(where);
    record *missing = place_missing(&s.other, "Hansen", "Nora");
    atg_str bytes = made_there(&s);
    char path[PATH_SIZE], id[UUID_TEXT + 1];

    upload_as(&s.w, SERVED_ALL, bytes, id);
    snprintf(path, sizeof(path), "/api/v1/bundles?upload=%s", id);
    ANSWER_AUTO quiet = MUST(&s.w, 403, "POST", path, SERVED_ALL);
    ANSWER_AUTO mortuary =
        MUST(&s.w, 403, "POST", path, ROLE_MORTUARY, .purpose = "out of interest");
    ANSWER_AUTO a = MUST(&s.w, 200, "POST", path, SERVED_ALL, .purpose = "sites exchange");
    assert_int_equal(count(&a, "added"), 2);
    assert_string_equal(answer_text(&a, "from"), "Institute K2");
    ANSWER_AUTO gone = MUST(&s.w, 404, "POST", path, SERVED_ALL, .purpose = "sites exchange");
    snprintf(path, sizeof(path), "/api/v1/files/%.*s", ATG_FMT(missing->code));
    ANSWER_AUTO file = MUST(&s.w, 200, "GET", path, SERVED_ALL, .purpose = "to see it");
    ANSWER_AUTO again = open_as(&s.w, SERVED_ALL, 200, bytes);
    assert_true(json_is_true(json_object_get(again.json, "before")));
    assert_int_equal(files_left(&s), 0);
    scene_close(&s);
}

static void a_bundle_that_is_damaged_is_not_opened(const database *where) {
    scene s = scene_open(where);
    atg_str bytes;
    char *odd;

    place_missing(&s.other, "Hansen", "Nora");
    bytes = made_there(&s);
    odd = malloc(bytes.n);
    for (size_t i = 0; i < 3; i++) {
        memcpy(odd, bytes.p, bytes.n);
        odd[bytes.n * (i + 1) / 4] ^= 1;
        ANSWER_AUTO a = open_as(&s.w, SERVED_ALL, 422, (atg_str){odd, bytes.n});
    }
    ANSWER_AUTO cut = open_as(&s.w, SERVED_ALL, 422, (atg_str){bytes.p, bytes.n - 1});
    assert_non_null(strstr(cut.body, "copy it again"));
    ANSWER_AUTO text = open_as(&s.w, SERVED_ALL, 422, ATG_STR("these are the names of the dead"));
    assert_int_equal(files_left(&s), 0);
    free(odd);
    scene_close(&s);
}

/* In three parts, as after two breaks. */
static char *fetch(const scene *s, const char *path, size_t size) {
    char *all = malloc(size), range[60];

    for (size_t at = 0; at < size; at += size / 3 + 1) {
        size_t last = at + size / 3 < size - 1 ? at + size / 3 : size - 1;

        snprintf(range, sizeof(range), "Range: bytes=%zu-%zu", at, last);
        ANSWER_AUTO a = MUST(&s->w, 206, "GET", path, SERVED_ALL, .header = {range});
        assert_int_equal(a.n_body, last - at + 1);
        memcpy(all + at, a.body, a.n_body);
    }
    return all;
}

static void a_bundle_is_made_and_fetched_in_parts(const database *where) {
    scene s = scene_open(where);
    char path[PATH_SIZE], operation[UUID_TEXT + 1];
    record *missing = place_missing(&s.other, "Hansen", "Nora");
    bundle_opened opened;
    char *fetched;
    atg_err err = {0};

    ANSWER_AUTO in = open_as(&s.w, SERVED_ALL, 200, made_there(&s));
    uuid_text(&s.other.operation, operation);
    snprintf(path, sizeof(path), "/api/v1/files/%.*s/records", ATG_FMT(missing->code));
    ANSWER_AUTO mark = MUST(&s.w, 201, "POST", path, SERVED_ALL,
                            .body = "{\"kind\":\"mark\",\"fields\":{\"kind\":\"tattoo\","
                                    "\"location\":\"left arm\"}}");
    snprintf(path, sizeof(path), "/api/v1/operations/%s/sites/Institute%%20K2", operation);
    ANSWER_AUTO join = MUST(&s.w, 204, "PUT", path, SERVED_ALL, .purpose = "sites exchange");
    snprintf(path, sizeof(path), "/api/v1/operations/%s/bundles?to=Institute%%20K2&all=yes",
             operation);
    ANSWER_AUTO unsure = MUST(&s.w, 403, "POST", path, SERVED_ALL, .purpose = "sites exchange");
    assert_non_null(strstr(unsure.body, "confirmation-required"));
    served_confirm(&s.w, SERVED_ALL);
    served_confirm(&s.w, ROLE_MORTUARY);
    ANSWER_AUTO no = MUST(&s.w, 403, "POST", path, ROLE_MORTUARY, .purpose = "sites exchange");
    ANSWER_AUTO made = MUST(&s.w, 201, "POST", path, SERVED_ALL, .purpose = "sites exchange");
    assert_int_equal(files_left(&s), 0);
    snprintf(path, sizeof(path), "/api/v1/uploads/%s/content", answer_text(&made, "upload"));
    ANSWER_AUTO other = MUST(&s.w, 404, "GET", path, ROLE_BOARD);
    ANSWER_AUTO whole = MUST(&s.w, 200, "GET", path, SERVED_ALL);
    assert_int_equal(whole.n_body, count(&made, "length"));
    fetched = fetch(&s, path, whole.n_body);
    assert_memory_equal(fetched, whole.body, whole.n_body);
    made_ok(file_write(s.path, (atg_str){fetched, whole.n_body}, &err), &err);
    opened = place_open(&s.other, s.path);
    assert_int_equal(opened.added, 1);
    free(fetched);
    scene_close(&s);
}

int main(void) {
    static const database_test tests[] = {
        {"a bundle that was uploaded is opened", a_bundle_that_was_uploaded_is_opened, ON_BOTH},
        {"a bundle that is damaged is not opened", a_bundle_that_is_damaged_is_not_opened,
         ON_SQLITE},
        {"a bundle is made, and fetched in parts", a_bundle_is_made_and_fetched_in_parts, ON_BOTH},
    };

    curl_global_init(CURL_GLOBAL_DEFAULT);
    signal(SIGPIPE, SIG_IGN);
    return DATABASE_RUN(tests);
}
