/* SPDX-License-Identifier: Apache-2.0 */
#include "app/operation_save.h"

#include <math.h>
#include <string.h>

#include <jansson.h>

#include "app/cases_internal.h"
#include "app/operation_load.h"
#include "app/rights.h"
#include "app/rules.h"
#include "base/mem.h"
#include "crypto/hash.h"
#include "exercise/people.h"
#include "formats/opwrite.h"
#include "store/imported.h"

enum { TEXT_MAX = 4 << 20, PIECE_ARENA = 64 << 20 };

static const atg_str source = {"operation", 9};
static const atg_str not_known = {"not known", 9};
static const atg_str any_day = {"1900/2100", 9};

typedef struct saving {
    cases *c;
    const actor *who;
    const atg_operation *op;
    const save_options *o;
    const atg_progress *progress;
    atg_arena *arena; /* of the whole run */
    db *d;
    cases_batch *b;
    saved done;
    uuid *remains;  /* file of each sample */
    uuid *families; /* file of each family */
    bool *is_new;   /* of each family: its donors are to be added */
    bool *new_sample;
    uuid *missing; /* file of each missing person */
    bool *new_missing;
} saving;

static int no_memory(atg_err *err) {
    return atg_fail(err, ATG_ENOMEM, "Out of memory taking an operation in");
}

/* ---- values ---- */

static value text_value(atg_str s) {
    return (value){.known = s.n > 0, .text = s};
}

static int set_word(record *r, uint32_t f, atg_str text, atg_err *err) {
    return value_read(NULL, record_field(r->kind, f), text, &r->fields[f], err);
}

static value sex_value(atg_sex sex) {
    return (value){.known = true,
                   .choice = sex == ATG_SEX_MALE     ? SEX_MALE
                             : sex == ATG_SEX_FEMALE ? SEX_FEMALE
                                                     : SEX_UNKNOWN};
}

static value ref_value(const uuid *id) {
    return (value){.known = true, .ref = *id};
}

/* The canonical text of what a writer writes. */
typedef void write_fn(json *j, const void *what, const atg_operation *op);

static int json_value(atg_arena *arena, const atg_operation *op, write_fn *write, const void *what,
                      value *ret, atg_err *err) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(TEXT_MAX);
    json_auto_t *parsed = NULL;
    atg_str text;

    if (!buf)
        return no_memory(err);

    json j = json_new(buf);

    write(&j, what, op);

    int rc = atg_buf_take(buf, &text, err);

    if (rc)
        return rc;
    parsed = json_loadb(text.p, text.n, 0, NULL);
    if (!parsed)
        return no_memory(err);
    ret->known = true;
    return record_canonical(arena, parsed, TEXT_MAX, &ret->text, err);
}

static void write_genos(json *j, const void *what, const atg_operation *op) {
    opwrite_genotypes(j, op, what);
}

static void write_haplotype(json *j, const void *what, const atg_operation *op) {
    (void)op;
    opwrite_mt(j, what);
}

static void write_pedigree(json *j, const void *what, const atg_operation *op) {
    const atg_pedigree *ped = what;

    (void)op;
    json_begin_array(j);
    for (uint32_t i = 0; i < ped->n; i++) {
        const atg_person *p = &ped->persons[i];

        json_object_line(j);
        json_key(j, "id");
        json_str(j, p->id);
        json_key(j, "sex");
        json_text(j, p->sex == ATG_SEX_MALE ? "M" : p->sex == ATG_SEX_FEMALE ? "F" : "U");
        if (p->father >= 0) {
            json_key(j, "father");
            json_str(j, ped->persons[p->father].id);
            json_key(j, "mother");
            json_str(j, ped->persons[p->mother].id);
        }
        if (p->inbreeding > 0) {
            json_key(j, "inbreeding");
            json_num(j, p->inbreeding);
        }
        if (p->implicit) {
            json_key(j, "implicit");
            json_bool(j, true);
        }
        json_end(j, '}');
    }
    json_end(j, ']');
}

/* ---- once only ---- */

/* What a thing is called in the table of what came in, and which file it is, if it did. */
typedef struct known {
    atg_str line;
    uuid file;
    bool is; /* it came in before */
} known;

static int find_known(saving *s, atg_arena *arena, const char *what, atg_str id, known *ret,
                      atg_err *err) {
    imported_row row;
    int rc;

    ret->line = atg_arena_printf(arena, "%s/%.*s", what, ATG_FMT(id));
    if (!ret->line.p)
        return no_memory(err);
    rc = imported_get(s->d, &s->done.operation, source, ret->line, &row, err);
    ret->is = rc == ATG_OK;
    if (ret->is) {
        ret->file = row.record;
        s->done.known++;
    }
    return rc == ATG_ENOTFOUND ? ATG_OK : rc;
}

static int add(saving *s, record *r, atg_err *err) {
    change ch = {CHANGE_ADD, r};

    return cases_apply(s->b, &ch, err);
}

/* Add a file and remember under which name it came. */
static int add_known(saving *s, record *r, atg_str line, atg_err *err) {
    int rc = add(s, r, err);

    return rc ? rc
              : imported_put(s->d, &s->done.operation, source, line,
                             &(imported_row){r->id, r->rev, hash_of(line, NULL)}, err);
}

static record *new_record(const saving *s, atg_arena *arena, record_kind kind, const uuid *file) {
    record *r = record_new(arena, kind);

    if (r) {
        r->operation = s->done.operation;
        if (file)
            r->file = *file;
    }
    return r;
}

/* ---- the operation ---- */

static int write_head(const atg_operation *op, atg_arena *arena, value *dna, value *prior,
                      atg_err *err) {
    atg_str text;
    int rc = operation_head(op, arena, &text, err);

    if (rc)
        return rc;

    json_auto_t *head = json_loadb(text.p, text.n, 0, NULL);
    static const char *const elsewhere[] = {"schema", "name",      "remains",     "families",
                                            "staff",  "threshold", "min_log10_lr"};

    if (!head)
        return no_memory(err);
    if (json_object_get(head, "prior")) {
        prior->known = true;
        rc = record_canonical(arena, json_object_get(head, "prior"), TEXT_MAX, &prior->text, err);
        (void)json_object_del(head, "prior");
    }
    for (size_t i = 0; i < sizeof(elsewhere) / sizeof(*elsewhere); i++)
        (void)json_object_del(head, elsewhere[i]);
    dna->known = true;
    return rc ? rc : record_canonical(arena, head, TEXT_MAX, &dna->text, err);
}

/* What the operation computes with, and (on request) who signs for it. */
static int set_head(saving *s, record *r, atg_err *err) {
    const atg_params *p = &s->op->params;
    int rc =
        write_head(s->op, s->arena, &r->fields[OPERATION_DNA], &r->fields[OPERATION_PRIOR], err);

    if (rc)
        return rc;
    r->fields[OPERATION_THRESHOLD] = (value){.known = true, .number = p->threshold};
    r->fields[OPERATION_MIN_LOG10_LR] =
        (value){.known = true, .number = fmax(p->min_log10_lr, rules_least_log10_lr)};
    if (!r->fields[OPERATION_PRIOR].known)
        r->fields[OPERATION_PRIOR] = text_value(ATG_STR("{\"kind\":\"flat\"}"));
    r->fields[OPERATION_SIGNED_BY] = (value){.known = s->o->sign, .ref = s->who->account};
    return ATG_OK;
}

/* An operation that is there and does not say yet what it computes with learns it. */
static int complete_operation(saving *s, atg_err *err) {
    record_row row;
    change ch = {.what = CHANGE_EDIT};
    int rc = records_get(s->d, cases_keys(s->c), s->arena, RECORD_OPERATION, &s->o->operation, &row,
                         err);

    if (rc || row.r->fields[OPERATION_DNA].known)
        return rc;
    ch.r = row.r;
    rc = set_head(s, row.r, err);
    return rc ? rc : cases_apply(s->b, &ch, err);
}

static int save_operation(saving *s, atg_err *err) {
    record *r = record_new(s->arena, RECORD_OPERATION);
    atg_str name = s->o->name.n ? s->o->name : s->op->name;
    int rc;

    s->done.operation = s->o->operation;
    if (!uuid_none(&s->done.operation))
        return complete_operation(s, err);
    if (!r)
        return no_memory(err);
    r->fields[OPERATION_NAME] = text_value(name.n ? name : ATG_STR("Operation without a name"));
    rc = set_word(r, OPERATION_KIND,
                  s->op->params.prior.kind == ATG_PRIOR_OPEN ? ATG_STR("open") : ATG_STR("closed"),
                  err);
    if (!rc)
        rc = set_head(s, r, err);
    if (!rc)
        rc = add(s, r, err);
    s->done.operation = r->id;
    return rc;
}

/* ---- files ---- */

static int save_remains(saving *s, atg_arena *arena, uint32_t i, atg_err *err) {
    const atg_sample *sample = &s->op->samples[i];
    record *r = new_record(s, arena, RECORD_REMAINS, NULL);
    known k = {.is = false};
    int rc = r ? find_known(s, arena, "remains", sample->id, &k, err) : no_memory(err);

    s->remains[i] = k.file;
    if (rc || k.is)
        return rc;
    s->new_sample[i] = true;
    r->fields[REMAINS_TAG] = text_value(sample->id);
    r->fields[REMAINS_FOUND_ON] = text_value(any_day);
    r->fields[REMAINS_FOUND_PLACE] = text_value(not_known);
    r->fields[REMAINS_SEX] = sex_value(sample->sex);
    r->fields[REMAINS_AGE] = (value){.known = true, .range = {0, 130}};
    r->fields[REMAINS_RECOVERED_BY] = text_value(not_known);
    rc = set_word(r, REMAINS_WHAT, sample->part ? ATG_STR("part") : ATG_STR("body"), err);
    if (!rc)
        rc = set_word(r, REMAINS_CONDITION, ATG_STR("other"), err);
    for (uint32_t o = 0; o < i && sample->body.n && !r->fields[REMAINS_PART_OF].known; o++)
        if (atg_str_eq(s->op->samples[o].body, sample->body))
            r->fields[REMAINS_PART_OF] = ref_value(&s->remains[o]);
    if (!rc)
        rc = add_known(s, r, k.line, err);
    s->remains[i] = r->id;
    s->done.remains++;
    return rc;
}

static int save_family(saving *s, atg_arena *arena, uint32_t i, atg_err *err) {
    const atg_family *family = &s->op->families[i];
    record *r = new_record(s, arena, RECORD_FAMILY, NULL);
    known k = {.is = false};
    int rc = r ? find_known(s, arena, "family", family->id, &k, err) : no_memory(err);

    s->families[i] = k.file;
    if (rc || k.is)
        return rc;
    s->is_new[i] = true;
    r->fields[FAMILY_LABEL] = text_value(family->id);
    rc = json_value(arena, s->op, write_pedigree, &family->ped, &r->fields[FAMILY_PEDIGREE], err);
    if (!rc)
        rc = add_known(s, r, k.line, err);
    s->families[i] = r->id;
    s->done.families++;
    return rc;
}

/* What nobody told is said to be unknown, so that the file is valid and can be completed. */
static void fill_missing(record *r, const atg_missing *missing) {
    static const uint32_t texts[] = {MISSING_GIVEN_NAME, MISSING_LAST_PLACE, MISSING_INFORMANT_NAME,
                                     MISSING_INFORMANT_CONTACT};
    value *f = r->fields;

    if (!f[MISSING_FAMILY_NAME].known)
        f[MISSING_FAMILY_NAME] = text_value(missing->id);
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        if (!f[texts[i]].known)
            f[texts[i]] = text_value(not_known);
    if (!f[MISSING_BORN].known)
        f[MISSING_BORN] = text_value(any_day);
    if (!f[MISSING_LAST_SEEN].known)
        f[MISSING_LAST_SEEN] = text_value(any_day);
}

static int set_text(atg_arena *arena, record *r, uint32_t f, const char *text, atg_err *err) {
    atg_str copy = atg_arena_str(arena, atg_str_of(text));

    return copy.p ? value_read(arena, record_field(r->kind, f), copy, &r->fields[f], err)
                  : no_memory(err);
}

/* Exercises: what a family would tell. */
static int invent(const saving *s, atg_arena *arena, uint32_t i, record *r, atg_err *err) {
    const atg_missing *missing = &s->op->missing[i];
    made_person p;

    people_make(s->o->seed, missing->family, i,
                s->op->families[missing->family].ped.persons[missing->person].sex, &p);

    const struct {
        uint32_t field;
        const char *text;
    } told[] = {{MISSING_FAMILY_NAME, p.family},
                {MISSING_GIVEN_NAME, p.given},
                {MISSING_BORN, p.born},
                {MISSING_LAST_SEEN, PEOPLE_LAST_SEEN},
                {MISSING_LAST_PLACE, p.last_place},
                {MISSING_INFORMANT_NAME, p.informant},
                {MISSING_INFORMANT_CONTACT, p.contact},
                {MISSING_HAIR, p.hair},
                {MISSING_EYES, p.eyes},
                {MISSING_CLOTHING, p.clothing}};
    int rc = ATG_OK;

    for (size_t k = 0; k < sizeof(told) / sizeof(*told) && !rc; k++)
        rc = set_text(arena, r, told[k].field, told[k].text, err);
    r->fields[MISSING_STATURE] = (value){.known = true, .range = {p.stature - 3, p.stature + 3}};
    return rc;
}

static int save_missing(saving *s, atg_arena *arena, uint32_t i, atg_err *err) {
    const atg_missing *missing = &s->op->missing[i];
    const atg_person *person = &s->op->families[missing->family].ped.persons[missing->person];
    record *r = new_record(s, arena, RECORD_MISSING, NULL);
    known k = {.is = false};
    int rc = r ? find_known(s, arena, "missing", missing->id, &k, err) : no_memory(err);

    if (rc || k.is)
        return rc;
    r->fields[MISSING_SEX] = sex_value(person->sex);
    r->fields[MISSING_FAMILY] = ref_value(&s->families[missing->family]);
    r->fields[MISSING_MEMBER] = text_value(person->id);
    r->fields[MISSING_EXTERNAL] = text_value(missing->id);
    if (s->o->invent)
        rc = invent(s, arena, i, r, err);
    if (!rc) {
        fill_missing(r, missing);
        rc = add_known(s, r, k.line, err);
    }
    s->missing[i] = r->id;
    s->new_missing[i] = true;
    s->done.missing++;
    return rc;
}

/* ---- profiles ---- */

typedef struct typed {
    const uuid *file;
    const uuid *donor; /* or NULL */
    const atg_geno *genos;
    const atg_mt *mt;
    double dropout, dropin;
    bool mixture;
    const char *what; /* the sample is */
    atg_str label;
} typed;

static int save_sample(saving *s, atg_arena *arena, const typed *t, uuid *ret, atg_err *err) {
    record *r = new_record(s, arena, RECORD_SAMPLE, t->file);

    if (!r)
        return no_memory(err);
    r->fields[SAMPLE_LABEL] = text_value(t->label);
    r->fields[SAMPLE_TAKEN_ON] = text_value(any_day);
    if (t->donor)
        r->fields[SAMPLE_DONOR] = ref_value(t->donor);

    int rc = set_word(r, SAMPLE_WHAT, atg_str_of(t->what), err);

    if (!rc)
        rc = add(s, r, err);
    *ret = r->id;
    return rc;
}

static int save_profile(saving *s, atg_arena *arena, const typed *t, const uuid *sample, bool mt,
                        atg_err *err) {
    record *r = new_record(s, arena, RECORD_PROFILE, t->file);

    if (!r)
        return no_memory(err);

    value *f = r->fields;
    int rc = set_word(r, PROFILE_KIND, mt ? ATG_STR("mtdna") : ATG_STR("autosomal"), err);

    f[PROFILE_SAMPLE] = ref_value(sample);
    if (t->donor)
        f[PROFILE_DONOR] = ref_value(t->donor);
    f[PROFILE_DROPOUT] = (value){.known = t->dropout > 0, .number = t->dropout};
    f[PROFILE_DROPIN] = (value){.known = t->dropin > 0, .number = t->dropin};
    f[PROFILE_MIXTURE] = (value){.known = t->mixture, .flag = t->mixture};
    if (!rc)
        rc = mt ? json_value(arena, s->op, write_haplotype, t->mt, &f[PROFILE_GENOTYPES], err)
                : json_value(arena, s->op, write_genos, t->genos, &f[PROFILE_GENOTYPES], err);
    if (!rc)
        rc = add(s, r, err);
    s->done.profiles++;
    return rc;
}

static int save_typed(saving *s, atg_arena *arena, const typed *t, atg_err *err) {
    bool any = false;
    uuid sample;
    int rc;

    for (uint32_t m = 0; t->genos && m < s->op->n_markers; m++)
        any |= atg_geno_typed(t->genos[m]);
    if (!any && !t->mt->n_ranges)
        return ATG_OK;
    rc = save_sample(s, arena, t, &sample, err);
    if (!rc && any)
        rc = save_profile(s, arena, t, &sample, false, err);
    if (!rc && t->mt->n_ranges)
        rc = save_profile(s, arena, t, &sample, true, err);
    return rc;
}

static int save_remains_profile(saving *s, atg_arena *arena, uint32_t i, atg_err *err) {
    const atg_sample *sample = &s->op->samples[i];

    return s->new_sample[i] ? save_typed(s, arena,
                                         &(typed){.file = &s->remains[i],
                                                  .genos = sample->genos,
                                                  .mt = &sample->mt,
                                                  .dropout = sample->dropout,
                                                  .dropin = sample->dropin,
                                                  .mixture = sample->mixture,
                                                  .what = "other",
                                                  .label = sample->id},
                                         err)
                            : ATG_OK;
}

static int save_donor(saving *s, atg_arena *arena, uint32_t family, uint32_t person, uuid *ret,
                      atg_err *err) {
    const atg_person *p = &s->op->families[family].ped.persons[person];
    record *r = new_record(s, arena, RECORD_DONOR, &s->families[family]);

    if (!r)
        return no_memory(err);
    r->fields[DONOR_LABEL] = text_value(p->id);
    r->fields[DONOR_AGREED_ON] = text_value(s->o->agreed_on);
    r->fields[DONOR_ENDS_ON] = text_value(s->o->ends_on);

    int basis = record_field_of(RECORD_DONOR, ATG_STR("basis"));
    int rc = set_word(r, DONOR_USES, ATG_STR("this_operation"), err);

    if (!rc && s->o->basis.n)
        rc = set_word(r, (uint32_t)basis, s->o->basis, err);
    if (!rc)
        rc = add(s, r, err);
    *ret = r->id;
    return rc;
}

static int save_donors(saving *s, atg_arena *arena, uint32_t i, atg_err *err) {
    const atg_family *family = &s->op->families[i];
    int rc = ATG_OK;

    for (uint32_t k = 0; k < family->ped.n && s->is_new[i] && !rc; k++) {
        const atg_person *p = &family->ped.persons[k];
        uuid donor;

        if (!p->genos && !p->mt.n_ranges)
            continue;
        rc = save_donor(s, arena, i, k, &donor, err);
        if (!rc)
            rc = save_typed(s, arena,
                            &(typed){.file = &s->families[i],
                                     .donor = &donor,
                                     .genos = p->genos,
                                     .mt = &p->mt,
                                     .dropout = p->dropout,
                                     .dropin = p->dropin,
                                     .what = "buccal",
                                     .label = p->id},
                            err);
    }
    return rc;
}

/* What is from a missing person stands in that person's file, and no donor gave it. */
static int save_owns(saving *s, atg_arena *arena, uint32_t i, atg_err *err) {
    const atg_missing *missing = &s->op->missing[i];
    const atg_person *p = &s->op->families[missing->family].ped.persons[missing->person];
    int rc = ATG_OK;

    for (uint32_t k = 0; k < p->n_own && s->new_missing[i] && !rc; k++)
        rc = save_typed(s, arena,
                        &(typed){.file = &s->missing[i],
                                 .genos = p->own[k].genos,
                                 .mt = &p->own[k].mt,
                                 .dropout = p->own[k].dropout,
                                 .dropin = p->own[k].dropin,
                                 .what = "personal_item",
                                 .label = p->own[k].id},
                        err);
    return rc;
}

/* ---- all ---- */

typedef int piece_fn(saving *s, atg_arena *arena, uint32_t i, atg_err *err);

static int each(saving *s, const char *phase, uint32_t n, piece_fn *fn, atg_err *err) {
    for (uint32_t i = 0; i < n; i++) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(PIECE_ARENA);
        int rc = arena ? fn(s, arena, i, err) : no_memory(err);

        if (rc)
            return rc;
        if (s->progress && s->progress->step && i % 64 == 0 &&
            !s->progress->step(s->progress->user, phase, i, n))
            return atg_fail(err, ATG_ECANCEL, "Stopped on request");
    }
    return ATG_OK;
}

static int save(db *d, void *user, atg_err *err) {
    saving *s = user;
    const atg_operation *op = s->op;
    size_t refused = mem_refused();

    s->d = d;
    s->done = (saved){0};
    s->remains = ATG_GET(s->arena, uuid, op->n_samples + 1);
    s->families = ATG_GET(s->arena, uuid, op->n_families + 1);
    s->is_new = ATG_GET(s->arena, bool, op->n_families + 1);
    s->new_sample = ATG_GET(s->arena, bool, op->n_samples + 1);
    s->missing = ATG_GET(s->arena, uuid, op->n_missing + 1);
    s->new_missing = ATG_GET(s->arena, bool, op->n_missing + 1);
    if (!s->remains || !s->families || !s->is_new || !s->new_sample || !s->missing ||
        !s->new_missing)
        return no_memory(err);

    int rc = cases_batch_new(s->c, d, s->who, s->arena, &s->b, err);

    if (!rc)
        rc = save_operation(s, err);
    if (!rc)
        rc = each(s, "remains", op->n_samples, save_remains, err);
    if (!rc)
        rc = each(s, "families", op->n_families, save_family, err);
    if (!rc)
        rc = each(s, "missing", op->n_missing, save_missing, err);
    if (!rc)
        rc = each(s, "profiles", op->n_samples, save_remains_profile, err);
    if (!rc)
        rc = each(s, "donors", op->n_families, save_donors, err);
    if (!rc)
        rc = each(s, "own samples", op->n_missing, save_owns, err);
    if (!rc)
        rc = cases_batch_end(s->b, err);
    return rc || mem_refused() == refused ? rc : no_memory(err);
}

int operation_save(cases *c, const actor *who, const atg_operation *op, const save_options *o,
                   const atg_progress *progress, saved *ret, atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new((size_t)4 << 30);
    saving s = {.c = c, .who = who, .op = op, .o = o, .progress = progress, .arena = arena};

    if (!arena)
        return no_memory(err);

    int rc = store_write(cases_store(c), save, &s, err);

    if (!rc)
        *ret = s.done;
    return rc;
}

typedef struct asking {
    const actor *who;
    const uuid *operation;
} asking;

static int check_right(db *d, void *user, atg_err *err) {
    const asking *w = user;
    uint32_t roles = 0;
    int rc = cases_roles(d, w->who, w->operation, &roles, err);

    return rc ? rc : rights_action(roles, ACTION_IMPORT, -1, -1, err);
}

int operation_save_check(cases *c, const actor *who, const uuid *operation, atg_err *err) {
    asking w = {who, operation};

    return store_read(cases_store(c), check_right, &w, err);
}
