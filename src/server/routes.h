/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of the resources, one a file; each ends with a row without a method. */
#ifndef ATG_SERVER_ROUTES_H
#define ATG_SERVER_ROUTES_H

#include "server/request.h"

extern const route routes_meta[];
extern const route routes_session[];

#endif
