/* SPDX-License-Identifier: Apache-2.0 */
#include "app/own_samples.h"

#include <stdio.h>
#include <string.h>

#include "base/map.h"
#include "store/files.h"
#include "store/ids.h"

enum { MERGES_MAX = 16, PROFILES_MAX = 500 };

static const db_statement with_profiles = {
    "own missing", "SELECT m.id FROM r_missing m WHERE m.operation = $1 AND EXISTS (SELECT 1 FROM "
                   "r_profile p WHERE p.file = m.id) ORDER BY m.id"};
static const db_statement merged_into = {
    "own merged", "SELECT id FROM r_missing WHERE merged_into = $1 ORDER BY id"};

struct own_samples {
    db *d;
    keyring *keys;
    atg_arena *arena;
    map *places; /* file of a person -> index in persons */
    map *read;   /* files that were read */
    own_person *persons;
    uint32_t n, cap;
};

static int no_memory(atg_err *err) {
    return atg_fail(err, ATG_ENOMEM, "Out of memory loading own samples");
}

/* ---- profiles ---- */

json_t *own_json(const value *v) {
    return v->known ? json_loadb(v->text.p, v->text.n, JSON_REJECT_DUPLICATES, NULL) : NULL;
}

bool own_usable(const record_row *row) {
    return !row->r->withdrawn && !row->erased;
}

const uuid *own_sample_id(const record *r) {
    return r->fields[PROFILE_SAMPLE].known ? &r->fields[PROFILE_SAMPLE].ref : &r->id;
}

static bool same_sample(const record_row *a, const record_row *b) {
    return uuid_cmp(own_sample_id(a->r), own_sample_id(b->r)) == 0;
}

bool own_is_first(const record_row *profiles, uint32_t i) {
    if (!own_usable(&profiles[i]))
        return false;
    for (uint32_t k = 0; k < i; k++)
        if (own_usable(&profiles[k]) && same_sample(&profiles[k], &profiles[i]))
            return false;
    return true;
}

static void set_share(json_t *to, const char *key, const value *v) {
    if (v->known && v->number > 0)
        (void)json_object_set_new(to, key, json_real(v->number));
}

int own_put_profile(json_t *to, const record *r, atg_err *err) {
    const value *f = r->fields;
    json_auto_t *said = own_json(&f[PROFILE_GENOTYPES]);
    json_t *all = json_object_get(to, "genotypes");

    if (!json_is_object(said))
        return atg_fail(err, ATG_EPARSE, "The genotypes of a profile are not a JSON object");
    set_share(to, "dropout", &f[PROFILE_DROPOUT]);
    set_share(to, "dropin", &f[PROFILE_DROPIN]);
    if ((int)f[PROFILE_KIND].choice ==
        record_word(record_field(RECORD_PROFILE, PROFILE_KIND)->choices, ATG_STR("mtdna")))
        return json_object_set(to, "mt", said) ? no_memory(err) : ATG_OK;
    if (!all)
        return json_object_set(to, "genotypes", said) ? no_memory(err) : ATG_OK;
    return json_object_update(all, said) ? no_memory(err) : ATG_OK;
}

int own_blame(atg_str code, atg_err *err, int rc) {
    char msg[sizeof(err->msg)];

    if (!err || rc == ATG_ENOMEM)
        return rc;
    memcpy(msg, err->msg, sizeof(msg));
    (void)snprintf(err->msg, sizeof(err->msg), "%.*s: %.340s", ATG_FMT(code), msg);
    return rc;
}

/* ---- persons ---- */

void own_samples_free(own_samples *o) {
    for (uint32_t i = 0; o && i < o->n; i++)
        json_decref(o->persons[i].list);
    if (o) {
        map_free(o->places);
        map_free(o->read);
    }
}

int own_samples_new(db *d, keyring *keys, atg_arena *arena, own_samples **ret, atg_err *err) {
    own_samples *o = ATG_GET(arena, own_samples, 1);

    if (!o)
        return no_memory(err);
    *o =
        (own_samples){.d = d, .keys = keys, .arena = arena, .places = map_new(), .read = map_new()};
    if (!o->places || !o->read) {
        own_samples_free(o);
        return no_memory(err);
    }
    *ret = o;
    return ATG_OK;
}

static atg_str key_of(const uuid *id) {
    return (atg_str){(const char *)id->bytes, UUID_SIZE};
}

static bool is_sought(const record_row *row) {
    return own_usable(row) && row->r->state != MISSING_STATE_FOUND_ALIVE &&
           row->r->state != MISSING_STATE_WITHDRAWN;
}

/* Whose report it is; NULL: nobody's who is sought. */
static int person_of(const own_samples *o, const uuid *file, record_row *ret, bool *sought,
                     atg_err *err) {
    uuid id = *file;

    *sought = false;
    for (int i = 0; i <= MERGES_MAX; i++) {
        int rc = records_get(o->d, o->keys, o->arena, RECORD_MISSING, &id, ret, err);

        if (rc || !own_usable(ret))
            return rc;
        if (!ret->r->fields[MISSING_MERGED_INTO].known) {
            *sought = is_sought(ret);
            return ATG_OK;
        }
        id = ret->r->fields[MISSING_MERGED_INTO].ref;
    }
    return atg_fail(err, ATG_EINVAL, "%.*s is merged into itself", ATG_FMT(ret->r->code));
}

static atg_sex sex_of(const record *r) {
    const value *v = &r->fields[MISSING_SEX];

    if (!v->known || v->choice == SEX_UNKNOWN)
        return ATG_SEX_UNKNOWN;
    return v->choice == SEX_MALE ? ATG_SEX_MALE : ATG_SEX_FEMALE;
}

static int grow(own_samples *o, atg_err *err) {
    uint32_t cap = o->cap ? 2 * o->cap : 64;
    own_person *more = ATG_GET(o->arena, own_person, cap);

    if (!more)
        return no_memory(err);
    if (o->n)
        memcpy(more, o->persons, o->n * sizeof(*more));
    o->persons = more;
    o->cap = cap;
    return ATG_OK;
}

/* The person's place in the list, made at the first time. */
static int place_of(own_samples *o, const record *r, own_person **ret, atg_err *err) {
    int64_t at = map_get(o->places, key_of(&r->id));
    int rc = at < 0 && o->n == o->cap ? grow(o, err) : ATG_OK;
    own_person *p;

    if (rc)
        return rc;
    if (at >= 0) {
        *ret = &o->persons[at];
        return ATG_OK;
    }
    p = &o->persons[o->n];
    *p = (own_person){.file = r->id,
                      .code = atg_arena_str(o->arena, r->code),
                      .sex = sex_of(r),
                      .list = json_array()};
    if (r->fields[MISSING_FAMILY].known)
        p->family = r->fields[MISSING_FAMILY].ref;
    o->n++; /* its list is freed with the others */
    if (!p->code.p || !p->list || map_add(o->places, key_of(&p->file), o->n - 1))
        return no_memory(err);
    *ret = p;
    return ATG_OK;
}

/* ---- reading ---- */

/* The sample that profile `first` is of, with all of its profiles; a mixture is left out. */
static int add_sample(own_person *p, const record_row *rows, uint32_t n, uint32_t first,
                      atg_err *err) {
    char id[FILE_CODE_MAX + 12];
    json_auto_t *s = json_object();
    int rc = ATG_OK;

    (void)snprintf(id, sizeof(id), "%.*s/%zu", ATG_FMT(p->code), json_array_size(p->list) + 1);
    (void)json_object_set_new(s, "id", json_string(id));
    for (uint32_t i = first; i < n && !rc; i++) {
        const value *mixture = &rows[i].r->fields[PROFILE_MIXTURE];

        if (!own_usable(&rows[i]) || !same_sample(&rows[i], &rows[first]))
            continue;
        if (mixture->known && mixture->flag)
            return ATG_OK;
        rc = own_put_profile(s, rows[i].r, err);
    }
    if (!rc && json_array_append(p->list, s))
        rc = no_memory(err);
    return rc;
}

/* ATG_ECONFLICT: it was read before. */
static int mark_read(own_samples *o, const uuid *file, atg_err *err) {
    atg_str key = atg_arena_str(o->arena, key_of(file));
    int rc = key.p ? map_add(o->read, key, 0) : ATG_ENOMEM;

    return rc == ATG_ENOMEM ? no_memory(err) : rc;
}

static int add_file(own_samples *o, const uuid *file, atg_err *err) {
    records_query q = {
        .kind = RECORD_PROFILE, .by = RECORDS_OF_FILE, .of = *file, .limit = PROFILES_MAX};
    record_row person, *rows;
    own_person *p = NULL;
    bool sought = false;
    uint32_t n;
    int rc = mark_read(o, file, err);

    if (!rc)
        rc = person_of(o, file, &person, &sought, err);
    if (rc || !sought)
        return rc == ATG_ECONFLICT ? ATG_OK : rc;
    rc = records_list(o->d, o->keys, o->arena, &q, &rows, &n, err);
    if (!rc && n)
        rc = place_of(o, person.r, &p, err);
    for (uint32_t i = 0; i < n && !rc; i++)
        if (own_is_first(rows, i))
            rc = add_sample(p, rows, n, i, err);
    return rc ? own_blame(person.r->code, err, rc) : ATG_OK;
}

int own_samples_all(own_samples *o, const uuid *operation, atg_err *err) {
    id_list list = {0};
    int rc = ids_find_of(o->d, &with_profiles, operation, o->arena, &list, err);

    for (uint32_t i = 0; i < list.n && !rc; i++)
        rc = add_file(o, &list.p[i], err);
    return rc;
}

int own_samples_add(own_samples *o, const uuid *missing, atg_err *err) {
    id_list list = {0};
    int rc = ids_push(o->arena, &list, missing, err);

    for (uint32_t i = 0; i < list.n && i < PROFILES_MAX && !rc; i++) {
        uuid of = list.p[i];

        rc = add_file(o, &of, err);
        if (!rc)
            rc = ids_find_of(o->d, &merged_into, &of, o->arena, &list, err);
    }
    return rc;
}

json_t *own_samples_of(own_samples *o, const uuid *missing) {
    int64_t at = map_get(o->places, key_of(missing));

    if (at < 0)
        return NULL;
    o->persons[at].taken = true;
    return o->persons[at].list;
}

const own_person *own_samples_list(const own_samples *o, uint32_t *ret_n) {
    *ret_n = o->n;
    return o->persons;
}
