/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures that shall go, and whether the others are there. */
#include <string.h>

#include "base/mem.h"
#include "store/blobs_place.h"
#include "store/forms.h"

enum { PAGE = 256 };

static const db_statement rows_of_person = {"blobs of person",
                                            "SELECT " BLOB_COLUMNS
                                            " FROM blob WHERE person = $1 ORDER BY hash LIMIT $2"};
static const db_statement page_of_rows = {
    "page of blobs", "SELECT " BLOB_COLUMNS " FROM blob WHERE (hash, person) > ($1, $2) "
                     "ORDER BY hash, person LIMIT $3"};
static const db_statement count_rows = {"count blobs", "SELECT count(*) FROM blob"};

typedef struct page {
    const uuid *person; /* NULL: of all */
    hash256 after_hash;
    uuid after_person;
    blob_row rows[PAGE];
    uint32_t n;
} page;

static int read_page(db *d, void *user, atg_err *err) {
    page *p = user;
    __attribute__((cleanup(db_rows_freep))) db_rows *rows = NULL;
    int rc;

    if (p->person)
        rc = db_query(d, &rows_of_person, (db_value[]){blob_id_value(p->person), db_int(PAGE)}, 2,
                      &rows, err);
    else
        rc = db_query(d, &page_of_rows,
                      (db_value[]){blob_hash_value(&p->after_hash), blob_id_value(&p->after_person),
                                   db_int(PAGE)},
                      3, &rows, err);
    p->n = 0;
    while (rc == ATG_OK && (rc = db_next(rows, err)) > 0) {
        rc = blobs_read_row(rows, &p->rows[p->n], err);
        p->n += rc == ATG_OK;
    }
    return rc;
}

/* ---- erasing ---- */

static int delete_row(db *d, void *user, atg_err *err) {
    return blobs_delete_row(d, user, err);
}

/* First the file: a row without one can still be removed, a file without a row is not found. */
static int remove_one(const blobs *b, blob_row *row, atg_err *err) {
    int rc;

    if (!blobs_in_files(b))
        return blob_rows_remove(b, row, err);
    rc = blob_file_remove(b, row, err);
    return rc ? rc : store_write(b->s, delete_row, row, err);
}

static int erase_forms(db *d, void *user, atg_err *err) {
    return forms_erase(d, user, err);
}

int blobs_erase(const blobs *b, const uuid *person, atg_err *err) {
    uuid whose = *person;
    MEM_AUTO page *p = mem_zero(1, sizeof(*p));

    if (!p)
        return atg_fail(err, ATG_ENOMEM, "Out of memory erasing pictures");
    p->person = person;
    do {
        int rc = store_read(b->s, read_page, p, err);

        for (uint32_t i = 0; i < p->n && !rc; i++)
            rc = remove_one(b, &p->rows[i], err);
        if (rc)
            return rc;
    } while (p->n == PAGE);
    return store_write(b->s, erase_forms, &whose, err);
}

/* ---- checking ---- */

static int to_nowhere(void *user, atg_str bytes, atg_err *err) {
    (void)user;
    (void)bytes;
    (void)err;
    return ATG_OK;
}

typedef struct standing {
    const blob_row *row;
    bool erased, same;
} standing;

/* How the row is now: the person may have been erased, or the picture put in again. */
static int read_standing(db *d, void *user, atg_err *err) {
    standing *s = user;
    blob_row now;
    int rc = keys_erased(d, &s->row->person, &s->erased, err);

    if (rc == ATG_OK)
        rc = blobs_find_row(d, &s->row->person, &s->row->hash, &now, err);
    s->same = rc == ATG_OK && uuid_cmp(&now.stream, &s->row->stream) == 0;
    return rc == ATG_ENOTFOUND ? ATG_OK : rc;
}

static int tell(const blob_checking *how, blob_fault fault, const blob_row *row, atg_err *err) {
    blob_finding f = {
        .fault = fault, .hash = row->hash, .person = row->person, .operation = row->operation};

    return how->tell ? how->tell(how->user, &f, err) : ATG_OK;
}

static int left_over(const blobs *b, const blob_checking *how, blob_row *row, blob_report *ret,
                     atg_err *err) {
    int rc = tell(how, BLOB_ERASED, row, err);

    ret->erased++;
    if (rc || !how->tidy)
        return rc;
    rc = remove_one(b, row, err);
    ret->removed += rc == ATG_OK;
    return rc;
}

static int check_one(const blobs *b, const blob_checking *how, blob_row *row, blob_report *ret,
                     atg_err *err) {
    standing s = {.row = row};
    blob_got got;
    int rc = blobs_read(b, &row->person, &row->hash, (stream_sink){to_nowhere, NULL}, &got, err);

    if (rc == ATG_OK) {
        ret->pictures++;
        ret->bytes += row->size;
        return ATG_OK;
    }
    if (rc != ATG_ENOTFOUND && got.state == BLOB_IS_WHOLE)
        return rc;
    rc = store_read(b->s, read_standing, &s, err);
    if (rc || !s.same)
        return rc;
    if (s.erased)
        return left_over(b, how, row, ret, err);
    ret->missing += got.state == BLOB_IS_LOST;
    ret->changed += got.state == BLOB_IS_DAMAGED;
    return tell(how, got.state == BLOB_IS_LOST ? BLOB_MISSING : BLOB_CHANGED, row, err);
}

static int count(db *d, void *user, atg_err *err) {
    return db_get_one(d, &count_rows, NULL, 0, 0, user, err);
}

static bool go_on(const atg_progress *p, uint64_t done, int64_t total) {
    uint64_t all = (uint64_t)total > done ? (uint64_t)total : done;

    return !p || !p->step || p->step(p->user, "pictures", done, all);
}

static int check_rows(const blobs *b, const blob_checking *how, blob_report *ret, atg_err *err) {
    MEM_AUTO page *p = mem_zero(1, sizeof(*p));
    uint64_t done = 0;
    int64_t total = 0;
    int rc = store_read(b->s, count, &total, err);

    if (!p)
        return atg_fail(err, ATG_ENOMEM, "Out of memory checking pictures");
    do {
        if (rc == ATG_OK)
            rc = store_read(b->s, read_page, p, err);
        for (uint32_t i = 0; i < p->n && !rc; i++) {
            rc = go_on(how->progress, done++, total)
                     ? check_one(b, how, &p->rows[i], ret, err)
                     : atg_fail(err, ATG_ECANCEL, "Stopped on request");
        }
        if (rc)
            return rc;
        if (p->n) {
            p->after_hash = p->rows[p->n - 1].hash;
            p->after_person = p->rows[p->n - 1].person;
        }
    } while (p->n == PAGE);
    return ATG_OK;
}

int blobs_check(const blobs *b, const blob_checking *how, blob_report *ret, atg_err *err) {
    blob_report report = {0};
    int rc = check_rows(b, how, &report, err);

    if (rc == ATG_OK)
        rc = blobs_in_files(b) ? blob_files_loose(b, how, &report, err)
                               : blob_rows_loose(b, how, &report, err);
    if (rc == ATG_OK)
        *ret = report;
    return rc;
}
