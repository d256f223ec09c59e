/* SPDX-License-Identifier: Apache-2.0 */
#include "app/rules_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "app/face_marks.h"
#include "app/rights.h"
#include "base/clock.h"
#include "store/accounts.h"

const double rules_least_posterior = 0.9995, rules_least_log10_lr = 4;

static const db_statement find_operation = {
    "rules_operation", "SELECT threshold, min_log10_lr, signed_by FROM r_operation WHERE id = $1"};
static const db_statement any_hypothesis = {
    "rules_matched", "SELECT CAST(1 AS BIGINT) FROM r_hypothesis WHERE operation = $1 LIMIT 1"};
static const db_statement informant_of = {
    "rules_informant", "SELECT count(*) FROM r_informant i WHERE i.id = $1 AND i.withdrawn = 0 AND "
                       "(i.file = $2 OR i.file = (SELECT m.family FROM r_missing m WHERE "
                       "m.id = $2)) AND NOT EXISTS (SELECT 1 FROM erased e WHERE e.person = i.id)"};
static const db_statement told_families = {
    "rules_told", "SELECT count(*) FROM r_notification WHERE file = $1 AND withdrawn = 0"};
static const db_statement state_of_missing = {
    "rules_missing_state",
    "SELECT count(*) FROM r_missing WHERE id = $1 AND state IN ('family_told', 'closed')"};

/* ---- what the files share ---- */

int rules_broken(atg_err *err, int rule, const char *fmt, ...) {
    char text[sizeof(err->msg)];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    return atg_fail(err, ATG_EDENIED, "Rule %d: %.380s", rule, text);
}

bool rules_is_matcher(const actor *who) {
    return uuid_none(&who->account);
}

bool rules_in_person(const actor *who) {
    return !rules_is_matcher(who) && !who->carried;
}

bool rules_same(const rules_case *c, uint32_t field) {
    const field_type *type = record_field(c->after->kind, field);

    return c->before ? value_eq(type, &c->before->fields[field], &c->after->fields[field])
                     : !c->after->fields[field].known;
}

bool rules_is(const record *r, uint32_t field, const uuid *id) {
    return r->fields[field].known && uuid_cmp(&r->fields[field].ref, id) == 0;
}

int32_t rules_today(void) {
    return (int32_t)(clock_now() / 86400000000);
}

bool rules_date(const value *v, date *ret) {
    return v->known && date_read(v->text, ret, NULL) == ATG_OK;
}

db_value rules_id(const uuid *id) {
    return db_blob(id->bytes, UUID_SIZE);
}

db_value rules_word(const record *r, uint32_t field) {
    const value *v = rules_field(r, field);

    return v->known ? db_text(atg_str_of(record_field(r->kind, field)->choices[v->choice]))
                    : db_null();
}

bool rules_read_id(db_rows *rows, int at, uuid *ret) {
    atg_str s = db_get_blob(rows, at);

    if (db_is_null(rows, at) || s.n != UUID_SIZE)
        return false;
    memcpy(ret->bytes, s.p, UUID_SIZE);
    return true;
}

int rules_row(db *d, const db_statement *statement, const db_value *values, int n, db_rows **ret,
              atg_err *err) {
    db_rows *rows = NULL;
    int rc = db_query(d, statement, values, n, &rows, err);

    if (rc)
        return rc;
    rc = db_next(rows, err);
    if (rc <= 0)
        db_end(rows);
    else
        *ret = rows;
    return rc;
}

int rules_count(db *d, const db_statement *statement, const db_value *values, int n, int64_t *ret,
                atg_err *err) {
    return db_get_one(d, statement, values, n, 0, ret, err);
}

/* ---- the operation: what was signed before matching ---- */

typedef struct settings {
    bool matched; /* hypotheses are there */
    bool changed, signature;
} settings;

static int compare_settings(const rules_case *c, settings *ret, atg_err *err) {
    db_value id = rules_id(&c->after->id);
    settings s = {.changed = !rules_same(c, OPERATION_THRESHOLD) ||
                             !rules_same(c, OPERATION_MIN_LOG10_LR) ||
                             !rules_same(c, OPERATION_PRIOR),
                  .signature = !rules_same(c, OPERATION_SIGNED_BY)};
    db_rows *rows = NULL;
    int rc = 0;

    if (c->before && (s.changed || s.signature))
        rc = rules_row(c->d, &any_hypothesis, &id, 1, &rows, err);
    if (rc < 0)
        return rc;
    s.matched = rc > 0;
    db_end(rows);
    *ret = s;
    return ATG_OK;
}

static double number_or(const value *v, double otherwise) {
    return v->known ? v->number : otherwise;
}

static bool lowered(const rules_case *c, uint32_t field, double otherwise) {
    return number_or(rules_field(c->after, field), otherwise) <
           number_or(rules_field(c->before, field), otherwise);
}

static int check_signature(const rules_case *c, const settings *s, atg_err *err) {
    const record *r = c->after;
    uint32_t roles = 0;
    int rc;

    if (!rules_field(r, OPERATION_SIGNED_BY)->known)
        return s->matched ? rules_broken(err, 5,
                                         "threshold, least LR and prior were signed before "
                                         "matching and stay signed; sign what they shall be")
                          : ATG_OK;
    if (!rules_is(r, OPERATION_SIGNED_BY, &c->who->account))
        return rules_broken(err, 5,
                            "who changes threshold, least LR or prior signs for them with "
                            "their own account, or leaves them unsigned");
    if (!rules_field(r, OPERATION_THRESHOLD)->known ||
        !rules_field(r, OPERATION_MIN_LOG10_LR)->known || !rules_field(r, OPERATION_PRIOR)->known)
        return rules_broken(err, 5,
                            "threshold, least LR and prior are written before they are "
                            "signed");
    rc = accounts_roles(c->d, &c->who->account, &r->operation, &roles, err);
    if (!rc && !(roles & 1U << ROLE_BOARD))
        rc = rules_broken(err, 5, "threshold, least LR and prior are signed by the board");
    return rc ? rc : rights_code(roles, err);
}

int rules_operation(const rules_case *c, atg_err *err) {
    settings s;
    int rc = compare_settings(c, &s, err);

    if (rc)
        return rc;
    if (number_or(rules_field(c->after, OPERATION_THRESHOLD), rules_least_posterior) <
        rules_least_posterior)
        return rules_broken(err, 5, "the threshold may be raised, never set below %g",
                            rules_least_posterior);
    if (number_or(rules_field(c->after, OPERATION_MIN_LOG10_LR), rules_least_log10_lr) <
        rules_least_log10_lr)
        return rules_broken(err, 5, "the least log10 LR may be raised, never set below %g",
                            rules_least_log10_lr);
    if (s.matched && (lowered(c, OPERATION_THRESHOLD, rules_least_posterior) ||
                      lowered(c, OPERATION_MIN_LOG10_LR, rules_least_log10_lr)))
        return rules_broken(err, 5,
                            "threshold and least LR are signed before matching; once "
                            "something was compared they are only raised");
    if (s.matched && s.changed && !atg_str_trim(c->who->reason).n)
        return rules_broken(err, 5,
                            "write the reason for changing what was signed before "
                            "matching");
    if ((s.changed || s.signature) && rules_in_person(c->who))
        return check_signature(c, &s, err);
    return ATG_OK;
}

int rules_signed(db *d, const uuid *operation, double *ret_posterior, double *ret_log10_lr,
                 atg_err *err) {
    db_value id = rules_id(operation);
    double posterior, log10_lr;
    db_rows *rows = NULL;
    int rc = rules_row(d, &find_operation, &id, 1, &rows, err);
    bool done;

    if (rc == 0)
        return atg_fail(err, ATG_ENOTFOUND, "There is no such operation");
    if (rc < 0)
        return rc;
    posterior = db_is_null(rows, 0) ? rules_least_posterior : db_get_double(rows, 0);
    log10_lr = db_is_null(rows, 1) ? rules_least_log10_lr : db_get_double(rows, 1);
    done = !db_is_null(rows, 2);
    db_end(rows);
    if (!done)
        return rules_broken(err, 5,
                            "a member of the board signs threshold, least LR and prior of "
                            "the operation (signed_by) before anything is matched");
    *ret_posterior = posterior > rules_least_posterior ? posterior : rules_least_posterior;
    *ret_log10_lr = log10_lr > rules_least_log10_lr ? log10_lr : rules_least_log10_lr;
    return ATG_OK;
}

/* ---- files and what was told ---- */

static int check_missing_state(const rules_case *c, atg_err *err) {
    const record *r = c->after;
    db_value id = rules_id(&r->id);
    int64_t n = 0;
    uuid missing;
    int rc;

    switch ((choice_missing_state)r->state) {
    case MISSING_STATE_IDENTIFIED:
        return rules_identified(c->d, RECORD_MISSING, &r->id, &missing, err);
    case MISSING_STATE_FAMILY_TOLD:
        rc = rules_count(c->d, &told_families, &id, 1, &n, err);
        return rc || n ? rc
                       : rules_broken(err, 6,
                                      "the family is told before the file says so: record "
                                      "the notification (who, when, how)");
    case MISSING_STATE_FOUND_ALIVE:
        return rules_field(r, MISSING_ALIVE_ON)->known
                   ? ATG_OK
                   : rules_broken(err, 3, "write when the person was found alive (alive_on)");
    case MISSING_STATE_REPORTED:
    case MISSING_STATE_COMPLETE:
    case MISSING_STATE_UNDER_COMPARISON:
    case MISSING_STATE_CLOSED:
    case MISSING_STATE_WITHDRAWN:
    case MISSING_STATE_COUNT:
        break;
    }
    return ATG_OK;
}

static int check_missing(const rules_case *c, atg_err *err) {
    const record *r = c->after;
    const value *agreed = rules_field(r, MISSING_ALIVE_CONSENT);

    if (rules_field(r, MISSING_WHEREABOUTS)->known &&
        (r->state != MISSING_STATE_FOUND_ALIVE || !agreed->known || !agreed->flag))
        return rules_broken(err, 3,
                            "where somebody is who was found alive is told, and kept, only "
                            "with their consent (alive_consent)");
    if (c->before && c->before->state != r->state && !c->who->carried)
        return check_missing_state(c, err);
    return ATG_OK;
}

static int check_release(const rules_case *c, atg_err *err) {
    uuid missing = {{0}};
    int64_t n = 0;
    int rc = rules_identified(c->d, RECORD_REMAINS, &c->after->id, &missing, err);
    db_value id = rules_id(&missing);

    if (!rc)
        rc = rules_count(c->d, &state_of_missing, &id, 1, &n, err);
    if (!rc && !n)
        rc = rules_broken(err, 6,
                          "the family is told before the body is released: the missing "
                          "file is at 'family_told' or 'closed' then");
    return rc;
}

static int check_remains(const rules_case *c, atg_err *err) {
    uuid missing;

    if (!c->before || c->before->state == c->after->state || c->who->carried)
        return ATG_OK;
    if (c->after->state == REMAINS_STATE_IDENTIFIED && c->before->state < c->after->state)
        return rules_identified(c->d, RECORD_REMAINS, &c->after->id, &missing, err);
    if (c->after->state == REMAINS_STATE_RELEASED)
        return check_release(c, err);
    return ATG_OK;
}

/* Who entered it is who writes it first, and stays; and what a probe rests on (the picture, the
 * event) is nobody else's to change. */
static int check_entered(const rules_case *c, uint32_t entered, uint32_t said, atg_err *err) {
    if (!rules_in_person(c->who))
        return ATG_OK;
    if (c->before ? !rules_same(c, entered) : !rules_is(c->after, entered, &c->who->account))
        return rules_broken(err, 1,
                            "who entered it (entered_by) is the account that enters it, "
                            "and does not change");
    if (c->before && !rules_same(c, said) && !rules_is(c->before, entered, &c->who->account))
        return rules_broken(err, 1, "'%s' is changed by the account that entered it alone",
                            record_field(c->after->kind, said)->name);
    return ATG_OK;
}

static int check_photograph(const rules_case *c, atg_err *err) {
    const record *r = c->after;
    const value *informant = rules_field(r, PHOTOGRAPH_INFORMANT);
    const value *confirmed = rules_field(r, PHOTOGRAPH_CONFIRMED);
    const value *placed = rules_field(r, PHOTOGRAPH_LANDMARKS);
    face_landmarks marks;
    int64_t n = 0;
    int rc = check_entered(c, PHOTOGRAPH_ENTERED_BY, PHOTOGRAPH_IMAGE, err);

    if (!rc && placed->known)
        rc = face_marks_read(placed->text, &marks, err);
    if (rc || c->in != RECORD_MISSING)
        return rc;
    if (confirmed->known && confirmed->flag && !informant->known)
        return rules_broken(err, 1,
                            "only an informant confirms whom a photograph shows: name "
                            "them (informant)");
    if (!informant->known || !rules_field(r, PHOTOGRAPH_OBTAINED)->known ||
        !rules_field(r, PHOTOGRAPH_BASIS)->known)
        return rules_broken(err, 2,
                            "a photograph of a missing person comes from an informant: "
                            "informant, day (obtained) and legal basis (basis) are needed");
    if (c->before && rules_same(c, PHOTOGRAPH_INFORMANT))
        return ATG_OK;
    rc = rules_count(c->d, &informant_of,
                     (db_value[]){rules_id(&informant->ref), rules_id(&r->file)}, 2, &n, err);
    return rc || n ? rc
                   : rules_broken(err, 2,
                                  "the informant of a photograph is one of the missing "
                                  "person's file or of the family's");
}

static int check_notification(const rules_case *c, atg_err *err) {
    const value *how = rules_field(c->after, NOTIFICATION_HOW);
    const value *why = rules_field(c->after, NOTIFICATION_REASON);
    date told;

    if (how->known && how->choice != TOLD_IN_PERSON && !why->known)
        return rules_broken(err, 6,
                            "families are told in person; where that is impossible, the "
                            "reason is recorded");
    if (rules_date(rules_field(c->after, NOTIFICATION_TOLD_ON), &told) &&
        told.from > rules_today() + 1)
        return rules_broken(err, 6, "a notification is recorded when it has happened");
    return ATG_OK;
}

static int check_staff(const rules_case *c, atg_err *err) {
    date agreed, ends;

    if (!rules_date(rules_field(c->after, STAFF_PROFILE_AGREED_ON), &agreed) ||
        agreed.from > rules_today() + 1)
        return rules_broken(err, 8, "a profile of staff needs their agreement, and its day");
    if (rules_date(rules_field(c->after, STAFF_PROFILE_ENDS_ON), &ends) && ends.to < rules_today())
        return rules_broken(err, 8, "what they agreed to is over");
    return ATG_OK;
}

/* ---- all kinds ---- */

typedef int check_fn(const rules_case *c, atg_err *err);

static check_fn *const checks[RECORD_KINDS] = {
    [RECORD_OPERATION] = rules_operation,
    [RECORD_MISSING] = check_missing,
    [RECORD_REMAINS] = check_remains,
    [RECORD_DONOR] = rules_given,
    [RECORD_SAMPLE] = rules_taken,
    [RECORD_PROFILE] = rules_taken,
    [RECORD_STAFF_PROFILE] = check_staff,
    [RECORD_PHOTOGRAPH] = check_photograph,
    [RECORD_HYPOTHESIS] = rules_hypothesis,
    [RECORD_EVIDENCE] = rules_evidence,
    [RECORD_COMPARISON] = rules_comparison,
    [RECORD_DECISION] = rules_decision,
    [RECORD_NOTIFICATION] = check_notification,
    [RECORD_FACE_TEMPLATE] = rules_face_template,
    [RECORD_FACE_CANDIDATE] = rules_face_candidate,
    [RECORD_FACE_COMPARISON] = rules_face_comparison,
    [RECORD_FACE_CALIBRATION] = rules_face_calibration,
};

int rules_check(db *d, const actor *who, record_kind in, const record *before, const record *after,
                atg_err *err) {
    rules_case c = {.d = d, .who = who, .in = in, .before = before, .after = after};
    bool hides = before && !before->withdrawn && after->withdrawn;

    if (rules_is_matcher(who) && !rights_computed(after->kind))
        return rules_broken(err, 5,
                            "what runs by itself writes hypotheses, evidence and what it made of "
                            "faces, and nothing else");
    if (record_types[after->kind].stays && who->carried)
        return rules_broken(err, 1, "a %s stays where it was made",
                            record_types[after->kind].title);
    if (!before && after->state && !who->carried)
        return atg_fail(err, ATG_EDENIED, "A new %s begins as '%s'",
                        record_types[after->kind].title, record_types[after->kind].states[0]);
    if (after->kind == RECORD_CUSTODY)
        return check_entered(&c, CUSTODY_ENTERED_BY, CUSTODY_EVENT, err);
    /* what is only hidden says nothing new; a conclusion that is hidden does */
    if (!checks[after->kind] ||
        (hides && after->kind != RECORD_COMPARISON && after->kind != RECORD_DECISION &&
         after->kind != RECORD_FACE_COMPARISON))
        return ATG_OK;
    return checks[after->kind](&c, err);
}

static void fill(record *r, uint32_t field, const uuid *id) {
    if (!r->fields[field].known)
        r->fields[field] = (value){.known = true, .ref = *id};
}

int rules_prepare(db *d, const actor *who, atg_arena *arena, record *r, atg_err *err) {
    if (!rules_in_person(who))
        return ATG_OK;
    if (r->kind == RECORD_PHOTOGRAPH)
        fill(r, PHOTOGRAPH_ENTERED_BY, &who->account);
    else if (r->kind == RECORD_CUSTODY)
        fill(r, CUSTODY_ENTERED_BY, &who->account);
    else if (r->kind == RECORD_COMPARISON)
        fill(r, COMPARISON_SIGNER, &who->account);
    else if (r->kind == RECORD_FACE_COMPARISON)
        fill(r, FACE_COMPARISON_SIGNER, &who->account);
    else if (r->kind == RECORD_DECISION)
        fill(r, DECISION_DECIDED_BY, &who->account);
    return r->kind == RECORD_DECISION ? rules_note_inputs(d, arena, r, err) : ATG_OK;
}
