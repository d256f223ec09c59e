/* SPDX-License-Identifier: Apache-2.0 */
/* The row of each file (missing, remains, family, ...) that lists and searches read, and the
 * printed codes: KIND-SITE-NUMBER, "AM-K3-000123", six digits or more, counted by kind and site. */
#ifndef ATG_STORE_FILES_H
#define ATG_STORE_FILES_H

#include "model/record.h"
#include "store/db.h"

enum { FILE_SORT_MAX = 32, FILE_CODE_MAX = 40 };

typedef struct file_row {
    int64_t n; /* stands for the file in the token table; grows with each new file */
    uuid id, operation;
    record_kind kind;
    atg_str code;   /* one of files_code(), perhaps of another site */
    uint32_t state; /* index in record_types[kind].states; 0 where there are none */
    int sex;        /* index of the choice "sex", or -1 */
    atg_str sort;   /* at most FILE_SORT_MAX bytes of an ICU sort key, sealed names stay readable
                       in no more than that: docs/search.md says what it leaks */
    int64_t changed;
    bool withdrawn;
    struct {
        uint32_t state;
        bool withdrawn;
    } counted; /* as the database has it: files_update() tells from it what to count anew */
} file_row;

/* The next number and code of a kind ("AM") at a site ("K3"), 1 to 8 of A-Z and 0-9; `count` of
 * them at once, the first is returned. */
int files_numbers(db *d, const char *kind, atg_str site, int64_t count, int64_t *ret_n,
                  int64_t *ret_number, atg_err *err);
/* The next number for a file that brings its code with it, from another site or back from one
 * (`ret_n` may be NULL for what is no file); what is counted here goes on behind that code.
 * ATG_EINVAL: this is no code. */
int files_taken(db *d, record_kind kind, atg_str code, int64_t *ret_n, atg_err *err);
/* "AM-K3-000123" in `ret`. */
void files_code(const char *kind, atg_str site, int64_t number, char ret[FILE_CODE_MAX]);

/* How many files there are by state is a row of each state: what many changes of one transaction do
 * to it is added up here and written once, by files_tally_write() before its end. */
enum { FILES_TALLY = 64 };
typedef struct files_tally {
    uint32_t n;
    struct {
        uuid operation;
        record_kind kind;
        uint32_t state;
        int64_t n;
    } of[FILES_TALLY];
} files_tally;

int files_tally_write(db *d, files_tally *t, atg_err *err);

/* `t`, if not NULL, takes what is to be counted.
 * ATG_EINVAL: this is no code.  ATG_ECONFLICT at the latest in db_commit(): n, id or code is there
 * already. */
int files_insert(db *d, file_row *f, files_tally *t, atg_err *err);
/* State, sex, sort, changed and withdrawn of the file with this id; the rest stays.  The row was
 * read, or written, in the same transaction. */
int files_update(db *d, file_row *f, files_tally *t, atg_err *err);
/* ATG_ENOTFOUND */
int files_get(db *d, atg_arena *arena, const uuid *id, file_row *ret, atg_err *err);
/* As db_foresee(): it will be read. */
void files_foresee(db *d, const uuid *id);
/* By printed code, ASCII letters without case. */
int files_find(db *d, atg_arena *arena, atg_str code, file_row *ret, atg_err *err);

/* Those of the files with these numbers that fit, the latest first.  Kind, state and sex are -1 for
 * any; withdrawn files do not fit. */
typedef struct files_numbered_query {
    const int64_t *numbers;
    size_t n;
    uuid operation;
    int kind, state, sex;
} files_numbered_query;

int files_numbered(db *d, atg_arena *arena, const files_numbered_query *q, file_row **ret,
                   uint32_t *ret_n, atg_err *err);

typedef enum files_order { FILES_BY_CODE, FILES_BY_NAME, FILES_BY_CHANGE } files_order;

/* A page of a list.  `state` and `sex` are -1 for any.  `after` is the last file of the page
 * before (none: the first page).  Codes stand in the order of their sites and then their numbers,
 * names in that of their sort keys; FILES_BY_CHANGE lists the latest first. */
typedef struct files_query {
    uuid operation;
    record_kind kind;
    int state, sex;
    bool withdrawn; /* those too */
    files_order order;
    uuid after;
    uint32_t limit; /* 1..1000 */
} files_query;

int files_list(db *d, atg_arena *arena, const files_query *q, file_row **ret, uint32_t *ret_n,
               atg_err *err);
/* How many there are by state, in the order of record_types[kind].states, without those that were
 * withdrawn; kinds that have no states count in the first. */
int files_count(db *d, const uuid *operation, record_kind kind, int64_t *ret, uint32_t n_states,
                atg_err *err);

#endif
