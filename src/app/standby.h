/* SPDX-License-Identifier: Apache-2.0 */
/* A large operation kept ready in memory, so that what is new is ranked at once: a body against all
 * missing persons, a family against all bodies.  What it finds are leads of single pairs; the joint
 * solution over everybody (atg_identify) follows in its own time and has the last word. */
#ifndef ATG_APP_STANDBY_H
#define ATG_APP_STANDBY_H

#include "app/cases.h"

typedef struct standby standby;

/* A pair that is worth showing, scored exactly (atg_pair_lr). */
typedef struct standby_pair {
    uuid remains, missing;
    double log10_lr;    /* raw */
    double posterior;   /* of the body by itself: o LR / (1 + sum of o LR over all missing) */
    uint32_t n_direct;  /* markers at which an own sample of the missing person takes part */
    uint32_t n_markers; /* compared */
} standby_pair;

typedef struct standby_options {
    uuid operation;
    uint32_t threads; /* 0: all */
    const atg_progress *progress;
} standby_options;

/* Read the operation and compile every missing person's tables. */
int standby_open(cases *c, const standby_options *o, standby **ret, atg_err *err);
void standby_close(standby *s);
static inline void standby_freep(standby **p) {
    standby_close(*p);
}

/* How many missing persons and bodies are ready. */
uint32_t standby_missing(const standby *s);
uint32_t standby_bodies(const standby *s);

/* Read a remains file anew and rank it: pairs of its best persons, the best first.  ATG_ELIMIT: the
 * file brought an allele that the tables lack, or room is out: open anew. */
int standby_remains(standby *s, atg_arena *arena, const uuid *file, standby_pair **ret,
                    uint32_t *ret_n, atg_err *err);
/* Read a family anew (a missing file without one is a family of one), and rank its missing persons
 * against all bodies. */
int standby_family(standby *s, atg_arena *arena, const uuid *file, standby_pair **ret,
                   uint32_t *ret_n, atg_err *err);

#endif
