/* SPDX-License-Identifier: Apache-2.0 */
/* Faces in the store of this machine. */
#include "cli/backend_faces.h"

#include "app/faces_eye.h"

int backend_faces_read(store_session *s, const atg_progress *progress, faces_done *ret,
                       atg_err *err) {
    ATG_AUTO(faces_eye) eye = NULL;
    int rc = faces_eye_open(&(faces_eye_options){.folder = cases_directory(s->c)}, &eye, err);

    return rc ? rc : faces_enrol(s->c, &s->operation.id, faces_eye_of(eye), progress, ret, err);
}

int backend_face_search(store_session *s, const faces_asking *asking, const atg_progress *progress,
                        faces_found *ret, atg_err *err) {
    faces_wanted wanted = {.retouched = asking->retouched};
    ATG_AUTO(faces_gallery) g = NULL;
    int rc = faces_may_search(s->c, &s->who, s->arena, &asking->wish.photograph, &wanted, err);

    if (!rc)
        rc = faces_gallery_open(s->c, &wanted, progress, &g, err);
    return rc ? rc : faces_search(s->c, &s->who, s->arena, g, &asking->wish, ret, err);
}

int backend_face_leads(store_session *s, const file_row *remains, face_lead **ret, uint32_t *ret_n,
                       atg_err *err) {
    return faces_leads(s->c, &s->who, s->arena, &remains->id, ret, ret_n, err);
}

int backend_face_fit(store_session *s, const faces_fit_wish *wish, faces_fitted *ret,
                     atg_err *err) {
    return faces_fit(s->c, &s->who, s->arena, &s->operation.id, wish, ret, err);
}

int backend_face_report(store_session *s, double threshold, faces_report *ret, atg_err *err) {
    return faces_report_make(s->c, &s->who, s->arena, &s->operation.id, threshold, ret, err);
}
