/* SPDX-License-Identifier: Apache-2.0 */
#include "exercise/face.h"

#include <string.h>

/* Means of women and men and the spread in units of 10 cm, tangents or shares, after what
 * anthropometry finds in adults (Farkas 1994 for the orders of size); spreads are about a third
 * wider than nature's, so that few people of an exercise look alike.  A child of twelve and
 * somebody of eighty differ by the last two columns. */
static const struct trait {
    float woman, man, spread, child, old;
} table[FACE_TRAITS] = {
    [HEAD_WIDTH] = {.755F, .775F, .034F, -.01F, 0},  /* half, at the parietal bones */
    [FACE_WIDTH] = {.640F, .668F, .040F, -.02F, 0},  /* half, at the cheekbones */
    [FACE_LENGTH] = {1.06F, 1.14F, .075F, -.13F, 0}, /* eyes to chin */
    [FOREHEAD] = {1.11F, 1.11F, .055F, .03F, 0},     /* eyes to the top of the head */
    [SLOPE] = {.01F, .07F, .045F, -.02F, 0},         /* of the forehead, backwards */
    [TEMPLE] = {.005F, .012F, .018F, 0, .012F},      /* hollow at the temples */
    [JAW_WIDTH] = {.475F, .545F, .052F, -.03F, 0},   /* half, at the corners */
    [JAW_CORNER] = {0, .015F, .022F, -.01F, 0},      /* how much they stand out */
    [CHIN_POINT] = {.24F, .20F, .055F, 0, 0},        /* jaw line: flat to pointed */
    [CHIN_OUT] = {.0F, .02F, .040F, -.02F, 0},
    [CHIN_HIGH] = {.055F, .075F, .030F, -.02F, 0}, /* its bulge */
    [CLEFT] = {-.03F, .0F, .035F, 0, 0},           /* shows when positive */
    [CHEEKBONE] = {.050F, .045F, .034F, -.02F, 0},
    [CHEEK] = {.020F, .0F, .040F, .03F, -.03F}, /* fullness beside the mouth */
    [FLATNESS] = {.36F, .34F, .12F, .05F, 0},
    [FACE_OUT] = {.0F, .0F, .045F, 0, 0},      /* middle of the face, forwards */
    [RIDGE] = {.014F, .055F, .026F, -.02F, 0}, /* over the eyes */
    [BROW_HEIGHT] = {.205F, .178F, .032F, .01F, -.02F},
    [BROW_THICK] = {.026F, .038F, .012F, -.004F, 0}, /* half */
    [BROW_LENGTH] = {.185F, .195F, .024F, 0, 0},     /* half */
    [BROW_ARCH] = {.030F, .016F, .020F, 0, 0},
    [BROW_TILT] = {.06F, .02F, .085F, 0, -.03F},
    [BROW_GAP] = {-.8F, -.4F, .5F, -.3F, 0}, /* hair between the brows when positive */
    [BROW_DENSE] = {.72F, .80F, .16F, -.05F, -.1F},
    [EYE_APART] = {.312F, .320F, .022F, -.012F, 0}, /* half, between the pupils */
    [EYE_WIDTH] = {.142F, .144F, .013F, -.004F, 0}, /* half */
    [EYE_OPEN] = {.056F, .051F, .011F, .006F, -.010F},
    [EYE_TILT] = {.08F, .05F, .085F, 0, -.06F},
    [EYE_DEPTH] = {.075F, .100F, .032F, -.01F, .02F},
    [EYE_PEAK] = {-.05F, -.05F, .22F, 0, .1F},    /* highest place of the lid, outwards */
    [LID_FOLD] = {.042F, .034F, .019F, 0, -.01F}, /* above the lid's edge; none below .01 */
    [LID_HEAVY] = {.0F, .1F, .30F, 0, .5F},
    [BAGS] = {.18F, .24F, .22F, -.2F, .45F},
    [IRIS_SIZE] = {.060F, .060F, .0035F, .002F, 0},
    [NOSE_LENGTH] = {.350F, .380F, .042F, -.05F, .02F},  /* eyes to the tip */
    [NOSE_WIDTH] = {.150F, .168F, .026F, -.015F, .008F}, /* half */
    [NOSE_OUT] = {.205F, .235F, .042F, -.05F, .01F},
    [BRIDGE_WIDTH] = {.046F, .054F, .013F, 0, 0},
    [BRIDGE_OUT] = {.085F, .110F, .036F, -.03F, 0},
    [HUMP] = {.0F, .012F, .024F, -.01F, 0},
    [TIP_SIZE] = {.064F, .072F, .016F, -.004F, .006F},
    [TIP_UP] = {.025F, .005F, .032F, .012F, -.02F},
    [NOSTRIL] = {.62F, .62F, .20F, 0, 0},
    [NOSE_BEND] = {0, 0, .016F, 0, 0},
    [MOUTH_WIDTH] = {.242F, .258F, .030F, -.03F, .0F}, /* half */
    [MOUTH_HEIGHT] = {-.690F, -.735F, .040F, .07F, 0},
    [UPPER_LIP] = {.056F, .046F, .018F, 0, -.018F},
    [LOWER_LIP] = {.074F, .064F, .020F, 0, -.018F},
    [BOW] = {.30F, .24F, .20F, 0, -.1F},
    [CORNER] = {.004F, .0F, .016F, .004F, -.014F},
    [PHILTRUM] = {.25F, .25F, .16F, .05F, -.1F},
    [LIP_RED] = {.52F, .32F, .20F, .05F, -.15F},
    [LIPS_OUT] = {.040F, .035F, .020F, 0, -.01F},
    [EAR_SIZE] = {.29F, .31F, .032F, -.02F, .03F}, /* half its height */
    [EAR_OUT] = {.10F, .115F, .045F, .01F, .0F},
    [EAR_LOBE] = {.5F, .5F, .3F, 0, .2F},
    [FOLD] = {.28F, .30F, .20F, -.22F, .45F}, /* from nose to mouth */
    [WEIGHT] = {.0F, .0F, 1.0F, -.1F, .0F},
    [HAIRLINE] = {.66F, .68F, .065F, -.02F, .03F}, /* above the eyes */
    [RECESSION] = {-.04F, .05F, .075F, -.05F, .10F},
    [WIDOW] = {.0F, .0F, .045F, 0, 0},
    [CURL] = {.0F, .0F, 1.0F, 0, 0},
    [SKIN] = {.17F, .20F, .085F, 0, .02F}, /* 0 lightest, 1 darkest */
    [RUDDY] = {.38F, .42F, .25F, .0F, .05F},
    [YELLOW] = {.40F, .40F, .26F, 0, .05F},
    [FRECKLES] = {-.3F, -.35F, .45F, .2F, 0},
    [BEARDED] = {.0F, .0F, 1.0F, 0, 0},
};

/* Founders of one family come from one place: that share of the variance is common to them. */
static float common_share(int trait) {
    return trait == SKIN ? 0.9F : trait == YELLOW || trait == CURL ? 0.6F : 0.12F;
}

void face_genes_draw(atg_rng *rng, const face_genes *kin, face_genes *ret) {
    for (int i = 0; i < FACE_TRAITS; i++) {
        float share = common_share(i), own = smooth_normal(rng);

        ret->z[i] = kin ? sqrtf(share) * kin->z[i] + sqrtf(1 - share) * own : own;
    }
}

/* Half of the variance is between the children of the same parents. */
void face_genes_child(atg_rng *rng, const face_genes *father, const face_genes *mother,
                      face_genes *ret) {
    for (int i = 0; i < FACE_TRAITS; i++) {
        float spread = sqrtf(0.5F * (1 - common_share(i)));

        ret->z[i] = 0.5F * (father->z[i] + mother->z[i]) + spread * smooth_normal(rng);
    }
}

/* ---- what is not inherited ---- */

static void draw_marks(atg_rng *rng, face_person *p) {
    p->n_marks = (uint32_t)atg_rng_below(rng, FACE_MARKS + 1);
    for (uint32_t i = 0; i < p->n_marks; i++)
        p->marks[i] =
            (face_mark){smooth_between(rng, -.48F, .48F), smooth_between(rng, -.85F, .6F),
                        smooth_between(rng, .010F, .022F), smooth_between(rng, .3F, .75F)};
}

static void draw_hair(atg_rng *rng, face_person *p) {
    float long_hair = smooth_between(rng, 0, 1), fringe = smooth_between(rng, 0, 1);

    p->parting = smooth_between(rng, -1, 1);
    p->volume = smooth_between(rng, .03F, .13F);
    if (p->man) {
        p->length = long_hair > .93F ? .45F : long_hair * .22F;
        p->fringe = fringe > .85F ? fringe - .7F : 0;
        p->bald = smooth_clamp(p->t[RECESSION] * 3.2F + p->old * .5F - .35F, 0, 1);
        return;
    }
    p->length = p->old > .3F && long_hair < .6F ? .12F + long_hair * .4F
                : long_hair < .15F              ? .1F + long_hair
                                                : .25F + .75F * long_hair;
    p->fringe = fringe > .72F ? fringe : 0;
}

static void draw_beard(atg_rng *rng, face_person *p) {
    float style = smooth_between(rng, 0, 1),
          dense = smooth_clamp(.62F + .18F * p->t[BEARDED], .3F, .92F);

    if (!p->man || p->child > .3F)
        return;
    p->stubble =
        smooth_clamp(.10F + .07F * p->t[BEARDED] + smooth_between(rng, -.05F, .1F), 0, .3F);
    if (style < .20F)
        p->beard = p->moustache = dense;
    else if (style < .30F)
        p->moustache = dense;
    else if (style < .38F)
        p->stubble = .38F;
}

void face_person_make(const face_genes *genes, bool man, float age, face_hair hair, face_iris iris,
                      uint64_t seed, face_person *ret) {
    atg_rng rng = atg_rng_seed(seed);
    face_person p = {.man = man, .hair = hair, .iris = iris, .seed = seed};

    p.child = smooth_clamp((20 - age) / 8, 0, 1);
    p.old = smooth_clamp((age - 50) / 30, 0, 1);
    for (int i = 0; i < FACE_TRAITS; i++) {
        const struct trait *t = &table[i];
        float most = i == SKIN ? 9 : 2.6F; /* its families lie far apart */

        p.t[i] = (man ? t->man : t->woman) + t->spread * smooth_clamp(genes->z[i], -most, most) +
                 p.child * t->child + p.old * t->old;
    }
    if (!man) {
        p.t[RECESSION] = smooth_clamp(p.t[RECESSION], -.2F, .01F);
        p.t[HAIRLINE] = smooth_clamp(p.t[HAIRLINE], 0, .71F);
    }
    p.t[SKIN] = smooth_clamp(p.t[SKIN], .02F, .98F);
    draw_marks(&rng, &p);
    draw_hair(&rng, &p);
    draw_beard(&rng, &p);
    *ret = p;
}
