/* SPDX-License-Identifier: Apache-2.0 */
#include "store/imported.h"

#include <string.h>

static const db_statement get_line = {
    "get imported",
    "SELECT record, digest, rev FROM imported WHERE operation = $1 AND source = $2 AND line = $3"};
static const db_statement put_line = {
    "put imported", "INSERT INTO imported (operation, source, line, record, digest, rev) "
                    "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (operation, source, line) "
                    "DO UPDATE SET record = excluded.record, digest = excluded.digest, "
                    "rev = excluded.rev"};
static const db_statement any_line = {
    "any imported",
    "SELECT CAST(1 AS BIGINT) FROM imported WHERE operation = $1 AND source = $2 LIMIT 1"};

int imported_any(db *d, const uuid *operation, atg_str source, bool *ret, atg_err *err) {
    int64_t one;
    int rc = db_get_one(d, &any_line,
                        (db_value[]){db_blob(operation->bytes, UUID_SIZE), db_text(source)}, 2, 0,
                        &one, err);

    *ret = rc == ATG_OK;
    return rc == ATG_ENOTFOUND ? ATG_OK : rc;
}

int imported_get(db *d, const uuid *operation, atg_str source, atg_str line, imported_row *ret,
                 atg_err *err) {
    __attribute__((cleanup(db_rows_freep))) db_rows *rows = NULL;
    int rc =
        db_query(d, &get_line,
                 (db_value[]){db_blob(operation->bytes, UUID_SIZE), db_text(source), db_text(line)},
                 3, &rows, err);

    if (rc)
        return rc;
    rc = db_next(rows, err);
    if (rc < 0)
        return rc;
    if (!rc)
        return atg_fail(err, ATG_ENOTFOUND, "Not imported before");

    atg_str record = db_get_blob(rows, 0), digest = db_get_blob(rows, 1);

    if (record.n != UUID_SIZE || digest.n != HASH_SIZE)
        return atg_fail(err, ATG_EDB, "A row of what was imported is damaged");
    memcpy(ret->record.bytes, record.p, UUID_SIZE);
    memcpy(ret->digest.bytes, digest.p, HASH_SIZE);
    ret->rev = db_get_int(rows, 2);
    return ATG_OK;
}

int imported_put(db *d, const uuid *operation, atg_str source, atg_str line,
                 const imported_row *row, atg_err *err) {
    return db_post(d, &put_line,
                   (db_value[]){db_blob(operation->bytes, UUID_SIZE), db_text(source),
                                db_text(line), db_blob(row->record.bytes, UUID_SIZE),
                                db_blob(row->digest.bytes, HASH_SIZE), db_int(row->rev)},
                   6, err);
}
