/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/exercise.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/parallel.h"
#include "cli/progress.h"

enum { PATH_BYTES = 4096, NAME_BYTES = 160, PICTURE_MAX = 1 << 20 };
static const size_t list_max = (size_t)1 << 30;

typedef struct drawing {
    const atg_portraits *all;
    const char *folder;
    atg_easel **easels; /* one a thread */
} drawing;

static int make_folder(const char *path, atg_err *err) {
    if (mkdir(path, 0777) && errno != EEXIST)
        return atg_fail(err, ATG_EIO, "Cannot make the folder %s: %s", path,
                        strerror(errno)); /* NOLINT(concurrency-mt-unsafe): one thread */
    return ATG_OK;
}

static int draw_one(void *user, uint32_t worker, uint64_t piece, atg_err *err) {
    const drawing *d = user;
    ATG_AUTO(atg_buf) buf = atg_buf_new(PICTURE_MAX);
    char name[NAME_BYTES], path[PATH_BYTES];
    const uint8_t *rgb;
    atg_str s;
    int rc = buf ? ATG_OK : atg_fail(err, ATG_ENOMEM, "Memory is short for a portrait");

    if (!rc && !d->easels[worker])
        rc = atg_easel_new(&d->easels[worker], err);
    if (!rc)
        rc = atg_portrait_name(d->all, (uint32_t)piece, name, sizeof(name), err);
    if (!rc && snprintf(path, sizeof(path), "%s/%s", d->folder, name) >= (int)sizeof(path))
        rc = atg_fail(err, ATG_EINVAL, "The path of the folder of portraits is too long");
    if (!rc)
        rc = atg_portrait_draw(d->easels[worker], d->all, (uint32_t)piece, &rgb, err);
    if (!rc)
        rc = atg_portrait_jpeg(rgb, ATG_PORTRAIT_WIDTH, ATG_PORTRAIT_HEIGHT, buf, err);
    if (!rc)
        rc = atg_buf_take(buf, &s, err);
    return rc ? rc : file_write(path, s, err);
}

static int draw_all(const args *a, const atg_portraits *all, const char *folder, uint32_t threads,
                    atg_err *err) {
    atg_easel *easels[PARALLEL_MAX] = {NULL};
    drawing d = {all, folder, easels};
    int rc = parallel_run(threads, all->n, draw_one, &d, "draw", progress_start(a), err);

    progress_clear();
    for (uint32_t i = 0; i < threads; i++)
        atg_easel_free(easels[i]);
    return rc;
}

/* The list comes last: where it is, every picture is. */
static int write_list(const atg_portraits *all, const char *path, atg_err *err) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(list_max);
    atg_str s;
    int rc = buf ? atg_portraits_write_json(all, buf, err)
                 : atg_fail(err, ATG_ENOMEM, "Memory is short for the list of portraits");

    if (!rc)
        rc = atg_buf_take(buf, &s, err);
    return rc ? rc : file_write(path, s, err);
}

int exercise_portraits(const args *a, atg_arena *arena, const atg_operation *op,
                       const atg_truth *truth, uint32_t *ret) {
    static const char *const folders[] = {"", "/AM", "/PM"};
    const char *folder = a->value[OPT_PORTRAITS];
    char path[PATH_BYTES];
    atg_portraits all;
    atg_err err = {0};
    uint64_t threads = 0;
    int rc, code = cli_uint(a, OPT_THREADS, 1, PARALLEL_MAX, &threads);

    if (code)
        return code;
    rc = atg_portraits_plan(arena, op, truth, &all, &err);
    for (size_t i = 0; i < sizeof(folders) / sizeof(*folders) && !rc; i++) {
        if (snprintf(path, sizeof(path), "%s%s", folder, folders[i]) >= (int)sizeof(path))
            return cli_usage(a->command, "The path of the folder of portraits is too long");
        rc = make_folder(path, &err);
    }
    if (!rc)
        rc = draw_all(a, &all, folder, parallel_threads((uint32_t)threads), &err);
    if (!rc && snprintf(path, sizeof(path), "%s/portraits.json", folder) >= (int)sizeof(path))
        return cli_usage(a->command, "The path of the folder of portraits is too long");
    if (!rc)
        rc = write_list(&all, path, &err);
    if (rc)
        return cli_fail(NULL, &err);
    *ret = all.n;
    return EXIT_DONE;
}
