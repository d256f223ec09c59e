/* SPDX-License-Identifier: Apache-2.0 */
#include "store/blobs.h"

#include <pthread.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "store/blobs_place.h"

enum { AD = 64, SHOWN = 8 };

static const db_statement get_row = {"get blob", "SELECT " BLOB_COLUMNS
                                                 " FROM blob WHERE hash = $1 AND person = $2"};
static const db_statement insert_row = {
    "insert blob", "INSERT INTO blob (" BLOB_COLUMNS ", created) VALUES ($1, $2, $3, $4, $5, $6) "
                   "ON CONFLICT (hash, person) DO UPDATE SET stream = excluded.stream "
                   "WHERE blob.stream = $7"};
static const db_statement delete_row = {"delete blob",
                                        "DELETE FROM blob WHERE hash = $1 AND person = $2"};

/* ---- rows ---- */

static bool read_bytes(db_rows *rows, int at, void *ret, size_t n) {
    atg_str bytes = db_get_blob(rows, at);

    if (bytes.n != n)
        return false;
    memcpy(ret, bytes.p, n);
    return true;
}

int blobs_read_row(db_rows *rows, blob_row *ret, atg_err *err) {
    int64_t size = db_get_int(rows, 4);

    if (!read_bytes(rows, 0, ret->hash.bytes, HASH_SIZE) ||
        !read_bytes(rows, 1, ret->person.bytes, UUID_SIZE) ||
        !read_bytes(rows, 2, ret->operation.bytes, UUID_SIZE) ||
        !read_bytes(rows, 3, ret->stream.bytes, UUID_SIZE) || size < 1 || size > BLOB_MAX)
        return atg_fail(err, ATG_EDB, "A row of the pictures is damaged");
    ret->size = (uint64_t)size;
    return ATG_OK;
}

/* ATG_ENOTFOUND: there is none. */
int blobs_find_row(db *d, const uuid *person, const hash256 *hash, blob_row *ret, atg_err *err) {
    __attribute__((cleanup(db_rows_freep))) db_rows *rows = NULL;
    int rc = db_query(d, &get_row, (db_value[]){blob_hash_value(hash), blob_id_value(person)}, 2,
                      &rows, err);

    if (rc == ATG_OK)
        rc = db_next(rows, err);
    if (rc == 0)
        return atg_fail(err, ATG_ENOTFOUND, "There is no such picture of this person");
    return rc < 0 ? rc : blobs_read_row(rows, ret, err);
}

int blobs_insert_row(db *d, const blob_row *row, const uuid *lost, bool *ret_new, atg_err *err) {
    bool erased;
    int64_t changed = 0;
    int rc = keys_erased(d, &row->person, &erased, err);

    if (rc == ATG_OK && erased)
        return atg_fail(err, ATG_ENOTFOUND, "The person of this picture was erased");
    if (rc == ATG_OK)
        rc = db_run(d, &insert_row,
                    (db_value[]){blob_hash_value(&row->hash), blob_id_value(&row->person),
                                 blob_id_value(&row->operation), blob_id_value(&row->stream),
                                 db_int((int64_t)row->size), db_int(clock_now()),
                                 blob_id_value(lost)},
                    7, &changed, err);
    if (rc == ATG_OK)
        *ret_new = changed > 0;
    return rc;
}

int blobs_delete_row(db *d, const blob_row *row, atg_err *err) {
    return db_post(d, &delete_row,
                   (db_value[]){blob_hash_value(&row->hash), blob_id_value(&row->person)}, 2, err);
}

/* ---- what is sealed ---- */

static void key_of(const person_keys *keys, key256 *ret) {
    key_derive(&keys->key, "atgblobs", 0, ret);
}

static atg_str bind(const blob_row *row, char ret[AD]) {
    static const char name[] = "antigone/blob/1";
    size_t n = sizeof(name) - 1;

    memcpy(ret, name, n);
    memcpy(ret + n, row->person.bytes, UUID_SIZE);
    memcpy(ret + n + UUID_SIZE, row->stream.bytes, UUID_SIZE);
    return (atg_str){ret, n + 2 * (size_t)UUID_SIZE};
}

/* ---- putting ---- */

typedef struct putting {
    const blobs *b;
    atg_str bytes;
    blob_row row, there;
    bool is_there, new;
    key256 key, hash_key;
} putting;

static int read_keys(db *d, void *user, atg_err *err) {
    putting *p = user;
    KEYS_AUTO person_keys keys = {.key = {{0}}};
    int rc = keys_operation(d, p->b->keys, &p->row.operation, KEY_BLOBS, &p->hash_key, err);

    if (rc == ATG_OK)
        rc = keys_person(d, p->b->keys, &p->row.person, &keys, err);
    if (rc == ATG_OK)
        key_of(&keys, &p->key);
    return rc;
}

static int look(db *d, void *user, atg_err *err) {
    putting *p = user;
    int rc = blobs_find_row(d, &p->row.person, &p->row.hash, &p->there, err);

    p->is_there = rc == ATG_OK;
    return rc == ATG_ENOTFOUND ? ATG_OK : rc;
}

static int keep_row(db *d, void *user, atg_err *err) {
    putting *p = user;

    return blobs_insert_row(d, &p->row, &p->there.stream, &p->new, err);
}

static void *hash_all(void *user) {
    putting *p = user;

    p->row.hash = hash_of(p->bytes, &p->hash_key);
    return NULL;
}

/* Hashing takes longer than sealing: so both at once, and the hash is sealed behind the picture. */
static int seal_all(putting *p, stream_sink to, atg_err *err) {
    ATG_AUTO(stream) s = NULL;
    pthread_t thread;
    char ad[AD];
    bool other = pthread_create(&thread, NULL, hash_all, p) == 0;
    int rc = stream_seal(&p->key, bind(&p->row, ad), to, &s, err);

    if (rc == ATG_OK)
        rc = stream_put(s, p->bytes, err);
    if (other)
        (void)pthread_join(thread, NULL);
    else
        (void)hash_all(p);
    if (rc == ATG_OK)
        rc = stream_put(s, (atg_str){(const char *)p->row.hash.bytes, HASH_SIZE}, err);
    return rc ? rc : stream_end(s, err);
}

static int put_file(putting *p, atg_err *err) {
    blob_file f;
    int rc = blob_file_new(p->b, &p->row.stream, &f, err);

    if (rc == ATG_OK)
        rc = seal_all(p, (stream_sink){blob_file_write, &f}, err);
    if (rc == ATG_OK)
        rc = store_read(p->b->s, look, p, err);
    if (rc == ATG_OK && !(p->is_there && blob_file_whole(p->b, &p->there))) {
        rc = blob_file_name(&f, &p->row.hash, err);
        if (rc == ATG_OK)
            rc = store_write(p->b->s, keep_row, p, err);
        if (rc || !p->new)
            blob_file_drop(&f);
    }
    blob_file_close(&f);
    return rc;
}

static int put_rows(putting *p, atg_err *err) {
    blob_rows r;
    int rc = blob_rows_new(p->b, &p->row.stream, &r, err);

    if (rc == ATG_OK)
        rc = seal_all(p, (stream_sink){blob_rows_write, &r}, err);
    if (rc == ATG_OK)
        rc = blob_rows_finish(&r, &p->row, err);
    blob_rows_close(&r);
    return rc;
}

int blobs_put(const blobs *b, const uuid *operation, const uuid *person, atg_str bytes,
              hash256 *ret, atg_err *err) {
    putting p = {.b = b,
                 .bytes = bytes,
                 .row = {.person = *person, .operation = *operation, .size = bytes.n}};
    int rc;

    if (bytes.n < 1 || bytes.n > BLOB_MAX)
        return atg_fail(err, ATG_ELIMIT, "A picture has 1 byte to %d MiB", BLOB_MAX >> 20);
    rc = uuid_new(&p.row.stream, err);
    if (rc == ATG_OK)
        rc = store_read(b->s, read_keys, &p, err);
    if (rc == ATG_OK)
        rc = blobs_in_files(b) ? put_file(&p, err) : put_rows(&p, err);
    if (rc == ATG_OK)
        *ret = p.row.hash;
    key_wipe(&p.key);
    key_wipe(&p.hash_key);
    return rc;
}

/* ---- getting ---- */

typedef struct getting {
    const blobs *b;
    uuid person;
    hash256 hash;
    blob_row row;
    key256 key;
    stream_sink to;
    uint64_t at; /* in what was sealed */
    hash256 tail;
    bool refused; /* by the sink */
} getting;

static int read_one(db *d, void *user, atg_err *err) {
    getting *g = user;
    KEYS_AUTO person_keys keys = {.key = {{0}}};
    int rc = blobs_find_row(d, &g->person, &g->hash, &g->row, err);

    if (rc == ATG_OK)
        rc = keys_person(d, g->b->keys, &g->person, &keys, err);
    if (rc == ATG_OK)
        key_of(&keys, &g->key);
    return rc;
}

/* The picture to the caller, its hash aside. */
static int pass_on(void *user, atg_str bytes, atg_err *err) {
    getting *g = user;
    size_t n = g->at < g->row.size ? g->row.size - g->at : 0;
    int rc = ATG_OK;

    n = n < bytes.n ? n : bytes.n;
    if (n)
        rc = g->to.write(g->to.user, (atg_str){bytes.p, n}, err);
    g->refused = rc != ATG_OK;
    g->at += n;
    bytes.p += n;
    bytes.n -= n;
    if (rc || bytes.n == 0)
        return rc;
    if (bytes.n > HASH_SIZE - (g->at - g->row.size))
        return atg_fail(err, ATG_EDENIED, "This picture is longer than it was");
    memcpy(g->tail.bytes + (g->at - g->row.size), bytes.p, bytes.n);
    g->at += bytes.n;
    return ATG_OK;
}

/* ATG_ENOTFOUND: it is lost; ATG_EDENIED: damaged; and what the caller's sink says. */
static int get_all(getting *g, atg_err *err) {
    ATG_AUTO(stream) s = NULL;
    char ad[AD];
    int rc = stream_open(&g->key, bind(&g->row, ad), (stream_sink){pass_on, g}, &s, err);

    if (rc == ATG_OK)
        rc = blobs_in_files(g->b) ? blob_file_read(g->b, &g->row, s, err)
                                  : blob_rows_read(g->b, &g->row, s, err);
    if (rc == ATG_OK)
        rc = stream_end(s, err);
    if (rc)
        return rc;
    if (g->at != g->row.size + HASH_SIZE || !hash_eq(&g->tail, &g->row.hash))
        return atg_fail(err, ATG_EDENIED, "This is another picture");
    return ATG_OK;
}

int blobs_read(const blobs *b, const uuid *person, const hash256 *hash, stream_sink to,
               blob_got *ret, atg_err *err) {
    getting g = {.b = b, .person = *person, .hash = *hash, .to = to};
    int rc = store_read(b->s, read_one, &g, err);

    *ret = (blob_got){.row.size = 0};
    if (rc == ATG_OK) {
        ret->row = g.row;
        rc = get_all(&g, err);
        if (rc == ATG_ENOTFOUND && !g.refused)
            ret->state = BLOB_IS_LOST;
        if (rc == ATG_EDENIED && !g.refused)
            ret->state = BLOB_IS_DAMAGED;
    }
    key_wipe(&g.key);
    return rc;
}

int blobs_get(const blobs *b, const uuid *person, const hash256 *hash, stream_sink to,
              atg_err *err) {
    char short_hash[2 * SHOWN + 1], id[UUID_TEXT + 1];
    blob_got got;
    int rc = blobs_read(b, person, hash, to, &got, err);

    if (rc == ATG_OK || got.state == BLOB_IS_WHOLE)
        return rc;
    bytes_hex(hash->bytes, SHOWN, short_hash);
    uuid_text(person, id);
    return atg_fail(err, ATG_EDB,
                    "The picture %s of person %s is %s: put it in again, or restore it from a "
                    "backup",
                    short_hash, id, got.state == BLOB_IS_LOST ? "lost" : "damaged");
}

int blobs_size(const blobs *b, const uuid *person, const hash256 *hash, uint64_t *ret,
               atg_err *err) {
    getting g = {.b = b, .person = *person, .hash = *hash};
    int rc = store_read(b->s, read_one, &g, err);

    key_wipe(&g.key);
    if (rc == ATG_OK)
        *ret = g.row.size;
    return rc;
}
