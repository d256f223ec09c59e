/* SPDX-License-Identifier: Apache-2.0 */
/* The cases of an organisation, as its people work with them: every change and every look goes
 * through here, whoever calls (command line, service, import, bundle, matcher).  Here rights are
 * checked (app/rights.h), the rules of the design are held (app/rules.h), data are sealed, indexed,
 * written into the history, and matched anew.
 *
 * Any thread may call.  Texts given back lie in the caller's arena. */
#ifndef ATG_APP_CASES_H
#define ATG_APP_CASES_H

#include "model/record.h"
#include "store/audit.h"
#include "store/files.h"
#include "store/records.h"
#include "store/store.h"
#include "store/tokens.h"

typedef struct cases cases;

typedef struct cases_options {
    const char *directory; /* SQLite: the store; PostgreSQL: where backups and journals go */
    const char *conninfo;  /* NULL: SQLite */
    const key256 *master;
    bool create;
    atg_str site; /* prefix of codes, for a new store: 1 to 8 of A-Z and 0-9 */
    uint32_t n_readers;
} cases_options;

int cases_open(const cases_options *o, cases **ret, atg_err *err);
/* Puts what is new into the tree, signs a checkpoint, and closes. */
void cases_close(cases *c);
static inline void cases_freep(cases **p) {
    cases_close(*p);
}

/* Does the store answer now?  Waits for nobody who waits for it. */
bool cases_alive(cases *c);
store *cases_store(cases *c);
keyring *cases_keys(cases *c);
atg_str cases_site(const cases *c);
const uuid *cases_id(const cases *c); /* of the store: the chain of what belongs to no file */
const char *cases_directory(const cases *c);

/* Who acts.  Made by app/accounts.h after checking a password and code, or for the matcher itself
 * (account none), which may write hypotheses and evidence and nothing else. */
typedef struct actor {
    uuid account;
    atg_str name;
    atg_str reason; /* written purpose of this look or change; empty: none given */
    bool carried;   /* brings what another site made and signed for (a bundle): who acts is not
                       who concluded, entered or decided */
    uuid bundle;    /* with `carried`: which; it stands in the history */
} actor;

typedef enum change_kind { CHANGE_ADD, CHANGE_EDIT, CHANGE_STATE, CHANGE_WITHDRAW } change_kind;

/* One change of one record.
 * ADD: `r` with its fields; kind, operation (but for an operation itself), file (for kinds that
 *   stand in a file) are set; id and code where none is given, person, rev are filled in.
 * EDIT: `r` has id, kind, and rev as it was read, and all fields as they shall be; only fields that
 *   differ are checked and written.  A field that the account may not see stays as it is while it
 *   is unknown in `r`.
 * STATE: id, kind, rev and the new state.  WITHDRAW: id, kind, rev; hides the record.  Both need a
 *   reason where the file is not new.
 * Of somebody who carries (actor.carried), ADD and EDIT take id, code, state, `created` and
 *   `withdrawn` as they are given, and the right that is asked for is ACTION_BUNDLE alone: who may
 *   write which field was asked where it was written. */
typedef struct change {
    change_kind what;
    record *r;
} change;

/* Apply in a transaction of its own.  ATG_EDENIED names the right or the rule that is in the way;
 * ATG_ECONFLICT says who changed it and what differs. `ch->r` then has its id, code and
 * revision. */
int cases_change(cases *c, const actor *who, atg_arena *arena, change *ch, atg_err *err);

/* Many changes in the caller's transaction (a closure of store_write), which do all or nothing:
 * imports, merges, bundles.  What a batch remembers and still has to write lies in `arena`, what
 * the changes need for themselves does not.  cases_batch_end() writes the rest. */
typedef struct cases_batch cases_batch;

int cases_batch_new(cases *c, db *d, const actor *who, atg_arena *arena, cases_batch **ret,
                    atg_err *err);
/* Codes of this many new files of a kind are reserved at once; fewer may be made. */
int cases_batch_expect(cases_batch *b, const uuid *operation, record_kind kind, uint32_t n,
                       atg_err *err);
int cases_apply(cases_batch *b, change *ch, atg_err *err);
int cases_batch_end(cases_batch *b, atg_err *err);

/* A record as this account may see it: fields it may not read are unknown and listed in `hidden`
 * (bits, by field); those that need a reason are shown when one is given.  Looking at sensitive
 * classes (name, contact, genotype, picture, finding) is written into the history. */
typedef struct seen {
    record *r;
    bool erased;
    uint64_t hidden;
    uint64_t wanting; /* of those: shown to who gives a reason */
} seen;

int cases_get(cases *c, const actor *who, atg_arena *arena, record_kind kind, const uuid *id,
              seen *ret, atg_err *err);
/* The same for a change that names the revision it was made from: the record is not shown, so
 * nobody looked. */
int cases_get_to_change(cases *c, const actor *who, atg_arena *arena, record_kind kind,
                        const uuid *id, seen *ret, atg_err *err);
/* A file with everything in it: first the file itself. */
int cases_file(cases *c, const actor *who, atg_arena *arena, const uuid *file, seen **ret,
               uint32_t *ret_n, atg_err *err);

/* Lists and searches give rows of files; names only to those who may read them (`titles`, by row,
 * empty otherwise). */
typedef struct file_page {
    file_row *rows;
    atg_str *titles;
    uint32_t n;
    bool more;
} file_page;

int cases_list(cases *c, const actor *who, atg_arena *arena, const files_query *q, file_page *ret,
               atg_err *err);
/* `q->classes` is filled in: what this account may read of everything that stands in files of
 * `q->kind`, which is given. */
int cases_search(cases *c, const actor *who, atg_arena *arena, search_query *q, file_page *ret,
                 atg_err *err);

/* All operations that the account has a role in, by code. */
int cases_operations(cases *c, const actor *who, atg_arena *arena, file_row **ret, uint32_t *ret_n,
                     atg_err *err);

/* The file or record of a printed code or identifier. */
int cases_find(cases *c, atg_arena *arena, atg_str code_or_id, file_row *ret, atg_err *err);
/* The same for somebody from elsewhere.  ATG_ENOTFOUND, too, where this account has no role in its
 * operation: it does not learn that there is one. */
int cases_find_own(cases *c, const actor *who, atg_arena *arena, atg_str code_or_id, file_row *ret,
                   atg_err *err);

/* The name of an account, or "the matcher", or its identifier when it is gone. */
int cases_account(cases *c, atg_arena *arena, const uuid *account, atg_str *ret, atg_err *err);

/* The history of a file as entries of the chain, opened as far as this account may read. */
int cases_history(cases *c, const actor *who, atg_arena *arena, const uuid *file, audit_entry **ret,
                  uint32_t *ret_n, atg_err *err);

/* Destroy a person's key and salts (a donor's, an informant's, a file's), their pictures, and their
 * tokens; a tombstone stays, here and in the journal DIRECTORY/erased, which a restore applies
 * again.  The administrator's or the board's right, with a reason. */
int cases_erase(cases *c, const actor *who, const uuid *person, atg_err *err);
/* The same for the donors and staff of an operation who withdrew or whose time is over.  `*ret_n`
 * grows by how many were erased, also when it fails behind some. */
int cases_erase_due(cases *c, const actor *who, const uuid *operation, uint32_t *ret_n,
                    atg_err *err);
/* Write the journal anew from the tombstones: one line each, "person operation at account". */
int cases_write_journal(cases *c, atg_err *err);
/* The same into another file, beside a backup. */
int cases_copy_journal(cases *c, const char *path, atg_err *err);

#endif
