/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of records, as several resources make them. */
#ifndef ATG_SERVER_CHANGES_H
#define ATG_SERVER_CHANGES_H

#include "server/request.h"

/* The record of {kind} and {id} as this account sees it, if it still is what If-Match names. */
int changes_unchanged(request *q, seen *ret, atg_err *err);

/* Apply a change of it, and answer as changes_reply() does; somebody may have come in between. */
int changes_apply(request *q, change_kind what, record *r, atg_err *err);

/* Fill a new record in from the body's "fields", add it, and answer with where it is. */
int changes_add(request *q, record *r, atg_err *err);

/* Who signs, erases a person, exports, sets up codes or rules over accounts has confirmed who they
 * are? */
int changes_confirmed(request *q, atg_err *err);

/* {"id", "kind", "code", "rev", "state"} and the ETag. */
int changes_reply(request *q, const record *r, unsigned status, atg_err *err);

#endif
