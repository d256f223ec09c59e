/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/frequencies.h"

#include <math.h>

#include "formats/jsonscan.h"

/* A sum is as good as 1, and how far it may be off before the table must be wrong. */
static const double exact_sum = 1e-6, rounded_sum = 0.05;

int freq_add_marker(marker_set *set, atg_str name, marker_draft **ret, atg_err *err) {
    atg_str usual = atg_marker_usual_name(name);
    marker_draft *d = NULL;

    if (usual.n == 0 || usual.n > ATG_LABEL_MAX)
        return atg_fail(err, ATG_EPARSE, "\"%.*s\" is not a marker name of 1 to %d characters",
                        ATG_FMT(usual), ATG_LABEL_MAX);

    int rc = marker_set_add(set, usual, &d, err);

    if (rc)
        return rc;
    d->m.chrom = atg_marker_usual_chrom(usual);
    *ret = d;
    return ATG_OK;
}

/* Published tables are rounded: make each sum 1, and say so once. */
static int scale(marker_set *set, atg_notes *notes, atg_err *err) {
    uint32_t scaled = 0;
    const marker_draft *worst = NULL;
    double worst_sum = 1;

    for (uint32_t i = 0; i < set->n; i++) {
        marker_draft *d = set->drafts[i];
        double sum = 0;

        for (uint16_t k = 0; k < d->m.n; k++)
            sum += d->freqs[k];
        if (!(fabs(sum - 1) <= rounded_sum))
            return atg_fail(err, ATG_EINVAL,
                            "The frequencies of %.*s sum to %.6g; write shares that sum to 1, not "
                            "per cent or counts",
                            ATG_FMT(d->m.name), sum);
        if (fabs(sum - 1) <= exact_sum)
            continue;
        for (uint16_t k = 0; k < d->m.n; k++)
            d->freqs[k] /= sum;
        if (!worst || fabs(sum - 1) > fabs(worst_sum - 1)) {
            worst = d;
            worst_sum = sum;
        }
        scaled++;
    }
    if (worst)
        atg_note(notes, set->arena,
                 "The frequencies of %u markers did not sum to 1 and were scaled; farthest off was "
                 "%.*s with %.6g",
                 scaled, ATG_FMT(worst->m.name), worst_sum);
    return ATG_OK;
}

static bool is_json(atg_str bytes) {
    size_t at = bytes.n >= 3 && bytes.p[0] == '\xef' ? 3 : 0;

    scan_blank(bytes, &at);
    return at < bytes.n && bytes.p[at] == '{';
}

int atg_frequencies_read(atg_arena *arena, atg_str bytes, atg_str population, atg_frequencies *ret,
                         atg_notes *notes, atg_err *err) {
    marker_set *set = ATG_GET(arena, marker_set, 1);
    __attribute__((cleanup(map_freep))) map *names = map_new();
    atg_frequencies f = {.n_population = 0};
    int rc = ATG_OK;

    if (!set || !names)
        return atg_fail(err, ATG_ENOMEM, "Out of memory reading the frequencies");
    if (bytes.n > ATG_INPUT_MAX)
        return atg_fail(err, ATG_ELIMIT, "The file is larger than %d MiB",
                        ATG_INPUT_MAX / (1024 * 1024));
    set->arena = arena;
    set->names = names;
    rc = is_json(bytes) ? freq_read_json(set, bytes, population, &f, notes, err)
                        : freq_read_table(set, bytes, population, &f, notes, err);
    if (!rc)
        rc = scale(set, notes, err);
    f.n_markers = set->n;
    if (!rc)
        rc = marker_set_finish(set, 0, f.n_population, &f.markers, notes, err);
    if (!rc)
        *ret = f;
    return rc;
}
