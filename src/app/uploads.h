/* SPDX-License-Identifier: Apache-2.0 */
/* Uploads that come in pieces: what somebody sends waits on disk, sealed (store/spool.h), until it
 * is whole and used, given up, or forgotten a day after its last byte.  Only who began an upload
 * sees it.
 *
 *     DIRECTORY/uploads/ID     one of them
 *     DIRECTORY/uploads/lock   held by the one service that takes them there
 *
 * How much an account may have waiting depends on its roles (upload_ceilings); of several roles the
 * best counts.  The key that what waits is sealed under comes from the site key, so that a service
 * that is started again goes on with what was left.
 *
 * Any thread may call.  Two who write to one upload: the later one goes on, from where the upload
 * is, and the earlier one's next piece is refused. */
#ifndef ATG_APP_UPLOADS_H
#define ATG_APP_UPLOADS_H

#include "app/cases.h"

enum {
    UPLOAD_NAME = 200,       /* bytes of a file's name */
    UPLOADS_MAX = 1024,      /* of all accounts */
    UPLOAD_KEPT_S = 86400,   /* behind the last byte */
    UPLOAD_PIECE = 256 << 10 /* bytes that upload_write() is best given */
};

/* What it is to be, which bounds its length. */
typedef enum upload_use {
    UPLOAD_PICTURE,
    UPLOAD_TABLE,
    UPLOAD_DNA,
    UPLOAD_BUNDLE,
    UPLOAD_MADE, /* a bundle that was made here, to be fetched: none that somebody sends */
    UPLOAD_USES,
} upload_use;

extern const char *const upload_uses[UPLOAD_USES + 1]; /* NULL at the end */
extern const uint64_t upload_most[UPLOAD_USES];        /* bytes */

typedef struct upload_ceiling {
    uint64_t one, all; /* bytes of one upload, and of all that wait; 0: none */
    uint32_t n;        /* uploads that wait */
} upload_ceiling;

extern const upload_ceiling upload_ceilings[ROLES];

typedef struct uploads uploads;

typedef struct uploads_options {
    uint64_t all;     /* bytes of all accounts together; 0: 8 GiB */
    uint64_t reserve; /* bytes of the disk that are left to others; 0: 64 MiB */
    int64_t kept_s;   /* 0: UPLOAD_KEPT_S */
} uploads_options;

/* Find what an earlier service left.  ATG_ECONFLICT: another one takes uploads there. */
int uploads_open(cases *c, const uploads_options *o, uploads **ret, atg_err *err);
void uploads_close(uploads *u);
/* Remove what is forgotten; how many there were. */
uint32_t uploads_tidy(uploads *u);

/* ---- as their owner sees them ---- */

typedef struct upload_wish {
    upload_use use;
    uint64_t length;
    atg_str name;   /* of the file, may be empty: its ending counts */
    atg_str sha256; /* of all bytes, 64 hexadecimal digits; empty: not given */
} upload_wish;

typedef struct upload_info {
    uuid id;
    upload_use use;
    uint64_t length, size; /* that it will have, and has */
    int64_t created, expires;
    bool has_sha256;
    unsigned char sha256[32];
    char name[UPLOAD_NAME + 1];
} upload_info;

/* What the account may have, and has. */
typedef struct upload_state {
    upload_ceiling ceiling, held;
} upload_state;

/* ATG_EDENIED: none of its roles uploads; ATG_ELIMIT: longer than such a file may be, or more than
 * the account may have waiting; ATG_EFULL: the service or its disk has no such room. */
int upload_new(uploads *u, const actor *who, const upload_wish *w, upload_info *ret, atg_err *err);
/* ATG_ENOTFOUND: there is none, or it is somebody else's. */
int upload_look(uploads *u, const actor *who, const uuid *id, upload_info *ret, atg_err *err);
int upload_list(uploads *u, const actor *who, atg_arena *arena, upload_info **ret, uint32_t *ret_n,
                atg_err *err);
int upload_holds(uploads *u, const actor *who, upload_state *ret, atg_err *err);
/* Give it up.  ATG_ECONFLICT: it is being used. */
int upload_remove(uploads *u, const actor *who, const uuid *id, atg_err *err);

/* ---- writing ---- */

/* Somebody who writes to an upload, or uses it; upload_leave() in any case. */
typedef struct upload {
    uploads *u;
    struct upload_entry *e; /* NULL: not begun */
    uint64_t turn;
    enum { UPLOAD_WRITES, UPLOAD_TAKES, UPLOAD_PEEKS } how;
} upload;

typedef struct upload_piece {
    uuid id;
    uint64_t offset; /* where it goes on */
    uint64_t n;      /* bytes; 0: not known */
} upload_piece;

/* Go on.  `info` (may be NULL) is written in any case but
 * ATG_ENOTFOUND.  ATG_ECONFLICT: it is used, or is elsewhere; ATG_ELIMIT: it would
 * become longer than it said. */
int upload_begin(uploads *u, const actor *who, const upload_piece *p, upload *ret,
                 upload_info *info, atg_err *err);
/* ATG_ECONFLICT: somebody else goes on, or gave it up; ATG_ELIMIT: more than it said; ATG_EFULL,
 * ATG_EIO.  What was written before stays. */
int upload_write(upload *w, atg_str bytes, atg_err *err);
/* What was written is on disk.  Where it is whole its SHA-256 is compared: ATG_EINVAL: it is
 * another one, and the upload is gone. */
int upload_end(upload *w, upload_info *ret, atg_err *err);
/* Leave it as it is: behind upload_end(), or where the sender was cut off. */
void upload_leave(upload *w);

/* ---- using ---- */

/* Nobody writes to it or uses it until upload_leave().  ATG_ENOTFOUND; ATG_EINVAL: it is not whole,
 * or was to be something else; ATG_ECONFLICT: it is used already. */
int upload_take(uploads *u, const actor *who, const uuid *id, upload_use use, upload *ret,
                upload_info *info, atg_err *err);
int upload_read(upload *w, uint64_t at, void *ret, size_t n, atg_err *err);
/* Read without using it up: any number at once.  What is there already counts as one's own. */
int upload_peek(uploads *u, const actor *who, const uuid *id, upload_use use, upload *ret,
                upload_info *info, atg_err *err);
/* A file of its bytes, which upload_leave() removes: for bundles alone, which are sealed by
 * themselves.  ATG_EFULL. */
enum { UPLOAD_PATH = 4096 };
int upload_write_out(upload *w, char ret[UPLOAD_PATH], atg_err *err);
/* A name of the folder where a bundle can be made. */
int upload_new_path(uploads *u, char ret[UPLOAD_PATH], atg_err *err);
/* Take a bundle that was made at such a path in, to be fetched; the file is gone in any case. */
int upload_keep(uploads *u, const actor *who, const char *path, upload_info *ret, atg_err *err);
/* It was used: it goes. */
void upload_used(upload *w);

#endif
