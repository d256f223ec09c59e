/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/ready.h"

#include <sodium.h>
#include <stdatomic.h>

int crypto_ready(atg_err *err) {
    static atomic_bool ready;

    if (atomic_load_explicit(&ready, memory_order_acquire))
        return ATG_OK;
    if (sodium_init() < 0) /* takes a lock of its own; 1 when another thread was first */
        return atg_fail(err, ATG_EIO,
                        "The system gives no random numbers: is /dev/urandom missing?");
    atomic_store_explicit(&ready, true, memory_order_release);
    return ATG_OK;
}
