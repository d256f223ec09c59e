/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the reference check; each adds its comparisons to `ret`. */
#ifndef ATG_APP_REFERENCE_H
#define ATG_APP_REFERENCE_H

#include <antigone/operation.h>
#include <antigone/reference.h>

#include <jansson.h>

/* Compare one number; `where` names it. */
void reference_compare(atg_reference *ret, const char *kind, double want, double got,
                       const char *where);
/* Words, or who is who: the same or not. */
void reference_same(atg_reference *ret, const char *kind);
void reference_differ(atg_reference *ret, const char *kind, atg_str want, atg_str got,
                      const char *where);
/* Every member of `object` that is not among the words of `known` is named as not compared; those
 * of `told` hold no result (times, notes). */
void reference_leftover(atg_reference *ret, const json_t *object, const char *prefix,
                        const char *known, const char *told);
void reference_skip(atg_reference *ret, const char *kind, const char *why);
/* What is larger than we compute is named as not compared; other failures stay failures. */
int reference_within_limits(int rc, const char *kind, atg_reference *ret, const atg_err *err);

/* JSON to records.  Texts live as long as `json`. */
/* A mutation model by its parameters. */
atg_mutation reference_mutation(const json_t *spec);
int reference_marker(atg_arena *arena, const json_t *json, atg_marker *ret, atg_err *err);
int reference_pedigree(atg_arena *arena, const json_t *persons, const json_t *genotypes,
                       uint32_t n_markers, const atg_marker *markers, atg_pedigree *ret,
                       atg_err *err);
/* A genotype such as ["15", "-"]; `json` NULL: untyped. */
int reference_geno(const json_t *json, const atg_marker *marker, atg_geno *ret, atg_err *err);
atg_str reference_text(const json_t *json);

int reference_pedigrees(atg_arena *arena, const json_t *root, const atg_progress *progress,
                        atg_reference *ret, atg_err *err);
int reference_matrices(atg_arena *arena, const json_t *root, atg_reference *ret, atg_err *err);
int reference_operation(atg_arena *arena, const json_t *root, atg_str bytes,
                        const atg_progress *progress, atg_reference *ret, atg_err *err);

#endif
