/* SPDX-License-Identifier: Apache-2.0 */
#include "face/rank.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

enum { CANDIDATES_MIN = 1024, ADULT = 18 };

void face_rank_clear(face_rank *rank) {
    mem_free(rank->candidates);
    rank->candidates = NULL;
    rank->n = rank->room = 0;
}

/* A person scores at least `score`. */
static void raise(face_rank *rank, uint32_t person, float score) {
    uint32_t at = 0, lowest = 0;

    if (score <= rank->cut)
        return;
    while (at < rank->n_least && rank->least[at].person != person)
        at++;
    if (at == rank->best) {
        for (uint32_t i = 1; i < at; i++)
            if (rank->least[i].score < rank->least[lowest].score)
                lowest = i;
        at = lowest;
    }
    if (at == rank->n_least)
        rank->least[rank->n_least++] = (struct face_least){person, score};
    else if (rank->least[at].person != person || rank->least[at].score < score)
        rank->least[at] = (struct face_least){person, score};
    if (rank->n_least < rank->best)
        return;
    rank->cut = rank->least[0].score;
    for (uint32_t i = 1; i < rank->n_least; i++)
        rank->cut = fminf(rank->cut, rank->least[i].score);
}

static void forget_hopeless(face_rank *rank) {
    size_t kept = 0;

    for (size_t i = 0; i < rank->n; i++)
        if (rank->candidates[i].upper >= rank->cut)
            rank->candidates[kept++] = rank->candidates[i];
    rank->n = kept;
}

static int keep(face_rank *rank, face_candidate c, atg_err *err) {
    if (rank->n == rank->room) {
        forget_hopeless(rank);
        if (rank->n >= rank->room / 2) {
            size_t room = rank->room ? rank->room * 2 : CANDIDATES_MIN;
            face_candidate *p = mem_grow(rank->candidates, room * sizeof(*p));

            if (!p)
                return atg_fail(err, ATG_ENOMEM, "Memory is short for the search of a face");
            rank->candidates = p;
            rank->room = room;
        }
    }
    rank->candidates[rank->n++] = c;
    return ATG_OK;
}

int face_rank_take(const face_gallery *g, face_rank *rank, uint32_t slot, float score, float bound,
                   atg_err *err) {
    uint32_t person = face_photo_of(g, slot)->person;

    if (score + bound < rank->cut || !(g->people[person].is.scopes & rank->scopes))
        return ATG_OK;
    raise(rank, person, score - bound);
    return keep(rank, (face_candidate){slot, score + bound}, err);
}

int face_rank_join(face_rank *rank, const face_rank *other, atg_err *err) {
    int rc = ATG_OK;

    for (uint32_t i = 0; i < other->n_least; i++)
        raise(rank, other->least[i].person, other->least[i].score);
    for (size_t i = 0; i < other->n && !rc; i++)
        if (other->candidates[i].upper >= rank->cut)
            rc = keep(rank, other->candidates[i], err);
    return rc;
}

static int promising_first(const void *a, const void *b) {
    const face_candidate *x = a, *y = b;

    if (x->upper != y->upper)
        return x->upper < y->upper ? 1 : -1;
    return (x->slot > y->slot) - (x->slot < y->slot);
}

static bool better_hit(const face_hit *a, const face_hit *b) {
    int order = uuid_cmp(&a->person, &b->person);

    if (a->score != b->score)
        return a->score > b->score;
    return order < 0 || (order == 0 && uuid_cmp(&a->photo, &b->photo) < 0);
}

/* Take a hit into the list of at most `best` persons. */
static void insert(face_hit *list, uint32_t *n, uint32_t best, const face_hit *hit) {
    uint32_t at = 0, worst = 0;

    while (at < *n && uuid_cmp(&list[at].person, &hit->person) != 0)
        at++;
    if (at == *n && *n == best) {
        for (uint32_t i = 1; i < *n; i++)
            if (better_hit(&list[worst], &list[i]))
                worst = i;
        at = worst;
    }
    if (at == *n)
        list[(*n)++] = *hit;
    else if (better_hit(hit, &list[at]))
        list[at] = *hit;
}

static float worst_score(const face_hit *list, uint32_t n, uint32_t best) {
    float worst = n < best ? -INFINITY : list[0].score;

    for (uint32_t i = 1; i < n && n == best; i++)
        worst = fminf(worst, list[i].score);
    return worst;
}

static bool known(int16_t low, int16_t high) {
    return low >= 0 || high >= 0;
}

static bool ages_meet(const face_query *q, const face_person *p) {
    int high = q->age_high < 0 ? INT16_MAX : q->age_high;
    int other = p->age_high < 0 ? INT16_MAX : p->age_high;

    if (!known(q->age_low, q->age_high) || !known(p->age_low, p->age_high))
        return true;
    return q->age_low <= other && p->age_low <= high;
}

static bool may_be_child(int16_t low, int16_t high) {
    return (low >= 0 && low < ADULT) || (high >= 0 && high < ADULT);
}

static uint32_t flags_of(const face_gallery *g, const face_query *q, uint32_t person) {
    const face_person *p = &g->people[person].is;
    uint32_t flags = 0;

    if (q->sex != FACE_SEX_UNKNOWN && p->sex != FACE_SEX_UNKNOWN && q->sex != p->sex)
        flags |= FACE_SEX_DIFFERS;
    if (!ages_meet(q, p))
        flags |= FACE_AGE_DIFFERS;
    if (face_people_related(g, person, q->scopes))
        flags |= FACE_WARN_RELATIVES;
    if (may_be_child(p->age_low, p->age_high) || may_be_child(q->age_low, q->age_high))
        flags |= FACE_WARN_CHILD;
    return flags;
}

static bool contradicts(const face_hit *hit) {
    return hit->flags & (FACE_SEX_DIFFERS | FACE_AGE_DIFFERS);
}

static int by_score(const void *a, const void *b) {
    return better_hit(a, b) ? -1 : better_hit(b, a);
}

static int fitting_first(const void *a, const void *b) {
    const face_hit *x = a, *y = b;

    if (contradicts(x) != contradicts(y))
        return contradicts(x) ? 1 : -1;
    return (x->rank > y->rank) - (x->rank < y->rank);
}

uint32_t face_rank_finish(const face_gallery *g, face_rank *rank, const face_query *query,
                          const float *unit, face_hit *ret, uint64_t *n_rescored) {
    uint32_t n = 0;

    forget_hopeless(rank);
    if (rank->n)
        qsort(rank->candidates, rank->n, sizeof(*rank->candidates), promising_first);
    for (size_t i = 0; i < rank->n; i++) {
        uint32_t slot = rank->candidates[i].slot;
        const face_photo *photo = face_photo_of(g, slot);
        face_hit hit = {.person = g->people[photo->person].is.id, .photo = photo->id};

        if (rank->candidates[i].upper < worst_score(ret, n, rank->best))
            break;
        hit.score = face_score(g->dim, unit, face_master_of(g, slot));
        hit.flags = flags_of(g, query, photo->person);
        insert(ret, &n, rank->best, &hit);
        ++*n_rescored;
    }
    if (n == 0)
        return 0;
    qsort(ret, n, sizeof(*ret), by_score);
    for (uint32_t i = 0; i < n; i++)
        ret[i].rank = i + 1;
    qsort(ret, n, sizeof(*ret), fitting_first);
    return n;
}
