/* SPDX-License-Identifier: Apache-2.0 */
/* The list of what the worker may ask of the kernel.  All else is refused with EPERM. */
#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "worker/sandbox.h"

/* On descriptors that are there, on its own memory, threads and clock. */
static const int plain[] = {
    SCMP_SYS(read),           SCMP_SYS(write),
    SCMP_SYS(readv),          SCMP_SYS(writev),
    SCMP_SYS(pread64),        SCMP_SYS(recvmsg),
    SCMP_SYS(sendmsg),        SCMP_SYS(close),
    SCMP_SYS(lseek),          SCMP_SYS(fstat),
    SCMP_SYS(munmap),         SCMP_SYS(mremap),
    SCMP_SYS(madvise),        SCMP_SYS(brk),
    SCMP_SYS(futex),          SCMP_SYS(sched_yield),
    SCMP_SYS(getpid),         SCMP_SYS(sched_getaffinity),
    SCMP_SYS(gettid),         SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_getres),   SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep),      SCMP_SYS(gettimeofday),
    SCMP_SYS(time),           SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack),    SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),           SCMP_SYS(membarrier),
    SCMP_SYS(exit),           SCMP_SYS(exit_group),
    SCMP_SYS(getrandom),      SCMP_SYS(restart_syscall),
    SCMP_SYS(getrusage),      SCMP_SYS(getcpu),
    SCMP_SYS(sysinfo),
};

static int allow_plain(scmp_filter_ctx c) {
    int bad = 0;

    for (size_t i = 0; i < sizeof(plain) / sizeof(*plain) && !bad; i++)
        bad = seccomp_rule_add(c, SCMP_ACT_ALLOW, plain[i], 0);
    return bad;
}

#define EQUALS(at, value) SCMP_CMP((at), SCMP_CMP_EQ, (value), 0)
#define IS(at, mask, value) SCMP_CMP((at), SCMP_CMP_MASKED_EQ, (mask), (value))

/* With arguments that make no code, no process, and reach no other one.  (Of fork() and threads the
 * C library asks by clone3() first, whose arguments no filter can see, and by clone() where the
 * kernel has no such call.) */
static int allow_narrow(scmp_filter_ctx c) {
    const scmp_datum_t limit = RLIMIT_CPU;
    int bad = seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, IS(2, PROT_EXEC, 0));

    bad |= seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, IS(2, PROT_EXEC, 0));
    bad |=
        seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1, IS(0, CLONE_THREAD, CLONE_THREAD));
    bad |= seccomp_rule_add(c, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    bad |=
        seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, EQUALS(0, (scmp_datum_t)getpid()));
    bad |= seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1, EQUALS(0, PR_SET_NAME));
    /* its own processor time, and reading its own limits */
    bad |=
        seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 2, EQUALS(0, 0), EQUALS(1, limit));
    bad |= seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 2, EQUALS(0, 0), EQUALS(2, 0));
    return bad;
}

int seccomp_close(char *why, size_t size) {
    scmp_filter_ctx c = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    char text[80];
    int bad = c ? seccomp_attr_set(c, SCMP_FLTATR_CTL_TSYNC, 1) : -ENOMEM;

    bad = bad ? bad : allow_plain(c);
    bad = bad ? bad : allow_narrow(c);
    bad = bad ? bad : seccomp_load(c);
    if (c)
        seccomp_release(c);
    if (bad)
        (void)snprintf(why, size, "the kernel takes no seccomp filter (%s)",
                       strerror_r(bad < 0 ? -bad : EINVAL, text, sizeof(text)));
    return bad;
}

int seccomp_close_waiter(int child) {
    scmp_filter_ctx c = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    int bad = c ? allow_plain(c) : -ENOMEM;

    bad = bad ? bad : allow_narrow(c);
    bad = bad ? bad : seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(wait4), 0);
    bad = bad ? bad : seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(ppoll), 0);
    bad = bad ? bad
              : seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(kill), 2,
                                 EQUALS(0, (scmp_datum_t)child), EQUALS(1, SIGKILL));
    bad = bad ? bad : seccomp_load(c);
    if (c)
        seccomp_release(c);
    return bad;
}
