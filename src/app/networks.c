/* SPDX-License-Identifier: Apache-2.0 */
#include "app/networks.h"

#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/place.h"
#include "base/file.h"
#include "crypto/hash.h"

enum { NAMES_MAX = 256, SUFFIX = 5 };

#ifdef __x86_64__
#define TRIPLET "x86_64-linux-gnu"
#elif defined(__aarch64__)
#define TRIPLET "aarch64-linux-gnu"
#else
#define TRIPLET "none"
#endif

static const char *variable(const char *name) {
    const char *text = getenv(name); /* NOLINT(concurrency-mt-unsafe): nobody changes them */

    return text && *text ? text : NULL;
}

/* ---- folders ---- */

static void add_folder(networks_places *p, const char *folder, size_t n, const char *tail) {
    if (p->n == NETWORKS_FOLDERS || n == 0 ||
        snprintf(p->folder[p->n], NETWORKS_PATH, "%.*s%s", (int)n, folder, tail) >= NETWORKS_PATH)
        return;
    p->n++;
}

enum { DEEPEST = 4 }; /* folders between a program that is built and its checkout */

/* Of a program in CHECKOUT/build or below it: what the checkout ships, and what lies beside it for
 * tests. */
static void add_checkout(networks_places *p) {
    char own[PATH_MAX], models[PATH_MAX + 16];
    ssize_t n = readlink("/proc/self/exe", own, sizeof(own) - 1);
    char *slash;

    own[n > 0 ? n : 0] = '\0';
    for (int up = 0; up < DEEPEST && (slash = strrchr(own, '/')); up++) {
        *slash = '\0';
        (void)snprintf(models, sizeof(models), "%s/data/models", own);
        if (!*own || access(models, R_OK))
            continue;
        add_folder(p, own, strlen(own), "/data/models");
        add_folder(p, own, strlen(own), "/../shared/models");
        return;
    }
}

void networks_places_of(const char *store, networks_places *ret) {
    const char *named = variable("ANTIGONE_MODELS");
    atg_str rest = atg_str_of(named);

    ret->n = 0;
    if (store)
        add_folder(ret, store, strlen(store), "/models");
    while (rest.n) {
        atg_str folder = atg_str_cut(&rest, ':');

        add_folder(ret, folder.p, folder.n, "");
    }
    add_checkout(ret);
    add_folder(ret, APP_DATA, strlen(APP_DATA), "/models");
}

/* ---- manifests ---- */

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_manifest(const char *name) {
    size_t n = strlen(name);

    return n > SUFFIX && name[0] != '.' && strcmp(name + n - SUFFIX, ".json") == 0;
}

/* Names of manifests in a folder, sorted: the order of a folder is chance. */
static int read_names(atg_arena *arena, const char *folder, const char **ret, uint32_t *ret_n,
                      atg_err *err) {
    DIR *dir = opendir(folder);
    struct dirent *entry;
    uint32_t n = 0;

    *ret_n = 0;
    if (!dir)
        return ATG_OK;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): a stream of this function's own */
    while (n < NAMES_MAX && (entry = readdir(dir))) {
        if (!is_manifest(entry->d_name))
            continue;
        ret[n] = atg_arena_str(arena, atg_str_of(entry->d_name)).p;
        if (!ret[n]) {
            (void)closedir(dir);
            return atg_fail(err, ATG_ENOMEM, "Out of memory for the list of models");
        }
        n++;
    }
    (void)closedir(dir);
    if (n)
        qsort(ret, n, sizeof(*ret), by_name);
    *ret_n = n;
    return ATG_OK;
}

static bool is_known(const networks_list *list, const facemodel *m) {
    for (uint32_t i = 0; i < list->n; i++)
        if (list->model[i].manifest.n &&
            memcmp(list->model[i].m.sha256, m->sha256, FACEMODEL_SHA) == 0)
            return true;
    return false;
}

/* Where its file is; one of another size is no file of it. */
static int find_file(atg_arena *arena, const networks_places *places, networks_model *ret) {
    for (uint32_t i = 0; i < places->n; i++) {
        atg_str path = atg_arena_printf(arena, "%s/%.*s", places->folder[i], ATG_FMT(ret->m.file));
        struct stat about;

        if (!path.p)
            return ATG_ENOMEM;
        if (stat(path.p, &about) || !S_ISREG(about.st_mode))
            continue;
        if ((uint64_t)about.st_size == ret->m.bytes) {
            ret->file = path;
            ret->trouble = (atg_str){0};
            return ATG_OK;
        }
        ret->trouble =
            atg_arena_printf(arena, "%s has %lld bytes, its manifest says %llu: install it again",
                             path.p, (long long)about.st_size, (unsigned long long)ret->m.bytes);
    }
    return ATG_OK;
}

static int add_manifest(atg_arena *arena, const networks_places *places, const char *folder,
                        const char *name, networks_list *list, atg_err *err) {
    networks_model made = {.manifest = atg_arena_printf(arena, "%s/%s", folder, name)};
    atg_str json;
    atg_err why = {0};

    if (!made.manifest.p)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for the list of models");
    if (list->n == NETWORKS_MODELS)
        return atg_fail(err, ATG_ELIMIT, "More than %d models lie in the folders of models",
                        NETWORKS_MODELS);
    if (file_read(arena, made.manifest.p, FACEMODEL_MANIFEST, &json, &why) ||
        facemodel_read(arena, json, &made.m, &why)) {
        made.trouble = why.line ? atg_arena_printf(arena, "%s:%u:%u: %s", made.manifest.p, why.line,
                                                   why.col, why.msg)
                                : atg_arena_printf(arena, "%s: %s", made.manifest.p, why.msg);
        made.manifest = (atg_str){0};
    } else if (is_known(list, &made.m)) {
        return ATG_OK;
    } else if (find_file(arena, places, &made)) {
        return atg_fail(err, ATG_ENOMEM, "Out of memory for the list of models");
    }
    list->model[list->n++] = made;
    return ATG_OK;
}

int networks_find(atg_arena *arena, const networks_places *places, networks_list *ret,
                  atg_err *err) {
    networks_list list = {0, ATG_GET(arena, networks_model, NETWORKS_MODELS)};
    const char *names[NAMES_MAX];
    int rc = ATG_OK;

    if (!list.model)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for the list of models");
    for (uint32_t i = 0; i < places->n && !rc; i++) {
        uint32_t n;

        rc = read_names(arena, places->folder[i], names, &n, err);
        for (uint32_t k = 0; k < n && !rc; k++)
            rc = add_manifest(arena, places, places->folder[i], names[k], &list, err);
    }
    if (!rc)
        *ret = list;
    return rc;
}

/* ---- the library ---- */

/* The last one by name: of several versions, the newest. */
static bool newest(const char *pattern, char *ret, size_t size) {
    glob_t found;
    bool good = false;

    if (glob(pattern, 0, NULL, &found)) /* NOLINT(concurrency-mt-unsafe): no locale is changed */
        return false;
    if (found.gl_pathc)
        good = snprintf(ret, size, "%s", found.gl_pathv[found.gl_pathc - 1]) < (int)size;
    globfree(&found);
    return good;
}

static bool in_cache(char *ret, size_t size) {
    const char *cache = variable("XDG_CACHE_HOME"), *home = variable("HOME");
    char pattern[NETWORKS_PATH];
    int n = cache  ? snprintf(pattern, sizeof(pattern), "%s", cache)
            : home ? snprintf(pattern, sizeof(pattern), "%s/.cache", home)
                   : -1;

    if (n < 0 || n >= NETWORKS_PATH - 64)
        return false;
    (void)snprintf(pattern + n, sizeof(pattern) - (size_t)n,
                   "/antigone/onnxruntime/libonnxruntime.so*");
    return newest(pattern, ret, size);
}

int networks_runtime(char *ret, size_t size, atg_err *err) {
    static const char *const systems[] = {
        "/usr/local/lib/libonnxruntime.so*", "/usr/lib/" TRIPLET "/libonnxruntime.so*",
        "/usr/lib64/libonnxruntime.so*", "/usr/lib/libonnxruntime.so*"};
    const char *named = variable("ANTIGONE_ONNXRUNTIME");

    if (named && access(named, R_OK) == 0 && snprintf(ret, size, "%s", named) < (int)size)
        return ATG_OK;
    if (named)
        return atg_fail(err, ATG_ENOTFOUND,
                        "ANTIGONE_ONNXRUNTIME names %.300s, which cannot be read", named);
    for (size_t i = 0; i < sizeof(systems) / sizeof(*systems); i++)
        if (newest(systems[i], ret, size))
            return ATG_OK;
    if (in_cache(ret, size) || newest("/usr/lib/antigone/libonnxruntime.so*", ret, size))
        return ATG_OK;
    return atg_fail(err, ATG_ENOTFOUND,
                    "The library ONNX Runtime is not installed: 'apt install libonnxruntime-dev' "
                    "where Debian has it, 'tools/setup.sh faces' in a checkout, or name it in "
                    "ANTIGONE_ONNXRUNTIME");
}

/* ---- together ---- */

const networks_model *networks_first(const networks_list *list, facemodel_kind kind) {
    for (uint32_t i = 0; i < list->n; i++)
        if (list->model[i].file.n && list->model[i].m.kind == kind)
            return &list->model[i];
    return NULL;
}

void networks_identity(const facemodel *detector, const facemodel *embedder,
                       uint8_t ret[FACEMODEL_SHA]) {
    hasher h;
    hash256 hash;

    hash_begin(&h, "antigone/face-networks/1", NULL);
    hash_bytes(&h, (atg_str){(const char *)detector->sha256, FACEMODEL_SHA});
    hash_bytes(&h, (atg_str){(const char *)embedder->sha256, FACEMODEL_SHA});
    hash = hash_end(&h);
    memcpy(ret, hash.bytes, FACEMODEL_SHA);
}

int networks_choose(atg_arena *arena, const char *store, worker_networks *ret, atg_err *err) {
    static const char *const names[] = {"detector", "embedder"};
    worker_networks chosen = {.runtime = NULL};
    networks_places *places = ATG_GET(arena, networks_places, 1);
    char *runtime = ATG_GET(arena, char, NETWORKS_PATH);
    networks_list list;
    int rc = ATG_OK;

    if (!places || !runtime)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for the list of models");
    networks_places_of(store, places);
    rc = networks_find(arena, places, &list, err);
    for (int i = 0; i < WORKER_NETWORKS && !rc; i++) {
        const networks_model *m = networks_first(&list, (facemodel_kind)i);

        if (!m)
            return atg_fail(err, ATG_ENOTFOUND,
                            "No %s of faces is installed: 'antigone model list' names known ones, "
                            "'antigone model install' puts one in its place",
                            names[i]);
        chosen.of[i].manifest = m->manifest.p;
        chosen.of[i].file = m->file.p;
    }
    if (!rc)
        rc = networks_runtime(runtime, NETWORKS_PATH, err);
    chosen.runtime = runtime;
    if (!rc)
        *ret = chosen;
    return rc;
}

/* ---- putting one in ---- */

static int make_folder(const char *folder, atg_err *err) {
    struct stat about;
    char text[100];

    if (mkdir(folder, 0755) == 0 ||
        (errno == EEXIST && stat(folder, &about) == 0 && S_ISDIR(about.st_mode)))
        return ATG_OK;
    return atg_fail(err, ATG_EIO, "Cannot make the folder %s: %s", folder,
                    strerror_r(errno, text, sizeof(text)));
}

int networks_install(const facemodel *m, atg_str manifest, atg_str bytes, const char *folder,
                     atg_err *err) {
    char path[NETWORKS_PATH];
    int stem = (int)m->file.n - SUFFIX;
    int rc = facemodel_check(m, bytes, err);

    if (!rc)
        rc = make_folder(folder, err);
    if (rc)
        return rc;
    if (snprintf(path, sizeof(path), "%s/%.*s", folder, ATG_FMT(m->file)) >= (int)sizeof(path))
        return atg_fail(err, ATG_EINVAL, "The path of the folder is too long");
    rc = file_write(path, bytes, err);
    if (rc)
        return rc;
    /* behind the network: a manifest is what makes it found */
    (void)snprintf(path, sizeof(path), "%s/%.*s.json", folder, stem, m->file.p);
    return file_write(path, manifest, err);
}
