/* SPDX-License-Identifier: Apache-2.0 */
/* Devices that somebody was let in from: 16 random bytes and a keyed hash of them, so that only
 * what this store gave counts as an origin of its own. */
#include "app/accounts_internal.h"

#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "crypto/ready.h"

enum { RANDOM_BYTES = 16, DEVICE_BYTES = RANDOM_BYTES + HASH_SIZE };
_Static_assert(ACCOUNT_DEVICE == 2 * DEVICE_BYTES, "a device is written in hexadecimal digits");

typedef struct devising {
    cases *c;
    const actor *who;
    atg_arena *arena;
    unsigned char bytes[DEVICE_BYTES];
    char text[ACCOUNT_DEVICE + 1];
    bool good;
} devising;

static int seal(devising *w, db *d, hash256 *ret, atg_err *err) {
    KEY_AUTO key256 key = {{0}};
    hasher h;
    int rc = keys_site(d, w->c->keys, SITE_CODES, &key, err);

    if (rc)
        return rc;
    hash_begin(&h, "antigone/device/1", &key);
    hash_bytes(&h, (atg_str){(const char *)w->bytes, RANDOM_BYTES});
    *ret = hash_end(&h);
    return ATG_OK;
}

static int note(db *d, void *user, atg_err *err) {
    devising *w = user;
    char origin[ACCOUNT_DEVICE + 16];
    account_origin of;
    account_row row;
    hash256 mark;
    int rc = seal(w, d, &mark, err);

    if (rc)
        return rc;
    memcpy(w->bytes + RANDOM_BYTES, mark.bytes, HASH_SIZE);
    bytes_hex(w->bytes, DEVICE_BYTES, w->text);
    (void)snprintf(origin, sizeof(origin), "device:%s", w->text);
    rc = accounts_get(d, w->arena, &w->who->account, &row, err);
    if (!rc)
        rc = account_origin_of(w->c, d, row.name, atg_str_of(origin), &of, err);
    of.known = true;
    return rc ? rc : account_tried(d, &of, clock_now(), err);
}

int account_device(cases *c, const actor *who, char ret[ACCOUNT_DEVICE + 1], atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ACCOUNT_ARENA);
    devising w = {.c = c, .who = who, .arena = arena};
    int rc = arena ? crypto_ready(err) : atg_fail(err, ATG_ENOMEM, "Out of memory logging in");

    if (rc)
        return rc;
    randombytes_buf(w.bytes, RANDOM_BYTES);
    rc = store_write(c->s, note, &w, err);
    if (!rc)
        memcpy(ret, w.text, sizeof(w.text));
    return rc;
}

static int check(db *d, void *user, atg_err *err) {
    devising *w = user;
    hash256 mark, given;
    int rc = seal(w, d, &mark, err);

    memcpy(given.bytes, w->bytes + RANDOM_BYTES, HASH_SIZE);
    w->good = !rc && hash_eq(&mark, &given);
    return rc;
}

int account_device_is(cases *c, atg_str device, bool *ret, atg_err *err) {
    devising w = {.c = c};
    int rc = ATG_OK;

    if (bytes_from_hex(device, w.bytes, DEVICE_BYTES))
        rc = store_read(c->s, check, &w, err);
    if (!rc)
        *ret = w.good;
    return rc;
}
