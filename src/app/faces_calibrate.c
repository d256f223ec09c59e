/* SPDX-License-Identifier: Apache-2.0 */
#include "app/faces_calibrate.h"

#include <string.h>

#include "app/cases_internal.h"
#include "app/rights.h"
#include "base/bytes.h"
#include "base/clock.h"

enum { RESULT_MAX = 40000, LIST = 1000 };

/* By what most templates were made: of equals the greater name. */
static const db_statement version_used = {
    "face version used",
    "SELECT t.model, (SELECT x.id FROM r_face_template x WHERE x.operation = $1 AND x.outcome = "
    "'ready' AND x.withdrawn = 0 AND x.model = t.model AND x.pipeline = t.pipeline ORDER BY x.id "
    "LIMIT 1) FROM r_face_template t WHERE t.operation = $1 AND t.outcome = "
    "'ready' AND t.withdrawn = 0 GROUP BY t.model, t.pipeline ORDER BY count(*) DESC, t.model, "
    "t.pipeline DESC LIMIT 1"};

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
    const uuid *operation;
    const face_calibration *made;
    atg_str result;
} keeping;

static int check_right(db *d, void *user, atg_err *err) {
    keeping *w = user;
    uint32_t roles = 0;
    int rc = cases_roles(d, w->who, w->operation, &roles, err);

    if (!rc)
        rc = rights_action(roles, ACTION_MATCH, -1, -1, err);
    if (!rc && !cases_reason(w->who))
        rc = atg_fail(err, ATG_EDENIED, "Write down why faces are calibrated");
    return rc;
}

static int describe(keeping *w, atg_err *err) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(RESULT_MAX);
    atg_str s;
    json j;
    int rc;

    if (!buf)
        return no_memory(err);
    j = json_new(buf);
    faces_calibration_write(&j, w->made);
    rc = atg_buf_take(buf, &s, err);
    if (!rc)
        w->result = atg_arena_str(w->arena, s);
    return rc || w->result.p ? rc : no_memory(err);
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
    r->operation = r->file = *w->operation;
    f[FACE_CALIBRATION_MODEL] = (value){.known = true, .text = model};
    f[FACE_CALIBRATION_PIPELINE] = (value){.known = true, .number = w->made->version.pipeline};
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

static int tell(const keeping *w, atg_err *err) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(RESULT_MAX);
    look_event e = {.who = w->who,
                    .file = *w->operation,
                    .record = *w->operation,
                    .action = "faces calibrate",
                    .kind = "face_calibration"};
    json j;
    int rc;

    if (!buf)
        return no_memory(err);
    j = json_new(buf);
    json_object_line(&j);
    json_key(&j, "cases");
    json_int(&j, w->made->n_cases);
    json_key(&j, "reason");
    json_str(&j, w->who->reason);
    json_end(&j, '}');
    rc = atg_buf_take(buf, &e.detail, err);
    return rc ? rc : cases_tell_look(w->c, &e, err);
}

int faces_calibrate(cases *c, const actor *who, atg_arena *arena, const faces_closed *closed,
                    const face_calibrate_options *options, face_calibration *ret, atg_err *err) {
    keeping w = {.c = c, .who = who, .arena = arena, .operation = &closed->operation, .made = ret};
    int rc = store_read(cases_store(c), check_right, &w, err);

    if (!rc)
        rc = face_calibrate(&closed->version, closed->n, closed->n_pairs, closed->pairs, options,
                            ret, err);
    if (!rc)
        rc = describe(&w, err);
    if (!rc)
        rc = tell(&w, err);
    return rc ? rc : store_write(cases_store(c), put, &w, err);
}

/* ---- reading the newest ---- */

static bool is_of(const record *r, const face_version *version) {
    const value *f = r->fields;
    uint8_t model[sizeof(version->model)];

    return !r->withdrawn && f[FACE_CALIBRATION_RESULT].known &&
           bytes_from_hex(f[FACE_CALIBRATION_MODEL].text, model, sizeof(model)) &&
           memcmp(model, version->model, sizeof(model)) == 0 &&
           f[FACE_CALIBRATION_PIPELINE].number == version->pipeline;
}

int faces_calibration(db *d, keyring *keys, atg_arena *arena, const uuid *operation,
                      const face_version *version, faces_kept *ret, atg_err *err) {
    records_query q = {.kind = RECORD_FACE_CALIBRATION,
                       .by = RECORDS_OF_OPERATION,
                       .of = *operation,
                       .limit = LIST};
    const record *best = NULL;
    record_row *rows;
    uint32_t n = 0;
    int rc = records_list(d, keys, arena, &q, &rows, &n, err);

    ret->found = false;
    for (uint32_t i = 0; i < n && !rc; i++) {
        const record *r = rows[i].r;

        if (is_of(r, version) && (!best || r->fields[FACE_CALIBRATION_MADE].instant >=
                                               best->fields[FACE_CALIBRATION_MADE].instant))
            best = r;
    }
    if (rc || !best)
        return rc;
    rc = faces_calibration_read(best->fields[FACE_CALIBRATION_RESULT].text, &ret->calibration, err);
    ret->id = best->id;
    ret->found = !rc;
    return rc;
}
