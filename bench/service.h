/* SPDX-License-Identifier: Apache-2.0 */
/* A service in a process of its own, whose memory and processor time can be read. */
#ifndef ATG_BENCH_SERVICE_H
#define ATG_BENCH_SERVICE_H

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "served.h"

enum { SERVICE_NO_LIMIT = 1000000 };

typedef struct bench_service {
    pid_t pid;
    uint16_t port;
    int stopper; /* closing it ends the service */
} bench_service;

/* PROGRAM serve FOLDER CONNINFO: says its port and serves until its standard input ends. */
static inline int service_serve(const char *folder, const char *conninfo) {
    made_cases m = {.c = NULL};
    database where = {.postgres = *conninfo};
    service_options o = {.listen = "127.0.0.1:0",
                         .address_rate = SERVICE_NO_LIMIT,
                         .account_rate = SERVICE_NO_LIMIT,
                         .log = fopen("/dev/null", "we")};
    service *s;
    char c;
    atg_err err = {0};

    (void)snprintf(where.directory, sizeof(where.directory), "%s", folder);
    (void)snprintf(where.conninfo, sizeof(where.conninfo), "%s", conninfo);
    bench_must(made_open_again(&m, &where, false, &err), &err);
    o.c = m.c;
    bench_must(service_open(&o, &s, &err), &err);
    printf("%u\n", service_port(s));
    (void)fflush(stdout);
    while (read(STDIN_FILENO, &c, 1) > 0)
        ;
    service_close(s);
    cases_close(m.c);
    (void)fclose(o.log);
    return 0;
}

static inline bench_service service_start(const database *where) {
    bench_service s = {.pid = -1};
    int in[2] = {-1, -1}, out[2] = {-1, -1};
    char text[32] = "";

    if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
        bench_must(ATG_EIO, &(atg_err){.msg = "No more pipes"});
    (void)fflush(NULL);
    s.pid = fork();
    if (s.pid == 0) {
        (void)dup2(in[0], STDIN_FILENO);
        (void)dup2(out[1], STDOUT_FILENO);
        (void)execl("/proc/self/exe", "bench", "serve", where->directory, where->conninfo,
                    (char *)NULL);
        _exit(127);
    }
    (void)close(in[0]);
    (void)close(out[1]);
    s.stopper = in[1];
    if (read(out[0], text, sizeof(text) - 1) <= 0)
        bench_must(ATG_EIO, &(atg_err){.msg = "The service does not start"});
    (void)close(out[0]);
    s.port = (uint16_t)strtoul(text, NULL, 10);
    return s;
}

static inline void service_stop(const bench_service *s) {
    (void)close(s->stopper);
    (void)waitpid(s->pid, NULL, 0);
}

/* A line of /proc/PID/status, in MiB. */
static inline double service_memory(const bench_service *s, const char *line) {
    char path[64], text[200];
    double kib = 0;
    FILE *f;

    (void)snprintf(path, sizeof(path), "/proc/%d/status", (int)s->pid);
    f = bench_had(fopen(path, "re"));
    while (fgets(text, sizeof(text), f))
        if (strncmp(text, line, strlen(line)) == 0)
            kib = strtod(text + strlen(line) + 1, NULL);
    (void)fclose(f);
    return kib / 1024;
}

#endif
