/* SPDX-License-Identifier: Apache-2.0 */
/* Long answers on their way out: whole before their first byte leaves, so that a failure is told
 * and not half a table given; in constant memory.  Short ones stay in memory, what is longer waits
 * on disk without a name, sealed under a key that is nowhere else (store/spool.h). */
#ifndef ATG_APP_OUTGOING_H
#define ATG_APP_OUTGOING_H

#include "app/cases.h"

enum { OUTGOING_TAG = 32 };

typedef struct outgoing outgoing;

int outgoing_new(cases *c, outgoing **ret, atg_err *err);
void outgoing_free(outgoing *o);
static inline void outgoing_freep(outgoing **o) {
    outgoing_free(*o);
}

/* A stream_write (crypto/stream.h).  ATG_EFULL: the disk has no room. */
int outgoing_write(void *user, atg_str bytes, atg_err *err);
/* From the start: of a closure of the store that is run again. */
void outgoing_clear(outgoing *o);

uint64_t outgoing_size(const outgoing *o);
/* `n` bytes from `at` on, which must be there. */
int outgoing_read(outgoing *o, uint64_t at, void *ret, size_t n, atg_err *err);
/* Hexadecimal digits that are other ones for every other content: an ETag. */
void outgoing_tag(const outgoing *o, char ret[OUTGOING_TAG + 1]);

#endif
