/* SPDX-License-Identifier: Apache-2.0 */
#include "server/openapi.h"

#include <ctype.h>
#include <string.h>

#include "app/rights.h"

enum { NAME_MAX_BYTES = 200, ALL_ROLES = (1 << ROLES) - 1 };

const char *openapi_query(atg_str name) {
    static const struct {
        const char *name, *text;
    } words[] = {
        {"kind", "Kind of files: missing, remains, family, batch, staff_profile"},
        {"state", "Only files in this state"},
        {"sex", "male, female or unknown"},
        {"order", "code, name or change"},
        {"limit", "How many at most"},
        {"score", "Of faces, -1 to 1: from it on two of them are a match"},
        {"after", "Behind this one: the header Link has the next page"},
        {"withdrawn", "yes: those that were withdrawn too"},
        {"q", "Words, \"whole words\", *parts of words*, codes, dates; all must be found"},
        {"conclusion", "established, probable, possible, insufficient or excluded"},
        {"agreed_on", "When the donors agreed"},
        {"ends_on", "Until when they agreed"},
        {"basis", "Legal basis of the donors' data"},
        {"sign", "yes: sign for population, theta and markers that the operation lacks"},
        {"invent", "yes: invent what families tell (exercises)"},
        {"recipient", "Who receives it: profiles leave only as their donors agreed"},
        {"format", "json, fam or csv"},
        {"source", "Names where the table comes from, so that it can be sent again: hospital.csv"},
        {"upload", "In place of a body: the id of an upload, or several with commas between"},
        {"changed_history", "yes: the site lost some of its history; needs an administrator, too"},
        {"to", "Name of the site that it is for"},
        {"all", "yes: everything, not only what is new since the last one"},
        {"population", "Of tables of genotypes: which one their frequencies describe"},
        {"theta", "Of tables of genotypes: 0 for none"},
        {"min_frequency", "Of tables of genotypes, where the frequencies do not say of how many"},
        {"mutation", "Of tables: none, equal:RATE, proportional:RATE, onestep:RATE or "
                     "stepwise:RATE:RATE2:RANGE"},
        {"mutation_male", "The same from fathers, where it differs"},
        {"check", "yes: list every problem, and take nothing in"},
        {"form", "full (default), thumbnail or sealed: blurred beyond recognition"},
    };

    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (atg_str_eq(name, atg_str_of(words[i].name)))
            return words[i].text;
    return "";
}

static void put(json *j, const char *key, const char *text) {
    json_key(j, key);
    json_text(j, text);
}

static void put_ref(json *j, const char *key, const char *name) {
    char ref[NAME_MAX_BYTES];

    (void)snprintf(ref, sizeof(ref), "#/components/schemas/%s", name);
    json_key(j, key);
    json_object_line(j);
    put(j, "$ref", ref);
    json_end(j, '}');
}

/* ---- paths ---- */

static void write_parameter(json *j, const char *in, atg_str name, bool needed, const char *text) {
    json_object_line(j);
    json_key(j, "name");
    json_str(j, name);
    put(j, "in", in);
    json_key(j, "required");
    json_bool(j, needed);
    put(j, "description", text);
    json_key(j, "schema");
    json_object_line(j);
    put(j, "type", "string");
    json_end(j, '}');
    json_end(j, '}');
}

static void write_parameters(json *j, const route *r) {
    atg_str path = atg_str_of(r->path), query = atg_str_of(r->query ? r->query : "");

    json_key(j, "parameters");
    json_begin_array(j);
    while (path.n) {
        atg_str part = atg_str_cut(&path, '/');

        if (part.n > 2 && part.p[0] == '{')
            write_parameter(j, "path", (atg_str){part.p + 1, part.n - 2}, true, "");
    }
    while (query.n) {
        atg_str name = atg_str_cut(&query, ' ');
        bool needed = name.p[0] == '!';

        name = (atg_str){name.p + needed, name.n - needed};
        write_parameter(j, "query", name, needed, openapi_query(name));
    }
    if (!(r->flags & ROUTE_PUBLIC))
        write_parameter(j, "header", ATG_STR("Antigone-Purpose"), (r->flags & ROUTE_PURPOSE) != 0,
                        "Why, percent-encoded UTF-8: it stands in the history");
    if (r->job && !(r->flags & ROUTE_JOB))
        write_parameter(j, "header", ATG_STR("Prefer"), false,
                        "respond-async: answer 202 and do it as a job");
    if (r->flags & ROUTE_MATCH)
        write_parameter(j, "header", ATG_STR("If-Match"), true, "The ETag of what was read");
    if (r->flags & ROUTE_RANGES)
        write_parameter(j, "header", ATG_STR("Range"), false, "bytes=FIRST-LAST, to go on");
    if (r->begin)
        write_parameter(j, "header", ATG_STR("Upload-Offset"), true,
                        "The byte at which this goes on: as the upload said last");
    json_end(j, ']');
}

static void write_content(json *j, const char *gives) {
    bool schema = !strchr(gives, '/');

    json_key(j, "content");
    json_object_line(j);
    json_key(j, schema ? "application/json" : gives);
    json_object_line(j);
    if (schema)
        put_ref(j, "schema", gives);
    json_end(j, '}');
    json_end(j, '}');
}

static void write_answer(json *j, const char *status, const char *text, const char *gives) {
    json_key(j, status);
    json_object_line(j);
    put(j, "description", text);
    if (gives)
        write_content(j, gives);
    json_end(j, '}');
}

/* What is always a job is answered so and not otherwise. */
static void write_job(json *j, const route *r) {
    json_key(j, "202");
    json_object_line(j);
    put(j, "description", "A job was made, to which Location leads");
    if (r->gives)
        put(j, "x-result", r->gives);
    write_content(j, "Job");
    json_end(j, '}');
}

static void write_answers(json *j, const route *r) {
    char status[16];

    (void)snprintf(status, sizeof(status), "%u", r->status);
    json_key(j, "responses");
    json_begin_object(j);
    if (r->job)
        write_job(j, r);
    if (!(r->flags & ROUTE_JOB))
        write_answer(j, status, r->summary, r->gives);
    if (r->flags & ROUTE_RANGES)
        write_answer(j, "206", "The range of bytes that was asked for", r->gives);
    json_key(j, "default");
    json_object_line(j);
    put(j, "description", "What is wrong (RFC 9457)");
    json_key(j, "content");
    json_object_line(j);
    json_key(j, "application/problem+json");
    json_object_line(j);
    put_ref(j, "schema", "Problem");
    json_end(j, '}');
    json_end(j, '}');
    json_end(j, '}');
    json_end(j, '}');
}

/* In small letters; an underscore for what is no letter or digit. */
static char letter_of(char c) {
    char small = (char)tolower((unsigned char)c);

    if ((small >= 'a' && small <= 'z') || (small >= '0' && small <= '9'))
        return small;
    return '_';
}

/* Never two underscores. */
static size_t add_words(char ret[NAME_MAX_BYTES], size_t n, const char *text) {
    for (const char *p = text; *p && n + 1 < NAME_MAX_BYTES; p++) {
        char c = letter_of(*p);

        if (c != '_' || (n && ret[n - 1] != '_'))
            ret[n++] = c;
    }
    return n;
}

/* "get_operations_operation_files": the same as long as the path is. */
static void write_name(json *j, const route *r) {
    char name[NAME_MAX_BYTES] = "";
    size_t n = add_words(name, 0, r->method);

    n = add_words(name, n, "/");
    n = add_words(name, n, strncmp(r->path, "/api/v1/", 8) == 0 ? r->path + 8 : r->path);
    n -= n && name[n - 1] == '_';
    json_key(j, "operationId");
    json_str(j, (atg_str){name, n});
}

static void write_roles(json *j, uint32_t roles) {
    json_key(j, "x-roles");
    json_array_line(j);
    for (int r = 0; r < ROLES; r++)
        if (roles >> r & 1)
            json_text(j, role_names[r]);
    json_end(j, ']');
}

static void write_operation(json *j, const route *r) {
    char method[16];
    size_t n = 0;

    for (const char *p = r->method; *p && n + 1 < sizeof(method); p++)
        method[n++] = (char)tolower((unsigned char)*p);
    method[n] = '\0';
    json_key(j, method);
    json_begin_object(j);
    write_name(j, r);
    put(j, "summary", r->summary);
    json_key(j, "tags");
    json_array_line(j);
    json_text(j, r->tag);
    json_end(j, ']');
    if (r->flags & ROUTE_PUBLIC) {
        json_key(j, "security");
        json_array_line(j);
        json_end(j, ']');
    }
    if (r->roles)
        write_roles(j, r->roles);
    write_parameters(j, r);
    if (r->takes) {
        json_key(j, "requestBody");
        json_object_line(j);
        json_key(j, "required");
        json_bool(j, true);
        write_content(j, r->takes);
        json_end(j, '}');
    }
    write_answers(j, r);
    json_end(j, '}');
}

static bool is_first(uint32_t i) {
    for (uint32_t k = 0; k < i; k++)
        if (strcmp(route_at(k)->path, route_at(i)->path) == 0)
            return false;
    return true;
}

static void write_paths(json *j) {
    uint32_t n = route_count();

    json_key(j, "paths");
    json_begin_object(j);
    for (uint32_t i = 0; i < n; i++) {
        if (!is_first(i))
            continue;
        json_key(j, route_at(i)->path);
        json_begin_object(j);
        for (uint32_t k = i; k < n; k++)
            if (strcmp(route_at(k)->path, route_at(i)->path) == 0)
                write_operation(j, route_at(k));
        json_end(j, '}');
    }
    json_end(j, '}');
}

/* ---- schemas ---- */

static void write_type(json *j, const char *type) {
    put(j, "type", type);
}

static void write_range(json *j) {
    write_type(j, "array");
    json_key(j, "items");
    json_object_line(j);
    json_key(j, "type");
    json_array_line(j);
    json_text(j, "number");
    json_text(j, "null");
    json_end(j, ']');
    json_end(j, '}');
    json_key(j, "minItems");
    json_int(j, 2);
    json_key(j, "maxItems");
    json_int(j, 2);
}

static void write_choices(json *j, const char *const *words) {
    json_key(j, "enum");
    json_array_line(j);
    for (int i = 0; words[i]; i++)
        json_text(j, words[i]);
    json_end(j, ']');
}

static void write_field(json *j, const field_type *f) {
    json_key(j, f->name);
    json_object_line(j);
    put(j, "title", f->label);
    switch (f->kind) {
    case FIELD_TEXT:
        write_type(j, "string");
        json_key(j, "maxLength");
        json_int(j, f->max_size);
        break;
    case FIELD_CHOICE:
        write_choices(j, f->choices);
        break;
    case FIELD_NUMBER:
        write_type(j, "number");
        break;
    case FIELD_RANGE:
        write_range(j);
        break;
    case FIELD_BOOL:
        write_type(j, "boolean");
        break;
    case FIELD_DATE:
    case FIELD_INSTANT:
    case FIELD_REF:
    case FIELD_UUID:
    case FIELD_BLOB:
        write_type(j, "string");
        break;
    case FIELD_JSON:
        break;
    }
    json_end(j, '}');
}

static void write_frame(json *j, const record_type *type) {
    static const char *const texts[] = {"id",      "operation", "file", "code",
                                        "created", "changed",   NULL};

    json_key(j, "kind");
    json_object_line(j);
    put(j, "const", type->name);
    json_end(j, '}');
    for (int i = 0; texts[i]; i++) {
        json_key(j, texts[i]);
        json_object_line(j);
        write_type(j, "string");
        json_end(j, '}');
    }
    json_key(j, "rev");
    json_object_line(j);
    write_type(j, "integer");
    json_end(j, '}');
    json_key(j, "withdrawn");
    json_object_line(j);
    write_type(j, "boolean");
    json_end(j, '}');
    if (type->states[0]) {
        json_key(j, "state");
        json_object_line(j);
        write_choices(j, type->states);
        json_end(j, '}');
    }
}

static void write_record(json *j, record_kind kind) {
    const record_type *type = &record_types[kind];

    json_key(j, type->name);
    json_begin_object(j);
    put(j, "title", type->title);
    write_type(j, "object");
    json_key(j, "required");
    json_array_line(j);
    json_text(j, "kind");
    json_text(j, "fields");
    json_end(j, ']');
    json_key(j, "additionalProperties");
    json_bool(j, false);
    json_key(j, "properties");
    json_begin_object(j);
    write_frame(j, type);
    json_key(j, "fields");
    json_begin_object(j);
    write_type(j, "object");
    json_key(j, "additionalProperties");
    json_bool(j, false);
    json_key(j, "properties");
    json_begin_object(j);
    /* what nobody may read stands in no answer, and what nobody may write in no body */
    for (uint32_t f = 0; f < type->n_fields; f++)
        if (rights_field(ALL_ROLES, kind, f) != ACCESS_NONE)
            write_field(j, &type->fields[f]);
    json_end(j, '}');
    json_end(j, '}');
    json_end(j, '}');
    json_end(j, '}');
}

static void write_any_record(json *j) {
    json_key(j, "Record");
    json_begin_object(j);
    json_key(j, "anyOf");
    json_begin_array(j);
    for (int k = 0; k < RECORD_KINDS; k++) {
        char ref[NAME_MAX_BYTES];

        (void)snprintf(ref, sizeof(ref), "#/components/schemas/%s", record_types[k].name);
        json_object_line(j);
        put(j, "$ref", ref);
        json_end(j, '}');
    }
    json_end(j, ']');
    json_end(j, '}');
}

static void write_schemas(json *j) {
    atg_str made = atg_str_trim(atg_str_of(openapi_schemas));

    json_key(j, "schemas");
    json_begin_object(j);
    for (int k = 0; k < RECORD_KINDS; k++)
        write_record(j, (record_kind)k);
    write_any_record(j);
    /* the members of the embedded object, without its braces */
    json_raw(j, (atg_str){made.p + 1, made.n - 2});
    json_end(j, '}');
}

int service_openapi(atg_buf *buf, atg_err *err) {
    json j = json_new(buf);
    atg_str text;

    json_begin_object(&j);
    put(&j, "openapi", "3.1.0");
    json_key(&j, "info");
    json_object_line(&j);
    put(&j, "title", "Antigone");
    put(&j, "version", ATG_VERSION);
    json_end(&j, '}');
    json_key(&j, "security");
    json_array_line(&j);
    json_object_line(&j);
    json_key(&j, "token");
    json_array_line(&j);
    json_end(&j, ']');
    json_end(&j, '}');
    json_end(&j, ']');
    write_paths(&j);
    json_key(&j, "components");
    json_begin_object(&j);
    json_key(&j, "securitySchemes");
    json_object_line(&j);
    json_key(&j, "token");
    json_object_line(&j);
    put(&j, "type", "http");
    put(&j, "scheme", "bearer");
    json_end(&j, '}');
    json_end(&j, '}');
    write_schemas(&j);
    json_end(&j, '}');
    json_end(&j, '}');
    return atg_buf_take(buf, &text, err);
}
