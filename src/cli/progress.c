/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/progress.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { BAR = 24, LINE_MAX_BYTES = 160, NARROW = 60 };

typedef struct line {
    bool shown, wanted;
    const char *phase;
    double began, told; /* seconds; of this phase, of the last update */
    uint64_t before;    /* done when this phase began */
} line;

/* A signal handler and the C interface of signals leave no other place than globals. */
static volatile sig_atomic_t stopped;
static line current;

static void on_signal(int number) {
    stopped = number;
}

static double now(void) {
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int columns(void) {
    struct winsize w;

    return ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col ? w.ws_col : 80;
}

static int put_rate(char *to, size_t n, double rate) {
    static const struct {
        double at;
        const char *unit;
    } units[] = {{1e9, "G"}, {1e6, "M"}, {1e3, "k"}, {0, ""}};
    size_t u = 0;

    while (rate < units[u].at)
        u++;
    return snprintf(to, n, "%.3g%s/s", rate / (units[u].at > 0 ? units[u].at : 1), units[u].unit);
}

/* "compare [####......]  40 %  1.2M/s  0:12 left" */
static void draw(const line *l, uint64_t done, uint64_t total, double t) {
    char bar[BAR + 1], rate[32] = "", left[32] = "", text[LINE_MAX_BYTES];
    int full = total ? (int)(BAR * ((double)done / (double)total)) : 0;
    double passed = t - l->began;

    memset(bar, '.', BAR);
    memset(bar, '#', (size_t)full);
    bar[BAR] = '\0';
    if (passed > 0.5 && done > l->before) {
        double speed = (double)(done - l->before) / passed;
        double seconds = total > done ? (double)(total - done) / speed : 0;

        (void)put_rate(rate, sizeof(rate), speed);
        if (total && seconds < 360000)
            (void)snprintf(left, sizeof(left), "%d:%02d left", (int)seconds / 60,
                           (int)seconds % 60);
    }
    if (total && columns() >= NARROW)
        (void)snprintf(text, sizeof(text), "%-14s [%s] %3d %%  %s  %s", l->phase, bar,
                       (int)(100 * ((double)done / (double)total)), rate, left);
    else
        (void)snprintf(text, sizeof(text), "%s  %llu  %s", l->phase, (unsigned long long)done,
                       rate);
    (void)fprintf(stderr, "\r\033[K%.*s", columns() - 1, text);
    (void)fflush(stderr);
}

static bool step(void *user, const char *phase, uint64_t done, uint64_t total) {
    line *l = user;
    double t;

    if (stopped)
        return false;
    if (!l->wanted)
        return true;
    t = now();
    if (!l->phase || strcmp(phase, l->phase) != 0)
        *l = (line){.shown = l->shown, .wanted = true, .phase = phase, .began = t, .before = done};
    else if (t - l->told < 0.1)
        return true;
    l->told = t;
    l->shown = true;
    draw(l, done, total, t);
    return true;
}

const atg_progress *progress_start(const args *a) {
    static const atg_progress api = {step, &current};
    struct sigaction act = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    const char *term = getenv("TERM"); /* NOLINT(concurrency-mt-unsafe): one thread so far */

    (void)sigaction(SIGINT, &act, NULL);
    (void)sigaction(SIGTERM, &act, NULL);
    current.wanted =
        isatty(STDERR_FILENO) && !cli_has(a, OPT_QUIET) && term && strcmp(term, "dumb") != 0;
    return &api;
}

bool progress_stopped(void) {
    return stopped != 0;
}

void progress_clear(void) {
    if (current.shown)
        (void)fputs("\r\033[K", stderr);
    current.shown = false;
}

int progress_die(void) {
    int number = stopped ? stopped : SIGINT;

    (void)signal(number, SIG_DFL);
    (void)raise(number);
    return 128 + number;
}
