/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"

#include "cli/exercise.h"
#include "cli/progress.h"
#include "cli/show.h"

enum { TEXT_MAX = 1 << 20 };

static int print_text(atg_arena *arena, const atg_operation *op, const atg_score *s, atg_buf *buf,
                      atg_err *err) {
    grid g = grid_new(arena, "lrrrrr");

    show_parameters(op, buf);
    atg_buf_printf(buf, "\n%u bodies; %u of %u missing persons are among them.\n", s->n_bodies,
                   s->n_missing_found, op->n_missing);
    atg_buf_printf(buf,
                   "%u named at posterior %.10g or more: %u right, %u wrong (%u of them by an "
                   "exchanged label).\n",
                   s->n_named, op->params.threshold, s->n_right, s->n_wrong, s->n_wrong_swapped);
    atg_buf_printf(buf,
                   "Wrong names that the posteriors predict: %.4f (99 %% quantile %g); error rate "
                   "at most %.4f with 95 %% confidence.\n",
                   s->predicted_wrong, s->wrong_q99, s->wrong_bound95);
    atg_buf_printf(buf,
                   "%u found but not named: %u with few markers, %u of families that say little, "
                   "%u in conflict, %u that cannot be told apart.\n",
                   s->n_missed, s->missed_few_markers, s->missed_weak_family, s->missed_conflict,
                   s->missed_symmetric);
    atg_buf_printf(
        buf, "Cllr %.4f (95 %% interval %.4f to %.4f), its minimum by recalibration %.4f.\n\n",
        s->cllr, s->cllr_lower, s->cllr_upper, s->cllr_min);
    grid_text(&g, "Posterior");
    grid_text(&g, "Pairs");
    grid_text(&g, "True");
    grid_text(&g, "Mean posterior");
    grid_text(&g, "Share true");
    grid_text(&g, "95 % (all bins)");
    for (size_t i = 0; i < sizeof(s->bins) / sizeof(*s->bins); i++) {
        const atg_reliability_bin *b = &s->bins[i];

        grid_printf(&g, "%g to %g", b->from, b->to);
        grid_printf(&g, "%u", b->n);
        grid_printf(&g, "%u", b->n_true);
        if (b->n) {
            grid_printf(&g, "%.4f", b->mean_posterior);
            grid_printf(&g, "%.4f", (double)b->n_true / b->n);
            grid_printf(&g, "%.4f to %.4f", b->lower, b->upper);
        } else {
            grid_text(&g, "-");
            grid_text(&g, "-");
            grid_text(&g, "-");
        }
    }
    return grid_print(&g, buf, err);
}

static void counts(json *j, const atg_score *s) {
    const struct {
        const char *key;
        uint32_t n;
    } rows[] = {
        {"bodies", s->n_bodies},
        {"missing_found", s->n_missing_found},
        {"named", s->n_named},
        {"right", s->n_right},
        {"wrong", s->n_wrong},
        {"wrong_by_exchanged_label", s->n_wrong_swapped},
        {"missed", s->n_missed},
        {"missed_few_markers", s->missed_few_markers},
        {"missed_weak_family", s->missed_weak_family},
        {"missed_conflict", s->missed_conflict},
        {"missed_symmetric", s->missed_symmetric},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        json_key(j, rows[i].key);
        json_int(j, rows[i].n);
    }
}

static void numbers(json *j, const atg_score *s) {
    const struct {
        const char *key;
        double x;
    } rows[] = {
        {"predicted_wrong", s->predicted_wrong},
        {"wrong_q99", s->wrong_q99},
        {"wrong_bound95", s->wrong_bound95},
        {"cllr", s->cllr},
        {"cllr_min", s->cllr_min},
        {"cllr_lower", s->cllr_lower},
        {"cllr_upper", s->cllr_upper},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        json_key(j, rows[i].key);
        json_num(j, rows[i].x);
    }
}

static void print_json(const atg_operation *op, const atg_score *s, atg_buf *buf) {
    json j = json_new(buf);

    json_begin_object(&j);
    json_parameters(&j, op);
    json_key(&j, "threshold");
    json_num(&j, op->params.threshold);
    counts(&j, s);
    numbers(&j, s);
    json_key(&j, "reliability");
    json_begin_array(&j);
    for (size_t i = 0; i < sizeof(s->bins) / sizeof(*s->bins); i++) {
        const atg_reliability_bin *b = &s->bins[i];

        json_object_line(&j);
        json_key(&j, "from");
        json_num(&j, b->from);
        json_key(&j, "to");
        json_num(&j, b->to);
        json_key(&j, "pairs");
        json_int(&j, b->n);
        json_key(&j, "true");
        json_int(&j, b->n_true);
        json_key(&j, "mean_posterior");
        json_num(&j, b->mean_posterior);
        json_key(&j, "lower");
        json_num(&j, b->lower);
        json_key(&j, "upper");
        json_num(&j, b->upper);
        json_end(&j, '}');
    }
    json_end(&j, ']');
    json_end(&j, '}');
}

static int identify(const args *a, atg_arena *arena, const input *in, atg_identification *ret) {
    uint64_t threads = 0, seed = 1;
    atg_err err = {0};
    int code = cli_uint(a, OPT_THREADS, 1, 256, &threads);

    if (!code)
        code = cli_uint(a, OPT_SEED, 0, UINT64_MAX, &seed);
    if (code)
        return code;

    const atg_identify_options options = {
        .seed = seed, .threads = (uint32_t)threads, .floor = -2, .no_details = true};

    if (atg_identify(arena, &in->op, &options, progress_start(a), ret, &err))
        return cli_fail(in->name, &err);
    progress_clear();
    return EXIT_DONE;
}

static int run(const args *a) {
    ATG_AUTO(atg_arena) arena = input_arena();
    ATG_AUTO(atg_buf) buf = atg_buf_new(TEXT_MAX);
    atg_identification found;
    atg_score score;
    atg_truth truth;
    input in;
    atg_err err = {0};
    int code = arena ? exercise_read(a, arena, &in, &truth) : EXIT_MACHINE;

    if (!code)
        code = identify(a, arena, &in, &found);
    if (code)
        return code;
    if (atg_exercise_score(&found, &truth, &score, &err))
        return cli_fail(a->operands[1], &err);
    if (buf && cli_has(a, OPT_JSON))
        print_json(&in.op, &score, buf);
    else if (buf && print_text(arena, &in.op, &score, buf, &err))
        return cli_fail(NULL, &err);
    return cli_write(a, buf);
}

static const option_id options[] = {OPT_JSON, OPT_OUTPUT, OPT_THREADS,
                                    OPT_SEED, OPT_QUIET,  OPT_HELP};

const command command_exercise_score = {
    .name = "exercise score",
    .summary = "Identify an exercise and compare the conclusions with the truth.",
    .operands = "OPERATION TRUTH",
    .min_operands = 2,
    .max_operands = 2,
    .details = "Prints how many were named, how many of the names are wrong and how many wrong "
               "ones the posteriors themselves predict, who was missed and why, and how well the "
               "numbers are calibrated.",
    .options = options,
    .run = run,
};
