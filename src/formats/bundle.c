/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/bundle.h"

#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "formats/bundle_parts.h"

enum {
    VERSION = 1,
    LAST = 1,
    SMALLEST = 4096, /* memory for an item */
    AT_BUNDLE = 8,
    AT_NUMBER = 24,
    AT_LENGTH = 28,
    AT_INSTANT = SIGN_PUBLIC,
    AT_COUNT = AT_INSTANT + 8,
};
_Static_assert(AT_LENGTH + 4 == BUNDLE_HEAD, "as the header says");
_Static_assert(AT_COUNT + 2 == BUNDLE_HEADER_LEAST, "as the header says");

static const char domain[] = "antigone/bundle-part/1";
_Static_assert(sizeof(domain) - 1 + HASH_SIZE == BUNDLE_MESSAGE, "so there");

void bundle_message(const unsigned char *head, atg_str payload, unsigned char ret[BUNDLE_MESSAGE]) {
    hasher h;
    hash256 hash;

    hash_begin(&h, domain, NULL);
    hash_bytes(&h, bundle_bytes(head, BUNDLE_HEAD));
    hash_bytes(&h, payload);
    hash = hash_end(&h);
    memcpy(ret, domain, sizeof(domain) - 1);
    memcpy(ret + sizeof(domain) - 1, hash.bytes, HASH_SIZE);
}

atg_str bundle_bind(const uuid *bundle, atg_str header, char ret[BUNDLE_AD]) {
    static const char name[] = "antigone/bundle/1";
    hash256 hash = hash_of(header, NULL);
    size_t n = sizeof(name) - 1;

    memcpy(ret, name, n);
    memcpy(ret + n, bundle->bytes, UUID_SIZE);
    memcpy(ret + n + UUID_SIZE, hash.bytes, HASH_SIZE);
    return (atg_str){ret, n + UUID_SIZE + HASH_SIZE};
}

/* ---- parts ---- */

static bool length_fits(const bundle_part *p) {
    if (p->number == 0)
        return !p->last && p->payload.n >= BUNDLE_HEADER_LEAST + BUNDLE_RECEIVER &&
               p->payload.n <= BUNDLE_HEADER_LEAST + BUNDLE_RECEIVERS * BUNDLE_RECEIVER;
    return p->last ? p->payload.n > 0 && p->payload.n <= BUNDLE_PIECE
                   : p->payload.n == BUNDLE_PIECE;
}

int bundle_part_read(atg_str bytes, bundle_part *ret, atg_err *err) {
    static const unsigned char magic[] = {'A', 'T', 'G', 'B', VERSION};
    const unsigned char *head = (const unsigned char *)bytes.p;
    size_t n = bytes.n < sizeof(magic) ? bytes.n : sizeof(magic);
    bundle_part p = {.head = head};

    if (n && memcmp(head, magic, n) != 0)
        return atg_fail(err, ATG_EPARSE, "This is no part of a bundle");
    if (bytes.n < BUNDLE_HEAD)
        return atg_fail(err, ATG_ENOTFOUND, "This part of a bundle is cut off");
    memcpy(p.bundle.bytes, head + AT_BUNDLE, UUID_SIZE);
    p.number = bytes_get32(head + AT_NUMBER);
    p.last = head[5] & LAST;
    p.payload = bundle_bytes(head + BUNDLE_HEAD, bytes_get32(head + AT_LENGTH));
    if ((head[5] & ~LAST) || head[6] || head[7] || !uuid_valid(&p.bundle) ||
        p.number >= BUNDLE_PARTS || !length_fits(&p))
        return atg_fail(err, ATG_EPARSE, "This is no part of a bundle, or it is damaged");
    if (bytes.n - BUNDLE_HEAD < p.payload.n + SIGN_SIZE)
        return atg_fail(err, ATG_ENOTFOUND, "Part %u of this bundle is cut off", p.number);
    p.signature = head + BUNDLE_HEAD + p.payload.n;
    *ret = p;
    return ATG_OK;
}

bool bundle_part_check(const bundle_part *p, const sign_public *sender) {
    unsigned char message[BUNDLE_MESSAGE];

    bundle_message(p->head, p->payload, message);
    return sign_check(sender, bundle_bytes(message, sizeof(message)), p->signature);
}

int bundle_header_read(atg_str payload, bundle_header *ret, atg_err *err) {
    const unsigned char *p = (const unsigned char *)payload.p;
    bundle_header h;

    if (payload.n < BUNDLE_HEADER_LEAST)
        return atg_fail(err, ATG_EPARSE, "The header of this bundle is damaged");
    memcpy(h.sender.bytes, p, SIGN_PUBLIC);
    h.at = (int64_t)bytes_get64(p + AT_INSTANT);
    h.n_receivers = (uint32_t)p[AT_COUNT] << 8 | p[AT_COUNT + 1];
    h.receivers = p + BUNDLE_HEADER_LEAST;
    if (h.n_receivers == 0 || h.n_receivers > BUNDLE_RECEIVERS ||
        payload.n != BUNDLE_HEADER_LEAST + (size_t)h.n_receivers * BUNDLE_RECEIVER)
        return atg_fail(err, ATG_EPARSE, "The header of this bundle is damaged");
    *ret = h;
    return ATG_OK;
}

bool bundle_is_for(const bundle_header *h, const box_public *receiver) {
    key_id id = box_key_id(receiver);

    for (uint32_t i = 0; i < h->n_receivers; i++)
        if (memcmp(h->receivers + (size_t)i * BUNDLE_RECEIVER, id.bytes, KEY_ID) == 0)
            return true;
    return false;
}

/* ---- items ---- */

struct bundle_items {
    bundle_take *take;
    void *user;
    unsigned char *p; /* of the item that is not whole yet, with its frame */
    size_t n, cap;
    bool ended;
};

int bundle_items_new(bundle_take *take, void *user, bundle_items **ret, atg_err *err) {
    bundle_items *i = mem_zero(1, sizeof(*i));

    if (!i)
        return atg_fail(err, ATG_ENOMEM, "Out of memory reading a bundle");
    i->take = take;
    i->user = user;
    *ret = i;
    return ATG_OK;
}

void bundle_items_free(bundle_items *i) {
    if (!i)
        return;
    bytes_wipe(i->p, i->cap);
    mem_free(i->p);
    mem_free(i);
}

/* Memory that held personal data is wiped before it is given back: so no mem_grow(). */
static int room(bundle_items *i, size_t want, atg_err *err) {
    size_t cap = i->cap ? i->cap : SMALLEST;
    unsigned char *p;

    if (want <= i->cap)
        return ATG_OK;
    while (cap < want)
        cap *= 2;
    p = mem_alloc(cap);
    if (!p)
        return atg_fail(err, ATG_ENOMEM, "Out of memory reading a bundle");
    if (i->n)
        memcpy(p, i->p, i->n);
    bytes_wipe(i->p, i->cap);
    mem_free(i->p);
    i->p = p;
    i->cap = cap;
    return ATG_OK;
}

/* Take over up to `upto` bytes of the item in all. */
static int fill(bundle_items *i, atg_str *rest, size_t upto, atg_err *err) {
    size_t n = upto - i->n < rest->n ? upto - i->n : rest->n;
    int rc = room(i, i->n + n, err);

    if (rc || n == 0)
        return rc;
    memcpy(i->p + i->n, rest->p, n);
    i->n += n;
    rest->p += n;
    rest->n -= n;
    return ATG_OK;
}

int bundle_items_put(bundle_items *i, atg_str bytes, atg_err *err) {
    while (bytes.n) {
        size_t n;
        int rc;

        if (i->ended)
            return atg_fail(err, ATG_EPARSE, "Something follows the end of this bundle");
        rc = i->n < BUNDLE_FRAME ? fill(i, &bytes, BUNDLE_FRAME, err) : ATG_OK;
        if (rc || i->n < BUNDLE_FRAME)
            return rc;
        n = bytes_get32(i->p + 1);
        if (n > BUNDLE_ITEM)
            return atg_fail(err, ATG_ELIMIT, "An item of this bundle is longer than %d MiB",
                            BUNDLE_ITEM >> 20);
        rc = fill(i, &bytes, BUNDLE_FRAME + n, err);
        if (rc || i->n < BUNDLE_FRAME + n)
            return rc;
        i->ended = i->p[0] == BUNDLE_END;
        i->n = 0;
        rc = i->take(i->user, i->p[0], bundle_bytes(i->p + BUNDLE_FRAME, n), err);
        if (rc)
            return rc;
    }
    return ATG_OK;
}

int bundle_items_end(const bundle_items *i, atg_err *err) {
    return i->ended && i->n == 0 ? ATG_OK
                                 : atg_fail(err, ATG_EPARSE, "The end of this bundle is missing");
}
