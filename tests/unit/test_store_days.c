/* SPDX-License-Identifier: Apache-2.0 */
/* Bad days of a store: killed, out of room, shared, damaged, its server restarted. */
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
#include "store/place.h"

enum { THREADS = 4, KILLS = 20, EACH = 60, ROUNDS_MAX = 1000000 };

static void sleep_ms(uint64_t ms) {
    struct timespec t = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};

    nanosleep(&t, NULL);
}

/* ---- killed ---- */

typedef struct writer_thread {
    pthread_t thread;
    store *s;
    int64_t first; /* numbers of this thread begin here */
    int told;      /* where acknowledged numbers are written to */
} writer_thread;

static int add_and_count(db *d, void *user, atg_err *err) {
    int rc = add_entry(d, user, err);

    return rc ? rc : count_up(d, NULL, err);
}

static void *write_and_tell(void *user) {
    writer_thread *w = user;

    for (int64_t id = w->first;; id++) {
        if (store_write(w->s, add_and_count, &id, NULL) || write(w->told, &id, sizeof(id)) < 0)
            return NULL;
    }
}

static _Noreturn void be_killed(const database *where, int64_t round, int told) {
    store_options options = counter_options(where);
    writer_thread threads[THREADS];
    store *s = NULL;

    if (store_open(&options, &s, NULL))
        _exit(1);
    for (int i = 0; i < THREADS; i++) {
        threads[i] = (writer_thread){
            .s = s, .first = (round * THREADS + i) * (int64_t)ROUNDS_MAX, .told = told};
        if (pthread_create(&threads[i].thread, NULL, write_and_tell, &threads[i]))
            _exit(1);
    }
    for (;;)
        pause();
}

/* Every number that was told must be there; read them all. */
static int64_t check_told(store *s, int from) {
    int64_t id, n = 0;

    while (read(from, &id, sizeof(id)) == (ssize_t)sizeof(id)) {
        atg_err err = {0};

        must(store_read(s, has_entry, &id, &err), &err);
        n++;
    }
    return n;
}

static void a_killed_writer_leaves_every_acknowledged_change(const database *where) {
    atg_rng rng = atg_rng_seed((uint64_t)getpid());
    long kills = database_number("ATG_KILLS", KILLS);
    int64_t told = 0;
    atg_err err = {0};

    store_close(counter_store(where));
    for (long k = 0; k < kills; k++) {
        int ends[2];
        pid_t child;
        store *s;

        assert_int_equal(pipe(ends), 0);
        (void)fcntl(ends[1], F_SETPIPE_SZ, 1 << 20);
        child = fork();
        if (child == 0)
            be_killed(where, k, ends[1]);
        close(ends[1]);
        sleep_ms(5 + atg_rng_below(&rng, 120));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        s = counter_store(where);
        told += check_told(s, ends[0]);
        close(ends[0]);
        /* whole changes only: each entry with its count */
        assert_int_equal(entries_in(s), counter_in(s));
        if (!where->postgres)
            must(store_check(s, &err), &err);
        store_close(s);
    }
    assert_true(told > 0);
}

/* ---- two processes ---- */

static int write_each(const database *where, int64_t first) {
    store_options options = counter_options(where);
    store *s = NULL;
    int bad = store_open(&options, &s, NULL);

    for (int64_t id = first; !bad && id < first + EACH; id++)
        bad = store_write(s, add_and_count, &id, NULL);
    store_close(s);
    return bad ? 1 : 0;
}

static void two_processes_share_one_store(const database *where) {
    pid_t children[2];
    atg_err err = {0};
    store *s;

    /* both begin with nothing: who comes first makes the store */
    for (int64_t i = 0; i < 2; i++) {
        children[i] = fork();
        if (children[i] == 0)
            _exit(write_each(where, i * 1000));
    }
    for (int i = 0; i < 2; i++) {
        int status = -1;

        waitpid(children[i], &status, 0);
        assert_int_equal(status, 0);
    }
    s = counter_store(where);
    assert_int_equal(entries_in(s), 2 * EACH);
    assert_int_equal(counter_in(s), 2 * EACH);
    must(store_check(s, &err), &err);
    store_close(s);
}

static void who_wants_to_be_alone_is_told_about_others(const database *where) {
    db_options options = {
        .directory = where->directory, .conninfo = database_conninfo(where), .create = true};
    db *d, *other, *third = NULL;
    atg_err err = {0};

    must(db_open(&options, &d, &err), &err);
    must(db_open(&options, &other, &err), &err);
    if (where->postgres)
        must(db_exclude(other, 0, &err), &err);
    assert_int_equal(db_exclude(d, 20, &err), ATG_ECONFLICT);
    assert_non_null(strstr(err.msg, "process"));
    db_close(other);
    must(db_exclude(d, 1000, &err), &err);
    options.busy_ms = 50;
    if (!where->postgres) {
        assert_int_equal(db_open(&options, &third, &err), ATG_ECONFLICT);
        assert_non_null(strstr(err.msg, "wait"));
    }
    db_share(d);
    must(db_open(&options, &third, &err), &err);
    if (where->postgres)
        must(db_exclude(third, 0, &err), &err);
    db_close(third);
    db_close(d);
}

/* ---- no room ---- */

static int add_large(db *d, void *user, atg_err *err) {
    static const db_statement large = {"large", "INSERT INTO entry(id, text) VALUES ($1, $2)"};
    static char text[100000];

    memset(text, 'x', sizeof(text));
    return db_run(d, &large,
                  (db_value[]){db_int(*(int64_t *)user), db_text((atg_str){text, sizeof(text)})}, 2,
                  NULL, err);
}

static int64_t fill(store *s, int64_t first, int wanted) {
    atg_err err = {0};
    int64_t id = first;
    int rc;

    while ((rc = store_write(s, add_large, &id, &err)) == ATG_OK && id < first + 1000)
        id++;
    if (rc != wanted)
        fail_msg("code %d: %s", rc, err.msg);
    assert_true(strlen(err.msg) > 20);
    return id;
}

static int set_pages(db *d, void *user, atg_err *err) {
    return db_script(d, "pages", user, err);
}

static void a_full_disk_loses_nothing(const database *where) {
    store *s = counter_store(where);
    struct rlimit limit, small;
    int64_t id = 0, n;
    atg_err err = {0};

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    signal(SIGXFSZ, SIG_IGN);
    small = (struct rlimit){.rlim_cur = 2 << 20, .rlim_max = limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    n = fill(s, 0, ATG_EIO);
    assert_int_equal(store_write(s, add_large, &n, &err), ATG_EIO);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_true(n > 3);
    assert_int_equal(entries_in(s), n);
    /* room again */
    id = n;
    must(store_write(s, add_large, &id, &err), &err);
    must(store_write(s, set_pages, (char[]){"PRAGMA max_page_count=2000"}, &err), &err);
    n = fill(s, id + 1, ATG_EIO);
    assert_int_equal(entries_in(s), n);
    must(store_write(s, set_pages, (char[]){"PRAGMA max_page_count=1000000"}, &err), &err);
    must(store_write(s, add_large, &n, &err), &err);
    store_close(s);
    s = counter_store(where);
    assert_int_equal(entries_in(s), n + 1);
    must(store_check(s, &err), &err);
    store_close(s);
}

/* ---- damaged ---- */

static void file_of(const database *where, char ret[300]) {
    snprintf(ret, 300, "%s/antigone.db", where->directory);
}

static void overwrite(const database *where, off_t at, size_t n) {
    char path[300], bytes[4096];
    int fd;

    file_of(where, path);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    memset(bytes, 0xa5, sizeof(bytes));
    assert_true(fd >= 0 && n <= sizeof(bytes));
    assert_int_equal(pwrite(fd, bytes, n, at), n);
    close(fd);
}

static void expect_refusal(const database *where, int code, const char *words) {
    store_options options = counter_options(where);
    store *s = NULL;
    atg_err err = {0};
    int rc;

    options.create = false;
    rc = store_open(&options, &s, &err);
    if (rc == ATG_OK)
        rc = store_check(s, &err);
    store_close(s);
    if (rc != code || !strstr(err.msg, words))
        fail_msg("code %d: %s", rc, err.msg);
}

static void fill_store(const database *where, int64_t n) {
    store *s = counter_store(where);
    atg_err err = {0};

    for (int64_t id = 0; id < n; id++)
        must(store_write(s, add_large, &id, &err), &err);
    store_close(s);
}

static void a_damaged_file_is_refused(const database *where) {
    char path[300];
    struct stat at;

    file_of(where, path);
    fill_store(where, 5);
    assert_int_equal(stat(path, &at), 0);
    assert_int_equal(at.st_mode & 0777, 0600);
    overwrite(where, 12288, 4096);
    expect_refusal(where, ATG_EDB, "damaged");
    assert_int_equal(truncate(path, at.st_size / 2), 0);
    expect_refusal(where, ATG_EDB, "damaged");
    overwrite(where, 0, 100);
    expect_refusal(where, ATG_EDB, "damaged");
    assert_int_equal(truncate(path, 0), 0);
    expect_refusal(where, ATG_EDB, "empty");
    assert_int_equal(unlink(path), 0);
    expect_refusal(where, ATG_ENOTFOUND, "no store");
}

static void a_damaged_log_loses_only_its_end(const database *where) {
    char path[320];
    store *s = counter_store(where), *after;
    pid_t child;
    int64_t n;

    store_close(s);
    /* a log that nobody brought into the file */
    child = fork();
    if (child == 0) {
        store_options options = counter_options(where);

        if (store_open(&options, &s, NULL))
            _exit(1);
        for (int64_t id = 0; id < 5; id++)
            if (store_write(s, add_large, &id, NULL))
                _exit(1);
        kill(getpid(), SIGKILL);
    }
    waitpid(child, NULL, 0);
    snprintf(path, sizeof(path), "%s/antigone.db-wal", where->directory);
    assert_int_equal(truncate(path, 300000), 0);
    after = counter_store(where);
    n = entries_in(after);
    assert_in_range(n, 1, 4);
    must(store_check(after, NULL), &(atg_err){.msg = "check"});
    store_close(after);
}

static void what_is_no_store_is_refused(const database *where) {
    static const struct {
        uint64_t magic;
        bool network;
    } systems[] = {{0x6969, true},      {0xff534d42, true},  {0xfe534d42, true},
                   {0x01021997, true},  {0x517b, true},      {0xef53, false},
                   {0x58465342, false}, {0x01021994, false}, {0x9123683e, false}};
    char path[300];
    database file = *where, nowhere = *where;
    store_options options = counter_options(where);
    atg_err err = {0};
    store *s = NULL;
    FILE *f;

    file_of(where, path);
    f = fopen(path, "w");
    assert_non_null(f);
    fputs("This is a text that somebody named like a database, and it is long enough for one. "
          "This is a text that somebody named like a database, and it is long enough for one.",
          f);
    fclose(f);
    expect_refusal(where, ATG_EDB, "damaged");
    snprintf(file.directory, sizeof(file.directory), "%.150s/antigone.db", where->directory);
    options.directory = file.directory;
    assert_int_equal(store_open(&options, &s, &err), ATG_EINVAL);
    snprintf(nowhere.directory, sizeof(nowhere.directory), "%.150s/a/b", where->directory);
    options.directory = nowhere.directory;
    assert_int_equal(store_open(&options, &s, &err), ATG_ENOTFOUND);
    options.directory = NULL;
    assert_int_equal(store_open(&options, &s, &err), ATG_EINVAL);
    for (size_t i = 0; i < sizeof(systems) / sizeof(*systems); i++)
        assert_int_equal(place_network(systems[i].magic) != NULL, systems[i].network);
}

static void a_server_that_cannot_be_reached_is_told_without_the_password(const database *where) {
    static const char *const cases[] = {
        "host=/nonexistent user=atg password=Gr3ta dbname=x connect_timeout=2",
        "host=/nonexistent password=Gr3ta dbname",
        "Gr3ta",
        "postgresql://atg:Gr3ta@127.0.0.1:1/x?connect_timeout=2",
    };

    (void)where;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        store_options options = {.conninfo = cases[i]};
        store *s = NULL;
        atg_err err = {0};
        int rc = store_open(&options, &s, &err);

        assert_true(rc == ATG_EDB || rc == ATG_EINVAL);
        assert_true(strlen(err.msg) > 20);
        assert_null(strstr(err.msg, "Gr3ta"));
    }
}

/* ---- PostgreSQL stopped and started under load ---- */

typedef struct load {
    pthread_t thread;
    store *s;
    atomic_bool *stop;
    int64_t n_ok, n_failed, first;
} load;

static void *keep_counting(void *user) {
    load *l = user;

    for (int64_t id = l->first; !atomic_load(l->stop); id++) {
        int rc = store_write(l->s, add_and_count, &id, NULL);

        l->n_ok += rc == ATG_OK;
        l->n_failed += rc != ATG_OK;
    }
    return NULL;
}

static void *keep_reading(void *user) {
    load *l = user;
    int64_t last = 0;

    while (!atomic_load(l->stop)) {
        int64_t n = 0;

        if (store_read(l->s, count_entries, &n, NULL) || n < last)
            l->n_failed++;
        last = n;
        l->n_ok++;
    }
    return NULL;
}

static void a_server_restarted_under_load_loses_and_repeats_nothing(const database *where) {
    static atomic_bool stop;
    load loads[THREADS + 1];
    int64_t ok = 0;
    store *s = counter_store(where);

    atomic_store(&stop, false);
    for (int i = 0; i <= THREADS; i++) {
        loads[i] = (load){.s = s, .stop = &stop, .first = i * (int64_t)ROUNDS_MAX};
        assert_int_equal(pthread_create(&loads[i].thread, NULL,
                                        i < THREADS ? keep_counting : keep_reading, &loads[i]),
                         0);
    }
    for (int k = 0; k < 6; k++) {
        sleep_ms(150);
        server_stop(k % 2 == 0);
        sleep_ms(20);
        server_restart();
    }
    sleep_ms(150);
    atomic_store(&stop, true);
    for (int i = 0; i <= THREADS; i++) {
        pthread_join(loads[i].thread, NULL);
        assert_int_equal(loads[i].n_failed, 0);
        assert_true(loads[i].n_ok > 0);
        ok += i < THREADS ? loads[i].n_ok : 0;
    }
    assert_int_equal(counter_in(s), ok);
    assert_int_equal(entries_in(s), ok);
    store_close(s);
}

static void a_server_that_stays_away_fails_the_change_in_time(const database *where) {
    store_options options = counter_options(where);
    store *s = NULL;
    atg_err err = {0};
    int64_t id = 1;

    options.patience_ms = 300;
    must(store_open(&options, &s, &err), &err);
    must(store_write(s, add_entry, &id, &err), &err);
    server_stop(false);
    id = 2;
    assert_int_equal(store_write(s, add_entry, &id, &err), ATG_EDB);
    assert_int_equal(store_read(s, has_entry, &id, &err), ATG_EDB);
    assert_non_null(strstr(err.msg, "PostgreSQL"));
    server_restart();
    must(store_write(s, add_entry, &id, &err), &err);
    assert_int_equal(entries_in(s), 2);
    store_close(s);
}

/* ---- a commit whose answer got lost ---- */

static db *open_admin(const database *where) {
    db_options options = {.conninfo = where->conninfo};
    atg_err err = {0};
    db *d = NULL;

    must(db_open(&options, &d, &err), &err);
    return d;
}

static void *write_one(void *user) {
    load *l = user;

    l->n_ok = store_write(l->s, add_and_count, &l->first, NULL) == ATG_OK;
    return NULL;
}

/* The server commits, then waits for a standby that is not there; its process is ended while it
 * waits.  The change is kept, but nobody said so. */
static void a_commit_that_was_done_but_not_answered_is_not_repeated(const database *where) {
    static const db_statement end_waiting = {
        "end_waiting", "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                       "WHERE wait_event = 'SyncRep' AND datname = current_database()"};
    load l = {.s = counter_store(where), .first = 1};
    db *admin = open_admin(where);
    atg_err err = {0};
    int64_t n = 0;

    must(store_write(l.s, add_and_count, &(int64_t){0}, &err), &err);
    must(db_script(admin, "standby", "ALTER SYSTEM SET synchronous_standby_names = 'nobody'", &err),
         &err);
    must(db_script(admin, "reload", "SELECT pg_reload_conf()", &err), &err);
    sleep_ms(300);
    assert_int_equal(pthread_create(&l.thread, NULL, write_one, &l), 0);
    for (int i = 0; i < 200 && n == 0; i++) {
        sleep_ms(20);
        must(db_get_one(admin, &end_waiting, NULL, 0, 0, &n, &err), &err);
    }
    must(db_script(admin, "standby", "ALTER SYSTEM RESET synchronous_standby_names", &err), &err);
    must(db_script(admin, "reload", "SELECT pg_reload_conf()", &err), &err);
    pthread_join(l.thread, NULL);
    assert_true(n > 0);
    assert_int_equal(l.n_ok, 1);
    assert_int_equal(counter_in(l.s), 2);
    assert_int_equal(entries_in(l.s), 2);
    db_close(admin);
    store_close(l.s);
}

/* A check at the commit ends the server's process, once. */
static void a_commit_that_was_neither_done_nor_answered_is_repeated(const database *where) {
    static const char bomb[] =
        "CREATE SEQUENCE once; CREATE FUNCTION blow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF nextval('once') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); "
        "PERFORM pg_sleep(5); END IF; RETURN NULL; END $$; "
        "CREATE CONSTRAINT TRIGGER blow AFTER INSERT ON entry DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION blow()";
    store *s = counter_store(where);
    db *admin = open_admin(where);
    atg_err err = {0};
    int64_t id = 1;

    must(db_script(admin, "bomb", bomb, &err), &err);
    must(store_write(s, add_and_count, &id, &err), &err);
    assert_int_equal(counter_in(s), 1);
    assert_int_equal(entries_in(s), 1);
    db_close(admin);
    store_close(s);
}

int main(void) {
    static const database_test tests[] = {
        {"a killed writer leaves every acknowledged change",
         a_killed_writer_leaves_every_acknowledged_change, ON_BOTH},
        {"two processes share one store", two_processes_share_one_store, ON_BOTH},
        {"who wants to be alone is told about others", who_wants_to_be_alone_is_told_about_others,
         ON_BOTH},
        {"a full disk loses nothing", a_full_disk_loses_nothing, ON_SQLITE},
        {"a damaged file is refused", a_damaged_file_is_refused, ON_SQLITE},
        {"a damaged log loses only its end", a_damaged_log_loses_only_its_end, ON_SQLITE},
        {"what is no store is refused", what_is_no_store_is_refused, ON_SQLITE},
        {"a server that cannot be reached is told without the password",
         a_server_that_cannot_be_reached_is_told_without_the_password, ON_POSTGRES},
        {"a server restarted under load loses and repeats nothing",
         a_server_restarted_under_load_loses_and_repeats_nothing, ON_POSTGRES},
        {"a server that stays away fails the change in time",
         a_server_that_stays_away_fails_the_change_in_time, ON_POSTGRES},
        {"a commit that was done but not answered is not repeated",
         a_commit_that_was_done_but_not_answered_is_not_repeated, ON_POSTGRES},
        {"a commit that was neither done nor answered is repeated",
         a_commit_that_was_neither_done_nor_answered_is_repeated, ON_POSTGRES},
    };

    return DATABASE_RUN(tests);
}
