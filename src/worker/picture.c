/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/image.h"
#include "worker/sandbox.h"

enum {
    UPRIGHT = 1,
    LYING = 5, /* from here on orientations swap the sides */
    SMALL_QUALITY = 80,
    SEAL_CELLS = 6, /* a seal image has no more than so many of them on its longer side */
    SEAL_FINER = 4,
    SEAL_LEAST = 8, /* pixels that become one, at least */
    PNG_EFFORT = 6,
};

typedef struct job {
    const work *w;
    frame_picture ask;
    image_facts facts;
    atg_str bytes;
    atg_arena *arena; /* a bitmap's pixels */
    VipsImage *held;  /* the whole picture in memory, upright, where it must be; else NULL */
    frame_done *done;
} job;

/* ---- bytes on their way out, as they are made ---- */

typedef struct outlet {
    const work *w;
    frame_part what;
    uint64_t left;
    bool too_long, gone;
} outlet;

static gint64 on_write(VipsTargetCustom *target, void *bytes, gint64 n, void *user) {
    outlet *o = user;

    (void)target;
    if ((uint64_t)n > o->left) {
        o->too_long = true;
        return -1;
    }
    o->left -= (uint64_t)n;
    o->gone = work_part(o->w, o->what, (atg_str){bytes, (size_t)n}, NULL) != ATG_OK;
    return o->gone ? -1 : n;
}

/* Without the second pass that makes a JPEG a little smaller: it would hold the whole picture. */
static int save(VipsImage *im, worker_format format, uint32_t quality, outlet *o, atg_err *err) {
    VipsTargetCustom *target = vips_target_custom_new();
    int bad;

    g_signal_connect(target, "write", G_CALLBACK(on_write), o);
    bad = format == WORKER_PNG ? vips_pngsave_target(im, VIPS_TARGET(target), "strip", TRUE,
                                                     "compression", PNG_EFFORT, NULL)
                               : vips_jpegsave_target(im, VIPS_TARGET(target), "strip", TRUE, "Q",
                                                      (int)quality, NULL);
    g_object_unref(target);
    if (o->too_long)
        return atg_fail(err, ATG_ELIMIT, "What becomes of this picture is too long");
    if (o->gone)
        return atg_fail(err, ATG_EIO, "The parent is gone");
    return bad ? image_fail(err) : ATG_OK;
}

static int put(const job *j, VipsImage *im, frame_part what, worker_format format, uint32_t quality,
               atg_err *err) {
    outlet o = {j->w, what, what == FRAME_RESULT ? j->ask.clean_max : UINT32_MAX, false, false};
    frame_done_image *told = &j->done->images[what - FRAME_RESULT];
    IMAGE_AUTO flat = NULL;

    if (!im || (format == WORKER_JPEG && image_flatten(im, &flat)))
        return image_fail(err);
    *told = (frame_done_image){format, (uint32_t)im->Xsize, (uint32_t)im->Ysize};
    return save(flat ? flat : im, format, quality, &o, err);
}

/* ---- turning ---- */

/* Whatever is turned, or costly to read twice, is read into memory once. */
static int hold(job *j, atg_err *err) {
    bool whole = j->facts.format == WORKER_HEIC || j->facts.format == WORKER_BMP ||
                 (j->ask.clean && j->facts.orientation != UPRIGHT);
    IMAGE_AUTO im = NULL;
    IMAGE_AUTO memory = NULL;
    int rc;

    if (!whole)
        return ATG_OK;
    rc = image_open(j->bytes, &j->facts, 1, j->arena, &im, err);
    if (rc)
        return rc;
    memory = vips_image_copy_memory(im);
    return memory && !image_turn(memory, j->facts.orientation, &j->held) ? ATG_OK : image_fail(err);
}

/* ---- what was asked for ---- */

static int source(const job *j, uint32_t shrink, VipsImage **ret, atg_err *err) {
    if (!j->held)
        return image_open(j->bytes, &j->facts, shrink, j->arena, ret, err);
    *ret = j->held;
    g_object_ref(*ret);
    return ATG_OK;
}

static int put_clean(job *j, atg_err *err) {
    worker_format format = j->ask.clean == WORKER_CLEAN_JPEG                       ? WORKER_JPEG
                           : j->ask.clean == WORKER_CLEAN_PNG                      ? WORKER_PNG
                           : j->facts.format == WORKER_PNG || j->facts.transparent ? WORKER_PNG
                                                                                   : WORKER_JPEG;
    IMAGE_AUTO im = NULL;
    int rc = source(j, 1, &im, err);

    return rc ? rc : put(j, im, FRAME_RESULT, format, j->ask.quality, err);
}

/* What a JPEG may be halved by while it is read, so that `side` pixels are left twice. */
static uint32_t shrink_for(const job *j, uint32_t side) {
    uint32_t longer = j->facts.width > j->facts.height ? j->facts.width : j->facts.height,
             shrink = 1;

    while (j->facts.format == WORKER_JPEG && shrink < 8 && longer / (shrink * 2) >= side * 2)
        shrink *= 2;
    return shrink;
}

/* With at most `side` pixels on a side; never larger. */
static int fit(VipsImage *in, uint32_t side, VipsImage **ret) {
    return vips_thumbnail_image(in, ret, (int)side, "height", (int)side, "size", VIPS_SIZE_DOWN,
                                "no_rotate", TRUE, NULL);
}

/* The whole picture, upright, with at most `side` pixels on a side, in memory. */
static int make_small(job *j, uint32_t side, VipsImage **ret, atg_err *err) {
    IMAGE_AUTO im = NULL;
    IMAGE_AUTO small = NULL;
    IMAGE_AUTO memory = NULL;
    int rc = source(j, shrink_for(j, side), &im, err);

    if (rc)
        return rc;
    if (fit(im, side, &small) || !(memory = vips_image_copy_memory(small)) ||
        image_turn(memory, j->held ? UPRIGHT : j->facts.orientation, ret))
        return image_fail(err);
    return ATG_OK;
}

/* Of `cells` along the longer side, how many stand along this one. */
static int cells_in(int side, int longer, int cells) {
    int n = cells * side / longer;

    return n ? n : 1;
}

/* To so many pixels, or as many as there are. */
static int shrink_to(VipsImage *in, int across, int down, VipsImage **ret) {
    double x = (double)in->Xsize / across, y = (double)in->Ysize / down;

    return vips_shrink(in, ret, x < 1 ? 1 : x, y < 1 ? 1 : y, NULL);
}

/* Of the picture there are no more than SEAL_CELLS colours along a side, each a mean around a
 * place, of SEAL_LEAST pixels or more: what was in it cannot be seen, and cannot be computed.  The
 * blur between the two steps keeps patterns from beating with the cells; the last one hides the
 * cells. */
static int blur(VipsImage *in, VipsImage **ret) {
    int longer = in->Xsize > in->Ysize ? in->Xsize : in->Ysize;
    int cells = longer / SEAL_LEAST < SEAL_CELLS ? longer / SEAL_LEAST : SEAL_CELLS;
    int across = cells_in(in->Xsize, longer, cells), down = cells_in(in->Ysize, longer, cells);
    int finer = cells == SEAL_CELLS ? SEAL_FINER : 1;
    IMAGE_AUTO flat = NULL;
    IMAGE_AUTO fine = NULL;
    IMAGE_AUTO soft = NULL;
    IMAGE_AUTO means = NULL;
    IMAGE_AUTO kept = NULL;
    IMAGE_AUTO large = NULL;

    if (image_flatten(in, &flat) || shrink_to(flat, across * finer, down * finer, &fine) ||
        vips_gaussblur(fine, &soft, (double)SEAL_FINER / 2, NULL) ||
        shrink_to(soft, across, down, &means) || !(kept = vips_image_copy_memory(means)))
        return -1;
    return vips_resize(kept, &large, (double)in->Xsize / kept->Xsize, "vscale",
                       (double)in->Ysize / kept->Ysize, "kernel", VIPS_KERNEL_LINEAR, NULL) ||
           vips_gaussblur(large, ret, (double)longer / SEAL_CELLS / 2, NULL);
}

static int put_thumbnail(job *j, VipsImage *small, atg_err *err) {
    IMAGE_AUTO fitted = NULL;

    if (fit(small, j->ask.thumbnail, &fitted))
        return image_fail(err);
    return put(j, fitted, FRAME_THUMBNAIL, WORKER_JPEG, SMALL_QUALITY, err);
}

static int put_seal(job *j, VipsImage *small, atg_err *err) {
    IMAGE_AUTO fitted = NULL;
    IMAGE_AUTO seal = NULL;

    if (fit(small, j->ask.seal, &fitted) || !fitted || blur(fitted, &seal))
        return image_fail(err);
    return put(j, seal, FRAME_SEAL, WORKER_JPEG, SMALL_QUALITY, err);
}

/* Both of them from one reading of the file. */
static int put_small(job *j, atg_err *err) {
    uint32_t side = j->ask.thumbnail > j->ask.seal ? j->ask.thumbnail : j->ask.seal;
    IMAGE_AUTO small = NULL;
    int rc = make_small(j, side, &small, err);

    if (rc == ATG_OK && j->ask.thumbnail)
        rc = put_thumbnail(j, small, err);
    if (rc == ATG_OK && j->ask.seal)
        rc = put_seal(j, small, err);
    return rc;
}

/* Whoever wants no picture wants to know whether it is one. */
static int decode_only(job *j, atg_err *err) {
    IMAGE_AUTO im = NULL;
    double mean;
    int rc = source(j, 1, &im, err);

    return rc == ATG_OK && vips_avg(im, &mean, NULL) ? image_fail(err) : rc;
}

static int answer(job *j, atg_err *err) {
    bool lying = j->facts.orientation >= LYING;
    int rc = hold(j, err);

    if (rc == ATG_OK && j->ask.clean)
        rc = put_clean(j, err);
    if (rc == ATG_OK && (j->ask.thumbnail || j->ask.seal))
        rc = put_small(j, err);
    if (rc == ATG_OK && !j->ask.clean && !j->ask.thumbnail && !j->ask.seal)
        rc = decode_only(j, err);
    if (rc)
        return rc;
    j->done->format = j->facts.format;
    j->done->width = lying ? j->facts.height : j->facts.width;
    j->done->height = lying ? j->facts.width : j->facts.height;
    j->done->orientation = j->facts.orientation;
    j->done->frames = j->facts.frames;
    return ATG_OK;
}

int work_picture(const work *w, frame_done *ret, atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(SIZE_MAX);
    job j = {.w = w, .arena = arena, .done = ret};
    int rc = frame_get_picture(w->body, &j.ask, err);

    if (rc)
        return rc;
    if (!arena || w->n != 1)
        return atg_fail(err, ATG_EINVAL, "A picture is one file");
    sandbox_time(j.ask.milliseconds);
    j.bytes = w->files[0];
    rc = image_look(j.bytes, j.ask.pixels, &j.facts, err);
    if (rc == ATG_OK)
        rc = answer(&j, err);
    image_unref(&j.held);
    return rc;
}
