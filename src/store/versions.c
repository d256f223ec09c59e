/* SPDX-License-Identifier: Apache-2.0 */
#include "store/versions.h"

#include <string.h>

static const db_statement get_version = {"get version",
                                         "SELECT rev, id, earlier FROM version WHERE record = $1"};
static const db_statement put_version = {
    "put version", "INSERT INTO version(record, rev, id, earlier) VALUES ($1, $2, $3, $4) "
                   "ON CONFLICT (record) DO UPDATE SET rev = excluded.rev, id = excluded.id, "
                   "earlier = excluded.earlier"};
static const db_statement put_alias = {
    "put alias", "INSERT INTO alias(theirs, ours) VALUES ($1, $2) ON CONFLICT (theirs) DO UPDATE "
                 "SET ours = excluded.ours"};
static const db_statement get_alias = {"get alias", "SELECT ours FROM alias WHERE theirs = $1"};

#define LINK "seq, at, account, action, kind, record, rev, detail, prev, hash"

static const db_statement put_foreign = {
    "put foreign entry", "INSERT INTO foreign_entry(" LINK ", store, file) VALUES ($1, $2, $3, $4, "
                         "$5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING"};
static const db_statement foreign_hash_of = {
    "hash of foreign entry",
    "SELECT hash FROM foreign_entry WHERE store = $1 AND file = $2 AND seq = $3"};
static const db_statement last_foreign = {
    "last foreign entry",
    "SELECT CAST(max(seq) AS BIGINT) FROM foreign_entry WHERE store = $1 AND file = $2"};
static const db_statement cut_foreign = {
    "cut foreign entries",
    "DELETE FROM foreign_entry WHERE store = $1 AND file = $2 AND seq >= $3"};
static const db_statement own_links = {
    "links of own chain",
    "SELECT " LINK " FROM audit WHERE file = $1 AND seq > $2 ORDER BY seq LIMIT $3"};
static const db_statement foreign_links = {
    "links of foreign chain", "SELECT " LINK " FROM foreign_entry WHERE file = $1 AND seq > $2 AND "
                              "store = $4 ORDER BY seq LIMIT $3"};

static db_value of_id(const uuid *id) {
    return db_blob(id->bytes, UUID_SIZE);
}

static int no_memory(atg_err *err) {
    return atg_fail(err, ATG_ENOMEM, "Out of memory exchanging records");
}

static int damaged(atg_err *err, const char *what) {
    return atg_fail(err, ATG_EDB, "A row of %s is damaged", what);
}

static bool copy_bytes(db_rows *rows, int at, void *ret, size_t n) {
    atg_str s = db_get_blob(rows, at);

    if (s.n != n)
        return false;
    memcpy(ret, s.p, n);
    return true;
}

/* ---- sets ---- */

bool versions_has(const version_set *set, const uuid *id) {
    uint32_t low = 0, high = set->n;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = uuid_cmp(&set->ids[middle], id);

        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

static void add_one(version_set *set, const uuid *id) {
    uint32_t at = 0;

    while (at < set->n && uuid_cmp(&set->ids[at], id) < 0)
        at++;
    if (at < set->n && uuid_cmp(&set->ids[at], id) == 0)
        return;
    memmove(set->ids + at + 1, set->ids + at, (set->n - at) * sizeof(uuid));
    set->ids[at] = *id;
    set->n++;
}

int versions_join(atg_arena *arena, const version_set *a, const version_set *b, const uuid *one,
                  version_set *ret, atg_err *err) {
    version_set all = {ATG_GET(arena, uuid, (size_t)a->n + b->n + 1), 0};
    uint32_t i = 0, k = 0;

    if (!all.ids)
        return no_memory(err);
    while (i < a->n || k < b->n) {
        int order = i == a->n ? 1 : k == b->n ? -1 : uuid_cmp(&a->ids[i], &b->ids[k]);

        all.ids[all.n++] = order <= 0 ? a->ids[i] : b->ids[k];
        i += order <= 0;
        k += order >= 0;
    }
    if (one)
        add_one(&all, one);
    /* identifiers sort by the time at which they were made */
    if (all.n > VERSIONS_MAX) {
        all.ids += all.n - VERSIONS_MAX;
        all.n = VERSIONS_MAX;
    }
    *ret = all;
    return ATG_OK;
}

int versions_read(atg_arena *arena, atg_str bytes, version_set *ret, atg_err *err) {
    version_set set = {ATG_GET(arena, uuid, bytes.n / sizeof(uuid) + 1),
                       (uint32_t)(bytes.n / sizeof(uuid))};

    if (bytes.n % sizeof(uuid) || set.n > VERSIONS_MAX)
        return damaged(err, "the versions");
    if (!set.ids)
        return no_memory(err);
    if (bytes.n)
        memcpy(set.ids, bytes.p, bytes.n);
    *ret = set;
    return ATG_OK;
}

/* ---- versions ---- */

int versions_get(db *d, atg_arena *arena, const uuid *record, version_row *ret, atg_err *err) {
    __attribute__((cleanup(db_rows_freep))) db_rows *rows = NULL;
    version_row v = {.record = *record};
    db_value key = of_id(record);
    int rc = db_query(d, &get_version, &key, 1, &rows, err);

    if (rc == ATG_OK)
        rc = db_next(rows, err);
    if (rc == 0)
        return atg_fail(err, ATG_ENOTFOUND, "This record was never exchanged");
    if (rc < 0)
        return rc;
    v.rev = db_get_int(rows, 0);
    if (!copy_bytes(rows, 1, v.id.bytes, UUID_SIZE))
        return damaged(err, "the versions");
    rc = versions_read(arena, db_get_blob(rows, 2), &v.earlier, err);
    if (rc == ATG_OK)
        *ret = v;
    return rc;
}

int versions_put(db *d, const version_row *v, atg_err *err) {
    return db_post(
        d, &put_version,
        (db_value[]){of_id(&v->record), db_int(v->rev), of_id(&v->id), versions_value(&v->earlier)},
        4, err);
}

/* ---- hypotheses ---- */

int alias_put(db *d, const uuid *theirs, const uuid *ours, atg_err *err) {
    return db_post(d, &put_alias, (db_value[]){of_id(theirs), of_id(ours)}, 2, err);
}

int alias_get(db *d, const uuid *theirs, uuid *ret, atg_err *err) {
    __attribute__((cleanup(db_rows_freep))) db_rows *rows = NULL;
    db_value key = of_id(theirs);
    int rc = db_query(d, &get_alias, &key, 1, &rows, err);

    if (rc == ATG_OK)
        rc = db_next(rows, err);
    if (rc < 0)
        return rc;
    *ret = *theirs;
    return rc == 0 || copy_bytes(rows, 0, ret->bytes, UUID_SIZE) ? ATG_OK
                                                                 : damaged(err, "the aliases");
}

/* ---- chains ---- */

int foreign_put(db *d, const uuid *store, const chain_link *l, atg_err *err) {
    const chain_entry *e = &l->e;

    return db_post(d, &put_foreign,
                   (db_value[]){db_int((int64_t)e->seq), db_int(e->at), of_id(&e->account),
                                db_text(e->action), db_text(e->kind), of_id(&e->record),
                                db_int((int64_t)e->rev), db_text(e->detail),
                                db_blob(l->prev.bytes, HASH_SIZE),
                                db_blob(l->hash.bytes, HASH_SIZE), of_id(store), of_id(&e->file)},
                   12, err);
}

int foreign_hash(db *d, const uuid *store, const uuid *file, uint64_t seq, hash256 *ret,
                 atg_err *err) {
    __attribute__((cleanup(db_rows_freep))) db_rows *rows = NULL;
    int rc = db_query(d, &foreign_hash_of,
                      (db_value[]){of_id(store), of_id(file), db_int((int64_t)seq)}, 3, &rows, err);

    if (rc == ATG_OK)
        rc = db_next(rows, err);
    if (rc == 0)
        return atg_fail(err, ATG_ENOTFOUND, "This entry of another site is not there");
    if (rc < 0)
        return rc;
    return copy_bytes(rows, 0, ret->bytes, HASH_SIZE) ? ATG_OK : damaged(err, "a chain");
}

int foreign_last(db *d, const uuid *store, const uuid *file, uint64_t *ret, atg_err *err) {
    int64_t seq = 0;
    int rc = db_get_one(d, &last_foreign, (db_value[]){of_id(store), of_id(file)}, 2, 0, &seq, err);

    if (rc == ATG_OK)
        *ret = (uint64_t)seq;
    return rc;
}

int foreign_cut(db *d, const uuid *store, const uuid *file, uint64_t seq, atg_err *err) {
    return db_post(d, &cut_foreign, (db_value[]){of_id(store), of_id(file), db_int((int64_t)seq)},
                   3, err);
}

static int read_link(db_rows *rows, atg_arena *arena, const uuid *file, chain_link *ret,
                     atg_err *err) {
    chain_link l = {.e = {.file = *file,
                          .seq = (uint64_t)db_get_int(rows, 0),
                          .at = db_get_int(rows, 1),
                          .rev = (uint64_t)db_get_int(rows, 6)}};

    if (!copy_bytes(rows, 2, l.e.account.bytes, UUID_SIZE) ||
        !copy_bytes(rows, 5, l.e.record.bytes, UUID_SIZE) ||
        !copy_bytes(rows, 8, l.prev.bytes, HASH_SIZE) ||
        !copy_bytes(rows, 9, l.hash.bytes, HASH_SIZE))
        return damaged(err, "a chain");
    l.e.action = atg_arena_str(arena, db_get_text(rows, 3));
    l.e.kind = atg_arena_str(arena, db_get_text(rows, 4));
    l.e.detail = atg_arena_str(arena, db_get_text(rows, 7));
    if (!l.e.action.p || !l.e.kind.p || !l.e.detail.p)
        return no_memory(err);
    *ret = l;
    return ATG_OK;
}

int chain_links(db *d, atg_arena *arena, const chain_query *q, chain_link **ret, uint32_t *ret_n,
                atg_err *err) {
    __attribute__((cleanup(db_rows_freep))) db_rows *rows = NULL;
    chain_link *all = ATG_GET(arena, chain_link, (size_t)q->limit + 1);
    db_value values[] = {of_id(&q->file), db_int((int64_t)q->after), db_int(q->limit),
                         q->store ? of_id(q->store) : db_null()};
    uint32_t n = 0;
    int rc =
        db_query(d, q->store ? &foreign_links : &own_links, values, q->store ? 4 : 3, &rows, err);

    if (!all)
        return no_memory(err);
    while (rc == ATG_OK && (rc = db_next(rows, err)) > 0)
        rc = read_link(rows, arena, &q->file, &all[n++], err);
    if (rc == ATG_OK) {
        *ret = all;
        *ret_n = n;
    }
    return rc;
}
