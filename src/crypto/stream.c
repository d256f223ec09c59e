/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/stream.h"

#include <sodium.h>
#include <string.h>

#include "base/mem.h"
#include "crypto/hash.h"
#include "crypto/ready.h"
#include "crypto/seal.h"

enum {
    SEALED = STREAM_CHUNK + STREAM_TAG,
    PREFIX = 13,
    VERSION = 1,
    HEADER = crypto_secretstream_xchacha20poly1305_HEADERBYTES,
    MESSAGE = crypto_secretstream_xchacha20poly1305_TAG_MESSAGE,
    FINAL = crypto_secretstream_xchacha20poly1305_TAG_FINAL,
};
_Static_assert(PREFIX + HEADER == STREAM_HEADER, "as the header says");
_Static_assert((int)STREAM_TAG == (int)crypto_secretstream_xchacha20poly1305_ABYTES, "so here");

static const char magic[] = {'A', 'T', 'G', 'S', VERSION};

struct stream {
    crypto_secretstream_xchacha20poly1305_state state;
    stream_sink to;
    hash256 ad;
    key256 key; /* of a reader, until the header was there */
    bool opens;
    bool started; /* past the header */
    bool stopped;
    size_t n; /* bytes that wait in `in` */
    unsigned char in[SEALED];
    unsigned char out[SEALED];
};

static hash256 bind(const unsigned char prefix[PREFIX], atg_str ad) {
    hasher h;

    hash_begin(&h, "antigone/stream/1", NULL);
    hash_bytes(&h, (atg_str){(const char *)prefix, PREFIX});
    hash_bytes(&h, ad);
    return hash_end(&h);
}

static void make_prefix(const key256 *key, unsigned char ret[PREFIX]) {
    key_id id = key_id_of(key);

    memcpy(ret, magic, sizeof(magic));
    memcpy(ret + sizeof(magic), id.bytes, KEY_ID);
}

static int give(stream *s, const unsigned char *p, size_t n, atg_err *err) {
    return n ? s->to.write(s->to.user, (atg_str){(const char *)p, n}, err) : ATG_OK;
}

static int start(const key256 *key, atg_str ad, stream_sink to, stream **ret, atg_err *err) {
    unsigned char prefix[PREFIX];
    int rc = crypto_ready(err);
    stream *s;

    if (rc)
        return rc;
    if (ad.n == 0 || ad.n > SEAL_AD_MAX)
        return atg_fail(err, ATG_EINVAL, "What is sealed needs 1 to %d bytes of associated data",
                        (int)SEAL_AD_MAX);
    s = mem_alloc(sizeof(*s));
    if (!s)
        return atg_fail(err, ATG_ENOMEM, "Out of memory sealing or opening a stream");
    s->to = to;
    s->key = *key;
    s->opens = s->started = s->stopped = false;
    s->n = 0;
    make_prefix(key, prefix);
    s->ad = bind(prefix, ad);
    *ret = s;
    return ATG_OK;
}

int stream_seal(const key256 *key, atg_str ad, stream_sink to, stream **ret, atg_err *err) {
    unsigned char header[STREAM_HEADER];
    stream *s = NULL;
    int rc = start(key, ad, to, &s, err);

    if (rc)
        return rc;
    make_prefix(key, header);
    (void)crypto_secretstream_xchacha20poly1305_init_push(&s->state, header + PREFIX, key->bytes);
    key_wipe(&s->key);
    s->started = true;
    rc = give(s, header, sizeof(header), err);
    if (rc) {
        stream_free(s);
        return rc;
    }
    *ret = s;
    return ATG_OK;
}

int stream_open(const key256 *key, atg_str ad, stream_sink to, stream **ret, atg_err *err) {
    stream *s = NULL;
    int rc = start(key, ad, to, &s, err);

    if (rc)
        return rc;
    s->opens = true;
    *ret = s;
    return ATG_OK;
}

static int refuse(atg_err *err) {
    return atg_fail(err, ATG_EDENIED,
                    "This cannot be opened: it was changed or cut off, or it was sealed with "
                    "another key or for another place");
}

static int seal_chunk(stream *s, const unsigned char *p, size_t n, unsigned char tag,
                      atg_err *err) {
    (void)crypto_secretstream_xchacha20poly1305_push(&s->state, s->out, NULL, p, n, s->ad.bytes,
                                                     HASH_SIZE, tag);
    return give(s, s->out, n + STREAM_TAG, err);
}

/* A full chunk goes on, a shorter one ends: so the end is where it was put. */
static int open_chunk(stream *s, const unsigned char *p, size_t n, unsigned char want,
                      atg_err *err) {
    unsigned char tag = 0;

    if (n < STREAM_TAG || crypto_secretstream_xchacha20poly1305_pull(&s->state, s->out, NULL, &tag,
                                                                     p, n, s->ad.bytes, HASH_SIZE))
        return refuse(err);
    return tag == want ? give(s, s->out, n - STREAM_TAG, err) : refuse(err);
}

static int open_header(stream *s, atg_err *err) {
    unsigned char prefix[PREFIX];

    make_prefix(&s->key, prefix);
    if (memcmp(s->in, prefix, PREFIX) != 0 ||
        crypto_secretstream_xchacha20poly1305_init_pull(&s->state, s->in + PREFIX, s->key.bytes))
        return refuse(err);
    key_wipe(&s->key);
    s->started = true;
    return ATG_OK;
}

static int piece(stream *s, const unsigned char *p, atg_err *err) {
    if (!s->opens)
        return seal_chunk(s, p, STREAM_CHUNK, MESSAGE, err);
    return s->started ? open_chunk(s, p, SEALED, MESSAGE, err) : open_header(s, err);
}

int stream_put(stream *s, atg_str bytes, atg_err *err) {
    const unsigned char *p = (const unsigned char *)bytes.p;
    int rc = ATG_OK;

    if (s->stopped)
        return atg_fail(err, ATG_EINVAL, "The stream has ended or failed before");
    while (bytes.n && !rc) {
        size_t want = !s->opens ? STREAM_CHUNK : s->started ? SEALED : STREAM_HEADER;
        size_t n = bytes.n < want - s->n ? bytes.n : want - s->n;
        bool whole = n == want && s->started; /* needs no copy */

        if (!whole) {
            memcpy(s->in + s->n, p, n);
            s->n += n;
        }
        if (whole || s->n == want) {
            rc = piece(s, whole ? p : s->in, err);
            s->n = 0;
        }
        p += n;
        bytes.n -= n;
    }
    s->stopped = rc != ATG_OK;
    return rc;
}

int stream_end(stream *s, atg_err *err) {
    if (s->stopped)
        return atg_fail(err, ATG_EINVAL, "The stream has ended or failed before");
    s->stopped = true;
    if (!s->opens)
        return seal_chunk(s, s->in, s->n, FINAL, err);
    return s->started ? open_chunk(s, s->in, s->n, FINAL, err) : refuse(err);
}

void stream_free(stream *s) {
    if (!s)
        return;
    sodium_memzero(s, sizeof(*s));
    mem_free(s);
}

int stream_key(atg_str head, key_id *ret, atg_err *err) {
    if (head.n < STREAM_HEADER || memcmp(head.p, magic, sizeof(magic)) != 0)
        return atg_fail(err, ATG_EPARSE, "This was not sealed by this program, or by a newer one");
    memcpy(ret->bytes, head.p + sizeof(magic), KEY_ID);
    return ATG_OK;
}

uint64_t stream_sealed_size(uint64_t n) {
    return STREAM_HEADER + n + (n / STREAM_CHUNK + 1) * STREAM_TAG;
}
