/* SPDX-License-Identifier: Apache-2.0 */
/* Bad days of bundles: damaged, cut off, in parts, interrupted. */
#include "pair_of_sites.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "prop.h"

/* ---- damage ---- */

static void change_file(const char *from, const char *to, int64_t at, int64_t cut) {
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    int64_t n = 0;

    assert_true(in && out);
    for (int x; (x = fgetc(in)) != EOF && (cut < 0 || n < cut); n++)
        fputc(n == at ? x ^ 1 : x, out);
    fclose(in);
    fclose(out);
}

static int64_t size_of(const char *path) {
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    return st.st_size;
}

static void a_damaged_bundle_is_refused_and_changes_nothing(const database *where) {
    pair p = pair_new(where);
    record *missing = place_missing(&p.a, "Hansen", "Nora");
    char path[300], damaged[300];
    bundle_opened o;
    int64_t n;

    path_of(&p, "bundle", path);
    path_of(&p, "damaged", damaged);
    place_make(&p.a, &p.b, path);
    n = size_of(path);
    for (PROP_EACH(q, 40)) {
        bool cut = prop_chance(&q, 0.4);
        int64_t at = prop_below(&q, (uint32_t)n);

        change_file(path, damaged, cut ? -1 : at, cut ? at : -1);
        if (place_try(&p.b, damaged, &o, NULL) == ATG_OK)
            fail_msg("byte %lld of %lld", (long long)at, (long long)n);
        assert_false(place_has(&p.b, missing));
    }
    place_open(&p.b, path);
    assert_true(place_has(&p.b, missing));
    pair_close(&p);
}

static void a_bundle_in_parts_is_completed_and_opened_in_any_order(const database *where) {
    pair p = pair_new(where);
    record *missing = place_missing(&p.a, "Hansen", "Nora");
    record *informant = place_informant(&p.a, missing);
    size_t size = 5 << 20;
    char path[300], names[3][320], *large = malloc(size);
    const char *paths[] = {names[2], names[0], names[1]}, *some[] = {names[0], names[2]};
    bundle_wish w = {.operation = p.a.operation,
                     .to = ATG_STR("Institute K2"),
                     .since = BUNDLES_ALL,
                     .path = path,
                     .file_most = BUNDLE_FILE_LEAST + 400};
    bundle_order order = {.paths = some, .n_paths = 2};
    bundle_files *files = NULL;
    bundle_state state = {.parts = 77};
    bundle_made made;
    bundle_opened o;
    atg_rng rng = atg_rng_seed(1);
    atg_err err = {0};

    assert_non_null(large);
    for (size_t i = 0; i < size; i++)
        large[i] = (char)atg_rng_next(&rng);
    place_photograph(&p.a, missing, informant, (atg_str){large, size});
    free(large);
    path_of(&p, "bundle", path);
    made_ok(bundles_make(p.a.c, &p.a.all, &w, &made, &err), &err);
    assert_int_equal(made.files, 3);
    for (int i = 0; i < 3; i++)
        snprintf(names[i], sizeof(names[i]), "%s.%03d", path, i + 1);
    /* one is missing: which parts, is told without a key */
    made_ok(bundle_files_open(some, 2, &files, &err), &err);
    made_ok(bundle_files_check(files, NULL, &state, &err), &err);
    bundle_files_close(files);
    assert_int_equal(state.parts, 7);
    assert_int_equal(state.n_missing, 2);
    assert_int_equal(state.missing[0], 3);
    assert_int_equal(state.good, 5);
    assert_int_equal(bundles_open(p.b.c, &p.b.all, p.b.arena, &order, &o, &err), ATG_ENOTFOUND);
    assert_non_null(strstr(err.msg, "Part 3"));
    order = (bundle_order){.paths = paths, .n_paths = 3};
    made_ok(bundles_open(p.b.c, &p.b.all, p.b.arena, &order, &o, &err), &err);
    assert_int_equal(o.pictures, 1);
    pair_close(&p);
}

static void a_copy_that_was_cut_off_says_where_to_go_on(const database *where) {
    pair p = pair_new(where);
    record *missing = place_missing(&p.a, "Hansen", "Nora");
    record *informant = place_informant(&p.a, missing);
    size_t size = 3 << 20;
    char path[300], part[300], *large = malloc(size);
    const char *paths[] = {part};
    bundle_files *files = NULL;
    bundle_state state = {.parts = 77};
    atg_rng rng = atg_rng_seed(1);
    atg_err err = {0};

    assert_non_null(large);
    for (size_t i = 0; i < size; i++)
        large[i] = (char)atg_rng_next(&rng);
    place_photograph(&p.a, missing, informant, (atg_str){large, size});
    free(large);
    path_of(&p, "bundle", path);
    path_of(&p, "part", part);
    place_make(&p.a, &p.b, path);
    change_file(path, part, -1, 5 << 19);
    made_ok(bundle_files_open(paths, 1, &files, &err), &err);
    made_ok(bundle_files_check(files, NULL, &state, &err), &err);
    bundle_files_close(files);
    assert_int_equal(state.parts, 0);
    assert_int_equal(state.good, 3);
    assert_int_equal(state.missing[0], 3);
    /* the rest from there on makes it whole */
    assert_int_equal(truncate(part, (off_t)state.first_missing_at), 0);
    {
        FILE *in = fopen(path, "rb"), *out = fopen(part, "ab");

        assert_true(in && out);
        fseek(in, (long)state.first_missing_at, SEEK_SET);
        for (int x; (x = fgetc(in)) != EOF;)
            fputc(x, out);
        fclose(in);
        fclose(out);
    }
    assert_int_equal(place_open(&p.b, part).pictures, 1);
    pair_close(&p);
}

static void what_is_no_bundle_is_refused(const database *where) {
    pair p = pair_new(where);
    char path[300], other[300], nothing[300];
    const char *both[] = {path, other};
    bundle_order order = {.paths = both, .n_paths = 2};
    bundle_opened o;
    atg_err err = {0};
    FILE *f;

    path_of(&p, "bundle", path);
    path_of(&p, "other", other);
    path_of(&p, "nothing", nothing);
    f = fopen(nothing, "w");
    fputs("This is a letter.", f);
    fclose(f);
    refused(&p.b, nothing, ATG_EPARSE, "holds no part");
    assert_int_equal(truncate(nothing, 0), 0);
    refused(&p.b, nothing, ATG_EPARSE, "holds no part");
    refused(&p.b, "/nonexistent/bundle", ATG_EIO, "Cannot open");
    place_make(&p.a, &p.b, path);
    place_make(&p.a, &p.b, other);
    assert_int_equal(bundles_open(p.b.c, &p.b.all, p.b.arena, &order, &o, &err), ATG_EPARSE);
    assert_non_null(strstr(err.msg, "another bundle"));
    pair_close(&p);
}

/* ---- interrupted ---- */

enum { FILES = 25, KILLS = 6 };

static _Noreturn void open_and_be_killed(place *p, const char *path) {
    bundle_opened o;

    place_reopen(p);
    (void)place_try(p, path, &o, NULL);
    for (;;)
        pause();
}

static void one_that_is_killed_while_it_opens_is_repeated(const database *where) {
    pair p = pair_new(where);
    record *files[FILES];
    char path[300];
    long kills = database_number("ATG_KILLS", KILLS);
    atg_rng rng = atg_rng_seed((uint64_t)getpid());

    for (int i = 0; i < FILES; i++)
        files[i] = place_missing(&p.a, "Hansen", "Nora");
    path_of(&p, "bundle", path);
    place_make(&p.a, &p.b, path);
    cases_close(p.b.c);
    for (long k = 0; k < kills; k++) {
        pid_t child = fork();

        if (child == 0)
            open_and_be_killed(&p.b, path);
        nanosleep(&(struct timespec){.tv_nsec = (long)(20 + atg_rng_below(&rng, 400)) * 1000000},
                  NULL);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    place_reopen(&p.b);
    place_open(&p.b, path);
    for (int i = 0; i < FILES; i++) {
        assert_int_equal(place_look(&p.b, files[i])->rev, 1);
        same_at_both(&p, files[i]);
    }
    assert_int_equal(place_send(&p.a, &p.b).updated, 0);
    pair_close(&p);
}

static void one_that_is_killed_while_it_writes_leaves_no_bundle(const database *where) {
    pair p = pair_new(where);
    char path[300];
    bundle_opened o;
    atg_rng rng = atg_rng_seed((uint64_t)getpid());

    for (int i = 0; i < FILES; i++)
        place_missing(&p.a, "Hansen", "Nora");
    path_of(&p, "bundle", path);
    cases_close(p.a.c);
    for (int k = 0; k < KILLS; k++) {
        pid_t child = fork();

        if (child == 0) {
            place_reopen(&p.a);
            place_make(&p.a, &p.b, path);
            for (;;)
                pause();
        }
        nanosleep(&(struct timespec){.tv_nsec = (long)(20 + atg_rng_below(&rng, 300)) * 1000000},
                  NULL);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        /* a whole one, or none */
        if (access(path, F_OK) == 0)
            (void)place_open(&p.b, path);
        (void)unlink(path);
    }
    place_reopen(&p.a);
    o = place_send(&p.a, &p.b);
    assert_int_equal(o.conflicts, 0);
    assert_int_equal(o.added + o.same + o.updated, FILES + 1);
    pair_close(&p);
}

/* ---- a history that is another one ---- */

static void copy_store(const place *p, const char *name) {
    char to[400];
    atg_err err = {0};

    snprintf(to, sizeof(to), "%s/%s", p->where.directory, name);
    made_ok(store_backup(cases_store(p->c), to, NULL, &err), &err);
}

static void put_back(place *p, const char *name) {
    static const char *const others[] = {"-wal", "-shm"};
    char from[400], to[400], other[420];

    cases_close(p->c);
    snprintf(from, sizeof(from), "%s/%s", p->where.directory, name);
    snprintf(to, sizeof(to), "%s/antigone.db", p->where.directory);
    for (int i = 0; i < 2; i++) {
        snprintf(other, sizeof(other), "%s%s", to, others[i]);
        (void)unlink(other);
    }
    assert_int_equal(rename(from, to), 0);
    place_reopen(p);
}

static void a_site_that_lost_some_of_its_history_is_noticed(const database *where) {
    pair p = pair_new(where);
    record *missing = place_missing(&p.a, "Hansen", "Nora"), *again;
    char path[300];
    const char *paths[] = {path};
    bundle_order order = {.paths = paths, .n_paths = 1, .changed_history = true};
    bundle_opened o;
    atg_err err = {0};

    place_send(&p.a, &p.b);
    copy_store(&p.a, "copy");
    place_edit(&p.a, missing, "hair", "red");
    place_send(&p.a, &p.b);
    put_back(&p.a, "copy");
    again = place_look(&p.a, missing);
    place_edit(&p.a, again, "hair", "brown");
    path_of(&p, "bundle", path);
    place_make(&p.a, &p.b, path);
    refused(&p.b, path, ATG_EDENIED, "not the continuation");
    assert_string_equal(place_text(&p.b, missing, "hair"), "red");
    /* its people told why: nothing is lost, what differs is a conflict */
    made_ok(bundles_open(p.b.c, &p.b.all, p.b.arena, &order, &o, &err), &err);
    assert_int_equal(o.conflicts, 1);
    assert_string_equal(place_text(&p.b, missing, "hair"), "red");
    place_edit(&p.a, again, "eyes", "grey");
    assert_int_equal(place_send(&p.a, &p.b).conflicts, 1);
    pair_close(&p);
}

static int falsify(db *d, void *user, atg_err *err) {
    static const db_statement update = {
        "falsify", "UPDATE audit SET detail = '{}' WHERE kind = 'missing' AND rev = 1"};

    (void)user;
    return db_run(d, &update, NULL, 0, NULL, err);
}

static int mend(db *d, void *user, atg_err *err) {
    static const db_statement update = {
        "mend", "UPDATE audit SET detail = $1 WHERE kind = 'missing' AND rev = 1"};

    return db_run(d, &update, (db_value[]){db_text(*(atg_str *)user)}, 1, NULL, err);
}

static int detail_of(db *d, void *user, atg_err *err) {
    static const db_statement get = {"detail",
                                     "SELECT detail FROM audit WHERE kind = 'missing' AND rev = 1"};
    place *p = ((void **)user)[0];
    atg_str *ret = ((void **)user)[1];
    db_rows *rows = NULL;
    int rc = db_query(d, &get, NULL, 0, &rows, err);

    if (rc == ATG_OK)
        rc = db_next(rows, err);
    if (rc > 0)
        *ret = atg_arena_str(p->arena, db_get_text(rows, 0));
    db_end(rows);
    return rc < 0 ? rc : ATG_OK;
}

static void nothing_leaves_with_a_falsified_history(const database *where) {
    pair p = pair_new(where);
    atg_str detail = {NULL, 0};
    void *both[] = {&p.a, &detail};
    char path[300];
    bundle_made made;
    atg_err err = {0};

    place_missing(&p.a, "Hansen", "Nora");
    made_ok(store_read(cases_store(p.a.c), detail_of, both, &err), &err);
    made_ok(store_write(cases_store(p.a.c), falsify, NULL, &err), &err);
    path_of(&p, "bundle", path);
    assert_int_equal(place_make_for(&p.a, &p.b, path, BUNDLES_ALL, &made, &err), ATG_EDENIED);
    assert_non_null(strstr(err.msg, "entry 1"));
    assert_int_equal(access(path, F_OK), -1);
    made_ok(store_write(cases_store(p.a.c), mend, &detail, &err), &err);
    pair_close(&p);
}

int main(void) {
    static const database_test tests[] = {
#define TEST(name) {#name, name, ON_BOTH}
        TEST(a_damaged_bundle_is_refused_and_changes_nothing),
        TEST(a_bundle_in_parts_is_completed_and_opened_in_any_order),
        TEST(a_copy_that_was_cut_off_says_where_to_go_on),
        TEST(what_is_no_bundle_is_refused),
        TEST(one_that_is_killed_while_it_opens_is_repeated),
        TEST(one_that_is_killed_while_it_writes_leaves_no_bundle),
        {"a_site_that_lost_some_of_its_history_is_noticed",
         a_site_that_lost_some_of_its_history_is_noticed, ON_SQLITE},
        TEST(nothing_leaves_with_a_falsified_history),
    };

    return DATABASE_RUN(tests);
}
