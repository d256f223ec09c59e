/* SPDX-License-Identifier: Apache-2.0 */
/* Folded words (base/fold.h) of other scripts in Latin letters: as they are usually written, and as
 * keys that are the same for every usual spelling.  All results are a-z; what no rule knows is left
 * out.  Nothing here allocates or fails. */
#ifndef ATG_BASE_ROMAN_H
#define ATG_BASE_ROMAN_H

#include "base/fold.h"

enum { ROMAN = FOLD_WORD, ROMAN_KEYS = 8 };

/* A longer one is cut. */
typedef struct roman {
    char s[ROMAN + 1];
    uint32_t n;
} roman;

/* Cyrillic as passports of Ukraine (2010), or as Russian is usually written in English. */
typedef enum roman_scheme { ROMAN_UKRAINIAN, ROMAN_RUSSIAN } roman_scheme;
void roman_cyrillic(const uint32_t *cp, uint32_t n, roman_scheme scheme, roman *ret);

/* The key of a Cyrillic word: one letter for each that spellings do not keep apart (y, i, j, ii,
 * iy: i; h, g: g; Ye, E at the beginning: e; double letters once).  `begins`: these are the first
 * letters of a word.  The key of a part is a part of the key. */
void roman_cyrillic_key(const uint32_t *cp, uint32_t n, bool begins, roman *ret);
/* The keys that a word in Latin letters may stand for: how many. */
uint32_t roman_latin_keys(const uint32_t *cp, uint32_t n, bool begins, roman ret[ROMAN_KEYS]);

/* Greek as passports do (ELOT 743). */
void roman_greek(const uint32_t *cp, uint32_t n, roman *ret);

/* Hiragana, Hepburn as it is spelled ("satou"), and with long vowels short ("sato"): 1 or 2. */
uint32_t roman_kana(const uint32_t *cp, uint32_t n, roman ret[2]);

bool roman_is_han(uint32_t cp);
bool roman_is_kana(uint32_t cp);
bool roman_is_hangul(uint32_t cp);

/* A Han character in pinyin without tones, as the first of a family name or else; "" unknown. */
const char *roman_han(uint32_t cp, bool family);
/* A Hangul syllable, Revised Romanisation. */
void roman_hangul(uint32_t cp, roman *ret);
/* How else the family name of this one syllable is written (Kim, Lee, Park), blanks between;
 * NULL: no other way. */
const char *roman_hangul_family(uint32_t cp);

/* The consonants of an Arabic or Hebrew word, those alike as one; `ends_open`: behind them stands a
 * vowel, or a letter that may be one.  A vowel at the beginning is "a".  Muhammad, Mohamed: mhmd;
 * Fatima: ftm, open. */
typedef struct skeleton {
    roman key;
    bool ends_open;
} skeleton;

/* False: not Arabic or Hebrew, or without a consonant. */
bool roman_skeleton(const uint32_t *cp, uint32_t n, skeleton *ret);
/* Those that a word in Latin letters may stand for: how many. */
uint32_t roman_latin_skeletons(const uint32_t *cp, uint32_t n, skeleton ret[ROMAN_KEYS]);

#endif
