/* SPDX-License-Identifier: Apache-2.0 */
#include "app/findings.h"

#include <math.h>
#include <stdio.h>

#include "base/clock.h"

enum { LIST = 1000 };

/* An LR that differs by less is the same finding. */
static const double same_lr = 1e-6;
static const double least_posterior = 0.01;

typedef struct pairing {
    cases *c;
    atg_arena *arena;
    const standby_pair *pairs;
    uint32_t n, written;
    cases_batch *b;
    record_row *hypotheses; /* of the file in hand */
    uint32_t n_hypotheses;
} pairing;

static const actor matcher_actor = {.name = {"matcher", 7}};

static int read_file(pairing *w, db *d, const uuid *file, atg_err *err) {
    records_query q = {
        .kind = RECORD_HYPOTHESIS, .by = RECORDS_OF_FILE, .of = *file, .limit = LIST};

    return records_list(d, cases_keys(w->c), w->arena, &q, &w->hypotheses, &w->n_hypotheses, err);
}

static const record *hypothesis_of(const pairing *w, const uuid *missing) {
    for (uint32_t i = 0; i < w->n_hypotheses; i++)
        if (!w->hypotheses[i].r->withdrawn &&
            uuid_cmp(&w->hypotheses[i].r->fields[HYPOTHESIS_MISSING].ref, missing) == 0)
            return w->hypotheses[i].r;
    return NULL;
}

static value number(double x) {
    return (value){.known = isfinite(x), .number = isfinite(x) ? x : 0};
}

static void fill(record *r, const standby_pair *p) {
    atg_str rule =
        p->n_direct ? ATG_STR("Compared by itself, directly with an own sample; the joint solution "
                              "follows.")
                    : ATG_STR("Compared by itself; the joint solution follows.");
    value *f = r->fields;

    f[HYPOTHESIS_MISSING] = (value){.known = true, .ref = p->missing};
    f[HYPOTHESIS_LOG10_LR] = f[HYPOTHESIS_LOG10_LR_PRIMARY] = number(p->log10_lr);
    f[HYPOTHESIS_POSTERIOR] = f[HYPOTHESIS_POSTERIOR_PRIMARY] = number(p->posterior);
    f[HYPOTHESIS_CONCLUSION] = (value){.known = true,
                                       .choice = p->posterior >= least_posterior && p->log10_lr > 0
                                                     ? CONCLUSION_POSSIBLE
                                                     : CONCLUSION_INSUFFICIENT};
    f[HYPOTHESIS_RULE] = (value){.known = true, .text = rule};
    f[HYPOTHESIS_COMPUTED] = (value){.known = true, .instant = clock_now()};
    f[HYPOTHESIS_INPUTS] = (value){0};
}

/* Does it say the same already, or what people signed? */
static bool stands(const record *was, const standby_pair *p) {
    const value *lr = &was->fields[HYPOTHESIS_LOG10_LR];
    const value *conclusion = &was->fields[HYPOTHESIS_CONCLUSION];

    return (lr->known && fabs(lr->number - p->log10_lr) <= same_lr) ||
           (conclusion->known && conclusion->choice == CONCLUSION_ESTABLISHED);
}

static int write_pair(pairing *w, const standby_pair *p, atg_err *err) {
    const record *was = hypothesis_of(w, &p->missing);
    change ch = {was ? CHANGE_EDIT : CHANGE_ADD, NULL};

    if (was && stands(was, p))
        return ATG_OK;
    ch.r = was ? record_copy(w->arena, was) : record_new(w->arena, RECORD_HYPOTHESIS);
    if (!ch.r)
        return atg_fail(err, ATG_ENOMEM, "Out of memory writing what was found");
    ch.r->file = p->remains;
    fill(ch.r, p);
    w->written++;
    return cases_apply(w->b, &ch, err);
}

static int write_pairs(db *d, void *user, atg_err *err) {
    pairing *w = user;
    int rc = cases_batch_new(w->c, d, &matcher_actor, w->arena, &w->b, err);

    w->written = 0;
    for (uint32_t i = 0; i < w->n && !rc; i++) {
        const standby_pair *p = &w->pairs[i];

        if (!i || uuid_cmp(&w->pairs[i - 1].remains, &p->remains) != 0)
            rc = read_file(w, d, &p->remains, err);
        if (!rc)
            rc = write_pair(w, p, err);
    }
    return rc ? rc : cases_batch_end(w->b, err);
}

int findings_write_pairs(cases *c, const standby_pair *pairs, uint32_t n, uint32_t *ret_n,
                         atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new((size_t)1 << 30);
    pairing w = {.c = c, .arena = arena, .pairs = pairs, .n = n};
    int rc = ATG_OK;

    if (!arena)
        return atg_fail(err, ATG_ENOMEM, "Out of memory writing what was found");
    if (n)
        rc = store_write(cases_store(c), write_pairs, &w, err);
    if (!rc)
        *ret_n += w.written;
    return rc;
}
