/* SPDX-License-Identifier: Apache-2.0 */
#include "base/uuid.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/random.h>

#include "base/bytes.h"
#include "base/clock.h"

static const unsigned char places[] = {4, 2, 2, 2, 6}; /* bytes between the hyphens */

uuid uuid_make(uint64_t ms, const unsigned char random[10]) {
    uuid id;

    for (int i = 0; i < 6; i++)
        id.bytes[i] = (unsigned char)(ms >> (40 - 8 * i));
    memcpy(id.bytes + 6, random, 10);
    id.bytes[6] = (unsigned char)(0x70 | (id.bytes[6] & 0x0f));
    id.bytes[8] = (unsigned char)(0x80 | (id.bytes[8] & 0x3f));
    return id;
}

/* The next greater one: a step of 1..2^32 on the 74 bits, with a carry over the version and the
 * variant, and into the milliseconds in the end. */
static uuid step_on(const uuid *last, uint32_t step) {
    uint64_t low = bytes_get64(last->bytes + 8) & (UINT64_MAX >> 2);
    uint64_t high = (uint64_t)(last->bytes[6] & 0x0f) << 8 | last->bytes[7];
    uint64_t ms = uuid_ms(last);
    unsigned char random[10];

    low += (uint64_t)step + 1;
    high += low >> 62;
    ms += high >> 12;
    random[0] = (unsigned char)(high >> 8 & 0x0f);
    random[1] = (unsigned char)high;
    bytes_put64(random + 2, low);
    return uuid_make(ms, random);
}

static int draw(unsigned char random[10], atg_err *err) {
    ssize_t n;

    do
        n = getrandom(random, 10, 0);
    while (n < 0 && errno == EINTR);
    if (n != 10)
        return atg_fail(err, ATG_EIO, "The system gives no random numbers for a new identifier");
    return ATG_OK;
}

int uuid_new(uuid *ret, atg_err *err) {
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static uuid last;
    int64_t now = clock_now();
    unsigned char random[10];
    int rc = draw(random, err);

    if (rc)
        return rc;

    uuid id = uuid_make(now < 0 ? 0 : (uint64_t)now / 1000, random);

    (void)pthread_mutex_lock(&lock);
    if (uuid_ms(&id) <= uuid_ms(&last))
        id = step_on(&last, bytes_get32(random));
    last = id;
    (void)pthread_mutex_unlock(&lock);
    *ret = id;
    return ATG_OK;
}

void uuid_text(const uuid *id, char ret[UUID_TEXT + 1]) {
    const unsigned char *p = id->bytes;

    for (size_t i = 0; i < sizeof(places); i++) {
        bytes_hex(p, places[i], ret);
        p += places[i];
        ret += 2 * (size_t)places[i];
        *ret++ = '-';
    }
    ret[-1] = '\0';
}

bool uuid_read(atg_str s, uuid *ret) {
    unsigned char *p;
    uuid id;

    if (s.n != UUID_TEXT)
        return false;
    p = id.bytes;
    for (size_t i = 0; i < sizeof(places); i++) {
        size_t n = 2 * (size_t)places[i];

        if (!bytes_from_hex((atg_str){s.p, n}, p, places[i]))
            return false;
        if (i + 1 < sizeof(places) && s.p[n] != '-')
            return false;
        p += places[i];
        s.p += n + 1;
    }
    if (!uuid_valid(&id))
        return false;
    *ret = id;
    return true;
}

bool uuid_valid(const uuid *id) {
    return (id->bytes[6] & 0xf0) == 0x70 && (id->bytes[8] & 0xc0) == 0x80;
}

uint64_t uuid_ms(const uuid *id) {
    return bytes_get64(id->bytes) >> 16;
}

int uuid_cmp(const uuid *a, const uuid *b) {
    return memcmp(a->bytes, b->bytes, UUID_SIZE);
}

bool uuid_none(const uuid *id) {
    static const uuid none;

    return uuid_cmp(id, &none) == 0;
}
