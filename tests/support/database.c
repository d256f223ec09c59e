/* SPDX-License-Identifier: Apache-2.0 */
#include "database.h"

#include <dirent.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server.h"

/* NOLINTBEGIN(concurrency-mt-unsafe): all of this runs while the program has one thread */

enum { TESTS_MAX = 200, NAME_BYTES = 160, FILES_OPEN = 16 };

typedef struct one {
    const database_test *test;
    database where;
    char name[NAME_BYTES];
} one;

static one all[TESTS_MAX];
static unsigned made; /* databases so far */

long database_number(const char *variable, long otherwise) {
    const char *text = getenv(variable);

    return text && *text ? strtol(text, NULL, 10) : otherwise;
}

static int remove_one(const char *path, const struct stat *at, int kind, struct FTW *where) {
    (void)at;
    (void)kind;
    (void)where;
    return remove(path);
}

void database_remove_folder(const char *folder) {
    nftw(folder, remove_one, FILES_OPEN, FTW_DEPTH | FTW_PHYS);
}

static const char *base_folder(void) {
    const char *base = getenv("TMPDIR");

    return base && strlen(base) < 100 ? base : "/tmp";
}

/* The number of the process is in the name, so that a later run can tell what a killed one left. */
void database_make_folder(char *ret, size_t size) {
    snprintf(ret, size, "%s/atg-store-%ld-XXXXXX", base_folder(), (long)getpid());
    assert_non_null(mkdtemp(ret));
}

static void remove_stale(void) {
    DIR *dir = opendir(base_folder());
    char path[400];

    for (struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir)) {
        long pid = strncmp(e->d_name, "atg-store-", 10) ? 0 : strtol(e->d_name + 10, NULL, 10);

        if (pid <= 0 || kill((pid_t)pid, 0) == 0)
            continue;
        snprintf(path, sizeof(path), "%s/%s", base_folder(), e->d_name);
        database_remove_folder(path);
    }
    if (dir)
        closedir(dir);
}

static int set_up(void **state) {
    one *o = *state;

    database_make_folder(o->where.directory, sizeof(o->where.directory));
    if (!o->where.postgres)
        return 0;
    if (!server_start(false))
        return -1;

    char name[32];

    snprintf(name, sizeof(name), "test_%u", made++);
    snprintf(o->where.conninfo, sizeof(o->where.conninfo), "host=%s user=atg dbname=%s",
             server_socket(), name);
    return server_make_database(name) ? 0 : -1;
}

static int tear_down(void **state) {
    one *o = *state;

    database_remove_folder(o->where.directory);
    if (o->where.postgres)
        server_drop_database(strrchr(o->where.conninfo, '=') + 1);
    return 0;
}

static void run(void **state) {
    one *o = *state;
    o->test->run(&o->where);
}

static void add(struct CMUnitTest *to, one *o, const database_test *test, bool postgres) {
    o->test = test;
    o->where.postgres = postgres;
    o->where.backend = postgres ? "PostgreSQL" : "SQLite";
    snprintf(o->name, sizeof(o->name), "%s (%s)", test->name, o->where.backend);
    *to = (struct CMUnitTest){.name = o->name,
                              .test_func = run,
                              .setup_func = set_up,
                              .teardown_func = tear_down,
                              .initial_state = o};
}

int database_run(const database_test *tests, size_t n) {
    static struct CMUnitTest list[TESTS_MAX];
    bool postgres = server_installed();
    size_t count = 0, left_out = 0;
    int failed;
    bool both = false;

    remove_stale();
    for (size_t i = 0; i < n && count + 2 <= TESTS_MAX; i++) {
        if (tests[i].on != ON_POSTGRES) {
            add(&list[count], &all[count], &tests[i], false);
            count++;
        }
        /* Meson takes cmocka's way of saying "skipped" for a failure: so they are left out */
        left_out += tests[i].on != ON_SQLITE && !postgres;
        both |= tests[i].on == ON_BOTH;
        if (tests[i].on != ON_SQLITE && postgres) {
            add(&list[count], &all[count], &tests[i], true);
            count++;
        }
    }
    if (left_out)
        fprintf(stderr, "PostgreSQL is not installed: %zu tests are skipped\n", left_out);
    /* its watchman is a copy of this process, which has one thread now: with more, one of them may
     * hold a lock that the copy waits for without end */
    if (both && postgres)
        (void)server_start(false);
    failed = _cmocka_run_group_tests("store", list, count, NULL, NULL);
    server_end();
    return failed;
}
/* NOLINTEND(concurrency-mt-unsafe) */
