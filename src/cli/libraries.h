/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ATG_CLI_LIBRARIES_H
#define ATG_CLI_LIBRARIES_H

#include <stdbool.h>
#include <stddef.h>

/* Names and versions of the libraries in use; false when one of them cannot start. */
bool cli_libraries(char *ret, size_t n);

#endif
