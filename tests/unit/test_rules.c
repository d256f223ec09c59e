/* SPDX-License-Identifier: Apache-2.0 */
/* The design's rules on photographs, on the living, on telling families and on consent: what they
 * refuse.  Rule 5 has a program of its own (test_rules_decide.c). */
#include "ruled.h"

/* ---- rules 1 and 2: photographs ---- */

static record *am_photograph(ruled *w, const record *missing, const record *informant) {
    record *r = ruled_new(w, RECORD_PHOTOGRAPH, missing);

    ruled_set(w, r, "what", "face");
    ruled_set(w, r, "obtained", "2026-11-20");
    ruled_set(w, r, "basis", "consent");
    ruled_set(w, r, "confirmed", "yes");
    ruled_set(w, r, "image", "00000000000000000000000000000000000000000000000000000000000000ff");
    if (informant)
        ruled_point(r, "informant", &informant->id);
    return r;
}

static void a_photograph_of_the_missing_names_informant_day_and_basis(const database *where) {
    static const char *const needed[] = {"obtained", "basis"};
    ruled w = ruled_open(where);
    const actor *who = &w.by[ROLE_INTERVIEWER];
    record *r;

    for (size_t i = 0; i < 2; i++) {
        r = am_photograph(&w, w.missing, w.informant);
        ruled_set(&w, r, needed[i], "");
        ruled_refused(&w, who, NULL, r, "Rule 2", "informant");
    }
    r = am_photograph(&w, w.missing, NULL);
    ruled_set(&w, r, "confirmed", "");
    ruled_refused(&w, who, NULL, r, "Rule 2", "informant");
    ruled_set(&w, r, "confirmed", "no");
    ruled_refused(&w, who, NULL, r, "Rule 2", "informant");
    r = am_photograph(&w, w.missing, w.informant);
    ruled_add(&w, who, r);
    ruled_refused(&w, who, r, ruled_changed(&w, r, "basis", ""), "Rule 2", "basis");
    ruled_close(&w);
}

static void only_an_informant_confirms_whom_a_photograph_shows(const database *where) {
    ruled w = ruled_open(where);
    record *r = am_photograph(&w, w.missing, NULL);

    ruled_refused(&w, &w.by[ROLE_INTERVIEWER], NULL, r, "Rule 1", "confirms");
    ruled_close(&w);
}

static void the_informant_is_one_of_the_file_or_of_its_family(const database *where) {
    ruled w = ruled_open(where);
    const actor *who = &w.by[ROLE_INTERVIEWER];
    record *elsewhere = ruled_informant(&w, ruled_missing(&w));
    record *relative = ruled_informant(&w, w.family);
    record *r = am_photograph(&w, w.missing, elsewhere);
    uuid nobody = kept_id();

    ruled_refused(&w, who, NULL, r, "Rule 2", "informant");
    ruled_point(r, "informant", &nobody);
    ruled_refused(&w, who, NULL, r, "Rule 2", "informant");
    ruled_add(&w, who, am_photograph(&w, w.missing, relative));
    ruled_withdraw(&w, who, relative);
    ruled_refused(&w, who, NULL, am_photograph(&w, w.missing, relative), "Rule 2", "informant");
    ruled_erase(&w, &w.informant->id);
    ruled_refused(&w, who, NULL, am_photograph(&w, w.missing, w.informant), "Rule 2", "informant");
    ruled_close(&w);
}

static record *pm_photograph(ruled *w) {
    record *r = ruled_new(w, RECORD_PHOTOGRAPH, w->remains);

    ruled_set(w, r, "what", "face");
    ruled_set(w, r, "image", "00000000000000000000000000000000000000000000000000000000000000ff");
    return r;
}

static record *custody(ruled *w, const char *event) {
    record *r = ruled_new(w, RECORD_CUSTODY, w->remains);

    ruled_set(w, r, "event", event);
    ruled_set(w, r, "happened", "2026-11-03");
    ruled_set(w, r, "by", "Coast guard");
    return r;
}

static void who_entered_something_is_neither_made_up_nor_changed(const database *where) {
    ruled w = ruled_open(where);
    const actor *who = &w.by[ROLE_MORTUARY], *other = &w.second[ROLE_MORTUARY];
    record *r = custody(&w, "recovery"), *changed;

    ruled_point(r, "entered_by", &other->account);
    ruled_refused(&w, who, NULL, r, "Rule 1", "entered");
    r = custody(&w, "recovery");
    ruled_add(&w, who, r);
    assert_int_equal(uuid_cmp(&r->fields[CUSTODY_ENTERED_BY].ref, &who->account), 0);
    changed = ruled_changed(&w, r, "from_place", "Beach");
    ruled_point(changed, "entered_by", &other->account);
    ruled_refused(&w, other, r, changed, "Rule 1", "entered");
    ruled_edit(&w, other, r, "from_place", "Beach");
    ruled_refused(&w, other, r, ruled_changed(&w, r, "event", "transport"), "Rule 1", "alone");
    ruled_edit(&w, who, r, "event", "transport");
    r = pm_photograph(&w);
    ruled_point(r, "entered_by", &other->account);
    ruled_refused(&w, who, NULL, r, "Rule 1", "entered");
    r = pm_photograph(&w);
    ruled_add(&w, who, r);
    ruled_refused(&w, other, r, ruled_changed(&w, r, "image", ""), "Rule 1", "alone");
    ruled_edit(&w, other, r, "what", "teeth");
    ruled_close(&w);
}

static int probe(ruled *w, const actor *who, const record *photograph, atg_err *err) {
    int rc;

    kept_read(w->d);
    rc = rules_probe(w->d, who, &photograph->id, err);
    kept_commit(w->d);
    return rc;
}

static void no_probe(ruled *w, const actor *who, const record *photograph, const char *words) {
    atg_err err = {0};

    assert_int_equal(probe(w, who, photograph, &err), ATG_EDENIED);
    if (!strstr(err.msg, "Rule 1") || !strstr(err.msg, words))
        fail_msg("'%s' does not say '%s'", err.msg, words);
}

static void a_probe_is_of_the_dead_and_recovered_by_the_word_of_another(const database *where) {
    ruled w = ruled_open(where);
    const actor *entered = &w.by[ROLE_MORTUARY], *other = &w.second[ROLE_MORTUARY];
    const actor *asks = &w.by[ROLE_EXAMINER];
    record *r = pm_photograph(&w), *event = custody(&w, "recovery");
    record *am = am_photograph(&w, w.missing, w.informant);
    atg_err err = {0};

    ruled_add(&w, entered, r);
    ruled_add(&w, &w.by[ROLE_INTERVIEWER], am);
    no_probe(&w, asks, am, "never of the missing");
    no_probe(&w, asks, r, "recovery event");
    ruled_add(&w, other, custody(&w, "transport"));
    no_probe(&w, asks, r, "recovery event");
    ruled_add(&w, entered, custody(&w, "recovery"));
    no_probe(&w, asks, r, "recovery event");
    ruled_add(&w, other, event);
    must(probe(&w, asks, r, &err), &err);
    no_probe(&w, other, r, "recovery event");
    no_probe(&w, &w.matcher, r, "named account");
    no_probe(&w, asks, w.missing, "registered");
    ruled_withdraw(&w, other, event);
    no_probe(&w, asks, r, "recovery event");
    ruled_add(&w, other, custody(&w, "recovery"));
    must(probe(&w, asks, r, &err), &err);
    ruled_withdraw(&w, entered, r);
    no_probe(&w, asks, r, "withdrawn");
    ruled_close(&w);
}

static bool shown(ruled *w, const record *photograph, const uuid *operation) {
    atg_err err = {0};
    bool in = false;

    kept_read(w->d);
    must(rules_gallery(w->d, operation, &photograph->id, &in, &err), &err);
    kept_commit(w->d);
    return in;
}

static void a_gallery_is_of_confirmed_faces_of_the_missing(const database *where) {
    ruled w = ruled_open(where);
    const actor *who = &w.by[ROLE_INTERVIEWER];
    const uuid *here = &w.operation->id;
    record *r = am_photograph(&w, w.missing, w.informant);
    record *pm = pm_photograph(&w);
    uuid elsewhere = kept_id();

    ruled_add(&w, who, r);
    ruled_add(&w, &w.by[ROLE_MORTUARY], pm);
    assert_true(shown(&w, r, here));
    assert_false(shown(&w, r, &elsewhere));
    assert_false(shown(&w, pm, here));
    ruled_edit(&w, who, r, "confirmed", "no");
    assert_false(shown(&w, r, here));
    ruled_edit(&w, who, r, "confirmed", "yes");
    ruled_edit(&w, who, r, "what", "scene");
    assert_false(shown(&w, r, here));
    ruled_edit(&w, who, r, "what", "face");
    assert_true(shown(&w, r, here));
    ruled_withdraw(&w, who, w.informant);
    assert_false(shown(&w, r, here));
    ruled_close(&w);
}

/* ---- rule 3: the living ---- */

static void somebody_found_alive_leaves_every_gallery_at_once(const database *where) {
    ruled w = ruled_open(where);
    const actor *who = &w.by[ROLE_INTERVIEWER];
    record *r = am_photograph(&w, w.missing, w.informant);

    ruled_add(&w, who, r);
    ruled_refused(&w, who, w.missing, ruled_moved(&w, w.missing, MISSING_STATE_FOUND_ALIVE),
                  "Rule 3", "alive_on");
    assert_true(shown(&w, r, &w.operation->id));
    ruled_edit(&w, who, w.missing, "alive_on", "2026-11-30");
    ruled_move(&w, who, w.missing, MISSING_STATE_FOUND_ALIVE);
    assert_false(shown(&w, r, &w.operation->id));
    ruled_close(&w);
}

static void a_file_that_was_withdrawn_leaves_every_gallery_at_once(const database *where) {
    ruled w = ruled_open(where);
    record *r = am_photograph(&w, w.missing, w.informant);

    ruled_add(&w, &w.by[ROLE_INTERVIEWER], r);
    ruled_move(&w, &w.by[ROLE_INTERVIEWER], w.missing, MISSING_STATE_WITHDRAWN);
    assert_false(shown(&w, r, &w.operation->id));
    ruled_close(&w);
}

static void an_erased_person_is_in_no_gallery(const database *where) {
    ruled w = ruled_open(where);
    record *r = am_photograph(&w, w.missing, w.informant);

    ruled_add(&w, &w.by[ROLE_INTERVIEWER], r);
    ruled_erase(&w, &w.informant->id);
    assert_false(shown(&w, r, &w.operation->id));
    ruled_close(&w);
}

static void where_the_living_are_is_kept_only_with_their_consent(const database *where) {
    ruled w = ruled_open(where);
    const actor *who = &w.by[ROLE_INTERVIEWER];

    ruled_refused(&w, who, w.missing, ruled_changed(&w, w.missing, "whereabouts", "K2"), "Rule 3",
                  "consent");
    ruled_edit(&w, who, w.missing, "alive_on", "2026-11-30");
    ruled_move(&w, who, w.missing, MISSING_STATE_FOUND_ALIVE);
    ruled_refused(&w, who, w.missing, ruled_changed(&w, w.missing, "whereabouts", "K2"), "Rule 3",
                  "consent");
    ruled_edit(&w, who, w.missing, "alive_consent", "no");
    ruled_refused(&w, who, w.missing, ruled_changed(&w, w.missing, "whereabouts", "K2"), "Rule 3",
                  "consent");
    ruled_edit(&w, who, w.missing, "alive_consent", "yes");
    ruled_edit(&w, who, w.missing, "whereabouts", "K2");
    ruled_refused(&w, who, w.missing, ruled_changed(&w, w.missing, "alive_consent", "no"), "Rule 3",
                  "consent");
    ruled_refused(&w, &w.by[ROLE_BOARD], w.missing,
                  ruled_moved(&w, w.missing, MISSING_STATE_REPORTED), "Rule 3", "consent");
    ruled_close(&w);
}

/* ---- rule 6: telling ---- */

static record *notification(ruled *w, const char *how, const char *reason) {
    record *r = ruled_new(w, RECORD_NOTIFICATION, w->missing);

    ruled_set(w, r, "how", how);
    ruled_set(w, r, "reason", reason);
    ruled_set(w, r, "told_on", "2026-11-30");
    ruled_set(w, r, "liaison", "Kari Moe");
    return r;
}

static void families_are_told_in_person_or_the_reason_is_recorded(const database *where) {
    ruled w = ruled_open(where);
    const actor *who = &w.by[ROLE_LIAISON];
    record *r;

    ruled_refused(&w, who, NULL, notification(&w, "live_call", ""), "Rule 6", "in person");
    ruled_refused(&w, who, NULL, notification(&w, "partner", ""), "Rule 6", "in person");
    ruled_add(&w, who, notification(&w, "in_person", ""));
    ruled_add(&w, who, notification(&w, "live_call", "the family lives abroad"));
    r = notification(&w, "in_person", "");
    ruled_set(&w, r, "told_on", "2026-12-24");
    ruled_refused(&w, who, NULL, r, "Rule 6", "has happened");
    ruled_close(&w);
}

static void a_file_says_told_only_after_somebody_told(const database *where) {
    ruled w = ruled_open(where);
    const actor *who = &w.by[ROLE_LIAISON];
    record *told = notification(&w, "in_person", "");

    ruled_refused(&w, who, w.missing, ruled_moved(&w, w.missing, MISSING_STATE_FAMILY_TOLD),
                  "Rule 6", "notification");
    ruled_add(&w, who, told);
    ruled_withdraw(&w, who, told);
    ruled_refused(&w, who, w.missing, ruled_moved(&w, w.missing, MISSING_STATE_FAMILY_TOLD),
                  "Rule 6", "notification");
    ruled_add(&w, who, notification(&w, "in_person", ""));
    ruled_move(&w, who, w.missing, MISSING_STATE_FAMILY_TOLD);
    ruled_close(&w);
}

/* ---- rule 8: consent ---- */

static record *donor(ruled *w, const record *family) {
    record *r = ruled_new(w, RECORD_DONOR, family);

    ruled_set(w, r, "label", "mother");
    ruled_set(w, r, "uses", "this_operation");
    ruled_set(w, r, "agreed_on", "2026-11-10");
    ruled_set(w, r, "ends_on", "2030-01-01");
    return r;
}

static void a_donor_agrees_to_a_use_on_a_day_until_a_day(const database *where) {
    static const struct {
        const char *field, *text, *words;
    } bad[] = {
        {"uses", "", "agrees to a use"},
        {"agreed_on", "", "agrees to a use"},
        {"ends_on", "", "agrees to a use"},
        {"agreed_on", "2027", "has come"},
        {"ends_on", "2026-11-09", "ends after"},
        {"withdrawn_on", "2027-01-05", "has come"},
        {"uses", "named_recipients", "named recipients"},
    };
    ruled w = ruled_open(where);
    record *r;

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        r = donor(&w, w.family);
        ruled_set(&w, r, bad[i].field, bad[i].text);
        ruled_refused(&w, &w.by[ROLE_INTERVIEWER], NULL, r, "Rule 8", bad[i].words);
    }
    ruled_add(&w, &w.by[ROLE_INTERVIEWER], donor(&w, w.family));
    ruled_close(&w);
}

static void an_index_of_criminals_is_no_recipient(const database *where) {
    static const char *const bad[] = {
        "[]",
        "{}",
        "[\"Bureau\"]",
        "[{\"name\": \"N\", \"kind\": \"criminal_index\"}]",
        "[{\"name\": \"\", \"kind\": \"laboratory\"}]",
        "[{\"name\": \"A\", \"kind\": \"laboratory\"}, {\"name\": \"B\"}]"};
    ruled w = ruled_open(where);
    record *r = donor(&w, w.family);

    ruled_set(&w, r, "uses", "named_recipients");
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        ruled_set(&w, r, "recipients", bad[i]);
        ruled_refused(&w, &w.by[ROLE_INTERVIEWER], NULL, r, "Rule 8", "criminals");
    }
    ruled_set(&w, r, "recipients",
              "[{\"name\": \"Bureau\", \"kind\": \"missing_persons_bureau\"}]");
    ruled_add(&w, &w.by[ROLE_INTERVIEWER], r);
    ruled_close(&w);
}

static void more_than_was_agreed_is_agreed_to_anew(const database *where) {
    ruled w = ruled_open(where);
    const actor *who = &w.by[ROLE_INTERVIEWER];
    record *r = donor(&w, w.family), *wider;

    ruled_add(&w, who, r);
    ruled_refused(&w, who, r, ruled_changed(&w, r, "ends_on", "2035"), "Rule 8", "anew");
    ruled_refused(&w, who, r, ruled_changed(&w, r, "uses", "sharing_operations"), "Rule 8", "anew");
    ruled_edit(&w, who, r, "ends_on", "2029-01-01");
    wider = ruled_changed(&w, r, "uses", "sharing_operations");
    ruled_set(&w, wider, "agreed_on", "2026-11-28");
    ruled_add(&w, who, donor(&w, w.family));
    assert_int_equal(ruled_write(&w, who, r, wider, NULL), ATG_OK);
    ruled_edit(&w, who, wider, "withdrawn_on", "2026-11-30");
    ruled_refused(&w, who, wider, ruled_changed(&w, wider, "withdrawn_on", ""), "Rule 8",
                  "not taken back");
    ruled_refused(&w, who, wider, ruled_changed(&w, wider, "withdrawn_on", "2026-11-29"), "Rule 8",
                  "not taken back");
    r = ruled_changed(&w, wider, "ends_on", "2040");
    ruled_set(&w, r, "agreed_on", "2026-12-01");
    ruled_refused(&w, who, wider, r, "Rule 8", "anew");
    ruled_close(&w);
}

static record *profile(ruled *w, const record *in, const record *of) {
    record *r = ruled_new(w, RECORD_PROFILE, in);

    ruled_set(w, r, "kind", "autosomal");
    ruled_set(w, r, "genotypes", "{\"TH01\": [\"6\", \"9.3\"]}");
    if (of)
        ruled_point(r, "donor", &of->id);
    return r;
}

static void a_relatives_profile_needs_a_donor_whose_agreement_holds(const database *where) {
    ruled w = ruled_open(where);
    const actor *who = &w.by[ROLE_GENETICIST], *asks = &w.by[ROLE_INTERVIEWER];
    record *gave = donor(&w, w.family), *other = ruled_new(&w, RECORD_FAMILY, NULL), *r;

    ruled_set(&w, other, "label", "F2");
    ruled_add(&w, asks, other);
    ruled_add(&w, asks, gave);
    ruled_refused(&w, who, NULL, profile(&w, w.family, NULL), "Rule 8", "needs a donor");
    ruled_refused(&w, who, NULL, profile(&w, other, gave), "Rule 8", "donor's family");
    ruled_refused(&w, who, NULL, profile(&w, w.missing, gave), "Rule 8", "stands apart");
    ruled_refused(&w, who, NULL, profile(&w, w.family, other), "Rule 8", "not there");
    ruled_add(&w, who, profile(&w, w.missing, NULL));
    ruled_add(&w, who, profile(&w, w.remains, NULL));
    r = profile(&w, w.family, gave);
    ruled_add(&w, who, r);
    clock_set(ruled_now + INT64_C(86400000000) * 1464);
    ruled_refused(&w, who, NULL, profile(&w, w.family, gave), "Rule 8", "is over");
    clock_set(ruled_now);
    ruled_edit(&w, asks, gave, "withdrawn_on", "2026-11-30");
    ruled_refused(&w, who, NULL, profile(&w, w.family, gave), "Rule 8", "withdrew");
    ruled_refused(&w, who, r, ruled_changed(&w, r, "dropout", "0.1"), "Rule 8", "withdrew");
    gave = donor(&w, w.family);
    ruled_add(&w, asks, gave);
    ruled_erase(&w, &gave->id);
    ruled_refused(&w, who, NULL, profile(&w, w.family, gave), "Rule 8", "erased");
    ruled_close(&w);
}

/* To whom may it go?  0: refused, 1: yes. */
static void leaves(ruled *w, const record *r, const char *recipient, const uuid *to, bool may) {
    atg_err err = {0};
    int rc;

    kept_read(w->d);
    rc = rules_may_leave(w->d, r->kind, &r->id, atg_str_of(recipient), to, clock_now(), &err);
    kept_commit(w->d);
    if (rc != (may ? ATG_OK : ATG_EDENIED))
        fail_msg("%s to %s: %d, %s", record_types[r->kind].name, recipient, rc, err.msg);
    assert_true(may || strstr(err.msg, "Rule 8"));
}

static void a_relatives_profile_leaves_as_the_donor_agreed(const database *where) {
    ruled w = ruled_open(where);
    const actor *who = &w.by[ROLE_GENETICIST], *asks = &w.by[ROLE_INTERVIEWER];
    record *here = donor(&w, w.family), *shares = donor(&w, w.family), *names = donor(&w, w.family);
    record *of[3], *dead = profile(&w, w.remains, NULL), *staff;
    uuid elsewhere = kept_id(), nowhere = {{0}}, third = kept_id();
    char text[UUID_TEXT + 1], list[100];

    uuid_text(&elsewhere, text);
    (void)snprintf(list, sizeof(list), "[\"%s\"]", text);
    ruled_edit(&w, &w.by[ROLE_BOARD], w.operation, "shares_with", list);
    ruled_set(&w, shares, "uses", "sharing_operations");
    ruled_set(&w, names, "uses", "named_recipients");
    ruled_set(&w, names, "recipients", "[{\"name\": \"Bureau\", \"kind\": \"laboratory\"}]");
    ruled_add(&w, asks, here);
    ruled_add(&w, asks, shares);
    ruled_add(&w, asks, names);
    ruled_add(&w, who, of[0] = profile(&w, w.family, here));
    ruled_add(&w, who, of[1] = profile(&w, w.family, shares));
    ruled_add(&w, who, of[2] = profile(&w, w.family, names));
    ruled_add(&w, who, dead);
    for (int i = 0; i < 3; i++) {
        leaves(&w, of[i], "Bureau", &nowhere, i == 2);
        leaves(&w, of[i], "Ministry", &nowhere, false);
        leaves(&w, of[i], "Site K4", &w.operation->id, true);
        leaves(&w, of[i], "Partner", &elsewhere, i == 1);
        leaves(&w, of[i], "Stranger", &third, false);
    }
    leaves(&w, dead, "Ministry", &nowhere, true);
    staff = ruled_new(&w, RECORD_STAFF_PROFILE, NULL);
    leaves(&w, staff, "Bureau", &w.operation->id, false);
    ruled_edit(&w, asks, names, "withdrawn_on", "2026-11-30");
    leaves(&w, of[2], "Bureau", &nowhere, false);
    ruled_close(&w);
}

static record *staff_profile(ruled *w, const char *agreed, const char *ends) {
    record *r = ruled_new(w, RECORD_STAFF_PROFILE, NULL);

    ruled_set(w, r, "label", "T1");
    ruled_set(w, r, "genotypes", "{\"TH01\": [\"6\", \"9.3\"]}");
    ruled_set(w, r, "agreed_on", agreed);
    ruled_set(w, r, "ends_on", ends);
    return r;
}

static void profiles_of_staff_need_their_agreement(const database *where) {
    ruled w = ruled_open(where);
    const actor *who = &w.by[ROLE_GENETICIST];

    ruled_refused(&w, who, NULL, staff_profile(&w, "", ""), "Rule 8", "agreement");
    ruled_refused(&w, who, NULL, staff_profile(&w, "2027-02-01", ""), "Rule 8", "agreement");
    ruled_refused(&w, who, NULL, staff_profile(&w, "2026-01-01", "2026-11-01"), "Rule 8", "over");
    ruled_add(&w, who, staff_profile(&w, "2026-01-01", "2027-11-01"));
    ruled_close(&w);
}

static uint32_t due(ruled *w, int64_t days, uuid **ret) {
    uint32_t n = 0;
    atg_err err = {0};

    kept_read(w->d);
    must(rules_due(w->d, w->arena, &w->operation->id, ruled_now + days * INT64_C(86400000000), ret,
                   &n, &err),
         &err);
    kept_commit(w->d);
    return n;
}

static void what_is_over_or_withdrawn_is_due_for_erasure(const database *where) {
    ruled w = ruled_open(where);
    const actor *asks = &w.by[ROLE_INTERVIEWER];
    record *ends = donor(&w, w.family), *leaves_now = donor(&w, w.family);
    record *staff = staff_profile(&w, "2026-01-01", "2027-01-01");
    uuid *list;

    ruled_add(&w, asks, ends);
    ruled_add(&w, asks, leaves_now);
    ruled_add(&w, &w.by[ROLE_GENETICIST], staff);
    assert_int_equal(due(&w, 0, &list), 0);
    ruled_edit(&w, asks, leaves_now, "withdrawn_on", "2026-11-30");
    assert_int_equal(due(&w, 0, &list), 1);
    assert_int_equal(uuid_cmp(&list[0], &leaves_now->id), 0);
    assert_int_equal(due(&w, 31, &list), 1);
    assert_int_equal(due(&w, 32, &list), 2);
    assert_int_equal(uuid_cmp(&list[1], &staff->id), 0);
    assert_int_equal(due(&w, 1464, &list), 3);
    ruled_erase(&w, &leaves_now->id);
    assert_int_equal(due(&w, 0, &list), 0);
    ruled_close(&w);
}

/* ---- all ---- */

static void a_new_file_begins_at_its_first_state(const database *where) {
    ruled w = ruled_open(where);
    record *r = ruled_new(&w, RECORD_REMAINS, NULL);

    r->state = REMAINS_STATE_IDENTIFIED;
    ruled_refused(&w, &w.by[ROLE_BOARD], NULL, r, "begins as", "received");
    ruled_close(&w);
}

int main(void) {
    static const database_test tests[] = {
        {"a photograph of the missing names informant, day and basis",
         a_photograph_of_the_missing_names_informant_day_and_basis, ON_BOTH},
        {"only an informant confirms whom a photograph shows",
         only_an_informant_confirms_whom_a_photograph_shows, ON_BOTH},
        {"the informant is one of the file or of its family",
         the_informant_is_one_of_the_file_or_of_its_family, ON_BOTH},
        {"who entered something is neither made up nor changed",
         who_entered_something_is_neither_made_up_nor_changed, ON_BOTH},
        {"a probe is of the dead, and recovered by the word of another",
         a_probe_is_of_the_dead_and_recovered_by_the_word_of_another, ON_BOTH},
        {"a gallery is of confirmed faces of the missing",
         a_gallery_is_of_confirmed_faces_of_the_missing, ON_BOTH},
        {"somebody found alive leaves every gallery at once",
         somebody_found_alive_leaves_every_gallery_at_once, ON_BOTH},
        {"a file that was withdrawn leaves every gallery at once",
         a_file_that_was_withdrawn_leaves_every_gallery_at_once, ON_BOTH},
        {"an erased person is in no gallery", an_erased_person_is_in_no_gallery, ON_BOTH},
        {"where the living are is kept only with their consent",
         where_the_living_are_is_kept_only_with_their_consent, ON_BOTH},
        {"families are told in person, or the reason is recorded",
         families_are_told_in_person_or_the_reason_is_recorded, ON_BOTH},
        {"a file says told only after somebody told", a_file_says_told_only_after_somebody_told,
         ON_BOTH},
        {"a donor agrees to a use, on a day, until a day",
         a_donor_agrees_to_a_use_on_a_day_until_a_day, ON_BOTH},
        {"an index of criminals is no recipient", an_index_of_criminals_is_no_recipient, ON_BOTH},
        {"more than was agreed is agreed to anew", more_than_was_agreed_is_agreed_to_anew, ON_BOTH},
        {"a relative's profile needs a donor whose agreement holds",
         a_relatives_profile_needs_a_donor_whose_agreement_holds, ON_BOTH},
        {"a relative's profile leaves as the donor agreed",
         a_relatives_profile_leaves_as_the_donor_agreed, ON_BOTH},
        {"profiles of staff need their agreement", profiles_of_staff_need_their_agreement, ON_BOTH},
        {"what is over or withdrawn is due for erasure",
         what_is_over_or_withdrawn_is_due_for_erasure, ON_BOTH},
        {"a new file begins at its first state", a_new_file_begins_at_its_first_state, ON_BOTH},
    };

    return DATABASE_RUN(tests);
}
