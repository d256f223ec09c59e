/* SPDX-License-Identifier: Apache-2.0 */
#include "app/photographs.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "app/cases_internal.h"
#include "app/pictures.h"
#include "base/file.h"

enum { FILE_ARENA = 256 << 20, PICTURE_MAX = 16 << 20, PATH_BYTES = 4096, RECORDS_MAX = 1000 };

static const db_statement of_missing = {
    "photographs missing",
    "SELECT id FROM r_missing WHERE operation = $1 AND external = $2 AND withdrawn = 0"};
static const db_statement of_remains = {
    "photographs remains",
    "SELECT id FROM r_remains WHERE operation = $1 AND tag = $2 AND withdrawn = 0"};

typedef struct loading {
    cases *c;
    const actor *who;
    const photographs_wanted *wanted;
    photographs_done *done;
    atg_arena *arena; /* of one file */
    record_kind kind;
    atg_str id;
    uuid file;
    record_row *rows; /* of it */
    uint32_t n;
} loading;

static int no_memory(atg_err *err) {
    return atg_fail(err, ATG_ENOMEM, "Out of memory for photographs");
}

/* ---- what is there ---- */

static int find(db *d, void *user, atg_err *err) {
    loading *w = user;
    bool missing = w->kind == RECORD_MISSING;
    db_value values[] = {db_blob(w->wanted->operation.bytes, UUID_SIZE), db_text(w->id)};
    records_query q = {.kind = w->wanted->recoveries ? RECORD_CUSTODY : RECORD_PHOTOGRAPH,
                       .by = RECORDS_OF_FILE,
                       .limit = RECORDS_MAX};
    __attribute__((cleanup(db_rows_freep))) db_rows *rows = NULL;
    int rc = db_query(d, missing ? &of_missing : &of_remains, values, 2, &rows, err);

    if (!rc)
        rc = db_next(rows, err);
    if (rc < 0)
        return rc;
    if (rc == 0)
        return atg_fail(err, ATG_ENOTFOUND, "The operation has no file of '%.*s'", ATG_FMT(w->id));
    memcpy(w->file.bytes, db_get_blob(rows, 0).p, UUID_SIZE);
    db_end(rows);
    rows = NULL;
    q.of = w->file;
    return records_list(d, cases_keys(w->c), w->arena, &q, &w->rows, &w->n, err);
}

static bool has_picture(const loading *w, const value *image) {
    for (uint32_t i = 0; i < w->n; i++) {
        const value *own = &w->rows[i].r->fields[PHOTOGRAPH_IMAGE];

        if (!w->rows[i].r->withdrawn && own->known &&
            memcmp(own->hash, image->hash, RECORD_HASH) == 0)
            return true;
    }
    return false;
}

/* ---- what is added ---- */

static int set(loading *w, record *r, const char *name, const char *text, atg_err *err) {
    int f = record_field_of(r->kind, atg_str_of(name));

    return value_read(w->arena, record_field(r->kind, (uint32_t)f), atg_str_of(text), &r->fields[f],
                      err);
}

static record *new_record(const loading *w, record_kind kind) {
    record *r = record_new(w->arena, kind);

    if (r) {
        r->operation = w->wanted->operation;
        r->file = w->file;
    }
    return r;
}

static int add(loading *w, record *r, atg_err *err) {
    change ch = {CHANGE_ADD, r};

    return cases_change(w->c, w->who, w->arena, &ch, err);
}

static int add_informant(loading *w, uuid *ret, atg_err *err) {
    record *r = new_record(w, RECORD_INFORMANT);
    int rc = r ? set(w, r, "name", "Informant of the exercise", err) : no_memory(err);

    if (!rc)
        rc = add(w, r, err);
    if (!rc)
        *ret = r->id;
    return rc;
}

static int read_picture(loading *w, const char *path, atg_str *ret, atg_err *err) {
    char full[PATH_BYTES];

    if (path[0] == '/' || strstr(path, ".."))
        return atg_fail(err, ATG_EINVAL, "'%s' leads out of the folder of the list", path);
    (void)snprintf(full, sizeof(full), "%s/%s", w->wanted->folder, path);
    return file_read(w->arena, full, PICTURE_MAX, ret, err);
}

static int add_photograph(loading *w, const char *path, uuid *informant, atg_err *err) {
    record *r = new_record(w, RECORD_PHOTOGRAPH);
    value *image = r ? &r->fields[PHOTOGRAPH_IMAGE] : NULL;
    bool missing = w->kind == RECORD_MISSING;
    atg_str bytes;
    int rc = r ? read_picture(w, path, &bytes, err) : no_memory(err);

    if (!rc)
        rc = set(w, r, "what", "face", err);
    if (!rc)
        rc = pictures_put(w->c, w->who, r, PHOTOGRAPH_IMAGE, bytes, image, err);
    if (!rc && has_picture(w, image)) {
        w->done->known++;
        return ATG_OK;
    }
    if (!rc && missing && uuid_none(informant))
        rc = add_informant(w, informant, err);
    if (!rc && missing) {
        r->fields[PHOTOGRAPH_INFORMANT] = (value){.known = true, .ref = *informant};
        rc = set(w, r, "confirmed", "yes", err);
    }
    if (!rc && missing)
        rc = set(w, r, "obtained", "2026-11-02", err);
    if (!rc && missing)
        rc = set(w, r, "basis", "consent", err);
    if (!rc)
        rc = add(w, r, err);
    if (!rc)
        missing ? w->done->missing++ : w->done->remains++;
    return rc;
}

static int add_recovery(loading *w, atg_err *err) {
    record *r = new_record(w, RECORD_CUSTODY);
    int rc = r ? set(w, r, "event", "recovery", err) : no_memory(err);

    if (w->n) {
        w->done->known++;
        return ATG_OK;
    }
    if (!rc)
        rc = set(w, r, "happened", "2026-11-02", err);
    if (!rc)
        rc = set(w, r, "by", "Coast guard", err);
    if (!rc)
        rc = add(w, r, err);
    w->done->remains += rc == ATG_OK;
    return rc;
}

/* ---- the list ---- */

static int load_entry(loading *w, const json_t *entry, const char *paths, atg_err *err) {
    const char *id = json_string_value(json_object_get(entry, "id"));
    const json_t *all = json_object_get(entry, paths);
    uuid informant = {{0}};
    int rc;

    if (!id || !json_is_array(all))
        return atg_fail(err, ATG_EPARSE, "An entry of the list lacks 'id' or '%s'", paths);
    w->id = atg_str_of(id);
    rc = store_read(cases_store(w->c), find, w, err);
    if (!rc && w->wanted->recoveries)
        return w->kind == RECORD_REMAINS ? add_recovery(w, err) : ATG_OK;
    for (size_t i = 0; i < json_array_size(all) && !rc; i++) {
        const char *path = json_string_value(json_array_get(all, i));

        rc = path ? add_photograph(w, path, &informant, err)
                  : atg_fail(err, ATG_EPARSE, "'%s' of '%s' is a list of paths", paths, id);
    }
    return rc;
}

static int load_all(loading *w, const json_t *list, const char *name, const char *paths,
                    const atg_progress *progress, atg_err *err) {
    const json_t *all = json_object_get(list, name);
    size_t n = json_array_size(all);
    int rc = ATG_OK;

    for (size_t i = 0; i < n && !rc; i++) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(FILE_ARENA);

        w->arena = arena;
        rc = arena ? load_entry(w, json_array_get(all, i), paths, err) : no_memory(err);
        if (!rc && progress && progress->step && !progress->step(progress->user, name, i + 1, n))
            rc = atg_fail(err, ATG_ECANCEL, "Stopped; what was taken in stays");
    }
    return rc;
}

int photographs_load(cases *c, const actor *who, const photographs_wanted *wanted,
                     const atg_progress *progress, photographs_done *ret, atg_err *err) {
    loading w = {.c = c, .who = who, .wanted = wanted, .done = ret, .kind = RECORD_MISSING};
    json_error_t where;
    json_t *list = json_loadb(wanted->list.p, wanted->list.n, JSON_REJECT_DUPLICATES, &where);
    const char *schema = json_string_value(json_object_get(list, "schema"));
    int rc = ATG_OK;

    if (!list)
        rc = atg_fail(err, ATG_EPARSE, "Line %d: %s", where.line, where.text);
    else if (!schema || strcmp(schema, "antigone-portraits/1") != 0)
        rc = atg_fail(err, ATG_EPARSE, "This is no list of portraits (antigone-portraits/1)");
    if (!rc)
        rc = load_all(&w, list, "missing", "am", progress, err);
    w.kind = RECORD_REMAINS;
    if (!rc)
        rc = load_all(&w, list, "remains", "pm", progress, err);
    json_decref(list);
    return rc;
}
