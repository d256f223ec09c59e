/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"

#include "cli/show_record.h"
#include "cli/store.h"

/* Records that stand in a file take the file's code behind their kind. */
static int place(const args *a, store_session *s, record *r, int *ret_used) {
    const record_type *type = &record_types[r->kind];
    file_row file;
    int code;

    *ret_used = 1;
    if (type->is_file && r->kind == RECORD_OPERATION)
        return EXIT_DONE;
    if (type->is_file) {
        code = cli_store_operation(a, s);
        r->operation = s->operation.id;
        return code;
    }
    if (a->n < 2)
        return cli_usage(a->command, "A %s stands in a file: antigone add %s CODE FIELD=VALUE...",
                         type->title, type->name);
    code = cli_store_file(s, a->operands[1], &file);
    r->file = file.id;
    *ret_used = 2;
    return code;
}

static int run(const args *a) {
    STORE_SESSION s = {0};
    record_kind kind;
    record *r;
    int used;
    atg_err err = {0};
    int code = cli_store_kind(a, a->operands[0], &kind);

    if (!code)
        code = cli_store_open(a, &s);
    if (code)
        return code;
    r = record_new(s.arena, kind);
    if (!r)
        return cli_write(NULL, NULL);
    code = place(a, &s, r, &used);
    if (!code)
        code = cli_store_fields(&s, a->n - used, a->operands + used, r);
    if (code)
        return code;

    change ch = {CHANGE_ADD, r};

    if (s.at->change(&s, &ch, &err))
        return cli_fail(NULL, &err);
    cli_store_say(a, "%.*s\n", ATG_FMT(show_code(s.arena, r)));
    return EXIT_DONE;
}

static const option_id options[] = {OPT_OPERATION, STORE_OPTIONS};

const command command_add = {
    .name = "add",
    .summary = "Add a file (missing, remains, family, operation, ...) or a record to a file.",
    .operands = "KIND [CODE] FIELD=VALUE...",
    .min_operands = 1,
    .max_operands = -1,
    .details =
        "Eight fields make a valid file of a missing person: family_name, given_name, sex, born, "
        "last_seen, last_place, informant_name and informant_contact; and of remains: tag, what, "
        "found_on, found_place, sex, age, condition and recovered_by. Everything else can come "
        "later.\n\nDates are as precise as they are known: 1984, 1984-03, 1984-03-12, 1984/1986, "
        "'about 1984'. Ranges are 34-40, 34- or 34. What is not written is unknown, and is never "
        "read as \"no\".\n\nRecords that stand in a file (mark, sample, donor, profile, custody, "
        "...) take the file's code behind the kind. The code of what was added is printed.\n\nA "
        "picture is given as image=@FILE (scan=@FILE, data=@FILE): JPEG, PNG or WebP. What it "
        "tells about camera, place and hour is taken off, and it is sealed.",
    .options = options,
    .run = run,
};
