/* SPDX-License-Identifier: Apache-2.0 */
/* A service over the network as the backend of the commands (docs/remote.md): what its functions
 * share.  They ask the API (docs/api.md) and make of its answers what the use cases of src/app
 * would have given. */
#ifndef ATG_CLI_REMOTE_H
#define ATG_CLI_REMOTE_H

#include <jansson.h>

#include "base/json.h"
#include "cli/backend.h"
#include "cli/kept.h"

enum { REMOTE_PICTURES = 8, REMOTE_PROBLEM = 40, REMOTE_BODY = 8 << 20, REMOTE_SMALL = 16 << 10 };

struct remote {
    const args *a;
    const atg_progress *progress;
    http *h;
    http_place place;
    char token[ACCOUNT_TOKEN + 1]; /* empty: nobody is let in */
    bool kept;                     /* the session goes on behind this command */
    bool confirming;
    char problem[REMOTE_PROBLEM]; /* the last one's type, behind "urn:antigone:problem:" */
    record *read;                 /* what get() gave last, as it was */
    struct {
        uint32_t field;
        atg_str bytes;
    } pictures[REMOTE_PICTURES]; /* to be put into the record that is changed next */
    uint32_t n_pictures;
};

/* The file of --ca or ANTIGONE_CA; NULL: neither is given. */
const char *remote_authority_named(const args *a);
/* Connect to the service that `server` names.  An exit code. */
int remote_open(const args *a, const char *server, store_session *ret);

/* ---- asking ---- */

typedef struct remote_ask {
    const char *method;
    atg_str path;        /* of atg_arena_printf(): without memory it fails there */
    atg_buf *json;       /* body; NULL: none, or `bytes` */
    atg_str bytes;       /* body of another type */
    const char *type;    /* of `bytes` */
    int64_t rev;         /* If-Match; 0: none */
    bool again;          /* harmless to send twice; of GET it is so */
    bool job;            /* may become a job, where it can */
    bool last;           /* also when somebody asked to stop */
    const http_sink *to; /* as http_ask has it */
} remote_ask;

/* What the answer is: text, until the next one; JSON, which is the caller's; or nothing.  What the
 * service refuses becomes the failure that it tells. */
int remote_bytes(store_session *s, const remote_ask *q, atg_str *ret, atg_err *err);
int remote_json(store_session *s, const remote_ask *q, json_t **ret, atg_err *err);
/* JSON of what may be answered as a job, at once or once it has ended; how far it is, is shown. */
int remote_job(store_session *s, const remote_ask *q, json_t **ret, atg_err *err);
int remote_done(store_session *s, const remote_ask *q, atg_err *err);

/* Was the last refusal this one? */
bool remote_was(const store_session *s, const char *problem);

/* A body that begins with "{"; members follow, and json_end(&j, '}').  NULL: memory is short. */
atg_buf *remote_body(json *ret_j);

/* Parts of a path, percent-encoded, in the arena. */
atg_str remote_word(store_session *s, atg_str text);
atg_str remote_id(store_session *s, const uuid *id);

/* ---- reading answers (remote_read.c) ---- */

/* The answer is not what this program knows. */
int remote_strange(const store_session *s, atg_err *err);

/* Members; what is not there is empty, 0, false or none.  Texts are copied into the arena. */
atg_str remote_text(store_session *s, const json_t *from, const char *key);
int64_t remote_number(const json_t *from, const char *key);
bool remote_true(const json_t *from, const char *key);
uuid remote_uuid(const json_t *from, const char *key);

int remote_read_row(store_session *s, const json_t *from, file_row *ret, atg_err *err);
int remote_read_files(store_session *s, const json_t *from, file_page *ret, atg_err *err);
int remote_read_seen(store_session *s, const json_t *from, seen *ret, atg_err *err);
int remote_read_history(store_session *s, const json_t *from, history_shown *ret, atg_err *err);
int remote_read_account(store_session *s, const json_t *from, account_info *ret, atg_err *err);

/* ---- functions of the backend, by file ---- */

int remote_let_in(const args *a, store_session *s);
int remote_log_in(const args *a, store_session *s, const char *name);
int remote_log_out(store_session *s, atg_err *err);
void remote_close(store_session *s);
int remote_password(store_session *s, const login_request *r, atg_str new_password,
                    login_status *ret, atg_err *err);
int remote_code_new(store_session *s, char ret_uri[CODE_URI], atg_err *err);
int remote_code_confirm(store_session *s, atg_str code,
                        char ret_recovery[ACCOUNT_RECOVERY][CODE_RECOVERY + 1], atg_err *err);
/* Say once more who it is, as the service wants before signing. */
int remote_confirm(store_session *s, atg_err *err);

int remote_find(store_session *s, atg_str code_or_id, file_row *ret, atg_err *err);
int remote_operations(store_session *s, bool titles, file_page *ret, atg_err *err);
int remote_list(store_session *s, const files_query *q, file_page *ret, atg_err *err);
int remote_search(store_session *s, search_query *q, file_page *ret, atg_err *err);
int remote_file(store_session *s, const file_row *file, seen **ret, uint32_t *ret_n, atg_err *err);
int remote_history(store_session *s, const file_row *file, history_shown *ret, atg_err *err);
int remote_get(store_session *s, record_kind kind, const uuid *id, seen *ret, atg_err *err);
int remote_change(store_session *s, change *ch, atg_err *err);
int remote_picture_put(store_session *s, record *r, uint32_t field, atg_str bytes, atg_err *err);
int remote_picture_get(store_session *s, const picture_wish *wish, stream_sink to, atg_err *err);

int remote_leads(store_session *s, const leads_query *q, lead **ret, uint32_t *ret_n, atg_err *err);
int remote_duplicates(store_session *s, uint32_t limit, duplicates *ret, atg_err *err);
int remote_merge(store_session *s, const file_row *into, const file_row *from, atg_err *err);
int remote_unmerge(store_session *s, const file_row *from, atg_err *err);
int remote_import_table(store_session *s, atg_str bytes, const csv_options *o, csv_done *ret,
                        atg_err *err);
int remote_import_dna(store_session *s, const atg_operation *op, const save_options *o,
                      const atg_progress *progress, saved *ret, atg_err *err);
int remote_export_table(store_session *s, record_kind kind, atg_buf *to, atg_err *err);
int remote_export_dna(store_session *s, const char *recipient, int format, atg_buf *to,
                      atg_err *err);
int remote_erase(store_session *s, const uuid *person, atg_err *err);
int remote_erase_due(store_session *s, uint32_t *ret_n, atg_err *err);

int remote_faces_read(store_session *s, const atg_progress *progress, faces_done *ret,
                      atg_err *err);
int remote_face_search(store_session *s, const faces_asking *asking, const atg_progress *progress,
                       faces_found *ret, atg_err *err);
int remote_face_leads(store_session *s, const file_row *remains, face_lead **ret, uint32_t *ret_n,
                      atg_err *err);
int remote_face_fit(store_session *s, const faces_fit_wish *wish, faces_fitted *ret, atg_err *err);
int remote_face_report(store_session *s, double threshold, faces_report *ret, atg_err *err);

int remote_user_list(store_session *s, account_info **ret, uint32_t *ret_n, atg_err *err);
int remote_user_add(store_session *s, atg_str agency, atg_str name,
                    char ret_password[ACCOUNT_ONCE + 1], atg_err *err);
int remote_user_reset(store_session *s, atg_str name, bool lost_code,
                      char ret_password[ACCOUNT_ONCE + 1], atg_err *err);
int remote_user_block(store_session *s, atg_str name, bool on, atg_err *err);
int remote_user_grant(store_session *s, atg_str name, const uuid *operation, role r, bool on,
                      atg_err *err);
int remote_verify(store_session *s, const verify_wish *w, audit_report *ret, atg_err *err);
int remote_checkpoint(store_session *s, const char *witness, char ret[CHECKPOINT_MAX],
                      atg_err *err);
int remote_export_history(store_session *s, const char *path, const atg_progress *progress,
                          atg_err *err);
int remote_key(store_session *s, char ret[UPKEEP_KEY + 1], atg_err *err);
int remote_site_card(store_session *s, char ret_card[SITECARD_MAX],
                     char ret_fingerprint[SITECARD_FINGERPRINT + 1], atg_err *err);
int remote_site_add(store_session *s, const new_site *n, atg_err *err);
int remote_site_remove(store_session *s, atg_str name, atg_err *err);
int remote_site_join(store_session *s, atg_str name, bool on, atg_err *err);
int remote_site_list(store_session *s, site_shown **ret, uint32_t *ret_n, atg_err *err);
int remote_conflicts(store_session *s, const conflicts_wish *w, conflict_shown **ret,
                     uint32_t *ret_n, atg_err *err);
int remote_decide(store_session *s, const conflict_shown *c, uint64_t theirs, atg_err *err);

#endif
