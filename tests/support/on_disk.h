/* SPDX-License-Identifier: Apache-2.0 */
/* Does a text stand anywhere in the files of a database? */
#ifndef ATG_TESTS_ON_DISK_H
#define ATG_TESTS_ON_DISK_H

#include "database.h"
#include "server.h"
#include "store/db.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ON_DISK_PATH = 1024, ON_DISK_DEPTH = 12 };

enum { ON_DISK_PART = 8 };

/* A text ends at its first NUL: eight bytes of a secret that have none.  False: there are none. */
static inline bool on_disk_part(const void *secret, size_t n, char ret[ON_DISK_PART + 1]) {
    const char *p = secret;

    for (size_t i = 0, run = 0; i < n; i++) {
        run = p[i] ? run + 1 : 0;
        if (run < ON_DISK_PART)
            continue;
        memcpy(ret, p + i + 1 - ON_DISK_PART, ON_DISK_PART);
        ret[ON_DISK_PART] = '\0';
        return true;
    }
    return false;
}

static inline bool on_disk_file(const char *path, const char *text) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat st;
    bool found = false;

    if (fd < 0)
        return false;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0) {
        void *all = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);

        assert_true(all != MAP_FAILED);
        found = memmem(all, (size_t)st.st_size, text, strlen(text)) != NULL;
        assert_int_equal(munmap(all, (size_t)st.st_size), 0);
    }
    close(fd);
    return found;
}

/* NOLINTBEGIN(misc-no-recursion, concurrency-mt-unsafe): folders nest; tests have one thread */
static inline bool on_disk_folder(const char *folder, const char *text, int depth) {
    DIR *dir = opendir(folder);
    char path[ON_DISK_PATH];
    bool found = false;

    assert_true(depth < ON_DISK_DEPTH);
    for (struct dirent *e = dir ? readdir(dir) : NULL; e && !found; e = readdir(dir)) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        assert_true(snprintf(path, sizeof(path), "%s/%s", folder, e->d_name) < ON_DISK_PATH);
        if (e->d_type == DT_DIR)
            found = on_disk_folder(path, text, depth + 1);
        else
            found = on_disk_file(path, text);
    }
    if (dir)
        closedir(dir);
    return found;
}
/* NOLINTEND(misc-no-recursion, concurrency-mt-unsafe) */

/* In the database, its log of changes, the server's own log, backups: whatever lies there.  `d` is
 * a connection without a transaction. */
static inline bool on_disk(const database *where, db *d, const char *text) {
    if (!where->postgres)
        return on_disk_folder(where->directory, text, 0);
    assert_int_equal(db_script(d, "checkpoint", "CHECKPOINT", NULL), ATG_OK);
    return on_disk_folder(server_socket(), text, 0) || on_disk_folder(where->directory, text, 0);
}

#endif
