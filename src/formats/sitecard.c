/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/sitecard.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "crypto/hash.h"

enum { LINES = 6, DIGITS = 32 };

static size_t write_facts(const sitecard *c, char ret[SITECARD_MAX]) {
    char store[UUID_TEXT + 1], sign[2 * SIGN_PUBLIC + 1], box[2 * BOX_PUBLIC + 1];

    uuid_text(&c->store, store);
    bytes_hex(c->sign.bytes, SIGN_PUBLIC, sign);
    bytes_hex(c->box.bytes, BOX_PUBLIC, box);
    return (size_t)snprintf(ret, SITECARD_MAX,
                            "antigone-site/1\nstore %s\nsite %s\nsign %s\nbox %s\n", store, c->site,
                            sign, box);
}

size_t sitecard_write(const sitecard *c, const sign_pair *pair, char ret[SITECARD_MAX]) {
    unsigned char signature[SIGN_SIZE];
    char hex[2 * SIGN_SIZE + 1];
    size_t n = write_facts(c, ret);

    sign_make(pair, (atg_str){ret, n}, signature);
    bytes_hex(signature, SIGN_SIZE, hex);
    return n + (size_t)snprintf(ret + n, SITECARD_MAX - n, "signature %s\n", hex);
}

static bool valid_site(atg_str site) {
    for (size_t i = 0; i < site.n; i++)
        if (!(site.p[i] >= 'A' && site.p[i] <= 'Z') && !(site.p[i] >= '0' && site.p[i] <= '9'))
            return false;
    return site.n >= 1 && site.n <= SITECARD_SITE;
}

/* What a line says, or nothing when it does not begin with its word. */
static atg_str said(atg_str line, const char *word) {
    size_t n = strlen(word);

    return line.n > n && memcmp(line.p, word, n) == 0 && line.p[n] == ' '
               ? (atg_str){line.p + n + 1, line.n - n - 1}
               : (atg_str){NULL, 0};
}

static bool read_line(int number, atg_str line, sitecard *c, unsigned char signature[SIGN_SIZE]) {
    atg_str site;

    switch (number) {
    case 0:
        return atg_str_eq(line, ATG_STR("antigone-site/1"));
    case 1:
        return uuid_read(said(line, "store"), &c->store);
    case 2:
        site = said(line, "site");
        if (!valid_site(site))
            return false;
        memcpy(c->site, site.p, site.n);
        c->site[site.n] = '\0';
        return true;
    case 3:
        return bytes_from_hex(said(line, "sign"), c->sign.bytes, SIGN_PUBLIC);
    case 4:
        return bytes_from_hex(said(line, "box"), c->box.bytes, BOX_PUBLIC);
    default:
        return bytes_from_hex(said(line, "signature"), signature, SIGN_SIZE);
    }
}

int sitecard_read(atg_str text, sitecard *ret, atg_err *err) {
    unsigned char signature[SIGN_SIZE];
    char facts[SITECARD_MAX];
    sitecard c = {.site = ""};
    size_t n;

    text = atg_str_trim(text);
    for (int i = 0; i < LINES; i++) {
        atg_str line = atg_str_cut(&text, '\n');

        if (line.n && line.p[line.n - 1] == '\r')
            line.n--;
        if (!read_line(i, line, &c, signature))
            return atg_fail_at(err, ATG_EPARSE, (uint32_t)i + 1, 1,
                               "This is no card of a site, or it was changed");
    }
    if (text.n)
        return atg_fail_at(err, ATG_EPARSE, LINES + 1, 1, "Something follows this card of a site");
    n = write_facts(&c, facts);
    if (!sign_check(&c.sign, (atg_str){facts, n}, signature))
        return atg_fail(err, ATG_EDENIED, "This card of a site was changed: ask for it again");
    *ret = c;
    return ATG_OK;
}

static void digits_of(const sitecard *c, char ret[DIGITS + 1]) {
    hasher h;
    hash256 hash;

    hash_begin(&h, "antigone/site-card/1", NULL);
    hash_bytes(&h, (atg_str){(const char *)c->store.bytes, UUID_SIZE});
    hash_bytes(&h, atg_str_of(c->site));
    hash_bytes(&h, (atg_str){(const char *)c->sign.bytes, SIGN_PUBLIC});
    hash_bytes(&h, (atg_str){(const char *)c->box.bytes, BOX_PUBLIC});
    hash = hash_end(&h);
    bytes_hex(hash.bytes, DIGITS / 2, ret);
}

void sitecard_fingerprint(const sitecard *c, char ret[SITECARD_FINGERPRINT + 1]) {
    char digits[DIGITS + 1];
    size_t n = 0;

    digits_of(c, digits);
    for (int i = 0; i < DIGITS; i++) {
        if (i && i % 4 == 0)
            ret[n++] = ' ';
        ret[n++] = digits[i];
    }
    ret[n] = '\0';
}

bool sitecard_is(const sitecard *c, atg_str typed) {
    char digits[DIGITS + 1];
    size_t n = 0;

    digits_of(c, digits);
    for (size_t i = 0; i < typed.n; i++) {
        char x = typed.p[i];

        if (x == ' ' || x == '-' || x == '\t' || x == '\n' || x == '\r')
            continue;
        x = (char)(x >= 'A' && x <= 'F' ? x - 'A' + 'a' : x);
        if (n == DIGITS || digits[n++] != x)
            return false;
    }
    return n == DIGITS;
}
