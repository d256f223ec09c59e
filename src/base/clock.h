/* SPDX-License-Identifier: Apache-2.0 */
/* The wall clock behind one door.  Instants are microseconds since 1970-01-01T00:00:00Z, without
 * leap seconds.  The order of records comes from sequences, never from here. */
#ifndef ATG_BASE_CLOCK_H
#define ATG_BASE_CLOCK_H

#include <antigone/base.h>

/* Now.  May go back when somebody sets the clock of the machine.  Any thread. */
int64_t clock_now(void);

/* Now, but never less than what it gave before in this process.  Any thread. */
int64_t clock_forward(void);

/* Tests only: what clock_now() gives from here on; negative gives the clock of the machine back.
 * clock_forward() forgets what it gave before. */
void clock_set(int64_t now);

#endif
