/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles as files: all parts in one, or in several of a size that fits the medium, NAME.001,
 * NAME.002, ... */
#ifndef ATG_APP_BUNDLE_FILES_H
#define ATG_APP_BUNDLE_FILES_H

#include "formats/bundle.h"

enum {
    BUNDLE_PATH = 4096,
    BUNDLE_FILES = 10000,
    BUNDLE_MISSING = 64, /* as many are named */
    BUNDLE_FILE_LEAST = 2 * BUNDLE_PART,
};

/* ---- writing ---- */

typedef struct bundle_writing {
    const char *path;
    uint64_t most; /* bytes of a file; 0: all in one */
    int fd;
    uint32_t files; /* begun so far */
    uint64_t bytes, in_file;
    char temp[BUNDLE_PATH];
} bundle_writing;

/* ATG_ECONFLICT: such a file is there; ATG_EINVAL: `most` is less than BUNDLE_FILE_LEAST. */
int bundle_writing_new(const char *path, uint64_t most, bundle_writing *ret, atg_err *err);
/* A bundle_out. */
int bundle_writing_part(void *user, uint32_t number, bool last, atg_str part, atg_err *err);
/* Removes what was not finished. */
void bundle_writing_drop(bundle_writing *w);

/* ---- reading ---- */

typedef struct bundle_files bundle_files;

/* What copies of a bundle are worth. */
typedef struct bundle_state {
    uuid bundle;
    bundle_header header; /* without its receivers */
    uint32_t parts;       /* 0: not known, because the last one is missing */
    uint32_t good, damaged;
    uint32_t n_missing; /* missing or damaged; behind the last that is there nothing is known */
    uint32_t missing[BUNDLE_MISSING];
    uint64_t first_missing_at; /* byte of the first of them in a file that holds all */
} bundle_state;

/* Find the parts in the files.  ATG_EPARSE: one of them holds no part, or parts of another bundle;
 * ATG_ENOTFOUND: part 0 is missing. */
int bundle_files_open(const char *const *paths, uint32_t n, bundle_files **ret, atg_err *err);
void bundle_files_close(bundle_files *f);
static inline void bundle_files_freep(bundle_files **f) {
    bundle_files_close(*f);
}

/* Read them all and check every signature, for which no key is needed but the one in part 0.  That
 * some are missing is no failure. */
int bundle_files_check(bundle_files *f, const atg_progress *progress, bundle_state *ret,
                       atg_err *err);
/* A bundle_fetch. */
int bundle_files_part(void *user, uint32_t number, atg_str *ret, atg_err *err);

#endif
