/* SPDX-License-Identifier: Apache-2.0 */
/* Backups: whole or not there, and what was changed since is not restored. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "counters.h"
#include "server.h"
#include "store/backup.h"

enum { THREADS = 4, KILLS = 12, PATH_BYTES = 300, TEXT = 20000 };

static void sleep_ms(uint64_t ms) {
    nanosleep(
        &(struct timespec){.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000},
        NULL);
}

static int add_and_count(db *d, void *user, atg_err *err) {
    int rc = add_entry(d, user, err);

    return rc ? rc : count_up(d, NULL, err);
}

static void add_some(store *s, int64_t first, int64_t n) {
    atg_err err = {0};

    for (int64_t id = first; id < first + n; id++)
        must(store_write(s, add_and_count, &id, &err), &err);
}

/* A place to restore to, beside that of the test. */
static database made_target(const database *where) {
    static unsigned made;
    database to = *where;
    char name[40];

    database_make_folder(to.directory, sizeof(to.directory));
    if (where->postgres) {
        snprintf(name, sizeof(name), "restored_%u", made++);
        assert_true(server_make_database(name));
        snprintf(to.conninfo, sizeof(to.conninfo), "host=%s user=atg dbname=%s", server_socket(),
                 name);
    }
    return to;
}

static void drop_target(const database *to) {
    database_remove_folder(to->directory);
    if (to->postgres)
        server_drop_database(strrchr(to->conninfo, '=') + 1);
}

static void path_of(const database *where, const char *name, char ret[PATH_BYTES]) {
    snprintf(ret, PATH_BYTES, "%s/%s", where->directory, name);
}

static int restore(const database *to, const char *path, atg_err *err) {
    store_options options = counter_options(to);

    return store_restore(&options, path, NULL, err);
}

/* NOLINTBEGIN(concurrency-mt-unsafe): who reads directories here does so alone */
/* How many files of this beginning are there? */
static int count_files(const char *folder, const char *beginning) {
    DIR *dir = opendir(folder);
    int n = 0;

    assert_non_null(dir);
    for (const struct dirent *e = readdir(dir); e; e = readdir(dir))
        n += strncmp(e->d_name, beginning, strlen(beginning)) == 0;
    closedir(dir);
    return n;
}
/* NOLINTEND(concurrency-mt-unsafe) */

/* ---- during writes ---- */

typedef struct load {
    pthread_t thread;
    store *s;
    int64_t first;
    atomic_bool *stop;
} load;

static void *keep_writing(void *user) {
    load *l = user;

    for (int64_t id = l->first; !atomic_load(l->stop); id++)
        if (store_write(l->s, add_and_count, &id, NULL))
            return user;
    return NULL;
}

static void a_backup_during_writes_is_one_moments_state(const database *where) {
    static atomic_bool stop;
    load loads[THREADS];
    char path[PATH_BYTES];
    store *s = counter_store(where), *again;
    database to = made_target(where);
    backup_page page;
    int64_t before, after;
    atg_err err = {0};

    add_some(s, 0, 200);
    atomic_store(&stop, false);
    for (int i = 0; i < THREADS; i++) {
        loads[i] = (load){.s = s, .first = (i + 1) * (int64_t)1000000, .stop = &stop};
        assert_int_equal(pthread_create(&loads[i].thread, NULL, keep_writing, &loads[i]), 0);
    }
    sleep_ms(50);
    path_of(where, "copy", path);
    before = counter_in(s);
    must(store_backup(s, path, NULL, &err), &err);
    after = counter_in(s);
    atomic_store(&stop, true);
    for (int i = 0; i < THREADS; i++) {
        void *bad = NULL;

        pthread_join(loads[i].thread, &bad);
        assert_null(bad);
    }
    must(backup_check(path, NULL, &page, &err), &err);
    assert_int_equal(page.kind, where->postgres ? DB_POSTGRES : DB_SQLITE);
    assert_int_equal(page.schema, 1);
    must(restore(&to, path, &err), &err);
    again = counter_store(&to);
    assert_in_range(entries_in(again), before, after);
    assert_int_equal(entries_in(again), counter_in(again));
    must(store_check(again, &err), &err);
    add_some(again, -5, 5);
    store_close(again);
    store_close(s);
    drop_target(&to);
}

/* ---- what is refused ---- */

static void make_copy(const database *where, char path[PATH_BYTES]) {
    store *s = counter_store(where);
    atg_err err = {0};

    add_some(s, 0, 50);
    path_of(where, "copy", path);
    must(store_backup(s, path, NULL, &err), &err);
    store_close(s);
}

static void a_target_that_holds_something_is_refused(const database *where) {
    char path[PATH_BYTES], log[PATH_BYTES + 20];
    database to = made_target(where);
    atg_err err = {0};
    int fd;

    make_copy(where, path);
    assert_int_equal(restore(where, path, &err), ATG_ECONFLICT);
    if (!where->postgres) {
        path_of(&to, "antigone.db-wal", log);
        fd = open(log, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        close(fd);
        assert_int_equal(restore(&to, path, &err), ATG_ECONFLICT);
        assert_int_equal(unlink(log), 0);
    }
    must(restore(&to, path, &err), &err);
    assert_int_equal(restore(&to, path, &err), ATG_ECONFLICT);
    assert_true(strlen(err.msg) > 20);
    drop_target(&to);
}

static off_t size_of(const char *path) {
    struct stat there;

    assert_int_equal(stat(path, &there), 0);
    return there.st_size;
}

static void change_byte(const char *path, off_t at) {
    int fd = open(path, O_RDWR | O_CLOEXEC);
    unsigned char c = 0;

    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &c, 1, at), 1);
    c ^= 0x10;
    assert_int_equal(pwrite(fd, &c, 1, at), 1);
    close(fd);
}

static void expect_damage(const database *to, const char *path) {
    backup_page page = {.size = 77};
    atg_err err = {0};
    int rc = backup_check(path, NULL, &page, &err);

    assert_true(rc == ATG_EPARSE || rc == ATG_EDB);
    assert_int_equal(page.size, 77);
    assert_true(strlen(err.msg) > 20);
    rc = restore(to, path, &err);
    assert_true(rc == ATG_EPARSE || rc == ATG_EDB);
}

static void copy_file(const char *from, const char *to, off_t n) {
    static char bytes[1 << 20];
    int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(in >= 0 && out >= 0);
    for (ssize_t got; n > 0 && (got = read(in, bytes, sizeof(bytes))) > 0; n -= got) {
        got = got < n ? got : n;
        assert_int_equal(write(out, bytes, (size_t)got), got);
    }
    close(in);
    close(out);
}

static void what_was_cut_off_or_changed_is_refused(const database *where) {
    char path[PATH_BYTES], bad[PATH_BYTES];
    atg_rng rng = atg_rng_seed(7);
    database to = made_target(where);
    atg_err err = {0};
    off_t size;
    int fd;

    make_copy(where, path);
    path_of(where, "bad", bad);
    size = size_of(path);
    for (int k = 0; k < 12; k++) {
        copy_file(path, bad, k == 0 ? 0 : k == 1 ? size - 1 : (off_t)atg_rng_below(&rng, size));
        expect_damage(&to, bad);
    }
    for (int k = 0; k < 12; k++) {
        off_t at = (off_t)atg_rng_below(&rng, (uint64_t)(k < 6 ? size : BACKUP_PAGE));

        copy_file(path, bad, size);
        change_byte(bad, k < 6 ? at : size - 1 - at);
        expect_damage(&to, bad);
    }
    copy_file(path, bad, size);
    fd = open(bad, O_WRONLY | O_APPEND | O_CLOEXEC);
    assert_int_equal(write(fd, "x", 1), 1);
    close(fd);
    expect_damage(&to, bad);
    /* a page alone, and one that is of more than there is */
    copy_file(path, bad, size);
    assert_int_equal(truncate(bad, size + BACKUP_PAGE), 0);
    expect_damage(&to, bad);
    assert_int_equal(restore(&to, "/nonexistent/copy", &err), ATG_ENOTFOUND);
    assert_int_equal(restore(&to, where->directory, &err), ATG_EIO);
    /* none of it left anything behind */
    must(restore(&to, path, &err), &err);
    assert_int_equal(count_files(to.directory, "antigone.db."), 0);
    drop_target(&to);
}

/* Somebody changes the archive and writes a page that fits it. */
static void forge(const char *path) {
    char text[BACKUP_PAGE];
    off_t size = size_of(path) - BACKUP_PAGE;
    char *bytes = malloc((size_t)size);
    backup_page page;
    atg_err err = {0};
    int fd;

    assert_non_null(bytes);
    must(backup_check(path, NULL, &page, &err), &err);
    for (off_t at = size / 2; at < size / 2 + 64; at++)
        change_byte(path, at);
    fd = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(pread(fd, bytes, (size_t)size, 0), size);
    page.hash = hash_of((atg_str){bytes, (size_t)size}, NULL);
    backup_page_text(&page, text);
    assert_int_equal(pwrite(fd, text, sizeof(text), size), sizeof(text));
    close(fd);
    free(bytes);
}

static void what_pg_restore_cannot_read_leaves_the_database_empty(const database *where) {
    char path[PATH_BYTES], bad[PATH_BYTES];
    database to = made_target(where);
    atg_err err = {0};

    make_copy(where, path);
    path_of(where, "bad", bad);
    copy_file(path, bad, size_of(path));
    forge(bad);
    assert_int_equal(restore(&to, bad, &err), ATG_EDB);
    assert_non_null(strstr(err.msg, "pg_restore failed: "));
    must(restore(&to, path, &err), &err);
    drop_target(&to);
}

static void backups_of_the_other_database_and_of_newer_programs_are_refused(const database *where) {
    char path[PATH_BYTES];
    database to = made_target(where);
    store_options options = counter_options(&to);
    atg_err err = {0};

    make_copy(where, path);
    options.n_migrations = 0;
    assert_int_equal(store_restore(&options, path, NULL, &err), ATG_EDB);
    assert_non_null(strstr(err.msg, "version 1"));
    options = counter_options(&to);
    options.conninfo = where->postgres ? NULL : "host=/nonexistent";
    assert_int_equal(store_restore(&options, path, NULL, &err), ATG_EINVAL);
    options.conninfo = options.directory = NULL;
    assert_int_equal(store_restore(&options, path, NULL, &err), ATG_EINVAL);
    drop_target(&to);
}

static void names_that_are_taken_and_places_that_are_not_there_are_refused(const database *where) {
    char path[PATH_BYTES];
    store *s;
    atg_err err = {0};

    make_copy(where, path);
    s = counter_store(where);
    assert_int_equal(store_backup(s, path, NULL, &err), ATG_ECONFLICT);
    assert_int_equal(store_backup(s, "/nonexistent/copy", NULL, &err), ATG_EIO);
    assert_int_equal(count_files(where->directory, "copy"), 1);
    assert_int_equal(size_of(path) % BACKUP_PAGE == 0, !where->postgres);
    store_close(s);
}

/* ---- stopped, killed, out of room ---- */

typedef struct watch {
    uint64_t n, last, stop_at;
    bool backwards;
} watch;

static bool look(void *user, const char *phase, uint64_t done, uint64_t total) {
    watch *w = user;

    w->backwards |= total && done > total;
    w->last = done;
    return ++w->n != w->stop_at && phase[0];
}

static int add_large(db *d, void *user, atg_err *err) {
    static const db_statement large = {"large", "INSERT INTO entry(id, text) VALUES ($1, $2)"};
    static char text[TEXT];
    atg_rng rng = atg_rng_seed(*(uint64_t *)user);
    int rc = ATG_OK;

    for (int64_t k = 0; k < 100 && rc == ATG_OK; k++) {
        for (size_t i = 0; i < sizeof(text); i++)
            text[i] = (char)('!' + atg_rng_below(&rng, 90));
        rc = db_post(d, &large,
                     (db_value[]){db_int(*(int64_t *)user * 100 + k),
                                  db_text((atg_str){text, sizeof(text)})},
                     2, err);
    }
    return rc;
}

static store *large_store(const database *where, int64_t n) {
    store *s = counter_store(where);
    atg_err err = {0};

    for (int64_t k = 1; k <= n; k++)
        must(store_write(s, add_large, &k, &err), &err);
    return s;
}

static void progress_is_told_and_can_stop_both_ways(const database *where) {
    store *s = large_store(where, 4);
    database to = made_target(where);
    store_options options = counter_options(&to);
    char path[PATH_BYTES];
    atg_err err = {0};
    watch w = {.stop_at = 1};
    int rc = ATG_ECANCEL;

    path_of(where, "copy", path);
    assert_int_equal(store_backup(s, path, &(atg_progress){look, &w}, &err), ATG_ECANCEL);
    assert_int_equal(count_files(where->directory, "copy"), 0);
    w = (watch){0};
    must(store_backup(s, path, &(atg_progress){look, &w}, &err), &err);
    assert_true(w.n > 0 && w.last > 0 && !w.backwards);
    store_close(s);
    for (uint64_t k = 1; rc; k *= 3) {
        w = (watch){.stop_at = k < 100 ? k : 0};
        rc = store_restore(&options, path, &(atg_progress){look, &w}, &err);
        assert_true((rc == ATG_OK || rc == ATG_ECANCEL) && !w.backwards);
    }
    s = counter_store(&to);
    assert_int_equal(entries_in(s), 400);
    store_close(s);
    drop_target(&to);
}

static void a_killed_backup_leaves_nothing_under_its_name(const database *where) {
    atg_rng rng = atg_rng_seed((uint64_t)getpid());
    long kills = database_number("ATG_KILLS", KILLS);
    int whole = 0;

    store_close(large_store(where, 4));
    for (long k = 0; k < kills; k++) {
        char path[PATH_BYTES], name[32];
        backup_page page;
        atg_err err = {0};
        pid_t child;

        snprintf(name, sizeof(name), "copy-%ld", k);
        path_of(where, name, path);
        child = fork();
        if (child == 0) {
            store *own = counter_store(where);

            _exit(store_backup(own, path, NULL, NULL) ? 1 : 0);
        }
        sleep_ms(atg_rng_below(&rng, k % 3 == 2 ? 600 : 200));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        if (access(path, F_OK) == 0) {
            must(backup_check(path, NULL, &page, &err), &err);
            whole++;
        }
    }
    assert_int_equal(count_files(where->directory, "copy-") >= whole, 1);
}

static void a_killed_restore_can_be_begun_again(const database *where) {
    atg_rng rng = atg_rng_seed((uint64_t)getpid());
    long kills = database_number("ATG_KILLS", KILLS);
    database to = made_target(where);
    char path[PATH_BYTES];
    store *s = large_store(where, 4);
    atg_err err = {0};
    int rc = ATG_ECONFLICT;

    path_of(where, "copy", path);
    must(store_backup(s, path, NULL, &err), &err);
    store_close(s);
    for (long k = 0; k < kills; k++) {
        pid_t child = fork();

        if (child == 0)
            _exit(restore(&to, path, NULL) ? 1 : 0);
        sleep_ms(atg_rng_below(&rng, 150));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    /* what the killed ones started may still be at it */
    for (int k = 0; k < 100 && rc == ATG_ECONFLICT; k++) {
        rc = restore(&to, path, &err);
        if (rc == ATG_ECONFLICT) {
            store_options options = counter_options(&to);

            options.create = false;
            if (store_open(&options, &s, NULL) == ATG_OK) {
                assert_int_equal(entries_in(s), 400);
                store_close(s);
                rc = ATG_OK;
            }
            sleep_ms(50);
        }
    }
    must(rc, &err);
    s = counter_store(&to);
    assert_int_equal(entries_in(s), 400);
    store_close(s);
    drop_target(&to);
}

static void a_full_disk_leaves_no_backup_and_no_store(const database *where) {
    store *s = large_store(where, 4);
    database to = made_target(where);
    struct rlimit limit, small;
    char path[PATH_BYTES];
    atg_err err = {0};
    int rc;

    path_of(where, "copy", path);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    signal(SIGXFSZ, SIG_IGN);
    small = (struct rlimit){.rlim_cur = 1 << 20, .rlim_max = limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    rc = store_backup(s, path, NULL, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_int_equal(rc, ATG_EIO);
    assert_int_equal(count_files(where->directory, "copy"), 0);
    must(store_backup(s, path, NULL, &err), &err);
    store_close(s);
    if (!where->postgres) {
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
        rc = restore(&to, path, &err);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
        assert_int_equal(rc, ATG_EIO);
    }
    must(restore(&to, path, &err), &err);
    drop_target(&to);
}

/* ---- secrets ---- */

typedef struct spying {
    const char *program;
    int n_seen, n_shown;
} spying;

/* NOLINTBEGIN(concurrency-mt-unsafe) */
/* Looks at the command lines of all processes, as anybody on the machine may. */
static bool spy(void *user, const char *phase, uint64_t done, uint64_t total) {
    spying *s = user;
    DIR *dir = opendir("/proc");

    (void)phase;
    (void)done;
    (void)total;
    for (const struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir)) {
        char path[PATH_BYTES], line[4096];
        ssize_t n;
        int fd;

        snprintf(path, sizeof(path), "/proc/%.20s/cmdline", e->d_name);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        n = fd < 0 ? 0 : read(fd, line, sizeof(line));
        if (fd >= 0)
            close(fd);
        if (n <= 0 || !memmem(line, (size_t)n, s->program, strlen(s->program)))
            continue;
        s->n_seen += memmem(line, (size_t)n, "keepalives", 10) != NULL;
        s->n_shown += memmem(line, (size_t)n, "Gr3ta x", 7) != NULL;
    }
    if (dir)
        closedir(dir);
    return true;
}

/* NOLINTEND(concurrency-mt-unsafe) */

static void passwords_are_on_no_command_line(const database *where) {
    char path[PATH_BYTES];
    database to = made_target(where), with = *where;
    store_options options;
    spying s = {.program = "pg_dump"};
    atg_err err = {0};
    store *st;
    db *admin = NULL;
    db_options how = {.conninfo = where->conninfo};

    store_close(large_store(where, 4));
    /* a name that needs quotes */
    must(db_open(&how, &admin, &err), &err);
    must(db_script(admin, "name", "CREATE DATABASE \"a 'Gr3ta\\ b\"", &err), &err);
    db_close(admin);
    snprintf(with.conninfo, sizeof(with.conninfo), "%.200s password='Gr3ta x'", where->conninfo);
    options = counter_options(&with);
    must(store_open(&options, &st, &err), &err);
    path_of(where, "copy", path);
    must(store_backup(st, path, &(atg_progress){spy, &s}, &err), &err);
    store_close(st);
    assert_true(s.n_seen > 0);
    assert_int_equal(s.n_shown, 0);
    s = (spying){.program = "pg_restore"};
    snprintf(with.conninfo, sizeof(with.conninfo),
             "host=%s user=atg password='Gr3ta x' dbname='a \\'Gr3ta\\\\ b' keepalives_idle=7 "
             "connect_timeout=9",
             server_socket());
    options = counter_options(&with);
    must(store_restore(&options, path, &(atg_progress){spy, &s}, &err), &err);
    assert_true(s.n_seen > 0);
    assert_int_equal(s.n_shown, 0);
    must(store_open(&options, &st, &err), &err);
    assert_int_equal(entries_in(st), 400);
    store_close(st);
    /* what cannot be handed over unseen is refused */
    snprintf(with.conninfo, sizeof(with.conninfo), "%.200s sslpassword=Gr3ta", to.conninfo);
    options = counter_options(&with);
    assert_int_equal(store_restore(&options, path, NULL, &err), ATG_EINVAL);
    assert_null(strstr(err.msg, "Gr3ta"));
    drop_target(&to);
}

/* ---- memory ---- */

static void short_memory_is_told_and_leaves_nothing(const database *where) {
    char path[PATH_BYTES];
    database to = made_target(where);
    store *s = counter_store(where);
    size_t before;
    atg_err err = {0};
    int rc = ATG_ENOMEM;

    add_some(s, 0, 5);
    path_of(where, "first", path);
    must(store_backup(s, path, NULL, &err), &err);
    path_of(where, "copy", path);
    before = mem_live();
    for (long k = 0; rc == ATG_ENOMEM; k++) {
        mem_fail_after(k);
        rc = store_backup(s, path, NULL, &err);
        mem_fail_after(-1);
        if (rc && (rc != ATG_ENOMEM || err.code != ATG_ENOMEM))
            fail_msg("allocation %ld: code %d, %s", k, rc, err.msg);
        assert_int_equal(count_files(where->directory, "copy"), rc == ATG_OK);
        assert_int_equal(mem_live(), before);
    }
    store_close(s);
    before = mem_live();
    rc = ATG_ENOMEM;
    for (long k = 0; rc == ATG_ENOMEM; k++) {
        mem_fail_after(k);
        rc = restore(&to, path, &err);
        mem_fail_after(-1);
        if (rc && (rc != ATG_ENOMEM || err.code != ATG_ENOMEM))
            fail_msg("allocation %ld: code %d, %s", k, rc, err.msg);
        assert_int_equal(mem_live(), before);
    }
    drop_target(&to);
}

int main(void) {
    static const database_test tests[] = {
        {"a backup during writes is one moment's state",
         a_backup_during_writes_is_one_moments_state, ON_BOTH},
        {"a target that holds something is refused", a_target_that_holds_something_is_refused,
         ON_BOTH},
        {"what was cut off or changed is refused", what_was_cut_off_or_changed_is_refused, ON_BOTH},
        {"what pg_restore cannot read leaves the database empty",
         what_pg_restore_cannot_read_leaves_the_database_empty, ON_POSTGRES},
        {"backups of the other database and of newer programs are refused",
         backups_of_the_other_database_and_of_newer_programs_are_refused, ON_BOTH},
        {"names that are taken and places that are not there are refused",
         names_that_are_taken_and_places_that_are_not_there_are_refused, ON_BOTH},
        {"progress is told and can stop both ways", progress_is_told_and_can_stop_both_ways,
         ON_BOTH},
        {"a killed backup leaves nothing under its name",
         a_killed_backup_leaves_nothing_under_its_name, ON_BOTH},
        {"a killed restore can be begun again", a_killed_restore_can_be_begun_again, ON_BOTH},
        {"a full disk leaves no backup and no store", a_full_disk_leaves_no_backup_and_no_store,
         ON_BOTH},
        {"passwords are on no command line", passwords_are_on_no_command_line, ON_POSTGRES},
        {"short memory is told and leaves nothing", short_memory_is_told_and_leaves_nothing,
         ON_BOTH},
    };

    return DATABASE_RUN(tests);
}
