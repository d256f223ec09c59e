/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens that were good a short while ago.  Behind one network address may be a whole agency: who
 * holds such a token is let past when others have used up what an address may ask.  It lets nobody
 * in, and forgets who was away longest.  Only hashes are kept.  Any thread may call. */
#ifndef ATG_SERVER_KNOWN_H
#define ATG_SERVER_KNOWN_H

#include <antigone/base.h>

typedef struct known_tokens known_tokens;

int known_open(known_tokens **ret, atg_err *err);
void known_close(known_tokens *k);

void known_add(known_tokens *k, atg_str token);
bool known_is(known_tokens *k, atg_str token);
/* It is good no more. */
void known_remove(known_tokens *k, atg_str token);

#endif
