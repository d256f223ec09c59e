/* SPDX-License-Identifier: Apache-2.0 */
#include "server/known.h"

#include <pthread.h>
#include <string.h>

#include "app/accounts.h"
#include "base/mem.h"

enum { SETS = 2048, WAYS = 4, KEPT = 16 };

typedef struct place {
    unsigned char hash[KEPT];
    uint64_t used; /* 0: empty */
} place;

struct known_tokens {
    pthread_mutex_t lock;
    uint64_t turn;
    place sets[SETS][WAYS];
};

int known_open(known_tokens **ret, atg_err *err) {
    known_tokens *k = mem_zero(1, sizeof(*k));

    if (!k)
        return atg_fail(err, ATG_ENOMEM, "Out of memory starting the service");
    pthread_mutex_init(&k->lock, NULL);
    *ret = k;
    return ATG_OK;
}

void known_close(known_tokens *k) {
    if (!k)
        return;
    pthread_mutex_destroy(&k->lock);
    mem_free(k);
}

/* Under the lock: the place of a token, or NULL; `ret_set` is where it belongs. */
static place *find(known_tokens *k, const hash256 *h, place **ret_set) {
    place *set = k->sets[(h->bytes[HASH_SIZE - 1] << 8 | h->bytes[HASH_SIZE - 2]) % SETS];

    *ret_set = set;
    for (int i = 0; i < WAYS; i++)
        if (set[i].used && memcmp(set[i].hash, h->bytes, KEPT) == 0)
            return &set[i];
    return NULL;
}

void known_add(known_tokens *k, atg_str token) {
    hash256 h = account_token_hash(token);
    place *set, *p;

    pthread_mutex_lock(&k->lock);
    p = find(k, &h, &set);
    if (!p) {
        p = set;
        for (int i = 1; i < WAYS; i++)
            if (set[i].used < p->used)
                p = &set[i];
        memcpy(p->hash, h.bytes, KEPT);
    }
    p->used = ++k->turn;
    pthread_mutex_unlock(&k->lock);
}

bool known_is(known_tokens *k, atg_str token) {
    hash256 h = account_token_hash(token);
    place *set;
    bool is;

    pthread_mutex_lock(&k->lock);
    is = find(k, &h, &set) != NULL;
    pthread_mutex_unlock(&k->lock);
    return is;
}

void known_remove(known_tokens *k, atg_str token) {
    hash256 h = account_token_hash(token);
    place *set, *p;

    pthread_mutex_lock(&k->lock);
    p = find(k, &h, &set);
    if (p)
        *p = (place){.used = 0};
    pthread_mutex_unlock(&k->lock);
}
