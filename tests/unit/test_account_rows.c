/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of accounts, roles, codes, sessions, failed logins and quotas. */
#include "audited.h"

#include "store/accounts.h"

/* What a closure works with. */
typedef struct work {
    atg_arena *arena;
    uuid id, agency, operation;
    account_row row;
    uint32_t n, roles;
    int64_t number;
} work;

static work new_work(void) {
    work w = {.arena = atg_arena_new(1 << 20)};

    assert_non_null(w.arena);
    assert_int_equal(uuid_new(&w.id, NULL), ATG_OK);
    assert_int_equal(uuid_new(&w.agency, NULL), ATG_OK);
    assert_int_equal(uuid_new(&w.operation, NULL), ATG_OK);
    return w;
}

/* In a transaction of its own. */
static int run(db *d, store_fn *fn, work *w, atg_err *err) {
    int rc = db_begin(d, DB_WRITE, err);

    if (!rc)
        rc = fn(d, w, err);
    if (!rc)
        return db_commit(d, err);
    db_rollback(d);
    return rc;
}

static account_row row_of(const work *w) {
    return (account_row){.id = w->id,
                         .agency = w->agency,
                         .name = ATG_STR("мария"),
                         .password = ATG_STR("$argon2id$..."),
                         .once = 12,
                         .totp_step = -1,
                         .created = 99};
}

static int add_account(db *d, void *user, atg_err *err) {
    work *w = user;
    account_row a = row_of(w);
    int rc = agencies_insert(d, &w->agency, ATG_STR("Bureau"), err);

    return rc ? rc : accounts_insert(d, &a, err);
}

static int find_it(db *d, void *user, atg_err *err) {
    work *w = user;

    return accounts_find(d, w->arena, ATG_STR("мария"), &w->row, err);
}

static int change_it(db *d, void *user, atg_err *err) {
    work *w = user;
    account_row a = w->row;

    a.name = ATG_STR("maria");
    a.totp = ATG_STR("sealed");
    a.totp_step = 5;
    a.once = 0;
    a.blocked = true;
    return accounts_update(d, &a, err);
}

static int get_it(db *d, void *user, atg_err *err) {
    work *w = user;
    int rc = accounts_get(d, w->arena, &w->id, &w->row, err);

    return rc ? rc : accounts_count(d, &w->number, err);
}

static int find_agency(db *d, void *user, atg_err *err) {
    work *w = user;
    uuid id;
    atg_str name;
    int rc = agencies_find(d, ATG_STR("Bureau"), &id, err);

    if (rc)
        return rc;
    assert_int_equal(uuid_cmp(&id, &w->agency), 0);
    rc = agencies_name(d, w->arena, &id, &name, err);
    assert_true(rc || atg_str_eq(name, ATG_STR("Bureau")));
    return rc ? rc : agencies_find(d, ATG_STR("Office"), &id, err);
}

static void an_account_is_found_changed_and_counted(const database *where) {
    db *s = audited_open(where);
    work w = new_work();
    atg_err err = {0};

    assert_int_equal(run(s, find_it, &w, &err), ATG_ENOTFOUND);
    must(run(s, add_account, &w, &err), &err);
    must(run(s, find_it, &w, &err), &err);
    assert_int_equal(uuid_cmp(&w.row.id, &w.id), 0);
    assert_int_equal(uuid_cmp(&w.row.agency, &w.agency), 0);
    assert_true(atg_str_eq(w.row.password, ATG_STR("$argon2id$...")));
    assert_int_equal(w.row.once, 12);
    assert_int_equal(w.row.totp.n, 0);
    assert_int_equal(w.row.totp_step, -1);
    assert_false(w.row.blocked);
    assert_int_equal(w.row.created, 99);
    must(run(s, change_it, &w, &err), &err);
    assert_int_equal(run(s, find_it, &w, &err), ATG_ENOTFOUND);
    must(run(s, get_it, &w, &err), &err);
    assert_true(atg_str_eq(w.row.name, ATG_STR("maria")));
    assert_true(atg_str_eq(w.row.totp, ATG_STR("sealed")));
    assert_int_equal(w.row.totp_step, 5);
    assert_int_equal(w.row.once, 0);
    assert_true(w.row.blocked);
    assert_int_equal(w.number, 1);
    assert_int_equal(run(s, find_agency, &w, &err), ATG_ENOTFOUND);
    assert_int_equal(run(s, add_account, &w, &err), ATG_ECONFLICT);
    atg_arena_free(w.arena);
    db_close(s);
}

static int add_many(db *d, void *user, atg_err *err) {
    static const char *const names[] = {"c", "a", "b"};
    work *w = user;

    for (int i = 0; i < 3; i++) {
        account_row a = row_of(w);
        int rc;

        assert_int_equal(uuid_new(&a.id, NULL), ATG_OK);
        a.name = atg_str_of(names[i]);
        rc = accounts_insert(d, &a, err);
        if (rc)
            return rc;
    }
    return ATG_OK;
}

static int list_all(db *d, void *user, atg_err *err) {
    work *w = user;
    account_row *rows;
    int rc = accounts_list(d, w->arena, &rows, &w->n, err);

    for (uint32_t i = 0; i < w->n && !rc; i++)
        assert_true(atg_str_eq(rows[i].name, (atg_str){&"abc"[i], 1}));
    return rc;
}

static void accounts_are_listed_by_name(const database *where) {
    db *s = audited_open(where);
    work w = new_work();
    atg_err err = {0};

    must(run(s, list_all, &w, &err), &err);
    assert_int_equal(w.n, 0);
    must(run(s, add_many, &w, &err), &err);
    must(run(s, list_all, &w, &err), &err);
    assert_int_equal(w.n, 3);
    atg_arena_free(w.arena);
    db_close(s);
}

static int grant_roles(db *d, void *user, atg_err *err) {
    work *w = user;
    uuid every = {{0}};
    int rc = accounts_grant(d, &w->id, &every, ROLE_AUDITOR, true, err);

    if (!rc)
        rc = accounts_grant(d, &w->id, &w->operation, ROLE_BOARD, true, err);
    if (!rc)
        rc = accounts_grant(d, &w->id, &w->operation, ROLE_BOARD, true, err);
    return rc ? rc : accounts_grant(d, &w->id, &w->operation, ROLE_LIAISON, true, err);
}

static int revoke_one(db *d, void *user, atg_err *err) {
    work *w = user;

    return accounts_grant(d, &w->id, &w->operation, ROLE_BOARD, false, err);
}

static int block_it(db *d, void *user, atg_err *err) {
    work *w = user;
    account_row a = row_of(w);

    a.blocked = true;
    return accounts_update(d, &a, err);
}

static int read_roles(db *d, void *user, atg_err *err) {
    work *w = user;
    int rc = accounts_roles(d, &w->id, &w->operation, &w->roles, err);

    return rc ? rc : accounts_with(d, ROLE_AUDITOR, &w->number, err);
}

static int read_elsewhere(db *d, void *user, atg_err *err) {
    work *w = user;

    return accounts_roles(d, &w->id, &w->agency, &w->roles, err);
}

static int read_grants(db *d, void *user, atg_err *err) {
    work *w = user;
    account_roles *list;
    int rc = accounts_grants(d, w->arena, &w->id, &list, &w->n, err);

    if (rc)
        return rc;
    assert_int_equal(w->n, 2);
    assert_true(uuid_none(&list[0].operation));
    assert_int_equal(list[0].roles, 1U << ROLE_AUDITOR);
    assert_int_equal(uuid_cmp(&list[1].operation, &w->operation), 0);
    assert_int_equal(list[1].roles, 1U << ROLE_BOARD | 1U << ROLE_LIAISON);
    return ATG_OK;
}

static void roles_are_those_of_the_operation_and_those_of_every_one(const database *where) {
    db *s = audited_open(where);
    work w = new_work();
    atg_err err = {0};

    must(run(s, add_account, &w, &err), &err);
    must(run(s, read_roles, &w, &err), &err);
    assert_int_equal(w.roles, 0);
    must(run(s, grant_roles, &w, &err), &err);
    must(run(s, read_roles, &w, &err), &err);
    assert_int_equal(w.roles, 1U << ROLE_AUDITOR | 1U << ROLE_BOARD | 1U << ROLE_LIAISON);
    assert_int_equal(w.number, 1);
    must(run(s, read_elsewhere, &w, &err), &err);
    assert_int_equal(w.roles, 1U << ROLE_AUDITOR);
    must(run(s, read_grants, &w, &err), &err);
    must(run(s, revoke_one, &w, &err), &err);
    must(run(s, read_roles, &w, &err), &err);
    assert_int_equal(w.roles, 1U << ROLE_AUDITOR | 1U << ROLE_LIAISON);
    must(run(s, block_it, &w, &err), &err);
    must(run(s, read_roles, &w, &err), &err);
    assert_int_equal(w.roles, 0);
    assert_int_equal(w.number, 0);
    atg_arena_free(w.arena);
    db_close(s);
}

static hash256 hash_n(int n) {
    hash256 h = {{0}};

    h.bytes[0] = (unsigned char)n;
    return h;
}

static int put_codes(db *d, void *user, atg_err *err) {
    work *w = user;
    hash256 codes[] = {hash_n(1), hash_n(2)};

    return accounts_codes(d, &w->id, codes, 2, err);
}

static int use_code(db *d, void *user, atg_err *err) {
    work *w = user;
    hash256 h = hash_n(1);
    int rc = accounts_code_use(d, &w->id, &h, err);

    return rc ? rc : accounts_codes_left(d, &w->id, &w->number, err);
}

static void a_recovery_code_is_used_once(const database *where) {
    db *s = audited_open(where);
    work w = new_work();
    atg_err err = {0};

    must(run(s, put_codes, &w, &err), &err);
    must(run(s, use_code, &w, &err), &err);
    assert_int_equal(w.number, 1);
    assert_int_equal(run(s, use_code, &w, &err), ATG_ENOTFOUND);
    must(run(s, put_codes, &w, &err), &err);
    must(run(s, use_code, &w, &err), &err);
    atg_arena_free(w.arena);
    db_close(s);
}

static int put_sessions(db *d, void *user, atg_err *err) {
    work *w = user;

    for (int i = 0; i < 3; i++) {
        session_row row = {hash_n(i), w->id, 10, 10, 100 + i, 10, 0};
        int rc = sessions_insert(d, &row, err);

        if (rc)
            return rc;
    }
    return ATG_OK;
}

static int get_session(db *d, void *user, atg_err *err) {
    work *w = user;
    hash256 h = hash_n(1);
    session_row row;
    int rc = sessions_get(d, &h, &row, err);

    if (rc)
        return rc;
    assert_int_equal(uuid_cmp(&row.account, &w->id), 0);
    assert_int_equal(row.created, 10);
    assert_int_equal(row.expires, 101);
    w->number = row.used;
    return ATG_OK;
}

static int use_session(db *d, void *user, atg_err *err) {
    hash256 h = hash_n(1);

    (void)user;
    return sessions_use(d, &h, 55, err);
}

static int expire_sessions(db *d, void *user, atg_err *err) {
    (void)user;
    return sessions_expire(d, 101, err);
}

static int end_session(db *d, void *user, atg_err *err) {
    work *w = user;
    hash256 h = hash_n(1);

    return sessions_end(d, &h, &w->number, err);
}

static int end_sessions(db *d, void *user, atg_err *err) {
    work *w = user;

    return sessions_end_all(d, &w->id, &w->number, err);
}

static void sessions_are_used_and_ended_one_by_one_and_together(const database *where) {
    db *s = audited_open(where);
    work w = new_work();
    atg_err err = {0};

    must(run(s, put_sessions, &w, &err), &err);
    must(run(s, get_session, &w, &err), &err);
    assert_int_equal(w.number, 10);
    must(run(s, use_session, &w, &err), &err);
    must(run(s, get_session, &w, &err), &err);
    assert_int_equal(w.number, 55);
    must(run(s, expire_sessions, &w, &err), &err);
    must(run(s, get_session, &w, &err), &err);
    must(run(s, end_session, &w, &err), &err);
    assert_int_equal(w.number, 1);
    assert_int_equal(run(s, get_session, &w, &err), ATG_ENOTFOUND);
    must(run(s, end_sessions, &w, &err), &err);
    assert_int_equal(w.number, 1);
    atg_arena_free(w.arena);
    db_close(s);
}

static int put_tries(db *d, void *user, atg_err *err) {
    login_try known = {hash_n(1), hash_n(2), 3, 50, 7}, unknown = {hash_n(1), hash_n(3), 4, 50, 0};
    int rc = logins_put(d, &known, err);

    (void)user;
    if (!rc)
        rc = logins_put(d, &unknown, err);
    known.failures = 5;
    return rc ? rc : logins_put(d, &known, err);
}

static int forget_tries(db *d, void *user, atg_err *err) {
    (void)user;
    return logins_forget(d, 51, err);
}

static int read_tries(db *d, void *user, atg_err *err) {
    work *w = user;
    hash256 name = hash_n(1), origin = hash_n(2);
    login_try t;
    int rc = logins_get(d, &name, &origin, &t, err);

    if (rc)
        return rc;
    assert_int_equal(t.failures, 5);
    assert_int_equal(t.known, 7);
    origin = hash_n(3);
    rc = logins_get(d, &name, &origin, &t, err);
    w->number = t.failures;
    return rc;
}

static void failed_logins_are_forgotten_where_none_succeeded(const database *where) {
    db *s = audited_open(where);
    work w = new_work();
    atg_err err = {0};

    must(run(s, put_tries, &w, &err), &err);
    must(run(s, read_tries, &w, &err), &err);
    assert_int_equal(w.number, 4);
    must(run(s, forget_tries, &w, &err), &err);
    must(run(s, read_tries, &w, &err), &err);
    assert_int_equal(w.number, 0);
    atg_arena_free(w.arena);
    db_close(s);
}

static int use_quotas(db *d, void *user, atg_err *err) {
    work *w = user;
    int rc = quotas_use(d, &w->id, "look", 5, 2, &w->number, err);

    if (rc)
        return rc;
    assert_int_equal(w->number, 2);
    rc = quotas_use(d, &w->id, "look", 5, 3, &w->number, err);
    assert_int_equal(w->number, 5);
    if (!rc)
        rc = quotas_use(d, &w->id, "look", 6, 1, &w->number, err);
    assert_int_equal(w->number, 1);
    if (!rc)
        rc = quotas_used(d, &w->id, "look", 5, &w->number, err);
    assert_int_equal(w->number, 0);
    if (!rc)
        rc = quotas_used(d, &w->id, "look", 6, &w->number, err);
    assert_int_equal(w->number, 1);
    return rc;
}

static int set_quotas(db *d, void *user, atg_err *err) {
    work *w = user;
    int rc = quotas_most(d, &w->id, "look", 300, &w->number, err);

    assert_int_equal(w->number, 300);
    if (!rc)
        rc = quotas_set(d, &w->id, "look", 10, err);
    if (!rc)
        rc = quotas_set(d, &w->id, "look", 0, err);
    if (!rc)
        rc = quotas_most(d, &w->id, "look", 300, &w->number, err);
    assert_int_equal(w->number, 0);
    if (!rc)
        rc = quotas_set(d, &w->id, "look", -1, err);
    if (!rc)
        rc = quotas_most(d, &w->id, "look", 300, &w->number, err);
    assert_int_equal(w->number, 300);
    return rc;
}

static void uses_are_counted_by_period_against_a_limit(const database *where) {
    db *s = audited_open(where);
    work w = new_work();
    atg_err err = {0};

    must(run(s, use_quotas, &w, &err), &err);
    must(run(s, set_quotas, &w, &err), &err);
    atg_arena_free(w.arena);
    db_close(s);
}

int main(void) {
    static const database_test tests[] = {
        {"an account is found, changed and counted", an_account_is_found_changed_and_counted,
         ON_BOTH},
        {"accounts are listed by name", accounts_are_listed_by_name, ON_BOTH},
        {"roles are those of the operation and those of every one",
         roles_are_those_of_the_operation_and_those_of_every_one, ON_BOTH},
        {"a recovery code is used once", a_recovery_code_is_used_once, ON_BOTH},
        {"sessions are used, and ended one by one and together",
         sessions_are_used_and_ended_one_by_one_and_together, ON_BOTH},
        {"failed logins are forgotten where none succeeded",
         failed_logins_are_forgotten_where_none_succeeded, ON_BOTH},
        {"uses are counted by period against a limit", uses_are_counted_by_period_against_a_limit,
         ON_BOTH},
    };

    return DATABASE_RUN(tests);
}
