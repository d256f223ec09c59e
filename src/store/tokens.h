/* SPDX-License-Identifier: Apache-2.0 */
/* Search on keyed tokens: what is in a sealed field is found by BLAKE2b tokens under the
 * operation's token key, the same on both databases.  Nobody without the key can look a word up or
 * read one back; what the table leaks all the same stands in docs/threats.md.
 *
 * A word is folded (ICU: NFKC, case, marks dropped, width), and so are its romanisations (Cyrillic,
 * Greek, Arabic, Hebrew, Han): 王偉, Олександр and محمد are found as written and in Latin letters.
 * Tokens: of a word itself, of its beginnings of 1, 2, 3, 4 and 6 letters, and of each three
 * letters in a row of names (two of Han, Hiragana, Katakana and Hangul); of codes: whole, without
 * punctuation, and their beginnings and ends; of dates: the day, the month, the year.
 *
 * The class of the field (record.h) is part of each token, so that whoever may not read names
 * cannot find out by searching who is there: a query looks only for tokens of the classes it is
 * given. */
#ifndef ATG_STORE_TOKENS_H
#define ATG_STORE_TOKENS_H

#include "model/record.h"
#include "store/files.h"
#include "store/keys.h"

/* A set of tokens in the making, each once. */
typedef struct token_set {
    atg_arena *arena;
    int64_t *tokens;
    uint32_t n, cap;
} token_set;

/* Add the tokens of all searchable fields of a record that are known. */
int tokens_of_record(token_set *set, const key256 *key, const record *r, atg_err *err);
/* Sort, and drop what is there twice. */
void tokens_sort(token_set *set);

/* Count the tokens of `now` in, and those of `before` out, for file number n; either may be NULL.
 * Both are sorted. */
int tokens_change(db *d, int64_t n, const token_set *before, const token_set *now, atg_err *err);
/* The same for many new files at once: pairs sorted by token and file. */
typedef struct token_pair {
    int64_t token, file;
} token_pair;
int tokens_insert(db *d, const token_pair *pairs, uint32_t n, atg_err *err);

/* How a typed query is taken: its words must all be found; a word is the beginning of one, "exact"
 * in quotes, *infix* between stars; something with digits is also a code or a date. */
typedef struct search_query {
    uuid operation;
    int kind; /* record_kind of the files, or -1 */
    int state, sex;
    uint32_t classes; /* 1 << field_class: what the account may read */
    atg_str text;
    int64_t before; /* files with a smaller number only (paging, the latest first); 0: all */
    uint32_t limit;
} search_query;

/* Does a record answer the typed words?  Tokens say "perhaps" for what is longer than them; this
 * looks at the fields themselves. */
typedef bool search_check(void *user, const file_row *f, atg_err *err);

/* The files that have all tokens of the query, by number, the latest first.  ATG_EINVAL with what
 * to type when nothing of the query can be searched. */
int tokens_search(db *d, atg_arena *arena, const key256 *key, const search_query *q,
                  search_check *check, void *user, file_row **ret, uint32_t *ret_n, atg_err *err);

/* Whether the words of the query stand in the record's searchable fields of these classes. */
bool search_matches(atg_arena *arena, atg_str text, uint32_t classes, const record *r);

/* The beginning of the ICU sort key (root collation) of a text, at most FILE_SORT_MAX bytes. */
int tokens_sort_key(atg_arena *arena, atg_str text, atg_str *ret, atg_err *err);

#endif
