/* SPDX-License-Identifier: Apache-2.0 */
#include "app/tasks.h"

#include <string.h>

#include "app/cases_internal.h"
#include "app/matcher.h"
#include "app/rights.h"
#include "base/clock.h"
#include "crypto/seal.h"
#include "store/accounts.h"
#include "store/jobs.h"

enum { PLACE = 40 };

typedef struct work {
    cases *c;
    const actor *who;
    atg_arena *arena;
    const uuid *id;
    task_row row;
    task_row *rows;
    task_claimed *claimed;
    uint32_t n;
    atg_str worker;
    atg_str text; /* to be sealed */
    int64_t lease;
    bool own, cancel;
} work;

/* ---- sealing ---- */

static atg_str place_of(const uuid *id, char what, char ret[PLACE]) {
    static const char name[] = "antigone/task/1";
    size_t n = sizeof(name) - 1;

    memcpy(ret, name, n);
    ret[n] = what;
    memcpy(ret + n + 1, id->bytes, UUID_SIZE);
    return (atg_str){ret, n + 1 + UUID_SIZE};
}

static int seal_text(db *d, const work *w, char what, atg_str *ret, atg_err *err) {
    KEY_AUTO key256 key = {{0}};
    unsigned char *sealed = atg_arena_get(w->arena, w->text.n + SEAL_OVERHEAD, 1);
    char place[PLACE];
    int rc = sealed ? keys_site(d, w->c->keys, SITE_TASKS, &key, err)
                    : atg_fail(err, ATG_ENOMEM, "Out of memory for what is being done");

    if (!rc)
        rc = seal_make(&key, place_of(&w->row.id, what, place), w->text, sealed, err);
    if (!rc)
        *ret = (atg_str){(const char *)sealed, w->text.n + SEAL_OVERHEAD};
    return rc;
}

static int open_text(db *d, const work *w, char what, const uuid *id, atg_str *text, atg_err *err) {
    KEY_AUTO key256 key = {{0}};
    char place[PLACE];
    char *plain;
    int rc;

    if (text->n <= SEAL_OVERHEAD) {
        *text = (atg_str){"", 0};
        return ATG_OK;
    }
    plain = atg_arena_get(w->arena, text->n - SEAL_OVERHEAD + 1, 1);
    rc = plain ? keys_site(d, w->c->keys, SITE_TASKS, &key, err)
               : atg_fail(err, ATG_ENOMEM, "Out of memory for what is being done");
    if (!rc)
        rc = seal_open(&key, place_of(id, what, place), *text, (unsigned char *)plain, err);
    if (rc)
        return rc == ATG_EDENIED ? atg_fail(err, ATG_EDB, "What is kept of a job is damaged") : rc;
    plain[text->n - SEAL_OVERHEAD] = '\0';
    *text = (atg_str){plain, text->n - SEAL_OVERHEAD};
    return ATG_OK;
}

/* ---- who asked ---- */

static int add(db *d, void *user, atg_err *err) {
    work *w = user;
    int64_t n = 0;
    int rc = tasks_forget(d, clock_now() - (int64_t)TASK_KEPT_S * 1000000, err);

    if (!rc)
        rc = tasks_open(d, &w->row.account, &n, err);
    if (!rc && n >= TASKS_OPEN_MAX)
        rc = atg_fail(err, ATG_ELIMIT,
                      "This account has %d jobs that have not ended: wait for one, or cancel it",
                      TASKS_OPEN_MAX);
    if (!rc)
        rc = seal_text(d, w, 'q', &w->row.ask, err);
    return rc ? rc : tasks_add(d, &w->row, w->worker, w->lease, err);
}

static int64_t lease_end(void) {
    return clock_now() + (int64_t)TASK_LEASE_S * 1000000;
}

int task_new(cases *c, const actor *who, const task_wish *wish, uuid *ret, atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(CASES_ARENA);
    work w = {.c = c,
              .arena = arena,
              .row = {.account = who->account,
                      .kind = wish->kind,
                      .made = clock_now(),
                      .again = wish->again},
              .worker = wish->worker,
              .text = wish->ask,
              .lease = lease_end()};
    int rc = arena ? uuid_new(&w.row.id, err)
                   : atg_fail(err, ATG_ENOMEM, "Out of memory for what is being done");

    if (!rc && wish->ask.n > TASK_ASK_MAX)
        rc = atg_fail(err, ATG_ELIMIT, "What is asked is too long to be done as a job");
    if (!rc)
        rc = store_write(c->s, add, &w, err);
    if (!rc)
        *ret = w.row.id;
    return rc;
}

static int look(db *d, void *user, atg_err *err) {
    work *w = user;
    int rc = tasks_get(d, w->arena, w->id, &w->row, err);

    if (!rc && uuid_cmp(&w->row.account, &w->who->account) != 0)
        rc = atg_fail(err, ATG_ENOTFOUND, "There is no such job");
    w->row.ask = (atg_str){"", 0};
    return rc ? rc : open_text(d, w, 'a', w->id, &w->row.answer, err);
}

int task_look(cases *c, const actor *who, atg_arena *arena, const uuid *id, task_row *ret,
              atg_err *err) {
    work w = {.c = c, .who = who, .arena = arena, .id = id};
    int rc = store_read(c->s, look, &w, err);

    if (!rc)
        *ret = w.row;
    return rc;
}

static int list(db *d, void *user, atg_err *err) {
    work *w = user;

    return tasks_list(d, w->arena, &w->who->account, &w->rows, &w->n, err);
}

int task_list(cases *c, const actor *who, atg_arena *arena, task_row **ret, uint32_t *ret_n,
              atg_err *err) {
    work w = {.c = c, .who = who, .arena = arena};
    int rc = store_read(c->s, list, &w, err);

    if (rc)
        return rc;
    *ret = w.rows;
    *ret_n = w.n;
    return ATG_OK;
}

static int cancel(db *d, void *user, atg_err *err) {
    work *w = user;
    int rc = look(d, w, err);

    return rc ? rc : tasks_cancel(d, w->id, err);
}

int task_cancel(cases *c, const actor *who, const uuid *id, atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(CASES_ARENA);
    work w = {.c = c, .who = who, .arena = arena, .id = id};

    return arena ? store_write(c->s, cancel, &w, err)
                 : atg_fail(err, ATG_ENOMEM, "Out of memory for what is being done");
}

/* ---- who does it ---- */

static int step(db *d, void *user, atg_err *err) {
    work *w = user;

    return tasks_step(d, &w->row, w->worker, w->lease, &w->cancel, err);
}

/* Beside the writer, where the database can: the work itself may be what it writes. */
int task_step(cases *c, const task_row *t, atg_str worker, bool *ret_cancel, atg_err *err) {
    work w = {.row = *t, .worker = worker, .lease = lease_end()};
    int rc = store_queue(c->s, step, &w, err);

    if (!rc)
        *ret_cancel = w.cancel;
    return rc;
}

static int end(db *d, void *user, atg_err *err) {
    work *w = user;
    int rc = w->text.n ? seal_text(d, w, 'a', &w->row.answer, err) : ATG_OK;

    return rc ? rc : tasks_end(d, &w->row, w->worker, err);
}

int task_end(cases *c, const task_row *t, atg_str worker, atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(CASES_ARENA);
    work w = {.c = c, .arena = arena, .row = *t, .worker = worker, .text = t->answer};

    w.row.ended = clock_now();
    return arena ? store_write(c->s, end, &w, err)
                 : atg_fail(err, ATG_ENOMEM, "Out of memory for what is being done");
}

static int give_back(db *d, void *user, atg_err *err) {
    work *w = user;

    return tasks_release(d, w->id, w->worker, err);
}

int task_release(cases *c, const uuid *id, atg_str worker, atg_err *err) {
    work w = {.id = id, .worker = worker};

    return store_write(c->s, give_back, &w, err);
}

/* Nobody, when the account may act no more. */
static int find_actor(db *d, const work *w, const task_row *t, actor *ret, atg_err *err) {
    account_row a;
    int rc = accounts_get(d, w->arena, &t->account, &a, err);

    *ret = (actor){.reason = {"", 0}};
    if (rc == ATG_ENOTFOUND)
        return ATG_OK;
    if (!rc && !a.blocked) {
        ret->account = a.id;
        ret->name = a.name;
    }
    return rc;
}

static int claim(db *d, void *user, atg_err *err) {
    work *w = user;
    task_claim_how how = {w->worker, w->own, clock_now(), w->lease};
    task_row *rows = NULL;
    int rc = tasks_claim(d, w->arena, &how, &rows, &w->n, err);

    w->claimed = rc ? NULL : ATG_GET(w->arena, task_claimed, w->n ? w->n : 1);
    if (!rc && !w->claimed)
        rc = atg_fail(err, ATG_ENOMEM, "Out of memory for what is being done");
    for (uint32_t i = 0; i < w->n && !rc; i++) {
        w->claimed[i].row = rows[i];
        rc = open_text(d, w, 'q', &rows[i].id, &w->claimed[i].row.ask, err);
        if (!rc)
            rc = find_actor(d, w, &rows[i], &w->claimed[i].who, err);
    }
    return rc;
}

int task_claim(cases *c, atg_arena *arena, atg_str worker, bool own, task_claimed **ret,
               uint32_t *ret_n, atg_err *err) {
    work w = {.c = c, .arena = arena, .worker = worker, .own = own, .lease = lease_end()};
    int rc = store_write(c->s, claim, &w, err);

    if (rc)
        return rc;
    *ret = w.claimed;
    *ret_n = w.n;
    return ATG_OK;
}

/* ---- a run of the matcher ---- */

typedef struct matching {
    const actor *who;
    const uuid *operation;
    task_matching found;
} matching;

static int may_match(db *d, void *user, atg_err *err) {
    const matching *w = user;
    uint32_t roles = 0;
    int rc = cases_roles(d, w->who, w->operation, &roles, err);

    return rc ? rc : rights_action(roles, ACTION_MATCH, -1, -1, err);
}

int task_match_right(cases *c, const actor *who, const uuid *operation, atg_err *err) {
    matching w = {.who = who, .operation = operation};

    return store_read(c->s, may_match, &w, err);
}

static int ask_matchers(db *d, void *user, atg_err *err) {
    const matching *w = user;
    int rc = may_match(d, user, err);

    return rc ? rc : matcher_ask(d, w->operation, err);
}

int task_match_begin(cases *c, const actor *who, const uuid *operation, atg_err *err) {
    matching w = {.who = who, .operation = operation};

    return store_write(c->s, ask_matchers, &w, err);
}

static int count(db *d, void *user, atg_err *err) {
    matching *w = user;
    int64_t n[3];
    int rc = jobs_count(d, w->operation, n, err);

    if (!rc)
        w->found = (task_matching){n[0], n[1], n[2]};
    return rc;
}

int task_match_look(cases *c, const uuid *operation, task_matching *ret, atg_err *err) {
    matching w = {.operation = operation};
    int rc = store_read(c->s, count, &w, err);

    if (!rc)
        *ret = w.found;
    return rc;
}

static int may_verify(db *d, void *user, atg_err *err) {
    const matching *w = user;
    static const uuid everywhere;
    uint32_t roles = 0;
    int rc = cases_roles(d, w->who, &everywhere, &roles, err);

    return rc ? rc : rights_action(roles, ACTION_AUDIT, -1, -1, err);
}

int task_verify_right(cases *c, const actor *who, atg_err *err) {
    matching w = {.who = who};

    return store_read(c->s, may_verify, &w, err);
}
