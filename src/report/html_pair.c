/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "model/relation.h"
#include "report/html.h"
#include "report/pedigree.h"

enum { SMALL_BAR = 72 };

/* What is shown of one pair, marker by marker. */
typedef struct comparison {
    const page *p;
    const atg_pair_result *pair;
    const atg_family *family;
    uint32_t missing_person;
    bool withheld;
    uint32_t n_relatives, n_typed;
    uint32_t relatives[HTML_RELATIVES_MAX];
    uint32_t n_own; /* own samples of the missing person that are shown */
    double scale;   /* log10 LR at the end of a small bar */
} comparison;

static const atg_person *missing_person(const comparison *c) {
    return &c->family->ped.persons[c->missing_person];
}

/* Own samples first; they and the relatives share the columns. */
static void find_relatives(comparison *c) {
    const atg_operation *op = c->p->v.run->op;
    uint32_t n_own = missing_person(c)->n_own;

    c->n_own = c->withheld ? 0 : n_own < HTML_RELATIVES_MAX ? n_own : HTML_RELATIVES_MAX;
    for (uint32_t i = 0; i < c->family->ped.n; i++) {
        const atg_person *person = &c->family->ped.persons[i];

        if (!person->genos || !pedigree_typed(op, person))
            continue;
        c->n_typed++;
        if (!c->withheld && c->n_own + c->n_relatives < HTML_RELATIVES_MAX)
            c->relatives[c->n_relatives++] = i;
    }
}

static void find_scale(comparison *c) {
    c->scale = 1;
    for (uint32_t m = 0; m < c->p->v.run->op->n_markers; m++) {
        double x = fabs(c->pair->per_marker[m]);

        if (isfinite(x) && x > c->scale)
            c->scale = x < 4 ? x : 4;
    }
}

static void small_bar(const comparison *c, double x) {
    double half = SMALL_BAR / 2.0 - 1, end = x / c->scale;

    end = end < -1 ? -1 : end > 1 ? 1 : end;
    atg_buf_printf(c->p->buf,
                   "<svg class=\"bar\" width=\"%d\" height=\"14\" viewBox=\"0 0 %d 14\" "
                   "aria-hidden=\"true\">",
                   SMALL_BAR, SMALL_BAR);
    if (isfinite(x))
        atg_buf_printf(c->p->buf, "<rect x=\"%.1f\" y=\"3\" width=\"%.1f\" height=\"8\"/>",
                       half + 1 + (end < 0 ? end * half : 0), fabs(end) * half);
    atg_buf_printf(c->p->buf, "<path class=\"zero\" d=\"M%.1f 0V14\"/>", half + 1);
    if (x == -INFINITY)
        html(c->p, "<path class=\"mark\" d=\"M3 3l8 8M11 3l-8 8\"/>");
    html(c->p, "</svg>");
}

static void markers_head(const comparison *c) {
    const page *p = c->p;

    html(p, "<table class=\"markers\"><thead><tr><th scope=\"col\">Marker</th>"
            "<th scope=\"col\">");
    html_text(p, p->v.run->merged->samples[c->pair->body].id);
    html(p, "<span class=\"rel\">body</span></th>");
    for (uint32_t i = 0; i < c->n_own; i++) {
        html(p, "<th scope=\"col\">");
        html_text(p, missing_person(c)->own[i].id);
        html(p, "<span class=\"rel\">own sample</span></th>");
    }
    for (uint32_t i = 0; i < c->n_relatives; i++) {
        html(p, "<th scope=\"col\">");
        html_text(p, c->family->ped.persons[c->relatives[i]].id);
        html(p, "<span class=\"rel\">");
        html_text(p,
                  atg_str_of(relation_word(&c->family->ped, c->missing_person, c->relatives[i])));
        html(p, "</span></th>");
    }
    html(p, "<th scope=\"col\" class=\"n\">LR</th><th scope=\"col\" class=\"n\">log10 LR</th>"
            "<th scope=\"col\"></th><th scope=\"col\" class=\"n\">Running</th>"
            "<th scope=\"col\"></th></tr></thead><tbody>\n");
}

static const char *remark(const comparison *c, uint32_t marker) {
    const atg_marker *m = &c->p->v.run->op->markers[marker];

    if (!c->withheld && c->pair->mutation_needed && c->pair->mutation_needed[marker])
        return "needs a mutation";
    if (!isnan(c->pair->per_marker[marker]))
        return "";
    if (m->chrom == ATG_CHROM_AMELOGENIN)
        return "a flag only";
    if (m->chrom == ATG_CHROM_Y)
        return "see other lines";
    if (m->linked_to >= 0 || m->linkage_group > 0)
        return "linked, not counted";
    return "not compared";
}

static void marker_row(const comparison *c, uint32_t m, double sum) {
    const page *p = c->p;
    const atg_sample *body = &p->v.run->merged->samples[c->pair->body];
    double x = c->pair->per_marker[m];
    char number[VIEW_NUMBER];

    html(p, "<tr><th scope=\"row\">");
    html_text(p, p->v.run->op->markers[m].name);
    html(p, "</th><td>");
    html_genotype(p, m, body->genos ? body->genos[m] : ATG_UNTYPED, body->sex);
    html(p, "</td>");
    for (uint32_t i = 0; i < c->n_own; i++) {
        html(p, "<td>");
        html_genotype(p, m, missing_person(c)->own[i].genos[m], missing_person(c)->sex);
        html(p, "</td>");
    }
    for (uint32_t i = 0; i < c->n_relatives; i++) {
        const atg_person *person = &c->family->ped.persons[c->relatives[i]];

        html(p, "<td>");
        html_genotype(p, m, person->genos[m], person->sex);
        html(p, "</td>");
    }
    html(p, "<td class=\"n\">");
    view_factor(x, number);
    html_number(p, number);
    html(p, "</td><td class=\"n\">");
    view_log10(x, number);
    html_number(p, number);
    html(p, "</td><td>");
    small_bar(c, x);
    html(p, "</td><td class=\"n\">");
    view_log10(isnan(x) ? (double)NAN : sum, number);
    html_number(p, number);
    atg_buf_printf(p->buf, "</td><td class=\"note\">%s</td></tr>\n", remark(c, m));
}

static void markers_foot(const comparison *c) {
    const page *p = c->p;
    char number[VIEW_NUMBER];

    atg_buf_printf(p->buf, "</tbody><tfoot><tr><th scope=\"row\" colspan=\"%u\">All markers</th>",
                   c->n_own + c->n_relatives + 2);
    html(p, "<td class=\"n\">");
    view_factor(c->pair->log10_lr, number);
    html_number(p, number);
    html(p, "</td><td class=\"n\">");
    view_log10(c->pair->log10_lr, number);
    html_number(p, number);
    html(p, "</td><td></td><td></td><td></td></tr></tfoot></table>");
}

static void markers_notes(const comparison *c) {
    const page *p = c->p;

    if (c->withheld)
        html(p, "<p class=\"note\">The relatives' profiles of this family stand in the "
                "geneticist's copy. Another reference is needed.</p>\n");
    else if (c->n_typed > c->n_relatives)
        atg_buf_printf(p->buf,
                       "<p class=\"note\">%u more typed relatives were used and are not "
                       "shown.</p>\n",
                       c->n_typed - c->n_relatives);
}

void html_markers(const page *p, const atg_pair_result *pair) {
    const atg_operation *op = p->v.run->op;
    const atg_missing *m = &op->missing[pair->missing];
    comparison c = {.p = p,
                    .pair = pair,
                    .family = &op->families[m->family],
                    .missing_person = m->person,
                    .withheld = html_withheld(p, m->family)};
    double sum = 0;

    if (!pair->per_marker) {
        html(p, "<p class=\"note\">The table of markers was not asked for.</p>\n");
        return;
    }
    find_relatives(&c);
    find_scale(&c);
    html(p, "<div class=\"scroll\">");
    markers_head(&c);
    for (uint32_t i = 0; i < op->n_markers; i++) {
        if (!isnan(pair->per_marker[i]))
            sum += pair->per_marker[i];
        marker_row(&c, i, sum);
    }
    markers_foot(&c);
    html(p, "</div>\n");
    markers_notes(&c);
}

static void line_row(const page *p, uint32_t index, const atg_evidence *e) {
    static const char *const findings[] = {"", "supports", "inconclusive", "contradicts"};
    const atg_identification *run = p->v.run;
    bool lead = index < run->n_lines && run->lines && run->lines[index]->rank == ATG_LINE_LEAD;
    char number[VIEW_NUMBER];

    html(p, "<tr><th scope=\"row\">");
    html_text(p, view_line_name(&p->v, index));
    atg_buf_printf(p->buf, "</th><td>%s</td><td>%s</td><td class=\"n\">", lead ? "lead" : "primary",
                   findings[e->finding]);
    view_log10(e->log10_lr, number);
    html_number(p, number);
    html(p, "</td><td class=\"n\">");
    if (e->lower < e->upper) {
        view_log10(e->lower, number);
        html_number(p, number);
        html(p, " to ");
        view_log10(e->upper, number);
        html_number(p, number);
    }
    html(p, "</td><td>");
    html_text(p, e->reason);
    html(p, "</td><td>");
    html_text(p, e->table);
    html(p, "</td></tr>\n");
}

void html_lines(const page *p, const atg_pair_result *pair) {
    bool any = false;

    for (uint32_t i = 0; pair->lines && i < pair->n_lines; i++)
        any = any || (i > 0 && pair->lines[i].finding != ATG_FINDING_NONE);
    if (!any)
        return;
    html(p, "<h4>Lines of evidence</h4><div class=\"scroll\"><table class=\"markers\"><thead><tr>"
            "<th scope=\"col\">Line</th><th scope=\"col\">Rank</th><th scope=\"col\">Finding</th>"
            "<th scope=\"col\" class=\"n\">log10 LR</th>"
            "<th scope=\"col\" class=\"n\">Interval</th><th scope=\"col\">Reason</th>"
            "<th scope=\"col\">Table</th></tr></thead><tbody>\n");
    for (int contradictions = 1; contradictions >= 0; contradictions--)
        for (uint32_t i = 0; i < pair->n_lines; i++) {
            atg_finding f = pair->lines[i].finding;

            if (f != ATG_FINDING_NONE && f <= ATG_FINDING_CONTRADICTS &&
                (f == ATG_FINDING_CONTRADICTS) == (contradictions == 1))
                line_row(p, i, &pair->lines[i]);
        }
    html(p, "</tbody></table></div>\n");
}
