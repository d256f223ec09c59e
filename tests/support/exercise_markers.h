/* SPDX-License-Identifier: Apache-2.0 */
/* A table of made-up markers for tests: `autosomal` of them, then one each on X and Y, then
 * amelogenin.  Ten alleles each, of which the middle ones are common; one is a microvariant. */
#ifndef ATG_TESTS_EXERCISE_MARKERS_H
#define ATG_TESTS_EXERCISE_MARKERS_H

#include <antigone/antigone.h>

enum { TABLE_ALLELES = 10 };

static inline uint32_t table_size(uint32_t autosomal) {
    return autosomal + 3;
}

static inline atg_marker table_marker(atg_str name, atg_chrom chrom) {
    static const atg_str labels[TABLE_ALLELES] = {{"8", 1},  {"9", 1},  {"9.3", 3}, {"10", 2},
                                                  {"11", 2}, {"12", 2}, {"13", 2},  {"14", 2},
                                                  {"15", 2}, {"16", 2}};
    static const double freqs[TABLE_ALLELES] = {0.01, 0.04, 0.02, 0.12, 0.21,
                                                0.24, 0.17, 0.12, 0.05, 0.02};
    static const int16_t tenths[TABLE_ALLELES] = {80, 90, 93, 100, 110, 120, 130, 140, 150, 160};
    static const atg_str xy[2] = {{"X", 1}, {"Y", 1}};
    static const double halves[2] = {0.75, 0.25};
    static const int16_t none[2] = {-1, -1};
    bool amel = chrom == ATG_CHROM_AMELOGENIN;

    return (atg_marker){.name = name,
                        .chrom = chrom,
                        .n = amel ? 2 : TABLE_ALLELES,
                        .labels = amel ? xy : labels,
                        .freqs = amel ? halves : freqs,
                        .tenths = amel ? none : tenths,
                        .silent = -1,
                        .linked_to = -1};
}

static inline atg_marker *table_markers(atg_arena *arena, uint32_t autosomal) {
    atg_marker *m = ATG_GET(arena, atg_marker, table_size(autosomal));

    if (!m)
        return NULL;
    for (uint32_t i = 0; i < autosomal; i++)
        m[i] = table_marker(atg_arena_printf(arena, "A%u", i + 1), ATG_CHROM_AUTOSOMAL);
    m[autosomal] = table_marker(ATG_STR("X1"), ATG_CHROM_X);
    m[autosomal + 1] = table_marker(ATG_STR("Y1"), ATG_CHROM_Y);
    m[autosomal + 2] = table_marker(ATG_STR("AMEL"), ATG_CHROM_AMELOGENIN);
    return m;
}

#endif
