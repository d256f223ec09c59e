/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"

#include <math.h>

#include "cli/input.h"
#include "cli/progress.h"
#include "cli/show.h"

enum { TEXT_MAX = 1 << 28 };
static const double floor_log10 = 4; /* pairs below are chance in a large operation */

static const atg_person *person_of(const atg_operation *op, const atg_profile *p) {
    return &op->families[p->index].ped.persons[p->person];
}

static atg_str name(atg_arena *arena, const atg_operation *op, const atg_profile *p) {
    switch (p->kind) {
    case ATG_PROFILE_SAMPLE:
        return op->samples[p->index].id;
    case ATG_PROFILE_STAFF:
        return op->staff[p->index].id;
    case ATG_PROFILE_OWN:
        return atg_arena_printf(arena, "%.*s of %.*s", ATG_FMT(person_of(op, p)->own[p->own].id),
                                ATG_FMT(person_of(op, p)->id));
    case ATG_PROFILE_RELATIVE:
        break;
    }
    return atg_arena_printf(arena, "%.*s of %.*s", ATG_FMT(person_of(op, p)->id),
                            ATG_FMT(op->families[p->index].id));
}

static const char *kind(const atg_profile *p) {
    static const char *const words[] = {"sample", "staff", "relative", "own"};

    return words[p->kind];
}

/* What a pair means, in a word for programs and in words for people. */
typedef struct meaning {
    const char *word, *text;
    bool wrong; /* somebody must act */
} meaning;

/* One of the two is a missing person's own sample, and neither is of staff. */
static meaning meaning_of_own(const atg_same_person *pair) {
    if (pair->x.kind == ATG_PROFILE_SAMPLE)
        return (meaning){"own", "Remains like a missing person's own sample: see identify.", false};
    if (pair->x.kind == ATG_PROFILE_RELATIVE)
        return (meaning){"relative", "A relative like an own sample: who used it?", true};
    if (pair->x.index == pair->y.index && pair->x.person == pair->y.person)
        return (meaning){"agrees", "Own samples of one missing person.", false};
    return (meaning){"duplicate", "Own samples of two missing persons, one reported twice?", true};
}

static meaning meaning_of(const atg_same_person *pair) {
    bool alike = pair->direct.log10_lr >= floor_log10;
    bool relatives = pair->x.kind == ATG_PROFILE_RELATIVE;

    if (pair->declared)
        return alike ? (meaning){"agrees", "One body, as declared.", false}
               : pair->direct.log10_lr == -INFINITY
                   ? (meaning){"contradicts", "Declared one body, but the profiles differ.", true}
                   : (meaning){"open", "Declared one body; the profiles cannot show it.", false};
    if (pair->x.kind == ATG_PROFILE_STAFF && pair->y.kind == ATG_PROFILE_STAFF)
        return (meaning){"duplicate", "The same member of staff twice.", true};
    if (pair->x.kind == ATG_PROFILE_STAFF || pair->y.kind == ATG_PROFILE_STAFF)
        return (meaning){"staff", "Contamination by staff is possible: type again.", true};
    if (pair->y.kind == ATG_PROFILE_OWN)
        return meaning_of_own(pair);
    if (relatives)
        return (meaning){"duplicate", "One donor twice, or identical twins.", true};
    if (pair->y.kind == ATG_PROFILE_RELATIVE)
        return (meaning){"relative",
                         "Remains like a relative's sample: look for an exchange or "
                         "a contamination.",
                         true};
    return alike ? (meaning){"same_person", "Parts of one body, one sample twice, or twins.", true}
                 : (meaning){"alike",
                             "Nearly the same: drop-out, a typing error, or close "
                             "relatives.",
                             true};
}

static int print_text(atg_arena *arena, const atg_operation *op, uint32_t n,
                      const atg_same_person *pairs, atg_buf *buf, atg_err *err) {
    static const char *const names[] = {"Profile", "Profile",  "Markers",
                                        "Differ",  "log10 LR", "Meaning"};
    grid g = grid_new(arena, "llrrrl");

    show_parameters(op, buf);
    atg_buf_printf(buf,
                   "Pairs of profiles of one person (log10 LR of at least %g), nearly equal "
                   "ones, and samples declared to be of one body: %u\n\n",
                   floor_log10, n);
    if (n == 0)
        return ATG_OK;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        grid_text(&g, names[i]);
    for (uint32_t i = 0; i < n; i++) {
        grid_cell(&g, name(arena, op, &pairs[i].x));
        grid_cell(&g, name(arena, op, &pairs[i].y));
        grid_printf(&g, "%u", pairs[i].direct.n_compared);
        grid_printf(&g, "%u", pairs[i].direct.n_different);
        grid_log10(&g, pairs[i].direct.log10_lr);
        grid_text(&g, meaning_of(&pairs[i]).text);
    }
    return grid_print(&g, buf, err);
}

static void json_profile(json *j, const char *key, const atg_operation *op, const atg_profile *p) {
    json_key(j, key);
    json_begin_object(j);
    json_key(j, "kind");
    json_text(j, kind(p));
    json_key(j, "id");
    if (p->kind == ATG_PROFILE_RELATIVE) {
        json_str(j, op->families[p->index].ped.persons[p->person].id);
        json_key(j, "family");
        json_str(j, op->families[p->index].id);
    } else if (p->kind == ATG_PROFILE_OWN) {
        json_str(j, person_of(op, p)->own[p->own].id);
        json_key(j, "of");
        json_str(j, person_of(op, p)->id);
        json_key(j, "family");
        json_str(j, op->families[p->index].id);
    } else {
        json_str(j,
                 p->kind == ATG_PROFILE_STAFF ? op->staff[p->index].id : op->samples[p->index].id);
    }
    json_end(j, '}');
}

static void print_json(const atg_operation *op, uint32_t n, const atg_same_person *pairs,
                       atg_buf *buf) {
    json j = json_new(buf);

    json_begin_object(&j);
    json_parameters(&j, op);
    json_key(&j, "pairs");
    json_begin_array(&j);
    for (uint32_t i = 0; i < n; i++) {
        const atg_direct *d = &pairs[i].direct;

        json_object_line(&j);
        json_profile(&j, "x", op, &pairs[i].x);
        json_profile(&j, "y", op, &pairs[i].y);
        json_key(&j, "declared_one_body");
        json_bool(&j, pairs[i].declared);
        json_key(&j, "markers_compared");
        json_int(&j, d->n_compared);
        json_key(&j, "markers_different");
        json_int(&j, d->n_different);
        json_key(&j, "log10_lr");
        json_num(&j, d->log10_lr);
        json_key(&j, "impossible");
        json_bool(&j, d->log10_lr == -INFINITY);
        json_key(&j, "meaning");
        json_text(&j, meaning_of(&pairs[i]).word);
        json_end(&j, '}');
    }
    json_end(&j, ']');
    json_end(&j, '}');
}

static int run(const args *a) {
    ATG_AUTO(atg_arena) arena = input_arena();
    ATG_AUTO(atg_buf) buf = atg_buf_new(TEXT_MAX);
    atg_same_persons same = {0};
    uint64_t threads = 0;
    bool wrong = false;
    input in;
    atg_err err = {0};
    int code = arena ? cli_uint(a, OPT_THREADS, 1, 256, &threads) : EXIT_MACHINE;

    if (!code)
        code = input_read(a, arena, a->n, a->operands, &in);
    if (code)
        return code;
    if (atg_find_same(arena, &in.op, floor_log10, (uint32_t)threads, progress_start(a), &same,
                      &err))
        return cli_fail(in.name, &err);
    progress_clear();
    for (uint32_t i = 0; i < same.n; i++)
        wrong = wrong || meaning_of(&same.pairs[i]).wrong;
    if (buf && cli_has(a, OPT_JSON))
        print_json(&in.op, same.n, same.pairs, buf);
    else if (buf && print_text(arena, &in.op, same.n, same.pairs, buf, &err))
        return cli_fail(NULL, &err);
    code = cli_write(a, buf);
    return code ? code : wrong ? EXIT_NO : EXIT_DONE;
}

static const option_id options[] = {
    OPT_JSON,     OPT_OUTPUT,        OPT_FREQUENCIES, OPT_POPULATION, OPT_THETA, OPT_MIN_FREQUENCY,
    OPT_MUTATION, OPT_MUTATION_MALE, OPT_THREADS,     OPT_QUIET,      OPT_HELP};

const command command_direct = {
    .name = "direct",
    .summary = "Compare all profiles with each other: parts of one body, duplicates, staff.",
    .operands = "FILE...",
    .min_operands = 1,
    .max_operands = -1,
    .details = "Samples, the staff's elimination profiles and relatives are compared directly. "
               "The exit code is 1 when there is a pair that somebody must look at: parts not "
               "yet declared to be of one body, samples of one body that differ, a donor "
               "registered twice, a possible contamination.",
    .options = options,
    .run = run,
};
