/* SPDX-License-Identifier: Apache-2.0 */
#include "store/listen.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/postgres.h"

enum { CONNECT_MS = 10000, AGAIN_FIRST_MS = 100, AGAIN_MAX_MS = 5000, FAR_MS = 60000 };

typedef enum stage { DOWN, CONNECTING, ASKING, LISTENING } stage;

struct listener {
    int wake;
    char ask[LISTEN_CHANNEL_MAX + 10];
    /* PostgreSQL */
    char *conninfo;
    PGconn *conn;
    stage stage;
    short events;  /* that the connection waits for */
    uint64_t next; /* DOWN: when to try again; else when to give up */
    uint32_t again_ms;
    /* SQLite */
    db *d;
    int64_t version;
};

static const db_statement data_version = {"data_version", "PRAGMA data_version"};
static const db_statement notify = {"notify", "SELECT pg_notify($1, '')"};

int listen_notify(db *d, const char *channel, atg_err *err) {
    int rc;

    if (db_kind_of(d) == DB_SQLITE)
        return ATG_OK;
    if (d->stretch && d->notified == d->stretch && strcmp(d->channel, channel) == 0)
        return ATG_OK;
    rc = db_post(d, &notify, (db_value[]){db_text(atg_str_of(channel))}, 1, err);
    if (rc == ATG_OK) {
        d->notified = d->stretch;
        d->channel = channel;
    }
    return rc;
}

/* ---- PostgreSQL ---- */

static void down(listener *l) {
    PQfinish(l->conn);
    l->conn = NULL;
    l->stage = DOWN;
    l->again_ms = l->again_ms ? 2 * l->again_ms : AGAIN_FIRST_MS;
    l->again_ms = l->again_ms < AGAIN_MAX_MS ? l->again_ms : AGAIN_MAX_MS;
    l->next = now_ms() + l->again_ms;
}

static void dial(listener *l) {
    l->conn = postgres_dial(l->conninfo, CONNECT_MS, false);
    if (!l->conn || PQstatus(l->conn) == CONNECTION_BAD) {
        down(l);
        return;
    }
    l->stage = CONNECTING;
    l->events = POLLOUT;
    l->next = now_ms() + CONNECT_MS;
}

static void go_on_connecting(listener *l) {
    PostgresPollingStatusType at = PQconnectPoll(l->conn);

    l->events = at == PGRES_POLLING_READING ? POLLIN : POLLOUT;
    if (at == PGRES_POLLING_FAILED)
        down(l);
    if (at != PGRES_POLLING_OK)
        return;
    l->stage = ASKING;
    if (PQsetnonblocking(l->conn, 1) || !PQsendQuery(l->conn, l->ask))
        down(l);
}

/* True once it listens. */
static bool hear_answer(listener *l) {
    PGresult *r = NULL;
    bool good = true;
    int left = PQflush(l->conn);

    l->events = left > 0 ? POLLIN | POLLOUT : POLLIN;
    if (left < 0 || !PQconsumeInput(l->conn)) {
        down(l);
        return false;
    }
    while (!PQisBusy(l->conn)) {
        r = PQgetResult(l->conn);
        if (!r) {
            l->stage = LISTENING;
            l->again_ms = 0;
            break;
        }
        good = good && PQresultStatus(r) == PGRES_COMMAND_OK;
        PQclear(r);
    }
    if (!good)
        down(l);
    return l->stage == LISTENING;
}

static bool hear_hints(listener *l) {
    bool heard = false;

    l->events = POLLIN;
    if (!PQconsumeInput(l->conn)) {
        down(l);
        return false;
    }
    for (PGnotify *n = PQnotifies(l->conn); n; n = PQnotifies(l->conn)) {
        heard = true;
        PQfreemem(n);
    }
    return heard;
}

/* Do what can be done without waiting.  True: look. */
static bool step(listener *l) {
    bool late = now_ms() >= l->next;

    switch (l->stage) {
    case DOWN:
        if (late)
            dial(l);
        return false;
    case CONNECTING:
        if (late)
            down(l);
        else
            go_on_connecting(l);
        return false;
    case ASKING:
        if (late)
            down(l);
        return l->conn && hear_answer(l);
    case LISTENING:
        return hear_hints(l);
    }
    return false;
}

/* ---- waiting ---- */

static bool woken(listener *l) {
    uint64_t n;

    return read(l->wake, &n, sizeof(n)) == (ssize_t)sizeof(n);
}

static int shorter(uint64_t a, uint64_t b) {
    return (int)(a < b ? a : b);
}

/* Sleep until something comes, a step is due, or `left_ms` are over. */
static void sleep_on(const listener *l, uint64_t left_ms) {
    struct pollfd fds[2] = {{.fd = l->wake, .events = POLLIN}};
    uint64_t now = now_ms(), due = FAR_MS;

    if (l->conn)
        fds[1] = (struct pollfd){.fd = PQsocket(l->conn), .events = l->events};
    if (l->d)
        due = LISTEN_LOOK_MS;
    else if (l->stage != LISTENING)
        due = l->next > now ? l->next - now : 0;
    (void)poll(fds, l->conn ? 2 : 1, shorter(left_ms, due));
}

static bool sqlite_changed(listener *l) {
    int64_t version = l->version;
    bool changed = db_get_one(l->d, &data_version, NULL, 0, 0, &version, NULL) == ATG_OK &&
                   version != l->version;

    l->version = version;
    return changed;
}

bool listener_wait(listener *l, uint32_t timeout_ms) {
    uint64_t end = now_ms() + timeout_ms;

    for (;;) {
        bool news = l->d ? sqlite_changed(l) : step(l);
        uint64_t now = now_ms();

        if (woken(l) || news)
            return true;
        if (now >= end)
            return false;
        sleep_on(l, end - now);
    }
}

void listener_wake(listener *l) {
    uint64_t one = 1;

    (void)!write(l->wake, &one, sizeof(one));
}

/* ---- opening ---- */

static int set_channel(listener *l, const char *channel, atg_err *err) {
    size_t n = strspn(channel, "abcdefghijklmnopqrstuvwxyz0123456789_");

    if (n == 0 || channel[n] || n > LISTEN_CHANNEL_MAX)
        return atg_fail(err, ATG_EINVAL, "A channel is named in lower-case letters");
    (void)snprintf(l->ask, sizeof(l->ask), "LISTEN %s", channel);
    return ATG_OK;
}

static int set_up(listener *l, const char *directory, const char *conninfo, atg_err *err) {
    db_options options = {.directory = directory};
    int rc;

    l->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (l->wake < 0)
        return atg_fail(err, ATG_EIO, "The system has no more file descriptors");
    if (!conninfo) {
        rc = db_open(&options, &l->d, err);
        return rc ? rc : db_get_one(l->d, &data_version, NULL, 0, 0, &l->version, err);
    }
    rc = postgres_check_conninfo(conninfo, err);
    if (rc)
        return rc;
    l->conninfo = mem_alloc(strlen(conninfo) + 1);
    if (!l->conninfo)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a listener");
    memcpy(l->conninfo, conninfo, strlen(conninfo) + 1);
    return ATG_OK;
}

int listener_open(const char *directory, const char *conninfo, const char *channel, listener **ret,
                  atg_err *err) {
    listener *l = mem_zero(1, sizeof(*l));
    int rc;

    if (!l)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a listener");
    l->wake = -1;
    rc = set_channel(l, channel, err);
    if (rc == ATG_OK)
        rc = set_up(l, directory, conninfo, err);
    if (rc) {
        listener_close(l);
        return rc;
    }
    *ret = l;
    return ATG_OK;
}

void listener_close(listener *l) {
    if (!l)
        return;
    PQfinish(l->conn);
    db_close(l->d);
    if (l->wake >= 0)
        close(l->wake);
    mem_free(l->conninfo);
    mem_free(l);
}
