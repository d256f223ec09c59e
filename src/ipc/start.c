/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ipc/place.h"
#include "ipc/pool.h"

enum { PIPE_FD = 3, ABOVE = 10, MOMENT = 400 };

static bool runs(const char *path) {
    return access(path, X_OK) == 0;
}

int start_find(char *ret, size_t size, atg_err *err) {
    char own[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", own, sizeof(own) - 1);
    char *slash;

    own[n > 0 ? n : 0] = '\0';
    slash = strrchr(own, '/');
    if (slash) {
        *slash = '\0';
        if (snprintf(ret, size, "%s/antigone-worker", own) < (int)size && runs(ret))
            return ATG_OK;
    }
    if (snprintf(ret, size, "%s", WORKER_PLACE) < (int)size && runs(ret))
        return ATG_OK;
    return atg_fail(err, ATG_ENOTFOUND,
                    "The program antigone-worker is neither beside this one nor at %s: install it",
                    WORKER_PLACE);
}

/* Both ends above the descriptors that the worker gets, so that none of them is in the way. */
static int make_pipe(int ret[2], atg_err *err) {
    int two[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, two))
        return atg_fail(err, ATG_EIO, "Cannot make a pipe for a worker: no descriptors are left");
    for (int i = 0; i < 2; i++) {
        ret[i] = fcntl(two[i], F_DUPFD_CLOEXEC, ABOVE);
        (void)close(two[i]);
    }
    if (ret[0] >= 0 && ret[1] >= 0)
        return ATG_OK;
    for (int i = 0; i < 2; i++)
        if (ret[i] >= 0)
            (void)close(ret[i]);
    return atg_fail(err, ATG_EIO, "Cannot make a pipe for a worker: no descriptors are left");
}

static int set_files(posix_spawn_file_actions_t *a, int fd, bool loud) {
    int bad = posix_spawn_file_actions_addopen(a, 0, "/dev/null", O_RDONLY, 0);

    bad = bad ? bad : posix_spawn_file_actions_addopen(a, 1, "/dev/null", O_WRONLY, 0);
    if (!loud)
        bad = bad ? bad : posix_spawn_file_actions_addopen(a, 2, "/dev/null", O_WRONLY, 0);
    bad = bad ? bad : posix_spawn_file_actions_adddup2(a, fd, PIPE_FD);
    return bad ? bad : posix_spawn_file_actions_addclosefrom_np(a, PIPE_FD + 1);
}

/* A process group of its own: Ctrl-C at a terminal is for the parent, which ends in order. */
static int set_signals(posix_spawnattr_t *a) {
    sigset_t none, all;
    int bad;

    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    bad = posix_spawnattr_setflags(a, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                          POSIX_SPAWN_SETPGROUP);
    bad = bad ? bad : posix_spawnattr_setsigmask(a, &none);
    bad = bad ? bad : posix_spawnattr_setsigdefault(a, &all);
    return bad ? bad : posix_spawnattr_setpgroup(a, 0);
}

enum { WORDS_MAX = 16, TEXTS_MAX = 8192 };

/* The words of a command line, copied: posix_spawn() takes them as not const. */
typedef struct words {
    int n;
    char *word[WORDS_MAX + 1];
    size_t used;
    char texts[TEXTS_MAX];
    bool full;
} words;

static void add_word(words *w, const char *z) {
    size_t n = strlen(z) + 1;

    w->full = w->full || w->n == WORDS_MAX || n > sizeof(w->texts) - w->used;
    if (w->full)
        return;
    w->word[w->n++] = memcpy(w->texts + w->used, z, n);
    w->used += n;
}

static void add_networks(words *w, const worker_networks *networks) {
    char threads[12];

    (void)snprintf(threads, sizeof(threads), "%u", networks->threads);
    add_word(w, "--networks");
    add_word(w, threads);
    add_word(w, networks->runtime);
    for (int i = 0; i < WORKER_NETWORKS; i++) {
        add_word(w, networks->of[i].manifest);
        add_word(w, networks->of[i].file);
    }
}

static void make_words(words *w, const char *program, const worker_options *o) {
    char memory[24];

    (void)snprintf(memory, sizeof(memory), "%llu", (unsigned long long)o->memory);
    add_word(w, program);
    add_word(w, "--memory");
    add_word(w, memory);
    if (o->networks)
        add_networks(w, o->networks);
    if (o->argument)
        add_word(w, o->argument);
}

static int spawn(const words *w, int fd, bool loud, pid_t *ret) {
    char language[] = "LC_ALL=C.UTF-8";
    char *envp[] = {language, NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    int bad;

    bad = posix_spawn_file_actions_init(&files);
    if (bad)
        return bad;
    bad = posix_spawnattr_init(&attributes);
    if (bad == 0) {
        bad = set_files(&files, fd, loud);
        bad = bad ? bad : set_signals(&attributes);
        bad = bad ? bad : posix_spawn(ret, w->word[0], &files, &attributes, w->word, envp);
        (void)posix_spawnattr_destroy(&attributes);
    }
    (void)posix_spawn_file_actions_destroy(&files);
    return bad;
}

int start_process(const char *program, const worker_options *o, pool_process *ret, atg_err *err) {
    int ends[2], bad, rc = make_pipe(ends, err);
    words w = {.n = 0};
    char text[100];
    pid_t pid;

    if (rc)
        return rc;
    make_words(&w, program, o);
    bad = w.full ? E2BIG : spawn(&w, ends[1], o->loud, &pid);
    (void)close(ends[1]);
    if (bad) {
        (void)close(ends[0]);
        return atg_fail(err, ATG_EIO, "Cannot start %s: %s", program,
                        strerror_r(bad, text, sizeof(text)));
    }
    *ret = (pool_process){pid, ends[0]};
    return ATG_OK;
}

/* Has it ended within a moment? */
static bool ended(pid_t pid, int *status) {
    for (int64_t until = channel_now() + MOMENT; channel_now() < until;) {
        pid_t got = waitpid(pid, status, WNOHANG);

        if (got == pid || (got < 0 && errno != EINTR))
            return true;
        (void)nanosleep(&(struct timespec){0, 2000000}, NULL);
    }
    return false;
}

/* First asked: who waits for the worker ends it and leaves nothing behind that this process, where
 * it is the first of a container, would have to wait for. */
static void stop(pid_t pid, int *status) {
    (void)kill(pid, SIGTERM);
    if (ended(pid, status))
        return;
    (void)kill(pid, SIGKILL);
    while (waitpid(pid, status, 0) < 0 && errno == EINTR)
        ;
}

void start_end(pool_process *p, bool gone, int *ret_status) {
    int status = 0;

    if (!p->pid)
        return;
    (void)close(p->fd);
    if (!gone || !ended(p->pid, &status))
        stop(p->pid, &status);
    *p = (pool_process){0, -1};
    if (ret_status)
        *ret_status = status;
}
