/* SPDX-License-Identifier: Apache-2.0 */
/* What tokens a record has and a query asks for, without a database; sort keys. */
#include <pthread.h>
#include <stdio.h>

#include "base/utf8.h"
#include "prop.h"
#include "search_plan.h"

enum { ARENA = 256 << 20, TEXT = 400 };

static const key256 key = {{1, 2, 3, 4}};

static search_scope everything(void) {
    search_scope all;

    memset(&all, 0xff, sizeof(all));
    return all;
}

static void set(record *r, uint32_t field, const char *text) {
    r->fields[field].known = true;
    r->fields[field].text = (atg_str){text, strlen(text)};
}

static token_set tokens_of(atg_arena *arena, const record *r) {
    token_set t = {.arena = arena};
    atg_err err = {0};

    if (tokens_of_record(&t, &key, r, &err))
        fail_msg("%s", err.msg);
    tokens_sort(&t);
    return t;
}

static record *person(atg_arena *arena, const char *family, const char *given) {
    record *r = record_new(arena, RECORD_MISSING);

    assert_non_null(r);
    set(r, MISSING_FAMILY_NAME, family);
    set(r, MISSING_GIVEN_NAME, given);
    return r;
}

static void a_file_of_eight_fields_has_about_fifty_tokens(void **state) {
    static const struct {
        const char *family, *given, *place, *informant;
        uint32_t most;
    } cases[] = {
        {"Halvorsen", "Liv", "Car deck of the ferry", "Kari Halvorsen", 75},
        {"Шевченко", "Олександр", "Київ, вокзал", "Юлія Шевченко", 75},
        {"Smith", "John", "London, Baker street 5", "Mary Smith", 55},
        {"محمد", "أحمد", "حلب، السوق", "فاطمة محمد", 75},
        {"王", "小明", "北京市朝阳区", "王伟", 75},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
        record *r = person(arena, cases[i].family, cases[i].given);
        uint32_t n;

        r->code = ATG_STR("AM-K3-000123");
        set(r, MISSING_BORN, "1984-03-12");
        set(r, MISSING_LAST_PLACE, cases[i].place);
        set(r, MISSING_INFORMANT_NAME, cases[i].informant);
        set(r, MISSING_INFORMANT_CONTACT, "+47 55 00 00 00");
        n = tokens_of(arena, r).n;
        if (n < 25 || n > cases[i].most)
            fail_msg("%s has %u tokens", cases[i].family, n);
    }
}

/* What stands in databases must be found by later versions too. */
static void tokens_stay_what_they_are(void **state) {
    static const int64_t wanted[] = {
        0x58b,           0x7f7, 0xf3b, 0x1043213eb2eef5, 0x2b40a467b88315, 0xdb9bbf9d4bff77,
        0xf01c81613bb9ef};
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    record *r = person(arena, "Bó", "Юл");
    token_set t;

    (void)state;
    set(r, MISSING_BORN, "1984");
    t = tokens_of(arena, r);
    assert_int_equal(t.n, sizeof(wanted) / sizeof(*wanted));
    assert_memory_equal(t.tokens, wanted, sizeof(wanted));
}

/* ---- properties ---- */

typedef struct alphabet {
    const char *name;
    uint32_t from, to;
    uint32_t least; /* letters of a beginning that finds a name */
    bool inside;
} alphabet;

static const alphabet alphabets[] = {
    {"Latin", 'a', 'z', 2, true},          {"Cyrillic", 0x430, 0x44f, 2, true},
    {"Ukrainian", 0x450, 0x457, 2, true},  {"Greek", 0x3b1, 0x3c9, 2, true},
    {"Arabic", 0x641, 0x64a, 2, true},     {"Hebrew", 0x5d0, 0x5ea, 2, true},
    {"Han", 0x4e00, 0x4f00, 1, true},      {"Hiragana", 0x3042, 0x3093, 1, true},
    {"Hangul", 0xac00, 0xad00, 1, true},   {"Georgian", 0x10d0, 0x10f0, 2, true},
    {"Devanagari", 0x915, 0x939, 2, true}, {"Latin with marks", 0xe0, 0x17e, 2, true},
};

enum { ALPHABETS = sizeof(alphabets) / sizeof(*alphabets) };

/* Not the sign of division, nor letters that come with one. */
static uint32_t put_letters(prop *p, const alphabet *a, uint32_t n, uint32_t *ret) {
    for (uint32_t i = 0; i < n; i++) {
        do
            ret[i] = a->from + prop_below(p, a->to - a->from + 1);
        while (ret[i] == 0xf7 || ret[i] == 0x13f || ret[i] == 0x140 || ret[i] == 0x149);
    }
    return n;
}

static const char *text_of(atg_arena *arena, const uint32_t *cp, uint32_t n, const char *star) {
    atg_str s = {0};

    assert_int_equal(fold_utf8(arena, cp, n, &s, NULL), ATG_OK);
    return atg_arena_printf(arena, "%s%.*s%s", star, ATG_FMT(s), star).p;
}

/* Letters of Cyrillic that its key takes for one count once. */
static uint32_t letters_of(const uint32_t *cp, uint32_t n) {
    roman told;

    if (fold_script_of(cp[0]) != FOLD_CYRILLIC)
        return n;
    roman_cyrillic_key(cp, n, true, &told);
    if (told.n == 0)
        return n;
    return told.n < n ? told.n : n;
}

static void must_find(const prop *p, atg_arena *arena, const record *r, const char *query) {
    plan_verdict v;

    assert_int_equal(plan_try(arena, &key, atg_str_of(query), r, &v), ATG_OK);
    if (!v.read || !v.answered || !v.found)
        fail_msg("seed %llu, %s: '%s' does not find '%.*s' (%d%d%d)", (unsigned long long)p->seed,
                 p->about, query, ATG_FMT(r->fields[MISSING_FAMILY_NAME].text), v.read, v.answered,
                 v.found);
    assert_true(!v.sure || v.answered);
}

static void every_beginning_and_inside_of_a_name_finds_it(void **state) {
    (void)state;
    for (PROP_EACH(p, 3000)) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
        const alphabet *a = &alphabets[p.seed % ALPHABETS];
        uint32_t cp[FOLD_WORD] = {0}, n, length, from;
        record *r;

        snprintf(p.about, sizeof(p.about), "%s", a->name);
        n = put_letters(&p, a, 2 + prop_below(&p, 14), cp);
        r = person(arena, text_of(arena, cp, n, ""), "x");
        length = a->least + prop_below(&p, n - a->least + 1);
        if (letters_of(cp, length) >= a->least)
            must_find(&p, arena, r, text_of(arena, cp, length, ""));
        must_find(&p, arena, r, text_of(arena, cp, n, "\""));
        if (n < 3)
            continue;
        length = 3 + prop_below(&p, n - 2);
        from = prop_below(&p, n - length + 1);
        if (letters_of(cp + from, length) >= 3)
            must_find(&p, arena, r, text_of(arena, cp + from, length, "*"));
    }
}

static void every_beginning_of_three_letters_of_any_word_finds_it(void **state) {
    (void)state;
    for (PROP_EACH(p, 3000)) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
        const alphabet *a = &alphabets[p.seed % ALPHABETS];
        uint32_t cp[FOLD_WORD] = {0}, n, length;
        record *r = person(arena, "x", "y");

        snprintf(p.about, sizeof(p.about), "%s in a place", a->name);
        n = put_letters(&p, a, 3 + prop_below(&p, 14), cp);
        set(r, MISSING_STORY, text_of(arena, cp, n, " "));
        length = 3 + prop_below(&p, n - 2);
        if (letters_of(cp, length) >= 3)
            must_find(&p, arena, r, text_of(arena, cp, length, ""));
        must_find(&p, arena, r, text_of(arena, cp, n, "\""));
    }
}

/* Made of few letters, so that much is alike. */
static const char *any_text(prop *p, atg_arena *arena, uint32_t most) {
    static const char *const pieces[] = {"a", "b",  "an", "kh", "1",  "12", "-",  " ",  " ",
                                         "'", "王", "明", "ひ", "김", "а",  "н",  "х",  "й",
                                         "م", "ح",  "ال", "י",  "ω",  "υ",  "ü",  "ß",  "\"",
                                         "*", ".",  "é",  "19", "84", "0",  "AM", "K3", "ー"};
    ATG_AUTO(atg_buf) buf = atg_buf_new(1 << 16);
    uint32_t n = 1 + prop_below(p, most);
    atg_str s;

    for (uint32_t i = 0; i < n; i++)
        atg_buf_adds(buf, pieces[prop_below(p, sizeof(pieces) / sizeof(*pieces))]);
    assert_int_equal(atg_buf_take(buf, &s, NULL), ATG_OK);
    return atg_arena_str(arena, s).p;
}

static void tokens_never_miss_what_looking_finds_and_are_right_when_sure(void **state) {
    uint32_t found = 0, sure = 0;

    (void)state;
    for (PROP_EACH(p, 10000)) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
        record *r = person(arena, any_text(&p, arena, 8), any_text(&p, arena, 6));
        const char *query = any_text(&p, arena, 7);
        plan_verdict v;

        set(r, MISSING_LAST_PLACE, any_text(&p, arena, 12));
        set(r, MISSING_EXTERNAL, any_text(&p, arena, 12));
        set(r, MISSING_BORN, prop_chance(&p, 0.5) ? "1984-03-12" : "about 1984");
        r->code = ATG_STR("AM-K3-000012");
        assert_int_equal(plan_try(arena, &key, atg_str_of(query), r, &v), ATG_OK);
        if (v.answered > v.found || v.sure > v.answered)
            fail_msg("seed %llu, '%s': %d by looking, %d by tokens, %d surely",
                     (unsigned long long)p.seed, query, v.answered, v.found, v.sure);
        found += v.answered;
        sure += v.sure;
    }
    assert_true(found > 300 && sure > 250);
}

static token_set set_of(atg_arena *arena) {
    return (token_set){.arena = arena};
}

static bool has(const token_set *set, int64_t token) {
    for (uint32_t i = 0; i < set->n; i++)
        if (set->tokens[i] == token)
            return true;
    return false;
}

/* What `a` has and `b` has not, but for the marks of kinds, which stay: how many. */
static uint32_t gone(const token_set *a, const token_set *b) {
    uint32_t n = 0;

    for (uint32_t i = 0; i < a->n; i++)
        n += a->tokens[i] >= TOKEN_LEAST && !has(b, a->tokens[i]);
    return n;
}

/* Change some fields, or make them unknown. */
static uint64_t change_some(prop *p, atg_arena *arena, record *r) {
    static const int fields[] = {MISSING_FAMILY_NAME, MISSING_GIVEN_NAME,     MISSING_OTHER_NAMES,
                                 MISSING_LAST_PLACE,  MISSING_INFORMANT_NAME, MISSING_CLOTHING,
                                 MISSING_STORY,       MISSING_EXTERNAL,       MISSING_BORN};
    enum { FIELDS = sizeof(fields) / sizeof(*fields) };
    uint64_t changed = 0;

    for (uint32_t n = prop_below(p, 3); n <= 2; n++) {
        int f = fields[prop_below(p, FIELDS)];

        changed |= UINT64_C(1) << f;
        if (prop_chance(p, 0.2))
            r->fields[f] = (value){0};
        else
            set(r, (uint32_t)f,
                f == MISSING_BORN ? prop_chance(p, 0.5) ? "1984-03" : "1983/1986"
                                  : any_text(p, arena, f == MISSING_STORY ? 300 : 12));
    }
    return changed;
}

static void a_change_tells_the_tokens_that_differ(void **state) {
    uint32_t few = 0, some = 0;

    (void)state;
    for (PROP_EACH(p, 5000)) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
        record *before = person(arena, any_text(&p, arena, 8), any_text(&p, arena, 6)), *now;
        token_set was = set_of(arena), is = set_of(arena), all_was = set_of(arena),
                  all_is = set_of(arena);
        uint64_t changed;

        before->code = ATG_STR("AM-K3-000012");
        (void)change_some(&p, arena, before);
        (void)change_some(&p, arena, before);
        now = record_copy(arena, before);
        assert_non_null(now);
        changed = change_some(&p, arena, now);
        now->withdrawn = prop_chance(&p, 0.05);
        assert_int_equal(tokens_of_change(&key, before, now, changed, &was, &is, NULL), ATG_OK);
        assert_int_equal(tokens_of_record(&all_was, &key, before, NULL), ATG_OK);
        if (!now->withdrawn)
            assert_int_equal(tokens_of_record(&all_is, &key, now, NULL), ATG_OK);
        tokens_sort(&all_was);
        tokens_sort(&all_is);
        if (gone(&was, &is) != gone(&all_was, &all_is) || gone(&was, &all_was) ||
            gone(&is, &was) != gone(&all_is, &all_was) || gone(&is, &all_is))
            fail_msg("seed %llu", (unsigned long long)p.seed);
        few += was.n + is.n < all_was.n + all_is.n;
        some += gone(&was, &is) > 0;
    }
    assert_true(few > 500 && some > 2000);
}

/* ---- hostile input ---- */

static void hostile_queries_are_answered_or_refused(void **state) {
    const search_scope all = everything();
    static const char *const pieces[] = {
        "\xff", "\xcc\x81", "\xf0\x9f\xa6\xb7", "\"", "*",        "a ", "1-",
        "王",   "a-",       "\xef\xb7\xba",     "'",  "\xc2\xab", "1/", "0"};
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    record *r = person(arena, "a", "1");

    (void)state;
    for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++)
        for (size_t bytes = 1; bytes < 3000; bytes = bytes * 2 + 1) {
            ATG_AUTO(atg_buf) buf = atg_buf_new(1 << 16);
            search_words *words;
            plan_verdict v;
            atg_str s;
            int rc;

            for (size_t k = 0; k < bytes; k += strlen(pieces[i]))
                atg_buf_adds(buf, pieces[i]);
            assert_int_equal(atg_buf_take(buf, &s, NULL), ATG_OK);
            rc = search_read(arena, s, &all, &words, NULL);
            assert_true(rc == ATG_OK || rc == ATG_ELIMIT);
            assert_int_equal(plan_try(arena, &key, s, r, &v), ATG_OK);
        }
}

static void what_cannot_be_searched_is_told(void **state) {
    const search_scope all = everything();
    static const struct {
        const char *query;
        int rc;
    } cases[] = {{"", ATG_EINVAL},     {" \t", ATG_EINVAL},  {"a", ATG_EINVAL},
                 {"*ab*", ATG_EINVAL}, {"*a*", ATG_EINVAL},  {"-", ATG_EINVAL},
                 {"\"\"", ATG_EINVAL}, {"\"a\"", ATG_OK},    {"а б", ATG_EINVAL},
                 {"王", ATG_OK},       {"ab", ATG_OK},       {"7", ATG_OK},
                 {"a bc", ATG_OK},     {"\xff", ATG_EINVAL}, {"\xcc\x81", ATG_EINVAL}};
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        search_words *words = NULL;
        search_plan plan;
        atg_err err = {0};

        assert_int_equal(search_read(arena, atg_str_of(cases[i].query), &all, &words, &err),
                         ATG_OK);
        if (tokens_plan(arena, &key, words, NULL, &plan, &err) != cases[i].rc)
            fail_msg("'%s' gives code %d", cases[i].query, err.code);
    }
}

static void a_story_of_many_words_has_no_more_tokens_than_the_limit(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    ATG_AUTO(atg_buf) buf = atg_buf_new(1 << 20);
    record *r = person(arena, "Berg", "Liv");
    plan_verdict v;
    atg_str s;

    (void)state;
    for (int i = 0; i < 10000; i++)
        atg_buf_printf(buf, "w%dx%d ", i, i % 7);
    assert_int_equal(atg_buf_take(buf, &s, NULL), ATG_OK);
    r->fields[MISSING_STORY].known = true;
    r->fields[MISSING_STORY].text = s;
    assert_true(tokens_of(arena, r).n < 9000);
    assert_int_equal(plan_try(arena, &key, ATG_STR("berg w100x2"), r, &v), ATG_OK);
    assert_true(v.found);
}

/* ---- threads, memory ---- */

typedef struct worker {
    pthread_t thread;
    uint64_t sum;
} worker;

static void *make_tokens(void *user) {
    worker *w = user;

    for (int i = 0; i < 300; i++) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
        record *r = person(arena, i % 2 ? "Ковальчук-王小明" : "Ἀλεξίου محمد", "José ひろし");
        token_set t = {.arena = arena};
        atg_str sorted;

        if (tokens_of_record(&t, &key, r, NULL) ||
            tokens_sort_key(arena, ATG_STR("Ковальчук"), &sorted, NULL))
            return NULL;
        for (uint32_t k = 0; k < t.n; k++)
            w->sum += (uint64_t)t.tokens[k];
        w->sum += sorted.n;
    }
    return w;
}

static void tokens_are_made_by_several_threads_at_once(void **state) {
    worker w[4] = {0};

    (void)state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&w[i].thread, NULL, make_tokens, &w[i]), 0);
    for (int i = 0; i < 4; i++) {
        void *ret = NULL;

        assert_int_equal(pthread_join(w[i].thread, &ret), 0);
        assert_non_null(ret);
        assert_true(w[i].sum == w[0].sum && w[0].sum);
    }
}

static void short_memory_is_told(void **state) {
    int rc = ATG_ENOMEM;

    (void)state;
    for (long k = 0; rc == ATG_ENOMEM; k++) {
        size_t before = mem_live();
        atg_arena *arena;
        record *r;
        plan_verdict v;
        atg_str sorted;

        mem_fail_after(k);
        arena = atg_arena_new(ARENA);
        r = arena ? record_new(arena, RECORD_MISSING) : NULL;
        rc = ATG_ENOMEM;
        if (r) {
            set(r, MISSING_FAMILY_NAME, "Ковальчук-王小明 Ἀλεξίου محمد José O'Brien");
            set(r, MISSING_STORY, "12-34/B und so weiter");
            rc = plan_try(arena, &key, ATG_STR("kov 王小明 *exi* moham 12-34/B 1984"), r, &v);
        }
        if (rc == ATG_OK)
            rc = tokens_sort_key(arena, ATG_STR("Ковальчук"), &sorted, NULL);
        mem_fail_after(-1);
        atg_arena_free(arena);
        assert_true(rc == ATG_OK || rc == ATG_ENOMEM);
        assert_int_equal(mem_live(), before);
    }
}

/* ---- sort keys ---- */

static void sort_keys_put_names_in_the_order_of_the_alphabet(void **state) {
    static const char *const in_order[] = {
        "",         "Ab", "abel",    "Abélard",   "Abele",  "Berg", "bergen", "Łukasz", "Müller",
        "Muller Z", "Zz", "Ἀλεξίου", "Андрієнко", "Яценко", "كمال", "ひろし", "王"};
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    atg_str before = {"", 0}, now, long_one;
    char many[5000];

    (void)state;
    for (size_t i = 0; i < sizeof(in_order) / sizeof(*in_order); i++) {
        assert_int_equal(tokens_sort_key(arena, atg_str_of(in_order[i]), &now, NULL), ATG_OK);
        assert_true(now.n <= FILE_SORT_MAX);
        if (atg_str_cmp(before, now) >= 0 && i > 0)
            fail_msg("%s stands before %s", in_order[i], in_order[i - 1]);
        before = now;
    }
    assert_int_equal(tokens_sort_key(arena, ATG_STR("berg"), &before, NULL), ATG_OK);
    assert_int_equal(tokens_sort_key(arena, ATG_STR("BERG"), &now, NULL), ATG_OK);
    assert_false(atg_str_eq(before, now)); /* told apart, side by side */
    memset(many, 'x', sizeof(many));
    assert_int_equal(tokens_sort_key(arena, (atg_str){many, sizeof(many)}, &now, NULL), ATG_OK);
    assert_int_equal(tokens_sort_key(arena, (atg_str){many, 40}, &long_one, NULL), ATG_OK);
    assert_int_equal(now.n, FILE_SORT_MAX);
    assert_true(atg_str_eq(now, long_one));
    assert_int_equal(tokens_sort_key(arena, ATG_STR("a\xff\xcc"), &now, NULL), ATG_OK);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_of_eight_fields_has_about_fifty_tokens),
        cmocka_unit_test(tokens_stay_what_they_are),
        cmocka_unit_test(every_beginning_and_inside_of_a_name_finds_it),
        cmocka_unit_test(every_beginning_of_three_letters_of_any_word_finds_it),
        cmocka_unit_test(tokens_never_miss_what_looking_finds_and_are_right_when_sure),
        cmocka_unit_test(a_change_tells_the_tokens_that_differ),
        cmocka_unit_test(hostile_queries_are_answered_or_refused),
        cmocka_unit_test(what_cannot_be_searched_is_told),
        cmocka_unit_test(a_story_of_many_words_has_no_more_tokens_than_the_limit),
        cmocka_unit_test(tokens_are_made_by_several_threads_at_once),
        cmocka_unit_test(short_memory_is_told),
        cmocka_unit_test(sort_keys_put_names_in_the_order_of_the_alphabet),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
