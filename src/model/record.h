/* SPDX-License-Identifier: Apache-2.0 */
/* Records as schema/records.json describes them: a table of kinds and fields, and values in that
 * order.  What is unknown has no value; it is never read as "no".
 *
 * A record and its values belong to the arena they were made in. */
#ifndef ATG_MODEL_RECORD_H
#define ATG_MODEL_RECORD_H

#include <antigone/base.h>

#include "base/json.h"
#include "base/uuid.h"

#include "record_types.h"

#include <jansson.h>

enum { RECORD_HASH = 32 };

typedef enum field_kind {
    FIELD_TEXT,    /* UTF-8 of at most max_size code points, without control characters but LF */
    FIELD_CHOICE,  /* one of `choices` */
    FIELD_DATE,    /* model/date.h */
    FIELD_INSTANT, /* microseconds UTC */
    FIELD_NUMBER,  /* finite, within `least` and `most` */
    FIELD_RANGE,   /* from and to; NAN: that end is open */
    FIELD_BOOL,
    FIELD_REF,  /* the identifier of a record of kind `to` */
    FIELD_UUID, /* any identifier */
    FIELD_JSON, /* one line of JSON of at most max_size bytes */
    FIELD_BLOB, /* the hash of a sealed picture or scan */
} field_kind;

typedef enum field_search {
    SEARCH_NONE,
    SEARCH_WORDS,
    SEARCH_NAME,
    SEARCH_DATE,
    SEARCH_CODE,
} field_search;

typedef struct field_type {
    const char *name, *label;
    field_kind kind;
    field_class class;
    bool sealed;   /* encrypted under the person's key */
    bool never;    /* never in an export */
    bool sort;     /* files are listed by it */
    bool required; /* of a valid record */
    field_search search;
    uint32_t max_size;
    double least, most;
    const char *const *choices; /* NULL at the end */
    record_kind to;
} field_type;

typedef enum record_person {
    PERSON_NONE,
    PERSON_SELF,  /* the record is the person */
    PERSON_FILE,  /* the person of the file it belongs to */
    PERSON_DONOR, /* the donor it names, or else the person of the file */
} record_person;

typedef enum access_right {
    ACCESS_NONE,
    ACCESS_REASON, /* read, with a written reason */
    ACCESS_READ,
    ACCESS_WRITE, /* read and write */
} access_right;

typedef struct record_type {
    const char *name, *title;
    const char *code; /* of its printed codes: "AM"; NULL: it has none */
    bool is_file, described;
    bool stays; /* in this store: it goes into no bundle and no export */
    record_person person;
    uint32_t in;               /* 1 << kind of the files that it may stand in; 0 for files */
    const char *const *states; /* NULL at the end */
    uint32_t n_fields;
    const field_type *fields;
    unsigned char access[ROLES][CLASSES]; /* access_right */
} record_type;

extern const record_type record_types[RECORD_KINDS];
extern const char *const role_names[ROLES];
extern const char *const class_names[CLASSES];

typedef struct value {
    bool known;
    union {
        atg_str text; /* text, date, JSON */
        uint32_t choice;
        int64_t instant;
        double number;
        struct {
            double from, to;
        } range;
        bool flag;
        uuid ref;
        unsigned char hash[RECORD_HASH];
    };
} value;

typedef struct record {
    record_kind kind;
    uuid id;
    uuid operation;
    uuid file;   /* that it belongs to; a file's own id */
    uuid person; /* whose key seals it; none where nothing is sealed */
    atg_str code;
    int64_t rev; /* 1, 2, ...; 0 before it is stored */
    uint32_t state;
    int64_t created, changed; /* microseconds UTC */
    bool withdrawn;
    value *fields; /* record_types[kind].n_fields */
} record;

/* A record without values, or NULL when memory is short. */
record *record_new(atg_arena *arena, record_kind kind);
/* One with its own list of the same values; the texts are shared. */
record *record_copy(atg_arena *arena, const record *r);

/* The kind, role or field of that name, or -1. */
int record_kind_of(atg_str name);
int record_role_of(atg_str name);
int record_field_of(record_kind kind, atg_str name);

/* The index of a word in a list that ends with NULL, or -1. */
int record_word(const char *const *words, atg_str word);

static inline const field_type *record_field(record_kind kind, uint32_t field) {
    return &record_types[kind].fields[field];
}

bool value_eq(const field_type *field, const value *a, const value *b);

/* The value that people write: "male", "34-40", "34-", "1984-03", "yes", 32 hexadecimal digits.
 * The empty text is unknown.  ATG_EPARSE or ATG_ELIMIT with the field's label; err has no place. */
int value_read(atg_arena *arena, const field_type *field, atg_str text, value *ret, atg_err *err);
/* The same text back; nothing when unknown. */
void value_write(atg_buf *buf, const field_type *field, const value *v);

/* The value as JSON: a text, a number, true, [34, null], or what the JSON of the field is. */
int value_read_json(atg_arena *arena, const field_type *field, const json_t *from, value *ret,
                    atg_err *err);
void value_write_json(json *j, const field_type *field, const value *v);

/* One line of JSON with the keys in byte order: equal texts for equal values. */
int record_canonical(atg_arena *arena, const json_t *from, size_t limit, atg_str *ret,
                     atg_err *err);

/* Which fields something is done with. */
typedef bool record_choose(const void *user, const record *r, uint32_t field);

/* Set the fields that are members of the object: null makes unknown.  A member that is no field is
 * an error that names it. */
int record_read_json(atg_arena *arena, const json_t *object, record *r, atg_err *err);
/* The frame (kind, id, code, ...), and in it as "fields" the chosen fields that are known. */
void record_write_json(json *j, const record *r, record_choose *choose, const void *user);
/* The chosen fields that are known, without the frame. */
void record_write_fields(json *j, const record *r, record_choose *choose, const void *user);

/* Does a text that did not come through value_read(), a name in a DNA file say, fit its field?
 * ATG_ELIMIT or ATG_EPARSE with the field's label. */
int value_check(const field_type *field, const value *v, atg_err *err);

/* Every required field known?  ATG_EINVAL names all that are not.  Every text as value_check()
 * wants it? */
int record_check(const record *r, atg_err *err);

#endif
