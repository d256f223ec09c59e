/* SPDX-License-Identifier: Apache-2.0 */
#include "app/events.h"

#include <string.h>

#include "app/cases_internal.h"
#include "app/rights.h"
#include "store/accounts.h"

static const db_statement newest = {"newest_leaf", "SELECT COALESCE(MAX(n), 0) FROM leaf"};

/* Looks are entries too, and nobody's event. */
static const db_statement changes = {
    "events", "SELECT l.n, a.at, a.file, f.operation, f.kind, f.code, f.state, a.action, a.kind, "
              "a.record, a.rev FROM leaf l JOIN audit a ON a.file = l.file AND a.seq = l.seq "
              "JOIN file f ON f.id = l.file WHERE l.n > $1 AND l.n <= $2 AND a.action IN ('add', "
              "'edit', 'state', 'withdraw', 'merge', 'unmerge', 'erase') ORDER BY l.n LIMIT $3"};

typedef struct watching {
    cases *c;
    atg_arena *arena;
    const events_wish *wish;
    const uuid *account;
    int64_t last;
    event *events;
    account_roles *grants;
    uint32_t n;
} watching;

static int read_last(db *d, void *user, atg_err *err) {
    watching *w = user;

    return db_get_one(d, &newest, NULL, 0, 0, &w->last, err);
}

int events_last(cases *c, int64_t *ret, atg_err *err) {
    watching w = {.last = 0};
    int rc = store_read(c->s, read_last, &w, err);

    if (!rc)
        *ret = w.last;
    return rc;
}

static void get_id(db_rows *rows, int at, uuid *ret) {
    atg_str bytes = db_get_blob(rows, at);

    if (bytes.n == UUID_SIZE)
        memcpy(ret->bytes, bytes.p, UUID_SIZE);
}

static uint32_t state_of(record_kind kind, atg_str word) {
    int at = record_word(record_types[kind].states, word);

    return at < 0 ? 0 : (uint32_t)at;
}

/* False: of a kind that this program does not know. */
static bool read_row(const watching *w, db_rows *rows, event *e) {
    int in = record_kind_of(db_get_text(rows, 4)), kind = record_kind_of(db_get_text(rows, 8));

    if (in < 0)
        return false;
    e->id = db_get_int(rows, 0);
    e->at = db_get_int(rows, 1);
    get_id(rows, 2, &e->file);
    get_id(rows, 3, &e->operation);
    e->in = (record_kind)in;
    e->code = atg_arena_str(w->arena, db_get_text(rows, 5));
    e->state = state_of(e->in, db_get_text(rows, 6));
    e->action = atg_arena_str(w->arena, db_get_text(rows, 7));
    e->kind = kind < 0 ? e->in : (record_kind)kind;
    get_id(rows, 9, &e->record);
    e->rev = db_get_int(rows, 10);
    if (e->in == RECORD_OPERATION)
        e->operation = e->file;
    return e->code.p && e->action.p;
}

static int read_changes(db *d, void *user, atg_err *err) {
    watching *w = user;
    db_value values[] = {db_int(w->wish->after), db_int(w->wish->until), db_int(w->wish->limit)};
    __attribute__((cleanup(db_rows_freep))) db_rows *rows = NULL;
    int rc = db_query(d, &changes, values, 3, &rows, err);

    w->n = 0;
    w->last = w->wish->until;
    if (rc)
        return rc;
    while (w->n < w->wish->limit && (rc = db_next(rows, err)) > 0)
        if (read_row(w, rows, &w->events[w->n]))
            w->n++;
    if (w->n == w->wish->limit)
        w->last = w->events[w->n - 1].id;
    return rc < 0 ? rc : ATG_OK;
}

int events_read(cases *c, atg_arena *arena, const events_wish *wish, event **ret, uint32_t *ret_n,
                int64_t *ret_until, atg_err *err) {
    watching w = {.c = c, .arena = arena, .wish = wish};
    int rc;

    w.events = ATG_GET(arena, event, wish->limit);
    if (!w.events)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for events");
    rc = store_read(c->s, read_changes, &w, err);
    if (rc)
        return rc;
    *ret = w.events;
    *ret_n = w.n;
    *ret_until = w.last;
    return ATG_OK;
}

bool events_may_see(const account_roles *grants, uint32_t n, const event *e) {
    uint32_t roles = 0;

    for (uint32_t i = 0; i < n; i++)
        if (uuid_none(&grants[i].operation) || uuid_cmp(&grants[i].operation, &e->operation) == 0)
            roles |= grants[i].roles;
    return rights_in(roles, ACTION_READ, (int)e->kind, (int)e->in, -1, NULL) == ATG_OK;
}

static int read_grants(db *d, void *user, atg_err *err) {
    watching *w = user;

    return accounts_grants(d, w->arena, w->account, &w->grants, &w->n, err);
}

int events_grants(cases *c, atg_arena *arena, const uuid *account, account_roles **ret,
                  uint32_t *ret_n, atg_err *err) {
    watching w = {.c = c, .arena = arena, .account = account};
    int rc = store_read(c->s, read_grants, &w, err);

    if (rc)
        return rc;
    *ret = w.grants;
    *ret_n = w.n;
    return ATG_OK;
}
