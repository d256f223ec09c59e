/* SPDX-License-Identifier: Apache-2.0 */
/* The tokens that a query asks for against those that a record has, without a database.  What a
 * record answers must be led to by its tokens, and what tokens say surely must be so. */
#ifndef ATG_TESTS_SEARCH_PLAN_H
#define ATG_TESTS_SEARCH_PLAN_H

#include <stdlib.h>
#include <string.h>

#include "store/tokens_internal.h"

typedef struct plan_verdict {
    bool read;     /* the query could be read and asks for something */
    bool answered; /* by looking at the record */
    bool found;    /* by tokens, perhaps */
    bool sure;     /* by tokens, surely */
} plan_verdict;

static inline bool plan_has(const token_set *set, int64_t token) {
    for (uint32_t i = 0; i < set->n; i++)
        if (set->tokens[i] == token)
            return true;
    return false;
}

static inline void plan_try_clause(const clause *c, const token_set *set, plan_verdict *v) {
    bool found = c->open, sure = false;

    for (uint32_t i = 0; i < c->n; i++)
        if (plan_has(set, c->tokens[i].token)) {
            found = true;
            sure |= c->tokens[i].sure && !c->open;
        }
    v->found &= found;
    v->sure &= sure;
}

/* ATG_ENOMEM, or what is found. */
static inline int plan_try(atg_arena *arena, const key256 *key, atg_str query, const record *r,
                           plan_verdict *ret) {
    token_set set = {.arena = arena};
    search_words *words = NULL;
    search_plan plan;
    uint64_t found = 0;
    search_scope all;
    int rc;

    memset(&all, 0xff, sizeof(all));
    rc = search_read(arena, query, &all, &words, NULL);

    *ret = (plan_verdict){0};
    if (rc == ATG_OK)
        rc = tokens_plan(arena, key, words, NULL, &plan, NULL);
    if (rc == ATG_EINVAL || rc == ATG_ELIMIT)
        return ATG_OK;
    if (rc == ATG_OK)
        rc = tokens_of_record(&set, key, r, NULL);
    if (rc == ATG_OK)
        rc = search_look(arena, words, r, &found, NULL);
    if (rc)
        return rc;
    tokens_sort(&set);
    *ret = (plan_verdict){true, search_answered(words, found), true, !plan.partial};
    for (uint32_t i = 0; i < plan.n; i++)
        plan_try_clause(&plan.clauses[i], &set, ret);
    return ATG_OK;
}

#endif
