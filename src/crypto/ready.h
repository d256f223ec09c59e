/* SPDX-License-Identifier: Apache-2.0 */
/* libsodium is started once a process, by whoever comes first, from any thread. */
#ifndef ATG_CRYPTO_READY_H
#define ATG_CRYPTO_READY_H

#include <antigone/base.h>

/* Every function of this module that needs it calls it; costs one load after the first time.
 * ATG_EIO when the system has no source of random numbers. */
ATG_MUST_USE int crypto_ready(atg_err *err);

#endif
