/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/bundle_items.h"

#include <string.h>

#include "base/bytes.h"
#include "base/instant.h"
#include "base/json_read.h"
#include "model/date.h"

enum { HEX_ID = 2 * UUID_SIZE, WORD_MAX = 64, CODE_MAX = 40, SITE_MAX = 8, FRAME = 8 };

static const char format[] = "antigone-bundle/1";

/* ---- writing ---- */

static void put_id(json *j, const char *key, const uuid *id) {
    char text[UUID_TEXT + 1];

    uuid_text(id, text);
    json_key(j, key);
    json_text(j, text);
}

static void put_instant(json *j, const char *key, int64_t at) {
    char text[INSTANT_TEXT + 1];

    instant_text(at, text);
    json_key(j, key);
    json_text(j, text);
}

static void put_hash(json *j, const char *key, const unsigned char hash[HASH_SIZE]) {
    char hex[2 * HASH_SIZE + 1];

    bytes_hex(hash, HASH_SIZE, hex);
    json_key(j, key);
    json_text(j, hex);
}

static void put_number(json *j, const char *key, uint64_t n) {
    json_key(j, key);
    json_int(j, (int64_t)n);
}

static void put_text(json *j, const char *key, atg_str text) {
    json_key(j, key);
    json_str(j, text);
}

void bundle_write_manifest(atg_buf *buf, const bundle_manifest *m) {
    json j = json_new(buf);

    json_object_line(&j);
    put_text(&j, "format", ATG_STR(format));
    put_id(&j, "store", &m->store);
    put_text(&j, "site", m->site);
    put_id(&j, "operation", &m->operation);
    put_instant(&j, "at", m->at);
    put_number(&j, "since", (uint64_t)m->since);
    put_number(&j, "mark", (uint64_t)m->mark);
    json_end(&j, '}');
}

void bundle_write_tombstone(atg_buf *buf, const bundle_tombstone *t) {
    json j = json_new(buf);

    json_object_line(&j);
    put_id(&j, "person", &t->person);
    put_instant(&j, "at", t->at);
    json_end(&j, '}');
}

void bundle_write_notice(atg_buf *buf, const bundle_notice *n) {
    json j = json_new(buf);

    json_object_line(&j);
    put_id(&j, "donor", &n->donor);
    put_text(&j, "day", n->day);
    json_end(&j, '}');
}

void bundle_write_file(atg_buf *buf, const bundle_file *f) {
    json j = json_new(buf);

    json_object_line(&j);
    put_id(&j, "file", &f->id);
    put_text(&j, "kind", atg_str_of(record_types[f->kind].name));
    json_end(&j, '}');
}

/* Apart from the fields, some of which have the same names. */
static void put_frame(json *j, const record *r) {
    const record_type *type = &record_types[r->kind];

    json_object_line(j);
    put_text(j, "kind", atg_str_of(type->name));
    put_id(j, "id", &r->id);
    put_id(j, "operation", &r->operation);
    put_id(j, "file", &r->file);
    if (type->code)
        put_text(j, "code", r->code);
    put_number(j, "rev", (uint64_t)r->rev);
    if (type->states[0])
        put_text(j, "state", atg_str_of(type->states[r->state]));
    put_instant(j, "created", r->created);
    put_instant(j, "changed", r->changed);
    json_key(j, "withdrawn");
    json_bool(j, r->withdrawn);
    json_end(j, '}');
}

void bundle_write_record(atg_buf *buf, const bundle_record *r, record_choose *choose,
                         const void *user) {
    json j = json_new(buf);

    json_object_line(&j);
    put_id(&j, "version", &r->version);
    json_key(&j, "earlier");
    json_array_line(&j);
    for (uint32_t i = 0; i < r->n_earlier; i++) {
        char text[UUID_TEXT + 1];

        uuid_text(&r->earlier[i], text);
        json_text(&j, text);
    }
    json_end(&j, ']');
    json_key(&j, "frame");
    put_frame(&j, r->r);
    json_key(&j, "fields");
    record_write_fields(&j, r->r, choose, user);
    json_end(&j, '}');
}

void bundle_write_picture(atg_buf *buf, const bundle_picture *p) {
    json j = json_new(buf);

    json_object_line(&j);
    put_id(&j, "person", &p->person);
    put_hash(&j, "hash", p->hash);
    put_number(&j, "size", p->size);
    json_end(&j, '}');
}

/* Identifiers of entries may be none, and are no uuid_text() then: so all are hexadecimal. */
static void put_hex_id(json *j, const char *key, const uuid *id) {
    char hex[HEX_ID + 1];

    bytes_hex(id->bytes, UUID_SIZE, hex);
    json_key(j, key);
    json_text(j, hex);
}

void bundle_write_entry(atg_buf *buf, const bundle_entry *e) {
    json j = json_new(buf);

    json_object_line(&j);
    put_number(&j, "seq", e->e.seq);
    put_instant(&j, "at", e->e.at);
    put_hex_id(&j, "account", &e->e.account);
    put_text(&j, "action", e->e.action);
    put_text(&j, "kind", e->e.kind);
    put_hex_id(&j, "record", &e->e.record);
    put_number(&j, "rev", e->e.rev);
    put_text(&j, "detail", e->e.detail);
    put_hash(&j, "prev", e->prev.bytes);
    put_hash(&j, "hash", e->hash.bytes);
    json_end(&j, '}');
}

void bundle_write_total(atg_buf *buf, const bundle_total *t) {
    json j = json_new(buf);

    json_object_line(&j);
    put_number(&j, "files", t->files);
    put_number(&j, "records", t->records);
    put_number(&j, "pictures", t->pictures);
    put_number(&j, "entries", t->entries);
    put_number(&j, "tombstones", t->tombstones);
    json_end(&j, '}');
}

/* ---- reading ---- */

static int wrong(atg_err *err, const char *key) {
    return atg_fail(err, ATG_EPARSE, "This bundle cannot be read: '%s' is missing or wrong", key);
}

/* An object of exactly `n` members; json_decref() by the caller. */
static int parse(atg_str bytes, size_t n, json_t **ret, atg_err *err) {
    json_error_t e;
    json_t *v = json_loadb(bytes.n ? bytes.p : "", bytes.n, JSON_REJECT_DUPLICATES, &e);

    if (!v)
        return atg_fail(err, ATG_EPARSE, "This bundle cannot be read: %.200s", e.text);
    if (!json_is_object(v) || json_object_size(v) != n) {
        json_decref(v);
        return atg_fail(err, ATG_EPARSE, "This bundle cannot be read: an item has other members");
    }
    *ret = v;
    return ATG_OK;
}

static atg_str text_of(const json_t *v, const char *key) {
    const json_t *m = json_object_get(v, key);

    return json_is_string(m) ? (atg_str){json_string_value(m), json_string_length(m)}
                             : (atg_str){NULL, 0};
}

static int get_text(atg_arena *arena, const json_t *v, const char *key, size_t most, atg_str *ret,
                    atg_err *err) {
    atg_str s = text_of(v, key);

    if (!s.p || s.n > most)
        return wrong(err, key);
    *ret = atg_arena_str(arena, s);
    return ret->p ? ATG_OK : atg_fail(err, ATG_ENOMEM, "Out of memory reading a bundle");
}

static int get_id(const json_t *v, const char *key, uuid *ret, atg_err *err) {
    return uuid_read(text_of(v, key), ret) ? ATG_OK : wrong(err, key);
}

static int get_hex(const json_t *v, const char *key, void *ret, size_t n, atg_err *err) {
    return bytes_from_hex(text_of(v, key), ret, n) ? ATG_OK : wrong(err, key);
}

static int get_instant(const json_t *v, const char *key, int64_t *ret, atg_err *err) {
    return instant_read(text_of(v, key), ret) ? ATG_OK : wrong(err, key);
}

/* Not negative. */
static int get_number(const json_t *v, const char *key, uint64_t *ret, atg_err *err) {
    const json_t *m = json_object_get(v, key);

    if (!json_is_integer(m) || json_integer_value(m) < 0)
        return wrong(err, key);
    *ret = (uint64_t)json_integer_value(m);
    return ATG_OK;
}

static int get_kind(const json_t *v, const char *key, record_kind *ret, atg_err *err) {
    int kind = record_kind_of(text_of(v, key));

    if (kind < 0)
        return wrong(err, key);
    *ret = (record_kind)kind;
    return ATG_OK;
}

static bool valid_site(atg_str site) {
    for (size_t i = 0; i < site.n; i++)
        if (!(site.p[i] >= 'A' && site.p[i] <= 'Z') && !(site.p[i] >= '0' && site.p[i] <= '9'))
            return false;
    return site.n > 0;
}

int bundle_read_manifest(atg_arena *arena, atg_str bytes, bundle_manifest *ret, atg_err *err) {
    bundle_manifest m = {.at = 0};
    uint64_t since = 0, mark = 0;
    json_t *v = NULL;
    int rc = parse(bytes, 7, &v, err);

    if (!rc && !atg_str_eq(text_of(v, "format"), ATG_STR(format)))
        rc = atg_fail(err, ATG_EPARSE,
                      "This bundle was made by another version of the program: its contents are "
                      "'%.*s', this reads '%s'",
                      ATG_FMT(text_of(v, "format")), format);
    if (!rc)
        rc = get_id(v, "store", &m.store, err);
    if (!rc)
        rc = get_text(arena, v, "site", SITE_MAX, &m.site, err);
    if (!rc && !valid_site(m.site))
        rc = wrong(err, "site");
    if (!rc)
        rc = get_id(v, "operation", &m.operation, err);
    if (!rc)
        rc = get_instant(v, "at", &m.at, err);
    if (!rc)
        rc = get_number(v, "since", &since, err);
    if (!rc)
        rc = get_number(v, "mark", &mark, err);
    json_decref(v);
    m.since = (int64_t)since;
    m.mark = (int64_t)mark;
    if (!rc)
        *ret = m;
    return rc;
}

int bundle_read_tombstone(atg_str bytes, bundle_tombstone *ret, atg_err *err) {
    bundle_tombstone t = {.at = 0};
    json_t *v = NULL;
    int rc = parse(bytes, 2, &v, err);

    if (!rc)
        rc = get_id(v, "person", &t.person, err);
    if (!rc)
        rc = get_instant(v, "at", &t.at, err);
    json_decref(v);
    if (!rc)
        *ret = t;
    return rc;
}

int bundle_read_notice(atg_arena *arena, atg_str bytes, bundle_notice *ret, atg_err *err) {
    bundle_notice n = {.day = {NULL, 0}};
    date day;
    json_t *v = NULL;
    int rc = parse(bytes, 2, &v, err);

    if (!rc)
        rc = get_id(v, "donor", &n.donor, err);
    if (!rc)
        rc = get_text(arena, v, "day", DATE_TEXT_MAX, &n.day, err);
    if (!rc && date_read(n.day, &day, NULL))
        rc = wrong(err, "day");
    json_decref(v);
    if (!rc)
        *ret = n;
    return rc;
}

int bundle_read_file(atg_str bytes, bundle_file *ret, atg_err *err) {
    bundle_file f = {.kind = RECORD_OPERATION};
    json_t *v = NULL;
    int rc = parse(bytes, 2, &v, err);

    if (!rc)
        rc = get_id(v, "file", &f.id, err);
    if (!rc)
        rc = get_kind(v, "kind", &f.kind, err);
    if (!rc && !record_types[f.kind].is_file)
        rc = wrong(err, "kind");
    json_decref(v);
    if (!rc)
        *ret = f;
    return rc;
}

/* ---- records ---- */

static int read_state(const json_t *v, record *r, atg_err *err) {
    const char *const *states = record_types[r->kind].states;
    int state = states[0] ? record_word(states, text_of(v, "state")) : 0;

    if (state < 0 || (!states[0] && json_object_get(v, "state")))
        return wrong(err, "state");
    r->state = (uint32_t)state;
    return ATG_OK;
}

static bool valid_code(const record_type *type, atg_str code) {
    size_t n = type->code ? strlen(type->code) : 0;

    if (!type->code)
        return code.n == 0;
    if (code.n < n + 2 || memcmp(code.p, type->code, n) != 0 || code.p[n] != '-')
        return false;
    for (size_t i = n + 1; i < code.n; i++)
        if (code.p[i] != '-' && !valid_site((atg_str){code.p + i, 1}))
            return false;
    return true;
}

static int read_names(atg_arena *arena, const json_t *v, record *r, atg_err *err) {
    int rc = get_id(v, "id", &r->id, err);

    if (!rc)
        rc = get_id(v, "operation", &r->operation, err);
    if (!rc)
        rc = get_id(v, "file", &r->file, err);
    if (!rc && (uuid_cmp(&r->file, &r->id) == 0) != record_types[r->kind].is_file)
        rc = wrong(err, "file");
    if (!rc && record_types[r->kind].code)
        rc = get_text(arena, v, "code", CODE_MAX, &r->code, err);
    if (!rc && !valid_code(&record_types[r->kind], r->code))
        rc = wrong(err, "code");
    return rc;
}

static int read_frame(atg_arena *arena, const json_t *v, record *r, atg_err *err) {
    const json_t *withdrawn = json_object_get(v, "withdrawn");
    const record_type *type = &record_types[r->kind];
    size_t n = FRAME + (type->code ? 1U : 0U) + (type->states[0] ? 1U : 0U);
    uint64_t rev = 0;
    int rc = json_object_size(v) == n ? read_names(arena, v, r, err) : wrong(err, "frame");

    if (!rc)
        rc = get_number(v, "rev", &rev, err);
    if (!rc && rev == 0)
        rc = wrong(err, "rev");
    if (!rc)
        rc = read_state(v, r, err);
    if (!rc)
        rc = get_instant(v, "created", &r->created, err);
    if (!rc)
        rc = get_instant(v, "changed", &r->changed, err);
    if (!rc && !json_is_boolean(withdrawn))
        rc = wrong(err, "withdrawn");
    r->rev = (int64_t)rev;
    r->withdrawn = json_is_true(withdrawn);
    return rc;
}

static int read_earlier(atg_arena *arena, const json_t *list, bundle_record *b, atg_err *err) {
    size_t n = json_array_size(list);

    if (!json_is_array(list))
        return wrong(err, "earlier");
    if (n > BUNDLE_VERSIONS)
        return atg_fail(err, ATG_ELIMIT, "A record of this bundle has more than %d versions",
                        BUNDLE_VERSIONS);
    b->earlier = ATG_GET(arena, uuid, n + 1);
    if (!b->earlier)
        return atg_fail(err, ATG_ENOMEM, "Out of memory reading a bundle");
    for (size_t i = 0; i < n; i++) {
        const json_t *one = json_array_get(list, i);

        if (!json_is_string(one) ||
            !uuid_read((atg_str){json_string_value(one), json_string_length(one)},
                       &b->earlier[i]) ||
            (i && uuid_cmp(&b->earlier[i - 1], &b->earlier[i]) >= 0))
            return wrong(err, "earlier");
    }
    b->n_earlier = (uint32_t)n;
    return ATG_OK;
}

static int read_record(atg_arena *arena, const json_t *v, bundle_record *b, atg_err *err) {
    const json_t *own = json_object_get(v, "frame"), *fields = json_object_get(v, "fields");
    record_kind kind = RECORD_OPERATION;
    int rc = get_id(v, "version", &b->version, err);

    if (!rc)
        rc = read_earlier(arena, json_object_get(v, "earlier"), b, err);
    if (!rc)
        rc = get_kind(own, "kind", &kind, err);
    if (rc)
        return rc;
    b->r = record_new(arena, kind);
    if (!b->r)
        return atg_fail(err, ATG_ENOMEM, "Out of memory reading a bundle");
    rc = read_frame(arena, own, b->r, err);
    if (rc == ATG_OK && !json_is_object(fields))
        rc = wrong(err, "fields");
    return rc ? rc : record_read_json(arena, fields, b->r, err);
}

int bundle_read_record(atg_arena *arena, atg_str bytes, bundle_record *ret, atg_err *err) {
    bundle_record b = {.n_earlier = 0};
    json_t *v = NULL;
    int rc = parse(bytes, 4, &v, err);

    if (!rc)
        rc = read_record(arena, v, &b, err);
    json_decref(v);
    if (!rc)
        *ret = b;
    return rc;
}

int bundle_read_picture(atg_str bytes, bundle_picture *ret, atg_err *err) {
    bundle_picture p = {.size = 0};
    json_t *v = NULL;
    int rc = parse(bytes, 3, &v, err);

    if (!rc)
        rc = get_id(v, "person", &p.person, err);
    if (!rc)
        rc = get_hex(v, "hash", p.hash, RECORD_HASH, err);
    if (!rc)
        rc = get_number(v, "size", &p.size, err);
    if (!rc && (p.size < 1 || p.size > BUNDLE_PICTURE_MAX))
        rc = wrong(err, "size");
    json_decref(v);
    if (!rc)
        *ret = p;
    return rc;
}

static int read_entry(atg_arena *arena, const json_t *v, bundle_entry *b, atg_err *err) {
    int rc = get_number(v, "seq", &b->e.seq, err);

    if (!rc && b->e.seq == 0)
        rc = wrong(err, "seq");
    if (!rc)
        rc = get_instant(v, "at", &b->e.at, err);
    if (!rc)
        rc = get_hex(v, "account", b->e.account.bytes, UUID_SIZE, err);
    if (!rc)
        rc = get_text(arena, v, "action", WORD_MAX, &b->e.action, err);
    if (!rc)
        rc = get_text(arena, v, "kind", WORD_MAX, &b->e.kind, err);
    if (!rc)
        rc = get_hex(v, "record", b->e.record.bytes, UUID_SIZE, err);
    if (!rc)
        rc = get_number(v, "rev", &b->e.rev, err);
    if (!rc)
        rc = get_text(arena, v, "detail", BUNDLE_ITEM, &b->e.detail, err);
    if (!rc)
        rc = get_hex(v, "prev", b->prev.bytes, HASH_SIZE, err);
    return rc ? rc : get_hex(v, "hash", b->hash.bytes, HASH_SIZE, err);
}

int bundle_read_entry(atg_arena *arena, atg_str bytes, bundle_entry *ret, atg_err *err) {
    bundle_entry b = {.e = {.seq = 0}};
    json_t *v = NULL;
    int rc = parse(bytes, 10, &v, err);

    if (!rc)
        rc = read_entry(arena, v, &b, err);
    json_decref(v);
    if (!rc)
        *ret = b;
    return rc;
}

int bundle_read_total(atg_str bytes, bundle_total *ret, atg_err *err) {
    bundle_total t = {.files = 0};
    json_t *v = NULL;
    int rc = parse(bytes, 5, &v, err);

    if (!rc)
        rc = get_number(v, "files", &t.files, err);
    if (!rc)
        rc = get_number(v, "records", &t.records, err);
    if (!rc)
        rc = get_number(v, "pictures", &t.pictures, err);
    if (!rc)
        rc = get_number(v, "entries", &t.entries, err);
    if (!rc)
        rc = get_number(v, "tombstones", &t.tombstones, err);
    json_decref(v);
    if (!rc)
        *ret = t;
    return rc;
}
