/* SPDX-License-Identifier: Apache-2.0 */
/* Logging in: what is told and what is not, second factors, guessing, sessions. */
#include <pthread.h>
#include <stdatomic.h>

#include "manned.h"

#include "base/bytes.h"
#include "crypto/code.h"

#include <liboath/oath.h>

static void later(int64_t seconds) {
    clock_set(clock_now() + seconds * manned_second);
}

/* ---- what is told ---- */

static void a_wrong_name_and_a_wrong_password_are_told_apart_by_nobody(const database *where) {
    manned m = manned_open(where);
    atg_err known = {0}, unknown = {0}, never = {0};
    login in;

    assert_int_equal(manned_try(&m, "ada", "a wrong password", "x", &in, &known), ATG_EDENIED);
    assert_int_equal(manned_try(&m, "eve", "a wrong password", "x", &in, &unknown), ATG_EDENIED);
    assert_int_equal(manned_try(&m, "no name/", "", "x", &in, &never), ATG_EDENIED);
    assert_string_equal(known.msg, unknown.msg);
    assert_string_equal(known.msg, never.msg);
    manned_close(&m);
}

/* ---- the second factor ---- */

static int try_code(manned *m, const char *code, login *ret, atg_err *err) {
    login_request r = manned_request("bo", MANNED_PASSWORD, "here");

    r.code = atg_str_of(code);
    return account_login(&m->c, m->arena, &r, ret, err);
}

static telephone set_up(manned *m, const actor *who,
                        char recovery[ACCOUNT_RECOVERY][CODE_RECOVERY + 1]) {
    char uri[CODE_URI], code[7];
    atg_err err = {0};
    telephone t;

    must(account_code_new(&m->c, who, uri, &err), &err);
    assert_non_null(strstr(uri, "Antigone%20K3:bo"));
    t = telephone_pair(uri);
    /* it does not count yet */
    assert_int_equal(manned_in(m, "bo", MANNED_PASSWORD, "here").status, LOGIN_DONE);
    assert_int_equal(account_code_confirm(&m->c, who, ATG_STR("000000"), recovery, &err),
                     ATG_EDENIED);
    telephone_show(&t, code);
    must(account_code_confirm(&m->c, who, atg_str_of(code), recovery, &err), &err);
    return t;
}

static void a_code_is_needed_and_lets_in_once(const database *where) {
    manned m = manned_open(where);
    actor bo = manned_add(&m, "bo");
    char paper[ACCOUNT_RECOVERY][CODE_RECOVERY + 1], code[7];
    telephone t = set_up(&m, &bo, paper);
    atg_err err = {0};
    login in = {0};

    in = manned_in(&m, "bo", MANNED_PASSWORD, "here");
    assert_int_equal(in.status, LOGIN_CODE);
    assert_true(uuid_none(&in.who.account));
    /* the code that confirmed was used */
    telephone_show(&t, code);
    assert_int_equal(try_code(&m, code, &in, &err), ATG_EDENIED);
    assert_non_null(strstr(err.msg, "not right"));
    later(CODE_SECONDS);
    telephone_show(&t, code);
    must(try_code(&m, code, &in, &err), &err);
    assert_int_equal(in.status, LOGIN_DONE);
    assert_int_equal(in.recovery_left, -1);
    assert_int_equal(try_code(&m, code, &in, &err), ATG_EDENIED);
    assert_int_equal(try_code(&m, "nonsense", &in, &err), ATG_EDENIED);
    assert_int_equal(account_code_new(&m.c, &bo, (char[CODE_URI]){0}, &err), ATG_ECONFLICT);
    manned_close(&m);
}

static void a_code_on_paper_lets_in_once(const database *where) {
    manned m = manned_open(where);
    actor bo = manned_add(&m, "bo");
    char paper[ACCOUNT_RECOVERY][CODE_RECOVERY + 1];
    atg_err err = {0};
    login in;

    (void)set_up(&m, &bo, paper);
    must(try_code(&m, paper[3], &in, &err), &err);
    assert_int_equal(in.status, LOGIN_DONE);
    assert_int_equal(in.recovery_left, ACCOUNT_RECOVERY - 1);
    assert_int_equal(try_code(&m, paper[3], &in, &err), ATG_EDENIED);
    must(try_code(&m, paper[4], &in, &err), &err);
    assert_int_equal(in.recovery_left, ACCOUNT_RECOVERY - 2);
    manned_close(&m);
}

static const db_statement last_login = {
    "last_login", "SELECT detail FROM audit WHERE file = $1 AND action IN ('login', 'confirm') "
                  "ORDER BY seq DESC LIMIT 1"};

typedef struct last_detail {
    const manned *m;
    char text[200];
} last_detail;

static int read_last(db *d, void *user, atg_err *err) {
    last_detail *w = user;
    db_value id = db_blob(w->m->c.id.bytes, UUID_SIZE);
    db_rows *rows = NULL;
    int rc = db_query(d, &last_login, &id, 1, &rows, err);

    if (rc == ATG_OK && (rc = db_next(rows, err)) > 0) {
        (void)snprintf(w->text, sizeof(w->text), "%.*s", ATG_FMT(db_get_text(rows, 0)));
        rc = ATG_OK;
    }
    db_end(rows);
    return rc;
}

static void check_last(const manned *m, const char *there, const char *not_there) {
    last_detail w = {.m = m};
    atg_err err = {0};

    must(store_read(m->c.s, read_last, &w, &err), &err);
    if ((there && !strstr(w.text, there)) || strstr(w.text, not_there))
        fail_msg("%s", w.text);
}

static void the_history_says_which_factor_let_in(const database *where) {
    manned m = manned_open(where);
    actor bo = manned_add(&m, "bo");
    char paper[ACCOUNT_RECOVERY][CODE_RECOVERY + 1], code[7], token[ACCOUNT_TOKEN + 1];
    confirm_request r = {.token = {token, ACCOUNT_TOKEN}, .origin = ATG_STR("here")};
    telephone t;
    int64_t until;
    atg_err err = {0};
    login in;

    manned_in(&m, "bo", MANNED_PASSWORD, "here");
    check_last(&m, NULL, "second_factor");
    t = set_up(&m, &bo, paper);
    must(try_code(&m, paper[3], &in, &err), &err);
    check_last(&m, "\"paper\"", "telephone");
    later(CODE_SECONDS);
    telephone_show(&t, code);
    must(try_code(&m, code, &in, &err), &err);
    check_last(&m, "\"telephone\"", "recovery_codes_left");
    must(account_session_new(&m.c, &bo, token, &err), &err);
    r.code = atg_str_of(paper[5]);
    must(account_confirm(&m.c, &r, &until, &err), &err);
    check_last(&m, "\"paper\"", "telephone");
    manned_close(&m);
}

static void a_lost_telephone_is_taken_off_by_an_administrator(const database *where) {
    manned m = manned_open(where);
    actor bo = manned_add(&m, "bo");
    char paper[ACCOUNT_RECOVERY][CODE_RECOVERY + 1], once[ACCOUNT_ONCE + 1];
    atg_err err = {0};
    login in = {0};

    (void)set_up(&m, &bo, paper);
    must(account_reset(&m.c, &m.admin, &bo.account, true, once, &err), &err);
    assert_int_equal(manned_in(&m, "bo", once, "here").status, LOGIN_CHANGE);
    assert_int_equal(try_code(&m, paper[0], &in, &err), ATG_EDENIED);
    manned_close(&m);
}

static void a_password_is_changed_with_the_code(const database *where) {
    manned m = manned_open(where);
    actor bo = manned_add(&m, "bo");
    char paper[ACCOUNT_RECOVERY][CODE_RECOVERY + 1];
    login_request r = manned_request("bo", MANNED_PASSWORD, "here");
    login_status done = LOGIN_DONE;
    atg_err err = {0};

    (void)set_up(&m, &bo, paper);
    must(account_password(&m.c, &r, ATG_STR("cobalt meadow thirteen"), &done, &err), &err);
    assert_int_equal(done, LOGIN_CODE);
    manned_out(&m, "bo", "cobalt meadow thirteen", "here", "not right");
    r.code = atg_str_of(paper[0]);
    must(account_password(&m.c, &r, ATG_STR("cobalt meadow thirteen"), &done, &err), &err);
    assert_int_equal(done, LOGIN_DONE);
    manned_close(&m);
}

static const db_statement secrets = {"secrets", "SELECT totp FROM account WHERE name = 'bo'"};

typedef struct searching {
    const telephone *t;
    bool found, any;
} searching;

static int search_secret(db *d, void *user, atg_err *err) {
    searching *s = user;
    db_rows *rows = NULL;
    int rc = db_query(d, &secrets, NULL, 0, &rows, err);

    if (rc || (rc = db_next(rows, err)) < 0)
        return rc;

    atg_str sealed = db_get_blob(rows, 0);

    s->any = sealed.n >= CODE_SECRET;
    for (size_t i = 0; i + CODE_SECRET <= sealed.n; i++)
        s->found |= memcmp(sealed.p + i, s->t->secret, CODE_SECRET) == 0;
    db_end(rows);
    return ATG_OK;
}

static void the_secret_of_codes_is_sealed(const database *where) {
    manned m = manned_open(where);
    actor bo = manned_add(&m, "bo");
    char paper[ACCOUNT_RECOVERY][CODE_RECOVERY + 1];
    telephone t = set_up(&m, &bo, paper);
    searching s = {.t = &t};
    atg_err err = {0};

    must(store_read(m.c.s, search_secret, &s, &err), &err);
    assert_true(s.any);
    assert_false(s.found);
    manned_close(&m);
}

/* ---- guessing ---- */

static void who_guesses_waits_longer_each_time(const database *where) {
    manned m = manned_open(where);

    manned_add(&m, "bo");
    for (int i = 0; i < 6; i++)
        manned_out(&m, "bo", "a wrong password", "away", "not right");
    manned_out(&m, "bo", "a wrong password", "away", "wait 1 seconds");
    later(1);
    manned_out(&m, "bo", "a wrong password", "away", "not right");
    manned_out(&m, "bo", MANNED_PASSWORD, "away", "wait 2 seconds");
    later(2);
    manned_out(&m, "bo", "a wrong password", "away", "not right");
    manned_out(&m, "bo", MANNED_PASSWORD, "away", "wait 4 seconds");
    later(4);
    manned_in(&m, "bo", MANNED_PASSWORD, "away");
    /* and all is forgotten */
    manned_out(&m, "bo", "a wrong password", "away", "not right");
    manned_in(&m, "bo", MANNED_PASSWORD, "away");
    manned_close(&m);
}

static void nobodys_guesses_keep_the_owner_out(const database *where) {
    manned m = manned_open(where);
    char origin[32];
    int held = 0;

    manned_add(&m, "bo");
    manned_in(&m, "bo", MANNED_PASSWORD, "home");
    for (int i = 0; i < 120; i++) {
        atg_err err = {0};
        login in;

        (void)snprintf(origin, sizeof(origin), "botnet %d", i);
        assert_int_equal(manned_try(&m, "bo", "a wrong password", origin, &in, &err), ATG_EDENIED);
        held += strstr(err.msg, "wait") != NULL;
    }
    /* the flood is slowed down, everywhere but where the owner was let in before */
    assert_true(held > 60);
    manned_out(&m, "bo", MANNED_PASSWORD, "a new place", "wait");
    manned_in(&m, "bo", MANNED_PASSWORD, "home");
    later(60);
    manned_in(&m, "bo", MANNED_PASSWORD, "a new place");
    manned_close(&m);
}

static void who_tries_many_names_from_one_place_waits(const database *where) {
    manned m = manned_open(where);
    char name[32];
    int held = 0;

    manned_add(&m, "bo");
    manned_in(&m, "bo", MANNED_PASSWORD, "office");
    for (int i = 0; i < 80; i++) {
        atg_err err = {0};
        login in;

        (void)snprintf(name, sizeof(name), "name%d", i);
        assert_int_equal(manned_try(&m, name, "a wrong password", "office", &in, &err),
                         ATG_EDENIED);
        held += strstr(err.msg, "wait") != NULL;
    }
    assert_true(held > 20);
    manned_in(&m, "bo", MANNED_PASSWORD, "office");
    manned_close(&m);
}

static void the_owner_of_a_known_place_waits_half_a_minute_at_most(const database *where) {
    manned m = manned_open(where);

    manned_add(&m, "bo");
    manned_in(&m, "bo", MANNED_PASSWORD, "home");
    for (int i = 0; i < 200; i++) {
        login in;

        (void)manned_try(&m, "bo", "a wrong password", "home", &in, NULL);
        later(2);
    }
    later(30);
    manned_in(&m, "bo", MANNED_PASSWORD, "home");
    manned_close(&m);
}

static void a_clock_that_is_set_back_locks_nobody_out_for_long(const database *where) {
    manned m = manned_open(where);

    manned_add(&m, "bo");
    for (int i = 0; i < 12; i++) {
        login in;

        (void)manned_try(&m, "bo", "a wrong password", "away", &in, NULL);
        later(600);
    }
    clock_set(manned_now - INT64_C(31536000) * manned_second);
    manned_out(&m, "bo", "a wrong password", "away", "not right");
    manned_out(&m, "bo", MANNED_PASSWORD, "away", "wait");
    later(900);
    manned_in(&m, "bo", MANNED_PASSWORD, "away");
    manned_close(&m);
}

enum { THREADS = 16 };

typedef struct guesser {
    pthread_t thread;
    manned *m;
    atomic_int *checked;
} guesser;

static void *guess(void *user) {
    guesser *g = user;
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
    login_request r = manned_request("bo", "a wrong password", "away");
    atg_err err = {0};
    login in;

    if (account_login(&g->m->c, arena, &r, &in, &err) == ATG_EDENIED &&
        strstr(err.msg, "not right"))
        atomic_fetch_add(g->checked, 1);
    return NULL;
}

static void tries_are_counted_before_they_are_checked(const database *where) {
    manned m = manned_open(where);
    guesser guessers[THREADS];
    atomic_int checked = 0;

    manned_add(&m, "bo");
    for (int i = 0; i < THREADS; i++) {
        guessers[i] = (guesser){.m = &m, .checked = &checked};
        assert_int_equal(pthread_create(&guessers[i].thread, NULL, guess, &guessers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(guessers[i].thread, NULL);
    assert_int_equal(checked, 6);
    manned_close(&m);
}

static void a_place_is_known_no_more_after_a_reset(const database *where) {
    manned m = manned_open(where);
    actor bo = manned_add(&m, "bo");
    char once[ACCOUNT_ONCE + 1];
    atg_err err = {0};

    manned_in(&m, "bo", MANNED_PASSWORD, "thief");
    must(account_reset(&m.c, &m.admin, &bo.account, false, once, &err), &err);
    for (int i = 0; i < 60; i++) {
        login in;
        char origin[32];

        (void)snprintf(origin, sizeof(origin), "botnet %d", i);
        (void)manned_try(&m, "bo", "a wrong password", origin, &in, NULL);
    }
    manned_out(&m, "bo", once, "thief", "wait");
    manned_close(&m);
}

/* ---- sessions ---- */

static int open_session(manned *m, const char *token, actor *ret, atg_err *err) {
    return account_session(&m->c, m->arena, atg_str_of(token), ret, err);
}

static void a_session_lasts_while_it_is_used_and_not_for_ever(const database *where) {
    manned m = manned_open(where);
    actor bo = manned_add(&m, "bo"), who;
    char token[ACCOUNT_TOKEN + 1];
    atg_err err = {0};

    must(account_session_new(&m.c, &bo, token, &err), &err);
    must(open_session(&m, token, &who, &err), &err);
    assert_int_equal(uuid_cmp(&who.account, &bo.account), 0);
    assert_true(atg_str_eq(who.name, ATG_STR("bo")));
    for (int i = 0; i < 28; i++) {
        later(1500);
        must(open_session(&m, token, &who, &err), &err);
    }
    later(1500);
    assert_int_equal(open_session(&m, token, &who, &err), ATG_EDENIED);
    must(account_session_new(&m.c, &bo, token, &err), &err);
    later(1860);
    assert_int_equal(open_session(&m, token, &who, &err), ATG_EDENIED);
    assert_int_equal(open_session(&m, "", &who, &err), ATG_EDENIED);
    manned_close(&m);
}

static void a_session_ends_when_its_owner_or_an_administrator_says_so(const database *where) {
    manned m = manned_open(where);
    actor bo = manned_add(&m, "bo"), who;
    char one[ACCOUNT_TOKEN + 1], two[ACCOUNT_TOKEN + 1], three[ACCOUNT_TOKEN + 1];
    session_info *open;
    uint32_t n;
    login_request r = manned_request("bo", MANNED_PASSWORD, "here");
    login_status done = LOGIN_DONE;
    atg_err err = {0};

    must(account_session_new(&m.c, &bo, one, &err), &err);
    must(account_session_new(&m.c, &bo, two, &err), &err);
    must(account_logout(&m.c, atg_str_of(one), &err), &err);
    must(account_logout(&m.c, atg_str_of(one), &err), &err);
    assert_int_equal(open_session(&m, one, &who, &err), ATG_EDENIED);
    must(open_session(&m, two, &who, &err), &err);
    must(account_session_new(&m.c, &bo, three, &err), &err);
    must(account_sessions(&m.c, m.arena, &bo, atg_str_of(three), &open, &n, &err), &err);
    assert_int_equal(n, 2);
    assert_int_equal(account_logout_one(&m.c, &m.admin, atg_str_of(open[0].name), &err),
                     ATG_ENOTFOUND);
    assert_int_equal(account_logout_one(&m.c, &bo, ATG_STR("nonsense"), &err), ATG_ENOTFOUND);
    must(account_logout_one(&m.c, &bo, atg_str_of(open[open[0].current].name), &err), &err);
    assert_int_equal(open_session(&m, two, &who, &err), ATG_EDENIED);
    must(open_session(&m, three, &who, &err), &err);
    must(account_logout_all(&m.c, &bo, &bo.account, &err), &err);
    assert_int_equal(open_session(&m, three, &who, &err), ATG_EDENIED);
    must(account_session_new(&m.c, &bo, one, &err), &err);
    must(account_logout_all(&m.c, &m.admin, &bo.account, &err), &err);
    assert_int_equal(open_session(&m, one, &who, &err), ATG_EDENIED);
    must(account_session_new(&m.c, &bo, one, &err), &err);
    must(account_password(&m.c, &r, ATG_STR("cobalt meadow thirteen"), &done, &err), &err);
    assert_int_equal(open_session(&m, one, &who, &err), ATG_EDENIED);
    manned_close(&m);
}

static const db_statement tokens = {"tokens", "SELECT token FROM login_session"};

typedef struct looking {
    unsigned char token[ACCOUNT_TOKEN / 2];
    bool any, same;
} looking;

static int look_at_tokens(db *d, void *user, atg_err *err) {
    looking *l = user;
    db_rows *rows = NULL;
    int rc = db_query(d, &tokens, NULL, 0, &rows, err);

    if (rc || (rc = db_next(rows, err)) < 0)
        return rc;

    atg_str kept = db_get_blob(rows, 0);

    l->any = kept.n == sizeof(l->token);
    l->same = l->any && memcmp(kept.p, l->token, sizeof(l->token)) == 0;
    db_end(rows);
    return ATG_OK;
}

static int confirm(manned *m, const char *token, const char *code, const char *password) {
    confirm_request r = {.token = atg_str_of(token),
                         .code = atg_str_of(code),
                         .password = atg_str_of(password),
                         .origin = ATG_STR("here")};
    int64_t until = 0;
    int rc = account_confirm(&m->c, &r, &until, NULL);

    assert_int_equal(until > clock_now(), rc == ATG_OK);
    return rc;
}

static void who_signs_confirms_with_the_code_or_else_the_password(const database *where) {
    manned m = manned_open(where);
    actor bo = manned_add(&m, "bo");
    char paper[ACCOUNT_RECOVERY][CODE_RECOVERY + 1], code[7], token[ACCOUNT_TOKEN + 1];
    session_state state;
    telephone t;
    atg_err err = {0};

    must(account_session_short(&m.c, &bo, 900, token, &state, &err), &err);
    assert_int_equal(state.confirmed, 0);
    assert_int_equal(confirm(&m, token, "", "not the one"), ATG_EDENIED);
    assert_int_equal(confirm(&m, token, "", MANNED_PASSWORD), ATG_OK);
    t = set_up(&m, &bo, paper);
    later(CODE_SECONDS);
    telephone_show(&t, code);
    assert_int_equal(confirm(&m, token, "", MANNED_PASSWORD), ATG_EDENIED);
    assert_int_equal(confirm(&m, token, "000000", ""), ATG_EDENIED);
    assert_int_equal(confirm(&m, token, code, ""), ATG_OK);
    assert_int_equal(confirm(&m, token, code, ""), ATG_EDENIED);
    must(account_session_look(&m.c, m.arena, atg_str_of(token), &state, &err), &err);
    assert_true(state.confirmed > clock_now());
    later(301);
    must(account_session_look(&m.c, m.arena, atg_str_of(token), &state, &err), &err);
    assert_true(state.confirmed < clock_now());
    manned_close(&m);
}

static void a_token_is_renewed_by_another_for_twelve_hours_at_most(const database *where) {
    manned m = manned_open(where);
    char token[ACCOUNT_TOKEN + 1], next[ACCOUNT_TOKEN + 1];
    int64_t began = clock_now();
    session_state state;
    int n = 0;
    atg_err err = {0};

    must(account_session_short(&m.c, &m.admin, 900, token, &state, &err), &err);
    while (!account_session_renew(&m.c, atg_str_of(token), 900, next, &state, &err)) {
        actor who;

        assert_int_equal(account_session(&m.c, m.arena, atg_str_of(token), &who, NULL),
                         ATG_EDENIED);
        assert_true(state.expires <= began + INT64_C(43200) * manned_second);
        memcpy(token, next, sizeof(token));
        later(890);
        n++;
    }
    assert_int_equal(err.code, ATG_EDENIED);
    assert_true(n > 45 && n < 52);
    manned_close(&m);
}

static void a_device_is_one_that_this_store_gave(const database *where) {
    manned m = manned_open(where);
    char device[ACCOUNT_DEVICE + 1];
    bool ours = false;
    atg_err err = {0};

    must(account_device(&m.c, &m.admin, device, &err), &err);
    must(account_device_is(&m.c, atg_str_of(device), &ours, &err), &err);
    assert_true(ours);
    device[0] = device[0] == '0' ? '1' : '0';
    must(account_device_is(&m.c, atg_str_of(device), &ours, &err), &err);
    assert_false(ours);
    must(account_device_is(&m.c, ATG_STR("no device"), &ours, &err), &err);
    assert_false(ours);
    manned_close(&m);
}

typedef struct kept_hash {
    const manned *m;
    const uuid *account;
    atg_str hash;
} kept_hash;

static int read_hash(db *d, void *user, atg_err *err) {
    kept_hash *w = user;
    account_row row;
    int rc = accounts_get(d, w->m->arena, w->account, &row, err);

    w->hash = row.password;
    return rc;
}

static void a_hash_of_another_cost_lets_in_and_is_made_anew(const database *where) {
    manned m = manned_open(where);
    actor bo = manned_add(&m, "bo");
    kept_hash first = {&m, &bo.account, {NULL, 0}}, then = first, last = first;
    char paper[ACCOUNT_RECOVERY][CODE_RECOVERY + 1];
    atg_err err = {0};

    must(store_read(m.c.s, read_hash, &first, &err), &err);
    assert_ptr_equal(strstr(first.hash.p, "$argon2id$v=19$m=8,t=1,p=1$"), first.hash.p);
    account_test_cost(PASSWORD_ACCOUNT);
    manned_out(&m, "bo", "a wrong password", "here", "not right");
    must(store_read(m.c.s, read_hash, &then, &err), &err);
    assert_true(atg_str_eq(first.hash, then.hash));
    manned_in(&m, "bo", MANNED_PASSWORD, "here");
    must(store_read(m.c.s, read_hash, &then, &err), &err);
    assert_ptr_equal(strstr(then.hash.p, "$argon2id$v=19$m=65536,t=3,p=1$"), then.hash.p);
    manned_in(&m, "bo", MANNED_PASSWORD, "here");
    must(store_read(m.c.s, read_hash, &last, &err), &err);
    assert_true(atg_str_eq(then.hash, last.hash));
    /* the password alone, where a code is needed, changes nothing */
    (void)set_up(&m, &bo, paper);
    account_test_cost(PASSWORD_LEAST);
    assert_int_equal(manned_in(&m, "bo", MANNED_PASSWORD, "here").status, LOGIN_CODE);
    must(store_read(m.c.s, read_hash, &last, &err), &err);
    assert_true(atg_str_eq(then.hash, last.hash));
    manned_close(&m);
}

static void what_is_kept_of_a_session_lets_nobody_in(const database *where) {
    manned m = manned_open(where);
    char token[ACCOUNT_TOKEN + 1];
    looking l = {.any = false};
    atg_err err = {0};

    must(account_session_new(&m.c, &m.admin, token, &err), &err);
    assert_true(bytes_from_hex(atg_str_of(token), l.token, sizeof(l.token)));
    must(store_read(m.c.s, look_at_tokens, &l, &err), &err);
    assert_true(l.any);
    assert_false(l.same);
    manned_close(&m);
}

static void short_memory_lets_nobody_in_and_leaks_nothing(const database *where) {
    manned m = manned_open(where);
    login in = {.status = LOGIN_CODE};
    int rc = -1;

    (void)manned_add(&m, "bo");
    for (long n = 0; n < 100 && rc; n++) {
        size_t before = mem_live();
        ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
        login_request r = manned_request("bo", MANNED_PASSWORD, "here");
        atg_err err = {0};

        assert_non_null(arena);
        mem_fail_after(n);
        rc = account_login(&m.c, arena, &r, &in, &err);
        mem_fail_after(-1);
        if (rc && rc != ATG_ENOMEM)
            fail_msg("allocation %ld: %d, %s", n, rc, err.msg);
        atg_arena_free(arena);
        arena = NULL;
        assert_int_equal(mem_live(), before);
    }
    assert_int_equal(rc, ATG_OK);
    manned_close(&m);
}

int main(void) {
    static const database_test tests[] = {
        {"a wrong name and a wrong password are told apart by nobody",
         a_wrong_name_and_a_wrong_password_are_told_apart_by_nobody, ON_BOTH},
        {"a code is needed, and lets in once", a_code_is_needed_and_lets_in_once, ON_BOTH},
        {"a code on paper lets in once", a_code_on_paper_lets_in_once, ON_BOTH},
        {"a lost telephone is taken off by an administrator",
         a_lost_telephone_is_taken_off_by_an_administrator, ON_BOTH},
        {"a password is changed with the code", a_password_is_changed_with_the_code, ON_BOTH},
        {"the secret of codes is sealed", the_secret_of_codes_is_sealed, ON_BOTH},
        {"who guesses waits longer each time", who_guesses_waits_longer_each_time, ON_BOTH},
        {"nobody's guesses keep the owner out", nobodys_guesses_keep_the_owner_out, ON_BOTH},
        {"who tries many names from one place waits", who_tries_many_names_from_one_place_waits,
         ON_BOTH},
        {"the owner of a known place waits half a minute at most",
         the_owner_of_a_known_place_waits_half_a_minute_at_most, ON_BOTH},
        {"a clock that is set back locks nobody out for long",
         a_clock_that_is_set_back_locks_nobody_out_for_long, ON_BOTH},
        {"tries are counted before they are checked", tries_are_counted_before_they_are_checked,
         ON_BOTH},
        {"a place is known no more after a reset", a_place_is_known_no_more_after_a_reset, ON_BOTH},
        {"a session lasts while it is used, and not for ever",
         a_session_lasts_while_it_is_used_and_not_for_ever, ON_BOTH},
        {"a session ends when its owner or an administrator says so",
         a_session_ends_when_its_owner_or_an_administrator_says_so, ON_BOTH},
        {"who signs confirms with the code, or else the password",
         who_signs_confirms_with_the_code_or_else_the_password, ON_BOTH},
        {"a token is renewed by another, for twelve hours at most",
         a_token_is_renewed_by_another_for_twelve_hours_at_most, ON_BOTH},
        {"a device is one that this store gave", a_device_is_one_that_this_store_gave, ON_BOTH},
        {"the history says which factor let in", the_history_says_which_factor_let_in, ON_BOTH},
        {"a hash of another cost lets in and is made anew",
         a_hash_of_another_cost_lets_in_and_is_made_anew, ON_BOTH},
        {"what is kept of a session lets nobody in", what_is_kept_of_a_session_lets_nobody_in,
         ON_BOTH},
        {"short memory lets nobody in, and leaks nothing",
         short_memory_lets_nobody_in_and_leaks_nothing, ON_SQLITE},
    };

    return DATABASE_RUN(tests);
}
