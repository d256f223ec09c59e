/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/chain.h"

#include <string.h>

#include "base/bytes.h"

static void add_uuid(hasher *h, const uuid *id) {
    hash_bytes(h, (atg_str){(const char *)id->bytes, UUID_SIZE});
}

chain chain_start(const uuid *file) {
    return (chain){.file = *file};
}

hash256 chain_hash(const hash256 *prev, const chain_entry *e) {
    hasher h;

    hash_begin(&h, "antigone/chain/1", NULL);
    hash_bytes(&h, (atg_str){(const char *)prev->bytes, HASH_SIZE});
    add_uuid(&h, &e->file);
    hash_number(&h, e->seq);
    hash_number(&h, (uint64_t)e->at);
    add_uuid(&h, &e->account);
    hash_bytes(&h, e->action);
    hash_bytes(&h, e->kind);
    add_uuid(&h, &e->record);
    hash_number(&h, e->rev);
    hash_bytes(&h, e->detail);
    return hash_end(&h);
}

const char *chain_fault(const chain *c, const chain_entry *e, const hash256 *prev,
                        const hash256 *hash) {
    hash256 made;

    if (uuid_cmp(&c->file, &e->file) != 0)
        return "it belongs to another file";
    if (e->seq != c->seq + 1)
        return e->seq > c->seq ? "entries before it are missing" : "its number was used before";
    if (!hash_eq(prev, &c->hash))
        return "it does not follow the entry before it, which was changed or replaced";
    made = chain_hash(prev, e);
    return hash_eq(&made, hash) ? NULL : "it was changed after it was written";
}

int chain_follow(chain *c, const chain_entry *e, const hash256 *prev, const hash256 *hash,
                 atg_err *err) {
    const char *wrong = chain_fault(c, e, prev, hash);

    if (wrong) {
        char file[UUID_TEXT + 1];

        uuid_text(&c->file, file);
        return atg_fail(err, ATG_EPARSE, "Entry %llu of the history of file %s is broken: %s",
                        (unsigned long long)e->seq, file, wrong);
    }
    c->seq = e->seq;
    c->hash = *hash;
    return ATG_OK;
}
