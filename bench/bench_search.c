/* SPDX-License-Identifier: Apache-2.0 */
/* Search on keyed tokens: how fast they are made and inserted, and what a page of 50 costs.
 *
 *     bench_search [files [queries [sqlite|postgres]]]
 *
 * Each file is a missing person with the eight required fields and a code.  Names follow Zipf's law
 * (20,000 family names, 3,000 given names, exponent 0.8: the commonest have 2.7 and 4 %); three in
 * five are in Latin letters, one in five in Cyrillic, the others in Arabic and in Han.  Half of the
 * informants have the family's name.  What tokens leave open is checked on the record, after one
 * row of the file is read for it. */
#include "bench.h"

#include <ftw.h>
#include <math.h>
#include <string.h>

#include "server.h"
#include "store/records.h"
#include "store/tokens_internal.h"

enum {
    FAMILIES = 20000,
    GIVEN = 3000,
    PLACES = 5000,
    HAN_FAMILIES = 100,
    NAME = 64,
    PAGE = 50,
    PAIRS = 1 << 20,
    ARENA = 64 << 20,
    FOLDER = 64,
    FILES_OPEN = 16,
    FIELD = 200,
    QUERY = 2 * FIELD,
};

typedef enum letters { LATIN, CYRILLIC, ARABIC, HAN } letters;

/* A name in four scripts; how often each of a list is drawn. */
typedef struct vocabulary {
    char (*names)[3][NAME];
    double *until; /* sums of the shares */
    uint32_t n;
} vocabulary;

static vocabulary families, given, places;

/* What is looked for, and from how many queries the figures are. */
typedef enum query_kind {
    FULL_NAME,
    BEGINNINGS,
    FAMILY_NAME,
    NAME_AND_YEAR,
    INSIDE_A_NAME,
    CODE,
    BIRTH_DATE,
    TWO_STRANGERS,
    LONG_BEGINNING,
    TWO_LETTERS,
    QUERY_KINDS,
} query_kind;

static const struct {
    const char *name;
    uint32_t share; /* of 100 */
} kinds[QUERY_KINDS] = {
    [FULL_NAME] = {"full_name", 38},      [BEGINNINGS] = {"beginnings", 16},
    [FAMILY_NAME] = {"family_name", 10},  [NAME_AND_YEAR] = {"name_and_year", 10},
    [INSIDE_A_NAME] = {"inside", 8},      [CODE] = {"code", 5},
    [BIRTH_DATE] = {"birth_date", 4},     [TWO_STRANGERS] = {"two_strangers", 5},
    [LONG_BEGINNING] = {"long_begin", 2}, [TWO_LETTERS] = {"two_letters", 2},
};

typedef struct person {
    letters script;
    char family[FIELD], given[FIELD], informant[FIELD], place[FIELD], born[16], code[FILE_CODE_MAX];
} person;

typedef struct bench {
    const char *name;
    db *d;
    key256 key;
    uuid operation;
    uint32_t n;
    uint64_t checks;
} bench;

/* ---- names ---- */

static void add(char to[NAME], const char *s) {
    size_t n = strlen(to);

    (void)snprintf(to + n, NAME - n, "%s", s);
}

static void make_name(atg_rng *rng, char ret[3][NAME]) {
    static const char *const consonants[][3] = {
        {"b", "б", "ب"},  {"d", "д", "د"},  {"f", "ф", "ف"},    {"g", "г", "ج"},    {"h", "х", "ه"},
        {"k", "к", "ك"},  {"l", "л", "ل"},  {"m", "м", "م"},    {"n", "н", "ن"},    {"p", "п", "ب"},
        {"r", "р", "ر"},  {"s", "с", "س"},  {"t", "т", "ت"},    {"v", "в", "و"},    {"z", "з", "ز"},
        {"ch", "ч", "ش"}, {"sh", "ш", "ش"}, {"st", "ст", "ست"}, {"br", "бр", "بر"}, {"n", "н", "ن"},
    };
    static const char *const vowels[][3] = {
        {"a", "а", ""}, {"e", "е", ""}, {"i", "и", "ي"}, {"o", "о", "و"}, {"u", "у", "و"}};
    uint32_t syllables = 2 + (uint32_t)(atg_rng_below(rng, 4) + atg_rng_below(rng, 2)) / 2;

    memset(ret, 0, 3 * (size_t)NAME);
    for (uint32_t i = 0; i < syllables; i++) {
        uint64_t c = atg_rng_below(rng, 20), v = atg_rng_below(rng, 5);

        for (int s = 0; s < 3; s++) {
            add(ret[s], consonants[c][s]);
            add(ret[s], vowels[v][s]);
        }
    }
    if (atg_rng_below(rng, 2))
        for (int s = 0; s < 3; s++)
            add(ret[s], consonants[7][s]);
}

static void make_vocabulary(vocabulary *v, uint32_t n, double exponent, uint64_t seed) {
    atg_rng rng = atg_rng_seed(seed);
    double sum = 0;

    v->n = n;
    v->names = bench_alloc(n, sizeof(*v->names));
    v->until = bench_alloc(n, sizeof(double));
    for (uint32_t i = 0; i < n; i++) {
        make_name(&rng, v->names[i]);
        sum += pow(i + 1, -exponent);
        v->until[i] = sum;
    }
}

static uint32_t draw(const vocabulary *v, atg_rng *rng) {
    double x = atg_rng_unit(rng) * v->until[v->n - 1];
    uint32_t low = 0, high = v->n - 1;

    while (low < high) {
        uint32_t middle = (low + high) / 2;

        if (v->until[middle] < x)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void put_han(atg_rng *rng, bool family, char ret[FIELD]) {
    uint32_t n = family ? 1 : 1 + (uint32_t)atg_rng_below(rng, 2), at = 0;

    for (uint32_t i = 0; i < n; i++) {
        double x = atg_rng_unit(rng);
        uint32_t cp = 0x4e00 + 37 * (uint32_t)((family ? HAN_FAMILIES : 500) * x * x);

        ret[at++] = (char)(0xe0 | cp >> 12);
        ret[at++] = (char)(0x80 | (cp >> 6 & 0x3f));
        ret[at++] = (char)(0x80 | (cp & 0x3f));
    }
    ret[at] = '\0';
}

static void name_of(const vocabulary *v, letters script, atg_rng *rng, char ret[FIELD]) {
    if (script == HAN)
        put_han(rng, v == &families, ret);
    else
        (void)snprintf(ret, FIELD, "%s", v->names[draw(v, rng)][script]);
}

/* The same person for the same number. */
static void make_person(uint32_t i, person *ret) {
    static const char *const streets[][4] = {{"street", "улица", "شارع", "街"},
                                             {"market", "рынок", "سوق", "市场"},
                                             {"station", "вокзал", "محطة", "站"},
                                             {"school", "школа", "مدرسة", "学校"}};
    atg_rng rng = atg_rng_seed(i * 2654435761ULL + 1);
    uint64_t script = atg_rng_below(&rng, 10);
    char other[FIELD], name[FIELD];

    ret->script = script < 6 ? LATIN : script < 8 ? CYRILLIC : script < 9 ? ARABIC : HAN;
    name_of(&families, ret->script, &rng, ret->family);
    name_of(&given, ret->script, &rng, ret->given);
    name_of(&families, ret->script, &rng, other);
    name_of(&given, ret->script, &rng, name);
    (void)snprintf(ret->informant, FIELD, "%.60s %.60s", name,
                   atg_rng_below(&rng, 2) ? ret->family : other);
    name_of(&places, ret->script == HAN ? LATIN : ret->script, &rng, name);
    (void)snprintf(ret->place, FIELD, "%.60s, %s %u", name,
                   streets[atg_rng_below(&rng, 4)][ret->script],
                   1 + (uint32_t)atg_rng_below(&rng, 99));
    (void)snprintf(ret->born, sizeof(ret->born), "%u-%02u-%02u",
                   1935 + (uint32_t)atg_rng_below(&rng, 85), 1 + (uint32_t)atg_rng_below(&rng, 12),
                   1 + (uint32_t)atg_rng_below(&rng, 28));
    files_code("AM", ATG_STR("K3"), i + 1, ret->code);
}

static void set(record *r, uint32_t field, const char *text) {
    r->fields[field].known = true;
    r->fields[field].text = atg_str_of(text);
}

static record *record_of(atg_arena *arena, const person *p) {
    record *r = bench_had(record_new(arena, RECORD_MISSING));

    r->code = atg_str_of(p->code);
    set(r, MISSING_FAMILY_NAME, p->family);
    set(r, MISSING_GIVEN_NAME, p->given);
    set(r, MISSING_BORN, p->born);
    set(r, MISSING_LAST_PLACE, p->place);
    set(r, MISSING_INFORMANT_NAME, p->informant);
    return r;
}

/* ---- inserting ---- */

static int compare_pairs(const void *x, const void *y) {
    const token_pair *a = x, *b = y;

    if (a->token != b->token)
        return a->token < b->token ? -1 : 1;
    return (a->file > b->file) - (a->file < b->file);
}

typedef struct times {
    double make, sort, insert;
    uint64_t tokens;
    uint32_t files;
} times;

/* The files in a transaction of their own, so that the time is that of the tokens. */
static void insert_files(bench *b, uint32_t from, uint32_t to) {
    person p;
    atg_err err;

    bench_must(db_begin(b->d, DB_WRITE, &err), &err);
    for (uint32_t i = from; i < to; i++) {
        file_row f = {.n = i + 1, .operation = b->operation, .kind = RECORD_MISSING, .sex = -1};

        make_person(i, &p);
        memcpy(f.id.bytes, &i, sizeof(i));
        f.code = atg_str_of(p.code);
        bench_must(files_insert(b->d, &f, NULL, &err), &err);
    }
    bench_must(db_commit(b->d, &err), &err);
}

static void insert_tokens(bench *b, token_pair *pairs, uint32_t n, times *t) {
    double start = bench_seconds();
    atg_err err;

    qsort(pairs, n, sizeof(*pairs), compare_pairs);
    t->sort += bench_seconds() - start;
    start = bench_seconds();
    bench_must(db_begin(b->d, DB_WRITE, &err), &err);
    bench_must(tokens_insert(b->d, pairs, n, &err), &err);
    bench_must(db_commit(b->d, &err), &err);
    t->insert += bench_seconds() - start;
}

static void report(const bench *b, const char *when, const times *t) {
    printf(
        "# %s, the %s %u files: %.1f tokens each, up to %d rows a transaction, fsync on; sorting "
        "them took %.1f s\n",
        b->name, when, t->files, (double)t->tokens / t->files, PAIRS, t->sort);
    printf("search.insert_%s_%s %.0f tokens/s\n", when, b->name, (double)t->tokens / t->insert);
    printf("search.make_%s_%s %.0f tokens/s\n", when, b->name, (double)t->tokens / t->make);
    (void)fflush(stdout);
}

/* Tokens of one file: how many pairs. */
static uint32_t make_tokens(bench *b, uint32_t i, token_pair *to, times *t) {
    ATG_AUTO(atg_arena) arena = bench_had(atg_arena_new(ARENA));
    double start = bench_seconds();
    token_set set_of = {.arena = arena};
    person p;
    atg_err err;

    make_person(i, &p);
    bench_must(tokens_of_record(&set_of, &b->key, record_of(arena, &p), &err), &err);
    tokens_sort(&set_of);
    for (uint32_t k = 0; k < set_of.n; k++) {
        to[k] = (token_pair){set_of.tokens[k], i + 1};
        t->tokens += set_of.tokens[k] >= TOKEN_LEAST; /* else it is no row of its own */
    }
    t->make += bench_seconds() - start;
    return set_of.n;
}

/* All files; the figures of the first and of the last 100,000 or more. */
static void insert_all(bench *b) {
    enum { SOME = 100000, MOST = 500 };
    token_pair *pairs = bench_alloc(PAIRS, sizeof(*pairs));
    times t = {0};
    bool first = true;

    for (uint32_t i = 0, n = 0, from = 0; i < b->n; i++) {
        n += make_tokens(b, i, pairs + n, &t);
        if (n + MOST < PAIRS && i + 1 < b->n)
            continue;
        insert_files(b, from, i + 1);
        insert_tokens(b, pairs, n, &t);
        t.files += i + 1 - from;
        from = i + 1;
        n = 0;
        if ((first && t.files >= SOME) || from == b->n) {
            report(b, first ? "first" : "last", &t);
            first = false;
        }
        if (!first && b->n - from >= SOME)
            t = (times){0};
    }
    free(pairs);
}

/* ---- searching ---- */

static int check(void *user, const search_words *words, const file_row *f, atg_err *err) {
    bench *b = user;
    ATG_AUTO(atg_arena) arena = bench_had(atg_arena_new(ARENA));
    file_row again;
    uint64_t found = 0;
    person p;
    int rc = files_get(b->d, arena, &f->id, &again, err);

    b->checks++;
    make_person((uint32_t)f->n - 1, &p);
    if (rc == ATG_OK)
        rc = search_look(arena, words, record_of(arena, &p), &found, err);
    return rc ? rc : search_answered(words, found);
}

/* The first n characters. */
static void cut(char *text, uint32_t n) {
    while (*text && n--) {
        text++;
        while ((*text & 0xc0) == 0x80)
            text++;
    }
    *text = '\0';
}

static void make_query(atg_rng *rng, uint32_t n, query_kind kind, char ret[QUERY]) {
    person p, q;
    uint32_t length;

    do {
        make_person((uint32_t)atg_rng_below(rng, n), &p);
        length = (uint32_t)strlen(p.family) / (p.script == LATIN ? 1 : p.script == HAN ? 3 : 2);
    } while ((kind == INSIDE_A_NAME && length < 6) || (kind == LONG_BEGINNING && length < 9));
    make_person((uint32_t)atg_rng_below(rng, n), &q);
    switch (kind) {
    case BEGINNINGS:
        cut(p.family, 3 + (uint32_t)atg_rng_below(rng, 3));
        cut(p.given, 2 + (uint32_t)atg_rng_below(rng, 3));
        (void)snprintf(ret, QUERY, "%s %s", p.given, p.family);
        break;
    case FAMILY_NAME:
        (void)snprintf(ret, QUERY, "%s", p.family);
        break;
    case NAME_AND_YEAR:
        (void)snprintf(ret, QUERY, "%s %.4s", p.family, p.born);
        break;
    case INSIDE_A_NAME:
        cut(p.family, 5);
        (void)snprintf(ret, QUERY, "*%s*", p.family + (p.script == LATIN ? 1 : 2));
        break;
    case CODE:
        (void)snprintf(ret, QUERY, "%s", p.code);
        break;
    case BIRTH_DATE:
        (void)snprintf(ret, QUERY, "%s", p.born);
        break;
    case TWO_STRANGERS:
        (void)snprintf(ret, QUERY, "%s %s", p.given, q.family);
        break;
    case LONG_BEGINNING:
        cut(p.family, 8);
        (void)snprintf(ret, QUERY, "%s", p.family);
        break;
    case TWO_LETTERS:
        cut(p.family, 2);
        (void)snprintf(ret, QUERY, "%s", p.family);
        break;
    case FULL_NAME:
    case QUERY_KINDS:
        (void)snprintf(ret, QUERY, "%s %s", p.given, p.family);
    }
}

static uint32_t search_one(bench *b, const char *text, double *ret_seconds) {
    search_query q = {.operation = b->operation,
                      .kind = RECORD_MISSING,
                      .state = -1,
                      .sex = -1,
                      .text = atg_str_of(text),
                      .limit = PAGE,
                      .key = &b->key,
                      .check = check,
                      .user = b};
    double start = bench_seconds();
    ATG_AUTO(atg_arena) arena = bench_had(atg_arena_new(ARENA));
    file_row *rows = NULL;
    uint32_t n = 0;
    atg_err err;
    int rc;

    memset(&q.scope, 0xff, sizeof(q.scope));
    bench_must(db_begin(b->d, DB_READ, &err), &err);
    rc = tokens_search(b->d, arena, &q, &rows, &n, &err);
    if (rc != ATG_ELIMIT && rc != ATG_EINVAL)
        bench_must(rc, &err);
    db_rollback(b->d);
    *ret_seconds = bench_seconds() - start;
    return n;
}

static int by_time(const void *a, const void *b) {
    const double *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static void print_times(const bench *b, const char *what, double *all, uint32_t n) {
    if (n == 0)
        return;
    qsort(all, n, sizeof(*all), by_time);
    printf("search.%s_p50_%s %.2f ms\n", what, b->name, 1e3 * all[n / 2]);
    printf("search.%s_p99_%s %.2f ms\n", what, b->name, 1e3 * all[n - 1 - n / 100]);
    printf("search.%s_max_%s %.2f ms\n", what, b->name, 1e3 * all[n - 1]);
}

static query_kind draw_kind(atg_rng *rng) {
    uint64_t x = atg_rng_below(rng, 100);
    uint32_t k = 0;

    for (uint64_t until = kinds[0].share; x >= until; until += kinds[k].share)
        k++;
    return (query_kind)k;
}

static void search_all(bench *b, uint32_t n) {
    double *all = bench_alloc(n, sizeof(double));
    double *of_kind = bench_alloc((size_t)QUERY_KINDS * n, sizeof(double));
    uint32_t n_kind[QUERY_KINDS] = {0};
    atg_rng rng = atg_rng_seed(7);
    uint64_t found = 0;
    char text[QUERY];

    for (uint32_t i = 0; i < n; i++) {
        query_kind kind = draw_kind(&rng);
        double t;

        make_query(&rng, b->n, kind, text);
        found += search_one(b, text, &t);
        all[i] = t;
        of_kind[(size_t)kind * n + n_kind[kind]++] = t;
    }
    printf("# %s: %u queries at %u files, one after the other, %.1f files and %.1f checks each\n",
           b->name, n, b->n, (double)found / n, (double)b->checks / n);
    print_times(b, "all", all, n);
    for (int k = 0; k < QUERY_KINDS; k++)
        print_times(b, kinds[k].name, of_kind + (size_t)k * n, n_kind[k]);
    free(all);
    free(of_kind);
}

/* ---- databases ---- */

static void measure(const db_options *options, const char *name, uint32_t n, uint32_t queries) {
    migrate_plan plan = {.migrations = record_migrations,
                         .n = record_migrations_n,
                         .directory = options->directory,
                         .create = true};
    bench b = {.name = name, .n = n, .key = {{1, 2, 3}}};
    atg_err err;

    bench_must(db_open(options, &b.d, &err), &err);
    bench_must(migrate(b.d, &plan, &err), &err);
    bench_must(uuid_new(&b.operation, &err), &err);
    insert_all(&b);
    if (options->conninfo) {
        double start = bench_seconds();

        bench_must(db_script(b.d, "vacuum", "VACUUM ANALYZE token", &err), &err);
        bench_must(db_script(b.d, "vacuum", "VACUUM ANALYZE file", &err), &err);
        printf("# %s: VACUUM took %.1f s\n", name, bench_seconds() - start);
    }
    search_all(&b, queries);
    db_close(b.d);
}

static int remove_one(const char *path, const struct stat *at, int kind, struct FTW *where) {
    (void)at;
    (void)kind;
    (void)where;
    return remove(path);
}

static double megabytes;

static int add_size(const char *path, const struct stat *at, int kind, struct FTW *where) {
    (void)path;
    (void)kind;
    (void)where;
    megabytes += (double)at->st_size / (1 << 20);
    return 0;
}

int main(int argc, char **argv) {
    uint32_t n = (uint32_t)bench_argument(argc, argv, 1, 1000000);
    uint32_t queries = (uint32_t)bench_argument(argc, argv, 2, 2000);
    const char *only = argc > 3 ? argv[3] : "";
    char folder[FOLDER] = "/var/tmp/atg-bench-XXXXXX", conninfo[300];
    db_options options = {.create = true, .directory = folder, .statement_ms = 600000};

    if (!mkdtemp(folder))
        return 1;
    make_vocabulary(&families, FAMILIES, 0.8, 1);
    make_vocabulary(&given, GIVEN, 0.8, 2);
    make_vocabulary(&places, PLACES, 0.9, 3);
    if (strcmp(only, "postgres") != 0) {
        measure(&options, "sqlite", n, queries);
        nftw(folder, add_size, FILES_OPEN, FTW_PHYS); /* NOLINT(concurrency-mt-unsafe) */
        printf("search.size_sqlite %.0f MiB\n", megabytes);
    }
    nftw(folder, remove_one, FILES_OPEN, FTW_DEPTH | FTW_PHYS); /* NOLINT(concurrency-mt-unsafe) */
    if (strcmp(only, "sqlite") == 0)
        return 0;
    if (!server_installed() || !server_start(true) || !server_make_database("bench")) {
        puts("# PostgreSQL is not installed: not measured");
        return 0;
    }
    (void)snprintf(conninfo, sizeof(conninfo), "host=%s user=atg dbname=bench", server_socket());
    options.conninfo = conninfo;
    measure(&options, "postgres", n, queries);
    server_end();
    printf("# largest resident set\nsearch.peak_mib %.0f MiB\n", bench_peak_mib());
    return 0;
}
