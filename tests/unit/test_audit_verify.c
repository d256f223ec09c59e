/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever is changed in a history afterwards is found and named, up to the last checkpoint that a
 * witness kept.  The story: files AM-K3-000001 to 6, each with 4 entries; those of the first three
 * rounds are leaves 0 to 17, signed after 6, 12 and 18; the fourth round waits for the tree. */
#include "audited.h"
#include "base/file.h"
#include "store/audit_file.h"

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

static int add_to_file(void *user, atg_str bytes, atg_err *err) {
    (void)err;
    return fwrite(bytes.p, 1, bytes.n, user) == bytes.n ? ATG_OK : ATG_EIO;
}

/* In the transaction that is open. */
static void export_to(db *d, const char *path) {
    FILE *f = fopen(path, "we");
    atg_err err = {0};

    assert_non_null(f);
    must(audit_export(d, (stream_sink){add_to_file, f}, NULL, &err), &err);
    assert_int_equal(fclose(f), 0);
}

/* Change it, verify with one thread, with two, and an exported file; and undo it. */
static void try_tampering(const story *s, const tampering *t, const char *file) {
    audit_wanted w = wanted(s, SIGNED);
    audit_report r;
    atg_err err = {0};

    must(db_begin(s->d, DB_WRITE, &err), &err);
    must(db_script(s->d, t->sql, t->sql, &err), &err);
    for (uint32_t threads = 1; threads <= 2; threads++)
        expect(t->sql, t->said, audit_verify(s->d, &w, threads, NULL, &r, &err), &err);
    export_to(s->d, file);
    db_rollback(s->d);
    for (uint32_t threads = 1; threads <= 2; threads++)
        expect(t->sql, t->said, audit_verify_file(file, &w, threads, NULL, &r, &err), &err);
}

static void each_falsification_is_named(const database *where) {
    story s = tell(where);
    char file[300];
    atg_err err = {0};

    (void)snprintf(file, sizeof(file), "%s/history", where->directory);
    for (size_t i = 0; i < sizeof(tamperings) / sizeof(*tamperings); i++)
        try_tampering(&s, &tamperings[i], file);
    must(verify(&s, SIGNED, 2, NULL, &err), &err);
    db_close(s.d);
}

/* ---- what another database lets in ---- */

static const tampering strangers[] = {
    {"UPDATE audit SET detail = x'00' WHERE seq = 2 AND file = " OF(3),
     "Entry 2 of the history of file 01000000-0000-7000-8000-000000000003 is damaged"},
    {"UPDATE audit SET hash = 'x' WHERE seq = 2 AND file = " OF(3), "is damaged"},
    {"UPDATE audit SET prev = x'0000' WHERE seq = 2 AND file = " OF(3), "is damaged"},
    {"UPDATE audit SET seq = 'x' WHERE seq = 2 AND file = " OF(3), "Entry 0 of the history of"},
    {"UPDATE audit SET seq = -1 WHERE seq = 2 AND file = " OF(3), "Entry 0 of the history of"},
    {"UPDATE audit SET file = 'x' WHERE seq = 2 AND file = " OF(3), "Entry 2 of the history of"},
    {"UPDATE audit SET at = 1.5 WHERE seq = 2 AND file = " OF(3), "is damaged"},
    {"UPDATE audit SET action = 7 || zeroblob(2) WHERE seq = 2 AND file = " OF(3), "Entry 2"},
    {"UPDATE audit SET kind = x'' WHERE seq = 2 AND file = " OF(3), "is damaged"},
    {"UPDATE audit SET rev = 'two' WHERE seq = 2 AND file = " OF(3), "is damaged"},
    {"UPDATE leaf SET hash = 'x' WHERE n = 3", "Leaf 3 of the audit tree is damaged"},
    {"UPDATE leaf SET seq = 'x' WHERE n = 3", "Leaf 3 of the audit tree is damaged"},
    {"UPDATE pending SET hash = 'x'", "Table pending of the audit is damaged"},
    {"UPDATE tree SET state = 'x'", "Table tree of the audit is damaged"},
    {"UPDATE checkpoint SET note = x'00' WHERE size = 6", "The checkpoint of 6 entries is damaged"},
    {"UPDATE r_missing SET rev = 'x' WHERE id = " OF(2),
     "The row of Missing file 01000000-0000-7000-8000-000000000002 is damaged"},
    {"DROP INDEX leaf_entry; UPDATE leaf SET file = (SELECT file FROM leaf WHERE n = 3), seq = 1 "
     "WHERE n = 7",
     "Entry 1 of the history of AM-K3-000004 stands twice in the audit tree (leaf 7)"},
};

static void values_of_another_kind_are_named(const database *where) {
    story s = tell(where);
    audit_wanted w = wanted(&s, SIGNED);

    for (size_t i = 0; i < sizeof(strangers) / sizeof(*strangers); i++) {
        const tampering *t = &strangers[i];
        audit_report r;
        atg_err err = {0};

        must(db_begin(s.d, DB_WRITE, &err), &err);
        must(db_script(s.d, t->sql, t->sql, &err), &err);
        for (uint32_t threads = 1; threads <= 2; threads++)
            expect(t->sql, t->said, audit_verify(s.d, &w, threads, NULL, &r, &err), &err);
        db_rollback(s.d);
    }
    db_close(s.d);
}

/* ---- an exported file ---- */

static atg_str slurp(atg_arena *arena, const char *path) {
    atg_str text = {NULL, 0};
    atg_err err = {0};

    must(file_read(arena, path, 1 << 20, &text, &err), &err);
    return text;
}

static void an_exported_history_is_verified_without_the_database(const database *where) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(8 << 20);
    story s = tell(where);
    audit_wanted w = wanted(&s, SIGNED);
    audit_report r = {0};
    char one[300], two[300];
    atg_err err = {0};

    (void)snprintf(one, sizeof(one), "%s/one", where->directory);
    (void)snprintf(two, sizeof(two), "%s/two", where->directory);
    must(db_begin(s.d, DB_READ, &err), &err);
    export_to(s.d, one);
    export_to(s.d, two);
    db_rollback(s.d);
    assert_true(atg_str_eq(slurp(arena, one), slurp(arena, two)));
    for (uint32_t threads = 1; threads <= 2; threads++) {
        must(audit_verify_file(one, &w, threads, NULL, &r, &err), &err);
        assert_int_equal(r.entries, ENTRIES);
        assert_int_equal(r.files, FILES);
        assert_int_equal(r.leaves, LEAVES);
        assert_int_equal(r.checkpoints, SIGNED);
        assert_int_equal(r.waiting, FILES);
        assert_int_equal(r.records, FILES);
    }
    assert_int_equal(audit_verify_file("/dev/null", &w, 1, NULL, &r, &err), ATG_EINVAL);
    assert_int_equal(audit_verify_file("/nowhere", &w, 1, NULL, &r, &err), ATG_EIO);
    db_close(s.d);
}

static int read_bytes(void *user, uint64_t at, unsigned char *to, size_t n, atg_err *err) {
    (void)err;
    memcpy(to, (const unsigned char *)user + at, n);
    return ATG_OK;
}

static int check_bytes(void *p, size_t n, const audit_wanted *w, atg_err *err) {
    audit_bytes bytes = {.read = read_bytes, .user = p, .size = n};
    ATG_AUTO(audit_file) f = NULL;
    audit_report r;
    int rc = audit_file_open(&bytes, &f, err);

    return rc ? rc : audit_file_check(f, w, 1, NULL, &r, err);
}

/* Codes of files are for people only: they stand behind everything that is verified. */
static size_t codes_at(atg_str text) {
    for (size_t at = text.n > 20 ? text.n - 20 : 0; at-- > 0;)
        if (memcmp(text.p + at, "F\0\0\0\x1c\1\0\0\0\0\0\x70", 12) == 0 && text.p[at + 20] == 1)
            return at;
    return 0;
}

static void no_byte_of_an_exported_history_can_be_changed(const database *where) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(8 << 20);
    story s = tell(where);
    audit_wanted w = wanted(&s, 1);
    char path[300];
    atg_err err = {0};

    (void)snprintf(path, sizeof(path), "%s/one", where->directory);
    must(db_begin(s.d, DB_READ, &err), &err);
    export_to(s.d, path);
    db_rollback(s.d);
    db_close(s.d);

    atg_str text = slurp(arena, path);
    unsigned char *p = ATG_GET(arena, unsigned char, text.n + 1);
    size_t codes = codes_at(text);

    memcpy(p, text.p, text.n);
    must(check_bytes(p, text.n, &w, &err), &err);
    assert_in_range(codes, text.n / 2, text.n - 1);
    for (size_t i = 0; i < text.n; i++) {
        if (i >= codes && i < text.n - AUDIT_END)
            continue;
        p[i] ^= 1 << i % 8;
        if (check_bytes(p, text.n, &w, &err) == ATG_OK)
            fail_msg("byte %zu of %zu was changed", i, text.n);
        p[i] ^= 1 << i % 8;
    }
    for (size_t n = 0; n <= text.n + 1; n++)
        if ((check_bytes(p, n, &w, &err) == ATG_OK) != (n == text.n))
            fail_msg("%zu of %zu bytes", n, text.n);
}

static void verifying_survives_a_lack_of_memory(const database *where) {
    story s = tell(where);
    audit_wanted w = wanted(&s, SIGNED);
    char path[300];
    int rc = ATG_ENOMEM, rc_file = ATG_ENOMEM;
    atg_err err = {0};
    audit_report r;

    (void)snprintf(path, sizeof(path), "%s/one", where->directory);
    must(db_begin(s.d, DB_READ, &err), &err);
    export_to(s.d, path);
    db_rollback(s.d);
    for (long k = 0; (rc || rc_file) && k < 1000; k++) {
        size_t live = mem_live();

        mem_fail_after(k);
        rc_file = audit_verify_file(path, &w, 1 + (uint32_t)(k % 2), NULL, &r, &err);
        mem_fail_after(-1);
        assert_true(rc_file == ATG_OK || rc_file == ATG_ENOMEM);
        assert_int_equal(mem_live(), live);
        must(db_begin(s.d, DB_READ, &err), &err);
        mem_fail_after(k);
        rc = audit_verify(s.d, &w, 1 + (uint32_t)(k % 2), NULL, &r, &err);
        mem_fail_after(-1);
        assert_true(rc == ATG_OK || rc == ATG_ENOMEM);
        db_rollback(s.d);
    }
    assert_int_equal(rc, ATG_OK);
    assert_int_equal(rc_file, ATG_OK);
    db_close(s.d);
}

int main(void) {
    static const database_test tests[] = {
        {"a true history is verified", a_true_history_is_verified, ON_BOTH},
        {"an empty history is verified", an_empty_history_is_verified, ON_BOTH},
        {"each falsification is named", each_falsification_is_named, ON_BOTH},
        {"values of another kind are named", values_of_another_kind_are_named, ON_SQLITE},
        {"an exported history is verified without the database",
         an_exported_history_is_verified_without_the_database, ON_BOTH},
        {"no byte of an exported history can be changed",
         no_byte_of_an_exported_history_can_be_changed, ON_SQLITE},
        {"verifying survives a lack of memory", verifying_survives_a_lack_of_memory, ON_BOTH},
    };

    return DATABASE_RUN(tests);
}
