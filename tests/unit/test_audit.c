/* SPDX-License-Identifier: Apache-2.0 */
/* The history: what is appended, put into the tree, signed and read again. */
#include <pthread.h>

#include "audited.h"

#include "crypto/seal.h"

static const db_statement links = {
    "links", "SELECT file, seq, at, account, action, kind, record, rev, detail, prev, hash "
             "FROM audit ORDER BY file, seq"};
static const db_statement count_pending = {"count_pending", "SELECT count(*) FROM pending"};
static const db_statement leaves = {"leaves", "SELECT n, file, seq, hash FROM leaf ORDER BY n"};
static const db_statement tree_state = {"tree_state", "SELECT size, state FROM tree"};
static const db_statement count_checkpoints = {"count_checkpoints",
                                               "SELECT count(*) FROM checkpoint"};
static const db_statement cut_tree = {"cut_tree", "UPDATE tree SET size = $1, state = $2"};
static const db_statement one_history = {"one_history", "SELECT person, sealed FROM history"};

static uuid uuid_in(db_rows *rows, int at) {
    atg_str s = db_get_blob(rows, at);
    uuid id;

    assert_int_equal(s.n, UUID_SIZE);
    memcpy(id.bytes, s.p, UUID_SIZE);
    return id;
}

static hash256 hash_in(db_rows *rows, int at) {
    atg_str s = db_get_blob(rows, at);
    hash256 h;

    assert_int_equal(s.n, HASH_SIZE);
    memcpy(h.bytes, s.p, HASH_SIZE);
    return h;
}

/* Follow all chains; returns how many links there are. */
static int follow_all(db *d) {
    db_rows *rows = NULL;
    atg_err err = {0};
    chain at = {0};
    int n = 0;

    must(db_query(d, &links, NULL, 0, &rows, &err), &err);
    for (; db_next(rows, &err) > 0; n++) {
        chain_entry e = {.file = uuid_in(rows, 0),
                         .seq = (uint64_t)db_get_int(rows, 1),
                         .at = db_get_int(rows, 2),
                         .account = uuid_in(rows, 3),
                         .action = db_get_text(rows, 4),
                         .kind = db_get_text(rows, 5),
                         .record = uuid_in(rows, 6),
                         .rev = (uint64_t)db_get_int(rows, 7),
                         .detail = db_get_text(rows, 8)};
        hash256 prev = hash_in(rows, 9), hash = hash_in(rows, 10);

        if (uuid_cmp(&at.file, &e.file) != 0)
            at = chain_start(&e.file);
        must(chain_follow(&at, &e, &prev, &hash, &err), &err);
    }
    db_end(rows);
    return n;
}

static void each_file_has_a_chain_that_can_be_followed(const database *where) {
    db *d = audited_open(where);
    atg_err err = {0};
    int64_t n = 0;

    for (int64_t rev = 1; rev <= 5; rev++) {
        must(db_begin(d, DB_WRITE, &err), &err);
        for (uint32_t file = 0; file < 4; file++) {
            audit_event e = audited_event(file, rev);

            must(audit_append(d, &e, &err), &err);
        }
        must(db_commit(d, &err), &err);
    }
    assert_int_equal(follow_all(d), 20);
    must(db_get_one(d, &count_pending, NULL, 0, 0, &n, &err), &err);
    assert_int_equal(n, 20);
    db_close(d);
}

static void the_end_of_a_chain_is_handed_on_within_a_transaction(const database *where) {
    db *d = audited_open(where);
    atg_err err = {0};
    uuid id = audited_id(1, 1);

    for (int round = 0; round < 2; round++) {
        chain head = chain_start(&id);

        must(db_begin(d, DB_WRITE, &err), &err);
        for (int64_t rev = 1; rev <= 5; rev++) {
            audit_event e = audited_event(1, rev + 5 * (int64_t)round);

            e.first = round == 0;
            e.head = &head;
            must(audit_append(d, &e, &err), &err);
            assert_int_equal(head.seq, e.rev);
        }
        must(db_commit(d, &err), &err);
    }
    assert_int_equal(follow_all(d), 10);
    db_close(d);
}

static void a_chain_that_is_begun_twice_is_a_conflict(const database *where) {
    db *d = audited_open(where);
    audit_event e = audited_event(1, 1);
    atg_err err = {0};

    must(db_begin(d, DB_WRITE, &err), &err);
    must(audit_append(d, &e, &err), &err);
    must(db_commit(d, &err), &err);
    must(db_begin(d, DB_WRITE, &err), &err);
    if (audit_append(d, &e, &err) == ATG_OK)
        assert_int_equal(db_commit(d, &err), ATG_ECONFLICT);
    else
        assert_int_equal(err.code, ATG_ECONFLICT);
    db_rollback(d);
    assert_int_equal(follow_all(d), 1);
    db_close(d);
}

static void what_a_personal_field_was_is_sealed_to_its_place(const database *where) {
    db *d = audited_open(where);
    audit_event e = audited_event(1, 1);
    char place[AUDIT_PLACE], plain[100];
    db_rows *rows = NULL;
    atg_err err = {0};
    uuid person;
    key256 key;

    must(key_new(&key, &err), &err);
    e.person = audited_id(3, 1);
    e.key = &key;
    e.history = ATG_STR("{\"family_name\":[null,\"Ferrari\"]}");
    must(db_begin(d, DB_WRITE, &err), &err);
    must(audit_append(d, &e, &err), &err);
    must(db_commit(d, &err), &err);
    must(db_query(d, &one_history, NULL, 0, &rows, &err), &err);
    assert_int_equal(db_next(rows, &err), 1);
    person = uuid_in(rows, 0);
    assert_memory_equal(person.bytes, e.person.bytes, UUID_SIZE);

    atg_str sealed = db_get_blob(rows, 1), ad = {place, audit_history_place(&e.file, 1, place)};

    assert_int_equal(sealed.n, e.history.n + SEAL_OVERHEAD);
    must(seal_open(&key, ad, sealed, (unsigned char *)plain, &err), &err);
    assert_memory_equal(plain, e.history.p, e.history.n);
    ad.n = audit_history_place(&e.file, 2, place);
    assert_int_equal(seal_open(&key, ad, sealed, (unsigned char *)plain, &err), ATG_EDENIED);
    db_end(rows);
    db_close(d);
}

static void an_event_that_breaks_the_rules_is_refused(const database *where) {
    db *d = audited_open(where);
    char long_word[AUDIT_WORD + 2] = {0};
    uuid other = audited_id(1, 99);
    chain head = chain_start(&other);
    atg_err err = {0};

    memset(long_word, 'a', AUDIT_WORD + 1);
    for (int k = 0; k < 8; k++) {
        audit_event e = audited_event(1, 1);

        if (k == 0)
            e.file = (uuid){{0}};
        else if (k == 1)
            e.action = "";
        else if (k == 2)
            e.kind = NULL;
        else if (k == 3)
            e.rev = -1;
        else if (k == 4)
            e.history = ATG_STR("{}");
        else if (k == 5)
            e.head = &head;
        else if (k == 6)
            e.kind = long_word;
        else
            e.detail.n = AUDIT_DETAIL + 1;
        must(db_begin(d, DB_WRITE, &err), &err);
        assert_int_equal(audit_append(d, &e, &err), k == 7 ? ATG_ELIMIT : ATG_EINVAL);
        db_rollback(d);
    }
    assert_int_equal(follow_all(d), 0);
    db_close(d);
}

/* ---- the tree ---- */

/* The next event of each of these files, in one transaction. */
static void append_all(db *d, uint32_t from, uint32_t to, int64_t rev) {
    atg_err err = {0};

    must(db_begin(d, DB_WRITE, &err), &err);
    for (uint32_t file = from; file < to; file++) {
        audit_event e = audited_event(file, rev);

        must(audit_append(d, &e, &err), &err);
    }
    must(db_commit(d, &err), &err);
}

static uint64_t sequence(db *d) {
    atg_err err = {0};
    uint64_t n = 99;

    must(db_begin(d, DB_WRITE, &err), &err);
    must(audit_sequence(d, &n, &err), &err);
    must(db_commit(d, &err), &err);
    return n;
}

/* The tree that the leaves make; each file's entries stand in their order. */
static tree tree_of_leaves(db *d) {
    db_rows *rows = NULL;
    uint64_t seen[16] = {0};
    atg_err err = {0};
    tree t = {0};

    must(db_query(d, &leaves, NULL, 0, &rows, &err), &err);
    while (db_next(rows, &err) > 0) {
        uuid file = uuid_in(rows, 1);
        hash256 hash = hash_in(rows, 3);
        hash256 leaf = tree_leaf((atg_str){(const char *)hash.bytes, HASH_SIZE});

        assert_int_equal(db_get_int(rows, 0), t.size);
        assert_int_equal(db_get_int(rows, 2), ++seen[file.bytes[15]]);
        tree_add(&t, &leaf);
    }
    db_end(rows);
    return t;
}

static void expect_tree(db *d, uint64_t size) {
    unsigned char state[TREE_SAVED_MAX];
    tree t = tree_of_leaves(d);
    size_t n = tree_save(&t, state);
    db_rows *rows = NULL;
    atg_err err = {0};

    assert_int_equal(t.size, size);
    must(db_query(d, &tree_state, NULL, 0, &rows, &err), &err);
    assert_int_equal(db_next(rows, &err), 1);
    assert_int_equal(db_get_int(rows, 0), size);
    assert_int_equal(db_get_blob(rows, 1).n, n);
    assert_memory_equal(db_get_blob(rows, 1).p, state, n);
    db_end(rows);
}

static void what_was_committed_becomes_leaves_once(const database *where) {
    db *d = audited_open(where);
    atg_err err = {0};
    uint64_t n = 5;

    assert_int_equal(sequence(d), 0);
    append_all(d, 0, 5, 1);
    append_all(d, 3, 5, 2);
    must(db_begin(d, DB_WRITE, &err), &err);
    must(audit_sequence(d, &n, &err), &err);
    assert_int_equal(n, 7);
    db_rollback(d);
    assert_int_equal(sequence(d), 7);
    assert_int_equal(sequence(d), 0);
    expect_tree(d, 7);
    append_all(d, 5, 8, 1);
    append_all(d, 3, 5, 3);
    assert_int_equal(sequence(d), 5);
    expect_tree(d, 12);
    db_close(d);
}

/* Append and sequence on one connection until it is done, as a store does. */
typedef struct process {
    pthread_t thread;
    const database *where;
    uint32_t number;
    int n_conflicts, rc;
    atg_err err;
} process;

static int append_and_sequence(db *d, uint32_t file, int64_t rev, atg_err *err) {
    audit_event e = audited_event(file, rev);
    int rc = db_begin(d, DB_WRITE, err);

    if (rc == ATG_OK)
        rc = audit_append(d, &e, err);
    if (rc == ATG_OK)
        rc = db_commit(d, err);
    else
        db_rollback(d);
    return rc;
}

static int sequence_only(db *d, atg_err *err) {
    int rc = db_begin(d, DB_WRITE, err);

    if (rc == ATG_OK)
        rc = audit_sequence(d, NULL, err);
    if (rc == ATG_OK)
        rc = db_commit(d, err);
    else
        db_rollback(d);
    return rc;
}

static void *run_process(void *user) {
    process *p = user;
    db_options options = {.directory = p->where->directory,
                          .conninfo = database_conninfo(p->where)};
    db *d = NULL;

    p->rc = db_open(&options, &d, &p->err);
    for (int64_t rev = 1; p->rc == ATG_OK && rev <= 20;) {
        p->rc = append_and_sequence(d, p->number, rev, &p->err);
        rev += p->rc == ATG_OK;
        if (p->rc == ATG_OK)
            p->rc = sequence_only(d, &p->err);
        if (p->rc && db_retry(d)) {
            p->rc = ATG_OK;
            p->n_conflicts++;
        }
    }
    db_close(d);
    return NULL;
}

static void several_processes_sequence_side_by_side(const database *where) {
    db *d = audited_open(where);
    process all[4];

    for (uint32_t i = 0; i < 4; i++) {
        all[i] = (process){.where = where, .number = i};
        assert_int_equal(pthread_create(&all[i].thread, NULL, run_process, &all[i]), 0);
    }
    for (int i = 0; i < 4; i++)
        pthread_join(all[i].thread, NULL);
    for (int i = 0; i < 4; i++)
        must(all[i].rc, &all[i].err);
    while (sequence(d))
        ;
    expect_tree(d, 80);
    assert_int_equal(follow_all(d), 80);
    db_close(d);
}

/* ---- checkpoints ---- */

static int sign(db *d, const sign_pair *pair, int64_t at, checkpoint *ret, atg_err *err) {
    int rc;

    must(db_begin(d, DB_WRITE, err), err);
    rc = audit_checkpoint(d, pair, "antigone.example/K3", at, ret, err);
    if (rc)
        db_rollback(d);
    else
        must(db_commit(d, err), err);
    return rc;
}

static void a_checkpoint_is_made_when_something_came(const database *where) {
    db *d = audited_open(where);
    sign_pair pair = audited_pair(1);
    checkpoint a, b, c;
    atg_err err = {0};
    int64_t n = 0;
    tree t;

    assert_int_equal(audit_last_checkpoint(d, &a, &err), ATG_ENOTFOUND);
    append_all(d, 0, 5, 1);
    sequence(d);
    must(sign(d, &pair, 1000, &a, &err), &err);
    must(checkpoint_check(&a, &pair.pub, &err), &err);
    t = tree_of_leaves(d);
    assert_int_equal(a.size, 5);
    assert_true(hash_eq(&a.root, &(hash256[]){tree_root(&t)}[0]));
    must(sign(d, &pair, 2000, &b, &err), &err);
    assert_memory_equal(&a, &b, sizeof(a));
    append_all(d, 0, 1, 2);
    sequence(d);
    must(sign(d, &pair, 500, &b, &err), &err); /* the clock was set back */
    assert_int_equal(b.size, 6);
    assert_int_equal(b.at, 500);
    must(audit_last_checkpoint(d, &c, &err), &err);
    assert_memory_equal(&b, &c, sizeof(b));
    must(db_get_one(d, &count_checkpoints, NULL, 0, 0, &n, &err), &err);
    assert_int_equal(n, 2);
    db_close(d);
}

static void a_tree_that_lost_entries_is_not_signed(const database *where) {
    db *d = audited_open(where);
    sign_pair pair = audited_pair(1);
    unsigned char state[TREE_SAVED_MAX];
    checkpoint c;
    atg_err err = {0};

    append_all(d, 0, 5, 1);
    sequence(d);
    must(sign(d, &pair, 1000, &c, &err), &err);
    for (uint64_t size = 4; size <= 5; size++) {
        hash256 other = {{7}};
        tree t = {0};

        while (t.size < size)
            tree_add(&t, &other);
        must(db_run(d, &cut_tree,
                    (db_value[]){db_int((int64_t)size), db_blob(state, tree_save(&t, state))}, 2,
                    NULL, &err),
             &err);
        assert_int_equal(sign(d, &pair, 2000, &c, &err), ATG_EDENIED);
        assert_non_null(strstr(err.msg, "falsified"));
    }
    must(db_run(d, &cut_tree, (db_value[]){db_int(5), db_blob("x", 1)}, 2, NULL, &err), &err);
    assert_int_equal(sign(d, &pair, 2000, &c, &err), ATG_EPARSE);
    db_close(d);
}

/* ---- the story ---- */

typedef struct told {
    db *d;
    keyring *keys;
    atg_arena *arena;
    uuid operation, person;
} told;

/* One file with three entries: what the second sealed, and the third in a transaction of its own,
 * is of the person. */
static told tell(const database *where) {
    static const key256 master = {{9}};
    told t = {.d = audited_open(where),
              .arena = atg_arena_new(1 << 20),
              .operation = audited_id(4, 1),
              .person = audited_id(1, 1)};
    KEYS_AUTO person_keys keys;
    atg_err err = {0};

    must(keyring_open(&master, &t.keys, &err), &err);
    must(db_begin(t.d, DB_WRITE, &err), &err);
    must(keys_operation_new(t.d, t.keys, &t.operation, &err), &err);
    must(keys_person_new(t.d, t.keys, &t.operation, &t.person, &keys, &err), &err);
    for (int64_t rev = 1; rev <= 3; rev++) {
        audit_event e = audited_event(1, rev);

        if (rev > 1) {
            e.person = t.person;
            e.key = &keys.key;
            e.history = rev == 2 ? ATG_STR("{\"name\":[null,\"Ferrari\"]}") : ATG_STR("{}");
        }
        must(audit_append(t.d, &e, &err), &err);
    }
    must(db_commit(t.d, &err), &err);
    return t;
}

static void end(told *t) {
    db_close(t->d);
    keyring_close(t->keys);
    atg_arena_free(t->arena);
}

static int read_story(const told *t, uint64_t from, uint32_t limit, audit_entry **ret, uint32_t *n,
                      atg_err *err) {
    audit_query q = {.file = audited_id(1, 1), .from = from, .limit = limit};
    int rc;

    must(db_begin(t->d, DB_READ, err), err);
    rc = audit_read(t->d, t->keys, t->arena, &q, ret, n, err);
    db_rollback(t->d);
    return rc;
}

static bool is(atg_str s, const char *want) {
    return atg_str_eq(s, atg_str_of(want));
}

static void a_story_is_read_with_what_was_sealed(const database *where) {
    told t = tell(where);
    audit_entry *e = NULL;
    atg_err err = {0};
    uint32_t n = 9;

    must(read_story(&t, 1, 100, &e, &n, &err), &err);
    assert_int_equal(n, 3);
    for (uint64_t i = 0; i < n; i++) {
        assert_int_equal(e[i].e.seq, i + 1);
        assert_int_equal(e[i].e.rev, i + 1);
        assert_int_equal(e[i].e.at, 1700000000000001 + (int64_t)i);
        assert_true(is(e[i].e.action, i ? "edit" : "add"));
        assert_true(is(e[i].e.kind, "missing"));
        assert_true(is(e[i].e.detail, "{\"sex\":[null,\"female\"]}"));
        assert_memory_equal(e[i].e.record.bytes, t.person.bytes, UUID_SIZE);
        assert_false(e[i].erased);
    }
    assert_true(is(e[0].history, ""));
    assert_true(is(e[1].history, "{\"name\":[null,\"Ferrari\"]}"));
    assert_true(is(e[2].history, "{}"));
    must(read_story(&t, 2, 1, &e, &n, &err), &err);
    assert_int_equal(n, 1);
    assert_int_equal(e[0].e.seq, 2);
    must(read_story(&t, 4, 5, &e, &n, &err), &err);
    assert_int_equal(n, 0);
    end(&t);
}

static void of_an_erased_person_the_story_says_that_it_was_erased(const database *where) {
    told t = tell(where);
    sign_pair pair = audited_pair(1);
    audit_wanted wanted = {.pub = &pair.pub};
    uuid account = audited_id(2, 1);
    audit_entry *e = NULL;
    atg_err err = {0};
    uint32_t n = 0;

    must(db_begin(t.d, DB_WRITE, &err), &err);
    must(keys_erase(t.d, t.keys, &t.operation, &t.person, &account, 5, &err), &err);
    must(db_commit(t.d, &err), &err);
    must(read_story(&t, 1, 100, &e, &n, &err), &err);
    assert_int_equal(n, 3);
    for (uint32_t i = 0; i < n; i++) {
        assert_int_equal(e[i].erased, i > 0);
        assert_int_equal(e[i].history.n, 0);
        assert_true(is(e[i].e.detail, "{\"sex\":[null,\"female\"]}"));
    }
    assert_int_equal(follow_all(t.d), 3);
    must(db_run(t.d, &audited_row,
                (db_value[]){db_blob(t.person.bytes, UUID_SIZE), db_blob("x", 1),
                             db_text(ATG_STR("AM-K3-000001"))},
                3, NULL, &err),
         &err);
    must(db_run(t.d, &audited_edit, (db_value[]){db_blob(t.person.bytes, UUID_SIZE), db_int(3)}, 2,
                NULL, &err),
         &err);
    must(audited_verify(t.d, &wanted, 2, NULL, &err), &err);
    end(&t);
}

static void what_was_sealed_elsewhere_is_not_told_here(const database *where) {
    static const char *const changes[] = {
        "UPDATE history SET seq = 1 WHERE seq = 2",
        "UPDATE history SET sealed = (SELECT hash FROM audit WHERE seq = 1) WHERE seq = 2",
        "UPDATE history SET person = file, sealed = person WHERE seq = 3",
    };
    told t = tell(where);
    audit_entry *e = NULL;
    uint32_t n = 0;

    for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
        audit_query q = {.file = audited_id(1, 1), .from = 1, .limit = 10};
        atg_err err = {0};

        must(db_begin(t.d, DB_WRITE, &err), &err);
        must(db_script(t.d, "change", changes[i], &err), &err);
        assert_int_equal(audit_read(t.d, t.keys, t.arena, &q, &e, &n, &err), ATG_EDENIED);
        db_rollback(t.d);
    }
    end(&t);
}

/* Append, sequence and sign in one transaction. */
static int do_all(db *d, const audit_event *e, const sign_pair *pair, checkpoint *c, atg_err *err) {
    int rc = audit_append(d, e, err);

    if (rc == ATG_OK)
        rc = audit_sequence(d, NULL, err);
    if (rc == ATG_OK)
        rc = audit_checkpoint(d, pair, "antigone.example/K3", 5, c, err);
    return rc;
}

static void writing_survives_a_lack_of_memory(const database *where) {
    static const key256 key = {{3}};
    db *d = audited_open(where);
    sign_pair pair = audited_pair(1);
    audit_event e = audited_event(1, 1);
    int rc = ATG_ENOMEM;

    e.person = e.file;
    e.key = &key;
    e.history = ATG_STR("{}");
    for (long k = 0; rc && k < 1000; k++) {
        checkpoint c = {.size = 9};
        atg_err err = {0};

        must(db_begin(d, DB_WRITE, &err), &err);
        mem_fail_after(k);
        rc = do_all(d, &e, &pair, &c, &err);
        mem_fail_after(-1);
        assert_true(rc == ATG_OK || (rc == ATG_ENOMEM && c.size == 9));
        if (rc)
            db_rollback(d);
        else
            must(db_commit(d, &err), &err);
    }
    assert_int_equal(rc, ATG_OK);
    assert_int_equal(follow_all(d), 1);
    expect_tree(d, 1);
    db_close(d);
}

static void reading_survives_a_lack_of_memory(const database *where) {
    told t = tell(where);
    audit_entry *e = NULL;
    uint32_t n = 0;
    int rc = ATG_ENOMEM;

    for (long k = 0; rc && k < 1000; k++) {
        audit_query q = {.file = audited_id(1, 1), .from = 1, .limit = 10};
        atg_err err = {0};

        must(db_begin(t.d, DB_READ, &err), &err);
        mem_fail_after(k);
        rc = audit_read(t.d, t.keys, t.arena, &q, &e, &n, &err);
        mem_fail_after(-1);
        db_rollback(t.d);
        if (rc)
            assert_int_equal(rc, ATG_ENOMEM);
    }
    assert_int_equal(rc, ATG_OK);
    assert_int_equal(n, 3);
    end(&t);
}

int main(void) {
    static const database_test tests[] = {
        {"each file has a chain that can be followed", each_file_has_a_chain_that_can_be_followed,
         ON_BOTH},
        {"the end of a chain is handed on within a transaction",
         the_end_of_a_chain_is_handed_on_within_a_transaction, ON_BOTH},
        {"a chain that is begun twice is a conflict", a_chain_that_is_begun_twice_is_a_conflict,
         ON_BOTH},
        {"what a personal field was is sealed to its place",
         what_a_personal_field_was_is_sealed_to_its_place, ON_BOTH},
        {"an event that breaks the rules is refused", an_event_that_breaks_the_rules_is_refused,
         ON_BOTH},
        {"what was committed becomes leaves once", what_was_committed_becomes_leaves_once, ON_BOTH},
        {"several processes sequence side by side", several_processes_sequence_side_by_side,
         ON_BOTH},
        {"a checkpoint is made when something came", a_checkpoint_is_made_when_something_came,
         ON_BOTH},
        {"a tree that lost entries is not signed", a_tree_that_lost_entries_is_not_signed, ON_BOTH},
        {"a story is read with what was sealed", a_story_is_read_with_what_was_sealed, ON_BOTH},
        {"of an erased person the story says that it was erased",
         of_an_erased_person_the_story_says_that_it_was_erased, ON_BOTH},
        {"what was sealed elsewhere is not told here", what_was_sealed_elsewhere_is_not_told_here,
         ON_BOTH},
        {"writing survives a lack of memory", writing_survives_a_lack_of_memory, ON_BOTH},
        {"reading survives a lack of memory", reading_survives_a_lack_of_memory, ON_BOTH},
    };

    return DATABASE_RUN(tests);
}
