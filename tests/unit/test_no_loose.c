/* SPDX-License-Identifier: Apache-2.0 */
/* Rule 1: nothing from outside is compared with a face but what is registered.  No address of the
 * API, no command and no public header takes a loose picture, landmarks or an embedding to be
 * searched with: whatever is added to one of the three tables is looked at here. */
#include "testing.h"

#include <ctype.h>
#include <glob.h>
#include <jansson.h>
#include <stdlib.h>

#include "base/file.h"
#include "cli/cli.h"
#include "server/request.h"

enum { HEADER_MAX = 1 << 20, ARENA = 64 << 20 };

static bool is_one_of(const char *word, const char *const *words) {
    for (; *words; words++)
        if (strcmp(word, *words) == 0)
            return true;
    return false;
}

/* ---- the API ---- */

static json_t *described(void) {
    ATG_AUTO(atg_buf) buf = atg_buf_new(REPLY_MAX);
    atg_str text;
    atg_err err = {0};
    json_t *whole;

    assert_int_equal(service_openapi(buf, &err), ATG_OK);
    assert_int_equal(atg_buf_take(buf, &text, &err), ATG_OK);
    whole = json_loadb(text.p, text.n, 0, NULL);
    assert_non_null(whole);
    return whole;
}

static bool is_of_faces(const route *r) {
    return strcmp(r->tag, "faces") == 0 || strstr(r->path, "face") != NULL;
}

/* Bytes that are no JSON come in for a record, an upload or an import alone. */
static void check_media(const route *r) {
    static const char *const places[] = {"/api/v1/records/", "/api/v1/uploads/",
                                         "/api/v1/operations/{operation}/import", "/api/v1/bundles",
                                         NULL};

    if (!r->takes || !strchr(r->takes, '/'))
        return;
    if (is_of_faces(r))
        fail_msg("%s %s takes %s", r->method, r->path, r->takes);
    for (int i = 0; places[i]; i++)
        if (strncmp(r->path, places[i], strlen(places[i])) == 0)
            return;
    fail_msg("%s %s takes %s: may it be compared with faces?", r->method, r->path, r->takes);
}

static void no_address_takes_a_face(void **state) {
    static const char *const members[] = {"best", "retouched", "cap", "plots", NULL};
    json_t *whole = described();
    json_t *schemas = json_object_get(json_object_get(whole, "components"), "schemas");
    uint32_t n = 0;

    (void)state;
    for (uint32_t i = 0; i < route_count(); i++) {
        const route *r = route_at(i);
        const char *name;
        json_t *one;

        check_media(r);
        if (!is_of_faces(r) || !r->takes)
            continue;
        n++;
        assert_non_null(json_object_get(schemas, r->takes));
        json_object_foreach(json_object_get(json_object_get(schemas, r->takes), "properties"), name,
                            one) if (!is_one_of(name, members))
            fail_msg("%s %s takes '%s': is it of a registered photograph?", r->method, r->path,
                     name);
        assert_true(json_is_false(
            json_object_get(json_object_get(schemas, r->takes), "additionalProperties")));
    }
    assert_true(n > 1);
    json_decref(whole);
}

/* ---- the commands ---- */

static void no_command_takes_a_face(void **state) {
    static const struct {
        const char *name, *operands;
    } known[] = {
        {"face calibrate", ""},
        {"face checklist", ""},
        {"face conclude", "CANDIDATE CONCLUSION CHECKLIST"},
        {"face leads", "REMAINS"},
        {"face read", ""},
        {"face report", ""},
        {"face search", "PHOTOGRAPH|REMAINS"},
    };
    static const char *const pictures[] = {"PICTURE", "IMAGE", "PORTRAIT", "EMBEDDING", NULL};
    uint32_t n = 0;

    (void)state;
    for (uint32_t i = 0; cli_commands[i]; i++) {
        const command *c = cli_commands[i];
        bool found = strncmp(c->name, "face", 4) != 0;

        for (size_t k = 0; k < sizeof(known) / sizeof(*known) && !found; k++)
            found =
                strcmp(c->name, known[k].name) == 0 && strcmp(c->operands, known[k].operands) == 0;
        if (!found)
            fail_msg("'%s %s': is it of a registered photograph?", c->name, c->operands);
        if (strncmp(c->name, "face", 4) != 0)
            continue;
        n++;
        for (const option_id *o = c->options; *o != OPT_HELP; o++)
            if (cli_options[*o].arg && is_one_of(cli_options[*o].arg, pictures))
                fail_msg("'%s --%s'", c->name, cli_options[*o].name);
    }
    assert_int_equal(n, sizeof(known) / sizeof(*known));
}

/* ---- the library ---- */

static void check_header(const char *path) {
    static const char *const words[] = {"embedding", "landmark", "gallery", "face_", NULL};
    ATG_AUTO(atg_arena) arena = atg_arena_new(ARENA);
    atg_str text;
    char *small;
    atg_err err = {0};

    assert_int_equal(file_read(arena, path, HEADER_MAX, &text, &err), ATG_OK);
    small = ATG_GET(arena, char, text.n + 1);
    for (size_t k = 0; k < text.n; k++)
        small[k] = (char)tolower((unsigned char)text.p[k]);
    for (int w = 0; words[w]; w++)
        if (strstr(small, words[w]))
            fail_msg("%s speaks of '%s'", path, words[w]);
}

static void no_public_header_takes_a_face(void **state) {
    const char *folder = getenv("ATG_INCLUDE_DIR"); /* NOLINT(concurrency-mt-unsafe): one thread */
    char pattern[4096];
    glob_t all;

    (void)state;
    assert_non_null(folder);
    (void)snprintf(pattern, sizeof(pattern), "%s/antigone/*.h", folder);
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
    assert_int_equal(glob(pattern, 0, NULL, &all), 0);
    assert_true(all.gl_pathc > 10);
    for (size_t i = 0; i < all.gl_pathc; i++)
        check_header(all.gl_pathv[i]);
    globfree(&all);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_address_takes_a_face),
        cmocka_unit_test(no_command_takes_a_face),
        cmocka_unit_test(no_public_header_takes_a_face),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
