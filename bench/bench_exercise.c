/* SPDX-License-Identifier: Apache-2.0 */
/* A whole exercise: made, identified and scored.
 *
 *     bench_exercise [missing [seed]]
 */
#include "data.h"

int main(int argc, char **argv) {
    uint32_t n = (uint32_t)bench_argument(argc, argv, 1, 1000);
    atg_arena *arena = atg_arena_new((size_t)8 << 30);
    atg_exercise_options o = atg_exercise_default();
    atg_identify_options how = {.floor = -2, .no_details = true};
    const atg_marker *markers;
    atg_identification run;
    atg_operation op;
    atg_truth truth;
    atg_score score;
    atg_err err = {0};
    double start, made;
    uint32_t n_markers;

    if (!arena)
        return 4;
    n_markers = bench_markers(arena, "fusion6c", &markers);
    o.n_missing = n;
    o.n_bodies = 0;
    o.seed = (uint64_t)bench_argument(argc, argv, 2, 1);
    start = bench_seconds();
    bench_must(atg_exercise_make(arena, n_markers, markers, &o, &op, &truth, &err), &err);
    made = bench_seconds();
    bench_must(atg_identify(arena, &op, &how, NULL, &run, &err), &err);
    bench_must(atg_exercise_score(&run, &truth, &score, &err), &err);
    printf("# an exercise of %u missing and %u samples, %u markers, all threads: made in %.2f s, "
           "identified in %.2f s, scored;\n# %u named, %u wrong (%.4f predicted); peak memory %.0f "
           "MiB\n",
           op.n_missing, op.n_samples, op.n_markers, made - start, run.seconds, score.n_named,
           score.n_wrong, score.predicted_wrong, bench_peak_mib());
    printf("exercise.%u_seconds %.2f s\n", n, bench_seconds() - start);
    return 0;
}
