/* SPDX-License-Identifier: Apache-2.0 */
#include "store/audit_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/parallel.h"

enum { WINDOW = (1 << 20) + AUDIT_BLOCK_MAX, KEY = 24 };

struct audit_file {
    audit_bytes bytes;
    uint64_t at;                     /* of the next block */
    uint64_t begins[AUDIT_PARTS];    /* no block of the part is before it */
    uint64_t counts[AUDIT_PARTS], n; /* what the end says; rows of this part so far */
    audit_part part;
    unsigned char last[KEY]; /* what the last row is ordered by */
    record_kind kind;        /* of it */
    uint64_t from;           /* what the window holds: */
    size_t have, room;
    unsigned char window[];
};

static int damaged(const audit_file *f, const char *why, atg_err *err) {
    return atg_fail(err, ATG_EPARSE, "The exported history is damaged at byte %llu: %s",
                    (unsigned long long)f->at, why);
}

/* n bytes from f->at on; NULL in `ret` when the file ends before. */
static int look(audit_file *f, size_t n, const unsigned char **ret, atg_err *err) {
    uint64_t rest = f->bytes.size - f->at;
    size_t most = rest < f->room ? (size_t)rest : f->room;
    int rc;

    *ret = NULL;
    if (n > rest)
        return ATG_OK;
    if (f->at < f->from || f->at + n > f->from + f->have) {
        f->have = 0;
        f->from = f->at;
        rc = f->bytes.read(f->bytes.user, f->at, f->window, most, err);
        if (rc)
            return rc;
        f->have = most;
    }
    *ret = f->window + (f->at - f->from);
    return ATG_OK;
}

/* ---- opening ---- */

static int read_end(audit_file *f, atg_err *err) {
    const unsigned char *p;
    int rc;

    f->at = f->bytes.size - AUDIT_END;
    rc = look(f, AUDIT_END, &p, err);
    if (rc)
        return rc;
    if (!p || p[0] != 'Z' || bytes_get32(p + 1) != AUDIT_END - AUDIT_BLOCK_HEAD)
        return atg_fail(err, ATG_EPARSE,
                        "The exported history is not complete: its end is missing");
    for (int i = 0; i < AUDIT_PARTS; i++)
        f->counts[i] = bytes_get64(p + AUDIT_BLOCK_HEAD + 8 * (size_t)i);
    return ATG_OK;
}

int audit_file_open(const audit_bytes *bytes, audit_file **ret, atg_err *err) {
    size_t room = bytes->size < WINDOW ? (size_t)bytes->size : WINDOW;
    audit_file *f = mem_zero(1, sizeof(*f) + room);
    const unsigned char *p = NULL;
    int rc;

    if (!f)
        return atg_fail(err, ATG_ENOMEM, "Out of memory reading an exported history");
    f->bytes = *bytes;
    f->room = room;
    rc = look(f, AUDIT_MAGIC, &p, err);
    if (rc == ATG_OK && (!p || memcmp(p, audit_magic, AUDIT_MAGIC) != 0))
        rc = atg_fail(err, ATG_EPARSE, "This is not an exported history of Antigone");
    if (rc == ATG_OK && bytes->size < AUDIT_MAGIC + AUDIT_END)
        rc = atg_fail(err, ATG_EPARSE, "The exported history is not complete: its end is missing");
    if (rc == ATG_OK)
        rc = read_end(f, err);
    if (rc) {
        mem_free(f);
        return rc;
    }
    for (int i = 0; i < AUDIT_PARTS; i++)
        f->begins[i] = AUDIT_MAGIC;
    *ret = f;
    return ATG_OK;
}

void audit_file_close(audit_file *f) {
    mem_free(f);
}

uint64_t audit_file_count(const audit_file *f, audit_part part) {
    return f->counts[part];
}

/* ---- rows ---- */

static void put_signed(unsigned char *p, int64_t x) {
    bytes_put64(p, (uint64_t)x ^ UINT64_C(1) << 63);
}

/* Keys that compare as bytes. */
static void make_key(audit_part part, const audit_row *r, unsigned char ret[KEY]) {
    memset(ret, 0, KEY);
    switch (part) {
    case AUDIT_TREE:
    case AUDIT_CHECKPOINTS:
    case AUDIT_LEAVES:
        put_signed(ret, r->n);
        put_signed(ret + 8, r->e.at);
        return;
    case AUDIT_ENTRIES:
    case AUDIT_PENDING:
        memcpy(ret, r->e.file.bytes, UUID_SIZE);
        bytes_put64(ret + UUID_SIZE, r->e.seq);
        return;
    case AUDIT_RECORDS: /* within a kind */
        memcpy(ret, r->e.record.bytes, UUID_SIZE);
        return;
    case AUDIT_CODES:
        memcpy(ret, r->e.file.bytes, UUID_SIZE);
        return;
    case AUDIT_PARTS:
        return;
    }
}

static int start(void *user, audit_part part, bool ordered, atg_err *err) {
    audit_file *f = user;

    (void)ordered;
    (void)err;
    f->part = part;
    f->n = 0;
    f->at = f->begins[part];
    memset(f->last, 0, KEY);
    return ATG_OK;
}

static void stop(void *user) {
    (void)user;
}

/* Which part is the block of, and how long is it?  AUDIT_PARTS: it is the last. */
static int read_head(audit_file *f, audit_part *ret, size_t *ret_n, atg_err *err) {
    const unsigned char *p;
    const char *type;
    int rc = look(f, AUDIT_BLOCK_HEAD, &p, err);

    if (rc)
        return rc;
    if (f->at == f->bytes.size - AUDIT_END) {
        *ret = AUDIT_PARTS;
        return ATG_OK;
    }
    type = p && p[0] ? strchr(audit_types, p[0]) : NULL;
    if (!p || !type)
        return damaged(f, "no block begins there", err);
    *ret = (audit_part)(type - audit_types);
    *ret_n = bytes_get32(p + 1);
    if (*ret_n > AUDIT_BLOCK_MAX || f->at + AUDIT_BLOCK_HEAD + *ret_n > f->bytes.size - AUDIT_END)
        return damaged(f, "the block there is longer than it can be", err);
    return ATG_OK;
}

/* Nothing of the part comes any more. */
static int end_part(audit_file *f, audit_part next, atg_err *err) {
    for (int i = (int)f->part + 1; i < AUDIT_PARTS && i <= (int)next; i++)
        f->begins[i] = f->at;
    if (f->n != f->counts[f->part])
        return damaged(f, "rows are missing before it, or are too many", err);
    return 0;
}

static int read_row(audit_file *f, size_t n, audit_row *ret, atg_err *err) {
    const unsigned char *p;
    unsigned char key[KEY];
    int rc = look(f, AUDIT_BLOCK_HEAD + n, &p, err);

    if (rc)
        return rc;
    if (!p || !audit_block_read(f->part, (atg_str){(const char *)p + AUDIT_BLOCK_HEAD, n}, ret))
        return damaged(f, "the block there is not as it is written", err);
    make_key(f->part, ret, key);
    if (f->n && ret->kind == f->kind && memcmp(key, f->last, KEY) < 0)
        return damaged(f, "the block there is not in its order", err);
    memcpy(f->last, key, KEY);
    f->kind = ret->kind;
    f->n++;
    f->at += AUDIT_BLOCK_HEAD + n;
    return 1;
}

static int next(void *user, audit_row *ret, atg_err *err) {
    audit_file *f = user;
    audit_part part = AUDIT_PARTS, before = AUDIT_TREE;
    size_t n = 0;

    for (;;) {
        int rc = read_head(f, &part, &n, err);

        if (rc)
            return rc;
        if (part == f->part)
            return read_row(f, n, ret, err);
        if (part > f->part)
            return end_part(f, part, err);
        if (f->n || part < before)
            return damaged(f, "the block there is not in its order", err);
        before = part;
        f->at += AUDIT_BLOCK_HEAD + n;
    }
}

audit_source audit_file_source(audit_file *f) {
    return (audit_source){.start = start, .next = next, .stop = stop, .user = f};
}

/* ---- verifying ---- */

static int take_nothing(void *user, const audit_row *row, atg_err *err) {
    (void)user;
    (void)row;
    (void)err;
    return ATG_OK;
}

int audit_file_check(audit_file *f, const audit_wanted *wanted, uint32_t threads,
                     const atg_progress *progress, audit_report *ret, atg_err *err) {
    audit_source source = audit_file_source(f);
    audit_run run = {.source = &source,
                     .threads = parallel_threads(threads),
                     .phase = "verifying the history",
                     .progress = progress,
                     .total = f->counts[AUDIT_ENTRIES] + f->counts[AUDIT_LEAVES]};
    audit_report report;
    int rc = audit_check(&run, wanted, &report, err);

    if (rc == ATG_OK)
        rc = audit_scan(&run, AUDIT_CODES, true, take_nothing, NULL, err);
    if (rc == ATG_OK)
        *ret = report;
    return rc;
}

static int read_at(void *user, uint64_t at, unsigned char *to, size_t n, atg_err *err) {
    int fd = *(int *)user;

    while (n) {
        ssize_t got = pread(fd, to, n, (off_t)at);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return atg_fail(err, ATG_EIO, "The exported history cannot be read at byte %llu",
                            (unsigned long long)at);
        to += got;
        at += (uint64_t)got;
        n -= (size_t)got;
    }
    return ATG_OK;
}

int audit_verify_file(const char *path, const audit_wanted *wanted, uint32_t threads,
                      const atg_progress *progress, audit_report *ret, atg_err *err) {
    ATG_AUTO(audit_file) f = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC), rc;
    audit_bytes bytes = {.read = read_at, .user = &fd};
    struct stat st;

    if (fd < 0)
        return atg_fail(err, ATG_EIO, "Cannot open %s", path);
    if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
        (void)close(fd);
        return atg_fail(err, ATG_EINVAL, "%s is not a regular file, which can be read twice", path);
    }
    bytes.size = (uint64_t)st.st_size;
    rc = audit_file_open(&bytes, &f, err);
    if (rc == ATG_OK)
        rc = audit_file_check(f, wanted, threads, progress, ret, err);
    (void)close(fd);
    return rc;
}
