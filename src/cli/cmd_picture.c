/* SPDX-License-Identifier: Apache-2.0 */
/* The picture of a record, into a file. */
#include "cli/commands.h"

#include <string.h>

#include "cli/store.h"

static const size_t picture_max = (size_t)512 << 20;

static int add_bytes(void *user, atg_str bytes, atg_err *err) {
    (void)err;
    atg_buf_add(user, bytes);
    return ATG_OK;
}

/* The first field of a kind that is a picture, or -1. */
static int picture_field(uint32_t kind) {
    for (uint32_t f = 0; f < record_types[kind].n_fields; f++)
        if (record_field((record_kind)kind, f)->kind == FIELD_BLOB)
            return (int)f;
    return -1;
}

static int run(const args *a) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(picture_max);
    STORE_SESSION s = {0};
    picture_wish w = {.field = 0};
    atg_err err = {0};
    int code, rc = ATG_ENOTFOUND;

    if (!uuid_read(atg_str_of(a->operands[0]), &w.id))
        return cli_usage(a->command, "Name the record by its identifier ('antigone show CODE')");
    if (!cli_has(a, OPT_OUTPUT))
        return cli_usage(a->command, "Say where to: --output FILE");
    if (!buf)
        return cli_write(a, NULL);
    code = cli_store_open(a, &s);
    if (code)
        return code;
    for (uint32_t k = 0; k < RECORD_KINDS && rc == ATG_ENOTFOUND; k++) {
        int f = picture_field(k);

        if (f < 0)
            continue;
        w.kind = (record_kind)k;
        w.field = (uint32_t)f;
        rc = s.at->picture_get(&s, &w, (stream_sink){add_bytes, buf}, &err);
    }
    return rc ? cli_fail(NULL, &err) : cli_write(a, buf);
}

static const option_id options[] = {OPT_OUTPUT, STORE_OPTIONS};

const command command_picture = {
    .name = "picture",
    .summary = "Write the picture of a record (a photograph, a scan, a ridge) to a file.",
    .operands = "ID",
    .min_operands = 1,
    .max_operands = 1,
    .details = "Needs the role and, for pictures of the dead, a written reason (--reason). That "
               "somebody looked stands in the history of the file.",
    .options = options,
    .run = run,
};
