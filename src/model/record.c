/* SPDX-License-Identifier: Apache-2.0 */
#include "model/record.h"

#include <string.h>

record *record_new(atg_arena *arena, record_kind kind) {
    record *r = ATG_GET(arena, record, 1);
    value *fields = r ? ATG_GET(arena, value, record_types[kind].n_fields) : NULL;

    if (!fields)
        return NULL;
    r->kind = kind;
    r->fields = fields;
    return r;
}

record *record_copy(atg_arena *arena, const record *r) {
    record *copy = record_new(arena, r->kind);

    if (!copy)
        return NULL;

    value *fields = copy->fields;

    *copy = *r;
    copy->fields = fields;
    memcpy(fields, r->fields, record_types[r->kind].n_fields * sizeof(*fields));
    return copy;
}

int record_kind_of(atg_str name) {
    for (int k = 0; k < RECORD_KINDS; k++)
        if (atg_str_eq(name, atg_str_of(record_types[k].name)))
            return k;
    return -1;
}

int record_role_of(atg_str name) {
    for (int r = 0; r < ROLES; r++)
        if (atg_str_eq(name, atg_str_of(role_names[r])))
            return r;
    return -1;
}

int record_field_of(record_kind kind, atg_str name) {
    for (uint32_t f = 0; f < record_types[kind].n_fields; f++)
        if (atg_str_eq(name, atg_str_of(record_types[kind].fields[f].name)))
            return (int)f;
    return -1;
}

int record_word(const char *const *words, atg_str word) {
    for (int i = 0; words[i]; i++)
        if (atg_str_eq(word, atg_str_of(words[i])))
            return i;
    return -1;
}

int record_check(const record *r, atg_err *err) {
    const record_type *type = &record_types[r->kind];
    char missing[300] = "";
    size_t n = 0;

    for (uint32_t f = 0; f < type->n_fields; f++) {
        const char *name = type->fields[f].name;
        size_t len = strlen(name);
        int rc = value_check(&type->fields[f], &r->fields[f], err);

        if (rc)
            return rc;
        if (!type->fields[f].required || r->fields[f].known || n + len + 3 > sizeof(missing))
            continue;
        if (n) {
            missing[n++] = ',';
            missing[n++] = ' ';
        }
        memcpy(missing + n, name, len + 1);
        n += len;
    }
    return n ? atg_fail(err, ATG_EINVAL, "A %s needs: %s", type->title, missing) : ATG_OK;
}
