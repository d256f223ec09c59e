/* SPDX-License-Identifier: Apache-2.0 */
/* Every allocation of the engine fails in turn: each time it is said, and nothing leaks. */
#include "testing.h"

#include <math.h>

#include "made_own.h"

enum { ARENA = 1 << 24 };

typedef struct job {
    made_operation *o;
    atg_arena *arena;
} job;

typedef int job_fn(job *j, atg_err *err);

static int loglik(job *j, atg_err *err) {
    double ret;

    return atg_loglik(j->o->op.markers, 0, &j->o->family.ped, j->o->op.params.theta, &ret, err);
}

static int linked(job *j, atg_err *err) {
    double ret;

    return atg_loglik_linked(j->o->op.markers, 0, 1, 0.1, &j->o->family.ped, &ret, err);
}

static int loglik_obs(job *j, atg_err *err) {
    double ret;

    return atg_loglik_obs(j->o->op.markers, (atg_obs){{0, 1}, 0.1, 0.01}, ATG_SEX_MALE, 0, &ret,
                          err);
}

static int distribution(job *j, atg_err *err) {
    double ret[MADE_ALLELES * MADE_ALLELES], all;

    return atg_genotype_distribution(
        &(atg_person_at){j->o->op.markers, 0, &j->o->family.ped, 0, j->o->op.params.theta, NULL},
        ret, &all, err);
}

static int matrix(job *j, atg_err *err) {
    double ret[MADE_ALLELES * MADE_ALLELES];

    return atg_mutation_matrix(j->o->op.markers, &j->o->op.markers->female, ret, err);
}

static int exclusion_power(job *j, atg_err *err) {
    double ret;

    return atg_exclusion_power(j->o->op.markers, 1, &j->o->family.ped, 0, &ret, err);
}

static int compile(job *j, atg_err *err) {
    ATG_AUTO(atg_compiler) c = atg_compiler_new();
    atg_obs obs[2][MADE_OBS];
    double values[2][MADE_OBS], *to[2] = {values[0], values[1]};
    atg_obs_set sets[2];

    if (!c)
        return atg_fail(err, ATG_ENOMEM, "no compiler");
    for (uint32_t m = 0; m < 2; m++)
        sets[m] = (atg_obs_set){made_observations(&j->o->op.markers[m], false, obs[m]), obs[m]};
    return atg_compile(c, &j->o->op, 0, sets, to, err);
}

static int pair(job *j, atg_err *err) {
    double ret[2];

    return atg_pair_lr(&j->o->op, j->o->samples, 0, false, ret, err);
}

static int tuples(job *j, atg_err *err) {
    atg_tuples ret;

    return atg_family_tuples(j->arena, &j->o->op, 0, NULL, true, &ret, err);
}

static int power(job *j, atg_err *err) {
    const atg_power_options how = {.n_sim = 5, .seed = 1};
    atg_power_result ret;

    return atg_family_power(j->arena, &j->o->op, 0, &how, NULL, &ret, err);
}

/* Let the n-th allocation fail, for every n until none does. */
static void torture(const char *name, job_fn *fn, made_operation *o) {
    int rc = ATG_ENOMEM;

    for (long n = 0; rc == ATG_ENOMEM; n++) {
        size_t before = mem_live(), refused;
        job j = {o, atg_arena_new(ARENA)};
        atg_err err = {0};

        assert_non_null(j.arena);
        refused = mem_refused();
        mem_fail_after(n);
        rc = fn(&j, &err);
        mem_fail_after(-1);
        if (rc && rc != ATG_ENOMEM)
            fail_msg("%s, allocation %ld: code %d, %s", name, n, rc, err.msg);
        if (rc && (err.code != ATG_ENOMEM || !err.msg[0]))
            fail_msg("%s, allocation %ld: no words", name, n);
        if (!rc && mem_refused() != refused)
            fail_msg("%s, allocation %ld: a failure went unnoticed", name, n);
        atg_arena_free(j.arena);
        if (mem_live() != before)
            fail_msg("%s, allocation %ld: %zu blocks leaked", name, n, mem_live() - before);
    }
}

static void every_failed_allocation_is_told_and_leaks_nothing(void **state) {
    static const struct {
        const char *name;
        job_fn *fn;
    } jobs[] = {
        {"likelihood", loglik},
        {"linked likelihood", linked},
        {"an observation", loglik_obs},
        {"distribution", distribution},
        {"matrix", matrix},
        {"power of exclusion", exclusion_power},
        {"compile", compile},
        {"pair", pair},
        {"tuples", tuples},
        {"power", power},
    };
    static const made_options families[] = {
        {.persons = 5, .alleles = 3, .markers = 2, .model = 1, .typed = 0.6},
        {.persons = 5, .alleles = 3, .markers = 2, .model = 10, .typed = 0.6, .dropout = 0.1},
        {.persons = 6, .alleles = 4, .markers = 2, .model = 0, .typed = 0.6},
    };

    made_own own;

    (void)state;
    for (size_t f = 0; f < sizeof(families) / sizeof(*families); f++)
        for (int theta = 0; theta < 2; theta++) {
            prop p = prop_seed(f + 20);
            made_operation o;

            made_operation_open(&p, &o, &families[f], 2, theta ? 0.02 : 0);
            for (int i = 0; i < 3; i++)
                made_sample(&p, &o, o.family.persons[i % 2].sex, &families[f]);
            for (size_t k = 0; k < sizeof(jobs) / sizeof(*jobs); k++)
                torture(jobs[k].name, jobs[k].fn, &o);
            made_own_give(&p, &o, &families[f], 1, 2, &own);
            for (size_t k = 0; k < sizeof(jobs) / sizeof(*jobs); k++)
                torture(jobs[k].name, jobs[k].fn, &o);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_failed_allocation_is_told_and_leaks_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
