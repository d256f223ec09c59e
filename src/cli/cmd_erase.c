/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"

#include <string.h>

#include "cli/store.h"

static int erase_due(const args *a, store_session *s) {
    uint32_t n = 0;
    atg_err err = {0};
    int code = cli_store_operation(a, s);

    if (code)
        return code;
    if (s->at->erase_due(s, &n, &err))
        code = cli_fail(NULL, &err);
    cli_store_say(a, "%u erased.\n", n);
    return code;
}

static int run(const args *a) {
    STORE_SESSION s = {0};
    uuid person;
    file_row file;
    atg_err err = {0};
    int code = cli_store_open(a, &s);

    if (code)
        return code;
    if (strcmp(a->operands[0], "due") == 0)
        return erase_due(a, &s);
    /* a donor or an informant is no file: they are named by their identifiers */
    if (!uuid_read(atg_str_of(a->operands[0]), &person)) {
        code = cli_store_file(&s, a->operands[0], &file);
        person = file.id;
    }
    if (code)
        return code;
    if (s.at->erase(&s, &person, &err))
        return cli_fail(NULL, &err);
    cli_store_say(a, "The key and salts of %s are destroyed. A tombstone stays.\n", a->operands[0]);
    return EXIT_DONE;
}

static const option_id options[] = {OPT_OPERATION, STORE_OPTIONS};

const command command_erase = {
    .name = "erase",
    .summary = "Destroy for ever what is known of a person: the key, the salts, the pictures.",
    .operands = "CODE|ID|due",
    .min_operands = 1,
    .max_operands = 1,
    .details = "CODE of a file, or the identifier of a donor or informant. What was sealed under "
               "the person's key cannot be read by anybody any more, in backups neither once "
               "they are restored: the journal 'erased' in the store's folder is applied again. "
               "The history stays whole. The reason (--reason) stays readable, so it names "
               "nobody.\n\n'due' erases the donors and staff of an operation who withdrew or whose "
               "agreed time is over: let a timer call it every day.",
    .options = options,
    .run = run,
};
