/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include <stdio.h>
#include <unistd.h>

#include "app/networks.h"
#include "base/file.h"
#include "formats/facemodel.h"

enum { ARENA = 1 << 22 };

static const char detector[] =
    "{\"schema\": \"antigone-face-model/1\", \"name\": \"D\", \"version\": \"1\",\n"
    " \"kind\": \"detector\", \"file\": \"d.onnx\", \"bytes\": 9,\n"
    " \"sha256\": \"0000000000000000000000000000000000000000000000000000000000000000\",\n"
    " \"licence\": \"MIT\", \"trained_on\": \"nothing\", \"origin\": \"a test\",\n"
    " \"input\": {\"layout\": \"NCHW\", \"colour\": \"BGR\", \"divisor\": 2, \"mean\": [1, 2, 3],\n"
    "  \"std\": [4, 5, 6], \"multiple_of\": 32},\n"
    " \"output\": {\"decoder\": \"yunet\"}}\n";

static const char embedder[] =
    "{\"schema\": \"antigone-face-model/1\", \"name\": \"E\", \"version\": \"1\",\n"
    " \"kind\": \"embedder\", \"file\": \"e.onnx\", \"bytes\": 9,\n"
    " \"sha256\": \"0000000000000000000000000000000000000000000000000000000000000000\",\n"
    " \"url\": \"https://models.invalid/e.onnx\",\n"
    " \"licence\": \"MIT\", \"trained_on\": \"nothing\", \"origin\": \"a test\",\n"
    " \"input\": {\"layout\": \"NCHW\", \"colour\": \"RGB\", \"divisor\": 255, \"mean\": [0, 0, "
    "0],\n"
    "  \"std\": [1, 1, 1], \"width\": 112, \"height\": 112, \"alignment\": \"arcface\"},\n"
    " \"output\": {\"dimension\": 128, \"flip_add\": true},\n"
    " \"calibration\": {\"cases\": 12}}\n";

static void a_manifest_says_how_pictures_are_prepared(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    facemodel m;
    atg_err err = {0};

    (void)state;
    if (facemodel_read(arena, atg_str_of(detector), &m, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(m.kind, FACEMODEL_DETECTOR);
    assert_true(m.input.bgr);
    assert_int_equal(m.input.step, 32);
    assert_int_equal(m.bytes, 9);
    assert_true(m.input.divisor == 2 && m.input.mean[2] == 3 && m.input.std[0] == 4);
    assert_int_equal(m.url.n, 0);
    if (facemodel_read(arena, atg_str_of(embedder), &m, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(m.kind, FACEMODEL_EMBEDDER);
    assert_false(m.input.bgr);
    assert_true(m.flip_add);
    assert_int_equal(m.dimension, 128);
    assert_int_equal(m.input.aligned, 112);
    assert_true(atg_str_eq(m.url, ATG_STR("https://models.invalid/e.onnx")));
    assert_true(atg_str_eq(m.calibration, ATG_STR("{\"cases\":12}")));
}

/* The text with the first `from` replaced by `to`. */
static atg_str changed(atg_arena *arena, const char *text, const char *from, const char *to) {
    const char *at = strstr(text, from);

    assert_non_null(at);
    return atg_arena_printf(arena, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

static void what_is_wrong_with_a_manifest_is_told_with_its_place(void **state) {
    static const struct {
        const char *text, *from, *to;
        uint32_t line;
        const char *says;
    } cases[] = {
        {detector, "face-model/1", "face-model/2", 1, "schema"},
        {detector, "\"detector\"", "\"judge\"", 2, "\"detector\" or \"embedder\""},
        {detector, "\"name\": \"D\"", "\"name\": \"\"", 1, "name"},
        {detector, "\"name\": \"D\"", "\"name\": \"D\\u0007\"", 1, "Control characters"},
        {detector, "\"name\": \"D\", ", "", 1, "name"},
        {detector, "d.onnx", "../d.onnx", 2, "without a folder"},
        {detector, "d.onnx", "/etc/d.onnx", 2, "without a folder"},
        {detector, "d.onnx", ".onnx", 2, "ends in .onnx"},
        {detector, "d.onnx", "d.so", 2, "ends in .onnx"},
        {detector, "\"bytes\": 9", "\"bytes\": 0", 2, "bytes"},
        {detector, "\"bytes\": 9", "\"bytes\": 9.5", 2, "bytes"},
        {detector, "\"bytes\": 9", "\"bytes\": 1e12", 2, "bytes"},
        {detector, "\"sha256\": \"0", "\"sha256\": \"", 3, "64 lower-case"},
        {detector, "\"sha256\": \"0", "\"sha256\": \"G", 3, "64 lower-case"},
        {detector, "\"licence\": \"MIT\", ", "", 1, "licence"},
        {detector, "NCHW", "NHWC", 5, "NCHW"},
        {detector, "BGR", "GBR", 5, "\"RGB\" or \"BGR\""},
        {detector, "\"divisor\": 2", "\"divisor\": 0", 5, "divisor"},
        {detector, "[1, 2, 3]", "[1, 2]", 5, "three numbers"},
        {detector, "[1, 2, 3]", "[1, 2, \"3\"]", 5, "Number 3"},
        {detector, "[4, 5, 6]", "[4, 0, 6]", 6, "Number 2"},
        {detector, "\"multiple_of\": 32", "\"multiple_of\": 0", 6, "multiple_of"},
        {detector, "\"multiple_of\": 32", "\"multiple_of\": 64", 6, "multiple_of"},
        {detector, "\"yunet\"", "\"yolo\"", 7, "yunet"},
        {detector, "\"decoder\"", "\"dimension\"", 7, "dimension"},
        {detector, "\"input\": {", "\"input\": {\"gamma\": 1, ", 5, "gamma"},
        {detector, "\"kind\"", "\"extra\": 1, \"kind\"", 2, "extra"},
        {embedder, "https://", "http://", 4, "https://"},
        {embedder, "\"width\": 112", "\"width\": 160", 7, "112 by 112"},
        {embedder, "arcface", "crop", 7, "arcface"},
        {embedder, "\"dimension\": 128", "\"dimension\": 0", 8, "multiple of 16"},
        {embedder, "\"dimension\": 128", "\"dimension\": 100", 8, "multiple of 16"},
        {embedder, "\"dimension\": 128", "\"dimension\": 528", 8, "multiple of 16"},
        {embedder, "{\"cases\": 12}", "12", 9, "object"},
        {embedder, "\"output\": {", "\"output\": [", 8, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
        facemodel m = {.dimension = 77};
        atg_err err = {0};

        if (!facemodel_read(arena, changed(arena, cases[i].text, cases[i].from, cases[i].to), &m,
                            &err))
            fail_msg("%s -> %s: taken", cases[i].from, cases[i].to);
        if (!strstr(err.msg, cases[i].says) || err.line != cases[i].line)
            fail_msg("%s -> %s: %u: %s", cases[i].from, cases[i].to, err.line, err.msg);
        assert_int_equal(m.dimension, 77);
    }
}

static void each_failure_of_memory_is_told(void **state) {
    int rc = ATG_ENOMEM;

    (void)state;
    for (long k = 0; rc == ATG_ENOMEM; k++) {
        size_t before = mem_live();
        atg_err err = {0};
        facemodel m;

        mem_fail_after(k);

        atg_arena *arena = atg_arena_new(ARENA);

        if (arena)
            rc = facemodel_read(arena, atg_str_of(embedder), &m, &err);
        mem_fail_after(-1);
        if (rc && rc != ATG_ENOMEM)
            fail_msg("allocation %ld: %s", k, err.msg);
        atg_arena_free(arena);
        assert_int_equal(mem_live(), before);
    }
    assert_int_equal(rc, ATG_OK);
}

static atg_str shipped(atg_arena *arena, const char *name) {
    const char *data = getenv("ATG_DATA_DIR"); /* NOLINT(concurrency-mt-unsafe): one thread */
    atg_str path = atg_arena_printf(arena, "%s/models/%s", data, name);
    atg_str text;
    atg_err err = {0};

    if (file_read(arena, path.p, FACEMODEL_MANIFEST, &text, &err))
        fail_msg("%s", err.msg);
    return text;
}

static void the_manifests_that_are_shipped_can_be_read(void **state) {
    static const char *const names[] = {"yunet-2026may.json", "mobilefacenet-foamliu.json"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
        facemodel m;
        atg_err err = {0};

        if (facemodel_read(arena, shipped(arena, names[i]), &m, &err))
            fail_msg("%s: %s", names[i], err.msg);
        assert_int_equal(m.kind, i);
    }
}

/* ---- folders ---- */

static char folder[] = "/tmp/atg-models-XXXXXX";

static void write_text(const char *name, const char *text) {
    char path[200];
    atg_err err = {0};

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    if (file_write(path, atg_str_of(text), &err))
        fail_msg("%s", err.msg);
}

static void remove_folder(void) {
    static const char *const names[] = {"again.json", "broken.json", "d.json", "d.onnx",
                                        "notes.txt"};
    char path[200];

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(folder);
}

static networks_list list_of_folder(atg_arena *arena) {
    networks_places *places = ATG_GET(arena, networks_places, 1);
    networks_list list;
    atg_err err = {0};

    places->n = 1;
    (void)snprintf(places->folder[0], NETWORKS_PATH, "%s", folder);
    if (networks_find(arena, places, &list, &err))
        fail_msg("%s", err.msg);
    return list;
}

/* What a network's file holds is checked before it is put in its place, and told when it is found
 * to be another one later. */
static void only_the_file_of_the_manifest_is_taken(void **state) {
    static const char none[] = "0000000000000000000000000000000000000000000000000000000000000000";
    static const char sha[] = /* printf 'a network' | sha256sum */
        "2f782beca6c497e09ee1b67bd6a1202048f19e97f7e1364a58d415ce7b3ecd9e";
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    atg_str text = changed(arena, detector, none, sha);
    facemodel m;
    networks_list list;
    atg_err err = {0};

    (void)state;
    assert_non_null(mkdtemp(folder));
    if (facemodel_read(arena, text, &m, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(networks_install(&m, text, ATG_STR("a network that is another"), folder, &err),
                     ATG_EINVAL);
    assert_non_null(strstr(err.msg, "bytes"));
    assert_int_equal(networks_install(&m, text, ATG_STR("b network"), folder, &err), ATG_EINVAL);
    assert_non_null(strstr(err.msg, "SHA-256"));
    assert_int_equal(list_of_folder(arena).n, 0);
    if (networks_install(&m, text, ATG_STR("a network"), folder, &err))
        fail_msg("%s", err.msg);
    list = list_of_folder(arena);
    assert_int_equal(list.n, 1);
    assert_true(list.model[0].file.n && !list.model[0].trouble.n);
    write_text("d.onnx", "cut");
    list = list_of_folder(arena);
    assert_int_equal(list.model[0].file.n, 0);
    assert_non_null(strstr(list.model[0].trouble.p, "has 3 bytes, its manifest says 9"));
    write_text("broken.json", "{\"schema\": ");
    write_text("again.json", text.p);
    write_text("notes.txt", "no manifest");
    list = list_of_folder(arena);
    /* sorted: again.json, broken.json, d.json, of which the last is the first once more */
    assert_int_equal(list.n, 2);
    assert_int_equal(list.model[1].manifest.n, 0);
    assert_non_null(strstr(list.model[1].trouble.p, "broken.json:1:12"));
    remove_folder();
}

static void templates_are_told_apart_by_both_networks(void **state) {
    facemodel finds = {.sha256 = {1}}, embeds = {.sha256 = {2}};
    uint8_t is[FACEMODEL_SHA], again[FACEMODEL_SHA], other[FACEMODEL_SHA];

    (void)state;
    networks_identity(&finds, &embeds, is);
    networks_identity(&finds, &embeds, again);
    assert_memory_equal(is, again, sizeof(is));
    networks_identity(&embeds, &finds, other);
    assert_memory_not_equal(is, other, sizeof(is));
    finds.sha256[31] = 1;
    networks_identity(&finds, &embeds, other);
    assert_memory_not_equal(is, other, sizeof(is));
    finds.sha256[31] = 0;
    embeds.sha256[31] = 1;
    networks_identity(&finds, &embeds, other);
    assert_memory_not_equal(is, other, sizeof(is));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_manifest_says_how_pictures_are_prepared),
        cmocka_unit_test(what_is_wrong_with_a_manifest_is_told_with_its_place),
        cmocka_unit_test(each_failure_of_memory_is_told),
        cmocka_unit_test(the_manifests_that_are_shipped_can_be_read),
        cmocka_unit_test(only_the_file_of_the_manifest_is_taken),
        cmocka_unit_test(templates_are_told_apart_by_both_networks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
