/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/json.h"
#include "cli/exercise.h"

enum { PATH_BYTES = 4096 };
static const size_t output_max = (size_t)8 << 30;

static int options_of(const args *a, atg_exercise_options *ret) {
    uint64_t n = 0, bodies = 0;
    int code = cli_uint(a, OPT_SEED, 0, UINT64_MAX, &ret->seed);

    if (!code)
        code = cli_uint(a, OPT_SIZE, 1, 200000, &n);
    if (!code)
        code = cli_uint(a, OPT_BODIES, 1, 400000, &bodies);
    if (!code)
        code = cli_number(a, OPT_THETA, 0, 0.5, &ret->theta);
    if (!code)
        code = cli_number(a, OPT_OWN, 0, 1, &ret->own);
    if (!code)
        code = input_mutation(a, OPT_MUTATION, &ret->mutation);
    if (n) {
        ret->n_missing = (uint32_t)n;
        ret->n_bodies = 0;
    }
    if (bodies)
        ret->n_bodies = (uint32_t)bodies;
    return code;
}

/* Parameters that the made operation names, where the generator could not know them. */
static int name_parameters(const args *a, const atg_frequencies *freqs, atg_params *params) {
    params->population = freqs->population;
    params->source = freqs->source;
    params->n_population = freqs->n_population;
    if (freqs->n_population)
        params->min_freq = 5.0 / (2.0 * freqs->n_population);
    else if (!cli_has(a, OPT_MIN_FREQUENCY))
        return cli_usage(a->command,
                         "The frequencies do not say how many persons were typed: name the "
                         "minimum frequency with --min-frequency, for example 0.001");
    return cli_number(a, OPT_MIN_FREQUENCY, 1e-9, 0.5, &params->min_freq);
}

/* Keep the markers that --markers names: those of a set of the file, or one by one. */
static int choose_markers(const args *a, atg_arena *arena, atg_frequencies *freqs) {
    atg_str rest = atg_str_of(a->value[OPT_MARKERS]);
    atg_marker *chosen = ATG_GET(arena, atg_marker, freqs->n_markers + 1);
    const struct atg_marker_set *set = NULL;
    uint32_t n = 0;

    if (!chosen)
        return cli_write(NULL, NULL);
    if (rest.n == 0)
        return EXIT_DONE;
    for (uint32_t i = 0; i < freqs->n_sets; i++)
        if (atg_str_eq_nocase(freqs->sets[i].name, rest))
            set = &freqs->sets[i];
    for (uint32_t i = 0; set ? i < set->n : rest.n > 0; i++) {
        atg_str name = set ? set->markers[i] : atg_str_trim(atg_str_cut(&rest, ','));
        uint32_t m = 0;

        while (m < freqs->n_markers && !atg_marker_same_name(freqs->markers[m].name, name))
            m++;
        if (m == freqs->n_markers || n == freqs->n_markers)
            return cli_usage(a->command,
                             "--markers: there is no marker and no set '%.*s' in these "
                             "frequencies",
                             ATG_FMT(name));
        chosen[n++] = freqs->markers[m];
    }
    freqs->markers = chosen;
    freqs->n_markers = n;
    return EXIT_DONE;
}

typedef int writer(const void *what, const atg_operation *op, atg_buf *buf, atg_err *err);

static int write_operation(const void *what, const atg_operation *op, atg_buf *buf, atg_err *err) {
    (void)what;
    return atg_operation_write_json(op, NULL, buf, err);
}

static int write_truth(const void *what, const atg_operation *op, atg_buf *buf, atg_err *err) {
    return atg_truth_write_json(what, op, buf, err);
}

static int save(const char *folder, const char *name, writer *write, const void *what,
                const atg_operation *op) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(output_max);
    char path[PATH_BYTES];
    atg_err err = {0};
    atg_str s;

    if (!buf)
        return cli_write(NULL, NULL);
    if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path))
        return cli_usage(&command_exercise_make, "The path of the folder is too long");
    if (write(what, op, buf, &err) || atg_buf_take(buf, &s, &err) || file_write(path, s, &err))
        return cli_fail(NULL, &err);
    return EXIT_DONE;
}

static void say(const args *a, const atg_operation *op, const char *folder, uint32_t portraits) {
    if (cli_has(a, OPT_QUIET))
        return;
    (void)fprintf(stderr,
                  "%u missing persons of %u families, %u samples: %s/operation.json; who is "
                  "who: %s/truth.json\n",
                  op->n_missing, op->n_families, op->n_samples, folder, folder);
    if (portraits)
        (void)fprintf(stderr, "%u portraits of nobody: %s/portraits.json\n", portraits,
                      a->value[OPT_PORTRAITS]);
}

static int say_json(const args *a, const atg_operation *op, const char *folder,
                    uint32_t portraits) {
    ATG_AUTO(atg_buf) buf = atg_buf_new((size_t)1 << 20);
    json j = json_new(buf);

    if (!buf || !cli_has(a, OPT_JSON))
        return buf ? EXIT_DONE : cli_write(NULL, NULL);
    json_begin_object(&j);
    json_key(&j, "folder");
    json_text(&j, folder);
    json_key(&j, "missing");
    json_int(&j, op->n_missing);
    json_key(&j, "families");
    json_int(&j, op->n_families);
    json_key(&j, "samples");
    json_int(&j, op->n_samples);
    if (a->value[OPT_PORTRAITS]) {
        json_key(&j, "portraits_folder");
        json_text(&j, a->value[OPT_PORTRAITS]);
        json_key(&j, "portraits");
        json_int(&j, portraits);
    }
    json_end(&j, '}');
    return cli_write(NULL, buf);
}

static int run(const args *a) {
    ATG_AUTO(atg_arena) arena = input_arena();
    const char *folder = a->value[OPT_DIRECTORY] ? a->value[OPT_DIRECTORY] : ".";
    atg_exercise_options made = atg_exercise_default();
    atg_frequencies freqs;
    atg_operation op;
    atg_truth truth;
    atg_err err = {0};
    uint32_t portraits = 0;
    int code = arena ? options_of(a, &made) : EXIT_MACHINE;

    if (!code)
        code = input_frequencies(a, arena, &freqs);
    if (!code)
        code = choose_markers(a, arena, &freqs);
    if (code)
        return code;
    if (atg_exercise_make(arena, freqs.n_markers, freqs.markers, &made, &op, &truth, &err))
        return cli_fail(NULL, &err);
    code = name_parameters(a, &freqs, &op.params);
    if (code)
        return code;
    if (mkdir(folder, 0777) && errno != EEXIST) {
        (void)atg_fail(&err, ATG_EIO, "Cannot make the folder %s: %s", folder,
                       strerror(errno)); /* NOLINT(concurrency-mt-unsafe): one thread */
        return cli_fail(NULL, &err);
    }
    code = save(folder, "operation.json", write_operation, NULL, &op);
    if (!code)
        code = save(folder, "truth.json", write_truth, &truth, &op);
    if (!code && a->value[OPT_PORTRAITS])
        code = exercise_portraits(a, arena, &op, &truth, &portraits);
    if (code)
        return code;
    say(a, &op, folder, portraits);
    return say_json(a, &op, folder, portraits);
}

static const option_id options[] = {
    OPT_FREQUENCIES, OPT_POPULATION, OPT_MARKERS, OPT_SIZE,          OPT_BODIES,    OPT_OWN,
    OPT_SEED,        OPT_MUTATION,   OPT_THETA,   OPT_MIN_FREQUENCY, OPT_DIRECTORY, OPT_PORTRAITS,
    OPT_THREADS,     OPT_JSON,       OPT_QUIET,   OPT_HELP};

const command command_exercise_make = {
    .name = "exercise make",
    .summary = "Make a synthetic operation whose truth is known.",
    .operands = "",
    .details = "Invents families of a realistic mix, drops genes through them on the markers of "
               "--frequencies, and makes remains of them: degraded and partial profiles, "
               "fragments, bodies of nobody on the list, missing persons who are not found, wrong "
               "reported relations and exchanged labels. The same seed makes the same operation. "
               "Writes operation.json, and truth.json for 'exercise score'.\n\n"
               "With --portraits faces are drawn from numbers as well, for everything that handles "
               "photographs: nobody of such a face lives or lived. The folder gets AM/ and PM/ and "
               "portraits.json, which says which file belongs to which missing file or remains. "
               "They try out functions; no accuracy can be claimed from them.",
    .options = options,
    .run = run,
};
