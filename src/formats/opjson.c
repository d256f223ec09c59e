/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/opjson.h"

#include "formats/opwords.h"

int opjson_open_maps(opjson *o) {
    map **maps[] = {&o->sample_ids,  &o->staff_ids,  &o->family_ids,
                    &o->missing_ids, &o->family.ids, &o->set.names};

    for (size_t i = 0; i < sizeof(maps) / sizeof(*maps); i++)
        if (!(*maps[i] = map_new()))
            return jin_nomem(&o->j);
    return ATG_OK;
}

void opjson_free_maps(opjson *o) {
    map_free(o->sample_ids);
    map_free(o->staff_ids);
    map_free(o->family_ids);
    map_free(o->missing_ids);
    map_free(o->family.ids);
    map_free(o->set.names);
}

/* The name stands in both formats but is a text of its own in one of them. */
int opjson_read_name(opjson *o) {
    json_auto_t *v = NULL;
    int rc = jin_enter_load(&o->j, "name", JIN_OPTIONAL, &v);

    if (rc || !v)
        return rc;
    rc = jin_is_id(&o->j, v, JIN_ID_MAX, &o->name);
    return rc ? rc : jin_keep(&o->j, &o->name);
}

static int read_schema(opjson *o) {
    json_auto_t *v = NULL;
    atg_str s = ATG_STR("");
    int rc = jin_enter_load(&o->j, "schema", JIN_REQUIRED, &v);

    if (!rc)
        rc = jin_is_text(&o->j, v, &s);
    if (rc)
        return rc;
    if (atg_str_eq(s, atg_str_of(opwords_schema))) {
        rc = opjson_read_name(o);
        return rc ? rc : opjson_read_own(o);
    }
    if (atg_str_eq(s, ATG_STR("dvi-reference/1")))
        return opjson_read_reference(o);
    return jin_fail(&o->j, ATG_EPARSE,
                    "\"%.*s\" is not a format that can be read here: write "
                    "\"%s\"",
                    ATG_FMT(s), opwords_schema);
}

int opjson_finish(opjson *o, atg_operation *ret) {
    atg_operation op = {
        .name = o->name,
        .params = o->params,
        .n_markers = o->set.n,
        .n_samples = o->samples.n,
        .samples = o->samples.p,
        .n_families = o->families.n,
        .families = o->families.p,
        .n_missing = o->missing.n,
        .missing = o->missing.p,
        .n_staff = o->staff.n,
        .staff = o->staff.p,
    };
    int rc = marker_set_finish(&o->set, o->params.min_freq, o->params.n_population, &op.markers,
                               o->j.notes, o->j.err);

    if (!rc)
        rc = atg_operation_check(&op, o->j.err);
    if (!rc)
        *ret = op;
    return rc;
}

int atg_operation_read_json(atg_arena *arena, atg_str bytes, atg_operation *ret, atg_notes *notes,
                            atg_err *err) {
    opjson *o = ATG_GET(arena, opjson, 1);

    if (!o)
        return atg_fail(err, ATG_ENOMEM, "Out of memory reading the operation");
    o->params = atg_params_default();
    o->set.arena = o->family.arena = arena;

    int rc = jin_open(&o->j, arena, bytes, notes, err);

    if (!rc)
        rc = opjson_open_maps(o);
    if (!rc)
        rc = read_schema(o);
    if (!rc)
        rc = opjson_finish(o, ret);
    opjson_free_maps(o);
    return rc;
}
