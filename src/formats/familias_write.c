/* SPDX-License-Identifier: Apache-2.0 */
#include <antigone/formats.h>

#include "base/json.h"
#include "formats/familias.h"

typedef struct writer {
    const atg_operation *op;
    const char *recipient;
    atg_buf *buf;
    atg_err *err;
} writer;

/* One line; Familias runs on Windows. */
static void line(writer *w, const char *text) {
    atg_buf_printf(w->buf, "%s\r\n", text);
}

/* A name on its line: what would break the line becomes a blank. */
static void put_name(writer *w, atg_str name) {
    for (size_t i = 0; i < name.n; i++)
        atg_buf_add(w->buf,
                    (unsigned char)name.p[i] < 0x20 ? ATG_STR(" ") : (atg_str){name.p + i, 1});
}

static void key_name(writer *w, const char *key, atg_str name) {
    atg_buf_printf(w->buf, "%s= ", key);
    put_name(w, name);
    line(w, "");
}

static void quoted(writer *w, atg_str name) {
    atg_buf_adds(w->buf, "\"");
    put_name(w, name);
    line(w, "\"");
}

static void number(writer *w, double x) {
    char text[32];

    json_shortest(x, text);
    line(w, text);
}

static bool goes_along(const atg_marker *m) {
    return m->chrom == ATG_CHROM_AUTOSOMAL;
}

/* Familias' number of the model. */
static int code_of(writer *w, const atg_marker *m, const atg_mutation *mut, int *ret) {
    bool as_is = mut->transform == ATG_MUT_AS_IS;

    if (mut->model == ATG_MUT_NONE || (mut->model == ATG_MUT_EQUAL && as_is))
        *ret = 0;
    else if (mut->model == ATG_MUT_PROPORTIONAL && as_is)
        *ret = 1;
    else if (mut->model == ATG_MUT_STEPWISE && mut->transform == ATG_MUT_PM)
        *ret = 3;
    else if (mut->model == ATG_MUT_STEPWISE && as_is)
        *ret = 4;
    else
        return atg_fail(w->err, ATG_EINVAL,
                        "The mutation model of %.*s does not exist in Familias; give it the equal, "
                        "proportional or stepwise model, or export JSON",
                        ATG_FMT(m->name));
    return ATG_OK;
}

static int write_marker(writer *w, const atg_marker *m) {
    const atg_mutation *models[] = {&m->female, &m->male};
    const atg_params *p = &w->op->params;
    int n = m->n - (m->silent >= 0);
    char floor[32];

    quoted(w, m->name);
    for (int s = 0; s < 2; s++)
        number(w, models[s]->model == ATG_MUT_NONE ? 0 : models[s]->rate);
    for (int s = 0; s < 2; s++) {
        int code = 0, rc = code_of(w, m, models[s], &code);

        if (rc)
            return rc;
        atg_buf_printf(w->buf, "%d\r\n", code);
    }
    atg_buf_printf(w->buf, "%u\r\n", m->n);
    for (int s = 0; s < 2; s++)
        number(w, models[s]->model == ATG_MUT_STEPWISE ? models[s]->range : 0.1);
    for (int s = 0; s < 2; s++)
        number(w, models[s]->model == ATG_MUT_STEPWISE ? models[s]->rate2 : 0);
    line(w, m->silent >= 0 ? "#TRUE#" : "#FALSE#");
    number(w, m->silent >= 0 ? m->freqs[m->silent] : 0);
    json_shortest(p->min_freq, floor);
    atg_buf_printf(w->buf,
                   "%d\t(DatabaseSize = %u , Dropout probability = 0 , Minor allele frequency = %s "
                   ")\r\n",
                   n, p->n_population, floor);
    for (uint16_t i = 0; i < m->n; i++) {
        if (i == m->silent)
            continue;
        quoted(w, m->labels[i]);
        number(w, m->freqs[i]);
    }
    return ATG_OK;
}

static int write_database(writer *w) {
    const atg_operation *op = w->op;
    unsigned n = 0;
    char theta[32];

    for (uint32_t i = 0; i < op->n_markers; i++)
        n += goes_along(&op->markers[i]);
    json_shortest(op->params.theta, theta);
    atg_buf_printf(w->buf, "#FALSE# (#Databases: 1 ;Theta/Kinship/Fst: %s )\r\n%u\r\n#TRUE#\r\n",
                   theta, n);
    quoted(w, op->params.population);
    for (uint32_t i = 0; i < op->n_markers; i++) {
        int rc = goes_along(&op->markers[i]) ? write_marker(w, &op->markers[i]) : ATG_OK;

        if (rc)
            return rc;
    }
    return ATG_OK;
}

/* Familias has two alleles or none: one allele alone would be taken as a homozygote. */
static bool whole(const atg_marker *m, atg_geno g) {
    return goes_along(m) && g.a >= 0 && g.b >= 0 && g.a != m->silent && g.b != m->silent;
}

static const char opening[] = "[[[[[[", closing[] = "]]]]]]";

/* The heading of a person, up to the name, which the caller puts. */
static void person_head(writer *w, int depth, uint32_t n) {
    atg_buf_printf(w->buf, "%.*sPerson %u%s%.*s\r\nName= ", depth, opening, n,
                   depth == 3 ? " " : "", depth, closing);
}

static void person_body(writer *w, int depth, atg_sex sex, const atg_geno *genos) {
    static const char *const sexes[] = {"Unknown", "Male", "Female"};
    const atg_operation *op = w->op;
    unsigned count = 0;

    for (uint32_t i = 0; genos && i < op->n_markers; i++)
        count += whole(&op->markers[i], genos[i]);
    atg_buf_printf(w->buf, "\r\nGender= %s\r\n%.*sDNA data%.*s\r\nnSystems= %u\r\n", sexes[sex],
                   depth + 1, opening, depth + 1, closing, count);
    for (uint32_t i = 0; genos && i < op->n_markers; i++) {
        const atg_marker *m = &op->markers[i];

        if (!whole(m, genos[i]))
            continue;
        key_name(w, "SystemName", m->name);
        key_name(w, "Allele1", m->labels[genos[i].a]);
        key_name(w, "Allele2", m->labels[genos[i].b]);
    }
}

static void write_remains(writer *w) {
    const atg_operation *op = w->op;
    unsigned n = 0;

    for (uint32_t i = 0; i < op->n_samples; i++)
        n += !op->samples[i].mixture;
    atg_buf_printf(w->buf, "\r\n[DVI]\r\n[[Unidentified persons]]\r\nnPersons= %u\r\n", n);
    n = 0;
    for (uint32_t i = 0; i < op->n_samples; i++) {
        const atg_sample *s = &op->samples[i];

        if (s->mixture)
            continue;
        person_head(w, 3, ++n);
        put_name(w, s->id);
        person_body(w, 3, s->sex, s->genos);
    }
    atg_buf_printf(w->buf, "[[Notes]]\r\nnFamilies= %u\r\n", op->n_families);
    for (uint32_t f = 0; f <= op->n_families; f++)
        line(w, "");
}

/* Where a person stands in the file. */
typedef struct place {
    const atg_family *fam;
    int stand_in; /* who is called "Missing person" in relations, or -1 */
    uint16_t n_children[ATG_PEDIGREE_MAX];
    int32_t missing[ATG_PEDIGREE_MAX]; /* index in the operation's list, or -1 */
} place;

static void find_places(const writer *w, const atg_family *fam, place *ret) {
    *ret = (place){.fam = fam, .stand_in = -1};
    for (uint32_t i = 0; i < fam->ped.n; i++)
        ret->missing[i] = -1;
    for (uint32_t i = 0; i < fam->ped.n; i++) {
        const atg_person *p = &fam->ped.persons[i];

        if (p->father >= 0) {
            ret->n_children[p->father]++;
            ret->n_children[p->mother]++;
        }
    }
    for (uint32_t i = 0; i < fam->n_missing; i++) {
        const atg_missing *m = &w->op->missing[fam->missing[i]];

        ret->missing[m->person] = (int32_t)fam->missing[i];
        ret->stand_in = (int)m->person;
    }
}

/* A parent whom the reader added for one child only, and adds again. */
static bool left_out(const place *at, int32_t person) {
    const atg_person *p = &at->fam->ped.persons[person];

    return p->implicit && !p->genos && p->father < 0 && at->missing[person] < 0 &&
           at->n_children[person] == 1;
}

/* The name of a person in the list of persons or in relations. */
static void put_member(writer *w, const place *at, int32_t person, bool relation) {
    const atg_person *p = &at->fam->ped.persons[person];
    atg_str id;

    if (at->missing[person] < 0) {
        put_name(w, p->id);
        return;
    }
    if (relation && person == at->stand_in) {
        atg_buf_adds(w->buf, "Missing person");
        return;
    }
    id = w->op->missing[at->missing[person]].id;
    if (person == at->stand_in || !fam_is_missing_name(id) || !atg_str_eq(fam_missing_id(id), id))
        atg_buf_adds(w->buf, "Missing ");
    put_name(w, id);
}

static void write_relations(writer *w, const place *at) {
    const atg_pedigree *ped = &at->fam->ped;
    unsigned n = 0;

    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < ped->n; i++) {
            const int32_t parents[] = {ped->persons[i].father, ped->persons[i].mother};

            for (int k = 0; k < 2; k++) {
                if (parents[k] < 0 || left_out(at, parents[k]))
                    continue;
                if (pass == 0) {
                    n++;
                    continue;
                }
                atg_buf_adds(w->buf, "Parent= ");
                put_member(w, at, parents[k], true);
                atg_buf_adds(w->buf, "\r\nChild= ");
                put_member(w, at, (int32_t)i, true);
                line(w, "");
            }
        }
        if (pass == 0)
            atg_buf_printf(w->buf, "nRelations= %u\r\n", n);
    }
}

static int check_names(writer *w, const place *at) {
    const atg_pedigree *ped = &at->fam->ped;

    for (uint32_t i = 0; i < ped->n; i++)
        if (at->missing[i] < 0 && fam_is_missing_name(ped->persons[i].id))
            return atg_fail(w->err, ATG_EINVAL,
                            "%.*s of family %.*s is not missing, but Familias would take that name "
                            "for a missing person; rename this person",
                            ATG_FMT(ped->persons[i].id), ATG_FMT(at->fam->id));
    return ATG_OK;
}

/* A relative's genotypes with consent; of a missing person the first own sample, as there is one
 * place. */
static const atg_geno *shown_of(const writer *w, const atg_family *fam, uint32_t i) {
    const atg_person *p = &fam->ped.persons[i];

    if (p->n_own)
        return p->own[0].genos;
    return atg_consent_given(fam, i, w->recipient) ? p->genos : NULL;
}

static int write_family(writer *w, uint32_t f) {
    const atg_family *fam = &w->op->families[f];
    const atg_pedigree *ped = &fam->ped;
    unsigned n = 0;
    place at;
    int rc;

    find_places(w, fam, &at);
    rc = check_names(w, &at);
    if (rc)
        return rc;
    for (uint32_t i = 0; i < ped->n; i++)
        n += !left_out(&at, (int32_t)i);
    atg_buf_printf(w->buf, "[[[Family %u ]]]\r\n", f + 1);
    key_name(w, "Name", fam->id);
    atg_buf_printf(w->buf, "[[[[Persons]]]]\r\nnPersons= %u\r\n", n);
    n = 0;
    for (uint32_t i = 0; i < ped->n; i++) {
        if (left_out(&at, (int32_t)i))
            continue;
        person_head(w, 5, ++n);
        put_member(w, &at, (int32_t)i, false);
        person_body(w, 5, ped->persons[i].sex, shown_of(w, fam, i));
    }
    line(w, "[[[[Pedigrees]]]]");
    line(w, "nPedigrees= 2");
    for (int k = 1; k <= 2; k++) {
        atg_buf_printf(w->buf, "[[[[[Pedigree %d]]]]]\r\n", k);
        key_name(w, "Name", k == 1 ? ATG_STR("Reference pedigree") : fam->id);
        write_relations(w, &at);
    }
    return ATG_OK;
}

int atg_familias_write(const atg_operation *op, const char *recipient, atg_buf *buf, atg_err *err) {
    writer w = {op, recipient, buf, err};
    int rc = atg_operation_check(op, err);

    if (rc)
        return rc;
    line(&w, "\"Output from Familias, version 3.3.1\"");
    line(&w, "\"Written by Antigone\"");
    line(&w, "3.3.1 (DVI)");
    quoted(&w, op->name);
    atg_buf_adds(buf, "0\r\n\"Known relations\"\r\n0\r\n0\r\n0\r\n0\r\n");
    rc = write_database(&w);
    if (rc)
        return rc;
    write_remains(&w);
    atg_buf_printf(buf, "[[Reference Families]]\r\nnFamilies= %u\r\n", op->n_families);
    for (uint32_t f = 0; f < op->n_families && !rc; f++)
        rc = write_family(&w, f);
    if (rc)
        return rc;
    atg_buf_printf(buf, "[Prior]\r\nUseList= Yes\r\nSize= %u\r\n", op->n_missing);
    line(&w, "[Advanced]\r\n[[Direct/Identity]]\r\nDropin= 0\r\nDropout= 0\r\nError= 0");
    line(&w, "[[Other]]\r\nNumberOfDecimals= 10");
    line(&w, "[[DVI]]\r\nQuickSearch= Enabled\r\nAllowedMismatches= 5");
    line(&w, "[[Simulation]]\r\nSaveGenotypes= Disabled\r\nSaveComplete= Enabled");
    line(&w, "ForceMAF= Disabled");
    return ATG_OK;
}
