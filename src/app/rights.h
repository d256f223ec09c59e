/* SPDX-License-Identifier: Apache-2.0 */
/* Who may do what: one table, role x action x kind x state, beside the field rights of the records
 * (record_types[].access).  Every use case asks here and nowhere else; what no row grants is
 * refused.  docs/rights.md shows the table.
 *
 * Roles are bits, 1 << role, those of an account in the operation that the record is of.  The
 * matcher itself is nobody's account: its one bit is RIGHTS_MATCHER. */
#ifndef ATG_APP_RIGHTS_H
#define ATG_APP_RIGHTS_H

#include "model/record.h"

typedef enum action {
    ACTION_ADD,
    ACTION_READ,
    ACTION_EDIT,
    ACTION_STATE,
    ACTION_WITHDRAW,
    ACTION_MERGE,
    ACTION_ERASE,
    /* of no kind */
    ACTION_IMPORT,
    ACTION_EXPORT,
    ACTION_BUNDLE,
    ACTION_MATCH,
    ACTION_AUDIT,
    ACTION_BACKUP,
    ACTION_KEYS,
    ACTION_ACCOUNTS,
    ACTION_FACES, /* ask whose photographs look like one of the dead */
    ACTIONS,
} action;

extern const char *const action_names[ACTIONS];

enum { RIGHTS_MATCHER = 1 << ROLES };

/* Beside the roles: the account has a second factor that counts.  What people sign (comparisons,
 * decisions, moves that say or take back who somebody is) and the rule over accounts and keys need
 * it of every role that has the right: ATG_EDENIED says how it is set up, which needs no right. */
enum { RIGHTS_CODE = 1 << (ROLES + 1) };

/* For what else is signed.  ATG_EDENIED: it has none. */
int rights_code(uint32_t roles, atg_err *err);

/* Was it refused for want of a second factor alone? */
bool rights_wants_code(const atg_err *err);

/* May somebody with these roles do it to a record of `kind` that stands in a file of kind `in`
 * (a file: its own kind) while that file is in `state`?  -1: in some file, in some state.  Actions
 * of no kind do not look at the three.  ATG_EDENIED says which roles may, or in which states. */
int rights_in(uint32_t roles, action a, int kind, int in, int state, atg_err *err);

/* What the matcher writes, and nothing else. */
bool rights_computed(record_kind kind);

/* The same for a file in its own state, or in any file for a record of one. */
int rights_action(uint32_t roles, action a, int kind, int state, atg_err *err);

/* The move of a file from one state to another: whether it exists, and whose it is. */
int rights_state(uint32_t roles, record_kind kind, uint32_t from, uint32_t to, atg_err *err);

/* The best right of these roles to a field, in a file of kind `in` (-1: in some file).
 * ACCESS_REASON: it is shown to who writes down why. */
access_right rights_field_in(uint32_t roles, record_kind kind, int in, uint32_t field);
access_right rights_field(uint32_t roles, record_kind kind, uint32_t field);

/* Is a written reason needed by everybody who looks?  So it is for pictures of the dead, also for
 * those who may write them. */
bool rights_reason(record_kind kind, int in, uint32_t field);

/* Is a look at this field written into the history? */
bool rights_sensitive(record_kind kind, uint32_t field);

/* The whole table as CSV, a column a role:
 *     action,kind,in,states,interviewer,...   "add,mark,remains,received|examined,-,yes,..."
 *     move,missing,missing,reported>complete,...
 *     look,photograph,remains,picture,...     "no", "reason", "read", "write"
 * States that are alike share a row; "*" is any; "code" is a yes with a second factor. */
void rights_table(atg_buf *buf);

#endif
