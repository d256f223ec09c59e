/* SPDX-License-Identifier: Apache-2.0 */
/* Faces in the sandboxed worker: what a photograph of 12 megapixels costs from JPEG to template,
 * how many are enrolled in a second, and what the worker needs of memory.
 *
 *     bench_face_net [FOLDER [ROUNDS]]
 *
 * FOLDER (otherwise the variable ATG_FACES) has portraits (id000_0.jpg, ...); each becomes a
 * photograph of 4000 x 3000 pixels with the face upright or turned before a plain wall with noise.
 * The networks are those that `antigone model list` names.
 */
#include "bench.h"

#include <pthread.h>
#include <vips/vips.h>

#include "app/networks.h"
#include "ipc/worker.h"
#include "peak.h"

enum { WIDTH = 4000, HEIGHT = 3000, FACES_MAX = 2, ARENA = 64 << 20, QUALITY = 92 };

typedef struct photographs {
    int n;
    atg_str jpeg[FACES_MAX];
} photographs;

static void must(int bad) {
    if (!bad)
        return;
    fprintf(stderr, "%s\n", vips_error_buffer());
    exit(1); /* NOLINT(concurrency-mt-unsafe): one thread so far */
}

/* A portrait with `side` pixels along a side, turned by `degrees`, somewhere on a wall. */
static atg_str made_photograph(const char *path, int side, double degrees) {
    VipsArrayDouble *grey = vips_array_double_newv(3, 120.0, 118.0, 112.0);
    VipsImage *in = NULL, *large = NULL, *turned = NULL, *wall = NULL, *noise = NULL, *all = NULL;
    void *p = NULL;
    size_t n = 0;

    must(!(in = vips_image_new_from_file(path, NULL)));
    must(vips_resize(in, &large, (double)side / in->Xsize, NULL));
    must(vips_rotate(large, &turned, degrees, "background", grey, NULL));
    must(vips_embed(turned, &wall, (WIDTH - turned->Xsize) / 3, (HEIGHT - turned->Ysize) / 2, WIDTH,
                    HEIGHT, "extend", VIPS_EXTEND_BACKGROUND, "background", grey, NULL));
    must(vips_gaussnoise(&noise, WIDTH, HEIGHT, "sigma", 4.0, "mean", 0.0, "seed", 1, NULL));
    must(vips_add(wall, noise, &all, NULL));
    g_object_unref(wall);
    must(vips_cast_uchar(all, &wall, NULL));
    must(vips_jpegsave_buffer(wall, &p, &n, "Q", QUALITY, NULL));
    g_object_unref(in);
    g_object_unref(large);
    g_object_unref(turned);
    g_object_unref(wall);
    g_object_unref(noise);
    g_object_unref(all);
    vips_area_unref(VIPS_AREA(grey));
    return (atg_str){p, n};
}

static photographs made_photographs(const char *folder, int side, double degrees) {
    photographs all = {0};

    for (; all.n < FACES_MAX; all.n++) {
        char path[1024];

        (void)snprintf(path, sizeof(path), "%s/id%03d_0.jpg", folder, all.n);
        all.jpeg[all.n] = made_photograph(path, side, degrees);
    }
    return all;
}

static worker_faces read_faces(worker_pool *pool, atg_arena *arena, atg_str jpeg) {
    worker_face_ask ask = {.in = {.bytes = jpeg}, .pick = WORKER_FACE_BEST};
    worker_faces faces;
    atg_err err = {0};

    bench_must(worker_faces_read(pool, &ask, arena, &faces, &err), &err);
    return faces;
}

static worker_pool *open_pool(const worker_networks *networks, uint32_t workers) {
    worker_options o = {
        .program = ATG_WORKER, .workers = workers, .uses = UINT32_MAX, .networks = networks};
    worker_pool *pool = NULL;
    worker_health health;
    atg_err err = {0};

    bench_must(worker_pool_open(&o, &pool, &err), &err);
    bench_must(worker_pool_check(pool, &health, &err), &err);
    if (!health.hold.faces) {
        fprintf(stderr, "%s\n", health.hold.why_no_faces);
        exit(1); /* NOLINT(concurrency-mt-unsafe): one thread so far */
    }
    return pool;
}

/* Processor time of the workers that ended so far. */
static double cpu_of_workers(void) {
    struct rusage used;

    getrusage(RUSAGE_CHILDREN, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           1e-6 * (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

static void one_by_one(const worker_networks *networks, const char *name, const photographs *all) {
    worker_pool *pool = open_pool(networks, 1);
    int found = 0;
    double cpu = cpu_of_workers(), from = bench_seconds();

    for (int i = 0; i < all->n; i++) {
        atg_arena *arena = bench_had(atg_arena_new(ARENA));
        worker_faces faces = read_faces(pool, arena, all->jpeg[i]);

        found += faces.chosen >= 0 && faces.face[faces.chosen].dimension > 0;
        atg_arena_free(arena);
    }
    printf("face_%s %.0f ms\n", name, 1e3 * (bench_seconds() - from) / all->n);
    printf("face_%s_templates %.2f share\n", name, (double)found / all->n);
    printf("face_%s_worker_peak %.1f MiB\n", name, peak_of_worker());
    worker_pool_close(pool);
    printf("face_%s_cpu %.0f ms\n", name, 1e3 * (cpu_of_workers() - cpu) / all->n);
}

/* ---- enrolment: two workers, each on a core of its own ---- */

typedef struct enrolment {
    worker_pool *pool;
    const photographs *all;
    int rounds;
} enrolment;

static void *enrol(void *user) {
    const enrolment *e = user;

    for (int k = 0; k < e->rounds; k++)
        for (int i = 0; i < e->all->n; i++) {
            atg_arena *arena = bench_had(atg_arena_new(ARENA));

            (void)read_faces(e->pool, arena, e->all->jpeg[i]);
            atg_arena_free(arena);
        }
    return NULL;
}

static void in_two(const worker_networks *networks, const photographs *all, int rounds) {
    worker_networks single = *networks;
    enrolment e = {.all = all, .rounds = rounds};
    pthread_t threads[2];
    double from, cpu = cpu_of_workers();

    single.threads = 1;
    e.pool = open_pool(&single, 2);
    from = bench_seconds();
    for (int i = 0; i < 2; i++)
        if (pthread_create(&threads[i], NULL, enrol, &e))
            exit(4); /* NOLINT(concurrency-mt-unsafe) */
    for (int i = 0; i < 2; i++)
        (void)pthread_join(threads[i], NULL);
    printf("face_enrolment %.1f photographs/s\n", 2 * rounds * all->n / (bench_seconds() - from));
    worker_pool_close(e.pool);
    printf("face_enrolment_cpu %.0f ms\n", 1e3 * (cpu_of_workers() - cpu) / (2 * rounds * all->n));
}

int main(int argc, char **argv) {
    const char *folder =
        argc > 1 ? argv[1] : getenv("ATG_FACES"); /* NOLINT(concurrency-mt-unsafe) */
    int rounds = (int)bench_argument(argc, argv, 2, 5);
    atg_arena *arena = bench_had(atg_arena_new(ARENA));
    worker_networks networks;
    photographs upright, turned, small;
    atg_err err = {0};

    if (!folder || networks_choose(arena, NULL, &networks, &err)) {
        printf("# face_net: left out (%s)\n", folder ? err.msg : "no folder of portraits is named");
        atg_arena_free(arena);
        return 0;
    }
    (void)setvbuf(stdout, NULL, _IOLBF, 0); /* each figure as it is known */
    must(VIPS_INIT(argv[0]));
    upright = made_photographs(folder, 2200, 3);
    turned = made_photographs(folder, 1500, 140);
    small = made_photographs(folder, 450, -80);
    printf("# face_net: JPEG of %d x %d pixels, %.1f MiB, %d of each kind; one worker\n", WIDTH,
           HEIGHT, (double)upright.jpeg[0].n / (1 << 20), upright.n);
    one_by_one(&networks, "upright", &upright);
    one_by_one(&networks, "turned", &turned);
    one_by_one(&networks, "small", &small);
    printf("# face_net: two workers with one thread each\n");
    in_two(&networks, &upright, rounds);
    atg_arena_free(arena);
    return 0;
}
