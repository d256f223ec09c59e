/* SPDX-License-Identifier: Apache-2.0 */
/* Who signs, or rules over accounts and keys, has a second factor: with each state of it, each use
 * case that needs it and some that do not, in a whole store. */
#include "made_cases.h"

#include "app/accounts.h"
#include "app/rights.h"
#include "app/sites.h"
#include "app/upkeep.h"

static const uuid everywhere;

typedef struct scene {
    made_cases m;
    uuid other; /* an account without roles */
    record *remains, *operation;
    int signatures; /* each of another threshold */
} scene;

/* ---- what is done ---- */

static record *in_remains(scene *s, record_kind kind) {
    record *r = record_new(s->m.arena, kind);

    assert_non_null(r);
    r->operation = s->m.operation;
    r->file = s->remains->id;
    return r;
}

static int add_comparison(scene *s, atg_err *err) {
    return made_change(&s->m, &s->m.all, CHANGE_ADD, in_remains(s, RECORD_COMPARISON), err);
}

static int add_face_comparison(scene *s, atg_err *err) {
    return made_change(&s->m, &s->m.all, CHANGE_ADD, in_remains(s, RECORD_FACE_COMPARISON), err);
}

static int add_decision(scene *s, atg_err *err) {
    return made_change(&s->m, &s->m.all, CHANGE_ADD, in_remains(s, RECORD_DECISION), err);
}

static int identify(scene *s, atg_err *err) {
    record *r = record_copy(s->m.arena, s->remains);

    assert_non_null(r);
    r->state = REMAINS_STATE_IDENTIFIED;
    return made_change(&s->m, &s->m.all, CHANGE_STATE, r, err);
}

static int sign_settings(scene *s, atg_err *err) {
    record *r = record_copy(s->m.arena, s->operation);

    assert_non_null(r);
    made_set(s->m.arena, r, "threshold",
             atg_arena_printf(s->m.arena, "0.9999%d", ++s->signatures % 10).p);
    made_set(s->m.arena, r, "min_log10_lr", "6");
    made_set(s->m.arena, r, "prior", "{\"kind\": \"flat\"}");
    r->fields[OPERATION_SIGNED_BY] = (value){.known = true, .ref = s->m.all.account};

    int rc = made_change(&s->m, &s->m.all, CHANGE_EDIT, r, err);

    if (rc == ATG_OK)
        s->operation = r;
    return rc;
}

static int add_account(scene *s, atg_err *err) {
    char once[ACCOUNT_ONCE + 1];
    uuid id;

    return account_add(s->m.c, &s->m.all, ATG_STR("Bureau"), ATG_STR("eve"), once, &id, err);
}

static int reset_account(scene *s, atg_err *err) {
    char once[ACCOUNT_ONCE + 1];

    return account_reset(s->m.c, &s->m.all, &s->other, true, once, err);
}

static int block_account(scene *s, atg_err *err) {
    return account_block(s->m.c, &s->m.all, &s->other, true, err);
}

static int grant_role(scene *s, atg_err *err) {
    return account_grant(s->m.c, &s->m.all, &s->other, &everywhere, ROLE_BOARD, true, err);
}

static int set_quota(scene *s, atg_err *err) {
    return account_quota(s->m.c, &s->m.all, &s->other, QUOTA_LOOK, 9, err);
}

static int end_sessions(scene *s, atg_err *err) {
    return account_logout_all(s->m.c, &s->m.all, &s->other, err);
}

static int trust_a_site(scene *s, atg_err *err) {
    return sites_remove(s->m.c, &s->m.all, ATG_STR("nowhere"), err);
}

static int rotate_keys(scene *s, atg_err *err) {
    static const key256 to = {{9}};
    uint32_t n;

    return upkeep_rotate(s->m.c, &s->m.all, &to, &n, err);
}

/* Needs none: how one is set up among it. */
static int set_one_up(scene *s, atg_err *err) {
    char uri[CODE_URI];
    int rc = account_code_new(s->m.c, &s->m.all, uri, err);

    return rc == ATG_ECONFLICT ? ATG_OK : rc;
}

static int enter_a_missing_person(scene *s, atg_err *err) {
    return made_change(&s->m, &s->m.all, CHANGE_ADD, made_missing(&s->m, "Hansen", "Kari"), err);
}

static int look_at_oneself(scene *s, atg_err *err) {
    account_info own;

    return account_find(s->m.c, &s->m.all, s->m.arena, s->m.all.name, &own, err);
}

static const struct act {
    const char *name;
    int (*run)(scene *s, atg_err *err);
    bool needed;
} acts[] = {
    {"comparison", add_comparison, true}, {"face comparison", add_face_comparison, true},
    {"decision", add_decision, true},     {"identified", identify, true},
    {"settings", sign_settings, true},    {"account", add_account, true},
    {"reset", reset_account, true},       {"block", block_account, true},
    {"grant", grant_role, true},          {"quota", set_quota, true},
    {"sessions", end_sessions, true},     {"site", trust_a_site, true},
    {"set up", set_one_up, false},        {"missing person", enter_a_missing_person, false},
    {"oneself", look_at_oneself, false},  {"keys", rotate_keys, true},
};

/* ---- the states of a second factor ---- */

typedef struct factor {
    made_cases *m;
    const uuid *account;
    atg_str totp;
    int64_t step;
} factor;

static int write_factor(db *d, void *user, atg_err *err) {
    const factor *f = user;
    account_row row;
    int rc = accounts_get(d, f->m->arena, f->account, &row, err);

    row.totp = f->totp;
    row.totp_step = f->step;
    return rc ? rc : accounts_update(d, &row, err);
}

static void set_factor(scene *s, const char *totp, int64_t step) {
    factor f = {&s->m, &s->m.all.account, atg_str_of(totp), step};
    atg_err err = {0};

    made_ok(store_write(cases_store(s->m.c), write_factor, &f, &err), &err);
}

static int make_other(db *d, void *user, atg_err *err) {
    scene *s = user;

    return made_account(d, "other", 0, &s->other, err);
}

static scene scene_open(const database *where) {
    static const uint32_t path[] = {REMAINS_STATE_EXAMINED, REMAINS_STATE_UNDER_COMPARISON,
                                    REMAINS_STATE_AT_THE_BOARD};
    scene s = {.m = made_cases_open(where)};
    seen l = {.r = NULL};
    atg_err err = {0};

    account_test_cost(PASSWORD_LEAST);
    made_ok(store_write(cases_store(s.m.c), make_other, &s, &err), &err);
    s.remains = made_remains(&s.m, "B-17");
    made_add(&s.m, s.remains);
    for (size_t i = 0; i < sizeof(path) / sizeof(*path); i++) {
        s.remains->state = path[i];
        made_ok(made_change(&s.m, &s.m.all, CHANGE_STATE, s.remains, &err), &err);
    }
    made_ok(
        cases_get_to_change(s.m.c, &s.m.all, s.m.arena, RECORD_OPERATION, &s.m.operation, &l, &err),
        &err);
    s.operation = l.r;
    return s;
}

static void check_acts(scene *s, const char *state, bool counts) {
    for (size_t i = 0; i < sizeof(acts) / sizeof(*acts); i++) {
        atg_err err = {0};
        int rc;

        /* what comes after would need the new key */
        if (counts && acts[i].run == rotate_keys)
            continue;
        rc = acts[i].run(s, &err);
        if (rights_wants_code(&err) != (acts[i].needed && !counts) || (!acts[i].needed && rc))
            fail_msg("%s, second factor %s: %d, %s", acts[i].name, state, rc, err.msg);
    }
}

static void without_one_nobody_signs_or_rules_over_accounts_and_keys(const database *where) {
    scene s = scene_open(where);

    set_factor(&s, "", -1);
    check_acts(&s, "none", false);
    set_factor(&s, "*", -1);
    check_acts(&s, "begun", false);
    set_factor(&s, "*", 0);
    check_acts(&s, "set up", true);
    set_factor(&s, "", -1);
    check_acts(&s, "taken off", false);
    account_test_cost(PASSWORD_ACCOUNT);
    made_cases_close(&s.m);
}

static void keys_are_rotated_by_an_administrator_with_one(const database *where) {
    scene s = scene_open(where);
    atg_err err = {0};

    made_ok(rotate_keys(&s, &err), &err);
    account_test_cost(PASSWORD_ACCOUNT);
    made_cases_close(&s.m);
}

/* Each role by itself: what is refused for want of a second factor alone is what it may with one.
 */
static void it_adds_no_right_to_a_role(const database *where) {
    scene s = scene_open(where);

    for (int r = 0; r < ROLES; r++)
        for (size_t i = 0; i < sizeof(acts) / sizeof(*acts); i++) {
            atg_err without = {0}, with = {0};
            actor all = s.m.all;
            bool wanted;

            if (!acts[i].needed || acts[i].run == rotate_keys)
                continue;
            s.m.all.account = s.m.by[r].account;
            set_factor(&s, "", -1);
            (void)acts[i].run(&s, &without);
            wanted = rights_wants_code(&without);
            set_factor(&s, "*", 0);
            (void)acts[i].run(&s, &with);
            s.m.all = all;
            if (!wanted && strcmp(without.msg, with.msg) != 0)
                fail_msg("%s, %s: '%s', '%s'", role_names[r], acts[i].name, without.msg, with.msg);
            if (rights_wants_code(&with))
                fail_msg("%s, %s: wanted still", role_names[r], acts[i].name);
        }
    account_test_cost(PASSWORD_ACCOUNT);
    made_cases_close(&s.m);
}

int main(void) {
    static const database_test tests[] = {
        {"without one nobody signs, or rules over accounts and keys",
         without_one_nobody_signs_or_rules_over_accounts_and_keys, ON_BOTH},
        {"keys are rotated by an administrator with one",
         keys_are_rotated_by_an_administrator_with_one, ON_BOTH},
        {"it adds no right to a role", it_adds_no_right_to_a_role, ON_BOTH},
    };

    return DATABASE_RUN(tests);
}
