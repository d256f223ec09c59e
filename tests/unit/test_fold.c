/* SPDX-License-Identifier: Apache-2.0 */
/* Folding of texts in many scripts, their words, and their romanisations. */
#include <stdio.h>

#include "base/fold.h"
#include "base/roman.h"
#include "base/utf8.h"
#include "prop.h"

enum { ARENA = 256 << 20, WORDS = 1000 };

/* The words of a text with blanks between, folded. */
static atg_str folded(atg_arena *arena, atg_str text) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(ARENA);
    atg_err err = {0};
    fold_text t;
    fold_word *w;
    uint32_t n = 0;
    atg_str s;

    assert_non_null(buf);
    assert_int_equal(fold_read(arena, text, &t, &err), ATG_OK);
    assert_int_equal(fold_words(arena, &t, WORDS, &w, &n, &err), ATG_OK);
    for (uint32_t i = 0; i < n; i++) {
        assert_true(w[i].n >= 1 && w[i].n <= FOLD_WORD);
        assert_int_equal(fold_utf8(arena, w[i].cp, w[i].n, &s, &err), ATG_OK);
        if (i)
            atg_buf_adds(buf, " ");
        atg_buf_add(buf, s);
    }
    assert_int_equal(atg_buf_take(buf, &s, &err), ATG_OK);
    return atg_arena_str(arena, s);
}

static void texts_of_many_scripts_are_folded(void **state) {
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"", ""},
        {" \t\n-'", ""},
        {"José María", "jose maria"},
        {"JOSE\xcc\x81", "jose"}, /* a mark of its own */
        {"Łukasz Ødegård Þór Æthelred Œuvre", "lukasz odegard thor aethelred oeuvre"},
        {"Nguyễn Đặng", "nguyen dang"},
        {"Straße STRASSE", "strasse strasse"},
        {"İstanbul ISTANBUL ıstanbul", "istanbul istanbul istanbul"},
        {"ﬁnn Ⅷ Ａｌｉ　ＫＨＡＮ", "finn viii ali khan"},
        {"O'Brien O’Brien Oʼbrien O`Brien", "obrien obrien obrien obrien"},
        {"'quoted' rock'n'roll", "quoted rocknroll"},
        {"Jean-Pierre A.B. x_y 3½", "jean pierre a b x y 31 2"},
        {"Мар'яна МАР’ЯНА Алёна Її", "маряна маряна алена іі"},
        {"Ἀλέξανδρος ΑΛΈΞΑΝΔΡΟΣ Ϊός", "αλεξανδροσ αλεξανδροσ ιοσ"},
        {"مُحَمَّد محـــمد أحمد إبراهيم آمنة", "محمد محمد احمد ابراهيم امنه"},
        {"على علی ك ک", "علي علي ك ك"},
        {"ﻣﺤﻤﺪ ٣٤٥ ۶", "محمد 345 6"},
        {"יוֹסֵף יוסף מֹשֶׁה צה״ל ז׳בוטינסקי", "יוספ יוספ משה צהל זבוטינסקי"},
        {"王偉 王伟 渡邊 渡辺 齋藤 斎藤", "王伟 王伟 渡边 渡边 斋藤 斋藤"},
        {"ヒロシ ﾋﾛｼ ひろし ガ ｶﾞ", "ひろし ひろし ひろし が が"},
        {"김민수 \xe1\x84\x80\xe1\x85\xb5\xe1\x86\xb7", "김민수 김"},
        {"राजेश สมชาย გიორგი Գևորգ", "राजेश สมชาย გიორგი գեւորգ"},
        {"山田ひろし3号 K3x2 王Wang", "山田ひろし 3 号 k3x2 王 wang"},
        {"co\xc2\xadoperate a\xe2\x80\x8b"
         "b \xe2\x80\xaexyz\xe2\x80\xac",
         "cooperate ab xyz"},
        {"a\xff"
         "b \xed\xa0\x80",
         "a b"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
        atg_str got = folded(arena, atg_str_of(cases[i].text));

        if (!atg_str_eq(got, atg_str_of(cases[i].words)))
            fail_msg("'%s' is folded to '%.*s', not '%s'", cases[i].text, ATG_FMT(got),
                     cases[i].words);
    }
}

static void words_know_what_stood_between_them(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    fold_text t;
    fold_word *w;
    uint32_t n = 0;

    (void)state;
    assert_int_equal(
        fold_read(arena, ATG_STR("Min-su O'Brien, AM-K3-000123  Jürgen--Åse"), &t, NULL), ATG_OK);
    assert_int_equal(fold_words(arena, &t, WORDS, &w, &n, NULL), ATG_OK);
    assert_int_equal(n, 8);
    assert_true(w[0].hyphen && !w[1].hyphen && w[0].chunk == w[1].chunk);
    assert_int_equal(w[2].apostrophe, 1);
    assert_true(w[2].chunk > w[1].chunk && w[3].chunk > w[2].chunk);
    assert_true(w[3].hyphen && w[4].hyphen && w[4].digit && !w[3].digit && w[5].digit);
    assert_int_equal(w[5].script, FOLD_DIGITS);
    assert_true(w[6].chunk > w[5].chunk);
    assert_false(w[6].hyphen);
    assert_non_null(w[6].spelled);
    assert_int_equal(w[6].spelled[1], 'e');
    assert_non_null(w[7].spelled);
    assert_int_equal(w[7].spelled[0], 'a');
    assert_null(w[0].spelled);
    assert_int_equal(fold_read(arena, ATG_STR("a b c d"), &t, NULL), ATG_OK);
    assert_int_equal(fold_words(arena, &t, 3, &w, &n, NULL), ATG_OK);
    assert_int_equal(n, 3);
}

/* Letters, marks and signs of every kind that folding looks at, and any other. */
static uint32_t any_code_point(prop *p) {
    static const uint32_t ranges[][2] = {
        {0x20, 0x7e},     {0xa0, 0x24f},    {0x2b0, 0x36f},    {0x370, 0x3ff},   {0x400, 0x52f},
        {0x590, 0x5f4},   {0x600, 0x6ff},   {0x900, 0x97f},    {0xe00, 0xe7f},   {0x1100, 0x11ff},
        {0x1e00, 0x1fff}, {0x2000, 0x206f}, {0x20d0, 0x20ff},  {0x2100, 0x218f}, {0x3000, 0x30ff},
        {0x3400, 0x9fff}, {0xac00, 0xd7a3}, {0xf900, 0xfaff},  {0xfb1d, 0xfdff}, {0xfe20, 0xfe2f},
        {0xfe70, 0xffef}, {0x0, 0xd7ff},    {0xe000, 0x10ffff}};
    uint32_t k = prop_below(p, sizeof(ranges) / sizeof(*ranges));

    return ranges[k][0] + prop_below(p, ranges[k][1] - ranges[k][0] + 1);
}

static void folding_what_is_folded_changes_nothing(void **state) {
    (void)state;
    for (PROP_EACH(p, 20000)) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
        uint32_t cp[12];
        uint32_t n = 1 + prop_below(&p, 12);
        fold_text once, twice;
        atg_str text;

        snprintf(p.about, sizeof(p.about), "idempotence");
        for (uint32_t i = 0; i < n; i++)
            cp[i] = any_code_point(&p);
        assert_int_equal(fold_utf8(arena, cp, n, &text, NULL), ATG_OK);
        assert_int_equal(fold_read(arena, text, &once, NULL), ATG_OK);
        assert_int_equal(fold_utf8(arena, once.cp, once.n, &text, NULL), ATG_OK);
        assert_int_equal(fold_read(arena, text, &twice, NULL), ATG_OK);
        if (once.n != twice.n || memcmp(once.cp, twice.cp, once.n * sizeof(*once.cp)) != 0)
            fail_msg("seed %llu: %.*s", (unsigned long long)p.seed, ATG_FMT(text));
    }
}

static void repeat(atg_arena *arena, const char *what, size_t bytes, atg_str *ret) {
    size_t n = strlen(what), times = bytes / n;
    char *p = ATG_GET(arena, char, times *n + 1);

    assert_non_null(p);
    for (size_t i = 0; i < times * n; i++)
        p[i] = what[i % n];
    *ret = (atg_str){p, times * n};
}

static void hostile_texts_take_no_more_time_than_others(void **state) {
    static const char right_to_left[] = {'\xe2', '\x80', '\xae', '\0'};
    const char *const pieces[] = {
        "\xcc\x81",                 /* combining acute */
        "\xcc\x81\xcc\xa3",         /* above and below by turns: to be put in order */
        "\xcc\x81\xcd\x8f\xcc\xa3", /* kept apart by what is ignored */
        right_to_left,
        "\xef\xb7\xba", /* one sign that is 18 letters */
        "\xff",         /* not UTF-8 */
        "\xe1\x84\x80", /* consonants of Hangul */
        "'",
        "a'",
        "\xe7\x8e\x8b",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
        fold_text t;
        fold_word *w;
        uint32_t n;
        atg_str text;

        repeat(arena, pieces[i], 1 << 20, &text);
        assert_int_equal(fold_read(arena, text, &t, NULL), ATG_OK);
        assert_int_equal(fold_words(arena, &t, WORDS, &w, &n, NULL), ATG_OK);
        for (uint32_t k = 0; k < n; k++)
            assert_true(w[k].n <= FOLD_WORD);
    }
}

static void a_text_longer_than_the_arena_is_refused(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(64 << 10);
    ATG_AUTO(atg_arena) room = atg_arena_new(ARENA);
    fold_text t;
    atg_str text;

    (void)state;
    repeat(room, "\xd0\xb6", 1 << 20, &text);
    assert_int_equal(fold_read(arena, text, &t, NULL), ATG_ENOMEM);
    repeat(room, "x", 1 << 20, &text);
    assert_int_equal(fold_read(arena, text, &t, NULL), ATG_ENOMEM);
}

/* ---- romanisation ---- */

static const fold_word *word_of(atg_arena *arena, const char *text) {
    fold_text t;
    fold_word *w;
    uint32_t n = 0;

    assert_int_equal(fold_read(arena, atg_str_of(text), &t, NULL), ATG_OK);
    assert_int_equal(fold_words(arena, &t, WORDS, &w, &n, NULL), ATG_OK);
    assert_int_equal(n, 1);
    return w;
}

static void cyrillic_and_greek_are_written_as_in_passports(void **state) {
    static const struct {
        const char *text, *ukrainian, *russian;
    } cases[] = {
        {"Олександр", "oleksandr", "oleksandr"},
        {"Юлія", "yuliia", "yuliya"},
        {"Сергій", "serhiy", "sergii"},
        {"Сергей", "serhey", "sergei"},
        {"Щербак", "shcherbak", "shcherbak"},
        {"Хрущ", "khrushch", "khrushch"},
        {"Єва", "yeva", "eva"},
        {"Ільєнко", "ilienko", "ilenko"},
        {"Ђорђе", "djordje", "djordje"},
    };
    static const char *const greek[][2] = {
        {"Ἀλέξανδρος", "alexandros"},    {"Παπαδόπουλος", "papadopoulos"},
        {"Ευτυχία", "eftychia"},         {"Ευάγγελος", "evangelos"},
        {"Μπακογιάννης", "bakogiannis"}, {"Λαμπρος", "lampros"},
        {"Ψαρουδάκη", "psaroudaki"},     {"Θωμάς", "thomas"}};
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    roman r;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const fold_word *w = word_of(arena, cases[i].text);

        assert_int_equal(w->script, FOLD_CYRILLIC);
        roman_cyrillic(w->cp, w->n, ROMAN_UKRAINIAN, &r);
        assert_string_equal(r.s, cases[i].ukrainian);
        roman_cyrillic(w->cp, w->n, ROMAN_RUSSIAN, &r);
        assert_string_equal(r.s, cases[i].russian);
    }
    for (size_t i = 0; i < sizeof(greek) / sizeof(*greek); i++) {
        const fold_word *w = word_of(arena, greek[i][0]);

        assert_int_equal(w->script, FOLD_GREEK);
        roman_greek(w->cp, w->n, &r);
        assert_string_equal(r.s, greek[i][1]);
    }
}

static bool one_is(const roman *all, uint32_t n, const char *wanted) {
    for (uint32_t i = 0; i < n; i++)
        if (!strcmp(all[i].s, wanted))
            return true;
    return false;
}

static void every_usual_spelling_has_the_key_of_the_cyrillic_name(void **state) {
    static const char *const cases[][9] = {
        {"Олександр", "Oleksandr", "OLEXANDR", "Oleksandr'"},
        {"Александр", "Aleksandr", "Alexandr"},
        {"Сергій", "Serhii", "Serhiy", "Serhij", "Sergii", "Sergiy"},
        {"Сергей", "Sergei", "Sergey", "Sergej"},
        {"Юлія", "Yuliia", "Yulia", "Yuliya", "Iuliia", "Julia", "Julija", "Ioulia"},
        {"Юрий", "Yuri", "Yury", "Yuriy", "Yurii", "Iurii", "Juri", "Youri"},
        {"Євген", "Yevhen", "Ievgen", "Evhen", "Jewhen", "Evgen"},
        {"Евгений", "Evgenii", "Evgeny", "Yevgeny", "Jewgenij"},
        {"Фёдор", "Fedor", "Fyodor", "Fjodor"},
        {"Пётр", "Petr", "Pyotr"},
        {"Михаил", "Mikhail", "Mihail"},
        {"Христо", "Hristo", "Khristo"},
        {"Богдан", "Bohdan", "Bogdan"},
        {"Зеленський", "Zelenskyy", "Zelensky", "Zelenskiy", "Zelenskyi"},
        {"Анна", "Anna", "Ana"},
        {"Цой", "Tsoi", "Tsoy", "Tzoy"},
        {"Київ", "Kyiv"},
        {"Наталья", "Natalia", "Natalya"},
        {"Виктор", "Viktor", "Victor", "Wiktor"},
        {"Жанна", "Zhanna"},
        {"Шевченко", "Shevchenko"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
        const fold_word *w = word_of(arena, cases[i][0]);
        roman key, all[ROMAN_KEYS];

        roman_cyrillic_key(w->cp, w->n, true, &key);
        for (int k = 1; k < 9 && cases[i][k]; k++) {
            const fold_word *latin = word_of(arena, cases[i][k]);

            if (!one_is(all, roman_latin_keys(latin->cp, latin->n, true, all), key.s))
                fail_msg("%s (%s) does not find %s (%s)", cases[i][k], all[0].s, cases[i][0],
                         key.s);
        }
    }
}

static void the_key_of_a_part_is_a_part_of_the_key(void **state) {
    static const uint32_t first = 0x430, last = 0x45f;

    (void)state;
    for (PROP_EACH(p, 20000)) {
        uint32_t cp[20], n = 1 + prop_below(&p, 20), from = prop_below(&p, n);
        uint32_t length = 1 + prop_below(&p, n - from);
        roman whole, start, inner;

        for (uint32_t i = 0; i < n; i++)
            cp[i] = first + prop_below(&p, last - first + 1);
        roman_cyrillic_key(cp, n, true, &whole);
        roman_cyrillic_key(cp, length, true, &start);
        roman_cyrillic_key(cp + from, length, from == 0, &inner);
        assert_int_equal(strncmp(whole.s, start.s, start.n), 0);
        if (!strstr(whole.s, inner.s))
            fail_msg("seed %llu: %s has no %s", (unsigned long long)p.seed, whole.s, inner.s);
    }
}

static void names_of_arabic_and_hebrew_are_found_by_their_consonants(void **state) {
    static const struct {
        const char *name, *key;
        bool open;
        const char *spellings[6];
    } cases[] = {
        {"محمد", "mhmd", false, {"Mohammed", "Muhammad", "Mohamed", "MEHMED", "Muhammed"}},
        {"فاطمة", "ftm", true, {"Fatima", "Fatimah", "Fatma", "Fatemeh"}},
        {"علي", "al", true, {"Ali", "Aly"}},
        {"يوسف", "ysf", false, {"Yusuf", "Youssef", "Yousif", "Yusef"}},
        {"عبدالله", "abdl", true, {"Abdullah", "Abdallah", "Abdulla"}},
        {"خديجة", "hdj", true, {"Khadija", "Khadijah", "Khadidja"}},
        {"جمال", "jml", false, {"Jamal", "Gamal", "Djamal", "Jamaal"}},
        {"وليد", "wld", false, {"Walid", "Waleed", "Oualid"}},
        {"رشيد", "rsd", false, {"Rashid", "Rachid", "Rasheed"}},
        {"حسين", "hsn", false, {"Hussein", "Husain", "Hossein", "Houssein"}},
        {"إبراهيم", "abrhm", false, {"Ibrahim", "Ebrahim"}},
        {"یاسمین", "ysmn", false, {"Yasmin", "Yasameen", "Jasmin"}},
        {"پرویز", "frz", false, {"Parwiz", "Parviz"}},
        {"יוסף", "ysf", false, {"Yosef", "Josef", "Joseph", "Yossef"}},
        {"אברהם", "abrhm", false, {"Avraham", "Abraham"}},
        {"משה", "ms", true, {"Moshe", "Mosheh"}},
        {"דוד", "dd", false, {"David"}},
        {"יצחק", "yshk", false, {"Yitzhak", "Itzhak", "Yitzchak"}},
        {"רחל", "rhl", false, {"Rachel", "Rahel"}},
        {"כהן", "khn", false, {"Cohen", "Kohen"}},
        {"לוי", "l", true, {"Levi", "Levy"}},
        {"מזרחי", "mzrh", true, {"Mizrahi", "Mizrachi"}},
        {"ישראל", "ysrl", false, {"Israel", "Yisrael"}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
        const fold_word *w = word_of(arena, cases[i].name);
        skeleton s, all[ROMAN_KEYS];

        assert_true(roman_skeleton(w->cp, w->n, &s));
        assert_string_equal(s.key.s, cases[i].key);
        assert_int_equal(s.ends_open, cases[i].open);
        for (int k = 0; k < 6 && cases[i].spellings[k]; k++) {
            const fold_word *latin = word_of(arena, cases[i].spellings[k]);
            uint32_t n = roman_latin_skeletons(latin->cp, latin->n, all);
            bool found = false;

            for (uint32_t j = 0; j < n; j++)
                found |= !strcmp(all[j].key.s, s.key.s) && all[j].ends_open == s.ends_open;
            if (!found)
                fail_msg("%s is not found by %s (%s)", cases[i].name, cases[i].spellings[k],
                         n ? all[0].key.s : "nothing");
        }
    }
}

static void syllables_have_their_sounds(void **state) {
    static const char *const kana_cases[][3] = {{"ひろし", "hiroshi"},
                                                {"ヒロシ", "hiroshi"},
                                                {"さとう", "satou", "sato"},
                                                {"とうきょう", "toukyou", "tokyo"},
                                                {"ゆうこ", "yuuko", "yuko"},
                                                {"まっちゃ", "matcha"},
                                                {"ジョン", "jon"},
                                                {"ファティマ", "fatima"},
                                                {"おおの", "oono", "ono"},
                                                {"きょうこ", "kyouko", "kyoko"},
                                                {"っ", NULL}};
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    roman r, two[2];

    (void)state;
    for (size_t i = 0; i < sizeof(kana_cases) / sizeof(*kana_cases); i++) {
        const fold_word *w = word_of(arena, kana_cases[i][0]);
        uint32_t n = roman_kana(w->cp, w->n, two);

        assert_int_equal(n, kana_cases[i][1] ? kana_cases[i][2] ? 2 : 1 : 0);
        for (uint32_t k = 0; k < n; k++)
            assert_string_equal(two[k].s, kana_cases[i][k + 1]);
    }
    assert_string_equal(roman_han(0x738b, false), "wang");
    assert_string_equal(roman_han(0x4f1f, false), "wei");
    assert_string_equal(roman_han(0x66fe, true), "zeng");
    assert_string_equal(roman_han(0x5355, false), "dan");
    assert_string_equal(roman_han(0x5355, true), "shan");
    assert_string_equal(roman_han('x', false), "");
    roman_hangul(0xae40, &r);
    assert_string_equal(r.s, "gim");
    roman_hangul(0xc815, &r);
    assert_string_equal(r.s, "jeong");
    assert_string_equal(roman_hangul_family(0xae40), "kim");
    assert_null(roman_hangul_family(0xac00));
}

static void romanisation_of_anything_stays_within_its_room(void **state) {
    (void)state;
    for (PROP_EACH(p, 5000)) {
        uint32_t cp[FOLD_WORD], n = prop_below(&p, FOLD_WORD + 1);
        roman r, keys[ROMAN_KEYS];
        skeleton s[ROMAN_KEYS];

        for (uint32_t i = 0; i < n; i++)
            cp[i] = any_code_point(&p);
        roman_cyrillic(cp, n, ROMAN_UKRAINIAN, &r);
        assert_true(r.n == strlen(r.s));
        roman_cyrillic_key(cp, n, true, &r);
        assert_true(r.n == strlen(r.s));
        roman_greek(cp, n, &r);
        assert_true(r.n == strlen(r.s));
        (void)roman_kana(cp, n, keys);
        (void)roman_skeleton(cp, n, s);
        for (uint32_t i = 0; i < n; i++)
            cp[i] = 'a' + prop_below(&p, 26);
        assert_true(roman_latin_keys(cp, n, true, keys) <= ROMAN_KEYS);
        assert_true(roman_latin_skeletons(cp, n, s) <= ROMAN_KEYS);
    }
}

static int fold_all(atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    static const char text[] = "Ἀλέξανδρος مُحَمَّد x\xcc\x81 王偉 ﷺ";
    fold_text t;
    fold_word *w;
    uint32_t n;
    int rc = arena ? fold_read(arena, ATG_STR(text), &t, err)
                   : atg_fail(err, ATG_ENOMEM, "Out of memory");

    return rc ? rc : fold_words(arena, &t, WORDS, &w, &n, err);
}

static void short_memory_is_told(void **state) {
    int rc = ATG_ENOMEM;

    (void)state;
    for (long k = 0; rc == ATG_ENOMEM; k++) {
        atg_err err = {0};
        size_t before = mem_live();

        mem_fail_after(k);
        rc = fold_all(&err);
        mem_fail_after(-1);
        assert_int_equal(rc ? ATG_ENOMEM : ATG_OK, rc);
        assert_int_equal(mem_live(), before);
    }
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_of_many_scripts_are_folded),
        cmocka_unit_test(words_know_what_stood_between_them),
        cmocka_unit_test(folding_what_is_folded_changes_nothing),
        cmocka_unit_test(hostile_texts_take_no_more_time_than_others),
        cmocka_unit_test(a_text_longer_than_the_arena_is_refused),
        cmocka_unit_test(cyrillic_and_greek_are_written_as_in_passports),
        cmocka_unit_test(every_usual_spelling_has_the_key_of_the_cyrillic_name),
        cmocka_unit_test(the_key_of_a_part_is_a_part_of_the_key),
        cmocka_unit_test(names_of_arabic_and_hebrew_are_found_by_their_consonants),
        cmocka_unit_test(syllables_have_their_sounds),
        cmocka_unit_test(romanisation_of_anything_stays_within_its_room),
        cmocka_unit_test(short_memory_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
