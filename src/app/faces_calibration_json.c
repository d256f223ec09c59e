/* SPDX-License-Identifier: Apache-2.0 */
/* A calibration as JSON. */
#include "app/faces_calibrate.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

#include "base/bytes.h"

static const char *const methods[] = {[FACE_LOGISTIC] = "logistic", [FACE_PAV] = "pav"};

static void write_num(json *j, const char *key, double x) {
    json_key(j, key);
    json_num(j, x);
}

static void write_knots(json *j, const face_calibration *c) {
    json_key(j, "knots");
    json_begin_array(j);
    for (uint32_t i = 0; i < c->n_knots; i++) {
        json_object_line(j);
        write_num(j, "score", c->knots[i].score);
        write_num(j, "log10_lr", c->knots[i].log10_lr);
        write_num(j, "lower", c->knots[i].lower);
        write_num(j, "upper", c->knots[i].upper);
        json_end(j, '}');
    }
    json_end(j, ']');
}

void faces_calibration_write(json *j, const face_calibration *c) {
    char hex[2 * sizeof(c->version.model) + 1];

    bytes_hex(c->version.model, sizeof(c->version.model), hex);
    json_begin_object(j);
    json_key(j, "model");
    json_text(j, hex);
    write_num(j, "pipeline", c->version.pipeline);
    json_key(j, "method");
    json_text(j, methods[c->method]);
    write_num(j, "cap", c->cap);
    write_num(j, "cases", c->n_cases);
    write_num(j, "others", c->n_others);
    write_num(j, "true_pairs", (double)c->n_true);
    write_num(j, "false_pairs", (double)c->n_false);
    write_num(j, "cllr", c->cllr);
    write_num(j, "cllr_lower", c->cllr_lower);
    write_num(j, "cllr_upper", c->cllr_upper);
    write_num(j, "cllr_min", c->cllr_min);
    write_knots(j, c);
    json_end(j, '}');
}

/* NAN, which no check lets pass, where there is no number. */
static double num(const json_t *o, const char *key) {
    const json_t *v = json_object_get(o, key);

    return json_is_number(v) ? json_number_value(v) : NAN;
}

static bool whole(const json_t *o, const char *key, double most, double *ret) {
    *ret = num(o, key);
    return *ret >= 0 && *ret <= most && floor(*ret) == *ret;
}

static bool read_counts(const json_t *o, face_calibration *c) {
    double pipeline, n_cases, n_others, n_true, n_false;

    if (!whole(o, "pipeline", UINT32_MAX, &pipeline) ||
        !whole(o, "cases", FACE_PAIRS_MAX, &n_cases) ||
        !whole(o, "others", FACE_PAIRS_MAX, &n_others) ||
        !whole(o, "true_pairs", FACE_PAIRS_MAX, &n_true) ||
        !whole(o, "false_pairs", FACE_PAIRS_MAX, &n_false))
        return false;
    c->version.pipeline = (uint32_t)pipeline;
    c->n_cases = (uint32_t)n_cases;
    c->n_others = (uint32_t)n_others;
    c->n_true = (uint64_t)n_true;
    c->n_false = (uint64_t)n_false;
    return true;
}

static bool read_words(const json_t *o, face_calibration *c) {
    const char *model = json_string_value(json_object_get(o, "model"));
    const char *method = json_string_value(json_object_get(o, "method"));

    if (!model || !method ||
        !bytes_from_hex(atg_str_of(model), c->version.model, sizeof(c->version.model)))
        return false;
    for (int i = 0; i < 2; i++)
        if (strcmp(method, methods[i]) == 0) {
            c->method = (face_method)i;
            return true;
        }
    return false;
}

static bool read_knots(const json_t *all, face_calibration *c) {
    if (!json_is_array(all) || json_array_size(all) > FACE_KNOTS_MAX)
        return false;
    c->n_knots = (uint32_t)json_array_size(all);
    for (uint32_t i = 0; i < c->n_knots; i++) {
        const json_t *k = json_array_get(all, i);

        c->knots[i] =
            (face_knot){num(k, "score"), num(k, "log10_lr"), num(k, "lower"), num(k, "upper")};
    }
    return true;
}

int faces_calibration_read(atg_str text, face_calibration *ret, atg_err *err) {
    json_t *o = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
    face_calibration c = {.cap = num(o, "cap"),
                          .cllr = num(o, "cllr"),
                          .cllr_lower = num(o, "cllr_lower"),
                          .cllr_upper = num(o, "cllr_upper"),
                          .cllr_min = num(o, "cllr_min")};
    bool fine = read_words(o, &c) && read_counts(o, &c) &&
                read_knots(json_object_get(o, "knots"), &c) && isfinite(c.cllr) &&
                isfinite(c.cllr_lower) && isfinite(c.cllr_upper) && isfinite(c.cllr_min);

    json_decref(o);
    if (!fine)
        return atg_fail(err, ATG_EINVAL,
                        "The stored calibration of faces cannot be read: fit it again");
    if (face_calibration_check(&c, err))
        return ATG_EINVAL;
    *ret = c;
    return ATG_OK;
}
