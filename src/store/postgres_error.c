/* SPDX-License-Identifier: Apache-2.0 */
/* What PostgreSQL's SQLSTATEs mean to us.  Only messages that cannot hold a value are passed on. */
#include <string.h>

#include "store/postgres.h"

static bool is(const char *state, const char *wanted) {
    return strcmp(state, wanted) == 0;
}

static bool class_is(const char *state, const char *wanted) {
    return strncmp(state, wanted, 2) == 0;
}

static int lost(postgres_db *d, const char *doing, atg_err *err) {
    d->base.retry = d->base.lost = true;
    return atg_fail(err, ATG_EDB,
                    "%s: the connection to PostgreSQL broke; is the server running and reachable?",
                    doing);
}

static int in_the_way(postgres_db *d, const char *doing, atg_err *err) {
    d->base.retry = d->base.lost = true;
    return atg_fail(err, ATG_ECONFLICT,
                    "%s: others changed the same data at the same time; try again", doing);
}

static int refused(const PGresult *result, const char *state, const char *doing, atg_err *err) {
    const char *constraint = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME);
    const char *name = constraint ? constraint : PQresultErrorField(result, PG_DIAG_COLUMN_NAME);

    name = name ? name : state;
    if (is(state, "23505") || is(state, "23P01"))
        return atg_fail(err, ATG_ECONFLICT, "%s: what must be unique exists already (%.100s)",
                        doing, name);
    return atg_fail(err, ATG_EDB, "%s breaks a rule of the database (%.100s)", doing, name);
}

static int stopped(postgres_db *d, const char *doing, atg_err *err) {
    if (db_cancelled(&d->base))
        return atg_fail(err, ATG_ECANCEL, "Stopped on request");
    return atg_fail(err, ATG_EDB, "%s took longer than %u s and was stopped", doing,
                    d->base.statement_ms / 1000);
}

static bool gone(const char *state) {
    return class_is(state, "08") || is(state, "57P01") || is(state, "57P02") ||
           is(state, "57P03") || is(state, "57P05") || is(state, "25P03");
}

int postgres_failed(postgres_db *d, const PGresult *result, const char *doing, atg_err *err) {
    const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    const char *text = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;

    if (!state || gone(state) || !postgres_connected(d)) {
        postgres_drop(d);
        return lost(d, doing, err);
    }
    if (class_is(state, "40"))
        return in_the_way(d, doing, err);
    if (class_is(state, "23"))
        return refused(result, state, doing, err);
    if (is(state, "57014"))
        return stopped(d, doing, err);
    if (is(state, "55P03")) {
        d->base.retry = true;
        return atg_fail(err, ATG_ECONFLICT, "%s: others held a lock for longer than %u s", doing,
                        d->base.busy_ms / 1000);
    }
    if (is(state, "25006") && d->base.mode == DB_READ)
        return atg_fail(err, ATG_EINVAL, "%s changes data in a transaction that reads", doing);
    if (is(state, "25006"))
        return lost(d, doing, err);
    if (is(state, "53100") || is(state, "58030"))
        return atg_fail(err, ATG_EIO,
                        "%s: the disk of the PostgreSQL server is full or fails; nothing of it "
                        "was kept",
                        doing);
    if (is(state, "54000"))
        return atg_fail(err, ATG_ELIMIT, "%s: a value is too large for the database", doing);
    /* syntax, unknown names and rights: the text comes from the statement alone */
    if (class_is(state, "42") && text)
        return atg_fail(err, ATG_EDB, "%s does not fit the database: %.200s", doing, text);
    return atg_fail(err, ATG_EDB, "%s failed in PostgreSQL (SQLSTATE %.5s)", doing, state);
}

int postgres_not_sent(postgres_db *d, const char *doing, atg_err *err) {
    if (!postgres_connected(d))
        return postgres_failed(d, NULL, doing, err);
    postgres_drop(d);
    d->base.lost = true;
    return atg_fail(err, ATG_ENOMEM, "%s: out of memory for what is sent to PostgreSQL", doing);
}
