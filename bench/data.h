/* SPDX-License-Identifier: Apache-2.0 */
/* Inputs of the benchmarks: published frequencies, and exercises made on them. */
#ifndef ATG_BENCH_DATA_H
#define ATG_BENCH_DATA_H

#include "bench.h"

#include "base/file.h"

#ifndef ATG_DATA_DIR
#define ATG_DATA_DIR "data"
#endif

/* The markers of a kit in the shipped frequencies of Norway. */
static inline uint32_t bench_markers(atg_arena *arena, const char *kit, const atg_marker **ret) {
    atg_frequencies f;
    atg_str bytes;
    atg_err err = {0};
    atg_marker *made = bench_get(arena, ATG_MARKERS_MAX, sizeof(*made));
    uint32_t n = 0;

    bench_must(
        file_read(arena, ATG_DATA_DIR "/frequencies/norway.json", ATG_INPUT_MAX, &bytes, &err),
        &err);
    bench_must(atg_frequencies_read(arena, bytes, ATG_STR("norway"), &f, NULL, &err), &err);
    for (uint32_t s = 0; s < f.n_sets; s++)
        for (uint32_t k = 0; atg_str_eq(f.sets[s].name, atg_str_of(kit)) && k < f.sets[s].n; k++)
            for (uint32_t m = 0; m < f.n_markers; m++)
                if (atg_marker_same_name(f.markers[m].name, f.sets[s].markers[k]))
                    made[n++] = f.markers[m];
    *ret = made;
    return n;
}

#endif
