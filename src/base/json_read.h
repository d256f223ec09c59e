/* SPDX-License-Identifier: Apache-2.0 */
/* What jansson leaves out. */
#ifndef ATG_BASE_JSON_READ_H
#define ATG_BASE_JSON_READ_H

#include <jansson.h>

/* For json_object_foreach and json_object_iter, which take what they do not change as not const. */
static inline json_t *json_iterable(const json_t *v) {
    union {
        const json_t *in;
        json_t *out;
    } same = {.in = v};

    return same.out;
}

#endif
