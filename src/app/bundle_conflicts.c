/* SPDX-License-Identifier: Apache-2.0 */
/* What was changed on both sides: shown field by field, and decided by somebody. */
#include <string.h>

#include "app/bundle_internal.h"
#include "app/rights.h"
#include "app/rules.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/json_read.h"

enum { LIST_MAX = 1000, TEXT_ROOM = 8 << 20, SPECIAL = 2 };

static int no_memory(atg_err *err) {
    return atg_fail(err, ATG_ENOMEM, "Out of memory reading conflicts");
}

/* ---- what the other side has ---- */

static int read_theirs(atg_arena *arena, const conflict_row *row, record **ret, atg_err *err) {
    record *r = record_new(arena, row->kind);
    json_t *v =
        json_loadb(row->theirs.n ? row->theirs.p : "", row->theirs.n, JSON_REJECT_DUPLICATES, NULL);
    const json_t *fields = json_object_get(v, "fields");
    int rc = r ? ATG_OK : no_memory(err);

    if (rc == ATG_OK && !json_is_object(fields))
        rc = atg_fail(err, ATG_EDB, "A conflict cannot be read");
    if (rc == ATG_OK)
        rc = record_read_json(arena, fields, r, err);
    if (rc == ATG_OK) {
        const char *const *states = record_types[row->kind].states;
        json_int_t state = json_integer_value(json_object_get(v, "state"));

        for (json_int_t i = 0; i < state && states[i]; i++)
            r->state = states[i + 1] ? (uint32_t)i + 1 : r->state;
        r->withdrawn = json_is_true(json_object_get(v, "withdrawn"));
        *ret = r;
    }
    json_decref(v);
    return rc;
}

/* Fields that differ.  A picture that did not come is no difference. */
static uint64_t differing(const record *ours, const record *theirs) {
    uint64_t bits = 0;

    for (uint32_t f = 0; f < record_types[ours->kind].n_fields; f++) {
        const field_type *field = record_field(ours->kind, f);

        if (!bundle_exchanged(ours->kind, f) ||
            (field->kind == FIELD_BLOB && !theirs->fields[f].known))
            continue;
        if (!value_eq(field, &ours->fields[f], &theirs->fields[f]))
            bits |= UINT64_C(1) << f;
    }
    return bits;
}

/* ---- showing ---- */

typedef struct showing {
    cases *c;
    const actor *who;
    const conflicts_wish *q;
    atg_arena *arena;
    conflict_shown *all;
    uint32_t n, roles;
} showing;

static int text_of(atg_arena *arena, const field_type *field, const value *v, atg_str *ret,
                   atg_err *err) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(TEXT_ROOM);
    atg_str text;
    int rc;

    if (!buf)
        return no_memory(err);
    if (v->known)
        value_write(buf, field, v);
    rc = atg_buf_take(buf, &text, err);
    if (rc)
        return rc;
    *ret = atg_arena_str(arena, text);
    return ret->p ? ATG_OK : no_memory(err);
}

/* Fields that this account may not see: by its rights, or because it has still to conclude. */
static int hidden_fields(const showing *w, db *d, const record *r, uint64_t *ret, atg_err *err) {
    looker l = {.who = w->who, .roles = w->roles};
    file_row file;
    uint64_t bits = 0;
    int rc = files_get(d, w->arena, &r->file, &file, err);

    if (rc == ATG_OK)
        rc = rules_blind(d, w->who, w->roles, r, &bits, err);
    l.in = (int)file.kind;
    for (uint32_t f = 0; f < record_types[r->kind].n_fields && !rc; f++)
        if (!cases_may_see(&l, r->kind, f))
            bits |= UINT64_C(1) << f;
    *ret = bits;
    return rc;
}

static int show_fields(const showing *w, conflict_shown *s, const record *theirs, uint64_t hidden,
                       atg_err *err) {
    uint64_t bits = differing(s->ours, theirs);
    int rc = ATG_OK;

    for (uint32_t f = 0; f < record_types[theirs->kind].n_fields && !rc; f++) {
        conflict_field *x = &s->fields[s->n];

        if (!(bits >> f & 1))
            continue;
        *x = (conflict_field){.field = (int)f, .hidden = hidden >> f & 1};
        s->n++;
        if (x->hidden)
            continue;
        rc = text_of(w->arena, record_field(theirs->kind, f), &s->ours->fields[f], &x->ours, err);
        if (rc == ATG_OK)
            rc = text_of(w->arena, record_field(theirs->kind, f), &theirs->fields[f], &x->theirs,
                         err);
    }
    return rc;
}

static void show_special(conflict_shown *s, const record *theirs) {
    const char *const *states = record_types[theirs->kind].states;

    if (states[0] && s->ours->state != theirs->state)
        s->fields[s->n++] = (conflict_field){.field = -1,
                                             .ours = atg_str_of(states[s->ours->state]),
                                             .theirs = atg_str_of(states[theirs->state])};
    if (s->ours->withdrawn != theirs->withdrawn)
        s->fields[s->n++] =
            (conflict_field){.field = -2,
                             .ours = atg_str_of(s->ours->withdrawn ? "withdrawn" : ""),
                             .theirs = atg_str_of(theirs->withdrawn ? "withdrawn" : "")};
}

static int show_one(const showing *w, db *d, conflict_shown *s, atg_err *err) {
    record *theirs;
    record_row own;
    peer_row peer;
    uint64_t hidden = 0;
    int rc = records_get(d, cases_keys(w->c), w->arena, s->row.kind, &s->row.record, &own, err);

    if (rc == ATG_OK)
        rc = read_theirs(w->arena, &s->row, &theirs, err);
    if (rc == ATG_OK)
        rc = hidden_fields(w, d, own.r, &hidden, err);
    if (rc)
        return rc;
    s->ours = own.r;
    s->fields = ATG_GET(w->arena, conflict_field, record_types[s->row.kind].n_fields + SPECIAL);
    if (!s->fields)
        return no_memory(err);
    rc = show_fields(w, s, theirs, hidden, err);
    show_special(s, theirs);
    for (uint32_t f = 0; f < record_types[theirs->kind].n_fields; f++)
        if (hidden >> f & 1)
            s->ours->fields[f] = (value){.known = false};
    s->row.theirs = (atg_str){NULL, 0};
    if (rc)
        return rc;
    /* a site that was removed since */
    rc = peers_get(d, w->arena, &s->row.peer, &peer, err);
    s->from = rc == ATG_OK ? peer.name : ATG_STR("");
    return rc == ATG_ENOTFOUND ? ATG_OK : rc;
}

static int read_conflicts(db *d, void *user, atg_err *err) {
    showing *w = user;
    conflicts_query q = {w->q->operation, w->q->after, w->q->limit};
    conflict_row *rows = NULL;
    int rc = cases_roles(d, w->who, &q.operation, &w->roles, err);

    if (rc == ATG_OK && w->roles == 0)
        rc = atg_fail(err, ATG_EDENIED, "This account has no part in the operation");
    if (rc == ATG_OK)
        rc = conflicts_list(d, cases_keys(w->c), w->arena, &q, &rows, &w->n, err);
    w->all = ATG_GET(w->arena, conflict_shown, w->n + 1);
    if (rc == ATG_OK && !w->all)
        rc = no_memory(err);
    for (uint32_t i = 0; i < w->n && !rc; i++) {
        w->all[i] = (conflict_shown){.row = rows[i]};
        rc = show_one(w, d, &w->all[i], err);
    }
    return rc;
}

/* Sensitive fields that were shown stand in the history of their file. */
static int tell_shown(const showing *w, const conflict_shown *s, atg_err *err) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(BUNDLE_EVENT);
    look_event e = {.who = w->who,
                    .file = s->row.file,
                    .record = s->row.record,
                    .action = "conflict",
                    .kind = record_types[s->row.kind].name};
    bool any = false;
    json j;
    int rc;

    if (!buf)
        return no_memory(err);
    j = json_new(buf);
    json_object_line(&j);
    json_key(&j, "shown");
    json_array_line(&j);
    for (uint32_t i = 0; i < s->n; i++) {
        const conflict_field *x = &s->fields[i];

        if (x->field < 0 || x->hidden || !rights_sensitive(s->row.kind, (uint32_t)x->field))
            continue;
        json_text(&j, record_field(s->row.kind, (uint32_t)x->field)->name);
        any = true;
    }
    json_end(&j, ']');
    json_end(&j, '}');
    if (!any)
        return ATG_OK;
    rc = atg_buf_take(buf, &e.detail, err);
    e.detail = atg_str_trim(e.detail);
    return rc ? rc : cases_tell_look(w->c, &e, err);
}

int conflicts_show(cases *c, const actor *who, atg_arena *arena, const conflicts_wish *q,
                   conflict_shown **ret, uint32_t *ret_n, atg_err *err) {
    showing w = {.c = c, .who = who, .q = q, .arena = arena};
    int rc;

    if (q->limit < 1 || q->limit > LIST_MAX)
        return atg_fail(err, ATG_EINVAL, "A page has 1 to %d conflicts", LIST_MAX);
    rc = store_read(cases_store(c), read_conflicts, &w, err);
    for (uint32_t i = 0; i < w.n && !rc; i++)
        rc = tell_shown(&w, &w.all[i], err);
    if (rc == ATG_OK) {
        *ret = w.all;
        *ret_n = w.n;
    }
    return rc;
}

/* ---- deciding ---- */

typedef struct deciding {
    cases *c;
    const actor *who;
    const uuid *id;
    uint64_t theirs;
    int64_t rev;
} deciding;

/* What both sides had is earlier than what was decided, which has a name of its own: so that it is
 * the later one at every site. */
static int put_decided(db *d, atg_arena *arena, const conflict_row *c, int64_t rev, atg_err *err) {
    version_row v = {.rev = 0}, next = {.record = c->record, .rev = rev};
    version_set all;
    int rc = versions_get(d, arena, &c->record, &v, err);

    if (rc && rc != ATG_ENOTFOUND)
        return rc;
    rc = versions_join(arena, &c->earlier, &v.earlier, &c->version, &all, err);
    if (rc == ATG_OK && !uuid_none(&v.id))
        rc = versions_join(arena, &all, &(version_set){NULL, 0}, &v.id, &all, err);
    if (rc == ATG_OK)
        rc = uuid_new(&next.id, err);
    next.earlier = all;
    if (rc == ATG_OK)
        rc = versions_put(d, &next, err);
    return rc ? rc : conflicts_settle(d, &c->record, &all, err);
}

static int tell_decided(db *d, const deciding *w, const conflict_row *c, int64_t rev,
                        atg_err *err) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(BUNDLE_EVENT);
    audit_event e = {.file = c->file,
                     .at = clock_now(),
                     .account = w->who->account,
                     .action = "decide",
                     .kind = record_types[c->kind].name,
                     .record = c->record,
                     .rev = rev};
    char bundle[UUID_TEXT + 1];
    json j;
    int rc;

    if (!buf)
        return no_memory(err);
    uuid_text(&c->bundle, bundle);
    j = json_new(buf);
    json_object_line(&j);
    json_key(&j, "bundle");
    json_text(&j, bundle);
    json_key(&j, "theirs");
    json_array_line(&j);
    for (uint32_t f = 0; f < record_types[c->kind].n_fields; f++)
        if (w->theirs >> f & 1)
            json_text(&j, record_field(c->kind, f)->name);
    json_end(&j, ']');
    json_end(&j, '}');
    rc = atg_buf_take(buf, &e.detail, err);
    e.detail = atg_str_trim(e.detail);
    return rc ? rc : audit_append(d, &e, err);
}

static int take_over(db *d, const deciding *w, atg_arena *arena, const conflict_row *c, record *own,
                     atg_err *err) {
    record *r = record_copy(arena, own), *theirs;
    uint64_t wanted = w->theirs;
    cases_batch *batch;
    change ch = {CHANGE_EDIT, r};
    int rc = r ? read_theirs(arena, c, &theirs, err) : no_memory(err);

    if (rc)
        return rc;
    wanted &= differing(own, theirs);
    if (!wanted)
        return ATG_OK;
    for (uint32_t f = 0; f < record_types[c->kind].n_fields; f++)
        if (wanted >> f & 1)
            r->fields[f] = theirs->fields[f];
    rc = cases_batch_new(w->c, d, w->who, arena, &batch, err);
    if (rc == ATG_OK)
        rc = cases_apply(batch, &ch, err);
    own->rev = r->rev;
    return rc ? rc : cases_batch_end(batch, err);
}

static int check_decision(db *d, const deciding *w, const record *own, atg_err *err) {
    uint32_t roles = 0;
    file_row file;
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
    int rc = arena ? cases_roles(d, w->who, &own->operation, &roles, err) : no_memory(err);
    int state;

    if (rc == ATG_OK)
        rc = files_get(d, arena, &own->file, &file, err);
    if (rc)
        return rc;
    state = record_types[file.kind].states[0] ? (int)file.state : -1;
    rc = rights_in(roles, ACTION_EDIT, (int)own->kind, (int)file.kind, state, err);
    if (rc == ATG_OK && !cases_reason(w->who))
        rc = atg_fail(err, ATG_EDENIED, "Write the reason for this decision");
    if (rc == ATG_OK && own->rev != w->rev)
        rc = atg_fail(err, ATG_ECONFLICT,
                      "This record was changed since it was shown: look at the conflict again");
    return rc;
}

static int decide(db *d, void *user, atg_err *err) {
    const deciding *w = user;
    ATG_AUTO(atg_arena) arena = atg_arena_new(BUNDLE_ARENA);
    conflict_row c;
    record_row own = {.r = NULL};
    int rc = arena ? conflicts_get(d, cases_keys(w->c), arena, w->id, &c, err) : no_memory(err);

    if (rc == ATG_OK)
        rc = records_get(d, cases_keys(w->c), arena, c.kind, &c.record, &own, err);
    if (rc == ATG_OK)
        rc = check_decision(d, w, own.r, err);
    if (rc == ATG_OK)
        rc = take_over(d, w, arena, &c, own.r, err);
    if (rc == ATG_OK)
        rc = put_decided(d, arena, &c, own.r->rev, err);
    return rc ? rc : tell_decided(d, w, &c, own.r->rev, err);
}

int conflicts_decide(cases *c, const actor *who, const uuid *id, uint64_t theirs, int64_t rev,
                     atg_err *err) {
    deciding w = {c, who, id, theirs, rev};

    return store_write(cases_store(c), decide, &w, err);
}
