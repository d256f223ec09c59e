/* SPDX-License-Identifier: Apache-2.0 */
/* Items of bundles as bytes and as structs. */
#include "testing.h"

#include <stdio.h>

#include "base/file.h"
#include "formats/bundle_items.h"

enum { ARENA = 64 << 20, WRITTEN = 1 << 20 };

static atg_arena *arena;

static int set_up(void **state) {
    (void)state;
    arena = atg_arena_new(ARENA);
    return arena ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    atg_arena_free(arena);
    return 0;
}

static int read_as(atg_arena *in, unsigned kind, atg_str bytes, atg_err *err) {
    union {
        bundle_manifest manifest;
        bundle_tombstone tombstone;
        bundle_notice notice;
        bundle_file file;
        bundle_record record;
        bundle_picture picture;
        bundle_entry entry;
        bundle_total total;
    } is;

    switch (kind) {
    case BUNDLE_MANIFEST:
        return bundle_read_manifest(in, bytes, &is.manifest, err);
    case BUNDLE_TOMBSTONE:
        return bundle_read_tombstone(bytes, &is.tombstone, err);
    case BUNDLE_NOTICE:
        return bundle_read_notice(in, bytes, &is.notice, err);
    case BUNDLE_FILE:
        return bundle_read_file(bytes, &is.file, err);
    case BUNDLE_RECORD:
        return bundle_read_record(in, bytes, &is.record, err);
    case BUNDLE_PICTURE:
        return bundle_read_picture(bytes, &is.picture, err);
    case BUNDLE_ENTRY:
        return bundle_read_entry(in, bytes, &is.entry, err);
    default:
        return bundle_read_total(bytes, &is.total, err);
    }
}

/* A seed of the fuzzer: its kind and its bytes. */
static atg_str seed(const char *name, unsigned *ret_kind) {
    const char *folder = getenv("ATG_CORPUS_DIR"); /* NOLINT(concurrency-mt-unsafe) */
    char path[4096];
    atg_str bytes = {0};
    atg_err err = {0};

    snprintf(path, sizeof(path), "%s/bundle_items/%s", folder ? folder : "tests/fuzz/corpus", name);
    if (file_read(arena, path, WRITTEN, &bytes, &err))
        fail_msg("%s", err.msg);
    *ret_kind = (unsigned char)bytes.p[0];
    return (atg_str){bytes.p + 1, bytes.n - 1};
}

static const char *const seeds[] = {"manifest", "tombstone",  "notice",  "file",  "record",
                                    "custody",  "photograph", "picture", "entry", "total"};
enum { SEEDS = sizeof(seeds) / sizeof(*seeds) };

static void a_record_comes_back_with_its_frame_and_versions(void **state) {
    unsigned kind;
    atg_str bytes = seed("record", &kind);
    bundle_record b = {0};
    atg_err err = {0};

    (void)state;
    if (bundle_read_record(arena, bytes, &b, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(b.r->kind, RECORD_MISSING);
    assert_int_equal(b.r->rev, 3);
    assert_int_equal(b.r->state, MISSING_STATE_COMPLETE);
    assert_int_equal(b.r->changed - b.r->created, 1000000);
    assert_true(atg_str_eq(b.r->code, ATG_STR("AM-K2-000001")));
    assert_int_equal(b.n_earlier, 2);
    assert_true(atg_str_eq(b.r->fields[MISSING_FAMILY_NAME].text, ATG_STR("Hansen")));
    assert_false(b.r->fields[MISSING_GIVEN_NAME].known);
}

/* Each seed with one thing replaced by another. */
static const struct {
    const char *seed, *from, *to;
    int code;
    const char *words;
} broken[] = {
    {"manifest", "antigone-bundle/1", "antigone-bundle/2", ATG_EPARSE, "another version"},
    {"manifest", "01900000-0000-7000-8000-000000000001", "1", ATG_EPARSE, "'store'"},
    {"manifest", "\"K2\"", "\"\"", ATG_EPARSE, "'site'"},
    {"manifest", "\"K2\"", "\"k2\"", ATG_EPARSE, "'site'"},
    {"manifest", "\"K2\"", "\"ABCDEFGHI\"", ATG_EPARSE, "'site'"},
    {"manifest", "\"K2\"", "7", ATG_EPARSE, "'site'"},
    {"manifest", "\"operation\"", "\"operations\"", ATG_EPARSE, "'operation'"},
    {"manifest", "T04", "T24", ATG_EPARSE, "'at'"},
    {"manifest", ":1234", ":-1", ATG_EPARSE, "'mark'"},
    {"manifest", ":1234", ":1.5", ATG_EPARSE, "'mark'"},
    {"manifest", ":0,", ":null,", ATG_EPARSE, "'since'"},
    {"manifest", "}", ",\"more\":1}", ATG_EPARSE, "other members"},
    {"manifest", "}", "", ATG_EPARSE, "cannot be read"},
    {"manifest", "}", "}{", ATG_EPARSE, "cannot be read"},
    {"manifest", "\"mark\":1234", "\"since\":1234", ATG_EPARSE, "cannot be read"},
    {"tombstone", "01900000-", "01900000-0", ATG_EPARSE, "'person'"},
    {"tombstone", "\"at\"", "\"as\"", ATG_EPARSE, "'at'"},
    {"notice", "2026-11-24", "2026-13-24", ATG_EPARSE, "'day'"},
    {"notice", "2026-11-24", "", ATG_EPARSE, "'day'"},
    {"notice", "donor", "person", ATG_EPARSE, "'donor'"},
    {"file", "missing", "custody", ATG_EPARSE, "'kind'"},
    {"file", "missing", "nothing", ATG_EPARSE, "'kind'"},
    {"record", "\"frame\"", "\"frames\"", ATG_EPARSE, "'kind'"},
    {"record", "\"fields\"", "\"field\"", ATG_EPARSE, "'fields'"},
    {"record", "\"rev\"", "\"more\":1,\"rev\"", ATG_EPARSE, "'frame'"},
    {"record", "\"missing\"", "\"nothing\"", ATG_EPARSE, "'kind'"},
    {"record", "\"version\":\"0", "\"version\":\"x", ATG_EPARSE, "'version'"},
    {"record", "[\"01900000-0000-7000-8000-000000000007\",",
     "[\"01900000-0000-7000-8000-000000000008\",", ATG_EPARSE, "'earlier'"},
    {"record", "[\"01900000-0000-7000-8000-000000000007\",", "[7,", ATG_EPARSE, "'earlier'"},
    {"record", "AM-K2", "PM-K2", ATG_EPARSE, "'code'"},
    {"record", "AM-K2-000001", "AM-", ATG_EPARSE, "'code'"},
    {"record", "AM-K2-000001", "AM-k2-000001", ATG_EPARSE, "'code'"},
    {"record", "AM-K2-000001", "AM-K2-00000100000000000000000000000000000", ATG_EPARSE, "'code'"},
    {"record", "\"code\":\"AM-K2-000001\",", "", ATG_EPARSE, "'frame'"},
    {"record", "\"code\":", "\"cod\":", ATG_EPARSE, "'code'"},
    {"record", "\"rev\":3", "\"rev\":0", ATG_EPARSE, "'rev'"},
    {"record", "\"complete\"", "\"identical\"", ATG_EPARSE, "'state'"},
    {"record", "\"withdrawn\":false", "\"withdrawn\":0", ATG_EPARSE, "'withdrawn'"},
    {"record", "\"file\":\"01900000-0000-7000-8000-000000000004\"",
     "\"file\":\"01900000-0000-7000-8000-000000000005\"", ATG_EPARSE, "'file'"},
    {"record", "family_name", "surname", ATG_EPARSE, "surname"},
    {"record", "female", "woman", ATG_EPARSE, "Sex"},
    {"record", "[30,40]", "[40,30]", ATG_EPARSE, "Age"},
    {"custody", "\"rev\":1", "\"state\":\"open\",\"rev\":1", ATG_EPARSE, "'frame'"},
    {"custody", "\"rev\":1", "\"code\":\"CU-K2-1\",\"rev\":1", ATG_EPARSE, "'frame'"},
    {"custody", "\"file\":\"01900000-0000-7000-8000-000000000004\"",
     "\"file\":\"01900000-0000-7000-8000-00000000000a\"", ATG_EPARSE, "'file'"},
    {"picture", "77", "0", ATG_EPARSE, "'size'"},
    {"picture", "77", "536870913", ATG_EPARSE, "'size'"},
    {"picture", "\"ab", "\"Ab", ATG_EPARSE, "'hash'"},
    {"picture", "\"ab", "\"", ATG_EPARSE, "'hash'"},
    {"entry", "\"seq\":1", "\"seq\":0", ATG_EPARSE, "'seq'"},
    {"entry", "\"add\"", "7", ATG_EPARSE, "'action'"},
    {"entry", "\"add\"",
     "\"0123456789012345678901234567890123456789012345678901234567890123456789\"", ATG_EPARSE,
     "'action'"},
    {"entry", "\"detail\"", "\"details\"", ATG_EPARSE, "'detail'"},
    {"entry", "\"cd", "\"c", ATG_EPARSE, "'hash'"},
    {"total", "\"files\":1", "\"files\":\"1\"", ATG_EPARSE, "'files'"},
    {"total", "\"files\":1,", "", ATG_EPARSE, "other members"},
};

static void items_that_are_none_are_refused_with_the_member(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++) {
        unsigned kind;
        atg_str bytes = seed(broken[i].seed, &kind);
        const char *at = memmem(bytes.p, bytes.n, broken[i].from, strlen(broken[i].from));
        atg_err err = {0};
        atg_str changed;
        int rc;

        if (!at)
            fail_msg("case %zu: %s is not there", i, broken[i].from);
        changed = atg_arena_printf(arena, "%.*s%s%s", (int)(at - bytes.p), bytes.p, broken[i].to,
                                   at + strlen(broken[i].from));
        rc = read_as(arena, kind, changed, &err);
        if (rc != broken[i].code || !strstr(err.msg, broken[i].words))
            fail_msg("case %zu: code %d: %s", i, rc, rc ? err.msg : "no failure");
    }
}

static void every_cut_is_noticed(void **state) {
    (void)state;
    for (size_t s = 0; s < SEEDS; s++) {
        unsigned kind;
        atg_str bytes = seed(seeds[s], &kind);

        assert_int_equal(read_as(arena, kind, bytes, NULL), ATG_OK);
        for (size_t n = 0; n < bytes.n; n++)
            assert_int_equal(read_as(arena, kind, (atg_str){bytes.p, n}, NULL), ATG_EPARSE);
    }
}

static void too_many_versions_are_refused(void **state) {
    static uuid earlier[BUNDLE_VERSIONS + 1];
    unsigned kind;
    atg_str bytes = seed("custody", &kind);
    bundle_record b = {0};

    (void)state;
    assert_int_equal(bundle_read_record(arena, bytes, &b, NULL), ATG_OK);
    for (unsigned i = 0; i <= BUNDLE_VERSIONS; i++)
        earlier[i] = uuid_make(i + 1, (unsigned char[10]){0});
    b.earlier = earlier;
    for (unsigned n = BUNDLE_VERSIONS; n <= BUNDLE_VERSIONS + 1; n++) {
        ATG_AUTO(atg_buf) out = atg_buf_new(WRITTEN);

        b.n_earlier = n;
        bundle_write_record(out, &b, NULL, NULL);
        assert_int_equal(atg_buf_take(out, &bytes, NULL), ATG_OK);
        assert_int_equal(read_as(arena, BUNDLE_RECORD, bytes, NULL),
                         n > BUNDLE_VERSIONS ? ATG_ELIMIT : ATG_OK);
    }
}

static void no_failed_allocation_is_lost(void **state) {
    (void)state;
    for (size_t s = 0; s < SEEDS; s++) {
        unsigned kind;
        atg_str bytes = seed(seeds[s], &kind);
        int rc = ATG_ENOMEM;

        for (long n = 0; rc; n++) {
            atg_arena *small;

            mem_fail_after(n);
            small = atg_arena_new(ARENA);
            rc = small ? read_as(small, kind, bytes, NULL) : ATG_ENOMEM;
            mem_fail_after(-1);
            atg_arena_free(small);
            assert_true(rc == ATG_OK || rc == ATG_ENOMEM || rc == ATG_EPARSE);
        }
    }
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_record_comes_back_with_its_frame_and_versions),
        TEST(items_that_are_none_are_refused_with_the_member),
        TEST(every_cut_is_noticed),
        TEST(too_many_versions_are_refused),
        TEST(no_failed_allocation_is_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
