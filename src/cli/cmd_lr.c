/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"

#include <math.h>
#include <stdio.h>

#include "cli/input.h"
#include "cli/show.h"
#include "report/view.h"

enum { RELATIVES_SHOWN = 10, TEXT_MAX = 1 << 24 };

/* One comparison, computed. */
typedef struct comparison {
    const atg_operation *op;
    const atg_sample *sample;
    uint32_t missing;
    double *with, *without; /* per marker, with the mutation models and without */
    bool *counted;          /* per marker: its value is in the total */
    double total, used;     /* log10 LR, raw and after process error */
    uint32_t n_lines;
    const atg_line *const *lines;
    const atg_evidence *evidence;
} comparison;

static const atg_pedigree *pedigree(const comparison *c) {
    return &c->op->families[c->op->missing[c->missing].family].ped;
}

/* Possible only by a mutation. */
static bool needs_mutation(const comparison *c, uint32_t m) {
    return c->without[m] == -INFINITY && c->with[m] > -INFINITY;
}

/* Left out beside the marker that it is linked to: with theta only one of the two counts. */
static bool linked_left_out(const comparison *c, uint32_t m) {
    int first = c->op->markers[m].linked_to;

    return c->op->params.theta > 0 && first >= 0 && isnan(c->with[m]) && !isnan(c->with[first]) &&
           atg_geno_typed(c->sample->genos[m]);
}

/* As atg_combine_lr() adds up. */
static void count_markers(const comparison *c) {
    bool independent[ATG_MARKERS_MAX];

    atg_independent_markers(c->op, independent);
    for (uint32_t m = 0; m < c->op->n_markers; m++) {
        int first = c->op->markers[m].linked_to;

        c->counted[m] =
            (independent[m] || (first >= 0 && independent[first])) && !isnan(c->with[m]);
    }
}

static const char *remark(const comparison *c, uint32_t m) {
    if (linked_left_out(c, m))
        return "linked, left out with theta";
    if (isnan(c->with[m]))
        return "not compared";
    if (!c->counted[m])
        return "linked, not counted";
    if (needs_mutation(c, m))
        return "needs a mutation";
    return c->with[m] == -INFINITY ? "impossible" : "";
}

/* The sample of that id, or the body of that id with its samples merged. */
static int find_sample(const args *a, atg_arena *arena, const input *in, comparison *c) {
    const char *id = a->value[OPT_REMAINS];
    atg_operation *merged = ATG_GET(arena, atg_operation, 1);
    const atg_body *bodies = NULL;
    uint32_t n = 0;
    atg_err err = {0};

    if (!id)
        return cli_usage(a->command, "Name the remains with --remains");
    for (uint32_t i = 0; i < in->op.n_samples; i++)
        if (atg_str_eq(in->op.samples[i].id, atg_str_of(id))) {
            c->sample = &in->op.samples[i];
            return EXIT_DONE;
        }
    if (!merged || atg_merge_bodies(arena, &in->op, &n, &bodies, &err) ||
        atg_merged_operation(arena, &in->op, n, bodies, merged, &err))
        return cli_fail(in->name, &err);
    for (uint32_t i = 0; i < n; i++) {
        if (!atg_str_eq(bodies[i].merged.id, atg_str_of(id)))
            continue;
        if (bodies[i].refused.n)
            (void)atg_fail(&err, ATG_EINVAL, "The samples of %s are not compared: %.*s", id,
                           ATG_FMT(bodies[i].refused));
        c->sample = &bodies[i].merged;
        return err.code ? cli_fail(in->name, &err) : EXIT_DONE;
    }
    (void)atg_fail(&err, ATG_ENOTFOUND, "There is no sample and no body '%s' in this operation",
                   id);
    return cli_fail(in->name, &err);
}

static int explain_lines(atg_arena *arena, comparison *c, atg_err *err) {
    atg_evidence *found;
    int rc = ATG_OK;

    c->lines = atg_lines(&c->n_lines);
    found = ATG_GET(arena, atg_evidence, c->n_lines ? c->n_lines : 1);
    if (!found)
        return atg_fail(err, ATG_ENOMEM, "Out of memory comparing the lines of evidence");
    for (uint32_t i = 0; i < c->n_lines && !rc; i++) {
        void *compiled = NULL;

        rc = c->lines[i]->compile(arena, c->op, c->missing, &compiled, err);
        if (!rc)
            rc =
                c->lines[i]->explain(arena, c->op, compiled, c->missing, c->sample, &found[i], err);
    }
    c->evidence = found;
    return rc;
}

static int compute(atg_arena *arena, comparison *c, atg_err *err) {
    int rc;

    c->with = ATG_GET(arena, double, c->op->n_markers + 1);
    c->without = ATG_GET(arena, double, c->op->n_markers + 1);
    c->counted = ATG_GET(arena, bool, c->op->n_markers + 1);
    if (!c->with || !c->without || !c->counted)
        return atg_fail(err, ATG_ENOMEM, "Out of memory comparing a pair");
    rc = atg_pair_lr(c->op, c->sample, c->missing, true, c->with, err);
    if (!rc)
        rc = atg_pair_lr(c->op, c->sample, c->missing, false, c->without, err);
    if (rc)
        return rc;
    count_markers(c);
    c->total = atg_combine_lr(c->op, c->with);
    c->used = atg_process_error(c->total, c->op->params.process_error, c->op->n_missing);
    return explain_lines(arena, c, err);
}

static const char *finding(atg_finding f) {
    static const char *const words[] = {"nothing to compare", "supports", "inconclusive",
                                        "contradicts"};

    return words[f];
}

/* What the body is held against: an own sample, or a typed member of the family. */
typedef struct reference {
    atg_str id;
    const atg_geno *genos;
} reference;

static const atg_person *who_is_missing(const comparison *c) {
    return &pedigree(c)->persons[c->op->missing[c->missing].person];
}

/* Own samples, then members in the order of the family; at most `room`. */
static uint32_t references(const comparison *c, uint32_t room, reference *ret) {
    const atg_pedigree *ped = pedigree(c);
    const atg_person *who = who_is_missing(c);
    uint32_t n = 0;

    for (uint32_t i = 0; i < who->n_own && n < room; i++)
        ret[n++] = (reference){who->own[i].id, who->own[i].genos};
    for (uint32_t i = 0; i < ped->n && n < room; i++)
        if (ped->persons[i].genos)
            ret[n++] = (reference){ped->persons[i].id, ped->persons[i].genos};
    return n;
}

static int marker_table(atg_arena *arena, const comparison *c, atg_buf *buf, atg_err *err) {
    reference held[RELATIVES_SHOWN];
    uint32_t n = references(c, RELATIVES_SHOWN, held);
    char right[6 + RELATIVES_SHOWN + 1] = "llrrrl";
    double product = 0;

    for (uint32_t i = 0; i < n; i++)
        right[6 + i] = 'l';

    grid g = grid_new(arena, right);

    grid_text(&g, "Marker");
    grid_cell(&g, c->sample->id);
    grid_text(&g, "LR");
    grid_text(&g, "log10 LR");
    grid_text(&g, "product");
    grid_text(&g, "");
    for (uint32_t i = 0; i < n; i++)
        grid_cell(&g, held[i].id);
    for (uint32_t m = 0; m < c->op->n_markers; m++) {
        const atg_marker *marker = &c->op->markers[m];
        char factor[VIEW_NUMBER];

        view_factor(c->with[m], factor);
        product += c->counted[m] ? c->with[m] : 0;
        grid_cell(&g, marker->name);
        grid_cell(&g, show_genotype(arena, marker, c->sample->genos[m]));
        grid_printf(&g, "%s", factor);
        grid_log10(&g, c->with[m]);
        grid_log10(&g, product);
        grid_text(&g, remark(c, m));
        for (uint32_t i = 0; i < n; i++)
            grid_cell(&g, show_genotype(arena, marker, held[i].genos[m]));
    }
    return grid_print(&g, buf, err);
}

static void say_left_out(const comparison *c, atg_buf *buf) {
    for (uint32_t m = 0; m < c->op->n_markers; m++)
        if (linked_left_out(c, m))
            atg_buf_printf(buf,
                           "%.*s is linked to %.*s and left out: theta is about one locus, and no "
                           "accepted formula is about two.\n",
                           ATG_FMT(c->op->markers[m].name),
                           ATG_FMT(c->op->markers[c->op->markers[m].linked_to].name));
}

static int print_text(atg_arena *arena, const comparison *c, atg_buf *buf, atg_err *err) {
    const atg_missing *missing = &c->op->missing[c->missing];
    char factor[VIEW_NUMBER], used[VIEW_NUMBER];
    int rc;

    atg_buf_printf(buf, "%.*s compared with %.*s (family %.*s)\n", ATG_FMT(c->sample->id),
                   ATG_FMT(missing->id), ATG_FMT(c->op->families[missing->family].id));
    show_parameters(c->op, buf);
    if (!atg_sex_fits(c->sample->sex, pedigree(c)->persons[missing->person].sex))
        atg_buf_adds(buf, "The recorded sexes differ.\n");
    atg_buf_adds(buf, "\n");
    rc = marker_table(arena, c, buf, err);
    view_factor(c->total, factor);
    view_log10(c->used, used);
    atg_buf_printf(buf, "\nLR %s (log10 %.4f)", factor, c->total);
    if (c->op->params.process_error > 0)
        atg_buf_printf(buf, "; after process error log10 %s", used);
    atg_buf_adds(buf, "\n");
    say_left_out(c, buf);
    for (uint32_t i = 0; i < c->n_lines; i++)
        if (c->evidence[i].finding != ATG_FINDING_NONE)
            atg_buf_printf(buf, "%s (%s): %s. %.*s\n", c->lines[i]->name,
                           c->lines[i]->rank == ATG_LINE_PRIMARY ? "primary" : "a lead",
                           finding(c->evidence[i].finding), ATG_FMT(c->evidence[i].reason));
    return rc;
}

static void json_own(atg_arena *arena, const comparison *c, uint32_t m, json *j) {
    const atg_person *who = who_is_missing(c);

    if (who->n_own == 0)
        return;
    json_key(j, "own");
    json_begin_object(j);
    for (uint32_t i = 0; i < who->n_own; i++) {
        if (!atg_geno_typed(who->own[i].genos[m]))
            continue;
        json_key_str(j, who->own[i].id);
        json_str(j, show_genotype(arena, &c->op->markers[m], who->own[i].genos[m]));
    }
    json_end(j, '}');
}

static void json_linked(const comparison *c, uint32_t m, json *j) {
    int first = c->op->markers[m].linked_to;

    if (first < 0)
        return;
    json_key(j, "linked_to");
    json_str(j, c->op->markers[first].name);
    json_key(j, "left_out_with_theta");
    json_bool(j, linked_left_out(c, m));
}

static void json_markers(atg_arena *arena, const comparison *c, json *j) {
    json_key(j, "markers");
    json_begin_array(j);
    for (uint32_t m = 0; m < c->op->n_markers; m++) {
        const atg_marker *marker = &c->op->markers[m];

        json_object_line(j);
        json_key(j, "marker");
        json_str(j, marker->name);
        json_key(j, "remains");
        json_str(j, show_genotype(arena, marker, c->sample->genos[m]));
        json_key(j, "compared");
        json_bool(j, !isnan(c->with[m]));
        json_key(j, "counted");
        json_bool(j, c->counted[m]);
        json_linked(c, m, j);
        json_key(j, "log10_lr");
        json_num(j, c->with[m]);
        json_key(j, "impossible");
        json_bool(j, c->with[m] == -INFINITY);
        json_key(j, "mutation_needed");
        json_bool(j, needs_mutation(c, m));
        json_own(arena, c, m, j);
        json_key(j, "relatives");
        json_begin_object(j);
        for (uint32_t i = 0; i < pedigree(c)->n; i++) {
            const atg_person *p = &pedigree(c)->persons[i];

            if (!p->genos || !atg_geno_typed(p->genos[m]))
                continue;
            json_key_str(j, p->id);
            json_str(j, show_genotype(arena, marker, p->genos[m]));
        }
        json_end(j, '}');
        json_end(j, '}');
    }
    json_end(j, ']');
}

static void print_json(atg_arena *arena, const comparison *c, atg_buf *buf) {
    const atg_missing *missing = &c->op->missing[c->missing];
    json j = json_new(buf);

    json_begin_object(&j);
    json_key(&j, "remains");
    json_str(&j, c->sample->id);
    json_key(&j, "missing");
    json_str(&j, missing->id);
    json_key(&j, "family");
    json_str(&j, c->op->families[missing->family].id);
    json_parameters(&j, c->op);
    json_key(&j, "log10_lr");
    json_num(&j, c->total);
    json_key(&j, "impossible");
    json_bool(&j, c->total == -INFINITY);
    json_key(&j, "log10_lr_after_process_error");
    json_num(&j, c->used);
    json_markers(arena, c, &j);
    json_key(&j, "lines");
    json_begin_array(&j);
    for (uint32_t i = 0; i < c->n_lines; i++) {
        json_object_line(&j);
        json_key(&j, "line");
        json_text(&j, c->lines[i]->name);
        json_key(&j, "primary");
        json_bool(&j, c->lines[i]->rank == ATG_LINE_PRIMARY);
        json_key(&j, "finding");
        json_text(&j, finding(c->evidence[i].finding));
        json_key(&j, "log10_lr");
        json_num(&j, c->evidence[i].log10_lr);
        json_key(&j, "reason");
        json_str(&j, c->evidence[i].reason);
        json_end(&j, '}');
    }
    json_end(&j, ']');
    json_end(&j, '}');
}

static int run(const args *a) {
    ATG_AUTO(atg_arena) arena = input_arena();
    ATG_AUTO(atg_buf) buf = atg_buf_new(TEXT_MAX);
    comparison c = {0};
    input in;
    atg_err err = {0};
    int code = arena ? input_read(a, arena, a->n, a->operands, &in) : EXIT_MACHINE;

    if (code)
        return code;
    c.op = &in.op;
    code = find_sample(a, arena, &in, &c);
    if (!code)
        code = input_missing(a, &in, &c.missing);
    if (code)
        return code;
    if (compute(arena, &c, &err))
        return cli_fail(in.name, &err);
    if (buf && cli_has(a, OPT_JSON))
        print_json(arena, &c, buf);
    else if (buf && print_text(arena, &c, buf, &err))
        return cli_fail(NULL, &err);
    return cli_write(a, buf);
}

static const option_id options[] = {OPT_REMAINS,       OPT_MISSING,       OPT_JSON,
                                    OPT_OUTPUT,        OPT_FREQUENCIES,   OPT_POPULATION,
                                    OPT_THETA,         OPT_MIN_FREQUENCY, OPT_MUTATION,
                                    OPT_MUTATION_MALE, OPT_QUIET,         OPT_HELP};

const command command_lr = {
    .name = "lr",
    .summary = "Compare one sample or body with one missing person, marker by marker.",
    .operands = "FILE...",
    .min_operands = 1,
    .max_operands = -1,
    .details =
        "Prints the genotypes, the likelihood ratio of every marker, the running product and the "
        "markers that are possible only by a mutation. The likelihood ratio weighs 'these are "
        "the missing person's remains' against 'these are of somebody unrelated'.",
    .options = options,
    .run = run,
};
