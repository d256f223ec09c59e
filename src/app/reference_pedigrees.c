/* SPDX-License-Identifier: Apache-2.0 */
#include "app/reference.h"

#include <antigone/dna.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/reference_joint.h"
#include "base/json_read.h"

typedef struct suite {
    atg_arena *arena;
    const json_t *root;
    atg_reference *ret;
} suite;

/* Markers as objects, or as names in the file's own database with the case's mutation model. */
static int markers_of(const suite *s, const json_t *c, uint32_t *ret_n, atg_marker **ret,
                      atg_err *err) {
    const json_t *list = json_object_get(c, "markers"), *mutation = json_object_get(c, "mutation");
    const json_t *database = json_object_get(json_object_get(s->root, "databases"), "norway");
    size_t n = json_array_size(list);
    atg_marker *made = ATG_GET(s->arena, atg_marker, n ? n : 1);
    int rc = made ? ATG_OK : atg_fail(err, ATG_ENOMEM, "Out of memory reading markers");

    for (size_t i = 0; i < n && !rc; i++) {
        const json_t *item = json_array_get(list, i);
        atg_str name = reference_text(item);

        rc = reference_marker(
            s->arena, json_is_string(item) ? json_object_getn(database, name.p, name.n) : item,
            &made[i], err);
        if (json_is_string(item))
            made[i].name = name;
        if (json_is_object(mutation))
            made[i].female = made[i].male = reference_mutation(mutation);
    }
    *ret_n = (uint32_t)n;
    *ret = made;
    return rc;
}

/* Drop-out, founder inbreeding and silent alleles are options of the case. */
static int apply_options(const suite *s, const json_t *options, uint32_t n_markers,
                         atg_marker *markers, atg_pedigree *ped, atg_err *err) {
    const json_t *dropout = json_object_get(options, "dropout");
    const json_t *inbreeding = json_object_get(options, "founder_inbreeding");
    atg_str silent = reference_text(json_object_get(options, "silent_allele"));
    atg_person *persons = ATG_GET(s->arena, atg_person, ped->n + 1);

    if (!persons)
        return atg_fail(err, ATG_ENOMEM, "Out of memory reading a case");
    memcpy(persons, ped->persons, ped->n * sizeof(*persons));
    for (uint32_t m = 0; m < n_markers && silent.n; m++)
        markers[m].silent = (int16_t)atg_marker_allele(&markers[m], silent);
    for (uint32_t i = 0; i < ped->n; i++) {
        persons[i].dropout =
            json_number_value(json_object_getn(dropout, persons[i].id.p, persons[i].id.n));
        persons[i].inbreeding =
            json_number_value(json_object_getn(inbreeding, persons[i].id.p, persons[i].id.n));
    }
    ped->persons = persons;
    return ATG_OK;
}

static int check_linked(suite *s, const json_t *c, const atg_marker *markers,
                        const atg_pedigree *ped, atg_err *err) {
    const json_t *rho = json_object_get(json_object_get(c, "options"), "rho");
    double got;
    int rc = atg_loglik_linked(markers, 0, 1, json_number_value(rho), ped, &got, err);

    if (!rc)
        reference_compare(s->ret, "linked pair likelihood",
                          json_number_value(json_object_get(c, "joint_likelihood")), exp(got),
                          json_string_value(json_object_get(c, "id")));
    return rc;
}

/* A second program's likelihoods.  Where it says that it lies apart from the first, it leaves
 * untyped persons out whom we keep. */
static void check_second(suite *s, const json_t *c, const char *key, const double *got,
                         uint32_t n) {
    const json_t *second = json_object_get(c, key), *want = json_object_get(second, "likelihood");
    double apart = json_number_value(json_object_get(second, "max_rel_diff"));

    if (apart > 1e-9)
        reference_skip(s->ret, "likelihood, second program",
                       "it leaves out untyped persons, which changes its value");
    for (uint32_t m = 0; m < n && want && apart <= 1e-9; m++)
        reference_compare(s->ret, "likelihood, second program",
                          json_number_value(json_array_get(want, m)), got[m],
                          json_string_value(json_object_get(c, "id")));
}

static int check_case(suite *s, const json_t *c, atg_err *err) {
    const json_t *options = json_object_get(c, "options"), *want = json_object_get(c, "likelihood");
    const char *id = json_string_value(json_object_get(c, "id"));
    double theta = json_number_value(json_object_get(options, "theta"));
    atg_str kind = reference_text(json_object_get(c, "kind"));
    atg_marker *markers;
    atg_pedigree ped;
    uint32_t n;
    char name[48];
    int rc = markers_of(s, c, &n, &markers, err);

    if (!rc)
        rc = reference_pedigree(s->arena, json_object_get(c, "pedigree"),
                                json_object_get(c, "genotypes"), n, markers, &ped, err);
    if (!rc)
        rc = apply_options(s, options, n, markers, &ped, err);
    if (rc)
        return rc;
    (void)snprintf(name, sizeof(name), "likelihood, %.*s", ATG_FMT(kind));

    double total = 0, likelihoods[ATG_MARKERS_MAX];

    for (uint32_t m = 0; m < n && !rc; m++) {
        double got;

        rc = atg_loglik(markers, m, &ped, theta, &got, err);
        if (rc)
            break;
        total += got;
        likelihoods[m] = exp(got);
        reference_compare(s->ret, name, json_number_value(json_array_get(want, m)), exp(got), id);
    }

    double loglik;

    if (rc)
        return rc;
    check_second(s, c, "second", likelihoods, n);
    check_second(s, c, "second_untyped_kept", likelihoods, n);
    if (reference_number(json_object_get(c, "loglik_total"), &loglik))
        reference_compare(s->ret, "log-likelihood", loglik, total, id);
    return json_object_get(c, "joint_likelihood") ? check_linked(s, c, markers, &ped, err) : ATG_OK;
}

/* The pedigree with the sample in the missing person's place, and next to the family. */
static int seat(suite *s, const json_t *c, uint32_t n, const atg_marker *markers,
                atg_pedigree *with, atg_pedigree *beside, atg_err *err) {
    atg_str missing = reference_text(json_object_get(c, "missing"));
    atg_pedigree ped, alone;
    json_t *list = json_pack("[{s:s, s:s}]", "id", "sample", "sex", "U");
    json_t *genotypes = json_object();
    int rc =
        list && genotypes && json_object_set(genotypes, "sample", json_object_get(c, "sample")) == 0
            ? ATG_OK
            : atg_fail(err, ATG_ENOMEM, "Out of memory reading a case");

    if (!rc)
        rc = reference_pedigree(s->arena, json_object_get(c, "pedigree"),
                                json_object_get(c, "references"), n, markers, &ped, err);
    if (!rc)
        rc = reference_pedigree(s->arena, list, genotypes, n, markers, &alone, err);
    json_decref(list);
    json_decref(genotypes);
    if (rc)
        return rc;

    atg_person *a = ATG_GET(s->arena, atg_person, ped.n),
               *b = ATG_GET(s->arena, atg_person, ped.n + 1);
    int at = atg_pedigree_find(&ped, missing);

    if (!a || !b || at < 0)
        return atg_fail(err, ATG_EPARSE, "The missing person of a case is not in its pedigree");
    memcpy(a, ped.persons, ped.n * sizeof(*a));
    memcpy(b, ped.persons, ped.n * sizeof(*b));
    a[at].genos = alone.persons[0].genos;
    b[ped.n] = (atg_person){.id = ATG_STR("beside"),
                            .father = -1,
                            .mother = -1,
                            .sex = ped.persons[at].sex,
                            .genos = alone.persons[0].genos};
    *with = (atg_pedigree){ped.n, a};
    *beside = (atg_pedigree){ped.n + 1, b};
    return ATG_OK;
}

static int check_theta_lr(suite *s, const json_t *c, atg_err *err) {
    const char *id = json_string_value(json_object_get(c, "id"));
    double theta = json_number_value(json_object_get(c, "theta"));
    atg_pedigree with, beside;
    atg_marker *markers;
    uint32_t n;
    int rc = markers_of(s, c, &n, &markers, err);

    if (!rc)
        rc = seat(s, c, n, markers, &with, &beside, err);
    for (uint32_t m = 0; m < n && !rc; m++) {
        double h1 = 0, h2 = 0;

        rc = atg_loglik(markers, m, &with, theta, &h1, err);
        if (!rc)
            rc = atg_loglik(markers, m, &beside, theta, &h2, err);
        if (rc)
            break;
        reference_compare(s->ret, "theta LR, H1",
                          json_number_value(json_array_get(json_object_get(c, "likelihood_H1"), m)),
                          exp(h1), id);
        reference_compare(s->ret, "theta LR, H2",
                          json_number_value(json_array_get(json_object_get(c, "likelihood_H2"), m)),
                          exp(h2), id);
        reference_compare(s->ret, "theta LR",
                          json_number_value(json_array_get(json_object_get(c, "LR_per_marker"), m)),
                          exp(h1 - h2), id);
    }
    return rc;
}

/* What the case says of a/b; a man at an X marker has one allele. */
static const json_t *want_genotype(const json_t *want, const atg_marker *m, uint16_t a,
                                   uint16_t b) {
    char key[80];
    const json_t *value;

    (void)snprintf(key, sizeof(key), "%.*s/%.*s", ATG_FMT(m->labels[a]), ATG_FMT(m->labels[b]));
    value = json_object_get(want, key);
    return value || a != b ? value : json_object_getn(want, m->labels[a].p, m->labels[a].n);
}

static int check_distribution(suite *s, const json_t *c, atg_err *err) {
    const char *id = json_string_value(json_object_get(c, "id"));
    atg_marker marker;
    atg_pedigree ped;
    double loglik;
    int rc = reference_marker(s->arena, json_object_get(c, "marker"), &marker, err);

    if (!rc)
        rc = reference_pedigree(s->arena, json_object_get(c, "pedigree"),
                                json_object_get(c, "genotypes"), 1, &marker, &ped, err);
    if (rc)
        return rc;

    int at = atg_pedigree_find(&ped, reference_text(json_object_get(c, "target")));
    double *got = ATG_GET(s->arena, double, (size_t)marker.n *(marker.n + 1) / 2);

    if (at < 0 || !got)
        return atg_fail(err, ATG_EPARSE, "The target of %s is not in its pedigree", id);
    rc = atg_genotype_distribution(&(atg_person_at){&marker, 0, &ped, (uint32_t)at, 0, NULL}, got,
                                   &loglik, err);
    if (rc)
        return rc;
    for (uint16_t b = 0; b < marker.n; b++)
        for (uint16_t a = 0; a <= b; a++) {
            const json_t *want = want_genotype(json_object_get(c, "posterior"), &marker, a, b);

            if (want)
                reference_compare(s->ret, "genotype distribution", json_number_value(want),
                                  got[b * (b + 1) / 2 + a], id);
        }
    reference_compare(s->ret, "likelihood of references",
                      json_number_value(json_object_get(c, "likelihood_of_references")),
                      exp(loglik), id);
    return ATG_OK;
}

/* One more marker excludes with probability p: the chances of 0, 1, ... exclusions so far. */
static void add_exclusion(double *chances, uint32_t n_before, double p) {
    for (uint32_t k = n_before + 2; k-- > 0;)
        chances[k] = (k <= n_before ? chances[k] * (1 - p) : 0) + (k ? chances[k - 1] * p : 0);
}

static void compare_mismatches(suite *s, const json_t *c, uint32_t n, const double *chances) {
    const json_t *want = json_object_get(c, "distribMismatch");
    const char *key;
    json_t *value;

    json_object_foreach(json_iterable(want), key, value) {
        unsigned long k = strtoul(key, NULL, 10);

        if (json_is_number(value))
            reference_compare(s->ret, "number of exclusions", json_number_value(value),
                              k <= n ? chances[k] : 0, json_string_value(json_object_get(c, "id")));
    }
}

static int check_power(suite *s, const json_t *c, atg_err *err) {
    const char *id = json_string_value(json_object_get(c, "id"));
    const json_t *want = json_object_get(c, "EPperMarker");
    double none = 1, sum = 0, chances[ATG_MARKERS_MAX + 2] = {1};
    atg_marker *markers;
    atg_pedigree ped;
    uint32_t n;
    int rc = markers_of(s, c, &n, &markers, err);

    if (!rc)
        rc = reference_pedigree(s->arena, json_object_get(c, "pedigree"),
                                json_object_get(c, "genotypes"), n, markers, &ped, err);
    for (uint32_t m = 0; m < n && !rc; m++) {
        int at = atg_pedigree_find(&ped, reference_text(json_object_get(c, "missing")));
        double got;

        rc = atg_exclusion_power(markers, m, &ped, (uint32_t)at, &got, err);
        if (rc)
            break;
        reference_compare(s->ret, "exclusion power", json_number_value(json_array_get(want, m)),
                          got, id);
        none *= 1 - got;
        sum += got;
        add_exclusion(chances, m, got);
    }
    if (!rc) {
        compare_mismatches(s, c, n, chances);
        reference_compare(s->ret, "exclusion power",
                          json_number_value(json_object_get(c, "EPtotal")), 1 - none, id);
        reference_compare(s->ret, "exclusion power",
                          json_number_value(json_object_get(c, "expectedMismatch")), sum, id);
    }
    return rc;
}

/* The n * n coefficients of `ped` against the rows of the case. */
static void compare_kinship(suite *s, const json_t *c, bool x, const atg_pedigree *ped,
                            const double *got) {
    const json_t *want = json_object_get(c, x ? "kinshipX" : "kinship");
    const json_t *order = json_object_get(c, "order");
    size_t n = json_array_size(want);

    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            int a = atg_pedigree_find(ped, reference_text(json_array_get(order, i)));
            int b = atg_pedigree_find(ped, reference_text(json_array_get(order, j)));
            const json_t *value = json_array_get(json_array_get(want, i), j);

            if (a >= 0 && b >= 0 && json_is_number(value))
                reference_compare(s->ret, x ? "kinship, X" : "kinship", json_number_value(value),
                                  got[(uint32_t)a * ped->n + (uint32_t)b],
                                  json_string_value(json_object_get(c, "description")));
        }
}

/* A child's coefficient of inbreeding is its parents' kinship: 2 phi - 1 of its own. */
static void compare_inbreeding(suite *s, const json_t *c, const atg_pedigree *ped,
                               const double *got) {
    const json_t *want = json_object_get(c, "inbreeding"), *order = json_object_get(c, "order");

    for (size_t i = 0; i < json_array_size(want); i++) {
        int a = atg_pedigree_find(ped, reference_text(json_array_get(order, i)));
        const json_t *value = json_array_get(want, i);

        if (a >= 0 && json_is_number(value))
            reference_compare(s->ret, "inbreeding", json_number_value(value),
                              2 * got[(uint32_t)a * ped->n + (uint32_t)a] - 1,
                              json_string_value(json_object_get(c, "description")));
    }
}

static int check_kinship(suite *s, const json_t *c, atg_err *err) {
    atg_pedigree ped;
    int rc = reference_pedigree(s->arena, json_object_get(c, "pedigree"), NULL, 0, NULL, &ped, err);

    for (int x = 0; x < 2 && !rc; x++) {
        double *got = ATG_GET(s->arena, double, (size_t)ped.n *ped.n);

        if (!got)
            return atg_fail(err, ATG_ENOMEM, "Out of memory computing kinship");
        rc = atg_kinship(&ped, x == 1, got, err);
        if (rc)
            return rc;
        compare_kinship(s, c, x == 1, &ped, got);
        if (x == 0)
            compare_inbreeding(s, c, &ped, got);
    }
    return rc;
}

enum { RELATION_MAX = 12 };

/* The relationships that the LR cases name, A and B being the typed persons. */
static const struct relation {
    const char *name;
    const char *persons; /* id,father,mother,sex; separated by blanks */
} relations[] = {
    {"unrelated", "A,,,M B,,,M"},
    {"parent", "A,,,M m,,,F B,A,m,M"},
    {"fullsib", "f,,,M m,,,F A,f,m,M B,f,m,M"},
    {"halfsib", "f,,,M m,,,F n,,,F A,f,m,M B,f,n,M"},
    {"grandparent", "A,,,M m,,,F s,A,m,M n,,,F B,s,n,M"},
    {"uncle", "f,,,M m,,,F A,f,m,M s,f,m,M n,,,F B,s,n,M"},
    {"cousins", "f,,,M m,,,F s,f,m,M t,f,m,M n,,,F o,,,F A,s,n,M B,t,o,M"},
    {"dfc", "f,,,M m,,,F g,,,M n,,,F s,f,m,M t,f,m,M u,g,n,F v,g,n,F A,s,u,M B,t,v,M"},
};

static int relation_pedigree(suite *s, const char *persons, const atg_geno *a, const atg_geno *b,
                             atg_pedigree *ret, atg_err *err) {
    atg_person *made = ATG_GET(s->arena, atg_person, RELATION_MAX);
    atg_str rest = atg_str_of(persons);
    uint32_t n = 0;

    if (!made)
        return atg_fail(err, ATG_ENOMEM, "Out of memory reading a case");
    while (rest.n && n < RELATION_MAX) {
        atg_str line = atg_str_cut(&rest, ' ');
        atg_pedigree so_far = {n, made};

        made[n].id = atg_str_cut(&line, ',');
        made[n].father = atg_pedigree_find(&so_far, atg_str_cut(&line, ','));
        made[n].mother = atg_pedigree_find(&so_far, atg_str_cut(&line, ','));
        made[n].sex = atg_str_eq(line, ATG_STR("M")) ? ATG_SEX_MALE : ATG_SEX_FEMALE;
        made[n].genos = atg_str_eq(made[n].id, ATG_STR("A"))   ? a
                        : atg_str_eq(made[n].id, ATG_STR("B")) ? b
                                                               : NULL;
        n++;
    }
    *ret = (atg_pedigree){n, made};
    return atg_pedigree_check(ret, err);
}

static const char *relation_persons(const char *name) {
    for (size_t i = 0; i < sizeof(relations) / sizeof(*relations); i++)
        if (strcmp(relations[i].name, name) == 0)
            return relations[i].persons;
    return NULL;
}

/* Two typed persons, A and B. */
typedef struct lr_case {
    const char *id;
    uint32_t n;
    atg_marker *markers;
    const atg_geno *a, *b;
} lr_case;

/* Likelihood per marker under one relationship; the sum of logs goes to *total. */
static int check_hypothesis(suite *s, const lr_case *lr, const char *name, const json_t *want,
                            double *total, atg_err *err) {
    const char *persons = relation_persons(name);
    atg_pedigree ped;
    int rc;

    *total = 0;
    if (!persons) {
        reference_skip(s->ret, "LR cases", "a relationship of unknown name");
        return ATG_OK;
    }
    rc = relation_pedigree(s, persons, lr->a, lr->b, &ped, err);
    for (uint32_t m = 0; m < lr->n && !rc; m++) {
        double got = 0;

        rc = atg_loglik(lr->markers, m, &ped, 0, &got, err);
        *total += got;
        if (!rc)
            reference_compare(s->ret, "LR cases, likelihood",
                              json_number_value(json_array_get(want, m)), exp(got), lr->id);
    }
    return rc;
}

static int lr_markers(suite *s, json_t *typed, lr_case *ret, atg_err *err) {
    const json_t *database = json_object_get(json_object_get(s->root, "databases"), "norway");
    const char *key;
    json_t *value;

    ret->markers = ATG_GET(s->arena, atg_marker, json_object_size(typed) + 1);
    if (!ret->markers)
        return atg_fail(err, ATG_ENOMEM, "Out of memory reading a case");
    json_object_foreach(typed, key, value) {
        int rc =
            reference_marker(s->arena, json_object_get(database, key), &ret->markers[ret->n], err);

        if (rc)
            return rc;
        ret->markers[ret->n++].name = atg_str_of(key);
    }
    return ATG_OK;
}

static int lr_persons(suite *s, const json_t *genotypes, lr_case *ret, atg_err *err) {
    json_t *two = json_pack("[{s:s}, {s:s}]", "id", "A", "id", "B");
    atg_pedigree ped;
    int rc = two ? reference_pedigree(s->arena, two, genotypes, ret->n, ret->markers, &ped, err)
                 : atg_fail(err, ATG_ENOMEM, "Out of memory reading a case");

    json_decref(two);
    if (rc)
        return rc;
    ret->a = ped.persons[0].genos;
    ret->b = ped.persons[1].genos;
    return ATG_OK;
}

static int check_lr(suite *s, const json_t *c, atg_err *err) {
    const json_t *genotypes = json_object_get(c, "genotypes");
    lr_case lr = {.id = json_string_value(json_object_get(c, "id"))};
    const char *key;
    json_t *value;
    double unrelated = 0, related = 0, want;
    int rc = lr_markers(s, json_object_get(genotypes, "A"), &lr, err);

    if (!rc)
        rc = lr_persons(s, genotypes, &lr, err);
    if (!rc)
        rc = check_hypothesis(s, &lr, "unrelated", json_object_get(c, "likelihood_unrelated"),
                              &unrelated, err);
    json_object_foreach(json_object_get(c, "hypotheses"), key, value) {
        if (!rc)
            rc = check_hypothesis(s, &lr, key, json_object_get(value, "likelihood"), &related, err);
        /* a log near 0 is compared as an LR */
        if (!rc && relation_persons(key) &&
            reference_number(json_object_get(value, "log10LR_vs_unrelated"), &want))
            reference_compare(s->ret, "LR cases, LR", pow(10, want), exp(related - unrelated),
                              lr.id);
    }
    return rc;
}

typedef int case_fn(suite *s, const json_t *c, atg_err *err);

int reference_pedigrees(atg_arena *arena, const json_t *root, const atg_progress *progress,
                        atg_reference *ret, atg_err *err) {
    static const struct {
        const char *key;
        case_fn *fn;
        const char *known; /* members that are compared, or say what is computed */
    } parts[] = {
        {"cases", check_case,
         "kind pedigree markers genotypes options mutation likelihood loglik_total "
         "joint_likelihood second second_untyped_kept"},
        {"theta_lr_cases", check_theta_lr,
         "theta mutation pedigree missing references sample markers likelihood_H1 likelihood_H2 "
         "LR_per_marker"},
        {"lr_cases", check_lr, "truth genotypes likelihood_unrelated hypotheses"},
        {"genotype_distributions", check_distribution,
         "pedigree marker genotypes target likelihood_of_references posterior"},
        {"exclusion_power", check_power,
         "pedigree markers genotypes missing EPperMarker EPtotal expectedMismatch "
         "distribMismatch"},
        {"kinship", check_kinship, "pedigree order kinship inbreeding kinshipX"},
    };
    suite s = {arena, root, ret};

    for (size_t k = 0; k < sizeof(parts) / sizeof(*parts); k++) {
        const json_t *list = json_object_get(root, parts[k].key);

        for (size_t i = 0; i < json_array_size(list); i++) {
            int rc = parts[k].fn(&s, json_array_get(list, i), err);
            char prefix[40];

            if (rc)
                return rc;
            (void)snprintf(prefix, sizeof(prefix), "%s.", parts[k].key);
            reference_leftover(ret, json_array_get(list, i), prefix, parts[k].known,
                               "id description source note");
            if (progress && progress->step &&
                !progress->step(progress->user, parts[k].key, i + 1, json_array_size(list)))
                return atg_fail(err, ATG_ECANCEL, "Stopped on request");
        }
    }
    reference_leftover(ret, root, "",
                       "cases theta_lr_cases lr_cases genotype_distributions exclusion_power "
                       "kinship databases",
                       "schema generated_with documentation note");
    return ATG_OK;
}
