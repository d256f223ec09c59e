/* SPDX-License-Identifier: Apache-2.0 */
/* A whole exercise: made, identified and scored; and portraits of some of it, on one thread.
 *
 *     bench_exercise [missing [seed]]
 */
#include <antigone/portrait.h>

#include "data.h"

enum { PORTRAITS = 24, PORTRAIT_BYTES = 1 << 20 };

static void portraits(atg_arena *arena, const atg_operation *op, const atg_truth *truth) {
    double start, drawn = 0, written = 0, bytes = 0;
    atg_easel *easel;
    atg_portraits all;
    atg_err err = {0};
    uint32_t n;

    bench_must(atg_portraits_plan(arena, op, truth, &all, &err), &err);
    bench_must(atg_easel_new(&easel, &err), &err);
    n = all.n < PORTRAITS ? all.n : PORTRAITS;
    for (uint32_t i = 0; i < n; i++) {
        ATG_AUTO(atg_buf) buf = atg_buf_new(PORTRAIT_BYTES);
        const uint8_t *rgb;
        atg_str s;

        start = bench_seconds();
        bench_must(atg_portrait_draw(easel, &all, (uint32_t)((uint64_t)i * all.n / n), &rgb, &err),
                   &err);
        drawn += bench_seconds() - start;
        start = bench_seconds();
        bench_must(atg_portrait_jpeg(rgb, ATG_PORTRAIT_WIDTH, ATG_PORTRAIT_HEIGHT, buf, &err),
                   &err);
        written += bench_seconds() - start;
        bench_must(atg_buf_take(buf, &s, &err), &err);
        bytes += (double)s.n;
    }
    atg_easel_free(easel);
    printf("# %u of its %u portraits, %d x %d pixels, one thread: %.0f KiB each\n", n, all.n,
           ATG_PORTRAIT_WIDTH, ATG_PORTRAIT_HEIGHT, bytes / n / 1024);
    printf("exercise.portrait_draw %.1f ms\n", 1e3 * drawn / n);
    printf("exercise.portrait_jpeg %.2f ms\n", 1e3 * written / n);
}

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
    portraits(arena, &op, &truth);
    return 0;
}
