/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "base/number.h"
#include "formats/familias.h"

/* Codes of the mutation models, in Familias' order. */
enum { CODE_EQUAL, CODE_PROPORTIONAL, CODE_STEP_UNSTATIONARY, CODE_STEP_STATIONARY, CODE_EXTENDED };

static const double ROUNDING = 1e-6;  /* of a sum of frequencies with 10 digits */
static const double SUM_SLACK = 1e-3; /* what published tables miss 1 by */

/* The text behind `key` in a line such as "12 (DatabaseSize = 2500 , ...)". */
static bool value_behind(atg_str line, const char *key, atg_str *ret) {
    const char *at = line.n ? memmem(line.p, line.n, key, strlen(key)) : NULL;
    atg_str s;
    size_t n = 0;

    if (!at)
        return false;
    s.p = at + strlen(key);
    s.n = line.n - (size_t)(s.p - line.p);
    while (s.n && (*s.p == ' ' || *s.p == '=' || *s.p == ':')) {
        s.p++;
        s.n--;
    }
    while (n < s.n && !strchr(" )\t;", s.p[n]))
        n++;
    *ret = (atg_str){s.p, n};
    return n > 0;
}

static int share_behind(fam_file *f, const char *key, double *ret) {
    atg_str text;
    double x;

    if (!value_behind(f->text, key, &text))
        return ATG_OK;
    if (!number_read(text, &x) || !(x >= 0 && x < 1))
        return fam_fail(f, ATG_EPARSE, "%s is \"%.*s\"; it must be from 0 to below 1", key,
                        ATG_FMT(text));
    *ret = x;
    return ATG_OK;
}

/* The line "12 (DatabaseSize = 2500 , Dropout probability = 0 , Minor allele frequency = 0 )". */
static int take_info(fam_file *f, fam_marker *raw) {
    atg_str whole = f->text, first, size;
    int rc = share_behind(f, "Dropout probability", &raw->dropout);

    if (!rc)
        rc = share_behind(f, "Minor allele frequency", &raw->min_freq);
    if (!rc && value_behind(whole, "DatabaseSize", &size) && !number_count(size, &raw->size))
        rc = fam_fail(f, ATG_EPARSE, "DatabaseSize is \"%.*s\"; it must be a whole number",
                      ATG_FMT(size));
    if (rc)
        return rc;
    first = atg_str_cut(&whole, '\t');
    f->text = atg_str_trim(atg_str_cut(&first, '('));
    return fam_take_count(f, "the number of alleles", ATG_ALLELES_MAX, &raw->n_alleles);
}

/* "9,3" is "9.3" where the decimal comma is used; `room` holds the label's bytes. */
static void point_for_comma(char *room, size_t n) {
    char *comma = n ? memchr(room, ',', n) : NULL;
    double x;

    if (comma && number_read((atg_str){room, n}, &x))
        *comma = '.';
}

static int with_point(fam_file *f, atg_str *label) {
    char room[ATG_LABEL_MAX + 1];

    memcpy(room, label->p, label->n);
    point_for_comma(room, label->n);
    *label = atg_arena_str(f->arena, (atg_str){room, label->n});
    return label->p ? ATG_OK : fam_nomem(f);
}

static int take_alleles(fam_file *f, fam_marker *raw, marker_draft *d) {
    for (uint32_t i = 0; i < raw->n_alleles; i++) {
        atg_str *label = &raw->alleles[i];
        uint32_t line;
        double freq = 0;
        int rc = fam_take_name(f, "an allele", label);

        line = f->lines.line - 1;
        if (rc)
            return rc;
        if (label->n <= ATG_LABEL_MAX)
            rc = with_point(f, label);
        if (!rc)
            rc = fam_take_number(f, "the frequency of an allele", 0, 1, &freq);
        if (!rc && freq > 0)
            rc = fam_at(f, line, marker_draft_add(f->set, d, *label, freq, f->err));
        else if (!rc)
            atg_note(f->notes, f->arena,
                     "Allele %.*s of %.*s has frequency 0 and is left out of the table",
                     ATG_FMT(*label), ATG_FMT(d->m.name));
        if (rc)
            return rc;
    }
    return ATG_OK;
}

/* The part that the named alleles leave of `want` is the rest allele's. */
static int add_rest(fam_file *f, marker_draft *d, double sum, double want) {
    for (uint16_t i = 0; i < d->m.n; i++)
        if (atg_str_eq_nocase(d->labels[i], ATG_STR("Rest allele")))
            return atg_fail(f->err, ATG_EPARSE,
                            "The frequencies of %.*s sum to %.6g, its rest allele included; "
                            "correct the table",
                            ATG_FMT(d->m.name), sum);
    atg_note(f->notes, f->arena,
             "The frequencies of %.*s sum to %.6g; \"Rest allele\" takes the other %.3g",
             ATG_FMT(d->m.name), sum, want - sum);
    return marker_draft_add(f->set, d, ATG_STR("Rest allele"), want - sum, f->err);
}

static int add_silent(fam_file *f, const fam_marker *raw, marker_draft *d, bool scale) {
    int rc = marker_draft_add(f->set, d, ATG_STR("silent"), raw->silent_freq, f->err);

    if (rc)
        return rc;
    d->m.silent = (int16_t)(d->m.n - 1);
    for (uint16_t i = 0; scale && i + 1 < d->m.n; i++)
        d->freqs[i] *= 1 - raw->silent_freq;
    return ATG_OK;
}

/* Make the frequencies sum to one. */
static int complete(fam_file *f, const fam_marker *raw, marker_draft *d) {
    double sum = 0, want = 1;
    int rc = ATG_OK;

    for (uint16_t i = 0; i < d->m.n; i++)
        sum += d->freqs[i];
    if (raw->has_silent && fabs(sum + raw->silent_freq - 1) <= SUM_SLACK)
        want = 1 - raw->silent_freq;
    if (d->m.n == 0)
        return atg_fail(f->err, ATG_EPARSE, "%.*s has no alleles; remove it or enter them",
                        ATG_FMT(d->m.name));
    if (sum > want + SUM_SLACK)
        return atg_fail(f->err, ATG_EPARSE,
                        "The frequencies of %.*s sum to %.6g; correct the table",
                        ATG_FMT(d->m.name), sum);
    if (sum < want - ROUNDING) {
        rc = add_rest(f, d, sum, want);
    } else if (sum > want + ROUNDING) {
        for (uint16_t i = 0; i < d->m.n; i++)
            d->freqs[i] *= want / sum;
        atg_note(f->notes, f->arena, "The frequencies of %.*s sum to %.6g and were scaled to 1",
                 ATG_FMT(d->m.name), sum);
    }
    return rc || !raw->has_silent ? rc : add_silent(f, raw, d, want >= 1);
}

static bool has_steps(const atg_marker *m) {
    for (uint16_t i = 0; i < m->n; i++)
        if (atg_allele_tenths(m->labels[i]) < 0 && i != m->silent)
            return false;
    return true;
}

/* The model of one sex (0 female, 1 male). */
static int mutation_of(fam_file *f, const fam_marker *raw, int sex, const atg_marker *m,
                       atg_mutation *ret) {
    uint32_t code = raw->code[sex];
    bool stepwise = code >= CODE_STEP_UNSTATIONARY;

    *ret = (atg_mutation){.rate = raw->rate[sex]};
    if (raw->rate[sex] <= 0 && !(stepwise && raw->rate2[sex] > 0))
        return ATG_OK;
    if (code == CODE_PROPORTIONAL) {
        ret->model = ATG_MUT_PROPORTIONAL;
        return ATG_OK;
    }
    ret->model = ATG_MUT_EQUAL;
    if (!stepwise)
        return ATG_OK;
    if (!has_steps(m)) {
        if (sex == 0)
            atg_note(f->notes, f->arena,
                     "%.*s has alleles without a repeat number (such as \"Rest allele\"), which "
                     "its stepwise model cannot place; the equal model with the same rate is used",
                     ATG_FMT(m->name));
        return ATG_OK;
    }
    if (!(raw->range[sex] > 0 && raw->range[sex] < 1))
        return atg_fail_at(f->err, ATG_EPARSE, raw->line, 1,
                           "The mutation range of %.*s is %g; a stepwise model needs one between "
                           "0 and 1",
                           ATG_FMT(m->name), raw->range[sex]);
    ret->model = ATG_MUT_STEPWISE;
    ret->range = raw->range[sex];
    ret->rate2 = raw->rate2[sex];
    ret->transform = code == CODE_STEP_STATIONARY ? ATG_MUT_PM : ATG_MUT_AS_IS;
    return ATG_OK;
}

/* The ten lines between the marker's name and its alleles. */
static int take_parameters(fam_file *f, fam_marker *raw) {
    static const char *const codes[] = {"the code of the female mutation model, 0 to 4",
                                        "the code of the male mutation model, 0 to 4"};
    uint32_t n;
    int rc = ATG_OK;

    for (int s = 0; s < 2 && !rc; s++)
        rc = fam_take_number(f, "the mutation rate", 0, 1, &raw->rate[s]);
    for (int s = 0; s < 2 && !rc; s++)
        rc = fam_take_count(f, codes[s], CODE_EXTENDED, &raw->code[s]);
    if (!rc)
        rc = fam_take_count(f, "the number of alleles", ATG_ALLELES_MAX, &n);
    for (int s = 0; s < 2 && !rc; s++)
        rc = fam_take_number(f, "the mutation range", 0, 1e9, &raw->range[s]);
    for (int s = 0; s < 2 && !rc; s++)
        rc = fam_take_number(f, "the second mutation rate", 0, 1, &raw->rate2[s]);
    if (!rc)
        rc = fam_take_flag(f, "the mark of a silent allele", &raw->has_silent);
    if (!rc)
        rc = fam_take_number(f, "the frequency of the silent allele", 0, 0.999, &raw->silent_freq);
    if (!rc && raw->silent_freq <= 0)
        raw->has_silent = false;
    return rc;
}

static int take_name(fam_file *f, fam_marker *raw, marker_draft **ret) {
    atg_str name = {0};
    int rc = fam_take_name(f, "the name of a marker", &name);

    raw->line = f->lines.line - 1;
    if (!rc && name.n > ATG_LABEL_MAX)
        rc = atg_fail(f->err, ATG_ELIMIT, "The name %.*s is longer than %d bytes; shorten it",
                      ATG_FMT(name), ATG_LABEL_MAX);
    if (!rc)
        rc = marker_set_add(f->set, name, ret, f->err);
    if (!rc)
        (*ret)->m.chrom = atg_marker_usual_chrom(name);
    return rc;
}

static void note_chrom(fam_file *f, const atg_marker *m) {
    static const char *const words[] = {
        [ATG_CHROM_X] = "X-chromosomal",
        [ATG_CHROM_Y] = "Y-chromosomal",
        [ATG_CHROM_AMELOGENIN] = "amelogenin",
    };

    if (m->chrom != ATG_CHROM_AUTOSOMAL)
        atg_note(f->notes, f->arena, "%.*s is taken as %s by its name", ATG_FMT(m->name),
                 words[m->chrom]);
}

static int take_table(fam_file *f, fam_marker *raw, marker_draft *d) {
    int rc = f->end ? fam_fail(f, ATG_EPARSE, "The file ends inside a marker") : take_info(f, raw);

    if (rc)
        return rc;
    raw->alleles = ATG_GET(f->arena, atg_str, (size_t)raw->n_alleles + 1);
    if (!raw->alleles)
        return fam_nomem(f);
    rc = take_alleles(f, raw, d);
    return rc ? rc : complete(f, raw, d);
}

static int take_marker(fam_file *f, fam_marker *raw) {
    marker_draft *d = NULL;
    int rc = take_name(f, raw, &d);

    if (!rc)
        rc = take_parameters(f, raw);
    if (!rc)
        rc = take_table(f, raw, d);
    if (!rc)
        rc = mutation_of(f, raw, 0, &d->m, &d->m.female);
    if (!rc)
        rc = mutation_of(f, raw, 1, &d->m, &d->m.male);
    if (!rc)
        note_chrom(f, &d->m);
    return fam_at(f, raw->line, rc);
}

/* The line "#FALSE# (#Databases: 1 ;Theta/Kinship/Fst: 0 )". */
static int take_head(fam_file *f) {
    atg_str text;
    uint32_t n;

    if (f->end)
        return fam_fail(f, ATG_EPARSE, "The file ends where its database should follow");
    if (f->text.n >= 6 && memcmp(f->text.p, "#TRUE#", 6) == 0)
        return fam_fail(f, ATG_EPARSE,
                        "The file holds computed results, which are not read; clear "
                        "them in Familias and save it again");
    if (f->text.n < 7 || memcmp(f->text.p, "#FALSE#", 7) != 0)
        return fam_fail(f, ATG_EPARSE,
                        "Expected the line of the database here, which starts with "
                        "#FALSE#, and found \"%.*s\"",
                        f->text.n > 60 ? 60 : (int)f->text.n, f->text.p);
    if (value_behind(f->text, "#Databases", &text) && number_count(text, &n) && n > 1)
        return fam_fail(f, ATG_ELIMIT,
                        "The file has %u databases; save it with the one that is "
                        "to be used",
                        n);
    if (value_behind(f->text, "Fst", &text) &&
        (!number_read(text, &f->theta) || !(f->theta >= 0 && f->theta <= 0.5)))
        return fam_fail(f, ATG_EPARSE, "Theta is \"%.*s\"; it must be from 0 to 0.5",
                        ATG_FMT(text));
    fam_next(f);
    return ATG_OK;
}

/* What the markers say about their table, as one value of the operation. */
static void gather(fam_file *f) {
    bool sizes = false, floors = false;

    for (uint32_t i = 0; i < f->n_markers; i++) {
        const fam_marker *raw = &f->markers[i];

        sizes |= raw->size != f->markers[0].size;
        floors |= raw->min_freq < f->markers[0].min_freq || raw->min_freq > f->markers[0].min_freq;
        if (i == 0 || raw->size < f->n_population)
            f->n_population = raw->size;
        if (raw->min_freq > f->min_freq)
            f->min_freq = raw->min_freq;
    }
    if (sizes)
        atg_note(f->notes, f->arena,
                 "The markers have tables of different sizes; the smallest, %u, is taken for all",
                 f->n_population);
    if (floors)
        atg_note(f->notes, f->arena,
                 "The markers have different minor allele frequencies; the largest, %g, is taken",
                 f->min_freq);
}

int fam_read_database(fam_file *f) {
    bool named = false;
    int rc = take_head(f);

    if (!rc)
        rc = fam_take_count(f, "the number of markers", ATG_MARKERS_MAX, &f->n_markers);
    if (!rc)
        rc = fam_take_flag(f, "the mark of a named database", &named);
    if (!rc && named && !f->end) {
        f->database = atg_arena_str(f->arena, f->text);
        if (!f->database.p)
            return fam_nomem(f);
        fam_next(f);
    }
    if (rc)
        return rc;
    f->markers = ATG_GET(f->arena, fam_marker, f->n_markers + 1);
    if (!f->markers)
        return fam_nomem(f);
    for (uint32_t i = 0; i < f->n_markers && !rc; i++)
        rc = take_marker(f, &f->markers[i]);
    gather(f);
    return rc;
}

int fam_find_marker(fam_file *f, atg_str name, uint32_t hint, int64_t *ret) {
    if (hint < f->n_markers && atg_str_eq(f->set->drafts[hint]->m.name, name)) {
        *ret = hint;
        return ATG_OK;
    }
    return marker_set_find(f->set, name, ret, f->err);
}

int fam_find_allele(fam_file *f, uint32_t marker, atg_str label, atg_str who, int16_t *ret) {
    marker_draft *d = f->set->drafts[marker];
    char text[ATG_LABEL_MAX + 1];
    atg_str point = {text, label.n <= ATG_LABEL_MAX ? label.n : 0};
    int i = atg_marker_allele(&d->m, label);

    if (point.n)
        memcpy(text, label.p, point.n);
    if (i < 0 && point.n) {
        point_for_comma(text, point.n);
        if (point.n > 2 && memcmp(text + point.n - 2, ".0", 2) == 0)
            point.n -= 2;
        i = atg_marker_allele(&d->m, point);
    }
    if (i < 0 && (atg_allele_tenths(point) < 0 || (!(f->min_freq > 0) && f->n_population == 0)))
        return atg_fail(f->err, ATG_EPARSE,
                        "Allele %.*s of %.*s is not in the file's table of %.*s; add it there with "
                        "its frequency",
                        ATG_FMT(label), ATG_FMT(who), ATG_FMT(d->m.name));
    if (i < 0 || i == d->m.silent)
        return marker_draft_observe(f->set, d, point, ret, f->err);
    *ret = (int16_t)i;
    return ATG_OK;
}
