/* SPDX-License-Identifier: Apache-2.0 */
/* A gallery follows the store: what its changes name (app/events.h) is looked at again. */
#include <string.h>

#include "app/cases_internal.h"
#include "app/events.h"
#include "app/faces_internal.h"
#include "base/arena.h"
#include "store/ids.h"

enum {
    EVENTS = 4096, /* read at once */
    FILES = 64,    /* looked at in one transaction */
    TEMPLATES = 256,
    FEW = 1000, /* so many changed files are followed whatever the size of the gallery */
    MERGES_MAX = 16,
    FOLLOW_ARENA = 256 << 20,
};

/* Reports on the person of a file, and the files with photographs from an informant. */
static const db_statement merged_here = {"face merged here",
                                         "SELECT id FROM r_missing WHERE merged_into = $1"};
static const db_statement given_by = {"face given by",
                                      "SELECT file FROM r_photograph WHERE informant = $1"};

static int no_memory(atg_err *err) {
    return atg_fail(err, ATG_ENOMEM, "Out of memory for faces");
}

/* ---- what changed ---- */

typedef struct following {
    faces_taking taking;
    const event *events; /* a page of them */
    uint32_t n_events;
    atg_arena *lists;
    id_list persons; /* whose own record changed: those merged into them count as changed too */
    id_list files;   /* to look at again */
    uint32_t done;   /* of them */
    bool sharing;    /* an operation changed */
    bool anew;
} following;

/* Also of an erasure, which names the record that is the person. */
static int note_event(following *w, db *d, const event *e, atg_err *err) {
    int rc = ATG_OK;

    w->sharing |= e->in == RECORD_OPERATION;
    if (e->in == RECORD_MISSING && e->kind == RECORD_MISSING)
        rc = ids_push(w->lists, &w->persons, &e->file, err);
    else if (e->in == RECORD_MISSING &&
             (e->kind == RECORD_PHOTOGRAPH || e->kind == RECORD_FACE_TEMPLATE))
        rc = ids_push(w->lists, &w->files, &e->file, err);
    if (!rc && e->kind == RECORD_INFORMANT)
        rc = ids_find_of(d, &given_by, &e->record, w->lists, &w->files, err);
    return rc;
}

static int note_events(db *d, void *user, atg_err *err) {
    following *w = user;
    int rc = ATG_OK;

    for (uint32_t i = 0; i < w->n_events && !rc; i++)
        rc = note_event(w, d, &w->events[i], err);
    return rc;
}

static int read_events(following *w, int64_t until, atg_err *err) {
    int64_t after = w->taking.g->last;
    int rc = ATG_OK;

    while (after < until && !rc) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(FOLLOW_ARENA);
        events_wish wish = {after, until, EVENTS};
        event *events;

        if (!arena)
            return no_memory(err);
        rc = events_read(w->taking.c, arena, &wish, &events, &w->n_events, &after, err);
        w->events = events;
        if (!rc && w->n_events)
            rc = store_read(cases_store(w->taking.c), note_events, w, err);
    }
    return rc;
}

/* Whoever was merged into a person whose record changed is shown as that person. */
static int add_merged(db *d, void *user, atg_err *err) {
    following *w = user;
    int rc = ATG_OK;

    ids_sort(&w->persons);
    for (uint32_t depth = 0, from = 0; depth < MERGES_MAX && from < w->persons.n && !rc; depth++)
        for (uint32_t until = w->persons.n; from < until && !rc; from++) {
            uuid of = w->persons.p[from]; /* the list moves while it grows */

            rc = ids_find_of(d, &merged_here, &of, w->lists, &w->persons, err);
        }
    for (uint32_t i = 0; i < w->persons.n && !rc; i++)
        rc = ids_push(w->lists, &w->files, &w->persons.p[i], err);
    return rc;
}

static int compare_operations(db *d, void *user, atg_err *err) {
    following *w = user;
    const faces_gallery *g = w->taking.g;
    uuid now[FACES_SHARING_MAX];
    uint32_t n = 0;
    int rc = faces_gallery_operations(d, &g->is.operation, now, &n, err);

    if (!rc)
        w->anew = n != g->n_operations || memcmp(now, g->operations, n * sizeof(*now)) != 0;
    return rc;
}

static int gather(following *w, int64_t until, atg_err *err) {
    store *s = cases_store(w->taking.c);
    int rc = read_events(w, until, err);

    if (!rc && w->persons.n)
        rc = store_read(s, add_merged, w, err);
    if (!rc && w->sharing)
        rc = store_read(s, compare_operations, w, err);
    ids_sort(&w->files);
    w->anew |= w->files.n > FEW + face_gallery_photos(w->taking.g->all);
    return rc;
}

/* ---- looking at it again ---- */

/* All templates of the file leave, and those that belong there come back. */
static int look_at_file(const faces_taking *w, db *d, const uuid *file, atg_err *err) {
    records_query q = {
        .kind = RECORD_FACE_TEMPLATE, .by = RECORDS_OF_FILE, .of = *file, .limit = TEMPLATES};
    uint32_t n = 0;
    int rc;

    do {
        record_row *rows;

        rc = records_list(d, w->c->keys, w->arena, &q, &rows, &n, err);
        for (uint32_t i = 0; i < n && !rc; i++)
            (void)face_gallery_remove(w->g->all, &rows[i].r->fields[FACE_TEMPLATE_PHOTOGRAPH].ref,
                                      NULL);
        for (uint32_t i = 0; i < n && !rc; i++)
            if (!rows[i].erased)
                rc = faces_gallery_take(w, d, rows[i].r, err);
        if (!rc && n)
            q.after = rows[n - 1].r->id;
    } while (!rc && n == TEMPLATES);
    return rc;
}

static int look_again(db *d, void *user, atg_err *err) {
    following *w = user;
    int rc = ATG_OK;

    for (uint32_t i = w->done; i < w->files.n && i < w->done + FILES && !rc; i++)
        rc = look_at_file(&w->taking, d, &w->files.p[i], err);
    return rc;
}

static int look_at_all(following *w, const atg_progress *progress, atg_err *err) {
    int rc = ATG_OK;

    for (; w->done < w->files.n && !rc; w->done += FILES) {
        ARENA_WIPED arena = atg_arena_new(FOLLOW_ARENA);

        w->taking.arena = arena;
        rc = arena ? store_read(cases_store(w->taking.c), look_again, w, err) : no_memory(err);
        if (!rc && progress && progress->step &&
            !progress->step(progress->user, "gallery", w->done, w->files.n))
            rc = atg_fail(err, ATG_ECANCEL, "Stopped");
    }
    return rc;
}

static int follow(faces_gallery *g, cases *c, int64_t until, const atg_progress *progress,
                  atg_err *err) {
    ATG_AUTO(atg_arena) lists = atg_arena_new(FOLLOW_ARENA);
    following w = {.taking = {.c = c, .g = g}, .lists = lists};
    int rc = lists ? gather(&w, until, err) : no_memory(err);

    if (!rc && w.anew)
        rc = faces_gallery_read(g, c, progress, err);
    else if (!rc)
        rc = look_at_all(&w, progress, err);
    if (!rc && !w.anew)
        g->last = until;
    return rc;
}

int faces_gallery_update(faces_gallery *g, cases *c, const atg_progress *progress, atg_err *err) {
    int64_t until = 0;
    int rc = store_after(cases_store(c), err);

    if (!rc && !g->all)
        return faces_gallery_read(g, c, progress, err);
    if (!rc)
        rc = events_last(c, &until, err);
    if (rc || until == g->last)
        return rc;
    return follow(g, c, until, progress, err);
}
