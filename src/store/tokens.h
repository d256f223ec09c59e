/* SPDX-License-Identifier: Apache-2.0 */
/* Search on keyed tokens: what is in a sealed field is found by BLAKE2b tokens under the
 * operation's token key, the same on both databases.  Nobody without the key can look a word up or
 * read one back; what the table leaks all the same stands in docs/search.md, with all that a query
 * can say.
 *
 * A word is folded (base/fold.h) and, in other scripts than Latin, also romanised or told by its
 * consonants (base/roman.h): 王偉, Олександр and محمد are found as written and in Latin letters.
 * Tokens:
 *   of a word: itself, and its beginnings of 3, 4, 5 and 7 letters that are shorter than it; in
 *     names that of 2 too, and each three letters in a row but the first, which are a beginning;
 *   of Han, kana and Hangul: the row of them, each two in a row; in names each one;
 *   of codes: whole, without what is between letters and digits, their beginnings of 4 and 6 and
 *     their end of 4; of printed codes of ours: whole, and the number;
 *   of dates: the day, the month, the year, as far as they are known.
 * That is about 8 for a word of a name and 4 for another.
 *
 * The kind of the record and the class of the field (record.h) are part of each token, so that
 * whoever may not read names, or not those of informants, cannot find out by searching who is
 * there: a query looks only for tokens of what it is given. */
#ifndef ATG_STORE_TOKENS_H
#define ATG_STORE_TOKENS_H

#include "model/record.h"
#include "store/files.h"
#include "store/keys.h"

/* A set of tokens in the making. */
typedef struct token_set {
    atg_arena *arena;
    int64_t *tokens;
    uint32_t n, cap;
} token_set;

/* Add the tokens of all searchable fields of a record that are known.  Of a text of many thousand
 * words the last are left out. */
int tokens_of_record(token_set *set, const key256 *key, const record *r, atg_err *err);
/* Sort, and drop what is there twice. */
void tokens_sort(token_set *set);

/* What tokens_change() is to be told when the fields `changed` (bits) of a record differ: of both
 * sets, sorted, at least the tokens that the other one has not.  Small changes cost little.  NULL
 * or a withdrawn record has no tokens. */
int tokens_of_change(const key256 *key, const record *before, const record *now, uint64_t changed,
                     token_set *ret_before, token_set *ret_now, atg_err *err);

/* Count the tokens of `now` in, and those of `before` out, for file number n; either may be NULL.
 * Both are sorted.  What another record of the file has too stays. */
int tokens_change(db *d, int64_t n, const token_set *before, const token_set *now, atg_err *err);
/* The same for many new files at once, each in one call with all its records: pairs sorted by token
 * and file.  ATG_ECONFLICT, at the latest in db_commit(): a file has tokens already.  The more at a
 * time, the fewer pages are written: 2^20 for a large import. */
typedef struct token_pair {
    int64_t token, file;
} token_pair;
int tokens_insert(db *d, const token_pair *pairs, uint32_t n, atg_err *err);

/* A typed query.  Its words must all be found in a file, in any of its records; a word is the
 * beginning of one, or exact in quotes, or anywhere *in it behind a star; a code or date is
 * also found as such. */
typedef struct search_words search_words;

/* What an account may read: of each kind of records, 1 << field_class. */
typedef struct search_scope {
    uint32_t classes[RECORD_KINDS];
} search_scope;

/* ATG_ELIMIT: too long. */
int search_read(atg_arena *arena, atg_str text, const search_scope *scope, search_words **ret,
                atg_err *err);
/* What of the query stands in a record: bits, to be put together over the records of a file. */
int search_look(atg_arena *arena, const search_words *words, const record *r, uint64_t *found,
                atg_err *err);
/* Is that all of it? */
bool search_answered(const search_words *words, uint64_t found);

/* Does a file answer the typed words?  1, 0, or a failure.  Tokens say "perhaps" for what is longer
 * than them; only then this looks at the fields themselves, best at the file's own record first,
 * where names stand. */
typedef int search_check(void *user, const search_words *words, const file_row *f, atg_err *err);

typedef struct search_query {
    uuid operation;
    int kind; /* record_kind of the files, or -1 */
    int state, sex;
    search_scope scope;
    atg_str text;
    int64_t before; /* files with a smaller number only (paging, the latest first); 0: all */
    uint32_t limit;
    const key256 *key; /* of the operation's tokens */
    search_check *check;
    void *user;
} search_query;

/* The files that answer the query, by number, the latest first, without those that were withdrawn.
 * ATG_EINVAL with what to type when nothing of the query can be searched; ATG_ELIMIT when very many
 * files may have what was typed and few do. */
int tokens_search(db *d, atg_arena *arena, const search_query *q, file_row **ret, uint32_t *ret_n,
                  atg_err *err);

/* The beginning of the ICU sort key (root collation) of a text, at most FILE_SORT_MAX bytes. */
int tokens_sort_key(atg_arena *arena, atg_str text, atg_str *ret, atg_err *err);

#endif
