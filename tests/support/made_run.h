/* SPDX-License-Identifier: Apache-2.0 */
/* An identification made by hand, for whatever prints one: families of every shape, bodies with
 * every conclusion, infinite and unknown numbers.  The likelihood ratios are invented. */
#ifndef ATG_TESTS_MADE_RUN_H
#define ATG_TESTS_MADE_RUN_H

#include <math.h>

#include <antigone/antigone.h>

/* Put behind every text of the next run that is made: what a name must not be able to do. */
static const char *made_suffix = "";

static inline atg_str made_text(atg_arena *arena, const char *z) {
    return atg_arena_printf(arena, "%s%s", z, made_suffix);
}

/* For static tables, where a compound literal may not stand. */
#define MADE_STR(literal)                                                                          \
    { (literal), sizeof(literal) - 1 }

enum { MADE_MARKERS = 10, MADE_ALLELES = 8 };

/* One person of a family: parents by index, 't'yped, 'm'issing or '-'. */
typedef struct made_person {
    const char *id;
    int father, mother;
    atg_sex sex;
    char state;
} made_person;

typedef struct made_family {
    const char *id;
    int n;
    made_person persons[26];
} made_family;

#define M_ ATG_SEX_MALE
#define F_ ATG_SEX_FEMALE
#define U_ ATG_SEX_UNKNOWN

static const made_family made_families[] = {
    {"FAM-01 both parents",
     3,
     {{"father", -1, -1, M_, 't'}, {"mother", -1, -1, F_, 't'}, {"AM-01", 0, 1, M_, 'm'}}},
    {"FAM-02 two brothers",
     5,
     {{"father", -1, -1, M_, '-'},
      {"mother", -1, -1, F_, 't'},
      {"AM-02", 0, 1, M_, 'm'},
      {"AM-03", 0, 1, M_, 'm'},
      {"sister", 0, 1, F_, 't'}}},
    {"FAM-03 two wives",
     9,
     {{"AM-04", -1, -1, M_, 'm'},
      {"wife 1", -1, -1, F_, 't'},
      {"wife 2", -1, -1, F_, '-'},
      {"son 1", 0, 1, M_, 't'},
      {"daughter 1", 0, 1, F_, 't'},
      {"son 2", 0, 2, M_, 't'},
      {"husband", -1, -1, M_, '-'},
      {"grandchild", 6, 4, U_, 't'},
      {"half-brother", 6, 2, M_, '-'}}},
    {"FAM-04 cousins",
     10,
     {{"gf", -1, -1, M_, '-'},
      {"gm", -1, -1, F_, 't'},
      {"uncle", 0, 1, M_, 't'},
      {"mother", 0, 1, F_, '-'},
      {"uncle's wife", -1, -1, F_, '-'},
      {"father", -1, -1, M_, '-'},
      {"cousin", 2, 4, F_, 't'},
      {"husband", 5, 3, M_, '-'},
      {"AM-05", 7, 6, F_, 'm'},
      {"brother", 7, 6, M_, 't'}}},
    {"FAM-05 father and daughter",
     4,
     {{"father", -1, -1, M_, 't'},
      {"mother", -1, -1, F_, '-'},
      {"daughter", 0, 1, F_, 't'},
      {"AM-06", 0, 2, U_, 'm'}}},
};

enum { MADE_FAMILIES = sizeof(made_families) / sizeof(*made_families), MADE_MISSING = 6 };

static inline const atg_geno *made_genos(atg_arena *arena, atg_rng *rng, uint32_t n_markers) {
    atg_geno *g = ATG_GET(arena, atg_geno, n_markers);

    for (uint32_t m = 0; g && m < n_markers; m++) {
        g[m].a = (int16_t)atg_rng_below(rng, MADE_ALLELES);
        g[m].b = (int16_t)atg_rng_below(rng, MADE_ALLELES);
        if (m == 3 && g[m].a % 2)
            g[m].b = ATG_ALLELE_UNREAD;
        if (m == 5 && g[m].a == 1)
            g[m] = ATG_UNTYPED;
    }
    return g;
}

static inline const atg_marker *made_markers(atg_arena *arena) {
    static const char *const names[] = {"D3S1358", "vWA",    "D16S539",   "CSF1PO", "TPOX",
                                        "D8S1179", "D21S11", "Penta & D", "D2S441", "AMEL"};
    static const char *const labels[] = {"12", "13", "14", "15", "16.2", "17", "18", "9.3"};
    atg_marker *markers = ATG_GET(arena, atg_marker, MADE_MARKERS);
    atg_str *texts = ATG_GET(arena, atg_str, MADE_ALLELES);
    double *freqs = ATG_GET(arena, double, MADE_ALLELES);
    int16_t *tenths = ATG_GET(arena, int16_t, MADE_ALLELES);

    if (!markers || !texts || !freqs || !tenths)
        return NULL;
    for (int a = 0; a < MADE_ALLELES; a++) {
        texts[a] = made_text(arena, labels[a]);
        freqs[a] = 1.0 / MADE_ALLELES;
        tenths[a] = atg_allele_tenths(atg_str_of(labels[a]));
    }
    for (int m = 0; m < MADE_MARKERS; m++)
        markers[m] = (atg_marker){.name = made_text(arena, names[m]),
                                  .n = MADE_ALLELES,
                                  .labels = texts,
                                  .freqs = freqs,
                                  .tenths = tenths,
                                  .silent = -1,
                                  .linked_to = -1};
    return markers;
}

static inline bool made_family_fill(atg_arena *arena, atg_rng *rng, const made_family *from,
                                    atg_family *to, atg_missing *missing, uint32_t *n_missing) {
    atg_person *persons = ATG_GET(arena, atg_person, (size_t)from->n);
    uint32_t *own = ATG_GET(arena, uint32_t, (size_t)from->n);
    uint32_t family = to->n_missing; /* its own index, told by the caller */

    if (!persons || !own)
        return false;
    to->n_missing = 0;
    for (int i = 0; i < from->n; i++) {
        const made_person *p = &from->persons[i];

        persons[i] = (atg_person){
            .id = made_text(arena, p->id), .father = p->father, .mother = p->mother, .sex = p->sex};
        if (p->state == 't' && !(persons[i].genos = made_genos(arena, rng, MADE_MARKERS)))
            return false;
        if (p->state == 'm') {
            own[to->n_missing++] = *n_missing;
            missing[(*n_missing)++] = (atg_missing){made_text(arena, p->id), family, (uint32_t)i};
        }
    }
    to->id = made_text(arena, from->id);
    to->ped = (atg_pedigree){(uint32_t)from->n, persons};
    to->missing = own;
    return true;
}

static inline bool made_operation(atg_arena *arena, atg_operation *ret) {
    enum { SAMPLES = 8 };
    static const char *const ids[SAMPLES] = {"PM-01 femur", "PM-01 tooth", "PM-02", "PM-03",
                                             "PM-04",       "PM-05",       "PM-06", "PM-07 mixed"};
    static const char *const of[SAMPLES] = {"PM-01", "PM-01", "PM-02", "PM-03",
                                            "PM-04", "PM-05", "PM-06", "PM-07"};
    atg_rng rng = atg_rng_seed(7);
    atg_family *families = ATG_GET(arena, atg_family, MADE_FAMILIES);
    atg_missing *missing = ATG_GET(arena, atg_missing, MADE_MISSING);
    atg_sample *samples = ATG_GET(arena, atg_sample, SAMPLES);
    uint32_t n_missing = 0;

    *ret = (atg_operation){.name = made_text(arena, "Ferry <Ægir> & \"Sons\""),
                           .params = atg_params_default(),
                           .n_markers = MADE_MARKERS};
    ret->markers = made_markers(arena);
    if (!families || !missing || !samples || !ret->markers)
        return false;
    for (uint32_t f = 0; f < MADE_FAMILIES; f++) {
        families[f].n_missing = f;
        if (!made_family_fill(arena, &rng, &made_families[f], &families[f], missing, &n_missing))
            return false;
    }
    for (int s = 0; s < SAMPLES; s++) {
        samples[s] = (atg_sample){.id = made_text(arena, ids[s]),
                                  .body = made_text(arena, of[s]),
                                  .sex = s % 3 ? ATG_SEX_MALE : ATG_SEX_UNKNOWN,
                                  .mixture = s == SAMPLES - 1};
        if (!(samples[s].genos = made_genos(arena, &rng, MADE_MARKERS)))
            return false;
    }
    ret->params.population = made_text(arena, "Norway");
    ret->params.source = made_text(arena, "Dupuy et al. 2013");
    ret->params.n_population = 6459;
    ret->params.theta = 0.01;
    ret->params.min_freq = 0.001;
    ret->params.process_error = 0.001;
    ret->params.prior.kind = ATG_PRIOR_CLOSED;
    ret->n_samples = SAMPLES;
    ret->samples = samples;
    ret->n_families = MADE_FAMILIES;
    ret->families = families;
    ret->n_missing = n_missing;
    ret->missing = missing;
    return n_missing == MADE_MISSING;
}

/* Seven bodies of eight samples, the last refused; six merged samples take part. */
static inline bool made_bodies(atg_arena *arena, const atg_operation *op, atg_identification *run) {
    enum { BODIES = 7 };
    atg_body *bodies = ATG_GET(arena, atg_body, BODIES);
    uint32_t *indices = ATG_GET(arena, uint32_t, op->n_samples);
    int32_t *body_of = ATG_GET(arena, int32_t, BODIES);
    atg_operation *merged = ATG_GET(arena, atg_operation, 1);
    atg_sample *samples = ATG_GET(arena, atg_sample, BODIES);

    if (!bodies || !indices || !body_of || !merged || !samples)
        return false;
    for (uint32_t s = 0; s < op->n_samples; s++)
        indices[s] = s;
    for (uint32_t b = 0; b < BODIES; b++) {
        uint32_t first = b ? b + 1 : 0;

        bodies[b] = (atg_body){
            .merged = op->samples[first], .n_samples = b ? 1 : 2, .samples = indices + first};
        bodies[b].merged.id = op->samples[first].body;
        samples[b] = bodies[b].merged;
        body_of[b] = (int32_t)b;
    }
    bodies[1].warning = made_text(arena, "Only 6 of 10 markers were typed.");
    bodies[BODIES - 1].refused = made_text(arena, "Declared a mixture by the laboratory.");
    *merged = *op;
    merged->n_samples = BODIES - 1;
    merged->samples = samples;
    run->merged = merged;
    run->n_bodies = BODIES;
    run->bodies = bodies;
    run->body_of_sample = body_of;
    return true;
}

typedef struct made_pair {
    uint32_t body, missing;
    double log10_lr, posterior, log10_glr;
    uint32_t n_incompatible;
    atg_conclusion conclusion;
    bool in_best;
    const char *rule;
} made_pair;

static const made_pair made_pairs[] = {
    {0, 0, 12.345, 0.99999912, 11.2, 0, ATG_PROBABLE, true,
     "Posterior 0.999999 is at least 0.9995 and the pair's own log10 LR 12.35 at least 4."},
    {0, 1, -INFINITY, 0, -INFINITY, 7, ATG_EXCLUDED, false,
     "7 markers are incompatible and more than 2 exclude."},
    {1, 1, 6.1, 0.4999, 0, 0, ATG_POSSIBLE, true,
     "The log10 LR is high and another missing person fits as well."},
    {1, 2, 6.1, 0.4999, 0, 0, ATG_POSSIBLE, false,
     "The log10 LR is high and another missing person fits as well."},
    {2, 2, 5.9, 0.4998, 0, 1, ATG_POSSIBLE, true,
     "The log10 LR is high and another missing person fits as well."},
    {2, 1, 5.9, 0.4998, 0, 1, ATG_POSSIBLE, false,
     "The log10 LR is high and another missing person fits as well."},
    {3, 3, 2.2, 0.91, 1.1, 0, ATG_INSUFFICIENT, true, "The log10 LR 2.20 is below 4."},
    {3, 4, NAN, NAN, NAN, 0, ATG_INSUFFICIENT, false, ""},
    {4, 5, -3.4, 0.0000001, INFINITY, 3, ATG_EXCLUDED, false,
     "3 markers are incompatible and more than 2 exclude."},
};

static const atg_line made_str = {"autosomal STR", ATG_LINE_PRIMARY, INFINITY, NULL, NULL};
static const atg_line made_y = {"Y-STR", ATG_LINE_LEAD, 3, NULL, NULL};
static const atg_line *const made_lines[] = {&made_str, &made_y};

static inline bool made_pair_fill(atg_arena *arena, const made_pair *from, atg_pair_result *to) {
    double *per_marker = ATG_GET(arena, double, MADE_MARKERS);
    bool *mutation = ATG_GET(arena, bool, MADE_MARKERS);
    atg_evidence *lines = ATG_GET(arena, atg_evidence, 2);

    if (!per_marker || !mutation || !lines)
        return false;
    for (int m = 0; m < MADE_MARKERS; m++) {
        per_marker[m] = m == MADE_MARKERS - 1 ? (double)NAN : from->log10_lr / (MADE_MARKERS - 1);
        mutation[m] = (uint32_t)m < from->n_incompatible;
    }
    lines[0] = (atg_evidence){ATG_FINDING_SUPPORTS,
                              from->log10_lr,
                              from->log10_lr,
                              from->log10_lr,
                              ATG_STR("9 markers compared."),
                              ATG_STR("Norway, Dupuy et al. 2013")};
    lines[1] = (atg_evidence){from->body == 0 ? ATG_FINDING_SUPPORTS : ATG_FINDING_NONE,
                              2.1,
                              1.8,
                              2.6,
                              made_text(arena, "The haplotypes agree at 17 markers."),
                              made_text(arena, "1 of 2085 haplotypes")};
    *to = (atg_pair_result){.body = from->body,
                            .missing = from->missing,
                            .log10_lr = from->log10_lr,
                            .log10_lr_used = from->log10_lr > 3 ? 3.78 : from->log10_lr,
                            .n_markers = MADE_MARKERS - 1,
                            .n_incompatible = from->n_incompatible,
                            .posterior = from->posterior,
                            .std_error = 0,
                            .log10_glr = from->log10_glr,
                            .in_best = from->in_best,
                            .conclusion = from->conclusion,
                            .rule = from->rule[0] ? made_text(arena, from->rule) : (atg_str){0},
                            .per_marker = per_marker,
                            .mutation_needed = mutation,
                            .n_lines = 2,
                            .lines = lines};
    return true;
}

static inline bool made_results(atg_arena *arena, atg_identification *run) {
    static const double body_nobody[] = {8.8e-7, 0.0002, 0.0004, 0.09, 0.9999999, 1};
    static const double missing_nobody[] = {8.8e-7, 0.0003, 0.0003, 0.09, NAN, 0.99};
    static const atg_conclusion body_word[] = {ATG_PROBABLE,     ATG_POSSIBLE, ATG_POSSIBLE,
                                               ATG_INSUFFICIENT, ATG_EXCLUDED, ATG_INSUFFICIENT};
    static const atg_conclusion missing_word[] = {ATG_PROBABLE,     ATG_POSSIBLE,     ATG_POSSIBLE,
                                                  ATG_INSUFFICIENT, ATG_INSUFFICIENT, ATG_EXCLUDED};
    enum { PAIRS = sizeof(made_pairs) / sizeof(*made_pairs) };
    atg_pair_result *pairs = ATG_GET(arena, atg_pair_result, PAIRS);

    if (!pairs)
        return false;
    for (int i = 0; i < PAIRS; i++)
        if (!made_pair_fill(arena, &made_pairs[i], &pairs[i]))
            return false;
    run->n_pairs = PAIRS;
    run->pairs = pairs;
    run->body_nobody = body_nobody;
    run->missing_nobody = missing_nobody;
    run->body_conclusion = body_word;
    run->missing_conclusion = missing_word;
    run->n_lines = 2;
    run->lines = made_lines;
    return true;
}

static inline void made_joint(atg_identification *run) {
    static const uint32_t none = UINT32_MAX;
    static const uint32_t body_part[] = {0, 1, 1, 2, none, none};
    static const uint32_t missing_part[] = {0, 1, 1, 2, none, none};
    static const atg_assign_part parts[] = {
        {1, 1, true, 1, 14.1}, {2, 2, true, 1, 20.9}, {1, 1, false, 1.002, NAN}};
    static const int32_t best[] = {0, 1, 2, 3, -1, -1};
    static const int32_t second[] = {0, 2, 1, 3, -1, -1}, third[] = {0, 1, 2, -1, -1, -1};
    static const atg_assign_listed top[] = {{best, 50.0}, {second, 50.0}, {third, 47.7}};
    static const uint32_t brothers[] = {1, 2};
    static const atg_assign_symmetry symmetries[] = {{2, brothers}};

    run->assign = (atg_assign_result){.body_nobody = run->body_nobody,
                                      .missing_nobody = run->missing_nobody,
                                      .body_part = body_part,
                                      .missing_part = missing_part,
                                      .n_parts = 3,
                                      .parts = parts,
                                      .best = best,
                                      .log_z = NAN,
                                      .log_best = 50,
                                      .n_possible = NAN,
                                      .n_top = 3,
                                      .top = top,
                                      .n_symmetries = 1,
                                      .symmetries = symmetries};
    run->n_assignments = INFINITY;
}

static inline void made_rest(atg_identification *run) {
    static const bool bad[MADE_MARKERS] = {true, false, true, false, false, true};
    static const uint32_t flags[] = {0};
    static const atg_family_check checks[] = {
        {.family = 0, .fits = true, .n_compared = 9, .suspect = -1, .n_typed = 2},
        {.family = 1, .fits = true, .n_compared = 9, .suspect = -1, .n_typed = 2},
        {.family = 2, .fits = true, .n_compared = 9, .suspect = -1, .n_typed = 5},
        {.family = 3, .fits = true, .n_compared = 9, .suspect = -1, .n_typed = 4},
        {.family = 4,
         .fits = false,
         .n_compared = 9,
         .n_inconsistent = 3,
         .inconsistent = bad,
         .suspect = 2,
         .n_repaired = 3,
         .log10_gain = 7.2,
         .n_typed = 2,
         .n_sex_flags = 1,
         .sex_flags = flags,
         .note = MADE_STR("PRIVATE-FINDING: leaving out one person repairs 3 markers.")}};
    static const atg_next_step next[] = {
        {false, 3, MADE_STR("Type five more markers of this sample."), NAN},
        {true, 3, MADE_STR("A sample of wife 2 would add most."), 3.4},
        {true, 5, MADE_STR("Another reference is needed."), NAN}};
    static const struct atg_related_bodies related[] = {{1, 2, MADE_STR("full siblings"), 5.5},
                                                        {3, 4, MADE_STR("same person"), INFINITY}};

    run->n_checks = 5;
    run->checks = checks;
    run->n_next = 3;
    run->next = next;
    run->n_related = 2;
    run->related = related;
    run->seconds = 0.031;
    run->engine = ATG_STR("antigone " ATG_VERSION);
    run->input_sha256 = ATG_STR("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08");
}

/* False when memory is short. */
static inline bool made_run(atg_arena *arena, atg_identification *ret) {
    atg_operation *op = ATG_GET(arena, atg_operation, 1);

    *ret = (atg_identification){.op = op};
    if (!op || !made_operation(arena, op) || !made_bodies(arena, op, ret) ||
        !made_results(arena, ret))
        return false;
    made_joint(ret);
    made_rest(ret);
    return true;
}

#endif
