/* SPDX-License-Identifier: Apache-2.0 */
/* Checkpoints that somebody else keeps: written, read again, and held against later ones. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "store/witness.h"
#include "testing.h"

enum { DAY_US = 86400 };

static sign_pair pair;

static checkpoint made(uint64_t size, int64_t at, const char *origin) {
    checkpoint c = {.size = size, .at = at, .root = {{(unsigned char)size}}};

    (void)snprintf(c.origin, sizeof(c.origin), "%s", origin);
    assert_int_equal(checkpoint_sign(&c, &pair, NULL), ATG_OK);
    return c;
}

static int make_key(void **state) {
    static const key256 seed = {{5}};

    (void)state;
    sign_pair_of(&seed, &pair);
    return 0;
}

static int make_folder(void **state) {
    static char folder[64];

    (void)snprintf(folder, sizeof(folder), "/tmp/atg-witness-XXXXXX");
    *state = mkdtemp(folder);
    return *state ? 0 : -1;
}

static int remove_folder(void **state) {
    char command[128];

    (void)snprintf(command, sizeof(command), "rm -rf '%s'", (const char *)*state);
    return system(command); /* NOLINT(concurrency-mt-unsafe,cert-env33-c): a test of one thread */
}

static void must(int rc, const atg_err *err) {
    if (rc)
        fail_msg("code %d: %s", rc, err->msg);
}

/* Notes as text, `between` behind each. */
static atg_str texts(atg_arena *arena, uint32_t n, const char *before, const char *between) {
    atg_str all = atg_arena_printf(arena, "%s", before);
    char text[CHECKPOINT_MAX];

    for (uint32_t i = 1; i <= n; i++) {
        checkpoint c = made(i, 1000 * (int64_t)i, "antigone.example/K3");

        (void)checkpoint_text(&c, text);
        all = atg_arena_printf(arena, "%.*s%s%s", ATG_FMT(all), text, between);
    }
    return all;
}

static void many_notes_in_one_text_are_read(void **state) {
    static const struct {
        const char *before, *between, *strange;
    } cases[] = {
        {"", "", ""},
        {"", "\n", ""},
        {"\n\n", "\n\n\n", ""},
        {"Dear witness,\n\nplease keep this:\n", "\n", "letter:1"},
        {"", "-- \nsent by mail\n", "letter:8"},
        {"\nantigone.example/K3\n12\nCsUYap", "\n", "letter:2"},
    };
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);

    (void)state;
    for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
        atg_str text = texts(arena, 5, cases[k].before, cases[k].between);
        witness_notes notes = {.n = 0};
        /* what a crash left of a note may hide the one behind it when no line ends it */
        uint32_t lost = k == 5 ? 1 : 0;
        atg_err err = {0};

        must(witness_parse(arena, "letter", text, &notes, &err), &err);
        assert_int_equal(notes.n, 5 - lost);
        for (uint32_t i = 0; i < notes.n; i++) {
            assert_int_equal(notes.notes[i].size, i + 1 + lost);
            assert_int_equal(checkpoint_check(&notes.notes[i], &pair.pub, NULL), ATG_OK);
        }
        assert_true(atg_str_eq(notes.strange, atg_str_of(cases[k].strange)));
    }
}

static void lines_may_end_as_on_other_systems(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
    atg_str text = texts(arena, 2, "", "\n"), other = {NULL, 0};
    witness_notes notes = {.n = 0};
    char *p = ATG_GET(arena, char, 2 * text.n);
    atg_err err = {0};

    (void)state;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '\n')
            p[other.n++] = '\r';
        p[other.n++] = text.p[i];
    }
    other.p = p;
    must(witness_parse(arena, "letter", other, &notes, &err), &err);
    assert_int_equal(notes.n, 2);
    assert_int_equal(notes.strange.n, 0);
}

static void a_text_without_a_note_is_refused_with_the_place(void **state) {
    static const struct {
        const char *text, *said;
        uint32_t line;
    } cases[] = {
        {"", "letter has no checkpoint", 0},
        {"\n\n", "letter has no checkpoint", 0},
        {"\nhello\n", "letter has no checkpoint: This is no checkpoint", 2},
        {"\xe2\x80\x94 me abc\n", "letter has no checkpoint: This is no checkpoint", 1},
        {"a\nb\nc\nd\ne\n\n\xe2\x80\x94 a abc\n",
         "letter has no checkpoint: This is not a checkpoint: line 2", 1},
    };
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);

    (void)state;
    for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
        witness_notes notes;
        atg_err err = {0};

        assert_int_equal(witness_parse(arena, "letter", atg_str_of(cases[k].text), &notes, &err),
                         ATG_EPARSE);
        if (!strstr(err.msg, cases[k].said) || err.line != cases[k].line)
            fail_msg("case %zu: %u: %s", k, err.line, err.msg);
    }
}

static void reading_survives_a_lack_of_memory(void **state) {
    ATG_AUTO(atg_arena) from = atg_arena_new(1 << 20);
    atg_str text = texts(from, 70, "strange\n", "\n");
    int rc = ATG_ENOMEM;

    (void)state;
    for (long k = 0; rc && k < 1000; k++) {
        ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
        witness_notes notes = {.n = 0};

        mem_fail_after(k);
        rc = witness_parse(arena, "letter", text, &notes, NULL);
        mem_fail_after(-1);
        assert_true(rc == ATG_OK || (rc == ATG_ENOMEM && notes.n == 0));
    }
    assert_int_equal(rc, ATG_OK);
}

static uint32_t count(const char *path) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
    witness_notes notes = {.n = 0};
    atg_err err = {0};

    must(witness_read(arena, path, &notes, &err), &err);
    for (uint32_t i = 0; i < notes.n; i++)
        assert_int_equal(checkpoint_check(&notes.notes[i], &pair.pub, NULL), ATG_OK);
    return notes.n;
}

static void a_file_grows_with_each_new_checkpoint(void **state) {
    char path[128];
    atg_err err = {0};

    (void)snprintf(path, sizeof(path), "%s/notes", (const char *)*state);
    for (uint64_t size = 1; size <= 100; size++) {
        checkpoint c = made(size, (int64_t)size, "antigone.example/K3");

        must(witness_write(path, &c, &err), &err);
        must(witness_write(path, &c, &err), &err);
        assert_int_equal(count(path), size);
    }
}

static void a_witness_that_saw_more_refuses(void **state) {
    char path[128];
    checkpoint c = made(10, 1000, "antigone.example/K3"), less = made(9, 2000, c.origin), other = c,
               elsewhere = made(3, 1, "antigone.example/K4");
    atg_err err = {0};

    (void)snprintf(path, sizeof(path), "%s/notes", (const char *)*state);
    must(witness_write(path, &c, &err), &err);
    assert_int_equal(witness_write(path, &less, &err), ATG_EDENIED);
    assert_non_null(strstr(err.msg, "saw 10 entries, and this checkpoint is of 9"));
    other.root.bytes[0]++;
    assert_int_equal(checkpoint_sign(&other, &pair, NULL), ATG_OK);
    assert_int_equal(witness_write(path, &other, &err), ATG_EDENIED);
    assert_non_null(strstr(err.msg, "saw 10 entries that were others"));
    must(witness_write(path, &elsewhere, &err), &err);
    assert_int_equal(count(path), 2);
}

static void a_folder_has_a_file_for_each_day(void **state) {
    const char *folder = *state;
    char path[128];
    struct stat st;
    atg_err err = {0};

    for (uint64_t size = 1; size <= 6; size++) {
        checkpoint c = made(size, (int64_t)(size / 2) * DAY_US * 1000000, "antigone.example/K3");

        must(witness_write(folder, &c, &err), &err);
        must(witness_write(folder, &c, &err), &err);
        assert_int_equal(count(folder), size);
    }
    (void)snprintf(path, sizeof(path), "%s/1970-01-03.checkpoints", folder);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(count(path), 2);

    /* the clock goes back to another day */
    checkpoint more = made(8, 0, "antigone.example/K3"), less = made(5, 0, more.origin);

    assert_int_equal(witness_write(folder, &less, &err), ATG_EDENIED);
    must(witness_write(folder, &more, &err), &err);
    assert_int_equal(count(folder), 7);
}

static void what_a_crash_left_of_a_note_is_passed_over(void **state) {
    checkpoint a = made(1, 1, "antigone.example/K3"), b = made(2, 2, a.origin);
    char text[CHECKPOINT_MAX], path[128];
    size_t n = checkpoint_text(&a, text);
    atg_err err = {0};

    for (size_t kept = 0; kept < n; kept++) {
        (void)snprintf(path, sizeof(path), "%s/notes-%zu", (const char *)*state, kept);
        must(file_write(path, (atg_str){text, kept}, &err), &err);
        must(witness_write(path, &b, &err), &err);
        /* but for its last line end a note is whole */
        assert_int_equal(count(path), kept == n - 1 ? 2 : 1);
    }
}

static void a_witness_that_cannot_be_reached_says_so(void **state) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
    checkpoint c = made(1, 1, "antigone.example/K3");
    witness_notes notes;
    char path[128];
    atg_err err = {0};

    (void)snprintf(path, sizeof(path), "%s/none/notes", (const char *)*state);
    assert_int_equal(witness_write(path, &c, &err), ATG_EIO);
    assert_non_null(strstr(err.msg, path));
    assert_int_equal(witness_read(arena, path, &notes, &err), ATG_EIO);
    assert_int_equal(witness_read(arena, *state, &notes, &err), ATG_EPARSE);
    assert_int_equal(witness_write("/dev/full", &c, &err), ATG_EIO);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_notes_in_one_text_are_read),
        cmocka_unit_test(lines_may_end_as_on_other_systems),
        cmocka_unit_test(a_text_without_a_note_is_refused_with_the_place),
        cmocka_unit_test(reading_survives_a_lack_of_memory),
        cmocka_unit_test_setup_teardown(a_file_grows_with_each_new_checkpoint, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(a_witness_that_saw_more_refuses, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(a_folder_has_a_file_for_each_day, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(what_a_crash_left_of_a_note_is_passed_over, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(a_witness_that_cannot_be_reached_says_so, make_folder,
                                        remove_folder),
    };

    return cmocka_run_group_tests(tests, make_key, NULL);
}
