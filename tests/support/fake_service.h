/* SPDX-License-Identifier: Apache-2.0 */
/* Something on a port of this machine that speaks TLS and says what a test wants, or nothing: a
 * connection a reply. */
#ifndef ATG_TESTS_FAKE_SERVICE_H
#define ATG_TESTS_FAKE_SERVICE_H

#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "server/tls.h"

#include "testing.h"

enum { FAKE_REPLIES = 8, FAKE_HEAD = 8192, FAKE_DAY_US = 86400 };

typedef struct fake {
    int fd;
    uint16_t port;
    pthread_t thread;
    gnutls_certificate_credentials_t credentials;
    const char *replies[FAKE_REPLIES]; /* whole; NULL: it goes away without a word */
    int n;
    atomic_int asked;     /* requests that came whole */
    char head[FAKE_HEAD]; /* of the last */
    char url[64], ca[300];
} fake;

#define FAKE_OK(body)                                                                              \
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n" body
#define FAKE_PROBLEM(status, more, type)                                                           \
    "HTTP/1.1 " status " Problem\r\nContent-Type: application/problem+json\r\n" more               \
    "Connection: close\r\n\r\n{\"type\":\"urn:antigone:problem:" type                              \
    "\",\"title\":\"t\",\"status\":400,\"detail\":\"It is so\",\"instance\":\"urn:x:1\"}"

static inline bool fake_read_head(gnutls_session_t session, fake *f) {
    size_t n = 0;

    while (n + 1 < sizeof(f->head)) {
        ssize_t got = gnutls_record_recv(session, f->head + n, sizeof(f->head) - 1 - n);

        if (got == GNUTLS_E_AGAIN || got == GNUTLS_E_INTERRUPTED)
            continue;
        if (got <= 0)
            return false;
        n += (size_t)got;
        f->head[n] = '\0';
        if (strstr(f->head, "\r\n\r\n"))
            return true;
    }
    return false;
}

static inline bool fake_serve(fake *f, int fd) {
    gnutls_session_t session;
    bool asked;
    int rc;

    gnutls_init(&session, GNUTLS_SERVER);
    gnutls_set_default_priority(session);
    gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, f->credentials);
    gnutls_transport_set_int(session, fd);
    do
        rc = gnutls_handshake(session);
    while (rc < 0 && !gnutls_error_is_fatal(rc));
    asked = rc >= 0 && fake_read_head(session, f);
    if (asked) {
        int at = atomic_fetch_add(&f->asked, 1);
        const char *reply = at < f->n ? f->replies[at] : NULL;

        for (ssize_t sent = 1; reply && *reply && sent > 0; reply += sent > 0 ? sent : 0)
            sent = gnutls_record_send(session, reply, strlen(reply));
        if (reply)
            (void)gnutls_bye(session, GNUTLS_SHUT_WR);
    }
    gnutls_deinit(session);
    close(fd);
    return asked;
}

static inline void *fake_run(void *user) {
    fake *f = user;
    int fd;

    while ((fd = accept(f->fd, NULL, NULL)) >= 0)
        (void)fake_serve(f, fd);
    return NULL;
}

/* A certificate of its own authority for 127.0.0.1, made `days` ago, in memory and as a file. */
static inline void fake_certify(fake *f, const char *folder, int64_t days) {
    static const char *const names[] = {"localhost", "127.0.0.1"};
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
    int64_t at = clock_now() - days * FAKE_DAY_US * 1000000;
    tls_pair ca, own;
    gnutls_datum_t certificate, key;
    atg_err err = {0};

    assert_int_equal(tls_make_authority(arena, NULL, 0, at, &ca, &err), ATG_OK);
    assert_int_equal(tls_make_certificate(arena, &ca, names, 2, at, &own, &err), ATG_OK);
    snprintf(f->ca, sizeof(f->ca), "%s/fake-%u.pem", folder, f->port);
    assert_int_equal(file_write(f->ca, atg_str_of(ca.certificate), &err), ATG_OK);
    certificate = tls_datum(atg_str_of(own.certificate));
    key = tls_datum(atg_str_of(own.key));
    assert_int_equal(gnutls_certificate_allocate_credentials(&f->credentials), 0);
    assert_int_equal(gnutls_certificate_set_x509_key_mem(f->credentials, &certificate, &key,
                                                         GNUTLS_X509_FMT_PEM),
                     0);
}

/* Listening on every address of this machine; fake_start() begins to answer. */
static inline void fake_open(fake *f, const char *folder, int64_t days) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_ANY)};
    struct sockaddr *any = (struct sockaddr *)(void *)&at;
    socklen_t n = sizeof(at);

    *f = (fake){.n = 0};
    f->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(f->fd, any, n), 0);
    assert_int_equal(listen(f->fd, 8), 0);
    assert_int_equal(getsockname(f->fd, any, &n), 0);
    f->port = ntohs(at.sin_port);
    snprintf(f->url, sizeof(f->url), "https://127.0.0.1:%u", f->port);
    fake_certify(f, folder, days);
}

static inline void fake_start(fake *f) {
    assert_int_equal(pthread_create(&f->thread, NULL, fake_run, f), 0);
}

static inline void fake_close(fake *f) {
    shutdown(f->fd, SHUT_RDWR);
    pthread_join(f->thread, NULL);
    close(f->fd);
    gnutls_certificate_free_credentials(f->credentials);
}

#endif
