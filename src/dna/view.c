/* SPDX-License-Identifier: Apache-2.0 */
#include "dna/view.h"

#include <string.h>

#include "base/mem.h"
#include "dna/mutation.h"

int matrices_make(const atg_marker *marker, matrices *ret, atg_err *err) {
    size_t cells = (size_t)marker->n * marker->n;
    const atg_mutation *of[2] = {&marker->female, &marker->male};
    matrices m = {.marker = marker};
    bool any = false;

    for (int s = 0; s < 2; s++)
        any |= mutation_form_of(marker, of[s]).kind != MUTATION_IDENTITY;
    if (any) {
        m.room = mem_alloc(2 * cells * sizeof(double));
        if (!m.room)
            return atg_fail(err, ATG_ENOMEM, "Out of memory making a mutation matrix");
    }
    for (int s = 0; s < 2; s++) {
        if (mutation_form_of(marker, of[s]).kind == MUTATION_IDENTITY)
            continue;
        m.mut[s] = m.room + s * cells;

        int rc = atg_mutation_matrix(marker, of[s], m.mut[s], err);

        if (rc) {
            matrices_free(&m);
            return rc;
        }
    }
    *ret = m;
    return ATG_OK;
}

void matrices_free(matrices *m) {
    mem_free(m->room);
    *m = (matrices){0};
}

void view_free(view *v) {
    mem_free(v->room);
    *v = (view){0};
}

/* Room for the frequencies and two matrices of n classes. */
static int reserve(view *v, uint32_t n, atg_err *err) {
    size_t need = n + 2 * (size_t)n * n;

    if (need > v->cap) {
        double *room = mem_grow(v->room, need * 2 * sizeof(double));

        if (!room)
            return atg_fail(err, ATG_ENOMEM, "Out of memory lumping alleles");
        v->room = room;
        v->cap = need * 2;
    }
    v->n = n;
    v->freq = v->room;
    return ATG_OK;
}

static int make_full(view *v, const matrices *m, atg_err *err) {
    int rc = reserve(v, v->marker->n, err);

    if (rc)
        return rc;
    v->rest = v->fresh = -1;
    v->n_rest = 0;
    v->mut[0] = m->mut[0];
    v->mut[1] = m->mut[1];
    for (uint16_t i = 0; i < v->marker->n; i++) {
        v->class_of[i] = v->rep[i] = (int16_t)i;
        v->freq[i] = v->marker->freqs[i];
    }
    return ATG_OK;
}

/* The share of fresh alleles that falls into each class. */
static void fresh_shares(const view *v, mutation_kind kind, double *w) {
    const atg_marker *m = v->marker;
    int to = v->fresh >= 0 ? v->fresh : v->rest;
    uint32_t n_visible = m->n - (m->silent >= 0);
    double total = m->silent >= 0 ? 1 - m->freqs[m->silent] : 1, rest = total;

    for (uint32_t c = 0; c < v->n; c++) {
        bool own = (int)c != v->rest && (int)c != v->fresh && v->rep[c] != m->silent;

        w[c] = !own ? 0 : kind == MUTATION_UNIFORM ? 1.0 / n_visible : m->freqs[v->rep[c]] / total;
        rest -= own ? m->freqs[v->rep[c]] : 0;
    }
    if (v->rest >= 0)
        w[to] = kind == MUTATION_UNIFORM ? (double)v->n_rest / n_visible : rest / total;
}

static void lumped_matrix(const view *v, mutation_form form, double *mut) {
    double w[ATG_ALLELES_MAX + 1];

    fresh_shares(v, form.kind, w);
    for (uint32_t i = 0; i < v->n; i++)
        for (uint32_t j = 0; j < v->n; j++) {
            bool silent = v->rep[i] == v->marker->silent && v->marker->silent >= 0;

            mut[i * v->n + j] = silent ? i == j : (i == j ? 1 - form.fresh : 0) + form.fresh * w[j];
        }
}

/* Which class each allele is in; returns the number of classes.  *ret_rest: frequency of what is
 * lumped. */
static uint32_t lump(view *v, const bool *seen, bool split, double *ret_rest) {
    const atg_marker *m = v->marker;
    uint32_t n = 0;

    v->rest = v->fresh = -1;
    *ret_rest = 1;
    for (uint16_t i = 0; i < m->n; i++)
        if (seen[i] || i == m->silent) {
            v->rep[n] = (int16_t)i;
            v->class_of[i] = (int16_t)n++;
            *ret_rest -= m->freqs[i];
        }
    v->n_rest = m->n - n;
    for (uint16_t i = 0; i < m->n; i++)
        if (!seen[i] && i != m->silent) {
            v->rest = (int)n;
            v->class_of[i] = (int16_t)n;
            v->rep[n] = (int16_t)i;
        }
    n += v->n_rest > 0;
    if (v->n_rest > 1 && split) {
        v->fresh = (int)n;
        v->rep[n] = v->rep[n - 1];
        n++;
    }
    return n;
}

static int make_lumped(view *v, const bool *seen, bool split, const mutation_form *forms,
                       atg_err *err) {
    double rest;
    uint32_t n = lump(v, seen, split, &rest);
    int rc = reserve(v, n, err);

    if (rc)
        return rc;
    for (uint32_t c = 0; c < n; c++)
        v->freq[c] = v->marker->freqs[v->rep[c]];
    if (v->rest >= 0) /* rounding of a table whose frequencies sum to more than 1 leaves nothing */
        v->freq[v->rest] = rest > 0 ? rest : 1e-12;
    if (v->fresh >= 0)
        v->freq[v->fresh] = 0;
    for (int s = 0; s < 2; s++) {
        double *mut = v->room + n + s * (size_t)n * n;

        v->mut[s] = forms[s].kind == MUTATION_IDENTITY ? NULL : mut;
        if (v->mut[s])
            lumped_matrix(v, forms[s], mut);
    }
    return ATG_OK;
}

int view_make(view *v, const matrices *mats, const bool *seen, view_use use, atg_err *err) {
    const atg_marker *m = mats->marker;
    mutation_form forms[2] = {mutation_form_of(m, &m->female), mutation_form_of(m, &m->male)};
    bool uniform = false, population = false;

    v->marker = m;
    for (int s = 0; s < 2; s++) {
        if (forms[s].kind == MUTATION_GENERAL)
            use = VIEW_FULL;
        uniform |= forms[s].kind == MUTATION_UNIFORM;
        population |= forms[s].kind == MUTATION_POPULATION;
    }
    if (uniform && population && use != VIEW_SUM)
        use = VIEW_FULL;
    if (use == VIEW_FULL)
        return make_full(v, mats, err);
    v->fresh_uniform = uniform;

    bool split =
        (uniform && use == VIEW_READ) || ((uniform || population) && use == VIEW_READ_THETA);

    return make_lumped(v, seen, split, forms, err);
}

double view_identity(const view *v, uint32_t cls, uint32_t allele) {
    bool lumped = v->class_of[allele] == v->rest && v->rest >= 0;

    if ((int)cls != v->rest && (int)cls != v->fresh)
        return v->rep[cls] == (int16_t)allele;
    if (!lumped)
        return 0;
    if (v->n_rest == 1)
        return 1;
    return (int)cls == v->fresh && v->fresh_uniform ? 1.0 / v->n_rest
                                                    : v->marker->freqs[allele] / v->freq[v->rest];
}
