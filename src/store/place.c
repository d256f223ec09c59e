/* SPDX-License-Identifier: Apache-2.0 */
#include "store/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "store/backend.h"

enum { GATE = 0, PRESENCE = 1, POLL_NS = 2000000 };

static int failed(atg_err *err, const char *what, const char *path) {
    char text[128];
    const char *why = strerror_r(errno, text, sizeof(text));

    return atg_fail(err, ATG_EIO, "Cannot %s %.200s: %s", what, path, why);
}

const char *place_network(uint64_t magic) {
    static const struct {
        uint64_t magic;
        const char *name;
    } known[] = {
        {0x6969, "NFS"},       {0x517b, "SMB"},        {0xff534d42, "CIFS"},  {0xfe534d42, "SMB"},
        {0x01021997, "9P"},    {0x5346414f, "AFS"},    {0x73757245, "Coda"},  {0x564c, "NCP"},
        {0x00c36400, "Ceph"},  {0x0bd00bd0, "Lustre"}, {0x47504653, "GPFS"},  {0x01161970, "GFS2"},
        {0x7461636f, "OCFS2"}, {0x19830326, "BeeGFS"}, {0x013111a8, "IBRIX"},
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (known[i].magic == magic)
            return known[i].name;
    return NULL;
}

static int check_directory(const char *directory, bool create, atg_err *err) {
    struct stat there;
    struct statfs fs;
    const char *network;

    if (create && mkdir(directory, 0700) == 0) {
        int rc = place_sync_directory(directory, err);

        if (rc)
            return rc;
    }
    if (stat(directory, &there)) {
        if (errno == ENOENT)
            return atg_fail(err, ATG_ENOTFOUND, "There is no store in %.200s", directory);
        return failed(err, "open", directory);
    }
    if (!S_ISDIR(there.st_mode))
        return atg_fail(err, ATG_EINVAL, "%.200s is not a directory", directory);
    if (statfs(directory, &fs))
        return failed(err, "open", directory);
    network = place_network((uint32_t)fs.f_type);
    if (network)
        return atg_fail(err, ATG_EINVAL,
                        "%.200s is on a network file system (%s), where locks cannot be relied "
                        "on: choose a local disk, or use PostgreSQL",
                        directory, network);
    return ATG_OK;
}

/* `type`: F_RDLCK, F_WRLCK or F_UNLCK.  False when it could not be had in time. */
static bool lock_byte(int fd, short type, int byte, uint32_t wait_ms) {
    struct flock range = {.l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
    uint64_t end = now_ms() + wait_ms;

    while (fcntl(fd, F_OFD_SETLK, &range)) {
        if ((errno != EAGAIN && errno != EACCES && errno != EINTR) || now_ms() >= end)
            return false;
        nanosleep(&(struct timespec){.tv_nsec = POLL_NS}, NULL);
    }
    return true;
}

int place_open(place *p, const char *directory, bool create, uint32_t wait_ms, atg_err *err) {
    char path[PLACE_PATH];
    int rc = check_directory(directory, create, err);

    p->lock = -1;
    if (rc)
        return rc;
    if (snprintf(path, sizeof(path), "%s/lock", directory) >= (int)sizeof(path) ||
        snprintf(p->file, sizeof(p->file), "%s/antigone.db", directory) >= (int)sizeof(p->file))
        return atg_fail(err, ATG_ELIMIT, "The path of the store is too long");
    if (!create && access(p->file, F_OK) && errno == ENOENT)
        return atg_fail(err, ATG_ENOTFOUND, "There is no store in %.200s", directory);
    p->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (p->lock < 0)
        return failed(err, "open", path);
    if (lock_byte(p->lock, F_WRLCK, GATE, wait_ms) &&
        lock_byte(p->lock, F_RDLCK, PRESENCE, wait_ms))
        return ATG_OK;
    place_close(p);
    return atg_fail(err, ATG_ECONFLICT,
                    "Another process is migrating or restoring the store in %.200s: wait for it",
                    directory);
}

void place_opened(place *p) {
    (void)lock_byte(p->lock, F_UNLCK, GATE, 0);
}

void place_close(place *p) {
    if (p->lock >= 0)
        close(p->lock);
    p->lock = -1;
}

static uint64_t inode_of(const char *path) {
    struct stat there;

    return stat(path, &there) ? 0 : (uint64_t)there.st_ino;
}

/* Two that want to be alone would wait for each other's presence: so each leaves first, and makes
 * sure afterwards that the file is the one it had. */
static int enter_alone(place *p, uint32_t wait_ms, atg_err *err) {
    uint64_t inode = inode_of(p->file);
    bool gate;

    (void)lock_byte(p->lock, F_UNLCK, PRESENCE, 0);
    gate = lock_byte(p->lock, F_WRLCK, GATE, wait_ms);
    if (gate && lock_byte(p->lock, F_WRLCK, PRESENCE, wait_ms)) {
        if (inode_of(p->file) == inode)
            return ATG_OK;
        return atg_fail(err, ATG_ECONFLICT, "The store was replaced meanwhile: try again");
    }
    if (gate)
        (void)lock_byte(p->lock, F_UNLCK, GATE, 0);
    if (!lock_byte(p->lock, F_RDLCK, PRESENCE, UINT16_MAX))
        return atg_fail(err, ATG_EIO, "The lock of the store %.200s was lost", p->file);
    return atg_fail(err, ATG_ECONFLICT,
                    "Other processes use the store %.200s: end them, then try again", p->file);
}

int place_exclude(place *p, bool on, uint32_t wait_ms, atg_err *err) {
    if (on)
        return enter_alone(p, wait_ms, err);
    (void)lock_byte(p->lock, F_RDLCK, PRESENCE, 0);
    (void)lock_byte(p->lock, F_UNLCK, GATE, 0);
    return ATG_OK;
}

int place_sync_directory(const char *path, atg_err *err) {
    char directory[PLACE_PATH];
    const char *slash;
    size_t n = strlen(path);
    int fd;

    while (n > 1 && path[n - 1] == '/')
        n--;
    slash = memrchr(path, '/', n);
    n = slash ? (size_t)(slash - path) : 0;
    if (n >= sizeof(directory))
        return atg_fail(err, ATG_ELIMIT, "The path of the store is too long");
    memcpy(directory, path, n);
    directory[n] = '\0';
    fd = open(n ? directory : slash ? "/" : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return failed(err, "open the directory of", path);

    int rc = fsync(fd) ? failed(err, "sync the directory of", path) : ATG_OK;

    close(fd);
    return rc;
}
