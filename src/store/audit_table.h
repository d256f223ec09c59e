/* SPDX-License-Identifier: Apache-2.0 */
/* Things of one size found by the bytes that they begin with, in the order in which they came. */
#ifndef ATG_STORE_AUDIT_TABLE_H
#define ATG_STORE_AUDIT_TABLE_H

#include <antigone/base.h>

typedef struct audit_slot {
    uint32_t hash, item; /* of the key; number of the item + 1, or 0 */
} audit_slot;

typedef struct audit_table {
    unsigned char *items; /* n of `size` bytes; they move when the table grows */
    size_t size, key;     /* of an item, and how many of its first bytes are its key */
    uint32_t n, cap;
    uint32_t next;     /* item behind the one that was asked for last */
    audit_slot *slots; /* cap_slots, a power of 2 */
    uint32_t cap_slots;
    unsigned char seed[16];
} audit_table;

/* An empty table needs no memory. */
audit_table audit_table_of(size_t size, size_t key, const unsigned char seed[16]);
void audit_table_clear(audit_table *t);

/* The item with that key, or NULL. */
void *audit_table_get(audit_table *t, const void *key);
/* The same; where there is none one is made, zero behind its key.  NULL when memory is short. */
void *audit_table_put(audit_table *t, const void *key);

static inline void *audit_table_at(const audit_table *t, uint32_t i) {
    return t->items + (size_t)i * t->size;
}
static inline uint32_t audit_table_number(const audit_table *t, const void *item) {
    return (uint32_t)((size_t)((const unsigned char *)item - t->items) / t->size);
}

#endif
