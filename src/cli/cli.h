/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: a table of commands, each with the options it takes.  Help, manual page,
 * completions and parsing all come from that table. */
#ifndef ATG_CLI_CLI_H
#define ATG_CLI_CLI_H

#include <antigone/antigone.h>

/* Exit codes. */
enum {
    EXIT_DONE = 0,
    EXIT_NO = 1,      /* the answer is no */
    EXIT_USAGE = 2,   /* the command line is wrong */
    EXIT_INPUT = 3,   /* the input is wrong */
    EXIT_MACHINE = 4, /* memory, disk */
};

typedef enum option_id {
    OPT_JSON,
    OPT_OUTPUT,
    OPT_SAVE,
    OPT_HTML,
    OPT_FREQUENCIES,
    OPT_POPULATION,
    OPT_THETA,
    OPT_MIN_FREQUENCY,
    OPT_MUTATION,
    OPT_MUTATION_MALE,
    OPT_REMAINS,
    OPT_MISSING,
    OPT_SIMULATIONS,
    OPT_SIZE,
    OPT_MARKERS,
    OPT_BODIES,
    OPT_OWN,
    OPT_DIRECTORY,
    OPT_PORTRAITS,
    OPT_TO,
    OPT_RECIPIENT,
    OPT_LAB,
    OPT_RAW,
    OPT_GENETICIST,
    OPT_THREADS,
    OPT_SEED,
    OPT_SERVER,
    OPT_CA,
    OPT_STORE,
    OPT_POSTGRES,
    OPT_KEY,
    OPT_ACCOUNT,
    OPT_REASON,
    OPT_PICTURES,
    OPT_OPERATION,
    OPT_SITE,
    OPT_STATE,
    OPT_SEX,
    OPT_ORDER,
    OPT_LIMIT,
    OPT_AFTER,
    OPT_SOURCE,
    OPT_DRY_RUN,
    OPT_AS,
    OPT_AGREED_ON,
    OPT_ENDS_ON,
    OPT_BASIS,
    OPT_SIGN,
    OPT_INVENT,
    OPT_WATCH,
    OPT_CONCLUSION,
    OPT_BEST,
    OPT_RETOUCHED,
    OPT_CAP,
    OPT_SCORE,
    OPT_RECOVERIES,
    OPT_AGENCY,
    OPT_KEEPER,
    OPT_PLAIN_KEY,
    OPT_LOST_CODE,
    OPT_OFFLINE,
    OPT_ALL,
    OPT_CARD,
    OPT_FINGERPRINT,
    OPT_KIND,
    OPT_THEIRS,
    OPT_PUBLIC_KEY,
    OPT_PART_SIZE,
    OPT_CHANGED_HISTORY,
    OPT_LISTEN,
    OPT_CERTIFICATE,
    OPT_CERTIFICATE_KEY,
    OPT_NAMES,
    OPT_LOG,
    OPT_OPENAPI,
    OPT_QUIET,
    OPT_MAN,
    OPT_HELP,
    OPT_COUNT,
} option_id;

typedef struct option_row {
    const char *name;
    char letter;     /* 0: none */
    const char *arg; /* NULL: a switch */
    const char *help;
} option_row;

typedef struct args args;

typedef struct command {
    const char *name; /* one or two words */
    const char *summary;
    const char *operands;
    int min_operands, max_operands; /* -1: any number */
    const char *details;            /* paragraphs, an empty line between them; may be NULL */
    const option_id *options;       /* ends with OPT_HELP, which every command has */
    int (*run)(const args *a);
} command;

/* A command line that was read. */
struct args {
    const command *command;
    const char *value[OPT_COUNT]; /* NULL: not given; a switch that is given has "" */
    int n;
    char *const *operands;
};

extern const option_row cli_options[OPT_COUNT];
/* All commands, NULL at the end. */
extern const command *const cli_commands[];

/* The command of one or two words at the front of `words`; `*ret_used` words belong to it. */
const command *cli_find(int n, char *const *words, int *ret_used);

/* Read the words behind the command.  EXIT_DONE, or EXIT_USAGE after saying why. */
int cli_parse(const command *c, int argc, char **argv, args *ret);

/* Values of options; `*ret` keeps what it has when the option is not given.  Both ends are
 * allowed.  EXIT_DONE, or EXIT_USAGE after saying why. */
int cli_uint(const args *a, option_id id, uint64_t from, uint64_t to, uint64_t *ret);
int cli_number(const args *a, option_id id, double from, double to, double *ret);
static inline bool cli_has(const args *a, option_id id) {
    return a->value[id] != NULL;
}

/* Does the command take that option? */
bool cli_takes(const command *c, option_id wanted);

/* Say what is wrong with the command line; gives EXIT_USAGE. */
int cli_usage(const command *c, const char *fmt, ...) ATG_PRINTF(2, 3);
/* Say what failed, with the file it was in (NULL: none), and give the exit code it means. */
int cli_fail(const char *file, const atg_err *err);

/* Why a command does not take a service; its name. */
#define CLI_HERE_ONLY "The command %s works on the machine of the store only"

/* Write what the buffer holds to the file of --output, or to standard output. */
int cli_write(const args *a, const atg_buf *buf);

/* Help for people on standard output: of one command, or (NULL) of the program. */
int cli_print_help(const command *c);
/* The manual page in roff. */
void cli_man(atg_buf *buf);

#endif
