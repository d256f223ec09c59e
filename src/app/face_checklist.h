/* SPDX-License-Identifier: Apache-2.0 */
/* The checklist by which people compare two faces feature by feature (docs/face.md): what to look
 * at, and the JSON that an examiner's findings are kept as:
 *
 *     {"ears": "similar", "nose": {"finding": "different", "note": "bridge straight, not bent"}}
 *
 * Every feature has a finding: "similar", "different" or "not_visible". */
#ifndef ATG_APP_FACE_CHECKLIST_H
#define ATG_APP_FACE_CHECKLIST_H

#include <antigone/base.h>

typedef struct face_feature {
    const char *name, *title, *look; /* what to look at */
} face_feature;

extern const face_feature face_features[];
extern const uint32_t face_features_n;

/* How to photograph a face of the dead, a sentence each; NULL at the end. */
extern const char *const face_capture[];

/* Is it a whole checklist, and one on which this conclusion (choice "face_support") can rest?  An
 * exclusion names a feature that differs, with a note; support of any kind one that is similar, and
 * none that differs without a note.  ATG_EPARSE names the feature. */
int face_checklist_check(atg_str checklist, uint32_t support, atg_err *err);

#endif
