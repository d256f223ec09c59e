/* SPDX-License-Identifier: Apache-2.0 */
#include <antigone/formats.h>

#include <stdio.h>

#include "base/csv.h"

static void field(atg_buf *buf, atg_str s) {
    atg_buf_adds(buf, ",");
    csv_write(buf, s);
}

/* "15","16"; "15","-" with one read; nothing where nothing is known. */
static void genotypes(const atg_operation *op, const atg_geno *genos, atg_buf *buf) {
    for (uint32_t i = 0; i < op->n_markers; i++) {
        const atg_marker *m = &op->markers[i];
        atg_geno g = genos ? genos[i] : ATG_UNTYPED;
        bool typed = g.a >= 0 && g.a != m->silent;

        field(buf, typed ? m->labels[g.a] : ATG_STR(""));
        field(buf, !typed                         ? ATG_STR("")
                   : g.b >= 0 && g.b != m->silent ? m->labels[g.b]
                                                  : ATG_STR("-"));
    }
    atg_buf_adds(buf, "\n");
}

static atg_str sex_word(atg_sex sex) {
    return sex == ATG_SEX_MALE ? ATG_STR("M") : sex == ATG_SEX_FEMALE ? ATG_STR("F") : ATG_STR("U");
}

/* A column "type" is there only where a row needs it. */
static bool any_own(const atg_operation *op) {
    for (uint32_t f = 0; f < op->n_families; f++)
        for (uint32_t i = 0; i < op->families[f].ped.n; i++)
            if (op->families[f].ped.persons[i].n_own)
                return true;
    return false;
}

static void header(const atg_operation *op, bool types, atg_buf *buf) {
    atg_buf_adds(buf, "id,body,sex,family,father,mother,missing");
    if (types)
        atg_buf_adds(buf, ",type");
    for (uint32_t i = 0; i < op->n_markers; i++)
        for (int k = 1; k <= 2; k++) {
            char name[ATG_LABEL_MAX + 8];

            (void)snprintf(name, sizeof(name), "%.*s.%d", ATG_FMT(op->markers[i].name), k);
            field(buf, atg_str_of(name));
        }
    atg_buf_adds(buf, "\n");
}

static void remains(const atg_operation *op, bool types, atg_buf *buf) {
    for (uint32_t i = 0; i < op->n_samples; i++) {
        const atg_sample *s = &op->samples[i];

        if (s->mixture)
            continue;
        csv_write(buf, s->id);
        field(buf, s->body);
        field(buf, sex_word(s->sex));
        atg_buf_adds(buf, types ? ",,,,," : ",,,,");
        genotypes(op, s->genos, buf);
    }
}

static atg_str missing_id(const atg_operation *op, const atg_family *fam, uint32_t person) {
    for (uint32_t i = 0; i < fam->n_missing; i++)
        if (op->missing[fam->missing[i]].person == person)
            return op->missing[fam->missing[i]].id;
    return (atg_str){"", 0};
}

static void own_samples(const atg_operation *op, const atg_family *fam, uint32_t person,
                        atg_buf *buf) {
    const atg_person *p = &fam->ped.persons[person];

    for (uint32_t k = 0; k < p->n_own; k++) {
        csv_write(buf, p->own[k].id);
        field(buf, ATG_STR(""));
        field(buf, sex_word(p->sex));
        field(buf, fam->id);
        atg_buf_adds(buf, ",,");
        field(buf, missing_id(op, fam, person));
        field(buf, ATG_STR("own sample"));
        genotypes(op, p->own[k].genos, buf);
    }
}

static void relatives(const atg_operation *op, const atg_family *fam, const char *recipient,
                      bool types, atg_buf *buf) {
    for (uint32_t i = 0; i < fam->ped.n; i++) {
        const atg_person *p = &fam->ped.persons[i];
        const int32_t parents[] = {p->father, p->mother};

        csv_write(buf, p->id);
        field(buf, ATG_STR(""));
        field(buf, sex_word(p->sex));
        field(buf, fam->id);
        for (int k = 0; k < 2; k++)
            field(buf, parents[k] < 0 ? ATG_STR("") : fam->ped.persons[parents[k]].id);
        field(buf, missing_id(op, fam, i));
        if (types)
            field(buf, ATG_STR(""));
        genotypes(op, atg_consent_given(fam, i, recipient) ? p->genos : NULL, buf);
        own_samples(op, fam, i, buf);
    }
}

int atg_table_write(const atg_operation *op, const char *recipient, atg_buf *buf, atg_err *err) {
    int rc = atg_operation_check(op, err);
    bool types;

    if (rc)
        return rc;
    types = any_own(op);
    header(op, types, buf);
    remains(op, types, buf);
    for (uint32_t f = 0; f < op->n_families; f++)
        relatives(op, &op->families[f], recipient, types, buf);
    return ATG_OK;
}
