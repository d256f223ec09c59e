/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/face.h"

enum {
    LOOKED_AT = 1280, /* longest side that is looked at */
    LYING = 5,        /* from here on orientations swap the sides */
    UPRIGHT = 1,
    /* Of a face that is made so much smaller while it is aligned, a picture that was halved before
     * shows the same. */
    EYES_APART = 80,
    SHRINK_MAX = 8,
};

/* The whole picture, upright, without transparency, in memory. */
static int read_pixels(face_source *s, atg_err *err) {
    IMAGE_AUTO im = NULL;
    IMAGE_AUTO flat = NULL;
    IMAGE_AUTO memory = NULL;
    IMAGE_AUTO turned = NULL;
    int rc = image_open(s->bytes, &s->facts, s->shrink, s->arena, &im, err);

    if (rc)
        return rc;
    if (image_flatten(im, &flat) || !(memory = vips_image_copy_memory(flat)))
        return image_fail(err);
    if (s->facts.orientation != UPRIGHT) {
        if (image_turn(memory, s->facts.orientation, &turned))
            return image_fail(err);
        image_unref(&memory);
        if (!(memory = vips_image_copy_memory(turned)))
            return image_fail(err);
    }
    if (memory->Bands != 3 || memory->BandFmt != VIPS_FORMAT_UCHAR)
        return atg_fail(err, ATG_EINVAL, "This picture has other channels than red, green, blue");
    image_unref(&s->memory);
    s->memory = memory;
    memory = NULL;
    s->picture = (face_picture){(const uint8_t *)VIPS_IMAGE_ADDR(s->memory, 0, 0),
                                (uint32_t)s->memory->Xsize, (uint32_t)s->memory->Ysize,
                                VIPS_IMAGE_SIZEOF_LINE(s->memory)};
    return ATG_OK;
}

static uint32_t shrink_for(const image_facts *f) {
    uint32_t longer = f->width > f->height ? f->width : f->height, shrink = 1;

    while (f->format == WORKER_JPEG && shrink < SHRINK_MAX && longer / (shrink * 2) >= LOOKED_AT)
        shrink *= 2;
    return shrink;
}

int face_source_open(atg_str bytes, uint64_t pixels, atg_arena *arena, face_source *ret,
                     atg_err *err) {
    face_source s = {.bytes = bytes, .arena = arena};
    int rc = image_look(bytes, pixels, &s.facts, err);
    bool lying = s.facts.orientation >= LYING;

    if (rc)
        return rc;
    s.width = lying ? s.facts.height : s.facts.width;
    s.height = lying ? s.facts.width : s.facts.height;
    s.shrink = shrink_for(&s.facts);
    rc = read_pixels(&s, err);
    if (rc == ATG_OK)
        *ret = s;
    return rc;
}

int face_source_sharpen(face_source *s, double distance, atg_err *err) {
    uint32_t shrink = s->shrink;

    while (shrink > 1 && distance / shrink < EYES_APART)
        shrink /= 2;
    if (shrink == s->shrink)
        return ATG_OK;
    s->shrink = shrink;
    return read_pixels(s, err);
}

void face_source_close(face_source *s) {
    image_unref(&s->memory);
}
