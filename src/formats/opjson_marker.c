/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/opjson.h"

#include <math.h>

#include "formats/opwords.h"

int opjson_fail(jin *j, const atg_err *e) {
    return e->code == ATG_ENOMEM ? jin_nomem(j) : jin_fail(j, e->code, "%s", e->msg);
}

/* Index of a word in a table that NULL ends, or -1. */
static int word(const char *const *table, atg_str s) {
    for (int i = 0; table[i]; i++)
        if (atg_str_eq_nocase(s, atg_str_of(table[i])))
            return i;
    return -1;
}

int opjson_allele(jin *j, const json_t *v, char room[OPJSON_ALLELE_SIZE], atg_str *ret) {
    if (json_is_string(v)) {
        *ret = (atg_str){json_string_value(v), json_string_length(v)};
        return ATG_OK;
    }
    if (!json_is_number(v))
        return jin_fail(j, ATG_EPARSE, "An allele is a text or a number, such as \"9.3\" or 9.3");
    if (!allele_label_of(json_number_value(v), room))
        return jin_fail(j, ATG_EPARSE, "%s is not a repeat number; write the allele as a text",
                        room);
    *ret = atg_str_of(room);
    return ATG_OK;
}

static int read_row(jin *j, const json_t *row, uint32_t n, double *ret) {
    double sum = 0;

    if (!json_is_array(row) || json_array_size(row) != n)
        return jin_fail(j, ATG_EPARSE, "A row of the matrix is a list of %u numbers", n);
    for (uint32_t c = 0; c < n; c++) {
        const json_t *cell = json_array_get(row, c);
        double x = json_number_value(cell);

        if (!json_is_number(cell) || !(x >= 0 && x <= 1))
            return jin_fail(j, ATG_EINVAL, "Column %u is not a number from 0 to 1", c + 1);
        ret[c] = x + 0.0; /* -0 is 0 */
        sum += x;
    }
    if (fabs(sum - 1) > 1e-6)
        return jin_fail(j, ATG_EINVAL, "This row sums to %.9g, not 1", sum);
    return ATG_OK;
}

static int read_matrix(jin *j, const json_t *m, uint32_t n, const double **ret) {
    double *matrix = ATG_GET(j->arena, double, (size_t)n *n);
    int rc = jin_is_array(j, m);

    if (!matrix)
        return jin_nomem(j);
    if (!rc && json_array_size(m) != n)
        rc = jin_fail(j, ATG_EPARSE, "Write one row for each of the %u alleles", n);
    for (uint32_t r = 0; r < n && !rc; r++) {
        jin_index(j, r);
        rc = read_row(j, json_array_get(m, r), n, matrix + (size_t)r * n);
        jin_up(j);
    }
    *ret = matrix;
    return rc;
}

static int read_model(jin *j, const json_t *v, atg_mutation *mut) {
    atg_str model = ATG_STR(""), transform = ATG_STR("none");
    int rc = jin_get_text(j, v, "model", JIN_REQUIRED, &model);

    if (!rc)
        rc = jin_get_text(j, v, "transform", JIN_OPTIONAL, &transform);
    if (rc)
        return rc;

    int m = word(opwords_models, model), t = word(opwords_transforms, transform);

    if (m < 0)
        return jin_fail_key(j, "model", ATG_EPARSE,
                            "\"%.*s\" is not a mutation model: write none, equal, proportional, "
                            "stepwise, onestep, dawid or custom",
                            ATG_FMT(model));
    if (t < 0)
        return jin_fail_key(j, "transform", ATG_EPARSE,
                            "\"%.*s\" is not a transform: write none, PM, MH, BA or PR",
                            ATG_FMT(transform));
    mut->model = (atg_mutation_model)m;
    mut->transform = (atg_mutation_transform)t;
    return ATG_OK;
}

static int read_mutation(jin *j, const json_t *v, uint32_t n, atg_mutation *ret) {
    static const char *const keys[] = {"model",     "rate",   "rate2", "range",
                                       "transform", "matrix", NULL};
    atg_mutation mut = {.range = 0};
    int rc = jin_is_object(j, v);

    if (!rc)
        rc = read_model(j, v, &mut);
    if (rc)
        return rc;
    jin_known(j, v, keys);

    jin_need rate =
        mut.model == ATG_MUT_NONE || mut.model == ATG_MUT_CUSTOM ? JIN_OPTIONAL : JIN_REQUIRED;
    bool steps = mut.model == ATG_MUT_STEPWISE || mut.model == ATG_MUT_DAWID;

    rc = jin_get_share(j, v, "rate", rate, &mut.rate);
    if (!rc)
        rc = jin_get_share(j, v, "rate2", JIN_OPTIONAL, &mut.rate2);
    if (!rc)
        rc = jin_get_share(j, v, "range", steps ? JIN_REQUIRED : JIN_OPTIONAL, &mut.range);
    if (!rc && steps && !(mut.range > 0 && mut.range < 1))
        rc = jin_fail_key(j, "range", ATG_EINVAL, "This is %g; it must be between 0 and 1",
                          mut.range);
    if (!rc && mut.rate + mut.rate2 > 1)
        rc = jin_fail_key(j, "rate2", ATG_EINVAL, "The two rates sum to more than 1");
    if (!rc && mut.model == ATG_MUT_CUSTOM) {
        const json_t *m = json_object_get(v, "matrix");

        if (!m)
            return jin_fail(j, ATG_EPARSE, "The model \"custom\" needs a \"matrix\"");
        jin_key(j, "matrix");
        rc = read_matrix(j, m, n, &mut.matrix);
        jin_up(j);
    }
    *ret = mut;
    return rc;
}

static int read_mutations(jin *j, const json_t *marker, marker_draft *d) {
    static const char *const keys[] = {"female", "male", NULL};
    const json_t *v = json_object_get(marker, "mutation");
    atg_mutation *to[] = {&d->m.female, &d->m.male};

    if (!v || json_is_null(v))
        return ATG_OK;
    jin_key(j, "mutation");

    int rc = jin_is_object(j, v);

    if (!rc)
        jin_known(j, v, keys);
    for (int i = 0; i < 2 && !rc; i++) {
        const json_t *sex = json_object_get(v, keys[i]);

        if (!sex) {
            rc = jin_fail(j, ATG_EPARSE, "The member \"%s\" is missing: write both rates, or null",
                          keys[i]);
            break;
        }
        jin_key(j, keys[i]);
        rc = read_mutation(j, sex, d->m.n, to[i]);
        jin_up(j);
    }
    jin_up(j);
    return rc;
}

static int read_allele(opjson *o, marker_draft *d, const json_t *label, const json_t *freq) {
    char text[OPJSON_ALLELE_SIZE];
    atg_str s = {NULL, 0};
    atg_err e;
    int rc = opjson_allele(&o->j, label, text, &s);

    if (rc)
        return rc;
    if (!json_is_number(freq))
        return jin_fail(&o->j, ATG_EPARSE, "The frequency of %.*s is not a number", ATG_FMT(s));

    double p = json_number_value(freq);

    if (!(p > 0 && p <= 1))
        return jin_fail(&o->j, ATG_EINVAL,
                        "The frequency of %.*s is %g; it must be above 0 and at most 1. Leave out "
                        "alleles that were never seen",
                        ATG_FMT(s), p);
    rc = marker_draft_add(&o->set, d, s, p, &e);
    return rc ? opjson_fail(&o->j, &e) : ATG_OK;
}

static int read_alleles(opjson *o, const json_t *v, marker_draft *d) {
    jin *j = &o->j;
    const json_t *labels = json_object_get(v, "alleles"), *freqs = json_object_get(v, "freqs");
    double sum = 0;

    if (!json_is_array(labels) || !json_is_array(freqs))
        return jin_fail(j, ATG_EPARSE, "\"alleles\" and \"freqs\" must both be lists");

    size_t n = json_array_size(labels);

    if (n != json_array_size(freqs) || n == 0)
        return jin_fail_key(j, "freqs", ATG_EPARSE,
                            "%zu alleles and %zu frequencies: write one frequency per allele", n,
                            json_array_size(freqs));
    jin_key(j, "alleles");
    for (size_t i = 0; i < n; i++) {
        jin_index(j, i);

        int rc = read_allele(o, d, json_array_get(labels, i), json_array_get(freqs, i));

        if (rc)
            return rc;
        jin_up(j);
        sum += d->freqs[i];
    }
    jin_up(j);
    if (fabs(sum - 1) > 1e-3)
        return jin_fail_key(j, "freqs", ATG_EINVAL, "The frequencies sum to %.6g, not 1", sum);
    return ATG_OK;
}

static int read_chrom(jin *j, const json_t *v, atg_chrom *ret) {
    atg_str s = ATG_STR("");
    int rc = jin_get_text(j, v, "chrom", JIN_REQUIRED, &s);
    int i = word(opwords_chroms, s);

    if (rc)
        return rc;
    if (i < 0)
        return jin_fail_key(j, "chrom", ATG_EPARSE,
                            "Write \"A\", \"X\", \"Y\" or \"amelogenin\"; this is \"%.*s\"",
                            ATG_FMT(s));
    *ret = (atg_chrom)i;
    return ATG_OK;
}

static int read_silent(jin *j, const json_t *v, marker_draft *d) {
    atg_str s = ATG_STR("");
    int rc = jin_get_text(j, v, "silent", JIN_OPTIONAL, &s);

    if (rc || s.n == 0)
        return rc;
    d->m.silent = (int16_t)atg_marker_allele(&d->m, s);
    return d->m.silent >= 0
               ? ATG_OK
               : jin_fail_key(j, "silent", ATG_EPARSE,
                              "The silent allele \"%.*s\" is not among the alleles", ATG_FMT(s));
}

static int read_links(opjson *o, const json_t *v, marker_draft *d) {
    jin *j = &o->j;
    atg_str other = ATG_STR("");
    uint32_t group = 0;
    int64_t at = -1;
    int rc = jin_get_count(j, v, "linkage_group", JIN_OPTIONAL, &group);

    if (!rc && group > UINT16_MAX)
        rc = jin_fail_key(j, "linkage_group", ATG_EINVAL, "Write a number up to %d", UINT16_MAX);
    d->m.linkage_group = (uint16_t)group;
    if (!rc)
        rc = jin_get_id(j, v, "linked_to", JIN_OPTIONAL, &other);
    if (!rc && other.n)
        rc = marker_set_find(&o->set, other, &at, j->err);
    if (rc || other.n == 0)
        return rc;
    if (at < 0 || at + 1 >= o->set.n)
        return jin_fail_key(j, "linked_to", ATG_EINVAL,
                            "\"%.*s\" is not a marker earlier in the list", ATG_FMT(other));
    d->m.linked_to = (int16_t)at;
    rc = jin_get_number(j, v, "rho", JIN_REQUIRED, &d->m.rho);
    if (!rc && !(d->m.rho >= 0 && d->m.rho <= 0.5))
        rc = jin_fail_key(j, "rho", ATG_EINVAL, "This is %g; it must be from 0 to 0.5", d->m.rho);
    return rc;
}

static int read_marker(opjson *o, const json_t *v) {
    static const char *const keys[] = {"name",   "chrom",         "alleles",   "freqs", "mutation",
                                       "silent", "linkage_group", "linked_to", "rho",   NULL};
    jin *j = &o->j;
    marker_draft *d = NULL;
    atg_str name = ATG_STR("");
    atg_err e;
    int rc = jin_is_object(j, v);

    if (!rc)
        rc = jin_get_id(j, v, "name", JIN_REQUIRED, &name);
    if (!rc && name.n > ATG_LABEL_MAX)
        rc =
            jin_fail_key(j, "name", ATG_ELIMIT, "This name is longer than %d bytes", ATG_LABEL_MAX);
    if (rc)
        return rc;
    jin_known(j, v, keys);
    rc = marker_set_add(&o->set, name, &d, &e);
    if (rc)
        return opjson_fail(j, &e);
    rc = read_chrom(j, v, &d->m.chrom);
    if (!rc)
        rc = read_alleles(o, v, d);
    if (!rc)
        rc = read_silent(j, v, d);
    if (!rc)
        rc = read_mutations(j, v, d);
    return rc ? rc : read_links(o, v, d);
}

int opjson_markers(opjson *o, const json_t *list) {
    int rc = jin_is_array(&o->j, list);

    for (size_t i = 0; i < json_array_size(list) && !rc; i++) {
        jin_index(&o->j, i);
        rc = read_marker(o, json_array_get(list, i));
        jin_up(&o->j);
    }
    return rc;
}
