/* SPDX-License-Identifier: Apache-2.0 */
#include "server/runner.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "app/cases_json.h"
#include "app/tasks.h"
#include "base/clock.h"
#include "base/json_read.h"
#include "base/mem.h"
#include "server/events.h"
#include "server/service_internal.h"

enum {
    LOOK_MS = 500,
    STEP_US = 1000000,   /* how often what changed is written down, at most */
    LEASE_US = 30000000, /* and what did not change, since the lease is to go on */
    ORPHANS_US = 30000000,
    WORKER_NAME = 160,
    PHASE = 48,
    STATUS = 3, /* digits before what was answered, as it is kept */
    EVENT = 1024,
    CLAIM_ARENA = 64 << 20,
};

struct job_run {
    job_run *next;
    runner *r;
    request *q;
    pool_job job;
    uuid id, account;
    const char *kind;
    atomic_bool cancel, lost; /* somebody wants its end; it is another's now */
    /* under the lock */
    char phase[PHASE];
    uint64_t done, total;
    bool changed, parked;
    int64_t stepped;
};

struct runner {
    service *s;
    char name[WORKER_NAME];
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t thread;
    job_run *first;
    bool watching, stopping;
};

/* ---- telling ---- */

static void put_state(json *j, const task_row *t) {
    cases_put_text(j, "kind", t->kind);
    cases_put_text(j, "state", atg_str_of(task_states[t->state]));
    cases_put_text(j, "phase", t->phase);
    cases_put_number(j, "done", t->done);
    cases_put_number(j, "total", t->total);
}

static void tell(const job_run *u, const task_row *t) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(EVENT);
    atg_str text;
    json j;

    if (!buf)
        return;
    atg_buf_adds(buf, "event: job\ndata: ");
    j = json_new(buf);
    json_object_line(&j);
    cases_put_id(&j, "job", &t->id);
    put_state(&j, t);
    json_end(&j, '}');
    atg_buf_adds(buf, "\n");
    if (!atg_buf_take(buf, &text, NULL))
        hub_tell(u->r->s->hub, &u->account, text);
}

/* What was answered is kept as its status and its text. */
void runner_write(request *q, const task_row *t) {
    json *j = &q->j;
    int status = 0;

    json_object_line(j);
    cases_put_id(j, "id", &t->id);
    put_state(j, t);
    cases_put_instant(j, "made", t->made);
    cases_put_instant(j, "ended", t->ended);
    json_key(j, "cancelling");
    json_bool(j, t->cancel && !t->ended);
    for (size_t i = 0; i < STATUS && t->answer.n >= STATUS; i++)
        status = 10 * status + (t->answer.p[i] - '0');
    if (status) {
        cases_put_number(j, "status", status);
        json_key(j, status < 400 ? "result" : "problem");
        if (t->answer.n > STATUS)
            json_raw(j, (atg_str){t->answer.p + STATUS, t->answer.n - STATUS});
        else
            json_none(j);
    }
    json_end(j, '}');
}

/* ---- the list ---- */

static void enter(job_run *u) {
    runner *r = u->r;

    pthread_mutex_lock(&r->lock);
    u->next = r->first;
    r->first = u;
    pthread_mutex_unlock(&r->lock);
}

static void leave(job_run *u) {
    runner *r = u->r;

    pthread_mutex_lock(&r->lock);
    for (job_run **p = &r->first; *p; p = &(*p)->next)
        if (*p == u) {
            *p = u->next;
            break;
        }
    pthread_mutex_unlock(&r->lock);
    request_free(u->q);
    mem_free(u);
}

static bool may_go_on(job_run *u) {
    service *s = u->r->s;

    if (atomic_load(&u->cancel) || atomic_load(&u->lost))
        return false;
    return !atomic_load(u->q->route->again ? &s->stopping : &s->hurry);
}

bool runner_go_on(job_run *u, const char *phase, uint64_t done, uint64_t total) {
    pthread_mutex_lock(&u->r->lock);
    (void)snprintf(u->phase, sizeof(u->phase), "%s", phase ? phase : "");
    u->done = done;
    u->total = total;
    u->changed = true;
    pthread_mutex_unlock(&u->r->lock);
    return may_go_on(u);
}

/* Under the lock. */
static task_row state_now(const job_run *u, task_state state) {
    return (task_row){.id = u->id,
                      .account = u->account,
                      .kind = atg_str_of(u->kind),
                      .state = state,
                      .phase = atg_str_of(u->phase),
                      .done = (int64_t)u->done,
                      .total = (int64_t)u->total};
}

/* ---- doing ---- */

static atg_str answer_of(request *q) {
    atg_str body = {"", 0};

    if (q->out && atg_buf_take(q->out, &body, NULL) == ATG_OK && body.n > TASK_ANSWER_MAX) {
        reply_problem(q, PROBLEM_TOO_LARGE, "The answer is too large: ask for less", NULL);
        if (!q->out || atg_buf_take(q->out, &body, NULL))
            body = (atg_str){"", 0};
    }
    return atg_arena_printf(q->arena, "%03u%.*s", q->status, ATG_FMT(body));
}

static void finish(job_run *u, task_state state) {
    runner *r = u->r;
    char phase[PHASE], line[2 * PHASE];
    atg_err err = {0};
    task_row t;

    pthread_mutex_lock(&r->lock);
    memcpy(phase, u->phase, sizeof(phase));
    t = state_now(u, state);
    pthread_mutex_unlock(&r->lock);
    t.phase = atg_str_of(phase);
    if (state == TASK_DONE || state == TASK_FAILED)
        t.answer = answer_of(u->q);
    if (task_end(r->s->c, &t, atg_str_of(r->name), &err) && err.code != ATG_ECONFLICT)
        logs_event(r->s, "job", err.msg);
    else
        tell(u, &t);
    (void)snprintf(line, sizeof(line), "%s %s, %lld ms", u->kind, task_states[state],
                   (long long)((service_clock() - u->q->began) / 1000));
    logs_event(r->s, "job", line);
    leave(u);
}

static void interrupted(request *q) {
    reply_problem(q, PROBLEM_INTERRUPTED,
                  "Ask again: what has come in already is not taken in twice", NULL);
}

static void come_to_rest(job_run *u, int rc, const atg_err *err) {
    service *s = u->r->s;
    bool stopped = rc == ATG_ECANCEL;

    if (atomic_load(&u->lost)) {
        leave(u);
    } else if (stopped && atomic_load(&u->cancel)) {
        finish(u, TASK_CANCELLED);
    } else if (stopped && atomic_load(&s->stopping) && u->q->route->again) {
        (void)task_release(s->c, &u->id, atg_str_of(u->r->name), NULL);
        leave(u);
    } else if (stopped && atomic_load(&s->stopping)) {
        interrupted(u->q);
        finish(u, TASK_FAILED);
    } else {
        request_settle(u->q, rc, err);
        finish(u, u->q->status < 400 ? TASK_DONE : TASK_FAILED);
    }
}

static void do_it(void *user) {
    job_run *u = user;
    request *q = u->q;
    atg_err err = {0};
    int rc;

    q->later = false;
    rc = may_go_on(u) ? q->route->run(q, &err) : atg_fail(&err, ATG_ECANCEL, "Stopped");
    q->turn++;
    if (!rc && q->later) {
        pthread_mutex_lock(&u->r->lock);
        u->parked = true;
        pthread_mutex_unlock(&u->r->lock);
        return;
    }
    come_to_rest(u, rc, &err);
}

/* False: the pool takes nothing more. */
static bool push(job_run *u) {
    u->job = (pool_job){do_it, u, NULL};
    return pool_push(u->r->s->pool, POOL_JOB, &u->job);
}

/* ---- looking after them ---- */

/* The rows to be written now; what they point to is in the arena. */
static uint32_t collect(runner *r, atg_arena *arena, task_row rows[TASKS_LIST_MAX], int64_t now) {
    uint32_t n = 0;

    pthread_mutex_lock(&r->lock);
    for (job_run *u = r->first; u && n < TASKS_LIST_MAX; u = u->next) {
        int64_t since = now - u->stepped;

        if (since < STEP_US || (!u->changed && since < LEASE_US))
            continue;
        u->stepped = now;
        u->changed = false;
        rows[n] = state_now(u, TASK_RUNNING);
        rows[n++].phase = atg_arena_str(arena, atg_str_of(u->phase));
    }
    pthread_mutex_unlock(&r->lock);
    return n;
}

static void heed(runner *r, const task_row *t, bool stop, bool lost) {
    pthread_mutex_lock(&r->lock);
    for (job_run *u = r->first; u; u = u->next)
        if (uuid_cmp(&u->id, &t->id) == 0) {
            if (stop)
                atomic_store(&u->cancel, true);
            if (lost)
                atomic_store(&u->lost, true);
            else
                tell(u, t);
        }
    pthread_mutex_unlock(&r->lock);
}

static void write_down(runner *r) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
    task_row rows[TASKS_LIST_MAX];
    uint32_t n = arena ? collect(r, arena, rows, service_clock()) : 0;

    for (uint32_t i = 0; i < n; i++) {
        bool stop = false;
        int rc = task_step(r->s->c, &rows[i], atg_str_of(r->name), &stop, NULL);

        heed(r, &rows[i], stop, rc == ATG_ECONFLICT);
    }
}

/* Those that wait for something look again. */
static void wake_parked(runner *r) {
    for (bool any = true; any;) {
        job_run *found = NULL;

        pthread_mutex_lock(&r->lock);
        for (job_run *u = r->first; u && !found; u = u->next)
            if (u->parked)
                found = u;
        if (found)
            found->parked = false;
        pthread_mutex_unlock(&r->lock);
        any = found && push(found);
        if (found && !any) {
            pthread_mutex_lock(&r->lock);
            found->parked = true;
            pthread_mutex_unlock(&r->lock);
        }
    }
}

/* ---- making one ---- */

static job_run *run_new(runner *r, request *q, const uuid *id) {
    job_run *u = mem_zero(1, sizeof(*u));

    if (!u)
        return NULL;
    u->r = r;
    u->q = q;
    u->id = *id;
    u->account = q->who.account;
    u->kind = q->route->job;
    u->stepped = service_clock() - STEP_US;
    q->done_as = u;
    return u;
}

static int write_ask(request *q, atg_str *ret, atg_err *err) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(TASK_ASK_MAX);
    json j;
    atg_str text = {NULL, 0};
    int rc;

    if (!buf)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a job");
    j = json_new(buf);
    json_object_line(&j);
    if (q->route->again) {
        json_key(&j, "method");
        json_text(&j, q->route->method);
        json_key(&j, "target");
        json_text(&j, q->raw);
        cases_put_text(&j, "reason", q->who.reason);
    }
    json_end(&j, '}');
    rc = atg_buf_take(buf, &text, err);
    *ret = atg_arena_str(q->arena, text);
    return rc;
}

/* A request of its own, with all that the first one brought. */
static int detach(request *q, request **ret, atg_err *err) {
    request *own;
    int rc = request_detached(q->s, q->route->method, atg_str_of(q->raw), &own, err);

    if (rc)
        return rc;
    own->who = q->who;
    own->who.name = atg_arena_str(own->arena, q->who.name);
    own->who.reason = atg_arena_str(own->arena, q->who.reason);
    own->fresh = q->fresh;
    own->body = q->body;
    own->json = q->json;
    q->body = NULL;
    q->json = NULL;
    memcpy(own->address, q->address, sizeof(own->address));
    *ret = own;
    return ATG_OK;
}

bool runner_wants(const request *q) {
    return q->route->job && (q->route->flags & ROUTE_JOB || q->prefers_job);
}

static int answer_taken(request *q, const uuid *id, atg_err *err) {
    char text[UUID_TEXT + 1];
    task_row t = {.id = *id,
                  .kind = atg_str_of(q->route->job),
                  .made = clock_now(),
                  .phase = {"", 0},
                  .answer = {"", 0}};
    int rc = reply_json(q, MHD_HTTP_ACCEPTED, err);

    if (rc)
        return rc;
    uuid_text(id, text);
    q->location = atg_arena_printf(q->arena, "/api/v1/jobs/%s", text);
    runner_write(q, &t);
    return ATG_OK;
}

static int start(runner *r, request *own, const uuid *id, atg_err *err) {
    job_run *u = run_new(r, own, id);
    task_row t = {.id = *id, .state = TASK_FAILED, .phase = {"", 0}, .answer = {"503", 3}};

    if (u) {
        enter(u);
        if (push(u))
            return ATG_OK;
        leave(u);
    } else {
        request_free(own);
    }
    (void)task_end(r->s->c, &t, atg_str_of(r->name), NULL);
    return atg_fail(err, ATG_ENOMEM, "Too much is being done at the moment: try again");
}

int runner_take(runner *r, request *q, atg_err *err) {
    task_wish w = {
        .kind = atg_str_of(q->route->job), .worker = atg_str_of(r->name), .again = q->route->again};
    request *own = NULL;
    uuid id;
    int rc = q->route->may ? q->route->may(q, err) : ATG_OK;

    if (!rc)
        rc = write_ask(q, &w.ask, err);
    if (!rc)
        rc = task_new(r->s->c, &q->who, &w, &id, err);
    if (rc == ATG_ELIMIT)
        q->problem = PROBLEM_RATE;
    if (!rc)
        rc = detach(q, &own, err);
    if (!rc)
        rc = start(r, own, &id, err);
    return rc ? rc : answer_taken(q, &id, err);
}

void runner_look(runner *r, atg_arena *arena, task_row *t) {
    pthread_mutex_lock(&r->lock);
    for (job_run *u = r->first; u && !t->ended; u = u->next) {
        if (uuid_cmp(&u->id, &t->id) != 0 || !u->phase[0])
            continue;
        t->state = TASK_RUNNING;
        t->phase = atg_arena_str(arena, atg_str_of(u->phase));
        t->done = (int64_t)u->done;
        t->total = (int64_t)u->total;
    }
    pthread_mutex_unlock(&r->lock);
}

void runner_cancel(runner *r, const uuid *id) {
    pthread_mutex_lock(&r->lock);
    for (job_run *u = r->first; u; u = u->next)
        if (uuid_cmp(&u->id, id) == 0)
            atomic_store(&u->cancel, true);
    pthread_mutex_unlock(&r->lock);
}

/* ---- what an earlier service left ---- */

static int revive(runner *r, const task_claimed *t, atg_err *err) {
    json_error_t where;
    json_t *ask = json_loadb(t->row.ask.p, t->row.ask.n, 0, &where);
    const char *method = json_string_value(json_object_get(ask, "method"));
    const char *raw = json_string_value(json_object_get(ask, "target"));
    const char *reason = json_string_value(json_object_get(ask, "reason"));
    request *q = NULL;
    int rc = method && raw ? request_detached(r->s, method, atg_str_of(raw), &q, err)
                           : atg_fail(err, ATG_EPARSE, "This job cannot be begun anew");

    if (!rc) {
        q->who = t->who;
        q->who.name = atg_arena_str(q->arena, t->who.name);
        q->who.reason = atg_arena_str(q->arena, atg_str_of(reason ? reason : ""));
        rc = start(r, q, &t->row.id, err);
    }
    json_decref(ask);
    return rc;
}

/* Nobody goes on with it: whoever asked learns why. */
static void bury(runner *r, const task_claimed *t) {
    request *q;
    task_row row = t->row;

    row.state = TASK_FAILED;
    if (request_detached(r->s, "GET", ATG_STR("/api/v1/jobs"), &q, NULL))
        return;
    interrupted(q);
    row.answer = answer_of(q);
    (void)task_end(r->s->c, &row, atg_str_of(r->name), NULL);
    request_free(q);
}

static void take_up(runner *r, bool own) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(CLAIM_ARENA);
    task_claimed *all = NULL;
    uint32_t n = 0;

    if (!arena || task_claim(r->s->c, arena, atg_str_of(r->name), own, &all, &n, NULL))
        return;
    for (uint32_t i = 0; i < n; i++)
        if (!all[i].row.again || uuid_none(&all[i].who.account) || revive(r, &all[i], NULL))
            bury(r, &all[i]);
}

/* ---- the whole ---- */

static void *watch(void *user) {
    runner *r = user;
    int64_t looked = service_clock();

    pthread_mutex_lock(&r->lock);
    while (!r->stopping) {
        struct timespec until;

        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += LOOK_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        (void)pthread_cond_timedwait(&r->wake, &r->lock, &until);
        pthread_mutex_unlock(&r->lock);
        write_down(r);
        wake_parked(r);
        if (service_clock() - looked > ORPHANS_US && !atomic_load(&r->s->stopping)) {
            take_up(r, false);
            looked = service_clock();
        }
        pthread_mutex_lock(&r->lock);
    }
    pthread_mutex_unlock(&r->lock);
    return NULL;
}

int runner_open(service *s, runner **ret, atg_err *err) {
    runner *r = mem_zero(1, sizeof(*r));
    char host[64] = "";

    if (!r)
        return atg_fail(err, ATG_ENOMEM, "Out of memory starting the service");
    r->s = s;
    (void)gethostname(host, sizeof(host) - 1);
    (void)snprintf(r->name, sizeof(r->name), "%s/%s", host, s->o.listen);
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->wake, NULL);
    *ret = r;
    return ATG_OK;
}

int runner_begin(runner *r, atg_err *err) {
    take_up(r, true);
    if (pthread_create(&r->thread, NULL, watch, r))
        return atg_fail(err, ATG_EIO, "The system gives no more threads");
    r->watching = true;
    return ATG_OK;
}

void runner_stop(runner *r) {
    if (!r)
        return;
    pthread_mutex_lock(&r->lock);
    r->stopping = true;
    pthread_cond_broadcast(&r->wake);
    pthread_mutex_unlock(&r->lock);
    if (r->watching)
        pthread_join(r->thread, NULL);
    r->watching = false;
    while (r->first) {
        (void)task_release(r->s->c, &r->first->id, atg_str_of(r->name), NULL);
        leave(r->first);
    }
}

void runner_close(runner *r) {
    if (!r)
        return;
    runner_stop(r);
    pthread_cond_destroy(&r->wake);
    pthread_mutex_destroy(&r->lock);
    mem_free(r);
}
