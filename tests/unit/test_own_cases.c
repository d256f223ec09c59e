/* SPDX-License-Identifier: Apache-2.0 */
/* Own samples of missing persons in the case file: what stands in a missing person's file takes
 * part in matching. */
#include "matched_scene.h"

#include "app/merge.h"
#include "app/rules.h"

/* The true missing person of sample i, or -1. */
static int true_missing(const scene *s, uint32_t i) {
    return s->truth.missing_of_sample[i];
}

/* A sample whose person is on the list, the k-th. */
static uint32_t known_sample(const scene *s, uint32_t k) {
    for (uint32_t i = 0; i < s->op.n_samples; i++)
        if (true_missing(s, i) >= 0 && !s->op.samples[i].mixture && !k--)
            return i;
    fail_msg("too few samples");
    return 0;
}

/* Missing persons of the exercise get what their bodies show as own samples. */
static void give_own(scene *s) {
    atg_family *families = ATG_GET(s->m.arena, atg_family, s->op.n_families);

    assert_non_null(families);
    memcpy(families, s->op.families, s->op.n_families * sizeof(*families));
    for (uint32_t k = 0; k < 5; k++) {
        const atg_sample *sample = &s->op.samples[known_sample(s, k)];
        const atg_missing *who = &s->op.missing[true_missing(s, known_sample(s, k))];
        atg_family *f = &families[who->family];
        atg_person *persons = ATG_GET(s->m.arena, atg_person, f->ped.n);
        atg_own *own = ATG_GET(s->m.arena, atg_own, 2);

        assert_true(persons && own);
        own[0] = (atg_own){.id = ATG_STR("brush"), .genos = sample->genos, .dropout = 0.1};
        own[1] = (atg_own){
            .id = ATG_STR("biopsy"), .genos = sample->genos, .dropout = 0.05, .dropin = 0.01};
        memcpy(persons, f->ped.persons, f->ped.n * sizeof(*persons));
        persons[who->person].own = own;
        persons[who->person].n_own = 1 + k % 2;
        f->ped.persons = persons;
    }
    s->op.families = families;
}

static void what_was_saved_is_loaded_as_own_samples(const database *where) {
    scene s = open_scene_of(where, give_own);
    loading w = {.s = &s};
    atg_err err = {0};

    made_ok(store_read(cases_store(s.m.c), load, &w, &err), &err);
    for (uint32_t k = 0; k < 5; k++) {
        uint32_t j = (uint32_t)true_missing(&s, known_sample(&s, k));
        int64_t at = find_missing(&s.op, s.op.missing[j].id, &w.in, &s.m);

        assert_true(at >= 0);

        const atg_missing *who = &w.in.op.missing[at];
        const atg_person *p = &w.in.op.families[who->family].ped.persons[who->person];
        double want = pair_lr(&s.op, known_sample(&s, k), j), got = -1;

        assert_true(p->n_own >= 1 + k % 2);
        for (uint32_t i = 0; i < w.in.op.n_samples; i++) {
            got = pair_lr(&w.in.op, i, (uint32_t)at);
            if (fabs(got - want) < 1e-9)
                break;
        }
        assert_true(fabs(got - want) < 1e-9);
    }
    made_cases_close(&s.m);
}

/* ---- one person alone ---- */

static record *new_of(const scene *s, record_kind kind, const uuid *file) {
    record *r = record_new(s->m.arena, kind);

    assert_non_null(r);
    r->operation = s->saved.operation;
    if (file)
        r->file = *file;
    return r;
}

/* The autosomal profile that stands in a file. */
static record *profile_in(const scene *s, const uuid *file) {
    seen *all;
    uint32_t n;
    atg_err err = {0};

    made_ok(cases_file(s->m.c, &s->m.all, s->m.arena, file, &all, &n, &err), &err);
    for (uint32_t i = 0; i < n; i++)
        if (all[i].r->kind == RECORD_PROFILE && !all[i].r->withdrawn &&
            all[i].r->fields[PROFILE_KIND].choice == 0)
            return all[i].r;
    return NULL;
}

/* A profile in the missing file as the remains show it. */
static record *add_own(const scene *s, const uuid *missing, const uuid *remains, bool mixture) {
    record *r = new_of(s, RECORD_PROFILE, missing), *shown = profile_in(s, remains);

    assert_non_null(shown);
    made_set(s->m.arena, r, "kind", "autosomal");
    r->fields[PROFILE_GENOTYPES] = shown->fields[PROFILE_GENOTYPES];
    r->fields[PROFILE_DROPOUT] = shown->fields[PROFILE_DROPOUT];
    r->fields[PROFILE_DROPIN] = shown->fields[PROFILE_DROPIN];
    if (mixture)
        made_set(s->m.arena, r, "mixture", "yes");
    made_add(&s->m, r);
    return r;
}

static record *add_missing(const scene *s, const char *name) {
    record *r = made_missing(&s->m, name, "Kim");

    r->operation = s->saved.operation;
    made_set(s->m.arena, r, "sex", "unknown");
    made_add(&s->m, r);
    return r;
}

/* The hypothesis of this pair, or NULL, and its DNA evidence. */
static record *hypothesis(const scene *s, const uuid *remains, const uuid *missing,
                          record **ret_dna) {
    record *found = NULL;
    seen *all;
    uint32_t n;
    atg_err err = {0};

    made_ok(cases_file(s->m.c, &s->m.by[ROLE_RECONCILER], s->m.arena, remains, &all, &n, &err),
            &err);
    for (uint32_t i = 0; i < n; i++)
        if (all[i].r->kind == RECORD_HYPOTHESIS &&
            uuid_cmp(&all[i].r->fields[HYPOTHESIS_MISSING].ref, missing) == 0)
            found = all[i].r;
    for (uint32_t i = 0; i < n && found && ret_dna; i++)
        if (all[i].r->kind == RECORD_EVIDENCE && all[i].r->fields[EVIDENCE_PRIMARY].flag &&
            uuid_cmp(&all[i].r->fields[EVIDENCE_HYPOTHESIS].ref, &found->id) == 0)
            *ret_dna = all[i].r;
    return found;
}

static bool says(const value *v, const char *part) {
    return v->known && memmem(v->text.p, v->text.n, part, strlen(part));
}

static uuid some_remains(scene *s, uint32_t k) {
    loading w = {.s = s};
    atg_err err = {0};

    made_ok(store_read(cases_store(s->m.c), load, &w, &err), &err);
    assert_true(k < w.in.op.n_samples);
    return w.in.remains[k];
}

static double lr_of(const record *h) {
    return h && h->fields[HYPOTHESIS_LOG10_LR].known ? h->fields[HYPOTHESIS_LOG10_LR].number
                                                     : (double)NAN;
}

static void a_body_that_matches_a_toothbrush_is_found(const database *where) {
    scene s = open_scene(where);
    uuid body = some_remains(&s, 0);
    record *who, *h, *dna = NULL;
    matcher_done done;

    (void)run(&s.m);
    who = add_missing(&s, "Alone");
    assert_null(hypothesis(&s, &body, &who->id, NULL));
    (void)add_own(&s, &who->id, &body, false);
    done = run(&s.m);
    assert_int_equal(done.failed, 0);
    h = hypothesis(&s, &body, &who->id, &dna);
    assert_true(lr_of(h) > 4);
    assert_true(says(&h->fields[HYPOTHESIS_RULE], "direct comparison with an own sample"));
    assert_non_null(dna);
    assert_true(says(&dna->fields[EVIDENCE_REASON], "direct comparison with an own sample"));
    assert_int_equal(run(&s.m).jobs, 0);
    made_cases_close(&s.m);
}

static void a_withdrawn_own_sample_counts_no_longer(const database *where) {
    scene s = open_scene(where);
    uuid body = some_remains(&s, 0);
    record *who = add_missing(&s, "Alone"), *profile = add_own(&s, &who->id, &body, false);
    loading w = {.s = &s};
    uint32_t n;
    atg_err err = {0};

    made_ok(store_read(cases_store(s.m.c), load, &w, &err), &err);
    n = w.in.op.n_missing;
    made_ok(made_change(&s.m, &s.m.all, CHANGE_WITHDRAW, profile, &err), &err);
    made_ok(store_read(cases_store(s.m.c), load, &w, &err), &err);
    assert_int_equal(w.in.op.n_missing, n - 1);
    (void)add_own(&s, &who->id, &body, true); /* a mixture is never compared */
    made_ok(store_read(cases_store(s.m.c), load, &w, &err), &err);
    assert_int_equal(w.in.op.n_missing, n - 1);
    made_cases_close(&s.m);
}

static void a_part_with_own_samples_is_loaded_as_in_the_whole(const database *where) {
    scene s = open_scene_of(where, give_own);
    uuid body = some_remains(&s, 0);
    record *who = add_missing(&s, "Alone");
    loading all = {.s = &s};
    uint32_t own = 0;
    atg_err err = {0};

    (void)add_own(&s, &who->id, &body, false);
    made_ok(store_read(cases_store(s.m.c), load, &all, &err), &err);
    for (uint32_t f = 0; f < all.in.op.n_families; f++) {
        loading part = {.s = &s, .head = all.in.head, .only = all.in.families[f]};
        const atg_family *whole = &all.in.op.families[f], *alone;

        made_ok(store_read(cases_store(s.m.c), load, &part, &err), &err);
        assert_int_equal(part.in.op.n_families, 1);
        assert_int_equal(part.in.alleles, all.in.alleles);
        alone = part.in.op.families;
        assert_int_equal(alone->ped.n, whole->ped.n);
        for (uint32_t i = 0; i < whole->ped.n; i++) {
            assert_int_equal(alone->ped.persons[i].n_own, whole->ped.persons[i].n_own);
            own += whole->ped.persons[i].n_own;
        }
    }
    assert_true(own >= 6);
    made_cases_close(&s.m);
}

/* ---- kept ready in memory ---- */

static matcher *large(const scene *s) {
    matcher *ret = NULL;
    atg_err err = {0};

    made_ok(matcher_open(s->m.c, &(matcher_options){.threads = 1, .large = 1}, &ret, &err), &err);
    return ret;
}

static uint32_t rank_all(matcher *engine) {
    matcher_done done;
    atg_err err = {0};

    made_ok(matcher_run(engine, NULL, &done, &err), &err);
    assert_int_equal(done.failed, 0);
    return done.jobs;
}

static void an_own_sample_is_ranked_at_once(const database *where) {
    scene s = open_scene(where);
    ATG_AUTO(matcher) engine = NULL;
    uuid body = some_remains(&s, 0);
    record *who, *h;

    (void)run(&s.m);
    engine = large(&s);
    who = add_missing(&s, "Alone");
    assert_int_equal(rank_all(engine), 1);
    (void)add_own(&s, &who->id, &body, false);
    assert_int_equal(rank_all(engine), 1);
    h = hypothesis(&s, &body, &who->id, NULL);
    assert_true(lr_of(h) > 4);
    assert_true(says(&h->fields[HYPOTHESIS_RULE], "directly with an own sample"));
    made_cases_close(&s.m);
}

static void a_relatives_own_sample_is_ranked_with_the_family(const database *where) {
    scene s = open_scene(where);
    ATG_AUTO(matcher) engine = NULL;
    loading w = {.s = &s};
    double before;
    record *h;
    atg_err err = {0};

    (void)run(&s.m);
    made_ok(store_read(cases_store(s.m.c), load, &w, &err), &err);
    engine = large(&s);
    for (uint32_t i = 0; i < w.in.op.n_samples; i++) {
        uint32_t j = 0;

        while (j < w.in.op.n_missing && !hypothesis(&s, &w.in.remains[i], &w.in.missing[j], NULL))
            j++;
        if (j == w.in.op.n_missing)
            continue;
        before = lr_of(hypothesis(&s, &w.in.remains[i], &w.in.missing[j], NULL));
        (void)add_own(&s, &w.in.missing[j], &w.in.remains[i], false);
        assert_int_equal(rank_all(engine), 1);
        h = hypothesis(&s, &w.in.remains[i], &w.in.missing[j], NULL);
        assert_true(lr_of(h) > before + 1);
        assert_true(says(&h->fields[HYPOTHESIS_RULE], "directly with an own sample"));
        break;
    }
    made_cases_close(&s.m);
}

static void a_merged_report_lends_its_own_samples(const database *where) {
    scene s = open_scene(where);
    uuid body = some_remains(&s, 0);
    record *into = add_missing(&s, "Alone"), *from = add_missing(&s, "Allone");
    loading w = {.s = &s};
    uint32_t n = 0;
    atg_err err = {0};

    (void)add_own(&s, &from->id, &body, false);
    made_ok(cases_merge(s.m.c, &s.m.all, &into->id, &from->id, &err), &err);
    made_ok(store_read(cases_store(s.m.c), load, &w, &err), &err);
    for (uint32_t j = 0; j < w.in.op.n_missing; j++) {
        n += uuid_cmp(&w.in.missing[j], &into->id) == 0;
        assert_true(uuid_cmp(&w.in.missing[j], &from->id) != 0);
    }
    assert_int_equal(n, 1);
    made_cases_close(&s.m);
}

typedef struct leaving {
    uuid profile;
} leaving;

static int may_leave(db *d, void *user, atg_err *err) {
    static const uuid nowhere;
    const leaving *w = user;

    return rules_may_leave(d, RECORD_PROFILE, &w->profile, ATG_STR("Institute K2"), &nowhere,
                           clock_now(), err);
}

/* No relative gave it, so that no donor's agreement holds it back; and none can be named. */
static void an_own_sample_leaves_with_its_file(const database *where) {
    scene s = open_scene(where);
    uuid body = some_remains(&s, 0);
    record *who = add_missing(&s, "Alone"), *own = add_own(&s, &who->id, &body, false);
    loading w = {.s = &s};
    leaving l = {own->id};
    record *theirs;
    atg_err err = {0};

    made_ok(store_read(cases_store(s.m.c), may_leave, &l, &err), &err);
    made_ok(store_read(cases_store(s.m.c), load, &w, &err), &err);
    theirs = NULL;
    for (uint32_t f = 0; f < w.in.op.n_families && !theirs; f++)
        theirs = profile_in(&s, &w.in.families[f]);
    if (!theirs) {
        fail_msg("no relative is typed");
        return;
    }
    l.profile = theirs->id;
    assert_int_equal(store_read(cases_store(s.m.c), may_leave, &l, &err), ATG_EDENIED);
    made_cases_close(&s.m);
}

typedef struct small_load {
    loading *w;
    atg_arena *arena;
} small_load;

static int load_small(db *d, void *user, atg_err *err) {
    small_load *small = user;
    loading *w = small->w;
    load_scope which = {.operation = w->s->saved.operation,
                        .only = &w->only,
                        .head = w->head,
                        .today = clock_now()};

    return operation_load(d, cases_keys(w->s->m.c), small->arena, &which, NULL, &w->in, err);
}

/* Load within so much memory; `*ret_kept` is what stays allocated behind it. */
static int load_within(loading *w, size_t limit, size_t *ret_kept, atg_err *err) {
    size_t before = mem_live();
    small_load small = {w, atg_arena_new(limit)};
    int rc;

    assert_non_null(small.arena);
    rc = store_read(cases_store(w->s->m.c), load_small, &small, err);
    if (!rc)
        assert_int_equal(w->in.op.families->ped.persons->n_own, 1);
    atg_arena_free(small.arena);
    *ret_kept = mem_live() - before;
    return rc;
}

static void memory_that_is_too_small_is_told_at_every_size(const database *where) {
    scene s = open_scene(where);
    uuid body = some_remains(&s, 0);
    record *who = add_missing(&s, "Alone");
    loading w = {.s = &s}, part;
    int rc = ATG_ENOMEM;
    atg_err err = {0};

    (void)add_own(&s, &who->id, &body, false);
    made_ok(store_read(cases_store(s.m.c), load, &w, &err), &err);
    part = (loading){.s = &s, .head = w.in.head, .only = who->id};
    made_ok(store_read(cases_store(s.m.c), load, &part, &err), &err); /* statements are kept */
    for (size_t limit = 0; rc == ATG_ENOMEM; limit += 256) {
        size_t kept = 0;

        rc = load_within(&part, limit, &kept, &err);
        /* another connection of the pool prepares its statements once; a leak is there each time */
        for (int i = 0; i < 8 && kept; i++)
            rc = load_within(&part, limit, &kept, &err);
        assert_int_equal(kept, 0);
    }
    made_ok(rc, &err);
    made_cases_close(&s.m);
}

int main(void) {
    static const database_test tests[] = {
        {"what was saved is loaded as own samples", what_was_saved_is_loaded_as_own_samples,
         ON_BOTH},
        {"a body that matches a toothbrush is found", a_body_that_matches_a_toothbrush_is_found,
         ON_BOTH},
        {"a withdrawn own sample counts no longer", a_withdrawn_own_sample_counts_no_longer,
         ON_BOTH},
        {"a part with own samples is loaded as in the whole",
         a_part_with_own_samples_is_loaded_as_in_the_whole, ON_BOTH},
        {"an own sample is ranked at once", an_own_sample_is_ranked_at_once, ON_BOTH},
        {"a relative's own sample is ranked with the family",
         a_relatives_own_sample_is_ranked_with_the_family, ON_BOTH},
        {"a merged report lends its own samples", a_merged_report_lends_its_own_samples, ON_BOTH},
        {"an own sample leaves with its file", an_own_sample_leaves_with_its_file, ON_BOTH},
        {"memory that is too small is told at every size",
         memory_that_is_too_small_is_told_at_every_size, ON_SQLITE},
    };

    return DATABASE_RUN(tests);
}
