/* SPDX-License-Identifier: Apache-2.0 */
#include <antigone/report.h>

#include <math.h>
#include <stdio.h>

#include "base/json.h"
#include "report/view.h"

enum { SCRATCH = 256 << 20 };

/* A number, or null; an infinite one says which in a second key (see the schema). */
static void number(json *j, const char *key, double x) {
    json_key(j, key);
    json_num(j, x);
    if (isinf(x)) {
        char is[64];

        snprintf(is, sizeof(is), "%s_is", key);
        json_key(j, is);
        json_text(j, x < 0 ? "-infinity" : "infinity");
    }
}

static void text(json *j, const char *key, atg_str s) {
    json_key(j, key);
    json_str(j, s);
}

static void text_or_null(json *j, const char *key, atg_str s) {
    json_key(j, key);
    if (s.n)
        json_str(j, s);
    else
        json_none(j);
}

static void count(json *j, const char *key, uint64_t n) {
    json_key(j, key);
    json_int(j, (int64_t)n);
}

static atg_str missing_id(const view *v, uint32_t missing) {
    return v->run->op->missing[missing].id;
}

static atg_str body_id(const view *v, uint32_t sample) {
    return v->run->merged->samples[sample].id;
}

static void missing_or_null(json *j, const view *v, const char *key, int32_t missing) {
    json_key(j, key);
    if (missing < 0)
        json_none(j);
    else
        json_str(j, missing_id(v, (uint32_t)missing));
}

static void parameters(json *j, const view *v) {
    static const char *const kinds[] = {"flat", "closed", "open"};
    const atg_params *p = &v->run->op->params;
    const atg_prior *prior = &p->prior;

    json_key(j, "parameters");
    json_begin_object(j);
    text_or_null(j, "population", p->population);
    text_or_null(j, "source", p->source);
    count(j, "n_population", p->n_population);
    number(j, "theta", p->theta);
    number(j, "min_freq", p->min_freq);
    number(j, "process_error", p->process_error);
    number(j, "threshold", p->threshold);
    number(j, "min_log10_lr", p->min_log10_lr);
    count(j, "max_incompatible", p->max_incompatible);
    json_key(j, "prior");
    json_object_line(j);
    json_key(j, "kind");
    json_text(j, prior->given ? "given" : prior->kind <= ATG_PRIOR_OPEN ? kinds[prior->kind] : "");
    count(j, "n_expected", prior->n_expected ? prior->n_expected : v->run->op->n_missing);
    number(j, "not_on_list", prior->kind == ATG_PRIOR_OPEN ? prior->not_on_list : (double)NAN);
    json_end(j, '}');
    json_end(j, '}');
}

static void words(json *j, const char *key, const uint32_t counts[VIEW_CONCLUSIONS]) {
    json_key(j, key);
    json_object_line(j);
    for (atg_conclusion c = ATG_INSUFFICIENT; c <= ATG_EXCLUDED; c++)
        count(j, atg_conclusion_word(c), counts[c]);
    json_end(j, '}');
}

static void totals(json *j, const view *v) {
    json_key(j, "totals");
    json_begin_object(j);
    count(j, "n_samples", v->run->op->n_samples);
    count(j, "n_bodies", v->run->n_bodies);
    count(j, "n_refused", v->n_refused);
    count(j, "n_missing", v->run->op->n_missing);
    count(j, "n_families", v->run->op->n_families);
    count(j, "n_pairs", v->run->n_pairs);
    words(j, "bodies", v->bodies);
    words(j, "missing", v->missing);
    json_end(j, '}');
}

static void body(json *j, const view *v, uint32_t index) {
    const atg_body *b = &v->run->bodies[index];
    int32_t s = v->sample_of[index];
    const atg_pair_result *best = s < 0 ? NULL : view_body_best(v, (uint32_t)s);

    json_begin_object(j);
    text(j, "id", b->merged.id);
    json_key(j, "samples");
    json_array_line(j);
    for (uint32_t i = 0; i < b->n_samples; i++)
        json_str(j, v->run->op->samples[b->samples[i]].id);
    json_end(j, ']');
    json_key(j, "sex");
    json_text(j, view_sex(b->merged.sex));
    json_key(j, "part");
    json_bool(j, b->merged.part);
    text_or_null(j, "refused", b->refused);
    text_or_null(j, "warning", b->warning);
    json_key(j, "conclusion");
    if (s < 0)
        json_none(j);
    else
        json_text(j, atg_conclusion_word(view_body_word(v, (uint32_t)s)));
    missing_or_null(j, v, "candidate", best ? (int32_t)best->missing : -1);
    number(j, "posterior_nobody", s < 0 ? (double)NAN : view_body_nobody(v, (uint32_t)s));
    text(j, "why", view_body_why(v, index));
    json_end(j, '}');
}

static void missing(json *j, const view *v, uint32_t m) {
    const atg_pair_result *best = view_missing_best(v, m);

    json_begin_object(j);
    text(j, "id", missing_id(v, m));
    text(j, "family", v->run->op->families[v->run->op->missing[m].family].id);
    json_key(j, "sex");
    json_text(j, view_sex(view_person(v, m)->sex));
    json_key(j, "conclusion");
    json_text(j, atg_conclusion_word(view_missing_word(v, m)));
    text_or_null(j, "candidate", best ? body_id(v, best->body) : (atg_str){0});
    number(j, "posterior_nobody", view_missing_nobody(v, m));
    text(j, "why", view_missing_why(v, m));
    json_end(j, '}');
}

static void lines(json *j, const view *v, const atg_pair_result *p) {
    static const char *const findings[] = {"none", "supports", "inconclusive", "contradicts"};

    json_key(j, "lines");
    json_begin_array(j);
    for (uint32_t i = 0; p->lines && i < p->n_lines; i++) {
        const atg_evidence *e = &p->lines[i];

        if (e->finding == ATG_FINDING_NONE || e->finding > ATG_FINDING_CONTRADICTS)
            continue;
        json_begin_object(j);
        text(j, "line", view_line_name(v, i));
        json_key(j, "finding");
        json_text(j, findings[e->finding]);
        number(j, "log10_lr", e->log10_lr);
        number(j, "lower", e->lower);
        number(j, "upper", e->upper);
        text(j, "reason", e->reason);
        text(j, "table", e->table);
        json_end(j, '}');
    }
    json_end(j, ']');
}

static void per_marker(json *j, const view *v, const atg_pair_result *p) {
    const atg_operation *op = v->run->op;

    json_key(j, "per_marker");
    if (!p->per_marker) {
        json_none(j);
        return;
    }
    json_begin_array(j);
    for (uint32_t m = 0; m < op->n_markers; m++) {
        json_object_line(j);
        text(j, "marker", op->markers[m].name);
        number(j, "log10_lr", p->per_marker[m]);
        json_key(j, "mutation_needed");
        json_bool(j, p->mutation_needed && p->mutation_needed[m]);
        json_end(j, '}');
    }
    json_end(j, ']');
}

static void pair(json *j, const view *v, const atg_pair_result *p) {
    json_begin_object(j);
    text(j, "body", body_id(v, p->body));
    text(j, "missing", missing_id(v, p->missing));
    text(j, "family", v->run->op->families[v->run->op->missing[p->missing].family].id);
    json_key(j, "conclusion");
    json_text(j, atg_conclusion_word(p->conclusion));
    text(j, "rule", p->rule);
    number(j, "log10_lr", p->log10_lr);
    number(j, "log10_lr_used", p->log10_lr_used);
    number(j, "posterior", p->posterior);
    number(j, "std_error", p->std_error);
    number(j, "log10_glr", p->log10_glr);
    count(j, "n_markers", p->n_markers);
    if (p->n_direct)
        count(j, "n_direct", p->n_direct);
    count(j, "n_incompatible", p->n_incompatible);
    json_key(j, "in_best");
    json_bool(j, p->in_best);
    lines(j, v, p);
    per_marker(j, v, p);
    json_end(j, '}');
}

static void part(json *j, const view *v, uint32_t index) {
    const atg_assign_result *joint = &v->run->assign;
    const atg_assign_part *p = &joint->parts[index];

    json_begin_object(j);
    json_key(j, "exact");
    json_bool(j, p->exact);
    number(j, "max_rhat", p->max_rhat);
    number(j, "log10_weight", p->log_z / log(10));
    count(j, "n_bodies", p->n_bodies);
    count(j, "n_missing", p->n_missing);
    json_end(j, '}');
}

/* Files without a possible pair belong to no part and are left out. */
static void parts_of(json *j, const view *v) {
    const atg_assign_result *joint = &v->run->assign;

    json_key(j, "part_of_body");
    json_begin_object(j);
    for (uint32_t s = 0; joint->body_part && s < v->n_samples; s++)
        if (joint->body_part[s] < joint->n_parts) {
            json_key_str(j, body_id(v, s));
            json_int(j, joint->body_part[s]);
        }
    json_end(j, '}');
    json_key(j, "part_of_missing");
    json_begin_object(j);
    for (uint32_t m = 0; joint->missing_part && m < v->run->op->n_missing; m++)
        if (joint->missing_part[m] < joint->n_parts) {
            json_key_str(j, missing_id(v, m));
            json_int(j, joint->missing_part[m]);
        }
    json_end(j, '}');
}

static void placed(json *j, const view *v, uint32_t sample, int32_t missing) {
    json_object_line(j);
    text(j, "body", body_id(v, sample));
    missing_or_null(j, v, "missing", missing);
    json_end(j, '}');
}

static void assignments(json *j, const view *v) {
    const atg_assign_result *joint = &v->run->assign;

    json_key(j, "best");
    json_begin_array(j);
    for (uint32_t s = 0; joint->best && s < v->n_samples; s++)
        placed(j, v, s, joint->best[s]);
    json_end(j, ']');
    json_key(j, "top");
    json_begin_array(j);
    for (uint32_t i = 0; i < joint->n_top; i++) {
        const atg_assign_listed *t = &joint->top[i];

        json_begin_object(j);
        number(j, "log10_ratio_to_best", (t->log_weight - joint->top[0].log_weight) / log(10));
        number(j, "posterior", exp(t->log_weight - joint->log_z));
        json_key(j, "differs_from_best");
        json_begin_array(j);
        for (uint32_t s = 0; joint->best && s < v->n_samples; s++)
            if (t->missing_of[s] != joint->best[s])
                placed(j, v, s, t->missing_of[s]);
        json_end(j, ']');
        json_end(j, '}');
    }
    json_end(j, ']');
}

static void symmetric(json *j, const view *v) {
    const atg_assign_result *joint = &v->run->assign;

    json_key(j, "symmetric");
    json_begin_array(j);
    for (uint32_t i = 0; i < joint->n_symmetries; i++) {
        const atg_assign_symmetry *y = &joint->symmetries[i];

        json_begin_object(j);
        json_key(j, "missing");
        json_array_line(j);
        for (uint32_t k = 0; k < y->n; k++)
            json_str(j, missing_id(v, y->missing[k]));
        json_end(j, ']');
        text(j, "explanation", view_symmetry(v, y));
        json_end(j, '}');
    }
    json_end(j, ']');
}

static void joint(json *j, const view *v) {
    const atg_assign_result *r = &v->run->assign;
    bool exact = true;

    for (uint32_t i = 0; i < r->n_parts; i++)
        exact = exact && r->parts[i].exact;
    json_key(j, "joint");
    json_begin_object(j);
    json_key(j, "exact");
    json_bool(j, exact);
    number(j, "n_assignments", v->run->n_assignments);
    number(j, "n_possible", r->n_possible);
    number(j, "log10_weight", r->log_z / log(10));
    number(j, "log10_best", r->log_best / log(10));
    number(j, "least_share", v->run->least_share);
    json_key(j, "parts");
    json_begin_array(j);
    for (uint32_t i = 0; i < r->n_parts; i++)
        part(j, v, i);
    json_end(j, ']');
    parts_of(j, v);
    assignments(j, v);
    symmetric(j, v);
    json_end(j, '}');
}

static void related(json *j, const view *v) {
    json_key(j, "related_bodies");
    json_begin_array(j);
    for (uint32_t i = 0; i < v->run->n_related; i++) {
        json_object_line(j);
        text(j, "body", body_id(v, v->run->related[i].x));
        text(j, "other", body_id(v, v->run->related[i].y));
        text(j, "relation", v->run->related[i].relation);
        number(j, "log10_lr", v->run->related[i].log10_lr);
        json_end(j, '}');
    }
    json_end(j, ']');
}

static void next_steps(json *j, const view *v) {
    json_key(j, "next_steps");
    json_begin_array(j);
    for (uint32_t i = 0; i < v->run->n_next; i++) {
        const atg_next_step *s = &v->run->next[i];

        json_begin_object(j);
        json_key(j, "about");
        json_text(j, s->of_missing ? "missing" : "body");
        text(j, "id", s->of_missing ? missing_id(v, s->index) : body_id(v, s->index));
        text(j, "text", s->text);
        number(j, "expected_log10_lr", s->expected_gain);
        json_end(j, '}');
    }
    json_end(j, ']');
}

static void check(json *j, const view *v, const atg_family_check *c) {
    const atg_family *family = &v->run->op->families[c->family];
    atg_str suspect = {NULL, 0};

    if (c->suspect >= 0)
        suspect = family->ped.persons[c->suspect].id;
    json_begin_object(j);
    text(j, "family", family->id);
    json_key(j, "fits");
    json_bool(j, c->fits);
    count(j, "n_typed", c->n_typed);
    count(j, "n_compared", c->n_compared);
    count(j, "n_inconsistent", c->n_inconsistent);
    json_key(j, "inconsistent");
    json_array_line(j);
    for (uint32_t m = 0; c->inconsistent && m < v->run->op->n_markers; m++)
        if (c->inconsistent[m])
            json_str(j, v->run->op->markers[m].name);
    json_end(j, ']');
    text_or_null(j, "suspect", suspect);
    count(j, "n_repaired", c->n_repaired);
    number(j, "log10_gain", c->log10_gain);
    json_key(j, "sex_flags");
    json_array_line(j);
    for (uint32_t i = 0; c->sex_flags && i < c->n_sex_flags; i++)
        if (c->sex_flags[i] < family->ped.n)
            json_str(j, family->ped.persons[c->sex_flags[i]].id);
    json_end(j, ']');
    text(j, "note", c->note);
    json_key(j, "concluded_without");
    json_array_line(j);
    for (uint32_t i = 0; i < v->run->n_remaining; i++)
        if (v->run->remaining[i].family == c->family)
            json_str(j, family->ped.persons[v->run->remaining[i].person].id);
    json_end(j, ']');
    json_end(j, '}');
}

static void geneticist_only(json *j, const view *v) {
    json_key(j, "geneticist_only");
    json_begin_object(j);
    json_key(j, "notice");
    json_text(j, "Private to the geneticist: to others a family that does not fit is worded "
                 "\"another reference is needed\".");
    json_key(j, "families");
    json_begin_array(j);
    for (uint32_t i = 0; i < v->run->n_checks; i++)
        check(j, v, &v->run->checks[i]);
    json_end(j, ']');
    json_end(j, '}');
}

static void document(json *j, const view *v, bool for_geneticist) {
    const atg_identification *run = v->run;

    json_begin_object(j);
    json_key(j, "format");
    json_text(j, "antigone-identification/1");
    text(j, "engine", run->engine);
    text_or_null(j, "input_sha256", run->input_sha256);
    number(j, "seconds", run->seconds);
    text(j, "operation", run->op->name);
    parameters(j, v);
    totals(j, v);
    json_key(j, "bodies");
    json_begin_array(j);
    for (uint32_t i = 0; i < run->n_bodies; i++)
        body(j, v, i);
    json_end(j, ']');
    json_key(j, "missing");
    json_begin_array(j);
    for (uint32_t i = 0; i < run->op->n_missing; i++)
        missing(j, v, i);
    json_end(j, ']');
    json_key(j, "pairs");
    json_begin_array(j);
    for (uint32_t s = 0, i = 0; s < v->n_samples; s++)
        for (; i < v->first[s + 1]; i++)
            pair(j, v, &run->pairs[v->order[i]]);
    json_end(j, ']');
    joint(j, v);
    related(j, v);
    next_steps(j, v);
    if (for_geneticist)
        geneticist_only(j, v);
    json_end(j, '}');
}

int atg_report_json(const atg_identification *run, bool for_geneticist, atg_buf *buf,
                    atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(SCRATCH);
    view v;
    int rc;

    if (!arena)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for the report");
    rc = view_open(arena, run, &v, err);
    if (rc)
        return rc;

    json j = json_new(buf);

    document(&j, &v, for_geneticist);
    return view_finish(&v, buf, err);
}
