/* SPDX-License-Identifier: Apache-2.0 */
/* The command line as a client: whom it trusts, what it does on bad days, and that a change over
 * the network loses nothing.  That commands say the same as on the machine of the store shows
 * tests/golden/cases/remote.sh. */
#include "caller.h"

#include "fake_service.h"
#include "telephone.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#define HELLO FAKE_OK("{\"files\": [], \"more\": false}")

/* ---- where a service is ---- */

static void places_are_hosts_and_ports_over_https(const database *where) {
    static const char *const wrong[] = {"",
                                        "http://host:8443",
                                        "https://",
                                        "https:///x",
                                        "https://host/path",
                                        "https://me@host",
                                        "https://host?x=1",
                                        "ho st",
                                        "https://host:8443\r\nX: y",
                                        "https://host#x"};
    http_place p;

    (void)where;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        if (http_place_of(wrong[i], &p, NULL) == ATG_OK)
            fail_msg("%s is taken for a service", wrong[i]);
    assert_int_equal(http_place_of("https://Cases.Example.org:8443/", &p, NULL), ATG_OK);
    assert_string_equal(p.url, "https://cases.example.org:8443");
    assert_string_equal(p.file, "cases.example.org_8443");
    assert_int_equal(http_place_of("[::1]:8443", &p, NULL), ATG_OK);
    assert_string_equal(p.url, "https://[::1]:8443");
    assert_string_equal(p.file, "___1__8443");
}

/* ---- one request ---- */

typedef struct asking {
    http *h;
    http_answer got;
    atg_err err;
} asking;

static int ask_at(asking *w, const char *url, const char *ca, const char *method, bool again) {
    http_place p;
    http_ask a = {.method = method, .path = ATG_STR("/x"), .again = again, .most = 1 << 16};

    *w = (asking){.h = NULL};
    assert_int_equal(http_place_of(url, &p, NULL), ATG_OK);
    assert_int_equal(http_open(&(http_options){.place = &p, .authority = ca}, &w->h, NULL), ATG_OK);
    return http_send(w->h, &a, &w->got, &w->err);
}

static void must_say(int rc, int wanted, const atg_err *err, const char *words) {
    if (rc != wanted || !strstr(err->msg, words))
        fail_msg("%d where %d was expected, with '%s': %s", rc, wanted, words, err->msg);
}

static void a_change_without_an_answer_is_not_made_twice(const database *where) {
    fake f;
    asking w;

    fake_open(&f, where->directory, 0);
    f.n = 2;
    f.replies[1] = HELLO;
    fake_start(&f);
    must_say(ask_at(&w, f.url, f.ca, "POST", false), ATG_EIO, &w.err, "it is not known whether");
    http_close(w.h);
    fake_close(&f);
    assert_int_equal(f.asked, 1);
}

static void what_is_harmless_is_asked_again(const database *where) {
    fake f;
    asking w;

    fake_open(&f, where->directory, 0);
    f.n = 3;
    f.replies[1] = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"broken off";
    f.replies[2] = HELLO;
    fake_start(&f);
    assert_int_equal(ask_at(&w, f.url, f.ca, "GET", true), ATG_OK);
    assert_int_equal(w.got.status, 200);
    http_close(w.h);
    fake_close(&f);
    assert_int_equal(f.asked, 3);
}

static void a_busy_service_is_waited_for_as_it_says(const database *where) {
    fake f;
    asking w;

    fake_open(&f, where->directory, 0);
    f.n = 4;
    f.replies[0] = FAKE_PROBLEM("503", "Retry-After: 1\r\n", "busy");
    f.replies[1] = FAKE_PROBLEM("429", "Retry-After: 1\r\n", "rate");
    f.replies[2] = HELLO;
    f.replies[3] = FAKE_PROBLEM("429", "Retry-After: 600\r\n", "rate");
    fake_start(&f);
    int64_t began = clock_now();
    assert_int_equal(ask_at(&w, f.url, f.ca, "POST", false), ATG_OK);
    assert_int_equal(w.got.status, 200);
    assert_true(clock_now() - began >= 1900000);
    http_close(w.h);
    /* nobody sits before a terminal that long */
    assert_int_equal(ask_at(&w, f.url, f.ca, "POST", false), ATG_OK);
    assert_int_equal(w.got.status, 429);
    assert_int_equal(w.got.wait_s, 600);
    http_close(w.h);
    fake_close(&f);
}

static void nothing_is_said_to_who_is_not_trusted(const database *where) {
    fake good, other, old, early;
    asking w;
    char url[64];

    fake_open(&good, where->directory, 0);
    fake_open(&other, where->directory, 0);
    fake_open(&old, where->directory, 500);
    fake_open(&early, where->directory, -20);
    fake_start(&good);
    fake_start(&old);
    fake_start(&early);
    must_say(ask_at(&w, good.url, other.ca, "GET", true), ATG_EDENIED, &w.err,
             "not signed by the authority that is trusted for it");
    http_close(w.h);
    must_say(ask_at(&w, good.url, NULL, "GET", true), ATG_EDENIED, &w.err,
             "not signed by an authority that this machine trusts");
    http_close(w.h);
    snprintf(url, sizeof(url), "https://127.0.0.2:%u", good.port);
    must_say(ask_at(&w, url, good.ca, "GET", true), ATG_EDENIED, &w.err, "is for other names");
    http_close(w.h);
    must_say(ask_at(&w, old.url, old.ca, "GET", true), ATG_EDENIED, &w.err, "has expired");
    http_close(w.h);
    must_say(ask_at(&w, early.url, early.ca, "GET", true), ATG_EDENIED, &w.err, "not valid yet");
    http_close(w.h);
    must_say(ask_at(&w, good.url, "/nowhere/ca.pem", "GET", true), ATG_EINVAL, &w.err,
             "holds no certificate");
    http_close(w.h);
    fake_close(&good);
    fake_close(&old);
    fake_close(&early);
    fake_start(&other);
    fake_close(&other);
    assert_int_equal(good.asked + old.asked + early.asked, 0);
}

static void who_is_not_there_is_told_at_once(const database *where) {
    fake f;
    asking w;
    int64_t began;

    fake_open(&f, where->directory, 0);
    fake_start(&f);
    fake_close(&f);
    began = clock_now();
    must_say(ask_at(&w, f.url, f.ca, "GET", true), ATG_EIO, &w.err, "does not answer");
    assert_true(clock_now() - began < 5000000);
    http_close(w.h);
    must_say(ask_at(&w, "https://nowhere.invalid:8443", f.ca, "GET", true), ATG_EIO, &w.err,
             "No machine named nowhere.invalid:8443");
    http_close(w.h);
}

static void an_answer_has_a_ceiling(const database *where) {
    static char long_reply[200000];
    fake f;
    asking w;

    snprintf(long_reply, sizeof(long_reply), FAKE_OK("%0150000d"), 0);
    fake_open(&f, where->directory, 0);
    f.n = 2;
    f.replies[0] = f.replies[1] = long_reply;
    fake_start(&f);
    must_say(ask_at(&w, f.url, f.ca, "GET", true), ATG_ELIMIT, &w.err, "ask for less");
    http_close(w.h);
    fake_close(&f);
}

/* ---- commands ---- */

static bool session_is_kept(const char *url, atg_arena *arena, kept_session *ret) {
    http_place p;

    assert_int_equal(http_place_of(url, &p, NULL), ATG_OK);
    return kept_session_read(&p, arena, ret);
}

static void a_lost_race_changes_nothing_and_is_told(const database *where) {
    served w = served_open(where, NULL);
    record *r = made_missing(&w.made, "Halvorsen", "Liv");
    caller by;
    seen mine = {.r = NULL}, theirs;
    change ch = {.what = CHANGE_EDIT};
    atg_err err = {0};

    set_places(where);
    made_add(&w.made, r);
    keep_session(w.url, w.token[SERVED_ALL], "everybody", time(NULL));
    open_caller(&by, w.url, w.authority);
    assert_int_equal(by.s.at->let_in(&by.a, &by.s), EXIT_DONE);
    by.s.who.reason = ATG_STR("a test");
    made_ok(by.s.at->get(&by.s, RECORD_MISSING, &r->id, &mine, &err), &err);
    /* somebody else is faster */
    made_ok(cases_get(w.made.c, &w.made.all, w.made.arena, RECORD_MISSING, &r->id, &theirs, &err),
            &err);
    made_set(w.made.arena, theirs.r, "hair", "red");
    made_ok(
        cases_change(w.made.c, &w.made.all, w.made.arena, &(change){CHANGE_EDIT, theirs.r}, &err),
        &err);
    made_set(by.s.arena, mine.r, "hair", "black");
    ch.r = mine.r;
    must_say(by.s.at->change(&by.s, &ch, &err), ATG_ECONFLICT, &err, "revision 2 now");
    made_ok(cases_get(w.made.c, &w.made.all, w.made.arena, RECORD_MISSING, &r->id, &theirs, &err),
            &err);
    assert_int_equal(theirs.r->rev, 2);
    assert_true(atg_str_eq(theirs.r->fields[record_field_of(RECORD_MISSING, ATG_STR("hair"))].text,
                           ATG_STR("red")));
    /* read again, it goes */
    made_ok(by.s.at->get(&by.s, RECORD_MISSING, &r->id, &mine, &err), &err);
    made_set(by.s.arena, mine.r, "hair", "black");
    ch.r = mine.r;
    made_ok(by.s.at->change(&by.s, &ch, &err), &err);
    assert_int_equal(mine.r->rev, 3);
    close_caller(&by);
    served_close(&w);
}

static void a_history_comes_whole_or_leaves_no_file(const database *where) {
    served w = served_open(where, NULL);
    verify_wish how = {.threads = 1};
    audit_report report;
    char path[300], key[UPKEEP_KEY + 1];
    caller by;
    atg_err err = {0};

    set_places(where);
    snprintf(path, sizeof(path), "%s/history", where->directory);
    made_add(&w.made, made_missing(&w.made, "Halvorsen", "Liv"));
    keep_session(w.url, w.token[SERVED_ALL], "everybody", time(NULL));
    open_caller(&by, w.url, w.authority);
    assert_int_equal(by.s.at->let_in(&by.a, &by.s), EXIT_DONE);
    must_say(by.s.at->export_history(&by.s, path, NULL, &err), ATG_EDENIED, &err, "--reason TEXT");
    assert_int_not_equal(access(path, F_OK), 0);
    by.s.who.reason = ATG_STR("doubts of the ministry");
    served_confirm(&w, SERVED_ALL);
    made_ok(by.s.at->export_history(&by.s, path, NULL, &err), &err);
    made_ok(by.s.at->key(&by.s, key, &err), &err);
    made_ok(upkeep_verify_file(path, atg_str_of(key), &how, &report, &err), &err);
    must_say(by.s.at->export_history(&by.s, path, NULL, &err), ATG_EIO, &err, "name another file");
    made_ok(upkeep_verify_file(path, atg_str_of(key), &how, &report, &err), &err);
    close_caller(&by);
    served_close(&w);
}

/* Into a file that takes nothing. */
static int http_to_full(caller *by, const char *path, atg_err *err) {
    file_new f = {path, open(path, O_WRONLY | O_CLOEXEC)};
    http_sink to = {file_new_add, &f};
    http_ask a = {
        .method = "GET", .path = ATG_STR("/x"), .again = true, .most = 1 << 16, .to = &to};
    http_answer got;
    int rc;

    assert_true(f.fd >= 0);
    rc = http_send(by->s.r->h, &a, &got, err);
    close(f.fd);
    return rc;
}

/* What was cut off is not asked for again by itself: it would count and be told again. */
static void a_history_that_is_cut_off_leaves_no_file(const database *where) {
    char path[300];
    fake f;
    caller by;
    atg_err err = {0};

    set_places(where);
    snprintf(path, sizeof(path), "%s/history", where->directory);
    fake_open(&f, where->directory, 0);
    f.n = 3;
    f.replies[0] = "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
                   "Content-Length: 1000\r\n\r\nantigone/audit/1\n";
    f.replies[1] = FAKE_OK("antigone/audit/1");
    f.replies[2] = FAKE_PROBLEM("403", "", "denied");
    fake_start(&f);
    open_caller(&by, f.url, f.ca);
    must_say(by.s.at->export_history(&by.s, path, NULL, &err), ATG_EIO, &err, "broke: try again");
    assert_int_equal(f.asked, 1);
    assert_int_not_equal(access(path, F_OK), 0);
    /* a disk that is full */
    assert_int_equal(symlink("/dev/full", path), 0);
    must_say(http_to_full(&by, path, &err), ATG_EIO, &err, "No space left");
    assert_int_equal(unlink(path), 0);
    must_say(by.s.at->export_history(&by.s, path, NULL, &err), ATG_EDENIED, &err, "It is so");
    assert_int_not_equal(access(path, F_OK), 0);
    close_caller(&by);
    fake_close(&f);
    assert_int_equal(f.asked, 3);
}

static void an_old_token_is_renewed_and_an_ended_one_forgotten(const database *where) {
    served w = served_open(where, NULL);
    kept_session k;
    caller by;
    file_page page;
    struct stat st;
    char path[600];
    atg_err err = {0};

    set_places(where);
    keep_session(w.url, w.token[SERVED_ALL], "everybody", time(NULL) - KEPT_RENEW_S - 1);
    open_caller(&by, w.url, w.authority);
    snprintf(path, sizeof(path), "%s/antigone-%s", where->directory, by.s.r->place.file);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(by.s.at->let_in(&by.a, &by.s), EXIT_DONE);
    assert_true(session_is_kept(w.url, w.made.arena, &k));
    assert_string_not_equal(k.token, w.token[SERVED_ALL]);
    assert_true(time(NULL) - k.got_s < 60);
    made_ok(by.s.at->operations(&by.s, true, &page, &err), &err);
    assert_int_equal(page.n, 1);
    close_caller(&by);
    ANSWER_AUTO old = MUST(&w, 401, "GET", "/api/v1/operations", SERVED_ALL);

    made_ok(account_logout_all(w.made.c, &w.made.all, &w.made.all.account, &err), &err);
    open_caller(&by, w.url, w.authority);
    assert_int_equal(by.s.at->let_in(&by.a, &by.s), EXIT_DONE);
    must_say(by.s.at->operations(&by.s, false, &page, &err), ATG_EDENIED, &err,
             "The session has ended: log in again");
    assert_false(session_is_kept(w.url, w.made.arena, &k));
    close_caller(&by);
    served_close(&w);
}

/* A file that holds a secret, named by a variable. */
static void set_secret(const database *where, const char *variable, const char *text) {
    char path[600];
    atg_err err = {0};

    snprintf(path, sizeof(path), "%s/%s", where->directory, variable);
    made_ok(file_write_private(path, atg_str_of(text), &err), &err);
    setenv(variable, path, 1); /* NOLINT(concurrency-mt-unsafe): no thread of the test reads it */
}

static void a_second_factor_is_set_up_and_asked_for(const database *where) {
    static const char password[] = "wagon lilac brave otter";
    served w = served_open(where, NULL);
    char once[ACCOUNT_ONCE + 1], uri[CODE_URI], code[7];
    char paper[ACCOUNT_RECOVERY][CODE_RECOVERY + 1];
    login_request r = {.name = ATG_STR("bo"), .password = {once, ACCOUNT_ONCE}};
    login_status status = LOGIN_CODE;
    kept_session k;
    caller by;
    telephone t;
    uuid id;
    atg_err err = {0};

    set_places(where);
    made_ok(account_add(w.made.c, &w.made.by[ROLE_ADMINISTRATOR], ATG_STR("Bureau"), r.name, once,
                        &id, &err),
            &err);
    open_caller(&by, w.url, w.authority);
    by.a.value[OPT_ACCOUNT] = "bo";
    set_secret(where, "ANTIGONE_PASSWORD_FILE", once);
    assert_int_equal(by.s.at->let_in(&by.a, &by.s), EXIT_NO); /* it is somebody else's still */
    made_ok(by.s.at->password(&by.s, &r, atg_str_of(password), &status, &err), &err);
    assert_int_equal(status, LOGIN_DONE);
    set_secret(where, "ANTIGONE_PASSWORD_FILE", password);
    assert_int_equal(by.s.at->log_in(&by.a, &by.s, "bo"), EXIT_DONE);
    assert_true(session_is_kept(w.url, w.made.arena, &k));
    assert_true(atg_str_eq(k.name, ATG_STR("bo")));
    made_ok(by.s.at->code_new(&by.s, uri, &err), &err); /* it is confirmed with the password */
    t = telephone_pair(uri);
    telephone_show(&t, code);
    made_ok(by.s.at->code_confirm(&by.s, atg_str_of(code), paper, &err), &err);
    made_ok(by.s.at->log_out(&by.s, &err), &err);
    assert_false(session_is_kept(w.url, w.made.arena, &k));
    close_caller(&by);

    open_caller(&by, w.url, w.authority);
    set_secret(where, "ANTIGONE_CODE_FILE", "000000");
    assert_int_equal(by.s.at->log_in(&by.a, &by.s, "bo"), EXIT_NO);
    assert_false(session_is_kept(w.url, w.made.arena, &k));
    set_secret(where, "ANTIGONE_CODE_FILE", paper[0]);
    assert_int_equal(by.s.at->log_in(&by.a, &by.s, "bo"), EXIT_DONE);
    assert_true(session_is_kept(w.url, w.made.arena, &k));
    close_caller(&by);
    unsetenv("ANTIGONE_CODE_FILE"); /* NOLINT(concurrency-mt-unsafe): as above */
    served_close(&w);
}

static void a_token_goes_to_its_own_service_alone(const database *where) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
    kept_session k;

    set_places(where);
    setenv("ANTIGONE_SESSION", "/nowhere", 1); /* NOLINT(concurrency-mt-unsafe) */
    char path[600];
    snprintf(path, sizeof(path), "%s/session", where->directory);
    setenv("ANTIGONE_SESSION", path, 1); /* NOLINT(concurrency-mt-unsafe) */
    keep_session("https://one.example:8443",
                 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "ida", 1);
    assert_true(session_is_kept("https://one.example:8443", arena, &k));
    assert_false(session_is_kept("https://two.example:8443", arena, &k));
    /* others may read it: it is not used */
    assert_int_equal(chmod(path, 0644), 0);
    assert_false(session_is_kept("https://one.example:8443", arena, &k));
}

static void what_cannot_be_understood_is_said_to_be_so(const database *where) {
    static const struct {
        const char *reply;
        int code;
        const char *words;
    } cases_of[] = {
        {FAKE_OK("[]"), ATG_EIO, "cannot be understood"},
        {FAKE_OK("{\"files\": [{\"code\": 1}]}"), ATG_EIO, "cannot be understood"},
        {FAKE_OK("{\"files\": [], \"files\": []}"), ATG_EIO, "cannot be understood"},
        {FAKE_OK("<html>"), ATG_EIO, "cannot be understood"},
        {"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<html>",
         ATG_EIO, "no service of Antigone"},
        {"HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1:1/\r\nConnection: close\r\n\r\n",
         ATG_EINVAL, "no service of Antigone"},
        {FAKE_PROBLEM("418", "", "new-in-the-next-version"), ATG_EINVAL, "It is so"},
        {FAKE_PROBLEM("403", "", "denied"), ATG_EDENIED, "It is so"},
        {FAKE_PROBLEM("429", "Retry-After: 77\r\n", "rate"), ATG_ELIMIT, "try again in 77 s"},
        {FAKE_PROBLEM("403", "", "purpose-required"), ATG_EDENIED, "--reason TEXT"},
    };

    for (size_t i = 0; i < sizeof(cases_of) / sizeof(*cases_of); i++) {
        fake f;
        caller by;
        file_page page;
        atg_err err = {0};

        set_places(where);
        fake_open(&f, where->directory, 0);
        f.n = 1;
        f.replies[0] = cases_of[i].reply;
        fake_start(&f);
        keep_session(f.url, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
                     "ida", time(NULL));
        open_caller(&by, f.url, f.ca);
        assert_int_equal(by.s.at->let_in(&by.a, &by.s), EXIT_DONE);
        by.s.who.reason = ATG_STR("weil\xc3\xa4\r\nX: y");
        must_say(by.s.at->operations(&by.s, false, &page, &err), cases_of[i].code, &err,
                 cases_of[i].words);
        assert_non_null(strstr(f.head, "Antigone-Purpose: weil%C3%A4%0D%0AX%3A%20y\r\n"));
        by.s.r->kept = true;
        close_caller(&by);
        fake_close(&f);
        assert_int_equal(f.asked, 1);
    }
}

int main(void) {
    static const database_test tests[] = {
        {"places are hosts and ports, over HTTPS", places_are_hosts_and_ports_over_https,
         ON_SQLITE},
        {"a change without an answer is not made twice",
         a_change_without_an_answer_is_not_made_twice, ON_SQLITE},
        {"what is harmless is asked again", what_is_harmless_is_asked_again, ON_SQLITE},
        {"a busy service is waited for as it says", a_busy_service_is_waited_for_as_it_says,
         ON_SQLITE},
        {"nothing is said to who is not trusted", nothing_is_said_to_who_is_not_trusted, ON_SQLITE},
        {"who is not there is told at once", who_is_not_there_is_told_at_once, ON_SQLITE},
        {"an answer has a ceiling", an_answer_has_a_ceiling, ON_SQLITE},
        {"a lost race changes nothing and is told", a_lost_race_changes_nothing_and_is_told,
         ON_BOTH},
        {"an old token is renewed, and an ended one forgotten",
         an_old_token_is_renewed_and_an_ended_one_forgotten, ON_BOTH},
        {"a second factor is set up and asked for", a_second_factor_is_set_up_and_asked_for,
         ON_BOTH},
        {"a history comes whole, or leaves no file", a_history_comes_whole_or_leaves_no_file,
         ON_BOTH},
        {"a history that is cut off leaves no file", a_history_that_is_cut_off_leaves_no_file,
         ON_SQLITE},
        {"a token goes to its own service alone", a_token_goes_to_its_own_service_alone, ON_SQLITE},
        {"what cannot be understood is said to be so", what_cannot_be_understood_is_said_to_be_so,
         ON_SQLITE},
    };

    curl_global_init(CURL_GLOBAL_DEFAULT);
    return DATABASE_RUN(tests);
}
