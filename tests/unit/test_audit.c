/* SPDX-License-Identifier: Apache-2.0 */
/* The history: what is appended, put into the tree, signed and read again. */
#include "audited.h"

#include "crypto/seal.h"

static const db_statement links = {
    "links", "SELECT file, seq, at, account, action, kind, record, rev, detail, prev, hash "
             "FROM audit ORDER BY file, seq"};
static const db_statement count_pending = {"count_pending", "SELECT count(*) FROM pending"};
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
    uuid other = audited_id(1, 99);
    chain head = chain_start(&other);
    atg_err err = {0};

    for (int k = 0; k < 6; k++) {
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
        else
            e.head = &head;
        must(db_begin(d, DB_WRITE, &err), &err);
        assert_int_equal(audit_append(d, &e, &err), ATG_EINVAL);
        db_rollback(d);
    }
    assert_int_equal(follow_all(d), 0);
    db_close(d);
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
    };

    return DATABASE_RUN(tests);
}
