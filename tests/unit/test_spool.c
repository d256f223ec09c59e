/* SPDX-License-Identifier: Apache-2.0 */
/* What waits on disk: sealed, written on by another process, and what is left after each way to
 * die. */
#include "database.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/key.h"
#include "store/spool.h"

enum { LONG = 5 * SPOOL_CHUNK + 4321, PATH = 300 };

typedef struct scene {
    char folder[200], path[PATH];
    key256 under;
    spool_place at;
    unsigned char *bytes; /* LONG of them */
    atg_arena *arena;
} scene;

static void ok(int rc, const atg_err *err) {
    if (rc)
        fail_msg("%d: %s", rc, err->msg);
}

static int set_up(void **state) {
    scene *s = calloc(1, sizeof(*s));
    atg_rng rng = atg_rng_seed(7);
    atg_err err = {0};

    database_make_folder(s->folder, sizeof(s->folder));
    snprintf(s->path, sizeof(s->path), "%s/one", s->folder);
    ok(key_new(&s->under, &err), &err);
    s->at = (spool_place){.path = s->path, .under = &s->under};
    ok(uuid_new(&s->at.id, &err), &err);
    s->bytes = malloc(LONG);
    for (size_t i = 0; i < LONG; i++)
        s->bytes[i] = (unsigned char)atg_rng_below(&rng, 256);
    s->arena = atg_arena_new(1 << 20);
    *state = s;
    return 0;
}

static int tear_down(void **state) {
    scene *s = *state;

    database_remove_folder(s->folder);
    atg_arena_free(s->arena);
    free(s->bytes);
    free(s);
    return 0;
}

static spool *made(const scene *s) {
    spool *p = NULL;
    atg_err err = {0};

    ok(spool_new(&s->at, ATG_STR("a photograph"), LONG, &p, &err), &err);
    return p;
}

static void put(const scene *s, spool *p, size_t from, size_t to) {
    atg_err err = {0};

    ok(spool_write(p, (atg_str){(const char *)s->bytes + from, to - from}, &err), &err);
}

static void sync_all(spool *p) {
    atg_err err = {0};

    ok(spool_sync(p, &err), &err);
}

static spool *again(const scene *s) {
    spool *p = NULL;
    atg_str facts;
    atg_err err = {0};

    ok(spool_open(&s->at, s->arena, &facts, &p, &err), &err);
    assert_true(atg_str_eq(facts, ATG_STR("a photograph")));
    return p;
}

static void assert_holds(const scene *s, spool *p, size_t n) {
    unsigned char *got = malloc(LONG);
    atg_err err = {0};

    assert_int_equal(spool_size(p), n);
    ok(spool_read(p, 0, got, n, &err), &err);
    assert_memory_equal(got, s->bytes, n);
    for (size_t at = 0; at < n; at += 50001) {
        size_t k = n - at < 70000 ? n - at : 70000;

        ok(spool_read(p, at, got, k, &err), &err);
        assert_memory_equal(got, s->bytes + at, k);
    }
    assert_int_equal(spool_read(p, n, got, 1, &err), ATG_EINVAL);
    free(got);
}

static void pieces_of_any_length_are_read_as_they_were_written(void **state) {
    const scene *s = *state;
    static const size_t steps[] = {1, 100, 65535, 65536, 65537, 200000};

    for (size_t k = 0; k < sizeof(steps) / sizeof(*steps); k++) {
        spool *p = made(s);
        size_t step = steps[k] < 100 ? 4001 : steps[k];

        for (size_t at = 0; at < LONG; at += step)
            put(s, p, at, at + step < LONG ? at + step : LONG);
        assert_holds(s, p, LONG);
        sync_all(p);
        spool_close(p);
        p = again(s);
        assert_holds(s, p, LONG);
        spool_close(p);
        ok(spool_remove(s->path, NULL), NULL);
        ok(spool_remove(s->path, NULL), NULL);
    }
}

static void writing_goes_on_in_another_process_after_every_piece(void **state) {
    const scene *s = *state;
    spool *p = made(s);

    for (size_t at = 0; at < LONG; at += 30011) {
        put(s, p, at, at + 30011 < LONG ? at + 30011 : LONG);
        sync_all(p);
        spool_close(p);
        p = again(s);
    }
    assert_holds(s, p, LONG);
    spool_close(p);
}

/* Acknowledged: 70000.  Three chunks more were written, and then the process was killed. */
static void what_was_not_acknowledged_is_there_in_whole_chunks(void **state) {
    const scene *s = *state;
    spool *p = made(s);
    struct stat about;

    put(s, p, 0, 70000);
    sync_all(p);
    put(s, p, 70000, 4 * SPOOL_CHUNK + 99);
    spool_close(p);
    p = again(s);
    assert_holds(s, p, (size_t)4 * SPOOL_CHUNK);
    spool_close(p);
    /* and the disk lost the end of the last one */
    assert_int_equal(stat(s->path, &about), 0);
    assert_int_equal(truncate(s->path, about.st_size - 1), 0);
    p = again(s);
    assert_holds(s, p, (size_t)3 * SPOOL_CHUNK);
    put(s, p, (size_t)3 * SPOOL_CHUNK, LONG);
    assert_holds(s, p, LONG);
    spool_close(p);
}

static void what_was_acknowledged_outlives_a_torn_chunk(void **state) {
    const scene *s = *state;
    spool *p = made(s);
    struct stat about;

    put(s, p, 0, 70000);
    sync_all(p);
    put(s, p, 70000, 2 * SPOOL_CHUNK + 5);
    spool_close(p);
    assert_int_equal(stat(s->path, &about), 0);
    assert_int_equal(truncate(s->path, about.st_size - 3000), 0);
    p = again(s);
    assert_holds(s, p, 70000);
    put(s, p, 70000, LONG);
    assert_holds(s, p, LONG);
    spool_close(p);
}

/* Byte after byte of the file, one of each hundred. */
static void nothing_stands_there_in_clear_and_no_change_is_believed(void **state) {
    const scene *s = *state;
    spool *p = made(s);
    unsigned char *got = malloc(LONG), *file;
    struct stat about;
    atg_str facts;
    atg_err err = {0};
    int fd;

    put(s, p, 0, 100000);
    sync_all(p);
    spool_close(p);
    fd = open(s->path, O_RDWR);
    assert_int_equal(fstat(fd, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    file = malloc((size_t)about.st_size);
    assert_int_equal(pread(fd, file, (size_t)about.st_size, 0), about.st_size);
    assert_null(memmem(file, (size_t)about.st_size, s->bytes, 16));
    assert_null(memmem(file, (size_t)about.st_size, s->bytes + 70000, 16));
    assert_null(memmem(file, (size_t)about.st_size, "photograph", 10));
    for (off_t at = 0; at < about.st_size; at += 997) {
        unsigned char odd = file[at] ^ 1;
        int rc;

        assert_int_equal(pwrite(fd, &odd, 1, at), 1);
        rc = spool_open(&s->at, s->arena, &facts, &p, &err);
        if (!rc && spool_size(p) <= 100000 &&
            spool_read(p, 0, got, (size_t)spool_size(p), &err) == ATG_OK)
            assert_memory_equal(got, s->bytes, (size_t)spool_size(p));
        else
            assert_true(rc == ATG_EDENIED || !rc);
        if (!rc)
            spool_close(p);
        /* opening may have cut something off */
        assert_int_equal(pwrite(fd, file, (size_t)about.st_size, 0), about.st_size);
    }
    close(fd);
    free(file);
    free(got);
}

static void another_key_or_place_opens_nothing(void **state) {
    scene *s = *state;
    spool *p = made(s);
    spool_place at = s->at;
    key256 other;
    atg_str facts;
    atg_err err = {0};

    spool_close(p);
    ok(key_new(&other, &err), &err);
    at.under = &other;
    assert_int_equal(spool_open(&at, s->arena, &facts, &p, &err), ATG_EDENIED);
    at = s->at;
    ok(uuid_new(&at.id, &err), &err);
    assert_int_equal(spool_open(&at, s->arena, &facts, &p, &err), ATG_EDENIED);
    at.path = "/nonexistent/one";
    assert_int_equal(spool_open(&at, s->arena, &facts, &p, &err), ATG_ENOTFOUND);
    assert_int_equal(spool_new(&s->at, ATG_STR(""), 1, &p, &err), ATG_ECONFLICT);
}

static void a_scratch_leaves_no_file(void **state) {
    const scene *s = *state;
    spool *p = NULL;
    char command[PATH];
    atg_err err = {0};

    ok(spool_scratch(s->folder, &p, &err), &err);
    put(s, p, 0, 1000);
    assert_holds(s, p, 1000);
    put(s, p, 1000, LONG);
    assert_holds(s, p, LONG);
    snprintf(command, sizeof(command), "test -z \"$(ls -A %s)\"", s->folder);
    assert_int_equal(system(command), 0); /* NOLINT(concurrency-mt-unsafe,cert-env33-c) */
    spool_close(p);
}

static void a_full_disk_keeps_what_was_there(void **state) {
    const scene *s = *state;
    struct rlimit limit, small;
    spool *p = made(s);
    atg_err err = {0};
    size_t there;

    put(s, p, 0, 70000);
    sync_all(p);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    signal(SIGXFSZ, SIG_IGN);
    small = (struct rlimit){.rlim_cur = 450000, .rlim_max = limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_int_equal(spool_write(p, (atg_str){(const char *)s->bytes + 70000, LONG - 70000}, &err),
                     ATG_EFULL);
    there = (size_t)spool_size(p);
    assert_true(there >= 70000 && there < LONG);
    assert_holds(s, p, there);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    put(s, p, there, LONG);
    assert_holds(s, p, LONG);
    spool_close(p);
    ok(spool_remove(s->path, NULL), NULL);
    small.rlim_cur = 1000;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_int_equal(spool_new(&s->at, ATG_STR("x"), LONG, &p, &err), ATG_EFULL);
    assert_int_equal(access(s->path, F_OK), -1);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
        TEST(pieces_of_any_length_are_read_as_they_were_written),
        TEST(writing_goes_on_in_another_process_after_every_piece),
        TEST(what_was_not_acknowledged_is_there_in_whole_chunks),
        TEST(what_was_acknowledged_outlives_a_torn_chunk),
        TEST(nothing_stands_there_in_clear_and_no_change_is_believed),
        TEST(another_key_or_place_opens_nothing),
        TEST(a_scratch_leaves_no_file),
        TEST(a_full_disk_keeps_what_was_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
