/* SPDX-License-Identifier: Apache-2.0 */
/* What provable.c reads of an operation.  Nothing of the library is used here. */
#ifndef INDEPENDENT_DATA_H
#define INDEPENDENT_DATA_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum { MARKERS = 256, ALLELES = 255, PERSONS = 256, SAMPLES = 16 };

/* Print both to standard error and end. */
_Noreturn void die(const char *what, const char *which);
/* Zeroed memory, or the end. */
void *get(size_t n, size_t size);

/* What was read of one person at one marker; a < 0: nothing, b < 0: one allele only. */
typedef struct obs {
    int a, b;
    double drop;
} obs;

typedef struct marker {
    const char *name;
    bool used, x;
    int n;
    const char *labels[ALLELES];
    double freq[ALLELES];
    double *mutation[2]; /* n * n, of fathers and mothers; row = parental allele */
} marker;

typedef struct person {
    const char *id, *missing;
    int father, mother;
    int sex; /* M, F or U */
    bool kept;
    obs *seen; /* one a marker, or NULL */
} person;

typedef struct family {
    int n;
    person *persons;
} family;

/* Genotypes that explain what was read of a body at one marker, with their probabilities. */
typedef struct cell {
    size_t at; /* father's allele * n + mother's allele; of a man at X the mother's alone */
    double w;
} cell;

typedef struct body {
    const char *id;
    int sex; /* M, F or U */
    int n;
    obs *samples[SAMPLES];
    const char *sample_ids[SAMPLES];
    int n_cells[2][MARKERS]; /* as a woman, as a man */
    cell *cells[2][MARKERS];
    double log_p[2][MARKERS]; /* log10 probability in the population */
    const char *truth;
} body;

typedef struct operation {
    int n_markers, n_families, n_bodies, n_missing;
    marker markers[MARKERS];
    family *families;
    body *bodies;
    double odds, threshold, least_lr;
    double *lr; /* n_bodies * n_missing */
    const char **names;
    json_t *files[2]; /* whose texts the rest points to */
} operation;

extern operation op;

/* Where the pair of alleles i and j stands in a table of n * n. */
static inline size_t cell_of(const marker *m, int i, int j) {
    return (size_t)i * (size_t)m->n + (size_t)j;
}

void read_operation(const char *path);
/* Who each body is; after the operation. */
void read_truth(const char *path);

#endif
