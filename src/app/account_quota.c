/* SPDX-License-Identifier: Apache-2.0 */
/* How much one account may look at, search and take away in a time: what somebody with a stolen
 * session can reach is bounded, and what is unusual is noticed. */
#include "app/accounts_internal.h"

#include <stdio.h>

#include "base/clock.h"

static const int64_t hour_us = INT64_C(3600000000);

const char *const quota_names[QUOTAS] = {
    [QUOTA_LOOK] = "look",
    [QUOTA_SEARCH] = "search",
    [QUOTA_EXPORT] = "export",
};

static const struct {
    int64_t most, hours;
    const char *what;
} limits[QUOTAS] = {
    [QUOTA_LOOK] = {300, 1, "looks at sensitive data"},
    [QUOTA_SEARCH] = {600, 1, "searches and lists"},
    [QUOTA_EXPORT] = {20, 24, "exports"},
};

static int64_t period_of(quota_kind kind) {
    return clock_now() / (limits[kind].hours * hour_us);
}

static int used_up(quota_kind kind, int64_t most, atg_err *err) {
    int64_t length = limits[kind].hours * hour_us;
    int64_t wait = (length - clock_now() % length + 59999999) / 60000000;

    return atg_fail(err, ATG_ELIMIT,
                    "This account has used up its %lld %s %s; there are new ones in %lld minutes, "
                    "or an administrator allows more",
                    (long long)most, limits[kind].what,
                    limits[kind].hours == 1 ? "of this hour" : "of this day", (long long)wait);
}

int account_spend(db *d, const actor *who, quota_kind kind, int64_t n, int64_t *ret_left,
                  atg_err *err) {
    int64_t used = 0, most = 0;
    int rc;

    if (actor_is_matcher(who)) {
        if (ret_left)
            *ret_left = INT64_MAX;
        return ATG_OK;
    }
    rc = quotas_most(d, &who->account, quota_names[kind], limits[kind].most, &most, err);
    if (!rc)
        rc = quotas_use(d, &who->account, quota_names[kind], period_of(kind), n, &used, err);
    if (!rc && used > most)
        return used_up(kind, most, err);
    if (!rc && ret_left)
        *ret_left = most - used;
    return rc;
}

void account_foresee_spend(db *d, const actor *who, quota_kind kind) {
    if (!actor_is_matcher(who))
        quotas_foresee_most(d, &who->account, quota_names[kind]);
}

static int left_of(db *d, const actor *who, quota_kind kind, int64_t *ret_left, int64_t *ret_most,
                   atg_err *err) {
    int64_t used = 0, most = 0;
    int rc = quotas_most(d, &who->account, quota_names[kind], limits[kind].most, &most, err);

    if (!rc)
        rc = quotas_used(d, &who->account, quota_names[kind], period_of(kind), &used, err);
    if (rc)
        return rc;
    *ret_left = most > used ? most - used : 0;
    *ret_most = most;
    return ATG_OK;
}

int account_left(db *d, const actor *who, quota_kind kind, int64_t *ret_left, atg_err *err) {
    int64_t most;

    return left_of(d, who, kind, ret_left, &most, err);
}

typedef struct asking {
    const actor *who;
    quota_kind from, to;
    quota_state state;
} asking;

static int look(db *d, void *user, atg_err *err) {
    asking *w = user;
    int rc = ATG_OK;

    for (quota_kind k = w->from; k < w->to && !rc; k++)
        rc = left_of(d, w->who, k, &w->state.left[k], &w->state.most[k], err);
    return rc;
}

int account_quotas(cases *c, const actor *who, quota_state *ret, atg_err *err) {
    asking w = {.who = who, .from = QUOTA_LOOK, .to = QUOTAS};
    int rc = store_read(c->s, look, &w, err);

    if (!rc)
        *ret = w.state;
    return rc;
}

int account_quota_left(cases *c, const actor *who, quota_kind kind, int64_t *ret_left,
                       int64_t *ret_most, atg_err *err) {
    asking w = {.who = who, .from = kind, .to = kind + 1};
    int rc = store_read(c->s, look, &w, err);

    if (rc)
        return rc;
    *ret_left = w.state.left[kind];
    *ret_most = w.state.most[kind];
    return ATG_OK;
}

typedef struct allowing {
    cases *c;
    const actor *who;
    const uuid *account;
    quota_kind kind;
    int64_t most;
} allowing;

static int allow(db *d, void *user, atg_err *err) {
    allowing *a = user;
    uuid every = {{0}};
    char text[24];
    account_event e = {.action = "quota",
                       .account = a->account,
                       .key = {"kind", "most"},
                       .text = {atg_str_of(quota_names[a->kind])}};
    int rc = account_may(d, a->who, &every, err);

    if (!rc && uuid_cmp(a->account, &a->who->account) == 0)
        return atg_fail(err, ATG_EDENIED,
                        "Nobody sets their own limits: another administrator "
                        "does");
    if (!rc)
        rc = quotas_set(d, a->account, quota_names[a->kind], a->most, err);
    if (rc)
        return rc;
    (void)snprintf(text, sizeof(text), "%lld", (long long)a->most);
    e.text[1] = atg_str_of(text);
    return account_tell(a->c, d, a->who, &e, err);
}

int account_quota(cases *c, const actor *who, const uuid *account, quota_kind kind, int64_t most,
                  atg_err *err) {
    allowing a = {c, who, account, kind, most < 0 ? -1 : most};

    return store_write(c->s, allow, &a, err);
}
