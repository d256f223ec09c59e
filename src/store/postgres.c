/* SPDX-License-Identifier: Apache-2.0 */
/* Connections, waiting and transactions on PostgreSQL. */
#include "store/postgres.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"

enum {
    LOOK_MS = 50,         /* how often the cancel flag is looked at */
    GRACE_MS = 10000,     /* what the network and a stopping server may add to a limit */
    EXCLUDE_KEY = 0x4154, /* of the advisory lock */
};

/* Notices are not shown.  What a server says last to one who is not asking comes as one too. */
static void hear(void *user, const PGresult *notice) {
    const char *state = PQresultErrorField(notice, PG_DIAG_SQLSTATE);
    postgres_db *d = user;

    if (d && state && strncmp(state, "57P", 3) == 0)
        d->ending = true;
}

bool postgres_connected(const postgres_db *d) {
    return d->conn && PQstatus(d->conn) == CONNECTION_OK;
}

void postgres_drop(postgres_db *d) {
    PQfinish(d->conn);
    d->conn = NULL;
    d->n_sent = d->n_unpushed = 0;
    d->n_bytes = 0;
}

static int no_connection(PGconn *conn, atg_err *err) {
    const char *text = conn ? PQerrorMessage(conn) : "out of memory";

    return atg_fail(err, ATG_EDB, "Cannot connect to PostgreSQL: %.*s", (int)strcspn(text, "\n"),
                    text);
}

/* Ours first, where the user's own choice wins; last what must be. */
PGconn *postgres_dial(const char *conninfo, uint32_t connect_ms, bool wait) {
    PGconn *conn;
    char seconds[16];
    const char *const keys[] = {"connect_timeout",  "application_name",    "keepalives_idle",
                                "keepalives_count", "keepalives_interval", "tcp_user_timeout",
                                "dbname",           "client_encoding",     NULL};
    const char *const values[] = {seconds, "antigone", "20",   "3", "10",
                                  "30000", conninfo,   "UTF8", NULL};

    snprintf(seconds, sizeof(seconds), "%u", (connect_ms + 999) / 1000);
    conn = wait ? PQconnectdbParams(keys, values, 1) : PQconnectStartParams(keys, values, 1);
    PQsetNoticeReceiver(conn, hear, NULL);
    return conn;
}

static int set_session(postgres_db *d, atg_err *err) {
    char sql[700];

    snprintf(sql, sizeof(sql),
             "SET statement_timeout=%u; SET lock_timeout=%u;"
             "SET idle_in_transaction_session_timeout=600000;"
             "SET tcp_keepalives_idle=20; SET tcp_keepalives_interval=10;"
             "SET tcp_keepalives_count=3; SET tcp_user_timeout=30000;"
             "SET default_transaction_isolation='serializable';"
             "SET standard_conforming_strings=on; SET synchronous_commit=on;"
             "SET plan_cache_mode=force_generic_plan; SET jit=off;"
             "SET client_min_messages=error",
             d->base.usual_ms, d->base.busy_ms);
    return postgres_run(d, "session", sql, err);
}

int postgres_connect(postgres_db *d, atg_err *err) {
    int rc;

    if (postgres_connected(d))
        return ATG_OK;
    postgres_drop(d);
    d->generation++;

    PGconn *conn = postgres_dial(d->conninfo, d->base.connect_ms, true);

    if (!conn || PQstatus(conn) != CONNECTION_OK) {
        rc = no_connection(conn, err);
        PQfinish(conn);
        d->base.retry = true;
        return rc;
    }
    if (PQserverVersion(conn) < 130000) {
        PQfinish(conn);
        return atg_fail(err, ATG_EDB, "The PostgreSQL server is older than version 13: upgrade it");
    }
    /* so that neither side waits for the other to read first */
    if (PQsetnonblocking(conn, 1)) {
        rc = no_connection(conn, err);
        PQfinish(conn);
        return rc;
    }
    PQsetNoticeReceiver(conn, hear, d);
    d->conn = conn;
    d->ending = false;
    return set_session(d, err);
}

void postgres_start_clock(postgres_db *d) {
    d->deadline = d->base.statement_ms ? now_ms() + d->base.statement_ms + GRACE_MS : 0;
}

static void ask_to_stop(postgres_db *d) {
    char text[256];
    PGcancel *cancel = PQgetCancel(d->conn);

    if (cancel) {
        (void)PQcancel(cancel, text, sizeof(text));
        PQfreeCancel(cancel);
    }
    d->deadline = now_ms() + GRACE_MS;
}

/* Send what is left, or wait for something to come; false when the connection broke. */
static bool exchange(postgres_db *d) {
    int left = PQflush(d->conn);
    struct pollfd fd = {.fd = PQsocket(d->conn), .events = left ? POLLIN | POLLOUT : POLLIN};

    return left >= 0 && (poll(&fd, 1, LOOK_MS) == 0 || PQconsumeInput(d->conn));
}

int postgres_result(postgres_db *d, const char *doing, PGresult **ret, atg_err *err) {
    bool asked = false;

    while (d->conn && PQisBusy(d->conn)) {
        if (db_cancelled(&d->base) && !asked) {
            asked = true;
            ask_to_stop(d);
        }
        /* who does not answer in time, nor to being told to stop, is as good as gone */
        if (d->deadline && now_ms() > d->deadline)
            postgres_drop(d);
        else if (!exchange(d))
            break;
    }
    if (!d->conn)
        return postgres_failed(d, NULL, doing, err);
    *ret = PQgetResult(d->conn);
    return ATG_OK;
}

void postgres_drain(postgres_db *d) {
    PGresult *r = NULL;

    do {
        PQclear(r);
        r = NULL;
    } while (postgres_result(d, "", &r, NULL) == ATG_OK && r);
}

int postgres_run(postgres_db *d, const char *name, const char *sql, atg_err *err) {
    PGresult *r = NULL;
    int rc = ATG_OK, waited;

    postgres_start_clock(d);
    if (!d->conn || !PQsendQuery(d->conn, sql))
        return postgres_not_sent(d, name, err);
    while ((waited = postgres_result(d, name, &r, rc ? NULL : err)) == ATG_OK && r) {
        ExecStatusType status = PQresultStatus(r);

        if (rc == ATG_OK && status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
            rc = postgres_failed(d, r, name, err);
        PQclear(r);
    }
    return rc ? rc : waited;
}

static int script(db *base, const char *name, const char *sql, atg_err *err) {
    postgres_db *d = postgres_of(base);
    int rc = base->mode ? ATG_OK : postgres_connect(d, err);

    if (rc == ATG_OK)
        rc = pipe_leave(d, err);
    return rc ? rc : postgres_run(d, name, sql, err);
}

static int collect(db *base, atg_err *err) {
    return pipe_collect(postgres_of(base), NULL, err);
}

static int command(db *base, const char *name, const char *sql, atg_err *err) {
    postgres_db *d = postgres_of(base);
    int rc = pipe_command(d, name, sql, err);

    return rc ? rc : pipe_push(d, err);
}

/* ---- transactions ---- */

/* A connection that broke while it was idle shows it when it is looked at. */
static void look(postgres_db *d) {
    struct pollfd fd = {.fd = PQsocket(d->conn), .events = POLLIN};

    while (poll(&fd, 1, 0) > 0 && PQconsumeInput(d->conn))
        ;
    (void)PQisBusy(d->conn); /* reads what came */
    if (d->ending)
        postgres_drop(d);
}

/* Nobody waits for it: it goes with the first statement. */
static int begin(db *base, db_mode mode, atg_err *err) {
    static const char *const sql[] = {
        [DB_READ] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        [DB_WRITE] = "BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE",
        [DB_QUEUE] = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
    };
    postgres_db *d = postgres_of(base);
    int rc;

    if (postgres_connected(d))
        look(d);
    rc = postgres_connect(d, err);
    if (rc == ATG_OK)
        rc = pipe_command(d, "begin", sql[mode], err);
    /* a writer that was cut off must not keep its locks for long */
    if (rc == ATG_OK && mode != DB_READ)
        rc = pipe_command(d, "begin", "SET LOCAL idle_in_transaction_session_timeout=60000", err);
    if (rc == ATG_OK && mode == DB_QUEUE)
        rc = pipe_command(d, "begin", "SET LOCAL synchronous_commit=off", err);
    return rc;
}

/* It goes behind what was posted; when something of that failed, the server does not come to it. */
static int commit(db *base, atg_err *err) {
    postgres_db *d = postgres_of(base);
    bool read = base->mode == DB_READ && !d->n_sent;
    PGresult *r = NULL;
    int rc = pipe_command(d, "commit", "COMMIT", err);

    if (rc)
        return rc;
    /* what was read is known already: the answer can be read when the connection is next used */
    if (read)
        return pipe_end_round(d, err);
    rc = pipe_collect(d, &r, err);
    /* the answer got lost, not what was asked for */
    base->unknown = (rc == ATG_EDB || rc == ATG_ENOMEM) && !postgres_connected(d);
    if (rc == ATG_OK && strcmp(PQcmdStatus(r), "COMMIT") != 0)
        rc = atg_fail(err, ATG_EDB, "The transaction failed and cannot be committed");
    PQclear(r);
    return rc;
}

static void rollback(db *base) {
    postgres_db *d = postgres_of(base);

    base->cancel = NULL;
    if (!postgres_connected(d))
        return;
    if (PQpipelineStatus(d->conn) == PQ_PIPELINE_OFF)
        postgres_drain(d);
    if (!postgres_connected(d) || (!d->n_sent && PQtransactionStatus(d->conn) == PQTRANS_IDLE))
        return;
    /* what was posted may fail, and the rest of its round with it */
    if ((!d->n_sent || pipe_end_round(d, NULL) == ATG_OK) &&
        pipe_command(d, "rollback", "ROLLBACK", NULL) == ATG_OK)
        (void)pipe_collect(d, NULL, NULL);
}

static int limit(db *base, atg_err *err) {
    char sql[64];

    snprintf(sql, sizeof(sql), "SET LOCAL statement_timeout=%u", base->statement_ms);
    return command(base, "limit", sql, err);
}

static int exclude(db *base, bool on, uint32_t wait_ms, atg_err *err) {
    static const db_statement lock = {"lock", "SELECT pg_try_advisory_lock($1)"};
    static const db_statement unlock = {"unlock", "SELECT pg_advisory_unlock($1)"};
    uint64_t end = now_ms() + wait_ms;
    db_value key = db_int(EXCLUDE_KEY);
    int64_t got = 0;
    int rc = ATG_OK;

    if (!on)
        return db_get_one(base, &unlock, &key, 1, 0, &got, err);
    while (!got) {
        rc = db_get_one(base, &lock, &key, 1, 0, &got, err);
        if (rc)
            return rc;
        if (!got && now_ms() >= end)
            return atg_fail(err, ATG_ECONFLICT, "Another process is migrating the store");
        if (!got)
            nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    return ATG_OK;
}

static void close_connection(db *base) {
    postgres_db *d = postgres_of(base);

    PQfinish(d->conn);
    mem_free(d->conninfo);
    mem_free(d);
}

static const backend postgres_backend = {
    .kind = DB_POSTGRES,
    .rows_size = sizeof(postgres_rows),
    .close = close_connection,
    .prepare = postgres_prepare,
    .forget = postgres_forget,
    .start = postgres_start,
    .next = postgres_next,
    .finish = postgres_finish,
    .post = postgres_post,
    .foresee = postgres_foresee,
    .give_up = postgres_give_up,
    .collect = collect,
    .n_columns = postgres_n_columns,
    .column = postgres_column,
    .changed = postgres_changed,
    .script = script,
    .command = command,
    .begin = begin,
    .commit = commit,
    .rollback = rollback,
    .limit = limit,
    .exclude = exclude,
    .backup = postgres_backup,
};

/* ---- how it is reached ---- */

static bool is_here(atg_str host) {
    return !host.n || host.p[0] == '/' || host.p[0] == '@' ||
           atg_str_eq_nocase(host, ATG_STR("localhost")) || atg_str_eq(host, ATG_STR("::1")) ||
           (host.n > 4 && memcmp(host.p, "127.", 4) == 0);
}

static bool all_here(const char *hosts) {
    atg_str rest = atg_str_of(hosts);
    bool here = true;

    while (rest.n)
        here = is_here(atg_str_trim(atg_str_cut(&rest, ','))) && here;
    return here;
}

/* What an option is: said, or from the environment. */
static const char *option_of(const PQconninfoOption *all, const char *name) {
    const char *text = NULL;

    for (const PQconninfoOption *o = all; o->keyword; o++)
        if (strcmp(o->keyword, name) == 0) {
            text = o->val;
            if (!text && o->envvar)
                text = getenv(o->envvar); /* NOLINT(concurrency-mt-unsafe): nobody changes it */
        }
    return text ? text : "";
}

/* To another machine nothing goes but over TLS, to the one that its certificate is for. */
static int check_way(const PQconninfoOption *all, atg_err *err) {
    if (all_here(option_of(all, "host")) && all_here(option_of(all, "hostaddr")))
        return ATG_OK;
    if (strcmp(option_of(all, "sslmode"), "verify-full") == 0)
        return ATG_OK;
    return atg_fail(err, ATG_EINVAL,
                    "PostgreSQL on another machine is asked over TLS with its certificate checked: "
                    "add sslmode=verify-full, and sslrootcert=FILE with the authority that signed "
                    "it");
}

/* The same of a connection that is there, which may have been named by a service file. */
static int check_made(PGconn *conn, atg_err *err) {
    PQconninfoOption *all = PQconninfo(conn);
    int rc = all ? check_way(all, err)
                 : atg_fail(err, ATG_ENOMEM, "Out of memory connecting to PostgreSQL");

    PQconninfoFree(all);
    return rc;
}

/* libpq's own words about a string that it cannot read may quote a password in it. */
int postgres_check_conninfo(const char *conninfo, atg_err *err) {
    char *why = NULL;
    PQconninfoOption *options = PQconninfoParse(conninfo, &why);

    PQfreemem(why);
    if (!options)
        return atg_fail(err, ATG_EINVAL,
                        "The connection string of PostgreSQL cannot be read: write it as "
                        "\"host=... dbname=... user=...\" or as postgresql://...");

    int rc = check_way(options, err);

    PQconninfoFree(options);
    return rc;
}

int postgres_open(const db_options *options, db **ret, atg_err *err) {
    int rc = postgres_check_conninfo(options->conninfo, err);
    postgres_db *d = rc ? NULL : mem_zero(1, sizeof(*d));

    if (rc)
        return rc;
    if (!d)
        return atg_fail(err, ATG_ENOMEM, "Out of memory connecting to PostgreSQL");
    d->base = (db){.backend = &postgres_backend,
                   .statement_ms = options->statement_ms,
                   .usual_ms = options->statement_ms,
                   .connect_ms = options->connect_ms,
                   .busy_ms = options->busy_ms};
    d->conninfo = mem_alloc(strlen(options->conninfo) + 1);
    if (d->conninfo) {
        memcpy(d->conninfo, options->conninfo, strlen(options->conninfo) + 1);
        rc = postgres_connect(d, err);
        if (!rc)
            rc = check_made(d->conn, err);
    } else {
        rc = atg_fail(err, ATG_ENOMEM, "Out of memory connecting to PostgreSQL");
    }
    if (rc) {
        close_connection(&d->base);
        return rc;
    }
    *ret = &d->base;
    return ATG_OK;
}
