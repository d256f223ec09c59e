/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the Familias reader: lines, the frequency database, and families as the file has them.
 *
 * A .fam file is read line by line.  First come the persons, relations and pedigrees of the main
 * window, then the database, all by position; then, in files of the DVI module, sections whose
 * headings are nested by the number of their brackets, with lines "Key= value". */
#ifndef ATG_FORMATS_FAMILIAS_H
#define ATG_FORMATS_FAMILIAS_H

#include <antigone/formats.h>

#include "base/text.h"
#include "formats/markerset.h"

enum { FAM_NAME_MAX = 255 };

/* What the file says of a marker beside its alleles. */
typedef struct fam_marker {
    uint32_t line;
    double rate[2], range[2], rate2[2]; /* female, male */
    uint32_t code[2];                   /* of the mutation model */
    bool has_silent;
    double silent_freq;
    uint32_t size, n_alleles;
    atg_str *alleles; /* as numbered in the main window */
    double dropout, min_freq;
} fam_marker;

typedef struct fam_file {
    atg_arena *arena;
    atg_notes *notes;
    atg_err *err;
    text_lines lines;
    atg_str text; /* the line in hand, without quotes and outer blanks */
    uint32_t col; /* where it starts */
    bool quoted;
    bool dvi; /* the version says that there is a DVI section */
    bool end; /* no line is in hand */
    /* the database */
    atg_str database;
    double theta;
    uint32_t n_markers;
    fam_marker *markers;
    marker_set *set; /* the same markers on their way into the operation */
    uint32_t n_population;
    double min_freq;
} fam_file;

/* Go to the next line; at the end of the file `end` is set. */
void fam_next(fam_file *f);
/* Give an error that has no place the first column of `line`. */
int fam_at(fam_file *f, uint32_t line, int rc);
/* Fail at the line in hand. */
int fam_fail(fam_file *f, int code, const char *fmt, ...) ATG_PRINTF(3, 4);
int fam_nomem(fam_file *f);

/* Take the line in hand as ..., and go to the next.  `what` names it in the sentence. */
int fam_take_name(fam_file *f, const char *what, atg_str *ret);
int fam_take_count(fam_file *f, const char *what, uint32_t max, uint32_t *ret);
int fam_take_number(fam_file *f, const char *what, double lo, double hi, double *ret);
int fam_take_flag(fam_file *f, const char *what, bool *ret);

/* A person name, marker name or label: not empty, without control characters, copied. */
int fam_keep(fam_file *f, atg_str s, size_t max, const char *what, atg_str *ret);

/* The database, from the line behind the pedigrees to the end of the last marker. */
int fam_read_database(fam_file *f);

/* Index of the marker, tried at `hint` first, or -1. */
int fam_find_marker(fam_file *f, atg_str name, uint32_t hint, int64_t *ret);
/* The allele of `who`, as the table or another program writes it.  One that the table lacks joins
 * it, where there is a minimum frequency to give.  Errors have no place. */
int fam_find_allele(fam_file *f, uint32_t marker, atg_str label, atg_str who, int16_t *ret);

typedef struct fam_person {
    atg_str name;
    uint32_t line;
    atg_sex sex;
    atg_geno *genos; /* NULL when untyped */
    double dropout;
} fam_person;

typedef struct fam_relation {
    atg_str parent, child;
    uint32_t line;
} fam_relation;

typedef struct fam_pedigree {
    atg_str name;
    uint32_t line, n;
    fam_relation *relations;
} fam_pedigree;

typedef struct fam_family {
    atg_str name;
    uint32_t line, n_persons, n_pedigrees;
    fam_person *persons;
    fam_pedigree *pedigrees;
} fam_family;

typedef struct fam_content {
    bool plain; /* families of the main window, where nobody need be missing */
    uint32_t n_remains, n_families;
    fam_person *remains;
    fam_family *families;
} fam_content;

/* The DVI section, its heading in hand. */
int fam_read_dvi(fam_file *f, fam_content *ret);

/* Persons and pedigrees of the main window, as the file has them before its database. */
typedef struct fam_plain fam_plain;
int fam_read_plain(fam_file *f, fam_plain **ret);
/* How many persons it has. */
uint32_t fam_plain_persons(const fam_plain *plain);
/* One family for each pedigree; needs the database. */
int fam_plain_families(fam_file *f, const fam_plain *plain, fam_content *ret);

/* Pedigrees as records: parents completed, sexes found, missing persons named. */
int fam_make_families(fam_file *f, const fam_content *content, atg_operation *op);

/* Would Familias' user call a missing person so, who has no other mark in the file? */
bool fam_is_missing_name(atg_str name);
/* The missing person's own name in it: "AM-7" of "Missing AM-7"; the name itself when it is one
 * that Familias gives. */
atg_str fam_missing_id(atg_str name);

#endif
