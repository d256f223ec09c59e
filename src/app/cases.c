/* SPDX-License-Identifier: Apache-2.0 */
#include "app/cases_internal.h"

#include <stdio.h>
#include <string.h>

#include "app/rights.h"
#include "base/clock.h"
#include "base/mem.h"
#include "store/accounts.h"

enum { CHECKPOINT_SECONDS = 10, AFTER_MS = 1000, REASON_SHORTEST = 4 };

static const db_statement get_meta = {"get meta", "SELECT value FROM meta WHERE name = $1"};
static const db_statement put_meta = {"put meta", "INSERT INTO meta (name, value) VALUES ($1, $2)"};

static int read_meta(db *d, const char *name, void *ret, size_t room, size_t *ret_n, atg_err *err) {
    __attribute__((cleanup(db_rows_freep))) db_rows *rows = NULL;
    int rc = db_query(d, &get_meta, (db_value[]){db_text(atg_str_of(name))}, 1, &rows, err);

    if (rc)
        return rc;
    rc = db_next(rows, err);
    if (rc < 0)
        return rc;
    if (!rc)
        return atg_fail(err, ATG_ENOTFOUND, "The store does not say its '%s'", name);

    atg_str bytes = db_get_blob(rows, 0);

    if (bytes.n > room)
        return atg_fail(err, ATG_EDB, "The store's '%s' is too long", name);
    if (bytes.n)
        memcpy(ret, bytes.p, bytes.n);
    *ret_n = bytes.n;
    return ATG_OK;
}

static int write_meta(db *d, const char *name, const void *bytes, size_t n, atg_err *err) {
    return db_post(d, &put_meta, (db_value[]){db_text(atg_str_of(name)), db_blob(bytes, n)}, 2,
                   err);
}

/* ---- opening ---- */

typedef struct opening {
    cases *c;
    const cases_options *o;
} opening;

static bool valid_site(atg_str site) {
    if (site.n < 1 || site.n > SITE_MAX)
        return false;
    for (size_t i = 0; i < site.n; i++)
        if (!(site.p[i] >= 'A' && site.p[i] <= 'Z') && !(site.p[i] >= '0' && site.p[i] <= '9'))
            return false;
    return true;
}

static int read_facts(db *d, void *user, atg_err *err) {
    const opening *w = user;
    cases *c = w->c;
    KEY_AUTO key256 probe;
    size_t n;
    int rc = read_meta(d, "store", c->id.bytes, sizeof(c->id.bytes), &n, err);

    if (!rc && n != sizeof(c->id.bytes))
        return atg_fail(err, ATG_EDB, "The store's identifier is damaged");
    if (!rc)
        rc = read_meta(d, "site", c->site, SITE_MAX, &n, err);
    if (rc)
        return rc;
    c->site[n] = '\0';
    return keys_site(d, c->keys, SITE_SIGN, &probe, err);
}

static int write_facts(db *d, void *user, atg_err *err) {
    const opening *w = user;
    cases *c = w->c;
    size_t n;
    uuid id;

    /* another process may have been first */
    if (read_meta(d, "store", id.bytes, sizeof(id.bytes), &n, NULL) == ATG_OK)
        return ATG_OK;
    if (!valid_site(w->o->site))
        return atg_fail(err, ATG_EINVAL,
                        "A new store needs the prefix of its site: 1 to 8 letters A-Z and digits");

    int rc = uuid_new(&id, err);

    if (!rc)
        rc = keys_site_new(d, c->keys, err);
    if (!rc)
        rc = write_meta(d, "store", id.bytes, sizeof(id.bytes), err);
    if (!rc)
        rc = write_meta(d, "site", w->o->site.p, w->o->site.n, err);
    if (rc)
        return rc;
    return audit_append(d,
                        &(audit_event){.file = id,
                                       .at = clock_now(),
                                       .action = "create",
                                       .kind = "",
                                       .detail = ATG_STR("{}"),
                                       .first = true},
                        err);
}

/* Behind commits: what is new goes into the tree, and now and then the tree is signed. */
static int after_commits(db *d, void *user, atg_err *err) {
    cases *c = user;
    checkpoint last = {0};
    uint64_t n = 0;
    int64_t now = clock_now();
    int rc = audit_sequence(d, &n, err);

    if (rc)
        return rc;
    rc = audit_last_checkpoint(d, &last, NULL);
    if (rc && rc != ATG_ENOTFOUND)
        return atg_fail(err, rc, "The last checkpoint cannot be read");

    int64_t age = now - last.at;

    /* a clock that was set back must not keep the tree unsigned */
    if (!rc && !atomic_load(&c->closing) && age >= 0 && age < (int64_t)CHECKPOINT_SECONDS * 1000000)
        return ATG_OK;

    KEY_AUTO key256 seed;
    sign_pair pair;
    char origin[CHECKPOINT_ORIGIN + 1];

    rc = keys_site(d, c->keys, SITE_SIGN, &seed, err);
    if (rc)
        return rc;
    (void)snprintf(origin, sizeof(origin), "antigone/%s", c->site);
    sign_pair_of(&seed, &pair);
    rc = audit_checkpoint(d, &pair, origin, now, &last, err);
    sign_pair_wipe(&pair);
    return rc;
}

int cases_open(const cases_options *o, cases **ret, atg_err *err) {
    cases *c = mem_zero(1, sizeof(*c));
    opening w = {c, o};
    store_options so = {
        .directory = o->conninfo ? NULL : o->directory,
        .conninfo = o->conninfo,
        .create = o->create,
        .n_readers = o->n_readers,
        .migrations = record_migrations,
        .n_migrations = record_migrations_n,
        .after = after_commits,
        .after_user = c,
        .after_ms = AFTER_MS,
    };

    if (!c)
        return atg_fail(err, ATG_ENOMEM, "Out of memory opening the store");
    (void)snprintf(c->directory, sizeof(c->directory), "%s", o->directory ? o->directory : "");

    int rc = keyring_open(o->master, &c->keys, err);

    if (!rc)
        rc = store_open(&so, &c->s, err);
    if (!rc && o->create)
        rc = store_write(c->s, write_facts, &w, err);
    if (!rc)
        rc = store_read(c->s, read_facts, &w, err);
    if (rc) {
        /* a store that cannot be opened is left as it is */
        cases_close(c);
        return rc;
    }
    *ret = c;
    return ATG_OK;
}

void cases_close(cases *c) {
    if (!c)
        return;
    atomic_store(&c->closing, true);
    store_close(c->s);
    keyring_close(c->keys);
    mem_free(c);
}

bool cases_alive(cases *c) {
    return store_alive(c->s, NULL) == ATG_OK;
}

store *cases_store(cases *c) {
    return c->s;
}

keyring *cases_keys(cases *c) {
    return c->keys;
}

atg_str cases_site(const cases *c) {
    return atg_str_of(c->site);
}

const uuid *cases_id(const cases *c) {
    return &c->id;
}

const char *cases_directory(const cases *c) {
    return c->directory;
}

/* ---- what the other files need ---- */

_Static_assert((int)RIGHTS_CODE == (int)ACCOUNTS_CODE, "a second factor is one bit");

int cases_roles(db *d, const actor *who, const uuid *operation, uint32_t *ret, atg_err *err) {
    if (actor_is_matcher(who)) {
        *ret = RIGHTS_MATCHER;
        return ATG_OK;
    }
    return accounts_roles(d, &who->account, operation, ret, err);
}

bool cases_reason(const actor *who) {
    return atg_str_trim(who->reason).n >= REASON_SHORTEST;
}

uint64_t cases_changed(const record *before, const record *after) {
    uint64_t changed = 0;

    for (uint32_t f = 0; f < record_types[after->kind].n_fields; f++) {
        bool same =
            before ? value_eq(record_field(after->kind, f), &before->fields[f], &after->fields[f])
                   : !after->fields[f].known;

        changed |= same ? 0 : UINT64_C(1) << f;
    }
    return changed;
}
