/* SPDX-License-Identifier: Apache-2.0 */
/* Rules 4 and 5: what is signed before matching, what machines may say, what a lead can never do.
 */
#include "ruled_pair.h"

#include "app/rights.h"

/* ---- what is signed before matching ---- */

static void nothing_is_matched_before_the_board_signed_how(const database *where) {
    ruled w = ruled_open(where);

    ruled_refused(&w, &w.matcher, NULL, hypothesis(&w, w.remains, w.missing), "Rule 5", "signs");
    ruled_sign(&w);
    ruled_add(&w, &w.matcher, hypothesis(&w, w.remains, w.missing));
    ruled_close(&w);
}

static void threshold_and_prior_are_signed_by_the_board_in_their_own_name(const database *where) {
    ruled w = ruled_open(where);
    const actor *admin = &w.by[ROLE_ADMINISTRATOR], *board = &w.by[ROLE_BOARD];
    record *r = ruled_changed(&w, w.operation, "threshold", "0.9999");

    ruled_point(r, "signed_by", &board->account);
    ruled_refused(&w, board, w.operation, r, "Rule 5", "written before");
    ruled_set(&w, r, "min_log10_lr", "6");
    ruled_set(&w, r, "prior", "{\"kind\": \"flat\"}");
    ruled_refused(&w, admin, w.operation, r, "Rule 5", "own account");
    ruled_point(r, "signed_by", &admin->account);
    ruled_refused(&w, admin, w.operation, r, "Rule 5", "by the board");
    ruled_point(r, "signed_by", &w.second[ROLE_BOARD].account);
    ruled_refused(&w, board, w.operation, r, "Rule 5", "own account");
    ruled_set(&w, r, "signed_by", "");
    assert_int_equal(ruled_write(&w, admin, w.operation, r, NULL), ATG_OK);
    *w.operation = *r;
    ruled_sign(&w);
    /* a change by another takes the signature off */
    r = ruled_changed(&w, w.operation, "threshold", "0.99995");
    ruled_refused(&w, admin, w.operation, r, "Rule 5", "own account");
    ruled_close(&w);
}

static void the_threshold_is_never_below_what_the_design_says(const database *where) {
    ruled w = ruled_open(where);
    record *r = ruled_changed(&w, w.operation, NULL, NULL);

    r->fields[OPERATION_THRESHOLD] = (value){.known = true, .number = 0.999};
    ruled_refused(&w, &w.by[ROLE_BOARD], w.operation, r, "Rule 5", "never set below");
    r = ruled_changed(&w, w.operation, NULL, NULL);
    r->fields[OPERATION_MIN_LOG10_LR] = (value){.known = true, .number = 1};
    ruled_refused(&w, &w.by[ROLE_BOARD], w.operation, r, "Rule 5", "never set below");
    ruled_close(&w);
}

static void what_was_signed_is_only_raised_once_something_was_compared(const database *where) {
    pair p = pair_open(where, "probable");
    ruled *w = &p.w;
    actor board = w->by[ROLE_BOARD];
    record *r;

    ruled_refused(w, &board, w->operation, ruled_changed(w, w->operation, "threshold", "0.9998"),
                  "Rule 5", "only raised");
    ruled_refused(w, &board, w->operation, ruled_changed(w, w->operation, "min_log10_lr", "5"),
                  "Rule 5", "only raised");
    ruled_refused(w, &board, w->operation, ruled_changed(w, w->operation, "threshold", ""),
                  "Rule 5", "only raised");
    ruled_refused(w, &board, w->operation, ruled_changed(w, w->operation, "threshold", "0.99999"),
                  "Rule 5", "reason");
    ruled_refused(w, &board, w->operation, ruled_changed(w, w->operation, "prior", "{}"), "Rule 5",
                  "reason");
    ruled_refused(w, &board, w->operation, ruled_changed(w, w->operation, "signed_by", ""),
                  "Rule 5", "stay signed");
    board.reason = ATG_STR("two brothers among the missing");
    ruled_edit(w, &board, w->operation, "threshold", "0.99999");
    ruled_edit(w, &board, w->operation, "prior", "{\"kind\": \"open\"}");
    r = ruled_changed(w, w->operation, "threshold", "0.999995");
    ruled_refused(w, &w->second[ROLE_BOARD], w->operation, r, "Rule 5", "reason");
    ruled_close(w);
}

/* ---- what runs by itself ---- */

static void the_matcher_writes_what_is_computed_only(const database *where) {
    ruled w = ruled_open(where);

    for (int kind = 0; kind < RECORD_KINDS; kind++)
        if (!rights_computed((record_kind)kind))
            ruled_refused(&w, &w.matcher, NULL, ruled_new(&w, (record_kind)kind, w.remains),
                          "Rule 5", "by itself");
    ruled_close(&w);
}

static void the_matcher_never_says_established(const database *where) {
    ruled w = ruled_open(where);
    record *r;

    ruled_sign(&w);
    r = hypothesis(&w, w.remains, w.missing);
    ruled_set(&w, r, "conclusion", "established");
    ruled_refused(&w, &w.matcher, NULL, r, "Rule 5", "never says 'established'");
    ruled_set(&w, r, "conclusion", "excluded");
    ruled_add(&w, &w.matcher, r);
    ruled_refused(&w, &w.matcher, r, ruled_changed(&w, r, "conclusion", "established"), "Rule 5",
                  "never says 'established'");
    ruled_close(&w);
}

static void numbers_are_computed_and_not_typed(const database *where) {
    static const char *const fields[] = {"log10_lr", "log10_lr_primary", "posterior",
                                         "posterior_primary"};
    pair p = pair_open(where, "probable");
    ruled *w = &p.w;
    const actor *who = &w->by[ROLE_RECONCILER];
    record *typed;

    for (size_t i = 0; i < 4; i++)
        ruled_refused(w, who, p.hypothesis, ruled_changed(w, p.hypothesis, fields[i], "1"),
                      "Rule 5", "computed, not typed");
    ruled_refused(w, who, NULL, evidence(w, p.hypothesis, "dna", "yes"), "Rule 5", "not typed");
    ruled_refused(w, who, NULL, hypothesis(w, w->remains, ruled_missing(w)), "Rule 5", "not typed");
    typed = ruled_new(w, RECORD_HYPOTHESIS, w->remains);
    ruled_point(typed, "missing", &ruled_missing(w)->id);
    ruled_set(w, typed, "conclusion", "possible");
    ruled_add(w, who, typed);
    ruled_close(w);
}

static void a_hypothesis_is_one_pair_of_one_operation(const database *where) {
    pair p = pair_open(where, "probable");
    ruled *w = &p.w;
    record *other = ruled_new(w, RECORD_MISSING, NULL), *r;
    atg_err err = {0};

    assert_int_equal(ruled_write(w, &w->matcher, NULL, hypothesis(w, w->remains, w->missing), &err),
                     ATG_ECONFLICT);
    r = ruled_changed(w, p.hypothesis, NULL, NULL);
    ruled_point(r, "missing", &ruled_missing(w)->id);
    ruled_refused(w, &w->matcher, p.hypothesis, r, "Rule 5", "stays about the pair");
    other->operation = kept_id();
    kept_begin(w->d);
    must(keys_operation_new(w->d, w->keys, &other->operation, &err), &err);
    must(ruled_insert(w, other, &err), &err);
    kept_commit(w->d);
    ruled_refused(w, &w->matcher, NULL, hypothesis(w, w->remains, other), "Rule 1",
                  "one operation");
    ruled_close(w);
}

static void nobody_who_was_found_alive_is_compared(const database *where) {
    pair p = pair_open(where, "established");
    ruled *w = &p.w;
    record *remains = ruled_remains(w, "body");

    ruled_edit(w, &w->by[ROLE_INTERVIEWER], w->missing, "alive_on", "2026-11-30");
    ruled_move(w, &w->by[ROLE_INTERVIEWER], w->missing, MISSING_STATE_FOUND_ALIVE);
    ruled_refused(w, &w->matcher, NULL, hypothesis(w, remains, w->missing), "Rule 3",
                  "found alive");
    ruled_refused(w, &w->by[ROLE_ODONTOLOGIST], NULL,
                  comparison(w, p.hypothesis, "dental", "possible"), "Rule 3", "found alive");
    ruled_refused(w, &w->by[ROLE_BOARD], NULL, decision(&p, "established"), "Rule 3",
                  "found alive");
    ruled_close(w);
}

/* ---- leads ---- */

static bool is_primary(const char *name) {
    return !strcmp(name, "dna") || !strcmp(name, "dental") || !strcmp(name, "ridge") ||
           !strcmp(name, "implant");
}

static void a_lead_is_never_primary_and_neither_establishes_nor_excludes(const database *where) {
    static const char *const final[] = {"established", "excluded"};
    ruled w = ruled_open(where);
    record *of;

    ruled_sign(&w);
    of = hypothesis(&w, w.remains, w.missing);
    ruled_add(&w, &w.matcher, of);
    for (int k = 0; record_field(RECORD_EVIDENCE, EVIDENCE_LINE)->choices[k]; k++) {
        const char *name = record_field(RECORD_EVIDENCE, EVIDENCE_LINE)->choices[k];
        record *r = evidence(&w, of, name, "yes");

        if (is_primary(name)) {
            ruled_add(&w, &w.matcher, r);
            continue;
        }
        ruled_refused(&w, &w.matcher, NULL, r, "Rule 4", name);
        ruled_add(&w, &w.matcher, evidence(&w, of, name, "no"));
        for (size_t i = 0; i < 2; i++)
            ruled_refused(&w, &w.by[ROLE_EXAMINER], NULL, comparison(&w, of, name, final[i]),
                          "Rule 4", name);
    }
    ruled_close(&w);
}

static void no_decision_rests_on_a_lead(const database *where) {
    static const char *const final[] = {"established", "excluded"};
    pair p = pair_open(where, "established");
    record *r;

    for (size_t i = 0; i < 2; i++)
        for (int k = 0; record_field(RECORD_DECISION, DECISION_LINE)->choices[k]; k++) {
            const char *name = record_field(RECORD_DECISION, DECISION_LINE)->choices[k];

            if (is_primary(name))
                continue;
            r = decision(&p, final[i]);
            ruled_set(&p.w, r, "line", name);
            ruled_refused(&p.w, &p.w.by[ROLE_BOARD], NULL, r, "Rule 4", "primary line");
        }
    ruled_close(&p.w);
}

int main(void) {
    static const database_test tests[] = {
        {"nothing is matched before the board signed how",
         nothing_is_matched_before_the_board_signed_how, ON_BOTH},
        {"threshold and prior are signed by the board in their own name",
         threshold_and_prior_are_signed_by_the_board_in_their_own_name, ON_BOTH},
        {"the threshold is never below what the design says",
         the_threshold_is_never_below_what_the_design_says, ON_BOTH},
        {"what was signed is only raised once something was compared",
         what_was_signed_is_only_raised_once_something_was_compared, ON_BOTH},
        {"the matcher writes what is computed only", the_matcher_writes_what_is_computed_only,
         ON_BOTH},
        {"the matcher never says established", the_matcher_never_says_established, ON_BOTH},
        {"numbers are computed and not typed", numbers_are_computed_and_not_typed, ON_BOTH},
        {"a hypothesis is one pair of one operation", a_hypothesis_is_one_pair_of_one_operation,
         ON_BOTH},
        {"nobody who was found alive is compared", nobody_who_was_found_alive_is_compared, ON_BOTH},
        {"a lead is never primary, and neither establishes nor excludes",
         a_lead_is_never_primary_and_neither_establishes_nor_excludes, ON_BOTH},
        {"no decision rests on a lead", no_decision_rests_on_a_lead, ON_BOTH},
    };

    return DATABASE_RUN(tests);
}
