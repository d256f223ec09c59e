/* SPDX-License-Identifier: Apache-2.0 */
/* Faces as leads (docs/face-leads.md): searched for with a registered photograph of the dead, and
 * listed for people to compare.  No body here holds a picture or a template, and no answer does. */
#include "server/routes.h"

#include "app/cases_json.h"
#include "app/faces_eye.h"
#include "app/faces_standby.h"
#include "app/tasks.h"
#include "server/service_internal.h"

static int read_wish(request *q, faces_asking *ret, atg_err *err) {
    const json_t *best, *retouched;
    int rc = request_members(q, "best retouched", err);

    if (!rc)
        rc = request_id(q, request_word(q, "photograph"), &ret->wish.photograph, err);
    if (rc)
        return rc;
    best = json_object_get(q->json, "best");
    retouched = json_object_get(q->json, "retouched");
    if (best && (!json_is_integer(best) || json_integer_value(best) < FACE_BEST_MIN ||
                 json_integer_value(best) > FACE_BEST_MAX))
        return atg_fail(err, ATG_EPARSE, "'best' is a number from %d to %d", FACE_BEST_MIN,
                        FACE_BEST_MAX);
    if (retouched && !json_is_boolean(retouched))
        return atg_fail(err, ATG_EPARSE, "'retouched' is true or false");
    ret->wish.best = best ? (uint32_t)json_integer_value(best) : 0;
    ret->retouched = json_is_true(retouched);
    return ATG_OK;
}

static int search(request *q, atg_err *err) {
    faces_asking asking = {.retouched = false};
    faces_found found;
    int rc = read_wish(q, &asking, err);

    if (!rc)
        rc = faces_standby_search(request_faces(q), &q->who, q->arena, &asking, request_progress(q),
                                  &found, err);
    if (!rc)
        rc = reply_json(q, MHD_HTTP_OK, err);
    if (rc)
        return rc;
    json_object_line(&q->j);
    cases_put_number(&q->j, "candidates", found.candidates);
    cases_put_number(&q->j, "among", found.among);
    json_end(&q->j, '}');
    return ATG_OK;
}

static int may_search(request *q, atg_err *err) {
    faces_wanted wanted = {.dim = 0};
    faces_asking asking = {.retouched = false};
    int rc = read_wish(q, &asking, err);

    return rc ? rc
              : faces_may_search(request_cases(q), &q->who, q->arena, &asking.wish.photograph,
                                 &wanted, err);
}

static int candidates(request *q, atg_err *err) {
    file_row file;
    face_lead *leads;
    uint32_t n = 0;
    int rc = request_file(q, "file", &file, err);

    if (!rc)
        rc = faces_leads(request_cases(q), &q->who, q->arena, &file.id, &leads, &n, err);
    if (!rc)
        rc = reply_json(q, MHD_HTTP_OK, err);
    if (!rc)
        cases_write_face_leads(&q->j, leads, n);
    return rc;
}

static int may_read(request *q, atg_err *err) {
    file_row operation;
    int rc = request_operation(q, &operation, err);

    return rc ? rc : task_match_right(request_cases(q), &q->who, &operation.id, err);
}

/* A worker of its own looks at the pictures, so that uploads go on meanwhile: the program that the
 * service was started with. */
static int open_eye(request *q, faces_eye **ret, atg_err *err) {
    faces_eye_options o = {.folder = cases_directory(request_cases(q)),
                           .program = q->s->o.worker,
                           .memory = q->s->o.worker_memory};
    int rc = faces_eye_open(&o, ret, err);

    if (rc == ATG_ENOTFOUND || rc == ATG_EINVAL || rc == ATG_EIO)
        q->problem = PROBLEM_WORKER;
    return rc;
}

static int read_all(request *q, atg_err *err) {
    ATG_AUTO(faces_eye) eye = NULL;
    faces_done done = {0};
    file_row operation;
    int rc = request_operation(q, &operation, err);

    if (!rc)
        rc = task_match_right(request_cases(q), &q->who, &operation.id, err);
    if (!rc)
        rc = open_eye(q, &eye, err);
    if (!rc)
        rc = faces_enrol(request_cases(q), &operation.id, faces_eye_of(eye), request_progress(q),
                         &done, err);
    if (!rc)
        rc = reply_json(q, MHD_HTTP_OK, err);
    if (rc)
        return rc;
    json_object_line(&q->j);
    cases_put_number(&q->j, "read", (int64_t)done.made);
    cases_put_number(&q->j, "poor", (int64_t)done.poor);
    cases_put_number(&q->j, "unchanged", (int64_t)done.unchanged);
    cases_put_number(&q->j, "taken_out", (int64_t)done.taken_out);
    json_end(&q->j, '}');
    return ATG_OK;
}

const route routes_faces[] = {
    {.method = "POST",
     .path = "/api/v1/records/photograph/{photograph}/faces",
     .flags = ROUTE_PURPOSE | ROUTE_LONG | ROUTE_SEARCHES,
     .body = BODY_SMALL,
     .run = search,
     .may = may_search,
     .job = "face_search",
     .tag = "faces",
     .summary = "From a photograph of the dead to missing persons who look alike, as a lead",
     .takes = "FaceSearch",
     .gives = "FaceSearched",
     .status = 200},
    {.method = "GET",
     .path = "/api/v1/files/{file}/faces",
     .flags = ROUTE_LOOKS,
     .run = candidates,
     .tag = "faces",
     .summary = "The candidates of a remains file, and what examiners concluded on each",
     .gives = "FaceLeads",
     .status = 200},
    {.method = "POST",
     .path = "/api/v1/operations/{operation}/faces/read",
     .flags = ROUTE_JOB,
     .run = read_all,
     .may = may_read,
     .job = "face_read",
     .again = true,
     .tag = "faces",
     .summary = "Read the faces that are new, changed, or were read by another network",
     .gives = "FacesRead",
     .status = 202},
    {.method = NULL},
};
