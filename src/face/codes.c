/* SPDX-License-Identifier: Apache-2.0 */
#include "face/codes.h"

#include <math.h>
#include <string.h>

static float scale_of(uint32_t dim, const float *x) {
    float most = 0;

    for (uint32_t i = 0; i < dim; i++)
        most = fmaxf(most, fabsf(x[i]));
    return most / FACE_CODE_MAX;
}

static int code_of(float x, float scale) {
    float steps = scale > 0 ? x / scale : 0;
    int code = (int)(steps + (steps < 0 ? -0.5F : 0.5F));

    return code > FACE_CODE_MAX ? FACE_CODE_MAX : code < -FACE_CODE_MAX ? -FACE_CODE_MAX : code;
}

/* A little more than the root, so that rounding does not make it less. */
static float upper_root(double square) {
    return (float)(sqrt(square) * (1 + 1e-6));
}

/* Put half a byte: the lower where d % 8 < 4. */
static void put_half(uint8_t *at, uint32_t d, unsigned value) {
    *at = (uint8_t)(d % 8 < 4 ? (*at & 0xf0U) | value : (*at & 0x0fU) | value << 4);
}

face_encoded face_encode(uint32_t dim, const float *unit, uint8_t *highs, uint32_t lane,
                         uint8_t *row) {
    float scale = scale_of(dim, unit);
    double coarse = 0, fine = 0;

    for (uint32_t d = 0; d < dim; d++) {
        int code = code_of(unit[d], scale);
        unsigned byte = (unsigned)(code + 128);
        double x = (double)unit[d], step = (double)scale;
        double high_left = x - step * ((byte & 0xf0U) - 120.5), left = x - step * code;

        put_half(highs + (size_t)(d / 8) * 4 * FACE_GROUP + (size_t)lane * 4 + d % 4, d, byte / 16);
        put_half(row + (size_t)(d / 8) * 4 + d % 4, d, byte % 16);
        coarse += high_left * high_left;
        fine += left * left;
    }
    return (face_encoded){scale, upper_root(coarse), upper_root(fine)};
}

void face_encode_probe(uint32_t dim, const float *unit, int8_t *codes, face_probe *ret) {
    float scale = scale_of(dim, unit);
    int8_t *paired = codes + dim;
    double lost = 0;

    memset(paired, 0, 2 * face_row_size(dim));
    ret->sum = 0;
    for (uint32_t d = 0; d < dim; d++) {
        int code = code_of(unit[d], scale);

        double left = (double)unit[d] - (double)scale * code;

        codes[d] = (int8_t)code;
        paired[d / 64 * 64 + d % 8 / 4 * 32 + d % 64 / 8 * 4 + d % 4] = (int8_t)code;
        ret->sum += code;
        lost += left * left;
    }
    ret->codes = codes;
    ret->paired = paired;
    ret->scale = scale;
    ret->residual = upper_root(lost);
}

static void multiply(const uint8_t *half, uint32_t dim, const int8_t *codes, int32_t *sums) {
    for (uint32_t t = 0; t < FACE_GROUP; t++)
        sums[t] = 0;
    for (uint32_t d = 0; d < dim; d += 8, codes += 8)
        for (uint32_t t = 0; t < FACE_GROUP; t++, half += 4)
            for (uint32_t i = 0; i < 4; i++)
                sums[t] += half[i] % 16 * codes[i] + half[i] / 16 * codes[4 + i];
}

void face_high_portable(const uint8_t *highs, uint32_t dim, uint32_t n, const face_probe *probes,
                        uint32_t *masks, int32_t (*sums)[FACE_GROUP]) {
    const face_tail *tail = face_tail_at(highs, dim);

    for (uint32_t q = 0; q < n; q++) {
        float bar = probes[q].cut - face_bound(&probes[q], tail->coarse);

        multiply(highs, dim, probes[q].codes, sums[q]);
        masks[q] = 0;
        for (uint32_t t = 0; t < FACE_GROUP; t++) {
            float score = face_coarse(&probes[q], tail->scale[t], sums[q][t]);

            masks[q] |= (uint32_t)(score >= bar) << t;
        }
    }
}

int32_t face_low_portable(const uint8_t *row, uint32_t dim, const face_probe *probe) {
    const int8_t *codes = probe->paired;
    int32_t sum = 0;

    for (size_t at = 0; at < face_row_size(dim); at += 32, row += 32, codes += 64)
        for (uint32_t i = 0; i < 32; i++)
            sum += row[i] % 16 * codes[i] + row[i] / 16 * codes[32 + i];
    return sum;
}

face_kernels face_kernels_choose(bool portable) {
#ifdef __x86_64__
    if (!portable && __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vl"))
        return (face_kernels){face_high_vnni, face_low_avx2};
    if (!portable && __builtin_cpu_supports("avx2"))
        return (face_kernels){face_high_avx2, face_low_avx2};
#endif
    (void)portable;
    return (face_kernels){face_high_portable, face_low_portable};
}
