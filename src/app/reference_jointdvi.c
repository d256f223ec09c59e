/* SPDX-License-Identifier: Apache-2.0 */
/* jointDVI's tables.  By default it switches mutation off in families without inconsistency, first
 * identifies what is undisputed, and gives log-likelihoods of what is left; LR is against nobody
 * identified; LR0 is the same LR with the relatives' own profiles taken away. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "app/reference_joint.h"

static const double threshold = 1e4;

typedef struct dvi_table {
    reference_state all; /* before anything was identified */
    reference_state left;
    reference_steps steps;
    joint_solution joint;
    double found; /* LR of all that was undisputed */
    double n;     /* assignments that are considered */
    const char *name;
} dvi_table;

/* The pairs that the table took for granted; NULL assignment: none of them is in it. */
static bool has_found(const dvi_table *t, const json_t *assignment) {
    const atg_operation *op = &t->all.op;

    for (uint32_t k = 0; k < t->steps.n; k++) {
        const reference_step *at = &t->steps.at[k];
        const json_t *given = reference_member(assignment, op->samples[at->body].id);

        if (reference_missing_of(op, given) != at->missing)
            return false;
    }
    return true;
}

/* A family with bodies in their places and without its own profiles, over those bodies alone. */
static int family_without_references(const reference_state *s, uint32_t family,
                                     const json_t *assignment, double *ret, atg_err *err) {
    const atg_family *f = &s->op.families[family];
    atg_person persons[ATG_PEDIGREE_MAX];
    atg_family bare = *f;
    atg_operation one = s->op;
    double with, alone = 0;
    int rc;

    memcpy(persons, f->ped.persons, f->ped.n * sizeof(*persons));
    for (uint32_t p = 0; p < f->ped.n; p++)
        persons[p].genos = NULL;
    for (uint32_t i = 0; i < s->op.n_samples; i++) {
        int j = reference_missing_of(&s->op, reference_member(assignment, s->op.samples[i].id));
        double part;

        if (j < 0 || s->op.missing[j].family != family)
            continue;
        persons[s->op.missing[j].person].genos = s->op.samples[i].genos;
        rc = reference_sample_loglik(&s->op, i, &part, err);
        if (rc)
            return rc;
        alone += part;
    }
    bare.ped.persons = persons;
    one.families = &bare;
    rc = reference_family_loglik(&one, 0, s->mutation[family], &with, err);
    *ret = rc ? 0 : with - alone;
    return rc;
}

static int without_references(const reference_state *s, const json_t *assignment, double *ret,
                              atg_err *err) {
    int rc = ATG_OK;
    double sum = 0;

    for (uint32_t f = 0; f < s->op.n_families && !rc; f++) {
        double part;

        rc = family_without_references(s, f, assignment, &part, err);
        sum += rc ? 0 : part;
    }
    *ret = exp(sum);
    return rc;
}

static int check_item(const dvi_table *t, const json_t *item, double ranked, atg_reference *ret,
                      atg_err *err) {
    const json_t *assignment = json_object_get(item, "assignment");
    double weight =
        has_found(t, assignment) ? reference_joint_weight(&t->joint, assignment) : -INFINITY;
    double want, lr0;
    char kind[48];

    reference_leftover(ret, item, "jointDVI.", "assignment loglik LR posterior LR0", "");
    (void)snprintf(kind, sizeof(kind), "%s, log-likelihood", t->name);
    if (reference_number(json_object_get(item, "loglik"), &want)) {
        reference_compare(ret, kind, want, weight + t->joint.null, "an assignment");
        reference_compare(ret, kind, want, ranked + t->joint.null, "by rank");
    }
    (void)snprintf(kind, sizeof(kind), "%s, LR", t->name);
    if (reference_number(json_object_get(item, "LR"), &want))
        reference_compare(ret, kind, want, exp(weight) * t->found, "an assignment");
    (void)snprintf(kind, sizeof(kind), "%s, posterior", t->name);
    if (reference_number(json_object_get(item, "posterior"), &want))
        reference_compare(ret, kind, want, exp(weight - t->joint.got.log_z), "an assignment");
    (void)snprintf(kind, sizeof(kind), "%s, LR0", t->name);
    if (reference_number(json_object_get(item, "LR0"), &want)) {
        int rc = without_references(&t->all, assignment, &lr0, err);

        if (rc)
            return rc;
        reference_compare(ret, kind, want, lr0, "an assignment");
    }
    return ATG_OK;
}

/* When everybody was identified on the way, one assignment is left, over all profiles. */
static int solve_found(dvi_table *t, atg_err *err) {
    joint_solution all;
    double with = 0, part;
    int rc = reference_joint_solve(&t->all, &all, err);

    for (uint32_t f = 0; f < t->all.op.n_families && !rc; f++) {
        rc = reference_family_loglik(&t->left.op, f, t->left.mutation[f], &part, err);
        with += rc ? 0 : part;
    }
    for (uint32_t i = 0; i < t->all.op.n_samples && !rc; i++)
        if (t->left.body[i]) {
            rc = reference_sample_loglik(&t->all.op, i, &part, err);
            with += rc ? 0 : part;
        }
    if (rc)
        return rc;
    t->found = exp(with - all.null);
    t->joint.null = with;
    t->n = 1;
    return ATG_OK;
}

static int solve_table(dvi_table *t, bool undisputed, atg_err *err) {
    uint32_t bodies = 0, missing = 0;
    int rc = reference_undisputed(&t->left, undisputed ? threshold : INFINITY, false, &t->steps,
                                  NULL, err);

    if (rc)
        return rc;
    t->found = 1;
    for (uint32_t k = 0; k < t->steps.n; k++)
        t->found *= isnan(t->steps.at[k].lr) ? 1 : t->steps.at[k].lr;
    for (uint32_t i = 0; i < t->left.op.n_samples; i++)
        bodies += t->left.body[i];
    for (uint32_t j = 0; j < t->left.op.n_missing; j++)
        missing += t->left.missing[j];
    rc = reference_grid(&t->left, &t->n, err);
    if (!rc)
        rc = reference_joint_solve(&t->left, &t->joint, err);
    return !rc && t->steps.n && (!bodies || !missing) ? solve_found(t, err) : rc;
}

static int check_one(dvi_table *t, const json_t *results, const char *key, bool by_default,
                     atg_reference *ret, atg_err *err) {
    char name[48];
    const json_t *list, *n;
    double want;

    (void)snprintf(name, sizeof(name), "%s_top", key);
    list = json_object_get(results, name);
    (void)snprintf(name, sizeof(name), "%s_n", key);
    n = json_object_get(results, name);
    if (!list && !n)
        return ATG_OK;

    int rc = solve_table(t, by_default, err);

    if (rc)
        return reference_within_limits(rc, key, ret, err);
    if (!rc && reference_number(n, &want)) {
        if (isnan(t->n))
            reference_skip(ret, name, "too many to count");
        else
            reference_compare(ret, name, want, t->n, "the operation");
    }
    for (size_t i = 0; i < json_array_size(list) && !rc; i++) {
        const atg_assign_result *got = &t->joint.got;

        rc = check_item(t, json_array_get(list, i),
                        i < got->n_top ? got->top[i].log_weight : -INFINITY, ret, err);
    }
    return rc;
}

/* "Impossible initial data: AM component 5, 6": the families that are, without mutation. */
static int check_error(const reference_state *s, const json_t *want, atg_reference *ret,
                       atg_err *err) {
    atg_str text = reference_text(want), list = {NULL, 0};

    if (!text.p)
        return ATG_OK;
    for (uint32_t f = 0; f < s->op.n_families; f++) {
        uint32_t n;
        int rc = reference_inconsistent(&s->op, f, NULL, &n, err);

        if (rc)
            return rc;
        if (n)
            list = atg_arena_printf(s->arena, "%.*s%s%u", ATG_FMT(list), list.n ? ", " : "", f + 1);
    }
    list = atg_arena_printf(s->arena, "Impossible initial data: AM component %.*s", ATG_FMT(list));
    if (text.n < 15 || memcmp(text.p, "Impossible init", 15) != 0)
        reference_skip(ret, "jointDVI_default_error", "another reason than impossible data");
    else if (atg_str_eq(text, list))
        reference_same(ret, "jointDVI_default_error");
    else
        reference_differ(ret, "jointDVI_default_error", text, list, "the operation");
    return ATG_OK;
}

int reference_jointdvi(atg_arena *arena, const atg_operation *op, const json_t *root,
                       atg_reference *ret, atg_err *err) {
    const json_t *results = json_object_get(root, "results");

    for (int k = 0; k < 2; k++) {
        dvi_table t = {.name = k ? "jointDVI" : "jointDVI, legacy"};
        int rc = reference_state_new(arena, op, json_object_get(root, "pairings"), &t.all, err);

        if (!rc)
            rc = reference_state_new(arena, op, json_object_get(root, "pairings"), &t.left, err);
        if (!rc && k) {
            rc = reference_mutation_off(&t.all, false, err);
            memcpy(t.left.mutation, t.all.mutation, op->n_families * sizeof(bool));
        }
        if (!rc)
            rc = check_one(&t, results, k ? "jointDVI_default" : "jointDVI_legacy", k, ret, err);
        if (!rc && k)
            rc = check_error(&t.all, json_object_get(results, "jointDVI_default_error"), ret, err);
        if (rc)
            return rc;
    }
    return ATG_OK;
}
