/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "crypto/stream.h"
#include "formats/bundle_parts.h"

struct bundle_writer {
    bundle_options o;
    stream *s;
    uint32_t number;
    bool failed;
    size_t n; /* of the payload of the part that is filled */
    unsigned char part[BUNDLE_PART];
};

/* The part that was filled goes out. */
static int send_part(bundle_writer *w, bool last, atg_err *err) {
    static const unsigned char magic[] = {'A', 'T', 'G', 'B', 1};
    unsigned char message[BUNDLE_MESSAGE], *head = w->part;
    size_t n = w->n;

    if (w->number >= BUNDLE_PARTS)
        return atg_fail(err, ATG_ELIMIT, "This bundle has too many parts: make several");
    memcpy(head, magic, sizeof(magic));
    head[5] = last;
    head[6] = head[7] = 0;
    memcpy(head + 8, w->o.bundle.bytes, UUID_SIZE);
    bytes_put32(head + 24, w->number);
    bytes_put32(head + 28, (uint32_t)n);
    bundle_message(head, bundle_bytes(head + BUNDLE_HEAD, n), message);
    sign_make(w->o.sender, bundle_bytes(message, sizeof(message)), head + BUNDLE_HEAD + n);
    w->n = 0;
    return w->o.out(w->o.user, w->number++, last, bundle_bytes(head, n + BUNDLE_AROUND), err);
}

/* A full part waits for the next byte: it may be the last. */
static int sealed(void *user, atg_str bytes, atg_err *err) {
    bundle_writer *w = user;

    while (bytes.n) {
        size_t n = BUNDLE_PIECE - w->n;
        int rc = n ? ATG_OK : send_part(w, false, err);

        if (rc)
            return rc;
        n = BUNDLE_PIECE - w->n < bytes.n ? BUNDLE_PIECE - w->n : bytes.n;
        memcpy(w->part + BUNDLE_HEAD + w->n, bytes.p, n);
        w->n += n;
        bytes.p += n;
        bytes.n -= n;
    }
    return ATG_OK;
}

static int write_header(bundle_writer *w, const key256 *key, atg_err *err) {
    unsigned char *p = w->part + BUNDLE_HEAD, *start = p;

    memcpy(p, w->o.sender->pub.bytes, SIGN_PUBLIC);
    bytes_put64(p + SIGN_PUBLIC, (uint64_t)w->o.at);
    p += BUNDLE_HEADER_LEAST;
    p[-2] = (unsigned char)(w->o.n_receivers >> 8);
    p[-1] = (unsigned char)w->o.n_receivers;
    for (uint32_t i = 0; i < w->o.n_receivers; i++) {
        key_id id = box_key_id(&w->o.receivers[i]);
        int rc = box_make(&w->o.receivers[i], bundle_bytes(key->bytes, KEY_SIZE), p + KEY_ID, err);

        if (rc)
            return rc;
        memcpy(p, id.bytes, KEY_ID);
        p += BUNDLE_RECEIVER;
    }
    w->n = (size_t)(p - start);
    return ATG_OK;
}

static int start(bundle_writer *w, atg_err *err) {
    KEY_AUTO key256 key;
    char ad[BUNDLE_AD];
    atg_str bound;
    int rc = key_new(&key, err);

    if (rc == ATG_OK)
        rc = write_header(w, &key, err);
    if (rc)
        return rc;
    bound = bundle_bind(&w->o.bundle, bundle_bytes(w->part + BUNDLE_HEAD, w->n), ad);
    rc = send_part(w, false, err);
    if (rc)
        return rc;
    return stream_seal(&key, bound, (stream_sink){sealed, w}, &w->s, err);
}

int bundle_writer_new(const bundle_options *o, bundle_writer **ret, atg_err *err) {
    bundle_writer *w;
    int rc;

    if (o->n_receivers < 1 || o->n_receivers > BUNDLE_RECEIVERS)
        return atg_fail(err, ATG_EINVAL, "A bundle is for 1 to %d receivers", BUNDLE_RECEIVERS);
    if (!uuid_valid(&o->bundle))
        return atg_fail(err, ATG_EINVAL, "A bundle needs an identifier");
    w = mem_alloc(sizeof(*w));
    if (!w)
        return atg_fail(err, ATG_ENOMEM, "Out of memory writing a bundle");
    w->o = *o;
    w->s = NULL;
    w->number = 0;
    w->failed = false;
    rc = start(w, err);
    if (rc) {
        bundle_writer_free(w);
        return rc;
    }
    *ret = w;
    return ATG_OK;
}

void bundle_writer_free(bundle_writer *w) {
    if (!w)
        return;
    stream_free(w->s);
    mem_free(w);
}

static int put(bundle_writer *w, unsigned kind, atg_str bytes, atg_err *err) {
    unsigned char frame[BUNDLE_FRAME] = {(unsigned char)kind};
    int rc;

    if (w->failed)
        return atg_fail(err, ATG_EINVAL, "Writing this bundle failed before");
    if (bytes.n > BUNDLE_ITEM)
        return atg_fail(err, ATG_ELIMIT, "This is too long for a bundle: %d MiB are allowed",
                        BUNDLE_ITEM >> 20);
    bytes_put32(frame + 1, (uint32_t)bytes.n);
    rc = stream_put(w->s, bundle_bytes(frame, sizeof(frame)), err);
    return rc || !bytes.n ? rc : stream_put(w->s, bytes, err);
}

int bundle_put(bundle_writer *w, unsigned kind, atg_str bytes, atg_err *err) {
    int rc = kind > BUNDLE_END && kind <= UINT8_MAX
                 ? put(w, kind, bytes, err)
                 : atg_fail(err, ATG_EINVAL, "The kind of an item is 1 to 255");

    w->failed |= rc != ATG_OK;
    return rc;
}

int bundle_finish(bundle_writer *w, atg_err *err) {
    int rc = put(w, BUNDLE_END, (atg_str){NULL, 0}, err);

    if (rc == ATG_OK)
        rc = stream_end(w->s, err);
    if (rc == ATG_OK)
        rc = send_part(w, true, err);
    w->failed = true;
    return rc;
}
