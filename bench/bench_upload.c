/* SPDX-License-Identifier: Apache-2.0 */
/* Uploads of 300 and 500 MB to a service of its own process, over TLS on loopback: how fast, and
 * how much its resident set grows.
 *
 *     bench_upload [MB...]
 */
#include "service.h"

#include <signal.h>

enum { WRITE = 1 << 20, TEXT = 4096, MEGA = 1000000 };

typedef struct scene {
    bench_service service;
    char token[ACCOUNT_TOKEN + 1];
    char *bytes; /* WRITE of them, sent again and again */
} scene;

static void make_store(const database *where, scene *s) {
    made_cases m = made_cases_open(where);
    atg_err err = {0};

    bench_must(account_session_new(m.c, &m.by[ROLE_BOARD], s->token, &err), &err);
    made_cases_close(&m);
}

/* Sends a head, and says what is answered, in `ret`. */
static void ask_for(const scene *s, raw_client *c, const char *line, const char *rest) {
    char text[TEXT];
    int n = snprintf(text, sizeof(text),
                     "%s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nAuthorization: Bearer %s\r\n%s", line,
                     s->service.port, s->token, rest);

    if (!raw_send(c, text, (size_t)n))
        bench_must(ATG_EIO, &(atg_err){.msg = "The service hung up"});
}

static void take(raw_client *c, const char *status, char ret[TEXT]) {
    if (!raw_read(c, ret, TEXT, 1000) || strncmp(ret, status, strlen(status)) != 0) {
        (void)fprintf(stderr, "%s\n", ret);
        bench_must(ATG_EIO, &(atg_err){.msg = "The service answered something else"});
    }
}

static void begin(const scene *s, raw_client *c, size_t length, char ret_path[100]) {
    char body[200], rest[TEXT], got[TEXT];
    int n = snprintf(body, sizeof(body), "{\"for\": \"bundle\", \"length\": %zu}", length);

    (void)snprintf(rest, sizeof(rest),
                   "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", n, body);
    ask_for(s, c, "POST /api/v1/uploads", rest);
    take(c, "HTTP/1.1 201", got);
    (void)snprintf(ret_path, 100, "/api/v1/uploads/%.36s",
                   (const char *)bench_had(strstr(got, "\"id\": \"")) + 7);
}

static void send_all(const scene *s, raw_client *c, const char *path, size_t length) {
    char line[200], rest[TEXT];

    (void)snprintf(line, sizeof(line), "PATCH %s", path);
    (void)snprintf(rest, sizeof(rest),
                   "Content-Type: application/partial-upload\r\nUpload-Offset: 0\r\n"
                   "Content-Length: %zu\r\n\r\n",
                   length);
    ask_for(s, c, line, rest);
    for (size_t at = 0; at < length; at += WRITE)
        if (!raw_send(c, s->bytes, length - at < WRITE ? length - at : WRITE))
            bench_must(ATG_EIO, &(atg_err){.msg = "The service hung up"});
}

/* The answer begins to come once all is on disk. */
static void measure(const scene *s, uint32_t mb) {
    size_t length = (size_t)mb * MEGA;
    raw_client *c = bench_had(raw_dial(s->service.port, "127.0.0.1"));
    char path[100], line[200], got[TEXT];
    double before, start, took, cpu = bench_cpu_seconds();
    ssize_t n;

    begin(s, c, length, path);
    before = service_memory(&s->service, "VmRSS");
    start = bench_seconds();
    send_all(s, c, path, length);
    n = raw_some(c, got, sizeof(got) - 1);
    took = bench_seconds() - start;
    got[n > 0 ? n : 0] = '\0';
    if (n <= 0 || strncmp(got, "HTTP/1.1 200", 12) != 0)
        bench_must(ATG_EIO, &(atg_err){.msg = "The upload was not taken"});
    printf("# %u MB in one PATCH: sealed, written and synced; of the client %.1f s of processor\n"
           "upload.mb_per_s_%u %.0f MB/s\n"
           "# largest resident set since the start, above what it was before\n"
           "upload.growth_mib_%u %.1f MiB\n",
           mb, bench_cpu_seconds() - cpu, mb, mb / took, mb,
           service_memory(&s->service, "VmHWM") - before);
    (void)raw_read(c, got, sizeof(got), 100);
    raw_close(c);
    c = bench_had(raw_dial(s->service.port, "127.0.0.1"));
    (void)snprintf(line, sizeof(line), "DELETE %s", path);
    ask_for(s, c, line, "\r\n");
    take(c, "HTTP/1.1 204", got);
    raw_close(c);
}

int main(int argc, char **argv) {
    static const double usual[] = {300, 500};
    int n = argc > 1 ? argc - 1 : 2;
    database where = {.backend = "SQLite"};
    scene s = {.bytes = NULL};

    if (argc == 4 && strcmp(argv[1], "serve") == 0)
        return service_serve(argv[2], argv[3]);
    (void)signal(SIGPIPE, SIG_IGN);
    s.bytes = bench_alloc(WRITE, 1);
    database_make_folder(where.directory, sizeof(where.directory));
    make_store(&where, &s);
    for (int i = 0; i < n; i++) {
        /* a service of its own each: what an earlier one took at most says nothing of this one */
        s.service = service_start(&where);
        measure(&s, (uint32_t)bench_argument(argc, argv, i + 1, usual[i < 2 ? i : 1]));
        service_stop(&s.service);
    }
    database_remove_folder(where.directory);
    free(s.bytes);
    return 0;
}
