/* SPDX-License-Identifier: Apache-2.0 */
/* Two reports of one person become one, and two again. */
#include "cli/commands.h"

#include "cli/store.h"

static int run_merge(const args *a) {
    STORE_SESSION s = {0};
    file_row into, from;
    atg_err err = {0};
    int code = cli_store_open(a, &s);

    if (!code)
        code = cli_store_file(&s, a->operands[0], &into);
    if (!code)
        code = cli_store_file(&s, a->operands[1], &from);
    if (code)
        return code;
    if (s.at->merge(&s, &into, &from, &err))
        return cli_fail(NULL, &err);
    cli_store_say(a,
                  "%.*s is a report on the person of %.*s now; 'antigone unmerge %.*s' takes it "
                  "apart.\n",
                  ATG_FMT(from.code), ATG_FMT(into.code), ATG_FMT(from.code));
    return EXIT_DONE;
}

static int run_unmerge(const args *a) {
    STORE_SESSION s = {0};
    file_row from;
    atg_err err = {0};
    int code = cli_store_open(a, &s);

    if (!code)
        code = cli_store_file(&s, a->operands[0], &from);
    if (code)
        return code;
    if (s.at->unmerge(&s, &from, &err))
        return cli_fail(NULL, &err);
    cli_store_say(a, "%.*s stands by itself again.\n", ATG_FMT(from.code));
    return EXIT_DONE;
}

static const option_id options[] = {STORE_OPTIONS};

const command command_merge = {
    .name = "merge",
    .summary = "Make a second report of a missing person part of the first, with a reason.",
    .operands = "INTO FROM",
    .min_operands = 2,
    .max_operands = 2,
    .details = "Both files keep what they say. FROM is compared no more by itself; where INTO has "
               "no place in a pedigree, that of FROM counts. 'antigone duplicates' proposes pairs.",
    .options = options,
    .run = run_merge,
};

const command command_unmerge = {
    .name = "unmerge",
    .summary = "Take a merged report apart again, with a reason.",
    .operands = "FROM",
    .min_operands = 1,
    .max_operands = 1,
    .options = options,
    .run = run_unmerge,
};
