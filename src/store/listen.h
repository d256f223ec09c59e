/* SPDX-License-Identifier: Apache-2.0 */
/* Hints that something came, from other processes and machines too.  They are hints only: one may
 * be lost and one may come for nothing, so whoever waits looks for himself what is new, and looks
 * now and then without one.
 *
 * PostgreSQL: LISTEN on a connection of its own, which must lead to the server itself: a pooler
 * such as pgbouncer in between hands connections on and loses what is listened for.  It is made
 * anew when it breaks.  A transaction that notifies holds a lock of the whole server while it
 * commits. SQLite: whether anybody committed anything is looked at every LISTEN_LOOK_MS; channels
 * make no difference. */
#ifndef ATG_STORE_LISTEN_H
#define ATG_STORE_LISTEN_H

#include "store/db.h"

enum { LISTEN_LOOK_MS = 10, LISTEN_CHANNEL_MAX = 60 };

/* Serves one thread at a time, but for listener_wake(). */
typedef struct listener listener;

/* Of a store that is there.  Does not wait for PostgreSQL.  `channel`: lower-case letters, digits
 * and underscores. */
int listener_open(const char *directory, const char *conninfo, const char *channel, listener **ret,
                  atg_err *err);
void listener_close(listener *l);

/* True as soon as something may be new: a hint, a connection that was made (what came before is not
 * told), or listener_wake(), at once when it was before this call.  False after `timeout_ms`, also
 * when the database is away. */
bool listener_wait(listener *l, uint32_t timeout_ms);

/* End the wait; from any thread. */
void listener_wake(listener *l);

/* Tell all who listen once the transaction is committed; of many calls in a transaction one counts.
 * `channel` lives as long as the program.  Posted (db_post()). */
int listen_notify(db *d, const char *channel, atg_err *err);

#endif
