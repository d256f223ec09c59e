/* SPDX-License-Identifier: Apache-2.0 */
/* From the tokens that files must have to the files.
 *
 * Age by age (tokens_internal.h), the latest first.  The rows of a token are in the order of the
 * files.  The clause with the fewest files leads: from
 * the latest file on, a range of file numbers at a time is read of it, and what the other clauses
 * leave of that.  How wide a range is, and whether another clause is read or asked file by file,
 * follows from how dense its latest rows are. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/tokens_internal.h"

enum {
    SAMPLE = 128,    /* rows of a token that its density is taken from */
    AGES = 4,        /* that are looked at together, but the latest */
    ROWS_LEAST = 64, /* of the leading clause at a time */
    ROWS_MOST = 8192,
    CHECKS = 5000, /* files that are looked at, at most */
    ASK_COST = 3,  /* one file asked for, in rows that are read */
};

static const db_statement last_file = {"last_file", "SELECT max(n) FROM file"};
static const db_statement read_kinds = {
    "read_kinds", "SELECT token.token, token.file FROM unnest($1) CROSS JOIN token WHERE "
                  "token.token = unnest"};
static const db_statement newest_files = {
    "newest_files", "SELECT unnest, (SELECT file FROM token WHERE token = unnest AND file < $2 "
                    "ORDER BY file DESC LIMIT 1) FROM unnest($1)"};
static const db_statement sample_tokens = {
    "sample_tokens", "SELECT unnest, (SELECT file FROM token WHERE token = unnest AND file < $2 "
                     "ORDER BY file DESC LIMIT 1 OFFSET $3) FROM unnest($1)"};
static const db_statement read_tokens = {
    "read_tokens", "SELECT token.file, token.token FROM unnest($1) CROSS JOIN token WHERE "
                   "token.token = unnest AND token.file >= $2 AND token.file < $3"};
/* A subquery with one value, because of a join PostgreSQL may think that it is best done by reading
 * all rows of the tokens. */
static const db_statement ask_tokens = {
    "ask_tokens", "SELECT f, t FROM (SELECT unnest AS f FROM unnest($2)) AS a CROSS JOIN (SELECT "
                  "unnest AS t FROM unnest($1)) AS b WHERE (SELECT file FROM token WHERE "
                  "token.token = b.t AND token.file = a.f) = a.f"};

/* A clause with those of its tokens that any file has, in their order. */
typedef struct posting {
    const clause *c;
    clause_token *list;
    int64_t *tokens; /* of the list */
    uint32_t n;
    double density; /* rows a file number */
    int64_t newest; /* file that has one */
} posting;

/* Files of a range of numbers, a bit each; bit 0 is the first file of the age. */
typedef struct file_set {
    uint64_t *any, *sure;
} file_set;

typedef struct sample sample;
typedef unsigned char kind_set[TOKEN_LEAST]; /* by token_any() */

typedef struct searching {
    db *d;
    atg_arena *arena;
    const search_query *q;
    const search_words *words;
    search_plan plan;
    posting postings[CLAUSES]; /* the leading one first */
    uint32_t n_postings;
    kind_set *kinds; /* that each age has, and behind them those of all */
    int64_t n_ages;
    sample *samples; /* of all tokens, in order */
    size_t n_samples;
    int64_t *list;         /* room for all tokens of some ages */
    int64_t known_from;    /* the first age that the samples know */
    int64_t first, before; /* files of the age in hand: from, to below */
    file_set found, other; /* of the range in hand */
    size_t from, to;       /* words of the sets that it lies in */
    int64_t *numbers;      /* of files */
    size_t cap_numbers;
    uint32_t checked;
    file_row *rows;
    uint32_t n_rows;
    double rows_so_far; /* read of leading clauses */
} searching;

static int out_of_memory(atg_err *err) {
    return atg_fail(err, ATG_ENOMEM, "Out of memory searching");
}

/* ---- what there is to look for ---- */

/* The ages, and the kinds of tokens that each has. */
static int read_ages(searching *s, atg_err *err) {
    MEM_AUTO int64_t *list = NULL;
    int64_t last = 0, n;
    db_rows *rows = NULL;
    int rc = db_get_one(s->d, &last_file, NULL, 0, 0, &last, err);

    if (rc)
        return rc;
    s->before = s->q->before > 0 && s->q->before <= last ? s->q->before : last + 1;
    n = s->n_ages = ((s->before - 1) >> AGE_BITS) + 1;
    s->kinds = mem_zero((size_t)n + 1, sizeof(*s->kinds));
    list = mem_zero((size_t)n + 1, sizeof(*list));
    if (!s->kinds || !list)
        return out_of_memory(err);
    for (int64_t k = 0; k < n; k++)
        list[k] = token_kinds(k << AGE_BITS);
    rc = db_query(s->d, &read_kinds, (db_value[]){db_ints(list, (size_t)n)}, 1, &rows, err);
    while (rc == ATG_OK && (rc = db_next(rows, err)) > 0) {
        int64_t token = db_get_int(rows, 0), kind = db_get_int(rows, 1);

        for (int64_t k = 0; k < n && kind >= 0 && kind < TOKEN_LEAST; k++)
            if (list[k] == token)
                s->kinds[k][kind] = s->kinds[n][kind] = 1;
        rc = ATG_OK;
    }
    db_end(rows);
    return rc;
}

/* ---- how many there are ---- */

static int compare_tokens(const void *x, const void *y) {
    const clause_token *a = x, *b = y;

    return (a->token > b->token) - (a->token < b->token);
}

/* How dense the rows of a token are, as far as that was looked at, and the latest file of each of
 * some ages that has it. */
struct sample {
    int64_t token, any;
    double density; /* rows a file number; negative: not known yet */
    int64_t newest[AGES];
};

static int compare_numbers(int64_t a, int64_t b) {
    return (a > b) - (a < b);
}

static int compare_samples(const void *x, const void *y) {
    return compare_numbers(((const sample *)x)->token, ((const sample *)y)->token);
}

static sample *sample_of(const searching *s, int64_t token) {
    sample key = {.token = token};

    return s->n_samples ? bsearch(&key, s->samples, s->n_samples, sizeof(key), compare_samples)
                        : NULL;
}

/* Each token of the plan once, in order. */
static int gather(searching *s, atg_err *err) {
    size_t n = 0, to = 0;

    for (uint32_t i = 0; i < s->plan.n; i++)
        n += s->plan.clauses[i].n;
    s->samples = ATG_GET(s->arena, sample, n + 1);
    s->list = ATG_GET(s->arena, int64_t, (n + 1) * AGES);
    if (!s->samples || !s->list)
        return out_of_memory(err);
    for (uint32_t i = 0; i < s->plan.n; i++)
        for (uint32_t k = 0; k < s->plan.clauses[i].n; k++) {
            const clause_token *c = &s->plan.clauses[i].tokens[k];

            s->samples[to++] = (sample){.token = c->token, .any = c->any, .density = -1};
        }
    if (n)
        qsort(s->samples, n, sizeof(*s->samples), compare_samples);
    to = 0;
    for (size_t i = 0; i < n; i++)
        if (to == 0 || s->samples[to - 1].token != s->samples[i].token)
            s->samples[to++] = s->samples[i];
    s->n_samples = to;
    return ATG_OK;
}

/* Which of the tokens the files of `n` ages from `age` on have. */
static int read_newest(searching *s, int64_t age, int64_t n, atg_err *err) {
    db_rows *rows = NULL;
    size_t n_list = 0;
    int rc;

    for (int64_t k = 0; k < n; k++)
        for (size_t i = 0; i < s->n_samples; i++) {
            s->samples[i].newest[k] = -1;
            if (s->kinds[age + k][s->samples[i].any])
                s->list[n_list++] = token_row(s->samples[i].token, (age + k) << AGE_BITS);
        }
    rc = db_query(s->d, &newest_files, (db_value[]){db_ints(s->list, n_list), db_int(s->before)}, 2,
                  &rows, err);
    while (rc == ATG_OK && (rc = db_next(rows, err)) > 0) {
        sample *one = sample_of(s, db_get_int(rows, 0) & TOKEN_MASK);
        int64_t file = db_get_int(rows, 1), k = (file >> AGE_BITS) - age;

        if (one && !db_is_null(rows, 1) && k >= 0 && k < n)
            one->newest[k] = file;
        rc = ATG_OK;
    }
    db_end(rows);
    s->known_from = age;
    return rc;
}

/* The tokens of this age whose density is not known from a later one. */
static int read_densities(searching *s, int64_t at, atg_err *err) {
    db_rows *rows = NULL;
    size_t n = 0;
    int rc;

    for (size_t i = 0; i < s->n_samples; i++)
        if (s->samples[i].newest[at] >= 0 && s->samples[i].density < 0) {
            s->samples[i].density =
                0.5 * SAMPLE / (double)(s->samples[i].newest[at] - s->first + 1);
            s->list[n++] = token_row(s->samples[i].token, s->first);
        }
    if (n == 0)
        return ATG_OK;
    rc = db_query(s->d, &sample_tokens,
                  (db_value[]){db_ints(s->list, n), db_int(s->before), db_int(SAMPLE - 1)}, 3,
                  &rows, err);
    while (rc == ATG_OK && (rc = db_next(rows, err)) > 0) {
        sample *one = sample_of(s, db_get_int(rows, 0) & TOKEN_MASK);

        if (one && !db_is_null(rows, 1)) /* else there are fewer */
            one->density = (double)SAMPLE / (double)(one->newest[at] - db_get_int(rows, 1));
        rc = ATG_OK;
    }
    db_end(rows);
    return rc;
}

/* The tokens of a clause that this age has. */
static int set_posting(searching *s, posting *p, const clause *c, int64_t at, atg_err *err) {
    *p = (posting){.c = c,
                   .list = ATG_GET(s->arena, clause_token, c->n + 1),
                   .tokens = ATG_GET(s->arena, int64_t, c->n + 1)};
    if (!p->list || !p->tokens)
        return out_of_memory(err);
    for (uint32_t i = 0; i < c->n; i++) {
        const sample *one = sample_of(s, c->tokens[i].token);

        if (!one || one->newest[at] < 0)
            continue;
        p->list[p->n] = c->tokens[i];
        p->list[p->n++].token = token_row(one->token, s->first);
        p->newest = one->newest[at] > p->newest ? one->newest[at] : p->newest;
    }
    if (p->n)
        qsort(p->list, p->n, sizeof(*p->list), compare_tokens);
    for (uint32_t i = 0; i < p->n; i++)
        p->tokens[i] = p->list[i].token;
    return ATG_OK;
}

static void set_density(const searching *s, posting *p) {
    for (uint32_t i = 0; i < p->n; i++)
        p->density += sample_of(s, p->list[i].token & TOKEN_MASK)->density;
}

static double files_of(const posting *p) {
    return p->density * (double)(p->newest & ((1 << AGE_BITS) - 1));
}

/* Those with the fewest files first, those that anything may answer last. */
static int compare_postings(const void *x, const void *y) {
    const posting *a = x, *b = y;

    if (a->c->open != b->c->open)
        return a->c->open ? 1 : -1;
    return (files_of(a) > files_of(b)) - (files_of(a) < files_of(b));
}

/* False when there is nothing to be found in this age. */
static int prepare(searching *s, int64_t age, bool *ret_any, atg_err *err) {
    int64_t at = age - s->known_from;
    int rc = ATG_OK;

    s->n_postings = s->plan.n;
    *ret_any = true;
    for (uint32_t i = 0; i < s->n_postings && rc == ATG_OK; i++) {
        posting *p = &s->postings[i];

        rc = set_posting(s, p, &s->plan.clauses[i], at, err);
        *ret_any &= p->n > 0 || p->c->open;
    }
    if (rc || !*ret_any)
        return rc;
    rc = read_densities(s, at, err);
    for (uint32_t i = 0; i < s->n_postings; i++)
        set_density(s, &s->postings[i]);
    qsort(s->postings, s->n_postings, sizeof(*s->postings), compare_postings);
    return rc;
}

/* ---- rows of a clause ---- */

enum { WORD = 64, WORDS_OF_AGE = (1 << AGE_BITS) / WORD };

static bool make_set(file_set *set) {
    set->any = mem_zero(2 * (size_t)WORDS_OF_AGE, sizeof(uint64_t));
    set->sure = set->any ? set->any + WORDS_OF_AGE : NULL;
    return set->any != NULL;
}

static void clear(const searching *s, file_set *set) {
    size_t n = (s->to - s->from) * sizeof(uint64_t);

    memset(set->any + s->from, 0, n);
    memset(set->sure + s->from, 0, n);
}

static size_t count_files(const searching *s) {
    size_t n = 0;

    for (size_t w = s->from; w < s->to; w++)
        n += (size_t)__builtin_popcountll(s->found.any[w]);
    return n;
}

static bool is_sure(const posting *p, int64_t token) {
    clause_token key = {.token = token};
    const clause_token *t = bsearch(&key, p->list, p->n, sizeof(key), compare_tokens);

    return t && t->sure;
}

/* Rows of file and token into a set; how many. */
static int read_rows(const searching *s, db_rows *rows, const posting *p, file_set *to,
                     size_t *ret_rows, atg_err *err) {
    int64_t last = -1;
    uint64_t sure = 0;
    int rc;

    clear(s, to);
    *ret_rows = 0;
    while ((rc = db_next(rows, err)) > 0) {
        uint64_t bit = (uint64_t)(db_get_int(rows, 0) - s->first);
        int64_t token = db_get_int(rows, 1);

        if (bit / WORD < s->from || bit / WORD >= s->to)
            continue;
        if (token != last) /* mostly they come token by token */
            sure = is_sure(p, token);
        last = token;
        to->any[bit / WORD] |= 1ULL << bit % WORD;
        to->sure[bit / WORD] |= sure << bit % WORD;
        ++*ret_rows;
    }
    return rc;
}

/* All rows of a clause for files from `low` to below `high`. */
static int read_range(searching *s, const posting *p, int64_t low, int64_t high, file_set *to,
                      size_t *ret_rows, atg_err *err) {
    db_rows *rows = NULL;
    int rc =
        db_query(s->d, &read_tokens,
                 (db_value[]){db_ints(p->tokens, p->n), db_int(low), db_int(high)}, 3, &rows, err);

    if (rc == ATG_OK)
        rc = read_rows(s, rows, p, to, ret_rows, err);
    db_end(rows);
    return rc;
}

/* Take up to `most` files out of a copy of what was found, the latest first. */
static size_t list_files(const searching *s, size_t most, int64_t *below, int64_t *ret) {
    size_t n = 0;

    while (n<most && * below> s->first) {
        uint64_t bit = (uint64_t)(*below - 1 - s->first), w = bit / WORD;
        uint64_t rest = w < s->to ? s->found.any[w] & UINT64_MAX >> (WORD - 1 - bit % WORD) : 0;

        if (w < s->from)
            break;
        *below = s->first + (int64_t)(w * WORD);
        if (rest) {
            *below += WORD - 1 - __builtin_clzll(rest);
            ret[n++] = *below;
        }
    }
    return n;
}

static int make_numbers(searching *s, size_t n, atg_err *err) {
    int64_t *more;

    if (n <= s->cap_numbers)
        return ATG_OK;
    more = mem_grow(s->numbers, n * sizeof(*more));
    if (!more)
        return out_of_memory(err);
    s->numbers = more;
    s->cap_numbers = n;
    return ATG_OK;
}

/* Those that were found so far and have the clause too. */
static int ask_each(searching *s, const posting *p, size_t n, file_set *to, atg_err *err) {
    int64_t below = s->first + (int64_t)(s->to * WORD);
    db_rows *rows = NULL;
    size_t ignored;
    int rc = make_numbers(s, n, err);

    if (rc)
        return rc;
    n = list_files(s, n, &below, s->numbers);
    rc = db_query(s->d, &ask_tokens, (db_value[]){db_ints(p->tokens, p->n), db_ints(s->numbers, n)},
                  2, &rows, err);
    if (rc == ATG_OK)
        rc = read_rows(s, rows, p, to, &ignored, err);
    db_end(rows);
    return rc;
}

/* Keep what has the clause too. */
static int apply_clause(searching *s, const posting *p, int64_t low, int64_t high, atg_err *err) {
    size_t n = count_files(s), ignored;
    int rc;

    if (p->c->open) {
        /* a token may make it sure, but whoever has none is looked at all the same */
        memset(s->found.sure + s->from, 0, (s->to - s->from) * sizeof(uint64_t));
        return ATG_OK;
    }
    if (n == 0)
        return ATG_OK;
    if (p->density * (double)(high - low) <= (double)ASK_COST * (double)n * p->n)
        rc = read_range(s, p, low, high, &s->other, &ignored, err);
    else
        rc = ask_each(s, p, n, &s->other, err);
    for (size_t w = s->from; w < s->to && rc == ATG_OK; w++) {
        s->found.any[w] &= s->other.any[w];
        s->found.sure[w] &= s->other.sure[w];
    }
    return rc;
}

/* ---- files ---- */

static bool is_found_surely(const searching *s, int64_t file) {
    uint64_t bit = (uint64_t)(file - s->first);

    return (s->found.sure[bit / WORD] >> bit % WORD & 1) && !s->plan.partial;
}

static int accept(searching *s, const file_row *f, bool *ret, atg_err *err) {
    int rc;

    *ret = true;
    if (is_found_surely(s, f->n))
        return ATG_OK;
    if (++s->checked > CHECKS)
        return atg_fail(err, ATG_ELIMIT,
                        "Very many files may have this: type more letters, or another word too");
    rc = s->q->check(s->q->user, s->words, f, err);
    *ret = rc > 0;
    return rc < 0 ? rc : ATG_OK;
}

/* The files of what was found, until the page is full. */
static int take_files(searching *s, atg_err *err) {
    files_numbered_query query = {
        .operation = s->q->operation, .kind = s->q->kind, .state = s->q->state, .sex = s->q->sex};
    int64_t below = s->first + (int64_t)(s->to * WORD);

    while (s->n_rows < s->q->limit) {
        size_t most = s->q->limit - s->n_rows < ROWS_LEAST ? ROWS_LEAST : s->q->limit - s->n_rows;
        file_row *rows = NULL;
        uint32_t n_rows = 0;
        int rc = make_numbers(s, most, err);

        query.n = rc ? 0 : list_files(s, most, &below, s->numbers);
        query.numbers = s->numbers;
        if (query.n == 0)
            return rc;
        rc = files_numbered(s->d, s->arena, &query, &rows, &n_rows, err);
        for (uint32_t i = 0; i < n_rows && s->n_rows < s->q->limit && rc == ATG_OK; i++) {
            bool accepted = false;

            rc = accept(s, &rows[i], &accepted, err);
            if (rc == ATG_OK && accepted)
                s->rows[s->n_rows++] = rows[i];
        }
        if (rc)
            return rc;
    }
    return ATG_OK;
}

static double within(double rows) {
    return rows < ROWS_LEAST ? ROWS_LEAST : rows > ROWS_MOST ? ROWS_MOST : rows;
}

/* How many rows of the leading clause may fill the page, if the clauses know nothing of each
 * other. */
static double rows_at_first(const searching *s) {
    double rows = s->q->limit;

    for (uint32_t i = 1; i < s->n_postings; i++) {
        const posting *p = &s->postings[i];

        if (!p->c->open && p->density < 1 && p->density > 0)
            rows /= p->density;
    }
    return within(rows);
}

/* The same from what they gave so far, and a little more. */
static double rows_next(const searching *s, double rows_so_far, double last) {
    enum { GROW = 4 };

    if (s->n_rows == 0)
        return within(GROW * last);
    return within(1.25 * rows_so_far * (s->q->limit - s->n_rows) / s->n_rows);
}

static int take_range(searching *s, int64_t low, int64_t high, size_t *ret_rows, atg_err *err) {
    int rc;

    s->from = (size_t)(low - s->first) / WORD;
    s->to = ((size_t)(high - s->first) + WORD - 1) / WORD;
    rc = read_range(s, &s->postings[0], low, high, &s->found, ret_rows, err);
    for (uint32_t i = 1; i < s->n_postings && rc == ATG_OK; i++)
        rc = apply_clause(s, &s->postings[i], low, high, err);
    return rc ? rc : take_files(s, err);
}

static int go_through(searching *s, atg_err *err) {
    const posting *lead = &s->postings[0];
    double wanted = rows_at_first(s), density = lead->density;
    int64_t high = lead->newest + 1;
    int rc = ATG_OK;

    for (uint32_t i = 1; i < s->n_postings; i++)
        if (!s->postings[i].c->open && s->postings[i].newest < high)
            high = s->postings[i].newest + 1;
    while (high > s->first && s->n_rows < s->q->limit && rc == ATG_OK) {
        double span = wanted / density;
        int64_t all = high - s->first,
                low = span < (double)all ? high - 1 - (int64_t)span : s->first;
        size_t rows = 0;

        rc = take_range(s, low, high, &rows, err);
        s->rows_so_far += (double)rows;
        wanted = rows_next(s, s->rows_so_far, wanted);
        /* where there was nothing there may be more of it */
        density = rows ? (double)rows / (double)(high - low) : density / 4;
        high = low;
    }
    return rc;
}

/* The latest age is looked at alone: it may fill the page. */
static int learn(searching *s, int64_t age, bool latest, atg_err *err) {
    int64_t n = latest ? 1 : age + 1 < AGES ? age + 1 : AGES;

    if (!latest && age >= s->known_from)
        return ATG_OK;
    return read_newest(s, age + 1 - n, n, err);
}

static int go_back(searching *s, atg_err *err) {
    bool latest = true;
    int rc = gather(s, err);

    for (int64_t age = s->n_ages - 1; age >= 0 && s->n_rows < s->q->limit; age--) {
        bool any = false;

        s->first = age << AGE_BITS;
        if (rc == ATG_OK)
            rc = learn(s, age, latest, err);
        if (rc == ATG_OK)
            rc = prepare(s, age, &any, err);
        if (rc == ATG_OK && any)
            rc = go_through(s, err);
        if (rc)
            return rc;
        s->before = s->first;
        latest = false;
    }
    return rc;
}

static int search(searching *s, atg_err *err) {
    int rc = read_ages(s, err);

    if (rc == ATG_OK)
        rc = tokens_plan(s->arena, s->q->key, s->words, s->kinds[s->n_ages], &s->plan, err);
    if (rc)
        return rc;
    s->rows = ATG_GET(s->arena, file_row, (size_t)s->q->limit + 1);
    if (!s->rows || !make_set(&s->found) || !make_set(&s->other))
        return out_of_memory(err);
    return go_back(s, err);
}

int tokens_search(db *d, atg_arena *arena, const search_query *q, file_row **ret, uint32_t *ret_n,
                  atg_err *err) {
    search_words *words = NULL;
    searching s = {.d = d, .arena = arena, .q = q};
    int rc = search_read(arena, q->text, &q->scope, &words, err);

    s.words = words;
    if (rc == ATG_OK)
        rc = search(&s, err);
    mem_free(s.kinds);
    mem_free(s.found.any);
    mem_free(s.other.any);
    mem_free(s.numbers);
    if (rc)
        return rc;
    *ret = s.rows;
    *ret_n = s.n_rows;
    return ATG_OK;
}
