/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "face/gallery_parts.h"

const uuid *face_key_of_person(const void *gallery, uint32_t person) {
    const face_gallery *g = gallery;

    return &g->people[person].is.id;
}

const uuid *face_key_of_family(const void *gallery, uint32_t person) {
    const face_gallery *g = gallery;

    return &g->people[person].is.family;
}

int face_people_reserve(face_gallery *g, atg_err *err) {
    int rc = face_index_reserve(&g->by_person, err);

    if (!rc)
        rc = face_index_reserve(&g->by_family, err);
    if (rc || g->free_people != NOBODY || g->n_people < g->people_room)
        return rc;

    uint32_t room = g->people_room ? g->people_room * 2 : 64;
    face_someone *people = mem_grow(g->people, room * sizeof(*people));

    if (!people)
        return atg_fail(err, ATG_ENOMEM, "Memory is short for the gallery of faces");
    g->people = people;
    g->people_room = room;
    return ATG_OK;
}

static void leave_family(face_gallery *g, uint32_t person) {
    face_someone *p = &g->people[person];

    if (uuid_none(&p->is.family))
        return;
    if (p->after != NOBODY)
        g->people[p->after].before = p->before;
    if (p->before != NOBODY)
        g->people[p->before].after = p->after;
    else if (p->after != NOBODY)
        face_index_put(&g->by_family, p->after);
    else
        face_index_remove(&g->by_family, &p->is.family);
}

static void join_family(face_gallery *g, uint32_t person) {
    face_someone *p = &g->people[person];
    int64_t first;

    p->before = p->after = NOBODY;
    if (uuid_none(&p->is.family))
        return;
    first = face_index_get(&g->by_family, &p->is.family);
    if (first >= 0) {
        p->after = (uint32_t)first;
        g->people[first].before = person;
    }
    face_index_put(&g->by_family, person);
}

uint32_t face_people_put(face_gallery *g, const face_person *person) {
    int64_t known = face_index_get(&g->by_person, &person->id);
    uint32_t at = known >= 0 ? (uint32_t)known : g->free_people;

    if (known >= 0) {
        leave_family(g, at);
    } else {
        if (at == NOBODY)
            at = g->n_people++;
        else
            g->free_people = g->people[at].after;
        g->people[at].first = NOBODY;
        g->n_persons++;
    }
    g->people[at].is = *person;
    if (known < 0)
        face_index_put(&g->by_person, at);
    join_family(g, at);
    return at;
}

void face_people_remove(face_gallery *g, uint32_t person) {
    face_someone *p = &g->people[person];

    leave_family(g, person);
    face_index_remove(&g->by_person, &p->is.id);
    *p = (face_someone){.first = NOBODY, .before = NOBODY, .after = g->free_people};
    g->free_people = person;
    g->n_persons--;
}

bool face_people_related(const face_gallery *g, uint32_t person, uint64_t scopes) {
    const uuid *family = &g->people[person].is.family;
    int64_t at = uuid_none(family) ? -1 : face_index_get(&g->by_family, family);

    for (uint32_t i = at < 0 ? NOBODY : (uint32_t)at; i != NOBODY; i = g->people[i].after)
        if (i != person && g->people[i].is.scopes & scopes)
            return true;
    return false;
}
