/* SPDX-License-Identifier: Apache-2.0 */
/* Schema versions: up only, a backup first, whole or not at all. */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "counters.h"
#include "server.h"

enum { STEPS = 3, KILLS = 10, MANY = 3000 };

static const char add_column[] = "ALTER TABLE entry ADD COLUMN kind TEXT;"
                                 "UPDATE entry SET kind = 'old'";
static const char fill_up[] = "CREATE TABLE copy(id BIGINT NOT NULL PRIMARY KEY, text TEXT);"
                              "INSERT INTO copy(id, text) SELECT id, 'first' FROM entry;"
                              "UPDATE copy SET text = 'second'; UPDATE copy SET text = 'third';"
                              "INSERT INTO copy(id, text) SELECT id + 1000000, text FROM copy;"
                              "DELETE FROM entry";
static const char bad_step[] = "UPDATE entry SET text = 'touched'; INSERT INTO nowhere VALUES (1)";

static const db_statement kinds = {"kinds", "SELECT count(*) FROM entry WHERE kind = 'old'"};
static const db_statement copies = {"copies", "SELECT count(*) FROM copy WHERE text = 'third'"};
static const db_statement touched = {"touched",
                                     "SELECT count(*) FROM entry WHERE text IS NOT NULL"};

typedef struct steps {
    migration m[STEPS];
} steps;

static steps all_steps(void) {
    return (steps){{counter_migrations[0],
                    {2, "kinds of entries", add_column, add_column},
                    {3, "copies", fill_up, fill_up}}};
}

static int agree(db *d, int64_t from, int64_t to, void *user, atg_err *err) {
    int *calls = user;
    int64_t version = -1;
    int rc = migrate_version(d, &version, err);

    if (rc || version != from || to <= from)
        return rc ? rc : atg_fail(err, ATG_EINVAL, "not version %d", (int)from);
    if (*calls < 0)
        return atg_fail(err, ATG_EIO, "No room for a backup");
    ++*calls;
    return ATG_OK;
}

static int open_version(const database *where, const steps *s, uint32_t n, int *calls, store **ret,
                        atg_err *err) {
    store_options options = counter_options(where);

    options.migrations = s->m;
    options.n_migrations = n;
    options.busy_ms = 300;
    if (calls) {
        options.before = agree;
        options.before_user = calls;
    }
    return store_open(&options, ret, err);
}

static void fill(store *s, int64_t n) {
    atg_err err = {0};

    for (int64_t id = 0; id < n; id++)
        must(store_write(s, add_entry, &id, &err), &err);
}

static int one_number(db *d, void *user, atg_err *err) {
    const db_statement *statement = *(const db_statement **)user;

    return db_get_one(d, statement, NULL, 0, 0, (int64_t *)user + 1, err);
}

static int64_t ask(store *s, const db_statement *statement) {
    struct {
        const db_statement *statement;
        int64_t n;
    } question = {statement, -1};
    atg_err err = {0};

    must(store_read(s, one_number, &question, &err), &err);
    return question.n;
}

static int read_version(db *d, void *user, atg_err *err) {
    return migrate_version(d, user, err);
}

static int64_t version_of(store *s) {
    atg_err err = {0};
    int64_t version = -1;

    must(store_read(s, read_version, &version, &err), &err);
    return version;
}

static int count_backups(const database *where, char last[400]) {
    char path[300];
    DIR *dir;
    int n = 0;

    snprintf(path, sizeof(path), "%s/backups", where->directory);
    dir = opendir(path);
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
    for (const struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir)) {
        if (e->d_name[0] == '.')
            continue;
        snprintf(last, 400, "%.200s/%.150s", path, e->d_name);
        n++;
    }
    if (dir)
        closedir(dir);
    return n;
}

static void every_version_with_data_becomes_the_last(const database *where) {
    static const int64_t n_entries = 20;
    steps s = all_steps();
    atg_err err = {0};

    for (uint32_t from = 1; from <= STEPS; from++) {
        database here = *where;
        store *st = NULL;
        int calls = 0;

        snprintf(here.directory, sizeof(here.directory), "%.150s/%u", where->directory, from);
        if (where->postgres && from > 1)
            return; /* one database a test: from the first version only */
        must(open_version(&here, &s, from, &calls, &st, &err), &err);
        fill(st, n_entries);
        assert_int_equal(version_of(st), from);
        store_close(st);
        must(open_version(&here, &s, STEPS, &calls, &st, &err), &err);
        assert_int_equal(calls, from < STEPS);
        assert_int_equal(version_of(st), STEPS);
        if (from < STEPS)
            assert_int_equal(ask(st, &copies), 2 * n_entries);
        store_close(st);
        /* nothing left to do */
        must(open_version(&here, &s, STEPS, &calls, &st, &err), &err);
        assert_int_equal(calls, from < STEPS);
        store_close(st);
    }
}

static void steps_run_in_their_order(const database *where) {
    steps s = all_steps();
    atg_err err = {0};
    store *st = NULL;
    int calls = 0;

    must(open_version(where, &s, 1, &calls, &st, &err), &err);
    fill(st, 5);
    store_close(st);
    must(open_version(where, &s, 2, &calls, &st, &err), &err);
    assert_int_equal(ask(st, &kinds), 5);
    store_close(st);
    s.m[1].version = 3;
    assert_int_equal(open_version(where, &s, 2, &calls, &st, &err), ATG_EINVAL);
}

static void a_newer_or_a_foreign_schema_is_refused(const database *where) {
    steps s = all_steps();
    atg_err err = {0};
    store *st = NULL;
    int calls = 0;

    must(open_version(where, &s, 3, &calls, &st, &err), &err);
    store_close(st);
    assert_int_equal(open_version(where, &s, 2, &calls, &st, &err), ATG_EDB);
    assert_non_null(strstr(err.msg, "newer"));
    s.m[1].name = "something else";
    assert_int_equal(open_version(where, &s, 3, &calls, &st, &err), ATG_EDB);
    assert_non_null(strstr(err.msg, "another program"));
    assert_int_equal(calls, 0);
}

static void without_a_backup_nothing_changes(const database *where) {
    steps s = all_steps();
    atg_err err = {0};
    store *st = NULL;
    int calls = -1;
    char last[400];

    must(open_version(where, &s, 1, &calls, &st, &err), &err);
    fill(st, 5);
    store_close(st);
    assert_int_equal(open_version(where, &s, 3, &calls, &st, &err), ATG_EIO);
    assert_non_null(strstr(err.msg, "No room"));
    must(open_version(where, &s, 1, &calls, &st, &err), &err);
    assert_int_equal(entries_in(st), 5);
    store_close(st);
    if (where->postgres) {
        assert_int_equal(open_version(where, &s, 3, NULL, &st, &err), ATG_EINVAL);
        assert_non_null(strstr(err.msg, "backup"));
    }
    assert_int_equal(count_backups(where, last), 0);
}

static void the_backup_is_the_store_as_it_was(const database *where) {
    steps s = all_steps();
    store_options options = counter_options(where);
    database copy = *where;
    atg_err err = {0};
    store *st = NULL;
    int calls = 0;
    char last[400];

    must(open_version(where, &s, 1, &calls, &st, &err), &err);
    fill(st, 5);
    store_close(st);
    options.migrations = s.m;
    options.n_migrations = 3;
    if (where->postgres) {
        options.before = migrate_copy;
        options.before_user = copy.directory;
    }
    must(store_open(&options, &st, &err), &err);
    assert_int_equal(version_of(st), 3);
    store_close(st);
    assert_int_equal(count_backups(where, last), 1);
    if (where->postgres) {
        assert_true(server_make_database("before"));
        snprintf(copy.conninfo, sizeof(copy.conninfo), "host=%s user=atg dbname=before",
                 server_socket());
    }
    database_make_folder(copy.directory, sizeof(copy.directory));
    options = counter_options(&copy);
    must(store_restore(&options, last, NULL, &err), &err);
    must(open_version(&copy, &s, 1, NULL, &st, &err), &err);
    assert_int_equal(entries_in(st), 5);
    store_close(st);
    database_remove_folder(copy.directory);
    if (where->postgres)
        server_drop_database("before");
}

static void a_step_that_fails_leaves_the_version_before_it(const database *where) {
    steps s = all_steps();
    atg_err err = {0};
    store *st = NULL;
    int calls = 0;

    must(open_version(where, &s, 1, &calls, &st, &err), &err);
    fill(st, 5);
    store_close(st);
    s.m[2] = (migration){3, "bad", bad_step, bad_step};
    assert_int_equal(open_version(where, &s, 3, &calls, &st, &err), ATG_EDB);
    assert_non_null(strstr(err.msg, "nowhere"));
    must(open_version(where, &s, 2, &calls, &st, &err), &err);
    assert_int_equal(version_of(st), 2);
    assert_int_equal(ask(st, &kinds), 5);
    assert_int_equal(ask(st, &touched), 0);
    store_close(st);
}

static void a_store_is_made_only_on_request(const database *where) {
    store_options options = counter_options(where);
    db_options plain = {
        .directory = where->directory, .conninfo = database_conninfo(where), .create = true};
    atg_err err = {0};
    store *st = NULL;
    db *d;

    options.create = false;
    assert_int_equal(store_open(&options, &st, &err), ATG_ENOTFOUND);
    must(db_open(&plain, &d, &err), &err);
    must(db_script(d, "other", "CREATE TABLE other(id BIGINT)", &err), &err);
    db_close(d);
    options.create = true;
    assert_int_equal(store_open(&options, &st, &err), ATG_EDB);
    assert_non_null(strstr(err.msg, "empty"));
}

static void a_store_in_use_is_not_migrated(const database *where) {
    steps s = all_steps();
    atg_err err = {0};
    store *old = NULL, *st = NULL;
    int calls = 0;

    must(open_version(where, &s, 1, &calls, &old, &err), &err);
    assert_int_equal(open_version(where, &s, 2, &calls, &st, &err), ATG_ECONFLICT);
    assert_non_null(strstr(err.msg, "Other processes"));
    fill(old, 3);
    store_close(old);
    must(open_version(where, &s, 2, &calls, &st, &err), &err);
    assert_int_equal(ask(st, &kinds), 3);
    store_close(st);
}

static void a_migration_killed_in_the_middle_is_done_again_whole(const database *where) {
    long kills = database_number("ATG_MIGRATION_KILLS", KILLS);
    atg_rng rng = atg_rng_seed((uint64_t)getpid());
    steps s = all_steps();
    atg_err err = {0};
    store *st = NULL;
    int calls = 0;
    int64_t version = 1;

    must(open_version(where, &s, 1, &calls, &st, &err), &err);
    fill(st, 1);
    {
        static const char more[] =
            "INSERT INTO entry(id) WITH RECURSIVE n(i) AS (SELECT CAST(1 AS BIGINT) UNION ALL "
            "SELECT i + 1 FROM n WHERE i < 2999) SELECT i FROM n";
        db_options plain = {.directory = where->directory, .conninfo = database_conninfo(where)};
        db *d;

        must(db_open(&plain, &d, &err), &err);
        must(db_script(d, "more", more, &err), &err);
        db_close(d);
    }
    store_close(st);
    for (long k = 0; k < kills && version < STEPS; k++) {
        pid_t child = fork();

        if (child == 0) {
            st = NULL;
            (void)open_version(where, &s, STEPS, &calls, &st, NULL);
            _exit(0); /* as if killed: nothing is closed */
        }
        nanosleep(&(struct timespec){.tv_nsec = (long)atg_rng_below(&rng, 60) * 1000000}, NULL);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        for (version = STEPS; version > 0; version--)
            if (open_version(where, &s, (uint32_t)version, &calls, &st, NULL) == ATG_OK)
                break;
        /* it opened as the version it has: that one is whole */
        if (version < STEPS)
            assert_int_equal(entries_in(st), MANY);
        store_close(st);
    }
    must(open_version(where, &s, STEPS, &calls, &st, &err), &err);
    assert_int_equal(ask(st, &copies), 2 * MANY);
    assert_int_equal(entries_in(st), 0);
    store_close(st);
}

int main(void) {
    static const database_test tests[] = {
        {"every version with data becomes the last", every_version_with_data_becomes_the_last,
         ON_BOTH},
        {"steps run in their order", steps_run_in_their_order, ON_BOTH},
        {"a newer or a foreign schema is refused", a_newer_or_a_foreign_schema_is_refused, ON_BOTH},
        {"without a backup nothing changes", without_a_backup_nothing_changes, ON_BOTH},
        {"the backup is the store as it was", the_backup_is_the_store_as_it_was, ON_BOTH},
        {"a step that fails leaves the version before it",
         a_step_that_fails_leaves_the_version_before_it, ON_BOTH},
        {"a store is made only on request", a_store_is_made_only_on_request, ON_BOTH},
        {"a store in use is not migrated", a_store_in_use_is_not_migrated, ON_SQLITE},
        {"a migration killed in the middle is done again whole",
         a_migration_killed_in_the_middle_is_done_again_whole, ON_BOTH},
    };

    return DATABASE_RUN(tests);
}
