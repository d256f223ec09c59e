/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"

#include <string.h>

#include "cli/input.h"
#include "cli/progress.h"
#include "cli/show.h"

enum { TEXT_MAX = 1 << 30 };

static atg_sex sex_of(const atg_operation *op, uint32_t missing) {
    const atg_missing *m = &op->missing[missing];

    return op->families[m->family].ped.persons[m->person].sex;
}

static int print_text(atg_arena *arena, const atg_operation *op, const atg_exclusions *found,
                      atg_buf *buf, atg_err *err) {
    char *right = ATG_GET(arena, char, op->n_missing + 2);

    if (!right)
        return atg_fail(err, ATG_ENOMEM, "Out of memory printing the exclusion matrix");
    memset(right, 'r', op->n_missing + 1);
    right[0] = 'l';

    grid g = grid_new(arena, right);

    show_parameters(op, buf);
    atg_buf_printf(buf,
                   "Markers that are impossible without mutation, of each sample (line) as each "
                   "missing person (column);\nmore than %u exclude. 'sex': the recorded sexes "
                   "differ; '-': nothing to compare; '*': the family does not fit itself and "
                   "excludes nobody.\n\n",
                   op->params.max_incompatible);
    grid_text(&g, "");
    for (uint32_t i = 0; i < op->n_missing; i++)
        grid_cell(&g, op->missing[i].id);
    for (uint32_t s = 0; s < op->n_samples; s++) {
        grid_cell(&g, op->samples[s].id);
        for (uint32_t i = 0; i < op->n_missing; i++) {
            size_t cell = (size_t)s * op->n_missing + i;
            const char *mark = found->n_own[op->missing[i].family] ? "*" : "";

            if (!atg_sex_fits(op->samples[s].sex, sex_of(op, i)))
                grid_text(&g, "sex");
            else if (!found->n_compared[cell])
                grid_text(&g, "-");
            else
                grid_printf(&g, "%u%s", found->n_incompatible[cell], mark);
        }
    }
    return grid_print(&g, buf, err);
}

static void json_row(json *j, const char *key, const uint16_t *row, uint32_t n) {
    json_key(j, key);
    json_array_line(j);
    for (uint32_t i = 0; i < n; i++)
        json_int(j, row[i]);
    json_end(j, ']');
}

static void print_json(const atg_operation *op, const atg_exclusions *found, atg_buf *buf) {
    json j = json_new(buf);

    json_begin_object(&j);
    json_parameters(&j, op);
    json_key(&j, "max_incompatible");
    json_int(&j, op->params.max_incompatible);
    json_key(&j, "missing");
    json_begin_array(&j);
    for (uint32_t i = 0; i < op->n_missing; i++) {
        json_object_line(&j);
        json_key(&j, "id");
        json_str(&j, op->missing[i].id);
        json_key(&j, "family");
        json_str(&j, op->families[op->missing[i].family].id);
        json_key(&j, "family_fits");
        json_bool(&j, found->n_own[op->missing[i].family] == 0);
        json_end(&j, '}');
    }
    json_end(&j, ']');
    json_key(&j, "samples");
    json_begin_array(&j);
    for (uint32_t s = 0; s < op->n_samples; s++) {
        size_t row = (size_t)s * op->n_missing;

        json_begin_object(&j);
        json_key(&j, "id");
        json_str(&j, op->samples[s].id);
        json_row(&j, "incompatible", found->n_incompatible + row, op->n_missing);
        json_row(&j, "compared", found->n_compared + row, op->n_missing);
        json_key(&j, "sex_fits");
        json_array_line(&j);
        for (uint32_t i = 0; i < op->n_missing; i++)
            json_bool(&j, atg_sex_fits(op->samples[s].sex, sex_of(op, i)));
        json_end(&j, ']');
        json_end(&j, '}');
    }
    json_end(&j, ']');
    json_end(&j, '}');
}

static int run(const args *a) {
    ATG_AUTO(atg_arena) arena = input_arena();
    ATG_AUTO(atg_buf) buf = atg_buf_new(TEXT_MAX);
    atg_exclusions found;
    uint64_t threads = 0;
    input in;
    atg_err err = {0};
    int code = arena ? cli_uint(a, OPT_THREADS, 1, 256, &threads) : EXIT_MACHINE;

    if (!code)
        code = input_read(a, arena, a->n, a->operands, &in);
    if (code)
        return code;
    if (atg_exclusion_matrix(arena, &in.op, (uint32_t)threads, progress_start(a), &found, &err))
        return cli_fail(in.name, &err);
    progress_clear();
    if (buf && cli_has(a, OPT_JSON))
        print_json(&in.op, &found, buf);
    else if (buf && print_text(arena, &in.op, &found, buf, &err))
        return cli_fail(NULL, &err);
    return cli_write(a, buf);
}

static const option_id options[] = {
    OPT_JSON,     OPT_OUTPUT,        OPT_FREQUENCIES, OPT_POPULATION, OPT_THETA, OPT_MIN_FREQUENCY,
    OPT_MUTATION, OPT_MUTATION_MALE, OPT_THREADS,     OPT_QUIET,      OPT_HELP};

const command command_exclusions = {
    .name = "exclusions",
    .summary = "Print how many markers speak against each pair of sample and missing person.",
    .operands = "FILE...",
    .min_operands = 1,
    .max_operands = -1,
    .details = "A marker counts when it is impossible without mutation and the family's typed "
               "relatives do not contradict each other there. A family that does not fit its own "
               "pedigree excludes nobody.",
    .options = options,
    .run = run,
};
