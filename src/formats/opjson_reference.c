/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/opjson.h"

static int read_family(void *user, jin *j, const json_t *v, uint32_t index) {
    opjson *o = user;
    atg_family *fam = opjson_push(j->arena, &o->families, sizeof(*fam));

    if (!fam)
        return jin_nomem(j);

    int rc = jin_is_object(j, v);

    if (!rc)
        rc = jin_get_id(j, v, "family", JIN_REQUIRED, &fam->id);
    if (!rc)
        rc = jin_keep(j, &fam->id);
    if (!rc)
        rc = opjson_take_id(j, o->family_ids, fam->id, index, "family");
    return rc ? rc : opjson_members(o, v, index, fam);
}

/* The list of missing stands apart and names family and member. */
static int read_missing(void *user, jin *j, const json_t *v, uint32_t index) {
    opjson *o = user;
    atg_str id = ATG_STR(""), family = ATG_STR("");
    int rc = jin_is_object(j, v);

    if (!rc)
        rc = jin_get_id(j, v, "id", JIN_REQUIRED, &id);
    if (!rc)
        rc = jin_get_id(j, v, "family", JIN_REQUIRED, &family);
    if (!rc)
        rc = jin_keep(j, &id);
    if (!rc)
        rc = opjson_take_id(j, o->missing_ids, id, index, "id");
    if (rc)
        return rc;

    int64_t f = map_get(o->family_ids, family);

    if (f < 0)
        return jin_fail_key(j, "family", ATG_EINVAL, "There is no family \"%.*s\"",
                            ATG_FMT(family));

    atg_family *fam = (atg_family *)o->families.p + f;
    int person = atg_pedigree_find(&fam->ped, id);

    if (person < 0)
        return jin_fail_key(j, "id", ATG_EINVAL, "\"%.*s\" is not a member of family \"%.*s\"",
                            ATG_FMT(id), ATG_FMT(family));

    atg_missing *m = opjson_push(j->arena, &o->missing, sizeof(*m));

    if (!m)
        return jin_nomem(j);
    *m = (atg_missing){.id = id, .family = (uint32_t)f, .person = (uint32_t)person};
    fam->n_missing++;
    return ATG_OK;
}

static int list_missing(opjson *o) {
    atg_family *families = o->families.p;
    const atg_missing *missing = o->missing.p;
    uint32_t *all = ATG_GET(o->j.arena, uint32_t, o->missing.n), used = 0;

    if (!all)
        return jin_nomem(&o->j);
    for (uint32_t f = 0; f < o->families.n; f++) {
        families[f].missing = all + used;
        used += families[f].n_missing;
        families[f].n_missing = 0;
    }
    for (uint32_t i = 0; i < o->missing.n; i++) {
        atg_family *fam = &families[missing[i].family];

        all[(fam->missing - all) + fam->n_missing++] = i;
    }
    return ATG_OK;
}

int opjson_read_reference(opjson *o) {
    jin *j = &o->j;
    json_auto_t *markers = NULL;
    json_auto_t *dataset = NULL;
    const jin_extent *list;
    int rc = jin_enter_load(j, "dataset", JIN_OPTIONAL, &dataset);

    if (!rc && dataset)
        rc = jin_is_text(j, dataset, &o->name);
    if (!rc)
        rc = jin_keep(j, &o->name);
    o->params.population = ATG_STR("the frequencies in the file");
    o->params.source = o->name;
    if (!rc)
        rc = jin_enter_load(j, "markers", JIN_REQUIRED, &markers);
    if (!rc)
        rc = opjson_markers(o, markers);
    if (!rc)
        rc = jin_enter(j, "pm", JIN_REQUIRED, &list);
    if (!rc)
        rc = jin_each(j, *list, opjson_sample, o);
    if (!rc)
        rc = jin_enter(j, "am", JIN_REQUIRED, &list);
    if (!rc)
        rc = jin_each(j, *list, read_family, o);
    if (!rc)
        rc = jin_enter(j, "missing", JIN_REQUIRED, &list);
    if (!rc)
        rc = jin_each(j, *list, read_missing, o);
    return rc ? rc : list_missing(o);
}
