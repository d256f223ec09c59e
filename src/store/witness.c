/* SPDX-License-Identifier: Apache-2.0 */
#include "store/witness.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/instant.h"
#include "store/audit.h"

enum {
    LINES = 7, /* of a note */
    FIRST = 64,
    FILE_MAX = 1 << 30,
    TAIL = 16 << 10, /* what is looked at before something is appended */
    DAY = 10,
    LOCK_TRIES = 1000, /* 10 ms each */
};

static const char suffix[] = ".checkpoints";
static const char dash[] = "\xe2\x80\x94 ";

static int no_memory(atg_err *err) {
    return atg_fail(err, ATG_ENOMEM, "Out of memory reading the checkpoints of a witness");
}

static int failed(atg_err *err, const char *path) {
    char text[128];

    return atg_fail(err, ATG_EIO, "The witness %s: %s", path,
                    strerror_r(errno, text, sizeof(text)));
}

/* ---- reading ---- */

typedef struct gathering {
    atg_arena *arena;
    witness_notes found;
    uint32_t cap;
    atg_err strange; /* about the first strange line of this text */
} gathering;

static int add_note(gathering *g, const checkpoint *c, atg_err *err) {
    if (g->found.n == g->cap) {
        uint32_t cap = g->cap ? 2 * g->cap : FIRST;
        checkpoint *more = cap ? ATG_GET(g->arena, checkpoint, cap) : NULL;

        if (!more)
            return no_memory(err);
        if (g->found.n)
            memcpy(more, g->found.notes, g->found.n * sizeof(*more));
        g->found.notes = more;
        g->cap = cap;
    }
    g->found.notes[g->found.n++] = *c;
    return ATG_OK;
}

/* The last lines as a note; what stands before them in the text cannot be part of it. */
static int read_note(const atg_str lines[LINES], uint32_t at, checkpoint *ret, atg_err *err) {
    char text[CHECKPOINT_MAX];
    size_t n = 0;

    for (uint32_t i = 0; i < LINES; i++) {
        atg_str line = lines[(at + i) % LINES];

        if (n + line.n + 1 > sizeof(text))
            return atg_fail(err, ATG_EPARSE, "This is not a checkpoint: it is too long");
        if (line.n)
            memcpy(text + n, line.p, line.n);
        n += line.n;
        text[n++] = '\n';
    }
    return checkpoint_read((atg_str){text, n}, ret, err);
}

static void note_strange(gathering *g, uint32_t line, const atg_err *why) {
    if (!g->strange.code)
        (void)atg_fail_at(&g->strange, ATG_EPARSE, line, 1, "%s",
                          why->code ? why->msg : "This is no checkpoint");
}

/* A line that ends in a signature ends a note, if the lines before it are those of one. */
static int gather(gathering *g, atg_str rest, atg_err *err) {
    atg_str lines[LINES] = {{0}};
    uint32_t free_from = 1, strange = 0; /* the first line of no note yet; one that is not empty */

    for (uint32_t number = 1; rest.n; number++) {
        atg_str line = atg_str_cut(&rest, '\n');
        atg_err why = {0};
        checkpoint c;

        if (line.n && line.p[line.n - 1] == '\r')
            line.n--;
        lines[number % LINES] = line;
        strange = !strange && line.n ? number : strange;
        if (line.n < sizeof(dash) - 1 || memcmp(line.p, dash, sizeof(dash) - 1) != 0)
            continue;
        if (number < free_from + LINES - 1 || read_note(lines, (number + 1) % LINES, &c, &why)) {
            note_strange(g, strange, &why);
            continue;
        }
        if (strange < number - LINES + 1)
            note_strange(g, strange, &why);
        strange = 0;
        free_from = number + 1;

        int rc = add_note(g, &c, err);

        if (rc)
            return rc;
    }
    if (strange)
        note_strange(g, strange, &(atg_err){0});
    return ATG_OK;
}

static int gather_from(gathering *g, const char *name, atg_str text, atg_err *err) {
    int rc;

    g->strange = (atg_err){0};
    rc = gather(g, text, err);
    if (rc || !g->strange.code || g->found.strange.n)
        return rc;
    g->found.strange = atg_arena_printf(g->arena, "%s:%u", name, g->strange.line);
    return g->found.strange.p ? ATG_OK : no_memory(err);
}

static int finish(const gathering *g, const char *name, witness_notes *ret, atg_err *err) {
    if (g->found.n == 0)
        return atg_fail_at(err, ATG_EPARSE, g->strange.line, g->strange.col,
                           "%s has no checkpoint%s%s", name, g->strange.code ? ": " : "",
                           g->strange.code ? g->strange.msg : "");
    *ret = g->found;
    return ATG_OK;
}

int witness_parse(atg_arena *arena, const char *name, atg_str text, witness_notes *ret,
                  atg_err *err) {
    gathering g = {.arena = arena};
    int rc = gather_from(&g, name, text, err);

    return rc ? rc : finish(&g, name, ret, err);
}

static int gather_file(gathering *g, const char *path, atg_err *err) {
    atg_str text;
    int rc = file_read(g->arena, path, FILE_MAX, &text, err);

    return rc ? rc : gather_from(g, path, text, err);
}

/* ---- folders ---- */

static int is_one(const struct dirent *e) {
    size_t n = strlen(e->d_name);

    return n == DAY + sizeof(suffix) - 1 && strcmp(e->d_name + DAY, suffix) == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

static bool is_folder(const char *path) {
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static void free_names(struct dirent **names, int n) {
    for (int i = 0; i < n; i++)
        free(names[i]); /* NOLINT(cppcoreguidelines-no-malloc): scandir() made them */
    free(names);
}

static int gather_folder(gathering *g, const char *path, atg_err *err) {
    struct dirent **names = NULL;
    int n = scandir(path, &names, is_one, by_name), rc = ATG_OK;
    char file[4096];

    if (n < 0)
        return failed(err, path);
    for (int i = 0; i < n && rc == ATG_OK; i++) {
        (void)snprintf(file, sizeof(file), "%s/%s", path, names[i]->d_name);
        rc = gather_file(g, file, err);
    }
    free_names(names, n);
    return rc;
}

int witness_read(atg_arena *arena, const char *path, witness_notes *ret, atg_err *err) {
    gathering g = {.arena = arena};
    int rc = is_folder(path) ? gather_folder(&g, path, err) : gather_file(&g, path, err);

    return rc ? rc : finish(&g, path, ret, err);
}

/* ---- writing ---- */

static int check_seen(const char *path, const witness_notes *seen, const checkpoint *c,
                      bool *ret_known, atg_err *err) {
    for (uint32_t i = 0; i < seen->n; i++) {
        const checkpoint *s = &seen->notes[i];
        bool same = s->size == c->size && hash_eq(&s->root, &c->root);

        if (strcmp(s->origin, c->origin) != 0 || !key_id_eq(&s->key, &c->key) || s->size < c->size)
            continue;
        if (!same)
            return atg_fail(
                err, ATG_EDENIED,
                "The witness %s saw %llu entries%s, and this checkpoint is of %llu: the "
                "history was falsified, or an old copy of it was put back",
                path, (unsigned long long)s->size, s->size == c->size ? " that were others" : "",
                (unsigned long long)c->size);
        *ret_known = true;
    }
    return ATG_OK;
}

/* The end of what the file holds. */
static int look(int fd, const char *path, const checkpoint *c, bool *ret_known, off_t *ret_size,
                atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(8 << 20);
    gathering g = {.arena = arena};
    char text[TAIL];
    struct stat st;
    ssize_t n;
    int rc;

    if (!arena)
        return no_memory(err);
    if (fstat(fd, &st))
        return failed(err, path);
    n = pread(fd, text, sizeof(text), st.st_size > TAIL ? st.st_size - TAIL : 0);
    if (n < 0)
        return failed(err, path);
    rc = gather_from(&g, path, (atg_str){text, (size_t)n}, err);
    *ret_size = st.st_size;
    return rc ? rc : check_seen(path, &g.found, c, ret_known, err);
}

static int append(int fd, const char *path, const checkpoint *c, bool empty, atg_err *err) {
    char text[1 + CHECKPOINT_MAX] = "\n";
    size_t n = empty ? 0 : 1;
    ssize_t written;

    n += checkpoint_text(c, text + n);
    written = write(fd, text, n); /* at once: others may append too */
    if (written >= 0 && (size_t)written < n)
        errno = ENOSPC;
    return written == (ssize_t)n && fsync(fd) == 0 ? ATG_OK : failed(err, path);
}

static int write_file(const char *path, const checkpoint *c, atg_err *err) {
    int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    bool known = false;
    off_t size = 0;
    int rc;

    if (fd < 0)
        return failed(err, path);
    rc = look(fd, path, c, &known, &size, err);
    if (rc == ATG_OK && !known)
        rc = append(fd, path, c, size == 0, err);
    if (close(fd) && rc == ATG_OK)
        rc = failed(err, path);
    return rc == ATG_OK && size == 0 ? file_sync_folder(path, err) : rc;
}

/* The last file of the folder may be of another day than the checkpoint, if clocks went back. */
static int check_last(const char *path, const char *own, const checkpoint *c, atg_err *err) {
    struct dirent **names = NULL;
    int n = scandir(path, &names, is_one, by_name), rc = ATG_OK, fd;
    bool known = false;
    char file[4096];
    off_t size;

    if (n < 0)
        return failed(err, path);
    if (n > 0 && strcmp(names[n - 1]->d_name, own) != 0) {
        (void)snprintf(file, sizeof(file), "%s/%s", path, names[n - 1]->d_name);
        fd = open(file, O_RDONLY | O_CLOEXEC);
        rc = fd < 0 ? failed(err, file) : look(fd, file, c, &known, &size, err);
        if (fd >= 0)
            (void)close(fd);
    }
    free_names(names, n);
    return rc;
}

int witness_write(const char *path, const checkpoint *c, atg_err *err) {
    char at[INSTANT_TEXT + 1], own[DAY + sizeof(suffix)], file[4096];
    int rc;

    if (!is_folder(path))
        return write_file(path, c, err);
    instant_text(c->at, at);
    (void)snprintf(own, sizeof(own), "%.*s%s", DAY, at, suffix);
    if (snprintf(file, sizeof(file), "%s/%s", path, own) >= (int)sizeof(file))
        return atg_fail(err, ATG_ELIMIT, "The path %s is too long", path);
    rc = check_last(path, own, c, err);
    return rc ? rc : write_file(file, c, err);
}

/* Closing it lets go.  Where files cannot be locked, processes may refuse each other's notes. */
static int lock(const char *path, int *ret, atg_err *err) {
    int flags = is_folder(path) ? O_RDONLY | O_DIRECTORY : O_RDWR | O_APPEND | O_CREAT;
    int fd = open(path, flags | O_CLOEXEC, 0644);

    if (fd < 0)
        return failed(err, path);
    for (int i = 0; flock(fd, LOCK_EX | LOCK_NB) && (errno == EWOULDBLOCK || errno == EINTR); i++) {
        if (i == LOCK_TRIES) {
            (void)close(fd);
            return atg_fail(err, ATG_EIO, "Another process does not let go of the witness %s",
                            path);
        }
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    *ret = fd;
    return ATG_OK;
}

static int read_last(db *d, void *user, atg_err *err) {
    return audit_last_checkpoint(d, user, err);
}

int witness_update(const char *path, store *s, atg_err *err) {
    checkpoint c;
    int fd, rc = lock(path, &fd, err);

    if (rc)
        return rc;
    rc = store_read(s, read_last, &c, err);
    if (rc == ATG_OK)
        rc = witness_write(path, &c, err);
    (void)close(fd);
    return rc == ATG_ENOTFOUND ? ATG_OK : rc;
}
