/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/work.h"

int work_picture(const work *w, frame_done *ret, atg_err *err) {
    (void)w;
    (void)ret;
    return atg_fail(err, ATG_EINVAL, "This is no picture of a kind that is read");
}
