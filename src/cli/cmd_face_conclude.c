/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"

#include "app/faces.h"
#include "base/file.h"
#include "cli/store.h"

enum { CHECKLIST_MAX = 20000 };

/* One line, as the record keeps it. */
static int read_checklist(const store_session *s, const char *path, value *ret, atg_err *err) {
    atg_str text;
    int rc = file_read(s->arena, path, CHECKLIST_MAX, &text, err);

    return rc ? rc
              : value_read(s->arena, record_field(RECORD_FACE_COMPARISON, FACE_COMPARISON_FEATURES),
                           text, ret, err);
}

static int fill(const args *a, store_session *s, record *r, atg_err *err) {
    const field_type *support = record_field(RECORD_FACE_COMPARISON, FACE_COMPARISON_SUPPORT);
    value *f = r->fields;
    seen candidate;
    int rc;

    if (!uuid_read(atg_str_of(a->operands[0]), &f[FACE_COMPARISON_CANDIDATE].ref))
        return atg_fail(err, ATG_EINVAL,
                        "'%s' is no identifier of a candidate ('antigone face "
                        "leads' lists them)",
                        a->operands[0]);
    f[FACE_COMPARISON_CANDIDATE].known = true;
    rc =
        value_read(s->arena, support, atg_str_of(a->operands[1]), &f[FACE_COMPARISON_SUPPORT], err);
    if (!rc)
        rc = read_checklist(s, a->operands[2], &f[FACE_COMPARISON_FEATURES], err);
    if (!rc)
        rc = s->at->get(s, RECORD_FACE_CANDIDATE, &f[FACE_COMPARISON_CANDIDATE].ref, &candidate,
                        err);
    if (rc)
        return rc;
    r->file = candidate.r->file;
    r->operation = candidate.r->operation;
    if (s->who.reason.n)
        f[FACE_COMPARISON_REASON] = (value){.known = true, .text = s->who.reason};
    return ATG_OK;
}

static int run(const args *a) {
    STORE_SESSION s = {0};
    change ch = {CHANGE_ADD, NULL};
    atg_err err = {0};
    int code = cli_store_open(a, &s);

    if (code)
        return code;
    ch.r = record_new(s.arena, RECORD_FACE_COMPARISON);
    if (!ch.r || fill(a, &s, ch.r, &err) || s.at->change(&s, &ch, &err))
        return cli_fail(NULL, &err);
    cli_store_say(a, "Your conclusion is kept. It is a lead, and takes nobody out of any other "
                     "comparison.\n");
    return EXIT_DONE;
}

static const option_id options[] = {STORE_OPTIONS};

const command command_face_conclude = {
    .name = "face conclude",
    .summary = "Conclude on a candidate: exclusion, no_support, limited_support or support.",
    .operands = "CANDIDATE CONCLUSION CHECKLIST",
    .min_operands = 3,
    .max_operands = 3,
    .details = "CHECKLIST is a file of JSON in which each feature is \"similar\", \"different\" or "
               "\"not_visible\", or {\"finding\": ..., \"note\": ...}; 'antigone face checklist "
               "--json' writes an empty one. Two examiners conclude blind to score, rank and each "
               "other.",
    .options = options,
    .run = run,
};
