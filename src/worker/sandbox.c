/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/sandbox.h"

#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* AddressSanitizer and its kin map terabytes that they never touch. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SHADOWED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SHADOWED 1
#endif
#endif
#ifndef SHADOWED
#define SHADOWED 0
#endif

enum { FILES = 32, THREADS = 64, SLACK_S = 2 };

static bool limit(int what, rlim_t n) {
    struct rlimit l = {n, n};

    return setrlimit((__rlimit_resource_t)what, &l) == 0;
}

static void set_limits(const sandbox_options *o, frame_hello *hello) {
    if (!SHADOWED && limit(RLIMIT_AS, o->memory) && limit(RLIMIT_DATA, o->memory))
        hello->hold.memory = o->memory;
    if (limit(RLIMIT_NOFILE, FILES))
        hello->limit_files = FILES;
    (void)limit(RLIMIT_FSIZE, 0);
    (void)limit(RLIMIT_CORE, 0);
    (void)limit(RLIMIT_MEMLOCK, 0);
    (void)limit(RLIMIT_MSGQUEUE, 0);
    /* counts what a user runs anywhere, but in a namespace for users only what runs in it */
    if (hello->hold.namespaces & WORKER_NS_USER)
        (void)limit(RLIMIT_NPROC, THREADS);
}

/* An empty folder that nobody can write becomes the root, and the old one goes. */
static bool empty_root(void) {
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
        mount("none", "/proc", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, "size=4k") ||
        chdir("/proc"))
        return false;
    return syscall(SYS_pivot_root, ".", ".") == 0 && umount2(".", MNT_DETACH) == 0 &&
           chdir("/") == 0;
}

/* Whoever has no rights already may not take them out of the bounding set, and need not: with
 * no_new_privs none come back. */
static bool drop_rights(const sandbox_options *o) {
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[2] = {{0}}, left[2] = {{1, 1, 1}, {1, 1, 1}};

    for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
        (void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (o->without_capset || syscall(SYS_capset, &head, none) || syscall(SYS_capget, &head, left))
        return false;
    return memcmp(none, left, sizeof(none)) == 0;
}

/* Signals without a handler do not reach the first process of a namespace. */
static void time_is_up(int sig) {
    _exit(128 + sig);
}

/* Enough is: no rights to gain, and every attempt refused by seccomp. */
static void judge(worker_hold *hold, bool dropped) {
    const char *name;
    int error;

    hold->decodes = hold->seccomp && hold->no_new_privs && dropped;
    if (!hold->no_new_privs || !dropped)
        (void)snprintf(hold->why, sizeof(hold->why),
                       dropped ? "the kernel does not keep it from gaining rights"
                               : "its rights (capabilities) could not be given up");
    for (size_t i = 0; hold->decodes && (name = sandbox_try(i, &error)); i++) {
        if (error)
            continue;
        hold->decodes = false;
        (void)snprintf(hold->why, sizeof(hold->why), "the sandbox lets %s through", name);
    }
}

void sandbox_close(const sandbox_options *o, frame_hello *hello) {
    worker_hold *hold = &hello->hold;
    struct sigaction up = {.sa_handler = time_is_up};
    bool dropped;

    (void)sigaction(SIGXCPU, &up, NULL);
    if (hold->namespaces & WORKER_NS_MOUNT && !empty_root())
        hold->namespaces &= ~(uint32_t)WORKER_NS_MOUNT;
    set_limits(o, hello);
    dropped = drop_rights(o);
    hold->no_new_privs = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
    (void)landlock_close(&hold->landlock);
    if (o->without_seccomp)
        (void)snprintf(hold->why, sizeof(hold->why), "seccomp was left out on demand");
    else
        hold->seccomp = seccomp_close(hold->why, sizeof(hold->why)) == 0;
    judge(hold, dropped);
}

void sandbox_time(uint32_t milliseconds) {
    struct rusage used = {0};
    struct rlimit l;

    if (getrusage(RUSAGE_SELF, &used) || getrlimit(RLIMIT_CPU, &l))
        return;
    /* two threads at most are busy at once; the parent's clock is the one that counts */
    l.rlim_cur = (rlim_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec + SLACK_S) +
                 (rlim_t)milliseconds / 500;
    (void)setrlimit(RLIMIT_CPU, &l);
}
