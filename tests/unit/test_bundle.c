/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles between sites: what goes over, and how it is merged. */
#include "pair_of_sites.h"

static void a_bundle_brings_what_the_sender_has(const database *where) {
    pair p = pair_new(where);
    record *family = place_family(&p.a, "F-1"), *donor = place_donor(&p.a, family, AGREED);
    record *missing = place_missing(&p.a, "Hansen", "Nora");
    record *informant = place_informant(&p.a, missing);
    record *remains = place_remains(&p.a, "B-17");
    record *all[10] = {family,
                       donor,
                       place_sample(&p.a, family, donor),
                       place_profile(&p.a, family, donor, GENOTYPES),
                       missing,
                       informant,
                       place_photograph(&p.a, missing, informant, picture_bytes()),
                       remains,
                       place_sample(&p.a, remains, NULL),
                       place_profile(&p.a, remains, NULL, "{\"D3S1358\":[\"14\",\"14\"]}")};
    char path[300];
    bundle_made made;
    bundle_opened o;
    file_row found;
    atg_err err = {0};

    path_of(&p, "bundle", path);
    made = place_make(&p.a, &p.b, path);
    assert_int_equal(made.total.records, 11);
    assert_int_equal(made.total.files, 4);
    assert_int_equal(made.total.pictures, 1);
    assert_int_equal(made.withheld, 0);
    o = place_open(&p.b, path);
    assert_int_equal(o.added, 11);
    assert_int_equal(o.refused, 0);
    assert_int_equal(o.pictures, 1);
    assert_true(atg_str_eq(o.from, ATG_STR("Institute K1")));
    for (size_t i = 0; i < 10; i++)
        same_at_both(&p, all[i]);
    same_picture(&p, all[6]);
    made_ok(cases_find(p.b.c, p.b.arena, ATG_STR("AM-K1-000001"), &found, &err), &err);
    assert_int_equal(uuid_cmp(&found.id, &missing->id), 0);
    /* its own codes go on by themselves */
    missing = place_missing(&p.b, "Berg", "Ola");
    assert_true(atg_str_eq(missing->code, ATG_STR("AM-K2-000001")));
    pair_close(&p);
}

static void a_bundle_opened_twice_changes_nothing(const database *where) {
    pair p = pair_new(where);
    record *missing = place_missing(&p.a, "Hansen", "Nora");
    char path[300];
    bundle_opened o;
    int64_t rev;

    path_of(&p, "bundle", path);
    place_make(&p.a, &p.b, path);
    place_open(&p.b, path);
    rev = place_look(&p.b, missing)->rev;
    o = place_open(&p.b, path);
    assert_true(o.before);
    assert_true(o.added == 0 && o.updated == 0 && o.conflicts == 0);
    /* another bundle of the same */
    o = place_send(&p.a, &p.b);
    assert_false(o.before);
    assert_true(o.added == 0 && o.updated <= 1 && o.conflicts == 0 && o.same >= 1);
    assert_true(place_look(&p.b, missing)->rev == rev);
    pair_close(&p);
}

static void a_change_on_one_side_goes_over(const database *where) {
    pair p = pair_new(where);
    record *missing = place_missing(&p.a, "Hansen", "Nora"), *there;
    bundle_made made = {.mark = 0};
    bundle_opened o;
    char path[300];
    atg_err err = {0};

    place_missing(&p.a, "Berg", "Ola");
    place_send(&p.a, &p.b);
    place_edit(&p.a, missing, "hair", "red");
    place_edit(&p.a, missing, "hair", "brown");
    path_of(&p, "second", path);
    made_ok(place_make_for(&p.a, &p.b, path, BUNDLES_SINCE_LAST, &made, &err), &err);
    assert_int_equal(made.total.files, 2); /* the operation goes along */
    o = place_open(&p.b, path);
    assert_int_equal(o.updated, 1);
    assert_int_equal(o.added, 0);
    assert_string_equal(place_text(&p.b, missing, "hair"), "brown");
    /* and back, with what was changed there since */
    there = place_look(&p.b, missing);
    place_edit(&p.b, there, "eyes", "grey");
    o = place_send(&p.b, &p.a);
    assert_int_equal(o.updated, 1);
    assert_string_equal(place_text(&p.a, missing, "eyes"), "grey");
    assert_string_equal(place_text(&p.a, missing, "hair"), "brown");
    pair_close(&p);
}

static void a_change_that_was_taken_back_goes_over_too(const database *where) {
    pair p = pair_new(where);
    record *missing = place_missing(&p.a, "Hansen", "Nora");

    place_edit(&p.a, missing, "hair", "red");
    place_send(&p.a, &p.b);
    place_edit(&p.a, missing, "hair", "brown");
    place_send(&p.a, &p.b);
    assert_string_equal(place_text(&p.b, missing, "hair"), "brown");
    place_edit(&p.a, missing, "hair", "red");
    place_send(&p.a, &p.b);
    assert_string_equal(place_text(&p.b, missing, "hair"), "red");
    pair_close(&p);
}

static void states_and_withdrawals_go_over(const database *where) {
    pair p = pair_new(where);
    record *missing = place_missing(&p.a, "Hansen", "Nora");
    record *remains = place_remains(&p.a, "B-17");
    atg_err err = {0};

    place_send(&p.a, &p.b);
    missing->state = MISSING_STATE_COMPLETE;
    made_ok(place_change(&p.a, CHANGE_STATE, missing, &err), &err);
    made_ok(place_change(&p.a, CHANGE_WITHDRAW, remains, &err), &err);
    place_send(&p.a, &p.b);
    assert_int_equal(place_look(&p.b, missing)->state, MISSING_STATE_COMPLETE);
    assert_true(place_look(&p.b, remains)->withdrawn);
    pair_close(&p);
}

static void an_older_bundle_undoes_nothing(const database *where) {
    pair p = pair_new(where);
    record *missing = place_missing(&p.a, "Hansen", "Nora");
    char old[300], new[300];
    bundle_opened o;

    path_of(&p, "old", old);
    path_of(&p, "new", new);
    place_make(&p.a, &p.b, old);
    place_edit(&p.a, missing, "hair", "red");
    place_make(&p.a, &p.b, new);
    place_open(&p.b, new);
    o = place_open(&p.b, old);
    assert_true(o.updated == 0 && o.conflicts == 0 && o.added == 0);
    assert_string_equal(place_text(&p.b, missing, "hair"), "red");
    pair_close(&p);
}

static void three_sites_agree_whatever_the_way(const database *where) {
    pair p = pair_new(where);
    place c = place_new(where, 3);
    record *missing = place_missing(&p.a, "Hansen", "Nora"), *there;

    c.operation = p.a.operation;
    place_meets(&p.a, &c, SITE_OWN, &p.a.operation);
    place_meets(&c, &p.a, SITE_OWN, NULL);
    place_meets(&c, &p.b, SITE_OWN, NULL);
    place_send(&p.a, &p.b);
    place_meets(&p.b, &c, SITE_OWN, &p.a.operation);
    place_send(&p.a, &c);
    made_ok(sites_join(c.c, &c.all, atg_str_of(p.b.name), &c.operation, true, NULL),
            &(atg_err){.msg = "join"});
    /* changed at the second, told to the third by both ways */
    there = place_look(&p.b, missing);
    place_edit(&p.b, there, "hair", "red");
    place_send(&p.b, &p.a);
    assert_int_equal(place_send(&p.b, &c).updated, 1);
    assert_int_equal(place_send(&p.a, &c).conflicts, 0);
    assert_string_equal(place_text(&c, missing, "hair"), "red");
    /* and back in a circle */
    there = place_look(&c, missing);
    place_edit(&c, there, "hair", "brown");
    place_send(&c, &p.a);
    assert_int_equal(place_send(&p.a, &p.b).conflicts, 0);
    assert_int_equal(place_send(&p.b, &c).conflicts, 0);
    assert_string_equal(place_text(&p.b, missing, "hair"), "brown");
    place_close(&c);
    pair_close(&p);
}

/* ---- conflicts ---- */

static uint32_t conflicts_of(const place *p, conflict_shown **ret) {
    conflicts_wish q = {.operation = p->operation, .limit = 10};
    uint32_t n = 0;
    atg_err err = {0};

    made_ok(conflicts_show(p->c, &p->all, p->arena, &q, ret, &n, &err), &err);
    return n;
}

/* Both sides changed the hair, one the eyes too. */
static record *disagree(pair *p) {
    record *missing = place_missing(&p->a, "Hansen", "Nora"), *there;
    bundle_opened o;

    place_send(&p->a, &p->b);
    there = place_look(&p->b, missing);
    place_edit(&p->a, missing, "hair", "red");
    place_edit(&p->a, missing, "eyes", "grey");
    place_edit(&p->b, there, "hair", "brown");
    o = place_send(&p->a, &p->b);
    assert_int_equal(o.conflicts, 1);
    return missing;
}

static void what_both_sides_changed_is_shown_and_kept(const database *where) {
    pair p = pair_new(where);
    record *missing = disagree(&p);
    conflict_shown *all;

    assert_string_equal(place_text(&p.b, missing, "hair"), "brown");
    assert_string_equal(place_text(&p.b, missing, "eyes"), "");
    assert_int_equal(conflicts_of(&p.b, &all), 1);
    assert_true(atg_str_eq(all[0].from, ATG_STR("Institute K1")));
    assert_int_equal(all[0].n, 2);
    assert_int_equal(all[0].fields[0].field, MISSING_HAIR);
    assert_true(atg_str_eq(all[0].fields[0].ours, ATG_STR("brown")));
    assert_true(atg_str_eq(all[0].fields[0].theirs, ATG_STR("red")));
    assert_int_equal(all[0].fields[1].field, MISSING_EYES);
    assert_int_equal(all[0].fields[1].ours.n, 0);
    /* the same once more is no second one */
    assert_int_equal(place_send(&p.a, &p.b).conflicts, 0);
    assert_int_equal(conflicts_of(&p.b, &all), 1);
    /* changed there again: the newer one is shown */
    place_edit(&p.a, missing, "eyes", "green");
    assert_int_equal(place_send(&p.a, &p.b).conflicts, 1);
    assert_int_equal(conflicts_of(&p.b, &all), 1);
    assert_true(atg_str_eq(all[0].fields[1].theirs, ATG_STR("green")));
    /* the other side learns of it by itself */
    assert_int_equal(place_send(&p.b, &p.a).conflicts, 1);
    assert_string_equal(place_text(&p.a, missing, "hair"), "red");
    pair_close(&p);
}

static void a_decision_settles_it_at_both_sites(const database *where) {
    pair p = pair_new(where);
    record *missing = disagree(&p);
    conflict_shown *all;
    bundle_opened o;
    atg_err err = {0};

    place_send(&p.b, &p.a);
    assert_int_equal(conflicts_of(&p.a, &all), 1);
    assert_int_equal(conflicts_of(&p.b, &all), 1);
    /* the eyes of the other, our hair */
    assert_int_equal(conflicts_decide(p.b.c, &p.b.all, &all[0].row.id, UINT64_C(1) << MISSING_EYES,
                                      all[0].ours->rev + 1, &err),
                     ATG_ECONFLICT);
    made_ok(conflicts_decide(p.b.c, &p.b.all, &all[0].row.id, UINT64_C(1) << MISSING_EYES,
                             all[0].ours->rev, &err),
            &err);
    assert_string_equal(place_text(&p.b, missing, "hair"), "brown");
    assert_string_equal(place_text(&p.b, missing, "eyes"), "grey");
    assert_int_equal(conflicts_of(&p.b, &all), 0);
    o = place_send(&p.b, &p.a);
    assert_int_equal(o.updated, 1);
    assert_int_equal(o.conflicts, 0);
    assert_string_equal(place_text(&p.a, missing, "hair"), "brown");
    assert_string_equal(place_text(&p.a, missing, "eyes"), "grey");
    assert_int_equal(conflicts_of(&p.a, &all), 0);
    assert_int_equal(place_send(&p.a, &p.b).conflicts, 0);
    pair_close(&p);
}

static void to_keep_ones_own_is_a_decision_too(const database *where) {
    pair p = pair_new(where);
    record *missing = disagree(&p);
    conflict_shown *all;
    atg_err err = {0};

    assert_int_equal(conflicts_of(&p.b, &all), 1);
    made_ok(conflicts_decide(p.b.c, &p.b.all, &all[0].row.id, 0, all[0].ours->rev, &err), &err);
    assert_int_equal(place_send(&p.b, &p.a).updated, 1);
    assert_string_equal(place_text(&p.a, missing, "hair"), "brown");
    assert_string_equal(place_text(&p.a, missing, "eyes"), "");
    pair_close(&p);
}

/* Each decides for the other's: nobody's decision is lost unseen. */
static void two_different_decisions_are_a_conflict_again(const database *where) {
    pair p = pair_new(where);
    record *missing = disagree(&p);
    conflict_shown *all;
    atg_err err = {0};

    place_send(&p.b, &p.a);
    assert_int_equal(conflicts_of(&p.a, &all), 1);
    made_ok(conflicts_decide(p.a.c, &p.a.all, &all[0].row.id, 0, all[0].ours->rev, &err), &err);
    assert_int_equal(conflicts_of(&p.b, &all), 1);
    made_ok(conflicts_decide(p.b.c, &p.b.all, &all[0].row.id, 0, all[0].ours->rev, &err), &err);
    assert_int_equal(place_send(&p.a, &p.b).conflicts, 1);
    assert_string_equal(place_text(&p.b, missing, "hair"), "brown");
    assert_string_equal(place_text(&p.a, missing, "hair"), "red");
    pair_close(&p);
}

static void both_sides_with_the_same_change_agree(const database *where) {
    pair p = pair_new(where);
    record *missing = place_missing(&p.a, "Hansen", "Nora"), *there;
    bundle_opened o;

    place_send(&p.a, &p.b);
    there = place_look(&p.b, missing);
    place_edit(&p.a, missing, "hair", "red");
    place_edit(&p.b, there, "hair", "red");
    o = place_send(&p.a, &p.b);
    assert_true(o.conflicts == 0 && o.updated == 0);
    place_edit(&p.a, missing, "hair", "brown");
    assert_int_equal(place_send(&p.a, &p.b).updated, 1);
    there = place_look(&p.b, missing);
    place_edit(&p.b, there, "hair", "grey");
    assert_int_equal(place_send(&p.b, &p.a).updated, 1);
    pair_close(&p);
}

static void a_conflict_goes_with_its_person(const database *where) {
    pair p = pair_new(where);
    record *missing = disagree(&p);
    conflict_shown *all;
    atg_err err = {0};

    made_ok(cases_erase(p.b.c, &p.b.all, &missing->id, &err), &err);
    assert_int_equal(conflicts_of(&p.b, &all), 0);
    assert_int_equal(place_send(&p.a, &p.b).gone, 1);
    pair_close(&p);
}

/* ---- hypotheses ---- */

static void sign_operation(pair *p) {
    record *r = record_new(p->a.arena, RECORD_OPERATION);
    seen s = {0};
    atg_err err = {0};

    r->id = p->a.operation;
    made_ok(place_get(&p->a, RECORD_OPERATION, &r->id, &s, &err), &err);
    r = s.r;
    made_set(p->a.arena, r, "threshold", "0.9999");
    made_set(p->a.arena, r, "min_log10_lr", "6");
    made_set(p->a.arena, r, "prior", "{\"kind\":\"flat\"}");
    r->fields[OPERATION_SIGNED_BY] = (value){.known = true, .ref = p->a.all.account};
    made_ok(place_change(&p->a, CHANGE_EDIT, r, &err), &err);
}

static record *computed(const place *p, const record *missing, const record *remains) {
    record *r = place_record(p, RECORD_HYPOTHESIS, remains);
    actor matcher = {.name = ATG_STR("matcher")};
    change ch = {CHANGE_ADD, r};
    atg_err err = {0};

    place_point(r, "missing", missing);
    made_set(p->arena, r, "log10_lr", "7.5");
    made_ok(cases_change(p->c, &matcher, p->arena, &ch, &err), &err);
    return r;
}

static void move_to(const place *p, record *r, uint32_t state) {
    atg_err err = {0};

    for (uint32_t next = r->state + 1; next <= state; next++) {
        r->state = next;
        made_ok(place_change(p, CHANGE_STATE, r, &err), &err);
    }
}

static record *compared(const place *p, const record *remains, const record *hypothesis,
                        const char *line) {
    record *r = place_record(p, RECORD_COMPARISON, remains);

    place_point(r, "hypothesis", hypothesis);
    made_set(p->arena, r, "line", line);
    made_set(p->arena, r, "conclusion", "possible");
    return place_add(p, r);
}

static const uuid *about(const place *p, const record *comparison) {
    return &place_look(p, comparison)->fields[COMPARISON_HYPOTHESIS].ref;
}

/* Each site computes its own; what people concluded goes over and stands on what is there. */
static void what_people_conclude_goes_over_and_what_is_computed_does_not(const database *where) {
    pair p = pair_new(where);
    record *missing = place_missing(&p.a, "Hansen", "Nora");
    record *remains = place_remains(&p.a, "B-17"), *here, *there, *first, *second;

    sign_operation(&p);
    here = computed(&p.a, missing, remains);
    move_to(&p.a, remains, REMAINS_STATE_UNDER_COMPARISON);
    place_send(&p.a, &p.b);
    assert_false(place_has(&p.b, here));
    there = computed(&p.b, missing, remains);
    first = compared(&p.a, remains, here, "dna");
    assert_int_equal(place_send(&p.a, &p.b).refused, 0);
    assert_false(place_has(&p.b, here));
    assert_int_equal(uuid_cmp(about(&p.b, first), &there->id), 0);
    second = compared(&p.b, remains, there, "traits");
    assert_int_equal(place_send(&p.b, &p.a).refused, 0);
    assert_false(place_has(&p.a, there));
    assert_int_equal(uuid_cmp(about(&p.a, second), &here->id), 0);
    assert_int_equal(uuid_cmp(about(&p.a, first), &here->id), 0);
    assert_int_equal(place_send(&p.a, &p.b).conflicts, 0);
    pair_close(&p);
}

static void a_pair_without_a_hypothesis_gets_the_one_that_was_concluded_on(const database *where) {
    pair p = pair_new(where);
    record *missing = place_missing(&p.a, "Hansen", "Nora");
    record *remains = place_remains(&p.a, "B-17"), *here, *comparison;

    sign_operation(&p);
    here = computed(&p.a, missing, remains);
    move_to(&p.a, remains, REMAINS_STATE_UNDER_COMPARISON);
    comparison = compared(&p.a, remains, here, "dna");
    assert_int_equal(place_send(&p.a, &p.b).refused, 0);
    assert_true(place_has(&p.b, here));
    assert_true(place_has(&p.b, comparison));
    assert_int_equal(place_look(&p.b, remains)->state, REMAINS_STATE_UNDER_COMPARISON);
    assert_true(atg_str_eq(place_look(&p.b, here)->code, here->code));
    pair_close(&p);
}

int main(void) {
    static const database_test tests[] = {
#define TEST(name) {#name, name, ON_BOTH}
        TEST(a_bundle_brings_what_the_sender_has),
        TEST(a_bundle_opened_twice_changes_nothing),
        TEST(a_change_on_one_side_goes_over),
        TEST(a_change_that_was_taken_back_goes_over_too),
        TEST(states_and_withdrawals_go_over),
        TEST(an_older_bundle_undoes_nothing),
        TEST(three_sites_agree_whatever_the_way),
        TEST(what_both_sides_changed_is_shown_and_kept),
        TEST(a_decision_settles_it_at_both_sites),
        TEST(to_keep_ones_own_is_a_decision_too),
        TEST(two_different_decisions_are_a_conflict_again),
        TEST(both_sides_with_the_same_change_agree),
        TEST(a_conflict_goes_with_its_person),
        TEST(what_people_conclude_goes_over_and_what_is_computed_does_not),
        TEST(a_pair_without_a_hypothesis_gets_the_one_that_was_concluded_on),
    };

    return DATABASE_RUN(tests);
}
