/* SPDX-License-Identifier: Apache-2.0 */
/* Rule 5: what people conclude and the board decides. */
#include "ruled_pair.h"

/* ---- comparisons ---- */

static bool is_qualified(int r, const char *name) {
    bool dna = !strcmp(name, "dna") || !strcmp(name, "y_str") || !strcmp(name, "mtdna");
    bool teeth = !strcmp(name, "dental");

    if (r == ROLE_GENETICIST)
        return dna;
    if (r == ROLE_ODONTOLOGIST)
        return teeth || !strcmp(name, "implant");
    return r == ROLE_EXAMINER && !dna && !teeth;
}

static void try_line(ruled *w, const record *of, const char *name) {
    for (int r = 0; r < ROLES; r++) {
        bool may = is_qualified(r, name);
        record *c = comparison(w, of, name, "possible");
        atg_err err = {0};

        kept_begin(w->d);
        must(rules_prepare(w->d, &w->by[r], w->arena, c, &err), &err);
        assert_int_equal(rules_check(w->d, &w->by[r], RECORD_REMAINS, NULL, c, &err),
                         may ? ATG_OK : ATG_EDENIED);
        assert_true(may || strstr(err.msg, "qualify"));
        db_rollback(w->d);
    }
}

static void who_concludes_is_qualified_for_the_line(const database *where) {
    ruled w = ruled_open(where);
    record *of;

    ruled_sign(&w);
    of = hypothesis(&w, w.remains, w.missing);
    ruled_add(&w, &w.matcher, of);
    for (int k = 0; record_field(RECORD_COMPARISON, COMPARISON_LINE)->choices[k]; k++)
        try_line(&w, of, record_field(RECORD_COMPARISON, COMPARISON_LINE)->choices[k]);
    ruled_close(&w);
}

static void a_comparison_is_signed_by_who_concluded(const database *where) {
    pair p = pair_open(where, "probable");
    ruled *w = &p.w;
    record *r = comparison(w, p.hypothesis, "dental", "established");

    ruled_point(r, "signer", &w->second[ROLE_ODONTOLOGIST].account);
    ruled_refused(w, &w->by[ROLE_ODONTOLOGIST], NULL, r, "Rule 5", "signer alone");
    r = comparison(w, p.hypothesis, "dental", "established");
    ruled_set(w, r, "qualification", "");
    ruled_refused(w, &w->by[ROLE_ODONTOLOGIST], NULL, r, "Rule 5", "qualification");
    ruled_refused(w, &w->second[ROLE_GENETICIST], p.first,
                  ruled_changed(w, p.first, "reason", "better"), "Rule 5", "signer alone");
    r = ruled_changed(w, p.first, "line", "y_str");
    ruled_refused(w, &w->by[ROLE_GENETICIST], p.first, r, "Rule 5", "stay as they are");
    ruled_close(w);
}

static void two_signers_conclude_without_knowing_of_each_other(const database *where) {
    pair p = pair_open(where, "probable");
    ruled *w = &p.w;
    const actor *one = &w->by[ROLE_GENETICIST];

    /* not again, not otherwise after the other concluded, not anew after seeing it */
    ruled_refused(w, one, NULL, comparison(w, p.hypothesis, "dna", "established"), "Rule 5",
                  "concluded on this line already");
    ruled_refused(w, one, p.first, ruled_changed(w, p.first, "conclusion", "established"), "Rule 5",
                  "meanwhile");
    ruled_edit(w, one, p.first, "reason", "a typing error");
    ruled_withdraw(w, one, p.first);
    ruled_refused(w, one, NULL, comparison(w, p.hypothesis, "dna", "established"), "Rule 5",
                  "may have seen");
    ruled_close(w);
}

static void a_conclusion_may_change_while_it_is_alone(const database *where) {
    ruled w = ruled_open(where);
    const actor *one = &w.by[ROLE_ODONTOLOGIST];
    record *of, *r;

    ruled_sign(&w);
    of = hypothesis(&w, w.remains, w.missing);
    ruled_add(&w, &w.matcher, of);
    r = comparison(&w, of, "dental", "probable");
    ruled_add(&w, one, r);
    ruled_edit(&w, one, r, "conclusion", "established");
    ruled_withdraw(&w, one, r);
    ruled_add(&w, one, comparison(&w, of, "dental", "possible"));
    ruled_close(&w);
}

static void who_concluded_on_a_lead_is_not_blind_to_the_leads(const database *where) {
    pair p = pair_open(where, "probable");
    ruled *w = &p.w;
    const actor *who = &w->by[ROLE_EXAMINER];

    ruled_add(w, who, comparison(w, p.hypothesis, "face", "possible"));
    ruled_refused(w, who, NULL, comparison(w, p.hypothesis, "ridge", "established"), "Rule 5",
                  "not blind");
    ruled_add(w, &w->second[ROLE_EXAMINER], comparison(w, p.hypothesis, "ridge", "established"));
    ruled_close(w);
}

static uint64_t hidden_from(pair *p, const actor *who, int r, const record *of) {
    atg_err err = {0};
    uint64_t bits = 0;

    kept_read(p->w.d);
    must(rules_blind(p->w.d, who, 1U << r, of, &bits, &err), &err);
    kept_commit(p->w.d);
    return bits;
}

static void what_others_found_is_kept_from_who_is_to_conclude(const database *where) {
    pair p = pair_open(where, "established");
    ruled *w = &p.w;
    record *face = evidence(w, p.hypothesis, "face", "no");
    const actor *fresh = &w->by[ROLE_ODONTOLOGIST], *signer = &w->by[ROLE_GENETICIST];
    const uint64_t conclusion = UINT64_C(1) << COMPARISON_CONCLUSION;
    actor third;

    ruled_add(w, &w->matcher, face);
    third = ruled_account(w, "third geneticist", 1U << ROLE_GENETICIST);
    assert_true(hidden_from(&p, fresh, ROLE_ODONTOLOGIST, p.first) & conclusion);
    assert_true(hidden_from(&p, fresh, ROLE_ODONTOLOGIST, face));
    assert_true(hidden_from(&p, fresh, ROLE_ODONTOLOGIST, p.evidence));
    assert_true(hidden_from(&p, fresh, ROLE_ODONTOLOGIST, p.hypothesis) >> HYPOTHESIS_LOG10_LR & 1);
    assert_false(hidden_from(&p, fresh, ROLE_ODONTOLOGIST, p.hypothesis) >> HYPOTHESIS_MISSING & 1);
    /* of one's own line what was computed, but not what the other signer says */
    assert_int_equal(hidden_from(&p, &third, ROLE_GENETICIST, p.evidence), 0);
    assert_true(hidden_from(&p, &third, ROLE_GENETICIST, p.first) & conclusion);
    assert_true(hidden_from(&p, &third, ROLE_GENETICIST, face));
    /* nothing is kept from who concluded, and from who is not asked to */
    assert_int_equal(hidden_from(&p, signer, ROLE_GENETICIST, p.second), 0);
    assert_int_equal(hidden_from(&p, signer, ROLE_GENETICIST, face), 0);
    assert_int_equal(hidden_from(&p, &w->by[ROLE_BOARD], ROLE_BOARD, p.first), 0);
    assert_int_equal(hidden_from(&p, &w->by[ROLE_RECONCILER], ROLE_RECONCILER, face), 0);
    ruled_add(w, &w->by[ROLE_BOARD], decision(&p, "established"));
    assert_int_equal(hidden_from(&p, fresh, ROLE_ODONTOLOGIST, p.first), 0);
    assert_int_equal(hidden_from(&p, fresh, ROLE_ODONTOLOGIST, w->remains), 0);
    assert_true(rules_blind_history(1U << ROLE_GENETICIST, RECORD_COMPARISON,
                                    REMAINS_STATE_UNDER_COMPARISON));
    assert_false(
        rules_blind_history(1U << ROLE_GENETICIST, RECORD_COMPARISON, REMAINS_STATE_IDENTIFIED));
    assert_false(
        rules_blind_history(1U << ROLE_BOARD, RECORD_COMPARISON, REMAINS_STATE_UNDER_COMPARISON));
    assert_false(
        rules_blind_history(1U << ROLE_GENETICIST, RECORD_PROFILE, REMAINS_STATE_UNDER_COMPARISON));
    ruled_close(w);
}

/* ---- decisions ---- */

static void two_signers_and_the_board_establish_an_identity(const database *where) {
    pair p = pair_open(where, "established");
    ruled *w = &p.w;
    const actor *board = &w->by[ROLE_BOARD];
    record *r = decision(&p, "established");

    ruled_refused(w, board, w->remains, ruled_moved(w, w->remains, REMAINS_STATE_IDENTIFIED),
                  "Rule 5", "follows from a decision");
    ruled_refused(w, board, w->missing, ruled_moved(w, w->missing, MISSING_STATE_IDENTIFIED),
                  "Rule 5", "follows from a decision");
    ruled_add(w, board, r);
    assert_int_equal(uuid_cmp(&r->fields[DECISION_DECIDED_BY].ref, &board->account), 0);
    assert_int_equal(r->fields[DECISION_INPUTS].text.n, 64);
    ruled_edit(w, board, p.hypothesis, "conclusion", "established");
    ruled_move(w, board, w->remains, REMAINS_STATE_IDENTIFIED);
    ruled_move(w, board, w->missing, MISSING_STATE_IDENTIFIED);
    ruled_refused(w, &w->matcher, p.hypothesis,
                  ruled_changed(w, p.hypothesis, "conclusion", "possible"), "Rule 5",
                  "not taken back");
    ruled_close(w);
}

/* Each thing that is missing or wrong is refused alone. */
typedef struct broken {
    const char *what, *rule, *words;
} broken;

static record *break_decision(pair *p, size_t i) {
    ruled *w = &p->w;
    record *r = decision(p, "established");

    switch (i) {
    case 0:
        ruled_set(w, r, "second_signer", "");
        break;
    case 1:
        ruled_point(r, "second_signer", &w->by[ROLE_GENETICIST].account);
        break;
    case 2:
        ruled_point(r, "second_signer", &w->by[ROLE_ODONTOLOGIST].account);
        break;
    case 3:
        ruled_set(w, r, "line", "dental");
        break;
    case 4:
        ruled_set(w, r, "line", "");
        break;
    case 5:
        ruled_set(w, r, "conclusion", "excluded");
        break;
    case 6:
        ruled_point(r, "decided_by", &w->second[ROLE_BOARD].account);
        break;
    case 7:
        ruled_force(w, p->hypothesis, "posterior_primary", "0.99989");
        break;
    case 8:
        ruled_force(w, p->hypothesis, "posterior_primary", "");
        break;
    case 9:
        ruled_force(w, p->hypothesis, "log10_lr_primary", "5.99");
        break;
    case 10:
        ruled_withdraw(w, &w->matcher, p->evidence);
        break;
    case 11:
        ruled_force(w, p->evidence, "primary", "no");
        break;
    case 12:
        ruled_add(w, &w->by[ROLE_ODONTOLOGIST], comparison(w, p->hypothesis, "dental", "excluded"));
        break;
    case 13:
        ruled_withdraw(w, &w->by[ROLE_GENETICIST], p->first);
        break;
    case 14:
        ruled_withdraw(w, &w->matcher, p->hypothesis);
        break;
    default:
        ruled_force(w, w->operation, "signed_by", "");
        break;
    }
    return r;
}

static void what_is_missing_for_an_identity_is_named(const database *where) {
    static const broken list[] = {
        {"one signer", "Rule 5", "two signers"},
        {"the same twice", "Rule 5", "different people"},
        {"somebody who did not conclude", "Rule 5", "second signer has not concluded"},
        {"another line", "Rule 5", "first signer has not concluded"},
        {"no line", "Rule 4", "primary line"},
        {"another conclusion", "Rule 5", "has not concluded so"},
        {"in another's name", "Rule 5", "own account"},
        {"the posterior of primary lines is too low", "Rule 5", "signed threshold"},
        {"it is unknown", "Rule 5", "not computed"},
        {"by elimination", "Rule 5", "elimination"},
        {"no evidence", "Rule 5", "stands as primary"},
        {"evidence that is not primary", "Rule 5", "stands as primary"},
        {"an open exclusion", "Rule 5", "exclusion"},
        {"a signer who withdrew", "Rule 5", "has not concluded so"},
        {"a hypothesis that was withdrawn", "Rule 5", "stands"},
        {"nothing was signed before", "Rule 5", "signs threshold"},
    };
    /* one database for all: the world is made anew from copies of the same records */
    pair p = pair_open(where, "established");

    for (size_t i = 0; i < sizeof(list) / sizeof(*list); i++) {
        pair own = p;
        record *r;

        /* a pair of its own for what is changed in the database */
        if (i >= 7 && i < 15) {
            ruled *w = &own.w;
            record *remains = ruled_remains(w, "part");

            own.hypothesis = hypothesis(w, remains, w->missing);
            ruled_add(w, &w->matcher, own.hypothesis);
            own.evidence = evidence(w, own.hypothesis, "dna", "yes");
            ruled_add(w, &w->matcher, own.evidence);
            own.first = comparison(w, own.hypothesis, "dna", "established");
            own.second = comparison(w, own.hypothesis, "dna", "established");
            ruled_add(w, &w->by[ROLE_GENETICIST], own.first);
            ruled_add(w, &w->second[ROLE_GENETICIST], own.second);
        }
        r = break_decision(&own, i);
        ruled_refused(&own.w, &own.w.by[ROLE_BOARD], NULL, r, list[i].rule, list[i].words);
        p.w.n_files = own.w.n_files;
        memcpy(p.w.files, own.w.files, sizeof(own.w.files));
        memcpy(p.w.kinds, own.w.kinds, sizeof(own.w.kinds));
    }
    ruled_close(&p.w);
}

static void the_board_is_none_of_the_signers(const database *where) {
    pair p = pair_open(where, "established");
    ruled *w = &p.w;
    actor both = ruled_account(w, "both", 1U << ROLE_BOARD | 1U << ROLE_ODONTOLOGIST);
    record *r = decision(&p, "established");

    ruled_add(w, &both, comparison(w, p.hypothesis, "dental", "established"));
    ruled_add(w, &w->by[ROLE_ODONTOLOGIST], comparison(w, p.hypothesis, "dental", "established"));
    ruled_add(w, &w->matcher, evidence(w, p.hypothesis, "dental", "yes"));
    ruled_set(w, r, "line", "dental");
    ruled_point(r, "first_signer", &both.account);
    ruled_point(r, "second_signer", &w->by[ROLE_ODONTOLOGIST].account);
    ruled_refused(w, &both, NULL, r, "Rule 5", "none of the two");
    r->fields[DECISION_DECIDED_BY] = (value){0};
    ruled_add(w, &w->by[ROLE_BOARD], r);
    ruled_close(w);
}

static const db_statement add_job = {
    "add_job", "INSERT INTO job(id, kind, subject, operation, payload, state, due, attempts, "
               "since, worker, error) VALUES ($1, 'match', $2, $3, '{}', $4, 0, 0, 0, '', "
               "'')"};
static const db_statement drop_jobs = {"drop_jobs", "DELETE FROM job"};

static void add_match(pair *p, const uuid *subject, const char *state) {
    char text[UUID_TEXT + 1];
    atg_err err = {0};
    uuid id = kept_id();

    uuid_text(subject, text);
    kept_begin(p->w.d);
    must(db_run(p->w.d, &drop_jobs, NULL, 0, NULL, &err), &err);
    must(db_run(p->w.d, &add_job,
                (db_value[]){db_blob(id.bytes, UUID_SIZE), db_text(atg_str_of(text)),
                             db_blob(p->hypothesis->operation.bytes, UUID_SIZE),
                             db_text(atg_str_of(state))},
                4, NULL, &err),
         &err);
    kept_commit(p->w.d);
}

static void
nothing_is_established_while_data_of_the_pair_wait_to_be_compared(const database *where) {
    pair p = pair_open(where, "established");
    const uuid *files[] = {&p.w.remains->id, &p.w.missing->id, &p.w.family->id};
    uuid other = kept_id();

    for (size_t i = 0; i < 3; i++) {
        add_match(&p, files[i], i == 1 ? "failed" : "waiting");
        ruled_refused(&p.w, &p.w.by[ROLE_BOARD], NULL, decision(&p, "established"), "Rule 5",
                      "not compared yet");
    }
    add_match(&p, &other, "waiting");
    ruled_add(&p.w, &p.w.by[ROLE_BOARD], decision(&p, "established"));
    ruled_close(&p.w);
}

/* Everything for another pair but the decision. */
static pair another(pair *p, record *remains, record *missing) {
    pair q = *p;
    ruled *w = &q.w;

    q.hypothesis = hypothesis(w, remains, missing);
    ruled_add(w, &w->matcher, q.hypothesis);
    q.evidence = evidence(w, q.hypothesis, "dna", "yes");
    ruled_add(w, &w->matcher, q.evidence);
    q.first = comparison(w, q.hypothesis, "dna", "established");
    q.second = comparison(w, q.hypothesis, "dna", "established");
    ruled_add(w, &w->by[ROLE_GENETICIST], q.first);
    ruled_add(w, &w->second[ROLE_GENETICIST], q.second);
    return q;
}

static void one_body_is_one_person_and_one_person_one_body(const database *where) {
    pair p = pair_open(where, "established"), q;
    ruled *w = &p.w;
    const actor *board = &w->by[ROLE_BOARD];
    record *sister = ruled_missing(w), *body = ruled_remains(w, "body");
    record *part = ruled_remains(w, "part");

    ruled_add(w, board, decision(&p, "established"));
    q = another(&p, w->remains, sister);
    ruled_refused(w, board, NULL, decision(&q, "established"), "Rule 5", "somebody else");
    q = another(&p, body, w->missing);
    ruled_refused(w, board, NULL, decision(&q, "established"), "Rule 5", "another body");
    q = another(&p, part, w->missing);
    ruled_add(w, board, decision(&q, "established"));
    ruled_close(w);
}

static void a_decision_stays_as_it_was_made_and_is_withdrawn_last_first(const database *where) {
    pair p = pair_open(where, "established");
    ruled *w = &p.w;
    const actor *board = &w->by[ROLE_BOARD];
    record *r = decision(&p, "established"), *gone;

    ruled_add(w, board, r);
    ruled_refused(w, board, r, ruled_changed(w, r, "conclusion", "probable"), "Rule 5",
                  "stays as it was made");
    ruled_refused(w, board, NULL, decision(&p, "established"), "Rule 5", "withdrawn first");
    gone = ruled_changed(w, p.first, NULL, NULL);
    gone->withdrawn = true;
    ruled_refused(w, &w->by[ROLE_GENETICIST], p.first, gone, "Rule 5", "decision rests");
    ruled_move(w, board, w->remains, REMAINS_STATE_IDENTIFIED);
    ruled_move(w, board, w->missing, MISSING_STATE_IDENTIFIED);
    gone = ruled_changed(w, r, NULL, NULL);
    gone->withdrawn = true;
    ruled_refused(w, board, r, gone, "Rule 5", "move it back first");
    ruled_move(w, board, w->missing, MISSING_STATE_UNDER_COMPARISON);
    ruled_withdraw(w, board, r);
    ruled_withdraw(w, &w->by[ROLE_GENETICIST], p.first);
    ruled_close(w);
}

static bool stands(pair *p, const record *r) {
    atg_err err = {0};
    bool is = false;

    kept_read(p->w.d);
    must(rules_stands(p->w.d, &r->id, &is, &err), &err);
    kept_commit(p->w.d);
    return is;
}

static record *new_data(pair *p, const record *in) {
    record *r = ruled_new(&p->w, RECORD_PROFILE, in);

    ruled_set(&p->w, r, "kind", "autosomal");
    ruled_set(&p->w, r, "genotypes", "{\"TH01\": [\"6\", \"9.3\"]}");
    return r;
}

static void an_exclusion_takes_two_signers_and_opens_again_on_new_data(const database *where) {
    pair p = pair_open(where, "excluded");
    ruled *w = &p.w;
    const actor *board = &w->by[ROLE_BOARD];
    record *r = decision(&p, "excluded"), *one;

    one = decision(&p, "excluded");
    ruled_set(w, one, "second_signer", "");
    ruled_refused(w, board, NULL, one, "Rule 5", "two signers");
    /* no number is needed: what excludes is the comparison */
    ruled_force(w, p.hypothesis, "posterior_primary", "");
    ruled_add(w, board, r);
    assert_true(stands(&p, r));
    ruled_refused(w, board, NULL, decision(&p, "possible"), "Rule 5", "new data");
    ruled_add(w, &w->by[ROLE_GENETICIST], new_data(&p, w->missing));
    assert_false(stands(&p, r));
    ruled_add(w, board, decision(&p, "possible"));
    ruled_close(w);
}

static void an_exclusion_opens_again_on_data_of_each_side(const database *where) {
    pair p = pair_open(where, "excluded");
    ruled *w = &p.w;
    record *r = decision(&p, "excluded"), *profile = new_data(&p, w->remains);

    ruled_add(w, &w->by[ROLE_BOARD], r);
    ruled_add(w, &w->by[ROLE_GENETICIST], profile);
    assert_false(stands(&p, r));
    ruled_withdraw(w, &w->by[ROLE_GENETICIST], profile);
    assert_true(stands(&p, r));
    ruled_edit(w, &w->by[ROLE_INTERVIEWER], w->family, "label", "F1b");
    assert_false(stands(&p, r));
    ruled_close(w);
}

static void weaker_words_need_no_signers(const database *where) {
    pair p = pair_open(where, "possible");
    record *r = decision(&p, "insufficient");

    ruled_set(&p.w, r, "first_signer", "");
    ruled_set(&p.w, r, "second_signer", "");
    ruled_set(&p.w, r, "line", "");
    ruled_add(&p.w, &p.w.by[ROLE_BOARD], r);
    ruled_refused(&p.w, &p.w.by[ROLE_BOARD], p.hypothesis,
                  ruled_changed(&p.w, p.hypothesis, "conclusion", "established"), "Rule 5",
                  "two signers and the board");
    ruled_close(&p.w);
}

static void a_body_is_released_after_the_family_was_told(const database *where) {
    pair p = pair_open(where, "established");
    ruled *w = &p.w;
    const actor *board = &w->by[ROLE_BOARD], *liaison = &w->by[ROLE_LIAISON];
    record *told = ruled_new(w, RECORD_NOTIFICATION, w->missing);

    ruled_refused(w, &w->by[ROLE_MORTUARY], w->remains,
                  ruled_moved(w, w->remains, REMAINS_STATE_RELEASED), "Rule 5", "decision");
    ruled_add(w, board, decision(&p, "established"));
    ruled_move(w, board, w->remains, REMAINS_STATE_IDENTIFIED);
    ruled_move(w, board, w->missing, MISSING_STATE_IDENTIFIED);
    ruled_refused(w, &w->by[ROLE_MORTUARY], w->remains,
                  ruled_moved(w, w->remains, REMAINS_STATE_RELEASED), "Rule 6", "told before");
    ruled_set(w, told, "how", "in_person");
    ruled_set(w, told, "told_on", "2026-11-30");
    ruled_add(w, liaison, told);
    ruled_move(w, liaison, w->missing, MISSING_STATE_FAMILY_TOLD);
    ruled_move(w, &w->by[ROLE_MORTUARY], w->remains, REMAINS_STATE_RELEASED);
    ruled_close(w);
}

/* A bundle brings what another site's people signed: who acts here is none of them, and the rest
 * holds all the same. */
static void what_another_site_signed_is_held_to_the_same_rules(const database *where) {
    pair p = pair_open(where, "possible");
    ruled *w = &p.w;
    actor carrier = w->by[ROLE_BOARD];
    record *r = comparison(w, p.hypothesis, "dental", "established");
    uuid abroad = kept_id();

    carrier.carried = true;
    ruled_point(r, "signer", &abroad);
    ruled_add(w, &carrier, r);
    r = comparison(w, p.hypothesis, "face", "established");
    ruled_point(r, "signer", &abroad);
    ruled_refused(w, &carrier, NULL, r, "Rule 4", "lead");
    r = decision(&p, "established");
    ruled_point(r, "decided_by", &abroad);
    ruled_refused(w, &carrier, NULL, r, "Rule 5", "has not concluded");
    ruled_close(w);
}

int main(void) {
    static const database_test tests[] = {
        {"who concludes is qualified for the line", who_concludes_is_qualified_for_the_line,
         ON_BOTH},
        {"a comparison is signed by who concluded", a_comparison_is_signed_by_who_concluded,
         ON_BOTH},
        {"two signers conclude without knowing of each other",
         two_signers_conclude_without_knowing_of_each_other, ON_BOTH},
        {"a conclusion may change while it is alone", a_conclusion_may_change_while_it_is_alone,
         ON_BOTH},
        {"who concluded on a lead is not blind to the leads",
         who_concluded_on_a_lead_is_not_blind_to_the_leads, ON_BOTH},
        {"what others found is kept from who is to conclude",
         what_others_found_is_kept_from_who_is_to_conclude, ON_BOTH},
        {"two signers and the board establish an identity",
         two_signers_and_the_board_establish_an_identity, ON_BOTH},
        {"what is missing for an identity is named", what_is_missing_for_an_identity_is_named,
         ON_BOTH},
        {"the board is none of the signers", the_board_is_none_of_the_signers, ON_BOTH},
        {"nothing is established while data of the pair wait to be compared",
         nothing_is_established_while_data_of_the_pair_wait_to_be_compared, ON_BOTH},
        {"one body is one person, and one person one body",
         one_body_is_one_person_and_one_person_one_body, ON_BOTH},
        {"a decision stays as it was made, and is withdrawn last first",
         a_decision_stays_as_it_was_made_and_is_withdrawn_last_first, ON_BOTH},
        {"an exclusion takes two signers, and opens again on new data",
         an_exclusion_takes_two_signers_and_opens_again_on_new_data, ON_BOTH},
        {"an exclusion opens again on data of each side",
         an_exclusion_opens_again_on_data_of_each_side, ON_BOTH},
        {"weaker words need no signers", weaker_words_need_no_signers, ON_BOTH},
        {"a body is released after the family was told",
         a_body_is_released_after_the_family_was_told, ON_BOTH},
        {"what another site signed is held to the same rules",
         what_another_site_signed_is_held_to_the_same_rules, ON_BOTH},
    };

    return DATABASE_RUN(tests);
}
