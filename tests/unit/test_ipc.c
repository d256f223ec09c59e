/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "ipc/channel.h"

enum { MOMENT = 50 };

typedef struct pair {
    int fd[2];
    unsigned char body[FRAME_BODY];
} pair;

static pair *open_pair(void) {
    pair *p = calloc(1, sizeof(*p));

    assert_non_null(p);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p->fd), 0);
    return p;
}

static void close_pair(pair *p) {
    (void)close(p->fd[0]);
    (void)close(p->fd[1]);
    free(p);
}

static int receive(pair *p, channel_fds *fds, frame *ret, atg_err *err) {
    return channel_receive(p->fd[1], channel_now() + MOMENT, p->body, fds, ret, err);
}

static void send_raw(pair *p, const void *bytes, size_t n) {
    assert_int_equal(write(p->fd[0], bytes, n), n);
}

static size_t descriptors(void) {
    DIR *dir = opendir("/proc/self/fd");
    size_t n = 0;

    assert_non_null(dir);
    while (readdir(dir)) /* NOLINT(concurrency-mt-unsafe): one thread */
        n++;
    (void)closedir(dir);
    return n;
}

/* ---- heads ---- */

static const frame good = {FRAME_ASK, FRAME_PARSE, 7, 12};

static void a_head_reads_back_as_it_was_written(void **state) {
    static const frame frames[] = {
        {FRAME_HELLO, 0, 0, 100},
        {FRAME_ASK, FRAME_SELFTEST, UINT64_MAX, 0},
        {FRAME_PART, FRAME_NOTE, 1, FRAME_BODY},
        {FRAME_DONE, 0, 3, FRAME_FIXED},
        {FRAME_REFUSED, 0, 3, 1},
    };
    unsigned char head[FRAME_HEAD];

    (void)state;
    for (size_t i = 0; i < sizeof(frames) / sizeof(*frames); i++) {
        frame f = {0};

        frame_head(&frames[i], head);
        assert_int_equal(frame_read(head, &f, NULL), ATG_OK);
        assert_int_equal(f.kind, frames[i].kind);
        assert_int_equal(f.what, frames[i].what);
        assert_true(f.request == frames[i].request);
        assert_int_equal(f.length, frames[i].length);
    }
}

static void a_head_that_is_wrong_anywhere_is_refused(void **state) {
    static const frame bad[] = {
        {(frame_kind)0, 0, 1, 0},
        {(frame_kind)6, 0, 1, 0},
        {FRAME_HELLO, 1, 0, 0},
        {FRAME_HELLO, 0, 1, 0},
        {FRAME_ASK, 0, 1, 0},
        {FRAME_ASK, FRAME_SELFTEST + 1, 1, 0},
        {FRAME_ASK, FRAME_PARSE, 0, 0},
        {FRAME_ASK, FRAME_PARSE, 1, FRAME_FIXED + 1},
        {FRAME_PART, FRAME_NOTE, 1, FRAME_BODY + 1},
        {FRAME_PART, FRAME_NOTE + 1, 1, 1},
        {FRAME_DONE, 1, 1, 1},
    };
    static const size_t fixed[] = {0, 1, 2, 3, 4, 20, 23};
    unsigned char head[FRAME_HEAD];
    frame f = {.request = 99};
    atg_err err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        frame_head(&bad[i], head);
        assert_int_equal(frame_read(head, &f, &err), ATG_EPARSE);
    }
    for (size_t i = 0; i < sizeof(fixed) / sizeof(*fixed); i++) {
        frame_head(&good, head);
        head[fixed[i]] ^= 1;
        assert_int_equal(frame_read(head, &f, &err), ATG_EPARSE);
    }
    assert_int_equal(f.request, 99);
}

/* ---- bodies ---- */

static frame_parse made_parse(void) {
    frame_parse v = {.out_max = 5,
                     .milliseconds = 6,
                     .kind = WORKER_PARSE_BUNDLE,
                     .n = 2,
                     .files = {{17, "table.csv"}, {WORKER_INPUT_MAX, ""}},
                     .population = "Nordic",
                     .theta = 0.01,
                     .min_frequency = 1e-9,
                     .female = {1, 0.001, 0, 0.5}};

    return v;
}

static void a_body_reads_back_as_it_was_written(void **state) {
    frame_hello hello = {.limit_files = 3,
                         .hold = {.decodes = true, .landlock = 7, .namespaces = 31, .why = "x"}};
    frame_hello hello_back = {0};
    frame_parse parse = made_parse(), parse_back = {0};
    frame_refused no = {5, 6, 7, "words"}, no_back = {0};
    frame_body b = {.n = 0};

    (void)state;
    frame_put_hello(&b, &hello);
    assert_int_equal(frame_get_hello((atg_str){(char *)b.p, b.n}, &hello_back, NULL), ATG_OK);
    assert_memory_equal(&hello, &hello_back, sizeof(hello));
    b.n = 0;
    frame_put_parse(&b, &parse);
    assert_int_equal(frame_get_parse((atg_str){(char *)b.p, b.n}, &parse_back, NULL), ATG_OK);
    assert_memory_equal(&parse, &parse_back, sizeof(parse));
    b.n = 0;
    frame_put_refused(&b, &no);
    assert_int_equal(frame_get_refused((atg_str){(char *)b.p, b.n}, &no_back, NULL), ATG_OK);
    assert_memory_equal(&no, &no_back, sizeof(no));
}

static void a_body_cut_or_lengthened_or_out_of_range_is_refused(void **state) {
    frame_parse v = made_parse(), back = {.n = 77};
    frame_body b = {.n = 0};
    frame_picture p = {.quality = 101}, p_back = {0};
    frame_selftest t = {.test = FRAME_TEST_FLOOD + 1}, t_back = {0};

    (void)state;
    frame_put_parse(&b, &v);
    for (size_t n = 0; n < b.n; n++)
        assert_int_equal(frame_get_parse((atg_str){(char *)b.p, n}, &back, NULL), ATG_EPARSE);
    assert_int_equal(frame_get_parse((atg_str){(char *)b.p, b.n + 1}, &back, NULL), ATG_EPARSE);
    b.n = 0;
    v.theta = NAN;
    frame_put_parse(&b, &v);
    assert_int_equal(frame_get_parse((atg_str){(char *)b.p, b.n}, &back, NULL), ATG_EPARSE);
    assert_int_equal(back.n, 77);
    b.n = 0;
    frame_put_picture(&b, &p);
    assert_int_equal(frame_get_picture((atg_str){(char *)b.p, b.n}, &p_back, NULL), ATG_EPARSE);
    b.n = 0;
    frame_put_selftest(&b, &t);
    assert_int_equal(frame_get_selftest((atg_str){(char *)b.p, b.n}, &t_back, NULL), ATG_EPARSE);
}

static void the_longest_request_fits_a_frame(void **state) {
    frame_parse v = made_parse(), back;
    frame_body b = {.n = 0};

    (void)state;
    v.n = WORKER_INPUTS_MAX;
    for (uint32_t i = 0; i < v.n; i++)
        memset(v.files[i].name, 'x', sizeof(v.files[i].name) - 1);
    memset(v.population, 'y', sizeof(v.population) - 1);
    frame_put_parse(&b, &v);
    assert_false(b.full);
    assert_int_equal(frame_get_parse((atg_str){(char *)b.p, b.n}, &back, NULL), ATG_OK);
}

/* ---- the channel ---- */

static void a_frame_with_descriptors_arrives_whole(void **state) {
    size_t before = descriptors();
    pair *p = open_pair();
    channel_fds send = {.n = 2}, got = {.n = 0};
    frame f;

    (void)state;
    send.fd[0] = send.fd[1] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_int_equal(
        channel_send(p->fd[0], &good, "hello, world", &send, channel_now() + MOMENT, NULL), ATG_OK);
    assert_int_equal(receive(p, &got, &f, NULL), ATG_OK);
    assert_int_equal(f.length, 12);
    assert_memory_equal(p->body, "hello, world", 12);
    assert_int_equal(got.n, 2);
    channel_close_fds(&got);
    /* who wants none gets none, and none stays open */
    assert_int_equal(
        channel_send(p->fd[0], &good, "hello, world", &send, channel_now() + MOMENT, NULL), ATG_OK);
    assert_int_equal(receive(p, NULL, &f, NULL), ATG_OK);
    (void)close(send.fd[0]);
    close_pair(p);
    assert_int_equal(descriptors(), before);
}

static void a_descriptor_in_the_middle_of_a_frame_is_refused(void **state) {
    size_t before = descriptors();
    pair *p = open_pair();
    unsigned char head[FRAME_HEAD];
    frame inner = {FRAME_DONE, 0, 9, 0}, outer = {FRAME_ASK, FRAME_PARSE, 7, FRAME_HEAD}, f;
    channel_fds send = {.n = 1, .fd = {0}}, got = {.n = 0};
    atg_err err = {0};

    (void)state;
    send.fd[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    frame_head(&outer, head);
    send_raw(p, head, sizeof(head));
    assert_int_equal(channel_send(p->fd[0], &inner, NULL, &send, channel_now() + MOMENT, NULL),
                     ATG_OK);
    assert_int_equal(receive(p, &got, &f, &err), ATG_EPARSE);
    assert_non_null(strstr(err.msg, "descriptor"));
    assert_int_equal(got.n, 0);
    (void)close(send.fd[0]);
    close_pair(p);
    assert_int_equal(descriptors(), before);
}

static void what_is_cut_off_slow_or_no_frame_is_told_apart(void **state) {
    pair *p = open_pair();
    unsigned char head[FRAME_HEAD];
    frame f;
    atg_err err = {0};

    (void)state;
    assert_int_equal(receive(p, NULL, &f, &err), ATG_ECANCEL);
    frame_head(&good, head);
    send_raw(p, head, 10);
    assert_int_equal(receive(p, NULL, &f, &err), ATG_ECANCEL);
    (void)shutdown(p->fd[0], SHUT_WR);
    assert_int_equal(receive(p, NULL, &f, &err), ATG_EIO);
    close_pair(p);
    p = open_pair();
    send_raw(p, "nothing like a frame at all", 27);
    assert_int_equal(receive(p, NULL, &f, &err), ATG_EPARSE);
    close_pair(p);
}

static void a_full_pipe_ends_at_the_deadline_and_a_closed_one_at_once(void **state) {
    pair *p = open_pair();
    frame f = {FRAME_PART, FRAME_RESULT, 1, FRAME_BODY};
    atg_err err = {0};
    int rc = ATG_OK;

    (void)state;
    while (rc == ATG_OK)
        rc = channel_send(p->fd[0], &f, p->body, NULL, channel_now() + MOMENT, &err);
    assert_int_equal(rc, ATG_ECANCEL);
    (void)close(p->fd[1]);
    p->fd[1] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_int_equal(channel_send(p->fd[0], &f, p->body, NULL, channel_now() + MOMENT, &err),
                     ATG_EIO);
    close_pair(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_reads_back_as_it_was_written),
        cmocka_unit_test(a_head_that_is_wrong_anywhere_is_refused),
        cmocka_unit_test(a_body_reads_back_as_it_was_written),
        cmocka_unit_test(a_body_cut_or_lengthened_or_out_of_range_is_refused),
        cmocka_unit_test(the_longest_request_fits_a_frame),
        cmocka_unit_test(a_frame_with_descriptors_arrives_whole),
        cmocka_unit_test(a_descriptor_in_the_middle_of_a_frame_is_refused),
        cmocka_unit_test(what_is_cut_off_slow_or_no_frame_is_told_apart),
        cmocka_unit_test(a_full_pipe_ends_at_the_deadline_and_a_closed_one_at_once),
    };

    return cmocka_run_group_tests_name("ipc", tests, NULL, NULL);
}
