/* SPDX-License-Identifier: Apache-2.0 */
#include "store/audit.h"

#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "crypto/seal.h"

static const db_statement find_head = {
    "find_head", "SELECT seq, hash FROM audit WHERE file = $1 ORDER BY seq DESC LIMIT 1"};
static const db_statement insert_audit = {
    "insert_audit", "INSERT INTO audit(file, seq, at, account, action, kind, record, rev, detail, "
                    "prev, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"};
static const db_statement insert_pending = {
    "insert_pending", "INSERT INTO pending(file, seq, hash) VALUES ($1, $2, $3)"};
static const db_statement insert_history = {
    "insert_history", "INSERT INTO history(file, seq, person, sealed) VALUES ($1, $2, $3, $4)"};

static db_value id_of(const uuid *id) {
    return db_blob(id->bytes, UUID_SIZE);
}

static int read_head(db *d, const uuid *file, chain *ret, atg_err *err) {
    chain head = chain_start(file);
    db_rows *rows = NULL;
    db_value id = id_of(file);
    int rc = db_query(d, &find_head, &id, 1, &rows, err);

    if (rc || !rows)
        return rc;
    rc = db_next(rows, err);
    if (rc > 0) {
        atg_str hash = db_get_blob(rows, 1);

        head.seq = (uint64_t)db_get_int(rows, 0);
        rc = ATG_OK;
        if (hash.n == HASH_SIZE)
            memcpy(head.hash.bytes, hash.p, HASH_SIZE);
        else
            rc = atg_fail(err, ATG_EDB, "The last entry of a file's history is damaged");
    }
    db_end(rows);
    if (rc == ATG_OK)
        *ret = head;
    return rc;
}

void audit_foresee(db *d, const uuid *file) {
    db_foresee(d, &find_head, (db_value[]){id_of(file)}, 1);
}

size_t audit_history_place(const uuid *file, uint64_t seq, char ret[AUDIT_PLACE]) {
    static const char what[] = "antigone/history/1";
    size_t n = sizeof(what) - 1;

    memcpy(ret, what, n);
    memcpy(ret + n, file->bytes, UUID_SIZE);
    bytes_put64((unsigned char *)ret + n + UUID_SIZE, seq);
    return n + UUID_SIZE + 8;
}

static int add_history(db *d, const audit_event *e, uint64_t seq, atg_err *err) {
    char place[AUDIT_PLACE];
    atg_str ad = {place, audit_history_place(&e->file, seq, place)};
    size_t n = e->history.n + SEAL_OVERHEAD;
    MEM_AUTO unsigned char *sealed = mem_alloc(n);
    int rc;

    if (!sealed)
        return atg_fail(err, ATG_ENOMEM, "Out of memory sealing a history");
    rc = seal_make(e->key, ad, e->history, sealed, err);
    if (rc)
        return rc;
    return db_post(
        d, &insert_history,
        (db_value[]){id_of(&e->file), db_int((int64_t)seq), id_of(&e->person), db_blob(sealed, n)},
        4, err);
}

static int check_event(const audit_event *e, atg_err *err) {
    bool sealed = e->history.n > 0;

    if (uuid_none(&e->file) || !e->action || !e->action[0] || !e->kind || e->rev < 0)
        return atg_fail(err, ATG_EINVAL, "An event of the history needs a file and an action");
    if (strlen(e->action) > AUDIT_WORD || strlen(e->kind) > AUDIT_WORD)
        return atg_fail(err, ATG_EINVAL, "The action or kind of an event is too long");
    if (e->detail.n > AUDIT_DETAIL || e->history.n > AUDIT_DETAIL)
        return atg_fail(err, ATG_ELIMIT, "A change of more than %d KiB has no place in the history",
                        AUDIT_DETAIL >> 10);
    if (sealed && (uuid_none(&e->person) || !e->key))
        return atg_fail(err, ATG_EINVAL, "A sealed history needs a person and their key");
    if (e->head && uuid_cmp(&e->head->file, &e->file) != 0)
        return atg_fail(err, ATG_EINVAL, "The end of another file's history was given");
    return ATG_OK;
}

int audit_append(db *d, const audit_event *e, atg_err *err) {
    chain head = chain_start(&e->file), *at = e->head ? e->head : &head;
    int rc = check_event(e, err);

    if (rc == ATG_OK && !e->first && (!e->head || at->seq == 0))
        rc = read_head(d, &e->file, at, err);
    if (rc)
        return rc;

    chain_entry link = {.file = e->file,
                        .seq = at->seq + 1,
                        .at = e->at,
                        .account = e->account,
                        .action = atg_str_of(e->action),
                        .kind = atg_str_of(e->kind),
                        .record = e->record,
                        .rev = (uint64_t)e->rev,
                        .detail = e->detail};
    hash256 hash = chain_hash(&at->hash, &link);
    db_value file = id_of(&e->file), seq = db_int((int64_t)link.seq),
             made = db_blob(hash.bytes, HASH_SIZE);

    rc = db_post(d, &insert_audit,
                 (db_value[]){file, seq, db_int(e->at), id_of(&e->account), db_text(link.action),
                              db_text(link.kind), id_of(&e->record), db_int(e->rev),
                              db_text(e->detail), db_blob(at->hash.bytes, HASH_SIZE), made},
                 11, err);
    if (rc == ATG_OK)
        rc = db_post(d, &insert_pending, (db_value[]){file, seq, made}, 3, err);
    if (rc == ATG_OK && e->history.n)
        rc = add_history(d, e, link.seq, err);
    if (rc == ATG_OK)
        *at = (chain){.file = e->file, .seq = link.seq, .hash = hash};
    return rc;
}
