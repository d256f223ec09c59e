/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures put in, given out and checked, beside the same bytes written plainly: a file each,
 * fsync and close; and read, after both were dropped from the cache of the system.  With SQLite
 * also what a backup does with them: copied into another folder.
 *
 *     bench_blobs [MiB [threads]]
 */
#include "bench.h"

#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server.h"
#include "store/blobs.h"
#include "store/records.h"

enum { THREADS_MAX = 64, FILES_OPEN = 16, FOLDER = 64, PATH = 200, READ = 1 << 20 };

typedef struct shelf {
    const char *name, *folder;
    blobs b;
    uuid operation, person;
    size_t size;    /* of a picture */
    uint32_t count; /* of each thread */
    bool plain;     /* write and read plainly */
} shelf;

typedef struct worker {
    const shelf *f;
    pthread_t thread;
    char *bytes;
    hash256 *hashes;
    uint32_t number;
} worker;

static worker workers[THREADS_MAX];

/* Each picture is another one. */
static atg_str picture(const worker *w, uint32_t i) {
    memcpy(w->bytes, &i, sizeof(i));
    memcpy(w->bytes + sizeof(i), &w->number, sizeof(w->number));
    return (atg_str){w->bytes, w->f->size};
}

static void path_of(const worker *w, uint32_t i, char ret[PATH]) {
    (void)snprintf(ret, PATH, "%s/plain-%u-%u", w->f->folder, w->number, i);
}

static void stop(const char *what) {
    perror(what);
    exit(3); /* NOLINT(concurrency-mt-unsafe): there is nothing to keep */
}

static void write_plain(const worker *w, uint32_t i) {
    atg_str bytes = picture(w, i);
    char path[PATH];
    int fd;

    path_of(w, i, path);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    for (size_t at = 0; fd >= 0 && at < bytes.n;) {
        ssize_t n = write(fd, bytes.p + at, bytes.n - at);

        if (n < 0)
            stop(path);
        at += (size_t)n;
    }
    if (fd < 0 || fsync(fd) || close(fd))
        stop(path);
}

static void read_plain(const worker *w, uint32_t i) {
    char path[PATH], *buffer = w->bytes;
    int fd;

    path_of(w, i, path);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        stop(path);
    while (read(fd, buffer, w->f->size < READ ? w->f->size : READ) > 0)
        ;
    (void)close(fd);
}

static int nowhere(void *user, atg_str bytes, atg_err *err) {
    (void)user;
    (void)bytes;
    (void)err;
    return ATG_OK;
}

static void *put_all(void *user) {
    worker *w = user;
    const shelf *f = w->f;
    atg_err err;

    for (uint32_t i = 0; i < f->count; i++)
        if (f->plain)
            write_plain(w, i);
        else
            bench_must(
                blobs_put(&f->b, &f->operation, &f->person, picture(w, i), &w->hashes[i], &err),
                &err);
    return NULL;
}

static void *get_all(void *user) {
    worker *w = user;
    const shelf *f = w->f;
    atg_err err;

    for (uint32_t i = 0; i < f->count; i++)
        if (f->plain)
            read_plain(w, i);
        else
            bench_must(
                blobs_get(&f->b, &f->person, &w->hashes[i], (stream_sink){nowhere, NULL}, &err),
                &err);
    return NULL;
}

static int drop_one(const char *path, const struct stat *at, int kind, struct FTW *where) {
    int fd = kind == FTW_F ? open(path, O_RDONLY | O_CLOEXEC) : -1;

    (void)at;
    (void)where;
    if (fd >= 0) {
        (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
        (void)close(fd);
    }
    return 0;
}

static int remove_one(const char *path, const struct stat *at, int kind, struct FTW *where) {
    (void)at;
    (void)kind;
    (void)where;
    return remove(path);
}

static void walk(const char *folder, __nftw_func_t each) {
    nftw(folder, each, FILES_OPEN, FTW_DEPTH | FTW_PHYS); /* NOLINT(concurrency-mt-unsafe) */
}

/* MiB a second of all threads together. */
static double run(const shelf *f, uint32_t threads, void *(*work)(void *)) {
    double wall = bench_seconds();

    for (uint32_t t = 0; t < threads; t++) {
        workers[t].f = f;
        if (pthread_create(&workers[t].thread, NULL, work, &workers[t]))
            stop("thread");
    }
    for (uint32_t t = 0; t < threads; t++)
        pthread_join(workers[t].thread, NULL);
    wall = bench_seconds() - wall;
    return (double)f->size * f->count * threads / wall / (1 << 20);
}

static double check(const shelf *f) {
    blob_checking how = {.tidy = false};
    blob_report r;
    atg_err err;
    double wall = bench_seconds();

    bench_must(blobs_check(&f->b, &how, &r, &err), &err);
    wall = bench_seconds() - wall;
    if (r.missing || r.changed || r.loose)
        fputs("pictures are missing or damaged\n", stderr);
    return (double)r.bytes / wall / (1 << 20);
}

/* Into another folder of the same disk, which reads and writes meanwhile. */
static double copy(const shelf *f) {
    char from[PATH], to[PATH];
    blob_copied done;
    atg_err err;
    double wall;

    (void)snprintf(from, sizeof(from), "%s/pictures", f->folder);
    (void)snprintf(to, sizeof(to), "%s/copy", f->folder);
    walk(f->folder, drop_one);
    wall = bench_seconds();
    bench_must(blobs_copy(from, to, NULL, &done, &err), &err);
    return (double)done.bytes / (bench_seconds() - wall) / (1 << 20);
}

static int make_person(db *d, void *user, atg_err *err) {
    const shelf *f = user;
    int rc = keys_operation_new(d, f->b.keys, &f->operation, err);

    return rc ? rc : keys_person_new(d, f->b.keys, &f->operation, &f->person, NULL, err);
}

static void tell(const char *what, const shelf *f, const char *how, double x) {
    printf("blobs.%s_%s_%zu_kib%s %.0f MiB/s\n", what, f->name, f->size >> 10, how, x);
}

static void measure(shelf *f, const store_options *o, size_t mib, uint32_t threads) {
    static const key256 master = {{1}};
    double plain_put, plain_get, put, got;
    atg_err err;

    bench_must(store_open(o, &f->b.s, &err), &err);
    bench_must(keyring_open(&master, &f->b.keys, &err), &err);
    bench_must(uuid_new(&f->operation, &err), &err);
    bench_must(uuid_new(&f->person, &err), &err);
    bench_must(store_write(f->b.s, make_person, f, &err), &err);
    f->b.directory = f->folder;
    f->count = (uint32_t)((mib << 20) / f->size / threads) + 1;
    for (uint32_t t = 0; t < threads; t++) {
        workers[t].number = t;
        workers[t].bytes = bench_alloc(f->size + READ, 1);
        workers[t].hashes = bench_alloc(f->count, sizeof(hash256));
        for (size_t i = 0; i < f->size; i++)
            workers[t].bytes[i] = (char)(i * 2654435761U >> 20);
    }
    printf("# %s: %u pictures of %zu KiB, %u threads; plain: a file each, fsync\n", f->name,
           f->count * threads, f->size >> 10, threads);
    f->plain = true;
    plain_put = run(f, threads, put_all);
    walk(f->folder, drop_one);
    plain_get = run(f, threads, get_all);
    f->plain = false;
    put = run(f, threads, put_all);
    walk(f->folder, drop_one);
    got = run(f, threads, get_all);
    tell("put", f, "_plain", plain_put);
    tell("put", f, "", put);
    printf("blobs.put_%s_%zu_kib_share %.0f %%\n", f->name, f->size >> 10, 100 * put / plain_put);
    tell("get", f, "_plain", plain_get);
    tell("get", f, "", got);
    printf("blobs.get_%s_%zu_kib_share %.0f %%\n", f->name, f->size >> 10, 100 * got / plain_get);
    tell("check", f, "", check(f));
    if (o->directory && !o->conninfo) {
        double copied = copy(f);

        tell("copy", f, "", copied);
        printf("blobs.copy_%s_%zu_kib_share %.0f %%\n", f->name, f->size >> 10,
               100 * copied / plain_put);
    }
    for (uint32_t t = 0; t < threads; t++) {
        free(workers[t].bytes);
        free(workers[t].hashes);
    }
    store_close(f->b.s);
    keyring_close(f->b.keys);
}

static void measure_size(size_t size, bool postgres, size_t mib, uint32_t threads) {
    char folder[FOLDER] = "/var/tmp/atg-bench-XXXXXX", conninfo[300], name[32];
    shelf f = {.name = postgres ? "postgres" : "sqlite", .folder = folder, .size = size};
    store_options o = {.directory = folder,
                       .create = true,
                       .migrations = record_migrations,
                       .n_migrations = record_migrations_n};

    (void)snprintf(name, sizeof(name), "bench%zu", size);
    if (!mkdtemp(folder) || (postgres && !server_make_database(name)))
        stop(folder);
    (void)snprintf(conninfo, sizeof(conninfo), "host=%s user=atg dbname=%s",
                   postgres ? server_socket() : "", name);
    o.conninfo = postgres ? conninfo : NULL;
    measure(&f, &o, mib, threads);
    walk(folder, remove_one);
}

int main(int argc, char **argv) {
    static const size_t sizes[] = {(size_t)400 << 10, (size_t)4 << 20, (size_t)24 << 20};
    size_t mib = (size_t)bench_argument(argc, argv, 1, 384);
    uint32_t threads = (uint32_t)bench_argument(argc, argv, 2, 2);
    bool postgres = server_installed() && server_start(true);

    if (threads < 1 || threads > THREADS_MAX)
        return 2;
    for (size_t i = 0; i < 3; i++) {
        measure_size(sizes[i], false, mib, threads);
        if (postgres)
            measure_size(sizes[i], true, mib, threads);
    }
    if (postgres)
        server_end();
    else
        puts("# PostgreSQL is not installed: not measured");
    printf("# largest resident set\nblobs.peak_mib %.0f MiB\n", bench_peak_mib());
    return 0;
}
