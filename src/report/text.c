/* SPDX-License-Identifier: Apache-2.0 */
#include <antigone/report.h>

#include "base/utf8.h"
#include "report/shown.h"
#include "report/view.h"

enum {
    SCRATCH = 256 << 20,
    WIDTH_DEFAULT = 100,
    WIDTH_MIN = 40,
    WIDTH_MAX = 400,
    ID_MAX = 24,     /* columns of an id before it is cut */
    REASON_MIN = 24, /* a narrower last column goes on a line of its own */
    COLUMNS = 6,
};

/* The table being written: its last column is wrapped, the others are not. */
typedef struct table {
    atg_buf *buf;
    uint32_t width;            /* of the page */
    uint32_t columns[COLUMNS]; /* of each column; the last takes what is left */
} table;

static void spaces(atg_buf *buf, uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
        atg_buf_adds(buf, " ");
}

/* At most `columns` columns of `s`, an ellipsis at a cut; returns how many were written. */
static uint32_t put_cut(atg_buf *buf, atg_str s, uint32_t columns) {
    bool cut;
    atg_str part = shown_cut(s, columns, &cut);

    shown_put(buf, part);
    if (cut)
        atg_buf_adds(buf, "…");
    return shown_columns(part) + cut;
}

static void cell(const table *t, int column, atg_str s, bool right) {
    uint32_t width = t->columns[column], w = shown_columns(s);

    if (right && w < width)
        spaces(t->buf, width - w);
    w = put_cut(t->buf, s, width);
    if (!right && w < width)
        spaces(t->buf, width - w);
    spaces(t->buf, 2);
}

/* The next line of `s`: as many words as fit, or a part of one that does not fit alone. */
static atg_str next_line(atg_str *s, uint32_t columns) {
    atg_str rest = *s, line = {s->p, 0};
    uint32_t used = 0;
    size_t last_blank = 0;

    while (rest.n) {
        atg_str after = rest;
        uint32_t cp = shown_next(&after);

        if (cp == ' ')
            last_blank = (size_t)(rest.p - s->p);
        used += utf8_columns(cp);
        if (used > columns && cp != ' ')
            break;
        rest = after;
    }
    line.n = rest.n == 0 ? s->n : last_blank ? last_blank : (size_t)(rest.p - s->p);
    if (line.n == 0)
        line.n = s->n; /* not even one character fits */
    s->p += line.n;
    s->n -= line.n;
    *s = atg_str_trim(*s);
    return line;
}

/* `s` on as many lines as it needs; the first goes where the cursor is, at column `indent`. */
static void wrapped(atg_buf *buf, atg_str s, uint32_t indent, uint32_t width) {
    uint32_t room = width > indent + 8 ? width - indent : 8;

    s = atg_str_trim(s);
    for (bool first = true; s.n || first; first = false) {
        atg_str line = next_line(&s, room);

        if (!first)
            spaces(buf, indent);
        shown_put(buf, line);
        atg_buf_adds(buf, "\n");
    }
}

static uint32_t reason_indent(const table *t) {
    uint32_t indent = 0;

    for (int i = 0; i + 1 < COLUMNS; i++)
        indent += t->columns[i] + 2;
    return indent + REASON_MIN > t->width ? 0 : indent;
}

static void reason(const table *t, atg_str s) {
    uint32_t indent = reason_indent(t);

    if (indent == 0) {
        indent = 4;
        atg_buf_adds(t->buf, "\n");
        spaces(t->buf, indent);
    }
    wrapped(t->buf, s, indent, t->width);
}

static uint32_t widest(uint32_t have, atg_str s, uint32_t most) {
    uint32_t w = shown_columns(s);

    w = w > most ? most : w;
    return w > have ? w : have;
}

static void heading(const table *t, const char *const names[COLUMNS]) {
    for (int i = 0; i < COLUMNS - 1; i++)
        cell(t, i, atg_str_of(names[i]), i == 2 || i == 3);
    atg_buf_printf(t->buf, "%s\n", reason_indent(t) ? names[COLUMNS - 1] : "");
}

static void pair_cells(const table *t, const atg_pair_result *p, const char *word) {
    char lr[VIEW_NUMBER] = "-", prob[VIEW_NUMBER] = "-";

    if (p) {
        view_log10(p->log10_lr, lr);
        view_prob(p->posterior, prob);
    }
    cell(t, 2, atg_str_of(lr), true);
    cell(t, 3, atg_str_of(prob), true);
    cell(t, 4, atg_str_of(word), false);
}

static table new_table(atg_buf *buf, uint32_t width) {
    return (table){buf, width, {4, 14, 8, 9, 12, 0}};
}

static void bodies(const view *v, atg_buf *buf, uint32_t width) {
    static const char *const names[] = {"Body",      "Best candidate", "log10 LR",
                                        "Posterior", "Conclusion",     "Why"};
    table t = new_table(buf, width);

    for (uint32_t b = 0; b < v->run->n_bodies; b++)
        t.columns[0] = widest(t.columns[0], v->run->bodies[b].merged.id, ID_MAX);
    for (uint32_t m = 0; m < v->run->op->n_missing; m++)
        t.columns[1] = widest(t.columns[1], v->run->op->missing[m].id, ID_MAX);
    heading(&t, names);
    for (uint32_t b = 0; b < v->run->n_bodies; b++) {
        int32_t s = v->sample_of[b];
        const atg_pair_result *p = s < 0 ? NULL : view_body_best(v, (uint32_t)s);

        cell(&t, 0, v->run->bodies[b].merged.id, false);
        cell(&t, 1, p ? v->run->op->missing[p->missing].id : ATG_STR("-"), false);
        pair_cells(&t, p, s < 0 ? "refused" : atg_conclusion_word(view_body_word(v, (uint32_t)s)));
        reason(&t, view_body_why(v, b));
    }
    if (v->run->n_bodies == 0)
        atg_buf_adds(buf, "No remains in this operation.\n");
}

static void missing(const view *v, atg_buf *buf, uint32_t width) {
    static const char *const names[] = {"Missing",   "Best body",  "log10 LR",
                                        "Posterior", "Conclusion", "Why"};
    table t = new_table(buf, width);

    t.columns[0] = 7;
    t.columns[1] = 9;
    for (uint32_t m = 0; m < v->run->op->n_missing; m++)
        t.columns[0] = widest(t.columns[0], v->run->op->missing[m].id, ID_MAX);
    for (uint32_t s = 0; s < v->n_samples; s++)
        t.columns[1] = widest(t.columns[1], v->run->merged->samples[s].id, ID_MAX);
    heading(&t, names);
    for (uint32_t m = 0; m < v->run->op->n_missing; m++) {
        const atg_pair_result *p = view_missing_best(v, m);

        cell(&t, 0, v->run->op->missing[m].id, false);
        cell(&t, 1, p ? v->run->merged->samples[p->body].id : ATG_STR("-"), false);
        pair_cells(&t, p, atg_conclusion_word(view_missing_word(v, m)));
        reason(&t, view_missing_why(v, m));
    }
    if (v->run->op->n_missing == 0)
        atg_buf_adds(buf, "No missing persons in this operation.\n");
}

static void line(atg_buf *buf, uint32_t width, atg_str s) {
    wrapped(buf, s, 0, width);
}

static void header(const view *v, atg_buf *buf, uint32_t width) {
    const atg_identification *run = v->run;
    view_fact facts[VIEW_PARAMETERS];

    line(buf, width, run->op->name.n ? run->op->name : ATG_STR("Operation without a name"));
    line(buf, width,
         view_printf(v, "%u samples of %u bodies, %u missing persons in %u %s, %u %s.",
                     run->op->n_samples, run->n_bodies, run->op->n_missing, run->op->n_families,
                     run->op->n_families == 1 ? "family" : "families", run->op->n_markers,
                     run->op->n_markers == 1 ? "marker" : "markers"));
    view_parameters(v, facts);
    for (uint32_t i = 0; i < VIEW_PARAMETERS; i++) {
        atg_buf_printf(buf, "  %-26s", facts[i].name);
        wrapped(buf, facts[i].value, 28, width);
    }
    if (run->input_sha256.n) {
        atg_buf_printf(buf, "  %-26s", "SHA-256 of the input");
        wrapped(buf, run->input_sha256, 28, width);
    }
}

static void list_item(atg_buf *buf, uint32_t width, atg_str s) {
    atg_buf_adds(buf, "  - ");
    wrapped(buf, s, 4, width);
}

static void symmetric(const view *v, atg_buf *buf, uint32_t width) {
    if (v->run->assign.n_symmetries == 0)
        return;
    atg_buf_adds(buf, "\nCANNOT BE TOLD APART\n");
    for (uint32_t i = 0; i < v->run->assign.n_symmetries; i++)
        list_item(buf, width, view_symmetry(v, &v->run->assign.symmetries[i]));
}

static void related(const view *v, atg_buf *buf, uint32_t width) {
    if (v->run->n_related == 0)
        return;
    atg_buf_adds(buf, "\nBODIES THAT LOOK RELATED\n");
    for (uint32_t i = 0; i < v->run->n_related; i++) {
        char lr[VIEW_NUMBER];

        view_log10(v->run->related[i].log10_lr, lr);
        list_item(buf, width,
                  view_printf(v, "%.*s and %.*s: %.*s, log10 LR %s.",
                              ATG_FMT(v->run->merged->samples[v->run->related[i].x].id),
                              ATG_FMT(v->run->merged->samples[v->run->related[i].y].id),
                              ATG_FMT(v->run->related[i].relation), lr));
    }
}

static void warnings(const view *v, atg_buf *buf, uint32_t width) {
    bool any = false;

    for (uint32_t b = 0; b < v->run->n_bodies; b++) {
        const atg_body *body = &v->run->bodies[b];

        if (body->warning.n == 0)
            continue;
        if (!any)
            atg_buf_adds(buf, "\nTO LOOK AT\n");
        any = true;
        list_item(buf, width,
                  view_printf(v, "%.*s: %.*s", ATG_FMT(body->merged.id), ATG_FMT(body->warning)));
    }
}

/* One thing to do, with every file that needs it. */
static void step(const view *v, atg_buf *buf, uint32_t width, uint32_t first) {
    ATG_AUTO(atg_buf) item = atg_buf_new(SCRATCH);
    atg_str s;

    if (!item) {
        *v->failed = true;
        return;
    }
    for (uint32_t k = first; k != VIEW_NONE; k = v->step_next[k]) {
        atg_buf_adds(item, k == first ? "" : ", ");
        atg_buf_add(item, view_step_id(v, k));
    }
    atg_buf_printf(item, ": %.*s", ATG_FMT(v->run->next[first].text));
    if (atg_buf_take(item, &s, NULL))
        *v->failed = true;
    else
        list_item(buf, width, s);
}

static void next_steps(const view *v, atg_buf *buf, uint32_t width) {
    if (v->run->n_next == 0)
        return;
    atg_buf_adds(buf, "\nWHAT THE UNDECIDED STILL NEED\n");
    for (uint32_t i = 0; i < v->run->n_next; i++)
        if (v->step_first[i])
            step(v, buf, width, i);
}

static void totals(const view *v, atg_buf *buf, uint32_t width) {
    atg_str refused =
        v->n_refused ? view_printf(v, "; %u refused", v->n_refused) : (atg_str){"", 0};
    atg_str found = view_counts(v, v->bodies), sought = view_counts(v, v->missing);

    atg_buf_adds(buf, "\nTOTALS\n");
    line(buf, width, view_printf(v, "Bodies: %.*s%.*s.", ATG_FMT(found), ATG_FMT(refused)));
    line(buf, width, view_printf(v, "Missing persons: %.*s.", ATG_FMT(sought)));
    line(buf, width, ATG_STR("Nothing here is established: that takes two signers and the board."));
}

int atg_report_text(const atg_identification *run, uint32_t width, atg_buf *buf, atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(SCRATCH);
    view v;
    int rc;

    if (width == 0)
        width = WIDTH_DEFAULT;
    if (width < WIDTH_MIN)
        width = WIDTH_MIN;
    if (width > WIDTH_MAX)
        width = WIDTH_MAX;
    if (!arena)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for the report");
    rc = view_open(arena, run, &v, err);
    if (rc)
        return rc;
    header(&v, buf, width);
    atg_buf_adds(buf, "\nBODIES\n");
    bodies(&v, buf, width);
    atg_buf_adds(buf, "\nMISSING PERSONS\n");
    missing(&v, buf, width);
    symmetric(&v, buf, width);
    related(&v, buf, width);
    warnings(&v, buf, width);
    next_steps(&v, buf, width);
    totals(&v, buf, width);
    return view_finish(&v, buf, err);
}
