/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "report/html.h"

/* The order in which words are counted and shown. */
static const atg_conclusion shown_order[] = {ATG_PROBABLE, ATG_POSSIBLE, ATG_INSUFFICIENT,
                                             ATG_EXCLUDED};

static void share_bar(const page *p, const uint32_t counts[VIEW_CONCLUSIONS], uint32_t refused) {
    uint32_t total = refused;
    double at = 0;

    for (int i = 0; i < VIEW_CONCLUSIONS; i++)
        total += counts[i];
    html(p, "<svg class=\"share\" viewBox=\"0 0 1000 22\" preserveAspectRatio=\"none\" "
            "aria-hidden=\"true\">");
    for (int i = 0; i <= VIEW_CONCLUSIONS && total; i++) {
        uint32_t n = i < VIEW_CONCLUSIONS ? counts[shown_order[i]] : refused;
        double width = 1000.0 * n / total;

        if (n)
            atg_buf_printf(p->buf,
                           "<rect class=\"s%d\" x=\"%.1f\" y=\"2\" width=\"%.1f\" "
                           "height=\"18\"/>",
                           i + 1, at, width > 4 ? width - 3 : width);
        at += width;
    }
    html(p, "</svg>");
}

static void count_row(const page *p, const char *name, uint32_t total,
                      const uint32_t counts[VIEW_CONCLUSIONS], uint32_t refused) {
    atg_buf_printf(p->buf, "<tr><th scope=\"row\">%s</th><td class=\"n\">%u</td>", name, total);
    for (int i = 0; i < VIEW_CONCLUSIONS; i++)
        atg_buf_printf(p->buf, "<td class=\"n\" data-label=\"%s\">%u</td>",
                       atg_conclusion_word(shown_order[i]), counts[shown_order[i]]);
    atg_buf_printf(p->buf, "<td class=\"n\" data-label=\"refused\">%u</td>", refused);
    html(p, "<td class=\"sharecell wide\">");
    share_bar(p, counts, refused);
    html(p, "</td></tr>\n");
}

static void count_table(const page *p) {
    const view *v = &p->v;

    html(p, "<table class=\"counts stack\"><thead><tr><td></td><th scope=\"col\" class=\"n\">All"
            "</th>");
    for (int i = 0; i < VIEW_CONCLUSIONS; i++) {
        html(p, "<th scope=\"col\" class=\"n\">");
        html_word(p, shown_order[i], false);
        html(p, "</th>");
    }
    html(p, "<th scope=\"col\" class=\"n\">");
    html_word(p, ATG_INSUFFICIENT, true);
    html(p, "</th><th scope=\"col\">Shares</th></tr></thead><tbody>\n");
    count_row(p, "Bodies and parts", v->run->n_bodies, v->bodies, v->n_refused);
    count_row(p, "Missing persons", v->run->op->n_missing, v->missing, 0);
    html(p, "</tbody></table>\n");
}

static void count_sentence(const page *p, const char *before, uint32_t n, const char *one,
                           const char *many) {
    if (n)
        atg_buf_printf(p->buf, "%s%u %s", before, n, n == 1 ? one : many);
}

static void sentences(const page *p) {
    const view *v = &p->v;
    uint32_t n = v->run->n_bodies, m = v->run->op->n_missing;
    uint32_t probable = v->bodies[ATG_PROBABLE], possible = v->bodies[ATG_POSSIBLE];

    html(p, "<p class=\"lead\">");
    if (n == 0)
        html(p, "No remains were compared.");
    else
        atg_buf_printf(p->buf, "Of %u %s, %u %s a probable identification and %u a possible one.",
                       n, n == 1 ? "body or part" : "bodies and parts", probable,
                       probable == 1 ? "has" : "have", possible);
    count_sentence(p, " The data are insufficient for ", v->bodies[ATG_INSUFFICIENT], "body.",
                   "bodies.");
    count_sentence(p, " ", v->bodies[ATG_EXCLUDED], "is excluded from everybody on the list.",
                   "are excluded from everybody on the list.");
    count_sentence(p, " ", v->n_refused, "could not take part.", "could not take part.");
    html(p, "</p>\n<p class=\"lead\">");
    if (m == 0)
        html(p, "Nobody is on the list of missing persons.");
    else
        atg_buf_printf(p->buf, "Of %u missing %s, %u %s a probable body; %u %s without one.", m,
                       m == 1 ? "person" : "persons", v->missing[ATG_PROBABLE],
                       v->missing[ATG_PROBABLE] == 1 ? "has" : "have", m - v->missing[ATG_PROBABLE],
                       m - v->missing[ATG_PROBABLE] == 1 ? "remains" : "remain");
    html(p, "</p>\n");
}

/* One line of the list: how many, what, and where it stands. */
static void remark(const page *p, uint32_t n, const char *anchor, const char *one,
                   const char *many) {
    if (n)
        atg_buf_printf(p->buf, "<li><a href=\"#%s\">%u %s</a></li>\n", anchor, n,
                       n == 1 ? one : many);
}

void html_summary(const page *p) {
    const atg_identification *run = p->v.run;
    uint32_t n_warnings = 0;

    html(p, "<section id=\"summary\"><h2>In short</h2>\n");
    sentences(p);
    count_table(p);
    for (uint32_t b = 0; b < run->n_bodies; b++)
        n_warnings += run->bodies[b].warning.n > 0;
    if (n_warnings + run->assign.n_symmetries + run->n_related + run->n_next > 0) {
        html(p, "<ul>\n");
        remark(p, run->assign.n_symmetries, "symmetric",
               "group of missing persons who cannot be told apart",
               "groups of missing persons who cannot be told apart");
        remark(p, run->n_related, "related", "pair of bodies that look related to each other",
               "pairs of bodies that look related to each other");
        remark(p, n_warnings, "warnings", "body that somebody should look at",
               "bodies that somebody should look at");
        remark(p, run->n_next, "needs", "undecided file, and what it still needs",
               "undecided files, and what they still need");
        html(p, "</ul>\n");
    }
    html(p, "</section>\n");
}

static void number_cell(const page *p, const char *label, const char *number) {
    atg_buf_printf(p->buf, "<td class=\"n\" data-label=\"%s\">", label);
    html_number(p, number);
    html(p, "</td>");
}

/* The cells of a pair: bar, log10 LR, posterior. */
static void pair_cells(const page *p, const atg_pair_result *pair) {
    char number[VIEW_NUMBER] = "-";

    html(p, "<td class=\"wide\">");
    if (pair)
        html_bar(p, pair->log10_lr);
    html(p, "</td>");
    if (pair)
        view_log10(pair->log10_lr, number);
    number_cell(p, "log10 LR", number);
    if (pair)
        view_prob(pair->posterior, number);
    number_cell(p, "posterior", number);
}

static void table_head(const page *p, const char *first, const char *second) {
    atg_buf_printf(p->buf,
                   "<table class=\"stack\"><thead><tr><th scope=\"col\">%s</th>"
                   "<th scope=\"col\">%s</th><th scope=\"col\">",
                   first, second);
    html_axis(p);
    html(p, "<span class=\"nowrap\">log10 LR, raw</span></th>"
            "<th scope=\"col\" class=\"n\">log10 LR</th>"
            "<th scope=\"col\" class=\"n\">Posterior</th><th scope=\"col\">Conclusion</th>"
            "<th scope=\"col\">Why</th></tr></thead><tbody>\n");
}

static void body_row(const page *p, uint32_t b) {
    const view *v = &p->v;
    int32_t s = v->sample_of[b];
    const atg_pair_result *pair = s < 0 ? NULL : view_body_best(v, (uint32_t)s);

    html(p, "<tr><th scope=\"row\">");
    if (s < 0)
        html_id(p, v->run->bodies[b].merged.id);
    else
        html_body_link(p, (uint32_t)s);
    html(p, "</th><td data-label=\"best candidate\">");
    html_id(p, pair ? v->run->op->missing[pair->missing].id : ATG_STR("\xe2\x80\x93"));
    html(p, "</td>");
    pair_cells(p, pair);
    html(p, "<td>");
    html_word(p, s < 0 ? ATG_INSUFFICIENT : view_body_word(v, (uint32_t)s), s < 0);
    html(p, "</td><td class=\"why wide\">");
    html_text(p, view_body_why(v, b));
    html(p, "</td></tr>\n");
}

static void warnings(const page *p) {
    const atg_identification *run = p->v.run;
    bool any = false;

    for (uint32_t b = 0, n = 0; b < run->n_bodies && n < HTML_LIST_MAX; b++) {
        if (run->bodies[b].warning.n == 0)
            continue;
        if (!any)
            html(p, "<h3 id=\"warnings\">To look at</h3><ul>\n");
        any = true;
        n++;
        html(p, "<li><strong>");
        html_text(p, run->bodies[b].merged.id);
        html(p, "</strong>: ");
        html_text(p, run->bodies[b].warning);
        html(p, "</li>\n");
    }
    if (any)
        html(p, "</ul>\n");
}

void html_bodies(const page *p) {
    uint32_t n = p->v.run->n_bodies, shown = n < HTML_ROWS_MAX ? n : HTML_ROWS_MAX;
    char need[VIEW_NUMBER];

    view_log10(p->need, need);
    html(p, "<section id=\"bodies\"><h2>Bodies and parts: conclusions</h2>\n");
    if (n == 0) {
        html(p, "<p>No remains in this operation.</p></section>\n");
        return;
    }
    html(p, "<p class=\"note\">The bar is the raw log10 likelihood ratio of the best candidate: "
            "same person against unrelated. The dashed line stands at ");
    html_number(p, need);
    html(p, ", what a pair that stands alone needs to be probable under the prior of this run. "
            "A cross is a likelihood ratio of 0.</p>\n");
    table_head(p, "Body", "Best candidate");
    for (uint32_t b = 0; b < shown; b++)
        body_row(p, b);
    html(p, "</tbody></table>\n");
    html_cut_note(p, shown, n, "bodies");
    warnings(p);
    html(p, "</section>\n");
}

static void missing_row(const page *p, uint32_t m) {
    const view *v = &p->v;
    const atg_pair_result *pair = view_missing_best(v, m);

    atg_buf_printf(p->buf, "<tr id=\"m%u\"><th scope=\"row\">", m);
    html_id(p, v->run->op->missing[m].id);
    html(p, "</th><td data-label=\"best body\">");
    if (pair)
        html_body_link(p, pair->body);
    else
        html(p, "\xe2\x80\x93");
    html(p, "</td>");
    pair_cells(p, pair);
    html(p, "<td>");
    html_word(p, view_missing_word(v, m), false);
    html(p, "</td><td class=\"why wide\">");
    html_text(p, view_missing_why(v, m));
    html(p, "</td></tr>\n");
}

void html_missing(const page *p) {
    uint32_t n = p->v.run->op->n_missing, shown = n < HTML_ROWS_MAX ? n : HTML_ROWS_MAX;

    html(p, "<section id=\"missing\"><h2>Missing persons: conclusions</h2>\n");
    if (n == 0) {
        html(p, "<p>Nobody is on the list of missing persons.</p></section>\n");
        return;
    }
    table_head(p, "Missing person", "Best body");
    for (uint32_t m = 0; m < shown; m++)
        missing_row(p, m);
    html(p, "</tbody></table>\n");
    html_cut_note(p, shown, n, "missing persons");
    html(p, "</section>\n");
}

static void step_file(const page *p, uint32_t step) {
    const atg_next_step *s = &p->v.run->next[step];

    if (s->of_missing)
        html_id(p, view_step_id(&p->v, step));
    else
        html_body_link(p, s->index);
}

/* The files that need the same, under what they need. */
static void step_files(const page *p, uint32_t first, uint32_t n) {
    uint32_t shown = 0;

    html(p, "<p class=\"note\">");
    for (uint32_t k = first; k != VIEW_NONE && shown < HTML_STEP_FILES_MAX; k = p->v.step_next[k]) {
        html(p, shown++ ? ", " : "");
        step_file(p, k);
    }
    if (shown < n)
        atg_buf_printf(p->buf, " and %u more", n - shown);
    html(p, "</p>");
}

static void need_row(const page *p, uint32_t step) {
    char gain[VIEW_NUMBER];
    uint32_t n = 0;

    for (uint32_t k = step; k != VIEW_NONE; k = p->v.step_next[k])
        n++;
    html(p, "<tr><th scope=\"row\">");
    if (n == 1)
        step_file(p, step);
    else
        atg_buf_printf(p->buf, "%u files", n);
    html(p, "</th><td class=\"wide\">");
    html_text(p, p->v.run->next[step].text);
    if (n > 1)
        step_files(p, step, n);
    html(p, "</td>");
    view_log10(p->v.run->next[step].expected_gain, gain);
    number_cell(p, "expected gain, log10 LR", gain);
    html(p, "</tr>\n");
}

void html_needs(const page *p) {
    uint32_t n = 0, shown = 0;

    if (p->v.run->n_next == 0)
        return;
    html(p, "<section id=\"needs\"><h2>What the undecided still need</h2>\n"
            "<table class=\"stack steps\"><thead><tr><th scope=\"col\">File</th>"
            "<th scope=\"col\">What would help</th>"
            "<th scope=\"col\" class=\"n\">Expected gain, log10 LR</th></tr></thead><tbody>\n");
    for (uint32_t i = 0; i < p->v.run->n_next; i++) {
        n += p->v.step_first[i];
        if (p->v.step_first[i] && shown < HTML_LIST_MAX) {
            need_row(p, i);
            shown++;
        }
    }
    html(p, "</tbody></table>\n");
    html_cut_note(p, shown, n, "entries");
    html(p, "</section>\n");
}
