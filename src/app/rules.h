/* SPDX-License-Identifier: Apache-2.0 */
/* The design's rules that records can break, held in one place: no option turns one off, and no
 * role is above them.  docs/rules.md lists them with their tests.
 *
 * All functions run in the caller's transaction; refusals are ATG_EDENIED and begin with the rule
 * ("Rule 5: ..."). */
#ifndef ATG_APP_RULES_H
#define ATG_APP_RULES_H

#include "app/cases.h"

/* A threshold may be raised, never set below this. */
extern const double rules_least_posterior;
/* log10 LR that the pair's primary lines need where the operation has no greater number. */
extern const double rules_least_log10_lr;

/* Fill in what a new record says about who made it and on what: who entered a photograph or custody
 * event, who concluded, who decided and on which data.  What is there already stays. */
int rules_prepare(db *d, const actor *who, atg_arena *arena, record *after, atg_err *err);

/* May `after` be written in a file of kind `in` (a file: its own kind)?  `before` is NULL for a new
 * record. */
int rules_check(db *d, const actor *who, record_kind in, const record *before, const record *after,
                atg_err *err);

/* Rule 5, concluding blind.  Bits of the fields of a record (a hypothesis, a line of evidence, a
 * comparison) that are kept from an account with these roles as long as it may be asked to conclude
 * on the pair and has not: what the leads say, and what another concluded. */
int rules_blind(db *d, const actor *who, uint32_t roles, const record *r, uint64_t *ret_hidden,
                atg_err *err);
/* The same for the history of a remains file in a state: are the findings of others kept from
 * somebody with these roles? */
bool rules_blind_history(uint32_t roles, record_kind kind, uint32_t remains_state);
/* Rule 5: how many candidates the list of a photograph has, when an account with these roles in the
 * operation asks for `asked` (0: as many as there were) and a list of `stands` stands (0: none) in
 * a remains file of that state.  Who is asked to conclude learns the order of the scores from lists
 * of different lengths: examiners leave it as it is, others make it longer.  ATG_EDENIED;
 * ATG_EINVAL: not from FACE_BEST_MIN to FACE_BEST_MAX. */
typedef struct rules_list {
    uint32_t roles, remains_state, stands, asked;
} rules_list;
int rules_face_list(const rules_list *l, uint32_t *ret, atg_err *err);

/* Rule 1: may this photograph be searched with?  It is of a registered PM file with a recovery
 * event that another account entered than who entered the photograph and than who asks. */
int rules_probe(db *d, const actor *who, const uuid *photograph, atg_err *err);
/* Rules 1 to 3: is this photograph to be searched among?  It shows the face of a missing person of
 * the operation (or of one that shares with it, where the photograph's own scope says so), an
 * informant that is still there confirmed it, and the person is still missing. */
int rules_gallery(db *d, const uuid *operation, const uuid *photograph, bool *ret, atg_err *err);

/* Does an operation share with another one, or is it the same? */
int rules_shares(db *d, const uuid *from, const uuid *to, bool *ret, atg_err *err);

/* The organisation that an operation belongs to: itself, first, and every operation of the store
 * with which it shares both ways.  ATG_ELIMIT: more than RULES_ORGANISATION_MAX. */
enum { RULES_ORGANISATION_MAX = 256 };
int rules_organisation(db *d, const uuid *operation, uuid ret[RULES_ORGANISATION_MAX],
                       uint32_t *ret_n, atg_err *err);
/* Does a calibration of faces count in an operation of its organisation?  In its own, and in those
 * that it names. */
bool rules_counts_in(const record *calibration, const uuid *operation);

/* Rule 8: may a donor's data be used on that day (microseconds UTC)?  ATG_EDENIED says why not. */
int rules_donor(db *d, const uuid *donor, int64_t today, atg_err *err);
/* Rule 8: may this profile, sample or donor leave to that recipient (in any format, any bundle)?
 * Data of remains and of the missing may; a relative's only as the donor agreed; staff's never. */
int rules_may_leave(db *d, record_kind kind, const uuid *id, atg_str recipient,
                    const uuid *to_operation, int64_t today, atg_err *err);
/* Rule 8: donors and staff of an operation whose data are to be erased by that day, because they
 * withdrew or their time is over; those that were erased are left out. */
int rules_due(db *d, atg_arena *arena, const uuid *operation, int64_t today, uuid **ret,
              uint32_t *ret_n, atg_err *err);

/* Rule 5: does a decision stand?  One that excludes does not any more when data of the pair are
 * there that were not when it was made. */
int rules_stands(db *d, const uuid *decision, bool *ret, atg_err *err);

#endif
