/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/show.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "report/view.h"

grid grid_new(atg_arena *arena, const char *right) {
    return (grid){.arena = arena, .columns = (int)strlen(right), .right = right};
}

void grid_cell(grid *g, atg_str text) {
    if (g->n == g->room) {
        uint32_t room = g->room ? 2 * g->room : 64;
        atg_str *more = ATG_GET(g->arena, atg_str, room);

        if (!more) {
            g->failed = true;
            return;
        }
        if (g->n)
            memcpy(more, g->cells, g->n * sizeof(*more));
        g->cells = more;
        g->room = room;
    }
    g->cells[g->n++] = text;
}

void grid_text(grid *g, const char *text) {
    grid_cell(g, atg_str_of(text));
}

void grid_printf(grid *g, const char *fmt, ...) {
    char text[256];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);

    atg_str kept = atg_arena_str(g->arena, atg_str_of(text));

    g->failed |= !kept.p;
    grid_cell(g, kept);
}

void grid_log10(grid *g, double x) {
    char text[VIEW_NUMBER];

    view_log10(x, text);
    grid_printf(g, "%s", text);
}

static uint32_t width_of(atg_str s) {
    uint32_t n = 0;

    while (s.n)
        n += utf8_columns(utf8_next_shown(&s));
    return n;
}

static void put(atg_str s, atg_buf *buf) {
    while (s.n)
        utf8_put(buf, utf8_next_shown(&s));
}

static void pad(uint32_t n, atg_buf *buf) {
    while (n--)
        atg_buf_adds(buf, " ");
}

int grid_print(const grid *g, atg_buf *buf, atg_err *err) {
    uint32_t *width = ATG_GET(g->arena, uint32_t, (size_t)g->columns);
    uint32_t last = (uint32_t)g->columns - 1;

    if (g->failed || !width)
        return atg_fail(err, ATG_ENOMEM, "Out of memory printing a table");
    for (uint32_t i = 0; i < g->n; i++) {
        uint32_t w = width_of(g->cells[i]), c = i % (uint32_t)g->columns;

        width[c] = w > width[c] ? w : width[c];
    }
    for (uint32_t i = 0, owed = 0; i < g->n; i++) { /* owed: blanks, if anything follows */
        uint32_t c = i % (uint32_t)g->columns, gap = width[c] - width_of(g->cells[i]);
        bool right = g->right[c] == 'r';

        if (g->cells[i].n) {
            pad(owed + (right ? gap : 0), buf);
            put(g->cells[i], buf);
            owed = right ? 2 : gap + 2;
        } else {
            owed += gap + 2;
        }
        if (c == last) {
            atg_buf_adds(buf, "\n");
            owed = 0;
        }
    }
    return ATG_OK;
}

void show_parameters(const atg_operation *op, atg_buf *buf) {
    const atg_params *p = &op->params;

    atg_buf_adds(buf, "Population ");
    put(p->population.n ? p->population : ATG_STR("not named"), buf);
    if (p->source.n) {
        atg_buf_adds(buf, " (");
        put(p->source, buf);
        atg_buf_adds(buf, ")");
    }
    atg_buf_printf(buf, ", theta %g, minimum frequency ", p->theta);
    if (p->min_freq > 0)
        atg_buf_printf(buf, "%g", p->min_freq);
    else
        atg_buf_adds(buf, "not named");
    atg_buf_printf(buf, ", process error %g\n", p->process_error);
}

void json_parameters(json *j, const atg_operation *op) {
    const atg_params *p = &op->params;

    json_key(j, "parameters");
    json_begin_object(j);
    json_key(j, "population");
    json_str(j, p->population);
    json_key(j, "source");
    json_str(j, p->source);
    json_key(j, "theta");
    json_num(j, p->theta);
    json_key(j, "min_frequency");
    if (p->min_freq > 0)
        json_num(j, p->min_freq);
    else
        json_none(j);
    json_key(j, "process_error");
    json_num(j, p->process_error);
    json_end(j, '}');
}

atg_str show_genotype(atg_arena *arena, const atg_marker *marker, atg_geno geno) {
    if (!atg_geno_typed(geno))
        return ATG_STR("");
    return atg_arena_printf(
        arena, "%.*s/%.*s", ATG_FMT(marker->labels[geno.a]),
        ATG_FMT(geno.b == ATG_ALLELE_UNREAD ? ATG_STR("-") : marker->labels[geno.b]));
}
