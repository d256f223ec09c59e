/* SPDX-License-Identifier: Apache-2.0 */
#include "exercise/genes.h"

#include <antigone/dna.h>

enum { NO_ALLELE = ATG_ALLELE_UNREAD };

struct locus {
    const atg_marker *marker;
    double total;      /* of the frequencies, which may miss 1 by rounding */
    double *matrix[2]; /* n * n: of fathers, of mothers; NULL: nothing mutates */
    uint32_t *seen;    /* theta > 0: founder alleles drawn so far, by allele */
    uint32_t n_seen;
    int16_t amel_x, amel_y;
};

struct gene_pool {
    uint32_t n_markers;
    double theta;
    struct locus *loci;
};

static int short_of_memory(atg_err *err) {
    return atg_fail(err, ATG_ENOMEM, "Memory is short for an exercise of this size");
}

static int add_matrix(atg_arena *scratch, const atg_marker *marker, const atg_mutation *mutation,
                      double **ret, atg_err *err) {
    double *m;

    if (mutation->model == ATG_MUT_NONE)
        return ATG_OK;
    m = ATG_GET(scratch, double, (size_t)marker->n * marker->n);
    if (!m)
        return short_of_memory(err);
    *ret = m;
    return atg_mutation_matrix(marker, mutation, m, err);
}

static int add_locus(atg_arena *scratch, const atg_marker *marker, bool count, struct locus *ret,
                     atg_err *err) {
    int rc;

    ret->marker = marker;
    for (uint16_t i = 0; i < marker->n; i++)
        ret->total += marker->freqs[i];
    if (marker->chrom == ATG_CHROM_AMELOGENIN) {
        ret->amel_x = (int16_t)atg_marker_allele(marker, ATG_STR("X"));
        ret->amel_y = (int16_t)atg_marker_allele(marker, ATG_STR("Y"));
        if (ret->amel_x < 0 || ret->amel_y < 0)
            return atg_fail(err, ATG_EINVAL, "The alleles of %.*s must be X and Y",
                            ATG_FMT(marker->name));
        return ATG_OK;
    }
    if (count && !(ret->seen = ATG_GET(scratch, uint32_t, marker->n)))
        return short_of_memory(err);
    rc = add_matrix(scratch, marker, &marker->male, &ret->matrix[0], err);
    return rc ? rc : add_matrix(scratch, marker, &marker->female, &ret->matrix[1], err);
}

int gene_pool_new(atg_arena *scratch, uint32_t n_markers, const atg_marker *markers, double theta,
                  gene_pool **ret, atg_err *err) {
    gene_pool *pool = ATG_GET(scratch, gene_pool, 1);
    int rc = ATG_OK;

    if (!pool || !(pool->loci = ATG_GET(scratch, struct locus, n_markers)))
        return short_of_memory(err);
    pool->n_markers = n_markers;
    pool->theta = theta;
    for (uint32_t m = 0; m < n_markers && !rc; m++)
        rc = add_locus(scratch, &markers[m], theta > 0, &pool->loci[m], err);
    if (!rc)
        *ret = pool;
    return rc;
}

static int16_t from_table(const struct locus *l, double u) {
    uint16_t i = 0;

    for (u *= l->total; i + 1 < l->marker->n && u >= l->marker->freqs[i]; i++)
        u -= l->marker->freqs[i];
    return (int16_t)i;
}

static int16_t from_seen(const struct locus *l, atg_rng *rng) {
    uint64_t x = atg_rng_below(rng, l->n_seen);
    uint16_t i = 0;

    while (x >= l->seen[i])
        x -= l->seen[i++];
    return (int16_t)i;
}

/* The sampling formula as an urn: of the weight (1 - theta) + m theta of the next allele, m theta
 * belongs to the m alleles that were drawn before. */
static int16_t draw(gene_pool *pool, struct locus *l, atg_rng *rng) {
    double theta = pool->theta, x = atg_rng_unit(rng);
    int16_t a;

    if (!l->seen)
        return from_table(l, x);
    x *= (1 - theta) + l->n_seen * theta;
    if (x < 1 - theta)
        a = from_table(l, x / (1 - theta));
    else
        a = from_seen(l, rng);
    l->seen[a]++;
    l->n_seen++;
    return a;
}

static bool has_pat(const atg_marker *m, atg_sex sex) {
    return m->chrom == ATG_CHROM_AUTOSOMAL ||
           (m->chrom == ATG_CHROM_X ? sex == ATG_SEX_FEMALE : sex == ATG_SEX_MALE);
}

static bool has_mat(const atg_marker *m) {
    return m->chrom == ATG_CHROM_AUTOSOMAL || m->chrom == ATG_CHROM_X;
}

bool genes_single(const atg_marker *marker, atg_sex sex) {
    return marker->chrom == ATG_CHROM_Y || (marker->chrom == ATG_CHROM_X && sex == ATG_SEX_MALE);
}

static hap amelogenin(const struct locus *l, atg_sex sex) {
    hap h = {l->amel_x, l->amel_x};

    if (sex == ATG_SEX_MALE)
        h.pat = l->amel_y;
    return h;
}

int16_t genes_pass(const gene_pool *pool, atg_rng *rng, uint32_t m, atg_sex parent, hap h) {
    const struct locus *l = &pool->loci[m];
    const double *matrix = l->matrix[parent == ATG_SEX_FEMALE];
    uint64_t bits = atg_rng_next(rng);
    double u = (double)(bits >> 11) * 0x1p-53;
    int16_t from = h.pat;

    if (h.pat == NO_ALLELE || (h.mat != NO_ALLELE && (bits & 1U)))
        from = h.mat;
    if (!matrix)
        return from;

    const double *row = matrix + (size_t)from * l->marker->n;

    u -= row[from];
    for (int16_t to = 0; u >= 0 && to < l->marker->n; to++) {
        u -= to == from ? 0 : row[to];
        if (u < 0)
            return to;
    }
    return from;
}

/* The allele of one parent, who may be outside the family. */
static int16_t inherit(gene_pool *pool, atg_rng *rng, uint32_t m, atg_sex parent, const hap *of) {
    if (!of)
        return draw(pool, &pool->loci[m], rng);
    return genes_pass(pool, rng, m, parent, of[m]);
}

void genes_child(gene_pool *pool, atg_rng *rng, const hap *father, const hap *mother, atg_sex sex,
                 hap *ret) {
    for (uint32_t m = 0; m < pool->n_markers; m++) {
        const atg_marker *marker = pool->loci[m].marker;

        if (marker->chrom == ATG_CHROM_AMELOGENIN) {
            ret[m] = amelogenin(&pool->loci[m], sex);
            continue;
        }
        ret[m] = (hap){NO_ALLELE, NO_ALLELE};
        if (has_pat(marker, sex))
            ret[m].pat = inherit(pool, rng, m, ATG_SEX_MALE, father);
        if (has_mat(marker))
            ret[m].mat = inherit(pool, rng, m, ATG_SEX_FEMALE, mother);
    }
}

void genes_found(gene_pool *pool, atg_rng *rng, atg_sex sex, hap *ret) {
    genes_child(pool, rng, NULL, NULL, sex, ret);
}

void genes_read(const gene_pool *pool, const hap *h, atg_geno *ret) {
    for (uint32_t m = 0; m < pool->n_markers; m++) {
        int16_t silent = pool->loci[m].marker->silent;
        int16_t a = h[m].pat, b = h[m].mat;

        if (a == NO_ALLELE || (silent >= 0 && a == silent))
            a = b;
        if (b == NO_ALLELE || (silent >= 0 && b == silent))
            b = a;
        if (silent >= 0 && a == silent)
            a = b = NO_ALLELE;
        ret[m] = a <= b ? (atg_geno){a, b} : (atg_geno){b, a};
    }
}
