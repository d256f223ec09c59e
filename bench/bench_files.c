/* SPDX-License-Identifier: Apache-2.0 */
/* Files and records as rows, with their keys: how fast they go in, and what a page of a list, a
 * file, a record and a walk over all records cost when there are many.
 *
 *     bench_files [files [pages [sqlite | postgres]]]
 *
 * Each file is a missing person with a key of their own, twelve fields sealed.  One in a hundred is
 * in another state than the first, one in a thousand of unknown sex, one in fifty withdrawn; one in
 * three has no name to sort by. */
#include "bench.h"

#include <ftw.h>
#include <string.h>

#include "server.h"
#include "store/files.h"
#include "store/records.h"

enum { BATCH = 1000, PAGE = 50, ARENA = 64 << 20, FOLDER = 64, FILES_OPEN = 16, WALK = 1000 };

typedef struct bench {
    const char *name;
    db *d;
    keyring *keys;
    uuid operation;
    uuid *ids;
    uint32_t n, n_pages;
    atg_rng rng;
    atg_arena *arena;
    double *times;
} bench;

static value text_of(const char *z) {
    return (value){.known = true, .text = atg_str_of(z)};
}

/* ---- making them ---- */

static void fill(bench *b, record *r) {
    static const char *const family[] = {"Halvorsen", "Olsen", "Berg", "Haugen", "Hagen"};
    static const char *const given[] = {"Liv", "Anne", "Jan", "Per", "Ingrid", "Lars"};

    r->fields[MISSING_FAMILY_NAME] = text_of(family[atg_rng_below(&b->rng, 5)]);
    r->fields[MISSING_GIVEN_NAME] = text_of(given[atg_rng_below(&b->rng, 6)]);
    r->fields[MISSING_BORN] = text_of("1984-03-12");
    r->fields[MISSING_LAST_SEEN] = text_of("2026-11-24");
    r->fields[MISSING_LAST_PLACE] = text_of("On the car deck of the ferry, near the stern");
    r->fields[MISSING_INFORMANT_NAME] = text_of("Kari Halvorsen, sister");
    r->fields[MISSING_INFORMANT_CONTACT] = text_of("+47 55 00 00 00, Strandgaten 1, Bergen");
    r->fields[MISSING_HAIR] = text_of("brown, shoulder length");
    r->fields[MISSING_EYES] = text_of("blue");
    r->fields[MISSING_CLOTHING] = text_of("yellow raincoat, black trousers, rubber boots size 38");
    r->fields[MISSING_NATIONALITY] = text_of("Norwegian");
    r->fields[MISSING_STORY] = text_of("Called at 23:40 and said that the ship was listing.");
    r->fields[MISSING_AGE] = (value){.known = true, .range = {42, 42}};
}

static void add_one(bench *b, uint32_t i, int64_t n, int64_t number, atg_err *err) {
    record *r = bench_had(record_new(b->arena, RECORD_MISSING));
    char code[FILE_CODE_MAX], sort[8];
    uint64_t name = atg_rng_next(&b->rng);
    int of = atg_rng_below(&b->rng, 1000) == 0 ? SEX_UNKNOWN : (int)atg_rng_below(&b->rng, 2);
    uint32_t state = atg_rng_below(&b->rng, 100) ? 0 : 1 + (uint32_t)atg_rng_below(&b->rng, 5);

    bench_must(uuid_new(&r->id, err), err);
    r->operation = b->operation;
    r->file = r->person = r->id;
    r->rev = 1;
    r->state = state;
    r->created = r->changed = 1800000000000000 + (int64_t)atg_rng_below(&b->rng, 1000000000000);
    r->withdrawn = atg_rng_below(&b->rng, 50) == 0;
    files_code("AM", ATG_STR("K3"), number, code);
    r->code = atg_str_of(code);
    r->fields[MISSING_SEX] = (value){.known = true, .choice = (uint32_t)of};
    fill(b, r);
    memcpy(sort, &name, sizeof(sort));
    b->ids[i] = r->id;
    bench_must(keys_person_new(b->d, b->keys, &b->operation, &r->id, NULL, err), err);
    bench_must(records_insert(b->d, b->keys, r, err), err);
    bench_must(files_insert(b->d,
                            &(file_row){.n = n,
                                        .id = r->id,
                                        .operation = b->operation,
                                        .kind = RECORD_MISSING,
                                        .code = r->code,
                                        .state = state,
                                        .sex = of,
                                        .sort = {sort, name % 3 ? sizeof(sort) : 0},
                                        .changed = r->changed,
                                        .withdrawn = r->withdrawn},
                            NULL, err),
               err);
}

static void add_all(bench *b, const db_options *options) {
    migrate_plan plan = {.migrations = record_migrations,
                         .n = record_migrations_n,
                         .directory = options->directory,
                         .create = true};
    int64_t n = 0, number = 0;
    double start;
    atg_err err;

    bench_must(db_open(options, &b->d, &err), &err);
    bench_must(migrate(b->d, &plan, &err), &err);
    bench_must(keyring_open(&(key256){{1}}, &b->keys, &err), &err);
    bench_must(uuid_new(&b->operation, &err), &err);
    start = bench_seconds();
    for (uint32_t i = 0; i < b->n; i++) {
        if (i % BATCH == 0) {
            b->arena = bench_had(atg_arena_new(ARENA));
            bench_must(db_begin(b->d, DB_WRITE, &err), &err);
            if (i == 0)
                bench_must(keys_operation_new(b->d, b->keys, &b->operation, &err), &err);
            bench_must(files_numbers(b->d, "AM", ATG_STR("K3"), BATCH, &n, &number, &err), &err);
        }
        add_one(b, i, n + i % BATCH, number + i % BATCH, &err);
        if (i % BATCH == BATCH - 1 || i == b->n - 1) {
            bench_must(db_commit(b->d, &err), &err);
            atg_arena_free(b->arena);
        }
    }
    printf("# %s: %u files with their record and key, %d a transaction\n", b->name, b->n, BATCH);
    printf("files.inserted_%s %.0f files/s\n", b->name, b->n / (bench_seconds() - start));
    (void)fflush(stdout);
}

/* ---- reading them ---- */

typedef void look(bench *b, const uuid *id, const void *user);

static int by_time(const void *a, const void *b) {
    const double *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* Each in a transaction of its own, as a reader of a store has it. */
static void measure(bench *b, const char *what, uint32_t n, look *fn, const void *user) {
    atg_err err;

    for (uint32_t i = 0; i < n; i++) {
        const uuid *id = &b->ids[atg_rng_below(&b->rng, b->n)];
        double start = bench_seconds();

        b->arena = bench_had(atg_arena_new(ARENA));
        bench_must(db_begin(b->d, DB_READ, &err), &err);
        fn(b, id, user);
        bench_must(db_commit(b->d, &err), &err);
        b->times[i] = bench_seconds() - start;
        atg_arena_free(b->arena);
    }
    qsort(b->times, n, sizeof(*b->times), by_time);
    printf("files.%s_%s_p50 %.3f ms\n", what, b->name, 1e3 * b->times[n / 2]);
    printf("files.%s_%s_p99 %.3f ms\n", what, b->name, 1e3 * b->times[n - 1 - n / 100]);
    (void)fflush(stdout);
}

static void page(bench *b, const uuid *id, const void *user) {
    files_query q = *(const files_query *)user;
    file_row *rows;
    uint32_t n;
    atg_err err;

    q.operation = b->operation;
    q.after = *id;
    bench_must(files_list(b->d, b->arena, &q, &rows, &n, &err), &err);
}

static void get_record(bench *b, const uuid *id, const void *user) {
    record_row row;
    atg_err err;

    (void)user;
    bench_must(records_get(b->d, b->keys, b->arena, RECORD_MISSING, id, &row, &err), &err);
}

static void page_of_records(bench *b, const uuid *id, const void *user) {
    records_query q = {.kind = RECORD_MISSING,
                       .by = RECORDS_OF_OPERATION,
                       .of = b->operation,
                       .after = *id,
                       .limit = PAGE};
    record_row *rows;
    uint32_t n;
    atg_err err;

    (void)user;
    bench_must(records_list(b->d, b->keys, b->arena, &q, &rows, &n, &err), &err);
}

static void find_code(bench *b, const uuid *id, const void *user) {
    char code[FILE_CODE_MAX];
    file_row f;
    atg_err err;

    (void)id;
    (void)user;
    files_code("AM", ATG_STR("K3"), 1 + (int64_t)atg_rng_below(&b->rng, b->n), code);
    bench_must(files_find(b->d, b->arena, atg_str_of(code), &f, &err), &err);
}

static void count_states(bench *b, const uuid *id, const void *user) {
    int64_t counts[MISSING_STATE_COUNT];
    atg_err err;

    (void)id;
    (void)user;
    bench_must(files_count(b->d, &b->operation, RECORD_MISSING, counts, MISSING_STATE_COUNT, &err),
               &err);
}

static void walk(bench *b) {
    records_query q = {
        .kind = RECORD_MISSING, .by = RECORDS_OF_OPERATION, .of = b->operation, .limit = WALK};
    double start = bench_seconds();
    uint32_t n, all = 0;
    record_row *rows;
    atg_err err;

    bench_must(db_begin(b->d, DB_READ, &err), &err);
    do {
        b->arena = bench_had(atg_arena_new(ARENA));
        bench_must(records_list(b->d, b->keys, b->arena, &q, &rows, &n, &err), &err);
        if (n)
            q.after = rows[n - 1].r->id;
        all += n;
        atg_arena_free(b->arena);
    } while (n == WALK);
    bench_must(db_commit(b->d, &err), &err);
    printf("files.records_read_%s %.0f records/s\n", b->name, all / (bench_seconds() - start));
}

static void run(bench *b, const db_options *options) {
    static const struct {
        const char *name;
        files_query q;
    } pages[] = {
        {"page_by_code", {.state = -1, .sex = -1, .order = FILES_BY_CODE}},
        {"page_by_name", {.state = -1, .sex = -1, .order = FILES_BY_NAME}},
        {"page_by_change", {.state = -1, .sex = -1, .order = FILES_BY_CHANGE}},
        {"page_with_withdrawn",
         {.state = -1, .sex = -1, .withdrawn = true, .order = FILES_BY_NAME}},
        {"page_of_rare_state", {.state = 3, .sex = -1, .order = FILES_BY_NAME}},
        {"page_of_rare_sex", {.state = -1, .sex = SEX_UNKNOWN, .order = FILES_BY_CHANGE}},
        {"page_of_state_and_sex", {.state = 0, .sex = SEX_FEMALE, .order = FILES_BY_CODE}},
    };

    add_all(b, options);
    printf("# each in a transaction of its own, pages of %d from a random file on\n", PAGE);
    for (size_t i = 0; i < sizeof(pages) / sizeof(*pages); i++) {
        files_query q = pages[i].q;

        q.kind = RECORD_MISSING;
        q.limit = PAGE;
        measure(b, pages[i].name, b->n_pages, page, &q);
    }
    measure(b, "find_by_code", b->n_pages, find_code, NULL);
    measure(b, "record", b->n_pages, get_record, NULL);
    measure(b, "page_of_records", b->n_pages, page_of_records, NULL);
    measure(b, "count_by_state", 20, count_states, NULL);
    puts("# all records of the operation, opened, one after the other");
    walk(b);
    keyring_close(b->keys);
    db_close(b->d);
}

static int remove_one(const char *path, const struct stat *at, int kind, struct FTW *where) {
    (void)at;
    (void)kind;
    (void)where;
    return remove(path);
}

int main(int argc, char **argv) {
    char folder[FOLDER] = "/var/tmp/atg-bench-XXXXXX", conninfo[300];
    bench b = {.name = "sqlite",
               .n = (uint32_t)bench_argument(argc, argv, 1, 1000000),
               .n_pages = (uint32_t)bench_argument(argc, argv, 2, 1000),
               .rng = atg_rng_seed(1)};
    db_options options = {.directory = folder, .create = true, .statement_ms = 600000};

    const char *only = argc > 3 ? argv[3] : "";

    if (!mkdtemp(folder))
        return 1;
    b.ids = bench_alloc(b.n, sizeof(*b.ids));
    b.times = bench_alloc(b.n_pages + 100, sizeof(*b.times));
    if (strcmp(only, "postgres") != 0)
        run(&b, &options);
    nftw(folder, remove_one, FILES_OPEN, FTW_DEPTH | FTW_PHYS); /* NOLINT(concurrency-mt-unsafe) */
    if (strcmp(only, "sqlite") == 0) {
        puts("# PostgreSQL is not measured");
    } else if (!server_installed() || !server_start(true) || !server_make_database("bench")) {
        puts("# PostgreSQL is not installed: not measured");
    } else {
        (void)snprintf(conninfo, sizeof(conninfo), "host=%s user=atg dbname=bench",
                       server_socket());
        options.conninfo = conninfo;
        b.name = "postgres";
        run(&b, &options);
        server_end();
    }
    printf("# largest resident set\nfiles.peak_mib %.0f MiB\n", bench_peak_mib());
    free(b.ids);
    free(b.times);
    return 0;
}
