/* SPDX-License-Identifier: Apache-2.0 */
/* Records with random values of every type of field. */
#ifndef ATG_TESTS_MADE_RECORD_H
#define ATG_TESTS_MADE_RECORD_H

#include "kept.h"

#include <stdio.h>

static const char *const made_texts[] = {
    "Halvorsen",
    "\u738b\u5049",
    "\u041e\u043b\u0435\u043a\u0441\u0430\u043d\u0434\u0440",
    "\u0645\u062d\u0645\u062f",
    "a\nb",
    "\"quoted\" \\ and {braces}",
    "x",
    "'; DROP TABLE file; --",
    "\U0001f480",
    "0",
    "true",
    "null",
};
static const char *const made_dates[] = {"1984",      "1984-03",    "1984-03-12",
                                         "1984/1986", "about 1984", "2024-02-29"};
static const char *const made_jsons[] = {"null",
                                         "[1,2.5,null,\"\u738b\"]",
                                         "{\"b\":{\"a\":[]},\"c\":\"\"}",
                                         "0.1",
                                         "\"text\"",
                                         "false",
                                         "[[[[1]]]]"};

#define MADE_PICK(p, list) (list)[prop_below((p), sizeof(list) / sizeof(*(list)))]

static inline double made_number(prop *p, const field_type *field) {
    double low = fmax(field->least, -1e6), high = fmin(field->most, 1e6);

    return prop_chance(p, 0.2) ? low : prop_between(p, low, high);
}

static inline uuid made_id(prop *p) {
    unsigned char random[10];

    for (int i = 0; i < 10; i++)
        random[i] = (unsigned char)prop_below(p, 256);
    return uuid_make(atg_rng_below(&p->rng, (uint64_t)1 << 48), random);
}

/* Through the same door as what people write. */
static inline value made_read(atg_arena *arena, const field_type *field, const char *text) {
    atg_str s = atg_str_of(text);
    atg_err err = {0};
    value v;

    if (field->kind == FIELD_TEXT && s.n > field->max_size)
        s = ATG_STR("x");
    must(value_read(arena, field, s, &v, &err), &err);
    return v;
}

static inline value made_value(prop *p, atg_arena *arena, const field_type *field) {
    value v = {.known = true};
    uint32_t n = 0;

    switch (field->kind) {
    case FIELD_TEXT:
        return made_read(arena, field, MADE_PICK(p, made_texts));
    case FIELD_DATE:
        return made_read(arena, field, MADE_PICK(p, made_dates));
    case FIELD_JSON:
        return made_read(arena, field, MADE_PICK(p, made_jsons));
    case FIELD_CHOICE:
        while (field->choices[n])
            n++;
        v.choice = prop_below(p, n);
        break;
    case FIELD_INSTANT:
        v.instant = (int64_t)atg_rng_below(&p->rng, 4000000000000000) - 1000000000000000;
        break;
    case FIELD_NUMBER:
        v.number = made_number(p, field);
        break;
    case FIELD_RANGE:
        v.range.from = made_number(p, field);
        v.range.to = made_number(p, field);
        if (v.range.from > v.range.to)
            v.range.to = v.range.from;
        if (prop_chance(p, 0.3))
            *(prop_chance(p, 0.5) ? &v.range.from : &v.range.to) = NAN;
        break;
    case FIELD_BOOL:
        v.flag = prop_chance(p, 0.5);
        break;
    case FIELD_REF:
    case FIELD_UUID:
        v.ref = made_id(p);
        break;
    case FIELD_BLOB:
        for (int i = 0; i < RECORD_HASH; i++)
            v.hash[i] = (unsigned char)prop_below(p, 256);
        break;
    }
    return v;
}

/* With most of its fields known; nothing sealed where there is no person. */
static inline void made_fields(prop *p, atg_arena *arena, record *r) {
    for (uint32_t f = 0; f < record_types[r->kind].n_fields; f++) {
        const field_type *field = record_field(r->kind, f);

        r->fields[f] = (value){0};
        if (prop_chance(p, 0.8) && !(field->sealed && uuid_none(&r->person)))
            r->fields[f] = made_value(p, arena, field);
    }
}

static inline record *made_record(prop *p, atg_arena *arena, record_kind kind,
                                  const uuid *operation, const uuid *person) {
    record *r = record_new(arena, kind);
    const char *const *states = record_types[kind].states;
    uint32_t n = 0;

    assert_non_null(r);
    while (states[n])
        n++;
    r->id = kept_id();
    r->operation = *operation;
    r->file = record_types[kind].is_file ? r->id : made_id(p);
    if (record_types[kind].person != PERSON_NONE)
        r->person = *person;
    if (prop_chance(p, 0.5))
        r->code = atg_arena_printf(arena, "AM-K3-%06u", prop_below(p, 1000000));
    r->rev = 1;
    r->state = n ? prop_below(p, n) : 0;
    r->created = (int64_t)prop_below(p, 1000000);
    r->changed = r->created + (int64_t)prop_below(p, 1000);
    r->withdrawn = prop_chance(p, 0.2);
    made_fields(p, arena, r);
    return r;
}

static inline void same_record(const prop *p, const record *a, const record *b) {
    if (uuid_cmp(&a->id, &b->id) != 0 || uuid_cmp(&a->operation, &b->operation) != 0 ||
        uuid_cmp(&a->file, &b->file) != 0 || uuid_cmp(&a->person, &b->person) != 0 ||
        !atg_str_eq(a->code, b->code) || a->rev != b->rev || a->state != b->state ||
        a->created != b->created || a->changed != b->changed || a->withdrawn != b->withdrawn)
        fail_msg("seed %llu: the frame of a %s differs", (unsigned long long)p->seed,
                 record_types[a->kind].name);
    for (uint32_t f = 0; f < record_types[a->kind].n_fields; f++)
        if (!value_eq(record_field(a->kind, f), &a->fields[f], &b->fields[f]))
            fail_msg("seed %llu: %s.%s differs", (unsigned long long)p->seed,
                     record_types[a->kind].name, record_field(a->kind, f)->name);
}

#endif
