/* SPDX-License-Identifier: Apache-2.0 */
#include <antigone/formats.h>

#include "formats/opwords.h"
#include "formats/opwrite.h"

/* What is written, and for whom. */
typedef struct out {
    json j;
    const atg_operation *op;
    const char *recipient; /* NULL: the working file */
} out;

static void write_num_unless_0(json *j, const char *key, double x) {
    if (x != 0) {
        json_key(j, key);
        json_num(j, x);
    }
}

static void write_text_unless_empty(json *j, const char *key, atg_str s) {
    if (s.n) {
        json_key(j, key);
        json_str(j, s);
    }
}

static void write_true(json *j, const char *key, bool x) {
    if (x) {
        json_key(j, key);
        json_bool(j, true);
    }
}

static void write_sex(json *j, atg_sex sex) {
    json_key(j, "sex");
    json_text(j, sex == ATG_SEX_MALE ? "M" : sex == ATG_SEX_FEMALE ? "F" : "U");
}

static void write_matrix(json *j, const atg_mutation *mut, uint16_t n) {
    if (!mut->matrix)
        return;
    json_key(j, "matrix");
    json_begin_array(j);
    for (uint16_t r = 0; r < n; r++) {
        json_array_line(j);
        for (uint16_t c = 0; c < n; c++)
            json_num(j, mut->matrix[(size_t)r * n + c]);
        json_end(j, ']');
    }
    json_end(j, ']');
}

static void write_model(json *j, const char *key, const atg_mutation *mut, uint16_t n) {
    json_key(j, key);
    if (mut->matrix)
        json_begin_object(j);
    else
        json_object_line(j);
    json_key(j, "model");
    json_text(j, opwords_models[mut->model]);
    json_key(j, "rate");
    json_num(j, mut->rate);
    write_num_unless_0(j, "rate2", mut->rate2);
    write_num_unless_0(j, "range", mut->range);
    if (mut->transform != ATG_MUT_AS_IS) {
        json_key(j, "transform");
        json_text(j, opwords_transforms[mut->transform]);
    }
    write_matrix(j, mut, n);
    json_end(j, '}');
}

static bool no_mutation(const atg_mutation *m) {
    return m->model == ATG_MUT_NONE && m->transform == ATG_MUT_AS_IS && m->rate == 0 &&
           m->rate2 == 0 && m->range == 0;
}

static void write_marker(out *o, const atg_marker *m) {
    json *j = &o->j;

    json_begin_object(j);
    json_key(j, "name");
    json_str(j, m->name);
    json_key(j, "chrom");
    json_text(j, opwords_chroms[m->chrom]);
    json_key(j, "alleles");
    json_array_line(j);
    for (uint16_t i = 0; i < m->n; i++)
        json_str(j, m->labels[i]);
    json_end(j, ']');
    json_key(j, "freqs");
    json_array_line(j);
    for (uint16_t i = 0; i < m->n; i++)
        json_num(j, m->freqs[i]);
    json_end(j, ']');
    if (m->silent >= 0)
        write_text_unless_empty(j, "silent", m->labels[m->silent]);
    json_key(j, "mutation");
    if (no_mutation(&m->female) && no_mutation(&m->male)) {
        json_none(j);
    } else {
        json_begin_object(j);
        write_model(j, "female", &m->female, m->n);
        write_model(j, "male", &m->male, m->n);
        json_end(j, '}');
    }
    if (m->linkage_group) {
        json_key(j, "linkage_group");
        json_int(j, m->linkage_group);
    }
    if (m->linked_to >= 0) {
        write_text_unless_empty(j, "linked_to", o->op->markers[m->linked_to].name);
        json_key(j, "rho");
        json_num(j, m->rho);
    }
    json_end(j, '}');
}

void opwrite_genotypes(json *j, const atg_operation *op, const atg_geno *genos) {
    json_object_line(j);
    for (uint32_t m = 0; genos && m < op->n_markers; m++) {
        const atg_marker *marker = &op->markers[m];

        if (!atg_geno_typed(genos[m]))
            continue;
        json_key_str(j, marker->name);
        json_array_line(j);
        json_str(j, marker->labels[genos[m].a]);
        json_str(j, genos[m].b >= 0 ? marker->labels[genos[m].b] : ATG_STR("-"));
        json_end(j, ']');
    }
    json_end(j, '}');
}

void opwrite_mt(json *j, const atg_mt *mt) {
    json_object_line(j);
    json_key(j, "ranges");
    json_array_line(j);
    for (uint32_t i = 0; i < mt->n_ranges; i++) {
        json_array_line(j);
        json_int(j, mt->ranges[i].from);
        json_int(j, mt->ranges[i].to);
        json_end(j, ']');
    }
    json_end(j, ']');
    json_key(j, "differences");
    json_array_line(j);
    for (uint32_t i = 0; i < mt->n_diffs; i++)
        json_str(j, mt->diffs[i]);
    json_end(j, ']');
    json_end(j, '}');
}

static void write_genotypes(out *o, const atg_geno *genos) {
    json_key(&o->j, "genotypes");
    opwrite_genotypes(&o->j, o->op, genos);
}

static void write_mt(json *j, const atg_mt *mt) {
    if (mt->n_ranges == 0)
        return;
    json_key(j, "mt");
    opwrite_mt(j, mt);
}

static void write_samples(out *o, const char *key, uint32_t n, const atg_sample *samples) {
    json *j = &o->j;

    json_key(j, key);
    json_begin_array(j);
    for (uint32_t i = 0; i < n; i++) {
        const atg_sample *s = &samples[i];

        json_object_line(j);
        json_key(j, "id");
        json_str(j, s->id);
        write_text_unless_empty(j, "body", s->body);
        write_sex(j, s->sex);
        write_true(j, "part", s->part);
        write_true(j, "mixture", s->mixture);
        write_num_unless_0(j, "dropout", s->dropout);
        write_num_unless_0(j, "dropin", s->dropin);
        write_genotypes(o, s->genos);
        write_mt(j, &s->mt);
        json_end(j, '}');
    }
    json_end(j, ']');
}

/* What is from the missing person is no relative's: it goes where the remains go. */
static void write_owns(out *o, const atg_person *p) {
    json *j = &o->j;

    if (p->n_own == 0)
        return;
    json_key(j, "own");
    json_begin_array(j);
    for (uint32_t i = 0; i < p->n_own; i++) {
        const atg_own *own = &p->own[i];

        json_object_line(j);
        json_key(j, "id");
        json_str(j, own->id);
        write_num_unless_0(j, "dropout", own->dropout);
        write_num_unless_0(j, "dropin", own->dropin);
        write_genotypes(o, own->genos);
        write_mt(j, &own->mt);
        json_end(j, '}');
    }
    json_end(j, ']');
}

static void write_member(out *o, const atg_family *fam, uint32_t i, const atg_missing *missing) {
    json *j = &o->j;
    const atg_person *p = &fam->ped.persons[i];
    bool may = atg_consent_given(fam, i, o->recipient);

    json_object_line(j);
    json_key(j, "id");
    json_str(j, p->id);
    if (p->father >= 0) {
        json_key(j, "father");
        json_str(j, fam->ped.persons[p->father].id);
        json_key(j, "mother");
        json_str(j, fam->ped.persons[p->mother].id);
    }
    write_sex(j, p->sex);
    write_true(j, "implicit", p->implicit);
    if (missing)
        write_text_unless_empty(j, "missing", missing->id);
    write_num_unless_0(j, "inbreeding", p->inbreeding);
    if (may && p->genos) {
        write_num_unless_0(j, "dropout", p->dropout);
        write_num_unless_0(j, "dropin", p->dropin);
        write_genotypes(o, p->genos);
    }
    if (may)
        write_mt(j, &p->mt);
    write_owns(o, p);
    json_end(j, '}');
}

static void write_consents(out *o, const atg_family *fam) {
    json *j = &o->j;
    bool any = false;

    for (uint32_t i = 0; i < fam->n_consents; i++) {
        const atg_consent *c = &fam->consents[i];

        if (o->recipient && !atg_str_eq(c->recipient, atg_str_of(o->recipient)))
            continue;
        if (!any) {
            json_key(j, "consents");
            json_begin_array(j);
            any = true;
        }
        json_object_line(j);
        json_key(j, "person");
        json_str(j, fam->ped.persons[c->person].id);
        json_key(j, "recipient");
        json_str(j, c->recipient);
        write_text_unless_empty(j, "until", c->until);
        json_end(j, '}');
    }
    if (any)
        json_end(j, ']');
}

static void write_family(out *o, const atg_family *fam) {
    json *j = &o->j;
    const atg_missing *missing[ATG_PEDIGREE_MAX] = {NULL};

    for (uint32_t i = 0; i < fam->n_missing; i++)
        missing[o->op->missing[fam->missing[i]].person] = &o->op->missing[fam->missing[i]];
    json_begin_object(j);
    json_key(j, "id");
    json_str(j, fam->id);
    json_key(j, "members");
    json_begin_array(j);
    for (uint32_t i = 0; i < fam->ped.n; i++)
        write_member(o, fam, i, missing[i]);
    json_end(j, ']');
    write_consents(o, fam);
    json_end(j, '}');
}

static void write_given(out *o) {
    json *j = &o->j;
    atg_operation plain = *o->op;

    plain.params.prior.given = NULL;
    json_key(j, "given");
    json_begin_array(j);
    for (uint32_t s = 0; s < o->op->n_samples; s++) {
        for (uint32_t m = 0; m < o->op->n_missing; m++) {
            double odds = atg_prior_odds(o->op, s, m);

            if (odds == atg_prior_odds(&plain, s, m))
                continue;
            json_object_line(j);
            json_key(j, "remains");
            json_str(j, o->op->samples[s].id);
            json_key(j, "missing");
            json_str(j, o->op->missing[m].id);
            json_key(j, "odds");
            json_num(j, odds);
            json_end(j, '}');
        }
    }
    json_end(j, ']');
}

static void write_prior(out *o) {
    json *j = &o->j;
    const atg_prior *p = &o->op->params.prior;

    json_key(j, "prior");
    json_begin_object(j);
    json_key(j, "kind");
    json_text(j, opwords_priors[p->kind]);
    write_num_unless_0(j, "not_on_list", p->not_on_list);
    if (p->n_expected) {
        json_key(j, "n_expected");
        json_int(j, p->n_expected);
    }
    if (p->given)
        write_given(o);
    json_end(j, '}');
}

static void write_params(out *o) {
    json *j = &o->j;
    const atg_params *p = &o->op->params;

    json_key(j, "population");
    json_begin_object(j);
    json_key(j, "name");
    json_str(j, p->population);
    write_text_unless_empty(j, "source", p->source);
    if (p->n_population) {
        json_key(j, "n");
        json_int(j, p->n_population);
    }
    json_end(j, '}');
    json_key(j, "theta");
    json_num(j, p->theta);
    write_num_unless_0(j, "min_frequency", p->min_freq);
    json_key(j, "process_error");
    json_num(j, p->process_error);
    json_key(j, "threshold");
    json_num(j, p->threshold);
    json_key(j, "min_log10_lr");
    json_num(j, p->min_log10_lr);
    json_key(j, "max_incompatible");
    json_int(j, p->max_incompatible);
    write_prior(o);
}

int atg_operation_write_json(const atg_operation *op, const char *recipient, atg_buf *buf,
                             atg_err *err) {
    out o = {.j = json_new(buf), .op = op, .recipient = recipient};
    atg_str written;
    int rc = atg_operation_check(op, err);

    if (rc)
        return rc;
    if (op->params.population.n == 0)
        return atg_fail(err, ATG_EINVAL,
                        "The operation names no population; name the one its frequencies come from "
                        "before it is written");
    json_begin_object(&o.j);
    json_key(&o.j, "schema");
    json_text(&o.j, opwords_schema);
    write_text_unless_empty(&o.j, "name", op->name);
    write_params(&o);
    json_key(&o.j, "markers");
    json_begin_array(&o.j);
    for (uint32_t i = 0; i < op->n_markers; i++)
        write_marker(&o, &op->markers[i]);
    json_end(&o.j, ']');
    write_samples(&o, "remains", op->n_samples, op->samples);
    json_key(&o.j, "families");
    json_begin_array(&o.j);
    for (uint32_t i = 0; i < op->n_families; i++)
        write_family(&o, &op->families[i]);
    json_end(&o.j, ']');
    /* Staff gave their profiles to find contamination here, and to nobody else. */
    if (op->n_staff && !recipient)
        write_samples(&o, "staff", op->n_staff, op->staff);
    json_end(&o.j, '}');
    return atg_buf_take(buf, &written, err);
}
