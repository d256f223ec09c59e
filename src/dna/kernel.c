/* SPDX-License-Identifier: Apache-2.0 */
#include "dna/kernel.h"

static int copies(int allele, int a, int b) {
    return (a == allele) + (b == allele);
}

/* At least one of k copies is left. */
static double seen(int k, double d) {
    return k == 0 ? 0 : k == 1 ? 1 - d : 1 - d * d;
}

static double unseen(int k, double d) {
    return k == 0 ? 1 : k == 1 ? d : d * d;
}

static double partial_prob(const atg_marker *marker, atg_obs obs, int a, int b) {
    int x = obs.geno.a;

    if (x == marker->silent)
        return 0;
    return copies(x, a, b) ? 1 : obs.dropin * marker->freqs[x];
}

double kernel_prob(const atg_marker *marker, atg_obs obs, int a, int b) {
    int x = obs.geno.a, y = obs.geno.b, silent = marker->silent;
    double d = obs.dropout, c = obs.dropin;

    if (!atg_geno_typed(obs.geno))
        return 1;
    if (y == ATG_ALLELE_UNREAD)
        return partial_prob(marker, obs, a, b);
    if (x == silent || y == silent)
        return 0;

    int n_silent = silent < 0 ? 0 : copies(silent, a, b);
    int n_x = copies(x, a, b), n_y = x == y ? 0 : copies(y, a, b);
    int n_other = (b < 0 ? 1 : 2) - n_silent - n_x - n_y;
    double p_hidden = silent < 0 ? 0 : marker->freqs[silent];
    double none_other = unseen(n_other, d);
    double p_x = marker->freqs[x], p_y = marker->freqs[y];
    double w_x = seen(n_x, d) * unseen(n_y, d) * none_other;
    double w_y = seen(n_y, d) * unseen(n_x, d) * none_other;
    double w_xy = seen(n_x, d) * seen(n_y, d) * none_other;

    if (x == y)
        return (1 - c) * w_x + c * (w_x * (p_x + p_hidden) + unseen(n_x, d) * none_other * p_x);
    return (1 - c) * w_xy + c * (w_xy * (p_x + p_y + p_hidden) + w_x * p_y + w_y * p_x);
}
