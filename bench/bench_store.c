/* SPDX-License-Identifier: Apache-2.0 */
/* Changes that many threads make at once, each acknowledged after it is on disk.
 *
 * "changes": a record of about 600 bytes, a link of its file's audit chain and the chain's head,
 * each waited for.  "posted": a look at the chain's head, and behind it five rows that nobody waits
 * for before the commit: the record, the link, the head, and two small ones.
 *
 *     bench_store [seconds [threads]]
 */
#include "bench.h"

#include <ftw.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>

#include "server.h"
#include "store/store.h"

enum { THREADS_MAX = 512, SEALED = 500, FILES_OPEN = 16, FOLDER = 64 };

static const db_statement insert_record = {
    "insert_record",
    "INSERT INTO record(id, file, rev, state, changed, sealed) VALUES ($1, $2, 1, $3, $4, $5)"};
static const db_statement read_head = {"read_head", "SELECT seq FROM head WHERE file = $1"};
static const db_statement write_head = {"write_head",
                                        "INSERT INTO head(file, seq) VALUES ($1, $2) "
                                        "ON CONFLICT (file) DO UPDATE SET seq = excluded.seq"};
static const db_statement insert_audit = {
    "insert_audit", "INSERT INTO audit(file, seq, at, detail, hash) VALUES ($1, $2, $3, $4, $5)"};
static const db_statement insert_pending = {
    "insert_pending", "INSERT INTO pending(file, seq, hash) VALUES ($1, $2, $3)"};
static const db_statement insert_token = {"insert_token",
                                          "INSERT INTO token(token, file, n) VALUES ($1, $2, 1)"};
static const db_statement count_audit = {"count_audit", "SELECT count(*) FROM audit"};

static const migration tables[] = {
    {1, "tables",
     "CREATE TABLE record(id BLOB PRIMARY KEY, file BLOB, rev BIGINT, state TEXT, changed BIGINT, "
     "sealed BLOB) WITHOUT ROWID; CREATE INDEX record_file ON record(file);"
     "CREATE TABLE head(file BLOB PRIMARY KEY, seq BIGINT) WITHOUT ROWID;"
     "CREATE TABLE audit(file BLOB, seq BIGINT, at BIGINT, detail TEXT, hash BLOB, "
     "PRIMARY KEY(file, seq)) WITHOUT ROWID;"
     "CREATE TABLE pending(file BLOB, seq BIGINT, hash BLOB, PRIMARY KEY(file, seq)) WITHOUT ROWID;"
     "CREATE TABLE token(token BIGINT, file BLOB, n BIGINT, PRIMARY KEY(token, file)) WITHOUT "
     "ROWID",
     "CREATE TABLE record(id BYTEA PRIMARY KEY, file BYTEA, rev BIGINT, state TEXT, changed "
     "BIGINT, sealed BYTEA); CREATE INDEX record_file ON record(file);"
     "CREATE TABLE head(file BYTEA PRIMARY KEY, seq BIGINT);"
     "CREATE TABLE audit(file BYTEA, seq BIGINT, at BIGINT, detail TEXT, hash BYTEA, "
     "PRIMARY KEY(file, seq));"
     "CREATE TABLE pending(file BYTEA, seq BIGINT, hash BYTEA, PRIMARY KEY(file, seq));"
     "CREATE TABLE token(token BIGINT, file BYTEA, n BIGINT, PRIMARY KEY(token, file))"}};

typedef struct worker {
    store *s;
    pthread_t thread;
    uint64_t number, n, end_ms;
    uint64_t n_done, n_tries;
    store_fn *change;
} worker;

static atomic_bool stop;

static int change(db *d, void *user, atg_err *err) {
    static const char sealed[SEALED];
    worker *w = user;
    uint64_t id[2] = {__builtin_bswap64(w->n), w->number}, file[2] = {w->number, w->n / 50};
    db_value key = db_blob(file, sizeof(file));
    int64_t seq = 0;
    int rc = db_get_one(d, &read_head, &key, 1, 0, &seq, err);

    w->n_tries++;
    rc = rc == ATG_ENOTFOUND ? ATG_OK : rc;
    if (rc == ATG_OK)
        rc = db_run(d, &insert_record,
                    (db_value[]){db_blob(id, sizeof(id)), key, db_text(ATG_STR("reported")),
                                 db_int((int64_t)w->n), db_blob(sealed, sizeof(sealed))},
                    5, NULL, err);
    if (rc == ATG_OK)
        rc = db_run(d, &insert_audit,
                    (db_value[]){key, db_int(seq + 1), db_int((int64_t)w->n),
                                 db_text(ATG_STR("{\"state\":[null,\"reported\"]}")),
                                 db_blob(sealed, 32)},
                    5, NULL, err);
    if (rc == ATG_OK)
        rc = db_run(d, &write_head, (db_value[]){key, db_int(seq + 1)}, 2, NULL, err);
    return rc;
}

static int change_posted(db *d, void *user, atg_err *err) {
    static const char sealed[SEALED];
    worker *w = user;
    uint64_t id[2] = {__builtin_bswap64(w->n), w->number}, file[2] = {w->number, w->n / 50};
    db_value key = db_blob(file, sizeof(file)), now = db_int((int64_t)w->n);
    db_value hash = db_blob(sealed, 32), at;
    int64_t seq = 0;
    int rc = db_get_one(d, &read_head, &key, 1, 0, &seq, err);

    rc = rc == ATG_ENOTFOUND ? ATG_OK : rc;
    at = db_int(seq + 1);
    if (rc == ATG_OK)
        rc = db_post(d, &insert_record,
                     (db_value[]){db_blob(id, sizeof(id)), key, db_text(ATG_STR("reported")), now,
                                  db_blob(sealed, sizeof(sealed))},
                     5, err);
    if (rc == ATG_OK)
        rc = db_post(
            d, &insert_audit,
            (db_value[]){key, at, now, db_text(ATG_STR("{\"state\":[null,\"reported\"]}")), hash},
            5, err);
    if (rc == ATG_OK)
        rc = db_post(d, &insert_pending, (db_value[]){key, at, hash}, 3, err);
    if (rc == ATG_OK)
        rc = db_post(d, &insert_token,
                     (db_value[]){db_int((int64_t)(w->n * 0x9e3779b97f4a7c15U)), key}, 2, err);
    if (rc == ATG_OK)
        rc = db_post(d, &write_head, (db_value[]){key, at}, 2, err);
    return rc;
}

static void *work(void *user) {
    worker *w = user;
    atg_err err;

    while (!atomic_load(&stop)) {
        bench_must(store_write(w->s, w->change, w, &err), &err);
        w->n++;
        w->n_done++;
    }
    return NULL;
}

static int count(db *d, void *user, atg_err *err) {
    return db_get_one(d, &count_audit, NULL, 0, 0, user, err);
}

/* One way to change, on a store.  Threads have numbers of their own from `first` on. */
static void measure(store *s, store_fn *fn, const char *name, double seconds, uint32_t threads,
                    uint32_t first) {
    static worker workers[THREADS_MAX];
    struct timespec time = {(time_t)seconds, 0};
    uint64_t done = 0;
    int64_t before = 0, n = 0;
    double wall;
    atg_err err;

    bench_must(store_read(s, count, &before, &err), &err);
    atomic_store(&stop, false);
    wall = bench_seconds();
    for (uint32_t i = 0; i < threads; i++) {
        workers[i] = (worker){.s = s, .number = first + i, .change = fn};
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
            threads = i;
    }
    nanosleep(&time, NULL);
    atomic_store(&stop, true);
    for (uint32_t i = 0; i < threads; i++) {
        pthread_join(workers[i].thread, NULL);
        done += workers[i].n_done;
    }
    wall = bench_seconds() - wall;
    bench_must(store_read(s, count, &n, &err), &err);
    if ((uint64_t)(n - before) != done)
        fprintf(stderr, "%llu were acknowledged, %lld are there\n", (unsigned long long)done,
                (long long)(n - before));
    printf(
        "# %u threads, %llu changes in %.1f s, each with %d rows and %d bytes sealed, fsync on\n",
        threads, (unsigned long long)done, wall, fn == change ? 3 : 5, SEALED);
    printf("store.%s_per_second_%s %.0f changes/s\n", fn == change ? "changes" : "posted", name,
           (double)done / wall);
}

static void measure_both(const store_options *options, const char *name, double seconds,
                         uint32_t threads) {
    store *s;
    atg_err err;

    bench_must(store_open(options, &s, &err), &err);
    measure(s, change, name, seconds, threads, 1);
    measure(s, change_posted, name, seconds, threads, THREADS_MAX + 1);
    store_close(s);
}

static int remove_one(const char *path, const struct stat *at, int kind, struct FTW *where) {
    (void)at;
    (void)kind;
    (void)where;
    return remove(path);
}

int main(int argc, char **argv) {
    double seconds = bench_argument(argc, argv, 1, 10);
    uint32_t threads = (uint32_t)bench_argument(argc, argv, 2, 64);
    char folder[FOLDER] = "/var/tmp/atg-bench-XXXXXX", conninfo[300];
    store_options options = {
        .create = true, .directory = folder, .migrations = tables, .n_migrations = 1};

    if (threads > THREADS_MAX || !mkdtemp(folder))
        return 1;
    measure_both(&options, "sqlite", seconds, threads);
    nftw(folder, remove_one, FILES_OPEN, FTW_DEPTH | FTW_PHYS); /* NOLINT(concurrency-mt-unsafe) */
    if (!server_installed() || !server_start(true) || !server_make_database("bench")) {
        puts("# PostgreSQL is not installed: not measured");
    } else {
        (void)snprintf(conninfo, sizeof(conninfo), "host=%s user=atg dbname=bench",
                       server_socket());
        options.conninfo = conninfo;
        measure_both(&options, "postgres", seconds, threads);
        server_end();
    }
    printf("# largest resident set\nstore.peak_mib %.0f MiB\n", bench_peak_mib());
    return 0;
}
