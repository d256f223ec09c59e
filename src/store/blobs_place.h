/* SPDX-License-Identifier: Apache-2.0 */
/* Where sealed pictures lie: files (SQLite) or rows (PostgreSQL). */
#ifndef ATG_STORE_BLOBS_PLACE_H
#define ATG_STORE_BLOBS_PLACE_H

#include "store/blobs.h"

enum {
    BLOB_PATH = 4096,
    BLOB_CHUNK = 1 << 20, /* a row of blob_chunk */
    BLOB_GROUP = 4,       /* rows in a transaction */
};

/* A row of blob. */
typedef struct blob_row {
    hash256 hash;
    uuid person, operation, stream;
    uint64_t size;
} blob_row;

#define BLOB_COLUMNS "hash, person, operation, stream, size"

static inline db_value blob_hash_value(const hash256 *h) {
    return db_blob(h->bytes, HASH_SIZE);
}

static inline db_value blob_id_value(const uuid *id) {
    return db_blob(id->bytes, UUID_SIZE);
}

static inline bool blobs_in_files(const blobs *b) {
    return store_kind(b->s) == DB_SQLITE;
}

/* Bytes of the sealed form. */
static inline uint64_t blob_sealed_size(uint64_t size) {
    return stream_sealed_size(size + HASH_SIZE);
}

int blobs_read_row(db_rows *rows, blob_row *ret, atg_err *err);
/* ATG_ENOTFOUND: there is none. */
int blobs_find_row(db *d, const uuid *person, const hash256 *hash, blob_row *ret, atg_err *err);
/* `*ret_new`: false when the picture was there already, in a stream other than `lost`. */
int blobs_insert_row(db *d, const blob_row *row, const uuid *lost, bool *ret_new, atg_err *err);
int blobs_delete_row(db *d, const blob_row *row, atg_err *err);

/* Whether a failure is the picture's fault. */
typedef enum blob_state { BLOB_IS_WHOLE, BLOB_IS_LOST, BLOB_IS_DAMAGED } blob_state;

/* As blobs_get(), and says which row it was and whether it is the picture's fault. */
typedef struct blob_got {
    blob_row row; /* .size is 0 when there was none */
    blob_state state;
} blob_got;

int blobs_read(const blobs *b, const uuid *person, const hash256 *hash, stream_sink to,
               blob_got *ret, atg_err *err);

/* ---- files ---- */

typedef struct blob_file {
    const blobs *b;
    uuid stream;
    int fd, lock;
    char temp[BLOB_PATH], path[BLOB_PATH];
    unsigned char *buffer;
    size_t n;           /* in the buffer */
    uint64_t at, begun; /* written; asked to be brought to disk */
} blob_file;

/* Begin writing; blob_file_close() in any case, which removes what was not named. */
int blob_file_new(const blobs *b, const uuid *id, blob_file *ret, atg_err *err);
int blob_file_write(void *user, atg_str bytes, atg_err *err);
/* Bring to disk under the name of its hash. */
int blob_file_name(blob_file *f, const hash256 *hash, atg_err *err);
/* Take the name away again. */
void blob_file_drop(const blob_file *f);
void blob_file_close(blob_file *f);

/* ATG_ENOTFOUND: it is not there. */
int blob_file_read(const blobs *b, const blob_row *row, stream *to, atg_err *err);
/* Is it there, as long as it should be? */
bool blob_file_whole(const blobs *b, const blob_row *row);
int blob_file_remove(const blobs *b, const blob_row *row, atg_err *err);
/* Go through the folder for files that no row names. */
int blob_files_loose(const blobs *b, const blob_checking *how, blob_report *ret, atg_err *err);

/* ---- rows ---- */

/* Chunks that wait to be written together. */
typedef struct blob_rows {
    const blobs *b;
    uuid stream;
    unsigned char *buffer; /* BLOB_GROUP chunks */
    size_t n;
    uint32_t chunks; /* that were written before */
    const blob_row *row;
} blob_rows;

/* Begin writing; blob_rows_close() in any case. */
int blob_rows_new(const blobs *b, const uuid *id, blob_rows *ret, atg_err *err);
int blob_rows_write(void *user, atg_str bytes, atg_err *err);
/* Write the last chunks together with the row. */
int blob_rows_finish(blob_rows *r, const blob_row *row, atg_err *err);
void blob_rows_close(blob_rows *r);

int blob_rows_read(const blobs *b, const blob_row *row, stream *to, atg_err *err);
/* The chunks and the row, in one transaction. */
int blob_rows_remove(const blobs *b, const blob_row *row, atg_err *err);
int blob_rows_loose(const blobs *b, const blob_checking *how, blob_report *ret, atg_err *err);

#endif
