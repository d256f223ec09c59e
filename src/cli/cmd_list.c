/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"

#include <stdio.h>
#include <string.h>

#include "app/cases_json.h"
#include "cli/show_record.h"
#include "cli/store.h"

enum { TEXT_MAX = 1 << 24, PAGE = 50, PAGE_MAX = 900 };

static int word_of(const args *a, option_id id, const char *const *words, int *ret) {
    *ret = -1;
    if (!cli_has(a, id))
        return EXIT_DONE;
    *ret = record_word(words, atg_str_of(a->value[id]));
    return *ret >= 0 ? EXIT_DONE
                     : cli_usage(a->command, "There is no '%s' for --%s", a->value[id],
                                 cli_options[id].name);
}

static int read_query(const args *a, store_session *s, files_query *q) {
    static const char *const orders[] = {"code", "name", "change", NULL};
    uint64_t limit = PAGE;
    int order, code = word_of(a, OPT_STATE, record_types[q->kind].states, &q->state);
    file_row after;

    if (!code)
        code = word_of(a, OPT_SEX, record_field(RECORD_MISSING, MISSING_SEX)->choices, &q->sex);
    if (!code)
        code = word_of(a, OPT_ORDER, orders, &order);
    if (!code)
        code = cli_uint(a, OPT_LIMIT, 1, PAGE_MAX, &limit);
    if (code)
        return code;
    q->order = order < 0 ? FILES_BY_CODE : (files_order)order;
    q->limit = (uint32_t)limit;
    if (!cli_has(a, OPT_AFTER))
        return EXIT_DONE;
    code = cli_store_file(s, a->value[OPT_AFTER], &after);
    q->after = after.id;
    return code;
}

/* Operations belong to no operation. */
static int print_operations(const args *a, store_session *s) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(TEXT_MAX);
    file_page page = {0};
    atg_err err = {0};

    if (s->at->operations(s, true, &page, &err))
        return cli_fail(NULL, &err);
    if (!buf)
        return cli_write(NULL, NULL);
    if (cli_has(a, OPT_JSON)) {
        json j = json_new(buf);

        cases_write_files(&j, &page);
    } else if (show_files(s->arena, buf, &page, &err)) {
        return cli_fail(NULL, &err);
    }
    return cli_write(a, buf);
}

static int print(const args *a, store_session *s, const file_page *page) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(TEXT_MAX);
    atg_err err = {0};
    int code;

    if (buf && cli_has(a, OPT_JSON)) {
        json j = json_new(buf);

        cases_write_files(&j, page);
    } else if (buf && show_files(s->arena, buf, page, &err)) {
        return cli_fail(NULL, &err);
    }
    code = cli_write(a, buf);
    if (!code && page->more && !cli_has(a, OPT_JSON))
        (void)fprintf(stderr, "antigone: There are more: --after %.*s\n",
                      ATG_FMT(page->rows[page->n - 1].code));
    return code;
}

static int run(const args *a) {
    STORE_SESSION s = {0};
    files_query q = {.kind = RECORD_MISSING};
    file_page page;
    atg_err err = {0};
    int code = cli_store_kind(a, a->operands[0], &q.kind);

    if (!code && !record_types[q.kind].is_file)
        return cli_usage(a->command, "A %s stands in a file: 'antigone show CODE' shows it",
                         record_types[q.kind].title);
    if (!code)
        code = cli_store_open(a, &s);
    if (!code && q.kind == RECORD_OPERATION)
        return print_operations(a, &s);
    if (!code)
        code = cli_store_operation(a, &s);
    q.operation = s.operation.id;
    if (!code)
        code = read_query(a, &s, &q);
    if (code)
        return code;
    if (s.at->list(&s, &q, &page, &err))
        return cli_fail(NULL, &err);
    return print(a, &s, &page);
}

static const option_id options[] = {OPT_JSON,  OPT_OUTPUT, OPT_OPERATION, OPT_STATE,    OPT_SEX,
                                    OPT_ORDER, OPT_LIMIT,  OPT_AFTER,     STORE_OPTIONS};

const command command_list = {
    .name = "list",
    .summary = "List files of a kind: missing, remains, family, operation, batch, ...",
    .operands = "KIND",
    .min_operands = 1,
    .max_operands = 1,
    .details = "Names stand beside the codes only for who may read them; that they were listed "
               "stands in the history of the operation.",
    .options = options,
    .run = run,
};
