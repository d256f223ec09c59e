/* SPDX-License-Identifier: Apache-2.0 */
/* Looking for faces, coarse to fine.  A face that is plain at a coarse level, and so large there
 * that one of half its size would be seen as well, needs no sweep over all turns at a finer one.
 * Each face that is found is then looked at once more, upright and at the size that the detector
 * knows best: so its landmarks do not depend on how it lay in the picture. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "worker/face.h"

enum {
    TILE = 704,    /* pixels along a side that are looked at at once: memory grows with them */
    OVERLAP = 128, /* of tiles, so that a face which a coarser level may miss lies in one whole */
    TILES = 16,    /* of one look, at most */
    STEP = 32,     /* sides of an input are multiples of it */
    CLOSER = 256,  /* sides of the input when one face is looked at again ... */
    CLOSER_FACE = 112, /* ... and the width of the face in it */
    ENLARGED = 2,      /* a face is enlarged no more than so many times for it */
};

/* One of half the width may be missed there, and would not change which face is meant. */
static const double plain_score = 0.8, plain_width = 32; /* pixels of the level */

typedef struct tile {
    face_look look;
    face_list list;
    face_found room[FACE_FOUND_MAX];
} tile;

typedef struct search {
    const face_nets *nets;
    const face_picture *picture;
    face_detect_options options;
    uint32_t n_looks, n_levels;
    face_look looks[FACE_LOOKS_MAX];
    face_level levels[FACE_LEVELS + 1]; /* the coarsest one first, then the picture itself */
    face_list *list;
    uint32_t n_tiles;
    tile tiles[FACE_TURNS * TILES];
} search;

/* ---- levels ---- */

static uint32_t longer(const face_picture *p) {
    return p->width > p->height ? p->width : p->height;
}

/* Each is made of the next finer one. */
static int make_levels(search *s, atg_err *err) {
    face_level finer = {longer(s->picture), 1, *s->picture, NULL};
    int rc = ATG_OK;

    for (uint32_t i = 0; i < s->n_looks; i++)
        if (i == 0 || s->looks[i].long_side != s->looks[i - 1].long_side)
            s->levels[s->n_levels++].long_side = s->looks[i].long_side;
    s->levels[s->n_levels] = finer;
    for (uint32_t i = s->n_levels; i-- && !rc;) {
        uint32_t side = s->levels[i].long_side;
        double scale = (double)side / longer(s->picture) / finer.scale;

        if (scale < 1)
            rc = face_level_make(&finer, side, scale, &s->levels[i], err);
        else
            s->levels[i] = (face_level){side, finer.scale, finer.picture, NULL};
        finer = s->levels[i];
    }
    return rc;
}

/* The coarsest level at which nothing has to be enlarged to be seen at `scale`. */
static const face_level *level_for(const search *s, double scale) {
    uint32_t i = 0;

    while (i < s->n_levels && s->levels[i].scale < scale * 0.999)
        i++;
    return &s->levels[i];
}

/* ---- one look ---- */

static int look_at(const search *s, const face_look *look, face_list *list, atg_err *err) {
    const face_level *level = level_for(s, face_scale(&look->to));
    face_transform up = {1 / level->scale, 0, 0, 0}, to = face_chain(&up, &look->to);
    MEM_AUTO float *planes = mem_alloc((size_t)3 * look->width * look->height * sizeof(float));
    ort_result result;
    face_tensors tensors;
    int rc;

    if (!planes)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a picture");
    face_level_planes(&level->picture, &to, look->width, look->height,
                      &s->nets->values[WORKER_DETECTOR], s->nets->model[WORKER_DETECTOR].input.bgr,
                      planes);
    rc = face_nets_detect(s->nets, planes, look->width, look->height, &result, &tensors, err);
    if (rc)
        return rc;
    rc = face_decode(look, 0, &tensors, &s->options, list, err);
    ort_result_close(&result);
    return rc;
}

/* ---- tiles of a look ---- */

static bool apart(const face_transform *t, double x0, double y0, double x1, double y1, double width,
                  double height) {
    double least[2] = {INFINITY, INFINITY}, most[2] = {-INFINITY, -INFINITY};

    for (int i = 0; i < 4; i++) {
        face_point p = face_map(t, (face_point){i & 1 ? x1 : x0, i & 2 ? y1 : y0});

        least[0] = fmin(least[0], p.x);
        least[1] = fmin(least[1], p.y);
        most[0] = fmax(most[0], p.x);
        most[1] = fmax(most[1], p.y);
    }
    return most[0] <= 0 || most[1] <= 0 || least[0] >= width || least[1] >= height;
}

/* Is there nothing of the picture in it?  (Two rectangles are apart when they are so along a side
 * of one of them.) */
static bool empty(const search *s, const face_look *look) {
    face_transform back = face_invert(&look->to);

    return apart(&look->to, 0, 0, s->picture->width, s->picture->height, look->width,
                 look->height) ||
           apart(&back, 0, 0, look->width, look->height, s->picture->width, s->picture->height);
}

static uint32_t tiles_along(uint32_t side) {
    return side <= TILE ? 1 : (side - OVERLAP + TILE - OVERLAP - 1) / (TILE - OVERLAP);
}

static uint32_t tile_side(uint32_t side, uint32_t n) {
    return ((side + (n - 1) * OVERLAP) / n + STEP - 1) / STEP * STEP;
}

static void add_tiles(search *s, const face_look *look) {
    uint32_t across = tiles_along(look->width), down = tiles_along(look->height);
    uint32_t width = tile_side(look->width, across), height = tile_side(look->height, down);

    for (uint32_t i = 0; i < across * down && i < TILES; i++) {
        tile *t = &s->tiles[s->n_tiles];
        uint32_t x = i % across, y = i / across;

        t->look = *look;
        t->look.width = width;
        t->look.height = height;
        t->look.to.tx -= across > 1 ? (double)x * (look->width - width) / (across - 1) : 0;
        t->look.to.ty -= down > 1 ? (double)y * (look->height - height) / (down - 1) : 0;
        t->list = (face_list){0, FACE_FOUND_MAX, t->room, 0};
        s->n_tiles += !empty(s, &t->look);
    }
}

static int one_tile(void *user, uint32_t thread, uint64_t piece, atg_err *err) {
    search *s = user;

    (void)thread;
    return look_at(s, &s->tiles[piece].look, &s->tiles[piece].list, err);
}

/* In the order of the tiles, whichever thread was faster. */
static void gather(search *s, const face_list *from) {
    for (uint32_t i = 0; i < from->n; i++) {
        if (s->list->n == s->list->room)
            face_merge(&s->options, s->list);
        if (s->list->n < s->list->room)
            s->list->found[s->list->n++] = from->found[i];
    }
}

/* The looks from `first` on that belong to one level; gives the first one behind them. */
static int look_around(search *s, uint32_t first, uint32_t *ret_behind, atg_err *err) {
    uint32_t behind = first;
    int rc;

    s->n_tiles = 0;
    while (behind < s->n_looks && s->looks[behind].long_side == s->looks[first].long_side)
        add_tiles(s, &s->looks[behind++]);
    rc = parallel_run(s->nets->threads, s->n_tiles, one_tile, s, NULL, NULL, err);
    for (uint32_t i = 0; i < s->n_tiles && !rc; i++)
        gather(s, &s->tiles[i].list);
    face_merge(&s->options, s->list);
    *ret_behind = behind;
    return rc;
}

static bool plain(const search *s, double scale) {
    const face_found *best = s->list->n ? &s->list->found[0] : NULL;

    return best && best->score >= plain_score && best->width * scale >= plain_width;
}

/* ---- one face again ---- */

/* Upright by its landmarks, in the middle, as wide as the detector knows best. */
static bool closer_look(const face_found *f, face_look *ret) {
    double side = fmax(f->width, f->height), scale = fmin(CLOSER_FACE / side, ENLARGED);
    face_transform t;

    if (face_fit(&f->marks, &face_template, &t, NULL, NULL))
        return false;
    scale /= face_scale(&t);
    *ret = (face_look){.width = CLOSER, .height = CLOSER, .to = {t.a * scale, t.b * scale, 0, 0}};

    face_point middle = face_map(&ret->to, f->centre);

    ret->to.tx = CLOSER / 2.0 - middle.x;
    ret->to.ty = CLOSER / 2.0 - middle.y;
    return true;
}

/* What is seen there takes its place, when it is the same face and as good. */
static int look_closer(search *s, face_found *f, atg_err *err) {
    tile *t = &s->tiles[0];
    int rc;

    if (!closer_look(f, &t->look))
        return ATG_OK;
    t->list = (face_list){0, FACE_FOUND_MAX, t->room, 0};
    rc = look_at(s, &t->look, &t->list, err);
    face_merge(&s->options, &t->list);
    for (uint32_t i = 0; i < t->list.n && !rc; i++) {
        const face_found *seen = &t->list.found[i];
        double away = hypot(seen->centre.x - f->centre.x, seen->centre.y - f->centre.y);

        if (away > f->width / 3 || seen->score < s->options.score)
            continue;
        *f = *seen;
        break;
    }
    return rc;
}

/* ---- all of it ---- */

static int run(search *s, bool thorough, atg_err *err) {
    uint32_t next = 0;
    int rc = make_levels(s, err);

    while (!rc && next < s->n_looks) {
        double scale = (double)s->looks[next].long_side / longer(s->picture);

        rc = look_around(s, next, &next, err);
        if (!thorough && plain(s, scale))
            break;
    }
    for (uint32_t i = 0; i < s->list->n && i < WORKER_FACES_MAX && !rc; i++)
        rc = look_closer(s, &s->list->found[i], err);
    face_merge(&s->options, s->list);
    for (uint32_t i = 0; i < s->n_levels; i++)
        face_level_free(&s->levels[i]);
    return rc;
}

int face_find(const face_nets *nets, const face_picture *picture, bool thorough, face_list *list,
              atg_err *err) {
    search *s = mem_zero(1, sizeof(*s));
    int rc;

    if (!s)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a picture");
    s->nets = nets;
    s->picture = picture;
    s->list = list;
    s->options = face_detect_default();
    s->n_looks = face_plan(picture->width, picture->height, s->looks);
    rc = run(s, thorough, err);
    mem_free(s);
    return rc;
}
