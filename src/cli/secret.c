/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/secret.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/file.h"

void secret_wipe(secret *s) {
    bytes_wipe(s, sizeof(*s));
}

static int first_line(secret *s) {
    const char *end = memchr(s->text, '\n', s->n);

    if (end)
        s->n = (size_t)(end - s->text);
    while (s->n && s->text[s->n - 1] == '\r')
        s->n--;
    s->text[s->n] = '\0';
    return EXIT_DONE;
}

static int from_file(const char *path, secret *ret) {
    atg_err err = {0};
    size_t n = SECRET_MAX;

    /* systemd gives a credential to the group of the service */
    if (file_read_private(path, true, (unsigned char *)ret->text, &n, &err))
        return cli_fail(path, &err);
    ret->n = n;
    return first_line(ret);
}

/* One line without its echo. */
static int from_terminal(const char *prompt, secret *ret) {
    int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    struct termios was, silent;
    ssize_t n;

    if (fd < 0 || tcgetattr(fd, &was)) {
        if (fd >= 0)
            (void)close(fd);
        return -1;
    }
    silent = was;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    (void)dprintf(fd, "%s: ", prompt);
    (void)tcsetattr(fd, TCSAFLUSH, &silent);
    n = read(fd, ret->text, SECRET_MAX);
    (void)tcsetattr(fd, TCSAFLUSH, &was);
    (void)dprintf(fd, "\n");
    (void)close(fd);
    ret->n = n > 0 ? (size_t)n : 0;
    return first_line(ret);
}

static int cannot_ask(const char *variable, const char *prompt) {
    (void)fprintf(stderr,
                  "antigone: %s is needed and there is no terminal to ask for it: name a file that "
                  "holds it in the variable %s.\n",
                  prompt, variable);
    return EXIT_USAGE;
}

int secret_ask(const char *variable, const char *prompt, secret *ret) {
    const char *path = getenv(variable); /* NOLINT(concurrency-mt-unsafe): one thread */
    int code;

    *ret = (secret){.n = 0};
    if (path && *path)
        return from_file(path, ret);
    code = from_terminal(prompt, ret);
    return code < 0 ? cannot_ask(variable, prompt) : code;
}

int secret_ask_new(const char *variable, const char *prompt, secret *ret) {
    const char *path = getenv(variable); /* NOLINT(concurrency-mt-unsafe): one thread */
    SECRET_AUTO again = {.n = 0};
    int code = secret_ask(variable, prompt, ret);

    if (code || (path && *path))
        return code;
    code = from_terminal("Once more", &again);
    if (code)
        return code < 0 ? cannot_ask(variable, prompt) : code;
    if (again.n == ret->n && memcmp(again.text, ret->text, ret->n) == 0)
        return EXIT_DONE;
    (void)fputs("antigone: The two are not the same. Nothing was changed.\n", stderr);
    return EXIT_NO;
}
