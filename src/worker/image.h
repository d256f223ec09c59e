/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures as libvips has them: nothing is decoded before somebody pulls the pixels. */
#ifndef ATG_WORKER_IMAGE_H
#define ATG_WORKER_IMAGE_H

#include <vips/vips.h>

#include "worker/work.h"

#define IMAGE_AUTO __attribute__((cleanup(image_unref))) VipsImage *

static inline void image_unref(VipsImage **im) {
    if (*im)
        g_object_unref(*im);
    *im = NULL;
}

/* What a file says of itself, checked before a pixel is made. */
typedef struct image_facts {
    worker_format format;
    uint32_t width, height; /* as stored */
    uint32_t orientation;   /* 1 to 8 */
    uint32_t frames;
    bool transparent;
} image_facts;

/* What kind is it?  ATG_EINVAL with the kind that it is, where that is known and not read. */
int image_kind(atg_str bytes, worker_format *ret, atg_err *err);

/* Check the file's structure and what it says of itself against `pixels`.  ATG_EPARSE, ATG_EINVAL,
 * ATG_ELIMIT. */
int image_look(atg_str bytes, uint64_t pixels, image_facts *ret, atg_err *err);

/* The first frame, in 8 bits of sRGB with its transparency, as stored; `shrink` (1, 2, 4, 8) is
 * what a JPEG may be made smaller by while it is read.  What is made of it must be pulled from the
 * top down, once.  A bitmap's pixels are in `arena`. */
int image_open(atg_str bytes, const image_facts *facts, uint32_t shrink, atg_arena *arena,
               VipsImage **ret, atg_err *err);

/* As EXIF counts orientations.  0, or -1 as libvips. */
int image_turn(VipsImage *in, uint32_t orientation, VipsImage **ret);
/* On white, where transparency has no place. */
int image_flatten(VipsImage *in, VipsImage **ret);

/* Fail with what libvips says. */
int image_fail(atg_err *err);

#endif
