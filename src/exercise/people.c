/* SPDX-License-Identifier: Apache-2.0 */
#include "exercise/people.h"

#include <stdio.h>
#include <string.h>

#include <antigone/base.h>

/* Names of one language go together. */
typedef struct tongue {
    const char *families[6], *women[5], *men[5];
} tongue;

static const tongue tongues[] = {
    {{"Hansen", "Berg", "Haugen", "Solberg", "Lie", "Moen"},
     {"Nora", "Ingrid", "Astrid", "Sunniva", "Liv"},
     {"Olav", "Jakob", "Håkon", "Sindre", "Per"}},
    {{"Шевченко", "Мельник", "Бойко", "Ткаченко", "Кравчук", "Лисенко"},
     {"Олена", "Мар'яна", "Софія", "Ганна", "Дарина"},
     {"Олександр", "Богдан", "Тарас", "Андрій", "Юрій"}},
    {{"王", "李", "張", "劉", "陳", "楊"},
     {"芳", "秀英", "娜", "敏", "麗"},
     {"偉", "強", "磊", "洋", "勇"}},
    {{"محمدي", "الحسن", "الخطيب", "منصور", "العلي", "درويش"},
     {"فاطمة", "مريم", "زينب", "ليلى", "نور"},
     {"محمد", "أحمد", "علي", "يوسف", "خالد"}},
    {{"García", "Martínez", "López", "Sánchez", "Núñez", "Peña"},
     {"María", "Lucía", "Carmen", "Inés", "Sofía"},
     {"José", "Javier", "Andrés", "Íñigo", "Luis"}},
    {{"Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Đặng"},
     {"Linh", "Hương", "Mai", "Thảo", "Lan"},
     {"Minh", "Tuấn", "Đức", "Hùng", "Nam"}},
};

static const char *const places[] = {
    "Car deck",  "Cafeteria", "Cabin 214", "Upper deck, port side", "Stairs to the lifeboats",
    "Quay of K1"};
/* By pigment; a draw is of six and of five, whatever the row. */
static const char *const hairs[][6] = {
    {"brown", "black", "blond", "grey", "red", "dark, curly"},
    {"brown", "black", "black", "grey", "brown", "dark, curly"},
    {"black", "black", "dark, curly", "grey", "dark, curly", "dark, curly"}};
static const char *const eyes[][5] = {{"brown", "blue", "green", "grey", "dark brown"},
                                      {"brown", "dark brown", "green", "brown", "dark brown"},
                                      {"brown", "dark brown", "dark brown", "brown", "dark brown"}};
static const char *const clothes[] = {"blue raincoat, jeans",   "red anorak, black trousers",
                                      "green jumper, boots",    "grey suit",
                                      "yellow dress, cardigan", "work clothes of the ferry line"};

#define PICK(rng, list) (list)[atg_rng_below(rng, sizeof(list) / sizeof(*(list)))]

enum { GREY_BEFORE = 1980 };

static void copy(char *to, size_t size, const char *from) {
    (void)snprintf(to, size, "%s", from);
}

void people_make(uint64_t seed, uint32_t family, uint32_t number, atg_sex sex, made_person *ret) {
    atg_rng of_family = atg_rng_seed(seed * 1000003 + family);
    atg_rng rng = atg_rng_seed(seed * 1000033 + number + ((uint64_t)1 << 40));
    const tongue *t = &PICK(&of_family, tongues);
    bool woman = sex == ATG_SEX_UNKNOWN ? atg_rng_below(&rng, 2) : sex == ATG_SEX_FEMALE;
    const char *informant =
        atg_rng_below(&of_family, 2) ? PICK(&of_family, t->women) : PICK(&of_family, t->men);

    unsigned year, month, day;

    memset(ret, 0, sizeof(*ret));
    ret->man = !woman;
    copy(ret->family, sizeof(ret->family), PICK(&of_family, t->families));
    copy(ret->given, sizeof(ret->given), woman ? PICK(&rng, t->women) : PICK(&rng, t->men));
    year = 1940 + (unsigned)atg_rng_below(&rng, 75);
    month = 1 + (unsigned)atg_rng_below(&rng, 12);
    day = 1 + (unsigned)atg_rng_below(&rng, 28);
    (void)snprintf(ret->born, sizeof(ret->born), "%04u-%02u-%02u", year, month, day);
    copy(ret->last_place, sizeof(ret->last_place), PICK(&rng, places));
    (void)snprintf(ret->informant, sizeof(ret->informant), "%s %s", informant, ret->family);
    (void)snprintf(ret->contact, sizeof(ret->contact), "telephone 555-%04u",
                   (unsigned)atg_rng_below(&of_family, 10000));
    ret->pigment = (int)atg_rng_below(&of_family, 3);
    copy(ret->hair, sizeof(ret->hair), PICK(&rng, hairs[ret->pigment]));
    if (strcmp(ret->hair, "grey") == 0 && year >= GREY_BEFORE)
        copy(ret->hair, sizeof(ret->hair), hairs[ret->pigment][0]);
    copy(ret->eyes, sizeof(ret->eyes), PICK(&rng, eyes[ret->pigment]));
    copy(ret->clothing, sizeof(ret->clothing), PICK(&rng, clothes));
    ret->stature = (woman ? 152 : 164) + (int)atg_rng_below(&rng, 26);
}
