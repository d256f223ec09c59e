/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"

#include <errno.h>
#include <fenv.h>
#include <jansson.h>
#include <langinfo.h>
#include <libxml/xmlversion.h>
#include <locale.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "app/networks.h"
#include "base/json.h"
#include "base/parallel.h"
#include "ipc/worker.h"

enum { MIB = 1 << 20, ENOUGH_MIB = 1024, CHECKS_MAX = 20, TEXT_MAX = 400 };

typedef struct check {
    const char *name;
    bool good;
    char text[TEXT_MAX]; /* what was found and, when it is not good, what to do */
} check;

typedef struct checkup {
    int n;
    check checks[CHECKS_MAX];
} checkup;

static void add(checkup *all, const char *name, bool good, const char *fmt, ...) ATG_PRINTF(4, 5);

static void add(checkup *all, const char *name, bool good, const char *fmt, ...) {
    check *c = &all->checks[all->n];
    va_list ap;

    if (all->n == CHECKS_MAX)
        return;
    all->n++;
    c->name = name;
    c->good = good;
    va_start(ap, fmt);
    (void)vsnprintf(c->text, sizeof(c->text), fmt, ap);
    va_end(ap);
}

static void processor(checkup *all) {
#ifdef __x86_64__
    bool wide = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");

    add(all, "processor", true,
        wide ? "x86-64 with AVX2 and FMA: the wide scan is used."
             : "x86-64 without AVX2: the portable scan is used. Results are the same; comparing "
               "all with all takes several times longer.");
#else
    add(all, "processor", true,
        "Not x86-64: the portable scan is used. Results are the same; comparing all with all "
        "takes longer.");
#endif
    add(all, "threads", true, "%u can be used.", parallel_threads(0));
}

/* MemAvailable of /proc/meminfo in MiB; 0 when it is not told. */
static uint64_t available_mib(void) {
    FILE *f = fopen("/proc/meminfo", "re");
    char line[200];
    uint64_t kib = 0;

    if (!f)
        return 0;
    while (!kib && fgets(line, sizeof(line), f))
        if (strncmp(line, "MemAvailable:", 13) == 0)
            kib = strtoull(line + 13, NULL, 10);
    (void)fclose(f);
    return kib >> 10;
}

static void memory(checkup *all) {
    uint64_t mib = available_mib();
    struct rlimit limit = {0};

    if (mib == 0)
        add(all, "memory", true, "The system does not tell how much is free.");
    else if (mib < ENOUGH_MIB)
        add(all, "memory", false,
            "%llu MiB are free. Close other programs: a large operation needs %d MiB and more.",
            (unsigned long long)mib, ENOUGH_MIB);
    else
        add(all, "memory", true, "%llu MiB are free.", (unsigned long long)mib);
    if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        add(all, "memory limit", limit.rlim_cur / MIB >= ENOUGH_MIB,
            "This session may use %llu MiB; 'ulimit -v unlimited' lifts the limit.",
            (unsigned long long)(limit.rlim_cur / MIB));
}

static void arithmetic(checkup *all) {
    /* results are compared to the ninth digit: another rounding mode would show there */
    bool nearest = fegetround() == FE_TONEAREST;
    volatile double tiny = 2.2250738585072014e-308;

    add(all, "arithmetic", nearest && tiny / 4 > 0,
        nearest && tiny / 4 > 0
            ? "Rounds to nearest and keeps small numbers."
            : "The processor is set to another rounding or drops small numbers: a library loaded "
              "into this program changed it. Start it without LD_PRELOAD.");
}

static void locale(checkup *all) {
    const char *charset = nl_langinfo(CODESET);      /* NOLINT(concurrency-mt-unsafe): one thread */
    const char *point = localeconv()->decimal_point; /* NOLINT(concurrency-mt-unsafe): so here */

    add(all, "locale", strcmp(charset, "UTF-8") == 0,
        strcmp(charset, "UTF-8") == 0
            ? "The terminal's characters are %s."
            : "The terminal's characters are %s: names in other scripts will not show. Set a "
              "UTF-8 locale, for example 'export LC_ALL=C.UTF-8'.",
        charset);
    add(all, "decimal point", strcmp(point, ".") == 0, "Numbers are written with '%s'.", point);
}

static void libraries(checkup *all) {
    bool ready = sodium_init() >= 0;

    add(all, "libraries", ready, "jansson %s, libxml2 %s, libsodium %s%s.", jansson_version_str(),
        LIBXML_DOTTED_VERSION, sodium_version_string(),
        ready ? "" : " (which cannot start: is /dev/urandom missing?)");
}

static void temporary_folder(checkup *all) {
    const char *folder = getenv("TMPDIR"); /* NOLINT(concurrency-mt-unsafe): one thread */
    char path[4096];

    if (!folder || !*folder)
        folder = "/tmp";
    (void)snprintf(path, sizeof(path), "%s/antigone-XXXXXX", folder);

    int fd = mkstemp(path);
    bool good = fd >= 0 && write(fd, "x", 1) == 1;

    if (good)
        add(all, "temporary folder", true, "%s can be written.", folder);
    else
        add(all, "temporary folder", false,
            "%s cannot be written (%s). Free space on that disk, or set TMPDIR to a folder of "
            "yours.",
            folder, strerror(errno)); /* NOLINT(concurrency-mt-unsafe): one thread */
    if (fd >= 0) {
        (void)close(fd);
        (void)unlink(path);
    }
}

/* "user, network" of bits. */
static void list_words(uint32_t bits, const char *const *words, uint32_t n, char *ret,
                       size_t size) {
    size_t at = 0;

    ret[0] = '\0';
    for (uint32_t i = 0; i < n; i++)
        if (bits >> i & 1 && at < size)
            at += (size_t)snprintf(ret + at, size - at, "%s%s", at ? ", " : "", words[i]);
}

static void worker_sandbox(checkup *all, const worker_hold *hold) {
    static const char *const spaces[] = {"users", "network", "files", "shared memory", "processes"};
    char got[100];

    add(all, "seccomp", hold->seccomp,
        hold->seccomp ? "Holds in the worker, on all of its threads."
                      : "Does not hold in the worker (%s): it decodes nothing. Use a kernel with "
                        "CONFIG_SECCOMP_FILTER.",
        hold->why);
    add(all, "rights", hold->decodes || !hold->seccomp,
        hold->decodes   ? "The worker has none, and can gain none."
        : hold->seccomp ? "Of the worker: %s."
                        : "Were not looked at: without seccomp the worker decodes nothing.",
        hold->why);
    if (hold->landlock)
        add(all, "landlock", true, "Version %u: the worker can open no file.", hold->landlock);
    else
        add(all, "landlock", true,
            "This kernel has none: seccomp alone keeps the worker from opening files. Linux 5.13 "
            "or later with 'landlock' among its security modules has it.");
    list_words(hold->namespaces, spaces, 5, got, sizeof(got));
    add(all, "namespaces", true,
        *got ? "The worker has its own: %s."
             : "The kernel grants the worker none%s: seccomp alone keeps it from the network. "
               "They come with kernel.unprivileged_userns_clone=1.",
        got);
    if (hold->memory)
        add(all, "worker's memory", true, "At most %llu MiB.",
            (unsigned long long)(hold->memory / MIB));
    else
        add(all, "worker's memory", true, "Not limited: this build is one for finding faults.");
}

static void worker_formats(checkup *all, const worker_hold *hold) {
    static const char *const names[] = {"JPEG", "PNG", "WebP", "HEIC", "TIFF", "BMP"};
    char can[60], cannot[60];

    list_words(hold->formats >> 1, names, 6, can, sizeof(can));
    list_words(~hold->formats >> 1, names, 6, cannot, sizeof(cannot));
    add(all, "pictures", !*cannot,
        *cannot ? "%s can be decoded by %s, but not %s: install what brings it into libvips."
                : "%s can be decoded by %s%s.",
        can, hold->libraries, cannot);
}

/* Networks are an operator's to install: none is no fault, such as do not work are one. */
static void worker_networks_of(checkup *all, const worker_hold *hold, const atg_err *missing) {
    if (missing->code)
        add(all, "faces", true, "None are read here. %s.", missing->msg);
    else
        add(all, "faces", hold->faces,
            hold->faces ? "The worker's networks find and compare them%s." : "None are read: %s.",
            hold->faces ? "" : hold->why_no_faces);
}

static void worker(checkup *all) {
    ATG_AUTO(atg_arena) arena = atg_arena_new((size_t)16 << 20);
    worker_networks networks;
    worker_options o = {.networks = NULL};
    worker_pool *pool = NULL;
    worker_health health = {0};
    atg_err missing = {0}, err = {0};
    int rc;

    if (arena && networks_choose(arena, NULL, &networks, &missing) == ATG_OK)
        o.networks = &networks;
    rc = worker_pool_open(&o, &pool, &err);

    if (rc == ATG_OK)
        rc = worker_pool_check(pool, &health, &err);
    worker_pool_close(pool);
    if (rc) {
        add(all, "worker", false, "%s. Without it no upload is decoded.", err.msg);
        return;
    }
    if (health.hold.decodes)
        add(all, "worker", true, "%s is there and confined.", health.program);
    else
        add(all, "worker", false, "%s is there, but decodes nothing: %s.", health.program,
            health.hold.why);
    worker_sandbox(all, &health.hold);
    worker_formats(all, &health.hold);
    worker_networks_of(all, &health.hold, &missing);
}

static void write_json(const checkup *all, bool good, atg_buf *buf) {
    json j = json_new(buf);

    json_begin_object(&j);
    json_key(&j, "version");
    json_text(&j, ATG_VERSION);
    json_key(&j, "good");
    json_bool(&j, good);
    json_key(&j, "checks");
    json_begin_array(&j);
    for (int i = 0; i < all->n; i++) {
        json_object_line(&j);
        json_key(&j, "name");
        json_text(&j, all->checks[i].name);
        json_key(&j, "good");
        json_bool(&j, all->checks[i].good);
        json_key(&j, "text");
        json_text(&j, all->checks[i].text);
        json_end(&j, '}');
    }
    json_end(&j, ']');
    json_end(&j, '}');
}

static int run(const args *a) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(1 << 16);
    checkup all = {0};
    bool good = true;

    processor(&all);
    memory(&all);
    arithmetic(&all);
    locale(&all);
    libraries(&all);
    temporary_folder(&all);
    worker(&all);
    for (int i = 0; i < all.n; i++)
        good = good && all.checks[i].good;
    if (buf && cli_has(a, OPT_JSON)) {
        write_json(&all, good, buf);
    } else if (buf) {
        for (int i = 0; i < all.n; i++)
            atg_buf_printf(buf, "%-6s%-18s%s\n", all.checks[i].good ? "good" : "WRONG",
                           all.checks[i].name, all.checks[i].text);
        atg_buf_printf(buf, "\nantigone " ATG_VERSION ": %s\n",
                       good ? "everything it needs is here."
                            : "the lines marked WRONG say what to do.");
    }

    int code = cli_write(a, buf);

    return code ? code : good ? EXIT_DONE : EXIT_NO;
}

static const option_id options[] = {OPT_JSON, OPT_HELP};

const command command_doctor = {
    .name = "doctor",
    .summary = "Say whether this machine has what is needed and, if not, what to do.",
    .operands = "",
    .options = options,
    .run = run,
};
