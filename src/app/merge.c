/* SPDX-License-Identifier: Apache-2.0 */
#include "app/merge.h"

#include <string.h>

#include "app/cases_internal.h"
#include "app/rights.h"
#include "base/clock.h"

enum { MERGED_MAX = 1000, STEPS_MAX = 16 };

static const db_statement merged_files = {
    "merged files", "SELECT id FROM r_missing WHERE merged_into = $1 ORDER BY id LIMIT $2"};

typedef struct merging {
    cases *c;
    const actor *who;
    atg_arena *arena;
    const uuid *into; /* NULL: take apart */
    const uuid *from;
} merging;

static int load_missing(merging *w, db *d, const uuid *id, record **ret, atg_err *err) {
    record_row row;
    int rc = records_get(d, w->c->keys, w->arena, RECORD_MISSING, id, &row, err);

    if (rc == ATG_ENOTFOUND)
        return atg_fail(err, ATG_EINVAL, "Only files of missing persons are merged");
    if (!rc && (row.r->withdrawn || row.erased))
        return atg_fail(err, ATG_EDENIED, "%.*s was withdrawn or erased", ATG_FMT(row.r->code));
    if (!rc)
        *ret = row.r;
    return rc;
}

/* The chain of merges behind `into` must not come back to `from`. */
static int check_circle(merging *w, db *d, const record *into, atg_err *err) {
    const record *at = into;

    for (int i = 0; at->fields[MISSING_MERGED_INTO].known; i++) {
        record_row row;
        int rc;

        if (uuid_cmp(&at->fields[MISSING_MERGED_INTO].ref, w->from) == 0 || i == STEPS_MAX)
            return atg_fail(err, ATG_EINVAL, "%.*s is itself merged into the other file",
                            ATG_FMT(into->code));
        rc = records_get(d, w->c->keys, w->arena, RECORD_MISSING,
                         &at->fields[MISSING_MERGED_INTO].ref, &row, err);
        if (rc)
            return rc;
        at = row.r;
    }
    return ATG_OK;
}

static int check_pair(merging *w, db *d, const record *into, const record *from, atg_err *err) {
    const value *a = &into->fields[MISSING_SEX], *b = &from->fields[MISSING_SEX];

    if (uuid_cmp(&into->id, &from->id) == 0)
        return atg_fail(err, ATG_EINVAL, "A file is not merged with itself");
    if (uuid_cmp(&into->operation, &from->operation) != 0)
        return atg_fail(err, ATG_EINVAL, "The files are of different operations");
    if (from->fields[MISSING_MERGED_INTO].known)
        return atg_fail(err, ATG_ECONFLICT, "%.*s is merged already", ATG_FMT(from->code));
    if (a->known && b->known && a->choice != b->choice && a->choice != SEX_UNKNOWN &&
        b->choice != SEX_UNKNOWN)
        return atg_fail(err, ATG_EINVAL,
                        "One is reported male and one female: correct the wrong one first");
    return check_circle(w, d, into, err);
}

static int write_event(merging *w, db *d, const record *into, const record *from, atg_err *err) {
    atg_str detail = atg_arena_printf(w->arena, "{\"%s\":\"%.*s\"}", w->into ? "from" : "apart",
                                      ATG_FMT(from->code));

    if (!detail.p)
        return atg_fail(err, ATG_ENOMEM, "Out of memory merging files");
    return audit_append(d,
                        &(audit_event){.file = into->file,
                                       .at = clock_now(),
                                       .account = w->who->account,
                                       .action = w->into ? "merge" : "unmerge",
                                       .kind = record_types[RECORD_MISSING].name,
                                       .record = from->id,
                                       .detail = detail},
                        err);
}

static int rights(merging *w, db *d, const record *from, atg_err *err) {
    uint32_t roles;
    int rc = cases_roles(d, w->who, &from->operation, &roles, err);

    return rc ? rc
              : rights_in(roles, ACTION_MERGE, RECORD_MISSING, RECORD_MISSING, (int)from->state,
                          err);
}

/* The field of the report says what it is merged into; nothing else of it changes. */
static int write_field(merging *w, db *d, record *from, const uuid *into, atg_err *err) {
    change ch = {CHANGE_EDIT, from};
    cases_batch *b;
    int rc = cases_batch_new(w->c, d, w->who, w->arena, &b, err);

    from->fields[MISSING_MERGED_INTO] = into ? (value){.known = true, .ref = *into} : (value){0};
    if (!rc)
        rc = cases_apply(b, &ch, err);
    return rc ? rc : cases_batch_end(b, err);
}

static int merge(db *d, void *user, atg_err *err) {
    merging *w = user;
    record *into = NULL, *from = NULL;
    int rc = load_missing(w, d, w->from, &from, err);

    if (!rc)
        rc = load_missing(w, d, w->into, &into, err);
    if (!rc)
        rc = rights(w, d, from, err);
    if (!rc)
        rc = check_pair(w, d, into, from, err);
    if (!rc)
        rc = write_field(w, d, from, w->into, err);
    return rc ? rc : write_event(w, d, into, from, err);
}

static int unmerge(db *d, void *user, atg_err *err) {
    merging *w = user;
    record *into = NULL, *from = NULL;
    uuid was;
    int rc = load_missing(w, d, w->from, &from, err);

    if (!rc && !from->fields[MISSING_MERGED_INTO].known)
        return atg_fail(err, ATG_EINVAL, "%.*s is not merged", ATG_FMT(from->code));
    if (rc)
        return rc;
    was = from->fields[MISSING_MERGED_INTO].ref;
    rc = load_missing(w, d, &was, &into, err);
    if (!rc)
        rc = rights(w, d, from, err);
    if (!rc)
        rc = write_field(w, d, from, NULL, err);
    return rc ? rc : write_event(w, d, into, from, err);
}

static int do_merge(cases *c, const actor *who, const uuid *into, const uuid *from, atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(CASES_ARENA);
    merging w = {.c = c, .who = who, .arena = arena, .into = into, .from = from};

    if (!arena)
        return atg_fail(err, ATG_ENOMEM, "Out of memory merging files");
    if (!cases_reason(who))
        return atg_fail(err, ATG_EDENIED, "Write the reason for this change");
    return store_write(c->s, into ? merge : unmerge, &w, err);
}

int cases_merge(cases *c, const actor *who, const uuid *into, const uuid *from, atg_err *err) {
    return do_merge(c, who, into, from, err);
}

int cases_unmerge(cases *c, const actor *who, const uuid *from, atg_err *err) {
    return do_merge(c, who, NULL, from, err);
}

/* ---- what was merged ---- */

typedef struct asking {
    const actor *who;
    atg_arena *arena;
    const uuid *into;
    file_row *rows;
    uint32_t n;
} asking;

static int may_read(asking *w, db *d, atg_err *err) {
    file_row file;
    uint32_t roles;
    int rc = files_get(d, w->arena, w->into, &file, err);

    if (!rc)
        rc = cases_roles(d, w->who, &file.operation, &roles, err);
    return rc ? rc
              : rights_in(roles, ACTION_READ, (int)file.kind, (int)file.kind, (int)file.state, err);
}

static int read_merged(db *d, void *user, atg_err *err) {
    asking *w = user;
    uuid *ids = ATG_GET(w->arena, uuid, MERGED_MAX);
    db_rows *rows = NULL;
    uint32_t n = 0;
    int rc = ids ? may_read(w, d, err) : atg_fail(err, ATG_ENOMEM, "Out of memory for a list");

    if (!rc)
        rc = db_query(d, &merged_files,
                      (db_value[]){db_blob(w->into->bytes, UUID_SIZE), db_int(MERGED_MAX)}, 2,
                      &rows, err);

    if (rc)
        return rc;
    while ((rc = db_next(rows, err)) > 0) {
        atg_str id = db_get_blob(rows, 0);

        if (id.n == UUID_SIZE)
            memcpy(ids[n++].bytes, id.p, UUID_SIZE);
    }
    db_end(rows);
    w->rows = ATG_GET(w->arena, file_row, n + 1);
    if (!rc && !w->rows)
        rc = atg_fail(err, ATG_ENOMEM, "Out of memory for a list");
    for (uint32_t i = 0; i < n && !rc; i++)
        rc = files_get(d, w->arena, &ids[i], &w->rows[i], err);
    w->n = n;
    return rc;
}

int cases_merged(cases *c, const actor *who, atg_arena *arena, const uuid *into, file_row **ret,
                 uint32_t *ret_n, atg_err *err) {
    asking w = {.who = who, .arena = arena, .into = into};
    int rc = store_read(c->s, read_merged, &w, err);

    if (rc)
        return rc;
    *ret = w.rows;
    *ret_n = w.n;
    return ATG_OK;
}
