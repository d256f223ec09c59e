/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/opjson.h"

/* Fail at a member of the value in hand with what another module found. */
static int fail_key(jin *j, const char *key, const atg_err *e) {
    jin_key(j, key);

    int rc = opjson_fail(j, e);

    jin_up(j);
    return rc;
}

static int read_id(opjson *o, const json_t *v) {
    jin *j = &o->j;
    atg_str id = ATG_STR("");
    atg_sex sex = ATG_SEX_UNKNOWN;
    atg_err e;
    int rc = jin_is_object(j, v);

    if (!rc)
        rc = jin_get_id(j, v, "id", JIN_REQUIRED, &id);
    if (!rc)
        rc = jin_keep(j, &id);
    if (!rc)
        rc = jin_get_sex(j, v, "sex", &sex);
    if (!rc && family_draft_add(&o->family, id, sex, &e))
        rc = fail_key(j, "id", &e);
    return rc;
}

static int read_parents(opjson *o, const json_t *v, uint32_t i) {
    static const char *const keys[] = {"father", "mother"};
    jin *j = &o->j;
    atg_err e;

    for (int k = 0; k < 2; k++) {
        atg_str id = ATG_STR("");
        int rc = jin_get_id(j, v, keys[k], JIN_OPTIONAL, &id);

        if (rc)
            return rc;
        if (id.n && family_draft_parent(&o->family, i, (family_parent)k, id, &e))
            return fail_key(j, keys[k], &e);
    }
    return family_draft_complete(&o->family, i, j->notes, &e) ? opjson_fail(j, &e) : ATG_OK;
}

static int refuse_owns(jin *j, const json_t *v) {
    const json_t *own = json_object_get(v, "own");

    if (!own || json_is_null(own))
        return ATG_OK;
    return jin_fail_key(j, "own", ATG_EINVAL,
                        "Only a missing person has own samples; enter what was typed of anybody "
                        "else as \"genotypes\"");
}

/* Who is missing gets no genotypes but own samples; who is not, the reverse. */
static int read_missing(opjson *o, const json_t *v, uint32_t i, uint32_t family) {
    jin *j = &o->j;
    atg_person *p = &o->family.persons[i];
    atg_str id = ATG_STR("");
    int rc = jin_get_id(j, v, "missing", JIN_OPTIONAL, &id);

    if (rc || id.n == 0)
        return rc ? rc : refuse_owns(j, v);
    if (p->genos || p->mt.n_ranges)
        return jin_fail_key(j, p->genos ? "genotypes" : "mt", ATG_EINVAL,
                            "The missing person \"%.*s\" has %s; enter what is from that person "
                            "before as \"own\": [{\"id\": ..., \"genotypes\": ...}]",
                            ATG_FMT(id), p->genos ? "genotypes" : "mtDNA");
    rc = opjson_owns(o, v, p->sex, &p->n_own, &p->own);
    if (rc)
        return rc;

    atg_missing *m = opjson_push(j->arena, &o->missing, sizeof(*m));

    if (!m)
        return jin_nomem(j);
    rc = jin_keep(j, &id);
    *m = (atg_missing){.id = id, .family = family, .person = i};
    return rc ? rc : opjson_take_id(j, o->missing_ids, id, o->missing.n - 1, "missing");
}

static int read_inbreeding(jin *j, const json_t *v, atg_person *p) {
    int rc = jin_get_share(j, v, "inbreeding", JIN_OPTIONAL, &p->inbreeding);

    if (!rc && p->inbreeding > 0 && p->father >= 0)
        rc = jin_fail_key(j, "inbreeding", ATG_EINVAL,
                          "Only a founder, whose parents are not in the family, has an inbreeding "
                          "coefficient of his or her own");
    return rc;
}

static int read_member(opjson *o, const json_t *v, uint32_t i, uint32_t family) {
    static const char *const keys[] = {"id",       "father",  "mother", "sex",        "genotypes",
                                       "missing",  "dropout", "dropin", "inbreeding", "mt",
                                       "implicit", "own",     NULL};
    jin *j = &o->j;
    atg_person *p = &o->family.persons[i];
    atg_geno *genos = NULL;
    int rc = read_parents(o, v, i);

    if (!rc)
        rc = opjson_drops(j, v, &p->dropout, &p->dropin);
    if (!rc)
        rc = read_inbreeding(j, v, p);
    if (!rc)
        rc = jin_get_bool(j, v, "implicit", &p->implicit);
    if (!rc)
        rc = opjson_genotypes(o, v, p->sex, &genos);
    p->genos = genos;
    if (!rc)
        rc = opjson_mt(o, v, &p->mt);
    if (!rc)
        rc = read_missing(o, v, i, family);
    if (!rc)
        jin_known(j, v, keys);
    return rc;
}

static int list_missing(opjson *o, uint32_t first, atg_family *ret) {
    uint32_t n = o->missing.n - first;
    uint32_t *missing = ATG_GET(o->j.arena, uint32_t, n);

    if (!missing)
        return jin_nomem(&o->j);
    for (uint32_t i = 0; i < n; i++)
        missing[i] = first + i;
    ret->n_missing = n;
    ret->missing = missing;
    return ATG_OK;
}

int opjson_members(opjson *o, const json_t *family_object, uint32_t family, atg_family *ret) {
    jin *j = &o->j;
    const json_t *list = json_object_get(family_object, "members");
    uint32_t first_missing = o->missing.n;
    atg_err e;
    int rc = ATG_OK;

    if (!json_is_array(list))
        return jin_fail(j, ATG_EPARSE, "The list of \"members\" is missing");
    family_draft_start(&o->family, ret->id);
    jin_key(j, "members");
    for (size_t i = 0; i < json_array_size(list) && !rc; i++) {
        jin_index(j, i);
        rc = read_id(o, json_array_get(list, i));
        jin_up(j);
    }
    for (size_t i = 0; i < json_array_size(list) && !rc; i++) {
        jin_index(j, i);
        rc = read_member(o, json_array_get(list, i), (uint32_t)i, family);
        jin_up(j);
    }
    jin_up(j);
    if (!rc && family_draft_finish(&o->family, &ret->ped, &e))
        rc = opjson_fail(j, &e);
    return rc ? rc : list_missing(o, first_missing, ret);
}
