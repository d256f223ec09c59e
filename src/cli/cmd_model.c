/* SPDX-License-Identifier: Apache-2.0 */
/* The networks for faces on this machine: which there are, whether they work, putting one in. */
#include "cli/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/networks.h"
#include "base/bytes.h"
#include "base/file.h"
#include "cli/fetch.h"
#include "cli/progress.h"
#include "cli/show.h"
#include "cli/store.h"

enum { TEXT_MAX = 1 << 22, ARENA_MAX = 1 << 26, SHORT_SHA = 12 };

typedef struct found {
    atg_arena *arena;
    networks_places places;
    networks_list list;
    char runtime[NETWORKS_PATH]; /* empty: none */
    atg_err no_runtime;
} found;

static const char *word_of(const facemodel *m) {
    return m->kind == FACEMODEL_DETECTOR ? "detector" : "embedder";
}

static int look(const args *a, found *ret) {
    atg_err err = {0};

    ret->arena = atg_arena_new(ARENA_MAX);
    networks_places_of(cli_store_folder(a), &ret->places);
    if (!ret->arena || networks_find(ret->arena, &ret->places, &ret->list, &err)) {
        if (!err.code)
            (void)atg_fail(&err, ATG_ENOMEM, "Out of memory for the list of models");
        return cli_fail(NULL, &err);
    }
    if (networks_runtime(ret->runtime, sizeof(ret->runtime), &ret->no_runtime))
        ret->runtime[0] = '\0';
    return EXIT_DONE;
}

static void free_found(found *f) {
    atg_arena_free(f->arena);
}
#define FOUND __attribute__((cleanup(free_found))) found

/* What templates that are made here are of; nothing where a network is missing. */
static bool identity_of(const found *f, char ret[FACEMODEL_SHA_TEXT]) {
    const networks_model *detector = networks_first(&f->list, FACEMODEL_DETECTOR);
    const networks_model *embedder = networks_first(&f->list, FACEMODEL_EMBEDDER);
    uint8_t identity[FACEMODEL_SHA];

    if (!detector || !embedder)
        return false;
    networks_identity(&detector->m, &embedder->m, identity);
    bytes_hex(identity, sizeof(identity), ret);
    return true;
}

/* ---- model list ---- */

static void short_sha(const facemodel *m, char ret[FACEMODEL_SHA_TEXT]) {
    bytes_hex(m->sha256, FACEMODEL_SHA, ret);
    ret[SHORT_SHA] = '\0';
}

static int list_text(const found *f, atg_buf *buf) {
    grid g = grid_new(f->arena, "lllll");
    char identity[FACEMODEL_SHA_TEXT];
    atg_err err = {0};

    grid_text(&g, "Model");
    grid_text(&g, "Kind");
    grid_text(&g, "SHA-256");
    grid_text(&g, "Licence");
    grid_text(&g, "File");
    for (uint32_t i = 0; i < f->list.n; i++) {
        const networks_model *m = &f->list.model[i];
        char sha[FACEMODEL_SHA_TEXT];

        if (!m->manifest.n)
            continue;
        short_sha(&m->m, sha);
        grid_printf(&g, "%.*s %.*s", ATG_FMT(m->m.name), ATG_FMT(m->m.version));
        grid_text(&g, word_of(&m->m));
        grid_printf(&g, "%s", sha);
        grid_cell(&g, m->m.licence);
        grid_cell(&g, m->file.n ? m->file : ATG_STR("not installed"));
    }
    if (grid_print(&g, buf, &err))
        return cli_fail(NULL, &err);
    for (uint32_t i = 0; i < f->list.n; i++)
        if (f->list.model[i].trouble.n)
            atg_buf_printf(buf, "%.*s\n", ATG_FMT(f->list.model[i].trouble));
    if (identity_of(f, identity))
        atg_buf_printf(buf, "Templates are of both networks: %s, pipeline %d\n", identity,
                       WORKER_PIPELINE);
    if (f->runtime[0])
        atg_buf_printf(buf, "ONNX Runtime: %s\n", f->runtime);
    else
        atg_buf_printf(buf, "%s.\n", f->no_runtime.msg);
    return EXIT_DONE;
}

static void json_pair(json *j, const char *key, atg_str text) {
    json_key(j, key);
    if (text.n)
        json_str(j, text);
    else
        json_none(j);
}

static void json_model(json *j, const networks_model *m) {
    char sha[FACEMODEL_SHA_TEXT];

    json_begin_object(j);
    if (m->manifest.n) {
        bytes_hex(m->m.sha256, FACEMODEL_SHA, sha);
        json_pair(j, "name", m->m.name);
        json_pair(j, "version", m->m.version);
        json_pair(j, "kind", atg_str_of(word_of(&m->m)));
        json_pair(j, "sha256", atg_str_of(sha));
        json_pair(j, "licence", m->m.licence);
        json_pair(j, "trained_on", m->m.trained_on);
        json_pair(j, "origin", m->m.origin);
        json_pair(j, "url", m->m.url);
    }
    json_pair(j, "manifest", m->manifest);
    json_pair(j, "file", m->file);
    json_pair(j, "trouble", m->trouble);
    json_end(j, '}');
}

static void json_found(json *j, const found *f) {
    char identity[FACEMODEL_SHA_TEXT];

    json_key(j, "models");
    json_begin_array(j);
    for (uint32_t i = 0; i < f->list.n; i++)
        json_model(j, &f->list.model[i]);
    json_end(j, ']');
    json_pair(j, "templates", atg_str_of(identity_of(f, identity) ? identity : ""));
    json_pair(j, "onnxruntime", atg_str_of(f->runtime));
}

static int run_list(const args *a) {
    FOUND f = {.arena = NULL};
    ATG_AUTO(atg_buf) buf = atg_buf_new(TEXT_MAX);
    int code = look(a, &f);

    if (code)
        return code;
    if (buf && cli_has(a, OPT_JSON)) {
        json j = json_new(buf);

        json_begin_object(&j);
        json_found(&j, &f);
        json_end(&j, '}');
    } else if (buf) {
        code = list_text(&f, buf);
    }
    return code ? code : cli_write(a, buf);
}

/* ---- model check ---- */

/* Every installed file is what its manifest says. */
static bool check_files(const found *f, atg_buf *buf) {
    bool good = true;

    for (uint32_t i = 0; i < f->list.n; i++) {
        networks_model *m = &f->list.model[i];
        ATG_AUTO(atg_arena) arena = atg_arena_new(2 * (size_t)FACEMODEL_FILE);
        atg_err err = {0};
        atg_str bytes;

        if (m->trouble.n) {
            atg_buf_printf(buf, "%.*s.\n", ATG_FMT(m->trouble));
            good = false;
        }
        if (!m->file.n)
            continue;
        if (!arena || file_read(arena, m->file.p, FACEMODEL_FILE, &bytes, &err) ||
            facemodel_check(&m->m, bytes, &err)) {
            m->trouble = atg_arena_str(f->arena, atg_str_of(err.msg));
            atg_buf_printf(buf, "%s.\n", err.msg);
            good = false;
        } else {
            atg_buf_printf(buf, "%.*s is what its manifest says.\n", ATG_FMT(m->file));
        }
    }
    return good;
}

/* They load and answer, inside the sandbox. */
static int check_worker(const args *a, const found *f, worker_health *ret, atg_err *err) {
    worker_networks networks;
    worker_options o = {.networks = &networks};
    worker_pool *pool = NULL;
    int rc = networks_choose(f->arena, cli_store_folder(a), &networks, err);

    if (!rc)
        rc = worker_pool_open(&o, &pool, err);
    if (!rc)
        rc = worker_pool_check(pool, ret, err);
    worker_pool_close(pool);
    if (!rc && !ret->hold.faces)
        rc = atg_fail(err, ATG_EINVAL, "%s",
                      ret->hold.decodes ? ret->hold.why_no_faces : ret->hold.why);
    return rc;
}

static int run_check(const args *a) {
    FOUND f = {.arena = NULL};
    ATG_AUTO(atg_buf) text = atg_buf_new(TEXT_MAX);
    ATG_AUTO(atg_buf) buf = atg_buf_new(TEXT_MAX);
    worker_health health = {.known = false};
    atg_err err = {0};
    bool files, works;
    int code = look(a, &f);

    if (code)
        return code;
    if (!text || !buf)
        return cli_write(a, NULL);
    files = check_files(&f, text);
    works = check_worker(a, &f, &health, &err) == ATG_OK;
    if (works)
        atg_buf_printf(text, "The worker reads faces (%s).\n", health.hold.libraries);
    else
        atg_buf_printf(text, "The worker reads no faces: %s.\n", err.msg);
    if (cli_has(a, OPT_JSON)) {
        json j = json_new(buf);

        json_begin_object(&j);
        json_found(&j, &f);
        json_key(&j, "works");
        json_bool(&j, works);
        json_pair(&j, "why_not", atg_str_of(err.msg));
        json_end(&j, '}');
    }
    code = cli_write(a, cli_has(a, OPT_JSON) ? buf : text);
    return code ? code : files && works ? EXIT_DONE : EXIT_NO;
}

/* ---- model install ---- */

/* The manifest that a word means: a file, or the name of one that is known. */
static int find_manifest(found *f, const char *word, atg_str *ret_json, facemodel *ret) {
    atg_str name = atg_str_of(word);
    const char *path = word;
    atg_err err = {0};

    for (uint32_t i = 0; i < f->list.n; i++) {
        const networks_model *m = &f->list.model[i];

        if (m->manifest.n && atg_str_eq_nocase(m->m.name, name))
            path = m->manifest.p;
    }
    if (file_read(f->arena, path, FACEMODEL_MANIFEST, ret_json, &err) ||
        facemodel_read(f->arena, *ret_json, ret, &err))
        return cli_fail(path, &err);
    return EXIT_DONE;
}

/* --directory, else the store's, else the first folder of the variable. */
static const char *target(const args *a, char *room, size_t size) {
    const char *named = getenv("ANTIGONE_MODELS"); /* NOLINT(concurrency-mt-unsafe): one thread */
    const char *folder = cli_store_folder(a);

    if (a->value[OPT_DIRECTORY])
        return a->value[OPT_DIRECTORY];
    if (folder)
        (void)snprintf(room, size, "%s/models", folder);
    else if (named)
        (void)snprintf(room, size, "%.*s", (int)strcspn(named, ":"), named);
    else
        return NULL;
    return room;
}

static int read_network(const args *a, const facemodel *m, atg_buf *buf, atg_arena *arena,
                        atg_str *ret) {
    const char *file = a->n > 1 ? a->operands[1] : NULL;
    atg_err err = {0};
    int rc;

    if (!file && !m->url.n)
        return cli_usage(a->command,
                         "The manifest of %.*s names no address: bring its file %.*s and name it "
                         "behind the manifest",
                         ATG_FMT(m->name), ATG_FMT(m->file));
    if (file)
        return file_read(arena, file, FACEMODEL_FILE, ret, &err) ? cli_fail(file, &err) : EXIT_DONE;
    rc = fetch(m->url.p, m->bytes, progress_start(a), buf, &err);
    progress_clear();
    if (rc == ATG_ECANCEL)
        return progress_die();
    return rc || atg_buf_take(buf, ret, &err) ? cli_fail(NULL, &err) : EXIT_DONE;
}

static int run_install(const args *a) {
    FOUND f = {.arena = NULL};
    ATG_AUTO(atg_arena) arena = atg_arena_new(2 * (size_t)FACEMODEL_FILE);
    ATG_AUTO(atg_buf) buf = atg_buf_new((size_t)FACEMODEL_FILE + 1);
    char room[NETWORKS_PATH];
    const char *folder = target(a, room, sizeof(room));
    atg_str manifest = {0}, bytes = {0};
    facemodel m = {.kind = FACEMODEL_DETECTOR};
    atg_err err = {0};
    int code = look(a, &f);

    if (code)
        return code;
    if (!arena || !buf)
        return cli_write(a, NULL);
    if (!folder)
        return cli_usage(a->command, "Say where to: --store or --directory FOLDER");
    code = find_manifest(&f, a->operands[0], &manifest, &m);
    if (!code)
        code = read_network(a, &m, buf, arena, &bytes);
    if (code)
        return code;
    if (networks_install(&m, manifest, bytes, folder, &err))
        return cli_fail(NULL, &err);
    cli_store_say(a, "%.*s %.*s (%.*s) is in %s.\nTrained on: %.*s.\n", ATG_FMT(m.name),
                  ATG_FMT(m.version), ATG_FMT(m.licence), folder, ATG_FMT(m.trained_on));
    return EXIT_DONE;
}

static const option_id list_options[] = {OPT_JSON, OPT_OUTPUT, OPT_STORE, OPT_HELP};
static const option_id install_options[] = {OPT_DIRECTORY, OPT_STORE, OPT_QUIET, OPT_HELP};

const command command_model_list = {
    .name = "model list",
    .summary = "List the networks for faces that are known, and which are installed.",
    .operands = "",
    .min_operands = 0,
    .max_operands = 0,
    .details = "Manifests are looked for in the folder 'models' of the store, in those that "
               "ANTIGONE_MODELS names, and in the folder of this program's data. Antigone ships no "
               "network: without one everything but faces works.",
    .options = list_options,
    .run = run_list,
};

const command command_model_check = {
    .name = "model check",
    .summary = "Check the networks for faces, and run them once in the sandbox.",
    .operands = "",
    .min_operands = 0,
    .max_operands = 0,
    .details = "The exit code is 1 when a file is not what its manifest says, or no faces are "
               "read on this machine; what to do is printed.",
    .options = list_options,
    .run = run_check,
};

const command command_model_install = {
    .name = "model install",
    .summary = "Put a network for faces in its place.",
    .operands = "MODEL [FILE]",
    .min_operands = 1,
    .max_operands = 2,
    .details = "MODEL is a name that 'antigone model list' prints, or the file of a manifest. The "
               "network is FILE or, without it, is downloaded from the address in the manifest. It "
               "is taken only when its SHA-256 is the one of the manifest.",
    .options = install_options,
    .run = run_install,
};
