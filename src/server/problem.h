/* SPDX-License-Identifier: Apache-2.0 */
/* What can be wrong with a request, in the words of RFC 9457; one row a problem. */
#ifndef ATG_SERVER_PROBLEM_H
#define ATG_SERVER_PROBLEM_H

#include <antigone/base.h>

typedef enum problem_kind {
    PROBLEM_NONE,
    PROBLEM_REQUEST,
    PROBLEM_JSON,
    PROBLEM_LOGIN,
    PROBLEM_NO_SESSION,
    PROBLEM_CODE,
    PROBLEM_PASSWORD,
    PROBLEM_DENIED,
    PROBLEM_FACTOR,
    PROBLEM_PURPOSE,
    PROBLEM_CONFIRM,
    PROBLEM_SEALED,
    PROBLEM_CROSS_SITE,
    PROBLEM_UNKNOWN,
    PROBLEM_METHOD,
    PROBLEM_CONFLICT,
    PROBLEM_OFFSET,
    PROBLEM_CHANGED,
    PROBLEM_TOO_LARGE,
    PROBLEM_TARGET_LENGTH,
    PROBLEM_MEDIA_TYPE,
    PROBLEM_HOST,
    PROBLEM_RANGE,
    PROBLEM_CONTENT,
    PROBLEM_NO_MATCH,
    PROBLEM_RATE,
    PROBLEM_QUOTA,
    PROBLEM_FAILED,
    PROBLEM_BUSY,
    PROBLEM_STORE,
    PROBLEM_WORKER,
    PROBLEM_UPLOADS,
    PROBLEM_FULL,
    PROBLEM_INTERRUPTED,
    PROBLEMS,
} problem_kind;

typedef struct problem_row {
    unsigned status;
    const char *type; /* behind "urn:antigone:problem:" */
    const char *title;
} problem_row;

extern const problem_row problem_rows[PROBLEMS];

/* The problem that a failure of the use cases is. */
problem_kind problem_of(const atg_err *err);

/* May its words be told to the caller?  What the database and the files say is not. */
bool problem_told(problem_kind kind);

#endif
