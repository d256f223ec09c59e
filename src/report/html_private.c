/* SPDX-License-Identifier: Apache-2.0 */
#include "report/html.h"

enum { MARKERS_NAMED = 12 };

static void markers_named(const page *p, const atg_family_check *c) {
    uint32_t n = 0;

    for (uint32_t m = 0; c->inconsistent && m < p->v.run->op->n_markers; m++)
        if (c->inconsistent[m] && n++ < MARKERS_NAMED) {
            html(p, n > 1 ? ", " : "");
            html_text(p, p->v.run->op->markers[m].name);
        }
    if (n > MARKERS_NAMED)
        html(p, ", \xe2\x80\xa6");
}

/* Of a family that was concluded on what remains of it: without whom. */
static void concluded_without(const page *p, uint32_t family) {
    const atg_identification *run = p->v.run;
    uint32_t n = 0;

    for (uint32_t i = 0; i < run->n_remaining; i++)
        if (run->remaining[i].family == family) {
            html(p, n++ ? ", or " : " Compared and concluded without ");
            html_text(p, run->op->families[family].ped.persons[run->remaining[i].person].id);
        }
    html(p, n == 0 ? "" : n > 1 ? ": what is concluded holds whichever it is." : ".");
}

static void check_row(const page *p, const atg_family_check *c) {
    const atg_family *family = &p->v.run->op->families[c->family];
    char gain[VIEW_NUMBER] = "-";

    html(p, "<tr><th scope=\"row\">");
    html_id(p, family->id);
    atg_buf_printf(p->buf, "</th><td>%s</td><td data-label=\"inconsistent\">%u of %u",
                   c->fits ? "fits" : "does not fit", c->n_inconsistent, c->n_compared);
    if (c->n_inconsistent) {
        html(p, ": ");
        markers_named(p, c);
    }
    html(p, "</td><td data-label=\"repairs most when left out\">");
    if (c->suspect >= 0) {
        html_text(p, family->ped.persons[c->suspect].id);
        atg_buf_printf(p->buf, " (%u markers)", c->n_repaired);
        view_log10(c->log10_gain, gain);
    }
    html(p, "</td><td class=\"n\" data-label=\"log10 gain\">");
    html_number(p, gain);
    html(p, "</td><td class=\"why wide\">");
    for (uint32_t i = 0; c->sex_flags && i < c->n_sex_flags; i++)
        if (c->sex_flags[i] < family->ped.n) {
            html(p, i ? ", " : "Sex to check: ");
            html_text(p, family->ped.persons[c->sex_flags[i]].id);
        }
    html(p, c->n_sex_flags ? ". " : "");
    html_text(p, c->note);
    concluded_without(p, c->family);
    html(p, "</td></tr>\n");
}

static bool worth_showing(const atg_family_check *c) {
    return !c->fits || c->n_inconsistent || c->n_sex_flags;
}

static void findings(const page *p, uint32_t n) {
    const atg_identification *run = p->v.run;
    uint32_t shown = 0;

    html(p, "<table class=\"stack\"><thead><tr><th scope=\"col\">Family</th>"
            "<th scope=\"col\">Pedigree</th><th scope=\"col\">Inconsistent markers</th>"
            "<th scope=\"col\">Repairs most when left out</th>"
            "<th scope=\"col\" class=\"n\">log10 gain</th><th scope=\"col\">Note</th></tr></thead>"
            "<tbody>\n");
    for (uint32_t i = 0; i < run->n_checks && shown < HTML_LIST_MAX; i++)
        if (worth_showing(&run->checks[i])) {
            check_row(p, &run->checks[i]);
            shown++;
        }
    html(p, "</tbody></table>\n");
    html_cut_note(p, shown, n, "families with a finding");
}

void html_private(const page *p) {
    const atg_identification *run = p->v.run;
    uint32_t n = 0, unchecked = 0;

    if (!p->for_geneticist)
        return;
    for (uint32_t i = 0; i < run->n_checks; i++) {
        n += worth_showing(&run->checks[i]);
        unchecked += !worth_showing(&run->checks[i]) && run->checks[i].n_compared == 0;
    }
    html(p, "<section id=\"private\" class=\"confidential\"><h2>For the geneticist only</h2>\n"
            "<p>How the typed relatives of each family fit the pedigree as it was reported. This "
            "is a private finding: to everybody else it is worded \"another reference is "
            "needed\". It proves nothing about a person: a label, a sample or a form may be "
            "wrong.</p>\n");
    if (n)
        findings(p, n);
    atg_buf_printf(p->buf,
                   "<p class=\"note\">%u families fit without a remark. %u cannot be checked: no "
                   "two of their blood relatives are typed at one marker.</p></section>\n",
                   run->n_checks - n - unchecked, unchecked);
}
