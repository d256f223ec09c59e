/* SPDX-License-Identifier: Apache-2.0 */
/* Several reports of one person: proposed, merged with both sources kept, taken apart again. */
#include "made_cases.h"

#include "app/merge.h"

static record *report(const made_cases *m, const char *family, const char *given,
                      const char *born) {
    record *r = made_missing(m, family, given);

    made_set(m->arena, r, "born", born);
    made_set(m->arena, r, "informant_name", family);
    made_add(m, r);
    return r;
}

static duplicate *proposed(const made_cases *m, uint32_t *ret_n) {
    duplicates list;
    atg_err err = {0};

    made_ok(cases_duplicates(m->c, &m->all, m->arena, &m->operation, 100, &list, &err), &err);
    *ret_n = list.n;
    return list.pairs;
}

static bool pairs(const duplicate *list, uint32_t n, const record *a, const record *b) {
    for (uint32_t i = 0; i < n; i++)
        if ((uuid_cmp(&list[i].one.id, &a->id) == 0 && uuid_cmp(&list[i].other.id, &b->id) == 0) ||
            (uuid_cmp(&list[i].one.id, &b->id) == 0 && uuid_cmp(&list[i].other.id, &a->id) == 0))
            return true;
    return false;
}

static void reports_that_say_the_same_are_proposed(const database *where) {
    made_cases m = made_cases_open(where);
    record *one = report(&m, "Hansen", "Nora", "1984-03-12");
    record *crossed = report(&m, "NORA", "Hansen", "1984-03");
    record *other = report(&m, "Hansen", "Nora", "1951-01-01");
    record *stranger = report(&m, "Wang", "Wei", "1984-03-12");
    record *man = made_missing(&m, "Hansen", "Nora");
    duplicate *list;
    uint32_t n;

    made_set(m.arena, man, "sex", "male");
    made_add(&m, man);
    list = proposed(&m, &n);
    assert_true(pairs(list, n, one, crossed));
    assert_true(list[0].alike & ALIKE_NAMES);
    assert_true(list[0].alike & ALIKE_BORN);
    /* the same names and birth dates that cannot be one day: relatives' names are still alike */
    assert_false(pairs(list, n, one, stranger));
    assert_false(pairs(list, n, one, man));
    for (uint32_t i = 1; i < n; i++)
        assert_true(list[i - 1].score >= list[i].score);
    (void)other;
    made_cases_close(&m);
}

static void merging_keeps_both_and_is_taken_back(const database *where) {
    made_cases m = made_cases_open(where);
    record *into = report(&m, "Hansen", "Nora", "1984-03-12");
    record *from = report(&m, "Hansen", "Nora", "1984-03");
    actor silent = m.all;
    file_row *merged;
    seen s;
    uint32_t n;
    atg_err err = {0};

    silent.reason = (atg_str){NULL, 0};
    assert_int_equal(cases_merge(m.c, &silent, &into->id, &from->id, &err), ATG_EDENIED);
    made_ok(cases_merge(m.c, &m.all, &into->id, &from->id, &err), &err);
    made_ok(cases_merged(m.c, &m.all, m.arena, &into->id, &merged, &n, &err), &err);
    assert_int_equal(n, 1);
    made_ok(cases_get(m.c, &m.all, m.arena, RECORD_MISSING, &from->id, &s, &err), &err);
    assert_true(atg_str_eq(s.r->fields[MISSING_BORN].text, ATG_STR("1984-03")));
    (void)proposed(&m, &n);
    assert_int_equal(n, 0);
    assert_int_equal(cases_merge(m.c, &m.all, &from->id, &into->id, &err), ATG_EINVAL);
    made_ok(cases_unmerge(m.c, &m.all, &from->id, &err), &err);
    made_ok(cases_merged(m.c, &m.all, m.arena, &into->id, &merged, &n, &err), &err);
    assert_int_equal(n, 0);
    (void)proposed(&m, &n);
    assert_int_equal(n, 1);
    made_cases_close(&m);
}

static void what_cannot_be_one_person_is_not_merged(const database *where) {
    made_cases m = made_cases_open(where);
    record *one = report(&m, "Hansen", "Nora", "1984-03-12"), *man = made_missing(&m, "A", "B"),
           *remains = made_remains(&m, "B-1");
    atg_err err = {0};

    made_set(m.arena, man, "sex", "male");
    made_add(&m, man);
    made_add(&m, remains);
    assert_int_equal(cases_merge(m.c, &m.all, &one->id, &one->id, &err), ATG_EINVAL);
    assert_int_equal(cases_merge(m.c, &m.all, &one->id, &man->id, &err), ATG_EINVAL);
    assert_int_equal(cases_merge(m.c, &m.all, &one->id, &remains->id, &err), ATG_EINVAL);
    assert_int_equal(cases_unmerge(m.c, &m.all, &one->id, &err), ATG_EINVAL);
    {
        actor mortuary = m.by[ROLE_MORTUARY];
        mortuary.reason = ATG_STR("one person");
        assert_int_equal(cases_merge(m.c, &mortuary, &one->id, &man->id, &err), ATG_EDENIED);
    }
    made_cases_close(&m);
}

int main(void) {
    static const database_test tests[] = {
        {"reports that say the same are proposed", reports_that_say_the_same_are_proposed, ON_BOTH},
        {"merging keeps both, and is taken back", merging_keeps_both_and_is_taken_back, ON_BOTH},
        {"what cannot be one person is not merged", what_cannot_be_one_person_is_not_merged,
         ON_BOTH},
    };

    return DATABASE_RUN(tests);
}
