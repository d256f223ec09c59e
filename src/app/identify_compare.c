/* SPDX-License-Identifier: Apache-2.0 */
#include "app/identify.h"

#include <antigone/dna.h>
#include <antigone/scan.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"

/* log10 LR of one body, given the other in its place, from which a second search of the family's
 * other missing persons is worth while. */
static const double SEAT_FROM = 4;

/* A missing person to compile: alone, or with a relative who is missing too put in place. */
typedef struct target {
    uint32_t missing;
    int64_t seated_missing; /* -1: nobody */
    uint32_t seated_body;
    const atg_family *family; /* as it is, or in one of several ways */
} target;

typedef struct comparison {
    identify *run;
    uint32_t n_rows[ATG_MARKERS_MAX];
    atg_obs *obs[ATG_MARKERS_MAX];
    atg_obs_set sets[ATG_MARKERS_MAX]; /* of these */
    bool independent[ATG_MARKERS_MAX];
    uint16_t *rows; /* n_samples * n_markers */
    uint8_t *body_sex;
    uint32_t n_targets;
    target *targets;
    atg_scan *scan;
    atg_compiler *compilers[PARALLEL_MAX];
    double **tables[PARALLEL_MAX];
} comparison;

static void comparison_close(comparison *c) {
    for (uint32_t m = 0; m < ATG_MARKERS_MAX; m++)
        mem_free(c->obs[m]);
    for (uint32_t w = 0; w < PARALLEL_MAX; w++) {
        atg_compiler_free(c->compilers[w]);
        for (uint32_t m = 0; c->tables[w] && m < c->run->op->n_markers; m++)
            mem_free(c->tables[w][m]);
        mem_free(c->tables[w]);
    }
    mem_free(c->rows);
    mem_free(c->body_sex);
    mem_free(c->targets);
    atg_scan_free(c->scan);
}

/* Observations of one marker, each once.  Clean genotypes are found by a table, the few others by
 * going through them. */
typedef struct row_finder {
    atg_obs *obs;
    uint32_t n, n_odd, n_alleles;
    uint32_t *clean; /* by genotype: row + 1 */
    uint32_t *odd;   /* rows */
} row_finder;

static uint32_t clean_row(row_finder *f, const atg_obs *o) {
    uint32_t *slot = &f->clean[(uint32_t)o->geno.a * f->n_alleles + (uint32_t)o->geno.b];

    if (!*slot) {
        f->obs[f->n++] = *o;
        *slot = f->n;
    }
    return *slot - 1;
}

static uint32_t odd_row(row_finder *f, const atg_obs *o) {
    for (uint32_t k = 0; k < f->n_odd; k++)
        if (atg_obs_same(&f->obs[f->odd[k]], o))
            return f->odd[k];
    f->odd[f->n_odd++] = f->n;
    f->obs[f->n] = *o;
    return f->n++;
}

/* UINT32_MAX: the sample says nothing here. */
static uint32_t row_of_sample(const comparison *c, uint32_t m, const atg_sample *s, row_finder *f) {
    atg_obs o = {s->genos[m], s->dropout, s->dropin};
    bool blind = c->run->op->markers[m].chrom == ATG_CHROM_X && s->sex == ATG_SEX_UNKNOWN;

    if (!c->independent[m] || !atg_geno_typed(o.geno) || blind)
        return UINT32_MAX;
    return o.geno.b >= 0 && o.dropout == 0 && o.dropin == 0 ? clean_row(f, &o) : odd_row(f, &o);
}

static int rows_of_marker(comparison *c, uint32_t m, atg_err *err) {
    const atg_operation *op = c->run->op;
    size_t n_alleles = op->markers[m].n;
    MEM_AUTO uint32_t *clean = mem_zero(n_alleles * n_alleles, sizeof(*clean));
    MEM_AUTO uint32_t *odd = mem_alloc((op->n_samples + 1) * sizeof(*odd));
    row_finder f = {.n_alleles = op->markers[m].n, .clean = clean, .odd = odd};

    c->obs[m] = f.obs = mem_alloc((op->n_samples + 1) * sizeof(*f.obs));
    if (!f.obs || !clean || !odd)
        return atg_fail(err, ATG_ENOMEM, "Out of memory preparing a comparison");
    for (uint32_t i = 0; i < op->n_samples; i++) {
        uint32_t row = row_of_sample(c, m, &op->samples[i], &f);

        if (f.n > ATG_SCAN_ROWS_MAX)
            return atg_fail(err, ATG_ELIMIT, "More than %d different observations at %.*s",
                            ATG_SCAN_ROWS_MAX, ATG_FMT(op->markers[m].name));
        c->rows[(size_t)i * op->n_markers + m] = (uint16_t)(row < f.n ? row : UINT16_MAX);
    }
    c->sets[m] = (atg_obs_set){f.n, f.obs};
    c->n_rows[m] = f.n;
    for (uint32_t i = 0; i < op->n_samples; i++)
        if (c->rows[(size_t)i * op->n_markers + m] == UINT16_MAX)
            c->rows[(size_t)i * op->n_markers + m] = (uint16_t)f.n;
    return ATG_OK;
}

static size_t count_ways(const identify *run) {
    size_t n = 0;

    for (uint32_t f = 0; f < run->op->n_families; f++)
        n += (size_t)run->ways[f].n * run->op->families[f].n_missing;
    return n;
}

static int prepare(comparison *c, atg_err *err) {
    const atg_operation *op = c->run->op;

    atg_independent_markers(op, c->independent);
    c->rows = mem_alloc(((size_t)op->n_samples * op->n_markers + 1) * sizeof(*c->rows));
    c->body_sex = mem_alloc(op->n_samples + 1);
    c->targets = mem_alloc((op->n_missing + count_ways(c->run) + 1) * sizeof(*c->targets));
    if (!c->rows || !c->body_sex || !c->targets)
        return atg_fail(err, ATG_ENOMEM, "Out of memory preparing a comparison");
    for (uint32_t i = 0; i < op->n_samples; i++)
        c->body_sex[i] = (uint8_t)op->samples[i].sex;
    for (uint32_t m = 0; m < op->n_markers; m++) {
        int rc = rows_of_marker(c, m, err);

        if (rc)
            return rc;
    }
    for (uint32_t j = 0; j < op->n_missing; j++) {
        const ways *w = identify_ways(c->run, j);
        const atg_family *family = &op->families[op->missing[j].family];

        for (uint32_t k = 0; k < (w ? w->n : 1); k++)
            c->targets[c->n_targets++] =
                (target){.missing = j, .seated_missing = -1, .family = w ? &w->family[k] : family};
    }
    return ATG_OK;
}

static int worker_open(comparison *c, uint32_t w, atg_err *err) {
    const atg_operation *op = c->run->op;

    if (c->compilers[w])
        return ATG_OK;
    c->compilers[w] = atg_compiler_new();
    c->tables[w] = mem_zero(op->n_markers + 1, sizeof(double *));
    for (uint32_t m = 0; c->tables[w] && m < op->n_markers; m++) {
        c->tables[w][m] = mem_alloc((c->n_rows[m] + 1) * sizeof(double));
        if (!c->tables[w][m])
            return atg_fail(err, ATG_ENOMEM, "Out of memory compiling families");
    }
    return c->compilers[w] && c->tables[w]
               ? ATG_OK
               : atg_fail(err, ATG_ENOMEM, "Out of memory compiling families");
}

/* The family with another missing person replaced by a body. */
static void seat(const atg_operation *op, const target *t, atg_family *family,
                 atg_person *persons) {
    const atg_sample *body = &op->samples[t->seated_body];
    atg_person *who = &persons[op->missing[t->seated_missing].person];

    *family = *t->family;
    memcpy(persons, family->ped.persons, family->ped.n * sizeof(*persons));
    who->genos = body->genos;
    who->dropout = body->dropout;
    who->dropin = body->dropin;
    family->ped.persons = persons;
}

/* The tables of one missing person of a family in its place. */
static int compile_family(comparison *c, uint32_t worker, const atg_family *family,
                          uint32_t missing, atg_err *err) {
    narrow n;

    identify_narrow(c->run, family, missing, &n);
    return atg_compile(c->compilers[worker], &n.op, 0, c->sets, c->tables[worker], err);
}

static int compile_target(void *user, uint32_t worker, uint64_t piece, atg_err *err) {
    comparison *c = user;
    const target *t = &c->targets[piece];
    atg_family family;
    atg_person persons[ATG_PEDIGREE_MAX];
    const atg_family *from = t->family;
    int rc = worker_open(c, worker, err);

    if (!rc && t->seated_missing >= 0) {
        seat(c->run->op, t, &family, persons);
        from = &family;
    }
    if (!rc)
        rc = compile_family(c, worker, from, t->missing, err);
    if (!rc)
        atg_scan_set(c->scan, (uint32_t)piece, (const double *const *)c->tables[worker]);
    return rc;
}

/* Compile all targets and scan all bodies; the hits' `missing` are target numbers. */
static int search(comparison *c, const char *phase, atg_scan_result *ret, atg_err *err) {
    identify *run = c->run;
    const atg_operation *op = run->op;
    MEM_AUTO uint8_t *sex = mem_alloc(c->n_targets + 1);
    atg_scan_options options = {.floor = run->whole ? -1e300 : run->options.floor,
                                .best = run->options.best,
                                .threads = run->options.threads};
    atg_scan_bodies bodies = {op->n_samples, c->rows, c->body_sex};

    if (!sex)
        return atg_fail(err, ATG_ENOMEM, "Out of memory preparing a comparison");
    for (uint32_t i = 0; i < c->n_targets; i++)
        sex[i] = (uint8_t)identify_sex(op, c->targets[i].missing);
    atg_scan_free(c->scan);
    c->scan = NULL;

    int rc = atg_scan_new(op->n_markers, c->n_rows, c->n_targets, &c->scan, err);

    if (rc)
        return rc;
    atg_scan_sexes(c->scan, sex);
    rc = parallel_run(run->options.threads, c->n_targets, compile_target, c, phase, run->progress,
                      err);
    return rc ? rc : atg_scan_run(c->scan, &bodies, &options, run->progress, ret, err);
}

static int by_missing(const void *x, const void *y) {
    const candidate *a = x, *b = y;

    if (a->missing != b->missing)
        return a->missing < b->missing ? -1 : 1;
    if (a->body != b->body)
        return a->body < b->body ? -1 : 1;
    return 0;
}

static int add_hits(comparison *c, const atg_scan_result *hits, bool conditional, atg_err *err) {
    identify *run = c->run;
    candidate *all =
        mem_grow(run->candidates, (run->n_candidates + hits->n + 1) * sizeof(*run->candidates));
    uint64_t n = run->n_candidates;

    if (!all)
        return atg_fail(err, ATG_ENOMEM, "Out of memory keeping candidates");
    run->candidates = all;
    for (uint64_t i = 0; i < hits->n; i++) {
        double lr = (double)hits->hits[i].log10_lr;

        all[n++] = (candidate){.body = hits->hits[i].body,
                               .missing = c->targets[hits->hits[i].missing].missing,
                               .log10_lr = conditional ? (double)NAN : lr,
                               .strongest = lr};
    }
    run->n_candidates = n;
    return ATG_OK;
}

/* Sort, keep each pair once, and note where each missing person's candidates begin. */
static int tidy(identify *run, atg_err *err) {
    uint32_t n_missing = run->op->n_missing;
    uint64_t n = 0;

    mem_free(run->of_missing);
    run->of_missing = mem_zero(n_missing + 1, sizeof(*run->of_missing));
    if (!run->of_missing)
        return atg_fail(err, ATG_ENOMEM, "Out of memory keeping candidates");
    if (run->n_candidates)
        qsort(run->candidates, run->n_candidates, sizeof(*run->candidates), by_missing);
    for (uint64_t i = 0; i < run->n_candidates; i++) {
        candidate *last = n ? &run->candidates[n - 1] : NULL;

        if (last && by_missing(last, &run->candidates[i]) == 0) {
            if (isnan(last->log10_lr))
                last->log10_lr = run->candidates[i].log10_lr;
            last->strongest = fmax(last->strongest, run->candidates[i].strongest);
            continue;
        }
        run->candidates[n++] = run->candidates[i];
    }
    run->n_candidates = n;
    for (uint64_t i = 0; i < n; i++)
        run->of_missing[run->candidates[i].missing + 1]++;
    for (uint32_t j = 0; j < n_missing; j++)
        run->of_missing[j + 1] += run->of_missing[j];
    return ATG_OK;
}

static double add_up(const comparison *c, uint32_t worker, uint32_t body) {
    uint32_t n_markers = c->run->op->n_markers;
    const uint16_t *row = c->rows + (size_t)body * n_markers;
    double sum = 0;

    for (uint32_t m = 0; m < n_markers; m++)
        if (row[m] < c->n_rows[m])
            sum += c->tables[worker][m][row[m]];
    return sum;
}

/* The candidates of a family with several ways: the largest and the mean. */
static int rescore_ways(comparison *c, uint32_t worker, uint32_t missing, const ways *w,
                        atg_err *err) {
    identify *run = c->run;
    uint64_t from = run->of_missing[missing], n = run->of_missing[missing + 1] - from;
    MEM_AUTO double *lr = mem_alloc(n * w->n * sizeof(*lr));

    if (!lr)
        return atg_fail(err, ATG_ENOMEM, "Out of memory comparing families in several ways");
    for (uint32_t k = 0; k < w->n; k++) {
        int rc = compile_family(c, worker, &w->family[k], missing, err);

        for (uint64_t i = 0; i < n && !rc; i++)
            lr[k * n + i] = add_up(c, worker, run->candidates[from + i].body);
        if (rc)
            return rc;
    }
    for (uint64_t i = 0; i < n; i++) {
        candidate *p = &run->candidates[from + i];

        for (uint32_t k = 0; k < w->n; k++)
            p->strongest = fmax(p->strongest, lr[k * n + i]);
        p->log10_lr = identify_mean(w->n, lr + i, n);
    }
    return ATG_OK;
}

/* Full double precision, and the value of pairs found only with a relative in place. */
static int rescore(void *user, uint32_t worker, uint64_t piece, atg_err *err) {
    comparison *c = user;
    identify *run = c->run;
    uint32_t j = (uint32_t)piece;
    const ways *w = identify_ways(run, j);
    int rc = worker_open(c, worker, err);

    if (run->of_missing[j] == run->of_missing[j + 1] || rc)
        return rc;
    if (w)
        return rescore_ways(c, worker, j, w, err);
    rc = atg_compile(c->compilers[worker], run->op, j, c->sets, c->tables[worker], err);
    for (uint64_t i = run->of_missing[j]; i < run->of_missing[j + 1] && !rc; i++) {
        candidate *p = &run->candidates[i];

        p->log10_lr = add_up(c, worker, p->body);
    }
    return rc;
}

static int add_target(comparison *c, const target *t, uint32_t *cap, atg_err *err) {
    if (c->n_targets == *cap) {
        uint32_t room = *cap * 2 + 64;
        target *more = mem_grow(c->targets, room * sizeof(*more));

        if (!more)
            return atg_fail(err, ATG_ENOMEM, "Out of memory preparing a comparison");
        c->targets = more;
        *cap = room;
    }
    c->targets[c->n_targets++] = *t;
    return ATG_OK;
}

/* Search for the family's other missing persons with a strong candidate in place, in each of the
 * family's ways. */
static int seat_candidate(comparison *c, const candidate *strong, uint32_t *cap, atg_err *err) {
    const atg_operation *op = c->run->op;
    const ways *w = identify_ways(c->run, strong->missing);
    const atg_family *f = &op->families[op->missing[strong->missing].family];

    for (uint32_t p = 0; p < f->n_missing; p++) {
        if (f->missing[p] == strong->missing)
            continue;
        for (uint32_t k = 0; k < (w ? w->n : 1); k++) {
            target t = {f->missing[p], strong->missing, strong->body, w ? &w->family[k] : f};
            int rc = add_target(c, &t, cap, err);

            if (rc)
                return rc;
        }
    }
    return ATG_OK;
}

/* A missing person whose nearest relatives are missing too says little alone: put each strong
 * candidate of a relative in place and search again. */
static int seat_relatives(comparison *c, atg_err *err) {
    const identify *run = c->run;
    uint32_t cap = c->n_targets;
    int rc = ATG_OK;

    c->n_targets = 0;
    for (uint64_t i = 0; i < run->n_candidates && !rc; i++)
        if (run->candidates[i].strongest >= SEAT_FROM)
            rc = seat_candidate(c, &run->candidates[i], &cap, err);
    return rc;
}

int identify_compare(identify *run, atg_err *err) {
    comparison *c = mem_zero(1, sizeof(*c));
    atg_scan_result hits = {0};
    int rc;

    if (!c)
        return atg_fail(err, ATG_ENOMEM, "Out of memory preparing a comparison");
    c->run = run;
    rc = prepare(c, err);
    if (!rc)
        rc = search(c, "comparing", &hits, err);
    if (!rc)
        rc = add_hits(c, &hits, false, err);
    atg_scan_hits_free(hits.hits);
    if (!rc)
        rc = tidy(run, err);
    if (!rc)
        rc = seat_relatives(c, err);
    if (!rc && c->n_targets) {
        hits = (atg_scan_result){0};
        rc = search(c, "comparing with relatives in place", &hits, err);
        if (!rc)
            rc = add_hits(c, &hits, true, err);
        atg_scan_hits_free(hits.hits);
        if (!rc)
            rc = tidy(run, err);
    }
    if (!rc)
        rc = parallel_run(run->options.threads, run->op->n_missing, rescore, c, "scoring",
                          run->progress, err);
    comparison_close(c);
    mem_free(c);
    return rc;
}
