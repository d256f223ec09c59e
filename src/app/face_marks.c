/* SPDX-License-Identifier: Apache-2.0 */
#include "app/face_marks.h"

#include <jansson.h>
#include <math.h>
#include <sodium.h>
#include <string.h>

#include "base/bytes.h"

enum { FLOAT_BYTES = 4 };

/* ---- landmarks ---- */

static bool read_number(const json_t *v, double *ret) {
    *ret = json_number_value(v);
    return json_is_number(v) && isfinite(*ret) && *ret >= -FACE_PICTURE_MAX &&
           *ret <= 2.0 * FACE_PICTURE_MAX;
}

static bool read_points(const json_t *all, face_landmarks *ret) {
    if (!json_is_array(all) || json_array_size(all) != FACE_POINTS)
        return false;
    for (size_t i = 0; i < FACE_POINTS; i++) {
        const json_t *p = json_array_get(all, i);

        if (!json_is_array(p) || json_array_size(p) != 2 ||
            !read_number(json_array_get(p, 0), &ret->at[i].x) ||
            !read_number(json_array_get(p, 1), &ret->at[i].y))
            return false;
    }
    return true;
}

int face_marks_read(atg_str text, face_landmarks *ret, atg_err *err) {
    json_t *all = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
    face_transform to;
    bool fine = read_points(all, ret);

    json_decref(all);
    if (!fine)
        return atg_fail(err, ATG_EPARSE,
                        "Landmarks are five points [x, y] in pixels of the upright picture: the "
                        "eye on the picture's left, the other eye, the tip of the nose, the corner "
                        "of the mouth on the left, the other corner");
    return face_fit(ret, &face_template, &to, NULL, err) ? ATG_EPARSE : ATG_OK;
}

void face_marks_write(json *j, const face_landmarks *marks) {
    json_array_line(j);
    for (size_t i = 0; i < FACE_POINTS; i++) {
        json_array_line(j);
        json_num(j, round(marks->at[i].x * 100) / 100);
        json_num(j, round(marks->at[i].y * 100) / 100);
        json_end(j, ']');
    }
    json_end(j, ']');
}

/* ---- templates ---- */

int face_vector_write(atg_arena *arena, const float *vector, uint32_t dim, atg_str *ret,
                      atg_err *err) {
    size_t n = (size_t)dim * FLOAT_BYTES;
    size_t size = sodium_base64_ENCODED_LEN(n, sodium_base64_VARIANT_ORIGINAL);
    unsigned char *bytes = ATG_GET(arena, unsigned char, n);
    char *text = ATG_GET(arena, char, size);

    if (!bytes || !text)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a template");
    for (uint32_t i = 0; i < dim; i++) {
        uint32_t bits;

        memcpy(&bits, &vector[i], sizeof(bits));
        for (int k = 0; k < FLOAT_BYTES; k++)
            bytes[FLOAT_BYTES * i + (uint32_t)k] = (unsigned char)(bits >> 8 * k);
    }
    (void)sodium_bin2base64(text, size, bytes, n, sodium_base64_VARIANT_ORIGINAL);
    bytes_wipe(bytes, n);
    *ret = atg_str_of(text);
    return ATG_OK;
}

uint32_t face_vector_dim(atg_str text) {
    size_t padding = text.n > 1 ? (text.p[text.n - 1] == '=') + (text.p[text.n - 2] == '=') : 0;

    return (uint32_t)((text.n / 4 * 3 - padding) / FLOAT_BYTES);
}

int face_vector_read(atg_str text, uint32_t dim, float *ret, atg_err *err) {
    unsigned char bytes[FACE_DIM_MAX * FLOAT_BYTES];
    size_t n = 0, want = (size_t)dim * FLOAT_BYTES;

    if (want > sizeof(bytes) ||
        sodium_base642bin(bytes, want, text.p, text.n, NULL, &n, NULL,
                          sodium_base64_VARIANT_ORIGINAL) ||
        n != want)
        return atg_fail(err, ATG_EDB, "A face template is damaged");
    for (uint32_t i = 0; i < dim; i++) {
        uint32_t bits = 0;

        for (int k = 0; k < FLOAT_BYTES; k++)
            bits |= (uint32_t)bytes[FLOAT_BYTES * i + (uint32_t)k] << 8 * k;
        memcpy(&ret[i], &bits, sizeof(bits));
    }
    bytes_wipe(bytes, sizeof(bytes));
    return ATG_OK;
}

atg_str face_reasons_write(atg_arena *arena, uint32_t bits) {
    atg_str all = ATG_STR("");

    for (int i = 0; i < FACE_REASONS; i++)
        if (bits >> i & 1)
            all = atg_arena_printf(arena, "%.*s%s%s", ATG_FMT(all), all.n ? ", " : "",
                                   face_reason_name((face_reason)i));
    return all;
}
