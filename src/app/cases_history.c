/* SPDX-License-Identifier: Apache-2.0 */
/* The history of a file, opened as far as an account may read it. */
#include "app/cases_internal.h"

#include <jansson.h>

#include "app/rights.h"
#include "app/rules.h"
#include "base/json_read.h"
#include "base/mem.h"

enum { HISTORY_PAGE = 1000, HISTORY_MAX = 100000, EVENT_JSON = 16 << 20 };

typedef struct telling {
    cases *c;
    const actor *who;
    atg_arena *arena;
    const uuid *file;
    file_row row;
    uint32_t roles;
    audit_entry *entries;
    uint32_t n;
    bool sensitive; /* something was opened that a look at is an entry of */
} telling;

static json_t *parse(atg_str text) {
    return text.n ? json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL) : NULL;
}

/* What others found is kept from who has still to conclude (rule 5), and which of it changed, too:
 * of a list of candidates that would tell who stands behind one that left. */
static void hide_fields(record_kind kind, json_t *detail) {
    json_t *names = json_array();

    for (uint32_t f = 0; f < record_types[kind].n_fields; f++)
        (void)json_array_append_new(names, json_string(record_field(kind, f)->name));
    (void)json_object_del(detail, "fields");
    (void)json_object_set_new(detail, "hidden", names);
}

/* Put what was opened in the place of what is hidden, and take out what may not be seen. */
static void open_fields(telling *w, record_kind kind, json_t *detail, const json_t *opened) {
    looker l = {w->who, w->roles, (int)w->row.kind};
    json_t *fields = json_object_get(detail, "fields");
    const json_t *known = json_object_get(opened, "fields");
    json_t *hidden = json_array();
    void *next;

    for (void *it = json_object_iter(fields); it; it = next) {
        const char *name = json_object_iter_key(it);
        int f = record_field_of(kind, atg_str_of(name));
        json_t *was = json_object_get(known, name);

        next = json_object_iter_next(fields, it);
        if (f >= 0 && cases_may_see(&l, kind, (uint32_t)f)) {
            if (was)
                (void)json_object_iter_set(fields, it, was);
            else if (record_field(kind, (uint32_t)f)->sealed)
                (void)json_object_iter_set_new(fields, it, json_string("erased"));
            w->sensitive |= was && rights_sensitive(kind, (uint32_t)f);
            continue;
        }
        (void)json_array_append_new(hidden, json_string(name));
        (void)json_object_del(fields, name);
    }
    if (json_array_size(hidden))
        (void)json_object_set(detail, "hidden", hidden);
    json_decref(hidden);
}

/* A reason may name somebody: it is read by whoever may read the names of such a record. */
static void open_reason(const telling *w, record_kind kind, json_t *detail, const json_t *opened) {
    looker l = {w->who, w->roles, (int)w->row.kind};
    json_t *reason = json_object_get(opened, "reason");

    if (!json_object_get(detail, "reason"))
        return;
    for (uint32_t f = 0; f < record_types[kind].n_fields; f++)
        if (record_field(kind, f)->class == CLASS_NAME && !cases_may_see(&l, kind, f)) {
            (void)json_object_del(detail, "reason");
            return;
        }
    if (reason)
        (void)json_object_set(detail, "reason", reason);
}

static int open_entry(telling *w, audit_entry *a, atg_err *err) {
    int kind = record_kind_of(a->e.kind);
    json_t *detail, *opened;
    char *text;

    detail = parse(a->e.detail);
    opened = parse(a->history);
    if (!detail) {
        json_decref(opened);
        return atg_fail(err, ATG_EDB, "Entry %llu of the history cannot be read",
                        (unsigned long long)a->e.seq);
    }
    if (kind < 0)
        ; /* of the file as a whole: there is nothing to open */
    else if (rules_blind_history(w->roles, (record_kind)kind, w->row.state) &&
             uuid_cmp(&a->e.account, &w->who->account) != 0)
        hide_fields((record_kind)kind, detail);
    else
        open_fields(w, (record_kind)kind, detail, opened);
    if (kind >= 0)
        open_reason(w, (record_kind)kind, detail, opened);
    text = json_dumps(detail, JSON_COMPACT | JSON_ENSURE_ASCII);
    json_decref(detail);
    json_decref(opened);
    a->e.detail = text ? atg_arena_str(w->arena, atg_str_of(text)) : (atg_str){NULL, 0};
    a->history = (atg_str){NULL, 0};
    mem_free(text);
    return a->e.detail.p ? ATG_OK : atg_fail(err, ATG_ENOMEM, "Out of memory reading a history");
}

static int read_history(db *d, void *user, atg_err *err) {
    telling *w = user;
    int rc = files_get(d, w->arena, w->file, &w->row, err);

    if (!rc)
        rc = cases_roles(d, w->who, &w->row.operation, &w->roles, err);
    if (!rc)
        rc = rights_in(w->roles, ACTION_READ, (int)w->row.kind, (int)w->row.kind, -1, err);
    if (!rc)
        rc = audit_read(d, w->c->keys, w->arena,
                        &(audit_query){.file = *w->file, .from = 1, .limit = HISTORY_MAX},
                        &w->entries, &w->n, err);
    w->sensitive = false;
    for (uint32_t i = 0; i < w->n && !rc; i++)
        rc = open_entry(w, &w->entries[i], err);
    return rc;
}

int cases_history(cases *c, const actor *who, atg_arena *arena, const uuid *file, audit_entry **ret,
                  uint32_t *ret_n, atg_err *err) {
    telling w = {.c = c, .who = who, .arena = arena, .file = file};
    look_event e = {.who = who,
                    .file = *file,
                    .record = *file,
                    .action = "history",
                    .kind = "",
                    .detail = ATG_STR("{}")};
    int rc = store_read(c->s, read_history, &w, err);

    if (!rc && w.sensitive)
        rc = cases_tell_look(c, &e, err);
    if (rc)
        return rc;
    *ret = w.entries;
    *ret_n = w.n;
    return ATG_OK;
}
