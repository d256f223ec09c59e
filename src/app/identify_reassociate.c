/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of one person that the mortuary entered as bodies of their own.  Two profiles that are one
 * person's would otherwise compete for the same name, and both stay undecided. */
#include "app/identify.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

/* log10 of the expected number of pairs of different persons that are taken for one, over the
 * whole operation: one in a million operations. */
static const double FALSE_PAIRS = -6;

static uint32_t root_of(uint32_t *up, uint32_t i) {
    while (up[i] != i)
        i = up[i] = up[up[i]];
    return i;
}

static bool is_one_person(const atg_same_person *p, double least) {
    return p->x.kind == ATG_PROFILE_SAMPLE && p->y.kind == ATG_PROFILE_SAMPLE && !p->declared &&
           p->direct.log10_lr >= least;
}

/* Declared bodies first, then what the DNA says; the name is that of the earliest sample. */
static void join(const atg_operation *op, const atg_same_persons *same, double least,
                 uint32_t *up) {
    for (uint32_t i = 0; i < op->n_samples; i++) {
        up[i] = i;
        for (uint32_t j = 0; j < i && op->samples[i].body.n; j++)
            if (atg_str_eq(op->samples[i].body, op->samples[j].body)) {
                up[i] = root_of(up, j);
                break;
            }
    }
    for (uint32_t k = 0; k < same->n; k++) {
        uint32_t a, b;

        if (!is_one_person(&same->pairs[k], least))
            continue;
        a = root_of(up, same->pairs[k].x.index);
        b = root_of(up, same->pairs[k].y.index);
        up[a > b ? a : b] = a > b ? b : a;
    }
}

int identify_reassociate(identify *run, const atg_operation *op, atg_operation *ret, atg_err *err) {
    double n = op->n_samples, least = log10(n * (n - 1) / 2 + 1) - FALSE_PAIRS;
    MEM_AUTO uint32_t *up = mem_alloc((op->n_samples + 1) * sizeof(*up));
    atg_sample *samples = ATG_GET(run->arena, atg_sample, op->n_samples + 1);
    atg_same_persons same;
    int rc;

    if (!up || !samples)
        return atg_fail(err, ATG_ENOMEM, "Out of memory comparing bodies");
    rc = atg_find_same(run->arena, op, least, run->options.threads, run->progress, &same, err);
    if (rc)
        return rc;
    join(op, &same, least, up);
    if (op->n_samples)
        memcpy(samples, op->samples, op->n_samples * sizeof(*samples));
    for (uint32_t i = 0; i < op->n_samples; i++) {
        uint32_t first = root_of(up, i);
        atg_str name = op->samples[first].body.n ? op->samples[first].body : op->samples[first].id;
        bool alone = first == i;

        for (uint32_t j = i + 1; j < op->n_samples && alone; j++)
            alone = root_of(up, j) != i;
        if (!alone)
            samples[i].body = name;
    }
    *ret = *op;
    ret->samples = samples;
    return ATG_OK;
}
