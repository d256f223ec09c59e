/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of backend_local that are about faces. */
#ifndef ATG_CLI_BACKEND_FACES_H
#define ATG_CLI_BACKEND_FACES_H

#include "cli/backend.h"

int backend_faces_read(store_session *s, const atg_progress *progress, faces_done *ret,
                       atg_err *err);
int backend_face_search(store_session *s, const faces_asking *asking, const atg_progress *progress,
                        faces_found *ret, atg_err *err);
int backend_face_leads(store_session *s, const file_row *remains, face_lead **ret, uint32_t *ret_n,
                       atg_err *err);
int backend_face_fit(store_session *s, const faces_fit_wish *wish, faces_fitted *ret, atg_err *err);
int backend_face_report(store_session *s, double threshold, faces_report *ret, atg_err *err);

#endif
