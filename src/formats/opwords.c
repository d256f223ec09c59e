/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/opwords.h"

#include <stddef.h>

const char opwords_schema[] = "antigone-operation/1";

const char *const opwords_models[] = {
    "none", "equal", "proportional", "stepwise", "onestep", "dawid", "custom", NULL,
};
const char *const opwords_transforms[] = {"none", "PM", "MH", "BA", "PR", NULL};
const char *const opwords_chroms[] = {"A", "X", "Y", "amelogenin", NULL};
const char *const opwords_priors[] = {"flat", "closed", "open", NULL};
