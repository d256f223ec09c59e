/* SPDX-License-Identifier: Apache-2.0 */
/* Which pictures were drawn from which: small ones and blurred ones, each a blob of the same person
 * (store/blobs.h), so that they are sealed, copied and erased as the picture itself is.  All
 * functions run in the caller's transaction. */
#ifndef ATG_STORE_FORMS_H
#define ATG_STORE_FORMS_H

#include "base/uuid.h"
#include "crypto/hash.h"
#include "store/db.h"

/* `made` was drawn in the form (a number of the caller's) from `hash`; in place of an earlier one.
 */
int forms_put(db *d, const uuid *person, const hash256 *hash, int64_t form, const hash256 *made,
              atg_err *err);
/* ATG_ENOTFOUND: none was made. */
int forms_get(db *d, const uuid *person, const hash256 *hash, int64_t form, hash256 *ret,
              atg_err *err);
int forms_erase(db *d, const uuid *person, atg_err *err);

#endif
