/* SPDX-License-Identifier: Apache-2.0 */
/* What came in from elsewhere and which record it became, so that the same import done again
 * changes nothing.  A line is named by its source and by what names it there. */
#ifndef ATG_STORE_IMPORTED_H
#define ATG_STORE_IMPORTED_H

#include "base/uuid.h"
#include "crypto/hash.h"
#include "store/db.h"

typedef struct imported_row {
    uuid record;
    int64_t rev;    /* of the record, as the import left it */
    hash256 digest; /* of what the line said */
} imported_row;

/* Did anything of this source come in before? */
int imported_any(db *d, const uuid *operation, atg_str source, bool *ret, atg_err *err);

/* ATG_ENOTFOUND (without failing the transaction): new. */
int imported_get(db *d, const uuid *operation, atg_str source, atg_str line, imported_row *ret,
                 atg_err *err);
int imported_put(db *d, const uuid *operation, atg_str source, atg_str line,
                 const imported_row *row, atg_err *err);

#endif
