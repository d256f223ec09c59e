/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies that are each other's relatives, whoever their families are: compared without any
 * reference.  Pairs that share too few alleles to be parent and child or full siblings are passed
 * over before any likelihood is computed. */
#include "app/identify.h"

#include <antigone/dna.h>

#include <math.h>
#include <string.h>

#include "base/mem.h"

enum { BODIES_MAX = 3000, MARKERS_LEAST = 8, RELATED_MAX = 2000 };

/* log10 LR from which a pair is told. */
static const double TELL_FROM = 4;
/* Shared alleles per marker below which a pair is passed over; unrelated persons share about 0.7,
 * full siblings 1.3, parent and child at least 1. */
static const double SHARED_LEAST = 0.95;

static double shared_alleles(const atg_operation *op, const atg_sample *x, const atg_sample *y,
                             uint32_t *ret_n) {
    uint32_t n = 0, shared = 0;

    for (uint32_t m = 0; m < op->n_markers; m++) {
        atg_geno a = x->genos[m], b = y->genos[m];

        if (op->markers[m].chrom != ATG_CHROM_AUTOSOMAL || a.b < 0 || b.b < 0)
            continue;
        n++;
        shared += (a.a == b.a && a.b == b.b) || (a.a == b.b && a.b == b.a) ? 2
                  : a.a == b.a || a.a == b.b || a.b == b.a || a.b == b.b   ? 1
                                                                           : 0;
    }
    *ret_n = n;
    return n ? (double)shared / n : 0;
}

/* The family of one typed person, whose missing child or sibling is looked for. */
typedef struct tiny {
    atg_operation op;
    atg_family family;
    atg_missing missing;
    uint32_t list;
    atg_person persons[4];
} tiny;

static void tiny_make(const atg_operation *op, const atg_sample *x, bool siblings, tiny *t) {
    atg_person typed = {.father = -1,
                        .mother = -1,
                        .sex = x->sex,
                        .genos = x->genos,
                        .dropout = x->dropout,
                        .dropin = x->dropin};
    atg_person founder = {.father = -1, .mother = -1};

    *t = (tiny){.op = *op};
    if (siblings) {
        t->persons[0] = t->persons[1] = founder;
        t->persons[2] = typed;
        t->persons[2].father = t->persons[3].father = 0;
        t->persons[2].mother = t->persons[3].mother = 1;
    } else {
        t->persons[0] = typed;
        t->persons[1] = founder;
        t->persons[2].father = 0;
        t->persons[2].mother = 1;
    }
    t->missing = (atg_missing){.family = 0, .person = siblings ? 3 : 2};
    t->family =
        (atg_family){.ped = {siblings ? 4 : 3, t->persons}, .n_missing = 1, .missing = &t->list};
    t->op.families = &t->family;
    t->op.n_families = 1;
    t->op.missing = &t->missing;
    t->op.n_missing = 1;
}

/* X markers are left to the families: which parent is whose is not known here. */
static int relative_lr(const atg_operation *op, const atg_sample *x, const atg_sample *y,
                       bool siblings, double *ret, atg_err *err) {
    double lr[ATG_MARKERS_MAX];
    tiny t;
    int rc;

    tiny_make(op, x, siblings, &t);
    rc = atg_pair_lr(&t.op, y, 0, true, lr, err);
    for (uint32_t m = 0; m < op->n_markers && !rc; m++)
        if (op->markers[m].chrom == ATG_CHROM_X)
            lr[m] = NAN;
    if (!rc)
        *ret = atg_combine_lr(op, lr);
    return rc;
}

static int look_at(identify *run, uint32_t i, uint32_t j, struct atg_related_bodies *ret,
                   bool *found, atg_err *err) {
    const atg_operation *op = run->op;
    const atg_sample *x = &op->samples[i], *y = &op->samples[j];
    atg_direct same;
    double parent = 0, siblings = 0;
    int rc = atg_direct_compare(op, x, y, &same, NULL, err);

    if (!rc)
        rc = relative_lr(op, x, y, false, &parent, err);
    if (!rc)
        rc = relative_lr(op, x, y, true, &siblings, err);
    if (rc)
        return rc;
    *ret = (struct atg_related_bodies){.x = i, .y = j};
    if (same.log10_lr > parent && same.log10_lr > siblings) {
        ret->relation = ATG_STR("same person");
        ret->log10_lr = same.log10_lr;
    } else {
        ret->relation = parent > siblings ? ATG_STR("parent and child") : ATG_STR("full siblings");
        ret->log10_lr = fmax(parent, siblings);
    }
    *found = ret->log10_lr >= TELL_FROM;
    return ATG_OK;
}

int identify_related(identify *run, atg_identification *ret, atg_err *err) {
    const atg_operation *op = run->op;
    struct atg_related_bodies *list = ATG_GET(run->arena, struct atg_related_bodies, RELATED_MAX);
    uint32_t n = 0;

    if (!list)
        return atg_fail(err, ATG_ENOMEM, "Out of memory comparing bodies");
    for (uint32_t i = 0; i < op->n_samples && op->n_samples <= BODIES_MAX; i++) {
        for (uint32_t j = i + 1; j < op->n_samples && n < RELATED_MAX; j++) {
            uint32_t compared;
            double shared = shared_alleles(op, &op->samples[i], &op->samples[j], &compared);
            bool found = false;
            int rc;

            if (compared < MARKERS_LEAST || shared < SHARED_LEAST)
                continue;
            rc = look_at(run, i, j, &list[n], &found, err);
            if (rc)
                return rc;
            n += found;
        }
        if (run->progress && run->progress->step &&
            !run->progress->step(run->progress->user, "comparing bodies", i + 1, op->n_samples))
            return atg_fail(err, ATG_ECANCEL, "Stopped on request");
    }
    ret->n_related = n;
    ret->related = list;
    return ATG_OK;
}
