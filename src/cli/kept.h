/* SPDX-License-Identifier: Apache-2.0 */
/* What this device keeps of a service, where only this user of the machine can read it (0600): the
 * session, the authority that is trusted for it, and the secret by which the service knows the
 * device again (docs/accounts.md, 3). */
#ifndef ATG_CLI_KEPT_H
#define ATG_CLI_KEPT_H

#include "app/accounts.h"
#include "cli/http.h"

/* A token counts for 15 minutes; it is renewed when it is older than this. */
enum { KEPT_RENEW_S = 5 * 60 };

typedef struct kept_session {
    char token[ACCOUNT_TOKEN + 1];
    atg_str name;  /* of the account */
    int64_t got_s; /* when the token came, by the clock of this machine, seconds since 1970 */
} kept_session;

/* False: there is none, or it is another service's. */
bool kept_session_read(const http_place *place, atg_arena *arena, kept_session *ret);
int kept_session_write(const http_place *place, const kept_session *s, atg_err *err);
void kept_session_forget(const http_place *place);
/* Nobody else renews it meanwhile; -1: it cannot be locked, which is no harm.  Closing lets go. */
int kept_session_lock(const http_place *place);

/* The path of the authority's certificate; false: none is kept.  It is a text in the arena. */
bool kept_authority(const http_place *place, atg_arena *arena, atg_str *ret);
int kept_authority_write(const http_place *place, atg_arena *arena, atg_str pem, atg_str *ret_path,
                         atg_err *err);

/* Empty: none is kept. */
atg_str kept_device(const http_place *place, atg_arena *arena);
int kept_device_write(const http_place *place, atg_str device, atg_err *err);

#endif
