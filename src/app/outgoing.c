/* SPDX-License-Identifier: Apache-2.0 */
#include "app/outgoing.h"

#include <stdio.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "crypto/hash.h"
#include "store/spool.h"

struct outgoing {
    spool *s;
    hasher h;
};

int outgoing_new(cases *c, outgoing **ret, atg_err *err) {
    const char *directory = cases_directory(c);
    outgoing *o = mem_zero(1, sizeof(*o));
    int rc;

    if (!o)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for an answer");
    hash_pieces(&o->h);
    rc = spool_scratch(*directory ? directory : P_tmpdir, &o->s, err);
    if (rc) {
        mem_free(o);
        return rc;
    }
    *ret = o;
    return ATG_OK;
}

void outgoing_free(outgoing *o) {
    if (!o)
        return;
    spool_close(o->s);
    mem_free(o);
}

int outgoing_write(void *user, atg_str bytes, atg_err *err) {
    outgoing *o = user;

    hash_piece(&o->h, bytes);
    return spool_write(o->s, bytes, err);
}

void outgoing_clear(outgoing *o) {
    hash_pieces(&o->h);
    spool_clear(o->s);
}

uint64_t outgoing_size(const outgoing *o) {
    return spool_size(o->s);
}

int outgoing_read(outgoing *o, uint64_t at, void *ret, size_t n, atg_err *err) {
    return spool_read(o->s, at, ret, n, err);
}

void outgoing_tag(const outgoing *o, char ret[OUTGOING_TAG + 1]) {
    hasher h = o->h;
    hash256 sum = hash_end(&h);

    bytes_hex(sum.bytes, OUTGOING_TAG / 2, ret);
}
