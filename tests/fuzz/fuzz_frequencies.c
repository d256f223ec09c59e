/* SPDX-License-Identifier: Apache-2.0 */
#include <antigone/formats.h>

#include <math.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const atg_marker *m) {
    double sum = 0;

    if (m->n == 0 || m->name.n == 0 || m->name.n > ATG_LABEL_MAX || m->silent != -1)
        abort();
    for (uint16_t i = 0; i < m->n; i++) {
        if (!(m->freqs[i] > 0) || m->labels[i].n > ATG_LABEL_MAX ||
            atg_marker_allele(m, m->labels[i]) != i ||
            m->tenths[i] != atg_allele_tenths(m->labels[i]))
            abort();
        sum += m->freqs[i];
    }
    if (fabs(sum - 1) > 1e-5)
        abort();
}

/* What is read are frequencies above 0 with sum 1; what is not, has a reason and leaves no trace.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ATG_AUTO(atg_arena) arena = atg_arena_new((size_t)64 << 20);
    atg_frequencies f = {.n_markers = 777};
    atg_err err = {0};

    if (!arena)
        return 0;

    int rc = atg_frequencies_read(arena, (atg_str){(const char *)data, size}, ATG_STR(""), &f,
                                  atg_notes_new(arena), &err);

    if (rc) {
        if (f.n_markers != 777 || !err.msg[0] || err.code != rc)
            abort();
        return 0;
    }
    for (uint32_t i = 0; i < f.n_markers; i++)
        check(&f.markers[i]);
    return 0;
}
