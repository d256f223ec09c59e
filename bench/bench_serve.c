/* SPDX-License-Identifier: Apache-2.0 */
/* The service as its clients see it: a process of its own, over TLS on loopback, with a full store.
 *
 *     bench_serve [files [sqlite|postgres|both [FOLDER]]]
 *
 * With a folder the files stay in it, and are served again without being made again; it may be one
 * of bench_cases.
 */
#include "people.h"
#include "service.h"

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "databases.h"
#include "served.h"
#include "server/target.h"

enum {
    FILES = 20000,
    USERS = 100, /* each with an account, a session and a connection */
    SENDERS = 64,
    RATE = 200, /* requests a second */
    SECONDS = 15,
    WARM = 300,
    THINK_MS = 1000, /* on average */
    HALF_OPEN = 400,
    DIAL_S = 1,
    DIALERS = 4,
    DIAL_SECONDS = 3,
    ANSWER = 1 << 20,
    PATH = 600,
};

typedef enum page { PAGE_LIST, PAGE_SEARCH, PAGE_FILE, PAGES } page;
static const char *const page_names[PAGES] = {"list", "search", "file"};

typedef struct scene {
    const database *where;
    const char *name;
    made_cases m;
    uint32_t files;
    char operation[UUID_TEXT + 1];
    char token[USERS][ACCOUNT_TOKEN + 1];
    bench_service service;
} scene;

static double cpu_of(const scene *s) {
    struct timespec t = {0};
    clockid_t clock;

    if (!clock_getcpuclockid(s->service.pid, &clock))
        (void)clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- clients ---- */

typedef struct client {
    const scene *s;
    raw_client *raw;
    const char *token;
    char *answer;
    uint64_t dialled, refused; /* connections; answers other than 200 */
} client;

static client client_new(const scene *s, uint32_t user) {
    return (client){.s = s, .token = s->token[user % USERS], .answer = bench_alloc(ANSWER, 1)};
}

static void client_end(client *c) {
    raw_close(c->raw);
    free(c->answer);
}

/* One answer, whole; false: the connection ended first. */
static bool take_answer(client *c) {
    size_t n = 0, whole = 0;

    while (!whole || n < whole) {
        ssize_t got = raw_some(c->raw, c->answer + n, ANSWER - 1 - n);
        const char *end, *length;

        if (got <= 0)
            return false;
        n += (size_t)got;
        c->answer[n] = '\0';
        end = whole ? NULL : strstr(c->answer, "\r\n\r\n");
        length = end ? strcasestr(c->answer, "\r\ncontent-length: ") : NULL;
        if (length)
            whole = (size_t)(end + 4 - c->answer) + strtoul(length + 18, NULL, 10);
    }
    c->refused += strncmp(c->answer, "HTTP/1.1 200", 12) != 0;
    return !strcasestr(c->answer, "\r\nconnection: close");
}

static void dial_again(client *c) {
    c->dialled++;
    c->raw = bench_had(raw_dial(c->s->service.port, "127.0.0.1"));
}

static void ask_for(client *c, const char *path) {
    char text[PATH + 300];
    int n = snprintf(text, sizeof(text),
                     "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nAuthorization: Bearer %s\r\n"
                     "Antigone-Purpose: a measurement\r\n\r\n",
                     path, c->s->service.port, c->token);

    if (!c->raw)
        dial_again(c);
    if (raw_send(c->raw, text, (size_t)n) && take_answer(c))
        return;
    raw_close(c->raw);
    c->raw = NULL;
}

static void write_search(const scene *s, atg_rng *rng, char ret[PATH]) {
    ATG_AUTO(atg_arena) arena = bench_had(atg_arena_new(1 << 16));
    row r = make_row(rng);
    atg_str text;

    switch (atg_rng_below(rng, 4)) {
    case 0:
        text = atg_str_of(r.family);
        break;
    case 1:
        text = atg_arena_printf(arena, "%s %s", r.family, r.given);
        break;
    case 2:
        text = atg_arena_printf(arena, "%s %s", r.given, r.born);
        break;
    default:
        text = atg_arena_printf(arena, "AM-K3-%06d", 1 + (int)atg_rng_below(rng, s->files));
    }
    text = target_encode(arena, text);
    (void)snprintf(ret, PATH, "/api/v1/operations/%s/search?kind=missing&limit=50&q=%.*s",
                   s->operation, ATG_FMT(text));
}

static void write_path(const scene *s, page p, atg_rng *rng, char ret[PATH]) {
    static const char *const orders[] = {"code", "name", "change"};
    int number = 1 + (int)atg_rng_below(rng, s->files);

    if (p == PAGE_SEARCH)
        write_search(s, rng, ret);
    else if (p == PAGE_FILE)
        (void)snprintf(ret, PATH, "/api/v1/files/AM-K3-%06d", number);
    else
        (void)snprintf(ret, PATH,
                       "/api/v1/operations/%s/files?kind=missing&limit=50&order=%s&"
                       "after=AM-K3-%06d",
                       s->operation, orders[atg_rng_below(rng, 3)], number);
}

/* ---- requests at a rate, whatever the answers take ---- */

typedef struct load {
    const scene *s;
    uint32_t n;
    double start, rate;
    double *times; /* from when it was to be sent to the last byte of the answer */
    atomic_uint next;
    atomic_ullong dialled, refused;
} load;

static void sleep_until(double when) {
    double left = when - bench_seconds();

    if (left > 0)
        (void)nanosleep(&(struct timespec){(time_t)left, (long)(1e9 * fmod(left, 1))}, NULL);
}

static void *send_at_rate(void *user) {
    load *l = user;
    client c = client_new(l->s, 0);
    uint32_t i;

    dial_again(&c);
    while ((i = atomic_fetch_add(&l->next, 1)) < l->n) {
        atg_rng rng = atg_rng_seed(i + 1);
        char path[PATH];
        double due = l->start + i / l->rate;

        c.token = l->s->token[i % USERS];
        write_path(l->s, (page)(i % PAGES), &rng, path);
        sleep_until(due);
        ask_for(&c, path);
        l->times[i] = bench_seconds() - due;
    }
    atomic_fetch_add(&l->dialled, c.dialled);
    atomic_fetch_add(&l->refused, c.refused);
    client_end(&c);
    return NULL;
}

static void run_threads(pthread_t *threads, uint32_t n, void *(*run)(void *), void *user) {
    for (uint32_t i = 0; i < n; i++)
        if (pthread_create(&threads[i], NULL, run, user))
            bench_must(ATG_ENOMEM, &(atg_err){.msg = "No more threads"});
    for (uint32_t i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
}

static int by_value(const void *x, const void *y) {
    const double *a = x, *b = y;

    return *a < *b ? -1 : *a > *b;
}

/* p99 in milliseconds, with a comment that says the rest. */
static double tell(const char *what, double *times, uint32_t n) {
    qsort(times, n, sizeof(*times), by_value);
    printf("# %s: %u, median %.2f ms, longest %.1f ms\n", what, n, times[n / 2] * 1e3,
           times[n - 1] * 1e3);
    return times[(size_t)n * 99 / 100] * 1e3;
}

static void send_load(load *l) {
    pthread_t threads[SENDERS];

    l->start = bench_seconds() + DIAL_S; /* all connections stand by then */
    l->times = bench_alloc(l->n, sizeof(*l->times));
    run_threads(threads, SENDERS, send_at_rate, l);
}

static void measure_rate(const scene *s, bool half_open) {
    load warm = {.s = s, .n = WARM, .rate = RATE}, l = {.s = s, .n = RATE * SECONDS, .rate = RATE};
    double cpu, *of = bench_alloc(l.n, sizeof(*of));

    send_load(&warm);
    cpu = cpu_of(s);
    send_load(&l);
    cpu = cpu_of(s) - cpu;
    printf("# %d requests a second in turn: pages of 50 of a list, searches, files; counted from "
           "when each\n# was to be sent; %d connections, %llu dialled, %llu answers not 200%s\n",
           RATE, SENDERS, (unsigned long long)l.dialled, (unsigned long long)l.refused,
           half_open ? "; beside half-open connections" : "");
    for (int p = 0; p < PAGES; p++) {
        uint32_t n = 0;

        for (uint32_t i = (uint32_t)p; i < l.n; i += PAGES)
            of[n++] = l.times[i];

        double p99 = tell(page_names[p], of, n);

        printf("serve.%s%s_p99_ms_%s %.2f ms\n", page_names[p], half_open ? "_half_open" : "",
               s->name, p99);
    }
    if (!half_open)
        printf("# processor time of the service, TLS and database client with it\n"
               "serve.request_cpu_us_%s %.0f us\n",
               s->name, 1e6 * cpu / l.n);
    free(l.times);
    free(warm.times);
    free(of);
}

/* ---- users who read what they got before they ask again ---- */

typedef struct crowd {
    const scene *s;
    atomic_uint users, n, ready;
    double *times;
    atomic_bool leave;
    uint32_t most;
} crowd;

static void *use(void *user) {
    crowd *w = user;
    uint32_t number = atomic_fetch_add(&w->users, 1);
    client c = client_new(w->s, number);
    atg_rng rng = atg_rng_seed(number + 1000);
    double end = bench_seconds() + SECONDS;

    dial_again(&c);
    while (bench_seconds() < end) {
        char path[PATH];
        double start;
        uint32_t i;

        sleep_until(bench_seconds() + 2e-3 * THINK_MS * atg_rng_unit(&rng));
        write_path(w->s, (page)atg_rng_below(&rng, PAGES), &rng, path);
        start = bench_seconds();
        ask_for(&c, path);
        i = atomic_fetch_add(&w->n, 1);
        if (i < w->most)
            w->times[i] = bench_seconds() - start;
    }
    atomic_fetch_add(&w->ready, 1);
    while (!atomic_load(&w->leave))
        sleep_until(bench_seconds() + 0.05);
    client_end(&c);
    return NULL;
}

static void measure_users(const scene *s) {
    crowd w = {.s = s, .most = 4 * USERS * SECONDS};
    pthread_t threads[USERS];
    double rss, anonymous, p99;
    uint32_t n;

    w.times = bench_alloc(w.most, sizeof(*w.times));
    for (uint32_t i = 0; i < USERS; i++)
        if (pthread_create(&threads[i], NULL, use, &w))
            bench_must(ATG_ENOMEM, &(atg_err){.msg = "No more threads"});
    while (atomic_load(&w.ready) < USERS)
        sleep_until(bench_seconds() + 0.05);
    rss = service_memory(&s->service, "VmRSS");
    anonymous = service_memory(&s->service, "RssAnon");
    atomic_store(&w.leave, true);
    for (uint32_t i = 0; i < USERS; i++)
        pthread_join(threads[i], NULL);
    n = atomic_load(&w.n) < w.most ? atomic_load(&w.n) : w.most;
    printf("# %d users, each thinking 0 to %d ms before each page\n", USERS, 2 * THINK_MS);
    p99 = tell("pages", w.times, n);
    printf("serve.users_p99_ms_%s %.2f ms\n", s->name, p99);
    printf("# resident set of the service with their sessions and connections open; %.0f MiB of it "
           "its own\nserve.resident_mib_%s %.0f MiB\n",
           anonymous, s->name, rss);
    free(w.times);
}

/* ---- connections ---- */

static void *dial(void *user) {
    load *l = user;

    while (bench_seconds() < l->start + DIAL_SECONDS) {
        raw_close(bench_had(raw_dial(l->s->service.port, "127.0.0.1")));
        atomic_fetch_add(&l->dialled, 1);
    }
    return NULL;
}

static void measure_handshakes(const scene *s) {
    load l = {.s = s, .start = bench_seconds()};
    pthread_t threads[DIALERS];
    double cpu = cpu_of(s);

    run_threads(threads, DIALERS, dial, &l);
    cpu = cpu_of(s) - cpu;
    printf("# whole handshakes, %d at once, the clients on the same processors; %.0f us of the "
           "service's time each\n",
           DIALERS, 1e6 * cpu / (double)l.dialled);
    printf("serve.handshakes_per_second_%s %.0f handshakes/s\n", s->name,
           (double)l.dialled / (bench_seconds() - l.start));
}

/* Half of them have not greeted, half have sent half of a request's head. */
static void measure_half_open(const scene *s) {
    static const char half[] = "GET /health HTTP/1.1\r\nHost: 127.";
    static int silent[HALF_OPEN / 2];
    static raw_client *slow[HALF_OPEN / 2];

    for (int i = 0; i < HALF_OPEN / 2; i++) {
        silent[i] = raw_connect(s->service.port, "127.0.0.2");
        slow[i] = bench_had(raw_dial(s->service.port, "127.0.0.3"));
        (void)raw_send(slow[i], half, sizeof(half) - 1);
    }
    printf("# %d half-open connections\n", HALF_OPEN);
    measure_rate(s, true);
    for (int i = 0; i < HALF_OPEN / 2; i++) {
        (void)close(silent[i]);
        raw_close(slow[i]);
    }
}

/* ---- all of it ---- */

static int add_users(db *d, void *user, atg_err *err) {
    const made_cases *m = user;
    account_row first;
    int rc = accounts_find(d, m->arena, ATG_STR("user0"), &first, err);

    if (rc != ATG_ENOTFOUND)
        return rc;
    rc = ATG_OK;
    for (int i = 0; i < USERS && !rc; i++) {
        char name[32];
        uuid account;

        (void)snprintf(name, sizeof(name), "user%d", i);
        rc = made_account(d, name, 1u << ROLE_INTERVIEWER, &account, err);
        for (int kind = 0; kind < QUOTAS && !rc; kind++)
            rc = quotas_set(d, &account, quota_names[kind], 1 << 30, err);
    }
    return rc;
}

static void fill(scene *s) {
    uuid *ids = bench_alloc(s->files, sizeof(*ids));

    people_fill(&s->m, s->name, s->files, ids);
    free(ids);
    bench_made(s->where);
}

static void make_store(scene *s, bool made) {
    atg_err err = {0};

    s->m = made ? made_cases_again(s->where) : made_cases_open(s->where);
    uuid_text(&s->m.operation, s->operation);
    if (!made)
        fill(s);
    bench_must(store_write(cases_store(s->m.c), add_users, &s->m, &err), &err);
    for (int i = 0; i < USERS; i++) {
        char name[32];
        actor who = {.reason = {NULL, 0}};
        account_info info;

        (void)snprintf(name, sizeof(name), "user%d", i);
        who.name = atg_str_of(name);
        bench_must(account_find(s->m.c, &s->m.all, s->m.arena, who.name, &info, &err), &err);
        who.account = info.id;
        bench_must(account_session_new(s->m.c, &who, s->token[i], &err), &err);
    }
    made_cases_close(&s->m);
}

static void measure_start(scene *s) {
    double start = bench_seconds();
    client c;

    s->service = service_start(s->where);
    c = client_new(s, 0);
    ask_for(&c, "/health");
    printf("# from the start of the process to the first answer: the store opened, its key known\n"
           "serve.start_ms_%s %.0f ms\n",
           s->name, 1e3 * (bench_seconds() - start));
    client_end(&c);
}

static uint32_t n_files;

static void run(const database *where, bool made) {
    scene s = {.where = where, .name = where->postgres ? "postgres" : "sqlite", .files = n_files};

    make_store(&s, made);
    measure_start(&s);
    measure_rate(&s, false);
    measure_users(&s);
    measure_handshakes(&s);
    measure_half_open(&s);
    printf("# largest resident set of the service, and of the clients with the making of the "
           "store: %.0f MiB\nserve.peak_mib_%s %.0f MiB\n",
           bench_peak_mib(), s.name, service_memory(&s.service, "VmHWM"));
    service_stop(&s.service);
}

int main(int argc, char **argv) {
    if (argc == 4 && strcmp(argv[1], "serve") == 0)
        return service_serve(argv[2], argv[3]);
    n_files = (uint32_t)bench_argument(argc, argv, 1, FILES);
    (void)signal(SIGPIPE, SIG_IGN);
    bench_on_databases(argc, argv, 2, run);
    return 0;
}
