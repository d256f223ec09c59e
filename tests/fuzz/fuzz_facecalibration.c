/* SPDX-License-Identifier: Apache-2.0 */
/* Stored calibrations of faces: what is read weighs within its cap, and reads back the same. */
#include "app/faces_calibrate.h"

#include <math.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(1 << 16);
    face_calibration c, again;
    atg_str text;
    json j;

    if (!buf || faces_calibration_read((atg_str){(const char *)data, size}, &c, NULL))
        return 0;
    for (int i = -4; i <= 4; i++)
        if (!(fabs(face_weigh(&c, &c.version, i / 4.0, 9).log10_lr) <= FACE_CAP))
            abort();
    j = json_new(buf);
    faces_calibration_write(&j, &c);
    if (atg_buf_take(buf, &text, NULL) || faces_calibration_read(text, &again, NULL) ||
        again.n_knots != c.n_knots || again.n_cases != c.n_cases || again.cap != c.cap)
        abort();
    return 0;
}
