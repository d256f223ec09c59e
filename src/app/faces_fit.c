/* SPDX-License-Identifier: Apache-2.0 */
#include "app/faces_fit.h"

#include "app/cases_json.h"
#include "base/bytes.h"
#include "report/plot.h"

enum { PAGE_MAX = 1 << 20 };

static int no_memory(atg_err *err) {
    return atg_fail(err, ATG_ENOMEM, "Out of memory for plots");
}

/* The LRs of true pairs first, then of the others. */
static int split(atg_arena *arena, const faces_closed *closed, const double *lrs, plot_lrs *ret,
                 atg_err *err) {
    double *all = ATG_GET(arena, double, closed->n_pairs);
    uint64_t at = 0;

    if (!all)
        return no_memory(err);
    ret->of_true = all;
    for (int kind = 1; kind >= 0; kind--) {
        for (uint64_t i = 0; i < closed->n_pairs; i++)
            if ((closed->pairs[i].probe == closed->pairs[i].person) == kind)
                all[at++] = lrs[i];
        if (kind)
            ret->n_true = at;
    }
    ret->of_false = all + ret->n_true;
    ret->n_false = at - ret->n_true;
    return ATG_OK;
}

static void write_head(atg_buf *buf, const faces_fitted *f) {
    const face_calibration *c = &f->calibration;
    char hex[2 * sizeof(c->version.model) + 1];

    bytes_hex(c->version.model, sizeof(c->version.model), hex);
    atg_buf_printf(
        buf,
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Calibration of "
        "faces</title></head>\n<body style=\"font-family:system-ui,sans-serif;max-width:42em;"
        "margin:1em auto;color:#111;background:#fff\"><h1>Calibration of faces</h1>\n"
        "<p>%u closed cases of %u operation%s: %llu pairs of the same person, %llu of different "
        "persons. Network %s, pipeline %u.</p>\n",
        c->n_cases, f->n_operations, f->n_operations == 1 ? "" : "s", (unsigned long long)c->n_true,
        (unsigned long long)c->n_false, hex, c->version.pipeline);
    atg_buf_printf(
        buf,
        "<p>Cllr %.3f (95 %% interval %.3f to %.3f), of LRs capped at log10 LR \xc2\xb1%g; a Cllr "
        "of 1 says nothing, and with this cap none is below %.3f. Cllr_min %.3f: after the best "
        "monotone recalibration of the same scores, uncapped.</p>\n"
        "<p>In the first two plots each pair is weighed by a curve that was fitted without the "
        "persons of its tenth (cross-validation). A face is a lead, never an identification.</p>\n",
        c->cllr, c->cllr_lower, c->cllr_upper, c->cap, face_least_cllr(c->cap), c->cllr_min);
}

static int write_plots(atg_arena *arena, atg_buf *buf, const plot_lrs *lrs,
                       const face_calibration *c, atg_err *err) {
    plot_point *points = ATG_GET(arena, plot_point, c->n_knots);
    int rc;

    if (!points)
        return no_memory(err);
    for (uint32_t i = 0; i < c->n_knots; i++)
        points[i] = (plot_point){c->knots[i].score, c->knots[i].log10_lr, c->knots[i].lower,
                                 c->knots[i].upper};
    rc = plot_tippett(lrs, buf, err);
    if (!rc)
        rc = plot_reliability(lrs, buf, err);
    return rc ? rc : plot_calibration(points, c->n_knots, c->cap, buf, err);
}

static int draw(atg_arena *arena, const faces_closed *closed, const double *lrs, faces_fitted *f,
                atg_err *err) {
    plot_lrs of = {.n_cases = f->calibration.n_cases,
                   .n_others = f->calibration.n_others,
                   .cap = f->calibration.cap};
    ATG_AUTO(atg_buf) buf = atg_buf_new(PAGE_MAX);
    atg_str page;
    int rc = buf ? split(arena, closed, lrs, &of, err) : no_memory(err);

    if (rc)
        return rc;
    write_head(buf, f);
    rc = write_plots(arena, buf, &of, &f->calibration, err);
    atg_buf_adds(buf, "</body></html>\n");
    if (!rc)
        rc = atg_buf_take(buf, &page, err);
    if (!rc)
        f->page = atg_arena_str(arena, page);
    return rc || f->page.p ? rc : no_memory(err);
}

int faces_fit(cases *c, const actor *who, atg_arena *arena, const uuid *operation,
              const faces_fit_wish *wish, faces_fitted *ret, atg_err *err) {
    face_calibrate_options o = {.method = FACE_LOGISTIC, .cap = wish->cap, .seed = 1};
    faces_closed closed;
    faces_fitted made = {.page = {NULL, 0}};
    int rc = faces_closed_of(c, who, arena, operation, &closed, err);

    if (!rc && wish->plots) {
        o.lrs = ATG_GET(arena, double, closed.n_pairs + 1);
        if (!o.lrs)
            rc = no_memory(err);
    }
    if (!rc)
        rc = faces_calibrate(c, who, arena, &closed, &o, &made.calibration, err);
    if (rc)
        return rc;
    made.n_operations = closed.n_operations;
    made.n_denied = closed.n_denied;
    rc = wish->plots ? draw(arena, &closed, o.lrs, &made, err) : ATG_OK;
    if (!rc)
        *ret = made;
    return rc;
}

void faces_fitted_write(json *j, const faces_fitted *f) {
    json_begin_object(j);
    cases_put_number(j, "operations", f->n_operations);
    cases_put_number(j, "operations_left_out", f->n_denied);
    json_key(j, "calibration");
    faces_calibration_write(j, &f->calibration);
    if (f->page.n)
        cases_put_text(j, "page", f->page);
    json_end(j, '}');
}
