/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/image.h"

#include <string.h>

#include "formats/bmp.h"
#include "formats/picture.h"

enum { BANDS_MAX = 5, UPRIGHT = 1, HEADER_BYTES = 12 };

static const struct {
    const char *begins;
    size_t n;
    const char *name;
} others[] = {
    {"GIF8", 4, "a GIF"},
    {"%PDF", 4, "a PDF"},
    {"8BPS", 4, "a Photoshop file"},
    {"II+\0", 4, "a BigTIFF"},
    {"MM\0+", 4, "a BigTIFF"},
    {"\0\0\0\x0cJXL ", 8, "a JPEG XL"},
    {"\xff\x0a", 2, "a JPEG XL"},
    {"\0\0\0\x0cjP  ", 8, "a JPEG 2000"},
    {"\xff\x4f\xff\x51", 4, "a JPEG 2000"},
    {"DICM", 4, "a DICOM file"},
    {"PK\3\4", 4, "a ZIP archive"},
    {"\x1f\x8b", 2, "a gzip archive"},
    {"v/1\1", 4, "an OpenEXR"},
    {"<", 1, "a text, perhaps SVG or HTML"},
    {"\x7f"
     "ELF",
     4, "a program"},
    {"MZ", 2, "a program"},
};

static bool begins(atg_str bytes, size_t at, const char *with, size_t n) {
    return bytes.n >= at + n && memcmp(bytes.p + at, with, n) == 0;
}

/* Brands of ISO 23008-12.  A sequence is a film. */
static int kind_of_brand(atg_str bytes, worker_format *ret, atg_err *err) {
    static const char still[][5] = {"heic", "heix", "heim", "heis", "mif1"};
    static const char film[][5] = {"hevc", "hevx", "hevm", "hevs", "msf1"};
    char brand[5] = {0};

    memcpy(brand, bytes.p + 8, 4);
    for (size_t i = 0; i < sizeof(still) / sizeof(*still); i++)
        if (memcmp(brand, still[i], 4) == 0) {
            *ret = WORKER_HEIC;
            return ATG_OK;
        }
    for (size_t i = 0; i < sizeof(film) / sizeof(*film); i++)
        if (memcmp(brand, film[i], 4) == 0)
            return atg_fail(err, ATG_EINVAL, "This is a sequence of pictures: give single ones");
    for (int i = 0; i < 4; i++)
        if (brand[i] < ' ' || brand[i] > '~')
            brand[i] = '?';
    return atg_fail(err, ATG_EINVAL,
                    "This is a film or a picture of the kind \"%s\": only JPEG, "
                    "PNG, WebP, HEIC, TIFF and BMP are read",
                    brand);
}

int image_kind(atg_str bytes, worker_format *ret, atg_err *err) {
    static const struct {
        const char *begins;
        size_t n;
        worker_format format;
    } kinds[] = {
        {"\xff\xd8", 2, WORKER_JPEG}, {"\x89PNG\r\n\x1a\n", 8, WORKER_PNG},
        {"II*\0", 4, WORKER_TIFF},    {"MM\0*", 4, WORKER_TIFF},
        {"BM", 2, WORKER_BMP},
    };

    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
        if (begins(bytes, 0, kinds[i].begins, kinds[i].n)) {
            *ret = kinds[i].format;
            return ATG_OK;
        }
    if (begins(bytes, 0, "RIFF", 4) && begins(bytes, 8, "WEBP", 4)) {
        *ret = WORKER_WEBP;
        return ATG_OK;
    }
    if (bytes.n >= HEADER_BYTES && begins(bytes, 4, "ftyp", 4))
        return kind_of_brand(bytes, ret, err);
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        if (begins(bytes, 0, others[i].begins, others[i].n))
            return atg_fail(err, ATG_EINVAL,
                            "This is %s: only JPEG, PNG, WebP, HEIC, TIFF and BMP "
                            "are read",
                            others[i].name);
    return atg_fail(err, ATG_EINVAL,
                    "This is no picture of a kind that is read: JPEG, PNG, WebP, "
                    "HEIC, TIFF or BMP");
}

/* The first line of it: what went wrong first. */
int image_fail(atg_err *err) {
    atg_str said = atg_str_of(vips_error_buffer());
    atg_str line = atg_str_trim(atg_str_cut(&said, '\n'));
    int rc;

    /* each decoder has its own words for it */
    if (strcasestr(vips_error_buffer(), "out of memory") ||
        strstr(vips_error_buffer(), "Insufficient memory") || line.n == 0)
        rc = atg_fail(err, ATG_ELIMIT, "This picture needs more memory than the worker may use");
    else
        rc = atg_fail(err, ATG_EPARSE, "This picture is damaged or cut off (%.*s)",
                      line.n > 200 ? 200 : (int)line.n, line.p);
    vips_error_clear();
    return rc;
}

/* libvips takes what it only reads as not const. */
static void *reading(atg_str bytes) {
    void *p;

    memcpy(&p, &bytes.p, sizeof(p));
    return p;
}

/* Its header only, until pixels are pulled.  Warnings count: a decoder that warns has made up what
 * was not there. */
static int load(atg_str bytes, worker_format format, uint32_t shrink, VipsImage **ret) {
    void *p = reading(bytes);
    const VipsAccess access = VIPS_ACCESS_SEQUENTIAL;
    const VipsFailOn fail = VIPS_FAIL_ON_WARNING;

    switch (format) {
    case WORKER_JPEG:
        return vips_jpegload_buffer(p, bytes.n, ret, "access", access, "fail_on", fail, "shrink",
                                    (int)shrink, NULL);
    case WORKER_PNG:
        return vips_pngload_buffer(p, bytes.n, ret, "access", access, "fail_on", fail, NULL);
    case WORKER_WEBP:
        return vips_webpload_buffer(p, bytes.n, ret, "access", access, "fail_on", fail, NULL);
    case WORKER_HEIC:
        return vips_heifload_buffer(p, bytes.n, ret, "access", access, "fail_on", fail, NULL);
    case WORKER_TIFF:
        return vips_tiffload_buffer(p, bytes.n, ret, "access", access, "fail_on", fail, NULL);
    case WORKER_BMP:
        break;
    }
    return -1;
}

/* ---- what it says of itself ---- */

/* The formats of the store are taken apart by our own readers first, which know no codec. */
static int look_at_structure(atg_str bytes, image_facts *f, atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(bytes.n + (1 << 20));
    picture p;
    int rc = arena ? picture_strip(arena, bytes, &p, err)
                   : atg_fail(err, ATG_ENOMEM, "Out of memory for a picture");

    if (rc)
        return rc;
    f->width = p.width;
    f->height = p.height;
    f->orientation = p.orientation;
    return ATG_OK;
}

static int check_header(const VipsImage *im, image_facts *f, atg_err *err) {
    bool told = f->width != 0;
    uint32_t width = (uint32_t)im->Xsize, height = (uint32_t)im->Ysize;

    if (told && (width != f->width || height != f->height))
        return atg_fail(err, ATG_EPARSE, "This picture says that it has %u x %u pixels and %u x %u",
                        f->width, f->height, width, height);
    if (im->Bands > BANDS_MAX || vips_band_format_iscomplex(im->BandFmt))
        return atg_fail(err, ATG_EINVAL, "This picture has %d channels, or such as no camera makes",
                        im->Bands);
    f->width = width;
    f->height = height;
    return ATG_OK;
}

static int check_pixels(const image_facts *f, uint64_t pixels, atg_err *err) {
    if ((uint64_t)f->width * f->height <= pixels)
        return ATG_OK;
    return atg_fail(err, ATG_ELIMIT, "This picture has %u x %u pixels: at most %llu are accepted",
                    f->width, f->height, (unsigned long long)pixels);
}

static int whole_number(VipsImage *im, const char *name, int lo, int hi, int otherwise) {
    int x = otherwise;

    if (!vips_image_get_typeof(im, name) || vips_image_get_int(im, name, &x) || x < lo || x > hi)
        return otherwise;
    return x;
}

static int look_at_header(atg_str bytes, uint64_t pixels, image_facts *f, atg_err *err) {
    IMAGE_AUTO im = NULL;
    int rc;

    if (f->width && check_pixels(f, pixels, err))
        return ATG_ELIMIT;
    if (load(bytes, f->format, 1, &im))
        return image_fail(err);
    rc = check_header(im, f, err);
    if (rc)
        return rc;
    f->transparent = vips_image_hasalpha(im);
    f->frames = (uint32_t)whole_number(im, VIPS_META_N_PAGES, 1, INT32_MAX, 1);
    /* of HEIC the decoder turns the picture itself, and the EXIF in it says what it was before */
    if (f->format == WORKER_TIFF)
        f->orientation = (uint32_t)whole_number(im, VIPS_META_ORIENTATION, 1, 8, UPRIGHT);
    return check_pixels(f, pixels, err);
}

static int look_at_bitmap(atg_str bytes, uint64_t pixels, image_facts *f, atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(SIZE_MAX);
    bmp b;
    int rc = arena ? bmp_read(arena, bytes, pixels, &b, err)
                   : atg_fail(err, ATG_ENOMEM, "Out of memory for a picture");

    if (rc)
        return rc;
    f->width = b.width;
    f->height = b.height;
    return ATG_OK;
}

int image_look(atg_str bytes, uint64_t pixels, image_facts *ret, atg_err *err) {
    image_facts f = {.orientation = UPRIGHT, .frames = 1};
    int rc = image_kind(bytes, &f.format, err);

    if (rc == ATG_OK && f.format == WORKER_HEIC &&
        !vips_type_find("VipsOperation", "heifload_buffer"))
        return atg_fail(err, ATG_EINVAL, "The libvips of this machine reads no HEIC");
    if (rc == ATG_OK &&
        (f.format == WORKER_JPEG || f.format == WORKER_PNG || f.format == WORKER_WEBP))
        rc = look_at_structure(bytes, &f, err);
    if (rc == ATG_OK)
        rc = f.format == WORKER_BMP ? look_at_bitmap(bytes, pixels, &f, err)
                                    : look_at_header(bytes, pixels, &f, err);
    if (rc == ATG_OK)
        *ret = f;
    return rc;
}

/* ---- its pixels ---- */

/* A profile that does not fit the picture is as good as none. */
static int to_srgb(VipsImage *in, VipsImage **ret) {
    IMAGE_AUTO colours = NULL;

    if (vips_image_get_typeof(in, VIPS_META_ICC_NAME) &&
        vips_icc_transform(in, &colours, "srgb", "embedded", TRUE, "depth", 8, NULL)) {
        vips_error_clear();
        image_unref(&colours);
    }
    if (!colours && vips_colourspace(in, &colours, VIPS_INTERPRETATION_sRGB, NULL))
        return -1;
    return vips_cast_uchar(colours, ret, NULL);
}

static int open_bitmap(atg_str bytes, const image_facts *f, atg_arena *arena, VipsImage **ret,
                       atg_err *err) {
    bmp b;
    int rc = bmp_read(arena, bytes, UINT64_MAX, &b, err);

    if (rc)
        return rc;
    *ret = vips_image_new_from_memory(b.rgb, 3 * (size_t)f->width * f->height, (int)f->width,
                                      (int)f->height, 3, VIPS_FORMAT_UCHAR);
    if (!*ret)
        return image_fail(err);
    (*ret)->Type = VIPS_INTERPRETATION_sRGB;
    return ATG_OK;
}

int image_open(atg_str bytes, const image_facts *facts, uint32_t shrink, atg_arena *arena,
               VipsImage **ret, atg_err *err) {
    IMAGE_AUTO im = NULL;

    if (facts->format == WORKER_BMP)
        return open_bitmap(bytes, facts, arena, ret, err);
    return load(bytes, facts->format, shrink, &im) || to_srgb(im, ret) ? image_fail(err) : ATG_OK;
}

int image_turn(VipsImage *in, uint32_t orientation, VipsImage **ret) {
    IMAGE_AUTO copy = NULL;

    if (vips_copy(in, &copy, NULL))
        return -1;
    vips_image_set_int(copy, VIPS_META_ORIENTATION, (int)orientation);
    return vips_autorot(copy, ret, NULL);
}

int image_flatten(VipsImage *in, VipsImage **ret) {
    VipsArrayDouble *white = vips_array_double_newv(1, 255.0);
    int bad = vips_image_hasalpha(in) ? vips_flatten(in, ret, "background", white, NULL)
                                      : vips_copy(in, ret, NULL);

    vips_area_unref(VIPS_AREA(white));
    return bad;
}
