/* SPDX-License-Identifier: Apache-2.0 */
#include "store/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "crypto/seal.h"
#include "store/place.h"

enum {
    VERSION = 1,
    MAGIC = 8,
    LENGTH = 4,
    HEAD_PLAIN = KEY_SIZE + LENGTH + SPOOL_FACTS,
    HEAD = MAGIC + HEAD_PLAIN + SEAL_OVERHEAD,
    SIZE = 8,
    END_PLAIN = SIZE + SPOOL_CHUNK,
    END = END_PLAIN + SEAL_OVERHEAD,
    SEALED = SPOOL_CHUNK + SEAL_OVERHEAD,
    FIRST = HEAD + 2 * END, /* where the chunks begin */
    AD = 64,
};

static const unsigned char magic[MAGIC] = {'A', 'T', 'G', 'U', VERSION, 0, 0, 0};

struct spool {
    int fd; /* -1: a scratch that fits into memory so far */
    const char *directory;
    uuid id;
    key256 key;
    uint64_t chunks; /* whole ones that are written */
    unsigned turn;   /* which place the next end is written to */
    size_t n;        /* bytes of the end, in `end` behind its size */
    uint64_t cached; /* number of the chunk in `cache`, and 1; 0: none */
    unsigned char end[END_PLAIN];
    unsigned char cache[SPOOL_CHUNK];
    unsigned char sealed[END];
};

static int failed(atg_err *err, const char *what) {
    char text[128];

    if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG)
        return atg_fail(err, ATG_EFULL, "There is no room on the disk of the service");
    return atg_fail(err, ATG_EIO, "Cannot %s what waits on disk: %s", what,
                    strerror_r(errno, text, sizeof(text)));
}

static int changed(atg_err *err) {
    return atg_fail(err, ATG_EDENIED, "What waited on disk was changed there: send it again");
}

/* What a piece is bound to: kind and number of it, and the file. */
static atg_str bind(const uuid *id, char kind, uint64_t number, char ret[AD]) {
    static const char name[] = "antigone/spool/1";
    size_t n = sizeof(name) - 1;

    memcpy(ret, name, n);
    memcpy(ret + n, id->bytes, UUID_SIZE);
    ret[n + UUID_SIZE] = kind;
    bytes_put64((unsigned char *)ret + n + UUID_SIZE + 1, number);
    return (atg_str){ret, n + UUID_SIZE + 9};
}

static off_t place_of_chunk(uint64_t i) {
    return (off_t)(FIRST + i * SEALED);
}

static off_t place_of_end(unsigned turn) {
    return (off_t)(HEAD + (uint64_t)(turn & 1) * END);
}

static int write_at(int fd, const unsigned char *p, size_t n, off_t at, atg_err *err) {
    while (n) {
        ssize_t done = pwrite(fd, p, n, at);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return failed(err, "write");
        p += done;
        n -= (size_t)done;
        at += done;
    }
    return ATG_OK;
}

/* False: fewer are there, or none can be read. */
static bool read_at(int fd, unsigned char *p, size_t n, off_t at) {
    while (n) {
        ssize_t done = pread(fd, p, n, at);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        p += done;
        n -= (size_t)done;
        at += done;
    }
    return true;
}

static spool *make(const uuid *id, int fd) {
    spool *s = mem_alloc(sizeof(*s));

    if (!s)
        return NULL;
    s->fd = fd;
    s->directory = NULL;
    s->id = *id;
    s->chunks = s->cached = 0;
    s->turn = 0;
    s->n = 0;
    return s;
}

void spool_close(spool *s) {
    if (!s)
        return;
    if (s->fd >= 0)
        (void)close(s->fd);
    bytes_wipe(s, sizeof(*s));
    mem_free(s);
}

uint64_t spool_disk(uint64_t n) {
    return FIRST + (n / SPOOL_CHUNK + 1) * SEALED;
}

uint64_t spool_size(const spool *s) {
    return s->chunks * SPOOL_CHUNK + s->n;
}

/* ---- the head ---- */

static int write_head(spool *s, const spool_place *at, atg_str facts, atg_err *err) {
    unsigned char plain[HEAD_PLAIN] = {0}, head[HEAD];
    char ad[AD];
    int rc;

    memcpy(plain, s->key.bytes, KEY_SIZE);
    bytes_put32(plain + KEY_SIZE, (uint32_t)facts.n);
    memcpy(plain + KEY_SIZE + LENGTH, facts.p, facts.n);
    memcpy(head, magic, MAGIC);
    rc = seal_make(at->under, bind(&s->id, 'h', 0, ad),
                   (atg_str){(const char *)plain, sizeof(plain)}, head + MAGIC, err);
    bytes_wipe(plain, sizeof(plain));
    return rc ? rc : write_at(s->fd, head, sizeof(head), 0, err);
}

static int read_head(spool *s, const spool_place *at, atg_arena *arena, atg_str *ret,
                     atg_err *err) {
    unsigned char plain[HEAD_PLAIN], head[HEAD];
    char ad[AD];
    uint32_t n;

    if (!read_at(s->fd, head, sizeof(head), 0) || memcmp(head, magic, MAGIC) != 0 ||
        seal_open(at->under, bind(&s->id, 'h', 0, ad),
                  (atg_str){(const char *)head + MAGIC, HEAD - MAGIC}, plain, NULL))
        return changed(err);
    memcpy(s->key.bytes, plain, KEY_SIZE);
    n = bytes_get32(plain + KEY_SIZE);
    if (n <= SPOOL_FACTS)
        *ret = atg_arena_str(arena, (atg_str){(const char *)plain + KEY_SIZE + LENGTH, n});
    bytes_wipe(plain, sizeof(plain));
    if (n > SPOOL_FACTS)
        return changed(err);
    return ret->p ? ATG_OK : atg_fail(err, ATG_ENOMEM, "Out of memory for what waits on disk");
}

static int fill_new(spool *s, const spool_place *at, atg_str facts, uint64_t expected,
                    atg_err *err) {
    int rc = key_new(&s->key, err);

    /* where a file system cannot reserve room, writing finds out */
    if (!rc && fallocate(s->fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)spool_disk(expected)) &&
        errno != EOPNOTSUPP && errno != ENOSYS)
        rc = failed(err, "make");
    if (!rc)
        rc = write_head(s, at, facts, err);
    if (!rc)
        rc = spool_sync(s, err);
    return rc ? rc : place_sync_directory(at->path, err);
}

int spool_new(const spool_place *at, atg_str facts, uint64_t expected, spool **ret, atg_err *err) {
    spool *s;
    int fd, rc;

    if (facts.n > SPOOL_FACTS)
        return atg_fail(err, ATG_ELIMIT, "Too much is said about what is to wait on disk");
    fd = open(at->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return errno == EEXIST ? atg_fail(err, ATG_ECONFLICT, "There is such a file already")
                               : failed(err, "make");
    s = make(&at->id, fd);
    if (!s) {
        (void)close(fd);
        (void)unlink(at->path);
        return atg_fail(err, ATG_ENOMEM, "Out of memory for what waits on disk");
    }
    rc = fill_new(s, at, facts, expected, err);
    if (rc) {
        spool_close(s);
        (void)unlink(at->path);
        return rc;
    }
    *ret = s;
    return ATG_OK;
}

/* ---- what a process left ---- */

static bool open_chunk(spool *s, uint64_t i, unsigned char ret[SPOOL_CHUNK]) {
    char ad[AD];

    return read_at(s->fd, s->sealed, SEALED, place_of_chunk(i)) &&
           seal_open(&s->key, bind(&s->id, 'c', i, ad), (atg_str){(const char *)s->sealed, SEALED},
                     ret, NULL) == ATG_OK;
}

/* The longer one of the two ends that can be opened was the last. */
static bool read_end(spool *s, uint64_t *ret_size) {
    unsigned char plain[END_PLAIN];
    bool found = false;

    for (unsigned turn = 0; turn < 2; turn++) {
        char ad[AD];

        if (!read_at(s->fd, s->sealed, END, place_of_end(turn)) ||
            seal_open(&s->key, bind(&s->id, 'e', turn, ad), (atg_str){(const char *)s->sealed, END},
                      plain, NULL) ||
            (found && bytes_get64(plain) < *ret_size))
            continue;
        found = true;
        *ret_size = bytes_get64(plain);
        s->turn = turn + 1;
        memcpy(s->end, plain, sizeof(plain));
    }
    bytes_wipe(plain, sizeof(plain));
    return found;
}

/* Only where something is to be cut off: it would give back the room that waits for more. */
static int cut_off(const spool *s, off_t size, atg_err *err) {
    off_t end = place_of_chunk(s->chunks);

    return size > end && ftruncate(s->fd, end) ? failed(err, "open") : ATG_OK;
}

/* Chunks that a file of so many bytes may hold. */
static uint64_t chunks_in(off_t size) {
    return size > (off_t)FIRST ? (uint64_t)(size - (off_t)FIRST) / SEALED : 0;
}

/* Whole chunks behind the last end were written and not acknowledged: those that are there stay. */
static int find_end(spool *s, atg_err *err) {
    uint64_t size = 0, acknowledged;
    struct stat now;

    if (fstat(s->fd, &now))
        return failed(err, "open");
    if (!read_end(s, &size))
        return changed(err);
    acknowledged = size / SPOOL_CHUNK;
    if (acknowledged > chunks_in(now.st_size))
        return changed(err);
    s->chunks = acknowledged;
    while (open_chunk(s, s->chunks, s->cache))
        s->chunks++;
    s->n = s->chunks == acknowledged ? (size_t)(size % SPOOL_CHUNK) : 0;
    return cut_off(s, now.st_size, err);
}

int spool_open(const spool_place *at, atg_arena *arena, atg_str *ret_facts, spool **ret,
               atg_err *err) {
    int fd = open(at->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW), rc;
    spool *s;

    if (fd < 0)
        return errno == ENOENT ? atg_fail(err, ATG_ENOTFOUND, "There is no such file")
                               : failed(err, "open");
    s = make(&at->id, fd);
    if (!s) {
        (void)close(fd);
        return atg_fail(err, ATG_ENOMEM, "Out of memory for what waits on disk");
    }
    rc = read_head(s, at, arena, ret_facts, err);
    if (!rc)
        rc = find_end(s, err);
    if (rc) {
        spool_close(s);
        return rc;
    }
    *ret = s;
    return ATG_OK;
}

/* ---- scratch ---- */

int spool_scratch(const char *directory, spool **ret, atg_err *err) {
    spool *s;
    uuid id;
    int rc = uuid_new(&id, err);

    if (rc)
        return rc;
    s = make(&id, -1);
    if (!s)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for an answer");
    s->directory = directory;
    rc = key_new(&s->key, err);
    if (rc) {
        spool_close(s);
        return rc;
    }
    *ret = s;
    return ATG_OK;
}

/* Where a file system has none without a name. */
static int open_named(const spool *s) {
    char path[SPOOL_PATH], text[UUID_TEXT + 1];
    int fd;

    uuid_text(&s->id, text);
    if (snprintf(path, sizeof(path), "%s/.%s", s->directory, text) >= (int)sizeof(path))
        return -1;
    fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0)
        (void)unlink(path);
    return fd;
}

static int open_scratch(spool *s, atg_err *err) {
    if (s->fd >= 0)
        return ATG_OK;
    s->fd = open(s->directory, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
    if (s->fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR))
        s->fd = open_named(s);
    return s->fd < 0 ? failed(err, "make") : ATG_OK;
}

/* ---- writing ---- */

static int write_chunk(spool *s, const unsigned char *p, atg_err *err) {
    char ad[AD];
    int rc = open_scratch(s, err);

    if (!rc)
        rc = seal_make(&s->key, bind(&s->id, 'c', s->chunks, ad),
                       (atg_str){(const char *)p, SPOOL_CHUNK}, s->sealed, err);
    if (!rc)
        rc = write_at(s->fd, s->sealed, SEALED, place_of_chunk(s->chunks), err);
    if (!rc)
        s->chunks++;
    return rc;
}

int spool_write(spool *s, atg_str bytes, atg_err *err) {
    const unsigned char *p = (const unsigned char *)bytes.p;
    int rc = ATG_OK;

    while (bytes.n && !rc) {
        size_t room = SPOOL_CHUNK - s->n, n = bytes.n < room ? bytes.n : room;
        bool whole = n == SPOOL_CHUNK; /* needs no copy */

        if (!whole)
            memcpy(s->end + SIZE + s->n, p, n);
        if (n == room) {
            rc = write_chunk(s, whole ? p : s->end + SIZE, err);
            s->n = rc ? s->n : 0;
        } else {
            s->n += n;
        }
        p += n;
        bytes.n -= n;
    }
    return rc;
}

void spool_clear(spool *s) {
    s->chunks = s->cached = 0;
    s->n = 0;
}

int spool_sync(spool *s, atg_err *err) {
    char ad[AD];
    int rc;

    bytes_put64(s->end, spool_size(s));
    memset(s->end + SIZE + s->n, 0, SPOOL_CHUNK - s->n);
    /* first what it speaks of */
    if (fdatasync(s->fd))
        return failed(err, "write");
    rc = seal_make(&s->key, bind(&s->id, 'e', s->turn & 1, ad),
                   (atg_str){(const char *)s->end, END_PLAIN}, s->sealed, err);
    if (!rc)
        rc = write_at(s->fd, s->sealed, END, place_of_end(s->turn), err);
    if (!rc && fdatasync(s->fd))
        rc = failed(err, "write");
    if (!rc)
        s->turn++;
    return rc;
}

/* ---- reading ---- */

static const unsigned char *chunk_of(spool *s, uint64_t i, atg_err *err) {
    if (i == s->chunks)
        return s->end + SIZE;
    if (s->cached != i + 1) {
        s->cached = 0;
        if (!open_chunk(s, i, s->cache)) {
            (void)changed(err);
            return NULL;
        }
        s->cached = i + 1;
    }
    return s->cache;
}

int spool_read(spool *s, uint64_t at, void *ret, size_t n, atg_err *err) {
    unsigned char *to = ret;

    if (at > spool_size(s) || n > spool_size(s) - at)
        return atg_fail(err, ATG_EINVAL, "There are not so many bytes");
    while (n) {
        size_t from = (size_t)(at % SPOOL_CHUNK), here = SPOOL_CHUNK - from;
        const unsigned char *chunk = chunk_of(s, at / SPOOL_CHUNK, err);

        if (!chunk)
            return ATG_EDENIED;
        here = here < n ? here : n;
        memcpy(to, chunk + from, here);
        to += here;
        at += here;
        n -= here;
    }
    return ATG_OK;
}

/* ---- away ---- */

int spool_remove(const char *path, atg_err *err) {
    static const unsigned char nothing[HEAD] = {0};
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0 && errno == ENOENT)
        return ATG_OK;
    /* a disk may keep the old bytes all the same: they are sealed under the caller's key */
    if (fd >= 0) {
        if (write_at(fd, nothing, sizeof(nothing), 0, NULL) == ATG_OK)
            (void)fdatasync(fd);
        (void)close(fd);
    }
    return unlink(path) && errno != ENOENT ? failed(err, "remove") : ATG_OK;
}
