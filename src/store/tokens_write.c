/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/mem.h"
#include "store/tokens_internal.h"

enum { AT_ONCE = 1 << 14 }; /* rows of one statement on PostgreSQL */

static const db_statement add_tokens = {
    "add_tokens", "INSERT INTO token(token, file, count) SELECT unnest, $2, 1 FROM unnest($1) "
                  "WHERE true ON CONFLICT (token, file) DO UPDATE SET count = token.count + 1"};
/* Those that no other record of the file has, and then the others. */
static const db_statement drop_tokens = {
    "drop_tokens", "DELETE FROM token WHERE file = $2 AND count = 1 AND token IN (SELECT unnest "
                   "FROM unnest($1))"};
static const db_statement count_tokens_out = {
    "count_tokens_out", "UPDATE token SET count = count - 1 WHERE file = $2 AND count > 1 AND "
                        "token IN (SELECT unnest FROM unnest($1))"};

/* Of new files: without ON CONFLICT, which costs PostgreSQL half as much again. */
static const db_statement insert_token = {
    "insert_token", "INSERT INTO token(token, file, count) VALUES ($1, $2, $3)"};
static const db_statement insert_tokens = {
    "insert_tokens",
    "INSERT INTO token(token, file, count) SELECT t, f, c FROM unnest($1, $2, $3) AS u(t, f, c)"};

static int out_of_memory(atg_err *err) {
    return atg_fail(err, ATG_ENOMEM, "Out of memory for search words");
}

/* The kinds that an age has; they stay when the last record that has them goes. */
static const db_statement add_kinds = {
    "add_kinds", "INSERT INTO token(token, file, count) SELECT $2, unnest, 1 FROM unnest($1) WHERE "
                 "true ON CONFLICT (token, file) DO NOTHING"};

static int post_kinds(db *d, int64_t file, const int64_t *kinds, size_t n, atg_err *err) {
    if (n == 0)
        return ATG_OK;
    return db_post(d, &add_kinds, (db_value[]){db_ints(kinds, n), db_int(token_kinds(file))}, 2,
                   err);
}

/* ---- one record ---- */

/* Those of `a` that are not in `b`: kinds, and behind them tokens as rows of the file. */
static size_t difference(const token_set *a, const token_set *b, int64_t file, int64_t *ret,
                         size_t *ret_kinds) {
    uint32_t k = 0, n_b = b ? b->n : 0;
    size_t n = 0;

    *ret_kinds = 0;
    for (uint32_t i = 0; a && i < a->n; i++) {
        while (k < n_b && b->tokens[k] < a->tokens[i])
            k++;
        if (k < n_b && b->tokens[k] == a->tokens[i])
            continue;
        *ret_kinds += a->tokens[i] < TOKEN_LEAST;
        ret[n++] = a->tokens[i] < TOKEN_LEAST ? a->tokens[i] : token_row(a->tokens[i], file);
    }
    return n;
}

int tokens_change(db *d, int64_t n, const token_set *before, const token_set *now, atg_err *err) {
    size_t most = (before ? before->n : 0) + (now ? now->n : 0), gone, new, kinds = 0;
    MEM_AUTO int64_t *list = mem_alloc((most ? most : 1) * sizeof(*list));
    int rc = ATG_OK;

    if (!list)
        return out_of_memory(err);
    gone = difference(before, now, n, list, &kinds);
    if (gone > kinds) {
        db_value values[] = {db_ints(list + kinds, gone - kinds), db_int(n)};

        rc = db_post(d, &drop_tokens, values, 2, err);
        if (rc == ATG_OK)
            rc = db_post(d, &count_tokens_out, values, 2, err);
    }
    new = difference(now, before, n, list, &kinds);
    if (rc == ATG_OK)
        rc = post_kinds(d, n, list, kinds, err);
    if (rc == ATG_OK && new > kinds)
        rc = db_post(d, &add_tokens, (db_value[]){db_ints(list + kinds, new - kinds), db_int(n)}, 2,
                     err);
    return rc;
}

/* ---- many ---- */

/* The kinds that stand in front of the pairs, one age after the other. */
static int insert_kinds(db *d, const token_pair *pairs, uint32_t n, atg_err *err) {
    MEM_AUTO int64_t *list = mem_alloc(TOKEN_LEAST * sizeof(*list));
    int64_t age = -1, next = 0;
    int rc = ATG_OK;

    if (!list)
        return out_of_memory(err);
    while (rc == ATG_OK && next < INT64_MAX) {
        size_t to = 0;

        next = INT64_MAX;
        for (uint32_t i = 0; i < n; i++) {
            int64_t of = pairs[i].file >> AGE_BITS;

            if (of == age && (to == 0 || list[to - 1] != pairs[i].token))
                list[to++] = pairs[i].token;
            else if (of > age && of < next)
                next = of;
        }
        rc = age < 0 ? ATG_OK : post_kinds(d, age << AGE_BITS, list, to, err);
        age = next;
    }
    return rc;
}

/* The next pair of the list, and how often it stands there. */
static uint32_t next_pair(const token_pair *pairs, uint32_t n, uint32_t at) {
    uint32_t count = 1;

    while (at + count < n && pairs[at + count].token == pairs[at].token &&
           pairs[at + count].file == pairs[at].file)
        count++;
    return count;
}

static int insert_one_by_one(db *d, const token_pair *pairs, uint32_t n, atg_err *err) {
    int rc = ATG_OK;

    for (uint32_t i = 0, count; i < n && rc == ATG_OK; i += count) {
        count = next_pair(pairs, n, i);
        rc = db_post(d, &insert_token,
                     (db_value[]){db_int(token_row(pairs[i].token, pairs[i].file)),
                                  db_int(pairs[i].file), db_int(count)},
                     3, err);
    }
    return rc;
}

/* A statement costs a server more than a row does. */
static int insert_in_lists(db *d, const token_pair *pairs, uint32_t n, atg_err *err) {
    uint32_t cap = n < AT_ONCE ? n : AT_ONCE, most = 0;
    MEM_AUTO int64_t *lists = mem_alloc(3 * (size_t)cap * sizeof(*lists));
    int64_t *tokens = lists, *files, *counts;
    int rc = ATG_OK;

    if (!lists)
        return out_of_memory(err);
    files = lists + cap;
    counts = lists + 2 * (size_t)cap;
    for (uint32_t i = 0, count; i < n && rc == ATG_OK; i += count) {
        count = next_pair(pairs, n, i);
        tokens[most] = token_row(pairs[i].token, pairs[i].file);
        files[most] = pairs[i].file;
        counts[most++] = count;
        if (most < cap && i + count < n)
            continue;
        rc = db_post(
            d, &insert_tokens,
            (db_value[]){db_ints(tokens, most), db_ints(files, most), db_ints(counts, most)}, 3,
            err);
        most = 0;
    }
    return rc;
}

int tokens_insert(db *d, const token_pair *pairs, uint32_t n, atg_err *err) {
    uint32_t kinds = 0;
    int rc;

    while (kinds < n && pairs[kinds].token < TOKEN_LEAST)
        kinds++;
    rc = insert_kinds(d, pairs, kinds, err);
    if (rc || kinds == n)
        return rc;
    return db_kind_of(d) == DB_SQLITE ? insert_one_by_one(d, pairs + kinds, n - kinds, err)
                                      : insert_in_lists(d, pairs + kinds, n - kinds, err);
}
