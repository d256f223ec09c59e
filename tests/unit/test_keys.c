/* SPDX-License-Identifier: Apache-2.0 */
/* The tree of keys, and when what a keyring remembers is true. */
#include "kept.h"
#include "on_disk.h"

#include "store/keyring.h"

#include <pthread.h>
#include <stdatomic.h>

static bool same(const person_keys *a, const person_keys *b) {
    return key_eq(&a->key, &b->key) && memcmp(&a->salt, &b->salt, sizeof(a->salt)) == 0;
}

/* What a keyring that remembers nothing reads. */
static int read_anew(db *d, const uuid *person, person_keys *ret) {
    keyring *k = kept_keys();
    int rc = keys_person(d, k, person, ret, NULL);

    keyring_close(k);
    return rc;
}

static void keys_come_back_from_the_database(const database *where) {
    db *d = kept_open(where);
    keyring *k = kept_keys();
    uuid operation = kept_operation(d, k), other = kept_operation(d, k), person = kept_id();
    person_keys made, read;
    key256 a, b, c;
    atg_err err = {0};

    kept_begin(d);
    must(keys_person_new(d, k, &operation, &person, &made, &err), &err);
    must(keys_person(d, k, &person, &read, &err), &err);
    assert_true(same(&made, &read));
    kept_commit(d);
    must(keys_person(d, k, &person, &read, &err), &err);
    assert_true(same(&made, &read));
    must(read_anew(d, &person, &read), &err);
    assert_true(same(&made, &read));

    must(keys_operation(d, k, &operation, KEY_TOKENS, &a, &err), &err);
    must(keys_operation(d, k, &operation, KEY_BLOBS, &b, &err), &err);
    must(keys_operation(d, k, &other, KEY_TOKENS, &c, &err), &err);
    assert_false(key_eq(&a, &b));
    assert_false(key_eq(&a, &c));
    assert_int_equal(keys_operation(d, k, &person, KEY_TOKENS, &c, &err), ATG_ENOTFOUND);
    assert_int_equal(keys_person(d, k, &operation, &read, &err), ATG_ENOTFOUND);
    keyring_close(k);
    db_close(d);
}

static void a_site_has_one_key_and_one_for_each_purpose(const database *where) {
    db *d = kept_open(where);
    keyring *k = kept_keys(), *again = kept_keys();
    key256 keys[SITE_PURPOSES], key;
    atg_err err = {0};

    assert_int_equal(keys_site(d, k, SITE_SIGN, &key, &err), ATG_ENOTFOUND);
    must(keys_site_new(d, k, &err), &err);
    assert_int_equal(keys_site_new(d, k, &err), ATG_ECONFLICT);
    for (int p = 0; p < SITE_PURPOSES; p++) {
        must(keys_site(d, k, (site_purpose)p, &keys[p], &err), &err);
        must(keys_site(d, again, (site_purpose)p, &key, &err), &err);
        assert_true(key_eq(&key, &keys[p]));
        for (int q = 0; q < p; q++)
            assert_false(key_eq(&keys[p], &keys[q]));
    }
    keyring_close(again);
    keyring_close(k);
    db_close(d);
}

static void another_master_key_is_refused_and_says_so(const database *where) {
    static const key256 stolen = {{9}};
    db *d = kept_open(where);
    keyring *k = kept_keys(), *other = NULL;
    uuid operation = kept_operation(d, k), person = kept_person(d, k, &operation);
    person_keys keys;
    key256 key;
    atg_err err = {0};

    must(keys_site_new(d, k, &err), &err);
    must(keyring_open(&stolen, &other, &err), &err);
    assert_int_equal(keys_site(d, other, SITE_SIGN, &key, &err), ATG_EDENIED);
    assert_non_null(strstr(err.msg, "use the key file of this store"));
    assert_int_equal(keys_operation(d, other, &operation, KEY_TOKENS, &key, &err), ATG_EDENIED);
    assert_int_equal(keys_person(d, other, &person, &keys, &err), ATG_EDENIED);
    keyring_close(other);
    keyring_close(k);
    db_close(d);
}

/* Rolled back, the closure makes another key for the same person. */
static void a_key_that_was_rolled_back_is_not_remembered(const database *where) {
    db *d = kept_open(where), *reader = kept_connect(where);
    keyring *k = kept_keys();
    uuid operation = kept_operation(d, k), person = kept_id();
    person_keys first, second, read;
    atg_err err = {0};

    kept_begin(d);
    must(keys_person_new(d, k, &operation, &person, &first, &err), &err);
    must(keys_person(d, k, &person, &read, &err), &err);
    assert_int_equal(keys_person(reader, k, &person, &read, &err), ATG_ENOTFOUND);
    db_rollback(d);
    assert_int_equal(keys_person(d, k, &person, &read, &err), ATG_ENOTFOUND);
    kept_begin(d);
    assert_int_equal(keys_person(d, k, &person, &read, &err), ATG_ENOTFOUND);
    must(keys_person_new(d, k, &operation, &person, &second, &err), &err);
    kept_commit(d);
    must(keys_person(reader, k, &person, &read, &err), &err);
    assert_true(same(&read, &second));
    assert_false(same(&read, &first));
    db_close(reader);
    keyring_close(k);
    db_close(d);
}

static void a_key_behind_a_savepoint_is_undone_with_it(const database *where) {
    db *d = kept_open(where);
    keyring *k = kept_keys();
    uuid operation = kept_operation(d, k), before = kept_id(), behind = kept_id();
    person_keys made, read;
    atg_err err = {0};

    kept_begin(d);
    must(keys_person_new(d, k, &operation, &before, &made, &err), &err);
    must(db_savepoint(d, &err), &err);
    must(keys_person_new(d, k, &operation, &behind, NULL, &err), &err);
    must(db_rollback_to(d, &err), &err);
    assert_int_equal(keys_person(d, k, &behind, &read, &err), ATG_ENOTFOUND);
    must(keys_person(d, k, &before, &read, &err), &err);
    assert_true(same(&made, &read));
    db_rollback(d);
    assert_int_equal(keys_person(d, k, &before, &read, &err), ATG_ENOTFOUND);
    keyring_close(k);
    db_close(d);
}

static void an_erased_person_has_no_key_and_never_gets_one(const database *where) {
    db *d = kept_open(where);
    keyring *k = kept_keys();
    uuid operation = kept_operation(d, k), person = kept_person(d, k, &operation),
         stays = kept_person(d, k, &operation), who = kept_id();
    person_keys keys;
    bool erased = true;
    atg_err err = {0};
    int rc;

    must(keys_person(d, k, &person, &keys, &err), &err);
    must(keys_erased(d, &person, &erased, &err), &err);
    assert_false(erased);
    for (int i = 0; i < 2; i++) {
        kept_begin(d);
        must(keys_erase(d, k, &operation, &person, &who, 1000 + i, &err), &err);
        assert_int_equal(keys_person(d, k, &person, &keys, &err), ATG_ENOTFOUND);
        must(keys_person(d, k, &stays, &keys, &err), &err);
        kept_commit(d);
        keyring_forget(k, &person);
    }
    must(keys_erased(d, &person, &erased, &err), &err);
    assert_true(erased);
    assert_int_equal(keys_person(d, k, &person, &keys, &err), ATG_ENOTFOUND);
    kept_begin(d);
    rc = keys_person_new(d, k, &operation, &person, NULL, &err);
    assert_int_equal(rc ? rc : db_commit(d, &err), ATG_ECONFLICT);
    db_rollback(d);
    must(keys_person(d, k, &stays, &keys, &err), &err);
    keyring_close(k);
    db_close(d);
}

static void whom_another_process_erased_is_forgotten_here(const database *where) {
    db *d = kept_open(where), *theirs = kept_connect(where), *old = kept_connect(where);
    keyring *k = kept_keys(), *their_keys = kept_keys();
    uuid operation = kept_operation(d, k), person = kept_person(d, k, &operation), who = kept_id();
    person_keys keys;
    atg_err err = {0};

    must(keys_person(d, k, &person, &keys, &err), &err);
    kept_read(old);
    must(keys_person(old, k, &person, &keys, &err), &err);
    kept_begin(theirs);
    must(keys_erase(theirs, their_keys, &operation, &person, &who, 1, &err), &err);
    kept_commit(theirs);
    kept_read(d);
    assert_int_equal(keys_person(d, k, &person, &keys, &err), ATG_ENOTFOUND);
    db_rollback(d);
    /* a snapshot from before still has the row, but what it reads is not remembered */
    must(keys_person(old, k, &person, &keys, &err), &err);
    kept_begin(d);
    assert_int_equal(keys_person(d, k, &person, &keys, &err), ATG_ENOTFOUND);
    db_rollback(d);
    db_rollback(old);
    keyring_close(their_keys);
    keyring_close(k);
    db_close(old);
    db_close(theirs);
    db_close(d);
}

static void an_erasure_that_was_rolled_back_erased_nobody(const database *where) {
    db *d = kept_open(where), *theirs = kept_connect(where);
    keyring *k = kept_keys(), *their_keys = kept_keys();
    uuid operation = kept_operation(d, k), one = kept_person(d, k, &operation),
         two = kept_person(d, k, &operation), who = kept_id();
    person_keys keys;
    atg_err err = {0};

    must(keys_person(d, k, &two, &keys, &err), &err);
    kept_begin(d);
    must(keys_erase(d, k, &operation, &one, &who, 1, &err), &err);
    assert_int_equal(keys_person(d, k, &one, &keys, &err), ATG_ENOTFOUND);
    db_rollback(d);
    must(keys_person(d, k, &one, &keys, &err), &err);
    /* another erasure has the number that this one had */
    kept_begin(theirs);
    must(keys_erase(theirs, their_keys, &operation, &two, &who, 1, &err), &err);
    kept_commit(theirs);
    kept_begin(d);
    assert_int_equal(keys_person(d, k, &two, &keys, &err), ATG_ENOTFOUND);
    must(keys_person(d, k, &one, &keys, &err), &err);
    db_rollback(d);
    keyring_close(their_keys);
    keyring_close(k);
    db_close(theirs);
    db_close(d);
}

static void somebody_unknown_can_be_erased_before_they_come_back(const database *where) {
    db *d = kept_open(where);
    keyring *k = kept_keys();
    uuid operation = kept_operation(d, k), person = kept_id(), who = kept_id();
    bool erased = false;
    atg_err err = {0};
    int rc;

    kept_begin(d);
    must(keys_erase(d, k, &operation, &person, &who, 1, &err), &err);
    kept_commit(d);
    must(keys_erased(d, &person, &erased, &err), &err);
    assert_true(erased);
    kept_begin(d);
    rc = keys_person_new(d, k, &operation, &person, NULL, &err);
    assert_int_equal(rc ? rc : db_commit(d, &err), ATG_ECONFLICT);
    db_rollback(d);
    keyring_close(k);
    db_close(d);
}

static void another_master_key_takes_over(const database *where) {
    static const key256 next = {{42}};
    db *d = kept_open(where);
    keyring *k = kept_keys(), *new = NULL, *old = NULL;
    uuid operations[3], person;
    person_keys before, after;
    key256 site, key;
    uint32_t n = 0;
    atg_err err = {0};

    must(keys_site_new(d, k, &err), &err);
    for (int i = 0; i < 3; i++)
        operations[i] = kept_operation(d, k);
    person = kept_person(d, k, &operations[1]);
    must(keys_person(d, k, &person, &before, &err), &err);
    must(keys_site(d, k, SITE_CODES, &site, &err), &err);
    kept_begin(d);
    must(keys_rotate(d, k, &next, &n, &err), &err);
    assert_int_equal(n, 4);
    must(keys_rotate(d, k, &next, &n, &err), &err);
    assert_int_equal(n, 0);
    kept_commit(d);
    keyring_adopt(k, &next);
    kept_operation(d, k);
    must(keyring_open(&next, &new, &err), &err);
    old = kept_keys();
    must(keys_person(d, new, &person, &after, &err), &err);
    assert_true(same(&before, &after));
    must(keys_site(d, new, SITE_CODES, &key, &err), &err);
    assert_true(key_eq(&site, &key));
    assert_int_equal(keys_site(d, old, SITE_CODES, &key, &err), ATG_EDENIED);
    assert_int_equal(keys_person(d, old, &person, &after, &err), ATG_EDENIED);
    assert_int_equal(keys_rotate(d, old, &kept_master, &n, &err), ATG_EDENIED);
    keyring_close(old);
    keyring_close(new);
    keyring_close(k);
    db_close(d);
}

static const db_statement get_wrapped = {"get_wrapped",
                                         "SELECT wrapped FROM person_key WHERE person = $1"};

static void what_is_erased_leaves_the_files(const database *where) {
    db *d = kept_open(where);
    keyring *k = kept_keys();
    uuid operation = kept_operation(d, k), person = kept_person(d, k, &operation), who = kept_id();
    char part[ON_DISK_PART + 1];
    db_rows *rows = NULL;
    atg_str wrapped;
    atg_err err = {0};

    must(db_query(d, &get_wrapped, (db_value[]){db_blob(person.bytes, UUID_SIZE)}, 1, &rows, &err),
         &err);
    assert_int_equal(db_next(rows, &err), 1);
    wrapped = db_get_blob(rows, 0);
    assert_true(on_disk_part(wrapped.p, wrapped.n, part));
    db_end(rows);
    assert_true(on_disk(where, d, part));
    kept_begin(d);
    must(keys_erase(d, k, &operation, &person, &who, 1, &err), &err);
    kept_commit(d);
    must(db_checkpoint(d, &err), &err);
    assert_false(on_disk(where, d, part));
    keyring_close(k);
    db_close(d);
}

static const db_statement swap_keys = {
    "swap_keys", "UPDATE person_key SET wrapped = (SELECT wrapped FROM person_key WHERE "
                 "person = $1) WHERE person = $2"};

static void a_key_that_was_moved_to_somebody_else_is_refused(const database *where) {
    db *d = kept_open(where);
    keyring *k = kept_keys();
    uuid operation = kept_operation(d, k), one = kept_person(d, k, &operation),
         two = kept_person(d, k, &operation);
    person_keys keys;
    atg_err err = {0};

    must(db_run(d, &swap_keys,
                (db_value[]){db_blob(one.bytes, UUID_SIZE), db_blob(two.bytes, UUID_SIZE)}, 2, NULL,
                &err),
         &err);
    assert_int_equal(read_anew(d, &two, &keys), ATG_EDENIED);
    must(read_anew(d, &one, &keys), &err);
    keyring_close(k);
    db_close(d);
}

/* The keyring is a table like another: more than it holds, in every order. */
static void a_full_keyring_forgets_whom_nobody_asked_for(const database *where) {
    db *d = kept_open(where);
    keyring *k = kept_keys();
    person_keys keys = {{{0}}, {{0}}}, read;
    key_view view;
    uuid id = {{0}};
    atg_err err = {0};

    must(keyring_view(k, d, &view, &err), &err);
    for (uint32_t i = 0; i < KEYRING_MAX + 1000; i++) {
        memcpy(id.bytes, &i, sizeof(i));
        memcpy(keys.key.bytes, &i, sizeof(i));
        keyring_put(k, d, &view, KEY_OF_PERSON, &id, &keys);
        if (i % 100 == 0) {
            uuid zero = {{0}};

            assert_true(keyring_look(k, d, KEY_OF_PERSON, &zero, &read));
        }
    }
    for (uint32_t i = 0; i < KEYRING_MAX + 1000; i++) {
        memcpy(id.bytes, &i, sizeof(i));
        memcpy(keys.key.bytes, &i, sizeof(i));
        assert_int_equal(keyring_look(k, d, KEY_OF_PERSON, &id, &read), i == 0 || i > 1000);
        if (i == 0 || i > 1000)
            assert_true(same(&read, &keys));
        assert_false(keyring_look(k, d, KEY_OF_OPERATION, &id, &read));
    }
    for (uint32_t i = 1001; i < 2000; i++) {
        memcpy(id.bytes, &i, sizeof(i));
        keyring_forget(k, &id);
        assert_false(keyring_look(k, d, KEY_OF_PERSON, &id, &read));
    }
    keyring_close(k);
    db_close(d);
}

/* Readers on connections of their own, while one after the other is erased. */
enum { SHARED = 60, READERS = 4, ERASED = 20 };

typedef struct shared {
    const database *where;
    keyring *k;
    uuid operation, persons[SHARED];
    person_keys keys[SHARED];
    atomic_int n_erased; /* those before are gone */
    atomic_bool stop;
    atomic_int wrong;
} shared;

static void read_one(shared *s, db *d, uint32_t i) {
    int gone = atomic_load(&s->n_erased);
    person_keys keys;
    int rc = db_begin(d, DB_READ, NULL);

    if (rc == ATG_OK)
        rc = keys_person(d, s->k, &s->persons[i], &keys, NULL);
    if (rc == ATG_OK ? (int)i < gone || !same(&keys, &s->keys[i])
                     : rc != ATG_ENOTFOUND || i >= ERASED)
        atomic_fetch_add(&s->wrong, 1);
    db_rollback(d);
}

static void *read_many(void *user) {
    shared *s = user;
    db_options options = {.directory = s->where->directory,
                          .conninfo = database_conninfo(s->where)};
    atg_rng rng = atg_rng_seed((uintptr_t)&options);
    db *d = NULL;

    if (db_open(&options, &d, NULL)) {
        atomic_fetch_add(&s->wrong, 1);
        return NULL;
    }
    while (!atomic_load(&s->stop))
        read_one(s, d, (uint32_t)atg_rng_below(&rng, SHARED));
    db_close(d);
    return NULL;
}

static void many_threads_share_a_keyring(const database *where) {
    static shared s;
    pthread_t threads[READERS];
    uuid who = kept_id();
    atg_err err = {0};
    db *d = kept_open(where);

    s = (shared){.where = where, .k = kept_keys()};
    s.operation = kept_operation(d, s.k);
    for (int i = 0; i < SHARED; i++) {
        s.persons[i] = kept_person(d, s.k, &s.operation);
        must(keys_person(d, s.k, &s.persons[i], &s.keys[i], &err), &err);
    }
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_many, &s), 0);
    for (int i = 0; i < ERASED; i++) {
        kept_begin(d);
        must(keys_erase(d, s.k, &s.operation, &s.persons[i], &who, 1, &err), &err);
        if (i % 2)
            must(keys_person_new(d, s.k, &s.operation, &(uuid){{(unsigned char)(100 + i)}}, NULL,
                                 &err),
                 &err);
        kept_commit(d);
        atomic_store(&s.n_erased, i + 1);
        if (i % 3)
            keyring_forget(s.k, &s.persons[i]);
    }
    atomic_store(&s.stop, true);
    for (int i = 0; i < READERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&s.wrong), 0);
    keyring_close(s.k);
    db_close(d);
}

static int all_of_it(db *d, keyring **k, atg_err *err) {
    static const uuid operation = {{1, [6] = 0x70, [8] = 0x80}}, person = {{2}}, who = {{3}};
    person_keys keys;
    key256 key;
    int rc = keyring_open(&kept_master, k, err);

    if (rc == ATG_OK)
        rc = db_begin(d, DB_WRITE, err);
    if (rc == ATG_OK)
        rc = keys_site_new(d, *k, err);
    if (rc == ATG_OK)
        rc = keys_site(d, *k, SITE_SIGN, &key, err);
    if (rc == ATG_OK)
        rc = keys_operation_new(d, *k, &operation, err);
    if (rc == ATG_OK)
        rc = keys_person_new(d, *k, &operation, &person, NULL, err);
    if (rc == ATG_OK)
        rc = keys_person(d, *k, &person, &keys, err);
    if (rc == ATG_OK)
        rc = keys_rotate(d, *k, &(key256){{5}}, NULL, err);
    if (rc == ATG_OK)
        rc = keys_erase(d, *k, &operation, &person, &who, 1, err);
    return rc;
}

static void short_memory_is_told_and_nothing_is_left(const database *where) {
    db *d = kept_open(where);
    size_t live = mem_live();
    bool refused = true;
    int rc;

    for (long n = 0; refused; n++) {
        size_t before = mem_refused();
        keyring *k = NULL;
        db *again = kept_connect(where);
        atg_err err = {0};

        mem_fail_after(n);
        rc = all_of_it(again, &k, &err);
        mem_fail_after(-1);
        refused = mem_refused() != before;
        /* what is only remembered may be forgotten */
        if (rc && (rc != ATG_ENOMEM || err.code != ATG_ENOMEM || !refused))
            fail_msg("allocation %ld: code %d, %s", n, rc, err.msg);
        db_rollback(again);
        db_close(again);
        keyring_close(k);
        assert_int_equal(mem_live(), live);
        assert_true(n < 1000);
    }
    db_close(d);
}

int main(void) {
    static const database_test tests[] = {
        {"keys come back from the database", keys_come_back_from_the_database, ON_BOTH},
        {"a site has one key and one for each purpose", a_site_has_one_key_and_one_for_each_purpose,
         ON_BOTH},
        {"another master key is refused and says so", another_master_key_is_refused_and_says_so,
         ON_BOTH},
        {"a key that was rolled back is not remembered",
         a_key_that_was_rolled_back_is_not_remembered, ON_BOTH},
        {"a key behind a savepoint is undone with it", a_key_behind_a_savepoint_is_undone_with_it,
         ON_BOTH},
        {"an erased person has no key and never gets one",
         an_erased_person_has_no_key_and_never_gets_one, ON_BOTH},
        {"whom another process erased is forgotten here",
         whom_another_process_erased_is_forgotten_here, ON_BOTH},
        {"an erasure that was rolled back erased nobody",
         an_erasure_that_was_rolled_back_erased_nobody, ON_BOTH},
        {"somebody unknown can be erased before they come back",
         somebody_unknown_can_be_erased_before_they_come_back, ON_BOTH},
        {"what is erased leaves the files", what_is_erased_leaves_the_files, ON_SQLITE},
        {"another master key takes over", another_master_key_takes_over, ON_BOTH},
        {"a key that was moved to somebody else is refused",
         a_key_that_was_moved_to_somebody_else_is_refused, ON_BOTH},
        {"a full keyring forgets whom nobody asked for",
         a_full_keyring_forgets_whom_nobody_asked_for, ON_SQLITE},
        {"many threads share a keyring", many_threads_share_a_keyring, ON_BOTH},
        {"short memory is told and nothing is left", short_memory_is_told_and_nothing_is_left,
         ON_BOTH},
    };

    return DATABASE_RUN(tests);
}
