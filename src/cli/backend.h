/* SPDX-License-Identifier: Apache-2.0 */
/* What commands on cases ask for, of the store of this machine (backend_local.c) or of a service
 * over the network (remote.h): one table of functions each.  The commands print what comes back,
 * so that both are told alike.
 *
 * What is given back lies in the arena of the session.  Functions give ATG_OK or ATG_E..., as the
 * use cases of src/app do that they stand for; those that take `args` give exit codes, and have
 * said why. */
#ifndef ATG_CLI_BACKEND_H
#define ATG_CLI_BACKEND_H

#include "app/accounts.h"
#include "app/bundle.h"
#include "app/cases.h"
#include "app/csv_import.h"
#include "app/faces.h"
#include "app/faces_fit.h"
#include "app/faces_report.h"
#include "app/matcher.h"
#include "app/merge.h"
#include "app/operation_save.h"
#include "app/pictures.h"
#include "app/sites.h"
#include "app/upkeep.h"
#include "cli/cli.h"

typedef struct backend backend;
typedef struct remote remote;

typedef struct store_session {
    const backend *at;
    cases *c;  /* NULL: a service */
    remote *r; /* NULL: the store of this machine */
    atg_arena *arena;
    actor who;
    file_row operation; /* of cli_store_operation() */
} store_session;

/* A history, and who did what: a name an entry. */
typedef struct history_shown {
    uint32_t n;
    audit_entry *entries;
    atg_str *names;
} history_shown;

typedef struct site_shown {
    atg_str name, prefix, kind, agency, fingerprint;
} site_shown;

struct backend {
    /* Let the person in for this command: by the session that was kept, or by asking. */
    int (*let_in)(const args *a, store_session *s);
    /* Ask, and keep a session for the commands that follow; `name` may be NULL. */
    int (*log_in)(const args *a, store_session *s, const char *name);
    int (*log_out)(store_session *s, atg_err *err);
    void (*close)(store_session *s);

    /* One's own password and second factor: as account_password(), account_code_new(),
     * account_code_confirm(). */
    int (*password)(store_session *s, const login_request *r, atg_str new_password,
                    login_status *ret, atg_err *err);
    int (*code_new)(store_session *s, char ret_uri[CODE_URI], atg_err *err);
    int (*code_confirm)(store_session *s, atg_str code,
                        char ret_recovery[ACCOUNT_RECOVERY][CODE_RECOVERY + 1], atg_err *err);

    /* Files.  Of what find() gives, code, id, kind and operation count. */
    int (*find)(store_session *s, atg_str code_or_id, file_row *ret, atg_err *err);
    int (*operations)(store_session *s, bool titles, file_page *ret, atg_err *err);
    int (*list)(store_session *s, const files_query *q, file_page *ret, atg_err *err);
    int (*search)(store_session *s, search_query *q, file_page *ret, atg_err *err);
    int (*file)(store_session *s, const file_row *file, seen **ret, uint32_t *ret_n, atg_err *err);
    int (*history)(store_session *s, const file_row *file, history_shown *ret, atg_err *err);

    /* Records.  A picture is put in before the change that it belongs to. */
    int (*get)(store_session *s, record_kind kind, const uuid *id, seen *ret, atg_err *err);
    int (*change)(store_session *s, change *ch, atg_err *err);
    int (*picture_put)(store_session *s, record *r, uint32_t field, atg_str bytes, atg_err *err);
    int (*picture_get)(store_session *s, const picture_wish *wish, stream_sink to, atg_err *err);

    /* In the operation of the session. */
    int (*leads)(store_session *s, const leads_query *q, lead **ret, uint32_t *ret_n, atg_err *err);
    int (*duplicates)(store_session *s, uint32_t limit, duplicates *ret, atg_err *err);
    int (*merge)(store_session *s, const file_row *into, const file_row *from, atg_err *err);
    int (*unmerge)(store_session *s, const file_row *from, atg_err *err);
    int (*import_table)(store_session *s, atg_str bytes, const csv_options *o, csv_done *ret,
                        atg_err *err);
    int (*import_dna)(store_session *s, const atg_operation *op, const save_options *o,
                      const atg_progress *progress, saved *ret, atg_err *err);
    int (*export_table)(store_session *s, record_kind kind, atg_buf *to, atg_err *err);
    /* `format`: a word of backend_dna_formats. */
    int (*export_dna)(store_session *s, const char *recipient, int format, atg_buf *to,
                      atg_err *err);
    int (*erase)(store_session *s, const uuid *person, atg_err *err);
    int (*erase_due)(store_session *s, uint32_t *ret_n, atg_err *err);

    /* Faces; of a lead the remains do not count.  faces_read(), face_fit() and face_report() are of
     * the operation of the session. */
    int (*faces_read)(store_session *s, const atg_progress *progress, faces_done *ret,
                      atg_err *err);
    int (*face_search)(store_session *s, const faces_asking *asking, const atg_progress *progress,
                       faces_found *ret, atg_err *err);
    int (*face_leads)(store_session *s, const file_row *remains, face_lead **ret, uint32_t *ret_n,
                      atg_err *err);
    int (*face_fit)(store_session *s, const faces_fit_wish *wish, faces_fitted *ret, atg_err *err);
    int (*face_report)(store_session *s, double threshold, faces_report *ret, atg_err *err);

    /* Accounts, by their names. */
    int (*user_list)(store_session *s, account_info **ret, uint32_t *ret_n, atg_err *err);
    int (*user_add)(store_session *s, atg_str agency, atg_str name,
                    char ret_password[ACCOUNT_ONCE + 1], atg_err *err);
    int (*user_reset)(store_session *s, atg_str name, bool lost_code,
                      char ret_password[ACCOUNT_ONCE + 1], atg_err *err);
    int (*user_block)(store_session *s, atg_str name, bool on, atg_err *err);
    /* `operation` NULL: in every one. */
    int (*user_grant)(store_session *s, atg_str name, const uuid *operation, role r, bool on,
                      atg_err *err);

    /* The history of the store. */
    int (*verify)(store_session *s, const verify_wish *w, audit_report *ret, atg_err *err);
    int (*checkpoint)(store_session *s, const char *witness, char ret[CHECKPOINT_MAX],
                      atg_err *err);
    int (*key)(store_session *s, char ret[UPKEEP_KEY + 1], atg_err *err);
    int (*export_history)(store_session *s, const char *path, const atg_progress *progress,
                          atg_err *err);

    /* Other sites, and what was changed on both sides. */
    int (*site_card)(store_session *s, char ret_card[SITECARD_MAX],
                     char ret_fingerprint[SITECARD_FINGERPRINT + 1], atg_err *err);
    int (*site_add)(store_session *s, const new_site *n, atg_err *err);
    int (*site_remove)(store_session *s, atg_str name, atg_err *err);
    int (*site_join)(store_session *s, atg_str name, bool on, atg_err *err);
    int (*site_list)(store_session *s, site_shown **ret, uint32_t *ret_n, atg_err *err);
    int (*conflicts)(store_session *s, const conflicts_wish *w, conflict_shown **ret,
                     uint32_t *ret_n, atg_err *err);
    int (*decide)(store_session *s, const conflict_shown *c, uint64_t theirs, atg_err *err);
};

extern const backend backend_local, backend_remote;

/* "json", "fam", "csv"; NULL at the end. */
extern const char *const backend_dna_formats[];

#endif
