/* SPDX-License-Identifier: Apache-2.0 */
/* Other sites over the network: who is known, who takes part, and what was changed on both sides;
 * and the DNA of a whole operation. */
#include "caller.h"
#include "exercise_markers.h"
#include "two_sites.h"

#include <time.h>

typedef struct scene {
    served w;
    place here, other; /* the service's store; another site that knows it */
    caller by;
} scene;

static scene scene_open(const database *where) {
    scene s = {.w = served_open(where, NULL), .other = place_new(where, 2)};

    set_places(where);
    s.here = (place){.c = s.w.made.c, .arena = s.w.made.arena, .all = s.w.made.all};
    snprintf(s.here.name, sizeof(s.here.name), "Institute K3");
    place_operation(&s.other);
    s.here.operation = s.other.operation;
    place_meets(&s.other, &s.here, SITE_OWN, &s.other.operation);
    served_confirm(&s.w, SERVED_ALL);
    keep_session(s.w.url, s.w.token[SERVED_ALL], "everybody", time(NULL));
    open_caller(&s.by, s.w.url, s.w.authority);
    assert_int_equal(s.by.s.at->let_in(&s.by.a, &s.by.s), EXIT_DONE);
    s.by.s.who.reason = ATG_STR("sites exchange");
    s.by.s.operation = (file_row){.id = s.w.made.operation, .kind = RECORD_OPERATION};
    return s;
}

static void scene_close(scene *s) {
    close_caller(&s->by);
    place_close(&s->other);
    served_close(&s->w);
}

static void must_be_refused(int rc, int wanted, const atg_err *err, const char *words) {
    if (rc != wanted || !strstr(err->msg, words))
        fail_msg("%d where %d was expected, with '%s': %s", rc, wanted, words, err->msg);
}

/* What the people of the other site bring and say. */
static new_site card_of(const place *other, char card[SITECARD_MAX],
                        char fingerprint[SITECARD_FINGERPRINT + 1]) {
    sitecard own;
    atg_err err = {0};

    made_ok(sites_card(other->c, card, &err), &err);
    made_ok(sites_own(other->c, &own, &err), &err);
    sitecard_fingerprint(&own, fingerprint);
    return (new_site){.name = atg_str_of(other->name),
                      .kind = SITE_OWN,
                      .agency = atg_str_of(other->name),
                      .card = atg_str_of(card),
                      .fingerprint = atg_str_of(fingerprint)};
}

static void sites_are_known_take_part_and_are_forgotten(const database *where) {
    scene s = scene_open(where);
    store_session *by = &s.by.s;
    char card[SITECARD_MAX], fingerprint[SITECARD_FINGERPRINT + 1];
    new_site n = card_of(&s.other, card, fingerprint), wrong = n;
    site_shown *all;
    uint32_t count;
    atg_err err = {0};

    wrong.fingerprint = ATG_STR("0000 0000 0000 0000 0000 0000 0000 0000");
    must_be_refused(by->at->site_add(by, &wrong, &err), ATG_EDENIED, &err, "fingerprint");
    made_ok(by->at->site_add(by, &n, &err), &err);
    must_be_refused(by->at->site_add(by, &n, &err), ATG_ECONFLICT, &err,
                    "This site is known already, as \"Institute K2\"");
    made_ok(by->at->site_list(by, &all, &count, &err), &err);
    assert_int_equal(count, 1);
    assert_true(atg_str_eq(all[0].name, n.name) && atg_str_eq(all[0].agency, n.agency));
    assert_true(atg_str_eq(all[0].prefix, ATG_STR("K2")));
    assert_true(atg_str_eq(all[0].fingerprint, n.fingerprint));
    made_ok(by->at->site_join(by, n.name, true, &err), &err);
    made_ok(by->at->site_join(by, n.name, false, &err), &err);
    made_ok(by->at->site_join(by, n.name, false, &err), &err);
    must_be_refused(by->at->site_join(by, ATG_STR("K9"), true, &err), ATG_ENOTFOUND, &err,
                    "no such site");
    made_ok(by->at->site_remove(by, n.name, &err), &err);
    made_ok(by->at->site_list(by, &all, &count, &err), &err);
    assert_int_equal(count, 0);
    must_be_refused(by->at->site_remove(by, n.name, &err), ATG_ENOTFOUND, &err, "no such site");
    scene_close(&s);
}

static void what_both_sides_changed_is_decided(const database *where) {
    scene s = scene_open(where);
    store_session *by = &s.by.s;
    conflicts_wish wish = {.operation = s.other.operation, .limit = 10};
    record *missing = place_missing(&s.other, "Hansen", "Nora"), *mine;
    conflict_shown *all, stale;
    uint32_t n;
    atg_err err = {0};

    place_meets(&s.here, &s.other, SITE_OWN, NULL);
    assert_int_equal(place_send(&s.other, &s.here).conflicts, 0);
    mine = place_look(&s.here, missing);
    place_edit(&s.other, missing, "hair", "brown");
    place_edit(&s.other, missing, "eyes", "blue");
    place_edit(&s.here, mine, "hair", "red");
    assert_int_equal(place_send(&s.other, &s.here).conflicts, 1);
    made_ok(by->at->conflicts(by, &wish, &all, &n, &err), &err);
    assert_int_equal(n, 1);
    assert_int_equal(all[0].n, 2);
    assert_true(atg_str_eq(all[0].fields[0].ours, ATG_STR("red")));
    assert_true(atg_str_eq(all[0].fields[0].theirs, ATG_STR("brown")));
    /* it was read before somebody changed it here */
    stale = all[0];
    place_edit(&s.here, mine, "hair", "auburn");
    must_be_refused(by->at->decide(by, &stale, UINT64_C(1) << MISSING_EYES, &err), ATG_ECONFLICT,
                    &err, "look at the conflict again");
    made_ok(by->at->conflicts(by, &wish, &all, &n, &err), &err);
    made_ok(by->at->decide(by, &all[0], UINT64_C(1) << MISSING_EYES, &err), &err);
    assert_string_equal(place_text(&s.here, missing, "eyes"), "blue");
    assert_string_equal(place_text(&s.here, missing, "hair"), "auburn");
    made_ok(by->at->conflicts(by, &wish, &all, &n, &err), &err);
    assert_int_equal(n, 0);
    must_be_refused(by->at->decide(by, &stale, 0, &err), ATG_ENOTFOUND, &err, "no such conflict");
    scene_close(&s);
}

/* ---- DNA ---- */

static void the_dna_of_an_operation_comes_in_once(const database *where) {
    enum { MARKERS = 16, MISSING = 6 };
    scene s = scene_open(where);
    store_session *by = &s.by.s;
    atg_exercise_options o = atg_exercise_default();
    save_options how = {.operation = s.w.made.operation,
                        .agreed_on = ATG_STR("2026-11-01"),
                        .ends_on = ATG_STR("2036-11-01"),
                        .basis = ATG_STR("consent"),
                        .sign = true};
    atg_operation op;
    atg_truth truth;
    saved got;
    atg_err err = {0};

    o.n_missing = MISSING;
    o.n_bodies = 0;
    made_ok(atg_exercise_make(s.w.made.arena, table_size(MARKERS),
                              table_markers(s.w.made.arena, MARKERS), &o, &op, &truth, &err),
            &err);
    made_ok(by->at->import_dna(by, &op, &how, NULL, &got, &err), &err);
    assert_int_equal(got.missing, MISSING);
    assert_int_equal(got.families, op.n_families);
    assert_true(got.remains > 0 && got.profiles > 0 && got.known == 0);
    /* the store itself has it, and again it is there already */
    made_ok(operation_save(s.w.made.c, &s.w.made.all, &op, &how, NULL, &got, &err), &err);
    assert_int_equal(got.remains + got.families + got.missing + got.profiles, 0);
    made_ok(by->at->import_dna(by, &op, &how, NULL, &got, &err), &err);
    assert_int_equal(got.remains + got.families + got.missing + got.profiles, 0);
    assert_int_equal(got.known, op.n_samples + op.n_families + op.n_missing);
    scene_close(&s);
}

int main(void) {
    static const database_test tests[] = {
        {"sites are known, take part and are forgotten",
         sites_are_known_take_part_and_are_forgotten, ON_BOTH},
        {"the DNA of an operation comes in once", the_dna_of_an_operation_comes_in_once, ON_BOTH},
        {"what both sides changed is decided", what_both_sides_changed_is_decided, ON_BOTH},
    };

    curl_global_init(CURL_GLOBAL_DEFAULT);
    return DATABASE_RUN(tests);
}
