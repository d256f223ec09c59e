/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file antigone/portrait.h
 * Pictures for an exercise: the faces of people who do not exist, as their families would give them
 * and as a mortuary would photograph them.  docs/exercise.md says how they are drawn.
 *
 * Nothing of a person who lives or lived is in them: a face is drawn from the numbers of a seed.
 * They serve to try out what handles photographs.  No accuracy of anything is measured on them,
 * and nothing is calibrated on them.
 */
#ifndef ATG_PORTRAIT_H
#define ATG_PORTRAIT_H

#include <antigone/exercise.h>

enum {
    ATG_PORTRAIT_AM = 3,       /**< Pictures of each missing person. */
    ATG_PORTRAIT_WIDTH = 320,  /**< Pixels. */
    ATG_PORTRAIT_HEIGHT = 400, /**< Pixels. */
};

/** One picture: of a missing person in life, or of the remains that a sample is of. */
typedef struct atg_portrait {
    bool dead;       /**< PM: `sample` counts; else AM: `missing` and `view`. */
    uint32_t sample; /**< Index in the operation's samples. */
    int32_t missing; /**< Index of the missing; of the dead too, -1 for nobody on the list. */
    uint32_t view;   /**< 0 as for a document, 1 and 2 as taken by the family; 0 of the dead. */
} atg_portrait;

/** All pictures of an exercise; `op` and `truth` are the caller's and stay. */
typedef struct atg_portraits {
    const atg_operation *op;
    const atg_truth *truth;
    uint32_t n;
    const atg_portrait *list; /**< AM by missing and view, then PM by sample. */
} atg_portraits;

/**
 * Say which pictures there are: ATG_PORTRAIT_AM of each missing person, and one of each body.  Of a
 * body in parts one part has the face; parts that nobody on the list left and nobody put together
 * have none.  ATG_EINVAL when the operation is none that atg_exercise_make() made.
 */
ATG_API ATG_MUST_USE int atg_portraits_plan(atg_arena *arena, const atg_operation *op,
                                            const atg_truth *truth, atg_portraits *ret,
                                            atg_err *err);

/** Room to draw in, one for each thread. */
typedef struct atg_easel atg_easel;
ATG_API ATG_MUST_USE int atg_easel_new(atg_easel **ret, atg_err *err);
ATG_API void atg_easel_free(atg_easel *easel);
static inline void atg_easel_freep(atg_easel **p) {
    atg_easel_free(*p);
}

/**
 * Draw picture `i` of the list.  `ret` gets ATG_PORTRAIT_WIDTH * ATG_PORTRAIT_HEIGHT pixels by
 * rows from above, three bytes each (sRGB red, green, blue); they are the easel's, until it draws
 * the next.  The same exercise gives the same bytes on every machine whose float and double are
 * those of IEEE 754 and are rounded at each step: nothing but + - * / and the square root is used.
 */
ATG_API ATG_MUST_USE int atg_portrait_draw(atg_easel *easel, const atg_portraits *all, uint32_t i,
                                           const uint8_t **ret, atg_err *err);

/** The name of the file of picture `i`: AM/<missing>-<view + 1>.jpg or PM/<sample>.jpg. */
ATG_API ATG_MUST_USE int atg_portrait_name(const atg_portraits *all, uint32_t i, char *ret,
                                           size_t size, atg_err *err);

/** Append a picture of these many pixels (1 to 65,535 each way) as a JPEG: baseline, 4:4:4, ISO/IEC
 *  10918-1, quality 90 in the usual scale. */
ATG_API ATG_MUST_USE int atg_portrait_jpeg(const uint8_t *rgb, uint32_t width, uint32_t height,
                                           atg_buf *buf, atg_err *err);

/** The list of pictures, antigone-portraits/1: by missing person and by sample.  Whose remains
 *  they are is the truth's to say, and is not in it. */
ATG_API ATG_MUST_USE int atg_portraits_write_json(const atg_portraits *all, atg_buf *buf,
                                                  atg_err *err);

#endif
