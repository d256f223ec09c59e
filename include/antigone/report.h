/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file antigone/report.h
 * What is printed of an identification: a table in words, JSON, and one self-contained page.
 */
#ifndef ATG_REPORT_H
#define ATG_REPORT_H

#include <antigone/identification.h>

/** antigone-identification/1 JSON (schema/identification.schema.json).  `for_geneticist` adds the
 *  private findings about families, the member "geneticist_only". */
ATG_API ATG_MUST_USE int atg_report_json(const atg_identification *run, bool for_geneticist,
                                         atg_buf *buf, atg_err *err);

/** The table of conclusions as text, at most `width` columns (0: 100). */
ATG_API ATG_MUST_USE int atg_report_text(const atg_identification *run, uint32_t width,
                                         atg_buf *buf, atg_err *err);

/** One HTML file without any outside reference or script: conclusions, pedigrees drawn, per-marker
 *  tables, LR bars, what each undecided file still needs.  `for_geneticist` adds the private
 *  findings about families; without it they are worded "another reference is needed". */
ATG_API ATG_MUST_USE int atg_report_html(const atg_identification *run, bool for_geneticist,
                                         atg_buf *buf, atg_err *err);

/** A pedigree as an SVG element, typed members filled, the missing marked, with `width` pixels. */
ATG_API ATG_MUST_USE int atg_report_pedigree_svg(const atg_operation *op, uint32_t family,
                                                 uint32_t width, atg_buf *buf, atg_err *err);

#endif
