/* SPDX-License-Identifier: Apache-2.0 */
/* What a score of faces weighs, learnt from the closed cases of an organisation (docs/face.md),
 * the operations of the store that share with each other and in which who asks may match:
 * remains that were identified by a decision that stands, which rests on a primary line and never
 * on a face.  Photographs of the dead are compared with the confirmed ones of each closed case's
 * person, originals alone, of one network and pipeline. */
#ifndef ATG_APP_FACES_CALIBRATE_H
#define ATG_APP_FACES_CALIBRATE_H

#include "app/cases.h"
#include "base/json.h"
#include "face/calibrate.h"

enum { FACES_CLOSED_MAX = 20000 };

/* Closed cases, in the arena.  A pair has the best score of a probe's photographs with a person's;
 * of very many each probe is compared with as many others as FACE_PAIRS_MAX leaves. */
typedef struct faces_closed {
    uint32_t n_operations, n_denied; /* taken; of the organisation too, but without the right */
    uuid *operations;                /* the first is the one that was asked about */
    face_version version;
    uint32_t n;
    face_person *persons; /* by operation and identifier */
    uint64_t n_pairs;
    face_pair *pairs;
} faces_closed;

/* The network that most templates of an operation were made by.  ATG_EINVAL: there is none yet. */
int faces_version_used(cases *c, const uuid *operation, face_version *ret, atg_err *err);

/* ATG_EDENIED: neither the board's role nor another that may match.  ATG_ELIMIT, ATG_ENOMEM. */
int faces_closed_cases(cases *c, const actor *who, atg_arena *arena, const uuid *operation,
                       const face_version *version, faces_closed *ret, atg_err *err);

/* Both of these: the cases of the network that is used. */
int faces_closed_of(cases *c, const actor *who, atg_arena *arena, const uuid *operation,
                    faces_closed *ret, atg_err *err);
/* Tell in the history of each of its operations what was done with them, and why. */
int faces_closed_tell(cases *c, const actor *who, const faces_closed *closed, const char *what,
                      atg_err *err);

/* Fit to closed cases and keep the result in the first of the operations, as a record that the
 * program alone writes and that counts in all of them; who asked, and why, stands in the history of
 * each.  ATG_EDENIED as above, or no reason was
 * written; otherwise as face_calibrate(): also with too few cases, and nothing is kept then. */
int faces_calibrate(cases *c, const actor *who, atg_arena *arena, const faces_closed *closed,
                    const face_calibrate_options *options, face_calibration *ret, atg_err *err);

/* A calibration that is kept. */
typedef struct faces_kept {
    bool found; /* false: there is none of that version */
    uuid id;
    uint32_t n_operations; /* whose cases it was fitted on */
    face_calibration calibration;
} faces_kept;

/* The newest of that version that counts in the operation: its own, or one of its organisation that
 * names it.  In the caller's transaction.  ATG_EINVAL: it is damaged. */
int faces_calibration(db *d, keyring *keys, atg_arena *arena, const uuid *operation,
                      const face_version *version, faces_kept *ret, atg_err *err);

/* As it is stored.  Reading checks all of it (face_calibration_check()); ATG_EINVAL. */
void faces_calibration_write(json *j, const face_calibration *calibration);
int faces_calibration_read(atg_str text, face_calibration *ret, atg_err *err);

#endif
