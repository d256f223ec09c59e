#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""records.py RECORDS.json CORE.sql WHAT [MIGRATION...]: on standard output, what is made of the one
description.

WHAT is one of: types.h types.c sqlite.sql postgres.sql store.c schema.json records.ts access.csv

MIGRATION, for store.c: the frozen texts NNNN_NAME.sqlite.sql and NNNN_NAME.postgres.sql, which
together make the tables of today (schema/migrations/README.md).  Without any, the one migration is
these tables.
"""
import hashlib
import json
import os
import re
import sys

SQL = {"text": "TEXT", "choice": "TEXT", "date": "TEXT", "json": "TEXT", "instant": "INT",
       "bool": "INT", "number": "REAL", "ref": "BYTES", "uuid": "BYTES", "blob": "BYTES"}
VALUES_MAX = 128  # DB_VALUES_MAX of src/store/db.h
PERSON = {"none": "PERSON_NONE", "self": "PERSON_SELF", "file": "PERSON_FILE",
          "donor_or_file": "PERSON_DONOR"}
PERMISSION = {"": "ACCESS_NONE", "r": "ACCESS_READ", "?": "ACCESS_REASON", "rw": "ACCESS_WRITE"}
COMMON = ("id operation file person code rev state created changed withdrawn sealed").split()
COMMON_SQL = {"id": "BYTES PRIMARY KEY", "operation": "BYTES NOT NULL", "file": "BYTES NOT NULL",
              "person": "BYTES", "code": "TEXT", "rev": "INT NOT NULL", "state": "TEXT",
              "created": "INT NOT NULL", "changed": "INT NOT NULL", "withdrawn": "INT NOT NULL",
              "sealed": "BYTES"}


def fail(message):
    sys.exit("records.json: " + message)


class Description:
    """The description, checked, with what is implied filled in."""

    def __init__(self, text):
        self.raw = json.loads(text)
        self.roles = self.raw["roles"]
        self.classes = list(self.raw["classes"])
        self.records = self.raw["records"]
        names = [r["name"] for r in self.records]
        for r in self.records:
            if r.get("described"):
                r["fields"] = r["fields"] + [dict(f) for f in self.raw["common"]]
            r.setdefault("in", [])
            r["states"] = self.raw["choices"][r["states"]] if "states" in r else []
            for f in r["fields"]:
                self.check(r, f, names)
            known = {f["name"] for f in r["fields"]}
            for f in r.get("required", []):
                if f not in known:
                    fail(f"{r['name']} requires {f}, which it does not have")
            r["rights"] = self.rights(r)

    def check(self, record, field, names):
        where = f"{record['name']}.{field['name']}"
        if field["type"] not in SQL and field["type"] != "range":
            fail(f"{where} has an unknown type {field['type']}")
        if field["class"] not in self.classes:
            fail(f"{where} has an unknown class {field['class']}")
        if field["name"] in COMMON:
            fail(f"{where} has the name of a common column")
        if field["type"] == "choice":
            field["choices"] = field.get("choices") or self.raw["choices"][field["of"]]
        if field["type"] == "ref" and field["to"] not in names:
            fail(f"{where} refers to an unknown record {field['to']}")
        if field.get("sealed") and field["type"] in ("ref", "blob"):
            fail(f"{where} is a reference and cannot be sealed")
        if field.get("sealed") and record["person"] == "none":
            fail(f"{where} is sealed, but the record belongs to no person")

    def rights(self, record):
        table = {}
        for role in self.roles:
            text = record["access"].get(role, record["access"].get("*", ""))
            table[role] = dict.fromkeys(self.classes, "")
            for word in text.split():
                name, _, permission = word.partition(":")
                if name not in self.classes or permission not in PERMISSION:
                    fail(f"{record['name']}: cannot read the right '{word}' of {role}")
                table[role][name] = permission
        return table


def columns(record):
    """Name and type of the columns of the clear fields."""
    for f in record["fields"]:
        if f.get("sealed"):
            continue
        if f["type"] == "range":
            yield f["name"] + "_from", "REAL"
            yield f["name"] + "_to", "REAL"
        else:
            yield f["name"], SQL[f["type"]]


def table_name(record):
    return "r_" + record["name"]


def ddl(d, core, dialect):
    out = [re.sub(r"^--.*\n", "", core, flags=re.M)]
    for r in d.records:
        rows = [f"{c} {COMMON_SQL[c]}" for c in COMMON]
        rows += [f'"{name}" {kind}' for name, kind in columns(r)]
        # room for a changed row beside the old one: then PostgreSQL leaves the indexes as they are
        room = " WITH (fillfactor = 85)" if dialect == "postgres" else ""
        out.append(f"CREATE TABLE {table_name(r)} (\n    " + ",\n    ".join(rows) +
                   f"\n){room};")
        out.append(f"CREATE INDEX {table_name(r)}_file ON {table_name(r)} (file, id);")
        out.append(f"CREATE INDEX {table_name(r)}_operation ON {table_name(r)} (operation, id);")
        if r["person"] != "none":
            out.append(f"CREATE INDEX {table_name(r)}_person ON {table_name(r)} (person, id);")
        for f in r["fields"]:
            if f["type"] == "ref":
                name = f["name"]
                out.append(f'CREATE INDEX {table_name(r)}_{name} ON {table_name(r)} ("{name}");')
    text = "\n".join(out)
    lite = dialect == "sqlite"
    words = {"BYTES": "BLOB" if lite else "BYTEA", "INT": "INTEGER" if lite else "BIGINT",
             "REAL": "REAL" if lite else "DOUBLE PRECISION",
             "TEXT": "TEXT" if lite else 'TEXT COLLATE "C"',
             "COMPACT": "WITHOUT ROWID" if lite else ""}
    text = re.sub(r"\b(" + "|".join(words) + r")\b", lambda m: words[m.group(1)], text)
    return re.sub(r"\n\s*\n+", "\n", text).strip() + "\n"


def quote(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def upper(*words):
    return "_".join(words).upper()


def types_h(d):
    out = ["/* Made by tools/records.py from schema/records.json. */",
           "#ifndef ATG_MODEL_RECORD_TYPES_H", "#define ATG_MODEL_RECORD_TYPES_H", ""]

    def enum(name, items, last):
        out.append("typedef enum " + name + " {")
        out.extend(f"    {item}," for item in items)
        out.append(f"    {last},\n}} {name};\n")

    enum("record_kind", [upper("record", r["name"]) for r in d.records], "RECORD_KINDS")
    enum("role", [upper("role", r) for r in d.roles], "ROLES")
    enum("field_class", [upper("class", c) for c in d.classes], "CLASSES")
    for name, items in d.raw["choices"].items():
        enum("choice_" + name, [upper(name, i) for i in items], upper(name, "count"))
    for r in d.records:
        enum(r["name"] + "_field", [upper(r["name"], f["name"]) for f in r["fields"]],
             upper(r["name"], "fields"))
    longest = max(len(r["fields"]) for r in d.records)
    out.append(f"enum {{ RECORD_FIELDS_MAX = {longest} }};\n\n#endif")
    return "\n".join(out) + "\n"


def field_c(f, record):
    parts = [f".name = {quote(f['name'])}", f".label = {quote(f['label'])}",
             f".kind = FIELD_{f['type'].upper()}", f".class = {upper('class', f['class'])}"]
    parts += [f".{flag} = true" for flag in ("sealed", "never", "sort") if f.get(flag)]
    if f["name"] in record.get("required", []):
        parts.append(".required = true")
    if "search" in f:
        parts.append(f".search = SEARCH_{f['search'].upper()}")
    if "max" in f and f["type"] in ("text", "json"):
        parts.append(f".max_size = {f['max']}")
    if f["type"] in ("number", "range"):
        parts.append(f".least = {f.get('min', '-HUGE_VAL')}")
        parts.append(f".most = {f.get('max', 'HUGE_VAL')}")
    if f["type"] == "choice":
        parts.append("(const char *const[]){" +
                     ", ".join(quote(c) for c in f["choices"]) + ", NULL}")
        parts[-1] = ".choices = " + parts[-1]
    if f["type"] == "ref":
        parts.append(f".to = {upper('record', f['to'])}")
    return "    {" + ", ".join(parts) + "},"


def types_c(d):
    out = ["/* Made by tools/records.py from schema/records.json. */",
           '#include "model/record.h"', "", "#include <math.h>", ""]
    out.append("const char *const role_names[ROLES] = {" +
               ", ".join(quote(r) for r in d.roles) + "};")
    out.append("const char *const class_names[CLASSES] = {" +
               ", ".join(quote(c) for c in d.classes) + "};")
    for r in d.records:
        out.append(f"\nstatic const field_type {r['name']}_fields[] = {{")
        out.extend(field_c(f, r) for f in r["fields"])
        out.append("};")
    out.append("\nconst record_type record_types[RECORD_KINDS] = {")
    for r in d.records:
        out.append(f"    [{upper('record', r['name'])}] = {{")
        out.append(f"        .name = {quote(r['name'])}, .title = {quote(r['title'])},")
        out.append(f"        .code = {quote(r['code']) if 'code' in r else 'NULL'},")
        out.append(f"        .is_file = {'true' if r.get('file') else 'false'}, "
                   f".described = {'true' if r.get('described') else 'false'}, "
                   f".stays = {'true' if r.get('stays') else 'false'},")
        out.append(f"        .person = {PERSON[r['person']]},")
        inside = " | ".join(f"1u << {upper('record', i)}" for i in r["in"]) or "0"
        out.append(f"        .in = {inside},")
        states = ", ".join(quote(s) for s in r["states"])
        out.append("        .states = (const char *const[]){" + (states + ", " if states else "") +
                   "NULL},")
        out.append(f"        .n_fields = sizeof({r['name']}_fields) / sizeof(field_type), "
                   f".fields = {r['name']}_fields,")
        out.append("        .access = {")
        for role, rights in r["rights"].items():
            cells = ", ".join(f"[{upper('class', c)}] = {PERMISSION[p]}"
                              for c, p in rights.items() if p)
            out.append(f"            [{upper('role', role)}] = {{{cells or '0'}}},")
        out.append("        },\n    },")
    out.append("};")
    return "\n".join(out) + "\n"


def migration_names(paths):
    """The names of the frozen migrations, in order: 1, 2, ..., each for both databases."""
    found = {}
    for path in paths:
        m = re.fullmatch(r"(\d{4})_([a-z0-9_]+)\.(sqlite|postgres)\.sql", os.path.basename(path))
        if not m:
            fail(f"{path} is not named as a migration")
        found.setdefault((int(m.group(1)), m.group(2)), {})[m.group(3)] = path
    for i, (number, name) in enumerate(sorted(found)):
        if number != i + 1 or len(found[number, name]) != 2:
            fail(f"migration {name} is not number {i + 1}, or is not there for both databases")
    return [(name, found[number, name]) for number, name in sorted(found)]


def check_sums(paths):
    """A frozen text is never changed: it is the one whose SHA-256 stands beside it."""
    known = {}
    for folder in {os.path.dirname(path) for path in paths}:
        try:
            with open(os.path.join(folder, "SHA256SUMS"), encoding="ascii") as f:
                known.update({os.path.join(folder, name): digest
                              for digest, name in (line.split() for line in f)})
        except FileNotFoundError:
            pass
    for path in paths:
        with open(path, "rb") as f:
            digest = hashlib.sha256(f.read()).hexdigest()
        if path not in known:
            sys.exit(f"{path} is not in SHA256SUMS beside it: add it when it is released")
        if known[path] != digest:
            sys.exit(f"{path} was released and then changed: put it back, and write another migration")
    for path in sorted(known.keys() - set(paths)):
        sys.exit(f"{path} was released, and is not named in schema/meson.build any more")


def text_c(name, text):
    """A C text of that name, a line each."""
    lines = "\n".join("    " + quote(line + "\n") for line in text.splitlines())
    return f"{name}[] =\n{lines};\n"


def migrations_c(paths):
    """The table of migrations, and before it the texts of those that are frozen."""
    out, rows = [], []
    check_sums(paths)
    for i, (name, of) in enumerate(migration_names(paths)):
        for dialect in ("sqlite", "postgres"):
            with open(of[dialect], encoding="utf-8") as f:
                out.append(text_c(f"static const char migration_{i + 1}_{dialect}", f.read()))
        rows.append(f"    {{{i + 1}, {quote(name.replace('_', ' '))}, "
                    f"migration_{i + 1}_sqlite, migration_{i + 1}_postgres}},")
    if not rows:
        rows = ['    {1, "records", record_ddl_sqlite, record_ddl_postgres},']
    out.append("const migration record_migrations[] = {\n" + "\n".join(rows) + "\n};\n"
               "const uint32_t record_migrations_n =\n"
               "    sizeof(record_migrations) / sizeof(*record_migrations);")
    return out


def store_c(d, core, migrations):
    out = ["/* Made by tools/records.py from schema/records.json and schema/core.sql. */",
           '#include "store/records.h"', "",
           '#pragma GCC diagnostic ignored "-Woverlength-strings"', ""]
    for dialect in ("sqlite", "postgres"):
        out.append(text_c(f"const char record_ddl_{dialect}", ddl(d, core, dialect)))
    out.append("const record_sql record_statements[RECORD_KINDS] = {")
    for r in d.records:
        table = table_name(r)
        names = COMMON + [f'"{name}"' for name, _ in columns(r)]
        if len(names) + 1 > VALUES_MAX:
            fail(f"{r['name']} has more columns than a statement has values")
        marks = ", ".join(f"${i + 1}" for i in range(len(names)))
        sets = ", ".join(f"{n} = ${i + 1}" for i, n in enumerate(names)
                         if n not in ("id", "operation", "file", "created"))
        listed = ", ".join(names)
        read_columns = ", ".join("r." + n for n in names) + ", k.operation, k.wrapped"
        read = (f"SELECT {read_columns} FROM {table} r LEFT JOIN person_key k "
                f"ON k.person = r.person")
        page = "AND r.id > $2 ORDER BY r.id LIMIT $3"
        sql = {
            "insert": f"INSERT INTO {table} ({listed}) VALUES ({marks})",
            "update": f"UPDATE {table} SET {sets} WHERE id = $1 AND operation = $2 AND file = $3 "
                      f"AND created = $8 AND rev = ${len(names) + 1}",
            "get": f"{read} WHERE r.id = $1",
            "of_file": f"{read} WHERE r.file = $1 {page}",
            "of_person": f"{read} WHERE r.person = $1 {page}",
            "of_operation": f"{read} WHERE r.operation = $1 {page}",
            # own records of files, by their numbers
            "of_numbers": f"SELECT {read_columns} FROM unnest($1) CROSS JOIN file f "
                          f"CROSS JOIN {table} r LEFT JOIN person_key k ON k.person = r.person "
                          f"WHERE f.n = unnest AND r.id = f.id",
            "revs": f"SELECT id, file, rev FROM {table} ORDER BY id",
        }
        out.append(f"    [{upper('record', r['name'])}] = {{")
        for key, text in sql.items():
            out.append(f"        .{key} = {{{quote(key + ' ' + r['name'])},\n"
                       f"            {quote(text)}}},")
        out.append("    },")
    out.append("};\n")
    out += migrations_c(migrations)
    return "\n".join(out) + "\n"


def json_type(f):
    kinds = {"text": {"type": "string"}, "date": {"$ref": "#/$defs/date"},
             "instant": {"type": "string", "format": "date-time"}, "bool": {"type": "boolean"},
             "number": {"type": "number"}, "ref": {"$ref": "#/$defs/uuid"},
             "uuid": {"$ref": "#/$defs/uuid"}, "blob": {"$ref": "#/$defs/hash"},
             "range": {"$ref": "#/$defs/range"}, "json": {}}
    if f["type"] == "choice":
        out = {"enum": f["choices"]}
    else:
        out = dict(kinds[f["type"]])
    if f["type"] == "text":
        out["maxLength"] = f["max"]
    if f["type"] == "number":
        out.update({k: f[n] for k, n in (("minimum", "min"), ("maximum", "max")) if n in f})
    out["title"] = f["label"]
    return out


def schema_json(d):
    defs = {
        "uuid": {"type": "string", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"},
        "hash": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        "date": {"type": "string",
                 "pattern": "^(about )?[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?"
                            "(/[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?)?$"},
        "range": {"type": "array", "prefixItems": [{"type": ["number", "null"]}] * 2,
                  "minItems": 2, "maxItems": 2, "items": False},
    }
    for r in d.records:
        properties = {"kind": {"const": r["name"]}, "id": {"$ref": "#/$defs/uuid"},
                      "operation": {"$ref": "#/$defs/uuid"}, "file": {"$ref": "#/$defs/uuid"},
                      "code": {"type": "string"}, "rev": {"type": "integer", "minimum": 1},
                      "created": {"type": "string", "format": "date-time"},
                      "changed": {"type": "string", "format": "date-time"},
                      "withdrawn": {"type": "boolean"}}
        if r["states"]:
            properties["state"] = {"enum": r["states"]}
        properties["fields"] = {"type": "object", "additionalProperties": False,
                                "properties": {f["name"]: json_type(f) for f in r["fields"]}}
        defs[r["name"]] = {"title": r["title"], "type": "object", "properties": properties,
                           "required": ["kind", "fields"], "additionalProperties": False}
    out = {"$schema": "https://json-schema.org/draft/2020-12/schema",
           "$id": "urn:antigone-records:1", "title": "antigone-records/1",
           "oneOf": [{"$ref": "#/$defs/" + r["name"]} for r in d.records], "$defs": defs}
    return json.dumps(out, ensure_ascii=False, indent=1) + "\n"


def records_ts(d):
    kinds = {"text": "string", "date": "string", "instant": "string", "bool": "boolean",
             "number": "number", "ref": "string", "uuid": "string", "blob": "string",
             "range": "[number | null, number | null]", "json": "unknown"}
    out = ["// Made by tools/records.py from schema/records.json."]
    for r in d.records:
        title = "".join(w.capitalize() for w in r["name"].split("_"))
        out.append(f"export interface {title} {{")
        out.append(f"  kind: {quote(r['name'])};\n  id: string;\n  operation: string;\n"
                   "  file: string;\n  code?: string;\n  rev: number;\n  created: string;\n"
                   "  changed: string;\n  withdrawn: boolean;")
        if r["states"]:
            out.append("  state: " + " | ".join(quote(s) for s in r["states"]) + ";")
        out.append("  fields: {")
        for f in r["fields"]:
            kind = " | ".join(quote(c) for c in f["choices"]) if f["type"] == "choice" \
                else kinds[f["type"]]
            out.append(f"    /** {f['label']} */\n    {f['name']}?: {kind};")
        out.append("  };\n}")
    names = ["".join(w.capitalize() for w in r["name"].split("_")) for r in d.records]
    out.append("export type Entry = " + " | ".join(names) + ";")
    return "\n".join(out) + "\n"


def access_csv(d):
    out = ["role,record,field,class,read,write,exported"]
    read = {"": "no", "r": "yes", "rw": "yes", "?": "with a reason"}
    for role in d.roles:
        for r in d.records:
            for f in r["fields"]:
                right = r["rights"][role][f["class"]]
                out.append(",".join([role, r["name"], f["name"], f["class"], read[right],
                                     "yes" if right == "rw" else "no",
                                     "never" if f.get("never") else "yes"]))
    return "\n".join(out) + "\n"


def main():
    description, core, what, *migrations = sys.argv[1:]
    with open(description, encoding="utf-8") as f:
        d = Description(f.read())
    with open(core, encoding="utf-8") as f:
        core = f.read()
    make = {"types.h": lambda: types_h(d), "types.c": lambda: types_c(d),
            "sqlite.sql": lambda: ddl(d, core, "sqlite"),
            "postgres.sql": lambda: ddl(d, core, "postgres"),
            "store.c": lambda: store_c(d, core, migrations),
            "schema.json": lambda: schema_json(d), "records.ts": lambda: records_ts(d),
            "access.csv": lambda: access_csv(d)}
    sys.stdout.write(make[what]())


main()
