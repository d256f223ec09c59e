/* SPDX-License-Identifier: Apache-2.0 */
#include <antigone/report.h>

#include <math.h>
#include <sodium.h>

#include "report/html.h"
#include "report/pedigree.h"

enum { SCRATCH = 256 << 20, BAR_LOW = -6, BAR_HIGH = 30, LONG_VALUE = 36 };

/* Only this style sheet may apply, and nothing may be loaded or run. */
static void content_policy(const page *p) {
    unsigned char hash[crypto_hash_sha256_BYTES];
    char base64[sodium_base64_ENCODED_LEN(sizeof(hash), sodium_base64_VARIANT_ORIGINAL)];
    atg_str style = atg_str_of(html_style);

    crypto_hash_sha256(hash, (const unsigned char *)style.p, style.n);
    sodium_bin2base64(base64, sizeof(base64), hash, sizeof(hash), sodium_base64_VARIANT_ORIGINAL);
    atg_buf_printf(p->buf,
                   "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                   "style-src 'sha256-%s'; base-uri 'none'; form-action 'none'\"/>\n",
                   base64);
}

static atg_str name_of(const page *p) {
    atg_str name = p->v.run->op->name;

    return name.n ? name : ATG_STR("Operation without a name");
}

static void head(const page *p) {
    html(p, "<!DOCTYPE html>\n<html lang=\"en\" xmlns=\"http://www.w3.org/1999/xhtml\">\n<head>\n"
            "<meta charset=\"utf-8\"/>\n");
    content_policy(p);
    html(p, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
            "<meta name=\"referrer\" content=\"no-referrer\"/>\n<title>");
    html_text(p, name_of(p));
    html(p, " \xe2\x80\x93 identification by DNA</title>\n<style>");
    html(p, html_style);
    html(p, "</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#bodies\">To the conclusions</a>"
            "\n");
}

static void parameters(const page *p) {
    view_fact facts[VIEW_PARAMETERS];

    view_parameters(&p->v, facts);
    html(p, "<dl class=\"params\" id=\"parameters\">\n");
    for (uint32_t i = 0; i < VIEW_PARAMETERS; i++) {
        atg_buf_printf(p->buf, "<div%s><dt>%s</dt><dd>",
                       shown_columns(facts[i].value) > LONG_VALUE ? " class=\"two\"" : "",
                       facts[i].name);
        html_text(p, facts[i].value);
        html(p, "</dd></div>\n");
    }
    html(p, "</dl>\n");
}

static void entry(const page *p, bool there, const char *anchor, const char *name) {
    if (there)
        atg_buf_printf(p->buf, "<li><a href=\"#%s\">%s</a></li>\n", anchor, name);
}

static bool has_lonely(const page *p) {
    for (uint32_t m = 0; m < p->v.run->op->n_missing; m++)
        if (!view_missing_best(&p->v, m))
            return true;
    return false;
}

static void navigation(const page *p) {
    const atg_identification *run = p->v.run;
    uint32_t n = p->v.n_samples, m = run->op->n_missing;

    html(p, "<nav aria-label=\"Contents\"><ul>\n");
    entry(p, true, "bodies", "Bodies");
    entry(p, true, "missing", "Missing persons");
    entry(p, run->n_next > 0, "needs", "What is still needed");
    entry(p, run->assign.n_symmetries > 0, "symmetric", "Cannot be told apart");
    entry(p, run->n_related > 0, "related", "Related bodies");
    entry(p, p->n_candidates > 0, "details", "Body by body");
    entry(p, has_lonely(p), "lonely", "Without a candidate");
    entry(p, run->assign.n_parts > 0, "joint", "All files together");
    entry(p, n && m && n <= HTML_MATRIX_MAX && m <= HTML_MATRIX_MAX, "matrix",
          "Incompatible markers");
    entry(p, p->for_geneticist, "private", "For the geneticist");
    entry(p, true, "legend", "Words and signs");
    html(p, "</ul></nav>\n");
}

static void top(const page *p) {
    const atg_identification *run = p->v.run;

    html(p, "<header class=\"top\"><p class=\"eyebrow\">Identification by DNA: result of an "
            "automatic run</p>\n<h1>");
    html_text(p, name_of(p));
    html(p, "</h1>\n<p class=\"eyebrow\">");
    html_text(p, view_printf(&p->v,
                             "%u bodies and parts (%u samples), %u missing persons in %u %s, %u "
                             "markers",
                             run->n_bodies, run->op->n_samples, run->op->n_missing,
                             run->op->n_families, run->op->n_families == 1 ? "family" : "families",
                             run->op->n_markers));
    html(p, "</p>\n<p class=\"notice\"><strong>Computed, not established.</strong> An identity is "
            "established by two qualified signers and the board, never by this page.");
    if (p->for_geneticist)
        html(p, " <strong>Geneticist's copy:</strong> it holds private findings about families; "
                "do not pass it on.");
    html(p, "</p>\n");
    parameters(p);
    navigation(p);
    html(p, "</header>\n");
}

static void word_entry(const page *p, atg_conclusion word, bool refused, const char *meaning) {
    html(p, "<dt>");
    html_word(p, word, refused);
    atg_buf_printf(p->buf, "</dt><dd>%s</dd>\n", meaning);
}

void html_legend(const page *p) {
    html(p, "<section id=\"legend\"><h2>Words and signs</h2>\n<dl class=\"legend\">\n");
    word_entry(p, ATG_PROBABLE, false,
               "The joint posterior reaches the signed threshold, and the pair's own likelihood "
               "ratio its signed minimum.");
    word_entry(p, ATG_POSSIBLE, false,
               "The evidence supports the pair; what is missing stands beside it.");
    word_entry(p, ATG_INSUFFICIENT, false,
               "The data cannot decide between this person and others.");
    word_entry(p, ATG_EXCLUDED, false,
               "More markers than signed are impossible without mutation, in a family that fits "
               "its own pedigree.");
    word_entry(p, ATG_INSUFFICIENT, true, "Took no part: the reason stands beside it.");
    html(p, "<dt>established</dt><dd>Not a word of this page. People establish an identity, after "
            "comparison, reconciliation and the board.</dd>\n"
            "<dt>log10 LR</dt><dd>How many times more probable the DNA is if body and missing "
            "person are one than if they are unrelated, as a power of ten: 6 is a million times. "
            "<em>Used</em> is the same after process error (swapped or contaminated samples). "
            "</dd>\n"
            "<dt>Posterior</dt><dd>Probability that the body is this person, over all bodies and "
            "missing persons together, under the prior above. Never rounded up.</dd>\n"
            "<dt>log10 GLR</dt><dd>The most probable assignment with the pair against the most "
            "probable one without it.</dd>\n"
            "<dt>Incompatible</dt><dd>Markers that are impossible without mutation, of those "
            "compared.</dd>\n"
            "<dt>Pedigrees</dt><dd>");
    pedigree_key(p->buf);
    html(p, "</dd>\n</dl></section>\n");
}

static void footer(const page *p) {
    const atg_identification *run = p->v.run;

    html(p, "<footer><p>");
    html_text(p, run->engine.n ? run->engine : ATG_STR("antigone"));
    if (run->input_sha256.n) {
        html(p, ". Input SHA-256 ");
        html_text(p, run->input_sha256);
    }
    atg_buf_printf(p->buf,
                   ". Computed in %.3g s. This page is one file: it runs no script and loads "
                   "nothing. It holds at most %d rows a table and %d bodies in detail, about 12 "
                   "MB; the JSON document has no such limit.</p></footer>\n",
                   run->seconds, HTML_ROWS_MAX, HTML_DETAILS_MAX);
}

/* Everybody with a candidate where that is not too many; else the undecided before the others. */
static int choose_details(page *p, atg_err *err) {
    bool *detailed = ATG_GET(p->v.arena, bool, (size_t)p->v.n_samples + 1);
    uint32_t others = 0;

    if (!detailed)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for %u bodies", p->v.n_samples);
    for (uint32_t s = 0; s < p->v.n_samples; s++)
        p->n_candidates += view_body_best(&p->v, s) != NULL;
    for (int decided = 0; decided < 2; decided++)
        for (uint32_t s = 0; s < p->v.n_samples && p->n_detailed < HTML_DETAILS_MAX; s++) {
            atg_conclusion c = view_body_word(&p->v, s);
            bool is_decided = c == ATG_PROBABLE || c == ATG_EXCLUDED;

            if (is_decided != (decided == 1) || !view_body_best(&p->v, s))
                continue;
            if (is_decided && p->n_candidates > HTML_DETAILS_MAX && others++ >= HTML_DECIDED_MAX)
                break;
            detailed[s] = true;
            p->n_detailed++;
        }
    p->detailed = detailed;
    return ATG_OK;
}

static void choose_scale(page *p) {
    double low = -2, high = 8;

    p->need = view_needed_lr(&p->v);
    for (uint32_t i = 0; i < p->v.run->n_pairs; i++) {
        const atg_pair_result *c = &p->v.run->pairs[i];

        if (c->conclusion == ATG_EXCLUDED || !isfinite(c->log10_lr))
            continue;
        low = c->log10_lr < low ? c->log10_lr : low;
        high = c->log10_lr > high ? c->log10_lr : high;
    }
    p->lo = low < BAR_LOW ? BAR_LOW : floor(low);
    p->hi = high > BAR_HIGH ? BAR_HIGH : ceil(high / 2) * 2;
    if (p->hi < p->need * 1.25)
        p->hi = ceil(p->need * 1.25);
}

static void sections(const page *p) {
    html(p, "<main>\n");
    html_summary(p);
    html_bodies(p);
    html_missing(p);
    html_needs(p);
    html_symmetric(p);
    html_related(p);
    html_details(p);
    html_lonely(p);
    html_joint(p);
    html_matrix(p);
    html_private(p);
    html_legend(p);
    html(p, "</main>\n");
}

int atg_report_html(const atg_identification *run, bool for_geneticist, atg_buf *buf,
                    atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(SCRATCH);
    page p = {.buf = buf, .for_geneticist = for_geneticist};
    int rc;

    if (!arena)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for the report");
    rc = view_open(arena, run, &p.v, err);
    if (!rc)
        rc = choose_details(&p, err);
    if (rc)
        return rc;
    choose_scale(&p);
    head(&p);
    top(&p);
    sections(&p);
    footer(&p);
    html(&p, "</body>\n</html>\n");
    return view_finish(&p.v, buf, err);
}
