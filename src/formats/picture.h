/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures without what they tell about the camera, the place and the hour: JPEG, PNG, WebP. */
#ifndef ATG_FORMATS_PICTURE_H
#define ATG_FORMATS_PICTURE_H

#include <antigone/base.h>

enum { PICTURE_MAX = 512 << 20, PICTURE_SIDE = 65535 };

typedef enum picture_format { PICTURE_JPEG, PICTURE_PNG, PICTURE_WEBP } picture_format;

typedef struct picture {
    picture_format format;
    uint32_t width, height; /* as stored, before `orientation` */
    uint32_t orientation;   /* 1..8, as EXIF counts them; 1: upright */
    atg_str bytes;          /* in the arena */
} picture;

/* Take off everything that is not needed to draw the picture: EXIF but for the orientation, which
 * stands in a minimal EXIF of its own when it is not 1, XMP, IPTC, colour profiles, comments,
 * thumbnails, texts, times, private and unknown parts, and what follows the end.  The structure is
 * checked, the image data themselves are not decoded and stay as they are.  Stripping again changes
 * nothing.
 *
 * ATG_EPARSE with the byte, counted from 0: damaged or cut off.  ATG_EINVAL: another format, or a
 * kind of it that is not accepted (arithmetic, lossless and hierarchical JPEG; animations).
 * ATG_ELIMIT: longer than PICTURE_MAX bytes or PICTURE_SIDE pixels. */
int picture_strip(atg_arena *arena, atg_str bytes, picture *ret, atg_err *err);

/* Does it begin as one of these formats does? */
bool picture_is(atg_str bytes);

#endif
