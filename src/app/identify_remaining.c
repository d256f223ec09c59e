/* SPDX-License-Identifier: Apache-2.0 */
/* Families that do not fit as recorded: each typed relative is left out in turn, and the family is
 * checked again.  What fits without one is compared on the remaining relatives.  Where several may
 * be the one, no rule says which is likelier: the joint solution counts the mean of the LRs, so
 * that a body unrelated to the family is still given an LR of 1 on average, and nothing is
 * concluded that does not hold whichever it is. */
#include "app/identify.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

/* Relatives left out in turn, each with the family that remains. */
typedef struct trial {
    uint32_t n;
    atg_remaining *left_out;
    atg_family *families;
    const atg_family_check *checks;
} trial;

static int short_of_memory(atg_err *err) {
    return atg_fail(err, ATG_ENOMEM, "Out of memory comparing families with what remains of them");
}

/* Is there a profile of this person, a reference's or an own sample's? */
static bool is_shown(const atg_person *p) {
    return p->genos || p->n_own;
}

static uint32_t count_trials(const identify *run, const atg_operation *op) {
    uint32_t n = 0;

    for (uint32_t f = 0; f < op->n_families; f++)
        for (uint32_t i = 0; i < op->families[f].ped.n && !run->checks[f].fits; i++)
            n += is_shown(&op->families[f].ped.persons[i]);
    return n;
}

/* A person of whom no profile is used. */
static void leave_out(atg_person *p) {
    p->genos = NULL;
    p->n_own = 0;
    p->dropout = p->dropin = 0;
    p->mt = (atg_mt){0};
}

static int list_trials(const identify *run, const atg_operation *op, trial *t) {
    for (uint32_t f = 0; f < op->n_families; f++) {
        const atg_pedigree *ped = &op->families[f].ped;

        for (uint32_t i = 0; i < ped->n && !run->checks[f].fits; i++) {
            atg_person *persons;

            if (!is_shown(&ped->persons[i]))
                continue;
            persons = ATG_GET(run->arena, atg_person, ped->n);
            if (!persons)
                return ATG_ENOMEM;
            memcpy(persons, ped->persons, ped->n * sizeof(*persons));
            leave_out(&persons[i]);
            t->families[t->n] = op->families[f];
            t->families[t->n].ped.persons = persons;
            t->left_out[t->n++] = (atg_remaining){f, i};
        }
    }
    return ATG_OK;
}

static int try_all(identify *run, const atg_operation *op, trial *t, atg_err *err) {
    uint32_t n = count_trials(run, op);
    atg_operation few = *op;

    t->left_out = ATG_GET(run->arena, atg_remaining, n + 1);
    t->families = ATG_GET(run->arena, atg_family, n + 1);
    if (!t->left_out || !t->families || list_trials(run, op, t))
        return short_of_memory(err);
    few.n_families = n;
    few.families = t->families;
    few.n_missing = 0;
    return atg_check_families(run->arena, &few, &t->checks, err);
}

/* Trials from `from` on of one family, which ends before *ret_to, that fit. */
static uint32_t count_fitting(const trial *t, uint32_t from, uint32_t *ret_to) {
    uint32_t n = 0, to = from;

    while (to < t->n && t->left_out[to].family == t->left_out[from].family)
        n += t->checks[to++].fits;
    *ret_to = to;
    return n;
}

static int add_ways(identify *run, const trial *t, uint32_t from, uint32_t to, uint32_t n) {
    ways *w = &run->ways[t->left_out[from].family];

    w->family = ATG_GET(run->arena, atg_family, n);
    if (!w->family)
        return ATG_ENOMEM;
    for (uint32_t k = from; k < to; k++)
        if (t->checks[k].fits)
            w->family[w->n++] = t->families[k];
    return ATG_OK;
}

static int choose(identify *run, const trial *t, atg_family *families, atg_remaining *used) {
    for (uint32_t from = 0, to; from < t->n; from = to) {
        uint32_t n = count_fitting(t, from, &to), f = t->left_out[from].family;

        if (n == 0)
            continue;
        run->without_one[f] = true;
        if (n > 1 && add_ways(run, t, from, to, n))
            return ATG_ENOMEM;
        for (uint32_t k = from; k < to; k++) {
            if (!t->checks[k].fits)
                continue;
            used[run->n_remaining++] = t->left_out[k];
            if (n == 1)
                families[f] = t->families[k];
        }
    }
    run->remaining = used;
    return ATG_OK;
}

int identify_remaining(identify *run, atg_operation *merged, atg_err *err) {
    trial t = {0};
    uint32_t n = merged->n_families;
    atg_family *families = ATG_GET(run->arena, atg_family, n + 1);
    atg_remaining *used;
    int rc;

    run->ways = ATG_GET(run->arena, ways, n + 1);
    run->without_one = ATG_GET(run->arena, bool, n + 1);
    if (!families || !run->ways || !run->without_one)
        return short_of_memory(err);
    if (run->options.raw) /* the reference's conventions: every relative counts */
        return ATG_OK;
    rc = try_all(run, merged, &t, err);
    used = rc ? NULL : ATG_GET(run->arena, atg_remaining, t.n + 1);
    if (rc)
        return rc;
    if (!used)
        return short_of_memory(err);
    if (n)
        memcpy(families, merged->families, n * sizeof(*families));
    if (choose(run, &t, families, used))
        return short_of_memory(err);
    merged->families = families;
    return ATG_OK;
}

const ways *identify_ways(const identify *run, uint32_t missing) {
    const ways *w = &run->ways[run->op->missing[missing].family];

    return w->n ? w : NULL;
}

void identify_narrow(const identify *run, const atg_family *family, uint32_t missing, narrow *ret) {
    ret->op = *run->op;
    ret->family = *family;
    ret->missing = run->op->missing[missing];
    ret->missing.family = 0;
    ret->list = 0;
    ret->family.n_missing = 1;
    ret->family.missing = &ret->list;
    ret->op.n_families = ret->op.n_missing = 1;
    ret->op.families = &ret->family;
    ret->op.missing = &ret->missing;
    ret->op.params.prior.given = NULL;
}

double identify_mean(uint32_t n, const double *x, size_t step) {
    double most = -INFINITY, sum = 0;

    for (uint32_t k = 0; k < n; k++)
        most = fmax(most, x[k * step]);
    for (uint32_t k = 0; k < n && most > -INFINITY; k++)
        sum += pow(10, x[k * step] - most);
    return most > -INFINITY ? most + log10(sum / n) : most;
}

const atg_assign_pair *identify_joint_pair(uint32_t n, const atg_assign_pair *pairs, uint32_t body,
                                           uint32_t missing) {
    uint32_t low = 0, high = n;

    while (low < high) {
        uint32_t mid = low + (high - low) / 2;

        if (pairs[mid].body < body || (pairs[mid].body == body && pairs[mid].missing < missing))
            low = mid + 1;
        else
            high = mid;
    }
    return low < n && pairs[low].body == body && pairs[low].missing == missing ? &pairs[low] : NULL;
}
