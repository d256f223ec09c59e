/* SPDX-License-Identifier: Apache-2.0 */
/* Erasure: the key and the salts of a person go, and with them everything that was sealed under
 * them, here, in the history, and in every backup once its tombstone is applied there. */
#include "app/cases_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "app/rights.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/file.h"
#include "store/blobs.h"
#include "store/conflicts.h"

enum { PAGE = 500, JOURNAL_MAX = 256 << 20, JOURNAL_PATH = 4200 };

typedef struct erasing {
    cases *c;
    const actor *who;
    const uuid *person;
    uuid operation, file;
    record_kind kind; /* of the first record */
    uint32_t records, roles;
    key256 token_key;
} erasing;

/* Words of the record can no longer be found. */
static int forget_words(erasing *w, db *d, atg_arena *arena, const record *r, atg_err *err) {
    token_set was = {.arena = arena};
    file_row file;
    int rc = tokens_of_record(&was, &w->token_key, r, err);

    if (rc || !was.n)
        return rc;
    tokens_sort(&was);
    rc = files_get(d, arena, &r->file, &file, err);
    if (!rc)
        rc = tokens_change(d, file.n, &was, NULL, err);
    if (!rc && record_types[r->kind].is_file) {
        file.sort = (atg_str){NULL, 0};
        file.changed = clock_now();
        rc = files_update(d, &file, NULL, err);
    }
    return rc;
}

static int first_record(erasing *w, db *d, const record *r, atg_err *err) {
    int rc = cases_roles(d, w->who, &r->operation, &w->roles, err);

    w->operation = r->operation;
    w->file = r->file;
    w->kind = r->kind;
    if (!rc)
        rc = rights_action(w->roles, ACTION_ERASE, (int)r->kind, -1, err);
    if (!rc)
        rc = keys_operation(d, w->c->keys, &r->operation, KEY_TOKENS, &w->token_key, err);
    return rc;
}

static int forget_kind(erasing *w, db *d, record_kind kind, atg_err *err) {
    records_query q = {.kind = kind, .by = RECORDS_OF_PERSON, .of = *w->person, .limit = PAGE};
    uint32_t n;

    do {
        ATG_AUTO(atg_arena) arena = atg_arena_new(CASES_ARENA);
        record_row *rows;

        if (!arena)
            return atg_fail(err, ATG_ENOMEM, "Out of memory erasing");

        int rc = records_list(d, w->c->keys, arena, &q, &rows, &n, err);

        for (uint32_t i = 0; i < n && !rc; i++) {
            if (!w->records++)
                rc = first_record(w, d, rows[i].r, err);
            if (!rc)
                rc = forget_words(w, d, arena, rows[i].r, err);
        }
        if (rc)
            return rc;
        if (n)
            q.after = rows[n - 1].r->id;
    } while (n == PAGE);
    return ATG_OK;
}

static int write_erasure(erasing *w, db *d, atg_err *err) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(1 << 16);
    atg_str detail;

    if (!buf)
        return atg_fail(err, ATG_ENOMEM, "Out of memory erasing");

    json j = json_new(buf);

    json_object_line(&j);
    json_key(&j, "records");
    json_int(&j, w->records);
    json_key(&j, "reason");
    json_str(&j, w->who->reason);
    json_end(&j, '}');

    int rc = atg_buf_take(buf, &detail, err);

    return rc ? rc
              : audit_append(d,
                             &(audit_event){.file = w->file,
                                            .at = clock_now(),
                                            .account = w->who->account,
                                            .action = "erase",
                                            .kind = record_types[w->kind].name,
                                            .record = *w->person,
                                            .detail = detail},
                             err);
}

static int erase(db *d, void *user, atg_err *err) {
    erasing *w = user;
    bool erased;
    int rc = keys_erased(d, w->person, &erased, err);

    if (rc || erased)
        return rc;
    w->records = 0;
    for (uint32_t k = 0; k < RECORD_KINDS && !rc; k++)
        if (record_types[k].person != PERSON_NONE)
            rc = forget_kind(w, d, (record_kind)k, err);
    if (!rc && !w->records)
        rc = atg_fail(err, ATG_ENOTFOUND, "Nobody has this identifier");
    if (!rc)
        rc = conflicts_forget(d, w->person, err);
    if (!rc)
        rc = write_erasure(w, d, err);
    if (!rc)
        rc =
            keys_erase(d, w->c->keys, &w->operation, w->person, &w->who->account, clock_now(), err);
    key_wipe(&w->token_key);
    return rc;
}

/* ---- the journal ---- */

static const db_statement all_erased = {
    "all erased", "SELECT person, operation, at, account FROM erased ORDER BY at, person"};

static void write_tombstone(atg_buf *buf, db_rows *rows) {
    for (int col = 0; col < 4; col++) {
        char hex[2 * UUID_SIZE + 1] = "";
        atg_str id = col == 2 ? (atg_str){NULL, 0} : db_get_blob(rows, col);

        if (col == 2)
            atg_buf_printf(buf, "%lld ", (long long)db_get_int(rows, col));
        if (id.n == UUID_SIZE)
            bytes_hex(id.p, UUID_SIZE, hex);
        if (col != 2)
            atg_buf_printf(buf, "%s%s", hex, col == 3 ? "\n" : " ");
    }
}

static int write_tombstones(db *d, void *user, atg_err *err) {
    atg_buf **to = user;
    __attribute__((cleanup(db_rows_freep))) db_rows *rows = NULL;
    int rc = db_query(d, &all_erased, NULL, 0, &rows, err);

    if (rc)
        return rc;
    /* from the start, should it be run again */
    atg_buf_free(*to);
    *to = atg_buf_new(JOURNAL_MAX);
    if (!*to)
        return atg_fail(err, ATG_ENOMEM, "Out of memory writing the journal of erasures");
    atg_buf_adds(*to, "antigone-erased/1\n");
    while ((rc = db_next(rows, err)) > 0)
        write_tombstone(*to, rows);
    return rc;
}

int cases_copy_journal(cases *c, const char *path, atg_err *err) {
    ATG_AUTO(atg_buf) buf = NULL;
    atg_str text;
    int rc = store_read(c->s, write_tombstones, &buf, err);

    if (!rc)
        rc = atg_buf_take(buf, &text, err);
    return rc ? rc : file_write_private(path, text, err);
}

/* Who reads the tombstones first must not write them last, or a later erasure would stand in no
 * journal.  Folders that cannot be locked (of a network) are written to as they are. */
static int lock_folder(const char *folder) {
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    while (fd >= 0 && flock(fd, LOCK_EX) && errno == EINTR)
        ;
    return fd;
}

int cases_write_journal(cases *c, atg_err *err) {
    char path[JOURNAL_PATH];
    int fd, rc;

    if (!c->directory[0])
        return ATG_OK;
    (void)snprintf(path, sizeof(path), "%s/erased", c->directory);
    fd = lock_folder(c->directory);
    rc = cases_copy_journal(c, path, err);
    if (fd >= 0)
        (void)close(fd);
    return rc;
}

int cases_erase(cases *c, const actor *who, const uuid *person, atg_err *err) {
    erasing w = {.c = c, .who = who, .person = person};

    if (!cases_reason(who))
        return atg_fail(err, ATG_EDENIED,
                        "Write the reason for the erasure; it stays readable, so "
                        "it names nobody");

    int rc = store_write(c->s, erase, &w, err);

    if (rc)
        return rc;
    keyring_forget(c->keys, person);
    rc = blobs_erase(&(blobs){c->s, c->keys, c->directory}, person, err);
    if (!rc)
        rc = cases_write_journal(c, err);
    if (!rc)
        rc = store_checkpoint(c->s, err);
    return rc;
}
