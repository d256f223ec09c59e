/* SPDX-License-Identifier: Apache-2.0 */
/* Reading JSON with the place of every error.  jansson parses; this knows where it is.
 *
 * A large file is cut into pieces (the members of its outermost object, the elements of a long
 * array) and jansson sees one piece at a time, so that memory does not grow with the file.  The
 * steps that lead to the value in hand are kept; when something is wrong with it, they give the
 * path in the sentence, and a walk along them through the bytes gives line and column.
 *
 * Functions return ATG_OK or an ATG_E* code and have then filled the error. */
#ifndef ATG_FORMATS_JSONIN_H
#define ATG_FORMATS_JSONIN_H

#include <antigone/formats.h>

#include "base/json_read.h"

enum {
    JIN_DEPTH = 16,   /* steps from the outermost object to any value that is read */
    JIN_MEMBERS = 64, /* members of the outermost object */
    JIN_UNKNOWN = 32, /* names of unknown keys, each noted once */
    JIN_ID_MAX = 255, /* bytes of an identifier */
};

typedef enum jin_need { JIN_OPTIONAL = 0, JIN_REQUIRED } jin_need;

typedef struct jin_step {
    const char *key; /* NULL: an element */
    size_t index;
} jin_step;

/* Where a value stands in the bytes. */
typedef struct jin_extent {
    size_t at, n;
} jin_extent;

typedef struct jin {
    atg_arena *arena;
    atg_str bytes;
    atg_notes *notes;
    atg_err *err;
    jin_extent whole, piece;
    int piece_depth; /* steps that lead to the piece */
    int depth;
    jin_step steps[JIN_DEPTH];
    int n_unknown;
    atg_str unknown[JIN_UNKNOWN];
    int n_members;
    struct {
        atg_str key; /* as written between the quotes */
        jin_extent value;
    } members[JIN_MEMBERS];
} jin;

/* Skip a byte order mark and find the members of the outermost object. */
int jin_open(jin *j, atg_arena *arena, atg_str bytes, atg_notes *notes, atg_err *err);

/* Step into a member of the outermost object: the caller calls jin_up() when `*ret` is set, which
 * is NULL where the member is absent and may be. */
int jin_enter(jin *j, const char *key, jin_need need, const jin_extent **ret);
/* The same, and give it to jansson; `*ret` is the caller's to free, NULL when absent. */
int jin_enter_load(jin *j, const char *key, jin_need need, json_t **ret);

/* Note every member of the outermost object that is not in the list, which NULL ends. */
void jin_known_members(jin *j, const char *const *keys);

/* Give the piece to jansson.  `*ret` is freed by the caller and the steps must lead to it. */
int jin_load(jin *j, jin_extent piece, json_t **ret);

/* Give every element of an array to jansson in turn, with its step pushed. */
typedef int jin_element_fn(void *user, jin *j, const json_t *value, uint32_t index);
int jin_each(jin *j, jin_extent array, jin_element_fn *fn, void *user);

/* The value in hand is now this member or element of it; and back. */
void jin_key(jin *j, const char *key);
void jin_index(jin *j, size_t index);
void jin_up(jin *j);

/* Fail at the value in hand: "path: sentence". */
int jin_fail(jin *j, int code, const char *fmt, ...) ATG_PRINTF(3, 4);
/* The same at a member of it. */
int jin_fail_key(jin *j, const char *key, int code, const char *fmt, ...) ATG_PRINTF(4, 5);
int jin_nomem(jin *j);

/* "path" of the value in hand, in `ret`. */
void jin_path(const jin *j, char *ret, size_t n);

/* Note every key of `obj` that is not in the list, which NULL ends. */
void jin_known(jin *j, const json_t *obj, const char *const *keys);

/* The value in hand must be of this kind. */
int jin_is_object(jin *j, const json_t *v);
int jin_is_array(jin *j, const json_t *v);
/* A view that lives as long as the piece. */
int jin_is_text(jin *j, const json_t *v, atg_str *ret);
/* Not empty, without control characters, at most `max` bytes; a view. */
int jin_is_id(jin *j, const json_t *v, size_t max, atg_str *ret);

/* Members of `obj`.  Optional and absent or null: `*ret` stays as it is.  Texts are views. */
int jin_get_text(jin *j, const json_t *obj, const char *key, jin_need need, atg_str *ret);
int jin_get_id(jin *j, const json_t *obj, const char *key, jin_need need, atg_str *ret);
int jin_get_number(jin *j, const json_t *obj, const char *key, jin_need need, double *ret);
/* A number from 0 to 1. */
int jin_get_share(jin *j, const json_t *obj, const char *key, jin_need need, double *ret);
int jin_get_count(jin *j, const json_t *obj, const char *key, jin_need need, uint32_t *ret);
int jin_get_bool(jin *j, const json_t *obj, const char *key, bool *ret);
int jin_get_sex(jin *j, const json_t *obj, const char *key, atg_sex *ret);

/* A copy in the arena. */
int jin_keep(jin *j, atg_str *s);

#endif
