/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the readers of frequency files. */
#ifndef ATG_FORMATS_FREQUENCIES_H
#define ATG_FORMATS_FREQUENCIES_H

#include "formats/markerset.h"

/* The two forms.  `set` is empty and has its map of names. */
int freq_read_json(marker_set *set, atg_str bytes, atg_str population, atg_frequencies *ret,
                   atg_notes *notes, atg_err *err);
int freq_read_table(marker_set *set, atg_str bytes, atg_str population, atg_frequencies *ret,
                    atg_notes *notes, atg_err *err);

/* A new marker under its usual name, on the chromosome that the name tells. */
int freq_add_marker(marker_set *set, atg_str name, marker_draft **ret, atg_err *err);

#endif
