/* SPDX-License-Identifier: Apache-2.0 */
#include "face/align.h"

#include <math.h>

/* The published figures and half a pixel. */
const face_landmarks face_template = {{{38.2946 + 0.5, 51.6963 + 0.5},
                                       {73.5318 + 0.5, 51.5014 + 0.5},
                                       {56.0252 + 0.5, 71.7366 + 0.5},
                                       {41.5493 + 0.5, 92.3655 + 0.5},
                                       {70.7299 + 0.5, 92.2041 + 0.5}}};

face_point face_map(const face_transform *t, face_point p) {
    return (face_point){t->a * p.x - t->b * p.y + t->tx, t->b * p.x + t->a * p.y + t->ty};
}

double face_scale(const face_transform *t) {
    return hypot(t->a, t->b);
}

face_transform face_invert(const face_transform *t) {
    double d = t->a * t->a + t->b * t->b;
    face_transform inverse = {t->a / d, -t->b / d, 0, 0};
    face_point origin = face_map(&inverse, (face_point){t->tx, t->ty});

    inverse.tx = -origin.x;
    inverse.ty = -origin.y;
    return inverse;
}

face_transform face_chain(const face_transform *first, const face_transform *second) {
    face_point origin = face_map(second, (face_point){first->tx, first->ty});

    return (face_transform){second->a * first->a - second->b * first->b,
                            second->b * first->a + second->a * first->b, origin.x, origin.y};
}

static face_point centre_of(const face_landmarks *marks) {
    face_point sum = {0, 0};

    for (int i = 0; i < FACE_POINTS; i++) {
        sum.x += marks->at[i].x / FACE_POINTS;
        sum.y += marks->at[i].y / FACE_POINTS;
    }
    return sum;
}

static bool all_finite(const face_landmarks *marks) {
    for (int i = 0; i < FACE_POINTS; i++)
        if (!isfinite(marks->at[i].x) || !isfinite(marks->at[i].y))
            return false;
    return true;
}

static double rms(const face_transform *t, const face_landmarks *from, const face_landmarks *to) {
    double sum = 0;

    for (int i = 0; i < FACE_POINTS; i++) {
        face_point p = face_map(t, from->at[i]);

        sum += pow(p.x - to->at[i].x, 2) + pow(p.y - to->at[i].y, 2);
    }
    return sqrt(sum / FACE_POINTS);
}

/* As complex numbers p, q about their means: the a + ib with the least sum |(a + ib) p - q|^2 is
 * sum conj(p) q / sum |p|^2. */
int face_fit(const face_landmarks *from, const face_landmarks *to, face_transform *ret,
             double *ret_rms, atg_err *err) {
    face_transform t = {0, 0, 0, 0};
    face_point p0 = centre_of(from), q0 = centre_of(to);
    double spread = 0;

    if (!all_finite(from) || !all_finite(to))
        return atg_fail(err, ATG_EINVAL, "A landmark of the face is not a number");
    for (int i = 0; i < FACE_POINTS; i++) {
        face_point p = {from->at[i].x - p0.x, from->at[i].y - p0.y};
        face_point q = {to->at[i].x - q0.x, to->at[i].y - q0.y};

        spread += p.x * p.x + p.y * p.y;
        t.a += p.x * q.x + p.y * q.y;
        t.b += p.x * q.y - p.y * q.x;
    }
    if (!isfinite(spread) || spread < 1e-6)
        return atg_fail(err, ATG_EINVAL,
                        "The landmarks of the face lie on one point or too far apart");
    t.a /= spread;
    t.b /= spread;
    if (!(face_scale(&t) > 1e-9))
        return atg_fail(err, ATG_EINVAL, "The landmarks do not lie as those of a face do");

    face_point moved = face_map(&t, p0);

    t.tx = q0.x - moved.x;
    t.ty = q0.y - moved.y;
    *ret = t;
    if (ret_rms)
        *ret_rms = rms(&t, from, to);
    return ATG_OK;
}

int face_align(const face_picture *picture, const face_landmarks *marks, uint8_t *ret,
               atg_err *err) {
    face_transform t;
    int rc = face_fit(marks, &face_template, &t, NULL, err);

    return rc ? rc : face_warp(picture, &t, FACE_SIDE, FACE_SIDE, ret, err);
}
