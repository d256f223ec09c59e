/* SPDX-License-Identifier: Apache-2.0 */
/* The head: rows from the top of the skull over forehead, nose and chin to the throat, each an arc
 * from behind one ear to behind the other, with the features raised on it. */
#include "exercise/face.h"

enum { STATIONS = 15 };

/* Along the middle of the face: its height and depth, half the head's width there, and how much
 * higher the sides of the row lie than its middle. */
typedef struct station {
    float y, out, width, rise;
} station;

typedef struct bump {
    float x, y, rx, ry, height, cos, sin;
} bump;

static void lay_stations(const face_person *w, const face_view *v, station at[STATIONS]) {
    const float *t = w->t;
    float top = t[FOREHEAD], len = t[FACE_LENGTH], fat = .022F * t[WEIGHT] + .07F * v->swollen;
    float head = t[HEAD_WIDTH], face = t[FACE_WIDTH] + .5F * fat, jaw = t[JAW_WIDTH] + fat;
    float slope = t[SLOPE], chin = t[CHIN_OUT], rise = t[CHIN_POINT], corner = t[JAW_CORNER];
    const station laid[STATIONS] = {
        {top, -.10F, .004F, 0},
        {top - .035F, .20F, .24F, 0},
        {top - .15F, .50F - .5F * slope, .47F, 0},
        {top - .36F, .74F - .8F * slope, .5F * head + .28F, 0},
        {.50F, .885F - .5F * slope, head, 0},
        {.25F, .925F, smooth_mix(face, head, .6F) - t[TEMPLE], 0},
        {0, .895F, face + .025F - .4F * t[TEMPLE], 0},
        {-.2F, .895F + .5F * t[FACE_OUT], face, 0},
        {-.42F * len, .905F + t[FACE_OUT], smooth_mix(face, jaw, .32F), 0},
        {-.63F * len, .915F + t[FACE_OUT], smooth_mix(face, jaw, .68F) + .5F * corner, .01F},
        {-.79F * len, .885F + .6F * t[FACE_OUT], jaw + corner, .05F + .15F * rise},
        {-.915F * len, .885F + chin, jaw * .84F + .5F * corner, .04F + .5F * rise},
        {-len, .815F + chin, jaw * .70F, .05F + .95F * rise},
        {-len - .03F - .04F * fat, .60F + chin, jaw * .70F, .12F + rise},
        {-len + .01F - .6F * fat, .20F, jaw * .70F, .12F + rise},
    };

    for (int i = 0; i < STATIONS; i++)
        at[i] = laid[i];
}

/* Catmull-Rom. */
static float through(float a, float b, float c, float d, float t) {
    return b + .5F * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));
}

static station between(const station *at, int i, float t) {
    const station *a = &at[i > 0 ? i - 1 : 0], *b = &at[i], *c = &at[i + 1],
                  *d = &at[i + 2 < STATIONS ? i + 2 : STATIONS - 1];

    return (station){through(a->y, b->y, c->y, d->y, t), through(a->out, b->out, c->out, d->out, t),
                     through(a->width, b->width, c->width, d->width, t),
                     through(a->rise, b->rise, c->rise, d->rise, t)};
}

static float length_of(const station *a, const station *b) {
    float y = b->y - a->y, z = b->out - a->out;

    return sqrtf(y * y + .5F * z * z);
}

/* One row of the arc: the angle's sine and cosine by the half-angle's tangent, denser in front. */
static void lay_row(const face_person *w, const station *s, face_point *row, int cols) {
    float round = smooth_step(.95F, .5F, s->y), flat = w->t[FLATNESS] * round;
    float back = .9F * smooth_clamp(s->width * 1.6F, 0, 1);

    for (int i = 0; i < cols; i++) {
        float at = 2 * (float)i / (float)(cols - 1) - 1, half = at * (.72F + .50F * at * at);
        float d = 1 + half * half, sine = 2 * half / d, cosine = (1 - half * half) / d;
        float forward = cosine > 0 ? (1 - flat) * cosine + flat * sqrtf(cosine) : .95F * cosine;
        face_point *p = &row[i];

        p->p[0] = s->width * sine;
        p->p[1] = s->y + s->rise * (1 - (cosine > 0 ? cosine : 0));
        p->p[2] = forward * (cosine > 0 ? s->out : back);
        p->u = half;
        p->cover = 1;
        p->gloss = 0;
    }
}

static void lay_rows(face_studio *s, const face_person *w, const face_view *v) {
    station at[STATIONS];
    float total = 0, done = 0;
    int i = 0;

    lay_stations(w, v, at);
    for (int k = 0; k + 1 < STATIONS; k++)
        total += length_of(&at[k], &at[k + 1]);
    for (int r = 0; r < s->mesh.rows; r++) {
        float want = total * (float)r / (float)(s->mesh.rows - 1);
        float step = length_of(&at[i], &at[i + 1]);
        station here;

        while (i + 2 < STATIONS && want > done + step) {
            done += step;
            i++;
            step = length_of(&at[i], &at[i + 1]);
        }
        here = between(at, i, smooth_clamp((want - done) / step, 0, 1));
        lay_row(w, &here, s->mesh.points + (size_t)r * s->mesh.cols, s->mesh.cols);
    }
}

/* ---- features ---- */

/* Places are those of the surface before anything was raised: `low` keeps them. */
static void raise_row(const bump *b, face_point *row, float *add, int cols) {
    for (int i = 0; i < cols; i++) {
        float x = row[i].p[0] - b->x, y = row[i].p[1] - b->y;
        float u = (x * b->cos + y * b->sin) / b->rx, v = (y * b->cos - x * b->sin) / b->ry;

        add[i] += b->height * smooth_bell(u * u + v * v);
    }
}

static void raise(face_studio *s, const bump *b) {
    face_mesh *m = &s->mesh;
    float reach = 3 * (b->rx > b->ry ? b->rx : b->ry);

    for (int r = 0; r < m->rows; r++) {
        face_point *row = m->points + (size_t)r * m->cols;
        float middle = row[m->cols / 2].p[1], side = row[0].p[1];
        int first = 0, last = m->cols;

        if (b->y - reach > side || b->y + reach < middle)
            continue;
        while (first < last && (row[first].u < -1 || row[first].p[0] < b->x - reach))
            first++;
        while (last > first && (row[last - 1].u > 1 || row[last - 1].p[0] > b->x + reach))
            last--;
        raise_row(b, row + first, s->raised + (size_t)r * m->cols + first, last - first);
    }
}

static void one(face_studio *s, float x, float y, float rx, float ry, float height) {
    const bump b = {x, y, rx, ry, height, 1, 0};

    raise(s, &b);
}

/* `turn` lifts the outer end. */
static void pair(face_studio *s, bump b, float turn) {
    b.cos = smooth_cos(turn);
    b.sin = smooth_sin(turn);
    raise(s, &b);
    b.x = -b.x;
    b.sin = -b.sin;
    raise(s, &b);
}

static void raise_eyes(face_studio *s, const face_person *w, const face_view *v) {
    const float *t = w->t;
    float x = t[EYE_APART], swell = v->swollen, heavy = t[LID_HEAVY];

    pair(s,
         (bump){.x = x - .02F, .y = .02F, .rx = .15F, .ry = .095F, .height = -t[EYE_DEPTH] - .05F},
         0);
    pair(s, (bump){.x = x - .17F, .y = .03F, .rx = .06F, .ry = .08F, .height = -.045F}, 0);
    pair(s, (bump){.x = x, .y = 0, .rx = .105F, .ry = .07F, .height = .062F + .03F * swell},
         t[EYE_TILT]);
    pair(s,
         (bump){.x = x + .03F,
                .y = .12F,
                .rx = .13F,
                .ry = .04F,
                .height = .02F + .035F * heavy + .03F * swell},
         -.25F);
    pair(
        s,
        (bump){
            .x = x, .y = -.115F, .rx = .10F, .ry = .026F, .height = .035F * t[BAGS] + .03F * swell},
        -.1F);
    pair(s,
         (bump){.x = x,
                .y = t[BROW_HEIGHT] - .01F,
                .rx = .17F,
                .ry = .055F,
                .height = t[RIDGE] + .022F},
         .08F);
    one(s, 0, .17F, .12F, .07F, .6F * t[RIDGE]);
}

static void raise_cheeks(face_studio *s, const face_person *w, const face_view *v) {
    const float *t = w->t;
    float full = t[CHEEK] + .018F * t[WEIGHT], age = w->old;

    pair(s, (bump){.x = .43F, .y = -.2F, .rx = .15F, .ry = .10F, .height = t[CHEEKBONE] + .02F},
         .3F);
    pair(s,
         (bump){.x = .34F,
                .y = -.30F + .03F * v->smile,
                .rx = .12F,
                .ry = .10F,
                .height = .02F + .045F * v->smile + .06F * v->swollen},
         0);
    pair(s,
         (bump){.x = .42F, .y = -.62F, .rx = .14F, .ry = .16F, .height = full + .07F * v->swollen},
         0);
    pair(s,
         (bump){.x = .36F,
                .y = -.86F,
                .rx = .09F,
                .ry = .08F,
                .height = .05F * age + .012F * t[WEIGHT]},
         .3F);
    pair(s,
         (bump){.x = .50F,
                .y = -.45F,
                .rx = .10F,
                .ry = .13F,
                .height = -.035F - .02F * age + .02F * t[WEIGHT]},
         0);
    pair(s,
         (bump){.x = t[MOUTH_WIDTH] + .035F,
                .y = t[MOUTH_HEIGHT] + .10F,
                .rx = .13F,
                .ry = .018F,
                .height = -.016F - .02F * t[FOLD] - .02F * v->smile},
         -1.05F);
}

static void raise_nose(face_studio *s, const face_person *w) {
    const float *t = w->t;
    float tip = -t[NOSE_LENGTH], out = t[NOSE_OUT], base = tip - .085F + .5F * t[TIP_UP];

    for (int i = 0; i <= 6; i++) {
        float at = (float)i / 6, y = smooth_mix(.04F, tip + .05F, at);
        float hump = t[HUMP] * 4 * at * (1 - at), bend = t[NOSE_BEND] * 4 * at * (1 - at);
        float high = smooth_mix(t[BRIDGE_OUT], out * .9F, at * (.75F + .25F * at)) + hump;

        one(s, bend, y, t[BRIDGE_WIDTH] + .010F * at, .055F, .22F * high);
        one(s, bend, y, t[BRIDGE_WIDTH] * 1.7F + .045F * at, .06F, .29F * high);
    }
    one(s, .5F * t[NOSE_BEND], tip + .4F * t[TIP_UP], t[TIP_SIZE], .06F, .44F * out);
    one(s, 0, base + .035F, .045F, .035F, .16F * out);
    one(s, 0, tip + .01F, t[NOSE_WIDTH] * .80F, .075F, .22F * out);
    pair(s,
         (bump){.x = t[NOSE_WIDTH] * .78F,
                .y = tip - .03F,
                .rx = .046F,
                .ry = .05F,
                .height = .32F * out},
         .2F);
    pair(s,
         (bump){
             .x = t[NOSE_WIDTH] + .05F, .y = tip - .02F, .rx = .024F, .ry = .05F, .height = -.016F},
         0);
}

static void raise_mouth(face_studio *s, const face_person *w, const face_view *v) {
    const float *t = w->t;
    float wide = t[MOUTH_WIDTH] * (1 + .2F * v->smile), y = t[MOUTH_HEIGHT], out = t[LIPS_OUT];
    float up = t[UPPER_LIP], low = t[LOWER_LIP], swell = .03F * v->swollen;

    one(s, 0, y, wide * .85F, .14F, .035F + .5F * out);
    one(s, 0, y + .5F * up, wide * .52F, .45F * up + .012F, out + swell);
    one(s, 0, y - .55F * low, wide * .46F, .45F * low + .012F, out + .012F + swell);
    one(s, 0, y - .01F * v->parted, wide * .62F, .011F + .02F * v->parted,
        -.03F - .03F * v->parted);
    pair(
        s,
        (bump){
            .x = wide + .012F, .y = y + .05F * v->smile, .rx = .022F, .ry = .03F, .height = -.022F},
        0);
    one(s, 0, smooth_mix(y + up, -t[NOSE_LENGTH] - .09F, .45F), .018F, .05F, -.035F * t[PHILTRUM]);
    one(s, 0, y - low - .065F, .12F, .032F, -.035F);
    one(s, 0, -t[FACE_LENGTH] + .13F, .12F, .085F, t[CHIN_HIGH]);
    one(s, 0, -t[FACE_LENGTH] + .11F, .024F, .06F, -.7F * (t[CLEFT] > 0 ? t[CLEFT] : 0));
}

/* Within an ear: 1 in its middle, 0 outside.  `u` is that of a point of the head. */
float face_ear(const face_person *who, float u, float y) {
    float side = u < 0 ? -u : u, x = (side - 1.0F - .12F * (y + .14F)) / .15F, q;

    y = (y + .14F) / who->t[EAR_SIZE];
    x *= 1 + (.55F - .35F * who->t[EAR_LOBE]) * smooth_step(0, -1, y);
    q = x * x + y * y;
    return q < 1 ? sqrtf(1 - q) : 0;
}

/* Shells that stand off the sides of the head. */
static void raise_ears(face_studio *s, const face_person *w) {
    face_mesh *m = &s->mesh;
    float out = w->t[EAR_OUT];

    for (int i = 0; i < m->rows * m->cols; i++) {
        face_point *p = &m->points[i];
        float side = p->u < 0 ? -1 : 1, ear;

        if (p->p[1] > .3F || p->p[1] < -.6F || side * p->u < .8F)
            continue;
        ear = face_ear(w, p->u, p->p[1]);
        p->p[0] += side * ear * out * (1.1F + .5F * (p->p[1] + .14F));
        p->p[2] += ear * out * .25F;
        s->raised[i] += .05F * (ear - 1.4F * ear * ear * ear * ear);
    }
}

void face_form(face_studio *s, const face_person *who, const face_view *view) {
    size_t n;

    s->mesh.rows = FACE_ROWS;
    s->mesh.cols = FACE_COLS;
    s->mesh.follow = 1;
    n = (size_t)s->mesh.rows * s->mesh.cols;
    for (size_t i = 0; i < n; i++)
        s->raised[i] = 0;
    lay_rows(s, who, view);
    raise_eyes(s, who, view);
    raise_cheeks(s, who, view);
    raise_nose(s, who);
    raise_mouth(s, who, view);
    for (size_t i = 0; i < n; i++)
        s->mesh.points[i].p[2] += s->raised[i];
    raise_ears(s, who);
}
