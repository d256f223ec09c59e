/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/show_record.h"

#include <string.h>

#include "base/instant.h"
#include "cli/show.h"

enum { LABEL_WIDTH = 34 };

atg_str show_code(atg_arena *arena, const record *r) {
    char id[UUID_TEXT + 1];

    if (r->code.n)
        return r->code;
    uuid_text(&r->id, id);
    return atg_arena_printf(arena, "%s", id);
}

static void show_head(atg_buf *buf, const record *r) {
    const record_type *type = &record_types[r->kind];
    char id[UUID_TEXT + 1], when[INSTANT_TEXT + 1];

    uuid_text(&r->id, id);
    instant_text(r->changed, when);
    atg_buf_printf(buf, "%s %.*s", type->title, ATG_FMT(r->code));
    if (type->states[0])
        atg_buf_printf(buf, "%s%s", r->code.n ? ", " : "", type->states[r->state]);
    atg_buf_printf(buf, "%s\n  %s, revision %lld, changed %.19sZ\n",
                   r->withdrawn ? " (withdrawn)" : "", id, (long long)r->rev, when);
}

static void show_field(atg_buf *buf, const field_type *field, const value *v) {
    ATG_AUTO(atg_buf) text = atg_buf_new(1 << 20);
    atg_str s = {NULL, 0};

    if (!text)
        return;
    value_write(text, field, v);
    if (atg_buf_take(text, &s, NULL))
        return;
    atg_buf_printf(buf, "  %-*s ", LABEL_WIDTH, field->label);
    if (strlen(field->label) > LABEL_WIDTH)
        atg_buf_printf(buf, "\n  %-*s ", LABEL_WIDTH, "");
    while (s.n) {
        atg_str line = atg_str_cut(&s, '\n');

        atg_buf_add(buf, line);
        atg_buf_adds(buf, "\n");
        if (s.n)
            atg_buf_printf(buf, "  %-*s ", LABEL_WIDTH, "");
    }
}

void show_record(atg_buf *buf, const seen *s) {
    const record_type *type = &record_types[s->r->kind];
    bool any = false;

    show_head(buf, s->r);
    if (s->erased)
        atg_buf_adds(buf, "  The person was erased: what was sealed cannot be read by anybody.\n");
    for (uint32_t f = 0; f < type->n_fields; f++)
        if (s->r->fields[f].known)
            show_field(buf, &type->fields[f], &s->r->fields[f]);
    for (uint32_t f = 0; f < type->n_fields; f++) {
        if (!(s->hidden >> f & 1))
            continue;
        atg_buf_printf(buf, "%s%s",
                       any ? ", " : "  Not shown to this account, or only with a reason: ",
                       type->fields[f].name);
        any = true;
    }
    if (any)
        atg_buf_adds(buf, "\n");
}

static const char *sex_word(int sex) {
    return sex < 0 ? "" : record_field(RECORD_MISSING, MISSING_SEX)->choices[sex];
}

static const char *state_of(const file_row *f) {
    const char *const *states = record_types[f->kind].states;

    return states[0] ? states[f->state] : "";
}

int show_files(atg_arena *arena, atg_buf *buf, const file_page *page, atg_err *err) {
    grid g = grid_new(arena, "lllll");
    bool titled = false;

    for (uint32_t i = 0; i < page->n; i++)
        titled |= page->titles[i].n > 0;
    grid_text(&g, "Code");
    grid_text(&g, "State");
    grid_text(&g, "Sex");
    grid_text(&g, "Changed");
    grid_text(&g, titled ? "Name" : "");
    for (uint32_t i = 0; i < page->n; i++) {
        const file_row *f = &page->rows[i];
        char when[INSTANT_TEXT + 1];

        instant_text(f->changed, when);
        grid_cell(&g, f->code);
        grid_printf(&g, "%s%s", state_of(f), f->withdrawn ? " (withdrawn)" : "");
        grid_text(&g, sex_word(f->sex));
        grid_printf(&g, "%.10s %.5s", when, when + 11);
        grid_cell(&g, page->titles[i]);
    }
    return grid_print(&g, buf, err);
}
