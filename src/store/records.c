/* SPDX-License-Identifier: Apache-2.0 */
#include "store/records.h"

#include <math.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "crypto/seal.h"

/* As tools/records.py lays out the columns. */
enum {
    AT_ID,
    AT_OPERATION,
    AT_FILE,
    AT_PERSON,
    AT_CODE,
    AT_REV,
    AT_STATE,
    AT_CREATED,
    AT_CHANGED,
    AT_WITHDRAWN,
    AT_SEALED,
    AT_FIELDS,
};

enum { SEALED_MAX = 64 << 20, PADDING = 64, PLACE_MAX = 128, ROWS_FIRST = 64 };

static db_value id_of(const uuid *id) {
    return db_blob(id->bytes, UUID_SIZE);
}

/* What a record's sealed fields are bound to. */
static size_t place_of(const record *r, int64_t rev, char ret[PLACE_MAX]) {
    static const char what[] = "antigone/record/1";
    const char *kind = record_types[r->kind].name;
    size_t n = sizeof(what) - 1, k = strlen(kind) + 1;

    memcpy(ret, what, n);
    memcpy(ret + n, kind, k);
    n += k;
    memcpy(ret + n, r->id.bytes, UUID_SIZE);
    n += UUID_SIZE;
    memcpy(ret + n, r->file.bytes, UUID_SIZE);
    n += UUID_SIZE;
    bytes_put64((unsigned char *)ret + n, (uint64_t)rev);
    return n + 8;
}

static bool is_sealed(const void *user, const record *r, uint32_t field) {
    (void)user;
    return record_field(r->kind, field)->sealed;
}

static bool has_sealed(record_kind kind) {
    for (uint32_t f = 0; f < record_types[kind].n_fields; f++)
        if (record_field(kind, f)->sealed)
            return true;
    return false;
}

/* ---- writing ---- */

/* The sealed fields as JSON, filled up with blanks so that its length says little. */
static int write_sealed(const record *r, atg_buf *buf, atg_str *ret, atg_err *err) {
    static const char blanks[] = "                                                                ";
    _Static_assert(sizeof(blanks) == PADDING + 1, "one blank less than PADDING is needed");
    json j = json_new(buf);
    atg_str text;
    int rc;

    record_write_fields(&j, r, is_sealed, NULL);
    rc = atg_buf_take(buf, &text, err);
    if (rc)
        return rc;
    atg_buf_add(buf, (atg_str){blanks, (PADDING - text.n % PADDING) % PADDING});
    return atg_buf_take(buf, ret, err);
}

/* For mem_free(); NULL where the kind seals nothing. */
typedef struct sealing {
    unsigned char *p;
    size_t n;
} sealing;

static int seal_text(const key256 *key, const record *r, int64_t rev, atg_str text, sealing *ret,
                     atg_err *err) {
    char place[PLACE_MAX];
    atg_str ad = {place, place_of(r, rev, place)};

    ret->n = text.n + SEAL_OVERHEAD;
    ret->p = mem_alloc(ret->n);
    if (!ret->p)
        return atg_fail(err, ATG_ENOMEM, "Out of memory sealing a record");
    return seal_make(key, ad, text, ret->p, err);
}

static int refuse_sealed(const record *r, atg_err *err) {
    for (uint32_t f = 0; f < record_types[r->kind].n_fields; f++)
        if (r->fields[f].known && record_field(r->kind, f)->sealed)
            return atg_fail(err, ATG_EINVAL,
                            "%s: the record belongs to nobody whose key could seal it",
                            record_field(r->kind, f)->label);
    return ATG_OK;
}

static int seal_record(db *d, keyring *keys, const record *r, int64_t rev, sealing *ret,
                       atg_err *err) {
    KEYS_AUTO person_keys person = {{{0}}, {{0}}};
    atg_str text;
    int rc;

    if (uuid_none(&r->person))
        return refuse_sealed(r, err);
    if (!has_sealed(r->kind))
        return ATG_OK;
    rc = keys_person(d, keys, &r->person, &person, err);
    if (rc == ATG_ENOTFOUND)
        return atg_fail(err, ATG_EDENIED,
                        "The person of this record was erased: nothing can be written of them");
    if (rc)
        return rc;

    ATG_AUTO(atg_buf) buf = atg_buf_new(SEALED_MAX);

    if (!buf)
        return atg_fail(err, ATG_ENOMEM, "Out of memory sealing a record");
    rc = write_sealed(r, buf, &text, err);
    return rc ? rc : seal_text(&person.key, r, rev, text, ret, err);
}

static db_value end_of(double x) {
    return isnan(x) ? db_null() : db_double(x);
}

static db_value value_of(const field_type *field, const value *v) {
    if (!v->known)
        return db_null();
    switch (field->kind) {
    case FIELD_CHOICE:
        return db_text(atg_str_of(field->choices[v->choice]));
    case FIELD_INSTANT:
        return db_int(v->instant);
    case FIELD_NUMBER:
        return end_of(v->number);
    case FIELD_BOOL:
        return db_int(v->flag);
    case FIELD_REF:
    case FIELD_UUID:
        return id_of(&v->ref);
    case FIELD_BLOB:
        return db_blob(v->hash, RECORD_HASH);
    case FIELD_TEXT:
    case FIELD_DATE:
    case FIELD_JSON:
    case FIELD_RANGE:
        break;
    }
    return db_text(v->text);
}

/* The values of the columns; returns how many. */
static int bind(const record *r, int64_t rev, const sealing *sealed, db_value *ret) {
    const record_type *type = &record_types[r->kind];
    int n = AT_FIELDS;

    ret[AT_ID] = id_of(&r->id);
    ret[AT_OPERATION] = id_of(&r->operation);
    ret[AT_FILE] = id_of(&r->file);
    ret[AT_PERSON] = uuid_none(&r->person) ? db_null() : id_of(&r->person);
    ret[AT_CODE] = r->code.n ? db_text(r->code) : db_null();
    ret[AT_REV] = db_int(rev);
    ret[AT_STATE] = type->states[0] ? db_text(atg_str_of(type->states[r->state])) : db_null();
    ret[AT_CREATED] = db_int(r->created);
    ret[AT_CHANGED] = db_int(r->changed);
    ret[AT_WITHDRAWN] = db_int(r->withdrawn);
    ret[AT_SEALED] = sealed->p ? db_blob(sealed->p, sealed->n) : db_null();
    for (uint32_t f = 0; f < type->n_fields; f++) {
        const field_type *field = &type->fields[f];
        const value *v = &r->fields[f];

        if (field->sealed)
            continue;
        if (field->kind != FIELD_RANGE) {
            ret[n++] = value_of(field, v);
            continue;
        }
        ret[n++] = v->known ? end_of(v->range.from) : db_null();
        ret[n++] = v->known ? end_of(v->range.to) : db_null();
    }
    return n;
}

static int check_record(const record *r, atg_err *err) {
    if (uuid_none(&r->id) || uuid_none(&r->operation) || uuid_none(&r->file))
        return atg_fail(err, ATG_EINVAL, "A record needs an identifier, an operation and a file");
    return ATG_OK;
}

int records_insert(db *d, keyring *keys, const record *r, atg_err *err) {
    db_value values[DB_VALUES_MAX];
    sealing sealed = {NULL, 0};
    int rc = check_record(r, err);

    if (rc == ATG_OK && r->rev != 1)
        rc = atg_fail(err, ATG_EINVAL, "A new record has revision 1");
    if (rc == ATG_OK)
        rc = seal_record(d, keys, r, 1, &sealed, err);
    if (rc == ATG_OK)
        rc = db_post(d, &record_statements[r->kind].insert, values, bind(r, 1, &sealed, values),
                     err);
    mem_free(sealed.p);
    return rc;
}

/* Nothing was updated. */
static int why_not(db *d, const record *r, atg_err *err) {
    const char *title = record_types[r->kind].title;
    db_rows *rows = NULL;
    int rc =
        db_query(d, &record_statements[r->kind].get, (db_value[]){id_of(&r->id)}, 1, &rows, err);

    if (rc || !rows)
        return rc;
    rc = db_next(rows, err);
    if (rc == 0)
        rc = atg_fail(err, ATG_ENOTFOUND, "%s: there is no such record", title);
    if (rc > 0 && db_get_int(rows, AT_REV) == r->rev)
        rc = atg_fail(err, ATG_EINVAL,
                      "%s: the operation, the file and the creation of a record stay as they are",
                      title);
    if (rc > 0)
        rc = atg_fail(err, ATG_ECONFLICT,
                      "%s: somebody else changed it (revision %lld was read, it has %lld now)",
                      title, (long long)r->rev, (long long)db_get_int(rows, AT_REV));
    db_end(rows);
    return rc;
}

/* `ret_changed` NULL: posted. */
static int update(db *d, keyring *keys, const record *r, int64_t *ret_changed, atg_err *err) {
    const db_statement *statement = &record_statements[r->kind].update;
    db_value values[DB_VALUES_MAX];
    sealing sealed = {NULL, 0};
    int rc = check_record(r, err), n;

    if (rc == ATG_OK)
        rc = seal_record(d, keys, r, r->rev + 1, &sealed, err);
    if (rc == ATG_OK) {
        n = bind(r, r->rev + 1, &sealed, values);
        values[n++] = db_int(r->rev);
        rc = ret_changed ? db_run(d, statement, values, n, ret_changed, err)
                         : db_post(d, statement, values, n, err);
    }
    mem_free(sealed.p);
    return rc;
}

int records_update(db *d, keyring *keys, record *r, atg_err *err) {
    int64_t changed = 0;
    int rc = update(d, keys, r, &changed, err);

    if (rc == ATG_OK && changed == 0)
        rc = why_not(d, r, err);
    r->rev += rc == ATG_OK;
    return rc;
}

int records_rewrite(db *d, keyring *keys, record *r, atg_err *err) {
    int rc = update(d, keys, r, NULL, err);

    r->rev += rc == ATG_OK;
    return rc;
}

/* ---- reading ---- */

static int damaged(const record *r, const char *what, atg_err *err) {
    return atg_fail(err, ATG_EDB, "A row of %s is damaged: %s", record_types[r->kind].name, what);
}

static bool read_id(db_rows *rows, int at, uuid *ret) {
    atg_str s = db_get_blob(rows, at);

    if (s.n == UUID_SIZE)
        memcpy(ret->bytes, s.p, UUID_SIZE);
    return s.n == UUID_SIZE;
}

static bool read_text(atg_arena *arena, db_rows *rows, int at, atg_str *ret) {
    *ret = atg_arena_str(arena, db_get_text(rows, at));
    return ret->p != NULL;
}

static int no_memory(atg_err *err) {
    return atg_fail(err, ATG_ENOMEM, "Out of memory reading records");
}

static int read_frame(atg_arena *arena, db_rows *rows, record *r, atg_err *err) {
    const record_type *type = &record_types[r->kind];

    if (!read_id(rows, AT_ID, &r->id) || !read_id(rows, AT_OPERATION, &r->operation) ||
        !read_id(rows, AT_FILE, &r->file))
        return damaged(r, "an identifier", err);
    if (!db_is_null(rows, AT_PERSON) && !read_id(rows, AT_PERSON, &r->person))
        return damaged(r, "its person", err);
    if (!db_is_null(rows, AT_CODE) && !read_text(arena, rows, AT_CODE, &r->code))
        return no_memory(err);
    r->rev = db_get_int(rows, AT_REV);
    r->created = db_get_int(rows, AT_CREATED);
    r->changed = db_get_int(rows, AT_CHANGED);
    r->withdrawn = db_get_int(rows, AT_WITHDRAWN) != 0;
    if (type->states[0]) {
        int state = record_word(type->states, db_get_text(rows, AT_STATE));

        if (state < 0)
            return damaged(r, "its state", err);
        r->state = (uint32_t)state;
    }
    return ATG_OK;
}

static int read_field(atg_arena *arena, db_rows *rows, int at, const record *r,
                      const field_type *field, value *v, atg_err *err) {
    atg_str s;
    int choice;

    v->known = true;
    switch (field->kind) {
    case FIELD_CHOICE:
        choice = record_word(field->choices, db_get_text(rows, at));
        v->choice = (uint32_t)choice;
        return choice < 0 ? damaged(r, field->name, err) : ATG_OK;
    case FIELD_INSTANT:
        v->instant = db_get_int(rows, at);
        return ATG_OK;
    case FIELD_NUMBER:
        v->number = db_get_double(rows, at);
        return ATG_OK;
    case FIELD_BOOL:
        v->flag = db_get_int(rows, at) != 0;
        return ATG_OK;
    case FIELD_REF:
    case FIELD_UUID:
        return read_id(rows, at, &v->ref) ? ATG_OK : damaged(r, field->name, err);
    case FIELD_BLOB:
        s = db_get_blob(rows, at);
        if (s.n != RECORD_HASH)
            return damaged(r, field->name, err);
        memcpy(v->hash, s.p, RECORD_HASH);
        return ATG_OK;
    case FIELD_TEXT:
    case FIELD_DATE:
    case FIELD_JSON:
    case FIELD_RANGE:
        break;
    }
    return read_text(arena, rows, at, &v->text) ? ATG_OK : no_memory(err);
}

static void read_range(db_rows *rows, int at, value *v) {
    bool from = !db_is_null(rows, at), to = !db_is_null(rows, at + 1);

    v->known = from || to;
    v->range.from = from ? db_get_double(rows, at) : NAN;
    v->range.to = to ? db_get_double(rows, at + 1) : NAN;
}

/* The clear fields; `*ret_at` is the column behind them. */
static int read_fields(atg_arena *arena, db_rows *rows, record *r, int *ret_at, atg_err *err) {
    const record_type *type = &record_types[r->kind];
    int at = AT_FIELDS, rc = ATG_OK;

    for (uint32_t f = 0; rc == ATG_OK && f < type->n_fields; f++) {
        const field_type *field = &type->fields[f];

        if (field->sealed)
            continue;
        if (field->kind == FIELD_RANGE) {
            read_range(rows, at, &r->fields[f]);
            at += 2;
            continue;
        }
        if (!db_is_null(rows, at))
            rc = read_field(arena, rows, at, r, field, &r->fields[f], err);
        at++;
    }
    *ret_at = at;
    return rc;
}

/* jansson says nothing when memory is short and a text loses its end (formats/jsonin.c). */
static int parse_sealed(atg_arena *arena, atg_str text, record *r, atg_err *err) {
    size_t refused = mem_refused();
    json_t *root = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
    int rc;

    if (mem_refused() != refused)
        rc = no_memory(err);
    else if (!root)
        rc = damaged(r, "its sealed fields", err);
    else
        rc = record_read_json(arena, root, r, err);
    json_decref(root);
    return rc;
}

static int open_sealed(atg_arena *arena, const key256 *key, atg_str sealed, record *r,
                       atg_err *err) {
    char place[PLACE_MAX];
    atg_str ad = {place, place_of(r, r->rev, place)};
    size_t n = sealed.n > SEAL_OVERHEAD ? sealed.n - SEAL_OVERHEAD : 0;
    MEM_AUTO unsigned char *plain = mem_alloc(n);
    int rc;

    if (!plain)
        return no_memory(err);
    if (seal_open(key, ad, sealed, plain, NULL))
        return atg_fail(err, ATG_EDENIED,
                        "The sealed fields of a %s were changed in the database, or are those of "
                        "another record",
                        record_types[r->kind].title);
    rc = parse_sealed(arena, (atg_str){(char *)plain, n}, r, err);
    bytes_wipe(plain, n);
    return rc;
}

typedef struct reading {
    db *d;
    keyring *keys;
    atg_arena *arena;
    record_kind kind;
    bool keep; /* the persons' keys are remembered */
} reading;

/* `at`: the columns of person_key. */
static int read_sealed(const reading *g, db_rows *rows, int at, record_row *row, atg_err *err) {
    KEYS_AUTO person_keys person = {{{0}}, {{0}}};
    uuid operation;
    int rc;

    if (uuid_none(&row->r->person))
        return ATG_OK;
    if (!read_id(rows, at, &operation))
        return has_sealed(g->kind) ? damaged(row->r, "the key of its person is missing", err)
                                   : ATG_OK;
    row->erased = db_is_null(rows, at + 1);
    if (row->erased || !has_sealed(g->kind))
        return ATG_OK;
    rc = keys_person_open(g->d, g->keys,
                          &(person_row){operation, row->r->person, db_get_blob(rows, at + 1)},
                          g->keep, &person, err);
    if (rc == ATG_OK)
        rc = open_sealed(g->arena, &person.key, db_get_blob(rows, AT_SEALED), row->r, err);
    return rc;
}

static int read_row(const reading *g, db_rows *rows, record_row *ret, atg_err *err) {
    record_row row = {.r = record_new(g->arena, g->kind)};
    int at = 0, rc;

    if (!row.r)
        return no_memory(err);
    rc = read_frame(g->arena, rows, row.r, err);
    if (rc == ATG_OK)
        rc = read_fields(g->arena, rows, row.r, &at, err);
    if (rc == ATG_OK)
        rc = read_sealed(g, rows, at, &row, err);
    if (rc == ATG_OK)
        *ret = row;
    return rc;
}

void records_foresee(db *d, record_kind kind, const uuid *id) {
    db_foresee(d, &record_statements[kind].get, (db_value[]){id_of(id)}, 1);
}

int records_get(db *d, keyring *keys, atg_arena *arena, record_kind kind, const uuid *id,
                record_row *ret, atg_err *err) {
    reading g = {d, keys, arena, kind, true};
    record_row row = {0};
    db_rows *rows = NULL;
    int rc = db_query(d, &record_statements[kind].get, (db_value[]){id_of(id)}, 1, &rows, err);

    if (rc || !rows)
        return rc;
    rc = db_next(rows, err);
    if (rc == 0)
        rc = atg_fail(err, ATG_ENOTFOUND, "%s: there is no such record", record_types[kind].title);
    if (rc > 0)
        rc = read_row(&g, rows, &row, err);
    if (rc == ATG_OK)
        rc = db_next(rows, err); /* a column of another type is told here */
    db_end(rows);
    if (rc == ATG_OK)
        *ret = row;
    return rc;
}

/* Room for one more row. */
static record_row *grow(atg_arena *arena, record_row *rows, uint32_t n, uint32_t *cap) {
    uint32_t more = *cap ? 2 * *cap : ROWS_FIRST;
    record_row *copy;

    if (n < *cap)
        return rows;
    copy = ATG_GET(arena, record_row, more);
    if (copy && n)
        memcpy(copy, rows, n * sizeof(*rows));
    *cap = more;
    return copy;
}

enum { LIST_VALUES = 3 };

/* The statement of a list, and its values: how many. */
static const db_statement *list_statement(const records_query *q, db_value ret[LIST_VALUES],
                                          int *ret_n) {
    const record_sql *sql = &record_statements[q->kind];
    const db_statement *const statements[] = {[RECORDS_OF_FILE] = &sql->of_file,
                                              [RECORDS_OF_PERSON] = &sql->of_person,
                                              [RECORDS_OF_OPERATION] = &sql->of_operation,
                                              [RECORDS_OF_NUMBERS] = &sql->of_numbers};
    bool numbers = q->by == RECORDS_OF_NUMBERS;

    ret[0] = numbers ? db_ints(q->numbers, q->n_numbers) : id_of(&q->of);
    ret[1] = id_of(&q->after);
    ret[2] = db_int(q->limit);
    *ret_n = numbers ? 1 : LIST_VALUES;
    return statements[q->by];
}

void records_foresee_list(db *d, const records_query *q) {
    db_value values[LIST_VALUES];
    int n;
    const db_statement *statement = list_statement(q, values, &n);

    db_foresee(d, statement, values, n);
}

int records_list(db *d, keyring *keys, atg_arena *arena, const records_query *q, record_row **ret,
                 uint32_t *ret_n, atg_err *err) {
    reading g = {d, keys, arena, q->kind, false};
    db_value values[LIST_VALUES];
    int n_values;
    const db_statement *statement = list_statement(q, values, &n_values);
    record_row *list = NULL;
    uint32_t n = 0, cap = 0;
    db_rows *rows = NULL;
    int rc = db_query(d, statement, values, n_values, &rows, err);

    while (rc == ATG_OK && (rc = db_next(rows, err)) > 0) {
        list = grow(arena, list, n, &cap);
        rc = list ? read_row(&g, rows, &list[n], err) : no_memory(err);
        n += rc == ATG_OK;
    }
    db_end(rows);
    if (rc)
        return rc;
    *ret = list;
    *ret_n = n;
    return ATG_OK;
}
