/* SPDX-License-Identifier: Apache-2.0 */
/* Namespaces: a network, a tree of files, processes and shared memory in which there is nothing. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "worker/sandbox.h"

static void write_text(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        return;
    /* without a map it is nobody in there, which is as good */
    if (write(fd, text, strlen(text)) < 0)
        errno = 0;
    (void)close(fd);
}

/* Whoever makes the namespace for users stands for themselves in it, and for nobody else. */
static void write_maps(unsigned uid, unsigned gid) {
    char text[64];

    write_text("/proc/self/setgroups", "deny");
    (void)snprintf(text, sizeof(text), "%u %u 1\n", uid, uid);
    write_text("/proc/self/uid_map", text);
    (void)snprintf(text, sizeof(text), "%u %u 1\n", gid, gid);
    write_text("/proc/self/gid_map", text);
}

static uint32_t leave(void) {
    static const struct {
        int flags;
        uint32_t told;
    } steps[] = {
        {CLONE_NEWUSER, WORKER_NS_USER}, {CLONE_NEWNET, WORKER_NS_NET},
        {CLONE_NEWNS, WORKER_NS_MOUNT},  {CLONE_NEWIPC, WORKER_NS_IPC},
        {CLONE_NEWPID, WORKER_NS_PID},
    };
    unsigned uid = geteuid(), gid = getegid();
    uint32_t got = 0;

    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
        if (unshare(steps[i].flags))
            continue;
        got |= steps[i].told;
        if (steps[i].flags == CLONE_NEWUSER)
            write_maps(uid, gid);
    }
    (void)unshare(CLONE_NEWUTS);
    (void)unshare(CLONE_NEWCGROUP);
    return got;
}

static volatile pid_t waited_for;

static void end_it(int sig) {
    (void)sig;
    (void)kill(waited_for, SIGKILL);
}

static void wake_up(int sig) {
    (void)sig;
}

/* What stays behind when a child went into the namespace for processes.  It ends with the child;
 * and it ends the child when it is asked to end, or when the other side of the pipe is gone. */
static void wait_for(pid_t child, int pipe, const sigset_t *usual) {
    struct sigaction asked = {.sa_handler = end_it}, ended = {.sa_handler = wake_up};
    struct pollfd other = {.fd = pipe, .events = POLLRDHUP};
    int status = 0;

    waited_for = child;
    (void)sigaction(SIGTERM, &asked, NULL);
    (void)sigaction(SIGCHLD, &ended, NULL);
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    (void)seccomp_close_waiter(child);
    while (waitpid(child, &status, WNOHANG) == 0)
        if (ppoll(&other, 1, NULL, usual) > 0)
            (void)kill(child, SIGKILL);
    _exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

/* The signals that wake the one that waits come only while it sleeps. */
static bool split(int pipe) {
    sigset_t wake, usual;
    pid_t child;

    (void)sigemptyset(&wake);
    (void)sigaddset(&wake, SIGCHLD);
    (void)sigaddset(&wake, SIGTERM);
    (void)pthread_sigmask(SIG_BLOCK, &wake, &usual);
    child = fork();
    if (child > 0)
        wait_for(child, pipe, &usual);
    (void)pthread_sigmask(SIG_SETMASK, &usual, NULL);
    if (child == 0)
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    return child == 0;
}

void sandbox_enter(int pipe, worker_hold *hold) {
    uint32_t got = leave();

    if (got & WORKER_NS_PID && !split(pipe))
        got &= ~(uint32_t)WORKER_NS_PID;
    hold->namespaces = got;
}
