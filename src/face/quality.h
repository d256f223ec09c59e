/* SPDX-License-Identifier: Apache-2.0 */
/* Is a face good enough to be compared, and if not, why not.  Thresholds and where they come from:
 * docs/face.md.  Closed eyes, lividity and swelling are usual in the dead and are no reason. */
#ifndef ATG_FACE_QUALITY_H
#define ATG_FACE_QUALITY_H

#include "face/align.h"

typedef enum face_reason {
    FACE_TOO_SMALL,
    FACE_BLURRED,
    FACE_TURNED,
    FACE_DARK,
    FACE_OVEREXPOSED,
    FACE_LOW_CONTRAST,
    FACE_EYES_COVERED,
    FACE_CUT_OFF,   /* part of it lies outside the picture */
    FACE_MISPLACED, /* the landmarks do not lie as those of a face do */
    FACE_REASONS,
} face_reason;

typedef struct face_quality {
    uint32_t refused;        /* bit 1 << reason: not to be compared */
    uint32_t cautions;       /* the same: may be compared, the result is less reliable */
    double eye_distance;     /* pixels of the picture */
    double sharpness;        /* see docs/face.md */
    double yaw, pitch, roll; /* degrees; yaw > 0: turned to the picture's right, pitch > 0: up,
                                roll > 0: clockwise as seen */
    double brightness;       /* of the face, 0..255: 5 % are brighter (so skin may be dark) */
    double burnt;            /* share of the face that is white */
    double contrast;         /* standard deviation over the face, share of its brightness */
    double eyes[2];          /* texture of each eye's place, see docs/face.md */
    double outside;          /* share of the aligned square outside the picture */
    double misfit;           /* root mean square distance of the landmarks, share of eye distance */
} face_quality;

/* `aligned` is what face_align() made of `picture` with `marks`.  ATG_EINVAL as face_fit(). */
int face_assess(const face_picture *picture, const face_landmarks *marks, const uint8_t *aligned,
                face_quality *ret, atg_err *err);

/* A name for programs ("too_small") and a sentence for people, which says what to do. */
const char *face_reason_name(face_reason reason);
const char *face_reason_sentence(face_reason reason);

#endif
