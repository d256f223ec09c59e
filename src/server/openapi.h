/* SPDX-License-Identifier: Apache-2.0 */
/* The description of the API, made of the table of routes and the description of the records. */
#ifndef ATG_SERVER_OPENAPI_H
#define ATG_SERVER_OPENAPI_H

#include "server/request.h"

/* Schemas of bodies and answers that are not records: members of an object, from schemas.json. */
extern const char openapi_schemas[];

/* What a name in a query means. */
const char *openapi_query(atg_str name);

/* The page for people: HTML without scripts. */
void openapi_page(atg_buf *buf);

#endif
