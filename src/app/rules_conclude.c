/* SPDX-License-Identifier: Apache-2.0 */
/* Rules 4 and 5: what machines find, and what people conclude. */
#include "app/rules_internal.h"

#include "store/accounts.h"

static const db_statement find_pair = {
    "rules_pair",
    "SELECT h.operation, h.file, h.missing, m.family, h.withdrawn, m.withdrawn, m.state FROM "
    "r_hypothesis h JOIN r_missing m ON m.id = h.missing WHERE h.id = $1"};
static const db_statement find_missing = {
    "rules_searched", "SELECT operation, withdrawn, state FROM r_missing WHERE id = $1"};
static const db_statement same_pair = {
    "rules_same_pair", "SELECT count(*) FROM r_hypothesis WHERE missing = $1 AND file = $2 AND "
                       "id <> $3 AND withdrawn = 0"};
static const db_statement decided_as = {
    "rules_decided_as", "SELECT count(*) FROM r_decision WHERE hypothesis = $1 AND conclusion = "
                        "$2 AND withdrawn = 0"};
static const db_statement rests_on = {
    "rules_rests_on", "SELECT count(*) FROM r_decision WHERE hypothesis = $1 AND withdrawn = 0 AND "
                      "conclusion IN ('established', 'excluded')"};
static const db_statement own_earlier = {
    "rules_own_earlier", "SELECT count(*) FROM r_comparison WHERE hypothesis = $1 AND line = $2 "
                         "AND signer = $3 AND id <> $4"};
static const db_statement own_standing = {
    "rules_own_standing", "SELECT count(*) FROM r_comparison WHERE hypothesis = $1 AND line = $2 "
                          "AND signer = $3 AND id <> $4 AND withdrawn = 0"};
static const db_statement of_others = {
    "rules_of_others", "SELECT count(*) FROM r_comparison WHERE hypothesis = $1 AND line = $2 AND "
                       "signer <> $3 AND id <> $4"};
static const db_statement own_leads = {
    "rules_own_leads", "SELECT count(*) FROM r_comparison WHERE hypothesis = $1 AND signer = $2 "
                       "AND line NOT IN ('dna', 'dental', 'ridge', 'implant')"};
static const db_statement own_faces = {
    "rules_own_faces",
    "SELECT count(*) FROM r_face_comparison f JOIN r_face_candidate c ON c.id = f.candidate JOIN "
    "r_hypothesis h ON h.file = c.file AND h.missing = c.missing WHERE h.id = $1 AND f.signer = "
    "$2"};

const uint32_t rules_signers =
    1U << ROLE_GENETICIST | 1U << ROLE_ODONTOLOGIST | 1U << ROLE_EXAMINER;

bool rules_primary(uint32_t of) {
    return of == LINE_DNA || of == LINE_DENTAL || of == LINE_RIDGE || of == LINE_IMPLANT;
}

uint32_t rules_qualified(uint32_t of) {
    switch ((choice_line)of) {
    case LINE_DNA:
    case LINE_Y_STR:
    case LINE_MTDNA:
        return 1U << ROLE_GENETICIST;
    case LINE_DENTAL:
        return 1U << ROLE_ODONTOLOGIST;
    case LINE_IMPLANT:
        return 1U << ROLE_ODONTOLOGIST | 1U << ROLE_EXAMINER;
    case LINE_RIDGE:
    case LINE_FACE:
    case LINE_NAMES:
    case LINE_DOCUMENTS:
    case LINE_TRAITS:
    case LINE_EFFECTS:
    case LINE_PLACE:
    case LINE_VISUAL:
        return 1U << ROLE_EXAMINER;
    case LINE_COUNT:
        break;
    }
    return 0;
}

static bool is_final(uint32_t what) {
    return what == CONCLUSION_ESTABLISHED || what == CONCLUSION_EXCLUDED;
}

static const char *line_word(const record *r, uint32_t field) {
    return record_field(r->kind, field)->choices[r->fields[field].choice];
}

/* ---- the pair ---- */

bool rules_is_searched(atg_str state) {
    return !atg_str_eq(state, ATG_STR("found_alive")) && !atg_str_eq(state, ATG_STR("withdrawn"));
}

int rules_pair_of(db *d, const uuid *hypothesis, rules_pair *ret, atg_err *err) {
    rules_pair p = {.hypothesis = *hypothesis};
    db_value id = rules_id(hypothesis);
    db_rows *rows = NULL;
    int rc = rules_row(d, &find_pair, &id, 1, &rows, err);

    if (rc == 0)
        return atg_fail(err, ATG_ENOTFOUND, "There is no such hypothesis");
    if (rc < 0)
        return rc;
    rc = rules_read_id(rows, 0, &p.operation) && rules_read_id(rows, 1, &p.remains) &&
                 rules_read_id(rows, 2, &p.missing)
             ? ATG_OK
             : atg_fail(err, ATG_EDB, "A hypothesis is damaged");
    (void)rules_read_id(rows, 3, &p.family);
    p.withdrawn = db_get_int(rows, 4) || db_get_int(rows, 5);
    p.searched = rules_is_searched(db_get_text(rows, 6));
    db_end(rows);
    if (rc == ATG_OK)
        *ret = p;
    return rc;
}

/* The pair of the record's hypothesis, which stands in the same file. */
static int own_pair(const rules_case *c, uint32_t field, rules_pair *ret, atg_err *err) {
    int rc = rules_pair_of(c->d, &c->after->fields[field].ref, ret, err);

    if (!rc && (uuid_cmp(&ret->remains, &c->after->file) != 0 || ret->withdrawn))
        rc = rules_broken(err, 5,
                          "a %s is about a hypothesis of the same remains file that "
                          "stands",
                          record_types[c->after->kind].title);
    return rc;
}

/* ---- hypotheses ---- */

static const uint32_t computed[] = {HYPOTHESIS_LOG10_LR,  HYPOTHESIS_LOG10_LR_PRIMARY,
                                    HYPOTHESIS_POSTERIOR, HYPOTHESIS_POSTERIOR_PRIMARY,
                                    HYPOTHESIS_COMPUTED,  HYPOTHESIS_INPUTS};

/* Whom it is about: somebody who is searched for, once. */
static int check_missing_of(const rules_case *c, atg_err *err) {
    const record *r = c->after;
    db_value missing = rules_id(&rules_field(r, HYPOTHESIS_MISSING)->ref);
    db_rows *rows = NULL;
    bool fine, same;
    uuid operation;
    int64_t n = 0;
    int rc = rules_row(c->d, &find_missing, &missing, 1, &rows, err);

    if (rc == 0)
        return atg_fail(err, ATG_ENOTFOUND, "The hypothesis names no missing file that is there");
    if (rc < 0)
        return rc;
    same = rules_read_id(rows, 0, &operation) && uuid_cmp(&operation, &r->operation) == 0;
    fine = !db_get_int(rows, 1) && rules_is_searched(db_get_text(rows, 2));
    db_end(rows);
    if (!same)
        return rules_broken(err, 1, "only files of one operation are compared");
    if (!fine)
        return rules_broken(err, 3,
                            "nobody is compared who was found alive or whose file was "
                            "withdrawn");
    rc = rules_count(c->d, &same_pair, (db_value[]){missing, rules_id(&r->file), rules_id(&r->id)},
                     3, &n, err);
    if (!rc && n)
        rc = atg_fail(err, ATG_ECONFLICT, "This pair has a hypothesis already");
    return rc;
}

static int check_decided(const rules_case *c, atg_err *err) {
    int64_t n = 0;
    int rc = rules_count(
        c->d, &decided_as,
        (db_value[]){rules_id(&c->after->id), rules_word(c->after, HYPOTHESIS_CONCLUSION)}, 2, &n,
        err);

    return rc || n ? rc
                   : rules_broken(err, 5,
                                  "'%s' is said by a decision with two signers and the "
                                  "board, and by nothing else",
                                  line_word(c->after, HYPOTHESIS_CONCLUSION));
}

static bool says(const record *r, uint32_t what) {
    return r && rules_field(r, HYPOTHESIS_CONCLUSION)->known &&
           rules_field(r, HYPOTHESIS_CONCLUSION)->choice == what;
}

static int check_run(const rules_case *c, atg_err *err) {
    bool was = says(c->before, CONCLUSION_ESTABLISHED);
    bool is = says(c->after, CONCLUSION_ESTABLISHED);

    if (is && !was)
        return rules_broken(err, 5, "what runs by itself never says 'established'");
    return was && !is ? check_decided(c, NULL) == ATG_OK
                            ? ATG_OK
                            : rules_broken(err, 5,
                                           "what people signed is not taken back by what "
                                           "runs by itself")
                      : ATG_OK;
}

static int check_typed(const rules_case *c, atg_err *err) {
    const value *now = rules_field(c->after, HYPOTHESIS_CONCLUSION);

    for (size_t i = 0; i < sizeof(computed) / sizeof(*computed); i++)
        if (!rules_same(c, computed[i]))
            return rules_broken(err, 5, "'%s' is computed, not typed",
                                record_field(RECORD_HYPOTHESIS, computed[i])->name);
    if (now->known && is_final(now->choice) && !rules_same(c, HYPOTHESIS_CONCLUSION))
        return check_decided(c, err);
    return ATG_OK;
}

int rules_hypothesis(const rules_case *c, atg_err *err) {
    double posterior, log10_lr;
    int rc = ATG_OK;

    if (c->before && !rules_same(c, HYPOTHESIS_MISSING))
        return rules_broken(err, 5, "a hypothesis stays about the pair that it was made for");
    if (!c->before)
        rc = rules_signed(c->d, &c->after->operation, &posterior, &log10_lr, err);
    if (!rc && !c->before)
        rc = check_missing_of(c, err);
    if (rc || c->who->carried)
        return rc;
    return rules_is_matcher(c->who) ? check_run(c, err) : check_typed(c, err);
}

/* ---- lines of evidence ---- */

int rules_evidence(const rules_case *c, atg_err *err) {
    const record *r = c->after;
    const value *primary = rules_field(r, EVIDENCE_PRIMARY);
    rules_pair pair;

    if (rules_in_person(c->who))
        return rules_broken(err, 5, "lines of evidence are computed, not typed");
    if (primary->known && primary->flag && !rules_primary(rules_field(r, EVIDENCE_LINE)->choice))
        return rules_broken(err, 4, "'%s' is a lead and is never a primary line",
                            line_word(r, EVIDENCE_LINE));
    if (c->before && rules_same(c, EVIDENCE_HYPOTHESIS))
        return ATG_OK;
    return own_pair(c, EVIDENCE_HYPOTHESIS, &pair, err);
}

/* ---- comparisons ---- */

static int count_of(const rules_case *c, const db_statement *statement, int64_t *ret,
                    atg_err *err) {
    const record *r = c->after;

    return rules_count(c->d, statement,
                       (db_value[]){rules_id(&rules_field(r, COMPARISON_HYPOTHESIS)->ref),
                                    rules_word(r, COMPARISON_LINE),
                                    rules_id(&rules_field(r, COMPARISON_SIGNER)->ref),
                                    rules_id(&r->id)},
                       4, ret, err);
}

/* On their own, and before they saw what the leads or another say. */
static int check_blind(const rules_case *c, atg_err *err) {
    const record *r = c->after;
    int64_t earlier = 0, standing = 0, others = 0, leads = 0, faces = 0;
    int rc = count_of(c, &own_earlier, &earlier, err);

    if (!rc)
        rc = count_of(c, &own_standing, &standing, err);
    if (!rc)
        rc = count_of(c, &of_others, &others, err);
    if (!rc && rules_primary(rules_field(r, COMPARISON_LINE)->choice)) {
        db_value of[] = {rules_id(&rules_field(r, COMPARISON_HYPOTHESIS)->ref),
                         rules_id(&rules_field(r, COMPARISON_SIGNER)->ref)};

        rc = rules_count(c->d, &own_leads, of, 2, &leads, err);
        if (!rc)
            rc = rules_count(c->d, &own_faces, of, 2, &faces, err);
    }
    if (rc)
        return rc;
    if (standing)
        return rules_broken(err, 5,
                            "this account has concluded on this line already: change that "
                            "comparison as long as nobody else concluded");
    if (earlier && others)
        return rules_broken(err, 5,
                            "two signers conclude without knowing of each other; this "
                            "account concluded before, and may have seen the other's");
    if (leads || faces)
        return rules_broken(err, 5,
                            "who concluded on a lead of this pair is not blind to the "
                            "leads; another concludes on the primary line");
    return ATG_OK;
}

static int check_signer(const rules_case *c, atg_err *err) {
    const record *r = c->after;
    uint32_t roles = 0;
    int rc;

    if (!rules_is(r, COMPARISON_SIGNER, &c->who->account))
        return rules_broken(err, 5,
                            "a comparison is concluded, changed and withdrawn by its "
                            "signer alone");
    rc = accounts_roles(c->d, &c->who->account, &r->operation, &roles, err);
    if (!rc && !(roles & rules_qualified(rules_field(r, COMPARISON_LINE)->choice)))
        rc = rules_broken(err, 5, "this account's roles do not qualify it for the line '%s'",
                          line_word(r, COMPARISON_LINE));
    return rc;
}

/* Others concluded, or a decision rests on it: it stays as it was said. */
static int check_changed(const rules_case *c, atg_err *err) {
    bool hides = c->after->withdrawn && !c->before->withdrawn;
    db_value id = rules_id(&rules_field(c->after, COMPARISON_HYPOTHESIS)->ref);
    int64_t rests = 0, others = 0;
    int rc;

    if (!rules_same(c, COMPARISON_HYPOTHESIS) || !rules_same(c, COMPARISON_LINE) ||
        !rules_same(c, COMPARISON_SIGNER))
        return rules_broken(err, 5, "pair, line and signer of a comparison stay as they are");
    if (!hides && rules_same(c, COMPARISON_CONCLUSION))
        return ATG_OK;
    rc = rules_count(c->d, &rests_on, &id, 1, &rests, err);
    if (!rc && rests)
        return rules_broken(err, 5,
                            "a decision rests on the comparisons of this pair: it is "
                            "withdrawn first");
    if (!rc)
        rc = count_of(c, &of_others, &others, err);
    if (!rc && others && !hides)
        return rules_broken(err, 5,
                            "another concluded on this line meanwhile: a conclusion is not "
                            "changed any more, only withdrawn");
    return rc;
}

int rules_comparison(const rules_case *c, atg_err *err) {
    const record *r = c->after;
    uint32_t what = rules_field(r, COMPARISON_CONCLUSION)->choice;
    rules_pair pair;
    int rc = own_pair(c, COMPARISON_HYPOTHESIS, &pair, err);

    if (rc)
        return rc;
    if (!pair.searched && !r->withdrawn)
        return rules_broken(err, 3,
                            "nobody is compared who was found alive or whose file was "
                            "withdrawn");
    if (is_final(what) && !rules_primary(rules_field(r, COMPARISON_LINE)->choice))
        return rules_broken(err, 4, "'%s' is a lead: it neither establishes nor excludes",
                            line_word(r, COMPARISON_LINE));
    if (!rules_field(r, COMPARISON_SIGNER)->known)
        return rules_broken(err, 5, "a comparison has a signer");
    if (is_final(what) && !rules_field(r, COMPARISON_QUALIFICATION)->known)
        return rules_broken(err, 5, "who establishes or excludes writes their qualification");
    if (rules_in_person(c->who))
        rc = check_signer(c, err);
    if (!rc && c->before)
        rc = check_changed(c, err);
    if (!rc && !c->before && rules_in_person(c->who))
        rc = check_blind(c, err);
    return rc;
}
