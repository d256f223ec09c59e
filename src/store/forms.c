/* SPDX-License-Identifier: Apache-2.0 */
#include "store/forms.h"

#include <string.h>

static const db_statement put = {
    "picture_form_put",
    "INSERT INTO picture_form(hash, person, form, made) VALUES ($1, $2, $3, $4) "
    "ON CONFLICT (hash, person, form) DO UPDATE SET made = excluded.made"};
static const db_statement get = {
    "picture_form_get",
    "SELECT made FROM picture_form WHERE hash = $1 AND person = $2 AND form = $3"};
static const db_statement erase = {"picture_form_erase",
                                   "DELETE FROM picture_form WHERE person = $1"};

static db_value hash_value(const hash256 *h) {
    return db_blob(h->bytes, HASH_SIZE);
}

static db_value id_value(const uuid *id) {
    return db_blob(id->bytes, UUID_SIZE);
}

int forms_put(db *d, const uuid *person, const hash256 *hash, int64_t form, const hash256 *made,
              atg_err *err) {
    return db_post(d, &put,
                   (db_value[]){hash_value(hash), id_value(person), db_int(form), hash_value(made)},
                   4, err);
}

int forms_get(db *d, const uuid *person, const hash256 *hash, int64_t form, hash256 *ret,
              atg_err *err) {
    __attribute__((cleanup(db_rows_freep))) db_rows *rows = NULL;
    atg_str bytes;
    int rc = db_query(d, &get, (db_value[]){hash_value(hash), id_value(person), db_int(form)}, 3,
                      &rows, err);

    if (!rc)
        rc = db_next(rows, err);
    if (rc == 0)
        return atg_fail(err, ATG_ENOTFOUND, "This picture was not drawn in that form yet");
    if (rc < 0)
        return rc;
    bytes = db_get_blob(rows, 0);
    if (bytes.n != HASH_SIZE)
        return atg_fail(err, ATG_EDB, "A row of the pictures is damaged");
    memcpy(ret->bytes, bytes.p, HASH_SIZE);
    return ATG_OK;
}

int forms_erase(db *d, const uuid *person, atg_err *err) {
    db_value id = id_value(person);

    return db_run(d, &erase, &id, 1, NULL, err);
}
