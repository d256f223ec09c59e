/* SPDX-License-Identifier: Apache-2.0 */
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* NOLINTBEGIN(concurrency-mt-unsafe): all of this runs while the program has one thread */

enum { PATH_BYTES = 200, TRIES = 600, POLL_NS = 50000000, FILES_OPEN = 16 };
enum { MOST = 60 }; /* the path of a socket has room for about 100 bytes */

typedef enum order { START = 's', STOP_FAST = 'f', STOP_NOW = 'q', END = 'e', DONE = '.' } order;

static char folder[PATH_BYTES]; /* empty: no server */
static bool kept;               /* the folder stays */
static int watchman = -1;       /* our end of the pipe to it */
static pid_t watchman_pid, owner;

static const char *programs(void) {
    const char *own = getenv("ATG_PG_BIN");

    return own ? own : "/usr/lib/postgresql/15/bin";
}

bool server_installed(void) {
    char path[PATH_BYTES];

    snprintf(path, sizeof(path), "%s/initdb", programs());
    return access(path, X_OK) == 0;
}

const char *server_socket(void) {
    return folder;
}

static void nap(void) {
    nanosleep(&(struct timespec){.tv_nsec = POLL_NS}, NULL);
}

/* ---- the watchman ---- */

/* PostgreSQL refuses to run as root. */
static bool become_postgres(void) {
    struct passwd *user;

    if (geteuid() != 0)
        return true;
    user = getpwnam("postgres");
    return user && initgroups("postgres", user->pw_gid) == 0 && setgid(user->pw_gid) == 0 &&
           setuid(user->pw_uid) == 0;
}

/* arguments[0] is filled in: the programs find their fellows by it. */
static pid_t launch(const char *program, const char **arguments) {
    char path[PATH_BYTES], log[PATH_BYTES + 8];
    pid_t pid = fork();

    if (pid)
        return pid;
    snprintf(path, sizeof(path), "%s/%s", programs(), program);
    snprintf(log, sizeof(log), "%s/log", folder);
    if (!become_postgres() || chdir("/"))
        _exit(120);

    int out = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);

    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    prctl(PR_SET_PDEATHSIG, SIGQUIT);
    arguments[0] = path;
    execv(path, (char *const *)(const void *)arguments);
    _exit(121);
}

static bool make_cluster(void) {
    char data[PATH_BYTES + 8];
    const char *arguments[] = {NULL,
                               "-D",
                               data,
                               "-U",
                               "atg",
                               "-A",
                               "trust",
                               "-E",
                               "UTF8",
                               "-N",
                               "--locale=C.UTF-8",
                               "--no-sync",
                               "--no-instructions",
                               NULL};
    int status = -1;
    pid_t pid;

    snprintf(data, sizeof(data), "%s/data", folder);
    pid = launch("initdb", arguments);
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static bool has_cluster(void) {
    char version[PATH_BYTES + 24];

    snprintf(version, sizeof(version), "%s/data/PG_VERSION", folder);
    return access(version, R_OK) == 0;
}

/* One that keeps what it says is kept is set up as docs/keeper.md tells its keeper. */
static pid_t start_postgres(bool sync) {
    char data[PATH_BYTES + 8];
    const char *arguments[] = {NULL,
                               "-D",
                               data,
                               "-k",
                               folder,
                               "-clisten_addresses=",
                               "-cmax_connections=60",
                               sync ? "-cfsync=on" : "-cfsync=off",
                               sync ? "-cshared_buffers=2GB" : "-cshared_buffers=64MB",
                               "-crandom_page_cost=1.1",
                               "-ceffective_cache_size=12GB",
                               sync ? "-cmax_wal_size=8GB" : NULL,
                               sync ? "-cwal_compression=lz4" : NULL,
                               NULL};

    snprintf(data, sizeof(data), "%s/data", folder);
    return launch("postgres", arguments);
}

static bool answers(void) {
    char conninfo[PATH_BYTES + 64];

    snprintf(conninfo, sizeof(conninfo), "host=%s user=atg dbname=postgres", folder);
    for (int i = 0; i < TRIES; i++) {
        if (PQping(conninfo) == PQPING_OK)
            return true;
        nap();
    }
    return false;
}

static int remove_one(const char *path, const struct stat *at, int kind, struct FTW *where) {
    (void)at;
    (void)kind;
    (void)where;
    return remove(path);
}

static void stop_postgres(pid_t *pid, int signal) {
    if (*pid <= 0)
        return;
    kill(*pid, signal);
    while (waitpid(*pid, NULL, 0) < 0 && errno == EINTR)
        ;
    *pid = 0;
}

/* Obey until the pipe ends, which it does however the program ends. */
static void watch(int pipe, bool sync) {
    pid_t postgres = 0;
    char c;

    while (read(pipe, &c, 1) == 1 && c != END) {
        bool good = true;

        if (c == START && !postgres)
            postgres = start_postgres(sync);
        else
            stop_postgres(&postgres, c == STOP_NOW ? SIGQUIT : SIGINT);
        c = DONE;
        good = write(pipe, &c, 1) == 1;
        if (!good)
            break;
    }
    stop_postgres(&postgres, kept ? SIGINT : SIGQUIT);
    if (!kept)
        nftw(folder, remove_one, FILES_OPEN, FTW_DEPTH | FTW_PHYS);
    _exit(0);
}

static void close_others(int keep) {
    for (int fd = 3; fd < 1024; fd++)
        if (fd != keep)
            close(fd);
}

/* ---- the program's side ---- */

static bool order_it(char c) {
    return watchman >= 0 && write(watchman, &c, 1) == 1 && read(watchman, &c, 1) == 1;
}

static bool make_folder(void) {
    const char *base = getenv("TMPDIR");
    struct passwd *user = geteuid() == 0 ? getpwnam("postgres") : NULL;

    if (!base || strlen(base) > MOST)
        base = "/tmp";
    snprintf(folder, sizeof(folder), "%s/atg-pg-XXXXXX", base);
    if (!mkdtemp(folder) || (user && chown(folder, user->pw_uid, user->pw_gid))) {
        folder[0] = '\0';
        return false;
    }
    return true;
}

static bool begin_watch(bool sync) {
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
        return false;
    fflush(NULL);
    owner = getpid();
    watchman_pid = fork();
    if (watchman_pid == 0) {
        /* what ends the program's group of processes does not end this one */
        setsid();
        signal(SIGTERM, SIG_IGN);
        signal(SIGHUP, SIG_IGN);
        signal(SIGPIPE, SIG_IGN);
        close_others(pair[1]);
        if (!has_cluster() && !make_cluster()) {
            if (!kept)
                nftw(folder, remove_one, FILES_OPEN, FTW_DEPTH | FTW_PHYS);
            _exit(1);
        }
        watch(pair[1], sync);
    }
    close(pair[1]);
    watchman = pair[0];
    return watchman_pid > 0;
}

static bool start(bool sync) {
    if (begin_watch(sync) && order_it(START) && answers()) {
        atexit(server_end);
        return true;
    }
    fprintf(stderr, "PostgreSQL in %s does not start\n", programs());
    server_end();
    return false;
}

bool server_start(bool sync) {
    if (watchman >= 0)
        return true;
    return server_installed() && make_folder() && start(sync);
}

bool server_start_kept(const char *in) {
    struct passwd *user = geteuid() == 0 ? getpwnam("postgres") : NULL;

    if (!server_installed() || strlen(in) > MOST || (mkdir(in, 0700) && errno != EEXIST) ||
        (user && chown(in, user->pw_uid, user->pw_gid)))
        return false;
    snprintf(folder, sizeof(folder), "%s", in);
    kept = true;
    return start(true);
}

void server_stop(bool immediate) {
    (void)order_it(immediate ? STOP_NOW : STOP_FAST);
}

void server_restart(void) {
    if (order_it(START))
        (void)answers();
}

void server_end(void) {
    char c = END;

    /* a child that a test made must not end what belongs to its parent */
    if (watchman < 0 || getpid() != owner)
        return;
    (void)!write(watchman, &c, 1);
    close(watchman);
    watchman = -1;
    while (waitpid(watchman_pid, NULL, 0) < 0 && errno == EINTR)
        ;
    folder[0] = '\0';
}

static void hear_nothing(void *user, const char *notice) {
    (void)user;
    (void)notice;
}

static bool command(const char *sql) {
    char conninfo[PATH_BYTES + 64];
    PGconn *conn;
    PGresult *result;
    bool good;

    snprintf(conninfo, sizeof(conninfo), "host=%s user=atg dbname=postgres", folder);
    conn = PQconnectdb(conninfo);
    PQsetNoticeProcessor(conn, hear_nothing, NULL);
    result = PQexec(conn, sql);
    good = PQresultStatus(result) == PGRES_COMMAND_OK;
    PQclear(result);
    PQfinish(conn);
    return good;
}

bool server_make_database(const char *name) {
    char sql[200];

    snprintf(sql, sizeof(sql), "CREATE DATABASE %s TEMPLATE template0", name);
    return command(sql);
}

void server_drop_database(const char *name) {
    char sql[200];

    snprintf(sql, sizeof(sql), "DROP DATABASE IF EXISTS %s WITH (FORCE)", name);
    (void)command(sql);
}
/* NOLINTEND(concurrency-mt-unsafe) */
