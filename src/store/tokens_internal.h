/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the search share.
 *
 * A record is told as forms: what each word of its searchable fields may be looked up as.  A query
 * is told as parts, each with the forms that answer it.  The tokens of a form and those that a part
 * asks for are made here and nowhere else, so that what is put in is what is looked for. */
#ifndef ATG_STORE_TOKENS_INTERNAL_H
#define ATG_STORE_TOKENS_INTERNAL_H

#include "base/fold.h"
#include "base/roman.h"
#include "store/tokens.h"

typedef enum form_kind {
    FORM_WORD,      /* as it is folded, in any script */
    FORM_CYRILLIC,  /* the key of a Cyrillic word (base/roman.h) */
    FORM_SKELETON,  /* the consonants of an Arabic or Hebrew word */
    FORM_SYLLABLES, /* Han, kana, Hangul in a row */
    FORM_CODE,      /* letters and digits of a code, without what is between */
    FORM_OWN_CODE,  /* the same of a printed code of ours, AM-K3-000123 */
    FORM_NUMBER,    /* its number, 123 */
    FORM_DATE,      /* "1984", "1984-03", "1984-03-12" */
} form_kind;

enum { FORM_KINDS = FORM_DATE + 1 };

/* Lengths of the beginnings of a word that have a token, from 2 in names and from 3 elsewhere; of
 * what stands inside names; of the beginnings and the end of a code. */
#define BEGIN_TOKENS 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 16
enum { BEGIN_LEAST = 2, BEGIN_OTHERS = 3, INSIDE = 3, CODE_SHORT = 4, CODE_LONG = 6 };

/* Where a word stands. */
typedef struct token_place {
    record_kind record;
    field_class class;
} token_place;

typedef struct form {
    form_kind kind;
    token_place place;
    const uint32_t *cp;
    uint32_t n;
    uint32_t begin; /* the shortest beginning that finds it; 0: only the whole does */
    bool inside;    /* found by what stands in it too: names */
} form;

typedef int form_fn(void *user, const form *f, atg_err *err);

/* Tell the forms of the searchable fields of the scope that are known. */
int forms_of_record(atg_arena *arena, const record *r, const search_scope *scope, form_fn *fn,
                    void *user, atg_err *err);

/* Those of some fields (bits) alone, as if the record had no others. */
int forms_of_fields(atg_arena *arena, const record *r, uint64_t fields, form_fn *fn, void *user,
                    atg_err *err);

/* How many of the words stand together, without a blank between. */
uint32_t forms_chunk(const fold_word *words, uint32_t n);
/* Their letters and digits side by side: how many. */
uint32_t forms_code(const fold_word *words, uint32_t n, uint32_t ret[FOLD_WORD]);
/* How many noughts the digits of a number begin with. */
uint32_t forms_noughts(const uint32_t *cp, uint32_t n);
/* A year; with a month; with a day. */
uint32_t forms_date(int32_t year, uint32_t month, uint32_t day, uint32_t ret[FOLD_WORD]);
/* Letters of the Arabic article that the word begins with, or 0. */
uint32_t forms_article(const uint32_t *cp, uint32_t n);

/* ---- queries ---- */

typedef enum part_mode { PART_BEGIN, PART_WHOLE, PART_INSIDE } part_mode;

/* One way to write what was typed. */
typedef struct part_form {
    form_kind kind;
    uint32_t cp[FOLD_WORD + 1];
    uint32_t n;
    bool longer; /* only words that go on behind it answer */
} part_form;

enum { PART_FORMS = 24, QUERY_PARTS = 48, QUERY_ITEMS = 16, QUERY_BYTES = 1000 };

typedef struct part {
    part_mode mode;
    bool hint; /* too short for tokens: it only says more about what other words find */
    part_form *forms;
    uint32_t n;
} part;

/* What was typed between blanks or in quotes: all of its words, or all of it as one thing. */
typedef struct item {
    uint32_t first, n_words; /* parts, one a word */
    uint32_t n_whole;        /* parts behind them, each of which is enough */
} item;

struct search_words {
    part *parts;
    uint32_t n_parts;
    item items[QUERY_ITEMS];
    uint32_t n_items;
    search_scope scope;
};

bool part_has_digit(const part_form *q);

/* Does the form answer the part? */
bool part_answers(const part *p, const form *f);

/* ---- tokens ---- */

/* What a token stands for, beside the letters. */
typedef enum token_use {
    USE_WHOLE = 'w',
    USE_BEGIN = 'b',
    USE_END = 'e',
    USE_INSIDE = 'i',
    USE_SYLLABLE = '1',
    USE_PAIR = '2',
    USE_ANY = 'a',
} token_use;

/* At least TOKEN_LEAST, 56 bits. */
int64_t token_of(const key256 *key, token_place place, form_kind kind, token_use use,
                 const uint32_t *cp, uint32_t n);

/* What a record has that has any token of this kind there: less than TOKEN_LEAST.  Two that
 * are the same by chance only cost time. */
int64_t token_any(const key256 *key, token_place place, form_kind kind);

/* In the table a token is told apart by the age of the file: so new files go into a small part of
 * the table that is in memory, not over all of it, and searching goes from age to age.  An age is
 * this many file numbers. */
enum { TOKEN_LEAST = 1 << 12, TOKEN_BITS = 56, AGE_BITS = 18 };
#define TOKEN_MASK ((INT64_C(1) << TOKEN_BITS) - 1)

static inline int64_t token_row(int64_t token, int64_t file) {
    return (int64_t)((uint64_t)token | (uint64_t)file >> AGE_BITS << TOKEN_BITS);
}

/* Under this token an age has, instead of files, what token_any() gave for its records, so that
 * nobody looks there for tokens of places and kinds that it has none of. */
static inline int64_t token_kinds(int64_t file) {
    return token_row(0, file);
}

/* A file that has one of these tokens may answer; one that has a sure one does. */
typedef struct clause_token {
    int64_t token, any;
    bool sure;
} clause_token;

typedef struct clause {
    clause_token *tokens;
    uint32_t n;
    bool open; /* others may answer too */
} clause;

enum { CLAUSES = 24 };

/* What a file must have: one token of each clause. */
typedef struct search_plan {
    clause clauses[CLAUSES];
    uint32_t n;
    bool partial; /* more was asked for: nothing is sure */
} search_plan;

/* `kinds`: which token_any() there are; NULL: all.  ATG_EINVAL when no clause leads to a file. */
int tokens_plan(atg_arena *arena, const key256 *key, const search_words *words,
                const unsigned char *kinds, search_plan *ret, atg_err *err);

#endif
