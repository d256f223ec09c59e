/* SPDX-License-Identifier: Apache-2.0 */
/* What a score of faces weighs, and how often faces mislead, from closed cases
 * (docs/face-leads.md). */
#include "server/routes.h"

#include "app/faces_fit.h"
#include "app/faces_report.h"
#include "base/number.h"
#include "server/changes.h"

static int read_wish(request *q, faces_fit_wish *ret, atg_err *err) {
    const json_t *cap, *plots;
    int rc = request_members(q, "cap plots", err);

    if (rc)
        return rc;
    cap = json_object_get(q->json, "cap");
    plots = json_object_get(q->json, "plots");
    if (cap &&
        !(json_is_number(cap) && json_number_value(cap) > 0 && json_number_value(cap) <= FACE_CAP))
        return atg_fail(err, ATG_EPARSE,
                        "'cap' is above 0 and not above %g: it can be lowered, never raised",
                        FACE_CAP);
    if (plots && !json_is_boolean(plots))
        return atg_fail(err, ATG_EPARSE, "'plots' is true or false");
    *ret = (faces_fit_wish){.cap = json_number_value(cap), .plots = json_is_true(plots)};
    return ATG_OK;
}

static int calibrate(request *q, atg_err *err) {
    faces_fit_wish wish;
    faces_fitted made;
    file_row operation;
    int rc = request_operation(q, &operation, err);

    if (!rc)
        rc = read_wish(q, &wish, err);
    if (!rc)
        rc = changes_confirmed(q, err);
    if (!rc)
        rc = faces_fit(request_cases(q), &q->who, q->arena, &operation.id, &wish, &made, err);
    if (!rc)
        rc = reply_json(q, MHD_HTTP_OK, err);
    if (!rc)
        faces_fitted_write(&q->j, &made);
    return rc;
}

static int report(request *q, atg_err *err) {
    atg_str score = request_query(q, "score");
    file_row operation;
    faces_report made;
    double threshold = 0;
    int rc = request_operation(q, &operation, err);

    if (!rc && !number_read(score, &threshold))
        rc = request_refuse(q, PROBLEM_REQUEST, err, "'score' is a number from -1 to 1");
    if (!rc)
        rc = faces_report_make(request_cases(q), &q->who, q->arena, &operation.id, threshold, &made,
                               err);
    if (!rc)
        rc = reply_json(q, MHD_HTTP_OK, err);
    if (!rc)
        faces_report_write(&q->j, &made);
    return rc;
}

const route routes_face_calibration[] = {
    {.method = "POST",
     .path = "/api/v1/operations/{operation}/faces/calibration",
     .flags = ROUTE_PURPOSE | ROUTE_LONG | ROUTE_LOOKS,
     .body = BODY_SMALL,
     .run = calibrate,
     .tag = "faces",
     .summary = "After confirming: learn from closed cases what a score of faces weighs",
     .takes = "FaceFit",
     .gives = "FaceFitted",
     .status = 200},
    {.method = "GET",
     .path = "/api/v1/operations/{operation}/faces/report",
     .flags = ROUTE_PURPOSE | ROUTE_LONG | ROUTE_LOOKS,
     .run = report,
     .tag = "faces",
     .summary = "How often faces miss and mislead, by recorded sex, age and origin",
     .query = "!score",
     .gives = "FacesReport",
     .status = 200},
    {.method = NULL},
};
