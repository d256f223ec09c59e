/* SPDX-License-Identifier: Apache-2.0 */
/* The templates that may be searched among, read into memory. */
#include "app/faces_internal.h"

#include <math.h>
#include <string.h>

#include "app/cases_internal.h"
#include "app/events.h"
#include "app/face_marks.h"
#include "app/rights.h"
#include "app/rules.h"
#include "base/arena.h"
#include "base/bytes.h"
#include "base/mem.h"
#include "model/date.h"

enum { PAGE = 512, PAGE_ARENA = 256 << 20, MERGES_MAX = 16 };

/* Operations whose photographs may be looked at: this one, and those that share. */
static const db_statement all_operations = {
    "face operations", "SELECT id FROM r_operation WHERE withdrawn = 0 ORDER BY id LIMIT $1"};
static const db_statement merged_into = {"face merged",
                                         "SELECT merged_into FROM r_missing WHERE id = $1"};

static const db_statement own_template = {
    "face template", "SELECT id FROM r_face_template WHERE photograph = $1 ORDER BY id LIMIT 1"};

typedef struct loading {
    faces_taking taking;
    const atg_progress *progress;
    uuid of, after; /* where the reading stands */
    uint32_t n;
    uint64_t seen;
} loading;

static int no_memory(atg_err *err) {
    return atg_fail(err, ATG_ENOMEM, "Out of memory for faces");
}

/* ---- what made them ---- */

typedef struct asking {
    cases *c;
    const uuid *photograph;
    atg_arena *arena;
    record *template;
} asking;

static int read_template(db *d, void *user, atg_err *err) {
    asking *w = user;

    return faces_template_of(d, w->c->keys, w->arena, w->photograph, &w->template, err);
}

int faces_made_by(cases *c, const uuid *photograph, face_version *ret, uint32_t *ret_dim,
                  atg_err *err) {
    ARENA_WIPED arena = atg_arena_new(PAGE_ARENA);
    asking w = {.c = c, .photograph = photograph, .arena = arena};
    int rc = arena ? store_read(cases_store(c), read_template, &w, err) : no_memory(err);
    const value *f;

    if (rc)
        return rc;
    if (!w.template)
        return faces_unread(err);
    f = w.template->fields;
    if (!f[FACE_TEMPLATE_MODEL].known || !f[FACE_TEMPLATE_PIPELINE].known ||
        !bytes_from_hex(f[FACE_TEMPLATE_MODEL].text, ret->model, sizeof(ret->model)))
        return atg_fail(err, ATG_EDB, "A face template is damaged");
    ret->pipeline = (uint32_t)f[FACE_TEMPLATE_PIPELINE].number;
    /* without a vector there is nothing to search with, which faces_search() tells */
    *ret_dim = f[FACE_TEMPLATE_VECTOR].known ? face_vector_dim(f[FACE_TEMPLATE_VECTOR].text)
                                             : FACE_DIM_STEP;
    return ATG_OK;
}

/* ---- whose photographs ---- */

int faces_gallery_operations(db *d, const uuid *operation, uuid ret[FACES_SHARING_MAX],
                             uint32_t *ret_n, atg_err *err) {
    db_value limit = db_int(FACES_OPERATIONS_MAX);
    MEM_AUTO uuid *all = mem_zero(FACES_OPERATIONS_MAX, sizeof(*all));
    uint32_t n = 0;
    __attribute__((cleanup(db_rows_freep))) db_rows *rows = NULL;
    int rc = all ? db_query(d, &all_operations, &limit, 1, &rows, err) : no_memory(err);

    while (!rc && (rc = db_next(rows, err)) > 0) {
        memcpy(all[n++].bytes, db_get_blob(rows, 0).p, UUID_SIZE);
        rc = ATG_OK;
    }
    db_end(rows);
    rows = NULL;
    *ret_n = 0;
    for (uint32_t i = 0; i < n && !rc; i++) {
        bool shares = false;

        rc = rules_shares(d, &all[i], operation, &shares, err);
        if (rc || !shares)
            continue;
        if (*ret_n == FACES_SHARING_MAX)
            return atg_fail(err, ATG_ELIMIT, "More than %d operations share with this one",
                            FACES_SHARING_MAX);
        ret[(*ret_n)++] = all[i];
    }
    return rc;
}

/* ---- one template ---- */

int faces_unread(atg_err *err) {
    return atg_fail(err, ATG_EINVAL,
                    "The photograph was not read yet: 'antigone match' does it where a model is "
                    "installed ('antigone model list')");
}

int faces_template_of(db *d, keyring *keys, atg_arena *arena, const uuid *photograph, record **ret,
                      atg_err *err) {
    db_value id = db_blob(photograph->bytes, UUID_SIZE);
    __attribute__((cleanup(db_rows_freep))) db_rows *rows = NULL;
    record_row row;
    uuid found;
    int rc = db_query(d, &own_template, &id, 1, &rows, err);

    *ret = NULL;
    if (!rc)
        rc = db_next(rows, err);
    if (rc <= 0)
        return rc;
    memcpy(found.bytes, db_get_blob(rows, 0).p, UUID_SIZE);
    db_end(rows);
    rows = NULL;
    rc = records_get(d, keys, arena, RECORD_FACE_TEMPLATE, &found, &row, err);
    if (!rc && !row.erased)
        *ret = row.r;
    return rc;
}

bool faces_version_is(const record *template, const face_version *version) {
    char hex[2 * sizeof(version->model) + 1];
    const value *f = template->fields;

    bytes_hex(version->model, sizeof(version->model), hex);
    return f[FACE_TEMPLATE_MODEL].known &&
           atg_str_eq(f[FACE_TEMPLATE_MODEL].text, atg_str_of(hex)) &&
           f[FACE_TEMPLATE_PIPELINE].known && f[FACE_TEMPLATE_PIPELINE].number == version->pipeline;
}

static int root_of(db *d, uuid *at, atg_err *err) {
    for (int i = 0; i < MERGES_MAX; i++) {
        db_value id = db_blob(at->bytes, UUID_SIZE);
        __attribute__((cleanup(db_rows_freep))) db_rows *rows = NULL;
        int rc = db_query(d, &merged_into, &id, 1, &rows, err);

        if (!rc)
            rc = db_next(rows, err);
        if (rc <= 0 || db_is_null(rows, 0))
            return rc < 0 ? rc : ATG_OK;
        memcpy(at->bytes, db_get_blob(rows, 0).p, UUID_SIZE);
    }
    return ATG_OK;
}

static face_sex sex_of(const value *v) {
    if (!v->known)
        return FACE_SEX_UNKNOWN;
    return v->choice == SEX_MALE     ? FACE_SEX_MALE
           : v->choice == SEX_FEMALE ? FACE_SEX_FEMALE
                                     : FACE_SEX_UNKNOWN;
}

static int16_t years(double x) {
    return (int16_t)(isfinite(x) ? x : -1);
}

/* From the birth to when the person was last seen. */
static void age_of(const value *born, const value *seen_on, face_person *ret) {
    static const double year = 365.2425;
    date b, s;

    if (!seen_on->known || date_read(born->text, &b, NULL) || date_read(seen_on->text, &s, NULL))
        return;
    ret->age_low = years(floor((s.from - b.to) / year));
    ret->age_high = years(floor((s.to - b.from) / year));
}

int faces_person(db *d, keyring *keys, atg_arena *arena, const uuid *file, face_person *ret,
                 atg_err *err) {
    record_row row;
    int rc = records_get(d, keys, arena, RECORD_MISSING, file, &row, err);
    const value *f;

    if (rc)
        return rc;
    f = row.r->fields;
    *ret = (face_person){
        .id = *file, .scopes = 1, .sex = sex_of(&f[MISSING_SEX]), .age_low = -1, .age_high = -1};
    if (f[MISSING_AGE].known) {
        ret->age_low = years(f[MISSING_AGE].range.from);
        ret->age_high = years(f[MISSING_AGE].range.to);
    } else if (f[MISSING_BORN].known) {
        age_of(&f[MISSING_BORN], &f[MISSING_LAST_SEEN], ret);
    }
    if (f[MISSING_FAMILY].known)
        ret->family = f[MISSING_FAMILY].ref;
    return ATG_OK;
}

static bool usable(const faces_gallery *g, const record *r) {
    const value *f = r->fields;

    return !r->withdrawn && f[FACE_TEMPLATE_OUTCOME].choice == FACE_OUTCOME_READY &&
           f[FACE_TEMPLATE_VECTOR].known &&
           (f[FACE_TEMPLATE_RETOUCHED].known && f[FACE_TEMPLATE_RETOUCHED].flag) ==
               g->is.retouched &&
           faces_version_is(r, &g->is.version);
}

static int put(const faces_taking *w, db *d, const record *r, atg_err *err) {
    const uuid *photograph = &r->fields[FACE_TEMPLATE_PHOTOGRAPH].ref;
    faces_gallery *g = w->g;
    float vector[FACE_DIM_MAX];
    face_person person;
    uuid file = r->file;
    int rc = face_vector_read(r->fields[FACE_TEMPLATE_VECTOR].text, g->is.dim, vector, err);

    if (!rc)
        rc = root_of(d, &file, err);
    if (!rc)
        rc = faces_person(d, w->c->keys, w->arena, &file, &person, err);
    if (!rc)
        rc = face_gallery_put(g->all, &g->is.version, &person, photograph, vector, err);
    bytes_wipe(vector, sizeof(vector));
    return rc;
}

int faces_gallery_take(const faces_taking *w, db *d, const record *r, atg_err *err) {
    bool may = false;
    int rc = ATG_OK;

    if (usable(w->g, r))
        rc = rules_gallery(d, &w->g->is.operation, &r->fields[FACE_TEMPLATE_PHOTOGRAPH].ref, &may,
                           err);
    return rc || !may ? rc : put(w, d, r, err);
}

/* ---- all of them ---- */

static int read_page(db *d, void *user, atg_err *err) {
    loading *w = user;
    records_query q = {.kind = RECORD_FACE_TEMPLATE,
                       .by = RECORDS_OF_OPERATION,
                       .of = w->of,
                       .after = w->after,
                       .limit = PAGE};
    record_row *rows;
    int rc = records_list(d, w->taking.c->keys, w->taking.arena, &q, &rows, &w->n, err);

    for (uint32_t i = 0; i < w->n && !rc; i++)
        if (!rows[i].erased)
            rc = faces_gallery_take(&w->taking, d, rows[i].r, err);
    if (!rc && w->n)
        w->after = rows[w->n - 1].r->id;
    return rc;
}

static int read_operation(loading *w, atg_err *err) {
    int rc;

    w->after = (uuid){{0}};
    do {
        ARENA_WIPED arena = atg_arena_new(PAGE_ARENA);

        w->taking.arena = arena;
        if (!arena)
            return no_memory(err);
        rc = store_read(cases_store(w->taking.c), read_page, w, err);
        w->seen += w->n;
        if (!rc && w->progress && w->progress->step &&
            !w->progress->step(w->progress->user, "gallery", w->seen, 0))
            rc = atg_fail(err, ATG_ECANCEL, "Stopped");
    } while (!rc && w->n == PAGE);
    return rc;
}

static int find_operations(db *d, void *user, atg_err *err) {
    faces_gallery *g = user;

    return faces_gallery_operations(d, &g->is.operation, g->operations, &g->n_operations, err);
}

static void forget(faces_gallery *g) {
    face_gallery_free(g->all);
    g->all = NULL;
}

int faces_gallery_read(faces_gallery *g, cases *c, const atg_progress *progress, atg_err *err) {
    loading w = {.taking = {.c = c, .g = g}, .progress = progress};
    int rc;

    forget(g);
    rc = events_last(c, &g->last, err);
    if (!rc)
        rc = face_gallery_new(&g->is.version, g->is.dim, &g->all, err);
    if (!rc)
        rc = store_read(cases_store(c), find_operations, g, err);
    for (uint32_t i = 0; i < g->n_operations && !rc; i++) {
        w.of = g->operations[i];
        rc = read_operation(&w, err);
    }
    if (rc)
        forget(g);
    return rc;
}

int faces_gallery_new(const faces_wanted *wanted, faces_gallery **ret, atg_err *err) {
    faces_gallery *g = mem_zero(1, sizeof(*g));

    if (!g)
        return no_memory(err);
    g->is = *wanted;
    *ret = g;
    return ATG_OK;
}

int faces_gallery_open(cases *c, const faces_wanted *wanted, const atg_progress *progress,
                       faces_gallery **ret, atg_err *err) {
    ATG_AUTO(faces_gallery) g = NULL;
    int rc = faces_gallery_new(wanted, &g, err);

    if (!rc)
        rc = faces_gallery_update(g, c, progress, err);
    if (rc)
        return rc;
    *ret = g;
    g = NULL;
    return ATG_OK;
}

void faces_gallery_close(faces_gallery *g) {
    if (!g)
        return;
    forget(g);
    mem_free(g);
}

int faces_gallery_look(const faces_gallery *g, const face_query *query, face_result *ret,
                       uint32_t *ret_among, atg_err *err) {
    /* more than are asked for: some may leave before the list is written */
    face_search_options o = {.best = FACE_BEST_MAX};

    *ret_among = face_gallery_persons(g->all);
    return face_gallery_search(g->all, &g->is.version, 1, query, &o, ret, err);
}
