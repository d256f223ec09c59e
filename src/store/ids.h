/* SPDX-License-Identifier: Apache-2.0 */
/* Growing lists of identifiers, and those that a statement finds. */
#ifndef ATG_STORE_IDS_H
#define ATG_STORE_IDS_H

#include "base/uuid.h"
#include "store/db.h"

/* Begins as zeros; what is in it lives as long as the arena of ids_push(). */
typedef struct id_list {
    uuid *p;
    uint32_t n, cap;
} id_list;

/* ATG_ENOMEM when the arena is full; the list is then as it was. */
ATG_MUST_USE int ids_push(atg_arena *arena, id_list *list, const uuid *id, atg_err *err);

/* Behind what is in the list: the first column of every row that `statement` finds for its only
 * value, the identifier `of`. */
ATG_MUST_USE int ids_find(db *d, const db_statement *statement, const uuid *of, atg_arena *arena,
                          id_list *list, atg_err *err);

#endif
