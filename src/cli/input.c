/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/input.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

enum { NOTES_SHOWN = 20 };
static const size_t arena_max = (size_t)16 << 30; /* bytes; the machine's memory ends earlier */

/* What is being read, while it is. */
typedef struct reading {
    const args *a;
    atg_arena *arena;
    atg_notes *notes;
    uint32_t told; /* notes that were shown */
    int n;
    atg_source files[INPUT_FILES_MAX];
} reading;

static int no_memory(void) {
    atg_err err = {0};

    (void)atg_fail(&err, ATG_ENOMEM,
                   "Out of memory: close other programs, or use a machine with more");
    return cli_fail(NULL, &err);
}

atg_arena *input_arena(void) {
    atg_arena *arena = atg_arena_new(arena_max);

    if (!arena)
        (void)no_memory();
    return arena;
}

int input_bytes(atg_arena *arena, const char *path, atg_str *ret) {
    atg_err err = {0};
    struct stat about;
    bool there = strcmp(path, "-") == 0 ||
                 (stat(path, &about) == 0 && !S_ISDIR(about.st_mode) && access(path, R_OK) == 0);

    if (file_read(arena, path, ATG_INPUT_MAX, ret, &err) == ATG_OK)
        return EXIT_DONE;

    int code = cli_fail(NULL, &err);

    return there ? code : EXIT_INPUT;
}

/* Tell the notes that were made since the last time, about this file (NULL: about all of them). */
static void tell_notes(reading *r, const char *path) {
    uint32_t n = r->notes->n - r->told, shown = n < NOTES_SHOWN ? n : NOTES_SHOWN;

    for (uint32_t i = r->told; i < r->told + shown && !cli_has(r->a, OPT_QUIET); i++)
        (void)fprintf(stderr, "antigone: %s%sNote: %.*s.\n", path ? path : "", path ? ": " : "",
                      ATG_FMT(r->notes->text[i]));
    if (n > shown && !cli_has(r->a, OPT_QUIET))
        (void)fprintf(stderr, "antigone: %s%sNote: %u more notes.\n", path ? path : "",
                      path ? ": " : "", n - shown);
    r->told = r->notes->n;
}

static int read_all(reading *r, int n, char *const *paths) {
    const char *frequencies = r->a->value[OPT_FREQUENCIES];

    for (int i = 0; i < n + (frequencies != NULL); i++) {
        atg_source *f = &r->files[r->n];

        if (r->n == INPUT_FILES_MAX)
            return cli_usage(r->a->command, "More than %d files at once", INPUT_FILES_MAX);
        f->name = i < n ? paths[i] : frequencies;

        int code = input_bytes(r->arena, f->name, &f->bytes);

        if (code)
            return code;
        f->format =
            i < n ? atg_format_guess(atg_str_of(f->name), f->bytes) : ATG_FORMAT_FREQUENCIES;
        r->n++;
    }
    return EXIT_DONE;
}

/* Parameters that the options name, on top of those that are there. */
static int options_into(const args *a, atg_params *params) {
    int code = cli_number(a, OPT_THETA, 0, 0.5, &params->theta);

    if (!code)
        code = cli_number(a, OPT_MIN_FREQUENCY, 1e-9, 0.5, &params->min_freq);
    if (a->value[OPT_POPULATION])
        params->population = atg_str_of(a->value[OPT_POPULATION]);
    return code;
}

/* One file that holds a whole operation. */
static int read_operation(reading *r, const atg_source *f, atg_operation *ret) {
    static const option_id table_only[] = {OPT_FREQUENCIES, OPT_MUTATION, OPT_MUTATION_MALE};
    static const option_id unnamed_only[] = {OPT_POPULATION, OPT_THETA, OPT_MIN_FREQUENCY};
    const args *a = r->a;
    atg_err err = {0};
    int rc;

    for (size_t i = 0; i < sizeof(table_only) / sizeof(*table_only); i++)
        if (cli_has(a, table_only[i]))
            return cli_usage(a->command, "--%s is for tables: %s brings its own",
                             cli_options[table_only[i]].name, f->name);
    for (size_t i = 0; f->format == ATG_FORMAT_OPERATION && i < 3; i++)
        if (cli_has(a, unnamed_only[i]))
            return cli_usage(a->command,
                             "--%s is for tables: the operation %s names its own, signed "
                             "parameters",
                             cli_options[unnamed_only[i]].name, f->name);
    rc = f->format == ATG_FORMAT_FAMILIAS
             ? atg_familias_read(r->arena, f->bytes, ret, r->notes, &err)
             : atg_operation_read_json(r->arena, f->bytes, ret, r->notes, &err);
    if (rc)
        return cli_fail(f->name, &err);

    tell_notes(r, f->name);

    int code = options_into(a, &ret->params);

    if (!code && ret->params.population.n == 0)
        ret->params.population =
            atg_arena_printf(r->arena, "not named; frequencies of %s", f->name);
    return code;
}

static int read_rows(reading *r, atg_source *f) {
    atg_err err = {0};

    if (atg_source_read(r->arena, f, r->notes, &err))
        return cli_fail(f->name, &err);
    tell_notes(r, f->name);
    return EXIT_DONE;
}

static int parse_frequencies(reading *r, const atg_source *f, atg_frequencies *ret) {
    const char *population = r->a->value[OPT_POPULATION];
    atg_err err = {0};

    if (!population)
        return cli_usage(r->a->command,
                         "Name the population of the frequencies with --population: there is no "
                         "default");
    if (atg_frequencies_read(r->arena, f->bytes, atg_str_of(population), ret, r->notes, &err))
        return cli_fail(f->name, &err);
    tell_notes(r, f->name);
    return EXIT_DONE;
}

int input_frequencies(const args *a, atg_arena *arena, atg_frequencies *ret) {
    reading r = {.a = a, .arena = arena, .notes = atg_notes_new(arena)};
    atg_source f = {.name = a->value[OPT_FREQUENCIES]};

    if (!f.name)
        return cli_usage(a->command, "Name the file of allele frequencies with --frequencies");

    int code = input_bytes(arena, f.name, &f.bytes);

    if (!r.notes)
        return no_memory();
    return code ? code : parse_frequencies(&r, &f, ret);
}

/* Parameters of tables: everything that changes a number must be named. */
static int table_params(reading *r, const atg_frequencies *freqs, atg_params *params,
                        atg_mutation *female, atg_mutation *male) {
    const args *a = r->a;
    int code = EXIT_DONE;

    *params = atg_params_default();
    if (!cli_has(a, OPT_THETA))
        return cli_usage(a->command, "Name theta with --theta (0 for none): there is no default");
    if (!cli_has(a, OPT_MUTATION))
        return cli_usage(a->command, "Name the mutation model with --mutation, for example "
                                     "equal:0.001, or none: there is no default");
    if (!cli_has(a, OPT_MIN_FREQUENCY) && !freqs->n_population)
        return cli_usage(a->command, "The frequencies do not say how many persons were typed: "
                                     "name the minimum frequency with --min-frequency, for "
                                     "example 0.001");
    code = options_into(a, params);
    if (!code)
        code = input_mutation(a, OPT_MUTATION, female);
    *male = *female;
    return code ? code : input_mutation(a, OPT_MUTATION_MALE, male);
}

static int read_tables(reading *r, atg_operation *ret) {
    atg_frequencies freqs = {0};
    const atg_source *table = NULL, *culprit;
    atg_params params;
    atg_mutation female = {0}, male = {0};
    const atg_profile_row *rows = NULL;
    uint32_t n = 0;
    atg_err err = {0};
    int code = EXIT_DONE;

    for (int i = 0; i < r->n; i++) {
        if (r->files[i].format != ATG_FORMAT_FREQUENCIES)
            continue;
        if (table)
            return cli_usage(r->a->command, "Both %s and %s hold frequencies: give one",
                             table->name, r->files[i].name);
        table = &r->files[i];
    }
    if (!table)
        return cli_usage(r->a->command, "Tables of profiles carry no allele frequencies: name a "
                                        "file of them with --frequencies");
    code = parse_frequencies(r, table, &freqs);
    if (!code)
        code = table_params(r, &freqs, &params, &female, &male);
    for (int i = 0; !code && i < r->n; i++)
        if (&r->files[i] != table)
            code = read_rows(r, &r->files[i]);
    if (code)
        return code;
    if (atg_sources_join(r->arena, (uint32_t)r->n, r->files, &n, &rows, &err))
        return cli_fail(NULL, &err);
    if (atg_operation_of_rows(r->arena, n, rows, &freqs, params, female, male, ret, r->notes,
                              &err)) {
        culprit = atg_sources_culprit((uint32_t)r->n, r->files, &err);
        return cli_fail(culprit ? culprit->name : NULL, &err);
    }
    tell_notes(r, NULL);
    return EXIT_DONE;
}

static int convert(reading *r, atg_operation *ret) {
    int tables = 0;

    for (int i = 0; i < r->n; i++) {
        const atg_source *f = &r->files[i];

        if (f->format == ATG_FORMAT_UNKNOWN) {
            atg_err err = {0};

            (void)atg_fail(&err, ATG_EPARSE,
                           "This is none of the formats that are read: an operation (JSON), a "
                           "Familias file, CODIS CMF, or a table of genotypes");
            return cli_fail(f->name, &err);
        }
        tables += f->format == ATG_FORMAT_TABLE || f->format == ATG_FORMAT_CMF;
        if (atg_format_is_whole(f->format) && r->n > 1)
            return cli_usage(r->a->command,
                             "%s is a whole operation: it is not combined with other files",
                             f->name);
    }
    if (atg_format_is_whole(r->files[0].format))
        return read_operation(r, &r->files[0], ret);
    if (!tables)
        return cli_usage(r->a->command, "%s holds frequencies only: name a file with profiles",
                         r->files[0].name);
    return read_tables(r, ret);
}

static void digest(const reading *r, char ret[65]) {
    crypto_hash_sha256_state state;
    unsigned char sum[crypto_hash_sha256_BYTES];

    (void)crypto_hash_sha256_init(&state);
    for (int i = 0; i < r->n; i++)
        (void)crypto_hash_sha256_update(&state, (const unsigned char *)r->files[i].bytes.p,
                                        r->files[i].bytes.n);
    (void)crypto_hash_sha256_final(&state, sum);
    (void)sodium_bin2hex(ret, 65, sum, sizeof(sum));
}

int input_read(const args *a, atg_arena *arena, int n, char *const *files, input *ret) {
    reading r = {.a = a, .arena = arena, .notes = atg_notes_new(arena)};
    input in = {.name = files[0]};
    atg_err err = {0};
    int code;

    if (!r.notes)
        return no_memory();
    code = read_all(&r, n, files);
    if (!code)
        code = convert(&r, &in.op);
    if (code)
        return code;
    if (atg_operation_check(&in.op, &err))
        return cli_fail(in.name, &err);
    digest(&r, in.sha256);
    *ret = in;
    return EXIT_DONE;
}

static int not_there(const input *in, const char *what, const char *id) {
    atg_err err = {0};

    (void)atg_fail(&err, ATG_ENOTFOUND, "There is no %s '%s' in this operation", what, id);
    return cli_fail(in->name, &err);
}

int input_sample(const args *a, const input *in, uint32_t *ret) {
    atg_str id = atg_str_of(a->value[OPT_REMAINS]);

    if (!a->value[OPT_REMAINS])
        return cli_usage(a->command, "Name the remains with --remains");
    for (uint32_t i = 0; i < in->op.n_samples; i++)
        if (atg_str_eq(in->op.samples[i].id, id)) {
            *ret = i;
            return EXIT_DONE;
        }
    return not_there(in, "sample", a->value[OPT_REMAINS]);
}

int input_missing(const args *a, const input *in, uint32_t *ret) {
    atg_str id = atg_str_of(a->value[OPT_MISSING]);

    if (!a->value[OPT_MISSING])
        return cli_usage(a->command, "Name the missing person with --missing");
    for (uint32_t i = 0; i < in->op.n_missing; i++)
        if (atg_str_eq(in->op.missing[i].id, id)) {
            *ret = i;
            return EXIT_DONE;
        }
    return not_there(in, "missing person", a->value[OPT_MISSING]);
}
