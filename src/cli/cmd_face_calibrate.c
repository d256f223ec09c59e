/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"

#include <math.h>

#include "app/faces_fit.h"
#include "base/file.h"
#include "cli/show.h"
#include "cli/store.h"

enum { TEXT_MAX = 1 << 24 };

static void print_text(const faces_fitted *f, atg_buf *buf) {
    const face_calibration *c = &f->calibration;
    static const double marks[] = {-1, -0.5, 0, 0.5, 1};

    atg_buf_printf(
        buf,
        "Calibrated on %u closed cases of %u operation%s, %llu true and %llu false pairs.\n"
        "Cllr %.3f (95 %% %.3f to %.3f); after the best monotone recalibration %.3f. A "
        "face is capped at log10 LR +-%g.\n",
        c->n_cases, f->n_operations, f->n_operations == 1 ? "" : "s", (unsigned long long)c->n_true,
        (unsigned long long)c->n_false, c->cllr, c->cllr_lower, c->cllr_upper, c->cllr_min, c->cap);
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
    if (f->n_denied)
        atg_buf_printf(buf, "%u more share, and were left out: there you may not match.\n",
                       f->n_denied);
    atg_buf_adds(buf, "It counts from the next 'antigone face search' on.\n");
}

static int run(const args *a) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(TEXT_MAX);
    STORE_SESSION s = {0};
    faces_fit_wish wish = {.cap = 0, .plots = a->value[OPT_HTML] != NULL};
    faces_fitted made;
    atg_err err = {0};
    int code = cli_number(a, OPT_CAP, 0, FACE_CAP, &wish.cap);

    if (!code && a->value[OPT_CAP] && !(wish.cap > 0))
        code = cli_usage(a->command, "--cap takes a number above 0");
    if (!code)
        code = cli_store_open(a, &s);
    if (!code)
        code = cli_store_operation(a, &s);
    if (code)
        return code;
    if (s.at->face_fit(&s, &wish, &made, &err) ||
        (wish.plots && file_write(a->value[OPT_HTML], made.page, &err)))
        return cli_fail(NULL, &err);
    made.page.n = 0;
    if (buf && cli_has(a, OPT_JSON)) {
        json j = json_new(buf);

        faces_fitted_write(&j, &made);
        atg_buf_adds(buf, "\n");
    } else if (buf) {
        print_text(&made, buf);
    }
    return cli_write(a, buf);
}

static const option_id options[] = {OPT_CAP,    OPT_HTML,      OPT_JSON,
                                    OPT_OUTPUT, OPT_OPERATION, STORE_OPTIONS};

const command command_face_calibrate = {
    .name = "face calibrate",
    .summary = "Learn from closed cases what a score of faces weighs.",
    .operands = "",
    .details =
        "Compares photographs of the dead who were identified with the confirmed ones of the "
        "persons they are and of the others who were identified, and fits from scores to log10 LR "
        "by logistic regression. Taken are the closed cases of the operation and of those that "
        "share with it both ways and in which you may match; it counts in all of them. Fewer than "
        "30 closed cases are refused: faces then weigh nothing. Needs the right to match and a "
        "written --reason, and stands in the history. --html draws "
        "Tippett and reliability plots, and what a score weighs.",
    .options = options,
    .run = run,
};
