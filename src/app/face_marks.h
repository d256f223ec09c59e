/* SPDX-License-Identifier: Apache-2.0 */
/* Landmarks and templates as the records keep them. */
#ifndef ATG_APP_FACE_MARKS_H
#define ATG_APP_FACE_MARKS_H

#include "app/faces.h"
#include "base/json.h"

/* [[x, y], ...], five points in pixels of the upright picture, in the order of face_landmarks.
 * ATG_EPARSE says what is wrong. */
int face_marks_read(atg_str text, face_landmarks *ret, atg_err *err);
void face_marks_write(json *j, const face_landmarks *marks);

/* Numbers as base64 of little-endian IEEE 754 binary32.  ATG_EDB: they are damaged. */
int face_vector_write(atg_arena *arena, const float *vector, uint32_t dim, atg_str *ret,
                      atg_err *err);
uint32_t face_vector_dim(atg_str text);
int face_vector_read(atg_str text, uint32_t dim, float *ret, atg_err *err);

/* Names of the reasons in `bits`, "too_small, blurred"; empty for none. */
atg_str face_reasons_write(atg_arena *arena, uint32_t bits);

#endif
