/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"

#include "app/faces.h"
#include "cli/progress.h"
#include "cli/store.h"

typedef struct probes {
    uuid ids[2];
    uint32_t n;
} probes;

static bool is_face(const record *r) {
    const value *v = &r->fields[PHOTOGRAPH_WHAT];

    return r->kind == RECORD_PHOTOGRAPH && !r->withdrawn && v->known &&
           atg_str_eq(atg_str_of(record_field(r->kind, PHOTOGRAPH_WHAT)->choices[v->choice]),
                      ATG_STR("face"));
}

/* The photograph that is named, or the one of a face in the remains file that is. */
static int find_probe(store_session *s, const char *name, uuid *ret, atg_err *err) {
    file_row file;
    uint32_t n, found = 0;
    seen *all;
    int rc = uuid_read(atg_str_of(name), ret) ? ATG_OK : ATG_ENOTFOUND;

    if (rc == ATG_OK)
        return rc;
    rc = s->at->find(s, atg_str_of(name), &file, err);
    if (rc == ATG_OK)
        rc = s->at->file(s, &file, &all, &n, err);
    for (uint32_t i = 0; rc == ATG_OK && i < n; i++)
        if (is_face(all[i].r)) {
            *ret = all[i].r->id;
            found++;
        }
    if (rc == ATG_OK && found != 1)
        rc = atg_fail(err, ATG_EINVAL,
                      "%s has %u photographs of a face: name one by its identifier "
                      "('antigone show %s')",
                      name, found, name);
    return rc;
}

static int run(const args *a) {
    STORE_SESSION s = {0};
    faces_asking asking = {.retouched = cli_has(a, OPT_RETOUCHED)};
    faces_found found = {.candidates = 0};
    uint64_t best = 0; /* as the list is */
    atg_err err = {0};
    int rc, code = cli_uint(a, OPT_BEST, FACE_BEST_MIN, FACE_BEST_MAX, &best);

    if (!code)
        code = cli_store_open(a, &s);
    if (code)
        return code;
    asking.wish.best = (uint32_t)best;
    rc = find_probe(&s, a->operands[0], &asking.wish.photograph, &err);
    if (!rc)
        rc = s.at->face_search(&s, &asking, progress_start(a), &found, &err);
    progress_clear();
    if (rc)
        return cli_fail(NULL, &err);
    cli_store_say(a,
                  "%u candidates among %u missing persons, kept in the file of the remains. They "
                  "are leads for people to compare, whatever their order: 'antigone face leads'.\n",
                  found.candidates, found.among);
    return found.candidates ? EXIT_DONE : EXIT_NO;
}

static const option_id options[] = {OPT_BEST, OPT_RETOUCHED, STORE_OPTIONS};

const command command_face_search = {
    .name = "face search",
    .summary = "From a photograph of the dead to missing persons who look alike, as a lead.",
    .operands = "PHOTOGRAPH|REMAINS",
    .min_operands = 1,
    .max_operands = 1,
    .details =
        "Searches with a registered photograph of the dead, whose recovery another account has "
        "entered, among the photographs of the same operation that an informant confirmed, and "
        "nothing else; a written --reason is needed, and stands in the history. Candidates wait "
        "for trained people to compare them ('antigone face leads', 'antigone face conclude'). A "
        "face never identifies and never excludes.\n\n"
        "Photographs are read by 'antigone match' where a model is installed ('antigone model').",
    .options = options,
    .run = run,
};
