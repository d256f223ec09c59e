/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/input.h"

static const size_t output_max = (size_t)4 << 30;

/* The instant of the export; SOURCE_DATE_EPOCH sets it where the same bytes are wanted again. */
static void instant(char ret[32]) {
    const char *given = getenv("SOURCE_DATE_EPOCH"); /* NOLINT(concurrency-mt-unsafe) */
    time_t t = given ? (time_t)strtoll(given, NULL, 10) : time(NULL);
    struct tm utc = {0};

    (void)gmtime_r(&t, &utc);
    (void)strftime(ret, 32, "%Y-%m-%dT%H:%M:%S", &utc);
}

static int to_cmf(const atg_operation *op, const args *a, atg_buf *buf, atg_err *err) {
    char when[32];

    instant(when);
    return atg_cmf_write(op, a->value[OPT_LAB], when, buf, err);
}

static int to_csv(const atg_operation *op, const args *a, atg_buf *buf, atg_err *err) {
    return atg_table_write(op, a->value[OPT_RECIPIENT], buf, err);
}

static int to_fam(const atg_operation *op, const args *a, atg_buf *buf, atg_err *err) {
    return atg_familias_write(op, a->value[OPT_RECIPIENT], buf, err);
}

static int to_json(const atg_operation *op, const args *a, atg_buf *buf, atg_err *err) {
    return atg_operation_write_json(op, a->value[OPT_RECIPIENT], buf, err);
}

static const struct format {
    const char *name;
    int (*write)(const atg_operation *op, const args *a, atg_buf *buf, atg_err *err);
    option_id needs; /* an option without which nothing leaves */
} formats[] = {
    {"cmf", to_cmf, OPT_LAB},
    {"csv", to_csv, OPT_RECIPIENT},
    {"fam", to_fam, OPT_RECIPIENT},
    {"json", to_json, OPT_HELP},
};

static const struct format *find(const args *a) {
    for (size_t i = 0; a->value[OPT_TO] && i < sizeof(formats) / sizeof(*formats); i++)
        if (strcmp(a->value[OPT_TO], formats[i].name) == 0)
            return &formats[i];
    return NULL;
}

static int run(const args *a) {
    ATG_AUTO(atg_arena) arena = input_arena();
    ATG_AUTO(atg_buf) buf = atg_buf_new(output_max);
    const struct format *format = find(a);
    input in;
    atg_err err = {0};
    int code = arena ? EXIT_DONE : EXIT_MACHINE;

    if (!format)
        return cli_usage(a->command, "Say which format to write with --to: fam, json, csv or cmf");
    if (format->needs != OPT_HELP && !cli_has(a, format->needs))
        return cli_usage(a->command, "Say %s with --%s",
                         format->needs == OPT_LAB
                             ? "which laboratory sends the file"
                             : "who receives the file (relatives' profiles leave only for "
                               "recipients to whom the donor agreed)",
                         cli_options[format->needs].name);
    if (!code)
        code = input_read(a, arena, a->n, a->operands, &in);
    if (code)
        return code;
    if (buf && format->write(&in.op, a, buf, &err))
        return cli_fail(in.name, &err);
    return cli_write(a, buf);
}

static const option_id options[] = {
    OPT_TO,    OPT_OUTPUT,        OPT_RECIPIENT, OPT_LAB,           OPT_FREQUENCIES, OPT_POPULATION,
    OPT_THETA, OPT_MIN_FREQUENCY, OPT_MUTATION,  OPT_MUTATION_MALE, OPT_QUIET,       OPT_HELP};

const command command_convert = {
    .name = "convert",
    .summary = "Write an operation in another format.",
    .operands = "FILE...",
    .min_operands = 1,
    .max_operands = -1,
    .details = "json is Antigone's own format and keeps everything; without --recipient it is the "
               "operation's working file and must stay with the operation. fam (Familias) and csv "
               "need --recipient: they hold the remains, and of the relatives only those whose "
               "recorded consent names that recipient. cmf (CODIS) holds remains only.",
    .options = options,
    .run = run,
};
