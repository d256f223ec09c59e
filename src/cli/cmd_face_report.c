/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"

#include "app/faces_report.h"
#include "cli/show.h"
#include "cli/store.h"

enum { TEXT_MAX = 1 << 20 };

static void print_group(const faces_group *of, grid *g) {
    const face_rates *r = &of->rates;

    grid_text(g, of->by);
    grid_cell(g, of->name);
    grid_printf(g, "%u", r->n_cases);
    grid_printf(g, "%u", r->n_probes);
    if (r->enough) {
        grid_printf(g, "%.1f %% (%.1f-%.1f)", 100 * r->miss, 100 * r->miss_lower,
                    100 * r->miss_upper);
        grid_printf(g, "%.2f %% (%.2f-%.2f)", 100 * r->match, 100 * r->match_lower,
                    100 * r->match_upper);
    } else {
        grid_text(g, "too few closed cases");
        grid_text(g, "too few closed cases");
    }
}

static int print_text(const store_session *s, const faces_report *r, atg_buf *buf, atg_err *err) {
    static const char *const titles[] = {"By",     "Group",         "Cases",
                                         "Probes", "Missed (95 %)", "False matches (95 %)"};
    grid g = grid_new(s->arena, "llrrll");
    int rc;

    atg_buf_printf(buf, "At a score of %g, %u closed cases of %u operation%s:\n", r->threshold,
                   r->n_closed, r->n_operations, r->n_operations == 1 ? "" : "s");
    for (size_t i = 0; i < sizeof(titles) / sizeof(*titles); i++)
        grid_text(&g, titles[i]);
    for (uint32_t i = 0; i < r->n_groups; i++)
        print_group(&r->groups[i], &g);
    rc = grid_print(&g, buf, err);
    if (r->few_origins)
        atg_buf_printf(buf,
                       "%u other recorded origins with too few closed cases each, %u in all.\n",
                       r->few_origins, r->few_cases);
    if (r->n_denied)
        atg_buf_printf(buf,
                       "%u more operations share, and were left out: there you may not "
                       "match.\n",
                       r->n_denied);
    atg_buf_printf(buf,
                   "Origin is the recorded nationality; of %u closed cases none is recorded. A "
                   "group needs 30 closed cases with photographs on both sides; who has nothing "
                   "recorded is in none. Each interval holds by itself.\n",
                   r->without_origin);
    return rc;
}

static int run(const args *a) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(TEXT_MAX);
    STORE_SESSION s = {0};
    double threshold = 0.3;
    faces_report report;
    atg_err err = {0};
    int code = cli_number(a, OPT_SCORE, -1, 1, &threshold);

    if (!code)
        code = cli_store_open(a, &s);
    if (!code)
        code = cli_store_operation(a, &s);
    if (code)
        return code;
    if (s.at->face_report(&s, threshold, &report, &err))
        return cli_fail(NULL, &err);
    if (buf && cli_has(a, OPT_JSON)) {
        json j = json_new(buf);

        faces_report_write(&j, &report);
        atg_buf_adds(buf, "\n");
    } else if (buf && print_text(&s, &report, buf, &err)) {
        return cli_fail(NULL, &err);
    }
    return cli_write(a, buf);
}

static const option_id options[] = {OPT_SCORE, OPT_JSON, OPT_OUTPUT, OPT_OPERATION, STORE_OPTIONS};

const command command_face_report = {
    .name = "face report",
    .summary = "Show how often faces miss and mislead, by recorded sex, age and origin.",
    .operands = "",
    .details = "Of closed cases, as 'antigone face calibrate' takes them: which share of the "
               "identified scores below --score with their own photographs, and which share of "
               "pairs of two persons of the group scores at or above it, each with a 95 % "
               "interval. Groups of fewer than 30 cases tell no share, and origins with so few no "
               "name. Needs the right to match and a written --reason, and stands in the history.",
    .options = options,
    .run = run,
};
