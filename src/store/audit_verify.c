/* SPDX-License-Identifier: Apache-2.0 */
#include "base/parallel.h"
#include "store/audit_scan.h"

static const db_statement tree_size = {"tree_size", "SELECT CAST(max(size) AS BIGINT) FROM tree"};

int audit_verify(db *d, const audit_wanted *wanted, uint32_t threads, const atg_progress *progress,
                 audit_report *ret, atg_err *err) {
    audit_rows rows = {.d = d};
    audit_source source = audit_source_of(&rows);
    audit_run run = {.source = &source,
                     .threads = parallel_threads(threads),
                     .phase = "verifying the history",
                     .progress = progress};
    int64_t size = 0;
    int rc = db_limit(d, 0, NULL, err);

    if (rc == ATG_OK)
        rc = db_get_one(d, &tree_size, NULL, 0, 0, &size, err);
    if (rc)
        return rc;
    run.total = size > 0 ? 2 * (uint64_t)size : 0;
    return audit_check(&run, wanted, ret, err);
}
