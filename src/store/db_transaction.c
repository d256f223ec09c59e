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

/* Run a script that belongs to the transaction: its failure is the transaction's. */
static int script(db *d, const char *name, const char *sql, atg_err *err) {
    atg_err own = {0};
    int rc;

    if (!err)
        err = &own;
    d->retry = false;
    rc = d->backend->script(d, name, sql, err);
    if (rc && d->mode && !d->failed) {
        d->failed = true;
        d->failure = *err;
    }
    return rc;
}

int db_script(db *d, const char *name, const char *sql, atg_err *err) {
    if (d->failed) {
        if (err)
            *err = d->failure;
        return d->failure.code;
    }
    end_all(d);
    return script(d, name, sql, err);
}

int db_savepoint(db *d, atg_err *err) {
    char sql[48];
    int rc;

    if (!d->mode)
        return atg_fail(err, ATG_EINVAL, "A savepoint needs a transaction");
    snprintf(sql, sizeof(sql), "SAVEPOINT s%d", d->depth + 1);
    rc = db_script(d, "savepoint", sql, err);
    if (rc == ATG_OK)
        d->depth++;
    return rc;
}

int db_release(db *d, atg_err *err) {
    char sql[48];
    int rc;

    if (!d->depth)
        return atg_fail(err, ATG_EINVAL, "There is no savepoint to release");
    snprintf(sql, sizeof(sql), "RELEASE SAVEPOINT s%d", d->depth);
    rc = db_script(d, "release", sql, err);
    if (rc == ATG_OK)
        d->depth--;
    return rc;
}

int db_rollback_to(db *d, atg_err *err) {
    char sql[96];
    int rc;

    if (!d->depth)
        return atg_fail(err, ATG_EINVAL, "There is no savepoint to go back to");
    if (d->lost) {
        if (err)
            *err = d->failure;
        return d->failure.code;
    }
    end_all(d);
    snprintf(sql, sizeof(sql), "ROLLBACK TO SAVEPOINT s%d; RELEASE SAVEPOINT s%d", d->depth,
             d->depth);
    d->failed = false;
    d->stretch = new_stretch();
    rc = script(d, "rollback to savepoint", sql, err);
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
