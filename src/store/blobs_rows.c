/* SPDX-License-Identifier: Apache-2.0 */
/* Sealed pictures as rows, with PostgreSQL. */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "store/blobs_place.h"

enum { ROOM = BLOB_GROUP * BLOB_CHUNK, LOOSE_PAGE = 256, HOUR_MS = 3600 * 1000 };

static const db_statement insert_chunk = {
    "insert chunk of blob", "INSERT INTO blob_chunk (stream, n, bytes) VALUES ($1, $2, $3)"};
static const db_statement get_chunk = {"get chunk of blob",
                                       "SELECT bytes FROM blob_chunk WHERE stream = $1 AND n = $2"};
static const db_statement sum_chunks = {
    "sum chunks of blob",
    "SELECT CAST(coalesce(sum(length(bytes)), 0) AS BIGINT) FROM blob_chunk WHERE stream = $1"};
static const db_statement count_chunks = {"count chunks of blob",
                                          "SELECT count(*) FROM blob_chunk WHERE stream = $1"};
static const db_statement delete_chunks = {"delete chunks of blob",
                                           "DELETE FROM blob_chunk WHERE stream = $1"};
static const db_statement loose_streams = {
    "loose streams of blobs",
    "SELECT DISTINCT stream FROM blob_chunk c WHERE stream > $1 AND "
    "NOT EXISTS (SELECT 1 FROM blob b WHERE b.stream = c.stream) ORDER BY stream LIMIT $2"};

/* ---- writing ---- */

int blob_rows_new(const blobs *b, const uuid *id, blob_rows *ret, atg_err *err) {
    *ret = (blob_rows){.b = b, .stream = *id};
    ret->buffer = mem_alloc(ROOM);
    return ret->buffer ? ATG_OK : atg_fail(err, ATG_ENOMEM, "Out of memory writing a picture");
}

void blob_rows_close(blob_rows *r) {
    mem_free(r->buffer);
}

static int write_chunks(db *d, void *user, atg_err *err) {
    const blob_rows *r = user;
    int64_t number = r->chunks;
    int rc = ATG_OK;

    for (size_t at = 0; at < r->n && !rc; at += BLOB_CHUNK) {
        size_t n = r->n - at < BLOB_CHUNK ? r->n - at : BLOB_CHUNK;

        rc = db_post(
            d, &insert_chunk,
            (db_value[]){blob_id_value(&r->stream), db_int(number++), db_blob(r->buffer + at, n)},
            3, err);
    }
    return rc;
}

int blob_rows_write(void *user, atg_str bytes, atg_err *err) {
    blob_rows *r = user;

    while (bytes.n) {
        size_t n = ROOM - r->n < bytes.n ? ROOM - r->n : bytes.n;

        if (n == 0) {
            int rc = store_write(r->b->s, write_chunks, r, err);

            if (rc)
                return rc;
            r->chunks += BLOB_GROUP;
            r->n = 0;
            continue;
        }
        memcpy(r->buffer + r->n, bytes.p, n);
        r->n += n;
        bytes.p += n;
        bytes.n -= n;
    }
    return ATG_OK;
}

static int drop_stream(db *d, const uuid *id, atg_err *err) {
    return db_post(d, &delete_chunks, (db_value[]){blob_id_value(id)}, 1, err);
}

/* Somebody who tidies up takes chunks away that no row names for too long. */
static int all_there(db *d, const blob_rows *r, atg_err *err) {
    int64_t n;
    int rc = r->chunks ? db_get_one(d, &count_chunks, (db_value[]){blob_id_value(&r->stream)}, 1, 0,
                                    &n, err)
                       : ATG_OK;

    if (rc == ATG_OK && r->chunks && (uint64_t)n * BLOB_CHUNK < r->chunks * (uint64_t)BLOB_CHUNK)
        return atg_fail(err, ATG_ECONFLICT,
                        "Writing this picture took so long that its beginning was removed: put it "
                        "in again");
    return rc;
}

/* The stream that the row names, if it is not whole. */
static int find_lost(db *d, const blob_row *row, uuid *ret, atg_err *err) {
    blob_row there;
    int64_t bytes = 0;
    int rc = blobs_find_row(d, &row->person, &row->hash, &there, err);

    *ret = (uuid){{0}};
    if (rc)
        return rc == ATG_ENOTFOUND ? ATG_OK : rc;
    rc = db_get_one(d, &sum_chunks, (db_value[]){blob_id_value(&there.stream)}, 1, 0, &bytes, err);
    if (rc == ATG_OK && (uint64_t)bytes != blob_sealed_size(there.size))
        *ret = there.stream;
    return rc;
}

static int write_last(db *d, void *user, atg_err *err) {
    blob_rows *r = user;
    bool new = false;
    uuid lost;
    int rc = all_there(d, r, err);

    if (rc == ATG_OK)
        rc = find_lost(d, r->row, &lost, err);
    if (rc == ATG_OK)
        rc = blobs_insert_row(d, r->row, &lost, &new, err);
    if (rc == ATG_OK && !new)
        return drop_stream(d, &r->stream, err);
    if (rc == ATG_OK && !uuid_none(&lost))
        rc = drop_stream(d, &lost, err);
    return rc ? rc : write_chunks(d, r, err);
}

int blob_rows_finish(blob_rows *r, const blob_row *row, atg_err *err) {
    r->row = row;
    return store_write(r->b->s, write_last, r, err);
}

/* ---- reading ---- */

typedef struct reading {
    const uuid *stream;
    int64_t number;
    unsigned char *chunk;
    size_t n;
    bool found;
} reading;

static int read_chunk(db *d, void *user, atg_err *err) {
    reading *r = user;
    __attribute__((cleanup(db_rows_freep))) db_rows *rows = NULL;
    atg_str bytes;
    int rc = db_query(d, &get_chunk, (db_value[]){blob_id_value(r->stream), db_int(r->number)}, 2,
                      &rows, err);

    r->found = false;
    if (rc == ATG_OK)
        rc = db_next(rows, err);
    if (rc <= 0)
        return rc;
    bytes = db_get_blob(rows, 0);
    if (bytes.n == 0 || bytes.n > BLOB_CHUNK)
        return atg_fail(err, ATG_EDENIED, "A chunk of a picture is damaged");
    memcpy(r->chunk, bytes.p, bytes.n);
    r->n = bytes.n;
    r->found = true;
    return ATG_OK;
}

/* A transaction for each chunk: the chunks of a stream never change, and the reader's speed is
 * nobody else's matter. */
int blob_rows_read(const blobs *b, const blob_row *row, stream *to, atg_err *err) {
    MEM_AUTO unsigned char *chunk = mem_alloc(BLOB_CHUNK);
    reading r = {.stream = &row->stream, .chunk = chunk};
    uint64_t left = blob_sealed_size(row->size);

    if (!chunk)
        return atg_fail(err, ATG_ENOMEM, "Out of memory reading a picture");
    for (; left; r.number++) {
        int rc = store_read(b->s, read_chunk, &r, err);

        if (rc)
            return rc;
        if (!r.found)
            return r.number ? atg_fail(err, ATG_EDENIED, "The end of a picture is missing")
                            : atg_fail(err, ATG_ENOTFOUND, "The chunks of a picture are missing");
        if (r.n > left)
            return atg_fail(err, ATG_EDENIED, "A chunk of a picture is damaged");
        rc = stream_put(to, (atg_str){(const char *)chunk, r.n}, err);
        if (rc)
            return rc;
        left -= r.n;
    }
    return ATG_OK;
}

/* ---- removing ---- */

static int remove_all(db *d, void *user, atg_err *err) {
    const blob_row *row = user;
    int rc = drop_stream(d, &row->stream, err);

    return rc ? rc : blobs_delete_row(d, row, err);
}

int blob_rows_remove(const blobs *b, const blob_row *row, atg_err *err) {
    blob_row copy = *row;

    return store_write(b->s, remove_all, &copy, err);
}

typedef struct finding {
    uuid after, streams[LOOSE_PAGE];
    uint32_t n;
} finding;

static int find_loose(db *d, void *user, atg_err *err) {
    finding *f = user;
    __attribute__((cleanup(db_rows_freep))) db_rows *rows = NULL;
    int rc = db_query(d, &loose_streams, (db_value[]){blob_id_value(&f->after), db_int(LOOSE_PAGE)},
                      2, &rows, err);

    f->n = 0;
    while (rc == ATG_OK && (rc = db_next(rows, err)) > 0) {
        atg_str id = db_get_blob(rows, 0);

        rc =
            id.n == UUID_SIZE ? ATG_OK : atg_fail(err, ATG_EDB, "A row of the pictures is damaged");
        if (rc == ATG_OK)
            memcpy(f->streams[f->n++].bytes, id.p, UUID_SIZE);
    }
    return rc;
}

static int remove_stream(db *d, void *user, atg_err *err) {
    return drop_stream(d, user, err);
}

static int tell_loose(const blobs *b, const blob_checking *how, uuid *id, blob_report *ret,
                      atg_err *err) {
    blob_finding told = {.fault = BLOB_LOOSE};
    int64_t age = clock_now() / 1000 - (int64_t)uuid_ms(id);
    int rc;

    ret->loose++;
    uuid_text(id, told.name);
    rc = how->tell ? how->tell(how->user, &told, err) : ATG_OK;
    if (rc || !how->tidy || age < HOUR_MS)
        return rc;
    rc = store_write(b->s, remove_stream, id, err);
    ret->removed += rc == ATG_OK;
    return rc;
}

int blob_rows_loose(const blobs *b, const blob_checking *how, blob_report *ret, atg_err *err) {
    finding f = {.n = LOOSE_PAGE};

    while (f.n == LOOSE_PAGE) {
        int rc = store_read(b->s, find_loose, &f, err);

        for (uint32_t i = 0; i < f.n && !rc; i++)
            rc = tell_loose(b, how, &f.streams[i], ret, err);
        if (rc)
            return rc;
        if (f.n)
            f.after = f.streams[f.n - 1];
    }
    return ATG_OK;
}
