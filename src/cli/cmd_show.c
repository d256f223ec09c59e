/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"

#include "app/cases_json.h"
#include "cli/show_record.h"
#include "cli/store.h"

enum { TEXT_MAX = 1 << 28 };

static void write_all(const args *a, const seen *all, uint32_t n, atg_buf *buf) {
    json j = json_new(buf);

    if (!cli_has(a, OPT_JSON)) {
        for (uint32_t i = 0; i < n; i++) {
            atg_buf_adds(buf, i ? "\n" : "");
            show_record(buf, &all[i]);
        }
        return;
    }
    cases_write_all(&j, all, n);
}

static int run(const args *a) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(TEXT_MAX);
    STORE_SESSION s = {0};
    file_row file;
    seen *all;
    uint32_t n;
    atg_err err = {0};
    int code = cli_store_open(a, &s);

    if (!code)
        code = cli_store_file(&s, a->operands[0], &file);
    if (code)
        return code;
    if (s.at->file(&s, &file, &all, &n, &err))
        return cli_fail(NULL, &err);
    if (buf)
        write_all(a, all, n, buf);
    return cli_write(a, buf);
}

static const option_id options[] = {OPT_JSON, OPT_OUTPUT, STORE_OPTIONS};

const command command_show = {
    .name = "show",
    .summary = "Show a file with everything in it that this account may see.",
    .operands = "CODE",
    .min_operands = 1,
    .max_operands = 1,
    .details = "Names and pictures need the role and, for some roles, a written reason "
               "(--reason). That somebody looked stands in the history of the file.",
    .options = options,
    .run = run,
};
