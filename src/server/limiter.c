/* SPDX-License-Identifier: Apache-2.0 */
#include "server/limiter.h"

#include <pthread.h>
#include <string.h>

#include "base/mem.h"
#include "base/uuid.h"

enum { SETS = 4096, WAYS = 4 };

typedef struct bucket {
    unsigned char key[LIMITER_KEY];
    int64_t at; /* 0: empty place */
    double tokens;
} bucket;

struct limiter {
    pthread_mutex_t lock;
    double rate, burst;
    uuid salt; /* nobody outside knows who shares a set */
    bucket sets[SETS][WAYS];
};

int limiter_open(uint32_t rate, uint32_t burst, limiter **ret, atg_err *err) {
    limiter *l = mem_zero(1, sizeof(*l));
    int rc = l ? uuid_new(&l->salt, err)
               : atg_fail(err, ATG_ENOMEM, "Out of memory starting the service");

    if (rc) {
        mem_free(l);
        return rc;
    }
    l->rate = rate;
    l->burst = burst;
    pthread_mutex_init(&l->lock, NULL);
    *ret = l;
    return ATG_OK;
}

void limiter_close(limiter *l) {
    if (!l)
        return;
    pthread_mutex_destroy(&l->lock);
    mem_free(l);
}

static uint32_t set_of(const limiter *l, const unsigned char *key) {
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    for (int i = 0; i < UUID_SIZE; i++)
        h = (h ^ l->salt.bytes[i]) * UINT64_C(0x100000001b3);
    for (int i = 0; i < LIMITER_KEY; i++)
        h = (h ^ key[i]) * UINT64_C(0x100000001b3);
    return (uint32_t)(h >> 32) % SETS;
}

static bucket *find(limiter *l, const unsigned char *key, int64_t now) {
    bucket *set = l->sets[set_of(l, key)], *oldest = set;

    for (int i = 0; i < WAYS; i++) {
        if (set[i].at && memcmp(set[i].key, key, LIMITER_KEY) == 0)
            return &set[i];
        if (set[i].at < oldest->at)
            oldest = &set[i];
    }
    memcpy(oldest->key, key, LIMITER_KEY);
    oldest->at = now ? now : 1;
    oldest->tokens = l->burst;
    return oldest;
}

limiter_state limiter_take(limiter *l, const unsigned char key[LIMITER_KEY], uint32_t n,
                           int64_t now) {
    limiter_state s = {.limit = (uint32_t)l->burst};
    double wanted = n ? n : 1;
    bucket *b;

    pthread_mutex_lock(&l->lock);
    b = find(l, key, now);
    if (now > b->at) {
        b->tokens += (double)(now - b->at) * 1e-6 * l->rate;
        b->tokens = b->tokens > l->burst ? l->burst : b->tokens;
        b->at = now;
    }
    s.allowed = b->tokens >= wanted;
    if (s.allowed)
        b->tokens -= n;
    else
        s.wait_s = (uint32_t)((wanted - b->tokens) / l->rate) + 1;
    s.left = (uint32_t)b->tokens;
    pthread_mutex_unlock(&l->lock);
    return s;
}
