/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file antigone/formats.h
 * Bytes <-> operation.  Readers take the whole file in memory, know nothing of files, and either
 * give a complete operation or an error with line and column: nothing is half imported.
 *
 * What a reader repairs or what the user ought to know goes to `notes`, one sentence each.
 */
#ifndef ATG_FORMATS_H
#define ATG_FORMATS_H

#include <antigone/operation.h>

enum {
    ATG_INPUT_MAX = 256 * 1024 * 1024, /**< Bytes of one input file. */
    ATG_NOTES_MAX = 1000,
};

typedef struct atg_notes {
    uint32_t n;
    atg_str *text; /**< ATG_NOTES_MAX places, made by atg_notes_new(). */
} atg_notes;

ATG_API atg_notes *atg_notes_new(atg_arena *arena);
/** Formatted into the arena; dropped silently once the list is full.  NULL notes is allowed. */
ATG_API void atg_note(atg_notes *notes, atg_arena *arena, const char *fmt, ...) ATG_PRINTF(3, 4);

typedef enum atg_format {
    ATG_FORMAT_UNKNOWN = 0,
    ATG_FORMAT_OPERATION,   /**< antigone-operation/1 JSON. */
    ATG_FORMAT_REFERENCE,   /**< dvi-reference/1 JSON. */
    ATG_FORMAT_FAMILIAS,    /**< .fam */
    ATG_FORMAT_CMF,         /**< CODIS CMF 3.2 XML. */
    ATG_FORMAT_TABLE,       /**< Genotype table: CSV, TSV, GeneMapper export. */
    ATG_FORMAT_FREQUENCIES, /**< str-frequencies/1 JSON, or a frequency table. */
} atg_format;

/** What the bytes look like; the name's ending is only a hint. */
ATG_API atg_format atg_format_guess(atg_str name, atg_str bytes);

/** Read antigone-operation/1 or dvi-reference/1. */
ATG_API ATG_MUST_USE int atg_operation_read_json(atg_arena *arena, atg_str bytes,
                                                 atg_operation *ret, atg_notes *notes,
                                                 atg_err *err);
/** Write antigone-operation/1; reading it again gives the same operation.  Relatives' genotypes
 *  are written only for donors whose consent names `recipient`; NULL means "stays with this
 *  operation" (the working file itself). */
ATG_API ATG_MUST_USE int atg_operation_write_json(const atg_operation *op, const char *recipient,
                                                  atg_buf *buf, atg_err *err);

ATG_API ATG_MUST_USE int atg_familias_read(atg_arena *arena, atg_str bytes, atg_operation *ret,
                                           atg_notes *notes, atg_err *err);
/** `recipient` as in atg_operation_write_json.  Familias has no place for amelogenin, X and Y
 *  markers, mtDNA, alleles of which one was read, and mixtures: they are left out.  ATG_EINVAL for
 *  a mutation model that it does not have. */
ATG_API ATG_MUST_USE int atg_familias_write(const atg_operation *op, const char *recipient,
                                            atg_buf *buf, atg_err *err);

/** Rows of genotypes that belong to no operation yet. */
typedef struct atg_profile_row {
    atg_str id;
    atg_str body;           /**< May be empty. */
    atg_str family;         /**< Empty: remains. */
    atg_str father, mother; /**< Ids, may be empty. */
    atg_str missing;        /**< Not empty: this person is missing, under this id. */
    bool own;               /**< No person but an own sample of the missing person `missing`. */
    atg_sex sex;
    uint32_t n_calls;
    const struct atg_profile_call {
        atg_str marker; /**< As written. */
        atg_str a, b;   /**< Labels; b empty: one allele read as homozygote; "-" unread. */
        uint32_t line, col;
    } * calls;
    uint32_t line;
    bool staff;
} atg_profile_row;

/** A genotype table: one row per person ("wide") or per person and marker ("long", GeneMapper). */
ATG_API ATG_MUST_USE int atg_table_read(atg_arena *arena, atg_str bytes, uint32_t *ret_n,
                                        const atg_profile_row **ret, atg_notes *notes,
                                        atg_err *err);
ATG_API ATG_MUST_USE int atg_cmf_read(atg_arena *arena, atg_str bytes, uint32_t *ret_n,
                                      const atg_profile_row **ret, atg_notes *notes, atg_err *err);
/** Remains only; a relative never leaves in this format.  Mixtures, markers that CODIS has no name
 *  for and loci of which one allele was read stay behind.  Version 3.2 where its loci suffice, else
 *  3.3, which differs in the list of loci only.
 *  @param lab   ORI of the laboratory, 1 to 10 characters; it stands for the reader too.
 *  @param when  Instant of the export, UTC, as "2026-11-24T02:00:00": the format demands one. */
ATG_API ATG_MUST_USE int atg_cmf_write(const atg_operation *op, const char *lab, const char *when,
                                       atg_buf *buf, atg_err *err);
/** Remains, and relatives whose consent names `recipient`. */
ATG_API ATG_MUST_USE int atg_table_write(const atg_operation *op, const char *recipient,
                                         atg_buf *buf, atg_err *err);

/** Allele frequencies: marker sets of one population. */
typedef struct atg_frequencies {
    atg_str population, source, licence;
    uint32_t n_population; /**< Persons typed; 0 unknown. */
    uint32_t n_markers;
    const atg_marker *markers; /**< Without mutation models. */
    uint32_t n_sets;
    const struct atg_marker_set { /**< Names for several markers, such as a kit's. */
        atg_str name;
        uint32_t n;
        const atg_str *markers; /**< Usual names; not all need be in this population. */
    } * sets;
} atg_frequencies;

/** @param population  Which one, when the file holds several; empty: the only one. */
ATG_API ATG_MUST_USE int atg_frequencies_read(atg_arena *arena, atg_str bytes, atg_str population,
                                              atg_frequencies *ret, atg_notes *notes, atg_err *err);

/** One of several files that make an operation together: tables of genotypes, CMF, and the
 *  frequencies that they are read with. */
typedef struct atg_source {
    const char *name; /**< As the user calls it. */
    atg_str bytes;
    atg_format format;
    uint32_t n_rows; /**< Of genotypes, once they are read. */
    const atg_profile_row *rows;
} atg_source;

/** Does a file of this format hold an operation by itself? */
ATG_API bool atg_format_is_whole(atg_format format);
/** Read the rows of a table or a CMF into `file`. */
ATG_API ATG_MUST_USE int atg_source_read(atg_arena *arena, atg_source *file, atg_notes *notes,
                                         atg_err *err);
/** All rows of all files, one after the other. */
ATG_API ATG_MUST_USE int atg_sources_join(atg_arena *arena, uint32_t n, const atg_source *files,
                                          uint32_t *ret_n, const atg_profile_row **ret,
                                          atg_err *err);
/** Which file the line of an error in the joined rows stands in, when only one can be meant; else
 *  NULL. */
ATG_API const atg_source *atg_sources_culprit(uint32_t n, const atg_source *files,
                                              const atg_err *err);

/** Make an operation of rows and frequencies.  Alleles that the table lacks get the minimum
 *  frequency, with a note; a marker it lacks is left out, with a note. */
ATG_API ATG_MUST_USE int atg_operation_of_rows(atg_arena *arena, uint32_t n_rows,
                                               const atg_profile_row *rows,
                                               const atg_frequencies *freqs, atg_params params,
                                               atg_mutation female, atg_mutation male,
                                               atg_operation *ret, atg_notes *notes, atg_err *err);

#endif
