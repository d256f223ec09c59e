/* SPDX-License-Identifier: Apache-2.0 */
#include "store/keys.h"

#include <string.h>

#include "base/bytes.h"
#include "crypto/seal.h"
#include "store/keyring.h"

enum {
    PERSON_PLAIN = KEY_SIZE + KEY_SALT,
    PERSON_SEALED = PERSON_PLAIN + SEAL_OVERHEAD,
    SITE_ROW = KEY_ID + SEAL_KEY_SIZE,
    PLACE_MAX = 80,
};

static const db_statement get_meta = {"get_site_key",
                                      "SELECT value FROM meta WHERE name = 'site_key'"};
static const db_statement add_meta = {"add_site_key",
                                      "INSERT INTO meta(name, value) VALUES ('site_key', $1)"};
static const db_statement set_meta = {"set_site_key",
                                      "UPDATE meta SET value = $1 WHERE name = 'site_key'"};
static const db_statement add_operation = {
    "add_operation_key",
    "INSERT INTO operation_key(operation, master, wrapped) VALUES ($1, $2, $3)"};
static const db_statement get_operation = {
    "get_operation_key", "SELECT master, wrapped FROM operation_key WHERE operation = $1"};
static const db_statement next_operation = {"next_operation_key",
                                            "SELECT operation, master, wrapped FROM operation_key "
                                            "WHERE operation > $1 ORDER BY operation LIMIT 1"};
static const db_statement set_operation = {
    "set_operation_key", "UPDATE operation_key SET master = $2, wrapped = $3 WHERE operation = $1"};
static const db_statement add_person = {
    "add_person_key", "INSERT INTO person_key(person, operation, wrapped) VALUES ($1, $2, $3)"};
static const db_statement get_person = {
    "get_person_key", "SELECT operation, wrapped FROM person_key WHERE person = $1"};
static const db_statement empty_person = {
    "empty_person_key", "INSERT INTO person_key(person, operation, wrapped) "
                        "VALUES ($1, $2, NULL) ON CONFLICT (person) DO UPDATE SET wrapped = NULL"};
static const db_statement get_erased = {"get_erased", "SELECT n FROM erased WHERE person = $1"};
static const db_statement number_erased = {
    "number_erased", "INSERT INTO counter(name, next) VALUES ('erased', 2) ON CONFLICT (name) DO "
                     "UPDATE SET next = counter.next + 1 RETURNING next - 1"};
static const db_statement add_erased = {
    "add_erased",
    "INSERT INTO erased(n, person, operation, at, account) VALUES ($1, $2, $3, $4, $5)"};

void keys_wipe(person_keys *keys) {
    bytes_wipe(keys, sizeof(*keys));
}

static db_value id_of(const uuid *id) {
    return db_blob(id->bytes, UUID_SIZE);
}

/* What a key is bound to: a text that says what it is, and identifiers. */
typedef struct place {
    char bytes[PLACE_MAX];
    size_t n;
} place;

static place place_of(const char *what, const uuid *a, const uuid *b) {
    place p = {.n = strlen(what)};

    memcpy(p.bytes, what, p.n);
    if (a) {
        memcpy(p.bytes + p.n, a->bytes, UUID_SIZE);
        p.n += UUID_SIZE;
    }
    if (b) {
        memcpy(p.bytes + p.n, b->bytes, UUID_SIZE);
        p.n += UUID_SIZE;
    }
    return p;
}

static place place_of_site(void) {
    return place_of("antigone/site-key/1", NULL, NULL);
}

static place place_of_operation(const uuid *operation) {
    return place_of("antigone/operation-key/1", operation, NULL);
}

static place place_of_person(const uuid *operation, const uuid *person) {
    return place_of("antigone/person-key/1", operation, person);
}

static atg_str ad_of(const place *p) {
    return (atg_str){p->bytes, p->n};
}

/* ---- under the master key ---- */

static int other_master(const key_id *is, const key_id *has, const char *what, atg_err *err) {
    char a[2 * KEY_ID + 1], b[2 * KEY_ID + 1];

    bytes_hex(is->bytes, KEY_ID, a);
    bytes_hex(has->bytes, KEY_ID, b);
    return atg_fail(err, ATG_EDENIED,
                    "The %s key is sealed under master key %s, but the key file holds %s: use the "
                    "key file of this store",
                    what, a, b);
}

static int open_under(const key256 *master, const place *p, const char *what, atg_str id,
                      atg_str wrapped, key256 *ret, atg_err *err) {
    key_id has = key_id_of(master), is;

    if (id.n != KEY_ID)
        return atg_fail(err, ATG_EDB, "The row of the %s key is damaged", what);
    memcpy(is.bytes, id.p, KEY_ID);
    if (!key_id_eq(&has, &is))
        return other_master(&is, &has, what, err);
    if (seal_open_key(master, ad_of(p), wrapped, ret, NULL))
        return atg_fail(err, ATG_EDENIED, "The %s key was changed in the database", what);
    return ATG_OK;
}

static int site_row(const key256 *master, const key256 *site, unsigned char ret[SITE_ROW],
                    atg_err *err) {
    key_id id = key_id_of(master);
    place p = place_of_site();

    memcpy(ret, id.bytes, KEY_ID);
    return seal_key(master, ad_of(&p), site, ret + KEY_ID, err);
}

int keys_site_new(db *d, keyring *k, atg_err *err) {
    KEY_AUTO key256 master, site = {{0}};
    unsigned char row[SITE_ROW];
    int rc;

    keyring_master(k, &master);
    rc = key_new(&site, err);
    if (rc == ATG_OK)
        rc = site_row(&master, &site, row, err);
    if (rc == ATG_OK)
        rc = db_run(d, &add_meta, (db_value[]){db_blob(row, sizeof(row))}, 1, NULL, err);
    return rc;
}

static int read_site(db *d, const key256 *master, key256 *ret, key_id *ret_id, atg_err *err) {
    db_rows *rows = NULL;
    place p = place_of_site();
    int rc = db_query(d, &get_meta, NULL, 0, &rows, err);

    if (rc || !rows)
        return rc;
    rc = db_next(rows, err);
    if (rc == 0)
        rc = atg_fail(err, ATG_ENOTFOUND, "The store has no site key");
    if (rc > 0) {
        atg_str row = db_get_blob(rows, 0), id = {row.p, KEY_ID};

        if (row.n != SITE_ROW)
            id.n = 0;
        else
            memcpy(ret_id->bytes, id.p, KEY_ID);
        rc = open_under(master, &p, "site", id, (atg_str){row.p + id.n, row.n - id.n}, ret, err);
    }
    db_end(rows);
    return rc;
}

static int site_key(db *d, keyring *k, key256 *ret, atg_err *err) {
    static const uuid none = {{0}};
    KEYS_AUTO person_keys found = {{{0}}, {{0}}};
    KEY_AUTO key256 master;
    key_id id;
    int rc;

    if (!keyring_look(k, d, KEY_OF_SITE, &none, &found)) {
        keyring_master(k, &master);
        rc = read_site(d, &master, &found.key, &id, err);
        if (rc)
            return rc;
        keyring_put(k, d, NULL, KEY_OF_SITE, &none, &found);
    }
    *ret = found.key;
    return ATG_OK;
}

int keys_site(db *d, keyring *k, site_purpose purpose, key256 *ret, atg_err *err) {
    static const char *const contexts[SITE_PURPOSES] = {[SITE_SIGN] = "sitesign",
                                                        [SITE_BOX] = "site-box",
                                                        [SITE_CODES] = "sitecode",
                                                        [SITE_SPOOL] = "sitspool",
                                                        [SITE_TASKS] = "sitetask"};
    KEY_AUTO key256 site = {{0}};
    int rc = site_key(d, k, &site, err);

    if (rc == ATG_OK)
        key_derive(&site, contexts[purpose], 0, ret);
    return rc;
}

/* ---- operations ---- */

int keys_operation_new(db *d, keyring *k, const uuid *operation, atg_err *err) {
    KEYS_AUTO person_keys made = {{{0}}, {{0}}};
    KEY_AUTO key256 master;
    unsigned char wrapped[SEAL_KEY_SIZE];
    place p = place_of_operation(operation);
    key_id id;
    int rc;

    keyring_master(k, &master);
    id = key_id_of(&master);
    rc = key_new(&made.key, err);
    if (rc == ATG_OK)
        rc = seal_key(&master, ad_of(&p), &made.key, wrapped, err);
    if (rc == ATG_OK)
        rc = db_post(d, &add_operation,
                     (db_value[]){id_of(operation), db_blob(id.bytes, KEY_ID),
                                  db_blob(wrapped, sizeof(wrapped))},
                     3, err);
    if (rc == ATG_OK && db_stretch(d))
        keyring_put(k, d, NULL, KEY_OF_OPERATION, operation, &made);
    return rc;
}

static int read_operation(db *d, const key256 *master, const uuid *operation, key256 *ret,
                          atg_err *err) {
    db_rows *rows = NULL;
    place p = place_of_operation(operation);
    int rc = db_query(d, &get_operation, (db_value[]){id_of(operation)}, 1, &rows, err);

    if (rc || !rows)
        return rc;
    rc = db_next(rows, err);
    if (rc == 0)
        rc = atg_fail(err, ATG_ENOTFOUND, "There is no such operation");
    if (rc > 0)
        rc = open_under(master, &p, "operation's", db_get_blob(rows, 0), db_get_blob(rows, 1), ret,
                        err);
    db_end(rows);
    return rc;
}

static int operation_key(db *d, keyring *k, const uuid *operation, key256 *ret, atg_err *err) {
    KEYS_AUTO person_keys found = {{{0}}, {{0}}};
    KEY_AUTO key256 master;
    int rc;

    if (!keyring_look(k, d, KEY_OF_OPERATION, operation, &found)) {
        keyring_master(k, &master);
        rc = read_operation(d, &master, operation, &found.key, err);
        if (rc)
            return rc;
        keyring_put(k, d, NULL, KEY_OF_OPERATION, operation, &found);
    }
    *ret = found.key;
    return ATG_OK;
}

int keys_operation(db *d, keyring *k, const uuid *operation, key_purpose purpose, key256 *ret,
                   atg_err *err) {
    static const char *const contexts[KEY_PURPOSES] = {
        [KEY_TOKENS] = "optokens", [KEY_BLOBS] = "op-blobs"};
    KEY_AUTO key256 key = {{0}};
    int rc = operation_key(d, k, operation, &key, err);

    if (rc == ATG_OK)
        key_derive(&key, contexts[purpose], 0, ret);
    return rc;
}

/* What the keys of an operation's persons are sealed under. */
static int persons_key(db *d, keyring *k, const uuid *operation, key256 *ret, atg_err *err) {
    KEY_AUTO key256 key = {{0}};
    int rc = operation_key(d, k, operation, &key, err);

    if (rc == ATG_OK)
        key_derive(&key, "opperson", 0, ret);
    return rc;
}

/* ---- persons ---- */

static int make_person(db *d, keyring *k, const uuid *operation, const uuid *person,
                       person_keys *ret, unsigned char wrapped[PERSON_SEALED], atg_err *err) {
    KEY_AUTO key256 under = {{0}};
    place p = place_of_person(operation, person);
    unsigned char plain[PERSON_PLAIN];
    int rc = persons_key(d, k, operation, &under, err);

    if (rc == ATG_OK)
        rc = key_new(&ret->key, err);
    if (rc == ATG_OK)
        rc = key_salt_new(&ret->salt, err);
    if (rc)
        return rc;
    memcpy(plain, ret->key.bytes, KEY_SIZE);
    memcpy(plain + KEY_SIZE, ret->salt.bytes, KEY_SALT);
    rc = seal_make(&under, ad_of(&p), (atg_str){(char *)plain, sizeof(plain)}, wrapped, err);
    bytes_wipe(plain, sizeof(plain));
    return rc;
}

int keys_person_new(db *d, keyring *k, const uuid *operation, const uuid *person, person_keys *ret,
                    atg_err *err) {
    KEYS_AUTO person_keys made = {{{0}}, {{0}}};
    unsigned char wrapped[PERSON_SEALED];
    key_view view;
    int rc = keyring_view(k, d, &view, err);

    if (rc == ATG_OK)
        rc = make_person(d, k, operation, person, &made, wrapped, err);
    if (rc == ATG_OK)
        rc = db_post(
            d, &add_person,
            (db_value[]){id_of(person), id_of(operation), db_blob(wrapped, sizeof(wrapped))}, 3,
            err);
    if (rc)
        return rc;
    if (db_stretch(d))
        keyring_put(k, d, &view, KEY_OF_PERSON, person, &made);
    if (ret)
        *ret = made;
    return ATG_OK;
}

static int open_person(db *d, keyring *k, const person_row *row, person_keys *ret, atg_err *err) {
    KEY_AUTO key256 under = {{0}};
    place p = place_of_person(&row->operation, &row->person);
    unsigned char plain[PERSON_PLAIN];
    int rc = persons_key(d, k, &row->operation, &under, err);

    if (rc)
        return rc;
    if (row->wrapped.n != PERSON_SEALED || seal_open(&under, ad_of(&p), row->wrapped, plain, NULL))
        return atg_fail(err, ATG_EDENIED, "The key of a person was changed in the database");
    memcpy(ret->key.bytes, plain, KEY_SIZE);
    memcpy(ret->salt.bytes, plain + KEY_SIZE, KEY_SALT);
    bytes_wipe(plain, sizeof(plain));
    return ATG_OK;
}

int keys_person_open(db *d, keyring *k, const person_row *row, bool keep, person_keys *ret,
                     atg_err *err) {
    key_view view;
    int rc = keep ? keyring_view(k, d, &view, err) : ATG_OK;

    if (rc == ATG_OK)
        rc = open_person(d, k, row, ret, err);
    if (rc == ATG_OK && keep)
        keyring_put(k, d, &view, KEY_OF_PERSON, &row->person, ret);
    return rc;
}

static int read_person(db *d, keyring *k, const uuid *person, person_keys *ret, atg_err *err) {
    db_rows *rows = NULL;
    int rc = db_query(d, &get_person, (db_value[]){id_of(person)}, 1, &rows, err);

    if (rc || !rows)
        return rc;
    rc = db_next(rows, err);
    if (rc == 0 || (rc > 0 && db_is_null(rows, 1)))
        rc = atg_fail(err, ATG_ENOTFOUND, "The key of this person is not there, or was destroyed");
    if (rc > 0) {
        atg_str operation = db_get_blob(rows, 0);
        person_row row = {.person = *person, .wrapped = db_get_blob(rows, 1)};

        memcpy(row.operation.bytes, operation.p, operation.n == UUID_SIZE ? UUID_SIZE : 0);
        rc = open_person(d, k, &row, ret, err);
    }
    db_end(rows);
    return rc;
}

int keys_person(db *d, keyring *k, const uuid *person, person_keys *ret, atg_err *err) {
    KEYS_AUTO person_keys found = {{{0}}, {{0}}};
    key_view view;
    int rc = keyring_view(k, d, &view, err);

    if (rc)
        return rc;
    if (!view.use || !keyring_look(k, d, KEY_OF_PERSON, person, &found)) {
        rc = read_person(d, k, person, &found, err);
        if (rc)
            return rc;
        keyring_put(k, d, &view, KEY_OF_PERSON, person, &found);
    }
    *ret = found;
    return ATG_OK;
}

void keys_foresee(db *d, keyring *k) {
    keyring_foresee_view(k, d);
}

/* ---- erasing ---- */

int keys_erased(db *d, const uuid *person, bool *ret, atg_err *err) {
    int64_t n;
    int rc = db_get_one(d, &get_erased, (db_value[]){id_of(person)}, 1, 0, &n, err);

    if (rc && rc != ATG_ENOTFOUND)
        return rc;
    *ret = rc == ATG_OK;
    return ATG_OK;
}

int keys_erase(db *d, keyring *k, const uuid *operation, const uuid *person, const uuid *account,
               int64_t at, atg_err *err) {
    bool erased = false;
    int64_t n = 0;
    int rc = keys_erased(d, person, &erased, err);

    if (rc == ATG_OK)
        rc = db_run(d, &empty_person, (db_value[]){id_of(person), id_of(operation)}, 2, NULL, err);
    if (rc || erased)
        return rc;
    rc = db_get_one(d, &number_erased, NULL, 0, 0, &n, err);
    if (rc == ATG_OK)
        rc = db_run(
            d, &add_erased,
            (db_value[]){db_int(n), id_of(person), id_of(operation), db_int(at), id_of(account)}, 5,
            NULL, err);
    if (rc == ATG_OK)
        keyring_erasing(k, d, n);
    return rc;
}

/* ---- another master key ---- */

typedef struct operation_row {
    uuid operation;
    key256 key;
    key_id master;
} operation_row;

/* The next operation's key behind `r->operation`, opened with whichever of the two it is under;
 * 1, or 0 behind the last. */
static int next_row(db *d, const key256 *from, const key256 *to, operation_row *r, atg_err *err) {
    db_rows *rows = NULL;
    int rc = db_query(d, &next_operation, (db_value[]){id_of(&r->operation)}, 1, &rows, err);

    if (rc || !rows)
        return rc;
    rc = db_next(rows, err);
    if (rc > 0) {
        atg_str operation = db_get_blob(rows, 0), id = db_get_blob(rows, 1);
        key_id new = key_id_of(to);
        bool done = id.n == KEY_ID && memcmp(id.p, new.bytes, KEY_ID) == 0;
        place p;

        memcpy(r->operation.bytes, operation.p, operation.n == UUID_SIZE ? UUID_SIZE : 0);
        memcpy(r->master.bytes, id.p, id.n == KEY_ID ? KEY_ID : 0);
        p = place_of_operation(&r->operation);
        rc =
            open_under(done ? to : from, &p, "operation's", id, db_get_blob(rows, 2), &r->key, err);
        rc = rc ? rc : 1;
    }
    db_end(rows);
    return rc;
}

static int rotate_operations(db *d, const key256 *from, const key256 *to, uint32_t *n,
                             atg_err *err) {
    operation_row r = {.operation = {{0}}};
    unsigned char wrapped[SEAL_KEY_SIZE];
    key_id id = key_id_of(to);
    int rc;

    while ((rc = next_row(d, from, to, &r, err)) > 0) {
        place p = place_of_operation(&r.operation);

        if (key_id_eq(&r.master, &id))
            continue;
        rc = seal_key(to, ad_of(&p), &r.key, wrapped, err);
        if (rc == ATG_OK)
            rc = db_run(d, &set_operation,
                        (db_value[]){id_of(&r.operation), db_blob(id.bytes, KEY_ID),
                                     db_blob(wrapped, sizeof(wrapped))},
                        3, NULL, err);
        if (rc)
            break;
        ++*n;
    }
    key_wipe(&r.key);
    return rc;
}

static int rotate_site(db *d, const key256 *from, const key256 *to, uint32_t *n, atg_err *err) {
    KEY_AUTO key256 site = {{0}};
    key_id id = {{0}}, new = key_id_of(to);
    unsigned char row[SITE_ROW];
    int rc = read_site(d, from, &site, &id, err);

    if (rc && key_id_eq(&id, &new))
        return ATG_OK;
    if (rc == ATG_OK)
        rc = site_row(to, &site, row, err);
    if (rc == ATG_OK)
        rc = db_run(d, &set_meta, (db_value[]){db_blob(row, sizeof(row))}, 1, NULL, err);
    *n += rc == ATG_OK;
    return rc;
}

int keys_rotate(db *d, keyring *k, const key256 *to, uint32_t *ret_n, atg_err *err) {
    KEY_AUTO key256 from;
    uint32_t n = 0;
    int rc;

    keyring_master(k, &from);
    rc = rotate_site(d, &from, to, &n, err);
    if (rc == ATG_OK)
        rc = rotate_operations(d, &from, to, &n, err);
    if (rc == ATG_OK && ret_n)
        *ret_n = n;
    return rc;
}
