/* SPDX-License-Identifier: Apache-2.0 */
/* What the formats of picture.c share. */
#ifndef ATG_FORMATS_PICTURE_PARTS_H
#define ATG_FORMATS_PICTURE_PARTS_H

#include "formats/picture.h"

enum { PICTURE_EXIF = 26, PICTURE_UPRIGHT = 1 };

/* A picture being written: the parts that stay, in their order, behind room for a head that is
 * known only at the end. */
typedef struct picture_out {
    unsigned char *p;
    size_t head, n; /* the room, and what was written with it */
} picture_out;

/* No part grows, so that `in` bytes and the head are enough. */
int picture_begin(atg_arena *arena, size_t head, size_t in, picture_out *ret, atg_err *err);
void picture_keep(picture_out *out, const void *p, size_t n);
/* Put `n` bytes, at most `head`, right before what was written: the whole picture. */
atg_str picture_finish(const picture_out *out, const unsigned char *head, size_t n);

/* Always ATG_EPARSE. */
int picture_bad(atg_err *err, size_t at, const char *what);

static inline const unsigned char *picture_at(atg_str in, size_t at) {
    return (const unsigned char *)in.p + at;
}

/* The orientation that an EXIF block (from its byte order on) tells, PICTURE_UPRIGHT when it tells
 * none that can be read. */
uint32_t picture_orientation(atg_str exif);
/* A block that tells nothing else. */
void picture_exif(uint32_t orientation, unsigned char ret[PICTURE_EXIF]);

int picture_strip_jpeg(atg_arena *arena, atg_str in, picture *ret, atg_err *err);
int picture_strip_png(atg_arena *arena, atg_str in, picture *ret, atg_err *err);
int picture_strip_webp(atg_arena *arena, atg_str in, picture *ret, atg_err *err);

#endif
