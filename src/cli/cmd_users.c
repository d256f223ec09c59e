/* SPDX-License-Identifier: Apache-2.0 */
/* What administrators do with accounts. */
#include "cli/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/accounts.h"
#include "base/bytes.h"
#include "base/instant.h"
#include "base/json.h"
#include "cli/show.h"
#include "cli/store.h"

enum { TEXT_MAX = 1 << 24 };

/* The account of the first operand. */
static int find_user(const args *a, store_session *s, account_info *ret) {
    atg_err err = {0};
    int code = cli_store_open(a, s);

    s->who.reason = atg_str_of(a->value[OPT_REASON]);
    if (code)
        return code;
    return account_find(s->c, &s->who, s->arena, atg_str_of(a->operands[0]), ret, &err)
               ? cli_fail(NULL, &err)
               : EXIT_DONE;
}

static void print_once(const char password[ACCOUNT_ONCE + 1], const char *until) {
    (void)printf("%s\n", password);
    (void)fprintf(stderr,
                  "antigone: This password counts for %s, and only to set another ('antigone "
                  "password'). It is not shown again.\n",
                  until);
}

static int run_add(const args *a) {
    STORE_SESSION s = {0};
    char once[ACCOUNT_ONCE + 1];
    atg_err err = {0};
    uuid id;
    int code = cli_store_open(a, &s);

    if (code)
        return code;
    if (account_add(s.c, &s.who, atg_str_of(a->operands[1]), atg_str_of(a->operands[0]), once, &id,
                    &err))
        return cli_fail(NULL, &err);
    print_once(once, "a week");
    bytes_wipe(once, sizeof(once));
    return EXIT_DONE;
}

static int run_reset(const args *a) {
    STORE_SESSION s = {0};
    bool codes = a->n > 1;
    char once[ACCOUNT_ONCE + 1];
    account_info user;
    atg_err err = {0};
    int code = find_user(a, &s, &user);

    if (!code && codes && strcmp(a->operands[1], "codes") != 0)
        return cli_usage(a->command, "Behind the name stands 'codes' or nothing");
    if (code)
        return code;
    if (account_reset(s.c, &s.who, &user.id, codes, once, &err))
        return cli_fail(NULL, &err);
    print_once(once, "a day");
    bytes_wipe(once, sizeof(once));
    return EXIT_DONE;
}

static int set_blocked(const args *a, bool on) {
    STORE_SESSION s = {0};
    account_info user;
    atg_err err = {0};
    int code = find_user(a, &s, &user);

    if (code)
        return code;
    if (account_block(s.c, &s.who, &user.id, on, &err))
        return cli_fail(NULL, &err);
    cli_store_say(a, "%.*s is %s.\n", ATG_FMT(user.name), on ? "blocked" : "let in again");
    return EXIT_DONE;
}

static int run_block(const args *a) {
    return set_blocked(a, true);
}

static int run_unblock(const args *a) {
    return set_blocked(a, false);
}

/* ---- roles ---- */

static int change_role(const args *a, store_session *s, const account_info *user, bool on,
                       const char *name) {
    int r = record_role_of(atg_str_of(name));
    atg_err err = {0};

    if (r < 0)
        return cli_usage(a->command,
                         "'%s' is no role; there are: interviewer, mortuary, "
                         "odontologist, geneticist, examiner, reconciler, board, "
                         "liaison, auditor, administrator",
                         name);
    if (account_grant(s->c, &s->who, &user->id, &s->operation.id, (role)r, on, &err))
        return cli_fail(NULL, &err);
    cli_store_say(a, "%.*s is %s %s in %.*s.\n", ATG_FMT(user->name), on ? "now" : "no longer",
                  name, ATG_FMT(s->operation.code));
    return EXIT_DONE;
}

static int change_roles(const args *a, bool on) {
    STORE_SESSION s = {0};
    account_info user;
    int code = find_user(a, &s, &user);

    s.operation = (file_row){.code = ATG_STR("every operation")};
    if (!code && cli_has(a, OPT_OPERATION))
        code = cli_store_operation(a, &s);
    for (int i = 1; i < a->n && !code; i++)
        code = change_role(a, &s, &user, on, a->operands[i]);
    return code;
}

static int run_grant(const args *a) {
    return change_roles(a, true);
}

static int run_revoke(const args *a) {
    return change_roles(a, false);
}

/* ---- limits ---- */

static int run_limit(const args *a) {
    STORE_SESSION s = {0};
    account_info user;
    atg_err err = {0};
    char *end;
    long long most = -1;
    int kind = -1, code;

    for (int k = 0; k < QUOTAS; k++)
        if (strcmp(a->operands[1], quota_names[k]) == 0)
            kind = k;
    if (kind < 0)
        return cli_usage(a->command, "'%s' is no limit; there are: look, search, export",
                         a->operands[1]);
    if (strcmp(a->operands[2], "default") != 0) {
        most = strtoll(a->operands[2], &end, 10);
        if (end == a->operands[2] || *end || most < 0)
            return cli_usage(a->command, "A limit is a number, or 'default'");
    }
    code = find_user(a, &s, &user);
    if (code)
        return code;
    if (account_quota(s.c, &s.who, &user.id, (quota_kind)kind, most, &err))
        return cli_fail(NULL, &err);
    cli_store_say(a, "The limit of %.*s is set.\n", ATG_FMT(user.name));
    return EXIT_DONE;
}

/* ---- the list ---- */

/* "board, liaison in OP-K3-000001; auditor everywhere" */
static int write_roles(store_session *s, atg_buf *buf, const account_roles *of, atg_err *err) {
    const char *between = "";
    file_row operation;
    char id[UUID_TEXT + 1];
    int rc;

    for (int r = 0; r < ROLES; r++)
        if (of->roles >> r & 1) {
            atg_buf_printf(buf, "%s%s", between, role_names[r]);
            between = ", ";
        }
    if (uuid_none(&of->operation)) {
        atg_buf_adds(buf, " everywhere");
        return ATG_OK;
    }
    uuid_text(&of->operation, id);
    rc = cases_find(s->c, s->arena, atg_str_of(id), &operation, err);
    if (rc == ATG_ENOTFOUND)
        operation.code = atg_str_of(id);
    else if (rc)
        return rc;
    atg_buf_printf(buf, " in %.*s", ATG_FMT(operation.code));
    return ATG_OK;
}

static int write_user(store_session *s, atg_buf *buf, const account_info *u, atg_err *err) {
    atg_buf_printf(buf, "%.*s (%.*s)%s%s%s\n", ATG_FMT(u->name), ATG_FMT(u->agency),
                   u->blocked ? ", blocked" : "", u->once ? ", has not set a password yet" : "",
                   u->code ? ", with codes" : "");
    for (uint32_t i = 0; i < u->n_grants; i++) {
        int rc;

        atg_buf_adds(buf, "    ");
        rc = write_roles(s, buf, &u->grants[i], err);
        if (rc)
            return rc;
        atg_buf_adds(buf, "\n");
    }
    return ATG_OK;
}

static void write_user_json(json *j, const account_info *u) {
    char id[UUID_TEXT + 1], when[INSTANT_TEXT + 1];

    json_object_line(j);
    uuid_text(&u->id, id);
    instant_text(u->created, when);
    json_key(j, "id");
    json_text(j, id);
    json_key(j, "name");
    json_str(j, u->name);
    json_key(j, "agency");
    json_str(j, u->agency);
    json_key(j, "created");
    json_text(j, when);
    json_key(j, "blocked");
    json_bool(j, u->blocked);
    json_key(j, "password_set");
    json_bool(j, !u->once);
    json_key(j, "codes");
    json_bool(j, u->code);
    json_key(j, "recovery_codes");
    json_int(j, u->recovery);
    json_key(j, "roles");
    json_array_line(j);
    for (uint32_t i = 0; i < u->n_grants; i++)
        for (int r = 0; r < ROLES; r++) {
            if (!(u->grants[i].roles >> r & 1))
                continue;
            uuid_text(&u->grants[i].operation, id);
            json_object_line(j);
            json_key(j, "role");
            json_text(j, role_names[r]);
            json_key(j, "operation");
            if (uuid_none(&u->grants[i].operation))
                json_none(j);
            else
                json_text(j, id);
            json_end(j, '}');
        }
    json_end(j, ']');
    json_end(j, '}');
}

static int run_list(const args *a) {
    STORE_SESSION s = {0};
    ATG_AUTO(atg_buf) buf = atg_buf_new(TEXT_MAX);
    account_info *users;
    atg_err err = {0};
    uint32_t n = 0;
    int code = cli_store_open(a, &s);
    json j;

    if (code)
        return code;
    if (!buf || account_list(s.c, &s.who, s.arena, &users, &n, &err))
        return buf ? cli_fail(NULL, &err) : cli_write(NULL, NULL);
    if (cli_has(a, OPT_JSON)) {
        j = json_new(buf);
        json_begin_array(&j);
        for (uint32_t i = 0; i < n; i++)
            write_user_json(&j, &users[i]);
        json_end(&j, ']');
        atg_buf_adds(buf, "\n");
        return cli_write(a, buf);
    }
    for (uint32_t i = 0; i < n; i++)
        if (write_user(&s, buf, &users[i], &err))
            return cli_fail(NULL, &err);
    return cli_write(a, buf);
}

static const option_id options[] = {STORE_OPTIONS};
static const option_id role_options[] = {OPT_OPERATION, STORE_OPTIONS};
static const option_id list_options[] = {OPT_JSON, OPT_OUTPUT, STORE_OPTIONS};

const command command_users_list = {
    .name = "users list",
    .summary = "List accounts with their agencies and roles.",
    .operands = "",
    .options = list_options,
    .run = run_list,
};

const command command_users_add = {
    .name = "users add",
    .summary = "Make an account; prints a password that its owner changes.",
    .operands = "NAME AGENCY",
    .min_operands = 2,
    .max_operands = 2,
    .details = "It has no roles until 'antigone users grant' gives it some.",
    .options = options,
    .run = run_add,
};

const command command_users_grant = {
    .name = "users grant",
    .summary = "Give an account roles: in one operation, or in every one.",
    .operands = "NAME ROLE...",
    .min_operands = 2,
    .max_operands = -1,
    .details = "Roles: interviewer, mortuary, odontologist, geneticist, examiner, reconciler, "
               "board, liaison, auditor, administrator. Without --operation they count in every "
               "operation. Nobody grants a role to themselves.",
    .options = role_options,
    .run = run_grant,
};

const command command_users_revoke = {
    .name = "users revoke",
    .summary = "Take roles from an account: in one operation, or those in every one.",
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

const command command_users_reset = {
    .name = "users reset",
    .summary = "Give an account a new password, which its owner changes.",
    .operands = "NAME [codes]",
    .min_operands = 1,
    .max_operands = 2,
    .details = "With 'codes' the telephone is taken off too: for who has lost it and the paper.",
    .options = options,
    .run = run_reset,
};

const command command_users_limit = {
    .name = "users limit",
    .summary = "Let an account look, search or export more or less than others.",
    .operands = "NAME look|search|export NUMBER|default",
    .min_operands = 3,
    .max_operands = 3,
    .details = "Looks at sensitive data and searches are counted by the hour, exports by the day.",
    .options = options,
    .run = run_limit,
};
