/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs: each is done once, whoever dies, whatever the clock does. */
#include "kept.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/jobs.h"

enum { ARENA = 16 << 20, THREADS = 8, MANY = 1000, PROCESSES = 4 };

static const int64_t second = 1000000, hour = 3600000000;
static const int64_t start = 1800000000000000;

static const db_statement add_effect = {"add_effect",
                                        "INSERT INTO effect(subject, worker) VALUES ($1, $2)"};
static const db_statement count_effects = {"count_effects", "SELECT count(*) FROM effect"};
static const db_statement count_subjects = {"count_subjects",
                                            "SELECT count(DISTINCT subject) FROM effect"};

static uuid operation_a, operation_b;

/* Reset the clock and the operations; a database with all tables. */
static db *open_jobs(const database *where) {
    clock_set(start);
    operation_a = kept_id();
    operation_b = kept_id();
    return kept_open(where);
}

static void close_jobs(db *d) {
    clock_set(-1);
    db_close(d);
}

static void add(db *d, const uuid *operation, const char *subject, const char *payload,
                int64_t due) {
    atg_err err = {0};
    bool own = db_mode_of(d) == DB_NONE;

    if (own)
        kept_begin(d);
    must(jobs_add(d, "match", atg_str_of(subject), operation, atg_str_of(payload), due, &err),
         &err);
    if (own)
        kept_commit(d);
}

typedef struct claimed {
    job *jobs;
    uint32_t n;
} claimed;

/* Claim up to `limit` for a minute, in a transaction of its own. */
static claimed claim(db *d, atg_arena *arena, const char *worker, int64_t now, uint32_t limit) {
    claimed c = {0};
    atg_err err = {0};

    must(db_begin(d, DB_QUEUE, &err), &err);
    must(jobs_claim(d, arena, &(job_claim){"match", atg_str_of(worker), now, 60 * second, limit},
                    &c.jobs, &c.n, &err),
         &err);
    must(db_commit(d, &err), &err);
    return c;
}

typedef int end_fn(db *d, const uuid *id, atg_str worker, int64_t now, atg_err *err);

static int end_done(db *d, const uuid *id, atg_str worker, int64_t now, atg_err *err) {
    (void)now;
    return jobs_done(d, id, worker, err);
}

static int end_failed(db *d, const uuid *id, atg_str worker, int64_t now, atg_err *err) {
    return jobs_failed(d, id, worker, now, ATG_STR("It does not work"), err);
}

static int end_extend(db *d, const uuid *id, atg_str worker, int64_t now, atg_err *err) {
    return jobs_extend(d, id, worker, now, 60 * second, err);
}

static int end_with(db *d, end_fn *fn, const job *j, const char *worker, int64_t now) {
    atg_err err = {0};
    int rc;

    kept_begin(d);
    rc = fn(d, &j->id, atg_str_of(worker), now, &err);
    if (rc)
        db_rollback(d);
    else
        kept_commit(d);
    return rc;
}

static void assert_counts(db *d, const uuid *operation, int64_t waiting, int64_t leased,
                          int64_t failed) {
    int64_t n[3] = {-1, -1, -1};
    atg_err err = {0};

    must(jobs_count(d, operation, n, &err), &err);
    assert_int_equal(n[0], waiting);
    assert_int_equal(n[1], leased);
    assert_int_equal(n[2], failed);
}

static void a_job_is_claimed_done_and_gone(const database *where) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    db *d = open_jobs(where);
    atg_err err = {0};
    claimed c;

    add(d, &operation_a, "one", "{\"a\":1}", 0);
    assert_counts(d, &operation_a, 1, 0, 0);
    kept_begin(d);
    must(jobs_claim(d, arena, &(job_claim){"other", ATG_STR("w"), start, second, 5}, &c.jobs, &c.n,
                    &err),
         &err);
    assert_int_equal(c.n, 0);
    kept_commit(d);
    c = claim(d, arena, "w", start, 5);
    assert_int_equal(c.n, 1);
    assert_true(atg_str_eq(c.jobs->kind, ATG_STR("match")));
    assert_true(atg_str_eq(c.jobs->subject, ATG_STR("one")));
    assert_true(atg_str_eq(c.jobs->payload, ATG_STR("{\"a\":1}")));
    assert_int_equal(uuid_cmp(&c.jobs->operation, &operation_a), 0);
    assert_int_equal(c.jobs->attempts, 1);
    assert_int_equal(c.jobs->error.n, 0);
    assert_counts(d, &operation_a, 0, 1, 0);
    assert_int_equal(claim(d, arena, "v", start, 5).n, 0);
    assert_int_equal(end_with(d, end_done, c.jobs, "w", start), ATG_OK);
    assert_counts(d, NULL, 0, 0, 0);
    assert_int_equal(end_with(d, end_done, c.jobs, "w", start), ATG_ECONFLICT);
    close_jobs(d);
}

static void the_same_work_waits_once(const database *where) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    db *d = open_jobs(where);
    claimed c;

    add(d, &operation_a, "one", "first", start + hour);
    add(d, &operation_a, "one", "second", start + 2 * hour);
    add(d, &operation_b, "one", "other", 0);
    assert_counts(d, &operation_a, 1, 0, 0);
    assert_int_equal(claim(d, arena, "w", start, 5).n, 1); /* the other operation's */
    add(d, &operation_a, "one", "third", 0);
    add(d, &operation_a, "one", "third", 0);
    c = claim(d, arena, "w", start, 5);
    assert_int_equal(c.n, 1);
    assert_true(atg_str_eq(c.jobs->payload, ATG_STR("third")));
    /* what comes while it is being done waits for itself */
    add(d, &operation_a, "one", "fourth", 0);
    assert_counts(d, &operation_a, 1, 1, 0);
    assert_int_equal(end_with(d, end_done, c.jobs, "w", start), ATG_OK);
    c = claim(d, arena, "w", start, 5);
    assert_int_equal(c.n, 1);
    assert_true(atg_str_eq(c.jobs->payload, ATG_STR("fourth")));
    close_jobs(d);
}

/* One that was taken in must not be taken away by who cannot see yet what it is about. */
static void work_asked_for_is_not_done_before_its_change_is_there(const database *where) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    db *d = open_jobs(where), *other = kept_connect(where);
    int64_t n[3];
    atg_err err = {0};

    add(d, &operation_a, "one", "same", 0);
    kept_begin(d);
    add(d, &operation_a, "one", "same", 0);
    must(jobs_count(d, NULL, n, &err), &err);
    assert_int_equal(claim(other, arena, "w", start, 5).n, 0);
    kept_commit(d);
    assert_int_equal(claim(other, arena, "w", start, 5).n, 1);
    db_close(other);
    close_jobs(d);
}

static void jobs_come_in_order_and_not_before_they_are_due(const database *where) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    db *d = open_jobs(where);
    char subject[16];
    claimed c;

    for (int i = 0; i < 40; i++) {
        snprintf(subject, sizeof(subject), "%d", i);
        add(d, &operation_a, subject, "", i % 4 == 3 ? start + hour : 0);
    }
    for (int i = 0; i < 40;) {
        c = claim(d, arena, "w", start, 7);
        for (uint32_t k = 0; k < c.n; k++) {
            i += i % 4 == 3;
            snprintf(subject, sizeof(subject), "%d", i++);
            assert_true(atg_str_eq(c.jobs[k].subject, atg_str_of(subject)));
        }
        i += i == 39;
    }
    assert_int_equal(claim(d, arena, "w", start, 7).n, 0);
    assert_int_equal(claim(d, arena, "w", start + hour, 100).n, 40); /* and those of before */
    close_jobs(d);
}

static void a_lease_that_is_over_is_lost_to_who_takes_it(const database *where) {
    end_fn *const ends[] = {end_extend, end_done, end_failed};
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    db *d = open_jobs(where);
    int64_t now = start + 61 * second;
    claimed c;

    add(d, &operation_a, "one", "", 0);
    c = claim(d, arena, "first", start, 5);
    assert_int_equal(end_with(d, end_extend, c.jobs, "first", start + 50 * second), ATG_OK);
    assert_int_equal(claim(d, arena, "second", now, 5).n, 0);
    now = start + 111 * second;
    c = claim(d, arena, "second", now, 5);
    assert_int_equal(c.n, 1);
    assert_int_equal(c.jobs->attempts, 2);
    for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
        assert_int_equal(end_with(d, ends[i], c.jobs, "first", now), ATG_ECONFLICT);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(end_with(d, ends[i], c.jobs, "second", now), ATG_OK);
    assert_counts(d, NULL, 0, 0, 0);
    close_jobs(d);
}

static void a_job_fails_for_good_after_its_attempts(const database *where) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    db *d = open_jobs(where);
    int64_t now = start, delay = 0;
    atg_err err = {0};
    job *failed = NULL;
    uint32_t n = 0;
    claimed c;

    add(d, &operation_a, "one", "kept", 0);
    for (uint32_t k = 1; k <= JOB_ATTEMPTS; k++) {
        int64_t before = delay;

        c = claim(d, arena, "w", now, 5);
        assert_int_equal(c.n, 1);
        assert_int_equal(c.jobs->attempts, k);
        assert_int_equal(c.jobs->error.n > 0, k > 1);
        assert_int_equal(end_with(d, end_failed, c.jobs, "w", now), ATG_OK);
        for (delay = second; k < JOB_ATTEMPTS && !claim(d, arena, "x", now + delay, 1).n;)
            delay += second;
        if (k < JOB_ATTEMPTS) {
            assert_true(delay > before);
            now += delay + 60 * second; /* x dies: that is an attempt too */
            k++;
        }
    }
    assert_counts(d, &operation_a, 0, 0, 1);
    assert_int_equal(claim(d, arena, "w", now + 1000 * hour, 5).n, 0);
    must(jobs_list_failed(d, arena, &operation_a, 10, &failed, &n, &err), &err);
    assert_int_equal(n, 1);
    assert_true(atg_str_eq(failed->error, ATG_STR("It does not work")));
    /* asked for again, it gets all its attempts */
    kept_begin(d);
    must(jobs_retry(d, &operation_a, &n, &err), &err);
    kept_commit(d);
    assert_int_equal(n, 1);
    c = claim(d, arena, "w", start, 5);
    assert_int_equal(c.n, 1);
    assert_int_equal(c.jobs->attempts, 1);
    assert_true(atg_str_eq(c.jobs->payload, ATG_STR("kept")));
    close_jobs(d);
}

static void a_job_that_nobody_survives_fails_too(const database *where) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    db *d = open_jobs(where);
    int64_t now = start;
    atg_err err = {0};
    job *failed = NULL;
    uint32_t n = 0;

    add(d, &operation_a, "deadly", "", 0);
    for (int k = 0; k < JOB_ATTEMPTS; k++, now += 61 * second)
        assert_int_equal(claim(d, arena, "w", now, 5).n, 1);
    add(d, &operation_a, "well", "", 0);
    assert_int_equal(claim(d, arena, "w", now, 1).n, 1); /* goes on behind it */
    assert_counts(d, NULL, 0, 1, 1);
    must(jobs_list_failed(d, arena, &operation_a, 10, &failed, &n, &err), &err);
    assert_true(n == 1 && failed->error.n > 10);
    close_jobs(d);
}

static void what_fails_while_it_waits_again_is_taken_in(const database *where) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    db *d = open_jobs(where);
    claimed c;

    add(d, &operation_a, "one", "old", 0);
    c = claim(d, arena, "w", start, 5);
    add(d, &operation_a, "one", "new", 0);
    assert_int_equal(end_with(d, end_failed, c.jobs, "w", start), ATG_OK);
    assert_counts(d, NULL, 1, 0, 0);
    c = claim(d, arena, "w", start, 5);
    assert_int_equal(c.n, 1);
    assert_true(atg_str_eq(c.jobs->payload, ATG_STR("new")));
    /* one that was put off goes on at once when it is asked for again */
    assert_int_equal(end_with(d, end_failed, c.jobs, "w", start), ATG_OK);
    assert_int_equal(claim(d, arena, "w", start, 5).n, 0);
    add(d, &operation_a, "one", "new", 0);
    c = claim(d, arena, "w", start, 5);
    assert_int_equal(c.n, 1);
    assert_int_equal(c.jobs->attempts, 1);
    close_jobs(d);
}

static void a_clock_set_back_keeps_nothing_waiting(const database *where) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    db *d = open_jobs(where);
    int64_t back = start - 1000 * hour;
    claimed c;

    add(d, &operation_a, "leased", "", 0);
    (void)claim(d, arena, "gone", start, 1);
    add(d, &operation_a, "put off", "", 0);
    c = claim(d, arena, "w", start, 1);
    assert_int_equal(end_with(d, end_failed, c.jobs, "w", start), ATG_OK);
    add(d, &operation_a, "later", "", start + hour); /* what was asked for stays */
    add(d, &operation_a, "now", "", 0);
    /* as long as the clock goes forward */
    assert_int_equal(claim(d, arena, "w", start + second, 1).n, 1);
    assert_int_equal(claim(d, arena, "w", start + second, 9).n, 0);
    /* a little is within what clocks of machines differ by */
    assert_int_equal(claim(d, arena, "w", start - 30 * second, 9).n, 0);
    clock_set(back);
    add(d, &operation_a, "new", "", 0);
    c = claim(d, arena, "w", back, 9);
    assert_int_equal(c.n, 4);
    assert_counts(d, NULL, 1, 4, 0);
    /* its own leases are kept by the new clock */
    assert_int_equal(claim(d, arena, "v", back + second, 9).n, 0);
    assert_int_equal(end_with(d, end_extend, &c.jobs[0], "w", back + 50 * second), ATG_OK);
    assert_int_equal(claim(d, arena, "v", back + 61 * second, 9).n, 3);
    close_jobs(d);
}

/* ---- many at a time ---- */

typedef struct worker {
    pthread_t thread;
    store *s;
    int number;
    job *jobs;
    uint32_t n, n_got;
    uuid got[MANY];
    atg_arena *arena;
    int rc;
} worker;

static int claim_some(db *d, void *user, atg_err *err) {
    worker *w = user;
    char name[32];

    snprintf(name, sizeof(name), "worker %d", w->number);
    return jobs_claim(
        d, w->arena,
        &(job_claim){"match", atg_str_of(name), start, 60 * second, 1 + (uint32_t)w->number % 5},
        &w->jobs, &w->n, err);
}

static void *claim_all(void *user) {
    worker *w = user;

    /* some by the queue, some by the writer */
    do {
        w->n = 0;
        w->rc = w->number % 4 ? store_queue(w->s, claim_some, w, NULL)
                              : store_write(w->s, claim_some, w, NULL);
        for (uint32_t i = 0; w->rc == ATG_OK && i < w->n; i++)
            w->got[w->n_got++] = w->jobs[i].id;
    } while (w->rc == ATG_OK && w->n);
    return NULL;
}

static int by_id(const void *a, const void *b) {
    return uuid_cmp(a, b);
}

static store *open_store(const database *where) {
    store_options options = {.directory = where->directory,
                             .conninfo = database_conninfo(where),
                             .create = true,
                             .n_readers = THREADS,
                             .migrations = record_migrations,
                             .n_migrations = record_migrations_n};
    store *s = NULL;
    atg_err err = {0};

    must(store_open(&options, &s, &err), &err);
    return s;
}

static void add_many(db *d) {
    kept_begin(d);
    for (int i = 0; i < MANY; i++) {
        char subject[16];

        snprintf(subject, sizeof(subject), "%d", i);
        add(d, &operation_a, subject, "{}", 0);
    }
    kept_commit(d);
}

static void two_workers_never_hold_one_job(const database *where) {
    static worker workers[THREADS];
    static uuid all[MANY];
    db *d = open_jobs(where);
    store *stores[] = {open_store(where), open_store(where)};
    uint32_t n = 0;

    add_many(d);
    for (int i = 0; i < THREADS; i++) {
        workers[i] =
            (worker){.s = stores[i % 2], .number = i, .arena = atg_arena_new((size_t)4 * ARENA)};
        assert_int_equal(pthread_create(&workers[i].thread, NULL, claim_all, &workers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        assert_int_equal(workers[i].rc, ATG_OK);
        assert_true(n + workers[i].n_got <= MANY);
        memcpy(&all[n], workers[i].got, workers[i].n_got * sizeof(*all));
        n += workers[i].n_got;
        atg_arena_free(workers[i].arena);
    }
    assert_int_equal(n, MANY);
    qsort(all, MANY, sizeof(*all), by_id);
    for (uint32_t i = 1; i < MANY; i++)
        assert_int_not_equal(uuid_cmp(&all[i - 1], &all[i]), 0);
    store_close(stores[0]);
    store_close(stores[1]);
    close_jobs(d);
}

static void a_killed_workers_job_comes_back(const database *where) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    db *d = open_jobs(where);
    int told[2];
    char c = 0;
    pid_t child;
    claimed got;

    add(d, &operation_a, "one", "", 0);
    assert_int_equal(pipe(told), 0);
    child = fork();
    if (child == 0) {
        db *own = kept_connect(where);

        got = claim(own, arena, "child", start, 1);
        if (got.n != 1 || write(told[1], "x", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    assert_int_equal(read(told[0], &c, 1), 1);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    close(told[0]);
    close(told[1]);
    assert_int_equal(claim(d, arena, "w", start + 59 * second, 1).n, 0);
    got = claim(d, arena, "w", start + 60 * second, 1);
    assert_int_equal(got.n, 1);
    assert_int_equal(got.jobs->attempts, 2);
    assert_int_equal(end_with(d, end_done, got.jobs, "w", start), ATG_OK);
    close_jobs(d);
}

/* ---- several processes ---- */

typedef struct doer {
    store *s;
    atg_arena *arena;
    char name[32];
    job *jobs;
    uint32_t n;
    const job *at;
} doer;

static int take(db *d, void *user, atg_err *err) {
    doer *w = user;

    return jobs_claim(d, w->arena,
                      &(job_claim){"match", atg_str_of(w->name), clock_now(), second / 2, 7},
                      &w->jobs, &w->n, err);
}

static int do_one(db *d, void *user, atg_err *err) {
    doer *w = user;
    db_value effect[] = {db_text(w->at->subject), db_text(atg_str_of(w->name))};
    int rc = db_post(d, &add_effect, effect, 2, err);

    return rc ? rc : jobs_done(d, &w->at->id, atg_str_of(w->name), err);
}

static int count_left(db *d, void *user, atg_err *err) {
    int64_t n[3];
    int rc = jobs_count(d, NULL, n, err);

    if (rc == ATG_OK)
        *(int64_t *)user = n[0] + n[1] + n[2];
    return rc;
}

/* Until nothing is left; a lease that was lost is somebody else's. */
static _Noreturn void work(const database *where, int number) {
    doer w = {.s = open_store(where), .arena = atg_arena_new((size_t)16 * ARENA)};
    int64_t left = 1;

    snprintf(w.name, sizeof(w.name), "process %d", number);
    while (left) {
        if (store_queue(w.s, take, &w, NULL))
            _exit(2);
        for (uint32_t i = 0; i < w.n; i++) {
            w.at = &w.jobs[i];

            int rc = store_write(w.s, do_one, &w, NULL);

            if (rc && rc != ATG_ECONFLICT)
                _exit(3);
        }
        if (w.n == 0) {
            if (store_read(w.s, count_left, &left, NULL))
                _exit(4);
            nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
        }
    }
    store_close(w.s);
    _exit(0);
}

static void many_jobs_are_each_done_once_by_several_processes(const database *where) {
    db *d = open_jobs(where);
    pid_t children[PROCESSES + 2];
    int64_t n = 0;
    atg_err err = {0};

    clock_set(-1);
    must(db_script(d, "effects", "CREATE TABLE effect(subject TEXT NOT NULL, worker TEXT NOT NULL)",
                   &err),
         &err);
    add_many(d);
    db_close(d);
    /* the last two are killed in the middle of it */
    for (int i = 0; i < PROCESSES + 2; i++) {
        children[i] = fork();
        if (children[i] == 0)
            work(where, i);
    }
    for (int i = PROCESSES; i < PROCESSES + 2; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 150000000}, NULL);
        kill(children[i], SIGKILL);
        waitpid(children[i], NULL, 0);
    }
    for (int i = 0; i < PROCESSES; i++) {
        int status = -1;

        waitpid(children[i], &status, 0);
        assert_int_equal(status, 0);
    }
    d = kept_connect(where);
    must(db_get_one(d, &count_effects, NULL, 0, 0, &n, &err), &err);
    assert_int_equal(n, MANY);
    must(db_get_one(d, &count_subjects, NULL, 0, 0, &n, &err), &err);
    assert_int_equal(n, MANY);
    assert_counts(d, NULL, 0, 0, 0);
    db_close(d);
}

/* ---- refusals, memory ---- */

static void claims_without_name_time_or_number_are_refused(const database *where) {
    static const job_claim cases[] = {{"match", {"", 0}, 0, 1, 1},
                                      {"match", {"w", 1}, 0, 0, 1},
                                      {"match", {"w", 1}, 0, -1, 1},
                                      {"match", {"w", 1}, 0, 1, 0},
                                      {"match", {"w", 1}, 0, 1, JOB_LIMIT_MAX + 1}};
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    db *d = open_jobs(where);
    claimed c = {0};

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        atg_err err = {0};

        assert_int_equal(jobs_claim(d, arena, &cases[i], &c.jobs, &c.n, &err), ATG_EINVAL);
    }
    close_jobs(d);
}

static void long_words_about_a_failure_are_cut_between_characters(const database *where) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    db *d = open_jobs(where);
    char text[JOB_ERROR_MAX + 20];
    atg_err err = {0};
    claimed c;

    snprintf(text, sizeof(text), "%*s\xe7\x8e\x8b!", JOB_ERROR_MAX - 1, "x");
    add(d, &operation_a, "one", "", 0);
    c = claim(d, arena, "w", start, 1);
    kept_begin(d);
    must(jobs_failed(d, &c.jobs->id, ATG_STR("w"), start, atg_str_of(text), &err), &err);
    kept_commit(d);
    c = claim(d, arena, "w", start + hour, 1);
    assert_int_equal(c.n, 1);
    assert_int_equal(c.jobs->error.n, JOB_ERROR_MAX - 1);
    close_jobs(d);
}

static int use(db *d, atg_arena *arena, atg_err *err) {
    int64_t counts[3];
    job *jobs = NULL;
    uint32_t n = 0;
    int rc = db_begin(d, DB_WRITE, err);

    if (rc == ATG_OK)
        rc = jobs_add(d, "match", ATG_STR("one"), &operation_a, ATG_STR("{}"), 0, err);
    if (rc == ATG_OK)
        rc = jobs_claim(d, arena, &(job_claim){"match", ATG_STR("w"), start, second, 3}, &jobs, &n,
                        err);
    if (rc == ATG_OK)
        rc = jobs_failed(d, &jobs->id, ATG_STR("w"), start, ATG_STR("no"), err);
    if (rc == ATG_OK)
        rc = jobs_count(d, &operation_a, counts, err);
    if (rc == ATG_OK)
        rc = jobs_retry(d, &operation_a, &n, err);
    db_rollback(d);
    return rc;
}

static void short_memory_is_told_and_leaks_nothing(const database *where) {
    int rc = ATG_ENOMEM;

    db_close(open_jobs(where));
    for (long k = 0; rc == ATG_ENOMEM; k++) {
        size_t before = mem_live();
        db *d = kept_connect(where);
        atg_arena *arena = atg_arena_new(ARENA);
        atg_err err = {0};

        mem_fail_after(k);
        rc = use(d, arena, &err);
        mem_fail_after(-1);
        if (rc && (rc != ATG_ENOMEM || err.code != ATG_ENOMEM))
            fail_msg("allocation %ld: code %d, %s", k, rc, err.msg);
        atg_arena_free(arena);
        db_close(d);
        assert_int_equal(mem_live(), before);
    }
    assert_int_equal(rc, ATG_OK);
    clock_set(-1);
}

int main(void) {
    static const database_test tests[] = {
        {"a job is claimed, done and gone", a_job_is_claimed_done_and_gone, ON_BOTH},
        {"the same work waits once", the_same_work_waits_once, ON_BOTH},
        {"work asked for is not done before its change is there",
         work_asked_for_is_not_done_before_its_change_is_there, ON_POSTGRES},
        {"jobs come in order and not before they are due",
         jobs_come_in_order_and_not_before_they_are_due, ON_BOTH},
        {"a lease that is over is lost to who takes it",
         a_lease_that_is_over_is_lost_to_who_takes_it, ON_BOTH},
        {"a job fails for good after its attempts", a_job_fails_for_good_after_its_attempts,
         ON_BOTH},
        {"a job that nobody survives fails too", a_job_that_nobody_survives_fails_too, ON_BOTH},
        {"what fails while it waits again is taken in", what_fails_while_it_waits_again_is_taken_in,
         ON_BOTH},
        {"a clock set back keeps nothing waiting", a_clock_set_back_keeps_nothing_waiting, ON_BOTH},
        {"two workers never hold one job", two_workers_never_hold_one_job, ON_BOTH},
        {"a killed worker's job comes back", a_killed_workers_job_comes_back, ON_BOTH},
        {"many jobs are each done once by several processes",
         many_jobs_are_each_done_once_by_several_processes, ON_BOTH},
        {"claims without name, time or number are refused",
         claims_without_name_time_or_number_are_refused, ON_BOTH},
        {"long words about a failure are cut between characters",
         long_words_about_a_failure_are_cut_between_characters, ON_BOTH},
        {"short memory is told and leaks nothing", short_memory_is_told_and_leaks_nothing, ON_BOTH},
    };

    return DATABASE_RUN(tests);
}
