/* SPDX-License-Identifier: Apache-2.0 */
/* Backup while others write, and restore, of a store with many files: each is a row of its file, a
 * record of 700 sealed bytes, a key, two links of the chain with their leaves, and 40 search
 * tokens. What is sealed is random, as sealed bytes are.
 *
 *     bench_backup [files [sqlite | postgres]]
 */
#include "bench.h"

#include <ftw.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>

#include "base/uuid.h"
#include "server.h"
#include "store/backup.h"
#include "store/records.h"
#include "store/store.h"

enum { BATCH = 500, SEALED = 700, DETAIL = 300, TOKENS = 40, LINKS = 2, FOLDER = 64, OPEN = 16 };

static const db_statement add_file = {
    "add_file", "INSERT INTO file(n, id, operation, kind, code, site, number, state, sex, sort, "
                "changed, withdrawn) VALUES ($1, $2, $3, 'missing', $4, 'K3', $1, 'reported', '', "
                "$5, $6, 0)"};
static const db_statement add_key = {
    "add_key", "INSERT INTO person_key(person, operation, wrapped) VALUES ($1, $2, $3)"};
static const db_statement add_record = {
    "add_record", "INSERT INTO sealed(id, file, rev, sealed) VALUES ($1, $2, 1, $3)"};
static const db_statement add_audit = {
    "add_audit",
    "INSERT INTO audit(file, seq, at, account, action, kind, record, rev, detail, prev, "
    "hash) VALUES ($1, $2, $3, $4, 'add', 'missing', $1, 1, $5, $6, $7)"};
static const db_statement add_leaf = {
    "add_leaf", "INSERT INTO leaf(n, file, seq, hash) VALUES ($1, $2, $3, $4)"};
static const db_statement add_tokens = {
    "add_tokens",
    "INSERT INTO token(token, file, count) SELECT unnest, $2, 1 FROM unnest($1) WHERE $2 > 0"};

static migration steps[2];
static atomic_bool stop;

typedef struct filling {
    uint32_t first, n;
    atg_rng rng;
} filling;

static db_value noise(atg_rng *rng, unsigned char *p, size_t n) {
    for (size_t i = 0; i < n; i++)
        p[i] = (unsigned char)atg_rng_next(rng);
    return db_blob(p, n);
}

static int add_chain(db *d, filling *f, db_value id, int64_t number, atg_err *err) {
    unsigned char account[UUID_SIZE], hashes[2][HASH_SIZE];
    char detail[DETAIL];
    int rc = ATG_OK;

    for (int64_t k = 0; k < LINKS && rc == ATG_OK; k++) {
        db_value hash = noise(&f->rng, hashes[0], HASH_SIZE);

        for (size_t i = 0; i < sizeof(detail); i++)
            detail[i] = "0123456789abcdef"[atg_rng_next(&f->rng) % 16];
        rc = db_post(d, &add_audit,
                     (db_value[]){id, db_int(k + 1), db_int(number),
                                  noise(&f->rng, account, sizeof(account)),
                                  db_text((atg_str){detail, sizeof(detail)}),
                                  noise(&f->rng, hashes[1], HASH_SIZE), hash},
                     7, err);
        if (rc == ATG_OK)
            rc = db_post(d, &add_leaf,
                         (db_value[]){db_int(number * LINKS + k), id, db_int(k + 1), hash}, 4, err);
    }
    return rc;
}

static int add_one(db *d, filling *f, int64_t number, atg_err *err) {
    static const unsigned char operation[UUID_SIZE] = {1};
    unsigned char id[UUID_SIZE], sort[8], wrapped[80], sealed[SEALED];
    db_value key = noise(&f->rng, id, sizeof(id)), of = db_blob(operation, sizeof(operation));
    int64_t tokens[TOKENS];
    char code[32];
    int rc;

    (void)snprintf(code, sizeof(code), "AM-K3-%06lld", (long long)number);
    for (int i = 0; i < TOKENS; i++)
        tokens[i] =
            (int64_t)((TOKENS * atg_rng_below(&f->rng, 25000) + (uint64_t)i) * 0x9e3779b97f4a7c15U);
    rc = db_post(d, &add_file,
                 (db_value[]){db_int(number), key, of, db_text(atg_str_of(code)),
                              noise(&f->rng, sort, sizeof(sort)), db_int(number)},
                 6, err);
    if (rc == ATG_OK)
        rc = db_post(d, &add_key, (db_value[]){key, of, noise(&f->rng, wrapped, sizeof(wrapped))},
                     3, err);
    if (rc == ATG_OK)
        rc = db_post(d, &add_record, (db_value[]){key, key, noise(&f->rng, sealed, sizeof(sealed))},
                     3, err);
    if (rc == ATG_OK)
        rc = add_chain(d, f, key, number, err);
    if (rc == ATG_OK)
        rc = db_post(d, &add_tokens, (db_value[]){db_ints(tokens, TOKENS), db_int(number)}, 2, err);
    return rc;
}

static int add_some(db *d, void *user, atg_err *err) {
    const filling *f = user;
    filling own = *f;
    int rc = ATG_OK;

    for (uint32_t i = 0; i < f->n && rc == ATG_OK; i++)
        rc = add_one(d, &own, (int64_t)f->first + i + 1, err);
    return rc;
}

typedef struct writing {
    pthread_t thread;
    store *s;
    uint32_t first, n;
} writing;

static void *keep_writing(void *user) {
    writing *w = user;
    atg_err err;

    while (!atomic_load(&stop)) {
        filling f = {w->first + w->n, 1, atg_rng_seed(w->first + w->n)};

        bench_must(store_write(w->s, add_some, &f, &err), &err);
        w->n++;
    }
    return NULL;
}

static void measure(const store_options *from, const store_options *to, const char *name,
                    const char *path, uint32_t n) {
    writing w = {.first = n};
    backup_page page;
    double wall, mib;
    store *s;
    atg_err err;

    bench_must(store_open(from, &s, &err), &err);
    for (uint32_t i = 0; i < n; i += BATCH) {
        filling f = {i, n - i < BATCH ? n - i : BATCH, atg_rng_seed(i)};

        bench_must(store_write(s, add_some, &f, &err), &err);
    }
    atomic_store(&stop, false);
    w.s = s;
    if (pthread_create(&w.thread, NULL, keep_writing, &w))
        exit(1); /* NOLINT(concurrency-mt-unsafe) */
    wall = bench_seconds();
    bench_must(store_backup(s, path, NULL, &err), &err);
    wall = bench_seconds() - wall;
    atomic_store(&stop, true);
    pthread_join(w.thread, NULL);
    store_close(s);
    bench_must(backup_check(path, NULL, &page, &err), &err);
    mib = (double)page.size / (1 << 20);
    printf("# %u files, %.0f MiB of backup; meanwhile %.0f changes a second by one writer\n", n,
           mib, w.n / wall);
    printf("backup.seconds_%s %.1f s\n", name, wall);
    printf("backup.mib_per_second_%s %.0f MiB/s\n", name, mib / wall);
    wall = bench_seconds();
    bench_must(store_restore(to, path, NULL, &err), &err);
    wall = bench_seconds() - wall;
    printf("backup.restore_seconds_%s %.1f s\n", name, wall);
    (void)remove(path);
}

static int remove_one(const char *path, const struct stat *at, int kind, struct FTW *where) {
    (void)at;
    (void)kind;
    (void)where;
    return remove(path);
}

/* One table stands for those of the records. */
static void make_steps(void) {
    static const char *const both[] = {
        "CREATE TABLE sealed(id BLOB PRIMARY KEY, file BLOB NOT NULL, rev BIGINT NOT NULL, "
        "sealed BLOB NOT NULL); CREATE INDEX sealed_file ON sealed(file)",
        "CREATE TABLE sealed(id BYTEA PRIMARY KEY, file BYTEA NOT NULL, rev BIGINT NOT NULL, "
        "sealed BYTEA NOT NULL); CREATE INDEX sealed_file ON sealed(file)"};

    steps[0] = record_migrations[0];
    steps[1] = (migration){2, "sealed", both[0], both[1]};
}

int main(int argc, char **argv) {
    uint32_t n = (uint32_t)bench_argument(argc, argv, 1, 50000);
    const char *only = argc > 2 ? argv[2] : "";
    char folder[FOLDER] = "/var/tmp/atg-bench-XXXXXX", again[FOLDER + 8], path[FOLDER + 8];
    char conninfo[300], other[300];
    store_options from = {.create = true, .directory = folder, .migrations = steps};
    store_options to = {.directory = again, .migrations = steps};
    struct rusage programs;

    make_steps();
    from.n_migrations = to.n_migrations = 2;
    if (!mkdtemp(folder))
        return 1;
    (void)snprintf(again, sizeof(again), "%s/again", folder);
    (void)snprintf(path, sizeof(path), "%s/copy", folder);
    if (strcmp(only, "postgres") != 0)
        measure(&from, &to, "sqlite", path, n);
    if (strcmp(only, "sqlite") == 0) {
    } else if (!server_installed() || !server_start(true) || !server_make_database("bench") ||
               !server_make_database("again")) {
        puts("# PostgreSQL is not installed: not measured");
    } else {
        (void)snprintf(conninfo, sizeof(conninfo), "host=%s user=atg dbname=bench",
                       server_socket());
        (void)snprintf(other, sizeof(other), "host=%s user=atg dbname=again", server_socket());
        from.conninfo = conninfo;
        to.conninfo = other;
        measure(&from, &to, "postgres", path, n);
        getrusage(RUSAGE_CHILDREN, &programs);
        printf("# pg_dump and pg_restore\nbackup.programs_peak_mib %.0f MiB\n",
               (double)programs.ru_maxrss / 1024);
        server_end();
    }
    printf("# largest resident set\nbackup.peak_mib %.0f MiB\n", bench_peak_mib());
    nftw(folder, remove_one, OPEN, FTW_DEPTH | FTW_PHYS); /* NOLINT(concurrency-mt-unsafe) */
    return 0;
}
