/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever is changed in a history afterwards is found and named, up to the last checkpoint that a
 * witness kept.  The story: files AM-K3-000001 to 6, each with 4 entries; those of the first three
 * rounds are leaves 0 to 17, signed after 6, 12 and 18; the fourth round waits for the tree. */
#include "audited.h"

enum { FILES = 6, SIGNED = 3, LEAVES = 18, ENTRIES = 24 };

typedef struct story {
    db *d;
    sign_pair pair;
    checkpoint kept[SIGNED];
} story;

static story tell(const database *where) {
    story s = {.d = audited_open(where), .pair = audited_pair(1)};

    for (int64_t rev = 1; rev <= SIGNED; rev++) {
        audited_round(s.d, FILES, rev);
        audited_sequence(s.d);
        s.kept[rev - 1] = audited_sign(s.d, &s.pair, 1000 * rev);
    }
    audited_round(s.d, FILES, 4);
    return s;
}

static audit_wanted wanted(const story *s, uint32_t n_witnessed) {
    return (audit_wanted){.pub = &s->pair.pub,
                          .witnessed = s->kept + SIGNED - n_witnessed,
                          .n_witnessed = n_witnessed};
}

static int verify(const story *s, uint32_t n_witnessed, uint32_t threads, audit_report *ret,
                  atg_err *err) {
    audit_wanted w = wanted(s, n_witnessed);

    return audited_verify(s->d, &w, threads, ret, err);
}

static void a_true_history_is_verified(const database *where) {
    story s = tell(where);
    audit_report r = {0};
    atg_err err = {0};

    for (uint32_t threads = 0; threads <= 3; threads++) {
        must(verify(&s, SIGNED, threads, &r, &err), &err);
        assert_int_equal(r.entries, ENTRIES);
        assert_int_equal(r.files, FILES);
        assert_int_equal(r.leaves, LEAVES);
        assert_int_equal(r.checkpoints, SIGNED);
        assert_int_equal(r.waiting, FILES);
        assert_int_equal(r.records, FILES);
    }
    audited_sequence(s.d);
    must(verify(&s, 0, 2, &r, &err), &err);
    assert_int_equal(r.leaves, ENTRIES);
    assert_int_equal(r.waiting, 0);
    db_close(s.d);
}

static void an_empty_history_is_verified(const database *where) {
    story s = {.d = audited_open(where), .pair = audited_pair(1)};
    audit_report r = {.entries = 5};
    atg_err err = {0};

    must(verify(&s, 0, 2, &r, &err), &err);
    assert_int_equal(r.entries, 0);
    s.kept[SIGNED - 1] = audited_sign(s.d, &s.pair, 1000);
    must(verify(&s, 1, 2, &r, &err), &err);
    assert_int_equal(r.checkpoints, 1);
    db_close(s.d);
}

/* ---- what is changed with a tool of the database ---- */

/* OF(n): the identifier of the n-th file. */
#define OF(n) "(SELECT id FROM file WHERE code = 'AM-K3-00000" #n "')"
#define ENTRY(n, s) " WHERE file = " OF(n) " AND seq = " #s
#define AUDIT_COLUMNS "file, seq, at, account, action, kind, record, rev, detail, prev, hash"

typedef struct tampering {
    const char *sql, *said;
} tampering;

static const tampering tamperings[] = {
    /* entries: change, drop, reorder, cut off, put in */
    {"UPDATE audit SET detail = '{\"sex\":[null,\"male\"]}'" ENTRY(3, 2),
     "Entry 2 of the history of AM-K3-000003 is broken: it was changed after it was written"},
    {"UPDATE audit SET at = at - 1" ENTRY(2, 1), "Entry 1 of the history of AM-K3-000002 is "},
    {"UPDATE audit SET account = record" ENTRY(2, 4), "Entry 4 of the history of AM-K3-000002 is "},
    {"UPDATE audit SET action = 'add'" ENTRY(2, 4), "Entry 4 of the history of AM-K3-000002 is "},
    {"UPDATE audit SET kind = 'remains'" ENTRY(2, 4), "Entry 4 of the history of AM-K3-000002 is "},
    {"UPDATE audit SET record = account" ENTRY(2, 4), "Entry 4 of the history of AM-K3-000002 is "},
    {"UPDATE audit SET rev = 5" ENTRY(2, 4), "Entry 4 of the history of AM-K3-000002 is broken"},
    {"UPDATE audit SET prev = hash" ENTRY(2, 4), "Entry 4 of the history of AM-K3-000002 is "},
    {"UPDATE audit SET prev = hash" ENTRY(2, 1), "Entry 1 of the history of AM-K3-000002 is "},
    {"UPDATE audit SET hash = prev" ENTRY(2, 4), "Entry 4 of the history of AM-K3-000002 is "},
    {"UPDATE audit SET action = 'x'" ENTRY(5, 1) " OR seq = 3",
     "Entry 3 of the history of AM-K3-000001 is broken"},
    {"DELETE FROM audit" ENTRY(4, 1),
     "Entry 2 of the history of AM-K3-000004 is broken: entries before it are missing"},
    {"DELETE FROM audit" ENTRY(4, 3), "Entry 4 of the history of AM-K3-000004 is broken"},
    {"DELETE FROM audit" ENTRY(4, 3) "; UPDATE audit SET seq = 3" ENTRY(4, 4),
     "Entry 3 of the history of AM-K3-000004 is broken: it does not follow the entry before it"},
    {"UPDATE audit SET seq = 9" ENTRY(4, 2) "; UPDATE audit SET seq = 2" ENTRY(
         4, 3) "; UPDATE audit SET seq = 3" ENTRY(4, 9),
     "Entry 2 of the history of AM-K3-000004 is broken"},
    {"UPDATE audit SET seq = 0" ENTRY(4, 1), "Entry 0 of the history of AM-K3-000004 is broken"},
    {"UPDATE audit SET file = " OF(5) ", seq = 5" ENTRY(4, 4),
     "Entry 5 of the history of AM-K3-000005 is broken: it does not follow"},
    {"DELETE FROM audit" ENTRY(1, 4),
     "Entry 4 of the history of AM-K3-000001 is missing, but what waits for the audit tree tells"},
    {"DELETE FROM audit WHERE seq >= 3 AND file = " OF(6),
     "Entry 3 of the history of AM-K3-000006 is missing, but leaf 17 tells of it"},
    {"DELETE FROM audit WHERE file = " OF(3),
     "Entry 1 of the history of AM-K3-000003 is missing, but leaf 2 tells of it"},
    {"DELETE FROM audit", "Entry 1 of the history of AM-K3-000001 is missing, but leaf 0 tells"},
    {"INSERT INTO audit(" AUDIT_COLUMNS ") SELECT file, 5, at, account, action, kind, record, rev, "
     "detail, prev, hash FROM audit" ENTRY(1, 4),
     "Entry 5 of the history of AM-K3-000001 is broken"},
    /* leaves and what waits */
    {"UPDATE leaf SET hash = (SELECT hash FROM leaf WHERE n = 0) WHERE n = 7",
     "Leaf 7 of the audit tree is not entry 2 of the history of AM-K3-000002"},
    {"UPDATE leaf SET seq = 9 WHERE n = 7",
     "Entry 5 of the history of AM-K3-000002 is missing, but leaf 7 tells of it"},
    {"UPDATE leaf SET file = (SELECT record FROM audit" ENTRY(1, 1) "), seq = 5 WHERE n = 7",
     "Entry 5 of the history of AM-K3-000001 is missing, but leaf 7"},
    {"DELETE FROM leaf WHERE n = 7", "Leaf 7 of the audit tree is missing"},
    {"DELETE FROM leaf WHERE n = 17",
     "Entry 4 of the history of AM-K3-000006 stands before earlier ones in the audit tree"},
    {"DELETE FROM leaf WHERE n = 17; DELETE FROM pending WHERE file = " OF(6),
     "Entry 3 of the history of AM-K3-000006 is not in the audit tree and does not wait for it"},
    {"DELETE FROM leaf", "Entry 4 of the history of AM-K3-000001 stands before earlier ones"},
    {"UPDATE leaf SET n = 99 WHERE n = 2; UPDATE leaf SET n = 2 WHERE n = 3; "
     "UPDATE leaf SET n = 3 WHERE n = 99",
     "The first 6 entries of the audit tree are not those that"},
    {"UPDATE leaf SET n = 99 WHERE n = 2; UPDATE leaf SET n = 2 WHERE n = 8; "
     "UPDATE leaf SET n = 8 WHERE n = 99",
     "Entry 2 of the history of AM-K3-000003 stands before earlier ones in the audit tree (leaf "
     "2)"},
    {"UPDATE leaf SET n = 18 WHERE n = 17", "Leaf 17 of the audit tree is missing"},
    {"UPDATE leaf SET n = n + 100", "Leaf 0 of the audit tree is missing"},
    {"UPDATE leaf SET n = -1 WHERE n = 0", "Leaf"},
    {"DELETE FROM pending" ENTRY(2, 4), "Entry 4 of the history of AM-K3-000002 is not in the "},
    {"UPDATE pending SET hash = (SELECT hash FROM leaf WHERE n = 0)" ENTRY(2, 4),
     "Entry 4 of the history of AM-K3-000002 is not the one that waits"},
    {"INSERT INTO pending SELECT file, seq, hash FROM leaf WHERE n = 3",
     "Entry 1 of the history of AM-K3-000004 stands twice in the audit tree (what waits"},
    /* the state of the tree */
    {"UPDATE tree SET size = 17", "The stored state of the audit tree is damaged"},
    {"DELETE FROM tree", "The stored state of the audit tree is not that of its 18 leaves"},
    {"UPDATE tree SET state = (SELECT hash FROM leaf WHERE n = 1)", "The stored state of the "},
    /* checkpoints */
    {"UPDATE checkpoint SET note = 'x' WHERE size = 12", "The checkpoint of 12 entries is damaged"},
    {"UPDATE checkpoint SET size = 11 WHERE size = 12", "The checkpoint of 11 entries is damaged"},
    {"UPDATE checkpoint SET at = 77 WHERE size = 12", "The checkpoint of 12 entries is damaged"},
    {"UPDATE checkpoint SET note = replace(note, 'antigone', 'anderswo') WHERE size = 12",
     "The checkpoint of 12 entries"},
    {"DELETE FROM checkpoint WHERE size = 12",
     "The checkpoint of 12 entries, which a witness kept, is missing in the store"},
    /* records */
    {"UPDATE r_missing SET rev = 3 WHERE id = " OF(2),
     "Missing file 01000000-0000-7000-8000-000000000002 of AM"},
    {"UPDATE r_missing SET rev = 5 WHERE id = " OF(2),
     " of AM-K3-000002 is revision 5, but the last of its history is revision 4"},
    {"UPDATE r_missing SET file = " OF(1) " WHERE id = " OF(2),
     " of AM-K3-000001 was put in behind the back of the history"},
    {"DELETE FROM r_missing WHERE id = " OF(2),
     " of AM-K3-000002 is in the history, but its row was removed"},
    {"INSERT INTO r_missing(id, operation, file, rev, created, changed, withdrawn) "
     "SELECT account, account, record, 1, 1, 1, 0 FROM audit" ENTRY(2, 1),
     " of AM-K3-000002 was put in behind the back of the history"},
    {"INSERT INTO r_missing(id, operation, file, rev, created, changed, withdrawn) "
     "SELECT account, account, account, 1, 1, 1, 0 FROM audit" ENTRY(2, 1),
     " was put in behind the back of the history"},
};

static void expect(const char *what, const char *said, int rc, const atg_err *err) {
    if (rc != ATG_EDENIED || !strstr(err->msg, said))
        fail_msg("%s: code %d, \"%s\" is not \"%s\"", what, rc, rc ? err->msg : "verified", said);
}

/* Change it, verify, and undo it. */
static void try_tampering(const story *s, const tampering *t, uint32_t threads) {
    audit_wanted w = wanted(s, SIGNED);
    audit_report r;
    atg_err err = {0};
    int rc;

    must(db_begin(s->d, DB_WRITE, &err), &err);
    must(db_script(s->d, t->sql, t->sql, &err), &err);
    rc = audit_verify(s->d, &w, threads, NULL, &r, &err);
    expect(t->sql, t->said, rc, &err);
    db_rollback(s->d);
}

static void each_falsification_is_named(const database *where) {
    story s = tell(where);
    atg_err err = {0};

    for (size_t i = 0; i < sizeof(tamperings) / sizeof(*tamperings); i++)
        for (uint32_t threads = 1; threads <= 2; threads++)
            try_tampering(&s, &tamperings[i], threads);
    must(verify(&s, SIGNED, 2, NULL, &err), &err);
    db_close(s.d);
}

int main(void) {
    static const database_test tests[] = {
        {"a true history is verified", a_true_history_is_verified, ON_BOTH},
        {"an empty history is verified", an_empty_history_is_verified, ON_BOTH},
        {"each falsification is named", each_falsification_is_named, ON_BOTH},
    };

    return DATABASE_RUN(tests);
}
