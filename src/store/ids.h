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

/* What a statement asks for. */
typedef struct ids_query {
    const db_statement *statement; /* its first column is an identifier */
    const db_value *values;
    int n;
} ids_query;

/* Behind what is in the list: every row that the statement finds. */
ATG_MUST_USE int ids_find(db *d, const ids_query *q, atg_arena *arena, id_list *list, atg_err *err);

/* The same of a statement whose only value is an identifier. */
ATG_MUST_USE int ids_find_of(db *d, const db_statement *statement, const uuid *of, atg_arena *arena,
                             id_list *list, atg_err *err);

/* In order, each once. */
void ids_sort(id_list *list);

#endif
