/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures made by libvips for tests of the worker. */
#ifndef ATG_TESTS_MADE_PICTURE_H
#define ATG_TESTS_MADE_PICTURE_H

#include "testing.h"

#include <vips/vips.h>

typedef struct quarters {
    char corner[5]; /* top left, top right, bottom left, bottom right: letters of colours */
} quarters;

static inline void colour_of(char letter, unsigned char ret[3]) {
    ret[0] = letter == 'r' || letter == 'w' ? 230 : 20;
    ret[1] = letter == 'g' || letter == 'w' ? 230 : 20;
    ret[2] = letter == 'b' || letter == 'w' ? 230 : 20;
}

/* A picture of four quarters: red, green, blue, white. */
static inline VipsImage *made_quarters(int width, int height) {
    static const char letters[] = "rgbw";
    size_t n = 3 * (size_t)width * height;
    unsigned char *p = malloc(n);
    VipsImage *im;

    assert_non_null(p);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            colour_of(letters[2 * (y >= height / 2) + (x >= width / 2)],
                      p + 3 * ((size_t)y * width + x));
    im = vips_image_new_from_memory_copy(p, n, width, height, 3, VIPS_FORMAT_UCHAR);
    free(p);
    assert_non_null(im);
    im->Type = VIPS_INTERPRETATION_sRGB;
    return im;
}

/* The letter of the colour of a pixel; '?' for none of the four. */
static inline char letter_at(VipsImage *im, int x, int y) {
    double *v = NULL;
    int n = 0;
    char found = '?';

    if (vips_getpoint(im, &v, &n, x, y, NULL))
        fail_msg("%s", vips_error_buffer());
    for (const char *l = "rgbw"; *l && n >= 3; l++) {
        unsigned char want[3];
        int near = 0;

        colour_of(*l, want);
        for (int i = 0; i < 3; i++)
            near += v[i] > want[i] - 30 && v[i] < want[i] + 30;
        if (near == 3)
            found = *l;
    }
    g_free(v);
    return found;
}

static inline quarters quarters_of(VipsImage *im) {
    int w = im->Xsize, h = im->Ysize;
    quarters q = {{letter_at(im, w / 4, h / 4), letter_at(im, w * 3 / 4, h / 4),
                   letter_at(im, w / 4, h * 3 / 4), letter_at(im, w * 3 / 4, h * 3 / 4), '\0'}};

    return q;
}

static inline VipsImage *opened(atg_str bytes) {
    VipsImage *im, *memory;

    im = vips_image_new_from_buffer(bytes.p, bytes.n, "", NULL);
    if (!im)
        fail_msg("%s", vips_error_buffer());
    memory = vips_image_copy_memory(im);
    assert_non_null(memory);
    g_object_unref(im);
    return memory;
}

#endif
