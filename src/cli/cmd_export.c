/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"

#include <string.h>

#include <antigone/formats.h>

#include "app/csv_export.h"
#include "cli/store.h"

static const size_t text_max = (size_t)1 << 30;

static int export_dna(const args *a, store_session *s, atg_buf *buf) {
    const char *to = a->value[OPT_TO] ? a->value[OPT_TO] : "json";
    const char *recipient = a->value[OPT_RECIPIENT];
    atg_operation op;
    atg_err err = {0};
    int rc;

    if (!recipient)
        return cli_usage(a->command, "Say who receives it: --recipient NAME. Relatives' profiles "
                                     "leave only as their donors agreed");
    if (cases_export_dna(s->c, &s->who, s->arena, &s->operation.id, recipient, &op, &err))
        return cli_fail(NULL, &err);
    if (strcmp(to, "json") == 0)
        rc = atg_operation_write_json(&op, recipient, buf, &err);
    else if (strcmp(to, "fam") == 0)
        rc = atg_familias_write(&op, recipient, buf, &err);
    else if (strcmp(to, "csv") == 0)
        rc = atg_table_write(&op, recipient, buf, &err);
    else
        return cli_usage(a->command, "--to takes json, fam or csv here");
    return rc ? cli_fail(NULL, &err) : EXIT_DONE;
}

static int run(const args *a) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(text_max);
    STORE_SESSION s = {0};
    bool dna = strcmp(a->operands[0], "dna") == 0;
    record_kind kind = RECORD_MISSING;
    uint32_t n = 0;
    atg_err err = {0};
    int code = dna ? EXIT_DONE : cli_store_kind(a, a->operands[0], &kind);

    if (!code && !buf)
        code = cli_write(NULL, NULL);
    if (!code)
        code = cli_store_open(a, &s);
    if (!code)
        code = cli_store_operation(a, &s);
    if (!code && dna)
        code = export_dna(a, &s, buf);
    if (!code && !dna && cases_export_csv(s.c, &s.who, &s.operation.id, kind, buf, &n, &err))
        code = cli_fail(NULL, &err);
    return code ? code : cli_write(a, buf);
}

static const option_id options[] = {OPT_OUTPUT, OPT_OPERATION, OPT_TO, OPT_RECIPIENT,
                                    STORE_OPTIONS};

const command command_export = {
    .name = "export",
    .summary = "Write a table of files (CSV), or the DNA of an operation for a recipient.",
    .operands = "KIND|dna",
    .min_operands = 1,
    .max_operands = 1,
    .details = "A table has the columns that this account may see, without pictures and genotypes; "
               "what a spreadsheet would run as a formula is made harmless. 'export dna' writes "
               "remains and, of relatives, the profiles whose donors agreed to this recipient. "
               "What leaves, to whom and why stands in the history of the operation.",
    .options = options,
    .run = run,
};
