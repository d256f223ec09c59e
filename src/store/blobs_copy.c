/* SPDX-License-Identifier: Apache-2.0 */
/* Sealed pictures of a SQLite store into a folder beside its backup, and back. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/blobs_place.h"
#include "store/place.h"

enum {
    BATCH = 128,           /* files whose names are given when all of them are on disk */
    BATCH_BYTES = 1 << 28, /* the same in bytes */
    NAME_ROOM = 160,
    FOLDER_NAME = 2,
    TOLD = 32, /* files between two words on progress */
};

typedef struct copying {
    const char *from, *to;
    const atg_progress *progress;
    blob_copied done;
    struct {
        int fd;
        char name[NAME_ROOM];
    } * open;
    uint32_t n_open;
    uint64_t open_bytes;
} copying;

static int failed(atg_err *err, const char *what, const char *path) {
    char text[128];

    if (errno == ENOSPC || errno == EDQUOT)
        return atg_fail(err, ATG_EIO, "The disk is full: cannot %s %.200s", what, path);
    return atg_fail(err, ATG_EIO, "Cannot %s %.200s: %s", what, path,
                    strerror_r(errno, text, sizeof(text)));
}

static int path_of(const char *folder, const char *below, const char *end, char ret[BLOB_PATH],
                   atg_err *err) {
    if (snprintf(ret, BLOB_PATH, "%s/%s%s", folder, below, end) >= BLOB_PATH)
        return atg_fail(err, ATG_ELIMIT, "The path of the pictures is too long");
    return ATG_OK;
}

static void drop_open(copying *w) {
    char path[BLOB_PATH];

    for (uint32_t i = 0; i < w->n_open; i++) {
        (void)close(w->open[i].fd);
        if (path_of(w->to, w->open[i].name, ".new", path, NULL) == ATG_OK)
            (void)unlink(path);
    }
    w->n_open = 0;
}

static int name_one(copying *w, uint32_t i, char path[BLOB_PATH], atg_err *err) {
    char temp[BLOB_PATH];
    int rc = path_of(w->to, w->open[i].name, ".new", temp, err);

    if (!rc)
        rc = path_of(w->to, w->open[i].name, "", path, err);
    return !rc && rename(temp, path) ? failed(err, "name", path) : rc;
}

/* Names are given to what is on disk only; a folder is synced behind its last. */
static int name_open(copying *w, atg_err *err) {
    char path[BLOB_PATH];
    int rc = ATG_OK;

    for (uint32_t i = 0; i < w->n_open && !rc; i++)
        if (fdatasync(w->open[i].fd))
            rc = failed(err, "write", w->open[i].name);
    for (uint32_t i = 0; i < w->n_open && !rc; i++) {
        bool last =
            i + 1 == w->n_open || memcmp(w->open[i].name, w->open[i + 1].name, FOLDER_NAME) != 0;

        rc = name_one(w, i, path, err);
        if (!rc && last)
            rc = place_sync_directory(path, err);
    }
    if (rc) {
        drop_open(w);
        return rc;
    }
    for (uint32_t i = 0; i < w->n_open; i++)
        (void)close(w->open[i].fd);
    w->n_open = 0;
    w->open_bytes = 0;
    return ATG_OK;
}

/* The kernel copies, where it can without this process seeing the bytes. */
static int copy_bytes(int from, int to, uint64_t n, const char *name, atg_err *err) {
    uint64_t left = n;

    (void)posix_fadvise(from, 0, 0, POSIX_FADV_SEQUENTIAL);
    while (left) {
        ssize_t k = copy_file_range(from, NULL, to, NULL, left, 0);

        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return failed(err, "copy", name);
        if (k == 0)
            return atg_fail(err, ATG_EIO, "%.200s was cut off while it was copied", name);
        left -= (uint64_t)k;
    }
    (void)sync_file_range(to, 0, (off_t)n, SYNC_FILE_RANGE_WRITE);
    return ATG_OK;
}

static int copy_file(copying *w, const char *name, int from, uint64_t size, atg_err *err) {
    char path[BLOB_PATH];
    int rc = path_of(w->to, name, ".new", path, err), to;

    if (rc)
        return rc;
    to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (to < 0)
        return failed(err, "make", path);
    (void)snprintf(w->open[w->n_open].name, NAME_ROOM, "%s", name);
    w->open[w->n_open++].fd = to;
    rc = copy_bytes(from, to, size, name, err);
    if (rc)
        return rc;
    w->open_bytes += size;
    w->done.copied++;
    w->done.bytes += size;
    return w->n_open == BATCH || w->open_bytes >= BATCH_BYTES ? name_open(w, err) : ATG_OK;
}

/* A picture that is there already in its full length is the same: names are given by content. */
static bool is_there(const copying *w, const char *name, uint64_t size) {
    char path[BLOB_PATH];
    struct stat there;

    return path_of(w->to, name, "", path, NULL) == ATG_OK && lstat(path, &there) == 0 &&
           S_ISREG(there.st_mode) && (uint64_t)there.st_size == size;
}

static int take_file(copying *w, const char *name, atg_err *err) {
    char path[BLOB_PATH];
    struct stat there;
    int rc = path_of(w->from, name, "", path, err), fd;

    if (rc)
        return rc;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) /* erased since the folder was read */
        return errno == ENOENT ? ATG_OK : failed(err, "read", path);
    if (fstat(fd, &there))
        rc = failed(err, "read", path);
    else if (!S_ISREG(there.st_mode) || is_there(w, name, (uint64_t)there.st_size))
        w->done.there += S_ISREG(there.st_mode);
    else
        rc = copy_file(w, name, fd, (uint64_t)there.st_size, err);
    (void)close(fd);
    if (!rc && w->progress && w->progress->step && (w->done.copied + w->done.there) % TOLD == 0 &&
        !w->progress->step(w->progress->user, "pictures", w->done.copied + w->done.there, 0))
        rc = atg_fail(err, ATG_ECANCEL, "Stopped on request");
    return rc;
}

/* A folder of pictures: two hexadecimal digits. */
static int take_folder(copying *w, const char *folder, atg_err *err) {
    char path[BLOB_PATH], name[NAME_ROOM];
    int rc = path_of(w->from, folder, "", path, err);
    DIR *dir = rc ? NULL : opendir(path);

    if (rc)
        return rc;
    if (!dir)
        return errno == ENOENT || errno == ENOTDIR ? ATG_OK : failed(err, "read", path);
    rc = path_of(w->to, folder, "", path, err);
    if (!rc && mkdir(path, 0700) && errno != EEXIST)
        rc = failed(err, "make", path);
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): the folder is this thread's own */
    for (const struct dirent *e; !rc && (e = readdir(dir));) {
        size_t n = strlen(e->d_name);

        if (e->d_name[0] == '.' || n + 4 >= NAME_ROOM ||
            (n > 4 && strcmp(e->d_name + n - 4, ".new") == 0))
            continue;
        (void)snprintf(name, sizeof(name), "%s/%.*s", folder, (int)n, e->d_name);
        rc = take_file(w, name, err);
    }
    (void)closedir(dir);
    return rc;
}

/* The names of the folders themselves. */
static int sync_folders(const copying *w, atg_err *err) {
    char path[BLOB_PATH];
    int rc = path_of(w->to, "00", "", path, err);

    if (!rc)
        rc = place_sync_directory(path, err);
    return rc ? rc : place_sync_directory(w->to, err);
}

int blobs_copy(const char *from, const char *to, const atg_progress *progress, blob_copied *ret,
               atg_err *err) {
    copying w = {.from = from, .to = to, .progress = progress};
    char folder[4];
    int rc = ATG_OK;

    w.open = mem_zero(BATCH, sizeof(*w.open));
    if (!w.open)
        return atg_fail(err, ATG_ENOMEM, "Out of memory copying pictures");
    if (mkdir(to, 0700) && errno != EEXIST)
        rc = failed(err, "make", to);
    for (unsigned i = 0; i < 256 && !rc; i++) {
        (void)snprintf(folder, sizeof(folder), "%02x", i);
        rc = take_folder(&w, folder, err);
    }
    if (!rc)
        rc = name_open(&w, err);
    if (!rc)
        rc = sync_folders(&w, err);
    drop_open(&w);
    mem_free(w.open);
    if (!rc)
        *ret = w.done;
    return rc;
}
