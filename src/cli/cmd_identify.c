/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/input.h"
#include "cli/progress.h"

/* Ceiling of one output; the page of a large operation is the largest. */
static const size_t output_max = (size_t)4 << 30;

static uint32_t width(const args *a) {
    struct winsize w;

    if (!cli_has(a, OPT_OUTPUT) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0)
        return w.ws_col;
    return 0;
}

typedef int writer(const atg_identification *run, bool for_geneticist, atg_buf *buf, atg_err *err);

/* A report into a file of its own. */
static int save(const char *path, writer *write, const atg_identification *run, bool geneticist) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(output_max);
    atg_err err = {0};
    atg_str s;

    if (!path)
        return EXIT_DONE;
    if (!buf)
        return cli_write(NULL, NULL);
    if (write(run, geneticist, buf, &err) || atg_buf_take(buf, &s, &err) ||
        file_write(path, s, &err))
        return cli_fail(NULL, &err);
    return EXIT_DONE;
}

static int print(const args *a, const atg_identification *run) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(output_max);
    atg_err err = {0};
    int rc = ATG_OK;

    if (buf)
        rc = cli_has(a, OPT_JSON) ? atg_report_json(run, cli_has(a, OPT_GENETICIST), buf, &err)
                                  : atg_report_text(run, width(a), buf, &err);
    return rc ? cli_fail(NULL, &err) : cli_write(a, buf);
}

static int options_of(const args *a, atg_identify_options *ret) {
    uint64_t threads = 0, seed = 1;
    int code = cli_uint(a, OPT_THREADS, 1, 256, &threads);

    if (!code)
        code = cli_uint(a, OPT_SEED, 0, UINT64_MAX, &seed);
    *ret = (atg_identify_options){
        .seed = seed, .threads = (uint32_t)threads, .floor = -2, .raw = cli_has(a, OPT_RAW)};
    return code;
}

static int run(const args *a) {
    ATG_AUTO(atg_arena) arena = input_arena();
    atg_identify_options options;
    atg_identification found;
    input in;
    atg_err err = {0};
    int code = arena ? options_of(a, &options) : EXIT_MACHINE;

    if (!code)
        code = input_read(a, arena, a->n, a->operands, &in);
    if (code)
        return code;

    const atg_progress *progress = progress_start(a);

    if (atg_identify(arena, &in.op, &options, progress, &found, &err))
        return cli_fail(in.name, &err);
    progress_clear();
    found.input_sha256 = atg_str_of(in.sha256);
    code = save(a->value[OPT_HTML], atg_report_html, &found, cli_has(a, OPT_GENETICIST));
    if (!code)
        code = save(a->value[OPT_SAVE], atg_report_json, &found, cli_has(a, OPT_GENETICIST));
    return code ? code : print(a, &found);
}

static const option_id options[] = {
    OPT_JSON,       OPT_OUTPUT, OPT_SAVE,          OPT_HTML,     OPT_GENETICIST,    OPT_FREQUENCIES,
    OPT_POPULATION, OPT_THETA,  OPT_MIN_FREQUENCY, OPT_MUTATION, OPT_MUTATION_MALE, OPT_RAW,
    OPT_THREADS,    OPT_SEED,   OPT_QUIET,         OPT_HELP};

const command command_identify = {
    .name = "identify",
    .summary = "Say who is who: compare all remains with all missing persons and solve jointly.",
    .operands = "FILE...",
    .min_operands = 1,
    .max_operands = -1,
    .details =
        "FILE is a whole operation (Antigone's JSON, or a Familias .fam file), or one or more "
        "tables of genotypes (CSV, GeneMapper export, CODIS CMF) with --frequencies, "
        "--population, --theta and --mutation.\n\n"
        "Samples of one body are merged, families are checked against their pedigrees, every "
        "body is compared with every missing person, and all are solved together: one body is at "
        "most one person. The conclusions are probable, possible, insufficient or excluded, each "
        "with its rule. Whether an identity is established is decided by people.",
    .options = options,
    .run = run,
};
