/* SPDX-License-Identifier: Apache-2.0 */
/* The service under load from many sides at once, while its certificate is read again and again (as
 * on SIGHUP) and then while it stops: nobody is cut off before that, and nothing that was
 * acknowledged is lost.  For the thread sanitizer too.  ATG_LOAD: how many seconds. */
#include "served.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "server/tls.h"

enum {
    WRITERS = 3,
    READERS = 2,
    SENDERS = 2,
    LISTENERS = 3,
    CLIENTS = WRITERS + READERS + SENDERS + LISTENERS,
    KEPT = 4000, /* codes that a writer remembers */
    PIECE = 20000,
    ANEW = 20,     /* asks on one connection */
    ENOUGH = 300,  /* files written, however slow the machine and the build are */
    PATIENCE = 60, /* seconds for that */
    PATH = 300,
};

typedef struct client client;
struct client {
    served w; /* a copy with a connection of its own */
    pthread_t thread;
    void (*ask)(client *me);
    _Atomic bool *leaving, *stop;
    uint32_t asked, events;
    char (*code)[24]; /* of what was acknowledged */
    _Atomic uint32_t n;
    char upload[PATH]; /* the last one, and what of it was acknowledged */
    size_t sent;
    char odd[PATH]; /* what ought not to be; empty: nothing */
};

/* ---- what each does ---- */

/* Until the service stops each ask is answered, with one of two statuses. */
static void expect(client *me, const answer *a, const char *what, long status, long or) {
    if (a->status == status || a->status == or || atomic_load(me->leaving) || me->odd[0])
        return;
    snprintf(me->odd, sizeof(me->odd), "%s: %ld %.200s", what, a->status, a->body ? a->body : "");
}

static void path_of(const client *me, const char *rest, char ret[PATH]) {
    char id[UUID_TEXT + 1];

    uuid_text(&me->w.made.operation, id);
    snprintf(ret, PATH, "/api/v1/operations/%s/%s", id, rest);
}

static void write_one(client *me) {
    char path[PATH];

    path_of(me, "files", path);
    ANSWER_AUTO a = served_ask(&me->w, &(ask){"POST", path, SERVED_ALL, .body = SERVED_MISSING});
    expect(me, &a, "a new file", 201, 503);
    if (a.status == 201 && me->n < KEPT)
        snprintf(me->code[me->n++], sizeof(me->code[0]), "%s", answer_text(&a, "code"));
}

static void read_one(client *me) {
    char path[PATH];

    path_of(me, "files?kind=missing&limit=20", path);
    ANSWER_AUTO a = served_ask(&me->w, &(ask){"GET", path, SERVED_ALL});
    expect(me, &a, "a list", 200, 503);
}

static void send_one(client *me) {
    static const char bytes[PIECE];
    char offset[40];

    if (!me->upload[0]) {
        ANSWER_AUTO a = served_ask(
            &me->w, &(ask){"POST", "/api/v1/uploads", SERVED_ALL,
                           .body = "{\"for\": \"table\", \"length\": 1000000, \"name\": \"t\"}"});
        expect(me, &a, "an upload", 201, 503);
        if (a.status == 201)
            snprintf(me->upload, PATH, "/api/v1/uploads/%s", answer_text(&a, "id"));
        me->sent = 0;
        return;
    }
    snprintf(offset, sizeof(offset), "Upload-Offset: %zu", me->sent);
    if (me->sent + PIECE < 900000) {
        ANSWER_AUTO a = served_ask(
            &me->w, &(ask){"PATCH", me->upload, SERVED_ALL, .body = bytes, .n_body = PIECE,
                           .header = {"Content-Type: application/partial-upload", offset}});
        expect(me, &a, "a piece", 200, 503);
        me->sent += a.status == 200 ? PIECE : 0;
        return;
    }
    ANSWER_AUTO a = served_ask(&me->w, &(ask){"DELETE", me->upload, SERVED_ALL});
    expect(me, &a, "an upload's end", 204, 503);
    if (a.status == 204)
        me->upload[0] = '\0';
}

/* A stream lasts until the service stops. */
static void listen_on(client *me) {
    ANSWER_AUTO a = served_ask(&me->w, &(ask){"GET", "/api/v1/events", SERVED_ALL});

    expect(me, &a, "a stream", 200, 503);
    for (const char *p = a.body; p && (p = strstr(p, "event: change")); p++)
        me->events++;
}

static void *go_on(void *user) {
    client *me = user;

    while (!atomic_load(me->stop)) {
        me->ask(me);
        /* a connection made now is under the certificate of now */
        if (++me->asked % ANEW == 0) {
            curl_easy_cleanup(me->w.curl);
            me->w.curl = curl_easy_init();
        }
        if (atomic_load(me->leaving))
            usleep(10000);
    }
    return NULL;
}

/* ---- certificates ---- */

typedef struct certificates {
    atg_arena *arena;
    tls_pair authority;
    char path[PATH], key[PATH];
} certificates;

static const char *const names[] = {"localhost", "127.0.0.1"};

/* Another one of the same authority, as files. */
static void renew(const certificates *c) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(4 << 20);
    tls_pair pair;
    atg_err err = {0};

    assert_non_null(arena);
    made_ok(tls_make_certificate(arena, &c->authority, names, 2, clock_now(), &pair, &err), &err);
    made_ok(file_write(c->path, atg_str_of(pair.certificate), &err), &err);
    made_ok(file_write_private(c->key, atg_str_of(pair.key), &err), &err);
}

static void make_certificates(served *w, certificates *c) {
    atg_err err = {0};

    c->arena = atg_arena_new(4 << 20);
    assert_non_null(c->arena);
    made_ok(tls_make_authority(c->arena, names, 2, clock_now(), &c->authority, &err), &err);
    snprintf(w->authority, sizeof(w->authority), "%s/other.pem", w->where->directory);
    made_ok(file_write(w->authority, atg_str_of(c->authority.certificate), &err), &err);
    snprintf(c->path, PATH, "%s/served.pem", w->where->directory);
    snprintf(c->key, PATH, "%s/served.key", w->where->directory);
    renew(c);
}

static uint32_t written(client *all) {
    uint32_t n = 0;

    for (int i = 0; i < CLIENTS; i++)
        n += atomic_load(&all[i].n);
    return n;
}

/* Every third one is none, and leaves the one before. */
static uint32_t reload_for(served *w, const certificates *c, client *all, double seconds) {
    int64_t start = clock_now(), end = start + (int64_t)(seconds * 1e6);
    int64_t last = start + PATIENCE * INT64_C(1000000);
    uint32_t n = 0;
    atg_err err = {0};

    for (; clock_now() < end || (written(all) < ENOUGH && clock_now() < last); n++) {
        bool good = n % 3 != 2;

        if (good)
            renew(c);
        else
            made_ok(file_write_private(c->key, ATG_STR("no key"), &err), &err);
        assert_int_equal(service_reload(w->s, &err), good ? ATG_OK : ATG_EINVAL);
        usleep(20000);
    }
    return n;
}

/* ---- all of them ---- */

static void begin(served *w, client *all, _Atomic bool *leaving, _Atomic bool *stop) {
    static const struct {
        int n;
        void (*ask)(client *me);
    } kinds[] = {
        {WRITERS, write_one}, {READERS, read_one}, {SENDERS, send_one}, {LISTENERS, listen_on}};
    client *next = all;

    for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++)
        for (int i = 0; i < kinds[k].n; i++, next++) {
            *next = (client){.w = *w, .ask = kinds[k].ask, .leaving = leaving, .stop = stop};
            next->w.curl = curl_easy_init();
            next->code = calloc(KEPT, sizeof(*next->code));
            assert_non_null(next->code);
            assert_int_equal(pthread_create(&next->thread, NULL, go_on, next), 0);
        }
}

static void check_kept(const served *w, const client *c) {
    char path[PATH];

    if (c->odd[0])
        fail_msg("%s", c->odd);
    for (uint32_t i = 0; i < c->n; i++) {
        snprintf(path, PATH, "/api/v1/files/%s/name", c->code[i]);
        ANSWER_AUTO a = MUST(w, 200, "GET", path, SERVED_ALL);
    }
    if (c->upload[0] && c->sent) {
        ANSWER_AUTO a = MUST(w, 200, "HEAD", c->upload, SERVED_ALL);
        const char *at = strcasestr(a.head, "upload-offset: ");

        assert_non_null(at);
        assert_true(strtoul(at + 15, NULL, 10) >= c->sent);
    }
}

static void allow_much(served *w) {
    atg_err err = {0};

    for (int k = 0; k < QUOTAS; k++)
        made_ok(account_quota(w->made.c, &w->made.by[ROLE_ADMINISTRATOR], &w->made.all.account,
                              (quota_kind)k, 10000000, &err),
                &err);
}

static double seconds_of_load(void) {
    const char *text = getenv("ATG_LOAD"); /* NOLINT(concurrency-mt-unsafe): one thread */

    return text ? strtod(text, NULL) : 2;
}

static void under_load_certificates_change_and_stopping_loses_nothing(const database *where) {
    static _Atomic bool leaving, stop;
    static client all[CLIENTS];
    served w = served_open(where, NULL);
    certificates c = {.arena = NULL};
    service_options o = {.certificate = c.path, .key = c.key};
    uint32_t kept = 0, events = 0;

    atomic_store(&leaving, false);
    atomic_store(&stop, false);
    make_certificates(&w, &c);
    allow_much(&w);
    served_stop(&w);
    served_start(&w, &o);
    begin(&w, all, &leaving, &stop);
    assert_true(reload_for(&w, &c, all, seconds_of_load()) > 5);
    atomic_store(&leaving, true);
    served_stop(&w);
    atomic_store(&stop, true);
    for (int i = 0; i < CLIENTS; i++) {
        pthread_join(all[i].thread, NULL);
        curl_easy_cleanup(all[i].w.curl);
    }
    renew(&c);
    served_start(&w, &o);
    for (int i = 0; i < CLIENTS; i++) {
        check_kept(&w, &all[i]);
        kept += all[i].n;
        events += all[i].events;
        free(all[i].code);
    }
    if (kept < WRITERS || events < LISTENERS)
        fail_msg("%u files were written, and %u events heard", kept, events);
    served_close(&w);
    atg_arena_free(c.arena);
}

int main(void) {
    static const database_test tests[] = {
        {"under load certificates change, and stopping loses nothing",
         under_load_certificates_change_and_stopping_loses_nothing, ON_BOTH},
    };

    return DATABASE_RUN(tests);
}
