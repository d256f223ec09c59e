/* SPDX-License-Identifier: Apache-2.0 */
#include "store/keyring.h"

#include <pthread.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"

enum {
    SLAB_BITS = 12,
    SLAB = 1 << SLAB_BITS, /* entries that memory is asked for at a time */
    SLABS = KEYRING_MAX / SLAB,
    BUCKETS = KEYRING_MAX,
    VIEWS = 64, /* transactions whose view is remembered: more than there are connections */
    NONE = 0,   /* as an entry: there is none */
};

/* Entries are numbered from 1.  Free ones are linked by `next`. */
typedef struct entry {
    uuid id;
    key_of of;
    uint32_t next;         /* of its bucket */
    uint32_t older, newer; /* by use */
    uint64_t stretch;      /* 0: committed */
} entry;

/* `seen.erasures` counts committed ones; a transaction that sees others too uses nothing. */
typedef struct looked {
    uint64_t stretch;
    key_view seen;
} looked;

struct keyring {
    pthread_mutex_t lock;
    key256 *master; /* secret memory */
    uint32_t n, free, oldest, newest;
    entry *entries[SLABS];
    person_keys *keys[SLABS]; /* secret memory */
    uint32_t buckets[BUCKETS];
    uint64_t seed;
    looked views[VIEWS];
    uint64_t foreseen; /* the stretch that was last to look ahead */
    int64_t erasures;  /* what is remembered is without those up to this one; -1: look first */
    int64_t erasing;   /* the least number that may not be committed; 0: none */
};

static const db_statement last_erasure = {"last_erasure", "SELECT coalesce(max(n), 0) FROM erased"};
static const db_statement new_erasures = {"new_erasures", "SELECT person FROM erased WHERE n > $1"};

int keyring_open(const key256 *master, keyring **ret, atg_err *err) {
    keyring *k = mem_zero(1, sizeof(*k));

    if (k)
        k->master = mem_secret(sizeof(*k->master));
    if (!k || !k->master) {
        mem_free(k);
        return atg_fail(err, ATG_ENOMEM, "Out of memory for keys");
    }
    *k->master = *master;
    k->seed = (uintptr_t)k * 0x9e3779b97f4a7c15U;
    k->erasures = -1;
    pthread_mutex_init(&k->lock, NULL);
    *ret = k;
    return ATG_OK;
}

void keyring_close(keyring *k) {
    if (!k)
        return;
    for (int i = 0; i < SLABS; i++) {
        mem_free(k->entries[i]);
        mem_secret_free(k->keys[i]);
    }
    pthread_mutex_destroy(&k->lock);
    mem_secret_free(k->master);
    mem_free(k);
}

void keyring_master(keyring *k, key256 *ret) {
    pthread_mutex_lock(&k->lock);
    *ret = *k->master;
    pthread_mutex_unlock(&k->lock);
}

void keyring_adopt(keyring *k, const key256 *to) {
    pthread_mutex_lock(&k->lock);
    *k->master = *to;
    pthread_mutex_unlock(&k->lock);
}

/* ---- the table, under the lock ---- */

static entry *at(const keyring *k, uint32_t i) {
    return &k->entries[(i - 1) >> SLAB_BITS][(i - 1) & (SLAB - 1)];
}

static person_keys *keys_at(const keyring *k, uint32_t i) {
    return &k->keys[(i - 1) >> SLAB_BITS][(i - 1) & (SLAB - 1)];
}

static uint32_t *bucket_of(keyring *k, key_of of, const uuid *id) {
    uint64_t a = bytes_get64(id->bytes), b = bytes_get64(id->bytes + 8);
    uint64_t h = (a ^ k->seed ^ (uint64_t)of) * 0x9fb21c651e98df25U;

    h = (h ^ (h >> 32) ^ b) * 0x9fb21c651e98df25U;
    return &k->buckets[(h >> 32) & (BUCKETS - 1)];
}

static uint32_t find(keyring *k, key_of of, const uuid *id) {
    uint32_t i = *bucket_of(k, of, id);

    while (i && (at(k, i)->of != of || uuid_cmp(&at(k, i)->id, id) != 0))
        i = at(k, i)->next;
    return i;
}

static void unlink_use(keyring *k, uint32_t i) {
    const entry *e = at(k, i);

    *(e->older ? &at(k, e->older)->newer : &k->oldest) = e->newer;
    *(e->newer ? &at(k, e->newer)->older : &k->newest) = e->older;
}

static void link_use(keyring *k, uint32_t i) {
    entry *e = at(k, i);

    e->older = k->newest;
    e->newer = NONE;
    *(k->newest ? &at(k, k->newest)->newer : &k->oldest) = i;
    k->newest = i;
}

static void drop(keyring *k, uint32_t i) {
    entry *e = at(k, i);
    uint32_t *link = bucket_of(k, e->of, &e->id);

    while (*link != i)
        link = &at(k, *link)->next;
    *link = e->next;
    unlink_use(k, i);
    bytes_wipe(keys_at(k, i), sizeof(person_keys));
    e->next = k->free;
    k->free = i;
}

static bool add_slab(keyring *k) {
    uint32_t slab = k->n >> SLAB_BITS;

    if (slab >= SLABS)
        return false;
    k->entries[slab] = mem_zero(SLAB, sizeof(entry));
    k->keys[slab] = k->entries[slab] ? mem_secret(SLAB * sizeof(person_keys)) : NULL;
    if (!k->keys[slab]) {
        mem_free(k->entries[slab]);
        k->entries[slab] = NULL;
        return false;
    }
    k->n += SLAB;
    for (uint32_t i = k->n; i > k->n - SLAB; i--) {
        at(k, i)->next = k->free;
        k->free = i;
    }
    return true;
}

/* An entry that is free, or was the one that nobody used for the longest time. */
static uint32_t take(keyring *k) {
    uint32_t i;

    if (!k->free && !add_slab(k) && k->oldest)
        drop(k, k->oldest);
    i = k->free;
    if (i)
        k->free = at(k, i)->next;
    return i;
}

/* ---- what the others call ---- */

/* Does the entry count for this transaction? */
static bool counts(entry *e, const db *d) {
    if (e->stretch && e->stretch == db_committed(d))
        e->stretch = 0;
    return !e->stretch || e->stretch == db_stretch(d);
}

bool keyring_look(keyring *k, const db *d, key_of of, const uuid *id, person_keys *ret) {
    bool found = false;
    uint32_t i;

    pthread_mutex_lock(&k->lock);
    i = find(k, of, id);
    if (i && counts(at(k, i), d)) {
        *ret = *keys_at(k, i);
        unlink_use(k, i);
        link_use(k, i);
        found = true;
    }
    pthread_mutex_unlock(&k->lock);
    return found;
}

static void put(keyring *k, const db *d, key_of of, const uuid *id, const person_keys *keys) {
    uint32_t *bucket = bucket_of(k, of, id), i = find(k, of, id);

    if (i)
        drop(k, i);
    i = take(k);
    if (!i)
        return;
    *at(k, i) = (entry){.id = *id, .of = of, .next = *bucket};
    if (db_mode_of(d) == DB_WRITE)
        at(k, i)->stretch = db_stretch(d);
    *keys_at(k, i) = *keys;
    *bucket = i;
    link_use(k, i);
}

void keyring_put(keyring *k, const db *d, const key_view *view, key_of of, const uuid *id,
                 const person_keys *keys) {
    pthread_mutex_lock(&k->lock);
    /* somebody may have been erased since this transaction's snapshot */
    if (!view || (view->use && view->erasures == k->erasures))
        put(k, d, of, id, keys);
    pthread_mutex_unlock(&k->lock);
}

void keyring_drop(keyring *k, key_of of, const uuid *id) {
    uint32_t i;

    pthread_mutex_lock(&k->lock);
    i = find(k, of, id);
    if (i)
        drop(k, i);
    pthread_mutex_unlock(&k->lock);
}

void keyring_forget(keyring *k, const uuid *person) {
    keyring_drop(k, KEY_OF_PERSON, person);
}

/* ---- erasures ---- */

static bool known_view(keyring *k, uint64_t stretch, key_view *ret) {
    const looked *v = &k->views[stretch % VIEWS];
    bool known;

    pthread_mutex_lock(&k->lock);
    known = stretch && v->stretch == stretch;
    if (known)
        *ret = v->seen;
    pthread_mutex_unlock(&k->lock);
    return known;
}

/* `last` is the last erasure that the transaction sees.  Under the lock. */
static void note_view(keyring *k, const db *d, int64_t last, key_view *ret) {
    looked v = {.stretch = db_stretch(d), .seen = {.use = true, .erasures = last}};

    if (k->erasing && last >= k->erasing) {
        /* numbers are given in the order of commits, so those before it are there for good */
        v.seen.use = db_mode_of(d) != DB_WRITE;
        if (v.seen.use)
            k->erasing = 0;
        else
            v.seen.erasures = k->erasing - 1;
    }
    if (v.seen.erasures > k->erasures)
        k->erasures = v.seen.erasures;
    if (v.stretch)
        k->views[v.stretch % VIEWS] = v;
    *ret = v.seen;
}

/* Those who were erased are forgotten before anybody hears that they are. */
static int take_note(keyring *k, const db *d, int64_t last, db_rows *erased, key_view *ret,
                     atg_err *err) {
    int rc = ATG_OK;

    pthread_mutex_lock(&k->lock);
    while (erased && (rc = db_next(erased, err)) > 0) {
        atg_str person = db_get_blob(erased, 0);
        uuid id = {{0}};
        uint32_t i;

        memcpy(id.bytes, person.p, person.n == UUID_SIZE ? UUID_SIZE : 0);
        i = find(k, KEY_OF_PERSON, &id);
        if (i)
            drop(k, i);
    }
    if (rc == ATG_OK)
        note_view(k, d, last, ret);
    pthread_mutex_unlock(&k->lock);
    return rc;
}

void keyring_foresee_view(keyring *k, db *d) {
    key_view view;

    uint64_t stretch = db_stretch(d);
    bool first;

    if (known_view(k, stretch, &view))
        return;
    pthread_mutex_lock(&k->lock);
    first = k->foreseen != stretch;
    k->foreseen = stretch;
    pthread_mutex_unlock(&k->lock);
    if (first)
        db_foresee(d, &last_erasure, NULL, 0);
}

int keyring_view(keyring *k, db *d, key_view *ret, atg_err *err) {
    db_rows *erased = NULL;
    int64_t last = 0, known;
    int rc;

    if (known_view(k, db_stretch(d), ret))
        return ATG_OK;
    rc = db_get_one(d, &last_erasure, NULL, 0, 0, &last, err);
    if (rc)
        return rc;
    pthread_mutex_lock(&k->lock);
    known = k->erasures;
    pthread_mutex_unlock(&k->lock);
    if (known >= 0 && last > known)
        rc = db_query(d, &new_erasures, (db_value[]){db_int(known)}, 1, &erased, err);
    if (rc == ATG_OK)
        rc = take_note(k, d, last, erased, ret, err);
    db_end(erased);
    return rc;
}

void keyring_erasing(keyring *k, const db *d, int64_t n) {
    looked *v = &k->views[db_stretch(d) % VIEWS];

    pthread_mutex_lock(&k->lock);
    if (!k->erasing || n < k->erasing)
        k->erasing = n;
    if (v->stretch == db_stretch(d))
        v->stretch = 0;
    pthread_mutex_unlock(&k->lock);
}
