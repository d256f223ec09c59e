/* SPDX-License-Identifier: Apache-2.0 */
/* Records that were changed on both sides: shown field by field, and decided. */
#include "cli/commands.h"

#include "cli/show_record.h"
#include "cli/store.h"

enum { TEXT_MAX = 1 << 26, PAGE = 100 };

static const char *field_name(const conflict_shown *c, int field) {
    if (field == -1)
        return "State";
    return field == -2 ? "Withdrawn" : record_field(c->row.kind, (uint32_t)field)->label;
}

static void write_conflict(const store_session *s, const conflict_shown *c, atg_buf *buf) {
    char id[UUID_TEXT + 1];

    uuid_text(&c->row.id, id);
    atg_buf_printf(buf, "%s: the %s %.*s, changed at %.*s too\n", id,
                   record_types[c->row.kind].title, ATG_FMT(show_code(s->arena, c->ours)),
                   ATG_FMT(c->from));
    for (uint32_t i = 0; i < c->n; i++) {
        const conflict_field *f = &c->fields[i];

        if (f->hidden)
            atg_buf_printf(buf, "    %s: (not shown to this account)\n", field_name(c, f->field));
        else
            atg_buf_printf(buf, "    %s: here '%.*s', there '%.*s'\n", field_name(c, f->field),
                           ATG_FMT(f->ours), ATG_FMT(f->theirs));
    }
}

static int run_list(const args *a) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(TEXT_MAX);
    STORE_SESSION s = {0};
    conflicts_wish q = {.limit = PAGE};
    conflict_shown *list;
    uint32_t n;
    atg_err err = {0};
    int code = cli_store_open(a, &s);

    if (!code)
        code = cli_store_operation(a, &s);
    if (code)
        return code;
    q.operation = s.operation.id;
    if (s.at->conflicts(&s, &q, &list, &n, &err))
        return cli_fail(NULL, &err);
    for (uint32_t i = 0; i < n && buf; i++)
        write_conflict(&s, &list[i], buf);
    if (buf && !n)
        atg_buf_adds(buf, "No conflicts.\n");
    code = cli_write(a, buf);
    return code ? code : n ? EXIT_DONE : EXIT_NO;
}

static int find(store_session *s, const uuid *id, conflict_shown *ret) {
    conflicts_wish q = {.operation = s->operation.id, .limit = PAGE};
    atg_err err = {0};

    for (;;) {
        conflict_shown *list;
        uint32_t n;

        if (s->at->conflicts(s, &q, &list, &n, &err))
            return cli_fail(NULL, &err);
        for (uint32_t i = 0; i < n; i++)
            if (uuid_cmp(&list[i].row.id, id) == 0) {
                *ret = list[i];
                return EXIT_DONE;
            }
        if (n < PAGE) {
            (void)atg_fail(&err, ATG_ENOTFOUND, "There is no such conflict");
            return cli_fail(NULL, &err);
        }
        q.after = list[n - 1].row.id;
    }
}

static int run_decide(const args *a) {
    STORE_SESSION s = {0};
    conflict_shown c = {.n = 0};
    uint64_t theirs = 0;
    uuid id;
    atg_str names = atg_str_of(a->value[OPT_THEIRS]);
    atg_err err = {0};
    int code;

    if (!uuid_read(atg_str_of(a->operands[0]), &id))
        return cli_usage(a->command, "Name the conflict as 'antigone conflicts list' does");
    code = cli_store_open(a, &s);
    if (!code)
        code = cli_store_operation(a, &s);
    if (!code)
        code = find(&s, &id, &c);
    while (!code && names.n) {
        atg_str name = atg_str_cut(&names, ',');
        int f = record_field_of(c.row.kind, name);

        if (f < 0)
            return cli_usage(a->command, "A %s has no field '%.*s'", record_types[c.row.kind].title,
                             ATG_FMT(name));
        theirs |= UINT64_C(1) << f;
    }
    if (code || !c.ours)
        return code;
    if (s.at->decide(&s, &c, theirs, &err))
        return cli_fail(NULL, &err);
    cli_store_say(a, "Decided.\n");
    return EXIT_DONE;
}

static const option_id list_options[] = {OPT_OUTPUT, OPT_OPERATION, STORE_OPTIONS};
static const option_id decide_options[] = {OPT_THEIRS, OPT_OPERATION, STORE_OPTIONS};

const command command_conflicts_list = {
    .name = "conflicts list",
    .summary = "Show records that were changed here and at another site, field by field.",
    .operands = "",
    .options = list_options,
    .run = run_list,
};

const command command_conflicts_decide = {
    .name = "conflicts decide",
    .summary = "Decide a conflict: what is taken over from the other side, and what stays.",
    .operands = "ID",
    .min_operands = 1,
    .max_operands = 1,
    .details = "Without --theirs everything stays as it is here. The decision goes along with the "
               "next bundle.",
    .options = decide_options,
    .run = run_decide,
};
