/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fold.h"

#include <string.h>

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/utf16.h>

#include "base/han.h"
#include "base/utf8.h"

enum {
    APOSTROPHE = '\'',
    HYPHEN = '-',
    KATAKANA_FIRST = 0x30a1,
    KATAKANA_LAST = 0x30f6,
    KATAKANA_DOWN = 0x60,
    DIAERESIS = 0x308,
    RING = 0x30a,
    DECOMPOSED = 8, /* UTF-16 units of the longest canonical decomposition, and room */
};

typedef struct pair {
    uint32_t from;
    char to[3];
} pair;

/* Latin letters that have no decomposition. */
static const pair latin[] = {
    {0x00df, "ss"}, {0x00e6, "ae"}, {0x00f0, "d"}, {0x00f8, "o"}, {0x00fe, "th"}, {0x0111, "d"},
    {0x0127, "h"},  {0x0131, "i"},  {0x0138, "k"}, {0x0142, "l"}, {0x014b, "n"},  {0x0153, "oe"},
    {0x0167, "t"},  {0x0180, "b"},  {0x0188, "c"}, {0x018c, "d"}, {0x0192, "f"},  {0x0199, "k"},
    {0x019a, "l"},  {0x019e, "n"},  {0x01a5, "p"}, {0x01ad, "t"}, {0x01b4, "y"},  {0x01b6, "z"},
    {0x01dd, "e"},  {0x0225, "z"},  {0x0253, "b"}, {0x0254, "o"}, {0x0256, "d"},  {0x0257, "d"},
    {0x0259, "e"},  {0x025b, "e"},  {0x0260, "g"}, {0x0268, "i"}, {0x0269, "i"},  {0x026b, "l"},
    {0x0272, "n"},  {0x0275, "o"},  {0x0289, "u"}, {0x028b, "v"}, {0x1e9e, "ss"},
};

/* What is one letter in different hands: hamza seats, Persian and Urdu shapes, teh marbuta. */
static const uint16_t arabic[][2] = {
    {0x0622, 0x0627}, {0x0623, 0x0627}, {0x0624, 0x0648}, {0x0625, 0x0627}, {0x0626, 0x064a},
    {0x0629, 0x0647}, {0x063d, 0x064a}, {0x0649, 0x064a}, {0x0671, 0x0627}, {0x0672, 0x0627},
    {0x0673, 0x0627}, {0x06a9, 0x0643}, {0x06aa, 0x0643}, {0x06be, 0x0647}, {0x06c0, 0x0647},
    {0x06c1, 0x0647}, {0x06c2, 0x0647}, {0x06c3, 0x0647}, {0x06cc, 0x064a}, {0x06cd, 0x064a},
    {0x06d2, 0x064a}, {0x06d3, 0x064a}, {0x06d5, 0x0647},
};

static bool is_between(uint32_t cp, uint32_t from, uint32_t to) {
    return cp >= from && cp <= to;
}

static bool is_hiragana(uint32_t cp) {
    return is_between(cp, 0x3041, 0x3096) || is_between(cp, 0x309d, 0x309e) || cp == 0x30fc;
}

static bool is_han(uint32_t cp) {
    return is_between(cp, 0x3400, 0x4dbf) || is_between(cp, 0x4e00, 0x9fff) ||
           is_between(cp, 0x20000, 0x3fffd) || is_between(cp, 0xfa0e, 0xfa29) || cp == 0x3005 ||
           cp == 0x3007;
}

fold_script fold_script_of(uint32_t cp) {
    if (is_between(cp, '0', '9'))
        return FOLD_DIGITS;
    if (cp < 0x2b0 || is_between(cp, 0x1e00, 0x1eff) || is_between(cp, 0x2c60, 0x2c7f))
        return FOLD_LATIN;
    if (is_between(cp, 0x370, 0x3ff) || is_between(cp, 0x1f00, 0x1fff))
        return FOLD_GREEK;
    if (is_between(cp, 0x400, 0x52f))
        return FOLD_CYRILLIC;
    if (is_between(cp, 0x590, 0x5ff))
        return FOLD_HEBREW;
    if (is_between(cp, 0x600, 0x6ff) || is_between(cp, 0x750, 0x77f) ||
        is_between(cp, 0x8a0, 0x8ff))
        return FOLD_ARABIC;
    if (is_hiragana(cp) || is_between(cp, KATAKANA_FIRST, KATAKANA_LAST) || is_han(cp) ||
        is_between(cp, 0xac00, 0xd7a3))
        return FOLD_SYLLABLES;
    return FOLD_OTHER;
}

static bool is_apostrophe(uint32_t cp) {
    switch (cp) {
    case APOSTROPHE:
    case '`':
    case 0x00b4:
    case 0x02b9: /* letters and signs that stand for one: Ukrainian, Hawaiian, Hebrew, Greek */
    case 0x02bb:
    case 0x02bc:
    case 0x02bd:
    case 0x02be:
    case 0x02bf:
    case 0x02c8:
    case 0x0384:
    case 0x05f3:
    case 0x1fbd:
    case 0x1fbf:
    case 0x1fef:
    case 0x1ffd:
    case 0x1ffe:
    case 0x2018:
    case 0x2019:
    case 0x201b:
    case 0x2032:
    case 0xa78c:
    case 0xff07:
        return true;
    default:
        return false;
    }
}

static bool is_hyphen(uint32_t cp) {
    return cp == HYPHEN || is_between(cp, 0x2010, 0x2013) || cp == 0x05be;
}

/* ---- marks ---- */

/* Signs that are part of no letter, in any script: accents, Arabic and Hebrew vowels, tatweel. */
static bool is_dropped(uint32_t cp) {
    static const uint16_t ranges[][2] = {
        {0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd}, {0x05bf, 0x05bf}, {0x05c1, 0x05c2},
        {0x05c4, 0x05c5}, {0x05c7, 0x05c7}, {0x05f4, 0x05f4}, {0x0610, 0x061a}, {0x0640, 0x0640},
        {0x064b, 0x065f}, {0x0670, 0x0670}, {0x06d6, 0x06dc}, {0x06df, 0x06e4}, {0x06e7, 0x06e8},
        {0x06ea, 0x06ed}, {0x08ca, 0x08e1}, {0x08e3, 0x08ff}, {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff},
        {0x20d0, 0x20f0}, {0xfe20, 0xfe2f},
    };

    if (cp < ranges[0][0] || cp > 0xffff)
        return false;
    for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++)
        if (is_between(cp, ranges[i][0], ranges[i][1]))
            return true;
    return cp == 0x0621; /* a hamza that stands alone: many leave it out */
}

/* Does it hang on the character before it?  Kinds, not combining classes: what is ignored does not
 * end a row of marks, or a text of nothing else would take hours to put in order. */
static bool extends(uint32_t cp) {
    return (U_GET_GC_MASK((UChar32)cp) & (U_GC_MN_MASK | U_GC_ME_MASK)) != 0 ||
           u_hasBinaryProperty((UChar32)cp, UCHAR_DEFAULT_IGNORABLE_CODE_POINT);
}

/* ---- one character ---- */

typedef struct folder {
    fold_text text;
    uint32_t cap;
    bool dropped; /* a mark that belonged to no letter */
} folder;

static void put(folder *f, uint32_t cp) {
    if (f->text.n == f->cap)
        return; /* room was made for the longest that there can be */
    f->text.spelled[f->text.n] = 0;
    f->text.cp[f->text.n++] = cp;
}

static void put_word(folder *f, const char *to) {
    for (; *to; to++)
        put(f, (unsigned char)*to);
}

static void spell(folder *f, uint32_t mark) {
    uint32_t at = f->text.n - 1, letter = f->text.n ? f->text.cp[at] : 0;

    if (mark == DIAERESIS && (letter == 'a' || letter == 'o' || letter == 'u'))
        f->text.spelled[at] = 'e';
    else if (mark == RING && letter == 'a')
        f->text.spelled[at] = 'a';
}

static bool put_latin(folder *f, uint32_t cp) {
    for (size_t i = 0; i < sizeof(latin) / sizeof(*latin); i++)
        if (latin[i].from == cp) {
            put_word(f, latin[i].to);
            if (cp == 0x00f8)
                f->text.spelled[f->text.n - 1] = 'e';
            return true;
        }
    return false;
}

/* The letter without its marks. */
static void put_bare(folder *f, uint32_t cp) {
    UErrorCode status = U_ZERO_ERROR;
    const UNormalizer2 *nfd = unorm2_getNFDInstance(&status);
    UChar parts[DECOMPOSED];
    int32_t n = U_SUCCESS(status)
                    ? unorm2_getDecomposition(nfd, (UChar32)cp, parts, DECOMPOSED, &status)
                    : -1;

    if (n <= 0 || U_FAILURE(status)) {
        if (!put_latin(f, cp))
            put(f, cp);
        return;
    }
    for (int32_t i = 0; i < n;) {
        UChar32 part;

        U16_NEXT(parts, i, n, part);
        if (is_dropped((uint32_t)part))
            spell(f, (uint32_t)part);
        else if (!put_latin(f, (uint32_t)part))
            put(f, (uint32_t)part);
    }
}

static uint32_t arabic_of(uint32_t cp) {
    for (size_t i = 0; i < sizeof(arabic) / sizeof(*arabic); i++)
        if (arabic[i][0] == cp)
            return arabic[i][1];
    return cp;
}

static uint32_t hebrew_of(uint32_t cp) {
    switch (cp) {
    case 0x05da: /* the five final forms stand right before the usual ones */
    case 0x05dd:
    case 0x05df:
    case 0x05e3:
    case 0x05e5:
        return cp + 1;
    default:
        return cp;
    }
}

static uint32_t syllable_of(uint32_t cp) {
    if (is_between(cp, KATAKANA_FIRST, KATAKANA_LAST))
        return cp - KATAKANA_DOWN;
    if (is_between(cp, HAN_FIRST, HAN_FIRST + HAN_COUNT - 1) && han_simple[cp - HAN_FIRST])
        return han_simple[cp - HAN_FIRST];
    return cp == 0xfa11 ? 0x5d0e : cp; /* a form of 崎 that Unicode keeps apart */
}

static void put_folded(folder *f, uint32_t cp) {
    if (cp < 0x80) {
        put(f, is_apostrophe(cp) ? APOSTROPHE : cp);
        return;
    }
    if (is_dropped(cp)) {
        f->dropped = true;
        return;
    }
    if (is_apostrophe(cp) || is_hyphen(cp)) {
        put(f, is_hyphen(cp) ? HYPHEN : APOSTROPHE);
        return;
    }
    if (u_charType((UChar32)cp) == U_DECIMAL_DIGIT_NUMBER) {
        put(f, '0' + (uint32_t)u_charDigitValue((UChar32)cp));
        return;
    }
    switch (fold_script_of(cp)) {
    case FOLD_LATIN:
    case FOLD_GREEK:
    case FOLD_CYRILLIC:
        put_bare(f, cp);
        break;
    case FOLD_ARABIC:
        put(f, arabic_of(cp));
        break;
    case FOLD_HEBREW:
        put(f, hebrew_of(cp));
        break;
    case FOLD_SYLLABLES:
        put(f, syllable_of(cp));
        break;
    case FOLD_DIGITS:
    case FOLD_OTHER:
        put_latin(f, cp) ? (void)0 : put(f, cp);
        break;
    }
}

/* ---- a text ---- */

static int out_of_memory(atg_err *err) {
    return atg_fail(err, ATG_ENOMEM, "Out of memory folding a text");
}

static int make_room(atg_arena *arena, folder *f, size_t cap, atg_err *err) {
    *f = (folder){{ATG_GET(arena, uint32_t, cap + 1), ATG_GET(arena, char, cap + 1), 0},
                  (uint32_t)cap,
                  false};
    return f->text.cp && f->text.spelled ? ATG_OK : out_of_memory(err);
}

static bool is_ascii(atg_str text) {
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] >= 0x80)
            return false;
    return true;
}

static int read_ascii(atg_arena *arena, atg_str text, fold_text *ret, atg_err *err) {
    folder f;
    int rc = make_room(arena, &f, text.n, err);

    if (rc)
        return rc;
    for (size_t i = 0; i < text.n; i++) {
        uint32_t c = (unsigned char)text.p[i];

        put_folded(&f, is_between(c, 'A', 'Z') ? c + ('a' - 'A') : c);
    }
    *ret = f.text;
    return ATG_OK;
}

/* UTF-16, with one kind of apostrophe, and no more marks in a row than can be put in order. */
static int32_t prepare(atg_str text, UChar *to) {
    uint32_t marks = 0;
    int32_t n = 0;

    while (text.n) {
        uint32_t cp = utf8_next(&text);

        marks = extends(cp) ? marks + 1 : 0;
        if (marks > FOLD_MARKS)
            continue;
        cp = is_apostrophe(cp) ? APOSTROPHE : cp;
        U16_APPEND_UNSAFE(to, n, cp);
    }
    return n;
}

static int normalize(atg_arena *arena, const UChar *from, int32_t n, UChar **ret, int32_t *ret_n,
                     atg_err *err) {
    UErrorCode status = U_ZERO_ERROR;
    const UNormalizer2 *nfkc = unorm2_getNFKCCasefoldInstance(&status);
    UChar *to = NULL;
    int32_t length = 0;

    if (U_FAILURE(status))
        return atg_fail(err, ATG_EIO, "ICU cannot fold texts: %s", u_errorName(status));
    for (int32_t room = n + n / 2 + 8; !to; room = length + 1) {
        to = ATG_GET(arena, UChar, (size_t)room);
        if (!to)
            return out_of_memory(err);
        status = U_ZERO_ERROR;
        length = unorm2_normalize(nfkc, from, n, to, room, &status);
        if (status == U_BUFFER_OVERFLOW_ERROR)
            to = NULL;
        else if (U_FAILURE(status))
            return out_of_memory(err);
    }
    *ret = to;
    *ret_n = length;
    return ATG_OK;
}

static int pass(atg_arena *arena, const UChar *from, int32_t n_from, folder *f, atg_err *err) {
    enum { LONGEST = 2 }; /* code points that one becomes in put_folded() */
    UChar *units = NULL;
    int32_t n = 0;
    int rc = normalize(arena, from, n_from, &units, &n, err);

    if (rc == ATG_OK)
        rc = make_room(arena, f, (size_t)n * LONGEST, err);
    for (int32_t i = 0; i < n && rc == ATG_OK;) {
        UChar32 cp;

        U16_NEXT(units, i, n, cp);
        put_folded(f, (uint32_t)cp);
    }
    return rc;
}

/* What a dropped mark kept apart may now become one letter: fold once more. */
static int pass_again(atg_arena *arena, folder *f, atg_err *err) {
    UChar *units = ATG_GET(arena, UChar, 2 * (size_t)f->text.n + 1);
    fold_text before = f->text;
    int32_t n = 0;
    int rc;

    if (!units)
        return out_of_memory(err);
    for (uint32_t i = 0; i < before.n; i++)
        U16_APPEND_UNSAFE(units, n, before.cp[i]);
    rc = pass(arena, units, n, f, err);
    if (rc == ATG_OK && f->text.n == before.n)
        f->text.spelled = before.spelled;
    return rc;
}

int fold_read(atg_arena *arena, atg_str text, fold_text *ret, atg_err *err) {
    UChar *units;
    folder f;
    int rc;

    if (text.n > INT32_MAX / 64)
        return atg_fail(err, ATG_ELIMIT, "A text is too long to be searched");
    if (is_ascii(text))
        return read_ascii(arena, text, ret, err);
    units = ATG_GET(arena, UChar, text.n + 1);
    rc = units ? pass(arena, units, prepare(text, units), &f, err) : out_of_memory(err);
    while (rc == ATG_OK && f.dropped)
        rc = pass_again(arena, &f, err);
    if (rc == ATG_OK)
        *ret = f.text;
    return rc;
}

int fold_utf8(atg_arena *arena, const uint32_t *cp, size_t n, atg_str *ret, atg_err *err) {
    enum { LONGEST = 4 };
    char *p = ATG_GET(arena, char, n *LONGEST + 1);
    size_t at = 0;

    if (!p)
        return out_of_memory(err);
    for (size_t i = 0; i < n; i++)
        at += utf8_write(cp[i], p + at);
    *ret = (atg_str){p, at};
    return ATG_OK;
}

/* ---- words ---- */

static bool is_letter(uint32_t cp) {
    if (cp < 0x80)
        return is_between(cp, 'a', 'z') || is_between(cp, '0', '9');
    return (U_GET_GC_MASK((UChar32)cp) & (U_GC_L_MASK | U_GC_M_MASK | U_GC_NL_MASK)) != 0;
}

static bool is_mark(uint32_t cp) {
    return cp >= 0x80 && (U_GET_GC_MASK((UChar32)cp) & U_GC_M_MASK) != 0;
}

static bool parts_chunks(uint32_t cp) {
    return cp <= ' ' || cp == ',' || cp == ';' || cp == 0x3001 || cp == 0x060c || cp == UTF8_BAD;
}

/* A word in the making.  Its letters are moved to its beginning over the apostrophes, so that the
 * text is used up by reading it. */
typedef struct reader {
    fold_text text;
    uint32_t at, chunk;
} reader;

/* May the letter follow in a word of this script so far? */
static bool fits(fold_word *w, uint32_t cp) {
    fold_script script = is_mark(cp) ? w->script : fold_script_of(cp);

    if (script == w->script)
        return true;
    if (script == FOLD_DIGITS)
        return w->script != FOLD_SYLLABLES;
    if (w->script != FOLD_DIGITS || script == FOLD_SYLLABLES)
        return false;
    w->script = script;
    return true;
}

static void skip_to_word(reader *r, fold_word *before) {
    uint32_t first = r->at;
    bool hyphen;

    while (r->at < r->text.n && !is_letter(r->text.cp[r->at])) {
        if (parts_chunks(r->text.cp[r->at]))
            r->chunk++;
        r->at++;
    }
    hyphen = r->at == first + 1 && r->at < r->text.n && r->text.cp[first] == HYPHEN;
    if (before)
        before->hyphen = hyphen;
}

/* Is there an apostrophe that joins what is before it to what is behind? */
static bool joins(const reader *r, fold_word *w) {
    return r->at + 1 < r->text.n && r->text.cp[r->at] == APOSTROPHE && w->n > 0 &&
           is_letter(r->text.cp[r->at + 1]) && fits(w, r->text.cp[r->at + 1]);
}

static void read_word(reader *r, fold_word *w) {
    uint32_t *cp = r->text.cp + r->at;
    char *spelled = r->text.spelled + r->at;
    bool differs = false;

    *w = (fold_word){.cp = cp, .chunk = r->chunk, .script = fold_script_of(*cp)};
    for (; r->at < r->text.n; r->at++) {
        uint32_t c = r->text.cp[r->at];

        if (joins(r, w)) {
            w->apostrophe = w->n;
            continue;
        }
        if (!is_letter(c) || !fits(w, c))
            break;
        if (w->n == FOLD_WORD)
            continue;
        w->digit |= fold_script_of(c) == FOLD_DIGITS;
        spelled[w->n] = r->text.spelled[r->at];
        differs |= spelled[w->n] != 0;
        cp[w->n++] = c;
    }
    w->spelled = differs ? spelled : NULL;
    w->apostrophe = w->apostrophe < w->n ? w->apostrophe : 0;
}

int fold_words(atg_arena *arena, fold_text *text, uint32_t limit, fold_word **ret, uint32_t *ret_n,
               atg_err *err) {
    reader r = {.text = *text};
    uint32_t n = 0, cap = 0;
    fold_word *words = NULL;

    for (;;) {
        skip_to_word(&r, n ? &words[n - 1] : NULL);
        if (r.at == r.text.n || n == limit)
            break;
        if (n == cap) {
            uint32_t more = cap ? 2 * cap : 16;
            fold_word *larger = ATG_GET(arena, fold_word, more);

            if (!larger)
                return out_of_memory(err);
            if (n)
                memcpy(larger, words, n * sizeof(*words));
            words = larger;
            cap = more;
        }
        read_word(&r, &words[n++]);
    }
    *ret = words;
    *ret_n = n;
    return ATG_OK;
}
