/* SPDX-License-Identifier: Apache-2.0 */
/* Rule 5: what the board decides, and what follows from it. */
#include "app/rules_internal.h"

#include <string.h>

#include "base/bytes.h"

static const db_statement signed_so = {
    "rules_signed_so", "SELECT count(*) FROM r_comparison WHERE hypothesis = $1 AND line = $2 AND "
                       "signer = $3 AND conclusion = $4 AND withdrawn = 0"};
static const db_statement open_exclusion = {
    "rules_open_exclusion", "SELECT count(*) FROM r_comparison WHERE hypothesis = $1 AND "
                            "conclusion = 'excluded' AND withdrawn = 0"};
static const db_statement standing = {
    "rules_standing", "SELECT conclusion, inputs FROM r_decision WHERE hypothesis = $1 AND "
                      "id <> $2 AND withdrawn = 0"};
static const db_statement numbers_of = {
    "rules_numbers", "SELECT posterior_primary, log10_lr_primary FROM r_hypothesis WHERE id = $1"};
static const db_statement evidence_of = {
    "rules_evidence_of", "SELECT count(*) FROM r_evidence WHERE hypothesis = $1 AND line = $2 AND "
                         "\"primary\" = 1 AND withdrawn = 0"};
static const db_statement being_matched = {
    "rules_being_matched", "SELECT count(*) FROM job WHERE kind = 'match' AND subject IN ($1, $2, "
                           "$3) AND state <> 'done'"};
static const db_statement other_body = {
    "rules_other_body",
    "SELECT count(*) FROM r_hypothesis h JOIN r_decision d ON d.hypothesis = h.id JOIN r_remains r "
    "ON r.id = d.file JOIN r_remains own ON own.id = $2 WHERE h.missing = $1 AND d.file <> $2 AND "
    "d.conclusion = 'established' AND d.withdrawn = 0 AND r.what = 'body' AND own.what = 'body' "
    "AND (r.part_of IS NULL OR r.part_of <> $2) AND (own.part_of IS NULL OR own.part_of <> r.id)"};
static const db_statement other_person = {
    "rules_other_person",
    "SELECT count(*) FROM r_decision d JOIN r_hypothesis h ON h.id = d.hypothesis WHERE d.file = "
    "$1 AND d.conclusion = 'established' AND d.withdrawn = 0 AND h.missing <> $2"};
static const db_statement of_remains = {
    "rules_of_remains",
    "SELECT h.missing FROM r_decision d JOIN r_hypothesis h ON h.id = d.hypothesis WHERE d.file = "
    "$1 AND d.conclusion = 'established' AND d.withdrawn = 0"};
static const db_statement of_missing = {
    "rules_of_missing",
    "SELECT h.missing FROM r_hypothesis h JOIN r_decision d ON d.hypothesis = h.id WHERE h.missing "
    "= $1 AND d.conclusion = 'established' AND d.withdrawn = 0"};
static const db_statement relies = {
    "rules_relies", "SELECT count(*) FROM r_missing WHERE id = $1 AND state IN ('identified', "
                    "'family_told', 'closed')"};
static const db_statement find_decision = {
    "rules_decision",
    "SELECT hypothesis, conclusion, inputs, withdrawn FROM r_decision WHERE id = $1"};

/* Numbers stand for the kinds: they are hashed, and do not change when kinds are added. */
#define HELD(n, kind)                                                                              \
    "SELECT CAST(" n " AS BIGINT), id, rev FROM r_" kind                                           \
    " WHERE file = $1 AND withdrawn = 0 UNION ALL "
static const char held_sql[] = HELD("1", "profile") HELD("2", "dental_chart") HELD("3", "ridge")
    HELD("4", "implant") HELD("5", "mark") HELD("6", "effect") HELD("7", "document")
        HELD("8", "photograph") "SELECT CAST(9 AS BIGINT), id, rev FROM r_family WHERE id = $1 AND "
                                "withdrawn = 0 "
                                "ORDER BY 1, 2";
static const db_statement held = {"rules_held", held_sql};

/* ---- on which data ---- */

static int hash_file(db *d, hasher *h, const uuid *file, atg_err *err) {
    db_value id = rules_id(file);
    db_rows *rows = NULL;
    int rc = db_query(d, &held, &id, 1, &rows, err);

    if (rc)
        return rc;
    while ((rc = db_next(rows, err)) > 0) {
        hash_number(h, (uint64_t)db_get_int(rows, 0));
        hash_bytes(h, db_get_blob(rows, 1));
        hash_number(h, (uint64_t)db_get_int(rows, 2));
    }
    db_end(rows);
    return rc;
}

int rules_inputs(db *d, const rules_pair *pair, char ret[RULES_INPUTS + 1], atg_err *err) {
    const uuid *files[] = {&pair->remains, &pair->missing, &pair->family};
    hash256 hash;
    hasher h;

    hash_begin(&h, "antigone/decision-inputs/1", NULL);
    for (size_t i = 0; i < 3; i++) {
        int rc;

        hash_bytes(&h, (atg_str){(const char *)files[i]->bytes, UUID_SIZE});
        if (uuid_none(files[i]))
            continue;
        rc = hash_file(d, &h, files[i], err);
        if (rc)
            return rc;
    }
    hash = hash_end(&h);
    bytes_hex(hash.bytes, HASH_SIZE, ret);
    return ATG_OK;
}

int rules_note_inputs(db *d, atg_arena *arena, record *r, atg_err *err) {
    char hex[RULES_INPUTS + 1];
    rules_pair pair;
    atg_str text;
    int rc;

    if (!rules_field(r, DECISION_HYPOTHESIS)->known)
        return ATG_OK; /* refused elsewhere: it is required */
    rc = rules_pair_of(d, &rules_field(r, DECISION_HYPOTHESIS)->ref, &pair, err);
    if (!rc)
        rc = rules_inputs(d, &pair, hex, err);
    if (rc)
        return rc;
    text = atg_arena_str(arena, atg_str_of(hex));
    if (!text.p)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a decision");
    r->fields[DECISION_INPUTS] = (value){.known = true, .text = text};
    return ATG_OK;
}

int rules_stands(db *d, const uuid *decision, bool *ret, atg_err *err) {
    db_value id = rules_id(decision);
    char then[RULES_INPUTS + 1] = "", now[RULES_INPUTS + 1];
    bool excludes, withdrawn;
    rules_pair pair;
    uuid hypothesis = {{0}};
    db_rows *rows = NULL;
    int rc = rules_row(d, &find_decision, &id, 1, &rows, err);

    if (rc == 0)
        return atg_fail(err, ATG_ENOTFOUND, "There is no such decision");
    if (rc < 0)
        return rc;
    (void)rules_read_id(rows, 0, &hypothesis);
    excludes = atg_str_eq(db_get_text(rows, 1), ATG_STR("excluded"));
    if (!db_is_null(rows, 2) && db_get_text(rows, 2).n == RULES_INPUTS)
        memcpy(then, db_get_text(rows, 2).p, RULES_INPUTS);
    withdrawn = db_get_int(rows, 3) != 0;
    db_end(rows);
    if (withdrawn || !excludes) {
        *ret = !withdrawn;
        return ATG_OK;
    }
    rc = rules_pair_of(d, &hypothesis, &pair, err);
    if (!rc)
        rc = rules_inputs(d, &pair, now, err);
    if (!rc)
        *ret = memcmp(then, now, RULES_INPUTS) == 0;
    return rc;
}

/* ---- signers ---- */

static int check_signers(const rules_case *c, atg_err *err) {
    static const uint32_t fields[] = {DECISION_FIRST_SIGNER, DECISION_SECOND_SIGNER};
    const record *r = c->after;

    if (!rules_field(r, DECISION_LINE)->known ||
        !rules_primary(rules_field(r, DECISION_LINE)->choice))
        return rules_broken(err, 4,
                            "an identity is established or excluded on a primary line: "
                            "dna, dental, ridge or implant");
    for (size_t i = 0; i < 2; i++) {
        const uuid *signer = &rules_field(r, fields[i])->ref;
        int64_t n = 0;
        int rc;

        if (!rules_field(r, fields[i])->known)
            return rules_broken(err, 5, "it takes two signers");
        if (rules_is(r, DECISION_DECIDED_BY, signer))
            return rules_broken(err, 5,
                                "the board's account that decides is none of the two "
                                "signers");
        rc = rules_count(c->d, &signed_so,
                         (db_value[]){rules_id(&rules_field(r, DECISION_HYPOTHESIS)->ref),
                                      rules_word(r, DECISION_LINE), rules_id(signer),
                                      rules_word(r, DECISION_CONCLUSION)},
                         4, &n, err);
        if (rc)
            return rc;
        if (!n)
            return rules_broken(err, 5,
                                "the %s signer has not concluded so on this line of this "
                                "pair",
                                i ? "second" : "first");
    }
    if (rules_is(r, DECISION_FIRST_SIGNER, &rules_field(r, DECISION_SECOND_SIGNER)->ref))
        return rules_broken(err, 5, "the two signers are two different people");
    return ATG_OK;
}

/* ---- an identity ---- */

static int check_numbers(const rules_case *c, const rules_pair *pair, atg_err *err) {
    double least_posterior, least_log10_lr, posterior, log10_lr;
    db_value id = rules_id(&pair->hypothesis);
    db_rows *rows = NULL;
    bool known;
    int rc = rules_signed(c->d, &pair->operation, &least_posterior, &least_log10_lr, err);

    if (rc)
        return rc;
    rc = rules_row(c->d, &numbers_of, &id, 1, &rows, err);
    if (rc <= 0)
        return rc < 0 ? rc : atg_fail(err, ATG_ENOTFOUND, "There is no such hypothesis");
    known = !db_is_null(rows, 0) && !db_is_null(rows, 1);
    posterior = known ? db_get_double(rows, 0) : 0;
    log10_lr = known ? db_get_double(rows, 1) : 0;
    db_end(rows);
    if (!known)
        return rules_broken(err, 5, "the posterior of the primary lines was not computed");
    if (posterior < least_posterior)
        return rules_broken(err, 5,
                            "the posterior of the primary lines alone is %.9g, below the "
                            "signed threshold of %.9g",
                            posterior, least_posterior);
    if (log10_lr < least_log10_lr)
        return rules_broken(err, 5,
                            "the log10 LR of the pair's primary lines alone is %.6g, below "
                            "the signed least of %.6g: nobody is identified by elimination",
                            log10_lr, least_log10_lr);
    return ATG_OK;
}

/* What the numbers were computed from is what is there now. */
static int check_current(const rules_case *c, const rules_pair *pair, atg_err *err) {
    const uuid *files[] = {&pair->remains, &pair->missing, &pair->family};
    char names[3][UUID_TEXT + 1];
    db_value subjects[3];
    int64_t n = 0;
    int rc;

    for (size_t i = 0; i < 3; i++) {
        uuid_text(files[i], names[i]);
        subjects[i] = db_text(atg_str_of(names[i]));
    }
    rc = rules_count(c->d, &being_matched, subjects, 3, &n, err);
    if (!rc && n)
        rc = rules_broken(err, 5,
                          "data of this pair changed and are not compared yet: let the "
                          "matcher finish first");
    return rc;
}

static int check_one_to_one(const rules_case *c, const rules_pair *pair, atg_err *err) {
    db_value missing = rules_id(&pair->missing), remains = rules_id(&pair->remains);
    int64_t n = 0;
    int rc = rules_count(c->d, &other_person, (db_value[]){remains, missing}, 2, &n, err);

    if (!rc && n)
        return rules_broken(err, 5,
                            "this body is established to be somebody else: one body is at "
                            "most one person");
    if (!rc)
        rc = rules_count(c->d, &other_body, (db_value[]){missing, remains}, 2, &n, err);
    if (!rc && n)
        rc = rules_broken(err, 5,
                          "this person is established to be another body: one person is at "
                          "most one body, or its parts (part_of)");
    return rc;
}

static int check_line(const rules_case *c, atg_err *err) {
    db_value id = rules_id(&rules_field(c->after, DECISION_HYPOTHESIS)->ref);
    db_value of = rules_word(c->after, DECISION_LINE);
    int64_t n = 0;
    int rc = rules_count(c->d, &evidence_of, (db_value[]){id, of}, 2, &n, err);

    if (!rc && !n)
        return rules_broken(err, 5, "no evidence of this line stands as primary in this pair");
    if (!rc)
        rc = rules_count(c->d, &open_exclusion, &id, 1, &n, err);
    if (!rc && n)
        rc = rules_broken(err, 5,
                          "an exclusion of this pair is open: its signer withdraws it, or "
                          "it stands");
    return rc;
}

static int check_established(const rules_case *c, const rules_pair *pair, atg_err *err) {
    int rc = pair->searched ? check_line(c, err)
                            : rules_broken(err, 3,
                                           "the missing person was found alive, or the "
                                           "file was withdrawn");

    if (!rc)
        rc = check_numbers(c, pair, err);
    if (!rc && rules_in_person(c->who))
        rc = check_current(c, pair, err);
    if (!rc)
        rc = check_one_to_one(c, pair, err);
    return rc;
}

/* Decisions that stand on the same pair: one at a time; an exclusion opens again on new data. */
static int check_standing(const rules_case *c, const rules_pair *pair, atg_err *err) {
    db_rows *rows = NULL;
    char now[RULES_INPUTS + 1];
    bool stands = false;
    int rc = rules_inputs(c->d, pair, now, err);

    if (!rc)
        rc = db_query(c->d, &standing,
                      (db_value[]){rules_id(&pair->hypothesis), rules_id(&c->after->id)}, 2, &rows,
                      err);
    if (rc)
        return rc;
    while ((rc = db_next(rows, err)) > 0)
        stands |= !atg_str_eq(db_get_text(rows, 0), ATG_STR("excluded")) || db_is_null(rows, 1) ||
                  atg_str_eq(db_get_text(rows, 1), atg_str_of(now));
    db_end(rows);
    if (!rc && stands)
        rc = rules_broken(err, 5,
                          "a decision on this pair stands: it is withdrawn first; an "
                          "exclusion opens again when new data of the pair are there");
    return rc;
}

static int check_withdrawn(const rules_case *c, const rules_pair *pair, atg_err *err) {
    db_value missing = rules_id(&pair->missing);
    int64_t n = 0;
    int rc = ATG_OK;

    if (rules_field(c->after, DECISION_CONCLUSION)->choice == CONCLUSION_ESTABLISHED)
        rc = rules_count(c->d, &relies, &missing, 1, &n, err);
    if (!rc && n)
        rc = rules_broken(err, 5,
                          "the missing file says 'identified' because of this decision: "
                          "move it back first");
    return rc;
}

int rules_decision(const rules_case *c, atg_err *err) {
    const record *r = c->after;
    uint32_t what = rules_field(r, DECISION_CONCLUSION)->choice;
    bool established = what == CONCLUSION_ESTABLISHED, excluded = what == CONCLUSION_EXCLUDED;
    rules_pair pair;
    int rc = rules_pair_of(c->d, &rules_field(r, DECISION_HYPOTHESIS)->ref, &pair, err);

    if (rc)
        return rc;
    if (c->before)
        return r->withdrawn ? check_withdrawn(c, &pair, err)
                            : rules_broken(err, 5,
                                           "a decision stays as it was made; it can be "
                                           "withdrawn");
    if (uuid_cmp(&pair.remains, &r->file) != 0 || pair.withdrawn)
        return rules_broken(err, 5,
                            "a decision is about a hypothesis of the same remains file "
                            "that stands");
    if (rules_in_person(c->who) && !rules_is(r, DECISION_DECIDED_BY, &c->who->account))
        return rules_broken(err, 5, "the board decides with its own account (decided_by)");
    if (!rules_field(r, DECISION_DECIDED_BY)->known)
        return rules_broken(err, 5, "a decision names the board's account that made it");
    rc = check_standing(c, &pair, err);
    if (!rc && (established || excluded))
        rc = check_signers(c, err);
    if (!rc && established)
        rc = check_established(c, &pair, err);
    return rc;
}

int rules_identified(db *d, record_kind kind, const uuid *file, uuid *ret_missing, atg_err *err) {
    db_value id = rules_id(file);
    db_rows *rows = NULL;
    int rc = rules_row(d, kind == RECORD_REMAINS ? &of_remains : &of_missing, &id, 1, &rows, err);

    if (rc == 0)
        return rules_broken(err, 5,
                            "'identified' follows from a decision of the board that says "
                            "'established' and stands");
    if (rc < 0)
        return rc;
    rc = rules_read_id(rows, 0, ret_missing) ? ATG_OK
                                             : atg_fail(err, ATG_EDB, "A decision is damaged");
    db_end(rows);
    return rc;
}
