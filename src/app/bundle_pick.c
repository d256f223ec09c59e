/* SPDX-License-Identifier: Apache-2.0 */
/* What of a file may go to whom. */
#include <string.h>

#include "app/bundle_internal.h"
#include "app/rights.h"
#include "app/rules.h"
#include "app/sites.h"
#include "base/clock.h"
#include "store/accounts.h"

enum { PAGE = 500, FIRST = 32, GRANTS = 16 << 20 };

const record_kind bundle_kinds[] = {RECORD_OPERATION, RECORD_BATCH, RECORD_FAMILY, RECORD_MISSING,
                                    RECORD_REMAINS};
const uint32_t bundle_kinds_n = sizeof(bundle_kinds) / sizeof(*bundle_kinds);

bool bundle_exchanged(record_kind kind, uint32_t field) {
    const field_type *f = record_field(kind, field);

    return !(f->never && f->class == CLASS_FINDING);
}

int bundle_right(db *d, const actor *who, const uuid *operation, atg_err *err) {
    uint32_t roles = 0;
    int rc = cases_roles(d, who, operation, &roles, err);

    if (rc == ATG_OK)
        rc = rights_action(roles, ACTION_BUNDLE, -1, -1, err);
    if (rc == ATG_OK && !cases_reason(who))
        rc = atg_fail(err, ATG_EDENIED, "Write the reason for this bundle");
    return rc;
}

typedef struct asking {
    const actor *who;
    atg_arena *arena;
} asking;

/* In some operation: which one it is of stands in the bundle. */
static int check_somewhere(db *d, void *user, atg_err *err) {
    const asking *a = user;
    account_roles *grants;
    uint32_t n, roles = 0;
    int rc = accounts_grants(d, a->arena, &a->who->account, &grants, &n, err);

    for (uint32_t i = 0; i < n && !rc; i++)
        roles |= grants[i].roles;
    return rc ? rc : rights_action(roles, ACTION_BUNDLE, -1, -1, err);
}

int bundles_check(cases *c, const actor *who, atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(GRANTS);
    asking a = {who, arena};

    return arena ? store_read(cases_store(c), check_somewhere, &a, err)
                 : atg_fail(err, ATG_ENOMEM, "Out of memory for a bundle");
}

/* ---- the receiver ---- */

static int own_agency(db *d, atg_arena *arena, const actor *who, atg_str *ret, atg_err *err) {
    account_row account;
    int rc = accounts_get(d, arena, &who->account, &account, err);

    return rc ? rc : agencies_name(d, arena, &account.agency, ret, err);
}

int bundle_receiver_get(db *d, atg_arena *arena, const actor *who, const bundle_wish *wish,
                        bundle_receiver *ret, atg_err *err) {
    bundle_receiver r = {.now = clock_now()};
    atg_str agency = {NULL, 0};
    int rc = bundle_right(d, who, &wish->operation, err);

    if (rc == ATG_OK)
        rc = peers_find(d, arena, wish->to, &r.peer, err);
    if (rc == ATG_OK)
        rc = peers_joined(d, &r.peer.id, &wish->operation, &r.joined, err);
    if (rc == ATG_OK)
        rc = own_agency(d, arena, who, &agency, err);
    if (rc)
        return rc;
    r.same_agency = atg_str_eq(agency, r.peer.agency);
    r.index = atg_str_eq(r.peer.kind, atg_str_of(site_kinds[SITE_CRIMINAL_INDEX]));
    if (r.joined && r.same_agency && !r.index)
        r.operation = wish->operation;
    *ret = r;
    return ATG_OK;
}

/* ---- one record ---- */

/* What the record itself says, or else what holds for the operation. */
static uint32_t scope_of(const record *r) {
    int f = record_field_of(r->kind, ATG_STR("scope"));

    return f >= 0 && r->fields[f].known ? r->fields[f].choice : SCOPE_OPERATION;
}

static bool scope_fits(const bundle_receiver *to, const record *r) {
    if (!to->joined)
        return !record_types[r->kind].described || scope_of(r) == SCOPE_SHARING_OPERATIONS;
    return scope_of(r) != SCOPE_AGENCY || to->same_agency;
}

static bool of_relatives(record_kind in, record_kind kind) {
    return in == RECORD_FAMILY || kind == RECORD_DONOR || kind == RECORD_INFORMANT ||
           kind == RECORD_NOTIFICATION || kind == RECORD_DISCLOSURE;
}

int bundle_consent(db *d, const bundle_receiver *to, record_kind kind, const uuid *id, bool *ret,
                   atg_err *err) {
    int rc = rules_may_leave(d, kind, id, to->peer.name, &to->operation, to->now, err);

    if (rc == ATG_EDENIED)
        rc = rules_may_leave(d, kind, id, to->peer.agency, &to->operation, to->now, err);
    *ret = rc == ATG_OK;
    return rc == ATG_EDENIED ? ATG_OK : rc;
}

int bundle_may_go(db *d, const bundle_receiver *to, record_kind in, const record *r, bool *ret,
                  atg_err *err) {
    *ret = false;
    if (!scope_fits(to, r) || (to->index && of_relatives(in, r->kind)))
        return ATG_OK;
    if (!to->joined && (r->kind == RECORD_NOTIFICATION || r->kind == RECORD_DISCLOSURE))
        return ATG_OK;
    return bundle_consent(d, to, r->kind, &r->id, ret, err);
}

/* ---- one file ---- */

static int no_memory(atg_err *err) {
    return atg_fail(err, ATG_ENOMEM, "Out of memory for a bundle");
}

static int keep(bundle_picked *p, record *r, atg_err *err) {
    if (p->n == p->room) {
        uint32_t room = p->room ? 2 * p->room : FIRST;
        bundle_record *more = ATG_GET(p->arena, bundle_record, room);

        if (!more)
            return no_memory(err);
        if (p->n)
            memcpy(more, p->records, p->n * sizeof(*more));
        p->records = more;
        p->room = room;
    }
    if (p->n == BUNDLE_RECORDS_MAX)
        return atg_fail(err, ATG_ELIMIT, "A file with more than %d records", BUNDLE_RECORDS_MAX);
    p->records[p->n++] = (bundle_record){.r = r};
    return ATG_OK;
}

static int consider(bundle_picked *p, db *d, const record_row *row, atg_err *err) {
    bool may = false;
    int rc;

    if (row->erased)
        return ATG_OK;
    rc = bundle_may_go(d, p->to, p->kind, row->r, &may, err);
    if (rc || !may) {
        p->withheld += rc == ATG_OK;
        return rc;
    }
    return keep(p, row->r, err);
}

static int read_kind(bundle_picked *p, db *d, record_kind kind, atg_err *err) {
    records_query q = {.kind = kind, .by = RECORDS_OF_FILE, .of = p->id, .limit = PAGE};
    uint32_t n;

    do {
        record_row *rows;
        int rc = records_list(d, cases_keys(p->c), p->arena, &q, &rows, &n, err);

        for (uint32_t i = 0; i < n && !rc; i++)
            rc = consider(p, d, &rows[i], err);
        if (rc)
            return rc;
        if (n)
            q.after = rows[n - 1].r->id;
    } while (n == PAGE);
    return ATG_OK;
}

static const value *hypothesis_of(const record *r) {
    int f = r->kind == RECORD_COMPARISON || r->kind == RECORD_DECISION || r->kind == RECORD_EVIDENCE
                ? record_field_of(r->kind, ATG_STR("hypothesis"))
                : -1;

    return f >= 0 && r->fields[f].known ? &r->fields[f] : NULL;
}

/* Did people conclude on it?  What a matcher computed is computed there again. */
static bool concluded(const bundle_picked *p, const uuid *hypothesis) {
    for (uint32_t i = 0; i < p->n; i++) {
        const record *r = p->records[i].r;
        const value *v = r->kind == RECORD_EVIDENCE ? NULL : hypothesis_of(r);

        if (v && uuid_cmp(&v->ref, hypothesis) == 0)
            return true;
    }
    return false;
}

static void drop_computed(bundle_picked *p) {
    uint32_t n = 0;

    for (uint32_t i = 0; i < p->n; i++) {
        const record *r = p->records[i].r;
        const value *v = r->kind == RECORD_EVIDENCE ? hypothesis_of(r) : NULL;

        if ((r->kind == RECORD_HYPOTHESIS && !concluded(p, &r->id)) ||
            (v && !concluded(p, &v->ref)))
            continue;
        p->records[n++] = p->records[i];
    }
    p->n = n;
}

static int read_versions(bundle_picked *p, db *d, atg_err *err) {
    p->named = ATG_GET(p->arena, bool, p->n + 1);
    if (!p->named)
        return no_memory(err);
    for (uint32_t i = 0; i < p->n; i++) {
        bundle_record *b = &p->records[i];
        version_row v = {.rev = 0};
        version_set earlier = {NULL, 0};
        int rc = versions_get(d, p->arena, &b->r->id, &v, err);

        if (rc && rc != ATG_ENOTFOUND)
            return rc;
        p->named[i] = rc == ATG_OK && v.rev == b->r->rev;
        b->version = v.id;
        earlier = v.earlier;
        if (!p->named[i] && rc == ATG_OK) {
            /* changed here since: what it was is an earlier version */
            rc = versions_join(p->arena, &v.earlier, &(version_set){NULL, 0}, &v.id, &earlier, err);
            if (rc)
                return rc;
        }
        b->earlier = earlier.ids;
        b->n_earlier = earlier.n;
    }
    return ATG_OK;
}

/* The whole chain, which must hold. */
static int read_chain(bundle_picked *p, db *d, atg_err *err) {
    chain_query q = {.file = p->id, .limit = BUNDLE_LINKS};
    chain c = chain_start(&p->id);
    uint64_t room = 0;
    uint32_t n;

    p->n_links = 0;
    do {
        chain_link *links;
        int rc = chain_links(d, p->arena, &q, &links, &n, err);

        if (rc)
            return rc;
        if (p->n_links + n > room) {
            chain_link *more = ATG_GET(p->arena, chain_link, room = 2 * (p->n_links + n));

            if (!more)
                return no_memory(err);
            if (p->n_links)
                memcpy(more, p->links, p->n_links * sizeof(*more));
            p->links = more;
        }
        for (uint32_t i = 0; i < n; i++) {
            if (chain_follow(&c, &links[i].e, &links[i].prev, &links[i].hash, err))
                return atg_fail(err, ATG_EDENIED,
                                "The history of a file is broken at entry %llu: verify the "
                                "history before anything leaves",
                                (unsigned long long)links[i].e.seq);
            p->links[p->n_links++] = links[i];
        }
        q.after = c.seq;
    } while (n == BUNDLE_LINKS);
    return ATG_OK;
}

int bundle_pick(db *d, void *user, atg_err *err) {
    bundle_picked *p = user;
    record_row own;
    file_row file;
    int rc = files_get(d, p->arena, &p->id, &file, err);

    p->n = p->room = 0;
    p->withheld = 0;
    p->n_links = 0;
    if (rc)
        return rc;
    p->kind = file.kind;
    rc = records_get(d, cases_keys(p->c), p->arena, file.kind, &p->id, &own, err);
    if (rc == ATG_OK)
        rc = consider(p, d, &own, err);
    if (rc || p->n == 0)
        return rc;
    for (uint32_t k = 0; k < RECORD_KINDS && !rc; k++)
        if (record_types[k].in >> file.kind & 1 && !record_types[k].stays)
            rc = read_kind(p, d, (record_kind)k, err);
    drop_computed(p);
    if (rc == ATG_OK)
        rc = read_versions(p, d, err);
    return rc ? rc : read_chain(p, d, err);
}
