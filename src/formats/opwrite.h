/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of an operation file as JSON values, for what is kept apart (docs/operation-format.md). */
#ifndef ATG_FORMATS_OPWRITE_H
#define ATG_FORMATS_OPWRITE_H

#include <antigone/formats.h>

#include "base/json.h"

/* {"TH01": ["6", "9.3"], ...}; markers that were not typed are left out. */
void opwrite_genotypes(json *j, const atg_operation *op, const atg_geno *genos);

/* {"ranges": [[16024, 16365]], "differences": ["16126C"]} */
void opwrite_mt(json *j, const atg_mt *mt);

#endif
