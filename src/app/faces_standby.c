/* SPDX-License-Identifier: Apache-2.0 */
#include "app/faces_standby.h"

#include <pthread.h>

#include "app/cases_internal.h"
#include "app/faces_internal.h"
#include "base/clock.h"
#include "base/mem.h"

enum { GALLERIES = 8, IDLE_S = 12 * 3600 };

static const uint64_t memory_all = (uint64_t)4 << 30;

/* A gallery.  Under the lock of all stands whose it is and who uses it; what is in it is under its
 * own, which whoever uses it may take. */
typedef struct place {
    faces_gallery *g; /* NULL: nobody's */
    uint32_t users;
    int64_t used;  /* when it was searched in last */
    uint64_t turn; /* and in which order */
    uint64_t memory, templates, read;
    pthread_mutex_t lock;
} place;

struct faces_standby {
    cases *c;
    faces_standby_options o;
    pthread_mutex_t lock;
    pthread_cond_t freed; /* somebody uses a place no more */
    place places[FACES_STANDBY_MAX];
    uint64_t turns;
};

int faces_standby_open(cases *c, const faces_standby_options *o, faces_standby **ret,
                       atg_err *err) {
    faces_standby *s = mem_zero(1, sizeof(*s));

    if (!s)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for faces");
    s->c = c;
    s->o = *o;
    if (!s->o.galleries || s->o.galleries > FACES_STANDBY_MAX)
        s->o.galleries = GALLERIES;
    if (!s->o.memory)
        s->o.memory = memory_all;
    if (!s->o.idle_s)
        s->o.idle_s = IDLE_S;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->freed, NULL);
    for (uint32_t i = 0; i < FACES_STANDBY_MAX; i++)
        pthread_mutex_init(&s->places[i].lock, NULL);
    *ret = s;
    return ATG_OK;
}

static void empty(place *p) {
    faces_gallery_close(p->g);
    p->g = NULL;
    p->memory = p->templates = 0;
}

void faces_standby_close(faces_standby *s) {
    if (!s)
        return;
    for (uint32_t i = 0; i < FACES_STANDBY_MAX; i++) {
        empty(&s->places[i]);
        pthread_mutex_destroy(&s->places[i].lock);
    }
    pthread_cond_destroy(&s->freed);
    pthread_mutex_destroy(&s->lock);
    mem_free(s);
}

/* ---- places, under the lock of all ---- */

static bool is_of(const faces_gallery *g, const faces_wanted *wanted) {
    return uuid_cmp(&g->is.operation, &wanted->operation) == 0 &&
           face_version_same(&g->is.version, &wanted->version) && g->is.dim == wanted->dim &&
           g->is.retouched == wanted->retouched;
}

/* The one that nobody uses and that was searched in longest ago, or a free one (`or_free`). */
static place *oldest(faces_standby *s, bool or_free) {
    place *found = NULL;

    for (uint32_t i = 0; i < s->o.galleries; i++) {
        place *p = &s->places[i];

        if (p->users || (!p->g && !or_free))
            continue;
        if (!found || (found->g && (!p->g || p->turn < found->turn)))
            found = p;
    }
    return found;
}

static place *find(faces_standby *s, const faces_wanted *wanted) {
    for (uint32_t i = 0; i < s->o.galleries; i++)
        if (s->places[i].g && is_of(s->places[i].g, wanted))
            return &s->places[i];
    return NULL;
}

static int take_place(faces_standby *s, const faces_wanted *wanted, place **ret, atg_err *err) {
    place *p;
    int rc = ATG_OK;

    pthread_mutex_lock(&s->lock);
    while (!(p = find(s, wanted)) && !(p = oldest(s, true)))
        pthread_cond_wait(&s->freed, &s->lock);
    if (!p->g || !is_of(p->g, wanted)) {
        empty(p);
        rc = faces_gallery_new(wanted, &p->g, err);
    }
    if (!rc) {
        p->users++;
        p->turn = ++s->turns;
        p->used = clock_now();
    }
    pthread_mutex_unlock(&s->lock);
    *ret = p;
    return rc;
}

static uint64_t memory_of(const faces_standby *s) {
    uint64_t sum = 0;

    for (uint32_t i = 0; i < s->o.galleries; i++)
        sum += s->places[i].users ? 0 : s->places[i].memory;
    return sum;
}

static void leave_place(faces_standby *s, place *p) {
    place *last;

    pthread_mutex_lock(&s->lock);
    p->users--;
    if (!p->users && !p->g->all)
        empty(p); /* it could not be read */
    while (memory_of(s) > s->o.memory && (last = oldest(s, false)))
        empty(last);
    pthread_cond_broadcast(&s->freed);
    pthread_mutex_unlock(&s->lock);
}

/* ---- searching ---- */

typedef struct looking {
    faces_standby *s;
    const faces_wanted *wanted;
    const atg_progress *progress;
} looking;

/* Nobody looks into one that could not be brought up to date. */
static int update(faces_standby *s, place *p, const atg_progress *progress, atg_err *err) {
    bool anew = !p->g->all;
    int rc = faces_gallery_update(p->g, s->c, progress, err);
    const face_gallery *all = p->g->all;

    pthread_mutex_lock(&s->lock);
    p->memory = all ? face_gallery_memory(all) : 0;
    p->templates = all ? face_gallery_photos(all) : 0;
    p->read += anew && all;
    pthread_mutex_unlock(&s->lock);
    return rc;
}

static int look(void *user, const face_query *query, face_result *ret, uint32_t *ret_among,
                atg_err *err) {
    const looking *w = user;
    place *p;
    int rc = take_place(w->s, w->wanted, &p, err);

    if (rc)
        return rc;
    pthread_mutex_lock(&p->lock);
    rc = update(w->s, p, w->progress, err);
    if (!rc)
        rc = faces_gallery_look(p->g, query, ret, ret_among, err);
    pthread_mutex_unlock(&p->lock);
    leave_place(w->s, p);
    return rc;
}

int faces_standby_search(faces_standby *s, const actor *who, atg_arena *arena,
                         const faces_asking *asking, const atg_progress *progress, faces_found *ret,
                         atg_err *err) {
    faces_asked a = {.c = s->c,
                     .who = who,
                     .arena = arena,
                     .in.retouched = asking->retouched,
                     .wish = &asking->wish,
                     .look = look};
    looking w = {s, &a.in, progress};
    int rc = faces_may_search(s->c, who, arena, &asking->wish.photograph, &a.in, err);

    a.user = &w;
    return rc ? rc : faces_ask(&a, ret, err);
}

/* ---- keeping house ---- */

/* The next place from `*at` on that holds a gallery; it is used then. */
static place *next(faces_standby *s, uint32_t *at) {
    int64_t since = clock_now() - s->o.idle_s * 1000000;
    place *found = NULL;

    pthread_mutex_lock(&s->lock);
    for (; *at < s->o.galleries && !found; ++*at) {
        place *p = &s->places[*at];

        if (p->g && !p->users && p->used < since)
            empty(p);
        else if (p->g)
            found = p;
    }
    if (found)
        found->users++;
    pthread_mutex_unlock(&s->lock);
    return found;
}

void faces_standby_tidy(faces_standby *s, const atg_progress *progress) {
    place *p;

    for (uint32_t at = 0; (p = next(s, &at));) {
        pthread_mutex_lock(&p->lock);
        if (p->g->all)
            (void)update(s, p, progress, NULL); /* the next search says what is wrong */
        pthread_mutex_unlock(&p->lock);
        leave_place(s, p);
    }
}

void faces_standby_tell(faces_standby *s, faces_standby_state *ret) {
    *ret = (faces_standby_state){0};
    pthread_mutex_lock(&s->lock);
    for (uint32_t i = 0; i < s->o.galleries; i++) {
        const place *p = &s->places[i];

        ret->galleries += p->g != NULL;
        ret->memory += p->memory;
        ret->templates += p->templates;
        ret->read += p->read;
    }
    pthread_mutex_unlock(&s->lock);
}
