/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles between sites: what stays, what is erased, and who is let in. */
#include "pair_of_sites.h"

/* ---- consent ---- */

typedef struct given {
    record *family, *donor, *sample, *profile;
} given;

static given give(const place *p, const char *recipients) {
    given g = {.family = place_family(p, "F-1")};

    g.donor = place_donor(p, g.family, recipients);
    g.sample = place_sample(p, g.family, g.donor);
    g.profile = place_profile(p, g.family, g.donor, GENOTYPES);
    return g;
}

/* Nothing of the donor stands in the bundle, whoever reads it. */
static void stays_here(pair *p, const given *g, const char *name) {
    char path[300], id[UUID_TEXT + 1];
    bundle_made made;
    text t;

    path_of(p, name, path);
    made = place_make(&p->a, &p->b, path);
    assert_true(made.withheld >= 3);
    t = plain_of(&p->b, path);
    assert_false(says(&t, "91.7"));
    assert_false(says(&t, "Solveig"));
    uuid_text(&g->profile->id, id);
    assert_true(t.n > 1000);
    free(t.p);
    place_open(&p->b, path);
    assert_false(place_has(&p->b, g->profile));
    assert_false(place_has(&p->b, g->sample));
    assert_false(place_has(&p->b, g->donor));
}

static void without_consent_a_relative_does_not_leave(const database *where) {
    pair p = pair_new(where);
    given g = give(&p.a, NULL);

    stays_here(&p, &g, "this-operation");
    g = give(&p.a, ELSEWHERE);
    stays_here(&p, &g, "another-recipient");
    g = give(&p.a, AGREED);
    place_edit(&p.a, g.donor, "withdrawn_on", "2026-11-29");
    stays_here(&p, &g, "withdrawn");
    pair_close(&p);
}

static void consent_that_is_over_does_not_count(const database *where) {
    pair p = pair_new(where);
    given g = give(&p.a, AGREED);

    clock_set(clock_now() + INT64_C(20) * 366 * 86400 * 1000000);
    stays_here(&p, &g, "over");
    clock_set(-1);
    pair_close(&p);
}

static void with_consent_a_relative_does_leave(const database *where) {
    pair p = pair_new(where);
    given g = give(&p.a, AGREED);
    char path[300];
    text t;

    path_of(&p, "bundle", path);
    assert_int_equal(place_make(&p.a, &p.b, path).withheld, 0);
    t = plain_of(&p.b, path);
    assert_true(says(&t, "91.7"));
    free(t.p);
    place_open(&p.b, path);
    assert_true(place_has(&p.b, g.profile));
    assert_true(place_has(&p.b, g.donor));
    pair_close(&p);
}

static void nothing_of_relatives_goes_to_an_index_of_criminals(const database *where) {
    pair p = {.a = place_new(where, 1), .b = place_new(where, 2)};
    char path[300];
    record *remains;
    given g;
    text t;

    place_operation(&p.a);
    p.b.operation = p.a.operation;
    place_meets(&p.a, &p.b, SITE_CRIMINAL_INDEX, &p.a.operation);
    place_meets(&p.b, &p.a, SITE_OWN, NULL);
    g = give(&p.a, AGREED);
    remains = place_remains(&p.a, "B-17");
    path_of(&p, "bundle", path);
    place_make(&p.a, &p.b, path);
    t = plain_of(&p.b, path);
    assert_false(says(&t, "91.7"));
    assert_false(says(&t, "F-1"));
    free(t.p);
    place_open(&p.b, path);
    assert_false(place_has(&p.b, g.family));
    assert_true(place_has(&p.b, remains));
    pair_close(&p);
}

static void who_withdraws_later_is_withdrawn_everywhere(const database *where) {
    pair p = pair_new(where);
    given g = give(&p.a, AGREED);

    place_send(&p.a, &p.b);
    assert_true(place_has(&p.b, g.donor));
    place_edit(&p.a, g.donor, "withdrawn_on", "2026-11-29");
    place_send(&p.a, &p.b);
    assert_string_equal(place_text(&p.b, g.donor, "withdrawn_on"), "2026-11-29");
    pair_close(&p);
}

static void what_is_for_the_agency_stays_in_it(const database *where) {
    pair p = pair_new(where);
    record *secret = place_missing(&p.a, "Hansen", "Nora"), *open = place_missing(&p.a, "B", "Ola");
    char path[300];
    text t;

    place_edit(&p.a, secret, "scope", "agency");
    path_of(&p, "bundle", path);
    assert_int_equal(place_make(&p.a, &p.b, path).withheld, 1);
    t = plain_of(&p.b, path);
    assert_false(says(&t, "Hansen"));
    free(t.p);
    place_open(&p.b, path);
    assert_false(place_has(&p.b, secret));
    assert_true(place_has(&p.b, open));
    pair_close(&p);
}

static void to_others_only_what_is_shared_goes(const database *where) {
    pair p = {.a = place_new(where, 1), .b = place_new(where, 2)};
    record *own, *shared;
    char path[300];
    text t;

    place_operation(&p.a);
    place_meets(&p.a, &p.b, SITE_TRACING_AGENCY, NULL);
    own = place_missing(&p.a, "Hansen", "Nora");
    shared = place_missing(&p.a, "Berg", "Ola");
    place_edit(&p.a, shared, "scope", "sharing_operations");
    path_of(&p, "bundle", path);
    place_make(&p.a, &p.b, path);
    t = plain_of(&p.b, path);
    assert_true(says(&t, "Berg"));
    assert_false(says(&t, "Hansen"));
    (void)own;
    free(t.p);
    pair_close(&p);
}

/* ---- erasure ---- */

static void who_is_erased_is_erased_everywhere(const database *where) {
    pair p = pair_new(where);
    record *missing = place_missing(&p.a, "Hansen", "Nora");
    char old[300];
    bundle_opened o;
    seen s = {0};
    atg_err err = {0};

    path_of(&p, "old", old);
    place_send(&p.a, &p.b);
    place_make(&p.a, &p.b, old);
    made_ok(cases_erase(p.a.c, &p.a.all, &missing->id, &err), &err);
    o = place_send(&p.a, &p.b);
    assert_int_equal(o.erased, 1);
    made_ok(place_get(&p.b, RECORD_MISSING, &missing->id, &s, &err), &err);
    assert_true(s.erased);
    /* an old bundle does not bring them back, here or where they were erased first */
    o = place_open(&p.b, old);
    assert_int_equal(o.gone, 1);
    assert_int_equal(o.added, 0);
    made_ok(place_get(&p.b, RECORD_MISSING, &missing->id, &s, &err), &err);
    assert_true(s.erased);
    pair_close(&p);
}

static void a_tombstone_of_somebody_unknown_keeps_them_out(const database *where) {
    pair p = pair_new(where);
    record *missing = place_missing(&p.a, "Hansen", "Nora");
    char old[300];
    bundle_opened o;
    atg_err err = {0};

    path_of(&p, "old", old);
    place_make(&p.a, &p.b, old);
    made_ok(cases_erase(p.a.c, &p.a.all, &missing->id, &err), &err);
    o = place_send(&p.a, &p.b);
    assert_int_equal(o.erased, 0);
    o = place_open(&p.b, old);
    assert_int_equal(o.gone, 1);
    assert_false(place_has(&p.b, missing));
    pair_close(&p);
}

/* ---- who may, who is known ---- */

static void the_board_makes_and_opens_bundles_with_a_reason(const database *where) {
    pair p = pair_new(where);
    bundle_wish w = {
        .operation = p.a.operation, .to = ATG_STR("Institute K2"), .since = BUNDLES_ALL};
    actor silent = p.a.all;
    bundle_made made;
    char path[300];
    const char *paths[] = {path};
    bundle_order order = {.paths = paths, .n_paths = 1};
    bundle_opened o;
    atg_err err = {0};

    path_of(&p, "bundle", path);
    w.path = path;
    silent.reason = (atg_str){NULL, 0};
    assert_int_equal(bundles_make(p.a.c, &p.a.interviewer, &w, &made, &err), ATG_EDENIED);
    assert_non_null(strstr(err.msg, "board"));
    assert_int_equal(bundles_make(p.a.c, &silent, &w, &made, &err), ATG_EDENIED);
    assert_non_null(strstr(err.msg, "reason"));
    assert_int_equal(access(path, F_OK), -1);
    made_ok(bundles_make(p.a.c, &p.a.all, &w, &made, &err), &err);
    assert_int_equal(bundles_make(p.a.c, &p.a.all, &w, &made, &err), ATG_ECONFLICT);
    assert_int_equal(bundles_open(p.b.c, &p.b.interviewer, p.b.arena, &order, &o, &err),
                     ATG_EDENIED);
    silent = p.b.all;
    silent.reason = (atg_str){NULL, 0};
    assert_int_equal(bundles_open(p.b.c, &silent, p.b.arena, &order, &o, &err), ATG_EDENIED);
    made_ok(bundles_open(p.b.c, &p.b.all, p.b.arena, &order, &o, &err), &err);
    pair_close(&p);
}

static void a_site_is_known_by_the_fingerprint_that_its_people_tell(const database *where) {
    place a = place_new(where, 1), b = place_new(where, 2);
    char card[SITECARD_MAX], fingerprint[SITECARD_FINGERPRINT + 1];
    new_site n = {.name = ATG_STR("Institute K2"), .agency = ATG_STR("Institute K2")};
    sitecard own;
    peer_row *all;
    uint32_t count;
    atg_err err = {0};

    made_ok(sites_card(b.c, card, &err), &err);
    made_ok(sites_own(b.c, &own, &err), &err);
    sitecard_fingerprint(&own, fingerprint);
    n.card = atg_str_of(card);
    n.fingerprint = ATG_STR("0000 0000 0000 0000 0000 0000 0000 0000");
    assert_int_equal(sites_add(a.c, &a.all, &n, &err), ATG_EDENIED);
    assert_non_null(strstr(err.msg, "fingerprint"));
    n.fingerprint = atg_str_of(fingerprint);
    assert_int_equal(sites_add(a.c, &a.interviewer, &n, &err), ATG_EDENIED);
    made_ok(sites_add(a.c, &a.administrator, &n, &err), &err);
    assert_int_equal(sites_add(a.c, &a.administrator, &n, &err), ATG_ECONFLICT);
    made_ok(sites_list(a.c, a.arena, &all, &count, &err), &err);
    assert_int_equal(count, 1);
    sites_fingerprint(&all[0], card);
    assert_string_equal(card, fingerprint);
    made_ok(sites_remove(a.c, &a.administrator, n.name, &err), &err);
    made_ok(sites_list(a.c, a.arena, &all, &count, &err), &err);
    assert_int_equal(count, 0);
    /* its own card */
    made_ok(sites_card(a.c, card, &err), &err);
    made_ok(sites_own(a.c, &own, &err), &err);
    sitecard_fingerprint(&own, fingerprint);
    n.fingerprint = atg_str_of(fingerprint);
    n.card = atg_str_of(card);
    assert_int_equal(sites_add(a.c, &a.administrator, &n, &err), ATG_EINVAL);
    place_close(&a);
    place_close(&b);
}

static void only_a_known_sender_and_the_receiver_are_let_in(const database *where) {
    pair p = pair_new(where);
    place c = place_new(where, 3);
    char path[300];
    atg_err err = {0};

    place_missing(&p.a, "Hansen", "Nora");
    path_of(&p, "bundle", path);
    place_make(&p.a, &p.b, path);
    refused(&c, path, ATG_EDENIED, "not known here");
    place_meets(&c, &p.a, SITE_OWN, NULL);
    refused(&c, path, ATG_EDENIED, "for others");
    made_ok(sites_remove(p.b.c, &p.b.all, ATG_STR("Institute K1"), &err), &err);
    refused(&p.b, path, ATG_EDENIED, "not known here");
    place_meets(&p.b, &p.a, SITE_OWN, NULL);
    place_open(&p.b, path);
    /* who takes no part in the operation any more */
    made_ok(sites_join(p.b.c, &p.b.all, ATG_STR("Institute K1"), &p.b.operation, false, &err),
            &err);
    path_of(&p, "second", path);
    place_make(&p.a, &p.b, path);
    refused(&p.b, path, ATG_EDENIED, "takes no part");
    place_close(&c);
    pair_close(&p);
}

static void a_record_that_breaks_a_rule_is_told_and_the_others_come(const database *where) {
    pair p = pair_new(where);
    record *missing = place_missing(&p.a, "Hansen", "Nora");
    record *informant = place_informant(&p.a, missing);
    record *photograph = place_photograph(&p.a, missing, informant, picture_bytes());
    bundle_opened o;

    /* the informant is for the agency alone: nobody vouches for the photograph there */
    place_edit(&p.a, informant, "scope", "agency");
    o = place_send(&p.a, &p.b);
    assert_int_equal(o.refused, 1);
    assert_non_null(strstr(o.told[0].p, "AM-K1-000001"));
    assert_non_null(strstr(o.told[0].p, "Rule 2"));
    assert_true(place_has(&p.b, missing));
    assert_false(place_has(&p.b, photograph));
    /* and comes as soon as it is right */
    place_edit(&p.a, informant, "scope", "operation");
    o = place_send(&p.a, &p.b);
    assert_int_equal(o.refused, 0);
    same_picture(&p, photograph);
    pair_close(&p);
}

int main(void) {
    static const database_test tests[] = {
#define TEST(name) {#name, name, ON_BOTH}
        TEST(without_consent_a_relative_does_not_leave),
        TEST(consent_that_is_over_does_not_count),
        TEST(with_consent_a_relative_does_leave),
        TEST(nothing_of_relatives_goes_to_an_index_of_criminals),
        TEST(who_withdraws_later_is_withdrawn_everywhere),
        TEST(what_is_for_the_agency_stays_in_it),
        TEST(to_others_only_what_is_shared_goes),
        TEST(who_is_erased_is_erased_everywhere),
        TEST(a_tombstone_of_somebody_unknown_keeps_them_out),
        TEST(the_board_makes_and_opens_bundles_with_a_reason),
        TEST(a_site_is_known_by_the_fingerprint_that_its_people_tell),
        TEST(only_a_known_sender_and_the_receiver_are_let_in),
        TEST(a_record_that_breaks_a_rule_is_told_and_the_others_come),
    };

    return DATABASE_RUN(tests);
}
