/* SPDX-License-Identifier: Apache-2.0 */
#include "bench_faiss.h"

#include <exception>
#include <memory>
#include <vector>

#include <faiss/IndexFlat.h>
#include <omp.h>

static std::unique_ptr<faiss::IndexFlatIP> flat;

bool bench_faiss_add(uint32_t dim, uint32_t n, const float *units) {
    try {
        if (!flat)
            flat = std::make_unique<faiss::IndexFlatIP>(dim);
        flat->add(n, units);
        return true;
    } catch (const std::exception &) {
        return false;
    }
}

bool bench_faiss_search(uint32_t n, const float *units, uint32_t k, float *ret) {
    try {
        std::vector<faiss::Index::idx_t> ids(static_cast<size_t>(n) * k);

        omp_set_num_threads(1);
        flat->search(n, units, k, ret, ids.data());
        return true;
    } catch (const std::exception &) {
        return false;
    }
}
