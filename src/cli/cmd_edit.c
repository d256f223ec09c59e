/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"

#include <string.h>

#include "cli/show_record.h"
#include "cli/store.h"

/* A file by its code, or "KIND:ID" for a record in a file. */
static int find(const args *a, store_session *s, const char *what, record_kind *ret_kind,
                uuid *ret) {
    const char *colon = strchr(what, ':');
    file_row file;
    int code;

    if (colon) {
        int kind = record_kind_of((atg_str){what, (size_t)(colon - what)});

        if (kind < 0 || !uuid_read(atg_str_of(colon + 1), ret))
            return cli_usage(a->command, "Name a record in a file as KIND:IDENTIFIER, not '%s'",
                             what);
        *ret_kind = (record_kind)kind;
        return EXIT_DONE;
    }
    code = cli_store_file(s, what, &file);
    *ret_kind = file.kind;
    *ret = file.id;
    return code;
}

static int run(const args *a) {
    STORE_SESSION s = {0};
    record_kind kind = RECORD_MISSING;
    uuid id = {{0}};
    seen now;
    atg_err err = {0};
    int code = cli_store_open(a, &s);

    if (!code)
        code = find(a, &s, a->operands[0], &kind, &id);
    if (code)
        return code;
    if (s.at->get(&s, kind, &id, &now, &err))
        return cli_fail(NULL, &err);

    int64_t rev = now.r->rev;

    code = cli_store_fields(&s, a->n - 1, a->operands + 1, now.r);
    if (code)
        return code;

    change ch = {CHANGE_EDIT, now.r};

    if (s.at->change(&s, &ch, &err))
        return cli_fail(NULL, &err);
    if (now.r->rev == rev)
        cli_store_say(a, "Nothing was different: %s is still at revision %lld.\n", a->operands[0],
                      (long long)rev);
    else
        cli_store_say(a, "%s is at revision %lld now.\n", a->operands[0], (long long)now.r->rev);
    return EXIT_DONE;
}

static const option_id options[] = {STORE_OPTIONS};

const command command_edit = {
    .name = "edit",
    .summary = "Change fields of a file or record.",
    .operands = "CODE|KIND:ID FIELD=VALUE...",
    .min_operands = 2,
    .max_operands = -1,
    .details = "FIELD= makes a field unknown. When somebody else changed the record since it was "
               "read, nothing is changed and the command says what differs. What it was before "
               "stands in the history.",
    .options = options,
    .run = run,
};
