/* SPDX-License-Identifier: Apache-2.0 */
#include "app/faces_evidence.h"

#include <math.h>
#include <string.h>

#include "app/faces_calibrate.h"
#include "app/faces_internal.h"
#include "base/bytes.h"

enum { LIST = 1000 };

typedef struct known_lines {
    record_row *hypotheses, *evidence, *candidates;
    uint32_t n_hypotheses, n_evidence, n_candidates;
    faces_kept kept;
    atg_err why;       /* it is damaged */
    uint32_t of_faces; /* the word of the line */
} known_lines;

/* The best candidates of a pair. */
typedef struct pair_score {
    bool is_candidate, is_scored;
    double score; /* of originals */
} pair_score;

static int no_memory(atg_err *err) {
    return atg_fail(err, ATG_ENOMEM, "Out of memory for faces");
}

static int list(const faces_weighing *w, db *d, record_kind kind, record_row **ret, uint32_t *ret_n,
                atg_err *err) {
    records_query q = {.kind = kind, .by = RECORDS_OF_FILE, .of = w->remains, .limit = LIST};

    return records_list(d, cases_keys(w->c), w->arena, &q, ret, ret_n, err);
}

static int read_all(const faces_weighing *w, db *d, known_lines *k, atg_err *err) {
    int rc = list(w, d, RECORD_HYPOTHESIS, &k->hypotheses, &k->n_hypotheses, err);

    if (!rc)
        rc = list(w, d, RECORD_EVIDENCE, &k->evidence, &k->n_evidence, err);
    if (!rc)
        rc = list(w, d, RECORD_FACE_CANDIDATE, &k->candidates, &k->n_candidates, err);
    if (!rc)
        rc = faces_calibration(d, cases_keys(w->c), w->arena, &w->operation, &w->version, &k->kept,
                               &k->why);
    if (rc == ATG_EINVAL) /* damaged: as good as none */
        rc = ATG_OK;
    else if (rc && k->why.msg[0] && err)
        *err = k->why;
    k->of_faces = (uint32_t)record_word(record_field(RECORD_EVIDENCE, EVIDENCE_LINE)->choices,
                                        ATG_STR("face"));
    return rc;
}

/* The photograph of the dead or of the missing was retouched: a calibration is of originals. */
static bool is_retouched(const record *candidate) {
    atg_str all = candidate->fields[FACE_CANDIDATE_WARNINGS].text, name;

    if (candidate->fields[FACE_CANDIDATE_RETOUCHED].known &&
        candidate->fields[FACE_CANDIDATE_RETOUCHED].flag)
        return true;
    name = atg_str_of(faces_warnings[0].name);
    while (all.n)
        if (atg_str_eq(atg_str_trim(atg_str_cut(&all, ',')), name))
            return true;
    return false;
}

static pair_score score_of(const faces_weighing *w, const known_lines *k, const uuid *missing) {
    pair_score best = {.score = -2};

    for (uint32_t i = 0; i < k->n_candidates; i++) {
        const record *r = k->candidates[i].r;
        const value *f = r->fields;
        uint8_t model[sizeof(w->version.model)];

        if (r->withdrawn || uuid_cmp(&f[FACE_CANDIDATE_MISSING].ref, missing) != 0)
            continue;
        best.is_candidate = true;
        if (is_retouched(r) || !f[FACE_CANDIDATE_SCORE].known ||
            !bytes_from_hex(f[FACE_CANDIDATE_MODEL].text, model, sizeof(model)) ||
            memcmp(model, w->version.model, sizeof(model)) != 0 ||
            f[FACE_CANDIDATE_PIPELINE].number != w->version.pipeline)
            continue;
        best.is_scored = true;
        best.score = fmax(best.score, f[FACE_CANDIDATE_SCORE].number);
    }
    return best;
}

static record *line_of(const known_lines *k, const uuid *hypothesis) {
    for (uint32_t i = 0; i < k->n_evidence; i++) {
        record *r = k->evidence[i].r;

        if (!r->withdrawn && uuid_cmp(&r->fields[EVIDENCE_HYPOTHESIS].ref, hypothesis) == 0 &&
            r->fields[EVIDENCE_LINE].known && r->fields[EVIDENCE_LINE].choice == k->of_faces)
            return r;
    }
    return NULL;
}

static atg_str reason(const faces_weighing *w, const known_lines *k, const pair_score *s,
                      const face_lr *lr) {
    if (lr->calibrated)
        return atg_arena_printf(w->arena,
                                "Score of faces %.3f, calibrated on %u closed cases of %u %s (Cllr "
                                "%.2f). A lead: never more than log10 LR +-%g, and never primary",
                                s->score, k->kept.calibration.n_cases, k->kept.n_operations,
                                k->kept.n_operations == 1 ? "operation" : "operations",
                                k->kept.calibration.cllr, k->kept.calibration.cap);
    if (!s->is_scored)
        return atg_arena_printf(w->arena, "not calibrated: retouched photographs, or those that "
                                          "another network read, are not weighed");
    if (k->why.msg[0])
        return atg_arena_printf(w->arena, "not calibrated: %.300s", k->why.msg);
    return atg_arena_printf(w->arena, "not calibrated: there is no calibration on closed cases for "
                                      "this network and pipeline");
}

static atg_str table(const faces_weighing *w, const known_lines *k, bool calibrated) {
    char hex[2 * sizeof(w->version.model) + 1], id[UUID_TEXT + 1] = "none";

    bytes_hex(w->version.model, sizeof(w->version.model), hex);
    if (calibrated)
        uuid_text(&k->kept.id, id);
    return atg_arena_printf(w->arena, "model %s, pipeline %u, calibration %s", hex,
                            w->version.pipeline, id);
}

static value number(double x) {
    return (value){.known = true, .number = x};
}

static bool differs(const record *was, const record *is) {
    for (uint32_t f = 0; f < record_types[is->kind].n_fields; f++)
        if (!value_eq(record_field(is->kind, f), &was->fields[f], &is->fields[f]))
            return true;
    return false;
}

static int put_line(const faces_weighing *w, const known_lines *k, const record *hypothesis,
                    const pair_score *s, record *was, atg_err *err) {
    face_lr lr = {.calibrated = false};
    record *r = record_new(w->arena, RECORD_EVIDENCE);
    change ch = {was ? CHANGE_EDIT : CHANGE_ADD, r};
    value *f = r ? r->fields : NULL;

    if (!r)
        return no_memory(err);
    if (k->kept.found && s->is_scored)
        lr = face_weigh(&k->kept.calibration, &w->version, s->score, FACE_CAP);
    r->file = w->remains;
    r->operation = w->operation;
    f[EVIDENCE_HYPOTHESIS] = (value){.known = true, .ref = hypothesis->id};
    f[EVIDENCE_LINE] = (value){.known = true, .choice = k->of_faces};
    f[EVIDENCE_PRIMARY] = (value){.known = true, .flag = false};
    f[EVIDENCE_LOG10_LR] = number(lr.calibrated ? lr.log10_lr : 0);
    f[EVIDENCE_LOWER] = number(lr.calibrated ? lr.lower : 0);
    f[EVIDENCE_UPPER] = number(lr.calibrated ? lr.upper : 0);
    f[EVIDENCE_REASON] = (value){.known = true, .text = reason(w, k, s, &lr)};
    f[EVIDENCE_TABLE_VERSION] = (value){.known = true, .text = table(w, k, lr.calibrated)};
    if (!f[EVIDENCE_REASON].text.p || !f[EVIDENCE_TABLE_VERSION].text.p)
        return no_memory(err);
    if (was) {
        if (!differs(was, r))
            return ATG_OK;
        r->id = was->id;
        r->rev = was->rev;
    }
    return cases_apply(w->b, &ch, err);
}

int faces_evidence(const faces_weighing *w, db *d, atg_err *err) {
    known_lines k = {.n_hypotheses = 0};
    int rc = read_all(w, d, &k, err);

    for (uint32_t i = 0; i < k.n_hypotheses && !rc; i++) {
        const record *h = k.hypotheses[i].r;
        record *was = line_of(&k, &h->id);
        pair_score s = score_of(w, &k, &h->fields[HYPOTHESIS_MISSING].ref);
        change gone = {CHANGE_WITHDRAW, was};

        if (h->withdrawn)
            continue;
        if (s.is_candidate)
            rc = put_line(w, &k, h, &s, was, err);
        else if (was)
            rc = cases_apply(w->b, &gone, err);
    }
    return rc;
}
