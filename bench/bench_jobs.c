/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs that several workers claim and do: claims alone, whole jobs with an effect in the
 * transaction of jobs_done(), and how soon a commit elsewhere is heard of.
 *
 *     bench_jobs [seconds [workers]]
 */
#include "bench.h"

#include <ftw.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "server.h"
#include "store/jobs.h"
#include "store/listen.h"
#include "store/records.h"
#include "store/store.h"

enum { WORKERS_MAX = 32, FILES_OPEN = 16, FOLDER = 64, FILL = 500, HINTS = 200 };

static const db_statement release_all = {"release_all",
                                         "UPDATE job SET state = 'waiting', due = 0, attempts = 0"};
static const db_statement remove_all = {"remove_all", "DELETE FROM job"};
static const db_statement set_meta = {"set_meta",
                                      "INSERT INTO meta(name, value) VALUES ($1, $2) "
                                      "ON CONFLICT (name) DO UPDATE SET value = excluded.value"};

typedef struct worker {
    store *s;
    pthread_t thread;
    char name[32];
    atg_arena *arena;
    job *jobs;
    uint32_t n, limit;
    const job *at;
    uint64_t n_claimed, n_calls, n_done;
    bool does;
} worker;

static atomic_bool stop;
static const size_t arena_limit = (size_t)64 << 20;

static int add_some(db *d, void *user, atg_err *err) {
    uint32_t *next = user;
    int rc = ATG_OK;

    for (uint32_t i = 0; i < FILL && rc == ATG_OK; i++) {
        char subject[16];

        (void)snprintf(subject, sizeof(subject), "%u", *next + i);
        rc = jobs_add(d, "match", atg_str_of(subject), NULL, ATG_STR("{}"), 0, err);
    }
    return rc;
}

static void add_jobs(store *s, uint32_t n) {
    atg_err err;

    for (uint32_t i = 0; i < n; i += FILL)
        bench_must(store_write(s, add_some, &i, &err), &err);
}

static int claim(db *d, void *user, atg_err *err) {
    worker *w = user;

    job_claim how = {.kind = "match",
                     .worker = atg_str_of(w->name),
                     .now = clock_now(),
                     .lease_us = 3600000000,
                     .limit = w->limit};

    return jobs_claim(d, w->arena, &how, &w->jobs, &w->n, err);
}

static int finish(db *d, void *user, atg_err *err) {
    worker *w = user;
    int rc =
        db_post(d, &set_meta,
                (db_value[]){db_text(w->at->subject), db_blob(w->at->id.bytes, UUID_SIZE)}, 2, err);

    return rc ? rc : jobs_done(d, &w->at->id, atg_str_of(w->name), err);
}

static void *work(void *user) {
    worker *w = user;
    atg_err err;

    while (!atomic_load(&stop)) {
        w->arena = bench_had(atg_arena_new(arena_limit));
        bench_must(store_queue(w->s, claim, w, &err), &err);
        w->n_claimed += w->n;
        w->n_calls++;
        for (uint32_t i = 0; w->does && i < w->n; i++) {
            w->at = &w->jobs[i];
            bench_must(store_write(w->s, finish, w, &err), &err);
            w->n_done++;
        }
        atg_arena_free(w->arena);
        if (w->n == 0)
            break;
    }
    return NULL;
}

/* Workers that claim `limit` at a time until the time is over or nothing waits any more. */
static void measure(store *s, const char *figure, const char *name, double seconds,
                    uint32_t n_workers, uint32_t limit) {
    static worker workers[WORKERS_MAX];
    struct timespec nap = {.tv_nsec = 10000000};
    uint64_t claimed = 0, calls = 0, done = 0;
    bool does = strstr(figure, "done") != NULL;
    double wall;

    atomic_store(&stop, false);
    wall = bench_seconds();
    for (uint32_t i = 0; i < n_workers; i++) {
        workers[i] = (worker){.s = s, .limit = limit, .does = does};
        (void)snprintf(workers[i].name, sizeof(workers[i].name), "worker %u", i);
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
            n_workers = i;
    }
    while (bench_seconds() - wall < seconds)
        nanosleep(&nap, NULL);
    atomic_store(&stop, true);
    for (uint32_t i = 0; i < n_workers; i++) {
        pthread_join(workers[i].thread, NULL);
        claimed += workers[i].n_claimed;
        calls += workers[i].n_calls;
        done += workers[i].n_done;
    }
    wall = bench_seconds() - wall;
    printf("# %u workers, %u a claim: %llu jobs in %llu claims and %.1f s\n", n_workers, limit,
           (unsigned long long)claimed, (unsigned long long)calls, wall);
    printf("jobs.%s_per_second_%s %.0f jobs/s\n", figure, name,
           (double)(does ? done : claimed) / wall);
}

static int run_statement(db *d, void *user, atg_err *err) {
    return db_run(d, user, NULL, 0, NULL, err);
}

static void run_now(store *s, const db_statement *statement) {
    db_statement *same = bench_alloc(1, sizeof(*same));
    atg_err err;

    *same = *statement;
    bench_must(store_write(s, run_statement, same, &err), &err);
}

typedef struct ear {
    listener *l;
    pthread_t thread;
    _Atomic double heard;
} ear;

static void *hear(void *user) {
    ear *e = user;

    while (!atomic_load(&stop))
        if (listener_wait(e->l, 1000))
            atomic_store(&e->heard, bench_seconds());
    return NULL;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void measure_hints(const store_options *options, store *s, const char *name) {
    struct timespec nap = {.tv_nsec = 30000000}, short_nap = {.tv_nsec = 100000};
    ear e = {0};
    double took[HINTS];
    atg_err err;

    bench_must(listener_open(options->directory, options->conninfo, JOBS_CHANNEL, &e.l, &err),
               &err);
    atomic_store(&stop, false);
    if (pthread_create(&e.thread, NULL, hear, &e))
        return;
    for (uint32_t i = 0; i < HINTS; i++) {
        double before;
        uint32_t number = 10000000 + FILL * i;

        nanosleep(&nap, NULL);
        before = bench_seconds();
        bench_must(store_write(s, add_some, &number, &err), &err);
        took[i] = bench_seconds();
        while (atomic_load(&e.heard) < before)
            nanosleep(&short_nap, NULL);
        took[i] = atomic_load(&e.heard) - took[i];
    }
    atomic_store(&stop, true);
    listener_wake(e.l);
    pthread_join(e.thread, NULL);
    listener_close(e.l);
    qsort(took, HINTS, sizeof(*took), by_value);
    printf("# %d commits, from the acknowledgement to the hint, the 99th of 100\n", HINTS);
    printf("jobs.hint_p99_%s %.1f ms\n", name, 1000 * took[HINTS * 99 / 100]);
}

static void measure_all(const store_options *options, const char *name, double seconds,
                        uint32_t workers) {
    static const uint32_t jobs = 100000;
    store *s;
    atg_err err;
    double wall;

    bench_must(store_open(options, &s, &err), &err);
    wall = bench_seconds();
    add_jobs(s, jobs);
    wall = bench_seconds() - wall;
    printf("# %u jobs added, %d in a transaction\njobs.adds_per_second_%s %.0f jobs/s\n", jobs,
           FILL, name, jobs / wall);
    measure(s, "single_claims", name, seconds, 1, 1);
    measure(s, "claims", name, seconds, workers, 1);
    measure(s, "batch_claims", name, seconds, workers, 16);
    run_now(s, &release_all);
    measure(s, "done", name, seconds, workers, 16);
    run_now(s, &remove_all);
    measure_hints(options, s, name);
    store_close(s);
}

static int remove_one(const char *path, const struct stat *at, int kind, struct FTW *where) {
    (void)at;
    (void)kind;
    (void)where;
    return remove(path);
}

int main(int argc, char **argv) {
    double seconds = bench_argument(argc, argv, 1, 5);
    uint32_t workers = (uint32_t)bench_argument(argc, argv, 2, 8);
    char folder[FOLDER] = "/var/tmp/atg-bench-XXXXXX", conninfo[300];
    store_options options = {.create = true,
                             .directory = folder,
                             .n_readers = WORKERS_MAX,
                             .migrations = record_migrations,
                             .n_migrations = record_migrations_n};

    if (workers > WORKERS_MAX || !mkdtemp(folder))
        return 1;
    measure_all(&options, "sqlite", seconds, workers);
    nftw(folder, remove_one, FILES_OPEN, FTW_DEPTH | FTW_PHYS); /* NOLINT(concurrency-mt-unsafe) */
    if (!server_installed() || !server_start(true) || !server_make_database("bench")) {
        puts("# PostgreSQL is not installed: not measured");
    } else {
        (void)snprintf(conninfo, sizeof(conninfo), "host=%s user=atg dbname=bench",
                       server_socket());
        options.conninfo = conninfo;
        measure_all(&options, "postgres", seconds, workers);
        server_end();
    }
    printf("# largest resident set\njobs.peak_mib %.0f MiB\n", bench_peak_mib());
    return 0;
}
