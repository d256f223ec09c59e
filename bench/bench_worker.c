/* SPDX-License-Identifier: Apache-2.0 */
/* The sandboxed worker: how long it takes to start and to answer, and what a photograph of 24
 * megapixels (a made one: slopes, stripes and noise) costs in time and memory.
 *
 *     bench_worker [PHOTOGRAPHS]
 */
#include "bench.h"

#include "ipc/pool.h"
#include "peak.h"

enum { WIDTH = 6000, HEIGHT = 4000, HEAD = 54, ECHOES = 2000, STARTS = 10, MS = 60000 };

static void put32(unsigned char *p, uint32_t x) {
    for (int i = 0; i < 4; i++)
        p[i] = (unsigned char)(x >> 8 * i);
}

/* A bitmap, which the worker makes a JPEG of. */
static atg_str made_bitmap(atg_arena *arena) {
    size_t n = HEAD + 3 * (size_t)WIDTH * HEIGHT;
    unsigned char *p = bench_get(arena, n, 1);
    atg_rng rng = atg_rng_seed(1);

    p[0] = 'B';
    p[1] = 'M';
    put32(p + 10, HEAD);
    put32(p + 14, 40);
    put32(p + 18, WIDTH);
    put32(p + 22, HEIGHT);
    p[26] = 1;
    p[28] = 24;
    for (size_t i = 0; i < (size_t)WIDTH * HEIGHT; i++) {
        uint32_t x = (uint32_t)(i % WIDTH), y = (uint32_t)(i / WIDTH);
        uint32_t noise = (uint32_t)atg_rng_next(&rng) & 15;

        p[HEAD + 3 * i] = (unsigned char)(x * 200 / WIDTH + noise);
        p[HEAD + 3 * i + 1] =
            (unsigned char)(y * 200 / HEIGHT + (x / 64 + y / 64) % 2 * 30 + noise);
        p[HEAD + 3 * i + 2] = (unsigned char)((x + y) % 200 + noise);
    }
    return (atg_str){(char *)p, n};
}

static worker_pool *open_pool(uint32_t uses) {
    worker_options o = {.program = ATG_WORKER, .uses = uses};
    worker_pool *pool = NULL;
    atg_err err = {0};

    bench_must(worker_pool_open(&o, &pool, &err), &err);
    return pool;
}

static void starts(atg_arena *arena) {
    worker_pool *pool = open_pool(1);
    double from = bench_seconds();
    atg_str text;
    atg_err err = {0};

    for (int i = 0; i < STARTS; i++)
        bench_must(worker_selftest(pool, FRAME_TEST_ECHO, MS, arena, &text, &err), &err);
    printf("worker_start %.1f ms\n", 1e3 * (bench_seconds() - from) / STARTS);
    worker_pool_close(pool);
    pool = open_pool(UINT32_MAX);
    bench_must(worker_selftest(pool, FRAME_TEST_ECHO, MS, arena, &text, &err), &err);
    from = bench_seconds();
    for (int i = 0; i < ECHOES; i++)
        bench_must(worker_selftest(pool, FRAME_TEST_ECHO, MS, arena, &text, &err), &err);
    printf("worker_round_trip %.1f us\n", 1e6 * (bench_seconds() - from) / ECHOES);
    printf("worker_idle_resident %.1f MiB\n", peak_of_worker());
    worker_pool_close(pool);
}

static void photographs(const char *name, worker_picture_ask ask, int n) {
    worker_pool *pool = open_pool(UINT32_MAX);
    worker_health health;
    atg_err err = {0};
    double from;

    bench_must(worker_pool_check(pool, &health, &err), &err);
    from = bench_seconds();
    for (int i = 0; i < n; i++) {
        atg_arena *arena = bench_had(atg_arena_new((size_t)1 << 30));
        worker_picture p;

        bench_must(worker_picture_read(pool, &ask, arena, &p, &err), &err);
        atg_arena_free(arena);
    }
    printf("worker_%s %.0f ms\n", name, 1e3 * (bench_seconds() - from) / n);
    printf("worker_%s_peak %.1f MiB\n", name, peak_of_worker());
    worker_pool_close(pool);
}

int main(int argc, char **argv) {
    int n = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 5;
    atg_arena *arena = bench_had(atg_arena_new((size_t)1 << 30));
    worker_pool *pool = open_pool(0);
    worker_picture_ask ask = {.in = {.bytes = made_bitmap(arena)}, .clean = WORKER_CLEAN_JPEG};
    worker_picture made;
    atg_err err = {0};

    printf("# worker: processes started one after the other, and %d empty requests\n", ECHOES);
    starts(arena);
    bench_must(worker_picture_read(pool, &ask, arena, &made, &err), &err);
    worker_pool_close(pool);
    printf("# worker: a JPEG of %d x %d pixels, %.1f MiB, %d times\n", WIDTH, HEIGHT,
           (double)made.clean.size / (1 << 20), n);
    ask.in.bytes = made.clean.bytes;
    photographs("photo_all",
                (worker_picture_ask){
                    .in = ask.in, .clean = WORKER_CLEAN_AUTO, .thumbnail = 320, .seal = 320},
                n);
    photographs("photo_1024", (worker_picture_ask){.in = ask.in, .thumbnail = 1024}, n);
    photographs("photo_seal", (worker_picture_ask){.in = ask.in, .seal = 320}, n);
    atg_arena_free(arena);
    return 0;
}
