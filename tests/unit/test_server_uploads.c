/* SPDX-License-Identifier: Apache-2.0 */
/* Uploads in pieces, and the bad days they have: connections that break off, two who write at once,
 * ceilings, a full disk, a service that is started again. */
#include "served.h"

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { PATH = 300, LONG = 1000003, TEXT = 4096, WRITERS = 8 };

#define PIECE "Content-Type: application/partial-upload"

static char *bytes_of(size_t n) {
    char *p = malloc(n);
    atg_rng rng = atg_rng_seed(n);

    for (size_t i = 0; i < n; i++)
        p[i] = (char)atg_rng_below(&rng, 256);
    return p;
}

static void hex_of(const char *bytes, size_t n, char ret[65]) {
    unsigned char sum[32];

    crypto_hash_sha256(sum, (const unsigned char *)bytes, n);
    sodium_bin2hex(ret, 65, sum, sizeof(sum));
}

static answer begin_as(const served *w, int who, long status, const char *body) {
    return MUST(w, status, "POST", "/api/v1/uploads", who, .body = body);
}

/* One for a bundle, of the board; its path. */
static void begin(const served *w, size_t length, const char *sha256, char ret[PATH]) {
    char body[TEXT];

    snprintf(body, sizeof(body), "{\"for\":\"bundle\",\"length\":%zu%s%s%s}", length,
             sha256 ? ",\"sha256\":\"" : "", sha256 ? sha256 : "", sha256 ? "\"" : "");
    ANSWER_AUTO a = begin_as(w, ROLE_BOARD, 201, body);
    assert_true(answer_has(&a, "location: /api/v1/uploads/"));
    assert_true(answer_has(&a, "upload-offset: 0\r\n"));
    assert_true(answer_has(&a, "upload-limit: max-size="));
    assert_true(answer_has(&a, "antigone-quota: upload; left="));
    snprintf(ret, PATH, "/api/v1/uploads/%s", answer_text(&a, "id"));
}

static answer send_at(const served *w, const char *path, long status, size_t offset,
                      const char *bytes, size_t n) {
    char head[60];

    snprintf(head, sizeof(head), "Upload-Offset: %zu", offset);
    return MUST(w, status, "PATCH", path, ROLE_BOARD, .body = bytes, .n_body = n,
                .header = {PIECE, head});
}

static size_t offset_of(const served *w, const char *path) {
    ANSWER_AUTO a = MUST(w, 200, "HEAD", path, ROLE_BOARD);
    const char *at = strcasestr(a.head, "upload-offset: ");

    assert_non_null(at);
    return strtoul(at + 15, NULL, 10);
}

/* Until it is at `least`, which a cut connection reaches a moment later. */
static size_t wait_for(const served *w, const char *path, size_t least) {
    size_t at = 0;

    for (int k = 0; k < 200 && (at = offset_of(w, path)) < least; k++)
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    return at;
}

static void an_upload_comes_in_pieces_and_is_whole(const database *where) {
    served w = served_open(where, NULL);
    char *bytes = bytes_of(LONG), path[PATH], sum[65];

    hex_of(bytes, LONG, sum);
    begin(&w, LONG, sum, path);
    ANSWER_AUTO nothing = send_at(&w, path, 200, 0, "", 0);
    ANSWER_AUTO a = send_at(&w, path, 200, 0, bytes, 400000);
    assert_true(answer_has(&a, "upload-offset: 400000\r\n"));
    assert_true(answer_has(&a, "upload-complete: ?0"));
    assert_int_equal(offset_of(&w, path), 400000);
    ANSWER_AUTO b = send_at(&w, path, 200, 400000, bytes + 400000, 1);
    ANSWER_AUTO c = send_at(&w, path, 200, 400001, bytes + 400001, LONG - 400001);
    assert_true(answer_has(&c, "upload-complete: ?1"));
    assert_true(json_is_true(json_object_get(c.json, "complete")));
    ANSWER_AUTO list = MUST(&w, 200, "GET", "/api/v1/uploads", ROLE_BOARD);
    assert_int_equal(json_array_size(json_object_get(list.json, "uploads")), 1);
    ANSWER_AUTO gone = MUST(&w, 204, "DELETE", path, ROLE_BOARD);
    ANSWER_AUTO none = MUST(&w, 404, "HEAD", path, ROLE_BOARD);
    ANSWER_AUTO twice = MUST(&w, 404, "DELETE", path, ROLE_BOARD);
    free(bytes);
    served_close(&w);
}

static void nobody_else_sees_an_upload(const database *where) {
    served w = served_open(where, NULL);
    char path[PATH];

    begin(&w, 10, NULL, path);
    for (int who = 0; who < ROLES; who++) {
        if (who == ROLE_BOARD)
            continue;
        ANSWER_AUTO a = MUST(&w, 404, "GET", path, who);
        ANSWER_AUTO b = MUST(&w, 404, "DELETE", path, who);
        ANSWER_AUTO c = MUST(&w, 404, "PATCH", path, who, .body = "0123456789",
                             .header = {PIECE, "Upload-Offset: 0"});
        ANSWER_AUTO d = MUST(&w, 200, "GET", "/api/v1/uploads", who);
        assert_int_equal(json_array_size(json_object_get(d.json, "uploads")), 0);
    }
    assert_int_equal(offset_of(&w, path), 0);
    served_close(&w);
}

static void what_cannot_be_is_refused_before_it_comes(const database *where) {
    served w = served_open(where, NULL);
    char path[PATH];

    ANSWER_AUTO auditor = begin_as(&w, ROLE_AUDITOR, 403, "{\"for\":\"table\",\"length\":5}");
    ANSWER_AUTO use = begin_as(&w, ROLE_BOARD, 422, "{\"for\":\"film\",\"length\":5}");
    ANSWER_AUTO none = begin_as(&w, ROLE_BOARD, 422, "{\"for\":\"table\",\"length\":0}");
    ANSWER_AUTO text = begin_as(&w, ROLE_BOARD, 422, "{\"for\":\"table\",\"length\":\"5\"}");
    ANSWER_AUTO sum =
        begin_as(&w, ROLE_BOARD, 422, "{\"for\":\"table\",\"length\":5,\"sha256\":\"00\"}");
    ANSWER_AUTO large = begin_as(&w, ROLE_BOARD, 413, "{\"for\":\"table\",\"length\":67108865}");
    ANSWER_AUTO liaison =
        begin_as(&w, ROLE_LIAISON, 413, "{\"for\":\"bundle\",\"length\":67108865}");
    begin(&w, 10, NULL, path);
    ANSWER_AUTO long_one = send_at(&w, path, 413, 0, "01234567890", 11);
    ANSWER_AUTO elsewhere = send_at(&w, path, 409, 1, "0123", 4);
    assert_non_null(strstr(elsewhere.body, "problem:offset"));
    assert_true(answer_has(&elsewhere, "upload-offset: 0\r\n"));
    ANSWER_AUTO odd = MUST(&w, 400, "PATCH", path, ROLE_BOARD, .body = "x",
                           .header = {PIECE, "Upload-Offset: -1"});
    ANSWER_AUTO unsaid = MUST(&w, 400, "PATCH", path, ROLE_BOARD, .body = "x", .header = {PIECE});
    ANSWER_AUTO type = MUST(&w, 415, "PATCH", path, ROLE_BOARD, .body = "{}",
                            .header = {"Content-Type: application/json", "Upload-Offset: 0"});
    assert_int_equal(offset_of(&w, path), 0);
    /* the length is not said beforehand, and is too much */
    ANSWER_AUTO chunked = MUST(&w, 413, "PATCH", path, ROLE_BOARD, .body = "01234567890",
                               .header = {PIECE, "Upload-Offset: 0", "Transfer-Encoding: chunked"});
    assert_int_equal(offset_of(&w, path), 0);
    served_close(&w);
}

static void an_account_has_only_so_much_waiting(const database *where) {
    served w = served_open(where, NULL);
    char path[PATH];
    ANSWER_AUTO a = begin_as(&w, ROLE_LIAISON, 201, "{\"for\":\"table\",\"length\":67108864}");
    ANSWER_AUTO b = begin_as(&w, ROLE_LIAISON, 201, "{\"for\":\"table\",\"length\":67108864}");
    ANSWER_AUTO c = begin_as(&w, ROLE_LIAISON, 413, "{\"for\":\"table\",\"length\":1}");

    assert_non_null(strstr(c.body, "give up some"));
    assert_true(answer_has(&c, "antigone-quota: upload; left=0; most=134217728"));
    ANSWER_AUTO other = begin_as(&w, ROLE_MORTUARY, 201, "{\"for\":\"table\",\"length\":1}");
    snprintf(path, sizeof(path), "/api/v1/uploads/%s", answer_text(&a, "id"));
    ANSWER_AUTO gone = MUST(&w, 204, "DELETE", path, ROLE_LIAISON);
    for (int i = 0; i < 3; i++)
        answer_free(
            &(answer[1]){begin_as(&w, ROLE_LIAISON, 201, "{\"for\":\"table\",\"length\":1}")}[0]);
    ANSWER_AUTO many = begin_as(&w, ROLE_LIAISON, 413, "{\"for\":\"table\",\"length\":1}");
    served_close(&w);
}

static void another_sha256_is_told_and_nothing_of_it_kept(const database *where) {
    served w = served_open(where, NULL);
    char path[PATH], sum[65];

    hex_of("0123456789", 10, sum);
    begin(&w, 10, sum, path);
    ANSWER_AUTO half = send_at(&w, path, 200, 0, "01234", 5);
    ANSWER_AUTO odd = send_at(&w, path, 422, 5, "56788", 5);
    assert_non_null(strstr(odd.body, "SHA-256"));
    ANSWER_AUTO none = MUST(&w, 404, "HEAD", path, ROLE_BOARD);
    served_close(&w);
}

/* The head of a PATCH and part of its body; then nothing, or the end. */
static raw_client *send_part(const served *w, const char *path, size_t offset, const char *bytes,
                             size_t said, size_t n) {
    raw_client *c = raw_open(w);
    char head[TEXT];

    snprintf(head, sizeof(head),
             "PATCH %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n" PIECE
             "\r\nUpload-Offset: %zu\r\nContent-Length: %zu\r\n\r\n",
             path, w->token[ROLE_BOARD], offset, said);
    assert_true(raw_send(c, head, strlen(head)));
    if (n)
        assert_true(raw_send(c, bytes + offset, n));
    return c;
}

static void a_connection_that_breaks_anywhere_costs_nothing_that_came(const database *where) {
    static const size_t cuts[] = {0,      1,      65535,  65536,  65537, 262143,
                                  262144, 262145, 300000, 100000, 5000};
    served w = served_open(where, NULL);
    char *bytes = bytes_of(LONG), path[PATH], sum[65];
    size_t at = 0;

    hex_of(bytes, LONG, sum);
    begin(&w, LONG, sum, path);
    for (size_t i = 0; i < sizeof(cuts) / sizeof(*cuts); i++) {
        size_t n = cuts[i] < LONG - at - 1 ? cuts[i] : LONG - at - 1;
        raw_client *c = send_part(&w, path, at, bytes, LONG - at, n);

        raw_close(c);
        assert_int_equal(wait_for(&w, path, at + n), at + n);
        at += n;
    }
    ANSWER_AUTO a = send_at(&w, path, 200, at, bytes + at, LONG - at);
    assert_true(answer_has(&a, "upload-complete: ?1"));
    free(bytes);
    served_close(&w);
}

static void the_later_of_two_writers_goes_on(const database *where) {
    served w = served_open(where, NULL);
    char *bytes = bytes_of(LONG), path[PATH], sum[65], got[TEXT];
    raw_client *first;

    hex_of(bytes, LONG, sum);
    begin(&w, LONG, sum, path);
    first = send_part(&w, path, 0, bytes, LONG, 300000);
    assert_int_equal(wait_for(&w, path, 262144), 262144);
    ANSWER_AUTO wrong = send_at(&w, path, 409, 300000, bytes, 5);
    ANSWER_AUTO a = send_at(&w, path, 200, 262144, bytes + 262144, 500000);
    /* the first one wakes up */
    assert_true(raw_send(first, bytes + 300000, LONG - 300000));
    raw_read(first, got, sizeof(got), 5000);
    assert_non_null(strstr(got, "HTTP/1.1 409"));
    raw_close(first);
    assert_int_equal(offset_of(&w, path), 762144);
    ANSWER_AUTO b = send_at(&w, path, 200, 762144, bytes + 762144, LONG - 762144);
    assert_true(answer_has(&b, "upload-complete: ?1"));
    free(bytes);
    served_close(&w);
}

typedef struct writer {
    served w;
    const char *path, *bytes;
    pthread_t thread;
} writer;

/* Each sends the next piece from where it is told that the upload is. */
static void *write_on(void *user) {
    writer *me = user;

    for (int k = 0; k < 1000; k++) {
        ANSWER_AUTO head = served_ask(&me->w, &(ask){"GET", me->path, ROLE_BOARD});
        size_t at = (size_t)json_integer_value(json_object_get(head.json, "offset"));
        size_t n = LONG - at < 30000 ? LONG - at : 30000;
        char offset[60];

        if (at >= LONG)
            break;
        snprintf(offset, sizeof(offset), "Upload-Offset: %zu", at);
        ANSWER_AUTO a =
            served_ask(&me->w, &(ask){"PATCH", me->path, ROLE_BOARD, .body = me->bytes + at,
                                      .n_body = n, .header = {PIECE, offset}});
        assert_true(a.status == 200 || a.status == 409);
    }
    return NULL;
}

static void many_writers_of_one_upload_never_mix_it_up(const database *where) {
    served w = served_open(where, NULL);
    char *bytes = bytes_of(LONG), path[PATH], sum[65];
    static writer all[WRITERS];

    hex_of(bytes, LONG, sum);
    begin(&w, LONG, sum, path);
    for (int i = 0; i < WRITERS; i++) {
        all[i] = (writer){.w = w, .path = path, .bytes = bytes};
        all[i].w.curl = curl_easy_init();
        assert_int_equal(pthread_create(&all[i].thread, NULL, write_on, &all[i]), 0);
    }
    for (int i = 0; i < WRITERS; i++) {
        pthread_join(all[i].thread, NULL);
        curl_easy_cleanup(all[i].w.curl);
    }
    ANSWER_AUTO a = send_at(&w, path, 200, LONG, "", 0);
    assert_true(json_is_true(json_object_get(a.json, "complete")));
    free(bytes);
    served_close(&w);
}

static void who_is_too_slow_is_cut_off_and_goes_on(const database *where) {
    service_options o = {.body_s = 1};
    served w = served_open(where, &o);
    char *bytes = bytes_of(LONG), path[PATH], got[TEXT];
    raw_client *c;
    size_t sent = 0;

    begin(&w, LONG, NULL, path);
    c = send_part(&w, path, 0, bytes, LONG, 0);
    for (int k = 0; k < 40 && raw_send(c, bytes + sent, 100); k++, sent += 100)
        nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    assert_true(sent < 4000);
    assert_int_equal(raw_read(c, got, sizeof(got), 1000), 0);
    raw_close(c);
    sent = wait_for(&w, path, 500);
    assert_true(sent >= 500 && sent <= 4000);
    ANSWER_AUTO a = send_at(&w, path, 200, sent, bytes + sent, LONG - sent);
    assert_true(answer_has(&a, "upload-complete: ?1"));
    free(bytes);
    served_close(&w);
}

static uint32_t files_in(const database *where) {
    char path[PATH];
    DIR *dir;
    uint32_t n = 0;

    snprintf(path, sizeof(path), "%s/uploads", where->directory);
    dir = opendir(path);
    assert_non_null(dir);
    for (const struct dirent *e; (e = readdir(dir));) /* NOLINT(concurrency-mt-unsafe) */
        n += strlen(e->d_name) == UUID_TEXT;
    closedir(dir);
    return n;
}

static void a_service_that_is_started_again_goes_on(const database *where) {
    served w = served_open(where, NULL);
    char *bytes = bytes_of(LONG), path[PATH], sum[65];
    raw_client *c;

    hex_of(bytes, LONG, sum);
    begin(&w, LONG, sum, path);
    ANSWER_AUTO a = send_at(&w, path, 200, 0, bytes, 300001);
    /* one is in the middle of it when the service stops */
    c = send_part(&w, path, 300001, bytes, LONG - 300001, 200000);
    nanosleep(&(struct timespec){.tv_nsec = 500000000}, NULL);
    assert_int_equal(offset_of(&w, path), 300001);
    served_stop(&w);
    raw_close(c);
    assert_int_equal(files_in(where), 1);
    served_start(&w, NULL);
    assert_int_equal(offset_of(&w, path), 500001);
    ANSWER_AUTO b = send_at(&w, path, 200, 500001, bytes + 500001, LONG - 500001);
    assert_true(answer_has(&b, "upload-complete: ?1"));
    ANSWER_AUTO gone = MUST(&w, 204, "DELETE", path, ROLE_BOARD);
    assert_int_equal(files_in(where), 0);
    free(bytes);
    served_close(&w);
}

static void a_full_disk_is_told_and_nothing_is_lost(const database *where) {
    served w = served_open(where, NULL);
    char *bytes = bytes_of(LONG), path[PATH], sum[65];
    struct rlimit limit, small;
    size_t at;

    hex_of(bytes, LONG, sum);
    begin(&w, LONG, sum, path);
    ANSWER_AUTO a = send_at(&w, path, 200, 0, bytes, 300000);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    signal(SIGXFSZ, SIG_IGN);
    small = (struct rlimit){.rlim_cur = 600000, .rlim_max = limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    ANSWER_AUTO full = send_at(&w, path, 507, 300000, bytes + 300000, LONG - 300000);
    assert_non_null(strstr(full.body, "problem:full"));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_int_equal(files_in(where), 1);
    at = offset_of(&w, path);
    assert_true(at >= 300000 && at < LONG);
    ANSWER_AUTO b = send_at(&w, path, 200, at, bytes + at, LONG - at);
    assert_true(answer_has(&b, "upload-complete: ?1"));
    free(bytes);
    served_close(&w);
}

static void the_service_and_its_disk_have_room_for_so_much(const database *where) {
    service_options o = {.uploads = 1000};
    served w = served_open(where, &o);
    char path[PATH];

    begin(&w, 900, NULL, path);
    ANSWER_AUTO full = begin_as(&w, ROLE_BOARD, 507, "{\"for\":\"bundle\",\"length\":101}");
    ANSWER_AUTO fits = begin_as(&w, ROLE_MORTUARY, 201, "{\"for\":\"table\",\"length\":100}");
    served_stop(&w);
    o = (service_options){.reserve = (uint64_t)1 << 60};
    served_start(&w, &o);
    ANSWER_AUTO disk = begin_as(&w, ROLE_BOARD, 507, "{\"for\":\"bundle\",\"length\":1}");
    assert_non_null(strstr(disk.body, "disk"));
    assert_int_equal(files_in(where), 2);
    served_close(&w);
}

int main(void) {
    static const database_test tests[] = {
        {"an upload comes in pieces, and is whole", an_upload_comes_in_pieces_and_is_whole,
         ON_BOTH},
        {"nobody else sees an upload", nobody_else_sees_an_upload, ON_SQLITE},
        {"what cannot be is refused before it comes", what_cannot_be_is_refused_before_it_comes,
         ON_SQLITE},
        {"an account has only so much waiting", an_account_has_only_so_much_waiting, ON_BOTH},
        {"another SHA-256 is told, and nothing of it kept",
         another_sha256_is_told_and_nothing_of_it_kept, ON_SQLITE},
        {"a connection that breaks anywhere costs nothing that came",
         a_connection_that_breaks_anywhere_costs_nothing_that_came, ON_BOTH},
        {"the later of two writers goes on", the_later_of_two_writers_goes_on, ON_SQLITE},
        {"many writers of one upload never mix it up", many_writers_of_one_upload_never_mix_it_up,
         ON_SQLITE},
        {"who is too slow is cut off, and goes on", who_is_too_slow_is_cut_off_and_goes_on,
         ON_SQLITE},
        {"a service that is started again goes on", a_service_that_is_started_again_goes_on,
         ON_BOTH},
        {"a full disk is told, and nothing is lost", a_full_disk_is_told_and_nothing_is_lost,
         ON_BOTH},
        {"the service and its disk have room for so much",
         the_service_and_its_disk_have_room_for_so_much, ON_BOTH},
    };

    curl_global_init(CURL_GLOBAL_DEFAULT);
    signal(SIGPIPE, SIG_IGN);
    return DATABASE_RUN(tests);
}
