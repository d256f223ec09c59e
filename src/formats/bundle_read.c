/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "crypto/stream.h"
#include "formats/bundle_parts.h"

typedef struct reading {
    const bundle_source *from;
    uuid bundle;
    sign_public sender;
    stream *s;
    bundle_items *items;
} reading;

static int fetch(const reading *r, uint32_t number, bundle_part *ret, atg_err *err) {
    atg_str bytes;
    int rc = r->from->fetch(r->from->user, number, &bytes, err);

    if (rc == ATG_OK)
        rc = bundle_part_read(bytes, ret, err);
    if (rc == ATG_OK && ret->number != number)
        rc = atg_fail(err, ATG_EPARSE, "Part %u of this bundle is not where it should be", number);
    return rc;
}

static int refuse(uint32_t number, atg_err *err) {
    return atg_fail(err, ATG_EDENIED, "Part %u of this bundle was changed: copy it again", number);
}

/* The bundle's key, for whom it was sealed. */
static int open_key(const reading *r, const bundle_header *h, key256 *ret, atg_err *err) {
    key_id own = box_key_id(&r->from->own->pub);

    for (uint32_t i = 0; i < h->n_receivers; i++) {
        const unsigned char *p = h->receivers + (size_t)i * BUNDLE_RECEIVER;

        if (memcmp(p, own.bytes, KEY_ID) == 0)
            return box_open(r->from->own, bundle_bytes(p + KEY_ID, BUNDLE_RECEIVER - KEY_ID),
                            ret->bytes, err);
    }
    return atg_fail(err, ATG_EDENIED, "This bundle is for others, not for this site");
}

static int take(void *user, atg_str bytes, atg_err *err) {
    return bundle_items_put(user, bytes, err);
}

static int begin(reading *r, atg_err *err) {
    KEY_AUTO key256 key;
    bundle_part p;
    bundle_header h;
    char ad[BUNDLE_AD];
    int rc = fetch(r, 0, &p, err);

    if (rc == ATG_OK)
        rc = bundle_header_read(p.payload, &h, err);
    if (rc)
        return rc;
    r->bundle = p.bundle;
    r->sender = h.sender;
    if (r->from->sender && memcmp(r->from->sender->bytes, h.sender.bytes, SIGN_PUBLIC) != 0)
        return atg_fail(err, ATG_EDENIED, "This bundle was signed by somebody else");
    if (!bundle_part_check(&p, &h.sender))
        return refuse(0, err);
    rc = open_key(r, &h, &key, err);
    if (rc)
        return rc;
    return stream_open(&key, bundle_bind(&p.bundle, p.payload, ad), (stream_sink){take, r->items},
                       &r->s, err);
}

static int read_parts(reading *r, atg_err *err) {
    bundle_part p = {.last = false};

    for (uint32_t number = 1; !p.last; number++) {
        int rc = fetch(r, number, &p, err);

        if (rc)
            return rc;
        if (uuid_cmp(&p.bundle, &r->bundle) != 0)
            return atg_fail(err, ATG_EPARSE, "Part %u is of another bundle", number);
        if (!bundle_part_check(&p, &r->sender))
            return refuse(number, err);
        rc = stream_put(r->s, p.payload, err);
        if (rc)
            return rc;
    }
    return stream_end(r->s, err);
}

int bundle_read(const bundle_source *from, bundle_take *taker, void *user, atg_err *err) {
    reading r = {.from = from};
    int rc = bundle_items_new(taker, user, &r.items, err);

    if (rc == ATG_OK)
        rc = begin(&r, err);
    if (rc == ATG_OK)
        rc = read_parts(&r, err);
    if (rc == ATG_OK)
        rc = bundle_items_end(r.items, err);
    stream_free(r.s);
    bundle_items_free(r.items);
    return rc;
}
