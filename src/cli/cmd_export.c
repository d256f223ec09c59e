/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"

#include <string.h>

#include "cli/store.h"

static const size_t text_max = (size_t)1 << 30;

static int export_dna(const args *a, store_session *s, atg_buf *buf) {
    const char *to = a->value[OPT_TO] ? a->value[OPT_TO] : backend_dna_formats[0];
    const char *recipient = a->value[OPT_RECIPIENT];
    int format = record_word(backend_dna_formats, atg_str_of(to));
    atg_err err = {0};

    if (!recipient)
        return cli_usage(a->command, "Say who receives it: --recipient NAME. Relatives' profiles "
                                     "leave only as their donors agreed");
    if (format < 0)
        return cli_usage(a->command, "--to takes json, fam or csv here");
    return s->at->export_dna(s, recipient, format, buf, &err) ? cli_fail(NULL, &err) : EXIT_DONE;
}

static int run(const args *a) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(text_max);
    STORE_SESSION s = {0};
    bool dna = strcmp(a->operands[0], "dna") == 0;
    record_kind kind = RECORD_MISSING;
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
    if (!code && !dna && s.at->export_table(&s, kind, buf, &err))
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
