/* SPDX-License-Identifier: Apache-2.0 */
#include "exercise/make.h"

/* One person among the dead who were found. */
struct person {
    const atg_geno *genos;
    int32_t missing; /* -1: nobody on the list */
    atg_sex sex;
    uint8_t parts;
    bool reassociated; /* the mortuary knows that the parts belong together */
    uint8_t n_made;
    atg_str code;
};

struct counts {
    uint32_t listed, unlisted;  /* persons found */
    uint32_t fragmented, extra; /* persons in parts; samples beyond one a person */
};

static uint32_t least(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

/* With n_bodies 0 the shares decide; otherwise the number of bodies and parts is kept, at the cost
 * of more who are not found, or of more in parts. */
static int count(const atg_exercise_options *o, struct counts *ret, atg_err *err) {
    uint32_t listed = o->n_missing - exercise_share(o->not_found, o->n_missing);
    uint32_t unlisted = (uint32_t)(listed * o->unlisted / (1 - o->unlisted) + 0.5);
    uint32_t persons = listed + unlisted;
    struct counts c = {.listed = listed, .unlisted = unlisted};

    if (o->n_bodies) {
        persons = least(persons, (uint32_t)(o->n_bodies / (1 + 1.5 * o->fragments) + 0.5));
        c.unlisted = exercise_share(o->unlisted, persons);
        c.listed = least(persons - c.unlisted, listed);
        c.unlisted = persons - c.listed;
    }
    c.fragmented = exercise_share(o->fragments, persons);
    c.extra = o->n_bodies ? o->n_bodies - persons : c.fragmented * 3 / 2;
    if (c.extra > 2 * persons)
        return atg_fail(err, ATG_EINVAL,
                        "%u bodies and parts cannot come of %u persons found; ask for at most %u, "
                        "or for more who are missing",
                        o->n_bodies, persons, 3 * persons);
    if (c.fragmented < (c.extra + 1) / 2)
        c.fragmented = (c.extra + 1) / 2;
    c.fragmented = least(c.fragmented, c.extra);
    *ret = c;
    return ATG_OK;
}

static void shuffle(atg_rng *rng, uint32_t *list, uint32_t n) {
    for (uint32_t i = 0; i + 1 < n; i++) {
        uint32_t k = i + (uint32_t)atg_rng_below(rng, n - i), keep = list[i];

        list[i] = list[k];
        list[k] = keep;
    }
}

/* 0 .. n - 1 in random order. */
static uint32_t *permutation(atg_arena *arena, atg_rng *rng, uint32_t n) {
    uint32_t *list = ATG_GET(arena, uint32_t, n);

    for (uint32_t i = 0; list && i < n; i++)
        list[i] = i;
    if (list)
        shuffle(rng, list, n);
    return list;
}

static int find_listed(const making *x, atg_rng *rng, uint32_t n, struct person *ret,
                       atg_err *err) {
    uint32_t *order = permutation(x->scratch, rng, x->options->n_missing);

    if (!order)
        return exercise_short_of_memory(err);
    for (uint32_t i = 0; i < n; i++) {
        const atg_missing *m = &x->missing[order[i]];

        ret[i].missing = (int32_t)order[i];
        ret[i].sex = x->families[m->family].ped.persons[m->person].sex;
        ret[i].genos = x->true_genos + (size_t)order[i] * x->n_markers;
    }
    return ATG_OK;
}

static int find_unlisted(const making *x, atg_rng *rng, uint32_t n, struct person *ret,
                         atg_err *err) {
    hap *haps = ATG_GET(x->scratch, hap, x->n_markers);
    atg_geno *genos = ATG_GET(x->scratch, atg_geno, (size_t)n * x->n_markers);

    if (!haps || !genos)
        return exercise_short_of_memory(err);
    for (uint32_t i = 0; i < n; i++, genos += x->n_markers) {
        ret[i].missing = -1;
        ret[i].sex = atg_rng_below(rng, 2) ? ATG_SEX_MALE : ATG_SEX_FEMALE;
        ret[i].genos = genos;
        genes_found(x->pool, rng, ret[i].sex, haps);
        genes_read(x->pool, haps, genos);
    }
    return ATG_OK;
}

/* Who is in parts is drawn among all; of half of these the mortuary knows what belongs together,
 * of the others that is to be found out. */
static int cut(const making *x, atg_rng *rng, const struct counts *c, struct person *persons,
               atg_err *err) {
    uint32_t n = c->listed + c->unlisted;
    uint32_t *order = permutation(x->scratch, rng, n);

    if (!order)
        return exercise_short_of_memory(err);
    for (uint32_t i = 0; i < n; i++)
        persons[i].parts = 1;
    for (uint32_t i = 0; i < c->fragmented; i++) {
        persons[order[i]].parts = i < c->extra - c->fragmented ? 3 : 2;
        persons[order[i]].reassociated = atg_rng_below(rng, 2);
    }
    return ATG_OK;
}

/* "PM-FE-000034"; parts known to be of one body are "PM-FE-000034.1", ".2". */
static int name_sample(const making *x, struct person *p, uint32_t *code, atg_sample *ret) {
    bool shared = p->parts > 1 && p->reassociated;

    if (!shared || p->n_made == 0)
        p->code = atg_arena_printf(x->arena, "PM-FE-%06u", ++*code);
    p->n_made++;
    ret->id = shared ? atg_arena_printf(x->arena, "%.*s.%u", ATG_FMT(p->code), p->n_made) : p->code;
    ret->body = shared ? p->code : (atg_str){NULL, 0};
    return p->code.p && ret->id.p ? ATG_OK : ATG_ENOMEM;
}

/* The samples in an order that tells nothing. */
static int make_samples(making *x, atg_rng *rng, uint32_t n_persons, struct person *persons,
                        atg_err *err) {
    uint32_t *list = ATG_GET(x->scratch, uint32_t, x->n_samples), code = 0, at = 0;
    atg_geno *genos = ATG_GET(x->arena, atg_geno, (size_t)x->n_samples * x->n_markers);

    if (!list || !genos)
        return exercise_short_of_memory(err);
    for (uint32_t i = 0; i < n_persons; i++)
        for (uint8_t k = 0; k < persons[i].parts; k++)
            list[at++] = i;
    shuffle(rng, list, at);
    for (uint32_t i = 0; i < x->n_samples; i++, genos += x->n_markers) {
        struct person *p = &persons[list[i]];
        atg_sample *s = &x->samples[i];

        if (name_sample(x, p, &code, s))
            return exercise_short_of_memory(err);
        s->part = p->parts > 1;
        x->missing_of_sample[i] = p->missing;
        exercise_type_sample(x, rng, p->genos, p->sex, s, genos);
    }
    return ATG_OK;
}

/* Two tubes with each other's label: the profile and its quality change places, what the
 * examination saw stays. */
static int swap_labels(making *x, atg_rng *rng, atg_err *err) {
    uint32_t *order = permutation(x->scratch, rng, x->n_samples);
    uint32_t n = exercise_share(x->options->swapped, x->n_samples);

    if (!order)
        return exercise_short_of_memory(err);
    for (uint32_t i = 0; i + 1 < n; i += 2) {
        atg_sample *a = &x->samples[order[i]], *b = &x->samples[order[i + 1]];
        const atg_geno *genos = a->genos;
        double dropout = a->dropout;

        a->genos = b->genos;
        a->dropout = b->dropout;
        b->genos = genos;
        b->dropout = dropout;
        x->swapped[order[i]] = x->swapped[order[i + 1]] = true;
    }
    return ATG_OK;
}

int exercise_remains(making *x, atg_rng *rng, atg_err *err) {
    struct counts c = {0};
    struct person *persons;
    int rc = count(x->options, &c, err);

    if (rc)
        return rc;
    x->n_bodies = c.listed + c.unlisted;
    x->n_samples = x->n_bodies + c.extra;
    persons = ATG_GET(x->scratch, struct person, x->n_bodies);
    x->samples = ATG_GET(x->arena, atg_sample, x->n_samples);
    x->missing_of_sample = ATG_GET(x->arena, int32_t, x->n_samples);
    x->swapped = ATG_GET(x->arena, bool, x->n_samples);
    if (!persons || !x->samples || !x->missing_of_sample || !x->swapped)
        return exercise_short_of_memory(err);
    rc = find_listed(x, rng, c.listed, persons, err);
    if (!rc)
        rc = find_unlisted(x, rng, c.unlisted, persons + c.listed, err);
    if (!rc)
        rc = cut(x, rng, &c, persons, err);
    if (!rc)
        rc = make_samples(x, rng, x->n_bodies, persons, err);
    return rc ? rc : swap_labels(x, rng, err);
}
