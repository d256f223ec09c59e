/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "store/audit_file.h"

enum { ROOM = AUDIT_BLOCK_HEAD + AUDIT_BLOCK_MAX, FULL = 64 << 10 };

typedef struct exporter {
    stream_sink to;
    audit_part part;
    uint64_t counts[AUDIT_PARTS];
    size_t n;
    unsigned char buf[FULL + ROOM];
} exporter;

static int flush(exporter *x, atg_err *err) {
    size_t n = x->n;

    x->n = 0;
    return n ? x->to.write(x->to.user, (atg_str){(const char *)x->buf, n}, err) : ATG_OK;
}

static int take_row(void *user, const audit_row *row, atg_err *err) {
    exporter *x = user;
    unsigned char *block = x->buf + x->n;
    size_t n;

    if (x->part == AUDIT_TREE && row->text.n > TREE_SAVED_MAX)
        return atg_fail(err, ATG_EDENIED, "The stored state of the audit tree is damaged");
    n = audit_block_write(x->part, row, block + AUDIT_BLOCK_HEAD);
    block[0] = (unsigned char)audit_types[x->part];
    bytes_put32(block + 1, (uint32_t)n);
    x->n += AUDIT_BLOCK_HEAD + n;
    x->counts[x->part]++;
    return x->n >= FULL ? flush(x, err) : ATG_OK;
}

static int put_end(exporter *x, atg_err *err) {
    unsigned char *block = x->buf + x->n;

    block[0] = 'Z';
    bytes_put32(block + 1, AUDIT_END - AUDIT_BLOCK_HEAD);
    for (int i = 0; i < AUDIT_PARTS; i++)
        bytes_put64(block + AUDIT_BLOCK_HEAD + 8 * (size_t)i, x->counts[i]);
    x->n += AUDIT_END;
    return flush(x, err);
}

int audit_export_from(audit_run *run, stream_sink to, atg_err *err) {
    exporter *x = mem_alloc(sizeof(*x));
    int rc = ATG_OK;

    if (!x)
        return atg_fail(err, ATG_ENOMEM, "Out of memory exporting the history");
    x->to = to;
    memset(x->counts, 0, sizeof(x->counts));
    memcpy(x->buf, audit_magic, AUDIT_MAGIC);
    x->n = AUDIT_MAGIC;
    for (x->part = 0; rc == ATG_OK && x->part < AUDIT_PARTS; x->part++)
        rc = audit_scan(run, x->part, true, take_row, x, err);
    if (rc == ATG_OK)
        rc = put_end(x, err);
    mem_free(x);
    return rc;
}

int audit_export(db *d, stream_sink to, const atg_progress *progress, atg_err *err) {
    audit_rows rows = {.d = d};
    audit_source source = audit_source_of(&rows);
    audit_run run = {
        .source = &source, .threads = 1, .phase = "exporting the history", .progress = progress};
    int rc = db_limit(d, 0, NULL, err);

    return rc ? rc : audit_export_from(&run, to, err);
}
