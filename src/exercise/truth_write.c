/* SPDX-License-Identifier: Apache-2.0 */
#include "exercise/truth.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"

const char *const truth_models[TRUTH_MODELS] = {
    [ATG_MUT_NONE] = "none",
    [ATG_MUT_EQUAL] = "equal",
    [ATG_MUT_PROPORTIONAL] = "proportional",
    [ATG_MUT_STEPWISE] = "stepwise",
    [ATG_MUT_ONESTEP] = "onestep",
    [ATG_MUT_DAWID] = "dawid",
};
const char *const truth_transforms[TRUTH_TRANSFORMS] = {
    [ATG_MUT_AS_IS] = "none", [ATG_MUT_PM] = "PM", [ATG_MUT_MH] = "MH",
    [ATG_MUT_BA] = "BA",      [ATG_MUT_PR] = "PR",
};

const truth_number truth_numbers[TRUTH_NUMBERS] = {
    {"n_missing", offsetof(atg_exercise_options, n_missing), true},
    {"n_bodies", offsetof(atg_exercise_options, n_bodies), true},
    {"unlisted", offsetof(atg_exercise_options, unlisted), false},
    {"not_found", offsetof(atg_exercise_options, not_found), false},
    {"degraded", offsetof(atg_exercise_options, degraded), false},
    {"partial", offsetof(atg_exercise_options, partial), false},
    {"fragments", offsetof(atg_exercise_options, fragments), false},
    {"wrong_relation", offsetof(atg_exercise_options, wrong_relation), false},
    {"swapped", offsetof(atg_exercise_options, swapped), false},
    {"mutation_rate", offsetof(atg_exercise_options, mutation.rate), false},
    {"mutation_rate2", offsetof(atg_exercise_options, mutation.rate2), false},
    {"mutation_range", offsetof(atg_exercise_options, mutation.range), false},
    {"male_factor", offsetof(atg_exercise_options, male_factor), false},
    {"theta", offsetof(atg_exercise_options, theta), false},
};

static void write_options(json *j, const atg_exercise_options *o) {
    char seed[24];

    (void)snprintf(seed, sizeof(seed), "%llu", (unsigned long long)o->seed);
    json_key(j, "options");
    json_begin_object(j);
    json_key(j, "seed");
    json_text(j, seed);
    for (size_t i = 0; i < TRUTH_NUMBERS; i++) {
        const char *field = (const char *)o + truth_numbers[i].at;
        uint32_t whole;
        double real;

        json_key(j, truth_numbers[i].key);
        if (truth_numbers[i].whole) {
            memcpy(&whole, field, sizeof(whole));
            json_int(j, whole);
        } else {
            memcpy(&real, field, sizeof(real));
            json_num(j, real);
        }
    }
    if (o->own > 0) {
        json_key(j, "own");
        json_num(j, o->own);
    }
    json_key(j, "mutation_model");
    json_text(j, truth_models[o->mutation.model]);
    json_key(j, "mutation_transform");
    json_text(j, truth_transforms[o->mutation.transform]);
    json_end(j, '}');
}

static void write_samples(json *j, const atg_truth *truth, const atg_operation *op) {
    json_key(j, "samples");
    json_begin_array(j);
    for (uint32_t i = 0; i < truth->n_samples; i++) {
        int32_t m = truth->missing_of_sample[i];

        json_object_line(j);
        json_key(j, "id");
        json_str(j, op->samples[i].id);
        json_key(j, "missing");
        if (m < 0)
            json_none(j);
        else
            json_str(j, op->missing[m].id);
        if (truth->swapped[i]) {
            json_key(j, "swapped");
            json_bool(j, true);
        }
        json_end(j, '}');
    }
    json_end(j, ']');
}

static void write_wrong(json *j, const atg_truth *truth, const atg_operation *op) {
    json_key(j, "wrong_relatives");
    json_begin_array(j);
    for (uint32_t i = 0; i < truth->n_relatives_wrong; i++) {
        const atg_family *fam = &op->families[truth->wrong[i].family];

        json_object_line(j);
        json_key(j, "family");
        json_str(j, fam->id);
        json_key(j, "person");
        json_str(j, fam->ped.persons[truth->wrong[i].person].id);
        json_end(j, '}');
    }
    json_end(j, ']');
}

int atg_truth_write_json(const atg_truth *truth, const atg_operation *op, atg_buf *buf,
                         atg_err *err) {
    json j = json_new(buf);
    atg_str done;

    if (truth->n_samples != op->n_samples)
        return atg_fail(err, ATG_EINVAL, "The truth has %u samples and the operation has %u",
                        truth->n_samples, op->n_samples);
    if ((unsigned)truth->options.mutation.model >= TRUTH_MODELS ||
        (unsigned)truth->options.mutation.transform >= TRUTH_TRANSFORMS)
        return atg_fail(err, ATG_EINVAL, "No exercise is made with this mutation model");
    json_begin_object(&j);
    json_key(&j, "schema");
    json_text(&j, TRUTH_SCHEMA);
    write_options(&j, &truth->options);
    write_samples(&j, truth, op);
    write_wrong(&j, truth, op);
    json_end(&j, '}');
    atg_buf_adds(buf, "\n");
    return atg_buf_take(buf, &done, err);
}
