/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts: made, granted roles, blocked, reset; and what stands of it in the history. */
#include "manned.h"

static const uuid everywhere;

static void the_first_administrator_is_made_once(const database *where) {
    manned m = manned_open(where);
    atg_err err = {0};
    uuid id;

    assert_int_equal(
        account_first(&m.c, ATG_STR("Bureau"), ATG_STR("eve"), ATG_STR(MANNED_PASSWORD), &id, &err),
        ATG_ECONFLICT);
    assert_int_equal(manned_in(&m, "ada", MANNED_PASSWORD, "here").status, LOGIN_CODE);
    manned_close(&m);
}

static void no_account_has_a_weak_password(const database *where) {
    manned m = manned_open(where);
    login_request r = manned_request("bo", MANNED_PASSWORD, "here");
    login_status done = LOGIN_DONE;
    atg_err err = {0};

    (void)manned_add(&m, "bo");
    assert_int_equal(account_password(&m.c, &r, ATG_STR("short"), &done, &err), ATG_EDENIED);
    assert_int_equal(account_password(&m.c, &r, ATG_STR("Password2026!"), &done, &err),
                     ATG_EDENIED);
    assert_int_equal(account_password(&m.c, &r, ATG_STR("ill-formed \xff\xfe text"), &done, &err),
                     ATG_EDENIED);
    assert_int_equal(account_password(&m.c, &r, ATG_STR(MANNED_PASSWORD), &done, &err), ATG_EINVAL);
    assert_int_equal(account_password(&m.c, &r, ATG_STR("cobalt meadow thirteen"), &done, &err),
                     ATG_OK);
    manned_out(&m, "bo", MANNED_PASSWORD, "here", "not right");
    manned_in(&m, "bo", "cobalt meadow thirteen", "here");
    manned_close(&m);
}

static void a_name_is_the_same_on_every_keyboard(const database *where) {
    static const char *const same[] = {"zo\u00eb", "ZOE\u0308", " Zo\u00eb ", "\uff3a\uff4f\u00eb"};
    static const char *const bad[] = {"", "a b", "-a", "a/b", "<b>", "\xff", "a\nb"};
    char longest[ACCOUNT_NAME + 2];
    manned m = manned_open(where);
    char once[ACCOUNT_ONCE + 1];
    uuid id;

    manned_add(&m, "zo\u00eb");
    for (size_t i = 0; i < sizeof(same) / sizeof(*same); i++)
        manned_in(&m, same[i], MANNED_PASSWORD, "here");
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_int_equal(
            account_add(&m.c, &m.admin, ATG_STR("Bureau"), atg_str_of(bad[i]), once, &id, NULL),
            ATG_EINVAL);
    memset(longest, 'a', sizeof(longest));
    for (int n = ACCOUNT_NAME; n <= ACCOUNT_NAME + 1; n++)
        assert_int_equal(account_add(&m.c, &m.admin, ATG_STR("Bureau"),
                                     (atg_str){longest, (size_t)n}, once, &id, NULL),
                         n > ACCOUNT_NAME ? ATG_EINVAL : ATG_OK);
    assert_int_equal(
        account_add(&m.c, &m.admin, ATG_STR("Bureau"), ATG_STR("ZO\u00cb"), once, &id, NULL),
        ATG_ECONFLICT);
    manned_close(&m);
}

static void a_password_is_the_same_on_every_keyboard(const database *where) {
    manned m = manned_open(where);
    login_request r = manned_request("bo", MANNED_PASSWORD, "here");
    login_status done = LOGIN_DONE;
    atg_err err = {0};

    (void)manned_add(&m, "bo");
    must(account_password(&m.c, &r, ATG_STR("caf\u00e9 au lait, deux"), &done, &err), &err);
    manned_in(&m, "bo", "cafe\u0301 au lait, deux", "here");
    manned_out(&m, "bo", "cafe au lait, deux", "here", "not right");
    manned_close(&m);
}

static void a_given_password_is_changed_before_it_lets_in(const database *where) {
    manned m = manned_open(where);
    char once[ACCOUNT_ONCE + 1];
    login_request r;
    login_status done = LOGIN_DONE;
    atg_err err = {0};
    login in;
    uuid id;

    must(account_add(&m.c, &m.admin, ATG_STR("Bureau"), ATG_STR("bo"), once, &id, &err), &err);
    in = manned_in(&m, "bo", once, "here");
    assert_int_equal(in.status, LOGIN_CHANGE);
    assert_true(uuid_none(&in.who.account));
    r = manned_request("bo", once, "here");
    assert_int_equal(account_password(&m.c, &r, atg_str_of(once), &done, &err), ATG_EINVAL);
    must(account_password(&m.c, &r, ATG_STR(MANNED_PASSWORD), &done, &err), &err);
    in = manned_in(&m, "bo", MANNED_PASSWORD, "here");
    assert_int_equal(in.status, LOGIN_DONE);
    assert_int_equal(uuid_cmp(&in.who.account, &id), 0);
    manned_out(&m, "bo", once, "here", "not right");
    manned_close(&m);
}

static void a_given_password_does_not_wait_for_ever(const database *where) {
    manned m = manned_open(where);
    char once[ACCOUNT_ONCE + 1];
    login_request r;
    login_status done = LOGIN_DONE;
    atg_err err = {0};
    uuid id;

    must(account_add(&m.c, &m.admin, ATG_STR("Bureau"), ATG_STR("bo"), once, &id, &err), &err);
    clock_set(manned_now + INT64_C(691200) * manned_second);
    manned_out(&m, "bo", once, "here", "no longer good");
    r = manned_request("bo", once, "here");
    assert_int_equal(account_password(&m.c, &r, ATG_STR(MANNED_PASSWORD), &done, &err),
                     ATG_EDENIED);
    must(account_reset(&m.c, &m.admin, &id, false, once, &err), &err);
    assert_int_equal(manned_in(&m, "bo", once, "here").status, LOGIN_CHANGE);
    manned_close(&m);
}

static void a_reset_ends_sessions_and_the_old_password(const database *where) {
    manned m = manned_open(where);
    actor bo = manned_add(&m, "bo");
    char token[ACCOUNT_TOKEN + 1], once[ACCOUNT_ONCE + 1];
    atg_err err = {0};
    actor who;

    must(account_session_new(&m.c, &bo, token, &err), &err);
    must(account_reset(&m.c, &m.admin, &bo.account, false, once, &err), &err);
    assert_int_equal(account_session(&m.c, m.arena, atg_str_of(token), &who, &err), ATG_EDENIED);
    manned_out(&m, "bo", MANNED_PASSWORD, "here", "not right");
    manned_close(&m);
}

static void a_blocked_account_is_out_and_comes_in_again(const database *where) {
    manned m = manned_open(where);
    actor bo = manned_add(&m, "bo"), who;
    char token[ACCOUNT_TOKEN + 1];
    atg_err err = {0};

    must(account_session_new(&m.c, &bo, token, &err), &err);
    must(account_block(&m.c, &m.admin, &bo.account, true, &err), &err);
    assert_int_equal(account_session(&m.c, m.arena, atg_str_of(token), &who, &err), ATG_EDENIED);
    /* only who knows the password learns it */
    manned_out(&m, "bo", MANNED_PASSWORD, "here", "blocked");
    manned_out(&m, "bo", "another long password", "here", "not right");
    must(account_block(&m.c, &m.admin, &bo.account, false, &err), &err);
    manned_in(&m, "bo", MANNED_PASSWORD, "here");
    manned_close(&m);
}

static void only_an_administrator_changes_accounts(const database *where) {
    manned m = manned_open(where);
    actor bo = manned_add(&m, "bo"), cy = manned_add(&m, "cy");
    char once[ACCOUNT_ONCE + 1];
    atg_err err = {0};
    account_info *infos;
    uint32_t n;
    uuid id;

    for (int r = 0; r < ROLES; r++)
        if (r != ROLE_ADMINISTRATOR)
            must(account_grant(&m.c, &m.admin, &bo.account, &everywhere, (role)r, true, &err),
                 &err);
    assert_int_equal(account_add(&m.c, &bo, ATG_STR("B"), ATG_STR("eve"), once, &id, &err),
                     ATG_EDENIED);
    assert_non_null(strstr(err.msg, "administrator"));
    assert_int_equal(account_reset(&m.c, &bo, &cy.account, false, once, &err), ATG_EDENIED);
    assert_int_equal(account_block(&m.c, &bo, &cy.account, true, &err), ATG_EDENIED);
    assert_int_equal(account_grant(&m.c, &bo, &cy.account, &everywhere, ROLE_BOARD, true, &err),
                     ATG_EDENIED);
    assert_int_equal(account_quota(&m.c, &bo, &cy.account, QUOTA_LOOK, 9, &err), ATG_EDENIED);
    assert_int_equal(account_logout_all(&m.c, &bo, &cy.account, &err), ATG_EDENIED);
    assert_int_equal(account_list(&m.c, &cy, m.arena, &infos, &n, &err), ATG_EDENIED);
    manned_close(&m);
}

static void nobody_changes_their_own_rights(const database *where) {
    manned m = manned_open(where);
    const uuid *own = &m.admin.account;
    char once[ACCOUNT_ONCE + 1];
    atg_err err = {0};

    assert_int_equal(account_grant(&m.c, &m.admin, own, &everywhere, ROLE_BOARD, true, &err),
                     ATG_EDENIED);
    assert_int_equal(account_block(&m.c, &m.admin, own, true, &err), ATG_EDENIED);
    assert_int_equal(account_reset(&m.c, &m.admin, own, true, once, &err), ATG_EDENIED);
    assert_int_equal(account_quota(&m.c, &m.admin, own, QUOTA_LOOK, 9, &err), ATG_EDENIED);
    manned_close(&m);
}

static void the_last_administrator_stays(const database *where) {
    manned m = manned_open(where);
    actor bo = manned_add(&m, "bo");
    atg_err err = {0};

    manned_factor(&m, &bo);
    must(account_grant(&m.c, &m.admin, &bo.account, &everywhere, ROLE_ADMINISTRATOR, true, &err),
         &err);
    must(account_grant(&m.c, &bo, &m.admin.account, &everywhere, ROLE_ADMINISTRATOR, false, &err),
         &err);
    must(account_grant(&m.c, &bo, &m.admin.account, &everywhere, ROLE_BOARD, true, &err), &err);
    assert_int_equal(account_block(&m.c, &m.admin, &bo.account, true, &err), ATG_EDENIED);
    must(account_grant(&m.c, &bo, &m.admin.account, &everywhere, ROLE_ADMINISTRATOR, true, &err),
         &err);
    must(account_block(&m.c, &m.admin, &bo.account, true, &err), &err);
    /* bo does not count while blocked */
    assert_int_equal(
        account_grant(&m.c, &bo, &m.admin.account, &everywhere, ROLE_ADMINISTRATOR, false, &err),
        ATG_EDENIED);
    manned_close(&m);
}

static void an_administrator_of_one_operation_grants_roles_there(const database *where) {
    manned m = manned_open(where);
    actor bo = manned_add(&m, "bo"), cy = manned_add(&m, "cy");
    uuid here = kept_id(), there = kept_id(), id;
    char once[ACCOUNT_ONCE + 1];
    account_info info;
    atg_err err = {0};

    manned_factor(&m, &bo);
    must(account_grant(&m.c, &m.admin, &bo.account, &here, ROLE_ADMINISTRATOR, true, &err), &err);
    must(account_grant(&m.c, &bo, &cy.account, &here, ROLE_LIAISON, true, &err), &err);
    assert_int_equal(account_grant(&m.c, &bo, &cy.account, &there, ROLE_LIAISON, true, &err),
                     ATG_EDENIED);
    assert_int_equal(account_grant(&m.c, &bo, &cy.account, &everywhere, ROLE_LIAISON, true, &err),
                     ATG_EDENIED);
    assert_int_equal(account_add(&m.c, &bo, ATG_STR("B"), ATG_STR("eve"), once, &id, &err),
                     ATG_EDENIED);
    must(account_find(&m.c, &m.admin, m.arena, ATG_STR("CY"), &info, &err), &err);
    assert_int_equal(info.n_grants, 1);
    assert_int_equal(info.grants[0].roles, 1U << ROLE_LIAISON);
    assert_int_equal(uuid_cmp(&info.grants[0].operation, &here), 0);
    manned_close(&m);
}

static void accounts_are_listed_for_administrators_and_auditors(const database *where) {
    manned m = manned_open(where);
    actor bo = manned_add(&m, "bo"), cy = manned_add(&m, "cy");
    account_info *infos, info;
    atg_err err = {0};
    uint32_t n = 0;

    must(account_grant(&m.c, &m.admin, &bo.account, &everywhere, ROLE_AUDITOR, true, &err), &err);
    must(account_list(&m.c, &bo, m.arena, &infos, &n, &err), &err);
    assert_int_equal(n, 3);
    assert_true(atg_str_eq(infos[0].name, ATG_STR("ada")));
    assert_true(atg_str_eq(infos[0].agency, ATG_STR("Bureau")));
    assert_false(infos[0].blocked || infos[0].once);
    assert_true(infos[0].code && !infos[1].code);
    assert_int_equal(infos[1].grants[0].roles, 1U << ROLE_AUDITOR);
    /* others find themselves, and do not learn who else there is */
    must(account_find(&m.c, &cy, m.arena, ATG_STR("cy"), &info, &err), &err);
    assert_int_equal(account_find(&m.c, &cy, m.arena, ATG_STR("bo"), &info, &err), ATG_EDENIED);
    assert_int_equal(account_find(&m.c, &cy, m.arena, ATG_STR("xy"), &info, &err), ATG_EDENIED);
    assert_int_equal(account_find(&m.c, &bo, m.arena, ATG_STR("xy"), &info, &err), ATG_ENOTFOUND);
    manned_close(&m);
}

/* ---- quotas ---- */

typedef struct spending {
    const actor *who;
    quota_kind kind;
    int64_t n, left;
} spending;

static int spend(db *d, void *user, atg_err *err) {
    spending *s = user;

    return account_spend(d, s->who, s->kind, s->n, &s->left, err);
}

static int ask_left(db *d, void *user, atg_err *err) {
    spending *s = user;

    return account_left(d, s->who, s->kind, &s->left, err);
}

static void a_quota_says_what_is_left_and_ends(const database *where) {
    manned m = manned_open(where);
    actor bo = manned_add(&m, "bo"), matcher = {0};
    spending s = {&bo, QUOTA_LOOK, 299, 0};
    atg_err err = {0};

    must(store_write(m.c.s, spend, &s, &err), &err);
    assert_int_equal(s.left, 1);
    s.n = 2;
    assert_int_equal(store_write(m.c.s, spend, &s, &err), ATG_ELIMIT);
    assert_non_null(strstr(err.msg, "300 looks"));
    assert_non_null(strstr(err.msg, "60 minutes"));
    must(store_read(m.c.s, ask_left, &s, &err), &err);
    assert_int_equal(s.left, 1);
    s.n = 1;
    must(store_write(m.c.s, spend, &s, &err), &err);
    assert_int_equal(s.left, 0);
    assert_int_equal(store_write(m.c.s, spend, &s, &err), ATG_ELIMIT);
    clock_set(manned_now + 3600 * manned_second);
    must(store_write(m.c.s, spend, &s, &err), &err);
    assert_int_equal(s.left, 299);
    s.who = &matcher;
    s.n = 100000;
    must(store_write(m.c.s, spend, &s, &err), &err);
    manned_close(&m);
}

static void an_administrator_allows_more_or_less(const database *where) {
    manned m = manned_open(where);
    actor bo = manned_add(&m, "bo");
    spending s = {&bo, QUOTA_EXPORT, 1, 0};
    atg_err err = {0};

    must(account_quota(&m.c, &m.admin, &bo.account, QUOTA_EXPORT, 0, &err), &err);
    assert_int_equal(store_write(m.c.s, spend, &s, &err), ATG_ELIMIT);
    must(account_quota(&m.c, &m.admin, &bo.account, QUOTA_EXPORT, 1000, &err), &err);
    must(store_write(m.c.s, spend, &s, &err), &err);
    assert_int_equal(s.left, 999);
    must(account_quota(&m.c, &m.admin, &bo.account, QUOTA_EXPORT, -1, &err), &err);
    must(store_write(m.c.s, spend, &s, &err), &err);
    assert_int_equal(s.left, 18);
    manned_close(&m);
}

/* ---- the history ---- */

static const db_statement events = {
    "events", "SELECT action, account, record, detail FROM audit WHERE file = $1 ORDER BY seq"};

typedef struct telling {
    const manned *m;
    char actions[1000];
    bool named; /* a name or a password stands in it */
} telling;

static int read_events(db *d, void *user, atg_err *err) {
    telling *t = user;
    db_value id = db_blob(t->m->c.id.bytes, UUID_SIZE);
    db_rows *rows = NULL;
    size_t n = 0;
    int rc = db_query(d, &events, &id, 1, &rows, err);

    while (rc == ATG_OK && (rc = db_next(rows, err)) > 0) {
        atg_str detail = db_get_text(rows, 3);
        char text[500];

        (void)snprintf(text, sizeof(text), "%.*s", ATG_FMT(detail));
        t->named |= strstr(text, "\"bo\"") || strstr(text, "otter") || strstr(text, "cobalt");
        n += (size_t)snprintf(t->actions + n, sizeof(t->actions) - n, "%s%.*s", n ? " " : "",
                              ATG_FMT(db_get_text(rows, 0)));
        rc = ATG_OK;
    }
    db_end(rows);
    return rc;
}

static void all_that_happens_to_an_account_stands_in_the_history(const database *where) {
    manned m = manned_open(where);
    actor bo = manned_add(&m, "bo");
    login_request r = manned_request("bo", MANNED_PASSWORD, "here");
    login_status done = LOGIN_DONE;
    char token[ACCOUNT_TOKEN + 1], once[ACCOUNT_ONCE + 1];
    telling t = {.m = &m};
    atg_err err = {0};

    manned_out(&m, "bo", "a wrong password", "here", "not right");
    manned_out(&m, "nobody", "a wrong password", "here", "not right");
    manned_in(&m, "bo", MANNED_PASSWORD, "here");
    must(account_session_new(&m.c, &bo, token, &err), &err);
    must(account_logout(&m.c, atg_str_of(token), &err), &err);
    must(account_password(&m.c, &r, ATG_STR("cobalt meadow thirteen"), &done, &err), &err);
    must(account_grant(&m.c, &m.admin, &bo.account, &everywhere, ROLE_BOARD, true, &err), &err);
    must(account_grant(&m.c, &m.admin, &bo.account, &everywhere, ROLE_BOARD, false, &err), &err);
    must(account_quota(&m.c, &m.admin, &bo.account, QUOTA_LOOK, 5, &err), &err);
    must(account_block(&m.c, &m.admin, &bo.account, true, &err), &err);
    must(account_block(&m.c, &m.admin, &bo.account, false, &err), &err);
    must(account_reset(&m.c, &m.admin, &bo.account, false, once, &err), &err);
    must(store_read(m.c.s, read_events, &t, &err), &err);
    assert_string_equal(t.actions, "account_first code_set account_add password_set login_failed "
                                   "login_failed login logout password_set grant revoke quota "
                                   "account_block account_unblock password_reset");
    assert_false(t.named);
    manned_close(&m);
}

int main(void) {
    static const database_test tests[] = {
        {"the first administrator is made once", the_first_administrator_is_made_once, ON_BOTH},
        {"no account has a weak password", no_account_has_a_weak_password, ON_BOTH},
        {"a name is the same on every keyboard", a_name_is_the_same_on_every_keyboard, ON_BOTH},
        {"a password is the same on every keyboard", a_password_is_the_same_on_every_keyboard,
         ON_BOTH},
        {"a given password is changed before it lets in",
         a_given_password_is_changed_before_it_lets_in, ON_BOTH},
        {"a given password does not wait for ever", a_given_password_does_not_wait_for_ever,
         ON_BOTH},
        {"a reset ends sessions and the old password", a_reset_ends_sessions_and_the_old_password,
         ON_BOTH},
        {"a blocked account is out, and comes in again",
         a_blocked_account_is_out_and_comes_in_again, ON_BOTH},
        {"only an administrator changes accounts", only_an_administrator_changes_accounts, ON_BOTH},
        {"nobody changes their own rights", nobody_changes_their_own_rights, ON_BOTH},
        {"the last administrator stays", the_last_administrator_stays, ON_BOTH},
        {"an administrator of one operation grants roles there",
         an_administrator_of_one_operation_grants_roles_there, ON_BOTH},
        {"accounts are listed for administrators and auditors",
         accounts_are_listed_for_administrators_and_auditors, ON_BOTH},
        {"a quota says what is left, and ends", a_quota_says_what_is_left_and_ends, ON_BOTH},
        {"an administrator allows more or less", an_administrator_allows_more_or_less, ON_BOTH},
        {"all that happens to an account stands in the history",
         all_that_happens_to_an_account_stands_in_the_history, ON_BOTH},
    };

    return DATABASE_RUN(tests);
}
