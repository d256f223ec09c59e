/* SPDX-License-Identifier: Apache-2.0 */
#include "app/upkeep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/accounts.h"
#include "app/cases_internal.h"
#include "app/rights.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

enum { PATH_SIZE = 4200, DETAIL_MAX = 1 << 16, JOURNAL_MAX = 256 << 20 };

/* Rights that are of no operation are those of every operation. */
static int check_right(db *d, const actor *who, action a, atg_err *err) {
    static const uuid everywhere;
    uint32_t roles;
    int rc = cases_roles(d, who, &everywhere, &roles, err);

    return rc ? rc : rights_action(roles, a, -1, -1, err);
}

typedef struct event {
    cases *c;
    const actor *who;
    action right;
    const char *done;
    atg_str detail;
} event;

/* Check the right, and say in the store's own history what is done. */
static int tell(db *d, void *user, atg_err *err) {
    const event *e = user;
    int rc = check_right(d, e->who, e->right, err);

    return rc ? rc
              : audit_append(d,
                             &(audit_event){.file = *cases_id(e->c),
                                            .at = clock_now(),
                                            .account = e->who->account,
                                            .action = e->done,
                                            .kind = "",
                                            .detail = e->detail.n ? e->detail : ATG_STR("{}")},
                             err);
}

/* ---- history ---- */

typedef struct keyed {
    cases *c;
    sign_public pub;
} keyed;

static int site_key(db *d, void *user, atg_err *err) {
    keyed *w = user;
    KEY_AUTO key256 seed = {{0}};
    sign_pair pair;
    int rc = keys_site(d, w->c->keys, SITE_SIGN, &seed, err);

    if (rc)
        return rc;
    sign_pair_of(&seed, &pair);
    w->pub = pair.pub;
    sign_pair_wipe(&pair);
    return ATG_OK;
}

int upkeep_witness(const char *witness, atg_str note, atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
    witness_notes notes;
    int rc = arena ? witness_parse(arena, "what came", note, &notes, err)
                   : atg_fail(err, ATG_ENOMEM, "Out of memory for a checkpoint");

    return rc ? rc : witness_write(witness, &notes.notes[notes.n - 1], err);
}

int upkeep_key(cases *c, char ret[UPKEEP_KEY + 1], atg_err *err) {
    keyed w = {.c = c};
    int rc = store_read(c->s, site_key, &w, err);

    if (!rc)
        bytes_hex(w.pub.bytes, SIGN_PUBLIC, ret);
    return rc;
}

/* The notes of all witnesses in one list. */
static int read_witnesses(atg_arena *arena, const verify_wish *w, checkpoint **ret, uint32_t *ret_n,
                          atg_err *err) {
    checkpoint *all = NULL;
    uint32_t n = 0;

    for (uint32_t i = 0; i < w->n_witnesses; i++) {
        witness_notes notes;
        checkpoint *more;
        int rc = witness_read(arena, w->witnesses[i], &notes, err);

        if (rc)
            return rc;
        more = ATG_GET(arena, checkpoint, n + notes.n + 1);
        if (!more)
            return atg_fail(err, ATG_ENOMEM, "Out of memory reading witnesses");
        if (n)
            memcpy(more, all, n * sizeof(*more));
        if (notes.n)
            memcpy(more + n, notes.notes, notes.n * sizeof(*more));
        all = more;
        n += notes.n;
    }
    *ret = all;
    *ret_n = n;
    return ATG_OK;
}

typedef struct verifying {
    cases *c;
    const actor *who;
    const verify_wish *w;
    audit_wanted wanted;
    audit_report *ret;
} verifying;

static int verify(db *d, void *user, atg_err *err) {
    verifying *v = user;
    int rc = check_right(d, v->who, ACTION_AUDIT, err);

    return rc ? rc : audit_verify(d, &v->wanted, v->w->threads, v->w->progress, v->ret, err);
}

int upkeep_verify(cases *c, const actor *who, const verify_wish *w, audit_report *ret,
                  atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(CASES_ARENA);
    keyed k = {.c = c};
    checkpoint *notes = NULL;
    verifying v = {.c = c, .who = who, .w = w, .ret = ret};
    int rc = arena ? store_read(c->s, site_key, &k, err)
                   : atg_fail(err, ATG_ENOMEM, "Out of memory verifying");

    if (!rc)
        rc = read_witnesses(arena, w, &notes, &v.wanted.n_witnessed, err);
    v.wanted.pub = &k.pub;
    v.wanted.witnessed = notes;
    return rc ? rc : store_read(c->s, verify, &v, err);
}

int upkeep_verify_file(const char *path, atg_str key, const verify_wish *w, audit_report *ret,
                       atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(CASES_ARENA);
    sign_public pub;
    checkpoint *notes = NULL;
    audit_wanted wanted = {.pub = &pub};
    int rc;

    if (!bytes_from_hex(key, pub.bytes, SIGN_PUBLIC))
        return atg_fail(err, ATG_EINVAL,
                        "The public key of the site has 64 hexadecimal digits ('antigone audit "
                        "key' prints it)");
    rc = arena ? read_witnesses(arena, w, &notes, &wanted.n_witnessed, err)
               : atg_fail(err, ATG_ENOMEM, "Out of memory verifying");
    wanted.witnessed = notes;
    return rc ? rc : audit_verify_file(path, &wanted, w->threads, w->progress, ret, err);
}

typedef struct exporting {
    event e;
    stream_sink to;
    int (*again)(void *user, atg_err *err);
    const atg_progress *progress;
} exporting;

/* What leaves stands in the history before it leaves, and in what leaves too. */
static int tell_export(db *d, void *user, atg_err *err) {
    exporting *w = user;
    int rc = tell(d, &w->e, err);

    return rc ? rc : account_spend(d, w->e.who, QUOTA_EXPORT, 1, NULL, err);
}

/* From the start, should it be run again. */
static int export_history(db *d, void *user, atg_err *err) {
    exporting *w = user;
    int rc = w->again(w->to.user, err);

    return rc ? rc : audit_export(d, w->to, w->progress, err);
}

static int export_to(exporting *w, atg_err *err) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(DETAIL_MAX);
    json j;
    int rc;

    if (!cases_reason(w->e.who))
        return atg_fail(err, ATG_EDENIED, "Write the reason for the export");
    if (!buf)
        return atg_fail(err, ATG_ENOMEM, "Out of memory exporting the history");
    j = json_new(buf);
    json_object_line(&j);
    json_key(&j, "what");
    json_text(&j, "history");
    json_key(&j, "reason");
    json_str(&j, w->e.who->reason);
    json_end(&j, '}');
    rc = atg_buf_take(buf, &w->e.detail, err);
    if (!rc)
        rc = store_write(w->e.c->s, tell_export, w, err);
    return rc ? rc : store_read(w->e.c->s, export_history, w, err);
}

int upkeep_export_history(cases *c, const actor *who, const char *path,
                          const atg_progress *progress, atg_err *err) {
    file_new f;
    exporting w = {.e = {c, who, ACTION_AUDIT, "export", {NULL, 0}},
                   .to = {file_new_add, &f},
                   .again = file_new_again,
                   .progress = progress};
    int rc = file_new_begin(path, &f, err);

    return rc ? rc : file_new_end(&f, export_to(&w, err), err);
}

static int clear_outgoing(void *user, atg_err *err) {
    (void)err;
    outgoing_clear(user);
    return ATG_OK;
}

int upkeep_give_history(cases *c, const actor *who, outgoing *to, const atg_progress *progress,
                        atg_err *err) {
    exporting w = {.e = {c, who, ACTION_AUDIT, "export", {NULL, 0}},
                   .to = {outgoing_write, to},
                   .again = clear_outgoing,
                   .progress = progress};

    return export_to(&w, err);
}

typedef struct noting {
    const actor *who;
    checkpoint *ret;
} noting;

static int last_note(db *d, void *user, atg_err *err) {
    noting *w = user;
    int rc = check_right(d, w->who, ACTION_AUDIT, err);

    return rc ? rc : audit_last_checkpoint(d, w->ret, err);
}

int upkeep_checkpoint(cases *c, const actor *who, const char *witness, checkpoint *ret,
                      atg_err *err) {
    noting w = {who, ret};
    int rc;

    atomic_store(&c->closing, true); /* sign now, however old the last one is */
    rc = store_after(c->s, err);
    atomic_store(&c->closing, false);
    if (!rc)
        rc = store_read(c->s, last_note, &w, err);
    if (!rc && witness)
        rc = witness_update(witness, c->s, err);
    return rc;
}

/* ---- backups ---- */

static int path_behind(const char *path, const char *end, char ret[PATH_SIZE], atg_err *err) {
    if (snprintf(ret, PATH_SIZE, "%s%s", path, end) >= PATH_SIZE)
        return atg_fail(err, ATG_ELIMIT, "This path is too long");
    return ATG_OK;
}

static int copy_pictures(const char *from, const char *to, const atg_progress *progress,
                         blob_copied *ret, atg_err *err) {
    *ret = (blob_copied){0};
    return access(from, F_OK) ? ATG_OK : blobs_copy(from, to, progress, ret, err);
}

static int backup_pictures(const cases *c, const backup_wish *w, blob_copied *ret, atg_err *err) {
    char from[PATH_SIZE], to[PATH_SIZE];
    int rc = path_behind(c->directory, "/pictures", from, err);

    if (!rc)
        rc = w->pictures ? path_behind(w->pictures, "", to, err)
                         : path_behind(w->path, ".pictures", to, err);
    return rc ? rc : copy_pictures(from, to, w->progress, ret, err);
}

int upkeep_backup(cases *c, const actor *who, const backup_wish *w, blob_copied *ret,
                  atg_err *err) {
    event e = {c, who, ACTION_BACKUP, "backup", {NULL, 0}};
    char journal[PATH_SIZE];
    blob_copied pictures = {0};
    int rc = path_behind(w->path, ".erased", journal, err);

    if (!rc)
        rc = store_write(c->s, tell, &e, err);
    if (!rc)
        rc = store_backup(c->s, w->path, w->progress, err);
    /* behind the database: every picture that a row of it names is there, or was erased since */
    if (!rc && store_kind(c->s) == DB_SQLITE)
        rc = backup_pictures(c, w, &pictures, err);
    if (!rc)
        rc = cases_write_journal(c, err);
    if (!rc)
        rc = cases_copy_journal(c, journal, err);
    if (!rc)
        *ret = pictures;
    return rc;
}

/* A line of a journal: person, operation, when, by whom. */
static bool read_line(atg_str line, uuid *person, uuid *operation, int64_t *at, uuid *account) {
    atg_str p = atg_str_cut(&line, ' '), o = atg_str_cut(&line, ' '), t = atg_str_cut(&line, ' ');
    char digits[24];
    char *end;

    if (t.n >= sizeof(digits) || !t.n)
        return false;
    memcpy(digits, t.p, t.n);
    digits[t.n] = '\0';
    *at = strtoll(digits, &end, 10);
    return !*end && bytes_from_hex(p, person->bytes, UUID_SIZE) &&
           bytes_from_hex(o, operation->bytes, UUID_SIZE) &&
           bytes_from_hex(line, account->bytes, UUID_SIZE);
}

typedef struct erasing {
    cases *c;
    atg_str journal;
    const char *name;
    uint32_t n;
} erasing;

/* Tombstones whose persons the backup still knows. */
static int erase_again(db *d, void *user, atg_err *err) {
    erasing *w = user;
    text_lines lines = {.rest = w->journal};
    atg_str line;
    int rc = ATG_OK;

    w->n = 0;
    if (!text_line(&lines, &line) || !atg_str_eq(line, ATG_STR("antigone-erased/1")))
        return atg_fail_at(err, ATG_EPARSE, 1, 1, "This is no journal of erasures");
    while (!rc && text_line(&lines, &line)) {
        uuid person, operation, account;
        int64_t at;
        bool done;

        if (!line.n)
            continue;
        if (!read_line(line, &person, &operation, &at, &account))
            return atg_fail_at(err, ATG_EPARSE, lines.line, 1, "This is no line of a journal");
        rc = keys_erased(d, &person, &done, err);
        if (rc || done)
            continue;
        rc = keys_erase(d, w->c->keys, &operation, &person, &account, at, err);
        w->n++;
    }
    return rc;
}

/* Behind the change, so that it can be repeated. */
static int erase_pictures(const erasing *w, atg_err *err) {
    text_lines lines = {.rest = w->journal};
    atg_str line;
    int rc = ATG_OK;

    while (!rc && text_line(&lines, &line)) {
        uuid person, operation, account;
        int64_t at;

        if (read_line(line, &person, &operation, &at, &account))
            rc = blobs_erase(&(blobs){w->c->s, w->c->keys, w->c->directory}, &person, err);
    }
    return rc;
}

static int apply_journal(cases *c, const char *path, uint32_t *ret_n, atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new((size_t)2 * JOURNAL_MAX);
    erasing w = {.c = c, .name = path};
    int rc = arena ? file_read(arena, path, JOURNAL_MAX, &w.journal, err)
                   : atg_fail(err, ATG_ENOMEM, "Out of memory reading a journal");

    if (!rc)
        rc = store_write(c->s, erase_again, &w, err);
    if (!rc)
        rc = erase_pictures(&w, err);
    *ret_n += rc ? 0 : w.n;
    return rc;
}

static int restore_pictures(const restore_wish *w, atg_err *err) {
    char from[PATH_SIZE], to[PATH_SIZE];
    blob_copied done;
    int rc = w->pictures ? path_behind(w->pictures, "", from, err)
                         : path_behind(w->from, ".pictures", from, err);

    if (!rc)
        rc = path_behind(w->directory, "/pictures", to, err);
    if (!rc && w->pictures && access(from, F_OK))
        return atg_fail(err, ATG_ENOTFOUND, "There is no folder of pictures %.200s", from);
    return rc ? rc : copy_pictures(from, to, w->progress, &done, err);
}

static int verify_restored(db *d, void *user, atg_err *err) {
    verifying *v = user;

    return audit_verify(d, &v->wanted, 0, v->w->progress, v->ret, err);
}

static int check_restored(cases *c, const restore_wish *w, atg_err *err) {
    keyed k = {.c = c};
    audit_report report;
    verify_wish how = {.progress = w->progress};
    verifying v = {.c = c, .w = &how, .ret = &report};
    int rc = store_read(c->s, site_key, &k, err);

    v.wanted.pub = &k.pub;
    return rc ? rc : store_read(c->s, verify_restored, &v, err);
}

int upkeep_restore(const restore_wish *w, uint32_t *ret_erased, atg_err *err) {
    store_options to = {.directory = w->conninfo ? NULL : w->directory,
                        .conninfo = w->conninfo,
                        .migrations = record_migrations,
                        .n_migrations = record_migrations_n};
    cases_options o = {.directory = w->directory, .conninfo = w->conninfo, .master = w->master};
    ATG_AUTO(cases) c = NULL;
    uint32_t n = 0;
    int rc = store_restore(&to, w->from, w->progress, err);

    if (!rc && !w->conninfo)
        rc = restore_pictures(w, err);
    if (!rc)
        rc = cases_open(&o, &c, err);
    for (uint32_t i = 0; i < w->n_journals && !rc; i++)
        rc = apply_journal(c, w->journals[i], &n, err);
    if (!rc)
        rc = check_restored(c, w, err);
    if (!rc)
        rc = cases_write_journal(c, err);
    if (!rc)
        *ret_erased = n;
    return rc;
}

/* ---- the master key ---- */

typedef struct rotating {
    event e;
    const key256 *to;
    uint32_t n;
} rotating;

static int rotate(db *d, void *user, atg_err *err) {
    rotating *r = user;
    int rc = tell(d, &r->e, err);

    return rc ? rc : keys_rotate(d, r->e.c->keys, r->to, &r->n, err);
}

int upkeep_rotate(cases *c, const actor *who, const key256 *to, uint32_t *ret_n, atg_err *err) {
    rotating r = {.e = {c, who, ACTION_KEYS, "rotate", {NULL, 0}}, .to = to};
    int rc = store_write(c->s, rotate, &r, err);

    if (rc)
        return rc;
    keyring_adopt(c->keys, to);
    *ret_n = r.n;
    return ATG_OK;
}
