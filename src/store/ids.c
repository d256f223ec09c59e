/* SPDX-License-Identifier: Apache-2.0 */
#include "store/ids.h"

#include <stdlib.h>
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

int ids_find(db *d, const ids_query *q, atg_arena *arena, id_list *list, atg_err *err) {
    __attribute__((cleanup(db_rows_freep))) db_rows *rows = NULL;
    int rc = db_query(d, q->statement, q->values, q->n, &rows, err);

    while (!rc && (rc = db_next(rows, err)) > 0) {
        atg_str bytes = db_get_blob(rows, 0);
        uuid found = {{0}};

        if (bytes.n == UUID_SIZE)
            memcpy(found.bytes, bytes.p, UUID_SIZE);
        rc = ids_push(arena, list, &found, err);
    }
    return rc;
}

int ids_find_of(db *d, const db_statement *statement, const uuid *of, atg_arena *arena,
                id_list *list, atg_err *err) {
    db_value id = db_blob(of->bytes, UUID_SIZE);

    return ids_find(d, &(ids_query){statement, &id, 1}, arena, list, err);
}

static int by_id(const void *x, const void *y) {
    return uuid_cmp(x, y);
}

void ids_sort(id_list *list) {
    uint32_t kept = 0;

    if (list->n)
        qsort(list->p, list->n, sizeof(*list->p), by_id);
    for (uint32_t i = 0; i < list->n; i++)
        if (!kept || uuid_cmp(&list->p[kept - 1], &list->p[i]) != 0)
            list->p[kept++] = list->p[i];
    list->n = kept;
}
