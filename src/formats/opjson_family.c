/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/opjson.h"

#include <string.h>

typedef struct parent_rule {
    const char *key;
    const char *other;
    atg_sex sex, other_sex;
    const char *wrong;
} parent_rule;

static const parent_rule rules[] = {
    {"father", "mother", ATG_SEX_MALE, ATG_SEX_FEMALE, "recorded as female"},
    {"mother", "father", ATG_SEX_FEMALE, ATG_SEX_MALE, "recorded as male"},
};

/* The pedigree while it is read.  At most every member gets one implicit parent. */
typedef struct draft {
    opjson *o;
    uint32_t n, n_members;
    atg_person persons[ATG_PEDIGREE_MAX];
} draft;

static int read_id(draft *d, const json_t *v, uint32_t i) {
    jin *j = &d->o->j;
    atg_person *p = &d->persons[i];
    int rc = jin_is_object(j, v);

    if (!rc)
        rc = jin_get_id(j, v, "id", JIN_REQUIRED, &p->id);
    if (!rc)
        rc = jin_keep(j, &p->id);
    if (!rc)
        rc = opjson_take_id(j, d->o->member_ids, p->id, i, "id");
    if (!rc)
        rc = jin_get_sex(j, v, "sex", &p->sex);
    p->father = p->mother = -1;
    return rc;
}

static int read_parent(draft *d, const json_t *v, uint32_t i, const parent_rule *rule,
                       int32_t *ret) {
    jin *j = &d->o->j;
    atg_str id = ATG_STR("");
    int rc = jin_get_id(j, v, rule->key, JIN_OPTIONAL, &id);

    if (rc || id.n == 0)
        return rc;

    int64_t at = map_get(d->o->member_ids, id);

    if (at < 0)
        return jin_fail_key(j, rule->key, ATG_EINVAL,
                            "The %s of \"%.*s\", \"%.*s\", is not a member of this family",
                            rule->key, ATG_FMT(d->persons[i].id), ATG_FMT(id));
    if (at == i)
        return jin_fail_key(j, rule->key, ATG_EINVAL, "\"%.*s\" cannot be a parent of itself",
                            ATG_FMT(id));
    if (d->persons[at].sex == rule->other_sex)
        return jin_fail_key(j, rule->key, ATG_EINVAL, "The %s of \"%.*s\", \"%.*s\", is %s",
                            rule->key, ATG_FMT(d->persons[i].id), ATG_FMT(id), rule->wrong);
    *ret = (int32_t)at;
    return ATG_OK;
}

/* A name that nobody in the family has. */
static int implicit_id(draft *d, const char *role, atg_str child, atg_str *ret) {
    jin *j = &d->o->j;
    atg_str id = atg_arena_printf(j->arena, "%s of %.*s", role, ATG_FMT(child));

    for (uint32_t k = 2; id.p && map_get(d->o->member_ids, id) >= 0; k++)
        id = atg_arena_printf(j->arena, "%s of %.*s (%u)", role, ATG_FMT(child), k);
    if (!id.p || map_add(d->o->member_ids, id, d->n))
        return jin_nomem(j);
    *ret = id;
    return ATG_OK;
}

static int complete_pair(draft *d, uint32_t i, atg_str family) {
    jin *j = &d->o->j;
    atg_person *p = &d->persons[i];

    if ((p->father < 0) == (p->mother < 0))
        return ATG_OK;
    if (d->n == ATG_PEDIGREE_MAX)
        return jin_fail(j, ATG_ELIMIT,
                        "More than %d persons in one family, unnamed parents "
                        "included",
                        ATG_PEDIGREE_MAX);

    const parent_rule *rule = &rules[p->father >= 0];
    atg_person *q = &d->persons[d->n];

    *q = (atg_person){.father = -1, .mother = -1, .sex = rule->sex, .implicit = true};

    int rc = implicit_id(d, rule->key, p->id, &q->id);

    if (rc)
        return rc;
    *(p->father >= 0 ? &p->mother : &p->father) = (int32_t)d->n++;
    atg_note(d->o->j.notes, j->arena,
             "Family %.*s: %.*s has no named %s, so an untyped one was added who is the parent of "
             "nobody else; name the %s in the family where brothers and sisters share one",
             ATG_FMT(family), ATG_FMT(p->id), rule->key, rule->key);
    return ATG_OK;
}

/* Who is missing gets no genotypes; who is not may have them. */
static int read_missing(draft *d, const json_t *v, uint32_t i, uint32_t family) {
    opjson *o = d->o;
    atg_str id = ATG_STR("");
    int rc = jin_get_id(&o->j, v, "missing", JIN_OPTIONAL, &id);

    if (rc || id.n == 0)
        return rc;
    if (d->persons[i].genos)
        return jin_fail_key(&o->j, "genotypes", ATG_EINVAL,
                            "The missing person \"%.*s\" has genotypes; enter a direct sample of a "
                            "missing person among the remains",
                            ATG_FMT(id));

    atg_missing *m = opjson_push(o->j.arena, &o->missing, sizeof(*m));

    if (!m)
        return jin_nomem(&o->j);
    rc = jin_keep(&o->j, &id);
    *m = (atg_missing){.id = id, .family = family, .person = i};
    return rc ? rc : opjson_take_id(&o->j, o->missing_ids, id, o->missing.n - 1, "missing");
}

static int read_drops(jin *j, const json_t *v, atg_person *p) {
    int rc = jin_get_share(j, v, "dropout", JIN_OPTIONAL, &p->dropout);

    if (!rc)
        rc = jin_get_share(j, v, "dropin", JIN_OPTIONAL, &p->dropin);
    if (!rc)
        rc = jin_get_share(j, v, "inbreeding", JIN_OPTIONAL, &p->inbreeding);
    if (!rc && (p->dropout >= 1 || p->dropin >= 1))
        rc = jin_fail_key(j, p->dropout >= 1 ? "dropout" : "dropin", ATG_EINVAL,
                          "This is 1; it must be below 1");
    if (!rc && p->inbreeding > 0 && p->father >= 0)
        rc = jin_fail_key(j, "inbreeding", ATG_EINVAL,
                          "Only a founder, whose parents are not in the family, has an inbreeding "
                          "coefficient of his or her own");
    return rc;
}

static int read_member(draft *d, const json_t *v, uint32_t i, uint32_t family, atg_str family_id) {
    static const char *const keys[] = {"id",         "father",  "mother",   "sex",
                                       "genotypes",  "missing", "dropout",  "dropin",
                                       "inbreeding", "mt",      "implicit", NULL};
    opjson *o = d->o;
    atg_person *p = &d->persons[i];
    atg_geno *genos = NULL;
    int rc = read_parent(d, v, i, &rules[0], &p->father);

    if (!rc)
        rc = read_parent(d, v, i, &rules[1], &p->mother);
    if (!rc && p->father >= 0 && p->father == p->mother)
        rc = jin_fail_key(&o->j, "mother", ATG_EINVAL,
                          "Father and mother of \"%.*s\" are one person", ATG_FMT(p->id));
    if (!rc)
        rc = complete_pair(d, i, family_id);
    if (!rc)
        rc = read_drops(&o->j, v, p);
    if (!rc)
        rc = jin_get_bool(&o->j, v, "implicit", &p->implicit);
    if (!rc)
        rc = opjson_genotypes(o, v, p->sex, &genos);
    p->genos = genos;
    if (!rc)
        rc = opjson_mt(o, v, &p->mt);
    if (!rc)
        rc = read_missing(d, v, i, family);
    if (!rc)
        jin_known(&o->j, v, keys);
    return rc;
}

static int keep_family(draft *d, uint32_t first_missing, atg_family *ret) {
    opjson *o = d->o;
    atg_person *persons = ATG_GET(o->j.arena, atg_person, d->n);
    uint32_t n = o->missing.n - first_missing;
    uint32_t *missing = ATG_GET(o->j.arena, uint32_t, n);

    if (!persons || !missing)
        return jin_nomem(&o->j);
    if (d->n)
        memcpy(persons, d->persons, d->n * sizeof(*persons));
    for (uint32_t i = 0; i < n; i++)
        missing[i] = first_missing + i;
    ret->ped = (atg_pedigree){.n = d->n, .persons = persons};
    ret->n_missing = n;
    ret->missing = missing;
    return ATG_OK;
}

int opjson_members(opjson *o, const json_t *family_object, uint32_t family, atg_family *ret) {
    jin *j = &o->j;
    const json_t *list = json_object_get(family_object, "members");
    size_t n = json_array_size(list);
    uint32_t first_missing = o->missing.n;
    draft d;

    if (!json_is_array(list))
        return jin_fail(j, ATG_EPARSE, "The list of \"members\" is missing");
    if (n > ATG_PEDIGREE_MAX)
        return jin_fail_key(j, "members", ATG_ELIMIT, "More than %d persons in one family",
                            ATG_PEDIGREE_MAX);
    d.o = o;
    d.n = d.n_members = (uint32_t)n;
    memset(d.persons, 0, n * sizeof(*d.persons));
    map_clear(o->member_ids);
    jin_key(j, "members");
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < n; i++) {
            const json_t *v = json_array_get(list, i);

            jin_index(j, i);

            int rc = pass == 0 ? read_id(&d, v, i) : read_member(&d, v, i, family, ret->id);

            if (rc)
                return rc;
            jin_up(j);
        }
    }
    jin_up(j);

    int rc = keep_family(&d, first_missing, ret);
    atg_err e;

    if (!rc && atg_pedigree_check(&ret->ped, &e))
        rc = opjson_fail(j, &e);
    return rc;
}
