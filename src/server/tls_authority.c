/* SPDX-License-Identifier: Apache-2.0 */
#include "server/tls.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/uuid.h"

static const int64_t second_us = 1000000;

enum { AUTHORITY_DAYS = 3650, CERTIFICATE_DAYS = 397, DAY_S = 86400, SLACK_S = 3600 };

typedef struct made {
    gnutls_x509_crt_t crt;
    gnutls_x509_privkey_t key;
} made;

static void made_free(made *m) {
    if (m->crt)
        gnutls_x509_crt_deinit(m->crt);
    if (m->key)
        gnutls_x509_privkey_deinit(m->key);
}
#define MADE_AUTO __attribute__((cleanup(made_free))) made

int tls_fail(atg_err *err, int gnutls_code, const char *what) {
    atg_str why = atg_str_of(gnutls_strerror(gnutls_code));

    if (why.n && why.p[why.n - 1] == '.')
        why.n--; /* it is a sentence; ours goes on */
    return atg_fail(err, ATG_EINVAL, "%s: %.*s", what, ATG_FMT(why));
}

/* ---- names ---- */

static size_t address_of(const char *name, unsigned char ret[16]) {
    if (inet_pton(AF_INET, name, ret) == 1)
        return 4;
    return inet_pton(AF_INET6, name, ret) == 1 ? 16 : 0;
}

static int permit(gnutls_x509_name_constraints_t nc, gnutls_x509_subject_alt_name_t type,
                  const char *name) {
    gnutls_datum_t d = {NULL, 0};
    int rc;

    if (type == GNUTLS_SAN_IPADDRESS) {
        rc = gnutls_x509_cidr_to_rfc5280(name, &d);
        if (!rc)
            rc = gnutls_x509_name_constraints_add_permitted(nc, type, &d);
        gnutls_free(d.data);
        return rc;
    }
    d.data = (unsigned char *)gnutls_strdup(name);
    d.size = (unsigned)strlen(name);
    rc = d.data ? gnutls_x509_name_constraints_add_permitted(nc, type, &d) : GNUTLS_E_MEMORY_ERROR;
    gnutls_free(d.data);
    return rc;
}

static int permit_name(gnutls_x509_name_constraints_t nc, const char *name) {
    unsigned char bytes[16];
    char cidr[64];
    size_t n = address_of(name, bytes);

    if (!n)
        return permit(nc, GNUTLS_SAN_DNSNAME, name);
    (void)snprintf(cidr, sizeof(cidr), "%s/%d", name, n == 4 ? 32 : 128);
    return permit(nc, GNUTLS_SAN_IPADDRESS, cidr);
}

/* RFC 5280, 4.2.1.10.  A device that trusts this authority trusts it for nothing on the Internet.
 */
static int constrain(gnutls_x509_crt_t crt, const char *const *names, uint32_t n) {
    static const char *const local[] = {"localhost", "local", "internal", "home.arpa"};
    static const char *const nets[] = {"127.0.0.0/8",    "10.0.0.0/8",     "172.16.0.0/12",
                                       "192.168.0.0/16", "169.254.0.0/16", "::1/128",
                                       "fc00::/7",       "fe80::/10"};
    gnutls_x509_name_constraints_t nc;
    int rc = gnutls_x509_name_constraints_init(&nc);

    if (rc)
        return rc;
    for (size_t i = 0; i < sizeof(local) / sizeof(*local) && !rc; i++)
        rc = permit(nc, GNUTLS_SAN_DNSNAME, local[i]);
    for (size_t i = 0; i < sizeof(nets) / sizeof(*nets) && !rc; i++)
        rc = permit(nc, GNUTLS_SAN_IPADDRESS, nets[i]);
    for (uint32_t i = 0; i < n && !rc; i++)
        rc = permit_name(nc, names[i]);
    if (!rc)
        rc = gnutls_x509_crt_set_name_constraints(crt, nc, 1);
    gnutls_x509_name_constraints_deinit(nc);
    return rc;
}

static int add_name(gnutls_x509_crt_t crt, const char *name) {
    unsigned char bytes[16];
    size_t n = address_of(name, bytes);

    if (n)
        return gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, bytes, (unsigned)n,
                                                    GNUTLS_FSAN_APPEND);
    return gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, name,
                                                (unsigned)strlen(name), GNUTLS_FSAN_APPEND);
}

/* ---- certificates ---- */

static int begin(made *m, const char *common_name, atg_err *err) {
    unsigned char key_id[32];
    size_t size = sizeof(key_id);
    uuid serial;
    int rc = uuid_new(&serial, err);

    if (rc)
        return rc;
    serial.bytes[0] &= 0x7f; /* a serial number is positive */
    rc = gnutls_x509_crt_init(&m->crt);
    if (!rc)
        rc = gnutls_x509_privkey_init(&m->key);
    if (!rc)
        rc = gnutls_x509_privkey_generate(m->key, GNUTLS_PK_ECDSA,
                                          GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
    if (!rc)
        rc = gnutls_x509_crt_set_version(m->crt, 3);
    if (!rc)
        rc = gnutls_x509_crt_set_serial(m->crt, serial.bytes, sizeof(serial.bytes));
    if (!rc)
        rc = gnutls_x509_crt_set_key(m->crt, m->key);
    if (!rc)
        rc = gnutls_x509_crt_set_dn_by_oid(m->crt, GNUTLS_OID_X520_ORGANIZATION_NAME, 0, "Antigone",
                                           8);
    if (!rc)
        rc = gnutls_x509_crt_set_dn_by_oid(m->crt, GNUTLS_OID_X520_COMMON_NAME, 0, common_name,
                                           (unsigned)strlen(common_name));
    if (!rc)
        rc = gnutls_x509_crt_get_key_id(m->crt, GNUTLS_KEYID_USE_SHA256, key_id, &size);
    if (!rc)
        rc = gnutls_x509_crt_set_subject_key_id(m->crt, key_id, 20);
    return rc ? tls_fail(err, rc, "A certificate could not be made") : ATG_OK;
}

static int set_times(made *m, int64_t now, int64_t days, int64_t limit) {
    int64_t from = now / second_us - SLACK_S, to = now / second_us + days * DAY_S;
    int rc = gnutls_x509_crt_set_activation_time(m->crt, from);

    if (limit && to > limit)
        to = limit;
    return rc ? rc : gnutls_x509_crt_set_expiration_time(m->crt, to);
}

static int give(atg_arena *arena, const made *m, tls_pair *ret, atg_err *err) {
    gnutls_datum_t crt = {NULL, 0}, key = {NULL, 0};
    int rc = gnutls_x509_crt_export2(m->crt, GNUTLS_X509_FMT_PEM, &crt);

    if (!rc)
        rc = gnutls_x509_privkey_export2_pkcs8(m->key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN,
                                               &key);
    if (!rc) {
        ret->certificate = atg_arena_str(arena, (atg_str){(const char *)crt.data, crt.size}).p;
        ret->key = atg_arena_str(arena, (atg_str){(const char *)key.data, key.size}).p;
        rc = ret->certificate && ret->key ? 0 : GNUTLS_E_MEMORY_ERROR;
    }
    gnutls_free(crt.data);
    if (key.data)
        gnutls_memset(key.data, 0, key.size);
    gnutls_free(key.data);
    return rc ? tls_fail(err, rc, "A certificate could not be written") : ATG_OK;
}

int tls_make_authority(atg_arena *arena, const char *const *names, uint32_t n, int64_t now,
                       tls_pair *ret, atg_err *err) {
    MADE_AUTO m = {NULL, NULL};
    int code = begin(&m, "Antigone on this machine", err);
    int rc;

    if (code)
        return code;
    rc = set_times(&m, now, AUTHORITY_DAYS, 0);
    if (!rc)
        rc = gnutls_x509_crt_set_basic_constraints(m.crt, 1, 0);
    if (!rc)
        rc = gnutls_x509_crt_set_key_usage(m.crt, GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN);
    if (!rc)
        rc = constrain(m.crt, names, n);
    if (!rc)
        rc = gnutls_x509_crt_sign2(m.crt, m.crt, m.key, GNUTLS_DIG_SHA256, 0);
    return rc ? tls_fail(err, rc, "The certificate authority could not be made")
              : give(arena, &m, ret, err);
}

static int load(const tls_pair *pair, made *ret) {
    gnutls_datum_t crt = tls_datum(atg_str_of(pair->certificate));
    gnutls_datum_t key = tls_datum(atg_str_of(pair->key));
    int rc = gnutls_x509_crt_init(&ret->crt);

    if (!rc)
        rc = gnutls_x509_privkey_init(&ret->key);
    if (!rc)
        rc = gnutls_x509_crt_import(ret->crt, &crt, GNUTLS_X509_FMT_PEM);
    return rc ? rc : gnutls_x509_privkey_import(ret->key, &key, GNUTLS_X509_FMT_PEM);
}

/* GnuTLS signs what its own verification would refuse: ask that first, about what was written. */
static int check_allowed(const char *pem, gnutls_x509_crt_t authority, atg_err *err) {
    gnutls_datum_t d = tls_datum(atg_str_of(pem));
    MADE_AUTO m = {NULL, NULL};
    unsigned status = 0;
    int rc = gnutls_x509_crt_init(&m.crt);

    if (!rc)
        rc = gnutls_x509_crt_import(m.crt, &d, GNUTLS_X509_FMT_PEM);
    if (!rc)
        rc = gnutls_x509_crt_verify(m.crt, &authority, 1, GNUTLS_VERIFY_DISABLE_TIME_CHECKS,
                                    &status);
    if (!rc && !status)
        return ATG_OK;
    return atg_fail(err, ATG_EDENIED,
                    "The local certificate authority may not sign for one of the names: it was "
                    "made without it. Move tls/ca.pem and tls/ca.key of the store away, start "
                    "again, and install the new certificate on the devices");
}

int tls_make_certificate(atg_arena *arena, const tls_pair *authority, const char *const *names,
                         uint32_t n, int64_t now, tls_pair *ret, atg_err *err) {
    MADE_AUTO m = {NULL, NULL}, ca = {NULL, NULL};
    unsigned char key_id[64];
    size_t size = sizeof(key_id);
    int code, rc = load(authority, &ca);

    if (rc)
        return tls_fail(err, rc, "The local certificate authority cannot be read");
    code = begin(&m, names[0], err);
    if (code)
        return code;
    rc = set_times(&m, now, CERTIFICATE_DAYS, gnutls_x509_crt_get_expiration_time(ca.crt));
    if (!rc)
        rc = gnutls_x509_crt_set_basic_constraints(m.crt, 0, -1);
    if (!rc)
        rc = gnutls_x509_crt_set_key_usage(m.crt, GNUTLS_KEY_DIGITAL_SIGNATURE);
    if (!rc)
        rc = gnutls_x509_crt_set_key_purpose_oid(m.crt, GNUTLS_KP_TLS_WWW_SERVER, 0);
    for (uint32_t i = 0; i < n && !rc; i++)
        rc = add_name(m.crt, names[i]);
    if (!rc)
        rc = gnutls_x509_crt_get_subject_key_id(ca.crt, key_id, &size, NULL);
    if (!rc)
        rc = gnutls_x509_crt_set_authority_key_id(m.crt, key_id, size);
    if (!rc)
        rc = gnutls_x509_crt_sign2(m.crt, ca.crt, ca.key, GNUTLS_DIG_SHA256, 0);
    if (rc)
        return tls_fail(err, rc, "The certificate could not be signed");
    code = give(arena, &m, ret, err);
    return code ? code : check_allowed(ret->certificate, ca.crt, err);
}
