/* SPDX-License-Identifier: Apache-2.0 */
/* Bad days of a case: whoever works with it is killed at any moment, writes what another writes,
 * has a clock that goes back, or has no room left. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "made_cases.h"

#include "app/csv_import.h"
#include "app/matcher.h"
#include "app/merge.h"
#include "app/operation_save.h"
#include "base/bytes.h"
#include "base/file.h"
#include "exercise_markers.h"
#include "store/jobs.h"

enum {
    KILLS = 5,
    THREADS = 2,
    ROUND_ARENA = 64 << 20,
    ROUNDS_MAX = 100000,
    ROWS = 20,
    EDITS = 3,
    PERSONS = 6,
    AUTOSOMAL = 12,
    TOLD_BYTES = 1 << 20,
    EACH = 30,
};

static const int64_t hour_us = INT64_C(3600) * 1000000;

#define TABLE_HEAD                                                                                 \
    "id,external,family_name,given_name,sex,born,last_seen,last_place,informant_name,"             \
    "informant_contact,story\n"
#define TABLE_ROW "%u,%s,Hansen,Nora,female,1984-03-12,2026-11-01,Harbour,Ida Berg,+47 1,%s\n"

/* ---- killed ---- */

typedef enum told { TOLD_READY, TOLD_FILE, TOLD_TABLE, TOLD_MERGE, TOLD_ERASED, TOLD_SAVED } told;

/* What was acknowledged to a process that was killed later. */
typedef struct telling {
    told what;
    uuid id;
    int64_t rev; /* of a table: its number */
} telling;

typedef struct scene {
    made_cases m;
    atg_operation op;
} scene;

typedef struct worker worker;
typedef int work_fn(worker *w, atg_err *err);

struct worker {
    pthread_t thread;
    made_cases m; /* with an arena for each round */
    const scene *s;
    work_fn *work;
    int to;
    int64_t n; /* rounds of all workers are numbered */
};

static int tell(const worker *w, told what, const uuid *id, int64_t rev, atg_err *err) {
    telling t;

    memset(&t, 0, sizeof(t));
    t.what = what;
    t.rev = rev;
    if (id)
        t.id = *id;
    return write(w->to, &t, sizeof(t)) == (ssize_t)sizeof(t)
               ? ATG_OK
               : atg_fail(err, ATG_EIO, "Nobody reads what is told");
}

static int add_file(const worker *w, record **ret, atg_err *err) {
    record *r = made_missing(&w->m, "Hansen", "Nora");
    int rc = made_change(&w->m, &w->m.all, CHANGE_ADD, r, err);

    *ret = r;
    return rc ? rc : tell(w, TOLD_FILE, &r->id, 1, err);
}

static void set_hair(const made_cases *m, record *r, int64_t rev) {
    made_set(m->arena, r, "hair", atg_arena_printf(m->arena, "hair %lld", (long long)rev).p);
}

static int add_and_edit(worker *w, atg_err *err) {
    record *r;
    int rc = add_file(w, &r, err);

    for (int i = 0; i < EDITS && !rc; i++) {
        set_hair(&w->m, r, r->rev + 1);
        rc = made_change(&w->m, &w->m.all, CHANGE_EDIT, r, err);
        if (!rc)
            rc = tell(w, TOLD_FILE, &r->id, r->rev, err);
    }
    return rc;
}

static int take_table(const made_cases *m, int64_t number, csv_done *ret, atg_err *err) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(1 << 20);
    csv_options o = {.operation = m->operation, .kind = RECORD_MISSING};
    atg_str text;
    int rc;

    if (!buf)
        return ATG_ENOMEM;
    o.source = atg_arena_printf(m->arena, "list %lld", (long long)number);
    atg_buf_adds(buf, TABLE_HEAD);
    for (unsigned i = 0; i < ROWS; i++)
        atg_buf_printf(buf, TABLE_ROW, i, o.source.p, "");
    rc = atg_buf_take(buf, &text, err);
    if (!rc)
        rc = cases_import_csv(m->c, &m->all, m->arena, text, &o, ret, err);
    return rc;
}

static int import_table(worker *w, atg_err *err) {
    csv_done done = {0};
    int rc = take_table(&w->m, w->n, &done, err);

    if (!rc && done.added != ROWS)
        rc = atg_fail(err, ATG_EINVAL, "%u rows were added, %u problems", done.added,
                      done.n_problems);
    return rc ? rc : tell(w, TOLD_TABLE, NULL, w->n, err);
}

/* The revision tells whether it is merged: 2 is, 3 is not, ... */
static int merge_and_unmerge(worker *w, atg_err *err) {
    record *into, *from;
    int rc = add_file(w, &into, err);

    if (!rc)
        rc = add_file(w, &from, err);
    for (int64_t i = 0; i < EDITS && !rc; i++) {
        rc = cases_merge(w->m.c, &w->m.all, &into->id, &from->id, err);
        if (!rc)
            rc = tell(w, TOLD_MERGE, &from->id, 2 * i + 2, err);
        if (!rc)
            rc = cases_unmerge(w->m.c, &w->m.all, &from->id, err);
        if (!rc)
            rc = tell(w, TOLD_MERGE, &from->id, 2 * i + 3, err);
    }
    return rc;
}

static int add_and_erase(worker *w, atg_err *err) {
    record *r;
    int rc = add_file(w, &r, err);

    if (!rc)
        rc = cases_erase(w->m.c, &w->m.all, &r->id, err);
    return rc ? rc : tell(w, TOLD_ERASED, &r->id, 0, err);
}

static int match_now(const made_cases *m, const char *name, matcher_done *ret, atg_err *err) {
    ATG_AUTO(matcher) engine = NULL;
    matcher_options o = {.threads = 1, .worker = atg_str_of(name)};
    int rc = matcher_open(m->c, &o, &engine, err);

    return rc ? rc : matcher_run(engine, NULL, ret, err);
}

static int save_and_match(worker *w, atg_err *err) {
    save_options how = {.agreed_on = ATG_STR("2026-11-01"),
                        .ends_on = ATG_STR("2036-11-01"),
                        .basis = ATG_STR("consent"),
                        .name = ATG_STR("Exercise"),
                        .sign = true};
    atg_str name = atg_arena_printf(w->m.arena, "worker %lld", (long long)w->n);
    matcher_done done;
    saved in;
    int rc = operation_save(w->m.c, &w->m.all, &w->s->op, &how, NULL, &in, err);

    if (!rc)
        rc = tell(w, TOLD_SAVED, &in.operation, 1, err);
    return rc ? rc : match_now(&w->m, name.p, &done, err);
}

static void *keep_working(void *user) {
    worker *w = user;

    for (;; w->n++) {
        atg_err err = {0};

        w->m.arena = atg_arena_new(ROUND_ARENA);
        if (!w->m.arena || w->work(w, &err)) {
            (void)dprintf(STDERR_FILENO, "%d: %s\n", err.code, err.msg);
            _exit(1);
        }
        atg_arena_free(w->m.arena);
    }
}

static _Noreturn void be_killed(const database *where, const scene *s, work_fn *work, int64_t round,
                                int to) {
    worker workers[THREADS];
    made_cases m = s->m;

    if (made_open_again(&m, where, false, NULL))
        _exit(1);
    for (int64_t i = 0; i < THREADS; i++) {
        workers[i] = (worker){
            .m = m, .s = s, .work = work, .to = to, .n = (round * THREADS + i) * ROUNDS_MAX};
        if ((i == 0 && tell(workers, TOLD_READY, NULL, 0, NULL)) ||
            pthread_create(&workers[i].thread, NULL, keep_working, &workers[i]))
            _exit(1);
    }
    for (;;)
        pause();
}

/* ---- what is there afterwards ---- */

typedef struct checking {
    const database *where;
    const scene *s;
    made_cases m;
    telling *told;
    size_t n;
} checking;

static const db_statement torn[] = {
    {"torn tables", "SELECT count(*) FROM (SELECT external FROM r_missing WHERE external LIKE "
                    "'list %' GROUP BY external HAVING count(*) <> 20) AS t"},
    {"rows without a file", "SELECT count(*) FROM r_missing r LEFT JOIN imported i ON i.record = "
                            "r.id WHERE r.external LIKE 'list %' AND i.record IS NULL"},
    {"records without a file", "SELECT count(*) FROM r_missing r LEFT JOIN file f ON f.id = r.id "
                               "WHERE f.id IS NULL"},
    {"files without a record", "SELECT count(*) FROM file f LEFT JOIN r_missing r ON r.id = f.id "
                               "WHERE f.kind = 'missing' AND r.id IS NULL"},
    {"erased with a key", "SELECT count(*) FROM erased e JOIN person_key p ON p.person = e.person "
                          "WHERE p.wrapped IS NOT NULL"},
};
static const db_statement table_rows = {"table rows",
                                        "SELECT count(*) FROM r_missing WHERE external = $1"};
static const db_statement torn_operations = {
    "torn operations", "SELECT count(*) FROM r_operation o WHERE o.name = 'Exercise' AND ("
                       "(SELECT count(*) FROM r_missing r WHERE r.operation = o.id) <> $1 OR "
                       "(SELECT count(*) FROM r_remains r WHERE r.operation = o.id) <> $2 OR "
                       "(SELECT count(*) FROM r_family r WHERE r.operation = o.id) <> $3)"};

static int check_none(checking *c, db *d, atg_err *err) {
    const atg_operation *op = &c->s->op;
    db_value sizes[] = {db_int(op->n_missing), db_int(op->n_samples), db_int(op->n_families)};
    int64_t n = 0;
    int rc = db_get_one(d, &torn_operations, sizes, 3, 0, &n, err);

    if (!rc && n)
        fail_msg("%lld torn operations", (long long)n);
    for (size_t i = 0; i < sizeof(torn) / sizeof(*torn) && !rc; i++) {
        rc = db_get_one(d, &torn[i], NULL, 0, 0, &n, err);
        if (!rc && n)
            fail_msg("%lld %s", (long long)n, torn[i].name);
    }
    return rc;
}

static int check_table(checking *c, db *d, const telling *t, atg_err *err) {
    atg_str name = atg_arena_printf(c->m.arena, "list %lld", (long long)t->rev);
    int64_t n = 0;
    int rc = db_get_one(d, &table_rows, (db_value[]){db_text(name)}, 1, 0, &n, err);

    if (!rc)
        assert_int_equal(n, ROWS);
    return rc;
}

static void check_erased(const checking *c, const telling *t, const record_row *row) {
    char path[300], hex[2 * UUID_SIZE + 1] = "";
    ATG_AUTO(atg_arena) arena = atg_arena_new(ROUND_ARENA);
    atg_str journal;
    atg_err err = {0};

    assert_true(row->erased);
    assert_false(row->r->fields[MISSING_FAMILY_NAME].known);
    (void)snprintf(path, sizeof(path), "%s/erased", c->where->directory);
    made_ok(file_read(arena, path, ROUND_ARENA / 2, &journal, &err), &err);
    bytes_hex(t->id.bytes, UUID_SIZE, hex);
    if (!memmem(journal.p, journal.n, hex, strlen(hex)))
        fail_msg("%s was erased and does not stand in the journal", hex);
}

static int check_record(checking *c, db *d, const telling *t, atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
    record_kind kind = t->what == TOLD_SAVED ? RECORD_OPERATION : RECORD_MISSING;
    record_row row;
    const value *hair;
    int rc = records_get(d, cases_keys(c->m.c), arena, kind, &t->id, &row, err);

    if (rc)
        return rc;
    assert_true(row.r->rev >= t->rev);
    if (t->what == TOLD_ERASED)
        check_erased(c, t, &row);
    if (t->what == TOLD_MERGE)
        assert_int_equal(row.r->fields[MISSING_MERGED_INTO].known, row.r->rev % 2 == 0);
    hair = &row.r->fields[MISSING_HAIR];
    if (t->what == TOLD_FILE && hair->known)
        assert_true(
            atg_str_eq(hair->text, atg_arena_printf(arena, "hair %lld", (long long)row.r->rev)));
    return ATG_OK;
}

static int check_all(db *d, void *user, atg_err *err) {
    checking *c = user;
    int rc = check_none(c, d, err);

    for (size_t i = 0; i < c->n && !rc; i++)
        rc = c->told[i].what == TOLD_READY   ? ATG_OK
             : c->told[i].what == TOLD_TABLE ? check_table(c, d, &c->told[i], err)
                                             : check_record(c, d, &c->told[i], err);
    return rc;
}

static const telling *last_told(const checking *c, told what) {
    const telling *last = NULL;

    for (size_t i = 0; i < c->n; i++)
        if (c->told[i].what == what)
            last = &c->told[i];
    return last;
}

/* A table that was told is known; the next one was taken in, or is now. */
static void take_tables_again(const checking *c, int64_t number) {
    csv_done done = {0};
    atg_err err = {0};

    made_ok(take_table(&c->m, number, &done, &err), &err);
    assert_int_equal(done.same, ROWS);
    made_ok(take_table(&c->m, number + 1, &done, &err), &err);
    assert_int_equal(done.added + done.same, ROWS);
    assert_true(done.added == 0 || done.same == 0);
}

static int count_jobs(db *d, void *user, atg_err *err) {
    return jobs_count(d, NULL, user, err);
}

typedef struct reading {
    const made_cases *m;
    records_query q;
    record *r;
} reading;

static int read_first(db *d, void *user, atg_err *err) {
    reading *w = user;
    record_row *rows;
    uint32_t n;
    int rc = records_list(d, cases_keys(w->m->c), w->m->arena, &w->q, &rows, &n, err);

    if (!rc && n)
        w->r = rows->r;
    return rc;
}

/* An hour later the leases of who was killed are over. */
static void finish_jobs(const checking *c, const uuid *operation) {
    reading family = {
        .m = &c->m,
        .q = {.kind = RECORD_FAMILY, .by = RECORDS_OF_OPERATION, .of = *operation, .limit = 1}};
    int64_t jobs[3] = {0};
    matcher_done done = {.jobs = 1};
    atg_err err = {0};

    clock_set(clock_now() + hour_us);
    while (done.jobs) {
        made_ok(match_now(&c->m, "afterwards", &done, &err), &err);
        assert_int_equal(done.failed, 0);
    }
    made_ok(store_read(cases_store(c->m.c), count_jobs, jobs, &err), &err);
    assert_int_equal(jobs[0] + jobs[1] + jobs[2], 0);
    made_ok(store_read(cases_store(c->m.c), read_first, &family, &err), &err);
    assert_non_null(family.r);
    made_set(c->m.arena, family.r, "note", "they moved");
    made_ok(made_change(&c->m, &c->m.all, CHANGE_EDIT, family.r, &err), &err);
    made_ok(match_now(&c->m, "afterwards", &done, &err), &err);
    assert_int_equal(done.jobs, 1);
    assert_int_equal(done.written, 0);
    clock_set(-1);
}

static void check_after(checking *c) {
    const telling *table = last_told(c, TOLD_TABLE), *operation = last_told(c, TOLD_SAVED);
    atg_err err = {0};

    c->m = c->s->m;
    c->m.arena = atg_arena_new(MADE_ARENA);
    made_ok(made_open_again(&c->m, c->where, false, &err), &err);
    made_ok(store_read(cases_store(c->m.c), check_all, c, &err), &err);
    if (table)
        take_tables_again(c, table->rev);
    if (operation)
        finish_jobs(c, &operation->id);
    if (!c->where->postgres)
        made_ok(store_check(cases_store(c->m.c), &err), &err);
    made_cases_close(&c->m); /* verifies the history */
}

/* ---- killing ---- */

static scene open_scene(const database *where) {
    scene s = {.m = made_cases_open(where)};
    atg_exercise_options o = atg_exercise_default();
    atg_truth truth;
    atg_err err = {0};

    o.n_missing = PERSONS;
    o.n_bodies = 0;
    made_ok(atg_exercise_make(s.m.arena, table_size(AUTOSOMAL), table_markers(s.m.arena, AUTOSOMAL),
                              &o, &s.op, &truth, &err),
            &err);
    return s;
}

/* Wait for what is told first, so that a crowded machine kills nobody before the work begins. */
static size_t read_told(int from, telling *to, size_t max) {
    size_t n = 0;

    while (n < max && read(from, &to[n], sizeof(*to)) == (ssize_t)sizeof(*to))
        n++;
    return n;
}

static size_t kill_one(const database *where, const scene *s, work_fn *work, long round,
                       atg_rng *rng) {
    static telling list[TOLD_BYTES / sizeof(telling) + 8];
    checking c = {.where = where, .s = s, .told = list};
    size_t first = round == 0 ? 2 : 1;
    int ends[2], status = 0;
    pid_t child;

    assert_int_equal(pipe(ends), 0);
    (void)fcntl(ends[1], F_SETPIPE_SZ, TOLD_BYTES);
    child = fork();
    if (child == 0)
        be_killed(where, s, work, round, ends[1]);
    close(ends[1]);
    c.n = read_told(ends[0], list, first);
    nanosleep(&(struct timespec){.tv_nsec = (long)atg_rng_below(rng, 150000000)}, NULL);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    assert_int_equal(c.n, first);
    assert_true(WIFSIGNALED(status));
    c.n += read_told(ends[0], list + first, sizeof(list) / sizeof(*list) - first);
    close(ends[0]);
    check_after(&c);
    return c.n - 1;
}

static void kill_many(const database *where, work_fn *work) {
    scene s = open_scene(where);
    atg_rng rng = atg_rng_seed((uint64_t)getpid());
    long kills = database_number("ATG_KILLS", KILLS);
    size_t n = 0;

    cases_close(s.m.c);
    for (long k = 0; k < kills; k++)
        n += kill_one(where, &s, work, k, &rng);
    assert_true(n > 0);
    atg_arena_free(s.m.arena);
}

static void killed_while_adding_and_editing(const database *where) {
    kill_many(where, add_and_edit);
}

static void killed_while_importing(const database *where) {
    kill_many(where, import_table);
}

static void killed_while_merging(const database *where) {
    kill_many(where, merge_and_unmerge);
}

static void killed_while_erasing(const database *where) {
    kill_many(where, add_and_erase);
}

static void killed_while_matching(const database *where) {
    kill_many(where, save_and_match);
}

/* ---- several at a time ---- */

enum { ERASERS = 4, ERASED_EACH = 8 };

static void *erase_some(void *user) {
    worker *w = user;

    w->m.arena = atg_arena_new(ROUND_ARENA);
    for (int i = 0; i < ERASED_EACH && w->n == 0; i++) {
        record *r = made_missing(&w->m, "Hansen", "Nora");

        w->n = made_change(&w->m, &w->m.all, CHANGE_ADD, r, NULL) ||
               cases_erase(w->m.c, &w->m.all, &r->id, NULL);
    }
    atg_arena_free(w->m.arena);
    return NULL;
}

static void everybody_erased_at_once_stands_in_the_journal(const database *where) {
    made_cases m = made_cases_open(where);
    worker workers[ERASERS];
    char path[300];
    size_t lines = 0;
    atg_str journal;
    atg_err err = {0};

    for (int i = 0; i < ERASERS; i++) {
        workers[i] = (worker){.m = m};
        assert_int_equal(pthread_create(&workers[i].thread, NULL, erase_some, &workers[i]), 0);
    }
    for (int i = 0; i < ERASERS; i++) {
        pthread_join(workers[i].thread, NULL);
        assert_int_equal(workers[i].n, 0);
    }
    (void)snprintf(path, sizeof(path), "%s/erased", where->directory);
    made_ok(file_read(m.arena, path, ROUND_ARENA, &journal, &err), &err);
    for (size_t i = 0; i < journal.n; i++)
        lines += journal.p[i] == '\n';
    assert_int_equal(lines, 1 + ERASERS * ERASED_EACH);
    made_cases_close(&m);
}

static int read_one(db *d, void *user, atg_err *err) {
    reading *w = user;
    record_row row;
    int rc = records_get(d, cases_keys(w->m->c), w->m->arena, RECORD_MISSING, &w->q.of, &row, err);

    w->r = rc ? NULL : row.r;
    return rc;
}

static record *read_back(const made_cases *m, const uuid *id) {
    reading w = {.m = m, .q = {.of = *id}};

    return store_read(cases_store(m->c), read_one, &w, NULL) ? NULL : w.r;
}

/* Edits that succeed, until there are enough of them; each is of the revision that was read. */
static int edit_each(made_cases m, const database *where, const uuid *id) {
    atg_err err = {0};
    int rc = made_open_again(&m, where, false, &err);

    for (int done = 0; done < EACH && !rc;) {
        record *r = read_back(&m, id);

        if (!r)
            return 1;
        set_hair(&m, r, r->rev + 1);
        rc = made_change(&m, &m.all, CHANGE_EDIT, r, &err);
        done += rc == ATG_OK;
        if (rc == ATG_ECONFLICT)
            rc = ATG_OK;
        if (!rc)
            rc = made_change(&m, &m.all, CHANGE_ADD, made_missing(&m, "Berg", "Ida"), &err);
    }
    if (rc)
        (void)dprintf(STDERR_FILENO, "%d: %s\n", rc, err.msg);
    cases_close(m.c);
    return rc ? 1 : 0;
}

static void wait_for(const pid_t children[2]) {
    for (int i = 0; i < 2; i++) {
        int status = -1;

        waitpid(children[i], &status, 0);
        assert_int_equal(status, 0);
    }
}

static void two_processes_lose_no_edit_of_one_file(const database *where) {
    made_cases m = made_cases_open(where);
    record *r = made_missing(&m, "Hansen", "Nora");
    pid_t children[2];
    atg_err err = {0};

    made_add(&m, r);
    cases_close(m.c);
    for (int i = 0; i < 2; i++) {
        children[i] = fork();
        if (children[i] == 0)
            _exit(edit_each(m, where, &r->id));
    }
    wait_for(children);
    made_ok(made_open_again(&m, where, false, &err), &err);
    assert_int_equal(read_back(&m, &r->id)->rev, 1 + 2 * EACH);
    made_cases_close(&m);
}

static void two_processes_that_begin_at_once_make_one_store(const database *where) {
    made_cases m = {0};
    pid_t children[2];
    atg_err err = {0};

    for (int i = 0; i < 2; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            int rc = made_open_again(&m, where, true, &err);

            if (rc)
                (void)dprintf(STDERR_FILENO, "%d: %s\n", rc, err.msg);
            cases_close(m.c);
            _exit(rc ? 1 : 0);
        }
    }
    wait_for(children);
    m = made_cases_open(where);
    made_cases_close(&m);
}

static void a_wrong_master_key_neither_opens_nor_makes_a_store_anew(const database *where) {
    made_cases m = made_cases_open(where), other = {0};
    key256 wrong = {{9}};
    cases_options o = {.directory = where->directory,
                       .conninfo = database_conninfo(where),
                       .master = &wrong,
                       .create = true,
                       .site = ATG_STR("K9")};
    record *r = made_missing(&m, "Hansen", "Nora");
    atg_err err = {0};

    made_add(&m, r);
    cases_close(m.c);
    assert_int_equal(cases_open(&o, &other.c, &err), ATG_EDENIED);
    assert_non_null(strstr(err.msg, "key"));
    made_ok(made_open_again(&m, where, false, &err), &err);
    assert_true(atg_str_eq(cases_site(m.c), ATG_STR("K3")));
    assert_true(read_back(&m, &r->id)->fields[MISSING_FAMILY_NAME].known);
    made_cases_close(&m);
}

/* ---- the clock ---- */

static void a_clock_that_goes_back_stops_nobody(const database *where) {
    made_cases m = made_cases_open(where);
    record *r = made_missing(&m, "Hansen", "Nora"), *other = made_missing(&m, "Hansen", "Nora");
    int64_t now = clock_now();
    audit_entry *entries;
    uint32_t n;
    atg_err err = {0};

    made_add(&m, r);
    for (int64_t day = 1; day <= 4; day++) {
        clock_set(now - day * 24 * hour_us);
        set_hair(&m, r, r->rev + 1);
        made_ok(made_change(&m, &m.all, CHANGE_EDIT, r, &err), &err);
    }
    made_add(&m, other);
    made_ok(cases_merge(m.c, &m.all, &r->id, &other->id, &err), &err);
    clock_set(now - INT64_C(9000) * 24 * hour_us);
    made_ok(cases_unmerge(m.c, &m.all, &other->id, &err), &err);
    made_ok(cases_erase(m.c, &m.all, &other->id, &err), &err);
    clock_set(now);
    assert_int_equal(read_back(&m, &r->id)->rev, 5);
    made_ok(cases_history(m.c, &m.all, m.arena, &r->id, &entries, &n, &err), &err);
    assert_true(n >= 6);
    for (uint32_t i = 1; i < n; i++)
        assert_true(entries[i].e.seq > entries[i - 1].e.seq);
    clock_set(-1);
    made_cases_close(&m);
}

/* ---- no room ---- */

static void a_full_disk_loses_nothing_of_a_case(const database *where) {
    made_cases m = made_cases_open(where);
    struct rlimit limit, small;
    uint32_t n = 0;
    int rc = ATG_OK;
    atg_err err = {0};

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    signal(SIGXFSZ, SIG_IGN);
    small = (struct rlimit){.rlim_cur = 4 << 20, .rlim_max = limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    for (; !rc && n < 900; n += rc == ATG_OK) {
        record *r = made_missing(&m, "Hansen", "Nora");

        r->fields[MISSING_STORY] = (value){.known = true, .text = made_long(m.arena, 40000)};
        rc = made_change(&m, &m.all, CHANGE_ADD, r, &err);
    }
    assert_int_equal(rc, ATG_EIO);
    assert_true(strlen(err.msg) > 20);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_true(n > 3);
    assert_int_equal(made_count(&m), n);
    made_add(&m, made_missing(&m, "Hansen", "Nora"));
    cases_close(m.c);
    made_ok(made_open_again(&m, where, false, &err), &err);
    assert_int_equal(made_count(&m), n + 1);
    made_ok(store_check(cases_store(m.c), &err), &err);
    made_cases_close(&m);
}

int main(void) {
    static const database_test tests[] = {
        {"who is killed while adding and editing loses nothing that was acknowledged",
         killed_while_adding_and_editing, ON_BOTH},
        {"a table whose import is killed is there whole or not at all", killed_while_importing,
         ON_BOTH},
        {"who is killed while merging leaves files merged or apart", killed_while_merging, ON_BOTH},
        {"a person whose erasure was acknowledged stays erased", killed_while_erasing, ON_BOTH},
        {"what a killed matcher began is finished by another, once", killed_while_matching,
         ON_BOTH},
        {"everybody who is erased at once stands in the journal",
         everybody_erased_at_once_stands_in_the_journal, ON_BOTH},
        {"two processes lose no edit of one file", two_processes_lose_no_edit_of_one_file, ON_BOTH},
        {"two processes that begin at once make one store",
         two_processes_that_begin_at_once_make_one_store, ON_BOTH},
        {"a wrong master key neither opens a store nor makes one anew",
         a_wrong_master_key_neither_opens_nor_makes_a_store_anew, ON_BOTH},
        {"a clock that goes back stops nobody", a_clock_that_goes_back_stops_nobody, ON_BOTH},
        {"a full disk loses nothing of a case", a_full_disk_loses_nothing_of_a_case, ON_SQLITE},
    };

    return DATABASE_RUN(tests);
}
