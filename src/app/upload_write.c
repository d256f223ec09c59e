/* SPDX-License-Identifier: Apache-2.0 */
/* Who writes to an upload, and who uses it. */
#include <sodium.h>
#include <string.h>

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

void upload_leave(upload *w) {
    upload_entry *e = w->e;

    if (!e)
        return;
    pthread_mutex_lock(&e->lock);
    /* what its sender was cut off behind need not be sent again */
    if (!w->uses && !e->gone && w->turn == e->turn && e->s)
        (void)spool_sync(e->s, NULL);
    if (w->uses)
        e->used = false;
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

int upload_take(uploads *u, const actor *who, const uuid *id, upload_use use, upload *ret,
                upload_info *info, atg_err *err) {
    upload_entry *e = uploads_find(u, who, id, err);
    upload w = {.u = u, .e = e, .uses = true};
    int rc;

    if (!e)
        return ATG_ENOTFOUND;
    pthread_mutex_lock(&e->lock);
    rc = check_take(e, use, err);
    if (rc == ATG_OK)
        rc = enter(u, e, err);
    if (rc == ATG_OK) {
        rc = check_take(e, use, err);
        if (rc == ATG_OK)
            rc = check_sum(e, err);
        e->used = rc == ATG_OK;
        if (rc)
            shut(e);
    }
    *info = e->info;
    pthread_mutex_unlock(&e->lock);
    if (rc)
        uploads_let_go(u, e);
    else
        *ret = w;
    return rc;
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
