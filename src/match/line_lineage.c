/* SPDX-License-Identifier: Apache-2.0 */
/* Y-STR and mtDNA haplotypes: leads.  docs/lineage.md derives what a match counts. */
#include <antigone/lineage.h>

#include <math.h>

#include "dna/kernel.h"
#include "match/lines.h"

static const double lead_ceiling = 2; /* log10 */
static const double alpha = 0.05;

/* Typed relatives of one line; an own sample is one who is the missing person. */
typedef struct lineage {
    bool y;
    uint32_t family;
    uint32_t n, cap;
    const atg_person **relatives;
} lineage;

/* What the steps between two haplotypes mean. */
static atg_finding meaning(bool y, const atg_lineage_cmp *cmp) {
    uint32_t in_doubt = y ? 1 : 2;

    if (cmp->n_compared == 0)
        return ATG_FINDING_NONE;
    return cmp->n_steps == 0          ? ATG_FINDING_SUPPORTS
           : cmp->n_steps <= in_doubt ? ATG_FINDING_INCONCLUSIVE
                                      : ATG_FINDING_CONTRADICTS;
}

static atg_lineage_cmp compare_persons(const atg_operation *op, bool y, const atg_person *a,
                                       const atg_person *b) {
    atg_lineage_cmp ret = {0};

    if (!y)
        atg_mt_compare(&a->mt, &b->mt, &ret);
    else if (a->genos && b->genos)
        atg_y_compare(op, a->genos, b->genos, &ret);
    return ret;
}

static int add_reference(atg_arena *arena, const atg_operation *op, lineage *l, const atg_person *p,
                         atg_err *err) {
    if (!compare_persons(op, l->y, p, p).n_compared)
        return ATG_OK;
    if (l->n == l->cap) {
        uint32_t cap = l->cap ? 2 * l->cap : ATG_OWN_MAX;
        const atg_person **more = ATG_GET(arena, const atg_person *, cap);

        if (!more)
            return atg_fail(err, ATG_ENOMEM, "Out of memory explaining a pair");
        for (uint32_t i = 0; i < l->n; i++)
            more[i] = l->relatives[i];
        l->relatives = more;
        l->cap = cap;
    }
    l->relatives[l->n++] = p;
    return ATG_OK;
}

/* A relative, and what is from a relative who is missing too. */
static int add_references(atg_arena *arena, const atg_operation *op, lineage *l,
                          const atg_person *p, atg_err *err) {
    int rc = add_reference(arena, op, l, p, err);

    for (uint32_t k = 0; k < p->n_own && !rc; k++) {
        atg_person *as = ATG_GET(arena, atg_person, 1);

        if (!as)
            return atg_fail(err, ATG_ENOMEM, "Out of memory explaining a pair");
        *as = (atg_person){.genos = p->own[k].genos, .mt = p->own[k].mt};
        as->id = atg_arena_printf(arena, "the own sample %.*s of %.*s", ATG_FMT(p->own[k].id),
                                  ATG_FMT(p->id));
        rc = lines_made(as->id, err);
        if (!rc)
            rc = add_reference(arena, op, l, as, err);
    }
    return rc;
}

static int compile_line(atg_arena *arena, const atg_operation *op, uint32_t missing, bool y,
                        void **ret, atg_err *err) {
    uint32_t found[ATG_PEDIGREE_MAX], n;
    const atg_missing *who;
    const atg_pedigree *ped;
    lineage *l;
    int rc = ATG_OK;

    if (missing >= op->n_missing)
        return atg_fail(err, ATG_EINVAL, "There is no missing person %u", missing);
    who = &op->missing[missing];
    n = atg_lineage_relatives(op, who->family, who->person, y, found);
    l = ATG_GET(arena, lineage, 1);
    if (!l)
        return atg_fail(err, ATG_ENOMEM, "Out of memory explaining a pair");
    l->y = y;
    l->family = who->family;
    ped = &op->families[who->family].ped;
    if (!y || ped->persons[who->person].sex != ATG_SEX_FEMALE)
        rc = add_references(arena, op, l, &ped->persons[who->person], err);
    for (uint32_t i = 0; i < n && !rc; i++)
        rc = add_references(arena, op, l, &ped->persons[found[i]], err);
    if (!rc)
        *ret = l;
    return rc;
}

static int compile_y(atg_arena *arena, const atg_operation *op, uint32_t missing, void **ret,
                     atg_err *err) {
    return compile_line(arena, op, missing, true, ret, err);
}

static int compile_mt(atg_arena *arena, const atg_operation *op, uint32_t missing, void **ret,
                      atg_err *err) {
    return compile_line(arena, op, missing, false, ret, err);
}

/* References of one line that contradict each other can support nothing. */
static bool references_agree(const atg_operation *op, const lineage *l) {
    for (uint32_t i = 0; i < l->n; i++)
        for (uint32_t k = i + 1; k < l->n; k++) {
            atg_lineage_cmp cmp = compare_persons(op, l->y, l->relatives[i], l->relatives[k]);

            if (meaning(l->y, &cmp) == ATG_FINDING_CONTRADICTS)
                return false;
        }
    return true;
}

/* The relative nearest to the sample, the one compared at most places among several. */
static const atg_person *nearest(const atg_operation *op, const lineage *l,
                                 const atg_person *sample, atg_lineage_cmp *ret) {
    const atg_person *best = NULL;

    *ret = (atg_lineage_cmp){0};
    for (uint32_t i = 0; i < l->n; i++) {
        atg_lineage_cmp cmp = compare_persons(op, l->y, sample, l->relatives[i]);

        if (cmp.n_compared == 0 ||
            (best && (cmp.n_steps > ret->n_steps ||
                      (cmp.n_steps == ret->n_steps && cmp.n_compared <= ret->n_compared))))
            continue;
        best = l->relatives[i];
        *ret = cmp;
    }
    return best;
}

/* What a person of the counting database must have in full: what sample and relative share. */
typedef struct shared_part {
    bool y;
    uint32_t n; /* markers or positions */
    bool markers[ATG_MARKERS_MAX];
    struct atg_mt_range *ranges;
    atg_person as; /* the sample within that part */
} shared_part;

typedef struct count {
    uint64_t n, x; /* persons read in full, and those who have the haplotype */
} count;

static bool typed_y(const atg_operation *op, uint32_t m, const atg_person *p) {
    return op->markers[m].chrom == ATG_CHROM_Y && p->genos && atg_geno_typed(p->genos[m]);
}

static bool same_y(const atg_operation *op, const shared_part *part, const atg_geno *genos,
                   bool *ret_full) {
    bool same = true;

    for (uint32_t m = 0; m < op->n_markers; m++) {
        if (!part->markers[m])
            continue;
        if (!atg_geno_typed(genos[m])) {
            *ret_full = false;
            return false;
        }
        same = same && geno_same(part->as.genos[m], genos[m]);
    }
    *ret_full = true;
    return same;
}

/* Count one person; false when not read in full. */
static bool count_person(const atg_operation *op, const shared_part *part, const atg_geno *genos,
                         const atg_mt *mt, count *ret) {
    bool full = false, same = false;

    if (part->y) {
        same = genos && same_y(op, part, genos, &full);
    } else if (mt->n_ranges) {
        atg_lineage_cmp cmp;

        atg_mt_compare(&part->as.mt, mt, &cmp);
        full = cmp.n_compared == part->n;
        same = full && cmp.n_steps == 0;
    }
    ret->n += full;
    ret->x += same;
    return full;
}

/* The same of a person by the reference, or by an own sample. */
static bool count_persons(const atg_operation *op, const shared_part *part, const atg_person *p,
                          count *ret) {
    bool counted = count_person(op, part, p->genos, &p->mt, ret);

    for (uint32_t k = 0; k < p->n_own && !counted; k++)
        counted = count_person(op, part, p->own[k].genos, &p->own[k].mt, ret);
    return counted;
}

/* The operation's own unrelated persons: the other bodies, and one of each other family. */
static count count_operation(const atg_operation *op, const lineage *l, const shared_part *part,
                             const atg_sample *sample) {
    count ret = {0, 0};

    for (uint32_t i = 0; i < op->n_samples; i++) {
        const atg_sample *s = &op->samples[i];
        bool own =
            atg_str_eq(s->id, sample->id) || (s->body.n && atg_str_eq(s->body, sample->body));

        if (!own && !s->mixture)
            (void)count_person(op, part, s->genos, &s->mt, &ret);
    }
    for (uint32_t f = 0; f < op->n_families; f++) {
        const atg_pedigree *ped = &op->families[f].ped;
        bool counted = f == l->family;

        for (uint32_t i = 0; i < ped->n && !counted; i++)
            counted = count_persons(op, part, &ped->persons[i], &ret);
    }
    return ret;
}

static int make_part(atg_arena *arena, const atg_operation *op, bool y, const atg_person *sample,
                     const atg_person *relative, shared_part *ret, atg_err *err) {
    const atg_mt *a = &sample->mt, *b = &relative->mt;
    uint32_t n = 0;

    *ret = (shared_part){.y = y, .as = *sample};
    for (uint32_t m = 0; m < op->n_markers && y; m++) {
        ret->markers[m] = typed_y(op, m, sample) && typed_y(op, m, relative);
        ret->n += ret->markers[m];
    }
    if (y)
        return ATG_OK;
    ret->ranges = ATG_GET(arena, struct atg_mt_range, a->n_ranges + b->n_ranges);
    if (!ret->ranges)
        return atg_fail(err, ATG_ENOMEM, "Out of memory explaining a pair");
    for (uint32_t i = 0; i < a->n_ranges; i++)
        for (uint32_t k = 0; k < b->n_ranges; k++) {
            struct atg_mt_range r = a->ranges[i], s = b->ranges[k];

            r.from = r.from > s.from ? r.from : s.from;
            r.to = r.to < s.to ? r.to : s.to;
            if (r.from > r.to)
                continue;
            ret->n += r.to - r.from + 1U;
            ret->ranges[n++] = r;
        }
    ret->as.mt.n_ranges = n;
    ret->as.mt.ranges = ret->ranges;
    return ATG_OK;
}

static double capped(double log10_lr) {
    return log10_lr < lead_ceiling ? log10_lr : lead_ceiling;
}

/* A match counts as one over the upper limit of the haplotype's share, itself counted in. */
static int explain_match(atg_arena *arena, const atg_operation *op, const lineage *l,
                         const atg_sample *sample, const atg_person *relative, atg_evidence *ret,
                         atg_err *err) {
    atg_person as_person = {.genos = sample->genos, .mt = sample->mt};
    shared_part part;
    count c;
    double upper;
    int rc = make_part(arena, op, l->y, &as_person, relative, &part, err);

    if (rc)
        return rc;
    c = count_operation(op, l, &part, sample);
    upper = atg_clopper_pearson_upper(c.x + 1, c.n + 1, alpha);
    ret->log10_lr = ret->lower = capped(log10(1 / upper));
    ret->upper = capped(log10((double)(c.n + 1) / (double)(c.x + 1)));
    ret->reason = atg_arena_printf(
        arena,
        "The %s agrees with %.*s at all %u %s; %llu of %llu other persons of this operation have "
        "it, so that with 95 %% confidence at most %.3g %% do.  A lead.",
        l->y ? "Y haplotype" : "mtDNA", ATG_FMT(relative->id), part.n,
        l->y ? "markers" : "positions", (unsigned long long)c.x, (unsigned long long)c.n,
        100 * upper);
    ret->table = atg_arena_printf(arena, "counted among %llu persons of this operation",
                                  (unsigned long long)c.n);
    rc = lines_made(ret->reason, err);
    return rc ? rc : lines_made(ret->table, err);
}

/* Steps of Y markers, differing positions of mtDNA. */
static atg_str difference(atg_arena *arena, bool y, const atg_person *relative,
                          const atg_lineage_cmp *cmp, const char *end) {
    if (y)
        return atg_arena_printf(arena,
                                "The Y haplotype is %u step%s from that of %.*s, at %u of %u "
                                "markers: %s",
                                cmp->n_steps, cmp->n_steps == 1 ? "" : "s", ATG_FMT(relative->id),
                                cmp->n_differ, cmp->n_compared, end);
    return atg_arena_printf(arena, "The mtDNA differs from that of %.*s at %u of %u positions: %s",
                            ATG_FMT(relative->id), cmp->n_steps, cmp->n_compared, end);
}

static int explain_line(atg_arena *arena, const atg_operation *op, const void *compiled,
                        uint32_t missing, const atg_sample *sample, atg_evidence *ret,
                        atg_err *err) {
    const lineage *l = compiled;
    atg_person as_person = {.genos = sample->genos, .mt = sample->mt};
    atg_evidence e = {.reason = ATG_STR("No typed relative of this line shares a marker or "
                                        "position with the sample."),
                      .table = ATG_STR("none")};
    atg_lineage_cmp cmp;
    const atg_person *relative = nearest(op, l, &as_person, &cmp);
    int rc = ATG_OK;

    (void)missing;
    if (sample->mixture)
        e.reason = ATG_STR("A mixture is never compared.");
    else if (relative)
        e.finding = meaning(l->y, &cmp);
    if (e.finding != ATG_FINDING_NONE && !references_agree(op, l)) {
        e.finding = ATG_FINDING_INCONCLUSIVE;
        e.reason = ATG_STR("The references of this line do not agree with each other: another "
                           "reference is needed.");
    } else if (e.finding == ATG_FINDING_SUPPORTS) {
        rc = explain_match(arena, op, l, sample, relative, &e, err);
    } else if (e.finding == ATG_FINDING_INCONCLUSIVE) {
        e.reason = difference(arena, l->y, relative, &cmp, "neither for nor against.");
    } else if (e.finding == ATG_FINDING_CONTRADICTS) {
        e.log10_lr = e.lower = e.upper = -lead_ceiling;
        e.reason = difference(arena, l->y, relative, &cmp,
                              "not of one line if the family is as recorded.  A lead, no "
                              "exclusion.");
    }
    if (!rc)
        rc = lines_made(e.reason, err);
    if (!rc)
        *ret = e;
    return rc;
}

const atg_line line_y = {"Y-STR", ATG_LINE_LEAD, 2, compile_y, explain_line};
const atg_line line_mt = {"mtDNA", ATG_LINE_LEAD, 2, compile_mt, explain_line};
