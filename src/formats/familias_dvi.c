/* SPDX-License-Identifier: Apache-2.0 */
#include "base/number.h"
#include "formats/familias.h"

/* A line of the DVI section: a heading ("[[Notes]]": depth 2) or a key with its value (depth 0). */
typedef struct item {
    int depth;
    atg_str key, value;
} item;

typedef struct dvi {
    fam_file *f;
    item at; /* what the line in hand says; depth -1 at the end of the file */
} dvi;

/* Look at the line in hand, skipping empty ones. */
static void look(dvi *d) {
    fam_file *f = d->f;
    atg_str s;
    int depth = 0;

    while (!f->end && f->text.n == 0)
        fam_next(f);
    s = f->text;
    while (s.n && s.p[0] == '[') {
        s.p++;
        s.n--;
        depth++;
    }
    if (depth)
        while (s.n && s.p[s.n - 1] == ']')
            s.n--;
    d->at = (item){.depth = f->end ? -1 : depth, .key = atg_str_trim(s)};
    if (d->at.depth == 0) {
        d->at.key = atg_str_trim(atg_str_cut(&s, '='));
        d->at.value = atg_str_trim(s);
    }
}

static void next(dvi *d) {
    fam_next(d->f);
    look(d);
}

static bool is_heading(const dvi *d, int depth, const char *title) {
    atg_str t = atg_str_of(title);

    return d->at.depth == depth && d->at.key.n >= t.n && atg_str_eq((atg_str){d->at.key.p, t.n}, t);
}

static int take_heading(dvi *d, int depth, const char *title) {
    if (!is_heading(d, depth, title))
        return fam_fail(d->f, ATG_EPARSE,
                        "Expected the heading \"%s\" here; the file is damaged "
                        "or was cut off",
                        title);
    next(d);
    return ATG_OK;
}

static int expect_key(dvi *d, const char *key) {
    if (d->at.depth != 0 || !atg_str_eq_nocase(d->at.key, atg_str_of(key)))
        return fam_fail(d->f, ATG_EPARSE,
                        "Expected \"%s=\" here; the file is damaged or was cut off", key);
    return ATG_OK;
}

static int take_text(dvi *d, const char *key, size_t max, atg_str *ret) {
    int rc = expect_key(d, key);

    if (!rc)
        rc = fam_keep(d->f, d->at.value, max, key, ret);
    if (!rc)
        next(d);
    return rc;
}

static int take_count(dvi *d, const char *key, uint32_t *ret) {
    int rc = expect_key(d, key);
    uint32_t n;

    if (rc)
        return rc;
    if (!number_count(d->at.value, &n))
        return fam_fail(d->f, ATG_EPARSE, "%s must be a whole number", key);
    if (n > d->f->lines.rest.n)
        return fam_fail(d->f, ATG_EPARSE, "%s is %u, more than the rest of the file can hold", key,
                        n);
    next(d);
    *ret = n;
    return ATG_OK;
}

static int sex_of(dvi *d, atg_sex *ret) {
    int rc = expect_key(d, "Gender");

    if (rc)
        return rc;
    if (atg_str_eq_nocase(d->at.value, ATG_STR("Male")))
        *ret = ATG_SEX_MALE;
    else if (atg_str_eq_nocase(d->at.value, ATG_STR("Female")))
        *ret = ATG_SEX_FEMALE;
    else if (d->at.value.n == 0 || atg_str_eq_nocase(d->at.value, ATG_STR("Unknown")))
        *ret = ATG_SEX_UNKNOWN;
    else
        return fam_fail(d->f, ATG_EPARSE, "The gender is Male, Female or Unknown");
    next(d);
    return ATG_OK;
}

/* "Allele1= 17"; nothing behind it, or "0" where the table has no such allele, is unread. */
static int take_allele(dvi *d, const char *key, const fam_person *p, uint32_t marker,
                       int16_t *ret) {
    atg_str label = d->at.value;
    int16_t found = ATG_ALLELE_UNREAD;
    int rc = expect_key(d, key);

    if (rc)
        return rc;
    if (atg_str_eq(label, ATG_STR("0")) &&
        atg_marker_allele(&d->f->set->drafts[marker]->m, label) < 0)
        label.n = 0;
    if (label.n)
        rc = fam_at(d->f, d->f->lines.line, fam_find_allele(d->f, marker, label, p->name, &found));
    if (rc)
        return rc;
    next(d);
    *ret = found;
    return ATG_OK;
}

static bool same_genotype(atg_geno x, atg_geno y) {
    return (x.a == y.a && x.b == y.b) || (x.a == y.b && x.b == y.a);
}

/* Does a person of this sex have one copy only? */
static bool single_copy(atg_chrom chrom, atg_sex sex) {
    return chrom == ATG_CHROM_Y || (chrom == ATG_CHROM_X && sex == ATG_SEX_MALE);
}

/* Keep a genotype; the same once more is left out, another one is an error. */
static int keep_genotype(dvi *d, fam_person *p, int64_t marker, atg_geno g, uint32_t line) {
    fam_file *f = d->f;
    atg_str name = f->set->drafts[marker]->m.name;

    if (!atg_geno_typed(p->genos[marker])) {
        p->genos[marker] = g;
        return ATG_OK;
    }
    if (!same_genotype(p->genos[marker], g))
        return atg_fail_at(f->err, ATG_EPARSE, line, 1,
                           "%.*s has two different genotypes at %.*s; keep the right one",
                           ATG_FMT(p->name), ATG_FMT(name));
    atg_note(f->notes, f->arena, "%.*s has the same genotype at %.*s twice", ATG_FMT(p->name),
             ATG_FMT(name));
    return ATG_OK;
}

static int take_system(dvi *d, const fam_person *p, uint32_t hint, int64_t *ret) {
    int rc = expect_key(d, "SystemName");

    if (!rc)
        rc = fam_find_marker(d->f, d->at.value, hint, ret);
    if (!rc && *ret < 0)
        rc = fam_fail(d->f, ATG_EPARSE,
                      "Marker %.*s of %.*s is not in the file's database; add it there with its "
                      "frequencies",
                      ATG_FMT(d->at.value), ATG_FMT(p->name));
    if (!rc)
        next(d);
    return rc;
}

static int take_genotype(dvi *d, fam_person *p, uint32_t hint) {
    uint32_t line = d->f->lines.line;
    atg_geno g = ATG_UNTYPED;
    const atg_marker *m;
    int64_t i = -1;
    int rc = take_system(d, p, hint, &i);

    if (!rc)
        rc = take_allele(d, "Allele1", p, (uint32_t)i, &g.a);
    if (!rc)
        rc = take_allele(d, "Allele2", p, (uint32_t)i, &g.b);
    if (rc)
        return rc;
    m = &d->f->set->drafts[i]->m;
    if (g.a < 0)
        g = (atg_geno){g.b, ATG_ALLELE_UNREAD};
    if (g.a < 0)
        return ATG_OK;
    if (g.b < 0 && single_copy(m->chrom, p->sex))
        g.b = g.a;
    if (g.b < 0)
        atg_note(d->f->notes, d->f->arena,
                 "%.*s has one allele at %.*s; the other is taken as unread", ATG_FMT(p->name),
                 ATG_FMT(m->name));
    return keep_genotype(d, p, i, g, line);
}

static int take_dna(dvi *d, fam_person *p) {
    fam_file *f = d->f;
    uint32_t n = 0;
    bool typed = false;
    int rc = take_count(d, "nSystems", &n);

    if (rc || n == 0)
        return rc;
    p->genos = ATG_GET(f->arena, atg_geno, f->n_markers + 1);
    if (!p->genos)
        return fam_nomem(f);
    for (uint32_t i = 0; i < f->n_markers; i++)
        p->genos[i] = ATG_UNTYPED;
    for (uint32_t i = 0; i < n; i++) {
        rc = take_genotype(d, p, i);
        if (rc)
            return rc;
    }
    for (uint32_t i = 0; i < f->n_markers; i++)
        typed |= atg_geno_typed(p->genos[i]);
    if (!typed)
        p->genos = NULL;
    return ATG_OK;
}

/* Persons under headings of this depth, as many as "nPersons=" says. */
static int take_persons(dvi *d, int depth, uint32_t *ret_n, fam_person **ret) {
    uint32_t n = 0;
    int rc = take_count(d, "nPersons", &n);
    fam_person *persons = rc || n == 0 ? NULL : ATG_GET(d->f->arena, fam_person, n);

    if (!rc && n && !persons)
        return fam_nomem(d->f);
    for (uint32_t i = 0; i < n && !rc; i++) {
        fam_person *p = &persons[i];

        rc = take_heading(d, depth, "Person");
        p->line = d->f->lines.line;
        if (!rc)
            rc = take_text(d, "Name", FAM_NAME_MAX, &p->name);
        if (!rc && d->at.depth == 0)
            rc = sex_of(d, &p->sex);
        if (!rc)
            rc = take_heading(d, depth + 1, "DNA data");
        if (!rc)
            rc = take_dna(d, p);
    }
    if (rc)
        return rc;
    *ret_n = n;
    *ret = persons;
    return ATG_OK;
}

static int take_pedigree(dvi *d, fam_pedigree *ped) {
    int rc = take_heading(d, 5, "Pedigree");

    ped->line = d->f->lines.line;
    if (!rc)
        rc = take_text(d, "Name", FAM_NAME_MAX, &ped->name);
    if (!rc)
        rc = take_count(d, "nRelations", &ped->n);
    if (rc || ped->n == 0)
        return rc;
    ped->relations = ATG_GET(d->f->arena, fam_relation, ped->n);
    if (!ped->relations)
        return fam_nomem(d->f);
    for (uint32_t i = 0; i < ped->n && !rc; i++) {
        fam_relation *r = &ped->relations[i];

        r->line = d->f->lines.line;
        rc = take_text(d, "Parent", FAM_NAME_MAX, &r->parent);
        if (!rc)
            rc = take_text(d, "Child", FAM_NAME_MAX, &r->child);
    }
    return rc;
}

static int take_family(dvi *d, fam_family *fam) {
    int rc = take_heading(d, 3, "Family");

    fam->line = d->f->lines.line;
    if (!rc)
        rc = take_text(d, "Name", FAM_NAME_MAX, &fam->name);
    if (!rc)
        rc = take_heading(d, 4, "Persons");
    if (!rc)
        rc = take_persons(d, 5, &fam->n_persons, &fam->persons);
    if (!rc)
        rc = take_heading(d, 4, "Pedigrees");
    if (!rc)
        rc = take_count(d, "nPedigrees", &fam->n_pedigrees);
    if (rc || fam->n_pedigrees == 0)
        return rc;
    fam->pedigrees = ATG_GET(d->f->arena, fam_pedigree, fam->n_pedigrees);
    if (!fam->pedigrees)
        return fam_nomem(d->f);
    for (uint32_t i = 0; i < fam->n_pedigrees && !rc; i++)
        rc = take_pedigree(d, &fam->pedigrees[i]);
    return rc;
}

static int take_families(dvi *d, fam_content *ret) {
    uint32_t n = 0;
    int rc = take_heading(d, 2, "Reference Families");

    if (!rc)
        rc = take_count(d, "nFamilies", &n);
    if (rc || n == 0)
        return rc;
    ret->families = ATG_GET(d->f->arena, fam_family, n);
    if (!ret->families)
        return fam_nomem(d->f);
    for (uint32_t i = 0; i < n && !rc; i++)
        rc = take_family(d, &ret->families[i]);
    ret->n_families = n;
    return rc;
}

/* Settings of Familias' own searches, which do not belong to the samples. */
static void note_settings(dvi *d) {
    static const char *const keys[] = {"Dropin", "Dropout", "Error"};
    double x;

    for (; d->at.depth >= 0; next(d))
        for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
            if (d->at.depth == 0 && atg_str_eq_nocase(d->at.key, atg_str_of(keys[i])) &&
                number_read(d->at.value, &x) && x != 0)
                atg_note(d->f->notes, d->f->arena,
                         "The file's setting %s = %g of Familias' direct search is not taken over; "
                         "enter it with the samples that it holds for",
                         keys[i], x);
}

int fam_read_dvi(fam_file *f, fam_content *ret) {
    dvi d = {.f = f};
    int rc;

    look(&d);
    rc = take_heading(&d, 1, "DVI");
    if (!rc && is_heading(&d, 2, "Unidentified persons")) {
        next(&d);
        rc = take_persons(&d, 3, &ret->n_remains, &ret->remains);
    }
    if (rc)
        return rc;
    /* Notes are free text of any lines: what ends them is the next section. */
    while (d.at.depth >= 0 && !is_heading(&d, 2, "Reference Families"))
        next(&d);
    rc = take_families(&d, ret);
    if (!rc && (d.at.depth == 0 || d.at.depth > 1))
        rc = fam_fail(f, ATG_EPARSE, "More follows than the counts of the file say; it is damaged");
    if (!rc)
        note_settings(&d);
    return rc;
}
