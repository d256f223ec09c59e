/* SPDX-License-Identifier: Apache-2.0 */
/* The colours of the skin, and what is drawn on it: eyes, brows, lips, marks. */
#include "exercise/face.h"

#include <string.h>

typedef struct painting {
    const face_person *w;
    const face_view *v;
    const smooth_noise *noise;
    float skin[3], lips[3], hair[3], iris[3];
} painting;

static void darken(float c[3], float share) {
    for (int k = 0; k < 3; k++)
        c[k] *= 1 - share;
}

/* ---- colours of a person ---- */

/* As a screen shows them; the square of it is linear light. */
void face_skin_colour(const face_person *who, const face_view *view, float ret[3]) {
    const face_person *w = who;
    const face_view *v = view;
    static const float tones[6][3] = {{.96F, .83F, .75F}, {.91F, .74F, .62F}, {.81F, .61F, .47F},
                                      {.66F, .46F, .33F}, {.47F, .31F, .22F}, {.33F, .215F, .155F}};
    float at = w->t[SKIN] * 4.999F, light = 1 - .6F * w->t[SKIN];
    int i = (int)at;
    float c[3], grey = 0;

    for (int k = 0; k < 3; k++)
        c[k] = smooth_mix(tones[i][k], tones[i + 1][k], at - (float)i);
    c[1] *= 1 - .05F * (w->t[RUDDY] - .4F) * light;
    c[2] *= (1 - .04F * (w->t[RUDDY] - .4F) * light) * (1 - .16F * (w->t[YELLOW] - .4F));
    for (int k = 0; k < 3; k++)
        grey += c[k] / 3;
    for (int k = 0; k < 3; k++) {
        static const float waxen[3] = {.99F, 1.0F, .94F};

        c[k] = smooth_mix(c[k], grey * waxen[k], .5F * v->pallor);
        ret[k] = c[k] * c[k];
    }
}

void face_hair_colour(const face_person *who, float ret[3]) {
    static const float colours[][3] = {
        [HAIR_BROWN] = {.30F, .20F, .13F}, [HAIR_BLACK] = {.115F, .098F, .092F},
        [HAIR_BLOND] = {.74F, .59F, .38F}, [HAIR_GREY] = {.62F, .61F, .60F},
        [HAIR_RED] = {.55F, .26F, .12F},   [HAIR_CURLY] = {.17F, .125F, .10F}};
    const face_person *w = who;
    atg_rng rng = atg_rng_seed(w->seed + 7);
    float light = smooth_between(&rng, .8F, 1.25F), grey = w->hair == HAIR_GREY ? 0 : .75F * w->old;

    if (w->hair == HAIR_GREY)
        light = smooth_between(&rng, .75F, 1.4F);
    for (int k = 0; k < 3; k++) {
        float c = smooth_mix(colours[w->hair][k] * light, .6F, grey);

        ret[k] = c * c;
    }
}

static void iris_of(const face_person *w, float ret[3]) {
    static const float colours[][3] = {[IRIS_BROWN] = {.38F, .24F, .14F},
                                       [IRIS_BLUE] = {.40F, .53F, .64F},
                                       [IRIS_GREEN] = {.42F, .47F, .30F},
                                       [IRIS_GREY] = {.47F, .51F, .53F},
                                       [IRIS_DARK] = {.20F, .13F, .09F}};

    for (int k = 0; k < 3; k++)
        ret[k] = colours[w->iris][k] * colours[w->iris][k];
}

static painting prepare(const face_studio *s, const face_person *w, const face_view *v) {
    painting p = {.w = w, .v = v, .noise = &s->noise};
    const float red[3] = {.46F, .13F, .12F}, blue[3] = {.20F, .13F, .17F};

    face_skin_colour(w, v, p.skin);
    face_hair_colour(w, p.hair);
    iris_of(w, p.iris);
    memcpy(p.lips, p.skin, sizeof(p.lips));
    p.lips[1] *= .62F;
    p.lips[2] *= .64F;
    p.lips[0] *= .86F;
    face_lay_on(p.lips, red,
                (.15F + .5F * smooth_clamp(w->t[LIP_RED], 0, 1)) * (1 - .6F * w->t[SKIN]));
    face_lay_on(p.lips, blue, .5F * v->pallor);
    return p;
}

/* ---- skin ---- */

static float spot(float x, float y, float rx, float ry) {
    return smooth_bell(x * x / (rx * rx) + y * y / (ry * ry));
}

/* A soft line from (x, y) in the direction (cos, sin): what is near it. */
static float line(float x, float y, const float at[4], float half, float wide) {
    float u = (x - at[0]) * at[2] + (y - at[1]) * at[3],
          v = (y - at[1]) * at[2] - (x - at[0]) * at[3];

    return spot(u, v, half, wide);
}

static void paint_blood(const painting *p, float x, float y, float u, float c[3]) {
    const face_person *w = p->w;
    float ax = x < 0 ? -x : x, light = 1 - .7F * w->t[SKIN];
    float red = .55F * spot(ax - .40F, y + .24F, .15F, .12F) +
                .5F * spot(x, y + w->t[NOSE_LENGTH], .10F, .08F) +
                .35F * smooth_step(.85F, 1, u < 0 ? -u : u) +
                .25F * spot(x, y + w->t[FACE_LENGTH] - .1F, .12F, .08F);

    red *= smooth_clamp(w->t[RUDDY], 0, 1.2F) * light * (1 - p->v->pallor);
    c[1] *= 1 - .26F * red;
    c[2] *= 1 - .22F * red;
    darken(c, (.10F + .16F * smooth_clamp(w->t[BAGS], 0, 1)) *
                  spot(ax - w->t[EYE_APART] + .04F, y + .09F, .12F, .045F));
    darken(c, .14F * spot(ax - w->t[EYE_APART] + .02F, y - .07F, .15F, .05F));
}

static void paint_grain(const painting *p, float x, float y, float c[3]) {
    float fine = smooth_noise_at(p->noise, 42 * x, 42 * y),
          broad = smooth_noise_at(p->noise, 5 * x + 9, 5 * y);
    float freckles = smooth_clamp(p->w->t[FRECKLES], 0, 1) * (1 - p->w->t[SKIN]);
    float tone = 1 + .035F * fine + .03F * broad;

    for (int k = 0; k < 3; k++)
        c[k] *= tone;
    c[1] *= 1 - .02F * broad;
    if (freckles > 0) {
        float f = smooth_step(.35F, .75F, smooth_noise_at(p->noise, 27 * x + 31, 27 * y + 11)) *
                  spot(x, y + .15F, .28F, .13F);

        c[0] *= 1 - .30F * freckles * f;
        c[1] *= 1 - .45F * freckles * f;
        c[2] *= 1 - .52F * freckles * f;
    }
}

static void paint_age(const painting *p, float x, float y, float c[3]) {
    const float *t = p->w->t;
    float ax = x < 0 ? -x : x, age = p->w->old, wave = smooth_noise_at(p->noise, 3 * x, 4.5F);
    float nose = t[NOSE_WIDTH] + .03F, mouth = t[MOUTH_HEIGHT];
    const float fold[4] = {.5F * (nose + t[MOUTH_WIDTH] + .06F),
                           .5F * (mouth - t[NOSE_LENGTH] + .02F), .50F, -.866F};
    const float crow[4] = {t[EYE_APART] + t[EYE_WIDTH] + .075F, -.02F, .97F, -.24F};
    const float marionette[4] = {t[MOUTH_WIDTH] + .05F, mouth - .09F, .35F, -.94F};
    float deep = smooth_clamp(t[FOLD] + .45F * p->v->smile, 0, 1.2F) * (1 - .3F * p->v->swollen);

    darken(c, .36F * deep * line(ax, y, fold, .085F, .012F));
    if (age <= 0)
        return;
    darken(c, .30F * age * line(ax, y, marionette, .05F, .010F));
    darken(c,
           .22F * age * (line(ax, y, crow, .045F, .007F) + line(ax, y + .045F, crow, .04F, .007F)));
    for (int k = 0; k < 3; k++) {
        float at = y - .40F - .075F * (float)k - .012F * wave - .03F * x * x;

        darken(c,
               .22F * age * smooth_bell(at * at / (.009F * .009F)) * smooth_step(.42F, .25F, ax));
    }
    darken(c, .2F * age * spot(ax - .035F, y - .19F, .006F, .05F));
}

static void paint_marks(const painting *p, float x, float y, float c[3]) {
    const float brown[3] = {.10F, .05F, .035F};

    for (uint32_t i = 0; i < p->w->n_marks; i++) {
        const face_mark *m = &p->w->marks[i];

        face_lay_on(c, brown,
                    m->depth * smooth_step(2, 1,
                                           (x - m->x) * (x - m->x) / (m->size * m->size) +
                                               (y - m->y) * (y - m->y) / (m->size * m->size)));
    }
}

/* Hypostasis at the sides, where a body lay, and in patches. */
static void paint_dead(const painting *p, const face_point *at, float c[3]) {
    float x = at->p[0], y = at->p[1], side = at->u < 0 ? -at->u : at->u;
    float patch = smooth_noise_at(p->noise, 2.6F * x + 20, 2.6F * y + 40) +
                  .5F * smooth_noise_at(p->noise, 7 * x, 7 * y + 13);
    float livid =
        p->v->livid * smooth_clamp(smooth_step(.1F, .8F, patch + .9F * (side - .55F)), 0, 1);
    float scrape = p->v->livid *
                   smooth_step(.55F, .8F, smooth_noise_at(p->noise, 3.1F * x + 50, 3.1F * y + 7)) *
                   (.6F + .4F * smooth_noise_at(p->noise, 40 * x, 40 * y));

    c[0] *= 1 - .25F * livid;
    c[1] *= 1 - .42F * livid;
    c[2] *= 1 - .26F * livid;
    c[0] *= 1 - .12F * scrape;
    c[1] *= 1 - .30F * scrape;
    c[2] *= 1 - .34F * scrape;
}

/* ---- nose, mouth ---- */

static void paint_nose(const painting *p, float x, float y, float c[3]) {
    const float *t = p->w->t;
    float ax = x < 0 ? -x : x, tip = -t[NOSE_LENGTH], base = tip - .085F + .5F * t[TIP_UP];
    float hole = spot(ax - t[NOSE_WIDTH] * .46F, y - base - .012F, .030F * (t[NOSE_WIDTH] / .16F),
                      .012F + .009F * t[NOSTRIL]);
    float wing = spot(ax - t[NOSE_WIDTH] * 1.12F, y - tip + .025F, .013F, .045F);

    darken(c, .82F * hole);
    darken(c, .28F * wing);
    darken(c, .22F * spot(x, y - base + .012F, .07F, .012F));
    darken(c, .10F * p->w->t[PHILTRUM] *
                  spot(x, y - .5F * (base + t[MOUTH_HEIGHT] + t[UPPER_LIP]), .012F, .04F));
}

static void paint_mouth(const painting *p, float x, float y, face_point *at) {
    const float *t = p->w->t;
    const face_view *v = p->v;
    float wide = t[MOUTH_WIDTH] * (1 + .2F * v->smile), m = x / wide, q = m * m, gap, middle, up,
          low;
    const float teeth[3] = {.72F, .68F, .58F}, inside[3] = {.045F, .012F, .012F};
    float am = m < 0 ? -m : m, swell = 1 + .25F * v->swollen, red;

    if (am > 1.08F || y > t[MOUTH_HEIGHT] + .25F || y < t[MOUTH_HEIGHT] - .25F)
        return;
    q = q > 1 ? 1 : q;
    middle = t[MOUTH_HEIGHT] + (t[CORNER] + .055F * v->smile) * q +
             .006F * t[BOW] * smooth_bell(q / .02F);
    gap = (.030F * v->parted + .042F * (v->smile > .6F ? v->smile : 0)) * (1 - q);
    up = t[UPPER_LIP] * swell * (1 - .18F * v->smile) * (1 - q * (.6F + .4F * q)) *
         (1 - t[BOW] * smooth_bell(q / .016F));
    low = t[LOWER_LIP] * swell * (1 - .1F * v->smile) * (1 - q);
    y -= middle;
    red = y > 0 ? smooth_step(up + .012F, up - .006F, y)
                : smooth_step(-low - gap - .012F, -low - gap + .008F, y);
    red *= smooth_step(1.04F, .94F, am);
    face_lay_on(at->c, p->lips, red * .92F);
    darken(at->c, .12F * red * (1 + smooth_noise_at(p->noise, 75 * x, 10 * y)));
    at->gloss += .5F * red * (1 - v->pallor);
    if (gap > .004F && y < .004F && y > -gap) {
        float show = smooth_step(.004F, -.002F, y) * smooth_step(-gap, -gap + .006F, y);

        face_lay_on(at->c, inside, show);
        if (v->smile > .6F)
            face_lay_on(at->c, teeth,
                        show * smooth_step(.85F, .6F, am) *
                            smooth_step(-gap - .004F, -gap + .012F, y));
    } else {
        darken(at->c, .72F * smooth_bell((y + .5F * gap) * (y + .5F * gap) / (.0075F * .0075F)) *
                          smooth_step(1.08F, .9F, am));
    }
    darken(at->c, .3F * spot(am - 1, y, .05F, .016F));
    darken(at->c, .16F * spot(x, y + low + .035F, .5F * wide, .022F));
}

/* ---- eyes ---- */

/* One eye in its own frame: x outwards from its middle in half-widths, y up. */
typedef struct eye {
    float at, y, up, low, crease, open;
} eye;

static eye lids(const painting *p, float x, float y) {
    const float *t = p->w->t;
    float at = x / t[EYE_WIDTH], q = at * at > 1 ? 1 : at * at, peak = t[EYE_PEAK] * at;
    eye e = {.at = at, .y = y, .open = p->v->open};
    float high = t[EYE_OPEN] * (1.12F * (1 - q * (.55F + .45F * q)) * (1 + .35F * peak));
    float shut = -t[EYE_OPEN] * .62F * (1 - q) - .004F;

    e.low = -t[EYE_OPEN] * (.80F - .30F * p->v->smile) * (1 - q) * (1 - .25F * peak);
    e.low = smooth_mix(shut, e.low, e.open);
    high *= 1 - .10F * smooth_clamp(t[LID_HEAVY], 0, 1);
    e.up = smooth_mix(shut, high, e.open);
    e.crease = smooth_mix(t[EYE_OPEN] * .9F * (1 - .5F * q), high, .3F + .7F * e.open) +
               t[LID_FOLD] * (1 - .35F * q);
    return e;
}

static void paint_ball(const painting *p, const eye *e, float x, face_point *at) {
    const float white[3] = {.70F, .66F, .62F}, black[3] = {.008F, .007F, .007F},
                corner[3] = {.42F, .17F, .15F};
    float look = at->p[0] < 0 ? -.10F * p->v->yaw : .10F * p->v->yaw, dx = x + look,
          dy = e->y - .004F - .08F * p->v->pitch;
    float r = sqrtf(dx * dx + dy * dy), big = p->w->t[IRIS_SIZE],
          show = smooth_step(0, .005F, e->up - e->y) * smooth_step(-.001F, .004F, e->y - e->low);
    float c[3], shade = smooth_step(0, .04F, e->up - e->y), am = e->at < 0 ? -e->at : e->at;

    memcpy(c, white, sizeof(c));
    darken(c, .35F * am * am);
    face_lay_on(c, corner, smooth_step(-.78F, -.95F, e->at));
    if (r < big + .006F) {
        float iris[3];

        for (int k = 0; k < 3; k++)
            iris[k] = p->iris[k] * (.75F + .8F * r / big) *
                      (1 + .25F * smooth_noise_at(p->noise, 90 * dx, 90 * dy));
        darken(iris, .7F * smooth_step(big - .016F, big, r));
        face_lay_on(c, iris, smooth_step(big + .005F, big - .004F, r));
        face_lay_on(c, black, smooth_step(.027F, .021F, r));
    }
    darken(c, .45F * (1 - shade));
    face_lay_on(at->c, c, show);
    at->gloss += .6F * show;
    dx = at->p[0] - (at->p[0] < 0 ? -1.0F : 1.0F) * p->w->t[EYE_APART] - .016F;
    dy = e->y - .022F;
    r = show * smooth_step(.012F, .007F, sqrtf(dx * dx + dy * dy));
    for (int k = 0; k < 3; k++)
        at->c[k] += (1.5F - at->c[k]) * r;
}

static void paint_eye(const painting *p, face_point *at) {
    const float *t = p->w->t;
    float side = at->p[0] < 0 ? -1 : 1, dx = at->p[0] * side - t[EYE_APART], dy = at->p[1];
    float c = smooth_cos(t[EYE_TILT]), s = smooth_sin(t[EYE_TILT]), x = dx * c + dy * s,
          y = dy * c - dx * s;
    float lash = p->w->man ? .62F : .85F, within, thick, d;
    eye e;

    if (dx < -.25F || dx > .25F || dy < -.16F || dy > .2F)
        return;
    e = lids(p, x, y);
    within = smooth_step(1.08F, .95F, e.at < 0 ? -e.at : e.at);
    d = e.y - e.crease;
    darken(at->c, smooth_clamp(.55F * t[LID_FOLD] / .04F, 0, .6F) * (.5F + .5F * e.open) *
                      smooth_bell(d * d / (.008F * .008F)) *
                      smooth_step(1.25F, .9F, e.at < 0 ? -e.at : e.at));
    if (e.at > -1 && e.at < 1 && e.y < e.up + .006F && e.y > e.low - .006F && e.open > .1F)
        paint_ball(p, &e, x, at);
    thick = .008F + .006F * smooth_clamp(e.at, -1, 1);
    d = e.y - e.up - .002F;
    darken(at->c, lash * within * smooth_bell(d * d / (thick * thick)));
    if (e.open > .1F) {
        d = e.y - e.low + .004F;
        darken(at->c, .35F * lash * within * smooth_bell(d * d / (.007F * .007F)));
    } else {
        d = e.y - e.up + .012F;
        darken(at->c, .35F * lash * within * smooth_bell(d * d / (.012F * .012F)));
    }
    darken(at->c, .4F * spot(e.at + 1.02F, e.y, .07F, .012F));
}

static void paint_brow(const painting *p, face_point *at) {
    const float *t = p->w->t;
    float side = at->p[0] < 0 ? -1 : 1, dx = at->p[0] * side - t[EYE_APART] - .005F;
    float dy = at->p[1] - t[BROW_HEIGHT] - .012F * p->v->smile, along, across, thick, hair;
    float c = smooth_cos(t[BROW_TILT]), s = smooth_sin(t[BROW_TILT]), lash[3];

    along = (dx * c + dy * s) / t[BROW_LENGTH];
    across = dy * c - dx * s - t[BROW_ARCH] * (1 - (along - .25F) * (along - .25F));
    if (along > 1.1F || across > .12F || across < -.12F)
        return;
    thick = t[BROW_THICK] * smooth_mix(1.15F, .45F, smooth_step(-.6F, 1.05F, along));
    hair = smooth_step(1.25F, .45F, (across < 0 ? -across : across) / thick) *
           smooth_step(1.08F, .7F, along);
    hair *= along > -.85F
                ? 1
                : smooth_mix(smooth_step(-1.12F, -.85F, along), 1, smooth_clamp(t[BROW_GAP], 0, 1));
    hair *= t[BROW_DENSE] +
            .28F * smooth_noise_at(p->noise, 55 * dx + 25 * dy, 30 * dy - 60 * dx * side);
    for (int k = 0; k < 3; k++)
        lash[k] = p->hair[k] * .55F;
    face_lay_on(at->c, lash, smooth_clamp(hair, 0, .93F));
}

/* ---- all of it ---- */

static void paint_point(const painting *p, face_point *at) {
    float x = at->p[0], y = at->p[1];

    memcpy(at->c, p->skin, sizeof(at->c));
    at->gloss = .35F + .3F * spot(x, y + .2F, .12F, .3F) + .2F * spot(x, y - .45F, .3F, .15F);
    paint_grain(p, x, y, at->c);
    paint_blood(p, x, y, at->u, at->c);
    if (at->u > -.75F && at->u < .75F) {
        paint_age(p, x, y, at->c);
        paint_marks(p, x, y, at->c);
        paint_nose(p, x, y, at->c);
    }
    if (p->v->pallor > 0)
        paint_dead(p, at, at->c);
    if (at->u > -.8F && at->u < .8F) {
        paint_mouth(p, x, y, at);
        paint_eye(p, at);
        paint_brow(p, at);
    }
}

void face_paint(face_studio *s, const face_person *who, const face_view *view) {
    const painting p = prepare(s, who, view);
    size_t n = (size_t)s->mesh.rows * s->mesh.cols;

    for (size_t i = 0; i < n; i++)
        paint_point(&p, &s->mesh.points[i]);
}
