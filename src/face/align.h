/* SPDX-License-Identifier: Apache-2.0 */
/* From a face in a picture to the upright square that a network reads.
 *
 * Coordinates are continuous: x to the right, y down, pixel (i, j) covers [i, i + 1) x [j, j + 1),
 * its centre is at (i + 0.5, j + 0.5), the picture is [0, width) x [0, height).  So a picture made
 * k times as large has its points at k times their coordinates. */
#ifndef ATG_FACE_ALIGN_H
#define ATG_FACE_ALIGN_H

#include <antigone/base.h>

enum {
    FACE_SIDE = 112, /* of an aligned face */
    FACE_POINTS = 5,
    FACE_PICTURE_MAX = 65535, /* longest side */
};

typedef struct face_point {
    double x, y;
} face_point;

/* In this order: the eye on the picture's left when the face is upright (the person's right eye),
 * the other eye, tip of the nose, corner of the mouth on the picture's left, the other corner. */
typedef struct face_landmarks {
    face_point at[FACE_POINTS];
} face_landmarks;

/* Where the landmarks stand in an aligned face (Deng et al. 2019, ArcFace; the published figures
 * count from the centre of the first pixel, so half a pixel is added). */
extern const face_landmarks face_template;

/* x' = a x - b y + tx, y' = b x + a y + ty: turned by atan2(b, a), scaled by hypot(a, b). */
typedef struct face_transform {
    double a, b, tx, ty;
} face_transform;

face_point face_map(const face_transform *t, face_point p);
double face_scale(const face_transform *t);
/* `t` must not shrink everything to a point. */
face_transform face_invert(const face_transform *t);
/* First `first`, then `second`. */
face_transform face_chain(const face_transform *first, const face_transform *second);

/* The similarity transform without reflection that brings `from` nearest to `to` in the sense of
 * least squares (Umeyama 1991; in two dimensions a closed form).  `ret_rms`, if not NULL, is the
 * root mean square distance that is left, in units of `to`.  ATG_EINVAL: a coordinate that is not
 * a finite number, or landmarks that all but coincide. */
int face_fit(const face_landmarks *from, const face_landmarks *to, face_transform *ret,
             double *ret_rms, atg_err *err);

/* 8 bits a channel, sRGB, interleaved RGB; rows `stride` bytes apart. */
typedef struct face_picture {
    const uint8_t *rgb;
    uint32_t width, height;
    size_t stride;
} face_picture;

/* The picture as seen through `to`, which maps its coordinates to those of the result: width x
 * height pixels, RGB, rows without gaps, into the caller's `ret` (3 width height bytes).  What
 * lies outside the picture is black.  Where `to` shrinks, each pixel is a weighted mean over the
 * area that it stands for, so nothing aliases; where it enlarges, bilinear.  Values are averaged
 * as stored (as the networks' training does).  An upright part (to->b == 0) is made smaller in one
 * pass over the picture; for many turned looks at one picture, shrink it upright first and turn
 * what comes out.  ATG_EINVAL, ATG_ENOMEM. */
int face_warp(const face_picture *picture, const face_transform *to, uint32_t width,
              uint32_t height, uint8_t *ret, atg_err *err);

/* face_fit() to the template and face_warp() at once: FACE_SIDE x FACE_SIDE. */
int face_align(const face_picture *picture, const face_landmarks *marks, uint8_t *ret,
               atg_err *err);

#endif
