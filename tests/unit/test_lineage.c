/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include <antigone/lineage.h>
#include <math.h>
#include <sodium.h>
#include <stdio.h>

#include "dna/mt.h"
#include "dna/rcrs.h"

static void close_to(double got, double want) {
    if (!(fabs(got - want) <= 1e-12 * (1e-3 + fabs(want))))
        fail_msg("%.17g is not %.17g", got, want);
}

static void nothing_seen_gives_the_closed_form(void **state) {
    static const uint64_t n[] = {1, 2, 10, 100, 4000, 1000000};
    static const double alpha[] = {0.5, 0.05, 0.01};

    (void)state;
    for (size_t i = 0; i < sizeof(n) / sizeof(*n); i++)
        for (size_t k = 0; k < sizeof(alpha) / sizeof(*alpha); k++) {
            double want = -expm1(log(alpha[k]) / (double)n[i]);

            close_to(atg_clopper_pearson_upper(0, n[i], alpha[k]), want);
            close_to(atg_clopper_pearson_lower(n[i], n[i], alpha[k]), 1 - want);
            close_to(atg_clopper_pearson_upper(n[i], n[i], alpha[k]), 1);
            close_to(atg_clopper_pearson_lower(0, n[i], alpha[k]), 0);
        }
    close_to(atg_clopper_pearson_upper(0, 0, 0.05), 1);
}

static void limits_are_those_of_exact_binomial_sums(void **state) {
    /* Roots of exact binomial sums in rational arithmetic: Python fractions, bisected to 70 binary
     * digits. */
    static const struct {
        uint64_t x, n;
        double alpha, lower, upper;
    } cases[] = {
        {1, 10, 0.05, 0.005116196891823701, 0.39416330243650477},
        {3, 10, 0.05, 0.0872644339141503, 0.6066242161054134},
        {9, 10, 0.05, 0.6058366975634952, 0.9948838031081763},
        {1, 101, 0.05, 0.0005077254636588664, 0.04610734992488911},
        {2, 101, 0.05, 0.003529740144162083, 0.06102210260854335},
        {5, 60, 0.01, 0.021819936807078263, 0.20408511754370803},
        {30, 60, 0.01, 0.34596114349024376, 0.6540388565097562},
        {17, 250, 0.05, 0.043787978569439334, 0.10025509167683254},
        {1, 400, 0.025, 6.32925169048572e-05, 0.013849769962013276},
        {50, 51, 0.05, 0.9103284617085715, 0.9989947547275464},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        close_to(atg_clopper_pearson_lower(cases[i].x, cases[i].n, cases[i].alpha), cases[i].lower);
        close_to(atg_clopper_pearson_upper(cases[i].x, cases[i].n, cases[i].alpha), cases[i].upper);
    }
}

static void the_reference_sequence_is_the_published_one(void **state) {
    uint32_t n[128] = {0};
    unsigned char sequence[MT_LENGTH], hash[crypto_hash_sha512_BYTES];
    char digest[64];

    (void)state;
    for (int pos = 1; pos <= MT_LENGTH; pos++) {
        sequence[pos - 1] = (unsigned char)rcrs_base((uint16_t)pos);
        n[sequence[pos - 1]]++;
    }
    assert_int_equal(n['A'], 5124);
    assert_int_equal(n['C'], 5181);
    assert_int_equal(n['G'], 2169);
    assert_int_equal(n['T'], 4094);
    assert_int_equal(n['N'], 1);
    assert_int_equal(rcrs_base(3107), 'N');
    assert_int_equal(rcrs_base(263), 'A');
    assert_int_equal(rcrs_base(16189), 'T');
    /* GA4GH's refget digest of NC_012920.1, as its tools publish it: the first 24 bytes of SHA-512.
     * The sequence has the MD5 that SAM headers give for chrM, c68f52674c9fb33aef52dcf399755519. */
    assert_int_equal(crypto_hash_sha512(hash, sequence, sizeof(sequence)), 0);
    assert_non_null(sodium_bin2base64(digest, sizeof(digest), hash, 24,
                                      sodium_base64_VARIANT_URLSAFE_NO_PADDING));
    assert_string_equal(digest, "k3grVkjY-hoWcCUojHw6VU6GE3MZ8Sct");
}

/* A haplotype from "16024-16365 73-340: 16126C 263G". */
static int read_mt(atg_arena *arena, const char *text, atg_mt *ret, atg_err *err) {
    struct atg_mt_range ranges[8];
    atg_str diffs[16], rest = atg_str_of(text), part;
    uint32_t n_ranges = 0, n_diffs = 0;

    part = atg_str_cut(&rest, ':');
    while (part.n) {
        atg_str r = atg_str_cut(&part, ' ');
        char copy[32], *dash;
        unsigned long from;

        snprintf(copy, sizeof(copy), "%.*s", ATG_FMT(r));
        from = strtoul(copy, &dash, 10);
        if (*dash == '-')
            ranges[n_ranges++] =
                (struct atg_mt_range){(uint16_t)from, (uint16_t)strtoul(dash + 1, NULL, 10)};
    }
    while (rest.n) {
        atg_str d = atg_str_cut(&rest, ' ');

        if (d.n)
            diffs[n_diffs++] = d;
    }
    return atg_mt_parse(arena, n_ranges, ranges, n_diffs, diffs, ret, err);
}

static void write_mt(const atg_mt *mt, char *ret, size_t size) {
    size_t n = 0;

    ret[0] = 0;
    for (uint32_t i = 0; i < mt->n_ranges; i++)
        n += (size_t)snprintf(ret + n, size - n, "%u-%u ", mt->ranges[i].from, mt->ranges[i].to);
    for (uint32_t i = 0; i < mt->n_diffs; i++)
        n += (size_t)snprintf(ret + n, size - n, "%.*s ", ATG_FMT(mt->diffs[i]));
}

static void haplotypes_are_checked_and_sorted(void **state) {
    static const struct {
        const char *in, *out; /* out: the haplotype, or part of the sentence when refused */
        int rc;
    } cases[] = {
        {"16024-16365 73-340: 16126C 263G", "73-340 16024-16365 263G 16126C ", ATG_OK},
        {"16024-576:", "1-576 16024-16569 ", ATG_OK},
        {"1-100 101-200 150-160:", "1-200 ", ATG_OK},
        {"1-600: A263G 315.2C 315.1C 249del", "1-600 249- 263G 315.1C 315.2C ", ATG_OK},
        {"1-600: 152Y 309.1c", "1-600 152Y 309.1c ", ATG_OK},
        {"", "", ATG_OK},
        {"1-600: 263A", "rCRS has the same", ATG_EPARSE},
        {"1-600: C263G", "not what rCRS has", ATG_EPARSE},
        {"1-600: 16126C", "outside the ranges", ATG_EPARSE},
        {": 16126C", "name the ranges", ATG_EPARSE},
        {"1-600: 263G 263C", "263 has two entries", ATG_EPARSE},
        {"1-600: 263", "one base behind", ATG_EPARSE},
        {"1-600: 263GG", "one base behind", ATG_EPARSE},
        {"1-600: 263Q", "no base", ATG_EPARSE},
        {"1-600: 249d", "\"-\" for a deletion", ATG_EPARSE},
        {"1-600: 315.0C", "from 1 to 99", ATG_EPARSE},
        {"1-600: 315.C", "from 1 to 99", ATG_EPARSE},
        {"1-600: C315.1C", "not what rCRS has", ATG_EPARSE},
        {"1-600: 16570C", "1 to 16569", ATG_EPARSE},
        {"1-600: 0C", "1 to 16569", ATG_EPARSE},
        {"1-600: 99999999999C", "1 to 16569", ATG_EPARSE},
        {"0-600:", "not within", ATG_EPARSE},
        {"1-16570:", "not within", ATG_EPARSE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
        char text[400];
        atg_err err = {0};
        atg_mt mt;

        assert_int_equal(read_mt(arena, cases[i].in, &mt, &err), cases[i].rc);
        if (!cases[i].rc)
            write_mt(&mt, text, sizeof(text));
        else
            snprintf(text, sizeof(text), "%s", err.msg);
        if (cases[i].rc ? !strstr(text, cases[i].out) : strcmp(text, cases[i].out) != 0)
            fail_msg("%s gives %s", cases[i].in, text);
    }
}

static void mtdna_is_compared_where_both_were_read(void **state) {
    static const struct {
        const char *x, *y;
        uint32_t n_compared, n_steps;
    } cases[] = {
        {"16024-16365: 16126C", "16024-16365: 16126C", 342, 0},
        {"16024-16365: 16126C", "16024-16365:", 342, 1},
        {"16024-16365: 16126C", "16024-16365: 16126G", 342, 1},
        {"16024-16365: 16126C", "73-340: 263G", 0, 0},
        {"16024-16365: 16126C 16311C", "16300-16365: 16311C", 66, 0},
        {"16024-16365 73-340: 16126C 263G", "16024-576: 16126C 16519C", 610, 1},
        {"1-600: 152Y", "1-600:", 600, 0}, /* T, as rCRS */
        {"1-600: 152Y", "1-600: 152C", 600, 0},
        {"1-600: 152R", "1-600: 152C", 600, 1},
        {"1-600: 152R", "1-600:", 600, 1},
        {"1-600: 309.1C 309.2C 315.1C", "1-600: 315.1C", 600, 0},
        {"1-600: 315.1C", "1-600:", 600, 1},
        {"1-600: 315.1c", "1-600:", 600, 0},
        {"1-600: 573.1C 573.2C 573.3C", "1-600: 309-", 600, 0},
        {"16024-16365: 16193.1C 16189C", "16024-16365: 16189C", 342, 0},
        {"16024-16365: 16189C", "16024-16365:", 342, 1},
        {"1-600: 523- 524-", "1-600:", 600, 1},
        {"1-600: 523- 524- 249-", "1-600: 152C", 600, 3},
        {"1-600: 524.1A 524.2C 524.3A 524.4C", "1-600: 524.1A 524.2C", 600, 1},
        {"1-600: 524.1A 524.2C", "1-600: 523- 524-", 600, 2},
        {"1-600: 152N", "1-600: 152C", 600, 0},
        {"3000-3200: 3107-", "3000-3200:", 201, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
        atg_lineage_cmp one, two;
        atg_mt x, y, both;

        assert_int_equal(read_mt(arena, cases[i].x, &x, NULL), ATG_OK);
        assert_int_equal(read_mt(arena, cases[i].y, &y, NULL), ATG_OK);
        atg_mt_compare(&x, &y, &one);
        atg_mt_compare(&y, &x, &two);
        if (one.n_compared != cases[i].n_compared || one.n_steps != cases[i].n_steps)
            fail_msg("%s against %s: %u of %u", cases[i].x, cases[i].y, one.n_steps,
                     one.n_compared);
        assert_memory_equal(&one, &two, sizeof(one));
        if (one.n_steps)
            continue;
        assert_int_equal(mt_union(arena, &x, &y, &both, NULL), ATG_OK);
        atg_mt_compare(&x, &both, &one);
        atg_mt_compare(&y, &both, &two);
        assert_int_equal(one.n_steps + two.n_steps, 0);
    }
}

static void two_readings_of_one_haplotype_are_put_together(void **state) {
    static const char *const cases[][3] = {
        {"16024-16365: 16126C", "73-340: 263G", "73-340 16024-16365 263G 16126C "},
        {"1-600: 152Y 263G", "1-300: 263G", "1-600 152Y 263G "},
        {"1-600: 309.1C", "1-600:", "1-600 309.1c "},
        {"", "1-600: 263G", "1-600 263G "},
        {"1-600: 152Y", "1-600: 152C", "1-600 152Y "},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        for (int turn = 0; turn < 2; turn++) {
            ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
            char text[200];
            atg_mt x, y, both;

            assert_int_equal(read_mt(arena, cases[i][turn], &x, NULL), ATG_OK);
            assert_int_equal(read_mt(arena, cases[i][!turn], &y, NULL), ATG_OK);
            assert_int_equal(mt_union(arena, &x, &y, &both, NULL), ATG_OK);
            write_mt(&both, text, sizeof(text));
            assert_string_equal(text, cases[i][2]);
        }
}

enum { YMARKERS = 5 };

static const double flat[4] = {0.25, 0.25, 0.25, 0.25};
static const atg_str y_labels[4] = {{"13", 2}, {"14", 2}, {"14.2", 4}, {"17", 2}};
static const int16_t y_tenths[4] = {130, 140, 142, 170};

static void y_steps_are_counted_by_marker(void **state) {
    static const char *const names[YMARKERS] = {"DYS391", "DYS389I", "DYS389II", "DYS385", "TH01"};
    static const struct {
        atg_geno x[YMARKERS], y[YMARKERS];
        uint32_t n_compared, n_steps, n_differ;
    } cases[] = {
#define NO {-1, -1}
        {{{0, 0}, NO, NO, {0, 1}, {0, 0}}, {{0, 0}, NO, NO, {1, 0}, {1, 1}}, 2, 0, 0},
        {{{0, 0}, NO, NO, NO, NO}, {{1, 1}, NO, NO, NO, NO}, 1, 1, 1},
        {{{0, 0}, NO, NO, NO, NO}, {{3, 3}, NO, NO, NO, NO}, 1, 4, 1},
        {{{1, 1}, NO, NO, NO, NO}, {{2, 2}, NO, NO, NO, NO}, 1, 2, 1},         /* 14 and 14.2 */
        {{{2, 2}, NO, NO, NO, NO}, {{3, 3}, NO, NO, NO, NO}, 1, 3, 1},         /* 14.2 and 17 */
        {{NO, {0, 0}, {0, 0}, NO, NO}, {NO, {1, 1}, {1, 1}, NO, NO}, 2, 1, 1}, /* one event */
        {{NO, {0, 0}, {0, 0}, NO, NO}, {NO, {0, 0}, {1, 1}, NO, NO}, 2, 1, 1},
        {{NO, NO, {0, 0}, NO, NO}, {NO, {0, 0}, {1, 1}, NO, NO}, 1, 1, 1},
        {{NO, NO, NO, {0, 1}, NO}, {NO, NO, NO, {1, 3}, NO}, 1, 4, 1},
        {{NO, NO, NO, {0, 1}, NO}, {NO, NO, NO, {0, 0}, NO}, 1, 1, 1},
        {{NO, NO, NO, {0, 1}, NO}, {NO, NO, NO, {1, -1}, NO}, 1, 0, 0},
        {{NO, NO, NO, {0, -1}, NO}, {NO, NO, NO, {1, -1}, NO}, 1, 1, 1},
    };
    atg_marker markers[YMARKERS];
    atg_operation op = {.n_markers = YMARKERS, .markers = markers};

    (void)state;
    for (int m = 0; m < YMARKERS; m++)
        markers[m] = (atg_marker){.name = atg_str_of(names[m]),
                                  .chrom = m == 4 ? ATG_CHROM_AUTOSOMAL : ATG_CHROM_Y,
                                  .n = 4,
                                  .labels = y_labels,
                                  .freqs = flat,
                                  .tenths = y_tenths,
                                  .silent = -1,
                                  .linked_to = -1};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        for (int turn = 0; turn < 2; turn++) {
            atg_lineage_cmp got;

            atg_y_compare(&op, turn ? cases[i].y : cases[i].x, turn ? cases[i].x : cases[i].y,
                          &got);
            if (got.n_compared != cases[i].n_compared || got.n_steps != cases[i].n_steps ||
                got.n_differ != cases[i].n_differ)
                fail_msg("case %zu: %u compared, %u steps, %u differ", i, got.n_compared,
                         got.n_steps, got.n_differ);
        }
}

static void lines_run_through_one_sex(void **state) {
    /* 0 grandfather, 1 grandmother, 2 uncle, 3 father, 4 mother, 5 missing son, 6 sister,
     * 7 aunt's child 8's mother is 1's daughter 7 */
    static const struct atg_mt_range all = {1, 600};
    atg_person p[] = {
        {.father = -1, .mother = -1, .sex = ATG_SEX_MALE},
        {.father = -1, .mother = -1, .sex = ATG_SEX_FEMALE},
        {.father = 0, .mother = 1, .sex = ATG_SEX_MALE},
        {.father = 0, .mother = 1, .sex = ATG_SEX_MALE},
        {.father = -1, .mother = -1, .sex = ATG_SEX_FEMALE},
        {.father = 3, .mother = 4, .sex = ATG_SEX_MALE},
        {.father = 3, .mother = 4, .sex = ATG_SEX_FEMALE},
    };
    static const atg_geno y_typed[1] = {{0, 0}};
    atg_marker marker = {.name = ATG_STR("DYS391"), .chrom = ATG_CHROM_Y, .n = 4};
    atg_family family = {.ped = {7, p}};
    atg_operation op = {.n_markers = 1, .markers = &marker, .n_families = 1, .families = &family};
    uint32_t got[7];

    (void)state;
    p[2].genos = y_typed;
    p[6].mt = (atg_mt){1, &all, 0, NULL};
    assert_int_equal(atg_lineage_relatives(&op, 0, 5, true, got), 3);
    assert_int_equal(got[0], 2); /* the typed one first */
    assert_int_equal(got[1], 0);
    assert_int_equal(got[2], 3);
    assert_int_equal(atg_lineage_relatives(&op, 0, 5, false, got), 2);
    assert_int_equal(got[0], 6);
    assert_int_equal(got[1], 4);
    assert_int_equal(atg_lineage_relatives(&op, 0, 6, true, got), 0);
}

static void reading_a_haplotype_survives_every_failed_allocation(void **state) {
    size_t before = mem_live();
    int rc = ATG_ENOMEM;

    (void)state;
    for (long k = 0; rc; k++) {
        atg_arena *arena;
        atg_mt x, y;

        mem_fail_after(k);
        arena = atg_arena_new(1 << 20);
        rc = arena ? read_mt(arena, "1-600: 263G 152C", &x, NULL) : ATG_ENOMEM;
        if (!rc)
            rc = mt_union(arena, &x, &x, &y, NULL);
        mem_fail_after(-1);
        assert_true(rc == ATG_OK || rc == ATG_ENOMEM);
        atg_arena_free(arena);
        assert_int_equal(mem_live(), before);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_seen_gives_the_closed_form),
        cmocka_unit_test(limits_are_those_of_exact_binomial_sums),
        cmocka_unit_test(the_reference_sequence_is_the_published_one),
        cmocka_unit_test(haplotypes_are_checked_and_sorted),
        cmocka_unit_test(mtdna_is_compared_where_both_were_read),
        cmocka_unit_test(two_readings_of_one_haplotype_are_put_together),
        cmocka_unit_test(y_steps_are_counted_by_marker),
        cmocka_unit_test(lines_run_through_one_sex),
        cmocka_unit_test(reading_a_haplotype_survives_every_failed_allocation),
    };
    return cmocka_run_group_tests_name("lineage", tests, NULL, NULL);
}
