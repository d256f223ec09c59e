/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"

#include "app/cases_json.h"
#include "app/faces.h"
#include "cli/show.h"
#include "cli/store.h"

enum { TEXT_MAX = 1 << 26 };

static const char *support_of(const seen *s) {
    const value *v = &s->r->fields[FACE_COMPARISON_SUPPORT];

    if (!v->known)
        return "concluded";
    return record_field(RECORD_FACE_COMPARISON, FACE_COMPARISON_SUPPORT)->choices[v->choice];
}

static atg_str said(const store_session *s, const face_lead *l) {
    atg_str all = ATG_STR("");

    for (uint32_t i = 0; i < l->n_said; i++)
        all = atg_arena_printf(s->arena, "%.*s%s%s", ATG_FMT(all), all.n ? ", " : "",
                               support_of(&l->said[i]));
    if (l->disagree)
        all = atg_arena_printf(s->arena, "%.*s (they disagree)", ATG_FMT(all));
    return all.n ? all : ATG_STR("-");
}

/* The sentences of the warnings that occur. */
static void explain(const face_lead *leads, uint32_t n, atg_buf *buf) {
    for (uint32_t k = 0; k < faces_warnings_n; k++) {
        atg_str name = atg_str_of(faces_warnings[k].name);
        bool there = false;

        for (uint32_t i = 0; i < n && !there; i++) {
            atg_str all = leads[i].record.r->fields[FACE_CANDIDATE_WARNINGS].text, one;

            while (!there && all.n) {
                one = atg_str_trim(atg_str_cut(&all, ','));
                there = atg_str_eq(one, name);
            }
        }
        if (there)
            atg_buf_printf(buf, "%s: %s\n", faces_warnings[k].name,
                           faces_warning_sentence(&faces_warnings[k]));
    }
}

static int print_text(const store_session *s, const face_lead *leads, uint32_t n, atg_buf *buf,
                      atg_err *err) {
    static const char *const names[] = {"Candidate", "Missing",   "Rank",
                                        "Score",     "Concluded", "Heed"};
    grid g = grid_new(s->arena, "llrrll");

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        grid_text(&g, names[i]);
    for (uint32_t i = 0; i < n; i++) {
        const value *f = leads[i].record.r->fields;
        char id[UUID_TEXT + 1];

        uuid_text(&leads[i].record.r->id, id);
        grid_printf(&g, "%s", id);
        grid_cell(&g, leads[i].missing.code);
        if (f[FACE_CANDIDATE_RANK].known)
            grid_printf(&g, "%.0f", f[FACE_CANDIDATE_RANK].number);
        else
            grid_text(&g, "-");
        if (f[FACE_CANDIDATE_SCORE].known)
            grid_printf(&g, "%.3f", f[FACE_CANDIDATE_SCORE].number);
        else
            grid_text(&g, "-");
        grid_cell(&g, said(s, &leads[i]));
        grid_cell(&g, f[FACE_CANDIDATE_WARNINGS].text);
    }
    if (n) {
        int rc = grid_print(&g, buf, err);

        explain(leads, n, buf);
        return rc;
    }
    atg_buf_adds(buf, "No candidates: 'antigone face search' looks for them.\n");
    return ATG_OK;
}

static int run(const args *a) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(TEXT_MAX);
    STORE_SESSION s = {0};
    file_row file;
    face_lead *leads;
    uint32_t n;
    atg_err err = {0};
    int code = cli_store_open(a, &s);

    if (code)
        return code;
    if (s.at->find(&s, atg_str_of(a->operands[0]), &file, &err) ||
        s.at->face_leads(&s, &file, &leads, &n, &err))
        return cli_fail(NULL, &err);
    if (buf && cli_has(a, OPT_JSON)) {
        json j = json_new(buf);

        cases_write_face_leads(&j, leads, n);
    } else if (buf && print_text(&s, leads, n, buf, &err)) {
        return cli_fail(NULL, &err);
    }
    return cli_write(a, buf);
}

static const option_id options[] = {OPT_JSON, OPT_OUTPUT, STORE_OPTIONS};

const command command_face_leads = {
    .name = "face leads",
    .summary = "List the candidates of a remains file, with what examiners concluded.",
    .operands = "REMAINS",
    .min_operands = 1,
    .max_operands = 1,
    .details = "An examiner sees score, rank and their order, and what others concluded, after "
               "concluding on all candidates of the photograph. Look at both pictures with "
               "'antigone picture', by the checklist of 'antigone face checklist'.",
    .options = options,
    .run = run,
};
