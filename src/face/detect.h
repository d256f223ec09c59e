/* SPDX-License-Identifier: Apache-2.0 */
/* What a detector's output tensors say, and what all looks at one picture say together.
 *
 * A picture is looked at several times, scaled (its long side at 320, 640, 1280 pixels) and turned
 * (by 0, 45 ... 315 degrees), because the detector knows upright faces of 45 to 360 pixels.  One
 * such look is a face_look: what goes into the network, and how to come back to the picture. */
#ifndef ATG_FACE_DETECT_H
#define ATG_FACE_DETECT_H

#include "face/align.h"

enum {
    FACE_STRIDES = 3, /* 8, 16, 32 */
    FACE_LEVELS = 3,
    FACE_TURNS = 8,
    FACE_LOOKS_MAX = FACE_LEVELS * FACE_TURNS,
    FACE_FOUND_MAX = 64, /* faces told of one picture */
};

typedef struct face_look {
    uint32_t long_side;     /* of the scaled picture: 320, 640, 1280 or the picture's own */
    uint32_t turn;          /* 0..7, in eighths of a full turn */
    uint32_t width, height; /* of the network's input, multiples of 32 */
    face_transform to;      /* from picture coordinates to the input's: for face_warp() */
} face_look;

/* The looks at a picture, small ones first and the upright one first within a level.  Levels above
 * 320 are left out where they would only enlarge.  Returns how many were written. */
uint32_t face_plan(uint32_t width, uint32_t height, face_look ret[FACE_LOOKS_MAX]);

/* The output of an anchor-free detector (YuNet: Wu, Peng & Yu 2023) for an input of width x
 * height: per stride s = 8, 16, 32 the tensors of (height / s) x (width / s) cells, row by row. */
typedef struct face_tensors {
    const float *cls[FACE_STRIDES];  /* [cell]: is it a face, 0..1 */
    const float *obj[FACE_STRIDES];  /* [cell]: is there anything, 0..1 */
    const float *bbox[FACE_STRIDES]; /* [cell][4]: centre less the cell and log size, in strides */
    const float *kps[FACE_STRIDES];  /* [cell][5][2]: landmarks less the cell, in strides */
} face_tensors;

/* A face, in picture coordinates.  Its box is turned with the look that found it. */
typedef struct face_found {
    double score; /* sqrt(cls obj), 0..1 */
    face_landmarks marks;
    face_point centre;
    double width, height; /* of the box */
    double angle;         /* of the box, radians, clockwise as seen (y points down) */
    uint32_t look;        /* the caller's number of the look */
} face_found;

typedef struct face_list {
    uint32_t n, room; /* room is the caller's, at most UINT32_MAX */
    face_found *found;
    uint32_t dropped; /* weakest ones that found no room */
} face_list;

typedef struct face_detect_options {
    double score;   /* least score: 0.6 */
    double overlap; /* boxes that share more than this (intersection over union): 0.3 */
} face_detect_options;

face_detect_options face_detect_default(void);

/* Add the faces of one look to `list`, already suppressed among themselves and in picture
 * coordinates.  Values that are not finite, and cells below the score, are passed over.
 * ATG_EINVAL when the look's size is not a multiple of 32; ATG_ENOMEM. */
int face_decode(const face_look *look, uint32_t look_number, const face_tensors *tensors,
                const face_detect_options *options, face_list *list, atg_err *err);

/* Of the faces that all looks found keep the best of each place, sorted by falling score.  Two
 * are the same face when squares of their sizes about their centres overlap (which does not depend
 * on how the look was turned). */
void face_merge(const face_detect_options *options, face_list *list);

/* The one face that is meant: the only one, or the one whose width is at least twice that of every
 * other.  -1: an operator must choose, or there is none. */
int32_t face_choose(const face_list *list);

#endif
