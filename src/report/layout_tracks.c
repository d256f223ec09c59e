/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "report/layout.h"

static const double SIDE = 0.4;   /* free line at each side of a couple's drop */
static const double CLEAR = 0.12; /* between two lines of one level */

typedef struct span {
    double from, to;
    uint32_t *level;
} span;

static double between(double x, double lo, double hi) {
    return hi < lo ? (lo + hi) / 2 : x < lo ? lo : x > hi ? hi : x;
}

static uint32_t row_of(const layout *l, const layout_union *u) {
    return l->nodes[u->mates[0]].row;
}

/* The drop leaves right above the children where the couple's line allows it. */
static void place_drop(const layout *l, layout_union *u) {
    double x = layout_children_x(l, u);

    if (u->mates[1] < 0) {
        u->x = l->nodes[u->mates[0]].x;
        return;
    }

    const layout_node *a = &l->nodes[u->mates[0]], *b = &l->nodes[u->mates[1]];
    double lo = a->x < b->x ? a->x : b->x, hi = a->x < b->x ? b->x : a->x;

    u->beside = a->column + 1 == b->column || b->column + 1 == a->column;
    u->x = between(x, lo + SIDE, hi - SIDE);
}

static span couple_span(const layout *l, layout_union *u) {
    uint32_t other = u->mates[1] < 0 ? u->children[0] : (uint32_t)u->mates[1];
    double a = l->nodes[u->mates[0]].x, b = l->nodes[other].x;

    return (span){a < b ? a : b, a < b ? b : a, &u->couple_track};
}

static span bar_span(const layout *l, layout_union *u) {
    span s = {u->x, u->x, &u->bar_track};

    for (uint32_t i = 0; i < u->n_children; i++) {
        double x = l->nodes[u->children[i]].x;

        s.from = x < s.from ? x : s.from;
        s.to = x > s.to ? x : s.to;
    }
    return s;
}

/* Levels for spans that may not touch: by their left ends, each on the first level that is free.
 * Returns how many were used. */
static uint32_t level_spans(span *spans, uint32_t n, double *end) {
    uint32_t used = 0;

    for (uint32_t i = 1; i < n; i++)
        for (uint32_t k = i; k > 0 && spans[k].from < spans[k - 1].from; k--) {
            span t = spans[k];

            spans[k] = spans[k - 1];
            spans[k - 1] = t;
        }
    for (uint32_t i = 0; i < n; i++) {
        uint32_t level = 0;

        while (level < used && end[level] + CLEAR > spans[i].from)
            level++;
        if (level == used)
            used++;
        end[level] = spans[i].to;
        *spans[i].level = level;
    }
    return used;
}

static bool needs_couple_line(const layout_union *u) {
    return u->mates[1] >= 0 ? !u->beside : u->mating;
}

/* Passing lines go straight where only a little keeps them from it; deepest first. */
static void straighten(layout *l) {
    for (uint32_t r = l->n_rows; r-- > 0;)
        for (uint32_t i = 0; i < l->n_unions; i++) {
            const layout_union *u = &l->unions[i];
            layout_node *node = &l->nodes[u->mates[0]];
            double x = l->nodes[u->children[0]].x;

            if (node->row == r && node->person < 0 && u->mates[1] < 0 && fabs(node->x - x) < 0.2)
                node->x = x;
        }
}

int layout_tracks(atg_arena *arena, layout *l, atg_err *err) {
    span *spans = ATG_GET(arena, span, (size_t)l->n_unions + 1);
    double *end = ATG_GET(arena, double, (size_t)l->n_unions + 1);

    l->couple_tracks = ATG_GET(arena, uint32_t, (size_t)l->n_rows + 1);
    l->bar_tracks = ATG_GET(arena, uint32_t, (size_t)l->n_rows + 1);
    if (!spans || !end || !l->couple_tracks || !l->bar_tracks)
        return atg_fail(err, ATG_ENOMEM, "Out of memory drawing a pedigree");
    straighten(l);
    for (uint32_t u = 0; u < l->n_unions; u++)
        place_drop(l, &l->unions[u]);
    for (uint32_t r = 0; r < l->n_rows; r++) {
        uint32_t n = 0;

        for (uint32_t u = 0; u < l->n_unions; u++)
            if (row_of(l, &l->unions[u]) == r && needs_couple_line(&l->unions[u]))
                spans[n++] = couple_span(l, &l->unions[u]);
        l->couple_tracks[r] = level_spans(spans, n, end);
        n = 0;
        for (uint32_t u = 0; u < l->n_unions; u++)
            if (row_of(l, &l->unions[u]) == r && !l->unions[u].mating)
                spans[n++] = bar_span(l, &l->unions[u]);
        l->bar_tracks[r] = level_spans(spans, n, end);
    }
    return ATG_OK;
}

int layout_pedigree(atg_arena *arena, const atg_pedigree *ped, layout *ret, atg_err *err) {
    layout l = {0};
    int rc = layout_graph(arena, ped, &l, err);

    if (!rc)
        rc = layout_order(arena, &l, err);
    if (!rc)
        rc = layout_tracks(arena, &l, err);
    if (!rc)
        *ret = l;
    return rc;
}
