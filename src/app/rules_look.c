/* SPDX-License-Identifier: Apache-2.0 */
/* Rules 1 to 3 and 5 where somebody looks: what may be searched with and among, and what is kept
 * from who is to conclude. */
#include "app/rules_internal.h"

static const db_statement find_photograph = {
    "rules_photograph",
    "SELECT p.file, p.entered_by, p.withdrawn, p.image, f.kind, f.withdrawn FROM r_photograph p "
    "JOIN file f ON f.id = p.file WHERE p.id = $1"};
static const db_statement recovered = {
    "rules_recovered", "SELECT count(*) FROM r_custody WHERE file = $1 AND event = 'recovery' AND "
                       "withdrawn = 0 AND entered_by IS NOT NULL AND entered_by NOT IN ($2, $3)"};
static const db_statement in_gallery = {
    "rules_gallery",
    "SELECT m.operation, p.scope, m.merged_into FROM r_photograph p JOIN r_missing m ON m.id = "
    "p.file JOIN r_informant i ON i.id = p.informant WHERE p.id = $1 AND p.what = 'face' AND "
    "p.confirmed = 1 AND p.image IS NOT NULL AND p.obtained IS NOT NULL AND p.basis IS NOT NULL "
    "AND p.withdrawn = 0 AND m.withdrawn = 0 AND i.withdrawn = 0 AND m.state IN ('reported', "
    "'complete', 'under_comparison') AND NOT EXISTS (SELECT 1 FROM erased e WHERE e.person IN "
    "(i.id, m.id))"};
static const db_statement merged = {
    "rules_merged", "SELECT merged_into FROM r_missing WHERE id = $1 AND withdrawn = 0 AND state "
                    "IN ('reported', 'complete', 'under_comparison')"};
static const db_statement concluded = {
    "rules_concluded", "SELECT count(*) FROM r_comparison WHERE hypothesis = $1 AND signer = $2 "
                       "AND withdrawn = 0 AND line IN ('dna', 'dental', 'ridge', 'implant')"};
static const db_statement decided = {
    "rules_decided", "SELECT count(*) FROM r_decision WHERE hypothesis = $1 AND withdrawn = 0"};

enum { MERGES_MAX = 16 };

/* ---- rule 1 ---- */

int rules_probe(db *d, const actor *who, const uuid *photograph, atg_err *err) {
    db_value id = rules_id(photograph);
    uuid file = {{0}}, entered = {{0}};
    db_rows *rows = NULL;
    bool fine, remains;
    int64_t n = 0;
    int rc = rules_row(d, &find_photograph, &id, 1, &rows, err);

    if (rc == 0)
        return rules_broken(err, 1, "only a registered photograph is searched with");
    if (rc < 0)
        return rc;
    fine = rules_read_id(rows, 0, &file) && rules_read_id(rows, 1, &entered) &&
           !db_get_int(rows, 2) && !db_is_null(rows, 3) && !db_get_int(rows, 5);
    remains = atg_str_eq(db_get_text(rows, 4), ATG_STR("remains"));
    db_end(rows);
    if (rules_is_matcher(who))
        return rules_broken(err, 1, "a face is searched for by a named account");
    if (!remains)
        return rules_broken(err, 1,
                            "only photographs of the dead are searched with, never of the "
                            "missing");
    if (!fine)
        return rules_broken(err, 1,
                            "the photograph or its file was withdrawn, or says not who "
                            "entered it");
    rc = rules_count(d, &recovered,
                     (db_value[]){rules_id(&file), rules_id(&entered), rules_id(&who->account)}, 3,
                     &n, err);
    return rc || n ? rc
                   : rules_broken(err, 1,
                                  "the remains file needs a recovery event that another "
                                  "account entered, neither who entered the photograph "
                                  "nor who searches");
}

/* A report that was merged counts as long as the file that it went into does. */
static int check_merged(db *d, uuid at, bool *ret, atg_err *err) {
    for (int i = 0; i < MERGES_MAX; i++) {
        db_value id = rules_id(&at);
        db_rows *rows = NULL;
        bool more;
        int rc = rules_row(d, &merged, &id, 1, &rows, err);

        if (rc <= 0) {
            *ret = false;
            return rc;
        }
        more = rules_read_id(rows, 0, &at);
        db_end(rows);
        if (!more)
            return ATG_OK;
    }
    *ret = false;
    return ATG_OK;
}

int rules_gallery(db *d, const uuid *operation, const uuid *photograph, bool *ret, atg_err *err) {
    db_value id = rules_id(photograph);
    uuid of = {{0}}, into = {{0}};
    db_rows *rows = NULL;
    bool shared;
    int rc = rules_row(d, &in_gallery, &id, 1, &rows, err);

    *ret = rc > 0;
    if (rc <= 0)
        return rc;
    shared = atg_str_eq(db_get_text(rows, 1), ATG_STR("sharing_operations"));
    rc = rules_read_id(rows, 0, &of) ? ATG_OK : atg_fail(err, ATG_EDB, "A missing file is damaged");
    (void)rules_read_id(rows, 2, &into);
    db_end(rows);
    if (!rc && uuid_cmp(&of, operation) != 0) {
        *ret = false;
        rc = shared ? rules_shares(d, &of, operation, ret, err) : ATG_OK;
    }
    if (!rc && *ret && !uuid_none(&into))
        rc = check_merged(d, into, ret, err);
    return rc;
}

/* ---- rule 5: blind ---- */

static uint64_t findings_of(record_kind kind) {
    uint64_t bits = 0;

    for (uint32_t f = 0; f < record_types[kind].n_fields; f++)
        if (record_field(kind, f)->class == CLASS_FINDING)
            bits |= UINT64_C(1) << f;
    return bits;
}

/* What this account may see although it has not concluded: its own, and what is computed of the
 * line that it is asked about. */
static bool is_own(const actor *who, uint32_t roles, const record *r) {
    uint32_t of;

    if (r->kind == RECORD_COMPARISON)
        return rules_is(r, COMPARISON_SIGNER, &who->account);
    if (r->kind != RECORD_EVIDENCE || !rules_field(r, EVIDENCE_LINE)->known)
        return false;
    of = rules_field(r, EVIDENCE_LINE)->choice;
    return rules_primary(of) && (rules_qualified(of) & roles);
}

static bool is_of_faces(const record *r) {
    return r->kind == RECORD_FACE_CANDIDATE || r->kind == RECORD_FACE_COMPARISON ||
           (r->kind == RECORD_EVIDENCE && rules_field(r, EVIDENCE_LINE)->known &&
            rules_field(r, EVIDENCE_LINE)->choice == LINE_FACE);
}

int rules_blind(db *d, const actor *who, uint32_t roles, const record *r, uint64_t *ret_hidden,
                atg_err *err) {
    bool asked =
        r->kind == RECORD_HYPOTHESIS || r->kind == RECORD_EVIDENCE || r->kind == RECORD_COMPARISON;
    const uuid *hypothesis = &r->id;
    int64_t done = 0, over = 0;
    int rc;

    *ret_hidden = 0;
    if (is_of_faces(r)) {
        bool blind = false;

        rc = roles & 1U << ROLE_EXAMINER ? rules_face_blind(d, who, r, &blind, err) : ATG_OK;
        if (!rc && blind)
            *ret_hidden = findings_of(r->kind);
        if (rc || blind || r->kind != RECORD_EVIDENCE)
            return rc;
    }
    if (!asked || !(roles & rules_signers) || is_own(who, roles, r))
        return ATG_OK;
    if (r->kind == RECORD_EVIDENCE)
        hypothesis = &rules_field(r, EVIDENCE_HYPOTHESIS)->ref;
    else if (r->kind == RECORD_COMPARISON)
        hypothesis = &rules_field(r, COMPARISON_HYPOTHESIS)->ref;
    rc = rules_count(d, &concluded, (db_value[]){rules_id(hypothesis), rules_id(&who->account)}, 2,
                     &done, err);
    if (!rc && !done)
        rc = rules_count(d, &decided, (db_value[]){rules_id(hypothesis)}, 1, &over, err);
    if (!rc && !done && !over)
        *ret_hidden = findings_of(r->kind);
    return rc;
}

bool rules_blind_history(uint32_t roles, record_kind kind, uint32_t remains_state) {
    return (roles & rules_signers) &&
           (kind == RECORD_HYPOTHESIS || kind == RECORD_EVIDENCE || kind == RECORD_COMPARISON ||
            kind == RECORD_FACE_CANDIDATE || kind == RECORD_FACE_COMPARISON) &&
           remains_state < REMAINS_STATE_IDENTIFIED;
}
