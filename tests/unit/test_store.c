/* SPDX-License-Identifier: Apache-2.0 */
/* The writer thread and the readers of a store. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "counters.h"

enum { THREADS = 8, EACH = 40 };

typedef struct worker {
    pthread_t thread;
    store *s;
    int64_t number;
    int64_t n_ok, n_conflict, n_other;
    int64_t entry;
    const char *folder;
} worker;

static void run_threads(store *const *stores, size_t n_stores, void *(*fn)(void *),
                        worker workers[THREADS]) {
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (worker){.s = stores[(size_t)i % n_stores], .number = i};
        assert_int_equal(pthread_create(&workers[i].thread, NULL, fn, &workers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(workers[i].thread, NULL);
}

static void tally(worker *w, int rc) {
    w->n_ok += rc == ATG_OK;
    w->n_conflict += rc == ATG_ECONFLICT;
    w->n_other += rc != ATG_OK && rc != ATG_ECONFLICT;
}

static void a_change_is_there_once_it_is_acknowledged(const database *where) {
    store *s = counter_store(where);
    atg_err err = {0};
    int64_t id = 7;

    must(store_write(s, add_entry, &id, &err), &err);
    must(store_read(s, has_entry, &id, &err), &err);
    assert_int_equal(store_write(s, add_entry, &id, &err), ATG_ECONFLICT);
    assert_non_null(strstr(err.msg, "entry_add"));
    store_close(s);
    s = counter_store(where);
    must(store_read(s, has_entry, &id, &err), &err);
    assert_int_equal(entries_in(s), 1);
    store_close(s);
    store_close(NULL);
}

/* Every third change repeats an entry, every fifth is denied by the closure itself. */
static int add_or_be_denied(db *d, void *user, atg_err *err) {
    worker *w = user;
    int rc = add_entry(d, &w->entry, err);

    if (rc == ATG_OK && w->entry % 5 == 4)
        return atg_fail(err, ATG_EDENIED, "entry %lld", (long long)w->entry);
    return rc;
}

static void *write_mixed(void *user) {
    worker *w = user;

    for (int64_t k = 0; k < EACH; k++) {
        atg_err err = {0};
        char wanted[40];
        int rc;

        w->entry = k % 3 == 2 ? -1 : w->number * 1000 + k;
        rc = store_write(w->s, add_or_be_denied, w, &err);
        tally(w, rc);
        snprintf(wanted, sizeof(wanted), "entry %lld", (long long)w->entry);
        if (rc == ATG_EDENIED && strcmp(err.msg, wanted) != 0)
            w->n_other += 1000;
    }
    return NULL;
}

static void a_closure_that_fails_does_not_touch_its_neighbours(const database *where) {
    store *s = counter_store(where);
    worker workers[THREADS];
    int64_t ok = 0, conflict = 0, denied = 0, wanted = 0;

    run_threads(&s, 1, write_mixed, workers);
    for (int64_t i = 0; i < THREADS; i++)
        for (int64_t k = 0; k < EACH; k++)
            wanted += k % 3 != 2 && (i * 1000 + k) % 5 != 4;
    for (int i = 0; i < THREADS; i++) {
        ok += workers[i].n_ok;
        conflict += workers[i].n_conflict;
        denied += workers[i].n_other;
    }
    assert_int_equal(ok, wanted + 1); /* and one of those that all repeat */
    assert_int_equal(ok + conflict + denied, THREADS * EACH);
    assert_int_equal(entries_in(s), ok);
    store_close(s);
}

static void *count_many(void *user) {
    worker *w = user;

    for (int k = 0; k < EACH; k++)
        tally(w, store_write(w->s, count_up, NULL, NULL));
    return NULL;
}

/* ---- several that say what they will ask ---- */

enum { NAMES = 5, REFUSED_EVERY = 23 };

static const db_statement of_name = {"of_name", "SELECT n FROM counter WHERE name = $1"};
static const db_statement set_name = {"set_name",
                                      "INSERT INTO counter(name, n) VALUES ($1, $2) ON CONFLICT "
                                      "(name) DO UPDATE SET n = excluded.n"};
static const db_statement sum_names = {"sum_names", "SELECT CAST(sum(n) AS BIGINT) FROM counter"};

static db_value name_of(const worker *w) {
    static const char names[NAMES + 1] = "abcde";

    return db_text((atg_str){&names[w->entry % NAMES], 1});
}

static void foresee_name(db *d, void *user) {
    db_value name = name_of(user);

    db_foresee(d, &of_name, &name, 1);
}

static int count_name(db *d, void *user, atg_err *err) {
    const worker *w = user;
    db_value name = name_of(w);
    int64_t n = 0;
    int rc = db_get_one(d, &of_name, &name, 1, 0, &n, err);

    if (rc && rc != ATG_ENOTFOUND)
        return rc;
    rc = db_post(d, &set_name, (db_value[]){name, db_int(n + 1)}, 2, err);
    if (rc == ATG_OK && w->entry % REFUSED_EVERY == 0)
        return atg_fail(err, ATG_EDENIED, "refused");
    return rc;
}

static void *count_names(void *user) {
    worker *w = user;

    for (int64_t k = 0; k < EACH; k++) {
        store_ahead ahead = {.foresee = foresee_name};

        w->entry = w->number * 1000 + k;
        ahead.subjects[0].bytes[0] = (uint8_t)(1 + w->entry % NAMES);
        ahead.subjects[1].bytes[0] = (uint8_t)(1 + w->number);
        tally(w, store_change(w->s, count_name, w, &ahead, NULL));
    }
    return NULL;
}

static int read_sum(db *d, void *user, atg_err *err) {
    return db_get_one(d, &sum_names, NULL, 0, 0, user, err);
}

static void what_several_foresee_is_never_old(const database *where) {
    store *s = counter_store(where);
    worker workers[THREADS];
    int64_t ok = 0, refused = 0, wanted = 0, sum = 0;
    atg_err err = {0};

    run_threads(&s, 1, count_names, workers);
    for (int64_t i = 0; i < THREADS; i++) {
        for (int64_t k = 0; k < EACH; k++)
            wanted += (i * 1000 + k) % REFUSED_EVERY != 0;
        ok += workers[i].n_ok;
        refused += workers[i].n_other;
    }
    must(store_read(s, read_sum, &sum, &err), &err);
    assert_int_equal(ok, wanted);
    assert_int_equal(ok + refused, THREADS * EACH);
    assert_int_equal(sum, ok);
    store_close(s);
}

static void two_writers_on_one_database_lose_no_count(const database *where) {
    store *stores[] = {counter_store(where), counter_store(where)};
    worker workers[THREADS];

    run_threads(stores, 2, count_many, workers);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(workers[i].n_ok, EACH);
    assert_int_equal(counter_in(stores[0]), THREADS * EACH);
    assert_int_equal(counter_in(stores[1]), THREADS * EACH);
    store_close(stores[0]);
    store_close(stores[1]);
}

static int commit_itself(db *d, void *user, atg_err *err) {
    int rc = add_entry(d, user, err);

    return rc ? rc : db_commit(d, err);
}

static int roll_back_itself(db *d, void *user, atg_err *err) {
    int rc = add_entry(d, user, err);

    db_rollback(d);
    return rc;
}

static int leave_savepoint(db *d, void *user, atg_err *err) {
    int rc = db_savepoint(d, err);

    return rc ? rc : add_entry(d, user, err);
}

static int swallow_failure(db *d, void *user, atg_err *err) {
    (void)add_entry(d, user, err);
    (void)add_entry(d, user, err);
    return ATG_OK;
}

static int use_savepoint(db *d, void *user, atg_err *err) {
    int rc = add_entry(d, user, err);

    if (rc == ATG_OK)
        rc = db_savepoint(d, err);
    if (rc == ATG_OK && add_entry(d, user, err) == ATG_ECONFLICT)
        rc = db_rollback_to(d, err);
    return rc;
}

typedef struct nested {
    store *s;
    int rc;
} nested;

static int write_inside(db *d, void *user, atg_err *err) {
    nested *n = user;
    int64_t id = 1000;

    (void)d;
    n->rc = store_write(n->s, add_entry, &id, err);
    return ATG_OK;
}

static void closures_that_break_the_rules_fail_alone(const database *where) {
    static const struct {
        store_fn *fn;
        int code;
    } cases[] = {
        {commit_itself, ATG_EINVAL},   {roll_back_itself, ATG_EINVAL},
        {leave_savepoint, ATG_EINVAL}, {swallow_failure, ATG_ECONFLICT},
        {use_savepoint, ATG_OK},
    };
    store *s = counter_store(where);
    nested inside = {.s = s};
    atg_err err = {0};

    for (int64_t k = 0; k < (int64_t)(sizeof(cases) / sizeof(*cases)); k++) {
        int64_t id = k;

        assert_int_equal(store_write(s, cases[k].fn, &id, &err), cases[k].code);
        assert_int_equal(store_read(s, has_entry, &id, &err),
                         cases[k].code ? ATG_ENOTFOUND : ATG_OK);
    }
    must(store_write(s, write_inside, &inside, &err), &err);
    assert_int_equal(inside.rc, ATG_EINVAL);
    must(store_read(s, write_inside, &inside, &err), &err);
    assert_int_equal(inside.rc, ATG_OK);
    assert_int_equal(store_read(s, add_entry, &(int64_t){5000}, &err), ATG_EINVAL);
    assert_int_equal(store_read(s, commit_itself, &(int64_t){5000}, &err), ATG_EINVAL);
    assert_int_equal(entries_in(s), 2);
    store_close(s);
}

static int make_deferred(db *d, void *user, atg_err *err) {
    (void)user;
    return db_script(d, "deferred",
                     "CREATE TABLE child(id BIGINT PRIMARY KEY, entry BIGINT REFERENCES entry(id) "
                     "DEFERRABLE INITIALLY DEFERRED)",
                     err);
}

static int add_child(db *d, void *user, atg_err *err) {
    static const db_statement child = {"child", "INSERT INTO child(id, entry) VALUES ($1, $2)"};
    worker *w = user;

    /* every fourth refers to nothing */
    return db_run(d, &child, (db_value[]){db_int(w->entry), db_int(w->entry % 4 == 3 ? 999 : 1)}, 2,
                  NULL, err);
}

static void *add_children(void *user) {
    worker *w = user;

    for (int k = 0; k < 8; k++) {
        w->entry = w->number * 8 + k;
        tally(w, store_write(w->s, add_child, w, NULL));
    }
    return NULL;
}

static void a_rule_that_is_checked_at_the_commit_fails_its_closure_only(const database *where) {
    store *s = counter_store(where);
    worker workers[THREADS];
    atg_err err = {0};
    int64_t id = 1;

    must(store_write(s, make_deferred, NULL, &err), &err);
    must(store_write(s, add_entry, &id, &err), &err);
    run_threads(&s, 1, add_children, workers);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(workers[i].n_ok, 6);
        assert_int_equal(workers[i].n_other, 2);
    }
    store_close(s);
}

typedef struct hook {
    atomic_int n_calls;
    atomic_bool fails;
    int64_t seen;
} hook;

static int sequence(db *d, void *user, atg_err *err) {
    hook *h = user;
    int64_t n = 0;
    int rc = db_get_one(d, &entry_count, NULL, 0, 0, &n, err);

    atomic_fetch_add(&h->n_calls, 1);
    if (rc == ATG_OK && atomic_load(&h->fails))
        return atg_fail(err, ATG_EDENIED, "The hook does not want to");
    if (rc == ATG_OK)
        rc = db_run(d, &counter_set, (db_value[]){db_int(n)}, 1, NULL, err);
    return rc;
}

static void *add_entries(void *user) {
    worker *w = user;

    for (int64_t k = 0; k < EACH; k++) {
        int64_t id = w->number * 1000 + k;

        tally(w, store_write(w->s, add_entry, &id, NULL));
    }
    return NULL;
}

static void the_hook_sees_every_commit(const database *where) {
    store_options options = counter_options(where);
    hook h = {0};
    worker workers[THREADS];
    atg_err err = {0};
    store *s = NULL;
    int64_t id = -1;

    options.after = sequence;
    options.after_user = &h;
    options.after_ms = 5;
    must(store_open(&options, &s, &err), &err);
    run_threads(&s, 1, add_entries, workers);
    must(store_after(s, &err), &err);
    assert_int_equal(counter_in(s), THREADS * EACH);
    must(store_after_failure(s, &err), &err);
    atomic_store(&h.fails, true);
    assert_int_equal(store_after(s, &err), ATG_EDENIED);
    assert_int_equal(store_after_failure(s, &err), ATG_EDENIED);
    must(store_write(s, add_entry, &id, &err), &err);
    atomic_store(&h.fails, false);
    store_close(s); /* runs it once more */
    s = counter_store(where);
    assert_int_equal(counter_in(s), THREADS * EACH + 1);
    must(store_after(s, &err), &err);
    store_close(s);
}

static void *read_many(void *user) {
    worker *w = user;

    for (int k = 0; k < EACH; k++) {
        int64_t n = -1;

        tally(w, n == 0 ? ATG_EDB : store_read(w->s, count_entries, &n, NULL));
    }
    return NULL;
}

static void many_threads_share_few_readers(const database *where) {
    store_options options = counter_options(where);
    worker workers[THREADS];
    atg_err err = {0};
    store *s = NULL;

    options.n_readers = 2;
    must(store_open(&options, &s, &err), &err);
    run_threads(&s, 1, read_many, workers);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(workers[i].n_ok, EACH);
    store_close(s);
}

static void *back_up_often(void *user) {
    worker *w = user;

    for (int k = 0; k < 5; k++) {
        char path[300];

        snprintf(path, sizeof(path), "%s/copy-%d.db", w->folder, k);
        tally(w, store_backup(w->s, path, NULL, NULL));
    }
    return NULL;
}

static void a_backup_made_during_writes_is_whole(const database *where) {
    store *s = counter_store(where);
    worker writers[THREADS], copier = {.s = s, .folder = where->directory};
    char folder[200], from[300], to[300];
    atg_err err = {0};
    database copy = {.backend = "SQLite"};
    store *restored;

    assert_int_equal(pthread_create(&copier.thread, NULL, back_up_often, &copier), 0);
    run_threads(&s, 1, add_entries, writers);
    pthread_join(copier.thread, NULL);
    assert_int_equal(copier.n_ok, 5);
    snprintf(from, sizeof(from), "%s/copy-4.db", where->directory);
    assert_int_equal(store_backup(s, from, NULL, &err), ATG_ECONFLICT);
    snprintf(from, sizeof(from), "%s/last.db", where->directory);
    must(store_backup(s, from, NULL, &err), &err);
    must(store_check(s, &err), &err);
    must(store_checkpoint(s, &err), &err);
    store_close(s);
    database_make_folder(folder, sizeof(folder));
    snprintf(to, sizeof(to), "%s/antigone.db", folder);
    assert_int_equal(rename(from, to), 0);
    snprintf(copy.directory, sizeof(copy.directory), "%s", folder);
    restored = counter_store(&copy);
    must(store_check(restored, &err), &err);
    assert_int_equal(entries_in(restored), THREADS * EACH);
    store_close(restored);
    database_remove_folder(folder);
}

static void short_memory_is_told_and_leaks_nothing(const database *where) {
    size_t before;
    int rc = ATG_ENOMEM;

    store_close(counter_store(where));
    before = mem_live();
    for (long k = 0; rc == ATG_ENOMEM; k++) {
        store_options options = counter_options(where);
        atg_err err = {0};
        store *s = NULL;
        int64_t n;

        mem_fail_after(k);
        rc = store_open(&options, &s, &err);
        if (rc == ATG_OK)
            rc = store_read(s, count_entries, &n, &err);
        mem_fail_after(-1);
        if (rc && (rc != ATG_ENOMEM || err.code != ATG_ENOMEM))
            fail_msg("allocation %ld: code %d, %s", k, rc, err.msg);
        store_close(s);
        assert_int_equal(mem_live(), before);
    }
    assert_int_equal(rc, ATG_OK);
}

int main(void) {
    static const database_test tests[] = {
        {"a change is there once it is acknowledged", a_change_is_there_once_it_is_acknowledged,
         ON_BOTH},
        {"a closure that fails does not touch its neighbours",
         a_closure_that_fails_does_not_touch_its_neighbours, ON_BOTH},
        {"what several foresee is never old", what_several_foresee_is_never_old, ON_BOTH},
        {"two writers on one database lose no count", two_writers_on_one_database_lose_no_count,
         ON_BOTH},
        {"closures that break the rules fail alone", closures_that_break_the_rules_fail_alone,
         ON_BOTH},
        {"a rule that is checked at the commit fails its closure only",
         a_rule_that_is_checked_at_the_commit_fails_its_closure_only, ON_BOTH},
        {"the hook sees every commit", the_hook_sees_every_commit, ON_BOTH},
        {"many threads share few readers", many_threads_share_few_readers, ON_BOTH},
        {"a backup made during writes is whole", a_backup_made_during_writes_is_whole, ON_SQLITE},
        {"short memory is told and leaks nothing", short_memory_is_told_and_leaks_nothing, ON_BOTH},
    };

    return DATABASE_RUN(tests);
}
