/* SPDX-License-Identifier: Apache-2.0 */
#include "store/peers.h"

#include <string.h>

enum { FIRST = 16 };

#define COLUMNS "id, name, site, kind, agency, sign, box, added, account, checkpoint"

static const db_statement insert_peer = {"insert peer",
                                         "INSERT INTO peer(" COLUMNS
                                         ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"};
static const db_statement delete_peer = {"delete peer", "DELETE FROM peer WHERE id = $1"};
static const db_statement leave_all = {"leave operations",
                                       "DELETE FROM peer_operation WHERE peer = $1"};
static const db_statement set_checkpoint = {"set checkpoint of peer",
                                            "UPDATE peer SET checkpoint = $2 WHERE id = $1"};
static const db_statement get_peer = {"get peer", "SELECT " COLUMNS " FROM peer WHERE id = $1"};
static const db_statement find_peer = {"find peer", "SELECT " COLUMNS " FROM peer WHERE name = $1"};
static const db_statement peer_of_key = {"peer of key",
                                         "SELECT " COLUMNS " FROM peer WHERE sign = $1"};
static const db_statement list_peers = {"list peers", "SELECT " COLUMNS " FROM peer ORDER BY name"};

static const db_statement join = {
    "join operation",
    "INSERT INTO peer_operation(peer, operation) VALUES ($1, $2) ON CONFLICT DO NOTHING"};
static const db_statement leave = {"leave operation",
                                   "DELETE FROM peer_operation WHERE peer = $1 AND operation = $2"};
static const db_statement joined = {
    "joined operation",
    "SELECT CAST(1 AS BIGINT) FROM peer_operation WHERE peer = $1 AND operation = $2"};

static const db_statement insert_bundle = {
    "insert bundle", "INSERT INTO bundle(id, peer, operation, opened, mark, at, account) VALUES "
                     "($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING"};
static const db_statement has_bundle = {
    "has bundle", "SELECT CAST(1 AS BIGINT) FROM bundle WHERE id = $1 AND peer = $2"};
static const db_statement mark_of = {
    "mark of peer", "SELECT CAST(max(mark) AS BIGINT) FROM bundle WHERE peer = $1 AND operation = "
                    "$2 AND opened = 0"};

static db_value of_id(const uuid *id) {
    return db_blob(id->bytes, UUID_SIZE);
}

int peers_insert(db *d, const peer_row *p, atg_err *err) {
    return db_run(d, &insert_peer,
                  (db_value[]){of_id(&p->id), db_text(p->name), db_text(p->site), db_text(p->kind),
                               db_text(p->agency), db_blob(p->sign.bytes, SIGN_PUBLIC),
                               db_blob(p->box.bytes, BOX_PUBLIC), db_int(p->added),
                               of_id(&p->account), db_text(p->checkpoint)},
                  10, NULL, err);
}

int peers_delete(db *d, const uuid *id, atg_err *err) {
    db_value key = of_id(id);
    int rc = db_post(d, &leave_all, &key, 1, err);

    return rc ? rc : db_post(d, &delete_peer, &key, 1, err);
}

int peers_set_checkpoint(db *d, const uuid *id, atg_str checkpoint, atg_err *err) {
    return db_post(d, &set_checkpoint, (db_value[]){of_id(id), db_text(checkpoint)}, 2, err);
}

static bool copy_bytes(db_rows *rows, int at, void *ret, size_t n) {
    atg_str s = db_get_blob(rows, at);

    if (s.n != n)
        return false;
    memcpy(ret, s.p, n);
    return true;
}

static int read_peer(db_rows *rows, atg_arena *arena, peer_row *ret, atg_err *err) {
    peer_row p = {.added = db_get_int(rows, 7)};
    atg_str *const texts[] = {&p.name, &p.site, &p.kind, &p.agency, &p.checkpoint};
    static const int places[] = {1, 2, 3, 4, 9};

    if (!copy_bytes(rows, 0, p.id.bytes, UUID_SIZE) ||
        !copy_bytes(rows, 5, p.sign.bytes, SIGN_PUBLIC) ||
        !copy_bytes(rows, 6, p.box.bytes, BOX_PUBLIC) ||
        !copy_bytes(rows, 8, p.account.bytes, UUID_SIZE))
        return atg_fail(err, ATG_EDB, "A row of the known sites is damaged");
    for (int i = 0; i < 5; i++) {
        *texts[i] = atg_arena_str(arena, db_get_text(rows, places[i]));
        if (!texts[i]->p)
            return atg_fail(err, ATG_ENOMEM, "Out of memory reading the known sites");
    }
    *ret = p;
    return ATG_OK;
}

static int get_one(db *d, atg_arena *arena, const db_statement *statement, db_value key,
                   peer_row *ret, atg_err *err) {
    __attribute__((cleanup(db_rows_freep))) db_rows *rows = NULL;
    int rc = db_query(d, statement, &key, 1, &rows, err);

    if (rc == ATG_OK)
        rc = db_next(rows, err);
    if (rc == 0)
        return atg_fail(err, ATG_ENOTFOUND, "There is no such site among the known ones");
    return rc < 0 ? rc : read_peer(rows, arena, ret, err);
}

int peers_get(db *d, atg_arena *arena, const uuid *id, peer_row *ret, atg_err *err) {
    return get_one(d, arena, &get_peer, of_id(id), ret, err);
}

int peers_find(db *d, atg_arena *arena, atg_str name, peer_row *ret, atg_err *err) {
    return get_one(d, arena, &find_peer, db_text(name), ret, err);
}

int peers_of_key(db *d, atg_arena *arena, const sign_public *sign, peer_row *ret, atg_err *err) {
    return get_one(d, arena, &peer_of_key, db_blob(sign->bytes, SIGN_PUBLIC), ret, err);
}

int peers_list(db *d, atg_arena *arena, peer_row **ret, uint32_t *ret_n, atg_err *err) {
    __attribute__((cleanup(db_rows_freep))) db_rows *rows = NULL;
    peer_row *all = ATG_GET(arena, peer_row, FIRST);
    uint32_t n = 0, room = FIRST;
    int rc = db_query(d, &list_peers, NULL, 0, &rows, err);

    while (all && rc == ATG_OK && (rc = db_next(rows, err)) > 0) {
        if (n == room) {
            peer_row *more = ATG_GET(arena, peer_row, (size_t)room * 2);

            if (more)
                memcpy(more, all, n * sizeof(*all));
            all = more;
            room *= 2;
        }
        rc = all ? read_peer(rows, arena, &all[n++], err) : ATG_OK;
    }
    if (!all)
        return atg_fail(err, ATG_ENOMEM, "Out of memory reading the known sites");
    if (rc == ATG_OK) {
        *ret = all;
        *ret_n = n;
    }
    return rc;
}

int peers_join(db *d, const uuid *peer, const uuid *operation, bool on, atg_err *err) {
    return db_post(d, on ? &join : &leave, (db_value[]){of_id(peer), of_id(operation)}, 2, err);
}

static int is_there(db *d, const db_statement *statement, const uuid *a, const uuid *b, bool *ret,
                    atg_err *err) {
    int64_t one;
    int rc = db_get_one(d, statement, (db_value[]){of_id(a), of_id(b)}, 2, 0, &one, err);

    if (rc && rc != ATG_ENOTFOUND)
        return rc;
    *ret = rc == ATG_OK;
    return ATG_OK;
}

int peers_joined(db *d, const uuid *peer, const uuid *operation, bool *ret, atg_err *err) {
    return is_there(d, &joined, peer, operation, ret, err);
}

int bundles_insert(db *d, const bundle_row *b, atg_err *err) {
    return db_post(d, &insert_bundle,
                   (db_value[]){of_id(&b->id), of_id(&b->peer), of_id(&b->operation),
                                db_int(b->opened), db_int(b->mark), db_int(b->at),
                                of_id(&b->account)},
                   7, err);
}

int bundles_has(db *d, const uuid *id, const uuid *peer, bool *ret, atg_err *err) {
    return is_there(d, &has_bundle, id, peer, ret, err);
}

int bundles_mark(db *d, const uuid *peer, const uuid *operation, int64_t *ret, atg_err *err) {
    return db_get_one(d, &mark_of, (db_value[]){of_id(peer), of_id(operation)}, 2, 0, ret, err);
}
