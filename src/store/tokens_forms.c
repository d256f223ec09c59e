/* SPDX-License-Identifier: Apache-2.0 */
/* What the words of a record may be looked up as. */
#include <string.h>

#include "base/instant.h"
#include "model/date.h"
#include "store/tokens_internal.h"

enum {
    FIELD_WORDS = 8000, /* of one field; what stands behind them is not found */
    SHORT_FIELD = 400,  /* characters of a field whose Han is romanised: places, not stories */
    SYLLABLES = 40,     /* of one run that are romanised */
    NAME_SYLLABLES = 4, /* of a run of which every part is romanised */
    YEARS = 20,         /* of one span of dates */
    DAYS_OF_YEAR = 366,
};

typedef struct telling {
    atg_arena *arena;
    form_fn *fn;
    void *user;
    const field_type *field;
    token_place place;
    bool name, brief;
    uint32_t begin;
    const fold_word *family; /* the last word of the name that lists are sorted by; NULL: none */
} telling;

static int tell(const telling *t, form_kind kind, const uint32_t *cp, uint32_t n, uint32_t begin,
                bool inside, atg_err *err) {
    form f = {kind, t->place, cp, n, begin, inside};

    return n ? t->fn(t->user, &f, err) : ATG_OK;
}

static int tell_roman(const telling *t, form_kind kind, const char *s, uint32_t n, uint32_t begin,
                      bool inside, atg_err *err) {
    uint32_t cp[FOLD_WORD];

    n = n > FOLD_WORD ? FOLD_WORD : n;
    for (uint32_t i = 0; i < n; i++)
        cp[i] = (unsigned char)s[i];
    return tell(t, kind, cp, n, begin, inside, err);
}

/* ---- words of letters ---- */

/* ä as ae, where it was written so. */
static int tell_spelled(const telling *t, const fold_word *w, atg_err *err) {
    uint32_t cp[2 * FOLD_WORD], n = 0;

    for (uint32_t i = 0; i < w->n; i++) {
        cp[n++] = w->cp[i];
        if (w->spelled[i])
            cp[n++] = (unsigned char)w->spelled[i];
    }
    return tell(t, FORM_WORD, cp, n > FOLD_WORD ? FOLD_WORD : n, t->begin, false, err);
}

static int tell_latin(const telling *t, const fold_word *w, atg_err *err) {
    uint32_t behind = w->apostrophe;
    int rc = tell(t, FORM_WORD, w->cp, w->n, t->begin, t->name, err);

    if (rc == ATG_OK && w->spelled)
        rc = tell_spelled(t, w, err);
    if (rc == ATG_OK && behind && w->n - behind > 1)
        rc = tell(t, FORM_WORD, w->cp + behind, w->n - behind, t->begin, false, err);
    return rc;
}

static int tell_cyrillic(const telling *t, const fold_word *w, atg_err *err) {
    roman key;

    roman_cyrillic_key(w->cp, w->n, true, &key);
    if (key.n == 0) /* signs only */
        return tell(t, FORM_WORD, w->cp, w->n, t->begin, t->name, err);
    return tell_roman(t, FORM_CYRILLIC, key.s, key.n, t->begin, t->name, err);
}

static int tell_greek(const telling *t, const fold_word *w, atg_err *err) {
    roman r;
    int rc = tell(t, FORM_WORD, w->cp, w->n, t->begin, t->name, err);

    roman_greek(w->cp, w->n, &r);
    return rc ? rc : tell_roman(t, FORM_WORD, r.s, r.n, t->begin, false, err);
}

/* The skeleton as a word; "+": it ends in a vowel. */
static int tell_skeleton(const telling *t, const uint32_t *cp, uint32_t n, atg_err *err) {
    char text[ROMAN + 1];
    skeleton s;

    if (!roman_skeleton(cp, n, &s))
        return ATG_OK;
    memcpy(text, s.key.s, s.key.n);
    text[s.key.n] = '+';
    return tell_roman(t, FORM_SKELETON, text, s.key.n + s.ends_open, BEGIN_OTHERS, false, err);
}

static int tell_semitic(const telling *t, const fold_word *w, atg_err *err) {
    uint32_t skip = forms_article(w->cp, w->n);
    int rc = tell(t, FORM_WORD, w->cp, w->n, t->begin, t->name, err);

    if (rc == ATG_OK && skip)
        rc = tell(t, FORM_WORD, w->cp + skip, w->n - skip, t->begin, false, err);
    return rc ? rc : tell_skeleton(t, w->cp + skip, w->n - skip, err);
}

uint32_t forms_article(const uint32_t *cp, uint32_t n) {
    enum { ALEF = 0x627, LAM = 0x644, SHORTEST = 5, ARTICLE = 2 };

    return n >= SHORTEST && cp[0] == ALEF && cp[1] == LAM ? ARTICLE : 0;
}

/* Min-su is also written Minsu. */
static int tell_joined(const telling *t, const fold_word *w, atg_err *err) {
    const fold_word *next = w + 1;
    fold_word joined = {.n = w->n + next->n, .script = w->script};
    uint32_t cp[2 * FOLD_WORD];
    roman key;

    memcpy(cp, w->cp, w->n * sizeof(*cp));
    memcpy(cp + w->n, next->cp, next->n * sizeof(*cp));
    joined.n = joined.n > FOLD_WORD ? FOLD_WORD : joined.n;
    if (w->script != FOLD_CYRILLIC)
        return tell(t, FORM_WORD, cp, joined.n, 0, false, err);
    roman_cyrillic_key(cp, joined.n, true, &key);
    return tell_roman(t, FORM_CYRILLIC, key.s, key.n, 0, false, err);
}

/* ---- syllables ---- */

typedef struct sounds {
    char s[SYLLABLES][ROMAN + 1];
    uint32_t n;
} sounds;

static int tell_sounds(const telling *t, const sounds *all, uint32_t from, uint32_t to,
                       atg_err *err) {
    bool to_end = t->name && to == all->n && all->n <= NAME_SYLLABLES;
    char text[ROMAN + 1];
    uint32_t n = 0;

    for (uint32_t i = from; i < to; i++)
        for (const char *s = all->s[i]; *s && n < ROMAN; s++)
            text[n++] = *s;
    return tell_roman(t, FORM_WORD, text, n, to_end ? t->begin : 0, false, err);
}

/* A name is written together or apart (Xiaoming, Xiao Ming), so each part of it is a word; of
 * longer rows, two and three syllables together. */
static int tell_parts(const telling *t, const sounds *all, atg_err *err) {
    uint32_t most = all->n <= NAME_SYLLABLES ? NAME_SYLLABLES : 3;
    uint32_t least = t->name || all->n == 1 ? 1 : 2;
    int rc = ATG_OK;

    for (uint32_t i = 0; i < all->n; i++)
        for (uint32_t k = least; k <= most && i + k <= all->n && rc == ATG_OK; k++)
            rc = tell_sounds(t, all, i, i + k, err);
    return rc;
}

/* How the first syllable of a Korean name is usually written. */
static int tell_families(const telling *t, uint32_t cp, atg_err *err) {
    const char *names = roman_hangul_family(cp);
    atg_str rest = atg_str_of(names);
    int rc = ATG_OK;

    while (rc == ATG_OK && rest.n) {
        atg_str one = atg_str_cut(&rest, ' ');

        rc = tell_roman(t, FORM_WORD, one.p, (uint32_t)one.n, 0, false, err);
    }
    return rc;
}

typedef bool is_kind(uint32_t cp);

static uint32_t row_of(const fold_word *w, uint32_t from, is_kind *is) {
    uint32_t to = from;

    while (to < w->n && is(w->cp[to]))
        to++;
    return to - from;
}

static void read_sounds(const uint32_t *cp, uint32_t n, bool family, sounds *to) {
    for (uint32_t i = 0; i < n && to->n < SYLLABLES; i++, to->n++) {
        const char *s = roman_han(cp[i], family && i == 0);
        roman r;

        if (roman_is_hangul(cp[i])) {
            roman_hangul(cp[i], &r);
            s = r.s;
        }
        memcpy(to->s[to->n], s, strlen(s) + 1);
    }
}

static int tell_row(const telling *t, const uint32_t *cp, uint32_t n, bool hangul, atg_err *err) {
    sounds all = {.n = 0};
    int rc;

    read_sounds(cp, n, t->name && n <= NAME_SYLLABLES, &all);
    rc = tell_parts(t, &all, err);
    if (rc == ATG_OK && hangul && t->name && n <= NAME_SYLLABLES)
        rc = tell_families(t, cp[0], err);
    return rc;
}

static int tell_kana(const telling *t, const uint32_t *cp, uint32_t n, atg_err *err) {
    roman ways[2];
    uint32_t n_ways = roman_kana(cp, n, ways);
    int rc = ATG_OK;

    for (uint32_t i = 0; i < n_ways && rc == ATG_OK; i++)
        rc = tell_roman(t, FORM_WORD, ways[i].s, ways[i].n, t->begin, false, err);
    return rc;
}

static int tell_syllables(const telling *t, const fold_word *w, atg_err *err) {
    int rc = tell(t, FORM_SYLLABLES, w->cp, w->n, 1, t->name, err);

    for (uint32_t at = 0, n = 0; at < w->n && t->brief && rc == ATG_OK; at += n ? n : 1) {
        const uint32_t *cp = w->cp + at;

        if ((n = row_of(w, at, roman_is_kana)) > 0)
            rc = tell_kana(t, cp, n, err);
        else if ((n = row_of(w, at, roman_is_han)) > 0)
            rc = tell_row(t, cp, n, false, err);
        else if ((n = row_of(w, at, roman_is_hangul)) > 0)
            rc = tell_row(t, cp, n, true, err);
    }
    return rc;
}

/* 王 and 偉 in two fields are one name, 王偉. */
static int tell_full_name(const telling *t, const fold_word *given, atg_err *err) {
    const fold_word *family = t->family;
    uint32_t cp[2 * FOLD_WORD], n = family->n + given->n;
    sounds all = {.n = 0};
    int rc;

    if (family->script != FOLD_SYLLABLES || given->script != FOLD_SYLLABLES || n > FOLD_WORD)
        return ATG_OK;
    memcpy(cp, family->cp, family->n * sizeof(*cp));
    memcpy(cp + family->n, given->cp, given->n * sizeof(*cp));
    rc = tell(t, FORM_SYLLABLES, cp, n, 1, true, err);
    if (rc || roman_is_kana(cp[0]) || roman_is_kana(cp[n - 1]))
        return rc;
    read_sounds(family->cp, family->n, true, &all);
    read_sounds(given->cp, given->n, false, &all);
    return all.n > NAME_SYLLABLES ? ATG_OK : tell_sounds(t, &all, 0, all.n, err);
}

/* ---- words ---- */

static int tell_word(const telling *t, const fold_word *w, atg_err *err) {
    if (w->digit)
        return tell(t, FORM_WORD, w->cp, w->n, t->begin, t->name, err);
    switch (w->script) {
    case FOLD_LATIN:
        return tell_latin(t, w, err);
    case FOLD_CYRILLIC:
        return tell_cyrillic(t, w, err);
    case FOLD_GREEK:
        return tell_greek(t, w, err);
    case FOLD_ARABIC:
    case FOLD_HEBREW:
        return tell_semitic(t, w, err);
    case FOLD_SYLLABLES:
        return tell_syllables(t, w, err);
    case FOLD_DIGITS:
    case FOLD_OTHER:
        break;
    }
    return tell(t, FORM_WORD, w->cp, w->n, t->begin, t->name, err);
}

uint32_t forms_chunk(const fold_word *words, uint32_t n) {
    uint32_t i = 1;

    while (i < n && words[i].chunk == words[0].chunk)
        i++;
    return i;
}

uint32_t forms_code(const fold_word *words, uint32_t n, uint32_t ret[FOLD_WORD]) {
    uint32_t length = 0;

    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < words[i].n && length < FOLD_WORD; k++)
            ret[length++] = words[i].cp[k];
    return length;
}

uint32_t forms_noughts(const uint32_t *cp, uint32_t n) {
    uint32_t noughts = 0;

    while (noughts < n && cp[noughts] == '0')
        noughts++;
    return noughts;
}

static bool has_digit(const fold_word *words, uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
        if (words[i].digit)
            return true;
    return false;
}

/* What is written together around signs, with digits (12-34/B), is also found as a whole. */
static int tell_words(const telling *t, const fold_word *words, uint32_t n, atg_err *err) {
    uint32_t code[FOLD_WORD], chunk = 0;
    int rc = ATG_OK;

    for (uint32_t i = 0; i < n && rc == ATG_OK; i++) {
        rc = tell_word(t, &words[i], err);
        if (rc == ATG_OK && t->name && words[i].hyphen && i + 1 < n &&
            words[i].script == words[i + 1].script && words[i].script != FOLD_SYLLABLES)
            rc = tell_joined(t, &words[i], err);
        if (rc || i < chunk)
            continue;
        chunk = i + forms_chunk(&words[i], n - i);
        if (chunk - i > 1 && has_digit(&words[i], chunk - i))
            rc = tell(t, FORM_CODE, code, forms_code(&words[i], chunk - i, code), 0, false, err);
    }
    return rc;
}

static int tell_codes(const telling *t, const fold_word *words, uint32_t n, atg_err *err) {
    uint32_t code[FOLD_WORD];
    int rc = tell(t, FORM_CODE, code, forms_code(words, n, code), BEGIN_OTHERS, false, err);

    for (uint32_t i = 0, k; i < n && rc == ATG_OK; i += k) {
        k = forms_chunk(&words[i], n - i);
        if (k < n)
            rc = tell(t, FORM_CODE, code, forms_code(&words[i], k, code), BEGIN_OTHERS, false, err);
    }
    return rc;
}

/* ---- dates ---- */

uint32_t forms_date(int32_t year, uint32_t month, uint32_t day, uint32_t ret[FOLD_WORD]) {
    enum { YEAR = 4, MONTH = 7, DAY = 10 };
    const uint32_t digits[DAY] = {(uint32_t)year / 1000,
                                  (uint32_t)year / 100 % 10,
                                  (uint32_t)year / 10 % 10,
                                  (uint32_t)year % 10,
                                  0,
                                  month / 10,
                                  month % 10,
                                  0,
                                  day / 10,
                                  day % 10};

    for (uint32_t i = 0; i < DAY; i++)
        ret[i] = i == YEAR || i == MONTH ? '-' : '0' + digits[i];
    return day ? DAY : month ? MONTH : YEAR;
}

static int tell_one_date(const telling *t, int32_t year, uint32_t month, uint32_t day,
                         atg_err *err) {
    uint32_t cp[FOLD_WORD];

    return tell(t, FORM_DATE, cp, forms_date(year, month, day, cp), 0, false, err);
}

/* Every year that it may lie in; every month when it is known better than to the year; the day when
 * it is known to the day. */
static int tell_date(const telling *t, atg_str text, atg_err *err) {
    int32_t first = 0, last = 0;
    uint32_t month = 0, to_month = 0, day = 0, to_day = 0;
    date d;
    int rc;

    if (date_read(text, &d, NULL))
        return ATG_OK;
    instant_civil(d.from, &first, &month, &day);
    instant_civil(d.to, &last, &to_month, &to_day);
    rc = d.from == d.to ? tell_one_date(t, first, month, day, err) : ATG_OK;
    for (int32_t y = first; y <= last && y < first + YEARS && rc == ATG_OK; y++)
        rc = tell_one_date(t, y, 0, 0, err);
    if (d.to - d.from >= DAYS_OF_YEAR - 2)
        return rc;
    while (rc == ATG_OK && (first < last || (first == last && month <= to_month))) {
        rc = tell_one_date(t, first, month, 0, err);
        first += month == 12;
        month = month % 12 + 1;
    }
    return rc;
}

/* ---- records ---- */

static int read_words(atg_arena *arena, atg_str text, fold_word **ret, uint32_t *ret_n,
                      atg_err *err) {
    fold_text folded;
    int rc = fold_read(arena, text, &folded, err);

    return rc ? rc : fold_words(arena, &folded, FIELD_WORDS, ret, ret_n, err);
}

static int tell_field(telling *t, atg_str text, atg_err *err) {
    fold_word *words = NULL;
    uint32_t n = 0;
    int rc;

    if (t->field->search == SEARCH_DATE)
        return tell_date(t, text, err);
    rc = read_words(t->arena, text, &words, &n, err);
    if (rc || n == 0)
        return rc;
    if (t->field->search == SEARCH_CODE)
        return tell_codes(t, words, n, err);
    if (t->family)
        rc = tell_full_name(t, &words[0], err);
    t->family = t->field->sort ? &words[n - 1] : NULL;
    return rc ? rc : tell_words(t, words, n, err);
}

static int tell_own_code(const telling *t, atg_str code, atg_err *err) {
    uint32_t cp[FOLD_WORD], n = 0, noughts;
    fold_word *words = NULL;
    const fold_word *last;
    int rc = read_words(t->arena, code, &words, &n, err);

    if (rc || n == 0)
        return rc;
    rc = tell(t, FORM_OWN_CODE, cp, forms_code(words, n, cp), 0, false, err);
    last = &words[n - 1];
    noughts = forms_noughts(last->cp, last->n);
    if (rc || last->script != FOLD_DIGITS)
        return rc;
    return tell(t, FORM_NUMBER, last->cp + noughts, last->n - noughts, 0, false, err);
}

static int tell_fields(telling *t, const record *r, uint64_t fields, atg_err *err) {
    const record_type *type = &record_types[r->kind];
    int rc = ATG_OK;

    for (uint32_t i = 0; i < type->n_fields && rc == ATG_OK; i++) {
        const field_type *f = &type->fields[i];

        if (f->search == SEARCH_NONE || !r->fields[i].known || !(fields >> i & 1))
            continue;
        t->field = f;
        t->place.class = f->class;
        t->name = f->search == SEARCH_NAME;
        t->brief = t->name || f->max_size <= SHORT_FIELD;
        t->begin = t->name ? BEGIN_LEAST : BEGIN_OTHERS;
        rc = tell_field(t, r->fields[i].text, err);
    }
    return rc;
}

static telling telling_of(atg_arena *arena, const record *r, form_fn *fn, void *user) {
    return (telling){.arena = arena, .fn = fn, .user = user, .place = {r->kind, CLASS_PLAIN}};
}

int forms_of_fields(atg_arena *arena, const record *r, uint64_t fields, form_fn *fn, void *user,
                    atg_err *err) {
    telling t = telling_of(arena, r, fn, user);

    return tell_fields(&t, r, fields, err);
}

int forms_of_record(atg_arena *arena, const record *r, const search_scope *scope, form_fn *fn,
                    void *user, atg_err *err) {
    telling t = telling_of(arena, r, fn, user);
    uint32_t classes = scope->classes[r->kind];
    uint64_t fields = 0;
    int rc = ATG_OK;

    for (uint32_t i = 0; i < record_types[r->kind].n_fields; i++)
        fields |= (uint64_t)(classes >> record_types[r->kind].fields[i].class & 1) << i;
    if (r->code.n && (classes & 1U << CLASS_PLAIN))
        rc = tell_own_code(&t, r->code, err);
    return rc ? rc : tell_fields(&t, r, fields, err);
}
