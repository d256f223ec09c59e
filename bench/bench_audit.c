/* SPDX-License-Identifier: Apache-2.0 */
/* A history of a million entries: appended, put into the tree, verified in the database and as an
 * exported file.
 *
 *     bench_audit [files [entries of each]]
 */
#include "bench.h"

#include <ftw.h>
#include <string.h>

#include "server.h"
#include "store/audit.h"
#include "store/records.h"

enum { IN_ONE = 1000, DETAIL = 120, VARIED = 100, SEALED = 600, RUNS = 3, FILES_OPEN = 16 };

static const db_statement insert_file = {
    "insert_file",
    "INSERT INTO file(n, id, operation, kind, code, site, number, state, sex, sort, changed, "
    "withdrawn) VALUES ($1, $2, $2, 'missing', $3, 'K3', $1, 'reported', '', $2, 1, 0)"};
static const db_statement insert_row = {
    "insert_row",
    "INSERT INTO r_missing(id, operation, file, person, code, rev, state, created, changed, "
    "withdrawn, sealed) VALUES ($1, $1, $1, $1, $2, $3, 'reported', 1, 1, 0, $4)"};

typedef struct bench {
    const char *name;
    db *d;
    uint64_t files, rounds;
    double append, first, sequence; /* seconds */
    sign_pair pair;
    checkpoint kept;
} bench;

/* The n-th identifier of a kind, as they are made one after the other. */
static uuid id_of(unsigned char kind, uint64_t n) {
    uuid id = {{[6] = 0x70, [8] = 0x80, [9] = kind, [10] = (unsigned char)(n * 31)}};

    for (int i = 0; i < 6; i++)
        id.bytes[i] = (unsigned char)(n >> (40 - 8 * i));
    return id;
}

static void add_file(bench *b, uint64_t n, atg_err *err) {
    static const char sealed[SEALED];
    uuid id = id_of(1, n);
    db_value file = db_blob(id.bytes, UUID_SIZE);
    char text[40];

    (void)snprintf(text, sizeof(text), "AM-K3-%06llu", (unsigned long long)n);

    db_value code = db_text(atg_str_of(text));

    bench_must(db_post(b->d, &insert_file, (db_value[]){db_int((int64_t)n), file, code}, 3, err),
               err);
    bench_must(db_post(b->d, &insert_row,
                       (db_value[]){file, code, db_int((int64_t)b->rounds),
                                    db_blob(sealed, sizeof(sealed))},
                       4, err),
               err);
}

static void append(bench *b, uint64_t n, uint64_t rev, atg_err *err) {
    static char detail[DETAIL + VARIED];
    audit_event e = {.file = id_of(1, n),
                     .at = 1700000000000000 + (int64_t)n,
                     .account = id_of(2, n % 50),
                     .action = rev == 1 ? "add" : "edit",
                     .kind = "missing",
                     .record = id_of(1, n),
                     .rev = (int64_t)rev,
                     .detail = {detail, DETAIL + n % VARIED},
                     .first = rev == 1};

    memset(detail, 'x', sizeof(detail));
    bench_must(audit_append(b->d, &e, err), err);
}

/* One entry for each file, in the order of their identifiers first and in none later. */
static void fill_round(bench *b, uint64_t rev) {
    atg_err err = {0};

    for (uint64_t from = 0; from < b->files; from += IN_ONE) {
        double start = bench_seconds(), wall;

        bench_must(db_begin(b->d, DB_WRITE, &err), &err);
        for (uint64_t k = from; k < from + IN_ONE && k < b->files; k++) {
            uint64_t n = rev == 1 ? k : k * 7368787 % b->files;

            if (rev == 1)
                add_file(b, n, &err);
            append(b, n, rev, &err);
        }
        bench_must(db_commit(b->d, &err), &err);
        wall = bench_seconds();
        *(rev == 1 ? &b->first : &b->append) += wall - start;
        bench_must(db_begin(b->d, DB_WRITE, &err), &err);
        bench_must(audit_sequence(b->d, NULL, &err), &err);
        bench_must(db_commit(b->d, &err), &err);
        b->sequence += bench_seconds() - wall;
    }
    bench_must(db_begin(b->d, DB_WRITE, &err), &err);
    bench_must(
        audit_checkpoint(b->d, &b->pair, "antigone.example/K3", (int64_t)rev, &b->kept, &err),
        &err);
    bench_must(db_commit(b->d, &err), &err);
}

static void fill(bench *b) {
    double entries = (double)(b->files * b->rounds), later = (double)(b->files * (b->rounds - 1));

    for (uint64_t rev = 1; rev <= b->rounds; rev++)
        fill_round(b, rev);
    printf("# %s: %.0f entries of about 300 bytes in %llu files, %d in a transaction, fsync on\n",
           b->name, entries, (unsigned long long)b->files, IN_ONE);
    printf("# to files that are there, the end of the chain looked up\n");
    printf("audit.append_per_second_%s %.0f entries/s\n", b->name, later / b->append);
    printf("# the first of new files, with the rows of the file and its record\n");
    printf("audit.append_first_per_second_%s %.0f entries/s\n", b->name,
           (double)b->files / b->first);
    printf("# into the tree, %d at a time\n", IN_ONE);
    printf("audit.sequence_per_second_%s %.0f entries/s\n", b->name, entries / b->sequence);
}

static int add_to_file(void *user, atg_str bytes, atg_err *err) {
    if (fwrite(bytes.p, 1, bytes.n, user) != bytes.n)
        return atg_fail(err, ATG_EIO, "The file cannot be written");
    return ATG_OK;
}

static void verify(bench *b, const char *path) {
    audit_wanted wanted = {.pub = &b->pair.pub, .witnessed = &b->kept, .n_witnessed = 1};
    double best = 1e300, best_file = 1e300, start = bench_cpu_seconds();
    audit_report r = {0};
    atg_err err = {0};
    FILE *f = fopen(path, "we");

    if (!f)
        bench_must(atg_fail(&err, ATG_EIO, "Cannot write %s", path), &err);
    for (int i = 0; i < RUNS; i++) {
        bench_must(db_begin(b->d, DB_READ, &err), &err);
        bench_must(audit_verify(b->d, &wanted, 0, NULL, &r, &err), &err);
        best = r.seconds < best ? r.seconds : best;
        bench_must(db_commit(b->d, &err), &err);
    }
    printf("# %s: %llu entries, as many leaves, %llu records; the best of %d runs on all "
           "processors\n",
           b->name, (unsigned long long)r.entries, (unsigned long long)r.records, RUNS);
    printf("audit.verify_entries_per_second_%s %.0f entries/s\n", b->name,
           (double)r.entries / best);
    printf("# processor time of this program (not of the server) for one entry\n");
    printf("audit.verify_cpu_%s %.2f us\n", b->name,
           1e6 * (bench_cpu_seconds() - start) / RUNS / (double)r.entries);
    bench_must(db_begin(b->d, DB_READ, &err), &err);
    bench_must(audit_export(b->d, (stream_sink){add_to_file, f}, NULL, &err), &err);
    bench_must(db_commit(b->d, &err), &err);
    if (fclose(f))
        bench_must(atg_fail(&err, ATG_EIO, "Cannot write %s", path), &err);
    for (int i = 0; i < RUNS; i++) {
        bench_must(audit_verify_file(path, &wanted, 0, NULL, &r, &err), &err);
        best_file = r.seconds < best_file ? r.seconds : best_file;
    }
    printf("audit.verify_file_entries_per_second %.0f entries/s\n", (double)r.entries / best_file);
}

static void measure(const char *name, const char *directory, const char *conninfo, int argc,
                    char **argv, const char *file) {
    bench b = {.name = name,
               .files = (uint64_t)bench_argument(argc, argv, 1, 100000),
               .rounds = (uint64_t)bench_argument(argc, argv, 2, 10)};
    migrate_plan plan = {.migrations = record_migrations,
                         .n = record_migrations_n,
                         .directory = directory,
                         .create = true};
    db_options options = {.directory = directory, .conninfo = conninfo, .create = true};
    atg_err err = {0};

    bench_must(db_open(&options, &b.d, &err), &err);
    bench_must(migrate(b.d, &plan, &err), &err);
    sign_pair_of(&(key256){{1}}, &b.pair);
    fill(&b);
    verify(&b, file);
    db_close(b.d);
}

static int remove_one(const char *path, const struct stat *at, int kind, struct FTW *where) {
    (void)at;
    (void)kind;
    (void)where;
    return remove(path);
}

int main(int argc, char **argv) {
    char folder[64] = "/var/tmp/atg-bench-XXXXXX", conninfo[300], file[80];

    if (!mkdtemp(folder))
        return 1;
    (void)snprintf(file, sizeof(file), "%s/history", folder);
    measure("sqlite", folder, NULL, argc, argv, file);
    if (!server_installed() || !server_start(true) || !server_make_database("bench")) {
        puts("# PostgreSQL is not installed: not measured");
    } else {
        (void)snprintf(conninfo, sizeof(conninfo), "host=%s user=atg dbname=bench",
                       server_socket());
        measure("postgres", NULL, conninfo, argc, argv, file);
        server_end();
    }
    nftw(folder, remove_one, FILES_OPEN, FTW_DEPTH | FTW_PHYS); /* NOLINT(concurrency-mt-unsafe) */
    printf("# largest resident set\naudit.peak_mib %.0f MiB\n", bench_peak_mib());
    return 0;
}
