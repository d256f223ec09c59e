/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "formats/familias.h"

enum { MEMBERS_MAX = ATG_PEDIGREE_MAX, NOBODY = -1 };

typedef struct member {
    atg_str name; /* in the file's relations */
    atg_str id;
    uint32_t line;
    const fam_person *person; /* NULL: named in relations only */
    atg_sex declared, sex;    /* as the file says; as it is taken */
    atg_sex side;             /* the parent's place he or she stands in */
    bool missing;
    int parents[2];
    uint32_t parents_line;
} member;

typedef struct work {
    fam_file *f;
    const fam_family *fam;
    bool plain;
    const fam_pedigree *ped;
    uint32_t n;
    member members[MEMBERS_MAX];
} work;

static const atg_str missing_person = {"Missing person", 14};

static bool digits(atg_str s) {
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return true;
}

static bool starts(atg_str s, atg_str head) {
    return s.n >= head.n && atg_str_eq_nocase((atg_str){s.p, head.n}, head);
}

/* Familias has no field for it: the missing are those who are called so ("Missing person",
 * "Missing male 2", "MP", "MP3"; not "MP-1108", which refers to the person of another family). */
bool fam_is_missing_name(atg_str s) {
    atg_str head = ATG_STR("Missing"), mp = ATG_STR("MP");

    if (starts(s, head))
        return s.n == head.n || s.p[head.n] == ' ' || s.p[head.n] == '_' || s.p[head.n] == '-' ||
               digits((atg_str){s.p + head.n, s.n - head.n});
    return starts(s, mp) && digits((atg_str){s.p + mp.n, s.n - mp.n});
}

/* The name that Familias itself gives to who is missing ("Missing female 1")? */
static bool is_default_name(atg_str s) {
    static const char *const heads[] = {"Missing person", "Missing male", "Missing female", "MP"};

    for (size_t i = 0; i < sizeof(heads) / sizeof(*heads); i++) {
        atg_str head = atg_str_of(heads[i]);

        if (starts(s, head) && digits(atg_str_trim((atg_str){s.p + head.n, s.n - head.n})))
            return true;
    }
    return atg_str_eq_nocase(s, ATG_STR("Missing"));
}

/* "Missing AM-0007" is how Familias is told that AM-0007 is missing. */
atg_str fam_missing_id(atg_str name) {
    atg_str head = ATG_STR("Missing ");

    if (is_default_name(name) || !starts(name, head))
        return name;
    return atg_str_trim((atg_str){name.p + head.n, name.n - head.n});
}

static int find(const work *w, atg_str name) {
    for (uint32_t i = 0; i < w->n; i++)
        if (atg_str_eq(w->members[i].name, name))
            return (int)i;
    return NOBODY;
}

static bool same_relation(const fam_relation *x, const fam_relation *y) {
    return atg_str_eq(x->parent, y->parent) && atg_str_eq(x->child, y->child);
}

static bool has_relation(const fam_pedigree *ped, const fam_relation *r) {
    for (uint32_t i = 0; i < ped->n; i++)
        if (same_relation(&ped->relations[i], r))
            return true;
    return false;
}

static bool in_relation(const fam_pedigree *ped, atg_str name) {
    for (uint32_t i = 0; ped && i < ped->n; i++)
        if (atg_str_eq(ped->relations[i].parent, name) || atg_str_eq(ped->relations[i].child, name))
            return true;
    return false;
}

/* Every relation of `ped` must be in the pedigree that was chosen: two that differ are two
 * hypotheses about the family, and only its geneticist knows which holds. */
static int check_pedigree(const work *w, const fam_pedigree *ped) {
    for (uint32_t k = 0; k < ped->n; k++) {
        const fam_relation *r = &ped->relations[k];

        if (!has_relation(w->ped, r))
            return atg_fail_at(w->f->err, ATG_EPARSE, r->line, 1,
                               "The pedigrees of family %.*s differ: in %.*s, %.*s is a parent of "
                               "%.*s, in %.*s not; keep one pedigree with all its missing",
                               ATG_FMT(w->fam->name), ATG_FMT(ped->name), ATG_FMT(r->parent),
                               ATG_FMT(r->child), ATG_FMT(w->ped->name));
    }
    return ATG_OK;
}

/* The pedigree that says most. */
static int choose_pedigree(work *w) {
    const fam_family *fam = w->fam;
    int rc = ATG_OK;

    w->ped = fam->n_pedigrees ? &fam->pedigrees[0] : NULL;
    for (uint32_t i = 1; i < fam->n_pedigrees; i++)
        if (fam->pedigrees[i].n > w->ped->n)
            w->ped = &fam->pedigrees[i];
    for (uint32_t i = 0; i < fam->n_pedigrees && !rc; i++)
        rc = check_pedigree(w, &fam->pedigrees[i]);
    return rc;
}

static int add_member(work *w, member m) {
    for (uint32_t i = 0; i < w->n; i++)
        if (atg_str_eq(w->members[i].id, m.id))
            return atg_fail_at(
                w->f->err, ATG_EPARSE, m.line, 1,
                "Two persons of family %.*s are called %.*s; give them different names",
                ATG_FMT(w->fam->name), ATG_FMT(m.name));
    if (w->n == MEMBERS_MAX)
        return atg_fail_at(w->f->err, ATG_ELIMIT, m.line, 1,
                           "Family %.*s has more than %d persons; split it", ATG_FMT(w->fam->name),
                           MEMBERS_MAX);
    m.parents[0] = m.parents[1] = NOBODY;
    w->members[w->n++] = m;
    return ATG_OK;
}

/* A missing person who is declared but in no relation: the first is who the relations call
 * "Missing person"; another one cannot be found through this family. */
static bool takes_the_place(work *w, const fam_person *p, bool *taken, member *stand_in) {
    fam_file *f = w->f;

    if (!fam_is_missing_name(p->name) || in_relation(w->ped, p->name))
        return false;
    if (*taken || !in_relation(w->ped, missing_person)) {
        if (p->genos) /* found by his or her own sample */
            return false;
        atg_note(f->notes, f->arena,
                 "%.*s of family %.*s is in no relation of its pedigree and is left out",
                 ATG_FMT(p->name), ATG_FMT(w->fam->name));
        return true;
    }
    *taken = true;
    stand_in->declared = p->sex;
    stand_in->person = p;
    if (!is_default_name(p->name))
        stand_in->id = fam_missing_id(p->name);
    return true;
}

static int gather_members(work *w) {
    const fam_family *fam = w->fam;
    member stand_in = {.name = missing_person, .id = missing_person, .missing = true};
    bool declared = false, taken = false;
    int rc = ATG_OK;

    for (uint32_t i = 0; i < fam->n_persons; i++)
        declared |= atg_str_eq(fam->persons[i].name, missing_person);
    taken = declared;
    for (uint32_t i = 0; i < fam->n_persons && !rc; i++) {
        const fam_person *p = &fam->persons[i];
        bool missing = fam_is_missing_name(p->name);

        if (takes_the_place(w, p, &taken, &stand_in))
            continue;
        rc = add_member(w, (member){.name = p->name,
                                    .id = missing ? fam_missing_id(p->name) : p->name,
                                    .line = p->line,
                                    .person = p,
                                    .declared = p->sex,
                                    .missing = missing});
    }
    if (rc || declared || !in_relation(w->ped, missing_person))
        return rc;
    stand_in.line = fam->line;
    return add_member(w, stand_in);
}

static int add_parent(work *w, const fam_relation *r) {
    int parent = find(w, r->parent), child = find(w, r->child);
    atg_str stranger = parent < 0 ? r->parent : r->child;
    member *c = child < 0 ? NULL : &w->members[child];

    if (parent < 0 || !c)
        return atg_fail_at(w->f->err, ATG_EPARSE, r->line, 1,
                           "%.*s is not among the persons of family %.*s", ATG_FMT(stranger),
                           ATG_FMT(w->fam->name));
    if (c->parents[0] == parent || c->parents[1] == parent)
        return ATG_OK; /* said twice */
    if (c->parents[1] != NOBODY)
        return atg_fail_at(w->f->err, ATG_EPARSE, r->line, 1,
                           "%.*s of family %.*s has three parents; remove one", ATG_FMT(c->name),
                           ATG_FMT(w->fam->name));
    c->parents[c->parents[0] != NOBODY] = parent;
    c->parents_line = r->line;
    return ATG_OK;
}

static atg_sex other(atg_sex sex) {
    return sex == ATG_SEX_MALE ? ATG_SEX_FEMALE : ATG_SEX_MALE;
}

static const char *word(atg_sex sex) {
    return sex == ATG_SEX_MALE ? "male" : "female";
}

/* Who has a child with a man stands in the mother's place, and the reverse. */
static int pair_sides(work *w, const member *child, bool *ret_more) {
    member *x = &w->members[child->parents[0]], *y = &w->members[child->parents[1]];

    if (x->side && x->side == y->side)
        return atg_fail_at(
            w->f->err, ATG_EPARSE, child->parents_line, 1,
            "Both parents of %.*s in family %.*s, %.*s and %.*s, are %s; correct the "
            "sex of one",
            ATG_FMT(child->name), ATG_FMT(w->fam->name), ATG_FMT(x->name), ATG_FMT(y->name),
            word(x->side));
    if (!x->side == !y->side)
        return ATG_OK;
    *ret_more = true;
    if (x->side)
        y->side = other(x->side);
    else
        x->side = other(y->side);
    return ATG_OK;
}

static int spread_sides(work *w) {
    for (bool more = true; more;) {
        more = false;
        for (uint32_t i = 0; i < w->n; i++) {
            const member *c = &w->members[i];
            int rc = c->parents[1] == NOBODY ? ATG_OK : pair_sides(w, c, &more);

            if (rc)
                return rc;
        }
    }
    return ATG_OK;
}

/* Prepare one family as far as its own lines say.  The recorded sex of a missing person is not
 * used yet.  Returns by `contradicted` whether the pedigree shows one of them to be wrong. */
static int prepare(work *w, bool *contradicted) {
    int rc = choose_pedigree(w);

    w->n = 0;
    if (!rc)
        rc = gather_members(w);
    for (uint32_t i = 0; w->ped && i < w->ped->n && !rc; i++)
        rc = add_parent(w, &w->ped->relations[i]);
    for (uint32_t i = 0; i < w->n; i++)
        if (!w->members[i].missing)
            w->members[i].side = w->members[i].declared;
    if (!rc)
        rc = spread_sides(w);
    for (uint32_t i = 0; i < w->n && !rc; i++) {
        const member *m = &w->members[i];

        *contradicted |= m->missing && m->declared && m->side && m->side != m->declared;
    }
    return rc;
}

/* The recorded sex of a missing person counts where the pedigree leaves it open. */
static int settle_missing(work *w, member *m, bool trusted) {
    if (!m->missing || !m->declared || m->side == m->declared)
        return ATG_OK;
    if (m->side) {
        atg_note(w->f->notes, w->f->arena,
                 "%.*s of family %.*s is recorded as %s, but the pedigree has a %s there; that is "
                 "taken",
                 ATG_FMT(m->name), ATG_FMT(w->fam->name), word(m->declared),
                 m->side == ATG_SEX_MALE ? "father" : "mother");
        return ATG_OK;
    }
    if (!trusted)
        return ATG_OK;
    m->side = m->declared;
    return spread_sides(w);
}

static int settle_sexes(work *w, bool trusted) {
    int rc = ATG_OK;

    for (uint32_t i = 0; i < w->n && !rc; i++)
        rc = settle_missing(w, &w->members[i], trusted);
    for (uint32_t i = 0; i < w->n; i++)
        w->members[i].sex = w->members[i].side;
    /* Parents of unknown sex have a place nevertheless; their sex stays unknown. */
    for (uint32_t i = 0; i < w->n && !rc; i++) {
        int first = w->members[i].parents[0];

        if (first == NOBODY || w->members[first].side)
            continue;
        w->members[first].side = ATG_SEX_MALE;
        rc = spread_sides(w);
    }
    return rc;
}

static bool taken_id(const atg_person *persons, uint32_t n, atg_str id) {
    return atg_pedigree_find(&(atg_pedigree){.n = n, .persons = persons}, id) >= 0;
}

/* A founder who completes a pair of parents, under a name that nobody has. */
static int add_implicit(work *w, int child, atg_sex side, atg_person *persons, uint32_t *n) {
    fam_file *f = w->f;
    const char *what = side == ATG_SEX_MALE ? "Father" : "Mother";
    atg_str name = {0};

    if (*n == ATG_PEDIGREE_MAX)
        return atg_fail_at(f->err, ATG_ELIMIT, w->fam->line, 1,
                           "Family %.*s has more than %d persons; split it", ATG_FMT(w->fam->name),
                           ATG_PEDIGREE_MAX);
    for (int i = 1; !name.p || taken_id(persons, *n, name); i++) {
        name = i == 1 ? atg_arena_printf(f->arena, "%s of %.*s", what, ATG_FMT(persons[child].id))
                      : atg_arena_printf(f->arena, "%s of %.*s (%d)", what,
                                         ATG_FMT(persons[child].id), i);
        if (!name.p)
            return fam_nomem(f);
    }
    persons[*n] =
        (atg_person){.id = name, .father = -1, .mother = -1, .sex = side, .implicit = true};
    if (side == ATG_SEX_MALE)
        persons[child].father = (int32_t)*n;
    else
        persons[child].mother = (int32_t)*n;
    ++*n;
    return ATG_OK;
}

/* DNA data of a missing person are a sample of his or her own (a toothbrush). */
static int own_sample(work *w, const member *m, atg_person *ret) {
    atg_own *own = m->person->genos ? ATG_GET(w->f->arena, atg_own, 1) : NULL;

    if (!m->person->genos)
        return ATG_OK;
    if (!own)
        return fam_nomem(w->f);
    *own = (atg_own){.id = m->id, .genos = m->person->genos, .dropout = m->person->dropout};
    ret->n_own = 1;
    ret->own = own;
    return ATG_OK;
}

static int make_person(work *w, const member *m, atg_person *ret) {
    *ret = (atg_person){.id = m->id, .father = -1, .mother = -1, .sex = m->sex};
    if (m->person && m->missing)
        return own_sample(w, m, ret);
    if (m->person) {
        ret->genos = m->person->genos;
        ret->dropout = m->person->dropout;
    }
    return ATG_OK;
}

static int make_persons(work *w, atg_family *ret) {
    atg_person *persons = ATG_GET(w->f->arena, atg_person, (size_t)w->n * 2 + 1);
    uint32_t n = w->n;
    int rc = ATG_OK;

    if (!persons)
        return fam_nomem(w->f);
    for (uint32_t i = 0; i < w->n && !rc; i++) {
        const member *m = &w->members[i];

        rc = make_person(w, m, &persons[i]);
        for (int k = 0; k < 2; k++) {
            int parent = m->parents[k];

            if (parent == NOBODY)
                continue;
            if (w->members[parent].side == ATG_SEX_MALE)
                persons[i].father = parent;
            else
                persons[i].mother = parent;
        }
    }
    for (uint32_t i = 0; i < w->n && !rc; i++) {
        const atg_person *p = &persons[i];

        if ((p->father < 0) != (p->mother < 0))
            rc =
                add_implicit(w, (int)i, p->father < 0 ? ATG_SEX_MALE : ATG_SEX_FEMALE, persons, &n);
    }
    ret->id = w->fam->name;
    ret->ped = (atg_pedigree){.n = n, .persons = persons};
    return rc;
}

/* Its missing persons, under the names they have in the family. */
static int add_missing(work *w, uint32_t index, atg_family *ret, atg_missing *list, uint32_t *n) {
    uint32_t first = *n, count = 0, *own;

    for (uint32_t i = 0; i < w->n; i++)
        count += w->members[i].missing;
    if (count == 0) {
        if (!w->plain)
            atg_note(w->f->notes, w->f->arena,
                     "Nobody of family %.*s is missing by its pedigree; name "
                     "the missing person \"Missing person\"",
                     ATG_FMT(w->fam->name));
        return ATG_OK;
    }
    own = ATG_GET(w->f->arena, uint32_t, count);
    if (!own)
        return fam_nomem(w->f);
    for (uint32_t i = 0; i < w->n; i++) {
        const member *m = &w->members[i];

        if (!m->missing)
            continue;
        own[*n - first] = *n;
        list[*n] = (atg_missing){.id = m->id, .family = index, .person = i};
        ++*n;
    }
    ret->n_missing = count;
    ret->missing = own;
    return ATG_OK;
}

/* Mark the missing whose id another one has too. */
static int find_repeated(fam_file *f, const atg_missing *list, uint32_t n, bool *ret) {
    ATG_AUTO(map) seen = map_new();

    if (!seen)
        return fam_nomem(f);
    for (uint32_t i = 0; i < n; i++) {
        int rc = map_add(seen, list[i].id, i);

        if (rc == ATG_ENOMEM)
            return fam_nomem(f);
        if (rc)
            ret[i] = ret[map_get(seen, list[i].id)] = true;
    }
    return ATG_OK;
}

/* Names that several families use get the family's name before them. */
static int name_families(fam_file *f, const atg_family *families, atg_missing *list, uint32_t n,
                         const bool *again) {
    for (uint32_t i = 0; i < n; i++) {
        atg_str family = families[list[i].family].id;

        if (!again[i])
            continue;
        list[i].id = atg_arena_printf(f->arena, "%.*s/%.*s", ATG_FMT(family), ATG_FMT(list[i].id));
        if (!list[i].id.p)
            return fam_nomem(f);
    }
    return ATG_OK;
}

static int unique_ids(fam_file *f, const atg_family *families, atg_missing *list, uint32_t n) {
    bool *first = ATG_GET(f->arena, bool, (size_t)n + 1);
    bool *still = ATG_GET(f->arena, bool, (size_t)n + 1);
    int rc = first && still ? find_repeated(f, list, n, first) : fam_nomem(f);

    if (!rc)
        rc = name_families(f, families, list, n, first);
    if (!rc)
        rc = find_repeated(f, list, n, still);
    for (uint32_t i = 0; i < n && !rc; i++)
        if (still[i])
            rc = atg_fail(f->err, ATG_EPARSE,
                          "Two missing persons are called %.*s; give them different names",
                          ATG_FMT(list[i].id));
    return rc;
}

static int check_names(fam_file *f, const fam_content *content) {
    ATG_AUTO(map) seen = map_new();

    if (!seen)
        return fam_nomem(f);
    for (uint32_t i = 0; i < content->n_families; i++) {
        const fam_family *fam = &content->families[i];
        int rc = map_add(seen, fam->name, i);

        if (rc == ATG_ENOMEM)
            return fam_nomem(f);
        if (rc)
            return atg_fail_at(f->err, ATG_EPARSE, fam->line, 1,
                               "Two families are called %.*s; give them different names",
                               ATG_FMT(fam->name));
    }
    return ATG_OK;
}

static int make_all(fam_file *f, const fam_content *content, work *w, atg_operation *op) {
    atg_family *families = ATG_GET(f->arena, atg_family, (size_t)content->n_families + 1);
    bool contradicted = false, ignored = false;
    atg_notes *notes = f->notes;
    atg_missing *list;
    size_t most = 0;
    uint32_t n = 0;
    int rc = families ? check_names(f, content) : fam_nomem(f);

    f->notes = NULL; /* each family is prepared twice, which is cheaper than keeping the work */
    for (uint32_t i = 0; i < content->n_families && !rc; i++) {
        w->fam = &content->families[i];
        rc = prepare(w, &contradicted);
        for (uint32_t k = 0; k < w->n && !rc; k++)
            most += w->members[k].missing;
    }
    f->notes = notes;
    if (rc)
        return rc;
    list = ATG_GET(f->arena, atg_missing, most + 1);
    if (!list)
        return fam_nomem(f);
    for (uint32_t i = 0; i < content->n_families && !rc; i++) {
        w->fam = &content->families[i];
        rc = prepare(w, &ignored);
        if (!rc)
            rc = settle_sexes(w, !contradicted);
        if (!rc)
            rc = make_persons(w, &families[i]);
        if (!rc)
            rc = add_missing(w, i, &families[i], list, &n);
    }
    if (!rc)
        rc = unique_ids(f, families, list, n);
    if (rc)
        return rc;
    if (contradicted)
        atg_note(f->notes, f->arena,
                 "Pedigrees contradict the recorded sex of missing persons, so Familias' own entry "
                 "was left as it was: where the pedigree does not tell the sex of a missing person "
                 "it is taken as unknown; enter it");
    op->n_families = content->n_families;
    op->families = families;
    op->n_missing = n;
    op->missing = list;
    return ATG_OK;
}

int fam_make_families(fam_file *f, const fam_content *content, atg_operation *op) {
    work *w = ATG_GET(f->arena, work, 1);

    if (!w)
        return fam_nomem(f);
    w->f = f;
    w->plain = content->plain;
    return make_all(f, content, w, op);
}
