/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"

#include <math.h>

#include "cli/input.h"
#include "cli/show.h"

enum { TEXT_MAX = 1 << 28 };

/* A family that needs somebody's attention. */
static bool open_question(const atg_family_check *c) {
    return !c->fits || c->n_sex_flags > 0;
}

/* What everybody may read.  A family's own note says what was found: that is private. */
static atg_str public_note(const atg_family_check *c) {
    if (!c->fits)
        return ATG_STR("Another reference is needed.");
    if (c->n_sex_flags)
        return ATG_STR("A label or a recorded sex is in doubt.");
    return c->n_compared ? ATG_STR("Fits.")
                         : ATG_STR("Nothing to check: no two relatives share a marker.");
}

static atg_str person(const atg_operation *op, const atg_family_check *c, uint32_t i) {
    return op->families[c->family].ped.persons[i].id;
}

static void private_text(const atg_operation *op, const atg_family_check *c, atg_buf *buf) {
    atg_buf_printf(buf, "%.*s: %.*s", ATG_FMT(op->families[c->family].id), ATG_FMT(c->note));
    if (c->n_inconsistent) {
        const char *between = " Impossible without mutation: ";

        for (uint32_t m = 0; m < op->n_markers; m++) {
            if (!c->inconsistent[m])
                continue;
            atg_buf_printf(buf, "%s%.*s", between, ATG_FMT(op->markers[m].name));
            between = ", ";
        }
        atg_buf_adds(buf, ".");
    }
    if (c->suspect >= 0)
        atg_buf_printf(buf, " Leaving out %.*s repairs %u; log10 likelihood gained %.2f.",
                       ATG_FMT(person(op, c, (uint32_t)c->suspect)), c->n_repaired, c->log10_gain);
    for (uint32_t i = 0; i < c->n_sex_flags; i++)
        atg_buf_printf(buf, " Amelogenin, X or Y markers of %.*s contradict the recorded sex.",
                       ATG_FMT(person(op, c, c->sex_flags[i])));
    atg_buf_adds(buf, "\n");
}

static int print_text(const args *a, atg_arena *arena, const atg_operation *op,
                      const atg_family_check *checks, atg_buf *buf) {
    grid g = grid_new(arena, "lrrl");
    atg_err err = {0};

    show_parameters(op, buf);
    atg_buf_adds(buf, "\n");
    grid_text(&g, "Family");
    grid_text(&g, "Typed");
    grid_text(&g, "Markers");
    grid_text(&g, "Result");
    for (uint32_t i = 0; i < op->n_families; i++) {
        grid_cell(&g, op->families[checks[i].family].id);
        grid_printf(&g, "%u", checks[i].n_typed);
        grid_printf(&g, "%u", checks[i].n_compared);
        grid_cell(&g, public_note(&checks[i]));
    }
    if (grid_print(&g, buf, &err))
        return cli_fail(NULL, &err);
    if (!cli_has(a, OPT_GENETICIST))
        return EXIT_DONE;
    atg_buf_adds(buf, "\nFor the geneticist only:\n");
    for (uint32_t i = 0; i < op->n_families; i++)
        if (checks[i].n_inconsistent || open_question(&checks[i]))
            private_text(op, &checks[i], buf);
    return EXIT_DONE;
}

static void private_json(const atg_operation *op, const atg_family_check *c, json *j) {
    json_key(j, "finding");
    json_str(j, c->note);
    json_key(j, "inconsistent");
    json_array_line(j);
    for (uint32_t m = 0; m < op->n_markers; m++)
        if (c->inconsistent[m])
            json_str(j, op->markers[m].name);
    json_end(j, ']');
    json_key(j, "suspect");
    if (c->suspect >= 0)
        json_str(j, person(op, c, (uint32_t)c->suspect));
    else
        json_none(j);
    json_key(j, "repaired");
    json_int(j, c->n_repaired);
    json_key(j, "log10_gain");
    json_num(j, c->log10_gain);
    json_key(j, "sex_flags");
    json_array_line(j);
    for (uint32_t i = 0; i < c->n_sex_flags; i++)
        json_str(j, person(op, c, c->sex_flags[i]));
    json_end(j, ']');
}

static void print_json(const args *a, const atg_operation *op, const atg_family_check *checks,
                       atg_buf *buf) {
    json j = json_new(buf);

    json_begin_object(&j);
    json_parameters(&j, op);
    json_key(&j, "families");
    json_begin_array(&j);
    for (uint32_t i = 0; i < op->n_families; i++) {
        const atg_family_check *c = &checks[i];

        json_begin_object(&j);
        json_key(&j, "family");
        json_str(&j, op->families[c->family].id);
        json_key(&j, "fits");
        json_bool(&j, c->fits);
        json_key(&j, "another_reference_needed");
        json_bool(&j, open_question(c));
        json_key(&j, "typed");
        json_int(&j, c->n_typed);
        json_key(&j, "markers_compared");
        json_int(&j, c->n_compared);
        json_key(&j, "note");
        json_str(&j, public_note(c));
        if (cli_has(a, OPT_GENETICIST))
            private_json(op, c, &j);
        json_end(&j, '}');
    }
    json_end(&j, ']');
    json_end(&j, '}');
}

static int run(const args *a) {
    ATG_AUTO(atg_arena) arena = input_arena();
    ATG_AUTO(atg_buf) buf = atg_buf_new(TEXT_MAX);
    const atg_family_check *checks = NULL;
    bool doubt = false;
    input in;
    atg_err err = {0};
    int code = arena ? input_read(a, arena, a->n, a->operands, &in) : EXIT_MACHINE;

    if (code)
        return code;
    if (atg_check_families(arena, &in.op, &checks, &err))
        return cli_fail(in.name, &err);
    for (uint32_t i = 0; i < in.op.n_families; i++)
        doubt = doubt || open_question(&checks[i]);
    if (buf && cli_has(a, OPT_JSON))
        print_json(a, &in.op, checks, buf);
    else if (buf)
        code = print_text(a, arena, &in.op, checks, buf);
    if (!code)
        code = cli_write(a, buf);
    return code ? code : doubt ? EXIT_NO : EXIT_DONE;
}

static const option_id options[] = {
    OPT_GENETICIST,    OPT_JSON,     OPT_OUTPUT,        OPT_FREQUENCIES, OPT_POPULATION, OPT_THETA,
    OPT_MIN_FREQUENCY, OPT_MUTATION, OPT_MUTATION_MALE, OPT_QUIET,       OPT_HELP};

const command command_families_check = {
    .name = "families check",
    .summary = "Find families whose typed relatives do not fit their pedigree.",
    .operands = "FILE...",
    .min_operands = 1,
    .max_operands = -1,
    .details = "Such a family excludes nobody: another reference is needed, a label may have been "
               "exchanged, or a sex may be recorded wrongly. What exactly was found is the "
               "geneticist's to know and is printed with --geneticist only. The exit code is 1 "
               "when there is such a family.",
    .options = options,
    .run = run,
};
