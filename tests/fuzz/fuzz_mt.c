/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes are a haplotype: ranges "16024-16365" and differences, one a line.  What is accepted is in
 * order, inside its ranges, equal to itself, and reads back the same. */
#include <antigone/lineage.h>

#include <stdlib.h>

enum { MAX = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool read_position(atg_str s, uint16_t *ret) {
    uint32_t n = 0;

    for (size_t i = 0; i < s.n; i++) {
        if (i == 5 || s.p[i] < '0' || s.p[i] > '9')
            return false;
        n = n * 10 + (uint32_t)(s.p[i] - '0');
    }
    *ret = (uint16_t)n;
    return s.n > 0;
}

static bool read_range(atg_str s, struct atg_mt_range *ret) {
    return read_position(atg_str_cut(&s, '-'), &ret->from) && read_position(s, &ret->to);
}

static void require(bool x) {
    if (!x)
        abort();
}

static void check(atg_arena *arena, const atg_mt *mt) {
    atg_lineage_cmp cmp;
    atg_mt again;

    for (uint32_t i = 0; i < mt->n_ranges; i++) {
        require(mt->ranges[i].from >= 1 && mt->ranges[i].from <= mt->ranges[i].to);
        require(mt->ranges[i].to <= 16569);
        require(i == 0 || mt->ranges[i].from > mt->ranges[i - 1].to + 1);
    }
    atg_mt_compare(mt, mt, &cmp);
    require(cmp.n_steps == 0);
    require(atg_mt_parse(arena, mt->n_ranges, mt->ranges, mt->n_diffs, mt->diffs, &again, NULL) ==
            ATG_OK);
    require(again.n_ranges == mt->n_ranges && again.n_diffs == mt->n_diffs);
    for (uint32_t i = 0; i < mt->n_diffs; i++)
        require(atg_str_eq(again.diffs[i], mt->diffs[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
    atg_str rest = {(const char *)data, size}, diffs[MAX];
    struct atg_mt_range ranges[MAX];
    uint32_t n_ranges = 0, n_diffs = 0;
    atg_mt mt;

    if (!arena)
        return 0;
    while (rest.n && n_ranges < MAX && n_diffs < MAX) {
        atg_str line = atg_str_cut(&rest, '\n');

        if (read_range(line, &ranges[n_ranges]))
            n_ranges++;
        else if (line.n)
            diffs[n_diffs++] = line;
    }
    if (atg_mt_parse(arena, n_ranges, ranges, n_diffs, diffs, &mt, NULL) == ATG_OK)
        check(arena, &mt);
    return 0;
}
