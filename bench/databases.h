/* SPDX-License-Identifier: Apache-2.0 */
/* A benchmark on SQLite and on PostgreSQL, each in a scratch folder, or in one that stays so that
 * what took long to make is measured again. */
#ifndef ATG_BENCH_DATABASES_H
#define ATG_BENCH_DATABASES_H

#include "database.h"

#include "bench.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server.h"

/* `made`: the data were made before and stand there. */
typedef void bench_on(const database *where, bool made);

static inline void bench_mark_of(const database *where, char *ret, size_t size) {
    (void)snprintf(ret, size, "%s/made", where->directory);
}

/* The data are whole: the next run on the same folder need not make them. */
static inline void bench_made(const database *where) {
    char mark[300];
    int fd;

    bench_mark_of(where, mark, sizeof(mark));
    fd = open(mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0)
        (void)close(fd);
}

static inline void bench_folder(database *where, const char *kept) {
    if (!kept) {
        database_make_folder(where->directory, sizeof(where->directory));
        return;
    }
    (void)snprintf(where->directory, sizeof(where->directory), "%s/%s", kept,
                   where->postgres ? "beside" : "sqlite");
    (void)mkdir(kept, 0755);
    (void)mkdir(where->directory, 0700);
}

static inline void bench_on_one(database *where, const char *kept, bench_on *run) {
    char mark[300], server[300];
    bool made;

    bench_folder(where, kept);
    bench_mark_of(where, mark, sizeof(mark));
    made = access(mark, F_OK) == 0;
    if (where->postgres) {
        (void)snprintf(server, sizeof(server), "%s/postgres", kept ? kept : "");
        if (kept ? !server_start_kept(server) : !server_start(true))
            return;
        (void)snprintf(where->conninfo, sizeof(where->conninfo), "host=%s user=atg dbname=bench",
                       server_socket());
        if (!made)
            server_drop_database("bench");
        if (made || server_make_database("bench"))
            run(where, made);
        server_end();
    } else {
        run(where, made);
    }
    if (!kept)
        database_remove_folder(where->directory);
}

/* From the `at`-th argument on: [sqlite|postgres|both [FOLDER]]. */
static inline void bench_on_databases(int argc, char **argv, int at, bench_on *run) {
    const char *only = argc > at ? argv[at] : "both", *kept = argc > at + 1 ? argv[at + 1] : NULL;
    database embedded = {.backend = "SQLite"};
    database apart = {.postgres = true, .backend = "PostgreSQL"};

    if (strcmp(only, "postgres") != 0)
        bench_on_one(&embedded, kept, run);
    if (strcmp(only, "sqlite") != 0 && server_installed())
        bench_on_one(&apart, kept, run);
}

#endif
