/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/opbuild.h"

#include "formats/opjson.h"

struct opbuild {
    opjson o;
};

int opbuild_open(atg_arena *arena, atg_str head, atg_notes *notes, opbuild **ret, atg_err *err) {
    opbuild *b = ATG_GET(arena, opbuild, 1);

    if (!b)
        return atg_fail(err, ATG_ENOMEM, "Out of memory reading the operation");
    b->o.params = atg_params_default();
    b->o.set.arena = b->o.family.arena = arena;

    int rc = jin_open(&b->o.j, arena, head, notes, err);

    if (!rc)
        rc = opjson_open_maps(&b->o);
    if (!rc)
        rc = opjson_read_name(&b->o);
    if (!rc)
        rc = opjson_read_head(&b->o);
    if (rc) {
        opjson_free_maps(&b->o);
        return rc;
    }
    *ret = b;
    return ATG_OK;
}

void opbuild_close(opbuild *b) {
    if (b)
        opjson_free_maps(&b->o);
}

/* What is wrong stands in no line of the head. */
static int add(opbuild *b, jin_element_fn *fn, const json_t *v, uint32_t index, atg_err *err) {
    b->o.j.err = err;
    b->o.j.depth = 0;

    int rc = fn(&b->o, &b->o.j, v, index);

    if (rc && err)
        err->line = err->col = 0;
    return rc;
}

int opbuild_remains(opbuild *b, const json_t *sample, atg_err *err) {
    return add(b, opjson_sample, sample, b->o.samples.n, err);
}

int opbuild_staff(opbuild *b, const json_t *sample, atg_err *err) {
    return add(b, opjson_staff, sample, b->o.staff.n, err);
}

int opbuild_family(opbuild *b, const json_t *family, atg_err *err) {
    return add(b, opjson_family, family, b->o.families.n, err);
}

uint32_t opbuild_alleles(const opbuild *b) {
    uint32_t n = 0;

    for (uint32_t m = 0; m < b->o.set.n; m++)
        n += b->o.set.drafts[m]->m.n;
    return n;
}

int opbuild_finish(opbuild *b, atg_operation *ret, atg_err *err) {
    b->o.j.err = err;
    b->o.j.depth = 0;

    int rc = opjson_read_prior(&b->o);

    return rc ? rc : opjson_finish(&b->o, ret);
}
