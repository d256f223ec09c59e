/* SPDX-License-Identifier: Apache-2.0 */
/* The history of a file as a story: who, what, when, why, from what to what. */
#include "cli/commands.h"

#include <jansson.h>
#include <string.h>

#include "app/cases_json.h"
#include "base/instant.h"
#include "base/json_read.h"
#include "base/mem.h"
#include "cli/show_record.h"
#include "cli/store.h"

enum { TEXT_MAX = 1 << 28, VALUE_MAX = 300 };

static const struct {
    const char *action, *words;
} deeds[] = {{"add", "added"},
             {"edit", "changed"},
             {"state", "moved"},
             {"withdraw", "withdrew"},
             {"read", "looked at"},
             {"erase", "erased the person of"},
             {"history", "read the history of"},
             {"merge", "merged"},
             {"unmerge", "took apart"},
             {"export", "exported"}};

static const char *deed(atg_str action) {
    for (size_t i = 0; i < sizeof(deeds) / sizeof(*deeds); i++)
        if (atg_str_eq(action, atg_str_of(deeds[i].action)))
            return deeds[i].words;
    return NULL;
}

/* A value as people write it: text without quotes, everything else as JSON. */
static void write_value(atg_buf *buf, const json_t *v) {
    char *text;

    if (json_is_null(v) || !v) {
        atg_buf_adds(buf, "(unknown)");
        return;
    }
    if (json_is_string(v)) {
        atg_buf_printf(buf, "%.*s%s", VALUE_MAX, json_string_value(v),
                       json_string_length(v) > VALUE_MAX ? "..." : "");
        return;
    }
    text = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(12));
    if (text)
        atg_buf_printf(buf, "%.*s%s", VALUE_MAX, text, strlen(text) > VALUE_MAX ? "..." : "");
    mem_free(text);
}

static const char *label_of(int kind, const char *field) {
    int f = kind < 0 ? -1 : record_field_of((record_kind)kind, atg_str_of(field));

    return f < 0 ? field : record_field((record_kind)kind, (uint32_t)f)->label;
}

static void write_fields(atg_buf *buf, int kind, const json_t *fields) {
    const char *name;
    json_t *v;

    json_object_foreach(json_iterable(fields), name, v) {
        const json_t *was = json_array_get(v, 0), *is = json_array_get(v, 1);

        atg_buf_printf(buf, "    %s: ", label_of(kind, name));
        if (json_is_string(v)) {
            atg_buf_printf(buf, "(%s)", json_string_value(v));
        } else {
            if (was && !json_is_null(was)) {
                write_value(buf, was);
                atg_buf_adds(buf, " -> ");
            }
            write_value(buf, is);
        }
        atg_buf_adds(buf, "\n");
    }
}

static void write_list(atg_buf *buf, const char *what, const json_t *list) {
    size_t i;
    json_t *v;

    if (!json_array_size(list))
        return;
    atg_buf_printf(buf, "    %s: ", what);
    json_array_foreach(list, i, v) atg_buf_printf(buf, "%s%s", i ? ", " : "", json_string_value(v));
    atg_buf_adds(buf, "\n");
}

static void write_detail(atg_buf *buf, int kind, const json_t *detail) {
    const json_t *state = json_object_get(detail, "state");
    const char *reason = json_string_value(json_object_get(detail, "reason")), *shown;
    json_t *v;

    if (json_is_array(state)) {
        atg_buf_adds(buf, "    State: ");
        if (!json_is_null(json_array_get(state, 0))) {
            write_value(buf, json_array_get(state, 0));
            atg_buf_adds(buf, " -> ");
        }
        write_value(buf, json_array_get(state, 1));
        atg_buf_adds(buf, "\n");
    }
    write_fields(buf, kind, json_object_get(detail, "fields"));
    json_object_foreach(json_object_get(detail, "shown"), shown, v) write_list(buf, shown, v);
    write_list(buf, "Also changed, not shown to this account", json_object_get(detail, "hidden"));
    if (reason)
        atg_buf_printf(buf, "    Why: %s\n", reason);
}

static void write_entry(const audit_entry *e, atg_str name, atg_buf *buf) {
    int kind = record_kind_of(e->e.kind);
    const char *words = deed(e->e.action);
    json_auto_t *detail = json_loadb(e->e.detail.p, e->e.detail.n, 0, NULL);
    char when[INSTANT_TEXT + 1];

    instant_text(e->e.at, when);
    atg_buf_printf(buf, "%llu  %.10s %.8s UTC  %.*s ", (unsigned long long)e->e.seq, when,
                   when + 11, ATG_FMT(name));
    if (words)
        atg_buf_adds(buf, words);
    else
        atg_buf_printf(buf, "did '%.*s' to", ATG_FMT(e->e.action));
    if (kind >= 0)
        atg_buf_printf(buf, " the %s", record_types[kind].title);
    else
        atg_buf_adds(buf, " the file");
    if (e->e.rev)
        atg_buf_printf(buf, " (revision %llu)", (unsigned long long)e->e.rev);
    atg_buf_adds(buf, "\n");
    write_detail(buf, kind, detail);
}

static int run(const args *a) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(TEXT_MAX);
    STORE_SESSION s = {0};
    file_row file;
    history_shown h;
    atg_err err = {0};
    int code = cli_store_open(a, &s);

    if (!code)
        code = cli_store_file(&s, a->operands[0], &file);
    if (code)
        return code;
    if (s.at->history(&s, &file, &h, &err))
        return cli_fail(NULL, &err);
    if (buf && cli_has(a, OPT_JSON)) {
        json j = json_new(buf);

        cases_write_history(&j, h.entries, h.n);
    }
    for (uint32_t i = 0; i < h.n && buf && !cli_has(a, OPT_JSON); i++)
        write_entry(&h.entries[i], h.names[i], buf);
    return cli_write(a, buf);
}

static const option_id options[] = {OPT_JSON, OPT_OUTPUT, STORE_OPTIONS};

const command command_history = {
    .name = "history",
    .summary = "Tell the history of a file: who did what, when, why, from what to what.",
    .operands = "CODE",
    .min_operands = 1,
    .max_operands = 1,
    .details = "What this account may not read is named and not shown. The history is a chain of "
               "hashes: 'antigone audit verify' shows that nothing was changed in it.",
    .options = options,
    .run = run,
};
