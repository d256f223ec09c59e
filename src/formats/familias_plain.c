/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "formats/familias.h"

/* A genotype by number: alleles and marker count from 0 in the database that comes later. */
typedef struct plain_call {
    uint32_t a, b, marker, line;
} plain_call;

typedef struct plain_person {
    atg_str name;
    uint32_t line, n_calls;
    plain_call *calls;
    atg_sex sex;
    bool dropout; /* "Consider dropouts" */
} plain_person;

typedef struct plain_relation {
    uint32_t parent, child, line;
} plain_relation;

typedef struct plain_pedigree {
    atg_str name;
    uint32_t line, n_women, n_men, n; /* women and men without a name come behind the persons */
    plain_relation *relations;
} plain_pedigree;

struct fam_plain {
    uint32_t n_persons, n_pedigrees;
    plain_person *persons;
    plain_pedigree common; /* relations of every pedigree */
    plain_pedigree *pedigrees;
};

uint32_t fam_plain_persons(const fam_plain *plain) {
    return plain->n_persons;
}

static int take_calls(fam_file *f, plain_person *p) {
    static const uint32_t most = ATG_ALLELES_MAX;
    int rc = fam_take_count(f, "the number of genotypes", ATG_MARKERS_MAX, &p->n_calls);

    if (rc || p->n_calls == 0)
        return rc;
    p->calls = ATG_GET(f->arena, plain_call, p->n_calls);
    if (!p->calls)
        return fam_nomem(f);
    for (uint32_t i = 0; i < p->n_calls && !rc; i++) {
        plain_call *c = &p->calls[i];

        c->line = f->lines.line;
        rc = fam_take_count(f, "the number of an allele", most, &c->a);
        if (!rc)
            rc = fam_take_count(f, "the number of an allele", most, &c->b);
        if (!rc)
            rc = fam_take_count(f, "the number of a marker", ATG_MARKERS_MAX, &c->marker);
    }
    return rc;
}

/* Name, child or not, year of birth, fertile or not, sex, genotypes. */
static int take_person(fam_file *f, plain_person *p) {
    bool flag, male = false;
    int rc;

    p->line = f->lines.line;
    rc = fam_take_name(f, "the name of a person", &p->name);
    if (!rc)
        rc = fam_take_flag(f, "the mark of a child", &flag);
    if (!rc && f->end)
        rc = fam_fail(f, ATG_EPARSE, "The file ends inside a person; export it again");
    if (rc)
        return rc;
    p->dropout = f->text.n && memmem(f->text.p, f->text.n, "Consider dropouts", 17);
    fam_next(f);
    rc = fam_take_flag(f, "the mark of a person without children", &flag);
    if (!rc)
        rc = fam_take_flag(f, "the mark of a man", &male);
    p->sex = male ? ATG_SEX_MALE : ATG_SEX_FEMALE;
    return rc ? rc : take_calls(f, p);
}

static int take_relations(fam_file *f, uint32_t n_persons, plain_pedigree *ped) {
    int rc = fam_take_count(f, "the number of extra women", ATG_PEDIGREE_MAX, &ped->n_women);

    if (!rc)
        rc = fam_take_count(f, "the number of extra men", ATG_PEDIGREE_MAX, &ped->n_men);
    if (!rc)
        rc = fam_take_count(f, "the number of relations", UINT32_MAX, &ped->n);
    if (rc || ped->n == 0)
        return rc;
    ped->relations = ATG_GET(f->arena, plain_relation, ped->n);
    if (!ped->relations)
        return fam_nomem(f);
    for (uint32_t i = 0; i < ped->n; i++) {
        plain_relation *r = &ped->relations[i];

        r->line = f->lines.line;
        if (f->text.n && memmem(f->text.p, f->text.n, "Direct", 6))
            return fam_fail(f, ATG_EPARSE,
                            "This relation says that two persons are one (a direct "
                            "match or twins), which a pedigree here cannot hold; "
                            "remove it");
        rc = fam_take_count(f, "the number of a parent", UINT32_MAX, &r->parent);
        if (!rc)
            rc = fam_take_count(f, "the number of a child", UINT32_MAX, &r->child);
        if (rc)
            return rc;
        if (r->parent >= n_persons + ped->n_women + ped->n_men ||
            r->child >= n_persons + ped->n_women + ped->n_men)
            return atg_fail_at(f->err, ATG_EPARSE, r->line, 1,
                               "This relation names person %u; the pedigree has %u",
                               (r->parent > r->child ? r->parent : r->child) + 1,
                               n_persons + ped->n_women + ped->n_men);
    }
    return ATG_OK;
}

static int take_pedigrees(fam_file *f, fam_plain *plain) {
    uint32_t number;
    int rc = fam_take_count(f, "the number of pedigrees", UINT32_MAX, &plain->n_pedigrees);

    if (rc || plain->n_pedigrees == 0)
        return rc;
    plain->pedigrees = ATG_GET(f->arena, plain_pedigree, plain->n_pedigrees);
    if (!plain->pedigrees)
        return fam_nomem(f);
    for (uint32_t i = 0; i < plain->n_pedigrees && !rc; i++) {
        plain_pedigree *ped = &plain->pedigrees[i];

        rc = fam_take_count(f, "the number of a pedigree", UINT32_MAX, &number);
        ped->line = f->lines.line;
        if (!rc)
            rc = fam_take_name(f, "the name of a pedigree", &ped->name);
        if (!rc)
            rc = take_relations(f, plain->n_persons + plain->common.n_women + plain->common.n_men,
                                ped);
    }
    return rc;
}

int fam_read_plain(fam_file *f, fam_plain **ret) {
    fam_plain *plain = ATG_GET(f->arena, fam_plain, 1);
    int rc;

    if (!plain)
        return fam_nomem(f);
    rc = fam_take_count(f, "the number of persons", UINT32_MAX, &plain->n_persons);
    if (!rc && plain->n_persons) {
        plain->persons = ATG_GET(f->arena, plain_person, plain->n_persons);
        if (!plain->persons)
            return fam_nomem(f);
    }
    for (uint32_t i = 0; i < plain->n_persons && !rc; i++)
        rc = take_person(f, &plain->persons[i]);
    if (!rc && !atg_str_eq(f->text, ATG_STR("Known relations")))
        rc = fam_fail(f, ATG_EPARSE, "Expected the line \"Known relations\" here");
    if (rc)
        return rc;
    fam_next(f);
    rc = take_relations(f, plain->n_persons, &plain->common);
    if (!rc)
        rc = take_pedigrees(f, plain);
    if (!rc)
        *ret = plain;
    return rc;
}

static int genotype(fam_file *f, const plain_person *p, const plain_call *c, fam_person *to) {
    const fam_marker *m = c->marker < f->n_markers ? &f->markers[c->marker] : NULL;
    atg_geno g;
    int rc;

    if (!m || c->a >= m->n_alleles || c->b >= m->n_alleles)
        return atg_fail(f->err, ATG_EPARSE,
                        "A genotype of %.*s names a marker or an allele that the database lacks",
                        ATG_FMT(p->name));
    if (atg_geno_typed(to->genos[c->marker]))
        return atg_fail(f->err, ATG_EPARSE, "%.*s has two genotypes at %.*s", ATG_FMT(p->name),
                        ATG_FMT(f->set->drafts[c->marker]->m.name));
    rc = fam_find_allele(f, c->marker, m->alleles[c->a], p->name, &g.a);
    if (!rc)
        rc = fam_find_allele(f, c->marker, m->alleles[c->b], p->name, &g.b);
    if (rc)
        return rc;
    to->genos[c->marker] = g;
    if (p->dropout && m->dropout > to->dropout)
        to->dropout = m->dropout;
    return ATG_OK;
}

static int genotypes(fam_file *f, const plain_person *p, fam_person *to) {
    int rc = ATG_OK;

    to->genos = ATG_GET(f->arena, atg_geno, f->n_markers + 1);
    if (!to->genos)
        return fam_nomem(f);
    for (uint32_t i = 0; i < f->n_markers; i++)
        to->genos[i] = ATG_UNTYPED;
    for (uint32_t i = 0; i < p->n_calls && !rc; i++)
        rc = fam_at(f, p->calls[i].line, genotype(f, p, &p->calls[i], to));
    return rc;
}

/* The persons of the file as records, genotypes included. */
static int named_persons(fam_file *f, const fam_plain *plain, fam_person **ret) {
    fam_person *made = ATG_GET(f->arena, fam_person, (size_t)plain->n_persons + 1);

    if (!made)
        return fam_nomem(f);
    for (uint32_t i = 0; i < plain->n_persons; i++) {
        const plain_person *p = &plain->persons[i];

        made[i] = (fam_person){.name = p->name, .line = p->line, .sex = p->sex};
        if (p->n_calls) {
            int rc = genotypes(f, p, &made[i]);

            if (rc)
                return rc;
        }
    }
    *ret = made;
    return ATG_OK;
}

/* Everybody who may occur in a pedigree: the persons, then women and men without a name, those
 * of all pedigrees first. */
static int everybody(fam_file *f, const fam_plain *plain, const fam_person *named,
                     const plain_pedigree *ped, fam_family *fam) {
    const uint32_t counts[] = {plain->common.n_women, plain->common.n_men, ped->n_women,
                               ped->n_men};
    uint32_t n = plain->n_persons;

    fam->persons = ATG_GET(f->arena, fam_person,
                           (size_t)n + counts[0] + counts[1] + counts[2] + counts[3] + 1);
    if (!fam->persons)
        return fam_nomem(f);
    for (uint32_t i = 0; named && i < n; i++)
        fam->persons[i] = named[i];
    for (int k = 0; k < 4; k++)
        for (uint32_t i = 0; i < counts[k]; i++, n++) {
            fam->persons[n] = (fam_person){
                .name = atg_arena_printf(f->arena, "Unnamed %s %u", k % 2 ? "man" : "woman",
                                         n - plain->n_persons + 1),
                .line = ped->line,
                .sex = k % 2 ? ATG_SEX_MALE : ATG_SEX_FEMALE,
            };
            if (!fam->persons[n].name.p)
                return fam_nomem(f);
        }
    fam->n_persons = n;
    return ATG_OK;
}

/* Leave out whoever is neither typed nor related. */
static void drop_strangers(fam_family *fam, const bool *related) {
    uint32_t n = 0;

    for (uint32_t i = 0; i < fam->n_persons; i++)
        if (related[i] || fam->persons[i].genos)
            fam->persons[n++] = fam->persons[i];
    fam->n_persons = n;
}

static int family_of(fam_file *f, const fam_plain *plain, const fam_person *named,
                     const plain_pedigree *ped, fam_family *fam) {
    const plain_pedigree *parts[] = {&plain->common, ped};
    size_t n = (size_t)plain->common.n + ped->n;
    fam_pedigree *to = ATG_GET(f->arena, fam_pedigree, 1);
    fam_relation *relations = ATG_GET(f->arena, fam_relation, n + 1);
    bool *related;
    int rc;

    if (!to || !relations)
        return fam_nomem(f);
    *fam = (fam_family){.name = ped->name, .line = ped->line, .n_pedigrees = 1, .pedigrees = to};
    *to = (fam_pedigree){.name = ped->name, .line = ped->line, .relations = relations};
    rc = everybody(f, plain, named, ped, fam);
    if (rc)
        return rc;
    related = ATG_GET(f->arena, bool, (size_t)fam->n_persons + 1);
    if (!related)
        return fam_nomem(f);
    for (int k = 0; k < 2; k++)
        for (uint32_t i = 0; i < parts[k]->n; i++) {
            const plain_relation *r = &parts[k]->relations[i];

            related[r->parent] = related[r->child] = true;
            relations[to->n++] =
                (fam_relation){fam->persons[r->parent].name, fam->persons[r->child].name, r->line};
        }
    drop_strangers(fam, related);
    return ATG_OK;
}

int fam_plain_families(fam_file *f, const fam_plain *plain, fam_content *ret) {
    uint32_t n = plain->n_pedigrees ? plain->n_pedigrees : plain->n_persons > 0;
    plain_pedigree lone = {.name = ATG_STR("Persons"), .line = 4};

    fam_person *named = NULL;
    int rc = named_persons(f, plain, &named);

    *ret = (fam_content){.plain = true};
    if (rc || n == 0)
        return rc;
    ret->families = ATG_GET(f->arena, fam_family, n);
    if (!ret->families)
        return fam_nomem(f);
    for (uint32_t i = 0; i < n && !rc; i++)
        rc = family_of(f, plain, named, plain->n_pedigrees ? &plain->pedigrees[i] : &lone,
                       &ret->families[i]);
    ret->n_families = n;
    return rc;
}
