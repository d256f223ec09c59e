/* SPDX-License-Identifier: Apache-2.0 */
#include "report/plot.h"

#include <antigone/lineage.h>

#include <math.h>
#include <stdio.h>

#include "base/cllr.h"
#include "base/mem.h"

enum {
    WIDTH = 620,
    HEIGHT = 436,
    LEFT = 70,
    RIGHT = 20,
    TOP = 82,
    BOTTOM = 48,
    ROWS = 36, /* of numbers below an axis */
    BINS = 10,
    TEXT_MAX = 160,
};

#define TRUE_COLOUR "#0072B2"
#define FALSE_COLOUR "#D55E00"
#define GREY "#777"
#define DASHES " stroke-dasharray=\"7 4\""

static const double alpha = 0.025; /* at either side */

/* Where the plot's own coordinates run from and to, and how high the picture is. */
typedef struct axes {
    atg_buf *buf;
    double x_from, x_to, y_from, y_to;
    int bottom; /* of the plot, in pixels */
} axes;

static double px(const axes *a, double x) {
    return LEFT + (x - a->x_from) / (a->x_to - a->x_from) * (WIDTH - LEFT - RIGHT);
}

static double py(const axes *a, double y) {
    return TOP + (a->y_to - y) / (a->y_to - a->y_from) * (a->bottom - TOP);
}

static void text_at(const axes *a, double x, double y, const char *anchor, const char *text) {
    atg_buf_printf(a->buf, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>\n", x, y,
                   anchor, text);
}

static void line(const axes *a, const double from[2], const double to[2], const char *style) {
    atg_buf_printf(a->buf, "<path d=\"M%.1f %.1fL%.1f %.1f\" %s/>\n", px(a, from[0]),
                   py(a, from[1]), px(a, to[0]), py(a, to[1]), style);
}

static void upright(const axes *a, double x, const char *style) {
    line(a, (double[]){x, a->y_from}, (double[]){x, a->y_to}, style);
}

static void level(const axes *a, double y, const char *style) {
    line(a, (double[]){a->x_from, y}, (double[]){a->x_to, y}, style);
}

typedef struct labels {
    const char *title, *x, *y;
    double x_step, y_step;
    bool percent; /* y is a share */
} labels;

static void marks(const axes *a, const labels *l) {
    char text[TEXT_MAX];

    for (int i = (int)ceil(a->x_from / l->x_step - 1e-9); i * l->x_step <= a->x_to + 1e-9; i++) {
        upright(a, i * l->x_step, "stroke=\"#ddd\"");
        (void)snprintf(text, sizeof(text), "%.4g", i * l->x_step);
        text_at(a, px(a, i * l->x_step), a->bottom + 17, "middle", text);
    }
    for (int i = (int)ceil(a->y_from / l->y_step - 1e-9); i * l->y_step <= a->y_to + 1e-9; i++) {
        level(a, i * l->y_step, "stroke=\"#ddd\"");
        (void)snprintf(text, sizeof(text), l->percent ? "%.4g %%" : "%.4g",
                       i * l->y_step * (l->percent ? 100 : 1));
        text_at(a, LEFT - 7, py(a, i * l->y_step) + 4, "end", text);
    }
}

static void open_plot(const axes *a, const labels *l, int height) {
    atg_buf_printf(a->buf,
                   "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"%d\" "
                   "height=\"%d\" viewBox=\"0 0 %d %d\" aria-label=\"%s\" "
                   "font-family=\"system-ui, 'DejaVu Sans', sans-serif\" font-size=\"12\" "
                   "fill=\"#111\">\n<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n",
                   WIDTH, height, WIDTH, height, l->title, WIDTH, height);
    atg_buf_printf(a->buf,
                   "<text x=\"%d\" y=\"20\" font-size=\"14\" font-weight=\"bold\">%s</text>\n",
                   LEFT, l->title);
    marks(a, l);
    text_at(a, (LEFT + WIDTH - RIGHT) / 2.0, a->bottom + 38, "middle", l->x);
    atg_buf_printf(a->buf,
                   "<text transform=\"translate(18 %d) rotate(-90)\" "
                   "text-anchor=\"middle\">%s</text>\n",
                   (TOP + a->bottom) / 2, l->y);
    atg_buf_printf(a->buf, "<path d=\"M%d %dV%dH%d\" fill=\"none\" stroke=\"#111\"/>\n", LEFT, TOP,
                   a->bottom, WIDTH - RIGHT);
}

/* A line of the legend above the plot. */
static void key(const axes *a, int row, const char *style, const char *text) {
    int y = 38 + 17 * row;

    atg_buf_printf(a->buf, "<path d=\"M%d %dh30\" stroke-width=\"2\" %s/>", LEFT, y - 4, style);
    text_at(a, LEFT + 38, y, "start", text);
}

/* A line across the plot whose name stands above it. */
static void named(const axes *a, double x, const char *style, const char *name) {
    upright(a, x, style);
    text_at(a, px(a, x), TOP - 6, "middle", name);
}

#define DOTS "stroke=\"" GREY "\" stroke-dasharray=\"2 3\""

static int check(const plot_lrs *lrs, atg_err *err) {
    if (lrs->n_true && lrs->n_false)
        return ATG_OK;
    return atg_fail(err, ATG_EINVAL, "A plot of likelihood ratios needs true and false pairs");
}

/* ---- Tippett ---- */

/* Steps down from 100 % behind each value, with no more points than can be seen. */
static int falling(const axes *a, uint64_t n, const double *values, const char *style,
                   atg_err *err) {
    MEM_AUTO double *sorted = mem_zero(n, sizeof(*sorted));
    uint64_t every = n / WIDTH + 1;

    if (!sorted)
        return atg_fail(err, ATG_ENOMEM, "Memory is short for a plot");
    for (uint64_t i = 0; i < n; i++)
        sorted[i] = values[i];
    cllr_sort_values(sorted, n);
    atg_buf_printf(a->buf, "<path fill=\"none\" stroke-width=\"2\" %s d=\"M%.1f %.1f", style,
                   px(a, a->x_from), py(a, 1));
    for (uint64_t i = 0; i < n; i += every) {
        uint64_t left = n - i < every ? 0 : n - i - every;

        atg_buf_printf(a->buf, "H%.1fV%.1f", px(a, sorted[i]), py(a, (double)left / (double)n));
    }
    atg_buf_printf(a->buf, "H%.1f\"/>\n", px(a, a->x_to));
    return ATG_OK;
}

static void widen(axes *a, uint64_t n, const double *values) {
    for (uint64_t i = 0; i < n; i++) {
        a->x_from = fmin(a->x_from, values[i]);
        a->x_to = fmax(a->x_to, values[i]);
    }
}

/* The share of LRs that point away from the truth, in percent. */
static double misleading(uint64_t n, const double *values, bool of_true) {
    uint64_t wrong = 0;

    for (uint64_t i = 0; i < n; i++)
        wrong += of_true ? values[i] < 0 : values[i] > 0;
    return 100 * (double)wrong / (double)n;
}

static void tippett_keys(const axes *a, const plot_lrs *l) {
    char text[TEXT_MAX];

    (void)snprintf(text, sizeof(text), "same person: %llu pairs, %u persons; LR below 1 in %.2g %%",
                   (unsigned long long)l->n_true, l->n_cases,
                   misleading(l->n_true, l->of_true, true));
    key(a, 0, "stroke=\"" TRUE_COLOUR "\"", text);
    (void)snprintf(
        text, sizeof(text), "different persons: %llu pairs, %u persons; LR above 1 in %.2g %%",
        (unsigned long long)l->n_false, l->n_others, misleading(l->n_false, l->of_false, false));
    key(a, 1, "stroke=\"" FALSE_COLOUR "\"" DASHES, text);
}

int plot_tippett(const plot_lrs *lrs, atg_buf *buf, atg_err *err) {
    static const labels words = {.title = "Tippett plot",
                                 .x = "log10 LR",
                                 .y = "share of pairs with this LR or more",
                                 .x_step = 0.25,
                                 .y_step = 0.2,
                                 .percent = true};
    axes a = {buf, -1, 1, 0, 1, HEIGHT - BOTTOM};
    labels l = words;
    atg_str whole;
    int rc = check(lrs, err);

    if (rc)
        return rc;
    widen(&a, lrs->n_true, lrs->of_true);
    widen(&a, lrs->n_false, lrs->of_false);
    a.x_from = floor(a.x_from * 4) / 4 - 0.25;
    a.x_to = ceil(a.x_to * 4) / 4 + 0.25;
    l.x_step = a.x_to - a.x_from > 4 ? 1 : 0.25;
    open_plot(&a, &l, HEIGHT);
    tippett_keys(&a, lrs);
    named(&a, 0, "stroke=\"" GREY "\"", "LR = 1");
    for (int side = -1; side <= 1 && lrs->cap > 0; side += 2)
        named(&a, side * lrs->cap, DOTS, "cap");
    rc = falling(&a, lrs->n_true, lrs->of_true, "stroke=\"" TRUE_COLOUR "\"", err);
    if (!rc)
        rc = falling(&a, lrs->n_false, lrs->of_false, "stroke=\"" FALSE_COLOUR "\"" DASHES, err);
    atg_buf_adds(buf, "</svg>\n");
    return rc ? rc : atg_buf_take(buf, &whole, err);
}

/* ---- reliability ---- */

typedef struct bins {
    double sum[BINS]; /* of weighted posteriors */
    double weight[2][BINS];
    uint64_t n[2][BINS];
} bins;

/* Both kinds weigh the same in all: even prior odds. */
static void fill(bins *b, uint64_t n, const double *values, int kind) {
    for (uint64_t i = 0; i < n; i++) {
        double posterior = 1 / (1 + pow(10, -values[i])), w = 1 / (double)n;
        int at = (int)(posterior * BINS);

        at = at < BINS ? at : BINS - 1;
        b->sum[at] += w * posterior;
        b->weight[kind][at] += w;
        b->n[kind][at]++;
    }
}

/* A share of cases of one weight, brought to even prior odds. */
static double even(double share, const plot_lrs *l) {
    double of_true = share / l->n_cases, of_false = (1 - share) / l->n_others;

    return of_true + of_false > 0 ? of_true / (of_true + of_false) : 0;
}

/* Persons in place of pairs, rounded away from the share. */
static void interval(const plot_lrs *l, const bins *b, int i, double *ret_lower,
                     double *ret_upper) {
    double n_true = b->weight[1][i] * l->n_cases, n_false = b->weight[0][i] * l->n_others;
    uint64_t fewer = (uint64_t)floor(n_true + 1e-9), more = (uint64_t)ceil(n_true - 1e-9);

    *ret_lower =
        even(atg_clopper_pearson_lower(fewer, fewer + (uint64_t)ceil(n_false - 1e-9), alpha), l);
    *ret_upper =
        even(atg_clopper_pearson_upper(more, more + (uint64_t)floor(n_false + 1e-9), alpha), l);
}

static void draw_bin(const axes *a, const plot_lrs *l, const bins *b, int i) {
    double w = b->weight[0][i] + b->weight[1][i], x = b->sum[i] / w, lower, upper;

    interval(l, b, i, &lower, &upper);
    line(a, (double[]){x, lower}, (double[]){x, upper},
         "stroke=\"" TRUE_COLOUR "\" stroke-width=\"1.5\"");
    atg_buf_printf(a->buf, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4.5\" fill=\"" TRUE_COLOUR "\"/>\n",
                   px(a, x), py(a, b->weight[1][i] / w));
}

/* Numbers of pairs below the bins. */
static void bin_rows(const axes *a, const bins *b) {
    static const char *const names[2] = {"different", "same"};
    char text[TEXT_MAX];

    for (int kind = 1; kind >= 0; kind--) {
        double y = a->bottom + 58 + (kind ? 0 : 16);

        text_at(a, LEFT - 7, y, "end", names[kind]);
        for (int i = 0; i < BINS; i++) {
            (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)b->n[kind][i]);
            text_at(a, px(a, (i + 0.5) / BINS), y, "middle", text);
        }
    }
}

int plot_reliability(const plot_lrs *lrs, atg_buf *buf, atg_err *err) {
    static const labels words = {.title = "Reliability plot",
                                 .x = "posterior probability that the LR gives, at even prior odds",
                                 .y = "share of the same person, at even prior odds",
                                 .x_step = 0.1,
                                 .y_step = 0.2,
                                 .percent = true};
    axes a = {buf, 0, 1, 0, 1, HEIGHT - BOTTOM};
    bins b = {.n = {{0}}};
    atg_str whole;
    int rc = check(lrs, err);

    if (rc)
        return rc;
    fill(&b, lrs->n_true, lrs->of_true, 1);
    fill(&b, lrs->n_false, lrs->of_false, 0);
    open_plot(&a, &words, HEIGHT + ROWS);
    key(&a, 0, "stroke=\"" TRUE_COLOUR "\"",
        "a bin, with a 95 % interval that counts persons; its numbers of pairs stand below");
    atg_buf_printf(buf, "<circle cx=\"%d\" cy=\"34\" r=\"4.5\" fill=\"" TRUE_COLOUR "\"/>\n",
                   LEFT + 15);
    key(&a, 1, "stroke=\"" GREY "\"", "perfect calibration");
    for (int side = -1; side <= 1 && lrs->cap > 0; side += 2)
        named(&a, 1 / (1 + pow(10, -side * lrs->cap)), DOTS, "cap");
    line(&a, (double[]){0, 0}, (double[]){1, 1}, "stroke=\"" GREY "\"");
    for (int i = 0; i < BINS; i++)
        if (b.n[0][i] + b.n[1][i])
            draw_bin(&a, lrs, &b, i);
    bin_rows(&a, &b);
    atg_buf_adds(buf, "</svg>\n");
    return atg_buf_take(buf, &whole, err);
}

/* ---- what a score weighs ---- */

enum { PARTS = 8 }; /* of a piece between two points: the cap cuts it off */

/* The k-th of a path through the points, cut off at the cap. */
static plot_point on_path(const plot_point *points, uint32_t k, double cap) {
    const plot_point *p = &points[k / PARTS];
    double share = (double)(k % PARTS) / PARTS;
    plot_point ret = *p;

    if (share > 0) {
        ret.score += share * (p[1].score - p->score);
        ret.log10_lr += share * (p[1].log10_lr - p->log10_lr);
        ret.lower += share * (p[1].lower - p->lower);
        ret.upper += share * (p[1].upper - p->upper);
    }
    ret.log10_lr = fmax(-cap, fmin(cap, ret.log10_lr));
    ret.lower = fmax(-cap, fmin(cap, ret.lower));
    ret.upper = fmax(-cap, fmin(cap, ret.upper));
    return ret;
}

/* The upper edge on, then the lower one back. */
static void band(const axes *a, const plot_point *points, uint32_t n, double cap) {
    atg_buf_adds(a->buf,
                 "<path stroke=\"none\" fill=\"" TRUE_COLOUR "\" fill-opacity=\".18\" d=\"");
    for (uint32_t i = 0; i < 2 * n; i++) {
        plot_point q = on_path(points, i < n ? i : 2 * n - 1 - i, cap);

        atg_buf_printf(a->buf, "%c%.1f %.1f", i ? 'L' : 'M', px(a, q.score),
                       py(a, i < n ? q.upper : q.lower));
    }
    atg_buf_adds(a->buf, "Z\"/>\n");
}

int plot_calibration(const plot_point *points, uint32_t n, double cap, atg_buf *buf, atg_err *err) {
    static const labels words = {.title = "What a score weighs",
                                 .x = "score (cosine of two templates)",
                                 .y = "log10 LR",
                                 .x_step = 0.05,
                                 .y_step = 0.25,
                                 .percent = false};
    axes a = {.buf = buf, .y_from = -1.25, .y_to = 1.25, .bottom = HEIGHT - BOTTOM};
    uint32_t all = n < 2 ? 0 : (n - 1) * PARTS + 1;
    labels l = words;
    atg_str whole;

    if (n < 2)
        return atg_fail(err, ATG_EINVAL, "A calibration has at least two points");
    a.x_from = floor(points[0].score * 20) / 20;
    a.x_to = ceil(points[n - 1].score * 20) / 20;
    l.x_step = a.x_to - a.x_from > 0.7 ? 0.2 : 0.05;
    open_plot(&a, &l, HEIGHT);
    key(&a, 0, "stroke=\"" TRUE_COLOUR "\"", "the calibration that is kept");
    atg_buf_printf(buf,
                   "<rect x=\"%d\" y=\"45\" width=\"30\" height=\"12\" fill=\"" TRUE_COLOUR
                   "\" fill-opacity=\".18\"/>\n",
                   LEFT);
    text_at(&a, LEFT + 38, 55, "start", "95 % interval, by bootstrap over persons");
    level(&a, 0, "stroke=\"" GREY "\"");
    for (int side = -1; side <= 1; side += 2) {
        level(&a, side * cap, DOTS);
        text_at(&a, LEFT + 6, py(&a, side * cap) - 4, "start", "cap");
    }
    band(&a, points, all, cap);
    atg_buf_adds(buf, "<path fill=\"none\" stroke=\"" TRUE_COLOUR "\" stroke-width=\"2\" d=\"");
    for (uint32_t i = 0; i < all; i++) {
        plot_point q = on_path(points, i, cap);

        atg_buf_printf(buf, "%c%.1f %.1f", i ? 'L' : 'M', px(&a, q.score), py(&a, q.log10_lr));
    }
    atg_buf_adds(buf, "\"/>\n</svg>\n");
    return atg_buf_take(buf, &whole, err);
}
