/* SPDX-License-Identifier: Apache-2.0 */
#include "app/pictures.h"

#include <string.h>

#include "app/cases_internal.h"
#include "app/rights.h"
#include "app/rules.h"
#include "formats/picture.h"
#include "store/blobs.h"
#include "store/forms.h"

enum { LOOK_ARENA = 64 << 20 };

typedef struct writing {
    const actor *who;
    const record *r;
    uint32_t field;
    atg_arena *arena;
    uuid operation;
} writing;

/* The right to the field, and to change such a record in a file in this state. */
static int check_right(db *d, void *user, atg_err *err) {
    writing *w = user;
    uint32_t roles = 0;
    file_row file;
    int rc = files_get(d, w->arena, &w->r->file, &file, err);

    if (rc == ATG_OK)
        rc = cases_roles(d, w->who, &file.operation, &roles, err);
    if (rc)
        return rc;
    w->operation = file.operation;
    if (record_types[file.kind].person != PERSON_SELF)
        return atg_fail(err, ATG_EINVAL, "A picture belongs to a person's file, not to a %s",
                        record_types[file.kind].title);
    if (rights_field_in(roles, w->r->kind, (int)file.kind, w->field) != ACCESS_WRITE)
        return atg_fail(err, ATG_EDENIED, "This account may not write '%s' of a %s",
                        record_field(w->r->kind, w->field)->name, record_types[w->r->kind].title);
    return rights_in(roles, ACTION_ADD, (int)w->r->kind, (int)file.kind,
                     record_types[file.kind].states[0] ? (int)file.state : -1, err);
}

static int check(cases *c, writing *w, atg_err *err) {
    if (record_field(w->r->kind, w->field)->kind != FIELD_BLOB)
        return atg_fail(err, ATG_EINVAL, "'%s' of a %s is no picture",
                        record_field(w->r->kind, w->field)->name, record_types[w->r->kind].title);
    return store_read(cases_store(c), check_right, w, err);
}

int pictures_check(cases *c, const actor *who, const record *r, uint32_t field, atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(LOOK_ARENA);
    writing w = {.who = who, .r = r, .field = field, .arena = arena};

    return arena ? check(c, &w, err) : atg_fail(err, ATG_ENOMEM, "Out of memory for a picture");
}

static int strip(const record *r, atg_arena *arena, atg_str *bytes, atg_err *err) {
    picture stripped;
    int rc;

    if (r->kind == RECORD_RIDGE && !picture_is(*bytes))
        return ATG_OK; /* minutiae: there is nothing to take off */
    rc = picture_strip(arena, *bytes, &stripped, err);
    if (rc == ATG_OK)
        *bytes = stripped.bytes;
    return rc;
}

int pictures_put(cases *c, const actor *who, const record *r, uint32_t field, atg_str bytes,
                 value *ret, atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(bytes.n + LOOK_ARENA);
    writing w = {.who = who, .r = r, .field = field, .arena = arena};
    blobs b = {cases_store(c), cases_keys(c), cases_directory(c)};
    hash256 hash;
    int rc;

    if (!arena)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a picture");
    rc = check(c, &w, err);
    if (rc == ATG_OK)
        rc = strip(r, arena, &bytes, err);
    if (rc == ATG_OK)
        rc = blobs_put(&b, &w.operation, &r->file, bytes, &hash, err);
    if (rc)
        return rc;
    *ret = (value){.known = true};
    memcpy(ret->hash, hash.bytes, RECORD_HASH);
    return ATG_OK;
}

static int stored(const picture_wish *wish, const record *r, bool erased, hash256 *ret,
                  atg_err *err) {
    const value *v = &r->fields[wish->field];

    if (erased || record_field(wish->kind, wish->field)->kind != FIELD_BLOB || !v->known)
        return atg_fail(err, ATG_ENOTFOUND, "This %s has no picture",
                        record_types[wish->kind].title);
    memcpy(ret->bytes, v->hash, HASH_SIZE);
    return ATG_OK;
}

/* ---- in other forms ---- */

typedef struct forming {
    picture_got from;
    picture_form form;
    hash256 made;
} forming;

static int find_form(db *d, void *user, atg_err *err) {
    forming *f = user;

    return forms_get(d, &f->from.person, &f->from.hash, f->form, &f->made, err);
}

static int keep_form(db *d, void *user, atg_err *err) {
    forming *f = user;

    return forms_put(d, &f->from.person, &f->from.hash, f->form, &f->made, err);
}

int pictures_keep(cases *c, const picture_got *from, picture_form form, atg_str bytes,
                  atg_err *err) {
    forming f = {.from = *from, .form = form};
    blobs b = {cases_store(c), cases_keys(c), cases_directory(c)};
    int rc = blobs_put(&b, &from->operation, &from->person, bytes, &f.made, err);

    return rc ? rc : store_write(cases_store(c), keep_form, &f, err);
}

/* In the form that is wished, where it was made; else as a whole. */
static int give(cases *c, const picture_wish *wish, const record *r, const hash256 *hash,
                stream_sink to, atg_err *err) {
    forming f = {.from = {.whole = true, .operation = r->operation, .person = r->person},
                 .form = wish->form};
    blobs b = {cases_store(c), cases_keys(c), cases_directory(c)};
    int rc = ATG_ENOTFOUND;

    f.from.hash = f.made = *hash;
    if (wish->form != PICTURE_FULL)
        rc = store_read(cases_store(c), find_form, &f, err);
    if (rc && rc != ATG_ENOTFOUND)
        return rc;
    f.from.whole = rc == ATG_ENOTFOUND;
    if (wish->got)
        *wish->got = f.from;
    return blobs_get(&b, &r->person, &f.made, to, err);
}

int pictures_get(cases *c, const actor *who, const picture_wish *wish, stream_sink to,
                 atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(LOOK_ARENA);
    const field_type *field = record_field(wish->kind, wish->field);
    hash256 hash;
    seen s;
    int rc;

    if (!arena)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a picture");
    /* checks the right and the reason, and writes the look down */
    rc = cases_get(c, who, arena, wish->kind, &wish->id, &s, err);
    if (rc)
        return rc;
    if (s.hidden >> wish->field & 1)
        return atg_fail(err, ATG_EDENIED,
                        "This account may not see '%s' of a %s, or not without a written reason",
                        field->name, record_types[wish->kind].title);
    rc = stored(wish, s.r, s.erased, &hash, err);
    return rc ? rc : give(c, wish, s.r, &hash, to, err);
}

/* ---- for the seal image ---- */

typedef struct unseen {
    cases *c;
    const actor *who;
    const picture_wish *wish;
    atg_arena *arena;
    record_row row;
} unseen;

/* The right to read the record at all, and none to this field. */
static int read_unseen(db *d, void *user, atg_err *err) {
    unseen *u = user;
    const picture_wish *wish = u->wish;
    uint32_t roles = 0;
    uint64_t blind = 0;
    file_row file;
    int rc = records_get(d, cases_keys(u->c), u->arena, wish->kind, &wish->id, &u->row, err);

    if (!rc)
        rc = cases_roles(d, u->who, &u->row.r->operation, &roles, err);
    if (!rc)
        rc = files_get(d, u->arena, &u->row.r->file, &file, err);
    if (!rc)
        rc = rights_in(roles, ACTION_READ, (int)wish->kind, (int)file.kind,
                       record_types[file.kind].states[0] ? (int)file.state : -1, err);
    if (!rc)
        rc = rules_blind(d, u->who, roles, u->row.r, &blind, err);
    if (!rc && blind >> wish->field & 1)
        return atg_fail(err, ATG_EDENIED, "This account may not see '%s' of a %s yet",
                        record_field(wish->kind, wish->field)->name,
                        record_types[wish->kind].title);
    return rc;
}

int pictures_get_unseen(cases *c, const actor *who, const picture_wish *wish, stream_sink to,
                        atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(LOOK_ARENA);
    unseen u = {.c = c, .who = who, .wish = wish, .arena = arena};
    hash256 hash;
    int rc;

    if (!arena)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a picture");
    rc = store_read(cases_store(c), read_unseen, &u, err);
    if (!rc)
        rc = stored(wish, u.row.r, u.row.erased, &hash, err);
    return rc ? rc : give(c, wish, u.row.r, &hash, to, err);
}
