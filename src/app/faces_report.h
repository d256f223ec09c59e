/* SPDX-License-Identifier: Apache-2.0 */
/* How often faces miss and mislead among the closed cases of an organisation, by what is recorded
 * of the missing persons (docs/face-leads.md). */
#ifndef ATG_APP_FACES_REPORT_H
#define ATG_APP_FACES_REPORT_H

#include "app/faces_calibrate.h"

/* Groups by "all", "sex", "age" or "origin" (the recorded nationality; spellings that fold alike
 * are one, and the first is shown). */
typedef struct faces_group {
    const char *by;
    atg_str name;
    face_rates rates;
} faces_group;

/* Of an origin with too few closed cases neither the name nor a share is told: few people of one
 * origin are people. */
typedef struct faces_report {
    double threshold;
    uint32_t n_operations, n_denied, n_closed; /* as in faces_closed */
    uint32_t n_groups;
    faces_group *groups;
    uint32_t few_origins, few_cases; /* origins with too few; closed cases of all these */
    uint32_t without_origin;         /* closed cases without a recorded one */
} faces_report;

/* At a score, with the network that most templates of the operation were made by.  That it was
 * looked at, and why, stands in the history of each operation.  ATG_EDENIED: the right to match or
 * a written reason is missing; ATG_EINVAL: no photographs were read yet, or the score is none. */
int faces_report_make(cases *c, const actor *who, atg_arena *arena, const uuid *operation,
                      double threshold, faces_report *ret, atg_err *err);

void faces_report_write(json *j, const faces_report *r);

#endif
