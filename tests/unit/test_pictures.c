/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures of records: who may put them in and see them, and what is left of them. */
#include "made_cases.h"

#include "app/pictures.h"

/* The smallest JPEG, with a comment that is taken off. */
#define COMMENT "\xff\xfe\0\x08SECRET"
#define IMAGE "\xff\xc0\0\x0b\x08\0\2\0\3\1\1\x11\0\xff\xda\0\x08\1\1\0\0\x3f\0\x12\x34\x56\xff\xd9"

static const char with_comment[] = "\xff\xd8" COMMENT IMAGE, without[] = "\xff\xd8" IMAGE;

typedef struct came {
    char p[1000];
    size_t n;
} came;

static int collect(void *user, atg_str bytes, atg_err *err) {
    came *c = user;

    (void)err;
    assert_true(c->n + bytes.n <= sizeof(c->p));
    memcpy(c->p + c->n, bytes.p, bytes.n);
    c->n += bytes.n;
    return ATG_OK;
}

static record *photograph_of(const made_cases *m, const record *file) {
    record *r = record_new(m->arena, RECORD_PHOTOGRAPH);

    r->operation = m->operation;
    r->file = file->id;
    made_set(m->arena, r, "what", "body");
    return r;
}

static int put(const made_cases *m, const actor *who, record *r, atg_str bytes, atg_err *err) {
    return pictures_put(m->c, who, r, PHOTOGRAPH_IMAGE, bytes, &r->fields[PHOTOGRAPH_IMAGE], err);
}

static int get(const made_cases *m, const actor *who, const record *r, came *ret, atg_err *err) {
    picture_wish w = {.kind = RECORD_PHOTOGRAPH, .id = r->id, .field = PHOTOGRAPH_IMAGE};

    ret->n = 0;
    return pictures_get(m->c, who, &w, (stream_sink){collect, ret}, err);
}

static atg_str given(void) {
    return (atg_str){with_comment, sizeof(with_comment) - 1};
}

static void a_picture_comes_back_without_what_it_tells(const database *where) {
    made_cases m = made_cases_open(where);
    record *remains = made_remains(&m, "B-17"), *r;
    came back;
    atg_err err = {0};

    made_add(&m, remains);
    r = photograph_of(&m, remains);
    made_ok(put(&m, &m.by[ROLE_MORTUARY], r, given(), &err), &err);
    made_ok(made_change(&m, &m.by[ROLE_MORTUARY], CHANGE_ADD, r, &err), &err);
    made_ok(get(&m, &m.all, r, &back, &err), &err);
    assert_int_equal(back.n, sizeof(without) - 1);
    assert_memory_equal(back.p, without, back.n);
    made_cases_close(&m);
}

static void only_who_may_write_the_field_puts_a_picture_in(const database *where) {
    made_cases m = made_cases_open(where);
    record *remains = made_remains(&m, "B-17"), *r;
    atg_err err = {0};

    made_add(&m, remains);
    r = photograph_of(&m, remains);
    assert_int_equal(put(&m, &m.by[ROLE_GENETICIST], r, given(), &err), ATG_EDENIED);
    assert_int_equal(put(&m, &m.by[ROLE_INTERVIEWER], r, given(), &err), ATG_EDENIED);
    assert_false(r->fields[PHOTOGRAPH_IMAGE].known);
    made_cases_close(&m);
}

static void a_picture_of_the_dead_needs_the_role_and_a_reason(const database *where) {
    made_cases m = made_cases_open(where);
    actor examiner = m.by[ROLE_EXAMINER];
    record *remains = made_remains(&m, "B-17"), *r;
    audit_entry *entries;
    uint32_t n, looks = 0;
    came back;
    atg_err err = {0};

    made_add(&m, remains);
    r = photograph_of(&m, remains);
    made_ok(put(&m, &m.all, r, given(), &err), &err);
    made_add(&m, r);
    assert_int_equal(get(&m, &m.by[ROLE_GENETICIST], r, &back, &err), ATG_EDENIED);
    assert_int_equal(get(&m, &examiner, r, &back, &err), ATG_EDENIED);
    assert_int_equal(back.n, 0);
    examiner.reason = ATG_STR("compare the tattoo");
    made_ok(get(&m, &examiner, r, &back, &err), &err);
    made_ok(cases_history(m.c, &m.all, m.arena, &remains->id, &entries, &n, &err), &err);
    for (uint32_t i = 0; i < n; i++)
        looks += atg_str_eq(entries[i].e.action, ATG_STR("read")) &&
                 uuid_cmp(&entries[i].e.account, &examiner.account) == 0;
    assert_int_equal(looks, 1);
    made_cases_close(&m);
}

static void what_is_no_picture_is_refused_but_for_ridges(const database *where) {
    made_cases m = made_cases_open(where);
    record *remains = made_remains(&m, "B-17"), *r, *ridge;
    came back;
    atg_err err = {0};

    made_add(&m, remains);
    r = photograph_of(&m, remains);
    assert_int_equal(put(&m, &m.all, r, ATG_STR("%PDF-1.4"), &err), ATG_EINVAL);
    assert_int_equal(put(&m, &m.all, r, (atg_str){with_comment, 20}, &err), ATG_EPARSE);
    ridge = record_new(m.arena, RECORD_RIDGE);
    ridge->operation = m.operation;
    ridge->file = remains->id;
    made_set(m.arena, ridge, "finger", "right thumb");
    made_ok(pictures_put(m.c, &m.all, ridge, RIDGE_DATA, ATG_STR("FMR\0 20\0"),
                         &ridge->fields[RIDGE_DATA], &err),
            &err);
    made_add(&m, ridge);
    back.n = 0;
    made_ok(
        pictures_get(m.c, &m.all,
                     &(picture_wish){.kind = RECORD_RIDGE, .id = ridge->id, .field = RIDGE_DATA},
                     (stream_sink){collect, &back}, &err),
        &err);
    assert_int_equal(back.n, 8);
    assert_int_equal(
        pictures_put(m.c, &m.all, ridge, RIDGE_FINGER, given(), &ridge->fields[RIDGE_FINGER], &err),
        ATG_EINVAL);
    made_cases_close(&m);
}

int main(void) {
    static const database_test tests[] = {
        {"a picture comes back without what it tells", a_picture_comes_back_without_what_it_tells,
         ON_BOTH},
        {"only who may write the field puts a picture in",
         only_who_may_write_the_field_puts_a_picture_in, ON_BOTH},
        {"a picture of the dead needs the role and a reason",
         a_picture_of_the_dead_needs_the_role_and_a_reason, ON_BOTH},
        {"what is no picture is refused but for ridges",
         what_is_no_picture_is_refused_but_for_ridges, ON_BOTH},
    };

    return DATABASE_RUN(tests);
}
