/* SPDX-License-Identifier: Apache-2.0 */
#include "app/findings.h"

#include <math.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "crypto/hash.h"

enum {
    BEST = 5,           /* of each body, whatever the number */
    FILES_AT_ONCE = 64, /* in one transaction */
    LIST = 1000,
    INPUTS_MAX = 1 << 30,
    INPUTS_TEXT = 100,
};

static const uint32_t not_compared = UINT32_MAX;

/* Numbers nearer than this are the same finding: sums over threads may differ in the last digits.
 */
static const double same_enough = 1e-9;

/* Where things are in the run. */
typedef struct run_index {
    uint32_t n_files;
    uint32_t *samples;    /* n_files + 1: the first sample of each file */
    uint32_t *merged_of;  /* body of each sample, or not_compared */
    uint32_t *first_pair; /* of each body, and behind the last */
} run_index;

typedef struct writing {
    findings *f;
    const run_index *at;
    atg_arena *arena;
    char inputs[INPUTS_TEXT];
    uint32_t from, to; /* files of this transaction */
    uint32_t written;
    cases_batch *b;
    record_row *hypotheses, *evidence; /* of the file in hand */
    uint32_t n_hypotheses, n_evidence;
    bool *told; /* of each hypothesis: the run has something to say of it */
} writing;

static const actor matcher_actor = {.name = {"matcher", 7}};

static int no_memory(atg_err *err) {
    return atg_fail(err, ATG_ENOMEM, "Out of memory writing what was found");
}

/* ---- which pairs ---- */

/* Pairs come by body, then falling posterior. */
static bool is_worth(const atg_pair_result *p, uint32_t place) {
    return p->conclusion == ATG_PROBABLE || p->conclusion == ATG_POSSIBLE || p->in_best ||
           (place < BEST && p->log10_lr > 0);
}

/* ---- what a hypothesis says ---- */

static value number(double x) {
    return (value){.known = isfinite(x), .number = isfinite(x) ? x : 0};
}

static value word(record_kind kind, uint32_t field, const char *text) {
    int at = record_word(record_field(kind, field)->choices, atg_str_of(text));

    return (value){.known = at >= 0, .choice = at < 0 ? 0 : (uint32_t)at};
}

static value text_of(atg_str s) {
    return (value){.known = s.n > 0, .text = s};
}

static bool same_value(const field_type *field, const value *a, const value *b) {
    if (field->kind == FIELD_NUMBER && a->known && b->known)
        return fabs(a->number - b->number) <= same_enough * fmax(1, fabs(a->number));
    return value_eq(field, a, b);
}

/* Does it say something else, the time and the inputs of the computation left aside? */
static bool differs(const record *was, const record *is) {
    for (uint32_t f = 0; f < record_types[is->kind].n_fields; f++) {
        if (is->kind == RECORD_HYPOTHESIS && (f == HYPOTHESIS_COMPUTED || f == HYPOTHESIS_INPUTS))
            continue;
        if (!same_value(record_field(is->kind, f), &was->fields[f], &is->fields[f]))
            return true;
    }
    return false;
}

/* Write `is`, over `was` when that is there and says something else. */
static int put(writing *w, const record *was, record *is, atg_err *err) {
    change ch = {was ? CHANGE_EDIT : CHANGE_ADD, is};

    if (was) {
        if (!differs(was, is))
            return ATG_OK;
        is->id = was->id;
        is->rev = was->rev;
    }
    w->written += is->kind == RECORD_HYPOTHESIS;
    return cases_apply(w->b, &ch, err);
}

/* The hypothesis that is there, which counts as told. */
static const record *hypothesis_of(const writing *w, const uuid *missing) {
    for (uint32_t i = 0; i < w->n_hypotheses; i++)
        if (!w->hypotheses[i].r->withdrawn &&
            uuid_cmp(&w->hypotheses[i].r->fields[HYPOTHESIS_MISSING].ref, missing) == 0) {
            w->told[i] = true;
            return w->hypotheses[i].r;
        }
    return NULL;
}

static const record *evidence_of(const writing *w, const uuid *hypothesis, const value *of) {
    for (uint32_t i = 0; i < w->n_evidence; i++) {
        const value *f = w->evidence[i].r->fields;

        if (!w->evidence[i].r->withdrawn &&
            uuid_cmp(&f[EVIDENCE_HYPOTHESIS].ref, hypothesis) == 0 &&
            f[EVIDENCE_LINE].choice == of->choice)
            return w->evidence[i].r;
    }
    return NULL;
}

/* ---- one pair ---- */

static record *new_in(writing *w, record_kind kind, const uuid *file) {
    record *r = record_new(w->arena, kind);

    if (r)
        r->file = *file;
    return r;
}

static int put_line(writing *w, const record *hypothesis, const char *name, const atg_evidence *e,
                    bool primary, atg_err *err) {
    record *r = new_in(w, RECORD_EVIDENCE, &hypothesis->file);

    if (!r)
        return no_memory(err);
    r->fields[EVIDENCE_HYPOTHESIS] = (value){.known = true, .ref = hypothesis->id};
    r->fields[EVIDENCE_LINE] = word(RECORD_EVIDENCE, EVIDENCE_LINE, name);
    r->fields[EVIDENCE_PRIMARY] = (value){.known = true, .flag = primary};
    r->fields[EVIDENCE_LOG10_LR] = number(e->log10_lr);
    r->fields[EVIDENCE_LOWER] = number(e->lower);
    r->fields[EVIDENCE_UPPER] = number(e->upper);
    r->fields[EVIDENCE_REASON] = text_of(e->reason);
    r->fields[EVIDENCE_TABLE_VERSION] = text_of(e->table);
    return put(w, evidence_of(w, &hypothesis->id, &r->fields[EVIDENCE_LINE]), r, err);
}

/* The line of the records that a line of the engine belongs to; those of nuclear DNA are one. */
static const char *line_name(const atg_line *of) {
    static const struct {
        const char *engine, *records;
    } names[] = {{"Y-STR", "y_str"}, {"mtDNA", "mtdna"}};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (strcmp(of->name, names[i].engine) == 0)
            return names[i].records;
    return "dna";
}

/* All markers of nuclear DNA together, whose sum is the pair's LR. */
static int put_dna(writing *w, const record *hypothesis, const atg_pair_result *p, atg_err *err) {
    atg_evidence e = {.log10_lr = p->log10_lr, .lower = p->least_log10_lr, .upper = p->log10_lr};

    for (uint32_t i = 0; i < p->n_lines; i++)
        if (p->lines[i].finding && w->f->run->lines[i]->rank == ATG_LINE_PRIMARY && !e.table.n)
            e.table = p->lines[i].table;
    e.reason = atg_arena_printf(w->arena,
                                "%u markers compared, %u of them impossible without "
                                "mutation",
                                p->n_markers, p->n_incompatible);
    if (p->n_direct && e.reason.p)
        e.reason =
            atg_arena_printf(w->arena, "%.*s; a direct comparison with an own sample at %u of them",
                             ATG_FMT(e.reason), p->n_direct);
    return e.reason.p ? put_line(w, hypothesis, "dna", &e, true, err) : no_memory(err);
}

static int put_lines(writing *w, const record *hypothesis, const atg_pair_result *p, atg_err *err) {
    int rc = put_dna(w, hypothesis, p, err);

    for (uint32_t i = 0; i < p->n_lines && !rc; i++) {
        const char *name = line_name(w->f->run->lines[i]);

        if (p->lines[i].finding && strcmp(name, "dna") != 0)
            rc = put_line(w, hypothesis, name, &p->lines[i], false, err);
    }
    return rc;
}

static int put_pair(writing *w, const uuid *file, const atg_pair_result *p, const record *was,
                    atg_err *err) {
    const uuid *missing = &w->f->in->missing[p->missing];
    record *r = new_in(w, RECORD_HYPOTHESIS, file);
    value *f = r ? r->fields : NULL;

    if (!r)
        return no_memory(err);
    f[HYPOTHESIS_MISSING] = (value){.known = true, .ref = *missing};
    f[HYPOTHESIS_LOG10_LR] = number(p->log10_lr);
    f[HYPOTHESIS_LOG10_LR_PRIMARY] = number(p->least_log10_lr);
    f[HYPOTHESIS_POSTERIOR] = number(p->posterior);
    f[HYPOTHESIS_POSTERIOR_PRIMARY] = number(p->least_posterior);
    f[HYPOTHESIS_CONCLUSION] =
        word(RECORD_HYPOTHESIS, HYPOTHESIS_CONCLUSION, atg_conclusion_word(p->conclusion));
    f[HYPOTHESIS_RULE] = text_of(p->rule);
    f[HYPOTHESIS_COMPUTED] = (value){.known = true, .instant = clock_now()};
    f[HYPOTHESIS_INPUTS] = text_of(atg_str_of(w->inputs));
    /* what people signed is not the matcher's to take back */
    if (was && was->fields[HYPOTHESIS_CONCLUSION].known &&
        was->fields[HYPOTHESIS_CONCLUSION].choice == CONCLUSION_ESTABLISHED)
        f[HYPOTHESIS_CONCLUSION] = was->fields[HYPOTHESIS_CONCLUSION];

    int rc = put(w, was, r, err);

    if (!rc && was)
        r->id = was->id;
    return rc ? rc : put_lines(w, r, p, err);
}

/* ---- one file ---- */

static int read_file(writing *w, db *d, const uuid *file, atg_err *err) {
    records_query q = {
        .kind = RECORD_HYPOTHESIS, .by = RECORDS_OF_FILE, .of = *file, .limit = LIST};
    int rc =
        records_list(d, cases_keys(w->f->c), w->arena, &q, &w->hypotheses, &w->n_hypotheses, err);

    q.kind = RECORD_EVIDENCE;
    if (!rc)
        rc = records_list(d, cases_keys(w->f->c), w->arena, &q, &w->evidence, &w->n_evidence, err);
    w->told = rc ? NULL : ATG_GET(w->arena, bool, w->n_hypotheses + 1);
    return rc || w->told ? rc : no_memory(err);
}

static int write_body(writing *w, uint32_t body, const uuid *file, atg_err *err) {
    uint32_t first = w->at->first_pair[body];
    int rc = ATG_OK;

    for (uint32_t i = first; i < w->at->first_pair[body + 1] && !rc; i++) {
        const atg_pair_result *p = &w->f->run->pairs[i];
        const record *was = hypothesis_of(w, &w->f->in->missing[p->missing]);

        if (was || is_worth(p, i - first))
            rc = put_pair(w, file, p, was, err);
    }
    return rc;
}

/* What the run does not even mention has no support any more. */
static int write_untold(writing *w, atg_err *err) {
    for (uint32_t i = 0; i < w->n_hypotheses; i++) {
        const record *was = w->hypotheses[i].r;
        const value *now = &was->fields[HYPOTHESIS_CONCLUSION];
        record *r;
        int rc;

        if (w->told[i] || was->withdrawn || (now->known && now->choice == CONCLUSION_ESTABLISHED))
            continue;
        r = record_copy(w->arena, was);
        if (!r)
            return no_memory(err);
        for (uint32_t f = HYPOTHESIS_LOG10_LR; f <= HYPOTHESIS_POSTERIOR_PRIMARY; f++)
            r->fields[f] = (value){0};
        r->fields[HYPOTHESIS_CONCLUSION] =
            word(RECORD_HYPOTHESIS, HYPOTHESIS_CONCLUSION, "insufficient");
        r->fields[HYPOTHESIS_RULE] = text_of(ATG_STR("No longer among the pairs that are kept"));
        rc = put(w, was, r, err);
        if (rc)
            return rc;
    }
    return ATG_OK;
}

static int write_file(writing *w, db *d, uint32_t file, atg_err *err) {
    const run_index *at = w->at;
    const uuid *id = &w->f->in->remains[at->samples[file]];
    int rc = read_file(w, d, id, err);

    for (uint32_t s = at->samples[file]; s < at->samples[file + 1] && !rc; s++) {
        bool met = at->merged_of[s] == not_compared;

        for (uint32_t k = at->samples[file]; k < s && !met; k++)
            met = at->merged_of[k] == at->merged_of[s];
        if (!met)
            rc = write_body(w, at->merged_of[s], id, err);
    }
    return rc ? rc : write_untold(w, err);
}

static int write_files(db *d, void *user, atg_err *err) {
    writing *w = user;
    uint32_t before = w->written;
    int rc = cases_batch_new(w->f->c, d, &matcher_actor, w->arena, &w->b, err);

    for (uint32_t i = w->from; i < w->to && !rc; i++)
        rc = write_file(w, d, i, err);
    if (!rc)
        rc = cases_batch_end(w->b, err);
    if (rc)
        w->written = before;
    return rc;
}

/* ---- all files ---- */

/* A name for what the numbers were computed from: who has the same file recomputes them. */
static int name_inputs(writing *w, atg_err *err) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(INPUTS_MAX);
    char hex[2 * HASH_SIZE + 1];
    atg_str text;
    int rc = buf ? atg_operation_write_json(&w->f->in->op, NULL, buf, err) : no_memory(err);

    if (!rc)
        rc = atg_buf_take(buf, &text, err);
    if (rc)
        return rc;

    hash256 hash = hash_of(text, NULL);

    bytes_hex(hash.bytes, HASH_SIZE, hex);
    (void)snprintf(w->inputs, sizeof(w->inputs), "%s antigone %s", hex, ATG_VERSION);
    return ATG_OK;
}

static int make_index(const findings *f, atg_arena *arena, run_index *ret, atg_err *err) {
    const atg_identification *run = f->run;
    uint32_t n = f->in->op.n_samples, n_merged = run->merged->n_samples, pair = 0;

    ret->samples = ATG_GET(arena, uint32_t, n + 1);
    ret->merged_of = ATG_GET(arena, uint32_t, n + 1);
    ret->first_pair = ATG_GET(arena, uint32_t, n_merged + 1);
    if (!ret->samples || !ret->merged_of || !ret->first_pair)
        return no_memory(err);
    for (uint32_t s = 0; s < n; s++) {
        if (!s || uuid_cmp(&f->in->remains[s - 1], &f->in->remains[s]) != 0)
            ret->samples[ret->n_files++] = s;
        ret->merged_of[s] = not_compared;
    }
    ret->samples[ret->n_files] = n;
    for (uint32_t k = 0; k < n_merged; k++) {
        const atg_body *body = &run->bodies[run->body_of_sample[k]];

        for (uint32_t i = 0; i < body->n_samples; i++)
            ret->merged_of[body->samples[i]] = k;
        ret->first_pair[k] = pair;
        while (pair < run->n_pairs && run->pairs[pair].body == k)
            pair++;
    }
    ret->first_pair[n_merged] = pair;
    return ATG_OK;
}

int findings_write(findings *f, uint32_t *ret_n, atg_err *err) {
    ATG_AUTO(atg_arena) all = atg_arena_new((size_t)1 << 30);
    run_index at = {0};
    writing w = {.f = f, .at = &at};
    int rc = all ? make_index(f, all, &at, err) : no_memory(err);

    if (!rc)
        rc = name_inputs(&w, err);
    for (uint32_t i = 0; i < at.n_files && !rc; i += FILES_AT_ONCE) {
        ATG_AUTO(atg_arena) arena = atg_arena_new((size_t)1 << 30);

        if (!arena)
            return no_memory(err);
        w.arena = arena;
        w.from = i;
        w.to = at.n_files - i < FILES_AT_ONCE ? at.n_files : i + FILES_AT_ONCE;
        rc = store_write(cases_store(f->c), write_files, &w, err);
    }
    *ret_n += w.written;
    return rc;
}
