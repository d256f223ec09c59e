/* SPDX-License-Identifier: Apache-2.0 */
/* The history of the whole store: verified, signed, written out. */
#include "cli/commands.h"

#include <stdio.h>

#include "base/instant.h"
#include "cli/progress.h"
#include "cli/store.h"

enum { WITNESSES_MAX = 64 };

static void print_report(const args *a, const audit_report *r) {
    if (cli_has(a, OPT_QUIET))
        return;
    (void)printf("Whole: %llu entries of %llu files, %llu leaves, %llu checkpoints, %llu records "
                 "(%.1f s).\n",
                 (unsigned long long)r->entries, (unsigned long long)r->files,
                 (unsigned long long)r->leaves, (unsigned long long)r->checkpoints,
                 (unsigned long long)r->records, r->seconds);
    if (r->waiting)
        (void)printf("%llu of the entries wait for their place in the tree.\n",
                     (unsigned long long)r->waiting);
}

static int run_verify(const args *a) {
    STORE_SESSION s = {0};
    verify_wish w = {.witnesses = (const char *const *)a->operands,
                     .n_witnesses = (uint32_t)a->n,
                     .progress = progress_start(a)};
    audit_report report;
    atg_err err = {0};
    int code;

    if (a->n > WITNESSES_MAX)
        return cli_usage(a->command, "At most %d witnesses at a time", WITNESSES_MAX);
    if (a->value[OPT_OFFLINE]) {
        if (!a->value[OPT_PUBLIC_KEY])
            return cli_usage(a->command, "Say whose history it is: --public-key DIGITS");
        if (upkeep_verify_file(a->value[OPT_OFFLINE], atg_str_of(a->value[OPT_PUBLIC_KEY]), &w,
                               &report, &err)) {
            progress_clear();
            return cli_fail(a->value[OPT_OFFLINE], &err);
        }
        progress_clear();
        print_report(a, &report);
        return EXIT_DONE;
    }
    code = cli_store_open(a, &s);
    if (code)
        return code;
    if (s.at->verify(&s, &w, &report, &err)) {
        progress_clear();
        return cli_fail(NULL, &err);
    }
    progress_clear();
    print_report(a, &report);
    return EXIT_DONE;
}

static int run_checkpoint(const args *a) {
    STORE_SESSION s = {0};
    char text[CHECKPOINT_MAX];
    atg_err err = {0};
    int code = cli_store_open(a, &s);

    if (code)
        return code;
    if (s.at->checkpoint(&s, a->n ? a->operands[0] : NULL, text, &err))
        return cli_fail(NULL, &err);
    (void)fputs(text, stdout);
    return EXIT_DONE;
}

static int run_export(const args *a) {
    STORE_SESSION s = {0};
    char key[UPKEEP_KEY + 1];
    atg_err err = {0};
    int code = cli_store_open(a, &s);

    if (code)
        return code;
    if (s.at->key(&s, key, &err) ||
        s.at->export_history(&s, a->operands[0], progress_start(a), &err)) {
        progress_clear();
        return cli_fail(NULL, &err);
    }
    progress_clear();
    cli_store_say(a,
                  "Whoever has it verifies it with: antigone audit verify --offline %s "
                  "--public-key %s\n",
                  a->operands[0], key);
    return EXIT_DONE;
}

static int run_key(const args *a) {
    STORE_SESSION s = {0};
    char key[UPKEEP_KEY + 1];
    atg_err err = {0};
    int code = cli_store_open(a, &s);

    if (code)
        return code;
    if (s.at->key(&s, key, &err))
        return cli_fail(NULL, &err);
    (void)printf("%s\n", key);
    return EXIT_DONE;
}

static const option_id verify_options[] = {OPT_OFFLINE, OPT_PUBLIC_KEY, STORE_OPTIONS};
static const option_id options[] = {STORE_OPTIONS};

const command command_audit_verify = {
    .name = "audit verify",
    .summary = "Show that nothing in the history was changed, or name the first thing that was.",
    .operands = "[WITNESS]...",
    .max_operands = -1,
    .details = "Every link of every chain, every leaf of the tree and every checkpoint is "
               "followed, and every record is compared with its history. WITNESS is a file or "
               "folder of checkpoints that somebody else kept: what they saw cannot be denied. "
               "What was cut off after the last witnessed checkpoint cannot be seen. --offline "
               "verifies what 'antigone audit export' wrote, without the store. The exit code is "
               "1 when something is broken.",
    .options = verify_options,
    .run = run_verify,
};

const command command_audit_checkpoint = {
    .name = "audit checkpoint",
    .summary = "Sign the history as it is now, print the note, and append it to a witness.",
    .operands = "[WITNESS]",
    .max_operands = 1,
    .details = "WITNESS is a file or folder where whoever keeps the store cannot change what "
               "stands there: on another machine, on a medium that is written once.",
    .options = options,
    .run = run_checkpoint,
};

const command command_audit_export = {
    .name = "audit export",
    .summary = "Write the whole history into one file that is verified without the store.",
    .operands = "FILE",
    .min_operands = 1,
    .max_operands = 1,
    .details = "Nothing personal stands in it: values are commitments. Needs a written reason "
               "(--reason), counts as an export of the day, and stands in the history, in FILE "
               "too.",
    .options = options,
    .run = run_export,
};

const command command_audit_key = {
    .name = "audit key",
    .summary = "Print the public key that signs the checkpoints of this store.",
    .operands = "",
    .options = options,
    .run = run_key,
};
