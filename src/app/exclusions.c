/* SPDX-License-Identifier: Apache-2.0 */
#include <antigone/app.h>

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"

/* What a family can say at a marker. */
enum { SILENT = 0, USEFUL, CONTRADICTORY };

/* The operation without mutation, and the distinct observations of its samples. */
typedef struct job {
    atg_operation op;
    uint32_t n_samples, n_missing;
    atg_obs_set *sets; /* per marker */
    uint16_t *row;     /* n_samples * n_markers: place in the set; sets[m].n when untyped */
    uint8_t *state;    /* n_families * n_markers: one of the above */
    uint16_t *n_incompatible, *n_compared, *n_own;
    atg_compiler *compilers[PARALLEL_MAX];
} job;

static int out_of_memory(atg_err *err) {
    return atg_fail(err, ATG_ENOMEM, "Out of memory making the exclusion matrix");
}

/* Markers that take part in a likelihood ratio. */
static bool compared(const atg_marker *marker) {
    return marker->chrom == ATG_CHROM_AUTOSOMAL || marker->chrom == ATG_CHROM_X;
}

static int without_mutation(atg_arena *arena, job *j) {
    atg_marker *markers = ATG_GET(arena, atg_marker, j->op.n_markers + 1);

    if (!markers)
        return ATG_ENOMEM;
    for (uint32_t m = 0; m < j->op.n_markers; m++) {
        markers[m] = j->op.markers[m];
        markers[m].female = markers[m].male = (atg_mutation){.model = ATG_MUT_NONE};
    }
    j->op.markers = markers;
    return ATG_OK;
}

static bool same_obs(const atg_obs *x, const atg_obs *y) {
    bool equal = (x->geno.a == y->geno.a && x->geno.b == y->geno.b) ||
                 (x->geno.a == y->geno.b && x->geno.b == y->geno.a);

    return equal && x->dropout == y->dropout && x->dropin == y->dropin;
}

static int list_observations(atg_arena *arena, job *j, uint32_t m) {
    atg_obs *obs = ATG_GET(arena, atg_obs, j->n_samples + 1);
    uint32_t n = 0;

    if (!obs)
        return ATG_ENOMEM;
    for (uint32_t s = 0; s < j->n_samples; s++) {
        const atg_sample *sample = &j->op.samples[s];
        atg_obs o = {sample->genos[m], sample->dropout, sample->dropin};
        uint32_t at = 0;

        bool blind = j->op.markers[m].chrom == ATG_CHROM_X && sample->sex == ATG_SEX_UNKNOWN;

        if (!atg_geno_typed(o.geno) || sample->mixture || blind || !compared(&j->op.markers[m])) {
            j->row[s * j->op.n_markers + m] = UINT16_MAX;
            continue;
        }
        while (at < n && !same_obs(&obs[at], &o))
            at++;
        if (at == n)
            obs[n++] = o;
        j->row[s * j->op.n_markers + m] = (uint16_t)at;
    }
    j->sets[m] = (atg_obs_set){n, obs};
    return ATG_OK;
}

static bool typed(const atg_pedigree *ped, uint32_t m) {
    for (uint32_t i = 0; i < ped->n; i++) {
        const atg_person *p = &ped->persons[i];

        if (p->genos && atg_geno_typed(p->genos[m]))
            return true;
        for (uint32_t k = 0; k < p->n_own; k++)
            if (atg_geno_typed(p->own[k].genos[m]))
                return true;
    }
    return false;
}

static int check_family(job *j, uint32_t f, atg_err *err) {
    const atg_pedigree *ped = &j->op.families[f].ped;

    for (uint32_t m = 0; m < j->op.n_markers; m++) {
        uint8_t *state = &j->state[f * j->op.n_markers + m];
        double loglik = 0;

        if (!compared(&j->op.markers[m]) || !typed(ped, m))
            continue;

        int rc = atg_loglik(j->op.markers, m, ped, 0, &loglik, err);

        if (rc)
            return rc;
        *state = loglik == -INFINITY ? CONTRADICTORY : USEFUL;
        j->n_own[f] = (uint16_t)(j->n_own[f] + (*state == CONTRADICTORY));
    }
    return ATG_OK;
}

static void count(job *j, uint32_t missing, double *const *table) {
    const atg_missing *who = &j->op.missing[missing];
    const atg_family *family = &j->op.families[who->family];
    const uint8_t *state = j->state + (size_t)who->family * j->op.n_markers;
    bool x_known = family->ped.persons[who->person].sex != ATG_SEX_UNKNOWN;

    for (uint32_t s = 0; s < j->n_samples; s++) {
        size_t cell = (size_t)s * j->n_missing + missing;

        for (uint32_t m = 0; m < j->op.n_markers; m++) {
            uint16_t row = j->row[s * j->op.n_markers + m];

            if (row == UINT16_MAX || state[m] != USEFUL ||
                (j->op.markers[m].chrom == ATG_CHROM_X && !x_known))
                continue;
            j->n_compared[cell]++;
            j->n_incompatible[cell] =
                (uint16_t)(j->n_incompatible[cell] + (table[m][row] == -INFINITY));
        }
    }
}

/* One column: a missing person against all samples. */
static int column(void *user, uint32_t worker, uint64_t piece, atg_err *err) {
    job *j = user;
    uint32_t missing = (uint32_t)piece, total = 1;
    double *table[ATG_MARKERS_MAX];

    if (!j->compilers[worker])
        j->compilers[worker] = atg_compiler_new();
    for (uint32_t m = 0; m < j->op.n_markers; m++)
        total += j->sets[m].n;

    MEM_AUTO double *values = mem_zero(total, sizeof(double));

    if (!j->compilers[worker] || !values)
        return out_of_memory(err);
    total = 0;
    for (uint32_t m = 0; m < j->op.n_markers; m++) {
        table[m] = values + total;
        total += j->sets[m].n;
    }

    int rc = atg_compile(j->compilers[worker], &j->op, missing, j->sets, table, err);

    if (!rc)
        count(j, missing, table);
    return rc;
}

static int prepare(atg_arena *arena, job *j, atg_err *err) {
    size_t cells = (size_t)j->n_samples * j->n_missing;
    uint32_t markers = j->op.n_markers;

    j->sets = ATG_GET(arena, atg_obs_set, markers + 1);
    j->row = ATG_GET(arena, uint16_t, (size_t)j->n_samples * markers + 1);
    j->state = ATG_GET(arena, uint8_t, (size_t)j->op.n_families * markers + 1);
    j->n_incompatible = ATG_GET(arena, uint16_t, cells + 1);
    j->n_compared = ATG_GET(arena, uint16_t, cells + 1);
    j->n_own = ATG_GET(arena, uint16_t, j->op.n_families + 1);
    if (!j->sets || !j->row || !j->state || !j->n_incompatible || !j->n_compared || !j->n_own ||
        without_mutation(arena, j))
        return out_of_memory(err);
    for (uint32_t m = 0; m < markers; m++)
        if (list_observations(arena, j, m))
            return out_of_memory(err);
    for (uint32_t f = 0; f < j->op.n_families; f++) {
        int rc = check_family(j, f, err);

        if (rc)
            return rc;
    }
    return ATG_OK;
}

int atg_exclusion_matrix(atg_arena *arena, const atg_operation *op, uint32_t threads,
                         const atg_progress *progress, atg_exclusions *ret, atg_err *err) {
    MEM_AUTO job *j = mem_zero(1, sizeof(*j));
    int rc;

    if (!j)
        return out_of_memory(err);
    j->op = *op;
    j->op.params.theta = 0; /* what is impossible is so at every theta, and this is faster */
    j->n_samples = op->n_samples;
    j->n_missing = op->n_missing;
    rc = prepare(arena, j, err);
    if (!rc)
        rc = parallel_run(threads, op->n_missing, column, j, "exclude", progress, err);
    for (int w = 0; w < PARALLEL_MAX; w++)
        atg_compiler_free(j->compilers[w]);
    if (!rc)
        *ret = (atg_exclusions){j->n_incompatible, j->n_compared, j->n_own};
    return rc;
}
