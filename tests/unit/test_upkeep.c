/* SPDX-License-Identifier: Apache-2.0 */
/* Keeping a store over years: verified, witnessed, backed up, restored with its erasures, and its
 * master key exchanged. */
#include "made_cases.h"

#include <unistd.h>

#include "app/accounts.h"
#include "app/keepers.h"
#include "app/upkeep.h"
#include "base/file.h"
#include "server.h"

enum { PATH = 300 };

static const key256 made_master = {{7}}; /* of made_cases.h */

static void path_in(const database *where, const char *name, char ret[PATH]) {
    (void)snprintf(ret, PATH, "%s/%s", where->directory, name);
}

static void a_history_is_verified_with_its_witness_and_from_a_file(const database *where) {
    made_cases m = made_cases_open(where);
    char witness[PATH], file[PATH], key[UPKEEP_KEY + 1];
    const char *const witnesses[] = {witness};
    verify_wish w = {.witnesses = witnesses, .n_witnesses = 1};
    audit_report report;
    checkpoint note;
    atg_err err = {0};

    path_in(where, "witness", witness);
    path_in(where, "history", file);
    made_add(&m, made_missing(&m, "Hansen", "Nora"));
    made_ok(upkeep_checkpoint(m.c, &m.all, witness, &note, &err), &err);
    made_add(&m, made_missing(&m, "Berg", "Olav"));
    made_ok(upkeep_verify(m.c, &m.all, &w, &report, &err), &err);
    assert_int_equal(report.records, 3);
    made_ok(upkeep_export_history(m.c, &m.all, file, NULL, &err), &err);
    made_ok(upkeep_key(m.c, key, &err), &err);
    made_ok(upkeep_verify_file(file, atg_str_of(key), &w, &report, &err), &err);
    key[0] = key[0] == '0' ? '1' : '0';
    assert_int_not_equal(upkeep_verify_file(file, atg_str_of(key), &w, &report, &err), ATG_OK);
    assert_int_equal(upkeep_verify(m.c, &m.by[ROLE_MORTUARY], &w, &report, &err), ATG_EDENIED);
    made_cases_close(&m);
}

/* Whoever may not, or says nothing, takes nothing away and leaves no file. */
static void a_history_leaves_with_a_reason_and_is_told_in_itself(const database *where) {
    made_cases m = made_cases_open(where);
    char file[PATH], key[UPKEEP_KEY + 1];
    verify_wish w = {.threads = 1};
    audit_report before, report;
    atg_str bytes;
    atg_err err = {0};

    path_in(where, "history", file);
    made_ok(upkeep_verify(m.c, &m.all, &w, &before, &err), &err);
    for (int r = 0; r < ROLES; r++) {
        bool may = r == ROLE_AUDITOR || r == ROLE_BOARD || r == ROLE_ADMINISTRATOR;
        actor who = m.by[r];

        assert_int_equal(upkeep_export_history(m.c, &who, file, NULL, &err), ATG_EDENIED);
        assert_int_not_equal(access(file, F_OK), 0);
        who.reason = ATG_STR("doubts of the ministry");
        assert_int_equal(upkeep_export_history(m.c, &who, file, NULL, &err),
                         may ? ATG_OK : ATG_EDENIED);
        assert_int_equal(access(file, F_OK), may ? 0 : -1);
        (void)unlink(file);
    }
    made_ok(upkeep_export_history(m.c, &m.all, file, NULL, &err), &err);
    made_ok(upkeep_key(m.c, key, &err), &err);
    made_ok(upkeep_verify_file(file, atg_str_of(key), &w, &report, &err), &err);
    assert_int_equal(report.entries, before.entries + 4);
    made_ok(file_read(m.arena, file, 1 << 20, &bytes, &err), &err);
    assert_non_null(memmem(bytes.p, bytes.n, "doubts of the ministry", 22));
    assert_non_null(memmem(bytes.p, bytes.n, "\"what\": \"history\"", 17));
    assert_non_null(memmem(bytes.p, bytes.n, m.all.reason.p, m.all.reason.n));
    /* what is there already stays as it is, and costs nothing */
    assert_int_equal(upkeep_export_history(m.c, &m.all, file, NULL, &err), ATG_EIO);
    made_ok(upkeep_verify_file(file, atg_str_of(key), &w, &report, &err), &err);
    (void)unlink(file);
    made_ok(account_quota(m.c, &m.by[ROLE_ADMINISTRATOR], &m.all.account, QUOTA_EXPORT, 1, &err),
            &err);
    assert_int_equal(upkeep_export_history(m.c, &m.all, file, NULL, &err), ATG_ELIMIT);
    assert_int_not_equal(access(file, F_OK), 0);
    made_cases_close(&m);
}

static bool stop_at_once(void *user, const char *phase, uint64_t done, uint64_t total) {
    (void)user;
    (void)phase;
    (void)done;
    (void)total;
    return false;
}

/* Long enough that somebody can stop it when a part of it is written. */
static int lengthen(db *d, void *user, atg_err *err) {
    (void)user;
    return db_script(d, "lengthen",
                     "INSERT INTO checkpoint (size, at, note) WITH RECURSIVE k (i) AS (SELECT 1 "
                     "UNION ALL SELECT i + 1 FROM k WHERE i < 20000) SELECT 0, i, 'x' FROM k",
                     err);
}

static int shorten(db *d, void *user, atg_err *err) {
    (void)user;
    return db_script(d, "shorten", "DELETE FROM checkpoint WHERE size = 0", err);
}

static void a_history_that_is_not_whole_is_no_file(const database *where) {
    made_cases m = made_cases_open(where);
    atg_progress stop = {.step = stop_at_once};
    char file[PATH];
    checkpoint note;
    atg_err err = {0};

    path_in(where, "history", file);
    made_ok(upkeep_checkpoint(m.c, &m.all, NULL, &note, &err), &err);
    made_ok(store_write(cases_store(m.c), lengthen, NULL, &err), &err);
    assert_int_equal(upkeep_export_history(m.c, &m.all, file, &stop, &err), ATG_ECANCEL);
    assert_int_not_equal(access(file, F_OK), 0);
    assert_int_equal(upkeep_export_history(m.c, &m.all, "/nowhere/history", NULL, &err), ATG_EIO);
    made_ok(store_write(cases_store(m.c), shorten, NULL, &err), &err);
    made_ok(upkeep_export_history(m.c, &m.all, file, NULL, &err), &err);
    made_cases_close(&m);
}

/* Where a backup is restored to: another folder, or another database of the same server. */
static database elsewhere(const database *where) {
    database to = *where;

    database_make_folder(to.directory, sizeof(to.directory));
    if (to.postgres) {
        atg_str name = {strrchr(to.conninfo, '=') + 1, 0};
        size_t head = (size_t)(name.p - to.conninfo);

        (void)snprintf(to.conninfo + head, sizeof(to.conninfo) - head, "restored_%ld",
                       (long)getpid());
        assert_true(server_make_database(to.conninfo + head));
    }
    return to;
}

static void leave(const database *to) {
    database_remove_folder(to->directory);
    if (to->postgres)
        server_drop_database(strrchr(to->conninfo, '=') + 1);
}

static void an_erasure_survives_a_restore(const database *where) {
    made_cases m = made_cases_open(where), back = {.arena = m.arena};
    record *gone = made_missing(&m, "Hansen", "Nora"), *stays = made_missing(&m, "Berg", "Olav");
    char backup[PATH], journal[PATH];
    const char *const journals[] = {journal};
    database to = elsewhere(where);
    restore_wish w = {.from = backup,
                      .directory = to.directory,
                      .conninfo = database_conninfo(&to),
                      .master = &made_master,
                      .journals = journals,
                      .n_journals = 1};
    backup_wish wish = {.path = backup};
    blob_copied pictures;
    uint32_t erased = 0;
    seen s;
    atg_err err = {0};

    path_in(where, "backup", backup);
    path_in(where, "erased", journal);
    made_add(&m, gone);
    made_add(&m, stays);
    made_ok(upkeep_backup(m.c, &m.all, &wish, &pictures, &err), &err);
    assert_int_equal(upkeep_backup(m.c, &m.by[ROLE_BOARD], &wish, &pictures, &err), ATG_EDENIED);
    made_ok(cases_erase(m.c, &m.all, &gone->id, &err), &err);
    cases_close(m.c);
    made_ok(upkeep_restore(&w, &erased, &err), &err);
    assert_int_equal(erased, 1);
    made_ok(made_open_again(&back, &to, false, &err), &err);
    made_ok(cases_get(back.c, &m.all, m.arena, RECORD_MISSING, &gone->id, &s, &err), &err);
    assert_true(s.erased);
    made_ok(cases_get(back.c, &m.all, m.arena, RECORD_MISSING, &stays->id, &s, &err), &err);
    assert_false(s.erased);
    cases_close(back.c);
    leave(&to);
    atg_arena_free(m.arena);
}

static int count_bytes(void *user, atg_str bytes, atg_err *err) {
    (void)err;
    *(size_t *)user += bytes.n;
    return ATG_OK;
}

/* How many bytes the picture has; 0: there is none. */
static size_t picture_of(const made_cases *m, const database *where, const uuid *person,
                         const hash256 *hash) {
    blobs b = {cases_store(m->c), cases_keys(m->c), where->directory};
    size_t n = 0;
    int rc = blobs_get(&b, person, hash, (stream_sink){count_bytes, &n}, NULL);

    assert_true(rc == ATG_OK || rc == ATG_ENOTFOUND);
    return rc ? 0 : n;
}

static void pictures_go_with_a_backup_once_and_come_back_without_the_erased(const database *where) {
    made_cases m = made_cases_open(where), back = {.arena = m.arena};
    record *gone = made_missing(&m, "Hansen", "Nora"), *stays = made_missing(&m, "Berg", "Olav");
    blobs b = {cases_store(m.c), cases_keys(m.c), where->directory};
    char backup[PATH], shelf[PATH], journal[PATH];
    const char *const journals[] = {journal};
    database to = elsewhere(where);
    backup_wish wish = {.path = backup, .pictures = shelf};
    restore_wish w = {.from = backup,
                      .pictures = where->postgres ? NULL : shelf,
                      .directory = to.directory,
                      .conninfo = database_conninfo(&to),
                      .master = &made_master,
                      .journals = journals,
                      .n_journals = 1};
    blob_copied pictures;
    hash256 of_gone, of_stays;
    uint32_t erased = 0;
    atg_err err = {0};

    path_in(where, "backup", backup);
    path_in(where, "shelf", shelf);
    path_in(where, "erased", journal);
    made_add(&m, gone);
    made_add(&m, stays);
    made_ok(blobs_put(&b, &m.operation, &gone->id, ATG_STR("gone"), &of_gone, &err), &err);
    made_ok(blobs_put(&b, &m.operation, &stays->id, ATG_STR("stays"), &of_stays, &err), &err);
    made_ok(upkeep_backup(m.c, &m.all, &wish, &pictures, &err), &err);
    assert_int_equal(pictures.copied, where->postgres ? 0 : 2);
    assert_int_equal(unlink(backup), 0);
    made_ok(upkeep_backup(m.c, &m.all, &wish, &pictures, &err), &err);
    assert_int_equal(pictures.copied, 0);
    assert_int_equal(pictures.there, where->postgres ? 0 : 2);
    made_ok(cases_erase(m.c, &m.all, &gone->id, &err), &err);
    cases_close(m.c);
    made_ok(upkeep_restore(&w, &erased, &err), &err);
    made_ok(made_open_again(&back, &to, false, &err), &err);
    assert_int_equal(picture_of(&back, &to, &stays->id, &of_stays), strlen("stays"));
    assert_int_equal(picture_of(&back, &to, &gone->id, &of_gone), 0);
    cases_close(back.c);
    leave(&to);
    atg_arena_free(m.arena);
}

static void a_journal_that_is_none_is_refused(const database *where) {
    made_cases m = made_cases_open(where);
    char backup[PATH];
    const char *const journals[] = {backup};
    database to = elsewhere(where);
    restore_wish w = {.from = backup,
                      .directory = to.directory,
                      .conninfo = database_conninfo(&to),
                      .master = &made_master,
                      .journals = journals,
                      .n_journals = 1};
    blob_copied pictures;
    uint32_t erased;
    atg_err err = {0};

    path_in(where, "backup", backup);
    made_ok(upkeep_backup(m.c, &m.all, &(backup_wish){.path = backup}, &pictures, &err), &err);
    assert_int_equal(upkeep_restore(&w, &erased, &err), ATG_EPARSE);
    leave(&to);
    made_cases_close(&m);
}

static int passphrase(void *user, atg_str *ret, atg_err *err) {
    (void)err;
    *ret = atg_str_of(user);
    return ATG_OK;
}

static void a_second_keeper_opens_the_store_and_a_wrong_passphrase_does_not(const database *where) {
    char own[PATH], other[PATH], right[] = "seagull-lantern-17", wrong[] = "seagull-lantern-18";
    keepers_from from = {other, passphrase, right};
    key256 master, again;
    atg_err err = {0};

    path_in(where, "own", own);
    path_in(where, "other", other);
    made_ok(keepers_new(own, ATG_STR("Anna"), (atg_str){NULL, 0}, &master, &err), &err);
    made_ok(keepers_add(&master, other, ATG_STR("Bo"), ATG_STR("seagull-lantern-17"), &err), &err);
    assert_int_equal(keepers_add(&master, other, ATG_STR("Bo"), ATG_STR("x"), &err), ATG_ECONFLICT);
    made_ok(keepers_open(&from, &again, &err), &err);
    assert_true(key_eq(&master, &again));
    from.user = wrong;
    assert_int_equal(keepers_open(&from, &again, &err), ATG_EDENIED);
}

static void after_a_rotation_the_new_key_opens_and_the_old_one_does_not(const database *where) {
    made_cases m = made_cases_open(where);
    record *r = made_missing(&m, "Hansen", "Nora"), *later = made_missing(&m, "Berg", "Olav");
    key256 to = {{9}};
    cases_options o = {
        .directory = where->directory, .conninfo = database_conninfo(where), .master = &to};
    uint32_t n;
    cases *c = NULL;
    seen s;
    atg_err err = {0};

    made_add(&m, r);
    assert_int_equal(upkeep_rotate(m.c, &m.by[ROLE_BOARD], &to, &n, &err), ATG_EDENIED);
    made_ok(upkeep_rotate(m.c, &m.all, &to, &n, &err), &err);
    assert_int_equal(n, 2);
    made_add(&m, later);
    cases_close(m.c);
    assert_int_equal(made_open_again(&m, where, false, &err), ATG_EDENIED);
    made_ok(cases_open(&o, &c, &err), &err);
    made_ok(cases_get(c, &m.all, m.arena, RECORD_MISSING, &r->id, &s, &err), &err);
    assert_true(s.r->fields[MISSING_FAMILY_NAME].known);
    made_ok(cases_get(c, &m.all, m.arena, RECORD_MISSING, &later->id, &s, &err), &err);
    assert_true(s.r->fields[MISSING_FAMILY_NAME].known);
    cases_close(c);
    atg_arena_free(m.arena);
}

int main(void) {
    static const database_test tests[] = {
        {"a history is verified with its witness, and from a file",
         a_history_is_verified_with_its_witness_and_from_a_file, ON_BOTH},
        {"a history leaves with a reason, and is told in itself",
         a_history_leaves_with_a_reason_and_is_told_in_itself, ON_BOTH},
        {"a history that is not whole is no file", a_history_that_is_not_whole_is_no_file, ON_BOTH},
        {"an erasure survives a restore", an_erasure_survives_a_restore, ON_BOTH},
        {"pictures go with a backup once, and come back without those of the erased",
         pictures_go_with_a_backup_once_and_come_back_without_the_erased, ON_BOTH},
        {"a journal that is none is refused", a_journal_that_is_none_is_refused, ON_BOTH},
        {"a second keeper opens the store, and a wrong passphrase does not",
         a_second_keeper_opens_the_store_and_a_wrong_passphrase_does_not, ON_SQLITE},
        {"after a rotation the new key opens, and the old one does not",
         after_a_rotation_the_new_key_opens_and_the_old_one_does_not, ON_BOTH},
    };

    return DATABASE_RUN(tests);
}
