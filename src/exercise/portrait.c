/* SPDX-License-Identifier: Apache-2.0 */
#include <antigone/portrait.h>

#include <stdio.h>
#include <string.h>

#include "exercise/face.h"
#include "exercise/people.h"
#include "exercise/plan.h"

enum { EXERCISE_YEAR = 2026, EASEL_MAX = 64 << 20 };

/* Streams of random numbers, kept apart. */
enum stream { OF_FAMILY = 1, OF_PERSON, OF_STRANGER, OF_LOOKS, OF_VIEW, OF_BODY };

struct atg_easel {
    atg_arena *arena;
    face_studio studio;
    uint8_t *rgb;
};

static uint64_t stream_seed(const atg_portraits *all, enum stream kind, uint64_t a, uint64_t b) {
    atg_rng rng = atg_rng_seed(all->truth->options.seed * 8 + kind);

    rng = atg_rng_seed(atg_rng_next(&rng) + a);
    rng = atg_rng_seed(atg_rng_next(&rng) + b);
    return atg_rng_next(&rng);
}

/* ---- the list ---- */

/* Of a body of nobody's in parts that were put together. */
static bool strangers_head(const atg_portraits *all, uint32_t i) {
    const atg_operation *op = all->op;
    atg_str body = op->samples[i].body;
    uint32_t first = 0;

    while (body.n && !atg_str_eq(op->samples[first].body, body))
        first++;
    return body.n && first == i;
}

/* Which part of each missing person is the head: its number among the parts that are left to come.
 * `left` counts them. */
static bool has_face(const atg_portraits *all, uint32_t i, uint32_t *left) {
    int32_t m = all->truth->missing_of_sample[i];

    if (!all->op->samples[i].part)
        return true;
    if (m < 0)
        return strangers_head(all, i);
    return --left[m] == 0;
}

static int check(const atg_operation *op, const atg_truth *truth, atg_err *err) {
    bool made = truth->n_samples == op->n_samples;

    for (uint32_t f = 0; f < op->n_families; f++)
        made = made && op->families[f].ped.n <= PLAN_MAX;
    for (uint32_t i = 0; made && i < op->n_samples; i++)
        made = truth->missing_of_sample[i] < (int64_t)op->n_missing;
    return made ? ATG_OK
                : atg_fail(err, ATG_EINVAL,
                           "Portraits are drawn of an exercise and of its own truth only");
}

int atg_portraits_plan(atg_arena *arena, const atg_operation *op, const atg_truth *truth,
                       atg_portraits *ret, atg_err *err) {
    atg_portraits all = {.op = op, .truth = truth};
    atg_portrait *list;
    uint32_t *left;
    int rc = check(op, truth, err);

    if (rc)
        return rc;
    list = ATG_GET(arena, atg_portrait, (size_t)op->n_missing * ATG_PORTRAIT_AM + op->n_samples);
    left = ATG_GET(arena, uint32_t, op->n_missing);
    if (!list || !left)
        return atg_fail(err, ATG_ENOMEM, "Memory is short for the list of portraits");
    for (uint32_t i = 0; i < op->n_samples; i++)
        if (truth->missing_of_sample[i] >= 0)
            left[truth->missing_of_sample[i]]++;
    for (uint32_t m = 0; m < op->n_missing; m++)
        for (uint32_t v = 0; v < ATG_PORTRAIT_AM; v++)
            list[all.n++] = (atg_portrait){.missing = (int32_t)m, .view = v};
    for (uint32_t i = 0; i < op->n_samples; i++)
        if (has_face(&all, i, left))
            list[all.n++] =
                (atg_portrait){.dead = true, .sample = i, .missing = truth->missing_of_sample[i]};
    all.list = list;
    *ret = all;
    return ATG_OK;
}

/* ---- who ---- */

/* The family's own place on the scale of skin: `pigment` as people_make() drew it. */
static void draw_kin(atg_rng *rng, int pigment, face_genes *ret) {
    static const float from[] = {-1.6F, .4F, 3.4F}, to[] = {.6F, 3, 7};

    face_genes_draw(rng, NULL, ret);
    ret->z[SKIN] = smooth_between(rng, from[pigment], to[pigment]);
}

/* Everybody's, parents before children, whatever their order. */
static void family_genes(const atg_portraits *all, uint32_t f, int pigment,
                         face_genes ret[PLAN_MAX]) {
    const atg_pedigree *ped = &all->op->families[f].ped;
    atg_rng rng = atg_rng_seed(stream_seed(all, OF_FAMILY, f, 0));
    bool done[PLAN_MAX] = {false};
    face_genes kin;

    draw_kin(&rng, pigment, &kin);
    for (uint32_t round = 0; round < ped->n; round++)
        for (uint32_t i = 0; i < ped->n; i++) {
            const atg_person *p = &ped->persons[i];

            if (done[i] || (p->father >= 0 && !(done[p->father] && done[p->mother])))
                continue;
            rng = atg_rng_seed(stream_seed(all, OF_PERSON, f, i));
            if (p->father < 0)
                face_genes_draw(&rng, &kin, &ret[i]);
            else
                face_genes_child(&rng, &ret[p->father], &ret[p->mother], &ret[i]);
            done[i] = true;
        }
}

/* Of nobody on the list: as examined, else as amelogenin says. */
static atg_sex sex_of(const atg_portraits *all, uint32_t sample) {
    const atg_sample *s = &all->op->samples[sample];

    for (uint32_t m = 0; m < all->op->n_markers && s->sex == ATG_SEX_UNKNOWN; m++)
        if (all->op->markers[m].chrom == ATG_CHROM_AMELOGENIN && atg_geno_typed(s->genos[m]))
            return s->genos[m].a == s->genos[m].b ? ATG_SEX_FEMALE : ATG_SEX_MALE;
    return s->sex;
}

static int place_of(const char *word, const char *const *words, int n) {
    int i = n - 1;

    while (i > 0 && strcmp(words[i], word) != 0)
        i--;
    return i;
}

static void look_of(const made_person *told, const face_genes *genes, uint64_t seed,
                    face_person *ret) {
    static const char *const hairs[] = {
        [HAIR_BROWN] = "brown", [HAIR_BLACK] = "black", [HAIR_BLOND] = "blond",
        [HAIR_GREY] = "grey",   [HAIR_RED] = "red",     [HAIR_CURLY] = "dark, curly"};
    static const char *const eyes[] = {[IRIS_BROWN] = "brown",
                                       [IRIS_BLUE] = "blue",
                                       [IRIS_GREEN] = "green",
                                       [IRIS_GREY] = "grey",
                                       [IRIS_DARK] = "dark brown"};
    int year = 0;

    for (int i = 0; i < 4; i++)
        year = 10 * year + told->born[i] - '0';
    face_person_make(genes, told->man, (float)(EXERCISE_YEAR - year),
                     (face_hair)place_of(told->hair, hairs, HAIR_CURLY + 1),
                     (face_iris)place_of(told->eyes, eyes, IRIS_DARK + 1), seed, ret);
}

static void told_of(const atg_portraits *all, uint32_t missing, made_person *ret) {
    const atg_missing *m = &all->op->missing[missing];

    people_make(all->truth->options.seed, m->family, missing,
                all->op->families[m->family].ped.persons[m->person].sex, ret);
}

static void person_of(const atg_portraits *all, const atg_portrait *p, face_person *ret) {
    const atg_operation *op = all->op;
    face_genes genes[PLAN_MAX];
    made_person told;

    if (p->missing >= 0) {
        const atg_missing *m = &op->missing[p->missing];

        told_of(all, (uint32_t)p->missing, &told);
        family_genes(all, m->family, told.pigment, genes);
        look_of(&told, &genes[m->person], stream_seed(all, OF_LOOKS, m->family, m->person), ret);
    } else {
        atg_rng rng = atg_rng_seed(stream_seed(all, OF_STRANGER, p->sample, 0));
        face_genes kin;

        people_make(all->truth->options.seed, op->n_families + p->sample, op->n_missing + p->sample,
                    sex_of(all, p->sample), &told);
        draw_kin(&rng, told.pigment, &kin);
        face_genes_draw(&rng, &kin, &genes[0]);
        look_of(&told, &genes[0], stream_seed(all, OF_STRANGER, p->sample, 1), ret);
    }
}

/* ---- how ---- */

static void choose(atg_rng *rng, const float (*from)[3], size_t n, float ret[3]) {
    memcpy(ret, from[atg_rng_below(rng, n)], 3 * sizeof(float));
}

static face_view family_view(atg_rng *r, uint32_t view) {
    static const float grounds[][3] = {{.45F, .47F, .50F}, {.62F, .60F, .56F}, {.18F, .24F, .30F},
                                       {.30F, .36F, .28F}, {.55F, .48F, .38F}, {.75F, .75F, .74F},
                                       {.33F, .40F, .50F}, {.42F, .33F, .27F}};
    static const float cloths[][3] = {{.02F, .03F, .08F}, {.20F, .20F, .21F}, {.02F, .02F, .022F},
                                      {.25F, .03F, .04F}, {.60F, .60F, .58F}, {.07F, .10F, .05F},
                                      {.35F, .27F, .17F}, {.08F, .16F, .30F}, {.05F, .12F, .12F},
                                      {.30F, .12F, .10F}};
    float turned = view ? 1 : .25F;
    face_view v = {
        .yaw = turned * smooth_between(r, -.33F, .33F),
        .pitch = turned * smooth_between(r, -.14F, .12F),
        .roll = turned * smooth_between(r, -.13F, .13F),
        .zoom = view ? smooth_between(r, .84F, 1.12F) : smooth_between(r, .97F, 1.06F),
        .x = smooth_between(r, -.06F, .06F),
        .y = smooth_between(r, -.05F, .05F),
        .light = {(view ? 1 : .35F) * smooth_between(r, -.9F, .9F), smooth_between(r, .1F, .8F), 1},
        .ambient = view ? smooth_between(r, .34F, .56F) : .58F,
        .open = 1,
        .exposure = smooth_between(r, .86F, 1.12F),
        .warm = view == 2 ? smooth_between(r, 0, .10F) : smooth_between(r, -.04F, .04F),
        .blur = view == 2 ? smooth_between(r, .1F, .22F) : .1F,
        .noise = view == 2 ? smooth_between(r, 2, 5) : 2};

    if (view)
        v.smile = atg_rng_below(r, 3) ? smooth_between(r, .2F, 1) : 0;
    choose(r, grounds, sizeof(grounds) / sizeof(*grounds), v.ground);
    choose(r, cloths, sizeof(cloths) / sizeof(*cloths), v.cloth);
    v.collar = (int)atg_rng_below(r, 4);
    return v;
}

static face_view mortuary_view(atg_rng *r) {
    float late = smooth_between(r, 0, 1), steel = smooth_between(r, .26F, .40F);

    return (face_view){.yaw = smooth_between(r, -.22F, .22F),
                       .pitch = smooth_between(r, -.12F, .12F),
                       .roll = smooth_between(r, -.30F, .30F),
                       .zoom = smooth_between(r, .92F, 1.1F),
                       .x = smooth_between(r, -.08F, .08F),
                       .y = smooth_between(r, -.08F, .08F),
                       .light = {smooth_between(r, -.25F, .25F), .25F, 1},
                       .ambient = smooth_between(r, .56F, .66F),
                       .parted = smooth_between(r, 0, .6F),
                       .pallor = .55F + .35F * late,
                       .livid = smooth_between(r, .35F, .9F),
                       .swollen = .08F + .35F * late,
                       .exposure = smooth_between(r, .95F, 1.12F),
                       .warm = smooth_between(r, -.05F, .02F),
                       .blur = .1F,
                       .noise = 2.5F,
                       .ground = {.92F * steel, steel, 1.04F * steel},
                       .cloth = {.60F, .62F, .62F},
                       .collar = 2};
}

static face_view view_of(const atg_portraits *all, const atg_portrait *p) {
    uint64_t seed = p->dead ? stream_seed(all, OF_BODY, p->sample, 0)
                            : stream_seed(all, OF_VIEW, (uint64_t)p->missing, p->view);
    atg_rng rng = atg_rng_seed(seed);
    face_view v = p->dead ? mortuary_view(&rng) : family_view(&rng, p->view);

    v.seed = seed;
    return v;
}

/* ---- drawing ---- */

int atg_easel_new(atg_easel **ret, atg_err *err) {
    atg_arena *arena = atg_arena_new(EASEL_MAX);
    atg_easel *easel = arena ? ATG_GET(arena, atg_easel, 1) : NULL;
    int rc = ATG_ENOMEM;

    if (easel) {
        easel->arena = arena;
        easel->rgb = ATG_GET(arena, uint8_t, (size_t)3 * ATG_PORTRAIT_WIDTH * ATG_PORTRAIT_HEIGHT);
        rc = easel->rgb ? face_studio_new(arena, ATG_PORTRAIT_WIDTH, ATG_PORTRAIT_HEIGHT,
                                          &easel->studio, err)
                        : ATG_ENOMEM;
    }
    if (rc) {
        atg_arena_free(arena);
        return atg_fail(err, ATG_ENOMEM, "Memory is short for portraits");
    }
    *ret = easel;
    return ATG_OK;
}

void atg_easel_free(atg_easel *easel) {
    if (easel)
        atg_arena_free(easel->arena);
}

int atg_portrait_draw(atg_easel *easel, const atg_portraits *all, uint32_t i, const uint8_t **ret,
                      atg_err *err) {
    face_studio *s = &easel->studio;
    face_person who;
    face_view view;

    if (i >= all->n)
        return atg_fail(err, ATG_EINVAL, "There are %u portraits: none has the number %u", all->n,
                        i);
    person_of(all, &all->list[i], &who);
    view = view_of(all, &all->list[i]);
    face_draw(s, &who, &view, easel->rgb);
    *ret = easel->rgb;
    return ATG_OK;
}

/* ---- names and list ---- */

static bool plain(atg_str id) {
    for (size_t i = 0; i < id.n; i++)
        if (!((id.p[i] >= '0' && id.p[i] <= '9') || (id.p[i] >= 'A' && id.p[i] <= 'Z') ||
              (id.p[i] >= 'a' && id.p[i] <= 'z') || id.p[i] == '-' || (id.p[i] == '.' && i > 0)))
            return false;
    return id.n > 0;
}

int atg_portrait_name(const atg_portraits *all, uint32_t i, char *ret, size_t size, atg_err *err) {
    const atg_portrait *p = i < all->n ? &all->list[i] : NULL;
    char name[128];
    atg_str id;
    int n;

    if (!p)
        return atg_fail(err, ATG_EINVAL, "There are %u portraits: none has the number %u", all->n,
                        i);
    id = p->dead ? all->op->samples[p->sample].id : all->op->missing[p->missing].id;
    if (!plain(id) || id.n > 100)
        return atg_fail(err, ATG_EINVAL, "No file can be named after %.*s", ATG_FMT(id));
    n = p->dead ? snprintf(name, sizeof(name), "PM/%.*s.jpg", ATG_FMT(id))
                : snprintf(name, sizeof(name), "AM/%.*s-%u.jpg", ATG_FMT(id), p->view + 1);
    if (n < 0 || (size_t)n >= size)
        return atg_fail(err, ATG_ELIMIT, "There is no room for the name of a portrait");
    memcpy(ret, name, (size_t)n + 1);
    return ATG_OK;
}
