/* SPDX-License-Identifier: Apache-2.0 */
#include "model/record.h"

#include "base/bytes.h"
#include "base/instant.h"
#include "base/number.h"
#include "base/utf8.h"
#include "model/date.h"

#include <math.h>
#include <string.h>

static bool same(double a, double b) {
    return isnan(a) ? isnan(b) : a == b;
}

bool value_eq(const field_type *field, const value *a, const value *b) {
    if (!a->known || !b->known)
        return a->known == b->known;
    switch (field->kind) {
    case FIELD_TEXT:
    case FIELD_DATE:
    case FIELD_JSON:
        return atg_str_eq(a->text, b->text);
    case FIELD_CHOICE:
        return a->choice == b->choice;
    case FIELD_INSTANT:
        return a->instant == b->instant;
    case FIELD_NUMBER:
        return same(a->number, b->number);
    case FIELD_RANGE:
        return same(a->range.from, b->range.from) && same(a->range.to, b->range.to);
    case FIELD_BOOL:
        return a->flag == b->flag;
    case FIELD_REF:
    case FIELD_UUID:
        return uuid_cmp(&a->ref, &b->ref) == 0;
    case FIELD_BLOB:
        return memcmp(a->hash, b->hash, RECORD_HASH) == 0;
    }
    return false;
}

static int bad(const field_type *field, atg_err *err, const char *what) {
    return atg_fail(err, ATG_EPARSE, "%s: %s", field->label, what);
}

/* Control characters would steer a terminal; a line feed is what people write between lines. */
static int check_text(const field_type *field, atg_str text, atg_err *err) {
    atg_str rest = text;
    uint32_t n = 0;

    while (rest.n) {
        size_t bytes = utf8_len(rest.p, rest.n);
        unsigned char first = (unsigned char)*rest.p;

        if (!bytes)
            return bad(field, err, "The text is not UTF-8");
        if ((first < 0x20 && first != '\n' && first != '\t') || first == 0x7f)
            return bad(field, err, "The text has a control character; take it out");
        rest = (atg_str){rest.p + bytes, rest.n - bytes};
        n++;
    }
    if (n > field->max_size)
        return atg_fail(err, ATG_ELIMIT, "%s: The text has %u characters; %u are allowed",
                        field->label, n, field->max_size);
    return ATG_OK;
}

static int read_text(atg_arena *arena, const field_type *field, atg_str text, value *v,
                     atg_err *err) {
    int rc = check_text(field, text, err);

    if (rc)
        return rc;
    v->text = atg_arena_str(arena, text);
    return v->text.p ? ATG_OK : atg_fail(err, ATG_ENOMEM, "Out of memory reading a record");
}

int value_check(const field_type *field, const value *v, atg_err *err) {
    if (v->known && field->kind == FIELD_TEXT)
        return check_text(field, v->text, err);
    if (v->known && field->kind == FIELD_JSON && v->text.n > field->max_size)
        return atg_fail(err, ATG_ELIMIT, "%s: The JSON has %zu bytes; %u are allowed", field->label,
                        v->text.n, field->max_size);
    return ATG_OK;
}

static int read_choice(const field_type *field, atg_str text, value *v, atg_err *err) {
    char words[300] = "";
    size_t n = 0;
    int i = record_word(field->choices, text);

    if (i >= 0) {
        v->choice = (uint32_t)i;
        return ATG_OK;
    }
    for (int c = 0; field->choices[c]; c++) {
        size_t len = strlen(field->choices[c]);

        if (n + len + 3 > sizeof(words))
            break;
        if (n) {
            memcpy(words + n, ", ", 3);
            n += 2;
        }
        memcpy(words + n, field->choices[c], len + 1);
        n += len;
    }
    return atg_fail(err, ATG_EPARSE, "%s: '%.*s' is not one of %s", field->label,
                    (int)(text.n < 40 ? text.n : 40), text.p, words);
}

static int check_number(const field_type *field, double x, atg_err *err) {
    if (x >= field->least && x <= field->most)
        return ATG_OK;
    return atg_fail(err, ATG_EPARSE, "%s: %g is not between %g and %g", field->label, x,
                    field->least, field->most);
}

static int check_range(const field_type *field, const value *v, atg_err *err) {
    int rc = ATG_OK;

    if (isnan(v->range.from) && isnan(v->range.to))
        return bad(field, err, "A range has at least one end");
    if (!isnan(v->range.from))
        rc = check_number(field, v->range.from, err);
    if (!rc && !isnan(v->range.to))
        rc = check_number(field, v->range.to, err);
    if (!rc && v->range.from > v->range.to)
        rc = bad(field, err, "The range ends before it begins");
    return rc;
}

/* "34", "34-40", "34-", "-40". */
static int read_range(const field_type *field, atg_str text, value *v, atg_err *err) {
    atg_str to = text, from = atg_str_cut(&to, '-');

    v->range.from = v->range.to = NAN;
    if ((from.n && !number_read(from, &v->range.from)) || (to.n && !number_read(to, &v->range.to)))
        return bad(field, err, "Write a range as 34-40, 34- or -40");
    if (from.n == text.n)
        v->range.to = v->range.from;
    return check_range(field, v, err);
}

static int read_bool(const field_type *field, atg_str text, value *v, atg_err *err) {
    v->flag = atg_str_eq_nocase(text, ATG_STR("yes")) || atg_str_eq(text, ATG_STR("true"));
    if (!v->flag && !atg_str_eq_nocase(text, ATG_STR("no")) && !atg_str_eq(text, ATG_STR("false")))
        return bad(field, err, "Write yes or no");
    return ATG_OK;
}

static int read_json(atg_arena *arena, const field_type *field, atg_str text, value *v,
                     atg_err *err) {
    json_error_t where;
    json_t *root = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &where);

    if (!root)
        return atg_fail(err, ATG_EPARSE, "%s: not JSON (line %d, column %d): %s", field->label,
                        where.line, where.column, where.text);

    int rc = record_canonical(arena, root, field->max_size, &v->text, err);

    v->known = !json_is_null(root);
    json_decref(root);
    return rc;
}

static int read_kind(atg_arena *arena, const field_type *field, atg_str text, value *v,
                     atg_err *err) {
    date ignored;

    switch (field->kind) {
    case FIELD_TEXT:
        return read_text(arena, field, text, v, err);
    case FIELD_CHOICE:
        return read_choice(field, text, v, err);
    case FIELD_DATE:
        if (date_read(text, &ignored, err))
            return ATG_EPARSE;
        v->text = atg_arena_str(arena, text);
        return v->text.p ? ATG_OK : atg_fail(err, ATG_ENOMEM, "Out of memory reading a record");
    case FIELD_INSTANT:
        return instant_read(text, &v->instant)
                   ? ATG_OK
                   : bad(field, err, "Write an instant as 2026-11-24T04:39:00.000000Z");
    case FIELD_NUMBER:
        return number_read(text, &v->number) ? check_number(field, v->number, err)
                                             : bad(field, err, "That is not a number");
    case FIELD_RANGE:
        return read_range(field, text, v, err);
    case FIELD_BOOL:
        return read_bool(field, text, v, err);
    case FIELD_REF:
    case FIELD_UUID:
        return uuid_read(text, &v->ref) ? ATG_OK : bad(field, err, "That is not an identifier");
    case FIELD_JSON:
        return read_json(arena, field, text, v, err);
    case FIELD_BLOB:
        return bytes_from_hex(text, v->hash, RECORD_HASH)
                   ? ATG_OK
                   : bad(field, err, "That is not the hash of a picture");
    }
    return ATG_EINVAL;
}

int value_read(atg_arena *arena, const field_type *field, atg_str text, value *ret, atg_err *err) {
    value v = {.known = true};

    text = atg_str_trim(text);
    if (!text.n) {
        *ret = (value){0};
        return ATG_OK;
    }

    int rc = read_kind(arena, field, text, &v, err);

    if (!rc)
        *ret = v;
    return rc;
}

static void write_end(atg_buf *buf, double x) {
    char text[32];

    if (isnan(x))
        return;
    json_shortest(x, text);
    atg_buf_adds(buf, text);
}

void value_write(atg_buf *buf, const field_type *field, const value *v) {
    char text[RECORD_HASH * 2 + 1];

    if (!v->known)
        return;
    switch (field->kind) {
    case FIELD_TEXT:
    case FIELD_DATE:
    case FIELD_JSON:
        atg_buf_add(buf, v->text);
        break;
    case FIELD_CHOICE:
        atg_buf_adds(buf, field->choices[v->choice]);
        break;
    case FIELD_INSTANT:
        instant_text(v->instant, text);
        atg_buf_adds(buf, text);
        break;
    case FIELD_NUMBER:
        write_end(buf, v->number);
        break;
    case FIELD_RANGE:
        write_end(buf, v->range.from);
        if (v->range.from != v->range.to) {
            atg_buf_adds(buf, "-");
            write_end(buf, v->range.to);
        }
        break;
    case FIELD_BOOL:
        atg_buf_adds(buf, v->flag ? "yes" : "no");
        break;
    case FIELD_REF:
    case FIELD_UUID:
        uuid_text(&v->ref, text);
        atg_buf_adds(buf, text);
        break;
    case FIELD_BLOB:
        bytes_hex(v->hash, RECORD_HASH, text);
        atg_buf_adds(buf, text);
        break;
    }
}

/* What JSON has as itself and not as a text. */
static int read_json_range(const field_type *field, const json_t *from, value *v, atg_err *err) {
    const json_t *ends[2] = {json_array_get(from, 0), json_array_get(from, 1)};
    double *into[2] = {&v->range.from, &v->range.to};

    if (json_array_size(from) != 2)
        return bad(field, err, "A range is a list of two: [34, 40], [34, null] or [null, 40]");
    for (int i = 0; i < 2; i++) {
        if (!json_is_number(ends[i]) && !json_is_null(ends[i]))
            return bad(field, err, "The ends of a range are numbers or null");
        *into[i] = json_is_null(ends[i]) ? NAN : json_number_value(ends[i]);
    }
    return check_range(field, v, err);
}

static int read_json_number(const field_type *field, const json_t *from, value *v, atg_err *err) {
    if (!json_is_number(from))
        return bad(field, err, "That is not a number");
    v->number = json_number_value(from);
    return check_number(field, v->number, err);
}

static int read_json_bool(const field_type *field, const json_t *from, value *v, atg_err *err) {
    if (!json_is_boolean(from))
        return bad(field, err, "Write true or false");
    v->flag = json_is_true(from);
    return ATG_OK;
}

static int read_json_text(atg_arena *arena, const field_type *field, const json_t *from, value *ret,
                          atg_err *err) {
    if (!json_is_string(from))
        return bad(field, err, "That is not a text");
    return value_read(arena, field, (atg_str){json_string_value(from), json_string_length(from)},
                      ret, err);
}

int value_read_json(atg_arena *arena, const field_type *field, const json_t *from, value *ret,
                    atg_err *err) {
    value v = {.known = true};
    int rc;

    if (json_is_null(from)) {
        *ret = (value){0};
        return ATG_OK;
    }
    if (field->kind == FIELD_JSON)
        rc = record_canonical(arena, from, field->max_size, &v.text, err);
    else if (field->kind == FIELD_RANGE)
        rc = read_json_range(field, from, &v, err);
    else if (field->kind == FIELD_NUMBER)
        rc = read_json_number(field, from, &v, err);
    else if (field->kind == FIELD_BOOL)
        rc = read_json_bool(field, from, &v, err);
    else
        return read_json_text(arena, field, from, ret, err);
    if (!rc)
        *ret = v;
    return rc;
}

void value_write_json(json *j, const field_type *field, const value *v) {
    if (!v->known) {
        json_none(j);
    } else if (field->kind == FIELD_JSON) {
        json_raw(j, v->text);
    } else if (field->kind == FIELD_RANGE) {
        json_array_line(j);
        json_num(j, v->range.from);
        json_num(j, v->range.to);
        json_end(j, ']');
    } else if (field->kind == FIELD_NUMBER) {
        json_num(j, v->number);
    } else if (field->kind == FIELD_BOOL) {
        json_bool(j, v->flag);
    } else if (field->kind == FIELD_TEXT || field->kind == FIELD_DATE) {
        json_str(j, v->text);
    } else {
        char text[128];

        if (field->kind == FIELD_CHOICE) {
            json_text(j, field->choices[v->choice]);
            return;
        }
        if (field->kind == FIELD_INSTANT)
            instant_text(v->instant, text);
        else if (field->kind == FIELD_BLOB)
            bytes_hex(v->hash, RECORD_HASH, text);
        else
            uuid_text(&v->ref, text);
        json_text(j, text);
    }
}
