/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"

#include "cli/exercise.h"
#include "cli/show.h"

enum { TEXT_MAX = 1 << 30 };

int exercise_read(const args *a, atg_arena *arena, input *ret, atg_truth *ret_truth) {
    atg_err err = {0};
    atg_str bytes;
    int code = input_read(a, arena, 1, a->operands, ret);

    if (!code)
        code = input_bytes(arena, a->operands[1], &bytes);
    if (!code && atg_truth_read_json(arena, bytes, &ret->op, ret_truth, &err))
        code = cli_fail(a->operands[1], &err);
    return code;
}

static int print_text(atg_arena *arena, const atg_operation *op, const atg_truth *truth,
                      atg_buf *buf, atg_err *err) {
    grid g = grid_new(arena, "llll");

    grid_text(&g, "Sample");
    grid_text(&g, "Body");
    grid_text(&g, "Is");
    grid_text(&g, "");
    for (uint32_t s = 0; s < truth->n_samples; s++) {
        int32_t who = truth->missing_of_sample[s];

        grid_cell(&g, op->samples[s].id);
        grid_cell(&g, op->samples[s].body);
        grid_cell(&g, who < 0 ? ATG_STR("nobody on the list") : op->missing[who].id);
        grid_text(&g, truth->swapped[s] ? "label exchanged" : "");
    }
    if (grid_print(&g, buf, err))
        return err->code;
    for (uint32_t i = 0; i < truth->n_relatives_wrong; i++) {
        const atg_family *f = &op->families[truth->wrong[i].family];

        atg_buf_printf(buf, "%s%.*s of family %.*s is not what the family reports.\n",
                       i ? "" : "\n", ATG_FMT(f->ped.persons[truth->wrong[i].person].id),
                       ATG_FMT(f->id));
    }
    return ATG_OK;
}

static int run(const args *a) {
    ATG_AUTO(atg_arena) arena = input_arena();
    ATG_AUTO(atg_buf) buf = atg_buf_new(TEXT_MAX);
    atg_truth truth;
    input in;
    atg_err err = {0};
    int rc = ATG_OK, code = arena ? exercise_read(a, arena, &in, &truth) : EXIT_MACHINE;

    if (code)
        return code;
    if (buf)
        rc = cli_has(a, OPT_JSON) ? atg_truth_write_json(&truth, &in.op, buf, &err)
                                  : print_text(arena, &in.op, &truth, buf, &err);
    return rc ? cli_fail(NULL, &err) : cli_write(a, buf);
}

static const option_id options[] = {OPT_JSON, OPT_OUTPUT, OPT_QUIET, OPT_HELP};

const command command_exercise_truth = {
    .name = "exercise truth",
    .summary = "Print who is who in an exercise.",
    .operands = "OPERATION TRUTH",
    .min_operands = 2,
    .max_operands = 2,
    .options = options,
    .run = run,
};
