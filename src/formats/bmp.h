/* SPDX-License-Identifier: Apache-2.0 */
/* Windows bitmaps, which scanners and old cameras write: 1 to 32 bits a pixel, palettes, bit masks,
 * run lengths.  (MS-WMF 2.2.2, and the headers of OS/2 1.x.) */
#ifndef ATG_FORMATS_BMP_H
#define ATG_FORMATS_BMP_H

#include <antigone/base.h>

enum { BMP_SIDE = 65535 };

typedef struct bmp {
    uint32_t width, height;
    const unsigned char *rgb; /* in the arena: rows from the top, 3 bytes a pixel, no padding */
} bmp;

/* Does it begin as one does? */
bool bmp_is(atg_str bytes);

/* What is transparent becomes opaque.
 *
 * ATG_EPARSE with the byte, counted from 0: damaged, cut off, or larger in its header than in its
 * data.  ATG_EINVAL: a kind that is not read (a JPEG or PNG in a bitmap's header).  ATG_ELIMIT:
 * more than `pixels`, or longer than BMP_SIDE on a side. */
int bmp_read(atg_arena *arena, atg_str bytes, uint64_t pixels, bmp *ret, atg_err *err);

#endif
