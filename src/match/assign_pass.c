/* SPDX-License-Identifier: Apache-2.0 */
/* The passes of the elimination.  Each kernel is written once over W words and a semiring and
 * compiled for the common case of one word by constant propagation. */
#include "match/assign_joint.h"

#include <string.h>

#include "base/parallel.h"
#include "match/assign_dense.h"

#define INLINE static inline __attribute__((always_inline))

enum { CHECK_EVERY = 1 << 21, ROOM_BITS = 22 };

INLINE bool meets(const uint64_t *a, const uint64_t *b, uint32_t words) {
    uint64_t x = a[0] & b[0];

    for (uint32_t i = 1; i < words; i++)
        x |= a[i] & b[i];
    return x != 0;
}

INLINE void join(uint64_t *ret, const uint64_t *a, const uint64_t *b, const uint64_t *keep,
                 uint32_t words) {
    for (uint32_t i = 0; i < words; i++)
        ret[i] = (a[i] | b[i]) & keep[i];
}

/* Count what was looked at; stop where it is too much or somebody asks. */
static int charge(work *w, uint64_t n, uint64_t *since, pool *p) {
    w->done += n;
    *since += n;
    if (w->most && w->done > w->most)
        p->rc = ATG_ELIMIT;
    else if (*since >= CHECK_EVERY && w->progress && w->progress->step &&
             !w->progress->step(w->progress->user, "joint", w->done, 0))
        p->rc = ATG_ECANCEL;
    else {
        *since = *since >= CHECK_EVERY ? 0 : *since;
        return ATG_OK;
    }
    return pool_rc(p);
}

typedef struct sweep {
    table *from;
    step *step;
    pool *pool;
    work *work;
    joint *joint;
    uint64_t since;
} sweep;

/* ---- inwards ---- */

INLINE int inwards(sweep *s, uint32_t words, bool sums) {
    table *to = &s->step->states;
    const table *from = s->from, *sets = &s->step->sets;
    const uint32_t *skip = s->step->skip;
    uint64_t joined[TABLE_WORDS_MAX] = {0};

    for (uint32_t u = 0; u < from->n; u++) {
        const uint64_t *used = from->key + (size_t)u * words;
        cell start = from->in[u];
        uint64_t looked = 0;

        for (uint32_t k = 0; k < sets->n; looked++) {
            const uint64_t *set = sets->key + (size_t)k * words;

            if (meets(used, set, words)) {
                k = skip[k];
                continue;
            }
            join(joined, used, set, s->step->keep, words);

            int64_t t = table_find(to, joined, words);

            if (t == TABLE_NONE && (t = table_add(to, s->pool, joined)) == TABLE_NONE)
                return pool_rc(s->pool);
            cell_put(&to->in[t], sums ? xnum_mul(start.sum, sets->in[k].sum) : XNUM_ONE,
                     start.count * sets->in[k].count, start.best + sets->in[k].best, sums);
            k++;
        }
        if (charge(s->work, looked, &s->since, s->pool))
            return pool_rc(s->pool);
    }
    return ATG_OK;
}

/* Cells numbered by sets pay where most of them will be filled, many times. */
static bool worth_room(const sweep *s, const side *sd) {
    return sd->bits <= ROOM_BITS && (double)s->from->n * s->step->sets.n > exp2(sd->bits + 3);
}

static int inwards_dense(sweep *s, const side *sd, bool sums, cell *room) {
    dense_step d = {.from = s->from, .step = s->step, .bits = sd->bits, .pool = s->pool};
    int rc = dense_inwards(&d, sums, room);

    return rc ? rc : charge(s->work, d.pairs, &s->since, s->pool);
}

static int inwards_step(sweep *s, const side *sd, bool sums) {
    table *to = &s->step->states;

    if (worth_room(s, sd)) {
        cell *room = POOL_GET(s->pool, cell, (size_t)1 << sd->bits);
        int rc = room ? inwards_dense(s, sd, sums, room) : pool_rc(s->pool);

        if (!rc)
            rc = table_of(to, s->pool, sd->bits, room);
        pool_drop(s->pool, room);
        return rc;
    }
    if (table_init(to, s->pool, sd->words, sd->bits))
        return pool_rc(s->pool);
    if (sd->words == 1)
        return sums ? inwards(s, 1, true) : inwards(s, 1, false);
    return sums ? inwards(s, sd->words, true) : inwards(s, sd->words, false);
}

table *joint_end(joint *jt, uint32_t which) {
    side *sd = &jt->side[which];

    return sd->n_steps ? &sd->steps[sd->n_steps - 1].states : &sd->start;
}

static int side_inwards(joint *jt, uint32_t which, work *w) {
    static const uint64_t none[TABLE_WORDS_MAX];
    side *sd = &jt->side[which];
    pool *p = &jt->pools[which];
    table *from = &sd->start;

    if (table_init(&sd->start, p, sd->words, sd->bits) ||
        table_add(&sd->start, p, none) == TABLE_NONE)
        return pool_rc(p);
    sd->start.in[0] = (cell){XNUM_ONE, 1, 0};
    for (uint32_t i = 0; i < sd->n_steps; i++) {
        sweep s = {.from = from, .step = &sd->steps[i], .pool = p, .work = w, .joint = jt};

        if (inwards_step(&s, sd, jt->sums))
            return pool_rc(p);
        from = &sd->steps[i].states;
    }
    return ATG_OK;
}

/* ---- the middle ---- */

void joint_middle_numbers(const joint *jt, uint32_t which, const table *t, uint32_t *ret) {
    for (uint32_t u = 0; u < t->n; u++) {
        const uint64_t *key = t->key + (size_t)u * t->words;

        ret[u] = 0;
        for (uint32_t i = 0; i < jt->n_middle; i++) {
            uint32_t bit = jt->bit[which][jt->middle[i]];

            ret[u] |= (uint32_t)(key[bit >> 6] >> (bit & 63) & 1) << i;
        }
    }
}

/* After it, a set's cell holds what was in the cells of its subsets. */
static void add_subsets(cell *room, uint32_t bits, bool sums) {
    for (uint32_t b = 0; b < bits; b++) {
        for (size_t s = 0; s >> bits == 0; s++) {
            const cell *other = &room[s ^ ((size_t)1 << b)];

            if (s >> b & 1 && other->count > 0)
                cell_put(&room[s], other->sum, other->count, other->best, sums);
        }
    }
}

static void total_all(joint *jt, const table *mine) {
    xsum z = XSUM_ZERO;
    long double count = 0;

    jt->best = TABLE_NEVER;
    for (uint32_t u = 0; u < mine->n; u++) {
        const cell *in = &mine->in[u], *out = &mine->out[u];

        if (jt->sums)
            xsum_add(&z, xnum_mul(in->sum, out->sum));
        count += (long double)in->count * out->count;
        jt->best = jt->best < in->best + out->best ? in->best + out->best : jt->best;
    }
    jt->z = xsum_total(z);
    jt->count = (double)count;
}

/* What leaves a thing of the middle unused. */
static void total_unused(joint *jt, const table *mine, const uint32_t *set, const cell *room,
                         uint32_t i) {
    size_t full = ((size_t)1 << jt->n_middle) - 1;
    uint32_t thing = jt->middle[i], bit = (uint32_t)1 << i;
    xsum sum = XSUM_ZERO;

    for (uint32_t u = 0; u < mine->n; u++) {
        const cell *in = &mine->in[u], *out = &room[full ^ (set[u] | bit)];

        if (set[u] & bit || out->count == 0)
            continue;
        if (jt->sums)
            xsum_add(&sum, xnum_mul(in->sum, out->sum));
        if (jt->none_best[thing] < in->best + out->best)
            jt->none_best[thing] = in->best + out->best;
    }
    if (jt->sums)
        jt->none_sum[thing] = xnum_double(xnum_mul(xsum_total(sum), xnum_inverse(jt->z)));
}

/* What completes one side's last states, from the other side's. */
static int meet(joint *jt, uint32_t which) {
    table *mine = joint_end(jt, which), *other = joint_end(jt, !which);
    pool *p = jt->pool;
    size_t full = ((size_t)1 << jt->n_middle) - 1;
    uint32_t *my_set = POOL_GET(p, uint32_t, mine->n), *set = POOL_GET(p, uint32_t, other->n);
    cell *room = POOL_GET(p, cell, full + 1);

    if (!my_set || !set || !room)
        return pool_rc(p);
    mine->out = POOL_GET(&jt->pools[which], cell, mine->n);
    if (!mine->out)
        return pool_rc(&jt->pools[which]);
    joint_middle_numbers(jt, which, mine, my_set);
    joint_middle_numbers(jt, !which, other, set);
    for (uint32_t v = 0; v < other->n; v++)
        room[set[v]] = other->in[v];
    add_subsets(room, jt->n_middle, jt->sums);
    for (uint32_t u = 0; u < mine->n; u++) {
        const cell *c = &room[full ^ my_set[u]];

        mine->out[u] = c->count > 0 ? *c : (cell){XNUM_ZERO, 0, TABLE_NEVER};
    }
    if (which == 0) {
        total_all(jt, mine);
        for (uint32_t i = 0; i < jt->n_middle; i++)
            total_unused(jt, mine, my_set, room, i);
    }
    pool_drop(p, my_set);
    pool_drop(p, set);
    pool_drop(p, room);
    return ATG_OK;
}

/* ---- outwards ---- */

/* What is dropped here and not used in this way was not used at all. */
static void note_drops(const sweep *s, const uint64_t *used, const uint64_t *set, xnum sum,
                       int64_t best) {
    double share = s->joint->sums ? xnum_double(sum) : 0;

    for (uint32_t d = 0; d < s->step->n_drops; d++) {
        uint32_t bit = s->step->drops[d].bit, thing = s->step->drops[d].thing;

        if ((used[bit >> 6] | set[bit >> 6]) >> (bit & 63) & 1)
            continue;
        s->joint->none_sum[thing] += share;
        if (s->joint->none_best[thing] < best)
            s->joint->none_best[thing] = best;
    }
}

/* What one set adds to what completes a state, and to what goes with the set. */
INLINE void extend(const sweep *s, const cell *in, uint32_t k, const cell *rest, cell *out,
                   bool sums) {
    const cell *mine = &s->step->sets.in[k];
    cell *most = &s->step->sets.out[k];
    int64_t best = in->best + rest->best, here = mine->best + rest->best;

    if (sums) {
        out->sum = xnum_add(out->sum, xnum_mul(mine->sum, rest->sum));
        most->sum = xnum_add(most->sum, xnum_mul(in->sum, rest->sum));
    }
    out->best = out->best < here ? here : out->best;
    most->best = most->best < best ? best : most->best;
}

INLINE int outwards(sweep *s, uint32_t words, bool sums) {
    table *from = s->from;
    const table *to = &s->step->states, *sets = &s->step->sets;
    const uint32_t *skip = s->step->skip;
    uint64_t joined[TABLE_WORDS_MAX] = {0};
    xnum inverse = sums ? xnum_inverse(s->joint->z) : XNUM_ZERO;

    for (uint32_t u = 0; u < from->n; u++) {
        const uint64_t *used = from->key + (size_t)u * words;
        cell in = from->in[u], out = {XNUM_ZERO, 0, TABLE_NEVER};
        uint64_t looked = 0;

        for (uint32_t k = 0; k < sets->n; looked++) {
            const uint64_t *set = sets->key + (size_t)k * words;

            if (meets(used, set, words)) {
                k = skip[k];
                continue;
            }
            join(joined, used, set, s->step->keep, words);

            const cell *rest = &to->out[table_find(to, joined, words)];

            extend(s, &in, k, rest, &out, sums);
            if (s->step->n_drops)
                note_drops(
                    s, used, set,
                    xnum_mul(xnum_mul(xnum_mul(in.sum, rest->sum), sets->in[k].sum), inverse),
                    in.best + rest->best + sets->in[k].best);
            k++;
        }
        from->out[u] = out;
        if (charge(s->work, looked, &s->since, s->pool))
            return pool_rc(s->pool);
    }
    return ATG_OK;
}

static int outwards_dense(sweep *s, const side *sd, bool sums) {
    dense_step d = {.from = s->from, .step = s->step, .bits = sd->bits, .pool = s->pool};
    int rc = dense_outwards(&d, sums, s->from->out, s->step->sets.out);

    return rc ? rc : charge(s->work, d.pairs, &s->since, s->pool);
}

static int outwards_step(sweep *s, const side *sd, bool sums) {
    table *from = s->from, *sets = &s->step->sets;
    uint32_t words = sd->words;

    from->out = POOL_GET(s->pool, cell, from->n);
    sets->out = POOL_GET(s->pool, cell, sets->n);
    if (!from->out || !sets->out)
        return pool_rc(s->pool);
    for (uint32_t k = 0; k < sets->n; k++)
        sets->out[k] = (cell){XNUM_ZERO, 0, TABLE_NEVER};
    if (s->step->n_drops == 0 && worth_room(s, sd))
        return outwards_dense(s, sd, sums);
    if (words == 1)
        return sums ? outwards(s, 1, true) : outwards(s, 1, false);
    return sums ? outwards(s, words, true) : outwards(s, words, false);
}

static int side_outwards(joint *jt, uint32_t which, work *w) {
    side *sd = &jt->side[which];
    pool *p = &jt->pools[which];

    for (uint32_t i = sd->n_steps; i-- > 0;) {
        step *st = &sd->steps[i];
        table *from = i ? &sd->steps[i - 1].states : &sd->start;
        sweep s = {.from = from, .step = st, .pool = p, .work = w, .joint = jt};

        if (outwards_step(&s, sd, jt->sums))
            return pool_rc(p);
        table_drop(&st->states, p);
    }
    table_drop(&sd->start, p);
    return ATG_OK;
}

/* ---- both sides ---- */

typedef struct both {
    joint *joint;
    bool inward;
    work works[2];
} both;

static int run_side(void *user, uint32_t worker, uint64_t piece, atg_err *err) {
    both *b = user;
    uint32_t which = (uint32_t)piece;

    (void)err;
    if (worker)
        b->works[which].progress = NULL;
    return b->inward ? side_inwards(b->joint, which, &b->works[which])
                     : side_outwards(b->joint, which, &b->works[which]);
}

static int run_both(joint *jt, bool inward, uint32_t threads, work *w) {
    both b = {.joint = jt, .inward = inward};

    b.works[0] = b.works[1] = (work){.most = w->most, .progress = w->progress};

    int rc = parallel_run(threads > 1 ? 2 : 1, 2, run_side, &b, "joint", NULL, NULL);

    w->done += b.works[0].done + b.works[1].done;
    return rc;
}

int joint_inwards(joint *jt, uint32_t threads, work *w) {
    int rc = run_both(jt, true, threads, w);

    return rc ? rc : meet(jt, 0);
}

int joint_outwards(joint *jt, uint32_t threads, work *w) {
    int rc = meet(jt, 1);

    return rc ? rc : run_both(jt, false, threads, w);
}

int joint_solve(joint *jt, uint32_t threads, work *w) {
    int rc = joint_inwards(jt, threads, w);

    if (!rc)
        rc = joint_outwards(jt, threads, w);
    for (int which = 0; !rc && which < 2; which++) { /* what comes now may use what they left */
        jt->pool->left += jt->pools[which].left;
        jt->lent -= jt->pools[which].left;
        jt->pools[which].left = 0;
    }
    return rc;
}

void joint_free(joint *jt) {
    pool_free(&jt->pools[0]);
    pool_free(&jt->pools[1]);
    jt->pool->left += jt->lent;
}
