/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"

#include <string.h>

#include "app/cases_json.h"
#include "cli/show.h"
#include "cli/store.h"

enum { TEXT_MAX = 1 << 24, PAGE = 50, PAGE_MAX = 10000, WORDS = 200 };

static void write_alike(atg_buf *buf, uint32_t alike) {
    bool any = false;

    for (uint32_t i = 0; cases_alike[i]; i++) {
        if (!(alike >> i & 1))
            continue;
        atg_buf_printf(buf, "%s%s", any ? ", " : "", cases_alike[i]);
        any = true;
    }
}

static int print_text(atg_arena *arena, const duplicates *found, atg_buf *buf, atg_err *err) {
    grid g = grid_new(arena, "llrl");

    grid_text(&g, "One");
    grid_text(&g, "Other");
    grid_text(&g, "Points");
    grid_text(&g, "Alike");
    for (uint32_t i = 0; i < found->n; i++) {
        ATG_AUTO(atg_buf) cell = atg_buf_new(WORDS);
        atg_str text = {NULL, 0};

        if (cell)
            write_alike(cell, found->pairs[i].alike);
        if (!cell || atg_buf_take(cell, &text, err))
            return atg_fail(err, ATG_ENOMEM, "Out of memory for a list");
        grid_cell(&g, found->pairs[i].one.code);
        grid_cell(&g, found->pairs[i].other.code);
        grid_printf(&g, "%u", found->pairs[i].score);
        grid_cell(&g, atg_arena_str(arena, text));
    }
    if (!found->n)
        atg_buf_adds(buf, "No two reports look like one person.\n");
    return found->n ? grid_print(&g, buf, err) : ATG_OK;
}

static int run(const args *a) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(TEXT_MAX);
    STORE_SESSION s = {0};
    duplicates found;
    uint64_t limit = PAGE;
    atg_err err = {0};
    int code = cli_uint(a, OPT_LIMIT, 1, PAGE_MAX, &limit);

    if (!code)
        code = cli_store_open(a, &s);
    if (!code)
        code = cli_store_operation(a, &s);
    if (code)
        return code;
    if (s.at->duplicates(&s, (uint32_t)limit, &found, &err))
        return cli_fail(NULL, &err);
    if (buf && cli_has(a, OPT_JSON)) {
        json j = json_new(buf);

        cases_write_duplicates(&j, &found);
    } else if (buf && print_text(s.arena, &found, buf, &err)) {
        return cli_fail(NULL, &err);
    }
    code = cli_write(a, buf);
    return code ? code : found.n ? EXIT_DONE : EXIT_NO;
}

static const option_id options[] = {OPT_JSON, OPT_OUTPUT, OPT_OPERATION, OPT_LIMIT, STORE_OPTIONS};

const command command_duplicates = {
    .name = "duplicates",
    .summary = "Propose reports that may be of one missing person.",
    .operands = "",
    .details = "By names in either order, birth dates that can be one day, relatives, the DNA of "
               "the person's own things, and the place in a pedigree. People decide: 'antigone "
               "merge'. The exit code is 1 when there are none.",
    .options = options,
    .run = run,
};
