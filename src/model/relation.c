/* SPDX-License-Identifier: Apache-2.0 */
#include "model/relation.h"

#include <string.h>

enum { UNREACHED = 0xff, FAR = 1000 };

/* By generations up from `of` to the closest common ancestor, then down to `who`; by sex of `who`:
 * unknown, male, female. */
static const struct {
    uint8_t up, down;
    const char *word[3];
} words[] = {
    {1, 0, {"parent", "father", "mother"}},
    {0, 1, {"child", "son", "daughter"}},
    {2, 0, {"grandparent", "grandfather", "grandmother"}},
    {0, 2, {"grandchild", "grandson", "granddaughter"}},
    {3, 0, {"great-grandparent", "great-grandfather", "great-grandmother"}},
    {0, 3, {"great-grandchild", "great-grandson", "great-granddaughter"}},
    {1, 1, {"sibling", "brother", "sister"}},
    {2, 1, {"aunt or uncle", "uncle", "aunt"}},
    {1, 2, {"niece or nephew", "nephew", "niece"}},
    {3, 1, {"great-aunt or uncle", "great-uncle", "great-aunt"}},
    {1, 3, {"great-niece or nephew", "great-nephew", "great-niece"}},
    {2, 2, {"cousin", "cousin", "cousin"}},
    {3, 2, {"parent's cousin", "parent's cousin", "parent's cousin"}},
    {2, 3, {"cousin's child", "cousin's son", "cousin's daughter"}},
    {3, 3, {"second cousin", "second cousin", "second cousin"}},
};

/* Generations from `from` up to each ancestor, the shortest way. */
static void climb(const atg_pedigree *ped, uint32_t from, uint8_t up[ATG_PEDIGREE_MAX]) {
    memset(up, UNREACHED, ATG_PEDIGREE_MAX);
    up[from] = 0;
    for (bool more = true; more;) {
        more = false;
        for (uint32_t i = 0; i < ped->n; i++)
            for (int side = 0; side < 2 && up[i] < UNREACHED - 1; side++) {
                int32_t p = side ? ped->persons[i].mother : ped->persons[i].father;

                if (p < 0 || up[p] <= up[i] + 1)
                    continue;
                up[p] = (uint8_t)(up[i] + 1);
                more = true;
            }
    }
}

static const char *sibling_word(const atg_person *a, const atg_person *b, atg_sex sex) {
    static const char *const half[] = {"half-sibling", "half-brother", "half-sister"};

    if (a->father == b->father && a->mother == b->mother)
        return NULL;
    return half[sex];
}

static bool have_a_child(const atg_pedigree *ped, int32_t a, int32_t b) {
    for (uint32_t i = 0; i < ped->n; i++) {
        const atg_person *p = &ped->persons[i];

        if ((p->father == a && p->mother == b) || (p->father == b && p->mother == a))
            return true;
    }
    return false;
}

/* Blood relatives of somebody with whom one has a child are in-laws. */
static const char *other_word(const atg_pedigree *ped, uint32_t of, uint32_t who,
                              const uint8_t theirs[ATG_PEDIGREE_MAX]) {
    uint8_t partners[ATG_PEDIGREE_MAX];

    if (have_a_child(ped, (int32_t)of, (int32_t)who))
        return "partner";
    for (uint32_t i = 0; i < ped->n; i++) {
        if (!have_a_child(ped, (int32_t)of, (int32_t)i))
            continue;
        climb(ped, i, partners);
        for (uint32_t k = 0; k < ped->n; k++)
            if (partners[k] != UNREACHED && theirs[k] != UNREACHED)
                return "in-law";
    }
    return "unrelated";
}

const char *relation_word(const atg_pedigree *ped, uint32_t of, uint32_t who) {
    uint8_t mine[ATG_PEDIGREE_MAX], theirs[ATG_PEDIGREE_MAX];
    uint32_t up = 0, down = 0, best = FAR;
    atg_sex sex = ped->persons[who].sex;
    const char *half = NULL;

    if (of == who)
        return "self";
    climb(ped, of, mine);
    climb(ped, who, theirs);
    for (uint32_t i = 0; i < ped->n; i++) {
        if (mine[i] == UNREACHED || theirs[i] == UNREACHED || mine[i] + theirs[i] >= (int)best)
            continue;
        up = mine[i];
        down = theirs[i];
        best = up + down;
    }
    if (best == FAR)
        return other_word(ped, of, who, theirs);
    if (up == 1 && down == 1)
        half = sibling_word(&ped->persons[of], &ped->persons[who], sex);
    if (half)
        return half;
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (words[i].up == up && words[i].down == down)
            return words[i].word[sex];
    return "relative";
}
