/* SPDX-License-Identifier: Apache-2.0 */
/* What somebody typed, and whether a record answers it. */
#include <string.h>

#include "base/utf8.h"
#include "store/tokens_internal.h"

enum { OWN_DIGITS = 6, OWN_WORDS = 3 };

typedef struct reading {
    atg_arena *arena;
    search_words *to;
    part_mode mode;
} reading;

static int out_of_memory(atg_err *err) {
    return atg_fail(err, ATG_ENOMEM, "Out of memory for a query");
}

/* ---- the forms of a part ---- */

static void add_form(part *p, form_kind kind, const uint32_t *cp, uint32_t n) {
    part_form *f = &p->forms[p->n];

    if (p->n == PART_FORMS || n == 0)
        return;
    f->kind = kind;
    f->n = n > FOLD_WORD ? FOLD_WORD : n;
    memcpy(f->cp, cp, f->n * sizeof(*cp));
    p->n++;
}

static void add_roman(part *p, form_kind kind, const char *s, uint32_t n) {
    uint32_t cp[FOLD_WORD + 1];

    for (uint32_t i = 0; i < n && i <= FOLD_WORD; i++)
        cp[i] = (unsigned char)s[i];
    add_form(p, kind, cp, n);
}

static void add_skeleton(part *p, const skeleton *s) {
    char text[ROMAN + 2];

    memcpy(text, s->key.s, s->key.n);
    text[s->key.n] = '+';
    add_roman(p, FORM_SKELETON, text, s->key.n + s->ends_open);
    if (p->mode != PART_BEGIN || !s->ends_open || s->key.n < BEGIN_OTHERS || p->n == PART_FORMS)
        return;
    /* Moha: the beginning of Mohammed, whose vowels are not told */
    p->forms[p->n].longer = true;
    add_roman(p, FORM_SKELETON, text, s->key.n);
}

static void add_latin(part *p, const fold_word *w) {
    roman keys[ROMAN_KEYS];
    skeleton skeletons[ROMAN_KEYS];
    uint32_t n = roman_latin_keys(w->cp, w->n, true, keys);

    for (uint32_t i = 0; i < n; i++)
        add_roman(p, FORM_CYRILLIC, keys[i].s, keys[i].n);
    if (p->mode == PART_INSIDE) {
        n = roman_latin_keys(w->cp, w->n, false, keys);
        for (uint32_t i = 0; i < n; i++)
            add_roman(p, FORM_CYRILLIC, keys[i].s, keys[i].n);
        return;
    }
    n = roman_latin_skeletons(w->cp, w->n, skeletons);
    for (uint32_t i = 0; i < n; i++)
        add_skeleton(p, &skeletons[i]);
}

/* Also finds what was written in Latin letters. */
static void add_cyrillic(part *p, const fold_word *w) {
    roman r;

    roman_cyrillic_key(w->cp, w->n, true, &r);
    add_roman(p, FORM_CYRILLIC, r.s, r.n);
    if (r.n == 0)
        add_form(p, FORM_WORD, w->cp, w->n);
    if (p->mode == PART_INSIDE) {
        roman_cyrillic_key(w->cp, w->n, false, &r);
        add_roman(p, FORM_CYRILLIC, r.s, r.n);
    }
    roman_cyrillic(w->cp, w->n, ROMAN_UKRAINIAN, &r);
    add_roman(p, FORM_WORD, r.s, r.n);
    roman_cyrillic(w->cp, w->n, ROMAN_RUSSIAN, &r);
    add_roman(p, FORM_WORD, r.s, r.n);
}

static void add_kana(part *p, const fold_word *w) {
    roman ways[2];
    uint32_t n = 0;

    while (n < w->n && roman_is_kana(w->cp[n]))
        n++;
    n = n == w->n ? roman_kana(w->cp, w->n, ways) : 0;
    for (uint32_t i = 0; i < n; i++)
        add_roman(p, FORM_WORD, ways[i].s, ways[i].n);
}

static bool is_hint(part_mode mode, const fold_word *w) {
    if (w->script == FOLD_SYLLABLES)
        return false;
    return (mode == PART_INSIDE && w->n < INSIDE) || (mode == PART_BEGIN && w->n == 1 && !w->digit);
}

static void add_word(part *p, const fold_word *w) {
    uint32_t skip = 0;
    roman r;

    p->hint = is_hint(p->mode, w);
    if (w->script == FOLD_SYLLABLES) {
        add_form(p, FORM_SYLLABLES, w->cp, w->n);
        add_kana(p, w);
        return;
    }
    if (w->script != FOLD_CYRILLIC || w->digit)
        add_form(p, FORM_WORD, w->cp, w->n);
    if (w->digit)
        return;
    switch (w->script) {
    case FOLD_LATIN:
        add_latin(p, w);
        break;
    case FOLD_CYRILLIC:
        add_cyrillic(p, w);
        break;
    case FOLD_GREEK:
        roman_greek(w->cp, w->n, &r);
        add_roman(p, FORM_WORD, r.s, r.n);
        break;
    case FOLD_ARABIC:
        skip = forms_article(w->cp, w->n);
        if (skip)
            add_form(p, FORM_WORD, w->cp + skip, w->n - skip);
        break;
    case FOLD_HEBREW:
    case FOLD_SYLLABLES:
    case FOLD_DIGITS:
    case FOLD_OTHER:
        break;
    }
}

bool part_has_digit(const part_form *q) {
    for (uint32_t i = 0; i < q->n; i++)
        if (fold_script_of(q->cp[i]) == FOLD_DIGITS)
            return true;
    return false;
}

/* ---- parts and items ---- */

static part *new_part(const reading *r, atg_err *err) {
    part *p = &r->to->parts[r->to->n_parts];

    if (r->to->n_parts == QUERY_PARTS) {
        (void)atg_fail(err, ATG_ELIMIT, "This is too much to search at once: leave words out");
        return NULL;
    }
    *p = (part){.mode = r->mode, .forms = ATG_GET(r->arena, part_form, PART_FORMS)};
    if (!p->forms) {
        (void)out_of_memory(err);
        return NULL;
    }
    r->to->n_parts++;
    return p;
}

/* "al-Hassan": the article is written or not, and not in Arabic letters. */
static bool is_article(const fold_word *w) {
    static const char *const articles[] = {"al", "el", "ul", "ad", "an", "ar", "as", "at", "az"};

    if (!w->hyphen || w->n != 2)
        return false;
    for (size_t i = 0; i < sizeof(articles) / sizeof(*articles); i++)
        if (w->cp[0] == (unsigned char)articles[i][0] && w->cp[1] == (unsigned char)articles[i][1])
            return true;
    return false;
}

static int read_words(const reading *r, item *to, const fold_word *words, uint32_t n,
                      atg_err *err) {
    to->first = r->to->n_parts;
    for (uint32_t i = 0; i < n; i++) {
        part *p;

        if (i + 1 < n && is_article(&words[i]))
            continue;
        p = new_part(r, err);
        if (!p)
            return err->code;
        add_word(p, &words[i]);
    }
    to->n_words = r->to->n_parts - to->first;
    return ATG_OK;
}

/* Min-su as Minsu. */
static int read_joined(const reading *r, const fold_word *words, uint32_t n, atg_err *err) {
    uint32_t cp[FOLD_WORD];
    fold_word joined = {.cp = cp, .script = words[0].script};
    part *p;

    for (uint32_t i = 0; i < n; i++)
        if (words[i].script != joined.script || words[i].digit || (i + 1 < n && !words[i].hyphen))
            return ATG_OK;
    joined.n = forms_code(words, n, cp);
    p = new_part(r, err);
    if (!p)
        return err->code;
    add_word(p, &joined);
    return ATG_OK;
}

/* AM-K3-123 is AM-K3-000123; a number alone is the end of one. */
static void add_own_code(part *p, const fold_word *words, uint32_t n) {
    uint32_t cp[FOLD_WORD], length = 0, noughts;
    const fold_word *last = &words[n - 1];

    if (last->script != FOLD_DIGITS || last->n > FOLD_WORD / 2)
        return;
    if (n == 1) {
        noughts = forms_noughts(last->cp, last->n);
        add_form(p, FORM_NUMBER, last->cp + noughts, last->n - noughts);
        return;
    }
    if (n != OWN_WORDS)
        return;
    length = forms_code(words, n - 1, cp);
    if (length > FOLD_WORD / 4)
        return;
    for (uint32_t i = last->n; i < OWN_DIGITS; i++)
        cp[length++] = '0';
    memcpy(cp + length, last->cp, last->n * sizeof(*cp));
    add_form(p, FORM_OWN_CODE, cp, length + last->n);
}

static int read_code(const reading *r, const fold_word *words, uint32_t n, atg_err *err) {
    uint32_t cp[FOLD_WORD], length = forms_code(words, n, cp);
    part *p = new_part(r, err);

    if (!p)
        return err->code;
    add_form(p, FORM_CODE, cp, length);
    if (part_has_digit(&p->forms[0]))
        add_form(p, FORM_OWN_CODE, cp, length);
    add_own_code(p, words, n);
    return ATG_OK;
}

static bool number_of(const fold_word *w, uint32_t *ret) {
    *ret = 0;
    for (uint32_t i = 0; i < w->n; i++)
        *ret = 10 * *ret + (w->cp[i] - '0');
    return w->script == FOLD_DIGITS && w->n <= 4;
}

static void add_date(part *p, uint32_t year, uint32_t month, uint32_t day, bool has_month,
                     bool has_day) {
    enum { MONTHS = 12, DAYS = 31, FIRST = 1000, LAST = 9999 };
    uint32_t cp[FOLD_WORD];
    bool is_month = !has_month || (month >= 1 && month <= MONTHS);
    bool is_day = !has_day || (day >= 1 && day <= DAYS);

    if (year >= FIRST && year <= LAST && is_month && is_day)
        add_form(p, FORM_DATE, cp,
                 forms_date((int32_t)year, has_month ? month : 0, has_day ? day : 0, cp));
}

/* 1984, 1984-03, 1984-03-12, 03.1984, 12.03.1984, and 03/12/1984 in either order. */
static int read_date(const reading *r, const fold_word *words, uint32_t n, atg_err *err) {
    uint32_t x[3] = {0, 0, 0};
    bool backward;
    part *p;

    if (n > 3)
        return ATG_OK;
    for (uint32_t i = 0; i < n; i++)
        if (!number_of(&words[i], &x[i]))
            return ATG_OK;
    backward = n > 1 && words[0].n < 4;
    if (words[backward ? n - 1 : 0].n != 4)
        return ATG_OK;
    p = new_part(r, err);
    if (!p)
        return err->code;
    if (!backward)
        add_date(p, x[0], x[1], x[2], n > 1, n > 2);
    else if (n == 2)
        add_date(p, x[1], x[0], 0, true, false);
    else
        add_date(p, x[2], x[1], x[0], true, true);
    if (backward && n == 3 && x[0] != x[1])
        add_date(p, x[2], x[0], x[1], true, true);
    return ATG_OK;
}

/* Words that were typed without a blank between. */
static int read_item(const reading *r, const fold_word *words, uint32_t n, atg_err *err) {
    item *to = &r->to->items[r->to->n_items];
    int rc;

    if (r->to->n_items == QUERY_ITEMS)
        return atg_fail(err, ATG_ELIMIT, "Search for at most %d words at once", QUERY_ITEMS);
    *to = (item){0};
    rc = read_words(r, to, words, n, err);
    if (rc == ATG_OK && n > 1)
        rc = read_joined(r, words, n, err);
    if (rc == ATG_OK && words[0].script != FOLD_SYLLABLES)
        rc = read_code(r, words, n, err);
    if (rc == ATG_OK)
        rc = read_date(r, words, n, err);
    to->n_whole = r->to->n_parts - to->first - to->n_words;
    r->to->n_items++;
    return rc;
}

static int read_piece(const reading *r, atg_str text, atg_err *err) {
    fold_word *words = NULL;
    uint32_t n = 0;
    fold_text folded;
    int rc = fold_read(r->arena, text, &folded, err);

    if (rc == ATG_OK)
        rc = fold_words(r->arena, &folded, QUERY_PARTS + 1, &words, &n, err);
    for (uint32_t i = 0, k; i < n && rc == ATG_OK; i += k) {
        k = forms_chunk(&words[i], n - i);
        rc = read_item(r, &words[i], k, err);
    }
    return rc;
}

/* ---- a query ---- */

static bool opens_quote(uint32_t cp) {
    return cp == '"' || (cp >= 0x201c && cp <= 0x201f) || cp == 0xab || cp == 0xbb || cp == 0x300c;
}

static bool closes_quote(uint32_t cp) {
    return opens_quote(cp) || cp == 0x300d;
}

static bool is_blank(uint32_t cp) {
    return cp <= ' ' || cp == 0xa0 || cp == 0x3000;
}

/* Cut off what is before the first character that `ends` says; that one goes too. */
static atg_str cut(atg_str *rest, bool (*ends)(uint32_t)) {
    atg_str at = *rest, ret = {rest->p, rest->n};

    while (at.n) {
        size_t before = at.n;

        if (ends(utf8_next(&at))) {
            ret.n = rest->n - before;
            break;
        }
    }
    *rest = at;
    return ret;
}

static bool ends_piece(uint32_t cp) {
    return is_blank(cp) || opens_quote(cp);
}

static int read_query(reading *r, atg_str rest, atg_err *err) {
    int rc = ATG_OK;

    while (rc == ATG_OK && rest.n) {
        atg_str after = rest, piece;
        uint32_t cp = utf8_next(&after);

        if (is_blank(cp)) {
            rest = after;
            continue;
        }
        if (opens_quote(cp)) {
            r->mode = PART_WHOLE;
            piece = cut(&after, closes_quote);
            rest = after;
        } else {
            atg_str from = rest;

            piece = cut(&rest, ends_piece);
            r->mode = cp == '*' ? PART_INSIDE : PART_BEGIN;
            /* the quote that ended it begins the next */
            if (from.n > piece.n && !is_blank((unsigned char)from.p[piece.n]))
                rest = (atg_str){from.p + piece.n, from.n - piece.n};
        }
        rc = read_piece(r, piece, err);
    }
    return rc;
}

int search_read(atg_arena *arena, atg_str text, const search_scope *scope, search_words **ret,
                atg_err *err) {
    search_words *w = ATG_GET(arena, search_words, 1);
    reading r = {.arena = arena, .to = w};
    atg_err own;
    int rc;

    if (text.n > QUERY_BYTES)
        return atg_fail(err, ATG_ELIMIT, "A query has at most %d bytes", QUERY_BYTES);
    if (!w)
        return out_of_memory(err);
    w->scope = *scope;
    w->parts = ATG_GET(arena, part, QUERY_PARTS);
    if (!w->parts)
        return out_of_memory(err);
    rc = read_query(&r, text, err ? err : &own);
    if (rc == ATG_OK)
        *ret = w;
    return rc;
}

/* ---- does a record answer? ---- */

static bool is_same(const uint32_t *a, const uint32_t *b, uint32_t n) {
    return memcmp(a, b, n * sizeof(*a)) == 0;
}

static bool contains(const form *f, const part_form *q) {
    for (uint32_t i = 0; i + q->n <= f->n; i++)
        if (is_same(f->cp + i, q->cp, q->n))
            return true;
    return false;
}

static bool word_answers(const form *f, const part_form *q, const part *p) {
    bool long_enough = q->n >= f->begin || (p->hint && f->begin == BEGIN_LEAST);

    if (p->mode == PART_WHOLE)
        return false;
    if (f->begin && long_enough && is_same(f->cp, q->cp, q->n))
        return true;
    return p->mode == PART_INSIDE && f->inside && (q->n >= INSIDE || p->hint) && contains(f, q);
}

static bool code_answers(const form *f, const part_form *q, part_mode mode) {
    if (mode == PART_WHOLE || !f->begin || q->n < CODE_SHORT)
        return false;
    return is_same(f->cp, q->cp, q->n) ||
           (part_has_digit(q) && is_same(f->cp + f->n - q->n, q->cp, q->n));
}

static bool form_answers(const form *f, const part_form *q, const part *p) {
    if (f->kind != q->kind || q->n > f->n)
        return false;
    if (q->n == f->n)
        return !q->longer && is_same(f->cp, q->cp, q->n);
    switch (f->kind) {
    case FORM_WORD:
    case FORM_CYRILLIC:
    case FORM_SKELETON:
        return word_answers(f, q, p);
    case FORM_SYLLABLES:
        return p->mode != PART_WHOLE && (q->n > 1 || f->inside) && contains(f, q);
    case FORM_CODE:
        return code_answers(f, q, p->mode);
    case FORM_OWN_CODE:
    case FORM_NUMBER:
    case FORM_DATE:
        break;
    }
    return false;
}

bool part_answers(const part *p, const form *f) {
    for (uint32_t i = 0; i < p->n; i++)
        if (form_answers(f, &p->forms[i], p))
            return true;
    return false;
}

typedef struct looking {
    const search_words *words;
    uint64_t found;
} looking;

static int look(void *user, const form *f, atg_err *err) {
    looking *l = user;

    (void)err;
    for (uint32_t i = 0; i < l->words->n_parts; i++)
        if (!(l->found & 1ULL << i) && part_answers(&l->words->parts[i], f))
            l->found |= 1ULL << i;
    return ATG_OK;
}

int search_look(atg_arena *arena, const search_words *words, const record *r, uint64_t *found,
                atg_err *err) {
    looking l = {words, *found};
    int rc = forms_of_record(arena, r, &words->scope, look, &l, err);

    if (rc == ATG_OK)
        *found = l.found;
    return rc;
}

static uint64_t bits(uint32_t from, uint32_t n) {
    return n ? (UINT64_MAX >> (64 - n)) << from : 0;
}

bool search_answered(const search_words *words, uint64_t found) {
    for (uint32_t i = 0; i < words->n_items; i++) {
        const item *it = &words->items[i];
        uint64_t all = bits(it->first, it->n_words),
                 any = bits(it->first + it->n_words, it->n_whole);

        if (!(all && (found & all) == all) && !(found & any))
            return false;
    }
    return words->n_items > 0;
}
