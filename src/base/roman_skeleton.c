/* SPDX-License-Identifier: Apache-2.0 */
/* Arabic and Hebrew write consonants; Latin spellings of their names differ in the vowels and in
 * how consonants are told.  Both become the same few letters:
 *   s: s, sh, ts; h: h, kh and what is between; t, d: plain and emphatic; f: f, p; b: b, v */
#include "base/roman.h"

#include <string.h>

enum { ALEF = 0x627, LAM = 0x644, WAW = 0x648, YEH = 0x64a };
enum { HEBREW_ALEF = 0x5d0, HEBREW_TAV = 0x5ea };

/* U+05D0 to U+05EA; a: alef and ayin, w, y, and h may be vowels. */
static const char hebrew[] = "abgdhwzhtykklmmnnsaffsskrst";

/* Letters of Arabic, Persian and Urdu. */
static char arabic_letter(uint32_t cp) {
    static const char basic[] = {/* U+0627 to U+063A */
                                 'a', 'b', 'h', 't', 't', 'j', 'h', 'h', 'd', 'd',
                                 'r', 'z', 's', 's', 's', 'd', 't', 'z', 'a', 'g'};
    static const char rest[] = "fkklmnhw"; /* U+0641 to U+0648 */

    if (cp >= ALEF && cp < ALEF + sizeof(basic))
        return basic[cp - ALEF];
    if (cp >= 0x641 && cp <= WAW)
        return rest[cp - 0x641];
    switch (cp) {
    case YEH:
        return 'y';
    case 0x679:
        return 't';
    case 0x67e:
        return 'f';
    case 0x686:
        return 's';
    case 0x688:
        return 'd';
    case 0x691:
        return 'r';
    case 0x698:
        return 'z';
    case 0x6a4:
        return 'b';
    case 0x6af:
        return 'g';
    case 0x6ba:
        return 'n';
    default:
        return '\0';
    }
}

static char letter_of(uint32_t cp) {
    if (cp >= HEBREW_ALEF && cp <= HEBREW_TAV)
        return hebrew[cp - HEBREW_ALEF];
    return arabic_letter(cp);
}

static void add(roman *r, char c) {
    if (r->n < ROMAN)
        r->s[r->n++] = c;
    r->s[r->n] = '\0';
}

static bool has_consonant(const skeleton *s) {
    return s->key.n > (s->key.s[0] == 'a') && s->key.n + s->ends_open > 1;
}

bool roman_skeleton(const uint32_t *cp, uint32_t n, skeleton *ret) {
    *ret = (skeleton){0};
    for (uint32_t i = 0; i < n; i++) {
        char c = letter_of(cp[i]);
        bool vowel = c == 'a' || c == 'w' || c == 'y' ||
                     (c == 'h' && cp[i] != 0x62d && cp[i] != 0x62e && cp[i] != 0x5d7);

        if (i > 0 && cp[i] == LAM && cp[i - 1] == LAM) /* as in Allah */
            continue;
        if (i > 0 && i + 1 == n && vowel)
            ret->ends_open = true;
        else if (c && (i == 0 || c == 'h' || !vowel))
            add(&ret->key, c);
    }
    return has_consonant(ret);
}

/* ---- Latin spellings ---- */

typedef struct reading {
    const uint32_t *cp;
    uint32_t n, at;
    skeleton *all;
    uint32_t n_all;
} reading;

static uint32_t letter_at(const reading *r, uint32_t at) {
    return at < r->n ? r->cp[at] : 0;
}

static bool is_vowel(uint32_t c) {
    return c && c < 0x80 && strchr("aeiouyw", (int)c);
}

/* Each skeleton so far goes on with each of the letters; '-' stands for none. */
static void fork_with(reading *r, const char *letters) {
    uint32_t n = r->n_all, ways = (uint32_t)strlen(letters);

    while (ways > 1 && n * ways > ROMAN_KEYS)
        ways--;
    for (uint32_t w = ways; w-- > 0;)
        for (uint32_t i = 0; i < n; i++) {
            skeleton *s = &r->all[w * n + i];

            if (w)
                *s = r->all[i];
            if (letters[w] != '-')
                add(&s->key, letters[w]);
        }
    r->n_all = n * ways;
}

/* Two letters that are one consonant: what it may be, or NULL. */
static const char *pair_at(const reading *r) {
    static const struct {
        char from[3];
        const char *to;
    } pairs[] = {{"kh", "h"}, {"gh", "g"}, {"sh", "s"}, {"ch", "hsk"}, {"th", "t"},
                 {"dh", "d"}, {"ph", "f"}, {"zh", "z"}, {"tz", "s"},   {"ts", "s"},
                 {"dj", "j"}, {"ck", "k"}, {"dz", "z"}};

    for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
        if (letter_at(r, r->at) == (unsigned char)pairs[i].from[0] &&
            letter_at(r, r->at + 1) == (unsigned char)pairs[i].from[1])
            return pairs[i].to;
    return NULL;
}

static const char *first_vowel(const reading *r) {
    uint32_t c = letter_at(r, 0), next = letter_at(r, 1);

    if (c == 'w')
        return "w";
    if (c == 'y')
        return is_vowel(next) ? "y" : "a";
    if (c == 'o' && next == 'u' && is_vowel(letter_at(r, 2)))
        return "w";
    return c == 'i' ? "ay" : "a";
}

static const char *single_at(const reading *r) {
    uint32_t c = letter_at(r, r->at), next = letter_at(r, r->at + 1);
    bool first = r->at == 0;

    switch (c) {
    case 'b':
        return "b";
    case 'c':
        return next == 'e' || next == 'i' || next == 'y' ? "sk" : "k";
    case 'd':
        return "d";
    case 'f':
    case 'p':
        return "f";
    case 'g':
        return "gj";
    case 'h':
        return "h";
    case 'j':
        return first ? "jy" : "j-";
    case 'k':
    case 'q':
        return "k";
    case 'l':
        return "l";
    case 'm':
        return "m";
    case 'n':
        return "n";
    case 'r':
        return "r";
    case 's':
        return "s";
    case 't':
        return "t";
    case 'v':
        return first ? "bw" : "b-";
    case 'z':
        return "z";
    default:
        return NULL;
    }
}

static void read_letter(reading *r) {
    uint32_t c = letter_at(r, r->at);
    const char *pair = pair_at(r), *ways;

    if (is_vowel(c)) {
        if (r->at == 0)
            fork_with(r, first_vowel(r));
        r->at++;
        return;
    }
    if (c == 'x') {
        fork_with(r, "k");
        fork_with(r, "s");
    }
    ways = pair ? pair : single_at(r);
    if (ways)
        fork_with(r, ways);
    r->at += pair ? 2 : 1;
    while (!pair && letter_at(r, r->at) == c) /* mm is one m, but not across a vowel */
        r->at++;
}

uint32_t roman_latin_skeletons(const uint32_t *cp, uint32_t n, skeleton ret[ROMAN_KEYS]) {
    reading r = {.cp = cp, .n = n, .all = ret, .n_all = 1};
    bool silent_h = n > 1 && cp[n - 1] == 'h' && is_vowel(cp[n - 2]);
    bool open = n > 1 && (silent_h || (is_vowel(cp[n - 1]) && cp[n - 1] != 'w'));
    uint32_t count = 0;

    ret[0] = (skeleton){0};
    r.n -= silent_h;
    while (r.at < r.n)
        read_letter(&r);
    for (uint32_t i = 0; i < r.n_all; i++) {
        ret[i].ends_open = open;
        if (has_consonant(&ret[i]))
            ret[count++] = ret[i];
    }
    return count;
}
