/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of records, as several resources make them. */
#ifndef ATG_SERVER_CHANGES_H
#define ATG_SERVER_CHANGES_H

#include "server/request.h"

/* Fill a new record in from the body's "fields", add it, and answer with where it is. */
int changes_add(request *q, record *r, atg_err *err);

/* Who signs, erases a person or sets up codes has confirmed who they are? */
int changes_confirmed(request *q, atg_err *err);

/* {"id", "kind", "code", "rev", "state"} and the ETag. */
int changes_reply(request *q, const record *r, unsigned status, atg_err *err);

#endif
