/* SPDX-License-Identifier: Apache-2.0 */
/* What tests ask for: that the sandbox holds, and what the parent does when things go wrong. */
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "worker/sandbox.h"
#include "worker/work.h"

static void write_tries(atg_buf *buf, const char *where) {
    const char *name;
    int error;

    for (size_t i = 0; (name = sandbox_try(i, &error)); i++)
        atg_buf_printf(buf, "%s %s %d\n", where, name, error);
}

static void *in_thread(void *buf) {
    write_tries(buf, "thread");
    return NULL;
}

static int tries(const work *w, atg_err *err) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(1 << 16);
    pthread_t thread;
    atg_str text;
    int rc;

    if (!buf)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a test");
    write_tries(buf, "main");
    if (pthread_create(&thread, NULL, in_thread, buf) == 0)
        (void)pthread_join(thread, NULL);
    rc = atg_buf_take(buf, &text, err);
    return rc ? rc : work_part(w, FRAME_RESULT, text, err);
}

/* Volatile: whoever translates this may not see that nothing comes of it. */
static void loop(void) {
    for (volatile unsigned i = 0;; i = i + 1)
        ;
}

static int memory(const work *w, atg_err *err) {
    enum { MIB = 1 << 20 };
    size_t n = 0, most = w->memory ? SIZE_MAX : 64;
    void *p = NULL, *last = NULL;

    while (n < most && (p = mem_alloc(MIB))) {
        memset(p, 1, MIB);
        memcpy(p, &last, sizeof(last));
        last = p;
        n++;
    }
    while ((p = last)) {
        memcpy(&last, p, sizeof(last));
        mem_free(p);
    }
    return atg_fail(err, ATG_ENOMEM, "After %zu MiB there was no more memory", n);
}

/* As a decoder does that reads where it must not.  Sanitizers would tell more of it than a test
 * wants to read. */
__attribute__((noreturn)) static void die(void) {
    (void)signal(SIGILL, SIG_DFL);
    (void)signal(SIGTRAP, SIG_DFL);
    __builtin_trap();
}

static int nonsense(const work *w, atg_err *err) {
    static const char what[] = "This is no frame, and longer than the head of one";

    return write(w->pipe, what, sizeof(what)) > 0 ? ATG_OK
                                                  : atg_fail(err, ATG_EIO, "The parent is gone");
}

static int flood(const work *w, atg_err *err) {
    static char bytes[FRAME_BODY];
    int rc = ATG_OK;

    while (rc == ATG_OK)
        rc = work_part(w, FRAME_RESULT, (atg_str){bytes, sizeof(bytes)}, err);
    return rc;
}

int work_selftest(const work *w, frame_done *ret, atg_err *err) {
    frame_selftest t;
    int rc = frame_get_selftest(w->body, &t, err);

    (void)ret;
    if (rc)
        return rc;
    sandbox_time(t.milliseconds);
    switch ((frame_test)t.test) {
    case FRAME_TEST_TRY:
        return tries(w, err);
    case FRAME_TEST_ECHO:
        return work_part(w, FRAME_RESULT, ATG_STR("echo"), err);
    case FRAME_TEST_LOOP:
        loop();
        return ATG_OK;
    case FRAME_TEST_MEMORY:
        return memory(w, err);
    case FRAME_TEST_ABORT:
        die();
    case FRAME_TEST_NONSENSE:
        return nonsense(w, err);
    case FRAME_TEST_FLOOD:
        return flood(w, err);
    }
    return atg_fail(err, ATG_EINVAL, "There is no such test");
}
