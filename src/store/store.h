/* SPDX-License-Identifier: Apache-2.0 */
/* A store: one writer thread that commits many changes together, and a pool of connections that
 * read.  Any thread may call; a store does not survive fork().
 *
 * A closure is a function that gets a connection inside an open transaction, runs statements, and
 * returns ATG_OK or a failure.  It must be repeatable: when the database asks for it (a conflict
 * with another process, a connection that broke) it is run again from the start, on a database that
 * has nothing of its earlier runs.  It neither commits nor rolls back, and leaves no savepoint. */
#ifndef ATG_STORE_STORE_H
#define ATG_STORE_STORE_H

#include "base/uuid.h"
#include "store/db.h"
#include "store/migrate.h"

typedef struct store store;

typedef int store_fn(db *d, void *user, atg_err *err);

typedef struct store_options {
    const char *directory; /* as in db_options */
    const char *conninfo;
    bool create;
    uint32_t n_readers;   /* most connections that read at a time; 0: 4 */
    uint32_t batch;       /* most closures in one transaction; 0: 64 */
    uint32_t patience_ms; /* how long work waits for a database that went away; 0: 30 s */
    uint32_t connect_ms, busy_ms, statement_ms; /* as in db_options */
    const migration *migrations;
    uint32_t n_migrations;
    migrate_before *before; /* as in migrate_plan */
    void *before_user;
    /* After commits: called by the writer thread in a transaction of its own, at most `after_ms`
     * behind a commit (0: behind each), and at the end.  It looks for itself what is new; it may
     * be called without anything being new, and again when it failed. */
    store_fn *after;
    void *after_user;
    uint32_t after_ms;
} store_options;

/* Open, and migrate to the last version. */
int store_open(const store_options *options, store **ret, atg_err *err);
/* Wait for what is queued, then close.  Nobody may be in a call to the store. */
void store_close(store *s);
static inline void store_freep(store **p) {
    store_close(*p);
}

/* Change something.  Returns when the change is on disk, or with a failure after which nothing of
 * it is there.  Closures of others share the transaction but not the failure.  One exception: when
 * the connection to PostgreSQL broke during the commit and the database did not come back in time,
 * ATG_EDB says that it is not known.  Not to be called by a closure of the writer (ATG_EINVAL). */
int store_write(store *s, store_fn *fn, void *user, atg_err *err);

/* The same for a closure that is not alone in its kind.  `foresee` says with db_foresee() what the
 * closure is going to ask, before it runs and before others of the same transaction do.  A closure
 * that comes with this changes nothing that another one with other subjects foresees.  It may be
 * run without having been asked for its foresight. */
typedef struct store_ahead {
    void (*foresee)(db *d, void *user);
    uuid subjects[2]; /* what it is about; none of them is one of the other's in the same place */
} store_ahead;
int store_change(store *s, store_fn *fn, void *user, const store_ahead *ahead, atg_err *err);

/* Read one moment's state. */
int store_read(store *s, store_fn *fn, void *user, atg_err *err);

/* Claim work in a DB_QUEUE transaction: on PostgreSQL on a connection of the pool, beside the
 * writer; on SQLite this is store_write(). */
int store_queue(store *s, store_fn *fn, void *user, atg_err *err);

/* Run the hook now, behind everything that was acknowledged before this call. */
int store_after(store *s, atg_err *err);
/* The failure of the last run of the hook, ATG_OK for none. */
int store_after_failure(store *s, atg_err *err);

/* Can something be read at this moment?  ATG_EDB: the database is not there.  Tried once, on a
 * connection of its own, so that it waits for nobody who waits for the database. */
int store_alive(store *s, atg_err *err);

db_kind store_kind(const store *s);

/* A consistent copy in one file while others read and write: db_backup() (docs/store.md says what
 * is in it, and what is not). */
int store_backup(store *s, const char *path, const atg_progress *progress, atg_err *err);
/* Make of a backup the store that `to` names, which is not there yet: a directory without a
 * database, or an empty database of PostgreSQL.  All or nothing.  store_open() then migrates it
 * when it is older than the program.  ATG_ECONFLICT: there is something; ATG_EPARSE, ATG_EDB: the
 * file is cut off or changed (backup_check()), or newer than this program; ATG_EINVAL: it is of the
 * other database. */
int store_restore(const store_options *to, const char *path, const atg_progress *progress,
                  atg_err *err);

/* SQLite: db_check() and db_checkpoint() on a connection of the pool or the writer. */
int store_check(store *s, atg_err *err);
int store_checkpoint(store *s, atg_err *err);

#endif
