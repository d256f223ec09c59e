/* SPDX-License-Identifier: Apache-2.0 */
/* Records as rows: they come back as they were, and what is sealed stays where it belongs. */
#include "made_record.h"
#include "on_disk.h"

#include "crypto/seal.h"

enum { EACH = 12, ARENA = 64 << 20 };

typedef struct fixture {
    db *d;
    keyring *k;
    uuid operation, person;
    atg_arena *arena;
} fixture;

static fixture fix(const database *where) {
    fixture f = {.d = kept_open(where), .k = kept_keys(), .arena = atg_arena_new(ARENA)};

    f.operation = kept_operation(f.d, f.k);
    f.person = kept_person(f.d, f.k, &f.operation);
    return f;
}

static void done(fixture *f) {
    db_rollback(f->d);
    keyring_close(f->k);
    db_close(f->d);
    atg_arena_free(f->arena);
}

static void insert(fixture *f, const record *r) {
    atg_err err = {0};

    kept_begin(f->d);
    must(records_insert(f->d, f->k, r, &err), &err);
    kept_commit(f->d);
}

static record_row get(fixture *f, record_kind kind, const uuid *id) {
    record_row row = {0};
    atg_err err = {0};

    must(records_get(f->d, f->k, f->arena, kind, id, &row, &err), &err);
    return row;
}

static void every_kind_comes_back_with_random_values(const database *where) {
    fixture f = fix(where);

    for (PROP_EACH(p, EACH)) {
        for (int kind = 0; kind < RECORD_KINDS; kind++) {
            record *r = made_record(&p, f.arena, (record_kind)kind, &f.operation, &f.person);
            atg_err err = {0};
            record_row row;

            insert(&f, r);
            row = get(&f, r->kind, &r->id);
            assert_false(row.erased);
            same_record(&p, r, row.r);
            made_fields(&p, f.arena, row.r);
            row.r->changed += 5;
            kept_begin(f.d);
            must(records_update(f.d, f.k, row.r, &err), &err);
            kept_commit(f.d);
            same_record(&p, row.r, get(&f, r->kind, &r->id).r);
        }
    }
    done(&f);
}

/* A missing person with names, in a file of its own. */
static record *person_of(fixture *f, const char *name) {
    record *r = record_new(f->arena, RECORD_MISSING);

    assert_non_null(r);
    r->id = kept_id();
    r->operation = f->operation;
    r->file = r->id;
    r->person = f->person;
    r->rev = 1;
    r->fields[MISSING_FAMILY_NAME] = (value){.known = true, .text = atg_str_of(name)};
    r->fields[MISSING_SEX] = (value){.known = true, .choice = SEX_FEMALE};
    r->fields[MISSING_LAST_SEEN] = (value){.known = true, .text = ATG_STR("2026-11-24")};
    return r;
}

static int read_code(fixture *f, record_kind kind, const uuid *id) {
    record_row row = {.erased = true};
    atg_err err = {0};
    int rc = records_get(f->d, f->k, f->arena, kind, id, &row, &err);

    if (rc) {
        assert_null(row.r);
        assert_true(err.msg[0]);
    }
    return rc;
}

static void another_master_key_opens_no_record(const database *where) {
    static const key256 stolen = {{66}};
    fixture f = fix(where);
    record *r = person_of(&f, "Halvorsen");
    keyring *own = f.k;

    insert(&f, r);
    assert_int_equal(keyring_open(&stolen, &f.k, NULL), ATG_OK);
    assert_int_equal(read_code(&f, RECORD_MISSING, &r->id), ATG_EDENIED);
    keyring_close(f.k);
    f.k = own;
    assert_int_equal(read_code(&f, RECORD_MISSING, &r->id), ATG_OK);
    done(&f);
}

static const db_statement move_sealed = {
    "move_sealed", "UPDATE r_missing SET sealed = (SELECT sealed FROM r_missing WHERE id = $1) "
                   "WHERE id = $2"};
static const db_statement other_file = {"other_file",
                                        "UPDATE r_missing SET file = $1 WHERE id = $2"};
static const db_statement other_rev = {"other_rev", "UPDATE r_missing SET rev = $1 WHERE id = $2"};
static const db_statement no_sealed = {"no_sealed",
                                       "UPDATE r_missing SET sealed = NULL WHERE id = $1"};
static const db_statement cut_sealed = {"cut_sealed",
                                        "UPDATE r_missing SET sealed = $1 WHERE id = $2"};

static void tamper(fixture *f, const db_statement *s, const db_value *values, int n) {
    int64_t changed = 0;
    atg_err err = {0};

    kept_begin(f->d);
    must(db_run(f->d, s, values, n, &changed, &err), &err);
    assert_int_equal(changed, 1);
    kept_commit(f->d);
}

static db_value id_value(const uuid *id) {
    return db_blob(id->bytes, UUID_SIZE);
}

static void sealed_fields_open_in_their_place_only(const database *where) {
    fixture f = fix(where);
    record *one = person_of(&f, "One"), *two = person_of(&f, "Two"), *three = person_of(&f, "3"),
           *four = person_of(&f, "Four"), *five = person_of(&f, "Five");

    insert(&f, one);
    insert(&f, two);
    insert(&f, three);
    insert(&f, four);
    insert(&f, five);
    tamper(&f, &move_sealed, (db_value[]){id_value(&one->id), id_value(&two->id)}, 2);
    assert_int_equal(read_code(&f, RECORD_MISSING, &two->id), ATG_EDENIED);
    tamper(&f, &other_file, (db_value[]){id_value(&two->id), id_value(&three->id)}, 2);
    assert_int_equal(read_code(&f, RECORD_MISSING, &three->id), ATG_EDENIED);
    tamper(&f, &other_rev, (db_value[]){db_int(2), id_value(&four->id)}, 2);
    assert_int_equal(read_code(&f, RECORD_MISSING, &four->id), ATG_EDENIED);
    tamper(&f, &no_sealed, (db_value[]){id_value(&five->id)}, 1);
    assert_int_equal(read_code(&f, RECORD_MISSING, &five->id), ATG_EDENIED);
    assert_int_equal(read_code(&f, RECORD_MISSING, &one->id), ATG_OK);
    tamper(&f, &cut_sealed, (db_value[]){db_blob("\1short", 6), id_value(&one->id)}, 2);
    assert_int_equal(read_code(&f, RECORD_MISSING, &one->id), ATG_EDENIED);
    done(&f);
}

/* The record of a revision before, put back under the revision of today. */
static const db_statement keep_old = {
    "keep_old", "INSERT INTO meta(name, value) SELECT 'old', sealed FROM r_missing WHERE id = $1"};
static const db_statement put_old = {
    "put_old",
    "UPDATE r_missing SET sealed = (SELECT value FROM meta WHERE name = 'old') WHERE id = $1"};

static void what_was_said_before_does_not_come_back(const database *where) {
    fixture f = fix(where);
    record *r = person_of(&f, "Before");
    atg_err err = {0};

    insert(&f, r);
    tamper(&f, &keep_old, (db_value[]){id_value(&r->id)}, 1);
    r->fields[MISSING_FAMILY_NAME].text = ATG_STR("After");
    kept_begin(f.d);
    must(records_update(f.d, f.k, r, &err), &err);
    kept_commit(f.d);
    assert_int_equal(r->rev, 2);
    assert_int_equal(read_code(&f, RECORD_MISSING, &r->id), ATG_OK);
    tamper(&f, &put_old, (db_value[]){id_value(&r->id)}, 1);
    assert_int_equal(read_code(&f, RECORD_MISSING, &r->id), ATG_EDENIED);
    done(&f);
}

static void of_an_erased_person_what_was_sealed_is_unknown(const database *where) {
    fixture f = fix(where);
    record *r = person_of(&f, "Halvorsen"), *more = person_of(&f, "More");
    uuid who = kept_id();
    record_row row, *rows;
    uint32_t n = 0;
    records_query q = {
        .kind = RECORD_MISSING, .by = RECORDS_OF_PERSON, .of = f.person, .limit = 10};
    atg_err err = {0};

    insert(&f, r);
    kept_begin(f.d);
    must(keys_erase(f.d, f.k, &f.operation, &f.person, &who, 1, &err), &err);
    kept_commit(f.d);
    row = get(&f, RECORD_MISSING, &r->id);
    assert_true(row.erased);
    assert_false(row.r->fields[MISSING_FAMILY_NAME].known);
    assert_true(row.r->fields[MISSING_SEX].known);
    assert_true(atg_str_eq(row.r->fields[MISSING_LAST_SEEN].text, ATG_STR("2026-11-24")));
    must(records_list(f.d, f.k, f.arena, &q, &rows, &n, &err), &err);
    assert_int_equal(n, 1);
    assert_true(rows[0].erased);
    kept_begin(f.d);
    assert_int_equal(records_update(f.d, f.k, row.r, &err), ATG_EDENIED);
    assert_int_equal(row.r->rev, 1);
    db_rollback(f.d);
    kept_begin(f.d);
    assert_int_equal(records_insert(f.d, f.k, more, &err), ATG_EDENIED);
    done(&f);
}

static void of_two_who_edit_the_second_is_told(const database *where) {
    fixture f = fix(where);
    record *r = person_of(&f, "Halvorsen"), *mine, *theirs, *unknown = person_of(&f, "Nobody");
    atg_err err = {0};

    insert(&f, r);
    mine = get(&f, RECORD_MISSING, &r->id).r;
    theirs = get(&f, RECORD_MISSING, &r->id).r;
    theirs->fields[MISSING_SEX].choice = SEX_MALE;
    kept_begin(f.d);
    must(records_update(f.d, f.k, theirs, &err), &err);
    kept_commit(f.d);
    kept_begin(f.d);
    assert_int_equal(records_update(f.d, f.k, mine, &err), ATG_ECONFLICT);
    assert_non_null(strstr(err.msg, "revision 1"));
    assert_int_equal(mine->rev, 1);
    assert_int_equal(records_update(f.d, f.k, unknown, &err), ATG_ENOTFOUND);
    theirs->file = kept_id();
    assert_int_equal(records_update(f.d, f.k, theirs, &err), ATG_EINVAL);
    db_rollback(f.d);
    assert_int_equal(get(&f, RECORD_MISSING, &r->id).r->fields[MISSING_SEX].choice, SEX_MALE);
    done(&f);
}

static void a_record_is_put_in_once(const database *where) {
    fixture f = fix(where);
    record *r = person_of(&f, "Halvorsen");
    atg_err err = {0};
    int rc;

    insert(&f, r);
    kept_begin(f.d);
    rc = records_insert(f.d, f.k, r, &err);
    assert_int_equal(rc ? rc : db_commit(f.d, &err), ATG_ECONFLICT);
    db_rollback(f.d);
    kept_begin(f.d);
    r->rev = 2;
    assert_int_equal(records_insert(f.d, f.k, r, &err), ATG_EINVAL);
    r->rev = 1;
    r->file = (uuid){{0}};
    assert_int_equal(records_insert(f.d, f.k, r, &err), ATG_EINVAL);
    assert_int_equal(records_update(f.d, f.k, r, &err), ATG_EINVAL);
    done(&f);
}

static void nothing_is_sealed_for_nobody(const database *where) {
    fixture f = fix(where);
    record *r = person_of(&f, "Halvorsen");
    atg_err err = {0};

    r->person = (uuid){{0}};
    kept_begin(f.d);
    assert_int_equal(records_insert(f.d, f.k, r, &err), ATG_EINVAL);
    assert_non_null(strstr(err.msg, "Family name"));
    db_rollback(f.d);
    r->fields[MISSING_FAMILY_NAME].known = false;
    insert(&f, r);
    assert_int_equal(read_code(&f, RECORD_MISSING, &r->id), ATG_OK);
    done(&f);
}

static const db_statement bad_state = {"bad_state",
                                       "UPDATE r_missing SET state = 'lost' WHERE id = $1"};
static const db_statement bad_sex = {"bad_sex", "UPDATE r_missing SET sex = 'many' WHERE id = $1"};
static const db_statement bad_ref = {"bad_ref",
                                     "UPDATE r_missing SET family = operation WHERE id = $1"};
static const db_statement short_ref = {"short_ref",
                                       "UPDATE r_missing SET family = $2 WHERE id = $1"};
static const db_statement no_key = {"no_key", "DELETE FROM person_key WHERE person = $1"};

static void a_damaged_row_is_told(const database *where) {
    fixture f = fix(where);
    record *r[3] = {person_of(&f, "One"), person_of(&f, "Two"), person_of(&f, "Three")};

    for (int i = 0; i < 3; i++)
        insert(&f, r[i]);
    tamper(&f, &bad_ref, (db_value[]){id_value(&r[0]->id)}, 1);
    assert_int_equal(read_code(&f, RECORD_MISSING, &r[0]->id), ATG_OK);
    tamper(&f, &short_ref, (db_value[]){id_value(&r[0]->id), db_blob("x", 1)}, 2);
    assert_int_equal(read_code(&f, RECORD_MISSING, &r[0]->id), ATG_EDB);
    tamper(&f, &bad_state, (db_value[]){id_value(&r[1]->id)}, 1);
    assert_int_equal(read_code(&f, RECORD_MISSING, &r[1]->id), ATG_EDB);
    tamper(&f, &bad_sex, (db_value[]){id_value(&r[2]->id)}, 1);
    assert_int_equal(read_code(&f, RECORD_MISSING, &r[2]->id), ATG_EDB);
    tamper(&f, &no_key, (db_value[]){id_value(&f.person)}, 1);
    assert_int_equal(read_code(&f, RECORD_MISSING, &r[2]->id), ATG_EDB);
    done(&f);
}

/* ---- lists ---- */

static uint32_t walk(fixture *f, records_query q, record_row *ret) {
    uint32_t all = 0, n = 0;
    atg_err err = {0};

    do {
        record_row *rows = NULL;

        must(records_list(f->d, f->k, f->arena, &q, &rows, &n, &err), &err);
        assert_true(n <= q.limit);
        for (uint32_t i = 0; i < n; i++)
            ret[all++] = rows[i];
        if (n)
            q.after = rows[n - 1].r->id;
    } while (n == q.limit);
    return all;
}

static void lists_give_each_record_once_in_order(const database *where) {
    enum { MARKS = 150 };
    fixture f = fix(where);
    uuid file = kept_id(), other = kept_person(f.d, f.k, &f.operation);
    prop p = prop_seed(5);
    record_row got[MARKS];
    record *made[MARKS];
    atg_err err = {0};

    kept_begin(f.d);
    for (int i = 0; i < MARKS; i++) {
        made[i] = made_record(&p, f.arena, RECORD_MARK, &f.operation, i % 3 ? &f.person : &other);
        if (i % 2)
            made[i]->file = file;
        must(records_insert(f.d, f.k, made[i], &err), &err);
    }
    kept_commit(f.d);
    for (uint32_t limit = 1; limit < 2 * MARKS; limit = 5 * limit + 2) {
        records_query q = {
            .kind = RECORD_MARK, .by = RECORDS_OF_OPERATION, .of = f.operation, .limit = limit};

        assert_int_equal(walk(&f, q, got), MARKS);
        for (int i = 0; i < MARKS; i++)
            same_record(&p, made[i], got[i].r);
        q.by = RECORDS_OF_FILE;
        q.of = file;
        assert_int_equal(walk(&f, q, got), MARKS / 2);
        for (size_t i = 0; i < MARKS / 2; i++)
            same_record(&p, made[2 * i + 1], got[i].r);
        q.by = RECORDS_OF_PERSON;
        q.of = other;
        assert_int_equal(walk(&f, q, got), MARKS / 3);
        for (size_t i = 0; i < MARKS / 3; i++)
            same_record(&p, made[3 * i], got[i].r);
        q.of = kept_id();
        assert_int_equal(walk(&f, q, got), 0);
    }
    done(&f);
}

/* ---- what stands on disk ---- */

#define SECRET "Qvorlziminsecret"
#define CLEAR "Qvorlziminclear"

/* Every sealed text of every kind says SECRET. */
static void mark_sealed(record *r) {
    for (uint32_t i = 0; i < record_types[r->kind].n_fields; i++) {
        const field_type *field = record_field(r->kind, i);

        if (field->sealed && field->kind == FIELD_TEXT)
            r->fields[i] = (value){.known = true, .text = ATG_STR(SECRET)};
        if (field->sealed && field->kind == FIELD_JSON)
            r->fields[i] = (value){.known = true, .text = ATG_STR("\"" SECRET "\"")};
    }
}

static void nothing_sealed_stands_in_clear_on_disk(const database *where) {
    fixture f = fix(where);
    prop p = prop_seed(9);
    record *r = NULL;
    atg_err err = {0};

    for (int kind = 0; kind < RECORD_KINDS; kind++) {
        r = made_record(&p, f.arena, (record_kind)kind, &f.operation, &f.person);
        if (!uuid_none(&r->person))
            mark_sealed(r);
        insert(&f, r);
        kept_begin(f.d);
        must(records_update(f.d, f.k, r, &err), &err);
        kept_commit(f.d);
        /* one that fails is not told the server's log either */
        r->rev = 1;
        kept_begin(f.d);
        (void)records_insert(f.d, f.k, r, &err);
        (void)db_commit(f.d, &err);
        db_rollback(f.d);
    }
    assert_false(on_disk(where, f.d, SECRET));
    /* the search finds what is there */
    r = person_of(&f, "Halvorsen");
    r->fields[MISSING_EXTERNAL] = (value){.known = true, .text = ATG_STR(CLEAR)};
    insert(&f, r);
    assert_true(on_disk(where, f.d, CLEAR));
    done(&f);
}

/* Nothing of the keys either. */
static void no_key_stands_in_clear_on_disk(const database *where) {
    fixture f = fix(where);
    person_keys keys;
    atg_err err = {0};
    char text[ON_DISK_PART + 1];

    must(keys_person(f.d, f.k, &f.person, &keys, &err), &err);
    assert_true(on_disk_part(&keys.key, sizeof(keys.key), text));
    assert_false(on_disk(where, f.d, text));
    done(&f);
}

static const db_statement sizes = {
    "sizes", "SELECT CAST(min(length(sealed)) AS BIGINT), CAST(max(length(sealed)) AS BIGINT) FROM "
             "r_missing"};

static void short_names_are_as_long_as_others(const database *where) {
    fixture f = fix(where);
    db_rows *rows = NULL;
    atg_err err = {0};

    insert(&f, person_of(&f, "A"));
    insert(&f, person_of(&f, "Bartholomew"));
    insert(&f, person_of(&f, "C-D"));
    must(db_query(f.d, &sizes, NULL, 0, &rows, &err), &err);
    assert_int_equal(db_next(rows, &err), 1);
    assert_int_equal(db_get_int(rows, 0), db_get_int(rows, 1));
    db_end(rows);
    done(&f);
}

static int write_and_read(db *d, keyring *k, atg_arena *arena, const record *like, atg_err *err) {
    records_query q = {.kind = like->kind, .by = RECORDS_OF_FILE, .of = like->file, .limit = 10};
    record *r = record_copy(arena, like);
    record_row row, *rows;
    uint32_t n;
    int rc = r ? db_begin(d, DB_WRITE, err) : atg_fail(err, ATG_ENOMEM, "no memory");

    if (rc == ATG_OK)
        rc = records_insert(d, k, r, err);
    if (rc == ATG_OK)
        rc = records_update(d, k, r, err);
    if (rc == ATG_OK)
        rc = records_get(d, k, arena, r->kind, &r->id, &row, err);
    if (rc == ATG_OK)
        rc = records_list(d, k, arena, &q, &rows, &n, err);
    return rc;
}

static void short_memory_is_told_and_nothing_is_left(const database *where) {
    fixture f = fix(where);
    prop p = prop_seed(3);
    record *r = made_record(&p, f.arena, RECORD_MISSING, &f.operation, &f.person);
    size_t live;
    bool refused = true;
    int rc;

    r->fields[MISSING_FAMILY_NAME] = (value){.known = true, .text = ATG_STR("Halvorsen")};
    live = mem_live();
    for (long n = 0; refused; n++) {
        size_t before = mem_refused();
        db *d = kept_connect(where);
        keyring *k = kept_keys();
        atg_arena *arena = atg_arena_new(ARENA);
        atg_err err = {0};

        mem_fail_after(n);
        rc = write_and_read(d, k, arena, r, &err);
        mem_fail_after(-1);
        refused = mem_refused() != before;
        /* what is only remembered may be forgotten */
        if (rc && (rc != ATG_ENOMEM || err.code != ATG_ENOMEM || !refused))
            fail_msg("allocation %ld: code %d, %s", n, rc, err.msg);
        db_rollback(d);
        db_close(d);
        keyring_close(k);
        atg_arena_free(arena);
        assert_int_equal(mem_live(), live);
        assert_true(n < 5000);
    }
    done(&f);
}

int main(void) {
    static const database_test tests[] = {
        {"every kind comes back with random values", every_kind_comes_back_with_random_values,
         ON_BOTH},
        {"another master key opens no record", another_master_key_opens_no_record, ON_BOTH},
        {"sealed fields open in their place only", sealed_fields_open_in_their_place_only, ON_BOTH},
        {"what was said before does not come back", what_was_said_before_does_not_come_back,
         ON_BOTH},
        {"of an erased person what was sealed is unknown",
         of_an_erased_person_what_was_sealed_is_unknown, ON_BOTH},
        {"of two who edit the second is told", of_two_who_edit_the_second_is_told, ON_BOTH},
        {"a record is put in once", a_record_is_put_in_once, ON_BOTH},
        {"nothing is sealed for nobody", nothing_is_sealed_for_nobody, ON_BOTH},
        {"a damaged row is told", a_damaged_row_is_told, ON_BOTH},
        {"lists give each record once in order", lists_give_each_record_once_in_order, ON_BOTH},
        {"nothing sealed stands in clear on disk", nothing_sealed_stands_in_clear_on_disk, ON_BOTH},
        {"no key stands in clear on disk", no_key_stands_in_clear_on_disk, ON_BOTH},
        {"short names are as long as others", short_names_are_as_long_as_others, ON_BOTH},
        {"short memory is told and nothing is left", short_memory_is_told_and_nothing_is_left,
         ON_BOTH},
    };

    return DATABASE_RUN(tests);
}
