/* SPDX-License-Identifier: Apache-2.0 */
#include "match/assign_sample.h"

int sample_part(const problem *pr, uint32_t index, const sample_options *o,
                const atg_progress *progress, answer *ret, atg_err *err) {
    (void)o;
    (void)progress;
    (void)ret;
    return atg_fail(err, ATG_ELIMIT,
                    "A connected part of %u bodies is too large for the exact solution; screen "
                    "out more pairs",
                    pr->parts[index].n_bodies);
}
