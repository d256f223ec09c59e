/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/markerset.h"

#include "base/json.h"

static int nomem(atg_err *err) {
    return atg_fail(err, ATG_ENOMEM, "Out of memory making the table of markers");
}

bool allele_label_ok(atg_str s) {
    if (s.n == 0 || s.n > ATG_LABEL_MAX || atg_str_eq(s, ATG_STR("-")))
        return false;
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
            return false;
    return atg_str_trim(s).n == s.n;
}

bool allele_label_of(double number, char ret[32]) {
    json_shortest(number, ret);
    return atg_allele_tenths(atg_str_of(ret)) >= 0;
}

int marker_set_find(marker_set *set, atg_str name, int64_t *ret, atg_err *err) {
    int64_t at = map_get(set->names, name);

    for (uint32_t i = 0; i < set->n && at < 0; i++) {
        if (!atg_marker_same_name(set->drafts[i]->m.name, name))
            continue;
        if (set->n_spellings++ == MARKER_SPELLINGS_MAX)
            return atg_fail(err, ATG_ELIMIT, "More than %d spellings of marker names",
                            MARKER_SPELLINGS_MAX);

        atg_str copy = atg_arena_str(set->arena, name);

        if (!copy.p || map_add(set->names, copy, i))
            return nomem(err);
        at = i;
    }
    *ret = at;
    return ATG_OK;
}

int marker_set_add(marker_set *set, atg_str name, marker_draft **ret, atg_err *err) {
    int64_t old = -1;
    int rc = marker_set_find(set, name, &old, err);

    if (rc)
        return rc;
    if (old >= 0)
        return atg_fail(err, ATG_EINVAL, "The marker %.*s is there twice (as %.*s)", ATG_FMT(name),
                        ATG_FMT(set->drafts[old]->m.name));
    if (set->n == ATG_MARKERS_MAX)
        return atg_fail(err, ATG_ELIMIT, "More than %d markers", ATG_MARKERS_MAX);

    marker_draft *d = ATG_GET(set->arena, marker_draft, 1);
    atg_str copy = atg_arena_str(set->arena, name);

    if (!d || !copy.p || map_add(set->names, copy, set->n))
        return nomem(err);
    d->m.name = copy;
    d->m.labels = d->labels;
    d->m.freqs = d->freqs;
    d->m.silent = d->m.linked_to = -1;
    set->drafts[set->n++] = *ret = d;
    return ATG_OK;
}

/* Append an allele that is known to be new. */
static int append(marker_set *set, marker_draft *d, atg_str label, double freq, atg_err *err) {
    if (!allele_label_ok(label))
        return atg_fail(err, ATG_EINVAL,
                        "\"%.*s\" is not the name of an allele of %.*s: write 1 to %d printable "
                        "characters, such as 15 or 9.3",
                        ATG_FMT(label), ATG_FMT(d->m.name), ATG_LABEL_MAX);
    if (d->m.n == ATG_ALLELES_MAX)
        return atg_fail(err, ATG_ELIMIT, "%.*s has more than %d alleles", ATG_FMT(d->m.name),
                        ATG_ALLELES_MAX);

    atg_str copy = atg_arena_str(set->arena, label);

    if (!copy.p)
        return nomem(err);
    d->labels[d->m.n] = copy;
    d->freqs[d->m.n++] = freq;
    return ATG_OK;
}

int marker_draft_add(marker_set *set, marker_draft *d, atg_str label, double freq, atg_err *err) {
    if (atg_marker_allele(&d->m, label) >= 0)
        return atg_fail(err, ATG_EINVAL, "The allele %.*s of %.*s is there twice", ATG_FMT(label),
                        ATG_FMT(d->m.name));

    int rc = append(set, d, label, freq, err);

    d->n_table = d->m.n;
    return rc;
}

int marker_draft_observe(marker_set *set, marker_draft *d, atg_str label, int16_t *ret,
                         atg_err *err) {
    int at = atg_marker_allele(&d->m, label);

    if (at >= 0 && at == d->m.silent)
        return atg_fail(err, ATG_EINVAL,
                        "%.*s is the silent allele of %.*s, which nobody can see in a profile",
                        ATG_FMT(label), ATG_FMT(d->m.name));
    if (at < 0) {
        int rc = append(set, d, label, 0, err);

        if (rc)
            return rc;
        at = d->m.n - 1;
    }
    *ret = (int16_t)at;
    return ATG_OK;
}

int genotype_make(const atg_marker *m, atg_sex sex, atg_geno read, atg_geno *ret, atg_err *err) {
    atg_geno g = read;

    if (g.a == ATG_ALLELE_UNREAD)
        g = (atg_geno){g.b, g.a};
    if (m->chrom == ATG_CHROM_X && sex == ATG_SEX_MALE && atg_geno_typed(g)) {
        if (g.b != ATG_ALLELE_UNREAD && g.b != g.a)
            return atg_fail(err, ATG_EINVAL,
                            "A man has one allele at %.*s, a marker of the X chromosome; check the "
                            "sex and the sample",
                            ATG_FMT(m->name));
        g.b = g.a;
    }
    *ret = g;
    return ATG_OK;
}

/* Can the alleles behind the table get `min_freq` each? */
static int check_added(const marker_draft *d, uint16_t added, double min_freq, atg_err *err) {
    atg_str first = d->labels[d->n_table];

    if (d->m.female.matrix || d->m.male.matrix)
        return atg_fail(err, ATG_EINVAL,
                        "The allele %.*s of %.*s is not in its table, and the mutation matrix has "
                        "no row for it; add it to both",
                        ATG_FMT(first), ATG_FMT(d->m.name));
    if (!(min_freq > 0))
        return atg_fail(err, ATG_EINVAL,
                        "The allele %.*s of %.*s is not in its table; name a minimum frequency, "
                        "or the number of persons behind the table",
                        ATG_FMT(first), ATG_FMT(d->m.name));
    if (!(added * min_freq < 1))
        return atg_fail(err, ATG_EINVAL,
                        "%u alleles of %.*s are not in its table, too many for a minimum frequency "
                        "of %g",
                        added, ATG_FMT(d->m.name), min_freq);
    return ATG_OK;
}

static int give_minimum(marker_set *set, marker_draft *d, double min_freq, atg_notes *notes,
                        atg_err *err) {
    uint16_t added = (uint16_t)(d->m.n - d->n_table);
    int rc = added ? check_added(d, added, min_freq, err) : ATG_OK;

    if (rc || added == 0)
        return rc;
    for (uint16_t i = 0; i < d->n_table; i++)
        d->freqs[i] *= 1 - added * min_freq;
    for (uint16_t i = d->n_table; i < d->m.n; i++) {
        d->freqs[i] = min_freq;
        atg_note(notes, set->arena,
                 "%.*s: the allele %.*s is not in the table and gets the minimum frequency %.6g; "
                 "the others were scaled",
                 ATG_FMT(d->m.name), ATG_FMT(d->labels[i]), min_freq);
    }
    return ATG_OK;
}

int marker_set_finish(marker_set *set, double min_freq, uint32_t n_population,
                      const atg_marker **ret, atg_notes *notes, atg_err *err) {
    atg_marker *markers = ATG_GET(set->arena, atg_marker, set->n);
    double floor = min_freq > 0 ? min_freq : n_population ? 5 / (2.0 * n_population) : 0;

    if (!markers)
        return nomem(err);
    for (uint32_t i = 0; i < set->n; i++) {
        marker_draft *d = set->drafts[i];
        int rc = give_minimum(set, d, floor, notes, err);
        int16_t *tenths = ATG_GET(set->arena, int16_t, d->m.n);

        if (rc)
            return rc;
        if (!tenths)
            return nomem(err);
        for (uint16_t k = 0; k < d->m.n; k++)
            tenths[k] = atg_allele_tenths(d->labels[k]);
        d->m.tenths = tenths;
        markers[i] = d->m;
    }
    *ret = markers;
    return ATG_OK;
}
