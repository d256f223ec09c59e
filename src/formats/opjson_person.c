/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/opjson.h"

#include <antigone/lineage.h>

#include <string.h>

void *opjson_push(atg_arena *arena, opjson_list *list, size_t size) {
    if (list->n == list->cap) {
        uint32_t cap = list->cap ? list->cap * 2 : 16;
        void *p = list->cap <= UINT32_MAX / 2 ? atg_arena_get(arena, cap, size) : NULL;

        if (!p)
            return NULL;
        if (list->n)
            memcpy(p, list->p, list->n * size);
        list->p = p;
        list->cap = cap;
    }
    return (char *)list->p + (size_t)list->n++ * size;
}

int opjson_take_id(jin *j, map *ids, atg_str id, uint32_t index, const char *key) {
    int rc = map_add(ids, id, index);

    if (rc == ATG_ENOMEM)
        return jin_nomem(j);
    return rc ? jin_fail_key(j, key, ATG_EINVAL, "The id \"%.*s\" is used twice", ATG_FMT(id))
              : ATG_OK;
}

/* One allele as written in a genotype; -1 for "-". */
static int read_allele(opjson *o, marker_draft *d, const json_t *v, int16_t *ret) {
    char room[OPJSON_ALLELE_SIZE];
    atg_str s;
    atg_err e;
    int rc = opjson_allele(&o->j, v, room, &s);

    *ret = ATG_ALLELE_UNREAD;
    if (rc || atg_str_eq(s, ATG_STR("-")))
        return rc;
    rc = marker_draft_observe(&o->set, d, s, ret, &e);
    return rc ? opjson_fail(&o->j, &e) : ATG_OK;
}

static int single_allele(jin *j, const marker_draft *d, atg_sex sex, atg_geno g, atg_geno *ret) {
    if (g.a == ATG_ALLELE_UNREAD || d->m.chrom == ATG_CHROM_Y ||
        (d->m.chrom == ATG_CHROM_X && sex == ATG_SEX_MALE)) {
        *ret = (atg_geno){g.a, g.a};
        return ATG_OK;
    }

    atg_str a = d->labels[g.a];

    return jin_fail(j, ATG_EPARSE,
                    "One allele only: write [\"%.*s\", \"%.*s\"] for a homozygote, or "
                    "[\"%.*s\", \"-\"] when the other was not read",
                    ATG_FMT(a), ATG_FMT(a), ATG_FMT(a));
}

static int read_genotype(opjson *o, marker_draft *d, const json_t *v, atg_sex sex, atg_geno *ret) {
    jin *j = &o->j;
    atg_geno g = ATG_UNTYPED;
    size_t n = json_array_size(v);

    if (!json_is_array(v) || n < 1 || n > 2)
        return jin_fail(j, ATG_EPARSE,
                        "A genotype is a list of two alleles, such as [\"15\", \"16\"]; leave out "
                        "a marker that was not typed");

    int rc = read_allele(o, d, json_array_get(v, 0), &g.a);

    if (!rc && n == 1)
        return single_allele(j, d, sex, g, ret);
    if (!rc)
        rc = read_allele(o, d, json_array_get(v, 1), &g.b);
    if (rc)
        return rc;

    atg_err e;

    return genotype_make(&d->m, sex, g, ret, &e) ? opjson_fail(j, &e) : ATG_OK;
}

static int read_marker(opjson *o, const char *name, const json_t *v, atg_sex sex, atg_geno *genos) {
    jin *j = &o->j;
    int64_t m = -1;

    jin_key(j, name);

    int rc = marker_set_find(&o->set, atg_str_of(name), &m, j->err);

    if (!rc && m < 0)
        rc = jin_fail(j, ATG_EINVAL, "\"%.60s\" is not among the markers of this operation", name);
    if (!rc && o->seen[m] == o->clock)
        rc = jin_fail(j, ATG_EINVAL, "The marker %.*s is there twice, under two of its names",
                      ATG_FMT(o->set.drafts[m]->m.name));
    if (!rc) {
        o->seen[m] = o->clock;
        rc = read_genotype(o, o->set.drafts[m], v, sex, &genos[m]);
    }
    jin_up(j);
    return rc;
}

int opjson_genotypes(opjson *o, const json_t *owner, atg_sex sex, atg_geno **ret) {
    jin *j = &o->j;
    const json_t *all = json_object_get(owner, "genotypes");
    const char *name;
    json_t *v;

    *ret = NULL;
    if (!all || json_is_null(all))
        return ATG_OK;
    jin_key(j, "genotypes");

    int rc = jin_is_object(j, all);

    if (!rc && json_object_size(all)) {
        atg_geno *genos = ATG_GET(j->arena, atg_geno, o->set.n);
        bool typed = false;

        if (!genos)
            return jin_nomem(j);
        for (uint32_t m = 0; m < o->set.n; m++)
            genos[m] = ATG_UNTYPED;
        o->clock++;
        json_object_foreach(json_iterable(all), name, v) {
            rc = read_marker(o, name, v, sex, genos);
            if (rc)
                break;
        }
        for (uint32_t m = 0; m < o->set.n; m++)
            typed |= atg_geno_typed(genos[m]);
        *ret = typed ? genos : NULL;
    }
    jin_up(j);
    return rc;
}

static int read_range(jin *j, const json_t *v, struct atg_mt_range *ret) {
    json_int_t from = json_integer_value(json_array_get(v, 0));
    json_int_t to = json_integer_value(json_array_get(v, 1));

    if (!json_is_array(v) || json_array_size(v) != 2 || from < 1 || to < 1 ||
        from > OPJSON_MT_LENGTH || to > OPJSON_MT_LENGTH)
        return jin_fail(j, ATG_EPARSE,
                        "A range is two positions from 1 to %d, such as [16024, 16569]",
                        OPJSON_MT_LENGTH);
    *ret = (struct atg_mt_range){(uint16_t)from, (uint16_t)to};
    return ATG_OK;
}

static int read_ranges(jin *j, const json_t *list, uint32_t *ret_n,
                       const struct atg_mt_range **ret) {
    size_t n = json_array_size(list);
    int rc = jin_is_array(j, list);

    if (!rc && (n == 0 || n > OPJSON_MT_LENGTH))
        rc = jin_fail(j, ATG_EPARSE, "Write the ranges that were read, such as [[16024, 16569]]");
    if (rc)
        return rc;

    struct atg_mt_range *r = ATG_GET(j->arena, struct atg_mt_range, n);

    if (!r)
        return jin_nomem(j);
    for (size_t i = 0; i < n && !rc; i++) {
        jin_index(j, i);
        rc = read_range(j, json_array_get(list, i), &r[i]);
        jin_up(j);
    }
    *ret_n = (uint32_t)n;
    *ret = r;
    return rc;
}

static int read_differences(jin *j, const json_t *list, uint32_t *ret_n, const atg_str **ret) {
    size_t n = json_array_size(list);
    int rc = jin_is_array(j, list);

    if (!rc && n > OPJSON_MT_LENGTH)
        rc = jin_fail(j, ATG_ELIMIT, "More than %d differences", OPJSON_MT_LENGTH);
    if (rc)
        return rc;

    atg_str *d = ATG_GET(j->arena, atg_str, n);

    if (!d)
        return jin_nomem(j);
    for (size_t i = 0; i < n && !rc; i++) {
        jin_index(j, i);
        rc = jin_is_id(j, json_array_get(list, i), ATG_LABEL_MAX, &d[i]);
        jin_up(j);
    }
    *ret_n = (uint32_t)n;
    *ret = d;
    return rc;
}

static int read_mt(jin *j, const json_t *v, atg_mt *ret) {
    static const char *const keys[] = {"ranges", "differences", NULL};
    uint32_t n = 0, k = 0;
    const struct atg_mt_range *ranges = NULL;
    const atg_str *differences = NULL;
    atg_err e;

    for (int i = 0; i < 2; i++)
        if (!json_object_get(v, keys[i]))
            return jin_fail(j, ATG_EPARSE,
                            "The member \"%s\" is missing: write the ranges that were read and "
                            "the differences to rCRS",
                            keys[i]);
    jin_known(j, v, keys);
    jin_key(j, keys[0]);

    int rc = read_ranges(j, json_object_get(v, keys[0]), &n, &ranges);

    jin_up(j);
    jin_key(j, keys[1]);
    if (!rc)
        rc = read_differences(j, json_object_get(v, keys[1]), &k, &differences);
    jin_up(j);
    if (!rc && atg_mt_parse(j->arena, n, ranges, k, differences, ret, &e))
        rc = opjson_fail(j, &e);
    return rc;
}

int opjson_mt(opjson *o, const json_t *owner, atg_mt *ret) {
    jin *j = &o->j;
    const json_t *v = json_object_get(owner, "mt");

    if (!v || json_is_null(v))
        return ATG_OK;
    jin_key(j, "mt");

    int rc = jin_is_object(j, v);

    if (!rc)
        rc = read_mt(j, v, ret);
    jin_up(j);
    return rc;
}

int opjson_drops(jin *j, const json_t *owner, double *ret_out, double *ret_in) {
    int rc = jin_get_share(j, owner, "dropout", JIN_OPTIONAL, ret_out);

    if (!rc)
        rc = jin_get_share(j, owner, "dropin", JIN_OPTIONAL, ret_in);
    if (!rc && (*ret_out >= 1 || *ret_in >= 1))
        rc = jin_fail_key(j, *ret_out >= 1 ? "dropout" : "dropin", ATG_EINVAL,
                          "This is 1; it must be below 1");
    return rc;
}

static int untyped_sample(opjson *o, const atg_geno **ret) {
    atg_geno *genos = ATG_GET(o->j.arena, atg_geno, o->set.n);

    if (!genos)
        return jin_nomem(&o->j);
    for (uint32_t m = 0; m < o->set.n; m++)
        genos[m] = ATG_UNTYPED;
    *ret = genos;
    return ATG_OK;
}

static int read_own(opjson *o, const json_t *v, atg_sex sex, atg_own *ret) {
    static const char *const keys[] = {"id", "dropout", "dropin", "genotypes", "mt", NULL};
    jin *j = &o->j;
    atg_geno *genos = NULL;
    int rc = jin_is_object(j, v);

    if (!rc)
        rc = jin_get_id(j, v, "id", JIN_REQUIRED, &ret->id);
    if (!rc)
        rc = opjson_drops(j, v, &ret->dropout, &ret->dropin);
    if (!rc)
        rc = opjson_genotypes(o, v, sex, &genos);
    if (!rc)
        rc = opjson_mt(o, v, &ret->mt);
    if (rc)
        return rc;
    jin_known(j, v, keys);
    ret->genos = genos;
    rc = genos ? ATG_OK : untyped_sample(o, &ret->genos);
    return rc ? rc : jin_keep(j, &ret->id);
}

int opjson_owns(opjson *o, const json_t *owner, atg_sex sex, uint32_t *ret_n, const atg_own **ret) {
    jin *j = &o->j;
    const json_t *list = json_object_get(owner, "own");
    size_t n = json_array_size(list);
    atg_own *own;
    int rc;

    if (!list || json_is_null(list))
        return ATG_OK;
    jin_key(j, "own");
    rc = jin_is_array(j, list);
    if (!rc && n > ATG_OWN_MAX)
        rc = jin_fail(j, ATG_ELIMIT, "More than %d own samples of one person", ATG_OWN_MAX);
    if (rc)
        return rc;
    own = ATG_GET(j->arena, atg_own, n + 1);
    if (!own)
        return jin_nomem(j);
    for (size_t i = 0; i < n && !rc; i++) {
        jin_index(j, i);
        rc = read_own(o, json_array_get(list, i), sex, &own[i]);
        jin_up(j);
    }
    jin_up(j);
    *ret_n = (uint32_t)n;
    *ret = own;
    return rc;
}

static int read_sample(opjson *o, const json_t *v, atg_sample *s) {
    static const char *const keys[] = {"id",      "body",   "sex",       "part", "mixture",
                                       "dropout", "dropin", "genotypes", "mt",   NULL};
    jin *j = &o->j;
    atg_geno *genos = NULL;
    int rc = jin_is_object(j, v);

    if (!rc)
        rc = jin_get_id(j, v, "id", JIN_REQUIRED, &s->id);
    if (!rc)
        rc = jin_get_id(j, v, "body", JIN_OPTIONAL, &s->body);
    if (!rc)
        rc = jin_get_sex(j, v, "sex", &s->sex);
    if (!rc)
        rc = jin_get_bool(j, v, "part", &s->part);
    if (!rc)
        rc = jin_get_bool(j, v, "mixture", &s->mixture);
    if (!rc)
        rc = opjson_drops(j, v, &s->dropout, &s->dropin);
    if (!rc)
        rc = opjson_genotypes(o, v, s->sex, &genos);
    if (!rc)
        rc = opjson_mt(o, v, &s->mt);
    if (rc)
        return rc;
    jin_known(j, v, keys);
    s->genos = genos;
    rc = genos ? ATG_OK : untyped_sample(o, &s->genos);
    if (!rc)
        rc = jin_keep(j, &s->id);
    if (!rc && s->body.n)
        rc = jin_keep(j, &s->body);
    return rc;
}

static int add_sample(opjson *o, const json_t *v, opjson_list *list, map *ids) {
    atg_sample *s = opjson_push(o->j.arena, list, sizeof(*s));

    if (!s)
        return jin_nomem(&o->j);

    int rc = read_sample(o, v, s);

    return rc ? rc : opjson_take_id(&o->j, ids, s->id, list->n - 1, "id");
}

int opjson_sample(void *user, jin *j, const json_t *v, uint32_t index) {
    opjson *o = user;

    (void)j, (void)index;
    return add_sample(o, v, &o->samples, o->sample_ids);
}

int opjson_staff(void *user, jin *j, const json_t *v, uint32_t index) {
    opjson *o = user;

    (void)j, (void)index;
    return add_sample(o, v, &o->staff, o->staff_ids);
}
