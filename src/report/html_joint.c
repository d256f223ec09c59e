/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "report/html.h"

enum { DIFFERENCES_MAX = 8, PART_MEMBERS_MAX = 12 };

static atg_str body_id(const page *p, uint32_t sample) {
    return p->v.run->merged->samples[sample].id;
}

void html_symmetric(const page *p) {
    const atg_assign_result *joint = &p->v.run->assign;
    uint32_t shown = joint->n_symmetries < HTML_LIST_MAX ? joint->n_symmetries : HTML_LIST_MAX;

    if (joint->n_symmetries == 0)
        return;
    html(p, "<section id=\"symmetric\"><h2>Who cannot be told apart</h2>\n<ul>\n");
    for (uint32_t i = 0; i < shown; i++) {
        html(p, "<li>");
        html_text(p, view_symmetry(&p->v, &joint->symmetries[i]));
        html(p, "</li>\n");
    }
    html(p, "</ul>\n<p class=\"note\">Their posteriors are shared out evenly, so that none of them "
            "reaches the threshold alone, however strong the DNA of the family is. Which body is "
            "whose then rests on other evidence (age, dental, effects) or on the samples named "
            "above.</p>\n");
    html_cut_note(p, shown, joint->n_symmetries, "groups");
    html(p, "</section>\n");
}

void html_related(const page *p) {
    uint32_t n = p->v.run->n_related, shown = n < HTML_LIST_MAX ? n : HTML_LIST_MAX;

    if (n == 0)
        return;
    html(p, "<section id=\"related\"><h2>Bodies that look related to each other</h2>\n"
            "<p class=\"note\">Compared with each other, without any family. It does not say whose "
            "bodies they are; it joins files that should be looked at together.</p>\n"
            "<table class=\"stack\"><thead><tr><th scope=\"col\">Body</th>"
            "<th scope=\"col\">Body</th><th scope=\"col\">Fits best as</th>"
            "<th scope=\"col\" class=\"n\">log10 LR</th></tr></thead><tbody>\n");
    for (uint32_t i = 0; i < shown; i++) {
        const struct atg_related_bodies *r = &p->v.run->related[i];
        char number[VIEW_NUMBER];

        html(p, "<tr><td>");
        html_body_link(p, r->x);
        html(p, "</td><td>");
        html_body_link(p, r->y);
        html(p, "</td><td>");
        html_text(p, r->relation);
        html(p, "</td><td class=\"n\" data-label=\"log10 LR\">");
        view_log10(r->log10_lr, number);
        html_number(p, number);
        html(p, "</td></tr>\n");
    }
    html(p, "</tbody></table>\n");
    html_cut_note(p, shown, n, "pairs");
    html(p, "</section>\n");
}

static void ways(const page *p, double n, const char *what) {
    char number[VIEW_NUMBER];

    if (!isfinite(n))
        return;
    view_factor(log10(n), number);
    html_number(p, number);
    html(p, what);
}

static void numbers(const page *p) {
    const atg_identification *run = p->v.run;
    uint32_t sampled = 0, joined = 0;

    for (uint32_t i = 0; i < run->assign.n_parts; i++) {
        sampled += !run->assign.parts[i].exact;
        joined += run->assign.parts[i].n_bodies + run->assign.parts[i].n_missing > 2;
    }
    html(p, "<p>");
    ways(p, run->n_assignments, " assignments are possible by the sexes. ");
    ways(p, run->assign.n_possible, " assignments are possible by the DNA. ");
    html_text(p, view_printf(&p->v,
                             "The files fall into %u independent parts; in %u of them several "
                             "bodies or several missing persons compete. ",
                             run->assign.n_parts, joined));
    if (run->least_share > 0)
        html_text(p, view_printf(&p->v,
                                 "Pairs with a share below %g were taken together as \"somebody "
                                 "else or nobody\". ",
                                 run->least_share));
    if (sampled)
        atg_buf_printf(p->buf,
                       "%u parts were too large to be solved exactly and were sampled: their "
                       "posteriors carry a standard error.",
                       sampled);
    else
        html(p, "Every part was solved exactly.");
    html(p, "</p>\n");
}

static void part_members(const page *p, uint32_t part) {
    const atg_assign_result *joint = &p->v.run->assign;
    uint32_t n = 0;

    html(p, "<td class=\"wide\">");
    for (uint32_t s = 0; joint->body_part && s < p->v.n_samples; s++)
        if (joint->body_part[s] == part && n++ < PART_MEMBERS_MAX) {
            html(p, n > 1 ? ", " : "");
            html_body_link(p, s);
        }
    html(p, n > PART_MEMBERS_MAX ? ", \xe2\x80\xa6</td><td class=\"wide\">"
                                 : "</td><td class=\"wide\">");
    n = 0;
    for (uint32_t m = 0; joint->missing_part && m < p->v.run->op->n_missing; m++)
        if (joint->missing_part[m] == part && n++ < PART_MEMBERS_MAX) {
            html(p, n > 1 ? ", " : "");
            html_id(p, p->v.run->op->missing[m].id);
        }
    html(p, n > PART_MEMBERS_MAX ? ", \xe2\x80\xa6</td>" : "</td>");
}

static bool is_contested(const atg_assign_part *part) {
    return part->n_bodies + part->n_missing > 2;
}

static void parts(const page *p) {
    const atg_assign_result *joint = &p->v.run->assign;
    uint32_t n = 0, shown = 0;

    for (uint32_t i = 0; i < joint->n_parts; i++)
        n += is_contested(&joint->parts[i]);
    if (n == 0)
        return;
    html(p, "<h3>Parts in which files compete</h3>\n<table class=\"stack\"><thead><tr>"
            "<th scope=\"col\">Bodies</th><th scope=\"col\">Missing persons</th>"
            "<th scope=\"col\">Solved</th></tr></thead><tbody>\n");
    for (uint32_t i = 0; i < joint->n_parts && shown < HTML_MATRIX_MAX; i++) {
        if (!is_contested(&joint->parts[i]))
            continue;
        shown++;
        html(p, "<tr>");
        part_members(p, i);
        if (joint->parts[i].exact)
            html(p, "<td>exactly</td></tr>\n");
        else
            atg_buf_printf(p->buf, "<td>by sampling, R-hat %.3f</td></tr>\n",
                           joint->parts[i].max_rhat);
    }
    html(p, "</tbody></table>\n");
    html_cut_note(p, shown, n, "parts");
}

static void differences(const page *p, const atg_assign_listed *listed) {
    const atg_assign_result *joint = &p->v.run->assign;
    uint32_t n = 0;

    for (uint32_t s = 0; joint->best && s < p->v.n_samples; s++) {
        int32_t is = listed->missing_of[s], was = joint->best[s];

        if (is == was)
            continue;
        if (n++ >= DIFFERENCES_MAX)
            continue;
        html(p, n > 1 ? "; " : "");
        html_id(p, body_id(p, s));
        html(p, " is ");
        html_id(p, is < 0 ? ATG_STR("nobody on the list") : p->v.run->op->missing[is].id);
        html(p, " instead of ");
        html_id(p, was < 0 ? ATG_STR("nobody on the list") : p->v.run->op->missing[was].id);
    }
    if (n > DIFFERENCES_MAX)
        atg_buf_printf(p->buf, "; and %u more differences", n - DIFFERENCES_MAX);
    if (n == 0)
        html(p, "The best assignment");
}

static void alternatives(const page *p) {
    const atg_assign_result *joint = &p->v.run->assign;
    uint32_t shown = joint->n_top < HTML_MATRIX_MAX ? joint->n_top : HTML_MATRIX_MAX;

    if (joint->n_top == 0)
        return;
    html(p, "<h3>The most probable assignments</h3>\n<table class=\"stack\"><thead><tr>"
            "<th scope=\"col\">What is different</th>"
            "<th scope=\"col\" class=\"n\">Times less probable</th>"
            "<th scope=\"col\" class=\"n\">Posterior</th></tr></thead><tbody>\n");
    for (uint32_t i = 0; i < shown; i++) {
        double ratio = (joint->top[0].log_weight - joint->top[i].log_weight) / log(10);
        char number[VIEW_NUMBER];

        html(p, "<tr><td class=\"wide\">");
        differences(p, &joint->top[i]);
        html(p, "</td><td class=\"n\" data-label=\"times less probable\">");
        view_factor(ratio, number);
        html_number(p, number);
        html(p, "</td><td class=\"n\" data-label=\"posterior\">");
        view_prob(exp(joint->top[i].log_weight - joint->log_z), number);
        html_number(p, number);
        html(p, "</td></tr>\n");
    }
    html(p, "</tbody></table>\n");
}

void html_joint(const page *p) {
    if (p->v.run->assign.n_parts == 0)
        return;
    html(p, "<section id=\"joint\"><h2>All files together</h2>\n"
            "<p class=\"note\">One body is at most one missing person and one missing person at "
            "most one body; the posteriors of this page follow from all of them at once.</p>\n");
    numbers(p);
    parts(p);
    alternatives(p);
    html(p, "</section>\n");
}

/* The pair of each cell, VIEW_NONE where none was kept. */
static uint32_t *matrix_cells(const page *p) {
    const atg_identification *run = p->v.run;
    size_t n = (size_t)p->v.n_samples * run->op->n_missing;
    uint32_t *cells = ATG_GET(p->v.arena, uint32_t, n);

    if (!cells) {
        *p->v.failed = true;
        return NULL;
    }
    memset(cells, 0xff, n * sizeof(*cells));
    for (uint32_t i = 0; i < run->n_pairs; i++)
        cells[(size_t)run->pairs[i].body * run->op->n_missing + run->pairs[i].missing] = i;
    return cells;
}

static void matrix_cell(const page *p, uint32_t sample, uint32_t missing, uint32_t pair) {
    const atg_identification *run = p->v.run;
    const atg_pair_result *c = pair == VIEW_NONE ? NULL : &run->pairs[pair];
    bool fits = atg_sex_fits(run->merged->samples[sample].sex, view_person(&p->v, missing)->sex);

    if (!fits)
        html(p, "<td></td>");
    else if (!c || c->n_markers == 0)
        html(p, "<td class=\"far\">\xc2\xb7</td>");
    else
        atg_buf_printf(p->buf, "<td class=\"%s\">%u</td>",
                       c->n_incompatible > run->op->params.max_incompatible ? "far"
                       : c->log10_lr > 0                                    ? "fits"
                                                                            : "near",
                       c->n_incompatible);
}

/* Some columns of the matrix, so that they fit on paper. */
static void matrix_block(const page *p, const uint32_t *cells, uint32_t from, uint32_t to) {
    const atg_operation *op = p->v.run->op;

    html(p, "<div class=\"scroll\"><table class=\"matrix\"><thead><tr><td></td>");
    for (uint32_t i = from; i < to; i++) {
        html(p, "<th scope=\"col\">");
        escape_cut(p->buf, op->missing[i].id, 20);
        html(p, "</th>");
    }
    html(p, "</tr></thead><tbody>\n");
    for (uint32_t s = 0; s < p->v.n_samples; s++) {
        html(p, "<tr><th scope=\"row\">");
        escape_cut(p->buf, body_id(p, s), 20);
        html(p, "</th>");
        for (uint32_t i = from; i < to; i++)
            matrix_cell(p, s, i, cells[(size_t)s * op->n_missing + i]);
        html(p, "</tr>\n");
    }
    html(p, "</tbody></table></div>\n");
}

void html_matrix(const page *p) {
    uint32_t n = p->v.n_samples, m = p->v.run->op->n_missing;
    uint32_t *cells;

    if (n == 0 || m == 0 || n > HTML_MATRIX_MAX || m > HTML_MATRIX_MAX)
        return;
    cells = matrix_cells(p);
    if (!cells)
        return;
    html(p, "<section id=\"matrix\"><h2>Incompatible markers, all against all</h2>\n");
    atg_buf_printf(p->buf,
                   "<p class=\"note\">Markers that are impossible without mutation, the family's "
                   "own left out. More than %u exclude. Shaded: not excluded; white on black: not "
                   "excluded, and the DNA is more probable if the two are one. Empty: the sexes "
                   "differ; a dot: nothing to compare.</p>\n",
                   p->v.run->op->params.max_incompatible);

    uint32_t blocks = (m + HTML_MATRIX_COLUMNS - 1) / HTML_MATRIX_COLUMNS;
    uint32_t width = (m + blocks - 1) / blocks;

    for (uint32_t from = 0; from < m; from += width)
        matrix_block(p, cells, from, from + width < m ? from + width : m);
    html(p, "</section>\n");
}
