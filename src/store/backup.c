/* SPDX-License-Identifier: Apache-2.0 */
#include "store/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/instant.h"
#include "base/mem.h"
#include "crypto/ready.h"
#include "store/backend.h"

enum { PIECE = 1 << 20, HEX = 2 * HASH_SIZE };

static const char *const kinds[] = {[DB_SQLITE] = "sqlite", [DB_POSTGRES] = "postgres"};

static int failed(atg_err *err, const char *what, const char *path) {
    char text[128];

    return atg_fail(err, ATG_EIO, "Cannot %s %.200s: %s", what, path,
                    strerror_r(errno, text, sizeof(text)));
}

/* ---- the page ---- */

void backup_page_text(const backup_page *p, char ret[BACKUP_PAGE]) {
    char hash[HEX + 1], made[INSTANT_TEXT + 1];
    int n;

    bytes_hex(p->hash.bytes, HASH_SIZE, hash);
    instant_text(p->made, made);
    memset(ret, '\n', BACKUP_PAGE);
    n = snprintf(ret, BACKUP_PAGE,
                 "antigone backup 1\nkind: %s\nschema: %" PRId64 "\nsize: %" PRIu64
                 "\nblake2b-256: %s\nmade: %s\nprogram: %s\n",
                 kinds[p->kind], p->schema, p->size, hash, made, p->program);
    bytes_hex(hash_of((atg_str){ret, (size_t)n}, NULL).bytes, HASH_SIZE, hash);
    n += snprintf(ret + n, BACKUP_PAGE - (size_t)n, "page: %s", hash);
    ret[n] = '\n';
}

/* The rest of the next line when it begins with `key`. */
static bool line_of(atg_str *rest, const char *key, atg_str *ret) {
    atg_str line = atg_str_cut(rest, '\n');
    size_t n = strlen(key);

    *ret = (atg_str){line.p + n, line.n - n};
    return line.n >= n && memcmp(line.p, key, n) == 0;
}

static bool read_number(atg_str s, uint64_t *ret) {
    uint64_t x = 0;

    if (s.n == 0 || s.n > 18)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        x = 10 * x + (uint64_t)(s.p[i] - '0');
    }
    *ret = x;
    return true;
}

static bool read_lines(atg_str rest, backup_page *p) {
    atg_str kind, schema, size, hash, made, program, own, first;
    uint64_t version;

    if (!line_of(&rest, "antigone backup 1", &first) || !line_of(&rest, "kind: ", &kind) ||
        !line_of(&rest, "schema: ", &schema) || !line_of(&rest, "size: ", &size) ||
        !line_of(&rest, "blake2b-256: ", &hash) || !line_of(&rest, "made: ", &made) ||
        !line_of(&rest, "program: ", &program) || !line_of(&rest, "page: ", &own))
        return false;
    if (!read_number(schema, &version) || !read_number(size, &p->size) ||
        !bytes_from_hex(hash, p->hash.bytes, HASH_SIZE) || !instant_read(made, &p->made) ||
        program.n >= sizeof(p->program))
        return false;
    p->schema = (int64_t)version;
    p->kind = atg_str_eq(kind, atg_str_of(kinds[DB_POSTGRES])) ? DB_POSTGRES : DB_SQLITE;
    memcpy(p->program, program.p, program.n);
    return true;
}

int backup_page_read(const char text[BACKUP_PAGE], backup_page *ret, atg_err *err) {
    char again[BACKUP_PAGE];
    backup_page p = {0};

    if (!memchr(text, '\0', BACKUP_PAGE) && read_lines((atg_str){text, BACKUP_PAGE}, &p)) {
        backup_page_text(&p, again);
        if (memcmp(again, text, BACKUP_PAGE) == 0) {
            *ret = p;
            return ATG_OK;
        }
    }
    return atg_fail(
        err, ATG_EPARSE,
        "The file does not end like a backup: it was cut off or damaged, or it is none");
}

/* ---- reading ---- */

static ssize_t read_some(int fd, char *p, size_t n) {
    ssize_t got;

    do
        got = read(fd, p, n);
    while (got < 0 && errno == EINTR);
    return got;
}

int backup_open(const char *path, int *ret_fd, backup_page *ret, atg_err *err) {
    int fd = open(path, O_RDONLY | O_CLOEXEC), rc = crypto_ready(err);
    char text[BACKUP_PAGE] = "";
    struct stat there;

    if (fd < 0)
        return atg_fail(err, errno == ENOENT ? ATG_ENOTFOUND : ATG_EIO, "Cannot open %.200s: %s",
                        path, strerror_r(errno, text, sizeof(text)));
    if (rc == ATG_OK && fstat(fd, &there))
        rc = failed(err, "read", path);
    if (rc == ATG_OK && there.st_size >= BACKUP_PAGE &&
        pread(fd, text, BACKUP_PAGE, there.st_size - BACKUP_PAGE) < 0)
        rc = failed(err, "read", path);
    if (rc == ATG_OK)
        rc = backup_page_read(text, ret, err);
    if (rc == ATG_OK && ret->size != (uint64_t)there.st_size - BACKUP_PAGE)
        rc = atg_fail(err, ATG_EDB,
                      "%.200s has another length than when it was made: use another backup", path);
    if (rc) {
        close(fd);
        return rc;
    }
    *ret_fd = fd;
    return ATG_OK;
}

static int write_all(int fd, atg_str s, atg_err *err) {
    char text[128];

    while (s.n) {
        ssize_t n = write(fd, s.p, s.n);

        if (n < 0 && errno != EINTR)
            return atg_fail(err, ATG_EIO, "Cannot write: %s",
                            strerror_r(errno, text, sizeof(text)));
        s.p += n > 0 ? n : 0;
        s.n -= n > 0 ? (size_t)n : 0;
    }
    return ATG_OK;
}

static bool told(const atg_progress *p, const char *phase, uint64_t done, uint64_t total) {
    return !p || !p->step || p->step(p->user, phase, done, total);
}

int backup_copy(int fd, const backup_page *p, int to, const char *phase,
                const atg_progress *progress, atg_err *err) {
    MEM_AUTO char *piece = mem_alloc(PIECE);
    uint64_t n = 0;
    hash256 hash;
    hasher h;

    if (!piece)
        return atg_fail(err, ATG_ENOMEM, "Out of memory reading a backup");
    hash_pieces(&h);
    while (n < p->size) {
        size_t wanted = p->size - n < PIECE ? (size_t)(p->size - n) : PIECE;
        ssize_t got = read_some(fd, piece, wanted);
        int rc = ATG_OK;

        if (got <= 0)
            return atg_fail(err, ATG_EIO, "The backup cannot be read to its end");
        hash_piece(&h, (atg_str){piece, (size_t)got});
        if (to >= 0)
            rc = write_all(to, (atg_str){piece, (size_t)got}, err);
        if (rc)
            return rc;
        n += (uint64_t)got;
        if (!told(progress, phase, n, p->size))
            return atg_fail(err, ATG_ECANCEL, "Stopped on request");
    }
    hash = hash_end(&h);
    if (!hash_eq(&hash, &p->hash))
        return atg_fail(err, ATG_EDB,
                        "The backup was changed or damaged since it was made: use another one");
    return ATG_OK;
}

int backup_check(const char *path, const atg_progress *progress, backup_page *ret, atg_err *err) {
    backup_page p = {0};
    int fd = -1, rc = backup_open(path, &fd, &p, err);

    if (rc)
        return rc;
    rc = backup_copy(fd, &p, -1, "check", progress, err);
    close(fd);
    if (rc == ATG_OK)
        *ret = p;
    return rc;
}

/* ---- making ---- */

static int taken(const char *path, atg_err *err) {
    return atg_fail(err, ATG_ECONFLICT, "%.200s exists already: give the backup another name",
                    path);
}

int backup_begin(const char *path, backup_file *ret, atg_err *err) {
    struct stat there;
    int rc = crypto_ready(err);

    ret->path = path;
    ret->fd = -1;
    ret->n = 0;
    ret->temp[0] = '\0';
    if (rc)
        return rc;
    if (snprintf(ret->temp, sizeof(ret->temp), "%s.XXXXXX", path) >= (int)sizeof(ret->temp)) {
        ret->temp[0] = '\0';
        return atg_fail(err, ATG_ELIMIT, "The path of the backup is too long");
    }
    if (lstat(path, &there) == 0) {
        ret->temp[0] = '\0';
        return taken(path, err);
    }
    ret->fd = mkostemp(ret->temp, O_CLOEXEC);
    if (ret->fd < 0) {
        ret->temp[0] = '\0';
        return failed(err, "make a file beside", path);
    }
    hash_pieces(&ret->hash);
    return ATG_OK;
}

int backup_add(backup_file *f, atg_str bytes, atg_err *err) {
    int rc = write_all(f->fd, bytes, err);

    if (rc)
        return rc;
    hash_piece(&f->hash, bytes);
    f->n += bytes.n;
    return ATG_OK;
}

int backup_adopt(backup_file *f, atg_err *err) {
    MEM_AUTO char *piece = mem_alloc(PIECE);
    ssize_t got;

    if (!piece)
        return atg_fail(err, ATG_ENOMEM, "Out of memory making a backup");
    while ((got = read_some(f->fd, piece, PIECE)) > 0) {
        hash_piece(&f->hash, (atg_str){piece, (size_t)got});
        f->n += (uint64_t)got;
    }
    return got < 0 ? failed(err, "read", f->temp) : ATG_OK;
}

int backup_end(backup_file *f, db_kind kind, int64_t schema, atg_err *err) {
    backup_page p = {.kind = kind,
                     .schema = schema,
                     .size = f->n,
                     .hash = hash_end(&f->hash),
                     .made = clock_now()};
    char text[BACKUP_PAGE];
    int rc;

    (void)snprintf(p.program, sizeof(p.program), "%s", ATG_VERSION);
    backup_page_text(&p, text);
    rc = write_all(f->fd, (atg_str){text, sizeof(text)}, err);
    if (rc)
        return rc;
    if (fsync(f->fd))
        return failed(err, "write", f->temp);
    if (link(f->temp, f->path))
        return errno == EEXIST ? taken(f->path, err) : failed(err, "write", f->path);
    return place_sync_directory(f->path, err);
}

void backup_drop(backup_file *f) {
    if (f->fd >= 0)
        close(f->fd);
    f->fd = -1;
    if (f->temp[0])
        (void)unlink(f->temp);
    f->temp[0] = '\0';
}

int db_backup(db *d, const char *path, const atg_progress *progress, atg_err *err) {
    backup_file f;
    int64_t schema = 0;
    int rc = backup_begin(path, &f, err);

    if (rc == ATG_OK)
        rc = d->backend->backup(d, &f, progress, &schema, err);
    if (rc == ATG_OK)
        rc = backup_end(&f, d->backend->kind, schema, err);
    backup_drop(&f);
    return rc;
}
