/* SPDX-License-Identifier: Apache-2.0 */
/* A large operation on a store: until the matcher is warm, and from the commit of a change to its
 * ranked list.
 *
 *     bench_match [missing [sqlite|postgres|both [FOLDER]]]
 *
 * With a folder the operation stays in it, and is measured again without being made again.
 */
#include "made_cases.h"

#include "data.h"

#include <string.h>

#include "app/matcher.h"
#include "app/operation_save.h"
#include "databases.h"

enum { MISSING = 20000, BODIES = 2000, CHANGES = 20 };

typedef struct scene {
    made_cases m;
    const char *name;
    atg_operation op;
    saved saved;
    matcher *engine;
    uuid *remains, *families;
    uint32_t n_remains, n_families;
} scene;

static void save_operation(scene *s, uint32_t missing) {
    atg_arena *arena = bench_had(atg_arena_new((size_t)8 << 30));
    atg_exercise_options o = atg_exercise_default();
    save_options how = {.agreed_on = ATG_STR("2026-11-01"),
                        .ends_on = ATG_STR("2036-11-01"),
                        .basis = ATG_STR("consent"),
                        .name = ATG_STR("Nation"),
                        .sign = true,
                        .invent = true};
    const atg_marker *markers;
    uint32_t n = bench_markers(arena, "fusion6c", &markers);
    atg_truth truth;
    double start = bench_seconds();
    atg_err err = {0};

    o.n_missing = missing;
    o.n_bodies = missing < BODIES ? missing : BODIES;
    o.not_found = 1 - (double)o.n_bodies * 0.9 / missing;
    bench_must(atg_exercise_make(arena, n, markers, &o, &s->op, &truth, &err), &err);
    bench_must(operation_save(s->m.c, &s->m.all, &s->op, &how, NULL, &s->saved, &err), &err);
    printf("# %s: %u missing in %u families, %u remains files, %u profiles; taken in as records in "
           "%.0f s\n",
           s->name, s->saved.missing, s->saved.families, s->saved.remains, s->saved.profiles,
           bench_seconds() - start);
}

/* The one that was taken in before. */
static void find_operation(scene *s) {
    file_row *rows;
    uint32_t n;
    atg_err err = {0};

    bench_must(cases_operations(s->m.c, &s->m.all, s->m.arena, &rows, &n, &err), &err);
    for (uint32_t i = 0; i < n; i++)
        if (uuid_cmp(&rows[i].id, &s->m.operation) != 0)
            s->saved.operation = rows[i].id;
}

/* Some files of a kind. */
static uuid *some(scene *s, record_kind kind, uint32_t *ret_n) {
    files_query q = {
        .operation = s->saved.operation, .kind = kind, .state = -1, .sex = -1, .limit = CHANGES};
    uuid *ids = bench_alloc(CHANGES, sizeof(*ids));
    file_page page;
    atg_err err = {0};

    bench_must(cases_list(s->m.c, &s->m.all, s->m.arena, &q, &page, &err), &err);
    for (uint32_t i = 0; i < page.n; i++)
        ids[i] = page.rows[i].id;
    *ret_n = page.n;
    return ids;
}

/* Everything that waits after taking in is thrown away: only changes are measured. */
static const db_statement no_jobs = {"no jobs", "DELETE FROM job"};

static int forget_jobs(db *d, void *user, atg_err *err) {
    (void)user;
    return db_run(d, &no_jobs, NULL, 0, NULL, err);
}

static void touch(scene *s, record_kind kind, const uuid *id, const char *field, uint32_t i) {
    char text[40];
    seen now;
    atg_err err = {0};

    bench_must(cases_get(s->m.c, &s->m.all, s->m.arena, kind, id, &now, &err), &err);
    (void)snprintf(text, sizeof(text), "changed %u %.0f", i, bench_seconds());
    made_set(s->m.arena, now.r, field, text);

    change ch = {CHANGE_EDIT, now.r};

    bench_must(cases_change(s->m.c, &s->m.all, s->m.arena, &ch, &err), &err);
}

static double ranked(scene *s) {
    double start = bench_seconds();
    matcher_done done;
    atg_err err = {0};

    bench_must(matcher_run(s->engine, NULL, &done, &err), &err);
    if (done.failed || done.jobs != 1)
        fprintf(stderr, "%u jobs were done, %u failed\n", done.jobs, done.failed);
    return bench_seconds() - start;
}

static void measure(scene *s, record_kind kind, const char *field, const char *what,
                    const char *how) {
    uint32_t n;
    uuid *ids = some(s, kind, &n);
    double sum = 0, longest = 0;

    for (uint32_t i = 0; i < n; i++) {
        double now;

        touch(s, kind, &ids[i], field, i);
        now = ranked(s);
        sum += now;
        longest = now > longest ? now : longest;
    }
    printf("# %s, from its commit to hypotheses on disk; mean of %u, longest %.0f ms\n", how, n,
           longest * 1e3);
    printf("match.%s_ms_%s %.0f ms\n", what, s->name, sum / n * 1e3);
    free(ids);
}

static uint32_t n_missing;

static void run(const database *where, bool made) {
    scene s = {.m = made ? made_cases_again(where) : made_cases_open(where),
               .name = where->postgres ? "postgres" : "sqlite"};
    uint32_t n;
    uuid *first;
    double start;
    atg_err err = {0};

    if (made)
        find_operation(&s);
    else
        save_operation(&s, n_missing);
    bench_made(where);
    bench_must(store_write(cases_store(s.m.c), forget_jobs, NULL, &err), &err);
    bench_must(matcher_open(s.m.c, &(matcher_options){.large = 1}, &s.engine, &err), &err);
    first = some(&s, RECORD_REMAINS, &n);
    touch(&s, RECORD_REMAINS, first, "burial", 999);
    start = bench_seconds();
    (void)ranked(&s);
    printf(
        "# from starting the matcher until everything is read, compiled, and a first body ranked; "
        "peak memory %.0f MiB\n",
        bench_peak_mib());
    printf("match.warm_seconds_%s %.1f s\n", s.name, bench_seconds() - start);
    measure(&s, RECORD_REMAINS, "burial", "body", "a body against all families");
    measure(&s, RECORD_FAMILY, "note", "family", "a family against all bodies");
    free(first);
    matcher_close(s.engine);
    made_cases_close(&s.m);
}

int main(int argc, char **argv) {
    n_missing = (uint32_t)bench_argument(argc, argv, 1, MISSING);
    bench_on_databases(argc, argv, 2, run);
    return 0;
}
