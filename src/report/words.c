/* SPDX-License-Identifier: Apache-2.0 */
#include "report/view.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void view_prob(double p, char ret[VIEW_NUMBER]) {
    double scaled = floor(p * 1e6 + 1e-7);

    if (isnan(p))
        snprintf(ret, VIEW_NUMBER, "-");
    else if (p <= 0)
        snprintf(ret, VIEW_NUMBER, "0");
    else if (p > 0.999999)
        snprintf(ret, VIEW_NUMBER, ">0.999999");
    else if (scaled < 1)
        snprintf(ret, VIEW_NUMBER, "<0.000001");
    else
        snprintf(ret, VIEW_NUMBER, "%.6f", scaled / 1e6);
}

void view_log10(double x, char ret[VIEW_NUMBER]) {
    if (isnan(x))
        snprintf(ret, VIEW_NUMBER, "-");
    else if (isinf(x))
        snprintf(ret, VIEW_NUMBER, "%s", x < 0 ? "LR = 0" : "no limit");
    else
        snprintf(ret, VIEW_NUMBER, "%.2f", fabs(x) < 0.005 ? 0 : x);
}

/* 35000000 as 35,000,000. */
static void grouped(uint64_t n, char ret[VIEW_NUMBER]) {
    char digits[VIEW_NUMBER];
    int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n), out = 0;

    for (int i = 0; i < len && out < VIEW_NUMBER - 2; i++) {
        if (i && (len - i) % 3 == 0)
            ret[out++] = ',';
        ret[out++] = digits[i];
    }
    ret[out] = '\0';
}

static void power_of_ten(double log10_x, char ret[VIEW_NUMBER]) {
    double exponent = floor(log10_x), mantissa = pow(10, log10_x - exponent);

    if (mantissa >= 9.95) { /* would be printed as 10.0 */
        mantissa = 1;
        exponent++;
    }
    snprintf(ret, VIEW_NUMBER, "%.1fe%+.0f", mantissa, exponent);
}

void view_factor(double log10_x, char ret[VIEW_NUMBER]) {
    double x = pow(10, log10_x);

    if (isnan(log10_x)) {
        snprintf(ret, VIEW_NUMBER, "-");
    } else if (isinf(log10_x)) {
        snprintf(ret, VIEW_NUMBER, "%s", log10_x < 0 ? "0" : "no limit");
    } else if (log10_x < -4 || log10_x >= 9) {
        power_of_ten(log10_x, ret);
    } else if (x >= 1000) {
        double unit = pow(10, floor(log10_x) - 2); /* three digits that mean something */

        grouped((uint64_t)(round(x / unit) * unit), ret);
    } else {
        snprintf(ret, VIEW_NUMBER, "%.3g", x);
    }
}

const char *view_sex(atg_sex sex) {
    return sex == ATG_SEX_MALE ? "male" : sex == ATG_SEX_FEMALE ? "female" : "unknown";
}

static atg_str prior_words(const view *v) {
    const atg_prior *prior = &v->run->op->params.prior;
    uint32_t n = prior->n_expected ? prior->n_expected : v->run->op->n_missing;

    if (prior->given)
        return ATG_STR("given for each pair by the operation");
    switch (prior->kind) {
    case ATG_PRIOR_CLOSED:
        return view_printf(v, "closed list of %u persons", n);
    case ATG_PRIOR_OPEN:
        return view_printf(v,
                           "open: %u expected, a body is nobody on the list with "
                           "probability %g",
                           n, prior->not_on_list);
    case ATG_PRIOR_FLAT:
        break;
    }
    return ATG_STR("flat: every assignment alike, \"nobody on the list\" included");
}

static atg_str or_else(atg_str s, const char *otherwise) {
    return s.n ? s : atg_str_of(otherwise);
}

void view_parameters(const view *v, view_fact ret[VIEW_PARAMETERS]) {
    const atg_params *p = &v->run->op->params;
    const view_fact facts[VIEW_PARAMETERS] = {
        {"Population", or_else(p->population, "not named by the operation")},
        {"Source of frequencies", or_else(p->source, "not stated")},
        {"Persons in the table",
         p->n_population ? view_printf(v, "%u", p->n_population) : ATG_STR("not stated")},
        {"Theta", view_printf(v, "%g", p->theta)},
        {"Minimum frequency",
         p->min_freq > 0 ? view_printf(v, "%g", p->min_freq) : ATG_STR("not named")},
        {"Process error", view_printf(v, "%g per sample", p->process_error)},
        {"Posterior for probable", view_printf(v, "%.10g", p->threshold)},
        {"Own log10 LR for probable", view_printf(v, "%g", p->min_log10_lr)},
        {"Excluded above", view_printf(v, "%u incompatible markers", p->max_incompatible)},
        {"Prior", prior_words(v)},
    };

    memcpy(ret, facts, sizeof(facts));
}

atg_str view_counts(const view *v, const uint32_t counts[VIEW_CONCLUSIONS]) {
    return view_printf(v, "%u probable, %u possible, %u insufficient and %u excluded",
                       counts[ATG_PROBABLE], counts[ATG_POSSIBLE], counts[ATG_INSUFFICIENT],
                       counts[ATG_EXCLUDED]);
}

atg_str view_missing_list(const view *v, uint32_t n, const uint32_t *missing) {
    atg_str s = {"", 0};

    for (uint32_t i = 0; i < n; i++) {
        const char *between = i == 0 ? "" : i + 1 == n ? " and " : ", ";

        s = view_printf(v, "%.*s%s%.*s", ATG_FMT(s), between,
                        ATG_FMT(v->run->op->missing[missing[i]].id));
    }
    return s;
}

atg_str view_symmetry(const view *v, const atg_assign_symmetry *symmetry) {
    atg_str list = view_missing_list(v, symmetry->n, symmetry->missing);

    return view_printf(v,
                       "%.*s cannot be told apart by these references: exchanging them "
                       "changes no likelihood. A reference of one of them alone (a child "
                       "with its other parent, or an earlier sample) would separate them.",
                       ATG_FMT(list));
}
