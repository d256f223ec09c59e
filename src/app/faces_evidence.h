/* SPDX-License-Identifier: Apache-2.0 */
/* What candidates by their faces add to the hypotheses of a remains file: a line that is never
 * primary, within +-FACE_CAP, and 0 without a calibration. */
#ifndef ATG_APP_FACES_EVIDENCE_H
#define ATG_APP_FACES_EVIDENCE_H

#include "app/cases.h"
#include "face/gallery.h"

typedef struct faces_weighing {
    cases *c;
    cases_batch *b; /* of the matcher */
    atg_arena *arena;
    uuid remains, operation;
    face_version version;
} faces_weighing;

/* Write the line of each standing hypothesis about a candidate of that version, by the best score
 * of its standing candidates (of retouched photographs: 0), and take back the lines of those who
 * are none any more.  Lines that say the same stay as they are. */
int faces_evidence(const faces_weighing *w, db *d, atg_err *err);

#endif
