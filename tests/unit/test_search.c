/* SPDX-License-Identifier: Apache-2.0 */
/* Search: what is found by what, on both databases, and as looking at every record would find it.
 */
#include "search_world.h"

/* ---- names of many scripts ---- */

enum { QUERIES = 14 };

static const struct {
    const char *family, *given;
    const char *found_by[QUERIES], *not_by[QUERIES];
} names[] = {
    {"王",
     "偉",
     {"王偉", "王 偉", "王伟", "王", "偉", "伟", "Wang Wei", "wang", "wei", "WANG", "\"wang\""},
     {"王维", "李偉", "Wang Li", "wangwei xia", "威", "ang", "*ang*"}},
    {"王小明",
     NULL,
     {"王小明", "小明", "王小", "明", "Wang Xiaoming", "Xiao Ming", "xiaoming", "Xiao-ming",
      "wangxiaoming", "xiaom", "\"王小明\""},
     {"王明", "小王", "明小", "\"小明\"", "wang ximing"}},
    {"曾", "国藩", {"曾國藩 ", "曾", "Zeng Guofan", "国藩", "Guo Fan"}, {"Ceng Guofan Li"}},
    {"Шевченко",
     "Олександр",
     {"Олександр", "олександр шевченко", "Oleksandr", "Shevchenko", "Шевч", "Oleks", "shev olek",
      "*ксандр*", "*ksand*", "\"Oleksandr\"", "Olexandr"},
     {"Александр", "Oleksandra", "ксандр", "ksandr", "\"Олекс\"", "Шевченков"}},
    {"Андрієнко",
     "Юлія",
     {"Юлія", "Yulia", "Yuliia", "Iuliia", "Julia", "Андрієнко", "Андрі", "Andriyenko",
      "Andriienko", "Andrienko", "юл анд", "*єнко*", "*рієн*", "*ienko*"},
     {"Юрий", "Andreenko"}},
    {"Сергеев",
     "Фёдор",
     {"федор", "ФЁДОР", "Fedor", "Fyodor", "Sergeev", "Sergeev Fedor", "\"Фёдор\""},
     {"Сергієв", "Fedora"}},
    {"Мар'яненко",
     "Мар’яна",
     {"Мар'яна", "маряна", "Мар`яна", "Maryana", "Mariana", "Марʼяна"},
     {"Мар яна", "Марина"}},
    {"محمد",
     "أحمد",
     {"محمد", "احمد", "أحمد محمد", "مُحَمَّد", "Mohammed", "Muhammad", "mohamed", "Ahmed",
      "Ahmad Muhammad", "moham", "*حمد*", "\"Mohammed\""},
     {"محمود علي", "Mohsen", "Hamid", "Mahmudi", "moh"}},
    {"الحسن",
     "فاطمة",
     {"الحسن", "حسن", "Hassan", "al-Hassan", "al-hasan fatima", "Fatimah", "فاطمه", "فاط"},
     {"حسين علي", "Hassani", "al hassani"}},
    {"Ἀλεξίου",
     "Ἀλέξανδρος",
     {"αλεξανδρος", "ΑΛΈΞΑΝΔΡΟΣ", "Alexandros", "Αλέξαν", "alexan", "Alexiou", "*ξανδ*"},
     {"Alexandra", "Αλεξάνδρα", "*xand*"}},
    {"כהן",
     "יוסף",
     {"יוסף", "יוסף כהן", "Yosef", "Josef", "Joseph Cohen", "יוס", "*וסף*", "כהן"},
     {"Yossi", "יואב", "Levi"}},
    {"Müller-Lüdenscheidt",
     "José María",
     {"muller", "müller", "Mueller", "MÜLLER", "jose maria", "José", "lüden", "luedenscheidt",
      "\"müller\"", "*denscheid*", "mari jos", "mullerludenscheidt"},
     {"mullere", "\"mull\"", "denscheid", "joset"}},
    {"Łukasz",
     "Nguyễn",
     {"lukasz", "Łuk", "nguyen", "Nguyễn", "ngu", "NGUYÊN", "*uye*"},
     {"lucas", "nguyenx"}},
    {"김민수",
     NULL,
     {"김민수", "민수", "김", "수", "Kim Minsu", "Gim Min-su", "Kim Min Su", "minsu"},
     {"김수", "Lee", "민김", "im"}},
    {"山田",
     "ひろし",
     {"山田", "ひろし", "ヒロシ", "Hiroshi", "hiro", "ひろ", "ろし"},
     {"しろ", "roshi", "山本"}},
    {"O'Brien",
     "Anne-Marie",
     {"O'Brien", "obrien", "O’Brien", "brien", "obr", "anne", "marie", "annemarie", "Anne-Marie",
      "Anne Marie", "*rien*", "\"obrien\""},
     {"o brienx", "rien", "marianne"}},
    {"Straße",
     "Ünsal",
     {"strasse", "STRASSE", "Straße", "straß", "unsal", "uensal", "Ünsal"},
     {"strase"
      "n",
      "insal"}},
    {"İnönü", "Işık", {"inonu", "İNÖNÜ", "isik", "IŞIK", "ışık"}, {"onu", "ishik"}},
    {"राजेश", "สมชาย", {"राजेश", "राज", "สมชาย", "สม"}, {"जेश", "राजू"}},
};

static void try_queries(world *w, const char *const queries[QUERIES], size_t name, bool finds_it) {
    for (int k = 0; k < QUERIES && queries[k]; k++) {
        if (finds(w, queries[k], (int64_t)name + 1) != finds_it)
            fail_msg("'%s' %s %s %s", queries[k], finds_it ? "does not find" : "finds",
                     names[name].family, names[name].given ? names[name].given : "");
        compare_with_looking(w, queries[k], ALL);
    }
}

static void names_of_many_scripts_are_found(const database *where) {
    world w = open_world(where);

    kept_begin(w.d);
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        (void)add_file(&w, RECORD_MISSING, missing(&w, names[i].family, names[i].given));
    kept_commit(w.d);
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        try_queries(&w, names[i].found_by, i, true);
        try_queries(&w, names[i].not_by, i, false);
    }
    close_world(&w);
}

/* ---- words, codes, dates ---- */

static void words_codes_and_dates_are_found(const database *where) {
    static const struct {
        const char *query;
        bool found;
    } cases[] = {
        {"Kyiv", true},        {"київ вокзал", true},   {"вок", true},
        {"вок київ", true},    {"okza", false},         {"*okza*", false},
        {"*вокз*", true},      {"во", false},           {"\"вокзал\"", true},
        {"\"вокза\"", false},  {"raincoats", true},     {"rain", true},
        {"raincoatsx", false}, {"yellow RAIN", true},   {"yellow green", false},
        {"12-34/B", true},     {"1234b", true},         {"12-34", true},
        {"34", true},          {"12-35/B", false},      {"\"12-34/B\"", true},
        {"北京", true},        {"朝阳", true},          {"北阳", false},
        {"Beijing", true},     {"beij", false},         {"AB-12 345 678", true},
        {"ab12345678", true},  {"ab12", true},          {"AB-1234", true},
        {"AB-13", false},      {"5678", true},          {"678", true},
        {"45678", true},       {"\"ab123\"", false},    {"AM-K3-000001", true},
        {"am-k3-1", true},     {"amk3000001", true},    {"1", true},
        {"000001", true},      {"AM-K3-000002", false}, {"AM-K4-000001", false},
        {"2", false},          {"1984", true},          {"1984-03", true},
        {"1984-03-12", true},  {"12.03.1984", true},    {"12/3/1984", true},
        {"03/12/1984", true},  {"03.1984", true},       {"1984-03-13", false},
        {"13.03.1984", false}, {"1985", false},         {"1984-04", false},
        {"kyiv 1984", true},   {"kyiv 1985", false},    {"kyiv k", false},
        {"Ivanenko i", true},  {"ivanenko x", false},   {"3 Ivanenko", true},
    };
    world w = open_world(where);
    record *r = missing(&w, "Іваненко", "Іван");

    set(r, "last_place", "Київ, вокзал 3; Room 12-34/B; 北京市朝阳区");
    set(r, "clothing", "A yellow raincoat, two raincoats");
    set(r, "external", "AB-12 345 678");
    set(r, "born", "1984-03-12");
    kept_begin(w.d);
    (void)add_file(&w, RECORD_MISSING, r);
    kept_commit(w.d);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        if (finds(&w, cases[i].query, 1) != cases[i].found)
            fail_msg("'%s' is %s", cases[i].query, cases[i].found ? "not found" : "found");
        compare_with_looking(&w, cases[i].query, ALL);
    }
    close_world(&w);
}

static void dates_are_found_as_far_as_they_are_known(const database *where) {
    static const struct {
        const char *born, *found_by[6], *not_by[4];
    } cases[] = {
        {"1984", {"1984"}, {"1983", "1984-01"}},
        {"about 1984", {"1984"}, {"1985"}},
        {"1984/1986", {"1984", "1985", "1986"}, {"1983", "1987", "1985-02"}},
        {"1984-03/1984-05", {"1984", "1984-03", "1984-04", "05.1984"}, {"1984-02", "1984-06"}},
        {"1984-11-20/1985-02-03", {"1984", "1985", "1984-12", "1985-01"}, {"1985-03", "1984-10"}},
    };
    world w = open_world(where);

    kept_begin(w.d);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        record *r = missing(&w, "X", NULL);

        set(r, "born", cases[i].born);
        (void)add_file(&w, RECORD_MISSING, r);
    }
    kept_commit(w.d);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        for (int k = 0; k < 6 && cases[i].found_by[k]; k++)
            if (!finds(&w, cases[i].found_by[k], (int64_t)i + 1))
                fail_msg("'%s' does not find %s", cases[i].found_by[k], cases[i].born);
        for (int k = 0; k < 4 && cases[i].not_by[k]; k++)
            if (finds(&w, cases[i].not_by[k], (int64_t)i + 1))
                fail_msg("'%s' finds %s", cases[i].not_by[k], cases[i].born);
    }
    close_world(&w);
}

int main(void) {
    static const database_test tests[] = {
        {"names of many scripts are found", names_of_many_scripts_are_found, ON_BOTH},
        {"words, codes and dates are found", words_codes_and_dates_are_found, ON_BOTH},
        {"dates are found as far as they are known", dates_are_found_as_far_as_they_are_known,
         ON_BOTH},
    };

    return DATABASE_RUN(tests);
}
