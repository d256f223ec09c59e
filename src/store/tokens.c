/* SPDX-License-Identifier: Apache-2.0 */
#include "store/tokens.h"

#include <stdlib.h>
#include <string.h>

#include <unicode/ucol.h>
#include <unicode/uiter.h>

#include "base/bytes.h"
#include "base/utf8.h"
#include "store/tokens_internal.h"

enum {
    SET_FIRST = 64,
    PLACE_NAME = 32,
    FIELD_TOKENS = 1 << 13, /* of one record, each once: what comes behind is not found */
    APART_BYTES = 512,      /* of texts that have far fewer */
};

/* ---- tokens ---- */

static char kind_letter(form_kind kind) {
    static const char letters[] = {
        [FORM_WORD] = 'w', [FORM_CYRILLIC] = 'c', [FORM_SKELETON] = 's', [FORM_SYLLABLES] = 'y',
        [FORM_CODE] = 'k', [FORM_OWN_CODE] = 'o', [FORM_NUMBER] = 'n',   [FORM_DATE] = 'd'};

    return letters[kind];
}

static size_t put_name(char *text, size_t at, const char *name) {
    for (size_t i = 0; name[i] && i + 1 < PLACE_NAME; i++)
        text[at++] = name[i];
    text[at++] = '/';
    return at;
}

/* Names and letters, not numbers: they stay what they are when a class or a kind is added. */
int64_t token_of(const key256 *key, token_place place, form_kind kind, token_use use,
                 const uint32_t *cp, uint32_t n) {
    enum { LONGEST = 4 };
    char text[2 * PLACE_NAME + 4 + LONGEST * FOLD_WORD];
    unsigned char token[HASH_TOKEN];
    size_t at = put_name(text, 0, record_types[place.record].name);

    at = put_name(text, at, class_names[place.class]);
    text[at++] = kind_letter(kind);
    text[at++] = (char)use;
    text[at++] = '/';
    for (uint32_t i = 0; i < n && i < FOLD_WORD; i++)
        at += utf8_write(cp[i], text + at);
    hash_token(key, (atg_str){text, at}, token);
    at = bytes_get64(token) >> (64 - TOKEN_BITS);
    return (int64_t)(at < TOKEN_LEAST ? at + TOKEN_LEAST : at);
}

int64_t token_any(const key256 *key, token_place place, form_kind kind) {
    return token_of(key, place, kind, USE_ANY, NULL, 0) % TOKEN_LEAST;
}

static int out_of_memory(atg_err *err) {
    return atg_fail(err, ATG_ENOMEM, "Out of memory for search words");
}

static int add(token_set *set, int64_t token, atg_err *err) {
    if (set->n == set->cap) {
        uint32_t cap = set->cap ? 2 * set->cap : SET_FIRST;
        int64_t *more = ATG_GET(set->arena, int64_t, cap);

        if (!more)
            return out_of_memory(err);
        if (set->n)
            memcpy(more, set->tokens, set->n * sizeof(*more));
        set->tokens = more;
        set->cap = cap;
    }
    set->tokens[set->n++] = token;
    return ATG_OK;
}

/* ---- of a record ---- */

typedef struct indexing {
    token_set *set;
    const key256 *key;
    uint32_t before; /* tokens that were in the set */
    bool full;
    uint32_t told[CLASSES]; /* bits: kinds of forms that there were */
} indexing;

static int put(indexing *x, const form *f, token_use use, uint32_t from, uint32_t n, atg_err *err) {
    return add(x->set, token_of(x->key, f->place, f->kind, use, f->cp + from, n), err);
}

static int put_word(indexing *x, const form *f, atg_err *err) {
    static const uint32_t begins[] = {BEGIN_TOKENS};
    int rc = put(x, f, USE_WHOLE, 0, f->n, err);

    for (size_t i = 0; i < sizeof(begins) / sizeof(*begins) && f->begin && rc == ATG_OK; i++)
        if (begins[i] >= f->begin && begins[i] < f->n)
            rc = put(x, f, USE_BEGIN, 0, begins[i], err);
    for (uint32_t i = 1; f->inside && i + INSIDE <= f->n && rc == ATG_OK; i++)
        rc = put(x, f, USE_INSIDE, i, INSIDE, err);
    return rc;
}

static int put_syllables(indexing *x, const form *f, atg_err *err) {
    int rc = put(x, f, USE_WHOLE, 0, f->n, err);

    for (uint32_t i = 0; f->n > 1 && f->inside && i < f->n && rc == ATG_OK; i++)
        rc = put(x, f, USE_SYLLABLE, i, 1, err);
    for (uint32_t i = 0; f->n > 2 && i + 1 < f->n && rc == ATG_OK; i++)
        rc = put(x, f, USE_PAIR, i, 2, err);
    return rc;
}

static int put_code(indexing *x, const form *f, atg_err *err) {
    int rc = put(x, f, USE_WHOLE, 0, f->n, err);

    if (rc == ATG_OK && f->begin && f->n > CODE_SHORT)
        rc = put(x, f, USE_BEGIN, 0, CODE_SHORT, err);
    if (rc == ATG_OK && f->begin && f->n > CODE_LONG)
        rc = put(x, f, USE_BEGIN, 0, CODE_LONG, err);
    if (rc == ATG_OK && f->begin && f->n > CODE_SHORT)
        rc = put(x, f, USE_END, f->n - CODE_SHORT, CODE_SHORT, err);
    return rc;
}

static int put_form(void *user, const form *f, atg_err *err) {
    indexing *x = user;

    if (x->set->n - x->before > FIELD_TOKENS) {
        tokens_sort(x->set);
        x->full |= x->set->n - x->before > FIELD_TOKENS / 2;
    }
    if (x->full)
        return ATG_OK;
    if (!(x->told[f->place.class] & 1U << f->kind)) {
        int rc = add(x->set, token_any(x->key, f->place, f->kind), err);

        if (rc)
            return rc;
        x->told[f->place.class] |= 1U << f->kind;
    }
    switch (f->kind) {
    case FORM_WORD:
    case FORM_CYRILLIC:
    case FORM_SKELETON:
        return put_word(x, f, err);
    case FORM_SYLLABLES:
        return put_syllables(x, f, err);
    case FORM_CODE:
        return put_code(x, f, err);
    case FORM_OWN_CODE:
    case FORM_NUMBER:
    case FORM_DATE:
        return put(x, f, USE_WHOLE, 0, f->n, err);
    }
    return ATG_OK;
}

int tokens_of_record(token_set *set, const key256 *key, const record *r, atg_err *err) {
    indexing x = {.set = set, .key = key, .before = set->n};
    search_scope everything;

    memset(&everything, 0xff, sizeof(everything));

    return forms_of_record(set->arena, r, &everything, put_form, &x, err);
}

static int compare(const void *x, const void *y) {
    int64_t a, b;

    memcpy(&a, x, sizeof(a));
    memcpy(&b, y, sizeof(b));
    return (a > b) - (a < b);
}

void tokens_sort(token_set *set) {
    uint32_t n = 0;

    if (set->n)
        qsort(set->tokens, set->n, sizeof(*set->tokens), compare);
    for (uint32_t i = 0; i < set->n; i++)
        if (n == 0 || set->tokens[n - 1] != set->tokens[i])
            set->tokens[n++] = set->tokens[i];
    set->n = n;
}

/* ---- of a change ---- */

static int all_tokens(token_set *set, const key256 *key, const record *r, atg_err *err) {
    int rc = r && !r->withdrawn ? tokens_of_record(set, key, r, err) : ATG_OK;

    tokens_sort(set);
    return rc;
}

static int some_tokens(token_set *set, const key256 *key, const record *r, uint64_t fields,
                       atg_err *err) {
    indexing x = {.set = set, .key = key, .before = set->n};
    int rc = forms_of_fields(set->arena, r, fields, put_form, &x, err);

    tokens_sort(set);
    return rc;
}

/* Take out of a set what is in the other. */
static void take_out(token_set *set, const token_set *other) {
    uint32_t n = 0;

    for (uint32_t i = 0; i < set->n; i++)
        if (!other->n ||
            !bsearch(&set->tokens[i], other->tokens, other->n, sizeof(*other->tokens), compare))
            set->tokens[n++] = set->tokens[i];
    set->n = n;
}

static uint64_t searched(record_kind kind) {
    uint64_t fields = 0;

    for (uint32_t f = 0; f < record_types[kind].n_fields; f++)
        fields |= (uint64_t)(record_field(kind, f)->search != SEARCH_NONE) << f;
    return fields;
}

/* Fields of the same class may have the same tokens; none else can. */
static uint64_t akin(record_kind kind, uint64_t changed) {
    uint32_t classes = 0;
    uint64_t fields = 0;

    for (uint32_t f = 0; f < record_types[kind].n_fields; f++)
        classes |= (changed >> f & 1) << record_field(kind, f)->class;
    for (uint32_t f = 0; f < record_types[kind].n_fields; f++)
        fields |= (uint64_t)(classes >> record_field(kind, f)->class & 1) << f;
    return fields & searched(kind) & ~changed;
}

/* Can the tokens of some fields be told without the others?  Names are told together, and what
 * stands behind the name that lists are sorted by is told with it; and of a very long record not
 * all is found. */
static bool is_apart(const record *r, uint64_t fields) {
    bool behind = false;
    size_t bytes = 0;

    for (uint32_t f = 0; f < record_types[r->kind].n_fields; f++) {
        const field_type *field = record_field(r->kind, f);
        bool name = field->search == SEARCH_NAME;

        if (name && fields >> f & 1)
            return false;
        if (field->search == SEARCH_NONE || !r->fields[f].known)
            continue;
        bytes += r->fields[f].text.n;
        if (behind && !name && field->search == SEARCH_WORDS)
            return false;
        behind = field->sort || (behind && field->search != SEARCH_NAME);
    }
    return bytes <= APART_BYTES;
}

int tokens_of_change(const key256 *key, const record *before, const record *now, uint64_t changed,
                     token_set *ret_before, token_set *ret_now, atg_err *err) {
    bool both = before && now && !before->withdrawn && !now->withdrawn;
    uint64_t others;
    int rc;

    changed &= both ? searched(now->kind) : 0;
    if (both && !changed && atg_str_eq(before->code, now->code))
        return ATG_OK;
    others = both ? akin(now->kind, changed) : 0;
    if (!both || !atg_str_eq(before->code, now->code) || !is_apart(before, changed | others) ||
        !is_apart(now, changed | others)) {
        rc = all_tokens(ret_before, key, before, err);
        return rc ? rc : all_tokens(ret_now, key, now, err);
    }

    token_set same = {.arena = ret_now->arena};

    rc = some_tokens(ret_before, key, before, changed, err);
    if (rc == ATG_OK)
        rc = some_tokens(ret_now, key, now, changed, err);
    if (rc == ATG_OK)
        rc = some_tokens(&same, key, now, others, err);
    take_out(ret_before, &same);
    take_out(ret_now, &same);
    return rc;
}

/* ---- sort keys ---- */

int tokens_sort_key(atg_arena *arena, atg_str text, atg_str *ret, atg_err *err) {
    UErrorCode status = U_ZERO_ERROR;
    UCollator *root = ucol_open("", &status);
    unsigned char key[FILE_SORT_MAX];
    uint32_t state[2] = {0, 0};
    UCharIterator letters;
    int32_t n = 0;

    if (U_SUCCESS(status)) {
        uiter_setUTF8(&letters, text.n ? text.p : "", (int32_t)(text.n > INT32_MAX ? 0 : text.n));
        n = ucol_nextSortKeyPart(root, &letters, state, key, FILE_SORT_MAX, &status);
    }
    ucol_close(root);
    if (U_FAILURE(status))
        return atg_fail(err, status == U_MEMORY_ALLOCATION_ERROR ? ATG_ENOMEM : ATG_EIO,
                        "ICU cannot sort texts: %s", u_errorName(status));
    *ret = atg_arena_str(arena, (atg_str){(const char *)key, (size_t)n});
    return ret->p ? ATG_OK : out_of_memory(err);
}
