/* SPDX-License-Identifier: Apache-2.0 */
/* Who writes to an upload, and who uses it. */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/uploads_internal.h"
#include "base/mem.h"

static int overtaken(atg_err *err) {
    return atg_fail(err, ATG_ECONFLICT, "Somebody else goes on with this upload, or gave it up");
}

/* ---- who has it open ---- */

/* Under the lock of the entry, which stays the caller's on success only. */
static int enter(uploads *u, upload_entry *e, atg_err *err) {
    int rc = uploads_reopen(u, e, err);

    if (rc == ATG_OK)
        e->open++;
    return rc;
}

static void shut(upload_entry *e) {
    if (--e->open)
        return;
    spool_close(e->s);
    e->s = NULL;
}

static void file_of(const upload *w, char ret[UPLOAD_PATH]) {
    char id[UUID_TEXT + 1];

    uuid_text(&w->e->info.id, id);
    (void)snprintf(ret, UPLOAD_PATH, "%s/%s" UPLOADS_FILE, w->u->folder, id);
}

/* Of upload_write_out(). */
static void remove_file(const upload *w) {
    char path[UPLOAD_PATH];

    file_of(w, path);
    if (w->e->info.use == UPLOAD_BUNDLE)
        (void)unlink(path);
}

void upload_leave(upload *w) {
    upload_entry *e = w->e;

    if (!e)
        return;
    pthread_mutex_lock(&e->lock);
    /* what its sender was cut off behind need not be sent again */
    if (w->how == UPLOAD_WRITES && !e->gone && w->turn == e->turn && e->s)
        (void)spool_sync(e->s, NULL);
    if (w->how == UPLOAD_TAKES) {
        e->used = false;
        remove_file(w);
    }
    shut(e);
    pthread_mutex_unlock(&e->lock);
    uploads_let_go(w->u, e);
    w->e = NULL;
}

/* ---- writing ---- */

static int check_begin(const upload_entry *e, const upload_piece *p, atg_err *err) {
    if (e->gone || e->used)
        return atg_fail(err, ATG_ECONFLICT, "This upload is being used, or was given up");
    if (p->offset != e->info.size)
        return atg_fail(err, ATG_ECONFLICT,
                        "This upload goes on at byte %llu and not at %llu: ask with HEAD before",
                        (unsigned long long)e->info.size, (unsigned long long)p->offset);
    if (p->n > e->info.length - e->info.size)
        return atg_fail(err, ATG_ELIMIT,
                        "This upload said that it has %llu bytes: this would make it longer",
                        (unsigned long long)e->info.length);
    return ATG_OK;
}

int upload_begin(uploads *u, const actor *who, const upload_piece *p, upload *ret,
                 upload_info *info, atg_err *err) {
    upload_entry *e = uploads_find(u, who, &p->id, err);
    upload w = {.u = u, .e = e};
    int rc;

    if (!e)
        return ATG_ENOTFOUND;
    pthread_mutex_lock(&e->lock);
    rc = check_begin(e, p, err);
    if (rc == ATG_OK)
        rc = enter(u, e, err);
    /* a process that ended in between may have kept less than it had */
    if (rc == ATG_OK && p->offset != e->info.size) {
        rc = check_begin(e, p, err);
        shut(e);
    }
    if (rc == ATG_OK)
        w.turn = ++e->turn;
    if (info)
        *info = e->info;
    pthread_mutex_unlock(&e->lock);
    if (rc)
        uploads_let_go(u, e);
    else
        *ret = w;
    return rc;
}

int upload_write(upload *w, atg_str bytes, atg_err *err) {
    upload_entry *e = w->e;
    int rc;

    pthread_mutex_lock(&e->lock);
    if (e->gone || e->used || e->turn != w->turn)
        rc = overtaken(err);
    else if (bytes.n > e->info.length - e->info.size)
        rc = atg_fail(err, ATG_ELIMIT, "This is longer than the %llu bytes that it said it has",
                      (unsigned long long)e->info.length);
    else
        rc = spool_write(e->s, bytes, err);
    uploads_note(w->u, e);
    pthread_mutex_unlock(&e->lock);
    return rc;
}

/* ---- is it whole? ---- */

static int hash_all(upload_entry *e, unsigned char ret[32], atg_err *err) {
    MEM_AUTO unsigned char *piece = mem_alloc(SPOOL_CHUNK);
    crypto_hash_sha256_state h;
    int rc = piece ? ATG_OK : atg_fail(err, ATG_ENOMEM, "Out of memory for an upload");

    (void)crypto_hash_sha256_init(&h);
    for (uint64_t at = 0; at < e->info.size && !rc;) {
        uint64_t left = e->info.size - at;
        size_t n = left < SPOOL_CHUNK ? (size_t)left : SPOOL_CHUNK;

        rc = spool_read(e->s, at, piece, n, err);
        if (rc == ATG_OK)
            (void)crypto_hash_sha256_update(&h, piece, n);
        at += n;
    }
    (void)crypto_hash_sha256_final(&h, ret);
    return rc;
}

/* Under the lock of the entry. */
static int check_sum(upload_entry *e, atg_err *err) {
    unsigned char sum[32];
    int rc;

    if (!e->info.has_sha256 || e->checked)
        return ATG_OK;
    rc = hash_all(e, sum, err);
    if (rc == ATG_OK && memcmp(sum, e->info.sha256, sizeof(sum)) != 0)
        rc = atg_fail(err, ATG_EINVAL,
                      "What came has another SHA-256 than was said: it was changed on its way, "
                      "nothing of it was kept");
    e->checked = rc == ATG_OK;
    return rc;
}

int upload_end(upload *w, upload_info *ret, atg_err *err) {
    upload_entry *e = w->e;
    bool whole;
    int rc;

    pthread_mutex_lock(&e->lock);
    rc = e->gone || e->turn != w->turn ? overtaken(err) : spool_sync(e->s, err);
    whole = rc == ATG_OK && e->info.size == e->info.length;
    if (whole)
        rc = check_sum(e, err);
    if (rc == ATG_OK)
        *ret = e->info;
    pthread_mutex_unlock(&e->lock);
    if (whole && (rc == ATG_EINVAL || rc == ATG_EDENIED))
        uploads_take_out(w->u, e);
    return rc;
}

/* ---- using ---- */

static int check_take(upload_entry *e, upload_use use, atg_err *err) {
    if (e->gone || e->used)
        return atg_fail(err, ATG_ECONFLICT, "This upload is being used, or was given up");
    if (e->info.use != use)
        return atg_fail(err, ATG_EINVAL, "This upload was to be a %s and not a %s",
                        upload_uses[e->info.use], upload_uses[use]);
    if (e->info.size != e->info.length)
        return atg_fail(err, ATG_EINVAL,
                        "Of this upload %llu bytes of %llu are there: send the rest",
                        (unsigned long long)e->info.size, (unsigned long long)e->info.length);
    return ATG_OK;
}

/* Under the lock of the entry: nobody else has it, and it is what its sender meant. */
static int take_whole(upload_entry *e, upload_use use, atg_err *err) {
    int rc = check_take(e, use, err);

    if (rc == ATG_OK)
        rc = check_sum(e, err);
    e->used = rc == ATG_OK;
    if (rc)
        shut(e);
    return rc;
}

static int use_upload(upload *w, const actor *who, const uuid *id, upload_use use, upload *ret,
                      upload_info *info, atg_err *err) {
    upload_entry *e = w->e = uploads_find(w->u, who, id, err);
    int rc;

    if (!e)
        return ATG_ENOTFOUND;
    pthread_mutex_lock(&e->lock);
    rc = check_take(e, use, err);
    if (rc == ATG_OK)
        rc = enter(w->u, e, err);
    if (rc == ATG_OK && w->how == UPLOAD_TAKES)
        rc = take_whole(e, use, err);
    *info = e->info;
    pthread_mutex_unlock(&e->lock);
    if (rc)
        uploads_let_go(w->u, e);
    else
        *ret = *w;
    return rc;
}

int upload_take(uploads *u, const actor *who, const uuid *id, upload_use use, upload *ret,
                upload_info *info, atg_err *err) {
    upload w = {.u = u, .how = UPLOAD_TAKES};

    return use_upload(&w, who, id, use, ret, info, err);
}

int upload_peek(uploads *u, const actor *who, const uuid *id, upload_use use, upload *ret,
                upload_info *info, atg_err *err) {
    upload w = {.u = u, .how = UPLOAD_PEEKS};

    return use_upload(&w, who, id, use, ret, info, err);
}

int upload_read(upload *w, uint64_t at, void *ret, size_t n, atg_err *err) {
    upload_entry *e = w->e;
    int rc;

    pthread_mutex_lock(&e->lock);
    rc = spool_read(e->s, at, ret, n, err);
    pthread_mutex_unlock(&e->lock);
    return rc;
}

void upload_used(upload *w) {
    uploads_take_out(w->u, w->e);
}

/* ---- bundles as files ---- */

static int failed(atg_err *err) {
    char text[128];

    if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG)
        return atg_fail(err, ATG_EFULL, "There is no room on the disk for this bundle");
    return atg_fail(err, ATG_EIO, "The file of a bundle fails: %s",
                    strerror_r(errno, text, sizeof(text)));
}

static int write_all(int fd, const char *p, size_t n, atg_err *err) {
    while (n) {
        ssize_t done = write(fd, p, n);

        if (done < 0 && errno != EINTR)
            return failed(err);
        p += done > 0 ? done : 0;
        n -= done > 0 ? (size_t)done : 0;
    }
    return ATG_OK;
}

int upload_write_out(upload *w, char ret[UPLOAD_PATH], atg_err *err) {
    MEM_AUTO char *piece = mem_alloc(SPOOL_CHUNK);
    uint64_t size = w->e->info.length;
    int fd, rc = piece ? ATG_OK : atg_fail(err, ATG_ENOMEM, "Out of memory for a bundle");

    if (rc)
        return rc;
    file_of(w, ret);
    fd = open(ret, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return failed(err);
    for (uint64_t at = 0; at < size && !rc;) {
        size_t n = size - at < SPOOL_CHUNK ? (size_t)(size - at) : SPOOL_CHUNK;

        rc = upload_read(w, at, piece, n, err);
        if (rc == ATG_OK)
            rc = write_all(fd, piece, n, err);
        at += n;
    }
    (void)close(fd);
    return rc;
}

int upload_new_path(uploads *u, char ret[UPLOAD_PATH], atg_err *err) {
    char text[UUID_TEXT + 1];
    uuid id;
    int rc = uuid_new(&id, err);

    if (rc)
        return rc;
    uuid_text(&id, text);
    (void)snprintf(ret, UPLOAD_PATH, "%s/%s" UPLOADS_FILE, u->folder, text);
    return ATG_OK;
}

static int copy_in(int fd, upload *to, atg_err *err) {
    MEM_AUTO char *piece = mem_alloc(UPLOAD_PIECE);
    ssize_t n = 1;
    int rc = piece ? ATG_OK : atg_fail(err, ATG_ENOMEM, "Out of memory for a bundle");

    while (!rc && n) {
        n = read(fd, piece, UPLOAD_PIECE);
        if (n < 0 && errno == EINTR)
            continue;
        rc = n < 0 ? failed(err) : n ? upload_write(to, (atg_str){piece, (size_t)n}, err) : ATG_OK;
    }
    return rc;
}

static int keep_file(uploads *u, const actor *who, int fd, upload_info *ret, atg_err *err) {
    upload_wish wish = {.use = UPLOAD_MADE};
    upload_piece all = {.offset = 0};
    upload to = {.e = NULL};
    struct stat about;
    int rc = fd < 0 || fstat(fd, &about) ? failed(err) : ATG_OK;

    if (rc)
        return rc;
    wish.length = (uint64_t)about.st_size;
    rc = upload_new(u, who, &wish, ret, err);
    if (rc)
        return rc;
    all.id = ret->id;
    rc = upload_begin(u, who, &all, &to, NULL, err);
    if (rc == ATG_OK)
        rc = copy_in(fd, &to, err);
    if (rc == ATG_OK)
        rc = upload_end(&to, ret, err);
    upload_leave(&to);
    if (rc)
        (void)upload_remove(u, who, &all.id, NULL);
    return rc;
}

int upload_keep(uploads *u, const actor *who, const char *path, upload_info *ret, atg_err *err) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    int rc = keep_file(u, who, fd, ret, err);

    if (fd >= 0)
        (void)close(fd);
    (void)unlink(path);
    return rc;
}
