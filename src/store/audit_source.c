/* SPDX-License-Identifier: Apache-2.0 */
/* A history as it stands in the database. */
#include <string.h>

#include "store/audit_scan.h"
#include "store/records.h"

#define ENTRY_COLUMNS                                                                              \
    "SELECT file, seq, at, account, action, kind, record, rev, detail, prev, hash FROM audit"

static const db_statement entries = {"entries", ENTRY_COLUMNS};
static const db_statement ordered_entries = {"ordered_entries",
                                             ENTRY_COLUMNS " ORDER BY file, seq"};
static const db_statement parts[AUDIT_PARTS] = {
    [AUDIT_TREE] = {"tree", "SELECT size, state FROM tree"},
    [AUDIT_CHECKPOINTS] = {"checkpoints",
                           "SELECT size, at, note FROM checkpoint ORDER BY size, at"},
    [AUDIT_LEAVES] = {"leaves", "SELECT n, file, seq, hash FROM leaf ORDER BY n"},
    [AUDIT_PENDING] = {"pending", "SELECT file, seq, hash FROM pending ORDER BY file, seq"},
    [AUDIT_CODES] = {"codes",
                     "SELECT id, code FROM file UNION ALL "
                     "SELECT value, 'the store' FROM meta WHERE name = 'store' ORDER BY 1"},
};

/* ---- values; false: not what it should be, which SQLite does not prevent ---- */

static bool get_id(db_rows *rows, int at, uuid *ret) {
    db_value v = db_get(rows, at);

    if (v.type != DB_BLOB || v.s.n != UUID_SIZE)
        return false;
    memcpy(ret->bytes, v.s.p, UUID_SIZE);
    return true;
}

static bool get_hash(db_rows *rows, int at, hash256 *ret) {
    db_value v = db_get(rows, at);

    if (v.type != DB_BLOB || v.s.n != HASH_SIZE)
        return false;
    memcpy(ret->bytes, v.s.p, HASH_SIZE);
    return true;
}

static bool get_int(db_rows *rows, int at, int64_t *ret) {
    db_value v = db_get(rows, at);

    *ret = v.type == DB_INT ? v.i : 0;
    return v.type == DB_INT;
}

static bool get_count(db_rows *rows, int at, uint64_t *ret) {
    int64_t i;
    bool good = get_int(rows, at, &i) && i >= 0;

    *ret = good ? (uint64_t)i : 0;
    return good;
}

static bool get_text(db_rows *rows, int at, size_t most, atg_str *ret) {
    db_value v = db_get(rows, at);

    *ret = v.type == DB_TEXT ? v.s : ATG_STR("");
    return v.type == DB_TEXT && v.s.n <= most;
}

static bool get_bytes(db_rows *rows, int at, atg_str *ret) {
    db_value v = db_get(rows, at);

    *ret = v.type == DB_BLOB ? v.s : ATG_STR("");
    return v.type == DB_BLOB;
}

/* ---- rows ---- */

/* As much as can be read of a row stays in `r`, to say which it is. */
static bool get_entry(db_rows *rows, audit_row *r) {
    chain_entry *e = &r->e;
    bool good = get_id(rows, 0, &e->file);

    good &= get_count(rows, 1, &e->seq);
    good &= get_int(rows, 2, &e->at);
    good &= get_id(rows, 3, &e->account);
    good &= get_text(rows, 4, AUDIT_WORD, &e->action);
    good &= get_text(rows, 5, AUDIT_WORD, &e->kind);
    good &= get_id(rows, 6, &e->record);
    good &= get_count(rows, 7, &e->rev);
    good &= get_text(rows, 8, AUDIT_DETAIL, &e->detail);
    good &= get_hash(rows, 9, &r->prev);
    return get_hash(rows, 10, &r->hash) && good;
}

static bool get_row(const audit_rows *a, audit_row *r) {
    db_rows *rows = a->rows;
    bool leaf = a->part == AUDIT_LEAVES;

    *r = (audit_row){.kind = (record_kind)a->kind};
    switch (a->part) {
    case AUDIT_TREE:
        return get_int(rows, 0, &r->n) && get_bytes(rows, 1, &r->text);
    case AUDIT_CHECKPOINTS:
        return get_int(rows, 0, &r->n) && get_int(rows, 1, &r->e.at) &&
               get_text(rows, 2, CHECKPOINT_MAX, &r->text);
    case AUDIT_ENTRIES:
        return get_entry(rows, r);
    case AUDIT_LEAVES:
    case AUDIT_PENDING:
        return (!leaf || get_int(rows, 0, &r->n)) && get_id(rows, leaf, &r->e.file) &&
               get_count(rows, leaf + 1, &r->e.seq) && get_hash(rows, leaf + 2, &r->hash);
    case AUDIT_RECORDS:
        return get_id(rows, 0, &r->e.record) && get_id(rows, 1, &r->e.file) &&
               get_count(rows, 2, &r->e.rev);
    case AUDIT_CODES:
        return get_id(rows, 0, &r->e.file) && get_text(rows, 1, AUDIT_WORD, &r->text);
    case AUDIT_PARTS:
        break;
    }
    return false;
}

static int damaged(const audit_rows *a, const audit_row *r, atg_err *err) {
    char file[UUID_TEXT + 1], id[UUID_TEXT + 1];

    uuid_text(&r->e.file, file);
    uuid_text(&r->e.record, id);
    switch (a->part) {
    case AUDIT_ENTRIES:
        return atg_fail(err, ATG_EDENIED,
                        "Entry %llu of the history of file %s is damaged: a value of another kind "
                        "stands in it",
                        (unsigned long long)r->e.seq, file);
    case AUDIT_LEAVES:
        return atg_fail(err, ATG_EDENIED, "Leaf %lld of the audit tree is damaged",
                        (long long)r->n);
    case AUDIT_CHECKPOINTS:
        return atg_fail(err, ATG_EDENIED, "The checkpoint of %lld entries is damaged",
                        (long long)r->n);
    case AUDIT_RECORDS:
        return atg_fail(err, ATG_EDENIED,
                        "The row of %s %s is damaged: a value of another kind "
                        "stands in it",
                        record_types[r->kind].title, id);
    case AUDIT_TREE:
    case AUDIT_PENDING:
    case AUDIT_CODES:
    case AUDIT_PARTS:
        break;
    }
    return atg_fail(err, ATG_EDENIED,
                    "Table %s of the audit is damaged: a value of another kind "
                    "stands in it",
                    parts[a->part].name);
}

/* ---- the source ---- */

static int start_rows(audit_rows *a, const db_statement *s, atg_err *err) {
    return db_stream(a->d, s, NULL, 0, &a->rows, err);
}

static int start(void *user, audit_part part, bool ordered, atg_err *err) {
    audit_rows *a = user;

    a->part = part;
    a->kind = 0;
    if (part == AUDIT_RECORDS)
        return start_rows(a, &record_statements[0].revs, err);
    if (part == AUDIT_ENTRIES)
        return start_rows(a, ordered ? &ordered_entries : &entries, err);
    return start_rows(a, &parts[part], err);
}

static int next(void *user, audit_row *ret, atg_err *err) {
    audit_rows *a = user;
    int rc;

    while ((rc = db_next(a->rows, err)) == 0 && a->part == AUDIT_RECORDS &&
           a->kind + 1 < RECORD_KINDS) {
        db_end(a->rows);
        a->rows = NULL;
        rc = start_rows(a, &record_statements[++a->kind].revs, err);
        if (rc)
            return rc;
    }
    if (rc > 0 && !get_row(a, ret))
        return damaged(a, ret, err);
    return rc;
}

static void stop(void *user) {
    audit_rows *a = user;

    db_end(a->rows);
    a->rows = NULL;
}

audit_source audit_source_of(audit_rows *r) {
    return (audit_source){.start = start, .next = next, .stop = stop, .user = r};
}
