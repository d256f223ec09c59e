/* SPDX-License-Identifier: Apache-2.0 */
#include "server/events.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#include "app/cases_json.h"
#include "app/events.h"
#include "base/bytes.h"
#include "base/mem.h"
#include "server/service_internal.h"

enum {
    LOOK_MS = 500,
    HEARTBEAT_US = 15000000,
    REFRESH_US = 30000000,
    BLOCK = 1024,
    ROOM = 64 << 10, /* of events that a client did not take yet; then it begins anew */
    BATCH = 200,
    GRANTS = 64,
    ARENA = 8 << 20,
    LINE = 1024,
};

typedef struct stream {
    struct stream *next, *before;
    hub *h;
    struct MHD_Connection *connection;
    char token[ACCOUNT_TOKEN];
    uuid account;
    account_roles grants[GRANTS];
    uint32_t n_grants;
    int64_t after;      /* what was handed over */
    int64_t sent, seen; /* when: anything; the session */
    char *bytes;
    size_t n, at;
    bool suspended, ended;
} stream;

struct hub {
    cases *c;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t thread;
    stream *first;
    uint32_t n;
    bool running, stopping;
};

/* ---- a stream, under the lock ---- */

static void resume(stream *s) {
    if (!s->suspended)
        return;
    s->suspended = false;
    MHD_resume_connection(s->connection);
}

static void end(stream *s) {
    s->ended = true;
    resume(s);
}

static void append(stream *s, atg_str text) {
    char *more;

    if (s->at == s->n)
        s->at = s->n = 0;
    if (s->n + text.n > ROOM) {
        end(s);
        return;
    }
    more = mem_grow(s->bytes, s->n + text.n);
    if (!more) {
        end(s);
        return;
    }
    s->bytes = more;
    memcpy(more + s->n, text.p, text.n);
    s->n += text.n;
    s->sent = service_clock();
    resume(s);
}

/* ---- libmicrohttpd asks for bytes ---- */

static ssize_t read_bytes(void *user, uint64_t pos, char *ret, size_t size) {
    stream *s = user;
    ssize_t given = 0;

    (void)pos;
    pthread_mutex_lock(&s->h->lock);
    if (s->at < s->n) {
        size_t n = s->n - s->at < size ? s->n - s->at : size;

        memcpy(ret, s->bytes + s->at, n);
        given = (ssize_t)n;
        s->at += n;
        if (s->at == s->n) {
            mem_free(s->bytes);
            s->bytes = NULL;
            s->at = s->n = 0;
        }
    } else if (s->ended) {
        given = MHD_CONTENT_READER_END_OF_STREAM;
    } else {
        s->suspended = true;
        MHD_suspend_connection(s->connection);
    }
    pthread_mutex_unlock(&s->h->lock);
    return given;
}

static void forget(void *user) {
    stream *s = user;
    hub *h = s->h;

    pthread_mutex_lock(&h->lock);
    if (s->before)
        s->before->next = s->next;
    else
        h->first = s->next;
    if (s->next)
        s->next->before = s->before;
    h->n--;
    pthread_mutex_unlock(&h->lock);
    bytes_wipe(s->token, sizeof(s->token));
    mem_free(s->bytes);
    mem_free(s);
}

/* ---- what is new ---- */

static atg_str write_event(atg_arena *arena, const event *e) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(LINE);
    atg_str text = {NULL, 0};
    json j;

    if (!buf)
        return text;
    atg_buf_printf(buf, "id: %lld\nevent: change\ndata: ", (long long)e->id);
    j = json_new(buf);
    json_object_line(&j);
    cases_put_text(&j, "action", e->action);
    cases_put_id(&j, "operation", &e->operation);
    cases_put_id(&j, "file", &e->file);
    cases_put_text(&j, "code", e->code);
    cases_put_text(&j, "file_kind", atg_str_of(record_types[e->in].name));
    cases_put_text(&j, "kind", atg_str_of(record_types[e->kind].name));
    cases_put_id(&j, "record", &e->record);
    cases_put_number(&j, "rev", e->rev);
    json_end(&j, '}');
    /* the writer has ended the line */
    atg_buf_adds(buf, "\n");
    return atg_buf_take(buf, &text, NULL) ? (atg_str){NULL, 0} : atg_arena_str(arena, text);
}

static void hand_over(hub *h, const event *events, const atg_str *texts, uint32_t n,
                      int64_t until) {
    pthread_mutex_lock(&h->lock);
    for (stream *s = h->first; s; s = s->next) {
        for (uint32_t i = 0; i < n && !s->ended; i++)
            if (events[i].id > s->after && texts[i].n &&
                events_may_see(s->grants, s->n_grants, &events[i]))
                append(s, texts[i]);
        if (until > s->after)
            s->after = until;
    }
    pthread_mutex_unlock(&h->lock);
}

/* Where the one that is furthest behind stands. */
static bool slowest(hub *h, int64_t *ret) {
    bool any = false;

    pthread_mutex_lock(&h->lock);
    for (const stream *s = h->first; s; s = s->next) {
        if (s->ended)
            continue;
        if (!any || s->after < *ret)
            *ret = s->after;
        any = true;
    }
    pthread_mutex_unlock(&h->lock);
    return any;
}

/* True: there is more. */
static bool look(hub *h) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    events_wish w = {.limit = BATCH};
    event *events;
    atg_str texts[BATCH];
    uint32_t n;
    int64_t until;

    if (!arena || !slowest(h, &w.after) || events_last(h->c, &w.until, NULL) ||
        w.until <= w.after || events_read(h->c, arena, &w, &events, &n, &until, NULL))
        return false;
    for (uint32_t i = 0; i < n; i++)
        texts[i] = write_event(arena, &events[i]);
    hand_over(h, events, texts, n, until);
    return until < w.until;
}

/* ---- whose it still is ---- */

static bool still_in(hub *h, const char *token, stream *ret) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    session_state state;
    account_roles *grants;
    uint32_t n;

    if (!arena ||
        account_session_look(h->c, arena, (atg_str){token, ACCOUNT_TOKEN}, &state, NULL) ||
        events_grants(h->c, arena, &state.who.account, &grants, &n, NULL))
        return false;
    ret->n_grants = n < GRANTS ? n : GRANTS;
    memcpy(ret->grants, grants, ret->n_grants * sizeof(*grants));
    return true;
}

/* One whose session was not looked at for a while; its place, which stays valid only under the
 * lock. */
static bool oldest(hub *h, int64_t now, char token[ACCOUNT_TOKEN]) {
    bool found = false;

    pthread_mutex_lock(&h->lock);
    for (stream *s = h->first; s && !found; s = s->next) {
        found = !s->ended && now - s->seen > REFRESH_US;
        if (found)
            memcpy(token, s->token, ACCOUNT_TOKEN);
    }
    pthread_mutex_unlock(&h->lock);
    return found;
}

static void refresh(hub *h, int64_t now) {
    char token[ACCOUNT_TOKEN];

    while (oldest(h, now, token)) {
        stream fresh = {.n_grants = 0};
        bool in = still_in(h, token, &fresh);

        pthread_mutex_lock(&h->lock);
        for (stream *s = h->first; s; s = s->next) {
            if (memcmp(s->token, token, ACCOUNT_TOKEN) != 0)
                continue;
            s->seen = now;
            s->n_grants = fresh.n_grants;
            memcpy(s->grants, fresh.grants, sizeof(fresh.grants));
            if (!in)
                end(s);
        }
        pthread_mutex_unlock(&h->lock);
    }
    bytes_wipe(token, sizeof(token));
}

/* A line that says nothing shows who has gone. */
static void beat(hub *h, int64_t now) {
    pthread_mutex_lock(&h->lock);
    for (stream *s = h->first; s; s = s->next)
        if (!s->ended && now - s->sent > HEARTBEAT_US)
            append(s, ATG_STR(":\n\n"));
    pthread_mutex_unlock(&h->lock);
}

static void *watch(void *user) {
    hub *h = user;

    pthread_mutex_lock(&h->lock);
    while (!h->stopping) {
        struct timespec until;

        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += LOOK_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        (void)pthread_cond_timedwait(&h->wake, &h->lock, &until);
        pthread_mutex_unlock(&h->lock);
        refresh(h, service_clock());
        while (look(h))
            ;
        beat(h, service_clock());
        pthread_mutex_lock(&h->lock);
    }
    pthread_mutex_unlock(&h->lock);
    return NULL;
}

/* ---- the whole ---- */

int hub_open(cases *c, hub **ret, atg_err *err) {
    hub *h = mem_zero(1, sizeof(*h));

    if (!h)
        return atg_fail(err, ATG_ENOMEM, "Out of memory starting the service");
    h->c = c;
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->wake, NULL);
    if (pthread_create(&h->thread, NULL, watch, h)) {
        hub_close(h);
        return atg_fail(err, ATG_EIO, "The system gives no more threads");
    }
    h->running = true;
    *ret = h;
    return ATG_OK;
}

void hub_stop(hub *h) {
    if (!h)
        return;
    pthread_mutex_lock(&h->lock);
    h->stopping = true;
    for (stream *s = h->first; s; s = s->next)
        end(s);
    pthread_cond_broadcast(&h->wake);
    pthread_mutex_unlock(&h->lock);
    if (h->running)
        pthread_join(h->thread, NULL);
    h->running = false;
}

void hub_close(hub *h) {
    if (!h)
        return;
    hub_stop(h);
    pthread_cond_destroy(&h->wake);
    pthread_mutex_destroy(&h->lock);
    mem_free(h);
}

uint32_t hub_count(hub *h) {
    uint32_t n;

    pthread_mutex_lock(&h->lock);
    n = h->n;
    pthread_mutex_unlock(&h->lock);
    return n;
}

void hub_tell(hub *h, const uuid *account, atg_str text) {
    pthread_mutex_lock(&h->lock);
    for (stream *s = h->first; s; s = s->next)
        if (!s->ended && uuid_cmp(&s->account, account) == 0)
            append(s, text);
    pthread_mutex_unlock(&h->lock);
}

static bool join(hub *h, stream *s) {
    bool in;

    pthread_mutex_lock(&h->lock);
    in = !h->stopping && h->n < STREAMS_MAX;
    if (in) {
        s->next = h->first;
        if (h->first)
            h->first->before = s;
        h->first = s;
        h->n++;
        append(s, ATG_STR("retry: 3000\n\n"));
    }
    pthread_mutex_unlock(&h->lock);
    return in;
}

int hub_add(hub *h, request *q, int64_t after, atg_err *err) {
    stream *s = mem_zero(1, sizeof(*s));
    int rc = s ? ATG_OK : atg_fail(err, ATG_ENOMEM, "Out of memory for a stream");

    if (!rc && after < 0)
        rc = events_last(h->c, &after, err);
    if (rc) {
        mem_free(s);
        return rc;
    }
    s->h = h;
    s->connection = q->connection;
    s->after = after;
    s->account = q->who.account;
    memcpy(s->token, q->authorization.p + 7, ACCOUNT_TOKEN);
    /* once it has joined it is the watcher's too */
    s->seen = service_clock();
    if (!still_in(h, s->token, s) || !join(h, s)) {
        mem_free(s);
        return request_refuse(q, PROBLEM_BUSY, err, "There are too many streams: try again");
    }
    q->stream = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, read_bytes, s, forget);
    if (q->stream)
        return ATG_OK;
    forget(s);
    return atg_fail(err, ATG_ENOMEM, "Out of memory for a stream");
}
