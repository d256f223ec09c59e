/* SPDX-License-Identifier: Apache-2.0 */
/* From a query to the tokens that a file must have. */
#include <string.h>

#include "store/tokens_internal.h"

enum { PIECES = 6 }; /* of what stands inside a word: so many are looked for */

/* Places of fields that are searched, of those that are asked for, and how. */
enum { PLACES = 64, NAMES = 1 << SEARCH_NAME, WORDS = 1 << SEARCH_WORDS };
enum { CODES = 1 << SEARCH_CODE, DATES = 1 << SEARCH_DATE, OWN_CODES = 1 << 8 };

typedef struct asked {
    token_place at[PLACES];
    unsigned how[PLACES];
    int64_t any[PLACES][FORM_KINDS]; /* token_any(); negative: there is none */
    uint32_t n;
} asked;

/* Clauses that must all hold. */
typedef struct list {
    clause c[CLAUSES];
    uint32_t n;
    bool partial;
} list;

typedef struct planning {
    atg_arena *arena;
    const key256 *key;
    asked places;
    bool failed; /* memory was short */
} planning;

static void add_place(asked *a, record_kind kind, field_class class, unsigned how) {
    for (uint32_t i = 0; i < a->n; i++)
        if (a->at[i].record == kind && a->at[i].class == class) {
            a->how[i] |= how;
            return;
        }
    if (a->n == PLACES)
        return;
    a->at[a->n] = (token_place){kind, class};
    a->how[a->n++] = how;
}

static asked places_of(const search_scope *scope) {
    asked a = {.n = 0};

    for (uint32_t k = 0; k < RECORD_KINDS; k++) {
        const record_type *type = &record_types[k];

        for (uint32_t i = 0; i < type->n_fields; i++)
            if (type->fields[i].search && scope->classes[k] & 1U << type->fields[i].class)
                add_place(&a, (record_kind)k, type->fields[i].class, 1U << type->fields[i].search);
        if (type->code && scope->classes[k] & 1U << CLASS_PLAIN)
            add_place(&a, (record_kind)k, CLASS_PLAIN, OWN_CODES);
    }
    return a;
}

/* What there is none of need not be looked for. */
static void set_kinds(asked *a, const key256 *key, const unsigned char *kinds) {
    for (uint32_t i = 0; i < a->n; i++)
        for (int k = 0; k < FORM_KINDS; k++) {
            int64_t any = token_any(key, a->at[i], (form_kind)k);

            a->any[i][k] = kinds && !kinds[any] ? -1 : any;
        }
}

static void add_token(planning *p, clause *c, const clause_token *t) {
    enum { FIRST = 16 };

    for (uint32_t i = 0; i < c->n; i++)
        if (c->tokens[i].token == t->token) {
            c->tokens[i].sure |= t->sure;
            return;
        }
    if ((c->n & (c->n - 1)) == 0 && (c->n == 0 || c->n >= FIRST)) {
        clause_token *more = ATG_GET(p->arena, clause_token, c->n ? 2 * c->n : FIRST);

        if (!more) {
            p->failed = true;
            return;
        }
        if (c->n)
            memcpy(more, c->tokens, c->n * sizeof(*more));
        c->tokens = more;
    }
    c->tokens[c->n++] = *t;
}

/* Some letters of a form. */
typedef struct piece {
    token_use use;
    uint32_t from, n;
    bool sure;
} piece;

/* Their token in each of the places that are searched in one of these ways. */
static void ask(planning *p, clause *c, unsigned how, const part_form *f, piece of) {
    for (uint32_t i = 0; i < p->places.n; i++) {
        clause_token t = {.sure = of.sure};

        if (!(p->places.how[i] & how) || p->places.any[i][f->kind] < 0)
            continue;
        t.token = token_of(p->key, p->places.at[i], f->kind, of.use, f->cp + of.from, of.n);
        t.any = p->places.any[i][f->kind];
        add_token(p, c, &t);
    }
}

/* ---- lists of clauses ---- */

static clause *new_clause(list *l) {
    if (l->n == CLAUSES) {
        l->partial = true;
        return NULL;
    }
    l->c[l->n] = (clause){0};
    return &l->c[l->n++];
}

static void merge(planning *p, clause *to, const clause *from) {
    for (uint32_t i = 0; i < from->n; i++)
        add_token(p, to, &from->tokens[i]);
    to->open |= from->open;
}

/* One of two lists holds: then each clause of the longer one does, widened by one of the shorter.
 * Where a clause holds for a sure token, all of that token's list does (it is the only clause of
 * it), or this clause of it does. */
static void either(planning *p, list *to, const list *other) {
    list one = *to;
    uint32_t n = one.n > other->n ? one.n : other->n;

    to->partial |= other->partial;
    if (other->n == 0)
        return;
    to->n = n;
    for (uint32_t i = 0; i < n; i++) {
        clause c = {0};

        if (one.n)
            merge(p, &c, &one.c[i < one.n ? i : one.n - 1]);
        merge(p, &c, &other->c[i < other->n ? i : other->n - 1]);
        to->c[i] = c;
    }
}

static void both(list *to, const list *other) {
    to->partial |= other->partial;
    for (uint32_t i = 0; i < other->n; i++) {
        clause *c = new_clause(to);

        if (c)
            *c = other->c[i];
    }
}

/* ---- what answers a part ---- */

static unsigned how_of(const part_form *f) {
    switch (f->kind) {
    case FORM_CODE: /* codes stand among words too */
        return CODES | NAMES | WORDS;
    case FORM_OWN_CODE:
    case FORM_NUMBER:
        return OWN_CODES;
    case FORM_DATE:
        return DATES;
    case FORM_WORD:
    case FORM_CYRILLIC:
    case FORM_SKELETON:
    case FORM_SYLLABLES:
        break;
    }
    return NAMES | WORDS;
}

/* The longest beginning of at most n letters that has a token. */
static uint32_t begin_of(uint32_t n) {
    static const uint32_t begins[] = {BEGIN_TOKENS};
    uint32_t found = 0;

    for (size_t i = 0; i < sizeof(begins) / sizeof(*begins); i++)
        if (begins[i] <= n)
            found = begins[i];
    return found;
}

static void ask_begin(planning *p, clause *c, const part_form *f) {
    uint32_t n = begin_of(f->n);
    unsigned how = how_of(f);

    if (!f->longer)
        ask(p, c, how, f, (piece){USE_WHOLE, 0, f->n, true});
    if (n < BEGIN_OTHERS) /* so short are beginnings of names only, and not of skeletons */
        how = f->kind == FORM_SKELETON ? 0 : NAMES;
    if (n)
        ask(p, c, how, f, (piece){USE_BEGIN, 0, n, n == f->n});
}

static void ask_pieces(planning *p, list *l, const part_form *f) {
    unsigned how = how_of(f);
    clause *c;

    for (uint32_t i = 0; i < PIECES && i + INSIDE <= f->n; i++) {
        c = new_clause(l);
        if (!c)
            return;
        ask(p, c, NAMES, f, (piece){USE_INSIDE, i, INSIDE, f->n == INSIDE});
        if (i == 0)
            ask(p, c, how, f, (piece){USE_BEGIN, 0, INSIDE, f->n == INSIDE});
    }
}

static void ask_word(planning *p, list *l, const part_form *f, part_mode mode) {
    list begins = {.n = 0};
    clause *c;

    if (mode == PART_INSIDE)
        ask_pieces(p, l, f);
    c = new_clause(&begins);
    if (mode == PART_WHOLE)
        ask(p, c, how_of(f), f, (piece){USE_WHOLE, 0, f->n, true});
    else
        ask_begin(p, c, f);
    either(p, l, &begins);
}

static void ask_syllables(planning *p, list *l, const part_form *f, part_mode mode) {
    unsigned how = how_of(f);
    list whole = {.n = 0};

    ask(p, new_clause(&whole), how, f, (piece){USE_WHOLE, 0, f->n, true});
    if (mode != PART_WHOLE && f->n == 1)
        ask(p, &whole.c[0], NAMES, f, (piece){USE_SYLLABLE, 0, 1, true});
    for (uint32_t i = 0; mode != PART_WHOLE && i + 1 < f->n && i < PIECES; i++) {
        clause *c = new_clause(l);

        if (c)
            ask(p, c, how, f, (piece){USE_PAIR, i, 2, f->n == 2});
    }
    either(p, l, &whole);
}

/* Without a digit it is hardly a code: the end of one is not looked for. */
static void ask_code(planning *p, list *l, const part_form *f, part_mode mode) {
    uint32_t begin = f->n < CODE_LONG ? CODE_SHORT : CODE_LONG;
    bool digit = part_has_digit(f);
    clause *c = new_clause(l);

    if (!c)
        return;
    ask(p, c, digit ? how_of(f) : CODES, f, (piece){USE_WHOLE, 0, f->n, true});
    if (mode == PART_WHOLE || f->n < CODE_SHORT)
        return;
    ask(p, c, CODES, f, (piece){USE_BEGIN, 0, begin, f->n == begin});
    if (digit)
        ask(p, c, CODES, f, (piece){USE_END, f->n - CODE_SHORT, CODE_SHORT, f->n == CODE_SHORT});
}

static void ask_form(planning *p, list *l, const part_form *f, part_mode mode) {
    clause *c;

    switch (f->kind) {
    case FORM_WORD:
    case FORM_CYRILLIC:
    case FORM_SKELETON:
        ask_word(p, l, f, mode);
        break;
    case FORM_SYLLABLES:
        ask_syllables(p, l, f, mode);
        break;
    case FORM_CODE:
        ask_code(p, l, f, mode);
        break;
    case FORM_OWN_CODE:
    case FORM_NUMBER:
    case FORM_DATE:
        c = new_clause(l);
        if (c)
            ask(p, c, how_of(f), f, (piece){USE_WHOLE, 0, f->n, true});
        break;
    }
}

static void ask_part(planning *p, list *l, const part *q) {
    for (uint32_t i = 0; i < q->n; i++) {
        list one = {.n = 0};

        ask_form(p, &one, &q->forms[i], q->mode);
        either(p, l, &one);
    }
    if (q->hint) {
        list any = {.c = {{.open = true}}, .n = 1};

        either(p, l, &any);
    }
}

static void ask_item(planning *p, list *l, const search_words *words, const item *it) {
    const part *parts = words->parts + it->first;
    list all = {.n = 0};

    for (uint32_t i = 0; i < it->n_words; i++) {
        list one = {.n = 0};

        ask_part(p, &one, &parts[i]);
        both(&all, &one);
    }
    for (uint32_t i = it->n_words; i < it->n_words + it->n_whole; i++) {
        list one = {.n = 0};

        ask_part(p, &one, &parts[i]);
        either(p, &all, &one);
    }
    both(l, &all);
}

int tokens_plan(atg_arena *arena, const key256 *key, const search_words *words,
                const unsigned char *kinds, search_plan *ret, atg_err *err) {
    planning p = {arena, key, places_of(&words->scope), false};
    list l = {.n = 0};
    bool leads = false;

    set_kinds(&p.places, key, kinds);
    for (uint32_t i = 0; i < words->n_items; i++)
        ask_item(&p, &l, words, &words->items[i]);
    if (p.failed)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a query");
    for (uint32_t i = 0; i < l.n; i++)
        leads |= !l.c[i].open;
    if (!leads)
        return atg_fail(err, ATG_EINVAL,
                        "Type at least two letters of a name, three of another word or between "
                        "stars, a Han character or kana of a name, a code, or a date");
    memcpy(ret->clauses, l.c, sizeof(l.c));
    ret->n = l.n;
    ret->partial = l.partial;
    return ATG_OK;
}
