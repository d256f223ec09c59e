/* SPDX-License-Identifier: Apache-2.0 */
#include "app/faces_calibrate.h"

#include <string.h>

#include "app/cases_internal.h"
#include "app/rights.h"
#include "app/rules.h"
#include "base/bytes.h"
#include "base/clock.h"

enum { RESULT_MAX = 40000, LIST = 1000, OPERATIONS_TEXT = 20000 };

/* By what most templates were made: of equals the greater name. */
static const db_statement version_used = {
    "face version used",
    "SELECT t.model, (SELECT x.id FROM r_face_template x WHERE x.operation = $1 AND x.outcome = "
    "'ready' AND x.withdrawn = 0 AND x.model = t.model AND x.pipeline = t.pipeline ORDER BY x.id "
    "LIMIT 1) FROM r_face_template t WHERE t.operation = $1 AND t.outcome = "
    "'ready' AND t.withdrawn = 0 GROUP BY t.model, t.pipeline ORDER BY count(*) DESC, t.model, "
    "t.pipeline DESC LIMIT 1"};

static const db_statement newest = {
    "face calibrations",
    "SELECT id FROM r_face_calibration WHERE operation = $1 AND model = $2 "
    "AND pipeline = $3 AND withdrawn = 0 ORDER BY made DESC, id DESC LIMIT $4"};

static const actor calibrator_actor = {.name = {"matcher", 7}};

static int no_memory(atg_err *err) {
    return atg_fail(err, ATG_ENOMEM, "Out of memory for faces");
}

/* ---- which network ---- */

typedef struct asking {
    cases *c;
    atg_arena *arena;
    const uuid *operation;
    face_version *ret;
} asking;

static int read_used(db *d, void *user, atg_err *err) {
    asking *w = user;
    db_value id = db_blob(w->operation->bytes, UUID_SIZE);
    __attribute__((cleanup(db_rows_freep))) db_rows *rows = NULL;
    record_row row;
    uuid template;
    int rc = db_query(d, &version_used, &id, 1, &rows, err);

    if (!rc)
        rc = db_next(rows, err);
    if (rc == 0)
        return atg_fail(err, ATG_EINVAL,
                        "No photographs of faces were read yet: 'antigone match' does it where a "
                        "model is installed ('antigone model list')");
    if (rc < 0)
        return rc;
    memcpy(template.bytes, db_get_blob(rows, 1).p, UUID_SIZE);
    db_end(rows);
    rows = NULL;
    rc = records_get(d, w->c->keys, w->arena, RECORD_FACE_TEMPLATE, &template, &row, err);
    if (rc)
        return rc;
    w->ret->pipeline = (uint32_t)row.r->fields[FACE_TEMPLATE_PIPELINE].number;
    return bytes_from_hex(row.r->fields[FACE_TEMPLATE_MODEL].text, w->ret->model,
                          sizeof(w->ret->model))
               ? ATG_OK
               : atg_fail(err, ATG_EDB, "A face template is damaged");
}

int faces_version_used(cases *c, const uuid *operation, face_version *ret, atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(CASES_ARENA);
    asking w = {.c = c, .arena = arena, .operation = operation, .ret = ret};

    return arena ? store_read(cases_store(c), read_used, &w, err) : no_memory(err);
}

/* ---- keeping one ---- */

typedef struct keeping {
    cases *c;
    const actor *who;
    atg_arena *arena;
    const faces_closed *closed;
    const face_calibration *made;
    atg_str result, operations;
} keeping;

static int check_right(db *d, void *user, atg_err *err) {
    keeping *w = user;
    uint32_t roles = 0;
    int rc = cases_roles(d, w->who, &w->closed->operations[0], &roles, err);

    if (!rc)
        rc = rights_action(roles, ACTION_MATCH, -1, -1, err);
    if (!rc && !cases_reason(w->who))
        rc = atg_fail(err, ATG_EDENIED, "Write down why faces are calibrated");
    return rc;
}

static int take(const keeping *w, atg_buf *buf, atg_str *ret, atg_err *err) {
    atg_str s;
    int rc = atg_buf_take(buf, &s, err);

    if (!rc)
        *ret = atg_arena_str(w->arena, s);
    return rc || ret->p ? rc : no_memory(err);
}

static int describe(keeping *w, atg_err *err) {
    ATG_AUTO(atg_buf) result = atg_buf_new(RESULT_MAX);
    ATG_AUTO(atg_buf) operations = atg_buf_new(OPERATIONS_TEXT);
    json j;
    int rc;

    if (!result || !operations)
        return no_memory(err);
    j = json_new(result);
    faces_calibration_write(&j, w->made);
    rc = take(w, result, &w->result, err);
    j = json_new(operations);
    json_array_line(&j);
    for (uint32_t i = 0; i < w->closed->n_operations; i++) {
        char id[UUID_TEXT + 1];

        uuid_text(&w->closed->operations[i], id);
        json_text(&j, id);
    }
    json_end(&j, ']');
    return rc ? rc : take(w, operations, &w->operations, err);
}

static int put(db *d, void *user, atg_err *err) {
    keeping *w = user;
    char hex[2 * sizeof(w->made->version.model) + 1];
    record *r = record_new(w->arena, RECORD_FACE_CALIBRATION);
    change ch = {CHANGE_ADD, r};
    cases_batch *b;
    atg_str model;
    value *f;
    int rc;

    bytes_hex(w->made->version.model, sizeof(w->made->version.model), hex);
    model = atg_arena_str(w->arena, atg_str_of(hex));
    if (!r || !model.p)
        return no_memory(err);
    f = r->fields;
    r->operation = r->file = w->closed->operations[0];
    f[FACE_CALIBRATION_MODEL] = (value){.known = true, .text = model};
    f[FACE_CALIBRATION_PIPELINE] = (value){.known = true, .number = w->made->version.pipeline};
    f[FACE_CALIBRATION_OPERATIONS] = (value){.known = true, .text = w->operations};
    f[FACE_CALIBRATION_RESULT] = (value){.known = true, .text = w->result};
    f[FACE_CALIBRATION_MADE_BY] = (value){.known = true, .ref = w->who->account};
    f[FACE_CALIBRATION_MADE] = (value){.known = true, .instant = clock_now()};
    rc = check_right(d, w, err);
    if (!rc)
        rc = cases_batch_new(w->c, d, &calibrator_actor, w->arena, &b, err);
    if (!rc)
        rc = cases_apply(b, &ch, err);
    return rc ? rc : cases_batch_end(b, err);
}

int faces_calibrate(cases *c, const actor *who, atg_arena *arena, const faces_closed *closed,
                    const face_calibrate_options *options, face_calibration *ret, atg_err *err) {
    keeping w = {.c = c, .who = who, .arena = arena, .closed = closed, .made = ret};
    int rc = store_read(cases_store(c), check_right, &w, err);

    if (!rc)
        rc = face_calibrate(&closed->version, closed->n, closed->n_pairs, closed->pairs, options,
                            ret, err);
    if (!rc)
        rc = describe(&w, err);
    if (!rc)
        rc = faces_closed_tell(c, who, closed, "faces calibrate", err);
    return rc ? rc : store_write(cases_store(c), put, &w, err);
}

/* ---- reading the newest ---- */

typedef struct looking {
    db *d;
    keyring *keys;
    atg_arena *arena;
    const uuid *operation; /* where it is to count */
    const face_version *version;
    const record *best;
} looking;

/* The newest that stands in an operation and counts where it is to. */
static int look_in(looking *w, const uuid *operation, atg_err *err) {
    char hex[2 * sizeof(w->version->model) + 1];
    db_value values[] = {db_blob(operation->bytes, UUID_SIZE), db_text(ATG_STR("")),
                         db_double(w->version->pipeline), db_int(LIST)};
    __attribute__((cleanup(db_rows_freep))) db_rows *rows = NULL;
    int rc;

    bytes_hex(w->version->model, sizeof(w->version->model), hex);
    values[1] = db_text(atg_str_of(hex));
    rc = db_query(w->d, &newest, values, 4, &rows, err);
    while (!rc && (rc = db_next(rows, err)) > 0) {
        const record *r;
        record_row row;
        uuid id;

        memcpy(id.bytes, db_get_blob(rows, 0).p, UUID_SIZE);
        rc = records_get(w->d, w->keys, w->arena, RECORD_FACE_CALIBRATION, &id, &row, err);
        r = row.r;
        if (rc || !rules_counts_in(r, w->operation))
            continue;
        if (!w->best || r->fields[FACE_CALIBRATION_MADE].instant >
                            w->best->fields[FACE_CALIBRATION_MADE].instant)
            w->best = r;
        break;
    }
    return rc;
}

/* Commas of a list of identifiers, and one. */
static uint32_t count_of(const value *operations) {
    uint32_t n = 1;

    for (size_t i = 0; operations->known && i < operations->text.n; i++)
        n += operations->text.p[i] == ',';
    return n;
}

int faces_calibration(db *d, keyring *keys, atg_arena *arena, const uuid *operation,
                      const face_version *version, faces_kept *ret, atg_err *err) {
    looking w = {.d = d, .keys = keys, .arena = arena, .operation = operation, .version = version};
    uuid all[RULES_ORGANISATION_MAX];
    uint32_t n = 0;
    int rc = rules_organisation(d, operation, all, &n, err);

    ret->found = false;
    for (uint32_t i = 0; i < n && !rc; i++)
        rc = look_in(&w, &all[i], err);
    if (rc || !w.best)
        return rc;
    rc = faces_calibration_read(w.best->fields[FACE_CALIBRATION_RESULT].text, &ret->calibration,
                                err);
    ret->id = w.best->id;
    ret->n_operations = count_of(&w.best->fields[FACE_CALIBRATION_OPERATIONS]);
    ret->found = !rc;
    return rc;
}
