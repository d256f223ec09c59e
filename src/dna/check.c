/* SPDX-License-Identifier: Apache-2.0 */
#include <antigone/check.h>

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/parallel.h"
#include "dna/compiler.h"
#include "dna/kernel.h"
#include "dna/sex.h"

/* docs/families.md says why these. */
static const double gain_limit = 2;         /* log10: 100 times more probable if unrelated */
static const double alike_limit = 1;        /* log10: less than 10 times */
static const double assumed_rate = 0.002;   /* where a marker has no mutation model */
static const double no_likelihood_gain = 6; /* log10, at a marker that no mutation explains */
enum { SAME_PROFILE = 10 }; /* markers at which two profiles must agree to be called one */

/* What all families share. */
typedef struct checker {
    const atg_operation *op;
    atg_marker *plain;        /* without mutation */
    atg_marker *assumed;      /* with, everywhere */
    atg_compiler **compilers; /* one per worker */
    atg_family_check *checks;
    bool *inconsistent; /* a row of markers per family */
    uint32_t **flags;   /* room per family */
    struct finding *findings;
} checker;

/* Who else a note must name. */
typedef struct finding {
    int32_t exchanged[2]; /* persons whose samples fit when exchanged, or -1 */
    int32_t same[2];      /* persons of one profile, or -1 */
    uint32_t n_same;      /* markers of that */
    int32_t pair[2];      /* two whose leaving out repairs alike, or -1 */
    int32_t only; /* the one person whose own samples were compared with each other, or -1 */
    bool too_entangled;
} finding;

typedef struct family {
    const checker *all;
    atg_compiler *compiler;
    const atg_pedigree *ped;
    atg_person persons[ATG_PEDIGREE_MAX]; /* the pedigree's, and a place for one who is moved out */
    bool related[ATG_PEDIGREE_MAX];       /* typed, and related to another typed person, or twice */
    uint32_t n_related, n_samples;        /* and their samples */
    double gain[ATG_PEDIGREE_MAX];        /* log10, of each being unrelated */
    uint32_t repaired[ATG_PEDIGREE_MAX];
    atg_family_check *check;
    finding *finding;
} family;

static bool has_likelihood(const atg_marker *m) {
    return m->chrom == ATG_CHROM_AUTOSOMAL || m->chrom == ATG_CHROM_X;
}

static bool is_typed(const atg_operation *op, const atg_person *p) {
    for (uint32_t m = 0; m < op->n_markers && p->genos; m++)
        if (has_likelihood(&op->markers[m]) && atg_geno_typed(p->genos[m]))
            return true;
    return p->n_own > 0;
}

/* Samples that show something of person i at marker m: the reference's, and own ones. */
static uint32_t n_shown(const family *f, uint32_t i, uint32_t m, const atg_obs *obs) {
    const atg_person *p = &f->ped->persons[i];
    bool blind = f->all->op->markers[m].chrom == ATG_CHROM_X && p->sex == ATG_SEX_UNKNOWN;
    uint32_t n = atg_geno_typed(obs[i].geno);

    for (uint32_t k = 0; k < p->n_own && !blind; k++)
        n += atg_geno_typed(p->own[k].genos[m]);
    return n;
}

typedef struct ancestors {
    uint64_t bits[ATG_PEDIGREE_MAX / 64];
} ancestors;

/* Everybody's ancestors and themselves. */
static void list_ancestors(const atg_pedigree *ped, ancestors *ret) {
    memset(ret, 0, ped->n * sizeof(*ret));
    for (uint32_t i = 0; i < ped->n; i++)
        ret[i].bits[i / 64] |= 1ULL << (i % 64);
    for (bool more = true; more;) {
        more = false;
        for (uint32_t i = 0; i < ped->n; i++) {
            const atg_person *p = &ped->persons[i];

            for (size_t k = 0; k < ATG_PEDIGREE_MAX / 64 && p->father >= 0; k++) {
                uint64_t up = ret[p->father].bits[k] | ret[p->mother].bits[k];

                more = more || (up & ~ret[i].bits[k]);
                ret[i].bits[k] |= up;
            }
        }
    }
}

static bool share_ancestor(const ancestors *x, const ancestors *y) {
    for (size_t k = 0; k < ATG_PEDIGREE_MAX / 64; k++)
        if (x->bits[k] & y->bits[k])
            return true;
    return false;
}

static void find_related(family *f) {
    const atg_operation *op = f->all->op;
    ancestors up[ATG_PEDIGREE_MAX];
    bool typed[ATG_PEDIGREE_MAX];
    uint32_t n = f->ped->n;

    list_ancestors(f->ped, up);
    for (uint32_t i = 0; i < n; i++) {
        typed[i] = is_typed(op, &f->ped->persons[i]);
        f->check->n_typed += typed[i];
    }
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t k = 0; k < n && typed[i] && !f->related[i]; k++)
            f->related[i] = k != i && typed[k] && share_ancestor(&up[i], &up[k]);
        f->related[i] |= f->ped->persons[i].n_own > 1;
        f->n_related += f->related[i];
        f->n_samples +=
            f->related[i] ? (f->ped->persons[i].genos != NULL) + f->ped->persons[i].n_own : 0;
    }
}

/* log10 likelihood of the observations with person `out`, unless -1, outside as a founder. */
static int log10_prob(family *f, const atg_marker *models, uint32_t m, const atg_obs *obs, int out,
                      double *ret, atg_err *err) {
    uint32_t n = f->ped->n;
    atg_obs moved[ATG_PEDIGREE_MAX];
    atg_pedigree wide = {n + 1, f->persons};
    kept_input in = {.marker = &models[m],
                     .at = m,
                     .ped = f->ped,
                     .obs = obs,
                     .theta = f->all->op->params.theta,
                     .keep = -1};
    kept k;
    int rc;

    if (out >= 0) {
        if (n == ATG_PEDIGREE_MAX)
            return atg_fail(err, ATG_ELIMIT, "The family is too large for being checked");
        memcpy(moved, obs, n * sizeof(*moved));
        moved[n] = obs[out];
        moved[out].geno = ATG_UNTYPED;
        f->persons[n].sex = f->persons[out].sex;
        f->persons[n].own = f->persons[out].own;
        f->persons[n].n_own = f->persons[out].n_own;
        f->persons[out].n_own = 0;
        in.ped = &wide;
        in.obs = moved;
    }
    rc = compiler_keep(f->compiler, &in, &k, err);
    if (out >= 0)
        f->persons[out].n_own = f->persons[n].n_own;
    if (!rc)
        *ret = log10(k.total) + k.log / M_LN10;
    return rc;
}

/* The gain at one marker if one person were unrelated. */
static int marker_gain(family *f, uint32_t m, const atg_obs *obs, int out, double with,
                       atg_err *err) {
    bool inconsistent = f->check->inconsistent[m];
    double unrelated = 0, plain = 0;
    int rc = log10_prob(f, f->all->assumed, m, obs, out, &unrelated, err);

    if (!rc && inconsistent)
        rc = log10_prob(f, f->all->plain, m, obs, out, &plain, err);
    if (rc)
        return rc;
    if (isfinite(unrelated))
        f->gain[out] += isfinite(with) ? unrelated - with : no_likelihood_gain;
    f->repaired[out] += inconsistent && isfinite(plain);
    return ATG_OK;
}

static int check_marker(family *f, uint32_t m, bool *inconsistent, atg_err *err) {
    atg_obs obs[ATG_PEDIGREE_MAX];
    double plain = 0, with = 0;
    uint32_t n = 0;
    int rc;

    compiler_observe(f->all->op->markers, m, f->ped, obs);
    for (uint32_t i = 0; i < f->ped->n; i++)
        n += f->related[i] ? n_shown(f, i, m, obs) : 0;
    if (n < 2)
        return ATG_OK;
    rc = log10_prob(f, f->all->plain, m, obs, -1, &plain, err);
    if (!rc)
        rc = log10_prob(f, f->all->assumed, m, obs, -1, &with, err);
    if (rc)
        return rc;
    f->check->n_compared++;
    f->check->n_inconsistent += !isfinite(plain);
    *inconsistent = !isfinite(plain);
    for (uint32_t i = 0; i < f->ped->n && !rc; i++)
        if (f->related[i] && n_shown(f, i, m, obs))
            rc = marker_gain(f, m, obs, (int)i, with, err);
    return rc;
}

/* Leaving out the one or the other explains the data almost as well. */
static bool alike(const family *f, uint32_t i, uint32_t k) {
    return f->repaired[i] == f->repaired[k] && fabs(f->gain[i] - f->gain[k]) < alike_limit;
}

static void find_suspect(family *f) {
    int best = -1;

    for (uint32_t i = 0; i < f->ped->n; i++)
        if (f->related[i] && (best < 0 || f->repaired[i] > f->repaired[best] ||
                              (f->repaired[i] == f->repaired[best] && f->gain[i] > f->gain[best])))
            best = (int)i;
    f->check->suspect = -1;
    if (best < 0)
        return;
    f->finding->only = f->n_related == 1 ? best : -1;
    f->check->log10_gain = f->gain[best];
    f->check->n_repaired = f->repaired[best];
    for (uint32_t i = 0; i < f->ped->n; i++)
        if (f->related[i] && (int)i != best && alike(f, i, (uint32_t)best)) {
            f->finding->pair[0] = best;
            f->finding->pair[1] = (int32_t)i;
        }
    if (f->finding->pair[0] < 0 && (f->check->n_repaired || f->check->log10_gain >= gain_limit))
        f->check->suspect = best;
}

/* Markers at which two profiles were read in full, if they are the same at all of them; else 0. */
static uint32_t n_same(const atg_operation *op, const atg_geno *x, const atg_geno *y) {
    uint32_t n = 0;

    for (uint32_t m = 0; m < op->n_markers; m++) {
        if (!has_likelihood(&op->markers[m]) || x[m].b < 0 || y[m].b < 0)
            continue;
        n++;
        if (!geno_same(x[m], y[m]))
            return 0;
    }
    return n;
}

/* The k-th profile of a person, the reference first, own samples after; NULL: there are no more. */
static const atg_geno *profile_of(const atg_person *p, uint32_t k) {
    if (p->genos)
        return k ? NULL : p->genos;
    return k < p->n_own ? p->own[k].genos : NULL;
}

static void find_same_profile(family *f) {
    const atg_person *p = f->ped->persons;
    const atg_geno *x, *y;

    for (uint32_t i = 0; i < f->ped->n; i++)
        for (uint32_t k = i + 1; k < f->ped->n; k++)
            for (uint32_t s = 0; (x = profile_of(&p[i], s)); s++)
                for (uint32_t t = 0; (y = profile_of(&p[k], t)); t++) {
                    uint32_t n = n_same(f->all->op, x, y);

                    if (n < SAME_PROFILE)
                        continue;
                    f->finding->same[0] = (int32_t)i;
                    f->finding->same[1] = (int32_t)k;
                    f->finding->n_same = n;
                }
}

/* log10 likelihood of the family with two persons' samples exchanged. */
static int exchanged(family *f, const uint32_t *who, double *ret, uint32_t *ret_bad, atg_err *err) {
    *ret = 0;
    *ret_bad = 0;
    for (uint32_t m = 0; m < f->all->op->n_markers; m++) {
        atg_obs obs[ATG_PEDIGREE_MAX], first;
        double plain = 0, with = 0;
        int rc;

        if (!has_likelihood(&f->all->op->markers[m]))
            continue;
        compiler_observe(f->all->op->markers, m, f->ped, obs);
        first = obs[who[0]];
        obs[who[0]] = obs[who[1]];
        obs[who[1]] = first;
        rc = log10_prob(f, f->all->plain, m, obs, -1, &plain, err);
        if (!rc)
            rc = log10_prob(f, f->all->assumed, m, obs, -1, &with, err);
        if (rc)
            return rc;
        *ret_bad += !isfinite(plain);
        *ret += isfinite(with) ? with : -no_likelihood_gain;
    }
    return ATG_OK;
}

/* Would the family fit if two of its samples carried each other's label? */
static int find_exchange(family *f, atg_err *err) {
    const atg_person *p = f->ped->persons;
    uint32_t self[2] = {0, 0}, n_bad;
    double best = gain_limit, as_reported;
    int rc = exchanged(f, self, &as_reported, &n_bad, err);

    for (uint32_t i = 0; i < f->ped->n && !rc; i++)
        for (uint32_t k = i + 1; k < f->ped->n && !rc; k++) {
            uint32_t who[2] = {i, k};
            double now = 0;

            if (!f->related[i] || !f->related[k] || !p[i].genos || !p[k].genos)
                continue;
            rc = exchanged(f, who, &now, &n_bad, err);
            if (rc || n_bad > 1 || n_bad >= f->check->n_inconsistent || now - as_reported < best)
                continue;
            best = now - as_reported;
            f->finding->exchanged[0] = (int32_t)i;
            f->finding->exchanged[1] = (int32_t)k;
        }
    return rc;
}

static void flag_sexes(family *f, uint32_t *flags) {
    for (uint32_t i = 0; i < f->ped->n; i++) {
        const atg_person *p = &f->ped->persons[i];
        atg_sample s = {
            .sex = p->sex, .genos = p->genos, .dropout = p->dropout, .dropin = p->dropin};

        bool contradicts = p->genos && sex_contradicts(f->all->op, &s, NULL);

        for (uint32_t k = 0; k < p->n_own && !contradicts; k++) {
            s.genos = p->own[k].genos;
            s.dropout = p->own[k].dropout;
            s.dropin = p->own[k].dropin;
            contradicts = sex_contradicts(f->all->op, &s, NULL);
        }
        if (contradicts)
            flags[f->check->n_sex_flags++] = i;
    }
    f->check->sex_flags = flags;
}

static int check_family(void *user, uint32_t worker, uint64_t piece, atg_err *err) {
    const checker *all = user;
    const atg_operation *op = all->op;
    bool *row = all->inconsistent + piece * op->n_markers;
    family f = {.all = all,
                .compiler = all->compilers[worker],
                .ped = &op->families[piece].ped,
                .check = &all->checks[piece],
                .finding = &all->findings[piece]};

    memcpy(f.persons, f.ped->persons, f.ped->n * sizeof(*f.persons));
    if (f.ped->n < ATG_PEDIGREE_MAX)
        f.persons[f.ped->n] = (atg_person){.father = -1, .mother = -1};
    *f.finding = (finding){{-1, -1}, {-1, -1}, 0, {-1, -1}, -1, false};
    *f.check = (atg_family_check){.family = (uint32_t)piece, .inconsistent = row, .suspect = -1};
    flag_sexes(&f, all->flags[piece]);
    find_related(&f);
    for (uint32_t m = 0; m < op->n_markers && f.n_samples >= 2; m++) {
        int rc = has_likelihood(&op->markers[m]) ? check_marker(&f, m, &row[m], err) : ATG_OK;

        if (rc == ATG_ELIMIT)
            f.finding->too_entangled = true;
        else if (rc)
            return rc;
    }
    find_suspect(&f);
    find_same_profile(&f);
    f.check->fits = f.check->n_inconsistent <= op->params.max_incompatible &&
                    f.check->log10_gain < gain_limit && f.finding->same[0] < 0;
    if (f.check->fits || f.finding->same[0] >= 0 || f.finding->too_entangled)
        return ATG_OK;

    int rc = find_exchange(&f, err);

    return rc == ATG_ELIMIT ? ATG_OK : rc; /* it is only a hint */
}

/* Are own samples what does not fit? */
static bool is_of_own(const atg_person *p, const atg_family_check *c, const finding *f) {
    return f->only >= 0 || (c->suspect >= 0 && p[c->suspect].n_own);
}

static atg_str own_text(atg_arena *arena, const atg_person *p, const atg_family_check *c,
                        const finding *f) {
    if (f->only >= 0)
        return atg_arena_printf(arena,
                                "The own samples of %.*s do not fit each other (%u of %u markers): "
                                "confirm where they came from, or another reference is needed.",
                                ATG_FMT(p[f->only].id), c->n_inconsistent, c->n_compared);
    return atg_arena_printf(arena,
                            "The own sample of %.*s does not fit the relatives as recorded (%u "
                            "of %u markers); without it the rest fits best: confirm where it "
                            "came from, or another reference is needed.",
                            ATG_FMT(p[c->suspect].id), c->n_inconsistent, c->n_compared);
}

/* Why a family does not fit, without a word about why that may be. */
static atg_str misfit_text(atg_arena *arena, const atg_person *p, const atg_family_check *c,
                           const finding *f) {
    const int32_t *x = f->exchanged, *s = f->same, *t = f->pair;

    if (s[0] >= 0)
        return atg_arena_printf(arena,
                                "%.*s and %.*s have the same profile at %u markers: confirm that "
                                "they are twins, or another reference is needed.",
                                ATG_FMT(p[s[0]].id), ATG_FMT(p[s[1]].id), f->n_same);
    if (x[0] >= 0)
        return atg_arena_printf(arena,
                                "The relatives would fit if the samples of %.*s and %.*s carried "
                                "each other's label: confirm the labels, or another reference is "
                                "needed.",
                                ATG_FMT(p[x[0]].id), ATG_FMT(p[x[1]].id));
    if (is_of_own(p, c, f))
        return own_text(arena, p, c, f);
    if (c->suspect >= 0)
        return atg_arena_printf(arena,
                                "The relatives do not fit as recorded (%u of %u markers); without "
                                "%.*s the rest fits best: another reference is needed.",
                                c->n_inconsistent, c->n_compared, ATG_FMT(p[c->suspect].id));
    if (t[0] >= 0)
        return atg_arena_printf(arena,
                                "%.*s and %.*s do not fit as recorded (%u of %u markers), and the "
                                "data cannot tell which to rely on: another reference is needed.",
                                ATG_FMT(p[t[0]].id), ATG_FMT(p[t[1]].id), c->n_inconsistent,
                                c->n_compared);
    return atg_arena_printf(arena,
                            "The relatives do not fit as recorded (%u of %u markers): another "
                            "reference is needed.",
                            c->n_inconsistent, c->n_compared);
}

static atg_str note_text(atg_arena *arena, const atg_pedigree *ped, const atg_family_check *c,
                         const finding *f) {
    if (!c->fits)
        return misfit_text(arena, ped->persons, c, f);
    if (f->too_entangled)
        return ATG_STR("The pedigree is too entangled for some markers to be checked.");
    if (c->n_compared == 0)
        return ATG_STR("No two related persons are typed at one marker, so that nothing can be "
                       "checked.");
    if (c->n_inconsistent)
        return atg_arena_printf(arena,
                                "The relatives fit as recorded with a mutation at %u of %u "
                                "markers.",
                                c->n_inconsistent, c->n_compared);
    return ATG_STR("The relatives fit as recorded.");
}

static int write_notes(atg_arena *arena, const checker *all, atg_err *err) {
    for (uint32_t i = 0; i < all->op->n_families; i++) {
        atg_family_check *c = &all->checks[i];

        c->note = note_text(arena, &all->op->families[i].ped, c, &all->findings[i]);
        if (!c->note.p)
            return atg_fail(err, ATG_ENOMEM, "Out of memory checking families");
    }
    return ATG_OK;
}

static void set_models(const atg_operation *op, atg_marker *plain, atg_marker *assumed) {
    for (uint32_t m = 0; m < op->n_markers; m++) {
        plain[m] = assumed[m] = op->markers[m];
        plain[m].female = plain[m].male = (atg_mutation){0};
        if (assumed[m].n < 2)
            continue;
        if (assumed[m].female.model == ATG_MUT_NONE)
            assumed[m].female = (atg_mutation){.model = ATG_MUT_EQUAL, .rate = assumed_rate};
        if (assumed[m].male.model == ATG_MUT_NONE)
            assumed[m].male = (atg_mutation){.model = ATG_MUT_EQUAL, .rate = assumed_rate};
    }
}

/* Results that belong to the caller. */
static int make_room(atg_arena *arena, const atg_operation *op, checker *all) {
    size_t n = op->n_families;

    all->checks = ATG_GET(arena, atg_family_check, n);
    all->inconsistent = ATG_GET(arena, bool, n * op->n_markers);
    if (!all->checks || !all->inconsistent)
        return ATG_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        all->flags[i] = ATG_GET(arena, uint32_t, op->families[i].ped.n);
        if (!all->flags[i])
            return ATG_ENOMEM;
    }
    return ATG_OK;
}

static int run(checker *all, uint32_t threads, atg_err *err) {
    int rc = ATG_OK;

    for (uint32_t i = 0; i < threads && !rc; i++) {
        all->compilers[i] = atg_compiler_new();
        rc = all->compilers[i] ? ATG_OK : ATG_ENOMEM;
    }
    if (!rc)
        rc = parallel_run(threads, all->op->n_families, check_family, all, "checking families",
                          NULL, err);
    else
        (void)atg_fail(err, rc, "Out of memory checking families");
    for (uint32_t i = 0; i < threads; i++)
        atg_compiler_free(all->compilers[i]);
    return rc;
}

int atg_check_families(atg_arena *arena, const atg_operation *op, const atg_family_check **ret,
                       atg_err *err) {
    enum { FEW = 64 }; /* not worth a second thread */
    uint32_t threads = op->n_families <= FEW ? 1 : parallel_threads(0);
    MEM_AUTO atg_marker *models = mem_zero(2 * (size_t)op->n_markers, sizeof(*models));
    MEM_AUTO uint32_t **flags = mem_zero(op->n_families, sizeof(*flags));
    MEM_AUTO finding *findings = mem_zero(op->n_families, sizeof(*findings));
    atg_compiler *compilers[PARALLEL_MAX] = {NULL};
    checker all = {
        .op = op, .plain = models, .compilers = compilers, .flags = flags, .findings = findings};
    int rc;

    if (!models || !flags || !findings || make_room(arena, op, &all))
        return atg_fail(err, ATG_ENOMEM, "Out of memory checking families");
    all.assumed = models + op->n_markers;
    set_models(op, all.plain, all.assumed);
    rc = run(&all, threads, err);
    if (!rc)
        rc = write_notes(arena, &all, err);
    if (!rc)
        *ret = all.checks;
    return rc;
}
