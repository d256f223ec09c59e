/* SPDX-License-Identifier: Apache-2.0 */
/* The design's rules that records can break, held in one place: no option turns one off, and no
 * role is above them.  docs/rules.md lists them with their tests. */
#ifndef ATG_APP_RULES_H
#define ATG_APP_RULES_H

#include "model/record.h"
#include "store/keys.h"

/* What is about to be written: `before` is NULL for a new record.  ATG_EDENIED names the rule.
 * Looks at other records of the file in the caller's transaction. */
int rules_check(db *d, keyring *keys, const uuid *account, const record *before,
                const record *after, atg_err *err);

#endif
