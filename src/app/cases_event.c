/* SPDX-License-Identifier: Apache-2.0 */
#include "app/cases_internal.h"

#include "base/bytes.h"
#include "base/clock.h"
#include "base/json.h"

enum { EVENT_MAX = 16 << 20 };

/* A change of one field: what it was and is.  In the clear for clear fields, hidden behind the
 * person's salt for others, and again whole in what is sealed. */
static int write_hidden(json *j, const person_keys *keys, const field_type *field, const record *r,
                        atg_err *err) {
    uint32_t f = (uint32_t)(field - record_types[r->kind].fields);
    char hex[2 * HASH_SIZE + 1];
    atg_str text;

    if (!r->fields[f].known) {
        json_none(j);
        return ATG_OK;
    }

    ATG_AUTO(atg_buf) buf = atg_buf_new(EVENT_MAX);

    if (!buf)
        return atg_fail(err, ATG_ENOMEM, "Out of memory writing the history");
    value_write(buf, field, &r->fields[f]);

    int rc = atg_buf_take(buf, &text, err);

    if (rc)
        return rc;

    hash256 hash = hash_commit(&keys->salt, atg_str_of(record_types[r->kind].name),
                               atg_str_of(field->name), text);

    bytes_hex(hash.bytes, HASH_SIZE, hex);
    json_text(j, hex);
    return ATG_OK;
}

static void write_clear(json *j, const field_type *field, const record *r) {
    uint32_t f = (uint32_t)(field - record_types[r->kind].fields);

    if (r->fields[f].known)
        value_write_json(j, field, &r->fields[f]);
    else
        json_none(j);
}

static int write_field(json *j, const cases_event *e, uint32_t f, bool sealed, atg_err *err) {
    const field_type *field = record_field(e->after->kind, f);
    int rc = ATG_OK;

    json_key(j, field->name);
    json_array_line(j);
    if (!e->before)
        json_none(j);
    else if (sealed || !field->sealed)
        write_clear(j, field, e->before);
    else
        rc = write_hidden(j, e->keys, field, e->before, err);
    if (rc)
        return rc;
    if (sealed || !field->sealed)
        write_clear(j, field, e->after);
    else
        rc = write_hidden(j, e->keys, field, e->after, err);
    json_end(j, ']');
    return rc;
}

/* The fields that changed: all of them with personal ones hidden, or (sealed) the personal ones. */
static int write_fields(json *j, const cases_event *e, bool sealed, atg_err *err) {
    uint64_t wanted = 0;

    for (uint32_t f = 0; f < record_types[e->after->kind].n_fields; f++)
        /* a template is nobody's to read, in the history neither: its hash stays */
        if (e->fields >> f & 1 &&
            (!sealed || (record_field(e->after->kind, f)->sealed &&
                         record_field(e->after->kind, f)->class != CLASS_TEMPLATE)))
            wanted |= UINT64_C(1) << f;
    if (!wanted)
        return ATG_OK;
    json_key(j, "fields");
    json_object_line(j);
    for (uint32_t f = 0; f < record_types[e->after->kind].n_fields; f++) {
        int rc = wanted >> f & 1 ? write_field(j, e, f, sealed, err) : ATG_OK;

        if (rc)
            return rc;
    }
    json_end(j, '}');
    return ATG_OK;
}

static void write_state(json *j, const cases_event *e) {
    const char *const *states = record_types[e->after->kind].states;

    if (!states[0] || (e->before && e->before->state == e->after->state))
        return;
    json_key(j, "state");
    json_array_line(j);
    if (e->before)
        json_text(j, states[e->before->state]);
    else
        json_none(j);
    json_text(j, states[e->after->state]);
    json_end(j, ']');
}

static void write_bundle(json *j, const uuid *bundle) {
    char text[UUID_TEXT + 1];

    uuid_text(bundle, text);
    json_key(j, "bundle");
    json_text(j, text);
}

/* Who gave a reason may have named somebody in it: it is sealed where there is a key. */
static void write_reason(json *j, const actor *who, const cases_event *e, bool sealed) {
    char hex[2 * HASH_SIZE + 1];

    if (!who->reason.n)
        return;
    json_key(j, "reason");
    if (sealed || !e->keys) {
        json_str(j, who->reason);
        return;
    }

    hash256 hash = hash_commit(&e->keys->salt, ATG_STR(""), ATG_STR("reason"), who->reason);

    bytes_hex(hash.bytes, HASH_SIZE, hex);
    json_text(j, hex);
}

static int write_event(atg_buf *buf, const actor *who, const cases_event *e, bool sealed,
                       atg_str *ret, atg_err *err) {
    json j = json_new(buf);

    json_object_line(&j);

    int rc = write_fields(&j, e, sealed, err);

    if (rc)
        return rc;
    if (!sealed)
        write_state(&j, e);
    if (!sealed && who->carried)
        write_bundle(&j, &who->bundle);
    write_reason(&j, who, e, sealed);
    json_end(&j, '}');
    rc = atg_buf_take(buf, ret, err);
    if (!rc)
        *ret = atg_str_trim(*ret);
    return rc;
}

int cases_record_event(db *d, const actor *who, const cases_event *e, atg_err *err) {
    ATG_AUTO(atg_buf) clear = atg_buf_new(EVENT_MAX);
    ATG_AUTO(atg_buf) sealed = atg_buf_new(EVENT_MAX);
    audit_event event = {
        .file = e->after->file,
        .at = clock_now(),
        .account = who->account,
        .action = e->action,
        .kind = record_types[e->after->kind].name,
        .record = e->after->id,
        .rev = e->after->rev,
        .first = e->first,
        .head = e->head,
    };

    if (!clear || !sealed)
        return atg_fail(err, ATG_ENOMEM, "Out of memory writing the history");

    int rc = write_event(clear, who, e, false, &event.detail, err);

    if (!rc && e->keys) {
        event.person = e->after->person;
        event.key = &e->keys->key;
        rc = write_event(sealed, who, e, true, &event.history, err);
    }
    if (!rc && event.history.n == 2) /* {} */
        event.history = (atg_str){NULL, 0};
    return rc ? rc : audit_append(d, &event, err);
}
