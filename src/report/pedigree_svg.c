/* SPDX-License-Identifier: Apache-2.0 */
#include "report/pedigree.h"

#include <math.h>

#include <antigone/report.h>

#include "model/relation.h"
#include "report/layout.h"
#include "report/shown.h"

enum {
    SCRATCH = 64 << 20,
    SLOT_MIN = 64, /* pixels between neighbours */
    SLOT_MAX = 128,
    LABEL_COLUMNS = 17,
    SYMBOL = 13, /* half of one */
    LABEL = 34,  /* height of what stands under a symbol */
    LEVEL = 8,   /* between two levels of lines */
    MARGIN = 10,
    LETTER = 7, /* widest usual letter of a label; they are 11 pixels high */
};

typedef struct drawing {
    atg_buf *buf;
    const atg_operation *op;
    const atg_family *family;
    const pedigree_look *look;
    layout l;
    double slot;
    double y[ATG_PEDIGREE_MAX + 1]; /* middle of each row's symbols */
    double height;
} drawing;

bool pedigree_typed(const atg_operation *op, const atg_person *person) {
    for (uint32_t m = 0; person->genos && m < op->n_markers; m++)
        if (atg_geno_typed(person->genos[m]))
            return true;
    return person->mt.n_ranges > 0;
}

static bool is_missing(const drawing *d, uint32_t person) {
    for (uint32_t i = 0; i < d->family->n_missing; i++)
        if (d->op->missing[d->family->missing[i]].person == person)
            return true;
    return false;
}

static double px(const drawing *d, double x) {
    return MARGIN + x * d->slot;
}

static void line(const drawing *d, double x1, double y1, double x2, double y2) {
    if (x1 == x2 && y1 == y2)
        return;
    atg_buf_printf(d->buf, "<path d=\"M%.1f %.1fL%.1f %.1f\"/>", x1, y1, x2, y2);
}

/* Across, down, across, down to the other: how two who are not neighbours are joined. */
static void couple_line(const drawing *d, const layout_union *u, double shift) {
    uint32_t other = u->mates[1] < 0 ? u->children[0] : (uint32_t)u->mates[1];
    const layout_node *a = &d->l.nodes[u->mates[0]], *b = &d->l.nodes[other];
    double side = b->x >= a->x ? 1 : -1, out = 0.42 * d->slot * side;
    double level = d->y[a->row] + SYMBOL + LABEL + 2 + LEVEL * u->couple_track;
    double from = a->person < 0 ? 0 : out, to = u->mates[1] < 0 || b->person < 0 ? 0 : out;

    atg_buf_printf(d->buf, "<path d=\"M%.1f %.1fH%.1fV%.1fH%.1fV%.1fH%.1f\"/>",
                   px(d, a->x) + (from == 0 ? 0 : SYMBOL * side) + shift, d->y[a->row] + 5 + shift,
                   px(d, a->x) + from + shift, level + shift, px(d, b->x) - to + shift,
                   (u->mates[1] < 0 ? d->y[b->row] : d->y[b->row] + 5) + shift,
                   px(d, b->x) - (to == 0 ? 0 : SYMBOL * side) + shift);
}

static void straight_line(const drawing *d, const layout_union *u, double shift) {
    const layout_node *a = &d->l.nodes[u->mates[0]], *b = &d->l.nodes[u->mates[1]];
    double y = d->y[a->row] + shift, side = b->x >= a->x ? SYMBOL : -SYMBOL;

    line(d, px(d, a->x) + (a->person < 0 ? 0 : side), y, px(d, b->x) - (b->person < 0 ? 0 : side),
         y);
}

static void couple(const drawing *d, const layout_union *u) {
    void (*draw)(const drawing *, const layout_union *, double) =
        u->beside ? straight_line : couple_line;

    if (u->mates[1] < 0 && !u->mating)
        return;
    if (!u->related) {
        draw(d, u, 0);
        return;
    }
    draw(d, u, -1.7);
    draw(d, u, 1.7);
}

/* From the couple down to the bar, along it, and down to each child. */
static void descent(const drawing *d, const layout_union *u) {
    const layout_node *a = &d->l.nodes[u->mates[0]];
    uint32_t below = d->l.nodes[u->children[0]].row;
    double bar = d->y[below] - SYMBOL - 12 - LEVEL * u->bar_track;
    double from = d->y[a->row], lo = u->x, hi = u->x;

    if (u->mating)
        return;
    if (u->mates[1] >= 0 && !u->beside)
        from += SYMBOL + LABEL + 2 + LEVEL * u->couple_track;
    if (u->mates[1] < 0)
        from -= SYMBOL + 12; /* a passing line begins above the row it passes */
    line(d, px(d, u->x), from, px(d, u->x), bar);
    for (uint32_t i = 0; i < u->n_children; i++) {
        const layout_node *c = &d->l.nodes[u->children[i]];

        lo = c->x < lo ? c->x : lo;
        hi = c->x > hi ? c->x : hi;
        line(d, px(d, c->x), bar, px(d, c->x), d->y[c->row] - SYMBOL - (c->person < 0 ? 12 : 0));
    }
    line(d, px(d, lo), bar, px(d, hi), bar);
}

static void shape(const drawing *d, atg_sex sex, double x, double y, double half) {
    switch (sex) {
    case ATG_SEX_MALE:
        atg_buf_printf(d->buf, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"",
                       x - half, y - half, 2 * half, 2 * half);
        break;
    case ATG_SEX_FEMALE:
        atg_buf_printf(d->buf, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"", x, y, half);
        break;
    case ATG_SEX_UNKNOWN:
        atg_buf_printf(d->buf, "<path d=\"M%.1f %.1fl%.1f %.1fl%.1f %.1fl%.1f %.1fz\"", x, y - half,
                       half, half, -half, half, -half, -half);
        break;
    }
}

static void symbol(const drawing *d, uint32_t index, double x, double y) {
    const atg_person *p = &d->family->ped.persons[index];
    bool missing = is_missing(d, index), typed = pedigree_typed(d->op, p);
    double half = p->sex == ATG_SEX_UNKNOWN ? SYMBOL + 2 : SYMBOL;

    if (d->look->focus == (int32_t)index) {
        shape(d, p->sex, x, y, half + 5);
        atg_buf_adds(d->buf, " stroke-width=\"1\" stroke-dasharray=\"2.5 2.5\"/>");
    }
    shape(d, p->sex, x, y, half);
    if (typed)
        atg_buf_adds(d->buf, " fill=\"currentColor\"");
    if (p->implicit)
        atg_buf_adds(d->buf, " stroke-dasharray=\"3 3\"");
    atg_buf_printf(d->buf, " stroke-width=\"%s\"/>", missing ? "2.6" : "1.5");
    if (missing)
        atg_buf_printf(d->buf,
                       "<text x=\"%.1f\" y=\"%.1f\" font-size=\"16\" font-weight=\"700\" "
                       "fill=\"currentColor\" stroke=\"none\">?</text>",
                       x, y + 5.5);
}

/* What stands under the name: what a typed relative is to the one who is looked at. */
static atg_str second_line(const drawing *d, uint32_t index) {
    const atg_pedigree *ped = &d->family->ped;

    if (d->look->focus == (int32_t)index)
        return d->look->under;
    if (d->look->focus >= 0 && pedigree_typed(d->op, &ped->persons[index]))
        return atg_str_of(relation_word(ped, (uint32_t)d->look->focus, index));
    if (!is_missing(d, index))
        return (atg_str){"", 0};
    return ped->persons[index].n_own ? ATG_STR("missing, own sample") : ATG_STR("missing");
}

static void label(const drawing *d, uint32_t index, double x, double y) {
    const atg_person *p = &d->family->ped.persons[index];
    bool focus = d->look->focus == (int32_t)index;

    if (!p->implicit) {
        atg_buf_printf(d->buf, "<text x=\"%.1f\" y=\"%.1f\"%s>", x, y + SYMBOL + 17,
                       is_missing(d, index) ? " font-weight=\"700\"" : "");
        escape_cut(d->buf, p->id, LABEL_COLUMNS);
        atg_buf_adds(d->buf, "</text>");
    }
    atg_str under = second_line(d, index);

    if (under.n == 0)
        return;
    atg_buf_printf(d->buf, "<text x=\"%.1f\" y=\"%.1f\" font-size=\"10\"%s>", x, y + SYMBOL + 29,
                   focus ? " font-weight=\"700\"" : "");
    escape_cut(d->buf, under, LABEL_COLUMNS + 2);
    atg_buf_adds(d->buf, "</text>");
}

static const char *symbol_word(atg_sex sex) {
    return sex == ATG_SEX_MALE ? "male" : sex == ATG_SEX_FEMALE ? "female" : "sex unknown";
}

static void person(const drawing *d, const layout_node *node) {
    uint32_t index = (uint32_t)node->person;
    const atg_person *p = &d->family->ped.persons[index];
    double x = px(d, node->x), y = d->y[node->row];

    atg_buf_adds(d->buf, "<g><title>");
    escape(d->buf, p->id);
    atg_buf_printf(d->buf, ", %s, %s</title>", symbol_word(p->sex),
                   is_missing(d, index)       ? "missing"
                   : p->implicit              ? "added to complete a couple"
                   : pedigree_typed(d->op, p) ? "typed"
                                              : "not typed");
    symbol(d, index, x, y);
    atg_buf_adds(d->buf, "<g fill=\"currentColor\" stroke=\"none\">");
    label(d, index, x, y);
    atg_buf_adds(d->buf, "</g></g>\n");
}

static void measure(drawing *d) {
    uint32_t columns = 7;
    double y = MARGIN + SYMBOL + 6;

    for (uint32_t i = 0; i < d->family->ped.n; i++) {
        uint32_t c = shown_columns(d->family->ped.persons[i].id);
        uint32_t under = shown_columns(second_line(d, i)) * 9 / 10; /* in smaller letters */

        c = under > c ? under : c;
        columns = c > columns ? c : columns;
    }
    d->slot = (columns > LABEL_COLUMNS ? LABEL_COLUMNS : columns) * LETTER + 8;
    d->slot = d->slot < SLOT_MIN ? SLOT_MIN : d->slot > SLOT_MAX ? SLOT_MAX : d->slot;
    for (uint32_t r = 0; r < d->l.n_rows; r++) {
        d->y[r] = y;
        y += SYMBOL + LABEL + LEVEL * (d->l.couple_tracks[r] + d->l.bar_tracks[r]) + 16 + SYMBOL;
    }
    d->height = d->l.n_rows ? d->y[d->l.n_rows - 1] + SYMBOL + LABEL + MARGIN : 2 * MARGIN;
}

static void svg_open(const drawing *d) {
    double width = 2 * MARGIN + d->l.width * d->slot, scale = 1;

    if (d->look->width && width > d->look->width)
        scale = d->look->width / width;
    atg_buf_printf(d->buf,
                   "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"%.0f\" "
                   "height=\"%.0f\" viewBox=\"0 0 %.0f %.0f\" aria-label=\"Pedigree of ",
                   width * scale, d->height * scale, width, d->height);
    escape(d->buf, d->family->id);
    atg_buf_adds(d->buf, "\" font-family=\"system-ui, sans-serif\" font-size=\"11\" "
                         "text-anchor=\"middle\" fill=\"none\" stroke=\"currentColor\" "
                         "stroke-width=\"1.3\">\n");
}

int pedigree_svg(atg_arena *arena, const atg_operation *op, uint32_t family,
                 const pedigree_look *look, atg_buf *buf, atg_err *err) {
    drawing *d = ATG_GET(arena, drawing, 1);
    int rc;

    if (!d)
        return atg_fail(err, ATG_ENOMEM, "Out of memory drawing a pedigree");
    *d = (drawing){.buf = buf, .op = op, .family = &op->families[family], .look = look};
    rc = layout_pedigree(arena, &d->family->ped, &d->l, err);
    if (rc)
        return rc;
    measure(d);
    svg_open(d);
    for (uint32_t u = 0; u < d->l.n_unions; u++) {
        couple(d, &d->l.unions[u]);
        descent(d, &d->l.unions[u]);
    }
    atg_buf_adds(buf, "\n");
    for (uint32_t i = 0; i < d->l.n_nodes; i++)
        if (d->l.nodes[i].person >= 0)
            person(d, &d->l.nodes[i]);
    atg_buf_adds(buf, "</svg>\n");
    return ATG_OK;
}

int atg_report_pedigree_svg(const atg_operation *op, uint32_t family, uint32_t width, atg_buf *buf,
                            atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(SCRATCH);
    const pedigree_look look = {.width = width, .focus = -1};
    atg_str whole;
    int rc;

    if (family >= op->n_families)
        return atg_fail(err, ATG_EINVAL, "The operation has no family number %u", family);
    if (!arena)
        return atg_fail(err, ATG_ENOMEM, "Out of memory drawing a pedigree");
    rc = pedigree_svg(arena, op, family, &look, buf, err);
    return rc ? rc : atg_buf_take(buf, &whole, err);
}

void pedigree_key(atg_buf *buf) {
    static const struct {
        const char *shape, *name;
    } entries[] = {
        {"<rect x=\"-11\" y=\"-11\" width=\"22\" height=\"22\" stroke-width=\"1.5\"/>", "male"},
        {"<circle r=\"11\" stroke-width=\"1.5\"/>", "female"},
        {"<path d=\"M0 -13l13 13l-13 13l-13 -13z\" stroke-width=\"1.5\"/>", "sex unknown"},
        {"<circle r=\"11\" fill=\"currentColor\"/>", "DNA typed"},
        {"<circle r=\"11\" stroke-width=\"2.6\"/><text y=\"5\" font-size=\"15\" "
         "font-weight=\"700\" fill=\"currentColor\" stroke=\"none\">?</text>",
         "missing"},
        {"<circle r=\"11\" stroke-width=\"2.6\"/><circle r=\"16\" stroke-width=\"1\" "
         "stroke-dasharray=\"2.5 2.5\"/>",
         "compared here"},
        {"<circle r=\"11\" stroke-width=\"1.5\" stroke-dasharray=\"3 3\"/>", "not reported"},
        {"<path d=\"M-16 -1.7H16M-16 1.7H16\"/>", "related couple"},
    };

    atg_buf_adds(buf, "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"720\" "
                      "height=\"60\" viewBox=\"0 0 720 60\" aria-label=\"Key to the symbols\" "
                      "font-family=\"system-ui, sans-serif\" font-size=\"11\" "
                      "text-anchor=\"middle\" fill=\"none\" stroke=\"currentColor\" "
                      "stroke-width=\"1.3\">\n");
    for (size_t i = 0; i < sizeof(entries) / sizeof(*entries); i++)
        atg_buf_printf(buf,
                       "<g transform=\"translate(%zu 20)\">%s<text y=\"34\" "
                       "fill=\"currentColor\" stroke=\"none\">%s</text></g>\n",
                       45 + i * 90, entries[i].shape, entries[i].name);
    atg_buf_adds(buf, "</svg>\n");
}
