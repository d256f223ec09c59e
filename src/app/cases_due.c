/* SPDX-License-Identifier: Apache-2.0 */
/* Rule 8: what a donor or staff agreed to ends, and then their data go. */
#include "app/cases_internal.h"

#include "app/rules.h"
#include "base/clock.h"

enum { DUE_ARENA = 64 << 20 };

typedef struct ending {
    atg_arena *arena;
    const uuid *operation;
    uuid *persons;
    uint32_t n;
} ending;

static int find_due(db *d, void *user, atg_err *err) {
    ending *w = user;

    return rules_due(d, w->arena, w->operation, clock_now(), &w->persons, &w->n, err);
}

int cases_erase_due(cases *c, const actor *who, const uuid *operation, uint32_t *ret_n,
                    atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(DUE_ARENA);
    ending w = {.arena = arena, .operation = operation};
    actor because = *who;
    int rc = arena ? store_read(c->s, find_due, &w, err)
                   : atg_fail(err, ATG_ENOMEM, "Out of memory looking for what is to be erased");

    if (!cases_reason(&because))
        because.reason = ATG_STR("they withdrew, or the time that they agreed to is over");
    for (uint32_t i = 0; i < w.n && !rc; i++) {
        rc = cases_erase(c, &because, &w.persons[i], err);
        if (!rc)
            ++*ret_n;
    }
    return rc;
}
