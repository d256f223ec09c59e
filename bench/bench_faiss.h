/* SPDX-License-Identifier: Apache-2.0 */
/* FAISS (IndexFlatIP, fp32, exact) to measure beside, where libfaiss-dev is installed. */
#ifndef ATG_BENCH_FAISS_H
#define ATG_BENCH_FAISS_H

#include <stdbool.h>
#include <stdint.h>

#ifdef ATG_FAISS
#ifdef __cplusplus
extern "C" {
#endif
/* One index for the program's life; false when memory is short. */
bool bench_faiss_add(uint32_t dim, uint32_t n, const float *units);
/* The best k scores of each query, in `ret`; on one thread. */
bool bench_faiss_search(uint32_t n, const float *units, uint32_t k, float *ret);
#ifdef __cplusplus
}
#endif
#else
static inline bool bench_faiss_add(uint32_t dim, uint32_t n, const float *units) {
    (void)dim, (void)n, (void)units;
    return false;
}

static inline bool bench_faiss_search(uint32_t n, const float *units, uint32_t k, float *ret) {
    (void)n, (void)units, (void)k, (void)ret;
    return false;
}
#endif

#endif
