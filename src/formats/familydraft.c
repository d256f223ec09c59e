/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/familydraft.h"

#include <string.h>

static const char *const roles[] = {"father", "mother"};

static int nomem(atg_err *err) {
    return atg_fail(err, ATG_ENOMEM, "Out of memory reading a family");
}

void family_draft_start(family_draft *d, atg_str id) {
    d->id = id;
    d->n = 0;
    map_clear(d->ids);
}

int family_draft_add(family_draft *d, atg_str id, atg_sex sex, atg_err *err) {
    if (d->n == ATG_PEDIGREE_MAX)
        return atg_fail(err, ATG_ELIMIT,
                        "Family \"%.*s\" has more than %d persons, unnamed parents included",
                        ATG_FMT(d->id), ATG_PEDIGREE_MAX);

    int rc = map_add(d->ids, id, d->n);

    if (rc == ATG_ENOMEM)
        return nomem(err);
    if (rc)
        return atg_fail(err, ATG_EINVAL, "The id \"%.*s\" is used twice in family \"%.*s\"",
                        ATG_FMT(id), ATG_FMT(d->id));
    d->persons[d->n++] = (atg_person){.id = id, .sex = sex, .father = -1, .mother = -1};
    return ATG_OK;
}

static int check_parent(const family_draft *d, uint32_t child, family_parent which, atg_str id,
                        atg_err *err) {
    atg_str who = d->persons[child].id;
    int64_t at = map_get(d->ids, id);
    bool father = which == FAMILY_FATHER;

    if (at < 0)
        return atg_fail(err, ATG_EINVAL,
                        "The %s of \"%.*s\", \"%.*s\", is not a member of this family; add the "
                        "person, typed or not",
                        roles[which], ATG_FMT(who), ATG_FMT(id));
    if (at == child)
        return atg_fail(err, ATG_EINVAL, "\"%.*s\" cannot be his or her own parent", ATG_FMT(id));
    if (d->persons[at].sex == (father ? ATG_SEX_FEMALE : ATG_SEX_MALE))
        return atg_fail(err, ATG_EINVAL, "The %s of \"%.*s\", \"%.*s\", is recorded as %s",
                        roles[which], ATG_FMT(who), ATG_FMT(id), father ? "female" : "male");
    return ATG_OK;
}

int family_draft_parent(family_draft *d, uint32_t child, family_parent which, atg_str id,
                        atg_err *err) {
    atg_person *p = &d->persons[child];
    int rc = check_parent(d, child, which, id, err);

    if (rc)
        return rc;
    *(which == FAMILY_FATHER ? &p->father : &p->mother) = (int32_t)map_get(d->ids, id);
    if (p->father == p->mother)
        return atg_fail(err, ATG_EINVAL, "Father and mother of \"%.*s\" are one person",
                        ATG_FMT(p->id));
    return ATG_OK;
}

/* A name that nobody in the family has. */
static int free_id(const family_draft *d, const char *role, atg_str child, atg_str *ret,
                   atg_err *err) {
    atg_str id = atg_arena_printf(d->arena, "%s of %.*s", role, ATG_FMT(child));

    for (uint32_t k = 2; id.p && map_get(d->ids, id) >= 0; k++)
        id = atg_arena_printf(d->arena, "%s of %.*s (%u)", role, ATG_FMT(child), k);
    if (!id.p)
        return nomem(err);
    *ret = id;
    return ATG_OK;
}

int family_draft_complete(family_draft *d, uint32_t child, atg_notes *notes, atg_err *err) {
    atg_person *p = &d->persons[child];
    family_parent which = p->father < 0 ? FAMILY_FATHER : FAMILY_MOTHER;
    atg_str id = {NULL, 0};

    if ((p->father < 0) == (p->mother < 0))
        return ATG_OK;

    int rc = free_id(d, roles[which], p->id, &id, err);

    if (!rc)
        rc = family_draft_add(d, id, which == FAMILY_FATHER ? ATG_SEX_MALE : ATG_SEX_FEMALE, err);
    if (rc)
        return rc;
    d->persons[d->n - 1].implicit = true;
    if (which == FAMILY_FATHER)
        p->father = (int32_t)d->n - 1;
    else
        p->mother = (int32_t)d->n - 1;
    atg_note(notes, d->arena,
             "Family %.*s: %.*s has no named %s, so an untyped one was added who is the parent of "
             "nobody else; name the %s in the family where brothers and sisters share one",
             ATG_FMT(d->id), ATG_FMT(p->id), roles[which], roles[which]);
    return ATG_OK;
}

int family_draft_finish(const family_draft *d, atg_pedigree *ret, atg_err *err) {
    atg_person *persons = ATG_GET(d->arena, atg_person, d->n);
    atg_pedigree ped = {.n = d->n, .persons = persons};

    if (!persons)
        return nomem(err);
    if (d->n)
        memcpy(persons, d->persons, d->n * sizeof(*persons));

    int rc = atg_pedigree_check(&ped, err);

    if (!rc)
        *ret = ped;
    return rc;
}
