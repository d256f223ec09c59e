/* SPDX-License-Identifier: Apache-2.0 */
/* Faces as leads, over the network. */
#include "cli/remote.h"

#include <math.h>
#include <string.h>

#include "app/cases_json.h"
#include "base/mem.h"

static atg_str faces_path(store_session *s, const char *rest) {
    return atg_arena_printf(s->arena, "/api/v1/operations/%s/faces/%s",
                            remote_id(s, &s->operation.id).p, rest);
}

static int no_memory(atg_err *err) {
    return atg_fail(err, ATG_ENOMEM, "Out of memory for faces");
}

/* ---- reading and searching ---- */

int remote_faces_read(store_session *s, const atg_progress *progress, faces_done *ret,
                      atg_err *err) {
    json_auto_t *got = NULL;
    int rc =
        remote_job(s, &(remote_ask){.method = "POST", .path = faces_path(s, "read"), .again = true},
                   &got, err);

    (void)progress; /* of the job: remote_job() */
    if (rc)
        return rc;
    *ret = (faces_done){.made = (uint64_t)remote_number(got, "read"),
                        .poor = (uint64_t)remote_number(got, "poor"),
                        .unchanged = (uint64_t)remote_number(got, "unchanged"),
                        .taken_out = (uint64_t)remote_number(got, "taken_out")};
    return ATG_OK;
}

/* Searching again gives the same candidates. */
int remote_face_search(store_session *s, const faces_asking *asking, const atg_progress *progress,
                       faces_found *ret, atg_err *err) {
    json_auto_t *got = NULL;
    json j;
    ATG_AUTO(atg_buf) body = remote_body(&j);
    int rc;

    (void)progress; /* of the job: remote_job() */
    if (!body)
        return no_memory(err);
    if (asking->wish.best)
        cases_put_number(&j, "best", asking->wish.best);
    json_key(&j, "retouched");
    json_bool(&j, asking->retouched);
    json_end(&j, '}');
    rc = remote_job(
        s,
        &(remote_ask){.method = "POST",
                      .path = atg_arena_printf(s->arena, "/api/v1/records/photograph/%s/faces",
                                               remote_id(s, &asking->wish.photograph).p),
                      .json = body,
                      .again = true,
                      .job = true},
        &got, err);
    if (!rc)
        *ret = (faces_found){.candidates = (uint32_t)remote_number(got, "candidates"),
                             .among = (uint32_t)remote_number(got, "among")};
    return rc;
}

/* ---- candidates ---- */

static int read_lead(store_session *s, const json_t *from, face_lead *ret, atg_err *err) {
    const json_t *said = json_object_get(from, "conclusions");
    face_lead l = {.missing = {.code = remote_text(s, from, "missing")},
                   .n_said = (uint32_t)json_array_size(said),
                   .disagree = remote_true(from, "disagree")};
    int rc = l.missing.code.n ? ATG_OK : remote_strange(s, err);

    l.said = ATG_GET(s->arena, seen, (size_t)l.n_said + 1);
    if (!rc && !l.said)
        rc = no_memory(err);
    if (!rc)
        rc = remote_read_seen(s, json_object_get(from, "candidate"), &l.record, err);
    for (uint32_t i = 0; i < l.n_said && !rc; i++)
        rc = remote_read_seen(s, json_array_get(said, i), &l.said[i], err);
    if (!rc)
        *ret = l;
    return rc;
}

int remote_face_leads(store_session *s, const file_row *remains, face_lead **ret, uint32_t *ret_n,
                      atg_err *err) {
    json_auto_t *got = NULL;
    const json_t *list;
    face_lead *leads;
    uint32_t n;
    int rc = remote_json(s,
                         &(remote_ask){.method = "GET",
                                       .path = atg_arena_printf(s->arena, "/api/v1/files/%s/faces",
                                                                remote_id(s, &remains->id).p)},
                         &got, err);

    if (rc)
        return rc;
    list = json_object_get(got, "candidates");
    n = (uint32_t)json_array_size(list);
    leads = ATG_GET(s->arena, face_lead, (size_t)n + 1);
    if (!leads)
        return no_memory(err);
    for (uint32_t i = 0; i < n && !rc; i++)
        rc = read_lead(s, json_array_get(list, i), &leads[i], err);
    if (rc)
        return rc;
    *ret = leads;
    *ret_n = n;
    return ATG_OK;
}

/* ---- calibrating ---- */

static int read_calibration(const store_session *s, const json_t *from, face_calibration *ret,
                            atg_err *err) {
    MEM_AUTO char *text = json_dumps(from, JSON_COMPACT);

    /* a number is written with all of its digits: it comes back as it was */
    return text && faces_calibration_read(atg_str_of(text), ret, NULL) == ATG_OK
               ? ATG_OK
               : remote_strange(s, err);
}

int remote_face_fit(store_session *s, const faces_fit_wish *wish, faces_fitted *ret, atg_err *err) {
    json_auto_t *got = NULL;
    faces_fitted made = {.n_operations = 0};
    json j;
    ATG_AUTO(atg_buf) body = remote_body(&j);
    int rc;

    if (!body)
        return no_memory(err);
    if (wish->cap > 0) {
        json_key(&j, "cap");
        json_num(&j, wish->cap);
    }
    json_key(&j, "plots");
    json_bool(&j, wish->plots);
    json_end(&j, '}');
    rc = remote_json(
        s, &(remote_ask){.method = "POST", .path = faces_path(s, "calibration"), .json = body},
        &got, err);
    if (!rc)
        rc = read_calibration(s, json_object_get(got, "calibration"), &made.calibration, err);
    if (rc)
        return rc;
    made.n_operations = (uint32_t)remote_number(got, "operations");
    made.n_denied = (uint32_t)remote_number(got, "operations_left_out");
    made.page = remote_text(s, got, "page");
    if (wish->plots && !made.page.n)
        return remote_strange(s, err);
    *ret = made;
    return ATG_OK;
}

/* ---- the report ---- */

static double share_of(const json_t *from, const char *key, size_t i) {
    const json_t *v = json_array_get(json_object_get(from, key), i);

    return json_is_number(v) ? json_number_value(v) : NAN;
}

/* The words of the groups that this program knows; another one is told as it is. */
static faces_group read_group(store_session *s, const json_t *from) {
    faces_group g = {.by = remote_text(s, from, "by").p, .name = remote_text(s, from, "group")};
    face_rates *r = &g.rates;

    r->n_cases = (uint32_t)remote_number(from, "cases");
    r->n_probes = (uint32_t)remote_number(from, "probes");
    r->enough = json_is_array(json_object_get(from, "missed"));
    r->miss = share_of(from, "missed", 0);
    r->miss_lower = share_of(from, "missed", 1);
    r->miss_upper = share_of(from, "missed", 2);
    r->match = share_of(from, "false_matches", 0);
    r->match_lower = share_of(from, "false_matches", 1);
    r->match_upper = share_of(from, "false_matches", 2);
    return g;
}

static int read_report(store_session *s, const json_t *from, faces_report *ret, atg_err *err) {
    const json_t *list = json_object_get(from, "groups");
    const json_t *others = json_object_get(from, "other_origins");
    faces_report r = {.threshold = json_number_value(json_object_get(from, "threshold")),
                      .n_operations = (uint32_t)remote_number(from, "operations"),
                      .n_denied = (uint32_t)remote_number(from, "operations_left_out"),
                      .n_closed = (uint32_t)remote_number(from, "closed_cases"),
                      .n_groups = (uint32_t)json_array_size(list),
                      .few_origins = (uint32_t)remote_number(others, "origins"),
                      .few_cases = (uint32_t)remote_number(others, "cases"),
                      .without_origin = (uint32_t)remote_number(from, "without_origin")};

    if (!json_is_array(list))
        return remote_strange(s, err);
    r.groups = ATG_GET(s->arena, faces_group, (size_t)r.n_groups + 1);
    if (!r.groups)
        return no_memory(err);
    for (uint32_t i = 0; i < r.n_groups; i++) {
        r.groups[i] = read_group(s, json_array_get(list, i));
        if (!r.groups[i].by)
            return remote_strange(s, err);
    }
    *ret = r;
    return ATG_OK;
}

int remote_face_report(store_session *s, double threshold, faces_report *ret, atg_err *err) {
    json_auto_t *got = NULL;
    int rc =
        remote_json(s,
                    &(remote_ask){.method = "GET",
                                  .path = atg_arena_printf(s->arena, "%s?score=%.17g",
                                                           faces_path(s, "report").p, threshold)},
                    &got, err);

    return rc ? rc : read_report(s, got, ret, err);
}
