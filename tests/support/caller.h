/* SPDX-License-Identifier: Apache-2.0 */
/* The command line as a client of a service that runs. */
#ifndef ATG_TESTS_CALLER_H
#define ATG_TESTS_CALLER_H

#include "served.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/commands.h"
#include "cli/remote.h"

/* What people of the machine have in their environment. */
static inline void set_places(const database *where) {
    /* NOLINTBEGIN(concurrency-mt-unsafe): no thread of the test reads it */
    setenv("HOME", where->directory, 1);
    setenv("XDG_CONFIG_HOME", where->directory, 1);
    setenv("XDG_RUNTIME_DIR", where->directory, 1);
    unsetenv("ANTIGONE_SESSION");
    unsetenv("ANTIGONE_CA");
    unsetenv("ANTIGONE_PASSWORD_FILE");
    /* NOLINTEND(concurrency-mt-unsafe) */
}

/* A command line that names the service, and a session that was kept for it. */
typedef struct caller {
    args a;
    store_session s;
} caller;

static inline void keep_session(const char *url, const char *token, const char *name,
                                int64_t got_s) {
    kept_session k = {.name = atg_str_of(name), .got_s = got_s};
    http_place p;
    atg_err err = {0};

    snprintf(k.token, sizeof(k.token), "%s", token);
    assert_int_equal(http_place_of(url, &p, &err), ATG_OK);
    made_ok(kept_session_write(&p, &k, &err), &err);
}

static inline void open_caller(caller *w, const char *url, const char *ca) {
    *w = (caller){.a = {.command = &command_list}};
    w->a.value[OPT_SERVER] = url;
    w->a.value[OPT_CA] = ca;
    w->a.value[OPT_QUIET] = "";
    w->s = (store_session){.at = &backend_remote, .arena = atg_arena_new(64 << 20)};
    assert_int_equal(remote_open(&w->a, url, &w->s), EXIT_DONE);
}

static inline void close_caller(caller *w) {
    w->s.at->close(&w->s);
    atg_arena_free(w->s.arena);
}

#endif
