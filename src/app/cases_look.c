/* SPDX-License-Identifier: Apache-2.0 */
/* Looking at records: what an account may see, and the entry that it looked. */
#include "app/cases_internal.h"

#include <stdlib.h>
#include <string.h>

#include "app/accounts.h"
#include "app/rights.h"
#include "app/rules.h"
#include "base/clock.h"
#include "base/json.h"

enum { LOOK_EVENT = 1 << 20, FILE_RECORDS = 10000, LIST_MAX = 1000 };

/* ---- what may be seen ---- */

bool cases_may_see(const looker *l, record_kind kind, uint32_t f) {
    access_right right = rights_field_in(l->roles, kind, l->in, f);

    if (right == ACCESS_REASON || (right > ACCESS_REASON && rights_reason(kind, l->in, f)))
        return cases_reason(l->who);
    return right >= ACCESS_READ;
}

/* Is a reason all that is wanting? */
static bool reason_shows(const looker *l, record_kind kind, uint32_t f) {
    actor with = *l->who;

    with.reason = ATG_STR("a reason");
    return cases_may_see(&(looker){&with, l->roles, l->in}, kind, f);
}

/* What can be searched in such files: of each kind of record that the account may read, the classes
 * of which it may see everything that can be searched. */
static search_scope scope_of(const looker *l) {
    search_scope scope = {{0}};

    for (uint32_t k = 0; k < RECORD_KINDS; k++) {
        bool inside = (int)k == l->in || (record_types[k].in >> l->in & 1);

        if (!inside || rights_in(l->roles, ACTION_READ, (int)k, l->in, -1, NULL))
            continue;
        scope.classes[k] = (1u << CLASSES) - 1;
        for (uint32_t f = 0; f < record_types[k].n_fields; f++)
            if (record_types[k].fields[f].search && !cases_may_see(l, (record_kind)k, f))
                scope.classes[k] &= ~(1u << record_types[k].fields[f].class);
    }
    return scope;
}

uint64_t cases_mask(const looker *l, seen *s) {
    uint64_t shown = 0, blind = s->hidden;
    record *r = s->r;

    s->hidden = s->wanting = 0;
    for (uint32_t f = 0; f < record_types[r->kind].n_fields; f++) {
        if (blind >> f & 1 || !cases_may_see(l, r->kind, f)) {
            s->hidden |= UINT64_C(1) << f;
            if (!(blind >> f & 1) && reason_shows(l, r->kind, f))
                s->wanting |= UINT64_C(1) << f;
            r->fields[f] = (value){0};
        } else if (r->fields[f].known && rights_sensitive(r->kind, f)) {
            shown |= UINT64_C(1) << f;
        }
    }
    return shown;
}

/* ---- the entry that somebody looked ---- */

static quota_kind quota_of(const look_event *e) {
    return e->is_list ? QUOTA_SEARCH : QUOTA_LOOK;
}

static void foresee_look(db *d, void *user) {
    const look_event *e = user;

    account_foresee_spend(d, e->who, quota_of(e));
    if (!e->quiet)
        audit_foresee(d, &e->file);
}

static int write_look(db *d, void *user, atg_err *err) {
    const look_event *e = user;
    int rc;

    foresee_look(d, user);
    rc = account_spend(d, e->who, quota_of(e), 1, NULL, err);
    if (!rc && !e->quiet)
        rc = audit_append(d,
                          &(audit_event){.file = e->file,
                                         .at = clock_now(),
                                         .account = e->who->account,
                                         .action = e->action,
                                         .kind = e->kind,
                                         .record = e->record,
                                         .rev = e->rev,
                                         .detail = e->detail},
                          err);
    db_foreseen_end(d);
    return rc;
}

int cases_tell_look(cases *c, look_event *e, atg_err *err) {
    store_ahead ahead = {foresee_look, {e->file, e->file}};

    return store_change(c->s, write_look, e, &ahead, err);
}

static void write_shown(json *j, const record *r, uint64_t shown) {
    json_key(j, record_types[r->kind].name);
    json_array_line(j);
    for (uint32_t f = 0; f < record_types[r->kind].n_fields; f++)
        if (shown >> f & 1)
            json_text(j, record_field(r->kind, f)->name);
    json_end(j, ']');
}

/* Which fields of which kinds were shown (bits by kind), and why.  Why may name somebody: a read
 * is about a file, and its words are as clear as a code. */
static int tell_shown(cases *c, look_event *e, const seen *all, uint32_t n, const uint64_t *shown,
                      atg_err *err) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(LOOK_EVENT);
    uint64_t kinds[RECORD_KINDS] = {0};
    bool done[RECORD_KINDS] = {false};
    json j;

    if (!buf)
        return atg_fail(err, ATG_ENOMEM, "Out of memory writing the history");
    for (uint32_t i = 0; i < n; i++)
        kinds[all[i].r->kind] |= shown[i];
    j = json_new(buf);
    json_object_line(&j);
    json_key(&j, "shown");
    json_object_line(&j);
    for (uint32_t i = 0; i < n; i++) {
        record_kind kind = all[i].r->kind;

        if (kinds[kind] && !done[kind])
            write_shown(&j, all[i].r, kinds[kind]);
        done[kind] = true;
    }
    json_end(&j, '}');
    if (e->who->reason.n) {
        json_key(&j, "reason");
        json_str(&j, e->who->reason);
    }
    json_end(&j, '}');

    int rc = atg_buf_take(buf, &e->detail, err);

    return rc ? rc : cases_tell_look(c, e, err);
}

/* Mask what was read, and say in the history what is shown, before anything is shown. */
static int show(cases *c, const looker *l, const uuid *file, seen *all, uint32_t n, atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(CASES_ARENA);
    uint64_t *shown = arena ? ATG_GET(arena, uint64_t, n + 1) : NULL;
    uint64_t any = 0;

    if (!shown)
        return atg_fail(err, ATG_ENOMEM, "Out of memory reading a file");
    for (uint32_t i = 0; i < n; i++) {
        shown[i] = cases_mask(l, &all[i]);
        any |= shown[i];
    }
    if (!any)
        return ATG_OK;

    look_event e = {.who = l->who,
                    .file = *file,
                    .record = n == 1 ? all->r->id : *file,
                    .rev = n == 1 ? all->r->rev : 0,
                    .action = "read",
                    .kind = n == 1 ? record_types[all->r->kind].name : ""};

    return tell_shown(c, &e, all, n, shown, err);
}

/* ---- one record, one file ---- */

typedef struct reading {
    cases *c;
    const actor *who;
    atg_arena *arena;
    record_kind kind;
    const uuid *id;
    uint32_t roles;
    file_row file;
    seen *all;
    uint32_t n, cap;
} reading;

static int keep(reading *w, db *d, const record_row *row, atg_err *err) {
    uint64_t blind = 0;
    int rc = rules_blind(d, w->who, w->roles, row->r, &blind, err);

    if (rc)
        return rc;
    if (w->n == w->cap) {
        uint32_t cap = w->cap ? 2 * w->cap : 16;
        seen *more = ATG_GET(w->arena, seen, cap);

        if (!more)
            return atg_fail(err, ATG_ENOMEM, "Out of memory reading a file");
        if (w->n)
            memcpy(more, w->all, w->n * sizeof(*more));
        w->all = more;
        w->cap = cap;
    }
    w->all[w->n++] = (seen){.r = row->r, .erased = row->erased, .hidden = blind};
    return ATG_OK;
}

static int state_of(const file_row *f) {
    return record_types[f->kind].states[0] ? (int)f->state : -1;
}

/* Roles in the operation of the file, and what its own record says. */
static void foresee(const reading *w, db *d, const uuid *operation) {
    if (!actor_is_matcher(w->who))
        accounts_foresee_roles(d, &w->who->account, operation);
    keys_foresee(d, w->c->keys);
}

static int read_one(db *d, void *user, atg_err *err) {
    reading *w = user;
    record_row row;
    bool known = !uuid_none(&w->file.id);
    int rc;

    if (known)
        foresee(w, d, &w->file.operation);
    rc = records_get(d, w->c->keys, w->arena, w->kind, w->id, &row, err);
    if (rc)
        return rc;
    w->n = 0;
    if (!known) {
        foresee(w, d, &row.r->operation);
        files_foresee(d, &row.r->file);
    }
    rc = cases_roles(d, w->who, &row.r->operation, &w->roles, err);
    if (!rc && uuid_cmp(&w->file.id, &row.r->file) != 0)
        rc = files_get(d, w->arena, &row.r->file, &w->file, err);
    if (!rc)
        rc = rights_in(w->roles, ACTION_READ, (int)row.r->kind, (int)w->file.kind,
                       state_of(&w->file), err);
    return rc ? rc : keep(w, d, &row, err);
}

int cases_get(cases *c, const actor *who, atg_arena *arena, record_kind kind, const uuid *id,
              seen *ret, atg_err *err) {
    reading w = {.c = c, .who = who, .arena = arena, .kind = kind, .id = id};
    int rc = store_read(c->s, read_one, &w, err);

    if (!rc)
        rc = show(c, &(looker){who, w.roles, (int)w.file.kind}, &w.file.id, w.all, 1, err);
    if (!rc)
        *ret = w.all[0];
    return rc;
}

int cases_get_to_change(cases *c, const actor *who, atg_arena *arena, record_kind kind,
                        const uuid *id, seen *ret, atg_err *err) {
    reading w = {.c = c, .who = who, .arena = arena, .kind = kind, .id = id};
    int rc = store_read(c->s, read_one, &w, err);

    if (rc)
        return rc;
    (void)cases_mask(&(looker){who, w.roles, (int)w.file.kind}, w.all);
    *ret = *w.all;
    return ATG_OK;
}

/* Do records of this kind stand in the file, and may this account read them at all? */
static bool has_kind(const reading *w, uint32_t kind) {
    return record_types[kind].in >> w->file.kind & 1 &&
           rights_in(w->roles, ACTION_READ, (int)kind, (int)w->file.kind, state_of(&w->file),
                     NULL) == ATG_OK;
}

static records_query first_of(const reading *w, uint32_t kind) {
    return (records_query){
        .kind = (record_kind)kind, .by = RECORDS_OF_FILE, .of = *w->id, .limit = LIST_MAX};
}

static int read_kind(reading *w, db *d, uint32_t kind, atg_err *err) {
    records_query q = first_of(w, kind);
    record_row *rows;
    uint32_t n;

    do {
        int rc = records_list(d, w->c->keys, w->arena, &q, &rows, &n, err);

        for (uint32_t i = 0; i < n && !rc; i++)
            rc = keep(w, d, &rows[i], err);
        if (rc)
            return rc;
        if (w->n > FILE_RECORDS)
            return atg_fail(err, ATG_ELIMIT, "A file with more than %d records", FILE_RECORDS);
        if (n)
            q.after = rows[n - 1].r->id;
    } while (n == LIST_MAX);
    return ATG_OK;
}

static int read_all(db *d, reading *w, atg_err *err) {
    int rc = read_one(d, w, err);

    for (uint32_t k = 0; k < RECORD_KINDS && !rc; k++) {
        records_query q = first_of(w, k);

        if (has_kind(w, k))
            records_foresee_list(d, &q);
    }
    for (uint32_t k = 0; k < RECORD_KINDS && !rc; k++)
        if (has_kind(w, k))
            rc = read_kind(w, d, k, err);
    db_foreseen_end(d);
    return rc;
}

static int read_file(db *d, void *user, atg_err *err) {
    reading *w = user;
    int rc = files_get(d, w->arena, w->id, &w->file, err);

    w->kind = w->file.kind;
    return rc ? rc : read_all(d, w, err);
}

int cases_file(cases *c, const actor *who, atg_arena *arena, const uuid *file, seen **ret,
               uint32_t *ret_n, atg_err *err) {
    reading w = {.c = c, .who = who, .arena = arena, .id = file};
    int rc = store_read(c->s, read_file, &w, err);

    if (!rc)
        rc = show(c, &(looker){who, w.roles, (int)w.file.kind}, file, w.all, w.n, err);
    if (rc)
        return rc;
    *ret = w.all;
    *ret_n = w.n;
    return ATG_OK;
}

/* ---- lists and searches ---- */

/* The fields that a file is known by among people. */
static const char *const title_fields[RECORD_KINDS][2] = {
    [RECORD_OPERATION] = {"name", NULL},   [RECORD_MISSING] = {"family_name", "given_name"},
    [RECORD_REMAINS] = {"tag", NULL},      [RECORD_FAMILY] = {"label", NULL},
    [RECORD_BATCH] = {"laboratory", NULL}, [RECORD_STAFF_PROFILE] = {"label", NULL},
};

typedef struct listing {
    cases *c;
    const actor *who;
    atg_arena *arena;
    const files_query *q; /* of a list, or NULL */
    search_query *search; /* of a search, or NULL */
    db *d;
    uint32_t roles;
    file_page page;
    bool named; /* sensitive fields stand in the titles */
} listing;

/* May the account see what files of this kind are known by? */
static bool may_name(const listing *w, record_kind kind) {
    looker l = {w->who, w->roles, (int)kind};
    bool any = false;

    for (int k = 0; k < 2 && title_fields[kind][k]; k++) {
        int field = record_field_of(kind, atg_str_of(title_fields[kind][k]));

        any |= field >= 0 && cases_may_see(&l, kind, (uint32_t)field);
    }
    return any;
}

static int title_of(listing *w, const record *r, atg_str *ret, atg_err *err) {
    looker l = {w->who, w->roles, (int)r->kind};
    atg_str parts[2] = {{NULL, 0}, {NULL, 0}};

    for (int k = 0; k < 2 && title_fields[r->kind][k]; k++) {
        int field = record_field_of(r->kind, atg_str_of(title_fields[r->kind][k]));

        if (field < 0 || !r->fields[field].known || !cases_may_see(&l, r->kind, (uint32_t)field))
            continue;
        parts[k] = r->fields[field].text;
        w->named |= rights_sensitive(r->kind, (uint32_t)field);
    }
    if (!parts[0].n)
        return ATG_OK;
    *ret = parts[1].n
               ? atg_arena_printf(w->arena, "%.*s, %.*s", ATG_FMT(parts[0]), ATG_FMT(parts[1]))
               : parts[0];
    return ret->p ? ATG_OK : atg_fail(err, ATG_ENOMEM, "Out of memory for a list");
}

static int compare_records(const void *x, const void *y) {
    const record_row *a = x, *b = y;

    return uuid_cmp(&a->r->id, &b->r->id);
}

/* Titles of the files of one kind, whose records are read together. */
static int title_kind(listing *w, db *d, record_kind kind, int64_t *numbers, atg_err *err) {
    records_query q = {.kind = kind, .by = RECORDS_OF_NUMBERS, .numbers = numbers};
    uint32_t n = 0, n_rows = 0;
    record_row *rows = NULL;
    int rc;

    for (uint32_t i = 0; i < w->page.n; i++)
        if (w->page.rows[i].kind == kind)
            numbers[n++] = w->page.rows[i].n;
    if (!n || !may_name(w, kind))
        return ATG_OK;
    q.n_numbers = n;
    rc = records_list(d, w->c->keys, w->arena, &q, &rows, &n_rows, err);
    if (rc)
        return rc;
    if (n_rows)
        qsort(rows, n_rows, sizeof(*rows), compare_records);
    for (uint32_t i = 0; i < w->page.n && !rc; i++) {
        const file_row *f = &w->page.rows[i];
        record wanted = {.id = f->id};
        record_row key = {.r = &wanted}, *row = NULL;

        if (f->kind != kind)
            continue;
        if (n_rows)
            row = bsearch(&key, rows, n_rows, sizeof(key), compare_records);
        rc = row ? title_of(w, row->r, &w->page.titles[i], err)
                 : atg_fail(err, ATG_EDB, "%.*s: the file has no record", ATG_FMT(f->code));
    }
    return rc;
}

static int title_all(listing *w, db *d, uint32_t limit, atg_err *err) {
    int64_t *numbers;
    int rc = ATG_OK;

    w->page.more = w->page.n > limit;
    w->page.n = w->page.more ? limit : w->page.n;
    w->page.titles = ATG_GET(w->arena, atg_str, w->page.n + 1);
    numbers = ATG_GET(w->arena, int64_t, w->page.n + 1);
    if (!w->page.titles || !numbers)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a list");
    for (uint32_t k = 0; k < RECORD_KINDS && !rc; k++)
        if (record_types[k].is_file)
            rc = title_kind(w, d, (record_kind)k, numbers, err);
    return rc;
}

/* A list of names was shown: that stands in the chain of the operation. */
static int tell_list(listing *w, const uuid *operation, const char *done, atg_err *err) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(LOOK_EVENT);
    look_event e = {.who = w->who,
                    .file = *operation,
                    .record = *operation,
                    .action = done,
                    .kind = "",
                    .is_list = true,
                    .quiet = !w->named};
    json j;

    /* searching is counted: nobody tries out all names */
    if (!w->named)
        return w->search && !actor_is_matcher(w->who) ? cases_tell_look(w->c, &e, err) : ATG_OK;
    if (!buf)
        return atg_fail(err, ATG_ENOMEM, "Out of memory writing the history");
    j = json_new(buf);
    json_object_line(&j);
    json_key(&j, "named");
    json_array_line(&j);
    for (uint32_t i = 0; i < w->page.n; i++)
        if (w->page.titles[i].n)
            json_str(&j, w->page.rows[i].code);
    json_end(&j, ']');
    if (w->who->reason.n) {
        json_key(&j, "reason");
        json_str(&j, w->who->reason);
    }
    json_end(&j, '}');

    int rc = atg_buf_take(buf, &e.detail, err);

    return rc ? rc : cases_tell_look(w->c, &e, err);
}

static int read_list(db *d, void *user, atg_err *err) {
    listing *w = user;
    files_query q = *w->q;
    int rc = cases_roles(d, w->who, &q.operation, &w->roles, err);

    if (!rc)
        rc = rights_action(w->roles, ACTION_READ, (int)q.kind, -1, err);
    if (rc)
        return rc;
    w->named = false;
    q.limit++; /* one more tells whether there is a next page */
    rc = files_list(d, w->arena, &q, &w->page.rows, &w->page.n, err);
    return rc ? rc : title_all(w, d, w->q->limit, err);
}

int cases_list(cases *c, const actor *who, atg_arena *arena, const files_query *q, file_page *ret,
               atg_err *err) {
    listing w = {.c = c, .who = who, .arena = arena, .q = q};

    if (q->limit < 1 || q->limit >= LIST_MAX)
        return atg_fail(err, ATG_EINVAL, "A page has 1 to %d files", LIST_MAX - 1);

    int rc = store_read(c->s, read_list, &w, err);

    if (!rc)
        rc = tell_list(&w, &q->operation, "list", err);
    if (!rc)
        *ret = w.page;
    return rc;
}

/* Do the typed words stand in the file itself?  Mostly its own record tells. */
static int answers(void *user, const search_words *words, const file_row *f, atg_err *err) {
    listing *w = user;
    ATG_AUTO(atg_arena) arena = atg_arena_new(CASES_ARENA);
    reading file = {.c = w->c, .who = w->who, .arena = arena, .id = &f->id, .roles = w->roles};
    uint64_t found = 0;
    int rc;

    if (!arena)
        return atg_fail(err, ATG_ENOMEM, "Out of memory searching");
    file.kind = f->kind;
    file.file = *f;
    rc = read_one(w->d, &file, err);
    for (uint32_t k = 0, i = 0; k <= RECORD_KINDS && !rc; k++) {
        for (; i < file.n && !rc; i++)
            rc = search_look(arena, words, file.all[i].r, &found, err);
        if (rc || search_answered(words, found))
            return rc ? rc : 1;
        if (k < RECORD_KINDS && has_kind(&file, k))
            rc = read_kind(&file, w->d, k, err);
    }
    return rc;
}

static int read_found(db *d, void *user, atg_err *err) {
    listing *w = user;
    search_query q = *w->search;
    KEY_AUTO key256 key = {{0}};
    int rc = cases_roles(d, w->who, &q.operation, &w->roles, err);

    if (!rc)
        rc = rights_action(w->roles, ACTION_READ, q.kind, -1, err);
    if (!rc)
        rc = keys_operation(d, w->c->keys, &q.operation, KEY_TOKENS, &key, err);
    if (rc)
        return rc;
    w->named = false;
    q.limit++;
    q.scope = scope_of(&(looker){w->who, w->roles, q.kind});
    w->d = d;
    q.key = &key;
    q.check = answers;
    q.user = w;
    rc = tokens_search(d, w->arena, &q, &w->page.rows, &w->page.n, err);
    return rc ? rc : title_all(w, d, w->search->limit, err);
}

int cases_search(cases *c, const actor *who, atg_arena *arena, search_query *q, file_page *ret,
                 atg_err *err) {
    listing w = {.c = c, .who = who, .arena = arena, .search = q};

    if (q->limit < 1 || q->limit >= LIST_MAX)
        return atg_fail(err, ATG_EINVAL, "A page has 1 to %d files", LIST_MAX - 1);
    if (q->kind < 0 || q->kind >= RECORD_KINDS || !record_types[q->kind].is_file)
        return atg_fail(err, ATG_EINVAL, "A search is for files of one kind");

    int rc = store_read(c->s, read_found, &w, err);

    if (!rc)
        rc = tell_list(&w, &q->operation, "search", err);
    if (!rc)
        *ret = w.page;
    return rc;
}
