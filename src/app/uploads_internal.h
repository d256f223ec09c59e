/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of app/uploads.h share. */
#ifndef ATG_APP_UPLOADS_INTERNAL_H
#define ATG_APP_UPLOADS_INTERNAL_H

#include <pthread.h>

#include "app/uploads.h"
#include "store/spool.h"

typedef struct upload_entry {
    uint32_t holders;     /* the table, and who works with it: under the lock of the table */
    pthread_mutex_t lock; /* of all that follows; `info` is changed under both locks */
    uuid account;         /* does not change */
    upload_info info;
    spool *s;        /* NULL: nobody writes or uses it */
    uint32_t open;   /* who has `s` open */
    uint64_t turn;   /* of the last who began to write */
    bool used, gone; /* somebody uses it; it is not in the table any more */
    bool checked;    /* its SHA-256 is right */
} upload_entry;

/* The ending of files of bundles, on their way in or out. */
#define UPLOADS_FILE ".bundle"

struct uploads {
    cases *c;
    uploads_options o;
    char folder[SPOOL_PATH - 64];
    int lock_file;
    key256 *key; /* secret memory */
    pthread_mutex_t lock;
    upload_entry *all[UPLOADS_MAX];
    uint32_t n;
};

/* Held until uploads_let_go().  NULL: there is none, or it is somebody else's. */
upload_entry *uploads_find(uploads *u, const actor *who, const uuid *id, atg_err *err);
void uploads_let_go(uploads *u, upload_entry *e);
/* Out of the table, and off the disk. */
void uploads_take_out(uploads *u, upload_entry *e);
/* How long its file is now, and that somebody works with it.  Under the lock of the entry. */
void uploads_note(uploads *u, upload_entry *e);
/* Have its file open.  Under the lock of the entry. */
int uploads_reopen(uploads *u, upload_entry *e, atg_err *err);

#endif
