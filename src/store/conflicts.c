/* SPDX-License-Identifier: Apache-2.0 */
#include "store/conflicts.h"

#include <string.h>

#include "crypto/seal.h"

enum { AD = 64 };

#define COLUMNS                                                                                    \
    "id, operation, file, kind, record, person, peer, bundle, at, version, earlier, theirs"

static const db_statement put_conflict = {
    "put conflict",
    "INSERT INTO conflict(" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) "
    "ON CONFLICT (record, peer) DO UPDATE SET person = excluded.person, bundle = "
    "excluded.bundle, at = excluded.at, version = excluded.version, earlier = excluded.earlier, "
    "theirs = excluded.theirs"};
static const db_statement delete_conflict = {"delete conflict",
                                             "DELETE FROM conflict WHERE id = $1"};
static const db_statement versions_of = {
    "versions of conflicts", "SELECT id, version FROM conflict WHERE record = $1 ORDER BY id"};
static const db_statement version_of = {
    "version of conflict", "SELECT version FROM conflict WHERE record = $1 AND peer = $2"};
static const db_statement forget_person = {"forget conflicts of person",
                                           "DELETE FROM conflict WHERE person = $1"};
static const db_statement get_conflict = {"get conflict",
                                          "SELECT " COLUMNS " FROM conflict WHERE id = $1"};
static const db_statement list_conflicts = {
    "list conflicts", "SELECT " COLUMNS " FROM conflict WHERE operation = $1 AND id > $2 "
                      "ORDER BY id LIMIT $3"};

static db_value of_id(const uuid *id) {
    return db_blob(id->bytes, UUID_SIZE);
}

static int no_memory(atg_err *err) {
    return atg_fail(err, ATG_ENOMEM, "Out of memory for a conflict");
}

/* The record and the version that it is in. */
static atg_str place_of(const conflict_row *c, char ret[AD]) {
    static const char name[] = "antigone/conflict/1";
    size_t n = sizeof(name) - 1;

    memcpy(ret, name, n);
    memcpy(ret + n, c->record.bytes, UUID_SIZE);
    memcpy(ret + n + UUID_SIZE, c->version.bytes, UUID_SIZE);
    return (atg_str){ret, n + 2 * (size_t)UUID_SIZE};
}

static int seal(db *d, keyring *keys, const conflict_row *c, atg_arena *arena, atg_str *ret,
                atg_err *err) {
    KEYS_AUTO person_keys person = {.key = {{0}}};
    unsigned char *sealed;
    char ad[AD];
    int rc;

    if (uuid_none(&c->person)) {
        *ret = c->theirs;
        return ATG_OK;
    }
    rc = keys_person(d, keys, &c->person, &person, err);
    sealed = ATG_GET(arena, unsigned char, c->theirs.n + SEAL_OVERHEAD);
    if (rc == ATG_OK && !sealed)
        rc = no_memory(err);
    if (rc == ATG_OK)
        rc = seal_make(&person.key, place_of(c, ad), c->theirs, sealed, err);
    if (rc == ATG_OK)
        *ret = (atg_str){(const char *)sealed, c->theirs.n + SEAL_OVERHEAD};
    return rc;
}

int conflicts_put(db *d, keyring *keys, const conflict_row *c, atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(c->theirs.n + (1 << 20));
    atg_str theirs = {NULL, 0};
    int rc = arena ? seal(d, keys, c, arena, &theirs, err) : no_memory(err);

    if (rc)
        return rc;
    return db_run(d, &put_conflict,
                  (db_value[]){of_id(&c->id), of_id(&c->operation), of_id(&c->file),
                               db_text(atg_str_of(record_types[c->kind].name)), of_id(&c->record),
                               uuid_none(&c->person) ? db_null() : of_id(&c->person),
                               of_id(&c->peer), of_id(&c->bundle), db_int(c->at),
                               of_id(&c->version), versions_value(&c->earlier),
                               db_blob(theirs.p, theirs.n)},
                  12, NULL, err);
}

static bool copy_id(db_rows *rows, int at, uuid *ret) {
    atg_str s = db_get_blob(rows, at);

    if (s.n != UUID_SIZE)
        return false;
    memcpy(ret->bytes, s.p, UUID_SIZE);
    return true;
}

int conflicts_settle(db *d, const uuid *id, const version_set *known, atg_err *err) {
    db_rows *rows = NULL;
    db_value key = of_id(id);
    int rc = db_query(d, &versions_of, &key, 1, &rows, err);

    while (rc == ATG_OK && (rc = db_next(rows, err)) > 0) {
        uuid own, version;

        rc = ATG_OK;
        if (copy_id(rows, 0, &own) && copy_id(rows, 1, &version) && versions_has(known, &version))
            rc = db_post(d, &delete_conflict, (db_value[]){of_id(&own)}, 1, err);
    }
    db_end(rows);
    return rc;
}

int conflicts_version(db *d, const uuid *id, const uuid *peer, uuid *ret, atg_err *err) {
    db_rows *rows = NULL;
    int rc = db_query(d, &version_of, (db_value[]){of_id(id), of_id(peer)}, 2, &rows, err);

    if (rc == ATG_OK)
        rc = db_next(rows, err);
    if (rc == 0)
        rc = atg_fail(err, ATG_ENOTFOUND, "There is no such conflict");
    else if (rc > 0)
        rc = copy_id(rows, 0, ret) ? ATG_OK
                                   : atg_fail(err, ATG_EDB, "A row of the conflicts is damaged");
    db_end(rows);
    return rc;
}

int conflicts_forget(db *d, const uuid *person, atg_err *err) {
    db_value key = of_id(person);

    return db_post(d, &forget_person, &key, 1, err);
}

/* ---- reading ---- */

/* As it stands: what was brought is still sealed. */
static int read_row(db_rows *rows, atg_arena *arena, conflict_row *ret, atg_err *err) {
    conflict_row c = {.at = db_get_int(rows, 8)};
    uuid *const ids[] = {&c.id, &c.operation, &c.file, &c.record, &c.peer, &c.bundle, &c.version};
    static const int places[] = {0, 1, 2, 4, 6, 7, 9};
    int kind = record_kind_of(db_get_text(rows, 3)), rc;
    bool fine = kind >= 0;

    for (int i = 0; i < 7; i++)
        fine = copy_id(rows, places[i], ids[i]) && fine;
    if (!fine || (!db_is_null(rows, 5) && !copy_id(rows, 5, &c.person)))
        return atg_fail(err, ATG_EDB, "A row of the conflicts is damaged");
    c.kind = (record_kind)kind;
    rc = versions_read(arena, db_get_blob(rows, 10), &c.earlier, err);
    c.theirs = atg_arena_str(arena, db_get_blob(rows, 11));
    if (rc == ATG_OK && !c.theirs.p)
        rc = no_memory(err);
    if (rc == ATG_OK)
        *ret = c;
    return rc;
}

static int open_row(db *d, keyring *keys, atg_arena *arena, conflict_row *c, atg_err *err) {
    KEYS_AUTO person_keys person = {.key = {{0}}};
    unsigned char *plain;
    char ad[AD];
    int rc;

    if (uuid_none(&c->person))
        return ATG_OK;
    if (c->theirs.n < SEAL_OVERHEAD)
        return atg_fail(err, ATG_EDB, "A row of the conflicts is damaged");
    rc = keys_person(d, keys, &c->person, &person, err);
    plain = ATG_GET(arena, unsigned char, c->theirs.n - SEAL_OVERHEAD + 1);
    if (rc == ATG_OK && !plain)
        rc = no_memory(err);
    if (rc == ATG_OK)
        rc = seal_open(&person.key, place_of(c, ad), c->theirs, plain, err);
    if (rc == ATG_OK)
        c->theirs = (atg_str){(const char *)plain, c->theirs.n - SEAL_OVERHEAD};
    return rc;
}

int conflicts_get(db *d, keyring *keys, atg_arena *arena, const uuid *id, conflict_row *ret,
                  atg_err *err) {
    db_rows *rows = NULL;
    db_value key = of_id(id);
    int rc = db_query(d, &get_conflict, &key, 1, &rows, err);

    if (rc == ATG_OK)
        rc = db_next(rows, err);
    if (rc == 0)
        rc = atg_fail(err, ATG_ENOTFOUND, "There is no such conflict, or it was decided");
    else if (rc > 0)
        rc = read_row(rows, arena, ret, err);
    db_end(rows);
    return rc ? rc : open_row(d, keys, arena, ret, err);
}

int conflicts_list(db *d, keyring *keys, atg_arena *arena, const conflicts_query *q,
                   conflict_row **ret, uint32_t *ret_n, atg_err *err) {
    conflict_row *all = ATG_GET(arena, conflict_row, (size_t)q->limit + 1);
    db_rows *rows = NULL;
    uint32_t n = 0;
    int rc = db_query(d, &list_conflicts,
                      (db_value[]){of_id(&q->operation), of_id(&q->after), db_int(q->limit)}, 3,
                      &rows, err);

    if (rc == ATG_OK && !all)
        rc = no_memory(err);
    while (rc == ATG_OK && (rc = db_next(rows, err)) > 0)
        rc = read_row(rows, arena, &all[n++], err);
    db_end(rows);
    for (uint32_t i = 0; i < n && !rc; i++)
        rc = open_row(d, keys, arena, &all[i], err);
    if (rc == ATG_OK) {
        *ret = all;
        *ret_n = n;
    }
    return rc;
}
