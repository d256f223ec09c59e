/* SPDX-License-Identifier: Apache-2.0 */
/* The closed cases of an organisation, and how alike their photographs are. */
#include "app/faces_calibrate.h"

#include <string.h>

#include "app/cases_internal.h"
#include "app/face_marks.h"
#include "app/faces_internal.h"
#include "app/rights.h"
#include "app/rules.h"
#include "base/arena.h"
#include "base/bytes.h"
#include "store/ids.h"

enum { FACES_ARENA = 1 << 30, FILE_ARENA = 256 << 20, TEMPLATES_MAX = 200, DETAIL_MAX = 8192 };

/* Whom a decision that stands has identified, with their remains.  Photographs of other operations
 * are taken where they are shared. */
static const db_statement closed_cases = {
    "face closed cases",
    "SELECT DISTINCT h.missing FROM r_decision d JOIN r_hypothesis h ON h.id = d.hypothesis JOIN "
    "r_remains r ON r.id = d.file JOIN r_missing m ON m.id = h.missing WHERE d.operation = $1 AND "
    "d.conclusion = 'established' AND d.withdrawn = 0 AND h.withdrawn = 0 AND r.withdrawn = 0 AND "
    "r.state IN ('identified', 'released') AND m.withdrawn = 0 AND m.state IN ('identified', "
    "'family_told', 'closed') ORDER BY h.missing LIMIT $2"};
static const db_statement of_the_dead = {
    "face closed dead",
    "SELECT DISTINCT t.id FROM r_face_template t JOIN r_photograph p ON p.id = t.photograph JOIN "
    "r_remains r ON r.id = t.file JOIN r_decision d ON d.file = r.id JOIN r_hypothesis h ON h.id = "
    "d.hypothesis WHERE h.missing = $1 AND d.conclusion = 'established' AND d.withdrawn = 0 AND "
    "h.withdrawn = 0 AND r.withdrawn = 0 AND r.state IN ('identified', 'released') AND t.outcome = "
    "'ready' AND t.withdrawn = 0 AND p.withdrawn = 0 AND p.what = 'face' AND p.image IS NOT NULL "
    "AND (p.operation = $3 OR p.scope = 'sharing_operations') ORDER BY t.id LIMIT $2"};
static const db_statement of_the_missing = {
    "face closed missing",
    "SELECT t.id FROM r_face_template t JOIN r_photograph p ON p.id = t.photograph JOIN r_missing "
    "m ON m.id = t.file JOIN r_informant i ON i.id = p.informant WHERE (m.id = $1 OR m.merged_into "
    "= $1) AND t.outcome = 'ready' AND t.withdrawn = 0 AND p.withdrawn = 0 AND p.what = 'face' AND "
    "p.confirmed = 1 AND p.image IS NOT NULL AND p.obtained IS NOT NULL AND p.basis IS NOT NULL "
    "AND m.withdrawn = 0 AND i.withdrawn = 0 AND NOT EXISTS (SELECT 1 FROM erased e WHERE e.person "
    "IN (i.id, m.id)) AND (p.operation = $3 OR p.scope = 'sharing_operations') ORDER BY t.id LIMIT "
    "$2"};

/* Templates of one person, dim numbers each. */
typedef struct known_faces {
    uint32_t n;
    float *vectors;
} known_faces;

typedef struct closed_case {
    known_faces dead, missing;
} closed_case;

typedef struct collecting {
    cases *c;
    const actor *who;
    atg_arena *arena; /* of the caller */
    atg_arena *faces; /* templates */
    faces_closed *ret;
    closed_case *all;
    uint32_t dim; /* 0: none was read yet */
} collecting;

static int no_memory(atg_err *err) {
    return atg_fail(err, ATG_ENOMEM, "Out of memory for faces");
}

/* Is it an original of the version in hand, of a length that the others have? */
static bool is_usable(collecting *w, const record_row *row) {
    const value *f = row->r->fields;
    uint32_t dim;

    if (row->erased || !f[FACE_TEMPLATE_VECTOR].known ||
        (f[FACE_TEMPLATE_RETOUCHED].known && f[FACE_TEMPLATE_RETOUCHED].flag) ||
        !faces_version_is(row->r, &w->ret->version))
        return false;
    dim = face_vector_dim(f[FACE_TEMPLATE_VECTOR].text);
    if (!w->dim && dim && dim <= FACE_DIM_MAX)
        w->dim = dim;
    return dim == w->dim;
}

static int read_faces(collecting *w, db *d, const db_statement *statement, const uuid *person,
                      known_faces *ret, atg_err *err) {
    ARENA_WIPED arena = atg_arena_new(FILE_ARENA);
    db_value values[] = {db_blob(person->bytes, UUID_SIZE), db_int(TEMPLATES_MAX),
                         db_blob(w->ret->operations[0].bytes, UUID_SIZE)};
    id_list ids = {0};
    int rc =
        arena ? ids_find(d, &(ids_query){statement, values, 3}, arena, &ids, err) : no_memory(err);

    for (uint32_t i = 0; i < ids.n && !rc; i++) {
        record_row row;

        rc = records_get(d, w->c->keys, arena, RECORD_FACE_TEMPLATE, &ids.p[i], &row, err);
        if (rc || !is_usable(w, &row))
            continue;
        if (!ret->vectors)
            ret->vectors = ATG_GET(w->faces, float, (size_t)ids.n * w->dim);
        if (!ret->vectors)
            return no_memory(err);

        float *to = &ret->vectors[(size_t)ret->n * w->dim];

        rc = face_vector_read(row.r->fields[FACE_TEMPLATE_VECTOR].text, w->dim, to, err);
        if (!rc)
            rc = face_normalise(w->dim, to, to, err);
        ret->n += !rc;
    }
    return rc;
}

/* ---- whose cases ---- */

/* Those of the organisation where this account may match: in the first it must. */
static int find_operations(collecting *w, db *d, atg_err *err) {
    uuid all[RULES_ORGANISATION_MAX];
    faces_closed *r = w->ret;
    uint32_t n = 0;
    int rc = rules_organisation(d, &r->operations[0], all, &n, err);

    r->n_operations = r->n_denied = 0; /* it may be run again */
    for (uint32_t i = 0; i < n && !rc; i++) {
        uint32_t roles = 0;

        rc = cases_roles(d, w->who, &all[i], &roles, err);
        if (rc)
            break;
        if (rights_action(roles, ACTION_MATCH, -1, -1, i == 0 ? err : NULL) == ATG_OK)
            r->operations[r->n_operations++] = all[i];
        else if (i == 0)
            rc = ATG_EDENIED;
        else
            r->n_denied++;
    }
    return rc;
}

static int find_cases(const collecting *w, db *d, id_list *ret, atg_err *err) {
    uint32_t most = FACES_CLOSED_MAX + 1;
    int rc = ATG_OK;

    for (uint32_t i = 0; i < w->ret->n_operations && !rc; i++) {
        db_value values[] = {db_blob(w->ret->operations[i].bytes, UUID_SIZE),
                             db_int(most - ret->n)};

        rc = ids_find(d, &(ids_query){&closed_cases, values, 2}, w->arena, ret, err);
    }
    return !rc && ret->n == most
               ? atg_fail(err, ATG_ELIMIT, "At most %d closed cases make a calibration",
                          FACES_CLOSED_MAX)
               : rc;
}

static int read_cases(db *d, void *user, atg_err *err) {
    collecting *w = user;
    id_list ids = {0};
    int rc = find_operations(w, d, err);

    if (!rc)
        rc = find_cases(w, d, &ids, err);
    w->ret->n = ids.n;
    w->ret->persons = rc ? NULL : ATG_GET(w->arena, face_person, ids.n + 1);
    w->all = rc ? NULL : ATG_GET(w->faces, closed_case, ids.n + 1);
    if (!rc && (!w->ret->persons || !w->all))
        rc = no_memory(err);
    if (!rc)
        memset(w->all, 0, (ids.n + 1) * sizeof(*w->all));
    for (uint32_t i = 0; i < ids.n && !rc; i++) {
        rc = faces_person(d, w->c->keys, w->arena, &ids.p[i], &w->ret->persons[i], err);
        if (!rc)
            rc = read_faces(w, d, &of_the_dead, &ids.p[i], &w->all[i].dead, err);
        if (!rc)
            rc = read_faces(w, d, &of_the_missing, &ids.p[i], &w->all[i].missing, err);
    }
    return rc;
}

/* ---- pairs ---- */

static float best_score(const collecting *w, const known_faces *dead, const known_faces *missing) {
    float best = -2;

    for (uint32_t i = 0; i < dead->n; i++)
        for (uint32_t k = 0; k < missing->n; k++) {
            float s = face_score(w->dim, &dead->vectors[(size_t)i * w->dim],
                                 &missing->vectors[(size_t)k * w->dim]);

            best = s > best ? s : best;
        }
    return best;
}

/* Each probe with its own person and those behind it in the circle. */
static int compare(collecting *w, atg_err *err) {
    faces_closed *r = w->ret;
    uint32_t n_probes = 0, each;

    for (uint32_t i = 0; i < r->n; i++)
        n_probes += w->all[i].dead.n > 0;
    each = n_probes ? FACE_PAIRS_MAX / n_probes : 0;
    each = each < r->n ? each : r->n;
    r->n_pairs = 0;
    r->pairs = ATG_GET(w->arena, face_pair, (size_t)n_probes * each + 1);
    if (!r->pairs)
        return no_memory(err);
    for (uint32_t i = 0; i < r->n; i++)
        for (uint32_t k = 0; k < each && w->all[i].dead.n; k++) {
            uint32_t other = (i + k) % r->n;

            if (w->all[other].missing.n)
                r->pairs[r->n_pairs++] =
                    (face_pair){best_score(w, &w->all[i].dead, &w->all[other].missing), i, other};
        }
    return ATG_OK;
}

int faces_closed_cases(cases *c, const actor *who, atg_arena *arena, const uuid *operation,
                       const face_version *version, faces_closed *ret, atg_err *err) {
    ARENA_WIPED faces = atg_arena_new(FACES_ARENA);
    collecting w = {.c = c, .who = who, .arena = arena, .faces = faces, .ret = ret};
    int rc;

    *ret = (faces_closed){.version = *version,
                          .operations = ATG_GET(arena, uuid, RULES_ORGANISATION_MAX)};
    if (!faces || !ret->operations)
        return no_memory(err);
    ret->operations[0] = *operation;
    rc = store_read(cases_store(c), read_cases, &w, err);
    return rc ? rc : compare(&w, err);
}

int faces_closed_of(cases *c, const actor *who, atg_arena *arena, const uuid *operation,
                    faces_closed *ret, atg_err *err) {
    face_version version;
    int rc = faces_version_used(c, operation, &version, err);

    return rc ? rc : faces_closed_cases(c, who, arena, operation, &version, ret, err);
}

int faces_closed_tell(cases *c, const actor *who, const faces_closed *closed, const char *what,
                      atg_err *err) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(DETAIL_MAX);
    look_event e = {.who = who, .action = what, .kind = "face_calibration"};
    json j;
    int rc;

    if (!buf)
        return no_memory(err);
    j = json_new(buf);
    json_object_line(&j);
    json_key(&j, "cases");
    json_int(&j, closed->n);
    json_key(&j, "operations");
    json_int(&j, closed->n_operations);
    json_key(&j, "reason");
    json_str(&j, who->reason);
    json_end(&j, '}');
    rc = atg_buf_take(buf, &e.detail, err);
    for (uint32_t i = 0; i < closed->n_operations && !rc; i++) {
        e.file = e.record = closed->operations[i];
        rc = cases_tell_look(c, &e, err);
    }
    return rc;
}
