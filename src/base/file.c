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

int file_write(const char *path, atg_str bytes, atg_err *err) {
    struct stat there;
    char temp[4096];

    if (strcmp(path, "-") == 0)
        return write_all(STDOUT_FILENO, "standard output", bytes, err);
    if (stat(path, &there) == 0 && !S_ISREG(there.st_mode) && !S_ISDIR(there.st_mode))
        return write_into(path, bytes, err);
    if (snprintf(temp, sizeof(temp), "%s.XXXXXX", path) >= (int)sizeof(temp))
        return atg_fail(err, ATG_ELIMIT, "The path %s is too long", path);

    int fd = mkostemp(temp, O_CLOEXEC);

    if (fd < 0)
        return failed(err, "Cannot write", path);

    int rc = write_all(fd, path, bytes, err);

    if (!rc && (fchmod(fd, 0644) || fsync(fd)))
        rc = failed(err, "Cannot write", path);
    if (close(fd) && !rc)
        rc = failed(err, "Cannot write", path);
    if (!rc && rename(temp, path))
        rc = failed(err, "Cannot write", path);
    if (rc)
        (void)unlink(temp);
    return rc;
}
