/* SPDX-License-Identifier: Apache-2.0 */
/* Hair and beard on the head, locks beside it, neck and clothes. */
#include "exercise/face.h"

#include <string.h>

static float size(float x) {
    return x < 0 ? -x : x;
}

/* ---- hair on the head ---- */

typedef struct scalp {
    const face_person *w;
    const smooth_noise *noise;
    float hair[3];
    float curl; /* 0..1 */
    float wet;
} scalp;

/* How far inside the hair a point lies: up from the hairline, back from the temples. */
static float inside(const scalp *h, float x, float y, float u) {
    const face_person *w = h->w;
    const float *t = w->t;
    float ax = size(x), au = size(u), noise = smooth_noise_at(h->noise, 7 * x + 3, 2.5F);
    float a = (ax - .34F) / .15F, b = x / .06F, front, side, low;

    front = t[HAIRLINE] + t[RECESSION] * 1.6F * smooth_bell(a * a) -
            smooth_clamp(t[WIDOW], 0, 1) * (1 - w->bald) * smooth_bell(b * b);
    if (w->fringe > 0)
        front = smooth_mix(front, .30F + .12F * w->parting * x + .02F * noise,
                           smooth_step(0, .5F, w->fringe) * smooth_step(.62F, .5F, ax));
    front = y - front - .8F * w->bald + .015F * noise + 1.25F * smooth_clamp(ax - .44F, 0, .5F);
    low = smooth_mix(w->man ? -.14F : -.04F, -.5F, smooth_step(1.02F, 1.15F, au));
    side = .75F * (au - .74F - .04F * smooth_step(.1F, -.15F, y) - .02F * noise);
    side = side < y - low ? side : y - low;
    if (w->bald > 0 && side > .62F - .2F * w->bald - y + 1.2F * (1 - w->bald))
        side = .62F - .2F * w->bald - y + 1.2F * (1 - w->bald);
    return front > side ? front : side;
}

static float strand(const scalp *h, float x, float y) {
    float straight = .7F * smooth_noise_at(h->noise, 58 * x + 9 * h->w->parting * y, 5 * y) +
                     .5F * smooth_noise_at(h->noise, 21 * x + 8 * y, 3 * y + 7);
    float curly =
        smooth_noise_at(h->noise, 19 * x, 19 * y) + .5F * smooth_noise_at(h->noise, 43 * x, 43 * y);

    return smooth_mix(straight, curly, h->curl);
}

static void colour_hair(const scalp *h, face_point *p, float share, float grain) {
    float c[3];

    for (int k = 0; k < 3; k++)
        c[k] = h->hair[k] * smooth_clamp(.85F + .5F * grain, .2F, 2) * (1 - .35F * h->wet);
    face_lay_on(p->c, c, share);
    p->gloss = smooth_mix(p->gloss, .28F * (1 - .7F * h->curl) * (1 + grain), share);
}

static void grow_hair(const scalp *h, face_point *p, float *raised) {
    float x = p->p[0], y = p->p[1], grain, d, share, high, out[3];

    if (y < -.55F || (y < .2F && size(p->u) < .5F))
        return;
    grain = strand(h, x, y);
    d = inside(h, x, y, p->u) + .018F * grain;
    d -= .3F * face_ear(h->w, p->u, y);
    share = smooth_step(-.022F, .030F, d) * (1 - .25F * h->w->bald);
    if (share <= 0)
        return;
    high =
        h->w->volume * (1 - .5F * h->w->bald) * (1 + .5F * h->curl) * smooth_step(-.01F, .16F, d);
    high *= 1 + .18F * grain * (.4F + h->curl) + .35F * h->w->parting * smooth_clamp(2 * x, -1, 1);
    high *= 1 - .6F * h->wet;
    out[0] = x;
    out[1] = y - .15F;
    out[2] = p->p[2] * .8F;
    d = high / sqrtf(out[0] * out[0] + out[1] * out[1] + out[2] * out[2] + .01F);
    for (int k = 0; k < 3; k++)
        p->p[k] += d * out[k];
    *raised += high;
    colour_hair(h, p, share, grain);
}

/* ---- beard ---- */

static float bearded(const face_person *w, float x, float y) {
    const float *t = w->t;
    float ax = size(x), cheek = -.60F + 1.05F * smooth_clamp(ax - .28F, 0, 1);
    float below = smooth_step(cheek + .06F, cheek - .07F, y), mouth = ax / (t[MOUTH_WIDTH] + .04F);
    float v = (y - t[MOUTH_HEIGHT] + .5F * (t[LOWER_LIP] - t[UPPER_LIP])) /
              (.5F * (t[LOWER_LIP] + t[UPPER_LIP]) + .035F);

    return below * smooth_step(.85F, 1.25F, mouth * mouth + v * v);
}

static float moustached(const face_person *w, float x, float y) {
    const float *t = w->t;
    float ax = size(x), top = -t[NOSE_LENGTH] - .10F + .5F * t[TIP_UP],
          low = t[MOUTH_HEIGHT] + t[UPPER_LIP] * .95F - .18F * ax * ax -
                .02F * smooth_step(.15F, .26F, ax);

    return smooth_step(top + .012F, top - .04F, y) * smooth_step(low - .015F, low + .02F, y) *
           smooth_step(t[MOUTH_WIDTH] + .06F, t[MOUTH_WIDTH] - .04F, ax);
}

static void grow_beard(const scalp *h, face_point *p, float *raised) {
    const face_person *w = h->w;
    float x = p->p[0], y = p->p[1], all, lip, share, grain, shadow[3];

    if (y > .1F || size(p->u) > .95F || w->stubble + w->beard + w->moustache <= 0)
        return;
    all = bearded(w, x, y) * (1 - smooth_clamp(3 * face_ear(w, p->u, y), 0, 1));
    lip = moustached(w, x, y);
    grain = .6F * smooth_noise_at(h->noise, 60 * x, 26 * y) +
            .5F * smooth_noise_at(h->noise, 24 * x, 17 * y + 5);
    share = all > lip ? all : lip;
    for (int k = 0; k < 3; k++)
        shadow[k] = .5F * h->hair[k] + .5F * p->c[k] * .25F;
    face_lay_on(p->c, shadow, w->stubble * share * (1 + .5F * grain));
    share =
        smooth_clamp((w->beard * all > w->moustache * lip ? w->beard * all : w->moustache * lip) *
                         (1 + .3F * grain),
                     0, .95F);
    if (share <= 0)
        return;
    p->p[2] += .035F * share * (1 + grain);
    *raised += .035F * share;
    colour_hair(h, p, share, grain);
}

static scalp scalp_of(const face_studio *s, const face_person *w, const face_view *v,
                      const float hair[3]) {
    scalp h = {.w = w, .noise = &s->noise, .wet = v->pallor * .6F};

    h.curl = w->hair == HAIR_CURLY ? 1 : smooth_clamp(.25F * w->t[CURL], 0, .6F);
    memcpy(h.hair, hair, sizeof(h.hair));
    return h;
}

void face_dress(face_studio *s, const face_person *who, const face_view *view) {
    float hair[3];
    scalp h;
    size_t n = (size_t)s->mesh.rows * s->mesh.cols;

    face_hair_colour(who, hair);
    h = scalp_of(s, who, view, hair);
    for (size_t i = 0; i < n; i++) {
        grow_beard(&h, &s->mesh.points[i], &s->raised[i]);
        grow_hair(&h, &s->mesh.points[i], &s->raised[i]);
    }
}

/* ---- surfaces beside the head ---- */

static void lay_mesh(face_studio *s, int rows, int cols, float follow) {
    s->mesh.rows = rows;
    s->mesh.cols = cols;
    s->mesh.follow = follow;
    for (size_t i = 0; i < (size_t)rows * cols; i++)
        s->raised[i] = 0;
}

static const struct {
    float y, width, out;
} torso[] = {{-.45F, 0, .02F},     {-1.18F, .0F, .05F},  {-1.36F, .14F, .08F},
             {-1.50F, .52F, .16F}, {-1.64F, .98F, .25F}, {-1.86F, 1.22F, .36F},
             {-2.2F, 1.30F, .42F}, {-3.2F, 1.25F, .45F}};

/* How far below the edge of the clothes. */
static float clothed(const face_view *v, float x, float y) {
    switch (v->collar) {
    case 0: /* round */
        return -1.56F + .9F * x * x - y;
    case 1: /* V */
        return -1.86F + 1.15F * size(x) - y;
    case 2: /* high */
        return -1.30F - y;
    default: /* wide */
        return -1.44F + .45F * x * x - y;
    }
}

static void colour_torso(const face_view *v, const smooth_noise *noise, const float skin[3],
                         face_point *p) {
    float x = p->p[0], y = p->p[1], edge = clothed(v, x, y),
          share = smooth_step(-.014F, .014F, edge);
    float seam = (edge - .07F) / .012F, shade, fold;
    float cloth[3];

    shade = (1 - .45F * smooth_step(-1.45F, -1.05F, y)) * (1 - .25F * smooth_step(-.08F, 0, edge));
    fold = 1 + .10F * smooth_noise_at(noise, 3 * x + y, 2 * y) +
           .05F * smooth_noise_at(noise, 60 * x, 60 * y);
    fold *= 1 - .30F * smooth_bell(seam * seam);
    for (int k = 0; k < 3; k++) {
        p->c[k] = skin[k] * shade;
        cloth[k] = v->cloth[k] * fold;
    }
    face_lay_on(p->c, cloth, share);
    p->gloss = smooth_mix(.3F, .05F, share);
}

void face_body(face_studio *s, const face_person *who, const face_view *view) {
    enum { ROWS = 180, COLS = 260, LAST = sizeof(torso) / sizeof(*torso) - 1 };
    float neck =
              (who->man ? .42F : .355F) + .02F * who->t[WEIGHT] + .4F * (who->t[JAW_WIDTH] - .52F),
          skin[3];
    float broad = (who->man ? 1.05F : .92F) * (1 - .18F * who->child);

    lay_mesh(s, ROWS, COLS, .35F);
    face_skin_colour(who, view, skin);
    for (int r = 0; r < ROWS; r++) {
        float y = smooth_mix(torso[0].y, torso[LAST].y, (float)r / (ROWS - 1)), at, width, out;
        int i = 0;

        while (i + 1 < LAST && y < torso[i + 1].y)
            i++;
        at = smooth_step(torso[i].y, torso[i + 1].y, y);
        width = neck + broad * smooth_mix(torso[i].width, torso[i + 1].width, at);
        out = smooth_mix(torso[i].out, torso[i + 1].out, at);
        for (int k = 0; k < COLS; k++) {
            face_point *p = &s->mesh.points[r * COLS + k];
            float half = 2 * (float)k / (COLS - 1) - 1, d = 1 + half * half;

            *p = (face_point){
                .p = {width * 2 * half / d, y, (out + .34F) * (1 - half * half) / d - .30F},
                .cover = 1};
            colour_torso(view, &s->noise, skin, p);
        }
    }
}

void face_locks(face_studio *s, const face_person *who, const face_view *view) {
    enum { ROWS = 240, COLS = 260 };
    float top = who->t[FOREHEAD] + .8F * who->volume, low = .1F - 2.1F * who->length, hair[3];
    float wide = who->t[HEAD_WIDTH] + .04F + who->volume;
    scalp h;

    lay_mesh(s, ROWS, COLS, .9F);
    face_hair_colour(who, hair);
    h = scalp_of(s, who, view, hair);
    for (int r = 0; r < ROWS; r++) {
        float y = smooth_mix(top, low, (float)r / (ROWS - 1)),
              up = smooth_clamp((y - .45F) / (top - .45F), 0, 1);
        float wave = .05F * h.curl * smooth_noise_at(h.noise, 1.5F, 6 * y) +
                     .02F * smooth_noise_at(h.noise, 5.5F, 3 * y);
        float tip = smooth_clamp((low + .5F - y) / .5F, 0, 1);
        float width =
            (wide + wave + .12F * who->length * smooth_step(.3F, -.8F, y) - .16F * tip * tip) *
            sqrtf(1 - up * up + 1e-4F);

        for (int k = 0; k < COLS; k++) {
            face_point *p = &s->mesh.points[r * COLS + k];
            float at = 2 * (float)k / (COLS - 1) - 1, x = at * width, a = size(at),
                  grain = strand(&h, x, y);
            float end = low + .10F + .07F * smooth_noise_at(h.noise, 8 * x, 1.5F) +
                        .05F * smooth_noise_at(h.noise, 40 * x, 1.5F) + .25F * x * x;

            *p = (face_point){.p = {x, y,
                                    -.75F + 1.02F * smooth_step(.35F, .86F, a) -
                                        .45F * smooth_step(.86F, 1, a) * smooth_step(.86F, 1, a) +
                                        .02F * grain},
                              .cover = y > end ? 1 : 0};
            colour_hair(&h, p, 1, grain);
            for (int i = 0; i < 3; i++)
                p->c[i] *= smooth_mix(.35F, 1, smooth_step(.5F, .9F, a));
        }
    }
}
