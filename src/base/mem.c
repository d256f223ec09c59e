/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include <sodium.h>

static _Thread_local long fail_after = -1;
static _Thread_local size_t refused;
static atomic_size_t live;

static bool refuse(void) {
    return fail_after >= 0 && fail_after-- == 0;
}

static void *counted(void *p) {
    if (p)
        atomic_fetch_add(&live, 1);
    else
        refused++;
    return p;
}

void *mem_alloc(size_t n) {
    return counted(refuse() ? NULL : malloc(n ? n : 1));
}

void *mem_zero(size_t count, size_t size) {
    return counted(refuse() ? NULL : calloc(count ? count : 1, size ? size : 1));
}

void *mem_grow(void *p, size_t n) {
    if (!p)
        return mem_alloc(n);

    void *q = refuse() ? NULL : realloc(p, n ? n : 1);

    refused += q == NULL;
    return q;
}

void *mem_aligned(size_t n) {
    return counted(refuse() ? NULL : aligned_alloc(64, ((n ? n : 1) + 63) & ~(size_t)63));
}

void mem_free(void *p) {
    if (p)
        atomic_fetch_sub(&live, 1);
    free(p);
}

void *mem_secret(size_t n) {
    return counted(refuse() || sodium_init() < 0 ? NULL : sodium_malloc(n));
}

void mem_secret_free(void *p) {
    if (p)
        atomic_fetch_sub(&live, 1);
    sodium_free(p);
}

void mem_fail_after(long n) {
    fail_after = n;
}

size_t mem_refused(void) {
    return refused;
}

size_t mem_live(void) {
    return atomic_load(&live);
}
