/* SPDX-License-Identifier: Apache-2.0 */
/* Rows as bytes.  An entry is kept as the very bytes that are hashed (crypto/chain.h, hash.h), and
 * the hash behind them. */
#include <string.h>

#include "base/bytes.h"
#include "store/audit_file.h"

const char audit_magic[AUDIT_MAGIC + 1] = "antigone/audit/1\n";
const char audit_types[AUDIT_PARTS + 1] = "TCELPRF";

static const char domain[] = "antigone/chain/1";

/* ---- writing ---- */

typedef struct pen {
    unsigned char *p;
    size_t n;
} pen;

static void put(pen *w, const void *p, size_t n) {
    if (n)
        memcpy(w->p + w->n, p, n);
    w->n += n;
}

static void put_number(pen *w, uint64_t x) {
    bytes_put64(w->p + w->n, x);
    w->n += 8;
}

static void item(pen *w, char kind, uint64_t x) {
    put(w, &kind, 1);
    put_number(w, x);
}

static void bytes_item(pen *w, const void *p, size_t n) {
    item(w, 'b', n);
    put(w, p, n);
}

static void write_entry(pen *w, const audit_row *row) {
    const chain_entry *e = &row->e;

    bytes_item(w, domain, sizeof(domain) - 1);
    bytes_item(w, row->prev.bytes, HASH_SIZE);
    bytes_item(w, e->file.bytes, UUID_SIZE);
    item(w, 'n', e->seq);
    item(w, 'n', (uint64_t)e->at);
    bytes_item(w, e->account.bytes, UUID_SIZE);
    bytes_item(w, e->action.p, e->action.n);
    bytes_item(w, e->kind.p, e->kind.n);
    bytes_item(w, e->record.bytes, UUID_SIZE);
    item(w, 'n', e->rev);
    bytes_item(w, e->detail.p, e->detail.n);
    put(w, row->hash.bytes, HASH_SIZE);
}

size_t audit_block_write(audit_part part, const audit_row *row, unsigned char *ret) {
    pen w = {.n = 0};

    w.p = ret;
    if (part == AUDIT_TREE || part == AUDIT_CHECKPOINTS || part == AUDIT_LEAVES)
        put_number(&w, (uint64_t)row->n);
    if (part == AUDIT_CHECKPOINTS)
        put_number(&w, (uint64_t)row->e.at);
    if (part == AUDIT_ENTRIES)
        write_entry(&w, row);
    if (part == AUDIT_RECORDS)
        put(&w, row->e.record.bytes, UUID_SIZE);
    if (part == AUDIT_LEAVES || part == AUDIT_PENDING || part == AUDIT_RECORDS ||
        part == AUDIT_CODES)
        put(&w, row->e.file.bytes, UUID_SIZE);
    if (part == AUDIT_LEAVES || part == AUDIT_PENDING) {
        put_number(&w, row->e.seq);
        put(&w, row->hash.bytes, HASH_SIZE);
    }
    if (part == AUDIT_RECORDS) {
        const char *name = record_types[row->kind].name;

        put_number(&w, row->e.rev);
        put(&w, name, strlen(name));
    }
    if (part == AUDIT_TREE || part == AUDIT_CHECKPOINTS || part == AUDIT_CODES)
        put(&w, row->text.p, row->text.n);
    return w.n;
}

/* ---- reading: each false when the bytes are not there ---- */

static bool take(atg_str *from, void *to, size_t n) {
    if (from->n < n)
        return false;
    memcpy(to, from->p, n);
    from->p += n;
    from->n -= n;
    return true;
}

static bool take_number(atg_str *from, uint64_t *ret) {
    unsigned char bytes[8];

    if (!take(from, bytes, sizeof(bytes)))
        return false;
    *ret = bytes_get64(bytes);
    return true;
}

static bool take_signed(atg_str *from, int64_t *ret) {
    uint64_t x;

    if (!take_number(from, &x))
        return false;
    *ret = (int64_t)x;
    return true;
}

static bool take_item(atg_str *from, char kind, uint64_t *ret) {
    char found;

    return take(from, &found, 1) && found == kind && take_number(from, ret);
}

static bool take_text(atg_str *from, size_t most, atg_str *ret) {
    uint64_t n;

    if (!take_item(from, 'b', &n) || n > most || n > from->n)
        return false;
    *ret = (atg_str){from->p, (size_t)n};
    from->p += n;
    from->n -= (size_t)n;
    return true;
}

static bool take_fixed(atg_str *from, void *ret, size_t n) {
    atg_str s;

    if (!take_text(from, n, &s) || s.n != n)
        return false;
    memcpy(ret, s.p, n);
    return true;
}

static bool read_entry(atg_str from, audit_row *r) {
    chain_entry *e = &r->e;
    char begins[sizeof(domain) - 1];
    uint64_t at = 0;
    bool good =
        take_fixed(&from, begins, sizeof(begins)) && memcmp(begins, domain, sizeof(begins)) == 0 &&
        take_fixed(&from, r->prev.bytes, HASH_SIZE) &&
        take_fixed(&from, e->file.bytes, UUID_SIZE) && take_item(&from, 'n', &e->seq) &&
        take_item(&from, 'n', &at) && take_fixed(&from, e->account.bytes, UUID_SIZE) &&
        take_text(&from, AUDIT_WORD, &e->action) && take_text(&from, AUDIT_WORD, &e->kind) &&
        take_fixed(&from, e->record.bytes, UUID_SIZE) && take_item(&from, 'n', &e->rev) &&
        take_text(&from, AUDIT_DETAIL, &e->detail) && take(&from, r->hash.bytes, HASH_SIZE) &&
        from.n == 0;

    e->at = (int64_t)at;
    return good;
}

static bool read_record(atg_str from, audit_row *r) {
    bool good = take(&from, r->e.record.bytes, UUID_SIZE) &&
                take(&from, r->e.file.bytes, UUID_SIZE) && take_number(&from, &r->e.rev);
    int kind = good ? record_kind_of(from) : -1;

    if (kind < 0)
        return false;
    r->kind = (record_kind)kind;
    return true;
}

static bool read_leaf(audit_part part, atg_str from, audit_row *r) {
    return (part == AUDIT_PENDING || take_signed(&from, &r->n)) &&
           take(&from, r->e.file.bytes, UUID_SIZE) && take_number(&from, &r->e.seq) &&
           take(&from, r->hash.bytes, HASH_SIZE) && from.n == 0;
}

static bool rest(atg_str from, size_t most, audit_row *r) {
    r->text = from;
    return from.n <= most;
}

bool audit_block_read(audit_part part, atg_str bytes, audit_row *ret) {
    *ret = (audit_row){.n = 0};
    switch (part) {
    case AUDIT_TREE:
        return take_signed(&bytes, &ret->n) && rest(bytes, TREE_SAVED_MAX, ret);
    case AUDIT_CHECKPOINTS:
        return take_signed(&bytes, &ret->n) && take_signed(&bytes, &ret->e.at) &&
               rest(bytes, CHECKPOINT_MAX, ret);
    case AUDIT_ENTRIES:
        return read_entry(bytes, ret);
    case AUDIT_LEAVES:
    case AUDIT_PENDING:
        return read_leaf(part, bytes, ret);
    case AUDIT_RECORDS:
        return read_record(bytes, ret);
    case AUDIT_CODES:
        return take(&bytes, ret->e.file.bytes, UUID_SIZE) && rest(bytes, AUDIT_WORD, ret);
    case AUDIT_PARTS:
        break;
    }
    return false;
}
