/* SPDX-License-Identifier: Apache-2.0 */
/* Rule 8: what relatives and staff agreed to. */
#include "app/rules_internal.h"

#include <string.h>

#include "base/clock.h"

static const db_statement find_donor = {
    "rules_donor", "SELECT d.file, d.operation, d.agreed_on, d.ends_on, d.withdrawn_on, "
                   "d.withdrawn, d.uses, d.recipients, (SELECT count(*) FROM erased e WHERE "
                   "e.person = d.id) FROM r_donor d WHERE d.id = $1"};
static const db_statement sample_of = {
    "rules_sample", "SELECT x.donor, f.kind, x.operation FROM r_sample x JOIN file f ON f.id = "
                    "x.file WHERE x.id = $1"};
static const db_statement profile_of = {
    "rules_profile", "SELECT x.donor, f.kind, x.operation FROM r_profile x JOIN file f ON f.id = "
                     "x.file WHERE x.id = $1"};
static const db_statement donor_of = {
    "rules_of_donor",
    "SELECT x.id, f.kind, x.operation FROM r_donor x JOIN file f ON f.id = x.file "
    "WHERE x.id = $1"};
static const db_statement shares_with = {"rules_shares",
                                         "SELECT shares_with FROM r_operation WHERE id = $1"};
static const db_statement operation_stands = {
    "rules_operation_stands", "SELECT count(*) FROM r_operation WHERE id = $1 AND withdrawn = 0"};
static const db_statement donors_due = {
    "rules_donors_due", "SELECT d.id, d.ends_on, d.withdrawn_on FROM r_donor d WHERE d.operation = "
                        "$1 AND NOT EXISTS (SELECT 1 FROM erased e WHERE e.person = d.id) "
                        "ORDER BY d.id"};
static const db_statement staff_due = {
    "rules_staff_due", "SELECT s.id, s.ends_on, NULL FROM r_staff_profile s WHERE s.operation = $1 "
                       "AND NOT EXISTS (SELECT 1 FROM erased e WHERE e.person = s.id) "
                       "ORDER BY s.id"};

enum { RECIPIENTS_MAX = 20000 };

static const int64_t day_us = INT64_C(86400000000);

/* ---- recipients ---- */

/* Whom a donor can name: an index of criminals is none of them. */
static const char *const recipient_kinds[] = {"laboratory", "missing_persons_bureau",
                                              "tracing_agency", "operation", NULL};

static bool is_recipient(const json_t *one) {
    const char *name = json_string_value(json_object_get(one, "name"));
    const char *kind = json_string_value(json_object_get(one, "kind"));

    return name && name[0] && kind && json_object_size(one) == 2 &&
           record_word(recipient_kinds, atg_str_of(kind)) >= 0;
}

static json_t *list_of(atg_str text) {
    return text.n && text.n <= RECIPIENTS_MAX
               ? json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL)
               : NULL;
}

/* Every one of them a recipient, and at least one. */
static bool are_recipients(atg_str text) {
    json_t *list = list_of(text);
    bool fine = json_is_array(list) && json_array_size(list) > 0;

    for (size_t i = 0; i < json_array_size(list); i++)
        fine = fine && is_recipient(json_array_get(list, i));
    json_decref(list);
    return fine;
}

static bool names_recipient(atg_str text, atg_str name) {
    json_t *list = list_of(text);
    bool found = false;

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);

        found |= is_recipient(one) &&
                 atg_str_eq(name, atg_str_of(json_string_value(json_object_get(one, "name"))));
    }
    json_decref(list);
    return found;
}

static bool lists_text(atg_str text, atg_str name) {
    json_t *list = list_of(text);
    bool found = false;

    for (size_t i = 0; i < json_array_size(list); i++)
        found |= atg_str_eq(name, atg_str_of(json_string_value(json_array_get(list, i))));
    json_decref(list);
    return found;
}

/* ---- what a donor agreed to ---- */

static bool widened(const rules_case *c) {
    const value *was = rules_field(c->before, DONOR_USES), *is = rules_field(c->after, DONOR_USES);
    date then, now;

    if (is->known && was->known && is->choice != was->choice &&
        is->choice != DONOR_USE_THIS_OPERATION)
        return true;
    if (!rules_same(c, DONOR_RECIPIENTS) && is->known && is->choice == DONOR_USE_NAMED_RECIPIENTS)
        return true;
    return rules_date(rules_field(c->before, DONOR_ENDS_ON), &then) &&
           rules_date(rules_field(c->after, DONOR_ENDS_ON), &now) && now.to > then.to;
}

static int check_renewed(const rules_case *c, atg_err *err) {
    date then, now;

    if (rules_field(c->before, DONOR_WITHDRAWN_ON)->known && !rules_same(c, DONOR_WITHDRAWN_ON))
        return rules_broken(err, 8,
                            "a withdrawal is not taken back; somebody who gives again is a "
                            "new donor");
    if (!widened(c))
        return ATG_OK;
    if (rules_field(c->before, DONOR_WITHDRAWN_ON)->known ||
        !rules_date(rules_field(c->before, DONOR_AGREED_ON), &then) ||
        !rules_date(rules_field(c->after, DONOR_AGREED_ON), &now) || now.from <= then.to)
        return rules_broken(err, 8,
                            "more uses, more recipients or a later end are agreed to anew: "
                            "write the day (agreed_on)");
    return ATG_OK;
}

int rules_given(const rules_case *c, atg_err *err) {
    const record *r = c->after;
    const value *uses = rules_field(r, DONOR_USES);
    date agreed, ends, withdrawn;

    if (!rules_date(rules_field(r, DONOR_AGREED_ON), &agreed) ||
        !rules_date(rules_field(r, DONOR_ENDS_ON), &ends) || !uses->known)
        return rules_broken(err, 8, "a donor agrees to a use, on a day, until a day");
    if (agreed.from > rules_today() + 1)
        return rules_broken(err, 8, "the day on which a donor agreed has come");
    if (ends.to < agreed.from)
        return rules_broken(err, 8, "what a donor agreed to ends after they agreed");
    if (rules_date(rules_field(r, DONOR_WITHDRAWN_ON), &withdrawn) &&
        withdrawn.from > rules_today() + 1)
        return rules_broken(err, 8, "the day on which a donor withdrew has come");
    if (uses->choice == DONOR_USE_NAMED_RECIPIENTS &&
        !are_recipients(rules_field(r, DONOR_RECIPIENTS)->text))
        return rules_broken(err, 8,
                            "named recipients are written as [{\"name\": ..., \"kind\": "
                            "...}], kind one of laboratory, missing_persons_bureau, "
                            "tracing_agency, operation; an index of criminals is none");
    return c->before ? check_renewed(c, err) : ATG_OK;
}

/* Why its data cannot be used on that day, or NULL. */
static const char *unusable(db_rows *rows, int64_t today) {
    date ends;

    if (!db_is_null(rows, 4))
        return "the donor withdrew";
    if (db_get_int(rows, 5) || db_get_int(rows, 8))
        return "the donor's data were erased or withdrawn";
    if (db_is_null(rows, 2) || db_is_null(rows, 6) || db_is_null(rows, 3) ||
        date_read(db_get_text(rows, 3), &ends, NULL))
        return "what the donor agreed to is not recorded";
    return ends.to < today / day_us ? "the time that the donor agreed to is over" : NULL;
}

static int check_use(db *d, const uuid *donor, const uuid *file, int64_t today, atg_err *err) {
    db_value id = rules_id(donor);
    db_rows *rows = NULL;
    const char *why;
    uuid where;
    bool there;
    int rc = rules_row(d, &find_donor, &id, 1, &rows, err);

    if (rc == 0)
        return rules_broken(err, 8, "the donor is not there");
    if (rc < 0)
        return rc;
    why = unusable(rows, today);
    there = !file || (rules_read_id(rows, 0, &where) && uuid_cmp(&where, file) == 0);
    db_end(rows);
    if (why)
        return rules_broken(err, 8, "%s", why);
    if (!there)
        return rules_broken(err, 8, "a donor's sample and profile stand in the donor's family");
    return ATG_OK;
}

int rules_donor(db *d, const uuid *donor, int64_t today, atg_err *err) {
    return check_use(d, donor, NULL, today, err);
}

int rules_taken(const rules_case *c, atg_err *err) {
    uint32_t field = c->after->kind == RECORD_SAMPLE ? (uint32_t)SAMPLE_DONOR : PROFILE_DONOR;
    const value *donor = rules_field(c->after, field);

    if (c->in != RECORD_FAMILY)
        return donor->known ? rules_broken(err, 8,
                                           "what a relative gave stands apart, in the file "
                                           "of the family")
                            : ATG_OK;
    if (!donor->known)
        return rules_broken(err, 8, "a relative's sample or profile needs a donor who agreed");
    if (c->before && !rules_same(c, field))
        return rules_broken(err, 8, "what one donor gave does not become another's");
    return check_use(c->d, &donor->ref, &c->after->file, clock_now(), err);
}

/* ---- what leaves ---- */

static bool shared(db_rows *rows, const uuid *to) {
    char text[UUID_TEXT + 1];

    uuid_text(to, text);
    return !db_is_null(rows, 0) && lists_text(db_get_text(rows, 0), atg_str_of(text));
}

int rules_shares(db *d, const uuid *from, const uuid *to, bool *ret, atg_err *err) {
    db_value id = rules_id(from);
    db_rows *rows = NULL;
    int rc;

    *ret = uuid_cmp(from, to) == 0;
    if (*ret)
        return ATG_OK;
    rc = rules_row(d, &shares_with, &id, 1, &rows, err);
    if (rc < 0)
        return rc;
    *ret = rc && shared(rows, to);
    db_end(rows);
    return ATG_OK;
}

/* The operations that one shares with, as it writes them. */
static int read_sharing(db *d, const uuid *operation, json_t **ret, atg_err *err) {
    db_value id = rules_id(operation);
    db_rows *rows = NULL;
    int rc = rules_row(d, &shares_with, &id, 1, &rows, err);

    if (rc < 0)
        return rc;
    *ret = rc && !db_is_null(rows, 0) ? list_of(db_get_text(rows, 0)) : NULL;
    db_end(rows);
    return ATG_OK;
}

/* It joins the organisation of the first when it is there, and shares with it too. */
static int join(db *d, const char *name, uuid all[RULES_ORGANISATION_MAX], uint32_t *n,
                atg_err *err) {
    bool shares = false;
    int64_t stands = 0;
    uuid other;
    int rc;

    if (!name || !uuid_read(atg_str_of(name), &other))
        return ATG_OK;
    for (uint32_t i = 0; i < *n; i++)
        if (uuid_cmp(&all[i], &other) == 0)
            return ATG_OK;
    rc = rules_count(d, &operation_stands, (db_value[]){rules_id(&other)}, 1, &stands, err);
    if (!rc && stands)
        rc = rules_shares(d, &other, &all[0], &shares, err);
    if (rc || !shares)
        return rc;
    if (*n == RULES_ORGANISATION_MAX)
        return atg_fail(err, ATG_ELIMIT, "At most %d operations make an organisation",
                        RULES_ORGANISATION_MAX);
    all[(*n)++] = other;
    return ATG_OK;
}

int rules_organisation(db *d, const uuid *operation, uuid ret[RULES_ORGANISATION_MAX],
                       uint32_t *ret_n, atg_err *err) {
    json_t *list = NULL;
    uint32_t n = 1;
    int rc = read_sharing(d, operation, &list, err);

    ret[0] = *operation;
    for (size_t i = 0; i < json_array_size(list) && !rc; i++)
        rc = join(d, json_string_value(json_array_get(list, i)), ret, &n, err);
    json_decref(list);
    if (!rc)
        *ret_n = n;
    return rc;
}

static int check_shared(db *d, const uuid *from, const uuid *to, atg_err *err) {
    bool fine = false;
    int rc = rules_shares(d, from, to, &fine, err);

    if (rc)
        return rc;
    return fine ? ATG_OK
                : rules_broken(err, 8,
                               "the donor agreed to sharing operations, and this one does "
                               "not share with that one");
}

static int check_leaving(db *d, const uuid *donor, atg_str recipient, const uuid *operation,
                         const uuid *to, atg_err *err) {
    db_value id = rules_id(donor);
    db_rows *rows = NULL;
    bool named, shares;
    atg_str uses;
    int rc = rules_row(d, &find_donor, &id, 1, &rows, err);

    if (rc <= 0)
        return rc < 0 ? rc : rules_broken(err, 8, "the donor is not there");
    uses = db_get_text(rows, 6);
    shares = atg_str_eq(uses, ATG_STR("sharing_operations"));
    named = atg_str_eq(uses, ATG_STR("named_recipients")) && !db_is_null(rows, 7) &&
            names_recipient(db_get_text(rows, 7), recipient);
    db_end(rows);
    if (named || uuid_cmp(operation, to) == 0)
        return ATG_OK;
    if (shares && !uuid_none(to))
        return check_shared(d, operation, to, err);
    return rules_broken(err, 8, "the donor has not agreed that this recipient gets it");
}

int rules_may_leave(db *d, record_kind kind, const uuid *id, atg_str recipient,
                    const uuid *to_operation, int64_t today, atg_err *err) {
    const db_statement *statement = kind == RECORD_SAMPLE  ? &sample_of
                                    : kind == RECORD_DONOR ? &donor_of
                                                           : &profile_of;
    db_value key = rules_id(id);
    uuid donor = {{0}}, operation = {{0}};
    db_rows *rows = NULL;
    bool relative;
    int rc;

    if (kind == RECORD_STAFF_PROFILE)
        return rules_broken(err, 8,
                            "profiles of staff are for finding contamination here, and do "
                            "not leave");
    if (kind != RECORD_SAMPLE && kind != RECORD_PROFILE && kind != RECORD_DONOR)
        return ATG_OK;
    rc = rules_row(d, statement, &key, 1, &rows, err);
    if (rc <= 0)
        return rc < 0
                   ? rc
                   : atg_fail(err, ATG_ENOTFOUND, "There is no such %s", record_types[kind].title);
    relative =
        rules_read_id(rows, 0, &donor) || atg_str_eq(db_get_text(rows, 1), ATG_STR("family"));
    (void)rules_read_id(rows, 2, &operation);
    db_end(rows);
    if (!relative)
        return ATG_OK;
    rc = check_use(d, &donor, NULL, today, err);
    return rc ? rc : check_leaving(d, &donor, recipient, &operation, to_operation, err);
}

/* ---- what is over ---- */

typedef struct due_list {
    atg_arena *arena;
    uuid *ids;
    uint32_t n, room;
} due_list;

static int add_due(due_list *l, const uuid *id, atg_err *err) {
    if (l->n == l->room) {
        uuid *more = ATG_GET(l->arena, uuid, (size_t)l->room * 2 + 16);

        if (!more)
            return atg_fail(err, ATG_ENOMEM, "Out of memory looking for what is to be erased");
        if (l->n)
            memcpy(more, l->ids, l->n * sizeof(*more));
        l->ids = more;
        l->room = l->room * 2 + 16;
    }
    l->ids[l->n++] = *id;
    return ATG_OK;
}

static bool is_due(db_rows *rows, int64_t today) {
    date ends;

    if (!db_is_null(rows, 2))
        return true;
    return !db_is_null(rows, 1) &&
           (date_read(db_get_text(rows, 1), &ends, NULL) || ends.to < today / day_us);
}

static int find_due(db *d, due_list *l, const db_statement *statement, const uuid *operation,
                    int64_t today, atg_err *err) {
    db_value id = rules_id(operation);
    db_rows *rows = NULL;
    int rc = db_query(d, statement, &id, 1, &rows, err);

    if (rc)
        return rc;
    while ((rc = db_next(rows, err)) > 0) {
        uuid person;

        if (rules_read_id(rows, 0, &person) && is_due(rows, today) &&
            (rc = add_due(l, &person, err)))
            break;
    }
    db_end(rows);
    return rc;
}

int rules_due(db *d, atg_arena *arena, const uuid *operation, int64_t today, uuid **ret,
              uint32_t *ret_n, atg_err *err) {
    due_list l = {.arena = arena};
    int rc = find_due(d, &l, &donors_due, operation, today, err);

    if (!rc)
        rc = find_due(d, &l, &staff_due, operation, today, err);
    if (!rc) {
        *ret = l.ids;
        *ret_n = l.n;
    }
    return rc;
}
