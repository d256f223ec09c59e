/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of the resources, one a file; each ends with a row without a method. */
#ifndef ATG_SERVER_ROUTES_H
#define ATG_SERVER_ROUTES_H

#include "server/request.h"

extern const route routes_meta[];
extern const route routes_session[];
extern const route routes_files[];
extern const route routes_records[];
extern const route routes_compare[];
extern const route routes_faces[];
extern const route routes_face_calibration[];
extern const route routes_pictures[];
extern const route routes_import[];
extern const route routes_exchange[];
extern const route routes_accounts[];
extern const route routes_audit[];
extern const route routes_uploads[];
extern const route routes_bundles[];
extern const route routes_sites[];
extern const route routes_conflicts[];
extern const route routes_events[];
extern const route routes_jobs[];

#endif
