/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "workers.h"

enum { ARENA = 8 << 20 };

static atg_arena *arena;

static int set_up(void **state) {
    (void)state;
    arena = atg_arena_new(ARENA);
    return arena ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    atg_arena_free(arena);
    return 0;
}

static void expect(worker_pool *pool, frame_test test, uint32_t ms, int code, const char *words) {
    atg_str text = {0};
    atg_err err = {0};
    int rc = worker_selftest(pool, test, ms, arena, &text, &err);

    if (rc != code || !strstr(err.msg, words))
        fail_msg("expected \"%s\", got code %d: %s", words, rc, rc ? err.msg : "no failure");
    assert_null(text.p);
}

static worker_health health_of(worker_pool *pool) {
    worker_health h;

    worker_pool_health(pool, &h);
    return h;
}

/* ---- the sandbox ---- */

static void nothing_that_is_forbidden_works_inside_on_any_thread(void **state) {
    worker_pool *pool = open_pool((worker_options){0});
    int tried = 0, in_threads = 0;
    atg_str text = {0};
    atg_err err = {0};

    (void)state;
    if (worker_selftest(pool, FRAME_TEST_TRY, TEST_DEADLINE, arena, &text, &err))
        fail_msg("%s", err.msg);
    while (text.n) {
        atg_str line = atg_str_cut(&text, '\n'), where = atg_str_cut(&line, ' ');
        atg_str name = atg_str_cut(&line, ' ');

        if (!atg_str_eq(line, ATG_STR("1")) && !atg_str_eq(name, ATG_STR("clone3")))
            fail_msg("%.*s in %.*s gave %.*s", ATG_FMT(name), ATG_FMT(where), ATG_FMT(line));
        tried++;
        in_threads += atg_str_eq(where, ATG_STR("thread"));
    }
    assert_int_equal(tried, 2 * in_threads);
    assert_true(in_threads >= 20);
    worker_pool_close(pool);
}

static void it_says_what_holds(void **state) {
    worker_pool *pool = open_pool((worker_options){0});
    worker_health h;
    atg_err err = {0};

    (void)state;
    if (worker_pool_check(pool, &h, &err))
        fail_msg("%s", err.msg);
    assert_true(h.known && h.hold.decodes && h.hold.seccomp && h.hold.no_new_privs);
    assert_int_equal(h.running, 1);
    assert_int_equal(h.busy, 0);
    assert_int_equal(h.started, 1);
    assert_string_equal(h.hold.why, "");
    assert_true(strstr(h.hold.libraries, "vips") != NULL);
    assert_true(h.hold.formats >> WORKER_JPEG & 1 && h.hold.formats >> WORKER_BMP & 1);
    print_message("# landlock %u, namespaces %u, memory %llu, formats %x\n", h.hold.landlock,
                  h.hold.namespaces, (unsigned long long)h.hold.memory, h.hold.formats);
    worker_pool_close(pool);
}

static void without_seccomp_it_refuses_to_decode(void **state) {
    worker_pool *pool = open_pool((worker_options){.argument = "--without-seccomp"});
    worker_health h;
    atg_err err = {0};

    (void)state;
    assert_int_equal(worker_pool_check(pool, &h, &err), ATG_OK);
    assert_false(h.hold.decodes);
    expect(pool, FRAME_TEST_ECHO, TEST_DEADLINE, ATG_EDENIED, "seccomp was left out");
    worker_pool_close(pool);
}

static void with_rights_it_refuses_to_decode(void **state) {
    worker_pool *pool = open_pool((worker_options){.argument = "--without-capset"});
    worker_health h;
    atg_err err = {0};

    (void)state;
    assert_int_equal(worker_pool_check(pool, &h, &err), ATG_OK);
    assert_true(h.hold.seccomp);
    assert_false(h.hold.decodes);
    expect(pool, FRAME_TEST_ECHO, TEST_DEADLINE, ATG_EDENIED, "could not be given up");
    worker_pool_close(pool);
}

/* ---- bad days ---- */

static void one_that_dies_fails_one_request_and_the_next_finds_a_fresh_one(void **state) {
    worker_pool *pool = open_pool((worker_options){0});

    (void)state;
    assert_works(pool, arena);
    expect(pool, FRAME_TEST_ABORT, TEST_DEADLINE, ATG_EIO, "The worker ended while it read this");
    assert_works(pool, arena);
    assert_int_equal(health_of(pool).ended, 1);
    assert_int_equal(health_of(pool).started, 2);
    worker_pool_close(pool);
}

static void one_that_loops_is_ended_when_time_is_up(void **state) {
    worker_pool *pool = open_pool((worker_options){0});

    (void)state;
    assert_works(pool, arena);
    expect(pool, FRAME_TEST_LOOP, 300, ATG_ELIMIT, "longer than the 1 s");
    assert_works(pool, arena);
    assert_int_equal(health_of(pool).late, 1);
    worker_pool_close(pool);
}

static void one_that_wants_too_much_memory_is_refused_it(void **state) {
    worker_pool *pool = open_pool((worker_options){.memory = (uint64_t)700 << 20});
    worker_health h;
    atg_err err = {0};

    (void)state;
    assert_int_equal(worker_pool_check(pool, &h, &err), ATG_OK);
    expect(pool, FRAME_TEST_MEMORY, TEST_DEADLINE, ATG_ELIMIT, "there was no more memory");
    assert_works(pool, arena);
    assert_int_equal(health_of(pool).started, 1);
    worker_pool_close(pool);
}

static void one_that_answers_nonsense_or_without_end_is_replaced(void **state) {
    worker_pool *pool = open_pool((worker_options){0});

    (void)state;
    expect(pool, FRAME_TEST_NONSENSE, TEST_DEADLINE, ATG_EIO, "no answer");
    expect(pool, FRAME_TEST_FLOOD, TEST_DEADLINE, ATG_ELIMIT, "is longer than 16777216");
    assert_works(pool, arena);
    assert_int_equal(health_of(pool).started, 3);
    worker_pool_close(pool);
}

/* The processes that this one started. */
static int kill_children(int sig) {
    char path[64];
    FILE *f;
    int pid, n = 0;

    (void)snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
    f = fopen(path, "re");
    assert_non_null(f);
    while (fscanf(f, "%d", &pid) == 1) { /* NOLINT(cert-err34-c): written by the kernel */
        assert_int_equal(kill(pid, sig), 0);
        n++;
    }
    (void)fclose(f);
    return n;
}

static void one_that_is_killed_while_idle_costs_no_request(void **state) {
    worker_pool *pool = open_pool((worker_options){0});

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_works(pool, arena);
        assert_int_equal(kill_children(SIGKILL), 1);
        /* until its end of the pipe is closed */
        (void)usleep(100000);
    }
    assert_works(pool, arena);
    assert_int_equal(health_of(pool).ended, 0);
    worker_pool_close(pool);
}

static void *kill_soon(void *user) {
    (void)user;
    (void)usleep(300000);
    return kill_children(SIGKILL) ? user : NULL;
}

static void one_that_is_killed_in_the_middle_fails_the_request_in_hand(void **state) {
    worker_pool *pool = open_pool((worker_options){0});
    pthread_t thread;

    (void)state;
    assert_works(pool, arena);
    assert_int_equal(pthread_create(&thread, NULL, kill_soon, NULL), 0);
    expect(pool, FRAME_TEST_LOOP, TEST_DEADLINE, ATG_EIO, "it was killed");
    (void)pthread_join(thread, NULL);
    assert_works(pool, arena);
    worker_pool_close(pool);
}

/* A program with a worker that is busy for ever. */
static void loop_in(int tell) {
    worker_pool *own = open_pool((worker_options){0});
    atg_str text;

    assert_works(own, arena);
    if (write(tell, "x", 1) == 1)
        (void)worker_selftest(own, FRAME_TEST_LOOP, 1000, arena, &text, NULL);
    _exit(0);
}

static void one_whose_parent_is_gone_ends_by_itself(void **state) {
    enum { TRIES = 1000, PAUSE_US = 20000 };
    int ends[2], program, left = TRIES;
    char c;

    (void)state;
    /* what the program leaves behind is ours to wait for */
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
    assert_int_equal(pipe(ends), 0);
    program = fork();
    if (program == 0)
        loop_in(ends[1]);
    assert_int_equal(read(ends[0], &c, 1), 1);
    (void)usleep(PAUSE_US); /* so that the worker has the request */
    assert_int_equal(kill(program, SIGKILL), 0);
    assert_int_equal(waitpid(program, NULL, 0), program);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), 0);
    /* by who waits for it, or by its limit of processor time */
    while (waitpid(-1, NULL, WNOHANG) == 0 && left-- > 0)
        (void)usleep(PAUSE_US);
    assert_true(left > 0);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void one_that_never_starts_is_not_tried_again_at_once(void **state) {
    worker_pool *pool = open_pool((worker_options){.program = "/bin/true"});
    worker_health h;
    atg_err err = {0};

    (void)state;
    assert_int_equal(worker_pool_check(pool, &h, &err), ATG_EIO);
    assert_non_null(strstr(err.msg, "does not start"));
    assert_int_equal(worker_pool_check(pool, &h, &err), ATG_EIO);
    assert_non_null(strstr(err.msg, "started again in"));
    assert_int_equal(health_of(pool).started, 1);
    (void)usleep(300000);
    assert_int_equal(worker_pool_check(pool, &h, &err), ATG_EIO);
    assert_int_equal(health_of(pool).started, 2);
    worker_pool_close(pool);
    pool = open_pool((worker_options){.program = "/nonexistent/worker"});
    assert_int_equal(worker_pool_check(pool, &h, &err), ATG_EIO);
    assert_non_null(strstr(err.msg, "No such file"));
    worker_pool_close(pool);
}

static void after_so_many_requests_it_makes_place_for_a_fresh_one(void **state) {
    worker_pool *pool = open_pool((worker_options){.uses = 5});

    (void)state;
    for (int i = 0; i < 11; i++)
        assert_works(pool, arena);
    assert_int_equal(health_of(pool).started, 3);
    assert_int_equal(health_of(pool).requests, 11);
    worker_pool_close(pool);
}

/* ---- many ---- */

static size_t open_files_of(const char *folder) {
    DIR *dir = opendir(folder);
    size_t n = 0;

    assert_non_null(dir);
    while (readdir(dir)) /* NOLINT(concurrency-mt-unsafe): one thread */
        n++;
    (void)closedir(dir);
    return n;
}

static void a_closed_pool_leaves_no_process_and_no_descriptor(void **state) {
    size_t before = open_files_of("/proc/self/fd"), live = mem_live();

    (void)state;
    for (int i = 0; i < 3; i++) {
        worker_pool *pool = open_pool((worker_options){.workers = 2});

        assert_works(pool, arena);
        expect(pool, FRAME_TEST_ABORT, TEST_DEADLINE, ATG_EIO, "ended");
        worker_pool_close(pool);
    }
    assert_int_equal(open_files_of("/proc/self/fd"), before);
    assert_int_equal(mem_live(), live);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

typedef struct asker {
    worker_pool *pool;
    pthread_t thread;
    int good, ended;
} asker;

static void *ask_often(void *user) {
    asker *a = user;
    atg_arena *own = atg_arena_new(ARENA);

    for (int i = 0; i < 40 && own; i++) {
        frame_test test = i % 10 == 9 ? FRAME_TEST_ABORT : FRAME_TEST_ECHO;
        atg_str text;
        int rc = worker_selftest(a->pool, test, TEST_DEADLINE, own, &text, NULL);

        a->good += rc == ATG_OK && atg_str_eq(text, ATG_STR("echo"));
        a->ended += rc == ATG_EIO;
    }
    atg_arena_free(own);
    return NULL;
}

static void many_threads_share_two_workers_and_each_gets_its_own_answer(void **state) {
    enum { ASKERS = 6 };
    worker_pool *pool = open_pool((worker_options){.workers = 2});
    asker askers[ASKERS];

    (void)state;
    for (int i = 0; i < ASKERS; i++) {
        askers[i] = (asker){.pool = pool};
        assert_int_equal(pthread_create(&askers[i].thread, NULL, ask_often, &askers[i]), 0);
    }
    for (int i = 0; i < ASKERS; i++) {
        (void)pthread_join(askers[i].thread, NULL);
        assert_int_equal(askers[i].good, 36);
        assert_int_equal(askers[i].ended, 4);
    }
    worker_pool_close(pool);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_that_is_forbidden_works_inside_on_any_thread),
        cmocka_unit_test(it_says_what_holds),
        cmocka_unit_test(without_seccomp_it_refuses_to_decode),
        cmocka_unit_test(with_rights_it_refuses_to_decode),
        cmocka_unit_test(one_that_dies_fails_one_request_and_the_next_finds_a_fresh_one),
        cmocka_unit_test(one_that_loops_is_ended_when_time_is_up),
        cmocka_unit_test(one_that_wants_too_much_memory_is_refused_it),
        cmocka_unit_test(one_that_answers_nonsense_or_without_end_is_replaced),
        cmocka_unit_test(one_that_is_killed_while_idle_costs_no_request),
        cmocka_unit_test(one_that_is_killed_in_the_middle_fails_the_request_in_hand),
        cmocka_unit_test(one_whose_parent_is_gone_ends_by_itself),
        cmocka_unit_test(one_that_never_starts_is_not_tried_again_at_once),
        cmocka_unit_test(after_so_many_requests_it_makes_place_for_a_fresh_one),
        cmocka_unit_test(a_closed_pool_leaves_no_process_and_no_descriptor),
        cmocka_unit_test(many_threads_share_two_workers_and_each_gets_its_own_answer),
    };

    return cmocka_run_group_tests_name("worker", tests, set_up, tear_down);
}
