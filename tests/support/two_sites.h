/* SPDX-License-Identifier: Apache-2.0 */
/* Sites that exchange bundles: the first on the database of the test, the others on the other kind
 * where it is installed, so that both directions are tested. */
#ifndef ATG_TESTS_TWO_SITES_H
#define ATG_TESTS_TWO_SITES_H

#include "made_cases.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/bundle.h"
#include "app/sites.h"
#include "server.h"
#include "store/blobs.h"

typedef struct place {
    cases *c;
    atg_arena *arena;
    database where;
    char prefix[8], name[40];
    actor all; /* every role, with a reason */
    actor interviewer, administrator;
    uuid operation;
} place;

static inline int place_accounts(db *d, void *user, atg_err *err) {
    place *p = user;
    uuid agency;
    int rc = uuid_new(&agency, err);

    p->all = p->interviewer = p->administrator = (actor){.reason = ATG_STR("sites exchange")};
    if (!rc)
        rc = agencies_insert(d, &agency, ATG_STR("Institute K1"), err);
    if (!rc)
        rc = made_account(d, "everybody", (1U << ROLES) - 1, &p->all.account, err);
    if (!rc)
        rc = made_account(d, "interviewer", 1U << ROLE_INTERVIEWER, &p->interviewer.account, err);
    if (!rc)
        rc = made_account(d, "administrator", 1U << ROLE_ADMINISTRATOR, &p->administrator.account,
                          err);
    p->all.name = ATG_STR("everybody");
    return rc;
}

static inline int place_rename_agency(db *d, void *user, atg_err *err) {
    static const db_statement rename = {"rename agency", "UPDATE agency SET name = $1"};
    const place *p = user;

    return db_run(d, &rename, (db_value[]){db_text(atg_str_of(p->name))}, 1, NULL, err);
}

static inline void place_reopen(place *p) {
    static const key256 masters[] = {{{7}}, {{8}}, {{9}}};
    cases_options o = {.directory = p->where.directory,
                       .conninfo = database_conninfo(&p->where),
                       .master = &masters[p->prefix[1] % 3],
                       .create = true,
                       .site = atg_str_of(p->prefix)};
    atg_err err = {0};

    made_ok(cases_open(&o, &p->c, &err), &err);
}

/* The first has number 1. */
static inline place place_new(const database *where, int number) {
    static unsigned made;
    place p = {.where = *where};
    atg_err err = {0};

    if (number > 1) {
        bool other = server_installed() && (number == 2) == !where->postgres;
        char name[32];

        snprintf(p.where.directory, sizeof(p.where.directory), "%.180s/site%d", where->directory,
                 number);
        assert_int_equal(mkdir(p.where.directory, 0700), 0);
        snprintf(name, sizeof(name), "sites_%u", made++);
        p.where.postgres = other && server_start(false) && server_make_database(name);
        snprintf(p.where.conninfo, sizeof(p.where.conninfo), "host=%s user=atg dbname=%s",
                 p.where.postgres ? server_socket() : "", name);
    }
    snprintf(p.prefix, sizeof(p.prefix), "K%d", number);
    snprintf(p.name, sizeof(p.name), "Institute K%d", number);
    p.arena = atg_arena_new(MADE_ARENA);
    assert_non_null(p.arena);
    place_reopen(&p);
    made_ok(store_write(cases_store(p.c), place_accounts, &p, &err), &err);
    made_ok(store_write(cases_store(p.c), place_rename_agency, &p, &err), &err);
    return p;
}

/* Whatever a test did, the history can be verified. */
static inline void place_close(place *p) {
    made_cases m = {.c = p->c};
    atg_err err = {0};

    made_ok(store_read(cases_store(p->c), made_verify, &m, &err), &err);
    cases_close(p->c);
    atg_arena_free(p->arena);
    if (p->where.postgres && strstr(p->where.conninfo, "dbname=sites_"))
        server_drop_database(strrchr(p->where.conninfo, '=') + 1);
}

/* `p` learns of `other`. */
static inline void place_meets(const place *p, const place *other, site_kind kind,
                               const uuid *operation) {
    char card[SITECARD_MAX], fingerprint[SITECARD_FINGERPRINT + 1];
    sitecard own;
    atg_err err = {0};
    new_site n = {.name = atg_str_of(other->name), .kind = kind, .agency = atg_str_of(other->name)};

    made_ok(sites_card(other->c, card, &err), &err);
    made_ok(sites_own(other->c, &own, &err), &err);
    sitecard_fingerprint(&own, fingerprint);
    n.card = atg_str_of(card);
    n.fingerprint = atg_str_of(fingerprint);
    made_ok(sites_add(p->c, &p->all, &n, &err), &err);
    if (operation)
        made_ok(sites_join(p->c, &p->all, n.name, operation, true, &err), &err);
}

/* ---- records ---- */

static inline int place_change(const place *p, change_kind what, record *r, atg_err *err) {
    change ch = {what, r};

    return cases_change(p->c, &p->all, p->arena, &ch, err);
}

static inline record *place_add(const place *p, record *r) {
    atg_err err = {0};

    made_ok(place_change(p, CHANGE_ADD, r, &err), &err);
    return r;
}

static inline record *place_record(const place *p, record_kind kind, const record *file) {
    record *r = record_new(p->arena, kind);

    assert_non_null(r);
    r->operation = p->operation;
    if (file)
        r->file = file->id;
    return r;
}

static inline void place_point(record *r, const char *name, const record *to) {
    int f = record_field_of(r->kind, atg_str_of(name));

    assert_true(f >= 0);
    r->fields[f] = (value){.known = true, .ref = to->id};
}

static inline void place_edit(const place *p, record *r, const char *name, const char *text) {
    atg_err err = {0};

    made_set(p->arena, r, name, text);
    made_ok(place_change(p, CHANGE_EDIT, r, &err), &err);
}

/* As everybody sees it. */
static inline int place_get(const place *p, record_kind kind, const uuid *id, seen *ret,
                            atg_err *err) {
    return cases_get(p->c, &p->all, p->arena, kind, id, ret, err);
}

static inline record *place_look(const place *p, const record *r) {
    seen s = {0};
    atg_err err = {0};

    made_ok(place_get(p, r->kind, &r->id, &s, &err), &err);
    assert_false(s.erased);
    return s.r;
}

static inline bool place_has(const place *p, const record *r) {
    seen s = {0};
    int rc = place_get(p, r->kind, &r->id, &s, NULL);

    assert_true(rc == ATG_OK || rc == ATG_ENOTFOUND);
    return rc == ATG_OK;
}

static inline const char *place_text(const place *p, const record *r, const char *name) {
    int f = record_field_of(r->kind, atg_str_of(name));
    const record *now = place_look(p, r);

    assert_true(f >= 0);
    return now->fields[f].known ? now->fields[f].text.p : "";
}

static inline void place_operation(place *p) {
    record *r = made_operation(p->arena, "Ferry accident");

    place_add(p, r);
    p->operation = r->id;
}

static inline record *place_missing(const place *p, const char *family, const char *given) {
    made_cases m = {.arena = p->arena, .operation = p->operation};

    return place_add(p, made_missing(&m, family, given));
}

static inline record *place_remains(const place *p, const char *tag) {
    made_cases m = {.arena = p->arena, .operation = p->operation};

    return place_add(p, made_remains(&m, tag));
}

static inline record *place_family(const place *p, const char *label) {
    record *r = place_record(p, RECORD_FAMILY, NULL);

    made_set(p->arena, r, "label", label);
    return place_add(p, r);
}

/* `recipients` names whom the donor agreed to, as JSON; NULL: this operation. */
static inline record *place_donor(const place *p, const record *family, const char *recipients) {
    record *r = place_record(p, RECORD_DONOR, family);

    made_set(p->arena, r, "label", "mother");
    made_set(p->arena, r, "name", "Solveig Hansen");
    made_set(p->arena, r, "uses", recipients ? "named_recipients" : "this_operation");
    if (recipients)
        made_set(p->arena, r, "recipients", recipients);
    made_set(p->arena, r, "agreed_on", "2026-01-02");
    made_set(p->arena, r, "ends_on", "2036-01-01");
    return place_add(p, r);
}

static inline record *place_sample(const place *p, const record *file, const record *donor) {
    record *r = place_record(p, RECORD_SAMPLE, file);

    made_set(p->arena, r, "what", donor ? "buccal" : "bone");
    made_set(p->arena, r, "taken_on", "2026-11-10");
    if (donor)
        place_point(r, "donor", donor);
    return place_add(p, r);
}

static inline record *place_profile(const place *p, const record *file, const record *donor,
                                    const char *genotypes) {
    record *r = place_record(p, RECORD_PROFILE, file);

    made_set(p->arena, r, "kind", "autosomal");
    made_set(p->arena, r, "genotypes", genotypes);
    if (donor)
        place_point(r, "donor", donor);
    return place_add(p, r);
}

static inline record *place_informant(const place *p, const record *file) {
    record *r = place_record(p, RECORD_INFORMANT, file);

    made_set(p->arena, r, "name", "Ida Berg");
    made_set(p->arena, r, "contact", "+47 22 00 00 00");
    return place_add(p, r);
}

static inline record *place_photograph(const place *p, const record *missing,
                                       const record *informant, atg_str picture) {
    record *r = place_record(p, RECORD_PHOTOGRAPH, missing);
    blobs b = {cases_store(p->c), cases_keys(p->c), cases_directory(p->c)};
    hash256 hash;
    atg_err err = {0};

    made_ok(blobs_put(&b, &p->operation, &missing->id, picture, &hash, &err), &err);
    made_set(p->arena, r, "what", "face");
    made_set(p->arena, r, "obtained", "2026-11-20");
    made_set(p->arena, r, "basis", "consent");
    place_point(r, "informant", informant);
    r->fields[PHOTOGRAPH_IMAGE].known = true;
    memcpy(r->fields[PHOTOGRAPH_IMAGE].hash, hash.bytes, RECORD_HASH);
    return place_add(p, r);
}

/* ---- bundles ---- */

static inline int place_make_for(const place *p, const place *to, const char *path, int64_t since,
                                 bundle_made *ret, atg_err *err) {
    bundle_wish w = {
        .operation = p->operation, .to = atg_str_of(to->name), .since = since, .path = path};

    return bundles_make(p->c, &p->all, &w, ret, err);
}

static inline bundle_made place_make(const place *p, const place *to, const char *path) {
    bundle_made made = {.mark = 0};
    atg_err err = {0};

    made_ok(place_make_for(p, to, path, BUNDLES_ALL, &made, &err), &err);
    return made;
}

static inline int place_try(const place *p, const char *path, bundle_opened *ret, atg_err *err) {
    bundle_order o = {.paths = &path, .n_paths = 1};

    return bundles_open(p->c, &p->all, p->arena, &o, ret, err);
}

static inline bundle_opened place_open(const place *p, const char *path) {
    bundle_opened opened = {.added = 0};
    atg_err err = {0};

    made_ok(place_try(p, path, &opened, &err), &err);
    for (uint64_t i = 0; i < opened.refused && i < BUNDLES_TOLD; i++)
        print_message("refused: %.*s\n", ATG_FMT(opened.told[i]));
    return opened;
}

/* One makes, the other opens, at once. */
static inline bundle_opened place_send(const place *from, const place *to) {
    static unsigned sent;
    char path[300];

    snprintf(path, sizeof(path), "%s/sent-%u", from->where.directory, sent++);
    place_make(from, to, path);
    return place_open(to, path);
}

#endif
