/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

static int failed(atg_err *err, const char *what, const char *path) {
    char text[128];

    return atg_fail(err, ATG_EIO, "%s %s: %s", what, path, strerror_r(errno, text, sizeof(text)));
}

/* Read to the end into a buffer that grows by doubling. */
static int slurp(int fd, const char *path, size_t limit, char **ret, size_t *ret_n, atg_err *err) {
    size_t cap = 65536, n = 0;
    char *p = mem_alloc(cap);

    for (;;) {
        if (!p)
            return atg_fail(err, ATG_ENOMEM, "Out of memory reading %s", path);

        ssize_t got = read(fd, p + n, cap - n);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            mem_free(p);
            return failed(err, "Cannot read", path);
        }
        n += (size_t)got;
        if (n > limit) {
            mem_free(p);
            return atg_fail(err, ATG_ELIMIT, "%s is larger than %zu MiB", path, limit >> 20);
        }
        if (got == 0)
            break;
        if (n == cap) {
            char *more = mem_grow(p, cap *= 2);

            if (!more)
                mem_free(p);
            p = more;
        }
    }
    *ret = p;
    *ret_n = n;
    return ATG_OK;
}

int file_read(atg_arena *arena, const char *path, size_t limit, atg_str *ret, atg_err *err) {
    bool standard = strcmp(path, "-") == 0;
    int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    char *p = NULL;
    size_t n = 0;

    if (fd < 0)
        return failed(err, "Cannot open", path);

    int rc = slurp(fd, path, limit, &p, &n, err);

    if (!standard)
        close(fd);
    if (rc)
        return rc;

    atg_str s = atg_arena_str(arena, (atg_str){p, n});

    mem_free(p);
    if (!s.p)
        return atg_fail(err, ATG_ENOMEM, "Out of memory reading %s", path);
    *ret = s;
    return ATG_OK;
}

static int write_all(int fd, const char *path, atg_str s, atg_err *err) {
    while (s.n) {
        ssize_t n = write(fd, s.p, s.n);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return failed(err, "Cannot write", path);
        s.p += n;
        s.n -= (size_t)n;
    }
    return ATG_OK;
}

/* A device or a pipe is written to; renaming a file over it would take it away. */
static int write_into(const char *path, atg_str bytes, atg_err *err) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    int rc;

    if (fd < 0)
        return failed(err, "Cannot write", path);
    rc = write_all(fd, path, bytes, err);
    if (close(fd) && !rc)
        rc = failed(err, "Cannot write", path);
    return rc;
}

int file_sync_folder(const char *path, atg_err *err) {
    const char *slash = strrchr(path, '/');
    char folder[4096] = ".";

    if (slash)
        (void)snprintf(folder, sizeof(folder), "%.*s", slash == path ? 1 : (int)(slash - path),
                       path);

    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = ATG_OK;

    if (fd < 0)
        return failed(err, "Cannot open the folder", folder);
    /* some network file systems do not sync folders, and say EINVAL */
    if (fsync(fd) && errno != EINVAL)
        rc = failed(err, "Cannot write", path);
    (void)close(fd);
    return rc;
}

/* To a temporary neighbour, then over the old one. */
static int write_mode(const char *path, atg_str bytes, mode_t mode, atg_err *err) {
    char temp[4096];

    if (snprintf(temp, sizeof(temp), "%s.XXXXXX", path) >= (int)sizeof(temp))
        return atg_fail(err, ATG_ELIMIT, "The path %s is too long", path);

    int fd = mkostemp(temp, O_CLOEXEC);

    if (fd < 0)
        return failed(err, "Cannot write", path);

    int rc = write_all(fd, path, bytes, err);

    if (!rc && (fchmod(fd, mode) || fsync(fd)))
        rc = failed(err, "Cannot write", path);
    if (close(fd) && !rc)
        rc = failed(err, "Cannot write", path);
    if (!rc && rename(temp, path))
        rc = failed(err, "Cannot write", path);
    if (rc)
        (void)unlink(temp);
    return rc ? rc : file_sync_folder(path, err);
}

int file_write(const char *path, atg_str bytes, atg_err *err) {
    struct stat there;

    if (strcmp(path, "-") == 0)
        return write_all(STDOUT_FILENO, "standard output", bytes, err);
    if (stat(path, &there) == 0 && !S_ISREG(there.st_mode) && !S_ISDIR(there.st_mode))
        return write_into(path, bytes, err);
    return write_mode(path, bytes, 0644, err);
}

int file_write_private(const char *path, atg_str bytes, atg_err *err) {
    return write_mode(path, bytes, 0600, err);
}

int file_new_begin(const char *path, file_new *ret, atg_err *err) {
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0 && errno == EEXIST)
        return atg_fail(err, ATG_EIO, "%s is there already: name another file", path);
    if (fd < 0)
        return failed(err, "Cannot make", path);
    *ret = (file_new){path, fd};
    return ATG_OK;
}

int file_new_add(void *file, atg_str bytes, atg_err *err) {
    const file_new *f = file;

    return write_all(f->fd, f->path, bytes, err);
}

int file_new_again(void *file, atg_err *err) {
    const file_new *f = file;

    return ftruncate(f->fd, 0) || lseek(f->fd, 0, SEEK_SET) ? failed(err, "Cannot write", f->path)
                                                            : ATG_OK;
}

int file_new_end(file_new *f, int rc, atg_err *err) {
    if (!rc && fsync(f->fd))
        rc = failed(err, "Cannot write", f->path);
    if (close(f->fd) && !rc)
        rc = failed(err, "Cannot write", f->path);
    if (!rc)
        rc = file_sync_folder(f->path, err);
    if (rc)
        (void)unlink(f->path);
    return rc;
}

static int check_private(int fd, const char *path, bool lax, atg_err *err) {
    struct stat st;

    if (fstat(fd, &st))
        return failed(err, "Cannot read", path);
    if (!S_ISREG(st.st_mode))
        return atg_fail(err, ATG_EDENIED, "%s is not a regular file", path);
    if (st.st_uid != geteuid() && st.st_uid != 0)
        return atg_fail(err, ATG_EDENIED,
                        "%s belongs to another user: change its owner (chown) and try again", path);
    if (st.st_mode & (lax ? 0037 : 0077))
        return atg_fail(err, ATG_EDENIED,
                        "%s can be read or changed by others: run \"chmod 600 %s\", and make a new "
                        "key if others had access",
                        path, path);
    return ATG_OK;
}

int file_read_private(const char *path, bool lax, unsigned char *ret, size_t *n, atg_err *err) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    size_t have = 0;
    char more;

    if (fd < 0 && errno == ELOOP)
        return atg_fail(err, ATG_EDENIED, "%s is a symbolic link: name the file itself", path);
    if (fd < 0)
        return failed(err, "Cannot open", path);

    int rc = check_private(fd, path, lax, err);

    while (!rc) {
        ssize_t got = read(fd, have < *n ? (char *)ret + have : &more, have < *n ? *n - have : 1);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            rc = failed(err, "Cannot read", path);
        else if (got > 0 && have == *n)
            rc = atg_fail(err, ATG_ELIMIT, "%s is longer than %zu bytes", path, *n);
        if (got <= 0)
            break;
        have += (size_t)got;
    }
    (void)close(fd);
    if (!rc)
        *n = have;
    return rc;
}
