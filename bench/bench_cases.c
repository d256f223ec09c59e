/* SPDX-License-Identifier: Apache-2.0 */
/* Work on cases through src/app with many files: import, lists, searches, file pages, changes, and
 * keeping them.
 *
 *     bench_cases [files [sqlite|postgres|both [FOLDER [FIGURE]]]]
 *
 * With a folder the files stay in it, and are measured again without being made, and imported,
 * again.  FIGURE (list, list_names, search, file, changes, backup, verify) measures that one
 * alone; "import" takes more rows in.
 */
#include "people.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "app/accounts.h"
#include "app/csv_import.h"
#include "databases.h"

enum {
    FILES = 1000000,
    IMPORTED = 100000,
    LOOKS = 1000,
    THREADS = 64,
    SECONDS = 10,
    WARM = 50,
};

typedef struct scene {
    made_cases m;
    const char *name;
    atg_rng rng;
    uint32_t files;
    uuid *ids; /* of all */
    uint32_t n_ids;
} scene;

static uint32_t n_files;
static const char *figure; /* NULL: all */

static void must(int rc, const atg_err *err) {
    bench_must(rc, err);
}

/* ---- importing ---- */

static void import(scene *s, uint32_t rows) {
    atg_arena *arena = bench_had(atg_arena_new((size_t)4 << 30));
    atg_buf *buf = bench_had(atg_buf_new((size_t)1 << 30));
    /* another each time: rows that came before would not be taken in again */
    csv_options o = {.operation = s->m.operation,
                     .kind = RECORD_MISSING,
                     .source = atg_arena_printf(arena, "bench-%lld.csv", (long long)clock_now())};
    csv_done done;
    atg_str text;
    double start;
    atg_err err = {0};

    atg_buf_adds(buf, "id,family_name,given_name,sex,born,last_seen,last_place,informant_name,"
                      "informant_contact,basis\n");
    for (uint32_t i = 0; i < rows; i++) {
        row r = make_row(&s->rng);

        atg_buf_printf(buf, "%u,%s,%s,%s,%s,2026-11-01,\"%s\",%s,%s,consent\n", i, r.family,
                       r.given, r.female ? "female" : "male", r.born, r.place, r.informant,
                       r.contact);
    }
    must(atg_buf_take(buf, &text, &err), &err);
    start = bench_seconds();
    must(cases_import_csv(s->m.c, &s->m.all, arena, text, &o, &done, &err), &err);
    printf(
        "# %u rows of 10 fields from CSV into a store of %u files: checked, sealed, indexed, with "
        "history;\n# %u new, %u problems; peak memory %.0f MiB\n",
        rows, s->n_ids, done.added, done.n_problems, bench_peak_mib());
    printf("cases.import_%u_seconds_%s %.1f s\n", rows, s->name, bench_seconds() - start);
    atg_buf_free(buf);
    atg_arena_free(arena);
}

/* ---- looking ---- */

static int by_value(const void *x, const void *y) {
    const double *a = x, *b = y;

    return *a < *b ? -1 : *a > *b;
}

typedef void look_fn(scene *s, atg_arena *arena);

static void list_page(scene *s, atg_arena *arena) {
    files_query q = {.operation = s->m.operation,
                     .kind = RECORD_MISSING,
                     .state = atg_rng_below(&s->rng, 2) ? -1 : 0,
                     .sex = (int)atg_rng_below(&s->rng, 3) - 1,
                     .order = (files_order)atg_rng_below(&s->rng, 3),
                     .after = s->ids[atg_rng_below(&s->rng, s->n_ids)],
                     .limit = 50};
    file_page page;
    atg_err err = {0};

    must(cases_list(s->m.c, &s->m.by[ROLE_GENETICIST], arena, &q, &page, &err), &err);
}

static void named_page(scene *s, atg_arena *arena) {
    files_query q = {.operation = s->m.operation,
                     .kind = RECORD_MISSING,
                     .state = -1,
                     .sex = -1,
                     .order = FILES_BY_NAME,
                     .after = s->ids[atg_rng_below(&s->rng, s->n_ids)],
                     .limit = 50};
    file_page page;
    atg_err err = {0};

    must(cases_list(s->m.c, &s->m.by[ROLE_INTERVIEWER], arena, &q, &page, &err), &err);
}

static void search(scene *s, atg_arena *arena) {
    row r = make_row(&s->rng);
    search_query q = {
        .operation = s->m.operation, .kind = RECORD_MISSING, .state = -1, .sex = -1, .limit = 50};
    file_page page;
    atg_err err = {0};

    switch (atg_rng_below(&s->rng, 4)) {
    case 0:
        q.text = atg_str_of(r.family);
        break;
    case 1:
        q.text = atg_arena_printf(arena, "%s %s", r.family, r.given);
        break;
    case 2:
        q.text = atg_arena_printf(arena, "%s %s", r.given, r.born);
        break;
    default:
        q.text = atg_arena_printf(arena, "AM-K3-%06d", 1 + (int)atg_rng_below(&s->rng, s->n_ids));
    }
    if (cases_search(s->m.c, &s->m.by[ROLE_INTERVIEWER], arena, &q, &page, &err)) {
        printf("# looked for: %.*s\n", (int)q.text.n, q.text.p);
        must(err.code, &err);
    }
}

static void file_page_of(scene *s, atg_arena *arena) {
    const uuid *id = &s->ids[atg_rng_below(&s->rng, s->n_ids)];
    seen *all;
    uint32_t n;
    atg_err err = {0};

    must(cases_file(s->m.c, &s->m.by[ROLE_INTERVIEWER], arena, id, &all, &n, &err), &err);
}

static bool is_wanted(const char *what) {
    return !figure || strcmp(figure, what) == 0;
}

static void measure(scene *s, const char *what, const char *how, look_fn *look) {
    static double times[LOOKS];

    if (!is_wanted(what))
        return;

    for (int i = -WARM; i < LOOKS; i++) {
        atg_arena *arena = bench_had(atg_arena_new((size_t)1 << 30));
        double start = bench_seconds();

        look(s, arena);
        if (i >= 0)
            times[i] = bench_seconds() - start;
        atg_arena_free(arena);
    }
    qsort(times, LOOKS, sizeof(*times), by_value);
    printf("# %s; %u files, %d of them, median %.2f ms, longest %.1f ms\n", how, s->n_ids, LOOKS,
           times[LOOKS / 2] * 1e3, times[LOOKS - 1] * 1e3);
    printf("cases.%s_p99_ms_%s %.2f ms\n", what, s->name, times[LOOKS * 99 / 100] * 1e3);
}

/* ---- changing ---- */

static atomic_bool stop;

typedef struct worker {
    scene *s;
    pthread_t thread;
    uint32_t number;
    uint64_t n;
} worker;

/* What the editor has on the screen already. */
typedef struct screen {
    scene *s;
    atg_arena *arena;
    const uuid *id;
    record_row row;
} screen;

static int read_screen(db *d, void *user, atg_err *err) {
    screen *w = user;

    return records_get(d, cases_keys(w->s->m.c), w->arena, RECORD_MISSING, w->id, &w->row, err);
}

static void *work(void *user) {
    worker *w = user;
    atg_rng rng = atg_rng_seed(w->number + 77);

    while (!atomic_load(&stop)) {
        atg_arena *arena = bench_had(atg_arena_new((size_t)1 << 28));
        /* each edits files of its own, as people do */
        uint64_t at = (atg_rng_below(&rng, w->s->n_ids / THREADS)) * THREADS + w->number;
        screen now = {.s = w->s, .arena = arena, .id = &w->s->ids[at]};
        change ch = {.what = CHANGE_EDIT};
        char look[40];
        atg_err err = {0};

        must(store_read(cases_store(w->s->m.c), read_screen, &now, &err), &err);
        ch.r = now.row.r;
        (void)snprintf(look, sizeof(look), "brown %llu", (unsigned long long)w->n);
        /* every second edit is one of words that are searched for */
        made_set(arena, ch.r, w->n % 2 ? "clothing" : "hair", look);
        must(cases_change(w->s->m.c, &w->s->m.by[ROLE_INTERVIEWER], arena, &ch, &err), &err);
        w->n++;
        atg_arena_free(arena);
    }
    return NULL;
}

static worker workers[THREADS];

static void start_workers(scene *s) {
    atomic_store(&stop, false);
    for (uint32_t i = 0; i < THREADS; i++) {
        workers[i] = (worker){.s = s, .number = i};
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
            bench_must(ATG_ENOMEM, &(atg_err){.msg = "No more threads"});
    }
}

/* How many changes they made. */
static uint64_t stop_workers(void) {
    uint64_t done = 0;

    atomic_store(&stop, true);
    for (uint32_t i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        done += workers[i].n;
    }
    return done;
}

static void measure_changes(scene *s) {
    double start = bench_seconds(), cpu = bench_cpu_seconds();
    uint64_t done;

    start_workers(s);
    (void)nanosleep(&(struct timespec){.tv_sec = SECONDS}, NULL);
    done = stop_workers();
    printf(
        "# %d people edit files, each read before: rights, rules, history, sealing, search words, "
        "a job; fsync on\n",
        THREADS);
    printf("cases.changes_per_second_%s %.0f changes/s\n", s->name,
           (double)done / (bench_seconds() - start));
    printf("cases.change_cpu_us_%s %.0f us\n", s->name,
           1e6 * (bench_cpu_seconds() - cpu) / (double)done);
}

/* ---- keeping ---- */

static void measure_backup(scene *s, const database *where) {
    char path[300];
    struct stat made = {0};
    double start, seconds;
    uint64_t done;
    atg_err err = {0};

    (void)snprintf(path, sizeof(path), "%s/copy", where->directory);
    start_workers(s);
    start = bench_seconds();
    must(store_backup(cases_store(s->m.c), path, NULL, &err), &err);
    seconds = bench_seconds() - start;
    done = stop_workers();
    (void)stat(path, &made);
    (void)remove(path);
    printf("# %u files without pictures, %.0f MiB, while %d people edit: %.0f changes a second\n",
           s->n_ids, (double)made.st_size / (1 << 20), THREADS, (double)done / seconds);
    printf("cases.backup_seconds_%s %.1f s\n", s->name, seconds);
}

static int verify(db *d, void *user, atg_err *err) {
    KEY_AUTO key256 seed;
    scene *s = user;
    sign_pair pair;
    audit_report report;
    double start = bench_seconds();
    int rc = keys_site(d, cases_keys(s->m.c), SITE_SIGN, &seed, err);

    if (rc)
        return rc;
    sign_pair_of(&seed, &pair);
    rc = audit_verify(d, &(audit_wanted){.pub = &pair.pub}, 0, NULL, &report, err);
    if (rc)
        return rc;
    printf("# %llu entries of the history of %u files\n", (unsigned long long)report.entries,
           s->n_ids);
    printf("cases.verify_entries_per_second_%s %.0f entries/s\n", s->name,
           (double)report.entries / (bench_seconds() - start));
    return ATG_OK;
}

static void measure_verify(scene *s) {
    atg_err err = {0};

    must(store_read(cases_store(s->m.c), verify, s, &err), &err);
}

/* Nobody looks at a thousand pages an hour, but this does. */
static int without_limits(db *d, void *user, atg_err *err) {
    const made_cases *m = user;
    int rc = 0;

    for (int r = 0; r < ROLES && !rc; r++)
        for (int kind = 0; kind < QUOTAS && !rc; kind++)
            rc = quotas_set(d, &m->by[r].account, quota_names[kind], 1 << 30, err);
    return rc;
}

/* ---- a store that was made before ---- */

static const db_statement all_missing = {"all missing",
                                         "SELECT id FROM file WHERE kind = 'missing' ORDER BY n"};

static int read_ids(db *d, void *user, atg_err *err) {
    scene *s = user;
    db_rows *rows = NULL;
    int rc = db_stream(d, &all_missing, NULL, 0, &rows, err);

    s->n_ids = 0;
    while (!rc && s->n_ids < s->files && (rc = db_next(rows, err)) > 0) {
        memcpy(s->ids[s->n_ids++].bytes, db_get_blob(rows, 0).p, UUID_SIZE);
        rc = 0;
    }
    db_end(rows);
    return rc;
}

static void fill(scene *s) {
    uint32_t imported = n_files / 10 < IMPORTED ? n_files / 10 : IMPORTED;
    atg_err err = {0};

    must(store_write(cases_store(s->m.c), without_limits, &s->m, &err), &err);
    s->n_ids = n_files - imported;
    people_fill(&s->m, s->name, s->n_ids, s->ids);
    import(s, imported);
}

static void run(const database *where, bool made) {
    scene s = {.m = made ? made_cases_again(where) : made_cases_open(where),
               .name = where->postgres ? "postgres" : "sqlite",
               .rng = atg_rng_seed(3),
               .files = n_files};
    atg_err err = {0};

    s.ids = bench_alloc(n_files, sizeof(*s.ids));
    if (made)
        must(store_read(cases_store(s.m.c), read_ids, &s, &err), &err);
    else
        fill(&s);
    bench_made(where);
    if (figure && strcmp(figure, "import") == 0)
        import(&s, IMPORTED);
    measure(&s, "list", "a page of 50 codes in any order, from anywhere", list_page);
    measure(&s, "list_names", "a page of 50 names in their order, opened and told to the history",
            named_page);
    measure(&s, "search",
            "a family name, both names, a name and a birth date, or a code; opened "
            "and told to the history",
            search);
    measure(&s, "file", "a file with everything in it, opened and told to the history",
            file_page_of);
    if (is_wanted("changes"))
        measure_changes(&s);
    if (is_wanted("backup"))
        measure_backup(&s, where);
    if (is_wanted("verify"))
        measure_verify(&s);
    printf("# largest resident set\ncases.peak_mib_%s %.0f MiB\n", s.name, bench_peak_mib());
    free(s.ids);
    made_cases_close(&s.m);
}

int main(int argc, char **argv) {
    n_files = (uint32_t)bench_argument(argc, argv, 1, FILES);
    figure = argc > 4 ? argv[4] : NULL;
    bench_on_databases(argc, argv, 2, run);
    return 0;
}
