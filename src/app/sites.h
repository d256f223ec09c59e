/* SPDX-License-Identifier: Apache-2.0 */
/* The sites and organisations that bundles are exchanged with (docs/bundles.md).  The administrator
 * adds one with its card, after comparing the fingerprint with its people by another way; the board
 * says which operations it takes part in.  Both stand in the history. */
#ifndef ATG_APP_SITES_H
#define ATG_APP_SITES_H

#include "app/cases.h"
#include "formats/sitecard.h"
#include "store/peers.h"

enum { SITES_NAME = 200 };

/* What others are: a "site" works on the same operations; to an index of criminals no relative's
 * data ever go. */
typedef enum site_kind {
    SITE_OWN,
    SITE_LABORATORY,
    SITE_MISSING_PERSONS_BUREAU,
    SITE_TRACING_AGENCY,
    SITE_CRIMINAL_INDEX,
    SITE_KINDS,
} site_kind;

extern const char *const site_kinds[SITE_KINDS + 1]; /* NULL at the end */

/* The card that this site gives to others, NUL-terminated. */
int sites_card(cases *c, char ret[SITECARD_MAX], atg_err *err);
int sites_own(cases *c, sitecard *ret, atg_err *err);

typedef struct new_site {
    atg_str name; /* as donors name it, and as it is listed */
    site_kind kind;
    atg_str agency;
    atg_str card;        /* its text */
    atg_str fingerprint; /* as its people told it */
} new_site;

/* ATG_EDENIED: not the administrator, no reason, or another fingerprint; ATG_ECONFLICT: its store,
 * key or name is there; ATG_EPARSE: no card. */
int sites_add(cases *c, const actor *who, const new_site *n, atg_err *err);
int sites_remove(cases *c, const actor *who, atg_str name, atg_err *err);
/* It takes part in the operation, or not any more.  The board's right. */
int sites_join(cases *c, const actor *who, atg_str name, const uuid *operation, bool on,
               atg_err *err);
int sites_list(cases *c, atg_arena *arena, peer_row **ret, uint32_t *ret_n, atg_err *err);
/* The fingerprint of one of them. */
void sites_fingerprint(const peer_row *p, char ret[SITECARD_FINGERPRINT + 1]);

#endif
