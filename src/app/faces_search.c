/* SPDX-License-Identifier: Apache-2.0 */
/* Searching, and keeping the candidates. */
#include "app/faces_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "app/cases_internal.h"
#include "app/face_marks.h"
#include "app/faces_evidence.h"
#include "app/rights.h"
#include "app/rules.h"
#include "base/arena.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "store/ids.h"

enum { DETAIL_MAX = 8192, TEMPLATE_ARENA = 64 << 20 };

static const db_statement candidates_of = {
    "face candidates of", "SELECT id FROM r_face_candidate WHERE probe = $1 AND withdrawn = 0 AND "
                          "COALESCE(retouched, 0) = $2 ORDER BY id"};
static const db_statement list_of = {
    "face list", "SELECT max(listed) FROM r_face_candidate WHERE probe = $1 AND withdrawn = 0 AND "
                 "COALESCE(retouched, 0) = $2"};
static const db_statement concluded_on = {
    "face concluded", "SELECT count(*) FROM r_face_comparison WHERE candidate = $1"};

static const actor searcher_actor = {.name = {"matcher", 7}};

typedef struct searching {
    cases *c;
    const actor *who;
    atg_arena *arena;
    faces_wanted in;
    const face_wish *wish;
    record *photo;
    file_row file;
    float vector[FACE_DIM_MAX];
    face_query query;
    bool retouched;
    face_result found; /* by score */
    uint32_t roles, best, among;
    record **standing; /* candidates of the probe */
    uint32_t n_standing, kept;
    cases_batch *b;
} searching;

static int no_memory(atg_err *err) {
    return atg_fail(err, ATG_ENOMEM, "Out of memory for faces");
}

/* ---- who asks, with what ---- */

static int check_right(searching *w, db *d, atg_err *err) {
    int rc = cases_roles(d, w->who, &w->photo->operation, &w->roles, err);

    if (!rc)
        rc = rights_action(w->roles, ACTION_FACES, -1, -1, err);
    if (!rc && !cases_reason(w->who))
        rc = atg_fail(err, ATG_EDENIED, "Write down why this face is searched for");
    if (!rc)
        rc = files_get(d, w->arena, &w->photo->file, &w->file, err);
    return rc ? rc : rules_probe(d, w->who, &w->wish->photograph, err);
}

static const char *const why_not[] = {
    [FACE_OUTCOME_READY] = "it was read by another network: read the photographs anew",
    [FACE_OUTCOME_NO_FACE] = "no face was found in it: place the landmarks, or take another",
    [FACE_OUTCOME_CHOOSE_FACE] = "it shows several faces: say by landmarks which is meant",
    [FACE_OUTCOME_POOR] = "the face is not fit to be compared",
    [FACE_OUTCOME_UNREADABLE] = "the picture cannot be read",
    [FACE_OUTCOME_TAKEN_OUT] = "it was taken out",
};

static int check_template(searching *w, const record *t, atg_err *err) {
    const value *f;
    uint32_t outcome;

    if (!t)
        return faces_unread(err);
    f = t->fields;
    outcome = f[FACE_TEMPLATE_OUTCOME].choice;
    if (outcome != FACE_OUTCOME_READY || !faces_version_is(t, &w->in.version))
        return atg_fail(err, ATG_EINVAL, "This photograph cannot be searched with: %s%s%.*s",
                        why_not[outcome], f[FACE_TEMPLATE_REASONS].known ? ": " : "",
                        ATG_FMT(f[FACE_TEMPLATE_REASONS].text));
    w->retouched = f[FACE_TEMPLATE_RETOUCHED].known && f[FACE_TEMPLATE_RETOUCHED].flag;
    return face_vector_read(f[FACE_TEMPLATE_VECTOR].text, w->in.dim, w->vector, err);
}

static int16_t years(double x) {
    return (int16_t)(isfinite(x) ? x : -1);
}

static int describe(searching *w, db *d, atg_err *err) {
    record_row row;
    int rc = records_get(d, w->c->keys, w->arena, RECORD_REMAINS, &w->photo->file, &row, err);
    const value *f;

    if (rc)
        return rc;
    f = row.r->fields;
    w->query = (face_query){.embedding = w->vector,
                            .scopes = 1,
                            .sex = !f[REMAINS_SEX].known                 ? FACE_SEX_UNKNOWN
                                   : f[REMAINS_SEX].choice == SEX_MALE   ? FACE_SEX_MALE
                                   : f[REMAINS_SEX].choice == SEX_FEMALE ? FACE_SEX_FEMALE
                                                                         : FACE_SEX_UNKNOWN,
                            .age_low = -1,
                            .age_high = -1};
    if (f[REMAINS_AGE].known) {
        w->query.age_low = years(f[REMAINS_AGE].range.from);
        w->query.age_high = years(f[REMAINS_AGE].range.to);
    }
    return ATG_OK;
}

/* Find the photograph; this account may search with it. */
static int find_probe(db *d, void *user, atg_err *err) {
    searching *w = user;
    record_row row;
    int rc =
        records_get(d, w->c->keys, w->arena, RECORD_PHOTOGRAPH, &w->wish->photograph, &row, err);

    if (rc == ATG_ENOTFOUND)
        return atg_fail(err, ATG_EDENIED, "Rule 1: only a registered photograph is searched with");
    if (rc)
        return rc;
    w->photo = row.r;
    return check_right(w, d, err);
}

/* How many candidates the list has, beside what stands now. */
static int settle_length(searching *w, db *d, atg_err *err) {
    db_value values[] = {db_blob(w->wish->photograph.bytes, UUID_SIZE), db_int(w->in.retouched)};
    rules_list l = {.roles = w->roles, .remains_state = w->file.state, .asked = w->wish->best};
    __attribute__((cleanup(db_rows_freep))) db_rows *rows = NULL;
    int rc = db_query(d, &list_of, values, 2, &rows, err);

    if (!rc)
        rc = db_next(rows, err);
    if (rc < 0)
        return rc;
    l.stands = rc && !db_is_null(rows, 0) ? (uint32_t)db_get_double(rows, 0) : 0;
    return rules_face_list(&l, &w->best, err);
}

static int prepare(db *d, void *user, atg_err *err) {
    ARENA_WIPED arena = atg_arena_new(TEMPLATE_ARENA);
    searching *w = user;
    record *t = NULL;
    int rc = arena ? find_probe(d, user, err) : no_memory(err);

    if (!rc && uuid_cmp(&w->in.operation, &w->photo->operation) != 0)
        rc = atg_fail(err, ATG_EDENIED,
                      "Rule 1: a photograph is searched with in its own operation");
    if (!rc)
        rc = faces_template_of(d, w->c->keys, arena, &w->wish->photograph, &t, err);
    if (!rc)
        rc = check_template(w, t, err);
    if (!rc)
        rc = settle_length(w, d, err);
    return rc ? rc : describe(w, d, err);
}

int faces_may_search(cases *c, const actor *who, atg_arena *arena, const uuid *photograph,
                     faces_wanted *ret, atg_err *err) {
    face_wish wish = {.photograph = *photograph};
    searching w = {.c = c, .who = who, .arena = arena, .wish = &wish};
    int rc = store_read(cases_store(c), find_probe, &w, err);

    if (!rc)
        ret->operation = w.photo->operation;
    return rc ? rc : faces_made_by(c, photograph, &ret->version, &ret->dim, err);
}

/* ---- looking ---- */

static int by_rank(const void *x, const void *y) {
    const face_hit *a = x, *b = y;

    return a->rank < b->rank ? -1 : a->rank > b->rank;
}

static void sort_by_rank(face_result *r) {
    if (r->n)
        qsort(r->hits, r->n, sizeof(*r->hits), by_rank);
}

/* ---- keeping ---- */

static int read_standing(searching *w, db *d, atg_err *err) {
    db_value values[] = {db_blob(w->wish->photograph.bytes, UUID_SIZE), db_int(w->in.retouched)};
    id_list ids = {0};
    int rc = ids_find(d, &(ids_query){&candidates_of, values, 2}, w->arena, &ids, err);

    w->n_standing = 0;
    w->standing = ATG_GET(w->arena, record *, ids.n + 1);
    if (!rc && !w->standing)
        rc = no_memory(err);
    for (uint32_t i = 0; i < ids.n && !rc; i++) {
        record_row row;

        rc = records_get(d, w->c->keys, w->arena, RECORD_FACE_CANDIDATE, &ids.p[i], &row, err);
        if (!rc)
            w->standing[w->n_standing++] = row.r;
    }
    return rc;
}

static value text(atg_str s) {
    return (value){.known = s.n > 0, .text = s};
}

/* What is to be heeded, by name. */
static atg_str warnings(const searching *w, uint32_t flags) {
    atg_str all = w->retouched ? atg_str_of(faces_warnings[0].name) : ATG_STR("");

    for (uint32_t i = 1; i < faces_warnings_n; i++)
        if (flags & faces_warnings[i].flag)
            all = atg_arena_printf(w->arena, "%.*s%s%s", ATG_FMT(all), all.n ? ", " : "",
                                   faces_warnings[i].name);
    return all;
}

static void fill(const searching *w, record *r, const face_hit *hit) {
    char hex[2 * sizeof(w->in.version.model) + 1];
    value *f = r->fields;

    bytes_hex(w->in.version.model, sizeof(w->in.version.model), hex);
    r->file = w->file.id;
    r->operation = w->file.operation;
    f[FACE_CANDIDATE_PROBE] = (value){.known = true, .ref = w->wish->photograph};
    f[FACE_CANDIDATE_MISSING] = (value){.known = true, .ref = hit->person};
    f[FACE_CANDIDATE_PHOTOGRAPH] = (value){.known = true, .ref = hit->photo};
    f[FACE_CANDIDATE_MODEL] = text(atg_arena_str(w->arena, atg_str_of(hex)));
    f[FACE_CANDIDATE_PIPELINE] = (value){.known = true, .number = w->in.version.pipeline};
    f[FACE_CANDIDATE_SCORE] = (value){.known = true, .number = (double)hit->score};
    f[FACE_CANDIDATE_RANK] = (value){.known = true, .number = hit->rank};
    f[FACE_CANDIDATE_AMONG] = (value){.known = true, .number = w->among};
    f[FACE_CANDIDATE_WARNINGS] = text(warnings(w, hit->flags));
    f[FACE_CANDIDATE_SEARCHED] = (value){.known = true, .instant = clock_now()};
    f[FACE_CANDIDATE_SEARCHED_BY] = (value){.known = true, .ref = w->who->account};
    f[FACE_CANDIDATE_LISTED] = (value){.known = true, .number = w->best};
    f[FACE_CANDIDATE_RETOUCHED] = (value){.known = true, .flag = w->in.retouched};
}

static int keep(searching *w, const face_hit *hit, atg_err *err) {
    change ch = {CHANGE_ADD, NULL};

    for (uint32_t i = 0; i < w->n_standing; i++)
        if (w->standing[i] &&
            uuid_cmp(&w->standing[i]->fields[FACE_CANDIDATE_MISSING].ref, &hit->person) == 0) {
            ch = (change){CHANGE_EDIT, record_copy(w->arena, w->standing[i])};
            w->standing[i] = NULL;
        }
    if (ch.what == CHANGE_ADD)
        ch.r = record_new(w->arena, RECORD_FACE_CANDIDATE);
    if (!ch.r)
        return no_memory(err);
    fill(w, ch.r, hit);
    return cases_apply(w->b, &ch, err);
}

/* Candidates of an earlier search on which nobody concluded, and who are none any more. */
static int drop(searching *w, db *d, record *was, atg_err *err) {
    db_value id = db_blob(was->id.bytes, UUID_SIZE);
    change ch = {CHANGE_WITHDRAW, was};
    int64_t n = 0;
    int rc = db_get_one(d, &concluded_on, &id, 1, 0, &n, err);

    return rc || n ? rc : cases_apply(w->b, &ch, err);
}

static int by_person(const void *x, const void *y) {
    const face_hit *a = x, *b = y;

    return uuid_cmp(&a->person, &b->person);
}

/* Those that are in the gallery now, ranked among themselves, in an order that tells nothing: that
 * in which records were made can be seen. */
static int choose(searching *w, db *d, face_hit ret[FACE_BEST_MAX], atg_err *err) {
    int rc = ATG_OK;

    w->kept = 0;
    for (uint32_t i = 0; i < w->found.n && w->kept < w->best && !rc; i++) {
        bool may = false;

        rc = rules_gallery(d, &w->file.operation, &w->found.hits[i].photo, &may, err);
        if (rc || !may)
            continue;
        ret[w->kept] = w->found.hits[i];
        ret[w->kept].rank = w->kept + 1;
        w->kept++;
    }
    if (w->kept)
        qsort(ret, w->kept, sizeof(*ret), by_person);
    return rc;
}

static int write(db *d, void *user, atg_err *err) {
    searching *w = user;
    face_hit chosen[FACE_BEST_MAX];
    int rc = cases_batch_new(w->c, d, &searcher_actor, w->arena, &w->b, err);

    if (!rc)
        rc = settle_length(w, d, err);
    if (!rc)
        rc = read_standing(w, d, err);
    if (!rc)
        rc = choose(w, d, chosen, err);
    for (uint32_t i = 0; i < w->kept && !rc; i++)
        rc = keep(w, &chosen[i], err);
    for (uint32_t i = 0; i < w->n_standing && !rc; i++)
        if (w->standing[i])
            rc = drop(w, d, w->standing[i], err);
    if (!rc)
        rc = faces_evidence(
            &(faces_weighing){w->c, w->b, w->arena, w->file.id, w->file.operation, w->in.version},
            d, err);
    return rc ? rc : cases_batch_end(w->b, err);
}

static int tell(searching *w, atg_err *err) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(DETAIL_MAX);
    look_event e = {.who = w->who,
                    .file = w->file.id,
                    .record = w->wish->photograph,
                    .action = "faces",
                    .kind = "photograph",
                    .is_list = true};
    char id[UUID_TEXT + 1];
    json j;

    if (!buf)
        return no_memory(err);
    uuid_text(&w->wish->photograph, id);
    j = json_new(buf);
    json_object_line(&j);
    json_key(&j, "photograph");
    json_text(&j, id);
    json_key(&j, "among");
    json_int(&j, w->among);
    json_key(&j, "reason");
    json_str(&j, w->who->reason);
    json_end(&j, '}');

    int rc = atg_buf_take(buf, &e.detail, err);

    return rc ? rc : cases_tell_look(w->c, &e, err);
}

int faces_ask(const faces_asked *a, faces_found *ret, atg_err *err) {
    searching w = {.c = a->c, .who = a->who, .arena = a->arena, .in = a->in, .wish = a->wish};
    int rc = store_read(cases_store(a->c), prepare, &w, err);
    if (!rc)
        rc = a->look(a->user, &w.query, &w.found, &w.among, err);
    bytes_wipe(w.vector, sizeof(w.vector));
    if (rc)
        return rc;
    sort_by_rank(&w.found);
    rc = tell(&w, err);
    if (!rc)
        rc = store_write(cases_store(a->c), write, &w, err);
    if (!rc)
        *ret = (faces_found){w.kept, w.among};
    return rc;
}

static int look(void *user, const face_query *query, face_result *ret, uint32_t *ret_among,
                atg_err *err) {
    return faces_gallery_look(user, query, ret, ret_among, err);
}

int faces_search(cases *c, const actor *who, atg_arena *arena, faces_gallery *g,
                 const face_wish *wish, faces_found *ret, atg_err *err) {
    return faces_ask(&(faces_asked){c, who, arena, g->is, wish, look, g}, ret, err);
}
