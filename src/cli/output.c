/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include <stdio.h>

#include "base/file.h"

int cli_write(const args *a, const atg_buf *buf) {
    const char *path = a && a->value[OPT_OUTPUT] ? a->value[OPT_OUTPUT] : "-";
    atg_err err = {0};
    atg_str s;

    if (!buf) {
        (void)atg_fail(&err, ATG_ENOMEM,
                       "Out of memory: close other programs, or use a machine "
                       "with more");
        return cli_fail(NULL, &err);
    }
    /* what was printed before comes before */
    if (fflush(stdout) || atg_buf_take(buf, &s, &err) || file_write(path, s, &err)) {
        if (!err.code)
            (void)atg_fail(&err, ATG_EIO, "Cannot write to standard output: is the disk full?");
        return cli_fail(NULL, &err);
    }
    return EXIT_DONE;
}
