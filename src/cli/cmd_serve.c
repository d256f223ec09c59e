/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/store.h"
#include "server/server.h"

enum { NAMES_MAX = 24, NAMES_SIZE = 2000, DESCRIPTION_MAX = 16 << 20 };

typedef struct serving {
    char text[NAMES_SIZE]; /* the names of --names, cut into words */
    const char *names[NAMES_MAX];
    service_options o;
} serving;

static int read_names(const args *a, serving *w) {
    const char *given = a->value[OPT_NAMES] ? a->value[OPT_NAMES] : "";
    char *at = w->text;

    if (snprintf(w->text, sizeof(w->text), "%s", given) >= (int)sizeof(w->text))
        return cli_usage(a->command, "The names are too long");
    while (*at) {
        char *comma = strchr(at, ',');

        if (comma)
            *comma = '\0';
        if (w->o.n_names == NAMES_MAX)
            return cli_usage(a->command, "At most %d names", NAMES_MAX);
        if (*at)
            w->names[w->o.n_names++] = at;
        at = comma ? comma + 1 : at + strlen(at);
    }
    w->o.names = w->names;
    return EXIT_DONE;
}

static int open_log(const args *a, serving *w) {
    const char *path = a->value[OPT_LOG];
    /* who was there when is nobody else's to read */
    int fd = path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;

    w->o.log = !path ? stderr : fd >= 0 ? fdopen(fd, "a") : NULL;
    if (w->o.log)
        return EXIT_DONE;
    (void)fprintf(stderr, "antigone: %s: %s.\n", path,
                  strerror(errno)); /* NOLINT(concurrency-mt-unsafe): one thread yet */
    return EXIT_MACHINE;
}

static void greet(const args *a, const service *s) {
    const char *print = service_fingerprint(s), *warning = service_warning(s);

    if (warning)
        (void)fprintf(stderr, "antigone: %s.\n", warning);
    if (cli_has(a, OPT_QUIET))
        return;
    (void)printf("Serving at https://%s\n", service_address(s));
    if (*print)
        (void)printf("Devices trust it with the certificate at https://%s/ca, fingerprint\n%s\n",
                     service_address(s), print);
    (void)fflush(stdout);
}

/* Until somebody asks to stop; SIGHUP reads the certificate again. */
static void wait_for_end(service *s, const sigset_t *signals) {
    int sig = 0;

    while (!sigwait(signals, &sig) && sig == SIGHUP) {
        atg_err err = {0};

        if (service_reload(s, &err))
            (void)fprintf(stderr, "antigone: The certificate was not read again: %s.\n", err.msg);
        else if (service_warning(s))
            (void)fprintf(stderr, "antigone: %s.\n", service_warning(s));
    }
}

static int serve(const args *a, serving *w) {
    ATG_AUTO(service) s = NULL;
    sigset_t signals;
    atg_err err = {0};

    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    (void)signal(SIGPIPE, SIG_IGN);
    /* every thread from here on leaves them to this one */
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    if (service_open(&w->o, &s, &err))
        return cli_fail(NULL, &err);
    greet(a, s);
    wait_for_end(s, &signals);
    cli_store_say(a, "Stopping: what runs may finish.\n");
    return EXIT_DONE;
}

static int print_description(const args *a) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(DESCRIPTION_MAX);
    atg_err err = {0};

    if (buf && service_openapi(buf, &err))
        return cli_fail(NULL, &err);
    return cli_write(a, buf);
}

static int run(const args *a) {
    STORE_SESSION session = {0};
    serving w = {.o = {.listen = a->value[OPT_LISTEN],
                       .certificate = a->value[OPT_CERTIFICATE],
                       .key = a->value[OPT_CERTIFICATE_KEY]}};
    int code = read_names(a, &w);

    if (cli_has(a, OPT_OPENAPI))
        return print_description(a);
    if (!code)
        code = open_log(a, &w);
    if (!code)
        code = cli_store_only_here(a, &session);
    if (code)
        return code;
    w.o.c = session.c;
    return serve(a, &w);
}

static const option_id options[] = {OPT_LISTEN,   OPT_CERTIFICATE, OPT_CERTIFICATE_KEY, OPT_NAMES,
                                    OPT_LOG,      OPT_OPENAPI,     OPT_OUTPUT,          OPT_STORE,
                                    OPT_POSTGRES, OPT_KEY,         OPT_QUIET,           OPT_HELP};

const command command_serve = {
    .name = "serve",
    .summary = "Put the cases on the network: accounts and the API over HTTPS.",
    .operands = "",
    .details =
        "The first start makes a certificate authority in the store's folder, which can sign "
        "for local names and addresses only; the page /ca helps to install its certificate "
        "on devices. With --certificate and --certificate-key another one is used, and read "
        "again on SIGHUP.\n\nSIGTERM and Ctrl-C stop: no new connections, what runs "
        "finishes, nothing that was acknowledged is lost.",
    .options = options,
    .run = run,
};
