/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"

#include <math.h>

#include "app/faces_calibrate.h"
#include "base/file.h"
#include "base/json.h"
#include "cli/show.h"
#include "cli/store.h"
#include "report/plot.h"

enum { TEXT_MAX = 1 << 24 };

/* ---- plots ---- */

/* The LRs of true pairs first, then of the others. */
static int split(atg_arena *arena, const faces_closed *closed, const double *lrs, plot_lrs *ret,
                 atg_err *err) {
    double *all = ATG_GET(arena, double, closed->n_pairs);
    uint64_t at = 0;

    if (!all)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for plots");
    *ret = (plot_lrs){.of_true = all};
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

static int draw(const char *path, const plot_lrs *lrs, const face_calibration *c, atg_err *err) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(TEXT_MAX);
    atg_str page;
    int rc;

    if (!buf)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for plots");
    atg_buf_printf(buf,
                   "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>"
                   "Calibration of faces</title></head>\n<body style=\"font-family:system-ui,"
                   "sans-serif;max-width:60em;margin:1em auto\"><h1>Calibration of faces</h1>\n"
                   "<p>%u closed cases, Cllr %.3f (%.3f to %.3f), capped at log10 LR \xc2\xb1%g. "
                   "Each pair is weighed by the curve of the other persons. A face is a lead, "
                   "never an identification.</p>\n",
                   c->n_cases, c->cllr, c->cllr_lower, c->cllr_upper, c->cap);
    rc = plot_tippett(lrs, buf, err);
    if (!rc)
        rc = plot_reliability(lrs, buf, err);
    atg_buf_adds(buf, "</body></html>\n");
    if (!rc)
        rc = atg_buf_take(buf, &page, err);
    return rc ? rc : file_write(path, page, err);
}

/* ---- the command ---- */

static int fit(const args *a, const store_session *s, double cap, faces_closed *closed,
               face_calibration *ret, atg_err *err) {
    face_calibrate_options o = {.method = FACE_LOGISTIC, .cap = cap, .seed = 1};
    face_version version;
    plot_lrs lrs;
    int rc = faces_version_used(s->c, &s->operation.id, &version, err);

    if (!rc)
        rc = faces_closed_cases(s->c, &s->who, s->arena, &s->operation.id, &version, closed, err);
    if (!rc && a->value[OPT_HTML] && closed->n_pairs) {
        o.lrs = ATG_GET(s->arena, double, closed->n_pairs);
        if (!o.lrs)
            rc = atg_fail(err, ATG_ENOMEM, "Out of memory for plots");
    }
    if (!rc)
        rc = faces_calibrate(s->c, &s->who, s->arena, closed, &o, ret, err);
    if (rc || !o.lrs)
        return rc;
    rc = split(s->arena, closed, o.lrs, &lrs, err);
    return rc ? rc : draw(a->value[OPT_HTML], &lrs, ret, err);
}

static void print_text(const faces_closed *closed, const face_calibration *c, atg_buf *buf) {
    static const double marks[] = {-1, -0.5, 0, 0.5, 1};

    atg_buf_printf(
        buf,
        "Calibrated on %u closed cases of %u operation%s, %llu true and %llu false pairs.\n"
        "Cllr %.3f (95 %% %.3f to %.3f); after the best monotone recalibration %.3f. A "
        "face is capped at log10 LR +-%g.\n",
        c->n_cases, closed->n_operations, closed->n_operations == 1 ? "" : "s",
        (unsigned long long)c->n_true, (unsigned long long)c->n_false, c->cllr, c->cllr_lower,
        c->cllr_upper, c->cllr_min, c->cap);
    for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++)
        for (uint32_t k = 1; k < c->n_knots; k++) {
            const face_knot *p = &c->knots[k - 1], *q = &c->knots[k];

            if (p->log10_lr > marks[i] || q->log10_lr <= marks[i] || fabs(marks[i]) > c->cap)
                continue;
            atg_buf_printf(buf, "  log10 LR %4.1f at a score of %.3f\n", marks[i],
                           p->score + (q->score - p->score) * (marks[i] - p->log10_lr) /
                                          (q->log10_lr - p->log10_lr));
            break;
        }
    if (closed->n_denied)
        atg_buf_printf(buf, "%u more share, and were left out: there you may not match.\n",
                       closed->n_denied);
    atg_buf_adds(buf, "It counts from the next 'antigone face search' on.\n");
}

static int run(const args *a) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(TEXT_MAX);
    STORE_SESSION s = {0};
    faces_closed closed = {.n_pairs = 0};
    face_calibration made;
    double cap = 0;
    atg_err err = {0};
    int code = cli_number(a, OPT_CAP, 0, FACE_CAP, &cap);

    if (!code && a->value[OPT_CAP] && !(cap > 0))
        code = cli_usage(a->command, "--cap takes a number above 0");
    if (!code)
        code = cli_store_open_here(a, &s);
    if (!code)
        code = cli_store_operation(a, &s);
    if (code)
        return code;
    if (fit(a, &s, cap, &closed, &made, &err))
        return cli_fail(NULL, &err);
    if (buf && cli_has(a, OPT_JSON)) {
        json j = json_new(buf);

        faces_calibration_write(&j, &made);
        atg_buf_adds(buf, "\n");
    } else if (buf) {
        print_text(&closed, &made, buf);
    }
    return cli_write(a, buf);
}

static const option_id options[] = {OPT_CAP,    OPT_HTML,      OPT_JSON,
                                    OPT_OUTPUT, OPT_OPERATION, HERE_OPTIONS};

const command command_face_calibrate = {
    .name = "face calibrate",
    .summary = "Learn from closed cases what a score of faces weighs.",
    .operands = "",
    .details =
        "Compares photographs of the dead who were identified with the confirmed ones of the "
        "persons they are and of the others who were identified, and fits from scores to log10 LR "
        "by logistic regression. Taken are the closed cases of the operation and of those that "
        "share "
        "with it both ways and in which you may match; it counts in all of them. Fewer than 30 "
        "closed cases are refused: faces then weigh nothing. "
        "Needs the right to match and a written --reason, and stands in the history. --html draws "
        "Tippett and reliability plots.",
    .options = options,
    .run = run,
};
