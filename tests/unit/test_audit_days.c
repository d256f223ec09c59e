/* SPDX-License-Identifier: Apache-2.0 */
/* Bad days of a history: two processes append to the same files, put entries into the tree, sign it
 * and write to one witness, and are killed at any moment.  Whatever was acknowledged is there, and
 * all that the witness saw is of this history. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "audited.h"
#include "store/witness.h"

enum { KILLS = 8, PROCESSES = 2, THREADS = 3, FILES = 4, AFTER_MS = 5, LATE_TRIES = 100 };

typedef struct telling {
    uint32_t file;
    uint64_t seq;
    hash256 hash;
} telling;

typedef struct worker {
    pthread_t thread;
    store *s;
    atg_rng rng;
    int told; /* where what was acknowledged is written to */
    telling now;
} worker;

static const db_statement has_entry = {"has_entry",
                                       "SELECT CASE WHEN hash = $3 THEN 1 ELSE 0 END FROM audit "
                                       "WHERE file = $1 AND seq = $2"};

static int append_one(db *d, void *user, atg_err *err) {
    worker *w = user;
    audit_event e = audited_event(w->now.file, 2);
    chain head = chain_start(&e.file);
    int rc;

    e.rev = 0;
    e.head = &head;
    rc = audit_append(d, &e, err);
    w->now.seq = head.seq;
    w->now.hash = head.hash;
    return rc;
}

static void *append_many(void *user) {
    worker *w = user;

    for (;;) {
        memset(&w->now, 0, sizeof(w->now));
        w->now.file = (uint32_t)atg_rng_below(&w->rng, FILES);
        if (store_write(w->s, append_one, w, NULL) || write(w->told, &w->now, sizeof(w->now)) < 0)
            return NULL;
    }
}

static int sequence_and_sign(db *d, void *user, atg_err *err) {
    checkpoint c;
    sign_pair pair = audited_pair(1);
    int rc = audit_sequence(d, NULL, err);

    (void)user;
    return rc ? rc : audit_checkpoint(d, &pair, "antigone.example/K3", 1, &c, err);
}

static store *open_store(const database *where) {
    store_options options = {.directory = where->directory,
                             .conninfo = database_conninfo(where),
                             .create = true,
                             .migrations = record_migrations,
                             .n_migrations = record_migrations_n,
                             .after = sequence_and_sign,
                             .after_ms = AFTER_MS};
    atg_err err = {0};
    store *s = NULL;

    must(store_open(&options, &s, &err), &err);
    return s;
}

static _Noreturn void be_killed(const database *where, const char *witness, uint64_t seed,
                                int told) {
    worker workers[THREADS];
    store *s = open_store(where);
    atg_err err = {0};

    for (uint64_t i = 0; i < THREADS; i++) {
        workers[i] = (worker){.s = s, .told = told, .rng = atg_rng_seed(seed + i)};
        if (pthread_create(&workers[i].thread, NULL, append_many, &workers[i]))
            _exit(1);
    }
    while (witness_update(witness, s, &err) == ATG_OK)
        ;
    (void)dprintf(STDERR_FILENO, "%s\n", err.msg);
    for (;;) /* its parent sees what is missing */
        pause();
}

static void kill_all(pid_t children[PROCESSES], atg_rng *rng) {
    nanosleep(&(struct timespec){.tv_nsec = (long)(50 + atg_rng_below(rng, 300)) * 1000000}, NULL);
    for (int i = 0; i < PROCESSES; i++)
        kill(children[i], SIGKILL);
    for (int i = 0; i < PROCESSES; i++)
        waitpid(children[i], NULL, 0);
}

typedef struct checking {
    int from;
    const witness_notes *notes;
    sign_pair pair;
    audit_report report;
} checking;

static int check_all(db *d, void *user, atg_err *err) {
    checking *c = user;
    audit_wanted w = {.pub = &c->pair.pub};
    telling t;

    while (read(c->from, &t, sizeof(t)) == (ssize_t)sizeof(t)) {
        uuid id = audited_id(1, t.file);
        int64_t same = 0;
        int rc = db_get_one(d, &has_entry,
                            (db_value[]){db_blob(id.bytes, UUID_SIZE), db_int((int64_t)t.seq),
                                         db_blob(t.hash.bytes, HASH_SIZE)},
                            3, 0, &same, err);

        if (rc)
            return rc;
        assert_int_equal(same, 1);
    }
    if (c->notes) {
        w.witnessed = c->notes->notes;
        w.n_witnessed = c->notes->n;
    }
    return audit_verify(d, &w, 2, NULL, &c->report, err);
}

static void check_after(const database *where, const char *witness, checking *c) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(64 << 20);
    store *s = open_store(where);
    witness_notes notes = {.n = 0};
    atg_err err = {0};

    if (access(witness, F_OK) == 0 && witness_read(arena, witness, &notes, &err) == ATG_OK)
        c->notes = &notes;
    must(store_read(s, check_all, c, &err), &err);
    /* PostgreSQL may still commit what a killed process asked for last */
    for (int tries = 0; tries == 0 || (c->report.waiting && tries < LATE_TRIES); tries++) {
        must(store_after(s, &err), &err);
        must(store_read(s, check_all, c, &err), &err);
    }
    assert_int_equal(c->report.waiting, 0);
    store_close(s);
    c->notes = NULL;
}

static void killed_processes_leave_a_history_that_is_verified(const database *where) {
    atg_rng rng = atg_rng_seed((uint64_t)getpid());
    long kills = database_number("ATG_KILLS", KILLS);
    checking c = {.pair = audited_pair(1)};
    uint64_t before = 0;
    char witness[300];

    (void)snprintf(witness, sizeof(witness), "%s/witness", where->directory);
    store_close(open_store(where));
    for (long k = 0; k < kills; k++) {
        pid_t children[PROCESSES];
        int ends[2];

        assert_int_equal(pipe(ends), 0);
        (void)fcntl(ends[1], F_SETPIPE_SZ, 1 << 20);
        for (int i = 0; i < PROCESSES; i++) {
            children[i] = fork();
            if (children[i] == 0)
                be_killed(where, witness, (uint64_t)k * 1000 + (uint64_t)i * 100, ends[1]);
        }
        close(ends[1]);
        kill_all(children, &rng);
        c.from = ends[0];
        check_after(where, witness, &c);
        close(ends[0]);
        assert_true(c.report.entries >= before);
        before = c.report.entries;
    }
    assert_true(before > 0);
    assert_true(c.report.checkpoints > 0);
}

int main(void) {
    static const database_test tests[] = {
        {"killed processes leave a history that is verified",
         killed_processes_leave_a_history_that_is_verified, ON_BOTH},
    };

    return DATABASE_RUN(tests);
}
