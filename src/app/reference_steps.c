/* SPDX-License-Identifier: Apache-2.0 */
#include "app/reference_steps.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "app/reference_joint.h"
#include "app/reference_solve.h"

typedef struct steps_check {
    atg_arena *arena;
    const atg_operation *op;
    const json_t *root, *results;
    atg_reference *ret;
} steps_check;

static int fresh(const steps_check *c, reference_state *ret, atg_err *err) {
    return reference_state_new(c->arena, c->op, json_object_get(c->root, "pairings"), ret, err);
}

static bool listed(const json_t *list, atg_str id) {
    for (size_t i = 0; i < json_array_size(list); i++)
        if (atg_str_eq(reference_text(json_array_get(list, i)), id))
            return true;
    return false;
}

static void compare_flag(const steps_check *c, const char *kind, bool want, bool got, atg_str who) {
    if (want == got)
        reference_same(c->ret, kind);
    else
        reference_differ(c->ret, kind, want ? ATG_STR("named") : ATG_STR("not named"),
                         got ? ATG_STR("named") : ATG_STR("not named"),
                         atg_arena_printf(c->arena, "%.*s", ATG_FMT(who)).p);
}

/* A list that names everybody once: no more names than people. */
static void compare_length(const steps_check *c, const char *kind, const json_t *list, size_t n) {
    if (json_array_size(list) != n)
        reference_compare(c->ret, kind, (double)json_array_size(list), (double)n, "names");
}

static int check_inconsistent(const steps_check *c, atg_err *err) {
    const char *kind = "markers that contradict a family";
    const json_t *want = json_object_get(c->results, "am_inconsistent_markers_without_mutation");
    bool at[ATG_MARKERS_MAX];

    for (uint32_t f = 0; f < c->op->n_families; f++) {
        const json_t *list = reference_member(want, c->op->families[f].id);
        uint32_t n;
        int rc = list ? reference_inconsistent(c->op, f, at, &n, err) : ATG_OK;

        if (rc)
            return rc;
        for (uint32_t m = 0; m < c->op->n_markers && list; m++)
            compare_flag(c, kind, listed(list, c->op->markers[m].name), at[m],
                         c->op->markers[m].name);
        if (list)
            compare_length(c, kind, list, n);
    }
    return ATG_OK;
}

static int check_nonidentifiable(const steps_check *c, atg_err *err) {
    const json_t *want = json_object_get(c->results, "nonidentifiable");
    const json_t *ids = json_object_get(want, "ids"), *summary = json_object_get(want, "summary");
    bool *at = ATG_GET(c->arena, bool, c->op->n_missing + 1);
    reference_state s;
    int rc = fresh(c, &s, err);

    if (rc || !want)
        return rc;
    rc = at ? reference_nonidentifiable(&s, at, err)
            : atg_fail(err, ATG_ENOMEM, "Out of memory checking an operation");
    if (rc)
        return rc;
    for (uint32_t j = 0; j < c->op->n_missing; j++)
        compare_flag(c, "nonidentifiable", listed(ids, c->op->missing[j].id), at[j],
                     c->op->missing[j].id);
    for (size_t k = 0; k < json_array_size(summary); k++) {
        const json_t *row = json_array_get(summary, k);
        int j = reference_missing_of(c->op, json_object_get(row, "Missing"));

        compare_flag(c, "nonidentifiable", true, j >= 0 && at[j], ATG_STR("summary"));
        reference_leftover(c->ret, row, "nonidentifiable.summary.", "Missing", "");
    }
    reference_leftover(c->ret, want, "nonidentifiable.", "ids summary", "note");
    return ATG_OK;
}

static void check_excluded_families(const steps_check *c, const reference_state *s,
                                    const json_t *want) {
    for (uint32_t f = 0; f < c->op->n_families; f++)
        compare_flag(c, "findExcluded", listed(want, c->op->families[f].id),
                     reference_left(s, f) == 0, c->op->families[f].id);
}

static void check_pairings(const steps_check *c, const reference_state *s, const json_t *want) {
    for (uint32_t i = 0; i < c->op->n_samples; i++) {
        const json_t *list = reference_member(want, c->op->samples[i].id);
        size_t n = list && listed(list, ATG_STR("*"));

        if (!list && s->body[i])
            compare_flag(c, "findExcluded, pairings", false, true, c->op->samples[i].id);
        for (uint32_t j = 0; j < c->op->n_missing && list; j++) {
            bool left = s->allowed[i * c->op->n_missing + j];

            compare_flag(c, "findExcluded, pairings", listed(list, c->op->missing[j].id), left,
                         c->op->samples[i].id);
            n += left;
        }
        if (list)
            compare_length(c, "findExcluded, pairings", list, n);
    }
}

static int check_excluded(const steps_check *c, atg_err *err) {
    const json_t *want = json_object_get(c->results, "findExcluded_max2");
    reference_excluded excluded;
    reference_state s;
    int rc = fresh(c, &s, err);

    if (rc || !want)
        return rc;
    rc = reference_exclude(&s, 2, &excluded, NULL, err);
    if (rc)
        return rc;
    for (uint32_t i = 0; i < c->op->n_samples; i++)
        compare_flag(c, "findExcluded",
                     listed(json_object_get(want, "sample"), c->op->samples[i].id),
                     !isnan(excluded.body[i]), c->op->samples[i].id);
    for (uint32_t j = 0; j < c->op->n_missing; j++)
        compare_flag(c, "findExcluded",
                     listed(json_object_get(want, "missing"), c->op->missing[j].id),
                     !isnan(excluded.missing[j]), c->op->missing[j].id);
    check_excluded_families(c, &s, json_object_get(want, "fam"));
    check_pairings(c, &s, json_object_get(want, "remaining_pairings"));
    reference_leftover(c->ret, want, "findExcluded_max2.", "sample missing fam remaining_pairings",
                       "note");
    return ATG_OK;
}

/* A text, where the file has one. */
static void compare_word(const steps_check *c, const char *kind, const json_t *want, atg_str got) {
    if (!json_is_string(want))
        return;
    if (atg_str_eq(reference_text(want), got))
        reference_same(c->ret, kind);
    else
        reference_differ(c->ret, kind, reference_text(want), got, "summary");
}

static void check_found(const steps_check *c, const json_t *row, const reference_steps *steps,
                        const char *kind) {
    int body = reference_sample_of(c->op, json_object_get(row, "Sample"));
    int missing = reference_missing_of(c->op, json_object_get(row, "Missing"));
    double lr;

    reference_leftover(c->ret, row, "findUndisputed.summary.",
                       "Family Missing Sample LR Conclusion Comment", "");
    for (uint32_t k = 0; k < steps->n; k++) {
        const reference_step *at = &steps->at[k];
        char step[24];

        if (at->body != body || at->missing != missing)
            continue;
        (void)snprintf(step, sizeof(step), "Step %u", at->step);
        if (missing >= 0) {
            compare_word(c, kind, json_object_get(row, "Comment"), atg_str_of(step));
            compare_word(c, kind, json_object_get(row, "Conclusion"), ATG_STR("Undisputed"));
            compare_word(c, kind, json_object_get(row, "Family"),
                         c->op->families[c->op->missing[missing].family].id);
        }
        if (reference_number(json_object_get(row, "LR"), &lr))
            reference_compare(c->ret, "findUndisputed, LR", lr, at->lr, "summary");
        return;
    }
    reference_differ(c->ret, kind, reference_text(json_object_get(row, "Sample")),
                     ATG_STR("not found"), "summary");
}

static void check_last(const steps_check *c, const json_t *want, const reference_steps *steps) {
    const json_t *samples = json_object_get(want, "samples"),
                 *missing = json_object_get(want, "missing");

    for (uint32_t i = 0; i < c->op->n_samples && want; i++)
        compare_flag(c, "findUndisputed, left", listed(samples, c->op->samples[i].id),
                     steps->body[i], c->op->samples[i].id);
    for (uint32_t j = 0; j < c->op->n_missing && want; j++)
        compare_flag(c, "findUndisputed, left", listed(missing, c->op->missing[j].id),
                     steps->missing[j], c->op->missing[j].id);
    for (size_t a = 0; a < json_array_size(samples); a++)
        for (size_t b = 0; b < json_array_size(missing); b++) {
            const json_t *row = json_array_get(json_object_get(want, "LR"), a);
            int i = reference_sample_of(c->op, json_array_get(samples, a));
            int j = reference_missing_of(c->op, json_array_get(missing, b));
            double lr;

            if (!reference_number(json_array_get(row, b), &lr))
                continue;
            if (i < 0 || j < 0)
                reference_skip(c->ret, "findUndisputed, LR",
                               "the operation has no such sample or missing person");
            else
                reference_compare(c->ret, "findUndisputed, LR", lr,
                                  steps->lr[(uint32_t)i * c->op->n_missing + (uint32_t)j],
                                  "last LRs");
        }
}

static int check_undisputed(const steps_check *c, const char *key, bool strict, atg_err *err) {
    const json_t *want = json_object_get(c->results, key);
    const json_t *summary = json_object_get(want, "summary");
    const char *kind = strict ? "findUndisputed, strict" : "findUndisputed";
    reference_steps steps;
    reference_state s;
    int rc = fresh(c, &s, err);

    if (rc || !want)
        return rc;
    rc = reference_undisputed(&s, 1e4, strict, &steps, NULL, err);
    if (rc)
        return rc;
    for (size_t k = 0; k < json_array_size(summary); k++)
        check_found(c, json_array_get(summary, k), &steps, kind);
    reference_compare(c->ret, kind, (double)json_array_size(summary), steps.n, "found");
    check_last(c, json_object_get(want, "last_LR"), &steps);
    reference_leftover(c->ret, want, "findUndisputed.", "summary last_LR", "note");
    return ATG_OK;
}

static int check_grid(const steps_check *c, atg_err *err) {
    const json_t *want = json_object_get(c->results, "grid");
    bool exact = atg_str_eq(reference_text(json_object_get(want, "type")), ATG_STR("exact"));
    double size, got;
    reference_state s;
    int rc = fresh(c, &s, err);

    if (!rc)
        rc = reference_grid(&s, &got, err);
    if (rc || !reference_number(json_object_get(want, "size"), &size))
        return rc;
    if (isnan(got))
        reference_skip(c->ret, "grid", "too many to count");
    else if (exact || got < size)
        reference_compare(c->ret, "grid", size, got, exact ? "size" : "lower bound");
    else
        reference_same(c->ret, "grid");
    reference_leftover(c->ret, want, "grid.", "size type", "note");
    return ATG_OK;
}

static int check_solve(const steps_check *c, atg_err *err) {
    const json_t *list = json_object_get(c->results, "dviSolve");

    for (size_t k = 0; k < json_array_size(list); k++) {
        const json_t *want = json_array_get(list, k);
        int rc = reference_within_limits(
            reference_solve(c->arena, c->op, c->root, want, c->ret, err), "dviSolve", c->ret, err);

        if (rc)
            return rc;
        reference_leftover(c->ret, want, "dviSolve.", "threshold AM PM", "seconds note");
    }
    return ATG_OK;
}

int reference_check_steps(atg_arena *arena, const atg_operation *op, const json_t *root,
                          atg_reference *ret, atg_err *err) {
    steps_check c = {arena, op, root, json_object_get(root, "results"), ret};
    int rc = check_inconsistent(&c, err);

    if (!rc)
        rc = check_nonidentifiable(&c, err);
    if (!rc)
        rc = check_excluded(&c, err);
    if (!rc)
        rc = check_undisputed(&c, "findUndisputed_1e4", false, err);
    if (!rc)
        rc = check_undisputed(&c, "findUndisputed_1e4_strict", true, err);
    if (!rc)
        rc = check_grid(&c, err);
    return rc ? rc : check_solve(&c, err);
}
