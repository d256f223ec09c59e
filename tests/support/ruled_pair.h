/* SPDX-License-Identifier: Apache-2.0 */
/* A hypothesis with its evidence and two comparisons, as it comes to the board. */
#ifndef ATG_TESTS_RULED_PAIR_H
#define ATG_TESTS_RULED_PAIR_H

#include "ruled.h"

/* A pair that may be identified: everything that is needed stands. */
typedef struct pair {
    ruled w;
    record *hypothesis, *evidence, *first, *second;
} pair;

static inline record *hypothesis(ruled *w, const record *remains, const record *missing) {
    record *r = ruled_new(w, RECORD_HYPOTHESIS, remains);

    ruled_point(r, "missing", &missing->id);
    ruled_set(w, r, "log10_lr", "12");
    ruled_set(w, r, "log10_lr_primary", "11");
    ruled_set(w, r, "posterior", "0.999999");
    ruled_set(w, r, "posterior_primary", "0.99999");
    ruled_set(w, r, "conclusion", "probable");
    return r;
}

static inline record *evidence(const ruled *w, const record *of, const char *name,
                               const char *primary) {
    record *r = record_new(w->arena, RECORD_EVIDENCE);

    r->id = kept_id();
    r->operation = of->operation;
    r->file = of->file;
    ruled_point(r, "hypothesis", &of->id);
    ruled_set(w, r, "line", name);
    ruled_set(w, r, "primary", primary);
    ruled_set(w, r, "log10_lr", "11");
    return r;
}

static inline record *comparison(const ruled *w, const record *of, const char *name,
                                 const char *says) {
    record *r = record_new(w->arena, RECORD_COMPARISON);

    r->id = kept_id();
    r->operation = of->operation;
    r->file = of->file;
    ruled_point(r, "hypothesis", &of->id);
    ruled_set(w, r, "line", name);
    ruled_set(w, r, "conclusion", says);
    ruled_set(w, r, "qualification", "forensic geneticist, 12 years");
    return r;
}

static inline record *decision(const pair *p, const char *says) {
    record *r = record_new(p->w.arena, RECORD_DECISION);

    r->id = kept_id();
    r->operation = p->hypothesis->operation;
    r->file = p->hypothesis->file;
    ruled_point(r, "hypothesis", &p->hypothesis->id);
    ruled_set(&p->w, r, "conclusion", says);
    ruled_set(&p->w, r, "reason", "All the board agreed");
    ruled_set(&p->w, r, "line", "dna");
    ruled_point(r, "first_signer", &p->w.by[ROLE_GENETICIST].account);
    ruled_point(r, "second_signer", &p->w.second[ROLE_GENETICIST].account);
    return r;
}

static inline pair pair_open(const database *where, const char *says) {
    pair p = {.w = ruled_open(where)};
    ruled *w = &p.w;

    ruled_sign(w);
    p.hypothesis = hypothesis(w, w->remains, w->missing);
    ruled_add(w, &w->matcher, p.hypothesis);
    p.evidence = evidence(w, p.hypothesis, "dna", "yes");
    ruled_add(w, &w->matcher, p.evidence);
    p.first = comparison(w, p.hypothesis, "dna", says);
    p.second = comparison(w, p.hypothesis, "dna", says);
    ruled_add(w, &w->by[ROLE_GENETICIST], p.first);
    ruled_add(w, &w->second[ROLE_GENETICIST], p.second);
    return p;
}

#endif
