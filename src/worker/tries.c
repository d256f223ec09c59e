/* SPDX-License-Identifier: Apache-2.0 */
/* Attempts at what the sandbox forbids.  Each does no harm where it is allowed. */
#include <errno.h>
#include <fcntl.h>
#include <linux/ptrace.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "worker/sandbox.h"

/* 0 when it went through, and what it made is away again. */
static int fd_made(long fd) {
    if (fd < 0)
        return errno;
    (void)close((int)fd);
    return 0;
}

static int made(long rc) {
    return rc < 0 ? errno : 0;
}

static int try_open(void) {
    return fd_made(open("/etc/passwd", O_RDONLY | O_CLOEXEC));
}
static int try_open_folder(void) {
    return fd_made(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}
static int try_create(void) {
    return fd_made(open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
}
static int try_stat(void) {
    return made(access("/", F_OK));
}
static int try_socket(void) {
    return fd_made(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}
static int try_socket_local(void) {
    return fd_made(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
}
static int try_connect(void) {
    struct sockaddr a = {.sa_family = AF_UNSPEC};

    return made(connect(-1, &a, sizeof(a)));
}
static int try_execve(void) {
    char *none[] = {NULL};

    return made(execve("", none, none));
}
static int try_execveat(void) {
    char *none[] = {NULL};

    return made(syscall(SYS_execveat, -1, "", none, none, AT_EMPTY_PATH));
}
static int try_ptrace(void) {
    return made(syscall(SYS_ptrace, PTRACE_SEIZE, 0, 0, 0));
}

static int child_made(long pid) {
    if (pid == 0)
        _exit(0);
    if (pid > 0)
        (void)waitpid((pid_t)pid, NULL, 0);
    return made(pid);
}
static int try_fork(void) {
    return child_made(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
}
static int try_clone3(void) {
    return made(syscall(SYS_clone3, NULL, 0));
}
static int try_kill(void) {
    return made(kill(-1, 0));
}
static int try_unshare(void) {
    return made(unshare(0));
}
static int try_mount(void) {
    return made(syscall(SYS_mount, NULL, NULL, NULL, 0, NULL));
}
static int try_chroot(void) {
    return made(chroot(""));
}
static int try_bpf(void) {
    return fd_made(syscall(SYS_bpf, -1, NULL, 0));
}
static int try_keyctl(void) {
    return made(syscall(SYS_keyctl, 0, 0, 0, 0, 0));
}
static int try_memfd(void) {
    return fd_made(memfd_create("x", MFD_CLOEXEC));
}
static int try_io_uring(void) {
    return fd_made(syscall(SYS_io_uring_setup, 1, NULL));
}
static int try_userfaultfd(void) {
    return fd_made(syscall(SYS_userfaultfd, 0));
}
static int try_read_others(void) {
    return made(syscall(SYS_process_vm_readv, 1, NULL, 0, NULL, 0, 0));
}
static int try_limit(void) {
    struct rlimit more = {RLIM_INFINITY, RLIM_INFINITY};

    return made(syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, &more, NULL));
}
static int try_code(void) {
    enum { PAGE = 4096 };
    void *p =
        mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED)
        return errno;
    (void)munmap(p, PAGE);
    return 0;
}

static const struct {
    const char *name;
    int (*attempt)(void);
} tries[] = {
    {"open", try_open},
    {"open-folder", try_open_folder},
    {"create", try_create},
    {"access", try_stat},
    {"socket", try_socket},
    {"socket-local", try_socket_local},
    {"connect", try_connect},
    {"execve", try_execve},
    {"execveat", try_execveat},
    {"ptrace", try_ptrace},
    {"fork", try_fork},
    {"clone3", try_clone3},
    {"kill", try_kill},
    {"unshare", try_unshare},
    {"mount", try_mount},
    {"chroot", try_chroot},
    {"bpf", try_bpf},
    {"keyctl", try_keyctl},
    {"memfd_create", try_memfd},
    {"io_uring", try_io_uring},
    {"userfaultfd", try_userfaultfd},
    {"process_vm_readv", try_read_others},
    {"prlimit", try_limit},
    {"executable-memory", try_code},
};

const char *sandbox_try(size_t i, int *ret_error) {
    if (i >= sizeof(tries) / sizeof(*tries))
        return NULL;

    int error = tries[i].attempt();

    /* anything but a refusal means that the kernel looked at it */
    *ret_error = error == EPERM || error == EACCES || error == ENOSYS ? error : 0;
    return tries[i].name;
}
