/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include <stdio.h>

#include "base/file.h"
#include "exercise_markers.h"
#include "same_operation.h"
#include "schema.h"

enum { ARENA = 256 << 20, OUT = 64 << 20, SEEDS = 12 };

static const char lab[] = "Institute K1";

/* A random operation with every feature of the format here and there. */
typedef struct rich {
    atg_arena *arena;
    atg_rng rng;
    atg_operation op;
} rich;

static bool now_and_then(rich *r) {
    return atg_rng_below(&r->rng, 4) == 0;
}

static double share(rich *r) {
    return atg_rng_unit(&r->rng) * 0.4;
}

static atg_mutation some_mutation(rich *r, uint16_t n) {
    atg_mutation m = {.model = (atg_mutation_model)atg_rng_below(&r->rng, 7),
                      .transform = (atg_mutation_transform)atg_rng_below(&r->rng, 5)};

    if (m.model == ATG_MUT_CUSTOM) {
        double *matrix = ATG_GET(r->arena, double, (size_t)n *n);

        assert_non_null(matrix);
        for (uint16_t i = 0; i < n; i++) {
            double q = share(r);

            matrix[i * n + i] = 1 - q;
            matrix[i * n + (i + 1) % n] += q;
        }
        m.matrix = matrix;
    } else if (m.model != ATG_MUT_NONE) {
        m.rate = share(r);
        m.rate2 = share(r);
        m.range = share(r) + 0.01;
    }
    return m;
}

static void enrich_markers(rich *r) {
    atg_marker *m = ATG_GET(r->arena, atg_marker, r->op.n_markers);

    assert_non_null(m);
    for (uint32_t i = 0; i < r->op.n_markers; i++) {
        m[i] = r->op.markers[i];
        m[i].female = some_mutation(r, m[i].n);
        m[i].male = some_mutation(r, m[i].n);
        m[i].linkage_group = (uint16_t)atg_rng_below(&r->rng, 3);
        m[i].linked_to = -1;
        if (i && m[i].chrom == ATG_CHROM_AUTOSOMAL && m[i - 1].linked_to < 0 && now_and_then(r)) {
            m[i].linked_to = (int16_t)(i - 1);
            m[i].rho = share(r);
        }
    }
    r->op.markers = m;
}

static atg_mt some_mt(rich *r) {
    static const struct atg_mt_range ranges[] = {{73, 340}, {16024, 16365}};
    static const atg_str diffs[] = {{"73G", 3}, {"263G", 4}, {"315.1C", 6}, {"16126C", 6}};

    if (!now_and_then(r))
        return (atg_mt){.n_ranges = 0};
    return (atg_mt){2, ranges, (uint32_t)atg_rng_below(&r->rng, 5), diffs};
}

static atg_sample *enrich_samples(rich *r, uint32_t n, const atg_sample *from) {
    atg_sample *s = ATG_GET(r->arena, atg_sample, n);

    assert_non_null(s);
    for (uint32_t i = 0; i < n; i++) {
        s[i] = from[i];
        s[i].dropout = now_and_then(r) ? share(r) : 0;
        s[i].dropin = now_and_then(r) ? share(r) : 0;
        s[i].mixture = now_and_then(r);
        s[i].part = now_and_then(r);
        s[i].body = now_and_then(r) ? ATG_STR("B \"1\" \xc3\xa9\\") : ATG_STR("");
        s[i].mt = some_mt(r);
    }
    return s;
}

/* Samples of a missing person from before, as bodies of that sex show. */
static void some_owns(rich *r, atg_person *p) {
    static const char *const ids[] = {"brush", "bi\"opsy"};
    atg_own *own = ATG_GET(r->arena, atg_own, 2);

    assert_non_null(own);
    p->mt = (atg_mt){.n_ranges = 0};
    for (uint32_t i = 0; i < r->op.n_samples && p->n_own < 2; i++) {
        if (r->op.samples[i].sex != p->sex || !now_and_then(r))
            continue;
        own[p->n_own] = (atg_own){.id = atg_str_of(ids[p->n_own]),
                                  .genos = r->op.samples[i].genos,
                                  .dropout = now_and_then(r) ? share(r) : 0,
                                  .dropin = now_and_then(r) ? share(r) : 0,
                                  .mt = some_mt(r)};
        p->n_own++;
    }
    p->own = own;
}

static void enrich_family(rich *r, atg_family *f) {
    atg_person *p = ATG_GET(r->arena, atg_person, f->ped.n);
    atg_consent *c = ATG_GET(r->arena, atg_consent, f->ped.n);

    assert_true(p && c);
    f->n_consents = 0;
    for (uint32_t i = 0; i < f->ped.n; i++) {
        p[i] = f->ped.persons[i];
        p[i].mt = some_mt(r);
        p[i].implicit = !p[i].genos && now_and_then(r);
        p[i].dropout = p[i].genos && now_and_then(r) ? share(r) : 0;
        p[i].inbreeding = p[i].father < 0 && now_and_then(r) ? share(r) : 0;
        if (now_and_then(r))
            c[f->n_consents++] =
                (atg_consent){.person = i,
                              .recipient = now_and_then(r) ? atg_str_of(lab) : ATG_STR("else"),
                              .until = now_and_then(r) ? ATG_STR("2031-01-31") : ATG_STR("")};
    }
    for (uint32_t i = 0; i < f->n_missing; i++)
        some_owns(r, &p[r->op.missing[f->missing[i]].person]);
    f->ped.persons = p;
    f->consents = c;
}

static void enrich_params(rich *r) {
    atg_params *p = &r->op.params;
    size_t n = (size_t)r->op.n_samples * r->op.n_missing;
    double *given = ATG_GET(r->arena, double, n);

    assert_non_null(given);
    p->population = ATG_STR("made up");
    p->source = ATG_STR("a test");
    p->theta = share(r);
    p->min_freq = share(r);
    p->n_population = (uint32_t)atg_rng_below(&r->rng, 1000);
    p->process_error = share(r);
    p->threshold = 0.9995 + share(r) / 1000;
    p->min_log10_lr = share(r) * 10;
    p->max_incompatible = (uint32_t)atg_rng_below(&r->rng, 5);
    p->prior = (atg_prior){.kind = (atg_prior_kind)atg_rng_below(&r->rng, 3),
                           .not_on_list = share(r) + 0.01,
                           .n_expected = (uint32_t)atg_rng_below(&r->rng, 2) * 77};
    if (now_and_then(r)) {
        for (size_t i = 0; i < n; i++)
            given[i] = now_and_then(r) ? share(r) : atg_prior_odds(&r->op, 0, 0);
        p->prior.given = given;
    }
}

static rich some_operation(uint64_t seed) {
    rich r = {.arena = atg_arena_new(ARENA), .rng = atg_rng_seed(seed)};
    atg_exercise_options o = atg_exercise_default();
    atg_truth truth;
    atg_family *f;

    assert_non_null(r.arena);
    o.n_missing = 8;
    o.seed = seed;
    assert_int_equal(atg_exercise_make(r.arena, table_size(6), table_markers(r.arena, 6), &o, &r.op,
                                       &truth, NULL),
                     ATG_OK);
    enrich_markers(&r);
    r.op.staff = enrich_samples(&r, 2, r.op.samples);
    r.op.n_staff = 2;
    r.op.samples = enrich_samples(&r, r.op.n_samples, r.op.samples);
    f = ATG_GET(r.arena, atg_family, r.op.n_families);
    assert_non_null(f);
    for (uint32_t i = 0; i < r.op.n_families; i++) {
        f[i] = r.op.families[i];
        enrich_family(&r, &f[i]);
    }
    r.op.families = f;
    enrich_params(&r);
    return r;
}

static atg_str written(const atg_operation *op, const char *recipient, atg_buf *buf) {
    atg_err err;
    atg_str text;

    if (atg_operation_write_json(op, recipient, buf, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(atg_buf_take(buf, &text, NULL), ATG_OK);
    return text;
}

static atg_operation read_back(atg_arena *arena, atg_str text) {
    atg_operation op;
    atg_err err;
    atg_notes *notes = atg_notes_new(arena);

    assert_non_null(notes);
    if (atg_operation_read_json(arena, text, &op, notes, &err))
        fail_msg("%u:%u %s", err.line, err.col, err.msg);
    if (notes->n)
        fail_msg("%s", notes->text[0].p);
    return op;
}

static void assert_fits_schema(atg_str text) {
    json_t *schema = schema_named("operation");
    json_t *doc = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);

    assert_non_null(doc);
    assert_true(schema_fits(schema, schema, doc));
    json_decref(doc);
    json_decref(schema);
}

static void what_is_written_reads_back_as_the_same_operation(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        rich r = some_operation(seed);
        ATG_AUTO(atg_buf) buf = atg_buf_new(OUT);
        ATG_AUTO(atg_buf) again = atg_buf_new(OUT);
        atg_str text = written(&r.op, NULL, buf), twice;
        atg_operation op = read_back(r.arena, text);

        same_operation(&r.op, &op);
        twice = written(&op, NULL, again);
        same_text(text, twice);
        assert_fits_schema(text);
        atg_arena_free(r.arena);
    }
}

static bool may_see(const atg_family *f, uint32_t person) {
    for (uint32_t i = 0; i < f->n_consents; i++)
        if (f->consents[i].person == person &&
            atg_str_eq(f->consents[i].recipient, atg_str_of(lab)))
            return true;
    return false;
}

static void a_relatives_profile_leaves_only_with_consent(void **state) {
    uint32_t shown = 0, hidden = 0, own = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        rich r = some_operation(seed);
        ATG_AUTO(atg_buf) buf = atg_buf_new(OUT);
        atg_operation op = read_back(r.arena, written(&r.op, lab, buf));

        assert_int_equal(op.n_staff, 0);
        same_samples(op.n_markers, op.n_samples, op.samples, r.op.samples);
        for (uint32_t f = 0; f < op.n_families; f++) {
            const atg_family *was = &r.op.families[f], *is = &op.families[f];

            for (uint32_t i = 0; i < is->n_consents; i++)
                assert_true(atg_str_eq(is->consents[i].recipient, atg_str_of(lab)));
            for (uint32_t i = 0; i < is->ped.n; i++) {
                const atg_person *p = &was->ped.persons[i], *q = &is->ped.persons[i];
                bool may = may_see(was, i);

                same_genotypes(op.n_markers, q->genos, may ? p->genos : NULL);
                same_mt(&q->mt, may ? &p->mt : &(atg_mt){.n_ranges = 0});
                shown += may && p->genos;
                hidden += !may && p->genos;
                same_owns(op.n_markers, q, p); /* no relative's */
                own += p->n_own;
            }
        }
        atg_arena_free(r.arena);
    }
    assert_true(shown > 5 && hidden > 50 && own > 5);
}

static atg_str example(atg_arena *arena) {
    const char *folder = getenv("ATG_DATA_DIR"); /* NOLINT(concurrency-mt-unsafe): one thread */
    char path[4096];
    atg_str bytes;

    assert_non_null(folder);
    snprintf(path, sizeof(path), "%s/examples/boat.json", folder);
    assert_int_equal(file_read(arena, path, ATG_INPUT_MAX, &bytes, NULL), ATG_OK);
    return bytes;
}

static void the_shipped_example_is_as_this_version_writes_it(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    ATG_AUTO(atg_buf) buf = atg_buf_new(OUT);
    atg_str bytes = example(arena);
    atg_operation op = read_back(arena, bytes);

    (void)state;
    assert_fits_schema(bytes);
    same_text(bytes, written(&op, NULL, buf));
    assert_int_equal(op.n_families, 5);
    assert_int_equal(op.n_missing, 6);
    assert_int_equal(op.n_samples, 7);
}

/* Can a child of these parents have this genotype, and the other way round? */
static bool passes(const atg_geno *parent, const atg_geno *child, uint32_t m) {
    atg_geno p = parent[m], c = child[m];

    if (!atg_geno_typed(p) || !atg_geno_typed(c) || p.b < 0 || c.b < 0)
        return true;
    return p.a == c.a || p.a == c.b || p.b == c.a || p.b == c.b;
}

static void relatives_of_the_example_fit_without_mutation(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    atg_operation op = read_back(arena, example(arena));
    uint32_t compared = 0;

    (void)state;
    for (uint32_t f = 0; f < op.n_families; f++) {
        const atg_pedigree *ped = &op.families[f].ped;

        for (uint32_t i = 0; i < ped->n; i++) {
            const atg_person *child = &ped->persons[i];
            const int32_t parents[] = {child->father, child->mother};

            for (int k = 0; k < 2; k++) {
                const atg_geno *p = parents[k] < 0 ? NULL : ped->persons[parents[k]].genos;

                for (uint32_t m = 0; p && child->genos && m < op.n_markers; m++, compared++)
                    if (op.markers[m].chrom == ATG_CHROM_AUTOSOMAL)
                        assert_true(passes(p, child->genos, m));
            }
        }
    }
    assert_true(compared > 50);
}

static void an_operation_without_population_is_not_written(void **state) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(OUT);
    atg_operation op = {.params = atg_params_default()};
    atg_err err;
    atg_str text;

    (void)state;
    assert_int_equal(atg_operation_write_json(&op, NULL, buf, &err), ATG_EINVAL);
    assert_non_null(strstr(err.msg, "names no population"));
    assert_int_equal(atg_buf_take(buf, &text, NULL), ATG_OK);
    assert_int_equal(text.n, 0);
}

static void short_memory_is_reported_and_leaks_nothing(void **state) {
    rich r = some_operation(3);
    size_t before = mem_live();
    int rc = ATG_ENOMEM;

    (void)state;
    for (long k = 0; rc == ATG_ENOMEM; k++) {
        mem_fail_after(k);

        atg_buf *buf = atg_buf_new(OUT);

        if (buf)
            rc = atg_operation_write_json(&r.op, NULL, buf, NULL);
        mem_fail_after(-1);
        assert_true(rc == ATG_OK || rc == ATG_ENOMEM);
        atg_buf_free(buf);
        assert_int_equal(mem_live(), before);
    }
    assert_int_equal(rc, ATG_OK);
    atg_arena_free(r.arena);
}

static void a_small_buffer_is_reported(void **state) {
    rich r = some_operation(4);
    ATG_AUTO(atg_buf) buf = atg_buf_new(1000);

    (void)state;
    assert_int_equal(atg_operation_write_json(&r.op, NULL, buf, NULL), ATG_ELIMIT);
    atg_arena_free(r.arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_reads_back_as_the_same_operation),
        cmocka_unit_test(a_relatives_profile_leaves_only_with_consent),
        cmocka_unit_test(the_shipped_example_is_as_this_version_writes_it),
        cmocka_unit_test(relatives_of_the_example_fit_without_mutation),
        cmocka_unit_test(an_operation_without_population_is_not_written),
        cmocka_unit_test(short_memory_is_reported_and_leaks_nothing),
        cmocka_unit_test(a_small_buffer_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
