/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of app/rules.h share. */
#ifndef ATG_APP_RULES_INTERNAL_H
#define ATG_APP_RULES_INTERNAL_H

#include "app/rules.h"
#include "model/date.h"

/* What is about to be written. */
typedef struct rules_case {
    db *d;
    const actor *who;
    record_kind in;
    const record *before, *after;
} rules_case;

/* ATG_EDENIED: "Rule 5: ..." */
int rules_broken(atg_err *err, int rule, const char *fmt, ...) ATG_PRINTF(3, 4);

bool rules_is_matcher(const actor *who);
/* Somebody who acts here and now: neither the matcher nor what another site signed for. */
bool rules_in_person(const actor *who);

static inline const value *rules_field(const record *r, uint32_t field) {
    return &r->fields[field];
}

/* Unknown in both, or the same. */
bool rules_same(const rules_case *c, uint32_t field);
bool rules_is(const record *r, uint32_t field, const uuid *id);

/* Today, in days since 1970 (UTC), and a date as days; false when it is unknown. */
int32_t rules_today(void);
bool rules_date(const value *v, date *ret);

/* Is it a line of evidence on which an identity can rest? */
bool rules_primary(uint32_t of);
/* The roles whose people are qualified to conclude on it. */
uint32_t rules_qualified(uint32_t of);
extern const uint32_t rules_signers;

db_value rules_id(const uuid *id);
/* The word of a choice. */
db_value rules_word(const record *r, uint32_t field);
bool rules_read_id(db_rows *rows, int at, uuid *ret);
/* Start a query: 1 with its first row, 0 when it has none. */
int rules_row(db *d, const db_statement *statement, const db_value *values, int n, db_rows **ret,
              atg_err *err);
/* The count that a query gives. */
int rules_count(db *d, const db_statement *statement, const db_value *values, int n, int64_t *ret,
                atg_err *err);

/* The pair that a hypothesis is about. */
typedef struct rules_pair {
    uuid hypothesis, operation, remains, missing;
    uuid family; /* none: not known */
    bool withdrawn;
    bool searched; /* the missing person is: neither found alive nor withdrawn */
} rules_pair;
/* Is somebody whose file is in this state searched for? */
bool rules_is_searched(atg_str state);
int rules_pair_of(db *d, const uuid *hypothesis, rules_pair *ret, atg_err *err);

/* Hash over identifiers and revisions of what the files of a pair hold. */
enum { RULES_INPUTS = 64 };
int rules_inputs(db *d, const rules_pair *pair, char ret[RULES_INPUTS + 1], atg_err *err);

int rules_note_inputs(db *d, atg_arena *arena, record *r, atg_err *err);

int rules_operation(const rules_case *c, atg_err *err);
int rules_signed(db *d, const uuid *operation, double *ret_posterior, double *ret_log10_lr,
                 atg_err *err);
int rules_given(const rules_case *c, atg_err *err); /* donor */
int rules_taken(const rules_case *c, atg_err *err); /* sample, profile */
int rules_hypothesis(const rules_case *c, atg_err *err);
int rules_evidence(const rules_case *c, atg_err *err);
int rules_comparison(const rules_case *c, atg_err *err);
int rules_decision(const rules_case *c, atg_err *err);
int rules_face_template(const rules_case *c, atg_err *err);
int rules_face_candidate(const rules_case *c, atg_err *err);
int rules_face_comparison(const rules_case *c, atg_err *err);
int rules_face_calibration(const rules_case *c, atg_err *err);
/* Findings of a face candidate or comparison are kept from an examiner who has still to conclude:
 * is there something to conclude? */
int rules_face_blind(db *d, const actor *who, const record *r, bool *ret, atg_err *err);
/* An established decision that stands: whose remains, or which missing person's.  ATG_EDENIED. */
int rules_identified(db *d, record_kind kind, const uuid *file, uuid *ret_missing, atg_err *err);

#endif
