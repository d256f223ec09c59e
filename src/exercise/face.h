/* SPDX-License-Identifier: Apache-2.0 */
/* Drawn people: who they are (traits), how they are seen, and the surfaces that are lit.
 *
 * One unit is 10 cm.  x goes to the right of the picture, y up, z towards the camera; the origin
 * is between the eyes, in the middle of the head.  Colours are linear light, 1 is white. */
#ifndef ATG_EXERCISE_FACE_H
#define ATG_EXERCISE_FACE_H

#include <antigone/pedigree.h>

#include "exercise/smooth.h"

/* What is passed on from parents to children.  face_traits.c says what each one measures. */
typedef enum face_trait {
    HEAD_WIDTH,
    FACE_WIDTH,
    FACE_LENGTH,
    FOREHEAD,
    SLOPE,
    TEMPLE,
    JAW_WIDTH,
    JAW_CORNER,
    CHIN_POINT,
    CHIN_OUT,
    CHIN_HIGH,
    CLEFT,
    CHEEKBONE,
    CHEEK,
    FLATNESS,
    FACE_OUT,
    RIDGE,
    BROW_HEIGHT,
    BROW_THICK,
    BROW_LENGTH,
    BROW_ARCH,
    BROW_TILT,
    BROW_GAP,
    BROW_DENSE,
    EYE_APART,
    EYE_WIDTH,
    EYE_OPEN,
    EYE_TILT,
    EYE_DEPTH,
    EYE_PEAK,
    LID_FOLD,
    LID_HEAVY,
    BAGS,
    IRIS_SIZE,
    NOSE_LENGTH,
    NOSE_WIDTH,
    NOSE_OUT,
    BRIDGE_WIDTH,
    BRIDGE_OUT,
    HUMP,
    TIP_SIZE,
    TIP_UP,
    NOSTRIL,
    NOSE_BEND,
    MOUTH_WIDTH,
    MOUTH_HEIGHT,
    UPPER_LIP,
    LOWER_LIP,
    BOW,
    CORNER,
    PHILTRUM,
    LIP_RED,
    LIPS_OUT,
    EAR_SIZE,
    EAR_OUT,
    EAR_LOBE,
    FOLD,
    WEIGHT,
    HAIRLINE,
    RECESSION,
    WIDOW,
    CURL,
    SKIN,
    RUDDY,
    YELLOW,
    FRECKLES,
    BEARDED,
    FACE_TRAITS,
} face_trait;

/* Deviations from the mean in standard deviations. */
typedef struct face_genes {
    float z[FACE_TRAITS];
} face_genes;

typedef enum face_hair {
    HAIR_BROWN,
    HAIR_BLACK,
    HAIR_BLOND,
    HAIR_GREY,
    HAIR_RED,
    HAIR_CURLY
} face_hair;
typedef enum face_iris { IRIS_BROWN, IRIS_BLUE, IRIS_GREEN, IRIS_GREY, IRIS_DARK } face_iris;

enum { FACE_MARKS = 6 };

typedef struct face_mark {
    float x, y, size, depth;
} face_mark;

/* One person, of one age. */
typedef struct face_person {
    float t[FACE_TRAITS]; /* in the units of the table */
    float child, old;     /* 1 at twelve or below, 0 from twenty on; 0 to fifty, 1 from eighty on */
    bool man;
    face_hair hair;
    face_iris iris;
    float length, fringe, parting, volume; /* how the hair is worn; 0..1, -1..1 for the parting */
    float beard, moustache, stubble, bald; /* 0..1 */
    uint32_t n_marks;
    face_mark marks[FACE_MARKS];
    uint64_t seed;
} face_person;

/* One photograph. */
typedef struct face_view {
    float yaw, pitch, roll; /* radians */
    float zoom, x, y;       /* about 1; shift in units */
    float light[3], ambient;
    float smile, parted, open;    /* 0..1; lips apart; eyes open */
    float pallor, livid, swollen; /* 0..1, of the dead */
    float exposure, warm, blur, noise;
    float ground[3], cloth[3];
    int collar; /* round, V, high, wide */
    uint64_t seed;
} face_view;

/* A grid of points; colours are of the surface until face_light() has lit them. */
typedef struct face_point {
    float p[3], n[3], c[3];
    float gloss, cover; /* drawn where cover > 0 */
    float u;            /* of the head: 0 in the middle of the face, +-1 at its sides */
} face_point;

typedef struct face_mesh {
    int rows, cols;
    face_point *points;
    float follow; /* share of the pose that it takes part in */
} face_mesh;

enum { FACE_ROWS = 480, FACE_COLS = 400 };

/* Room for one picture at a time. */
typedef struct face_studio {
    face_mesh mesh;
    float *raised; /* rows * cols: how much features raise the surface */
    float *around; /* the same of the neighbourhood */
    float *depth;  /* of the picture, twice as fine each way */
    float *colour; /* three each */
    uint32_t width, height;
    smooth_noise noise;
} face_studio;

/* What the picture is of, in sRGB, three bytes a pixel. */
void face_draw(face_studio *s, const face_person *who, const face_view *view, uint8_t *ret);

int face_studio_new(atg_arena *arena, uint32_t width, uint32_t height, face_studio *ret,
                    atg_err *err);

/* ---- who ---- */

void face_genes_draw(atg_rng *rng, const face_genes *kin, face_genes *ret);
void face_genes_child(atg_rng *rng, const face_genes *father, const face_genes *mother,
                      face_genes *ret);
void face_person_make(const face_genes *genes, bool man, float age, face_hair hair, face_iris iris,
                      uint64_t seed, face_person *ret);

/* Cover a colour with another: 0 not at all, 1 wholly. */
static inline void face_lay_on(float c[3], const float over[3], float share) {
    for (int k = 0; k < 3; k++)
        c[k] += (over[k] - c[k]) * share;
}

/* Linear light. */
void face_skin_colour(const face_person *who, const face_view *view, float ret[3]);
void face_hair_colour(const face_person *who, float ret[3]);

/* ---- surfaces, in the studio's mesh ---- */

void face_form(face_studio *s, const face_person *who, const face_view *view);
/* Within an ear: 1 in its middle, 0 outside; `u` as in face_point. */
float face_ear(const face_person *who, float u, float y);
void face_paint(face_studio *s, const face_person *who, const face_view *view);
void face_dress(face_studio *s, const face_person *who, const face_view *view);
void face_body(face_studio *s, const face_person *who, const face_view *view);
void face_locks(face_studio *s, const face_person *who, const face_view *view);

/* ---- light and camera ---- */

void face_ground(face_studio *s, const face_view *view);
void face_light(face_studio *s, const face_view *view);
void face_develop(face_studio *s, const face_view *view, uint8_t *ret);

#endif
