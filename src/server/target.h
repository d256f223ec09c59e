/* SPDX-License-Identifier: Apache-2.0 */
/* The target of a request, "/api/v1/files/AM-K3-000001?limit=5", as decoded words.
 *
 * Nothing is guessed: what two programs could read differently is refused (dot segments, empty
 * segments, encoded slashes and control characters, a name twice in the query). */
#ifndef ATG_SERVER_TARGET_H
#define ATG_SERVER_TARGET_H

#include <antigone/base.h>

enum { TARGET_MAX = 4096, TARGET_SEGMENTS = 10, TARGET_QUERY = 12 };

typedef struct target_pair {
    atg_str name, value;
} target_pair;

typedef struct target {
    uint32_t n, n_query;
    bool slash; /* "/" behind the last segment, or the root */
    atg_str segment[TARGET_SEGMENTS];
    target_pair query[TARGET_QUERY];
} target;

/* Texts lie in the arena and end with NUL.  ATG_EPARSE or ATG_ELIMIT; where a
 * character is wrong, the column is its byte in the part of the target that it stands in. */
int target_read(atg_arena *arena, atg_str raw, target *ret, atg_err *err);

/* The value of a name in the query; {NULL, 0} when it is not there. */
atg_str target_query(const target *t, const char *name);

/* A percent-encoded text, such as a header's value: UTF-8 without control characters. */
int target_decode(atg_arena *arena, atg_str raw, bool plus, atg_str *ret, atg_err *err);
/* The same back: letters, digits and -._~ stay. */
atg_str target_encode(atg_arena *arena, atg_str text);

#endif
