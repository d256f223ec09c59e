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
    [OPT_STORE] = {"store", 0, "FOLDER",
                   "Where the cases are kept; otherwise the variable ANTIGONE_STORE."},
    [OPT_POSTGRES] = {"postgres", 0, "CONNECTION",
                      "Cases are kept in this PostgreSQL database (a connection string of libpq); "
                      "otherwise ANTIGONE_POSTGRES. The folder then holds backups and journals."},
    [OPT_KEY] = {"key", 'k', "FILE",
                 "The keeper's key file; otherwise ANTIGONE_KEY, or 'key' in the folder. Its "
                 "passphrase is asked for, or read from the file that ANTIGONE_PASSPHRASE_FILE "
                 "names."},
    [OPT_ACCOUNT] = {"account", 0, "NAME",
                     "Who acts; otherwise ANTIGONE_ACCOUNT, or who logged in last."},
    [OPT_REASON] = {"reason", 0, "TEXT",
                    "Why: needed to see names and pictures, to change a state, to withdraw and to "
                    "erase. It stands in the history."},
    [OPT_OPERATION] = {"operation", 0, "CODE",
                       "The operation; may be left out where there is only one."},
    [OPT_SITE] = {"site", 0, "PREFIX",
                  "Prefix of the codes made in this store: 1 to 8 letters A-Z and digits. No two "
                  "sites have the same."},
    [OPT_STATE] = {"state", 0, "WORD", "Files in this state only."},
    [OPT_SEX] = {"sex", 0, "WORD", "male, female or unknown."},
    [OPT_ORDER] = {"order", 0, "WORD", "code (default), name, or change: the latest first."},
    [OPT_LIMIT] = {"limit", 'n', "NUMBER", "At most so many; default 50."},
    [OPT_AFTER] = {"after", 0, "CODE", "The page behind this file."},
    [OPT_SOURCE] = {"source", 0, "NAME",
                    "Names where the table comes from; the same table again changes nothing. "
                    "Default: the name of the file."},
    [OPT_DRY_RUN] = {"dry-run", 0, NULL, "List every problem and change nothing."},
    [OPT_AS] = {"as", 0, "KIND", "What the rows of a table are: missing, remains, family, ..."},
    [OPT_AGREED_ON] = {"agreed-on", 0, "DATE", "When the donors of the file agreed."},
    [OPT_ENDS_ON] = {"ends-on", 0, "DATE", "When the donors' samples and profiles are erased."},
    [OPT_BASIS] = {"basis", 0, "WORD",
                   "Legal basis: consent, vital_interest, public_interest, legal_duty or "
                   "humanitarian_mandate."},
    [OPT_SIGN] = {"sign", 0, NULL,
                  "Sign threshold, least LR and prior of the new operation as a member of the "
                  "board."},
    [OPT_WATCH] = {"watch", 0, NULL, "Go on: wait for what comes, until interrupted."},
    [OPT_CONCLUSION] = {"conclusion", 0, "WORD",
                        "probable, possible, insufficient, excluded or established."},
    [OPT_AGENCY] = {"agency", 0, "NAME", "The agency that the account belongs to."},
    [OPT_KEEPER] = {"keeper", 0, "NAME", "Who keeps the key file."},
    [OPT_PLAIN_KEY] = {"plain-key", 0, NULL,
                       "No passphrase: for a machine that starts by itself (a systemd "
                       "credential). Who can read the file can read the cases."},
    [OPT_LOST_CODE] = {"lost-code", 0, NULL,
                       "Take the second factor off too: the telephone is lost."},
    [OPT_QUIET] = {"quiet", 'q', NULL, "No progress and no notes."},
    [OPT_MAN] = {"man", 0, NULL, "The whole manual page, in roff."},
    [OPT_HELP] = {"help", 'h', NULL, "Help on this command."},
};

const command *const cli_commands[] = {
    &command_init,           &command_add,
    &command_edit,           &command_state,
    &command_withdraw,       &command_show,
    &command_history,        &command_list,
    &command_search,         &command_import,
    &command_match,          &command_leads,
    &command_erase,          &command_export,
    &command_merge,          &command_unmerge,
    &command_duplicates,     &command_login,
    &command_logout,         &command_password,
    &command_code,           &command_users_add,
    &command_users_list,     &command_users_grant,
    &command_users_revoke,   &command_users_block,
    &command_users_unblock,  &command_users_reset,
    &command_identify,       &command_lr,
    &command_families_check, &command_families_power,
    &command_direct,         &command_exclusions,
    &command_exercise_make,  &command_exercise_score,
    &command_exercise_truth, &command_reference_check,
    &command_convert,        &command_doctor,
    &command_completion,     &command_version,
    &command_help,           NULL,
};
