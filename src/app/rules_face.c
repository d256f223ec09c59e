/* SPDX-License-Identifier: Apache-2.0 */
/* Rules 1, 3, 4 and 5 where faces are searched for and compared: what may be a candidate, and who
 * concludes on one. */
#include "app/rules_internal.h"

#include <jansson.h>
#include <string.h>

#include "app/face_checklist.h"
#include "app/rights.h"
#include "face/gallery.h"
#include "store/accounts.h"

static const db_statement find_candidate = {
    "face_candidate", "SELECT c.file, c.withdrawn, m.withdrawn, m.state FROM r_face_candidate c "
                      "JOIN r_missing m ON m.id = c.missing WHERE c.id = $1"};
static const db_statement photograph_in = {
    "face_photograph", "SELECT count(*) FROM r_photograph WHERE id = $1 AND file = $2"};
static const db_statement own_standing = {
    "face_own", "SELECT count(*) FROM r_face_comparison WHERE candidate = $1 AND signer = $2 AND "
                "id <> $3 AND withdrawn = 0"};
static const db_statement own_earlier = {
    "face_earlier", "SELECT count(*) FROM r_face_comparison WHERE candidate = $1 AND signer = $2 "
                    "AND id <> $3"};
static const db_statement of_others = {
    "face_others", "SELECT count(*) FROM r_face_comparison WHERE candidate = $1 AND signer <> $2 "
                   "AND id <> $3"};
/* Candidates of a probe on which an account has not concluded. */
static const db_statement still_open = {
    "face_open",
    "SELECT count(*) FROM r_face_candidate c WHERE c.probe = $1 AND c.withdrawn = 0 AND NOT EXISTS "
    "(SELECT 1 FROM r_face_comparison f WHERE f.candidate = c.id AND f.signer = $2 AND f.withdrawn "
    "= 0)"};
/* A candidate that was dropped is nobody's to conclude on any more: did this account, or is it
 * over? */
static const db_statement dropped_open = {
    "face_dropped",
    "SELECT count(*) FROM r_remains r WHERE r.id = $1 AND r.state NOT IN ('identified', "
    "'released') AND NOT EXISTS (SELECT 1 FROM r_face_comparison f WHERE f.candidate = $2 AND "
    "f.signer = $3 AND f.withdrawn = 0)"};
/* The same of a remains file that is not identified yet. */
static const db_statement still_open_in = {
    "face_open_in",
    "SELECT count(*) FROM r_face_candidate c JOIN r_remains r ON r.id = c.file WHERE c.file = $1 "
    "AND c.withdrawn = 0 AND r.state NOT IN ('identified', 'released') AND NOT EXISTS (SELECT 1 "
    "FROM r_face_comparison f WHERE f.candidate = c.id AND f.signer = $2 AND f.withdrawn = 0)"};

/* ---- what is computed ---- */

static int check_computed(const rules_case *c, atg_err *err) {
    return rules_is_matcher(c->who)
               ? ATG_OK
               : rules_broken(err, 1,
                              "a %s is made by the program from registered photographs, "
                              "never brought or typed",
                              record_types[c->after->kind].title);
}

static json_t *operations_of(const record *calibration) {
    const value *v = rules_field(calibration, FACE_CALIBRATION_OPERATIONS);

    return v->known ? json_loadb(v->text.p, v->text.n, JSON_REJECT_DUPLICATES, NULL) : NULL;
}

/* One that a calibration names is of its organisation, and who made it may match there. */
static int check_named(const rules_case *c, const uuid *organisation, uint32_t n, const char *name,
                       atg_err *err) {
    uint32_t at = 0, roles = 0;
    uuid named;
    int rc;

    if (!name || !uuid_read(atg_str_of(name), &named))
        return rules_broken(err, 5, "a calibration names operations by their identifiers");
    while (at < n && uuid_cmp(&organisation[at], &named) != 0)
        at++;
    if (at == n)
        return rules_broken(err, 5,
                            "a calibration of faces counts in operations that share with each "
                            "other alone");
    rc = accounts_roles(c->d, &rules_field(c->after, FACE_CALIBRATION_MADE_BY)->ref, &named, &roles,
                        err);
    return rc ? rc : rights_action(roles, ACTION_MATCH, -1, -1, err);
}

int rules_face_calibration(const rules_case *c, atg_err *err) {
    json_t *named = operations_of(c->after);
    uuid organisation[RULES_ORGANISATION_MAX];
    uint32_t n = 0;
    int rc = check_computed(c, err);

    if (!rc && named && !c->after->withdrawn)
        rc = rules_organisation(c->d, &c->after->operation, organisation, &n, err);
    for (size_t i = 0; i < json_array_size(named) && !rc; i++)
        rc = check_named(c, organisation, n, json_string_value(json_array_get(named, i)), err);
    json_decref(named);
    return rc;
}

bool rules_counts_in(const record *calibration, const uuid *operation) {
    bool counts = uuid_cmp(&calibration->operation, operation) == 0;
    json_t *named = operations_of(calibration);
    char text[UUID_TEXT + 1];

    uuid_text(operation, text);
    for (size_t i = 0; i < json_array_size(named); i++) {
        const char *name = json_string_value(json_array_get(named, i));

        counts |= name && strcmp(name, text) == 0;
    }
    json_decref(named);
    return counts;
}

static int check_stands_in(const rules_case *c, uint32_t field, const uuid *file, atg_err *err) {
    const uuid *photograph = &rules_field(c->after, field)->ref;
    int64_t n = 0;
    int rc = rules_count(c->d, &photograph_in, (db_value[]){rules_id(photograph), rules_id(file)},
                         2, &n, err);

    return rc || n ? rc
                   : rules_broken(err, 1, "a %s names a photograph that is registered in its file",
                                  record_types[c->after->kind].title);
}

int rules_face_template(const rules_case *c, atg_err *err) {
    int rc = check_computed(c, err);

    return rc ? rc : check_stands_in(c, FACE_TEMPLATE_PHOTOGRAPH, &c->after->file, err);
}

/* The probe is one of the dead that the account may search with, and the photograph is in the
 * gallery now: whoever writes a candidate, here it is asked. */
int rules_face_candidate(const rules_case *c, atg_err *err) {
    const record *r = c->after;
    actor by = {.account = rules_field(r, FACE_CANDIDATE_SEARCHED_BY)->ref};
    bool fine = false;
    int rc = check_computed(c, err);

    if (rc || c->before)
        return rc;
    rc = check_stands_in(c, FACE_CANDIDATE_PROBE, &r->file, err);
    if (!rc)
        rc = rules_probe(c->d, &by, &rules_field(r, FACE_CANDIDATE_PROBE)->ref, err);
    if (!rc)
        rc = rules_gallery(c->d, &r->operation, &rules_field(r, FACE_CANDIDATE_PHOTOGRAPH)->ref,
                           &fine, err);
    if (!rc && !fine)
        rc = rules_broken(err, 1,
                          "a candidate is a missing person of the operation, by a photograph that "
                          "an informant confirmed");
    return rc;
}

/* ---- what people conclude ---- */

static int check_candidate(const rules_case *c, atg_err *err) {
    db_value id = rules_id(&rules_field(c->after, FACE_COMPARISON_CANDIDATE)->ref);
    db_rows *rows = NULL;
    bool here, stands, searched;
    uuid file = {{0}};
    int rc = rules_row(c->d, &find_candidate, &id, 1, &rows, err);

    if (rc == 0)
        return atg_fail(err, ATG_ENOTFOUND, "There is no such candidate");
    if (rc < 0)
        return rc;
    here = rules_read_id(rows, 0, &file) && uuid_cmp(&file, &c->after->file) == 0;
    stands = !db_get_int(rows, 1);
    searched = !db_get_int(rows, 2) && rules_is_searched(db_get_text(rows, 3));
    db_end(rows);
    if (!here || !stands)
        return rules_broken(err, 5,
                            "a comparison of faces is about a candidate of the same remains "
                            "file that stands");
    if (!searched && !c->after->withdrawn)
        return rules_broken(err, 3,
                            "nobody is compared who was found alive or whose file was "
                            "withdrawn");
    return ATG_OK;
}

static int check_signer(const rules_case *c, atg_err *err) {
    const record *r = c->after;
    uint32_t roles = 0;
    int rc;

    if (!rules_is(r, FACE_COMPARISON_SIGNER, &c->who->account))
        return rules_broken(err, 5,
                            "a comparison is concluded, changed and withdrawn by its "
                            "signer alone");
    rc = accounts_roles(c->d, &c->who->account, &r->operation, &roles, err);
    if (!rc && !(roles & 1U << ROLE_EXAMINER))
        rc = rules_broken(err, 5, "faces are compared by examiners");
    return rc;
}

static int count_of(const rules_case *c, const db_statement *statement, int64_t *ret,
                    atg_err *err) {
    const record *r = c->after;

    return rules_count(c->d, statement,
                       (db_value[]){rules_id(&rules_field(r, FACE_COMPARISON_CANDIDATE)->ref),
                                    rules_id(&rules_field(r, FACE_COMPARISON_SIGNER)->ref),
                                    rules_id(&r->id)},
                       3, ret, err);
}

static int check_new(const rules_case *c, atg_err *err) {
    int64_t standing = 0, earlier = 0, others = 0;
    int rc = count_of(c, &own_standing, &standing, err);

    if (!rc)
        rc = count_of(c, &own_earlier, &earlier, err);
    if (!rc)
        rc = count_of(c, &of_others, &others, err);
    if (!rc && standing)
        return rules_broken(err, 5,
                            "this account has concluded on this candidate already: change "
                            "that comparison as long as nobody else concluded");
    if (!rc && earlier && others)
        return rules_broken(err, 5,
                            "two examiners conclude without knowing of each other; this "
                            "account concluded before, and may have seen the other's");
    return rc;
}

static int check_changed(const rules_case *c, atg_err *err) {
    bool hides = c->after->withdrawn && !c->before->withdrawn;
    int64_t others = 0;
    int rc;

    if (!rules_same(c, FACE_COMPARISON_CANDIDATE) || !rules_same(c, FACE_COMPARISON_SIGNER))
        return rules_broken(err, 5, "candidate and signer of a comparison stay as they are");
    if (hides ||
        (rules_same(c, FACE_COMPARISON_SUPPORT) && rules_same(c, FACE_COMPARISON_FEATURES)))
        return ATG_OK;
    rc = count_of(c, &of_others, &others, err);
    if (!rc && others)
        rc = rules_broken(err, 5,
                          "another concluded on this candidate meanwhile: a conclusion is not "
                          "changed any more, only withdrawn");
    return rc;
}

int rules_face_comparison(const rules_case *c, atg_err *err) {
    const value *features = rules_field(c->after, FACE_COMPARISON_FEATURES);
    int rc = check_candidate(c, err);

    if (!rc)
        rc = check_signer(c, err);
    if (!rc && !c->after->withdrawn)
        rc = face_checklist_check(features->text,
                                  rules_field(c->after, FACE_COMPARISON_SUPPORT)->choice, err);
    if (rc)
        return rc;
    return c->before ? check_changed(c, err) : check_new(c, err);
}

/* ---- blind ---- */

int rules_face_list(const rules_list *l, uint32_t *ret, atg_err *err) {
    uint32_t asked = l->asked ? l->asked : l->stands ? l->stands : FACE_BEST_DEFAULT;
    bool open = l->remains_state < REMAINS_STATE_IDENTIFIED;

    if (asked < FACE_BEST_MIN || asked > FACE_BEST_MAX)
        return atg_fail(err, ATG_EINVAL, "A list has %d to %d candidates", FACE_BEST_MIN,
                        FACE_BEST_MAX);
    if (l->stands && asked != l->stands && l->roles & 1U << ROLE_EXAMINER)
        return rules_broken(err, 5,
                            "a list of %u stands for this photograph, and an examiner does not "
                            "change its length, since who comes or goes would tell the order: "
                            "search without saying how many",
                            l->stands);
    if (open && asked < l->stands)
        return rules_broken(err, 5,
                            "a list of %u stands for this photograph, and gets no shorter before "
                            "the remains are identified: who goes would tell the order",
                            l->stands);
    *ret = asked;
    return ATG_OK;
}

int rules_face_blind(db *d, const actor *who, const record *r, bool *ret, atg_err *err) {
    db_value account = rules_id(&who->account);
    uuid none = {{0}};
    int64_t n = 0;
    int rc;

    if (r->kind == RECORD_EVIDENCE) {
        /* what a face weighs tells its score */
        rc = rules_count(d, &still_open_in, (db_value[]){rules_id(&r->file), account}, 2, &n, err);
        *ret = n > 0;
        return rc;
    }
    if (r->kind == RECORD_FACE_CANDIDATE) {
        /* the rank of one tells something of the others: all of the probe first */
        rc =
            rules_count(d, &still_open,
                        (db_value[]){rules_id(&rules_field(r, FACE_CANDIDATE_PROBE)->ref), account},
                        2, &n, err);
        if (!rc && !n && r->withdrawn)
            rc = rules_count(d, &dropped_open,
                             (db_value[]){rules_id(&r->file), rules_id(&r->id), account}, 3, &n,
                             err);
        *ret = n > 0;
        return rc;
    }
    if (rules_is(r, FACE_COMPARISON_SIGNER, &who->account)) {
        *ret = false;
        return ATG_OK;
    }
    rc = rules_count(d, &own_standing,
                     (db_value[]){rules_id(&rules_field(r, FACE_COMPARISON_CANDIDATE)->ref),
                                  account, rules_id(&none)},
                     3, &n, err);
    *ret = n == 0;
    return rc;
}
