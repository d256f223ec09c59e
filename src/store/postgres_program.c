/* SPDX-License-Identifier: Apache-2.0 */
#include "store/postgres_program.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    ARENA = 1 << 20,
    PIECE = 65536,
    WORDS = 4096,
    LOOK_MS = 100,
    VERSION = 15,
    VARIABLES = 64,
    PATH_BYTES = 1024,
    WHY = 240,
};

extern char **environ;

/* ---- where it is ---- */

static bool runs(char ret[PATH_BYTES], const char *folder, int n, const char *name) {
    return snprintf(ret, PATH_BYTES, "%.*s/%s", n, folder, name) < PATH_BYTES &&
           access(ret, X_OK) == 0;
}

/* That of the server's version where Debian puts it, then 15, then what the user finds. */
static int find_program(const char *name, int version, char ret[PATH_BYTES], atg_err *err) {
    const char *path = getenv("PATH"); /* NOLINT(concurrency-mt-unsafe): nobody sets it */
    const int versions[] = {version, VERSION};
    char folder[64];

    for (int i = 0; i < 2; i++) {
        int n = snprintf(folder, sizeof(folder), "/usr/lib/postgresql/%d/bin", versions[i]);

        if (runs(ret, folder, n, name))
            return ATG_OK;
    }
    while (path && *path) {
        int n = (int)strcspn(path, ":");

        if (n > 0 && runs(ret, path, n, name))
            return ATG_OK;
        path += n + (path[n] == ':');
    }
    return atg_fail(err, ATG_ENOTFOUND,
                    "%s was not found: install the client programs of PostgreSQL "
                    "(postgresql-client-%d)",
                    name, version);
}

/* ---- what it is told ---- */

typedef struct telling {
    atg_arena *arena;
    char *environment[VARIABLES];
    uint32_t n;
    atg_buf *database; /* a connection string */
    bool short_of_memory;
} telling;

/* posix_spawn() takes what it does not change as not const. */
static char *loose(const char *z) {
    union {
        const char *in;
        char *out;
    } same = {.in = z};

    return same.out;
}

static void tell(telling *t, const char *variable, const char *value) {
    atg_str s = atg_arena_printf(t->arena, "%s=%s", variable, value);

    if (!s.p || t->n == VARIABLES)
        t->short_of_memory = true;
    else
        t->environment[t->n++] = loose(s.p);
}

static void tell_openly(telling *t, const char *key, const char *value) {
    atg_buf_printf(t->database, " %s='", key);
    for (const char *p = value; *p; p++)
        atg_buf_printf(t->database, "%s%c", *p == '\'' || *p == '\\' ? "\\" : "", *p);
    atg_buf_adds(t->database, "'");
}

static const struct {
    const char *key, *value;
} alive[] = {{"keepalives_idle", "20"},
             {"keepalives_interval", "10"},
             {"keepalives_count", "3"},
             {"tcp_user_timeout", "30000"}};

static bool is_alive_option(const char *key) {
    for (size_t i = 0; i < sizeof(alive) / sizeof(*alive); i++)
        if (strcmp(alive[i].key, key) == 0)
            return true;
    return false;
}

static int tell_option(telling *t, const PQconninfoOption *o, atg_err *err) {
    if (!o->val || !*o->val || strcmp(o->keyword, "dbname") == 0 ||
        strcmp(o->keyword, "replication") == 0)
        return ATG_OK;
    if (o->envvar)
        tell(t, o->envvar, o->val);
    else if (o->dispchar && *o->dispchar == '*')
        return atg_fail(err, ATG_EINVAL,
                        "\"%s\" cannot be handed to PostgreSQL's programs unseen: use a "
                        "connection without it for backups",
                        o->keyword);
    else if (!is_alive_option(o->keyword))
        tell_openly(t, o->keyword, o->val);
    return ATG_OK;
}

static int tell_connection(telling *t, const postgres_db *d, atg_err *err) {
    PQconninfoOption *options = PQconninfoParse(d->conninfo, NULL);
    int rc = ATG_OK;

    if (!options)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a program of PostgreSQL");
    for (const PQconninfoOption *o = options; o->keyword && rc == ATG_OK; o++)
        rc = tell_option(t, o, err);
    PQconninfoFree(options);
    tell(t, "PGCLIENTENCODING", "UTF8");
    tell(t, "LC_ALL", "C"); /* words that can be found again */
    tell_openly(t, "dbname", PQdb(d->conn));
    for (size_t i = 0; i < sizeof(alive) / sizeof(*alive); i++)
        tell_openly(t, alive[i].key, alive[i].value);
    return rc;
}

static bool is_told(const telling *t, const char *variable) {
    size_t n = strcspn(variable, "=") + 1;

    for (uint32_t i = 0; i < t->n; i++)
        if (strncmp(t->environment[i], variable, n) == 0)
            return true;
    return false;
}

/* Ours, and of this process what we do not say otherwise. */
static char **whole_environment(const telling *t) {
    size_t n = 0, k = 0;
    char **all;

    while (environ[n])
        n++;
    all = ATG_GET(t->arena, char *, n + t->n + 1);
    if (!all)
        return NULL;
    for (uint32_t i = 0; i < t->n; i++)
        all[k++] = t->environment[i];
    for (size_t i = 0; i < n; i++)
        if (!is_told(t, environ[i]))
            all[k++] = environ[i];
    return all;
}

/* ---- running it ---- */

typedef struct child {
    const program_call *call;
    pid_t pid;
    int in, out, words; /* our ends */
    char said[WORDS];
    size_t n_said;
    char *piece; /* PIECE bytes */
    size_t n_piece, n_sent;
    uint64_t n_fed; /* all that was sent */
} child;

static void close_end(int *fd) {
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void close_ends(child *c) {
    close_end(&c->in);
    close_end(&c->out);
    close_end(&c->words);
}

/* Sockets, since a pipe whose reader died would end this process. */
static int spawn_with(child *c, const char *path, char **argv, char **envp, const int theirs[3]) {
    posix_spawn_file_actions_t files;
    posix_spawnattr_t how;
    sigset_t none, usual;
    int rc;

    sigemptyset(&none);
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&how);
    posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&how, &none);
    posix_spawnattr_setsigdefault(&how, &usual);
    for (int i = 0; i < 3; i++)
        posix_spawn_file_actions_adddup2(&files, theirs[i], i);
    rc = posix_spawn(&c->pid, path, &files, &how, argv, envp);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&how);
    return rc;
}

static int spawn(child *c, const char *path, char **argv, char **envp) {
    int *const ours[] = {&c->in, &c->out, &c->words};
    int theirs[3] = {-1, -1, -1}, rc = 0;

    for (int i = 0; i < 3 && rc == 0; i++) {
        int pair[2];

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) {
            rc = errno;
        } else {
            *ours[i] = pair[0];
            theirs[i] = pair[1];
        }
    }
    if (rc == 0)
        rc = spawn_with(c, path, argv, envp, theirs);
    for (int i = 0; i < 3; i++)
        close_end(&theirs[i]);
    if (c->call->from < 0)
        close_end(&c->in);
    return rc;
}

/* Send what it takes; one that takes no more has said why. */
static int feed(child *c, atg_err *err) {
    uint64_t left = c->call->size - c->n_fed;
    ssize_t n;

    if (c->n_sent == c->n_piece && left) {
        n = read(c->call->from, c->piece, left < PIECE ? (size_t)left : PIECE);
        if (n <= 0)
            return atg_fail(err, ATG_EIO, "The input of %s cannot be read", c->call->name);
        c->n_piece = (size_t)n;
        c->n_sent = 0;
    }
    n = send(c->in, c->piece + c->n_sent, c->n_piece - c->n_sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) {
        c->n_sent += (size_t)n;
        c->n_fed += (uint64_t)n;
    }
    if (c->n_fed == c->call->size || (n < 0 && errno != EAGAIN && errno != EINTR))
        close_end(&c->in);
    return ATG_OK;
}

static void hear_words(child *c) {
    char more[WORDS];
    ssize_t n = read(c->words, more, sizeof(more));
    size_t room = sizeof(c->said) - c->n_said;

    if (n == 0 || (n < 0 && errno != EINTR))
        close_end(&c->words);
    if (n > 0) {
        room = room < (size_t)n ? room : (size_t)n;
        memcpy(c->said + c->n_said, more, room);
        c->n_said += room;
    }
}

static int take_output(child *c, char *piece, atg_err *err) {
    ssize_t n = read(c->out, piece, PIECE);

    if (n == 0 || (n < 0 && errno != EINTR))
        close_end(&c->out);
    if (n > 0 && c->call->out)
        return c->call->out(c->call->user, (atg_str){piece, (size_t)n}, err);
    return ATG_OK;
}

/* Until it closes what it writes to, or is to be stopped. */
static int attend(child *c, char *piece, atg_err *err) {
    int rc = ATG_OK;

    while (rc == ATG_OK && (c->out >= 0 || c->words >= 0)) {
        struct pollfd fds[] = {{.fd = c->in, .events = POLLOUT},
                               {.fd = c->out, .events = POLLIN},
                               {.fd = c->words, .events = POLLIN}};

        (void)poll(fds, 3, LOOK_MS);
        if (fds[2].revents)
            hear_words(c);
        if (fds[1].revents)
            rc = take_output(c, piece, err);
        if (rc == ATG_OK && fds[0].revents)
            rc = feed(c, err);
        if (rc == ATG_OK && c->call->look && !c->call->look(c->call->user, c->n_fed))
            rc = atg_fail(err, ATG_ECANCEL, "Stopped on request");
    }
    return rc;
}

/* The first line that says "error: ", without what stands in quotes: it may be a value. */
static void why(const child *c, char ret[WHY]) {
    static const char mark[] = "error: ";
    const char *at = memmem(c->said, c->n_said, mark, sizeof(mark) - 1);
    const char *end = c->said + c->n_said;
    bool quoted = false;
    size_t n = 0;

    for (at = at ? at + sizeof(mark) - 1 : c->said; at < end && *at != '\n' && n + 2 < WHY; at++) {
        if (*at == '"')
            quoted = !quoted;
        if (!quoted || *at == '"')
            ret[n++] = *at;
    }
    ret[n] = '\0';
}

static int wait_for(const child *c, atg_err *err) {
    char words[WHY];
    int status = -1;
    pid_t got;

    do
        got = waitpid(c->pid, &status, 0);
    while (got < 0 && errno == EINTR);
    if (got == c->pid && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return ATG_OK;
    why(c, words);
    return atg_fail(err, ATG_EDB, "%s failed: %s", c->call->name,
                    words[0] ? words : "it ended without a word");
}

static int run_child(child *c, const char *path, char **argv, char **envp, char *piece,
                     atg_err *err) {
    char text[128];
    int failed = spawn(c, path, argv, envp), rc;

    if (failed) {
        close_ends(c);
        return atg_fail(err, ATG_EIO, "Cannot start %s: %s", c->call->name,
                        strerror_r(failed, text, sizeof(text)));
    }
    rc = attend(c, piece, err);
    if (rc)
        (void)kill(c->pid, SIGTERM);
    close_ends(c);
    failed = wait_for(c, rc ? NULL : err);
    return rc ? rc : failed;
}

int program_run(const postgres_db *d, const program_call *call, atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    ATG_AUTO(atg_buf) database = atg_buf_new(ARENA);
    telling t = {.arena = arena, .database = database};
    child c = {.call = call, .in = -1, .out = -1, .words = -1};
    char path[PATH_BYTES], *argv[PROGRAM_ARGUMENTS + 4] = {path}, *piece, **envp;
    atg_str names;
    int n = 1, rc = find_program(call->name, PQserverVersion(d->conn) / 10000, path, err);

    if (rc == ATG_OK && (!arena || !database))
        rc = atg_fail(err, ATG_ENOMEM, "Out of memory for %s", call->name);
    if (rc == ATG_OK)
        rc = tell_connection(&t, d, err);
    if (rc == ATG_OK)
        rc = atg_buf_take(database, &names, err);
    if (rc)
        return rc;
    for (int i = 0; i < PROGRAM_ARGUMENTS && call->arguments[i]; i++)
        argv[n++] = loose(call->arguments[i]);
    names = atg_arena_printf(arena, "--dbname=%.*s", ATG_FMT(names));
    argv[n] = loose(names.p);
    envp = whole_environment(&t);
    piece = ATG_GET(arena, char, PIECE);
    c.piece = ATG_GET(arena, char, PIECE);
    if (!names.p || !envp || !piece || !c.piece || t.short_of_memory)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for %s", call->name);
    return run_child(&c, path, argv, envp, piece, err);
}
