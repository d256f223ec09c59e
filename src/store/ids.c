/* SPDX-License-Identifier: Apache-2.0 */
#include "store/ids.h"

#include <string.h>

enum { FIRST = 16 };

int ids_push(atg_arena *arena, id_list *list, const uuid *id, atg_err *err) {
    if (list->n == list->cap) {
        uint32_t cap = list->cap ? 2 * list->cap : FIRST;
        uuid *more = ATG_GET(arena, uuid, cap);

        if (!more)
            return atg_fail(err, ATG_ENOMEM, "Out of memory for a list of records");
        if (list->n)
            memcpy(more, list->p, list->n * sizeof(*more));
        list->p = more;
        list->cap = cap;
    }
    list->p[list->n++] = *id;
    return ATG_OK;
}

int ids_find(db *d, const db_statement *statement, const uuid *of, atg_arena *arena, id_list *list,
             atg_err *err) {
    __attribute__((cleanup(db_rows_freep))) db_rows *rows = NULL;
    db_value id = db_blob(of->bytes, UUID_SIZE);
    int rc = db_query(d, statement, &id, 1, &rows, err);

    while (!rc && (rc = db_next(rows, err)) > 0) {
        atg_str bytes = db_get_blob(rows, 0);
        uuid found = {{0}};

        if (bytes.n == UUID_SIZE)
            memcpy(found.bytes, bytes.p, UUID_SIZE);
        rc = ids_push(arena, list, &found, err);
    }
    return rc;
}
