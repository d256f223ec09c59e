/* SPDX-License-Identifier: Apache-2.0 */
#include "match/lines.h"

const atg_line *const *atg_lines(uint32_t *ret_n) {
    enum { LINES = 5 };
    static const atg_line *const lines[LINES] = {&line_autosomal, &line_x, &line_amelogenin,
                                                 &line_y, &line_mt};

    *ret_n = LINES;
    return lines;
}

int lines_made(atg_str text, atg_err *err) {
    return text.p ? ATG_OK : atg_fail(err, ATG_ENOMEM, "Out of memory explaining a pair");
}

int lines_table(atg_arena *arena, const atg_operation *op, atg_str *ret, atg_err *err) {
    const atg_params *p = &op->params;

    *ret = atg_arena_printf(arena, "population %.*s%s%.*s, theta %g, minimum frequency %g",
                            ATG_FMT(p->population.n ? p->population : ATG_STR("not named")),
                            p->source.n ? ", " : "", ATG_FMT(p->source), p->theta, p->min_freq);
    return lines_made(*ret, err);
}
