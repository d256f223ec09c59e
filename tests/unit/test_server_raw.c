/* SPDX-License-Identifier: Apache-2.0 */
/* What no proper client sends, clients that do not read, and bad days of the machine. */
#include "served.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "server.h"
#include "server/tls.h"

enum {
    TEXT = 20000,
    HALF_OPEN = 400,
    SLOW = 40,
    WRITERS = 4,
    WAIT_MS = 4000,
    SHORT_MS = 300,
    BEFORE = 20
};

/* ---- bytes ---- */

static uint32_t count(const char *text, const char *what) {
    uint32_t n = 0;

    for (const char *p = strstr(text, what); p; p = strstr(p + 1, what))
        n++;
    return n;
}

/* The status of the only answer to these bytes; 0: the connection was cut without one. */
static int only_answer(const served *w, const char *bytes) {
    static char got[TEXT];
    raw_client *c = raw_open(w);
    int status = 0;

    (void)raw_send(c, bytes, strlen(bytes));
    (void)raw_read(c, got, sizeof(got), WAIT_MS);
    raw_close(c);
    if (count(got, "Antigone-Request: ") > 1)
        fail_msg("two answers to: %s\n%s", bytes, got);
    if (strncmp(got, "HTTP/1.1 ", 9) == 0)
        status = (int)strtol(got + 9, NULL, 10);
    return status;
}

static void a_request_is_never_two(const database *where) {
    static const char *const smuggled[] = {
        "POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /health HTTP/1.1\r\n"
        "Host: localhost\r\n\r\n",
        "POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        "Content-Length: 2\r\nContent-Length: 40\r\n\r\n{}GET /health HTTP/1.1\r\nHost: "
        "localhost\r\n\r\n",
        "POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        "Transfer-Encoding: xchunked\r\n\r\n{}GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\nGET /health "
        "HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 40\r\n\r\nGET /health "
        "HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET "
        "/health HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: localhost\r\nHost: other\r\n\r\n",
        "GET /health HTTP/1.1\r\n\r\n",
        "GET /health HTTP/1.0\r\nHost: localhost\r\n\r\n",
        "GET https://evil.example/health HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        "Content-Length: -1\r\n\r\n{}GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        "Content-Length: 99999999999999999999\r\n\r\n{}",
    };
    served w = served_open(where, NULL);

    for (size_t i = 0; i < sizeof(smuggled) / sizeof(*smuggled); i++) {
        int status = only_answer(&w, smuggled[i]);

        if (status && (status < 400 || status >= 500))
            fail_msg("%d to: %s", status, smuggled[i]);
    }
    ANSWER_AUTO well = MUST(&w, 200, "GET", "/health", SERVED_NOBODY);
    served_close(&w);
}

static void what_is_too_long_is_refused(const database *where) {
    served w = served_open(where, NULL);
    char *text = made_long(w.made.arena, 200000).n ? calloc(1, 300000) : NULL;
    atg_str filler = made_long(w.made.arena, 150000);
    int status;

    assert_non_null(text);
    snprintf(text, 300000, "GET /%.*s HTTP/1.1\r\nHost: localhost\r\n\r\n", 5000, filler.p);
    status = only_answer(&w, text);
    assert_true(status == 414);
    snprintf(text, 300000, "GET /%.*s HTTP/1.1\r\nHost: localhost\r\n\r\n", 100000, filler.p);
    status = only_answer(&w, text);
    assert_true(status == 0 || status == 414);
    snprintf(text, 300000, "GET /health HTTP/1.1\r\nHost: localhost\r\nX: %.*s\r\n\r\n", 100000,
             filler.p);
    status = only_answer(&w, text);
    assert_true(status == 0 || status == 431 || status == 413);
    free(text);
    ANSWER_AUTO well = MUST(&w, 200, "GET", "/health", SERVED_NOBODY);
    served_close(&w);
}

/* ---- clients that do nothing ---- */

static int dial(const served *w) {
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(service_port(w->s)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 && connect(fd, (const struct sockaddr *)(const void *)&to, sizeof(to))) {
        close(fd);
        return -1;
    }
    return fd;
}

static void half_open_connections_hold_nobody_up(const database *where) {
    service_options o = {.connections_each = 1000};
    served w = served_open(where, &o);
    int fds[HALF_OPEN];

    for (int i = 0; i < HALF_OPEN; i++) {
        fds[i] = dial(&w);
        /* half of them begin a handshake and stop */
        if (i % 2 && fds[i] >= 0)
            assert_int_equal(send(fds[i], "\x16\x03\x01\x02", 4, MSG_NOSIGNAL), 4);
    }
    ANSWER_AUTO well = MUST(&w, 200, "GET", "/health", SERVED_NOBODY);
    ANSWER_AUTO own = MUST(&w, 200, "GET", "/api/v1/session", SERVED_ALL);
    for (int i = 0; i < HALF_OPEN; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    served_close(&w);
}

static void clients_that_do_not_read_hold_nobody_up(const database *where) {
    static const char ask_much[] = "GET /api/v1/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n";
    service_options o = {.connections_each = 1000};
    served w = served_open(where, &o);
    raw_client *slow[SLOW];

    for (int i = 0; i < SLOW; i++) {
        slow[i] = raw_open(&w);
        for (int k = 0; k < 10; k++)
            assert_true(raw_send(slow[i], ask_much, i % 2 ? sizeof(ask_much) - 1 : 20));
    }
    ANSWER_AUTO well = MUST(&w, 200, "GET", "/health", SERVED_NOBODY);
    for (int i = 0; i < SLOW; i++)
        raw_close(slow[i]);
    /* and those that left in between leave nothing behind */
    ANSWER_AUTO still = MUST(&w, 200, "GET", "/health", SERVED_NOBODY);
    served_close(&w);
}

/* ---- bad days ---- */

static void an_expired_certificate_is_told(const database *where) {
    served w = served_open(where, NULL);
    int64_t now = clock_now();

    assert_null(service_warning(w.s));
    clock_set(now + INT64_C(400) * 86400 * 1000000);
    assert_non_null(service_warning(w.s));
    ANSWER_AUTO ill = MUST(&w, 503, "GET", "/health", SERVED_NOBODY);
    assert_string_equal(answer_text(&ill, "status"), "ill");
    /* read again, it is a new one */
    assert_int_equal(service_reload(w.s, NULL), ATG_OK);
    assert_null(service_warning(w.s));
    clock_set(-1);
    served_close(&w);
}

/* A certificate for localhost of an authority of its own, and its key, as files. */
static void write_files(const database *where) {
    static const char *const names[] = {"localhost", "127.0.0.1"};
    ATG_AUTO(atg_arena) arena = atg_arena_new(4 << 20);
    tls_pair authority, pair;
    char path[300];
    atg_err err = {0};

    made_ok(tls_make_authority(arena, names, 2, clock_now(), &authority, &err), &err);
    made_ok(tls_make_certificate(arena, &authority, names, 2, clock_now(), &pair, &err), &err);
    snprintf(path, sizeof(path), "%s/other.pem", where->directory);
    made_ok(file_write(path, atg_str_of(authority.certificate), &err), &err);
    snprintf(path, sizeof(path), "%s/served.pem", where->directory);
    made_ok(file_write(path, atg_str_of(pair.certificate), &err), &err);
    snprintf(path, sizeof(path), "%s/served.key", where->directory);
    made_ok(file_write_private(path, atg_str_of(pair.key), &err), &err);
}

static void certificate_files_are_read_again_and_bad_ones_leave_the_old(const database *where) {
    served w = served_open(where, NULL);
    char certificate[300], key[300];
    service_options o = {.certificate = certificate, .key = key};
    atg_err err = {0};

    snprintf(certificate, sizeof(certificate), "%s/served.pem", where->directory);
    snprintf(key, sizeof(key), "%s/served.key", where->directory);
    snprintf(w.authority, sizeof(w.authority), "%s/other.pem", where->directory);
    write_files(where);
    served_stop(&w);
    served_start(&w, &o);
    ANSWER_AUTO a = MUST(&w, 200, "GET", "/health", SERVED_NOBODY);
    ANSWER_AUTO none = MUST(&w, 404, "GET", "/ca", SERVED_NOBODY);

    /* another one, as ACME brings it; connections that are open go on */
    write_files(where);
    made_ok(service_reload(w.s, &err), &err);
    curl_easy_cleanup(w.curl);
    w.curl = curl_easy_init();
    ANSWER_AUTO b = MUST(&w, 200, "GET", "/health", SERVED_NOBODY);

    made_ok(file_write_private(key, ATG_STR("no key"), &err), &err);
    assert_int_equal(service_reload(w.s, &err), ATG_EINVAL);
    curl_easy_cleanup(w.curl);
    w.curl = curl_easy_init();
    ANSWER_AUTO c = MUST(&w, 200, "GET", "/health", SERVED_NOBODY);
    served_close(&w);
}

typedef struct writer {
    served w; /* a copy with a connection of its own */
    const _Atomic bool *stop;
    _Atomic uint32_t *kept;
} writer;

static void *write_on(void *user) {
    writer *me = user;
    char path[200], id[UUID_TEXT + 1];

    uuid_text(&me->w.made.operation, id);
    snprintf(path, sizeof(path), "/api/v1/operations/%s/files", id);
    while (!atomic_load(me->stop)) {
        answer a = served_ask(&me->w, &(ask){"POST", path, SERVED_ALL, .body = SERVED_MISSING});

        if (a.status == 201)
            atomic_fetch_add(me->kept, 1);
        if (a.status == 0)
            usleep(20000);
        answer_free(&a);
    }
    return NULL;
}

static uint32_t write_during(served *w, void (*day)(served *w)) {
    static _Atomic bool stop;
    static _Atomic uint32_t kept;
    pthread_t threads[WRITERS];
    writer writers[WRITERS];

    atomic_store(&stop, false);
    atomic_store(&kept, 0);
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = (writer){.w = *w, .stop = &stop, .kept = &kept};
        writers[i].w.curl = curl_easy_init();
        assert_int_equal(pthread_create(&threads[i], NULL, write_on, &writers[i]), 0);
    }
    while (atomic_load(&kept) < BEFORE)
        usleep(1000);
    day(w);
    atomic_store(&stop, true);
    for (int i = 0; i < WRITERS; i++) {
        pthread_join(threads[i], NULL);
        curl_easy_cleanup(writers[i].w.curl);
    }
    return atomic_load(&kept);
}

static void stop_and_wait(served *w) {
    served_stop(w);
    usleep(SHORT_MS * 1000);
}

static void stopping_loses_nothing_that_was_acknowledged(const database *where) {
    service_options o = {.account_rate = 100000};
    served w = served_open(where, &o);
    uint32_t kept = write_during(&w, stop_and_wait);

    assert_true(made_count(&w.made) >= (kept < 900 ? kept : 900));
    served_start(&w, &o);
    ANSWER_AUTO well = MUST(&w, 200, "GET", "/health", SERVED_NOBODY);
    served_close(&w);
}

static void restart_database(served *w) {
    (void)w;
    server_stop(false);
    usleep(SHORT_MS * 1000);
    server_restart();
    usleep(2 * SHORT_MS * 1000);
}

static void a_database_that_is_restarted_loses_nothing(const database *where) {
    served w = served_open(where, NULL);
    uint32_t kept = write_during(&w, restart_database);

    assert_true(made_count(&w.made) >= (kept < 900 ? kept : 900));
    ANSWER_AUTO well = MUST(&w, 200, "GET", "/health", SERVED_NOBODY);
    served_close(&w);
}

int main(void) {
    static const database_test tests[] = {
        {"a request is never two", a_request_is_never_two, ON_SQLITE},
        {"what is too long is refused", what_is_too_long_is_refused, ON_SQLITE},
        {"half-open connections hold nobody up", half_open_connections_hold_nobody_up, ON_SQLITE},
        {"clients that do not read hold nobody up", clients_that_do_not_read_hold_nobody_up,
         ON_SQLITE},
        {"an expired certificate is told", an_expired_certificate_is_told, ON_SQLITE},
        {"certificate files are read again, and bad ones leave the old",
         certificate_files_are_read_again_and_bad_ones_leave_the_old, ON_SQLITE},
        {"stopping loses nothing that was acknowledged",
         stopping_loses_nothing_that_was_acknowledged, ON_BOTH},
        {"a database that is restarted loses nothing", a_database_that_is_restarted_loses_nothing,
         ON_POSTGRES},
    };

    curl_global_init(CURL_GLOBAL_DEFAULT);
    return DATABASE_RUN(tests);
}
