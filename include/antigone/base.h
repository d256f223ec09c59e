/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file antigone/base.h
 * Errors, strings, arenas, growing buffers, random numbers and progress: the vocabulary every
 * other antigone header uses.
 *
 * Errors.  A function that can fail returns an int: ATG_OK (0) or one negative ATG_E* code.
 * Its last parameter is `atg_err *err`; pass NULL when only the code matters.  An atg_err is
 * plain memory owned by the caller: reporting an error never allocates, so ATG_ENOMEM can be
 * reported too.  Output parameters are named `ret`, come just before `err`, and are written
 * on success only.
 *
 * Memory.  A value made inside an arena lives exactly as long as the arena; there is nothing
 * to free one by one.  A handle made by atg_x_open() or atg_x_new() belongs to the caller and
 * is given back to atg_x_close() or atg_x_free(), which accept NULL.
 *
 * Threads.  No function keeps hidden state.  An arena or a handle serves one thread at a
 * time unless its header says otherwise; const data may be read by all.
 */
#ifndef ATG_BASE_H
#define ATG_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ATG_API __attribute__((visibility("default")))
#define ATG_MUST_USE __attribute__((warn_unused_result))
#define ATG_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/** Run `type##_free` on the variable when it leaves scope, on every path. */
/* NOLINTNEXTLINE(bugprone-macro-parentheses) */
#define ATG_AUTO(type) __attribute__((cleanup(type##_freep))) type *

/** Failure codes.  Their numbers are part of the API and are never reused. */
enum {
    ATG_OK = 0,
    ATG_EINVAL = -1, /**< The caller broke a documented rule. */
    ATG_ENOMEM = -2, /**< Out of memory; nothing was changed. */
    ATG_EPARSE = -3, /**< Input does not follow its format; err has the place. */
    ATG_ELIMIT = -4, /**< Input is well formed but larger than we accept. */
    ATG_ENOTFOUND = -5,
    ATG_ECONFLICT = -6, /**< Somebody else changed the record first. */
    ATG_EDENIED = -7,
    ATG_EIO = -8,
    ATG_EDB = -9,
    ATG_ECANCEL = -10, /**< The progress callback asked to stop; nothing was kept. */
    ATG_EFULL = -11,   /**< There is no room on the disk. */
};

/** What went wrong, in words, and where in the input. */
typedef struct atg_err {
    int code;
    uint32_t line; /**< 1-based; 0 when it has no meaning. */
    uint32_t col;  /**< 1-based byte in the line; 0 when it has no meaning. */
    char msg[400]; /**< One English sentence without a final newline. */
} atg_err;

/** Fill `err` if there is one, and return `code`, so that callers can `return atg_fail(...)`. */
ATG_API int atg_fail(atg_err *err, int code, const char *fmt, ...) ATG_PRINTF(3, 4);

/** The same with a place in the input (1-based line and column, 0 for none). */
ATG_API int atg_fail_at(atg_err *err, int code, uint32_t line, uint32_t col, const char *fmt, ...)
    ATG_PRINTF(5, 6);

/* The macros show a compiler, and whatever analyses the caller, that `code` comes back; it is
 * evaluated twice. */
static inline int atg_fail_code(int returned, int code) {
    (void)returned;
    return code;
}
#define atg_fail(err, code, ...) atg_fail_code((atg_fail)(err, code, __VA_ARGS__), code)
#define atg_fail_at(err, code, line, col, ...)                                                     \
    atg_fail_code((atg_fail_at)(err, code, line, col, __VA_ARGS__), code)

/** Bytes that belong to somebody else.  Not NUL-terminated. */
typedef struct atg_str {
    const char *p;
    size_t n;
} atg_str;

#define ATG_STR(literal) ((atg_str){(literal), sizeof(literal) - 1})
/** For printf: `printf("%.*s", ATG_FMT(s))`. */
#define ATG_FMT(s) (int)(s).n, ((s).p ? (s).p : "")

/** A view of a NUL-terminated string; NULL gives the empty view. */
ATG_API atg_str atg_str_of(const char *z);
ATG_API bool atg_str_eq(atg_str a, atg_str b);
/** The same, ASCII letters compared without case. */
ATG_API bool atg_str_eq_nocase(atg_str a, atg_str b);
/** Byte order: negative, 0 or positive as strcmp. */
ATG_API int atg_str_cmp(atg_str a, atg_str b);
/** Without leading and trailing blanks, tabs, CR and LF. */
ATG_API atg_str atg_str_trim(atg_str s);

/** Cut `*rest` at the first `sep`: return what is before it and leave what is after it. */
ATG_API atg_str atg_str_cut(atg_str *rest, char sep);

typedef struct atg_arena atg_arena;

/** Make an arena that refuses to grow past `limit` bytes.  NULL when memory is short. */
ATG_API atg_arena *atg_arena_new(size_t limit);
ATG_API void atg_arena_free(atg_arena *arena);

/** Zeroed memory for `count` objects of `size` bytes, or NULL.  `count * size` may not wrap. */
ATG_API ATG_MUST_USE void *atg_arena_get(atg_arena *arena, size_t count, size_t size);

#define ATG_GET(arena, type, count) ((type *)atg_arena_get((arena), (count), sizeof(type)))

/** Copy of `s` in the arena, NUL-terminated behind its `n` bytes; {NULL, 0} if memory is short. */
ATG_API atg_str atg_arena_str(atg_arena *arena, atg_str s);
/** printf into the arena; {NULL, 0} when memory is short. */
ATG_API atg_str atg_arena_printf(atg_arena *arena, const char *fmt, ...) ATG_PRINTF(2, 3);

static inline void atg_arena_freep(atg_arena **p) {
    atg_arena_free(*p);
}

/**
 * A growing text or byte buffer with a ceiling.  Appending never fails loudly: the first failure
 * (memory or ceiling) is remembered, later appends do nothing, and atg_buf_take() reports it.
 */
typedef struct atg_buf atg_buf;

/** Make a buffer that refuses to grow past `limit` bytes.  NULL when memory is short. */
ATG_API atg_buf *atg_buf_new(size_t limit);
ATG_API void atg_buf_free(atg_buf *buf);
ATG_API void atg_buf_add(atg_buf *buf, atg_str s);
ATG_API void atg_buf_adds(atg_buf *buf, const char *z);
ATG_API void atg_buf_printf(atg_buf *buf, const char *fmt, ...) ATG_PRINTF(2, 3);
/** What was appended so far; it belongs to the buffer and is valid until the next append. */
ATG_API ATG_MUST_USE int atg_buf_take(const atg_buf *buf, atg_str *ret, atg_err *err);

static inline void atg_buf_freep(atg_buf **p) {
    atg_buf_free(*p);
}

/** Random numbers: xoshiro256** seeded by splitmix64 (Blackman & Vigna 2018).  The same seed
 *  gives the same numbers on every machine.  Not for keys. */
typedef struct atg_rng {
    uint64_t s[4];
} atg_rng;

ATG_API atg_rng atg_rng_seed(uint64_t seed);
ATG_API uint64_t atg_rng_next(atg_rng *rng);
/** Uniform in [0, 1), 53 bits. */
ATG_API double atg_rng_unit(atg_rng *rng);
/** Uniform in [0, n), without modulo bias; n >= 1. */
ATG_API uint64_t atg_rng_below(atg_rng *rng, uint64_t n);

/**
 * Called now and then on long work, from the calling thread.  Return false to stop: the work
 * then fails with ATG_ECANCEL.  `done <= total`; `total` is 0 while unknown.
 */
typedef struct atg_progress {
    bool (*step)(void *user, const char *phase, uint64_t done, uint64_t total);
    void *user;
} atg_progress;

#endif
