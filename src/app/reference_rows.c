/* SPDX-License-Identifier: Apache-2.0 */
#include "app/reference_rows.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double edge = 1e-9;

/* The highest LR; of equal ones the first, or in other variants the last. */
static int highest(const solve_line *line, bool last) {
    int best = -1;

    for (uint32_t i = 0; i < line->n; i++) {
        if (isnan(line->lr[i]))
            continue;
        if (best < 0 || line->lr[i] > line->lr[best] * (1 + edge) ||
            (last && line->lr[i] >= line->lr[best] * (1 - edge)))
            best = (int)i;
    }
    return best;
}

static atg_str list_others(atg_arena *arena, const solve_line *line, int best, double above) {
    atg_str ret = {NULL, 0};

    for (uint32_t i = 0; i < line->n; i++)
        if ((int)i != best && line->lr[i] > above)
            ret = atg_arena_printf(arena, "%.*s%s%.*s (LR=%.2g)", ATG_FMT(ret), ret.n ? ", " : "",
                                   ATG_FMT(line->names[i]), line->lr[i]);
    return ret;
}

static atg_str runner_up(atg_arena *arena, const solve_line *line, int best) {
    int next = -1;

    for (uint32_t i = 0; i < line->n; i++)
        if ((int)i != best && !isnan(line->lr[i]) && (next < 0 || line->lr[i] > line->lr[next]))
            next = (int)i;
    return next < 0 ? ATG_STR("Runner-up: -")
                    : atg_arena_printf(arena, "Runner-up: %.*s (LR=%.2g)",
                                       ATG_FMT(line->names[next]), line->lr[next]);
}

solve_word reference_solve_word(atg_arena *arena, const solve_line *line, uint32_t variant) {
    double nudge = variant & 1 ? 1 - edge : 1 + edge;
    double above = line->probable * nudge;
    solve_word ret = {.best = highest(line, variant & 2)};
    uint32_t n = 0;

    for (uint32_t i = 0; i < line->n; i++)
        n += line->lr[i] > above;
    ret.conclusion = "No match";
    if (ret.best < 0)
        return ret;
    if (n > 1) {
        ret.conclusion = "Disputed";
        ret.comment = atg_arena_printf(arena, "Also: %.*s",
                                       ATG_FMT(list_others(arena, line, ret.best, above)));
    } else if (n == 1) {
        ret.conclusion = "Probable";
        ret.comment = runner_up(arena, line, ret.best);
    } else if (line->lr[ret.best] >= nudge) {
        ret.conclusion = "Inconclusive";
        ret.comment = atg_arena_printf(arena, "Best: %.*s", ATG_FMT(line->names[ret.best]));
    }
    return ret;
}

static bool same_text(const json_t *want, atg_str got) {
    if (!json_is_string(want))
        return got.p == NULL;
    return got.p && atg_str_eq_nocase(reference_text(want), got);
}

static bool fits(const json_t *want, const solve_row *row) {
    return same_text(json_object_get(want, "Sample"), row->sample) &&
           same_text(json_object_get(want, "Missing"), row->missing) &&
           same_text(json_object_get(want, "Family"), row->family) &&
           same_text(json_object_get(want, "Conclusion"), row->conclusion) &&
           (row->loose || same_text(json_object_get(want, "Comment"), row->comment));
}

static void compare_number(const json_t *want, const char *key, double got, const char *where,
                           atg_reference *ret) {
    const json_t *value = json_object_get(want, key);
    char kind[48];

    (void)snprintf(kind, sizeof(kind), "dviSolve, %s", key);
    if (json_is_number(value))
        reference_compare(ret, kind, json_number_value(value), isnan(got) ? 0 : got, where);
    else if (!isnan(got))
        reference_compare(ret, kind, 0, got, where);
}

static void compare_texts(const json_t *want, const solve_row *row, const char *where,
                          atg_reference *ret) {
    const struct {
        const char *key;
        atg_str got;
    } texts[] = {{"Sample", row->sample},
                 {"Missing", row->missing},
                 {"Family", row->family},
                 {"Conclusion", row->conclusion},
                 {"Comment", row->comment}};

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        const json_t *value = json_object_get(want, texts[i].key);
        char kind[48];

        (void)snprintf(kind, sizeof(kind), "dviSolve, %s", texts[i].key);
        if (row->loose && strcmp(texts[i].key, "Comment") == 0)
            reference_skip(ret, kind, "we do not name this relation");
        else if (same_text(value, texts[i].got))
            reference_same(ret, kind);
        else
            reference_differ(ret, kind, reference_text(value), texts[i].got, where);
    }
}

static int row_of(const reference_state *s, const json_t *want, bool am) {
    atg_str id = reference_text(json_object_get(want, am ? "Missing" : "Sample"));
    uint32_t n = am ? s->op.n_missing : s->op.n_samples;

    for (uint32_t i = 0; i < n; i++)
        if (atg_str_eq(am ? s->op.missing[i].id : s->op.samples[i].id, id))
            return (int)i;
    return -1;
}

/* The variants of one row; the first that fits is the one meant. */
static void compare_row(const json_t *want, const solve_row *row, const char *where,
                        atg_reference *ret) {
    const solve_row *chosen = row;

    if (!row->made) {
        reference_differ(ret, "dviSolve, rows", reference_text(json_object_get(want, "Conclusion")),
                         ATG_STR("no row"), where);
        return;
    }
    for (uint32_t v = SOLVE_VARIANTS; v-- > 0;)
        if (fits(want, &row[v]))
            chosen = &row[v];
    compare_texts(want, chosen, where, ret);
    compare_number(want, "LR", chosen->lr, where, ret);
    compare_number(want, "GLR", chosen->glr, where, ret);
}

void reference_solve_compare(const reference_state *s, const json_t *list, bool am,
                             const solve_row *rows, atg_reference *ret) {
    const char *table = am ? "AM" : "PM";
    uint32_t n = am ? s->op.n_missing : s->op.n_samples;
    double made = 0;

    for (size_t k = 0; k < json_array_size(list); k++) {
        const json_t *want = json_array_get(list, k);
        atg_str id = reference_text(json_object_get(want, am ? "Missing" : "Sample"));
        int i = row_of(s, want, am);
        char where[64];

        (void)snprintf(where, sizeof(where), "%s, %.*s", table, ATG_FMT(id));
        if (i < 0)
            reference_differ(ret, "dviSolve, rows", id, ATG_STR("no row"), where);
        else
            compare_row(want, &rows[(size_t)i * SOLVE_VARIANTS], where, ret);
        reference_leftover(ret, want, "dviSolve.row.",
                           "Family Missing Sample LR GLR Conclusion Comment", "");
    }
    for (size_t i = 0; i < n; i++)
        made += rows[i * SOLVE_VARIANTS].made;
    reference_compare(ret, "dviSolve, rows", (double)json_array_size(list), made, table);
}
