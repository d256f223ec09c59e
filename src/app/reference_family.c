/* SPDX-License-Identifier: Apache-2.0 */
#include "app/reference_family.h"

#include <math.h>
#include <string.h>

static const double slack = 1.5e-8, tie = 1e-9;

int reference_family_table(const reference_state *s, uint32_t family, family_table *ret,
                           atg_err *err) {
    const atg_family *f = &s->families[family];
    uint32_t places = f->n_missing, n_samples = s->op.n_samples;
    bool *allowed = ATG_GET(s->arena, bool, (size_t)places *n_samples + 1);
    atg_tuples tuples;
    int rc;

    if (!allowed)
        return atg_fail(err, ATG_ENOMEM, "Out of memory comparing a family jointly");
    for (size_t c = 0; c < (size_t)places * n_samples; c++)
        allowed[c] = reference_in_play(s, (uint32_t)(c % n_samples), f->missing[c / n_samples]);
    rc = atg_family_tuples(s->arena, &s->op, family, allowed, s->mutation[family], &tuples, err);
    if (rc)
        return rc;

    int32_t *bodies = ATG_GET(s->arena, int32_t, (tuples.n + 1) * (places + 1));
    double *log_lr = ATG_GET(s->arena, double, tuples.n + 1);

    if (!bodies || !log_lr)
        return atg_fail(err, ATG_ENOMEM, "Out of memory comparing a family jointly");
    for (uint64_t c = 0; c < tuples.n * places; c++)
        bodies[c] = tuples.samples[c];
    for (uint32_t p = 0; p < places; p++)
        bodies[tuples.n * places + p] = -1;
    for (uint64_t t = 0; t < tuples.n; t++)
        log_lr[t] = tuples.log10_lr[t] * M_LN10;
    *ret = (family_table){places, f->missing, tuples.n + 1, bodies, log_lr};
    return ATG_OK;
}

/* Whose place a body takes in row t: an index of places, or n_places for nobody's. */
static uint32_t place_of(const family_table *t, uint64_t row, uint32_t body) {
    uint32_t p = 0;

    while (p < t->n_places && t->bodies[row * t->n_places + p] != (int32_t)body)
        p++;
    return p;
}

static bool has_row(const family_table *t, uint32_t place, uint32_t body) {
    for (uint64_t r = 0; r < t->n; r++)
        if (place_of(t, r, body) == place)
            return true;
    return false;
}

/* The best row with the pair over the best without it. */
static double pair_glr(const family_table *t, uint32_t place, uint32_t body) {
    double with = -INFINITY, without = -INFINITY;

    for (uint64_t r = 0; r < t->n; r++) {
        double *side = place_of(t, r, body) == place ? &with : &without;

        *side = fmax(*side, t->log_lr[r]);
    }
    return exp(with - without);
}

/* Rows by likelihood; equal ones by whom the first body is, by name, nobody last. */
static bool precedes(const reference_state *s, const family_table *t, uint64_t a, uint64_t b) {
    if (fabs(t->log_lr[a] - t->log_lr[b]) > tie)
        return t->log_lr[a] > t->log_lr[b];
    for (uint32_t i = 0; i < s->op.n_samples; i++) {
        uint32_t x = place_of(t, a, i), y = place_of(t, b, i);

        if (x == y)
            continue;
        if (x == t->n_places || y == t->n_places)
            return y == t->n_places;
        return atg_str_cmp(s->op.missing[t->missing[x]].id, s->op.missing[t->missing[y]].id) < 0;
    }
    return false;
}

static uint64_t first_row(const reference_state *s, const family_table *t, uint64_t except) {
    uint64_t ret = UINT64_MAX;

    for (uint64_t r = 0; r < t->n; r++)
        if (r != except && (ret == UINT64_MAX || precedes(s, t, r, ret)))
            ret = r;
    return ret;
}

static void put(solve_row *rows, uint32_t at, const solve_row *row) {
    for (uint32_t v = 0; v < SOLVE_VARIANTS; v++)
        rows[at * SOLVE_VARIANTS + v] = *row;
}

static atg_str names_of(const reference_state *s, const family_table *t) {
    atg_str ret = {NULL, 0};

    for (uint32_t p = 0; p < t->n_places; p++)
        if (s->missing[t->missing[p]])
            ret = atg_arena_printf(s->arena, "%.*s%s%.*s", ATG_FMT(ret), ret.n ? "," : "",
                                   ATG_FMT(s->op.missing[t->missing[p]].id));
    return ret;
}

/* Pairs whose own GLR reaches the threshold; `taken` gets their bodies. */
static void match_pairs(const reference_state *s, const family_table *t, double threshold,
                        const double *lr, bool *taken, solve_tables *ret) {
    atg_str joint = atg_arena_printf(s->arena, "Joint: {%.*s}", ATG_FMT(names_of(s, t)));

    for (uint32_t p = 0; p < t->n_places; p++)
        for (uint32_t i = 0; i < s->op.n_samples; i++) {
            uint32_t j = t->missing[p];
            double glr = has_row(t, p, i) ? pair_glr(t, p, i) : NAN;

            if (!(glr >= threshold - slack))
                continue;
            taken[i] = true;

            solve_row row = {.made = true,
                             .sample = s->op.samples[i].id,
                             .missing = s->op.missing[j].id,
                             .family = s->op.families[s->op.missing[j].family].id,
                             .conclusion = ATG_STR("Match (GLR)"),
                             .comment = joint,
                             .lr = lr[i * s->op.n_missing + j],
                             .glr = glr};

            put(ret->am, j, &row);
            put(ret->pm, i, &row);
        }
}

/* One or two bodies and the two places that they may exchange. */
typedef struct exchange {
    uint32_t n, body[2];
    uint32_t missing[2];
    double glr;
    bool siblings;
} exchange;

/* Best row in which these bodies are anybody else. */
static double best_other(const family_table *t, const exchange *x) {
    double ret = -INFINITY;

    for (uint64_t r = 0; r < t->n; r++) {
        bool inside = true;

        for (uint32_t k = 0; k < x->n; k++) {
            uint32_t p = place_of(t, r, x->body[k]);

            inside &= p < t->n_places &&
                      (t->missing[p] == x->missing[0] || t->missing[p] == x->missing[1]);
        }
        if (!inside)
            ret = fmax(ret, t->log_lr[r]);
    }
    return ret;
}

static bool full_siblings(const reference_state *s, const exchange *x) {
    const atg_person *persons = s->families[s->op.missing[x->missing[0]].family].ped.persons;
    const atg_person *a = &persons[s->op.missing[x->missing[0]].person];
    const atg_person *b = &persons[s->op.missing[x->missing[1]].person];

    return a->father >= 0 && a->father == b->father && a->mother == b->mother;
}

/* Do the two best rows differ in one body that is either of two, or in two bodies exchanged? */
static bool find_exchange(const reference_state *s, const family_table *t, const bool *taken,
                          exchange *ret) {
    uint64_t first = first_row(s, t, UINT64_MAX), second = first_row(s, t, first);
    uint32_t a[2], b[2];
    exchange x = {0};

    if (t->n < 3)
        return false;
    for (uint32_t i = 0; i < s->op.n_samples; i++) {
        uint32_t p = place_of(t, first, i), q = place_of(t, second, i);

        if (taken[i] || p == q)
            continue;
        if (x.n == 2 || p == t->n_places || q == t->n_places)
            return false;
        a[x.n] = p;
        b[x.n] = q;
        x.body[x.n++] = i;
    }
    if (x.n == 0 || (x.n == 2 && (a[0] != b[1] || a[1] != b[0])))
        return false;
    x.missing[0] = t->missing[a[0] < b[0] ? a[0] : b[0]];
    x.missing[1] = t->missing[a[0] < b[0] ? b[0] : a[0]];
    x.glr = exp(t->log_lr[first] - best_other(t, &x));
    x.siblings = full_siblings(s, &x);
    *ret = x;
    return true;
}

/* "{M2, M3} = {V2, V3}" or the other way round. */
static atg_str equation(const reference_state *s, const exchange *x, bool am) {
    atg_str m0 = s->op.missing[x->missing[0]].id, m1 = s->op.missing[x->missing[1]].id;
    atg_str b0 = s->op.samples[x->body[0]].id, b1 = s->op.samples[x->body[1]].id;

    return am ? atg_arena_printf(s->arena, "Full siblings: {%.*s, %.*s} = {%.*s, %.*s}",
                                 ATG_FMT(m0), ATG_FMT(m1), ATG_FMT(b0), ATG_FMT(b1))
              : atg_arena_printf(s->arena, "Full siblings: {%.*s, %.*s} = {%.*s, %.*s}",
                                 ATG_FMT(b0), ATG_FMT(b1), ATG_FMT(m0), ATG_FMT(m1));
}

static void exchange_am(const reference_state *s, const exchange *x, const double *lr,
                        solve_tables *ret) {
    const atg_sample *samples = s->op.samples;

    for (uint32_t k = 0; k < 2; k++) {
        uint32_t j = x->missing[k];
        solve_row row = {.made = true,
                         .missing = s->op.missing[j].id,
                         .family = s->op.families[s->op.missing[j].family].id,
                         .conclusion = ATG_STR("Symmetric match"),
                         .lr = NAN,
                         .glr = x->glr,
                         .loose = !x->siblings};

        if (x->n == 2) {
            row.sample = atg_arena_printf(s->arena, "%.*s/%.*s", ATG_FMT(samples[x->body[0]].id),
                                          ATG_FMT(samples[x->body[1]].id));
            row.comment = equation(s, x, true);
        } else {
            row.sample = samples[x->body[0]].id;
            row.lr = lr[x->body[0] * s->op.n_missing + j];
            row.comment =
                atg_arena_printf(s->arena, "%.*s also matches %.*s (full siblings)",
                                 ATG_FMT(row.sample), ATG_FMT(s->op.missing[x->missing[1 - k]].id));
        }
        put(ret->am, j, &row);
    }
}

static void exchange_pm(const reference_state *s, const exchange *x, const double *lr, bool *taken,
                        solve_tables *ret) {
    atg_str m0 = s->op.missing[x->missing[0]].id, m1 = s->op.missing[x->missing[1]].id;

    for (uint32_t k = 0; k < x->n; k++) {
        const double *own = &lr[(size_t)x->body[k] * s->op.n_missing];
        solve_row row = {
            .made = true,
            .sample = s->op.samples[x->body[k]].id,
            .missing = atg_arena_printf(s->arena, "%.*s/%.*s", ATG_FMT(m0), ATG_FMT(m1)),
            .family = s->op.families[s->op.missing[x->missing[0]].family].id,
            .conclusion = ATG_STR("Symmetric match"),
            .comment = x->n == 2 ? equation(s, x, false)
                                 : atg_arena_printf(s->arena, "%.*s and %.*s are full siblings",
                                                    ATG_FMT(m0), ATG_FMT(m1)),
            .lr = fmax(own[x->missing[0]], own[x->missing[1]]),
            .glr = x->glr,
            .loose = !x->siblings};

        taken[x->body[k]] = true;
        put(ret->pm, x->body[k], &row);
    }
}

/* The others: the best LR and the best GLR that there is. */
static void inconclusive(const reference_state *s, const family_table *t, const double *lr,
                         solve_tables *ret) {
    for (uint32_t p = 0; p < t->n_places; p++) {
        uint32_t j = t->missing[p];
        solve_row row = {.made = true,
                         .missing = s->op.missing[j].id,
                         .family = s->op.families[s->op.missing[j].family].id,
                         .conclusion = ATG_STR("Inconclusive"),
                         .lr = NAN,
                         .glr = NAN};

        if (!s->missing[j] || ret->am[(size_t)j * SOLVE_VARIANTS].made)
            continue;
        for (uint32_t i = 0; i < s->op.n_samples; i++) {
            row.lr = fmax(row.lr, lr[i * s->op.n_missing + j]);
            if (has_row(t, p, i))
                row.glr = fmax(row.glr, pair_glr(t, p, i));
        }
        put(ret->am, j, &row);
    }
}

int reference_family_rows(reference_state *s, uint32_t family, double threshold, const double *lr,
                          solve_tables *ret, atg_err *err) {
    bool *taken = ATG_GET(s->arena, bool, s->op.n_samples + 1);
    family_table table;
    exchange x;
    int rc = taken ? reference_family_table(s, family, &table, err)
                   : atg_fail(err, ATG_ENOMEM, "Out of memory comparing a family jointly");

    if (rc)
        return rc;
    match_pairs(s, &table, threshold, lr, taken, ret);
    if (find_exchange(s, &table, taken, &x) && x.glr >= threshold) {
        exchange_am(s, &x, lr, ret);
        exchange_pm(s, &x, lr, taken, ret);
    }
    inconclusive(s, &table, lr, ret);
    for (uint32_t i = 0; i < s->op.n_samples; i++)
        s->body[i] &= !taken[i];
    return ATG_OK;
}
