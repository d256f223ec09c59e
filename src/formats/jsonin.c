/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/jsonin.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "formats/jsonscan.h"

enum { PATH_SIZE = 200 };

/* jansson 2.14 loses a byte of a long text when it cannot grow its buffer, and says nothing.  With
 * its memory from here, load() knows. */
__attribute__((constructor)) static void give_memory_to_jansson(void) {
    json_set_alloc_funcs(mem_alloc, mem_free);
}

void jin_key(jin *j, const char *key) {
    if (j->depth < JIN_DEPTH)
        j->steps[j->depth] = (jin_step){.key = key};
    j->depth++;
}

void jin_index(jin *j, size_t index) {
    if (j->depth < JIN_DEPTH)
        j->steps[j->depth] = (jin_step){.index = index};
    j->depth++;
}

void jin_up(jin *j) {
    j->depth--;
}

void jin_path(const jin *j, char *ret, size_t n) {
    size_t used = 0;

    *ret = '\0';
    for (int i = 0; i < j->depth && i < JIN_DEPTH && used < n; i++) {
        const jin_step *s = &j->steps[i];
        int k = s->key ? snprintf(ret + used, n - used, "%s%s", i ? "." : "", s->key)
                       : snprintf(ret + used, n - used, "[%zu]", s->index);

        used += k < 0 ? 0 : (size_t)k;
    }
}

/* Follow one step from the value at `at`; false when it is not found. */
static bool follow(atg_str b, size_t *at, const jin_step *step) {
    size_t i = *at + 1;
    atg_str key = {NULL, 0};

    if (*at >= b.n || b.p[*at] != (step->key ? '{' : '['))
        return false;
    for (size_t k = 0;; k++) {
        scan_result r = step->key ? scan_member(b, &i, k == 0, &key) : scan_element(b, &i, k == 0);

        if (r != SCAN_FOUND)
            return false;
        if (step->key ? atg_str_eq(key, atg_str_of(step->key)) : k == step->index)
            break;
        if (!scan_value(b, &i))
            return false;
    }
    *at = i;
    return true;
}

/* Where the value in hand starts, or the closest one around it that is written down. */
static size_t locate(const jin *j) {
    size_t at = j->piece.at;

    for (int i = j->piece_depth; i < j->depth && i < JIN_DEPTH; i++)
        if (!follow(j->bytes, &at, &j->steps[i]))
            break;
    return at;
}

static int fail_at(jin *j, int code, size_t at, const char *fmt, ...) ATG_PRINTF(4, 5);

static int fail_at(jin *j, int code, size_t at, const char *fmt, ...) {
    if (j->err) {
        va_list ap;

        *j->err = (atg_err){.code = code};
        scan_place(j->bytes, at, &j->err->line, &j->err->col);
        va_start(ap, fmt);
        vsnprintf(j->err->msg, sizeof(j->err->msg), fmt, ap);
        va_end(ap);
    }
    return code;
}

ATG_PRINTF(3, 0)
static int fail_here(jin *j, int code, const char *fmt, va_list ap) {
    if (j->err) {
        char path[PATH_SIZE], text[sizeof(j->err->msg)];

        jin_path(j, path, sizeof(path));
        vsnprintf(text, sizeof(text), fmt, ap);
        fail_at(j, code, locate(j), "%s%s%s", path, *path ? ": " : "", text);
    }
    return code;
}

int jin_fail(jin *j, int code, const char *fmt, ...) {
    va_list ap;

    va_start(ap, fmt);
    fail_here(j, code, fmt, ap);
    va_end(ap);
    return code;
}

int jin_fail_key(jin *j, const char *key, int code, const char *fmt, ...) {
    va_list ap;

    jin_key(j, key);
    va_start(ap, fmt);
    fail_here(j, code, fmt, ap);
    va_end(ap);
    jin_up(j);
    return code;
}

int jin_nomem(jin *j) {
    return atg_fail(j->err, ATG_ENOMEM, "Out of memory reading the operation");
}

static int bad_json(jin *j, size_t at, const char *what) {
    return fail_at(j, ATG_EPARSE, at, "This is not JSON: %s", what);
}

/* What jansson says of a piece.  Its position is the last byte that it read; where it names the
 * token, the place is the start of that. */
static int refused(jin *j, jin_extent piece, const json_error_t *e) {
    size_t at = e->position > 0 ? (size_t)e->position - 1 : 0;
    const char *token = strstr(e->text, "near '"), *end = token ? strrchr(token, '\'') : NULL;
    size_t n = end ? (size_t)(end - token) - strlen("near '") : 0;

    at = piece.at + (at < piece.n ? at : piece.n);
    if (n > 1 && at - piece.at >= n - 1)
        at -= n - 1;
    if (json_error_code(e) == json_error_duplicate_key)
        return fail_at(j, ATG_EPARSE, at, "The key %.*s stands twice in one object; remove one",
                       (int)n, token + strlen("near '"));
    return bad_json(j, at, e->text);
}

/* `flags` of jansson beside those that every piece is read with. */
static int load(jin *j, jin_extent piece, size_t flags, json_t **ret) {
    json_error_t e;
    size_t before = mem_refused();
    json_t *v = json_loadb(j->bytes.p + piece.at, piece.n,
                           JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | flags, &e);

    if (mem_refused() != before) {
        json_decref(v);
        return jin_nomem(j);
    }
    if (!v)
        return refused(j, piece, &e);
    j->piece = piece;
    j->piece_depth = j->depth;
    *ret = v;
    return ATG_OK;
}

int jin_load(jin *j, jin_extent piece, json_t **ret) {
    return load(j, piece, 0, ret);
}

/* The value at `at` has no end that fits: let jansson say where it goes wrong. */
static int unfinished(jin *j, size_t at) {
    json_t *v = NULL;
    int rc = load(j, (jin_extent){at, j->bytes.n - at}, JSON_DISABLE_EOF_CHECK, &v);

    if (rc)
        return rc;
    json_decref(v);
    return bad_json(j, at, "too many brackets in brackets");
}

static int add_member(jin *j, atg_str key, jin_extent value) {
    for (int i = 0; i < j->n_members; i++)
        if (atg_str_eq(j->members[i].key, key))
            return fail_at(j, ATG_EPARSE, value.at, "The key \"%.*s\" stands twice; remove one",
                           ATG_FMT(key));
    if (j->n_members == JIN_MEMBERS)
        return fail_at(j, ATG_ELIMIT, value.at, "More than %d members in the outermost object",
                       JIN_MEMBERS);
    j->members[j->n_members].key = key;
    j->members[j->n_members++].value = value;
    return ATG_OK;
}

static int open_members(jin *j) {
    size_t at = 0;
    atg_str key;

    scan_blank(j->bytes, &at);
    if (at >= j->bytes.n || j->bytes.p[at] != '{')
        return bad_json(j, at, "an object in braces is expected here");
    j->whole = j->piece = (jin_extent){at, j->bytes.n - at};
    at++;
    for (;;) {
        scan_result r = scan_member(j->bytes, &at, j->n_members == 0, &key);

        if (r == SCAN_END)
            break;
        if (r == SCAN_BAD)
            return bad_json(j, at,
                            "a key in quotes, a colon, a comma or a closing brace is "
                            "missing here");

        size_t from = at;

        if (!scan_value(j->bytes, &at))
            return unfinished(j, from);

        int rc = add_member(j, key, (jin_extent){from, at - from});

        if (rc)
            return rc;
    }
    at++;
    scan_blank(j->bytes, &at);
    return at < j->bytes.n ? bad_json(j, at, "text behind the closing brace") : ATG_OK;
}

int jin_open(jin *j, atg_arena *arena, atg_str bytes, atg_notes *notes, atg_err *err) {
    if (bytes.n > ATG_INPUT_MAX)
        return atg_fail(err, ATG_ELIMIT, "The file is larger than %d MiB",
                        ATG_INPUT_MAX / (1024 * 1024));
    if (bytes.n >= 3 && memcmp(bytes.p, "\xef\xbb\xbf", 3) == 0) {
        bytes.p += 3;
        bytes.n -= 3;
    }
    *j = (jin){.arena = arena, .bytes = bytes, .notes = notes, .err = err};

    const char *nul = bytes.n ? memchr(bytes.p, '\0', bytes.n) : NULL;

    if (nul)
        return fail_at(j, ATG_EPARSE, (size_t)(nul - bytes.p),
                       "A NUL byte: this is not UTF-8 text (UTF-16? save it as UTF-8)");
    return open_members(j);
}

int jin_enter(jin *j, const char *key, jin_need need, const jin_extent **ret) {
    j->piece = j->whole;
    j->piece_depth = j->depth = 0;
    *ret = NULL;
    for (int i = 0; i < j->n_members; i++) {
        if (!atg_str_eq(j->members[i].key, atg_str_of(key)))
            continue;
        jin_key(j, key);
        *ret = &j->members[i].value;
        return ATG_OK;
    }
    return need ? jin_fail(j, ATG_EPARSE, "The member \"%s\" is missing", key) : ATG_OK;
}

int jin_enter_load(jin *j, const char *key, jin_need need, json_t **ret) {
    const jin_extent *piece;
    int rc = jin_enter(j, key, need, &piece);

    *ret = NULL;
    return rc || !piece ? rc : jin_load(j, *piece, ret);
}

static int one_element(jin *j, jin_extent piece, jin_element_fn *fn, void *user, uint32_t index) {
    json_t *v = NULL;

    jin_index(j, index);

    int rc = jin_load(j, piece, &v);

    if (!rc)
        rc = fn(user, j, v, index);
    json_decref(v);
    jin_up(j);
    return rc;
}

int jin_each(jin *j, jin_extent array, jin_element_fn *fn, void *user) {
    /* The end of the array is known, so nothing is looked for behind it. */
    atg_str b = {j->bytes.p, array.at + array.n};
    size_t at = array.at + 1;

    j->piece = array;
    j->piece_depth = j->depth;
    if (b.p[array.at] != '[')
        return jin_fail(j, ATG_EPARSE, "A list in square brackets is expected here");
    for (uint32_t i = 0;; i++) {
        scan_result r = scan_element(b, &at, i == 0);

        if (r == SCAN_END)
            break;
        if (r == SCAN_BAD)
            return bad_json(j, at, "a comma or a closing bracket is missing here");

        size_t from = at;

        if (!scan_value(b, &at))
            return unfinished(j, from);

        int rc = one_element(j, (jin_extent){from, at - from}, fn, user, i);

        if (rc)
            return rc;
    }
    j->piece = array;
    j->piece_depth = j->depth;
    return at + 1 == b.n ? ATG_OK : bad_json(j, at, "a bracket of the wrong kind");
}
