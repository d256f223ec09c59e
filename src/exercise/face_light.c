/* SPDX-License-Identifier: Apache-2.0 */
/* Light, camera and film. */
#include "exercise/face.h"

#include <string.h>

enum {
    FINE = 2,  /* samples for a pixel, each way */
    CLOUD = 4, /* samples of one shade behind */
};
static const float distance = 11, scale = .325F, eye_line = .44F;

int face_studio_new(atg_arena *arena, uint32_t width, uint32_t height, face_studio *ret,
                    atg_err *err) {
    size_t points = (size_t)FACE_ROWS * FACE_COLS, samples = (size_t)width * height * FINE * FINE;
    face_studio s = {.width = width, .height = height};

    s.mesh.points = ATG_GET(arena, face_point, points);
    s.raised = ATG_GET(arena, float, points);
    s.around = ATG_GET(arena, float, points);
    s.depth = ATG_GET(arena, float, samples);
    s.colour = ATG_GET(arena, float, samples * 3);
    if (!s.mesh.points || !s.raised || !s.around || !s.depth || !s.colour)
        return atg_fail(err, ATG_ENOMEM, "Memory is short for a portrait");
    *ret = s;
    return ATG_OK;
}

/* What stands behind, a little lighter above. */
void face_ground(face_studio *s, const face_view *v) {
    size_t n = (size_t)s->width * FINE, rows = (size_t)s->height * FINE;

    for (size_t y = 0; y < rows; y++) {
        float shade = 1.08F - .22F * (float)y / (float)rows, soft = 0;

        for (size_t x = 0; x < n; x++) {
            size_t i = y * n + x;

            if (x % CLOUD == 0)
                soft = shade + .06F * smooth_noise_at(&s->noise, 6 * (float)x / (float)n,
                                                      6 * (float)y / (float)n);
            s->depth[i] = -100;
            for (int k = 0; k < 3; k++)
                s->colour[3 * i + k] = v->ground[k] * soft;
        }
    }
}

/* ---- the surface ---- */

/* Of a surface on which these four lie around a point. */
static void normal(const float *left, const float *right, const float *down, const float *up,
                   float ret[3]) {
    float a[3], b[3], n[3], len;

    for (int k = 0; k < 3; k++) {
        a[k] = right[k] - left[k];
        b[k] = up[k] - down[k];
    }
    n[0] = a[1] * b[2] - a[2] * b[1];
    n[1] = a[2] * b[0] - a[0] * b[2];
    n[2] = a[0] * b[1] - a[1] * b[0];
    len = sqrtf(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]);
    for (int k = 0; k < 3; k++)
        ret[k] = len > 0 ? n[k] / len : k == 2 ? 1.0F : 0;
}

static void normals(face_mesh *m) {
    for (int r = 0; r < m->rows; r++)
        for (int c = 0; c < m->cols; c++) {
            face_point *at = &m->points[r * m->cols + c];
            const float *left = c > 0 ? at[-1].p : at->p;
            const float *right = c + 1 < m->cols ? at[1].p : at->p;
            const float *up = r > 0 ? at[-m->cols].p : at->p;
            const float *down = r + 1 < m->rows ? at[m->cols].p : at->p;

            normal(left, right, down, up, at->n);
        }
}

/* Means of 2 * half + 1 values, those beyond the ends as the last ones. */
static void running_mean(const float *in, float *out, int n, size_t stride, int half) {
    float sum = 0;

    for (int i = -half; i <= half; i++)
        sum += in[(size_t)(i < 0 ? 0 : i >= n ? n - 1 : i) * stride];
    for (int i = 0; i < n; i++) {
        int next = i + half + 1 >= n ? n - 1 : i + half + 1, last = i < half ? 0 : i - half;

        out[(size_t)i * stride] = sum / (float)(2 * half + 1);
        sum += in[(size_t)next * stride] - in[(size_t)last * stride];
    }
}

/* What lies lower than what is around it gets less light. */
static void hollows(face_studio *s) {
    const face_mesh *m = &s->mesh;

    for (int r = 0; r < m->rows; r++)
        running_mean(s->raised + (size_t)r * m->cols, s->around + (size_t)r * m->cols, m->cols, 1,
                     19);
    for (int c = 0; c < m->cols; c++)
        running_mean(s->around + c, s->raised + c, m->rows, (size_t)m->cols, 19);
}

typedef struct lamp {
    float to[3], half[3];
    float ambient, key;
} lamp;

static lamp lamp_of(const face_view *v) {
    lamp l = {.ambient = v->ambient, .key = 1.08F - v->ambient};
    float len = sqrtf(v->light[0] * v->light[0] + v->light[1] * v->light[1] +
                      v->light[2] * v->light[2]),
          h = 0;

    for (int k = 0; k < 3; k++) {
        l.to[k] = v->light[k] / len;
        l.half[k] = l.to[k] + (k == 2 ? 1.0F : 0);
        h += l.half[k] * l.half[k];
    }
    for (int k = 0; k < 3; k++)
        l.half[k] /= sqrtf(h);
    return l;
}

static void shade(const lamp *l, face_point *p, float hollow) {
    static const float wrap[3] = {.30F, .16F, .10F}; /* red light goes on under the skin */
    float d = 0, h = 0, sky = .82F + .18F * p->n[1];

    for (int k = 0; k < 3; k++) {
        d += p->n[k] * l->to[k];
        h += p->n[k] * l->half[k];
    }
    h = h > 0 ? h : 0;
    h *= h;
    h *= h;
    h *= h;
    h *= h;
    for (int k = 0; k < 3; k++) {
        float lit = (d + wrap[k]) / (1 + wrap[k]);

        lit = lit > 0 ? lit : 0;
        p->c[k] = p->c[k] * hollow * (l->ambient * sky + l->key * lit) +
                  .11F * p->gloss * h * l->key * hollow;
    }
}

/* ---- projection ---- */

typedef struct turning {
    float m[3][3];
} turning;

static turning turn_of(const face_view *v, float share) {
    float cy = smooth_cos(v->yaw * share), sy = smooth_sin(v->yaw * share),
          cp = smooth_cos(v->pitch * share), sp = smooth_sin(v->pitch * share),
          cr = smooth_cos(v->roll * share), sr = smooth_sin(v->roll * share);

    return (turning){{{cr * cy - sr * sp * sy, -sr * cp, cr * sy + sr * sp * cy},
                      {sr * cy + cr * sp * sy, cr * cp, sr * sy - cr * sp * cy},
                      {-cp * sy, sp, cp * cy}}};
}

static void turn(const turning *t, float x[3]) {
    const float y[3] = {x[0], x[1], x[2]};

    for (int k = 0; k < 3; k++)
        x[k] = t->m[k][0] * y[0] + t->m[k][1] * y[1] + t->m[k][2] * y[2];
}

/* From the room to samples of the picture: x, y from its upper left corner, z for the order. */
static void project(const face_studio *s, const face_view *v, face_point *p) {
    float per = scale * v->zoom * (float)s->width * FINE * distance / (distance - p->p[2]);

    p->p[0] = .5F * (float)s->width * FINE + (p->p[0] + v->x) * per;
    p->p[1] = eye_line * (float)s->height * FINE - (p->p[1] + v->y) * per;
}

/* ---- triangles ---- */

static float edge(const float *a, const float *b, float x, float y) {
    return (b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0]);
}

static int clip(float x, int most) {
    return x < 0 ? 0 : x > (float)most ? most : (int)x;
}

static float least(float a, float b, float c) {
    float d = a < b ? a : b;

    return d < c ? d : c;
}

static void draw(face_studio *s, const face_point *a, const face_point *b, const face_point *c) {
    int wide = (int)s->width * FINE, high = (int)s->height * FINE;
    float area = edge(a->p, b->p, c->p[0], c->p[1]), inv;
    int left, top, right, bottom;

    if (!(area > 1e-9F))
        return; /* seen from behind */
    inv = 1 / area;
    /* the samples are in the middles of their squares */
    left = clip(least(a->p[0], b->p[0], c->p[0]) + .5F, wide);
    top = clip(least(a->p[1], b->p[1], c->p[1]) + .5F, high);
    right = clip(.5F - least(-a->p[0], -b->p[0], -c->p[0]), wide);
    bottom = clip(.5F - least(-a->p[1], -b->p[1], -c->p[1]), high);
    for (int y = top; y < bottom; y++)
        for (int x = left; x < right; x++) {
            float px = (float)x + .5F, py = (float)y + .5F, u = edge(b->p, c->p, px, py) * inv,
                  v = edge(c->p, a->p, px, py) * inv, w = 1 - u - v, z;
            size_t i = (size_t)y * wide + x;

            if (u < 0 || v < 0 || w < -1e-6F)
                continue;
            z = u * a->p[2] + v * b->p[2] + w * c->p[2];
            if (z <= s->depth[i])
                continue;
            s->depth[i] = z;
            for (int k = 0; k < 3; k++)
                s->colour[3 * i + k] = u * a->c[k] + v * b->c[k] + w * c->c[k];
        }
}

static void draw_all(face_studio *s) {
    const face_mesh *m = &s->mesh;

    for (int r = 0; r + 1 < m->rows; r++)
        for (int c = 0; c + 1 < m->cols; c++) {
            const face_point *p = &m->points[r * m->cols + c], *q = p + m->cols;

            if (p->cover <= 0 || p[1].cover <= 0 || q->cover <= 0 || q[1].cover <= 0)
                continue;
            draw(s, p, p + 1, q);
            draw(s, p + 1, q + 1, q);
        }
}

void face_light(face_studio *s, const face_view *view) {
    face_mesh *m = &s->mesh;
    const lamp l = lamp_of(view);
    const turning t = turn_of(view, m->follow);
    size_t n = (size_t)m->rows * m->cols;

    normals(m);
    for (size_t i = 0; i < n; i++)
        m->points[i].u = s->raised[i]; /* the height itself, while its mean is made */
    hollows(s);
    for (size_t i = 0; i < n; i++) {
        face_point *p = &m->points[i];

        turn(&t, p->p);
        turn(&t, p->n);
        shade(&l, p, smooth_clamp(1 + 3.4F * (p->u - s->raised[i]), .5F, 1.15F));
        project(s, view, p);
    }
    draw_all(s);
}

/* ---- film ---- */

/* A binomial of three, weights k, 1 - 2k, k, each way; the edge stays. */
static void soften(float *at, size_t width, size_t height, float k) {
    for (size_t y = 0; y < height; y++) {
        float *row = at + 3 * width * y;

        for (int c = 0; c < 3; c++) {
            float before = row[c];

            for (size_t x = 1; x + 1 < width; x++) {
                float here = row[3 * x + c];

                row[3 * x + c] = here + k * (before - 2 * here + row[3 * x + 3 + c]);
                before = here;
            }
        }
    }
    for (size_t x = 0; x < 3 * width; x++) {
        float before = at[x];

        for (size_t y = 1; y + 1 < height; y++) {
            float here = at[3 * width * y + x];

            at[3 * width * y + x] = here + k * (before - 2 * here + at[3 * width * (y + 1) + x]);
            before = here;
        }
    }
}

/* Four samples to a pixel, in place: it is read no later than it is overwritten. */
static void shrink(face_studio *s, const face_view *v) {
    const float balance[3] = {1 + v->warm, 1, 1 - v->warm};
    size_t wide = (size_t)s->width * FINE;

    for (size_t y = 0; y < s->height; y++)
        for (size_t x = 0; x < s->width; x++)
            for (size_t k = 0; k < 3; k++) {
                const float *up = s->colour + 3 * (FINE * y * wide + FINE * x) + k,
                            *low = up + 3 * wide;
                float c = .25F * (up[0] + up[3] + low[0] + low[3]) * v->exposure * balance[k];

                s->colour[3 * (y * s->width + x) + k] = sqrtf(smooth_clamp(c, 0, 1));
            }
}

void face_develop(face_studio *s, const face_view *view, uint8_t *ret) {
    atg_rng rng = atg_rng_seed(view->seed + 99);
    size_t n = (size_t)s->width * s->height * 3;

    shrink(s, view);
    soften(s->colour, s->width, s->height, view->blur);
    for (size_t i = 0; i < n; i += 3) {
        uint64_t bits = atg_rng_next(&rng);

        for (size_t k = 0; k < 3; k++, bits >>= 16) {
            float grain = (float)(bits & 255) + (float)(bits >> 8 & 255) - 255; /* sd 104 */

            ret[i + k] = (uint8_t)smooth_clamp(
                s->colour[i + k] * 255 + grain * view->noise * .0096F + .5F, 0, 255);
        }
    }
}

void face_draw(face_studio *s, const face_person *who, const face_view *view, uint8_t *ret) {
    smooth_noise_make(who->seed, &s->noise);
    face_ground(s, view);
    face_body(s, who, view);
    face_light(s, view);
    if (who->length > .2F) {
        face_locks(s, who, view);
        face_light(s, view);
    }
    face_form(s, who, view);
    face_paint(s, who, view);
    face_dress(s, who, view);
    face_light(s, view);
    face_develop(s, view, ret);
}
