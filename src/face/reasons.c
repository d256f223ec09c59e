/* SPDX-License-Identifier: Apache-2.0 */
/* What is said of a face that is not, or not well, to be compared. */
#include "face/quality.h"

typedef struct saying {
    const char *name, *sentence;
} saying;

static const saying sayings[FACE_REASONS] = {
    [FACE_TOO_SMALL] = {"too_small", "The face is too small: take a picture from nearer, or the "
                                     "original instead of a reduced copy."},
    [FACE_BLURRED] = {"blurred", "The face is blurred: focus on the eyes, hold the camera still."},
    [FACE_TURNED] = {"turned", "The face is turned away: photograph square to it."},
    [FACE_DARK] = {"dark", "The face is too dark: use even, diffuse light."},
    [FACE_OVEREXPOSED] = {"overexposed", "The face is overexposed: no flash from the front."},
    [FACE_LOW_CONTRAST] = {"low_contrast", "The face has little contrast: look for haze, fog on "
                                           "the lens, or a faded print."},
    [FACE_EYES_COVERED] = {"eyes_covered", "The eyes are covered: take off or turn aside what "
                                           "covers them. Closed eyes are no fault."},
    [FACE_CUT_OFF] = {"cut_off", "A part of the face lies outside the picture: take the whole "
                                 "head with ears and chin."},
    [FACE_MISPLACED] = {"misplaced", "The landmarks do not lie as those of a face do: place them "
                                     "anew."},
};

const char *face_reason_name(face_reason reason) {
    return sayings[reason].name;
}

const char *face_reason_sentence(face_reason reason) {
    return sayings[reason].sentence;
}
