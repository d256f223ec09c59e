/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"

#include <antigone/reference.h>

#include <math.h>

#include "cli/input.h"
#include "cli/progress.h"
#include "cli/show.h"

enum { TEXT_MAX = 1 << 24 };
static const double tolerance = 1e-9;

static bool too_far(double difference) {
    return !(difference <= tolerance);
}

/* Nothing compared is nothing shown. */
static bool all_within(const atg_reference *found) {
    uint64_t n = 0;

    for (uint32_t i = 0; i < found->n; i++)
        n += found->kinds[i].n;
    return n > 0 && !too_far(found->worst);
}

static int print_text(atg_arena *arena, const atg_reference *found, atg_buf *buf, atg_err *err) {
    grid g = grid_new(arena, "lrrl");

    if (found->n == 0) {
        atg_buf_adds(buf, "Nothing was compared: the files hold no cases.\n");
        return ATG_OK;
    }
    grid_text(&g, "Kind");
    grid_text(&g, "Numbers");
    grid_text(&g, "Largest difference");
    grid_text(&g, "");
    for (uint32_t i = 0; i < found->n; i++) {
        const atg_reference_kind *k = &found->kinds[i];

        grid_text(&g, k->name);
        grid_printf(&g, "%llu", (unsigned long long)k->n);
        if (k->n)
            grid_printf(&g, "%.2g", k->worst);
        else
            grid_text(&g, "-");
        if (k->n_skipped)
            grid_printf(&g, "%s%s%llu not compared: %s", too_far(k->worst) ? k->worst_at : "",
                        too_far(k->worst) ? "; " : "", (unsigned long long)k->n_skipped,
                        k->skipped);
        else
            grid_text(&g, too_far(k->worst) ? k->worst_at : "");
    }
    if (grid_print(&g, buf, err))
        return err->code;
    atg_buf_printf(buf, "\nLargest relative difference %.2g; %g is allowed.\n", found->worst,
                   tolerance);
    return ATG_OK;
}

static void print_json(const atg_reference *found, atg_buf *buf) {
    json j = json_new(buf);

    json_begin_object(&j);
    json_key(&j, "tolerance");
    json_num(&j, tolerance);
    json_key(&j, "within");
    json_bool(&j, all_within(found));
    json_key(&j, "worst");
    json_num(&j, found->worst);
    json_key(&j, "kinds");
    json_begin_array(&j);
    for (uint32_t i = 0; i < found->n; i++) {
        const atg_reference_kind *k = &found->kinds[i];

        json_object_line(&j);
        json_key(&j, "kind");
        json_text(&j, k->name);
        json_key(&j, "numbers");
        json_int(&j, (int64_t)k->n);
        json_key(&j, "worst");
        json_num(&j, k->worst);
        json_key(&j, "worst_at");
        json_text(&j, k->worst_at);
        json_key(&j, "skipped");
        json_int(&j, (int64_t)k->n_skipped);
        json_key(&j, "reason");
        json_text(&j, k->skipped);
        json_end(&j, '}');
    }
    json_end(&j, ']');
    json_end(&j, '}');
}

static int compare(const args *a, atg_reference *ret) {
    const atg_progress *progress = progress_start(a);

    for (int i = 0; i < a->n; i++) {
        ATG_AUTO(atg_arena) arena = input_arena();
        atg_err err = {0};
        atg_str bytes;
        int code = arena ? input_bytes(arena, a->operands[i], &bytes) : EXIT_MACHINE;

        if (code)
            return code;
        if (atg_reference_check(bytes, progress, ret, &err))
            return cli_fail(a->operands[i], &err);
    }
    progress_clear();
    return EXIT_DONE;
}

static int run(const args *a) {
    ATG_AUTO(atg_arena) arena = input_arena();
    ATG_AUTO(atg_buf) buf = atg_buf_new(TEXT_MAX);
    atg_reference *found = arena ? ATG_GET(arena, atg_reference, 1) : NULL;
    atg_err err = {0};
    int code = found ? compare(a, found) : EXIT_MACHINE;

    if (code)
        return code;
    if (buf && cli_has(a, OPT_JSON))
        print_json(found, buf);
    else if (buf && print_text(arena, found, buf, &err))
        return cli_fail(NULL, &err);
    code = cli_write(a, buf);
    return code ? code : all_within(found) ? EXIT_DONE : EXIT_NO;
}

static const option_id options[] = {OPT_JSON, OPT_OUTPUT, OPT_QUIET, OPT_HELP};

const command command_reference_check = {
    .name = "reference check",
    .summary = "Compute published cases and compare with the results of other programs.",
    .operands = "FILE...",
    .min_operands = 1,
    .max_operands = -1,
    .details = "FILE holds cases with their results: pedigree likelihoods, mutation matrices or "
               "whole operations. Prints the largest relative difference of each kind of number, "
               "and what a file holds that was not compared. The exit code is 1 when a difference "
               "is above 1e-9 or a conclusion differs.",
    .options = options,
    .run = run,
};
