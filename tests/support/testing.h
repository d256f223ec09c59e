/* SPDX-License-Identifier: Apache-2.0 */
/* What every test needs, in the order cmocka wants it. */
#ifndef ATG_TESTS_TESTING_H
#define ATG_TESTS_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What ends a test does not come back, which cmocka does not say. */
__attribute__((noreturn)) void _fail(const char *file, int line);

#include <antigone/antigone.h>

#include "base/mem.h"

#endif
