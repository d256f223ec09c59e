/* SPDX-License-Identifier: Apache-2.0 */
/* Sealed pictures as files, with SQLite. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "store/blobs_place.h"
#include "store/place.h"

enum {
    BUFFER = 1 << 20,
    AHEAD = 1 << 20, /* bytes after which the disk is told to begin */
    HEX_HASH = 2 * HASH_SIZE,
    HEX_STREAM = 2 * UUID_SIZE,
    FOLDER_NAME = 2,
};

static int failed(atg_err *err, const char *what, const char *path) {
    char text[128];

    if (errno == ENOSPC || errno == EDQUOT)
        return atg_fail(err, ATG_EIO, "The disk is full: cannot %s %.200s", what, path);
    return atg_fail(err, ATG_EIO, "Cannot %s %.200s: %s", what, path,
                    strerror_r(errno, text, sizeof(text)));
}

static int path_in(const blobs *b, const char *below, char ret[BLOB_PATH], atg_err *err) {
    if (snprintf(ret, BLOB_PATH, "%s/pictures%s%s", b->directory, below[0] ? "/" : "", below) >=
        BLOB_PATH)
        return atg_fail(err, ATG_ELIMIT, "The path of the store is too long");
    return ATG_OK;
}

/* "ab/cdef...-0123..." */
static void name_of(const hash256 *hash, const uuid *id, char ret[BLOB_NAME]) {
    char hex[HEX_HASH + 1], tail[HEX_STREAM + 1];

    bytes_hex(hash->bytes, HASH_SIZE, hex);
    bytes_hex(id->bytes, UUID_SIZE, tail);
    (void)snprintf(ret, BLOB_NAME, "%.2s/%s-%s", hex, hex + FOLDER_NAME, tail);
}

static int row_path(const blobs *b, const blob_row *row, char ret[BLOB_PATH], atg_err *err) {
    char name[BLOB_NAME];

    name_of(&row->hash, &row->stream, name);
    return path_in(b, name, ret, err);
}

/* A folder whose name is on disk. */
static int make_folder(const char *path, atg_err *err) {
    if (mkdir(path, 0700) == 0)
        return place_sync_directory(path, err);
    return errno == EEXIST ? ATG_OK : failed(err, "make", path);
}

/* `pictures` with all of its folders, so that they need not be made and synced one by one. */
static int make_place(const blobs *b, atg_err *err) {
    char path[BLOB_PATH], name[FOLDER_NAME + 1];
    int rc = path_in(b, "", path, err);

    if (rc || mkdir(path, 0700))
        return rc || errno == EEXIST ? rc : failed(err, "make", path);
    rc = place_sync_directory(path, err);
    for (unsigned i = 0; i < 1U << 4 * FOLDER_NAME && !rc; i++) {
        (void)snprintf(name, sizeof(name), "%02x", i);
        rc = path_in(b, name, path, err);
        if (rc == ATG_OK && mkdir(path, 0700) && errno != EEXIST)
            rc = failed(err, "make", path);
    }
    return rc ? rc : place_sync_directory(path, err);
}

/* ---- the lock ---- */

/* Of the open file, so that threads of one process are kept apart too. */
static int take_lock(const blobs *b, short type, int *ret, atg_err *err) {
    struct flock whole = {.l_type = type, .l_whence = SEEK_SET};
    char path[BLOB_PATH];
    int rc = make_place(b, err), fd;

    if (rc == ATG_OK)
        rc = path_in(b, "lock", path, err);
    if (rc)
        return rc;
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return failed(err, "open", path);
    while (fcntl(fd, F_OFD_SETLKW, &whole)) {
        if (errno == EINTR)
            continue;
        rc = failed(err, "lock", path);
        (void)close(fd);
        return rc;
    }
    *ret = fd;
    return ATG_OK;
}

/* ---- writing ---- */

int blob_file_new(const blobs *b, const uuid *id, blob_file *ret, atg_err *err) {
    char hex[HEX_STREAM + 1], name[BLOB_NAME];
    int rc;

    *ret = (blob_file){.b = b, .stream = *id, .fd = -1, .lock = -1};
    ret->buffer = mem_alloc(BUFFER);
    if (!ret->buffer)
        return atg_fail(err, ATG_ENOMEM, "Out of memory writing a picture");
    rc = take_lock(b, F_RDLCK, &ret->lock, err);
    bytes_hex(id->bytes, UUID_SIZE, hex);
    (void)snprintf(name, sizeof(name), ".new-%s", hex);
    if (rc == ATG_OK)
        rc = path_in(b, name, ret->temp, err);
    if (rc)
        return rc;
    ret->fd = open(ret->temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return ret->fd < 0 ? failed(err, "make", ret->temp) : ATG_OK;
}

static int flush(blob_file *f, atg_err *err) {
    for (size_t done = 0; done < f->n;) {
        ssize_t n = write(f->fd, f->buffer + done, f->n - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return failed(err, "write", f->temp);
        done += (size_t)n;
    }
    f->at += f->n;
    f->n = 0;
    /* the disk works while the next bytes are sealed; a hint, so that failing is no matter */
    if (f->at - f->begun >= AHEAD) {
        (void)sync_file_range(f->fd, (off_t)f->begun, (off_t)(f->at - f->begun),
                              SYNC_FILE_RANGE_WRITE);
        f->begun = f->at;
    }
    return ATG_OK;
}

int blob_file_write(void *user, atg_str bytes, atg_err *err) {
    blob_file *f = user;

    while (bytes.n) {
        size_t n = BUFFER - f->n < bytes.n ? BUFFER - f->n : bytes.n;

        memcpy(f->buffer + f->n, bytes.p, n);
        f->n += n;
        bytes.p += n;
        bytes.n -= n;
        if (f->n == BUFFER) {
            int rc = flush(f, err);

            if (rc)
                return rc;
        }
    }
    return ATG_OK;
}

int blob_file_name(blob_file *f, const hash256 *hash, atg_err *err) {
    char name[BLOB_NAME], folder[FOLDER_NAME + 1];
    int rc = flush(f, err);

    name_of(hash, &f->stream, name);
    (void)snprintf(folder, sizeof(folder), "%.2s", name);
    if (rc == ATG_OK)
        rc = path_in(f->b, folder, f->path, err);
    if (rc == ATG_OK)
        rc = make_folder(f->path, err);
    if (rc == ATG_OK)
        rc = path_in(f->b, name, f->path, err);
    if (rc == ATG_OK && rename(f->temp, f->path))
        rc = failed(err, "name", f->path);
    if (rc)
        return rc;
    f->temp[0] = '\0';
    /* the name is of this sealing alone, and no row has it yet: named first, the file, its name and
       its folder go to disk in one go where the file system keeps a journal */
    if (fsync(f->fd))
        return failed(err, "write", f->path);
    return place_sync_directory(f->path, err);
}

void blob_file_drop(const blob_file *f) {
    if (!f->temp[0] && f->path[0])
        (void)unlink(f->path);
}

void blob_file_close(blob_file *f) {
    if (f->fd >= 0)
        (void)close(f->fd);
    if (f->fd >= 0 && f->temp[0])
        (void)unlink(f->temp);
    if (f->lock >= 0)
        (void)close(f->lock);
    mem_free(f->buffer);
}

/* ---- reading ---- */

static int read_on(int fd, const char *path, unsigned char *buffer, stream *to, atg_err *err) {
    for (;;) {
        ssize_t n = read(fd, buffer, BUFFER);
        int rc;

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return failed(err, "read", path);
        if (n == 0)
            return ATG_OK;
        rc = stream_put(to, (atg_str){(const char *)buffer, (size_t)n}, err);
        if (rc)
            return rc;
    }
}

int blob_file_read(const blobs *b, const blob_row *row, stream *to, atg_err *err) {
    MEM_AUTO unsigned char *buffer = mem_alloc(BUFFER);
    char path[BLOB_PATH];
    int rc = row_path(b, row, path, err), fd;

    if (!buffer)
        return atg_fail(err, ATG_ENOMEM, "Out of memory reading a picture");
    if (rc)
        return rc;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT)
        return atg_fail(err, ATG_ENOTFOUND, "There is no file %.200s", path);
    if (fd < 0)
        return failed(err, "read", path);
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    rc = read_on(fd, path, buffer, to, err);
    (void)close(fd);
    return rc;
}

bool blob_file_whole(const blobs *b, const blob_row *row) {
    char path[BLOB_PATH];
    struct stat there;

    return row_path(b, row, path, NULL) == ATG_OK && lstat(path, &there) == 0 &&
           S_ISREG(there.st_mode) && (uint64_t)there.st_size == blob_sealed_size(row->size);
}

int blob_file_remove(const blobs *b, const blob_row *row, atg_err *err) {
    char path[BLOB_PATH];
    int rc = row_path(b, row, path, err);

    if (rc)
        return rc;
    if (unlink(path) && errno != ENOENT)
        return failed(err, "remove", path);
    return errno == ENOENT ? ATG_OK : place_sync_directory(path, err);
}

/* ---- what no row names ---- */

typedef struct walking {
    const blobs *b;
    const blob_checking *how;
    blob_report *report;
    int lock; /* nobody writes */
} walking;

static const db_statement find_stream = {
    "find stream of blob", "SELECT CAST(1 AS BIGINT) FROM blob WHERE stream = $1 AND hash = $2"};

typedef struct naming {
    hash256 hash;
    uuid stream;
    bool named;
} naming;

static int find_name(db *d, void *user, atg_err *err) {
    naming *n = user;
    int64_t one;
    int rc = db_get_one(d, &find_stream,
                        (db_value[]){blob_id_value(&n->stream), blob_hash_value(&n->hash)}, 2, 0,
                        &one, err);

    n->named = rc == ATG_OK;
    return rc == ATG_ENOTFOUND ? ATG_OK : rc;
}

/* Does a row name this file? */
static int is_named(const walking *w, const char *name, bool *ret, atg_err *err) {
    naming n = {.named = false};
    char hex[HEX_HASH + 1] = "";
    size_t len = strlen(name);

    *ret = false;
    if (len != FOLDER_NAME + 1 + HEX_HASH - FOLDER_NAME + 1 + HEX_STREAM ||
        name[HEX_HASH + 1] != '-')
        return ATG_OK;
    memcpy(hex, name, FOLDER_NAME);
    memcpy(hex + FOLDER_NAME, name + FOLDER_NAME + 1, HEX_HASH - FOLDER_NAME);
    if (!bytes_from_hex((atg_str){hex, HEX_HASH}, n.hash.bytes, HASH_SIZE) ||
        !bytes_from_hex((atg_str){name + HEX_HASH + 2, HEX_STREAM}, n.stream.bytes, UUID_SIZE))
        return ATG_OK;

    int rc = store_read(w->b->s, find_name, &n, err);

    *ret = n.named;
    return rc;
}

/* One that no row names while nobody writes. */
static int loose(walking *w, const char *name, atg_err *err) {
    blob_finding finding = {.fault = BLOB_LOOSE};
    char path[BLOB_PATH];
    bool named = false;
    int rc = ATG_OK;

    if (w->lock < 0)
        rc = take_lock(w->b, F_WRLCK, &w->lock, err);
    if (rc == ATG_OK)
        rc = is_named(w, name, &named, err);
    if (rc == ATG_OK)
        rc = path_in(w->b, name, path, err);
    if (rc || named || access(path, F_OK))
        return rc;
    w->report->loose++;
    (void)snprintf(finding.name, sizeof(finding.name), "%s", name);
    rc = w->how->tell ? w->how->tell(w->how->user, &finding, err) : ATG_OK;
    if (rc || !w->how->tidy)
        return rc;
    if (unlink(path))
        return failed(err, "remove", path);
    w->report->removed++;
    return ATG_OK;
}

/* The name below `pictures`; false for what is no file of ours to look at. */
static bool name_below(const char *below, const struct dirent *e, char ret[BLOB_NAME]) {
    size_t n = strlen(below), m = strlen(e->d_name);

    if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
        (n == 0 && strcmp(e->d_name, "lock") == 0) || n + 1 + m >= BLOB_NAME)
        return false;
    (void)snprintf(ret, BLOB_NAME, "%.*s%s%.*s", (int)n, below, n ? "/" : "", (int)m, e->d_name);
    return true;
}

/* Files below a folder ("" or "ab"); folders are given to `folder`, when there is one. */
static int walk(walking *w, const char *below, int (*folder)(walking *, const char *, atg_err *),
                atg_err *err) {
    char path[BLOB_PATH], name[BLOB_NAME];
    int rc = path_in(w->b, below, path, err);
    DIR *dir = rc ? NULL : opendir(path);
    bool named;

    if (rc)
        return rc;
    if (!dir)
        return errno == ENOENT ? ATG_OK : failed(err, "read", path);
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): the folder is this thread's own */
    for (const struct dirent *e; rc == ATG_OK && (e = readdir(dir));) {
        if (!name_below(below, e, name))
            continue;
        if (folder && e->d_type == DT_DIR) {
            rc = folder(w, name, err);
            continue;
        }
        rc = is_named(w, name, &named, err);
        if (rc == ATG_OK && !named)
            rc = loose(w, name, err);
    }
    (void)closedir(dir);
    return rc;
}

static int walk_folder(walking *w, const char *below, atg_err *err) {
    return walk(w, below, NULL, err);
}

int blob_files_loose(const blobs *b, const blob_checking *how, blob_report *ret, atg_err *err) {
    walking w = {b, how, ret, -1};
    int rc = walk(&w, "", walk_folder, err);

    if (w.lock >= 0)
        (void)close(w.lock);
    return rc;
}
