/* SPDX-License-Identifier: Apache-2.0 */
#include "app/sites.h"

#include <string.h>

#include "app/cases_internal.h"
#include "app/rights.h"
#include "base/clock.h"
#include "base/json.h"

enum { EVENT = 4096, ARENA = 1 << 20 };

const char *const site_kinds[SITE_KINDS + 1] = {
    "site", "laboratory", "missing_persons_bureau", "tracing_agency", "criminal_index", NULL};

/* ---- our own card ---- */

typedef struct own_keys {
    cases *c;
    sitecard card;
    sign_pair pair;
} own_keys;

static int read_own(db *d, void *user, atg_err *err) {
    own_keys *o = user;
    KEY_AUTO key256 sign = {{0}}, box = {{0}};
    box_pair pair;
    int rc = keys_site(d, cases_keys(o->c), SITE_SIGN, &sign, err);

    if (rc == ATG_OK)
        rc = keys_site(d, cases_keys(o->c), SITE_BOX, &box, err);
    if (rc)
        return rc;
    sign_pair_of(&sign, &o->pair);
    box_pair_of(&box, &pair);
    o->card = (sitecard){.store = *cases_id(o->c), .sign = o->pair.pub, .box = pair.pub};
    memcpy(o->card.site, cases_site(o->c).p, cases_site(o->c).n);
    box_pair_wipe(&pair);
    return ATG_OK;
}

int sites_own(cases *c, sitecard *ret, atg_err *err) {
    own_keys o = {.c = c};
    int rc = store_read(cases_store(c), read_own, &o, err);

    sign_pair_wipe(&o.pair);
    if (rc == ATG_OK)
        *ret = o.card;
    return rc;
}

int sites_card(cases *c, char ret[SITECARD_MAX], atg_err *err) {
    own_keys o = {.c = c};
    int rc = store_read(cases_store(c), read_own, &o, err);

    if (rc == ATG_OK)
        sitecard_write(&o.card, &o.pair, ret);
    sign_pair_wipe(&o.pair);
    return rc;
}

void sites_fingerprint(const peer_row *p, char ret[SITECARD_FINGERPRINT + 1]) {
    sitecard c = {.store = p->id, .sign = p->sign, .box = p->box};
    size_t n = p->site.n < SITECARD_SITE ? p->site.n : SITECARD_SITE;

    memcpy(c.site, p->site.p, n);
    sitecard_fingerprint(&c, ret);
}

/* ---- adding, removing, joining ---- */

typedef struct changing {
    cases *c;
    const actor *who;
    const new_site *n;
    sitecard card;
    atg_str name;
    const uuid *operation;
    bool on;
    atg_arena *arena;
} changing;

static int check_right(db *d, const changing *w, action a, atg_err *err) {
    static const uuid everywhere;
    uint32_t roles = 0;
    int rc = cases_roles(d, w->who, w->operation ? w->operation : &everywhere, &roles, err);

    if (rc == ATG_OK)
        rc = rights_action(roles, a, -1, -1, err);
    if (rc == ATG_OK && !cases_reason(w->who))
        rc = atg_fail(err, ATG_EDENIED, "Write the reason for this change");
    return rc;
}

static void put_text(json *j, const char *key, atg_str text) {
    json_key(j, key);
    json_str(j, text);
}

/* In the chain of the operation, or of the store. */
static int tell(db *d, const changing *w, const char *done, const peer_row *p, atg_err *err) {
    char fingerprint[SITECARD_FINGERPRINT + 1];
    ATG_AUTO(atg_buf) buf = atg_buf_new(EVENT);
    atg_str detail;
    int rc;

    if (!buf)
        return atg_fail(err, ATG_ENOMEM, "Out of memory writing the history");
    json j = json_new(buf);

    sites_fingerprint(p, fingerprint);
    json_object_line(&j);
    put_text(&j, "agency", p->agency);
    put_text(&j, "fingerprint", atg_str_of(fingerprint));
    put_text(&j, "kind", p->kind);
    put_text(&j, "name", p->name);
    put_text(&j, "reason", w->who->reason);
    put_text(&j, "site", p->site);
    json_end(&j, '}');
    rc = atg_buf_take(buf, &detail, err);
    return rc ? rc
              : audit_append(d,
                             &(audit_event){.file = w->operation ? *w->operation : *cases_id(w->c),
                                            .at = clock_now(),
                                            .account = w->who->account,
                                            .action = done,
                                            .kind = "",
                                            .record = p->id,
                                            .detail = atg_str_trim(detail)},
                             err);
}

/* ATG_ECONFLICT: it is known, or another one has its name. */
static int check_unknown(db *d, const changing *w, atg_err *err) {
    peer_row p;
    int rc = peers_get(d, w->arena, &w->card.store, &p, NULL);

    if (rc == ATG_ENOTFOUND)
        rc = peers_of_key(d, w->arena, &w->card.sign, &p, NULL);
    if (rc == ATG_OK)
        return atg_fail(err, ATG_ECONFLICT,
                        "This site is known already, as \"%.*s\": forget it first to know it by "
                        "another card, name or agency",
                        ATG_FMT(p.name));
    if (rc == ATG_ENOTFOUND)
        rc = peers_find(d, w->arena, w->n->name, &p, err);
    if (rc == ATG_OK)
        return atg_fail(err, ATG_ECONFLICT, "Another site has this name: choose one of its own");
    return rc == ATG_ENOTFOUND ? ATG_OK : rc;
}

static int add(db *d, void *user, atg_err *err) {
    const changing *w = user;
    peer_row p = {.id = w->card.store,
                  .name = w->n->name,
                  .site = atg_str_of(w->card.site),
                  .kind = atg_str_of(site_kinds[w->n->kind]),
                  .agency = w->n->agency,
                  .sign = w->card.sign,
                  .box = w->card.box,
                  .added = clock_now(),
                  .account = w->who->account,
                  .checkpoint = ATG_STR("")};
    int rc = check_right(d, w, ACTION_KEYS, err);

    if (rc == ATG_OK)
        rc = check_unknown(d, w, err);
    if (rc == ATG_OK)
        rc = peers_insert(d, &p, err);
    return rc ? rc : tell(d, w, "site-add", &p, err);
}

static int check_text(atg_str text, const char *what, atg_err *err) {
    if (atg_str_trim(text).n == 0 || atg_str_trim(text).n != text.n || text.n > SITES_NAME ||
        memchr(text.p, '\n', text.n))
        return atg_fail(err, ATG_EINVAL, "The %s of a site is a text of 1 to %d bytes on one line",
                        what, (int)SITES_NAME);
    return ATG_OK;
}

static int check_new(cases *c, const new_site *n, sitecard *ret, atg_err *err) {
    sitecard own;
    int rc = check_text(n->name, "name", err);

    if (rc == ATG_OK)
        rc = check_text(n->agency, "agency", err);
    if (rc == ATG_OK)
        rc = sitecard_read(n->card, ret, err);
    if (rc == ATG_OK)
        rc = sites_own(c, &own, err);
    if (rc)
        return rc;
    if (!sitecard_is(ret, n->fingerprint))
        return atg_fail(err, ATG_EDENIED,
                        "This is not the fingerprint of the card: compare it again with the people "
                        "of that site, and do not use the card when it stays different");
    if (uuid_cmp(&ret->store, &own.store) == 0)
        return atg_fail(err, ATG_EINVAL, "This is the card of this site itself");
    if (strcmp(ret->site, own.site) == 0)
        return atg_fail(err, ATG_ECONFLICT,
                        "That site makes codes with the same prefix, %s: one of the two needs a "
                        "store with another",
                        own.site);
    return ATG_OK;
}

static int find(db *d, changing *w, peer_row *ret, atg_err *err) {
    return peers_find(d, w->arena, w->name, ret, err);
}

static int drop(db *d, void *user, atg_err *err) {
    changing *w = user;
    peer_row p = {.added = 0};
    int rc = check_right(d, w, ACTION_KEYS, err);

    if (rc == ATG_OK)
        rc = find(d, w, &p, err);
    if (rc == ATG_OK)
        rc = peers_delete(d, &p.id, err);
    return rc ? rc : tell(d, w, "site-remove", &p, err);
}

static int join(db *d, void *user, atg_err *err) {
    changing *w = user;
    peer_row p = {.added = 0};
    int rc = check_right(d, w, ACTION_BUNDLE, err);

    if (rc == ATG_OK)
        rc = find(d, w, &p, err);
    if (rc == ATG_OK)
        rc = peers_join(d, &p.id, w->operation, w->on, err);
    return rc ? rc : tell(d, w, w->on ? "site-join" : "site-leave", &p, err);
}

static int change_named(changing *w, store_fn *fn, atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);

    if (!arena)
        return atg_fail(err, ATG_ENOMEM, "Out of memory reading the known sites");
    w->arena = arena;
    return store_write(cases_store(w->c), fn, w, err);
}

int sites_add(cases *c, const actor *who, const new_site *n, atg_err *err) {
    changing w = {.c = c, .who = who, .n = n};
    int rc = check_new(c, n, &w.card, err);

    return rc ? rc : change_named(&w, add, err);
}

int sites_remove(cases *c, const actor *who, atg_str name, atg_err *err) {
    changing w = {.c = c, .who = who, .name = name};

    return change_named(&w, drop, err);
}

int sites_join(cases *c, const actor *who, atg_str name, const uuid *operation, bool on,
               atg_err *err) {
    changing w = {.c = c, .who = who, .name = name, .operation = operation, .on = on};

    return change_named(&w, join, err);
}

/* ---- all ---- */

typedef struct listing {
    atg_arena *arena;
    peer_row *all;
    uint32_t n;
} listing;

static int list(db *d, void *user, atg_err *err) {
    listing *w = user;

    return peers_list(d, w->arena, &w->all, &w->n, err);
}

int sites_list(cases *c, atg_arena *arena, peer_row **ret, uint32_t *ret_n, atg_err *err) {
    listing w = {.arena = arena};
    int rc = store_read(cases_store(c), list, &w, err);

    if (rc == ATG_OK) {
        *ret = w.all;
        *ret_n = w.n;
    }
    return rc;
}
