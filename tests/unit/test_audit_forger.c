/* SPDX-License-Identifier: Apache-2.0 */
/* Forgers who know how a history is made and change all of it consistently, with and without the
 * key that signs it; and any change at random.  What a witness kept decides. */
#include "audited.h"
#include "prop.h"

enum { FILES = 5, ROUNDS = 3, LEAVES = FILES * ROUNDS, CHAIN_MAX = 64 };

typedef struct story {
    db *d;
    sign_pair pair;
    checkpoint kept[ROUNDS];
} story;

/* FILES files get an entry each in ROUNDS rounds, each signed; one more round waits. */
static story tell(const database *where) {
    story s = {.d = audited_open(where), .pair = audited_pair(1)};

    for (int64_t rev = 1; rev <= ROUNDS; rev++) {
        audited_round(s.d, FILES, rev);
        audited_sequence(s.d);
        s.kept[rev - 1] = audited_sign(s.d, &s.pair, 1000 * rev);
    }
    audited_round(s.d, FILES, ROUNDS + 1);
    return s;
}

/* Held against the first `n` checkpoints. */
static int verify(const story *s, uint32_t n, const sign_pair *pair, atg_err *err) {
    audit_wanted w = {.pub = &pair->pub, .witnessed = s->kept, .n_witnessed = n};

    return audited_verify(s->d, &w, 2, NULL, err);
}

static void expect(const story *s, uint32_t n, const char *said) {
    atg_err err = {0};
    int rc = verify(s, n, &s->pair, &err);

    if (rc != ATG_EDENIED || !strstr(err.msg, said))
        fail_msg("code %d, \"%s\" is not \"%s\"", rc, rc ? err.msg : "verified", said);
}

static void expect_nothing(const story *s, uint32_t n) {
    atg_err err = {0};

    must(verify(s, n, &s->pair, &err), &err);
}

/* ---- the tools of a forger ---- */

static const db_statement get_chain = {
    "get_chain",
    "SELECT seq, at, account, action, kind, record, rev, detail, prev, hash FROM audit "
    "WHERE file = $1 ORDER BY seq"};
static const db_statement set_entry = {
    "set_entry", "UPDATE audit SET detail = $3, prev = $4, hash = $5 WHERE file = $1 AND seq = $2"};
static const db_statement set_leaf = {"set_leaf",
                                      "UPDATE leaf SET hash = $3 WHERE file = $1 AND seq = $2"};
static const db_statement set_pending = {
    "set_pending", "UPDATE pending SET hash = $3 WHERE file = $1 AND seq = $2"};
static const db_statement get_leaves = {"get_leaves", "SELECT hash FROM leaf ORDER BY n"};
static const db_statement set_tree = {"set_tree", "UPDATE tree SET size = $1, state = $2"};
static const db_statement set_note = {"set_note",
                                      "UPDATE checkpoint SET note = $2 WHERE size = $1"};

typedef struct forged {
    chain_entry e;
    hash256 prev, hash;
    char texts[3][100];
} forged;

static void keep_text(forged *f, int at, atg_str from, atg_str *to) {
    assert_in_range(from.n, 0, sizeof(f->texts[0]) - 1);
    memcpy(f->texts[at], from.p, from.n);
    *to = (atg_str){f->texts[at], from.n};
}

static uint32_t load_chain(db *d, const uuid *file, forged *ret) {
    db_value id = db_blob(file->bytes, UUID_SIZE);
    db_rows *rows = NULL;
    atg_err err = {0};
    uint32_t n = 0;

    must(db_query(d, &get_chain, &id, 1, &rows, &err), &err);
    for (; db_next(rows, &err) > 0; n++) {
        forged *f = &ret[n];

        assert_in_range(n, 0, CHAIN_MAX - 1);
        f->e = (chain_entry){.file = *file,
                             .seq = (uint64_t)db_get_int(rows, 0),
                             .at = db_get_int(rows, 1),
                             .rev = (uint64_t)db_get_int(rows, 6)};
        memcpy(f->e.account.bytes, db_get_blob(rows, 2).p, UUID_SIZE);
        memcpy(f->e.record.bytes, db_get_blob(rows, 5).p, UUID_SIZE);
        memcpy(f->prev.bytes, db_get_blob(rows, 8).p, HASH_SIZE);
        memcpy(f->hash.bytes, db_get_blob(rows, 9).p, HASH_SIZE);
        keep_text(f, 0, db_get_text(rows, 3), &f->e.action);
        keep_text(f, 1, db_get_text(rows, 4), &f->e.kind);
        keep_text(f, 2, db_get_text(rows, 7), &f->e.detail);
    }
    db_end(rows);
    return n;
}

enum { THE_CHAIN, AND_LEAVES, AND_TREE };

/* Another detail in one entry, and all that hangs on it as far as `how`. */
static void forge_entry(const story *s, uint32_t file, uint64_t seq, int how) {
    static forged entries[CHAIN_MAX];
    uuid id = audited_id(1, file);
    uint32_t n = load_chain(s->d, &id, entries);
    atg_err err = {0};

    for (uint32_t i = (uint32_t)seq - 1; i < n; i++) {
        forged *f = &entries[i];

        if (f->e.seq == seq)
            f->e.detail = ATG_STR("{\"sex\":[null,\"male\"]}");
        if (i > 0)
            f->prev = entries[i - 1].hash;
        f->hash = chain_hash(&f->prev, &f->e);

        db_value file_id = db_blob(id.bytes, UUID_SIZE), number = db_int((int64_t)f->e.seq),
                 hash = db_blob(f->hash.bytes, HASH_SIZE);

        must(db_run(s->d, &set_entry,
                    (db_value[]){file_id, number, db_text(f->e.detail),
                                 db_blob(f->prev.bytes, HASH_SIZE), hash},
                    5, NULL, &err),
             &err);
        if (how >= AND_LEAVES) {
            must(db_run(s->d, &set_leaf, (db_value[]){file_id, number, hash}, 3, NULL, &err), &err);
            must(db_run(s->d, &set_pending, (db_value[]){file_id, number, hash}, 3, NULL, &err),
                 &err);
        }
    }
}

/* A tree and checkpoints that fit the leaves. */
static void forge_tree(const story *s, const sign_pair *pair) {
    unsigned char state[TREE_SAVED_MAX];
    char note[CHECKPOINT_MAX];
    db_rows *rows = NULL;
    atg_err err = {0};
    tree t = {0};

    must(db_query(s->d, &get_leaves, NULL, 0, &rows, &err), &err);
    while (db_next(rows, &err) > 0) {
        hash256 leaf = tree_leaf(db_get_blob(rows, 0));

        tree_add(&t, &leaf);
        for (int i = 0; i < ROUNDS; i++) {
            checkpoint c = s->kept[i];

            if (c.size != t.size || !pair)
                continue;
            c.root = tree_root(&t);
            must(checkpoint_sign(&c, pair, &err), &err);

            atg_str text = {note, checkpoint_text(&c, note)};

            must(db_run(s->d, &set_note, (db_value[]){db_int((int64_t)c.size), db_text(text)}, 2,
                        NULL, &err),
                 &err);
        }
    }
    db_end(rows);
    must(db_run(s->d, &set_tree,
                (db_value[]){db_int((int64_t)t.size), db_blob(state, tree_save(&t, state))}, 2,
                NULL, &err),
         &err);
}

static void a_chain_rewritten_alone_is_told_by_its_signed_leaf(const database *where) {
    story s = tell(where);

    forge_entry(&s, 3, 2, THE_CHAIN);
    expect(&s, 0,
           "Entry 2 of the history of AM-K3-000003 was replaced, and what follows it: leaf 7 "
           "of the audit tree, which is signed, is of another");
    db_close(s.d);
}

static void leaves_rewritten_too_are_told_by_a_checkpoint(const database *where) {
    story s = tell(where);

    forge_entry(&s, 3, 2, AND_LEAVES);
    expect(&s, 0,
           "The first 10 entries of the audit tree are not those that the checkpoint of that "
           "size was signed for: leaf 5 or one behind it was changed");
    forge_tree(&s, NULL);
    expect(&s, 0, "The first 10 entries of the audit tree are not those that the checkpoint of");
    db_close(s.d);
}

static void signatures_of_another_key_are_told(const database *where) {
    story s = tell(where);
    sign_pair other = audited_pair(2);

    forge_entry(&s, 3, 2, AND_TREE);
    forge_tree(&s, &other);
    expect(&s, 0, "The checkpoint of 5 entries is not signed with the key of this store");
    db_close(s.d);
}

/* Whoever has the key that signs can write another history.  It is a true one to all who have
 * nothing else to hold it against. */
static void only_a_witness_tells_a_history_rewritten_with_the_key(const database *where) {
    story s = tell(where);

    forge_entry(&s, 3, 2, AND_TREE);
    forge_tree(&s, &s.pair);
    expect_nothing(&s, 0);
    expect_nothing(&s, 1); /* kept before that entry */
    expect(&s, 2,
           "The first 10 entries of the audit tree are not those that a witness saw: leaf 5 or "
           "one behind it was changed");
    expect(&s, 3, "The first 10 entries of the audit tree are not those that a witness saw");
    db_close(s.d);
}

static void what_no_witness_saw_yet_can_be_rewritten(const database *where) {
    story s = tell(where);

    forge_entry(&s, 3, ROUNDS + 1, AND_LEAVES); /* it still waits for the tree */
    expect_nothing(&s, ROUNDS);
    db_close(s.d);
}

/* Remove the last `rounds` of leaves and all that waits, and put the tree back. */
static void cut_off(const story *s, int rounds) {
    static const db_statement cut[] = {
        {"cut_leaves", "DELETE FROM leaf WHERE n >= $1"},
        {"cut_checkpoints", "DELETE FROM checkpoint WHERE size > $1"},
        {"cut_entries", "DELETE FROM audit WHERE seq > $1"},
        {"cut_pending", "DELETE FROM pending WHERE seq > $1"},
        {"cut_records", "UPDATE r_missing SET rev = $1"},
    };
    atg_err err = {0};

    for (int i = 0; i < 5; i++) {
        db_value n = db_int(i < 2 ? (int64_t)(ROUNDS - rounds) * FILES : ROUNDS - rounds);

        must(db_run(s->d, &cut[i], &n, 1, NULL, &err), &err);
    }
    forge_tree(s, NULL);
}

static void a_history_put_back_is_told_by_a_witness(const database *where) {
    story s = tell(where);

    cut_off(&s, 0); /* what waits: nobody can tell */
    expect_nothing(&s, ROUNDS);
    cut_off(&s, 1);
    expect_nothing(&s, ROUNDS - 1);
    expect(&s, ROUNDS,
           "The audit tree ends after 10 entries, but a checkpoint that a witness kept "
           "has 15: the end was cut off");
    db_close(s.d);
}

static void a_witness_of_another_store_is_told(const database *where) {
    story s = tell(where);
    sign_pair other = audited_pair(2);
    atg_err err = {0};

    must(checkpoint_sign(&s.kept[1], &other, &err), &err);
    expect(&s, 2, "The checkpoint of 10 entries that a witness kept is not signed with the key of");
    db_close(s.d);
}

static void clocks_that_go_back_do_not_matter(const database *where) {
    story s = {.d = audited_open(where), .pair = audited_pair(1)};
    atg_err err = {0};

    for (int64_t rev = 1; rev <= 4; rev++) {
        uuid id = audited_id(1, 1);
        audit_event e = audited_event(1, rev);

        must(db_begin(s.d, DB_WRITE, &err), &err);
        e.file = id;
        e.rev = 0;
        e.at = 1000000 - 1000 * rev;
        must(audit_append(s.d, &e, &err), &err);
        must(db_commit(s.d, &err), &err);
        audited_sequence(s.d);
        if (rev <= ROUNDS)
            s.kept[rev - 1] = audited_sign(s.d, &s.pair, 50 - rev);
    }
    expect_nothing(&s, ROUNDS);
    db_close(s.d);
}

/* ---- any change ---- */

typedef struct column {
    db_type type;
    int n_keys;
    db_statement get, set;
} column;

#define ENTRY(table, name, type)                                                                   \
    {                                                                                              \
        type, 2,                                                                                   \
            {"get " table " " name,                                                                \
             "SELECT " name " FROM " table " WHERE file = $1 AND seq = $2"},                       \
        {                                                                                          \
            "set " table " " name,                                                                 \
                "UPDATE " table " SET " name " = $3 WHERE file = $1 AND seq = $2"                  \
        }                                                                                          \
    }
#define KEYED(table, name, type, key)                                                              \
    {                                                                                              \
        type, 1, {"get " table " " name, "SELECT " name " FROM " table " WHERE " key " = $1"}, {   \
            "set " table " " name, "UPDATE " table " SET " name " = $2 WHERE " key " = $1"         \
        }                                                                                          \
    }

static const column columns[] = {
    ENTRY("audit", "file", DB_BLOB),
    ENTRY("audit", "seq", DB_INT),
    ENTRY("audit", "at", DB_INT),
    ENTRY("audit", "account", DB_BLOB),
    ENTRY("audit", "action", DB_TEXT),
    ENTRY("audit", "kind", DB_TEXT),
    ENTRY("audit", "record", DB_BLOB),
    ENTRY("audit", "rev", DB_INT),
    ENTRY("audit", "detail", DB_TEXT),
    ENTRY("audit", "prev", DB_BLOB),
    ENTRY("audit", "hash", DB_BLOB),
    ENTRY("leaf", "n", DB_INT),
    ENTRY("leaf", "file", DB_BLOB),
    ENTRY("leaf", "seq", DB_INT),
    ENTRY("leaf", "hash", DB_BLOB),
    ENTRY("pending", "file", DB_BLOB),
    ENTRY("pending", "seq", DB_INT),
    ENTRY("pending", "hash", DB_BLOB),
    KEYED("tree", "size", DB_INT, "one"),
    KEYED("tree", "state", DB_BLOB, "one"),
    KEYED("checkpoint", "size", DB_INT, "size"),
    KEYED("checkpoint", "at", DB_INT, "size"),
    KEYED("checkpoint", "note", DB_TEXT, "size"),
    KEYED("r_missing", "id", DB_BLOB, "id"),
    KEYED("r_missing", "file", DB_BLOB, "id"),
    KEYED("r_missing", "rev", DB_INT, "id"),
};
enum { COLUMNS = sizeof(columns) / sizeof(*columns), FIRST_KEYED = 18, FIRST_RECORD = 23 };

static const db_statement removals[] = {
    {"remove_entry", "DELETE FROM audit WHERE file = $1 AND seq = $2"},
    {"remove_leaf", "DELETE FROM leaf WHERE file = $1 AND seq = $2"},
    {"remove_pending", "DELETE FROM pending WHERE file = $1 AND seq = $2"},
    {"remove_tree", "DELETE FROM tree WHERE one = $1"},
    {"remove_checkpoint", "DELETE FROM checkpoint WHERE size = $1"},
    {"remove_record", "DELETE FROM r_missing WHERE id = $1"},
};

static void choose_keys(prop *p, uint32_t what, uuid *file, db_value keys[2]) {
    *file = audited_id(1, 1 + prop_below(p, FILES));
    keys[0] = db_blob(file->bytes, UUID_SIZE);
    keys[1] = db_int(1 + prop_below(p, ROUNDS + 1));
    if (what >= FIRST_KEYED && what < FIRST_RECORD)
        keys[0] = db_int(what < FIRST_KEYED + 2 ? 1 : FILES * (1 + prop_below(p, ROUNDS)));
}

/* Another value of the same kind; `room` holds it. */
static db_value changed(prop *p, db_value v, char room[CHECKPOINT_MAX]) {
    uint32_t at;

    if (v.type == DB_INT)
        return db_int(v.i + (prop_chance(p, 0.5) ? 1 : -1) * (int64_t)(1 + prop_below(p, 5)));
    assert_in_range(v.s.n, 1, CHECKPOINT_MAX);
    memcpy(room, v.s.p, v.s.n);
    at = prop_below(p, (uint32_t)v.s.n);
    if (v.type == DB_TEXT)
        while (room[at] & 0x80) /* stays UTF-8 */
            at--;
    room[at] = (char)(room[at] ^ (v.type == DB_TEXT ? 1 : 1 << prop_below(p, 8)));
    return (db_value){.type = v.type, .s = {room, v.s.n}};
}

/* False: there is no such row, or the database does not allow that. */
static bool change_one(db *d, prop *p) {
    uint32_t what = prop_below(p, COLUMNS);
    const column *c = &columns[what];
    char room[CHECKPOINT_MAX];
    db_value values[3];
    db_rows *rows = NULL;
    atg_err err = {0};
    bool there;
    uuid file;

    choose_keys(p, what, &file, values);
    (void)snprintf(p->about, sizeof(p->about), "%s", c->set.name);
    must(db_query(d, &c->get, values, c->n_keys, &rows, &err), &err);
    there = db_next(rows, &err) > 0;
    if (there)
        values[c->n_keys] = changed(p, db_get(rows, 0), room);
    db_end(rows);
    return there && db_run(d, &c->set, values, c->n_keys + 1, NULL, &err) == ATG_OK;
}

static bool remove_one(db *d, prop *p) {
    uint32_t what = prop_below(p, sizeof(removals) / sizeof(*removals));
    db_value keys[2];
    atg_err err = {0};
    int64_t n = 0;
    uuid file;

    choose_keys(p, what == 3 ? FIRST_KEYED : what == 4 ? FIRST_KEYED + 2 : 0, &file, keys);
    (void)snprintf(p->about, sizeof(p->about), "%s", removals[what].name);
    must(db_run(d, &removals[what], keys, what < 3 ? 2 : 1, &n, &err), &err);
    return n > 0;
}

static void any_single_change_is_noticed(const database *where) {
    story s = tell(where);
    audit_wanted w = {.pub = &s.pair.pub, .witnessed = s.kept, .n_witnessed = ROUNDS};
    uint32_t n = 0;

    for (PROP_EACH(p, where->postgres ? 200 : 600)) {
        audit_report r;
        atg_err err = {0};

        must(db_begin(s.d, DB_WRITE, &err), &err);
        if (prop_chance(&p, 0.1) ? remove_one(s.d, &p) : change_one(s.d, &p)) {
            int rc = audit_verify(s.d, &w, 1, NULL, &r, &err);

            if (rc != ATG_EDENIED || !err.msg[0])
                fail_msg("seed %llu, %s: %d %s", (unsigned long long)p.seed, p.about, rc, err.msg);
            n++;
        }
        db_rollback(s.d);
    }
    assert_in_range(n, where->postgres ? 100 : 300, 600);
    expect_nothing(&s, ROUNDS);
    db_close(s.d);
}

/* ---- any history ---- */

typedef struct model {
    uint64_t entries, leaves, files;
    int64_t revs[8];
    checkpoint kept[100];
    uint32_t n_kept;
} model;

/* Some events in one transaction, which is kept or not. */
static void append_some(db *d, prop *p, model *m) {
    model before = *m;
    atg_err err = {0};

    must(db_begin(d, DB_WRITE, &err), &err);
    for (uint32_t k = 1 + prop_below(p, 5); k; k--) {
        uint32_t file = prop_below(p, 8);

        m->files += m->revs[file] == 0;
        audited_change(d, file, ++m->revs[file]);
        m->entries++;
    }
    if (prop_chance(p, 0.8)) {
        must(db_commit(d, &err), &err);
        return;
    }
    db_rollback(d);
    *m = before;
}

static void sequence_some(db *d, prop *p, model *m) {
    atg_err err = {0};
    uint64_t n = 0;

    must(db_begin(d, DB_WRITE, &err), &err);
    must(audit_sequence(d, &n, &err), &err);
    assert_int_equal(n, m->entries - m->leaves);
    if (prop_chance(p, 0.8)) {
        must(db_commit(d, &err), &err);
        m->leaves = m->entries;
    } else {
        db_rollback(d);
    }
}

static void any_true_history_is_verified(const database *where) {
    db *d = audited_open(where);
    sign_pair pair = audited_pair(1);
    model m = {0};

    for (PROP_EACH(p, where->postgres ? 60 : 150)) {
        audit_wanted w = {.pub = &pair.pub, .witnessed = m.kept};
        audit_report r = {0};
        atg_err err = {0};

        append_some(d, &p, &m);
        if (prop_chance(&p, 0.5))
            sequence_some(d, &p, &m);
        if (prop_chance(&p, 0.3) && m.n_kept < 100)
            m.kept[m.n_kept++] = audited_sign(d, &pair, (int64_t)prop_below(&p, 1000000));
        w.n_witnessed = m.n_kept;
        prop_ok(&p, audited_verify(d, &w, 1 + prop_below(&p, 2), &r, &err), &err);
        assert_int_equal(r.entries, m.entries);
        assert_int_equal(r.leaves, m.leaves);
        assert_int_equal(r.waiting, m.entries - m.leaves);
        assert_int_equal(r.files, m.files);
        assert_int_equal(r.records, m.files);
    }
    db_close(d);
}

int main(void) {
    static const database_test tests[] = {
        {"a chain rewritten alone is told by its signed leaf",
         a_chain_rewritten_alone_is_told_by_its_signed_leaf, ON_BOTH},
        {"leaves rewritten too are told by a checkpoint",
         leaves_rewritten_too_are_told_by_a_checkpoint, ON_BOTH},
        {"signatures of another key are told", signatures_of_another_key_are_told, ON_BOTH},
        {"only a witness tells a history rewritten with the key",
         only_a_witness_tells_a_history_rewritten_with_the_key, ON_BOTH},
        {"what no witness saw yet can be rewritten", what_no_witness_saw_yet_can_be_rewritten,
         ON_BOTH},
        {"a history put back is told by a witness", a_history_put_back_is_told_by_a_witness,
         ON_BOTH},
        {"a witness of another store is told", a_witness_of_another_store_is_told, ON_BOTH},
        {"clocks that go back do not matter", clocks_that_go_back_do_not_matter, ON_BOTH},
        {"any single change is noticed", any_single_change_is_noticed, ON_BOTH},
        {"any true history is verified", any_true_history_is_verified, ON_BOTH},
    };

    return DATABASE_RUN(tests);
}
