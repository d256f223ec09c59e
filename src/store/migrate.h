/* SPDX-License-Identifier: Apache-2.0 */
/* Numbered changes of the schema, up only.  Each runs in one transaction with the row in
 * schema_version that says so: a program killed in the middle leaves the earlier version whole.
 *
 * Version 0 is an empty database.  Before anything else is changed a backup is made. */
#ifndef ATG_STORE_MIGRATE_H
#define ATG_STORE_MIGRATE_H

#include "store/db.h"

/* Versions are 1, 2, 3, ... without gaps.  A text that was released is never changed. */
typedef struct migration {
    int64_t version;
    const char *name;              /* what it is for, in a few words */
    const char *sqlite, *postgres; /* statements separated by semicolons */
} migration;

/* Make a backup of version `from` before it becomes `to`; a failure stops the migration. */
typedef int migrate_before(db *d, int64_t from, int64_t to, void *user, atg_err *err);

/* One for both databases: db_backup() into a new file in DIRECTORY/backups/. */
int migrate_copy(db *d, int64_t from, int64_t to, void *directory, atg_err *err);

typedef struct migrate_plan {
    const migration *migrations;
    uint32_t n;
    const char *directory;  /* of SQLite: backups go to DIRECTORY/backups/ */
    bool create;            /* an empty database may become a store; else it is ATG_ENOTFOUND */
    migrate_before *before; /* NULL: migrate_copy() of SQLite; PostgreSQL must have one */
    void *before_user;
} migrate_plan;

/* Bring the database to the last version.  ATG_EDB: it is newer than the plan, or was made by
 * another one; ATG_ECONFLICT: other processes use a store that needs a migration. */
int migrate(db *d, const migrate_plan *plan, atg_err *err);

/* The version of the database, 0 for none. */
int migrate_version(db *d, int64_t *ret, atg_err *err);

#endif
