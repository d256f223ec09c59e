/* SPDX-License-Identifier: Apache-2.0 */
/* The history of a file as a story: entries, with what was sealed opened. */
#include <string.h>

#include "crypto/seal.h"
#include "store/audit.h"

static const db_statement read_entries = {
    "read_entries", "SELECT a.seq, a.at, a.account, a.action, a.kind, a.record, a.rev, a.detail, "
                    "h.person, h.sealed "
                    "FROM audit a LEFT JOIN history h ON h.file = a.file AND h.seq = a.seq "
                    "WHERE a.file = $1 AND a.seq >= $2 ORDER BY a.seq LIMIT $3"};

enum { FIRST = 64 };

static int no_memory(atg_err *err) {
    return atg_fail(err, ATG_ENOMEM, "Out of memory reading a history");
}

static bool get_id(db_rows *rows, int at, uuid *ret) {
    atg_str s = db_get_blob(rows, at);

    if (s.n == UUID_SIZE)
        memcpy(ret->bytes, s.p, UUID_SIZE);
    return s.n == UUID_SIZE;
}

static int open_history(db *d, keyring *keys, atg_arena *arena, db_rows *rows, audit_entry *to,
                        atg_err *err) {
    KEYS_AUTO person_keys person = {{{0}}, {{0}}};
    char place[AUDIT_PLACE];
    atg_str ad = {place, audit_history_place(&to->e.file, to->e.seq, place)};
    atg_str sealed = db_get_blob(rows, 9);
    unsigned char *plain;
    uuid id;
    int rc;

    if (!get_id(rows, 8, &id) || sealed.n < SEAL_OVERHEAD)
        return atg_fail(err, ATG_EDENIED, "What entry %llu of a history sealed is damaged",
                        (unsigned long long)to->e.seq);
    rc = keys_person(d, keys, &id, &person, err);
    to->erased = rc == ATG_ENOTFOUND;
    if (rc)
        return to->erased ? ATG_OK : rc;
    plain = ATG_GET(arena, unsigned char, sealed.n - SEAL_OVERHEAD + 1);
    if (!plain)
        return no_memory(err);
    rc = seal_open(&person.key, ad, sealed, plain, err);
    to->history = (atg_str){(const char *)plain, rc ? 0 : sealed.n - SEAL_OVERHEAD};
    return rc;
}

static int read_row(db *d, keyring *keys, atg_arena *arena, db_rows *rows, audit_entry *to,
                    atg_err *err) {
    chain_entry *e = &to->e;

    e->seq = (uint64_t)db_get_int(rows, 0);
    e->at = db_get_int(rows, 1);
    e->action = atg_arena_str(arena, db_get_text(rows, 3));
    e->kind = atg_arena_str(arena, db_get_text(rows, 4));
    e->rev = (uint64_t)db_get_int(rows, 6);
    e->detail = atg_arena_str(arena, db_get_text(rows, 7));
    if (!e->action.p || !e->kind.p || !e->detail.p)
        return no_memory(err);
    if (!get_id(rows, 2, &e->account) || !get_id(rows, 5, &e->record))
        return atg_fail(err, ATG_EDENIED, "Entry %llu of a history is damaged",
                        (unsigned long long)e->seq);
    return db_is_null(rows, 8) ? ATG_OK : open_history(d, keys, arena, rows, to, err);
}

typedef struct list {
    audit_entry *rows;
    uint32_t n, cap;
} list;

static audit_entry *next_of(atg_arena *arena, list *l, const uuid *file) {
    if (l->n == l->cap) {
        uint32_t cap = l->cap ? 2 * l->cap : FIRST;
        audit_entry *more = ATG_GET(arena, audit_entry, cap);

        if (!more)
            return NULL;
        if (l->n)
            memcpy(more, l->rows, l->n * sizeof(*more));
        l->rows = more;
        l->cap = cap;
    }
    l->rows[l->n].e.file = *file;
    return &l->rows[l->n++];
}

int audit_read(db *d, keyring *keys, atg_arena *arena, const audit_query *q, audit_entry **ret,
               uint32_t *ret_n, atg_err *err) {
    db_value values[] = {db_blob(q->file.bytes, UUID_SIZE), db_int((int64_t)q->from),
                         db_int(q->limit)};
    db_rows *rows = NULL;
    list l = {0};
    int rc = db_query(d, &read_entries, values, 3, &rows, err);

    if (rc || !rows)
        return rc;
    while ((rc = db_next(rows, err)) > 0) {
        audit_entry *to = next_of(arena, &l, &q->file);

        rc = to ? read_row(d, keys, arena, rows, to, err) : no_memory(err);
        if (rc)
            break;
    }
    db_end(rows);
    if (rc)
        return rc;
    *ret = l.rows;
    *ret_n = l.n;
    return ATG_OK;
}
