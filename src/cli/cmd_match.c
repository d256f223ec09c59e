/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "app/faces_eye.h"
#include "app/matcher.h"
#include "cli/progress.h"
#include "cli/store.h"

enum { IDLE_US = 300000 };

static volatile sig_atomic_t stopped;

static void stop(int sig) {
    (void)sig;
    stopped = 1;
}

/* One round after the other until nothing waits; with --watch until somebody stops it. */
static int rounds(const args *a, matcher *m, matcher_done *all) {
    const atg_progress *progress = progress_start(a);
    bool watch = cli_has(a, OPT_WATCH);
    atg_err err = {0};

    if (watch) {
        (void)signal(SIGINT, stop);
        (void)signal(SIGTERM, stop);
    }
    while (!stopped) {
        matcher_done done = {0};

        if (matcher_run(m, progress, &done, &err)) {
            progress_clear();
            return cli_fail(NULL, &err);
        }
        all->jobs += done.jobs;
        all->failed += done.failed;
        all->written += done.written;
        all->faces += done.faces;
        if (done.jobs + done.failed)
            continue;
        if (!watch)
            break;
        (void)usleep(IDLE_US);
    }
    progress_clear();
    return EXIT_DONE;
}

/* What became of photographs of faces, or why nothing did. */
static void say_faces(const args *a, matcher *m, const matcher_done *done, const atg_err *blind) {
    int64_t waiting = 0;

    if (done->faces)
        cli_store_say(a, "%llu photographs of faces were read.\n", (unsigned long long)done->faces);
    if (matcher_faces_waiting(m, &waiting, NULL) == ATG_OK && waiting)
        cli_store_say(a, "Photographs of faces in %lld files wait: %s\n", (long long)waiting,
                      blind->msg);
}

static int run(const args *a) {
    STORE_SESSION s = {0};
    ATG_AUTO(faces_eye) eye = NULL;
    ATG_AUTO(matcher) m = NULL;
    matcher_options o = {.eye = NULL};
    matcher_done done = {0};
    uint64_t threads = 0;
    atg_err err = {0}, blind = {0};
    int code = cli_uint(a, OPT_THREADS, 1, 256, &threads);

    o.threads = (uint32_t)threads;

    if (!code)
        code = cli_store_only_here(a, &s);
    if (code)
        return code;
    if (faces_eye_open(&(faces_eye_options){.folder = cli_store_folder(a)}, &eye, &blind) == ATG_OK)
        o.eye = faces_eye_of(eye);
    if (matcher_open(s.c, &o, &m, &err))
        return cli_fail(NULL, &err);
    code = rounds(a, m, &done);
    if (code)
        return code;
    say_faces(a, m, &done, &blind);
    cli_store_say(a,
                  "%u changed files compared; %u hypotheses are new or say something else now.\n",
                  done.jobs, done.written);
    if (done.failed)
        cli_store_say(a, "%u could not be compared, and are tried again later.\n", done.failed);
    return done.failed ? EXIT_NO : EXIT_DONE;
}

static const option_id options[] = {OPT_THREADS, OPT_WATCH, OPT_STORE, OPT_POSTGRES,
                                    OPT_KEY,     OPT_QUIET, OPT_HELP};

const command command_match = {
    .name = "match",
    .summary = "Compare what is new or changed, and write what is found as hypotheses.",
    .operands = "",
    .details = "Any number may run at once, on several machines with PostgreSQL: each change is "
               "compared by one of them, and one that is killed loses nothing. It acts as itself, "
               "so nobody logs in: whoever has the key file may run it. --watch goes on until it "
               "is interrupted.",
    .options = options,
    .run = run,
};
