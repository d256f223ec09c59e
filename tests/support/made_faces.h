/* SPDX-License-Identifier: Apache-2.0 */
/* Missing persons and dead with photographs, and an eye that knows them without any network: the
 * last but one pair of bytes of a picture says whom it shows, and how well. */
#ifndef ATG_TESTS_MADE_FACES_H
#define ATG_TESTS_MADE_FACES_H

#include "made_cases.h"

#include "app/faces.h"
#include "app/pictures.h"

enum { MADE_DIM = 16, MADE_PEOPLE = 8 };

/* What a picture shows besides one good face. */
enum { MADE_GOOD, MADE_NOBODY = 200, MADE_SEVERAL, MADE_BLURRED, MADE_BROKEN };

typedef struct made_faces {
    made_cases m;
    record *missing[MADE_PEOPLE], *informants[MADE_PEOPLE], *am[MADE_PEOPLE];
    record *remains, *pm;
    face_eye eye;
    uint32_t n_looks;
    actor examiner; /* with a reason */
} made_faces;

/* Templates of one person lie near an axis of their own; `how` turns them away from it. */
static inline void made_vector(uint32_t person, uint32_t how, float *ret) {
    memset(ret, 0, MADE_DIM * sizeof(*ret));
    ret[person % MADE_DIM] = 1;
    ret[(person + 1) % MADE_DIM] = 0.05F * (float)how;
}

static inline int made_look(void *user, atg_str picture, const face_landmarks *placed,
                            atg_arena *arena, face_reading *ret, atg_err *err) {
    made_faces *w = user;
    uint32_t person = (unsigned char)picture.p[picture.n - 4];
    uint32_t how = (unsigned char)picture.p[picture.n - 3];

    w->n_looks++;
    if (how == MADE_BROKEN)
        return atg_fail(err, ATG_EPARSE, "This picture breaks off");
    *ret = (face_reading){.n_faces = how == MADE_NOBODY    ? 0
                                     : how == MADE_SEVERAL ? 2
                                                           : 1,
                          .chosen = how == MADE_NOBODY || (how == MADE_SEVERAL && !placed) ? -1 : 0,
                          .refused = how == MADE_BLURRED ? 1U << FACE_BLURRED : 0};
    ret->faces = ATG_GET(arena, face_seen, 2);
    ret->embedding = ATG_GET(arena, float, MADE_DIM);
    assert_true(ret->faces && ret->embedding);
    for (int i = 0; i < 2; i++)
        ret->faces[i] = (face_seen){.marks = face_template, .score = 0.9};
    made_vector(person, how < MADE_NOBODY ? how : 0, ret->embedding);
    return ATG_OK;
}

static inline record *made_photograph(const made_cases *m, const record *file, const actor *who,
                                      uint32_t person, uint32_t how) {
    char bytes[] =
        "\xff\xd8\xff\xc0\0\x0b\x08\0\2\0\3\1\1\x11\0\xff\xda\0\x08\1\1\0\0\x3f\0\1\1\xff\xd9";
    record *r = record_new(m->arena, RECORD_PHOTOGRAPH);
    atg_err err = {0};

    bytes[sizeof(bytes) - 5] = (char)person;
    bytes[sizeof(bytes) - 4] = (char)how;
    r->operation = m->operation;
    r->file = file->id;
    made_set(m->arena, r, "what", "face");
    made_ok(pictures_put(m->c, who, r, PHOTOGRAPH_IMAGE, (atg_str){bytes, sizeof(bytes) - 1},
                         &r->fields[PHOTOGRAPH_IMAGE], &err),
            &err);
    return r;
}

static inline record *made_am(made_faces *w, uint32_t i, uint32_t how) {
    record *r = made_photograph(&w->m, w->missing[i], &w->m.by[ROLE_INTERVIEWER], i, how);
    atg_err err = {0};

    r->fields[PHOTOGRAPH_INFORMANT] = (value){.known = true, .ref = w->informants[i]->id};
    made_set(w->m.arena, r, "confirmed", "yes");
    made_set(w->m.arena, r, "obtained", "2026-11-02");
    made_set(w->m.arena, r, "basis", "consent");
    made_ok(made_change(&w->m, &w->m.by[ROLE_INTERVIEWER], CHANGE_ADD, r, &err), &err);
    return r;
}

static inline void made_recovery(made_faces *w, const actor *who) {
    record *r = record_new(w->m.arena, RECORD_CUSTODY);
    atg_err err = {0};

    r->operation = w->m.operation;
    r->file = w->remains->id;
    made_set(w->m.arena, r, "event", "recovery");
    made_set(w->m.arena, r, "happened", "2026-11-03");
    made_set(w->m.arena, r, "by", "Coast guard");
    made_ok(made_change(&w->m, who, CHANGE_ADD, r, &err), &err);
}

static inline void made_enrol(made_faces *w, faces_done *ret) {
    faces_done done = {0};
    atg_err err = {0};

    made_ok(faces_enrol(w->m.c, &w->m.operation, &w->eye, NULL, &done, &err), &err);
    if (ret)
        *ret = done;
}

/* The dead looks like number 3, a little like number 2.  `m` stays the caller's, and one is there
 * at a time. */
static inline made_faces *made_faces_in(const made_cases *m) {
    static made_faces all;
    made_faces *w = &all;
    atg_err err = {0};

    *w = (made_faces){.m = *m};
    w->eye = (face_eye){
        .version = {.model = {5}, .pipeline = 1}, .dim = MADE_DIM, .read = made_look, .user = w};
    w->examiner = w->m.by[ROLE_EXAMINER];
    w->examiner.reason = ATG_STR("body B-17 has no papers");
    for (uint32_t i = 0; i < MADE_PEOPLE; i++) {
        record *r = record_new(w->m.arena, RECORD_INFORMANT);

        w->missing[i] = made_missing(&w->m, "Berg", "Anna");
        made_add(&w->m, w->missing[i]);
        r->operation = w->m.operation;
        r->file = w->missing[i]->id;
        made_set(w->m.arena, r, "name", "Ida Berg");
        made_ok(made_change(&w->m, &w->m.by[ROLE_INTERVIEWER], CHANGE_ADD, r, &err), &err);
        w->informants[i] = r;
        w->am[i] = made_am(w, i, 1);
    }
    w->remains = made_remains(&w->m, "B-17");
    made_add(&w->m, w->remains);
    w->pm = made_photograph(&w->m, w->remains, &w->m.by[ROLE_MORTUARY], 2, 30);
    made_ok(made_change(&w->m, &w->m.by[ROLE_MORTUARY], CHANGE_ADD, w->pm, &err), &err);
    return w;
}

static inline made_faces *made_faces_open(const database *where) {
    made_cases m = made_cases_open(where);

    return made_faces_in(&m);
}

static inline void made_faces_close(made_faces *w) {
    made_cases_close(&w->m);
}

static inline int made_search(made_faces *w, const actor *who, const uuid *photograph,
                              uint32_t best, uint32_t *ret_n, atg_err *err) {
    face_wish wish = {.photograph = *photograph, .best = best};
    faces_wanted wanted = {w->m.operation, w->eye.version, MADE_DIM, false};
    ATG_AUTO(faces_gallery) g = NULL;
    faces_found found = {0};
    int rc = faces_gallery_open(w->m.c, &wanted, NULL, &g, err);

    if (!rc)
        rc = faces_search(w->m.c, who, w->m.arena, g, &wish, &found, err);
    *ret_n = found.candidates;
    return rc;
}

static inline uint32_t made_leads(made_faces *w, const actor *who, face_lead **ret) {
    uint32_t n = 0;
    atg_err err = {0};

    made_ok(faces_leads(w->m.c, who, w->m.arena, &w->remains->id, ret, &n, &err), &err);
    return n;
}

#endif
