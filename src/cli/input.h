/* SPDX-License-Identifier: Apache-2.0 */
/* Files of the command line, read into one operation. */
#ifndef ATG_CLI_INPUT_H
#define ATG_CLI_INPUT_H

#include "cli/cli.h"

enum { INPUT_FILES_MAX = 64 };

typedef struct input {
    atg_operation op;
    char sha256[65];  /* of the bytes of all files, in the order given; hex */
    const char *name; /* of the only file, or of the first */
} input;

/*
 * Read the files of the command line: one operation (own JSON, reference JSON, .fam), or tables of
 * profiles with the frequencies and parameters that the options name.  Notes go to standard error.
 * EXIT_DONE, or another exit code after saying why.
 */
int input_read(const args *a, atg_arena *arena, int n, char *const *files, input *ret);

/* One file as bytes.  A file that is not there is bad input, not a fault of the machine. */
int input_bytes(atg_arena *arena, const char *path, atg_str *ret);

/* An arena for one command; NULL after saying that memory is short. */
atg_arena *input_arena(void);

/* Frequencies of --frequencies and --population; both must be given. */
int input_frequencies(const args *a, atg_arena *arena, atg_frequencies *ret);

/* "equal:0.001" and the like of an option; unchanged when it is not given. */
int input_mutation(const args *a, option_id id, atg_mutation *ret);

/* Indices of what --remains and --missing name; EXIT_INPUT when there is none of that name. */
int input_sample(const args *a, const input *in, uint32_t *ret);
int input_missing(const args *a, const input *in, uint32_t *ret);

#endif
