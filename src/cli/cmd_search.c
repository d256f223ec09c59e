/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"

#include <stdio.h>

#include "app/cases_json.h"
#include "cli/show_record.h"
#include "cli/store.h"

enum { TEXT_MAX = 1 << 24, PAGE = 50, PAGE_MAX = 900 };

/* The words of the command line as one query. */
static int read_words(const args *a, const store_session *s, atg_str *ret) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(1 << 16);
    atg_err err = {0};
    atg_str text;

    if (!buf)
        return cli_write(NULL, NULL);
    for (int i = 1; i < a->n; i++)
        atg_buf_printf(buf, "%s%s", i > 1 ? " " : "", a->operands[i]);
    if (atg_buf_take(buf, &text, &err))
        return cli_fail(NULL, &err);
    *ret = atg_arena_str(s->arena, text);
    return ret->p ? EXIT_DONE : cli_write(NULL, NULL);
}

static int print(const args *a, const store_session *s, const file_page *page) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(TEXT_MAX);
    atg_err err = {0};

    if (buf && cli_has(a, OPT_JSON)) {
        json j = json_new(buf);

        cases_write_files(&j, page);
    } else if (buf && !page->n) {
        atg_buf_adds(buf, "Nothing was found.\n");
    } else if (buf && show_files(s->arena, buf, page, &err)) {
        return cli_fail(NULL, &err);
    }
    return cli_write(a, buf);
}

static int run(const args *a) {
    STORE_SESSION s = {0};
    search_query q = {.state = -1, .sex = -1};
    record_kind kind;
    file_page page;
    uint64_t limit = PAGE;
    atg_err err = {0};
    int code = cli_store_kind(a, a->operands[0], &kind);

    if (!code)
        code = cli_uint(a, OPT_LIMIT, 1, PAGE_MAX, &limit);
    if (!code)
        code = cli_store_open(a, &s);
    if (!code)
        code = cli_store_operation(a, &s);
    if (!code)
        code = read_words(a, &s, &q.text);
    if (code)
        return code;
    q.operation = s.operation.id;
    q.kind = (int)kind;
    q.limit = (uint32_t)limit;
    if (s.at->search(&s, &q, &page, &err))
        return cli_fail(NULL, &err);
    code = print(a, &s, &page);
    return code ? code : page.n ? EXIT_DONE : EXIT_NO;
}

static const option_id options[] = {OPT_JSON, OPT_OUTPUT, OPT_OPERATION, OPT_LIMIT, STORE_OPTIONS};

const command command_search = {
    .name = "search",
    .summary = "Find files by words, beginnings and parts of words, codes and dates.",
    .operands = "KIND WORD...",
    .min_operands = 2,
    .max_operands = -1,
    .details = "All words must be found. A word is the beginning of one; \"in quotes\" it is a "
               "whole one, *between stars* a part of one. Names are found as they are written and "
               "in Latin letters. Only what this account may read is searched. The exit code is 1 "
               "when nothing was found.",
    .options = options,
    .run = run,
};
