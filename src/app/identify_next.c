/* SPDX-License-Identifier: Apache-2.0 */
#include "app/identify.h"

#include <antigone/dna.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "model/relation.h"

static const double CONTENDER = 0.01; /* a posterior worth a comparison of bodies */

enum {
    SIMULATIONS = 40,
    SIMULATION_MEMORY = 1 << 20,
    SIMULATED_MAX = 150,
    FEW_MARKERS = 12,
    PHRASE = 160
};

/* "F1-2 (mother of AM-1)", or "the mother of AM-1" for somebody whom nobody named. */
static void relation(const atg_pedigree *ped, uint32_t who, uint32_t of, char *ret, size_t size) {
    const atg_person *w = &ped->persons[who], *p = &ped->persons[of];
    const char *word = relation_word(ped, of, who);

    if (w->implicit)
        (void)snprintf(ret, size, "the %s of %.*s", word, ATG_FMT(p->id));
    else
        (void)snprintf(ret, size, "%.*s (%s of %.*s)", ATG_FMT(w->id), word, ATG_FMT(p->id));
}

/* What the simulation of one missing person's family gave. */
typedef struct prospect {
    uint32_t missing;
    bool simulated, entangled; /* entangled: it takes too much */
    atg_power now;
    uint32_t n_candidates;
    atg_power_candidate best; /* of the candidates */
} prospect;

typedef struct prospects {
    const identify *run;
    uint32_t n;
    prospect *of;
} prospects;

static int look_ahead(void *user, uint32_t worker, uint64_t piece, atg_err *err) {
    const prospects *all = user;
    prospect *p = &all->of[piece];
    const identify *run = all->run;
    ATG_AUTO(atg_arena) arena = atg_arena_new(SIMULATION_MEMORY);
    atg_power_result power;
    int rc;

    (void)worker;
    if (!arena)
        return atg_fail(err, ATG_ENOMEM, "Out of memory simulating a family");
    if (!run->checks[run->op->missing[p->missing].family].fits)
        return ATG_OK;
    rc = atg_family_power(arena, run->op, p->missing,
                          &(atg_power_options){SIMULATIONS, run->options.seed}, NULL, &power, err);
    p->entangled = rc == ATG_ELIMIT;
    if (rc)
        return p->entangled ? ATG_OK : rc;
    p->simulated = true;
    p->now = power.now;
    p->n_candidates = power.n_candidates;
    if (power.n_candidates)
        p->best = power.candidates[0];
    return ATG_OK;
}

/* Simulate the families of those who are not found, the first SIMULATED_MAX of them. */
static int look_at_all(const identify *run, const atg_identification *id, prospects *ret,
                       atg_err *err) {
    *ret = (prospects){.run = run, .of = ATG_GET(run->arena, prospect, run->op->n_missing + 1)};
    if (!ret->of)
        return atg_fail(err, ATG_ENOMEM, "Out of memory listing next steps");
    for (uint32_t j = 0; j < run->op->n_missing && ret->n < SIMULATED_MAX; j++)
        if (id->missing_conclusion[j] != ATG_PROBABLE)
            ret->of[ret->n++] = (prospect){.missing = j};
    return parallel_run(run->options.threads, ret->n, look_ahead, ret, "what is next",
                        run->progress, err);
}

static void say_missing(const identify *run, const prospect *p, atg_next_step *ret) {
    const atg_operation *op = run->op;
    uint32_t j = p->missing;
    const atg_family *f = &op->families[op->missing[j].family];
    const atg_power_candidate *best = &p->best;
    char who[PHRASE];

    *ret = (atg_next_step){.of_missing = true, .index = j, .expected_gain = NAN};
    if (p->entangled) {
        ret->text = ATG_STR("What another relative would add cannot be simulated: the family is "
                            "too entangled.");
    } else if (!p->simulated) {
        ret->text = atg_arena_printf(run->arena, "Another reference of family %.*s is needed.",
                                     ATG_FMT(f->id));
    } else if (p->n_candidates == 0 || !(best->gain > 0.05)) {
        ret->text = atg_arena_printf(
            run->arena,
            p->now.mean >= op->params.min_log10_lr
                ? "The family can prove it (expected LR 10^%.1f): the body is not among those "
                  "typed, or is typed at too few markers."
                : "No untyped relative on record would help (expected LR 10^%.1f); look for an "
                  "own sample of the missing person, dental records or fingerprints.",
            identify_shown(p->now.mean));
    } else {
        relation(&f->ped, best->person, op->missing[j].person, who, sizeof(who));
        ret->expected_gain = best->gain;
        ret->text = atg_arena_printf(run->arena,
                                     "Sample %s: the expected LR of the true body rises from "
                                     "10^%.1f to 10^%.1f (standard error %.1f).",
                                     who, identify_shown(p->now.mean),
                                     identify_shown(best->with.mean), best->gain_se);
    }
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
    prospects all;
    uint32_t n = 0;
    int rc;

    if (!steps)
        return atg_fail(err, ATG_ENOMEM, "Out of memory listing next steps");
    for (uint32_t i = 0; i < op->n_samples; i++) {
        if (ret->body_conclusion[i] == ATG_PROBABLE)
            continue;
        say_body(run, ret, i, &steps[n++]);
        if (!steps[n - 1].text.p)
            return atg_fail(err, ATG_ENOMEM, "Out of memory listing next steps");
    }
    rc = look_at_all(run, ret, &all, err);
    if (rc)
        return rc;
    for (uint32_t k = 0; k < all.n; k++) {
        say_missing(run, &all.of[k], &steps[n++]);
        if (!steps[n - 1].text.p)
            return atg_fail(err, ATG_ENOMEM, "Out of memory listing next steps");
    }
    ret->n_next = n;
    ret->next = steps;
    return ATG_OK;
}
