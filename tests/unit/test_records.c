/* SPDX-License-Identifier: Apache-2.0 */
/* Records as rows: they come back as they were, and what is sealed stays where it belongs. */
#include "made_record.h"

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

int main(void) {
    static const database_test tests[] = {
        {"every kind comes back with random values", every_kind_comes_back_with_random_values,
         ON_BOTH},
    };

    return DATABASE_RUN(tests);
}
