/* SPDX-License-Identifier: Apache-2.0 */
#include "server/tls.h"

#include <errno.h>
#include <gnutls/abstract.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"

enum { PATH_SIZE = 4096, CHAIN = 8, ARENA = 4 << 20, NAME_SIZE = 256, GENERATIONS = 8 };

static const int64_t second_us = 1000000, month_us = INT64_C(30) * 86400 * 1000000;

/* Certificate and key as one handshake takes them; it holds them only while it runs, so that the
 * last few that were replaced are enough to keep. */
typedef struct generation {
    gnutls_pcert_st certs[CHAIN];
    unsigned n;
    gnutls_privkey_t key;
    gnutls_x509_crt_t leaf;
    int64_t expires;
} generation;

struct tls {
    tls_options o;
    char directory[PATH_SIZE - 64];
    char name[NAME_SIZE]; /* of this machine */
    const char *names[TLS_NAMES];
    uint32_t n_names;
    pthread_mutex_t lock;
    _Atomic(generation *) now;
    generation *old[GENERATIONS];
    char fingerprint[TLS_FINGERPRINT + 1];
    char *authority;
};

static _Atomic(tls *) serving;

static void generation_free(generation *g) {
    if (!g)
        return;
    for (unsigned i = 0; i < g->n; i++)
        gnutls_pcert_deinit(&g->certs[i]);
    if (g->key)
        gnutls_privkey_deinit(g->key);
    if (g->leaf)
        gnutls_x509_crt_deinit(g->leaf);
    mem_free(g);
}

/* ---- reading ---- */

static int read_certificates(generation *g, atg_str pem, atg_err *err) {
    gnutls_datum_t d = tls_datum(pem);
    unsigned n = CHAIN;
    gnutls_x509_crt_t list[CHAIN];
    int rc = gnutls_x509_crt_list_import(list, &n, &d, GNUTLS_X509_FMT_PEM, 0);
    unsigned read = rc < 0 ? 0 : (unsigned)rc;

    rc = rc < 0 ? rc : 0;
    if (read) {
        g->leaf = list[0];
        g->expires = (int64_t)gnutls_x509_crt_get_expiration_time(g->leaf) * second_us;
    }
    while (g->n < read && !rc) {
        rc = gnutls_pcert_import_x509(&g->certs[g->n], list[g->n], 0);
        g->n += rc ? 0 : 1;
    }
    for (unsigned i = 1; i < read; i++)
        gnutls_x509_crt_deinit(list[i]);
    if (!rc && !g->n)
        rc = GNUTLS_E_NO_CERTIFICATE_FOUND;
    return rc ? tls_fail(err, rc, "The certificate cannot be read") : ATG_OK;
}

static int read_key(generation *g, atg_str pem, atg_err *err) {
    gnutls_datum_t d = tls_datum(pem);
    gnutls_pubkey_t pub = NULL;
    unsigned char one[64], other[64];
    size_t n_one = sizeof(one), n_other = sizeof(other);
    int rc = gnutls_privkey_init(&g->key);

    if (!rc)
        rc = gnutls_privkey_import_x509_raw(g->key, &d, GNUTLS_X509_FMT_PEM, NULL, 0);
    if (!rc)
        rc = gnutls_pubkey_init(&pub);
    if (!rc)
        rc = gnutls_pubkey_import_privkey(pub, g->key, 0, 0);
    if (!rc)
        rc = gnutls_pubkey_get_key_id(pub, GNUTLS_KEYID_USE_SHA256, one, &n_one);
    if (!rc)
        rc = gnutls_pubkey_get_key_id(g->certs[0].pubkey, GNUTLS_KEYID_USE_SHA256, other, &n_other);
    if (pub)
        gnutls_pubkey_deinit(pub);
    if (rc)
        return tls_fail(err, rc, "The key of the certificate cannot be read");
    return n_one == n_other && memcmp(one, other, n_one) == 0
               ? ATG_OK
               : atg_fail(err, ATG_EINVAL, "The key is not that of the certificate");
}

/* From now on handshakes take this one. */
static void take_over(tls *t, generation *g) {
    generation *last = atomic_exchange(&t->now, g);

    generation_free(t->old[GENERATIONS - 1]);
    for (int i = GENERATIONS - 1; i > 0; i--)
        t->old[i] = t->old[i - 1];
    t->old[0] = last;
}

static int use(tls *t, atg_str certificate, atg_str key, atg_err *err) {
    generation *g = mem_zero(1, sizeof(*g));
    int rc = g ? read_certificates(g, certificate, err)
               : atg_fail(err, ATG_ENOMEM, "Out of memory reading a certificate");

    if (!rc)
        rc = read_key(g, key, err);
    if (rc)
        generation_free(g);
    else
        take_over(t, g);
    return rc;
}

static int read_secret(atg_arena *arena, const char *path, bool lax, atg_str *ret, atg_err *err) {
    size_t n = TLS_PEM;
    unsigned char *bytes = ATG_GET(arena, unsigned char, n + 1);
    int rc = bytes ? file_read_private(path, lax, bytes, &n, err)
                   : atg_fail(err, ATG_ENOMEM, "Out of memory reading a key");

    if (!rc)
        *ret = (atg_str){(const char *)bytes, n};
    return rc;
}

static int use_files(tls *t, const char *certificate, const char *key, bool lax, atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    atg_str crt, secret;
    int rc = arena ? file_read(arena, certificate, TLS_PEM, &crt, err)
                   : atg_fail(err, ATG_ENOMEM, "Out of memory reading a certificate");

    if (!rc)
        rc = read_secret(arena, key, lax, &secret, err);
    if (!rc) {
        rc = use(t, crt, secret, err);
        gnutls_memset(tls_datum(secret).data, 0, secret.n);
    }
    return rc;
}

/* ---- the local authority ---- */

static void path_of(const tls *t, const char *name, char ret[PATH_SIZE]) {
    (void)snprintf(ret, PATH_SIZE, "%s/%s", t->directory, name);
}

static int write_pair(const tls *t, const char *name, const tls_pair *pair, atg_err *err) {
    char crt[PATH_SIZE], key[PATH_SIZE], file[32];
    int rc;

    (void)snprintf(file, sizeof(file), "%s.key", name);
    path_of(t, file, key);
    (void)snprintf(file, sizeof(file), "%s.pem", name);
    path_of(t, file, crt);
    rc = file_write_private(key, atg_str_of(pair->key), err);
    return rc ? rc : file_write(crt, atg_str_of(pair->certificate), err);
}

static int read_pair(const tls *t, atg_arena *arena, const char *name, tls_pair *ret,
                     atg_err *err) {
    char path[PATH_SIZE], file[32];
    atg_str crt, key;
    int rc;

    (void)snprintf(file, sizeof(file), "%s.pem", name);
    path_of(t, file, path);
    rc = file_read(arena, path, TLS_PEM, &crt, err);
    if (rc)
        return rc;
    (void)snprintf(file, sizeof(file), "%s.key", name);
    path_of(t, file, path);
    rc = read_secret(arena, path, false, &key, err);
    crt = atg_arena_str(arena, crt);
    if (!rc && !crt.p)
        return atg_fail(err, ATG_ENOMEM, "Out of memory reading a certificate");
    *ret = (tls_pair){crt.p, rc ? NULL : key.p};
    return rc;
}

static bool is_there(const tls *t, const char *name) {
    char path[PATH_SIZE];

    path_of(t, name, path);
    return access(path, F_OK) == 0;
}

static int open_authority(tls *t, atg_arena *arena, tls_pair *ret, atg_err *err) {
    int rc;

    if (is_there(t, "ca.pem"))
        return read_pair(t, arena, "ca", ret, err);
    if (mkdir(t->directory, 0700) && errno != EEXIST)
        return atg_fail(err, ATG_EIO, "The folder of the certificates cannot be made");
    rc = tls_make_authority(arena, t->names, t->n_names, clock_now(), ret, err);
    return rc ? rc : write_pair(t, "ca", ret, err);
}

int tls_fingerprint_of(const char *pem, char ret[TLS_FINGERPRINT + 1], atg_err *err) {
    gnutls_datum_t text = tls_datum(atg_str_of(pem));
    gnutls_x509_crt_t crt = NULL;
    unsigned char hash[32];
    size_t n = sizeof(hash);
    int rc = gnutls_x509_crt_init(&crt);

    if (!rc)
        rc = gnutls_x509_crt_import(crt, &text, GNUTLS_X509_FMT_PEM);
    if (!rc)
        rc = gnutls_x509_crt_get_fingerprint(crt, GNUTLS_DIG_SHA256, hash, &n);
    if (crt)
        gnutls_x509_crt_deinit(crt);
    if (rc)
        return tls_fail(err, rc, "The certificate of the authority cannot be read");
    for (size_t i = 0; i < n; i++)
        (void)snprintf(ret + 3 * i, TLS_FINGERPRINT + 1 - 3 * i, "%02X%s", hash[i],
                       i + 1 < n ? ":" : "");
    return ATG_OK;
}

static int note_authority(tls *t, const tls_pair *ca, atg_err *err) {
    size_t n = strlen(ca->certificate) + 1;
    int rc = tls_fingerprint_of(ca->certificate, t->fingerprint, err);

    if (rc)
        return rc;
    if (!t->authority)
        t->authority = mem_alloc(n);
    if (!t->authority)
        return atg_fail(err, ATG_ENOMEM, "Out of memory reading a certificate");
    memcpy(t->authority, ca->certificate, n);
    return ATG_OK;
}

/* Is it of this authority, for all these names, and good for another month? */
static bool still_good(const tls *t, const tls_pair *ca, const tls_pair *server) {
    gnutls_datum_t pem[2] = {tls_datum(atg_str_of(ca->certificate)),
                             tls_datum(atg_str_of(server->certificate))};
    gnutls_x509_crt_t crt[2] = {NULL, NULL};
    unsigned status = 0;
    bool good = true;

    for (int i = 0; i < 2 && good; i++)
        good = !gnutls_x509_crt_init(&crt[i]) &&
               !gnutls_x509_crt_import(crt[i], &pem[i], GNUTLS_X509_FMT_PEM);
    good =
        good &&
        !gnutls_x509_crt_verify(crt[1], &crt[0], 1, GNUTLS_VERIFY_DISABLE_TIME_CHECKS, &status) &&
        !status &&
        (int64_t)gnutls_x509_crt_get_expiration_time(crt[1]) * second_us > clock_now() + month_us;
    for (uint32_t i = 0; i < t->n_names && good; i++)
        good = gnutls_x509_crt_check_hostname(crt[1], t->names[i]) != 0;
    for (int i = 0; i < 2; i++)
        if (crt[i])
            gnutls_x509_crt_deinit(crt[i]);
    return good;
}

static int use_local(tls *t, atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    tls_pair ca = {NULL, NULL}, server = {NULL, NULL};
    int rc = arena ? open_authority(t, arena, &ca, err)
                   : atg_fail(err, ATG_ENOMEM, "Out of memory reading a certificate");

    if (!rc)
        rc = note_authority(t, &ca, err);
    if (rc)
        return rc;
    if (read_pair(t, arena, "server", &server, NULL) || !still_good(t, &ca, &server)) {
        rc = tls_make_certificate(arena, &ca, t->names, t->n_names, clock_now(), &server, err);
        if (!rc)
            rc = write_pair(t, "server", &server, err);
    }
    return rc ? rc : use(t, atg_str_of(server.certificate), atg_str_of(server.key), err);
}

/* ---- the whole ---- */

static int take_names(tls *t, atg_err *err) {
    static const char *const own[] = {"localhost", "127.0.0.1", "::1"};

    for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
        t->names[t->n_names++] = own[i];
    if (!gethostname(t->name, sizeof(t->name) - 1) && *t->name)
        t->names[t->n_names++] = t->name;
    for (uint32_t i = 0; i < t->o.n_names; i++) {
        if (t->n_names == TLS_NAMES)
            return atg_fail(err, ATG_ELIMIT, "At most %d names", TLS_NAMES - 4);
        t->names[t->n_names++] = t->o.names[i];
    }
    return ATG_OK;
}

int tls_renew(tls *t, atg_err *err) {
    int rc;

    pthread_mutex_lock(&t->lock);
    rc = t->o.certificate ? use_files(t, t->o.certificate, t->o.key, true, err) : use_local(t, err);
    pthread_mutex_unlock(&t->lock);
    return rc;
}

int tls_open(const tls_options *o, tls **ret, atg_err *err) {
    tls *t = mem_zero(1, sizeof(*t));
    int rc;

    if (!t)
        return atg_fail(err, ATG_ENOMEM, "Out of memory starting the service");
    t->o = *o;
    pthread_mutex_init(&t->lock, NULL);
    if (!o->certificate != !o->key)
        rc = atg_fail(err, ATG_EINVAL, "A certificate needs its key, and a key its certificate");
    else if (!o->certificate && (!o->directory || !*o->directory))
        rc = atg_fail(err, ATG_EINVAL,
                      "The certificate needs a place: name the store's folder, or give "
                      "certificate files");
    else
        rc = take_names(t, err);
    if (!rc) {
        (void)snprintf(t->directory, sizeof(t->directory), "%s/tls",
                       o->directory ? o->directory : "");
        rc = tls_renew(t, err);
    }
    if (rc) {
        tls_close(t);
        return rc;
    }
    atomic_store(&serving, t);
    *ret = t;
    return ATG_OK;
}

void tls_close(tls *t) {
    tls *me = t;

    if (!t)
        return;
    (void)atomic_compare_exchange_strong(&serving, &me, NULL);
    generation_free(atomic_load(&t->now));
    for (int i = 0; i < GENERATIONS; i++)
        generation_free(t->old[i]);
    pthread_mutex_destroy(&t->lock);
    mem_free(t->authority);
    mem_free(t);
}

bool tls_is_for(tls *t, const char *name) {
    return gnutls_x509_crt_check_hostname(atomic_load(&t->now)->leaf, name) != 0;
}

int64_t tls_expires(tls *t) {
    return atomic_load(&t->now)->expires;
}

const char *tls_fingerprint(const tls *t) {
    return t->authority ? t->fingerprint : NULL;
}

const char *tls_authority(const tls *t) {
    return t->authority;
}

/* NOLINTNEXTLINE(readability-function-size): its parameters are those of GnuTLS */
int tls_retrieve(gnutls_session_t session, const gnutls_datum_t *req_ca, int n_req_ca,
                 const gnutls_pk_algorithm_t *pk, int n_pk, gnutls_pcert_st **ret_certs,
                 unsigned int *ret_n, gnutls_privkey_t *ret_key) {
    tls *t = atomic_load(&serving);
    generation *g = t ? atomic_load(&t->now) : NULL;

    (void)session;
    (void)req_ca;
    (void)n_req_ca;
    (void)pk;
    (void)n_pk;
    if (!g)
        return -1;
    *ret_certs = g->certs;
    *ret_n = g->n;
    *ret_key = g->key;
    return 0;
}
