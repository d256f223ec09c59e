/* SPDX-License-Identifier: Apache-2.0 */
/* From a query to the tokens that a file must have. */
#include <string.h>

#include "store/tokens_internal.h"

enum { PIECES = 6 }; /* of what stands inside a word: so many are looked for */

/* Classes of fields that are searched in some way, of those that are asked for. */
typedef struct asked {
    uint32_t names, words, codes, dates, own;
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
    asked classes;
    bool failed; /* memory was short */
} planning;

static asked classes_of(uint32_t wanted) {
    asked a = {.own = wanted & 1U << CLASS_PLAIN};

    for (int k = 0; k < RECORD_KINDS; k++)
        for (uint32_t i = 0; i < record_types[k].n_fields; i++) {
            const field_type *f = &record_types[k].fields[i];
            uint32_t bit = wanted & 1U << f->class;

            a.names |= f->search == SEARCH_NAME ? bit : 0;
            a.words |= f->search == SEARCH_WORDS ? bit : 0;
            a.codes |= f->search == SEARCH_CODE ? bit : 0;
            a.dates |= f->search == SEARCH_DATE ? bit : 0;
        }
    return a;
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

/* Their token in each of the classes. */
static void ask(planning *p, clause *c, uint32_t classes, const part_form *f, piece of) {
    for (int k = 0; k < CLASSES; k++) {
        field_class class = (field_class)k;
        clause_token t = {.sure = of.sure};

        if (!(classes & 1U << k))
            continue;
        t.token = token_of(p->key, class, f->kind, of.use, f->cp + of.from, of.n);
        t.any = token_any(p->key, class, f->kind);
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

static uint32_t classes_with(const planning *p, const part_form *f) {
    switch (f->kind) {
    case FORM_CODE: /* codes stand among words too */
        return p->classes.codes | p->classes.names | p->classes.words;
    case FORM_OWN_CODE:
    case FORM_NUMBER:
        return p->classes.own;
    case FORM_DATE:
        return p->classes.dates;
    case FORM_WORD:
    case FORM_CYRILLIC:
    case FORM_SKELETON:
    case FORM_SYLLABLES:
        break;
    }
    return p->classes.names | p->classes.words;
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
    uint32_t n = begin_of(f->n), classes = classes_with(p, f);

    if (!f->longer)
        ask(p, c, classes, f, (piece){USE_WHOLE, 0, f->n, true});
    if (n < BEGIN_OTHERS) /* so short are beginnings of names only, and not of skeletons */
        classes = f->kind == FORM_SKELETON ? 0 : p->classes.names;
    if (n)
        ask(p, c, classes, f, (piece){USE_BEGIN, 0, n, n == f->n});
}

static void ask_pieces(planning *p, list *l, const part_form *f) {
    uint32_t classes = classes_with(p, f);
    clause *c;

    for (uint32_t i = 0; i < PIECES && i + INSIDE <= f->n; i++) {
        c = new_clause(l);
        if (!c)
            return;
        ask(p, c, p->classes.names, f, (piece){USE_INSIDE, i, INSIDE, f->n == INSIDE});
        if (i == 0)
            ask(p, c, classes, f, (piece){USE_BEGIN, 0, INSIDE, f->n == INSIDE});
    }
}

static void ask_word(planning *p, list *l, const part_form *f, part_mode mode) {
    list begins = {.n = 0};
    clause *c;

    if (mode == PART_INSIDE)
        ask_pieces(p, l, f);
    c = new_clause(&begins);
    if (mode == PART_WHOLE)
        ask(p, c, classes_with(p, f), f, (piece){USE_WHOLE, 0, f->n, true});
    else
        ask_begin(p, c, f);
    either(p, l, &begins);
}

static void ask_syllables(planning *p, list *l, const part_form *f, part_mode mode) {
    uint32_t classes = classes_with(p, f);
    list whole = {.n = 0};

    ask(p, new_clause(&whole), classes, f, (piece){USE_WHOLE, 0, f->n, true});
    if (mode != PART_WHOLE && f->n == 1)
        ask(p, &whole.c[0], p->classes.names, f, (piece){USE_SYLLABLE, 0, 1, true});
    for (uint32_t i = 0; mode != PART_WHOLE && i + 1 < f->n && i < PIECES; i++) {
        clause *c = new_clause(l);

        if (c)
            ask(p, c, classes, f, (piece){USE_PAIR, i, 2, f->n == 2});
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
    ask(p, c, digit ? classes_with(p, f) : p->classes.codes, f, (piece){USE_WHOLE, 0, f->n, true});
    if (mode == PART_WHOLE || f->n < CODE_SHORT)
        return;
    ask(p, c, p->classes.codes, f, (piece){USE_BEGIN, 0, begin, f->n == begin});
    if (digit)
        ask(p, c, p->classes.codes, f,
            (piece){USE_END, f->n - CODE_SHORT, CODE_SHORT, f->n == CODE_SHORT});
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
            ask(p, c, classes_with(p, f), f, (piece){USE_WHOLE, 0, f->n, true});
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

int tokens_plan(atg_arena *arena, const key256 *key, const search_words *words, search_plan *ret,
                atg_err *err) {
    planning p = {arena, key, classes_of(words->classes), false};
    list l = {.n = 0};
    bool leads = false;

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
