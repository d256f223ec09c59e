/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include "cli/commands.h"

const option_row cli_options[OPT_COUNT] = {
    [OPT_JSON] = {"json", 'j', NULL, "Write JSON instead of text."},
    [OPT_OUTPUT] = {"output", 'o', "FILE", "Write to FILE instead of standard output."},
    [OPT_SAVE] = {"save", 0, "FILE", "Write the whole result as JSON to FILE besides."},
    [OPT_HTML] = {"html", 0, "FILE", "Write a self-contained page to FILE besides."},
    [OPT_FREQUENCIES] = {"frequencies", 'f', "FILE",
                         "Allele frequencies, for tables that carry none."},
    [OPT_POPULATION] = {"population", 'p', "NAME",
                        "Population of the frequencies; there is no default."},
    [OPT_THETA] = {"theta", 0, "NUMBER",
                   "Coancestry coefficient (0 to 0.5), for tables; there is no default."},
    [OPT_MIN_FREQUENCY] = {"min-frequency", 0, "NUMBER",
                           "Frequency of alleles that the table of frequencies lacks; without it "
                           "5/(2N), where N persons were typed for that table."},
    [OPT_MUTATION] = {"mutation", 0, "MODEL",
                      "Mutation model, for tables: none, equal:RATE, proportional:RATE, "
                      "onestep:RATE or stepwise:RATE:RATE2:RANGE."},
    [OPT_MUTATION_MALE] = {"mutation-male", 0, "MODEL",
                           "The same for transmissions from fathers, where it differs."},
    [OPT_REMAINS] = {"remains", 'r', "ID", "The sample or body to compare."},
    [OPT_MISSING] = {"missing", 'm', "ID", "The missing person."},
    [OPT_SIMULATIONS] = {"simulations", 'n', "NUMBER", "Simulated profiles; default 1000."},
    [OPT_SIZE] = {"size", 'n', "NUMBER", "Missing persons; default 60."},
    [OPT_MARKERS] = {"markers", 0, "SET",
                     "Which markers of the frequencies: the name of a set in that file (such as a "
                     "kit), or marker names with commas between them; default: all."},
    [OPT_BODIES] = {"bodies", 0, "NUMBER", "Bodies and parts; default 7/6 of the missing."},
    [OPT_DIRECTORY] = {"directory", 'd', "FOLDER", "Folder to write to; default: this one."},
    [OPT_TO] = {"to", 't', "FORMAT", "fam, json, csv or cmf."},
    [OPT_RECIPIENT] = {"recipient", 0, "NAME",
                       "Who receives the file: only relatives who agreed to this recipient have "
                       "their profiles in it."},
    [OPT_LAB] = {"lab", 0, "NAME", "ORI of the sending laboratory (1 to 10 characters), for cmf."},
    [OPT_RAW] = {"raw", 0, NULL, "Without process error, as the reference programs compute."},
    [OPT_GENETICIST] = {"geneticist", 0, NULL,
                        "Add the private findings about families, for the geneticist's eyes."},
    [OPT_THREADS] = {"threads", 0, "NUMBER", "Threads to use; default: all."},
    [OPT_SEED] = {"seed", 's', "NUMBER", "Seed of everything random; default 1."},
    [OPT_QUIET] = {"quiet", 'q', NULL, "No progress and no notes."},
    [OPT_MAN] = {"man", 0, NULL, "The whole manual page, in roff."},
    [OPT_HELP] = {"help", 'h', NULL, "Help on this command."},
};

const command *const cli_commands[] = {
    &command_identify,       &command_lr,
    &command_families_check, &command_families_power,
    &command_direct,         &command_exclusions,
    &command_exercise_make,  &command_exercise_score,
    &command_exercise_truth, &command_reference_check,
    &command_convert,        &command_doctor,
    &command_completion,     &command_version,
    &command_help,           NULL,
};
