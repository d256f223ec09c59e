/* SPDX-License-Identifier: Apache-2.0 */
/* Two commands that move a file on: to another state, or out of the way. */
#include "cli/commands.h"

#include "cli/store.h"

static int change_file(const args *a, change_kind what, const char *state) {
    STORE_SESSION s = {0};
    file_row file;
    seen now;
    atg_err err = {0};
    int code = cli_store_open(a, &s);

    if (!code)
        code = cli_store_file(&s, a->operands[0], &file);
    if (code)
        return code;
    if (s.at->get(&s, file.kind, &file.id, &now, &err))
        return cli_fail(NULL, &err);
    if (state) {
        int at = record_word(record_types[file.kind].states, atg_str_of(state));

        if (at < 0)
            return cli_usage(a->command, "A %s has no state '%s'", record_types[file.kind].title,
                             state);
        now.r->state = (uint32_t)at;
    }

    change ch = {what, now.r};

    if (s.at->change(&s, &ch, &err))
        return cli_fail(NULL, &err);
    cli_store_say(a, "%.*s is %s now.\n", ATG_FMT(file.code), state ? state : "withdrawn");
    return EXIT_DONE;
}

static int run_state(const args *a) {
    return change_file(a, CHANGE_STATE, a->operands[1]);
}

static int run_withdraw(const args *a) {
    return change_file(a, CHANGE_WITHDRAW, NULL);
}

static const option_id options[] = {STORE_OPTIONS};

const command command_state = {
    .name = "state",
    .summary = "Move a file to another state, with a reason.",
    .operands = "CODE STATE",
    .min_operands = 2,
    .max_operands = 2,
    .details =
        "States of remains: received, examined, under_comparison, at_the_board, identified, "
        "released; of a missing person: reported, complete, under_comparison, identified, "
        "family_told, closed, found_alive, withdrawn. Which move is whose stands in the table of "
        "rights; what a rule forbids is refused with the rule.",
    .options = options,
    .run = run_state,
};

const command command_withdraw = {
    .name = "withdraw",
    .summary = "Take a file that should not be there out of lists and comparisons, with a reason.",
    .operands = "CODE",
    .min_operands = 1,
    .max_operands = 1,
    .details = "Nothing is deleted: the file and its history stay, and it can be found again with "
               "'antigone show'. To destroy what is known of a person, see 'antigone erase'.",
    .options = options,
    .run = run_withdraw,
};
