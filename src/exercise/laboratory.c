/* SPDX-License-Identifier: Apache-2.0 */
#include "exercise/make.h"

/* Rough middle of the amplicons in base pairs, as a six-dye kit arranges its markers: what is long
 * is lost first.  Only the order matters. */
static const struct {
    const char *name;
    uint16_t length;
} amplicons[] = {
    {"TH01", 95},     {"D3S1358", 125}, {"D16S539", 110}, {"D8S1179", 100},  {"AMEL", 90},
    {"vWA", 155},     {"D12S391", 160}, {"D18S51", 175},  {"D1S1656", 185},  {"D19S433", 220},
    {"D21S11", 230},  {"D2S441", 230},  {"D2S1338", 260}, {"D10S1248", 280}, {"D7S820", 290},
    {"D13S317", 325}, {"FGA", 340},     {"CSF1PO", 340},  {"D5S818", 345},   {"SE33", 360},
    {"Penta D", 415}, {"TPOX", 415},    {"Penta E", 420}, {"D22S1045", 445},
};

enum { USUAL_LENGTH = 240, SHORTEST = 60, LONGEST = 460 };

static double length_of(const atg_marker *marker) {
    atg_str name = atg_marker_usual_name(marker->name);

    for (size_t i = 0; i < sizeof(amplicons) / sizeof(*amplicons); i++)
        if (atg_str_eq(name, atg_str_of(amplicons[i].name)))
            return amplicons[i].length;
    return USUAL_LENGTH;
}

/* The kernel of atg_obs: every copy of an allele is lost by itself. */
static atg_geno drop_out(atg_rng *rng, atg_geno g, bool single, double d) {
    bool a = atg_rng_unit(rng) >= d, b = atg_rng_unit(rng) >= d;

    if (single)
        b = a;
    if (!a && !b)
        return ATG_UNTYPED;
    if (!a)
        g.a = g.b;
    if (!b)
        g.b = g.a;
    return g;
}

static bool type_once(const making *x, atg_rng *rng, const atg_geno *truth, atg_sex sex,
                      double dropout, double decay, atg_geno *ret) {
    bool any = false;

    for (uint32_t m = 0; m < x->n_markers; m++) {
        const atg_marker *marker = &x->markers[m];
        double lost = decay * (length_of(marker) - SHORTEST) / (LONGEST - SHORTEST);

        ret[m] = ATG_UNTYPED;
        if (!atg_geno_typed(truth[m]) || atg_rng_unit(rng) < lost)
            continue;
        ret[m] = drop_out(rng, truth[m], genes_single(marker, sex), dropout);
        any = any || atg_geno_typed(ret[m]);
    }
    return any;
}

void exercise_type_sample(const making *x, atg_rng *rng, const atg_geno *truth, atg_sex sex,
                          atg_sample *sample, atg_geno *ret) {
    static const double rates[] = {0.02, 0.05, 0.1, 0.2, 0.35};
    static const double decays[] = {0.2, 0.4, 0.6, 0.9};
    double decay = 0;
    bool any = false, possible = false;

    if (atg_rng_unit(rng) < x->options->degraded)
        sample->dropout = rates[atg_rng_below(rng, sizeof(rates) / sizeof(*rates))];
    if (atg_rng_unit(rng) < x->options->partial)
        decay = decays[atg_rng_below(rng, sizeof(decays) / sizeof(*decays))];
    sample->sex = atg_rng_below(rng, 100) < (sample->part ? 40 : 95) ? sex : ATG_SEX_UNKNOWN;
    sample->genos = ret;
    for (uint32_t m = 0; m < x->n_markers; m++)
        possible = possible || atg_geno_typed(truth[m]);
    do /* a sample of which nothing could be read would not be in the file */
        any = type_once(x, rng, truth, sex, sample->dropout, decay, ret);
    while (possible && !any);
}
