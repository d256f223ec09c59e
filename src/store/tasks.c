/* SPDX-License-Identifier: Apache-2.0 */
#include "store/tasks.h"

#include <string.h>

const char *const task_states[TASK_STATES + 1] = {"waiting", "running",   "done",
                                                  "failed",  "cancelled", NULL};

#define BRIEF                                                                                      \
    "SELECT id, account, kind, state, made, ended, again, cancel, phase, done, total FROM task "
#define WHOLE                                                                                      \
    "SELECT id, account, kind, state, made, ended, again, cancel, phase, done, total, ask, "       \
    "answer FROM task "

static const db_statement add = {
    "task_add", "INSERT INTO task(id, account, kind, state, made, ended, lease, worker, again, "
                "cancel, phase, done, total, ask, answer) VALUES ($1, $2, $3, 'waiting', $4, 0, "
                "$5, $6, $7, 0, '', 0, 0, $8, $9)"};
static const db_statement get = {"task_get", WHOLE "WHERE id = $1"};
static const db_statement list = {"task_list",
                                  BRIEF "WHERE account = $1 ORDER BY made DESC, id DESC LIMIT $2"};
static const db_statement open_of = {
    "task_open",
    "SELECT count(*) FROM task WHERE account = $1 AND state IN ('waiting', 'running')"};
static const db_statement step = {
    "task_step", "UPDATE task SET state = 'running', phase = $3, done = $4, total = $5, lease = $6 "
                 "WHERE id = $1 AND worker = $2 AND state IN ('waiting', 'running') "
                 "RETURNING cancel"};
static const db_statement end = {
    "task_end", "UPDATE task SET state = $3, ended = $4, phase = $5, done = $6, total = $7, "
                "answer = $8 WHERE id = $1 AND worker = $2 AND state IN ('waiting', 'running')"};
static const db_statement release = {
    "task_release", "UPDATE task SET state = 'waiting', worker = '', lease = 0 "
                    "WHERE id = $1 AND worker = $2 AND state IN ('waiting', 'running')"};
static const db_statement cancel = {"task_cancel", "UPDATE task SET cancel = 1 WHERE id = $1"};
static const db_statement claimable = {"task_claimable", WHOLE
                                       "WHERE state IN ('waiting', 'running') AND (lease < $1 OR "
                                       "worker = $2) ORDER BY made, id LIMIT $3"};
static const db_statement take = {
    "task_take",
    "UPDATE task SET state = 'waiting', worker = $2, lease = $3, phase = '', done = 0, total = 0 "
    "WHERE id = $1 AND state IN ('waiting', 'running') AND (lease < $4 OR worker = $5)"};
static const db_statement forget = {
    "task_forget",
    "DELETE FROM task WHERE state IN ('done', 'failed', 'cancelled') AND ended < $1"};

static db_value id_value(const uuid *id) {
    return db_blob(id->bytes, UUID_SIZE);
}

static int gone(atg_err *err) {
    return atg_fail(err, ATG_ECONFLICT, "This work has ended, or another service has it now");
}

int tasks_add(db *d, const task_row *t, atg_str worker, int64_t lease, atg_err *err) {
    return db_run(d, &add,
                  (db_value[]){id_value(&t->id), id_value(&t->account), db_text(t->kind),
                               db_int(t->made), db_int(lease), db_text(worker), db_int(t->again),
                               db_blob(t->ask.p, t->ask.n), db_blob("", 0)},
                  9, NULL, err);
}

/* ---- reading ---- */

static uuid read_id(db_rows *rows, int at) {
    atg_str bytes = db_get_blob(rows, at);
    uuid id = {{0}};

    if (bytes.n == UUID_SIZE)
        memcpy(id.bytes, bytes.p, UUID_SIZE);
    return id;
}

static task_state state_of(atg_str word) {
    for (int i = 0; i < TASK_STATES; i++)
        if (atg_str_eq(word, atg_str_of(task_states[i])))
            return (task_state)i;
    return TASK_FAILED;
}

static int read_row(atg_arena *arena, db_rows *rows, bool whole, task_row *ret, atg_err *err) {
    task_row t = {.id = read_id(rows, 0),
                  .account = read_id(rows, 1),
                  .kind = atg_arena_str(arena, db_get_text(rows, 2)),
                  .state = state_of(db_get_text(rows, 3)),
                  .made = db_get_int(rows, 4),
                  .ended = db_get_int(rows, 5),
                  .again = db_get_int(rows, 6) != 0,
                  .cancel = db_get_int(rows, 7) != 0,
                  .phase = atg_arena_str(arena, db_get_text(rows, 8)),
                  .done = db_get_int(rows, 9),
                  .total = db_get_int(rows, 10)};

    if (whole) {
        t.ask = atg_arena_str(arena, db_get_blob(rows, 11));
        t.answer = atg_arena_str(arena, db_get_blob(rows, 12));
    }
    if (!t.kind.p || !t.phase.p || (whole && (!t.ask.p || !t.answer.p)))
        return atg_fail(err, ATG_ENOMEM, "Out of memory for what is being done");
    *ret = t;
    return ATG_OK;
}

int tasks_get(db *d, atg_arena *arena, const uuid *id, task_row *ret, atg_err *err) {
    __attribute__((cleanup(db_rows_freep))) db_rows *rows = NULL;
    db_value key = id_value(id);
    int rc = db_query(d, &get, &key, 1, &rows, err);

    if (!rc)
        rc = db_next(rows, err);
    if (rc == 0)
        return atg_fail(err, ATG_ENOTFOUND, "There is no such job");
    return rc < 0 ? rc : read_row(arena, rows, true, ret, err);
}

typedef struct rows_wish {
    const db_statement *statement;
    const db_value *values;
    int n;
    bool whole;
} rows_wish;

static int read_rows(db *d, atg_arena *arena, const rows_wish *w, task_row **ret, uint32_t *ret_n,
                     atg_err *err) {
    __attribute__((cleanup(db_rows_freep))) db_rows *rows = NULL;
    task_row *all = ATG_GET(arena, task_row, TASKS_LIST_MAX);
    uint32_t n = 0;
    int rc = all ? db_query(d, w->statement, w->values, w->n, &rows, err)
                 : atg_fail(err, ATG_ENOMEM, "Out of memory for what is being done");

    while (rc == ATG_OK && n < TASKS_LIST_MAX && (rc = db_next(rows, err)) > 0)
        rc = read_row(arena, rows, w->whole, &all[n++], err);
    if (rc < 0)
        return rc;
    *ret = all;
    *ret_n = n;
    return ATG_OK;
}

int tasks_list(db *d, atg_arena *arena, const uuid *account, task_row **ret, uint32_t *ret_n,
               atg_err *err) {
    db_value values[] = {id_value(account), db_int(TASKS_LIST_MAX)};

    return read_rows(d, arena, &(rows_wish){&list, values, 2, false}, ret, ret_n, err);
}

int tasks_open(db *d, const uuid *account, int64_t *ret, atg_err *err) {
    db_value key = id_value(account);

    return db_get_one(d, &open_of, &key, 1, 0, ret, err);
}

/* ---- going on ---- */

int tasks_step(db *d, const task_row *t, atg_str worker, int64_t lease, bool *ret_cancel,
               atg_err *err) {
    int64_t stop = 0;
    int rc = db_get_one(d, &step,
                        (db_value[]){id_value(&t->id), db_text(worker), db_text(t->phase),
                                     db_int(t->done), db_int(t->total), db_int(lease)},
                        6, 0, &stop, err);

    if (rc == ATG_ENOTFOUND)
        return gone(err);
    if (!rc)
        *ret_cancel = stop != 0;
    return rc;
}

int tasks_end(db *d, const task_row *t, atg_str worker, atg_err *err) {
    int64_t n = 0;
    int rc = db_run(d, &end,
                    (db_value[]){id_value(&t->id), db_text(worker),
                                 db_text(atg_str_of(task_states[t->state])), db_int(t->ended),
                                 db_text(t->phase), db_int(t->done), db_int(t->total),
                                 db_blob(t->answer.n ? t->answer.p : "", t->answer.n)},
                    8, &n, err);

    return rc || n ? rc : gone(err);
}

int tasks_release(db *d, const uuid *id, atg_str worker, atg_err *err) {
    return db_run(d, &release, (db_value[]){id_value(id), db_text(worker)}, 2, NULL, err);
}

int tasks_cancel(db *d, const uuid *id, atg_err *err) {
    db_value key = id_value(id);

    return db_run(d, &cancel, &key, 1, NULL, err);
}

/* Another service may have been faster: then no row changes.  Nobody's are those without a lease.
 */
int tasks_claim(db *d, atg_arena *arena, const task_claim_how *how, task_row **ret, uint32_t *ret_n,
                atg_err *err) {
    db_value before = db_text(how->own ? how->worker : (atg_str){"", 0});
    db_value values[] = {db_int(how->now), before, db_int(TASKS_LIST_MAX)};
    task_row *all;
    uint32_t n = 0, kept = 0;
    int rc = read_rows(d, arena, &(rows_wish){&claimable, values, 3, true}, &all, &n, err);

    for (uint32_t i = 0; i < n && !rc; i++) {
        int64_t changed = 0;

        rc = db_run(d, &take,
                    (db_value[]){id_value(&all[i].id), db_text(how->worker), db_int(how->lease),
                                 db_int(how->now), before},
                    5, &changed, err);
        if (!rc && changed)
            all[kept++] = all[i];
    }
    if (rc)
        return rc;
    *ret = all;
    *ret_n = kept;
    return ATG_OK;
}

int tasks_forget(db *d, int64_t before, atg_err *err) {
    db_value at = db_int(before);

    return db_run(d, &forget, &at, 1, NULL, err);
}
