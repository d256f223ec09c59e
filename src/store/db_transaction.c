/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions, savepoints and scripts: the same on both databases. */
#include <stdatomic.h>
#include <stdio.h>

#include "store/backend.h"
#include "store/db.h"

static uint64_t new_stretch(void) {
    static _Atomic uint64_t last;

    return atomic_fetch_add_explicit(&last, 1, memory_order_relaxed) + 1;
}

uint64_t db_stretch(const db *d) {
    return d->stretch;
}

uint64_t db_committed(const db *d) {
    return d->committed;
}

static void end_all(db *d) {
    for (db_rows *r = d->all; r; r = r->next)
        db_end(r);
}

static void leave(db *d) {
    d->mode = DB_NONE;
    d->depth = 0;
    d->stretch = 0;
    d->failed = d->lost = false;
    d->cancel = NULL;
    d->statement_ms = d->usual_ms;
}

int db_begin(db *d, db_mode mode, atg_err *err) {
    int rc;

    if (d->mode || mode == DB_NONE)
        return atg_fail(err, ATG_EINVAL, "A transaction is open already");
    d->retry = d->unknown = d->failed = d->lost = false;
    end_all(d);
    rc = d->backend->begin(d, mode, err);
    if (rc == ATG_OK) {
        d->mode = mode;
        d->stretch = new_stretch();
    }
    return rc;
}

/* A closure that ends the transaction it was given. */
static int refuse(db *d, atg_err *err) {
    atg_err why;

    atg_fail(&why, ATG_EINVAL, "A closure cannot end the transaction of the store");
    if (!d->failed) {
        d->failed = true;
        d->failure = why;
    }
    if (err)
        *err = why;
    return ATG_EINVAL;
}

int db_commit(db *d, atg_err *err) {
    int rc;

    if (!d->mode)
        return atg_fail(err, ATG_EINVAL, "No transaction is open");
    if (d->guarded)
        return refuse(d, err);
    if (d->failed) {
        rc = d->failure.code;
        if (err)
            *err = d->failure;
        db_rollback(d);
        return rc;
    }
    end_all(d);
    d->retry = d->unknown = false;
    rc = d->backend->commit(d, err);
    if (rc)
        d->backend->rollback(d);
    else
        d->committed = d->stretch;
    leave(d);
    return rc;
}

void db_rollback(db *d) {
    if (!d->mode)
        return;
    if (d->guarded) {
        (void)refuse(d, NULL);
        return;
    }
    end_all(d);
    d->backend->rollback(d);
    leave(d);
}

int db_limit(db *d, uint32_t statement_ms, const atomic_bool *cancel, atg_err *err) {
    if (!d->mode)
        return atg_fail(err, ATG_EINVAL, "Limits are set in a transaction");
    d->statement_ms = statement_ms;
    d->cancel = cancel;
    return d->backend->limit(d, err);
}

/* Remember the first failure of the transaction.  `err` is never NULL here. */
static int note(db *d, int rc, const atg_err *err) {
    if (rc && d->mode && !d->failed) {
        d->failed = true;
        d->failure = *err;
    }
    return rc;
}

static int again(const db *d, atg_err *err) {
    if (err)
        *err = d->failure;
    return d->failure.code;
}

int db_script(db *d, const char *name, const char *sql, atg_err *err) {
    atg_err own = {0};

    if (!err)
        err = &own;
    if (d->failed)
        return again(d, err);
    end_all(d);
    d->retry = false;
    return note(d, d->backend->script(d, name, sql, err), err);
}

/* What was posted before the savepoint must not fail behind it, where it could be undone. */
int db_savepoint(db *d, atg_err *err) {
    atg_err own = {0};
    char sql[48];
    int rc;

    if (!d->mode)
        return atg_fail(err, ATG_EINVAL, "A savepoint needs a transaction");
    if (!err)
        err = &own;
    if (d->failed)
        return again(d, err);
    end_all(d);
    d->retry = false;
    snprintf(sql, sizeof(sql), "SAVEPOINT s%d", d->depth + 1);
    rc = d->backend->collect(d, err);
    if (rc == ATG_OK)
        rc = d->backend->command(d, "savepoint", sql, err);
    if (rc == ATG_OK)
        d->depth++;
    return note(d, rc, err);
}

/* What was posted behind the savepoint fails here, while it still can be undone. */
int db_release(db *d, atg_err *err) {
    atg_err own = {0};
    char sql[48];
    int rc;

    if (!d->depth)
        return atg_fail(err, ATG_EINVAL, "There is no savepoint to release");
    if (!err)
        err = &own;
    if (d->failed)
        return again(d, err);
    end_all(d);
    d->retry = false;
    snprintf(sql, sizeof(sql), "RELEASE SAVEPOINT s%d", d->depth);
    rc = d->backend->command(d, "release", sql, err);
    if (rc == ATG_OK)
        rc = d->backend->collect(d, err);
    if (rc == ATG_OK)
        d->depth--;
    return note(d, rc, err);
}

int db_rollback_to(db *d, atg_err *err) {
    atg_err own = {0};
    char sql[96];
    int rc;

    if (!d->depth)
        return atg_fail(err, ATG_EINVAL, "There is no savepoint to go back to");
    if (!err)
        err = &own;
    end_all(d);
    if (!d->failed)
        (void)note(d, d->backend->collect(d, err), err);
    if (d->lost)
        return again(d, err);
    snprintf(sql, sizeof(sql), "ROLLBACK TO SAVEPOINT s%d; RELEASE SAVEPOINT s%d", d->depth,
             d->depth);
    d->failed = d->retry = false;
    d->stretch = new_stretch();
    rc = note(d, d->backend->script(d, "rollback to savepoint", sql, err), err);
    if (rc == ATG_OK)
        d->depth--;
    else
        d->lost = true;
    return rc;
}

int db_exclude(db *d, uint32_t wait_ms, atg_err *err) {
    d->retry = false;
    return d->backend->exclude(d, true, wait_ms, err);
}

void db_share(db *d) {
    (void)d->backend->exclude(d, false, 0, NULL);
}
