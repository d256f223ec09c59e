/* SPDX-License-Identifier: Apache-2.0 */
/* Closed cases: missing persons and their remains, as the board leaves them, with photographs. */
#ifndef ATG_TESTS_MADE_CLOSED_H
#define ATG_TESTS_MADE_CLOSED_H

#include "made_faces.h"

enum { OTHERS = 100 }; /* the first of them, among the persons of pictures */

static inline uint32_t closed_mix(uint32_t x) {
    x = (x ^ x >> 16) * 0x45d9f3bU;
    x = (x ^ x >> 16) * 0x45d9f3bU;
    return x ^ x >> 16;
}

/* Everybody looks a little like everybody; `how` in hundredths turns somebody away from
 * themselves. */
static inline int closed_look(void *user, atg_str picture, const face_landmarks *placed,
                              atg_arena *arena, face_reading *ret, atg_err *err) {
    uint32_t person = (unsigned char)picture.p[picture.n - 4];
    uint32_t how = (unsigned char)picture.p[picture.n - 3];
    int rc = made_look(user, picture, placed, arena, ret, err);

    for (uint32_t i = 0; i < MADE_DIM && !rc; i++) {
        float own = (float)(closed_mix(person * MADE_DIM + i) % 1000) / 500 - 1;
        float other =
            (float)(closed_mix((person << 8 | how) * MADE_DIM + i + 77777) % 1000) / 500 - 1;

        ret->embedding[i] = own + 0.02F * (float)how * other;
    }
    return rc;
}

/* `scope`, of both photographs, and the nationality may be NULL. */
typedef struct made_how {
    const char *scope;
    const char *(*nationality)(uint32_t i);
} made_how;

static inline record *closed_missing(made_faces *w, uint32_t person, const made_how *how) {
    record *r = record_new(w->m.arena, RECORD_INFORMANT), *photo;
    record *missing = made_missing(&w->m, "Berg", "Anna");
    atg_err err = {0};

    if (how->nationality && how->nationality(person - OTHERS))
        made_set(w->m.arena, missing, "nationality", how->nationality(person - OTHERS));
    made_add(&w->m, missing);
    r->operation = w->m.operation;
    r->file = missing->id;
    made_set(w->m.arena, r, "name", "Ida Berg");
    made_ok(made_change(&w->m, &w->m.by[ROLE_INTERVIEWER], CHANGE_ADD, r, &err), &err);
    photo = made_photograph(&w->m, missing, &w->m.by[ROLE_INTERVIEWER], person, 5);
    photo->fields[PHOTOGRAPH_INFORMANT] = (value){.known = true, .ref = r->id};
    made_set(w->m.arena, photo, "confirmed", "yes");
    made_set(w->m.arena, photo, "obtained", "2026-11-02");
    made_set(w->m.arena, photo, "basis", "consent");
    if (how->scope)
        made_set(w->m.arena, photo, "scope", how->scope);
    made_ok(made_change(&w->m, &w->m.by[ROLE_INTERVIEWER], CHANGE_ADD, photo, &err), &err);
    return missing;
}

typedef struct closing {
    made_faces *w;
    record *remains, *missing;
} closing;

/* As the board leaves them, without the way there. */
static inline int closed_case(db *d, void *user, atg_err *err) {
    static const db_statement dead = {"test dead",
                                      "UPDATE r_remains SET state = 'identified' WHERE id = $1"};
    static const db_statement found = {"test found",
                                       "UPDATE r_missing SET state = 'identified' WHERE id = $1"};
    closing *k = user;
    record *h = record_new(k->w->m.arena, RECORD_HYPOTHESIS);
    record *r = record_new(k->w->m.arena, RECORD_DECISION);
    db_value remains = db_blob(k->remains->id.bytes, UUID_SIZE);
    db_value missing = db_blob(k->missing->id.bytes, UUID_SIZE);
    int rc = uuid_new(&h->id, err);

    if (!rc)
        rc = uuid_new(&r->id, err);
    h->operation = r->operation = k->w->m.operation;
    h->file = r->file = k->remains->id;
    h->rev = r->rev = 1;
    h->code = ATG_STR("HY-K3-000001");
    h->fields[HYPOTHESIS_MISSING] = (value){.known = true, .ref = k->missing->id};
    r->fields[DECISION_HYPOTHESIS] = (value){.known = true, .ref = h->id};
    made_set(k->w->m.arena, r, "conclusion", "established");
    made_set(k->w->m.arena, r, "reason", "DNA");
    if (!rc)
        rc = records_insert(d, cases_keys(k->w->m.c), h, err);
    if (!rc)
        rc = records_insert(d, cases_keys(k->w->m.c), r, err);
    if (!rc)
        rc = db_run(d, &dead, &remains, 1, NULL, err);
    return rc ? rc : db_run(d, &found, &missing, 1, NULL, err);
}

static inline void closed_from(made_faces *w, uint32_t from, uint32_t n, const made_how *how) {
    for (uint32_t i = from; i < from + n; i++) {
        closing k = {w, made_remains(&w->m, "B-18"), closed_missing(w, OTHERS + i, how)};
        record *photo;
        atg_err err = {0};

        made_add(&w->m, k.remains);
        photo =
            made_photograph(&w->m, k.remains, &w->m.by[ROLE_MORTUARY], OTHERS + i, 10 + i % 3 * 20);
        if (how->scope)
            made_set(w->m.arena, photo, "scope", how->scope);
        made_ok(made_change(&w->m, &w->m.by[ROLE_MORTUARY], CHANGE_ADD, photo, &err), &err);
        made_ok(store_write(cases_store(w->m.c), closed_case, &k, &err), &err);
    }
    made_enrol(w, NULL);
}

static inline void made_closed(made_faces *w, uint32_t n) {
    closed_from(w, 0, n, &(made_how){NULL, NULL});
}

#endif
