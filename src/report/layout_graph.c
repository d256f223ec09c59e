/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "report/layout.h"

enum {
    NODES_MAX = 2048,
    WORDS = (ATG_PEDIGREE_MAX + 63) / 64,
};

typedef struct couple {
    int32_t father, mother;
} couple;

/* Generations: `group` joins persons who stand in one row. */
typedef struct builder {
    atg_arena *arena;
    const atg_pedigree *ped;
    uint32_t n_couples;
    couple *couples;
    int32_t *couple_of; /* per person: its parents; -1 */
    uint32_t group[ATG_PEDIGREE_MAX], row[ATG_PEDIGREE_MAX];
    uint64_t ancestors[ATG_PEDIGREE_MAX][WORDS]; /* and oneself */
    uint32_t n_nodes, n_unions;
    uint32_t nodes_cap, unions_cap;
    layout_node *nodes;
    layout_union *unions;
} builder;

static void find_couples(builder *b) {
    for (uint32_t i = 0; i < b->ped->n; i++) {
        const atg_person *p = &b->ped->persons[i];
        uint32_t c = 0;

        b->couple_of[i] = -1;
        if (p->father < 0)
            continue;
        while (c < b->n_couples &&
               (b->couples[c].father != p->father || b->couples[c].mother != p->mother))
            c++;
        if (c == b->n_couples)
            b->couples[b->n_couples++] = (couple){p->father, p->mother};
        b->couple_of[i] = (int32_t)c;
    }
}

static bool join(uint64_t *into, const uint64_t *from) {
    uint64_t news = 0;

    for (int w = 0; w < WORDS; w++) {
        news |= from[w] & ~into[w];
        into[w] |= from[w];
    }
    return news != 0;
}

static void find_ancestors(builder *b) {
    for (uint32_t i = 0; i < b->ped->n; i++)
        b->ancestors[i][i / 64] |= UINT64_C(1) << (i % 64);
    for (bool more = true; more;) {
        more = false;
        for (uint32_t i = 0; i < b->ped->n; i++) {
            const atg_person *p = &b->ped->persons[i];

            if (p->father < 0)
                continue;
            more = join(b->ancestors[i], b->ancestors[p->father]) || more;
            more = join(b->ancestors[i], b->ancestors[p->mother]) || more;
        }
    }
}

static bool of_one_blood(const builder *b, couple c) {
    uint64_t common = 0;

    for (int w = 0; w < WORDS; w++)
        common |= b->ancestors[c.father][w] & b->ancestors[c.mother][w];
    return common != 0;
}

/* Rows by the longest way down; false when the groups contain a cycle. */
static bool find_rows(builder *b) {
    uint32_t row[ATG_PEDIGREE_MAX] = {0};
    bool more = true;

    for (uint32_t round = 0; more && round <= b->ped->n; round++) {
        more = false;
        for (uint32_t i = 0; i < b->ped->n; i++) {
            const atg_person *p = &b->ped->persons[i];

            if (p->father < 0)
                continue;

            uint32_t f = row[b->group[p->father]], m = row[b->group[p->mother]];
            uint32_t least = (f > m ? f : m) + 1;

            if (row[b->group[i]] < least) {
                row[b->group[i]] = least;
                more = true;
            }
        }
    }
    if (more)
        return false;
    for (uint32_t i = 0; i < b->ped->n; i++)
        b->row[i] = row[b->group[i]];
    return true;
}

/* Couples stand in one row wherever that contradicts nothing. */
static void join_couples(builder *b) {
    uint32_t before[ATG_PEDIGREE_MAX];

    for (uint32_t i = 0; i < b->ped->n; i++)
        b->group[i] = i;
    (void)find_rows(b);
    for (uint32_t c = 0; c < b->n_couples; c++) {
        uint32_t from = b->group[b->couples[c].mother], to = b->group[b->couples[c].father];

        memcpy(before, b->group, sizeof(before));
        for (uint32_t i = 0; i < b->ped->n; i++)
            if (b->group[i] == from)
                b->group[i] = to;
        if (!find_rows(b))
            memcpy(b->group, before, sizeof(before));
    }
    (void)find_rows(b);
}

/* Groups of founders only move down to just above their first child. */
static void lower_founders(builder *b) {
    bool has_parents[ATG_PEDIGREE_MAX] = {false};
    uint32_t first_child[ATG_PEDIGREE_MAX];

    memset(first_child, 0xff, sizeof(first_child));
    for (uint32_t i = 0; i < b->ped->n; i++) {
        const atg_person *p = &b->ped->persons[i];

        if (p->father < 0)
            continue;
        has_parents[b->group[i]] = true;
        for (int side = 0; side < 2; side++) {
            uint32_t g = b->group[side ? p->mother : p->father];

            if (b->row[i] < first_child[g])
                first_child[g] = b->row[i];
        }
    }
    for (uint32_t i = 0; i < b->ped->n; i++) {
        uint32_t g = b->group[i];

        if (!has_parents[g] && first_child[g] != UINT32_MAX)
            b->row[i] = first_child[g] - 1;
    }
}

/* Close the rows that nobody stands in; returns their number. */
static uint32_t close_rows(builder *b) {
    uint32_t number[ATG_PEDIGREE_MAX + 1] = {0}, n = 0;
    bool used[ATG_PEDIGREE_MAX + 1] = {false};

    for (uint32_t i = 0; i < b->ped->n; i++)
        used[b->row[i]] = true;
    for (uint32_t r = 0; r <= ATG_PEDIGREE_MAX; r++) {
        number[r] = n;
        n += used[r];
    }
    for (uint32_t i = 0; i < b->ped->n; i++)
        b->row[i] = number[b->row[i]];
    return n;
}

/* The passing lines between a row and a deeper one. */
static uint32_t rows_between(uint32_t from, uint32_t to) {
    return to > from + 1 ? to - from - 1 : 0;
}

static int room_for_nodes(builder *b, atg_err *err) {
    uint32_t passing = 0;

    for (uint32_t i = 0; i < b->ped->n && passing < NODES_MAX; i++) {
        if (b->couple_of[i] < 0)
            continue;

        couple c = b->couples[b->couple_of[i]];
        uint32_t f = b->row[c.father], m = b->row[c.mother];

        passing += rows_between(f > m ? f : m, b->row[i]);
    }
    for (uint32_t c = 0; c < b->n_couples && passing < NODES_MAX; c++) {
        uint32_t f = b->row[b->couples[c].father], m = b->row[b->couples[c].mother];

        passing += f > m ? f - m : m - f;
    }
    b->nodes_cap = b->ped->n + passing;
    b->unions_cap = b->n_couples + passing;
    if (b->nodes_cap > NODES_MAX)
        return atg_fail(err, ATG_ELIMIT, "This pedigree is too entangled to be drawn");
    b->nodes = ATG_GET(b->arena, layout_node, (size_t)b->nodes_cap + 1);
    b->unions = ATG_GET(b->arena, layout_union, (size_t)b->unions_cap + 1);
    if (!b->nodes || !b->unions)
        return atg_fail(err, ATG_ENOMEM, "Out of memory drawing a pedigree");
    return ATG_OK;
}

/* A line from union `from` down to `row`: the union below which the rest hangs. */
static uint32_t pass(builder *b, uint32_t from, uint32_t row) {
    const layout_union *above = &b->unions[from];
    uint32_t node = b->n_nodes++, next = b->n_unions++;

    b->nodes[node] = (layout_node){.person = -1, .parents = (int32_t)from, .row = row};
    b->unions[next] = (layout_union){
        .mates = {(int32_t)node, -1}, .related = above->related, .mating = above->mating};
    return next;
}

/* The mate as a node of `row`: himself, or the end of a line that reaches down to it. */
static int32_t mate_in_row(builder *b, int32_t person, uint32_t row, bool related) {
    if (b->row[person] == row)
        return person;

    uint32_t at = b->n_unions++;

    b->unions[at] = (layout_union){.mates = {person, -1}, .related = related, .mating = true};
    for (uint32_t r = b->row[person] + 1; r < row; r++)
        at = pass(b, at, r);
    b->nodes[b->n_nodes] = (layout_node){.person = -1, .parents = (int32_t)at, .row = row};
    return (int32_t)b->n_nodes++;
}

static void make_unions(builder *b) {
    for (uint32_t c = 0; c < b->n_couples; c++) {
        couple who = b->couples[c];
        uint32_t f = b->row[who.father], m = b->row[who.mother], row = f > m ? f : m;
        bool related = of_one_blood(b, who);
        int32_t father = mate_in_row(b, who.father, row, related);
        int32_t mother = mate_in_row(b, who.mother, row, related);
        uint32_t own = b->n_unions++;

        b->unions[own] = (layout_union){.mates = {father, mother}, .related = related};
        for (uint32_t i = 0; i < b->ped->n; i++) {
            uint32_t at = own;

            if (b->couple_of[i] != (int32_t)c)
                continue;
            for (uint32_t r = row + 1; r < b->row[i]; r++)
                at = pass(b, at, r);
            b->nodes[i].parents = (int32_t)at;
        }
    }
}

static int list_children(builder *b, atg_err *err) {
    uint32_t *children = ATG_GET(b->arena, uint32_t, (size_t)b->n_nodes + 1);

    if (!children)
        return atg_fail(err, ATG_ENOMEM, "Out of memory drawing a pedigree");
    for (uint32_t u = 0; u < b->n_unions; u++) {
        b->unions[u].children = children;
        for (uint32_t i = 0; i < b->n_nodes; i++)
            if (b->nodes[i].parents == (int32_t)u)
                children[b->unions[u].n_children++] = i;
        children += b->unions[u].n_children;
    }
    return ATG_OK;
}

static int nodes_and_unions(builder *b, layout *ret, atg_err *err) {
    uint32_t n_rows = close_rows(b);
    int rc = room_for_nodes(b, err);

    if (rc)
        return rc;
    for (uint32_t i = 0; i < b->ped->n; i++)
        b->nodes[i] = (layout_node){.person = (int32_t)i, .parents = -1, .row = b->row[i]};
    b->n_nodes = b->ped->n;
    make_unions(b);
    rc = list_children(b, err);
    if (rc)
        return rc;
    *ret = (layout){.n_nodes = b->n_nodes,
                    .n_unions = b->n_unions,
                    .n_rows = n_rows,
                    .nodes = b->nodes,
                    .unions = b->unions};
    return ATG_OK;
}

int layout_graph(atg_arena *arena, const atg_pedigree *ped, layout *ret, atg_err *err) {
    builder *b;
    int rc = atg_pedigree_check(ped, err);

    if (rc)
        return rc;
    b = ATG_GET(arena, builder, 1);
    if (b) {
        b->arena = arena;
        b->ped = ped;
        b->couples = ATG_GET(arena, couple, (size_t)ped->n + 1);
        b->couple_of = ATG_GET(arena, int32_t, (size_t)ped->n + 1);
    }
    if (!b || !b->couples || !b->couple_of)
        return atg_fail(err, ATG_ENOMEM, "Out of memory drawing a pedigree");
    find_couples(b);
    find_ancestors(b);
    join_couples(b);
    lower_founders(b);
    return nodes_and_unions(b, ret, err);
}
