/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>

#include "report/html.h"
#include "report/pedigree.h"

enum { BAR = 168, BAR_HIGH = 18, SHORT_ID = 24, SCRATCH = 64 << 20, PEDIGREE_WIDTH = 1080 };

void html(const page *p, const char *markup) {
    atg_buf_adds(p->buf, markup);
}

void html_text(const page *p, atg_str s) {
    escape(p->buf, s);
}

void html_number(const page *p, const char *number) {
    if (*number == '-' && number[1]) {
        html(p, "\xe2\x88\x92");
        number++;
    }
    if (*number == '-') {
        html(p, "\xe2\x80\x93");
        return;
    }

    atg_str exponent = atg_str_of(number), mantissa = atg_str_cut(&exponent, 'e');

    if (exponent.n == 0 || mantissa.n == 0 || mantissa.p[mantissa.n - 1] < '0' ||
        mantissa.p[mantissa.n - 1] > '9') {
        html_text(p, atg_str_of(number));
        return;
    }
    html_text(p, mantissa);
    html(p, "\xc2\xa0\xc3\x97\xc2\xa0"
            "10<sup>");
    if (*exponent.p == '-')
        html(p, "\xe2\x88\x92");
    html_text(p, (atg_str){exponent.p + 1, exponent.n - 1});
    html(p, "</sup>");
}

void html_word(const page *p, atg_conclusion conclusion, bool refused) {
    static const char *const signs[] = {
        [ATG_INSUFFICIENT] = "<circle cx=\"6\" cy=\"6\" r=\"4.6\" fill=\"none\" "
                             "stroke=\"currentColor\" stroke-width=\"1.6\"/>",
        [ATG_POSSIBLE] = "<circle cx=\"6\" cy=\"6\" r=\"4.6\" fill=\"none\" "
                         "stroke=\"currentColor\" stroke-width=\"1.6\"/>"
                         "<path d=\"M6 1.4a4.6 4.6 0 0 0 0 9.2z\" fill=\"currentColor\"/>",
        [ATG_PROBABLE] = "<circle cx=\"6\" cy=\"6\" r=\"5.4\" fill=\"currentColor\"/>",
        [ATG_EXCLUDED] = "<path d=\"M2 2l8 8M10 2l-8 8\" stroke=\"currentColor\" "
                         "stroke-width=\"2\"/>",
    };
    static const char dash[] = "<path d=\"M1.5 6h9\" stroke=\"currentColor\" stroke-width=\"2\"/>";
    const char *word = refused ? "refused" : atg_conclusion_word(conclusion);

    atg_buf_printf(p->buf,
                   "<span class=\"word %s\"><svg viewBox=\"0 0 12 12\" "
                   "aria-hidden=\"true\">%s</svg>%s</span>",
                   word, refused ? dash : signs[conclusion], word);
}

void html_genotype(const page *p, uint32_t marker, atg_geno g, atg_sex sex) {
    const atg_marker *m = &p->v.run->op->markers[marker];

    if (g.a < 0 || g.a >= m->n) {
        html(p, "\xc2\xb7");
        return;
    }
    if (g.b >= 0 && g.b < g.a)
        g = (atg_geno){g.b, g.a};
    html_text(p, m->labels[g.a]);
    if (g.a == g.b && ((m->chrom == ATG_CHROM_X && sex == ATG_SEX_MALE) || m->chrom == ATG_CHROM_Y))
        return; /* one copy */
    html(p, "/");
    html_text(p, g.b >= 0 && g.b < m->n ? m->labels[g.b] : ATG_STR("\xe2\x80\x93"));
}

void html_id(const page *p, atg_str id) {
    html(p, shown_columns(id) > SHORT_ID ? "<span class=\"id long\">" : "<span class=\"id\">");
    html_text(p, id);
    html(p, "</span>");
}

void html_body_link(const page *p, uint32_t sample) {
    bool link = p->detailed[sample];

    if (link)
        atg_buf_printf(p->buf, "<a href=\"#b%u\">", sample);
    html_id(p, p->v.run->merged->samples[sample].id);
    if (link)
        html(p, "</a>");
}

static double bar_x(const page *p, double log10_lr) {
    double x = log10_lr < p->lo ? p->lo : log10_lr > p->hi ? p->hi : log10_lr;

    return 2 + (x - p->lo) / (p->hi - p->lo) * (BAR - 10);
}

void html_bar(const page *p, double log10_lr) {
    double zero = bar_x(p, 0), need = bar_x(p, p->need);
    double from, to;

    if (isnan(log10_lr))
        return;
    atg_buf_printf(p->buf,
                   "<svg class=\"bar\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" "
                   "aria-hidden=\"true\">",
                   BAR, BAR_HIGH, BAR, BAR_HIGH);
    from = log10_lr < 0 ? bar_x(p, log10_lr) : zero;
    to = log10_lr < 0 ? zero : bar_x(p, log10_lr);
    if (isfinite(log10_lr))
        atg_buf_printf(p->buf, "<rect%s x=\"%.1f\" y=\"5\" width=\"%.1f\" height=\"8\"/>",
                       log10_lr >= p->need ? " class=\"over\"" : "", from, to - from);
    atg_buf_printf(p->buf,
                   "<path class=\"zero\" d=\"M%.1f 1V17\"/><path class=\"need\" d=\"M%.1f 0V18\"/>",
                   zero, need);
    if (log10_lr == -INFINITY)
        html(p, "<path class=\"mark\" d=\"M3 5l8 8M11 5l-8 8\"/>");
    else if (log10_lr < p->lo)
        html(p, "<path class=\"mark\" d=\"M8 5l-5 4 5 4\"/>");
    else if (log10_lr > p->hi)
        atg_buf_printf(p->buf, "<path class=\"mark\" d=\"M%d 5l5 4-5 4\"/>", BAR - 7);
    html(p, "</svg>");
}

void html_axis(const page *p) {
    char need[VIEW_NUMBER];

    snprintf(need, sizeof(need), "%.3g", round(p->need * 10) / 10);
    atg_buf_printf(p->buf,
                   "<svg class=\"axis\" width=\"%d\" height=\"14\" viewBox=\"0 0 %d 14\" "
                   "role=\"img\" aria-label=\"Axis: 0, the dashed line at %s, and %.0f\">"
                   "<text x=\"%.1f\" y=\"11\" text-anchor=\"middle\">0</text>"
                   "<text x=\"%.1f\" y=\"11\" text-anchor=\"middle\">%s</text>"
                   "<text x=\"%.1f\" y=\"11\" text-anchor=\"end\">%.0f</text></svg>",
                   BAR, BAR, need, p->hi, bar_x(p, 0), bar_x(p, p->need), need, bar_x(p, p->hi) + 6,
                   p->hi);
}

void html_cut_note(const page *p, uint32_t shown, uint32_t of, const char *what) {
    if (shown < of)
        atg_buf_printf(p->buf,
                       "<p class=\"note\">This page shows %u of %u %s; the JSON document has all "
                       "of them.</p>\n",
                       shown, of, what);
}

bool html_withheld(const page *p, uint32_t family) {
    const atg_family_check *check = view_check(&p->v, family);

    return !p->for_geneticist && check && !check->fits;
}

void html_pedigree(const page *p, uint32_t missing, int32_t sample) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(SCRATCH);
    const atg_missing *m = &p->v.run->op->missing[missing];
    atg_str who = sample < 0
                      ? ATG_STR("missing")
                      : view_printf(&p->v, "%.*s?", ATG_FMT(p->v.run->merged->samples[sample].id));
    const pedigree_look look = {.width = PEDIGREE_WIDTH, .focus = (int32_t)m->person, .under = who};
    ATG_AUTO(atg_buf) svg = atg_buf_new(SCRATCH);
    atg_str s;
    int rc =
        arena && svg ? pedigree_svg(arena, p->v.run->op, m->family, &look, svg, NULL) : ATG_ENOMEM;

    if (!rc)
        rc = atg_buf_take(svg, &s, NULL);
    if (rc == ATG_ENOMEM)
        *p->v.failed = true;
    html(p, "<div class=\"scroll\">");
    if (rc)
        html(p, "<p class=\"note\">This family is too large to be drawn.</p>");
    else
        atg_buf_add(p->buf, s);
    html(p, "</div>");
}
