/* SPDX-License-Identifier: Apache-2.0 */
/* How often somebody may guess.  Tries that fail are counted by name and origin, by name over all
 * origins that are not known to it, and by origin over all names; a place from which somebody was
 * let in before is counted by itself, so that nobody's guesses elsewhere keep its owner out
 * (docs/accounts.md, 3). */
#include "app/accounts_internal.h"

static const int64_t second_us = 1000000, day_us = INT64_C(86400000000);

/* After `free` failures each one more doubles the wait, from a second to `cap`; one failure is
 * forgiven every `heal`. */
typedef struct patience {
    int64_t free, cap, heal;
} patience;

static const patience of_known = {5, 30, 600}, of_pair = {5, 900, 900}, of_many = {50, 60, 60};

enum { FORGET_DAYS = 30, KNOWN_DAYS = 90 };

int account_origin_of(cases *c, db *d, atg_str name, atg_str origin, account_origin *ret,
                      atg_err *err) {
    KEY_AUTO key256 key = {{0}};
    hasher h;
    int rc = keys_site(d, c->keys, SITE_CODES, &key, err);

    if (rc)
        return rc;
    hash_begin(&h, "antigone/login-name/1", &key);
    hash_bytes(&h, name);
    ret->name = hash_end(&h);
    hash_begin(&h, "antigone/login-origin/1", &key);
    hash_bytes(&h, origin);
    ret->origin = hash_end(&h);
    ret->known = false;
    return ATG_OK;
}

/* What of the failures is not forgiven yet.  A clock that was set back forgives nothing. */
static int64_t standing(const login_try *t, const patience *p, int64_t now) {
    int64_t healed = now > t->last ? (now - t->last) / (p->heal * second_us) : 0;

    return t->failures > healed ? t->failures - healed : 0;
}

/* Until when it is too early; an instant that has come: it is not.  Where the clock was set back
 * nobody waits for the future: the next try is counted anew. */
static int64_t until(const login_try *t, const patience *p, int64_t now) {
    int64_t over = standing(t, p, now) - p->free;
    int64_t wait = over <= 0 ? 0 : over > 20 ? p->cap : INT64_C(1) << (over - 1);

    return t->last > now ? now : t->last + (wait < p->cap ? wait : p->cap) * second_us;
}

static int too_early(int64_t when, int64_t now, atg_err *err) {
    return atg_fail(err, ATG_EDENIED,
                    "Too many tries to log in failed: wait %lld seconds, then try again",
                    (long long)((when - now + second_us - 1) / second_us));
}

static int count(db *d, login_try *t, const patience *p, int64_t now, atg_err *err) {
    t->failures = standing(t, p, now) + 1;
    t->last = now;
    return logins_put(d, t, err);
}

int account_try(db *d, account_origin *o, int64_t now, atg_err *err) {
    hash256 all = {{0}};
    login_try pair, by_name, by_origin;
    int64_t when;
    int rc = logins_get(d, &o->name, &o->origin, &pair, err);

    if (rc)
        return rc;
    o->known = pair.known > now - KNOWN_DAYS * day_us;
    when = until(&pair, o->known ? &of_known : &of_pair, now);
    if (o->known)
        return when > now ? too_early(when, now, err) : count(d, &pair, &of_known, now, err);
    rc = logins_get(d, &o->name, &all, &by_name, err);
    if (!rc)
        rc = logins_get(d, &all, &o->origin, &by_origin, err);
    if (rc)
        return rc;
    if (until(&by_name, &of_many, now) > when)
        when = until(&by_name, &of_many, now);
    if (until(&by_origin, &of_many, now) > when)
        when = until(&by_origin, &of_many, now);
    if (when > now)
        return too_early(when, now, err);
    rc = count(d, &pair, &of_pair, now, err);
    if (!rc)
        rc = count(d, &by_name, &of_many, now, err);
    return rc ? rc : count(d, &by_origin, &of_many, now, err);
}

/* One failure less: the try that was counted before it was made. */
static int forgive(db *d, const hash256 *name, const hash256 *origin, atg_err *err) {
    login_try t;
    int rc = logins_get(d, name, origin, &t, err);

    if (rc || !t.failures)
        return rc;
    t.failures--;
    return logins_put(d, &t, err);
}

int account_tried(db *d, const account_origin *o, int64_t now, atg_err *err) {
    hash256 all = {{0}};
    login_try t = {.name = o->name, .origin = o->origin, .last = now, .known = now};
    int rc = logins_put(d, &t, err);

    if (!rc && !o->known)
        rc = forgive(d, &o->name, &all, err);
    if (!rc && !o->known)
        rc = forgive(d, &all, &o->origin, err);
    return rc ? rc : logins_forget(d, now - FORGET_DAYS * day_us, err);
}
