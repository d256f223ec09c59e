/* SPDX-License-Identifier: Apache-2.0 */
/* A backup becomes a store again. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/backup.h"
#include "store/postgres.h"
#include "store/store.h"

enum { WAIT_MS = 10000 };

static int failed(atg_err *err, const char *path) {
    char text[128];

    return atg_fail(err, ATG_EIO, "Cannot write %.200s: %s", path,
                    strerror_r(errno, text, sizeof(text)));
}

/* A log without its database would be taken for one of the new database. */
static int check_empty(const place *p, atg_err *err) {
    static const char *const ends[] = {"", "-wal", "-shm", "-journal"};
    char path[PLACE_PATH + 16];
    struct stat there;

    for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
        (void)snprintf(path, sizeof(path), "%s%s", p->file, ends[i]);
        if (lstat(path, &there) == 0)
            return atg_fail(err, ATG_ECONFLICT,
                            "%.200s is there: restore into a directory without a store", path);
    }
    return ATG_OK;
}

static int copy_database(const place *p, int from, const backup_page *page,
                         const atg_progress *progress, atg_err *err) {
    char temp[PLACE_PATH + 16];
    int fd, rc;

    (void)snprintf(temp, sizeof(temp), "%s.XXXXXX", p->file);
    fd = mkostemp(temp, O_CLOEXEC);
    if (fd < 0)
        return failed(err, p->file);
    rc = backup_copy(from, page, fd, "restore", progress, err);
    if (rc == ATG_OK && (fsync(fd) || link(temp, p->file)))
        rc = failed(err, p->file);
    close(fd);
    (void)unlink(temp);
    return rc ? rc : place_sync_directory(p->file, err);
}

static int restore_sqlite(const char *directory, int from, const backup_page *page,
                          const atg_progress *progress, atg_err *err) {
    place p;
    int rc = place_open(&p, directory, true, WAIT_MS, err);

    if (rc)
        return rc;
    rc = check_empty(&p, err);
    if (rc == ATG_OK)
        rc = copy_database(&p, from, page, progress, err);
    place_opened(&p);
    place_close(&p);
    return rc;
}

static int check_fit(const store_options *to, const backup_page *page, atg_err *err) {
    if (!to->conninfo && !to->directory)
        return atg_fail(err, ATG_EINVAL, "A store needs a directory or a PostgreSQL connection");
    if (page->kind != (to->conninfo ? DB_POSTGRES : DB_SQLITE))
        return atg_fail(err, ATG_EINVAL, "This is a backup of %s: it can be restored there only",
                        page->kind == DB_SQLITE ? "a SQLite store in a directory"
                                                : "a PostgreSQL database");
    if (page->schema > (int64_t)to->n_migrations)
        return atg_fail(err, ATG_EDB,
                        "The backup has schema version %lld, this program knows versions up to %u: "
                        "use the program it was made with (%s)",
                        (long long)page->schema, to->n_migrations, page->program);
    return ATG_OK;
}

int store_restore(const store_options *to, const char *path, const atg_progress *progress,
                  atg_err *err) {
    db_options how = {.conninfo = to->conninfo,
                      .connect_ms = to->connect_ms,
                      .busy_ms = to->busy_ms,
                      .statement_ms = to->statement_ms};
    backup_page page = {0};
    int from = -1, rc = backup_open(path, &from, &page, err);

    if (rc)
        return rc;
    rc = check_fit(to, &page, err);
    if (rc == ATG_OK && to->conninfo)
        rc = postgres_restore(&how, from, &page, progress, err);
    else if (rc == ATG_OK)
        rc = restore_sqlite(to->directory, from, &page, progress, err);
    close(from);
    return rc;
}
