/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts and their roles: what the administrator does. */
#include "cli/commands.h"

#include <stdio.h>
#include <string.h>

#include "app/cases_json.h"
#include "base/bytes.h"
#include "cli/show.h"
#include "cli/store.h"

enum { TEXT_MAX = 1 << 24, WORDS = 400 };

/* ---- add, reset ---- */

static void say_once(const args *a, const char *name, char *password, const char *until) {
    (void)printf("%s\n", password);
    if (!cli_has(a, OPT_QUIET))
        (void)fprintf(stderr,
                      "antigone: This is the password of %s for the first time, %s; 'antigone "
                      "password %s' sets one that only they know.\n",
                      name, until, name);
    bytes_wipe(password, ACCOUNT_ONCE + 1);
}

static int run_add(const args *a) {
    STORE_SESSION s = {0};
    char password[ACCOUNT_ONCE + 1];
    atg_err err = {0};
    int code = cli_store_open(a, &s);

    if (!code && !a->value[OPT_AGENCY])
        return cli_usage(a->command, "Say which agency: --agency NAME");
    if (code)
        return code;
    if (s.at->user_add(&s, atg_str_of(a->value[OPT_AGENCY]), atg_str_of(a->operands[0]), password,
                       &err))
        return cli_fail(NULL, &err);
    say_once(a, a->operands[0], password, "for a week");
    return EXIT_DONE;
}

static int run_reset(const args *a) {
    STORE_SESSION s = {0};
    char password[ACCOUNT_ONCE + 1];
    atg_err err = {0};
    int code = cli_store_open(a, &s);

    if (code)
        return code;
    if (s.at->user_reset(&s, atg_str_of(a->operands[0]), cli_has(a, OPT_LOST_CODE), password, &err))
        return cli_fail(NULL, &err);
    say_once(a, a->operands[0], password, "for a day");
    return EXIT_DONE;
}

/* ---- roles ---- */

static int grant(const args *a, bool on) {
    STORE_SESSION s = {0};
    atg_err err = {0};
    int code = cli_store_open(a, &s);

    if (!code && a->value[OPT_OPERATION])
        code = cli_store_operation(a, &s);
    for (int i = 1; i < a->n && !code; i++) {
        int r = record_role_of(atg_str_of(a->operands[i]));

        if (r < 0)
            return cli_usage(a->command, "There is no role '%s'", a->operands[i]);
        if (s.at->user_grant(&s, atg_str_of(a->operands[0]),
                             a->value[OPT_OPERATION] ? &s.operation.id : NULL, (role)r, on, &err))
            return cli_fail(NULL, &err);
    }
    if (!code)
        cli_store_say(a, "%s %s%s.\n", a->operands[0],
                      on ? "has the role" : "has no longer the role", a->n > 2 ? "s" : "");
    return code;
}

static int run_grant(const args *a) {
    return grant(a, true);
}

static int run_revoke(const args *a) {
    return grant(a, false);
}

/* ---- keeping out ---- */

static int block(const args *a, bool on) {
    STORE_SESSION s = {0};
    atg_err err = {0};
    int code = cli_store_open(a, &s);

    if (code)
        return code;
    if (s.at->user_block(&s, atg_str_of(a->operands[0]), on, &err))
        return cli_fail(NULL, &err);
    cli_store_say(a, "%s is %s.\n", a->operands[0], on ? "kept out" : "let in again");
    return EXIT_DONE;
}

static int run_block(const args *a) {
    return block(a, true);
}

static int run_unblock(const args *a) {
    return block(a, false);
}

/* ---- the list ---- */

static void write_roles(char *ret, size_t size, const account_info *of) {
    size_t n = 0;

    *ret = '\0';
    for (uint32_t g = 0; g < of->n_grants; g++)
        for (int r = 0; r < ROLES && n + 40 < size; r++)
            if (of->grants[g].roles >> r & 1)
                n +=
                    (size_t)snprintf(ret + n, size - n, "%s%s%s", n ? ", " : "", role_names[r],
                                     uuid_none(&of->grants[g].operation) ? "" : " (one operation)");
}

static int print_text(atg_arena *arena, const account_info *list, uint32_t n, atg_buf *buf,
                      atg_err *err) {
    grid g = grid_new(arena, "lllll");
    char roles[WORDS];

    grid_text(&g, "Name");
    grid_text(&g, "Agency");
    grid_text(&g, "Let in");
    grid_text(&g, "Code");
    grid_text(&g, "Roles");
    for (uint32_t i = 0; i < n; i++) {
        write_roles(roles, sizeof(roles), &list[i]);
        grid_cell(&g, list[i].name);
        grid_cell(&g, list[i].agency);
        grid_text(&g, list[i].blocked ? "no" : list[i].once ? "sets a password first" : "yes");
        grid_text(&g, list[i].code ? "yes" : "no");
        grid_printf(&g, "%s", roles);
    }
    return grid_print(&g, buf, err);
}

static void print_json(const account_info *list, uint32_t n, atg_buf *buf) {
    json j = json_new(buf);

    json_begin_array(&j);
    for (uint32_t i = 0; i < n; i++)
        account_write_info(&j, &list[i]);
    json_end(&j, ']');
}

static int run_list(const args *a) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(TEXT_MAX);
    STORE_SESSION s = {0};
    account_info *list;
    uint32_t n;
    atg_err err = {0};
    int code = cli_store_open(a, &s);

    if (code)
        return code;
    if (s.at->user_list(&s, &list, &n, &err))
        return cli_fail(NULL, &err);
    if (buf && cli_has(a, OPT_JSON))
        print_json(list, n, buf);
    else if (buf && print_text(s.arena, list, n, buf, &err))
        return cli_fail(NULL, &err);
    return cli_write(a, buf);
}

static const option_id add_options[] = {OPT_AGENCY, STORE_OPTIONS};
static const option_id reset_options[] = {OPT_LOST_CODE, STORE_OPTIONS};
static const option_id role_options[] = {OPT_OPERATION, STORE_OPTIONS};
static const option_id list_options[] = {OPT_JSON, OPT_OUTPUT, STORE_OPTIONS};
static const option_id options[] = {STORE_OPTIONS};

const command command_users_add = {
    .name = "users add",
    .summary = "Make an account without roles, and print a password for the first time.",
    .operands = "NAME",
    .min_operands = 1,
    .max_operands = 1,
    .options = add_options,
    .run = run_add,
};

const command command_users_reset = {
    .name = "users reset",
    .summary = "Give an account a new password that its owner changes within a day.",
    .operands = "NAME",
    .min_operands = 1,
    .max_operands = 1,
    .options = reset_options,
    .run = run_reset,
};

const command command_users_grant = {
    .name = "users grant",
    .summary = "Give an account roles, in one operation (--operation) or in all.",
    .operands = "NAME ROLE...",
    .min_operands = 2,
    .max_operands = -1,
    .details = "Roles: interviewer, mortuary, odontologist, geneticist, examiner, reconciler, "
               "board, liaison, auditor, administrator. Nobody gives roles to themselves.",
    .options = role_options,
    .run = run_grant,
};

const command command_users_revoke = {
    .name = "users revoke",
    .summary = "Take roles from an account.",
    .operands = "NAME ROLE...",
    .min_operands = 2,
    .max_operands = -1,
    .options = role_options,
    .run = run_revoke,
};

const command command_users_block = {
    .name = "users block",
    .summary = "Keep an account out, and end its sessions.",
    .operands = "NAME",
    .min_operands = 1,
    .max_operands = 1,
    .options = options,
    .run = run_block,
};

const command command_users_unblock = {
    .name = "users unblock",
    .summary = "Let an account in again.",
    .operands = "NAME",
    .min_operands = 1,
    .max_operands = 1,
    .options = options,
    .run = run_unblock,
};

const command command_users_list = {
    .name = "users list",
    .summary = "List accounts, their agencies and roles.",
    .operands = "",
    .options = list_options,
    .run = run_list,
};
