/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"

#include <math.h>

#include "cli/input.h"
#include "cli/progress.h"
#include "cli/show.h"

enum { TEXT_MAX = 1 << 28, SIMULATIONS = 1000, SIMULATIONS_MAX = 10000000 };

/* What is known of one missing person's family. */
typedef struct power {
    uint32_t missing;
    atg_power_result found;
} power;

static const atg_person *person_of(const atg_operation *op, uint32_t missing, uint32_t person) {
    return &op->families[op->missing[missing].family].ped.persons[person];
}

static void put_power(grid *g, const atg_power *p) {
    grid_printf(g, "%.2f ± %.2f", p->mean, p->std_error);
    grid_printf(g, "%.2f", p->p05);
    grid_printf(g, "%.2f", p->p50);
    grid_printf(g, "%.2f", p->p95);
    grid_printf(g, "%.3f ± %.3f", p->share_above, p->share_above_se);
}

static int print_text(atg_arena *arena, const atg_operation *op, uint32_t n, const power *all,
                      atg_buf *buf, atg_err *err) {
    static const char *const names[] = {"Missing",     "If typed too", "Mean log10 LR",
                                        "5 %",         "50 %",         "95 %",
                                        "Share above", "Gain",         "Excludes"};
    grid g = grid_new(arena, "llrrrrrrr");

    show_parameters(op, buf);
    atg_buf_adds(buf, "log10 LR that the missing person's own remains would reach, simulated "
                      "given what is typed (± standard error)\n\n");
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        grid_text(&g, names[i]);
    for (uint32_t i = 0; i < n; i++) {
        const power *p = &all[i];
        const atg_power *now = &p->found.now;

        grid_cell(&g, op->missing[p->missing].id);
        grid_text(&g, "(as it is)");
        put_power(&g, now);
        grid_text(&g, "");
        if (isnan(now->exclusion_power))
            grid_text(&g, "-");
        else
            grid_printf(&g, "%.6f", now->exclusion_power);
        for (uint32_t k = 0; k < p->found.n_candidates; k++) {
            const atg_power_candidate *c = &p->found.candidates[k];

            grid_text(&g, "");
            grid_cell(&g, person_of(op, p->missing, c->person)->id);
            put_power(&g, &c->with);
            grid_printf(&g, "%+.2f ± %.2f", c->gain, c->gain_se);
            grid_text(&g, "");
        }
    }
    return grid_print(&g, buf, err);
}

static void json_power(json *j, const atg_power *p) {
    static const double percents[] = {5, 50, 95};
    const double quantiles[] = {p->p05, p->p50, p->p95};

    json_key(j, "mean_log10_lr");
    json_num(j, p->mean);
    json_key(j, "std_error");
    json_num(j, p->std_error);
    json_key(j, "quantiles");
    json_array_line(j);
    for (int i = 0; i < 3; i++) {
        json_begin_object(j);
        json_key(j, "percent");
        json_num(j, percents[i]);
        json_key(j, "log10_lr");
        json_num(j, quantiles[i]);
        json_end(j, '}');
    }
    json_end(j, ']');
    json_key(j, "share_above_threshold");
    json_num(j, p->share_above);
    json_key(j, "share_std_error");
    json_num(j, p->share_above_se);
    json_key(j, "exclusion_power");
    json_num(j, p->exclusion_power);
    json_key(j, "expected_mismatch");
    json_num(j, p->expected_mismatch);
}

static void print_json(const atg_operation *op, uint32_t n, const power *all, atg_buf *buf) {
    json j = json_new(buf);

    json_begin_object(&j);
    json_parameters(&j, op);
    json_key(&j, "missing");
    json_begin_array(&j);
    for (uint32_t i = 0; i < n; i++) {
        const power *p = &all[i];

        json_begin_object(&j);
        json_key(&j, "missing");
        json_str(&j, op->missing[p->missing].id);
        json_key(&j, "family");
        json_str(&j, op->families[op->missing[p->missing].family].id);
        json_power(&j, &p->found.now);
        json_key(&j, "candidates");
        json_begin_array(&j);
        for (uint32_t k = 0; k < p->found.n_candidates; k++) {
            const atg_power_candidate *c = &p->found.candidates[k];

            json_begin_object(&j);
            json_key(&j, "person");
            json_str(&j, person_of(op, p->missing, c->person)->id);
            json_power(&j, &c->with);
            json_key(&j, "gain");
            json_num(&j, c->gain);
            json_key(&j, "gain_std_error");
            json_num(&j, c->gain_se);
            json_end(&j, '}');
        }
        json_end(&j, ']');
        json_end(&j, '}');
    }
    json_end(&j, ']');
    json_end(&j, '}');
}

/* Whom to ask about: the one that --missing names, or all. */
static int choose(const args *a, const input *in, uint32_t *ret_first, uint32_t *ret_n) {
    *ret_first = 0;
    *ret_n = in->op.n_missing;
    if (!cli_has(a, OPT_MISSING))
        return EXIT_DONE;
    *ret_n = 1;
    return input_missing(a, in, ret_first);
}

static int simulate(const args *a, atg_arena *arena, const input *in, uint32_t *ret_n,
                    power **ret) {
    const atg_progress *progress = progress_start(a);
    uint64_t simulations = SIMULATIONS;
    atg_power_options how = {.seed = 1};
    uint32_t first = 0;
    power *all = ATG_GET(arena, power, in->op.n_missing ? in->op.n_missing : 1);
    atg_err err = {0};
    int code = choose(a, in, &first, ret_n);

    if (!all) {
        (void)cli_write(NULL, NULL);
        return EXIT_MACHINE;
    }
    if (!code)
        code = cli_uint(a, OPT_SIMULATIONS, 10, SIMULATIONS_MAX, &simulations);
    if (!code)
        code = cli_uint(a, OPT_SEED, 0, UINT64_MAX, &how.seed);
    how.n_sim = (uint32_t)simulations;
    for (uint32_t i = 0; !code && i < *ret_n; i++) {
        power *p = &all[i];

        p->missing = first + i;
        if (atg_family_power(arena, &in->op, p->missing, &how, progress, &p->found, &err))
            return cli_fail(in->name, &err);
    }
    progress_clear();
    *ret = all;
    return code;
}

static int run(const args *a) {
    ATG_AUTO(atg_arena) arena = input_arena();
    ATG_AUTO(atg_buf) buf = atg_buf_new(TEXT_MAX);
    power *all = NULL;
    uint32_t n = 0;
    input in;
    atg_err err = {0};
    int code = arena ? input_read(a, arena, a->n, a->operands, &in) : EXIT_MACHINE;

    if (!code)
        code = simulate(a, arena, &in, &n, &all);
    if (code || !all)
        return code;
    if (buf && cli_has(a, OPT_JSON))
        print_json(&in.op, n, all, buf);
    else if (buf && print_text(arena, &in.op, n, all, buf, &err))
        return cli_fail(NULL, &err);
    return cli_write(a, buf);
}

static const option_id options[] = {
    OPT_MISSING,       OPT_SIMULATIONS, OPT_SEED,  OPT_JSON,          OPT_OUTPUT,
    OPT_FREQUENCIES,   OPT_POPULATION,  OPT_THETA, OPT_MIN_FREQUENCY, OPT_MUTATION,
    OPT_MUTATION_MALE, OPT_QUIET,       OPT_HELP};

const command command_families_power = {
    .name = "families power",
    .summary = "Say what a family can prove, and which relative to sample next.",
    .operands = "FILE...",
    .min_operands = 1,
    .max_operands = -1,
    .details = "Profiles of the missing person are simulated given everything that is typed in "
               "the family; then each untyped member is typed in turn, by simulation too. Every "
               "figure has its standard error.",
    .options = options,
    .run = run,
};
