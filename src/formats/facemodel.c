/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/facemodel.h"

#include <math.h>
#include <sodium.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "formats/jsonin.h"

enum { STEP_MAX = 32, TEXT_BYTES = 1000 };

/* Every key is known, or how pictures are prepared is not. */
static int only(jin *j, const json_t *v, const char *const *keys) {
    const char *name;
    json_t *member;

    json_object_foreach(json_iterable(v), name, member) {
        const char *const *k = keys;

        while (*k && strcmp(*k, name) != 0)
            k++;
        if (!*k)
            return jin_fail_key(j, name, ATG_EINVAL, "This version knows no such key");
    }
    return ATG_OK;
}

static int keep_text(jin *j, const json_t *v, const char *key, jin_need need, atg_str *ret) {
    atg_str s = {0};
    int rc = jin_get_text(j, v, key, need, &s);

    if (rc || !s.p)
        return rc;
    if ((s.n == 0 && need) || s.n > TEXT_BYTES)
        return jin_fail_key(j, key, ATG_EINVAL, "A text of 1 to %d bytes is needed", TEXT_BYTES);
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
            return jin_fail_key(j, key, ATG_EINVAL, "Control characters have no place here");
    *ret = s;
    return jin_keep(j, ret);
}

static int one_of(jin *j, const json_t *v, const char *key, const char *const *words, uint32_t n,
                  uint32_t *ret) {
    atg_str s = {0};
    int rc = jin_get_text(j, v, key, JIN_REQUIRED, &s);

    if (rc)
        return rc;
    for (uint32_t i = 0; i < n; i++)
        if (atg_str_eq(s, atg_str_of(words[i]))) {
            *ret = i;
            return ATG_OK;
        }
    return jin_fail_key(j, key, ATG_EINVAL,
                        n == 1 ? "\"%s\" is what is known" : "\"%s\" or \"%s\" is needed", words[0],
                        words[n - 1]);
}

static int read_three(jin *j, const json_t *v, const char *key, double least, double ret[3]) {
    const json_t *list = json_object_get(v, key);

    if (!json_is_array(list) || json_array_size(list) != 3)
        return jin_fail_key(j, key, ATG_EPARSE, "A list of three numbers is needed");
    for (size_t i = 0; i < 3; i++) {
        const json_t *x = json_array_get(list, i);

        ret[i] = json_number_value(x);
        if (!json_is_number(x) || !(ret[i] >= least) || !(ret[i] <= 1e6))
            return jin_fail_key(j, key, ATG_EINVAL, "Number %zu is out of range", i + 1);
    }
    return ATG_OK;
}

static int read_numbers(jin *j, const json_t *v, facemodel_input *ret) {
    int rc = jin_get_number(j, v, "divisor", JIN_REQUIRED, &ret->divisor);

    if (!rc && !(ret->divisor >= 1e-6 && ret->divisor <= 1e6))
        rc = jin_fail_key(j, "divisor", ATG_EINVAL, "It is out of range");
    if (!rc)
        rc = read_three(j, v, "mean", -1e6, ret->mean);
    return rc ? rc : read_three(j, v, "std", 1e-6, ret->std);
}

static int read_size(jin *j, const json_t *v, facemodel *m) {
    static const char *const template[] = {"arcface"};
    uint32_t width = 0, height = 0, any;
    int rc;

    if (m->kind == FACEMODEL_DETECTOR) {
        rc = jin_get_count(j, v, "multiple_of", JIN_REQUIRED, &m->input.step);
        if (!rc && (m->input.step == 0 || m->input.step > STEP_MAX))
            rc = jin_fail_key(j, "multiple_of", ATG_EINVAL, "1 to %d is needed", STEP_MAX);
        return rc;
    }
    rc = jin_get_count(j, v, "width", JIN_REQUIRED, &width);
    if (!rc)
        rc = jin_get_count(j, v, "height", JIN_REQUIRED, &height);
    if (!rc && (width != FACEMODEL_ALIGNED || height != FACEMODEL_ALIGNED))
        rc = jin_fail_key(j, "width", ATG_EINVAL, "Faces are aligned to %d by %d pixels",
                          FACEMODEL_ALIGNED, FACEMODEL_ALIGNED);
    m->input.aligned = FACEMODEL_ALIGNED;
    return rc ? rc : one_of(j, v, "alignment", template, 1, &any);
}

static int read_input(jin *j, const json_t *root, facemodel *m) {
    static const char *const keys[] = {"layout",      "colour", "divisor", "mean",      "std",
                                       "multiple_of", "width",  "height",  "alignment", NULL};
    static const char *const layouts[] = {"NCHW"};
    static const char *const colours[] = {"RGB", "BGR"};
    const json_t *v = json_object_get(root, "input");
    uint32_t any, colour = 0;
    int rc;

    jin_key(j, "input");
    rc = jin_is_object(j, v);
    if (!rc)
        rc = only(j, v, keys);
    if (!rc)
        rc = one_of(j, v, "layout", layouts, 1, &any);
    if (!rc)
        rc = one_of(j, v, "colour", colours, 2, &colour);
    if (!rc)
        rc = read_numbers(j, v, &m->input);
    if (!rc)
        rc = read_size(j, v, m);
    m->input.bgr = colour == 1;
    jin_up(j);
    return rc;
}

static int read_output(jin *j, const json_t *root, facemodel *m) {
    static const char *const of_detector[] = {"decoder", NULL};
    static const char *const of_embedder[] = {"dimension", "flip_add", NULL};
    static const char *const decoders[] = {"yunet"};
    const json_t *v = json_object_get(root, "output");
    bool detector = m->kind == FACEMODEL_DETECTOR;
    uint32_t any;
    int rc;

    jin_key(j, "output");
    rc = jin_is_object(j, v);
    if (!rc)
        rc = only(j, v, detector ? of_detector : of_embedder);
    if (!rc)
        rc = detector ? one_of(j, v, "decoder", decoders, 1, &any)
                      : jin_get_count(j, v, "dimension", JIN_REQUIRED, &m->dimension);
    if (!rc && !detector &&
        (m->dimension == 0 || m->dimension % FACEMODEL_DIMENSION_STEP ||
         m->dimension > FACEMODEL_DIMENSION))
        rc = jin_fail_key(j, "dimension", ATG_EINVAL, "A multiple of %d up to %d is needed",
                          FACEMODEL_DIMENSION_STEP, FACEMODEL_DIMENSION);
    if (!rc)
        rc = jin_get_bool(j, v, "flip_add", &m->flip_add);
    jin_up(j);
    return rc;
}

/* A name, never a way to another folder. */
static bool plain_name(atg_str s) {
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == '/' || s.p[i] == '\\')
            return false;
    return s.n > 5 && s.n < 200 && s.p[0] != '.' && memcmp(s.p + s.n - 5, ".onnx", 5) == 0;
}

static int read_file(jin *j, const json_t *root, facemodel *m) {
    static const char scheme[] = "https://";
    atg_str sha = {0};
    double bytes = 0;
    int rc = keep_text(j, root, "file", JIN_REQUIRED, &m->file);

    if (!rc && !plain_name(m->file))
        rc = jin_fail_key(j, "file", ATG_EINVAL, "A name that ends in .onnx, without a folder");
    if (!rc)
        rc = jin_get_number(j, root, "bytes", JIN_REQUIRED, &bytes);
    if (!rc && !(bytes >= 1 && bytes <= FACEMODEL_FILE && floor(bytes) == bytes))
        rc = jin_fail_key(j, "bytes", ATG_EINVAL, "1 to %d is needed", FACEMODEL_FILE);
    m->bytes = rc ? 0 : (uint64_t)bytes;
    if (!rc)
        rc = jin_get_text(j, root, "sha256", JIN_REQUIRED, &sha);
    if (!rc && !bytes_from_hex(sha, m->sha256, FACEMODEL_SHA))
        rc = jin_fail_key(j, "sha256", ATG_EINVAL, "%d lower-case hexadecimal digits are needed",
                          2 * FACEMODEL_SHA);
    if (!rc)
        rc = keep_text(j, root, "url", JIN_OPTIONAL, &m->url);
    if (!rc && m->url.n &&
        (m->url.n < sizeof(scheme) || memcmp(m->url.p, scheme, sizeof(scheme) - 1) != 0))
        rc = jin_fail_key(j, "url", ATG_EINVAL, "It must begin with https://");
    return rc;
}

static int read_facts(jin *j, const json_t *root, facemodel *m) {
    static const struct {
        const char *key;
        size_t at;
    } texts[] = {{"name", offsetof(facemodel, name)},
                 {"version", offsetof(facemodel, version)},
                 {"licence", offsetof(facemodel, licence)},
                 {"trained_on", offsetof(facemodel, trained_on)},
                 {"origin", offsetof(facemodel, origin)}};
    int rc = ATG_OK;

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts) && !rc; i++)
        rc = keep_text(j, root, texts[i].key, JIN_REQUIRED,
                       (atg_str *)((char *)m + texts[i].at)); /* NOLINT(bugprone-casting*) */
    return rc;
}

static int read_calibration(jin *j, const json_t *root, facemodel *m) {
    const json_t *v = json_object_get(root, "calibration");
    char *text;

    if (!v)
        return ATG_OK;
    if (!json_is_object(v))
        return jin_fail_key(j, "calibration", ATG_EPARSE, "An object is needed");
    text = json_dumps(v, JSON_COMPACT);
    if (!text)
        return jin_nomem(j);
    m->calibration = atg_arena_str(j->arena, atg_str_of(text));
    mem_free(text);
    return m->calibration.p ? ATG_OK : jin_nomem(j);
}

static int read_manifest(jin *j, const json_t *root, facemodel *m) {
    static const char *const keys[] = {"schema",  "name",       "version", "kind",        "file",
                                       "bytes",   "sha256",     "url",     "input",       "output",
                                       "licence", "trained_on", "origin",  "calibration", NULL};
    static const char *const schemas[] = {"antigone-face-model/1"};
    static const char *const kinds[] = {"detector", "embedder"};
    uint32_t any, kind = 0;
    int rc = only(j, root, keys);

    if (!rc)
        rc = one_of(j, root, "schema", schemas, 1, &any);
    if (!rc)
        rc = one_of(j, root, "kind", kinds, 2, &kind);
    m->kind = kind == 0 ? FACEMODEL_DETECTOR : FACEMODEL_EMBEDDER;
    if (!rc)
        rc = read_facts(j, root, m);
    if (!rc)
        rc = read_file(j, root, m);
    if (!rc)
        rc = read_input(j, root, m);
    if (!rc)
        rc = read_output(j, root, m);
    return rc ? rc : read_calibration(j, root, m);
}

int facemodel_read(atg_arena *arena, atg_str json, facemodel *ret, atg_err *err) {
    json_auto_t *root = NULL;
    facemodel m = {.kind = FACEMODEL_DETECTOR};
    jin j;
    int rc;

    if (json.n > FACEMODEL_MANIFEST)
        return atg_fail(err, ATG_ELIMIT, "A manifest has at most %d KiB", FACEMODEL_MANIFEST >> 10);
    rc = jin_open(&j, arena, json, NULL, err);
    if (!rc)
        rc = jin_load(&j, j.whole, &root);
    if (!rc)
        rc = read_manifest(&j, root, &m);
    if (rc)
        return rc;
    *ret = m;
    return ATG_OK;
}

int facemodel_check(const facemodel *m, atg_str bytes, atg_err *err) {
    unsigned char sha[FACEMODEL_SHA];
    char is[FACEMODEL_SHA_TEXT], wanted[FACEMODEL_SHA_TEXT];

    if (bytes.n != m->bytes)
        return atg_fail(err, ATG_EINVAL,
                        "What is given as %.*s has %zu bytes, its manifest says %llu: it is not "
                        "the network of that manifest, or was cut off",
                        ATG_FMT(m->file), bytes.n, (unsigned long long)m->bytes);
    (void)crypto_hash_sha256(sha, (const unsigned char *)bytes.p, bytes.n);
    if (memcmp(sha, m->sha256, sizeof(sha)) == 0)
        return ATG_OK;
    bytes_hex(sha, sizeof(sha), is);
    bytes_hex(m->sha256, sizeof(sha), wanted);
    return atg_fail(err, ATG_EINVAL,
                    "What is given as %.*s has the SHA-256 %s, its manifest says %s: it is not the "
                    "network of that manifest",
                    ATG_FMT(m->file), is, wanted);
}
