/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"

#include <stdio.h>
#include <string.h>

#include "cli/input.h"
#include "cli/progress.h"
#include "cli/store.h"

/* ---- tables of files ---- */

static void say_problems(const char *file, const csv_done *done) {
    uint32_t n = done->n_problems < CSV_PROBLEMS_MAX ? done->n_problems : CSV_PROBLEMS_MAX;

    for (uint32_t i = 0; i < n; i++)
        (void)fprintf(stderr, "%s:%u:%u: %.*s.\n", file, done->problems[i].line,
                      done->problems[i].col, ATG_FMT(done->problems[i].text));
    (void)fprintf(stderr, "antigone: %u problem%s in %u rows; nothing was taken in.\n",
                  done->n_problems, done->n_problems == 1 ? "" : "s", done->rows);
}

static atg_str source_of(const args *a) {
    const char *name = a->value[OPT_SOURCE];
    const char *slash = strrchr(a->operands[0], '/');

    return atg_str_of(name ? name : slash ? slash + 1 : a->operands[0]);
}

static int import_table(const args *a, store_session *s) {
    csv_options o = {.source = source_of(a), .dry_run = cli_has(a, OPT_DRY_RUN)};
    csv_done done;
    atg_str bytes;
    atg_err err = {0};
    int code = cli_store_kind(a, a->value[OPT_AS], &o.kind);

    if (!code)
        code = cli_store_operation(a, s);
    if (!code)
        code = input_bytes(s->arena, a->operands[0], &bytes);
    if (code)
        return code;
    o.operation = s->operation.id;
    o.progress = progress_start(a);
    if (s->at->import_table(s, bytes, &o, &done, &err))
        return cli_fail(a->operands[0], &err);
    progress_clear();
    if (done.n_problems) {
        say_problems(a->operands[0], &done);
        return EXIT_INPUT;
    }
    cli_store_say(a, "%s%u rows: %u new, %u changed, %u the same as before.\n",
                  o.dry_run ? "Nothing was taken in; this would be done: " : "", done.rows,
                  done.added, done.changed, done.same);
    return EXIT_DONE;
}

/* ---- DNA ---- */

static int import_dna(const args *a, store_session *s) {
    save_options o = {.agreed_on = atg_str_of(a->value[OPT_AGREED_ON]),
                      .ends_on = atg_str_of(a->value[OPT_ENDS_ON]),
                      .basis = atg_str_of(a->value[OPT_BASIS]),
                      .sign = cli_has(a, OPT_SIGN),
                      .invent = cli_has(a, OPT_INVENT),
                      .seed = 1};
    saved done;
    input in;
    atg_err err = {0};
    int code;

    if (!o.agreed_on.n || !o.ends_on.n || !o.basis.n)
        return cli_usage(a->command,
                         "Relatives' profiles need what the donors signed: --agreed-on DATE "
                         "--ends-on DATE --basis WORD");
    code = cli_uint(a, OPT_SEED, 0, UINT64_MAX, &o.seed);
    if (!code)
        code = cli_store_operation(a, s);
    o.operation = s->operation.id;
    if (!code)
        code = input_read(a, s->arena, a->n, a->operands, &in);
    if (code)
        return code;
    if (s->at->import_dna(s, &in.op, &o, progress_start(a), &done, &err))
        return cli_fail(in.name, &err);
    progress_clear();
    cli_store_say(a,
                  "New: %u remains files, %u families, %u missing files, %u profiles. There "
                  "already: %u.\n",
                  done.remains, done.families, done.missing, done.profiles, done.known);
    return EXIT_DONE;
}

static int run(const args *a) {
    STORE_SESSION s = {0};
    int code = cli_store_open(a, &s);

    if (code)
        return code;
    if (!a->value[OPT_AS])
        return import_dna(a, &s);
    if (a->n != 1)
        return cli_usage(a->command, "One table at a time");
    return import_table(a, &s);
}

static const option_id options[] = {
    OPT_AS,    OPT_SOURCE,        OPT_DRY_RUN,  OPT_OPERATION,     OPT_AGREED_ON,   OPT_ENDS_ON,
    OPT_BASIS, OPT_SIGN,          OPT_INVENT,   OPT_SEED,          OPT_FREQUENCIES, OPT_POPULATION,
    OPT_THETA, OPT_MIN_FREQUENCY, OPT_MUTATION, OPT_MUTATION_MALE, STORE_OPTIONS};

const command command_import = {
    .name = "import",
    .summary = "Take in a table of files (--as KIND), or the DNA of an operation.",
    .operands = "FILE...",
    .min_operands = 1,
    .max_operands = -1,
    .details =
        "--as missing, --as remains, ...: a CSV table whose first row names the fields, and a "
        "column \"id\" the rows. Every problem is listed with line and column; everything is taken "
        "in or nothing. The same table again changes nothing; a row that says something else "
        "edits its file, unless somebody edited it here meanwhile. --dry-run only lists.\n\n"
        "Without --as: an operation file, a Familias .fam file, or tables of genotypes, as "
        "'antigone identify' reads them. They become remains files, families with donors, samples "
        "and profiles, and missing files. An operation that does not say yet which population, "
        "theta and markers it computes with learns them from the file; --sign signs for them. "
        "--invent with the --seed of 'exercise make' "
        "tells of the people that its portraits show.",
    .options = options,
    .run = run,
};
