/* SPDX-License-Identifier: Apache-2.0 */
#include "app/reference.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json_read.h"

enum { MEMORY = 1 << 30 };

double atg_relative_difference(double x, double y) {
    if (x == y || (isnan(x) && isnan(y)))
        return 0;
    if (!isfinite(x) || !isfinite(y) || x == 0 || y == 0)
        return INFINITY;
    return fabs(x - y) / fmax(fabs(x), fabs(y));
}

static atg_reference_kind *kind_of(atg_reference *ret, const char *name) {
    for (uint32_t i = 0; i < ret->n; i++)
        if (strcmp(ret->kinds[i].name, name) == 0)
            return &ret->kinds[i];
    if (ret->n < ATG_REFERENCE_KINDS)
        ret->n++;

    atg_reference_kind *k = &ret->kinds[ret->n - 1];

    if (k->n == 0 && k->n_skipped == 0)
        (void)snprintf(k->name, sizeof(k->name), "%s", name);
    return k;
}

void reference_compare(atg_reference *ret, const char *kind, double want, double got,
                       const char *where) {
    atg_reference_kind *k = kind_of(ret, kind);
    double diff = atg_relative_difference(want, got);

    k->n++;
    if (diff > k->worst || isnan(diff)) {
        k->worst = isnan(diff) ? INFINITY : diff;
        (void)snprintf(k->worst_at, sizeof(k->worst_at), "%s: %.15g, here %.15g", where, want, got);
    }
    if (k->worst > ret->worst)
        ret->worst = k->worst;
}

void reference_same(atg_reference *ret, const char *kind) {
    kind_of(ret, kind)->n++;
}

void reference_differ(atg_reference *ret, const char *kind, atg_str want, atg_str got,
                      const char *where) {
    atg_reference_kind *k = kind_of(ret, kind);

    k->n++;
    k->worst = ret->worst = INFINITY;
    (void)snprintf(k->worst_at, sizeof(k->worst_at), "%s: \"%.*s\", here \"%.*s\"", where,
                   ATG_FMT(want), ATG_FMT(got));
}

static bool has_word(const char *words, const char *word) {
    atg_str rest = atg_str_of(words);

    while (rest.n)
        if (atg_str_eq(atg_str_cut(&rest, ' '), atg_str_of(word)))
            return true;
    return false;
}

void reference_leftover(atg_reference *ret, const json_t *object, const char *prefix,
                        const char *known, const char *told) {
    const char *key;
    json_t *value;

    json_object_foreach(json_iterable(object), key, value) {
        char kind[48];

        if (has_word(known, key) || has_word(told, key) || json_is_null(value))
            continue;
        (void)snprintf(kind, sizeof(kind), "%s%s", prefix, key);
        reference_skip(ret, kind, "the file has this and nothing here to compare it with");
    }
}

void reference_skip(atg_reference *ret, const char *kind, const char *why) {
    atg_reference_kind *k = kind_of(ret, kind);

    k->n_skipped++;
    (void)snprintf(k->skipped, sizeof(k->skipped), "%.*s", (int)sizeof(k->skipped) - 1, why);
}

int reference_within_limits(int rc, const char *kind, atg_reference *ret, const atg_err *err) {
    if (rc != ATG_ELIMIT)
        return rc;
    reference_skip(ret, kind, err ? err->msg : "more than is computed here");
    return ATG_OK;
}

atg_str reference_text(const json_t *json) {
    return json_is_string(json) ? (atg_str){json_string_value(json), json_string_length(json)}
                                : (atg_str){NULL, 0};
}

static int mutation_of(atg_arena *arena, const json_t *json, uint16_t n, atg_mutation *ret,
                       atg_err *err) {
    const json_t *matrix = json_object_get(json, "matrix");

    *ret = (atg_mutation){.model = ATG_MUT_NONE};
    if (!json_is_object(json))
        return ATG_OK;
    *ret = reference_mutation(json);
    if (!matrix && ret->model != ATG_MUT_CUSTOM) /* the parameters say it all */
        return ATG_OK;
    if (!json_is_array(matrix) || json_array_size(matrix) != n)
        return atg_fail(err, ATG_EPARSE, "A mutation model lacks its matrix");

    double *cells = ATG_GET(arena, double, (size_t)n *n);

    if (!cells)
        return atg_fail(err, ATG_ENOMEM, "Out of memory reading a mutation matrix");
    for (uint32_t i = 0; i < (uint32_t)n * n; i++)
        cells[i] = json_number_value(json_array_get(json_array_get(matrix, i / n), i % n));
    *ret = (atg_mutation){.model = ATG_MUT_CUSTOM, .matrix = cells};
    return ATG_OK;
}

int reference_marker(atg_arena *arena, const json_t *json, atg_marker *ret, atg_err *err) {
    const json_t *labels = json_object_get(json, "alleles"),
                 *freqs = json_object_get(json, "freqs");
    const json_t *mutation = json_object_get(json, "mutation");
    const char *chrom = json_string_value(json_object_get(json, "chrom"));
    size_t n = json_array_size(labels);
    atg_str *names = ATG_GET(arena, atg_str, n);
    double *p = ATG_GET(arena, double, n);
    int16_t *tenths = ATG_GET(arena, int16_t, n);

    if (n == 0 || n > ATG_ALLELES_MAX || json_array_size(freqs) != n)
        return atg_fail(err, ATG_EPARSE, "A marker has %zu alleles and %zu frequencies", n,
                        json_array_size(freqs));
    if (!names || !p || !tenths)
        return atg_fail(err, ATG_ENOMEM, "Out of memory reading a marker");
    for (size_t i = 0; i < n; i++) {
        names[i] = reference_text(json_array_get(labels, i));
        p[i] = json_number_value(json_array_get(freqs, i));
        tenths[i] = atg_allele_tenths(names[i]);
    }
    *ret =
        (atg_marker){.name = reference_text(json_object_get(json, "name")),
                     .chrom = chrom && strcmp(chrom, "X") == 0 ? ATG_CHROM_X : ATG_CHROM_AUTOSOMAL,
                     .n = (uint16_t)n,
                     .labels = names,
                     .freqs = p,
                     .tenths = tenths,
                     .silent = -1,
                     .linked_to = -1};

    int rc = mutation_of(arena, json_object_get(mutation, "female"), ret->n, &ret->female, err);

    return rc ? rc : mutation_of(arena, json_object_get(mutation, "male"), ret->n, &ret->male, err);
}

int reference_geno(const json_t *json, const atg_marker *marker, atg_geno *ret, atg_err *err) {
    int16_t index[2] = {-1, -1};
    size_t n = json_array_size(json);

    *ret = ATG_UNTYPED;
    if (n == 0)
        return ATG_OK;
    for (size_t i = 0; i < 2; i++) {
        atg_str label = reference_text(json_array_get(json, n == 1 ? 0 : i));

        if (atg_str_eq(label, ATG_STR("-")))
            continue;
        index[i] = (int16_t)atg_marker_allele(marker, label);
        if (index[i] < 0)
            return atg_fail(err, ATG_EPARSE, "%.*s has no allele %.*s", ATG_FMT(marker->name),
                            ATG_FMT(label));
    }
    if (index[0] < 0) {
        index[0] = index[1];
        index[1] = -1;
    }
    *ret = (atg_geno){index[0], index[1]};
    return ATG_OK;
}

static int index_of(const json_t *persons, const json_t *id) {
    for (size_t i = 0; i < json_array_size(persons) && json_is_string(id); i++)
        if (json_equal(json_object_get(json_array_get(persons, i), "id"), id))
            return (int)i;
    return -1;
}

static int genos_of(atg_arena *arena, const json_t *genotypes, uint32_t n_markers,
                    const atg_marker *markers, const atg_geno **ret, atg_err *err) {
    atg_geno *genos = ATG_GET(arena, atg_geno, n_markers ? n_markers : 1);
    int rc = genos ? ATG_OK : atg_fail(err, ATG_ENOMEM, "Out of memory reading genotypes");

    for (uint32_t m = 0; m < n_markers && !rc; m++)
        rc = reference_geno(json_object_getn(genotypes, markers[m].name.p, markers[m].name.n),
                            &markers[m], &genos[m], err);
    *ret = genos;
    return rc;
}

int reference_pedigree(atg_arena *arena, const json_t *persons, const json_t *genotypes,
                       uint32_t n_markers, const atg_marker *markers, atg_pedigree *ret,
                       atg_err *err) {
    size_t n = json_array_size(persons);
    atg_person *made = ATG_GET(arena, atg_person, n ? n : 1);
    int rc = made ? ATG_OK : atg_fail(err, ATG_ENOMEM, "Out of memory reading a pedigree");

    if (n > ATG_PEDIGREE_MAX)
        return atg_fail(err, ATG_ELIMIT, "A pedigree of %zu persons", n);
    for (size_t i = 0; i < n && !rc; i++) {
        const json_t *p = json_array_get(persons, i);
        const char *sex = json_string_value(json_object_get(p, "sex"));
        atg_str id = reference_text(json_object_get(p, "id"));
        const json_t *typed = json_object_getn(genotypes, id.p ? id.p : "", id.n);

        made[i] = (atg_person){.id = id,
                               .father = index_of(persons, json_object_get(p, "father")),
                               .mother = index_of(persons, json_object_get(p, "mother")),
                               .sex = !sex          ? ATG_SEX_UNKNOWN
                                      : *sex == 'M' ? ATG_SEX_MALE
                                      : *sex == 'F' ? ATG_SEX_FEMALE
                                                    : ATG_SEX_UNKNOWN};
        if (json_is_object(typed))
            rc = genos_of(arena, typed, n_markers, markers, &made[i].genos, err);
    }
    *ret = (atg_pedigree){(uint32_t)n, made};
    return rc ? rc : atg_pedigree_check(ret, err);
}

static int check(atg_arena *arena, const json_t *root, atg_str bytes, const atg_progress *progress,
                 atg_reference *ret, atg_err *err) {
    atg_str schema = reference_text(json_object_get(root, "schema"));

    if (json_is_array(json_object_get(root, "pm")))
        return reference_operation(arena, root, bytes, progress, ret, err);
    if (atg_str_eq(schema, ATG_STR("mutation-matrices/1")))
        return reference_matrices(arena, root, ret, err);
    if (atg_str_eq(schema, ATG_STR("str-frequencies/1"))) {
        reference_skip(ret, "allele frequencies", "they are data, without results to compare");
        return ATG_OK;
    }
    if (json_is_array(json_object_get(root, "cases")))
        return reference_pedigrees(arena, root, progress, ret, err);
    return atg_fail(err, ATG_EPARSE,
                    "This is no reference file: expected pedigree cases, mutation matrices or a "
                    "dvi-reference/1 operation");
}

int atg_reference_check(atg_str bytes, const atg_progress *progress, atg_reference *ret,
                        atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(MEMORY);
    json_error_t where;
    json_t *root = json_loadb(bytes.p, bytes.n, JSON_REJECT_DUPLICATES, &where);

    if (!root)
        return atg_fail_at(err, ATG_EPARSE, (uint32_t)where.line, (uint32_t)where.column, "%s",
                           where.text);

    int rc = arena ? check(arena, root, bytes, progress, ret, err)
                   : atg_fail(err, ATG_ENOMEM, "Out of memory reading a reference file");

    json_decref(root);
    return rc;
}
