/* SPDX-License-Identifier: Apache-2.0 */
#include "match/warm.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "dna/kernel.h"

enum { NOBODY = 255, BLOCKS_A_PIECE = 16 };

/* The genotypes of one marker, a <= b, in one order for all. */
typedef struct genotypes {
    bool counts;
    uint32_t first, n; /* lines of the block */
    atg_obs *obs;      /* each read for certain */
    double *prob[2];   /* in the population: of two alleles, of one (a man at an X marker) */
} genotypes;

struct warm {
    const atg_marker *markers;
    uint32_t n_markers, n_lines, capacity, n_blocks;
    genotypes *of;
    float **blocks; /* [line][lane]; NULL: nobody yet */
    uint8_t *sex;   /* of each person, or NOBODY */
};

/* What a body shows at one marker, as lines and weights. */
typedef struct mix {
    uint32_t n;
    uint32_t *lines;
    float *weights;
} mix;

static uint32_t pair_line(uint32_t n, uint32_t a, uint32_t b) {
    uint32_t lo = a < b ? a : b, hi = a < b ? b : a;

    return lo * n - lo * (lo + 1) / 2 + hi;
}

static int set_marker(const atg_marker *m, double theta, genotypes *g, atg_err *err) {
    uint32_t at = 0;

    g->n = m->n * (m->n + 1u) / 2;
    g->obs = mem_zero(g->n, sizeof(*g->obs));
    g->prob[0] = mem_zero(g->n, sizeof(double));
    g->prob[1] = mem_zero(g->n, sizeof(double));
    if (!g->obs || !g->prob[0] || !g->prob[1])
        return atg_fail(err, ATG_ENOMEM, "Out of memory keeping families ready");
    for (uint32_t a = 0; a < m->n; a++)
        for (uint32_t b = a; b < m->n; b++, at++) {
            double p = m->freqs[a], q = m->freqs[b];

            g->obs[at].geno = (atg_geno){(int16_t)a, (int16_t)b};
            g->prob[0][at] = a == b ? p * (theta + (1 - theta) * p) : 2 * (1 - theta) * p * q;
            g->prob[1][at] = a == b ? p : 0;
        }
    return ATG_OK;
}

int warm_new(const atg_operation *op, uint32_t capacity, warm **ret, atg_err *err) {
    warm *w = mem_zero(1, sizeof(*w));
    bool counts[ATG_MARKERS_MAX];
    int rc = ATG_OK;

    if (!w)
        return atg_fail(err, ATG_ENOMEM, "Out of memory keeping families ready");
    w->markers = op->markers;
    w->n_markers = op->n_markers;
    w->capacity = capacity;
    w->n_blocks = (capacity + WARM_LANES - 1) / WARM_LANES;
    w->of = mem_zero(op->n_markers + 1, sizeof(*w->of));
    w->blocks = mem_zero(w->n_blocks + 1, sizeof(*w->blocks));
    w->sex = mem_alloc((size_t)w->n_blocks * WARM_LANES + 1);
    if (!w->of || !w->blocks || !w->sex)
        rc = atg_fail(err, ATG_ENOMEM, "Out of memory keeping families ready");
    else
        memset(w->sex, NOBODY, (size_t)w->n_blocks * WARM_LANES + 1);
    atg_independent_markers(op, counts);
    for (uint32_t m = 0; m < op->n_markers && !rc; m++) {
        w->of[m].counts = counts[m];
        w->of[m].first = w->n_lines;
        if (counts[m])
            rc = set_marker(&op->markers[m], op->params.theta, &w->of[m], err);
        w->n_lines += w->of[m].n;
    }
    if (rc) {
        warm_free(w);
        return rc;
    }
    *ret = w;
    return ATG_OK;
}

void warm_free(warm *w) {
    if (!w)
        return;
    for (uint32_t m = 0; w->of && m < w->n_markers; m++) {
        mem_free(w->of[m].obs);
        mem_free(w->of[m].prob[0]);
        mem_free(w->of[m].prob[1]);
    }
    for (uint32_t b = 0; w->blocks && b < w->n_blocks; b++)
        mem_free(w->blocks[b]);
    mem_free(w->of);
    mem_free(w->blocks);
    mem_free(w->sex);
    mem_free(w);
}

size_t warm_bytes(const warm *w) {
    size_t n = 0;

    for (uint32_t b = 0; b < w->n_blocks; b++)
        n += w->blocks[b] ? (size_t)w->n_lines * WARM_LANES * sizeof(float) : 0;
    return n;
}

/* ---- in and out ---- */

static int block_of(warm *w, uint32_t at, float **ret, atg_err *err) {
    float **block = &w->blocks[at / WARM_LANES];

    if (!*block) {
        size_t n = (size_t)w->n_lines * WARM_LANES;

        *block = mem_aligned((n + 1) * sizeof(float));
        if (!*block)
            return atg_fail(err, ATG_ENOMEM, "Out of memory keeping families ready");
        for (size_t i = 0; i < n; i++)
            (*block)[i] = 1;
    }
    *ret = *block;
    return ATG_OK;
}

int warm_put(warm *w, atg_compiler *compiler, const atg_operation *op, uint32_t missing,
             uint32_t at, atg_err *err) {
    const atg_missing *who = &op->missing[missing];
    MEM_AUTO double *log10_lr = mem_alloc((w->n_lines + 1) * sizeof(double));
    atg_obs_set sets[ATG_MARKERS_MAX];
    double *to[ATG_MARKERS_MAX];
    float *block;

    if (!log10_lr)
        return atg_fail(err, ATG_ENOMEM, "Out of memory keeping families ready");
    for (uint32_t m = 0; m < w->n_markers; m++) {
        sets[m] = (atg_obs_set){w->of[m].n, w->of[m].obs};
        to[m] = log10_lr + w->of[m].first;
    }

    int rc = atg_compile(compiler, op, missing, sets, to, err);

    if (!rc)
        rc = block_of(w, at, &block, err);
    if (rc)
        return rc;
    for (uint32_t i = 0; i < w->n_lines; i++)
        block[(size_t)i * WARM_LANES + at % WARM_LANES] =
            exp2f((float)(log10_lr[i] * (M_LN10 / M_LN2)));
    w->sex[at] = (uint8_t)op->families[who->family].ped.persons[who->person].sex;
    return ATG_OK;
}

void warm_remove(warm *w, uint32_t at) {
    w->sex[at] = NOBODY;
}

/* ---- ranking ---- */

/* The lines of what a body shows at a marker; none where it shows nothing. */
static void mix_of(const warm *w, const atg_sample *body, uint32_t m, bool haploid, mix *ret) {
    const atg_marker *marker = &w->markers[m];
    const genotypes *g = &w->of[m];
    atg_obs obs = {body->genos[m], body->dropout, body->dropin};
    double sum = 0;

    ret->n = 0;
    if (!g->counts || !atg_geno_typed(obs.geno) ||
        (marker->chrom == ATG_CHROM_X && body->sex == ATG_SEX_UNKNOWN))
        return;
    if (obs_certain(obs)) {
        ret->lines[0] = pair_line(marker->n, (uint32_t)obs.geno.a, (uint32_t)obs.geno.b);
        ret->weights[0] = 1;
        ret->n = 1;
        return;
    }
    for (uint32_t i = 0; i < g->n; i++) {
        atg_geno is = g->obs[i].geno;
        double k = g->prob[haploid][i];

        if (k > 0)
            k *= kernel_prob(marker, obs, is.a, haploid ? ATG_ALLELE_UNREAD : is.b);
        if (!(k > 0))
            continue;
        ret->lines[ret->n] = i;
        ret->weights[ret->n++] = (float)k;
        sum += k;
    }
    for (uint32_t i = 0; i < ret->n; i++)
        ret->weights[i] = (float)((double)ret->weights[i] / sum);
}

/* What a body shows everywhere. */
typedef struct shown {
    mix *at; /* by marker */
    void *room;
} shown;

static int show(const warm *w, const atg_sample *body, shown *ret, atg_err *err) {
    mix *at = mem_zero(w->n_markers + 1, sizeof(*at));
    char *room = mem_alloc((size_t)(w->n_lines + 1) * (sizeof(uint32_t) + sizeof(float)));
    size_t used = 0;

    if (!at || !room) {
        mem_free(at);
        mem_free(room);
        return atg_fail(err, ATG_ENOMEM, "Out of memory ranking a body");
    }
    for (uint32_t m = 0; m < w->n_markers; m++) {
        bool haploid = w->markers[m].chrom == ATG_CHROM_X && body->sex == ATG_SEX_MALE;

        at[m].lines = (uint32_t *)(void *)(room + used);
        at[m].weights = (float *)(void *)(room + used + w->of[m].n * sizeof(uint32_t));
        used += (size_t)w->of[m].n * (sizeof(uint32_t) + sizeof(float));
        mix_of(w, body, m, haploid, &at[m]);
    }
    *ret = (shown){at, room};
    return ATG_OK;
}

static void shown_free(shown *s) {
    mem_free(s->at);
    mem_free(s->room);
}

/* Multiply the lines of one marker into the products of a block. */
static void multiply(const float *lines, const mix *x, double *products) {
    if (x->n == 1) {
        const float *line = lines + (size_t)x->lines[0] * WARM_LANES;

        for (int i = 0; i < WARM_LANES; i++)
            products[i] *= (double)line[i];
        return;
    }

    float sums[WARM_LANES] = {0};

    for (uint32_t k = 0; k < x->n; k++) {
        const float *line = lines + (size_t)x->lines[k] * WARM_LANES;

        for (int i = 0; i < WARM_LANES; i++)
            sums[i] += x->weights[k] * line[i];
    }
    for (int i = 0; i < WARM_LANES; i++)
        products[i] *= (double)sums[i];
}

typedef struct ranking {
    const warm *w;
    const shown *body;
    atg_sex sex;
    float *ret;
} ranking;

static bool fits(const warm *w, uint32_t at, atg_sex sex) {
    return at < w->capacity && w->sex[at] != NOBODY && atg_sex_fits(sex, (atg_sex)w->sex[at]);
}

static void rank_block(const ranking *r, uint32_t b) {
    const warm *w = r->w;
    double products[WARM_LANES];

    for (int i = 0; i < WARM_LANES; i++)
        products[i] = 1;
    for (uint32_t m = 0; m < w->n_markers && w->blocks[b]; m++)
        if (r->body->at[m].n)
            multiply(w->blocks[b] + (size_t)w->of[m].first * WARM_LANES, &r->body->at[m], products);
    for (uint32_t i = 0; i < WARM_LANES && b * WARM_LANES + i < w->capacity; i++) {
        uint32_t at = b * WARM_LANES + i;

        r->ret[at] =
            fits(w, at, r->sex) && products[i] > 0 ? (float)log10(products[i]) : -HUGE_VALF;
    }
}

static int rank_piece(void *user, uint32_t worker, uint64_t piece, atg_err *err) {
    const ranking *r = user;

    (void)worker, (void)err;
    for (uint32_t k = 0; k < BLOCKS_A_PIECE; k++) {
        uint64_t b = piece * BLOCKS_A_PIECE + k;

        if (b < r->w->n_blocks)
            rank_block(r, (uint32_t)b);
    }
    return ATG_OK;
}

int warm_rank(const warm *w, const atg_sample *body, uint32_t threads, float *ret, atg_err *err) {
    shown s;
    int rc = show(w, body, &s, err);

    if (rc)
        return rc;

    ranking r = {w, &s, body->sex, NULL};

    r.ret = ret;

    rc =
        parallel_run(parallel_threads(threads), (w->n_blocks + BLOCKS_A_PIECE - 1) / BLOCKS_A_PIECE,
                     rank_piece, &r, "ranking", NULL, err);
    shown_free(&s);
    return rc;
}

/* One lane with one body. */
static double score(const warm *w, const float *block, uint32_t lane, const shown *s) {
    double product = 1;

    for (uint32_t m = 0; m < w->n_markers; m++) {
        const float *lines = block + (size_t)w->of[m].first * WARM_LANES + lane;
        double sum = s->at[m].n ? 0 : 1;

        for (uint32_t k = 0; k < s->at[m].n; k++)
            sum +=
                (double)s->at[m].weights[k] * (double)lines[(size_t)s->at[m].lines[k] * WARM_LANES];
        product *= sum;
    }
    return product;
}

int warm_rank_bodies(const warm *w, uint32_t at, uint32_t n, const atg_sample *bodies, float *ret,
                     atg_err *err) {
    const float *block = w->blocks[at / WARM_LANES];

    for (uint32_t i = 0; i < n; i++) {
        shown s;
        double product = 0;

        ret[i] = -HUGE_VALF;
        if (!block || !fits(w, at, bodies[i].sex))
            continue;

        int rc = show(w, &bodies[i], &s, err);

        if (rc)
            return rc;
        product = score(w, block, at % WARM_LANES, &s);
        shown_free(&s);
        if (product > 0)
            ret[i] = (float)log10(product);
    }
    return ATG_OK;
}
