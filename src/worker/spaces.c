/* SPDX-License-Identifier: Apache-2.0 */
/* Namespaces: a network, a tree of files, processes and shared memory in which there is nothing. */
#include <errno.h>
#include <fcntl.h>
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

/* What stays behind when a child went into the namespace for processes. */
static void wait_for(pid_t child, int pipe) {
    int status = 0;

    (void)close(pipe);
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    (void)seccomp_close_waiter();
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    _exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

void sandbox_enter(int pipe, worker_hold *hold) {
    uint32_t got = leave();

    if (got & WORKER_NS_PID) {
        pid_t child = fork();

        if (child > 0)
            wait_for(child, pipe);
        if (child < 0)
            got &= ~(uint32_t)WORKER_NS_PID;
        else
            (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    }
    hold->namespaces = got;
}
