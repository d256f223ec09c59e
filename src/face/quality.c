/* SPDX-License-Identifier: Apache-2.0 */
#include "face/quality.h"

#include <math.h>
#include <string.h>

enum { PIXELS = FACE_SIDE * FACE_SIDE, WHITE = 250, EYE_X = 9, EYE_Y = 5, BRIGHT_PERCENT = 95 };

/* From which value on there is a caution and a refusal; below, where `below` is set. */
typedef struct limit {
    const char *name, *sentence;
    double caution, refusal;
    bool below;
} limit;

static const limit limits[FACE_REASONS] = {
    [FACE_TOO_SMALL] = {"too_small",
                        "The face is too small: take the photograph from nearer, or upload the "
                        "original instead of a reduced copy.",
                        30, 12, true},
    [FACE_BLURRED] = {"blurred",
                      "The face is blurred: hold the camera still, focus on the eyes, use light.",
                      0.025, 0.01, true},
    [FACE_TURNED] = {"turned", "The face is turned away: photograph it from straight in front.", 20,
                     40, false},
    [FACE_DARK] = {"dark", "The face is too dark: use more light, from both sides.", 75, 50, true},
    [FACE_OVEREXPOSED] = {"overexposed",
                          "Parts of the face are white: use less light, or no flash from near.",
                          0.08, 0.25, false},
    [FACE_LOW_CONTRAST] = {"low_contrast",
                           "The face has almost no contrast: wipe the lens, avoid haze and glare.",
                           0.08, 0.05, true},
    [FACE_EYES_COVERED] = {"eyes_covered",
                           "The eyes are covered: take off glasses, cloth or bars; closed eyes are "
                           "no hindrance.",
                           0.15, 0.06, true},
    [FACE_CUT_OFF] = {"cut_off", "Part of the face lies outside the picture.", 0.08, 0.25, false},
    [FACE_MISPLACED] = {"misplaced",
                        "The marks of eyes, nose and mouth do not lie as those of a face do: place "
                        "them again.",
                        0.2, 0.3, false},
};

const char *face_reason_name(face_reason reason) {
    return reason < FACE_REASONS ? limits[reason].name : "";
}

const char *face_reason_sentence(face_reason reason) {
    return reason < FACE_REASONS ? limits[reason].sentence : "";
}

/* Brightness, and the same smoothed by 1 2 1 along rows and columns. */
typedef struct greys {
    float plain[PIXELS], smooth[PIXELS];
} greys;

static size_t clamped(size_t i, int step) {
    long at = (long)i + step;

    return at < 0 ? 0 : at >= FACE_SIDE ? FACE_SIDE - 1 : (size_t)at;
}

static void make_greys(const uint8_t *rgb, greys *g) {
    static const float weights[3] = {0.25F, 0.5F, 0.25F};

    for (size_t i = 0; i < PIXELS; i++)
        g->plain[i] = 0.299F * (float)rgb[3 * i] + 0.587F * (float)rgb[3 * i + 1] +
                      0.114F * (float)rgb[3 * i + 2];
    for (size_t y = 0; y < FACE_SIDE; y++)
        for (size_t x = 0; x < FACE_SIDE; x++) {
            float sum = 0;

            for (int k = 0; k < 9; k++)
                sum += weights[k / 3] * weights[k % 3] *
                       g->plain[clamped(y, k / 3 - 1) * FACE_SIDE + clamped(x, k % 3 - 1)];
            g->smooth[y * FACE_SIDE + x] = sum;
        }
}

/* An oval from the brows to the chin, without hair and background. */
static bool in_face(size_t i) {
    size_t column = i % FACE_SIDE, row = i / FACE_SIDE;
    double x = ((double)column + 0.5 - 56.5) / 32, y = ((double)row + 0.5 - 72) / 38;

    return x * x + y * y < 1;
}

typedef struct spread {
    double n, sum, squares;
} spread;

static void add(spread *s, double x) {
    s->n++;
    s->sum += x;
    s->squares += x * x;
}

static double variance(const spread *s) {
    return s->n > 0 ? fmax(0, s->squares / s->n - pow(s->sum / s->n, 2)) : 0;
}

static double laplacian(const float *g, size_t i) {
    return (double)(g[i - 1] + g[i + 1] + g[i - FACE_SIDE] + g[i + FACE_SIDE] - 4 * g[i]);
}

static void light_and_focus(const greys *g, face_quality *q) {
    uint32_t counts[256] = {0}, n = 0, seen = 0, level = 0;
    spread plain = {0}, smooth = {0}, edges = {0};

    for (size_t i = 0; i < PIXELS; i++) {
        if (!in_face(i))
            continue;
        n++;
        counts[(size_t)g->plain[i]]++;
        q->burnt += g->plain[i] >= WHITE;
        add(&plain, (double)g->plain[i]);
        add(&smooth, (double)g->smooth[i]);
        add(&edges, laplacian(g->smooth, i));
    }
    while (seen * 100 < n * BRIGHT_PERCENT)
        seen += counts[level++];
    q->brightness = level ? level - 1 : 0;
    q->burnt /= n;
    q->contrast = sqrt(variance(&plain)) / fmax(1, q->brightness);
    q->sharpness = variance(&edges) / fmax(1, variance(&smooth));
}

/* What is left of the place of an eye when a plane is taken out: shading is no texture. */
static double eye_texture(const greys *g, face_point eye) {
    spread left = {0};
    double by_x = 0, by_y = 0, xx = 0, yy = 0, n = 0;
    long x0 = lround(eye.x - 0.5), y0 = lround(eye.y - 0.5);

    for (int pass = 0; pass < 2; pass++)
        for (long y = -EYE_Y; y <= EYE_Y; y++)
            for (long x = -EYE_X; x <= EYE_X; x++) {
                double grey;

                if (x0 + x < 0 || y0 + y < 0 || x0 + x >= FACE_SIDE || y0 + y >= FACE_SIDE)
                    continue;
                grey = (double)g->smooth[(y0 + y) * FACE_SIDE + x0 + x];
                if (pass) {
                    add(&left, grey - by_x / xx * (double)x - by_y / yy * (double)y);
                    continue;
                }
                n++;
                by_x += (double)x * grey;
                by_y += (double)y * grey;
                xx += (double)(x * x);
                yy += (double)(y * y);
            }
    return n > 0 && xx > 0 && yy > 0 ? sqrt(variance(&left)) : 0;
}

/* A head in units of the template's pixels about the mean of its landmarks: x, y as in the
 * template, made symmetric; the tip of the nose 0.45 eye distances before eyes and mouth. */
static const double head[FACE_POINTS][3] = {{-17.62, -20.30, -3.2},
                                            {17.62, -20.30, -3.2},
                                            {0, -0.17, 12.8},
                                            {-14.59, 20.385, -3.2},
                                            {14.59, 20.385, -3.2}};

/* Solve the symmetric m x = v by elimination; m is well conditioned here. */
static void solve(double m[3][3], double v[3]) {
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < 3; i++) {
            double f = m[i][k] / m[k][k];

            if (i == k)
                continue;
            for (int j = 0; j < 3; j++)
                m[i][j] -= f * m[k][j];
            v[i] -= f * v[k];
        }
    for (int k = 0; k < 3; k++)
        v[k] /= m[k][k];
}

/* Least squares of one picture coordinate on the head's three. */
static void project(const double values[FACE_POINTS], double ret[3]) {
    double m[3][3] = {{0}}, mean = 0;

    memset(ret, 0, 3 * sizeof(*ret));
    for (int p = 0; p < FACE_POINTS; p++)
        mean += values[p] / FACE_POINTS;
    for (int p = 0; p < FACE_POINTS; p++)
        for (int i = 0; i < 3; i++) {
            ret[i] += head[p][i] * (values[p] - mean);
            for (int j = 0; j < 3; j++)
                m[i][j] += head[p][i] * head[p][j];
        }
    solve(m, ret);
}

/* Scaled orthography (DeMenthon & Davis 1995, POS): the picture's x and y are linear in the head's
 * coordinates, by two rows of a rotation Rz(roll) Rx(pitch) Ry(yaw) times a scale. */
static void pose(const face_landmarks *marks, face_quality *q) {
    double xs[FACE_POINTS], ys[FACE_POINTS], across[3], down[3], scale, roll, fx, fy;

    for (int p = 0; p < FACE_POINTS; p++) {
        xs[p] = marks->at[p].x;
        ys[p] = marks->at[p].y;
    }
    project(xs, across);
    project(ys, down);
    scale = sqrt((pow(across[0], 2) + pow(across[1], 2) + pow(across[2], 2) + pow(down[0], 2) +
                  pow(down[1], 2) + pow(down[2], 2)) /
                 2);
    roll = atan2(-across[1], down[1]);
    fx = (across[2] * cos(roll) + down[2] * sin(roll)) / scale;
    fy = (down[2] * cos(roll) - across[2] * sin(roll)) / scale;
    q->roll = roll * 180 / M_PI;
    q->yaw = asin(fmax(-1, fmin(1, fx))) * 180 / M_PI;
    q->pitch = atan2(-fy, sqrt(fmax(0, 1 - fx * fx - fy * fy))) * 180 / M_PI;
}

static double outside(const face_picture *p, const face_transform *to) {
    face_transform back = face_invert(to);
    double n = 0;

    for (int y = 0; y < FACE_SIDE; y += 2)
        for (int x = 0; x < FACE_SIDE; x += 2) {
            face_point at = face_map(&back, (face_point){x + 1, y + 1});

            n += at.x < 0 || at.y < 0 || at.x > p->width || at.y > p->height;
        }
    return n * 4 / PIXELS;
}

static void judge(face_quality *q) {
    const double values[FACE_REASONS] = {
        [FACE_TOO_SMALL] = q->eye_distance,
        [FACE_BLURRED] = q->sharpness,
        [FACE_TURNED] = fmax(fabs(q->yaw), fabs(q->pitch)),
        [FACE_DARK] = q->brightness,
        [FACE_OVEREXPOSED] = q->burnt,
        [FACE_LOW_CONTRAST] = q->contrast,
        [FACE_EYES_COVERED] = fmax(q->eyes[0], q->eyes[1]), /* one open to view is enough */
        [FACE_CUT_OFF] = q->outside,
        [FACE_MISPLACED] = q->misfit,
    };

    for (int r = 0; r < FACE_REASONS; r++) {
        const limit *l = &limits[r];

        if (l->below ? values[r] < l->refusal : values[r] > l->refusal)
            q->refused |= 1U << r;
        else if (l->below ? values[r] < l->caution : values[r] > l->caution)
            q->cautions |= 1U << r;
    }
    if (fmin(q->eyes[0], q->eyes[1]) < limits[FACE_EYES_COVERED].refusal &&
        !(q->refused & 1U << FACE_EYES_COVERED))
        q->cautions |= 1U << FACE_EYES_COVERED;
}

int face_assess(const face_picture *picture, const face_landmarks *marks, const uint8_t *aligned,
                face_quality *ret, atg_err *err) {
    const face_point *m = marks->at;
    face_quality q = {0};
    face_transform to;
    greys g;
    int rc = face_fit(marks, &face_template, &to, &q.misfit, err);

    if (rc)
        return rc;
    q.misfit /= face_template.at[1].x - face_template.at[0].x;
    q.eye_distance = hypot(m[1].x - m[0].x, m[1].y - m[0].y);
    make_greys(aligned, &g);
    light_and_focus(&g, &q);
    for (int e = 0; e < 2; e++)
        q.eyes[e] = eye_texture(&g, face_map(&to, m[e])) /
                    fmax(1, q.contrast * q.brightness); /* of the face's own contrast */
    pose(marks, &q);
    q.outside = outside(picture, &to);
    judge(&q);
    *ret = q;
    return ATG_OK;
}
