/* SPDX-License-Identifier: Apache-2.0 */
/* Records and lists of files as people and programs read them. */
#ifndef ATG_CLI_SHOW_RECORD_H
#define ATG_CLI_SHOW_RECORD_H

#include "app/cases.h"

/* What may be shown, a field a line; what is kept back is named. */
void show_record(atg_buf *buf, const seen *s);

/* A list of files, with the titles that may be read. */
int show_files(atg_arena *arena, atg_buf *buf, const file_page *page, atg_err *err);

/* "AM-K3-000123" or the kind and identifier of a record without a code. */
atg_str show_code(atg_arena *arena, const record *r);

#endif
