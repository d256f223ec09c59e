/* SPDX-License-Identifier: Apache-2.0 */
#include "face/detect.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

enum { CANDIDATES_MAX = 5000 /* of one look, the best; as OpenCV keeps */ };

static const uint32_t strides[FACE_STRIDES] = {8, 16, 32};

face_detect_options face_detect_default(void) {
    return (face_detect_options){.score = 0.6, .overlap = 0.3};
}

static uint32_t whole_cells(double pixels) {
    double cells = ceil(pixels / 32 - 1e-9);

    return (uint32_t)(cells < 1 ? 1 : cells) * 32;
}

/* The picture turned about its middle, which comes to the middle of the input. */
static face_look look_at(uint32_t width, uint32_t height, uint32_t long_side, uint32_t turn) {
    static const double half = M_SQRT1_2;
    static const double cosines[FACE_TURNS] = {1, half, 0, -half, -1, -half, 0, half};
    double scale = (double)long_side / (width > height ? width : height);
    double c = cosines[turn], s = cosines[(turn + 6) % FACE_TURNS];
    double w = scale * width, h = scale * height;
    face_look look = {.long_side = long_side,
                      .turn = turn,
                      .width = whole_cells(w * fabs(c) + h * fabs(s)),
                      .height = whole_cells(w * fabs(s) + h * fabs(c)),
                      .to = {scale * c, scale * s, 0, 0}};
    face_point middle = face_map(&look.to, (face_point){width / 2.0, height / 2.0});

    look.to.tx = look.width / 2.0 - middle.x;
    look.to.ty = look.height / 2.0 - middle.y;
    return look;
}

uint32_t face_plan(uint32_t width, uint32_t height, face_look ret[FACE_LOOKS_MAX]) {
    uint32_t longest = width > height ? width : height, n = 0, before = 0;

    if (width == 0 || height == 0 || longest > FACE_PICTURE_MAX)
        return 0;
    for (uint32_t level = 0; level < FACE_LEVELS; level++) {
        uint32_t side = 320U << level;

        side = level > 0 && side > longest ? longest : side;
        if (side <= before)
            break;
        for (uint32_t turn = 0; turn < FACE_TURNS; turn++)
            ret[n++] = look_at(width, height, side, turn);
        before = side;
    }
    return n;
}

/* In the input's coordinates, upright. */
typedef struct candidate {
    double score;
    uint32_t number; /* of its cell: ties keep its order */
    double x, y, width, height;
    face_landmarks marks;
} candidate;

typedef struct candidates {
    candidate *p;
    size_t n, room;
} candidates;

static int add_candidate(candidates *all, const candidate *c, atg_err *err) {
    if (all->n == all->room) {
        size_t room = all->room ? 2 * all->room : 64;
        candidate *p = mem_grow(all->p, room * sizeof(*p));

        if (!p)
            return atg_fail(err, ATG_ENOMEM, "Memory is short for the faces of a picture");
        all->p = p;
        all->room = room;
    }
    all->p[all->n++] = *c;
    return ATG_OK;
}

static double unit(float x) {
    return x > 0 ? x < 1 ? (double)x : 1 : 0; /* 0 for NaN */
}

static bool plausible(const candidate *c, const face_look *look) {
    double most = 4.0 * (look->width + look->height);
    double sum = c->x + c->y + c->width + c->height;

    for (int i = 0; i < FACE_POINTS; i++)
        sum += c->marks.at[i].x + c->marks.at[i].y;
    return isfinite(sum) && c->width > 0 && c->height > 0 && c->width < most && c->height < most &&
           fabs(c->x) < most && fabs(c->y) < most;
}

static candidate read_cell(const face_tensors *t, int level, size_t cell, uint32_t columns) {
    size_t column = cell % columns, row = cell / columns;
    double s = strides[level], x = (double)column, y = (double)row;
    const float *box = t->bbox[level] + cell * 4, *kps = t->kps[level] + cell * 10;
    candidate c = {.x = (x + (double)box[0]) * s,
                   .y = (y + (double)box[1]) * s,
                   .width = exp((double)box[2]) * s,
                   .height = exp((double)box[3]) * s};

    for (size_t i = 0; i < FACE_POINTS; i++)
        c.marks.at[i] =
            (face_point){(x + (double)kps[2 * i]) * s, (y + (double)kps[2 * i + 1]) * s};
    return c;
}

static int read_cells(const face_look *look, const face_tensors *t, double least, candidates *all,
                      atg_err *err) {
    uint32_t number = 0;
    int rc = ATG_OK;

    for (int level = 0; level < FACE_STRIDES && !rc; level++) {
        uint32_t columns = look->width / strides[level], rows = look->height / strides[level];

        for (size_t cell = 0; cell < (size_t)columns * rows && !rc; cell++, number++) {
            double score = sqrt(unit(t->cls[level][cell]) * unit(t->obj[level][cell]));
            candidate c;

            if (score < least)
                continue;
            c = read_cell(t, level, cell, columns);
            c.score = score;
            c.number = number;
            if (plausible(&c, look))
                rc = add_candidate(all, &c, err);
        }
    }
    return rc;
}

static int better_first(const void *a, const void *b) {
    const candidate *x = a, *y = b;

    if (x->score != y->score)
        return x->score < y->score ? 1 : -1;
    return (x->number > y->number) - (x->number < y->number);
}

/* Intersection over union of two boxes about their centres. */
static double overlap(double dx, double dy, double w1, double h1, double w2, double h2) {
    double w = fmin(fmin(w1, w2), (w1 + w2) / 2 - fabs(dx));
    double h = fmin(fmin(h1, h2), (h1 + h2) / 2 - fabs(dy));
    double shared = w > 0 && h > 0 ? w * h : 0;

    return shared / (w1 * h1 + w2 * h2 - shared);
}

/* Keep, best first, what no better one covers.  Returns how many of `n` stay. */
static size_t suppress(candidate *p, size_t n, double most) {
    size_t kept = 0;

    for (size_t i = 0; i < n && kept < FACE_FOUND_MAX; i++) {
        bool covered = false;

        for (size_t k = 0; k < kept && !covered; k++)
            covered = overlap(p[i].x - p[k].x, p[i].y - p[k].y, p[i].width, p[i].height, p[k].width,
                              p[k].height) > most;
        if (!covered)
            p[kept++] = p[i];
    }
    return kept;
}

static void add_found(face_list *list, const face_found *f) {
    uint32_t weakest = 0;

    if (list->n < list->room) {
        list->found[list->n++] = *f;
        return;
    }
    list->dropped++;
    for (uint32_t i = 1; i < list->n; i++)
        if (list->found[i].score < list->found[weakest].score)
            weakest = i;
    if (list->n && list->found[weakest].score < f->score)
        list->found[weakest] = *f;
}

int face_decode(const face_look *look, uint32_t look_number, const face_tensors *tensors,
                const face_detect_options *options, face_list *list, atg_err *err) {
    candidates all = {NULL, 0, 0};
    face_transform back = face_invert(&look->to);
    double scale = face_scale(&back);
    int rc;

    if (look->width == 0 || look->height == 0 || look->width % 32 || look->height % 32)
        return atg_fail(err, ATG_EINVAL, "The detector's input must have multiples of 32 pixels");
    rc = read_cells(look, tensors, options->score, &all, err);
    if (!rc && all.n) {
        qsort(all.p, all.n, sizeof(*all.p), better_first);
        all.n = all.n < CANDIDATES_MAX ? all.n : CANDIDATES_MAX;
        all.n = suppress(all.p, all.n, options->overlap);
    }
    for (size_t i = 0; i < all.n && !rc; i++) {
        const candidate *c = &all.p[i];
        face_found f = {.score = c->score,
                        .centre = face_map(&back, (face_point){c->x, c->y}),
                        .width = c->width * scale,
                        .height = c->height * scale,
                        .angle = atan2(back.b, back.a),
                        .look = look_number};

        for (int k = 0; k < FACE_POINTS; k++)
            f.marks.at[k] = face_map(&back, c->marks.at[k]);
        add_found(list, &f);
    }
    mem_free(all.p);
    return rc;
}

static int better_found_first(const void *a, const void *b) {
    const face_found *x = a, *y = b;

    if (x->score != y->score)
        return x->score < y->score ? 1 : -1;
    return (x->look > y->look) - (x->look < y->look);
}

void face_merge(const face_detect_options *options, face_list *list) {
    uint32_t kept = 0;

    if (list->n)
        qsort(list->found, list->n, sizeof(*list->found), better_found_first);
    for (uint32_t i = 0; i < list->n; i++) {
        face_found f = list->found[i];
        double side = sqrt(f.width * f.height);
        bool covered = false;

        for (uint32_t k = 0; k < kept && !covered; k++) {
            const face_found *g = &list->found[k];
            double other = sqrt(g->width * g->height);

            covered = overlap(f.centre.x - g->centre.x, f.centre.y - g->centre.y, side, side, other,
                              other) > options->overlap;
        }
        if (!covered)
            list->found[kept++] = f;
    }
    list->n = kept;
}

int32_t face_choose(const face_list *list) {
    uint32_t largest = 0;

    for (uint32_t i = 1; i < list->n; i++)
        if (list->found[i].width > list->found[largest].width)
            largest = i;
    for (uint32_t i = 0; i < list->n; i++)
        if (i != largest && list->found[i].width * 2 > list->found[largest].width)
            return -1;
    return list->n ? (int32_t)largest : -1;
}
