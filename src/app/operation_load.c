/* SPDX-License-Identifier: Apache-2.0 */
#include "app/operation_load.h"

#include <stdio.h>
#include <string.h>

#include "app/own_samples.h"
#include "base/json_read.h"
#include "base/map.h"
#include "base/mem.h"
#include "formats/opbuild.h"
#include "model/date.h"
#include "store/ids.h"
#include "store/records.h"

enum {
    PAGE = 500,
    PARTS_MAX = 16,       /* steps from a part to its body */
    PART_ARENA = 64 << 20 /* what one page of records may need */
};

static const int64_t day_us = INT64_C(86400) * 1000000;

typedef struct loading {
    db *d;
    keyring *keys;
    atg_arena *arena;
    const load_scope *scope;
    opbuild *b;
    own_samples *own;
    map *places; /* family (16 bytes) and member -> index in `who` */
    map *codes;  /* code of a missing person -> index in `who` */
    struct place {
        uuid file;
        atg_str code;
    } * who;
    uint32_t n_who, cap_who;
    id_list remains, families; /* in the order of the engine's own lists */
    int32_t today;             /* days since 1970 */
} loading;

static int no_memory(atg_err *err) {
    return atg_fail(err, ATG_ENOMEM, "Out of memory loading an operation");
}

/* Every record of a kind, a page at a time in memory of its own. */
typedef int each_fn(loading *l, atg_arena *page, const record_row *row, atg_err *err);

static int each(loading *l, record_kind kind, records_by by, const uuid *of, each_fn *fn,
                atg_err *err) {
    records_query q = {.kind = kind, .by = by, .of = *of, .limit = PAGE};
    uint32_t n;

    do {
        ATG_AUTO(atg_arena) page = atg_arena_new(PART_ARENA);
        record_row *rows;

        if (!page)
            return no_memory(err);

        int rc = records_list(l->d, l->keys, page, &q, &rows, &n, err);

        for (uint32_t i = 0; i < n && !rc; i++)
            if (!rows[i].r->withdrawn && !rows[i].erased)
                rc = fn(l, page, &rows[i], err);
        if (rc)
            return rc;
        if (n)
            q.after = rows[n - 1].r->id;
    } while (n == PAGE);
    return ATG_OK;
}

/* All records of a kind in one file. */
static int in_file(loading *l, atg_arena *page, record_kind kind, const uuid *file,
                   record_row **ret, uint32_t *ret_n, atg_err *err) {
    records_query q = {.kind = kind, .by = RECORDS_OF_FILE, .of = *file, .limit = PAGE};

    return records_list(l->d, l->keys, page, &q, ret, ret_n, err);
}

/* ---- the head ---- */

static void set_number(json_t *head, const char *key, const value *v) {
    if (v->known)
        (void)json_object_set_new(head, key, json_real(v->number));
}

static int make_head(loading *l, atg_str *ret, atg_err *err) {
    record_row row;
    int rc =
        records_get(l->d, l->keys, l->arena, RECORD_OPERATION, &l->scope->operation, &row, err);

    if (rc)
        return rc;

    const value *f = row.r->fields;
    json_auto_t *head = own_json(&f[OPERATION_DNA]);
    json_t *prior = own_json(&f[OPERATION_PRIOR]);

    if (!json_is_object(head)) {
        json_decref(prior);
        return atg_fail(err, ATG_ENOTFOUND,
                        "%.*s has no population, theta and markers yet: enter its field 'dna'",
                        ATG_FMT(row.r->code));
    }
    (void)json_object_set_new(head, "schema", json_string("antigone-operation/1"));
    (void)json_object_set_new(head, "name",
                              json_stringn(f[OPERATION_NAME].text.p, f[OPERATION_NAME].text.n));
    if (prior)
        (void)json_object_set_new(head, "prior", prior);
    set_number(head, "threshold", &f[OPERATION_THRESHOLD]);
    set_number(head, "min_log10_lr", &f[OPERATION_MIN_LOG10_LR]);

    char *text = json_dumps(head, JSON_COMPACT);

    *ret = text ? atg_arena_str(l->arena, atg_str_of(text)) : (atg_str){NULL, 0};
    mem_free(text);
    return ret->p ? ATG_OK : no_memory(err);
}

/* ---- who is missing where ---- */

static atg_str place_key(atg_arena *arena, const uuid *family, atg_str member) {
    char *p = atg_arena_get(arena, UUID_SIZE + member.n, 1);

    if (!p)
        return (atg_str){NULL, 0};
    memcpy(p, family->bytes, UUID_SIZE);
    if (member.n)
        memcpy(p + UUID_SIZE, member.p, member.n);
    return (atg_str){p, UUID_SIZE + member.n};
}

static bool is_sought(const record *r) {
    return r->state != MISSING_STATE_FOUND_ALIVE && r->state != MISSING_STATE_WITHDRAWN;
}

/* Whose report it is: a merged one is of the person of the file that it was merged into, and lends
 * its place where that has none.  `*ret` is NULL when it says nothing of its own. */
static int person_of(loading *l, atg_arena *page, const record *r, const record **ret,
                     atg_err *err) {
    const record *own = r;

    for (int i = 0; r->fields[MISSING_MERGED_INTO].known; i++) {
        record_row row;
        int rc = records_get(l->d, l->keys, page, RECORD_MISSING,
                             &r->fields[MISSING_MERGED_INTO].ref, &row, err);

        if (rc)
            return rc;
        if (i == PARTS_MAX)
            return atg_fail(err, ATG_EINVAL, "%.*s is merged into itself", ATG_FMT(own->code));
        r = row.r;
    }
    *ret = r != own && (r->fields[MISSING_FAMILY].known || !is_sought(r)) ? NULL : r;
    return ATG_OK;
}

/* Room for one more, behind those that there are. */
static struct place *next_place(loading *l) {
    if (l->n_who == l->cap_who) {
        uint32_t cap = l->cap_who ? 2 * l->cap_who : 64;
        struct place *more = ATG_GET(l->arena, struct place, cap);

        if (!more)
            return NULL;
        if (l->n_who)
            memcpy(more, l->who, l->n_who * sizeof(*more));
        l->who = more;
        l->cap_who = cap;
    }
    return &l->who[l->n_who];
}

static int put_place(loading *l, const record *person, atg_str key, atg_err *err) {
    struct place *p = next_place(l);
    int rc;

    if (!p || !key.p)
        return no_memory(err);
    *p = (struct place){.file = person->id, .code = atg_arena_str(l->arena, person->code)};
    rc = p->code.p ? map_add(l->codes, p->code, l->n_who) : ATG_ENOMEM;
    if (rc == ATG_ECONFLICT) /* two reports merged into one lend one place */
        return ATG_OK;
    if (!rc)
        rc = map_add(l->places, key, l->n_who);
    if (rc == ATG_ENOMEM)
        return no_memory(err);
    if (rc)
        return atg_fail(err, ATG_EINVAL,
                        "%.*s and %.*s are missing at the same place of one pedigree: merge them, "
                        "or correct one",
                        ATG_FMT(l->who[map_get(l->places, key)].code), ATG_FMT(p->code));
    l->n_who++;
    return ATG_OK;
}

static int take_missing(loading *l, atg_arena *page, const record_row *row, atg_err *err) {
    const record *r = row->r, *person = NULL;
    const value *family = &r->fields[MISSING_FAMILY], *member = &r->fields[MISSING_MEMBER];
    int rc = !family->known || !member->known || !is_sought(r)
                 ? ATG_OK
                 : person_of(l, page, r, &person, err);

    if (rc || !person)
        return rc;
    return put_place(l, person, place_key(l->arena, &family->ref, member->text), err);
}

static const char *sex_letter(const value *v) {
    if (!v->known || v->choice == SEX_UNKNOWN)
        return "U";
    return v->choice == SEX_MALE ? "M" : "F";
}

/* ---- remains ---- */

/* The code of the body that a part belongs to. */
static int body_of(loading *l, atg_arena *page, const record *r, atg_str *ret, atg_err *err) {
    *ret = r->code;
    for (int i = 0; r->fields[REMAINS_PART_OF].known; i++) {
        record_row row;
        int rc = records_get(l->d, l->keys, page, RECORD_REMAINS, &r->fields[REMAINS_PART_OF].ref,
                             &row, err);

        if (rc)
            return rc;
        if (i == PARTS_MAX)
            return atg_fail(err, ATG_EINVAL, "It is a part of itself");
        r = row.r;
        *ret = r->code;
    }
    return ATG_OK;
}

/* The profiles of one remains file. */
typedef struct remains_profiles {
    const record *file;
    atg_str body;
    const record_row *rows;
    uint32_t n;
} remains_profiles;

/* The sample that profile `first` is of, with all of its profiles. */
static int add_sample(loading *l, const remains_profiles *p, uint32_t first, uint32_t number,
                      atg_err *err) {
    const value *f = p->file->fields;
    char id[FILE_CODE_MAX + 12];
    json_auto_t *s = json_object();
    int rc = ATG_OK;

    (void)snprintf(id, sizeof(id), number ? "%.*s/%u" : "%.*s", ATG_FMT(p->file->code), number + 1);
    (void)json_object_set_new(s, "id", json_string(id));
    (void)json_object_set_new(s, "body", json_stringn(p->body.p, p->body.n));
    (void)json_object_set_new(s, "sex", json_string(sex_letter(&f[REMAINS_SEX])));
    if (f[REMAINS_WHAT].known && f[REMAINS_WHAT].choice)
        (void)json_object_set_new(s, "part", json_true());
    for (uint32_t i = first; i < p->n && !rc; i++) {
        const record *r = p->rows[i].r;

        if (!own_usable(&p->rows[i]) ||
            uuid_cmp(own_sample_id(r), own_sample_id(p->rows[first].r)) != 0)
            continue;
        rc = own_put_profile(s, r, err);
        if (r->fields[PROFILE_MIXTURE].known && r->fields[PROFILE_MIXTURE].flag)
            (void)json_object_set_new(s, "mixture", json_true());
    }
    if (!rc)
        rc = opbuild_remains(l->b, s, err);
    return rc ? rc : ids_push(l->arena, &l->remains, &p->file->id, err);
}

static int take_remains(loading *l, atg_arena *page, const record_row *row, atg_err *err) {
    remains_profiles p = {.file = row->r};
    record_row *rows;
    uint32_t number = 0;
    int rc = in_file(l, page, RECORD_PROFILE, &row->r->id, &rows, &p.n, err);

    if (rc || !p.n)
        return rc;
    p.rows = rows;
    rc = body_of(l, page, row->r, &p.body, err);
    for (uint32_t i = 0; i < p.n && !rc; i++)
        if (own_is_first(p.rows, i))
            rc = add_sample(l, &p, i, number++, err);
    return rc ? own_blame(row->r->code, err, rc) : ATG_OK;
}

/* ---- families ---- */

/* May this donor's profile be used today? */
static bool consents(const loading *l, const record_row *row) {
    const value *f = row->r->fields;
    date ends;

    if (!own_usable(row) || f[DONOR_WITHDRAWN_ON].known)
        return false;
    return !f[DONOR_ENDS_ON].known || date_read(f[DONOR_ENDS_ON].text, &ends, NULL) ||
           ends.to >= l->today;
}

static const record *donor_of(const loading *l, const record_row *donors, uint32_t n,
                              const record *profile) {
    for (uint32_t i = 0; i < n && profile->fields[PROFILE_DONOR].known; i++)
        if (uuid_cmp(&donors[i].r->id, &profile->fields[PROFILE_DONOR].ref) == 0)
            return consents(l, &donors[i]) ? donors[i].r : NULL;
    return NULL;
}

static json_t *member_of(json_t *members, atg_str label) {
    for (size_t i = 0; i < json_array_size(members); i++) {
        json_t *m = json_array_get(members, i);
        const char *id = json_string_value(json_object_get(m, "id"));

        if (id && atg_str_eq(atg_str_of(id), label))
            return m;
    }
    return NULL;
}

/* Whom a donor named as recipients: [{"name": ...}] becomes consents of the family. */
static int put_consents(json_t *family, const record *donor, atg_err *err) {
    const value *f = donor->fields;
    json_auto_t *named = own_json(&f[DONOR_RECIPIENTS]);
    json_t *consents = json_object_get(family, "consents");
    size_t i;
    json_t *one;

    if (!f[DONOR_USES].known || f[DONOR_USES].choice != DONOR_USE_NAMED_RECIPIENTS)
        return ATG_OK;
    json_array_foreach(named, i, one) {
        json_t *consent = json_object();
        date ends;

        if (!json_is_string(json_object_get(one, "name")))
            continue;
        (void)json_object_set_new(consent, "person",
                                  json_stringn(f[DONOR_LABEL].text.p, f[DONOR_LABEL].text.n));
        (void)json_object_set(consent, "recipient", json_object_get(one, "name"));
        if (f[DONOR_ENDS_ON].text.n == strlen("2026-12-31") &&
            !date_read(f[DONOR_ENDS_ON].text, &ends, NULL))
            (void)json_object_set_new(
                consent, "until", json_stringn(f[DONOR_ENDS_ON].text.p, f[DONOR_ENDS_ON].text.n));
        if (json_array_append_new(consents, consent))
            return no_memory(err);
    }
    return ATG_OK;
}

static int put_profiles(loading *l, atg_arena *page, const uuid *file, json_t *family,
                        atg_err *err) {
    json_t *members = json_object_get(family, "members");
    record_row *donors, *profiles;
    uint32_t n_donors, n;
    int rc = in_file(l, page, RECORD_PROFILE, file, &profiles, &n, err);

    if (rc || !n)
        return rc;
    rc = in_file(l, page, RECORD_DONOR, file, &donors, &n_donors, err);
    for (uint32_t i = 0; i < n && !rc; i++) {
        const record *donor =
            own_usable(&profiles[i]) ? donor_of(l, donors, n_donors, profiles[i].r) : NULL;
        json_t *m = donor ? member_of(members, donor->fields[DONOR_LABEL].text) : NULL;

        if (donor && !m)
            return atg_fail(err, ATG_EINVAL, "The donor \"%.*s\" has no place in the pedigree",
                            ATG_FMT(donor->fields[DONOR_LABEL].text));
        if (m)
            rc = own_put_profile(m, profiles[i].r, err);
    }
    for (uint32_t i = 0; i < n_donors && !rc; i++)
        if (consents(l, &donors[i]))
            rc = put_consents(family, donors[i].r, err);
    return rc;
}

/* This member is missing, and what is from that person. */
static int name_missing(loading *l, json_t *member, const struct place *p) {
    json_t *own = own_samples_of(l->own, &p->file);

    if (json_object_set_new(member, "missing", json_stringn(p->code.p, p->code.n)))
        return ATG_ENOMEM;
    return own && json_object_set(member, "own", own) ? ATG_ENOMEM : ATG_OK;
}

/* Who of the members is missing. */
static int put_missing(loading *l, atg_arena *page, const uuid *file, json_t *members,
                       atg_err *err) {
    for (size_t i = 0; i < json_array_size(members); i++) {
        json_t *m = json_array_get(members, i);
        const char *id = json_string_value(json_object_get(m, "id"));
        atg_str key = place_key(page, file, atg_str_of(id));
        int64_t at = key.p ? map_get(l->places, key) : -1;

        if (!key.p)
            return no_memory(err);
        (void)json_object_del(m, "missing");
        if (at >= 0 && name_missing(l, m, &l->who[at]))
            return no_memory(err);
    }
    return ATG_OK;
}

static int take_family(loading *l, atg_arena *page, const record_row *row, atg_err *err) {
    const record *r = row->r;
    json_t *members = own_json(&r->fields[FAMILY_PEDIGREE]);
    json_auto_t *family = json_object();
    int rc;

    if (!json_is_array(members)) {
        json_decref(members);
        return ATG_OK; /* nobody has drawn it yet */
    }
    (void)json_object_set_new(family, "id", json_stringn(r->code.p, r->code.n));
    (void)json_object_set_new(family, "members", members);
    (void)json_object_set_new(family, "consents", json_array());
    rc = put_missing(l, page, &r->id, members, err);
    if (!rc)
        rc = put_profiles(l, page, &r->id, family, err);
    if (!rc)
        rc = opbuild_family(l->b, family, err);
    if (!rc)
        rc = ids_push(l->arena, &l->families, &r->id, err);
    return rc ? own_blame(r->code, err, rc) : ATG_OK;
}

/* A missing person of whom nobody's relation is drawn, but something is there: a family of one. */
static int take_alone(loading *l, const own_person *p, atg_err *err) {
    static const char *const sexes[] = {
        [ATG_SEX_UNKNOWN] = "U", [ATG_SEX_MALE] = "M", [ATG_SEX_FEMALE] = "F"};
    struct place *who = next_place(l);
    json_auto_t *family = NULL;
    int rc = who ? map_add(l->codes, p->code, l->n_who) : ATG_ENOMEM;

    if (rc && rc != ATG_ECONFLICT)
        return no_memory(err);
    if (!rc) {
        *who = (struct place){p->file, p->code};
        l->n_who++;
    }
    family = json_pack("{s:s%, s:[{s:s%, s:s, s:s%, s:O}]}", "id", p->code.p, p->code.n, "members",
                       "id", p->code.p, p->code.n, "sex", sexes[p->sex], "missing", p->code.p,
                       p->code.n, "own", p->list);
    rc = family ? opbuild_family(l->b, family, err) : no_memory(err);
    if (!rc)
        rc = ids_push(l->arena, &l->families, uuid_none(&p->family) ? &p->file : &p->family, err);
    return rc ? own_blame(p->code, err, rc) : ATG_OK;
}

/* Those whose own samples no family took. */
static int take_left(loading *l, atg_err *err) {
    uint32_t n;
    const own_person *all = own_samples_list(l->own, &n);
    int rc = ATG_OK;

    for (uint32_t i = 0; i < n && !rc; i++)
        if (!all[i].taken && json_array_size(all[i].list))
            rc = take_alone(l, &all[i], err);
    return rc;
}

static int take_staff(loading *l, atg_arena *page, const record_row *row, atg_err *err) {
    const record *r = row->r;
    json_t *genotypes = own_json(&r->fields[STAFF_PROFILE_GENOTYPES]);
    json_auto_t *s = json_object();
    int rc;

    (void)page;
    (void)json_object_set_new(s, "id", json_stringn(r->code.p, r->code.n));
    (void)json_object_set_new(s, "genotypes", genotypes ? genotypes : json_object());
    rc = opbuild_staff(l->b, s, err);
    return rc ? own_blame(r->code, err, rc) : ATG_OK;
}

/* ---- all together ---- */

static const db_statement missing_of_family = {
    "missing of family", "SELECT id FROM r_missing WHERE family = $1 ORDER BY id"};

/* The missing persons of the one family. */
static int take_missing_of(loading *l, atg_arena *page, atg_err *err) {
    id_list found = {0};
    int rc = ids_find_of(l->d, &missing_of_family, l->scope->only, page, &found, err);

    for (uint32_t i = 0; i < found.n && !rc; i++) {
        record_row row;

        rc = records_get(l->d, l->keys, page, RECORD_MISSING, &found.p[i], &row, err);
        if (!rc && own_usable(&row))
            rc = take_missing(l, page, &row, err);
        if (!rc)
            rc = own_samples_add(l->own, &found.p[i], err);
    }
    for (uint32_t i = 0; i < l->n_who && !rc; i++) /* a merged report lends a place */
        rc = own_samples_add(l->own, &l->who[i].file, err);
    return rc;
}

static int take_only(loading *l, atg_err *err) {
    ATG_AUTO(atg_arena) page = atg_arena_new(PART_ARENA);
    const uuid *only = l->scope->only;
    record_row row;
    file_row file;

    if (!page)
        return no_memory(err);

    int rc = files_get(l->d, page, only, &file, err);

    if (rc)
        return rc;
    if (file.kind == RECORD_MISSING) { /* who has no place in a family */
        rc = own_samples_add(l->own, only, err);
        return rc ? rc : take_left(l, err);
    }
    if (file.kind != RECORD_FAMILY && file.kind != RECORD_REMAINS)
        return atg_fail(err, ATG_EINVAL, "%.*s is no remains, family or missing person",
                        ATG_FMT(file.code));
    rc = records_get(l->d, l->keys, page, file.kind, only, &row, err);
    if (rc || !own_usable(&row))
        return rc;
    if (file.kind == RECORD_REMAINS)
        return take_remains(l, page, &row, err);
    rc = take_missing_of(l, page, err);
    if (!rc)
        rc = take_family(l, page, &row, err);
    return rc ? rc : take_left(l, err);
}

static int take_all(loading *l, atg_err *err) {
    static const struct {
        record_kind kind;
        each_fn *fn;
    } steps[] = {{RECORD_MISSING, take_missing},
                 {RECORD_REMAINS, take_remains},
                 {RECORD_FAMILY, take_family},
                 {RECORD_STAFF_PROFILE, take_staff}};
    int rc = own_samples_all(l->own, &l->scope->operation, err);

    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps) && !rc; i++)
        rc = each(l, steps[i].kind, RECORDS_OF_OPERATION, &l->scope->operation, steps[i].fn, err);
    return rc ? rc : take_left(l, err);
}

/* The files of the missing persons, in the order that the engine gave them. */
static int link_missing(const loading *l, loaded *ret, atg_err *err) {
    ret->missing = ATG_GET(l->arena, uuid, ret->op.n_missing + 1);
    if (!ret->missing)
        return no_memory(err);
    for (uint32_t i = 0; i < ret->op.n_missing; i++) {
        int64_t at = map_get(l->codes, ret->op.missing[i].id);

        if (at >= 0)
            ret->missing[i] = l->who[at].file;
    }
    return ATG_OK;
}

static int load(loading *l, atg_notes *notes, loaded *ret, atg_err *err) {
    int rc = l->scope->head.n ? ATG_OK : make_head(l, &ret->head, err);

    if (l->scope->head.n)
        ret->head = l->scope->head;
    if (!rc)
        rc = opbuild_open(l->arena, ret->head, notes, &l->b, err);
    if (!rc)
        rc = l->scope->only ? take_only(l, err) : take_all(l, err);
    if (!rc)
        rc = opbuild_finish(l->b, &ret->op, err);
    if (rc)
        return rc;
    ret->alleles = opbuild_alleles(l->b);
    ret->remains = l->remains.p;
    ret->families = l->families.p;
    return link_missing(l, ret, err);
}

int operation_head(const atg_operation *op, atg_arena *arena, atg_str *ret, atg_err *err) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(64 << 20);
    atg_operation bare = *op;
    atg_str text, kept;

    if (!buf)
        return no_memory(err);
    bare.n_samples = bare.n_families = bare.n_missing = bare.n_staff = 0;
    bare.params.prior.given = NULL;

    int rc = atg_operation_write_json(&bare, NULL, buf, err);

    if (!rc)
        rc = atg_buf_take(buf, &text, err);
    if (rc)
        return rc;
    kept = atg_arena_str(arena, text);
    if (!kept.p)
        return no_memory(err);
    *ret = kept;
    return ATG_OK;
}

int operation_load(db *d, keyring *keys, atg_arena *arena, const load_scope *which,
                   atg_notes *notes, loaded *ret, atg_err *err) {
    loading l = {.d = d,
                 .keys = keys,
                 .arena = arena,
                 .scope = which,
                 .places = map_new(),
                 .codes = map_new(),
                 .today = (int32_t)(which->today / day_us)};
    loaded out = {0};
    size_t refused = mem_refused();
    int rc = l.places && l.codes ? own_samples_new(d, keys, arena, &l.own, err) : no_memory(err);

    if (!rc)
        rc = load(&l, notes, &out, err);
    /* jansson swallows it, and a profile would lack a marker */
    if (!rc && mem_refused() != refused)
        rc = no_memory(err);
    opbuild_close(l.b);
    own_samples_free(l.own);
    map_free(l.places);
    map_free(l.codes);
    if (!rc && !which->head.n)
        rc = operation_head(&out.op, arena, &out.head, err);
    if (!rc)
        *ret = out;
    return rc;
}
