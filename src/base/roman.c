/* SPDX-License-Identifier: Apache-2.0 */
#include "base/roman.h"

#include <string.h>

#include "base/han.h"

static void add(roman *r, const char *s) {
    for (; *s && r->n < ROMAN; s++)
        r->s[r->n++] = *s;
    r->s[r->n] = '\0';
}

static void add_letter(roman *r, char c) {
    add(r, (char[]){c, '\0'});
}

static bool is_in(uint32_t cp, const char *letters) {
    return cp && cp < 0x80 && strchr(letters, (int)cp);
}

/* ---- Cyrillic ---- */

enum { CYRILLIC_FIRST = 0x430, CYRILLIC_LAST = 0x45f };

/* U+0430 to U+045F: Ukrainian, Russian, key. */
static const char *const cyrillic[][3] = {
    {"a", "a", "a"},    {"b", "b", "b"},          {"v", "v", "v"},    {"h", "g", "g"},
    {"d", "d", "d"},    {"e", "e", "e"},          {"zh", "zh", "zh"}, {"z", "z", "z"},
    {"y", "i", "i"},    {"i", "i", "i"},          {"k", "k", "k"},    {"l", "l", "l"},
    {"m", "m", "m"},    {"n", "n", "n"},          {"o", "o", "o"},    {"p", "p", "p"},
    {"r", "r", "r"},    {"s", "s", "s"},          {"t", "t", "t"},    {"u", "u", "u"},
    {"f", "f", "f"},    {"kh", "kh", "kh"},       {"ts", "ts", "ts"}, {"ch", "ch", "ch"},
    {"sh", "sh", "sh"}, {"shch", "shch", "shch"}, {"", "", ""},       {"y", "y", "i"},
    {"", "", ""},       {"e", "e", "e"},          {"iu", "yu", "iu"}, {"ia", "ya", "ia"},
    {"e", "e", "e"},    {"e", "e", "e"},          {"dj", "dj", "di"}, {"g", "g", "g"},
    {"ie", "e", "ie"},  {"dz", "dz", "dz"},       {"i", "i", "i"},    {"i", "i", "i"},
    {"j", "j", "i"},    {"lj", "lj", "li"},       {"nj", "nj", "ni"}, {"c", "c", "ts"},
    {"k", "k", "k"},    {"y", "i", "i"},          {"u", "u", "u"},    {"dz", "dz", "dz"},
};

/* Letters beyond: of Ukrainian, and of Turkic and Mongolian languages. */
static const struct {
    uint32_t cp;
    const char *to[3];
} more_cyrillic[] = {
    {0x491, {"g", "g", "g"}}, {0x493, {"g", "g", "g"}},    {0x497, {"zh", "zh", "zh"}},
    {0x49b, {"k", "k", "k"}}, {0x4a3, {"n", "n", "n"}},    {0x4af, {"u", "u", "u"}},
    {0x4b1, {"u", "u", "u"}}, {0x4b3, {"kh", "kh", "kh"}}, {0x4b7, {"ch", "ch", "ch"}},
    {0x4bb, {"h", "h", "g"}}, {0x4d9, {"a", "a", "a"}},    {0x4e9, {"o", "o", "o"}},
};

enum { COLUMN_KEY = 2, YE = 0x454, YU = 0x44e, YA = 0x44f, YI = 0x456 };

static const char *cyrillic_letter(uint32_t cp, int column) {
    if (cp >= CYRILLIC_FIRST && cp <= CYRILLIC_LAST)
        return cyrillic[cp - CYRILLIC_FIRST][column];
    for (size_t i = 0; i < sizeof(more_cyrillic) / sizeof(*more_cyrillic); i++)
        if (more_cyrillic[i].cp == cp)
            return more_cyrillic[i].to[column];
    return "";
}

void roman_cyrillic(const uint32_t *cp, uint32_t n, roman_scheme scheme, roman *ret) {
    *ret = (roman){0};
    for (uint32_t i = 0; i < n; i++) {
        bool first = i == 0 && scheme == ROMAN_UKRAINIAN;

        if (first && (cp[i] == YE || cp[i] == YU || cp[i] == YA))
            add(ret, cp[i] == YE ? "ye" : cp[i] == YU ? "yu" : "ya");
        else
            add(ret, cyrillic_letter(cp[i], (int)scheme));
    }
}

/* Double letters and rows of i are one. */
static void add_key(roman *r, char c) {
    if (r->n == 0 || r->s[r->n - 1] != c)
        add_letter(r, c);
}

void roman_cyrillic_key(const uint32_t *cp, uint32_t n, bool begins, roman *ret) {
    *ret = (roman){0};
    for (uint32_t i = 0; i < n; i++) {
        const char *s = begins && i == 0 && cp[i] == YE ? "e" : cyrillic_letter(cp[i], COLUMN_KEY);

        for (; *s; s++)
            add_key(ret, *s);
    }
}

/* ---- Latin letters that stand for Cyrillic ones ---- */

typedef struct latin_key {
    char h; /* what an h that stands alone is: 'g' or 'k' (kh) */
    bool io_is_e;
} latin_key;

/* The first letter or two as one key letter or more: how many letters were taken. */
static uint32_t key_letter(const uint32_t *cp, uint32_t n, const latin_key *how, roman *r) {
    static const struct {
        char from[3], to[3];
    } pairs[] = {{"sh", "sh"}, {"ch", "ch"}, {"zh", "zh"}, {"kh", "kh"}, {"gh", "g"},
                 {"ph", "f"},  {"ck", "k"},  {"tz", "ts"}, {"ou", "u"}};

    for (size_t i = 0; n > 1 && i < sizeof(pairs) / sizeof(*pairs); i++)
        if (cp[0] == (unsigned char)pairs[i].from[0] && cp[1] == (unsigned char)pairs[i].from[1]) {
            for (const char *s = pairs[i].to; *s; s++)
                add_key(r, *s);
            return 2;
        }
    switch (cp[0]) {
    case 'x':
        add_key(r, 'k');
        add_key(r, 's');
        break;
    case 'w':
        add_key(r, 'v');
        break;
    case 'q':
    case 'c':
        add_key(r, 'k');
        break;
    case 'y':
    case 'j':
        add_key(r, 'i');
        break;
    case 'h':
        if (how->h == 'k')
            add_key(r, 'k');
        add_key(r, how->h == 'k' ? 'h' : 'g');
        break;
    default:
        if (is_in(cp[0], "abdefgiklmnoprstuvz"))
            add_key(r, (char)cp[0]);
    }
    return 1;
}

/* "io" behind a consonant stands for the letter that was folded to e (Pyotr: petr). */
static void io_to_e(roman *r) {
    uint32_t to = 0;

    for (uint32_t i = 0; i < r->n; i++) {
        bool io = i > 0 && i + 1 < r->n && r->s[i] == 'i' && r->s[i + 1] == 'o' &&
                  !is_in((unsigned char)r->s[i - 1], "aeou");

        r->s[to++] = r->s[i];
        if (io) {
            r->s[to - 1] = 'e';
            i++;
        }
    }
    r->n = to;
    r->s[to] = '\0';
}

static void latin_one(const uint32_t *cp, uint32_t n, bool begins, const latin_key *how,
                      roman *ret) {
    uint32_t at = 0;

    *ret = (roman){0};
    if (begins && n > 1 && is_in(cp[0], "yij") && cp[1] == 'e')
        at = 1;
    while (at < n)
        at += key_letter(cp + at, n - at, how, ret);
    if (how->io_is_e)
        io_to_e(ret);
}

static bool is_same(const roman *a, const roman *b) {
    return a->n == b->n && memcmp(a->s, b->s, a->n) == 0;
}

uint32_t roman_latin_keys(const uint32_t *cp, uint32_t n, bool begins, roman ret[ROMAN_KEYS]) {
    static const latin_key ways[] = {{'g', false}, {'k', false}, {'g', true}, {'k', true}};
    uint32_t count = 0;

    for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
        bool is_new = true;

        latin_one(cp, n, begins, &ways[i], &ret[count]);
        for (uint32_t k = 0; k < count; k++)
            is_new &= !is_same(&ret[k], &ret[count]);
        count += is_new && ret[count].n > 0;
    }
    return count;
}

/* ---- Greek ---- */

enum {
    ALPHA = 0x3b1,
    GAMMA = 0x3b3,
    EPSILON = 0x3b5,
    ETA = 0x3b7,
    MU = 0x3bc,
    XI = 0x3be,
    OMICRON = 0x3bf,
    PI = 0x3c0,
    UPSILON = 0x3c5,
    CHI = 0x3c7,
    OMEGA = 0x3c9,
};

/* The second letter of au, eu and iu sounds as what follows it. */
static const char *upsilon(uint32_t next) {
    static const uint32_t voiceless[] = {0x3b8, 0x3ba, 0x3be, 0x3c0, 0x3c3,
                                         0x3c4, 0x3c6, 0x3c7, 0x3c8, 0};

    for (size_t i = 0; i < sizeof(voiceless) / sizeof(*voiceless); i++)
        if (voiceless[i] == next)
            return "f";
    return "v";
}

static const char *greek_letter(uint32_t before, uint32_t cp, uint32_t next, bool first) {
    static const char *const letters[] = {"a", "v", "g", "d", "e",  "z",  "i", "th", "i",
                                          "k", "l", "m", "n", "x",  "o",  "p", "r",  "s",
                                          "s", "t", "y", "f", "ch", "ps", "o"};

    if (cp < ALPHA || cp > OMEGA)
        return "";
    if (cp == UPSILON && before == OMICRON)
        return "u";
    if (cp == UPSILON && (before == ALPHA || before == EPSILON || before == ETA))
        return upsilon(next);
    if (cp == GAMMA && (next == GAMMA || next == XI || next == CHI))
        return "n";
    return cp == MU && next == PI && first ? "b" : letters[cp - ALPHA];
}

void roman_greek(const uint32_t *cp, uint32_t n, roman *ret) {
    *ret = (roman){0};
    for (uint32_t i = 0; i < n; i++) {
        uint32_t before = i ? cp[i - 1] : 0, next = i + 1 < n ? cp[i + 1] : 0;

        if (i != 1 || cp[i] != PI || before != MU) /* which is the b at the beginning already */
            add(ret, greek_letter(before, cp[i], next, i == 0));
    }
}

/* ---- kana ---- */

enum { KANA_FIRST = 0x3041, KANA_LAST = 0x3096, KANA_LONG = 0x30fc, SMALL_TSU = 0x3063 };

static const char *const kana[] = {
    "a",  "a",  "i",   "i",  "u",  "u",   "e",  "e",   "o",  "o",  "ka", "ga", "ki", "gi", "ku",
    "gu", "ke", "ge",  "ko", "go", "sa",  "za", "shi", "ji", "su", "zu", "se", "ze", "so", "zo",
    "ta", "da", "chi", "ji", "",   "tsu", "zu", "te",  "de", "to", "do", "na", "ni", "nu", "ne",
    "no", "ha", "ba",  "pa", "hi", "bi",  "pi", "fu",  "bu", "pu", "he", "be", "pe", "ho", "bo",
    "po", "ma", "mi",  "mu", "me", "mo",  "ya", "ya",  "yu", "yu", "yo", "yo", "ra", "ri", "ru",
    "re", "ro", "wa",  "wa", "i",  "e",   "o",  "n",   "vu", "ka", "ke",
};

/* ゃ, ゅ, ょ and the small vowels change the syllable before them. */
static bool is_small(uint32_t cp) {
    switch (cp) {
    case 0x3041:
    case 0x3043:
    case 0x3045:
    case 0x3047:
    case 0x3049:
    case 0x3083:
    case 0x3085:
    case 0x3087:
        return true;
    default:
        return false;
    }
}

static void add_small(roman *r, const char *small) {
    bool had_i = r->n > 0 && r->s[r->n - 1] == 'i';
    bool had_h =
        r->n > 1 && is_in((unsigned char)r->s[r->n - 2], "hj") &&
        (r->s[r->n - 2] == 'j' || (r->n > 2 && is_in((unsigned char)r->s[r->n - 3], "sc")));

    if (r->n > 0 && is_in((unsigned char)r->s[r->n - 1], "aiueo"))
        r->n--;
    add(r, small[0] == 'y' && had_i && had_h ? small + 1 : small);
}

/* The vowel that only makes another longer is left out. */
static void shorten(const roman *from, roman *to) {
    *to = (roman){0};
    for (uint32_t i = 0; i < from->n; i++) {
        char c = from->s[i], before = 0;

        if (to->n)
            before = to->s[to->n - 1];
        if (!(c == 'u' && (before == 'o' || before == 'u')) && !(c == 'o' && before == 'o'))
            add_letter(to, c);
    }
}

uint32_t roman_kana(const uint32_t *cp, uint32_t n, roman ret[2]) {
    bool doubled = false;

    ret[0] = (roman){0};
    for (uint32_t i = 0; i < n; i++) {
        const char *s;

        if (cp[i] == SMALL_TSU)
            doubled = true;
        if (cp[i] < KANA_FIRST || cp[i] > KANA_LAST || cp[i] == SMALL_TSU)
            continue;
        s = kana[cp[i] - KANA_FIRST];
        if (is_small(cp[i]) && ret[0].n) {
            add_small(&ret[0], s);
            continue;
        }
        if (doubled && s[0] == 'c')
            add(&ret[0], "t");
        else if (doubled)
            add_letter(&ret[0], s[0]);
        doubled = false;
        add(&ret[0], s);
    }
    shorten(&ret[0], &ret[1]);
    return ret[0].n == 0 ? 0 : is_same(&ret[0], &ret[1]) ? 1 : 2;
}

/* ---- Han and Hangul ---- */

enum { HANGUL_FIRST = 0xac00, HANGUL_LAST = 0xd7a3 };

bool roman_is_han(uint32_t cp) {
    return cp >= HAN_FIRST && cp < HAN_FIRST + HAN_COUNT;
}

bool roman_is_kana(uint32_t cp) {
    return (cp >= KANA_FIRST && cp <= KANA_LAST) || cp == KANA_LONG;
}

bool roman_is_hangul(uint32_t cp) {
    return cp >= HANGUL_FIRST && cp <= HANGUL_LAST;
}

const char *roman_han(uint32_t cp, bool family) {
    if (!roman_is_han(cp))
        return "";
    for (uint32_t i = 0; family && i < han_families; i++)
        if (han_family[i][0] == cp)
            return han_sounds[han_family[i][1]];
    return han_sounds[han_sound[cp - HAN_FIRST]];
}

void roman_hangul(uint32_t cp, roman *ret) {
    static const char *const first[] = {"g",  "kk", "n", "d",  "tt", "r", "m", "b", "pp", "s",
                                        "ss", "",   "j", "jj", "ch", "k", "t", "p", "h"};
    static const char *const middle[] = {"a",  "ae", "ya", "yae", "eo", "e",  "yeo",
                                         "ye", "o",  "wa", "wae", "oe", "yo", "u",
                                         "wo", "we", "wi", "yu",  "eu", "ui", "i"};
    static const char *const last[] = {"",  "k",  "k", "k", "n", "n", "n", "t", "l", "k",
                                       "m", "l",  "l", "l", "p", "l", "m", "p", "p", "t",
                                       "t", "ng", "t", "t", "k", "t", "p", "t"};
    enum { MIDDLES = 21, LASTS = 28 };
    uint32_t at = cp - HANGUL_FIRST;

    *ret = (roman){0};
    if (!roman_is_hangul(cp))
        return;
    add(ret, first[at / (MIDDLES * LASTS)]);
    add(ret, middle[at / LASTS % MIDDLES]);
    add(ret, last[at % LASTS]);
}

const char *roman_hangul_family(uint32_t cp) {
    static const struct {
        uint32_t cp;
        const char *names;
    } families[] = {
        {0xae40, "kim"},        {0xc774, "lee yi li"}, {0xbc15, "park pak"}, {0xcd5c, "choi"},
        {0xc815, "jung chung"}, {0xac15, "kang"},      {0xc870, "cho"},      {0xc724, "yoon youn"},
        {0xc7a5, "chang"},      {0xc784, "lim rim"},   {0xc624, "oh"},       {0xc11c, "suh"},
        {0xc2e0, "shin"},       {0xad8c, "kwon"},      {0xc548, "ahn"},      {0xc804, "jun chun"},
        {0xace0, "ko koh"},     {0xbb38, "moon"},      {0xc190, "sohn"},     {0xbc30, "pae"},
        {0xbc31, "paik baik"},  {0xd5c8, "hur huh"},   {0xc720, "yoo ryu"},  {0xc2ec, "shim"},
        {0xb178, "roh noh"},    {0xacfd, "kwak"},      {0xc131, "sung"},     {0xc8fc, "joo chu"},
        {0xc6b0, "woo"},        {0xad6c, "koo ku"},    {0xb098, "ra"},       {0xc9c4, "chin"},
        {0xc9c0, "chi"},        {0xcc9c, "chun"},      {0xbc29, "pang"},     {0xacf5, "kong"},
        {0xd604, "hyun"},       {0xbcc0, "byun"},      {0xcd94, "choo"},     {0xc11d, "suk"},
        {0xc120, "sun"},        {0xae38, "kil"},       {0xae30, "ki kee"},   {0xae08, "keum"},
        {0xc81c, "jae"},        {0xad6d, "kook kuk"},  {0xd569, "hap"},      {0xb3c4, "to"},
    };

    for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++)
        if (families[i].cp == cp)
            return families[i].names;
    return NULL;
}
