/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"

#include "app/cases_json.h"
#include "cli/show.h"
#include "cli/store.h"
#include "report/view.h"

enum { TEXT_MAX = 1 << 26, PAGE = 50, PAGE_MAX = 10000 };

static void number(grid *g, const value *v, bool posterior) {
    if (!v->known)
        grid_text(g, "-");
    else if (posterior) {
        char text[VIEW_NUMBER];

        view_prob(v->number, text);
        grid_printf(g, "%s", text);
    } else
        grid_log10(g, v->number);
}

static int print_text(const store_session *s, const lead *leads, uint32_t n, atg_buf *buf,
                      atg_err *err) {
    static const char *const names[] = {"Remains",   "Missing",    "log10 LR",
                                        "Posterior", "Conclusion", "Why"};
    grid g = grid_new(s->arena, "llrrll");

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        grid_text(&g, names[i]);
    for (uint32_t i = 0; i < n; i++) {
        const value *f = leads[i].record.r->fields;
        const value *conclusion = &f[HYPOTHESIS_CONCLUSION];

        grid_cell(&g, leads[i].remains.code);
        grid_cell(&g, leads[i].missing.code);
        number(&g, &f[HYPOTHESIS_LOG10_LR], false);
        number(&g, &f[HYPOTHESIS_POSTERIOR], true);
        grid_text(&g, conclusion->known ? record_field(RECORD_HYPOTHESIS, HYPOTHESIS_CONCLUSION)
                                              ->choices[conclusion->choice]
                                        : "-");
        grid_cell(&g, f[HYPOTHESIS_RULE].text);
    }
    if (!n)
        atg_buf_adds(buf, "No hypotheses: 'antigone match' compares what is there.\n");
    return n ? grid_print(&g, buf, err) : ATG_OK;
}

static int run(const args *a) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(TEXT_MAX);
    STORE_SESSION s = {0};
    leads_query q = {.conclusion = -1};
    uint64_t limit = PAGE;
    lead *leads;
    uint32_t n;
    atg_err err = {0};
    int code = cli_uint(a, OPT_LIMIT, 1, PAGE_MAX, &limit);

    if (!code && cli_has(a, OPT_CONCLUSION)) {
        q.conclusion = record_word(record_field(RECORD_HYPOTHESIS, HYPOTHESIS_CONCLUSION)->choices,
                                   atg_str_of(a->value[OPT_CONCLUSION]));
        if (q.conclusion < 0)
            return cli_usage(a->command, "There is no conclusion '%s'", a->value[OPT_CONCLUSION]);
    }
    if (!code)
        code = cli_store_open(a, &s);
    if (!code)
        code = cli_store_operation(a, &s);
    if (code)
        return code;
    q.operation = s.operation.id;
    q.limit = (uint32_t)limit;
    if (s.at->leads(&s, &q, &leads, &n, &err))
        return cli_fail(NULL, &err);
    if (buf && cli_has(a, OPT_JSON)) {
        json j = json_new(buf);

        cases_write_leads(&j, leads, n);
    } else if (buf && print_text(&s, leads, n, buf, &err)) {
        return cli_fail(NULL, &err);
    }
    return cli_write(a, buf);
}

static const option_id options[] = {OPT_JSON,       OPT_OUTPUT, OPT_OPERATION,
                                    OPT_CONCLUSION, OPT_LIMIT,  STORE_OPTIONS};

const command command_leads = {
    .name = "leads",
    .summary = "List hypotheses: which remains may be whom, how strongly, and why.",
    .operands = "",
    .details = "The most probable come first; excluded ones are listed with --conclusion excluded. "
               "Who has still to conclude on a pair sees neither numbers nor their order: experts "
               "conclude blind. An automatic run says probable, possible, insufficient or "
               "excluded; \"established\" is said by people.",
    .options = options,
    .run = run,
};
