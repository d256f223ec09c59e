/* SPDX-License-Identifier: Apache-2.0 */
/* The certificate of the service: from files, or signed by a certificate authority of its own that
 * is made on first start and can sign for local names and addresses only. */
#ifndef ATG_SERVER_TLS_H
#define ATG_SERVER_TLS_H

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include <antigone/base.h>

enum { TLS_FINGERPRINT = 95, TLS_NAMES = 32, TLS_PEM = 1 << 20 };

typedef struct tls tls;

typedef struct tls_options {
    const char *directory;         /* of the local authority: DIRECTORY/tls */
    const char *certificate, *key; /* files that are used instead; both or neither */
    const char *const *names;      /* that the certificate is for, beside this machine's */
    uint32_t n_names;
} tls_options;

int tls_open(const tls_options *o, tls **ret, atg_err *err);
void tls_close(tls *t);

/* Read the files again, or make a new certificate where the old one ends within a month.  When it
 * fails, what was there stays in use. */
int tls_renew(tls *t, atg_err *err);

/* Is the certificate for this name or address? */
bool tls_is_for(tls *t, const char *name);
/* When the certificate ends, microseconds since 1970. */
int64_t tls_expires(tls *t);
/* "AB:CD:..." and the PEM text of the authority; NULL with files. */
const char *tls_fingerprint(const tls *t);
/* Of the first certificate in a text (PEM): SHA-256, "AB:CD:...". */
int tls_fingerprint_of(const char *pem, char ret[TLS_FINGERPRINT + 1], atg_err *err);
const char *tls_authority(const tls *t);

/* What GnuTLS asks in each handshake; serves the tls that was opened last. */
int tls_retrieve(gnutls_session_t session, const gnutls_datum_t *req_ca, int n_req_ca,
                 const gnutls_pk_algorithm_t *pk, int n_pk, gnutls_pcert_st **ret_certs,
                 unsigned int *ret_n, gnutls_privkey_t *ret_key);

/* ---- the authority ---- */

typedef struct tls_pair {
    const char *certificate, *key; /* PEM, in the arena */
} tls_pair;

/* A new authority, valid for ten years from `now`, that may sign for local names and addresses and
 * for `names`. */
int tls_make_authority(atg_arena *arena, const char *const *names, uint32_t n, int64_t now,
                       tls_pair *ret, atg_err *err);
/* A certificate of it for these names and addresses, for 397 days or as long as the authority. */
int tls_make_certificate(atg_arena *arena, const tls_pair *authority, const char *const *names,
                         uint32_t n, int64_t now, tls_pair *ret, atg_err *err);

/* Bytes as GnuTLS takes what it only reads. */
static inline gnutls_datum_t tls_datum(atg_str bytes) {
    union {
        const char *in;
        unsigned char *out;
    } same = {.in = bytes.p};

    return (gnutls_datum_t){same.out, (unsigned)bytes.n};
}

int tls_fail(atg_err *err, int gnutls_code, const char *what);

#endif
