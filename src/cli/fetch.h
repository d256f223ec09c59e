/* SPDX-License-Identifier: Apache-2.0 */
/* One file from an address that a manifest names (libcurl). */
#ifndef ATG_CLI_FETCH_H
#define ATG_CLI_FETCH_H

#include <antigone/base.h>

/* By HTTPS alone, certificates verified, redirects followed, at most `most` bytes.  ATG_EIO,
 * ATG_ELIMIT, ATG_ECANCEL. */
int fetch(const char *url, size_t most, const atg_progress *progress, atg_buf *ret, atg_err *err);

#endif
