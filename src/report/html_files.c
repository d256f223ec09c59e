/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "report/html.h"

enum { CANDIDATES_MAX = 8, EXPLAINED_MAX = 2 };

static const double LEAST_SHOWN = 1e-6; /* posterior of a candidate worth a row */

static const double WORTH_EXPLAINING = 0.01; /* posterior of a second candidate */

static bool undecided(const page *p, uint32_t sample) {
    atg_conclusion c = view_body_word(&p->v, sample);

    return c == ATG_POSSIBLE || c == ATG_INSUFFICIENT;
}

static void steps(const page *p, bool of_missing, uint32_t index) {
    for (uint32_t i = 0; i < p->v.run->n_next; i++) {
        const atg_next_step *s = &p->v.run->next[i];

        if (s->of_missing != of_missing || s->index != index)
            continue;
        html(p, "<p class=\"step\"><strong>Still needed");
        if (of_missing) {
            html(p, " for ");
            html_text(p, p->v.run->op->missing[index].id);
        }
        html(p, ":</strong> ");
        html_text(p, s->text);
        html(p, "</p>\n");
    }
}

static void number(const page *p, const char *text) {
    html(p, "<td class=\"n\">");
    html_number(p, text);
    html(p, "</td>");
}

static void candidate_row(const page *p, const atg_pair_result *c) {
    const atg_operation *op = p->v.run->op;
    char text[VIEW_NUMBER];

    html(p, "<tr><th scope=\"row\">");
    html_id(p, op->missing[c->missing].id);
    html(p, "</th><td>");
    html_id(p, op->families[op->missing[c->missing].family].id);
    html(p, "</td>");
    view_log10(c->log10_lr, text);
    number(p, text);
    view_log10(c->log10_lr_used, text);
    number(p, text);
    html(p, "<td class=\"n\">");
    view_prob(c->posterior, text);
    html_number(p, text);
    if (c->std_error > 0)
        atg_buf_printf(p->buf, " \xc2\xb1 %.2g", c->std_error);
    html(p, "</td>");
    view_log10(c->log10_glr, text);
    number(p, text);
    atg_buf_printf(p->buf, "<td class=\"n\">%u of %u</td><td>", c->n_incompatible, c->n_markers);
    html_word(p, c->conclusion, false);
    atg_buf_printf(p->buf, "</td><td>%s</td></tr>\n", c->in_best ? "yes" : "");
}

/* Whom the table names: those not excluded, while there are not too many. */
static uint32_t candidate_rows(const page *p, uint32_t sample) {
    uint32_t shown = 0;

    for (uint32_t i = p->v.first[sample]; i < p->v.first[sample + 1]; i++) {
        const atg_pair_result *c = &p->v.run->pairs[p->v.order[i]];

        if (c->conclusion == ATG_EXCLUDED || shown == CANDIDATES_MAX)
            continue;
        if (shown > 0 && c->posterior < LEAST_SHOWN && !(c->log10_lr > 0))
            continue;
        candidate_row(p, c);
        shown++;
    }
    return shown;
}

static void other_candidates(const page *p, uint32_t sample, uint32_t shown) {
    uint32_t excluded = 0, n = p->v.first[sample + 1] - p->v.first[sample];

    for (uint32_t i = p->v.first[sample]; i < p->v.first[sample + 1]; i++)
        excluded += p->v.run->pairs[p->v.order[i]].conclusion == ATG_EXCLUDED;
    if (n == shown)
        return;
    html(p, "<p class=\"note\">Compared and not shown:");
    if (n > shown + excluded)
        atg_buf_printf(p->buf, " %u less probable%s", n - shown - excluded, excluded ? "," : ".");
    if (excluded)
        atg_buf_printf(p->buf, " %u excluded.", excluded);
    html(p, "</p>\n");
}

static void candidates(const page *p, uint32_t sample) {
    uint32_t shown;
    char nobody[VIEW_NUMBER];

    html(p, "<div class=\"scroll\"><table><thead><tr><th scope=\"col\">Candidate</th>"
            "<th scope=\"col\">Family</th><th scope=\"col\" class=\"n\">log10 LR</th>"
            "<th scope=\"col\" class=\"n\">used</th><th scope=\"col\" class=\"n\">Posterior</th>"
            "<th scope=\"col\" class=\"n\">log10 GLR</th>"
            "<th scope=\"col\" class=\"n\">Incompatible</th><th scope=\"col\">Conclusion</th>"
            "<th scope=\"col\">Best assignment</th></tr></thead><tbody>\n");
    shown = candidate_rows(p, sample);
    view_prob(view_body_nobody(&p->v, sample), nobody);
    html(p, "<tr><td colspan=\"4\">Nobody on the list</td>");
    number(p, nobody);
    html(p, "<td colspan=\"4\"></td></tr>\n</tbody></table></div>\n");
    other_candidates(p, sample, shown);
}

static void sentence(const page *p, const atg_pair_result *c) {
    const atg_identification *run = p->v.run;
    atg_str body = run->merged->samples[c->body].id, missing = run->op->missing[c->missing].id;
    char factor[VIEW_NUMBER];

    if (isnan(c->log10_lr))
        return;
    view_factor(fabs(c->log10_lr), factor);
    html(p, "<p class=\"says\">");
    if (isinf(c->log10_lr)) {
        html(p, "This DNA is impossible if ");
    } else {
        html(p, "This DNA is <strong>");
        html_number(p, factor);
        atg_buf_printf(p->buf, " times %s probable</strong> if ",
                       c->log10_lr < 0 ? "less" : "more");
    }
    html_text(p, body);
    html(p, " is ");
    html_text(p, missing);
    html(p, isinf(c->log10_lr) ? "." : " than if they are unrelated.");
    html(p, " ");
    html_text(p, c->rule);
    html(p, "</p>\n");
}

static void explain(const page *p, const atg_pair_result *c, bool draw) {
    const atg_operation *op = p->v.run->op;
    uint32_t family = op->missing[c->missing].family;

    html(p, "<h4>");
    html_text(p, op->missing[c->missing].id);
    html(p, ", ");
    html_text(p, op->families[family].id);
    html(p, "</h4>\n");
    sentence(p, c);
    html(p, "<div class=\"pair\">");
    if (draw) {
        html(p, "<figure>");
        html_pedigree(p, c->missing, (int32_t)c->body);
        html(p, "<figcaption>");
        html_text(p, p->v.run->merged->samples[c->body].id);
        html(p, " in the place of ");
        html_text(p, op->missing[c->missing].id);
        html(p, "</figcaption></figure>\n");
    }
    html(p, "<div class=\"data\">");
    html_markers(p, c);
    html(p, "</div></div>\n");
    html_lines(p, c);
}

static bool same_family(const page *p, const atg_pair_result *a, const atg_pair_result *b) {
    const atg_missing *missing = p->v.run->op->missing;

    return missing[a->missing].family == missing[b->missing].family;
}

/* The best candidate, and for an undecided body a second one that competes with it. */
static void explanations(const page *p, uint32_t sample, const atg_pair_result *best) {
    const atg_identification *run = p->v.run;
    uint32_t explained = 1;

    explain(p, best, true);
    for (uint32_t i = p->v.first[sample]; i < p->v.first[sample + 1]; i++) {
        const atg_pair_result *c = &run->pairs[p->v.order[i]];
        bool same = same_family(p, c, best);

        if (c == best || explained == EXPLAINED_MAX || !undecided(p, sample) ||
            !(c->posterior >= WORTH_EXPLAINING) || c->conclusion == ATG_EXCLUDED ||
            c->n_markers == 0)
            continue;
        explained++;
        if (!same || fabs(c->log10_lr - best->log10_lr) > 1e-9) {
            explain(p, c, !same);
            continue;
        }
        html(p, "<p>");
        html_text(p, run->op->missing[c->missing].id);
        html(p, " of the same family has the same likelihood ratio at every marker.</p>\n");
    }
}

static void samples_line(const page *p, uint32_t sample) {
    const atg_identification *run = p->v.run;
    const atg_body *b = &run->bodies[run->body_of_sample[sample]];

    atg_buf_printf(p->buf, "<p class=\"note\">Sex at examination: %s.", view_sex(b->merged.sex));
    if (b->merged.part)
        html(p, " A part of a body.");
    if (b->n_samples > 1) {
        atg_buf_printf(p->buf, " %u samples merged: ", b->n_samples);
        for (uint32_t i = 0; i < b->n_samples; i++) {
            html(p, i ? ", " : "");
            html_text(p, run->op->samples[b->samples[i]].id);
        }
        html(p, ".");
    }
    if (b->warning.n) {
        html(p, " ");
        html_text(p, b->warning);
    }
    html(p, "</p>\n");
}

static void file(const page *p, uint32_t sample) {
    const atg_pair_result *best = view_body_best(&p->v, sample);

    atg_buf_printf(p->buf, "<article class=\"file\" id=\"b%u\"><div class=\"filehead\"><h3>",
                   sample);
    html_text(p, p->v.run->merged->samples[sample].id);
    html(p, "</h3>");
    html_word(p, view_body_word(&p->v, sample), false);
    html(p, "<a class=\"back\" href=\"#bodies\">All bodies</a></div>\n");
    samples_line(p, sample);
    candidates(p, sample);
    steps(p, false, sample);
    if (undecided(p, sample))
        steps(p, true, best->missing);
    explanations(p, sample, best);
    html(p, "</article>\n");
}

void html_details(const page *p) {
    if (p->n_candidates == 0)
        return;
    html(p, "<section id=\"details\"><h2>Body by body</h2>\n");
    if (p->n_detailed < p->n_candidates)
        atg_buf_printf(p->buf,
                       "<p class=\"note\">%u bodies have candidates. This page details %u of them: "
                       "those not decided first, then the first of the others. The JSON document "
                       "has all of them, and antigone lr explains any pair.</p>\n",
                       p->n_candidates, p->n_detailed);
    for (uint32_t s = 0; s < p->v.n_samples; s++)
        if (p->detailed[s])
            file(p, s);
    html(p, "</section>\n");
}

void html_lonely(const page *p) {
    const atg_operation *op = p->v.run->op;
    uint32_t n = 0, shown = 0;

    for (uint32_t m = 0; m < op->n_missing; m++)
        n += view_missing_best(&p->v, m) == NULL;
    if (n == 0)
        return;
    html(p, "<section id=\"lonely\"><h2>Missing persons without a candidate</h2>\n"
            "<p class=\"note\">No body compared so far remains possible for them.</p>\n"
            "<div class=\"families\">\n");
    for (uint32_t m = 0; m < op->n_missing && shown < HTML_FAMILIES_MAX; m++) {
        if (view_missing_best(&p->v, m))
            continue;
        shown++;
        html(p, "<article><h3>");
        html_text(p, op->missing[m].id);
        html(p, "</h3><figure>");
        html_pedigree(p, m, -1);
        html(p, "<figcaption>");
        html_text(p, op->families[op->missing[m].family].id);
        html(p, "</figcaption></figure>\n");
        steps(p, true, m);
        if (html_withheld(p, op->missing[m].family))
            html(p, "<p class=\"note\">Another reference is needed.</p>\n");
        html(p, "</article>\n");
    }
    html(p, "</div>\n");
    html_cut_note(p, shown, n, "families without a candidate");
    html(p, "</section>\n");
}
