/* SPDX-License-Identifier: Apache-2.0 */
/* The one door to the heap, so that tests can make the n-th allocation fail. */
#ifndef ATG_BASE_MEM_H
#define ATG_BASE_MEM_H

#include <stddef.h>

void *mem_alloc(size_t n);
/* Room for `count * size` bytes, zeroed; NULL when that wraps or memory is short. */
void *mem_zero(size_t count, size_t size);
/* As realloc; on failure `p` stays as it was. */
void *mem_grow(void *p, size_t n);
/* 64-byte aligned; give back to mem_free(). */
void *mem_aligned(size_t n);
void mem_free(void *p);

/* For keys that are held long: on pages of their own between guard pages, kept out of swap and
 * core dumps where the system allows it, wiped when given back to mem_secret_free(). */
void *mem_secret(size_t n);
void mem_secret_free(void *p);

/* How many requests of this thread failed so far: for libraries that swallow a failure. */
size_t mem_refused(void);

/* Free the pointer that leaves scope: `MEM_AUTO double *x = mem_alloc(...)`. */
#define MEM_AUTO __attribute__((cleanup(mem_freep)))
static inline void mem_freep(void *p) {
    mem_free(*(void **)p);
}

/* Tests only: let `n` more allocations of this thread succeed and then fail one; -1 never fails. */
void mem_fail_after(long n);
size_t mem_live(void);

#endif
