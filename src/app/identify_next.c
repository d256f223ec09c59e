/* SPDX-License-Identifier: Apache-2.0 */
#include "app/identify.h"

#include <antigone/dna.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "model/relation.h"

static const double CONTENDER = 0.01; /* a posterior worth a comparison of bodies */

enum { SIMULATIONS = 100, SIMULATED_MAX = 150, FEW_MARKERS = 12, PHRASE = 160 };

/* "F1-2 (mother of AM-1)", or "the mother of AM-1" for somebody whom nobody named. */
static void relation(const atg_pedigree *ped, uint32_t who, uint32_t of, char *ret, size_t size) {
    const atg_person *w = &ped->persons[who], *p = &ped->persons[of];
    const char *word = relation_word(ped, of, who);

    if (w->implicit)
        (void)snprintf(ret, size, "the %s of %.*s", word, ATG_FMT(p->id));
    else
        (void)snprintf(ret, size, "%.*s (%s of %.*s)", ATG_FMT(w->id), word, ATG_FMT(p->id));
}

static int say_missing(identify *run, uint32_t j, atg_next_step *ret, atg_err *err) {
    const atg_operation *op = run->op;
    const atg_family *f = &op->families[op->missing[j].family];
    const atg_power_candidate *best;
    atg_power_result power;
    char who[PHRASE];

    *ret = (atg_next_step){.of_missing = true, .index = j, .expected_gain = NAN};
    if (!run->checks[op->missing[j].family].fits) {
        ret->text = atg_arena_printf(run->arena, "Another reference of family %.*s is needed.",
                                     ATG_FMT(f->id));
        return ATG_OK;
    }

    int rc = atg_family_power(
        run->arena, op, j, &(atg_power_options){SIMULATIONS, run->options.seed}, NULL, &power, err);

    if (rc)
        return rc;
    best = power.candidates;
    if (power.n_candidates == 0 || !(best->gain > 0.05)) {
        ret->text = atg_arena_printf(
            run->arena,
            power.now.mean >= op->params.min_log10_lr
                ? "The family can prove it (expected LR 10^%.1f): the body is not among those "
                  "typed, or is typed at too few markers."
                : "No untyped relative on record would help (expected LR 10^%.1f); look for an "
                  "own sample of the missing person, dental records or fingerprints.",
            identify_shown(power.now.mean));
        return ATG_OK;
    }
    relation(&f->ped, best->person, op->missing[j].person, who, sizeof(who));
    ret->expected_gain = best->gain;
    ret->text = atg_arena_printf(run->arena,
                                 "Sample %s: the expected LR of the true body rises from 10^%.1f "
                                 "to 10^%.1f (standard error %.1f).",
                                 who, identify_shown(power.now.mean),
                                 identify_shown(best->with.mean), best->gain_se);
    return ATG_OK;
}

static uint32_t n_typed(const atg_operation *op, const atg_sample *s) {
    uint32_t n = 0;

    for (uint32_t m = 0; m < op->n_markers; m++)
        n += atg_geno_typed(s->genos[m]);
    return n;
}

/* The first pair of the body; pairs come by body. */
static uint32_t first_pair(const atg_identification *id, uint32_t body) {
    uint32_t low = 0, high = id->n_pairs;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (id->pairs[middle].body < body)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The missing person whom the body fits best, if another body was taken for that person; or -1. */
static int taken_by_another(const identify *run, const atg_identification *id, uint32_t body) {
    for (uint32_t k = first_pair(id, body); k < id->n_pairs && id->pairs[k].body == body; k++) {
        const atg_pair_result *p = &id->pairs[k];

        if (p->conclusion == ATG_EXCLUDED || p->log10_lr <= 0 || !(p->posterior >= CONTENDER))
            continue;
        for (uint32_t i = 0; i < run->op->n_samples; i++)
            if (i != body && run->assign.best[i] == (int32_t)p->missing)
                return (int)p->missing;
        return -1;
    }
    return -1;
}

static void say_body(const identify *run, const atg_identification *id, uint32_t i,
                     atg_next_step *ret) {
    const atg_operation *op = run->op;
    uint32_t n = n_typed(op, &op->samples[i]);
    int taken = taken_by_another(run, id, i);

    *ret = (atg_next_step){.index = i, .expected_gain = NAN};
    if (n < FEW_MARKERS)
        ret->text = atg_arena_printf(run->arena,
                                     "Type more markers: %u of %u were read. Another sample of "
                                     "the same body, from petrous bone or a tooth, may give more.",
                                     n, op->n_markers);
    else if (taken >= 0)
        ret->text = atg_arena_printf(run->arena,
                                     "%.*s fits too, but another body fits that person better: "
                                     "compare the two bodies by teeth, fingerprints and age.",
                                     ATG_FMT(op->missing[taken].id));
    else if (run->assign.body_nobody[i] > 0.5)
        ret->text = ATG_STR("No family on the list fits. Look for missing persons who were not "
                            "reported, and compare with other operations.");
    else
        ret->text = ATG_STR("Several files remain: type the relatives named for them, or compare "
                            "teeth and fingerprints.");
}

int identify_next(identify *run, atg_identification *ret, atg_err *err) {
    const atg_operation *op = run->op;
    atg_next_step *steps = ATG_GET(run->arena, atg_next_step, op->n_missing + op->n_samples + 1);
    uint32_t n = 0, simulated = 0;

    if (!steps)
        return atg_fail(err, ATG_ENOMEM, "Out of memory listing next steps");
    for (uint32_t i = 0; i < op->n_samples; i++) {
        if (ret->body_conclusion[i] == ATG_PROBABLE)
            continue;
        say_body(run, ret, i, &steps[n++]);
        if (!steps[n - 1].text.p)
            return atg_fail(err, ATG_ENOMEM, "Out of memory listing next steps");
    }
    for (uint32_t j = 0; j < op->n_missing && simulated < SIMULATED_MAX; j++) {
        if (ret->missing_conclusion[j] == ATG_PROBABLE)
            continue;

        int rc = say_missing(run, j, &steps[n++], err);

        if (!rc && !steps[n - 1].text.p)
            rc = atg_fail(err, ATG_ENOMEM, "Out of memory listing next steps");
        if (rc)
            return rc;
        simulated++;
        if (run->progress && run->progress->step &&
            !run->progress->step(run->progress->user, "what is next", j + 1, op->n_missing))
            return atg_fail(err, ATG_ECANCEL, "Stopped on request");
    }
    ret->n_next = n;
    ret->next = steps;
    return ATG_OK;
}
