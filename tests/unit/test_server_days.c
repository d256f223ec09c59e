/* SPDX-License-Identifier: Apache-2.0 */
/* Bad days of the machine and of the people at it: what was acknowledged stays, what was not is not
 * there, and the service goes on. */
#include "served.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/resource.h>

#include "server.h"

enum { PATH = 300, TEXT = 20000, SLOW = 100, BEFORE = 20, WRITERS = 12, REMAINS = 30000 };

static void path_of(const served *w, const char *rest, char ret[PATH]) {
    char id[UUID_TEXT + 1];

    uuid_text(&w->made.operation, id);
    snprintf(ret, PATH, "/api/v1/operations/%s%s", id, rest);
}

static long add_missing(const served *w) {
    char path[PATH];

    path_of(w, "/files", path);
    ANSWER_AUTO a = served_ask(w, &(ask){"POST", path, SERVED_ALL, .body = SERVED_MISSING});

    return a.status;
}

static void nap(int ms) {
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L}, NULL);
}

/* ---- connections ---- */

static uint32_t count(const char *text, const char *what) {
    uint32_t n = 0;

    for (const char *p = strstr(text, what); p; p = strstr(p + 1, what))
        n++;
    return n;
}

static void a_connection_is_kept_behind_refusals(const database *where) {
    static const char asks[] =
        "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
        "GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n"
        "GET /api/v1/session HTTP/1.1\r\nHost: localhost\r\n\r\n"
        "GET /api/v1/session HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer x\r\n\r\n"
        "PUT /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
        "GET /health HTTP/1.1\r\nHost: other.example\r\n\r\n"
        "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";
    static char got[TEXT];
    served w = served_open(where, NULL);
    raw_client *c = raw_open(&w);

    assert_true(raw_send(c, asks, sizeof(asks) - 1));
    (void)raw_read(c, got, sizeof(got), 500);
    raw_close(c);
    assert_int_equal(count(got, "HTTP/1.1 200"), 2);
    assert_int_equal(count(got, "HTTP/1.1 401"), 2);
    assert_int_equal(count(got, "HTTP/1.1 4"), 5);
    assert_int_equal(count(got, "Connection: close"), 0);
    served_close(&w);
}

/* Nor does the address that has as many connections as it may have. */
static void slow_heads_and_bodies_hold_nobody_up(const database *where) {
    static const char head[] = "GET /health HTTP/1.1\r\nHost: local";
    static const char body[] = "POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\n"
                               "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{";
    service_options o = {.connections_each = SLOW, .connections = 16 * SLOW};
    served w = served_open(where, &o);
    raw_client *slow[SLOW];

    for (int i = 0; i < SLOW; i++) {
        slow[i] = raw_dial(service_port(w.s), "127.0.0.2");
        assert_non_null(slow[i]);
        assert_true(i % 2 ? raw_send(slow[i], head, sizeof(head) - 1)
                          : raw_send(slow[i], body, sizeof(body) - 1));
    }
    assert_null(raw_dial(service_port(w.s), "127.0.0.2"));
    ANSWER_AUTO well = MUST(&w, 200, "GET", "/health", SERVED_NOBODY);
    ANSWER_AUTO own = MUST(&w, 200, "GET", "/api/v1/session", SERVED_ALL);
    for (int i = 0; i < SLOW; i++)
        raw_close(slow[i]);
    served_close(&w);
}

/* ---- oversized everything ---- */

typedef struct large {
    const char *what;
    const char *before, *unit, *after; /* `unit` as often as `times` */
    uint32_t times;
    long least, most; /* of the status */
} large;

static char *repeat(const large *l) {
    size_t a = strlen(l->before), u = strlen(l->unit), b = strlen(l->after);
    char *text = malloc(a + u * l->times + b + 1);

    assert_non_null(text);
    memcpy(text, l->before, a);
    for (uint32_t i = 0; i < l->times; i++)
        memcpy(text + a + u * i, l->unit, u);
    memcpy(text + a + u * l->times, l->after, b + 1);
    return text;
}

static void bodies_that_are_large_in_any_way_are_refused(const database *where) {
    static const large all[] = {
        {"deep arrays", "", "[", "", 4000000, 400, 400},
        {"deep objects", "", "{\"a\":", "", 1000000, 400, 400},
        {"many members", "{\"a\":1", ",\"b\":1", "}", 1000000, 400, 422},
        {"many items", "{\"kind\":\"missing\",\"fields\":[0", ",0", "]}", 3000000, 400, 422},
        {"a long name", "{\"", "n", "\":1}", 8000000, 400, 422},
        {"a long text", "{\"kind\":\"missing\",\"fields\":{\"family_name\":\"", "x", "\"}}",
         8000000, 400, 422},
        {"a long kind", "{\"kind\":\"", "x", "\",\"fields\":{}}", 8000000, 400, 422},
        {"a long number", "{\"kind\":\"missing\",\"fields\":{\"family_name\":", "9", "}}", 8000000,
         400, 422},
        {"a large number", "{\"kind\":\"missing\",\"fields\":{\"children\":1e", "9", "}}", 300, 400,
         422},
        {"escapes", "{\"kind\":\"", "\\u0000", "\",\"fields\":{}}", 1000000, 400, 422},
        {"too much", "{\"a\":\"", "x", "\"}", 8500000, 413, 413},
    };
    served w = served_open(where, NULL);
    char path[PATH];

    path_of(&w, "/files", path);
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
        char *body = repeat(&all[i]);
        ANSWER_AUTO a = served_ask(&w, &(ask){"POST", path, SERVED_ALL, .body = body});

        free(body);
        if (a.status < all[i].least || a.status > all[i].most)
            fail_msg("%s: %ld", all[i].what, a.status);
        assert_true(a.n_body < 2000);
    }
    ANSWER_AUTO well = MUST(&w, 200, "GET", "/health", SERVED_NOBODY);
    assert_int_equal(made_count(&w.made), 0);
    served_close(&w);
}

static void heads_that_are_large_in_any_way_are_refused(const database *where) {
    static const large all[] = {
        {"many headers", "GET /health HTTP/1.1\r\nHost: localhost\r\n", "A: b\r\n", "\r\n", 20000,
         0, 431},
        {"a long header name", "GET /health HTTP/1.1\r\nHost: localhost\r\n", "A", ": b\r\n\r\n",
         100000, 0, 431},
        {"a long method", "", "G", " /health HTTP/1.1\r\nHost: localhost\r\n\r\n", 100000, 0, 431},
        {"a long version", "GET /health HTTP/1.", "1", "\r\nHost: localhost\r\n\r\n", 1000, 0, 505},
        {"a long host", "GET /health HTTP/1.1\r\nHost: ", "h", "\r\n\r\n", 10000, 400, 421},
        {"many segments", "GET ", "/a", " HTTP/1.1\r\nHost: localhost\r\n\r\n", 1000, 400, 414},
        {"many names", "GET /health?a=b", "&a=b", " HTTP/1.1\r\nHost: localhost\r\n\r\n", 500, 0,
         414},
        {"a long token",
         "GET /api/v1/session HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ", "a",
         "\r\n\r\n", 10000, 401, 401},
        {"a long length", "GET /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: ", "0",
         "\r\n\r\n", 1000, 400, 413},
    };
    static char got[TEXT];
    served w = served_open(where, NULL);

    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
        char *head = repeat(&all[i]);
        raw_client *c = raw_open(&w);
        long status = 0;

        (void)raw_send(c, head, strlen(head));
        (void)raw_read(c, got, sizeof(got), 300);
        raw_close(c);
        free(head);
        if (strncmp(got, "HTTP/1.1 ", 9) == 0)
            status = strtol(got + 9, NULL, 10);
        if (status < all[i].least || status > all[i].most || (status && status < 400))
            fail_msg("%s: %ld", all[i].what, status);
    }
    ANSWER_AUTO well = MUST(&w, 200, "GET", "/health", SERVED_NOBODY);
    served_close(&w);
}

/* ---- the disk ---- */

static void a_full_disk_refuses_changes_and_keeps_those_before(const database *where) {
    char *text = NULL;
    size_t n = 0;
    service_options o = {.log = open_memstream(&text, &n)};
    served w = served_open(where, &o);
    struct rlimit limit, small;
    uint32_t kept = 0;
    long status = 201;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    signal(SIGXFSZ, SIG_IGN);
    small = (struct rlimit){.rlim_cur = 1 << 20, .rlim_max = limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    while (kept < 500 && (status = add_missing(&w)) == 201)
        kept++;
    assert_int_equal(status, 503);
    assert_int_equal(add_missing(&w), 503);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_int_equal(made_count(&w.made), kept);
    /* room again */
    assert_int_equal(add_missing(&w), 201);
    ANSWER_AUTO well = MUST(&w, 200, "GET", "/health", SERVED_NOBODY);
    assert_int_equal(made_count(&w.made), kept + 1);
    served_close(&w);
    /* the operator is told why */
    fclose(o.log);
    assert_non_null(strstr(text, "\"problem\": \"store\", \"cause\": \""));
    free(text);
}

/* ---- the database ---- */

typedef struct asker {
    served w; /* a copy with a connection of its own */
    pthread_t thread;
    _Atomic bool *stop;
    _Atomic uint32_t *kept, *odd;
} asker;

static void *go_on(void *user) {
    asker *me = user;

    while (!atomic_load(me->stop)) {
        long status = add_missing(&me->w);

        atomic_fetch_add(me->kept, status == 201);
        atomic_fetch_add(me->odd, status != 201 && status != 503);
    }
    return NULL;
}

/* Files that were acknowledged around it. */
static uint32_t write_around(served *w, void (*day)(const served *w)) {
    static _Atomic bool stop;
    static _Atomic uint32_t kept, odd;
    asker all[WRITERS];

    atomic_store(&stop, false);
    atomic_store(&kept, 0);
    atomic_store(&odd, 0);
    for (int i = 0; i < WRITERS; i++) {
        all[i] = (asker){.w = *w, .stop = &stop, .kept = &kept, .odd = &odd};
        all[i].w.curl = curl_easy_init();
        assert_int_equal(pthread_create(&all[i].thread, NULL, go_on, &all[i]), 0);
    }
    while (atomic_load(&kept) < BEFORE)
        nap(1);
    day(w);
    for (uint32_t until = atomic_load(&kept) + BEFORE; atomic_load(&kept) < until;)
        nap(1);
    atomic_store(&stop, true);
    for (int i = 0; i < WRITERS; i++) {
        pthread_join(all[i].thread, NULL);
        curl_easy_cleanup(all[i].w.curl);
    }
    assert_int_equal(atomic_load(&odd), 0);
    return atomic_load(&kept);
}

static void crash(const served *w) {
    server_stop(true);
    /* all threads wait for it by now, but the one that is kept for this */
    nap(100);
    ANSWER_AUTO ill = MUST(w, 503, "GET", "/health", SERVED_NOBODY);

    assert_string_equal(answer_text(&ill, "status"), "ill");
    server_restart();
}

static void work_goes_on_after_the_database_crashed(const database *where) {
    served w = served_open(where, NULL);
    uint32_t kept = write_around(&w, crash);

    assert_true(made_count(&w.made) >= (kept < 900 ? kept : 900));
    ANSWER_AUTO well = MUST(&w, 200, "GET", "/health", SERVED_NOBODY);
    served_close(&w);
}

/* ---- stopping ---- */

/* An operation that takes seconds to come in. */
static char *long_import(void) {
    static const char head[] =
        "{\"schema\":\"antigone-operation/1\",\"name\":\"x\",\"theta\":0,\"population\":{\"name\":"
        "\"p\",\"source\":\"s\",\"n\":1000},\"markers\":[{\"name\":\"TH01\",\"chrom\":\"A\","
        "\"alleles\":[\"6\",\"7\"],\"freqs\":[0.4,0.6]}],\"families\":[],\"remains\":[";
    size_t size = sizeof(head) + (size_t)REMAINS * 100;
    char *text = malloc(size);
    size_t at = sizeof(head) - 1;

    assert_non_null(text);
    memcpy(text, head, sizeof(head));
    for (int i = 0; i < REMAINS; i++)
        at += (size_t)snprintf(text + at, size - at,
                               "%s{\"id\":\"PM-%d\",\"sex\":\"F\",\"genotypes\":{\"TH01\":"
                               "[\"6\",\"7\"]}}",
                               i ? "," : "", i);
    memcpy(text + at, "]}", 3);
    return text;
}

typedef struct importer {
    served w;
    char *body;
    long status;
} importer;

static void *import(void *user) {
    importer *me = user;
    char path[PATH];

    path_of(&me->w, "/import?agreed_on=2026-11-01&ends_on=2036-11-01&basis=consent", path);

    ANSWER_AUTO a =
        served_ask(&me->w, &(ask){"POST", path, SERVED_ALL, .body = me->body,
                                  .purpose = "the laboratory sent it", .header = {"Expect:"}});

    me->status = a.status;
    return NULL;
}

static uint32_t remains_in(const served *w) {
    files_query q = {
        .operation = w->made.operation, .kind = RECORD_REMAINS, .state = -1, .sex = -1, .limit = 9};
    file_page page;
    atg_err err = {0};

    made_ok(cases_list(w->made.c, &w->made.all, w->made.arena, &q, &page, &err), &err);
    return page.n;
}

/* Import, and stop that long behind its begin. */
static void import_and_stop(served *w, importer *me, int milliseconds) {
    pthread_t thread;

    me->w = *w;
    me->w.curl = curl_easy_init();
    assert_int_equal(pthread_create(&thread, NULL, import, me), 0);
    nap(milliseconds);
    served_stop(w);
    pthread_join(thread, NULL);
    curl_easy_cleanup(me->w.curl);
}

static void stopping_ends_long_work_with_nothing_of_it(const database *where) {
    service_options o = {.stop_s = 1};
    served w = served_open(where, &o);
    importer me = {.body = long_import()};

    assert_int_equal(add_missing(&w), 201);
    import_and_stop(&w, &me, 300);
    /* on a busy machine the request may not have come by then, and finds a closed door */
    for (int wait = 1000; me.status == 0 && wait < 30000; wait *= 3) {
        served_start(&w, &o);
        import_and_stop(&w, &me, wait);
    }
    free(me.body);
    /* a fast machine was done before; what it was told is so either way */
    assert_true(me.status == 503 || me.status == 200);
    assert_int_equal(remains_in(&w) > 0, me.status == 200);
    assert_int_equal(made_count(&w.made), 1);
    served_start(&w, &o);
    ANSWER_AUTO well = MUST(&w, 200, "GET", "/health", SERVED_NOBODY);
    served_close(&w);
}

int main(void) {
    static const database_test tests[] = {
        {"a connection is kept behind refusals", a_connection_is_kept_behind_refusals, ON_SQLITE},
        {"slow heads and bodies hold nobody up", slow_heads_and_bodies_hold_nobody_up, ON_SQLITE},
        {"bodies that are large in any way are refused",
         bodies_that_are_large_in_any_way_are_refused, ON_BOTH},
        {"heads that are large in any way are refused", heads_that_are_large_in_any_way_are_refused,
         ON_SQLITE},
        {"a full disk refuses changes, and keeps those before",
         a_full_disk_refuses_changes_and_keeps_those_before, ON_SQLITE},
        {"work goes on after the database crashed", work_goes_on_after_the_database_crashed,
         ON_POSTGRES},
        {"stopping ends long work, with nothing of it kept",
         stopping_ends_long_work_with_nothing_of_it, ON_BOTH},
    };

    curl_global_init(CURL_GLOBAL_DEFAULT);
    return DATABASE_RUN(tests);
}
