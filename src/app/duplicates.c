/* SPDX-License-Identifier: Apache-2.0 */
/* Which reports may be of one missing person.  Every file of the operation gives a few keys (its
 * names, its place in a pedigree, its relatives' names, its own DNA); files that share one are
 * compared. */
#include "app/merge.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "app/cases_internal.h"
#include "app/rights.h"
#include "base/fold.h"
#include "base/json_read.h"
#include "crypto/hash.h"
#include "model/date.h"

enum {
    PAGE = 500,
    NAMES_MAX = 24,   /* words of the names of one file */
    KEYS_MAX = 40,    /* of one file */
    COMMON_MAX = 200, /* files that share a key: a more common one says nothing */
    DNA_MARKERS = 8,
    DAYS_OF_YEAR = 366,
};

/* What one report says, as far as it is compared. */
typedef struct report {
    uuid id;
    atg_str code;
    uint32_t sex;
    date born;
    bool has_born;
    uint64_t family[NAMES_MAX], given[NAMES_MAX], relatives[NAMES_MAX];
    uint32_t n_family, n_given, n_relatives;
    uint64_t place, dna; /* 0: none */
} report;

typedef struct keyed {
    uint64_t key;
    uint32_t report;
} keyed;

typedef struct seeking {
    cases *c;
    const actor *who;
    atg_arena *arena; /* of the result */
    atg_arena *room;  /* of this run */
    const uuid *operation;
    report *reports;
    uint32_t n, cap;
    keyed *keys;
    uint32_t n_keys, cap_keys;
    duplicate *found;
    uint32_t n_found, cap_found;
} seeking;

static int no_memory(atg_err *err) {
    return atg_fail(err, ATG_ENOMEM, "Out of memory looking for duplicates");
}

static void *grow(atg_arena *arena, void *p, uint32_t n, uint32_t *cap, size_t size) {
    uint32_t more = *cap ? 2 * *cap : 256;
    void *q;

    if (n < *cap)
        return p;
    q = atg_arena_get(arena, more, size);
    if (q && n)
        memcpy(q, p, n * size);
    if (q)
        *cap = more;
    return q;
}

static uint64_t hash_word(const char *what, const void *p, size_t n) {
    hasher h;
    hash256 out;
    uint64_t ret;

    hash_begin(&h, what, NULL);
    hash_bytes(&h, (atg_str){p, n});
    out = hash_end(&h);
    memcpy(&ret, out.bytes, sizeof(ret));
    return ret | 1;
}

static int words_of(atg_arena *arena, const value *v, uint64_t *ret, uint32_t *ret_n,
                    atg_err *err) {
    fold_text text;
    fold_word *words;
    uint32_t n;
    int rc;

    if (!v->known)
        return ATG_OK;
    rc = fold_read(arena, v->text, &text, err);
    if (!rc)
        rc = fold_words(arena, &text, NAMES_MAX, &words, &n, err);
    for (uint32_t i = 0; !rc && i < n && *ret_n < NAMES_MAX; i++)
        ret[(*ret_n)++] =
            hash_word("antigone/duplicate-name/1", words[i].cp, words[i].n * sizeof(*words[i].cp));
    return rc;
}

/* ---- reading ---- */

static uint64_t place_of(const record *r) {
    const value *family = &r->fields[MISSING_FAMILY], *member = &r->fields[MISSING_MEMBER];
    hasher h;
    hash256 out;
    uint64_t ret;

    if (!family->known || !member->known)
        return 0;
    hash_begin(&h, "antigone/duplicate-place/1", NULL);
    hash_bytes(&h, (atg_str){(const char *)family->ref.bytes, UUID_SIZE});
    hash_bytes(&h, member->text);
    out = hash_end(&h);
    memcpy(&ret, out.bytes, sizeof(ret));
    return ret | 1;
}

/* Profiles of a missing person's own things are compared as they were written: the canonical text
 * of the genotypes. */
static int dna_of(seeking *w, db *d, atg_arena *page, const uuid *file, uint64_t *ret,
                  atg_err *err) {
    records_query q = {.kind = RECORD_PROFILE, .by = RECORDS_OF_FILE, .of = *file, .limit = PAGE};
    record_row *rows;
    uint32_t n;
    int rc = records_list(d, w->c->keys, page, &q, &rows, &n, err);

    for (uint32_t i = 0; i < n && !rc; i++) {
        const value *v = &rows[i].r->fields[PROFILE_GENOTYPES];
        json_auto_t *genotypes = NULL;

        if (rows[i].r->withdrawn || !v->known)
            continue;
        genotypes = json_loadb(v->text.p, v->text.n, 0, NULL);
        if (json_object_size(genotypes) >= DNA_MARKERS)
            *ret = hash_word("antigone/duplicate-dna/1", v->text.p, v->text.n);
    }
    return rc;
}

static int read_report(seeking *w, db *d, atg_arena *page, const record *r, atg_err *err) {
    const value *f = r->fields;
    report *out;
    int rc;

    w->reports = grow(w->room, w->reports, w->n, &w->cap, sizeof(*w->reports));
    if (!w->reports)
        return no_memory(err);
    out = &w->reports[w->n];
    *out = (report){.id = r->id,
                    .code = atg_arena_str(w->arena, r->code),
                    .sex = f[MISSING_SEX].known ? f[MISSING_SEX].choice : SEX_UNKNOWN,
                    .place = place_of(r)};
    out->has_born = f[MISSING_BORN].known && !date_read(f[MISSING_BORN].text, &out->born, NULL) &&
                    out->born.to - out->born.from <= DAYS_OF_YEAR;
    rc = words_of(page, &f[MISSING_FAMILY_NAME], out->family, &out->n_family, err);
    if (!rc)
        rc = words_of(page, &f[MISSING_OTHER_NAMES], out->family, &out->n_family, err);
    if (!rc)
        rc = words_of(page, &f[MISSING_GIVEN_NAME], out->given, &out->n_given, err);
    if (!rc)
        rc = words_of(page, &f[MISSING_RELATIVES], out->relatives, &out->n_relatives, err);
    if (!rc)
        rc = words_of(page, &f[MISSING_INFORMANT_NAME], out->relatives, &out->n_relatives, err);
    if (!rc)
        rc = dna_of(w, d, page, &r->id, &out->dna, err);
    w->n += !rc;
    return rc;
}

static int read_all(seeking *w, db *d, atg_err *err) {
    records_query q = {
        .kind = RECORD_MISSING, .by = RECORDS_OF_OPERATION, .of = *w->operation, .limit = PAGE};
    uint32_t n;

    do {
        ATG_AUTO(atg_arena) page = atg_arena_new(CASES_ARENA);
        record_row *rows;
        int rc = page ? records_list(d, w->c->keys, page, &q, &rows, &n, err) : no_memory(err);

        for (uint32_t i = 0; !rc && i < n; i++)
            if (!rows[i].r->withdrawn && !rows[i].erased &&
                !rows[i].r->fields[MISSING_MERGED_INTO].known)
                rc = read_report(w, d, page, rows[i].r, err);
        if (rc)
            return rc;
        if (n)
            q.after = rows[n - 1].r->id;
    } while (n == PAGE);
    return ATG_OK;
}

/* ---- pairs ---- */

static int add_key(seeking *w, uint64_t key, uint32_t at, atg_err *err) {
    w->keys = grow(w->room, w->keys, w->n_keys, &w->cap_keys, sizeof(*w->keys));
    if (!w->keys)
        return no_memory(err);
    w->keys[w->n_keys++] = (keyed){key, at};
    return ATG_OK;
}

/* A name of each kind together, in either order; the place; the DNA. */
static int add_keys(seeking *w, uint32_t at, atg_err *err) {
    const report *r = &w->reports[at];
    uint32_t n = 0;
    int rc = ATG_OK;

    for (uint32_t i = 0; i < r->n_family && !rc; i++)
        for (uint32_t k = 0; k < r->n_given && n < KEYS_MAX && !rc; k++, n++)
            rc = add_key(w, r->family[i] + r->given[k], at, err);
    for (uint32_t k = 0; k < r->n_given && r->has_born && !rc; k++)
        rc = add_key(w, r->given[k] ^ (uint64_t)(r->born.from / 366) << 1, at, err);
    if (!rc && r->place)
        rc = add_key(w, r->place, at, err);
    if (!rc && r->dna)
        rc = add_key(w, r->dna, at, err);
    return rc;
}

static bool share(const uint64_t *a, uint32_t n, const uint64_t *b, uint32_t m) {
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < m; k++)
            if (a[i] == b[k])
                return true;
    return false;
}

static uint32_t alike(const report *a, const report *b) {
    bool straight = share(a->family, a->n_family, b->family, b->n_family) &&
                    share(a->given, a->n_given, b->given, b->n_given);
    bool crossed = share(a->family, a->n_family, b->given, b->n_given) &&
                   share(a->given, a->n_given, b->family, b->n_family);
    uint32_t bits = straight || crossed ? ALIKE_NAMES : 0;

    if (!bits && share(a->given, a->n_given, b->given, b->n_given))
        bits |= ALIKE_GIVEN;
    if (a->has_born && b->has_born && a->born.from <= b->born.to && b->born.from <= a->born.to)
        bits |= ALIKE_BORN;
    if (share(a->relatives, a->n_relatives, b->relatives, b->n_relatives))
        bits |= ALIKE_RELATIVES;
    if (a->dna && a->dna == b->dna)
        bits |= ALIKE_DNA;
    if (a->place && a->place == b->place)
        bits |= ALIKE_PLACE;
    return bits;
}

static uint32_t score(const report *a, const report *b, uint32_t bits) {
    static const uint32_t weights[] = {4, 1, 3, 2, 8, 8};
    uint32_t sum = 0;

    for (size_t i = 0; i < sizeof(weights) / sizeof(*weights); i++)
        sum += bits >> i & 1 ? weights[i] : 0;
    /* birth dates that are both known and cannot be the same speak against it */
    if (a->has_born && b->has_born && !(bits & ALIKE_BORN))
        sum = sum > 3 ? sum - 3 : 0;
    return sum;
}

static bool sexes_fit(const report *a, const report *b) {
    return a->sex == b->sex || a->sex == SEX_UNKNOWN || b->sex == SEX_UNKNOWN;
}

enum { LEAST_SCORE = 4 };

static int add_pair(seeking *w, uint32_t x, uint32_t y, atg_err *err) {
    const report *a = &w->reports[x], *b = &w->reports[y];
    uint32_t bits = alike(a, b), points = score(a, b, bits);

    if (points < LEAST_SCORE || !sexes_fit(a, b))
        return ATG_OK;
    w->found = grow(w->room, w->found, w->n_found, &w->cap_found, sizeof(*w->found));
    if (!w->found)
        return no_memory(err);
    w->found[w->n_found++] = (duplicate){.one = {.id = a->id, .code = a->code},
                                         .other = {.id = b->id, .code = b->code},
                                         .alike = bits,
                                         .score = points};
    return ATG_OK;
}

static int by_key(const void *x, const void *y) {
    const keyed *a = x, *b = y;

    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    return a->report < b->report ? -1 : a->report > b->report;
}

static int pair_up(seeking *w, atg_err *err) {
    for (uint32_t i = 0; i < w->n_keys;) {
        uint32_t end = i;

        while (end < w->n_keys && w->keys[end].key == w->keys[i].key)
            end++;
        for (uint32_t x = i; x < end && end - i <= COMMON_MAX; x++)
            for (uint32_t y = x + 1; y < end; y++) {
                int rc = w->keys[x].report == w->keys[y].report
                             ? ATG_OK
                             : add_pair(w, w->keys[x].report, w->keys[y].report, err);

                if (rc)
                    return rc;
            }
        i = end;
    }
    return ATG_OK;
}

static int by_score(const void *x, const void *y) {
    const duplicate *a = x, *b = y;
    int order;

    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    order = atg_str_cmp(a->one.code, b->one.code);
    return order ? order : atg_str_cmp(a->other.code, b->other.code);
}

/* Pairs that share several keys were met several times. */
static void drop_twice(seeking *w) {
    uint32_t n = 0;

    for (uint32_t i = 0; i < w->n_found; i++) {
        const duplicate *f = &w->found[i];

        if (n && uuid_cmp(&f->one.id, &w->found[n - 1].one.id) == 0 &&
            uuid_cmp(&f->other.id, &w->found[n - 1].other.id) == 0)
            continue;
        w->found[n++] = *f;
    }
    w->n_found = n;
}

static int seek(db *d, void *user, atg_err *err) {
    seeking *w = user;
    uint32_t roles;
    int rc = cases_roles(d, w->who, w->operation, &roles, err);

    w->n = w->n_keys = w->n_found = 0;
    if (!rc)
        rc = rights_in(roles, ACTION_MERGE, RECORD_MISSING, RECORD_MISSING, MISSING_STATE_REPORTED,
                       err);
    if (!rc)
        rc = read_all(w, d, err);
    for (uint32_t i = 0; i < w->n && !rc; i++)
        rc = add_keys(w, i, err);
    if (rc)
        return rc;
    if (w->n_keys)
        qsort(w->keys, w->n_keys, sizeof(*w->keys), by_key);
    rc = pair_up(w, err);
    if (!rc && w->n_found) {
        qsort(w->found, w->n_found, sizeof(*w->found), by_score);
        drop_twice(w);
    }
    return rc;
}

int cases_duplicates(cases *c, const actor *who, atg_arena *arena, const uuid *operation,
                     uint32_t limit, duplicates *ret, atg_err *err) {
    ATG_AUTO(atg_arena) room = atg_arena_new((size_t)2 << 30);
    seeking w = {.c = c, .who = who, .arena = arena, .room = room, .operation = operation};
    duplicate *list;
    int rc = room ? store_read(c->s, seek, &w, err) : no_memory(err);

    if (rc)
        return rc;
    w.n_found = w.n_found < limit ? w.n_found : limit;
    list = ATG_GET(arena, duplicate, w.n_found + 1);
    if (!list)
        return no_memory(err);
    if (w.n_found)
        memcpy(list, w.found, w.n_found * sizeof(*list));
    *ret = (duplicates){w.n_found, list};
    return ATG_OK;
}
