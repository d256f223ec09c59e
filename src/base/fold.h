/* SPDX-License-Identifier: Apache-2.0 */
/* Texts as they are compared: without case, marks, width, and the habits of spelling that differ
 * from hand to hand.
 *
 * Folding is NFKC and case folding of Unicode (ICU), then: marks go from Latin, Greek and Cyrillic
 * letters (é e, ё е, й и); letters that do not come apart are taken as their nearest (ł l, ø o, æ
 * ae, ß ss, ı i); of Arabic, tatweel and vowel signs go, and forms of alef, hamza, yeh, kaf and teh
 * marbuta become one; of Hebrew, points go and final forms become the usual ones; Katakana becomes
 * Hiragana, a traditional Han character the simplified one, every digit one of 0-9.  Vowel signs of
 * Indic and other scripts stay: they are letters there.  Folding what is folded changes nothing. */
#ifndef ATG_BASE_FOLD_H
#define ATG_BASE_FOLD_H

#include <antigone/base.h>

/* A longer word is cut.  No more than so many marks in a row are read. */
enum { FOLD_WORD = 64, FOLD_MARKS = 30 };

typedef enum fold_script {
    FOLD_DIGITS, /* no letter */
    FOLD_LATIN,
    FOLD_CYRILLIC,
    FOLD_GREEK,
    FOLD_ARABIC,
    FOLD_HEBREW,
    FOLD_SYLLABLES, /* Han, Hiragana, Hangul: a character is a syllable, blanks are rare */
    FOLD_OTHER,
} fold_script;

/* Code points, and of ä, ö, ü, å and ø the letter that stands for the mark where it cannot be
 * written (ae, oe, ue, aa, oe), else 0. */
typedef struct fold_text {
    uint32_t *cp;
    char *spelled;
    uint32_t n;
} fold_text;

/* Letters and digits side by side.  An apostrophe between letters joins (O'Brien: obrien), all
 * else parts; letters of two scripts are two words. */
typedef struct fold_word {
    const uint32_t *cp;
    const char *spelled; /* NULL: nothing in it is spelled otherwise */
    uint32_t n;
    fold_script script;
    bool digit;          /* has one */
    bool hyphen;         /* nothing but a hyphen stands between it and the next word */
    uint32_t apostrophe; /* where what stands behind the last apostrophe begins; 0: there is none */
    uint32_t chunk;      /* counts what blanks, commas and semicolons part */
} fold_word;

/* Fold a text.  A byte that is not UTF-8 parts words. */
int fold_read(atg_arena *arena, atg_str text, fold_text *ret, atg_err *err);

/* Its words, in order; at most `limit`, the rest is not read.  They take the text's place. */
int fold_words(atg_arena *arena, fold_text *text, uint32_t limit, fold_word **ret, uint32_t *ret_n,
               atg_err *err);

/* The folded text as UTF-8. */
int fold_utf8(atg_arena *arena, const uint32_t *cp, size_t n, atg_str *ret, atg_err *err);

fold_script fold_script_of(uint32_t cp);

#endif
