/* SPDX-License-Identifier: Apache-2.0 */
#include "app/bundle_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

static int failed(atg_err *err, const char *what, const char *path) {
    char text[128];

    if (errno == ENOSPC || errno == EDQUOT)
        return atg_fail(err, ATG_EIO, "There is no room to %s %.200s", what, path);
    return atg_fail(err, ATG_EIO, "Cannot %s %.200s: %s", what, path,
                    strerror_r(errno, text, sizeof(text)));
}

/* ---- writing ---- */

static int name_of(const bundle_writing *w, uint32_t file, char ret[BUNDLE_PATH], atg_err *err) {
    int n = w->most ? snprintf(ret, BUNDLE_PATH, "%s.%03u", w->path, file)
                    : snprintf(ret, BUNDLE_PATH, "%s", w->path);

    return n < BUNDLE_PATH ? ATG_OK
                           : atg_fail(err, ATG_ELIMIT, "The path of the bundle is too long");
}

int bundle_writing_new(const char *path, uint64_t most, bundle_writing *ret, atg_err *err) {
    bundle_writing w = {.path = path, .most = most, .fd = -1};
    char name[BUNDLE_PATH];
    int rc;

    if (most && most < BUNDLE_FILE_LEAST)
        return atg_fail(err, ATG_EINVAL, "The files of a bundle have at least %d MiB",
                        (BUNDLE_FILE_LEAST >> 20) + 1);
    rc = name_of(&w, 1, name, err);
    if (rc == ATG_OK && access(name, F_OK) == 0)
        rc = atg_fail(err, ATG_ECONFLICT, "%.300s is there already: choose another name", name);
    if (rc == ATG_OK)
        *ret = w;
    return rc;
}

static int begin_file(bundle_writing *w, atg_err *err) {
    char name[BUNDLE_PATH - 8];
    int rc = name_of(w, w->files + 1, w->temp, err);

    if (rc)
        return rc;
    if (w->files >= BUNDLE_FILES)
        return atg_fail(err, ATG_ELIMIT, "This bundle needs more than %d files", BUNDLE_FILES);
    if (snprintf(name, sizeof(name), "%s", w->temp) >= (int)sizeof(name))
        return atg_fail(err, ATG_ELIMIT, "The path of the bundle is too long");
    (void)snprintf(w->temp, sizeof(w->temp), "%s.new", name);
    w->fd = open(w->temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (w->fd < 0)
        return failed(err, "write", w->temp);
    w->files++;
    w->in_file = 0;
    return ATG_OK;
}

/* Synced, and then named. */
static int end_file(bundle_writing *w, atg_err *err) {
    char name[BUNDLE_PATH];
    int rc = name_of(w, w->files, name, err);

    if (rc == ATG_OK && fsync(w->fd))
        rc = failed(err, "write", w->temp);
    (void)close(w->fd);
    w->fd = -1;
    if (rc == ATG_OK && rename(w->temp, name))
        rc = failed(err, "name", name);
    return rc;
}

int bundle_writing_part(void *user, uint32_t number, bool last, atg_str part, atg_err *err) {
    bundle_writing *w = user;
    int rc = ATG_OK;

    (void)number;
    if (w->fd >= 0 && w->most && w->in_file + part.n > w->most)
        rc = end_file(w, err);
    if (rc == ATG_OK && w->fd < 0)
        rc = begin_file(w, err);
    if (rc)
        return rc;
    w->bytes += part.n;
    w->in_file += part.n;
    while (part.n) {
        ssize_t n = write(w->fd, part.p, part.n);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return failed(err, "write", w->temp);
        part.p += n;
        part.n -= (size_t)n;
    }
    return last ? end_file(w, err) : ATG_OK;
}

void bundle_writing_drop(bundle_writing *w) {
    char name[BUNDLE_PATH];

    if (w->fd >= 0) {
        (void)close(w->fd);
        (void)unlink(w->temp);
        w->fd = -1;
        w->files--;
    }
    for (uint32_t i = 1; i <= w->files; i++)
        if (name_of(w, i, name, NULL) == ATG_OK)
            (void)unlink(name);
    w->files = 0;
}

/* ---- reading ---- */

typedef struct place {
    uint32_t file; /* counted from 1; 0: not there */
    uint32_t n;    /* bytes */
    uint64_t at;
    bool damaged;
} place;

struct bundle_files {
    const char *const *paths;
    int *fds;
    uint32_t n_files;
    place *places; /* by number */
    uint32_t n, room, damaged, found;
    bool ended; /* the last one is among them */
    uuid bundle;
    bundle_header header;
    unsigned char *buffer; /* of one part */
};

static ssize_t read_at(const bundle_files *f, uint32_t file, uint64_t at, void *to, size_t n) {
    size_t have = 0;

    while (have < n) {
        ssize_t got = pread(f->fds[file], (char *)to + have, n - have, (off_t)(at + have));

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        have += (size_t)got;
    }
    return (ssize_t)have;
}

/* The part at a place, as far as it is there. */
static int load(const bundle_files *f, uint32_t file, uint64_t at, atg_str *ret, atg_err *err) {
    ssize_t n = read_at(f, file, at, f->buffer, BUNDLE_PART);

    if (n < 0)
        return failed(err, "read", f->paths[file]);
    *ret = (atg_str){(const char *)f->buffer, (size_t)n};
    return ATG_OK;
}

static int remember(bundle_files *f, const bundle_part *p, place where, atg_err *err) {
    if (p->number >= f->room) {
        uint32_t room = p->number + 64 + p->number / 2;
        place *more = mem_zero(room, sizeof(*more));

        if (!more)
            return atg_fail(err, ATG_ENOMEM, "Out of memory reading a bundle");
        if (f->n)
            memcpy(more, f->places, f->n * sizeof(*more));
        mem_free(f->places);
        f->places = more;
        f->room = room;
    }
    if (!f->places[p->number].file)
        f->places[p->number] = where;
    if (p->number >= f->n)
        f->n = p->number + 1;
    f->ended |= p->last;
    f->found++;
    return ATG_OK;
}

static int of_same(bundle_files *f, const bundle_part *p, uint32_t file, atg_err *err) {
    if (uuid_none(&f->bundle))
        f->bundle = p->bundle;
    return uuid_cmp(&f->bundle, &p->bundle) == 0
               ? ATG_OK
               : atg_fail(err, ATG_EPARSE, "%.300s holds parts of another bundle", f->paths[file]);
}

static int no_part(const bundle_files *f, uint32_t file, atg_err *err) {
    return atg_fail(err, ATG_EPARSE, "%.300s holds no part of a bundle", f->paths[file]);
}

/* The part at `*at`, behind it afterwards; `*ret_end`: there is none any more.  Behind one that
 * cannot be read the next is where it would be if that one had the usual length. */
static int scan_one(bundle_files *f, uint32_t file, uint64_t *at, bool *ret_end, atg_err *err) {
    bundle_part p;
    atg_str bytes = {NULL, 0};
    int rc = load(f, file, *at, &bytes, err);

    if (rc)
        return rc;
    rc = bytes.n ? bundle_part_read(bytes, &p, err) : ATG_ENOTFOUND;
    if (rc == ATG_OK) {
        uint32_t n = (uint32_t)(p.payload.n + BUNDLE_AROUND);
        place where = {file + 1, n, *at, false};

        *at += n;
        rc = of_same(f, &p, file, err);
        return rc ? rc : remember(f, &p, where, err);
    }
    if (rc == ATG_EPARSE && *at == 0)
        return no_part(f, file, err);
    f->damaged += bytes.n > 0;
    *ret_end = rc == ATG_ENOTFOUND; /* or cut off */
    *at += BUNDLE_PART;
    return ATG_OK;
}

/* Parts stand one behind the other. */
static int scan(bundle_files *f, uint32_t file, atg_err *err) {
    uint32_t before = f->found;
    uint64_t at = 0;
    bool end = false;
    int rc = ATG_OK;

    while (rc == ATG_OK && !end)
        rc = scan_one(f, file, &at, &end, err);
    return rc == ATG_OK && f->found == before ? no_part(f, file, err) : rc;
}

static int open_all(bundle_files *f, atg_err *err) {
    for (uint32_t i = 0; i < f->n_files; i++) {
        int rc;

        f->fds[i] = open(f->paths[i], O_RDONLY | O_CLOEXEC);
        if (f->fds[i] < 0)
            return failed(err, "open", f->paths[i]);
        rc = scan(f, i, err);
        if (rc)
            return rc;
    }
    return ATG_OK;
}

static int read_header(bundle_files *f, atg_err *err) {
    bundle_part p;
    atg_str bytes;
    int rc = bundle_files_part(f, 0, &bytes, err);

    if (rc == ATG_OK)
        rc = bundle_part_read(bytes, &p, err);
    if (rc == ATG_OK)
        rc = bundle_header_read(p.payload, &f->header, err);
    if (rc)
        return rc;
    f->header.receivers = NULL; /* they lie in the buffer */
    return bundle_part_check(&p, &f->header.sender)
               ? ATG_OK
               : atg_fail(err, ATG_EDENIED,
                          "The first part of this bundle was changed: copy it "
                          "again");
}

int bundle_files_open(const char *const *paths, uint32_t n, bundle_files **ret, atg_err *err) {
    bundle_files *f = mem_zero(1, sizeof(*f));
    int rc = ATG_OK;

    if (n < 1 || n > BUNDLE_FILES) {
        mem_free(f);
        return atg_fail(err, ATG_EINVAL, "A bundle is in 1 to %d files", BUNDLE_FILES);
    }
    if (!f)
        return atg_fail(err, ATG_ENOMEM, "Out of memory reading a bundle");
    f->paths = paths;
    f->n_files = n;
    f->fds = mem_alloc(n * sizeof(*f->fds));
    f->buffer = mem_alloc(BUNDLE_PART);
    for (uint32_t i = 0; f->fds && i < n; i++)
        f->fds[i] = -1;
    if (!f->fds || !f->buffer)
        rc = atg_fail(err, ATG_ENOMEM, "Out of memory reading a bundle");
    if (rc == ATG_OK)
        rc = open_all(f, err);
    if (rc == ATG_OK)
        rc = read_header(f, err);
    if (rc) {
        bundle_files_close(f);
        return rc;
    }
    *ret = f;
    return ATG_OK;
}

void bundle_files_close(bundle_files *f) {
    if (!f)
        return;
    for (uint32_t i = 0; f->fds && i < f->n_files; i++)
        if (f->fds[i] >= 0)
            (void)close(f->fds[i]);
    mem_free(f->fds);
    mem_free(f->places);
    mem_free(f->buffer);
    mem_free(f);
}

int bundle_files_part(void *user, uint32_t number, atg_str *ret, atg_err *err) {
    const bundle_files *f = user;

    if (number >= f->n || !f->places[number].file)
        return atg_fail(err, ATG_ENOTFOUND,
                        "Part %u of this bundle is missing: copy what follows the parts that are "
                        "there",
                        number);
    return load(f, f->places[number].file - 1, f->places[number].at, ret, err);
}

/* Is it as its sender signed it? */
static int check_part(bundle_files *f, uint32_t number, bool *ret, atg_err *err) {
    bundle_part p;
    atg_str bytes;
    int rc = bundle_files_part(f, number, &bytes, err);

    if (rc)
        return rc;
    *ret = bundle_part_read(bytes, &p, NULL) == ATG_OK && p.number == number &&
           bundle_part_check(&p, &f->header.sender);
    return ATG_OK;
}

/* Where a part begins in a file that holds all of them. */
static uint64_t offset_of(const bundle_files *f, uint32_t number) {
    return number ? f->places[0].n + (uint64_t)(number - 1) * BUNDLE_PART : 0;
}

static void miss(const bundle_files *f, uint32_t number, bundle_state *s) {
    if (s->n_missing == 0)
        s->first_missing_at = offset_of(f, number);
    if (s->n_missing < BUNDLE_MISSING)
        s->missing[s->n_missing] = number;
    s->n_missing++;
}

int bundle_files_check(bundle_files *f, const atg_progress *progress, bundle_state *ret,
                       atg_err *err) {
    bundle_state s = {.bundle = f->bundle, .header = f->header, .damaged = f->damaged};

    for (uint32_t i = 0; i < f->n; i++) {
        bool good = false;
        int rc = f->places[i].file ? check_part(f, i, &good, err) : ATG_OK;

        if (rc)
            return rc;
        if (progress && progress->step && !progress->step(progress->user, "bundle", i, f->n))
            return atg_fail(err, ATG_ECANCEL, "Stopped on request");
        s.good += good;
        s.damaged += f->places[i].file && !good;
        if (!good)
            miss(f, i, &s);
    }
    s.parts = f->ended ? f->n : 0;
    if (!f->ended)
        miss(f, f->n, &s);
    *ret = s;
    return ATG_OK;
}
