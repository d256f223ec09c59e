/* SPDX-License-Identifier: Apache-2.0 */
#include "exercise/plan.h"

enum relation {
    END = 0,
    PARENT,
    GRANDPARENT,
    GREAT_GRANDPARENT,
    SIBLING,
    HALF_SIBLING,
    PARTNER,
    CHILD,
    UNCLE,
    IN_LAW,
    COUSIN,
    GREAT_UNCLE,
    PARENTS_COUSIN,
    SECOND_COUSIN,
    STEP_PARENT,
    SELF,
};

/* How the family names a relative, by sex: male, female. */
static const char *const roles[][2] = {
    [PARENT] = {"father", "mother"},
    [GRANDPARENT] = {"grandfather", "grandmother"},
    [GREAT_GRANDPARENT] = {"great-grandfather", "great-grandmother"},
    [SIBLING] = {"brother", "sister"},
    [HALF_SIBLING] = {"half-brother", "half-sister"},
    [PARTNER] = {"husband", "wife"},
    [CHILD] = {"son", "daughter"},
    [UNCLE] = {"uncle", "aunt"},
    [IN_LAW] = {"uncle-by-marriage", "aunt-by-marriage"},
    [COUSIN] = {"cousin", "cousin"},
    [GREAT_UNCLE] = {"great-uncle", "great-aunt"},
    [PARENTS_COUSIN] = {"parents-cousin", "parents-cousin"},
    [SECOND_COUSIN] = {"second-cousin", "second-cousin"},
    [STEP_PARENT] = {"stepfather", "stepmother"},
    [SELF] = {"missing", "missing"},
};

enum sex_rule { ANY = 0, MAN, WOMAN, OPPOSITE /* of the person before */ };

/* One place of a template.  Parents are two earlier places in either order, FOUNDER for none.
 * Only persons without children may be absent (present < 100). */
enum { FOUNDER = -1 };
struct place {
    uint8_t relation, sex;
    int8_t parents[2];
    uint8_t present, typed; /* percent */
};

struct kind {
    uint8_t weight; /* percent of the families */
    struct place places[PLAN_MAX];
};

#define NONE                                                                                       \
    { FOUNDER, FOUNDER }

static const struct kind kinds[] = {
    /* both parents */
    {14,
     {{PARENT, MAN, NONE, 100, 100},
      {PARENT, WOMAN, NONE, 100, 100},
      {SELF, ANY, {0, 1}, 100, 0},
      {SIBLING, ANY, {0, 1}, 30, 100}}},
    /* one parent */
    {6,
     {{PARENT, MAN, NONE, 100, 0}, {PARENT, WOMAN, NONE, 100, 100}, {SELF, ANY, {0, 1}, 100, 0}}},
    {3,
     {{PARENT, MAN, NONE, 100, 100}, {PARENT, WOMAN, NONE, 100, 0}, {SELF, ANY, {0, 1}, 100, 0}}},
    /* one parent and siblings */
    {7,
     {{PARENT, MAN, NONE, 100, 0},
      {PARENT, WOMAN, NONE, 100, 100},
      {SELF, ANY, {0, 1}, 100, 0},
      {SIBLING, ANY, {0, 1}, 100, 100},
      {SIBLING, ANY, {0, 1}, 40, 100}}},
    {3,
     {{PARENT, MAN, NONE, 100, 100},
      {PARENT, WOMAN, NONE, 100, 0},
      {SELF, ANY, {0, 1}, 100, 0},
      {SIBLING, ANY, {0, 1}, 100, 100},
      {SIBLING, ANY, {0, 1}, 40, 100}}},
    /* children and their other parent */
    {13,
     {{SELF, ANY, NONE, 100, 0},
      {PARTNER, OPPOSITE, NONE, 100, 100},
      {CHILD, ANY, {0, 1}, 100, 100},
      {CHILD, ANY, {0, 1}, 60, 100},
      {CHILD, ANY, {0, 1}, 25, 100}}},
    /* children alone */
    {6,
     {{SELF, ANY, NONE, 100, 0},
      {PARTNER, OPPOSITE, NONE, 100, 0},
      {CHILD, ANY, {0, 1}, 100, 100},
      {CHILD, ANY, {0, 1}, 60, 100},
      {CHILD, ANY, {0, 1}, 25, 100}}},
    /* full siblings only */
    {11,
     {{PARENT, MAN, NONE, 100, 0},
      {PARENT, WOMAN, NONE, 100, 0},
      {SELF, ANY, {0, 1}, 100, 0},
      {SIBLING, ANY, {0, 1}, 100, 100},
      {SIBLING, ANY, {0, 1}, 60, 100},
      {SIBLING, ANY, {0, 1}, 25, 100}}},
    /* half-siblings, of the father's side and of the mother's */
    {2,
     {{PARENT, MAN, NONE, 100, 0},
      {PARENT, WOMAN, NONE, 100, 30},
      {STEP_PARENT, WOMAN, NONE, 100, 0},
      {SELF, ANY, {0, 1}, 100, 0},
      {HALF_SIBLING, ANY, {0, 2}, 100, 100},
      {HALF_SIBLING, ANY, {0, 2}, 40, 100}}},
    {2,
     {{PARENT, WOMAN, NONE, 100, 0},
      {PARENT, MAN, NONE, 100, 0},
      {STEP_PARENT, MAN, NONE, 100, 30},
      {SELF, ANY, {0, 1}, 100, 0},
      {HALF_SIBLING, ANY, {0, 2}, 100, 100},
      {HALF_SIBLING, ANY, {0, 2}, 40, 100}}},
    /* grandparents */
    {4,
     {{GRANDPARENT, MAN, NONE, 100, 45},
      {GRANDPARENT, WOMAN, NONE, 100, 45},
      {GRANDPARENT, MAN, NONE, 100, 60},
      {GRANDPARENT, WOMAN, NONE, 100, 100},
      {PARENT, MAN, {0, 1}, 100, 0},
      {PARENT, WOMAN, {2, 3}, 100, 0},
      {SELF, ANY, {4, 5}, 100, 0}}},
    /* uncles and aunts */
    {4,
     {{GRANDPARENT, MAN, NONE, 100, 0},
      {GRANDPARENT, WOMAN, NONE, 100, 0},
      {PARENT, ANY, {0, 1}, 100, 0},
      {PARENT, OPPOSITE, NONE, 100, 20},
      {SELF, ANY, {2, 3}, 100, 0},
      {UNCLE, ANY, {0, 1}, 100, 100},
      {UNCLE, ANY, {0, 1}, 40, 100}}},
    /* cousins */
    {2,
     {{GRANDPARENT, MAN, NONE, 100, 0},
      {GRANDPARENT, WOMAN, NONE, 100, 0},
      {PARENT, ANY, {0, 1}, 100, 0},
      {PARENT, OPPOSITE, NONE, 100, 0},
      {SELF, ANY, {2, 3}, 100, 0},
      {UNCLE, ANY, {0, 1}, 100, 0},
      {IN_LAW, OPPOSITE, NONE, 100, 0},
      {COUSIN, ANY, {5, 6}, 100, 100},
      {COUSIN, ANY, {5, 6}, 40, 100}}},
    /* a couple missing, with children and sometimes their own mothers */
    {6,
     {{PARENT, MAN, NONE, 100, 0},
      {PARENT, WOMAN, NONE, 100, 50},
      {PARENT, MAN, NONE, 100, 0},
      {PARENT, WOMAN, NONE, 100, 50},
      {SELF, MAN, {0, 1}, 100, 0},
      {SELF, WOMAN, {2, 3}, 100, 0},
      {CHILD, ANY, {4, 5}, 100, 100},
      {CHILD, ANY, {4, 5}, 50, 100}}},
    /* siblings missing */
    {4,
     {{PARENT, MAN, NONE, 100, 70},
      {PARENT, WOMAN, NONE, 100, 100},
      {SELF, ANY, {0, 1}, 100, 0},
      {SELF, ANY, {0, 1}, 100, 0},
      {SELF, ANY, {0, 1}, 33, 0},
      {SIBLING, ANY, {0, 1}, 30, 100}}},
    /* a parent and a child missing */
    {4,
     {{PARENT, MAN, NONE, 100, 0},
      {PARENT, WOMAN, NONE, 100, 40},
      {SELF, ANY, {0, 1}, 100, 0},
      {PARTNER, OPPOSITE, NONE, 100, 100},
      {SELF, ANY, {2, 3}, 100, 0},
      {CHILD, ANY, {2, 3}, 60, 100}}},
    /* a whole family missing, with the grandparents left */
    {4,
     {{GRANDPARENT, MAN, NONE, 100, 60},
      {GRANDPARENT, WOMAN, NONE, 100, 100},
      {GRANDPARENT, MAN, NONE, 100, 60},
      {GRANDPARENT, WOMAN, NONE, 100, 100},
      {SELF, MAN, {0, 1}, 100, 0},
      {SELF, WOMAN, {2, 3}, 100, 0},
      {SELF, ANY, {4, 5}, 100, 0},
      {SELF, ANY, {4, 5}, 60, 0},
      {SELF, ANY, {4, 5}, 25, 0},
      {UNCLE, ANY, {0, 1}, 30, 100}}},
    /* nobody useful: a second cousin, nobody at all, a husband or wife without children */
    {2,
     {{GREAT_GRANDPARENT, MAN, NONE, 100, 0},
      {GREAT_GRANDPARENT, WOMAN, NONE, 100, 0},
      {GRANDPARENT, ANY, {0, 1}, 100, 0},
      {GRANDPARENT, OPPOSITE, NONE, 100, 0},
      {PARENT, ANY, {2, 3}, 100, 0},
      {PARENT, OPPOSITE, NONE, 100, 0},
      {SELF, ANY, {4, 5}, 100, 0},
      {GREAT_UNCLE, ANY, {0, 1}, 100, 0},
      {IN_LAW, OPPOSITE, NONE, 100, 0},
      {PARENTS_COUSIN, ANY, {7, 8}, 100, 0},
      {IN_LAW, OPPOSITE, NONE, 100, 0},
      {SECOND_COUSIN, ANY, {9, 10}, 100, 100}}},
    {2, {{PARENT, MAN, NONE, 100, 0}, {PARENT, WOMAN, NONE, 100, 0}, {SELF, ANY, {0, 1}, 100, 0}}},
    {1, {{SELF, ANY, NONE, 100, 0}, {PARTNER, OPPOSITE, NONE, 100, 100}}},
};

static bool chance(atg_rng *rng, uint32_t percent) {
    return atg_rng_below(rng, 100) < percent;
}

static const struct kind *draw_kind(atg_rng *rng) {
    uint32_t total = 0, i = 0;
    uint64_t x;

    for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++)
        total += kinds[k].weight;
    x = atg_rng_below(rng, total);
    while (x >= kinds[i].weight)
        x -= kinds[i++].weight;
    return &kinds[i];
}

static atg_sex draw_sex(atg_rng *rng, uint8_t rule, const plan *p) {
    switch (rule) {
    case MAN:
        return ATG_SEX_MALE;
    case WOMAN:
        return ATG_SEX_FEMALE;
    case OPPOSITE:
        return p->persons[p->n - 1].sex == ATG_SEX_MALE ? ATG_SEX_FEMALE : ATG_SEX_MALE;
    default:
        return chance(rng, 50) ? ATG_SEX_MALE : ATG_SEX_FEMALE;
    }
}

static void add_person(atg_rng *rng, const struct place *place, plan *p) {
    plan_person *who = &p->persons[p->n];
    int8_t father = place->parents[0], mother = place->parents[1];

    who->sex = draw_sex(rng, place->sex, p);
    if (father != FOUNDER && p->persons[father].sex == ATG_SEX_FEMALE) {
        father = place->parents[1];
        mother = place->parents[0];
    }
    who->father = father;
    who->mother = mother;
    who->role = roles[place->relation][who->sex == ATG_SEX_FEMALE];
    who->missing = place->relation == SELF;
    who->typed = chance(rng, place->typed);
    p->n_missing += who->missing;
    p->n++;
}

void plan_draw(atg_rng *rng, uint32_t most, plan *ret) {
    do {
        const struct kind *kind = draw_kind(rng);

        *ret = (plan){0};
        for (size_t i = 0; i < PLAN_MAX && kind->places[i].relation != END; i++)
            if (chance(rng, kind->places[i].present))
                add_person(rng, &kind->places[i], ret);
    } while (ret->n_missing > most);
}
