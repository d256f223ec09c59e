/* SPDX-License-Identifier: Apache-2.0 */
/* Who may do what: one table, role x action x state, beside the field rights of the records
 * (record_types[].access).  Every use case asks here and nowhere else. */
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
    ACTION_IMPORT,
    ACTION_EXPORT,
    ACTION_BUNDLE,
    ACTION_ERASE,
    ACTION_MATCH,
    ACTION_AUDIT,
    ACTION_BACKUP,
    ACTION_KEYS,
    ACTION_ACCOUNTS,
    ACTIONS,
} action;

extern const char *const action_names[ACTIONS];

/* May somebody with these roles (bits, 1 << role) do it to a file or record of this kind (-1: none)
 * in this state (-1: none)?  ATG_EDENIED says which roles may. */
int rights_action(uint32_t roles, action a, int kind, int state, atg_err *err);
/* The move from one state to another: whether it exists, and whose it is. */
int rights_state(uint32_t roles, record_kind kind, uint32_t from, uint32_t to, atg_err *err);

/* The best right of these roles to a field. */
access_right rights_field(uint32_t roles, record_kind kind, uint32_t field);
/* Is a look at this field written into the history? */
bool rights_sensitive(record_kind kind, uint32_t field);

/* The whole table as CSV: role,action,kind,state,allowed. */
void rights_table(atg_buf *buf);

#endif
