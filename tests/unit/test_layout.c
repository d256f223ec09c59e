/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include <math.h>

#include <libxml/parser.h>

#include "model/relation.h"
#include "report/layout.h"

enum { MOST = 40 };

/* A pedigree of `n` persons whose parents, where they have any, come before them. */
static void random_pedigree(atg_rng *rng, uint32_t n, uint32_t founders, atg_person *persons) {
    for (uint32_t i = 0; i < n; i++) {
        atg_person *p = &persons[i];

        *p = (atg_person){.id = ATG_STR("x"),
                          .father = -1,
                          .mother = -1,
                          .sex = i % 2 ? ATG_SEX_FEMALE : ATG_SEX_MALE};
        if (i < founders || atg_rng_below(rng, 5) == 0)
            continue;
        p->father = (int32_t)(atg_rng_below(rng, (i + 1) / 2) * 2);
        p->mother = (int32_t)(atg_rng_below(rng, i / 2) * 2 + 1);
    }
}

static void assert_sound(const layout *l, const atg_pedigree *ped) {
    for (uint32_t r = 0; r < l->n_rows; r++)
        for (uint32_t i = l->row_start[r] + 1; i < l->row_start[r + 1]; i++) {
            const layout_node *a = &l->nodes[l->order[i - 1]], *b = &l->nodes[l->order[i]];
            bool both = a->person >= 0 && b->person >= 0;

            assert_true(b->x - a->x > (both ? 0.999 : 0.3));
        }
    for (uint32_t i = 0; i < ped->n; i++) {
        const atg_person *p = &ped->persons[i];

        assert_int_equal(l->nodes[i].person, i);
        assert_true(l->nodes[i].row < l->n_rows);
        assert_true(l->nodes[i].x >= 0.499 && l->nodes[i].x <= l->width - 0.499);
        if (p->father < 0)
            continue;
        assert_true(l->nodes[p->father].row < l->nodes[i].row);
        assert_true(l->nodes[p->mother].row < l->nodes[i].row);
    }
}

static void parents_stand_above_and_nobody_stands_on_another(void **state) {
    atg_rng rng = atg_rng_seed(5);

    (void)state;
    for (int round = 0; round < 40; round++) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(16 << 20);
        atg_person persons[MOST];
        uint32_t n = 2 + (uint32_t)atg_rng_below(&rng, MOST - 2);
        atg_pedigree ped = {n, persons};
        layout l;

        random_pedigree(&rng, n, 2 + (uint32_t)atg_rng_below(&rng, 4), persons);
        assert_int_equal(layout_pedigree(arena, &ped, &l, NULL), ATG_OK);
        assert_sound(&l, &ped);
    }
}

/* Every line of descent goes from a union's row to the next. */
static void lines_pass_one_row_at_a_time(void **state) {
    atg_rng rng = atg_rng_seed(6);

    (void)state;
    for (int round = 0; round < 30; round++) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(16 << 20);
        atg_person persons[MOST];
        atg_pedigree ped = {20, persons};
        layout l;

        random_pedigree(&rng, ped.n, 3, persons);
        assert_int_equal(layout_pedigree(arena, &ped, &l, NULL), ATG_OK);
        for (uint32_t u = 0; u < l.n_unions; u++) {
            const layout_union *at = &l.unions[u];
            uint32_t row = l.nodes[at->mates[0]].row;

            assert_true(at->n_children > 0);
            if (at->mates[1] >= 0)
                assert_int_equal(l.nodes[at->mates[1]].row, row);
            for (uint32_t i = 0; i < at->n_children; i++)
                assert_int_equal(l.nodes[at->children[i]].row, row + 1);
        }
    }
}

static atg_person member(int32_t father, int32_t mother, atg_sex sex) {
    return (atg_person){.id = ATG_STR("x"), .father = father, .mother = mother, .sex = sex};
}

static void ordinary_families_are_drawn_without_detours(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(16 << 20);
    const atg_person persons[] = {
        member(-1, -1, ATG_SEX_MALE),   member(-1, -1, ATG_SEX_FEMALE), /* two grandparents */
        member(0, 1, ATG_SEX_MALE),     member(0, 1, ATG_SEX_FEMALE),
        member(-1, -1, ATG_SEX_MALE),   member(-1, -1, ATG_SEX_FEMALE), /* the other two */
        member(4, 5, ATG_SEX_FEMALE),   member(4, 5, ATG_SEX_MALE),
        member(2, 6, ATG_SEX_MALE),     member(2, 6, ATG_SEX_FEMALE),
        member(-1, -1, ATG_SEX_FEMALE), member(2, 10, ATG_SEX_MALE), /* a second wife */
    };
    const atg_pedigree ped = {sizeof(persons) / sizeof(*persons), persons};
    layout l;

    (void)state;
    assert_int_equal(layout_pedigree(arena, &ped, &l, NULL), ATG_OK);
    assert_int_equal(l.n_rows, 3);
    assert_int_equal(l.n_unions, 4);
    for (uint32_t u = 0; u < l.n_unions; u++) {
        assert_true(l.unions[u].beside);
        assert_false(l.unions[u].related);
    }
    for (uint32_t r = 0; r < l.n_rows; r++) {
        assert_int_equal(l.couple_tracks[r], 0);
        assert_true(l.bar_tracks[r] <= 1);
    }
}

static void couples_of_one_blood_are_marked(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(16 << 20);
    const atg_person persons[] = {
        member(-1, -1, ATG_SEX_MALE), member(-1, -1, ATG_SEX_FEMALE), member(0, 1, ATG_SEX_MALE),
        member(0, 1, ATG_SEX_FEMALE), member(2, 3, ATG_SEX_FEMALE),
    };
    const atg_pedigree ped = {5, persons};
    layout l;

    (void)state;
    assert_int_equal(layout_pedigree(arena, &ped, &l, NULL), ATG_OK);
    assert_int_equal(l.n_unions, 2);
    assert_false(l.unions[0].related);
    assert_true(l.unions[1].related);
}

static void a_parent_and_child_who_are_a_couple_stand_in_their_own_rows(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(16 << 20);
    const atg_person persons[] = {
        member(-1, -1, ATG_SEX_MALE),
        member(-1, -1, ATG_SEX_FEMALE),
        member(0, 1, ATG_SEX_FEMALE),
        member(0, 2, ATG_SEX_MALE),
    };
    const atg_pedigree ped = {4, persons};
    layout l;

    (void)state;
    assert_int_equal(layout_pedigree(arena, &ped, &l, NULL), ATG_OK);
    assert_int_equal(l.nodes[0].row, 0);
    assert_int_equal(l.nodes[2].row, 1);
    assert_int_equal(l.nodes[3].row, 2);
    assert_sound(&l, &ped);
}

static void a_hundred_brothers_and_a_long_line_are_drawn(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(64 << 20);
    atg_person persons[ATG_PEDIGREE_MAX];
    atg_pedigree ped = {ATG_PEDIGREE_MAX, persons};
    layout l;

    (void)state;
    persons[0] = member(-1, -1, ATG_SEX_MALE);
    persons[1] = member(-1, -1, ATG_SEX_FEMALE);
    for (uint32_t i = 2; i < ped.n; i++)
        persons[i] = member(0, 1, ATG_SEX_MALE);
    assert_int_equal(layout_pedigree(arena, &ped, &l, NULL), ATG_OK);
    assert_sound(&l, &ped);
    for (uint32_t i = 2; i < ped.n; i++)
        persons[i] = i % 2 ? member(-1, -1, ATG_SEX_FEMALE)
                           : member((int32_t)i - 2, (int32_t)i - 1, ATG_SEX_MALE);
    assert_int_equal(layout_pedigree(arena, &ped, &l, NULL), ATG_OK);
    assert_int_equal(l.n_rows, ATG_PEDIGREE_MAX / 2);
    assert_sound(&l, &ped);
}

static void pedigrees_of_any_shape_are_well_formed_svg(void **state) {
    atg_rng rng = atg_rng_seed(9);

    (void)state;
    for (int round = 0; round < 30; round++) {
        ATG_AUTO(atg_buf) buf = atg_buf_new(1 << 20);
        atg_person persons[MOST];
        const atg_family family = {.id = ATG_STR("F"),
                                   .ped = {1 + (uint32_t)atg_rng_below(&rng, 25), persons}};
        const atg_operation op = {.n_families = 1, .families = &family};
        atg_str s = {0};
        xmlDoc *doc;

        random_pedigree(&rng, family.ped.n, 2, persons);
        assert_int_equal(atg_report_pedigree_svg(&op, 0, 600, buf, NULL), ATG_OK);
        assert_int_equal(atg_buf_take(buf, &s, NULL), ATG_OK);
        doc = xmlReadMemory(s.p, (int)s.n, "svg", NULL, XML_PARSE_NONET);
        assert_non_null(doc);
        assert_null(strstr(s.p, "nan"));
        xmlFreeDoc(doc);
    }
}

static void a_broken_pedigree_is_refused(void **state) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(1 << 20);
    const atg_person persons[] = {member(1, 2, ATG_SEX_MALE), member(0, 2, ATG_SEX_MALE),
                                  member(-1, -1, ATG_SEX_FEMALE)};
    const atg_family family = {.id = ATG_STR("F"), .ped = {3, persons}};
    const atg_operation op = {.n_families = 1, .families = &family};
    atg_err err = {0};

    (void)state;
    assert_int_equal(atg_report_pedigree_svg(&op, 0, 600, buf, &err), ATG_EINVAL);
    assert_int_equal(atg_report_pedigree_svg(&op, 1, 600, buf, &err), ATG_EINVAL);
}

static void relations_have_the_words_of_the_family(void **state) {
    const atg_person persons[] = {
        [0] = member(-1, -1, ATG_SEX_MALE),   [1] = member(-1, -1, ATG_SEX_FEMALE),
        [2] = member(0, 1, ATG_SEX_MALE),     [3] = member(-1, -1, ATG_SEX_FEMALE),
        [4] = member(2, 3, ATG_SEX_FEMALE),   [5] = member(0, 1, ATG_SEX_FEMALE),
        [6] = member(-1, -1, ATG_SEX_MALE),   [7] = member(6, 5, ATG_SEX_UNKNOWN),
        [8] = member(-1, -1, ATG_SEX_FEMALE), [9] = member(2, 8, ATG_SEX_MALE),
        [10] = member(6, 4, ATG_SEX_MALE),
    };
    const atg_pedigree ped = {sizeof(persons) / sizeof(*persons), persons};
    static const struct {
        uint32_t of, who;
        const char *word;
    } cases[] = {
        {4, 2, "father"},          {2, 4, "daughter"},
        {4, 0, "grandfather"},     {0, 4, "granddaughter"},
        {2, 5, "sister"},          {4, 5, "aunt"},
        {5, 4, "niece"},           {4, 7, "cousin"},
        {4, 9, "half-brother"},    {2, 3, "partner"},
        {4, 8, "unrelated"},       {4, 4, "self"},
        {0, 10, "great-grandson"}, {10, 1, "great-grandmother"},
        {5, 7, "child"},           {3, 0, "in-law"},
        {3, 5, "in-law"},          {9, 10, "nephew"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_string_equal(relation_word(&ped, cases[i].of, cases[i].who), cases[i].word);
}

static void a_failing_allocation_of_a_drawing_is_reported(void **state) {
    atg_person persons[MOST];
    const atg_family family = {.id = ATG_STR("F"), .ped = {25, persons}};
    const atg_operation op = {.n_families = 1, .families = &family};
    atg_rng rng = atg_rng_seed(3);
    int rc = ATG_ENOMEM;

    (void)state;
    random_pedigree(&rng, 25, 3, persons);
    for (long n = 0; rc != ATG_OK; n++) {
        size_t before = mem_live();
        atg_buf *buf;

        mem_fail_after(n);
        buf = atg_buf_new(1 << 20);
        rc = buf ? atg_report_pedigree_svg(&op, 0, 600, buf, NULL) : ATG_ENOMEM;
        mem_fail_after(-1);
        atg_buf_free(buf);
        assert_true(rc == ATG_OK || rc == ATG_ENOMEM);
        assert_int_equal(mem_live(), before);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parents_stand_above_and_nobody_stands_on_another),
        cmocka_unit_test(lines_pass_one_row_at_a_time),
        cmocka_unit_test(ordinary_families_are_drawn_without_detours),
        cmocka_unit_test(couples_of_one_blood_are_marked),
        cmocka_unit_test(a_parent_and_child_who_are_a_couple_stand_in_their_own_rows),
        cmocka_unit_test(a_hundred_brothers_and_a_long_line_are_drawn),
        cmocka_unit_test(pedigrees_of_any_shape_are_well_formed_svg),
        cmocka_unit_test(a_broken_pedigree_is_refused),
        cmocka_unit_test(relations_have_the_words_of_the_family),
        cmocka_unit_test(a_failing_allocation_of_a_drawing_is_reported),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    xmlCleanupParser();
    return failed;
}
