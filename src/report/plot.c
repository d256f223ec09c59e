/* SPDX-License-Identifier: Apache-2.0 */
#include "report/plot.h"

#include <math.h>

#include "base/cllr.h"
#include "base/mem.h"

enum { WIDTH = 420, HEIGHT = 300, LEFT = 56, RIGHT = 16, TOP = 34, BOTTOM = 46, BINS = 10 };

/* Where the plot's own x runs from and to; y is a share, 0 to 1. */
typedef struct axes {
    atg_buf *buf;
    double from, to;
} axes;

static double px(const axes *a, double x) {
    return LEFT + (x - a->from) / (a->to - a->from) * (WIDTH - LEFT - RIGHT);
}

static double py(double y) {
    return TOP + (1 - y) * (HEIGHT - TOP - BOTTOM);
}

static void open_plot(const axes *a, const char *title, const char *x, const char *y) {
    atg_buf_printf(a->buf,
                   "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"%d\" "
                   "height=\"%d\" viewBox=\"0 0 %d %d\" aria-label=\"%s\" "
                   "font-family=\"system-ui, sans-serif\" font-size=\"11\" "
                   "text-anchor=\"middle\" fill=\"none\" stroke=\"currentColor\">\n",
                   WIDTH, HEIGHT, WIDTH, HEIGHT, title);
    atg_buf_printf(a->buf, "<path d=\"M%d %dV%dH%d\"/>\n<g fill=\"currentColor\" stroke=\"none\">",
                   LEFT, TOP, HEIGHT - BOTTOM, WIDTH - RIGHT);
    atg_buf_printf(a->buf, "<text x=\"%d\" y=\"%d\">%s</text>", (LEFT + WIDTH - RIGHT) / 2,
                   HEIGHT - 10, x);
    atg_buf_printf(a->buf, "<text transform=\"translate(14 %d) rotate(-90)\">%s</text>",
                   (TOP + HEIGHT - BOTTOM) / 2, y);
    for (int i = 0; i <= 4; i++)
        atg_buf_printf(a->buf, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%d %%</text>",
                       LEFT - 6, py(i / 4.0) + 4, i * 25);
}

/* Marks below the axis, in steps of `step`. */
static void close_axes(const axes *a, double step) {
    for (int i = (int)ceil(a->from / step); i * step <= a->to + 1e-9; i++)
        atg_buf_printf(a->buf, "<text x=\"%.1f\" y=\"%d\">%.4g</text>", px(a, i * step),
                       HEIGHT - BOTTOM + 16, i * step);
    atg_buf_adds(a->buf, "</g>\n");
}

static void key(const axes *a, double x, const char *dash, const char *text) {
    atg_buf_printf(a->buf,
                   "<path d=\"M%.1f 16h24\" stroke-width=\"1.8\"%s/><text x=\"%.1f\" y=\"20\" "
                   "text-anchor=\"start\" fill=\"currentColor\" stroke=\"none\">%s</text>\n",
                   x, dash, x + 30, text);
}

/* Steps down from 100 % at each value, with no more points than can be seen. */
static int falling(const axes *a, uint64_t n, const double *values, const char *dash,
                   atg_err *err) {
    MEM_AUTO double *sorted = mem_zero(n, sizeof(*sorted));
    uint64_t every = n / WIDTH + 1;

    if (!sorted)
        return atg_fail(err, ATG_ENOMEM, "Memory is short for a plot");
    for (uint64_t i = 0; i < n; i++)
        sorted[i] = values[i];
    cllr_sort_values(sorted, n);
    atg_buf_printf(a->buf, "<path stroke-width=\"1.8\"%s d=\"M%.1f %.1f", dash, px(a, a->from),
                   py(1));
    for (uint64_t i = 0; i < n; i += every) {
        uint64_t left = n - i < every ? 0 : n - i - every;

        atg_buf_printf(a->buf, "H%.1fV%.1f", px(a, sorted[i]), py((double)left / (double)n));
    }
    atg_buf_printf(a->buf, "H%.1f\"/>\n", px(a, a->to));
    return ATG_OK;
}

static int check(const plot_lrs *lrs, atg_err *err) {
    if (lrs->n_true && lrs->n_false)
        return ATG_OK;
    return atg_fail(err, ATG_EINVAL, "A plot of likelihood ratios needs true and false pairs");
}

static void widen(axes *a, uint64_t n, const double *values) {
    for (uint64_t i = 0; i < n; i++) {
        a->from = fmin(a->from, values[i]);
        a->to = fmax(a->to, values[i]);
    }
}

int plot_tippett(const plot_lrs *lrs, atg_buf *buf, atg_err *err) {
    static const char dashes[] = " stroke-dasharray=\"5 3\"";
    axes a = {buf, -1, 1};
    atg_str whole;
    int rc = check(lrs, err);

    if (rc)
        return rc;
    widen(&a, lrs->n_true, lrs->of_true);
    widen(&a, lrs->n_false, lrs->of_false);
    a.from = floor(a.from * 2) / 2;
    a.to = ceil(a.to * 2) / 2;
    open_plot(&a, "Tippett plot", "log10 LR", "pairs with this LR or more");
    close_axes(&a, a.to - a.from > 4 ? 1 : 0.5);
    key(&a, LEFT + 20, "", "same person");
    key(&a, LEFT + 170, dashes, "different persons");
    atg_buf_printf(buf, "<path d=\"M%.1f %dV%d\" stroke-opacity=\".35\"/>\n", px(&a, 0), TOP,
                   HEIGHT - BOTTOM);
    rc = falling(&a, lrs->n_true, lrs->of_true, "", err);
    if (!rc)
        rc = falling(&a, lrs->n_false, lrs->of_false, dashes, err);
    atg_buf_adds(buf, "</svg>\n");
    return rc ? rc : atg_buf_take(buf, &whole, err);
}

typedef struct bins {
    double sum[BINS]; /* of weighted posteriors */
    double weight[2][BINS];
    uint64_t n[BINS];
} bins;

/* Both kinds weigh the same in all: even prior odds. */
static void fill(bins *b, uint64_t n, const double *values, int kind) {
    for (uint64_t i = 0; i < n; i++) {
        double posterior = 1 / (1 + pow(10, -values[i])), w = 1 / (double)n;
        int at = (int)(posterior * BINS);

        at = at < BINS ? at : BINS - 1;
        b->sum[at] += w * posterior;
        b->weight[kind][at] += w;
        b->n[at]++;
    }
}

int plot_reliability(const plot_lrs *lrs, atg_buf *buf, atg_err *err) {
    axes a = {buf, 0, 1};
    bins b = {.n = {0}};
    atg_str whole;
    int rc = check(lrs, err);

    if (rc)
        return rc;
    fill(&b, lrs->n_true, lrs->of_true, 1);
    fill(&b, lrs->n_false, lrs->of_false, 0);
    open_plot(&a, "Reliability plot", "posterior that the LR gives, at even prior odds",
              "share that is true");
    close_axes(&a, 0.25);
    atg_buf_printf(buf, "<path d=\"M%.1f %.1fL%.1f %.1f\" stroke-opacity=\".35\"/>\n", px(&a, 0),
                   py(0), px(&a, 1), py(1));
    for (int i = 0; i < BINS; i++) {
        double w = b.weight[0][i] + b.weight[1][i], x, y;

        if (b.n[i] == 0)
            continue;
        x = px(&a, b.sum[i] / w);
        y = py(b.weight[1][i] / w);
        atg_buf_printf(buf,
                       "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" fill=\"currentColor\"/><text "
                       "x=\"%.1f\" y=\"%.1f\" fill=\"currentColor\" stroke=\"none\">%llu</text>\n",
                       x, y, x, y > TOP + 16 ? y - 8 : y + 16, (unsigned long long)b.n[i]);
    }
    atg_buf_adds(buf, "</svg>\n");
    return atg_buf_take(buf, &whole, err);
}
